//! Finishes a login: checks that it returns to where it began, exchanges the code, and stores the whole connection in
//! one transaction.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use subtle::ConstantTimeEq;

use super::{
    begin_login::digest,
    disconnect::{Disconnect, Disconnected, Keep},
    erase::refuse_while_erasing,
};
use crate::{
    Error, ErrorKind, Result,
    model::{
        Act, CalendarId, CalendarOAuthTokens, ConnectionId, ConnectionKey, ConnectionStatus, CreateCalendarCredentials,
        InstructorCalendarCredentials, InstructorId, OAuthState, PersonAct, SealedTokens, SyncLogId, SyncSettings,
        SyncState, SyncTask, SyncTrigger, TenantId,
    },
    ports::{Connect, GrantedTokens, LoginError, Random, SyncMessage, SyncQueue},
    services::{
        google_session::{Google, client_refused},
        instructor_row::write_enabled,
    },
};

/// How long a login waits for the connection to another account to be taken down.
const REPLACED_WITHIN: TimeDelta = TimeDelta::seconds(15);

pub struct FinishLogin {
    pub google: Google,
    /// For the first sync.
    pub sync_queue: Arc<dyn SyncQueue>,
    pub random: Arc<dyn Random>,
}

/// The parameters of Google's redirect.
#[derive(Debug)]
pub struct LoginReturn {
    pub state: String,
    /// The code, or Google's error code.
    pub answer: Result<SecretString, String>,
}

/// The proof that a login is finished by the one who began it.
#[derive(Debug)]
pub enum Finisher {
    /// The browser's cookie.
    Browser(Option<SecretString>),
    /// A caller with an access token of their own who may act for this connection: the frontend finishes the login
    /// where the browser sends no cookie.
    Caller {
        user: String,
        tenant: TenantId,
        /// The only instructor that they may act for; `None` for an administrator.
        instructor: Option<InstructorId>,
    },
}

#[derive(Debug)]
pub struct LoginFinished {
    pub credentials: InstructorCalendarCredentials,
    /// Where the browser returns to.
    pub return_path: String,
}

#[derive(Debug)]
pub struct LoginFailed {
    pub error: Error,
    /// Where the browser returns to, if that is known.
    pub return_path: Option<String>,
}

impl From<Error> for LoginFailed {
    fn from(error: Error) -> Self {
        Self { error, return_path: None }
    }
}

impl FinishLogin {
    pub async fn finish(&self, returned: LoginReturn, finisher: &Finisher) -> Result<LoginFinished, LoginFailed> {
        let unknown = || {
            Error::new(
                ErrorKind::Invalid,
                "unknown_state",
                "This login is unknown, was used already, or took too long. Please start again.",
            )
        };
        let store = &self.google.store;
        let begun = store.oauth_state(&returned.state).await?.ok_or_else(unknown)?;
        // Rows outlive their expiry until DynamoDB removes them.
        if begun.expires_at <= self.google.clock.now() {
            return Err(unknown().into());
        }
        // Otherwise the login is left as it is: the one who began it may still finish it.
        match finisher {
            Finisher::Browser(cookie) if !is_the_browser(cookie.as_ref(), &begun) => {
                let text = "This login was begun in another browser. Please start again here.";
                return Err(Error::new(ErrorKind::Invalid, "other_browser", text).into());
            }
            // To a caller, another person's login does not exist.
            Finisher::Caller { user, tenant, instructor }
                if *user != begun.began_by.subject
                    || *tenant != begun.key.tenant_id
                    || instructor.is_some_and(|own| own != begun.key.instructor_id) =>
            {
                return Err(unknown().into());
            }
            Finisher::Browser(_) | Finisher::Caller { .. } => {}
        }
        let begun = store.take_oauth_state(&returned.state).await?.ok_or_else(unknown)?;
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
        let google = &self.google;
        refuse_while_erasing(&*google.store, begun.key).await?;
        let verifier = google.vault.open(begun.key, &begun.verifier).await?;
        let asked_at = google.clock.now();
        let granted = google.login.exchange(&code, &verifier, asked_at).await.map_err(|error| match error {
            LoginError::Withdrawn(_) => {
                Error::new(ErrorKind::Invalid, "code_refused", "Google did not accept the login. Please start again.")
                    .because(error)
            }
            LoginError::ClientRefused(refusal) => client_refused(&refusal),
            LoginError::NoAccount(_) => Error::internal(error),
            LoginError::Unavailable(_) => Error::unavailable("google_unavailable", error),
        })?;
        let stored = match self.checked(begun.key, &granted) {
            Ok(login) => self.store_connection(login, begun, asked_at).await,
            Err(error) => Err(error),
        };
        let credentials = match stored {
            Ok(credentials) => credentials,
            Err(error) => {
                self.revoke_grant(&granted).await;
                return Err(error);
            }
        };
        write_enabled(&*google.store, begun.key, credentials.settings.sync_enabled).await?;
        let tasks = vec![SyncTask::PullEvents, SyncTask::PushLessons, SyncTask::FullReconcile];
        let message = SyncMessage::new(begun.key, SyncTrigger::Connect, tasks);
        if let Err(error) = self.sync_queue.send(&message, Duration::ZERO).await {
            tracing::error!(connection = %begun.key, ?error, "the first sync waits for the next poll");
        }
        Ok(credentials)
    }

    /// Checks Google's grant.
    fn checked(&self, key: ConnectionKey, granted: &GrantedTokens) -> Result<CreateCalendarCredentials> {
        let missing: Vec<&str> = self
            .google
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
        let Some(refresh_token) = granted.tokens.refresh_token.clone() else {
            let text = "Google gave no lasting permission. Remove this application from your Google account's connections, then start again.";
            return Err(Error::new(ErrorKind::Invalid, "no_refresh_token", text));
        };
        Ok(CreateCalendarCredentials {
            key,
            google_account: granted.account.clone(),
            granted_scopes: granted.scopes.clone(),
            tokens: CalendarOAuthTokens {
                access_token: granted.tokens.access_token.clone(),
                refresh_token,
                expires_at: granted.tokens.expires_at,
            },
        })
    }

    async fn store_connection(
        &self,
        login: CreateCalendarCredentials,
        begun: &OAuthState,
        asked_at: DateTime<Utc>,
    ) -> Result<InstructorCalendarCredentials> {
        let Google { store, vault, clock, .. } = &self.google;
        let key = login.key;
        let mut present = store.credentials(key).await?;
        if present.as_ref().is_some_and(|present| matches!(present.status, ConnectionStatus::Disconnecting { .. })) {
            return Err(disconnecting());
        }
        let mut act = self.login_of(begun, present.is_some());
        let mut settings = present.as_ref().map_or_else(SyncSettings::default, |present| present.settings.clone());
        if present.as_ref().is_some_and(|present| present.google_account.sub != login.google_account.sub) {
            if !begun.replace_account {
                let text = "Another Google account is connected. Please confirm that this one is to take its place.";
                return Err(Error::new(ErrorKind::Conflict, "other_account", text));
            }
            act.act = Act::AccountReplaced;
            self.take_down(&act).await?;
            present = None;
            // What they shared was the calendar of that account.
            settings.share_titles = false;
        }
        let present = present.as_ref();
        let now = clock.now();
        let credentials = InstructorCalendarCredentials {
            id: present.map_or_else(|| ConnectionId(self.random.uuid()), |present| present.id),
            key,
            tokens: SealedTokens {
                google_access_token: vault.seal(key, &login.tokens.access_token).await?,
                google_refresh_token: vault.seal(key, &login.tokens.refresh_token).await?,
                google_token_expiry: login.tokens.expires_at,
            },
            google_calendar_id: present
                .map_or_else(|| CalendarId::from("primary"), |present| present.google_calendar_id.clone()),
            google_account: login.google_account,
            oauth_client: self.google.login.client_id().to_owned(),
            granted_scopes: login.granted_scopes,
            settings,
            status: ConnectionStatus::Active,
            created_at: present.map_or(now, |present| present.created_at),
            updated_at: now,
        };
        let connect = Connect {
            credentials: credentials.clone(),
            asked_at,
            replaces: present.map(|present| present.id),
            state: present.is_none().then(|| SyncState::new(now)),
            act,
        };
        store.connect(&connect).await?;
        Ok(credentials)
    }

    /// What the log is to have of the login.
    fn login_of(&self, begun: &OAuthState, connected: bool) -> PersonAct {
        let at = self.google.clock.now();
        let id = SyncLogId(self.random.time_ordered_id(at));
        let act = if connected { Act::ConnectedAgain } else { Act::Connected };
        PersonAct { id, key: begun.key, at, person: begun.began_by.clone(), act }
    }

    /// Takes the connection to the other account down, including its events as far as its token allows. What is not
    /// done in time continues in the background, as with any disconnect. Until the new account takes its place, the row of
    /// `replacement` says what stands by then: that the calendar was disconnected.
    async fn take_down(&self, replacement: &PersonAct) -> Result<()> {
        let Self { google, sync_queue, random } = self;
        let disconnect = Disconnect { google: google.clone(), sync_queue: sync_queue.clone(), random: random.clone() };
        let deadline = google.clock.now() + REPLACED_WITHIN;
        let act = Act::Disconnected { keep_events: false, keep_imported: false };
        let act = PersonAct { act, ..replacement.clone() };
        match disconnect.begin_by(act, Keep::default(), deadline).await? {
            Disconnected::Done => Ok(()),
            Disconnected::Continues => Err(disconnecting()),
        }
    }

    /// Revokes a grant that led to no connection.
    async fn revoke_grant(&self, granted: &GrantedTokens) {
        let tokens = CalendarOAuthTokens {
            access_token: granted.tokens.access_token.clone(),
            refresh_token: granted.tokens.refresh_token.clone().unwrap_or_else(|| granted.tokens.access_token.clone()),
            expires_at: granted.tokens.expires_at,
        };
        match self.google.revoke_grant(&granted.account.sub, None, &tokens).await {
            Ok(true) => {}
            Ok(false) => tracing::warn!("a grant that led to no connection could not be given back"),
            Err(error) => tracing::warn!(?error, "a grant that led to no connection could not be given back"),
        }
    }
}

fn is_the_browser(cookie: Option<&SecretString>, begun: &OAuthState) -> bool {
    use secrecy::ExposeSecret;
    cookie.is_some_and(|cookie| digest(cookie.expose_secret()).as_bytes().ct_eq(begun.browser.as_bytes()).into())
}

fn disconnecting() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "disconnecting",
        "The calendar is still being disconnected. Please try again in a minute.",
    )
}

/// Google's error code as an error.
fn refusal(word: &str) -> Error {
    match word {
        "access_denied" => {
            Error::new(ErrorKind::Invalid, "consent_denied", "You did not give permission, so nothing was connected.")
        }
        _ => Error::new(ErrorKind::Invalid, "google_refused", "Google refused the login. Please start again."),
    }
}
