//! The whole product on one machine, in one process, with no account anywhere.
//!
//! The functions' own `handle`s run here as they do on AWS Lambda: the gateway and the triggers
//! send them the very events that AWS sends, and their AWS clients talk to stand-ins on a
//! loopback port. Nothing of this is part of what is deployed.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod aws;
pub mod crash;
pub mod deployment;
pub mod dev;
pub mod functions;
pub mod gateway;
pub mod google;
mod private_file;
pub mod settings;
pub mod stack;
pub mod system;
pub mod triggers;
pub mod upstream;
