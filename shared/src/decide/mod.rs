//! Decisions as pure functions over plain data: no async, no clock, no log, no I/O. The result is a plan that can be
//! printed.

pub mod backoff;
pub mod breaker;
pub mod conflicts;
pub mod disconnect;
pub mod ending;
pub mod erase;
pub mod inbound;
pub mod job;
pub mod occurrences;
pub mod outbound;
pub mod pair_state;
pub mod push;
pub mod schedule;
