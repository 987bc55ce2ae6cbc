//! Files that only their owner may read: keys and secrets of the local stack.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// Reads `file`, or writes it first with what `make` gives.
///
/// It appears whole or not at all, so that a crash at the first start leaves no half-written key.
pub fn read_or_create(file: &Path, make: impl FnOnce() -> String) -> std::io::Result<String> {
    match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let content = make();
            let unfinished = file.with_extension("new");
            fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&unfinished)?
                .write_all(content.as_bytes())?;
            fs::rename(&unfinished, file)?;
            Ok(content)
        }
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_was_made_once_is_kept_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        assert_eq!(read_or_create(&file, || "first".into()).unwrap(), "first");
        assert_eq!(read_or_create(&file, || "second".into()).unwrap(), "first");
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
