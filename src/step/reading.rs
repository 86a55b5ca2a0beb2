//! Reading steps: from a place in a scenario to a [`Step`].

use std::time::Duration;

use serde_json::Value as Json;

use super::{KINDS, Numbered};
use crate::contract::Contract;
use crate::document::{Fields, Mistake, Node, Span, Value};
use crate::observe::{Label, StepId};
use crate::protocol::deflate;
use crate::template::{Scope, Template, constant, well_formed};
use crate::units;

/// What the command line puts in the place of what the scenario says about its `repeat`s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tempo {
    /// How long the outermost of them last that say how long.
    pub length: Option<Duration>,
    /// How many times as fast the rounds of all follow each other that have a pace.
    pub speed: f64,
}

impl Default for Tempo {
    fn default() -> Tempo {
        Tempo { length: None, speed: 1.0 }
    }
}

/// How long a step waits for the server unless it says otherwise.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// What is known while steps are read.
pub struct Reading<'s> {
    /// The names that expressions may use.
    pub scope: &'s mut Scope,
    /// How the server is asked for things.
    pub contract: &'s Contract,
    next: u32,
    /// The names of the requests so far.
    requests: Vec<String>,
    tempo: Tempo,
    /// How many `repeat`s stand around what is read.
    depth: u32,
    /// Whether a `repeat` has got another length.
    prolonged: bool,
    /// The labels so far, and where each was written first.
    labels: Vec<(String, Span)>,
    /// The label of the step around.
    label: Label,
}

/// The key beside a step that names its figures.
pub(super) const LABEL: &str = "label";

impl<'s> Reading<'s> {
    /// Begins a scenario: the first step gets the number 0.
    pub fn new(scope: &'s mut Scope, contract: &'s Contract, tempo: Tempo) -> Reading<'s> {
        Reading {
            scope,
            contract,
            next: 0,
            requests: Vec::new(),
            tempo,
            depth: 0,
            prolonged: false,
            labels: Vec::new(),
            label: Label::NONE,
        }
    }

    /// How long a `repeat` lasts that is written to last so long.
    pub fn prolonged(&mut self, length: Duration) -> Duration {
        match self.tempo.length {
            Some(other) if self.depth == 0 => {
                self.prolonged = true;
                other
            }
            _ => length,
        }
    }

    /// Whether some `repeat` got another length than is written.
    pub fn has_prolonged(&self) -> bool {
        self.prolonged
    }

    /// The distance of rounds that are written to have this one.
    pub fn quickened(&self, every: Duration) -> Duration {
        match self.tempo.speed {
            1.0 => every,
            // In whole microseconds, as times are written. What is far too long becomes the longest there is.
            speed => Duration::from_micros((every.as_micros() as f64 / speed).round() as u64)
                .clamp(Duration::from_micros(1), units::LONGEST),
        }
    }

    /// Reads one step, or the list of steps that stands in its place.
    ///
    /// # Errors
    /// When a step is unknown or wrong.
    pub fn steps(&mut self, node: &Node) -> Result<Vec<Numbered>, Mistake> {
        match &node.value {
            Value::List(items) if items.is_empty() => Err(node
                .mistake("expected at least one step, found an empty list")
                .hint("a step is a word like `connect`, or a map like `{ join: lobby }`")),
            Value::List(items) => items.iter().map(|item| self.step(item)).collect(),
            _ => Ok(vec![self.step(node)?]),
        }
    }

    /// Reads steps that recur, so that `${i}` is known in them.
    ///
    /// # Errors
    /// When a step is unknown or wrong.
    pub fn steps_in_round(&mut self, node: &Node) -> Result<Vec<Numbered>, Mistake> {
        self.depth += 1;
        let steps = self.in_round(|reading| reading.steps(node));
        self.depth -= 1;
        steps
    }

    /// Reads what is counted, so that `${i}` is known in it.
    pub(super) fn in_round<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        self.scope.begin_round();
        let result = read(self);
        self.scope.end_round();
        result
    }

    /// The labels of all steps that were read, and where each was written first; [`Label`] counts them from 1.
    pub fn labels(&self) -> &[(String, Span)] {
        &self.labels
    }

    /// The label that stands beside a step; the steps inside it have it, too, unless they have one of their own.
    fn label(&mut self, node: &Node) -> Result<Label, Mistake> {
        let name = well_formed_label(node)?;
        let known = self.labels.iter().position(|(known, _)| known == name);
        let place = known.unwrap_or_else(|| {
            self.labels.push((name.to_owned(), node.span));
            self.labels.len() - 1
        });
        match u8::try_from(place + 1) {
            Ok(number) if number <= Label::LAST.0 => Ok(Label(number)),
            _ => Err(node.mistake(format!("a scenario has at most {} labels", Label::LAST.0))),
        }
    }

    fn step(&mut self, node: &Node) -> Result<Numbered, Mistake> {
        // Numbers follow the order of the file, so an outer step has a lower one than the steps inside it.
        let id = StepId(self.next);
        self.next += 1;
        let outer = self.label;
        let step = match &node.value {
            Value::Text(word) => {
                let kind = kind(word).ok_or_else(|| unknown(word, node.mistake("")))?;
                if !kind.bare {
                    return Err(node
                        .mistake(format!("the step `{word}` needs a value"))
                        .hint(format!("write it as a map, like `{{ {word}: … }}`")));
                }
                (kind.read)(&Node { span: node.span, value: Value::Null }, self)?
            }
            Value::Map(entries) => {
                match entries.iter().filter(|(key, _)| key.text != LABEL).collect::<Vec<_>>().as_slice() {
                    [(key, value)] => {
                        if let Some((_, label)) = entries.iter().find(|(key, _)| key.text == LABEL) {
                            self.label = self.label(label)?;
                        }
                        let kind = kind(&key.text).ok_or_else(|| unknown(&key.text, key.mistake("")))?;
                        if value.is_null() && !kind.bare {
                            return Err(key.mistake(format!("the step `{}` needs a value", key.text)));
                        }
                        (kind.read)(value, self)?
                    }
                    [] if entries.is_empty() => {
                        return Err(node.mistake("expected a step, found an empty map"));
                    }
                    [] => return Err(node.mistake("a `label` stands beside a step, and there is none")),
                    [_, (second, _), ..] => {
                        return Err(second
                            .mistake(format!("expected one step, found `{}` beside it", second.text))
                            .hint("write several steps as a list: `[ { join: lobby }, { emit: … } ]`"));
                    }
                }
            }
            _ => {
                return Err(node
                    .mistake(format!("expected a step, found {}", node.describe()))
                    .hint("a step is a word like `connect`, or a map like `{ join: lobby }`"));
            }
        };
        let label = std::mem::replace(&mut self.label, outer);
        Ok(Numbered { id, span: node.span, label, step })
    }

    /// Gives a request a name.
    ///
    /// # Errors
    /// When it is no word.
    pub fn name_request(&mut self, node: &Node) -> Result<String, Mistake> {
        let name = node.word()?.to_owned();
        if !self.requests.contains(&name) {
            self.requests.push(name.clone());
        }
        Ok(name)
    }

    /// The name of an earlier request.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn request_named(&self, node: &Node) -> Result<String, Mistake> {
        let name = node.word()?;
        match self.requests.iter().any(|known| known == name) {
            true => Ok(name.to_owned()),
            false if self.requests.is_empty() => Err(node
                .mistake(format!("no request before this is called `{name}`"))
                .hint(format!("give it that name: `{{ get: poll, as: {name} }}`"))),
            false => Err(node
                .mistake(format!("no request before this is called `{name}`"))
                .did_you_mean(name, self.requests.iter().map(String::as_str))),
        }
    }

    /// The namespace that a step names.
    ///
    /// # Errors
    /// When it does not begin with a slash.
    pub fn namespace(&mut self, fields: &Fields<'_>) -> Result<Option<Template>, Mistake> {
        fields.optional("namespace").map(|node| Template::compile_namespace(node, self.scope)).transpose()
    }

    /// How long a step waits: `within`, or its default.
    ///
    /// # Errors
    /// When `within` is no duration.
    pub fn within(&mut self, fields: &Fields<'_>) -> Result<Duration, Mistake> {
        Ok(self.positive_duration(fields, "within")?.unwrap_or(PATIENCE))
    }

    /// How early it would be too early: `not_before`, or at once.
    ///
    /// # Errors
    /// When it is no duration, or too late for `within`.
    pub fn not_before(&mut self, fields: &Fields<'_>, within: Duration) -> Result<Duration, Mistake> {
        let Some(node) = fields.optional("not_before") else { return Ok(Duration::ZERO) };
        match self.duration(node)? {
            time if time >= within => Err(node.mistake("`not_before` has to be earlier than `within`")),
            time => Ok(time),
        }
    }

    /// The time that a value names.
    ///
    /// # Errors
    /// When it is none, or is not known before the script begins.
    pub fn duration(&mut self, node: &Node) -> Result<Duration, Mistake> {
        let node = constant(node, "a time", self.scope)?;
        units::duration(&node)
    }

    /// A time, if the field is there; it may be nothing.
    ///
    /// # Errors
    /// When it is no duration.
    pub fn any_duration(
        &mut self,
        fields: &Fields<'_>,
        name: &'static str,
    ) -> Result<Option<Duration>, Mistake> {
        fields.optional(name).map(|node| self.duration(node)).transpose()
    }

    /// A time longer than nothing, if the field is there.
    ///
    /// # Errors
    /// When it is no such duration.
    pub fn positive_duration(
        &mut self,
        fields: &Fields<'_>,
        name: &'static str,
    ) -> Result<Option<Duration>, Mistake> {
        let Some(node) = fields.optional(name) else { return Ok(None) };
        let node = constant(node, "a time", self.scope)?;
        units::positive_duration(&node).map(Some)
    }

    /// The size that a value names.
    ///
    /// # Errors
    /// When it is none, or is not known before the script begins.
    pub fn size(&mut self, node: &Node) -> Result<u64, Mistake> {
        let node = constant(node, "a size", self.scope)?;
        units::size(&node)
    }

    /// A template, if the field is there.
    ///
    /// # Errors
    /// When its expressions are wrong.
    pub fn template(&mut self, fields: &Fields<'_>, name: &'static str) -> Result<Option<Template>, Mistake> {
        fields.optional(name).map(|node| Template::compile(node, self.scope)).transpose()
    }

    /// What a client sends with CONNECT, where that is said.
    ///
    /// # Errors
    /// When it is no map, or its expressions are wrong.
    pub fn auth(&mut self, fields: &Fields<'_>) -> Result<Option<Template>, Mistake> {
        fields.optional("auth").map(|node| Template::compile_auth(node, self.scope)).transpose()
    }

    /// A list of templates; an absent field is an empty list.
    ///
    /// # Errors
    /// When it is no list or its expressions are wrong.
    pub fn list(&mut self, fields: &Fields<'_>, name: &'static str) -> Result<Vec<Template>, Mistake> {
        let Some(node) = fields.optional(name) else { return Ok(Vec::new()) };
        node.list()?.iter().map(|item| Template::compile(item, self.scope)).collect()
    }

    /// The headers of a handshake; an absent field is an empty map.
    ///
    /// # Errors
    /// When it is no map, its expressions are wrong, or an extension is named that would not be understood.
    pub fn handshake_headers(&mut self, fields: &Fields<'_>) -> Result<Vec<(String, Template)>, Mistake> {
        let entries = fields.optional("headers").map_or(Ok(&[][..]), Node::map)?;
        if let Some((key, _)) = entries.iter().find(|(key, _)| key.text.eq_ignore_ascii_case(deflate::HEADER))
        {
            return Err(key
                .mistake(format!("`{}` is sent by sockrates itself", key.text))
                .hint("write `compression: true` in the group"));
        }
        self.pairs(fields, "headers")
    }

    /// A map of names to text; an absent field is an empty map.
    ///
    /// # Errors
    /// When it is no map or its expressions are wrong.
    pub fn pairs(
        &mut self,
        fields: &Fields<'_>,
        name: &'static str,
    ) -> Result<Vec<(String, Template)>, Mistake> {
        let Some(node) = fields.optional(name) else { return Ok(Vec::new()) };
        let entries = node.map()?;
        entries
            .iter()
            .map(|(key, value)| Ok((key.text.clone(), Template::compile(value, self.scope)?)))
            .collect()
    }
}

/// The fields of a step about an event. What is no map is answered with the map that was probably meant.
pub(super) fn event_fields<'n>(node: &'n Node, word: &str) -> Result<Fields<'n>, Mistake> {
    Fields::of(node, format!("the step `{word}`")).map_err(|mistake| match event_form(node) {
        Some(form) => mistake.hint(format!("write `{word}: {form}`")),
        None => mistake,
    })
}

/// `{ event: news }` for the text `news`, `{ event: news, args: [1] }` for the list `[news, 1]`.
fn event_form(node: &Node) -> Option<String> {
    const LONGEST: usize = 60;
    match &node.value {
        Value::Text(event) => Some(format!("{{ event: {event} }}")),
        Value::List(items) => {
            let (event, args) = items.split_first()?;
            let args = args.iter().map(Node::to_json).collect::<Json>().to_string();
            let args = if args.chars().count() > LONGEST { "[ … ]".to_owned() } else { args };
            Some(format!("{{ event: {}, args: {args} }}", event.text().ok()?))
        }
        _ => None,
    }
}

/// A label is a word, so that a threshold can name it.
fn well_formed_label(node: &Node) -> Result<&str, Mistake> {
    let name = node.text()?;
    well_formed(name, "a label").map_err(|mistake| mistake.at(node.span))?;
    Ok(name)
}

fn kind(word: &str) -> Option<&'static super::Kind> {
    KINDS.iter().find(|kind| kind.word == word)
}

/// Acts that no group does. Their words stand where groups stand, so no group can be called so.
pub(crate) const ACTS: [&str; 7] = ["together", "measure", "server", "await", "link", "service", "shell"];

fn unknown(word: &str, at: Mistake) -> Mistake {
    if ACTS.contains(&word) {
        return Mistake::new(at.span, format!("no group does `{word}`: it is an act of its own"))
            .hint(format!("write it without a group: `- {word}: …`"));
    }
    Mistake::new(at.span, format!("unknown step `{word}`"))
        .did_you_mean(word, KINDS.iter().map(|kind| kind.word))
}
