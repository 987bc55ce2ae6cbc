//! Texts as Google renders them: it stores something else than it is sent.

/// Characters of a description that Google keeps.
const MAX_DESCRIPTION_CHARS: usize = 8_192;

/// A title or a place: Google removes whitespace at the ends.
pub fn line(text: &str) -> &str {
    text.trim()
}

/// A description without the conference section that Google writes into it, without whitespace at its ends, and cut to
/// length.
pub fn description(text: &str) -> String {
    let text = without_conferences(text);
    let kept: String = text.trim().chars().take(MAX_DESCRIPTION_CHARS).collect();
    kept.trim_end().to_owned()
}

/// Removes conference sections: each stands between two fence lines. A single fence is ordinary text.
fn without_conferences(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut fenced_from = None;
    for line in text.split_inclusive('\n') {
        match fenced_from {
            Some(from) if is_fence(line) => {
                kept.truncate(from);
                fenced_from = None;
                continue;
            }
            None if is_fence(line) => fenced_from = Some(kept.len()),
            Some(_) | None => {}
        }
        kept.push_str(line);
    }
    kept
}

fn is_fence(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("-::~:~::~") && line.ends_with("::-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FENCE: &str = "-::~:~::~:~:~:~:~:~::~:~::-";

    #[test]
    fn each_text_is_rendered_and_a_rendering_stays_as_it_is() {
        let long = "é".repeat(MAX_DESCRIPTION_CHARS);
        let cases = [
            ("Bring notes.".to_owned(), "Bring notes.".to_owned()),
            (" \n a  b\n\nc\t".to_owned(), "a  b\n\nc".to_owned()),
            ("  ".to_owned(), String::new()),
            (format!("{long} and more"), long.clone()),
            (format!("{}  {long}", &long[2..]), long[2..].to_owned()),
            (format!("a\n{FENCE}\nJoin: x\n\n{FENCE}\nb"), "a\nb".to_owned()),
            (format!("a\n {FENCE} \r\nJoin\n{FENCE}"), "a".to_owned()),
            (format!("{FENCE}\n1\n{FENCE}\na\n{FENCE}\n2\n{FENCE}\nb"), "a\nb".to_owned()),
            (format!("a\n{FENCE}\nb"), format!("a\n{FENCE}\nb")),
            (format!("a {FENCE}\nb\n{FENCE} c"), format!("a {FENCE}\nb\n{FENCE} c")),
        ];
        for (text, rendered) in cases {
            assert_eq!(description(&text), rendered, "{text:.60}");
            assert_eq!(description(&rendered), rendered, "{text:.60}");
        }
        assert_eq!(line("\t Piano \n"), "Piano");
    }
}
