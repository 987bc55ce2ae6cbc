//! The simulated Google, asked as its clients ask it: in process, on a clock that only tests move.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;
mod control;
mod cursors;
mod guests;
mod histories;
mod limits;
mod methods;
mod oauth;
mod push;
mod recurrence;
mod series;
mod shell;
mod writes;
