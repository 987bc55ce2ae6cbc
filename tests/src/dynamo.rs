//! A store in memory: DynamoDB's API on a port of its own, with all tables.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use calendar_sync::{
    adapters::dynamo::{DynamoStore, tables},
    config::{Config, TableNames},
    model::TenantId,
};
use dynoxide::Database;
use serde_json::Value;
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::contracts::store::{Host, HostTable, Subject};

/// An empty database of its own, gone with the test.
pub async fn in_memory() -> (Client, TableNames) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let database = Database::memory().unwrap();
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    let client = Client::new(&local_stack::aws::sdk_config(&endpoint));
    let names = Config::from_vars(|_| None).tables();
    tables::create_all(&client, &names).await.unwrap();
    (client, names)
}

/// What the store's contract runs on.
pub async fn subject() -> Subject {
    let (client, names) = in_memory().await;
    Subject {
        store: Arc::new(DynamoStore::new(client.clone(), names.clone())),
        host: Arc::new(DynamoHost { client, names }),
    }
}

/// The host application, as it writes its own tables.
struct DynamoHost {
    client: Client,
    names: TableNames,
}

impl DynamoHost {
    fn table(&self, table: HostTable) -> &str {
        match table {
            HostTable::Lessons => &self.names.lessons,
            HostTable::Instructors => &self.names.instructors,
        }
    }
}

#[async_trait]
impl Host for DynamoHost {
    async fn put(&self, table: HostTable, row: Value) {
        let item = serde_dynamo::aws_sdk_dynamodb_1::to_item(row).unwrap();
        self.client.put_item().table_name(self.table(table)).set_item(Some(item)).send().await.unwrap();
    }

    async fn row(&self, table: HostTable, tenant: TenantId, id: Uuid) -> Option<Value> {
        let text = |id: Uuid| AttributeValue::S(id.to_string());
        let request = self.client.get_item().table_name(self.table(table));
        let answer = request.key("tenant_id", text(tenant.0)).key("id", text(id)).send().await.unwrap();
        answer.item.map(|item| serde_dynamo::aws_sdk_dynamodb_1::from_item(item).unwrap())
    }
}
