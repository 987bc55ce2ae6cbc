//! Proof by simulation that the sync converges.
//!
//! A seed makes a [`history`]: random [`acts`] of a host application, of people in Google Calendar and on the
//! product's page, and of trouble of every kind, in a [`world`] in which the real use-cases and the real Google client
//! run over simulated ports. Time, chance and the order of all effects come from the seed, so that a failing one fails
//! again. When all trouble is over, the [`checks`] compare what the product shows and keeps with Google and the host.
//!
//! What that proves is shown by `mutants/`: patches that each spoil the engine in one way. `make mutants` fails when the
//! histories do not find one out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "this is test code"
)]

pub mod acts;
pub mod checks;
pub mod coverage;
pub mod dice;
pub mod exchange;
mod google;
pub mod history;
pub mod invariants;
pub mod memory_store;
pub mod observer;
pub mod playing;
pub mod ports;
pub mod push;
pub mod shrink;
pub mod sim;
pub mod texts;
pub mod told;
pub mod truth;
pub mod watch;
pub mod world;
pub mod zones;
