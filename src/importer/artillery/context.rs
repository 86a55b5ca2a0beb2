//! A flow that is being converted: what is known at the place that is reached, and what its steps have in common.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::left_out;
use super::names::{Locals, Names};
use super::path::{self, Step};
use crate::document::{Node, Value};
use crate::importer::Note;

/// What a scenario of the script says beside its flow, and what `config` says about it.
pub(super) struct Setting<'s> {
    pub(super) engine: String,
    /// The namespace that the target names: empty for the main one.
    pub(super) namespace: String,
    /// How long a response may take, in seconds.
    pub(super) timeout: Option<f64>,
    /// The target.
    pub(super) origin: Option<String>,
    /// The options of the client, the stronger ones last.
    pub(super) options: Vec<Node>,
    /// Headers of every HTTP request.
    pub(super) headers: Vec<Node>,
    pub(super) node: &'s Node,
}

/// A flow that is being converted.
pub(super) struct Flow<'f, 's> {
    pub(super) setting: Setting<'s>,
    pub(super) names: &'f mut Names,
    pub(super) notes: &'f mut Vec<Note>,
    /// Whether some step awaits an acknowledgement, and whether one awaits a response.
    pub(super) answers: &'f mut (bool, bool),
    pub(super) locals: Locals,
    /// The namespaces that are connected at this point.
    pub(super) connected: BTreeSet<String>,
}

impl<'f, 's> Flow<'f, 's> {
    pub(super) fn new(
        setting: Setting<'s>,
        names: &'f mut Names,
        notes: &'f mut Vec<Note>,
        answers: &'f mut (bool, bool),
    ) -> Flow<'f, 's> {
        Flow { setting, names, notes, answers, locals: Locals::default(), connected: BTreeSet::new() }
    }

    /// Names that the flow has kept.
    pub(super) fn captured(&self) -> BTreeSet<String> {
        self.locals.captured.clone()
    }

    /// Whether a step names a column of the payload.
    pub(super) fn uses_rows(&self) -> bool {
        self.locals.has_rows
    }

    /// Parameters as a map, however they are written.
    pub(super) fn query(&mut self, node: &Node) -> Json {
        let Value::Text(text) = &node.value else { return texts(self.data(node)) };
        let pairs = text.trim_start_matches('?').split('&').filter_map(|pair| pair.split_once('='));
        let pairs: Vec<(String, String)> = pairs
            .map(|(name, value)| {
                (name.to_owned(), self.names.text(value, node.span.line, &mut self.locals, self.notes))
            })
            .collect();
        Json::Object(pairs.into_iter().map(|(name, value)| (name, value.into())).collect())
    }

    /// Data with its expressions.
    pub(super) fn data(&mut self, node: &Node) -> Json {
        self.names.data(node, &mut self.locals, self.notes)
    }

    /// The steps behind a name in an expression. None, and a note, where no expression can spell them.
    pub(super) fn spelt(&mut self, steps: &[Step], line: u32) -> Option<String> {
        let spelt = path::spelt(steps);
        if spelt.is_none() {
            left_out(self.notes, line, "a path with a key that no expression can spell");
        }
        spelt
    }

    /// The namespace of a step as a scenario names it.
    pub(super) fn namespace(&mut self, name: &str, line: u32) -> String {
        let name = self.names.text(name.trim_start_matches('/'), line, &mut self.locals, self.notes);
        match (self.setting.namespace.as_str(), name.as_str()) {
            ("", name) => format!("/{name}"),
            (base, "") => format!("/{base}"),
            (base, name) => format!("/{base}/{name}"),
        }
    }
}

/// The same with every value as text, as headers and parameters are.
pub(super) fn texts(value: Json) -> Json {
    match value {
        Json::Object(map) => Json::Object(
            map.into_iter()
                .map(|(key, value)| match value {
                    Json::String(_) => (key, value),
                    other => (key, other.to_string().into()),
                })
                .collect(),
        ),
        other => other,
    }
}
