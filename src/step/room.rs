//! `join` and `leave`: the rooms of a client. The contract says how the server is asked, and what the application then
//! tells others by itself.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::audit_target::{self, AuditTarget, Way, joined};
use super::demand::{self, Demand};
use super::event_template::{Encoded, EventTemplate, Words};
use super::expect::Description;
use super::pending::{Pending, Settled};
use super::schema::{self, Schema, Shape};
use super::{AskedEvent, Cx, EventFilter, Flow, Happening, Progress, Reading, Running, Step};
use crate::audit::{AuditEvent, stamp};
use crate::contract::{Acceptance, Confirmation, Verb};
use crate::document::{Fields, Mistake, Node, Value};
use crate::observe::{FailureKind, Metric};
use crate::session::Event;
use crate::template::Template;

pub(super) fn read_join(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    read(node, reading, Verb::Join, "the step `join`")
}

pub(super) fn read_leave(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    read(node, reading, Verb::Leave, "the step `leave`")
}

fn read(node: &Node, reading: &mut Reading<'_>, verb: Verb, what: &str) -> Result<Box<dyn Step>, Mistake> {
    let (room, namespace, within, ack) = match &node.value {
        Value::Map(_) => {
            let fields = Fields::of(node, what)?;
            let room = fields.required("room")?;
            let (namespace, within) = (reading.namespace(&fields)?, reading.within(&fields)?);
            let ack = fields.optional("ack");
            fields.deny_others()?;
            (room, namespace, within, ack)
        }
        _ => (node, None, super::reading::PATIENCE, None),
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
    let told = match (&ask.tells, &ask.confirmed_by) {
        (Some(_), _) => Some("told"),
        (None, Some(_)) => Some("confirmed"),
        (None, None) => None,
    };
    if let Some(told) = told.filter(|_| rooms.len() > 1) {
        let name = verb.name();
        let what = format!("by the contract a `{name}` is {told} in one room, and this names several");
        return Err(room.mistake(what).hint("use one step for each room"));
    }
    let room = Template::compile(room, reading.scope)?;
    let on_server = ask.to.clone();
    let demand = Demand::of_contract(ack, ask.ack.is_some(), reading)?;
    let stamp = Template::from(Json::from(stamp::EMPTY));
    // A room that is calculated is filled in once: chance must not choose one for the server and another for the audit.
    let words = [("stamp", &stamp), ("room", &room)];
    let ask = ask.bind(&words[..if room.fixed().is_some() { 2 } else { 1 }]);
    let event_template = EventTemplate::new(&ask.event, &ask.args);
    let audit_target =
        ask.tells.as_ref().map(|tells| AuditTarget::told(tells, verb, reading.contract.has_history()));
    let confirmation = ask.confirmed_by.map(|Confirmation { event, args, .. }| Description {
        name: super::event_template::in_words(&event),
        event,
        args,
        said: None,
        namespace: None,
    });
    Ok(Box::new(Move {
        verb,
        room,
        on_server,
        namespace,
        within,
        event_template,
        asked: super::event_template::in_words(&ask.event),
        ack: ask.ack,
        demand,
        confirmation,
        audit_target,
    }))
}

fn schema(about: &str) -> Schema {
    let room = || schema::one_or_more(schema::word());
    let map = Shape::new(about).needs("room", room(), "A room, or a list of rooms.").takes(
        "ack",
        demand::schema(),
        "What the server's acknowledgement has to be.",
    );
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
    /// Which room that is on the server, if it has another name there.
    on_server: Option<Template>,
    namespace: Option<Template>,
    within: Duration,
    event_template: EventTemplate,
    ack: Option<Acceptance>,
    /// The event of the contract, for a sentence.
    asked: String,
    demand: Demand,
    /// The event by which the server answers instead.
    confirmation: Option<Description>,
    /// Which clients the application informs of it.
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
        self.ack.is_some() || self.confirmation.is_some()
    }

    fn filter(&self, filter: &mut EventFilter) {
        if let Some(confirmation) = &self.confirmation {
            filter.want(&confirmation.event);
        }
    }

    fn asks(&self) -> Option<AskedEvent> {
        self.ack.as_ref().map(|_| AskedEvent { event: self.asked.clone(), by_contract: true })
    }

    fn messages(&self) -> Option<u64> {
        Some(1)
    }

    fn values(&self, metric: Metric) -> u64 {
        u64::from(match metric {
            Metric::Ack | Metric::AckService => self.ack.is_some(),
            Metric::Delivery | Metric::FanoutFirst | Metric::FanoutLast => self.audit_target.is_some(),
            Metric::Lag => true,
            _ => false,
        })
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
            Some(_) => (namespace.clone(), joined(self.on_server.as_ref(), cx, &words[0].1)?),
            None => Default::default(),
        };
        if self.verb == Verb::Join {
            cx.actor.came = cx.actor.context.since(cx.now);
        }
        let is_answered = self.judges();
        if !is_answered {
            cx.actor.unread.ask(cx.now);
        }
        let is_movable = cx.actor.context.server_rooms.signs.iter().any(|sign| !sign.enters);
        for room in &rooms {
            let (namespace, room) = (&*audited, &**room);
            cx.record(match self.verb {
                Verb::Leave => AuditEvent::Parting { namespace, room, is_answered },
                _ => AuditEvent::Joining { namespace, room, is_movable },
            });
        }
        let mut message = None;
        if let Some(audit_target) = &self.audit_target {
            // Of several rooms, it is not known in how many the application informs the members.
            let audit_target = (rooms.len() <= 1).then_some(audit_target);
            let members: Json = rooms.iter().map(|room| Json::from(&**room)).collect();
            let told = [&members, &Json::Array(Vec::new())];
            let way = Way { sent_in: &namespace, heard_in: &namespace, rooms: told };
            message = audit_target::stamp(cx, encoded.to_mut(), audit_target, &way);
        }
        let words = Vec::from(words);
        let (looked, asked) = (cx.actor.inbox.end(), cx.actor.context.since(cx.now));
        let told = self.confirmation.as_ref().map(|_| (namespace.clone(), words.clone()));
        let pending = Pending::send(cx, namespace, &encoded, self.ack.as_ref(), self.within, words, message)?;
        let wait = match (pending, &self.confirmation, told) {
            (Some(pending), ..) => Wait::Acknowledgement(pending),
            (None, Some(description), Some((namespace, words))) => {
                let values = Words { values: cx.actor, words: &words, i: None };
                let event = description.event.render_text(&values)?.into();
                let (asked, deadline) = (cx.now, cx.now + self.within);
                Wait::Confirmation(Confirming {
                    description,
                    namespace,
                    event,
                    words,
                    looked,
                    asked,
                    deadline,
                    unfit: None,
                })
            }
            (None, ..) => return Ok(None),
        };
        Ok(Some(Moving { step: self, wait, namespace: audited, rooms, asked }))
    }
}

#[derive(Debug)]
struct Moving<'p> {
    step: &'p Move,
    wait: Wait<'p>,
    /// For the audit.
    namespace: Box<str>,
    rooms: Vec<Arc<str>>,
    asked: Duration,
}

#[derive(Debug)]
enum Wait<'p> {
    Acknowledgement(Pending<'p>),
    Confirmation(Confirming<'p>),
}

/// The wait for the event by which the server answers.
#[derive(Debug)]
struct Confirming<'p> {
    description: &'p Description,
    namespace: Box<str>,
    event: Box<str>,
    words: Vec<(&'static str, Json)>,
    /// What stands before this place in the inbox came earlier, or does not fit.
    looked: usize,
    asked: Instant,
    deadline: Instant,
    /// Why the last event of its name did not fit, in words.
    unfit: Option<String>,
}

impl Confirming<'_> {
    /// Takes the event, if it is there. Others of its name are of others, or of another time.
    fn look(&mut self, cx: &mut Cx<'_, '_>) -> Option<Result<(), String>> {
        match self.find(cx) {
            Ok(place) => {
                cx.actor.inbox.take(place);
                cx.has_read(self.asked);
                Some(Ok(()))
            }
            Err(unfit) => {
                self.looked = cx.actor.inbox.end();
                self.unfit = unfit.or(self.unfit.take());
                None
            }
        }
    }

    /// Where it stands, or why the last of its name does not fit, if there is one.
    fn find(&self, cx: &Cx<'_, '_>) -> Result<usize, Option<String>> {
        let values = Words { values: cx.actor, words: &self.words, i: None };
        let mut unfit = None;
        for (place, received) in cx.actor.inbox.named_from(self.looked, &self.namespace, &self.event) {
            match self.description.judge(received, &values, None) {
                Ok(_) => return Ok(place),
                Err(unlike) => unfit = Some(unlike.why),
            }
        }
        Err(unfit)
    }

    /// What came of it, if that is known now; an error is in words.
    fn handle(&mut self, cx: &mut Cx<'_, '_>, what: &Happening<'_>) -> Option<Result<(), String>> {
        match what {
            Happening::Event(Event::ServerEvent(_)) => self.look(cx),
            Happening::Event(Event::Closed(why)) => Some(Err(format!("the connection ended: {why}"))),
            Happening::Time if cx.now >= self.deadline => {
                let (wish, waiting) = (self.description.wish(), cx.actor.inbox.in_words());
                let heard = cx.actor.heard_instead(self.asked);
                let unfit =
                    self.unfit.as_ref().map(|why| format!("; the last of its name did not fit: {why}"));
                let unfit = unfit.unwrap_or_default();
                Some(Err(format!("{wish} did not come in time{unfit}; {waiting}{heard}")))
            }
            _ => None,
        }
    }
}

impl Moving<'_> {
    /// The server said that it is done, or that it will not do it.
    fn answered(&self, cx: &mut Cx<'_, '_>, is_done: bool) {
        for room in &self.rooms {
            let (namespace, room) = (&*self.namespace, &**room);
            match (self.step.verb, is_done) {
                (Verb::Leave, true) => cx.record(AuditEvent::Parted { namespace, room }),
                (_, true) => cx.record(AuditEvent::Joined { namespace, room }),
                // Whether it was there at all, nobody knows.
                (Verb::Leave, false) => {}
                (_, false) => cx.record(AuditEvent::Refused { namespace, room, asked: self.asked.into() }),
            }
        }
    }
}

impl<'p> Running<'p> for Moving<'p> {
    fn handle(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        match &mut self.wait {
            Wait::Acknowledgement(pending) => {
                let Some(settled) = pending.handle(cx, what) else { return Flow::Waiting };
                match settled {
                    Settled::Accepted(_) => self.answered(cx, true),
                    Settled::Refused(..) => self.answered(cx, false),
                    // Nobody knows whether it is there now.
                    Settled::Unclear(..) | Settled::Vague(..) | Settled::Missed(_) => {}
                }
                if let Err(why) = settled.judge(cx, &self.step.demand, false) {
                    cx.miss(FailureKind::Ack, self.step.wish(), why);
                }
            }
            Wait::Confirmation(confirming) => match confirming.handle(cx, what) {
                None => return Flow::Waiting,
                Some(Ok(())) => {
                    self.answered(cx, true);
                    cx.pass();
                }
                Some(Err(why)) => cx.fail(self.step.wish(), why),
            },
        }
        Flow::Done
    }

    fn abandon(&mut self, cx: &mut Cx<'_, 'p>) {
        if let Wait::Acknowledgement(pending) = &mut self.wait {
            pending.abandon(cx);
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        match &self.wait {
            Wait::Acknowledgement(pending) => pending.poll_timeout(),
            Wait::Confirmation(confirming) => Some(confirming.deadline),
        }
    }
}
