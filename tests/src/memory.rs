//! The store in memory, as the subject of the store's contract.

use std::sync::Arc;

use async_trait::async_trait;
use calendar_sync::model::{InstructorId, LessonId, TenantId};
use convergence::memory_store::MemoryStore;
use serde_json::Value;
use uuid::Uuid;

use crate::contracts::store::{Host, HostTable, Subject};

/// What the store's contract runs on.
pub fn subject() -> Subject {
    let store = MemoryStore::default();
    Subject { store: Arc::new(store.clone()), limiter: Arc::new(store.clone()), host: Arc::new(MemoryHost(store)) }
}

/// The host application, as it writes its own tables.
struct MemoryHost(MemoryStore);

#[async_trait]
impl Host for MemoryHost {
    async fn put(&self, table: HostTable, row: Value) {
        let id = |column: &str| row[column].as_str().unwrap().parse().unwrap();
        let (tenant, id) = (TenantId(id("tenant_id")), id("id"));
        let mut tables = self.0.tables();
        match table {
            HostTable::Lessons => tables.lessons.insert((tenant, LessonId(id)), row),
            HostTable::Instructors => tables.instructors.insert((tenant, InstructorId(id)), row),
        };
    }

    async fn remove(&self, table: HostTable, tenant: TenantId, id: Uuid) {
        let mut tables = self.0.tables();
        match table {
            HostTable::Lessons => tables.lessons.remove(&(tenant, LessonId(id))),
            HostTable::Instructors => tables.instructors.remove(&(tenant, InstructorId(id))),
        };
    }

    async fn row(&self, table: HostTable, tenant: TenantId, id: Uuid) -> Option<Value> {
        let tables = self.0.tables();
        match table {
            HostTable::Lessons => tables.lessons.get(&(tenant, LessonId(id))).cloned(),
            HostTable::Instructors => tables.instructors.get(&(tenant, InstructorId(id))).cloned(),
        }
    }
}
