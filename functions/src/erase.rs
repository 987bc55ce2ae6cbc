//! `POST /api/v1/calendar/erase`: erases all that is kept of an instructor or of the tenant, for its administrators.
//! `GET /api/v1/calendar/erase/{id}`: how that stands.

use calendar_sync::{
    Error, Result,
    bootstrap::Bootstrap,
    config::ClaimNames,
    http::{Caller, JsonBody, answer, input, reply},
    model::{Erasure, ErasureScope, Person, PersonRole, TenantId, timestamp},
    usecases::erase::Erasures,
};
use lambda_http::{Body, Request, Response, http::Method};
use serde_json::{Value, json};

pub struct Deps {
    erasures: Erasures,
    claims: ClaimNames,
}

impl Deps {
    #[expect(clippy::unused_async, reason = "all functions are made alike")]
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        let erasures =
            Erasures { store: bootstrap.store(), erase_queue: bootstrap.erase_queue()?, clock: bootstrap.clock() };
        Ok(Self { erasures, claims: bootstrap.config.claims() })
    }
}

pub async fn handle(deps: &Deps, request: Request) -> Response<Body> {
    answer(if request.method() == Method::POST { begin(deps, &request).await } else { show(deps, &request).await })
}

async fn begin(deps: &Deps, request: &Request) -> Result<Response<Body>> {
    let caller = Caller::of(request, &deps.claims)?;
    let tenant = caller.administered_tenant()?;
    let body = JsonBody::of(request)?;
    let scope = body.required_text("erase")?.parse();
    let scope: ErasureScope = scope.map_err(|_| Error::field("erase", "is neither an instructor's id nor tenant"))?;
    confirmed(&body, scope, tenant)?;
    let keep_events = body.flag("keepEvents")?.unwrap_or(false);
    let person = match scope {
        ErasureScope::Instructor(instructor) => caller.acts_for(instructor),
        ErasureScope::Tenant => Person { subject: caller.user, role: PersonRole::Admin },
    };
    let erasure = deps.erasures.begin(tenant, scope, keep_events, &person).await?;
    reply::accepted(&view(&erasure))
}

/// The id of what is erased is typed once more: nothing brings it back.
fn confirmed(body: &JsonBody, scope: ErasureScope, tenant: TenantId) -> Result<()> {
    if body.required_text("confirm")? == scope.confirmation(tenant) {
        return Ok(());
    }
    Err(Error::field("confirm", "is not the id of the instructor, or of the tenant, that is to be erased"))
}

async fn show(deps: &Deps, request: &Request) -> Result<Response<Body>> {
    let tenant = Caller::of(request, &deps.claims)?.administered_tenant()?;
    let scope = input::erasure_in_path(request)?;
    reply::ok(&view(&deps.erasures.show(tenant, scope).await?))
}

fn view(erasure: &Erasure) -> Value {
    json!({
        "id": erasure.scope,
        "state": if erasure.is_under_way() { "erasing" } else { "erased" },
        "keepEvents": erasure.keep_events,
        "instructorsErased": erasure.instructors_erased,
        "beganAt": timestamp::format(erasure.began_at),
        "endedAt": erasure.ended_at.map(timestamp::format),
    })
}
