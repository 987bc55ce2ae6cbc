//! The settings of a connection. They take effect in the next run, under its lease.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use chrono::TimeDelta;

use super::sync_now::not_connected;
use crate::{
    Error, Result,
    model::{ConnectionKey, SettingsPatch, SyncSettings, SyncTask, SyncTrigger},
    ports::{Clock, Store, SyncMessage, SyncQueue},
    services::instructor_row::write_enabled,
};

/// A change takes effect within this time, also when the process dies right after storing it.
const TAKES_EFFECT_WITHIN: TimeDelta = TimeDelta::minutes(1);
/// Allowed polling intervals, in minutes.
const POLL_INTERVALS_MINUTES: RangeInclusive<u32> = 5..=1440;

pub struct ChangeSettings {
    pub store: Arc<dyn Store>,
    /// For the run that applies the change.
    pub sync_queue: Arc<dyn SyncQueue>,
    pub clock: Arc<dyn Clock>,
}

impl ChangeSettings {
    /// Changes settings and returns all of them. Concurrent changes of different settings all take effect.
    pub async fn change(&self, key: ConnectionKey, patch: &SettingsPatch) -> Result<SyncSettings> {
        if patch.sync_interval_minutes.is_some_and(|minutes| !POLL_INTERVALS_MINUTES.contains(&minutes)) {
            return Err(Error::field("syncIntervalMinutes", "is not between 5 and 1440"));
        }
        let Some(credentials) = self.store.credentials(key).await? else {
            return Err(not_connected(self.store.as_ref(), key).await);
        };
        if patch.apply(&credentials.settings) == credentials.settings {
            // The process that changed them may have died before this; the poll does the rest.
            if patch.sync_enabled.is_some() {
                write_enabled(&*self.store, key, credentials.settings.sync_enabled).await?;
            }
            return Ok(credentials.settings);
        }
        // Only readers go by it: there is nothing for a run to do.
        if *patch == (SettingsPatch { share_titles: patch.share_titles, ..SettingsPatch::default() }) {
            return self.store.save_settings(key, patch, credentials.updated_at).await;
        }
        let now = self.clock.now();
        // A poll is due before anything changes, in case this process dies on the way; and once more afterwards, since
        // a run with the old settings may have found nothing due.
        self.store.schedule(key, Some(now + TAKES_EFFECT_WITHIN)).await?;
        let settings = self.store.save_settings(key, patch, now).await?;
        self.store.schedule(key, Some(now)).await?;
        write_enabled(&*self.store, key, settings.sync_enabled).await?;
        let tasks = vec![SyncTask::PullEvents, SyncTask::PushLessons, SyncTask::FullReconcile];
        let message = SyncMessage::new(key, SyncTrigger::Settings, tasks);
        self.sync_queue.send(&message, Duration::ZERO).await?;
        Ok(settings)
    }
}
