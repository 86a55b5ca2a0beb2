//! Names of parts of the server that may be those of common variables: `service: { restart: "${broker}" }`, so that the command
//! line can give another: `--set broker=redis`.

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

    /// The name that stands there.
    pub(super) fn name(&self, node: &Node, what: &str, scope: &mut Scope) -> Result<String, Mistake> {
        if !node.text()?.contains("${") {
            return node.word().map(str::to_owned);
        }
        scope.with_early(self.0.clone(), |scope| {
            template::constant(node, what, scope).and_then(|name| name.word().map(str::to_owned))
        })
    }
}
