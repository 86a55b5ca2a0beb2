//! The tree: a value, and where it stands. Every accessor tells what it saw instead of what was wanted.

use super::{Mistake, Span, slip};

/// A value and where it was written. A value reached through an alias stands where its anchor stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Where it was written.
    pub span: Span,
    /// What was written.
    pub value: Value,
}

/// What YAML can say.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`, `~`, or nothing at all.
    Null,
    /// `true` or `false`, and nothing else.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a point or an exponent; always finite.
    Float(f64),
    /// Text, quoted or not.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the order of the file, without duplicates.
    Map(Vec<(Key, Node)>),
}

/// The key of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub text: String,
    /// Where it was written.
    pub span: Span,
}

impl Key {
    /// A mistake that stands at this key.
    pub fn mistake(&self, message: impl Into<String>) -> Mistake {
        Mistake::new(self.span, message)
    }

    /// Where a part of the key stands, as exactly as [`Node::part`].
    pub fn part(&self, from: usize, len: usize) -> Span {
        part(self.span, &self.text, from, len)
    }
}

fn part(whole: Span, text: &str, from: usize, len: usize) -> Span {
    let written = whole.end_column.saturating_sub(whole.column) as usize;
    match (whole.end_line == whole.line, written.checked_sub(text.chars().count())) {
        (true, Some(0)) => whole.part(from, len),
        (true, Some(2)) => whole.part(from + 1, len),
        _ => whole,
    }
}

impl Node {
    /// A mistake that stands at this value.
    pub fn mistake(&self, message: impl Into<String>) -> Mistake {
        Mistake::new(self.span, message)
    }

    /// Where a part of the text stands: from this character, so many. Exact where the text stands in the file
    /// character by character, plain or in quotes; else (escapes, several lines) it is the whole value.
    pub fn part(&self, from: usize, len: usize) -> Span {
        match &self.value {
            Value::Text(text) => part(self.span, text, from, len),
            _ => self.span,
        }
    }

    /// What YAML reads as text because a colon is missing in it before a bracket: `alice [ connect ]`.
    pub(crate) fn colon_missing(&self) -> Option<Mistake> {
        match &self.value {
            Value::Text(text) => slip::in_text(text, self.span),
            _ => None,
        }
    }

    fn expected(&self, what: &str) -> Mistake {
        self.mistake(format!("expected {what}, found {}", self.describe()))
    }

    /// True for `null`, `~` and nothing at all.
    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// What was written, for a sentence: `the text "hello"`, `a list of 3`.
    pub fn describe(&self) -> String {
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Bool(b) => format!("`{b}`"),
            Value::Int(i) => format!("the number {i}"),
            Value::Float(f) => format!("the number {f}"),
            Value::Text(text) if text.chars().count() <= 40 => format!("the text {text:?}"),
            Value::Text(text) => format!("the text {:?}…", text.chars().take(40).collect::<String>()),
            Value::List(items) if items.is_empty() => "an empty list".to_owned(),
            Value::List(items) => format!("a list of {}", items.len()),
            Value::Map(entries) => match entries.as_slice() {
                [] => "an empty map".to_owned(),
                [(key, _)] => format!("a map with the key `{}`", key.text),
                [(key, _), ..] => format!("a map with the keys `{}` …", key.text),
            },
        }
    }

    /// The text. Numbers and booleans are not text: they must be quoted to be meant so.
    pub fn text(&self) -> Result<&str, Mistake> {
        match &self.value {
            Value::Text(text) => Ok(text),
            Value::Int(_) | Value::Float(_) | Value::Bool(_) => {
                Err(self.expected("text").hint("put it in quotes to mean it as text"))
            }
            _ => Err(self.expected("text")),
        }
    }

    /// The text, which has to have at least one character.
    pub fn word(&self) -> Result<&str, Mistake> {
        match self.text()? {
            "" => Err(self.mistake("expected text, found an empty one")),
            text => Ok(text),
        }
    }

    /// `true` or `false`.
    pub fn bool(&self) -> Result<bool, Mistake> {
        match &self.value {
            Value::Bool(b) => Ok(*b),
            Value::Text(text) => {
                let mistake = self.expected("`true` or `false`");
                Err(match text.to_ascii_lowercase().as_str() {
                    "yes" | "on" | "y" => mistake.hint("write `true`"),
                    "no" | "off" | "n" => mistake.hint("write `false`"),
                    _ => mistake,
                })
            }
            _ => Err(self.expected("`true` or `false`")),
        }
    }

    /// A whole number.
    pub fn int(&self) -> Result<i64, Mistake> {
        match &self.value {
            Value::Int(i) => Ok(*i),
            Value::Text(text) if text.trim().parse::<i64>().is_ok() => {
                Err(self.expected("a whole number").hint("write it without quotes"))
            }
            _ => Err(self.expected("a whole number")),
        }
    }

    /// A whole number within bounds, both included.
    pub fn int_within(&self, bounds: std::ops::RangeInclusive<i64>) -> Result<i64, Mistake> {
        let value = self.int()?;
        if bounds.contains(&value) {
            return Ok(value);
        }
        let (low, high) = bounds.into_inner();
        Err(self.mistake(match high {
            i64::MAX => format!("expected a whole number of at least {low}, found {value}"),
            _ => format!("expected a whole number from {low} to {high}, found {value}"),
        }))
    }

    /// A number, whole or not.
    pub fn number(&self) -> Result<f64, Mistake> {
        match &self.value {
            Value::Int(i) => Ok(*i as f64),
            Value::Float(f) => Ok(*f),
            _ => Err(self.expected("a number")),
        }
    }

    /// The items of a list.
    pub fn list(&self) -> Result<&[Node], Mistake> {
        match &self.value {
            Value::List(items) => Ok(items),
            Value::Text(_) if self.span.end_line > self.span.line => {
                Err(self.expected("a list").hint("begin each item with `- ` on a line of its own"))
            }
            Value::Map(_) | Value::Null => Err(self.expected("a list")),
            _ => Err(self
                .expected("a list")
                .hint("write `[ … ]`, or begin each item with `- ` on a line of its own")),
        }
    }

    /// The items of a list; anything else is a list of one.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// The entries of a map, in the order of the file.
    pub fn map(&self) -> Result<&[(Key, Node)], Mistake> {
        match &self.value {
            Value::Map(entries) => Ok(entries),
            _ => Err(self.expected("a map")),
        }
    }

    /// The same value as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Int(i) => Json::from(*i),
            Value::Float(f) => Json::from(*f),
            Value::Text(text) => Json::from(text.as_str()),
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Map(entries) => {
                Json::Object(entries.iter().map(|(key, node)| (key.text.clone(), node.to_json())).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(value: Value) -> Node {
        Node { span: Span::default(), value }
    }

    #[test]
    fn accessors_tell_what_they_saw_instead() {
        let list = node(Value::List(vec![node(Value::Int(1))]));
        assert_eq!(list.text().unwrap_err().message, "expected text, found a list of 1");
        assert_eq!(list.int().unwrap_err().message, "expected a whole number, found a list of 1");
        let word = node(Value::Text("yes".into()));
        let mistake = word.bool().unwrap_err();
        assert_eq!(mistake.message, "expected `true` or `false`, found the text \"yes\"");
        assert_eq!(mistake.hint.as_deref(), Some("write `true`"));
        assert_eq!(word.list().unwrap_err().message, "expected a list, found the text \"yes\"");
    }

    #[test]
    fn a_number_is_not_text_until_it_is_quoted() {
        assert!(node(Value::Int(7)).text().unwrap_err().hint.unwrap().contains("quotes"));
        assert!(node(Value::Text("7".into())).int().unwrap_err().hint.unwrap().contains("without quotes"));
    }

    #[test]
    fn a_number_out_of_bounds_is_told_the_bounds() {
        assert_eq!(node(Value::Int(5)).int_within(1..=9), Ok(5));
        let mistake = node(Value::Int(0)).int_within(1..=9).unwrap_err();
        assert_eq!(mistake.message, "expected a whole number from 1 to 9, found 0");
        let mistake = node(Value::Int(0)).int_within(1..=i64::MAX).unwrap_err();
        assert_eq!(mistake.message, "expected a whole number of at least 1, found 0");
    }

    #[test]
    fn one_value_is_a_list_of_one_where_a_list_is_welcome() {
        let one = node(Value::Text("lobby".into()));
        assert_eq!(one.items(), std::slice::from_ref(&one));
        assert_eq!(node(Value::List(vec![one.clone(), one])).items().len(), 2);
    }
}
