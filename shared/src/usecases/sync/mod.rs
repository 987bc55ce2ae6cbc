//! One run of the sync for one connection: takes the lease, goes its rounds, gives the lease back.
//!
//! A round lists what changed in Google ([`inbound`]), works out what the lessons want ([`outbound`]), finds and
//! clears conflicts ([`conflicts`]), writes to Google, and only then moves the cursor. A crash anywhere repeats work
//! and changes nothing twice.

mod channel;
mod conflicts;
mod delta;
mod inbound;
mod listed;
mod outbound;
mod own_events;
mod record;
mod report;
mod round;
mod run;
mod steps;
mod words;

use std::sync::Arc;

use chrono::{DateTime, Utc};

use self::{report::Report, run::Run};
pub use crate::decide::job::SyncRequest;
use crate::{
    Error, Result,
    model::{
        CalendarSyncLog, ConnectionKey, InstructorCalendarCredentials, Notice, NoticeKind, channel_token::WebhookKeys,
        connection::Blocked,
    },
    ports::{LeaseAttempt, NoticeBus, Random, Refusal, SyncQueue},
    services::{
        deliver_notices,
        google_session::{Google, SessionError},
        lease::{LeaseGuard, lease_ran_out},
    },
};

/// Where Google sends push notifications.
#[derive(Debug, Clone)]
pub struct Push {
    /// The public HTTPS address of the webhook.
    pub address: String,
    /// The keys of channel tokens.
    pub keys: WebhookKeys,
}

#[derive(Clone)]
pub struct SyncCalendar {
    pub google: Google,
    /// For work that a later run continues.
    pub sync_queue: Arc<dyn SyncQueue>,
    pub bus: Arc<dyn NoticeBus>,
    pub random: Arc<dyn Random>,
    /// `None` without a public address: then all calendars are polled.
    pub push: Option<Push>,
}

/// How asking for a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyncRun {
    /// It ran; what it did, and whether all of it is done.
    Ran(Box<CalendarSyncLog>),
    /// Another run is under way and will see to it.
    Held,
    /// Nothing may run.
    Blocked(Blocked),
    /// There is no such connection.
    NotConnected,
}

/// Why a round did not come to its end.
#[derive(Debug)]
enum Failure {
    /// The instructor's permission is gone or does not suffice.
    Withdrawn {
        /// The connection as it was when Google refused.
        as_read: Box<InstructorCalendarCredentials>,
        /// What Google said.
        refusal: Refusal,
    },
    /// Google refuses our OAuth client.
    ClientRefused(Refusal),
    /// Google's usage limit: hours of rest.
    QuotaExceeded,
    /// There was no room in what Google allows a minute: a later run goes on.
    Paced,
    /// Another run took over; nothing may be done any more.
    LeaseLost,
    Other(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Withdrawn { as_read, refusal } => Self::Withdrawn { as_read, refusal },
            SessionError::ClientRefused(refusal) => Self::ClientRefused(refusal),
            SessionError::Other(error) => Self::Other(error),
        }
    }
}

impl SyncCalendar {
    fn now(&self) -> DateTime<Utc> {
        self.google.clock.now()
    }

    /// Runs a sync now, or leaves the request with the run that is under way.
    pub async fn run(&self, request: &SyncRequest) -> Result<SyncRun> {
        let started_at = self.now();
        let guard = LeaseGuard::new(&self.google, request.key, request.deadline);
        let state = match guard.acquire(self.random.uuid(), &request.for_the_holder()).await? {
            LeaseAttempt::Granted(state) => *state,
            LeaseAttempt::Held { .. } => return Ok(SyncRun::Held),
            LeaseAttempt::NotConnected => {
                self.end_in_vain(request, Report::default(), "The calendar is no longer connected.", started_at)
                    .await?;
                return Ok(SyncRun::NotConnected);
            }
        };
        let run = Run::new(self, request, state, started_at);
        guard.hold(run.go()).await.unwrap_or_else(|| Err(lease_ran_out()))
    }

    /// Takes committed notices to the bus. False when some are left: then a run has to come soon, even for a connection
    /// that no longer syncs.
    async fn deliver_notices(&self, key: ConnectionKey) -> bool {
        let delivered = deliver_notices::deliver(self.google.store.as_ref(), self.bus.as_ref(), key).await;
        if let Err(error) = &delivered {
            tracing::error!(connection = %key, ?error, notices_undelivered = 1, "notices stay in the outbox");
        }
        delivered.is_ok()
    }

    fn notice(&self, key: ConnectionKey, kind: NoticeKind) -> Notice {
        Notice { id: self.random.uuid(), key, kind, at: self.now() }
    }
}
