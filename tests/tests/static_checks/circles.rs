//! No file needs a file that needs it: each can be read, tested and changed without the ones above it.
//!
//! A module and the modules inside it count as one here, since a `mod.rs` names its parts and shares what they need.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::{
    paths::{self, Named},
    repository,
};

/// The source folders of the workspace's crates.
const CRATES: [&str; 7] = [
    "shared/src",
    "functions/src",
    "infra/local/src",
    "tests/src",
    "tests/convergence/src",
    "tests/google-sim/src",
    "tests/testkit/src",
];

/// Circles that still stand. Each is to go; none may be added.
const KNOWN: [&str; 1] = ["tests/convergence/src: observer, ports, sim, truth, watch, world"];

/// A module by its path in the crate.
type Module = Vec<String>;
type Arrows = BTreeMap<Module, BTreeSet<Module>>;

#[test]
fn no_files_of_a_crate_need_each_other_in_a_circle() {
    let found: BTreeSet<String> = CRATES.iter().flat_map(|src| circles_in(&repository(src), src)).collect();
    let known = KNOWN.map(str::to_owned).into();
    let added: Vec<_> = found.difference(&known).collect();
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(added.is_empty(), "files in a circle: {added:#?}");
    assert!(gone.is_empty(), "these are no circles any more, take them off the list: {gone:#?}");
}

fn circles_in(src: &Path, name: &str) -> Vec<String> {
    let shown = |circle: BTreeSet<Module>| {
        let files: Vec<String> = circle.iter().map(|module| module[1..].join("/")).collect();
        format!("{name}: {}", files.join(", "))
    };
    circles(&arrows(paths::in_crate(src))).into_iter().map(shown).collect()
}

fn arrows(named: Vec<(Module, Named)>) -> Arrows {
    let mut paths: BTreeMap<Module, Vec<Vec<String>>> = BTreeMap::new();
    for (module, named) in named {
        paths.entry(module).or_default().push(named.path);
    }
    let modules: BTreeSet<Module> = paths.keys().cloned().collect();
    let to = |from: &Module| -> BTreeSet<Module> {
        let targets = paths[from].iter().filter_map(|path| target(path, from, &modules, &paths));
        targets.filter(|to| !to.starts_with(from) && !from.starts_with(to)).collect()
    };
    modules.iter().map(|from| (from.clone(), to(from))).collect()
}

/// The module that holds what `path` means in the module `from`; `None` for what is another crate's or local.
fn target(
    path: &[String],
    from: &Module,
    modules: &BTreeSet<Module>,
    paths: &BTreeMap<Module, Vec<Vec<String>>>,
) -> Option<Module> {
    let path = absolute(path, from, modules)?;
    let depth = (1..=path.len()).rev().find(|depth| modules.contains(&path[..*depth]))?;
    let (module, rest) = (path[..depth].to_vec(), &path[depth..]);
    // What a module only passes on belongs to the part of it that it comes from.
    let passed_on = rest.first().and_then(|name| {
        let inner = paths[&module].iter().filter(|path| path.last() == Some(name));
        inner.filter_map(|path| absolute(path, &module, modules)).find(|path| {
            path.len() > module.len() + 1 && path.starts_with(&module) && modules.contains(&path[..=module.len()])
        })
    });
    match passed_on {
        Some(inner) if inner != path => target(&inner, &module, modules, paths),
        _ => Some(module),
    }
}

fn absolute(path: &[String], from: &Module, modules: &BTreeSet<Module>) -> Option<Vec<String>> {
    let inside = || [from, path].concat();
    let names_a_part = || modules.contains(&[from, &path[..1]].concat());
    match path.first()?.as_str() {
        "crate" => Some(path.to_vec()),
        _ if names_a_part() => Some(inside()),
        _ => None,
    }
}

/// The sets of more than one module in which each is reached from each.
fn circles(arrows: &Arrows) -> BTreeSet<BTreeSet<Module>> {
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        arrows.keys().map(|from| (from, reached_from(from, arrows))).collect();
    let circle = |module: &Module| -> BTreeSet<Module> {
        let back = reached[module].iter().filter(|other| reached[**other].contains(module));
        back.map(|other| (*other).clone()).collect()
    };
    arrows.keys().map(circle).filter(|circle| circle.len() > 1).collect()
}

fn reached_from<'a>(from: &Module, arrows: &'a Arrows) -> BTreeSet<&'a Module> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Module> = arrows[from].iter().collect();
    while let Some(module) = open.pop() {
        if reached.insert(module) {
            open.extend(arrows.get(module).into_iter().flatten());
        }
    }
    reached
}

#[test]
fn a_circle_through_a_reexport_is_found() {
    let module = |path: &str| path.split("::").map(str::to_owned).collect::<Module>();
    let source = |name: &str, source: &str| -> Vec<(Module, Named)> {
        let module = module(name);
        paths::in_source(source, &module).into_iter().map(|named| (module.clone(), named)).collect()
    };
    let named = [
        source("crate", "mod model; mod a;"),
        source("crate::model", "mod event; pub use event::Event; use crate::model;"),
        source("crate::model::event", "use crate::a::f; pub struct Event;"),
        source("crate::a", "use crate::model::Event; use std::fmt; pub fn f() {}"),
        source("crate::b", "use crate::model::Event;"),
    ];
    let found = circles(&arrows(named.concat()));
    assert_eq!(found, [[module("crate::a"), module("crate::model::event")].into()].into());
}
