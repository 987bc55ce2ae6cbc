//! Listings: complete ones, deltas, and the instances of one series.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use super::cursor::{Cursor, PageToken};
use super::event::{Event, Stamp, Status, View, timestamp};
use super::params::Params;
use super::series::{self, Span};
use super::store::{Calendar, Role, instance};
use super::when::When;
use crate::config::{Behaviour, Limits};
use crate::error::{ApiError, Result};
use crate::random::{Random, hash};

/// Parameters that a cursor refuses.
const NOT_WITH_CURSOR: [&str; 8] = [
    "iCalUID",
    "orderBy",
    "privateExtendedProperty",
    "q",
    "sharedExtendedProperty",
    "timeMin",
    "timeMax",
    "updatedMin",
];

/// Parameters that leave a complete listing without a cursor.
const WITHOUT_CURSOR: [&str; 6] =
    ["iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "updatedMin"];

/// Parameters in which a delta must equal the listing that gave its cursor.
const SHAPE: [&str; 5] = ["singleEvents", "eventTypes", "maxAttendees", "timeZone", "showHiddenInvitations"];

/// Parameters that are read, and change nothing here.
const NOT_WEIGHED: [&str; 2] = ["alwaysIncludeEmail", "showHiddenInvitations"];

/// Parameters that may differ from page to page.
const NOT_OF_QUERY: [&str; 8] =
    ["pageToken", "maxResults", "fields", "prettyPrint", "alt", "key", "access_token", "quotaUser"];

/// Who lists what, and when.
pub(crate) struct Listing<'a> {
    pub now: DateTime<Utc>,
    pub account: &'a str,
    pub calendar: &'a Calendar,
    pub role: Role,
    pub params: Params<'a>,
    pub limits: &'a Limits,
    pub behaviour: &'a Behaviour,
}

/// What a listing is asked for.
struct Query {
    single: bool,
    show_deleted: bool,
    time_min: Option<DateTime<Utc>>,
    time_max: Option<DateTime<Utc>>,
    updated_min: Option<Stamp>,
    order: Option<Order>,
    kinds: Vec<String>,
    ical_uid: Option<String>,
    words: Option<String>,
    private: Vec<(String, String)>,
    shared: Vec<(String, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    StartTime,
    Updated,
}

/// One row of a listing, under the key by which the rows are ordered.
type Rows<'a> = BTreeMap<String, Cow<'a, Event>>;

impl<'a> Listing<'a> {
    /// Answers `events.list`.
    pub fn events(&self, random: &mut Random) -> Result<Value> {
        let query = self.query()?;
        let since = match self.params.text("syncToken") {
            Some(token) => Some(self.cursor(token)?),
            None => None,
        };
        let page = self.page_token()?;
        let upto = page.as_ref().map_or_else(|| self.calendar.latest(), |page| page.upto);
        let rows = match since {
            Some(since) => self.delta(&query, since),
            None => self.complete(&query),
        };
        let size = self.params.page_size(250, 2500)?;
        let (items, next) = self.cut(rows, page, size, upto, random);
        let view = self.view(query.show_deleted)?;
        let mut answer = self.envelope(&items, &view);
        let keeps_cursor = !WITHOUT_CURSOR.iter().any(|name| self.params.has(name));
        match next {
            Some(token) => answer["nextPageToken"] = json!(token),
            None if keeps_cursor => {
                let cursor = Cursor {
                    account: hash(self.account),
                    calendar: hash(&self.calendar.id),
                    shape: self.shape(),
                    stamp: upto,
                    issued: self.now.timestamp(),
                };
                answer["nextSyncToken"] = json!(cursor.text());
            }
            None => {}
        }
        Ok(answer)
    }

    /// Answers `events.instances`.
    pub fn instances(&self, id: &str, random: &mut Random) -> Result<Value> {
        let series = self.calendar.find(id).ok_or_else(ApiError::not_found)?;
        let query = Query { single: true, order: Some(Order::StartTime), ..self.query()? };
        let mut rows = Rows::new();
        if series.is_series() && (!series.is_cancelled() || query.show_deleted) {
            self.add_instances(&mut rows, &query, &series);
            for exception in self.calendar.exceptions(id).filter(|event| !event.bare) {
                let shown = !exception.is_cancelled() || query.show_deleted;
                if shown && self.within(&query, exception) {
                    rows.insert(self.key(&query, exception), Cow::Borrowed(exception));
                }
            }
        }
        if let Some(original) = self.params.text("originalStart") {
            let wanted = |event: &Event| {
                event.occurrence.as_ref().is_some_and(|place| {
                    let zone = self.calendar.zone;
                    match place.original {
                        When::Day(day) => day.to_string() == original,
                        When::Moment { .. } => {
                            DateTime::parse_from_rfc3339(original).is_ok_and(|at| at == place.original.instant(zone))
                        }
                    }
                })
            };
            rows.retain(|_, event| wanted(event));
        }
        let page = self.page_token()?;
        let size = self.params.page_size(250, 2500)?;
        let (items, next) = self.cut(rows, page, size, self.calendar.latest(), random);
        let mut answer = self.envelope(&items, &self.view(true)?);
        if let Some(token) = next {
            answer["nextPageToken"] = json!(token);
        }
        Ok(answer)
    }

    /// Whether the request's cursor is a good one, without listing.
    pub fn check_cursor(&self) -> Result<()> {
        match self.params.text("syncToken") {
            Some(token) => self.cursor(token).map(|_| ()),
            None => Ok(()),
        }
    }

    fn query(&self) -> Result<Query> {
        let params = self.params;
        for name in NOT_WEIGHED {
            params.flag(name)?;
        }
        let single = params.flag("singleEvents")?.unwrap_or(false) || self.role == Role::FreeBusyReader;
        let order = match params.text("orderBy") {
            None => None,
            Some("updated") => Some(Order::Updated),
            Some("startTime") if single => Some(Order::StartTime),
            Some("startTime") => {
                let message = "The requested ordering is not available for the particular query.";
                return Err(ApiError::bad_request(message).at("parameter", "orderBy"));
            }
            Some(_) => return Err(ApiError::parameter("orderBy", "Invalid string value.")),
        };
        let kinds = params.all("eventTypes");
        if let Some(kind) = kinds.iter().find(|kind| !super::kinds::KINDS.contains(&kind.as_str())) {
            let message = format!("Invalid string value: '{kind}'.");
            return Err(ApiError::parameter("eventTypes", &message));
        }
        let (time_min, time_max) = (params.moment("timeMin")?, params.moment("timeMax")?);
        if let (Some(min), Some(max)) = (time_min, time_max)
            && max <= min
        {
            let message = "The specified time range is empty.";
            let error = ApiError::new(400, "calendar", "timeRangeEmpty", message);
            return Err(error.at("parameter", "timeMax"));
        }
        Ok(Query {
            single,
            show_deleted: params.flag("showDeleted")?.unwrap_or(false),
            time_min,
            time_max,
            updated_min: self.updated_min()?,
            order,
            kinds,
            ical_uid: params.text("iCalUID").map(str::to_owned),
            words: params.text("q").map(str::to_lowercase),
            private: params.properties("privateExtendedProperty")?,
            shared: params.properties("sharedExtendedProperty")?,
        })
    }

    fn updated_min(&self) -> Result<Option<Stamp>> {
        let Some(at) = self.params.moment("updatedMin")? else {
            return Ok(None);
        };
        if (self.now - at).num_seconds() > self.limits.cursor_secs {
            let message = "The requested minimum modification time lies too far in the past.";
            let error = ApiError::new(410, "calendar", "updatedMinTooLongAgo", message);
            return Err(error.at("parameter", "updatedMin"));
        }
        Ok(u64::try_from(at.timestamp_micros()).ok())
    }

    fn cursor(&self, token: &str) -> Result<Stamp> {
        for name in NOT_WITH_CURSOR {
            if self.params.has(name) {
                let message = format!("Sync token cannot be used with {name}.");
                return Err(ApiError::bad_request(&message).at("parameter", name));
            }
        }
        if self.params.flag("showDeleted")? == Some(false) {
            let message = "Sync token cannot be used with showDeleted=false.";
            return Err(ApiError::bad_request(message).at("parameter", "showDeleted"));
        }
        let life = self.limits.cursor_secs;
        Cursor::read(token, self.account, self.calendar, self.shape(), self.now, life).map(|cursor| cursor.stamp)
    }

    fn shape(&self) -> u64 {
        let values = SHAPE.map(|name| {
            let mut values = self.params.all(name);
            values.retain(|value| !value.is_empty() && value != "false");
            values.sort();
            values
        });
        hash(&format!("{values:?}"))
    }

    /// The whole request but for what may differ between pages.
    fn query_hash(&self) -> u64 {
        let mut pairs: Vec<_> =
            self.params.0.query.iter().filter(|(name, _)| !NOT_OF_QUERY.contains(&name.as_str())).collect();
        pairs.sort();
        hash(&format!("{}{pairs:?}{}", self.calendar.id, self.params.0.path))
    }

    fn page_token(&self) -> Result<Option<PageToken>> {
        self.params.text("pageToken").map(|text| PageToken::read(text, self.account, self.query_hash())).transpose()
    }

    /// Everything that there is now.
    fn complete(&self, query: &Query) -> Rows<'a> {
        let deleted = query.show_deleted || query.updated_min.is_some();
        let mut rows = Rows::new();
        for event in self.calendar.events.values().filter(|event| !event.purged) {
            if query.single && event.is_series() {
                if !event.is_cancelled() {
                    self.add_instances(&mut rows, query, event);
                }
                continue;
            }
            // Cancelled instances of a series belong to it, asked for or not.
            let of_series = event.occurrence.is_some() && !event.bare && !query.single;
            let shown = !event.is_cancelled() || deleted || of_series;
            if shown && self.within(query, event) && matches(query, event) {
                rows.insert(self.key(query, event), Cow::Borrowed(event));
            }
        }
        rows
    }

    /// What changed after `since`, deleted events included. What changes while somebody pages through it comes
    /// once more, on a later page and again in the next delta, whose cursor is as old as the first page.
    fn delta(&self, query: &Query, since: Stamp) -> Rows<'a> {
        let mut shown: BTreeMap<String, Cow<'a, Event>> = BTreeMap::new();
        for event in self.calendar.changed(since) {
            if !matches(query, event) {
                continue;
            }
            if query.single {
                self.add_changed_instances(&mut shown, query, event, since);
            } else {
                shown.insert(event.id.clone(), Cow::Borrowed(event));
            }
        }
        shown.into_values().map(|event| (format!("{:020}{}", event.stamp, event.id), event)).collect()
    }

    /// The instances of a changed event, and tombstones for those that it no longer has.
    fn add_changed_instances(
        &self,
        shown: &mut BTreeMap<String, Cow<'a, Event>>,
        query: &Query,
        event: &'a Event,
        since: Stamp,
    ) {
        let mut present = Rows::new();
        if event.is_series() && !event.is_cancelled() {
            self.add_instances(&mut present, query, event);
        }
        for former in event.former.iter().filter(|former| former.until > since) {
            let shape = Event {
                start: former.start,
                end: event.end.shifted(event.start, former.start),
                recurrence: former.recurrence.clone(),
                ..event.clone()
            };
            for mut gone in self.occurrences(query, &shape) {
                gone.status = Status::Cancelled;
                let stands = self.calendar.exception(&gone.id).is_some();
                if gone.id != event.id && !stands {
                    shown.entry(gone.id.clone()).or_insert(Cow::Owned(gone));
                }
            }
            if former.recurrence.is_empty() && event.is_series() {
                let single = Event { status: Status::Cancelled, bare: true, recurrence: Vec::new(), ..event.clone() };
                shown.entry(single.id.clone()).or_insert(Cow::Owned(single));
            }
        }
        for instance in present.into_values() {
            shown.insert(instance.id.clone(), instance);
        }
        if !event.is_series() {
            let live_again = event.bare && shown.get(&event.id).is_some_and(|e| !e.is_cancelled());
            if !live_again {
                shown.insert(event.id.clone(), Cow::Borrowed(event));
            }
        }
    }

    /// The occurrences of a series that no exception stands in for.
    fn add_instances(&self, rows: &mut Rows<'a>, query: &Query, series: &Event) {
        for instance in self.occurrences(query, series) {
            let replaced = self.calendar.exception(&instance.id).is_some();
            if !replaced && self.within(query, &instance) && matches(query, &instance) {
                rows.insert(self.key(query, &instance), Cow::Owned(instance));
            }
        }
    }

    fn occurrences(&self, query: &Query, series: &Event) -> Vec<Event> {
        let zone = self.calendar.zone;
        let length = series.end.instant(zone) - series.start.instant(zone);
        let span = Span {
            from: query.time_min.map(|min| min - length),
            until: query.time_max,
            ahead: self.limits.occurrences,
            now: self.now,
        };
        if series.recurrence.is_empty() {
            return Vec::new();
        }
        series::starts(series.start, &series.recurrence, zone, span)
            .into_iter()
            .map(|start| instance(series, start))
            .collect()
    }

    /// Whether the event lies in the window: both bounds are exclusive.
    fn within(&self, query: &Query, event: &Event) -> bool {
        if query.time_min.is_none() && query.time_max.is_none() {
            return true;
        }
        if event.is_series() {
            let of_series = |event: &Event| self.within_single(query, event);
            return self.occurrences(query, event).iter().any(of_series);
        }
        self.within_single(query, event)
    }

    fn within_single(&self, query: &Query, event: &Event) -> bool {
        let zone = self.calendar.zone;
        query.time_min.is_none_or(|min| event.end.instant(zone) > min)
            && query.time_max.is_none_or(|max| event.start.instant(zone) < max)
    }

    fn key(&self, query: &Query, event: &Event) -> String {
        match query.order {
            Some(Order::StartTime) => start_key(event, self.calendar.zone),
            Some(Order::Updated) => format!("{:020}{}", event.updated, event.id),
            // Without an order Google promises only that it stays the same.
            None => format!("{:016x}{}", hash(&event.id), event.id),
        }
    }

    /// The next page of `rows`, and the token of the one after it.
    fn cut(
        &self,
        rows: Rows<'a>,
        page: Option<PageToken>,
        size: usize,
        upto: Stamp,
        random: &mut Random,
    ) -> (Vec<Cow<'a, Event>>, Option<String>) {
        let after = page.map(|page| page.after).unwrap_or_default();
        let thin = random.chance(self.behaviour.thin_pages);
        let size = if thin { usize::try_from(random.below(size as u64)).unwrap_or(0) } else { size };
        let mut left = rows.into_iter().filter(|(key, _)| *key > after).peekable();
        let mut last = after.clone();
        let mut items = Vec::new();
        while items.len() < size {
            let Some((key, event)) = left.next() else {
                break;
            };
            last = key;
            items.push(event);
        }
        let more = left.peek().is_some() || (thin && items.is_empty());
        let token =
            more.then(|| PageToken { account: hash(self.account), query: self.query_hash(), upto, after: last }.text());
        (items, token)
    }

    fn view(&self, with_details: bool) -> Result<View> {
        let zone: Option<Tz> = self.params.zone()?;
        Ok(View {
            viewer: self.calendar.id.clone(),
            zone: zone.unwrap_or(self.calendar.zone),
            max_attendees: self.params.number("maxAttendees")?,
            with_details,
            role: self.role,
        })
    }

    fn envelope(&self, items: &[Cow<'_, Event>], view: &View) -> Value {
        let stamp = self.calendar.latest();
        let mut envelope = json!({
            "kind": "calendar#events",
            "etag": format!("\"p32{stamp}o0o\""),
            "summary": self.calendar.summary,
            "updated": timestamp(stamp),
            "timeZone": self.calendar.zone.name(),
            "accessRole": self.role.name(),
            "defaultReminders": [{"method": "popup", "minutes": 10}],
        });
        envelope["items"] = items.iter().map(|event| event.json(view)).collect();
        envelope
    }
}

fn start_key(event: &Event, zone: Tz) -> String {
    // Moved so far that years before 1970 sort as well.
    let micros = i128::from(event.start.instant(zone).timestamp_micros()) + (1 << 62);
    format!("{micros:024}{}", event.id)
}

fn matches(query: &Query, event: &Event) -> bool {
    let has = |wanted: &[(String, String)], held: &BTreeMap<String, String>| {
        wanted.iter().all(|(key, value)| held.get(key) == Some(value))
    };
    (query.kinds.is_empty() || query.kinds.contains(&event.kind))
        && query.ical_uid.as_ref().is_none_or(|uid| *uid == event.ical_uid)
        && query.updated_min.is_none_or(|min| event.updated >= min)
        && has(&query.private, &event.private)
        && has(&query.shared, &event.shared)
        && query.words.as_ref().is_none_or(|words| contains(event, words))
}

fn contains(event: &Event, words: &str) -> bool {
    ["summary", "description", "location"]
        .iter()
        .filter_map(|name| event.detail(name))
        .chain(event.attendees.iter().map(|guest| guest.email.as_str()))
        .any(|text| text.to_lowercase().contains(words))
}
