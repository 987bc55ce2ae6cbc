//! Access rules of a calendar.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::collection::{Collection, Row};
use super::event::{Stamp, etag};
use super::params::Params;
use super::store::{Calendar, Role};
use crate::error::{ApiError, Result};

/// `acl.list`.
pub(crate) fn list(
    calendar: &Calendar,
    account: &str,
    now: DateTime<Utc>,
    life_secs: i64,
    params: Params<'_>,
) -> Result<Value> {
    let rows = rules(calendar).map(|(changed, role, who)| Row {
        changed,
        deleted: role.is_none(),
        item: rule(changed, role, who),
    });
    let collection = Collection { kind: "calendar#acl", owner: &calendar.id, account, rows: rows.collect() };
    collection.page(now, life_secs, params)
}

/// `acl.get`, of a rule that stands.
pub(crate) fn get(calendar: &Calendar, id: &str) -> Result<Value> {
    rules(calendar)
        .filter(|(_, role, _)| role.is_some())
        .find(|(_, _, who)| rule_id(who) == id)
        .map(|(changed, role, who)| rule(changed, role, who))
        .ok_or_else(ApiError::not_found)
}

/// The owner, and each account that ever had a role; those without one have lost it.
fn rules(calendar: &Calendar) -> impl Iterator<Item = (Stamp, Option<Role>, &str)> {
    let shared = calendar.shared_at.iter().map(|(who, changed)| {
        let role = calendar.shared_with.get(who).copied();
        (*changed, role, who.as_str())
    });
    std::iter::once((0, Some(Role::Owner), calendar.owner.as_str())).chain(shared)
}

fn rule(changed: Stamp, role: Option<Role>, who: &str) -> Value {
    json!({
        "kind": "calendar#aclRule",
        "etag": etag(changed),
        "id": rule_id(who),
        "scope": {"type": "user", "value": who},
        "role": role.map_or("none", Role::name),
    })
}

fn rule_id(who: &str) -> String {
    format!("user:{who}")
}
