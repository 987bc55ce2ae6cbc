//! Google's calendar ([`GoogleCalendar`]) and sign-in ([`GoogleLogin`]), over one HTTP client.

mod batch;
mod calendar;
mod fleet;
mod http;
mod listing;
mod login;
mod pace;
mod refusals;
mod resource;
mod retry;
mod zones;

pub use self::{
    calendar::GoogleCalendar,
    http::{Answer, Request, Transport, client},
    login::GoogleLogin,
};
