//! What the tests of the whole product share: suites that every adapter of a port passes, and real parts to run on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "this is test code"
)]

pub mod contracts;
pub mod dynamo;
pub mod memory;
pub mod openapi;
pub mod template;
pub mod world;
