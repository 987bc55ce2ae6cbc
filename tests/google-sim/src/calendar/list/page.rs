//! One page of a listing, and what it looks like.

use std::borrow::Cow;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use serde_json::json;

use super::super::event::{Event, timestamp};
use super::super::fields::{Fields, Selector};
use super::super::show::{Shown, View};
use super::super::store::Calendar;
use super::rows::Row;

pub(crate) struct Page<'a> {
    pub calendar: &'a Calendar,
    pub view: View<'a>,
    pub items: Vec<Cow<'a, Event>>,
    /// What goes on from here.
    pub next: Next,
}

/// The token at the end of a page.
pub(crate) enum Next {
    Page(String),
    Delta(String),
    Nothing,
}

impl<'a> Page<'a> {
    pub fn etag(&self) -> String {
        format!("\"p32{}o0o\"", self.calendar.latest())
    }

    /// Of the page only what is `wanted`.
    pub fn shown(&'a self, wanted: &'a Selector) -> impl Serialize + 'a {
        ShownPage { page: self, wanted }
    }
}

struct ShownPage<'a> {
    page: &'a Page<'a>,
    wanted: &'a Selector,
}

impl Serialize for ShownPage<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Page { calendar, view, next, .. } = self.page;
        let mut fields = Fields::begin(serializer, self.wanted)?;
        fields.put("kind", "calendar#events")?;
        fields.put("etag", self.page.etag())?;
        fields.put("summary", &calendar.summary)?;
        if let Some(description) = &calendar.description {
            fields.put("description", description)?;
        }
        fields.put("updated", timestamp(calendar.latest()))?;
        fields.put("timeZone", calendar.zone.name())?;
        fields.put("accessRole", view.role.name())?;
        fields.put("defaultReminders", json!([{"method": "popup", "minutes": 10}]))?;
        match next {
            Next::Page(token) => fields.put("nextPageToken", token)?,
            Next::Delta(token) => fields.put("nextSyncToken", token)?,
            Next::Nothing => {}
        }
        fields.put_part("items", |wanted| Items { page: self.page, wanted })?;
        fields.end()
    }
}

struct Items<'a> {
    page: &'a Page<'a>,
    wanted: &'a Selector,
}

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Page { items, view, .. } = self.page;
        let mut list = serializer.serialize_seq(Some(items.len()))?;
        for event in items {
            list.serialize_element(&Shown { event, view, wanted: self.wanted })?;
        }
        list.end()
    }
}

/// The first `size` of the `rows` that come after `last`, and whether there are more.
pub(super) fn cut<'a>(mut rows: Vec<Row<'a>>, last: Option<&(i64, String)>, size: usize) -> (Vec<Row<'a>>, bool) {
    if let Some((rank, id)) = last {
        rows.retain(|row| (row.rank, row.event.id.as_str()) > (*rank, id.as_str()));
    }
    rows.sort_unstable_by(|a, b| (a.rank, &a.event.id).cmp(&(b.rank, &b.event.id)));
    let more = rows.len() > size;
    rows.truncate(size);
    (rows, more)
}
