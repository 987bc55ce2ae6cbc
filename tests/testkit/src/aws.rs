//! The stand-ins for AWS on a port of their own.

use std::{path::Path, sync::Arc};

use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, StreamSpecification,
        StreamViewType,
    },
};
use aws_types::SdkConfig;
use calendar_sync::{
    adapters::dynamo::tables,
    config::{Config, TableNames},
};
use local_stack::aws::{self, Queue, Secrets, Services};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};

/// AWS, as one run of its process.
pub struct LocalAws {
    pub sdk: SdkConfig,
    pub endpoint: String,
    pub services: Arc<Services>,
    server: JoinHandle<std::io::Result<()>>,
    _data: Option<TempDir>,
}

impl LocalAws {
    /// On a folder that goes with the test.
    pub async fn start(queues: Vec<Queue>, secrets: Secrets) -> Self {
        let data = tempfile::tempdir().unwrap();
        let started = Self::start_on(data.path(), queues, secrets).await;
        Self { _data: Some(data), ..started }
    }

    /// On a folder that stays.
    pub async fn start_on(data: &Path, queues: Vec<Queue>, secrets: Secrets) -> Self {
        let services = Arc::new(Services::open(data, queues, secrets, None).await.unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(aws::serve(listener, Arc::clone(&services)));
        Self { sdk: aws::sdk_config(&endpoint), endpoint, services, server, _data: None }
    }

    pub async fn create_tables(&self) -> (Client, TableNames) {
        let (client, names) = (Client::new(&self.sdk), table_names());
        tables::create_all(&client, &names).await.unwrap();
        (client, names)
    }

    /// From now on nothing answers.
    pub async fn stop(&mut self) {
        self.server.abort();
        let _ = (&mut self.server).await;
    }
}

/// A table whose items are found by `id`. Its changes are streamed.
pub async fn create_table(client: &Client, name: &str) {
    let id = AttributeDefinition::builder().attribute_name("id").attribute_type(ScalarAttributeType::S);
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash);
    let stream = StreamSpecification::builder().stream_enabled(true).stream_view_type(StreamViewType::NewAndOldImages);
    client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(id.build().unwrap())
        .key_schema(key.build().unwrap())
        .stream_specification(stream.build().unwrap())
        .send()
        .await
        .unwrap();
}

/// A queue without dead letters.
pub fn queue(name: &'static str) -> Queue {
    Queue { name, visibility_timeout: 30, dead_letters: None }
}

/// The tables, under the names of the specification.
pub fn table_names() -> TableNames {
    Config::from_vars(|_| None).tables()
}
