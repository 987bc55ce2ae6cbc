//! Google's calendar ([`GoogleCalendar`]) and sign-in ([`GoogleLogin`]), over one HTTP client.

mod batch;
mod calendar;
mod calls;
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
    calls::GoogleCalendar,
    http::{Answer, Request, Transport, client},
    login::{GoogleLogin, LOGIN_TIMEOUT},
};
