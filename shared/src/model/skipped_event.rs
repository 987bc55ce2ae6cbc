//! Events that a listing brings and that are left out, and why.

use super::EventId;

/// An event that is left out. Its id is a mention all the same: the event is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedEvent {
    /// Which, where as much as that can be read.
    pub id: Option<EventId>,
    /// Why.
    pub reason: SkipReason,
}

/// Why an event is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// It is not what an event looks like, or has no times.
    Unreadable,
    /// Its rules of recurrence walk through more than an event may.
    TooMuchWork,
    /// It has more rules and dates than are stored, or an id that is longer than Google's.
    TooLarge,
}
