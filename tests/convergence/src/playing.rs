//! Many histories at once, on all processors.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    coverage::Census,
    history::{Failure, Script, play},
};

/// The result of many histories.
#[derive(Debug, Default)]
pub struct Played {
    pub census: Census,
    pub failed: BTreeMap<u64, Failure>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    Failure,
    /// One fails, or so much time is over.
    FailureOr(Duration),
    /// All are played, whatever fails.
    TheEnd,
}

pub fn play_all(seeds: Range<u64>, until: Until) -> Played {
    let began = Instant::now();
    let (next, stop) = (AtomicU64::new(seeds.start), AtomicBool::new(false));
    let all = Mutex::new(Played::default());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let mut own = Played::default();
                while !stop.load(Ordering::Relaxed)
                    && !matches!(until, Until::FailureOr(time) if began.elapsed() > time)
                {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    let (coverage, ended) = play(&Script::of(seed));
                    own.census.count(&coverage);
                    if let Err(failure) = ended {
                        stop.store(until != Until::TheEnd, Ordering::Relaxed);
                        own.failed.insert(seed, failure);
                    }
                }
                let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                all.census.add(&own.census);
                all.failed.extend(own.failed);
            });
        }
    });
    all.into_inner().unwrap_or_else(PoisonError::into_inner)
}
