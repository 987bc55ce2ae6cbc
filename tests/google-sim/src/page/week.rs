//! The calendar page's week: a grid of seven days, and its events as a list for narrow screens.

use chrono::{Datelike, Days, Duration, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{Shown, wall};

/// The Monday of the week that holds `day`.
pub(super) fn monday(day: NaiveDate) -> NaiveDate {
    day.week(Weekday::Mon).first_day()
}

/// Whether the calendar shows the day: an address may name any.
pub(super) fn is_shown(day: NaiveDate) -> bool {
    (1..=9999).contains(&day.year())
}

/// An event of the week as it is drawn.
struct Entry<'a> {
    event: &'a Value,
    start: NaiveDateTime,
    end: NaiveDateTime,
    all_day: bool,
}

/// The events of the week, as a grid and as a list.
pub(super) fn week(shown: &Shown<'_>, events: &[Value]) -> Markup {
    let entries: Vec<Entry<'_>> = events.iter().map(|event| entry(shown, event)).collect();
    let days: Vec<NaiveDate> = shown.week.iter_days().take(7).collect();
    html! {
        div.week {
            div.heads {
                @for day in &days {
                    div.head.today[*day == shown.here.date()] { (day.format("%a")) " " strong { (day.day()) } }
                }
            }
            div.heads.whole-days {
                @for day in &days {
                    div { @for entry in entries.iter().filter(|entry| entry.all_day && entry.is_on(*day)) { (block(shown, entry, "")) } }
                }
            }
            div.grid {
                div.hours aria-hidden="true" { @for hour in 1..24 { span { (hour) ":00" } } }
                @for day in &days { div.day.today[*day == shown.here.date()] { (day_of(shown, &entries, *day)) } }
            }
        }
        div.agenda { (agenda(shown, &entries, &days)) }
    }
}

impl Entry<'_> {
    fn is_on(&self, day: NaiveDate) -> bool {
        let begin = day.and_time(NaiveTime::MIN);
        self.start < begin + Days::new(1) && self.end.max(self.start + Duration::minutes(1)) > begin
    }
}

fn entry<'a>(shown: &Shown<'_>, event: &'a Value) -> Entry<'a> {
    let (start, end) = (wall(&event["start"], shown.calendar.zone), wall(&event["end"], shown.calendar.zone));
    Entry { event, start, end, all_day: event["start"]["date"].is_string() }
}

/// The timed events of a day, side by side where they overlap.
fn day_of(shown: &Shown<'_>, entries: &[Entry<'_>], day: NaiveDate) -> Markup {
    let on_day: Vec<&Entry<'_>> = entries.iter().filter(|entry| !entry.all_day && entry.is_on(day)).collect();
    let begin = day.and_time(NaiveTime::MIN);
    let minutes = |at: NaiveDateTime| (at - begin).num_minutes().clamp(0, 24 * 60);
    let spans: Vec<(i64, i64)> =
        on_day.iter().map(|entry| (minutes(entry.start), minutes(entry.end).max(minutes(entry.start) + 30))).collect();
    html! {
        @for (entry, ((from, to), (lane, lanes))) in on_day.iter().zip(spans.iter().zip(lanes(&spans))) {
            (block(shown, entry, &format!("--from:{from};--to:{to};--lane:{lane};--lanes:{lanes}")))
        }
    }
}

/// For each span, sorted by its start: its lane, and how many lanes its group of overlapping spans has.
fn lanes(spans: &[(i64, i64)]) -> Vec<(usize, usize)> {
    let mut placed: Vec<(usize, usize)> = Vec::new();
    let mut group = 0;
    let mut ends: Vec<i64> = Vec::new();
    for (place, &(from, to)) in spans.iter().enumerate() {
        if ends.iter().all(|end| *end <= from) {
            close(&mut placed[group..], ends.len());
            (group, ends) = (place, Vec::new());
        }
        let free = ends.iter().position(|end| *end <= from);
        let lane = free.unwrap_or(ends.len());
        if free.is_some() {
            ends[lane] = to;
        } else {
            ends.push(to);
        }
        placed.push((lane, 0));
    }
    close(&mut placed[group..], ends.len());
    placed
}

fn close(group: &mut [(usize, usize)], lanes: usize) {
    for (_, of) in group {
        *of = lanes;
    }
}

fn block(shown: &Shown<'_>, entry: &Entry<'_>, place: &str) -> Markup {
    let Entry { event, start, end, all_day } = entry;
    let time = if *all_day { String::new() } else { format!("{}–{} ", start.format("%H:%M"), end.format("%H:%M")) };
    html! {
        a class={ "block " (kind(event)) } style=[(!place.is_empty()).then_some(place)] href=(shown.edit(event)) title={ (time) (title(event)) } {
            strong { (title(event)) } " " span { (time.trim()) }
        }
    }
}

fn agenda(shown: &Shown<'_>, entries: &[Entry<'_>], days: &[NaiveDate]) -> Markup {
    html! {
        @if entries.is_empty() { p.quiet.empty { "Nothing in this week." } }
        @for day in days {
            @let of_day: Vec<&Entry<'_>> = entries.iter().filter(|entry| entry.is_on(*day)).collect();
            @if !of_day.is_empty() {
                h2 { (day.format("%A, %-d %B")) }
                @for entry in of_day { (card(shown, entry)) }
            }
        }
    }
}

fn card(shown: &Shown<'_>, Entry { event, start, end, all_day }: &Entry<'_>) -> Markup {
    let text = |name: &str| event[name].as_str();
    let own = event["organizer"]["self"] == json!(true);
    html! {
        article class={ "event " (kind(event)) } {
            span.time {
                @if *all_day { "All day" } @else { (start.format("%H:%M")) "–" (end.format("%H:%M")) }
            }
            div {
                strong { (title(event)) }
                @if is_lesson(event) { span.tag { "lesson" } }
                @if text("recurringEventId").is_some() { span.tag { "repeats" } }
                @if text("status") == Some("tentative") { span.tag { "tentative" } }
                @if text("visibility") == Some("private") { span.tag { "private" } }
                @if text("transparency") == Some("transparent") { span.tag { "free" } }
                @if !own { span.tag { "invited by " (event["organizer"]["email"].as_str().unwrap_or_default()) } }
                @if let Some(place) = text("location") { div.quiet { (place) } }
                @if let Some(words) = text("description") { div.quiet { (words) } }
            }
            @if !shown.calendar.generated { a href=(shown.edit(event)) aria-label={ "Change " (title(event)) } { "Change" } }
        }
    }
}

pub(super) fn title(event: &Value) -> &str {
    event["summary"].as_str().unwrap_or("(No title)")
}

/// Whether an application that keeps lessons made it, which says so in a property of its own.
fn is_lesson(event: &Value) -> bool {
    event["extendedProperties"]["private"]["lessonId"].is_string()
}

/// How an event is drawn.
fn kind(event: &Value) -> &'static str {
    match () {
        () if is_lesson(event) => "lesson",
        () if event["transparency"] == json!("transparent") => "free",
        () if event["status"] == json!("tentative") => "tentative",
        () => "busy",
    }
}

#[cfg(test)]
mod tests {
    use super::lanes;

    #[test]
    fn events_that_overlap_stand_side_by_side() {
        assert_eq!(lanes(&[]), []);
        let alone_then_three_of_which_two_at_once = [(0, 60), (60, 180), (90, 120), (120, 150), (180, 200)];
        assert_eq!(lanes(&alone_then_three_of_which_two_at_once), [(0, 1), (0, 2), (1, 2), (1, 2), (0, 1)]);
    }
}
