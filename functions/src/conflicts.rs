//! `PATCH /api/v1/calendar/conflicts/{instructorId}/{conflictId}`: says of a conflict that it is fine, or takes that back.

use calendar_sync::{
    Error, Result,
    bootstrap::Bootstrap,
    config::ClaimNames,
    http::{Caller, JsonBody, answer, input, reply},
    model::Person,
    usecases::decide_conflict::{DecideConflict, Decision},
};
use lambda_http::{Body, Request, Response};

use crate::view;

pub struct Deps {
    conflicts: DecideConflict,
    claims: ClaimNames,
}

impl Deps {
    #[expect(clippy::unused_async, reason = "all functions are made alike")]
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        let conflicts = DecideConflict {
            store: bootstrap.store(),
            sync_queue: bootstrap.sync_queue()?,
            clock: bootstrap.clock(),
            random: bootstrap.random(),
        };
        Ok(Self { conflicts, claims: bootstrap.config.claims() })
    }
}

pub async fn handle(deps: &Deps, request: Request) -> Response<Body> {
    answer(decide(deps, &request).await)
}

async fn decide(deps: &Deps, request: &Request) -> Result<Response<Body>> {
    let caller = Caller::of(request, &deps.claims)?;
    let key = caller.connection_of(input::instructor_in_path(request)?)?;
    let body = JsonBody::of(request)?;
    let state = body.parsed("state", "is not one of live and ignored")?;
    let state = state.ok_or_else(|| Error::field("state", "is missing"))?;
    let Person { subject, role } = caller.acts_for(key.instructor_id);
    let decision = Decision { state, by: subject, role };
    let pair = deps.conflicts.decide(key, input::conflict_in_path(request)?, &decision).await?;
    reply::ok(&view::connection::conflict(&pair))
}
