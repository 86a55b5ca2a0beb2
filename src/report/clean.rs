//! Results without secrets: their texts are searched as values, so that what is left is still such a result.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::file::{Body, changed};
use crate::secrets::{HIDDEN, Secrets};

/// A result without secrets. None when they cannot be taken out: then nothing of it may be shown or written.
pub(crate) fn clean<T: Body>(result: T, secrets: &Secrets) -> Option<T> {
    if secrets.are_shown() {
        return Some(result);
    }
    let mut cleaned = without(secrets, &result)?;
    cleaned.set_tool_version(env!("CARGO_PKG_VERSION"));
    Some(cleaned)
}

/// The same value without secrets. None where it would be no such value any more.
fn without<T: Serialize + DeserializeOwned>(secrets: &Secrets, result: &T) -> Option<T> {
    changed(result, |value| secrets.redact_json(value, &[])).or_else(|| {
        // A secret that is one of our own words, `failed` say: it stands there as such, and hides nothing.
        let mut words = BTreeSet::new();
        changed(result, |value| gather_words(value, &mut words))?;
        words.retain(|word| secrets.redact(word) != *word);
        let is_ours = |word: &String| changed(result, |value| hide_word(value, word)).is_none();
        let ours: Vec<String> = words.into_iter().filter(is_ours).collect();
        changed(result, |value| secrets.redact_json(value, &ours))
    })
}

/// The texts that are a plain word, as the words of our own are.
fn gather_words(value: &Json, words: &mut BTreeSet<String>) {
    let is_word = |text: &str| text.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
    match value {
        Json::String(text) if is_word(text) => drop(words.insert(text.clone())),
        Json::Array(items) => items.iter().for_each(|item| gather_words(item, words)),
        Json::Object(fields) => fields.values().for_each(|field| gather_words(field, words)),
        _ => {}
    }
}

/// Hides a word wherever it is a text of its own.
fn hide_word(value: &mut Json, word: &str) {
    match value {
        Json::String(text) if text == word => HIDDEN.clone_into(text),
        Json::Array(items) => items.iter_mut().for_each(|item| hide_word(item, word)),
        Json::Object(fields) => fields.values_mut().for_each(|field| hide_word(field, word)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::report::example::troubled;
    use crate::report::result::{CheckResult, RunResult};

    #[test]
    fn a_secret_that_is_one_of_our_own_words_opens_no_other() {
        let secrets = Secrets::hidden();
        secrets.note("failed");
        secrets.note("swordfish");
        let mut result = troubled();
        let failing = |check: &CheckResult| !check.failures.is_empty();
        let place = result.checks.iter().position(failing).expect("a check has failed");
        result.checks[place].failures[0].actual = "swordfish".to_owned();
        result.checks[place].failures[0].expected = "failed".to_owned();
        let cleaned: RunResult = without(&secrets, &result).expect("it is still a result");
        assert_eq!(cleaned.verdict.status, result.verdict.status);
        assert_eq!(cleaned.checks[place].failures[0].actual, HIDDEN);
        assert!(!serde_json::to_string(&cleaned).unwrap().contains("swordfish"));
    }

    #[test]
    fn what_cannot_be_without_its_secret_is_nothing() {
        let secrets = Secrets::hidden();
        let address = Ipv4Addr::new(192, 0, 2, 17);
        assert_eq!(without(&secrets, &address), Some(address));
        secrets.note(&address.to_string());
        assert_eq!(without(&secrets, &address), None);
    }
}
