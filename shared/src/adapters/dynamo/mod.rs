//! The store on DynamoDB: one file for each kind of item. `tables` says which tables there are, `keys` what
//! stands in their keys.

mod accounts;
mod conflicts;
mod connections;
mod erasures;
mod expressions;
mod external_events;
mod host;
mod items;
mod keys;
mod mappings;
mod mentions;
mod oauth_states;
mod outbox;
mod rate_limits;
mod requests;
mod schedule;
mod sync_logs;
mod sync_state;
pub mod tables;
mod tenants;

pub use host::lesson_from_image;

use std::fmt;

use crate::config::TableNames;

/// The [`Store`](crate::ports::Store) and the [`RateLimiter`](crate::ports::RateLimiter) on DynamoDB.
#[derive(Clone)]
pub struct DynamoStore {
    client: aws_sdk_dynamodb::Client,
    names: TableNames,
}

impl DynamoStore {
    pub fn new(client: aws_sdk_dynamodb::Client, names: TableNames) -> Self {
        Self { client, names }
    }
}

impl fmt::Debug for DynamoStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoStore").field("names", &self.names).finish_non_exhaustive()
    }
}
