//! `GET /api/v1/calendar/oauth/url`: the address to which the browser goes to connect a calendar.

use calendar_sync::{
    Result,
    bootstrap::Bootstrap,
    config::ClaimNames,
    http::{Caller, answer, input, reply},
    usecases::begin_login::{BeginLogin, LOGIN_LASTS, LoginOptions},
};
use lambda_http::{
    Body, Request, Response,
    http::{HeaderValue, header},
};
use serde_json::json;

use crate::view::login_cookie;

pub struct Deps {
    login: BeginLogin,
    claims: ClaimNames,
    https: bool,
}

impl Deps {
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        let login = BeginLogin {
            store: bootstrap.store(),
            login: bootstrap.login().await?,
            vault: bootstrap.vault()?,
            clock: bootstrap.clock(),
            random: bootstrap.random(),
        };
        let https = bootstrap.config.google()?.redirects_over_https();
        Ok(Self { login, claims: bootstrap.config.claims(), https })
    }
}

pub async fn handle(deps: &Deps, request: Request) -> Response<Body> {
    answer(url(deps, &request).await)
}

async fn url(deps: &Deps, request: &Request) -> Result<Response<Body>> {
    let caller = Caller::of(request, &deps.claims)?;
    let instructor = input::instructor(&input::required_query(request, "instructorId")?)?;
    let options = LoginOptions {
        return_path: input::query(request, "returnPath")?,
        replace_account: input::flag(request, "replaceAccount")?,
    };
    let key = caller.connection_of(instructor)?;
    let begun = deps.login.begin(key, &caller.acts_for(instructor), &options).await?;
    let mut response = reply::ok(&json!({ "authUrl": begun.auth_url, "state": begun.state }))?;
    let cookie = login_cookie::set(&begun.state, &begun.browser, LOGIN_LASTS, deps.https);
    let cookie = HeaderValue::from_str(&cookie).map_err(calendar_sync::Error::internal)?;
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}
