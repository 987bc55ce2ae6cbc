//! The cookie that identifies the browser of a login when it returns from Google. Each login has its own, so that
//! concurrent logins do not disturb each other.

use calendar_sync::http::input::MAX_PARAMETER_BYTES;
use chrono::TimeDelta;
use lambda_http::{Request, http::header};
use secrecy::{ExposeSecret, SecretString};

/// Over https a browser takes a cookie of such a name from this very host alone, and over https: no other host of the
/// domain can set it. On one machine there is no https, and not every browser takes such a cookie without.
const HOST_PREFIX: &str = "__Host-";

fn name(state: &str, https: bool) -> String {
    let prefix = if https { HOST_PREFIX } else { "" };
    format!("{prefix}calendar_login_{}", state.get(..16).unwrap_or(state))
}

/// A `Set-Cookie` value.
pub fn set(state: &str, secret: &SecretString, lasts: TimeDelta, https: bool) -> String {
    let (value, age) = (secret.expose_secret(), lasts.num_seconds());
    cookie(state, value, age, https)
}

/// A `Set-Cookie` value that deletes the cookie.
pub fn clear(state: &str, https: bool) -> String {
    cookie(state, "", 0, https)
}

fn cookie(state: &str, value: &str, age_seconds: i64, https: bool) -> String {
    let secure = if https { "; Secure" } else { "" };
    format!("{}={value}; Path=/; Max-Age={age_seconds}; HttpOnly; SameSite=Lax{secure}", name(state, https))
}

/// The cookie of the login with `state`, if the browser sent it.
pub fn get(request: &Request, state: &str, https: bool) -> Option<SecretString> {
    let wanted = name(state, https);
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
    fn over_https_a_cookie_is_of_this_host_alone_and_is_deleted_as_it_was_set() {
        let rest = "HttpOnly; SameSite=Lax";
        let set = |https| set("state", &SecretString::from("secret"), TimeDelta::minutes(10), https);
        assert_eq!(set(true), format!("__Host-calendar_login_state=secret; Path=/; Max-Age=600; {rest}; Secure"));
        assert_eq!(clear("state", true), format!("__Host-calendar_login_state=; Path=/; Max-Age=0; {rest}; Secure"));
        assert_eq!(set(false), format!("calendar_login_state=secret; Path=/; Max-Age=600; {rest}"));
    }

    #[test]
    fn each_login_has_a_cookie_of_its_own() {
        let cookies = "a=b; calendar_login_stateone12345678=one; calendar_login_statetwo12345678=two";
        let request = lambda_http::http::Request::builder().header("cookie", cookies).body(Body::Empty).unwrap();
        let read = |state| get(&request, state, false).map(|cookie| cookie.expose_secret().to_owned());
        assert_eq!(read("statetwo12345678-and-more").as_deref(), Some("two"));
        assert_eq!(read("stateone12345678").as_deref(), Some("one"));
        assert_eq!(read("another"), None);
        assert_eq!(read(""), None);
        assert!(get(&request, "statetwo12345678", true).is_none(), "another host of the domain may have set it");
    }
}
