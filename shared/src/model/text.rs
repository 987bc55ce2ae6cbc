//! Texts within bounds.

/// The first `max_bytes` of `text`, or a little less where that would split a character.
pub fn cut(text: &str, max_bytes: usize) -> &str {
    &text[..text.floor_char_boundary(max_bytes)]
}

/// `text` as a person reads it: one that is cut ends in dots.
pub fn shortened(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes { text.to_owned() } else { format!("{}…", cut(text, max_bytes)) }
}
