//! Listings: who lists what, and from which token to which.

mod page;
mod query;
mod rows;

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::cursor::{Cursor, PageToken};
use super::event::{Event, Stamp};
use super::params::Params;
use super::show::View;
use super::store::{Calendar, Role};
use crate::config::{Behaviour, Limits};
use crate::error::{ApiError, Result};
use crate::random::{Random, hash};
pub(crate) use page::Page;
use page::{Next, cut};
use query::{Order, Query};
use rows::{Row, Source, began_at};

pub(crate) struct Listing<'a> {
    pub now: DateTime<Utc>,
    pub account: &'a str,
    pub calendar: &'a Calendar,
    pub role: Role,
    pub params: Params<'a>,
    pub limits: &'a Limits,
    pub behaviour: &'a Behaviour,
}

/// The single events and instances that lie at least partly between two moments and are not cancelled, in no order.
pub(crate) fn between(
    calendar: &Calendar,
    now: DateTime<Utc>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> impl Iterator<Item = Cow<'_, Event>> {
    let source = Source { calendar, now, occurrences: usize::MAX };
    source.complete(&Query::between(from, to)).into_iter().map(|row| row.event)
}

impl<'a> Listing<'a> {
    /// Answers `events.list`.
    pub fn events(&self, random: &mut Random) -> Result<Page<'a>> {
        let query = self.query()?;
        let since = self.params.text("syncToken").map(|token| self.cursor(token)).transpose()?;
        let page = self.page_token()?;
        let upto = page.as_ref().map_or_else(|| self.calendar.latest(), |page| page.upto);
        let rows = match since {
            Some(since) => self.source().delta(&query, since),
            None => self.source().complete(&query),
        };
        let mut page = self.page(rows, page, upto, query.show_deleted, random)?;
        if matches!(page.next, Next::Nothing) && query::gives_cursor(self.params) {
            let cursor = Cursor {
                account: hash(self.account),
                calendar: hash(&self.calendar.id),
                shape: query::shape(self.params),
                epoch: self.calendar.cursors_from,
                stamp: upto,
                issued: self.now.timestamp(),
            };
            page.next = Next::Delta(cursor.text());
        }
        Ok(page)
    }

    /// Answers `events.instances`.
    pub fn instances(&self, id: &str, random: &mut Random) -> Result<Page<'a>> {
        let series = self.calendar.find(id).ok_or_else(ApiError::not_found)?;
        let mut query = self.query()?;
        (query.single, query.order) = (true, Some(Order::StartTime));
        let mut rows = self.source().instances(&query, &series);
        if let Some(original) = self.params.text("originalStart") {
            rows.retain(|row| began_at(&row.event, original));
        }
        self.page(rows, self.page_token()?, self.calendar.latest(), true, random)
    }

    /// Whether the request could be listed, without listing.
    pub fn check(&self) -> Result<()> {
        self.query()?;
        match self.params.text("syncToken") {
            Some(token) => self.cursor(token).map(|_| ()),
            None => Ok(()),
        }
    }

    fn query(&self) -> Result<Query> {
        Query::read(self.params, self.role, self.now, self.limits.cursor_secs)
    }

    fn source(&self) -> Source<'a> {
        Source { calendar: self.calendar, now: self.now, occurrences: self.limits.occurrences }
    }

    fn cursor(&self, token: &str) -> Result<Stamp> {
        query::check_beside_cursor(self.params)?;
        let (shape, life) = (query::shape(self.params), self.limits.cursor_secs);
        let Calendar { id, cursors_from, .. } = self.calendar;
        Cursor::read(token, self.account, id, *cursors_from, shape, self.now, life).map(|cursor| cursor.stamp)
    }

    fn identity(&self) -> u64 {
        query::identity(self.params, self.calendar)
    }

    fn page_token(&self) -> Result<Option<PageToken>> {
        self.params.text("pageToken").map(|text| PageToken::read(text, self.account, self.identity())).transpose()
    }

    /// The page that comes after `before`, and the token of the one after it.
    fn page(
        &self,
        rows: Vec<Row<'a>>,
        before: Option<PageToken>,
        upto: Stamp,
        with_details: bool,
        random: &mut Random,
    ) -> Result<Page<'a>> {
        let size = self.params.page_size(250, 2500)?.min(self.limits.page);
        let thin = random.chance(self.behaviour.thin_pages);
        let size = if thin { usize::try_from(random.below(size as u64)).unwrap_or(0) } else { size };
        let after = before.and_then(|page| page.after);
        let (rows, more) = cut(rows, after.as_ref(), size);
        let next = if more || (thin && rows.is_empty()) {
            let after = rows.last().map(|row| (row.rank, row.event.id.clone())).or(after);
            let token = PageToken { account: hash(self.account), query: self.identity(), upto, after };
            Next::Page(token.text())
        } else {
            Next::Nothing
        };
        let view = View {
            viewer: &self.calendar.id,
            zone: self.params.zone()?.unwrap_or(self.calendar.zone),
            max_attendees: self.params.number("maxAttendees")?,
            with_details,
            role: self.role,
        };
        let items = rows.into_iter().map(|row| row.event).collect();
        Ok(Page { calendar: self.calendar, view, items, next })
    }
}
