//! `say` and `said`: a broadcast of one text, in whatever event the contract has for it, and how its receivers know it.
//!
//! A message of the own run is told by its stamp from whatever else the application sends under the same name; its text may
//! stand anywhere in it, because each application has a form of its own for what it passes on.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::Value as Json;

use super::Reading;
use super::event_template::put_texts;
use super::inbox::Received;
use crate::audit::stamp::Stamp;
use crate::contract::{Contract, Verb};
use crate::document::{Fields, Key, Mistake, Node, Value};
use crate::template::{Matcher, Template, Values};

/// The key of a broadcast of one text.
pub(super) const SAY: &str = "say";

/// The key for the receivers.
pub(super) const SAID: &str = "said";

/// The event where the contract leaves its name to the step.
const EVENT: &str = "said";

/// A broadcast that says a text, spelt out: with its arguments, and an event if the contract wants one.
pub(super) fn spelt_out<'n>(node: &'n Node, contract: &Contract) -> Result<Cow<'n, Node>, Mistake> {
    let Value::Map(entries) = &node.value else { return Ok(Cow::Borrowed(node)) };
    let Some(place) = entries.iter().position(|(key, _)| key.text == SAY) else {
        return Ok(Cow::Borrowed(node));
    };
    let mut entries = entries.clone();
    let (key, text) = entries.remove(place);
    text.word()?;
    let others = ["event", "args", "bytes", "stamp", "collect"];
    if let Some((other, _)) = entries.iter().find(|(key, _)| others.contains(&key.text.as_str())) {
        return Err(other
            .mistake(format!("`say` says it all, and `{}` stands beside it", other.text))
            .hint("keep one of them"));
    }
    let span = text.span;
    let named = |name: &str| Key { text: name.to_owned(), ..key.clone() };
    if contract.get(Verb::Broadcast).is_some_and(|ask| ask.uses("event")) {
        entries.push((named("event"), Node { span, value: Value::Text(EVENT.to_owned()) }));
    }
    entries.push((named("args"), Node { span, value: Value::List(vec![text]) }));
    Ok(Cow::Owned(Node { span: node.span, value: Value::Map(entries) }))
}

/// What the receivers of such a broadcast look for.
#[derive(Debug)]
pub(super) struct Said(Matcher);

impl Said {
    /// From `said`, which stands in the place of `event` and `args`; with the name of the event that carries it.
    pub(super) fn read(
        fields: &Fields<'_>,
        node: &Node,
        reading: &mut Reading<'_>,
    ) -> Result<(Template, Said), Mistake> {
        for other in ["event", "args"] {
            if let Some((key, _)) = fields.entry(other) {
                return Err(key
                    .mistake(format!("`said` says it all, and `{other}` stands beside it"))
                    .hint("keep one of them"));
            }
        }
        let ask = reading.contract.need(Verb::Broadcast, node.span)?;
        let event = ask.arrives_as.bind(&[("event", &Template::from(Json::from(EVENT)))]);
        Ok((event, Said(Matcher::compile(node, reading.scope)?)))
    }

    /// Whether it is a message of this run, and no other event of the same name.
    pub(super) fn concerns(received: &Received, run: u16) -> bool {
        Stamp::of_event(&received.data, &received.attachments).any(|stamp| stamp.run == run)
    }

    /// Whether the text stands in these arguments, or is an attachment of theirs.
    ///
    /// # Errors
    /// In words, how they differ.
    pub(super) fn judge(
        &self,
        args: &Json,
        attachments: &[Bytes],
        values: &dyn Values,
    ) -> Result<(), String> {
        let mut args = Cow::Borrowed(args);
        if !attachments.is_empty() {
            let bare: Vec<Bytes> = attachments.iter().map(Stamp::strip_bytes).collect();
            put_texts(args.to_mut(), &bare);
        }
        match self.is_in(&args, values) {
            true => Ok(()),
            false => Err(format!("{args}: nowhere in it is {}", self.0.describe_with(values))),
        }
    }

    fn is_in(&self, value: &Json, values: &dyn Values) -> bool {
        match value {
            Json::Array(items) => items.iter().any(|item| self.is_in(item, values)),
            Json::Object(entries) => entries.values().any(|item| self.is_in(item, values)),
            text => self.0.matches(text, &[], values).is_ok(),
        }
    }

    pub(super) fn counts_rounds(&self) -> bool {
        self.0.counts_rounds()
    }

    /// What is looked for, in words.
    pub(super) fn wish(&self) -> String {
        self.0.describe()
    }
}
