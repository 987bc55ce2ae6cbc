//! Calls to Google for one connection. The session opens the access token, refreshes it before it expires and once more
//! when Google refuses it, and seals a new one where a later run can use it. A refusal that concerns the whole
//! connection ends the session.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    Error, ErrorKind,
    model::{CalendarOAuthTokens, Channel, ConnectionKey, InstructorCalendarCredentials, SealedSecret, SealedTokens},
    ports::{
        Access, Calendar, CalendarError, Clock, IssuedTokens, Login, LoginError, NewChannel, Operation,
        OperationOutcome, Page, PageOutcome, PageRequest, Refusal, Store, TokenVault,
    },
};

/// A token that expires within this time is refreshed.
const REFRESH_BEFORE: TimeDelta = TimeDelta::minutes(5);

/// What a session needs.
#[derive(Clone)]
pub struct Google {
    pub store: Arc<dyn Store>,
    pub calendar: Arc<dyn Calendar>,
    pub login: Arc<dyn Login>,
    pub vault: Arc<dyn TokenVault>,
    pub clock: Arc<dyn Clock>,
}

/// A revocation that has not ended after this time has failed.
const REVOKED_WITHIN: TimeDelta = TimeDelta::minutes(1);

impl Google {
    /// Revokes the grant of the account `sub`, unless another connection uses it: revoking ends all grants of an
    /// account at once. The connection `leaving` uses it no longer. False when Google did not answer.
    pub async fn revoke_grant(
        &self,
        sub: &str,
        leaving: Option<ConnectionKey>,
        tokens: &CalendarOAuthTokens,
    ) -> crate::Result<bool> {
        let until = self.clock.now() + REVOKED_WITHIN;
        if !self.store.detach_from_account(sub, leaving, until).await? {
            return Ok(true);
        }
        match self.login.revoke(tokens).await {
            // It may still take effect.
            Err(LoginError::Unavailable(_)) => Ok(false),
            Ok(()) | Err(LoginError::Withdrawn(_) | LoginError::ClientRefused(_) | LoginError::NoAccount(_)) => {
                self.store.end_revocation(sub, self.clock.now()).await?;
                Ok(true)
            }
        }
    }
}

#[derive(Debug)]
pub enum SessionError {
    /// The instructor withdrew the permission, or it lacks a scope: they have to connect again.
    Withdrawn {
        /// The connection as it was when Google refused.
        as_read: Box<InstructorCalendarCredentials>,
        refusal: Refusal,
    },
    /// Google refuses our OAuth client, for all calendars: the operator has to repair it.
    ClientRefused(Refusal),
    Other(Error),
}

impl From<Error> for SessionError {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<SessionError> for Error {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Withdrawn { .. } => Self::new(
                ErrorKind::Refused,
                "needs_reauth",
                "Google no longer permits access to this calendar. Please connect it again.",
            ),
            SessionError::ClientRefused(refusal) => client_refused(&refusal),
            SessionError::Other(error) => error,
        }
    }
}

/// Logs it for the operator, whom an alarm calls, and returns the error for the caller.
pub fn client_refused(refusal: &Refusal) -> Error {
    tracing::error!(%refusal, clients_refused = 1, "Google refuses our OAuth client");
    let text = format!("Google refuses this application itself ({refusal}); its operator has to mend that.");
    Error::new(ErrorKind::Internal, "client_refused", text)
}

pub struct GoogleSession<'a> {
    google: &'a Google,
    credentials: &'a InstructorCalendarCredentials,
    /// As stored; a refresh may bring another one.
    refresh_token: SealedSecret,
    access: Access,
    /// A new access token that is not stored yet, and when it expires.
    fresh: Option<(SealedSecret, DateTime<Utc>)>,
    /// Whether Google took a call, which proves that it accepts our OAuth client.
    taken: bool,
    /// HTTP calls made to Google Calendar.
    pub calls: u32,
}

impl<'a> GoogleSession<'a> {
    /// Opens a session; refreshes an access token that is about to expire.
    pub async fn open(
        google: &'a Google,
        credentials: &'a InstructorCalendarCredentials,
    ) -> Result<Self, SessionError> {
        let token = google.vault.open(credentials.key, &credentials.tokens.google_access_token).await?;
        let access = Access {
            account: credentials.google_account.sub.clone(),
            client: credentials.oauth_client.clone(),
            token,
            calendar: credentials.google_calendar_id.clone(),
        };
        let refresh_token = credentials.tokens.google_refresh_token.clone();
        let mut session = Self { google, credentials, refresh_token, access, fresh: None, taken: false, calls: 0 };
        if credentials.tokens.google_token_expiry - google.clock.now() < REFRESH_BEFORE {
            session.refresh().await?;
        }
        Ok(session)
    }

    async fn refresh(&mut self) -> Result<(), SessionError> {
        let Self { google, credentials, .. } = *self;
        let refresh_token = google.vault.open(credentials.key, &self.refresh_token).await?;
        let issued = match google.login.refresh(&refresh_token, google.clock.now()).await {
            Ok(issued) => issued,
            Err(LoginError::Withdrawn(refusal)) => return Err(self.withdrawn(refusal)),
            Err(LoginError::ClientRefused(refusal)) => return Err(SessionError::ClientRefused(refusal)),
            Err(error @ (LoginError::NoAccount(_) | LoginError::Unavailable(_))) => {
                return Err(Error::unavailable("google_unavailable", error).into());
            }
        };
        let IssuedTokens { access_token, expires_at, refresh_token: rotated } = issued;
        let sealed = google.vault.seal(credentials.key, &access_token).await?;
        if rotated.is_some() || google.vault.is_stale(&self.refresh_token) {
            // Before anything else: the used refresh token may be invalid now.
            let lasting = rotated.as_ref().unwrap_or(&refresh_token);
            let tokens = SealedTokens {
                google_access_token: sealed.clone(),
                google_refresh_token: google.vault.seal(credentials.key, lasting).await?,
                google_token_expiry: expires_at,
            };
            google.store.save_tokens(&self.as_stored(), &tokens).await?;
            self.refresh_token = tokens.google_refresh_token;
        }
        self.access.token = access_token;
        self.fresh = Some((sealed, expires_at));
        Ok(())
    }

    /// The connection with the refresh token as stored.
    fn as_stored(&self) -> InstructorCalendarCredentials {
        let mut credentials = self.credentials.clone();
        credentials.tokens.google_refresh_token = self.refresh_token.clone();
        credentials
    }

    fn withdrawn(&self, refusal: Refusal) -> SessionError {
        SessionError::Withdrawn { as_read: Box::new(self.as_stored()), refusal }
    }

    /// Stores a new access token for later runs.
    pub async fn keep(&mut self) -> Result<(), Error> {
        let Some((sealed, ends_at)) = self.fresh.take() else { return Ok(()) };
        let Self { google, credentials, .. } = self;
        google.store.save_access_token(credentials.key, credentials.id, &sealed, ends_at).await
    }

    /// Stores it, unless it expires before the next run is expected.
    pub async fn keep_until(&mut self, wanted_at: Option<DateTime<Utc>>) -> Result<(), Error> {
        match (&self.fresh, wanted_at) {
            (Some((_, ends_at)), Some(wanted_at)) if wanted_at < *ends_at => self.keep().await,
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// The error that ends the session; `None` for a failure of the call alone.
    fn ended_by(&self, failure: &CalendarError) -> Option<SessionError> {
        match failure {
            CalendarError::PermissionWithdrawn(refusal) => Some(self.withdrawn(refusal.clone())),
            CalendarError::ClientRefused(refusal) => Some(SessionError::ClientRefused(refusal.clone())),
            CalendarError::Unauthorized(_)
            | CalendarError::RateLimited
            | CalendarError::Paced
            | CalendarError::QuotaExceeded
            | CalendarError::CalendarGone(_)
            | CalendarError::PushNotPossible(_)
            | CalendarError::Refused(_)
            | CalendarError::Unavailable(_) => None,
        }
    }

    /// A page of the calendar.
    pub async fn list(&mut self, page: PageRequest<'_>, deadline: DateTime<Utc>) -> Result<Page, SessionError> {
        let mut listed = self.list_once(page, deadline).await;
        if let PageOutcome::Failed(CalendarError::Unauthorized(_)) = listed.outcome {
            self.refresh().await?;
            listed = self.list_once(page, deadline).await;
        }
        match listed.outcome {
            // The token was issued just now: Google refuses something else.
            PageOutcome::Failed(CalendarError::Unauthorized(refusal)) => Err(SessionError::ClientRefused(refusal)),
            PageOutcome::Failed(ref error) => self.ended_by(error).map_or(Ok(listed), Err),
            PageOutcome::More { .. } | PageOutcome::Last { .. } | PageOutcome::CursorLost => {
                self.taken = true;
                Ok(listed)
            }
        }
    }

    async fn list_once(&mut self, page: PageRequest<'_>, deadline: DateTime<Utc>) -> Page {
        let listed = self.google.calendar.list(&self.access, page, deadline).await;
        self.calls += listed.calls;
        listed
    }

    /// Carries out operations, and repeats those that failed for an expired token with a new one.
    pub async fn batch(
        &mut self,
        operations: &[Operation],
        deadline: DateTime<Utc>,
    ) -> Result<Vec<OperationOutcome>, SessionError> {
        let (mut outcomes, calls) = self.google.calendar.batch(&self.access, operations, deadline).await;
        self.calls += calls;
        let refused: Vec<usize> =
            (0..outcomes.len()).filter(|&index| unauthorized(&outcomes[index]).is_some()).collect();
        if !refused.is_empty() {
            match self.refresh().await {
                Ok(()) => {}
                // The other operations have their outcomes.
                Err(SessionError::Other(error)) => {
                    tracing::warn!(connection = %self.credentials.key, ?error, "no new access token for a part of a batch");
                    return Ok(outcomes);
                }
                Err(ended) => return Err(ended),
            }
            let again: Vec<Operation> = refused.iter().map(|&index| operations[index].clone()).collect();
            let (answers, calls) = self.google.calendar.batch(&self.access, &again, deadline).await;
            self.calls += calls;
            for (index, outcome) in refused.into_iter().zip(answers) {
                outcomes[index] = outcome;
            }
            // The token was issued just now: where Google takes nothing with it, it refuses something else.
            let lasting: Option<Vec<&Refusal>> = outcomes.iter().map(unauthorized).collect();
            if let Some(refusal) = lasting.as_deref().and_then(<[_]>::first)
                && !self.taken
            {
                return Err(SessionError::ClientRefused((*refusal).clone()));
            }
        }
        self.taken |= outcomes.iter().any(|outcome| !matches!(outcome, OperationOutcome::TryLater(_)));
        let ended = outcomes.iter().find_map(|outcome| match outcome {
            OperationOutcome::TryLater(error) => self.ended_by(error),
            _ => None,
        });
        ended.map_or(Ok(outcomes), Err)
    }

    /// Opens a push channel. A refusal does not end the session: a listing decides about the connection.
    pub async fn watch(
        &mut self,
        channel: &NewChannel,
        deadline: DateTime<Utc>,
    ) -> Result<Result<Channel, CalendarError>, SessionError> {
        let mut opened = self.watch_once(channel, deadline).await;
        if let Err(CalendarError::Unauthorized(_)) = opened {
            self.refresh().await?;
            opened = self.watch_once(channel, deadline).await;
        }
        Ok(opened.map_err(|error| match error {
            CalendarError::Unauthorized(refusal) => CalendarError::PushNotPossible(refusal),
            error => error,
        }))
    }

    async fn watch_once(&mut self, channel: &NewChannel, deadline: DateTime<Utc>) -> Result<Channel, CalendarError> {
        self.calls += 1;
        self.google.calendar.watch(&self.access, channel, deadline).await
    }

    pub async fn stop(&mut self, channel: &Channel, deadline: DateTime<Utc>) -> Result<(), CalendarError> {
        self.calls += 1;
        self.google.calendar.stop(&self.access, channel, deadline).await
    }
}

fn unauthorized(outcome: &OperationOutcome) -> Option<&Refusal> {
    match outcome {
        OperationOutcome::TryLater(CalendarError::Unauthorized(refusal)) => Some(refusal),
        _ => None,
    }
}
