//! The real use-cases over simulated ports.

use std::sync::Arc;

use calendar_sync::{
    adapters::google::{GoogleCalendar, GoogleLogin},
    config::Config,
    model::WebhookKeys,
    usecases::{
        begin_login::BeginLogin,
        change_settings::ChangeSettings,
        disconnect::Disconnect,
        dispatch_due_polls::DispatchDuePolls,
        finish_login::FinishLogin,
        google_session::Google,
        handle_sync_message::HandleSyncMessage,
        note_lesson_changes::NoteLessonChanges,
        receive_notice::ReceiveNotice,
        renew_channels::RenewChannels,
        sync_calendar::{Push, SyncCalendar, UnderWay},
    },
};
use secrecy::SecretString;

use super::{CLIENT, REDIRECT};
use crate::{
    memory_store::MemoryStore,
    ports::{PlainVault, SimLogin},
    sim::Sim,
};

#[derive(Clone)]
pub struct Product {
    pub handler: HandleSyncMessage,
    pub begin: Arc<BeginLogin>,
    pub finish: Arc<FinishLogin>,
    pub settings: Arc<ChangeSettings>,
    pub(super) due: Arc<DispatchDuePolls>,
    pub(super) renewals: Arc<RenewChannels>,
    pub(super) lessons: Arc<NoteLessonChanges>,
    pub(super) notices: Arc<ReceiveNotice>,
}

impl Product {
    pub(super) fn new(sim: &Sim, store: &MemoryStore) -> Self {
        let config = Config::from_vars(|name| {
            let value = match name {
                "GOOGLE_CLIENT_ID" => CLIENT,
                "GOOGLE_REDIRECT_URI" => REDIRECT,
                _ => return None,
            };
            Some(value.to_owned())
        });
        let google = config.google().expect("a configuration");
        let (sim, store) = (Arc::new(sim.clone()), Arc::new(store.clone()));
        let real = GoogleLogin::new(sim.clone(), &google, &SecretString::from("secret")).expect("a sign-in");
        let login = Arc::new(SimLogin { sim: (*sim).clone(), real });
        let calendar = GoogleCalendar::new(sim.clone(), &google, sim.clone(), sim.clone(), store.clone());
        let calendar = calendar.expect("a calendar");
        let vault = Arc::new(PlainVault);
        let key = SecretString::from("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
        let keys = WebhookKeys::from_base64(&[key]).expect("a key");
        let google = Google {
            store: store.clone(),
            calendar: Arc::new(calendar),
            login: login.clone(),
            vault: vault.clone(),
            clock: sim.clone(),
        };
        let finish = FinishLogin { google: google.clone(), sync_queue: sim.clone(), random: sim.clone() };
        let sync = SyncCalendar {
            google: google.clone(),
            sync_queue: sim.clone(),
            bus: sim.clone(),
            random: sim.clone(),
            push: Some(Push { address: "https://hooks.example.com/".to_owned(), keys: keys.clone() }),
            glances: UnderWay::default(),
        };
        let disconnect = Disconnect { google, sync_queue: sim.clone(), random: sim.clone() };
        Self {
            handler: HandleSyncMessage { sync, disconnect },
            begin: Arc::new(BeginLogin { store: store.clone(), login, vault, clock: sim.clone(), random: sim.clone() }),
            finish: Arc::new(finish),
            settings: Arc::new(ChangeSettings { store: store.clone(), sync_queue: sim.clone(), clock: sim.clone() }),
            due: Arc::new(DispatchDuePolls {
                store: store.clone(),
                sync_queue: sim.clone(),
                clock: sim.clone(),
                random: sim.clone(),
            }),
            renewals: Arc::new(RenewChannels { store: store.clone(), sync_queue: sim.clone(), clock: sim.clone() }),
            lessons: Arc::new(NoteLessonChanges {
                store,
                sync_queue: sim.clone(),
                bus: sim.clone(),
                clock: sim.clone(),
            }),
            notices: Arc::new(ReceiveNotice { keys, sync_queue: sim.clone(), clock: sim }),
        }
    }
}
