//! The methods around events.list and the writes: free/busy, import, move, access rules, settings, colours.

#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod describe;
mod freebusy;
mod import;
mod movement;
mod scopes;
