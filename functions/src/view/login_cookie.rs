//! The cookie that identifies the browser of a login when it returns from Google. Each login has its own, so that
//! concurrent logins do not disturb each other.

use calendar_sync::http::input::MAX_PARAMETER_BYTES;
use chrono::TimeDelta;
use lambda_http::{Request, http::header};
use secrecy::{ExposeSecret, SecretString};

const PATH: &str = "/api/v1/calendar/oauth";

fn name(state: &str) -> String {
    format!("calendar_login_{}", state.get(..16).unwrap_or(state))
}

/// A `Set-Cookie` value.
pub fn set(state: &str, secret: &SecretString, lasts: TimeDelta, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    let (name, value, age) = (name(state), secret.expose_secret(), lasts.num_seconds());
    format!("{name}={value}; Path={PATH}; Max-Age={age}; HttpOnly; SameSite=Lax{secure}")
}

/// A `Set-Cookie` value that deletes the cookie.
pub fn clear(state: &str) -> String {
    format!("{}=; Path={PATH}; Max-Age=0; HttpOnly; SameSite=Lax", name(state))
}

/// The cookie of the login with `state`, if the browser sent it.
pub fn get(request: &Request, state: &str) -> Option<SecretString> {
    let wanted = name(state);
    let headers = request.headers().get_all(header::COOKIE);
    let pairs = headers.iter().filter_map(|header| header.to_str().ok()).flat_map(|header| header.split(';'));
    pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, value)| *name == wanted && value.len() <= MAX_PARAMETER_BYTES)
        .map(|(_, value)| value.to_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::Body;

    #[test]
    fn a_cookie_is_secure_where_the_page_is() {
        let set = |secure| set("state", &SecretString::from("secret"), TimeDelta::minutes(10), secure);
        assert!(set(true).ends_with("; Secure"), "{}", set(true));
        assert!(!set(false).contains("Secure"), "http on one machine would lose it");
    }

    #[test]
    fn each_login_has_a_cookie_of_its_own() {
        let cookies = "a=b; calendar_login_stateone12345678=one; calendar_login_statetwo12345678=two";
        let request = lambda_http::http::Request::builder().header("cookie", cookies).body(Body::Empty).unwrap();
        let read = |state| get(&request, state).map(|cookie| cookie.expose_secret().to_owned());
        assert_eq!(read("statetwo12345678-and-more").as_deref(), Some("two"));
        assert_eq!(read("stateone12345678").as_deref(), Some("one"));
        assert_eq!(read("another"), None);
        assert_eq!(read(""), None);
    }
}
