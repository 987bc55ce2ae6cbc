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
        interceptors::{BeforeTransmitInterceptorContextMut, FinalizerInterceptorContextRef},
    },
    error::BoxError,
    types::AttributeValue,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use calendar_sync::{
    adapters::dynamo::{DynamoStore, tables},
    config::{Config, TableNames},
    model::TenantId,
};
use dynoxide::Database;
use serde_json::{Value, json};
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

impl Traffic {
    fn asked(&self, operation: &str, request: &Value) {
        let is_lesson = |update: &Value| update["TableName"] == "lessons";
        let (written, lessons) = match operation {
            "PutItem" | "DeleteItem" => (1, 0),
            "UpdateItem" => (1, usize::from(is_lesson(request))),
            "BatchWriteItem" => (rows(&request["RequestItems"]), 0),
            "TransactWriteItems" => {
                let items = request["TransactItems"].as_array().unwrap();
                (items.len(), items.iter().filter(|item| is_lesson(&item["Update"])).count())
            }
            _ => (0, 0),
        };
        let mut counts = self.0.lock().unwrap();
        counts.requests += 1;
        counts.written += written;
        counts.lessons_written += lessons;
    }

    fn answered(&self, operation: &str, answer: &Value) {
        let mut counts = self.0.lock().unwrap();
        let consumed = units(&answer["ConsumedCapacity"]);
        match operation {
            "GetItem" => counts.read += usize::from(answer["Item"].is_object()),
            "Query" => counts.read += length(&answer["Items"]),
            "BatchGetItem" => counts.read += rows(&answer["Responses"]),
            // What a condition refuses is paid for all the same.
            _ if answer["__type"].as_str().is_some_and(|kind| kind.ends_with("ConditionalCheckFailedException")) => {
                counts.write_units += 1.0;
            }
            _ => {
                let cancelled = answer["CancellationReasons"].as_array().into_iter().flatten();
                counts.write_units += consumed + cancelled.map(|_| 2.0).sum::<f64>();
                return;
            }
        }
        counts.read_units += consumed;
    }
}

fn length(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}

/// The rows of all tables.
fn rows(by_table: &Value) -> usize {
    by_table.as_object().into_iter().flatten().map(|(_, rows)| length(rows)).sum()
}

/// What one table consumed, or each of several.
fn units(consumed: &Value) -> f64 {
    let of = |table: &Value| table["CapacityUnits"].as_f64().unwrap_or_default();
    consumed.as_array().map_or_else(|| of(consumed), |tables| tables.iter().map(of).sum())
}

fn operation(config: &ConfigBag) -> &str {
    config.load::<Metadata>().unwrap().name()
}

impl Intercept for Traffic {
    fn name(&self) -> &'static str {
        "Traffic"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let mut body: Value = serde_json::from_slice(request.body().bytes().unwrap())?;
        self.asked(operation(config), &body);
        body["ReturnConsumedCapacity"] = json!("TOTAL");
        let body = body.to_string();
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = body.into();
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // An answer that broke off has no bytes.
        if let Some(answer) = context.response().and_then(|response| response.body().bytes()) {
            self.answered(operation(config), &serde_json::from_slice(answer)?);
        }
        Ok(())
    }
}

/// The host application, as it writes its own tables.
pub struct DynamoHost {
    pub client: Client,
    pub names: TableNames,
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
