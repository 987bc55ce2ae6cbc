//! `GET /api/v1/calendar/oauth/callback`: the address to which Google redirects the browser. `POST`: the frontend
//! finishes a login whose cookie the browser does not send across sites.

use calendar_sync::{
    Error, Result,
    bootstrap::Bootstrap,
    config::ClaimNames,
    http::{Caller, JsonBody, answer, input, reply},
    usecases::finish_login::{FinishLogin, Finisher, LoginFinished, LoginReturn},
};
use lambda_http::{
    Body, Request, Response,
    http::{HeaderValue, Method, header},
};
use serde_json::json;

use crate::view::login_cookie;

pub struct Deps {
    login: FinishLogin,
    claims: ClaimNames,
    frontend: String,
    https: bool,
}

impl Deps {
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        let login = FinishLogin {
            google: crate::google(bootstrap).await?,
            sync_queue: bootstrap.sync_queue()?,
            random: bootstrap.random(),
        };
        let https = bootstrap.config.google()?.redirects_over_https();
        Ok(Self { login, claims: bootstrap.config.claims(), frontend: bootstrap.config.frontend_url()?, https })
    }
}

pub async fn handle(deps: &Deps, request: Request) -> Response<Body> {
    if request.method() == Method::POST {
        answer(by_page(deps, &request).await)
    } else {
        by_browser(deps, &request).await
    }
}

/// The frontend finishes the login with its bearer token.
async fn by_page(deps: &Deps, request: &Request) -> Result<Response<Body>> {
    let Caller { user, tenant, instructor, is_admin } = Caller::of(request, &deps.claims)?;
    let body = JsonBody::of(request)?;
    let returned = LoginReturn {
        state: body.required_text("state")?.to_owned(),
        answer: Ok(body.required_text("code")?.to_owned().into()),
    };
    let caller = Finisher::Caller { user, tenant, instructor: instructor.filter(|_| !is_admin) };
    let finished = deps.login.finish(returned, &caller).await.map_err(|failed| failed.error)?;
    connected(&finished)
}

/// The browser returns from Google. A browser is redirected to the frontend; a program gets JSON.
async fn by_browser(deps: &Deps, request: &Request) -> Response<Body> {
    let wants_json = accepts_json(request);
    let returned = match returned(request) {
        Ok(returned) => returned,
        Err(error) if wants_json => return reply::problem(&error),
        Err(error) => return to_frontend(deps, "/", &error),
    };
    let cookie = login_cookie::get(request, &returned.state, deps.https);
    if cookie.is_none() && !wants_json {
        return answer(reply::redirect(&without_cookie(&deps.frontend, &returned)));
    }
    let state = returned.state.clone();
    let mut response = match deps.login.finish(returned, &Finisher::Browser(cookie)).await {
        Ok(finished) if wants_json => answer(connected(&finished)),
        Ok(finished) => {
            answer(reply::redirect(&with_query(&deps.frontend, &finished.return_path, "calendar=connected")))
        }
        Err(failed) if wants_json => reply::problem(&failed.error),
        Err(failed) => to_frontend(deps, failed.return_path.as_deref().unwrap_or("/"), &failed.error),
    };
    if let Ok(clear) = HeaderValue::from_str(&login_cookie::clear(&state, deps.https)) {
        response.headers_mut().insert(header::SET_COOKIE, clear);
    }
    response
}

/// The redirect of a browser that sends no cookie: the frontend finishes the login with its token, if there is anything
/// to finish. The login stays as it is, since this browser is not identified.
fn without_cookie(frontend: &str, LoginReturn { state, answer }: &LoginReturn) -> String {
    use secrecy::ExposeSecret;
    match answer {
        // The part behind `#` is not sent to a server.
        Ok(code) => format!("{frontend}/?calendar=finish#state={state}&code={}", escape(code.expose_secret())),
        Err(word) if word == "access_denied" => with_query(frontend, "/", "calendar=error&code=consent_denied"),
        Err(_) => with_query(frontend, "/", "calendar=error&code=google_refused"),
    }
}

fn returned(request: &Request) -> Result<LoginReturn> {
    let state = input::required_query(request, "state")?;
    if !state.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        return Err(Error::field("state", "is malformed"));
    }
    let answer = match input::query(request, "error")? {
        Some(word) => Err(word),
        None => Ok(input::required_query(request, "code")?.into()),
    };
    Ok(LoginReturn { state, answer })
}

fn connected(finished: &LoginFinished) -> Result<Response<Body>> {
    let credentials = &finished.credentials;
    reply::ok(&json!({
        "instructorId": credentials.key.instructor_id,
        "calendarId": credentials.google_calendar_id,
        "syncEnabled": credentials.settings.sync_enabled,
    }))
}

fn to_frontend(deps: &Deps, path: &str, error: &Error) -> Response<Body> {
    // The status code is not used, but the error is logged as any other.
    let _ = reply::problem(error);
    answer(reply::redirect(&with_query(&deps.frontend, path, &format!("calendar=error&code={}", error.code()))))
}

fn with_query(frontend: &str, path: &str, query: &str) -> String {
    format!("{frontend}{path}{}{query}", if path.contains('?') { '&' } else { '?' })
}

fn accepts_json(request: &Request) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accept.contains("application/json") && !accept.contains("text/html")
}

/// Percent-encodes all but unreserved characters.
fn escape(text: &str) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(answer: Result<&str, &str>) -> String {
        let answer = answer.map(Into::into).map_err(ToOwned::to_owned);
        without_cookie("https://app.example", &LoginReturn { state: "s-1".to_owned(), answer })
    }

    #[test]
    fn without_a_cookie_the_page_finishes_what_was_granted() {
        assert_eq!(location(Ok("4/a&b")), "https://app.example/?calendar=finish#state=s-1&code=4%2Fa%26b");
    }

    #[test]
    fn without_a_cookie_a_denied_consent_is_still_told_as_such() {
        let denied = location(Err("access_denied"));
        assert_eq!(denied, "https://app.example/?calendar=error&code=consent_denied");
        let refused = location(Err("server_error&code=x"));
        assert_eq!(refused, "https://app.example/?calendar=error&code=google_refused");
    }
}
