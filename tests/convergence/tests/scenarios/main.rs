//! What befalls one connection, played in simulated time.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

mod channels;
mod dead_runs;
mod failures;
mod long_lessons;
mod one_way;
mod push;
mod quota;
mod stage;
