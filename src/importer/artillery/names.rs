//! `{{ … }}` into `${…}`, and the variables that stand behind it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::path::{self, doubled};
use super::payload::{Payload, Table};
use super::{Played, Variable, changed, entries, left_out};
use crate::document::{Node, Value};
use crate::importer::Note;
use crate::importer::draft::Part;
use crate::scenario::BLANK;
use crate::template::is_reserved;

/// Words that a variable cannot be called by in a scenario: functions, and what a contract speaks of.
const TAKEN: [&str; 22] = [
    "repeat", "min", "max", "number", "json", "encoded", "decoded", "room", "rooms", "event", "args", "body",
    "to", "except", "flags", "from", "timeout", "stamp", "all", "before", "after", "reply",
];

/// The longest text of digits that one random number makes.
const MOST_DIGITS: u32 = 18;

/// What the names of a script stand for.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// What `config.variables` says, and in which line.
    variables: BTreeMap<String, (Json, u32)>,
    /// The columns of the payloads: the names in the script, and what stands for them in the scenario.
    columns: BTreeMap<String, String>,
    /// Names that a client of another group sets.
    shared: BTreeMap<String, String>,
    groups: BTreeSet<String>,
    used: BTreeSet<String>,
    /// Variables of which the value itself stands in the scenario.
    resolved: BTreeSet<String>,
    /// Payloads beside the first, of which each client takes a row: the name, the rows, the line, whether by chance.
    tables: Vec<Table>,
    /// Names of which nobody knows what they stand for: in the script, in the scenario, and where they were met.
    unknown: BTreeMap<String, (String, u32)>,
    /// Lists over which loops go: their names and what they hold.
    lists: Vec<(String, Json, u32)>,
    environment: BTreeSet<String>,
    /// The environment of whoever imports.
    variable: Option<Variable>,
}

/// What is known at a place of a flow beside what the whole script knows.
#[derive(Clone, Debug, Default)]
pub(super) struct Locals {
    /// Names that steps before have kept.
    pub(super) captured: BTreeSet<String>,
    /// The loops around, the innermost last.
    pub(super) loops: Vec<Loop>,
    /// Whether rows of the payload were named.
    pub(super) has_rows: bool,
}

/// A loop around a step.
#[derive(Clone, Debug)]
pub(super) struct Loop {
    /// The name of the number of the round, and of the element, in the script.
    pub(super) value: String,
    pub(super) element: String,
    /// The list over which it goes, in the scenario.
    pub(super) list: Option<String>,
    /// The number of its first round, in the script.
    pub(super) first: u64,
    /// Whether the number and the element need names of their own.
    pub(super) names: (bool, bool),
}

impl Loop {
    fn has_element(&self, name: &str) -> bool {
        self.element == name && self.list.is_some()
    }

    /// An expression for the number of the round, in the loop itself.
    pub(super) fn round(&self) -> String {
        match self.first {
            0 => "i".to_owned(),
            first => format!("i + {first}"),
        }
    }

    /// An expression for the element, in the loop itself.
    pub(super) fn item(&self) -> String {
        format!("{}[i]", self.list.as_deref().unwrap_or_default())
    }
}

impl Names {
    pub(super) fn of(variable: Option<Variable>) -> Names {
        Names { variable, ..Names::default() }
    }

    /// Takes `config.variables`.
    pub(super) fn declare(&mut self, node: &Node, notes: &mut Vec<Note>) {
        for (name, value, line) in entries(node) {
            let value = self.data(value, &mut Locals::default(), notes);
            self.variables.insert(name.to_owned(), (value, line));
        }
    }

    /// Takes the columns of all payloads. The first one that has a name is meant.
    pub(super) fn columns(&mut self, payload: &Payload) {
        let first = payload.columns.iter().map(|(name, column)| (name, format!("row.{column}")));
        let tables = payload.tables.iter().flat_map(|table| {
            table.columns.iter().map(|(name, column)| (name, format!("{}.{column}", table.name)))
        });
        for (name, there) in first.chain(tables) {
            self.columns.entry(name.clone()).or_insert(there);
        }
        self.tables.clone_from(&payload.tables);
    }

    /// Tells which groups there will be: no variable can be called like one.
    pub(super) fn reserve(&mut self, groups: &[Played<'_>]) {
        self.groups.extend(groups.iter().map(|group| group.name.clone()));
    }

    /// Takes names that the one client of a group sets for all others.
    pub(super) fn share(&mut self, group: &str, names: BTreeSet<String>) {
        for name in names {
            let there = format!("{group}.{}", self.renamed(&name));
            self.shared.insert(name, there);
        }
    }

    /// The name of something in the scenario.
    pub(super) fn renamed(&self, name: &str) -> String {
        let word: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let word = word.trim_matches('_');
        let begins = word.starts_with(|c: char| c.is_ascii_alphabetic());
        match begins && !is_special(word) && !self.groups.contains(word) {
            true => word.to_owned(),
            false => format!("my_{word}").trim_end_matches('_').to_owned(),
        }
    }

    /// A list over which a loop goes.
    pub(super) fn list(&mut self, items: Json, line: u32) -> String {
        let name = format!("list_{}", self.lists.len() + 1);
        self.lists.push((name.clone(), items, line));
        name
    }

    /// The items of a list that a variable of the script holds, and whether the variable stands for one of them in Artillery,
    /// which gives each user an item of such a list by chance.
    pub(super) fn items(&mut self, name: &str) -> Option<(Vec<Json>, bool)> {
        let Json::Array(items) = &self.variables.get(name)?.0 else { return None };
        let (items, is_one_of) = match items.as_slice() {
            [Json::Array(inner)] => (inner.clone(), false),
            items => (items.to_vec(), true),
        };
        self.resolved.insert(name.to_owned());
        Some((items, is_one_of))
    }

    /// The same node, or the number or text that a variable of the script or of the environment stands for, where the node names one.
    pub(super) fn constant<'n>(&mut self, node: &'n Node) -> Cow<'n, Node> {
        if let Some(value) = of_environment(node).and_then(|name| self.variable?(name)) {
            return Cow::Owned(Node { span: node.span, value: Value::Text(value) });
        }
        let known = alone(node).and_then(|name| Some((name, &self.variables.get(name)?.0)));
        let (name, value) = match known {
            Some((name, Json::Number(number))) => match number.as_f64() {
                Some(number) => (name, Value::Float(number)),
                None => return Cow::Borrowed(node),
            },
            // A text with expressions of its own is another one for each client.
            Some((name, Json::String(text))) if !text.contains("${") => (name, Value::Text(text.clone())),
            _ => return Cow::Borrowed(node),
        };
        self.resolved.insert(name.to_owned());
        Cow::Owned(Node { span: node.span, value })
    }

    /// Data that is sent or compared, with its expressions.
    pub(super) fn data(&mut self, node: &Node, locals: &mut Locals, notes: &mut Vec<Note>) -> Json {
        match &node.value {
            Value::Text(text) => Json::from(self.text(text, node.span.line, locals, notes)),
            Value::List(items) => items.iter().map(|item| self.data(item, locals, notes)).collect(),
            Value::Map(entries) => {
                let mut map = serde_json::Map::new();
                for (key, value) in entries {
                    map.insert(doubled(&key.text), self.data(value, locals, notes));
                }
                Json::Object(map)
            }
            _ => node.to_json(),
        }
    }

    /// A text with its expressions.
    pub(super) fn text(
        &mut self,
        text: &str,
        line: u32,
        locals: &mut Locals,
        notes: &mut Vec<Note>,
    ) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            out.push_str(&literal(before));
            // Three braces mean the same in a text that is no HTML.
            let (after, end) = match after.strip_prefix('{') {
                Some(inner) if inner.find("}}") == inner.find("}}}") => (inner, "}}}"),
                Some(inner) => {
                    out.push('{');
                    rest = &rest[before.len() + 1..];
                    debug_assert!(rest.ends_with(inner));
                    continue;
                }
                None => (after, "}}"),
            };
            let Some((inner, behind)) = after.split_once(end) else {
                out.push_str(&literal(&rest[before.len()..]));
                return out;
            };
            out.push_str(&self.expression(inner.trim(), line, locals, notes));
            rest = behind;
        }
        out.push_str(&literal(rest));
        out
    }

    /// What stands between the braces, as `${…}`.
    fn expression(&mut self, inner: &str, line: u32, locals: &mut Locals, notes: &mut Vec<Note>) -> String {
        if let Some((function, arguments)) = call(inner)
            && let Some(text) = generated(function, &arguments, line, notes)
        {
            return text;
        }
        let end = inner.find(['.', '[']).unwrap_or(inner.len());
        let (name, steps) = inner.split_at(end);
        let steps = path::read(&format!("${steps}")).and_then(|steps| path::spelt(&steps));
        if let Some(steps) = steps
            && let Some(value) = self.value(name, &steps, locals)
        {
            return format!("${{{value}}}");
        }
        format!("${{{}}}", self.unknown(inner, line, notes))
    }

    /// An expression for a name that is known, with steps into it.
    fn value(&mut self, name: &str, steps: &str, locals: &mut Locals) -> Option<String> {
        if ["$processEnvironment", "$env", "$environment"].contains(&name) && !steps.is_empty() {
            let variable = steps.trim_start_matches('.');
            if variable.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                self.environment.insert(variable.to_owned());
                return Some(format!("env.{variable}"));
            }
        }
        if name == "$testId" {
            return Some("run".to_owned());
        }
        let depth = locals.loops.len();
        let mut of_loops = locals.loops.iter_mut().enumerate().rev();
        if let Some((index, known)) =
            of_loops.find(|(_, known)| known.value == name || known.has_element(name))
        {
            let is_innermost = index + 1 == depth;
            let is_value = known.value == name;
            if is_innermost && name.starts_with('$') {
                return Some(if is_value { known.round() } else { format!("{}{steps}", known.item()) });
            }
            // Here `i` is the round of another loop, or the script has a name for it.
            let slot = if is_value { &mut known.names.0 } else { &mut known.names.1 };
            *slot = true;
            return Some(format!("{}{steps}", self.renamed(name)));
        }
        if locals.captured.contains(name) {
            return Some(format!("{}{steps}", self.renamed(name)));
        }
        if let Some(there) = self.columns.get(name) {
            locals.has_rows |= there.starts_with("row.");
            if let Some(table) =
                self.tables.iter_mut().find(|table| there.split('.').next() == Some(&table.name))
            {
                table.is_used = true;
            }
            return Some(format!("{there}{steps}"));
        }
        if self.variables.contains_key(name) {
            self.used.insert(name.to_owned());
            return Some(format!("{}{steps}", self.renamed(name)));
        }
        self.shared.get(name).map(|there| format!("{there}{steps}"))
    }

    /// A variable for something that nobody knows, to be filled in by hand.
    fn unknown(&mut self, inner: &str, line: u32, notes: &mut Vec<Note>) -> String {
        if let Some((name, _)) = self.unknown.get(inner) {
            return name.clone();
        }
        let base: String = self.renamed(inner).chars().take(30).collect();
        let is_taken = |name: &str| {
            self.unknown.values().any(|(known, _)| known == name)
                || self.variables.keys().any(|known| self.renamed(known) == name)
        };
        let mut name = base.clone();
        let mut number = 2;
        while is_taken(&name) {
            name = format!("{base}_{number}");
            number += 1;
        }
        left_out(
            notes,
            line,
            format!("`{{{{ {inner} }}}}`: nothing here says its value; fill in `{name}` under `vars`"),
        );
        self.unknown.insert(inner.to_owned(), (name.clone(), line));
        name
    }

    /// The variables of the scenario.
    pub(super) fn vars(&self, notes: &mut Vec<Note>) -> Vec<Part> {
        let part = |name: String, value, line, comment: Option<&str>| Part {
            name,
            value,
            line,
            comment: comment.map(str::to_owned),
        };
        let mut parts = Vec::new();
        for (name, (value, line)) in &self.variables {
            let there = self.renamed(name);
            if !self.used.contains(name) {
                if self.resolved.contains(name) {
                    continue;
                }
                changed(
                    notes,
                    *line,
                    format!("the variable `{name}` is used nowhere and is not in the scenario"),
                );
                continue;
            }
            match value {
                Json::Array(items) if items.len() > 1 => {
                    let list = format!("{there}_choices");
                    parts.push(part(list.clone(), value.clone(), *line, None));
                    parts.push(part(
                        there,
                        json!(format!("${{pick({list})}}")),
                        *line,
                        Some("one for each client"),
                    ));
                }
                Json::Array(items) if items.len() == 1 => {
                    parts.push(part(there, items[0].clone(), *line, None))
                }
                value => parts.push(part(there, value.clone(), *line, None)),
            }
        }
        for table in self.tables.iter().filter(|table| table.is_used) {
            let rows = format!("{}_rows", table.name);
            let count = table.rows.len();
            let (one, comment) = match table.by_chance {
                true => (format!("${{pick({rows})}}"), "one row for each client"),
                false => (format!("${{{rows}[index % {count}]}}"), "row after row, one for each client"),
            };
            parts.push(part(rows, table.rows.clone().into(), table.line, None));
            parts.push(part(table.name.clone(), one.into(), table.line, Some(comment)));
        }
        for (name, items, line) in &self.lists {
            parts.push(part(name.clone(), items.clone(), *line, None));
        }
        for (inner, (name, line)) in &self.unknown {
            let comment = format!("fill in: stands for {inner} in the script");
            parts.push(part(name.clone(), BLANK.into(), *line, Some(&comment)));
        }
        parts
    }

    pub(super) fn environment(&self) -> Vec<String> {
        self.environment.iter().cloned().collect()
    }
}

/// True for a word that no variable and no group can be called by.
pub(super) fn is_special(word: &str) -> bool {
    is_reserved(word) || TAKEN.contains(&word)
}

/// The name in a text that is nothing but `{{ name }}`.
pub(super) fn alone(node: &Node) -> Option<&str> {
    let Value::Text(text) = &node.value else { return None };
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let inner = inner.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(inner).trim();
    (!inner.contains(['{', '}'])).then_some(inner)
}

/// The variable of the environment that a text names and nothing else.
pub(super) fn of_environment(node: &Node) -> Option<&str> {
    let (object, variable) = alone(node)?.split_once('.')?;
    ["$processEnvironment", "$env"].contains(&object).then_some(variable)
}

/// Text that stays as it is: `${` means nothing to Artillery.
pub(super) fn literal(text: &str) -> String {
    text.replace("${", "$${")
}

/// A call of a function of Artillery: its name, and its arguments.
fn call(inner: &str) -> Option<(&str, Vec<&str>)> {
    let (name, arguments) =
        inner.strip_suffix(')').and_then(|inner| inner.split_once('(')).unwrap_or((inner, ""));
    let name = name.trim().strip_prefix('$')?;
    let arguments: Vec<&str> = arguments.split(',').map(str::trim).filter(|one| !one.is_empty()).collect();
    Some((name, arguments))
}

/// A text that is another one each time.
fn generated(function: &str, arguments: &[&str], line: u32, notes: &mut Vec<Note>) -> Option<String> {
    let number = |index: usize| arguments.get(index).and_then(|text| text.parse::<i64>().ok());
    let clock = |notes: &mut Vec<Note>| {
        changed(notes, line, format!("`${function}` is a random number: a scenario has no clock"));
        Some("${random(1700000000000, 1900000000000)}".to_owned())
    };
    match function {
        "randomNumber" | "randomInt" => {
            let (low, high) = (number(0).unwrap_or(0), number(1).unwrap_or(1));
            let sign = |n: i64| if n < 0 { format!("0 - {}", n.unsigned_abs()) } else { n.to_string() };
            (low <= high).then(|| format!("${{random({}, {})}}", sign(low), sign(high)))
        }
        "randomString" => {
            let length =
                u32::try_from(number(0).unwrap_or(10)).ok().filter(|length| (1..=200).contains(length))?;
            changed(notes, line, "`$randomString` is random digits here");
            Some(digits(length))
        }
        "uuid" | "uuidv4" | "randomUUID" | "randomUuid" => {
            changed(notes, line, format!("`${function}` is a text that no other client has, not a UUID"));
            Some(format!("${{run}}-${{index}}-{}", digits(12)))
        }
        "timestamp" | "now" => clock(notes),
        _ => None,
    }
}

/// So many random digits.
fn digits(length: u32) -> String {
    let mut left = length;
    let mut out = String::new();
    while left > 0 {
        let some = left.min(MOST_DIGITS);
        out.push_str(&format!("${{random({}, {})}}", 10_i64.pow(some - 1), 10_i64.pow(some) - 1));
        left -= some;
    }
    out
}
