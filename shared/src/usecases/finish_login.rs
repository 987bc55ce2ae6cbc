//! Finishes a login: checks that it comes back to where it began, exchanges the code, and stores the connection
//! whole or not at all (design rule S2).

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;
use subtle::ConstantTimeEq;

use super::begin_login::digest;
use crate::{
    Error, ErrorKind, Result,
    model::{
        CalendarId, CalendarOAuthTokens, ConnectionId, ConnectionKey, ConnectionStatus, CreateCalendarCredentials,
        InstructorCalendarCredentials, InstructorId, OAuthState, SealedTokens, SyncSettings, SyncState, SyncTrigger,
        TenantId, WishKind,
    },
    ports::{Clock, Connect, Doorbell, GrantedTokens, Login, LoginError, Random, Ring, Store, TokenVault},
};

/// Finishes logins.
pub struct FinishLogin {
    /// Where connections are kept.
    pub store: Arc<dyn Store>,
    /// Google sign-in.
    pub login: Arc<dyn Login>,
    /// Opens the verifier, seals the tokens.
    pub vault: Arc<dyn TokenVault>,
    /// Rings for the first sync.
    pub doorbell: Arc<dyn Doorbell>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub random: Arc<dyn Random>,
}

/// What Google's redirect brought.
#[derive(Debug)]
pub struct LoginReturn {
    /// The state that we gave.
    pub state: String,
    /// The code, or Google's error word.
    pub answer: Result<SecretString, String>,
}

/// By what the one who finishes is known to be the one who began.
#[derive(Debug)]
pub enum Finisher {
    /// The browser, by its cookie.
    Browser(Option<SecretString>),
    /// A caller with a token of their own, who may act for this connection: the page finishes for a browser whose
    /// cookies don't travel.
    Caller {
        /// Who it is.
        user: String,
        /// Their tenant.
        tenant: TenantId,
        /// The only instructor that they may act for; `None` for an administrator.
        instructor: Option<InstructorId>,
    },
}

/// A finished login.
#[derive(Debug)]
pub struct LoginFinished {
    /// The connection.
    pub credentials: InstructorCalendarCredentials,
    /// Where the browser returns to.
    pub return_path: String,
}

/// A login that failed, and where the browser returns to if that is known.
#[derive(Debug)]
pub struct LoginFailed {
    /// Why.
    pub error: Error,
    /// Where to.
    pub return_path: Option<String>,
}

impl From<Error> for LoginFailed {
    fn from(error: Error) -> Self {
        Self { error, return_path: None }
    }
}

impl FinishLogin {
    /// Finishes a login.
    pub async fn finish(&self, returned: LoginReturn, finisher: &Finisher) -> Result<LoginFinished, LoginFailed> {
        let unknown = || {
            Error::new(
                ErrorKind::Invalid,
                "unknown_state",
                "This login is unknown, was used already, or took too long. Please start again.",
            )
        };
        let begun = self.store.oauth_state(&returned.state).await?.ok_or_else(unknown)?;
        // Rows outlive their expiry: DynamoDB removes them when it finds the time.
        if begun.expires_at <= self.clock.now() {
            return Err(unknown().into());
        }
        if !finisher.began(&begun) {
            // The login is left as it is: whoever began it may still finish it.
            return Err(Error::new(
                ErrorKind::Invalid,
                "other_browser",
                "This login was begun in another browser. Please start again here.",
            )
            .into());
        }
        let begun = self.store.take_oauth_state(&returned.state).await?.ok_or_else(unknown)?;
        let return_path = begun.return_path.clone();
        match self.connect(&begun, returned.answer).await {
            Ok(credentials) => Ok(LoginFinished { credentials, return_path }),
            Err(error) => Err(LoginFailed { error, return_path: Some(return_path) }),
        }
    }

    async fn connect(
        &self,
        begun: &OAuthState,
        answer: Result<SecretString, String>,
    ) -> Result<InstructorCalendarCredentials> {
        let code = answer.map_err(|word| refusal(&word))?;
        let verifier = self.vault.open(begun.key, &begun.verifier).await?;
        let granted = self.login.exchange(&code, &verifier, self.clock.now()).await.map_err(|error| match error {
            LoginError::InvalidGrant => {
                Error::new(ErrorKind::Invalid, "code_refused", "Google did not accept the login. Please start again.")
                    .because(error)
            }
            LoginError::Refused(_) => Error::internal(error),
            LoginError::Unavailable(_) => Error::unavailable("google_unavailable", error),
        })?;
        let present = self.store.credentials(begun.key).await?;
        let login = match self.checked(begun.key, &granted, present.as_ref()) {
            Ok(login) => login,
            Err(error) => {
                self.give_back(begun.key, &granted).await;
                return Err(error);
            }
        };
        let credentials = self.store_connection(login, present.as_ref()).await?;
        self.store.flag_instructor(begun.key, Some(credentials.settings.sync_enabled), None).await?;
        let wishes = vec![WishKind::Inbound, WishKind::Lessons, WishKind::Full];
        let ring = Ring { key: begun.key, trigger: SyncTrigger::Connect, wishes, log_id: None, asked: None };
        if let Err(error) = self.doorbell.ring(&ring, Duration::ZERO).await {
            tracing::error!(connection = %begun.key, ?error, "the first sync waits for the next poll");
        }
        Ok(credentials)
    }

    /// Checks what Google granted.
    fn checked(
        &self,
        key: ConnectionKey,
        granted: &GrantedTokens,
        present: Option<&InstructorCalendarCredentials>,
    ) -> Result<CreateCalendarCredentials> {
        let missing: Vec<&str> = self
            .login
            .required_scopes()
            .iter()
            .filter(|scope| !granted.scopes.contains(scope))
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            let text = format!(
                "Not all permissions were given. Please start again and leave every box ticked. Missing: {}.",
                missing.join(", ")
            );
            return Err(Error::new(ErrorKind::Invalid, "permission_missing", text));
        }
        let Some(refresh_token) = granted.refresh_token.clone() else {
            let text = "Google gave no lasting permission. Remove this application from your Google account's connections, then start again.";
            return Err(Error::new(ErrorKind::Invalid, "no_refresh_token", text));
        };
        if present.is_some_and(|present| present.google_account.sub != granted.account.sub) {
            let text = "Another Google account is connected. Please disconnect it first.";
            return Err(Error::new(ErrorKind::Conflict, "other_account", text));
        }
        Ok(CreateCalendarCredentials {
            key,
            google_account: granted.account.clone(),
            granted_scopes: granted.scopes.clone(),
            tokens: CalendarOAuthTokens {
                access_token: granted.access.access_token.clone(),
                refresh_token,
                expires_at: granted.access.expires_at,
            },
        })
    }

    async fn store_connection(
        &self,
        login: CreateCalendarCredentials,
        present: Option<&InstructorCalendarCredentials>,
    ) -> Result<InstructorCalendarCredentials> {
        let (key, now) = (login.key, self.clock.now());
        if present.is_some_and(|present| matches!(present.status, ConnectionStatus::Disconnecting { .. })) {
            return Err(Error::new(
                ErrorKind::Conflict,
                "disconnecting",
                "The calendar is still being disconnected. Please try again in a minute.",
            ));
        }
        let credentials = InstructorCalendarCredentials {
            id: present.map_or_else(|| ConnectionId(self.random.uuid()), |present| present.id),
            key,
            tokens: SealedTokens {
                google_access_token: self.vault.seal(key, &login.tokens.access_token).await?,
                google_refresh_token: self.vault.seal(key, &login.tokens.refresh_token).await?,
                google_token_expiry: login.tokens.expires_at,
            },
            google_calendar_id: present
                .map_or_else(|| CalendarId::from("primary"), |present| present.google_calendar_id.clone()),
            google_account: login.google_account,
            oauth_client: self.login.client_id().to_owned(),
            granted_scopes: login.granted_scopes,
            settings: present.map_or_else(SyncSettings::default, |present| present.settings.clone()),
            status: ConnectionStatus::Active,
            created_at: present.map_or(now, |present| present.created_at),
            updated_at: now,
        };
        let connect = Connect {
            credentials: credentials.clone(),
            replaces: present.map(|present| present.id),
            leaves_account: None,
            state: present.is_none().then(|| SyncState::new(now)),
        };
        self.store.connect(&connect).await?;
        Ok(credentials)
    }

    /// Withdraws a grant that led to no connection, unless a connection lives on the same account: revoking takes
    /// the whole account's grants with it.
    async fn give_back(&self, key: ConnectionKey, granted: &GrantedTokens) {
        let sub = &granted.account.sub;
        let own = self
            .store
            .credentials(key)
            .await
            .map(|present| present.is_some_and(|present| present.google_account.sub == *sub));
        let used = match own {
            Ok(false) => self.store.account_shared(sub, key).await.unwrap_or(true),
            Ok(true) | Err(_) => true,
        };
        if !used {
            let tokens = CalendarOAuthTokens {
                access_token: granted.access.access_token.clone(),
                refresh_token: granted.refresh_token.clone().unwrap_or_else(|| granted.access.access_token.clone()),
                expires_at: granted.access.expires_at,
            };
            if let Err(error) = self.login.revoke(&tokens).await {
                tracing::warn!(%error, "a grant that led to no connection could not be given back");
            }
        }
    }
}

impl Finisher {
    fn began(&self, begun: &OAuthState) -> bool {
        use secrecy::ExposeSecret;
        match self {
            Self::Browser(None) => false,
            Self::Browser(Some(cookie)) => {
                digest(cookie.expose_secret()).as_bytes().ct_eq(begun.browser.as_bytes()).into()
            }
            Self::Caller { user, tenant, instructor } => {
                *user == begun.began_by
                    && *tenant == begun.key.tenant_id
                    && instructor.is_none_or(|own| own == begun.key.instructor_id)
            }
        }
    }
}

/// Google's error words, as outcomes.
fn refusal(word: &str) -> Error {
    match word {
        "access_denied" => {
            Error::new(ErrorKind::Invalid, "consent_denied", "You did not give permission, so nothing was connected.")
        }
        _ => Error::new(ErrorKind::Invalid, "google_refused", "Google refused the login. Please start again."),
    }
}
