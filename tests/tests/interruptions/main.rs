//! Connecting, disconnecting and turning a switch, interrupted at each effect that they have: a state is left from which
//! the same call, made again, succeeds; and what happens at the same moment happens as if one came after the other. And
//! syncs by hand that the end of their time interrupts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::large_futures, reason = "this is test code")]

mod acts;
mod connecting;
mod disconnecting;
mod erasing;
mod handed_on;
mod interrupter;
mod sealing;
mod stage;
mod switches;
mod together;
