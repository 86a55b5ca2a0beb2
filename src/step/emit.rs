//! `emit`: one event to the server, with or without an acknowledgement.

use std::time::{Duration, Instant};

use super::demand::{self, Demand};
use super::event_template::EventTemplate;
use super::exchange::{Exchange, Exchanged, say};
use super::reading::event_fields;
use super::schema::{self, Schema, Shape};
use super::{AskedEvent, Cx, Flow, Happening, Progress, Reading, Running, Step};
use crate::contract::{ack_fields, is_error};
use crate::document::{Mistake, Node, Value};
use crate::observe::FailureKind;
use crate::session::Answer;
use crate::template::Template;

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
    let ack = schema::either([schema::flag(), schema::within(demand::shape(), "5 s").schema()]);
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
    demand: Demand,
    within: Duration,
}

impl Ack {
    fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Option<Ack>, Mistake> {
        if let Value::Bool(wanted) = node.value {
            let within = super::reading::PATIENCE;
            return Ok(wanted.then_some(Ack { demand: Demand::default(), within }));
        }
        let fields = ack_fields(node)?;
        let (demand, within) = (Demand::read(&fields, reading)?, reading.within(&fields)?);
        fields.deny_others()?;
        Ok(Some(Ack { demand, within }))
    }

    /// Judges. What the step does not look at may still be an error of the application, and is told.
    fn judge(&self, cx: &mut Cx<'_, '_>, name: &str, answer: &Answer<'_>) {
        if !self.demand.decides() && says_error(&answer.data) {
            let detail = format!("{name}: {}", answer.data);
            let actor = &*cx.actor;
            let cause = "an acknowledgement tells of an error, and the step accepts any: `ack: { args: … }` says which is right";
            cx.observer.trouble(actor.who, cause, &detail, &|| actor.wire_log());
        }
        self.demand.judge(cx, answer);
    }
}

/// Whether an acknowledgement is an error by itself. Most need not be parsed for that.
fn says_error(data: &str) -> bool {
    data.starts_with("[{") && serde_json::from_str(data).is_ok_and(|args| is_error(&args))
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

    fn asks(&self) -> Option<AskedEvent> {
        self.ack.as_ref().map(|_| AskedEvent { event: self.name.clone(), by_contract: false })
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
            Exchanged::Answered(answer) => self.ack.judge(cx, &self.step.name, answer),
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
