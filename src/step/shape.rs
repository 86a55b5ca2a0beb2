//! How a raw frame should look, for the steps that look at frames.

use bytes::Bytes;
use serde_json::{Value as Json, json};

use super::frames::Seen;
use super::{Reading, schema};
use crate::document::{Fields, Mistake, Node};
use crate::protocol::Rule;
use crate::template::{Matcher, Nothing, Values};

/// The kinds of frames, as scenarios name them.
const KINDS: [&str; 5] = ["text", "binary", "close", "ping", "pong"];

/// How a raw frame should look.
#[derive(Debug)]
pub(super) struct Shape {
    kind: &'static str,
    matcher: Matcher,
}

impl Shape {
    /// A frame of this text.
    pub(super) fn text(node: &Node, reading: &mut Reading<'_>) -> Result<Shape, Mistake> {
        node.text()?;
        Ok(Shape { kind: "text", matcher: Matcher::compile(node, reading.scope)? })
    }

    /// The one field among these that says how it should look.
    pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Result<Shape, Mistake> {
        let (kind, value) = fields.one_of(&KINDS)?;
        Ok(Shape { kind, matcher: Matcher::compile(value, reading.scope)? })
    }

    pub(super) fn is_text(&self) -> bool {
        self.kind == "text"
    }

    pub(super) fn is_binary(&self) -> bool {
        self.kind == "binary"
    }

    pub(super) fn is_close(&self) -> bool {
        self.kind == "close"
    }

    /// The rule that a server breaks that does not send it, where only one demands just this.
    pub(super) fn demanded(&self) -> Option<Rule> {
        let message = || wanted_message(&self.matcher.describe()).filter(|_| self.is_text());
        self.demanded_at_once().or_else(message)
    }

    /// The same, of a server that sends another frame in its place.
    pub(super) fn demanded_at_once(&self) -> Option<Rule> {
        match self.matcher.describe().as_str() {
            "the text \"3probe\"" if self.is_text() => Some(Rule::UpgradeProbe),
            "the text \"6\"" if self.is_text() => Some(Rule::UpgradeRelease),
            _ => None,
        }
    }

    /// The rule that a server breaks that sends this text in the place of it: the acknowledgement that is meant, with other data.
    pub(super) fn spoilt(&self, text: &str) -> Option<Rule> {
        let wanted = self.matcher.describe();
        let head = wanted.strip_prefix("a text that matches /")?.trim_start_matches("(?s)");
        let (head, _) = head.strip_prefix('^').filter(|_| self.is_text())?.split_once(r"\[")?;
        let is_it = |head: &str| text.strip_prefix(head).is_some_and(|rest| rest.starts_with('['));
        match head.as_bytes() {
            [b'4', b'3', ..] => is_it(head).then_some(Rule::AckSpoilt),
            [b'4', b'6', ..] => {
                let without_bytes = head.split_once('-').is_some_and(|(_, rest)| is_it(&format!("43{rest}")));
                (is_it(head) || without_bytes).then_some(Rule::AckBytes)
            }
            _ => None,
        }
    }

    /// In words, after an article.
    pub(super) fn wish(&self) -> String {
        let wanted = self.matcher.describe();
        match self.kind {
            "close" => format!("close frame with code {wanted}"),
            kind => format!("{kind} frame with {wanted}"),
        }
    }

    /// Whether a frame is passed over by who waits for the next one: heartbeats, `noop`, and the pings and pongs of the WebSocket
    /// itself, unless asked for.
    pub(super) fn ignores(&self, seen: &Seen) -> bool {
        match seen {
            Seen::Text(text) if matches!(text.as_str(), "2" | "6") => {
                !self.is_text() || self.matcher.matches(&json!(text), &[], &Nothing).is_err()
            }
            Seen::Ping(_) => self.kind != "ping",
            Seen::Pong(_) => self.kind != "pong",
            _ => false,
        }
    }

    /// Whether a frame looks so; if not, what it is instead.
    pub(super) fn judge(&self, seen: &Seen, values: &dyn Values) -> Result<(), String> {
        let bytes = |bytes: &Bytes| (json!({ "_placeholder": true, "num": 0 }), vec![bytes.clone()]);
        let (kind, actual, attachments) = match seen {
            Seen::Text(text) => ("text", json!(text), Vec::new()),
            Seen::Binary(payload) => {
                let (value, attachments) = bytes(payload);
                ("binary", value, attachments)
            }
            Seen::Ping(payload) => ("ping", json!(String::from_utf8_lossy(payload)), Vec::new()),
            Seen::Pong(payload) => ("pong", json!(String::from_utf8_lossy(payload)), Vec::new()),
            Seen::Close(code, _) => ("close", code.map_or(Json::Null, |code| json!(code)), Vec::new()),
        };
        if self.kind != kind {
            return Err(seen.in_words());
        }
        self.matcher
            .matches(&actual, &attachments, values)
            .map_err(|mismatch| format!("{}: {mismatch}", seen.in_words()))
    }

    /// What is kept of a text that fits.
    pub(super) fn captured(&self, seen: &Seen) -> Result<Json, String> {
        match seen {
            Seen::Text(text) => Matcher::captured(Some(&self.matcher), text).map(Json::from),
            seen => Err(seen.in_words()),
        }
    }
}

/// The rule that a server breaks that does not send such a message: an event, an acknowledgement or the answer to CONNECT.
fn wanted_message(wanted: &str) -> Option<Rule> {
    let text = wanted.strip_prefix("a text that matches /")?.trim_start_matches("(?s)").strip_prefix("^4")?;
    match text.as_bytes().first()? {
        b'2' => Some(Rule::EventLost),
        b'3' => Some(Rule::AckMissing),
        b'5' => Some(Rule::BinaryLost),
        b'6' => Some(Rule::AckBytes),
        b'0' | b'4' | b'[' => Some(Rule::ConnectUnanswered),
        _ => None,
    }
}

/// The one field that says how a frame should look.
pub(super) fn schema(about: &str) -> schema::Shape {
    let kinds = KINDS.into_iter();
    kinds
        .fold(schema::Shape::new(about), |shape, kind| {
            shape.takes(kind, schema::matcher(), "What the frame of this kind has to hold.")
        })
        .one_of(&KINDS)
}
