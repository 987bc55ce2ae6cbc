//! Where a write comes from and where it goes, as far as that decides what it may do.

use chrono_tz::Tz;

use crate::config::Texts;

/// What the place of a write decides about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub calendar_zone: Tz,
    pub primary: bool,
    pub in_batch: bool,
    pub by_hand: bool,
    pub parts: OptionalParts,
    pub texts: Texts,
}

/// The parts of an event that a request touches only when it says that it knows them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OptionalParts {
    /// `conferenceDataVersion=1` was sent; without it conference data is ignored.
    pub conference: bool,
    /// `supportsAttachments=true` was sent.
    pub attachments: bool,
}
