//! What documents point at is there: pages and headings that they link to, files that they name, and the symbol where
//! one says `path/to/file.rs` → `symbol`.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Component, Path, PathBuf},
};

use super::repository;

/// What is installed or built, and no document of ours.
const NOT_OURS: [&str; 7] = ["target", "node_modules", "dist", "data", ".git", "python", "corpus"];
/// Where a path may begin, for brevity.
const ROOTS: [&str; 5] = ["", "shared/src", "tests", "tests/src", "tests/tests"];
/// The words before a name that is defined in Rust.
const DEFINES: [&str; 9] = ["fn", "struct", "enum", "trait", "const", "static", "type", "mod", "macro_rules!"];

#[test]
fn every_link_within_the_repository_resolves() {
    let documents = documents();
    assert!(documents.len() > 20, "{} documents", documents.len());
    let broken: Vec<String> = documents.iter().flat_map(|(path, text)| broken_links(path, text, &documents)).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_source_file_that_a_guide_names_is_there() {
    let named =
        |text: &str| -> Vec<String> { code_spans(text).filter(|span| is_source(span)).map(str::to_owned).collect() };
    let missing: BTreeSet<String> =
        guides().iter().flat_map(|(_, text)| named(text)).filter(|path| find(path).is_none()).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_symbol_that_a_guide_names_is_defined_in_its_file() {
    let pointers: Vec<(String, String)> = guides().iter().flat_map(|(_, text)| pointers(text)).collect();
    assert!(pointers.len() > 50, "{} symbols are named", pointers.len());
    let wrong: Vec<_> = pointers.iter().filter(|(path, symbol)| !is_defined(path, symbol)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_question_is_answered_in_three_lines_that_name_code() {
    let text = fs::read_to_string(repository("docs/questions.md")).unwrap();
    let questions: Vec<&str> = text.split("\n\n").filter(|part| part.starts_with("**")).collect();
    assert_eq!(questions.len(), 20);
    let poor = |part: &&str| {
        let named = pointers(part).len();
        part.lines().count() > 3 || named == 0 || part.matches('→').count() != named
    };
    let poor: Vec<&str> = questions.into_iter().filter(poor).collect();
    assert!(poor.is_empty(), "{poor:#?}");
}

#[test]
fn architecture_is_read_in_ten_minutes() {
    let lines = fs::read_to_string(repository("ARCHITECTURE.md")).unwrap().lines().count();
    assert!(lines <= 200, "{lines} lines: what is more belongs on a page in docs/");
}

#[test]
fn a_link_to_nowhere_is_found_and_one_in_code_is_none() {
    let text = "# A `b`: c's\n[x](#a-b-cs) [x](#gone) [x](b.md#two-1) [x](no.md)\n`[x](y.md)`\n```\n[x](z.md)\n```\n";
    let pages = HashMap::from([(PathBuf::from("a.md"), text.to_owned()), ("b.md".into(), "# Two\n## Two\n".into())]);
    assert_eq!(broken_links(Path::new("a.md"), text, &pages), ["a.md: #gone", "a.md: no.md"]);
}

#[test]
fn a_symbol_after_an_arrow_is_a_pointer() {
    let text = "| a | `x.rs` → `f`, `g` |\n`y.rs` → `A::b`; `z.rs`\n`w.rs` `h` `i`";
    let pair = |path: &str, symbol: &str| (path.to_owned(), symbol.to_owned());
    assert_eq!(pointers(text), [pair("x.rs", "f"), pair("y.rs", "A::b"), pair("w.rs", "h")]);
    assert!(
        defines("pub(super) async fn ask<T>(", "ask") && !defines("    ask(1)", "ask") && !defines("fn asks()", "ask")
    );
}

/// Every Markdown file of ours by its path in the repository.
fn documents() -> HashMap<PathBuf, String> {
    let mut found = HashMap::new();
    collect(&repository(""), &mut found);
    found
}

fn collect(folder: &Path, found: &mut HashMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        if path.is_dir() && !NOT_OURS.contains(&name.as_str()) {
            collect(&path, found);
        } else if has_extension(&name, &["md"]) {
            let text = fs::read_to_string(&path).unwrap();
            found.insert(path.strip_prefix(repository("")).unwrap().to_owned(), text);
        }
    }
}

/// What describes the whole: the pages at the root and in `docs/`, history aside.
fn guides() -> Vec<(PathBuf, String)> {
    let is_guide = |path: &Path| path.parent() == Some(Path::new("")) || path.starts_with("docs");
    let all = documents().into_iter();
    all.filter(|(path, _)| is_guide(path) && path != Path::new("CHANGELOG.md")).collect()
}

fn broken_links(path: &Path, text: &str, documents: &HashMap<PathBuf, String>) -> Vec<String> {
    let resolves = |link: &str| {
        let (file, heading) = link.split_once('#').unwrap_or((link, ""));
        let to = if file.is_empty() { path.to_owned() } else { normal(&path.with_file_name("").join(file)) };
        match documents.get(&to) {
            Some(page) => heading.is_empty() || anchors(page).contains(heading),
            None => heading.is_empty() && repository(&to.to_string_lossy()).exists(),
        }
    };
    let ours = links(text).into_iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:"));
    ours.filter(|link| !resolves(link)).map(|link| format!("{}: {link}", path.display())).collect()
}

/// The targets of links, those in code aside.
fn links(text: &str) -> Vec<String> {
    let outside = |line: &str| line.split('`').step_by(2).collect::<Vec<_>>().join("`");
    let targets = |line: String| -> Vec<String> {
        line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target.to_owned()).collect()
    };
    prose(text).flat_map(|line| targets(outside(line))).collect()
}

/// The lines outside of code blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    })
}

/// The anchors that GitHub gives the headings of a page: a repeated one is numbered.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let headings = prose(page).filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let numbered = headings.map(|heading| {
        let slug: String = heading
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let times = seen.entry(slug.clone()).or_default();
        *times += 1;
        if *times == 1 { slug } else { format!("{slug}-{}", *times - 1) }
    });
    numbered.collect()
}

fn normal(path: &Path) -> PathBuf {
    let mut parts: Vec<Component<'_>> = Vec::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    parts.into_iter().collect()
}

fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    prose(text).flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// Whether a code span is the path of a source file; a name in capitals stands for any.
fn is_source(span: &str) -> bool {
    let is_path = span.contains('/') && span.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    let of_code = has_extension(span, &["rs", "ts", "tsx", "py", "sql", "json", "yaml", "sh"]);
    is_path && of_code && !span.contains("NAME")
}

fn has_extension(path: &str, any: &[&str]) -> bool {
    Path::new(path).extension().is_some_and(|extension| any.iter().any(|known| extension == *known))
}

fn find(path: &str) -> Option<PathBuf> {
    ROOTS.iter().map(|root| repository(root).join(path)).find(|path| path.exists())
}

/// Each `path` → `symbol`, also without the arrow where a path of Rust and a name follow each other.
fn pointers(text: &str) -> Vec<(String, String)> {
    let in_line = |line: &str| -> Vec<(String, String)> {
        let spans: Vec<&str> = line.split('`').collect();
        let pointer = |around: &[&str]| {
            let is_one = match around[1].trim() {
                "→" => true,
                "" => !around[1].is_empty() && has_extension(around[0], &["rs"]),
                _ => false,
            };
            is_one.then(|| (around[0].to_owned(), around[2].to_owned()))
        };
        spans.windows(3).skip(1).step_by(2).filter_map(pointer).collect()
    };
    prose(text).flat_map(in_line).collect()
}

/// Whether the last part of `symbol` is defined in the file, and its first part there too: `Caller::sees_plans_of`.
fn is_defined(path: &str, symbol: &str) -> bool {
    let Some(text) = find(path).and_then(|path| fs::read_to_string(path).ok()) else { return false };
    symbol.split("::").all(|name| text.lines().any(|line| defines(line, name)))
}

/// Whether a line defines a name: an item or a field of Rust, a key of YAML, a function of TypeScript or Python.
fn defines(line: &str, name: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let is_key = line.trim_start().strip_prefix(name).is_some_and(|rest| rest.starts_with(':'));
    let words = ["function", "impl", "export const", "export function", "def"];
    let all = DEFINES.iter().chain(&words);
    is_key
        || all.into_iter().any(|word| {
            line.match_indices(&format!("{word} {name}")).any(|(at, found)| {
                let before = line[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
                before && ends(&line[at + found.len()..])
            })
        })
}
