//! `erasures`: for each tenant the instructors who were ever connected, and the erasures that are under way or ended a
//! while ago. An instructor who has disconnected may still have rows, which no partition of the tenant's leads to.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    DynamoStore,
    expressions::Change,
    items::{Item, from_item, number, text, time, to_item},
    keys::{self, INSTRUCTORS},
    requests::{Index, Query, Written, removal},
    tables::LOGINS_BY_TENANT,
};
use crate::{
    Error, Result,
    model::{ConnectionKey, Erasure, ErasureScope, InstructorId, Person, TenantId, timestamp},
    ports::ErasureStore,
};

#[derive(Serialize, Deserialize)]
struct Row {
    tenant_id: TenantId,
    scope: ErasureScope,
    keep_events: bool,
    asked_by: Person,
    #[serde(with = "timestamp")]
    began_at: DateTime<Utc>,
    instructors_erased: u64,
    #[serde(default, with = "timestamp::option")]
    ended_at: Option<DateTime<Utc>>,
}

impl From<&Erasure> for Row {
    fn from(erasure: &Erasure) -> Self {
        Self {
            tenant_id: erasure.tenant_id,
            scope: erasure.scope,
            keep_events: erasure.keep_events,
            asked_by: erasure.asked_by.clone(),
            began_at: erasure.began_at,
            instructors_erased: erasure.instructors_erased,
            ended_at: erasure.ended_at,
        }
    }
}

impl From<Row> for Erasure {
    fn from(row: Row) -> Self {
        Self {
            tenant_id: row.tenant_id,
            scope: row.scope,
            keep_events: row.keep_events,
            asked_by: row.asked_by,
            began_at: row.began_at,
            instructors_erased: row.instructors_erased,
            ended_at: row.ended_at,
        }
    }
}

#[async_trait]
impl ErasureStore for DynamoStore {
    async fn begin_erasure(&self, erasure: &Erasure) -> Result<Erasure> {
        let (tenant, scope) = (erasure.tenant_id, erasure.scope);
        let mut item = to_item(&Row::from(erasure))?;
        item.extend(keys::erasure(tenant, scope));
        let none_under_way = Change::when("attribute_not_exists(#item) OR attribute_exists(#ended_at)");
        if self.transact(vec![none_under_way.put(&self.names.erasures, item)?]).await? {
            return Ok(erasure.clone());
        }
        let ended = || Error::unavailable("store_unavailable", "the erasure that was under way has ended");
        self.erasure(tenant, scope).await?.ok_or_else(ended)
    }

    async fn erasure(&self, tenant: TenantId, scope: ErasureScope) -> Result<Option<Erasure>> {
        let item = self.get(&self.names.erasures, keys::erasure(tenant, scope)).await?;
        item.map(|item| from_item::<Row>(item).map(Into::into)).transpose()
    }

    async fn known_instructor(&self, tenant: TenantId, after: Option<InstructorId>) -> Result<Option<InstructorId>> {
        let from = after.map_or_else(|| INSTRUCTORS.to_owned(), |after| format!("{INSTRUCTORS}{after}~"));
        let found = self
            .query(Query {
                table: &self.names.erasures,
                condition: "#tenant_id = :tenant AND #item BETWEEN :from AND :to",
                values: vec![
                    (":tenant", text(tenant)),
                    (":from", text(from)),
                    (":to", text(format!("{INSTRUCTORS}~"))),
                ],
                limit: Some(1),
                ..Query::default()
            })
            .await?;
        let id = found.first().and_then(|item| item.get("item")?.as_s().ok()?.strip_prefix(INSTRUCTORS));
        id.map(|id| id.parse().map_err(Error::internal)).transpose()
    }

    async fn erase_rows(&self, key: ConnectionKey, limit: usize) -> Result<usize> {
        let mut erased = 0;
        for (table, only) in [
            (&self.names.mappings, "#connection, #item"),
            (&self.names.external_events, "#connection, #event"),
            (&self.names.sync_logs, "#connection, #id"),
        ] {
            let query = Query {
                table,
                condition: "#connection = :connection",
                values: vec![(":connection", text(key))],
                only: Some(only),
                limit: Some(limit - erased),
                ..Query::default()
            };
            erased += self.erase(query).await?;
        }
        let logins = Query {
            condition: "#tenant_id = :tenant AND #instructor_id = :instructor",
            values: vec![(":tenant", text(key.tenant_id)), (":instructor", text(key.instructor_id))],
            limit: Some(limit - erased),
            ..self.logins()
        };
        Ok(erased + self.erase(logins).await?)
    }

    async fn erase_logins(&self, tenant: TenantId, limit: usize) -> Result<usize> {
        let condition = "#tenant_id = :tenant";
        let values = vec![(":tenant", text(tenant))];
        self.erase(Query { condition, values, limit: Some(limit), ..self.logins() }).await
    }

    async fn forget_instructor(&self, key: ConnectionKey, scope: ErasureScope) -> Result<()> {
        let table = &self.names.erasures;
        let known = Change::when("attribute_exists(#item)");
        let counted = Change::when("attribute_exists(#item)").count_up("instructors_erased");
        let writes = vec![
            known.delete(table, keys::known_instructor(key))?,
            counted.update(table, keys::erasure(key.tenant_id, scope))?,
        ];
        self.transact(writes).await.map(drop)
    }

    async fn end_erasure(&self, tenant: TenantId, scope: ErasureScope, ended_at: DateTime<Utc>) -> Result<()> {
        let expires_at = (ended_at + Erasure::RETENTION).timestamp();
        let end = Change::when("attribute_exists(#item) AND attribute_not_exists(#ended_at)")
            .set("ended_at", time(ended_at))
            .set("ttl", number(expires_at));
        match self.update(&self.names.erasures, keys::erasure(tenant, scope), end).await? {
            Written::Done(_) | Written::Refused(_) => Ok(()),
        }
    }
}

impl DynamoStore {
    fn logins(&self) -> Query<'_> {
        let index = Some(Index::Global(LOGINS_BY_TENANT));
        Query { table: &self.names.oauth_states, index, only: Some("#state"), ..Query::default() }
    }

    /// Removes what `query`, of keys alone, finds.
    async fn erase(&self, query: Query<'_>) -> Result<usize> {
        let table = query.table;
        let found: Vec<Item> = self.query(query).await?;
        let removals = found.into_iter().map(removal).collect::<Result<Vec<_>>>()?;
        let erased = removals.len();
        self.batch_write(table, removals).await?;
        Ok(erased)
    }
}
