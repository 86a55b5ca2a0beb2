//! A file as it was read: its name and its text, nothing yet understood.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::{Mistake, Span};

/// The largest file that is read whole, in bytes.
pub const SIZE_LIMIT: u64 = 1 << 20;

/// The text of a file and the name under which it is spoken of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The path as the user gave it.
    pub name: String,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// Reads a file: at most [`SIZE_LIMIT`] bytes of UTF-8 text. Anything else is a mistake that stands
    /// nowhere, to be rendered with [`Source::named`].
    pub fn read(path: &Path) -> Result<Source, Mistake> {
        let unreadable = |error: std::io::Error| {
            let mistake = Mistake::new(Span::default(), format!("cannot read the file: {}", cause(&error)));
            match error.kind() {
                std::io::ErrorKind::NotFound => mistake.hint("check the path"),
                _ => mistake,
            }
        };
        let mut bytes = Vec::new();
        if path.is_dir() {
            return Err(Mistake::new(Span::default(), "cannot read the file: is a directory"));
        }
        let file = File::open(path).map_err(unreadable)?;
        file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        Source::from_bytes(path.display().to_string(), bytes)
    }

    /// What was read from elsewhere than a file, under the same rules.
    pub fn from_bytes(name: String, bytes: Vec<u8>) -> Result<Source, Mistake> {
        if bytes.len() as u64 > SIZE_LIMIT {
            let message = format!("the file is larger than {} KiB, the most that is read", SIZE_LIMIT / 1024);
            return Err(Mistake::new(Span::default(), message));
        }
        if bytes.contains(&0) {
            return Err(Mistake::new(Span::default(), "the file is binary, not text"));
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Source { name, text }),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let bytes = error.as_bytes();
                let line = bytes[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
                let message =
                    format!("line {line} is not UTF-8 text (it holds the byte 0x{:02x})", bytes[at]);
                Err(Mistake::new(Span::default(), message).hint("save the file as UTF-8"))
            }
        }
    }

    /// A source without text, for a mistake about a file that could not be read.
    pub fn named(path: &Path) -> Source {
        Source { name: path.display().to_string(), text: String::new() }
    }
}

/// The operating system's words in our style: `No such file or directory (os error 2)` without the number.
pub(crate) fn cause(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_told_in_words() {
        let mistake = Source::read(Path::new("no/such/file.yaml")).unwrap_err();
        let missing = if cfg!(unix) { "no such file or directory" } else { "path not found." };
        assert_eq!(mistake.message, format!("cannot read the file: {missing}"));
    }

    #[test]
    fn a_folder_is_not_a_file() {
        let mistake = Source::read(Path::new(".")).unwrap_err();
        assert_eq!(mistake.message, "cannot read the file: is a directory");
    }

    #[test]
    fn what_is_too_large_is_not_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(100 << 20).unwrap();
        let mistake = Source::read(file.path()).unwrap_err();
        assert_eq!(mistake.message, "the file is larger than 1024 KiB, the most that is read");
    }

    #[test]
    fn binary_junk_is_not_shown() {
        let mistake = Source::from_bytes("x".into(), b"\x7fELF\x00\x01\xff".to_vec()).unwrap_err();
        assert_eq!(mistake.message, "the file is binary, not text");
    }

    #[test]
    fn text_that_is_not_utf_8_is_told_its_line() {
        let mistake = Source::from_bytes("x".into(), b"a: 1\nb: \xff\n".to_vec()).unwrap_err();
        assert_eq!(mistake.message, "line 2 is not UTF-8 text (it holds the byte 0xff)");
    }
}
