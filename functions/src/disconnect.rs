//! `POST /api/v1/calendar/disconnect`: takes a connection down.

use calendar_sync::{
    Result,
    bootstrap::Bootstrap,
    config::ClaimNames,
    http::{Caller, JsonBody, answer, reply},
    usecases::disconnect::{Disconnect, Disconnected, Keep},
};
use chrono::TimeDelta;
use lambda_http::{Body, Request, Response};
use serde_json::json;

/// What takes longer continues in the queue. API Gateway waits 30 seconds at most, and the last call to the store has its
/// time too.
pub const ANSWER_WITHIN: TimeDelta = TimeDelta::seconds(15);

pub struct Deps {
    disconnect: Disconnect,
    claims: ClaimNames,
}

impl Deps {
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        let disconnect = Disconnect {
            google: crate::google(bootstrap).await?,
            sync_queue: bootstrap.sync_queue()?,
            random: bootstrap.random(),
        };
        Ok(Self { disconnect, claims: bootstrap.config.claims() })
    }
}

pub async fn handle(deps: &Deps, request: Request) -> Response<Body> {
    answer(disconnect(deps, &request).await)
}

async fn disconnect(deps: &Deps, request: &Request) -> Result<Response<Body>> {
    let caller = Caller::of(request, &deps.claims)?;
    let body = JsonBody::of(request)?;
    let key = caller.connection_of(body.instructor()?)?;
    let keep = Keep {
        events: body.flag("keepEvents")?.unwrap_or(false),
        imported: body.flag("keepImported")?.unwrap_or(false),
    };
    let deadline = deps.disconnect.google.clock.now() + ANSWER_WITHIN;
    let data = |disconnected| json!({ "instructorId": key.instructor_id, "disconnected": disconnected });
    match deps.disconnect.begin(key, keep, &caller.acts_for(key.instructor_id), deadline).await? {
        Disconnected::Done => reply::ok(&data(true)),
        Disconnected::Continues => reply::accepted(&data(false)),
    }
}
