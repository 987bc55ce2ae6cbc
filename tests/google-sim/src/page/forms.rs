//! The calendar page's forms, and what they send.

use chrono::{Duration, NaiveDate};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::week::title;
use super::{Shown, wall};
use crate::http::lookup;

/// What an event becomes by a form: of an event that is changed, what the form does not have stays.
pub(super) fn event_of(form: &[(String, String)]) -> Value {
    let mut event = times(form);
    let field = |name: &str| lookup(form, name).filter(|value| !value.is_empty());
    let chosen = |name: &str, yes: &'static str, no: &'static str| if field(name).is_some() { yes } else { no };
    if let Some(summary) = field("summary") {
        event["summary"] = json!(summary);
        event["transparency"] = json!(chosen("free", "transparent", "opaque"));
        event["visibility"] = json!(chosen("private", "private", "default"));
        event["status"] = json!(chosen("tentative", "tentative", "confirmed"));
    }
    if let Some(rule) = field("repeat") {
        event["recurrence"] = json!([format!("RRULE:FREQ={rule}")]);
    }
    event
}

/// Start and end from a form, as days or as moments in the calendar's zone.
fn times(form: &[(String, String)]) -> Value {
    let field = |name: &str| lookup(form, name).unwrap_or_default();
    let all_day = !field("all_day").is_empty();
    let time = |name: &str| {
        let text = field(name);
        if all_day {
            json!({"date": text.get(..10).unwrap_or(text)})
        } else {
            json!({"dateTime": format!("{text}:00"), "timeZone": field("zone")})
        }
    };
    let (start, mut end) = (time("start"), time("end"));
    if all_day {
        // A person names the last day; the API wants the day after it.
        let day = end["date"].as_str().and_then(|day| day.parse::<NaiveDate>().ok());
        end = json!({"date": day.map(|day| (day + Duration::days(1)).to_string())});
    }
    json!({"start": start, "end": end})
}

pub(super) fn add(shown: &Shown<'_>) -> Markup {
    let at = |hours: i64| (shown.here + Duration::hours(hours)).format("%Y-%m-%dT%H:00").to_string();
    html! {
        details.card.add {
            summary { "New event" }
            form method="post" action="/events" {
                (hidden(shown, "add"))
                label.wide { span { "Title" } input name="summary" required; }
                (moments("datetime-local", &at(1), &at(2)))
                label { span { "Repeats" }
                    select name="repeat" {
                        option value="" { "Never" }
                        option value="DAILY" { "Every day" }
                        option value="WEEKLY" { "Every week" }
                        option value="MONTHLY" { "Every month" }
                    }
                }
                label.check { input type="checkbox" name="all_day" value="1"; span { "All day" } }
                (boxes(&Value::Null))
                button.primary { "Add" }
            }
        }
    }
}

/// The forms of one event.
pub(super) fn edit(shown: &Shown<'_>, event: &Value) -> Markup {
    let own = event["organizer"]["self"] == json!(true);
    let all_day = event["start"]["date"].is_string();
    let (start, end) = (wall(&event["start"], shown.calendar.zone), wall(&event["end"], shown.calendar.zone));
    // The page shows the last day, not the day after it.
    let last = if all_day && end > start { end - Duration::days(1) } else { end };
    let (kind, form) = if all_day { ("date", "%Y-%m-%d") } else { ("datetime-local", "%Y-%m-%dT%H:%M") };
    html! {
        section.card.edit #edit aria-labelledby="edited" {
            h2 #edited { (title(event)) }
            form method="post" action="/events" {
                (of_event(shown, event, "change"))
                @if all_day { input type="hidden" name="all_day" value="1"; }
                @if own { label.wide { span { "Title" } input name="summary" value=(event["summary"].as_str().unwrap_or_default()) required; } }
                (moments(kind, &start.format(form).to_string(), &last.format(form).to_string()))
                @if own { (boxes(event)) }
                button.primary { "Save" }
            }
            div.actions {
                @if !own {
                    form method="post" action="/events" {
                        (of_event(shown, event, "respond"))
                        button name="answer" value="accepted" { "Accept" }
                        button name="answer" value="tentative" { "Maybe" }
                        button name="answer" value="declined" { "Decline" }
                    }
                }
                form method="post" action="/events" {
                    (of_event(shown, event, "delete"))
                    button.danger { "Delete" }
                }
                a href=(shown.address(shown.week)) { "Close" }
            }
        }
    }
}

/// What applications may do with the account, and how that ends.
pub(super) fn access(shown: &Shown<'_>) -> Markup {
    html! {
        form.card.access method="post" action="/events" {
            (hidden(shown, "withdraw"))
            p { "An application has access to " strong { (shown.calendar.owner) } "." }
            button.danger { "Withdraw access" }
        }
    }
}

fn moments(kind: &str, start: &str, end: &str) -> Markup {
    html! {
        label { span { "Starts" } input type=(kind) name="start" value=(start) required; }
        label { span { "Ends" } input type=(kind) name="end" value=(end) required; }
    }
}

fn boxes(event: &Value) -> Markup {
    let is = |name: &str, value: &str| event[name] == json!(value);
    html! {
        label.check { input type="checkbox" name="free" value="1" checked[is("transparency", "transparent")]; span { "Show as free" } }
        label.check { input type="checkbox" name="tentative" value="1" checked[is("status", "tentative")]; span { "Tentative" } }
        label.check { input type="checkbox" name="private" value="1" checked[is("visibility", "private")]; span { "Private" } }
    }
}

fn of_event(shown: &Shown<'_>, event: &Value, action: &str) -> Markup {
    html! {
        (hidden(shown, action))
        input type="hidden" name="id" value=(event["id"].as_str().unwrap_or_default());
    }
}

fn hidden(shown: &Shown<'_>, action: &str) -> Markup {
    html! {
        input type="hidden" name="action" value=(action);
        input type="hidden" name="calendar" value=(shown.calendar.id);
        input type="hidden" name="zone" value=(shown.calendar.zone.name());
        input type="hidden" name="week" value=(shown.week);
    }
}
