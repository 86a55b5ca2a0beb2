//! `join` and `leave`: the rooms of a client. The contract says how the server is asked, and what the application then
//! tells others by itself.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::audit_target::{self, AuditTarget, names};
use super::event_template::{Encoded, EventTemplate, Words};
use super::pending::{Pending, Settled};
use super::schema::{self, Schema, Shape};
use super::{Cx, EventFilter, Flow, Happening, Progress, Reading, Running, Step};
use crate::audit::{AuditEvent, stamp};
use crate::contract::Verb;
use crate::document::{Fields, Mistake, Node, Value};
use crate::observe::FailureKind;
use crate::template::Template;

pub(super) fn read_join(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    read(node, reading, Verb::Join, "the step `join`")
}

pub(super) fn read_leave(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    read(node, reading, Verb::Leave, "the step `leave`")
}

fn read(node: &Node, reading: &mut Reading<'_>, verb: Verb, what: &str) -> Result<Box<dyn Step>, Mistake> {
    let (room, namespace, within) = match &node.value {
        Value::Map(_) => {
            let fields = Fields::of(node, what)?;
            let room = fields.required("room")?;
            let (namespace, within) = (reading.namespace(&fields)?, reading.within(&fields)?);
            fields.deny_others()?;
            (room, namespace, within)
        }
        _ => (node, None, super::reading::PATIENCE),
    };
    let rooms = match &room.value {
        Value::List(rooms) if !rooms.is_empty() => rooms.as_slice(),
        Value::List(_) => return Err(room.mistake("expected at least one room, found an empty list")),
        _ => std::slice::from_ref(room),
    };
    for room in rooms {
        room.word()?;
    }
    let ask = reading.contract.need(verb, node.span)?;
    if ask.tells.is_some() && rooms.len() > 1 {
        let what = format!("by the contract a `{}` is told in one room, and this names several", verb.name());
        return Err(room.mistake(what).hint("take them one after another, in steps of their own"));
    }
    let room = Template::compile(room, reading.scope)?;
    let stamp = Template::from(Json::from(stamp::EMPTY));
    // A room that is reckoned stays open: chance must not choose one for the server and another for the audit.
    let words = [("stamp", &stamp), ("room", &room)];
    let ask = ask.bind(&words[..if room.fixed().is_some() { 2 } else { 1 }]);
    let event_template = EventTemplate::new(&ask.event, &ask.args);
    let audit_target = ask.tells.as_ref().map(|tells| AuditTarget::told(tells, verb));
    Ok(Box::new(Move { verb, room, namespace, within, event_template, ack: ask.ack, audit_target }))
}

fn schema(about: &str) -> Schema {
    let room = || schema::one_or_more(schema::word());
    let map = Shape::new(about).needs("room", room(), "A room, or a list of rooms.");
    let map = schema::within(schema::namespace(map), "5 s").schema();
    schema::told(schema::either([schema::word(), schema::some(schema::word()), map]), about)
}

pub(super) fn schema_join() -> Schema {
    schema("Asks the server to put the client into a room, in the words of the contract.")
}

pub(super) fn schema_leave() -> Schema {
    schema("Asks the server to take the client out of a room, in the words of the contract.")
}

#[derive(Debug)]
struct Move {
    verb: Verb,
    room: Template,
    namespace: Option<Template>,
    within: Duration,
    event_template: EventTemplate,
    ack: bool,
    /// Who is told of it by the application.
    audit_target: Option<AuditTarget>,
}

impl Step for Move {
    fn words(&self) -> String {
        let room = match self.room.fixed() {
            Some(serde_json::Value::String(room)) => room.clone(),
            Some(rooms) => rooms.to_string(),
            None => self.room.in_words(),
        };
        match self.verb {
            Verb::Leave => format!("leaves {room}"),
            _ => format!("joins {room}"),
        }
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        match self.ask(cx) {
            Ok(Some(running)) => Progress::waiting(running),
            Ok(None) => Progress::Done,
            Err(why) => {
                cx.fail(self.wish(), why);
                Progress::Done
            }
        }
    }

    fn judges(&self) -> bool {
        self.ack
    }

    fn messages(&self) -> Option<u64> {
        Some(1)
    }

    fn stamps(&self) -> bool {
        self.audit_target.is_some()
    }

    fn audit(&self, events: &mut EventFilter) {
        if let Some(audit_target) = &self.audit_target {
            audit_target.want(events);
        }
    }
}

impl Move {
    fn wish(&self) -> String {
        format!("that the client {}", self.words())
    }

    fn ask<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Result<Option<Moving<'p>>, String> {
        let namespace = cx.namespace(self.namespace.as_ref())?;
        let words = [("room", self.room.render(cx.actor)?)];
        let values = Words { values: cx.actor, words: &words, i: None };
        let mut encoded: Cow<'_, Encoded> = self.event_template.encode(&values)?;
        let (audited, rooms) = match cx.actor.context.audit {
            Some(_) => (namespace.clone(), names(&words[0].1)),
            None => Default::default(),
        };
        for room in &rooms {
            let (namespace, room) = (&*audited, &**room);
            cx.record(match self.verb {
                Verb::Leave => AuditEvent::Parting { namespace, room },
                _ => AuditEvent::Joining { namespace, room },
            });
        }
        let mut message = None;
        if let Some(audit_target) = &self.audit_target {
            // In how many of several rooms it is told, nobody knows.
            let audit_target = (rooms.len() <= 1).then_some(audit_target);
            let told = [&words[0].1, &Json::Array(Vec::new())];
            message = audit_target::stamp(cx, encoded.to_mut(), audit_target, &namespace, told);
        }
        let pending = Pending::send(cx, namespace, &encoded, self.ack, self.within, message)?;
        Ok(pending.map(|pending| Moving { step: self, pending, namespace: audited, rooms }))
    }
}

#[derive(Debug)]
struct Moving<'p> {
    step: &'p Move,
    pending: Pending,
    /// For the audit.
    namespace: Box<str>,
    rooms: Vec<Arc<str>>,
}

impl Moving<'_> {
    /// The server said that it is done.
    fn acknowledged(&self, cx: &mut Cx<'_, '_>) {
        for room in &self.rooms {
            let (namespace, room) = (&*self.namespace, &**room);
            cx.record(match self.step.verb {
                Verb::Leave => AuditEvent::Parted { namespace, room },
                _ => AuditEvent::Joined { namespace, room },
            });
        }
    }
}

impl<'p> Running<'p> for Moving<'p> {
    fn handle(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        match self.pending.handle(cx, what) {
            None => return Flow::Waiting,
            Some(Settled::Acknowledged(_)) => {
                self.acknowledged(cx);
                cx.pass();
            }
            Some(Settled::Missed(why)) => cx.miss(FailureKind::Ack, self.step.wish(), why),
        }
        Flow::Done
    }

    fn abandon(&mut self, cx: &mut Cx<'_, 'p>) {
        self.pending.abandon(cx);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.pending.poll_timeout()
    }
}
