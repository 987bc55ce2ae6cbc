//! A store in memory: DynamoDB's API on a port of its own, with all tables.

use std::{
    mem,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use aws_sdk_dynamodb::{
    Client,
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{
            AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
            BeforeSerializationInterceptorContextRef,
        },
    },
    error::BoxError,
    operation::{
        batch_get_item::{BatchGetItemInput, BatchGetItemOutput},
        batch_write_item::{BatchWriteItemInput, BatchWriteItemOutput},
        delete_item::{DeleteItemError, DeleteItemInput, DeleteItemOutput},
        get_item::{GetItemInput, GetItemOutput},
        put_item::{PutItemError, PutItemInput, PutItemOutput},
        query::{QueryInput, QueryOutput},
        transact_write_items::{TransactWriteItemsError, TransactWriteItemsInput, TransactWriteItemsOutput},
        update_item::{UpdateItemError, UpdateItemInput, UpdateItemOutput},
    },
    types::{AttributeValue, ConsumedCapacity, ReturnConsumedCapacity, TransactWriteItem},
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
    over(Database::memory().unwrap()).await
}

/// The same over a database that the test has a hand in.
pub async fn over(database: Database) -> (Subject, Traffic) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let sdk = local_stack::aws::sdk_config(&format!("http://{}", listener.local_addr().unwrap()));
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    let client = Client::new(&sdk);
    let names = Config::from_vars(|_| None).tables();
    tables::create_all(&client, &names).await.unwrap();
    let traffic = Traffic::default();
    let config = aws_sdk_dynamodb::config::Builder::from(&sdk).interceptor(traffic.clone()).build();
    let store = Arc::new(DynamoStore::new(Client::from_conf(config), names.clone()));
    (Subject { store: store.clone(), limiter: store, host: Arc::new(DynamoHost { client, names }) }, traffic)
}

/// Counts what the AWS SDK sends and receives.
#[derive(Debug, Clone, Default)]
pub struct Traffic(Arc<Mutex<Counts>>);

/// What was read and written.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Counts {
    pub requests: u32,
    /// Items that were written, or that a condition kept from being written.
    pub written: usize,
    /// Rows of lessons among them: each comes by the table's stream.
    pub lessons_written: usize,
    pub read: usize,
    /// What is paid for writing, indexes and the double price of transactions included.
    pub write_units: f64,
    pub read_units: f64,
}

impl Traffic {
    /// What was counted since the last time.
    pub fn take(&self) -> Counts {
        mem::take(&mut *self.0.lock().unwrap())
    }
}

/// Has DynamoDB say what requests of these kinds consume.
macro_rules! ask_for_units {
    ($input:expr, $($kind:ty),+) => {$(
        if let Some(request) = $input.downcast_mut::<$kind>() {
            request.return_consumed_capacity = Some(ReturnConsumedCapacity::Total);
        }
    )+};
}

/// What answers of these kinds say was consumed.
macro_rules! units_of {
    ($output:expr, $($kind:ty),+) => {
        0.0 $(+ $output.downcast_ref::<$kind>().map_or(0.0, |answer| total(answer.consumed_capacity())))+
    };
}

/// How many writes a condition refused: they are paid for all the same.
macro_rules! refused {
    ($error:expr, $($kind:path),+) => {
        0.0 $(+ f64::from(matches!($error.downcast_ref(), Some($kind(_)))))+
    };
}

fn total<'a>(consumed: impl IntoIterator<Item = &'a ConsumedCapacity>) -> f64 {
    consumed.into_iter().filter_map(ConsumedCapacity::capacity_units).sum()
}

impl Intercept for Traffic {
    fn name(&self) -> &'static str {
        "Traffic"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input_mut();
        ask_for_units!(input, GetItemInput, BatchGetItemInput, QueryInput, PutItemInput, UpdateItemInput);
        ask_for_units!(input, DeleteItemInput, BatchWriteItemInput, TransactWriteItemsInput);
        Ok(())
    }

    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input();
        let of_batch = |batch: &BatchWriteItemInput| batch.request_items().unwrap().values().map(Vec::len).sum();
        let lessons = if let Some(transaction) = input.downcast_ref::<TransactWriteItemsInput>() {
            transaction
                .transact_items()
                .iter()
                .filter_map(TransactWriteItem::update)
                .filter(|update| update.table_name() == "lessons")
                .count()
        } else {
            let update = input.downcast_ref::<UpdateItemInput>();
            usize::from(update.is_some_and(|update| update.table_name() == Some("lessons")))
        };
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
        let mut counts = self.0.lock().unwrap();
        counts.requests += 1;
        counts.written += items;
        counts.lessons_written += lessons;
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut counts = self.0.lock().unwrap();
        let output = match context.output_or_error() {
            Ok(output) => output,
            Err(error) => {
                let Some(error) = error.as_operation_error() else { return Ok(()) };
                counts.write_units += refused!(
                    error,
                    PutItemError::ConditionalCheckFailedException,
                    UpdateItemError::ConditionalCheckFailedException,
                    DeleteItemError::ConditionalCheckFailedException
                );
                if let Some(TransactWriteItemsError::TransactionCanceledException(reasons)) = error.downcast_ref() {
                    counts.write_units += 2.0 * reasons.cancellation_reasons().iter().map(|_| 1.0).sum::<f64>();
                }
                return Ok(());
            }
        };
        counts.read += if let Some(query) = output.downcast_ref::<QueryOutput>() {
            query.items().len()
        } else if let Some(batch) = output.downcast_ref::<BatchGetItemOutput>() {
            batch.responses().unwrap().values().map(Vec::len).sum()
        } else {
            usize::from(output.downcast_ref::<GetItemOutput>().is_some_and(|got| got.item().is_some()))
        };
        counts.read_units += units_of!(output, GetItemOutput, BatchGetItemOutput, QueryOutput);
        counts.write_units += units_of!(output, PutItemOutput, UpdateItemOutput, DeleteItemOutput);
        counts.write_units += units_of!(output, BatchWriteItemOutput, TransactWriteItemsOutput);
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

    async fn remove(&self, table: HostTable, tenant: TenantId, id: Uuid) {
        let text = |id: Uuid| AttributeValue::S(id.to_string());
        let request = self.client.delete_item().table_name(self.table(table));
        request.key("tenant_id", text(tenant.0)).key("id", text(id)).send().await.unwrap();
    }

    async fn row(&self, table: HostTable, tenant: TenantId, id: Uuid) -> Option<Value> {
        let text = |id: Uuid| AttributeValue::S(id.to_string());
        let request = self.client.get_item().table_name(self.table(table));
        let answer = request.key("tenant_id", text(tenant.0)).key("id", text(id)).send().await.unwrap();
        answer.item.map(|item| serde_dynamo::aws_sdk_dynamodb_1::from_item(item).unwrap())
    }
}
