//! Sync tokens and page tokens. A token contains its state, so that the server stores nothing for it.

use chrono::{DateTime, Utc};
use data_encoding::BASE64URL_NOPAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::event::Stamp;
use crate::error::{ApiError, Result};
use crate::random::hash;

/// The position of a complete listing.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// Hash of the account: a cursor of another account is invalid.
    pub account: u64,
    pub calendar: u64,
    /// Hash of the parameters that must stay the same.
    pub shape: u64,
    /// When cursors had become void last.
    pub epoch: Stamp,
    pub stamp: Stamp,
    /// Seconds since 1970.
    pub issued: i64,
}

/// The position of a listing between two pages.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PageToken {
    pub account: u64,
    /// Hash of the calendar and the whole query, without `pageToken`, `maxResults` and `fields`.
    pub query: u64,
    /// What the calendar's last change was when the first page was made.
    pub upto: Stamp,
    /// Rank and id of the last row that was handed out.
    pub after: Option<(i64, String)>,
}

impl Cursor {
    /// Reads a cursor for one account, calendar and shape of request. Those from before `valid_from` are void.
    pub fn read(
        text: &str,
        account: &str,
        calendar: &str,
        valid_from: Stamp,
        shape: u64,
        now: DateTime<Utc>,
        life_secs: i64,
    ) -> Result<Self> {
        let malformed = || {
            let message = "Invalid sync token value.";
            ApiError::invalid(message).at("parameter", "syncToken")
        };
        let cursor: Self = decode('s', text).ok_or_else(malformed)?;
        if cursor.calendar != hash(calendar) || cursor.shape != shape {
            return Err(malformed());
        }
        let expired =
            now.timestamp() - cursor.issued > life_secs || cursor.epoch < valid_from || cursor.account != hash(account);
        if expired {
            return Err(ApiError::full_sync_required());
        }
        Ok(cursor)
    }

    pub fn text(&self) -> String {
        encode('s', self)
    }
}

impl PageToken {
    pub fn read(text: &str, account: &str, query: u64) -> Result<Self> {
        decode('p', text)
            .filter(|token: &Self| token.account == hash(account) && token.query == query)
            .ok_or_else(|| ApiError::invalid("Invalid page token value.").at("parameter", "pageToken"))
    }

    /// The calendar's last change when the first page was made; none if `text` is no page token.
    pub fn upto(text: &str) -> Option<Stamp> {
        decode('p', text).map(|token: Self| token.upto)
    }

    pub fn text(&self) -> String {
        encode('p', self)
    }
}

fn encode<T: Serialize>(kind: char, token: &T) -> String {
    let text = serde_json::to_string(token).unwrap_or_default();
    let sealed = format!("{kind}{:016x}{text}", hash(&text));
    BASE64URL_NOPAD.encode(sealed.as_bytes())
}

fn decode<T: DeserializeOwned>(kind: char, text: &str) -> Option<T> {
    let sealed = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    let sealed = String::from_utf8(sealed).ok()?;
    let rest = sealed.strip_prefix(kind)?;
    let (seal, text) = rest.split_at_checked(16)?;
    (seal == format!("{:016x}", hash(text))).then(|| serde_json::from_str(text).ok()).flatten()
}
