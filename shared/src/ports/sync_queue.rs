//! Rings for a run: a message that names a connection and says why.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    Result,
    model::{ConnectionKey, SyncCalendarRequest, SyncLogId, SyncTask, SyncTrigger, timestamp},
};

/// The message. It carries no data of the calendar: whoever answers looks for themself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncMessage {
    /// Whose connection.
    #[serde(flatten)]
    pub key: ConnectionKey,
    /// Why.
    pub trigger: SyncTrigger,
    /// What is wanted.
    pub tasks: Vec<SyncTask>,
    /// The log row that tells of the run: the one that a person was given to follow it by, or that of an earlier part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_id: Option<SyncLogId>,
    /// Which way and which lessons, where a person said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<SyncCalendarRequest>,
    /// When the notice of Google that rings was received.
    #[serde(default, with = "timestamp::option", skip_serializing_if = "Option::is_none")]
    pub noticed_at: Option<DateTime<Utc>>,
    /// When the poll that rings was found to be due.
    #[serde(default, with = "timestamp::option", skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
}

impl SyncMessage {
    /// A message that nobody waits for.
    pub fn new(key: ConnectionKey, trigger: SyncTrigger, tasks: Vec<SyncTask>) -> Self {
        Self { key, trigger, tasks, log_id: None, asked: None, noticed_at: None, due_at: None }
    }

    /// Whether it asks for the sync that follows a login: of the whole calendar and all lessons. Many may come at once,
    /// so they have a queue of their own, in which no other waits behind them.
    pub fn is_first_sync(&self) -> bool {
        self.trigger == SyncTrigger::Connect
    }

    /// The same message after somebody else was found at it: its requests stand with them now, but for those of a run that a
    /// person narrowed. A leave to try everything is not given twice.
    #[must_use]
    pub fn after_leaving_its_tasks(mut self) -> Self {
        if !self.asked.as_ref().is_some_and(SyncCalendarRequest::is_narrowed) {
            self.tasks.retain(|task| !matches!(task, SyncTask::FullReconcile | SyncTask::RetryGivenUp));
        }
        self
    }
}

/// Rings the bell of the sync worker.
#[async_trait]
pub trait SyncQueue: Send + Sync {
    /// Sends `message`, to be heard after `delay` (15 minutes at most, SQS's limit).
    async fn send(&self, message: &SyncMessage, delay: Duration) -> Result<()>;
}
