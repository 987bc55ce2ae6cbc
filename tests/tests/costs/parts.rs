//! What stands between the use-cases and Google: a webhook, and people who do things meanwhile.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::{Router, http::HeaderMap, routing::post};
use calendar_sync::{
    Result,
    adapters::google::GoogleCalendar,
    model::Channel,
    ports::{Access, Calendar, CalendarError, Listing, NewChannel, Operation, OperationOutcome},
};
use chrono::{DateTime, Utc};
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

pub struct Interrupted {
    pub calendar: GoogleCalendar,
    pub meanwhile: Arc<Meanwhile>,
}

#[async_trait]
impl Calendar for Interrupted {
    async fn list(&self, access: &Access, token: Option<&str>, deadline: DateTime<Utc>) -> Listing {
        let listing = self.calendar.list(access, token, deadline).await;
        let doing = self.meanwhile.0.lock().await.take();
        if let Some(doing) = doing {
            doing.await;
        }
        listing
    }
    async fn batch(
        &self,
        access: &Access,
        operations: &[Operation],
        deadline: DateTime<Utc>,
    ) -> (Vec<OperationOutcome>, u32) {
        self.calendar.batch(access, operations, deadline).await
    }
    async fn watch(
        &self,
        access: &Access,
        channel: &NewChannel,
        deadline: DateTime<Utc>,
    ) -> Result<Channel, CalendarError> {
        self.calendar.watch(access, channel, deadline).await
    }
    async fn stop(&self, access: &Access, channel: &Channel, deadline: DateTime<Utc>) -> Result<(), CalendarError> {
        self.calendar.stop(access, channel, deadline).await
    }
}
