//! Requests to DynamoDB for all tables: they follow pages, repeat unprocessed items, and tell refusals from failures.

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        delete_item::DeleteItemError, transact_write_items::TransactWriteItemsError, update_item::UpdateItemError,
    },
    types::{
        AttributeValue, DeleteRequest, KeysAndAttributes, ReturnValue, ReturnValuesOnConditionCheckFailure, Select,
        TransactWriteItem, WriteRequest,
    },
};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::{
    DynamoStore,
    expressions::{Change, aliases},
    items::{Item, text},
};
use crate::{Error, Result, model::ConnectionKey};

/// Concurrent requests of one call.
pub(super) const MAX_CONCURRENT_REQUESTS: usize = 8;
/// Attempts for unprocessed items and conflicting transactions, before the call fails as unavailable.
const MAX_ATTEMPTS: u32 = 8;
const MAX_BATCH_WRITES: usize = 25;
const MAX_BATCH_READS: usize = 100;

/// The result of a conditional write.
pub(super) enum Written {
    /// Written: the new item after an update, the old one after a removal.
    Done(Item),
    /// The condition did not hold: the present item, if there is one.
    Refused(Option<Item>),
}

/// A query of a table or one of its indexes.
#[derive(Default)]
pub(super) struct Query<'a> {
    pub(super) table: &'a str,
    /// `None` and local indexes are read consistently.
    pub(super) index: Option<Index<'a>>,
    pub(super) condition: &'a str,
    pub(super) values: Vec<(&'a str, AttributeValue)>,
    /// `None` for all attributes.
    pub(super) only: Option<&'a str>,
    pub(super) newest_first: bool,
    pub(super) limit: Option<usize>,
}

/// How an index may be read.
#[derive(Clone, Copy)]
pub(super) enum Index<'a> {
    /// Consistent; whole items are fetched through it.
    Local(&'a str),
    /// Lags, and holds keys alone.
    Global(&'a str),
}

impl DynamoStore {
    pub(super) async fn get(&self, table: &str, key: Item) -> Result<Option<Item>> {
        let answer = self.client.get_item().table_name(table).set_key(Some(key)).consistent_read(true).send().await;
        Ok(answer.map_err(failure)?.item)
    }

    pub(super) async fn put(&self, table: &str, item: Item) -> Result<()> {
        self.client.put_item().table_name(table).set_item(Some(item)).send().await.map_err(failure)?;
        Ok(())
    }

    pub(super) async fn update(&self, table: &str, key: Item, change: Change) -> Result<Written> {
        let parts = change.parts();
        let answer = self
            .client
            .update_item()
            .table_name(table)
            .set_key(Some(key))
            .update_expression(parts.update)
            .set_condition_expression(parts.condition)
            .set_expression_attribute_names(parts.names)
            .set_expression_attribute_values(parts.values)
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(done) => Ok(Written::Done(done.attributes.unwrap_or_default())),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                UpdateItemError::ConditionalCheckFailedException(refused) => Ok(Written::Refused(refused.item)),
                other => Err(service_failure(other)),
            },
            Err(error) => Err(failure(error)),
        }
    }

    /// Removes an item, on the condition of `change`.
    pub(super) async fn delete(&self, table: &str, key: Item, change: Change) -> Result<Written> {
        let parts = change.parts();
        let answer = self
            .client
            .delete_item()
            .table_name(table)
            .set_key(Some(key))
            .set_condition_expression(parts.condition)
            .set_expression_attribute_names(parts.names)
            .set_expression_attribute_values(parts.values)
            .return_values(ReturnValue::AllOld)
            .send()
            .await;
        match answer {
            Ok(done) => Ok(Written::Done(done.attributes.unwrap_or_default())),
            Err(SdkError::ServiceError(error)) => match error.into_err() {
                DeleteItemError::ConditionalCheckFailedException(refused) => Ok(Written::Refused(refused.item)),
                other => Err(service_failure(other)),
            },
            Err(error) => Err(failure(error)),
        }
    }

    pub(super) async fn query(&self, query: Query<'_>) -> Result<Vec<Item>> {
        let mut found = Vec::new();
        let mut start = None;
        loop {
            let left = query.limit.map(|limit| limit.saturating_sub(found.len()));
            if left == Some(0) {
                return Ok(found);
            }
            let mut request = self
                .client
                .query()
                .table_name(query.table)
                .key_condition_expression(query.condition)
                .set_expression_attribute_names(aliases([query.condition, query.only.unwrap_or_default()]))
                .set_projection_expression(query.only.map(str::to_owned))
                .scan_index_forward(!query.newest_first)
                .consistent_read(!matches!(query.index, Some(Index::Global(_))))
                .set_limit(left.map(|left| i32::try_from(left).unwrap_or(i32::MAX)))
                .set_exclusive_start_key(start);
            for (name, value) in &query.values {
                request = request.expression_attribute_values(*name, value.clone());
            }
            request = match query.index {
                Some(Index::Local(name)) => request.index_name(name).select(Select::AllAttributes),
                Some(Index::Global(name)) => request.index_name(name),
                None => request,
            };
            let page = Box::pin(request.send()).await.map_err(failure)?; // some queries wait for several at once
            found.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(found);
            }
        }
    }

    /// The items of a connection's partition whose sort attribute, which is named, begins with a prefix.
    pub(super) async fn beginning_with(
        &self,
        table: &str,
        key: ConnectionKey,
        (sort, prefix): (&str, &str),
        limit: Option<usize>,
    ) -> Result<Vec<Item>> {
        let condition = &format!("#connection = :connection AND begins_with(#{sort}, :prefix)");
        let values = vec![(":connection", text(key)), (":prefix", text(prefix))];
        self.query(Query { table, condition, values, limit, ..Query::default() }).await
    }

    /// Items by key, in any order, without those that are absent; `only` some attributes, or all. The keys have to
    /// differ.
    pub(super) async fn batch_get(&self, table: &str, keys: Vec<Item>, only: Option<&str>) -> Result<Vec<Item>> {
        let batches: Vec<_> = keys.chunks(MAX_BATCH_READS).map(<[_]>::to_vec).collect();
        let found: Vec<_> = stream::iter(batches)
            .map(|batch| self.batch_get_once(table, batch, only))
            .buffer_unordered(MAX_CONCURRENT_REQUESTS)
            .try_collect()
            .await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn batch_get_once(&self, table: &str, mut keys: Vec<Item>, only: Option<&str>) -> Result<Vec<Item>> {
        let mut found = Vec::new();
        for attempt in 0..MAX_ATTEMPTS {
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(keys))
                .set_projection_expression(only.map(str::to_owned))
                .set_expression_attribute_names(aliases(only))
                .consistent_read(true)
                .build()
                .map_err(Error::internal)?;
            let answer = self.client.batch_get_item().request_items(table, wanted).send().await.map_err(failure)?;
            found.extend(answer.responses.into_iter().flatten().flat_map(|(_, items)| items));
            keys = answer.unprocessed_keys.into_iter().flatten().flat_map(|(_, left)| left.keys).collect();
            if keys.is_empty() {
                return Ok(found);
            }
            pause(attempt).await;
        }
        Err(left_over("BatchGetItem"))
    }

    /// Puts and removals without conditions. The keys have to differ.
    pub(super) async fn batch_write(&self, table: &str, writes: Vec<WriteRequest>) -> Result<()> {
        let batches: Vec<_> = writes.chunks(MAX_BATCH_WRITES).map(<[_]>::to_vec).collect();
        stream::iter(batches)
            .map(|batch| self.batch_write_once(table, batch))
            .buffer_unordered(MAX_CONCURRENT_REQUESTS)
            .try_collect()
            .await
    }

    async fn batch_write_once(&self, table: &str, mut writes: Vec<WriteRequest>) -> Result<()> {
        for attempt in 0..MAX_ATTEMPTS {
            let answer = self.client.batch_write_item().request_items(table, writes).send().await.map_err(failure)?;
            writes = answer.unprocessed_items.into_iter().flatten().flat_map(|(_, left)| left).collect();
            if writes.is_empty() {
                return Ok(());
            }
            pause(attempt).await;
        }
        Err(left_over("BatchWriteItem"))
    }

    /// Makes all writes or none; false when a condition did not hold. A transaction that conflicts with another is
    /// repeated.
    pub(super) async fn transact(&self, writes: Vec<TransactWriteItem>) -> Result<bool> {
        for attempt in 0..MAX_ATTEMPTS {
            let answer = self.client.transact_write_items().set_transact_items(Some(writes.clone())).send().await;
            let cancelled = match answer {
                Ok(_) => return Ok(true),
                Err(SdkError::ServiceError(error)) => match error.into_err() {
                    TransactWriteItemsError::TransactionCanceledException(cancelled) => cancelled,
                    other => return Err(service_failure(other)),
                },
                Err(error) => return Err(failure(error)),
            };
            let codes: Vec<_> = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect();
            if codes.contains(&"ConditionalCheckFailed") {
                return Ok(false);
            }
            if !codes.iter().any(|code| passes(code)) {
                return Err(Error::internal(cancelled));
            }
            pause(attempt).await;
        }
        Err(left_over("TransactWriteItems"))
    }
}

/// A removal as part of a batch.
pub(super) fn removal(key: Item) -> Result<WriteRequest> {
    let delete = DeleteRequest::builder().set_key(Some(key)).build().map_err(Error::internal)?;
    Ok(WriteRequest::builder().delete_request(delete).build())
}

/// Whether a retry may succeed.
fn passes(code: &str) -> bool {
    matches!(
        code,
        "InternalServerError"
            | "ProvisionedThroughputExceeded"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "ServiceUnavailable"
            | "ThrottlingError"
            | "ThrottlingException"
            | "TransactionConflict"
            | "TransactionConflictException"
            | "TransactionInProgressException"
    )
}

/// The error of a failed request: transient, or a defect of ours.
pub(super) fn failure<E>(error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match error {
        SdkError::ServiceError(error) => service_failure(error.into_err()),
        SdkError::ConstructionFailure(_) => Error::internal(error.into_source().unwrap_or_else(|_| "no source".into())),
        _ => Error::unavailable(UNAVAILABLE, error.into_source().unwrap_or_else(|_| "no source".into())),
    }
}

const UNAVAILABLE: &str = "store_unavailable";

fn service_failure<E>(error: E) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    if error.code().is_some_and(passes) { Error::unavailable(UNAVAILABLE, error) } else { Error::internal(error) }
}

fn left_over(operation: &'static str) -> Error {
    Error::unavailable(UNAVAILABLE, format!("{operation}: DynamoDB took not all of it in {MAX_ATTEMPTS} attempts"))
}

/// 20 ms, then twice as long each time: 2.5 s before the last attempt.
async fn pause(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(20 << attempt)).await;
}

#[cfg(test)]
mod tests;
