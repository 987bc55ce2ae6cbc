//! Listing a calendar, page by page.
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
use crate::ports::{Access, CalendarError, Page, PageOutcome, PageRequest};

/// Bytes of a page token or a sync token: a longer one does not fit into a URL.
const MAX_TOKEN_BYTES: usize = 4 * 1024;

/// A page as Google sends it. Its items are read one by one, so that an unreadable item does not spoil the others.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    time_zone: Option<String>,
    next_page_token: Option<String>,
    next_sync_token: Option<String>,
    #[serde(borrow, default)]
    items: Vec<&'a RawValue>,
}

pub(super) async fn list(
    google: &GoogleCalendar,
    access: &Access,
    page: PageRequest<'_>,
    deadline: DateTime<Utc>,
) -> Page {
    let url = shape(google.events(&access.calendar, &[]), page);
    let place = if page == PageRequest::default() { Place::Listing } else { Place::Delta };
    let mut retry = google.retry(access, deadline);
    let mut calls = 0;
    let failed = loop {
        let answer = match request(Method::GET, &url, None) {
            Ok(request) => {
                google.call(access, place, &request, &mut retry, &mut calls, CalendarError::may_pass_soon).await
            }
            Err(error) => Err(error),
        };
        match answer.map(|answer| read_page(answer.body(), calls)) {
            Ok(Ok(page)) => return page,
            Ok(Err(_)) if retry.failed().await => {}
            Ok(Err(error)) | Err(error) => break error,
        }
    };
    Page { outcome: failure(place, failed), items: Vec::new(), time_zone: None, calls }
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

/// The address of a page. All requests, with or without a token, have the same parameters, since Google
/// does not define what happens otherwise. `showDeleted` is not set, since a sync token forbids turning it off; deleted
/// events come with every sync token, and cancelled occurrences of live series always.
fn shape(mut url: Url, page: PageRequest<'_>) -> Url {
    let fields = format!("timeZone,nextPageToken,nextSyncToken,items({})", resource::FIELDS);
    let mut query = url.query_pairs_mut();
    query
        .append_pair("singleEvents", "false")
        .append_pair("maxResults", "2500")
        // The calendar's own row among the guests is always sent; we do not need the others.
        .append_pair("maxAttendees", "1")
        .append_pair("fields", &fields);
    if let Some(token) = page.sync_token {
        query.append_pair("syncToken", token);
    }
    if let Some(token) = page.page_token {
        query.append_pair("pageToken", token);
    }
    drop(query);
    url
}

fn read_page(body: &[u8], calls: u32) -> Result<Page, CalendarError> {
    let unreadable = |what: &str| CalendarError::Unavailable(what.to_owned());
    let body: Body<'_> = serde_json::from_slice(body).map_err(|_| unreadable("a page that cannot be read"))?;
    let tokens = [&body.next_page_token, &body.next_sync_token];
    if tokens.into_iter().flatten().any(|token| token.len() > MAX_TOKEN_BYTES) {
        return Err(unreadable("a token that is too long"));
    }
    let outcome = match (body.next_page_token, body.next_sync_token) {
        (Some(page_token), _) => PageOutcome::More { page_token },
        (None, Some(sync_token)) => PageOutcome::Last { sync_token },
        (None, None) => return Err(unreadable("a last page without a sync token")),
    };
    let items = body.items.iter().map(|item| resource::read_listed(item.get().as_bytes())).collect();
    Ok(Page { outcome, items, time_zone: body.time_zone.as_deref().and_then(resource::zone), calls })
}

/// The outcome of a page that `error` kept from coming.
fn failure(place: Place, error: CalendarError) -> PageOutcome {
    match &error {
        CalendarError::Refused(refusal) if meaning(place, refusal) == Meaning::CursorLost => PageOutcome::CursorLost,
        _ => PageOutcome::Failed(error),
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

    #[test]
    fn later_pages_and_deltas_have_the_first_listings_parameters_and_their_tokens() {
        let parameters = |sync_token, page_token| {
            let url =
                shape(Url::parse("https://calendar.test/events").unwrap(), PageRequest { sync_token, page_token });
            url.query_pairs().into_owned().collect::<Vec<_>>()
        };
        let mut expected = parameters(None, None);
        expected.push(("syncToken".to_owned(), "a=&b".to_owned()));
        assert_eq!(parameters(Some("a=&b"), None), expected);
        expected.push(("pageToken".to_owned(), "c=&d".to_owned()));
        assert_eq!(parameters(Some("a=&b"), Some("c=&d")), expected);
    }

    #[test]
    fn an_item_that_cannot_be_read_is_named_where_it_has_an_id_and_the_rest_goes_on() {
        let body = br#"{"timeZone":"Europe/Berlin","novelty":1,"nextSyncToken":"t","items":[
            {"id":"a","status":"cancelled"}, {"id":7}, null, "x", {"id":""}, {"id":"c","start":[],"id2":{"id":"d"}},
            {"id":"e"}, {"id":"b","status":"cancelled"}]}"#;
        let page = read_page(body, 1).unwrap();
        assert_eq!(page.outcome, PageOutcome::Last { sync_token: "t".to_owned() });
        let id = |item: &Result<Event, SkippedEvent>| match item {
            Ok(event) => format!("read {}", event.id),
            Err(SkippedEvent { id: Some(id), .. }) => format!("left out {id}"),
            Err(SkippedEvent { id: None, .. }) => "left out".to_owned(),
        };
        let unnamed = "left out";
        assert_eq!(
            page.items.iter().map(id).collect::<Vec<_>>(),
            ["read a", unnamed, unnamed, unnamed, unnamed, "left out c", "left out e", "read b"]
        );
        assert_eq!(page.time_zone, Some(Tz::Europe__Berlin));
    }

    /// What is kept of a page with this event alone.
    fn listed(id: &str, more: &Value) -> Result<Event, SkippedEvent> {
        let day = json!({ "date": "2026-03-01" });
        let mut event = json!({ "id": id, "status": "confirmed", "start": day, "end": day });
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let body = json!({ "items": [event], "nextSyncToken": "t" }).to_string();
        read_page(body.as_bytes(), 1).unwrap().items.remove(0)
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
        let long = format!(r#"{{"items":[],"nextSyncToken":"{}"}}"#, "t".repeat(MAX_TOKEN_BYTES + 1));
        for body in [long.as_str(), "", "<html>", "{}", r#"{"items":[]}"#, r#"{"items":{},"nextSyncToken":"t"}"#] {
            assert!(read_page(body.as_bytes(), 1).is_err(), "{body}");
        }
    }
}
