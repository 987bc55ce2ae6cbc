//! The arrows of ARCHITECTURE.md: which part may name which.

use std::collections::{BTreeSet, HashMap};
use std::process::Command;

use serde_json::Value;

use super::{
    paths::{self, Named},
    repository,
};

/// What each part of the common crate may name of the others. Errors may be named by all, and by tests what they begin with.
const ARROWS: [(&str, &[&str]); 14] = [
    ("error", &[]),
    ("config", &[]),
    ("telemetry", &[]),
    ("model", &[]),
    ("ports", &["model"]),
    ("recurrence", &["model"]),
    ("decide", &["model", "ports", "recurrence"]),
    ("services", &["model", "ports", "decide"]),
    ("usecases", &["model", "ports", "decide", "services"]),
    ("adapters", &["model", "ports", "config"]),
    ("http", &["model", "ports", "usecases", "config"]),
    ("jobs", &["model", "ports", "usecases"]),
    ("bootstrap", &["model", "ports", "adapters", "config", "telemetry"]),
    ("testing", &["model"]),
];

/// What a function may name of the common crate.
const FUNCTIONS: [&str; 9] =
    ["bootstrap", "config", "http", "jobs", "model", "ports", "services", "telemetry", "usecases"];
/// A stream's images are rows of the store: only its adapter can read them.
const IMAGES: &str = "calendar_sync::adapters::dynamo::lesson_from_image";

/// What the one-machine stack may name: nothing by which a use-case could be called past its handler.
const LOCAL_STACK: [&str; 2] = ["bootstrap", "config"];
/// Both create the tables from the one definition.
const TABLES: &str = "calendar_sync::adapters::dynamo::tables";

/// Decisions are pure: they do not wait, look at a clock, log, or read or write anything.
const IMPURE: [&str; 16] = [
    "async",
    "await",
    "tokio",
    "futures",
    "tracing",
    "reqwest",
    "getrandom",
    "Utc::now",
    "Local::now",
    "SystemTime",
    "Instant",
    "std::fs",
    "std::net",
    "std::env",
    "std::thread",
    "new_v4",
];

/// What is linked into no function: the parts of the one-machine stack, and a second TLS stack.
const LOCAL_PARTS: [&str; 8] =
    ["local-stack", "google-sim", "dynoxide-rs", "rusqlite", "axum", "jsonwebtoken", "aws-lc-sys", "openssl-sys"];

#[test]
fn arrows_in_the_common_crate_point_one_way() {
    let arrows: HashMap<_, _> = ARROWS.into();
    let wrong = offences("shared/src", |module, named| {
        let (Some(from), Some(to)) = (part(module), named.path.get(1).filter(|_| named.path[0] == "crate")) else {
            return false;
        };
        let may = arrows.get(from).unwrap_or_else(|| panic!("{from} has no row among the arrows"));
        let is_part = arrows.contains_key(to.as_str());
        is_part && to != from && to != "error" && to != "testing" && !may.contains(&to.as_str())
    });
    assert_eq!(wrong, [""; 0], "see ARROWS");
}

#[test]
fn adapters_do_not_know_each_other() {
    let wrong = offences("shared/src", |module, named| {
        let own = module.get(2).filter(|_| part(module) == Some("adapters"));
        let other = named.path.get(2).filter(|_| starts(named, &["crate", "adapters"]));
        matches!((own, other), (Some(own), Some(other)) if own != other)
    });
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn model_and_decisions_are_pure() {
    let wrong = offences("shared/src", |module, named| {
        let pure = matches!(part(module), Some("model" | "recurrence" | "decide"));
        let path = format!("::{}::", named.path.join("::"));
        pure && (IMPURE.iter().any(|word| path.contains(&format!("::{word}::"))) || path.starts_with("::aws_"))
    });
    assert_eq!(wrong, [""; 0], "decisions take `now` and everything else as arguments");
}

#[test]
fn decisions_know_the_data_of_ports_but_no_port() {
    let ports = [
        "Calendar",
        "Clock",
        "DeadLetters",
        "Login",
        "NoticeBus",
        "Outbox",
        "Random",
        "RateLimiter",
        "SyncQueue",
        "TokenVault",
    ];
    let is_port = |segment: &String| ports.contains(&segment.as_str()) || segment.ends_with("Store");
    let wrong = offences("shared/src", |module, named| {
        part(module) == Some("decide") && starts(named, &["crate", "ports"]) && named.path.iter().any(is_port)
    });
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn functions_go_through_the_common_crates_front_doors_and_do_not_know_each_other() {
    let endpoints: BTreeSet<String> = paths::in_crate(&repository("functions/src"))
        .into_iter()
        .filter_map(|(module, _)| module.get(1).cloned())
        .filter(|name| name != "view" && name != "bin")
        .collect();
    let wrong = offences("functions/src", |module, named| {
        let path = named.path.join("::");
        let back_door = part_of_the_common_crate(named).is_some_and(|to| !FUNCTIONS.contains(&to)) && path != IMAGES;
        let neighbour = starts(named, &["crate"])
            && named.path.get(1).is_some_and(|to| endpoints.contains(to) && module.get(1) != Some(to));
        back_door || neighbour
    });
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn the_webhook_knows_neither_store_nor_key() {
    let forbidden = ["store", "Store", "vault", "TokenVault", "dynamo", "kms", "calendar", "Calendar", "login"];
    let of = |src: &str, name: &str| {
        let mut named = paths::in_crate(&repository(src));
        named.retain(|(module, _)| module.last().is_some_and(|last| last == name));
        named
    };
    let all = [of("functions/src", "webhook"), of("shared/src", "receive_notification")].concat();
    assert!(all.len() > 50, "the webhook's files have moved");
    for (module, named) in all {
        let wrong = named.path.iter().find(|segment| forbidden.contains(&segment.as_str()));
        assert_eq!(wrong, None, "{} line {}", module.join("::"), named.line);
    }
}

#[test]
fn the_one_machine_stack_reaches_use_cases_through_their_handlers() {
    let wrong = offences("infra/local/src", |_, named| {
        let tables = named.path.join("::").starts_with(TABLES);
        part_of_the_common_crate(named).is_some_and(|to| !LOCAL_STACK.contains(&to)) && !tables
    });
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn no_local_part_is_linked_into_a_function() {
    let linked = Workspace::read().reach("calendar-functions");
    assert!(linked.contains("aws-sdk-dynamodb"), "the graph was not read");
    for part in LOCAL_PARTS {
        assert!(!linked.contains(part), "{part}");
    }
}

#[test]
fn the_simulated_google_shares_no_code_with_what_it_checks() {
    let linked = Workspace::read().reach("google-sim");
    assert!(linked.contains("serde_json"), "the graph was not read");
    assert!(!linked.contains("calendar-sync"));
}

/// The paths in `src` that `forbidden` picks, as a person looks for them.
fn offences(src: &str, forbidden: impl Fn(&[String], &Named) -> bool) -> Vec<String> {
    let all = paths::in_crate(&repository(src)).into_iter();
    let wrong = all.filter(|(module, named)| forbidden(module, named));
    wrong
        .map(|(module, named)| format!("{} line {}: {}", module.join("::"), named.line, named.path.join("::")))
        .collect()
}

/// The top-level module that a module belongs to.
fn part(module: &[String]) -> Option<&str> {
    module.get(1).map(String::as_str)
}

/// Which part of the common crate another crate names. Its error types stand at the root.
fn part_of_the_common_crate(named: &Named) -> Option<&str> {
    let to = named.path.get(1).filter(|_| starts(named, &["calendar_sync"]))?;
    to.starts_with(char::is_lowercase).then_some(to)
}

fn starts(named: &Named, with: &[&str]) -> bool {
    named.path.iter().map(String::as_str).take(with.len()).eq(with.iter().copied())
}

/// Cargo's graph of packages.
struct Workspace {
    names: HashMap<String, String>,
    needs: HashMap<String, Vec<String>>,
}

impl Workspace {
    fn read() -> Self {
        let asked = ["metadata", "--format-version=1", "--locked", "--filter-platform=aarch64-unknown-linux-gnu"];
        let answer = Command::new(env!("CARGO")).args(asked).current_dir(repository("")).output().unwrap();
        assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
        let metadata: Value = serde_json::from_slice(&answer.stdout).unwrap();
        let id = |value: &Value| value.as_str().unwrap().to_owned();
        let packages = metadata["packages"].as_array().unwrap().iter();
        let nodes = metadata["resolve"]["nodes"].as_array().unwrap().iter();
        let needs = |node: &Value| {
            let linked = |need: &&Value| need["dep_kinds"].as_array().unwrap().iter().any(|kind| kind["kind"] != "dev");
            node["deps"].as_array().unwrap().iter().filter(linked).map(|need| id(&need["pkg"])).collect()
        };
        Self {
            names: packages.map(|package| (id(&package["id"]), id(&package["name"]))).collect(),
            needs: nodes.map(|node| (id(&node["id"]), needs(node))).collect(),
        }
    }

    /// The names of all packages that `package` is made of, tests aside.
    fn reach(&self, package: &str) -> BTreeSet<String> {
        let start = self.names.iter().find(|(_, name)| *name == package).map(|(id, _)| id.clone());
        let mut open: Vec<String> = start.into_iter().collect();
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            if seen.insert(id.clone()) {
                open.extend(self.needs[&id].iter().cloned());
            }
        }
        seen.iter().map(|id| self.names[id].clone()).collect()
    }
}
