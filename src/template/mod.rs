//! Values with `${…}` in them, made ready once and filled in as often as needed.
//!
//! [`Scope`] says which names may stand in an expression while a scenario is read; [`Values`] says at run time
//! what they stand for. What does not change is known as such ([`Template::fixed`]), so that it can be encoded
//! once. [`Matcher`] is the other direction: does a received value look as written?
//!
//! Uses [`crate::document`]; used by the contract, the steps and the scenario.

pub mod binary;
mod expression;
mod matcher;
mod name;
mod received;
mod scope;
mod syntax;
#[cfg(test)]
mod tests;
mod timings;

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use crate::document::{Mistake, Node, Value};
use binary::Binary;
use expression::{Expr, as_text};

pub use matcher::Matcher;
pub use name::{Name, Of, Slot, Values};
pub use received::Mismatch;
pub use scope::{Scope, Shared};
pub(crate) use scope::{is_reserved, well_formed};
pub use timings::Timings;

/// A text, number, list, map … with `${…}` in it, checked and ready to be filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    body: Body,
    /// As it was written, where it is not fixed.
    written: Option<Arc<str>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Body {
    Fixed(Json),
    /// `"${…}"` alone: keeps the type of what the expression gives.
    Whole(Expr),
    /// Text around and between expressions.
    Text(Vec<Piece>),
    List(Vec<Body>),
    Map(Vec<(Body, Body)>),
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Literal(String),
    Filled(Expr),
}

impl Template {
    /// Makes a value of the scenario ready. Every name has to be known to the scope; `$hex`, `$base64` and
    /// `$bytes` are checked here and stay as they are for [`binary::detach`].
    pub fn compile(node: &Node, scope: &mut Scope) -> Result<Template, Mistake> {
        let body = Body::compile(node, scope)?;
        let written = (!body.is_fixed()).then(|| as_text(&node.to_json()).into());
        Ok(Template { body, written })
    }

    /// The same for what has to be text, such as the name of a room or an event.
    pub fn compile_text(node: &Node, scope: &mut Scope) -> Result<Template, Mistake> {
        node.word()?;
        Template::compile(node, scope)
    }

    /// The same for the name of a namespace, which begins with a slash and has no comma in it.
    ///
    /// Spec: Socket.IO protocol v5, "Packet encoding": a comma ends the namespace.
    pub fn compile_namespace(node: &Node, scope: &mut Scope) -> Result<Template, Mistake> {
        let text = node.text()?;
        if !text.starts_with('/') && !text.starts_with("${") {
            return Err(node
                .mistake(format!("a namespace begins with a slash, found {text:?}"))
                .hint(format!("write `/{text}`")));
        }
        let template = Template::compile_text(node, scope)?;
        match template.fixed().and_then(Json::as_str).is_some_and(|name| name.contains(',')) {
            true => Err(node.mistake("a namespace cannot have a comma in its name")),
            false => Ok(template),
        }
    }

    /// The value, where it is the same every time.
    pub fn fixed(&self) -> Option<&Json> {
        match &self.body {
            Body::Fixed(value) => Some(value),
            _ => None,
        }
    }

    /// The value for a sentence: as it is where it is fixed, as it was written (`room-${n}`) where it is not.
    pub fn in_words(&self) -> String {
        match (self.fixed(), &self.written) {
            (Some(value), _) => shortened(as_text(value)),
            (None, Some(written)) => written.to_string(),
            (None, None) => "…".to_owned(),
        }
    }

    /// Fills it in. Fails, in words, when a name has no value yet or an operator cannot work on what it got.
    pub fn render(&self, values: &dyn Values) -> Result<Json, String> {
        self.body.render(values)
    }

    /// Fills it in and writes it as text: text as it is, everything else as JSON.
    pub fn render_text(&self, values: &dyn Values) -> Result<String, String> {
        match &self.body {
            Body::Text(pieces) => render_pieces(pieces, values),
            Body::Fixed(value) => Ok(as_text(value)),
            body => body.render(values).map(|value| as_text(&value)),
        }
    }

    /// True where a word such as `${room}` ([`Scope::with_words`]) stands in it.
    pub fn uses(&self, word: &str) -> bool {
        self.body.any(&mut |name| matches!(name, Name::Word(known) if *known == word))
    }

    /// Whether `${i}` stands in it.
    pub fn counts_rounds(&self) -> bool {
        self.body.any(&mut |name| matches!(name, Name::I))
    }

    /// Puts templates in the place of words such as `${room}` ([`Scope::with_words`]). Words that are not given
    /// here stay open and are asked of [`Values`]; where nothing stays open the result is fixed.
    pub fn bind(&self, words: &[(&str, &Template)]) -> Template {
        Template { body: self.body.bind(words), written: self.written.clone() }
    }
}

/// A value with its expressions worked out, where it has to be known before anybody plays: a time, a size. It stands
/// where it stood, as text.
pub fn constant<'n>(node: &'n Node, what: &str, scope: &mut Scope) -> Result<Cow<'n, Node>, Mistake> {
    match &node.value {
        Value::Text(text) if text.contains("${") => {}
        _ => return Ok(Cow::Borrowed(node)),
    }
    let template = Template::compile(node, scope)?;
    match template.fixed() {
        Some(value) => Ok(Cow::Owned(Node { span: node.span, value: Value::Text(as_text(value)) })),
        None => Err(node
            .mistake(format!(
                "{what} has to be known before the script begins, and `{}` is not",
                template.in_words()
            ))
            .hint("it can be made of numbers and of what is known of the server, such as `server.interval`")),
    }
}

impl From<Json> for Template {
    fn from(value: Json) -> Template {
        Template { body: Body::Fixed(value), written: None }
    }
}

impl Body {
    fn compile(node: &Node, scope: &mut Scope) -> Result<Body, Mistake> {
        match &node.value {
            Value::Text(text) => Body::text(syntax::pieces(text, node, scope)?, node),
            Value::List(items) => {
                let items: Result<_, _> = items.iter().map(|item| Body::compile(item, scope)).collect();
                Ok(Body::List(items?).folded())
            }
            Value::Map(entries) => {
                match binary::check(entries, scope)? {
                    Some(Binary::Generated(length)) => return Ok(Body::Fixed(json!({ "$bytes": length }))),
                    Some(Binary::Given(_)) => return Ok(Body::Fixed(node.to_json())),
                    None => {}
                }
                let mut filled = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    let plain = Node { span: key.span, value: Value::Text(binary::unescaped(key)?) };
                    filled.push((Body::compile(&plain, scope)?, Body::compile(value, scope)?));
                }
                Ok(Body::Map(filled).folded())
            }
            _ => Ok(Body::Fixed(node.to_json())),
        }
    }

    fn text(mut pieces: Vec<Piece>, node: &Node) -> Result<Body, Mistake> {
        match pieces.as_mut_slice() {
            [] => Ok(Body::Fixed(Json::from(""))),
            [Piece::Literal(text)] => Ok(Body::Fixed(Json::from(std::mem::take(text)))),
            [Piece::Filled(Expr::Constant(value))] => Ok(Body::Fixed(value.take())),
            [Piece::Filled(_)] => match pieces.pop() {
                Some(Piece::Filled(expr)) => Ok(Body::Whole(expr)),
                _ => Err(node.mistake("expected an expression")),
            },
            _ => Ok(Body::Text(pieces).folded()),
        }
    }

    /// The same with everything that is fixed put together.
    fn folded(self) -> Body {
        match self {
            Body::List(items) if items.iter().all(Body::is_fixed) => {
                Body::Fixed(items.into_iter().filter_map(Body::into_fixed).collect())
            }
            Body::Map(entries) if entries.iter().all(|(key, value)| key.is_fixed() && value.is_fixed()) => {
                let entries = entries
                    .into_iter()
                    .filter_map(|(key, value)| Some((as_text(&key.into_fixed()?), value.into_fixed()?)));
                Body::Fixed(Json::Object(entries.collect()))
            }
            Body::Text(pieces) => {
                let mut joined: Vec<Piece> = Vec::with_capacity(pieces.len());
                for piece in pieces {
                    let literal = match piece {
                        Piece::Literal(text) => text,
                        Piece::Filled(Expr::Constant(value)) => as_text(&value),
                        filled => {
                            joined.push(filled);
                            continue;
                        }
                    };
                    match joined.last_mut() {
                        Some(Piece::Literal(before)) => before.push_str(&literal),
                        _ => joined.push(Piece::Literal(literal)),
                    }
                }
                match joined.as_slice() {
                    [Piece::Literal(text)] => Body::Fixed(Json::from(text.as_str())),
                    _ => Body::Text(joined),
                }
            }
            body => body,
        }
    }

    fn is_fixed(&self) -> bool {
        matches!(self, Body::Fixed(_))
    }

    fn into_fixed(self) -> Option<Json> {
        match self {
            Body::Fixed(value) => Some(value),
            _ => None,
        }
    }

    fn render(&self, values: &dyn Values) -> Result<Json, String> {
        match self {
            Body::Fixed(value) => Ok(value.clone()),
            Body::Whole(expr) => expr.value(values).map(|value| value.into_owned()),
            Body::Text(pieces) => render_pieces(pieces, values).map(Json::from),
            Body::List(items) => items.iter().map(|item| item.render(values)).collect(),
            Body::Map(entries) => {
                let mut map = serde_json::Map::with_capacity(entries.len());
                for (key, value) in entries {
                    map.insert(as_text(&key.render(values)?), value.render(values)?);
                }
                Ok(Json::Object(map))
            }
        }
    }

    /// True where one of the names in it is like that.
    fn any(&self, like: &mut dyn FnMut(&Name) -> bool) -> bool {
        match self {
            Body::Fixed(_) => false,
            Body::Whole(expr) => expr.any(like),
            Body::Text(pieces) => pieces.iter().any(|piece| match piece {
                Piece::Literal(_) => false,
                Piece::Filled(expr) => expr.any(like),
            }),
            Body::List(items) => items.iter().any(|item| item.any(like)),
            Body::Map(entries) => entries.iter().any(|(key, value)| key.any(like) || value.any(like)),
        }
    }

    fn bind(&self, words: &[(&str, &Template)]) -> Body {
        let body = match self {
            Body::Fixed(_) => self.clone(),
            Body::Whole(expr) => match expr.bind(words) {
                Expr::Constant(value) => Body::Fixed(value),
                Expr::Filled(body) => *body,
                expr => Body::Whole(expr),
            },
            Body::Text(pieces) => {
                let bound = pieces.iter().map(|piece| match piece {
                    Piece::Literal(_) => piece.clone(),
                    Piece::Filled(expr) => Piece::Filled(expr.bind(words)),
                });
                Body::Text(bound.collect())
            }
            Body::List(items) => Body::List(items.iter().map(|item| item.bind(words)).collect()),
            Body::Map(entries) => {
                Body::Map(entries.iter().map(|(key, value)| (key.bind(words), value.bind(words))).collect())
            }
        };
        body.folded()
    }
}

/// For a sentence: a text that is repeated may be long.
fn shortened(mut text: String) -> String {
    const MOST: usize = 200;
    if let Some((end, _)) = text.char_indices().nth(MOST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

fn render_pieces(pieces: &[Piece], values: &dyn Values) -> Result<String, String> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::Filled(expr) => match expr.value(values)?.as_ref() {
                Json::String(value) => text.push_str(value),
                value => text.push_str(&as_text(value)),
            },
        }
    }
    Ok(text)
}
