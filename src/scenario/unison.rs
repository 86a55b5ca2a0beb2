//! Rounds that all clients of a group begin at the same instant, in a scenario that searches for the highest load: what the
//! search finds is the highest burst then, which is rarely asked for.

use super::uncaptured::entry;
use crate::document::{Mistake, Node, Value};

/// A warning for each `repeat` of the kind in what is measured.
pub(super) fn warnings(root: &Node) -> Vec<Mistake> {
    let (Some(_), Some(clients), Some(script)) =
        (entry(root, "capacity"), entry(root, "clients"), entry(root, "script"))
    else {
        return Vec::new();
    };
    let groups = clients.map().unwrap_or_default();
    let many: Vec<&str> =
        groups.iter().filter(|(_, group)| are_many(group)).map(|(key, _)| key.text.as_str()).collect();
    let mut found = Vec::new();
    match measured(script) {
        Some(part) => walk(part, &many, None, &mut found),
        None => walk(script, &many, None, &mut found),
    }
    found
}

/// A group whose size is calculated, or raised by the search, has many clients.
fn are_many(group: &Node) -> bool {
    !matches!(entry(group, "count").unwrap_or(group).value, Value::Int(0..=1))
}

fn measured(node: &Node) -> Option<&Node> {
    match &node.value {
        Value::List(items) => items.iter().find_map(measured),
        Value::Map(_) => entry(node, "measure"),
        _ => None,
    }
}

fn walk(node: &Node, many: &[&str], acting: Option<&str>, found: &mut Vec<Mistake>) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| walk(item, many, acting, found)),
        Value::Map(entries) => {
            for (key, value) in entries {
                let mut named = key.text.split(',').map(str::trim);
                let here = named.find(|name| (*name == "all" && !many.is_empty()) || many.contains(name));
                match (key.text.as_str(), acting) {
                    ("repeat", Some(group)) if begins_together(value) => {
                        let whose = if group == "all" { String::new() } else { format!(" of `{group}`") };
                        let message = format!(
                            "all clients{whose} begin each round at the same instant, so a search finds the largest burst \
                             that the server bears"
                        );
                        let hint = "add `start: spread`, a `jitter` or `by: poisson`, or `start: at_once` if bursts are meant";
                        found.push(Mistake::new(key.span, message).hint(hint));
                    }
                    // What stands in it is in step as the rounds around it are.
                    ("repeat", _) => {}
                    _ => walk(value, many, here.or(acting), found),
                }
            }
        }
        _ => {}
    }
}

fn begins_together(repeat: &Node) -> bool {
    let has = |key| entry(repeat, key).is_some();
    has("every") && !["jitter", "by", "start", "bursts"].into_iter().any(has)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Source, parse};

    fn told(clients: &str, capacity: &str, script: &str) -> Vec<String> {
        let text = format!("{capacity}\nclients: {clients}\nscript: {script}");
        let root = parse(&Source { name: "t".into(), text }).expect("it is YAML");
        warnings(&root).into_iter().map(|warning| warning.message).collect()
    }

    const SEARCH: &str = "capacity: { axis: rate }";
    const MANY: &str = "{ people: { count: 50 }, boss: 1 }";

    fn of_people(pace: &str) -> usize {
        let script = format!(
            "[{{ measure: {{ script: [{{ people: {{ repeat: {{ times: 3, {pace} steps: [] }} }} }}] }} }}]"
        );
        told(MANY, SEARCH, &script).len()
    }

    #[test]
    fn a_search_whose_clients_all_act_at_the_same_instant_is_warned_of() {
        assert_eq!(of_people("every: 1s,"), 1);
        let everyone = "[{ all: [connect, { repeat: { times: 3, every: 1s, steps: [] } }] }]";
        let found = told(MANY, SEARCH, everyone);
        assert!(matches!(&found[..], [one] if one.starts_with("all clients begin")), "{found:?}");
    }

    #[test]
    fn rounds_that_are_spread_or_wait_for_the_server_or_are_meant_as_bursts_are_not_warned_of() {
        for pace in ["jitter: 100%,", "by: poisson,", "start: spread,", "start: at_once,", "bursts: {},"] {
            assert_eq!(of_people(&format!("every: 1s, {pace}")), 0, "{pace}");
        }
        assert_eq!(of_people("think: 1s,"), 0);
    }

    #[test]
    fn one_speaker_and_what_is_not_measured_and_what_is_no_search_are_not_warned_of() {
        let script = "[{ people: { repeat: { times: 3, every: 1s, steps: [] } } }, \
                       { measure: { script: [{ boss: { repeat: { times: 3, every: 1s, steps: [] } } }] } }]";
        assert_eq!(told(MANY, SEARCH, script), Vec::<String>::new());
        let script = "[{ people: { repeat: { times: 3, every: 1s, steps: [] } } }]";
        assert_eq!(told(MANY, "", script), Vec::<String>::new());
        assert_eq!(told(MANY, SEARCH, script).len(), 1);
    }
}
