//! The sync worker: handles each message of its queues.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use calendar_sync::{
    Result,
    bootstrap::Bootstrap,
    jobs,
    usecases::{disconnect::Disconnect, handle_sync_message::HandleSyncMessage},
};

pub struct Deps {
    handler: HandleSyncMessage,
}

impl Deps {
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        let sync = crate::sync_calendar(bootstrap).await?;
        let disconnect = Disconnect {
            google: sync.google.clone(),
            sync_queue: sync.sync_queue.clone(),
            random: sync.random.clone(),
        };
        Ok(Self { handler: HandleSyncMessage { sync, disconnect } })
    }
}

pub async fn handle(deps: &Deps, event: SqsEvent) -> Result<SqsBatchResponse> {
    Ok(jobs::each_sync_message(event, async |message| deps.handler.handle(&message).await).await)
}
