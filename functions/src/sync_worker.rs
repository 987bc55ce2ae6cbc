//! The queue's worker: answers each ring with a run.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use calendar_sync::{
    Result,
    bootstrap::Bootstrap,
    jobs,
    usecases::{answer_ring::AnswerRing, disconnect::Disconnect},
};

/// What the function needs.
pub struct Deps {
    rings: AnswerRing,
}

impl Deps {
    /// Makes it at cold start.
    pub async fn new(bootstrap: &Bootstrap) -> Result<Self> {
        let sync = crate::sync_calendar(bootstrap).await?;
        let disconnect =
            Disconnect { google: sync.google.clone(), doorbell: sync.doorbell.clone(), random: sync.random.clone() };
        Ok(Self { rings: AnswerRing { sync, disconnect } })
    }
}

/// Handles a batch of messages.
pub async fn handle(deps: &Deps, event: SqsEvent) -> Result<SqsBatchResponse> {
    Ok(jobs::each_ring(event, async |ring| deps.rings.answer(&ring).await).await)
}
