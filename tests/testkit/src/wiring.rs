//! The use cases over the ports that a test chose.

use std::sync::Arc;

use calendar_sync::{
    adapters::google::{GoogleCalendar, GoogleLogin, Transport},
    config::GoogleConfig,
    ports::{Calendar, Clock, Login, NoticeBus, Random, RateLimiter, Store, SyncQueue, TokenVault},
    services::google_session::Google,
    usecases::{
        begin_login::BeginLogin,
        change_settings::ChangeSettings,
        decide_conflict::DecideConflict,
        disconnect::Disconnect,
        dispatch_due_polls::DispatchDuePolls,
        finish_login::FinishLogin,
        handle_sync_message::HandleSyncMessage,
        note_lesson_changes::NoteLessonChanges,
        receive_notification::ReceiveNotification,
        renew_channels::RenewChannels,
        sync::{Push, SyncCalendar},
    },
};
use secrecy::SecretString;

use crate::{data::webhook_keys, google::CLIENT_SECRET};

/// What the use cases are made of.
#[derive(Clone)]
pub struct Ports {
    pub store: Arc<dyn Store>,
    pub calendar: Arc<dyn Calendar>,
    pub login: Arc<dyn Login>,
    pub vault: Arc<dyn TokenVault>,
    pub clock: Arc<dyn Clock>,
    pub sync_queue: Arc<dyn SyncQueue>,
    pub bus: Arc<dyn NoticeBus>,
    pub random: Arc<dyn Random>,
    /// Where Google sends push notifications, if it does.
    pub webhook: Option<String>,
}

/// The real clients of Google, over any transport.
pub fn clients(
    transport: Arc<dyn Transport>,
    config: &GoogleConfig,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    limiter: Arc<dyn RateLimiter>,
) -> (GoogleCalendar, GoogleLogin) {
    let login = GoogleLogin::new(Arc::clone(&transport), config, &SecretString::from(CLIENT_SECRET)).unwrap();
    (GoogleCalendar::new(transport, config, clock, random, limiter).unwrap(), login)
}

impl Ports {
    pub fn google(&self) -> Google {
        let Self { store, calendar, login, vault, clock, .. } = self.clone();
        Google { store, calendar, login, vault, clock }
    }

    /// The sync of a process that remembers nothing yet.
    pub fn sync_calendar(&self) -> SyncCalendar {
        let Self { sync_queue, bus, random, webhook, .. } = self.clone();
        let push = webhook.map(|address| Push { address, keys: webhook_keys() });
        SyncCalendar { google: self.google(), sync_queue, bus, random, push }
    }

    /// The queue's worker.
    pub fn worker(&self) -> HandleSyncMessage {
        HandleSyncMessage { sync: self.sync_calendar(), disconnect: self.disconnect() }
    }

    pub fn disconnect(&self) -> Disconnect {
        Disconnect { google: self.google(), sync_queue: self.sync_queue.clone(), random: self.random.clone() }
    }

    pub fn begin_login(&self) -> BeginLogin {
        let Self { store, login, vault, clock, random, .. } = self.clone();
        BeginLogin { store, login, vault, clock, random }
    }

    pub fn finish_login(&self) -> FinishLogin {
        FinishLogin { google: self.google(), sync_queue: self.sync_queue.clone(), random: self.random.clone() }
    }

    /// Turns switches.
    pub fn change_settings(&self) -> ChangeSettings {
        let Self { store, sync_queue, clock, random, .. } = self.clone();
        ChangeSettings { store, sync_queue, clock, random }
    }

    /// Decides on conflicts.
    pub fn decide_conflict(&self) -> DecideConflict {
        let Self { store, sync_queue, clock, random, .. } = self.clone();
        DecideConflict { store, sync_queue, clock, random }
    }

    /// The schedule of each minute.
    pub fn dispatcher(&self) -> DispatchDuePolls {
        let Self { store, sync_queue, clock, random, .. } = self.clone();
        DispatchDuePolls { store, sync_queue, clock, random }
    }

    /// The schedule of each hour.
    pub fn renew_channels(&self) -> RenewChannels {
        let Self { store, sync_queue, clock, .. } = self.clone();
        RenewChannels { store, sync_queue, clock }
    }

    /// The stream of lesson changes.
    pub fn note_lesson_changes(&self) -> NoteLessonChanges {
        let Self { store, sync_queue, bus, clock, .. } = self.clone();
        NoteLessonChanges { store, sync_queue, bus, clock }
    }

    /// The webhook.
    pub fn receive_notification(&self) -> ReceiveNotification {
        ReceiveNotification { keys: webhook_keys(), sync_queue: self.sync_queue.clone(), clock: self.clock.clone() }
    }
}
