//! `expect_frame`: the next raw frame has to look like this. Heartbeats and `noop` are passed over unless asked for.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value as Json, json};

use super::actor::Seen;
use super::{Beyond, Cx, Ears, Flow, Happening, Progress, Reading, Running, Step};
use crate::document::{Fields, Mistake, Node, Value};
use crate::session::Event;
use crate::template::Matcher;

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    let mut within = super::reading::PATIENCE;
    let shape = match &node.value {
        Value::Map(_) => {
            let fields = Fields::of(node, "the step `expect_frame`")?;
            within = reading.within(&fields)?;
            let (kind, value) = fields.one_of(&["text", "binary", "close", "ping", "pong"])?;
            fields.deny_others()?;
            match kind {
                "close" => Shape::Close(Matcher::compile(value, reading.scope)?),
                kind => Shape::Frame(kind, Matcher::compile(value, reading.scope)?),
            }
        }
        _ => {
            node.text()?;
            Shape::Frame("text", Matcher::compile(node, reading.scope)?)
        }
    };
    Ok(Box::new(ExpectFrame { shape, within }))
}

#[derive(Debug)]
enum Shape {
    Frame(&'static str, Matcher),
    Close(Matcher),
}

#[derive(Debug)]
struct ExpectFrame {
    shape: Shape,
    within: Duration,
}

impl ExpectFrame {
    fn wish(&self) -> String {
        match &self.shape {
            Shape::Frame(kind, matcher) => format!("a {kind} frame with {}", matcher.describe()),
            Shape::Close(matcher) => format!("a close frame with code {}", matcher.describe()),
        }
    }

    /// Whether a frame is passed over without a judgement.
    fn ignores(&self, seen: &Seen) -> bool {
        match (seen, &self.shape) {
            (Seen::Text(text), Shape::Frame("text", matcher)) => {
                matches!(text.as_str(), "2" | "6")
                    && matcher.matches(&json!(text), &[], &super::utterance::Nothing).is_err()
            }
            (Seen::Text(text), _) => matches!(text.as_str(), "2" | "6"),
            _ => false,
        }
    }

    fn judge(&self, seen: &Seen, cx: &Cx<'_, '_>) -> Result<(), String> {
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
        let (wanted, matcher) = match &self.shape {
            Shape::Frame(wanted, matcher) => (*wanted, matcher),
            Shape::Close(matcher) => ("close", matcher),
        };
        if wanted != kind {
            return Err(format!("{seen:?}"));
        }
        matcher.matches(&actual, &attachments, cx.actor).map_err(|mismatch| format!("{seen:?}: {mismatch}"))
    }

    fn look(&self, cx: &mut Cx<'_, '_>) -> Flow {
        while let Some(seen) = cx.actor.take_frame() {
            if self.ignores(&seen) {
                continue;
            }
            match self.judge(&seen, cx) {
                Ok(()) => cx.pass(),
                Err(why) => cx.fail(self.wish(), why),
            }
            return Flow::Done;
        }
        Flow::Waiting
    }
}

impl Step for ExpectFrame {
    fn beyond(&self) -> Vec<Beyond> {
        vec![Beyond::Frames]
    }

    fn words(&self) -> String {
        format!("expects {}", self.wish())
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        if self.look(cx) == Flow::Done {
            return Progress::Done;
        }
        if cx.actor.session.is_closed() {
            let why = cx.why_not_connected("/");
            cx.fail(self.wish(), why);
            return Progress::Done;
        }
        Progress::waiting(Looking { step: self, deadline: cx.now + self.within })
    }

    fn hear(&self, ears: &mut Ears) {
        ears.frames = true;
    }
}

#[derive(Debug)]
struct Looking<'p> {
    step: &'p ExpectFrame,
    deadline: Instant,
}

impl<'p> Running<'p> for Looking<'p> {
    fn notice(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        match what {
            Happening::Frame => self.step.look(cx),
            Happening::Event(Event::Closed(why)) => {
                cx.fail(self.step.wish(), format!("the connection ended: {why}"));
                Flow::Done
            }
            Happening::Time if cx.now >= self.deadline => {
                cx.fail(self.step.wish(), format!("no such frame within {:?}", self.step.within));
                Flow::Done
            }
            _ => Flow::Waiting,
        }
    }

    fn wake(&self) -> Option<Instant> {
        Some(self.deadline)
    }
}
