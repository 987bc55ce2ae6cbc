//! `POST /api/v1/calendar/webhook`, a function URL: Google's push notifications.

use std::sync::Arc;

use calendar_sync::{
    Result,
    bootstrap::Bootstrap,
    http::{answer, reply},
    ports::SyncQueue,
    usecases::receive_notification::{PushNotification, ReceiveNotification},
};
use lambda_http::{Body, Request, Response};

/// Without tables and without the KMS key.
pub struct Deps {
    bootstrap: Bootstrap,
    sync_queue: Arc<dyn SyncQueue>,
}

impl Deps {
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        bootstrap.webhook_keys().await?; // fetched at cold start
        Ok(Self { bootstrap: bootstrap.clone(), sync_queue: bootstrap.sync_queue()? })
    }
}

pub async fn handle(deps: &Deps, request: Request) -> Response<Body> {
    answer(receive(deps, &request).await)
}

async fn receive(deps: &Deps, request: &Request) -> Result<Response<Body>> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let notification = PushNotification {
        channel_id: header("x-goog-channel-id"),
        channel_token: header("x-goog-channel-token"),
        resource_state: header("x-goog-resource-state"),
    };
    // Read from a cache for each request, so that rotated keys reach a warm function.
    let receiver = ReceiveNotification {
        keys: deps.bootstrap.webhook_keys().await?,
        sync_queue: deps.sync_queue.clone(),
        clock: deps.bootstrap.clock(),
    };
    receiver.receive(&notification).await?;
    Ok(reply::empty())
}
