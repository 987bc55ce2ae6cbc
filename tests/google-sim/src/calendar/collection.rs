//! Small collections: lists of calendars, settings and access rules, with the same paging and sync tokens.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::cursor::{Cursor, PageToken};
use super::event::Stamp;
use super::params::Params;
use crate::error::{ApiError, Result};
use crate::random::hash;

/// Items per page: the default and the maximum.
const PAGE_SIZES: (usize, usize) = (100, 250);

/// A collection as one account sees it.
pub(crate) struct Collection<'a> {
    /// The resource's `kind`.
    pub kind: &'static str,
    /// What the collection belongs to.
    pub owner: &'a str,
    pub account: &'a str,
    /// Each item and when it changed last, deleted ones included.
    pub rows: Vec<Row>,
}

/// One item of a collection.
pub(crate) struct Row {
    pub changed: Stamp,
    pub deleted: bool,
    pub item: Value,
}

impl Row {
    /// An item that never changes.
    pub fn fixed(item: Value) -> Self {
        Self { changed: 0, deleted: false, item }
    }
}

impl Collection<'_> {
    /// The page that `params` ask for, with the token of what comes after it.
    pub fn page(self, now: DateTime<Utc>, life_secs: i64, params: Params<'_>) -> Result<Value> {
        let (account, name) = (hash(self.account), format!("{}:{}", self.kind, self.owner));
        let since = match params.text("syncToken") {
            Some(token) => Some(Cursor::read(token, self.account, &name, 0, 0, now, life_secs)?.stamp),
            None => None,
        };
        let deleted = params.flag("showDeleted")?;
        if since.is_some() && deleted == Some(false) {
            let message = "Sync token cannot be used with showDeleted=false.";
            return Err(ApiError::bad_request(message).at("parameter", "showDeleted"));
        }
        let upto = self.rows.iter().map(|row| row.changed).max().unwrap_or(0);
        let deleted = deleted.unwrap_or(false) || since.is_some();
        let items: Vec<Value> = self
            .rows
            .into_iter()
            .filter(|row| since.is_none_or(|since| row.changed > since) && (deleted || !row.deleted))
            .map(|row| row.item)
            .collect();

        let size = params.page_size(PAGE_SIZES.0, PAGE_SIZES.1)?;
        let query = hash(&format!("{name}{since:?}{deleted}"));
        let before = params.text("pageToken").map(|text| PageToken::read(text, self.account, query)).transpose()?;
        let first = before.and_then(|page| page.after).and_then(|(next, _)| usize::try_from(next).ok()).unwrap_or(0);
        let next = first.saturating_add(size);

        let mut page = Map::new();
        page.insert("kind".to_owned(), json!(self.kind));
        page.insert("etag".to_owned(), json!(format!("\"p33{:x}o0o\"", hash(&json!(items).to_string()))));
        if next < items.len() {
            let after = i64::try_from(next).ok().map(|next| (next, String::new()));
            page.insert("nextPageToken".to_owned(), json!(PageToken { account, query, upto, after }.text()));
        } else {
            let issued = now.timestamp();
            let cursor = Cursor { account, calendar: hash(&name), shape: 0, epoch: 0, stamp: upto, issued };
            page.insert("nextSyncToken".to_owned(), json!(cursor.text()));
        }
        page.insert("items".to_owned(), items.into_iter().skip(first).take(size).collect());
        Ok(Value::Object(page))
    }
}
