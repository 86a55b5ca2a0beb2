//! What a client makes of an event that arrives: the messages that it brings, what the protocol says of it, and its answer.

use std::collections::HashSet;

use super::{Client, Io, MOST_THOUGHTS, Thought};
use crate::audit::stamp::{self, Stamp};
use crate::audit::{ANY_EVENT, AuditEvent};
use crate::observe::{Counter, Label, Metric};
use crate::protocol::Rule;
use crate::protocol::dialect::Pings;
use crate::protocol::socket_io::{self, Kind};
use crate::session::ServerEvent;
use crate::step::{heed_rooms, silence};

/// What the fixture says once to each client that connects.
const WELCOME: &str = "auth";

impl Client<'_> {
    /// A ping of the server came, and was answered; or the answer to one of the client's.
    pub(super) fn beat(&mut self, io: &mut Io<'_>) {
        io.observer.count(Counter::Heartbeats, 1);
        let is_answered = self.actor.session.dialect().pings == Pings::Server && !self.actor.by_hand;
        let Some(handshake) = self.actor.session.handshake().filter(|_| is_answered) else { return };
        self.actor.signs.was_pinged = true;
        if let Some(ponged) = self.actor.unread.ping(io.now, handshake.ping_timeout) {
            self.record(io, AuditEvent::Pinged { ponged: self.actor.context.since(ponged).into() });
        }
    }

    pub(super) fn arrived(&mut self, io: &mut Io<'_>, message: &ServerEvent<'_>) {
        io.observer.count(Counter::Received, 1);
        let name = socket_io::event_name(&message.data);
        if self.actor.log_handle().is_some() {
            // What an application says by itself, it may say as often as it likes.
            let name = name.as_ref().map(|(name, _)| name.as_ref());
            let is_of_case = name.is_none_or(|name| name == WELCOME || self.actor.group.filter.wants(name));
            self.actor.signs.note_event(message, is_of_case || message.id.is_some());
        }
        if self.actor.context.stamps {
            let name = name.as_ref().map(|(name, _)| name.as_ref());
            let own = self.own_part(message, name);
            let (payload, attachments) = match &own {
                Some(own) => (own.as_str(), &[][..]),
                None => (&*message.data, &message.attachments[..]),
            };
            let run = self.actor.context.run;
            let mut stamps = Stamp::of_event(payload, attachments).filter(|stamp| stamp.run == run);
            match stamps.next() {
                Some(stamp) if stamp.label == stamp::MARKER => {
                    return silence::arrived(&mut self.actor, &stamp);
                }
                Some(first) => {
                    self.delivered(io, message, name, &first);
                    // One event may bring several messages, and a message its stamp in several places.
                    let mut met = HashSet::new();
                    for stamp in stamps.filter(|stamp| stamp.key != first.key) {
                        if met.insert(stamp.key) {
                            self.delivered(io, message, name, &stamp);
                        }
                    }
                }
                None => self.unstamped(io, message, name),
            }
        }
        // Nothing is parsed that need not be: text is an event if it has a name, and bytes are rare.
        if name.is_none() || !message.attachments.is_empty() {
            self.examine(io, message, name.is_none());
        }
        let Some((name, _)) = name else { return };
        if let Some(nodes) = &self.actor.context.learned
            && let Some(node) = nodes.of_event(&name, message, &self.actor)
            && self.actor.learned.node.replace(node) != Some(node)
        {
            self.record(io, AuditEvent::At { node });
        }
        if !self.actor.context.server_rooms.signs.is_empty() {
            self.with(io, |cx| heed_rooms(cx, &name, message));
        }
        self.actor.overdue.hear(&name, message);
        if let Some(id) = message.id {
            self.answer(io, &name, id, message);
        }
        if self.actor.group.filter.wants(&name) {
            self.actor.inbox.keep(&name, message);
        }
    }

    /// The message itself, where the event may repeat others.
    fn own_part(&self, message: &ServerEvent<'_>, name: Option<&str>) -> Option<String> {
        let mut places = self.actor.context.arrivals.own_places.iter();
        let place = places.find(|place| name.is_some_and(|name| place.is_about(name)))?;
        Some(place.text(message, &self.actor))
    }

    /// A message of this run arrived, unless the event is an echo of one.
    fn delivered(&self, io: &mut Io<'_>, message: &ServerEvent<'_>, name: Option<&str>, stamp: &Stamp) {
        let arrivals = stamp.is_audited.then_some(&self.actor.context.arrivals);
        if arrivals.is_some_and(|of| !of.events.all && name.is_none_or(|name| !of.events.wants(name))) {
            // To its sender, it is an answer.
            if let Some(event) = name.filter(|_| stamp.key.sender != self.actor.who.index) {
                self.record(io, AuditEvent::Elsewhere { event });
            }
            return;
        }
        // What was said before the client came, it is not the delivery that takes time.
        if !arrivals.is_some_and(|of| of.has_history && stamp.due < self.actor.came) {
            let since = self.actor.context.since(io.now);
            io.observer.about(Label(stamp.label));
            io.observer.count(Counter::DeliveryReceived, 1);
            io.observer.latency(Metric::Delivery, since.saturating_sub(stamp.due));
            io.observer.about(Label::NONE);
        }
        if let Some(arrivals) = arrivals {
            let heard_as = name.and_then(|name| arrivals.events.place(name)).unwrap_or(ANY_EVENT);
            let (namespace, key) = (&*message.namespace, stamp.key);
            self.record(io, AuditEvent::Received { namespace, key, heard_as });
        }
    }

    /// An event without a stamp of this run: it may be a message whose stamp the server has lost.
    fn unstamped(&self, io: &mut Io<'_>, message: &ServerEvent<'_>, name: Option<&str>) {
        if let Some(heard_as) = name.and_then(|name| self.actor.context.arrivals.events.place(name)) {
            self.record(io, AuditEvent::Unstamped { namespace: &message.namespace, heard_as });
        }
    }

    /// Looks whether what arrived as an event is one.
    fn examine(&mut self, io: &mut Io<'_>, message: &ServerEvent<'_>, is_nameless: bool) {
        let ServerEvent { namespace, id, data, attachments } = message;
        let kind = if attachments.is_empty() { Kind::Event } else { Kind::BinaryEvent };
        let attachments = attachments.len() as u32;
        let packet = socket_io::Packet { kind, attachments, namespace, id: *id, data: Some(data) };
        if let Err(violation) = packet.validate() {
            let violation = self.unjoined(violation, data);
            // No step hears what has no name.
            if is_nameless || matches!(violation.rule, Rule::PollPacket | Rule::EnginePacketType) {
                self.harmed(violation.rule);
            }
            self.accuse(io, &violation);
        }
    }

    fn answer(&mut self, io: &mut Io<'_>, name: &str, id: u64, message: &ServerEvent<'_>) {
        let Some(rule) = self.actor.answers.iter().find(|rule| rule.is_about(name, message)) else { return };
        let (copies, at) = (rule.copies, io.now + rule.after);
        let encoded = match rule.encode(&self.actor) {
            Ok(encoded) => encoded,
            Err(why) => {
                let cause = "an event could not be answered because a value was missing";
                return io.observer.trouble(self.actor.who, cause, &why, &|| self.actor.wire_log());
            }
        };
        for _ in 0..copies {
            if at <= io.now {
                self.with(io, |cx| {
                    let (data, attachments) = (&encoded.data, &encoded.attachments);
                    cx.actor.session.answer(cx.wire, &message.namespace, id, data, attachments);
                });
                continue;
            }
            if self.thinking.len() >= MOST_THOUGHTS {
                let cause = "an event was not answered because too many answers were put off already";
                return io.observer.trouble(self.actor.who, cause, name, &|| self.actor.wire_log());
            }
            self.thinking.push(Thought {
                at,
                namespace: message.namespace.as_ref().into(),
                id,
                data: encoded.data.as_str().into(),
                attachments: encoded.attachments.clone(),
            });
        }
    }
}
