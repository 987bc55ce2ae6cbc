//! The product as its users meet it: real handlers, a real store, and a Google that keeps its rules.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod breaker;
mod connecting;
mod connections;
mod disconnecting;
mod erasing;
mod failure_modes;
mod fine_conflicts;
mod first_sync;
mod google_refuses;
mod left_out;
mod lesson_feed;
mod limits;
mod log;
mod logins;
mod many_conflicts;
mod privacy;
mod refusals;
mod switches;
mod two_ways;
mod versions;
mod what_blocks;
mod who_did_it;
