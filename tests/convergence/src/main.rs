//! Plays histories: `convergence --seeds FROM..TO`, `--minutes N` or `--seed N`. A failing seed is printed, and played
//! again until it has shrunk to a short script. `--survey FROM..TO` plays on and lists all that fail; `--catch FROM..TO` only
//! says which fails first.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "it is a program for a terminal")]

use std::{
    env,
    ops::Range,
    process::ExitCode,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use convergence::{
    history::{Script, play, tell},
    playing::{Until, play_all},
    shrink::shrink,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["--seed", seed] => one(seed.parse().expect("a number")),
        ["--seeds", range] => many(seeds(range), Until::Failure),
        ["--survey", range] => survey(seeds(range)),
        ["--catch", range] => catch(seeds(range)),
        ["--minutes", minutes] => {
            let from = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs()) * 1_000_000;
            println!("Seeds from {from} on, for {minutes} minutes.");
            many(from..u64::MAX, Until::FailureOr(Duration::from_mins(minutes.parse().expect("a number"))))
        }
        _ => {
            println!("convergence --seeds FROM..TO | --survey FROM..TO | --catch FROM..TO | --minutes N | --seed N");
            ExitCode::FAILURE
        }
    }
}

fn seeds(range: &str) -> Range<u64> {
    let (from, to) = range.split_once("..").expect("FROM..TO");
    from.parse().expect("a number")..to.parse().expect("a number")
}

fn survey(seeds: Range<u64>) -> ExitCode {
    let played = play_all(seeds, Until::TheEnd);
    for (seed, failure) in &played.failed {
        println!("seed {seed} fails {}: {}", failure.stage, failure.violations.join("; "));
    }
    println!("{}{} failed.", played.census, played.failed.len());
    if played.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn catch(seeds: Range<u64>) -> ExitCode {
    let played = play_all(seeds, Until::Failure);
    let histories = played.census.histories();
    let Some((seed, failure)) = played.failed.first_key_value() else {
        println!("nothing is wrong after {histories} histories");
        return ExitCode::SUCCESS;
    };
    println!("by seed {seed} after {histories} histories: {}", failure.stage);
    ExitCode::FAILURE
}

/// Plays one seed, and makes it short if it fails.
fn one(seed: u64) -> ExitCode {
    let script = Script::of(seed);
    let Err(failure) = play(&script).1 else {
        println!("seed {seed}: nothing is wrong");
        return ExitCode::SUCCESS;
    };
    println!("seed {seed} fails {}, {} steps in all. A shorter script:", failure.stage, script.steps.len());
    let short = shrink(&script);
    if let Err(failure) = tell(&short) {
        println!("{failure}");
    }
    ExitCode::FAILURE
}

fn many(seeds: Range<u64>, until: Until) -> ExitCode {
    let played = play_all(seeds, until);
    println!("{}", played.census);
    if let Some((seed, failure)) = played.failed.first_key_value() {
        println!("seed {seed} fails {}: {}", failure.stage, failure.violations.join("; "));
        one(*seed);
        return ExitCode::FAILURE;
    }
    let (rare, apart) = (played.census.rare(), played.census.rare_pairs());
    if rare.is_empty() && apart.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("Met by fewer than one in a hundred: {rare:?} {apart:?}");
    ExitCode::FAILURE
}
