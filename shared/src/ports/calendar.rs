//! The part of Google Calendar's API that we use: list, write in batches, watch.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use secrecy::SecretString;

use crate::model::{CalendarId, Channel, ChannelId, Event, EventId, LessonContent, LessonId, SkippedEvent};

/// What a call is made with, and on whose quota.
#[derive(Debug, Clone)]
pub struct Access {
    /// Google's stable id of the account. Calls use its quota per user.
    pub account: String,
    /// The OAuth client of the token. Calls use its project's quota.
    pub client: String,
    pub token: SecretString,
    pub calendar: CalendarId,
}

/// A page to ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageRequest<'a> {
    /// `None` to list everything.
    pub sync_token: Option<&'a str>,
    /// `None` for the first page.
    pub page_token: Option<&'a str>,
}

/// How a page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageOutcome {
    /// Others follow.
    More {
        page_token: String,
    },
    /// It is the last one.
    Last {
        /// For the next listing.
        sync_token: String,
    },
    /// One of the tokens is no longer valid (410, or 400 for the token): everything has to be listed.
    CursorLost,
    Failed(CalendarError),
}

/// A page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub outcome: PageOutcome,
    /// In Google's order: with deleted events as tombstones, and events that cannot be read.
    pub items: Vec<Result<Event, SkippedEvent>>,
    /// The calendar's zone; `None` when no page came.
    pub time_zone: Option<Tz>,
    /// HTTP calls made.
    pub calls: u32,
}

/// The fields of an event that we own and write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPatch {
    /// Goes into our private extended properties.
    pub lesson_id: LessonId,
    pub content: LessonContent,
}

/// One part of a batch. Google mails no guests (`sendUpdates=none`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    Get {
        id: EventId,
    },
    /// Makes an event under an id of our choice. One quota unit.
    Insert {
        id: EventId,
        event: EventPatch,
    },
    /// Replaces the whole event and confirms it if it was deleted. One quota unit. Only for an event that is deleted,
    /// or that others have not edited: it would lose their fields.
    Replace {
        id: EventId,
        /// `If-Match`; `None` revives a deleted event whatever its etag.
        etag: Option<String>,
        event: EventPatch,
    },
    /// Changes the fields that we own and leaves the others, such as guests and notes. Removes a recurrence that was
    /// added. Three quota units.
    Patch {
        id: EventId,
        /// `If-Match`.
        etag: String,
        event: EventPatch,
    },
    Delete {
        id: EventId,
        /// `If-Match`; `None` deletes any version.
        etag: Option<String>,
    },
}

/// The result of one part of a batch. Transient failures were already retried until the deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationOutcome {
    /// Read or written: the event as Google has it now. A deleted event is cancelled.
    Event(Box<Event>),
    /// Deleted by this call.
    Deleted,
    /// No event has this id (404, 410).
    Gone,
    /// 409: the id is taken, perhaps by a deleted event or by an earlier write of ours whose answer was lost.
    IdTaken,
    /// 412: the event changed since its etag was read.
    Changed,
    /// Google refuses this operation, not the call.
    Refused(Refusal),
    /// The same, for a reason that may be gone within minutes.
    RefusedForNow(Refusal),
    /// Google refuses the change, since another calendar organizes the event.
    NotOrganizer(Refusal),
    /// Not done before the deadline; a later run retries.
    TryLater(CalendarError),
}

/// A refusal in Google's words, safe to log and to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    /// Such as `forbiddenForNonOrganizer`.
    pub reason: String,
    /// Empty where Google sends none, or repeats the reason.
    pub message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.reason)?;
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.message.trim_end_matches('.')) }
    }
}

/// Why a whole call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// 401: the access token is invalid or expired.
    #[error("the access token was refused with {0}")]
    Unauthorized(Refusal),
    /// Google limits the rate, for longer than retries could wait; or a call was not made, since it would have been
    /// refused.
    #[error("too many requests")]
    RateLimited,
    /// Our own rate limits per user and project, which lie below Google's, leave no room before the deadline.
    #[error("no room left in this minute")]
    Paced,
    /// `quotaExceeded`: recovery takes hours.
    #[error("the calendar's usage limit is exceeded")]
    QuotaExceeded,
    /// The person withdrew the permission, or it lacks a scope.
    #[error("the permission does not suffice: {0}")]
    PermissionWithdrawn(Refusal),
    /// Google refuses our OAuth client or its project, for all calendars.
    #[error("Google refuses this application: {0}")]
    ClientRefused(Refusal),
    /// The calendar is gone, or no longer shared with this account.
    #[error("the calendar is gone: {0}")]
    CalendarGone(Refusal),
    /// Google sends no push notifications for this calendar, or not to our address.
    #[error("push is not possible: {0}")]
    PushNotPossible(Refusal),
    #[error("refused with {0}")]
    Refused(Refusal),
    /// No answer, 5xx, or an answer that cannot be read.
    #[error("unavailable: {0}")]
    Unavailable(String),
}

impl CalendarError {
    /// Whether the same call may succeed later.
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

#[derive(Debug, Clone)]
pub struct NewChannel {
    /// Never used before in the Google project.
    pub id: ChannelId,
    /// Where push notifications go; HTTPS.
    pub address: String,
    /// Comes back with each notification, to recognise it by. 256 characters at most.
    pub token: SecretString,
    /// Google may shorten it.
    pub lifetime: Duration,
}

#[async_trait]
pub trait Calendar: Send + Sync {
    /// A page of the calendar with `singleEvents=false`: of everything, or of the changes since a sync token. Gives up
    /// at `deadline` or sooner.
    async fn list(&self, access: &Access, page: PageRequest<'_>, deadline: DateTime<Utc>) -> Page;

    /// Carries out `operations` in multipart batches of at most 50, and retries parts that fail with a transient error
    /// until `deadline`. Returns one outcome for each operation, in order, and the number of HTTP calls.
    async fn batch(
        &self,
        access: &Access,
        operations: &[Operation],
        deadline: DateTime<Utc>,
    ) -> (Vec<OperationOutcome>, u32);

    /// Opens a push channel on the calendar's events. Gives up at `deadline` or sooner.
    async fn watch(
        &self,
        access: &Access,
        channel: &NewChannel,
        deadline: DateTime<Utc>,
    ) -> Result<Channel, CalendarError>;

    /// Closes a push channel; closing one that is gone is no error. Gives up at `deadline` or sooner.
    async fn stop(&self, access: &Access, channel: &Channel, deadline: DateTime<Utc>) -> Result<(), CalendarError>;
}
