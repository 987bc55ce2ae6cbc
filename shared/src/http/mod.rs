//! Requests over HTTP: the caller, the input and the reply. The only place where an error becomes a status code.

pub mod caller;
pub mod input;
pub mod reply;

pub use caller::Caller;
pub use input::{JsonBody, query};
pub use reply::answer;
