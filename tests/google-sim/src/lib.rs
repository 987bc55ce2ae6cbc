//! A simulated Google: OAuth 2.0 and Calendar v3, strict where Google is strict and nasty where Google
//! is nasty.
//!
//! [`Google`] is the whole of it as plain data: a request and the time go in, an answer comes out.
//! [`serve`] is a shell of HTTP around it, which also delivers its push notifications and, when asked, keeps
//! its state in a file.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod batch;
mod calendar;
mod call_log;
mod config;
mod control;
mod error;
mod faults;
mod google;
mod http;
mod oauth;
mod page;
mod push;
mod random;
mod shell;

pub use call_log::WriteCall;
pub use config::{
    Account, Behaviour, Calendar, Client, Config, GuestEdits, Limits, PushAddresses, RefreshTokens, Texts,
};
pub use control::{LiveChannel, Refusal};
pub use faults::{Effect, Fault, When};
pub use google::Google;
pub use http::{Delivery, Request, Response};
pub use oauth::{GrantEnd, Granted};
pub use push::{Notice, Outcome};
pub use shell::{Stored, load, serve, serve_stored};
