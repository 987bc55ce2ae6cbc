//! Concurrent calls of the store.

use futures::{StreamExt, TryStreamExt, stream};

/// As many as a warm function has connections for.
const CONCURRENT_CALLS: usize = 16;

/// Awaits `calls`, a few at a time. Returns all results in order, or the first failure.
pub async fn concurrently<T, E, F: Future<Output = Result<T, E>>>(calls: Vec<F>) -> Result<Vec<T>, E> {
    stream::iter(calls).buffered(CONCURRENT_CALLS).try_collect().await
}
