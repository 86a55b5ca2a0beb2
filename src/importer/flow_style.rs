//! Values as YAML writes them in one line: `{ event: join, args: ["lobby 1"] }`.

use serde_json::Value as Json;

/// Words that some reader of YAML takes for something else than text.
const NO_TEXT: [&str; 12] =
    ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf", "infinity"];

/// The value in one line.
pub(super) fn flow(value: &Json) -> String {
    match value {
        Json::String(word) => text(word),
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Json::Object(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{}: {}", text(key), flow(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => value.to_string(),
    }
}

/// A text, in quotes where it needs them.
pub(super) fn text(word: &str) -> String {
    let is_plain =
        (is_word(word) || is_quantity(word)) && !NO_TEXT.contains(&word.to_ascii_lowercase().as_str());
    match is_plain {
        true => word.to_owned(),
        false => quoted(word),
    }
}

/// Words with one blank between them, or a path; also the key of a matcher.
fn is_word(word: &str) -> bool {
    let rest = word.strip_prefix(['$', '/']).unwrap_or(word);
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '.' | ' ');
    rest.starts_with(|c: char| c.is_ascii_alphabetic())
        && rest.chars().all(is_bare)
        && !rest.ends_with(' ')
        && !rest.contains("  ")
}

/// A number with a unit behind it: `0.5s`, `20/s`.
fn is_quantity(word: &str) -> bool {
    let unit = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = &word[..word.len() - unit.len()];
    ["ms", "s", "/s"].contains(&unit) && number.starts_with(|c: char| c.is_ascii_digit())
}

/// In double quotes, with every character escaped that does not show.
fn quoted(word: &str) -> String {
    let mut out = String::with_capacity(word.len() + 2);
    out.push('"');
    for c in word.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::document::{Source, parse};

    fn read(line: &str) -> Json {
        let source = Source { name: "t".into(), text: format!("it: {line}\n") };
        parse(&source).expect("it is YAML").to_json()["it"].clone()
    }

    #[test]
    fn words_stand_without_quotes_and_everything_else_in_them() {
        let value = json!({ "event": "join", "args": ["lobby 1", 5, null, "yes", "Null", "5", "", "5s", "a: b"], "$x y": {} });
        let line = flow(&value);
        assert_eq!(
            line,
            r#"{ event: join, args: [lobby 1, 5, null, "yes", "Null", "5", "", 5s, "a: b"], $x y: {} }"#
        );
        assert_eq!(read(&line), value);
    }

    proptest! {
        #[test]
        fn every_text_is_read_as_it_was(word in any::<String>()) {
            prop_assert_eq!(read(&text(&word)), Json::from(word));
        }
    }
}
