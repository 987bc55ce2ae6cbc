//! The state in a file, so that it outlives the process.

use std::io;
use std::path::{Path, PathBuf};

use tokio::sync::Mutex;

use super::Shell;
use crate::{Config, Google};

/// The state in `file`, or a new Google when there is none yet.
///
/// # Errors
/// When the file is there and cannot be read as a state.
pub fn load(file: &Path, seed: u64, config: Config) -> io::Result<Google> {
    match std::fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Google::resumed).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Google::new(seed, config)),
        Err(error) => Err(error),
    }
}

/// Writes states, one at a time.
pub(super) struct Keeper {
    file: PathBuf,
    /// Held while writing. Calls that wait for it find their change written by the first, which writes once for all
    /// that came since.
    turn: Mutex<u64>,
    asked: std::sync::atomic::AtomicU64,
}

impl Keeper {
    pub fn new(file: PathBuf) -> Self {
        Self { file, turn: Mutex::new(0), asked: std::sync::atomic::AtomicU64::new(0) }
    }

    /// Returns when a state that is at least as new as the call is in the file.
    pub async fn keep(&self, shell: &Shell) -> io::Result<()> {
        use std::sync::atomic::Ordering::SeqCst;
        let mine = self.asked.fetch_add(1, SeqCst) + 1;
        let mut written = self.turn.lock().await;
        if *written >= mine {
            return Ok(());
        }
        // Changes requested before this copy is made are in it.
        let covered = self.asked.load(SeqCst);
        let state = serde_json::to_vec(&*shell.google()).map_err(io::Error::other)?;
        let fresh = self.file.with_extension("new");
        tokio::fs::write(&fresh, state).await?;
        tokio::fs::rename(&fresh, &self.file).await?;
        *written = covered;
        Ok(())
    }
}
