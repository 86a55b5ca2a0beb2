//! What a scenario says that is secret: values behind telling names in its text, its rows, its overrides, and variables of
//! the environment that it asks for. And results without what is secret.

use std::sync::LazyLock;

use regex::Regex;

use super::{Bundled, Error};
use crate::document::{Node, Source, Value, parse};
use crate::report;
use crate::report::file::Body;
use crate::scenario::Scenario;
use crate::secrets::{Secrets, is_expression, is_telling, lets_in};

/// Makes what this scenario says known as secret. Gives where its clients note what they come to know.
pub(super) fn of(source: &Source, scenario: &Scenario, secrets: &Secrets) -> Secrets {
    // What a bundled scenario says is public, and no secret of the user's: `custom` is a word of ours as well.
    if Bundled::has(source) {
        note_overrides(scenario, secrets);
        return Secrets::shown();
    }
    if !secrets.are_shown() {
        note(source, scenario, secrets);
    }
    secrets.clone()
}

fn note(source: &Source, scenario: &Scenario, secrets: &Secrets) {
    if let Ok(tree) = parse(source) {
        note_node(&tree, "", false, secrets);
    }
    for rows in scenario.groups.iter().filter_map(|group| group.rows.as_ref()) {
        for (column, _) in rows.columns.iter().enumerate().filter(|(_, name)| is_telling(name)) {
            rows.rows.iter().filter_map(|row| row.get(column)).for_each(|value| secrets.note(value));
        }
    }
    note_overrides(scenario, secrets);
    static ASKED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\benv\.(\w+)").expect("the pattern is well-formed"));
    for found in ASKED.captures_iter(&source.text) {
        if is_telling(&found[1])
            && let Ok(value) = std::env::var(&found[1])
        {
            secrets.note(&value);
        }
    }
}

/// What the command line puts in the place of what the scenario says.
fn note_overrides(scenario: &Scenario, secrets: &Secrets) {
    for words in &scenario.overrides {
        if let Some((name, value)) = words.strip_prefix("--set ").and_then(|words| words.split_once('='))
            && is_telling(name)
        {
            secrets.note(value);
        }
    }
}

/// `place`: the key under which this stands. `all`: whether the key says that every text below is a secret.
fn note_node(node: &Node, place: &str, all: bool, secrets: &Secrets) {
    match &node.value {
        Value::Text(text) if is_expression(text) => {}
        Value::Text(text) if all => secrets.note(text),
        Value::Int(number) if all => secrets.note(&number.to_string()),
        Value::List(items) => items.iter().for_each(|item| note_node(item, place, all, secrets)),
        Value::Map(entries) => {
            for (key, value) in entries {
                let name = key.text.as_str();
                if let Value::Text(text) = &value.value
                    && place == "headers"
                    && !is_expression(text)
                {
                    secrets.note_header(name, text);
                }
                let is_secret = is_telling(name) || (matches!(place, "auth" | "query") && lets_in(name));
                note_node(value, name, all || is_secret, secrets);
            }
        }
        _ => {}
    }
}

/// A result without secrets.
///
/// # Errors
/// When they cannot be taken out: then nothing of it may be shown or written.
pub(crate) fn clean<T: Body>(result: T, secrets: &Secrets) -> Result<T, Error> {
    report::clean(result, secrets).ok_or_else(|| {
        Error::because(
            "the secrets could not be taken out of the result, so nothing of it is shown or written; use other \
             secrets for this test, or say --show-secrets",
        )
    })
}

/// One of several results without secrets.
///
/// # Errors
/// As those of [`clean`].
pub(super) fn clean_each<T>(result: T, secrets: &Secrets) -> Result<T, Error>
where
    Vec<T>: Body,
{
    clean(vec![result], secrets)?
        .pop()
        .ok_or_else(|| Error::because("a result was lost while its secrets were taken out"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Surroundings, read};

    #[test]
    fn what_stands_behind_a_telling_name_comes_to_be_known() {
        let text = "name: x\nvars: { password: hunter-22 }\nclients:\n  a:\n    rows: [{ token: row-token-1, name: ada-lovelace }]\n    \
                    headers: { Authorization: Bearer header-3, X-Colour: turquoise }\n    auth: { key: auth-key-4, user: ada-lovelace }\n\
                    script:\n  - a: connect\n  - a: { emit: { event: login, args: [{ apiKey: event-key-5, own: \"${password}\" }] } }\n";
        let source = Source { name: "x.yaml".to_owned(), text: text.to_owned() };
        let scenario = read(&source, &Surroundings::without_files()).expect("it is a good scenario");
        let secrets = Secrets::hidden();
        note(&source, &scenario, &secrets);
        for secret in ["hunter-22", "row-token-1", "header-3", "auth-key-4", "event-key-5"] {
            assert_eq!(secrets.without_values(&format!("x {secret} y")), "x [hidden] y");
        }
        assert!(!of(&source, &scenario, &secrets).are_shown());
        assert_eq!(secrets.without_values("turquoise ada-lovelace login"), "turquoise ada-lovelace login");
    }

    #[test]
    fn the_words_of_a_bundled_scenario_are_public_and_those_of_its_overrides_are_not() {
        let bundled = Bundled::all().into_iter().find(|one| one.id == "members-only").expect("it is bundled");
        let (source, secrets) = (bundled.source(), Secrets::hidden());
        let mut scenario = read(&source, &Surroundings::without_files()).expect("it is a good scenario");
        scenario.overrides = vec!["--set token=hunter-22".to_owned()];
        assert!(of(&source, &scenario, &secrets).are_shown());
        assert_eq!(secrets.without_values("hunter-22 ok OK"), "[hidden] ok OK");
        // Whoever only borrows the name is not believed.
        let borrowed = Source { text: format!("{} ", source.text), ..source };
        assert!(!of(&borrowed, &scenario, &secrets).are_shown());
    }
}
