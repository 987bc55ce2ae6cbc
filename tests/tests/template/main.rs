//! What `template.yaml` deploys is what the code asks for, and what the one-machine stack runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "this is test code")]

mod alarms;
mod api;
mod functions;
mod metrics;
mod parameters;
mod queues;
mod tables;
mod timeouts;
