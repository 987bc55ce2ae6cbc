//! What befalls one connection, played in simulated time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

mod bounded;
mod channels;
mod dead_runs;
mod failures;
mod fine_conflicts;
mod log_rows;
mod many_conflicts;
mod odd_lessons;
mod owed;
mod pages;
mod push;
mod quota;
mod refused_for_now;
mod renderings;
mod stage;
mod switches;
mod told;
mod written;
