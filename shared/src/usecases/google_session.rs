//! Calls to Google for one connection: the access token is opened, refreshed before it ends and once more when
//! Google refuses it, and kept sealed where a later run has a use for it (design rule S5).

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    Error,
    model::{CalendarOAuthTokens, Channel, ConnectionKey, InstructorCalendarCredentials, SealedSecret, SealedTokens},
    ports::{
        Access, Calendar, CalendarError, Clock, Listing, ListingOutcome, Login, LoginError, NewChannel, Operation,
        OperationOutcome, Store, TokenVault,
    },
};

/// A token is refreshed when it ends within this time.
const REFRESH_BEFORE: TimeDelta = TimeDelta::minutes(5);

/// What a session needs.
#[derive(Clone)]
pub struct Google {
    /// Where tokens are kept.
    pub store: Arc<dyn Store>,
    /// Google Calendar.
    pub calendar: Arc<dyn Calendar>,
    /// Google sign-in.
    pub login: Arc<dyn Login>,
    /// Opens and seals tokens.
    pub vault: Arc<dyn TokenVault>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// A revocation that has not ended after this time has failed.
const REVOKED_WITHIN: TimeDelta = TimeDelta::minutes(1);

impl Google {
    /// Gives back what the account `sub` granted, unless another connection lives on it: revoking takes all of the
    /// account's grants at once. `leaving` lives on it no longer. Answers false when Google did not answer.
    pub async fn give_back(
        &self,
        sub: &str,
        leaving: Option<ConnectionKey>,
        tokens: &CalendarOAuthTokens,
    ) -> crate::Result<bool> {
        let until = self.clock.now() + REVOKED_WITHIN;
        if !self.store.leave_account(sub, leaving, until).await? {
            return Ok(true);
        }
        match self.login.revoke(tokens).await {
            // It may still come about.
            Err(LoginError::Unavailable(_)) => Ok(false),
            Ok(()) | Err(LoginError::InvalidGrant | LoginError::Refused(_)) => {
                self.store.end_revocation(sub, self.clock.now()).await?;
                Ok(true)
            }
        }
    }
}

/// Why there is no session.
#[derive(Debug)]
pub enum SessionError {
    /// Google withdrew the permission; only the instructor can give it again.
    Withdrawn {
        /// The connection as it was when Google refused.
        as_read: Box<InstructorCalendarCredentials>,
    },
    /// Anything else.
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
                crate::ErrorKind::Refused,
                "needs_reauth",
                "Google no longer permits access to this calendar. Please connect it again.",
            ),
            SessionError::Other(error) => error,
        }
    }
}

/// An open session.
pub struct GoogleSession<'a> {
    google: &'a Google,
    credentials: &'a InstructorCalendarCredentials,
    access: Access,
    /// A token that is not kept yet, and when it ends.
    fresh: Option<(SealedSecret, DateTime<Utc>)>,
    /// HTTP calls made to Google Calendar.
    pub calls: u32,
}

impl<'a> GoogleSession<'a> {
    /// Opens a session, with a fresh access token where the stored one is about to end.
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
        let mut session = Self { google, credentials, access, fresh: None, calls: 0 };
        if credentials.tokens.google_token_expiry - google.clock.now() < REFRESH_BEFORE {
            session.refresh().await?;
        }
        Ok(session)
    }

    /// Fetches a new access token.
    async fn refresh(&mut self) -> Result<(), SessionError> {
        let Self { google, credentials, .. } = *self;
        let refresh_token = google.vault.open(credentials.key, &credentials.tokens.google_refresh_token).await?;
        let fresh = match google.login.refresh(&refresh_token, google.clock.now()).await {
            Ok(fresh) => fresh,
            Err(LoginError::InvalidGrant) => {
                return Err(SessionError::Withdrawn { as_read: Box::new(credentials.clone()) });
            }
            Err(error @ (LoginError::Refused(_) | LoginError::Unavailable(_))) => {
                return Err(Error::unavailable("google_unavailable", error).into());
            }
        };
        let sealed = google.vault.seal(credentials.key, &fresh.access_token).await?;
        if google.vault.is_stale(&credentials.tokens.google_refresh_token) {
            let tokens = SealedTokens {
                google_access_token: sealed.clone(),
                google_refresh_token: google.vault.seal(credentials.key, &refresh_token).await?,
                google_token_expiry: fresh.expires_at,
            };
            google.store.save_tokens(credentials, &tokens).await?;
        }
        self.access.token = fresh.access_token;
        self.fresh = Some((sealed, fresh.expires_at));
        Ok(())
    }

    /// Keeps a new access token for the runs that come until it ends.
    pub async fn keep(&mut self) -> Result<(), Error> {
        let Some((sealed, ends_at)) = self.fresh.take() else { return Ok(()) };
        let Self { google, credentials, .. } = self;
        google.store.save_access_token(credentials.key, credentials.id, &sealed, ends_at).await
    }

    /// The same, unless it ends before anybody is expected to want it.
    pub async fn keep_until(&mut self, wanted_at: Option<DateTime<Utc>>) -> Result<(), Error> {
        match (&self.fresh, wanted_at) {
            (Some((_, ends_at)), Some(wanted_at)) if wanted_at < *ends_at => self.keep().await,
            (Some(_) | None, _) => Ok(()),
        }
    }

    /// Lists the calendar, or what changed since `token`.
    pub async fn list(&mut self, token: Option<&str>, deadline: DateTime<Utc>) -> Result<Listing, SessionError> {
        let listing = self.google.calendar.list(&self.access, token, deadline).await;
        self.calls += listing.calls;
        if listing.outcome != (ListingOutcome::Partial { error: CalendarError::Unauthorized }) {
            return Ok(listing);
        }
        self.refresh().await?;
        let listing = self.google.calendar.list(&self.access, token, deadline).await;
        self.calls += listing.calls;
        Ok(listing)
    }

    /// Carries out operations, those that an ended token failed once more with a new one.
    pub async fn batch(
        &mut self,
        operations: &[Operation],
        deadline: DateTime<Utc>,
    ) -> Result<Vec<OperationOutcome>, SessionError> {
        const UNAUTHORIZED: OperationOutcome = OperationOutcome::TryLater(CalendarError::Unauthorized);
        let (mut outcomes, calls) = self.google.calendar.batch(&self.access, operations, deadline).await;
        self.calls += calls;
        let refused: Vec<usize> = (0..outcomes.len()).filter(|&index| outcomes[index] == UNAUTHORIZED).collect();
        if refused.is_empty() {
            return Ok(outcomes);
        }
        match self.refresh().await {
            Ok(()) => {}
            Err(withdrawn @ SessionError::Withdrawn { .. }) => return Err(withdrawn),
            // The other operations have their outcomes all the same.
            Err(SessionError::Other(error)) => {
                tracing::warn!(connection = %self.credentials.key, ?error, "no new access token for a part of a batch");
                return Ok(outcomes);
            }
        }
        let again: Vec<Operation> = refused.iter().map(|&index| operations[index].clone()).collect();
        let (answers, calls) = self.google.calendar.batch(&self.access, &again, deadline).await;
        self.calls += calls;
        for (index, outcome) in refused.into_iter().zip(answers) {
            outcomes[index] = outcome;
        }
        Ok(outcomes)
    }

    /// Opens a push channel.
    pub async fn watch(
        &mut self,
        channel: &NewChannel,
        deadline: DateTime<Utc>,
    ) -> Result<Result<Channel, CalendarError>, SessionError> {
        self.calls += 1;
        match self.google.calendar.watch(&self.access, channel, deadline).await {
            Err(CalendarError::Unauthorized) => {
                self.refresh().await?;
                self.calls += 1;
                Ok(self.google.calendar.watch(&self.access, channel, deadline).await)
            }
            answer @ (Ok(_) | Err(_)) => Ok(answer),
        }
    }

    /// Closes a push channel.
    pub async fn stop(&mut self, channel: &Channel, deadline: DateTime<Utc>) -> Result<(), CalendarError> {
        self.calls += 1;
        self.google.calendar.stop(&self.access, channel, deadline).await
    }
}
