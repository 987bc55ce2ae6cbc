//! `GET /api/v1/calendar/status/{instructorId}`: whether the connection works, and what its runs did.

use calendar_sync::{
    Error, Result,
    bootstrap::Bootstrap,
    config::ClaimNames,
    http::{Caller, answer, input, reply},
    usecases::show_status::ShowStatus,
};
use lambda_http::{Body, Request, Response};

use crate::view;

pub struct Deps {
    status: ShowStatus,
    claims: ClaimNames,
}

impl Deps {
    #[expect(clippy::unused_async, reason = "all functions are made alike")]
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        let status = ShowStatus { store: bootstrap.store(), clock: bootstrap.clock() };
        Ok(Self { status, claims: bootstrap.config.claims() })
    }
}

pub async fn handle(deps: &Deps, request: Request) -> Response<Body> {
    answer(status(deps, &request).await)
}

async fn status(deps: &Deps, request: &Request) -> Result<Response<Body>> {
    let caller = Caller::of(request, &deps.claims)?;
    let key = caller.connection_of(input::instructor_in_path(request)?)?;
    let cursor = input::query(request, "cursor")?;
    let before = cursor.map(|cursor| cursor.parse().map_err(|_| Error::field("cursor", "is malformed"))).transpose()?;
    let status = deps.status.show(key, before).await?;
    let shares = status.connection.as_ref().is_some_and(|(connection, _)| connection.settings.share_titles);
    let sees_plans = caller.sees_plans_of(key.instructor_id, shares);
    let status = if sees_plans { status } else { status.without_plans() };
    reply::unless_known(request, &view::connection::status(&status))
}
