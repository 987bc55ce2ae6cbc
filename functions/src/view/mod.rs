//! The JSON of the API's replies, and the cookie of a login.

pub mod connection;
pub mod event;
pub mod log;
pub mod login_cookie;
