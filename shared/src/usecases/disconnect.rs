//! Takes a connection down: removes our events, closes the channel, revokes the grant and deletes what is stored. Each
//! step can be repeated, and the whole succeeds even when Google refuses.

use std::{collections::BTreeSet, ops::ControlFlow, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    Error, Result,
    decide::disconnect::{self, GoogleCleanup, Obstacle, next_attempt},
    model::{
        Act, CalendarEventMapping, CalendarOAuthTokens, ConnectionKey, ConnectionStatus, EventId,
        InstructorCalendarCredentials, OwnEventId, Person, PersonAct, SyncLogId, SyncState, SyncTrigger,
    },
    ports::{CalendarError, LeaseAttempt, Operation, PageOutcome, PageRequest, Random, SyncMessage, SyncQueue},
    services::{
        concurrently::concurrently,
        google_session::{Google, GoogleSession, SessionError},
        instructor_row::write_enabled,
        lease::{self, LeaseGuard},
    },
};

/// Events that are removed before their removal is stored.
const EVENTS_PER_BATCH: usize = 50;
/// Pending notices are delivered before the connection is deleted; after this time it is checked whether they were.
const RECHECK_NOTICES_AFTER: TimeDelta = TimeDelta::minutes(2);
/// The `last_error` of a state whose failures are attempts to disconnect, and not runs of the sync.
const UNFINISHED_CODE: &str = "disconnect_unfinished";
/// The code of a listing that was refused by our own rate limits.
const PACED: &str = "paced";

#[derive(Clone)]
pub struct Disconnect {
    pub google: Google,
    /// For the rest of the work.
    pub sync_queue: Arc<dyn SyncQueue>,
    /// For the owner of the lease.
    pub random: Arc<dyn Random>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disconnected {
    Done,
    /// The rest follows in the background.
    Continues,
}

/// What stays after a disconnect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keep {
    /// Our events in Google.
    pub events: bool,
    /// Imported events in the store.
    pub imported: bool,
}

fn in_vain(state: &SyncState) -> u32 {
    if state.last_error.as_deref() == Some(UNFINISHED_CODE) { state.failures } else { 0 }
}

impl Disconnect {
    /// Begins to disconnect, as `person` asks for, and goes as far as `deadline` allows. A connection that does not exist
    /// counts as taken down.
    pub async fn begin(
        &self,
        key: ConnectionKey,
        keep: Keep,
        person: &Person,
        deadline: DateTime<Utc>,
    ) -> Result<Disconnected> {
        let now = self.google.clock.now();
        let id = SyncLogId(self.random.time_ordered_id(now));
        let act = Act::Disconnected { keep_events: keep.events, keep_imported: keep.imported };
        self.begin_by(PersonAct { id, key, at: now, person: person.clone(), act }, keep, deadline).await
    }

    /// The same, of which the log has `act`.
    pub async fn begin_by(&self, act: PersonAct, keep: Keep, deadline: DateTime<Utc>) -> Result<Disconnected> {
        let (key, now) = (act.key, act.at);
        let store = &self.google.store;
        let Some(credentials) = store.credentials(key).await? else {
            return if store.instructor_exists(key).await? { Ok(Disconnected::Done) } else { Err(Error::not_found()) };
        };
        let status = ConnectionStatus::Disconnecting { keep_events: keep.events, keep_imported: keep.imported };
        // A poll is due before anything changes, in case this process dies on the way; and once more afterwards, since
        // a run that does not know of it may have found nothing due.
        let again = Some(now + TimeDelta::minutes(2));
        store.schedule(key, again).await?;
        // Who asks again for what is under way changes nothing.
        let act = Some(&act).filter(|_| credentials.status != status);
        store.save_status(&credentials, &status, now, act, &[]).await?;
        store.schedule(key, again).await?;
        let ended = self.go_on(key, deadline).await?;
        if ended == Disconnected::Continues {
            let message = SyncMessage::new(key, SyncTrigger::Settings, Vec::new());
            self.sync_queue.send(&message, Duration::from_secs(5)).await?;
        }
        Ok(ended)
    }

    /// Continues what [`Self::begin`] began.
    pub async fn go_on(&self, key: ConnectionKey, deadline: DateTime<Utc>) -> Result<Disconnected> {
        let guard = LeaseGuard::new(&self.google, key, deadline);
        let state = match guard.acquire(self.random.uuid(), &BTreeSet::new()).await? {
            LeaseAttempt::Granted(state) => *state,
            LeaseAttempt::Held { .. } => return Ok(Disconnected::Continues),
            LeaseAttempt::NotConnected => return Ok(Disconnected::Done),
        };
        guard.hold(self.go_on_leased(key, state, deadline)).await.unwrap_or(Ok(Disconnected::Continues))
    }

    async fn go_on_leased(
        &self,
        key: ConnectionKey,
        mut state: SyncState,
        deadline: DateTime<Utc>,
    ) -> Result<Disconnected> {
        let store = &self.google.store;
        let Some(credentials) = store.credentials(key).await? else { return Ok(Disconnected::Done) };
        let ConnectionStatus::Disconnecting { keep_events, keep_imported } = credentials.status else {
            lease::release(store.as_ref(), key, &mut state).await?;
            return Ok(Disconnected::Continues);
        };
        let keep = Keep { events: keep_events, imported: keep_imported };
        if let GoogleCleanup::Partly { progress, obstacle } =
            self.leave_google(&credentials, &state, keep, deadline).await?
        {
            if let Some((in_vain, rest)) = next_attempt(in_vain(&state), progress, obstacle) {
                state.failures = in_vain;
                state.last_error = Some(UNFINISHED_CODE.to_owned());
                state.next_sync_at = Some(self.google.clock.now() + rest);
                // A backoff of the sync does not delay the next attempt.
                state.backoff_until = None;
                lease::release(store.as_ref(), key, &mut state).await?;
                return Ok(Disconnected::Continues);
            }
            let revoked = self.revoke_grant(&credentials).await;
            tracing::warn!(connection = %key, ?revoked, "Google is left as it is");
        }
        // The worker delivers them, before each part of a disconnect.
        if !store.pending_notices(key, 1).await?.is_empty() {
            state.next_sync_at = Some(self.google.clock.now() + RECHECK_NOTICES_AFTER);
            state.backoff_until = None;
            lease::release(store.as_ref(), key, &mut state).await?;
            return Ok(Disconnected::Continues);
        }
        // A login that overtakes us has to list again what we are about to remove.
        state.cursor = None;
        state.listing = None;
        if !store.save_state(key, &state).await? {
            return Ok(Disconnected::Continues);
        }
        self.forget(&credentials, keep).await?;
        Ok(Disconnected::Done)
    }

    /// Closes the channels, removes our events and revokes the grant, as far as Google allows.
    async fn leave_google(
        &self,
        credentials: &InstructorCalendarCredentials,
        state: &SyncState,
        keep: Keep,
        deadline: DateTime<Utc>,
    ) -> Result<GoogleCleanup> {
        let mut session = match GoogleSession::open(&self.google, credentials).await {
            Ok(session) => session,
            Err(SessionError::Withdrawn { .. }) => return self.detach_from_account(credentials, false).await,
            Err(error) => {
                let error = Error::from(error);
                tracing::warn!(connection = %credentials.key, ?error, "Google cannot be asked to forget us yet");
                return Ok(GoogleCleanup::in_vain());
            }
        };
        let open = close_channels(&mut session, credentials.key, state, deadline).await;
        let progress = if keep.events {
            false
        } else {
            match self.remove_events(&mut session, credentials, in_vain(state), deadline).await? {
                ControlFlow::Continue(progress) => progress,
                ControlFlow::Break(cleanup) => return Ok(cleanup),
            }
        };
        // After the last attempt the channel stays open until it expires.
        if let Some(error) = open {
            return Ok(GoogleCleanup::Partly { progress, obstacle: Obstacle::of(&error) });
        }
        self.detach_from_account(credentials, progress).await
    }

    /// Removes our events from Google. Goes on with whether any are gone that were there before, or ends the attempt.
    async fn remove_events(
        &self,
        session: &mut GoogleSession<'_>,
        credentials: &InstructorCalendarCredentials,
        in_vain: u32,
        deadline: DateTime<Utc>,
    ) -> Result<ControlFlow<GoogleCleanup, bool>> {
        let key = credentials.key;
        let ours = match self.ours(session, key, deadline).await {
            Ok(ours) => ours,
            Err(SessionError::Withdrawn { .. }) => {
                return Ok(ControlFlow::Break(self.detach_from_account(credentials, false).await?));
            }
            Err(SessionError::Other(error)) if error.code() == PACED => {
                return Ok(ControlFlow::Break(GoogleCleanup::waits()));
            }
            Err(error) => {
                let error = Error::from(error);
                tracing::warn!(connection = %key, ?error, "the calendar could not be listed yet");
                return Ok(ControlFlow::Break(GoogleCleanup::in_vain()));
            }
        };
        let mut progress = false;
        for batch in ours.chunks(EVENTS_PER_BATCH) {
            let partly = |obstacle| Ok(ControlFlow::Break(GoogleCleanup::Partly { progress, obstacle }));
            if self.google.clock.now() >= deadline {
                return partly(Obstacle::Time);
            }
            let delete = |ours: &Ours| Operation::Delete { id: ours.id.clone(), etag: None };
            let operations: Vec<Operation> = batch.iter().map(delete).collect();
            let outcomes = match session.batch(&operations, deadline).await {
                Ok(outcomes) => outcomes,
                Err(SessionError::Withdrawn { .. }) => {
                    return Ok(ControlFlow::Break(self.detach_from_account(credentials, progress).await?));
                }
                Err(error) => {
                    let error = Error::from(error);
                    tracing::warn!(connection = %key, ?error, "events could not be removed yet");
                    return partly(Obstacle::Time);
                }
            };
            let (settled, obstacle) = disconnect::settled(batch, &outcomes, in_vain);
            // An event that Google refuses to delete comes up in each attempt.
            progress |= outcomes.iter().any(disconnect::is_gone);
            self.unmap(&settled).await?;
            if let Some(obstacle) = obstacle {
                return Ok(ControlFlow::Break(GoogleCleanup::Partly { progress, obstacle }));
            }
        }
        Ok(ControlFlow::Continue(progress))
    }

    /// Revokes the grant, also where it has expired or lacks a scope.
    async fn detach_from_account(
        &self,
        credentials: &InstructorCalendarCredentials,
        progress: bool,
    ) -> Result<GoogleCleanup> {
        let revoked = self.revoke_grant(credentials).await?;
        Ok(if revoked { GoogleCleanup::Wholly } else { GoogleCleanup::Partly { progress, obstacle: Obstacle::Time } })
    }

    /// All events that may be ours: those with a mapping, and others in the calendar, such as events that an earlier
    /// disconnect kept or that were split off a series.
    async fn ours(
        &self,
        session: &mut GoogleSession<'_>,
        key: ConnectionKey,
        deadline: DateTime<Utc>,
    ) -> Result<Vec<Ours>, SessionError> {
        let mappings = self.google.store.mappings(key).await?;
        let listed = listed(session, key, deadline).await?;
        let mapped = |mapping: CalendarEventMapping| Ours { id: mapping.google_event_id(), mapping: Some(mapping) };
        let mut ours: Vec<Ours> = mappings.into_iter().filter(has_event).map(mapped).collect();
        let known: BTreeSet<EventId> = ours.iter().map(|ours| ours.id.clone()).collect();
        ours.extend(listed.into_iter().filter(|id| !known.contains(id)).map(|id| Ours { id, mapping: None }));
        Ok(ours)
    }

    /// Deletes the mappings of lessons whose events are settled: the columns first, since the mapping leads to them.
    async fn unmap(&self, ours: &[&Ours]) -> Result<()> {
        let store = &self.google.store;
        let unmap = |mapping: &CalendarEventMapping| {
            let (key, lesson, seen) = (mapping.key, mapping.lesson_id, mapping.mark.version);
            let event = mapping.google_event_id();
            async move {
                store.clear_lesson_columns(key, lesson, &event).await?;
                store.delete_mapping(key, lesson, seen).await
            }
        };
        concurrently(ours.iter().filter_map(|ours| ours.mapping.as_ref()).map(unmap).collect()).await?;
        Ok(())
    }

    /// Revokes the grant. False when Google did not answer.
    async fn revoke_grant(&self, credentials: &InstructorCalendarCredentials) -> Result<bool> {
        let google = &self.google;
        let tokens = CalendarOAuthTokens {
            access_token: google.vault.open(credentials.key, &credentials.tokens.google_access_token).await?,
            refresh_token: google.vault.open(credentials.key, &credentials.tokens.google_refresh_token).await?,
            expires_at: credentials.tokens.google_token_expiry,
        };
        google.revoke_grant(&credentials.google_account.sub, Some(credentials.key), &tokens).await
    }

    /// Deletes all that is stored, the connection last, so that a repeat finds what is left to do.
    async fn forget(&self, credentials: &InstructorCalendarCredentials, keep: Keep) -> Result<()> {
        let (store, key) = (&self.google.store, credentials.key);
        let mappings = store.mappings(key).await?;
        let blank = mappings.into_iter().map(|mapping| async move {
            store.clear_lesson_columns(key, mapping.lesson_id, &mapping.google_event_id()).await
        });
        concurrently(blank.collect()).await?;
        if !keep.imported {
            let ids = store.external_ids(key).await?;
            store.delete_external(key, &ids).await?;
        }
        store.clear_mappings(key).await?;
        store.forget_mentions(key).await?;
        store.flag_instructor(key, Some(false), None).await?;
        let forgotten = store.forget_connection(credentials).await;
        if forgotten.is_err() {
            // Another worker may have been here before, and a login since: its row is not ours to switch off.
            write_enabled(store.as_ref(), key, false).await?;
        }
        forgotten
    }
}

/// Closes all channels, as far as Google allows. `None` when none is left to be closed by a later attempt.
async fn close_channels(
    session: &mut GoogleSession<'_>,
    key: ConnectionKey,
    state: &SyncState,
    deadline: DateTime<Utc>,
) -> Option<CalendarError> {
    for channel in state.channel.iter().chain(&state.retired()) {
        let Err(error) = session.stop(channel, deadline).await else { continue };
        tracing::warn!(connection = %key, %error, "a channel could not be closed");
        // The others would take as long to fail, and the events are still to be removed.
        if error.may_pass() {
            // A connection without a grant cannot close channels.
            return Some(error).filter(|error| !matches!(error, CalendarError::Unauthorized(_)));
        }
    }
    None
}

/// The events in the calendar that may be ours and live.
async fn listed(
    session: &mut GoogleSession<'_>,
    key: ConnectionKey,
    deadline: DateTime<Utc>,
) -> Result<BTreeSet<EventId>, SessionError> {
    let mut found = BTreeSet::new();
    let mut next = None;
    loop {
        let page = session.list(PageRequest { sync_token: None, page_token: next.as_deref() }, deadline).await?;
        // An occurrence goes with its series. An unreadable event may be live, and is recognised by its id.
        let live = page.items.into_iter().filter_map(|item| match item {
            Ok(event) => (!event.is_cancelled() && event.recurring_event_id.is_none()).then_some(event.id),
            Err(skipped) => skipped.id,
        });
        found.extend(live.filter(|id| OwnEventId::decode(key, id).is_some()));
        let failed = match page.outcome {
            PageOutcome::More { page_token } => {
                next = Some(page_token);
                continue;
            }
            PageOutcome::Last { .. } => return Ok(found),
            PageOutcome::CursorLost => CalendarError::Unavailable("the listing broke off".to_owned()),
            PageOutcome::Failed(error) => error,
        };
        let code = if failed == CalendarError::Paced { PACED } else { "google_unavailable" };
        return Err(Error::unavailable(code, failed).into());
    }
}

struct Ours {
    id: EventId,
    /// `None` for an event that only the calendar knows.
    mapping: Option<CalendarEventMapping>,
}

/// Whether Google may have an event for it.
fn has_event(mapping: &CalendarEventMapping) -> bool {
    mapping.in_flight.is_some() || mapping.remote.as_ref().is_some_and(|remote| !remote.deleted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_syncs_are_not_counted_as_attempts_to_disconnect() {
        let mut state = SyncState::new(DateTime::UNIX_EPOCH);
        (state.failures, state.last_error) = (9, Some("google_unavailable".to_owned()));
        assert_eq!(in_vain(&state), 0);
        (state.failures, state.last_error) = (2, Some(UNFINISHED_CODE.to_owned()));
        assert_eq!(in_vain(&state), 2);
    }
}
