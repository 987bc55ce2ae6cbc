//! Checks of push: it turns suspect when notifications do not come, and only then, and no replaced channel stays open.

use calendar_sync::model::PushHealth;
use chrono::TimeDelta;

use crate::{checks::is_automatic, sim::number, world::World};

/// How long after a change whose notice did not come push is suspect at the latest: two minutes, and the poll.
const SILENCE: TimeDelta = TimeDelta::minutes(5);

/// Push that counts as healthy although it is silent, or as suspect although no notification got lost.
pub fn misjudged(world: &mut World) -> Vec<String> {
    let now = world.now();
    let tables = world.store.tables();
    let mut found = Vec::new();
    for party in &world.parties {
        let follows = tables
            .credentials
            .get(&party.key)
            .is_some_and(|row| is_automatic(row) && row.settings.sync_direction.imports());
        let Some(state) = tables.states.get(&party.key).filter(|state| follows && state.failures == 0) else {
            continue;
        };
        let problem = match &state.push_health {
            PushHealth::Awaiting { since, .. } if now - *since > SILENCE => {
                format!("a notice is waited for since {since}")
            }
            PushHealth::Suspect { since, .. } if !world.sim.state().truth.missed(party.key) => {
                format!("push is doubted since {since}, and none got lost")
            }
            _ => continue,
        };
        found.push(format!("{}: {problem}", number(party.key)));
    }
    found
}

/// Whether channels that another has replaced, or that were left behind, wait to be closed.
pub fn channels_left_open(world: &mut World) -> Vec<String> {
    let tables = world.store.tables();
    let states = tables.states.iter().filter(|(key, state)| {
        let works = tables.credentials.get(key).is_some_and(|row| row.blocked().is_none());
        works && state.failures == 0 && !state.retired().is_empty()
    });
    states.map(|(key, state)| format!("{}: {:?} are left open", number(*key), state.retired_channels)).collect()
}
