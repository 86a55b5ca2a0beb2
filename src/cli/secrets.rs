//! What of the command line is secret, and where all that the program prints and writes loses its secrets.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::report::file::Body;
use crate::runner::Error;
use crate::secrets::{HIDDEN, Secrets};

/// Options whose values may be secret.
const TAKE_SECRETS: [&str; 5] = ["--auth", "--header", "--query", "--url", "--proxy"];

/// The secrets of this process: everything that it prints passes them.
static OF_THIS_PROCESS: OnceLock<Secrets> = OnceLock::new();

/// The secrets of this process. Before a verb has said that they are to be shown, they are hidden.
pub(super) fn secrets() -> Secrets {
    OF_THIS_PROCESS.get_or_init(Secrets::hidden).clone()
}

/// Decides once whether they are shown.
pub(super) fn decide(show: bool) -> Secrets {
    OF_THIS_PROCESS.get_or_init(|| if show { Secrets::shown() } else { Secrets::hidden() }).clone()
}

/// A result without secrets.
///
/// # Errors
/// When they cannot be taken out: then nothing of it may be shown or written.
pub(super) fn clean<T: Body>(result: T) -> Result<T, Error> {
    let secrets = secrets();
    if secrets.are_shown() {
        return Ok(result);
    }
    let mut cleaned = without(&secrets, &result).ok_or_else(|| {
        Error::because(
            "the secrets could not be taken out of the result, so nothing of it is shown or written; use other \
             secrets for this test, or say --show-secrets",
        )
    })?;
    cleaned.set_tool_version(env!("CARGO_PKG_VERSION"));
    Ok(cleaned)
}

/// One of several results without secrets.
///
/// # Errors
/// As those of [`clean`].
pub(super) fn clean_each<T>(result: T) -> Result<T, Error>
where
    Vec<T>: Body,
{
    clean(vec![result])?
        .pop()
        .ok_or_else(|| Error::because("a result was lost while its secrets were taken out"))
}

/// The same value without secrets. None where it would be no such value any more.
fn without<T: Serialize + DeserializeOwned>(secrets: &Secrets, result: &T) -> Option<T> {
    let value = serde_json::to_value(result).ok()?;
    let read = |redact: &dyn Fn(&mut Json)| {
        let mut value = value.clone();
        redact(&mut value);
        serde_json::from_value::<T>(value).ok()
    };
    read(&|value| secrets.redact_json(value, &[])).or_else(|| {
        // A secret that is one of our own words, `failed` say: it stands there as such, and hides nothing.
        let mut words = BTreeSet::new();
        gather_words(&value, &mut words);
        words.retain(|word| secrets.redact(word) != *word);
        let is_ours = |word: &String| read(&|value| hide_word(value, word)).is_none();
        let ours: Vec<String> = words.into_iter().filter(is_ours).collect();
        read(&|value| secrets.redact_json(value, &ours))
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

/// What is wrong with a command line, without the values of options that may be secret.
pub(super) fn without_values_of_options(words: &str) -> String {
    let secrets = secrets();
    let arguments: Vec<String> = std::env::args().collect();
    for pair in arguments.windows(2) {
        if TAKE_SECRETS.contains(&pair[0].as_str()) {
            secrets.note(&pair[1]);
        }
    }
    for argument in &arguments {
        let set = argument.split_once('=').filter(|(option, _)| TAKE_SECRETS.contains(option));
        set.into_iter().for_each(|(_, value)| secrets.note(value));
    }
    secrets.without_values(words).into_owned()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::report::example::troubled;
    use crate::report::{self, RunResult};

    #[test]
    fn a_secret_that_is_one_of_our_own_words_opens_no_other() {
        let secrets = Secrets::hidden();
        secrets.note("failed");
        secrets.note("swordfish");
        let mut result = troubled();
        let failing = |check: &report::result::CheckResult| !check.failures.is_empty();
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
