//! Listing a calendar: its pages, and what they prove together (design rule R6).
//! <https://developers.google.com/workspace/calendar/api/guides/sync>

use chrono::{DateTime, Utc};
use reqwest::{Method, Url};
use serde::Deserialize;
use serde_json::value::RawValue;
use tracing::warn;

use super::{GoogleCalendar, errors, resource};
use crate::ports::{Access, CalendarError, Listing, ListingOutcome};

/// One page. Its items are read one by one, so that one which cannot be read does not spoil the others.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    time_zone: Option<String>,
    next_page_token: Option<String>,
    next_sync_token: Option<String>,
    #[serde(borrow, default)]
    items: Vec<&'a RawValue>,
}

/// Where a listing goes on after a page.
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
    // The outcome stands for a failure until the last page has come.
    let mut listing =
        Listing { outcome: ListingOutcome::CursorLost, events: Vec::new(), time_zone: None, malformed: 0, calls: 0 };
    let mut retry = google.retry(deadline);
    let mut page_url = url.clone();
    listing.outcome = loop {
        let request = || google.request(access, Method::GET, page_url.clone());
        let page = match google.call(&mut retry, &mut listing.calls, errors::is_passing, request).await {
            Ok(answer) => read_page(&answer.body, &mut listing),
            Err(error) => Err(error),
        };
        match page {
            Ok(Next::Page(page_token)) => {
                page_url = url.clone();
                page_url.query_pairs_mut().append_pair("pageToken", &page_token);
            }
            Ok(Next::End { sync_token }) => {
                break match token {
                    None => ListingOutcome::Complete { token: sync_token },
                    Some(_) => ListingOutcome::Delta { token: sync_token },
                };
            }
            Err(error) => break failure(token, error),
        }
    };
    listing
}

/// The first page's address. Every later request, with or without a sync token, has the same parameters: Google
/// leaves undefined what happens otherwise. `showDeleted` is left alone since a sync token forbids to turn it off;
/// deleted events come with every sync token, and cancelled occurrences of living series always.
fn shape(mut url: Url, token: Option<&str>) -> Url {
    let fields = format!("timeZone,nextPageToken,nextSyncToken,items({})", resource::FIELDS);
    let mut query = url.query_pairs_mut();
    query
        .append_pair("singleEvents", "false")
        .append_pair("maxResults", "2500")
        // The calendar's own row among the guests is always there; the others are not for us.
        .append_pair("maxAttendees", "1")
        .append_pair("fields", &fields);
    if let Some(token) = token {
        query.append_pair("syncToken", token);
    }
    drop(query);
    url
}

/// Adds a page to the listing.
fn read_page(body: &[u8], listing: &mut Listing) -> Result<Next, CalendarError> {
    let unreadable = |what: &str| CalendarError::Unavailable(what.to_owned());
    let page: Page<'_> = serde_json::from_slice(body).map_err(|_| unreadable("a page that cannot be read"))?;
    if let Some(zone) = page.time_zone.as_deref().and_then(resource::zone) {
        listing.time_zone = Some(zone);
    }
    for item in page.items {
        match resource::read(item.get().as_bytes()) {
            Ok(event) => listing.events.push(event),
            Err(reason) => {
                listing.malformed += 1;
                warn!(%reason, "left out an event that cannot be read");
            }
        }
    }
    match (page.next_page_token, page.next_sync_token) {
        (Some(token), _) => Ok(Next::Page(token)),
        (None, Some(sync_token)) => Ok(Next::End { sync_token }),
        (None, None) => Err(unreadable("a last page without a sync token")),
    }
}

/// What a failure leaves of the listing. A sync token that ran out is 410, one that Google cannot read is 400
/// `invalid`; without one, both are refusals like others.
fn failure(token: Option<&str>, error: CalendarError) -> ListingOutcome {
    match &error {
        CalendarError::Refused { status: 410, .. } if token.is_some() => ListingOutcome::CursorLost,
        CalendarError::Refused { status: 400, reason } if token.is_some() && reason == "invalid" => {
            ListingOutcome::CursorLost
        }
        _ => ListingOutcome::Partial { error },
    }
}
