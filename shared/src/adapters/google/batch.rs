//! Batches: many operations in one `multipart/mixed` exchange, each with an outcome of its own.
//! <https://developers.google.com/workspace/calendar/api/guides/batch>

mod multipart;

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use chrono::{DateTime, Utc};
use http::{Method, header::CONTENT_TYPE};
use reqwest::Url;
use serde_json::Value;

use self::multipart::{Part, PartAnswer};
use super::{
    GoogleCalendar,
    http::{Answer, request},
    listing,
    pace::units,
    refusals::{self, Meaning, Place},
    resource,
    retry::{Retry, out_of_time},
};
use crate::{
    model::EventId,
    ports::{Access, CalendarError, Operation, OperationOutcome, Refusal},
};

/// Google documents a limit of 1,000, and documented 50 before. A part costs its quota in either case, and the smaller
/// a batch, the less is repeated when it fails as a whole.
const MAX_PARTS: usize = 50;

pub(super) async fn carry_out(
    google: &GoogleCalendar,
    access: &Access,
    operations: &[Operation],
    deadline: DateTime<Utc>,
) -> (Vec<OperationOutcome>, u32) {
    let mut progress = Progress::begin(google, operations);
    let mut retry = google.retry(access, deadline);
    let mut calls = 0;
    // One batch at a time: the user's quota is per minute, and Google throttles rapid writes to one calendar.
    let stopped_by = loop {
        let round = progress.next_round();
        if round.is_empty() {
            break out_of_time(); // the value is unused: every operation has its outcome
        }
        let time_left = match retry.turn(round.iter().map(|(_, operation)| units(operation)).sum()).await {
            Ok(time_left) => time_left,
            Err(failure) => break failure,
        };
        calls += 1;
        let answer = send(google, access, &round, time_left).await;
        let parts = answer.as_ref().map(read_parts);
        let mut failure = None;
        for (n, written) in &round {
            let answered = match &parts {
                Ok(parts) => answered(written, parts.get(n)),
                Err(error) => Answered::Failed((*error).clone()),
            };
            // A failure that stops everything takes precedence over a transient one.
            if let Some(error) = progress.take(*n, written, answered)
                && failure.as_ref().is_none_or(CalendarError::may_pass_soon)
            {
                failure = Some(error);
            }
        }
        match failure {
            None => retry.succeeded(),
            Some(error) if !error.may_pass_soon() || !retry.failed().await => break error,
            Some(_) => {}
        }
    };
    if !progress.not_found.is_empty() {
        let outcome = match calendar_is_there(google, access, &progress.outcomes, &mut retry, &mut calls).await {
            Ok(()) => OperationOutcome::Gone,
            Err(error) => OperationOutcome::TryLater(error),
        };
        for n in std::mem::take(&mut progress.not_found) {
            progress.set(n, outcome.clone());
        }
    }
    let outcome = |outcome: Option<_>| outcome.unwrap_or_else(|| OperationOutcome::TryLater(stopped_by.clone()));
    (progress.outcomes.into_iter().map(outcome).collect(), calls)
}

/// How far the operations of one call are.
struct Progress<'a> {
    google: &'a GoogleCalendar,
    operations: &'a [Operation],
    /// By the operation's place among `operations`, like all numbers here.
    outcomes: Vec<Option<OperationOutcome>>,
    /// Operations to be sent, or to be sent again.
    waiting: VecDeque<usize>,
    /// Operations for which Google finds no event, or no calendar.
    not_found: Vec<usize>,
}

impl<'a> Progress<'a> {
    fn begin(google: &'a GoogleCalendar, operations: &'a [Operation]) -> Self {
        let outcomes = vec![None; operations.len()];
        Self { google, operations, outcomes, waiting: (0..operations.len()).collect(), not_found: Vec::new() }
    }

    /// The operations of the next batch, in zones that Google knows.
    fn next_round(&mut self) -> Vec<(usize, Operation)> {
        let round = self.waiting.drain(..self.waiting.len().min(MAX_PARTS));
        round.filter_map(|n| Some((n, self.google.zones.known(self.operations.get(n)?)))).collect()
    }

    /// Takes the answer to an operation that was sent as `written`. A failure that says nothing about the operation
    /// is returned; the operation is sent again.
    fn take(&mut self, n: usize, written: &Operation, answered: Answered) -> Option<CalendarError> {
        let zones = &self.google.zones;
        match answered {
            Answered::Outcome(outcome) => self.set(n, outcome),
            Answered::NotFound => self.not_found.push(n),
            Answered::ZoneUnknown(_)
                if self.operations.get(n).is_some_and(|operation| zones.refused(operation, written)) =>
            {
                self.waiting.push_back(n);
            }
            Answered::ZoneUnknown(refusal) => self.set(n, OperationOutcome::Refused(refusal)),
            Answered::Failed(error) => {
                self.set(n, OperationOutcome::TryLater(error.clone()));
                self.waiting.push_back(n);
                return Some(error);
            }
        }
        None
    }

    fn set(&mut self, n: usize, outcome: OperationOutcome) {
        if let Some(slot) = self.outcomes.get_mut(n) {
            *slot = Some(outcome);
        }
    }
}

/// Of a calendar that is gone Google says the same as of an event: that it is not found. Where no other part's answer shows
/// that the calendar is there, it is asked for.
async fn calendar_is_there(
    google: &GoogleCalendar,
    access: &Access,
    outcomes: &[Option<OperationOutcome>],
    retry: &mut Retry<'_>,
    calls: &mut u32,
) -> Result<(), CalendarError> {
    let shows_it = |outcome: &OperationOutcome| match outcome {
        OperationOutcome::Event(_)
        | OperationOutcome::Deleted
        | OperationOutcome::Gone
        | OperationOutcome::IdTaken
        | OperationOutcome::Changed
        | OperationOutcome::NotOrganizer(_) => true,
        OperationOutcome::Refused(_) | OperationOutcome::RefusedForNow(_) | OperationOutcome::TryLater(_) => false,
    };
    if outcomes.iter().flatten().any(shows_it) { Ok(()) } else { listing::look(google, access, retry, calls).await }
}

/// Sends a batch; fails where it is refused as a whole.
async fn send(
    google: &GoogleCalendar,
    access: &Access,
    round: &[(usize, Operation)],
    time_left: Duration,
) -> Result<Answer, CalendarError> {
    let parts = round.iter().map(|(n, operation)| part(google, access, *n, operation));
    let body = multipart::write(parts).into_bytes();
    let request = request(Method::POST, &google.batch_url, Some((multipart::CONTENT_TYPE, body)))?;
    let answer = google.exchange(access, request, time_left).await?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    Err(refusals::failure(Place::Batch, refusals::read(status.as_u16(), answer.body())))
}

fn read_parts(answer: &Answer) -> BTreeMap<usize, PartAnswer<'_>> {
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    multipart::read(kind, answer.body())
}

/// The inner request of an operation.
fn part<'a>(google: &GoogleCalendar, access: &Access, number: usize, operation: &'a Operation) -> Part<'a> {
    let (method, id, etag, body): (_, _, Option<&str>, Option<Value>) = match operation {
        Operation::Get { id } => ("GET", Some(id), None, None),
        Operation::Insert { id, event } => {
            let mut body = resource::whole(event);
            body["id"] = Value::from(id.as_str());
            ("POST", None, None, Some(body))
        }
        Operation::Replace { id, etag, event } => ("PUT", Some(id), etag.as_deref(), Some(resource::whole(event))),
        Operation::Patch { id, etag, event } => ("PATCH", Some(id), Some(etag), Some(resource::patch(event))),
        Operation::Delete { id, etag } => ("DELETE", Some(id), etag.as_deref(), None),
    };
    let mut url = google.events(&access.calendar, id.map(EventId::as_str).as_slice());
    query(&mut url, operation);
    Part { number, method, path: path_of(&url), etag, body }
}

fn query(url: &mut Url, operation: &Operation) {
    let mut query = url.query_pairs_mut();
    if !matches!(operation, Operation::Get { .. }) {
        query.append_pair("sendUpdates", "none");
    }
    if !matches!(operation, Operation::Delete { .. }) {
        query.append_pair("maxAttendees", "1").append_pair("fields", resource::FIELDS);
    }
}

/// Inner requests carry the path alone.
fn path_of(url: &Url) -> String {
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}

#[derive(Debug, PartialEq, Eq)]
enum Answered {
    Outcome(OperationOutcome),
    /// There is no such event, or no such calendar.
    NotFound,
    /// Google refuses the event for its time zone alone.
    ZoneUnknown(Refusal),
    /// A failure that says nothing about the operation itself.
    Failed(CalendarError),
}

fn answered(operation: &Operation, answer: Option<&PartAnswer<'_>>) -> Answered {
    let unavailable = |what: &str| Answered::Failed(CalendarError::Unavailable(what.to_owned()));
    let Some(PartAnswer { status, body }) = answer else { return unavailable("a batch that left a part out") };
    match status {
        // Google answers a deletion with an empty body. A success with a body is no answer to a deletion.
        200..=299 if matches!(operation, Operation::Delete { .. }) && body.trim_ascii().is_empty() => {
            Answered::Outcome(OperationOutcome::Deleted)
        }
        200..=299 => match resource::read(body) {
            Ok(event) => Answered::Outcome(OperationOutcome::Event(Box::new(event))),
            Err(_) => unavailable("an event that cannot be read"),
        },
        status => refused(place_of(operation), refusals::read(*status, body)),
    }
}

fn place_of(operation: &Operation) -> Place {
    match operation {
        Operation::Insert { .. } => Place::Insert,
        Operation::Get { .. } => Place::Get,
        Operation::Replace { .. } | Operation::Patch { .. } | Operation::Delete { .. } => Place::Change,
    }
}

fn refused(place: Place, refusal: Refusal) -> Answered {
    match refusals::meaning(place, &refusal) {
        Meaning::Gone => Answered::Outcome(OperationOutcome::Gone),
        Meaning::NotFound => Answered::NotFound,
        Meaning::IdTaken => Answered::Outcome(OperationOutcome::IdTaken),
        Meaning::Changed => Answered::Outcome(OperationOutcome::Changed),
        Meaning::NotOrganizer => Answered::Outcome(OperationOutcome::NotOrganizer(refusal)),
        Meaning::ZoneUnknown => Answered::ZoneUnknown(refusal),
        Meaning::Passing
        | Meaning::Throttled
        | Meaning::OverQuota
        | Meaning::WritesOverQuota
        | Meaning::TokenRefused
        | Meaning::PermissionWithdrawn
        | Meaning::ClientRefused
        | Meaning::CalendarGone => Answered::Failed(refusals::failure(place, refusal)),
        Meaning::RefusedForNow => Answered::Outcome(OperationOutcome::RefusedForNow(refusal)),
        Meaning::WritesForbidden | Meaning::Refused | Meaning::CursorLost | Meaning::PushNotPossible => {
            Answered::Outcome(OperationOutcome::Refused(refusal))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EventId;

    fn get() -> Operation {
        Operation::Get { id: EventId::from("e1") }
    }
    fn delete() -> Operation {
        Operation::Delete { id: EventId::from("e1"), etag: None }
    }
    fn insert() -> Operation {
        let content = crate::model::LessonContent {
            title: String::new(),
            starts_at: DateTime::UNIX_EPOCH,
            ends_at: DateTime::UNIX_EPOCH,
            time_zone: chrono_tz::Tz::UTC,
            description: None,
            location: None,
        };
        let lesson_id = crate::model::LessonId(uuid::Uuid::nil());
        Operation::Insert { id: EventId::from("e1"), event: crate::ports::EventPatch { lesson_id, content } }
    }
    fn answer(operation: &Operation, status: u16, reason: &str) -> Answered {
        let body = format!(r#"{{"error":{{"code":{status},"errors":[{{"reason":"{reason}"}}]}}}}"#);
        answered(operation, Some(&PartAnswer { status, body: body.as_bytes() }))
    }

    #[test]
    fn each_answer_to_a_part_of_a_batch_has_its_outcome() {
        let refusal = |status, reason: &str| Refusal { status, reason: reason.to_owned(), message: String::new() };
        let refused = |status, reason: &str| Answered::Outcome(OperationOutcome::Refused(refusal(status, reason)));
        let refused_for_now =
            |status, reason: &str| Answered::Outcome(OperationOutcome::RefusedForNow(refusal(status, reason)));
        let unavailable = |text: &str| Answered::Failed(CalendarError::Unavailable(text.to_owned()));
        let not_organizer = "forbiddenForNonOrganizer";
        let other = OperationOutcome::NotOrganizer(refusal(403, not_organizer));
        let withdrawn = CalendarError::PermissionWithdrawn(refusal(403, "insufficientPermissions"));
        let cases = [
            (get(), 404, "notFound", Answered::NotFound),
            (delete(), 410, "deleted", Answered::Outcome(OperationOutcome::Gone)),
            (delete(), 200, "garbage", unavailable("an event that cannot be read")),
            // An insert that finds nothing has no calendar: that is not "already gone".
            (insert(), 404, "notFound", refused_for_now(404, "notFound")),
            (delete(), 403, "forbidden", refused_for_now(403, "forbidden")),
            (insert(), 409, "duplicate", Answered::Outcome(OperationOutcome::IdTaken)),
            (insert(), 409, "conflict", unavailable("409 conflict")),
            (delete(), 412, "conditionNotMet", Answered::Outcome(OperationOutcome::Changed)),
            (delete(), 403, not_organizer, Answered::Outcome(other)),
            (insert(), 403, not_organizer, refused(403, not_organizer)),
            (insert(), 403, "requiredAccessLevel", refused(403, "requiredAccessLevel")),
            (insert(), 400, "invalid", refused(400, "invalid")),
            (insert(), 401, "authError", Answered::Failed(CalendarError::Unauthorized(refusal(401, "authError")))),
            (insert(), 403, "rateLimitExceeded", Answered::Failed(CalendarError::RateLimited)),
            (insert(), 403, "quotaExceeded", Answered::Failed(CalendarError::QuotaExceeded)),
            (insert(), 403, "insufficientPermissions", Answered::Failed(withdrawn)),
            (insert(), 503, "backendError", unavailable("503 backendError")),
            (get(), 200, "", unavailable("an event that cannot be read")),
        ];
        for (operation, status, reason, expected) in cases {
            assert_eq!(answer(&operation, status, reason), expected, "{operation:?} {status} {reason}");
        }
    }

    #[test]
    fn a_deletion_is_answered_with_nothing() {
        let answer = |body: &'static [u8]| answered(&delete(), Some(&PartAnswer { status: 204, body }));
        assert_eq!(answer(b"\r\n"), Answered::Outcome(OperationOutcome::Deleted));
        assert!(matches!(answer(b"<html>"), Answered::Failed(_)));
    }

    #[test]
    fn a_part_that_was_left_out_says_nothing_about_its_operation() {
        assert!(matches!(answered(&delete(), None), Answered::Failed(CalendarError::Unavailable(_))));
    }
}
