//! Token buckets that many processes share.

use std::collections::BTreeSet;

use calendar_sync::ports::Reservation::{self, StartsAt, TooLate};
use chrono::TimeDelta;

use super::{Subject, at};

/// A minute of a shard, asked for at noon and so many minutes.
async fn reserve(on: &Subject, (bucket, shard): (&str, u8), minute: i64, latest: i64) -> Reservation {
    on.limiter.reserve(bucket, shard, TimeDelta::minutes(1), at(1, minute), at(1, latest)).await.unwrap()
}

/// What is free is reserved from now on.
pub async fn a_free_shard_is_reserved_at_once(on: &Subject) {
    assert_eq!(reserve(on, ("a", 0), 0, 0).await, StartsAt(at(1, 0)));
    assert_eq!(reserve(on, ("a", 0), 1, 1).await, StartsAt(at(1, 1)), "the reservation before is just over");
    assert_eq!(reserve(on, ("a", 0), 9, 9).await, StartsAt(at(1, 9)), "what nothing was reserved of is gone");
    assert_eq!(reserve(on, ("a", 1), 1, 1).await, StartsAt(at(1, 1)), "another shard fills by itself");
    assert_eq!(reserve(on, ("b", 0), 1, 1).await, StartsAt(at(1, 1)), "another bucket fills by itself");
}

/// Of many that ask at the same moment each gets a reservation of its own, one after the other without a gap.
pub async fn reservations_follow_each_other(on: &Subject) {
    let made: BTreeSet<_> =
        futures::future::join_all((0..10).map(|_| reserve(on, ("a", 0), 0, 60))).await.into_iter().collect();
    assert_eq!(made, (0..10).map(|minute| StartsAt(at(1, minute))).collect());
}

/// A reservation that would start too late is not made, and delays no other.
pub async fn a_reservation_that_would_start_too_late_is_not_made(on: &Subject) {
    for _ in 0..3 {
        reserve(on, ("a", 0), 0, 60).await;
    }
    assert_eq!(reserve(on, ("a", 0), 0, 2).await, TooLate);
    assert_eq!(reserve(on, ("a", 0), 0, 3).await, StartsAt(at(1, 3)));
}
