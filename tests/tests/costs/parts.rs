//! What stands between the use-cases and Google: a webhook, and people who do things meanwhile.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use axum::{Router, http::HeaderMap, routing::post};
use calendar_sync::{
    Result,
    adapters::google::{Answer, Request, Transport},
    ports::CalendarError,
};
use reqwest::Method;
use tokio::{net::TcpListener, sync::Mutex as AsyncMutex};

/// What Google's notices that something changed carry: the channel, and its token.
pub type Mailbox = Arc<Mutex<Vec<[String; 2]>>>;

/// A webhook that keeps what it is told until a test brings it.
pub async fn mailbox() -> (String, Mailbox) {
    let mailbox = Mailbox::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let kept = mailbox.clone();
    let keep = async move |headers: HeaderMap| {
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        if header("x-goog-resource-state") == "exists" {
            kept.lock().unwrap().push([header("x-goog-channel-id"), header("x-goog-channel-token")]);
        }
    };
    tokio::spawn(axum::serve(listener, Router::new().route("/", post(keep))).into_future());
    (address, mailbox)
}

type Doing = futures::future::BoxFuture<'static, ()>;

/// What others do while a listing is under way.
#[derive(Default)]
pub struct Meanwhile(AsyncMutex<Option<Doing>>);
impl Meanwhile {
    pub async fn set(&self, doing: impl Future<Output = ()> + Send + 'static) {
        *self.0.lock().await = Some(Box::pin(doing));
    }
}

/// The way to Google, on which [`Meanwhile`] happens.
pub struct Interrupted {
    pub http: reqwest::Client,
    pub meanwhile: Arc<Meanwhile>,
}

#[async_trait]
impl Transport for Interrupted {
    async fn exchange(&self, request: Request, time: Duration) -> Result<Answer, CalendarError> {
        let lists = request.method() == Method::GET && request.uri().path().ends_with("/events");
        let answer = self.http.exchange(request, time).await;
        if lists {
            // It may list too: the lock is released before it begins.
            let doing = self.meanwhile.0.lock().await.take();
            if let Some(doing) = doing {
                doing.await;
            }
        }
        answer
    }
}
