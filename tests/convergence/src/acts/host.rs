//! What the host application does to its lessons. Each change of a row gives a record in the table's stream.

use calendar_sync::{
    model::{ConnectionKey, InstructorId, Lesson, LessonId, TenantId, timestamp},
    ports::LessonLookup,
    usecases::note_lesson_changes::LessonChange,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{coverage::Fault, texts, world::World};

/// The most lessons at a time.
const MAX_LESSONS: usize = 10;

type Row = ((TenantId, LessonId), Value);

/// The start of a half hour in the next days, now and then in the past days or far ahead, even outside of a run's
/// window.
pub(super) fn some_time(world: &World) -> DateTime<Utc> {
    let mut state = world.sim.state();
    let half_hours = match state.dice.below(20) {
        0 => state.dice.between(-48 * 12, 0),
        1 => state.dice.between(48, 48 * 400),
        _ => state.dice.between(1, 48 * 6),
    };
    let half_hour = TimeDelta::minutes(30);
    let now = state.now.timestamp() / half_hour.num_seconds() * half_hour.num_seconds();
    DateTime::from_timestamp(now, 0).unwrap_or_default() + half_hour * i32::try_from(half_hours).unwrap_or(0)
}

fn read(world: &World, (tenant, id): (TenantId, LessonId)) -> Option<Lesson> {
    match world.store.tables().lesson(tenant, id) {
        LessonLookup::Found(lesson) => Some(*lesson),
        LessonLookup::Gone | LessonLookup::Unreadable(_) => None,
    }
}

/// The connection whose lesson the row is of.
fn owner((tenant_id, _): (TenantId, LessonId), row: &Value) -> Option<ConnectionKey> {
    let instructor_id = row["instructor_id"].as_str()?.parse().ok()?;
    Some(ConnectionKey { tenant_id, instructor_id })
}

fn is_unreadable(row: &Value) -> bool {
    row["ends_at"].is_null()
}

/// Writes or removes a row, as a host does, and puts its record into the stream.
fn put(world: &mut World, key: (TenantId, LessonId), row: Option<Value>) {
    let old = read(world, key);
    let at = world.now();
    let said = row.clone().unwrap_or_default();
    let before = world.store.tables().lessons.get(&key).cloned();
    let rows: Vec<&Value> = [&before, &row].into_iter().flatten().collect();
    if rows.iter().any(|row| is_unreadable(row)) {
        // Of such a row the record does not say whose lesson it is.
        world.sim.state().truth.miss(rows.iter().filter_map(|row| owner(key, row)));
    }
    world.sim.state().truth.say(key, at, said);
    match row {
        Some(row) => world.store.tables().lessons.insert(key, row),
        None => world.store.tables().lessons.remove(&key),
    };
    let new = read(world, key);
    world.stream.push_back(LessonChange { old, new, at });
}

fn any_row(world: &World, wanted: impl Fn(&Value) -> bool) -> Option<Row> {
    let tables = world.store.tables();
    let rows: Vec<Row> =
        tables.lessons.iter().filter(|(_, row)| wanted(row)).map(|(key, row)| (*key, row.clone())).collect();
    drop(tables);
    if rows.is_empty() {
        return None;
    }
    Some(world.sim.state().dice.pick(&rows).clone())
}

fn set_time(row: &mut Value, start: DateTime<Utc>, minutes: i64) {
    row["starts_at"] = json!(timestamp::format(start));
    row["ends_at"] = json!(timestamp::format(start + TimeDelta::minutes(minutes)));
}

pub(super) fn time_of_a_lesson(world: &World) -> Option<DateTime<Utc>> {
    let (_, row) = any_row(world, |_| true)?;
    row["starts_at"].as_str()?.parse().ok()
}

fn some_minutes(world: &World) -> i64 {
    *world.sim.state().dice.pick(&[30, 45, 60, 60, 90])
}

fn short(id: LessonId) -> String {
    id.to_string().chars().take(8).collect()
}

pub(super) fn add(world: &mut World) -> Option<String> {
    if world.store.tables().lessons.len() >= MAX_LESSONS {
        return None;
    }
    let (start, minutes, zone) = (some_time(world), some_minutes(world), some_zone(world));
    let mut state = world.sim.state();
    let party = *state.dice.pick(&world.parties);
    let id = LessonId(Uuid::from_u64_pair(state.dice.roll(), state.dice.roll()));
    let mut row = json!({
        "tenant_id": party.key.tenant_id, "id": id, "instructor_id": party.key.instructor_id,
        "title": "Piano", "status": "scheduled", "time_zone": zone,
    });
    if state.dice.percent(30) {
        row["description"] = json!("Scales");
    }
    if state.dice.percent(20) {
        row["location"] = json!("Room 1");
    }
    state.coverage.met(Fault::LessonAdded);
    drop(state);
    set_time(&mut row, start, minutes);
    put(world, (party.key.tenant_id, id), Some(row));
    Some(format!("{} for {} on {start}", short(id), party.account))
}

pub(super) fn move_one(world: &mut World) -> Option<String> {
    let (key, mut row) = any_row(world, |_| true)?;
    let (start, minutes) = (some_time(world), some_minutes(world));
    note_what_it_meets(world, key, &row);
    set_time(&mut row, start, minutes);
    put(world, key, Some(row));
    world.sim.met(Fault::LessonMoved);
    Some(format!("{} to {start}", short(key.1)))
}

/// In what state of its sync a lesson is changed.
fn note_what_it_meets(world: &World, (tenant_id, lesson): (TenantId, LessonId), row: &Value) {
    let Some(key) = owner((tenant_id, lesson), row) else { return };
    let tables = world.store.tables();
    if tables.credentials.get(&key).is_some_and(|row| !row.settings.sync_direction.writes()) {
        world.sim.met(Fault::LessonMovedWhereNothingIsWritten);
    }
    if tables.mapping(key, lesson).is_some_and(|mapping| mapping.in_flight.is_some()) {
        world.sim.met(Fault::LessonChangedWhileItsAnswerIsLost);
    }
}

pub(super) fn edit(world: &mut World) -> Option<String> {
    let (key, mut row) = any_row(world, |_| true)?;
    let (field, value) = {
        let mut state = world.sim.state();
        let field = *state.dice.pick(&["title", "title", "description", "location"]);
        let is_odd = state.dice.percent(40);
        if is_odd {
            state.coverage.met(Fault::OddText);
        }
        let number = state.dice.below(5);
        let text = if is_odd && field == "description" {
            texts::odd(number)
        } else if is_odd {
            texts::odd(number % 2)
        } else {
            format!("Text {number}")
        };
        (field, (field == "title" || state.dice.percent(70)).then_some(text))
    };
    row[field] = json!(value);
    if value.is_none() {
        row.as_object_mut()?.remove(field);
    }
    put(world, key, Some(row));
    world.sim.met(Fault::LessonEdited);
    Some(format!("{field} of {} is {value:?}", short(key.1)))
}

/// Changes the lesson's place alone.
pub(super) fn change_zone(world: &mut World) -> Option<String> {
    let (key, mut row) = any_row(world, |_| true)?;
    let zone = some_zone(world);
    row["time_zone"] = json!(zone);
    put(world, key, Some(row));
    world.sim.met(Fault::LessonZoneChanged);
    Some(format!("{} to {zone}", short(key.1)))
}

fn some_zone(world: &World) -> &'static str {
    let zones = ["Europe/Berlin", "America/New_York", "UTC", "Asia/Beirut", "Europe/Kyiv"];
    zones[world.sim.state().dice.below(zones.len())]
}

fn set_status(world: &mut World, from: &str, to: &str, met: Fault) -> Option<String> {
    let (key, mut row) = any_row(world, |row| row["status"] == from)?;
    row["status"] = json!(to);
    put(world, key, Some(row));
    world.sim.met(met);
    Some(short(key.1))
}

pub(super) fn cancel(world: &mut World) -> Option<String> {
    set_status(world, "scheduled", "cancelled", Fault::LessonCancelled)
}

pub(super) fn reinstate(world: &mut World) -> Option<String> {
    set_status(world, "cancelled", "scheduled", Fault::LessonReinstated)
}

pub(super) fn remove(world: &mut World) -> Option<String> {
    let (key, _) = any_row(world, |_| true)?;
    put(world, key, None);
    world.sim.met(Fault::LessonRemoved);
    Some(short(key.1))
}

/// Gives the lesson to the other instructor of the school.
pub(super) fn reassign(world: &mut World) -> Option<String> {
    let of_school = |row: &Value| row["tenant_id"] == json!(world.parties[0].key.tenant_id);
    let (key, mut row) = any_row(world, of_school)?;
    let [first, second] = [0, 1].map(|index: usize| world.parties[index].key.instructor_id);
    let now: InstructorId = row["instructor_id"].as_str()?.parse().ok()?;
    let to = if now == first { second } else { first };
    row["instructor_id"] = json!(to);
    put(world, key, Some(row));
    world.sim.met(Fault::LessonReassigned);
    Some(format!("{} to {to}", short(key.1)))
}

/// A host that does not know our columns replaces its whole row.
pub(super) fn put_anew(world: &mut World) -> Option<String> {
    let (key, mut row) = any_row(world, |_| true)?;
    for column in ["google_calendar_event_id", "calendar_sync_status", "has_conflict"] {
        row.as_object_mut()?.remove(column);
    }
    put(world, key, Some(row));
    world.sim.met(Fault::LessonRowPutAnew);
    Some(short(key.1))
}

/// Makes a row unreadable for a while.
pub(super) fn spoil(world: &mut World) -> Option<String> {
    let spoiled = any_row(world, is_unreadable);
    let (key, mut row) = spoiled.clone().or_else(|| any_row(world, |_| true))?;
    if spoiled.is_some() {
        mend(&mut row);
    } else {
        row["ends_at"] = Value::Null;
    }
    put(world, key, Some(row));
    world.sim.met(Fault::LessonRowSpoiled);
    Some(short(key.1))
}

fn mend(row: &mut Value) {
    let start: Option<DateTime<Utc>> = row["starts_at"].as_str().and_then(|at| at.parse().ok());
    set_time(row, start.unwrap_or_default(), 60);
}

/// Makes every row readable.
pub(crate) fn mend_all(world: &mut World) {
    while let Some((key, mut row)) = any_row(world, is_unreadable) {
        mend(&mut row);
        put(world, key, Some(row));
    }
}
