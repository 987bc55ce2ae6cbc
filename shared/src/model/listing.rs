//! Where the listings of a calendar stand: behind the last one, or between two pages of one that is under way.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{CalendarId, timestamp};

/// A listing that is not done after this time begins anew: Google keeps no page token for ever.
const MAX_AGE: TimeDelta = TimeDelta::days(1);

/// Goes up when the parameters or fields of our listing change, so that an old cursor is not used with them.
const REVISION: &str = "2";

/// Which events of a listing are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All that are not ours; what Google shows of ours goes to their mappings.
    Imports,
    /// None: it is listed for our own events alone.
    OwnEvents,
}

impl Scope {
    /// Which requests belong together: a token of one shape is not used for another.
    pub fn shape(self, calendar: &CalendarId) -> String {
        match self {
            Self::Imports => format!("{REVISION}:{calendar}"),
            Self::OwnEvents => format!("{REVISION}:own:{calendar}"),
        }
    }
}

/// Where the next listing resumes: valid only for requests of the same shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub token: String,
    /// The calendar and parameters of the request that the token came from.
    pub shape: String,
    /// Whether it lies past events of ours that should not be there and were left, since nothing was to be written. They
    /// are not mentioned again after it.
    pub past_strays: bool,
}

/// What a listing began as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coverage {
    /// An event that it does not mention does not exist.
    Everything,
    /// An event that it does not mention is as it was.
    Changes,
}

/// A listing between two of its pages. One of several pages is closed by a delta: what changed while its pages came is
/// on none of them, or on two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListingProgress {
    /// When its first page was asked for. What its pages mentioned is stored under this time.
    #[serde(with = "timestamp")]
    pub began: DateTime<Utc>,
    pub shape: String,
    pub covers: Coverage,
    /// The sync token of the request whose pages are followed.
    pub sync_token: Option<String>,
    /// Where the request goes on; `None` before its first page.
    pub page_token: Option<String>,
    /// Pages that are stored.
    pub pages: u32,
    /// How many of them came before this request: for the delta that closes a listing, all the listing's.
    pub pages_before: u32,
    /// Events that the pages mentioned, each page for itself.
    pub events: u32,
    /// Whether they showed something new.
    pub has_changes: bool,
    /// As in [`Cursor`].
    pub past_strays: bool,
    /// Whether it replaces one whose token Google refused. It is not replaced in its turn: the run fails.
    pub is_second: bool,
}

impl ListingProgress {
    /// A listing of everything, before its first page.
    pub fn complete(shape: String, began: DateTime<Utc>) -> Self {
        Self {
            began,
            shape,
            covers: Coverage::Everything,
            sync_token: None,
            page_token: None,
            pages: 0,
            pages_before: 0,
            events: 0,
            has_changes: false,
            past_strays: false,
            is_second: false,
        }
    }

    /// The listing that goes on where the one under way stands, or begins now: a delta where the cursor serves.
    pub fn next(
        under_way: Option<&Self>,
        cursor: Option<&Cursor>,
        shape: String,
        writes: bool,
        now: DateTime<Utc>,
    ) -> Self {
        let serves = |of: &str, past_strays: bool| of == shape && !(writes && past_strays);
        if let Some(listing) = under_way.filter(|listing| serves(&listing.shape, listing.past_strays))
            && now - listing.began < MAX_AGE
        {
            return listing.clone();
        }
        match cursor {
            Some(cursor) if serves(&cursor.shape, cursor.past_strays) => Self {
                covers: Coverage::Changes,
                sync_token: Some(cursor.token.clone()),
                past_strays: cursor.past_strays,
                ..Self::complete(shape, now)
            },
            Some(_) | None => Self::complete(shape, now),
        }
    }

    /// Whether it reads the whole calendar, and not changes alone.
    pub fn lists_everything(&self) -> bool {
        self.covers == Coverage::Everything
    }

    /// Whether its next page begins a request, so that what that page says is as of now.
    pub fn is_at_first_page(&self) -> bool {
        self.page_token.is_none()
    }

    /// Whether pages of everything are still to come, which may show events that nobody knows of.
    pub fn has_unseen_pages(&self) -> bool {
        self.covers == Coverage::Everything && self.page_token.is_some() && self.pages_before == 0
    }

    /// After a page that another follows.
    #[must_use]
    pub fn after_page(self, page_token: String, events: usize) -> Self {
        Self { page_token: Some(page_token), ..self.counting(events) }
    }

    /// After the last of several pages: the delta that closes the listing follows.
    #[must_use]
    pub fn after_last_page(self, sync_token: String, events: usize) -> Self {
        let counted = self.counting(events);
        Self { sync_token: Some(sync_token), page_token: None, pages_before: counted.pages, ..counted }
    }

    fn counting(self, events: usize) -> Self {
        let events = u32::try_from(events).unwrap_or(u32::MAX);
        Self { pages: self.pages + 1, events: self.events.saturating_add(events), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        "2026-03-01T08:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(hour)
    }

    fn cursor(past_strays: bool) -> Cursor {
        Cursor { token: "cursor".to_owned(), shape: "shape".to_owned(), past_strays }
    }

    fn under_way() -> ListingProgress {
        ListingProgress::complete("shape".to_owned(), at(0)).after_page("page 2".to_owned(), 3)
    }

    #[test]
    fn a_listing_goes_on_at_the_cursor_that_serves_it_or_lists_everything() {
        for (cursor, shape, writes, token) in [
            (None, "shape", true, None),
            (Some(cursor(false)), "shape", true, Some("cursor")),
            (Some(cursor(false)), "another", true, None),
            (Some(cursor(true)), "shape", false, Some("cursor")),
            (Some(cursor(true)), "shape", true, None),
        ] {
            let listing = ListingProgress::next(None, cursor.as_ref(), shape.to_owned(), writes, at(1));
            assert_eq!(listing.sync_token.as_deref(), token);
            assert_eq!(listing.covers, if token.is_some() { Coverage::Changes } else { Coverage::Everything });
            assert_eq!((listing.began, listing.pages, listing.is_at_first_page()), (at(1), 0, true));
        }
    }

    #[test]
    fn a_listing_under_way_goes_on_unless_it_is_of_another_shape_or_old_or_past_strays() {
        let strays = ListingProgress { past_strays: true, ..under_way() };
        for (listing, shape, writes, hour, goes_on) in [
            (under_way(), "shape", true, 23, true),
            (under_way(), "shape", true, 24, false),
            (under_way(), "another", true, 1, false),
            (strays.clone(), "shape", false, 1, true),
            (strays, "shape", true, 1, false),
        ] {
            let next = ListingProgress::next(Some(&listing), None, shape.to_owned(), writes, at(hour));
            assert_eq!(next.page_token.is_some(), goes_on);
        }
    }

    #[test]
    fn after_its_last_page_a_delta_closes_it() {
        let closing = under_way().after_last_page("new".to_owned(), 2);
        assert_eq!(closing.sync_token.as_deref(), Some("new"));
        assert!(under_way().has_unseen_pages() && !closing.has_unseen_pages());
        assert!(closing.is_at_first_page() && closing.covers == Coverage::Everything);
        assert_eq!((closing.pages, closing.pages_before, closing.events), (2, 2, 5));
        let long = closing.after_page("page 2 of the delta".to_owned(), 9);
        assert!(!long.has_unseen_pages());
        assert_eq!((long.pages, long.pages_before, long.events), (3, 2, 14));
    }
}
