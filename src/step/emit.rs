//! `emit`: one event to the server, with or without an acknowledgement, with or without an event in response.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use super::awaited::{Awaiting, Response};
use super::demand::{self, Demand};
use super::event_template::{Encoded, EventTemplate, in_words};
use super::exchange::{Exchange, Exchanged, say};
use super::pending::{End, settle};
use super::reading::event_fields;
use super::schema::{self, Schema, Shape};
use super::told::{self, Stamped};
use super::unasked::Moves;
use super::{AskedEvent, Cx, EventFilter, Flow, Happening, Progress, Reading, Running, Step};
use crate::audit::SentMessage;
use crate::contract::{ack_fields, says_error, says_yes};
use crate::document::{Mistake, Node, Value};
use crate::observe::{Counter, FailureKind, Metric};
use crate::session::Answer;
use crate::template::Template;

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    let fields = event_fields(node, "emit")?;
    let event = Template::compile_text(fields.required("event")?, reading.scope)?;
    let args = fields.optional("args").map_or(Ok(&[][..]), Node::list)?;
    let (args, is_stamped) = told::with_stamp(reading.scope, |scope| {
        args.iter().map(|item| Template::compile(item, scope)).collect()
    })?;
    let stamped = Stamped::read(&fields, is_stamped, reading)?;
    let namespace = reading.namespace(&fields)?;
    let ack = fields.optional("ack").map(|node| Ack::read(node, reading)).transpose()?.flatten();
    let response = fields.optional("response").map(|node| Response::read(node, reading)).transpose()?;
    fields.deny_others()?;
    let name = in_words(&event);
    let (event_template, moves) = (EventTemplate::new(&event, &args), Moves::read(&event, reading));
    Ok(Box::new(Emit { name, event_template, moves, stamped, namespace, ack, response }))
}

pub(super) fn schema() -> Schema {
    let ack = schema::either([schema::flag(), schema::within(demand::shape(), "5 s").schema()]);
    let shape = Shape::new("Sends one event to the server.")
        .needs("event", schema::event(), "The name of the event.")
        .takes("args", schema::list(schema::value()), "Its arguments.")
        .takes("ack", ack, "Demands an acknowledgement. Without it nothing is judged.")
        .takes("response", Response::schema(), "The event with which the server has to answer.")
        .takes("tells", Stamped::schema(), "What the server sends to others because of it.");
    schema::namespace(shape).schema()
}

#[derive(Debug)]
struct Emit {
    name: String,
    event_template: EventTemplate,
    /// The joins and leaves that it may be by the contract.
    moves: Moves,
    /// Whether a stamp travels in it, and to whom.
    stamped: Option<Stamped>,
    namespace: Option<Template>,
    ack: Option<Ack>,
    response: Option<Response>,
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

    /// Judges; whether it is as it should be. What the step does not look at may still be an error of the application, and is
    /// told.
    fn judge(&self, cx: &mut Cx<'_, '_>, name: &str, answer: &Answer<'_>) -> bool {
        if !self.demand.decides() && says_error(&answer.data) {
            let detail = format!("{name}: {}", answer.data);
            let actor = &*cx.actor;
            let cause = "an acknowledgement tells of an error, and the step accepts any: `ack: { args: … }` says which is right";
            cx.observer.trouble(actor.who, cause, &detail, &|| actor.wire_log());
        }
        self.demand.judge(cx, answer)
    }
}

impl Step for Emit {
    fn words(&self) -> String {
        let awaits = match (&self.ack, &self.response) {
            (None, None) => String::new(),
            (Some(_), None) => " and waits for its acknowledgement".to_owned(),
            (None, Some(response)) => format!(" and waits for {} in response", response.name()),
            (Some(_), Some(response)) => {
                format!(" and waits for its acknowledgement, and for {} in response", response.name())
            }
        };
        format!("emits {}{awaits}", self.name)
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        match self.send(cx) {
            Ok(emitting) if emitting.is_done() => Progress::Done,
            Ok(emitting) => Progress::waiting(emitting),
            Err(why) => {
                cx.fail(format!("to emit {}", self.name), why);
                Progress::Done
            }
        }
    }

    fn judges(&self) -> bool {
        self.ack.is_some() || self.response.is_some()
    }

    fn asks(&self) -> Option<AskedEvent> {
        self.ack.as_ref().map(|_| AskedEvent { event: self.name.clone(), by_contract: false })
    }

    fn messages(&self) -> Option<u64> {
        Some(1)
    }

    fn values(&self, metric: Metric) -> u64 {
        u64::from(match metric {
            Metric::Ack | Metric::AckService => self.ack.is_some(),
            Metric::Response | Metric::ResponseService => self.response.is_some(),
            Metric::Delivery | Metric::FanoutFirst | Metric::FanoutLast => self.stamped.is_some(),
            Metric::Lag => true,
            _ => false,
        })
    }

    fn stamps(&self) -> bool {
        self.stamped.is_some()
    }

    fn audit(&self, events: &mut EventFilter) {
        if let Some(stamped) = &self.stamped {
            stamped.want(events);
        }
    }
}

impl Emit {
    fn send<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Result<Emitting<'p>, String> {
        let namespace = cx.namespace(self.namespace.as_ref())?;
        let awaiting = self.response.as_ref().map(|response| response.begin(cx, &namespace)).transpose()?;
        let mut encoded: Cow<'_, Encoded> = self.event_template.encode(cx.actor)?;
        let mut message = match &self.stamped {
            Some(stamped) => stamped.put(cx, encoded.to_mut(), &namespace)?,
            None => None,
        };
        let asks = self.ack.is_some() || self.response.is_some();
        self.moves.tell(cx, &namespace, &encoded.data, asks);
        let exchange = match &self.ack {
            Some(ack) => {
                let exchange = Exchange::begin(cx, namespace, &encoded, ack.within)?;
                Some((ack, exchange))
            }
            None => {
                say(cx, &namespace, &encoded)?;
                cx.actor.has_unread |= message.is_some();
                settle(cx, message.take(), End::Unknown);
                None
            }
        };
        if awaiting.is_some() {
            cx.observer.count(Counter::ResponseAsked, 1);
        }
        Ok(Emitting { step: self, exchange, awaiting, message })
    }
}

/// An event that was sent, and what is awaited.
#[derive(Debug)]
struct Emitting<'p> {
    step: &'p Emit,
    exchange: Option<(&'p Ack, Exchange)>,
    awaiting: Option<Awaiting<'p>>,
    /// What the audit has to know of it, until it is settled.
    message: Option<Box<SentMessage>>,
}

impl Emitting<'_> {
    fn is_done(&self) -> bool {
        self.exchange.is_none() && self.awaiting.is_none()
    }
}

impl<'p> Running<'p> for Emitting<'p> {
    fn handle(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        if let Some((ack, exchange)) = &self.exchange {
            let exchanged = exchange.handle(cx, what);
            match exchanged {
                Exchanged::Answered(answer) => {
                    let message = self.message.take();
                    let is_held = ack.judge(cx, &self.step.name, answer);
                    let is_wanted = is_held && ack.demand.decides();
                    let end = match is_held {
                        _ if !is_wanted && says_error(&answer.data) => End::Refused,
                        // It may be the answer to a question, or a refusal, or a text that may be anything.
                        _ if !is_wanted && !says_yes(&answer.data) => End::Unheard,
                        true => End::Handled,
                        // That it is not as the step wants it does not say that the server refused.
                        false => End::Unheard,
                    };
                    settle(cx, message, end);
                    self.exchange = None;
                }
                Exchanged::Missed(why) => {
                    settle(cx, self.message.take(), End::Unknown);
                    cx.miss(FailureKind::Ack, format!("an acknowledgement of {}", self.step.name), why);
                    self.exchange = None;
                }
                Exchanged::Waiting => {}
            }
        }
        if self.awaiting.as_mut().is_some_and(|awaiting| awaiting.handle(cx, what)) {
            self.awaiting = None;
        }
        if self.is_done() { Flow::Done } else { Flow::Waiting }
    }

    fn abandon(&mut self, cx: &mut Cx<'_, 'p>) {
        settle(cx, self.message.take(), End::Unknown);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let acknowledged = self.exchange.as_ref().and_then(|(_, exchange)| exchange.poll_timeout());
        let answered = self.awaiting.as_ref().map(Awaiting::poll_timeout);
        [acknowledged, answered].into_iter().flatten().min()
    }
}
