//! A person's calendar page. It works without JavaScript; a small script only keeps it fresh.

use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::{Value, json};

use crate::Google;
use crate::calendar::Calendar;
use crate::http::{Request, Response, lookup};

/// The stylesheet of all pages.
pub(crate) const STYLE: &str = include_str!("page.css");

const SCRIPT: &str = include_str!("page.js");

/// How many days the page shows.
const DAYS: i64 = 21;

impl Google {
    /// The page itself, and what its forms send.
    pub(crate) fn page(&mut self, real: DateTime<Utc>, request: &Request) -> Response {
        let now = self.now(real);
        if request.method == "POST" {
            return self.edit_from_page(real, request);
        }
        let wanted = request.param("calendar");
        let calendars: Vec<Calendar> = self.calendars.all.values().cloned().collect();
        let shown = calendars
            .iter()
            .find(|calendar| wanted == Some(calendar.id.as_str()))
            .or_else(|| calendars.iter().find(|calendar| calendar.primary));
        let Some(shown) = shown else {
            return Response::html(200, "No calendars.".to_owned());
        };
        let events = self.upcoming(now, shown);
        let page = document(&calendars, shown, &events, now, request.param("refused"));
        Response::html(200, page.into_string())
    }

    /// The events of the next weeks, occurrences of series one by one.
    fn upcoming(&mut self, now: DateTime<Utc>, calendar: &Calendar) -> Vec<Value> {
        let request = Request::new(
            "GET",
            &format!(
                "/?singleEvents=true&orderBy=startTime&maxResults=500&timeMin={}&timeMax={}",
                (now - Duration::days(1)).format("%Y-%m-%dT00:00:00Z"),
                (now + Duration::days(DAYS)).format("%Y-%m-%dT00:00:00Z"),
            ),
        );
        let listed = self.list_as_owner(now, calendar, &request);
        listed["items"].as_array().cloned().unwrap_or_default()
    }

    fn edit_from_page(&mut self, now: DateTime<Utc>, request: &Request) -> Response {
        let form = request.form_fields();
        let field = |name: &str| lookup(&form, name).unwrap_or_default();
        let (calendar, id) = (field("calendar"), field("id"));
        let outcome = match field("action") {
            "add" => self.create_event(now, calendar, &new_event(&form)).map(|_| ()),
            "move" => self.edit_event(now, calendar, id, &times(&form)),
            "delete" => self.delete_event(now, calendar, id),
            "respond" => self.respond(now, calendar, id, field("answer")),
            _ => Ok(()),
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("calendar", calendar);
        if let Err(refusal) = outcome {
            query.append_pair("refused", &refusal.reason);
        }
        Response::redirect(&format!("/?{}", query.finish()))
    }
}

fn new_event(form: &[(String, String)]) -> Value {
    let mut event = times(form);
    let field = |name: &str| lookup(form, name).filter(|value| !value.is_empty());
    event["summary"] = json!(field("summary").unwrap_or("Busy"));
    if field("free").is_some() {
        event["transparency"] = json!("transparent");
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

fn document(
    calendars: &[Calendar],
    shown: &Calendar,
    events: &[Value],
    now: DateTime<Utc>,
    refused: Option<&str>,
) -> Markup {
    let here = now.with_timezone(&shown.zone).naive_local();
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (shown.summary) " – simulated Google Calendar" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Calendar" }
                    nav {
                        @for calendar in calendars {
                            a href={ "/?calendar=" (encode(&calendar.id)) }
                                aria-current=[(calendar.id == shown.id).then_some("page")] { (calendar.summary) }
                        }
                    }
                    p.quiet { (here.format("%A, %-d %B %Y, %H:%M")) " · " (shown.zone.name()) }
                }
                main {
                    @if let Some(reason) = refused {
                        p.refused role="alert" { "Google refused that: " (reason) "." }
                    }
                    @if !shown.generated { (add_form(shown, here)) }
                    section #events aria-label="Events" { (agenda(shown, events)) }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn add_form(calendar: &Calendar, here: NaiveDateTime) -> Markup {
    let start = (here + Duration::hours(1)).format("%Y-%m-%dT%H:00");
    let end = (here + Duration::hours(2)).format("%Y-%m-%dT%H:00");
    html! {
        form.card.add method="post" action="/events" {
            (hidden(calendar, "add"))
            label.wide { span { "New event" } input name="summary" placeholder="Add a title" required; }
            label { span { "Starts" } input type="datetime-local" name="start" value=(start) required; }
            label { span { "Ends" } input type="datetime-local" name="end" value=(end) required; }
            label { span { "Repeats" }
                select name="repeat" {
                    option value="" { "Never" }
                    option value="DAILY" { "Every day" }
                    option value="WEEKLY" { "Every week" }
                    option value="MONTHLY" { "Every month" }
                }
            }
            label.check { input type="checkbox" name="all_day" value="1"; span { "All day" } }
            label.check { input type="checkbox" name="free" value="1"; span { "Show as free" } }
            button.primary { "Add" }
        }
    }
}

fn agenda(calendar: &Calendar, events: &[Value]) -> Markup {
    let mut days: Vec<(NaiveDate, Vec<&Value>)> = Vec::new();
    for event in events {
        let day = wall(&event["start"], calendar.zone).date();
        match days.last_mut() {
            Some((last, of_day)) if *last == day => of_day.push(event),
            _ => days.push((day, vec![event])),
        }
    }
    html! {
        @if days.is_empty() {
            p.quiet.empty { "Nothing in the next three weeks." }
        }
        @for (day, events) in &days {
            h2 { (day.format("%A, %-d %B")) }
            @for event in events {
                (card(calendar, event))
            }
        }
    }
}

fn card(calendar: &Calendar, event: &Value) -> Markup {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    let all_day = event["start"]["date"].is_string();
    let (start, end) = (wall(&event["start"], calendar.zone), wall(&event["end"], calendar.zone));
    let own = event["organizer"]["self"] == json!(true);
    // The page shows the last day, not the day after it.
    let last = if all_day && end > start { end - Duration::days(1) } else { end };
    html! {
        article.event.free[event["transparency"] == json!("transparent")] id={ "e-" (text("id")) } {
            div {
                span.time {
                    @if all_day { "All day" }
                    @else { (start.format("%H:%M")) "–" (end.format("%H:%M")) }
                }
                strong { (event["summary"].as_str().unwrap_or("(No title)")) }
                @if event["recurringEventId"].is_string() { span.tag { "repeats" } }
                @if !own { span.tag { "invited by " (event["organizer"]["email"].as_str().unwrap_or_default()) } }
                @if let Some(place) = event["location"].as_str() { div.quiet { (place) } }
                @if let Some(words) = event["description"].as_str() { div.quiet { (words) } }
            }
            @if !calendar.generated {
                details {
                    summary { "Change" }
                    form method="post" action="/events" {
                        (hidden(calendar, "move"))
                        input type="hidden" name="id" value=(text("id"));
                        @if all_day { input type="hidden" name="all_day" value="1"; }
                        label { span { "Starts" } input type=(kind(all_day)) name="start" value=(start.format(form_of(all_day))) required; }
                        label { span { "Ends" } input type=(kind(all_day)) name="end" value=(last.format(form_of(all_day))) required; }
                        button { "Move" }
                    }
                    @if !own {
                        form method="post" action="/events" {
                            (hidden(calendar, "respond"))
                            input type="hidden" name="id" value=(text("id"));
                            button name="answer" value="accepted" { "Accept" }
                            button name="answer" value="declined" { "Decline" }
                        }
                    }
                    form method="post" action="/events" {
                        (hidden(calendar, "delete"))
                        input type="hidden" name="id" value=(text("id"));
                        button.danger { "Delete" }
                    }
                }
            }
        }
    }
}

fn hidden(calendar: &Calendar, action: &str) -> Markup {
    html! {
        input type="hidden" name="action" value=(action);
        input type="hidden" name="calendar" value=(calendar.id);
        input type="hidden" name="zone" value=(calendar.zone.name());
    }
}

fn kind(all_day: bool) -> &'static str {
    if all_day { "date" } else { "datetime-local" }
}

fn form_of(all_day: bool) -> &'static str {
    if all_day { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%M" }
}

/// What the calendar's clock shows at a `start` or `end`.
fn wall(time: &Value, zone: Tz) -> NaiveDateTime {
    let moment = time["dateTime"].as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    let day = time["date"].as_str().and_then(|text| text.parse::<NaiveDate>().ok());
    match (moment, day) {
        (Some(moment), _) => moment.with_timezone(&zone).naive_local(),
        (None, day) => day.unwrap_or_default().and_time(chrono::NaiveTime::MIN),
    }
}

fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
