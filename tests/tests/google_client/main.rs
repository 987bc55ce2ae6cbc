//! The Google client against the simulated Google: what it makes of everything that Google may answer.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod batches;
mod channels;
mod listing;
mod login;
mod pacing;
mod recurrence;
mod secrets;
mod wire;
mod world;
