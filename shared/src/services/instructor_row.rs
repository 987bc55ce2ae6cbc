//! The instructor's row of the host.

use crate::{Result, model::ConnectionKey, ports::Store};

/// Writes to the row whether the sync is on. Of two concurrent changes, the later one may write the row first: so the
/// stored settings are read again after the row, until both agree.
pub async fn write_enabled(store: &dyn Store, key: ConnectionKey, mut enabled: bool) -> Result<()> {
    loop {
        store.flag_instructor(key, Some(enabled), None).await?;
        let stored = store.credentials(key).await?.is_some_and(|row| row.settings.sync_enabled);
        if stored == enabled {
            return Ok(());
        }
        enabled = stored;
    }
}
