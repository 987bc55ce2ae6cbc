//! The documents list every setting that the code reads, and none that it does not.

use std::{collections::BTreeSet, fs};

use crate::repository;

/// Where variables are read by name.
const READERS: [&str; 3] = ["shared/src/config.rs", "shared/src/telemetry.rs", "infra/local/src/settings.rs"];
/// Read by the tests of crash safety alone.
const FOR_TESTS: &str = "CRASH_AT";

fn text(path: &str) -> String {
    fs::read_to_string(repository(path)).unwrap()
}

/// The names that the code reads: string literals before the file's tests.
fn read_by_the_code() -> BTreeSet<String> {
    let is_name =
        |name: &&str| name.len() > 3 && name.contains('_') && name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    let code = READERS.map(|path| text(path).split("#[cfg(test)]").next().unwrap_or_default().to_owned());
    code.iter().flat_map(|code| code.split('"').filter(is_name)).map(str::to_owned).collect()
}

#[test]
fn docs_configuration_lists_each_variable_that_the_code_reads_and_no_other() {
    let rows = text("docs/configuration.md");
    let listed: BTreeSet<String> = rows
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|row| row.split_once('`'))
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(listed, read_by_the_code());
}

#[test]
fn env_example_lists_each_variable_that_the_code_reads_but_those_for_tests() {
    let example = text(".env.example");
    let listed: BTreeSet<String> = example
        .lines()
        .filter_map(|line| line.strip_prefix('#')?.split_once('='))
        .map(|(name, _)| name.to_owned())
        .collect();
    let mut expected = read_by_the_code();
    expected.remove(FOR_TESTS);
    assert_eq!(listed, expected);
}

#[test]
fn the_template_sets_no_variable_that_the_code_does_not_read() {
    let template = text("template.yaml");
    let read = read_by_the_code();
    let set = template
        .split("Variables:")
        .skip(1)
        .flat_map(|block| block.lines().skip(1).map_while(|line| line.trim().split_once(": ")))
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'));
    let unread: BTreeSet<String> = set.filter(|name| !read.contains(name)).collect();
    assert!(unread.is_empty(), "the template sets {unread:?}");
}
