//! What the tests run the product on: a clock, a queue, a bus, a Google, AWS, and the data that they begin with.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc, reason = "this is test code")]

pub mod aws;
pub mod clock;
pub mod data;
pub mod google;
pub mod log;
pub mod ports;
pub mod wiring;
