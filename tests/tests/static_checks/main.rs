//! What can be checked without running anything: the arrows between the parts, and what documents say of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod architecture;
mod circles;
mod configuration;
mod documents;
mod openapi;
mod paths;
mod sizes;

use std::path::{Path, PathBuf};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path)
}
