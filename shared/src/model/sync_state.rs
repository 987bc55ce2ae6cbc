//! The hot part of a connection, about 1 KB: where the sync stands, who holds the lease, and when the next run is due.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ChannelId, Cursor, ListingProgress, timestamp};

/// What a run is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncTask {
    /// List what changed in Google.
    PullEvents,
    /// Look at the lessons that are marked dirty.
    PushLessons,
    /// Reconcile all lessons with all mappings.
    FullReconcile,
    /// On behalf of a person: retry what was given up, and go on past safety stops.
    RetryGivenUp,
    /// Google told of a change: so push works.
    Noticed,
}

/// The tasks that no run has finished yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PendingRequests {
    /// Goes up with each request that is made while the lease is held.
    pub counter: u64,
    pub tasks: BTreeSet<SyncTask>,
}

/// Who may act on the connection, until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub owner: Option<Uuid>,
    /// The owner that this one found when it took the lease: its run was cut, by its function's end or by an error.
    pub cut: Option<Uuid>,
    pub until: DateTime<Utc>,
    /// Goes up with each holder. It begins at the time in milliseconds, so that it is higher than the fence of an
    /// earlier connection under the same key.
    pub fence: u64,
}

/// An open push channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// The id that we chose.
    pub id: ChannelId,
    /// Google's id of the watched calendar.
    pub resource_id: String,
    /// When Google closes it.
    #[serde(with = "timestamp")]
    pub expires_at: DateTime<Utc>,
}

/// Whether notices arrive. `decide/push.rs` says how one follows from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PushHealth {
    /// They do, as far as can be told.
    Healthy,
    /// They did; something changed, and its notice is still to come.
    Awaiting {
        /// When it was changed, or found to be.
        #[serde(with = "timestamp")]
        since: DateTime<Utc>,
        /// It was not changed before this.
        #[serde(with = "timestamp", default)]
        changed_after: DateTime<Utc>,
    },
    /// Something changed and no notice came.
    Suspect {
        /// When it was changed, or found to be.
        #[serde(with = "timestamp")]
        since: DateTime<Utc>,
        /// It was not changed before this.
        #[serde(with = "timestamp", default)]
        changed_after: DateTime<Utc>,
    },
    /// Google tells of no changes of this calendar, or not at our address: it is polled.
    Unsupported {
        /// What Google said.
        #[serde(default = "not_kept")]
        refusal: String,
    },
    /// No channel is open, or the calendar was not yet listed under the open one: earlier changes may have gone
    /// unannounced.
    Closed,
}

/// In rows of a time when it was not stored.
fn not_kept() -> String {
    "unknown".to_owned()
}

/// Events that were removed from Google because the host no longer had their lessons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removals {
    /// When the first of them was.
    #[serde(with = "timestamp")]
    pub since: DateTime<Utc>,
    /// How many.
    pub count: u32,
    /// Whether they were too many to believe it: until a person asks, no others follow.
    #[serde(default)]
    pub held: bool,
}

/// The state item beside `instructor_calendar_credentials`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncState {
    pub cursor: Option<Cursor>,
    /// The listing whose pages are still coming.
    pub listing: Option<ListingProgress>,
    /// The zone in which the calendar's days begin.
    pub calendar_time_zone: Tz,
    /// Whether a run began to move whole days to another zone of the calendar, and none has come to the end of it.
    pub days_move: bool,
    pub lease: Lease,
    pub pending: PendingRequests,
    /// The end of the window that runs have covered.
    pub horizon: Option<DateTime<Utc>>,
    /// When all lessons were last reconciled with all mappings.
    pub reconciled_at: Option<DateTime<Utc>>,
    /// When the next poll is due; `None` when nothing runs automatically.
    pub next_sync_at: Option<DateTime<Utc>>,
    pub last_synced_at: Option<DateTime<Utc>>,
    /// When the last complete listing began: push notifications that are older bring nothing new.
    pub listed_at: Option<DateTime<Utc>>,
    /// When the last listing began that a push notification asked for and that may not have shown its change yet. `None`
    /// once a later listing has.
    pub doubted_since: Option<DateTime<Utc>>,
    /// Consecutive failed runs.
    pub failures: u32,
    /// How many of them were cut.
    pub cuts: u32,
    /// After a failure, nothing runs automatically before this.
    pub backoff_until: Option<DateTime<Utc>>,
    /// The code of the last error; cleared by a run that succeeds.
    pub last_error: Option<String>,
    /// Google's reason, while the last error is that it refuses our OAuth client.
    pub client_refused: Option<String>,
    pub channel: Option<Channel>,
    pub channel_opened_at: Option<DateTime<Utc>>,
    /// Channels that may still be open and are to be closed: replaced ones, and one whose opening was not confirmed,
    /// since the process died or Google's answer was lost.
    pub retired_channels: Vec<ChannelId>,
    /// When the channel is to be replaced by a new one.
    pub renew_at: Option<DateTime<Utc>>,
    pub push_health: PushHealth,
    /// Recent removals of events whose lessons had vanished.
    pub removals: Option<Removals>,
}

impl SyncState {
    /// The last error where the run before did not give its lease back.
    pub const RUN_CUT: &str = "run_cut";

    /// Consecutive runs that failed by what they met: by these, what Google refuses for now counts as refused for good.
    pub fn failures_met(&self) -> u32 {
        self.failures.saturating_sub(self.cuts)
    }

    /// The state of a connection that has never synced, due at once.
    pub fn new(now: DateTime<Utc>) -> Self {
        let fence = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        Self {
            cursor: None,
            listing: None,
            calendar_time_zone: Tz::UTC,
            days_move: false,
            lease: Lease { owner: None, cut: None, until: DateTime::UNIX_EPOCH, fence },
            pending: PendingRequests::default(),
            horizon: None,
            reconciled_at: None,
            next_sync_at: Some(now),
            last_synced_at: None,
            listed_at: None,
            doubted_since: None,
            failures: 0,
            cuts: 0,
            backoff_until: None,
            last_error: None,
            client_refused: None,
            channel: None,
            channel_opened_at: None,
            retired_channels: Vec::new(),
            renew_at: None,
            push_health: PushHealth::Closed,
            removals: None,
        }
    }

    /// Whether the calendar is being listed for the first time: what is not known yet may still come.
    pub fn is_known_in_part(&self) -> bool {
        self.cursor.is_none() && self.listing.is_some()
    }

    /// The retired channels that can be closed. Closing needs Google's id of the watched calendar, which is the same
    /// for all channels of a calendar and known from the open one.
    pub fn retired(&self) -> Vec<Channel> {
        let like = |channel: &Channel, id: &ChannelId| Channel { id: id.clone(), ..channel.clone() };
        let channel = self.channel.iter();
        channel.flat_map(|channel| self.retired_channels.iter().map(move |id| like(channel, id))).collect()
    }
}
