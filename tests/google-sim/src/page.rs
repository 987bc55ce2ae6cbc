//! A person's calendar page. It works without JavaScript; a small script only keeps it fresh.

mod forms;
mod week;

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, Utc};
use chrono_tz::Tz;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use crate::Google;
use crate::calendar::Calendar;
use crate::http::{Request, Response, lookup};
use crate::oauth::GrantEnd;

/// The stylesheet of all pages.
pub(crate) const STYLE: &str = include_str!("page/page.css");

const SCRIPT: &str = include_str!("page/page.js");

/// What of which calendar is shown.
struct Shown<'a> {
    calendar: &'a Calendar,
    /// What the calendar's clock shows.
    here: NaiveDateTime,
    /// The Monday of the week.
    week: NaiveDate,
}

impl Shown<'_> {
    /// The page's address for the week that holds `day`.
    fn address(&self, day: NaiveDate) -> String {
        format!("/?calendar={}&week={}", encode(&self.calendar.id), week::monday(day))
    }

    /// The page's address with the forms of an event.
    fn edit(&self, event: &Value) -> String {
        format!("{}&edit={}#edit", self.address(self.week), encode(event["id"].as_str().unwrap_or_default()))
    }
}

impl Google {
    /// The page itself, and what its forms send.
    pub(crate) fn page(&mut self, real: DateTime<Utc>, request: &Request) -> Response {
        let now = self.now(real);
        if request.method == "POST" {
            return self.edit_from_page(real, request);
        }
        let wanted = request.param("calendar");
        let calendars: Vec<Calendar> = self.calendars.all.values().cloned().collect();
        let calendar = calendars
            .iter()
            .find(|calendar| wanted == Some(calendar.id.as_str()))
            .or_else(|| calendars.iter().find(|calendar| calendar.primary));
        let Some(calendar) = calendar else {
            return Response::html(200, "No calendars.".to_owned());
        };
        let here = now.with_timezone(&calendar.zone).naive_local();
        let day = request
            .param("week")
            .and_then(|day| day.parse().ok())
            .filter(|day| week::is_shown(*day))
            .unwrap_or_else(|| here.date());
        let shown = Shown { calendar, here, week: week::monday(day) };
        let events = self.events_of_week(now, &shown);
        let edited = request.param("edit").and_then(|id| events.iter().find(|event| event["id"] == id));
        let page = html! {
            @if let Some(reason) = request.param("refused") {
                p.refused role="alert" { "Google refused that: " (reason) "." }
            }
            @if let Some(event) = edited.filter(|_| !calendar.generated) { (forms::edit(&shown, event)) }
            @else if !calendar.generated { (forms::add(&shown)) }
            section #events aria-label="Events" { (week::week(&shown, &events)) }
            @if self.tokens.has_granted(&calendar.owner) { (forms::access(&shown)) }
        };
        Response::html(200, document(&calendars, &shown, &page).into_string())
    }

    /// The events of the week, occurrences of series one by one.
    fn events_of_week(&mut self, now: DateTime<Utc>, shown: &Shown<'_>) -> Vec<Value> {
        // A day more on both sides covers every zone; the page leaves out what is on none of its days.
        let request = Request::new(
            "GET",
            &format!(
                "/?singleEvents=true&orderBy=startTime&maxResults=2500&timeMin={}T00:00:00Z&timeMax={}T00:00:00Z",
                shown.week - Days::new(1),
                shown.week + Days::new(8),
            ),
        );
        let listed = self.list_as_owner(now, shown.calendar, &request);
        listed["items"].as_array().cloned().unwrap_or_default()
    }

    fn edit_from_page(&mut self, now: DateTime<Utc>, request: &Request) -> Response {
        let form = request.form_fields();
        let field = |name: &str| lookup(&form, name).unwrap_or_default();
        let (calendar, id) = (field("calendar"), field("id"));
        let outcome = match field("action") {
            "add" => self.create_event(now, calendar, &forms::event_of(&form)).map(|_| ()),
            "change" => self.edit_event(now, calendar, id, &forms::event_of(&form)),
            "delete" => self.delete_event(now, calendar, id),
            "respond" => self.respond(now, calendar, id, field("answer")),
            "withdraw" => {
                if let Some(owner) = self.calendars.all.get(calendar).map(|calendar| calendar.owner.clone()) {
                    self.end_grants(now, &owner, GrantEnd::Revoked);
                }
                Ok(())
            }
            _ => Ok(()),
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("calendar", calendar);
        query.append_pair("week", field("week"));
        if let Err(refusal) = outcome {
            query.append_pair("refused", &refusal.reason);
        }
        Response::redirect(&format!("/?{}", query.finish()))
    }
}

fn document(calendars: &[Calendar], shown: &Shown<'_>, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (shown.calendar.summary) " – simulated Google Calendar" }
                style { (PreEscaped(STYLE)) }
            }
            body.calendar {
                header {
                    h1 { "Calendar" }
                    nav aria-label="Calendars" {
                        @for calendar in calendars {
                            a href={ "/?calendar=" (encode(&calendar.id)) }
                                aria-current=[(calendar.id == shown.calendar.id).then_some("page")] { (calendar.summary) }
                        }
                    }
                    p.quiet { (shown.here.format("%A, %-d %B %Y, %H:%M")) " · " (shown.calendar.zone.name()) }
                }
                main {
                    nav.weeks aria-label="Weeks" {
                        h2 { (shown.week.format("%-d %B")) " – " ((shown.week + Days::new(6)).format("%-d %B %Y")) }
                        a href=(shown.address(shown.week - Days::new(7))) aria-label="The week before" { "‹" }
                        a href=(shown.address(shown.here.date())) { "Today" }
                        a href=(shown.address(shown.week + Days::new(7))) aria-label="The week after" { "›" }
                    }
                    (content)
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
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
