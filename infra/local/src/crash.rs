//! Named points at which the process dies abruptly when asked to, so that a test can prove
//! that nothing is lost or doubled whatever the moment.
//!
//! The points stand at the boundaries of the stand-ins: the product knows nothing of them.

use std::{
    str::FromStr,
    sync::atomic::{AtomicU32, Ordering},
};

/// An effect that outlives the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundary {
    /// A request that changes something at Google.
    GoogleWrite,
    /// A call that changes something in DynamoDB.
    StoreWrite,
    /// The removal of handled messages from a queue.
    QueueAck,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Before,
    After,
}

/// Where and at which passing to die: `<boundary>:<before|after>#<n>`, counted from one.
#[derive(Debug)]
pub struct CrashPoint {
    boundary: Boundary,
    moment: Moment,
    nth: u32,
    passed: AtomicU32,
}

/// Runs an effect that crosses `boundary`, dying before or after it when that is the armed point.
pub async fn around<T>(armed: Option<&CrashPoint>, boundary: Boundary, effect: impl Future<Output = T>) -> T {
    let pass = |moment| {
        if armed.is_some_and(|point| point.is_due(boundary, moment)) {
            // No destructor, no flush, no answer: the same as kill -9 from outside.
            std::process::abort();
        }
    };
    pass(Moment::Before);
    let outcome = effect.await;
    pass(Moment::After);
    outcome
}

impl CrashPoint {
    fn is_due(&self, boundary: Boundary, moment: Moment) -> bool {
        (boundary, moment) == (self.boundary, self.moment) && self.passed.fetch_add(1, Ordering::SeqCst) + 1 == self.nth
    }
}

impl FromStr for CrashPoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed =
            || format!("`{text}` is no crash point; expected (google-write|store-write|queue-ack):(before|after)#<n>");
        let (name, nth) = text.split_once('#').ok_or_else(malformed)?;
        let (boundary, moment) = name.split_once(':').ok_or_else(malformed)?;
        Ok(Self {
            boundary: match boundary {
                "google-write" => Boundary::GoogleWrite,
                "store-write" => Boundary::StoreWrite,
                "queue-ack" => Boundary::QueueAck,
                _ => return Err(malformed()),
            },
            moment: match moment {
                "before" => Moment::Before,
                "after" => Moment::After,
                _ => return Err(malformed()),
            },
            nth: nth.parse().map_err(|_| malformed())?,
            passed: AtomicU32::new(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_due_at_its_nth_passing_and_only_then() {
        let point: CrashPoint = "store-write:after#2".parse().unwrap();
        assert!(!point.is_due(Boundary::StoreWrite, Moment::Before));
        assert!(!point.is_due(Boundary::QueueAck, Moment::After));
        let passings: Vec<bool> = (0..4).map(|_| point.is_due(Boundary::StoreWrite, Moment::After)).collect();
        assert_eq!(passings, [false, true, false, false]);
    }

    #[test]
    fn an_unknown_point_is_refused_with_the_known_ones() {
        for text in ["", "store-write:after", "disk:after#1", "queue-ack:during#1", "queue-ack:after#x"] {
            assert!(text.parse::<CrashPoint>().unwrap_err().contains("google-write"));
        }
    }
}
