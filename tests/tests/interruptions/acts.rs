//! What the log says of what people did, beside what stands.

use calendar_sync::model::{Act, ConnectionStatus, LogRow};

use crate::stage::{Person, Stage};

impl Stage {
    /// What the log says that was done with the person's connection, the earliest first.
    pub async fn acts(&self, person: &Person) -> Vec<Act> {
        let rows = self.ports.store.logs(person.key, None, 1000).await.unwrap();
        let act = |row: &LogRow| if let LogRow::Act(act) = row { Some(act.act) } else { None };
        rows.iter().rev().filter_map(act).collect()
    }

    /// Whether the last row tells of the login or disconnect from which the connection has its present state.
    pub async fn assert_log_agrees(&self, person: &Person, what: &str) {
        let acts = self.acts(person).await;
        let connection = self.ports.store.credentials(person.key).await.unwrap();
        let connected = connection.is_some_and(|row| row.status == ConnectionStatus::Active);
        match acts.last() {
            Some(Act::Connected | Act::ConnectedAgain | Act::AccountReplaced) => assert!(connected, "{what}: {acts:?}"),
            Some(Act::Disconnected { .. }) | None => assert!(!connected, "{what}: {acts:?}"),
            Some(Act::SettingChanged(_)) => panic!("{what}: {acts:?}"),
        }
    }
}
