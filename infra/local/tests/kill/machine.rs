//! A data folder, and the runs of the program on it.

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header::CONTENT_TYPE},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use tempfile::TempDir;

#[derive(Debug)]
pub struct Died;

/// A machine whose disk outlives its process.
pub struct Machine {
    name: String,
    data: TempDir,
    api_port: u16,
    google_port: u16,
}

/// A process on the machine; it is killed when this is dropped.
pub struct Run {
    name: String,
    child: Mutex<Child>,
    client: Client<HttpConnector, Body>,
    pub api: String,
    pub google: String,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Machine {
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            data: tempfile::tempdir().unwrap(),
            api_port: own_port(),
            google_port: own_port(),
        }
    }

    /// Starts the program and waits until it answers.
    pub async fn start(&self, crash: Option<&str>) -> Result<Run, Died> {
        let log = log_file(self.data.path());
        let child = Command::new(env!("CARGO_BIN_EXE_local-stack"))
            .env("LOCAL_DATA", self.data.path().join("data"))
            .env("LOCAL_API_PORT", self.api_port.to_string())
            .env("LOCAL_GOOGLE_PORT", self.google_port.to_string())
            .env("LOCAL_SCHEDULE_SECONDS", "2")
            .env("CRASH_AT", crash.unwrap_or_default())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let run = Run {
            name: self.name.clone(),
            child: Mutex::new(child),
            client: Client::builder(TokioExecutor::new()).build_http(),
            api: format!("http://localhost:{}", self.api_port),
            google: format!("http://localhost:{}", self.google_port),
        };
        for _ in 0..300 {
            let request = Request::get(format!("{}/dev/notices", run.api)).body(Body::empty()).unwrap();
            if run.client.request(request).await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(run);
            }
            if run.has_died() {
                return Err(Died);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{}: no answer; the log says: {}", self.name, self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.data.path().join("log")).unwrap_or_default()
    }
}

impl Run {
    pub async fn get(&self, url: &str, headers: &[(&str, &str)]) -> Result<Answer, Died> {
        self.send(Method::GET, url, headers, String::new()).await
    }

    pub async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Answer, Died> {
        let mut request = Request::builder().method(method).uri(url);
        if body.starts_with('{') {
            request = request.header(CONTENT_TYPE, "application/json");
        } else if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let exchange = async {
            let response = self.client.request(request.body(Body::from(body)).unwrap()).await.ok()?;
            let (head, body) = response.into_parts();
            let body = axum::body::to_bytes(Body::new(body), 10 << 20).await.ok()?;
            Some(Answer {
                status: head.status,
                headers: head.headers,
                text: String::from_utf8_lossy(&body).into_owned(),
            })
        };
        if let Some(answer) = exchange.await {
            return Ok(answer);
        }
        for _ in 0..20 {
            if self.has_died() {
                return Err(Died);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("{}: {url} did not answer, and the process lives", self.name);
    }

    pub fn has_died(&self) -> bool {
        self.child.lock().unwrap().try_wait().unwrap().is_some()
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text);
        serde_json::from_str(&self.text).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {} {}", self.status, self.text));
        value.to_str().unwrap()
    }
}

/// A port that no other machine gets, and no connection either: systems number those from 32,768 at least.
fn own_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(20_000);
    loop {
        let port = NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn log_file(folder: &Path) -> std::fs::File {
    std::fs::File::options().create(true).append(true).open(folder.join("log")).unwrap()
}
