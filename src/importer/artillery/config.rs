//! What `config` says, with one of its environments laid over it.

use super::load::plain;
use super::{changed, entries, get, left_out};
use crate::document::{Node, Value};
use crate::importer::Note;

/// Keys of `config` that are understood elsewhere, or that say nothing about what clients do.
const KNOWN: [&str; 10] = [
    "target",
    "phases",
    "variables",
    "payload",
    "socketio",
    "engines",
    "timeout",
    "environments",
    "ensure",
    "mode",
];

/// See the module's head.
pub(super) struct Config<'n> {
    /// Which node says what, by its key.
    parts: Vec<(&'n str, &'n Node, u32)>,
}

/// `config` with the environment of that name laid over it as Artillery does: maps key by key, lists item by item.
pub(super) fn chosen<'n>(
    config: Option<&'n Node>,
    environment: Option<&str>,
    notes: &mut Vec<Note>,
) -> Result<Option<Node>, (Option<&'n Node>, String)> {
    let environments = config.and_then(|node| get(node, "environments"));
    let known: Vec<&str> = environments.into_iter().flat_map(entries).map(|(name, ..)| name).collect();
    let (Some(whole), Some(name)) = (config, environment) else {
        return match environment {
            Some(name) => Err((None, format!("the script has no environment `{name}`: it has none"))),
            None => {
                if !known.is_empty() {
                    let line = environments.map_or(0, |node| node.span.line);
                    let known = known.join(", ");
                    changed(
                        notes,
                        line,
                        format!("no environment is used; --environment takes one of: {known}"),
                    );
                }
                Ok(config.cloned())
            }
        };
    };
    match environments.and_then(|node| get(node, name)) {
        Some(over) => Ok(Some(laid_over(whole, over))),
        None => {
            let known = match known.is_empty() {
                true => "it has none".to_owned(),
                false => format!("it has {}", known.join(", ")),
            };
            Err((environments, format!("the script has no environment `{name}`: {known}")))
        }
    }
}

fn laid_over(under: &Node, over: &Node) -> Node {
    let value = match (&under.value, &over.value) {
        (Value::Map(under), Value::Map(over)) => {
            let mut all = under.clone();
            for (key, value) in over {
                match all.iter_mut().find(|(known, _)| known.text == key.text) {
                    Some((_, there)) => *there = laid_over(there, value),
                    None => all.push((key.clone(), value.clone())),
                }
            }
            Value::Map(all)
        }
        (Value::List(under), Value::List(over)) => {
            let mut all = under.clone();
            for (index, value) in over.iter().enumerate() {
                match all.get_mut(index) {
                    Some(there) => *there = laid_over(there, value),
                    None => all.push(value.clone()),
                }
            }
            Value::List(all)
        }
        _ => return over.clone(),
    };
    Node { span: over.span, value }
}

impl<'n> Config<'n> {
    pub(super) fn of(config: Option<&'n Node>) -> Config<'n> {
        Config { parts: config.map(|node| entries(node).collect()).unwrap_or_default() }
    }

    /// What of it has no counterpart.
    pub(super) fn tell(&self, notes: &mut Vec<Note>) {
        for (key, node, line) in &self.parts {
            match *key {
                "tls" => entries(node).for_each(|(key, node, line)| tls(key, node, line, notes)),
                "http" | "defaults" => {
                    for (key, _, line) in entries(node) {
                        // Headers that stand in the defaults of `http` are read, too.
                        if key != "headers" && key != "defaults" {
                            left_out(notes, line, format!("`{key}`, a default of HTTP requests or pauses"));
                        }
                    }
                }
                "target" if node.text().is_ok_and(|target| target.contains("{{")) => {
                    changed(notes, *line, "`target`, which only a run knows: give the address by --url");
                }
                "plugins" => {
                    for (key, _, line) in get(node, "expect").into_iter().flat_map(entries) {
                        left_out(notes, line, format!("`{key}` of the plugin `expect`"));
                    }
                    for (name, _, line) in
                        entries(node).filter(|(name, ..)| !["ensure", "expect"].contains(name))
                    {
                        left_out(notes, line, format!("the plugin `{name}`"));
                    }
                }
                "processor" => left_out(notes, *line, "`processor`: code of the script"),
                key if !KNOWN.contains(&key) => left_out(notes, *line, format!("`config.{key}`")),
                _ => {}
            }
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<&'n Node> {
        self.parts.iter().find(|(key, ..)| *key == name).map(|(_, node, _)| *node)
    }

    /// The text of `target`.
    pub(super) fn target(&self) -> Option<&'n str> {
        self.get("target").and_then(|node| node.text().ok())
    }

    /// The namespace that is a part of the target: `http://host/admin`.
    pub(super) fn namespace(&self) -> String {
        let path = self
            .target()
            .and_then(|target| target.split_once("://"))
            .and_then(|(_, rest)| rest.split_once('/'));
        let path = path.map_or("", |(_, path)| path.split(['?', '#', '{']).next().unwrap_or_default());
        path.trim_end_matches('/').to_owned()
    }

    /// How long Artillery waits for a response, in seconds, where the script says so.
    pub(super) fn timeout(&self) -> Option<f64> {
        self.get("timeout").and_then(plain).filter(|seconds| *seconds > 0.0)
    }
}

/// What the flags of a run say in place of the script.
fn tls(key: &str, node: &Node, line: u32, notes: &mut Vec<Note>) {
    match (key, node.bool()) {
        ("rejectUnauthorized", Ok(false)) => {
            changed(notes, line, "`tls.rejectUnauthorized`: give --insecure to `sockrates run`");
        }
        ("rejectUnauthorized", Ok(true)) => {}
        ("ca", _) => changed(notes, line, "`tls.ca`: give --ca-file to `sockrates run`"),
        (key, _) => left_out(notes, line, format!("`tls.{key}`")),
    }
}
