//! Some thousands of random histories converge, and between them meet every kind of trouble.
//! `make soak` plays more, `cargo run --package convergence -- --seed N` plays one again and makes it short.
#![allow(clippy::panic, reason = "this is test code")]

use convergence::playing::{Until, play_all};

/// Played in about a minute on two cores.
const SEEDS: std::ops::Range<u64> = 0..3000;

#[test]
fn whatever_happens_all_calendars_converge() {
    let played = play_all(SEEDS, Until::Failure);
    if let Some((seed, failure)) = played.failed.first_key_value() {
        panic!("seed {seed} fails {}: {:#?}", failure.stage, failure.violations);
    }
    assert_eq!(played.census.rare(), [], "met by fewer than one history in a hundred:\n{}", played.census);
    assert_eq!(played.census.rare_pairs(), [], "met together by fewer than one in a hundred:\n{}", played.census);
}
