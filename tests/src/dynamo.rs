//! A store in memory: DynamoDB's API on a port of its own, with all tables.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextRef},
    },
    error::BoxError,
    operation::{
        batch_get_item::BatchGetItemOutput, batch_write_item::BatchWriteItemInput, delete_item::DeleteItemInput,
        get_item::GetItemOutput, put_item::PutItemInput, query::QueryOutput,
        transact_write_items::TransactWriteItemsInput, update_item::UpdateItemInput,
    },
    types::AttributeValue,
};
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

/// What the store's contract runs on: an empty database of its own, gone with the test.
pub async fn subject() -> Subject {
    counted().await.0
}

/// The same, and what the store, not the host, reads and writes there.
pub async fn counted() -> (Subject, Traffic) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let sdk = local_stack::aws::sdk_config(&format!("http://{}", listener.local_addr().unwrap()));
    let database = Database::memory().unwrap();
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    let client = Client::new(&sdk);
    let names = Config::from_vars(|_| None).tables();
    tables::create_all(&client, &names).await.unwrap();
    let traffic = Traffic::default();
    let config = aws_sdk_dynamodb::config::Builder::from(&sdk).interceptor(traffic.clone()).build();
    let store = Arc::new(DynamoStore::new(Client::from_conf(config), names.clone()));
    (Subject { store, host: Arc::new(DynamoHost { client, names }) }, traffic)
}

/// Counts items as the AWS SDK sends and receives them.
#[derive(Debug, Clone, Default)]
pub struct Traffic(Arc<[AtomicUsize; 2]>);

impl Traffic {
    /// Items that were written, or that a condition kept from being written, since the last time.
    pub fn written(&self) -> usize {
        self.0[0].swap(0, Ordering::SeqCst)
    }

    /// Items that were read since the last time.
    pub fn read(&self) -> usize {
        self.0[1].swap(0, Ordering::SeqCst)
    }
}

impl Intercept for Traffic {
    fn name(&self) -> &'static str {
        "Traffic"
    }

    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input();
        let of_batch = |batch: &BatchWriteItemInput| batch.request_items().unwrap().values().map(Vec::len).sum();
        let items = if let Some(batch) = input.downcast_ref::<BatchWriteItemInput>() {
            of_batch(batch)
        } else if let Some(transaction) = input.downcast_ref::<TransactWriteItemsInput>() {
            transaction.transact_items().len()
        } else {
            usize::from(
                input.downcast_ref::<PutItemInput>().is_some()
                    || input.downcast_ref::<UpdateItemInput>().is_some()
                    || input.downcast_ref::<DeleteItemInput>().is_some(),
            )
        };
        self.0[0].fetch_add(items, Ordering::SeqCst);
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Ok(output) = context.output_or_error() else { return Ok(()) };
        let items = if let Some(query) = output.downcast_ref::<QueryOutput>() {
            query.items().len()
        } else if let Some(batch) = output.downcast_ref::<BatchGetItemOutput>() {
            batch.responses().unwrap().values().map(Vec::len).sum()
        } else {
            usize::from(output.downcast_ref::<GetItemOutput>().is_some_and(|got| got.item().is_some()))
        };
        self.0[1].fetch_add(items, Ordering::SeqCst);
        Ok(())
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
