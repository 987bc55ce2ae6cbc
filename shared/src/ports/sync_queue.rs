//! The queue of the sync worker. A message names a connection and says why it is to run.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    Result,
    model::{ConnectionKey, SyncCalendarRequest, SyncLogId, SyncTask, SyncTrigger, timestamp},
};

/// A message of the queue. It carries no calendar data: the worker reads what it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncMessage {
    #[serde(flatten)]
    pub key: ConnectionKey,
    pub trigger: SyncTrigger,
    pub tasks: Vec<SyncTask>,
    /// The log row of the run: the one that a person was given to follow it by, or that of the run's earlier parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_id: Option<SyncLogId>,
    /// The direction and days that a person asked for; `None` for a whole run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<SyncCalendarRequest>,
    /// When the push notification that caused it was received.
    #[serde(default, with = "timestamp::option", skip_serializing_if = "Option::is_none")]
    pub notified_at: Option<DateTime<Utc>>,
    /// When the dispatcher found the poll due.
    #[serde(default, with = "timestamp::option", skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// When the host wrote the first of the changes that caused it.
    #[serde(default, with = "timestamp::option", skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<DateTime<Utc>>,
    /// How many messages in a row it continues that came to nothing.
    #[serde(default)]
    pub idle_hops: u32,
}

impl SyncMessage {
    /// A chain of messages ends when so many in a row came to nothing: an hour of those that find the lease held. (AWS's own
    /// limit of sixteen, which counts all, is off for the worker.)
    pub const MAX_IDLE_HOPS: u32 = 720;

    /// A message that no person waits for.
    pub fn new(key: ConnectionKey, trigger: SyncTrigger, tasks: Vec<SyncTask>) -> Self {
        Self {
            key,
            trigger,
            tasks,
            log_id: None,
            asked: None,
            notified_at: None,
            due_at: None,
            changed_at: None,
            idle_hops: 0,
        }
    }

    /// Whether it asks for the sync after a login, which covers the whole calendar and all lessons. Such messages have
    /// a queue of their own, so that many of them do not delay others.
    pub fn is_first_sync(&self) -> bool {
        self.trigger == SyncTrigger::Connect
    }

    /// The message to send again after another run was found to hold the lease. Its tasks are on the state now and are
    /// taken out, unless a person bounded the run to a direction or days, which the holder does not know. An override
    /// is never given twice.
    #[must_use]
    pub fn after_leaving_its_tasks(mut self) -> Self {
        self.idle_hops += 1;
        if !self.asked.as_ref().is_some_and(SyncCalendarRequest::is_narrowed) {
            self.tasks.retain(|task| !matches!(task, SyncTask::FullReconcile | SyncTask::RetryGivenUp));
        }
        self
    }
}

#[async_trait]
pub trait SyncQueue: Send + Sync {
    /// Sends `message`, to be received after `delay`: 15 minutes at most, SQS's limit.
    async fn send(&self, message: &SyncMessage, delay: Duration) -> Result<()>;
}
