//! Puts the whole together and takes it down again.

use std::{collections::BTreeMap, fs, os::unix::fs::DirBuilderExt as _, path::Path, sync::Arc, time::Duration};

use aes_gcm::{
    Aes256Gcm,
    aead::{Generate as _, Key},
};
use anyhow::Context as _;
use aws_types::SdkConfig;
use axum::http::{
    HeaderValue, Method, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, ETAG, IF_NONE_MATCH},
};
use calendar_sync::{adapters::dynamo::tables, bootstrap::Bootstrap, config::Config};
use data_encoding::BASE64;
use serde_json::json;
use tokio::{net::TcpListener, task::JoinSet};
use tower_http::cors::CorsLayer;

use crate::{
    aws::{self, Kms, Queues, Secrets, Services},
    deployment::{
        self, FIRST_SYNC_QUEUE, LESSON_CHANGES, LESSON_FEED_DEAD_LETTERS, NOTICE_BUS, QUEUE_TRIGGERS, QUEUES, ROUTES,
        SCHEDULES, SECRET, SYNC_QUEUE,
    },
    dev::{self, Host},
    functions::Functions,
    gateway::{Authorizer, Gateway},
    google::{self, SimulatedGoogle},
    private_file,
    settings::{GoogleChoice, Settings, Variables},
    system,
    triggers::{Schedule, StreamTrigger},
};

/// How long invocations that are under way may take to end when the stack is taken down.
const GRACE: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub struct Stack {
    pub api_url: String,
    /// Where a person sees their Google calendar.
    pub google_url: String,
    /// How an AWS client reaches the stand-ins.
    pub sdk: SdkConfig,
    pub services: Arc<Services>,
    functions: Functions,
    tasks: JoinSet<()>,
}

impl Stack {
    /// Starts everything; the address of the API answers when this returns.
    pub async fn start(settings: &Settings, environment: Variables) -> anyhow::Result<Self> {
        make_private_folder(&settings.data).with_context(|| format!("making {}", settings.data.display()))?;
        let mut tasks = JoinSet::new();

        let api = listen("LOCAL_API_PORT", settings.api_port).await?;
        let api_url = format!("http://localhost:{}", api.local_addr()?.port());
        let google = match settings.google {
            GoogleChoice::Real => None,
            GoogleChoice::Simulated => {
                let listener = listen("LOCAL_GOOGLE_PORT", settings.google_port).await?;
                let file = settings.data.join("google.json");
                let redirect_uri = format!("{api_url}/api/v1/calendar/oauth/callback");
                let crash = settings.crash.clone();
                Some(SimulatedGoogle::start(listener, &file, redirect_uri, crash, &mut tasks).await?)
            }
        };
        let google_url = google.as_ref().map_or("https://calendar.google.com", |google| &google.url).to_owned();

        let services = Arc::new(
            Services::open(&settings.data, QUEUES.to_vec(), secrets(settings, &environment)?, settings.crash.clone())
                .await
                .context("opening the data folder")?,
        );
        let aws = TcpListener::bind("127.0.0.1:0").await?;
        let sdk = aws::sdk_config(&format!("http://{}", aws.local_addr()?));
        tasks.spawn(serving("the AWS stand-ins", aws::serve(aws, services.clone())));

        let config = config(environment, &api_url, google.as_ref());
        let names = config.tables();
        let frontend = config.frontend_url()?;
        let dynamodb = aws_sdk_dynamodb::Client::new(&sdk);
        tables::create_all(&dynamodb, &names).await.context("creating the tables")?;
        let functions = deployment::functions(&Bootstrap::new(config, sdk.clone())).await?;

        let token_key = private_file::read_or_create(&settings.data.join("token.key"), random_key)?;
        let authorizer = Authorizer::new(token_key.as_bytes());
        let host = Host {
            client: dynamodb,
            instructors: names.instructors,
            lessons: names.lessons.clone(),
            authorizer: authorizer.clone(),
            google_url: google_url.clone(),
            services: services.clone(),
        };
        dev::seed(&host, system::now()).await?;

        let gateway = Gateway { functions: functions.clone(), authorizer };
        let router = gateway.router(&ROUTES)?.merge(host.router()).layer(cors(&frontend)?);
        tasks.spawn(serving("the API", axum::serve(api, router).into_future()));
        for (function, rate) in SCHEDULES {
            let every = settings.schedule_every.unwrap_or(rate);
            tasks.spawn(Schedule { function, every }.run(functions.clone()));
        }
        for trigger in QUEUE_TRIGGERS {
            tasks.spawn(trigger.run(aws_sdk_sqs::Client::new(&sdk), functions.clone()));
        }
        let lesson_changes = StreamTrigger {
            table: names.lessons,
            function: LESSON_CHANGES,
            checkpoint: settings.data.join("lessons.checkpoint"),
        };
        tasks.spawn(lesson_changes.run(services.dynamodb.database().clone(), functions.clone()));

        Ok(Self { api_url, google_url, sdk, services, functions, tasks })
    }

    /// Takes no more work, lets what is under way end, and stops.
    pub async fn stop(mut self) {
        self.tasks.abort_all();
        let ended = tokio::time::timeout(GRACE, self.functions.idle()).await;
        if ended.is_err() {
            tracing::warn!("some invocations were cut off; the next start picks their work up");
        }
    }
}

/// Tokens and keys lie in it.
fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

async fn listen(variable: &str, port: u16) -> anyhow::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port))
        .await
        .with_context(|| format!("port {port} cannot be had; set {variable} to another"))
}

/// Lets the pages of `frontend` call the API with their cookies, as the template's `CorsConfiguration` does.
fn cors(frontend: &str) -> anyhow::Result<CorsLayer> {
    let address: Uri = frontend.parse()?;
    let scheme = address.scheme_str().unwrap_or("http");
    let authority = address.authority().context("FRONTEND_URL names no host")?;
    Ok(CorsLayer::new()
        .allow_origin(HeaderValue::try_from(format!("{scheme}://{authority}"))?)
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, IF_NONE_MATCH])
        .expose_headers([ETAG])
        .allow_credentials(true)
        .max_age(Duration::from_hours(1)))
}

async fn serving(what: &str, server: impl Future<Output = std::io::Result<()>>) {
    if let Err(error) = server.await {
        tracing::error!(%error, "{what} stopped");
    }
}

/// What the functions are told. The environment decides what is about Google, and nothing about AWS.
fn config(environment: Variables, api_url: &str, google: Option<&SimulatedGoogle>) -> Config {
    let mut variables = BTreeMap::from([
        ("EVENT_BUS_NAME", NOTICE_BUS.to_owned()),
        ("FEED_DEAD_LETTERS_URL", Queues::url(LESSON_FEED_DEAD_LETTERS)),
        ("FIRST_SYNC_QUEUE_URL", Queues::url(FIRST_SYNC_QUEUE)),
        ("FRONTEND_URL", api_url.to_owned()),
        ("KMS_KEY_ID", Kms::KEY_ALIAS.to_owned()),
        ("SECRET_ID", SECRET.to_owned()),
        ("SYNC_QUEUE_URL", Queues::url(SYNC_QUEUE)),
    ]);
    if let Some(google) = google {
        variables.extend(google.variables());
        variables.insert("WEBHOOK_URL", format!("{api_url}/api/v1/calendar/webhook"));
    }
    Config::from_vars(move |name| {
        let may_be_set = name.starts_with("GOOGLE_") || matches!(name, "FRONTEND_URL" | "WEBHOOK_URL");
        let given = environment(name).filter(|value| may_be_set && !value.is_empty());
        given.or_else(|| variables.get(name).cloned())
    })
}

/// The secret that the functions read: the client's, and keys of this machine's own making.
fn secrets(settings: &Settings, environment: &Variables) -> anyhow::Result<Secrets> {
    let client_secret = match settings.google {
        GoogleChoice::Simulated => Some(google::CLIENT_SECRET.to_owned()),
        GoogleChoice::Real => environment("GOOGLE_CLIENT_SECRET"),
    };
    let webhook_key = private_file::read_or_create(&settings.data.join("webhook.key"), random_key)?;
    let secret = json!({ "googleClientSecret": client_secret, "webhookKeys": [webhook_key] });
    Ok(Secrets::new([(SECRET.to_owned(), secret.to_string())]))
}

fn random_key() -> String {
    BASE64.encode(&Key::<Aes256Gcm>::generate())
}
