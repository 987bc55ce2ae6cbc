//! `POST /api/v1/calendar/sync`: a sync that a person asks for.

use calendar_sync::{
    Result,
    bootstrap::Bootstrap,
    config::ClaimNames,
    http::{Caller, JsonBody, answer, reply},
    model::SyncCalendarRequest,
    usecases::{
        sync::SyncCalendar,
        sync_now::{SyncNow, sync_now},
    },
};
use chrono::TimeDelta;
use lambda_http::{Body, Request, Response};
use serde_json::json;

use crate::view::log;

/// What takes longer continues in the queue. API Gateway waits 30 seconds at most, and the last call to the store has its
/// time too.
pub const ANSWER_WITHIN: TimeDelta = TimeDelta::seconds(15);

pub struct Deps {
    sync: SyncCalendar,
    claims: ClaimNames,
}

impl Deps {
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        Ok(Self { sync: crate::sync_calendar(bootstrap).await?, claims: bootstrap.config.claims() })
    }
}

pub async fn handle(deps: &Deps, request: Request) -> Response<Body> {
    answer(sync(deps, &request).await)
}

async fn sync(deps: &Deps, request: &Request) -> Result<Response<Body>> {
    let caller = Caller::of(request, &deps.claims)?;
    let body = JsonBody::of(request)?;
    let instructor_id = body.instructor()?;
    let day = "is not a date such as 2025-11-01";
    let asked = SyncCalendarRequest {
        instructor_id,
        direction: body.parsed("direction", "is not one of to_google, from_google and two_way")?,
        dates: SyncCalendarRequest::dates(body.parsed("startDate", day)?, body.parsed("endDate", day)?)?,
    };
    let key = caller.connection_of(instructor_id)?;
    let deadline = deps.sync.google.clock.now() + ANSWER_WITHIN;
    match sync_now(&deps.sync, key, asked, &caller.acts_for(instructor_id), deadline).await? {
        SyncNow::Done(done) => {
            let mut data = log::counts(&done);
            data["outcome"] = json!(done.outcome);
            data["logId"] = json!(done.id);
            reply::ok(&data)
        }
        SyncNow::Queued(log_id) => reply::accepted(&json!({ "logId": log_id, "outcome": "running" })),
    }
}
