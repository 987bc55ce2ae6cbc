//! Begins a login: makes the address of Google's consent screen, and a cookie by which the returning browser is
//! recognised.

use std::sync::Arc;

use chrono::TimeDelta;
use data_encoding::BASE64URL_NOPAD;
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use super::erase::refuse_while_erasing;
use crate::{
    Error, Result,
    model::{ConnectionKey, OAuthState, Person},
    ports::{Clock, Login, Random, Store, TokenVault},
};

/// A login has to come back within this time.
pub const LOGIN_LASTS: TimeDelta = TimeDelta::minutes(10);

pub struct BeginLogin {
    pub store: Arc<dyn Store>,
    pub login: Arc<dyn Login>,
    /// Seals the PKCE verifier.
    pub vault: Arc<dyn TokenVault>,
    pub clock: Arc<dyn Clock>,
    /// For state, verifier and cookie.
    pub random: Arc<dyn Random>,
}

#[derive(Debug, Default)]
pub struct LoginOptions {
    /// A path on the frontend to return to.
    pub return_path: Option<String>,
    /// Whether another Google account may replace the present one.
    pub replace_account: bool,
}

#[derive(Debug)]
pub struct LoginBegun {
    /// Where to send the browser.
    pub auth_url: String,
    /// Google sends it back.
    pub state: String,
    /// The value of the cookie that the browser has to send when it comes back.
    pub browser: SecretString,
}

impl BeginLogin {
    pub async fn begin(&self, key: ConnectionKey, began_by: &Person, options: &LoginOptions) -> Result<LoginBegun> {
        if !self.store.instructor_exists(key).await? {
            return Err(Error::not_found());
        }
        refuse_while_erasing(&*self.store, key).await?;
        let return_path = checked_path(options.return_path.as_deref().unwrap_or("/"))?;
        let (state, browser) = (self.token(), self.token());
        let verifier = SecretString::from(self.token());
        let login = OAuthState {
            state: state.clone(),
            key,
            verifier: self.vault.seal(key, &verifier).await?,
            browser: digest(&browser),
            began_by: began_by.clone(),
            return_path: return_path.to_owned(),
            replace_account: options.replace_account,
            expires_at: self.clock.now() + LOGIN_LASTS,
        };
        self.store.put_oauth_state(&login).await?;
        Ok(LoginBegun { auth_url: self.login.authorize_url(&state, &verifier), state, browser: browser.into() })
    }

    /// 256 random bits as 43 characters, which is a valid length for a PKCE verifier.
    fn token(&self) -> String {
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes);
        BASE64URL_NOPAD.encode(&bytes)
    }
}

/// The digest of the browser's cookie, which is what the store keeps.
pub fn digest(browser: &str) -> String {
    BASE64URL_NOPAD.encode(&Sha256::digest(browser))
}

/// Accepts a path on the frontend alone, so that no other origin can be reached through it.
fn checked_path(path: &str) -> Result<&str> {
    let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~?=&%".contains(&byte));
    if path.len() <= 512 && path.starts_with('/') && !path.starts_with("//") && plain {
        Ok(path)
    } else {
        Err(Error::field("returnPath", "is not a path of this application"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_return_path_stays_on_the_frontend() {
        for path in ["/", "/scheduling?tab=calendar", "/a/b-c_d.e~f"] {
            assert!(checked_path(path).is_ok(), "{path}");
        }
        for path in
            ["", "scheduling", "//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb", "/a#b", "/@x"]
        {
            assert!(checked_path(path).is_err(), "{path}");
        }
    }
}
