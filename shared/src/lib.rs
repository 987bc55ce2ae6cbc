//! Two-way sync between the lessons of a scheduling product and its instructors' Google calendars.
//!
//! In the order in which to read it:
//!
//! * [`model`]: connections, lessons, events, mappings, conflicts. Plain data and its rules.
//! * [`recurrence`] calculates the occurrences of a series. Pure.
//! * [`decide`] decides what to write to Google, what to keep of a listing and which lessons conflict. Pure.
//! * [`ports`] are the traits at vendor edges; [`adapters`] implement them for Google and AWS.
//! * [`services`] are what several use cases need: calls to Google for one connection, its lease.
//! * [`usecases`] load, decide, apply and commit: one file for each thing that a user or a schedule asks for.
//! * [`http`] and [`jobs`] are the two ways in: they turn requests and messages into use-case calls, and errors
//!   into status codes or retries.
//! * [`bootstrap`], [`config`] and [`telemetry`] wire a function at cold start.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod adapters;
pub mod bootstrap;
pub mod config;
pub mod decide;
mod error;
pub mod http;
pub mod jobs;
pub mod model;
pub mod ports;
pub mod recurrence;
pub mod services;
pub mod telemetry;
#[cfg(test)]
mod testing;
pub mod usecases;

pub use error::{Error, ErrorKind, Result};
