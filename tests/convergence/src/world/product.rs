//! The real use-cases over simulated ports.

use std::sync::Arc;

use calendar_sync::usecases::handle_sync_message::HandleSyncMessage;
use testkit::{
    google::config,
    ports::PlainVault,
    wiring::{Ports, clients},
};

use crate::{memory_store::MemoryStore, ports::SimLogin, sim::Sim};

#[derive(Clone)]
pub struct Product {
    /// The worker. What its process remembers is shared by its clones.
    pub handler: HandleSyncMessage,
    /// What makes the others.
    pub ports: Ports,
}

impl Product {
    pub(super) fn new(sim: &Sim, store: &MemoryStore) -> Self {
        let (sim, store) = (Arc::new(sim.clone()), Arc::new(store.clone()));
        let google = config("https://google.test");
        let (calendar, real) = clients(sim.clone(), &google, sim.clone(), sim.clone(), store.clone());
        let ports = Ports {
            store,
            calendar: Arc::new(calendar),
            login: Arc::new(SimLogin { sim: (*sim).clone(), real }),
            vault: Arc::new(PlainVault),
            clock: sim.clone(),
            sync_queue: sim.clone(),
            bus: sim.clone(),
            random: sim,
            webhook: Some("https://hooks.example.com/".to_owned()),
        };
        Self { handler: ports.worker(), ports }
    }
}
