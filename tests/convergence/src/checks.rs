//! What has to hold once the world has come to rest, each checked against Google and the host alone, in the simplest
//! way there is.

use std::collections::{BTreeMap, BTreeSet};

use calendar_sync::{
    model::{
        CalendarEventMapping, ConnectionKey, ConnectionStatus, InstructorCalendarCredentials, Lesson, LessonId,
        LessonStatus, SyncStatus, Window,
    },
    ports::LessonLookup,
    reconcile::{occurrences, outbound::GAVE_UP},
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde_json::Value;

use crate::{
    sim::number,
    truth::{Additions, lesson_of},
    world::{Party, World},
};

/// How far ahead occurrences are compared.
pub const AHEAD: TimeDelta = TimeDelta::days(45);

/// How much is asked of a world at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// The product had only what reaches it by itself: it may have given up on an event that people changed too
    /// often, and a lost record of a lesson or a row that the host wrote anew may not have been noticed yet.
    ByItself,
    /// A person asked for everything.
    Asked,
}

/// One occurrence of an event that is not ours.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Busy {
    /// When it begins.
    pub start: DateTime<Utc>,
    /// When it ends.
    pub end: DateTime<Utc>,
    /// Whether nothing else can be planned then.
    pub blocks: bool,
    /// The lesson that it is an event of.
    pub carries: Option<LessonId>,
}

/// Everything that is wrong, in words.
pub fn violations(world: &mut World, rest: Rest) -> Vec<String> {
    let mut found: Vec<String> = std::mem::take(&mut world.sim.state().truth.violations);
    for party in world.parties.clone() {
        let credentials = world.store.tables().credentials.get(&party.key).cloned();
        let before = found.len();
        match &credentials {
            None => found.extend(forgotten(world, party)),
            Some(credentials) if credentials.blocked().is_some() => {}
            Some(credentials) => found.extend(connected(world, party, credentials, rest)),
        }
        for text in &mut found[before..] {
            *text = format!("{} ({}): {text}", number(party.key), party.account);
        }
    }
    found.extend(additions_lost(world));
    found
}

fn connected(world: &mut World, party: Party, credentials: &InstructorCalendarCredentials, rest: Rest) -> Vec<String> {
    let mut found = Vec::new();
    if !credentials.settings.auto_sync && rest == Rest::ByItself {
        return found;
    }
    let direction = credentials.settings.sync_direction;
    if direction.writes() {
        found.extend(one_event_for_each_lesson(world, party, rest));
    }
    let now = world.now();
    let window = Window { from: now, to: now + AHEAD };
    let zone = zone_of(world, party.account);
    if !direction.imports() {
        let tables = world.store.tables();
        if tables.external_of(party.key).next().is_some() {
            found.push("events are kept though nothing is to be imported".to_owned());
        }
        if let Some(pair) = tables.conflicts_where(party.key, |pair| pair.overlap_end > now).first() {
            found.push(format!("a conflict stands though nothing is imported: {pair:?}"));
        }
        return found;
    }
    let in_google = busy_in_google(world, party, window, zone);
    let stored = busy_as_stored(world, party.key, window, zone);
    if stored != in_google {
        let only = |these: &[Busy], those: &[Busy]| -> Vec<Busy> {
            these.iter().filter(|busy| !those.contains(busy)).take(4).cloned().collect()
        };
        found.push(format!(
            "stored events differ from Google's: only stored {:?}; only in Google {:?}",
            only(&stored, &in_google),
            only(&in_google, &stored)
        ));
    }
    found.extend(flags_are_overlaps(world, party, &in_google, rest));
    found.extend(pairs_of_nothing(world, party.key));
    found
}

/// Conflicts of lessons that are no longer synced.
fn pairs_of_nothing(world: &World, key: ConnectionKey) -> Vec<String> {
    let (tables, now) = (world.store.tables(), world.now());
    let orphans = tables.conflicts_where(key, |pair| pair.overlap_end > now);
    let orphans = orphans.iter().filter(|pair| tables.mapping(key, pair.lesson_id).is_none());
    orphans.map(|pair| format!("a conflict of a lesson that has no mapping: {pair:?}")).collect()
}

/// Nothing of a connection that was taken down is left, but what was asked to stay.
fn forgotten(world: &World, party: Party) -> Vec<String> {
    let tables = world.store.tables();
    let mut found = Vec::new();
    if !tables.mappings_of(party.key).is_empty() {
        found.push("mappings are left of a connection that is gone".to_owned());
    }
    if let Some(pair) = tables.conflicts_where(party.key, |_| true).first() {
        found.push(format!("a conflict is left of a connection that is gone: {pair:?}"));
    }
    drop(tables);
    let state = world.sim.state();
    if state.truth.is_left_behind(party.key) {
        return found;
    }
    for (lesson, _) in live_events(&state, party) {
        let id = lesson.1;
        found.push(format!("event {id} is left of a connection that is gone"));
    }
    found
}

/// The connections that somebody began to take down, and that are still there.
pub fn still_taken_down(world: &mut World) -> Vec<String> {
    let tables = world.store.tables();
    let goes = |row: &&InstructorCalendarCredentials| matches!(row.status, ConnectionStatus::Disconnecting { .. });
    tables.credentials.values().filter(goes).map(|row| format!("{} is still being taken down", row.key)).collect()
}

type OwnEvent = ((LessonId, String), Value);

/// The live events that the product made for this connection.
fn live_events(state: &crate::sim::State, party: Party) -> Vec<OwnEvent> {
    let events = state.google.events(party.account).into_iter().filter(|event| event["status"] != "cancelled");
    events
        .filter_map(|event| {
            let id = event["id"].as_str()?.to_owned();
            let (key, lesson) = state.truth.made(party.account, &id)?;
            (key == party.key).then_some(((lesson, id), event))
        })
        .collect()
}

fn lessons_of(world: &World, key: ConnectionKey) -> Vec<Lesson> {
    let tables = world.store.tables();
    let ids: Vec<_> = tables.lessons.keys().copied().filter(|(tenant, _)| *tenant == key.tenant_id).collect();
    ids.into_iter()
        .filter_map(|(tenant, id)| match tables.lesson(tenant, id) {
            LessonLookup::Found(lesson) if lesson.instructor_id == key.instructor_id => Some(*lesson),
            LessonLookup::Found(_) | LessonLookup::Gone | LessonLookup::Unreadable(_) => None,
        })
        .collect()
}

fn one_event_for_each_lesson(world: &World, party: Party, rest: Rest) -> Vec<String> {
    let mut found = Vec::new();
    let mut events: BTreeMap<LessonId, Vec<Value>> = BTreeMap::new();
    for ((lesson, _), event) in live_events(&world.sim.state(), party) {
        events.entry(lesson).or_default().push(event);
    }
    let now = world.now();
    for lesson in lessons_of(world, party.key) {
        let mut own = events.remove(&lesson.id).unwrap_or_default();
        let mapping = world.store.tables().mapping(party.key, lesson.id);
        // (What Google once refused for good to delete is not tried again, even if it would let us now: what was split off
        // the lesson's event stays beside it.)
        own.retain(|event| {
            let id = event["id"].as_str().unwrap_or_default();
            let is_the_lessons = mapping.as_ref().is_some_and(|mapping| mapping.google_event_id().as_str() == id);
            is_the_lessons || !world.sim.state().truth.was_refused(id)
        });
        let start = lesson.content.starts_at;
        if mapping.as_ref().is_some_and(|mapping| mapping.error.as_deref() == Some(GAVE_UP)) {
            let changes = world.sim.state().truth.meddled(party.key, lesson.id);
            if changes <= CalendarEventMapping::MOST_PUT_BACKS.into() {
                found.push(format!("lesson {} was given up, and its event changed {changes} times", lesson.id));
            }
        }
        let inside = start > now - TimeDelta::days(6) && start < now + TimeDelta::days(360);
        if (rest == Rest::ByItself || !inside) && mapping.as_ref().is_some_and(gave_up) {
            continue;
        }
        let due = lesson.status == LessonStatus::Scheduled;
        let problem = match (&own[..], due) {
            ([], true) if inside => Some("has no event".to_owned()),
            ([], _) => None,
            ([event], true) => differs(&lesson, event),
            ([_], false) => Some("is cancelled and has an event".to_owned()),
            ([_, _, ..], _) => Some("has more than one event".to_owned()),
        };
        if let Some(problem) = problem {
            found.push(format!(
                "lesson {} on {start} {problem}; events {:?}; mapping {mapping:?}",
                lesson.id,
                ids(&own)
            ));
        } else if rest == Rest::Asked && inside {
            found.extend(host_row(&lesson, &own, mapping.as_ref()));
        }
    }
    for (lesson, own) in events {
        let mapping = world.store.tables().mapping(party.key, lesson);
        // (Nor is what Google refused to delete of a lesson that is gone.)
        let refused = mapping.is_none() && ids(&own).iter().all(|id| world.sim.state().truth.was_refused(id));
        // (A lost record of one that was over long before is looked for by nobody.)
        let over = mapping.as_ref().is_some_and(|mapping| mapping.event_end < now - TimeDelta::days(6));
        let given_up = rest == Rest::ByItself && mapping.as_ref().is_some_and(gave_up);
        if refused || given_up || over && !world.lossless {
            continue;
        }
        found.push(format!("lesson {lesson} is gone and has events {:?}; mapping {mapping:?}", ids(&own)));
    }
    found
}

fn ids(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["id"].as_str()).collect()
}

fn gave_up(mapping: &CalendarEventMapping) -> bool {
    mapping.sync_status == SyncStatus::Failed
}

/// How the event differs from what the lesson says.
fn differs(lesson: &Lesson, event: &Value) -> Option<String> {
    let content = &lesson.content;
    let moment = |side: &str| -> Option<DateTime<Utc>> { event[side]["dateTime"].as_str()?.parse().ok() };
    let shown = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
    if moment("start") != Some(content.starts_at) || moment("end") != Some(content.ends_at) {
        return Some(format!("is shown at {} to {}", event["start"], event["end"]));
    }
    if shown("summary") != content.title {
        return Some(format!("is called {}", event["summary"]));
    }
    let owned = [("description", &content.description), ("location", &content.location)];
    if let Some((field, wanted)) =
        owned.iter().find(|(field, wanted)| wanted.as_ref().is_some_and(|wanted| *wanted != shown(field)))
    {
        return Some(format!("has {field} {} instead of {wanted:?}", event[*field]));
    }
    (!event["recurrence"].is_null()).then(|| "recurs".to_owned())
}

/// Our columns of the host's row.
fn host_row(lesson: &Lesson, own: &[Value], mapping: Option<&CalendarEventMapping>) -> Option<String> {
    let id = own.first().and_then(|event| event["id"].as_str());
    let status = (lesson.status == LessonStatus::Scheduled).then_some(SyncStatus::Synced);
    let flag = mapping.is_some_and(|mapping| mapping.has_conflict);
    let right = lesson.google_calendar_event_id.as_deref() == id
        && lesson.calendar_sync_status == status
        && lesson.has_conflict == flag;
    (!right).then(|| {
        format!(
            "the host's row of lesson {} says {:?} {:?} {}; mapping {mapping:?}",
            lesson.id, lesson.google_calendar_event_id, lesson.calendar_sync_status, lesson.has_conflict
        )
    })
}

fn zone_of(world: &World, calendar: &str) -> Tz {
    world.sim.state().google.zone(calendar).unwrap_or(Tz::UTC)
}

fn busy_in_google(world: &World, party: Party, window: Window, zone: Tz) -> Vec<Busy> {
    let mut state = world.sim.state();
    // (Google leaves milliseconds out of account.)
    let occurrences = state.occurrences(party.account, window.from, window.to + TimeDelta::seconds(1));
    let mut busy: Vec<Busy> = occurrences
        .iter()
        .filter(|event| {
            let made = state.truth.made(party.account, event["id"].as_str().unwrap_or_default());
            made.is_none_or(|(key, _)| key != party.key)
        })
        .filter_map(|event| {
            let at = |side: &str| -> Option<DateTime<Utc>> {
                let time = &event[side];
                match time["date"].as_str() {
                    Some(day) => Some(day_begins(day.parse().ok()?, zone)),
                    None => time["dateTime"].as_str()?.parse().ok(),
                }
            };
            Some(Busy { start: at("start")?, end: at("end")?, blocks: blocks(event), carries: lesson_of(event) })
        })
        .filter(|busy| busy.start < window.to && busy.end > window.from)
        .collect();
    busy.sort();
    busy
}

/// None of the zones here skips midnight.
fn day_begins(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_hms_opt(0, 0, 0).unwrap_or_default();
    midnight.and_local_timezone(zone).earliest().map_or_else(|| midnight.and_utc(), |at| at.with_timezone(&Utc))
}

fn blocks(event: &Value) -> bool {
    let declined = event["attendees"].as_array().is_some_and(|guests| {
        guests.iter().any(|guest| guest["self"] == true && guest["responseStatus"] == "declined")
    });
    event["transparency"] != "transparent" && !declined
}

/// What the product knows to take place in the window.
pub fn busy_as_stored(world: &World, key: ConnectionKey, window: Window, zone: Tz) -> Vec<Busy> {
    let lookup = world.store.tables().external_between(key, window);
    let mut busy = Vec::new();
    occurrences::each(&lookup, window, zone, |row, start, end| {
        busy.push(Busy { start, end, blocks: row.event.blocks(), carries: row.event.lesson_id });
    });
    busy.sort();
    busy
}

/// Every overlap of a lesson with something busy, lesson by lesson and event by event.
fn flags_are_overlaps(world: &World, party: Party, in_google: &[Busy], rest: Rest) -> Vec<String> {
    type Overlap = (DateTime<Utc>, DateTime<Utc>, DateTime<Utc>);
    let now = world.now();
    let mut found = Vec::new();
    for lesson in lessons_of(world, party.key) {
        let content = &lesson.content;
        let mapping = world.store.tables().mapping(party.key, lesson.id);
        // Lessons that are over keep theirs; those beyond what is compared here are left out.
        if content.ends_at <= now || content.ends_at > now + AHEAD || content.starts_at <= now {
            continue;
        }
        if rest == Rest::ByItself && mapping.as_ref().is_some_and(gave_up) {
            continue;
        }
        let takes_place = lesson.status == LessonStatus::Scheduled;
        let mut wanted: Vec<Overlap> = in_google
            .iter()
            .filter(|busy| takes_place && busy.blocks && busy.carries != Some(lesson.id))
            .filter(|busy| busy.start < content.ends_at && busy.end > content.starts_at)
            .map(|busy| (busy.start, busy.start.max(content.starts_at), busy.end.min(content.ends_at)))
            .collect();
        wanted.sort_unstable();
        let pairs = world.store.tables().conflicts_where(party.key, |pair| pair.lesson_id == lesson.id);
        let mut stored: Vec<Overlap> =
            pairs.iter().map(|pair| (pair.occurrence_start, pair.overlap_start, pair.overlap_end)).collect();
        stored.sort_unstable();
        if stored != wanted {
            found.push(format!(
                "lesson {} at {} conflicts with {wanted:?}, and {stored:?} are stored; mapping {mapping:?}",
                lesson.id, content.starts_at
            ));
        }
        let flag = mapping.is_some_and(|mapping| mapping.has_conflict);
        if flag == wanted.is_empty() {
            found.push(format!("the flag of lesson {} says {flag}", lesson.id));
        }
    }
    found
}

/// What people added to events of ours is still there, as long as the event is the same one.
fn additions_lost(world: &World) -> Vec<String> {
    let state = world.sim.state();
    let mut found = Vec::new();
    for ((calendar, id), Additions { guests }) in &state.truth.additions {
        let Some(event) = state.google.event(calendar, id).filter(|event| event["status"] != "cancelled") else {
            continue;
        };
        let present: BTreeSet<&str> =
            event["attendees"].as_array().into_iter().flatten().filter_map(|guest| guest["email"].as_str()).collect();
        if let Some(guest) = guests.iter().find(|guest| !present.contains(guest.as_str())) {
            found.push(format!("{guest} is no longer a guest of {id} in {calendar}"));
        }
        if event["colorId"] != "5" {
            found.push(format!("{id} in {calendar} lost its colour"));
        }
    }
    found
}

/// Whether a connection works and follows changes by itself.
pub fn is_automatic(credentials: &InstructorCalendarCredentials) -> bool {
    credentials.status == ConnectionStatus::Active
        && credentials.settings.sync_enabled
        && credentials.settings.auto_sync
}
