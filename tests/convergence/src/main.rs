//! Plays histories: `convergence [--seeds FROM..TO | --minutes N | --seed N]`. A failing seed is printed, played again
//! and shrunk to a short script.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "it is a program for a terminal")]

use std::{
    env,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use convergence::{
    coverage::Census,
    history::{Script, play, tell},
    shrink::shrink,
};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["--seed", seed] => one(seed.parse().expect("a number")),
        ["--seeds", range] => {
            let (from, to) = range.split_once("..").expect("FROM..TO");
            many(from.parse().expect("a number"), to.parse().expect("a number"), None)
        }
        ["--minutes", minutes] => {
            let time = Duration::from_mins(minutes.parse().expect("a number"));
            #[expect(clippy::disallowed_methods, reason = "other seeds each time")]
            let from =
                std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_secs());
            many(from * 1_000_000, u64::MAX, Some(time))
        }
        _ => {
            println!("convergence --seeds FROM..TO | --minutes N | --seed N");
            ExitCode::FAILURE
        }
    }
}

/// Plays one seed; shrinks it if it fails.
fn one(seed: u64) -> ExitCode {
    let script = Script::of(seed);
    let Err(failure) = play(&script).1 else {
        println!("seed {seed}: nothing is wrong");
        return ExitCode::SUCCESS;
    };
    println!("seed {seed} fails. {}, {} steps in all. A shorter script:", failure.stage, script.steps.len());
    let short = shrink(&script);
    if let Err(failure) = tell(&short) {
        println!("{failure}");
    }
    ExitCode::FAILURE
}

/// Plays many seeds on all processors, until one fails.
fn many(from: u64, to: u64, time: Option<Duration>) -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "the figure is for people")]
    let began = Instant::now();
    let next = AtomicU64::new(from);
    let failed = AtomicBool::new(false);
    let keep_going = env::var_os("KEEP_GOING").is_some();
    let census = Mutex::new((Census::default(), Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                let (mut own, mut failing) = (Census::default(), None);
                while !failed.load(Ordering::Relaxed) && time.is_none_or(|time| began.elapsed() < time) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= to {
                        break;
                    }
                    let (coverage, ended) = play(&Script::of(seed));
                    own.count(&coverage);
                    if let Err(failure) = ended {
                        if keep_going {
                            println!("seed {seed} fails {}: {}", failure.stage, failure.violations.join("; "));
                        }
                        failed.store(!keep_going, Ordering::Relaxed);
                        failing = Some(seed);
                    }
                }
                let mut all = census.lock().expect("no thread panicked");
                all.0.add(&own);
                all.1.extend(failing);
            });
        }
    });
    let (census, failing) = census.into_inner().expect("no thread panicked");
    println!("{census}In {:.1} s.", began.elapsed().as_secs_f64());
    if let Some(seed) = failing.first() {
        return one(*seed);
    }
    let rare = census.rare();
    if !rare.is_empty() {
        println!("Met by fewer than one in a hundred: {rare:?}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
