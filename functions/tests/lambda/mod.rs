//! AWS Lambda's side of the Runtime API: one process, one event at a time.

use std::{process::Stdio, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::{Mutex, mpsc},
};

/// How long a process may take to answer or to end.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct Lambda {
    events: mpsc::Sender<Value>,
    answers: mpsc::Receiver<Result<Value, Value>>,
    process: Child,
}

struct RuntimeApi {
    events: Mutex<mpsc::Receiver<Value>>,
    answers: mpsc::Sender<Result<Value, Value>>,
}

impl Lambda {
    /// Starts `binary` as Lambda starts it.
    pub async fn start(binary: &str, environment: Vec<(&'static str, String)>) -> Self {
        let (events, sent) = mpsc::channel(1);
        let (answered, answers) = mpsc::channel(1);
        let api = RuntimeApi { events: Mutex::new(sent), answers: answered };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{outcome}", post(outcome))
            .with_state(Arc::new(api));
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { events, answers, process: command(binary, environment, &address).spawn().unwrap() }
    }

    /// Sends an event; the function's answer, or its error.
    pub async fn invoke(&mut self, event: Value) -> Result<Value, Value> {
        self.events.send(event).await.unwrap();
        tokio::select! {
            answer = self.answers.recv() => answer.unwrap(),
            ended = self.process.wait() => panic!("the process ended: {ended:?}"),
            () = tokio::time::sleep(PATIENCE) => panic!("no answer"),
        }
    }
}

/// What a process that does not get as far as asking for work says on its way out.
pub async fn ends(binary: &str, environment: Vec<(&'static str, String)>) -> String {
    let closed_port = "127.0.0.1:9";
    let ended = command(binary, environment, closed_port).stderr(Stdio::piped()).output();
    let output = tokio::time::timeout(PATIENCE, ended).await.expect("the process goes on").unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn command(binary: &str, environment: Vec<(&'static str, String)>, runtime_api: &str) -> Command {
    let mut command = Command::new(binary);
    command
        .env_clear()
        .envs(environment)
        .env("AWS_LAMBDA_RUNTIME_API", runtime_api)
        .env("AWS_LAMBDA_FUNCTION_NAME", "function")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/function")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
        .stdout(Stdio::null())
        .kill_on_drop(true);
    command
}

/// The process asks for work, and waits until there is some.
async fn next(State(api): State<Arc<RuntimeApi>>) -> Response {
    let Some(event) = api.events.lock().await.recv().await else { return StatusCode::GONE.into_response() };
    let headers = [
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:123456789012:function:function"),
    ];
    (headers, Json(event)).into_response()
}

/// The process answers, by `response` or by `error`.
async fn outcome(
    State(api): State<Arc<RuntimeApi>>,
    Path((_, outcome)): Path<(String, String)>,
    body: String,
) -> StatusCode {
    let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
    let answer = if outcome == "response" { Ok(body) } else { Err(body) };
    let taken = api.answers.send(answer).await;
    if taken.is_ok() { StatusCode::ACCEPTED } else { StatusCode::GONE }
}
