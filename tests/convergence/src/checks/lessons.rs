//! Each live lesson in the window has exactly one event, which shows what the lesson says; no other lesson has any; and
//! the host's rows say so.

use std::collections::BTreeMap;

use calendar_sync::model::{CalendarEventMapping, Lesson, LessonId, LessonStatus, SyncStatus};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Rest, gave_up, lessons_of, live_events};
use crate::{
    texts::as_kept,
    world::{Party, World},
    zones,
};

/// What is wrong with the events of lessons.
pub(super) fn one_event_for_each(world: &World, party: Party, rest: Rest) -> Vec<String> {
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
        let inside = start > now - TimeDelta::days(6) && start < now + TimeDelta::days(360);
        if (rest != Rest::Asked || !inside) && mapping.as_ref().is_some_and(gave_up) {
            continue;
        }
        let due = lesson.status == LessonStatus::Scheduled;
        let problem = match (&own[..], due) {
            ([], true) if inside => Some("has no event".to_owned()),
            ([], _) => None,
            ([event], true) => differs(&lesson, event, world.sim.state().truth.zones_unknown),
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
        // (Events of a lesson that is gone, which Google refused to delete, stay too.)
        let refused = mapping.is_none() && ids(&own).iter().all(|id| world.sim.state().truth.was_refused(id));
        // (A lost stream record of a lesson that was over long before is not found again.)
        let over = mapping.as_ref().is_some_and(|mapping| mapping.event_end < now - TimeDelta::days(6));
        let unheard = over && world.sim.state().truth.records_lost.contains(&(party.key.tenant_id, lesson));
        let given_up = rest != Rest::Asked && mapping.as_ref().is_some_and(gave_up);
        if refused || given_up || unheard {
            continue;
        }
        found.push(format!("lesson {lesson} is gone and has events {:?}; mapping {mapping:?}", ids(&own)));
    }
    found
}

fn ids(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["id"].as_str()).collect()
}

/// The difference between event and lesson.
fn differs(lesson: &Lesson, event: &Value, zones_unknown: bool) -> Option<String> {
    let content = &lesson.content;
    let moment = |side: &str| -> Option<DateTime<Utc>> { event[side]["dateTime"].as_str()?.parse().ok() };
    let shown = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
    if moment("start") != Some(content.starts_at) || moment("end") != Some(content.ends_at) {
        return Some(format!("is shown at {} to {}", event["start"], event["end"]));
    }
    let zone = content.time_zone.name();
    let in_zone = |side: &str| zones::fits(event[side]["timeZone"].as_str().unwrap_or_default(), zone, zones_unknown);
    if !in_zone("start") || !in_zone("end") {
        return Some(format!("is in {} instead of {zone}", event["start"]["timeZone"]));
    }
    // (In some worlds Google rewrites texts.)
    let fits = |field: &str, wanted: &str| shown(field) == wanted || shown(field) == as_kept(field, wanted);
    if !fits("summary", &content.title) {
        return Some(format!("is called {}", event["summary"]));
    }
    let owned = [("description", &content.description), ("location", &content.location)];
    if let Some((field, wanted)) =
        owned.iter().find(|(field, wanted)| wanted.as_ref().is_some_and(|wanted| !fits(field, wanted)))
    {
        return Some(format!("has {field} {} instead of {wanted:?}", event[*field]));
    }
    (!event["recurrence"].is_null()).then(|| "recurs".to_owned())
}

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

/// What the instructor's row says of the last sync, after one that a person asked for has just ended well.
pub(super) fn last_synced(world: &World, party: Party) -> Option<String> {
    let tables = world.store.tables();
    let row = tables.instructors.get(&(party.key.tenant_id, party.key.instructor_id))?;
    let now = world.now();
    let lately = now - TimeDelta::minutes(15);
    let of_state = tables.states.get(&party.key).and_then(|state| state.last_synced_at);
    let of_row = row["calendar_last_synced_at"].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok());
    let right = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at > lately && at <= now + TimeDelta::seconds(5));
    let right = right(of_state) && right(of_row) && row["calendar_sync_enabled"] == json!(true);
    (!right).then(|| format!("the last sync was on {of_state:?}, and the instructor's row says {row}"))
}
