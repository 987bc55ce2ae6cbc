//! The settings of a connection. They take effect in the next run, under its lease.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use chrono::TimeDelta;

use super::sync_now::not_connected;
use crate::{
    Error, ErrorKind, Result,
    model::{
        Act, ConnectionKey, InstructorCalendarCredentials, Person, PersonAct, SettingsPatch, SyncLogId, SyncSettings,
        SyncTask, SyncTrigger,
    },
    ports::{Clock, Random, Store, SyncMessage, SyncQueue},
    services::instructor_row::write_enabled,
};

/// A change takes effect within this time, also when the process dies right after storing it.
const TAKES_EFFECT_WITHIN: TimeDelta = TimeDelta::minutes(1);
/// Allowed polling intervals, in minutes.
const POLL_INTERVALS_MINUTES: RangeInclusive<u32> = 5..=1440;
/// So often a change begins anew that met another of the same setting.
const MAX_ATTEMPTS: usize = 5;

pub struct ChangeSettings {
    pub store: Arc<dyn Store>,
    /// For the run that applies the change.
    pub sync_queue: Arc<dyn SyncQueue>,
    pub clock: Arc<dyn Clock>,
    /// For the ids of log rows.
    pub random: Arc<dyn Random>,
}

impl ChangeSettings {
    /// Changes settings, as `person` asks for, and returns all of them. Concurrent changes of different settings all take
    /// effect, and the log has each change once, by the person whose change it was.
    pub async fn change(&self, key: ConnectionKey, patch: &SettingsPatch, person: &Person) -> Result<SyncSettings> {
        if patch.sync_interval_minutes.is_some_and(|minutes| !POLL_INTERVALS_MINUTES.contains(&minutes)) {
            return Err(Error::field("syncIntervalMinutes", "is not between 5 and 1440"));
        }
        for _ in 0..MAX_ATTEMPTS {
            let credentials = self.connection(key).await?;
            let acts = self.acts_of(&credentials, patch, person);
            if acts.is_empty() {
                // The process that changed them may have died before this; the poll does the rest.
                if patch.sync_enabled.is_some() {
                    write_enabled(&*self.store, key, credentials.settings.sync_enabled).await?;
                }
                return Ok(credentials.settings);
            }
            let stored = if *patch == (SettingsPatch { share_titles: patch.share_titles, ..SettingsPatch::default() }) {
                // Only readers go by it: there is nothing for a run to do.
                self.store.save_settings(&credentials, patch, credentials.updated_at, &acts).await?
            } else {
                self.store_and_apply(&credentials, patch, &acts).await?
            };
            if stored {
                return Ok(self.connection(key).await?.settings);
            }
        }
        let text = "The settings are being changed by others. Please try again.";
        Err(Error::new(ErrorKind::Conflict, "settings_changed", text))
    }

    async fn connection(&self, key: ConnectionKey) -> Result<InstructorCalendarCredentials> {
        match self.store.credentials(key).await? {
            Some(credentials) => Ok(credentials),
            None => Err(not_connected(self.store.as_ref(), key).await),
        }
    }

    /// A row for each setting that becomes another.
    fn acts_of(
        &self,
        credentials: &InstructorCalendarCredentials,
        patch: &SettingsPatch,
        person: &Person,
    ) -> Vec<PersonAct> {
        let at = self.clock.now();
        let act = |change| PersonAct {
            id: SyncLogId(self.random.time_ordered_id(at)),
            key: credentials.key,
            at,
            person: person.clone(),
            act: Act::SettingChanged(change),
        };
        patch.changes_of(&credentials.settings).into_iter().map(act).collect()
    }

    /// False where one of the settings has been changed meanwhile.
    async fn store_and_apply(
        &self,
        credentials: &InstructorCalendarCredentials,
        patch: &SettingsPatch,
        acts: &[PersonAct],
    ) -> Result<bool> {
        let (key, now) = (credentials.key, self.clock.now());
        // A poll is due before anything changes, in case this process dies on the way; and once more afterwards, since
        // a run with the old settings may have found nothing due.
        self.store.schedule(key, Some(now + TAKES_EFFECT_WITHIN)).await?;
        if !self.store.save_settings(credentials, patch, now, acts).await? {
            return Ok(false);
        }
        self.store.schedule(key, Some(now)).await?;
        write_enabled(&*self.store, key, patch.apply(&credentials.settings).sync_enabled).await?;
        let tasks = vec![SyncTask::PullEvents, SyncTask::PushLessons, SyncTask::FullReconcile];
        let message = SyncMessage::new(key, SyncTrigger::Settings, tasks);
        self.sync_queue.send(&message, Duration::ZERO).await?;
        Ok(true)
    }
}
