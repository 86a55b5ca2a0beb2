//! What lets somebody in: it becomes a variable, and never stands in a scenario.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::keys::BYTES;
use super::recorded::Recorded;
use crate::importer::draft::Part;
use crate::scenario::BLANK;
use crate::secrets::{is_secret_header, is_telling, lets_in, says_secret};

/// Which values are hidden, and the variables in their places.
#[derive(Debug, Default)]
pub(super) struct Hidden {
    credentials: Vec<String>,
    /// The variables by their values.
    names: BTreeMap<String, String>,
}

impl Hidden {
    pub(super) fn of(recorded: &Recorded) -> Hidden {
        Hidden { credentials: recorded.hidden.clone(), names: BTreeMap::new() }
    }

    /// A value as it may stand in a scenario. `key` is the name that it has.
    pub(super) fn value(&mut self, key: &str, value: &Json) -> Json {
        match value {
            Json::String(text) => self.text(key, text).into(),
            Json::Array(items) => items.iter().map(|item| self.value(key, item)).collect(),
            Json::Object(map) if map.contains_key(BYTES) => json!({ BYTES: map[BYTES] }),
            Json::Object(map) => {
                let entries = map.iter().map(|(name, value)| {
                    let written = if name.starts_with('$') { format!("${name}") } else { name.clone() };
                    (written, self.value(name, value))
                });
                Json::Object(entries.collect())
            }
            Json::Number(_) if is_telling(key) => self.text(key, &value.to_string()).into(),
            other => other.clone(),
        }
    }

    /// A text as it may stand in a scenario.
    pub(super) fn text(&mut self, key: &str, text: &str) -> String {
        match self.names.contains_key(text) || self.hides(key, text) {
            true => format!("${{{}}}", self.variable(key, text)),
            false => text.replace("${", "$${"),
        }
    }

    /// Whether a text may let somebody in.
    pub(super) fn hides(&self, key: &str, text: &str) -> bool {
        let is_known = || self.credentials.iter().any(|known| text.contains(known.as_str()));
        let is_named = || is_telling(key) || lets_in(key) || is_secret_header(key);
        !text.is_empty()
            && (is_named() || is_known() || is_of_header(text) || looks_random(text) || says_secret(text))
    }

    /// The variable in the place of a text.
    pub(super) fn variable(&mut self, key: &str, text: &str) -> String {
        if let Some(name) = self.names.get(text) {
            return name.clone();
        }
        let word: String = key.chars().filter(char::is_ascii_alphanumeric).take(30).collect();
        let base = match word.starts_with(|c: char| c.is_ascii_alphabetic()) {
            true => format!("my_{word}"),
            false => "my_secret".to_owned(),
        };
        let is_taken = |name: &String| self.names.values().any(|other| other == name);
        let mut name = base.clone();
        let mut number = 2;
        while is_taken(&name) {
            name = format!("{base}_{number}");
            number += 1;
        }
        self.names.insert(text.to_owned(), name.clone());
        name
    }

    /// The variables.
    pub(super) fn vars(&self) -> Vec<Part> {
        let part = |name: &String| Part {
            name: name.clone(),
            value: BLANK.into(),
            line: 0,
            comment: Some(format!(
                "hidden: it may let somebody in. Fill it in, or write \"${{env.{}}}\"",
                name.trim_start_matches("my_").to_uppercase()
            )),
        };
        self.names.values().map(part).collect()
    }
}

/// Whether a text is what the header `Authorization` says: some applications have it in an event.
fn is_of_header(text: &str) -> bool {
    without_scheme(text) != text
}

/// What stands behind the word with which the header `Authorization` brings a token.
pub(super) fn without_scheme(text: &str) -> &str {
    let token = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    token.map(|(_, token)| token).filter(|token| !token.is_empty() && !token.contains(' ')).unwrap_or(text)
}

/// Whether a text looks like a token: long, of one word, letters and digits mixed.
pub(super) fn looks_random(text: &str) -> bool {
    let is_of_token =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '/' | '=' | '~');
    let has = |kind: fn(char) -> bool| text.chars().any(kind);
    text.len() >= 20
        && text.chars().all(is_of_token)
        && has(|c| c.is_ascii_digit())
        && has(|c| c.is_ascii_alphabetic())
        && text.chars().filter(char::is_ascii_digit).count() >= 3
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_lets_somebody_in_becomes_a_variable_and_the_same_one_each_time() {
        let mut hidden = Hidden { credentials: vec!["letmein-7".into()], ..Hidden::default() };
        let sent = json!({ "token": "abc", "note": "with letmein-7", "room": "lobby", "pin": ["eyJhbGciOiJIUzI1NiJ9.e30.x1"] });
        let written = hidden.value("", &sent);
        let text = written.to_string();
        for secret in ["abc", "letmein-7", "eyJ"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert_eq!(written["room"], "lobby");
        assert_eq!(hidden.value("", &json!("abc")), written["token"]);
        assert_eq!(hidden.vars().len(), 3);
    }

    #[test]
    fn what_is_a_header_that_lets_somebody_in_is_hidden_in_an_event_too() {
        let mut hidden = Hidden::default();
        let sent = json!({ "channel": "private-orders.1", "auth": { "headers": { "Authorization": "Bearer user-1", "X-Api-Key": "k7" } } });
        let text = hidden.value("", &sent).to_string();
        assert!(
            !text.contains("user-1") && !text.contains("k7") && text.contains("private-orders.1"),
            "{text}"
        );
        assert_eq!(hidden.value("note", &json!("bearer abc")), json!("${my_note}"));
        for words in ["Bearer", "basic training", "the bearer of news"] {
            assert_eq!(hidden.value("text", &json!(words)), json!(words));
        }
    }

    #[test]
    fn a_text_in_which_a_secret_stands_by_its_name_is_hidden_as_a_whole() {
        let hidden = Hidden::default();
        for text in [
            r#"mutation { login(user: "ann", password: "hunter2") { token } }"#,
            r#"{"user":"ann","apiKey":"k7"}"#,
            r#"{\"token\":\"k7\"}"#,
        ] {
            assert!(hidden.hides("query", text), "{text}");
        }
        for text in
            ["mutation M($password: String!) { login(password: $password) { token } }", "my password: none"]
        {
            assert!(!hidden.hides("query", text), "{text}");
        }
    }

    #[test]
    fn words_and_sentences_are_no_tokens() {
        for text in ["hello to all of you, 123", "conversation:updated", "2024-01-01T00:00:00", "lobby-1"] {
            assert!(!looks_random(text) || text.starts_with("2024"), "{text}");
        }
    }
}
