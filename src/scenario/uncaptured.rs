//! Groups that take the event in which others find the name of their room, and do not keep it: by the contract they are in no
//! such room, which is rarely meant.

use std::collections::BTreeSet;

use crate::document::{Mistake, Node, Value};

/// An `expect` of some groups.
struct Expected<'n> {
    groups: BTreeSet<&'n str>,
    event: &'n str,
    capture: Option<&'n str>,
    node: &'n Node,
}

/// A warning for each such group and room.
pub(super) fn warnings(root: &Node) -> Vec<Mistake> {
    let rooms = entry(root, "contract").and_then(|contract| entry(contract, "rooms"));
    let (Some(rooms), Some(clients), Some(script)) = (rooms, entry(root, "clients"), entry(root, "script"))
    else {
        return Vec::new();
    };
    let groups: BTreeSet<&str> =
        clients.map().unwrap_or_default().iter().map(|(key, _)| key.text.as_str()).collect();
    let mut expected = Vec::new();
    walk(script, &groups, &BTreeSet::new(), &mut expected);
    let rooms = rooms.list().unwrap_or_default().iter().filter_map(|room| match &room.value {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    });
    rooms
        .flat_map(|room| values(room).flat_map(|value| of_room(room, value, &expected)).collect::<Vec<_>>())
        .collect()
}

fn of_room(room: &str, value: &str, expected: &[Expected<'_>]) -> Vec<Mistake> {
    let keeps = |one: &&Expected<'_>| one.capture == Some(value);
    let events: BTreeSet<&str> = expected.iter().filter(keeps).map(|one| one.event).collect();
    let keepers: BTreeSet<&str> =
        expected.iter().filter(keeps).flat_map(|one| one.groups.iter().copied()).collect();
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for one in expected.iter().filter(|one| one.capture.is_none() && events.contains(one.event)) {
        for group in one.groups.difference(&keepers).filter(|group| told.insert(**group)) {
            let message =
                format!("`{group}` keep no `{value}`, so the audit takes them to be in no room `{room}`");
            found.push(Mistake::new(one.node.span, message).hint(format!(
                "add `capture: {value}`; if they are in several such rooms, say `entered` in `rooms` of the contract"
            )));
        }
    }
    found
}

fn walk<'n>(
    node: &'n Node,
    all: &BTreeSet<&'n str>,
    acting: &BTreeSet<&'n str>,
    found: &mut Vec<Expected<'n>>,
) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| walk(item, all, acting, found)),
        Value::Map(entries) => {
            for (key, value) in entries {
                if key.text == "expect" && !acting.is_empty() {
                    let text = |key| entry(value, key).and_then(|node| node.text().ok());
                    if let Some(event) = text("event") {
                        let (groups, capture) = (acting.clone(), text("capture"));
                        found.push(Expected { groups, event, capture, node: value });
                    }
                    continue;
                }
                let named: BTreeSet<&str> = key.text.split(',').map(str::trim).collect();
                match () {
                    () if named.contains("all") => walk(value, all, all, found),
                    () if named.is_subset(all) => walk(value, all, &named, found),
                    () => walk(value, all, acting, found),
                }
            }
        }
        _ => {}
    }
}

pub(super) fn entry<'n>(node: &'n Node, key: &str) -> Option<&'n Node> {
    node.map().ok()?.iter().find(|(known, _)| known.text == key).map(|(_, value)| value)
}

/// The names with which the expressions of a text begin.
fn values(text: &str) -> impl Iterator<Item = &str> {
    text.split("${").skip(1).map(|rest| {
        let rest = rest.trim_start();
        &rest[..rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Source, parse};

    fn told(agents: &str) -> Vec<String> {
        let text = format!(
            "clients: {{ agents: 2, customers: 6, strangers: 1 }}\n\
             contract: {{ rooms: [\"user:${{auth.user}}\", \"${{case.ticket}}\"] }}\n\
             script:\n\
             - customers: [ {{ expect: {{ event: assigned, capture: case }} }} ]\n\
             - agents: {{ repeat: {{ times: 3, steps: [ {{ expect: {agents} }} ] }} }}\n\
             - strangers: {{ expect: {{ event: news }} }}\n"
        );
        let root = parse(&Source { name: "a test".to_owned(), text }).unwrap();
        warnings(&root).into_iter().map(|warning| warning.message).collect()
    }

    #[test]
    fn who_takes_the_event_that_names_the_room_of_others_and_keeps_nothing_is_named() {
        let told = told("{ event: assigned }");
        assert_eq!(
            told,
            ["`agents` keep no `case`, so the audit takes them to be in no room `${case.ticket}`"]
        );
    }

    #[test]
    fn who_keeps_the_name_or_takes_other_events_is_as_it_should_be() {
        assert!(told("{ event: assigned, capture: case }").is_empty());
        assert!(told("{ event: reply }").is_empty());
    }
}
