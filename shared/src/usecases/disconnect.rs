//! Takes a connection down: our events are removed, the channel closed, the grant given back, everything forgotten
//! (design rule S6). Each step can be repeated, and it succeeds even when Google refuses.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    concurrently::concurrently,
    google_session::{Google, GoogleSession, SessionError},
};
use crate::{
    Error, Result,
    model::{
        CalendarEventMapping, CalendarOAuthTokens, ConnectionKey, ConnectionStatus, InstructorCalendarCredentials,
        SyncState, SyncTrigger,
    },
    ports::{Doorbell, HostFlags, LeaseAttempt, Operation, OperationOutcome, Random, Ring},
    reconcile::backoff,
};

/// The lease lasts this much longer than the attempt may take.
const LEASE_MARGIN: TimeDelta = TimeDelta::seconds(30);
/// After so many attempts in which Google did not answer, it is left as it is.
const ATTEMPTS: u32 = 6;

/// Disconnects.
#[derive(Clone)]
pub struct Disconnect {
    /// Google and the store.
    pub google: Google,
    /// Rings for the rest of the work.
    pub doorbell: Arc<dyn Doorbell>,
    /// The lease's owner.
    pub random: Arc<dyn Random>,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disconnected {
    /// There is nothing left.
    Done,
    /// The rest follows in the background.
    Continues,
}

/// What is to stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keep {
    /// Our events in Google.
    pub events: bool,
    /// The imported events here.
    pub imported: bool,
}

impl Disconnect {
    /// Begins to disconnect and goes as far as `deadline` allows. No connection is as good as one taken down.
    pub async fn begin(&self, key: ConnectionKey, keep: Keep, deadline: DateTime<Utc>) -> Result<Disconnected> {
        let store = &self.google.store;
        let Some(credentials) = store.credentials(key).await? else {
            return if store.instructor_exists(key).await? { Ok(Disconnected::Done) } else { Err(Error::not_found()) };
        };
        let now = self.google.clock.now();
        let status = ConnectionStatus::Disconnecting { keep_events: keep.events, keep_imported: keep.imported };
        store.save_status(key, credentials.id, &status, now, &[]).await?;
        // Should we die on the way, the next poll goes on with it.
        store.schedule(key, Some(now + TimeDelta::minutes(2))).await?;
        let ended = self.go_on(key, deadline).await?;
        if ended == Disconnected::Continues {
            let ring = Ring { key, trigger: SyncTrigger::Settings, wishes: Vec::new(), log_id: None, asked: None };
            self.doorbell.ring(&ring, Duration::from_secs(5)).await?;
        }
        Ok(ended)
    }

    /// Goes on with what was begun.
    pub async fn go_on(&self, key: ConnectionKey, deadline: DateTime<Utc>) -> Result<Disconnected> {
        let (store, now) = (&self.google.store, self.google.clock.now());
        let owner = self.random.uuid();
        let nothing = std::collections::BTreeSet::new();
        let mut state = match store.acquire_lease(key, owner, now, deadline + LEASE_MARGIN, &nothing).await? {
            LeaseAttempt::Granted(state) => *state,
            LeaseAttempt::Held { .. } => return Ok(Disconnected::Continues),
            LeaseAttempt::NotConnected => return Ok(Disconnected::Done),
        };
        let Some(credentials) = store.credentials(key).await? else { return Ok(Disconnected::Done) };
        let ConnectionStatus::Disconnecting { keep_events, keep_imported } = credentials.status else {
            store.release_lease(key, &state).await?;
            return Ok(Disconnected::Continues);
        };
        let keep = Keep { events: keep_events, imported: keep_imported };
        let mappings = store.mappings(key).await?;
        let google_done = self.leave_google(&credentials, &state, &mappings, keep, deadline).await?;
        if !google_done && state.failures < ATTEMPTS {
            state.failures += 1;
            state.next_sync_at = Some(now + backoff::rest(state.failures));
            store.release_lease(key, &state).await?;
            return Ok(Disconnected::Continues);
        }
        self.forget(&credentials, &mappings, keep).await?;
        Ok(Disconnected::Done)
    }

    /// Removes what is ours from Google. False when Google did not answer to all of it; true as well when it refuses.
    async fn leave_google(
        &self,
        credentials: &InstructorCalendarCredentials,
        state: &SyncState,
        mappings: &[CalendarEventMapping],
        keep: Keep,
        deadline: DateTime<Utc>,
    ) -> Result<bool> {
        let mut session = match GoogleSession::open(&self.google, credentials).await {
            Ok(session) => session,
            Err(SessionError::Withdrawn) => return Ok(true),
            Err(SessionError::Other(error)) => {
                tracing::warn!(connection = %credentials.key, ?error, "Google cannot be asked to forget us yet");
                return Ok(false);
            }
        };
        if let Some(channel) = &state.channel
            && let Err(error) = session.stop(channel).await
        {
            tracing::warn!(connection = %credentials.key, %error, "a channel could not be closed; it ends by itself");
        }
        if !keep.events {
            let known = |mapping: &&CalendarEventMapping| {
                mapping.intended.is_some() || mapping.shown.as_ref().is_some_and(|shown| !shown.deleted)
            };
            let operations: Vec<Operation> = mappings
                .iter()
                .filter(known)
                .map(|mapping| Operation::Delete { id: mapping.google_event_id(), etag: None })
                .collect();
            let outcomes = match session.batch(&operations, deadline).await {
                Ok(outcomes) => outcomes,
                Err(SessionError::Withdrawn) => return Ok(true),
                Err(SessionError::Other(_)) => return Ok(false),
            };
            if outcomes.iter().any(|outcome| matches!(outcome, OperationOutcome::TryLater(_))) {
                return Ok(false);
            }
        }
        self.revoke(credentials).await
    }

    /// Gives the grant back, unless another connection lives on the same Google account: revoking takes all of the
    /// account's grants with it. Answers false when Google did not answer.
    async fn revoke(&self, credentials: &InstructorCalendarCredentials) -> Result<bool> {
        let google = &self.google;
        if google.store.account_shared(&credentials.google_account.sub, credentials.key).await? {
            return Ok(true);
        }
        let tokens = CalendarOAuthTokens {
            access_token: google.vault.open(credentials.key, &credentials.tokens.google_access_token).await?,
            refresh_token: google.vault.open(credentials.key, &credentials.tokens.google_refresh_token).await?,
            expires_at: credentials.tokens.google_token_expiry,
        };
        match google.login.revoke(&tokens).await {
            Err(crate::ports::LoginError::Unavailable(_)) => Ok(false),
            Ok(()) | Err(crate::ports::LoginError::InvalidGrant | crate::ports::LoginError::Refused(_)) => Ok(true),
        }
    }

    /// Forgets everything here; the connection itself last, so that a repeat finds what is left to do.
    async fn forget(
        &self,
        credentials: &InstructorCalendarCredentials,
        mappings: &[CalendarEventMapping],
        keep: Keep,
    ) -> Result<()> {
        let (store, key) = (&self.google.store, credentials.key);
        let blank = HostFlags { google_calendar_event_id: None, calendar_sync_status: None, has_conflict: false };
        let flags = mappings.iter().map(|mapping| store.flag_lesson(key, mapping.lesson_id, &blank));
        concurrently(flags.collect()).await?;
        if !keep.imported {
            let ids = store.external_ids(key).await?;
            store.delete_external(key, &ids).await?;
        }
        store.clear_mappings(key).await?;
        store.flag_instructor(key, false, None).await?;
        store.forget_connection(credentials).await
    }
}
