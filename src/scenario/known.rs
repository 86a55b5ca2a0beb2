//! What is done to the server may name common variables, so that the command line can give others:
//! `service: { restart: "${broker}" }` with `--set broker=redis`.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::document::{Mistake, Node, Value};
use crate::template::{self, Scope};

/// The common variables that are known before there are clients: plain texts and numbers.
#[derive(Debug, Default)]
pub(super) struct Known(BTreeMap<String, Json>);

impl Known {
    /// Those of these variables.
    pub(super) fn of(vars: Option<&Node>) -> Result<Known, Mistake> {
        let entries = vars.map_or(Ok(&[][..]), Node::map)?;
        let value = |node: &Node| match &node.value {
            Value::Text(text) if text.contains("${") => Json::Null,
            Value::Text(_) | Value::Int(_) => node.to_json(),
            _ => Json::Null,
        };
        Ok(Known(entries.iter().map(|(key, node)| (key.text.clone(), value(node))).collect()))
    }

    /// The same with their values in it.
    pub(super) fn resolve(&self, node: &Node, what: &str, scope: &mut Scope) -> Result<Node, Mistake> {
        scope.with_early(self.0.clone(), |scope| template::constants(node, what, scope))
    }
}
