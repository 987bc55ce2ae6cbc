//! Signs a person in: the demo tenant's first instructor, unless the query names another.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};
use uuid::{Uuid, uuid};

use super::{Host, Refusal};
use crate::system;

pub const TENANT: Uuid = uuid!("5c7a1e00-0000-4000-8000-000000000001");
/// The instructor whom the page shows first.
pub const ADA: Uuid = uuid!("5c7a1e00-0000-4000-8000-0000000000a1");

/// Who is to be signed in: the demo tenant's first instructor, unless the query says otherwise.
#[derive(Debug, Deserialize)]
pub struct Caller {
    #[serde(default = "demo_tenant")]
    pub tenant: Uuid,
    #[serde(default = "demo_instructor")]
    pub instructor: Uuid,
    /// What they may do: `instructor` or `admin`.
    #[serde(default = "instructor_role")]
    pub role: String,
}

fn demo_tenant() -> Uuid {
    TENANT
}

fn demo_instructor() -> Uuid {
    ADA
}

fn instructor_role() -> String {
    "instructor".to_owned()
}

/// Who is signed in, and where their calendar is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    tenant_id: Uuid,
    instructor_id: Uuid,
    token: String,
    google_url: String,
}

/// `GET /dev/session`
pub async fn session(
    State(host): State<Arc<Host>>,
    caller: Result<Query<Caller>, QueryRejection>,
) -> Result<Json<Session>, Refusal> {
    let Query(Caller { tenant, instructor, role }) = caller?;
    let claims = Map::from_iter([
        ("sub".to_owned(), json!(instructor)),
        ("tenant_id".to_owned(), json!(tenant)),
        ("instructor_id".to_owned(), json!(instructor)),
        ("role".to_owned(), json!(role)),
    ]);
    Ok(Json(Session {
        tenant_id: tenant,
        instructor_id: instructor,
        token: host.authorizer.issue(claims, system::now())?,
        google_url: host.google_url.clone(),
    }))
}
