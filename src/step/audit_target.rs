//! Who is to receive a stamped message: what the audit has to know of a `broadcast`, and of a `join` or `leave` of which the
//! application tells others.

use std::sync::Arc;

use serde_json::Value as Json;

use super::event_template::{Encoded, Words};
use super::{Cx, EventFilter};
use crate::audit::stamp::Stamp;
use crate::audit::{self, Origin, Sender, SentMessage};
use crate::contract::{Order, Reach, Senders, Tells, Verb};
use crate::template::Template;

/// The word that stands for a stamp.
pub(super) const STAMP: &str = "stamp";

/// Who is to receive it.
#[derive(Debug)]
pub(super) struct AuditTarget {
    /// The name of the event under which it arrives.
    pub(super) arrives_as: Template,
    /// Whether it is known to whom it goes.
    pub(super) is_aimed: bool,
    pub(super) sender: Sender,
    pub(super) origin: Origin,
    pub(super) order: audit::Order,
    pub(super) may_be_refused: bool,
    pub(super) may_be_lost: bool,
    pub(super) is_kept: bool,
    pub(super) has_history: bool,
}

impl AuditTarget {
    /// Those in the room who are told of a join or a leave.
    pub(super) fn told(tells: &Tells, verb: Verb, has_history: bool) -> AuditTarget {
        AuditTarget {
            arrives_as: tells.event.clone(),
            is_aimed: true,
            sender: reached(tells.reaches),
            origin: if verb == Verb::Leave { Origin::Inside } else { Origin::Outside },
            order: audit::Order::Acknowledged,
            may_be_refused: false,
            may_be_lost: false,
            is_kept: true,
            has_history,
        }
    }

    /// Listens to what arrives.
    pub(super) fn want(&self, events: &mut EventFilter) {
        events.want(&self.arrives_as);
    }

    /// Which of the audited events it arrives as.
    fn place(&self, cx: &Cx<'_, '_>) -> Option<u16> {
        let name = self.arrives_as.fixed()?.as_str()?;
        cx.actor.context.arrivals.events.place(name)
    }

    fn message(&self, cx: &Cx<'_, '_>, stamp: Stamp, is_stamped: bool, way: &Way<'_>) -> SentMessage {
        let Way { sent_in, heard_in, rooms: [to, except] } = *way;
        let sent = cx.actor.context.since(cx.now);
        SentMessage {
            key: stamp.key,
            node: 0,
            sent_in: sent_in.into(),
            namespace: heard_in.into(),
            is_stamped,
            is_aimed: self.is_aimed,
            to: names(to),
            except: names(except),
            sender: self.sender,
            origin: self.origin,
            strays: Vec::new(),
            may_come_too_late: false,
            blur: audit::Moment::ZERO,
            order: self.order,
            may_be_refused: self.may_be_refused,
            may_be_lost: self.may_be_lost,
            is_refused: false,
            has_history: self.has_history,
            heard_as: self.place(cx).unwrap_or(audit::ANY_EVENT),
            is_kept: self.is_kept,
            due: stamp.due.into(),
            sent: sent.into(),
            handled: None,
            settled: sent.into(),
        }
    }
}

/// Whether the sender is among the receivers, where the contract may say so.
pub(super) fn reached(reaches: Option<Reach>) -> Sender {
    match reaches {
        Some(Reach::Everyone) => Sender::Included,
        Some(Reach::Others) => Sender::Excluded,
        None => Sender::Unknown,
    }
}

/// Where the sender has to be.
pub(super) fn origin(senders: Senders) -> Origin {
    match senders {
        Senders::Members => Origin::Inside,
        Senders::Anyone => Origin::Anywhere,
    }
}

/// In which order the sender's messages are handled.
pub(super) fn order(order: Order) -> audit::Order {
    match order {
        Order::Sent => audit::Order::Sent,
        Order::None => audit::Order::Unknown,
    }
}

/// Where a message goes from, and where it is to be heard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way<'a> {
    /// The namespace in which it is sent.
    pub(super) sent_in: &'a str,
    /// The namespace in which it is heard.
    pub(super) heard_in: &'a str,
    /// The rooms that it goes to, and those that are left out.
    pub(super) rooms: [&'a Json; 2],
}

/// Puts a stamp into what is about to be sent. Gives what the audit has to know when it is settled, if somebody is to
/// look who receives it.
pub(super) fn stamp(
    cx: &mut Cx<'_, '_>,
    encoded: &mut Encoded,
    audit_target: Option<&AuditTarget>,
    way: &Way<'_>,
) -> Option<Box<SentMessage>> {
    let stamp = cx.actor.stamp(cx.due, cx.label, audit_target.is_some());
    let is_stamped = encoded.stamp(&stamp);
    let audit_target = audit_target.filter(|_| cx.actor.context.audit.is_some());
    audit_target.map(|audit_target| Box::new(audit_target.message(cx, stamp, is_stamped, way)))
}

/// The names of rooms: of one, or of a list.
pub(super) fn names(rooms: &Json) -> Vec<Arc<str>> {
    match rooms {
        Json::Array(rooms) => rooms.iter().flat_map(names).collect(),
        Json::String(name) => vec![name.as_str().into()],
        other => vec![other.to_string().into()],
    }
}

/// The rooms by which the audit knows those that a step names: by the contract's `to`, of what the step names and what the client
/// sent with CONNECT.
pub(super) fn by_contract(
    to: &Template,
    cx: &Cx<'_, '_>,
    words: &[(&'static str, Json)],
) -> Result<Json, String> {
    let words: Vec<_> = words.iter().cloned().chain(cx.actor.standing.words()).collect();
    to.render(&Words { values: &*cx.actor, words: &words, i: None })
}

/// The same of each room that a `join` or a `leave` names. Without `to`, they are those that it names.
pub(super) fn joined(to: Option<&Template>, cx: &Cx<'_, '_>, rooms: &Json) -> Result<Vec<Arc<str>>, String> {
    let named = names(rooms);
    let Some(to) = to else { return Ok(named) };
    let each = named.iter().map(|room| by_contract(to, cx, &[("room", Json::from(&**room))]));
    Ok(each.collect::<Result<Vec<_>, _>>()?.iter().flat_map(names).collect())
}
