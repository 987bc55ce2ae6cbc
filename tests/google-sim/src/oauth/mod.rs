//! OAuth 2.0: consent, tokens and their end.

mod authorize;
mod consent;
mod id_token;
pub(crate) mod scopes;
mod token;
mod tokens;

pub(crate) use id_token::{certificates, discovery, jwks};
pub use token::Granted;
pub use tokens::GrantEnd;
pub(crate) use tokens::{Caller, Tokens};
