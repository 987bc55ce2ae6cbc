//! Listing a calendar: its pages, and what they prove together.
//! <https://developers.google.com/workspace/calendar/api/guides/sync>

use chrono::{DateTime, Utc};
use http::Method;
use reqwest::Url;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    GoogleCalendar,
    http::request,
    refusals::{Meaning, Place, meaning},
    resource,
    retry::Retry,
};
use crate::ports::{Access, CalendarError, Listing, ListingOutcome};

/// Bytes of a page token or a sync token: a longer one does not fit into a URL.
const MAX_TOKEN_BYTES: usize = 4 * 1024;

/// One page. Its items are read one by one, so that an unreadable item does not spoil the others.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    time_zone: Option<String>,
    next_page_token: Option<String>,
    next_sync_token: Option<String>,
    #[serde(borrow, default)]
    items: Vec<&'a RawValue>,
}

/// How a listing continues after a page.
enum Next {
    Page(String),
    End { sync_token: String },
}

pub(super) async fn list(
    google: &GoogleCalendar,
    access: &Access,
    token: Option<&str>,
    deadline: DateTime<Utc>,
) -> Listing {
    let url = shape(google.events(&access.calendar, &[]), token);
    // A failure until the last page has come.
    let mut listing = Listing { outcome: ListingOutcome::CursorLost, items: Vec::new(), time_zone: None, calls: 0 };
    let place = if token.is_some() { Place::Delta } else { Place::Listing };
    let mut retry = google.retry(access, deadline);
    let mut page_url = url.clone();
    listing.outcome = loop {
        let answer = match request(Method::GET, &page_url, None) {
            Ok(request) => {
                let again = CalendarError::may_pass_soon;
                google.call(access, place, &request, &mut retry, &mut listing.calls, again).await
            }
            Err(error) => Err(error),
        };
        let page = match answer {
            Ok(answer) => match read_page(answer.body(), &mut listing) {
                Err(_) if retry.failed().await => continue,
                page => page,
            },
            Err(error) => Err(error),
        };
        match page {
            Ok(Next::Page(page_token)) => {
                retry.succeeded();
                page_url = url.clone();
                page_url.query_pairs_mut().append_pair("pageToken", &page_token);
            }
            Ok(Next::End { sync_token }) => {
                break match token {
                    None => ListingOutcome::Complete { token: sync_token },
                    Some(_) => ListingOutcome::Delta { token: sync_token },
                };
            }
            Err(error) => break failure(place, error),
        }
    };
    listing
}

/// Asks for one event, by which the calendar is seen to be there.
pub(super) async fn look(
    google: &GoogleCalendar,
    access: &Access,
    retry: &mut Retry<'_>,
    calls: &mut u32,
) -> Result<(), CalendarError> {
    let mut url = google.events(&access.calendar, &[]);
    url.query_pairs_mut().append_pair("maxResults", "1").append_pair("fields", "timeZone");
    let request = request(Method::GET, &url, None)?;
    google.call(access, Place::Listing, &request, retry, calls, CalendarError::may_pass_soon).await.map(drop)
}

/// The address of the first page. Later requests, with or without a sync token, have the same parameters, since Google
/// does not define what happens otherwise. `showDeleted` is not set, since a sync token forbids turning it off; deleted
/// events come with every sync token, and cancelled occurrences of live series always.
fn shape(mut url: Url, token: Option<&str>) -> Url {
    let fields = format!("timeZone,nextPageToken,nextSyncToken,items({})", resource::FIELDS);
    let mut query = url.query_pairs_mut();
    query
        .append_pair("singleEvents", "false")
        .append_pair("maxResults", "2500")
        // The calendar's own row among the guests is always sent; we do not need the others.
        .append_pair("maxAttendees", "1")
        .append_pair("fields", &fields);
    if let Some(token) = token {
        query.append_pair("syncToken", token);
    }
    drop(query);
    url
}

fn read_page(body: &[u8], listing: &mut Listing) -> Result<Next, CalendarError> {
    let unreadable = |what: &str| CalendarError::Unavailable(what.to_owned());
    let page: Page<'_> = serde_json::from_slice(body).map_err(|_| unreadable("a page that cannot be read"))?;
    let tokens = [&page.next_page_token, &page.next_sync_token];
    if tokens.into_iter().flatten().any(|token| token.len() > MAX_TOKEN_BYTES) {
        return Err(unreadable("a token that is too long"));
    }
    let next = match (page.next_page_token, page.next_sync_token) {
        (Some(token), _) => Next::Page(token),
        (None, Some(sync_token)) => Next::End { sync_token },
        (None, None) => return Err(unreadable("a last page without a sync token")),
    };
    if let Some(zone) = page.time_zone.as_deref().and_then(resource::zone) {
        listing.time_zone = Some(zone);
    }
    listing.items.extend(page.items.iter().map(|item| resource::read_listed(item.get().as_bytes())));
    Ok(next)
}

/// The outcome of a listing that `error` ended.
fn failure(place: Place, error: CalendarError) -> ListingOutcome {
    match &error {
        CalendarError::Refused(refusal) if meaning(place, refusal) == Meaning::CursorLost => ListingOutcome::CursorLost,
        _ => ListingOutcome::Partial { error },
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::model::{
        ConnectionKey, Event, EventId, ExternalCalendarEvent, InstructorId, LessonId, OwnEventId, SkipReason,
        SkippedEvent, TenantId,
    };

    fn empty() -> Listing {
        Listing { outcome: ListingOutcome::CursorLost, items: Vec::new(), time_zone: None, calls: 1 }
    }

    #[test]
    fn a_delta_has_the_first_listings_parameters_and_the_token() {
        let url = Url::parse("https://calendar.test/events").unwrap();
        let first = shape(url.clone(), None);
        let delta = shape(url, Some("a=&b"));
        let parameters = |url: &Url| url.query_pairs().into_owned().collect::<Vec<_>>();
        let mut expected = parameters(&first);
        expected.push(("syncToken".to_owned(), "a=&b".to_owned()));
        assert_eq!(parameters(&delta), expected);
    }

    #[test]
    fn an_item_that_cannot_be_read_is_named_where_it_has_an_id_and_the_rest_goes_on() {
        let mut listing = empty();
        let body = br#"{"timeZone":"Europe/Berlin","novelty":1,"nextSyncToken":"t","items":[
            {"id":"a","status":"cancelled"}, {"id":7}, null, "x", {"id":""}, {"id":"c","start":[],"id2":{"id":"d"}},
            {"id":"e"}, {"id":"b","status":"cancelled"}]}"#;
        assert!(matches!(read_page(body, &mut listing), Ok(Next::End { sync_token }) if sync_token == "t"));
        let id = |item: &Result<Event, SkippedEvent>| match item {
            Ok(event) => format!("read {}", event.id),
            Err(SkippedEvent { id: Some(id), .. }) => format!("left out {id}"),
            Err(SkippedEvent { id: None, .. }) => "left out".to_owned(),
        };
        let unnamed = "left out";
        assert_eq!(
            listing.items.iter().map(id).collect::<Vec<_>>(),
            ["read a", unnamed, unnamed, unnamed, unnamed, "left out c", "left out e", "read b"]
        );
        assert_eq!(listing.time_zone, Some(Tz::Europe__Berlin));
    }

    /// What is kept of a page with this event alone.
    fn listed(id: &str, more: &Value) -> Result<Event, SkippedEvent> {
        let day = json!({ "date": "2026-03-01" });
        let mut event = json!({ "id": id, "status": "confirmed", "start": day, "end": day });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut listing = empty();
        read_page(json!({ "items": [event], "nextSyncToken": "t" }).to_string().as_bytes(), &mut listing).unwrap();
        listing.items.remove(0)
    }

    #[test]
    fn of_an_event_too_large_to_store_its_id_alone_is_kept_and_one_at_the_bound_is_kept_whole() {
        let line = "RDATE:20300101T120000Z"; // 23 bytes with the separator between lines
        let most = ExternalCalendarEvent::MAX_RECURRENCE_BYTES / 23;
        assert_eq!(listed("e", &json!({ "recurrence": vec![line; most] })).unwrap().recurrence.len(), most);
        let too_large = json!({ "recurrence": vec![line; most + 1], "description": "x" });
        let skipped = SkippedEvent { id: Some(EventId::from("e")), reason: SkipReason::TooLarge };
        assert_eq!(listed("e", &too_large).map(|event| event.recurrence.len()), Err(skipped));
        // What is deleted is removed, however large it was.
        let deleted = json!({ "status": "cancelled", "recurrence": vec![line; most + 1] });
        assert_eq!(listed("e", &deleted).unwrap().recurrence, Vec::<String>::new());
    }

    #[test]
    fn no_more_is_kept_of_texts_than_is_stored_but_of_events_of_ours() {
        let text = "ü".repeat(8_000);
        let texts = json!({ "summary": text, "description": text, "location": text });
        let kept = |id: &str| {
            let event = listed(id, &texts).unwrap();
            [event.summary, event.description, event.location].map(|text| text.map_or(0, |text| text.capacity()))
        };
        assert_eq!(kept("e"), [8 * 1024, 0, 8 * 1024]);
        let key = ConnectionKey { tenant_id: TenantId(Uuid::nil()), instructor_id: InstructorId(Uuid::nil()) };
        let own = OwnEventId { lesson_id: LessonId(Uuid::nil()), generation: 0 }.encode(key);
        assert_eq!(kept(own.as_str()), [text.len(); 3]);
    }

    #[test]
    fn a_page_that_proves_nothing_is_a_failure() {
        let mut listing = empty();
        let long = format!(r#"{{"items":[],"nextSyncToken":"{}"}}"#, "t".repeat(MAX_TOKEN_BYTES + 1));
        for body in [long.as_str(), "", "<html>", "{}", r#"{"items":[]}"#, r#"{"items":{},"nextSyncToken":"t"}"#] {
            assert!(read_page(body.as_bytes(), &mut listing).is_err(), "{body}");
        }
    }
}
