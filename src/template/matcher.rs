//! Does a received value look as written? Data is compared exactly, numbers by value; `{ $any: true }`,
//! `{ $type: … }`, `{ $contains: … }`, `{ $match: … }` and binary say where less, or something else, will do.

use std::fmt;

use bytes::Bytes;
use regex::Regex;
use serde_json::Value as Json;

use super::binary::{self, Binary};
use super::expression::in_words;
use super::{Scope, Template, Values};
use crate::document::{Mistake, Node, Value};

/// The keys that mean more than data in a value to compare with.
pub(super) const KEYS: [&str; 7] = ["$any", "$type", "$contains", "$match", "$hex", "$base64", "$bytes"];

/// A value to compare with, checked and ready.
#[derive(Clone, Debug)]
pub struct Matcher {
    pattern: Pattern,
}

#[derive(Clone, Debug)]
enum Pattern {
    /// Exactly this; the template holds no pattern.
    Exactly(Template),
    Any,
    Type(Type),
    Binary(Binary),
    Match(Regex),
    /// A text that holds this one.
    Text(Template),
    /// A list that holds an item like each of these.
    Some(Vec<Pattern>),
    /// An object that holds these keys.
    With(Vec<(String, Pattern)>),
    List(Vec<Pattern>),
    Map(Vec<(String, Pattern)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Text,
    Number,
    Bool,
    List,
    Map,
    Null,
    Binary,
}

const TYPES: [(&str, Type); 7] = [
    ("string", Type::Text),
    ("number", Type::Number),
    ("boolean", Type::Bool),
    ("array", Type::List),
    ("object", Type::Map),
    ("null", Type::Null),
    ("binary", Type::Binary),
];

/// Where a received value is not as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The way into the value: `[0].user.name`; empty for the whole.
    pub path: String,
    /// What was wanted there, in words.
    pub expected: String,
    /// What was there, in words.
    pub actual: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "expected {}, got {}", self.expected, self.actual),
            path => write!(f, "at {path}: expected {}, got {}", self.expected, self.actual),
        }
    }
}

/// What was received: placeholders stand in the value, their bytes beside it.
#[derive(Clone, Copy)]
struct Received<'r> {
    attachments: &'r [Bytes],
    values: &'r dyn Values,
}

impl Matcher {
    /// Makes a value of the scenario ready to compare with.
    pub fn compile(node: &Node, scope: &mut Scope) -> Result<Matcher, Mistake> {
        Ok(Matcher { pattern: Pattern::compile(node, scope)? })
    }

    /// Compares. `attachments` are the received bytes that `{"_placeholder":true,"num":k}` in `actual` stands
    /// for; without attachments such an object is data.
    pub fn matches(&self, actual: &Json, attachments: &[Bytes], values: &dyn Values) -> Result<(), Mismatch> {
        let received = Received { attachments, values };
        self.pattern.matches(actual, received, &mut Vec::new())
    }

    /// What is wanted, in words, before anything was received.
    pub fn describe(&self) -> String {
        self.pattern.describe()
    }
}

impl Pattern {
    fn compile(node: &Node, scope: &mut Scope) -> Result<Pattern, Mistake> {
        match &node.value {
            Value::List(items) if items.iter().any(holds_pattern) => Ok(Pattern::List(all(items, scope)?)),
            Value::Map(entries) => match entries.iter().find(|(key, _)| KEYS.contains(&key.text.as_str())) {
                Some((key, value)) => {
                    binary::alone(key, entries)?;
                    match binary::check(entries)? {
                        Some(binary) => Ok(Pattern::Binary(binary)),
                        None => Pattern::special(&key.text, value, scope),
                    }
                }
                None if entries.iter().any(|(_, value)| holds_pattern(value)) => {
                    Ok(Pattern::Map(entries_of(node, scope)?))
                }
                None => {
                    let mistake = entries.iter().find(|(key, _)| stray(&key.text)).map(|(key, _)| {
                        key.mistake(format!("unknown pattern `{}`", key.text)).did_you_mean(&key.text, KEYS)
                    });
                    match mistake {
                        Some(mistake) => Err(mistake),
                        None => Template::compile(node, scope).map(Pattern::Exactly),
                    }
                }
            },
            _ => Template::compile(node, scope).map(Pattern::Exactly),
        }
    }

    fn special(key: &str, node: &Node, scope: &mut Scope) -> Result<Pattern, Mistake> {
        match key {
            "$any" => match node.bool()? {
                true => Ok(Pattern::Any),
                false => Err(node.mistake("`$any: false` would match nothing").hint("write `$any: true`")),
            },
            "$type" => {
                let word = node.text().map_err(|mistake| match node.is_null() {
                    true => mistake.hint("write `$type: \"null\"` in quotes"),
                    false => mistake,
                })?;
                let known = TYPES.iter().find(|(name, _)| *name == word);
                known.map(|(_, found)| Pattern::Type(*found)).ok_or_else(|| {
                    node.mistake(format!("unknown type `{word}`"))
                        .did_you_mean(word, TYPES.iter().map(|(name, _)| *name))
                })
            }
            "$match" => {
                let text = node.text()?;
                if text.contains("${") {
                    return Err(node.mistake("a `$match` is the same for every client: it takes no `${…}`"));
                }
                Regex::new(text).map(Pattern::Match).map_err(|error| {
                    let why = error.to_string();
                    let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
                    node.mistake(format!("the regular expression does not hold: {why}"))
                })
            }
            _ => match &node.value {
                Value::Text(_) => Template::compile_text(node, scope).map(Pattern::Text),
                Value::List(items) => Ok(Pattern::Some(all(items, scope)?)),
                Value::Map(_) => Ok(Pattern::With(entries_of(node, scope)?)),
                _ => {
                    Err(node
                        .mistake(format!("`$contains` takes text, a list or a map, not {}", node.describe())))
                }
            },
        }
    }

    fn matches(&self, actual: &Json, received: Received<'_>, path: &mut Vec<Step>) -> Result<(), Mismatch> {
        let bytes = attachment(actual, received.attachments);
        let holds = match self {
            Pattern::Any => true,
            Pattern::Exactly(template) => {
                return match template.fixed() {
                    Some(expected) => same(expected, actual, received, path),
                    None => match template.render(received.values) {
                        Ok(expected) => same(&expected, actual, received, path),
                        Err(why) => Err(mismatch(
                            path,
                            format!("a value that could not be worked out: {why}"),
                            actual,
                            received,
                        )),
                    },
                };
            }
            Pattern::Type(wanted) => *wanted == kind(actual, received.attachments),
            Pattern::Binary(Binary::Given(wanted)) => bytes == Some(wanted),
            Pattern::Binary(Binary::Generated(len)) => bytes.is_some_and(|bytes| bytes.len() == *len),
            Pattern::Match(regex) => actual.as_str().is_some_and(|text| regex.is_match(text)),
            Pattern::Text(template) => match template.render_text(received.values) {
                Ok(part) if actual.as_str().is_some_and(|text| text.contains(&part)) => true,
                Ok(part) => {
                    let expected = format!("a text that contains {part:?}");
                    return Err(mismatch(path, expected, actual, received));
                }
                Err(why) => {
                    let expected = format!("a value that could not be worked out: {why}");
                    return Err(mismatch(path, expected, actual, received));
                }
            },
            Pattern::Some(wanted) => match actual {
                Json::Array(items) => {
                    let holds = |wanted: &&Pattern| {
                        items.iter().any(|item| wanted.matches(item, received, &mut Vec::new()).is_ok())
                    };
                    match wanted.iter().find(|wanted| !holds(wanted)) {
                        None => true,
                        Some(wanted) => {
                            let expected = format!("a list that contains {}", wanted.describe());
                            return Err(mismatch(path, expected, actual, received));
                        }
                    }
                }
                _ => false,
            },
            Pattern::With(wanted) => match actual {
                Json::Object(map) if bytes.is_none() => return with(wanted, map, received, path),
                _ => false,
            },
            Pattern::List(wanted) => match actual {
                Json::Array(items) if items.len() == wanted.len() => {
                    for (index, (wanted, item)) in wanted.iter().zip(items).enumerate() {
                        deeper(path, Step::Item(index), |path| wanted.matches(item, received, path))?;
                    }
                    true
                }
                _ => false,
            },
            Pattern::Map(wanted) => match actual {
                Json::Object(map) if bytes.is_none() => {
                    no_others(map, |key| wanted.iter().any(|(known, _)| known == key), received, path)?;
                    return with(wanted, map, received, path);
                }
                _ => false,
            },
        };
        match holds {
            true => Ok(()),
            false => Err(mismatch(path, self.describe(), actual, received)),
        }
    }

    fn describe(&self) -> String {
        match self {
            Pattern::Any => "anything".to_owned(),
            Pattern::Exactly(template) => match template.fixed() {
                Some(value) => in_words(value),
                None => "a value that depends on the client".to_owned(),
            },
            Pattern::Type(Type::Null) => "null".to_owned(),
            Pattern::Type(Type::Binary) => "binary".to_owned(),
            Pattern::Type(wanted) => {
                let name = TYPES.iter().find(|(_, known)| known == wanted).map_or("", |(name, _)| name);
                let article = if name.starts_with(['a', 'o']) { "an" } else { "a" };
                format!("{article} {name}")
            }
            Pattern::Binary(Binary::Given(bytes)) => told_bytes(bytes),
            Pattern::Binary(Binary::Generated(len)) => format!("{len} bytes"),
            Pattern::Match(regex) => format!("a text that matches /{regex}/"),
            Pattern::Text(_) => "a text that contains another".to_owned(),
            Pattern::Some(_) => "a list".to_owned(),
            Pattern::With(wanted) => format!("an object with {}", keys(wanted)),
            Pattern::List(wanted) => format!("a list of {}", wanted.len()),
            Pattern::Map(wanted) => format!("an object of {}", keys(wanted)),
        }
    }
}

/// One step into a received value.
enum Step {
    Item(usize),
    Key(String),
}

fn deeper<T>(path: &mut Vec<Step>, step: Step, inside: impl FnOnce(&mut Vec<Step>) -> T) -> T {
    path.push(step);
    let result = inside(path);
    path.pop();
    result
}

fn mismatch(path: &[Step], expected: String, actual: &Json, received: Received<'_>) -> Mismatch {
    let path = path.iter().map(|step| match step {
        Step::Item(index) => format!("[{index}]"),
        Step::Key(key) if key.chars().all(|c| c.is_alphanumeric() || c == '_') => format!(".{key}"),
        Step::Key(key) => format!("[{key:?}]"),
    });
    let actual = match attachment(actual, received.attachments) {
        Some(bytes) => told_bytes(bytes),
        None => in_words(actual),
    };
    Mismatch { path: path.collect(), expected, actual }
}

fn all(items: &[Node], scope: &mut Scope) -> Result<Vec<Pattern>, Mistake> {
    items.iter().map(|item| Pattern::compile(item, scope)).collect()
}

fn entries_of(node: &Node, scope: &mut Scope) -> Result<Vec<(String, Pattern)>, Mistake> {
    let mut entries = Vec::new();
    for (key, value) in node.map()? {
        if key.text.contains("${") {
            return Err(key.mistake("a key beside a pattern takes no `${…}`"));
        }
        if stray(&key.text) {
            let mistake = key.mistake(format!("unknown pattern `{}`", key.text));
            return Err(mistake.did_you_mean(&key.text, KEYS));
        }
        entries.push((binary::unescaped(key)?, Pattern::compile(value, scope)?));
    }
    Ok(entries)
}

/// True for a `$…` key that is neither known nor escaped nor an expression.
fn stray(key: &str) -> bool {
    key.starts_with('$') && !key.starts_with("$$") && !key.starts_with("${") && !KEYS.contains(&key)
}

/// True where a value holds anything that is not plain data.
fn holds_pattern(node: &Node) -> bool {
    match &node.value {
        Value::List(items) => items.iter().any(holds_pattern),
        Value::Map(entries) => entries.iter().any(|(key, value)| {
            KEYS.contains(&key.text.as_str()) || stray(&key.text) || holds_pattern(value)
        }),
        _ => false,
    }
}

fn with(
    wanted: &[(String, Pattern)],
    map: &serde_json::Map<String, Json>,
    received: Received<'_>,
    path: &mut Vec<Step>,
) -> Result<(), Mismatch> {
    for (key, wanted) in wanted {
        deeper(path, Step::Key(key.clone()), |path| match map.get(key) {
            Some(item) => wanted.matches(item, received, path),
            None => Err(Mismatch {
                actual: "nothing".to_owned(),
                ..mismatch(path, wanted.describe(), &Json::Null, received)
            }),
        })?;
    }
    Ok(())
}

/// Exactly the same, with numbers compared by value and binary by its bytes.
fn same(
    expected: &Json,
    actual: &Json,
    received: Received<'_>,
    path: &mut Vec<Step>,
) -> Result<(), Mismatch> {
    let holds = match (expected, actual) {
        _ if attachment(actual, received.attachments).is_some() => match Binary::of(expected) {
            Some(Binary::Given(bytes)) => attachment(actual, received.attachments) == Some(&bytes),
            Some(Binary::Generated(len)) => {
                attachment(actual, received.attachments).is_some_and(|bytes| bytes.len() == len)
            }
            None => false,
        },
        (Json::Number(expected), Json::Number(actual)) => same_number(expected, actual),
        (Json::Array(expected), Json::Array(actual)) if expected.len() == actual.len() => {
            for (index, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                deeper(path, Step::Item(index), |path| same(expected, actual, received, path))?;
            }
            true
        }
        (Json::Object(expected), Json::Object(actual)) => {
            no_others(actual, |key| expected.contains_key(key), received, path)?;
            for (key, expected) in expected {
                deeper(path, Step::Key(key.clone()), |path| match actual.get(key) {
                    Some(actual) => same(expected, actual, received, path),
                    None => Err(Mismatch {
                        actual: "nothing".to_owned(),
                        ..mismatch(path, in_words(expected), &Json::Null, received)
                    }),
                })?;
            }
            true
        }
        (expected, actual) => expected == actual,
    };
    match holds {
        true => Ok(()),
        false => Err(mismatch(path, in_words(expected), actual, received)),
    }
}

fn no_others(
    actual: &serde_json::Map<String, Json>,
    known: impl Fn(&str) -> bool,
    received: Received<'_>,
    path: &mut Vec<Step>,
) -> Result<(), Mismatch> {
    match actual.iter().find(|(key, _)| !known(key)) {
        None => Ok(()),
        Some((key, value)) => deeper(path, Step::Key(key.clone()), |path| {
            Err(mismatch(path, "no such key".to_owned(), value, received))
        }),
    }
}

fn same_number(a: &serde_json::Number, b: &serde_json::Number) -> bool {
    match (a.as_i64(), b.as_i64(), a.as_u64(), b.as_u64()) {
        (Some(a), Some(b), ..) => a == b,
        (.., Some(a), Some(b)) => a == b,
        _ => a.as_f64() == b.as_f64(),
    }
}

/// The bytes that a placeholder stands for.
fn attachment<'r>(value: &Json, attachments: &'r [Bytes]) -> Option<&'r Bytes> {
    let map = value.as_object().filter(|map| map.get("_placeholder") == Some(&Json::Bool(true)))?;
    attachments.get(usize::try_from(map.get("num")?.as_u64()?).ok()?)
}

fn kind(value: &Json, attachments: &[Bytes]) -> Type {
    match value {
        _ if attachment(value, attachments).is_some() => Type::Binary,
        Json::Null => Type::Null,
        Json::Bool(_) => Type::Bool,
        Json::Number(_) => Type::Number,
        Json::String(_) => Type::Text,
        Json::Array(_) => Type::List,
        Json::Object(_) => Type::Map,
    }
}

fn told_bytes(bytes: &Bytes) -> String {
    let shown: String = bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let more = if bytes.len() > 16 { "…" } else { "" };
    match bytes.len() {
        0 => "no bytes".to_owned(),
        1 => format!("the byte {shown}"),
        len => format!("the {len} bytes {shown}{more}"),
    }
}

fn keys(wanted: &[(String, Pattern)]) -> String {
    wanted.iter().map(|(key, _)| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}
