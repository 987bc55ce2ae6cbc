//! Turns in a line that many processes share (design rule P4).

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Subject, at};

/// A turn of a minute, asked for at noon and so many minutes.
async fn take(on: &Subject, line: &str, minute: i64, latest: i64) -> Option<DateTime<Utc>> {
    on.store.take_turn(line, TimeDelta::minutes(1), at(1, minute), at(1, latest)).await.unwrap()
}

/// In a line where nobody waits, a turn begins at once.
pub async fn a_free_line_is_taken_at_once(on: &Subject) {
    assert_eq!(take(on, "a", 0, 0).await, Some(at(1, 0)));
    assert_eq!(take(on, "a", 1, 1).await, Some(at(1, 1)), "the turn before is just over");
    assert_eq!(take(on, "a", 9, 9).await, Some(at(1, 9)), "time that nobody took is gone");
    assert_eq!(take(on, "b", 1, 1).await, Some(at(1, 1)), "another line is another's");
}

/// Of many that ask at the same moment each gets a turn of its own, one after the other without a gap.
pub async fn turns_follow_each_other(on: &Subject) {
    let taken = futures::future::join_all((0..10).map(|_| take(on, "a", 0, 60))).await;
    let begin: BTreeSet<_> = taken.into_iter().flatten().collect();
    assert_eq!(begin, (0..10).map(|minute| at(1, minute)).collect());
}

/// A turn that would begin too late is not taken, and keeps nobody waiting.
pub async fn a_turn_that_comes_too_late_is_left(on: &Subject) {
    for _ in 0..3 {
        take(on, "a", 0, 60).await.unwrap();
    }
    assert_eq!(take(on, "a", 0, 2).await, None);
    assert_eq!(take(on, "a", 0, 3).await, Some(at(1, 3)));
}
