//! The sync worker: handles each message of its queues.

use std::sync::Arc;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use calendar_sync::{
    Result,
    bootstrap::Bootstrap,
    jobs::{self, WorkerMessage},
    ports::{Clock, EraseMessage},
    usecases::{
        disconnect::Disconnect,
        erase::Erase,
        handle_sync_message::{HandleSyncMessage, RUN_LASTS},
    },
};

pub struct Deps {
    handler: HandleSyncMessage,
    erase: Erase,
    clock: Arc<dyn Clock>,
}

impl Deps {
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        let sync = crate::sync_calendar(bootstrap).await?;
        let disconnect = Disconnect {
            google: sync.google.clone(),
            sync_queue: sync.sync_queue.clone(),
            random: sync.random.clone(),
        };
        let erase =
            Erase { disconnect: disconnect.clone(), erase_queue: bootstrap.erase_queue()?, bus: sync.bus.clone() };
        Ok(Self { handler: HandleSyncMessage { sync, disconnect }, erase, clock: bootstrap.clock() })
    }
}

pub async fn handle(deps: &Deps, event: SqsEvent) -> Result<SqsBatchResponse> {
    let handle = async |message| match message {
        WorkerMessage::Sync(message) => deps.handler.handle(&message).await,
        WorkerMessage::Erase(message) => erase(deps, &message).await,
    };
    Ok(jobs::each_worker_message(event, handle).await)
}

async fn erase(deps: &Deps, message: &EraseMessage) -> Result<()> {
    deps.erase.handle(message, deps.clock.now() + RUN_LASTS).await
}
