//! The switches: which way, whether on its own, how often, whether at all (design rule R16). They take effect in the
//! next run, under its lease.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;

use super::sync_now::not_connected;
use crate::{
    Error, Result,
    model::{ConnectionKey, SyncDirection, SyncSettings, SyncTrigger, WishKind},
    ports::{Clock, Doorbell, Ring, Store},
};

/// A change takes effect within this time, even if we die right after storing it.
const TAKES_EFFECT: TimeDelta = TimeDelta::minutes(1);

/// What is to change; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SettingsPatch {
    /// Whether anything runs at all.
    pub sync_enabled: Option<bool>,
    /// Which way changes travel.
    pub sync_direction: Option<SyncDirection>,
    /// Whether changes are followed on their own.
    pub auto_sync: Option<bool>,
    /// How often to poll, in minutes.
    pub sync_interval_minutes: Option<u32>,
}

impl SettingsPatch {
    fn apply(&self, settings: &SyncSettings) -> Result<SyncSettings> {
        let interval = self.sync_interval_minutes.unwrap_or(settings.sync_interval_minutes);
        if !(5..=1440).contains(&interval) {
            return Err(Error::field("syncIntervalMinutes", "is not between 5 and 1440"));
        }
        Ok(SyncSettings {
            sync_enabled: self.sync_enabled.unwrap_or(settings.sync_enabled),
            sync_direction: self.sync_direction.unwrap_or(settings.sync_direction),
            auto_sync: self.auto_sync.unwrap_or(settings.auto_sync),
            sync_interval_minutes: interval,
        })
    }
}

/// Changes settings.
pub struct ChangeSettings {
    /// Where they are kept.
    pub store: Arc<dyn Store>,
    /// Rings for the run that makes them take effect.
    pub doorbell: Arc<dyn Doorbell>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl ChangeSettings {
    /// Changes settings and answers all of them.
    pub async fn change(&self, key: ConnectionKey, patch: &SettingsPatch) -> Result<SyncSettings> {
        let Some(credentials) = self.store.credentials(key).await? else {
            return Err(not_connected(self.store.as_ref(), key).await);
        };
        let settings = patch.apply(&credentials.settings)?;
        if settings == credentials.settings {
            return Ok(settings);
        }
        let now = self.clock.now();
        // Due before there is anything to take effect: should we die on the way, the poll finds it. And once more
        // after that, since a run under way that knows the old settings may decide that nothing is due.
        self.store.schedule(key, Some(now + TAKES_EFFECT)).await?;
        self.store.save_settings(key, &settings, now).await?;
        self.store.schedule(key, Some(now)).await?;
        self.store.flag_instructor(key, Some(settings.sync_enabled), None).await?;
        let wishes = vec![WishKind::Inbound, WishKind::Lessons, WishKind::Full];
        let ring = Ring::new(key, SyncTrigger::Settings, wishes);
        self.doorbell.ring(&ring, Duration::ZERO).await?;
        Ok(settings)
    }
}
