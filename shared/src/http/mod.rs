//! The way in over HTTP: who is calling, what they ask, and the answer. The only place where an error becomes a
//! status code.

pub mod caller;
pub mod input;
pub mod reply;

pub use caller::Caller;
pub use input::{JsonBody, query};
pub use reply::answer;
