//! The switches: which way, whether on its own, how often, whether at all (design rule R16). They take effect in the
//! next run, under its lease.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use chrono::TimeDelta;

use super::sync_now::not_connected;
use crate::{
    Error, Result,
    model::{ConnectionKey, SettingsPatch, SyncSettings, SyncTask, SyncTrigger},
    ports::{Clock, Store, SyncMessage, SyncQueue},
};

/// A change takes effect within this time, even if we die right after storing it.
const TAKES_EFFECT: TimeDelta = TimeDelta::minutes(1);
/// How often a calendar may be polled, in minutes.
const INTERVALS: RangeInclusive<u32> = 5..=1440;

/// Changes settings.
pub struct ChangeSettings {
    /// Where they are kept.
    pub store: Arc<dyn Store>,
    /// Rings for the run that makes them take effect.
    pub sync_queue: Arc<dyn SyncQueue>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl ChangeSettings {
    /// Changes settings and answers all of them. Changes of different switches that meet all stand.
    pub async fn change(&self, key: ConnectionKey, patch: &SettingsPatch) -> Result<SyncSettings> {
        if patch.sync_interval_minutes.is_some_and(|minutes| !INTERVALS.contains(&minutes)) {
            return Err(Error::field("syncIntervalMinutes", "is not between 5 and 1440"));
        }
        let Some(credentials) = self.store.credentials(key).await? else {
            return Err(not_connected(self.store.as_ref(), key).await);
        };
        if patch.apply(&credentials.settings) == credentials.settings {
            // Whoever changed them may have died before this; the rest is seen to by the poll.
            if patch.sync_enabled.is_some() {
                self.flag(key, credentials.settings.sync_enabled).await?;
            }
            return Ok(credentials.settings);
        }
        let now = self.clock.now();
        // Due before there is anything to take effect: should we die on the way, the poll finds it. And once more
        // after that, since a run under way that knows the old settings may decide that nothing is due.
        self.store.schedule(key, Some(now + TAKES_EFFECT)).await?;
        let settings = self.store.save_settings(key, patch, now).await?;
        self.store.schedule(key, Some(now)).await?;
        self.flag(key, settings.sync_enabled).await?;
        let tasks = vec![SyncTask::PullEvents, SyncTask::PushLessons, SyncTask::FullReconcile];
        let message = SyncMessage::new(key, SyncTrigger::Settings, tasks);
        self.sync_queue.send(&message, Duration::ZERO).await?;
        Ok(settings)
    }

    /// Says in the instructor's row whether the sync is on. Of two changes that meet, the later one may write the row
    /// first: so what is stored is read once more after the row, until both say the same.
    async fn flag(&self, key: ConnectionKey, mut enabled: bool) -> Result<()> {
        loop {
            self.store.flag_instructor(key, Some(enabled), None).await?;
            let stored = self.store.credentials(key).await?.is_some_and(|row| row.settings.sync_enabled);
            if stored == enabled {
                return Ok(());
            }
            enabled = stored;
        }
    }
}
