//! Joins and leaves by an `emit` of the very event of the contract: the audit is told that they were asked for, and nobody
//! judges how they are answered.

use serde_json::Value as Json;

use super::audit_target::joined;
use super::{Cx, Reading};
use crate::audit::AuditEvent;
use crate::contract::Verb;
use crate::template::Template;

/// How the contract asks for joins and leaves, as far as an event may be one.
#[derive(Debug)]
pub(super) struct Moves(Vec<Move>);

#[derive(Debug)]
struct Move {
    verb: Verb,
    /// The event and its arguments.
    parts: Vec<Template>,
    /// Which room that is on the server, if it has another name there.
    on_server: Option<Template>,
    /// Whether the contract promises an answer.
    is_answered: bool,
}

impl Moves {
    /// Those that this event may be.
    pub(super) fn read(event: &Template, reading: &Reading<'_>) -> Moves {
        let asks = [Verb::Join, Verb::Leave]
            .into_iter()
            .filter_map(|verb| Some((verb, reading.contract.get(verb)?)));
        let is_other = |known: &Template| {
            let names = event.fixed().zip(known.fixed());
            names.is_some_and(|(event, known)| event != known)
        };
        let asks = asks.filter(|(_, ask)| !is_other(&ask.event));
        let moves = asks.map(|(verb, ask)| Move {
            verb,
            parts: std::iter::once(&ask.event).chain(&ask.args).cloned().collect(),
            on_server: ask.to.clone(),
            is_answered: ask.ack.is_some() || ask.confirmed_by.is_some(),
        });
        Moves(moves.collect())
    }

    /// Tells the audit of an event that is about to be sent, if it is one of them. `data`: its name and arguments; `asks`:
    /// whether the step asks for an answer.
    pub(super) fn tell(&self, cx: &mut Cx<'_, '_>, namespace: &str, data: &str, asks: bool) {
        if self.0.is_empty() || cx.actor.context.audit.is_none() {
            return;
        }
        let Ok(Json::Array(event)) = serde_json::from_str::<Json>(data) else { return };
        for Move { verb, parts, on_server, is_answered } in &self.0 {
            let mut found = Vec::new();
            let mut pairs = parts.iter().zip(&event);
            if event.len() < parts.len() || !pairs.all(|(part, value)| part.may_be(value, "room", &mut found))
            {
                continue;
            }
            // What the name of the room is made of more than of itself only the server tells apart.
            let known = match &found[..] {
                [rooms] => joined(on_server.as_ref(), cx, rooms).ok(),
                _ => None,
            };
            let Some(rooms) = known else {
                cx.record(AuditEvent::Untraced { namespace: Some(namespace) });
                return;
            };
            if *verb == Verb::Join {
                cx.actor.came = cx.actor.context.since(cx.now);
            }
            // An answer is not looked at: so it may refuse.
            let is_answered = *is_answered || asks;
            if !is_answered {
                cx.actor.unread.ask(cx.now);
                cx.actor.has_unread = true;
            }
            let is_movable = cx.actor.context.server_rooms.signs.iter().any(|sign| !sign.enters);
            for room in &rooms {
                cx.record(match verb {
                    Verb::Leave => AuditEvent::Parting { namespace, room, is_answered },
                    _ => AuditEvent::Joining { namespace, room, is_movable },
                });
            }
        }
    }
}
