//! Google Calendar, as much of it as we use: list, write in batches, watch.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use secrecy::SecretString;

use crate::model::{CalendarId, Channel, ChannelId, Event, EventId, LessonContent, LessonId, SkippedEvent};

/// Whom a call is made for: which calendar, with which token.
#[derive(Debug, Clone)]
pub struct Access {
    /// Google's stable id of the account, whose quota the calls draw on.
    pub account: String,
    /// The OAuth client of the token, whose project's quota they draw on.
    pub client: String,
    /// The access token.
    pub token: SecretString,
    /// The calendar.
    pub calendar: CalendarId,
}

/// What a listing proves (design rule R6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListingOutcome {
    /// All that there is: what is not mentioned does not exist. The token goes on from here.
    Complete {
        /// Where the next listing goes on.
        token: String,
    },
    /// All that changed since the token that was given.
    Delta {
        /// Where the next listing goes on.
        token: String,
    },
    /// Some pages, then a failure: what is mentioned is true, what is not proves nothing.
    Partial {
        /// The failure.
        error: CalendarError,
    },
    /// The token is no longer good (410, or 400 for the token): list from the start.
    CursorLost,
}

/// What a listing brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// What it proves.
    pub outcome: ListingOutcome,
    /// The events, in the order in which they came: deleted ones as tombstones, and those that cannot be read.
    pub items: Vec<Result<Event, SkippedEvent>>,
    /// The zone of the calendar; `None` when not a single page came.
    pub time_zone: Option<Tz>,
    /// HTTP calls made.
    pub calls: u32,
}

impl Listing {
    /// The events that can be read.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.items.iter().filter_map(|item| item.as_ref().ok())
    }
}

/// The fields of an event that we own and write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPatch {
    /// The lesson that it carries in our private properties.
    pub lesson_id: LessonId,
    /// What it shows.
    pub content: LessonContent,
}

/// One part of a batch. No mail goes to guests (`sendUpdates=none`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Reads an event.
    Get {
        /// Which.
        id: EventId,
    },
    /// Makes an event under an id of our choice (one quota unit).
    Insert {
        /// The id.
        id: EventId,
        /// What it shows.
        event: EventPatch,
    },
    /// Replaces an event as a whole, confirming it if it was deleted (one quota unit). Only for an event that
    /// nobody but us has touched, or that is deleted.
    Replace {
        /// Which.
        id: EventId,
        /// `If-Match`; `None` revives a deleted event whatever its etag.
        etag: Option<String>,
        /// What it shows.
        event: EventPatch,
    },
    /// Changes what we own and leaves the rest, guests and notes, as it is (three quota units). Ends a recurrence
    /// that somebody added.
    Patch {
        /// Which.
        id: EventId,
        /// `If-Match`.
        etag: String,
        /// What it shows.
        event: EventPatch,
    },
    /// Deletes an event.
    Delete {
        /// Which.
        id: EventId,
        /// `If-Match`; `None` deletes whatever it has become.
        etag: Option<String>,
    },
}

/// How one part of a batch ended. Passing failures were already tried again within the deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationOutcome {
    /// Read or written: what Google shows now. A cancelled event is one that is deleted.
    Event(Box<Event>),
    /// Deleted, by us and now.
    Deleted,
    /// There is nothing under this id (404, 410): to read, to change, or to delete any more.
    Gone,
    /// 409: the id is taken, perhaps by a deleted event or by a write of ours whose answer was lost.
    IdTaken,
    /// 412: it changed since the etag was read.
    Changed,
    /// Google refuses this operation, and nothing else.
    Refused(Refusal),
    /// Google refuses to change the event, since another calendar organizes it.
    NotOrganizer(Refusal),
    /// It did not get through in time; a later run tries again.
    TryLater(CalendarError),
}

/// A refusal in Google's own words, fit to be logged and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// Google's `reason`, such as `forbiddenForNonOrganizer`.
    pub reason: String,
    /// Google's message; empty where it has none or repeats the reason.
    pub message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.reason)?;
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.message.trim_end_matches('.')) }
    }
}

/// Why a call as a whole failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// 401: the access token is not, or no longer, good.
    #[error("the access token was refused with {0}")]
    Unauthorized(Refusal),
    /// Too many calls in a minute, beyond what retries could wait for; or a call that was not made since it would
    /// have been refused so.
    #[error("too many requests")]
    RateLimited,
    /// We hold back ourselves, below what Google allows each user and each project a minute, and there was no time to
    /// wait for room.
    #[error("no room left in this minute")]
    Paced,
    /// `quotaExceeded`: recovery takes hours.
    #[error("the calendar's usage limit is exceeded")]
    QuotaExceeded,
    /// The person's permission is gone, or lacks a scope.
    #[error("the permission does not suffice: {0}")]
    PermissionWithdrawn(Refusal),
    /// Google refuses our OAuth client or its project, whoever's calendar it is.
    #[error("Google refuses this application: {0}")]
    ClientRefused(Refusal),
    /// The calendar is gone, or no longer shown to this account.
    #[error("the calendar is gone: {0}")]
    CalendarGone(Refusal),
    /// Google does not tell of changes of this calendar, or not at our address.
    #[error("push is not possible: {0}")]
    PushNotPossible(Refusal),
    /// Any other refusal.
    #[error("refused with {0}")]
    Refused(Refusal),
    /// No answer, 5xx, or an answer that cannot be read.
    #[error("unavailable: {0}")]
    Unavailable(String),
}

impl CalendarError {
    /// Whether what failed may be possible later.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::PermissionWithdrawn(_)
            | Self::ClientRefused(_)
            | Self::CalendarGone(_)
            | Self::PushNotPossible(_)
            | Self::Refused(_) => false,
            Self::Unauthorized(_) | Self::RateLimited | Self::Paced | Self::QuotaExceeded | Self::Unavailable(_) => {
                true
            }
        }
    }

    /// Whether the same call may succeed within seconds.
    pub fn may_pass_soon(&self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable(_))
    }
}

/// A push channel to open.
#[derive(Debug, Clone)]
pub struct NewChannel {
    /// Its id, never used before.
    pub id: ChannelId,
    /// Where notices go; HTTPS.
    pub address: String,
    /// What they carry, to be recognised by (256 characters at most).
    pub token: SecretString,
    /// How long it is to live; Google may make it shorter.
    pub lifetime: Duration,
}

/// Google Calendar.
#[async_trait]
pub trait Calendar: Send + Sync {
    /// Lists the calendar with `singleEvents=false`, following all pages: from the start, or what changed since
    /// `token`. Gives up, as [`ListingOutcome::Partial`], when `deadline` comes.
    async fn list(&self, access: &Access, token: Option<&str>, deadline: DateTime<Utc>) -> Listing;

    /// Carries out `operations` in multipart batches of at most 50, retrying the parts that failed for a passing
    /// reason until `deadline`. One outcome for each operation, in their order, and the HTTP calls made.
    async fn batch(
        &self,
        access: &Access,
        operations: &[Operation],
        deadline: DateTime<Utc>,
    ) -> (Vec<OperationOutcome>, u32);

    /// Opens a push channel on the calendar's events. Gives up when `deadline` comes, or sooner.
    async fn watch(
        &self,
        access: &Access,
        channel: &NewChannel,
        deadline: DateTime<Utc>,
    ) -> Result<Channel, CalendarError>;

    /// Closes a push channel; one that is gone already is no error. Gives up when `deadline` comes, or sooner.
    async fn stop(&self, access: &Access, channel: &Channel, deadline: DateTime<Utc>) -> Result<(), CalendarError>;
}
