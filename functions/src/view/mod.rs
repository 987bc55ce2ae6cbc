//! How the API shows things: the JSON of answers, and the cookie of a login.

pub mod connection;
pub mod event;
pub mod log;
pub mod login_cookie;
