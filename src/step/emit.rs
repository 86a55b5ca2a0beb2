//! `emit`: one event to the server, with or without an acknowledgement.

use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::event_template::EventTemplate;
use super::exchange::{Exchange, Exchanged, say};
use super::reading::event_fields;
use super::schema::{self, Schema, Shape};
use super::{Cx, Flow, Happening, Progress, Reading, Running, Step, capture};
use crate::document::{Fields, Mistake, Node, Value};
use crate::observe::FailureKind;
use crate::session::Answer;
use crate::template::{Matcher, Slot, Template};

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    let fields = event_fields(node, "emit")?;
    let event = Template::compile_text(fields.required("event")?, reading.scope)?;
    let args = reading.list(&fields, "args")?;
    let namespace = reading.namespace(&fields)?;
    let ack = fields.optional("ack").map(|node| Ack::read(node, reading)).transpose()?.flatten();
    fields.deny_others()?;
    let name = in_words(&event);
    Ok(Box::new(Emit { name, event_template: EventTemplate::new(&event, &args), namespace, ack }))
}

pub(super) fn schema() -> Schema {
    let ack = Shape::new("What the acknowledgement has to be.")
        .takes("args", schema::matcher(), "Its arguments: a list of matchers.")
        .takes("capture", schema::name(), "Keeps its arguments under this name.");
    let ack = schema::either([schema::flag(), schema::within(ack, "5 s").schema()]);
    let shape = Shape::new("Sends one event to the server.")
        .needs("event", schema::event(), "The name of the event.")
        .takes("args", schema::list(schema::value()), "Its arguments.")
        .takes("ack", ack, "Demands an acknowledgement. Without it nothing is judged.");
    schema::namespace(shape).schema()
}

/// The name of an event, for a sentence.
pub(super) fn in_words(event: &Template) -> String {
    format!("`{}`", event.in_words())
}

#[derive(Debug)]
struct Emit {
    name: String,
    event_template: EventTemplate,
    namespace: Option<Template>,
    ack: Option<Ack>,
}

/// What an acknowledgement should be.
#[derive(Debug)]
struct Ack {
    args: Option<Matcher>,
    within: Duration,
    capture: Option<Slot>,
}

impl Ack {
    fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Option<Ack>, Mistake> {
        if let Value::Bool(wanted) = node.value {
            let within = super::reading::PATIENCE;
            return Ok(wanted.then_some(Ack { args: None, within, capture: None }));
        }
        let fields = Fields::of(node, "the acknowledgement").map_err(|mistake| match node.bool() {
            // `yes` and `no` have a hint of their own.
            Err(wanted) if wanted.hint.is_some() => wanted,
            _ => mistake.hint("write `ack: true`, or `ack: { args: [ok] }`"),
        })?;
        let args = match fields.optional("args") {
            None => None,
            Some(args) => {
                args.list()?;
                Some(Matcher::compile(args, reading.scope)?)
            }
        };
        let within = reading.within(&fields)?;
        let capture = capture::read(&fields, reading)?;
        fields.deny_others()?;
        Ok(Some(Ack { args, within, capture }))
    }

    fn judge(&self, cx: &mut Cx<'_, '_>, answer: &Answer<'_>) {
        if self.args.is_none() && self.capture.is_none() {
            return cx.pass();
        }
        let Ok(args) = serde_json::from_str::<Json>(&answer.data) else {
            return cx.fail("an acknowledgement with a JSON array", answer.data.as_ref());
        };
        if let Some(slot) = &self.capture {
            capture::keep(cx, slot, &args);
        }
        match self.args.as_ref().map(|wanted| wanted.matches(&args, &answer.attachments, cx.actor)) {
            Some(Err(mismatch)) => {
                let wanted = self.args.as_ref().map(Matcher::describe).unwrap_or_default();
                cx.fail(
                    format!("an acknowledgement with {wanted}"),
                    format!("an acknowledgement with {}: {mismatch}", answer.data),
                );
            }
            _ => cx.pass(),
        }
    }
}

impl Step for Emit {
    fn words(&self) -> String {
        match self.ack {
            Some(_) => format!("emits {} and waits for its acknowledgement", self.name),
            None => format!("emits {}", self.name),
        }
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        let begun = cx.namespace(self.namespace.as_ref()).and_then(|namespace| {
            let encoded = self.event_template.encode(cx.actor)?;
            match &self.ack {
                Some(ack) => Exchange::begin(cx, namespace, &encoded, ack.within).map(Some),
                None => say(cx, &namespace, &encoded).map(|()| None),
            }
        });
        match (begun, &self.ack) {
            (Ok(Some(exchange)), Some(ack)) => Progress::waiting(Emitting { step: self, ack, exchange }),
            (Ok(_), _) => Progress::Done,
            (Err(why), _) => {
                cx.fail(format!("to emit {}", self.name), why);
                Progress::Done
            }
        }
    }

    fn judges(&self) -> bool {
        self.ack.is_some()
    }

    fn messages(&self) -> Option<u64> {
        Some(1)
    }
}

#[derive(Debug)]
struct Emitting<'p> {
    step: &'p Emit,
    ack: &'p Ack,
    exchange: Exchange,
}

impl<'p> Running<'p> for Emitting<'p> {
    fn handle(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        match self.exchange.handle(cx, what) {
            Exchanged::Answered(answer) => self.ack.judge(cx, answer),
            Exchanged::Missed(why) => {
                cx.miss(FailureKind::Ack, format!("an acknowledgement of {}", self.step.name), why);
            }
            Exchanged::Waiting => return Flow::Waiting,
        }
        Flow::Done
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.exchange.poll_timeout()
    }
}
