//! How Google renders texts, implemented a third time, independently of the simulated Google and of the product.

/// The most characters of a description.
const MAX_DESCRIPTION_CHARS: usize = 8192;

/// Unusual texts of lessons.
pub const ODD: [&str; 4] =
    [" Text with blanks \n", "\tText", "Text \n\n-::~:~::~:~::-\nJoin with a click.\n-::~:~::~:~::-\n", "LONG"];

/// One of [`ODD`], with its full length.
pub fn odd(number: usize) -> String {
    let text = ODD[number % ODD.len()];
    if text == "LONG" { "Long text. ".repeat(MAX_DESCRIPTION_CHARS / 11 + 20) } else { text.to_owned() }
}

/// The text as Google keeps it.
pub fn as_kept(field: &str, text: &str) -> String {
    if field != "description" {
        return text.trim().to_owned();
    }
    let mut lines: Vec<&str> = text.split('\n').collect();
    let fences = |lines: &[&str]| -> Vec<usize> {
        (0..lines.len())
            .filter(|&n| lines[n].trim().starts_with("-::~:~::~") && lines[n].trim().ends_with("::-"))
            .collect()
    };
    while let [first, second, ..] = fences(&lines)[..] {
        lines.drain(first..=second);
    }
    let whole = lines.join("\n");
    whole.trim().chars().take(MAX_DESCRIPTION_CHARS).collect::<String>().trim_end().to_owned()
}
