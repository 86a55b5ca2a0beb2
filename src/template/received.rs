//! A received value: what stands in it, whether it is the same as a meant one, and where it is not.
//!
//! Placeholders stand in a received value, and their bytes beside it. The other half of [`super::matcher`].

use std::fmt;

use bytes::Bytes;
use serde_json::{Value as Json, json};

use super::Values;
use super::binary::Binary;
use super::expression::in_words;
use super::likeness::{Likeness, is_slight, spoilt};

/// Where a received value is not as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The way into the value: `[0].user.name`; empty for the whole.
    pub path: String,
    /// What was wanted there, in words.
    pub expected: String,
    /// What was there, in words.
    pub actual: String,
    /// What it may be all the same.
    pub likeness: Likeness,
}

impl Mismatch {
    /// The same, of a value that may be this.
    pub(super) fn like(self, likeness: Likeness) -> Mismatch {
        Mismatch { likeness, ..self }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "expected {}, got {}", self.expected, self.actual),
            path => write!(f, "at {path}: expected {}, got {}", self.expected, self.actual),
        }
    }
}

/// What a received value can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Bool,
    List,
    Map,
    Null,
    Binary,
}

impl Kind {
    /// Every kind, by the word for it.
    pub(super) const WORDS: [(&'static str, Kind); 7] = [
        ("string", Kind::Text),
        ("number", Kind::Number),
        ("boolean", Kind::Bool),
        ("array", Kind::List),
        ("object", Kind::Map),
        ("null", Kind::Null),
        ("binary", Kind::Binary),
    ];

    /// For a sentence, with its article.
    pub(super) fn in_words(self) -> String {
        let word = Kind::WORDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word);
        match self {
            Kind::Null | Kind::Binary => word.to_owned(),
            Kind::List | Kind::Map => format!("an {word}"),
            _ => format!("a {word}"),
        }
    }
}

/// One step into a received value.
pub(super) enum Step {
    Item(usize),
    Key(String),
}

/// The way into a received value.
#[derive(Default)]
pub(super) struct Path(Vec<Step>);

impl Path {
    /// Looks one step further in.
    pub(super) fn into<T>(&mut self, step: Step, look: impl FnOnce(&mut Path) -> T) -> T {
        self.0.push(step);
        let result = look(self);
        self.0.pop();
        result
    }

    /// Nothing stands here.
    pub(super) fn nothing(&self, expected: String) -> Mismatch {
        let actual = "nothing".to_owned();
        Mismatch { path: self.to_string(), expected, actual, likeness: Likeness::None }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| match step {
            Step::Item(index) => write!(f, "[{index}]"),
            Step::Key(key) if key.chars().all(|c| c.is_alphanumeric() || c == '_') => write!(f, ".{key}"),
            Step::Key(key) => write!(f, "[{key:?}]"),
        })
    }
}

/// What was received beside the value itself, and who received it.
#[derive(Clone, Copy)]
pub(super) struct Received<'r> {
    pub(super) attachments: &'r [Bytes],
    pub(super) values: &'r dyn Values,
    /// Whether another value is tried in its place, of which nothing more is asked.
    pub(super) is_guess: bool,
}

impl<'r> Received<'r> {
    /// The bytes that a placeholder stands for.
    pub(super) fn bytes(self, value: &Json) -> Option<&'r Bytes> {
        let map = value.as_object().filter(|map| map.get("_placeholder") == Some(&Json::Bool(true)))?;
        self.attachments.get(usize::try_from(map.get("num")?.as_u64()?).ok()?)
    }

    pub(super) fn kind(self, value: &Json) -> Kind {
        match value {
            _ if self.bytes(value).is_some() => Kind::Binary,
            Json::Null => Kind::Null,
            Json::Bool(_) => Kind::Bool,
            Json::Number(_) => Kind::Number,
            Json::String(_) => Kind::Text,
            Json::Array(_) => Kind::List,
            Json::Object(_) => Kind::Map,
        }
    }

    pub(super) fn mismatch(self, path: &Path, expected: String, actual: &Json) -> Mismatch {
        let actual = match self.bytes(actual) {
            Some(bytes) => told_bytes(bytes),
            None => in_words(actual),
        };
        Mismatch { path: path.to_string(), expected, actual, likeness: Likeness::None }
    }

    /// Exactly the same, with numbers compared by value and binary by its bytes.
    pub(super) fn same(self, expected: &Json, actual: &Json, path: &mut Path) -> Result<(), Mismatch> {
        let holds = match (expected, actual, self.bytes(actual)) {
            (_, _, Some(bytes)) => match Binary::of(expected) {
                Some(Binary::Given(wanted)) => *bytes == wanted,
                Some(Binary::Generated(len)) => bytes.len() == len,
                None => false,
            },
            (Json::Number(expected), Json::Number(actual), _) => same_number(expected, actual),
            (Json::Array(expected), Json::Array(actual), _) if expected.len() == actual.len() => {
                for (index, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                    path.into(Step::Item(index), |path| self.same(expected, actual, path))?;
                }
                true
            }
            (Json::Object(expected), Json::Object(actual), _) => {
                self.no_others(actual, |key| expected.contains_key(key), path)?;
                for (key, expected) in expected {
                    path.into(Step::Key(key.clone()), |path| match actual.get(key) {
                        Some(actual) => self.same(expected, actual, path),
                        None => Err(path.nothing(in_words(expected)).like(match is_slight(expected) {
                            true => Likeness::OtherValue,
                            false => Likeness::None,
                        })),
                    })?;
                }
                true
            }
            (expected, actual, _) => expected == actual,
        };
        match holds {
            true => Ok(()),
            false => {
                let item = |expected: &Json, actual: &Json| {
                    self.same(expected, actual, &mut Path::default()).is_ok()
                };
                let likeness = match (expected, actual) {
                    (Json::Array(all), Json::Array(some)) if is_shorter(all, some, item) => Likeness::Shorter,
                    (_, Json::Array(one)) if one.len() == 1 && item(expected, &one[0]) => Likeness::Wrapped,
                    _ => {
                        match self.likeness(actual, |guess, other| guess.same(expected, other, path).is_ok())
                        {
                            Likeness::None => spoilt(expected, actual),
                            likeness => likeness,
                        }
                    }
                };
                Err(self.mismatch(path, in_words(expected), actual).like(likeness))
            }
        }
    }

    /// What a value may be that does not fit: the number in a text, or another attachment, fits in its place.
    pub(super) fn likeness(
        self,
        actual: &Json,
        mut fits: impl FnMut(Received<'_>, &Json) -> bool,
    ) -> Likeness {
        let guess = Received { is_guess: true, ..self };
        match (actual, self.bytes(actual)) {
            _ if self.is_guess => Likeness::None,
            (Json::String(text), _) => match text.parse().map(Json::Number) {
                Ok(number) if fits(guess, &number) => Likeness::NumberInText,
                _ => Likeness::None,
            },
            (_, Some(_)) => {
                let placeholder = |num| json!({ "_placeholder": true, "num": num });
                match (0..self.attachments.len()).any(|num| fits(guess, &placeholder(num))) {
                    true => Likeness::OtherAttachment,
                    false => Likeness::OtherBytes,
                }
            }
            _ => Likeness::None,
        }
    }

    /// Refuses keys that are not known.
    pub(super) fn no_others(
        self,
        actual: &serde_json::Map<String, Json>,
        known: impl Fn(&str) -> bool,
        path: &mut Path,
    ) -> Result<(), Mismatch> {
        match actual.iter().find(|(key, _)| !known(key)) {
            None => Ok(()),
            Some((key, value)) => path.into(Step::Key(key.clone()), |path| {
                Err(self.mismatch(path, "no such key (`$contains` allows others)".to_owned(), value))
            }),
        }
    }
}

/// Whether some items of a list are missing, and the others are as they should be.
pub(super) fn is_shorter<W>(wanted: &[W], came: &[Json], fits: impl Fn(&W, &Json) -> bool) -> bool {
    let mut wanted_left = wanted.iter();
    came.len() < wanted.len() && came.iter().all(|came| wanted_left.any(|wanted| fits(wanted, came)))
}

fn same_number(a: &serde_json::Number, b: &serde_json::Number) -> bool {
    match (a.as_i64(), b.as_i64(), a.as_u64(), b.as_u64()) {
        (Some(a), Some(b), ..) => a == b,
        (.., Some(a), Some(b)) => a == b,
        _ => a.as_f64() == b.as_f64(),
    }
}

/// Bytes for a sentence, shortened.
pub(super) fn told_bytes(bytes: &Bytes) -> String {
    let shown: String = bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let more = if bytes.len() > 16 { "…" } else { "" };
    match bytes.len() {
        0 => "no bytes".to_owned(),
        1 => format!("the byte {shown}"),
        len => format!("the {len} bytes {shown}{more}"),
    }
}
