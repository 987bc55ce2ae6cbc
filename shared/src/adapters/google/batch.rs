//! Batches: many operations in one `multipart/mixed` exchange, each with an outcome of its own (design rule R14).
//! <https://developers.google.com/workspace/calendar/api/guides/batch>

mod multipart;

use std::collections::VecDeque;

use chrono::{DateTime, Utc};
use http::{Method, header::CONTENT_TYPE};
use reqwest::Url;
use serde_json::Value;

use self::multipart::{Part, PartAnswer};
use super::{GoogleCalendar, errors, http::request, pace::units, resource, retry::out_of_time};
use crate::{
    model::EventId,
    ports::{Access, CalendarError, Operation, OperationOutcome},
};

/// Google documents 1,000 today and documented 50 before; each part costs its quota either way, and the smaller a
/// batch, the less a failure of the whole repeats.
const MOST_PARTS: usize = 50;

pub(super) async fn carry_out(
    google: &GoogleCalendar,
    access: &Access,
    operations: &[Operation],
    deadline: DateTime<Utc>,
) -> (Vec<OperationOutcome>, u32) {
    let mut outcomes: Vec<Option<OperationOutcome>> = vec![None; operations.len()];
    let mut waiting: VecDeque<usize> = (0..operations.len()).collect();
    let mut retry = google.retry(access, deadline);
    let mut calls = 0;
    // One batch after another: a user's quota is for a minute, and Google slows rapid writes to one calendar.
    let stopped_by = loop {
        let round: Vec<usize> = waiting.drain(..waiting.len().min(MOST_PARTS)).collect();
        if round.is_empty() {
            break out_of_time(); // for nobody: every operation has its outcome
        }
        let cost = round.iter().filter_map(|&n| operations.get(n)).map(units).sum();
        let time_left = match retry.turn(cost).await {
            Ok(time_left) => time_left,
            Err(failure) => break failure,
        };
        calls += 1;
        let parts = round.iter().filter_map(|&n| Some(part(google, access, n, operations.get(n)?)));
        let body = multipart::write(parts).into_bytes();
        let answer = match request(Method::POST, &google.batch_url, Some((multipart::CONTENT_TYPE, body))) {
            Ok(request) => google.exchange(access, request, time_left).await,
            Err(failure) => Err(failure),
        };
        let answers = match &answer {
            Ok(answer) if answer.status().is_success() => {
                let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
                Ok(multipart::read(kind, answer.body()))
            }
            Ok(answer) => Err(errors::classify(answer.status().as_u16(), answer.body())),
            Err(failure) => Err(failure.clone()),
        };
        let mut failure = None;
        for n in round {
            let answer = answers.as_ref().map(|answers| answers.get(&n)).map_err(Clone::clone);
            match answer.and_then(|answer| outcome(operations.get(n), answer)) {
                Ok(outcome) => set(&mut outcomes, n, outcome),
                Err(error) => {
                    set(&mut outcomes, n, OperationOutcome::TryLater(error.clone()));
                    waiting.push_back(n);
                    // What stops everything weighs more than what passes.
                    if failure.as_ref().is_none_or(errors::is_passing) {
                        failure = Some(error);
                    }
                }
            }
        }
        match failure {
            None => retry.succeeded(),
            Some(error) if !errors::is_passing(&error) || !retry.failed().await => break error,
            Some(_) => {}
        }
    };
    let outcomes = outcomes.into_iter().map(|o| o.unwrap_or_else(|| OperationOutcome::TryLater(stopped_by.clone())));
    (outcomes.collect(), calls)
}

fn set(outcomes: &mut [Option<OperationOutcome>], n: usize, outcome: OperationOutcome) {
    if let Some(slot) = outcomes.get_mut(n) {
        *slot = Some(outcome);
    }
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

/// An inner request names a path only.
fn path_of(url: &Url) -> String {
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}

/// What a part's answer means; an error is a failure that says nothing about the operation itself.
fn outcome(operation: Option<&Operation>, answer: Option<&PartAnswer<'_>>) -> Result<OperationOutcome, CalendarError> {
    let unavailable = |what: &str| CalendarError::Unavailable(what.to_owned());
    let (Some(operation), Some(PartAnswer { status, body })) = (operation, answer) else {
        return Err(unavailable("a batch that left a part out"));
    };
    let on_event = !matches!(operation, Operation::Insert { .. });
    match status {
        // Google answers a deletion with nothing; whatever says something was not said by it.
        200..=299 if matches!(operation, Operation::Delete { .. }) && body.trim_ascii().is_empty() => {
            Ok(OperationOutcome::Deleted)
        }
        200..=299 => resource::read(body)
            .map(|event| OperationOutcome::Event(Box::new(event)))
            .map_err(|_| unavailable("an event that cannot be read")),
        404 | 410 if on_event => Ok(OperationOutcome::Gone),
        // Two parts of one batch clashed: it says nothing about the id.
        409 if errors::reason(body) == "conflict" => Err(unavailable("409 conflict")),
        409 if !on_event => Ok(OperationOutcome::IdTaken),
        412 => Ok(OperationOutcome::Changed),
        status => match errors::classify(*status, body) {
            CalendarError::Refused { status, reason } => Ok(OperationOutcome::Refused { status, reason }),
            failure => Err(failure),
        },
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
    fn answered(operation: &Operation, status: u16, reason: &str) -> Result<OperationOutcome, CalendarError> {
        let body = format!(r#"{{"error":{{"code":{status},"errors":[{{"reason":"{reason}"}}]}}}}"#);
        outcome(Some(operation), Some(&PartAnswer { status, body: body.as_bytes() }))
    }

    #[test]
    fn each_answer_to_a_part_has_its_outcome() {
        let refused = |status, reason: &str| Ok(OperationOutcome::Refused { status, reason: reason.to_owned() });
        let unavailable = |text: &str| Err(CalendarError::Unavailable(text.to_owned()));
        let cases = [
            (get(), 404, "notFound", Ok(OperationOutcome::Gone)),
            (delete(), 410, "deleted", Ok(OperationOutcome::Gone)),
            (delete(), 200, "garbage", unavailable("an event that cannot be read")),
            // Without its calendar, an insert cannot be "already gone".
            (insert(), 404, "notFound", refused(404, "notFound")),
            (insert(), 409, "duplicate", Ok(OperationOutcome::IdTaken)),
            (insert(), 409, "conflict", unavailable("409 conflict")),
            (delete(), 412, "conditionNotMet", Ok(OperationOutcome::Changed)),
            (insert(), 403, "forbiddenForNonOrganizer", refused(403, "forbiddenForNonOrganizer")),
            (insert(), 400, "invalid", refused(400, "invalid")),
            (insert(), 401, "authError", Err(CalendarError::Unauthorized)),
            (insert(), 403, "rateLimitExceeded", Err(CalendarError::RateLimited)),
            (insert(), 403, "quotaExceeded", Err(CalendarError::QuotaExceeded)),
            (insert(), 503, "backendError", unavailable("503 backendError")),
            (get(), 200, "", unavailable("an event that cannot be read")),
        ];
        for (operation, status, reason, expected) in cases {
            assert_eq!(answered(&operation, status, reason), expected, "{operation:?} {status} {reason}");
        }
    }

    #[test]
    fn a_deletion_is_answered_with_nothing() {
        let answer = |body: &'static [u8]| outcome(Some(&delete()), Some(&PartAnswer { status: 204, body }));
        assert_eq!(answer(b"\r\n"), Ok(OperationOutcome::Deleted));
        assert!(answer(b"<html>").is_err());
    }

    #[test]
    fn a_part_that_was_left_out_says_nothing_about_its_operation() {
        assert!(matches!(outcome(Some(&delete()), None), Err(CalendarError::Unavailable(_))));
    }
}
