//! Every path that a source file names, wherever it stands: in a `use`, a type, an expression or a macro's arguments.
//! Comments, documentation and `mod tests` do not count.

use std::{fs, path::Path};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A path as it is written, with `self` and `super` resolved: `crate::model::Event`, `tokio::time::sleep`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub path: Vec<String>,
    pub line: usize,
}

/// The paths in the files of a crate, each with the module that names it (`crate`, `model`, `event`, …).
pub fn in_crate(src: &Path) -> Vec<(Vec<String>, Named)> {
    let mut found = Vec::new();
    in_folder(src, &["crate".to_owned()], &mut found);
    assert!(!found.is_empty(), "{} holds no code", src.display());
    found
}

fn in_folder(folder: &Path, module: &[String], found: &mut Vec<(Vec<String>, Named)>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        let name = entry.file_stem().unwrap().to_str().unwrap().to_owned();
        let inner = [module, std::slice::from_ref(&name)].concat();
        if entry.is_dir() {
            in_folder(&entry, &inner, found);
        } else if entry.extension().is_some_and(|extension| extension == "rs") && !name.ends_with("tests") {
            let module = if matches!(name.as_str(), "lib" | "mod") { module } else { &inner };
            let source = fs::read_to_string(&entry).unwrap();
            found.extend(in_source(&source, module).into_iter().map(|named| (module.to_vec(), named)));
        }
    }
}

pub fn in_source(source: &str, module: &[String]) -> Vec<Named> {
    let mut found = Vec::new();
    walk(source.parse().unwrap(), &[], module, &mut found);
    found
}

fn walk(tokens: TokenStream, prefix: &[String], module: &[String], found: &mut Vec<Named>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(first) if first == "mod" => {
                let Some(TokenTree::Ident(name)) = tokens.next() else { continue };
                if let Some(TokenTree::Group(body)) = tokens
                    .next_if(|token| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace))
                    && name != "tests"
                {
                    walk(body.stream(), &[], &[module, &[name.to_string()]].concat(), found);
                }
            }
            TokenTree::Ident(first) => {
                let line = first.span().start().line;
                let mut path = [prefix, &[first.to_string()]].concat();
                let mut opened = false;
                while skip_colons(&mut tokens) {
                    match tokens.peek() {
                        Some(TokenTree::Ident(next)) => path.push(next.to_string()),
                        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                            walk(group.stream(), &path, module, found);
                            opened = true;
                        }
                        // `::<…>`: what stands between is walked as it comes.
                        _ => break,
                    }
                    tokens.next();
                }
                if !opened {
                    found.push(Named { path: resolved(path, module), line });
                }
            }
            TokenTree::Group(group) => walk(group.stream(), &[], module, found),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

fn skip_colons(tokens: &mut std::iter::Peekable<impl Iterator<Item = TokenTree> + Clone>) -> bool {
    let mut ahead = tokens.clone();
    let colon = |token: Option<TokenTree>| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    let both = colon(ahead.next()) && colon(ahead.next());
    if both {
        *tokens = ahead;
    }
    both
}

fn resolved(path: Vec<String>, module: &[String]) -> Vec<String> {
    let ups = path.iter().take_while(|segment| *segment == "super").count();
    let from = usize::from(path.first().is_some_and(|first| first == "self"));
    if ups == 0 && from == 0 {
        return path;
    }
    let base = &module[..module.len().saturating_sub(ups)];
    [base, &path[ups.max(from)..]].concat()
}

#[test]
fn paths_are_found_in_uses_expressions_and_macros_but_not_in_comments_and_tests() {
    let source = r#"
        //! [`crate::adapters`]
        use super::{model::{Event, self}, ports};
        fn f() { g!("{}", crate::http::reply::ok::<tokio::Task>()); self::here(); }
        mod inner { use super::super::jobs; }
        #[cfg(test)] mod tests { use crate::usecases; }
    "#;
    let module = ["crate", "adapters"].map(str::to_owned);
    let found: Vec<String> = in_source(source, &module).iter().map(|named| named.path.join("::")).collect();
    for path in [
        "crate::model::Event",
        "crate::ports",
        "crate::http::reply::ok",
        "tokio::Task",
        "crate::adapters::here",
        "crate::jobs",
    ] {
        assert!(found.iter().any(|found| found == path), "{path} in {found:?}");
    }
    for word in ["adapters::model", "usecases"] {
        assert!(!found.iter().any(|found| found.contains(word)), "{word} in {found:?}");
    }
}
