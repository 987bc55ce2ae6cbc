//! How Google rewrites texts.

use serde_json::Value;

/// Characters of a description that are kept.
const MAX_DESCRIPTION_CHARS: usize = 8_192;

/// The value of the property `name` as Google stores it, where that is a text; none when nothing is left of it.
pub(crate) fn rewritten(name: &str, value: Value) -> Option<Value> {
    let text = match (name, &value) {
        ("summary" | "location", Value::String(text)) => text.trim().to_owned(),
        ("description", Value::String(text)) => description(text),
        _ => return Some(value),
    };
    (!text.is_empty()).then(|| Value::from(text))
}

fn description(text: &str) -> String {
    let text = without_conference_blocks(text);
    let cut: String = text.trim().chars().take(MAX_DESCRIPTION_CHARS).collect();
    cut.trim_end().to_owned()
}

/// Google writes a conference's dial-in between two such lines, for calendars without conference data, and removes that
/// section when it is sent back.
fn without_conference_blocks(text: &str) -> String {
    let is_fence = |line: &str| line.starts_with("-::~:~::~") && line.ends_with("::-");
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = split_at_line(rest, is_fence) {
        let Some((_, after)) = split_at_line(after, is_fence) else {
            break;
        };
        kept.push_str(before);
        rest = after;
    }
    kept + rest
}

/// What stands before and after the first line that is such a one.
fn split_at_line(text: &str, wanted: impl Fn(&str) -> bool) -> Option<(&str, &str)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if wanted(line.trim()) {
            return Some((&text[..at], &text[at + line.len()..]));
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const FENCE: &str = "-::~:~::~:~:~:~:~::~:~::-";

    #[test]
    fn blanks_at_the_ends_go() {
        let of = |name: &str, text: &str| rewritten(name, Value::from(text));
        assert_eq!(of("summary", "  Piano \n"), Some(Value::from("Piano")));
        assert_eq!(of("location", "\tRoom 1 "), Some(Value::from("Room 1")));
        assert_eq!(of("summary", " \t"), None);
        assert_eq!(of("colorId", " 3 "), Some(Value::from(" 3 ")), "and only of texts");
    }

    #[test]
    fn a_description_is_cut_by_characters_and_no_blank_is_left_at_its_end() {
        let long = format!("{} {}", "é".repeat(MAX_DESCRIPTION_CHARS - 1), "x".repeat(10));
        assert_eq!(description(&long), "é".repeat(MAX_DESCRIPTION_CHARS - 1));
    }

    #[test]
    fn a_block_that_google_wrote_for_a_conference_is_removed() {
        let text = format!("Bring notes.\n\n{FENCE}\nJoin: https://meet.google.com/a\n\nDo not edit.\n{FENCE}\nThanks");
        assert_eq!(description(&text), "Bring notes.\n\nThanks");
        let open = format!("Bring notes.\n{FENCE}\nno second line");
        assert_eq!(description(&open), open, "half a block is not Google's");
    }
}
