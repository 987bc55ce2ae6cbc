//! How long functions and files may be.

use std::{collections::BTreeSet, fs, path::Path};

use super::repository;

/// Without blank lines and comments.
const MAX_LINES_OF_A_FUNCTION: usize = 60;
const MAX_LINES_OF_A_FILE: usize = 400;

/// The folders with the workspace's code.
const FOLDERS: [&str; 5] = ["shared", "functions", "infra/local", "tests", "fuzz/targets"];

/// Each is to go, but the two tables: of what each act of a history does, and each operation of the control API.
const LONG_FUNCTIONS: [&str; 2] =
    ["tests/convergence/src/acts/mod.rs: told", "tests/google-sim/src/control/requests.rs: operate"];

#[test]
fn no_function_is_longer_than_sixty_lines() {
    let long = |path: &str, source: &str| {
        let names = functions(source).into_iter().filter(|(_, lines)| *lines > MAX_LINES_OF_A_FUNCTION);
        names.map(|(name, _)| format!("{path}: {name}")).collect()
    };
    assert_eq!(found(long), LONG_FUNCTIONS.map(str::to_owned).into());
}

#[test]
fn no_file_is_longer_than_four_hundred_lines() {
    let long = |path: &str, source: &str| {
        let is_long = source.lines().count() > MAX_LINES_OF_A_FILE;
        is_long.then(|| path.to_owned()).into_iter().collect()
    };
    assert_eq!(found(long), BTreeSet::new());
}

fn found(in_file: impl Fn(&str, &str) -> Vec<String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in FOLDERS {
        each_file(folder, &mut |path, source| found.extend(in_file(path, source)));
    }
    found
}

/// Calls `visit` with the path and the text of each Rust file in `folder`.
fn each_file(folder: &str, visit: &mut impl FnMut(&str, &str)) {
    for entry in fs::read_dir(repository(folder)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let path = format!("{folder}/{name}");
        if repository(&path).is_dir() {
            if name != "node_modules" && name != "python" {
                each_file(&path, visit);
            }
        } else if Path::new(&name).extension().is_some_and(|extension| extension == "rs") {
            visit(&path, &fs::read_to_string(repository(&path)).unwrap());
        }
    }
}

/// The functions of a formatted file, with the lines of their bodies: a function ends with the first closing brace that
/// stands as far in as the function does.
fn functions(source: &str) -> Vec<(&str, usize)> {
    let lines: Vec<&str> = source.lines().collect();
    let begun = lines.iter().enumerate().filter_map(|(at, line)| Some((at, line, name(line.trim_start())?)));
    let measured = begun.map(|(at, line, name)| {
        let end = format!("{}}}", &line[..line.len() - line.trim_start().len()]);
        let body = lines[at + 1..].iter().take_while(|line| **line != end);
        let counts = |line: &&&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
        (name, body.filter(counts).count())
    });
    measured.collect()
}

/// The name of the function that begins with this line.
fn name(line: &str) -> Option<&str> {
    const BEFORE: [&str; 7] = ["pub ", "pub(crate) ", "pub(super) ", "const ", "async ", "unsafe ", "extern "];
    let after = BEFORE.iter().find_map(|word| line.strip_prefix(word));
    match (after, line.strip_prefix("fn ")) {
        (Some(rest), _) => name(rest),
        (None, Some(rest)) => rest.split(['(', '<']).next().filter(|_| !line.ends_with(';') && !line.ends_with('}')),
        (None, None) => None,
    }
}

#[test]
fn the_lines_of_a_function_are_counted_to_its_own_end() {
    let source = "impl A {\n    pub(super) async fn f<T>(\n        a: T,\n    ) {\n        // why\n        if a {\n            b();\n        }\n    }\n}\nfn g();\nfn h() {}\n";
    assert_eq!(functions(source), [("f", 5)]);
}
