//! The keys of all items: what stands in partition and sort attributes, and over how many shards it is spread.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use super::items::{Item, text};
use crate::{
    Error, Result,
    model::{
        CalendarId, ConnectionKey, ErasureScope, EventId, ExternalCalendarEvent, InstructorId, LessonId, Notice,
        SchedulingConflict, SyncLogId, TenantId, text::cut, timestamp,
    },
};

/// How many partitions an index of all connections is spread over: at one million connections and a poll each 15
/// minutes some 70 items a second move in each, far below the 1,000 that one partition takes.
pub(super) const CONNECTION_SHARDS: u8 = 16;

/// Over how many items a rate limiter's bucket is spread: with 50 units reserved at once, each takes one write in 200 calls.
pub(super) const BUCKET_SHARDS: u8 = 4;

/// Distinguishes the state item from the credentials of the same instructor.
const STATE_SUFFIX: &str = "#state";

/// What the sort attributes of the items beside the mappings, and of the mappings themselves, begin with.
pub(super) const LESSONS: &str = "lesson#";
pub(super) const CONFLICTS: &str = "conflict#";
pub(super) const NOTICES: &str = "notice#";
pub(super) const MENTIONS: &str = "mentions#";

/// Never changes for a connection.
pub(super) fn connection_shard(key: ConnectionKey) -> u8 {
    Sha256::digest(key.to_string())[0] % CONNECTION_SHARDS
}

fn pair(partition: (&str, impl ToString), sort: (&str, impl ToString)) -> Item {
    Item::from([(partition.0.to_owned(), text(partition.1)), (sort.0.to_owned(), text(sort.1))])
}

/// The key of an item in a connection's partition.
fn in_connection(key: ConnectionKey, sort_attribute: &str, sort: impl ToString) -> Item {
    pair(("connection", key), (sort_attribute, sort))
}

pub(super) fn credentials(key: ConnectionKey) -> Item {
    pair(("tenant_id", key.tenant_id), ("instructor_id", key.instructor_id))
}

pub(super) fn state(key: ConnectionKey) -> Item {
    pair(("tenant_id", key.tenant_id), ("instructor_id", format_args!("{}{STATE_SUFFIX}", key.instructor_id)))
}

/// The connection whose state item has these two attributes in its key.
pub(super) fn connection_of_state(tenant_id: &str, instructor_id: &str) -> Result<ConnectionKey> {
    Ok(ConnectionKey {
        tenant_id: tenant_id.parse().map_err(Error::internal)?,
        instructor_id: instructor_of(instructor_id)?,
    })
}

/// The instructor whose credentials or state have this in their key.
pub(super) fn instructor_of(sort: &str) -> Result<InstructorId> {
    sort.trim_end_matches(STATE_SUFFIX).parse().map_err(Error::internal)
}

/// Sorts behind both items of an instructor, and before those of the next.
pub(super) fn behind_instructor(id: InstructorId) -> AttributeValue {
    text(format_args!("{id}{STATE_SUFFIX}"))
}

/// A Google account by a digest, so that the one table without a tenant identifies no person.
pub(super) fn account(sub: &str) -> Item {
    Item::from([("account".to_owned(), text(digest(sub)))])
}

/// A shard of a rate limiter's bucket.
pub(super) fn bucket(bucket: &str, shard: u8) -> Item {
    Item::from([("bucket".to_owned(), text(format_args!("{bucket}#{shard}")))])
}

pub(super) fn mapping(key: ConnectionKey, lesson: LessonId) -> Item {
    in_connection(key, "item", format_args!("{LESSONS}{lesson}"))
}

pub(super) fn conflict(key: ConnectionKey, conflict: &SchedulingConflict) -> Item {
    let event = family_text(&conflict.calendar_id, &conflict.google_event_id);
    in_connection(key, "item", format_args!("{}{event}", conflicts_of(conflict.lesson_id)))
}

/// What the sort attributes of a lesson's conflicts begin with.
pub(super) fn conflicts_of(lesson: LessonId) -> String {
    format!("{CONFLICTS}{lesson}#")
}

pub(super) fn notice(notice: &Notice) -> Item {
    in_connection(notice.key, "item", format_args!("{NOTICES}{}#{}", timestamp::format(notice.at), notice.id))
}

/// What a page of a listing mentioned.
pub(super) fn mentions(key: ConnectionKey, listing: DateTime<Utc>, page: u32) -> Item {
    in_connection(key, "item", mentions_page(listing, page))
}

/// The sort attribute of [`mentions`]: pages sort by their number.
pub(super) fn mentions_page(listing: DateTime<Utc>, page: u32) -> String {
    format!("{MENTIONS}{}#{page:010}", timestamp::format(listing))
}

pub(super) fn external_event(key: ConnectionKey, calendar: &CalendarId, event: &EventId) -> Item {
    in_connection(key, "event", event_text(calendar, event))
}

pub(super) fn sync_log(key: ConnectionKey, id: SyncLogId) -> Item {
    in_connection(key, "id", id)
}

pub(super) fn oauth_state(state: &str) -> Item {
    Item::from([("state".to_owned(), text(state))])
}

/// What the sort attributes of the known instructors of a tenant begin with, and those of its erasures.
pub(super) const INSTRUCTORS: &str = "instructor#";
const ERASURES: &str = "erasure#";

/// Says that an instructor was ever connected.
pub(super) fn known_instructor(key: ConnectionKey) -> Item {
    pair(("tenant_id", key.tenant_id), ("item", format_args!("{INSTRUCTORS}{}", key.instructor_id)))
}

pub(super) fn erasure(tenant: TenantId, scope: ErasureScope) -> Item {
    pair(("tenant_id", tenant), ("item", format_args!("{ERASURES}{scope}")))
}

/// A row of the host's.
pub(super) fn host(tenant: TenantId, id: impl ToString) -> Item {
    pair(("tenant_id", tenant), ("id", id))
}

/// The longest text that goes into a key unchanged. A sort key holds 1024 bytes, and an event id of up to as many
/// shares it with a lesson and a calendar.
const MAX_BYTES_AS_IS: usize = 880;
/// The bytes of a longer text that stand before its digest (43 characters and a separator).
const PREFIX_BYTES: usize = MAX_BYTES_AS_IS - 44;

/// An event in a key. It begins as [`event_prefix`] of each prefix of its id.
pub(super) fn event_text(calendar: &CalendarId, event: &EventId) -> String {
    let full = format!("{calendar}#{event}");
    if full.len() <= MAX_BYTES_AS_IS {
        return full;
    }
    format!("{}~{}", cut(&full, PREFIX_BYTES), digest(&full))
}

/// An event in a key that it shares with its series, its exceptions and what was split off it.
pub(super) fn family_text(calendar: &CalendarId, event: &EventId) -> String {
    event_text(calendar, &EventId::from(event.family()))
}

/// The common prefix of the keys of all events whose id begins with `prefix` (for a long prefix, of some others too).
pub(super) fn event_prefix(calendar: &CalendarId, prefix: &str) -> String {
    cut(&format!("{calendar}#{prefix}"), PREFIX_BYTES).to_owned()
}

/// SHA-256, base64url.
fn digest(text: &str) -> String {
    data_encoding::BASE64URL_NOPAD.encode(&Sha256::digest(text))
}

const SHORT: &str = "at#";
const LONG: &str = "long#";
const SERIES: &str = "series#";

/// Where an event stands in the index of what may block; `None` for a cancelled occurrence, which comes along with its
/// series.
pub(super) fn agenda(external: &ExternalCalendarEvent) -> Option<String> {
    if external.event.is_cancelled() {
        return None;
    }
    let end = external.event_end.map_or_else(|| "endless".to_owned(), timestamp::format);
    Some(if external.event.is_series() {
        format!("{SERIES}{end}")
    } else if external.is_long() {
        format!("{LONG}{end}")
    } else {
        format!("{SHORT}{}", timestamp::format(external.event_start))
    })
}

/// The first and the last place of the short events that begin between two moments.
pub(super) fn short_events(from: DateTime<Utc>, to: DateTime<Utc>) -> [String; 2] {
    [from, to].map(|at| format!("{SHORT}{}", timestamp::format(at)))
}

/// The same of the long ones that end after `from`.
pub(super) fn long_events(from: DateTime<Utc>) -> [String; 2] {
    after(LONG, from)
}

/// The same of the series that end after `from`.
pub(super) fn series(from: DateTime<Utc>) -> [String; 2] {
    after(SERIES, from)
}

/// `~` sorts after every timestamp, and after `endless`.
fn after(prefix: &str, from: DateTime<Utc>) -> [String; 2] {
    [format!("{prefix}{}", timestamp::format(from)), format!("{prefix}~")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_long_ids_fit_differ_and_keep_their_prefix() {
        let calendar = CalendarId("ü".repeat(120));
        let series = "a".repeat(1000);
        let exceptions = ["_20260301T080000Z", "_20260308T080000Z"].map(|at| EventId(format!("{series}{at}")));
        let keys = exceptions.each_ref().map(|id| event_text(&calendar, id));
        assert_ne!(keys[0], keys[1]);
        for key in keys {
            assert!(key.len() <= MAX_BYTES_AS_IS, "{}", key.len());
            assert!(key.starts_with(&event_prefix(&calendar, &series)));
        }
    }

    #[test]
    fn keys_at_the_limit_keep_their_prefix() {
        let calendar = CalendarId::from("primary");
        for length in PREFIX_BYTES - 30..=MAX_BYTES_AS_IS + 30 {
            let series = "a".repeat(length);
            let id = EventId(format!("{series}_20260301T080000Z"));
            assert!(event_text(&calendar, &id).starts_with(&event_prefix(&calendar, &series)), "{length}");
        }
    }
}
