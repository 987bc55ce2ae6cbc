//! Texts cut to a length.

/// At most `max_bytes` of `text`, ending at a character boundary.
pub fn cut(text: &str, max_bytes: usize) -> &str {
    &text[..text.floor_char_boundary(max_bytes)]
}

/// At most `max_bytes` of `text`; a text that is cut ends in dots.
pub fn shortened(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes { text.to_owned() } else { format!("{}…", cut(text, max_bytes)) }
}
