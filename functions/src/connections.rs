//! `GET /api/v1/calendar/connections`: the connections of a tenant, for its administrators.

use calendar_sync::{
    Error, Result,
    bootstrap::Bootstrap,
    config::ClaimNames,
    http::{Caller, answer, input, reply},
    usecases::list_connections::{CONNECTIONS_PER_PAGE, ListConnections, MAX_CONNECTIONS_PER_PAGE, ReadConnections},
};
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};

use crate::view;

pub struct Deps {
    connections: ReadConnections,
    claims: ClaimNames,
}

impl Deps {
    #[expect(clippy::unused_async, reason = "all functions are made alike")]
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        let connections = ReadConnections { store: bootstrap.store(), clock: bootstrap.clock() };
        Ok(Self { connections, claims: bootstrap.config.claims() })
    }
}

pub async fn handle(deps: &Deps, request: Request) -> Response<Body> {
    answer(list(deps, &request).await)
}

async fn list(deps: &Deps, request: &Request) -> Result<Response<Body>> {
    let tenant = Caller::of(request, &deps.claims)?.administered_tenant()?;
    let cursor = input::query(request, "cursor")?;
    let asked = ListConnections {
        filter: input::parsed_query(request, "state", STATES)?,
        after: cursor.map(|cursor| cursor.parse().map_err(|_| Error::field("cursor", "is malformed"))).transpose()?,
        limit: input::up_to(request, "limit", MAX_CONNECTIONS_PER_PAGE)?.unwrap_or(CONNECTIONS_PER_PAGE),
    };
    let page = deps.connections.list(tenant, &asked).await?;
    let connections = json!({
        "connections": page.connections.iter().map(view::connection::listed).collect::<Value>(),
        "nextCursor": page.next_cursor,
    });
    reply::unless_known(request, &connections)
}

const STATES: &str = "is not one of active, syncing, failing, push_suspect, needs_reauth, switched_off, client_refused and \
                      attention";
