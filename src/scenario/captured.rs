//! The names under which the script keeps values, as far as the contract, which stands above it, names them.

use std::collections::BTreeSet;

use crate::contract::{STANDING_WORDS, Verb};
use crate::document::{Node, Span, Value};

/// Each, where the script gives it first.
pub(super) fn names(contract: &Node, script: &Node) -> Vec<(String, Span)> {
    let mut named = BTreeSet::new();
    words(contract, &mut named);
    // What has a meaning of its own in a contract is refused where the script takes it for a name.
    let of_contract = || Verb::ALL.iter().flat_map(|verb| verb.words()).chain(&STANDING_WORDS);
    named.retain(|name| of_contract().all(|word| word != name));
    let mut found = Vec::new();
    keep(script, &mut |name, span| {
        if named.remove(name) {
            found.push((name.to_owned(), span));
        }
    });
    found
}

/// The words in the expressions of all texts.
fn words<'n>(node: &'n Node, found: &mut BTreeSet<&'n str>) {
    match &node.value {
        Value::Text(text) => {
            let expressions =
                text.split("${").skip(1).map(|rest| &rest[..rest.find('}').unwrap_or(rest.len())]);
            found.extend(expressions.flat_map(|text| text.split(|c: char| !c.is_alphanumeric() && c != '_')));
        }
        Value::List(items) => items.iter().for_each(|item| words(item, found)),
        Value::Map(entries) => entries.iter().for_each(|(_, value)| words(value, found)),
        _ => {}
    }
}

/// The names that a `capture` or a `set` gives.
fn keep<'n>(node: &'n Node, found: &mut impl FnMut(&'n str, Span)) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| keep(item, found)),
        Value::Map(entries) => {
            for (key, value) in entries {
                match (key.text.as_str(), &value.value) {
                    ("capture", Value::Text(name)) => found(name, value.span),
                    ("capture" | "set", Value::Map(kept)) => {
                        kept.iter().for_each(|(name, _)| found(&name.text, name.span));
                    }
                    _ => keep(value, found),
                }
            }
        }
        _ => {}
    }
}
