//! Events of a listing that are not imported, and why.

use super::EventId;

/// An event that is not imported. Its id counts as a mention all the same: the event exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedEvent {
    /// `None` when not even the id can be read.
    pub id: Option<EventId>,
    pub reason: SkipReason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// It lacks times or does not have the shape of an event.
    Unreadable,
    /// Its recurrence rules need more steps than we allow for an event.
    TooMuchWork,
    /// It has more rules and dates than we store, or an id that is longer than Google's limit.
    TooLarge,
}
