//! Does a received value look as written? Data is compared exactly, numbers by value; `{ $any: true }`,
//! `{ $type: … }`, `{ $contains: … }`, `{ $match: … }` and others say where less, or something else, will do.

use bytes::Bytes;
use regex::Regex;
use serde_json::Value as Json;

use super::binary::{self, Binary, Written};
use super::expression::in_words;
use super::key::{self, PATTERNS};
use super::likeness::Likeness;
use super::received::{Kind, Mismatch, Path, Received, Step, is_shorter, told_bytes};
use super::{Scope, Template, Values};
use crate::document::{Mistake, Node, Value};

/// The most bytes of a text that are kept under a name.
const MOST_CAPTURED: usize = 1 << 20;

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
    Kind(Kind),
    Binary(Binary),
    Match(Regex),
    /// A text that holds this one.
    Text(Template),
    /// A list that holds an item like each of these.
    Some(Vec<Pattern>),
    /// An object that holds these keys.
    With(Vec<(String, Pattern)>),
    /// A text that is JSON like this.
    Json(Box<Pattern>),
    Not(Box<Pattern>),
    /// Any one of these.
    OneOf(Vec<Pattern>),
    List(Vec<Pattern>),
    Map(Vec<(String, Pattern)>),
}

impl Matcher {
    /// Makes a value of the scenario ready to compare with.
    pub fn compile(node: &Node, scope: &mut Scope) -> Result<Matcher, Mistake> {
        let pattern = Pattern::compile(node, scope)?;
        if pattern.any(&Template::traces) {
            return Err(node
                .mistake("`traceparent` is another one each time, so nothing that arrives is equal to it")
                .hint("keep it by `set` where it is sent, and compare with that"));
        }
        Ok(Matcher { pattern })
    }

    /// Whether `${i}` stands in it, so that it is another one in each round.
    pub fn counts_rounds(&self) -> bool {
        self.pattern.any(&Template::counts_rounds)
    }

    /// Whether bytes have to stand in it.
    pub fn has_bytes(&self) -> bool {
        self.pattern.has_bytes()
    }

    /// Compares. `attachments` are the received bytes that `{"_placeholder":true,"num":k}` in `actual` stands
    /// for; without attachments such an object is data.
    pub fn matches(&self, actual: &Json, attachments: &[Bytes], values: &dyn Values) -> Result<(), Mismatch> {
        let received = Received { attachments, values, is_guess: false };
        self.pattern.matches(actual, received, &mut Path::default())
    }

    /// What is kept of a text that fits a matcher: what the first group of a regular expression holds, or all of it.
    ///
    /// # Errors
    /// In words, when it is too much.
    pub fn captured(matcher: Option<&Matcher>, text: &str) -> Result<String, String> {
        let part = match matcher.map(|matcher| &matcher.pattern) {
            Some(Pattern::Match(regex)) if regex.captures_len() > 1 => {
                regex.captures(text).and_then(|found| found.get(1)).map_or("", |group| group.as_str())
            }
            _ => text,
        };
        match part.len() {
            0..=MOST_CAPTURED => Ok(part.to_owned()),
            length => Err(format!("a text of {length} bytes, and at most {MOST_CAPTURED} are kept")),
        }
    }

    /// Whether it is a regular expression with a group.
    pub fn has_group(&self) -> bool {
        matches!(&self.pattern, Pattern::Match(regex) if regex.captures_len() > 1)
    }

    /// The same with what its names stand for now, to be compared with later.
    pub fn frozen(&self, values: &dyn Values) -> Matcher {
        Matcher { pattern: self.pattern.frozen(values) }
    }

    /// What is wanted, in words, before anything was received.
    pub fn describe(&self) -> String {
        self.pattern.describe()
    }

    /// What is wanted, in words, where the values of the client are known.
    pub fn describe_with(&self, values: &dyn Values) -> String {
        match &self.pattern {
            Pattern::Exactly(template) | Pattern::Text(template) => {
                template.render(values).map_or_else(|_| self.describe(), |value| in_words(&value))
            }
            _ => self.describe(),
        }
    }
}

impl Pattern {
    /// Whether any of its templates is like this.
    fn any(&self, like: &dyn Fn(&Template) -> bool) -> bool {
        match self {
            Pattern::Exactly(template) | Pattern::Text(template) => like(template),
            Pattern::Any | Pattern::Kind(_) | Pattern::Binary(_) | Pattern::Match(_) => false,
            Pattern::Some(all) | Pattern::OneOf(all) | Pattern::List(all) => {
                all.iter().any(|pattern| pattern.any(like))
            }
            Pattern::With(entries) | Pattern::Map(entries) => {
                entries.iter().any(|(_, pattern)| pattern.any(like))
            }
            Pattern::Json(inner) | Pattern::Not(inner) => inner.any(like),
        }
    }

    fn has_bytes(&self) -> bool {
        match self {
            Pattern::Binary(_) => true,
            Pattern::List(all) => all.iter().any(Pattern::has_bytes),
            Pattern::With(entries) | Pattern::Map(entries) => {
                entries.iter().any(|(_, pattern)| pattern.has_bytes())
            }
            _ => false,
        }
    }

    fn frozen(&self, values: &dyn Values) -> Pattern {
        // What cannot be worked out now stays as it is: it fits nothing then.
        let template = |template: &Template| match template.render(values) {
            Ok(value) => Template::from(value),
            Err(_) => template.clone(),
        };
        let all = |all: &[Pattern]| all.iter().map(|one| one.frozen(values)).collect();
        let entries = |entries: &[(String, Pattern)]| {
            entries.iter().map(|(key, pattern)| (key.clone(), pattern.frozen(values))).collect()
        };
        match self {
            Pattern::Exactly(wanted) => Pattern::Exactly(template(wanted)),
            Pattern::Text(wanted) => Pattern::Text(template(wanted)),
            Pattern::Any | Pattern::Kind(_) | Pattern::Binary(_) | Pattern::Match(_) => self.clone(),
            Pattern::Some(wanted) => Pattern::Some(all(wanted)),
            Pattern::OneOf(wanted) => Pattern::OneOf(all(wanted)),
            Pattern::List(wanted) => Pattern::List(all(wanted)),
            Pattern::With(wanted) => Pattern::With(entries(wanted)),
            Pattern::Map(wanted) => Pattern::Map(entries(wanted)),
            Pattern::Json(inner) => Pattern::Json(Box::new(inner.frozen(values))),
            Pattern::Not(inner) => Pattern::Not(Box::new(inner.frozen(values))),
        }
    }

    fn compile(node: &Node, scope: &mut Scope) -> Result<Pattern, Mistake> {
        match &node.value {
            Value::List(items) if items.iter().any(holds_pattern) => Ok(Pattern::List(all(items, scope)?)),
            Value::Map(entries) => {
                match entries.iter().find(|(key, _)| PATTERNS.contains(&key.text.as_str())) {
                    Some((key, value)) => {
                        binary::alone(key, entries)?;
                        match binary::check(entries, scope)? {
                            Some(Written::Always(binary)) => Ok(Pattern::Binary(binary)),
                            Some(Written::Text(_)) => Template::compile(node, scope).map(Pattern::Exactly),
                            Some(Written::ByChance(_)) => Err(value
                                .mistake(
                                    "a random size is for values that are sent, and this value is compared",
                                )
                                .hint("write one size, or `{ $type: binary }` where any will do")),
                            None => Pattern::special(&key.text, value, scope),
                        }
                    }
                    None if entries.iter().any(|(_, value)| holds_pattern(value)) => {
                        Ok(Pattern::Map(entries_of(node, scope)?))
                    }
                    None => {
                        let mistake = entries.iter().find(|(key, _)| stray(&key.text)).map(|(key, _)| {
                            key.mistake(format!("unknown pattern `{}`", key.text))
                                .did_you_mean(&key.text, PATTERNS)
                        });
                        match mistake {
                            Some(mistake) => Err(mistake),
                            None => Template::compile(node, scope).map(Pattern::Exactly),
                        }
                    }
                }
            }
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
                let known = Kind::WORDS.iter().find(|(known, _)| *known == word);
                known.map(|(_, kind)| Pattern::Kind(*kind)).ok_or_else(|| {
                    node.mistake(format!("unknown type `{word}`"))
                        .did_you_mean(word, Kind::WORDS.map(|(known, _)| known))
                })
            }
            "$json" => Ok(Pattern::Json(Box::new(Pattern::compile(node, scope)?))),
            "$not" => match Pattern::compile(node, scope)? {
                Pattern::Any => Err(node.mistake("this would match no value at all")),
                pattern => Ok(Pattern::Not(Box::new(pattern))),
            },
            "$one_of" => match node.list()? {
                [] | [_] => Err(node
                    .mistake("`$one_of` chooses between two patterns or more")
                    .hint("write one alone as it is")),
                items => all(items, scope).map(Pattern::OneOf),
            },
            "$match" => {
                let text = node.text()?;
                if text.contains("${") {
                    return Err(node.mistake("a `$match` is the same for every client: it takes no `${…}`"));
                }
                Regex::new(text).map(Pattern::Match).map_err(|error| {
                    let why = error.to_string();
                    let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
                    node.mistake(format!("the regular expression is not valid: {why}"))
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

    fn matches(&self, actual: &Json, received: Received<'_>, path: &mut Path) -> Result<(), Mismatch> {
        let bytes = received.bytes(actual);
        let unknown = |why: String| format!("a value that could not be calculated: {why}");
        let holds = match self {
            Pattern::Any => true,
            Pattern::Exactly(template) => match template.fixed() {
                Some(expected) => return received.same(expected, actual, path),
                None => match template.render(received.values) {
                    Ok(expected) => return received.same(&expected, actual, path),
                    Err(why) => return Err(received.mismatch(path, unknown(why), actual)),
                },
            },
            Pattern::Kind(wanted) => *wanted == received.kind(actual),
            Pattern::Binary(Binary::Given(wanted)) => bytes == Some(wanted),
            Pattern::Binary(Binary::Generated(len)) => bytes.is_some_and(|bytes| bytes.len() == *len),
            Pattern::Match(regex) => actual.as_str().is_some_and(|text| regex.is_match(text)),
            Pattern::Text(template) => match template.render_text(received.values) {
                Ok(part) if actual.as_str().is_some_and(|text| text.contains(&part)) => true,
                Ok(part) => {
                    return Err(received.mismatch(path, format!("a text that contains {part:?}"), actual));
                }
                Err(why) => return Err(received.mismatch(path, unknown(why), actual)),
            },
            Pattern::Some(wanted) => match actual {
                Json::Array(items) => {
                    let like = |wanted: &Pattern, item: &Json| {
                        wanted.matches(item, received, &mut Path::default()).is_ok()
                    };
                    match wanted.iter().find(|wanted| !items.iter().any(|item| like(wanted, item))) {
                        None => true,
                        Some(wanted) => {
                            let expected = format!("a list that contains {}", wanted.describe());
                            return Err(received.mismatch(path, expected, actual));
                        }
                    }
                }
                _ => false,
            },
            Pattern::With(wanted) => match actual {
                Json::Object(map) if bytes.is_none() => return with(wanted, map, received, path),
                _ => false,
            },
            Pattern::Json(wanted) => match actual.as_str().map(serde_json::from_str::<Json>) {
                Some(Ok(inner)) => {
                    let inside = Received { attachments: &[], ..received };
                    return wanted.matches(&inner, inside, path);
                }
                _ => false,
            },
            Pattern::Not(other) => other.matches(actual, received, &mut Path::default()).is_err(),
            Pattern::OneOf(all) => {
                all.iter().any(|one| one.matches(actual, received, &mut Path::default()).is_ok())
            }
            Pattern::List(wanted) => match actual {
                Json::Array(items) if items.len() == wanted.len() => {
                    for (index, (wanted, item)) in wanted.iter().zip(items).enumerate() {
                        path.into(Step::Item(index), |path| wanted.matches(item, received, path))?;
                    }
                    true
                }
                _ => false,
            },
            Pattern::Map(wanted) => match actual {
                Json::Object(map) if bytes.is_none() => {
                    received.no_others(map, |key| wanted.iter().any(|(known, _)| known == key), path)?;
                    return with(wanted, map, received, path);
                }
                _ => false,
            },
        };
        match holds {
            true => Ok(()),
            false => {
                let fits = |guess: Received<'_>, other: &Json| {
                    self.matches(other, guess, &mut Path::default()).is_ok()
                };
                let item = |wanted: &Pattern, item: &Json| {
                    wanted.matches(item, received, &mut Path::default()).is_ok()
                };
                let likeness = match (self, actual) {
                    (Pattern::Binary(_), _) => match received.likeness(actual, fits) {
                        Likeness::None => Likeness::OtherBytes,
                        other => other,
                    },
                    (Pattern::List(all), Json::Array(some)) if is_shorter(all, some, item) => {
                        Likeness::Shorter
                    }
                    (_, Json::Array(one)) if one.len() == 1 && item(self, &one[0]) => Likeness::Wrapped,
                    (_, Json::Null) => Likeness::Nothing,
                    _ => received.likeness(actual, fits),
                };
                Err(received.mismatch(path, self.describe(), actual).like(likeness))
            }
        }
    }

    fn describe(&self) -> String {
        match self {
            Pattern::Any => "anything".to_owned(),
            Pattern::Exactly(template) => match template.fixed() {
                Some(value) => in_words(value),
                None => "a value that depends on the client".to_owned(),
            },
            Pattern::Kind(wanted) => wanted.in_words(),
            Pattern::Binary(Binary::Given(bytes)) => told_bytes(bytes),
            Pattern::Binary(Binary::Generated(len)) => format!("{len} bytes"),
            Pattern::Json(wanted) => format!("a text of JSON: {}", wanted.describe()),
            Pattern::Not(other) => format!("anything but {}", other.describe()),
            Pattern::OneOf(all) => {
                let all: Vec<String> = all.iter().map(Pattern::describe).collect();
                all.join(" or ")
            }
            Pattern::Match(regex) => format!("a text that matches /{regex}/"),
            Pattern::Text(_) => "a text that contains another".to_owned(),
            Pattern::Some(_) => "a list".to_owned(),
            Pattern::With(wanted) => format!("an object with {}", keys(wanted)),
            Pattern::List(wanted) => format!("a list of {}", wanted.len()),
            Pattern::Map(wanted) => format!("an object of {}", keys(wanted)),
        }
    }
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
            return Err(mistake.did_you_mean(&key.text, PATTERNS));
        }
        entries.push((key::unescaped(key)?, Pattern::compile(value, scope)?));
    }
    Ok(entries)
}

/// True for a `$…` key that is neither known nor escaped nor an expression.
fn stray(key: &str) -> bool {
    key.starts_with('$') && !key.starts_with("$$") && !key.starts_with("${") && !PATTERNS.contains(&key)
}

/// True where a value holds anything that is not plain data.
fn holds_pattern(node: &Node) -> bool {
    match &node.value {
        Value::List(items) => items.iter().any(holds_pattern),
        Value::Map(entries) => entries.iter().any(|(key, value)| {
            PATTERNS.contains(&key.text.as_str()) || stray(&key.text) || holds_pattern(value)
        }),
        _ => false,
    }
}

/// Every one of these keys is there, and its value is as written.
fn with(
    wanted: &[(String, Pattern)],
    map: &serde_json::Map<String, Json>,
    received: Received<'_>,
    path: &mut Path,
) -> Result<(), Mismatch> {
    wanted.iter().try_for_each(|(key, wanted)| {
        path.into(Step::Key(key.clone()), |path| match map.get(key) {
            Some(item) => wanted.matches(item, received, path),
            None => Err(path.nothing(wanted.describe())),
        })
    })
}

fn keys(wanted: &[(String, Pattern)]) -> String {
    wanted.iter().map(|(key, _)| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}
