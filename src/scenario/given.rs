//! A contract from outside of a scenario, with what it needs of the scenario in which it stands: variables, and rows of data.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::rows::{Files, Rows};
use crate::document::{Key, Mistake, Node, Span, Value};
use crate::template::{Scope, Template};

/// The word for the values of a client's row.
const ROW: &str = "row";

/// See the module's head.
#[derive(Clone, Debug)]
pub struct GivenContract {
    node: Arc<Node>,
    /// The variables that it uses, and those that these use, in the order in which they are worked out.
    vars: Arc<[(Key, Node)]>,
    /// The rows, if it uses some.
    rows: Option<Rows>,
    /// What clients send with `CONNECT` to these namespaces.
    credentials: Arc<[(String, Node)]>,
}

impl GivenContract {
    /// A contract that stands alone.
    pub fn alone(node: Node) -> GivenContract {
        GivenContract { node: Arc::new(node), vars: Arc::new([]), rows: None, credentials: Arc::new([]) }
    }

    /// The same on an application whose namespaces want these credentials.
    pub fn with_credentials(self, credentials: Vec<(String, Node)>) -> GivenContract {
        GivenContract { credentials: credentials.into(), ..self }
    }

    /// What clients send with `CONNECT` to which namespace.
    pub(super) fn credentials(&self, scope: &mut Scope) -> Result<Vec<(String, Template)>, Mistake> {
        let read = |(name, node): &(String, Node)| Ok((name.clone(), Template::compile(node, scope)?));
        self.credentials.iter().map(read).collect()
    }

    /// The contract of a scenario, of which these are all fields. Where groups differ in a variable or in their rows, it is
    /// the first group that has them.
    ///
    /// # Errors
    /// Where the rows cannot be read.
    pub fn of_scenario(
        node: Node,
        fields: &[(Key, Node)],
        file: &Files<'_>,
    ) -> Result<GivenContract, Mistake> {
        let field = |name: &str| fields.iter().find(|(key, _)| key.text == name).map(|(_, node)| node);
        let groups = field("clients").map_or(&[][..], entries);
        let of_groups = |name: &'static str| groups.iter().filter_map(move |(_, group)| find(group, name));
        let common = field("vars").map_or(&[][..], entries).iter();
        let mut all: Vec<&(Key, Node)> = common.collect();
        for further in of_groups("vars").flat_map(entries) {
            if all.iter().all(|(key, _)| key.text != further.0.text) {
                all.push(further);
            }
        }
        let mut used = BTreeSet::new();
        names(&node, &mut used);
        let mut vars = Vec::new();
        // A variable uses those before it.
        for entry in all.into_iter().rev().filter(|(key, _)| used.contains(&key.text)).collect::<Vec<_>>() {
            names(&entry.1, &mut used);
            vars.push(entry.clone());
        }
        vars.reverse();
        let rows = of_groups("rows").next().filter(|_| used.contains(ROW));
        let rows = rows.map(|rows| Rows::read(rows, file)).transpose()?;
        Ok(GivenContract { node: Arc::new(node), vars: vars.into(), rows, credentials: Arc::new([]) })
    }

    pub(super) fn node(&self) -> &Node {
        &self.node
    }

    /// The variables of a scenario that is played by this contract: its own, and those of the contract.
    pub(super) fn variables<'n>(
        &self,
        own: Option<Cow<'n, Node>>,
        scenario: Span,
    ) -> Result<Option<Cow<'n, Node>>, Mistake> {
        if self.vars.is_empty() {
            return Ok(own);
        }
        let mut node = match own {
            Some(own) => own.into_owned(),
            None => Node { span: scenario, value: Value::Map(Vec::new()) },
        };
        if let Value::Map(entries) = &mut node.value {
            for (key, value) in &*self.vars {
                if entries.iter().any(|(own, _)| own.text == key.text) {
                    let what = format!("the contract and this scenario both have a variable `{}`", key.text);
                    return Err(key.mistake(what).hint("call it otherwise in the scenario of the contract"));
                }
                entries.push((key.clone(), value.clone()));
            }
        }
        Ok(Some(Cow::Owned(node)))
    }

    /// The rows of a group before which there are so many clients: each client of the scenario has a row of its own, as far as
    /// there are enough.
    pub(super) fn rows(&self, before: u32) -> Option<Rows> {
        let Rows { columns, rows } = self.rows.as_ref()?;
        let mut dealt = rows.to_vec();
        dealt.rotate_left(before as usize % rows.len());
        Some(Rows { columns: columns.clone(), rows: dealt.into() })
    }
}

fn entries(node: &Node) -> &[(Key, Node)] {
    match &node.value {
        Value::Map(entries) => entries,
        _ => &[],
    }
}

fn find<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    entries(node).iter().find(|(key, _)| key.text == name).map(|(_, node)| node)
}

/// The names in the expressions of a part of a file.
fn names(node: &Node, found: &mut BTreeSet<String>) {
    match &node.value {
        Value::Text(text) => {
            let expressions = text.split("${").skip(1).filter_map(|rest| rest.split('}').next());
            expressions.for_each(|expression| names_in(expression, found));
        }
        Value::List(items) => items.iter().for_each(|item| names(item, found)),
        Value::Map(entries) => entries.iter().for_each(|(_, value)| names(value, found)),
        _ => {}
    }
}

/// The names in an expression: words that stand in no quotes and behind no dot.
fn names_in(expression: &str, found: &mut BTreeSet<String>) {
    for (place, part) in expression.split(['\'', '"']).enumerate() {
        if place % 2 == 1 {
            continue;
        }
        let mut before = ' ';
        for word in part.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_') {
            let name = word.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '_');
            if before != '.' && !name.is_empty() {
                found.insert(name.to_owned());
            }
            before = word.chars().next_back().unwrap_or(' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(expression: &str) -> Vec<String> {
        let mut found = BTreeSet::new();
        names_in(expression, &mut found);
        found.into_iter().collect()
    }

    #[test]
    fn the_names_of_an_expression_are_its_words_but_for_texts_and_fields() {
        assert_eq!(found("tenant"), ["tenant"]);
        assert_eq!(found("row.name"), ["row"]);
        assert_eq!(found("min(a, b_2[n % 3].c) + 'tenant d'"), ["3", "a", "b_2", "min", "n"]);
    }
}
