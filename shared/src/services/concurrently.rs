//! Concurrent calls of the store.

use futures::{StreamExt, TryStreamExt, stream};

/// As many as a warm function has connections for.
const CONCURRENT_CALLS: usize = 16;

/// Awaits `calls`, a few at a time. Returns all results in order, or the first failure.
pub async fn concurrently<T, E, F: Future<Output = Result<T, E>>>(calls: Vec<F>) -> Result<Vec<T>, E> {
    stream::iter(calls).buffered(CONCURRENT_CALLS).try_collect().await
}

/// Awaits `calls`, a few at a time. One that fails holds up no other. Returns what the others came to, in order, and the
/// first failure.
pub async fn each_for_itself<T, E, F: Future<Output = Result<T, E>>>(calls: Vec<F>) -> (Vec<T>, Result<(), E>) {
    let results: Vec<Result<T, E>> = stream::iter(calls).buffered(CONCURRENT_CALLS).collect().await;
    let mut failed = Ok(());
    let succeeded = results.into_iter().filter_map(|result| match result {
        Ok(came_to) => Some(came_to),
        Err(error) => {
            if failed.is_ok() {
                failed = Err(error);
            }
            None
        }
    });
    (succeeded.collect(), failed)
}
