//! The keys of maps that mean more than data, and those that are only written like them.

use crate::document::{Key, Mistake};

/// The keys that mean binary.
pub(super) const BINARY: [&str; 4] = ["$hex", "$base64", "$utf8", "$bytes"];

/// The keys that mean more than data in a value to compare with.
pub(super) const PATTERNS: [&str; 11] = [
    "$any",
    "$type",
    "$contains",
    "$match",
    "$json",
    "$not",
    "$one_of",
    "$hex",
    "$base64",
    "$utf8",
    "$bytes",
];

/// The key of a map of data as it is sent: `$$name` is `$name`, and an unknown `$name` is refused.
pub(super) fn unescaped(key: &Key) -> Result<String, Mistake> {
    match key.text.strip_prefix('$') {
        None => Ok(key.text.clone()),
        Some(rest) if rest.starts_with('{') || rest.starts_with("${") => Ok(key.text.clone()),
        Some(rest) if BINARY.contains(&rest) => {
            Err(key.mistake(format!("`{rest}` cannot be sent as a key: it means binary here")))
        }
        Some(rest) if rest.starts_with('$') => Ok(rest.to_owned()),
        Some(_) if PATTERNS.contains(&key.text.as_str()) => {
            Err(key.mistake(format!("`{}` compares what is received: it cannot be sent", key.text)))
        }
        Some(rest) => Err(key
            .mistake(format!("unknown `{}`: keys with `$` have a meaning of their own", key.text))
            .did_you_mean(&key.text, BINARY)
            .hint(format!("write `$${rest}` to send the key `${rest}`"))),
    }
}
