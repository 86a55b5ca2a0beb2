//! A virtual client: its session, its place in the script, and nothing that touches the outside.
//!
//! The engine tells a [`Client`] what to do ([`Client::begin`]), what arrived, what was lost and what time it is;
//! the client answers through an [`Io`]: frames and requests on a [`Wire`], findings to an [`Observer`]. Each call
//! returns whether the steps it was given are done. So a whole run can be played in memory under a settable clock.
//!
//! Neighbours: [`crate::session`] below, [`crate::step`] for what steps do, [`crate::engine`] for who calls.

mod arrivals;
mod flaws;
mod tap;

use std::time::Instant;

use bytes::Bytes;

use crate::audit::AuditEvent;
use crate::observe::{Cause, FailureKind, Label, Observer, StepId, Who};
use crate::protocol::dialect::{Packets, Pings};
use crate::protocol::engine_io::Packet;
use crate::protocol::http::{Head, Response};
use crate::protocol::websocket::{Message as Frame, Opcode};
use crate::protocol::{Rule, Violation, engine_io, socket_io};
use crate::session::{Channel, Closed, Event, Lost, Payload, Phases, RawFrame, Wire, is_astray};
use tap::{Tap, shown};

use crate::step::{
    Actor, Board, Cx, Ended, Flow, GroupContext, Happening, NOWHERE, Numbered, PlayedAct, RunContext, Seen,
    silence, tell_rooms,
};

/// The outside, as a client sees it during one call.
pub struct Io<'a> {
    /// The time.
    pub now: Instant,
    /// Where frames and requests go.
    pub wire: &'a mut dyn Wire,
    /// Who is told what was found.
    pub observer: &'a mut dyn Observer,
}

/// A virtual client. See the module's head.
#[derive(Debug)]
pub struct Client<'p> {
    actor: Actor<'p>,
    task: Option<PlayedAct<'p>>,
    /// Answers that the client is still thinking about.
    thinking: Vec<Thought>,
    /// Whether a namespace has accepted the client since the connection was opened.
    live: bool,
}

/// The most answers that a client puts off at a time.
const MOST_THOUGHTS: usize = 4096;

/// An acknowledgement that is given later.
#[derive(Debug)]
struct Thought {
    at: Instant,
    namespace: Box<str>,
    id: u64,
    data: Box<str>,
    attachments: Vec<Bytes>,
}

impl<'p> Client<'p> {
    /// A client that is not connected yet.
    ///
    /// # Errors
    /// In words, when one of its variables cannot be worked out.
    pub fn new(who: Who, group: &'p GroupContext, context: &'p RunContext) -> Result<Client<'p>, String> {
        Ok(Client { actor: Actor::new(who, group, context)?, task: None, thinking: Vec::new(), live: false })
    }

    /// Which client it is.
    pub fn who(&self) -> Who {
        self.actor.who
    }

    /// At which node of the target it connects, as an index.
    pub fn node(&self) -> u16 {
        self.actor.node
    }

    /// The node at which it is. None where a balancer chose one that it has not learned.
    pub fn at(&self) -> Option<u16> {
        self.actor.at()
    }

    /// Where those of its namespace ask for markers, at a server of several nodes.
    pub fn board(&self) -> Option<&Board> {
        self.actor.board.as_deref()
    }

    /// Whether it was connected once and did not learn which node a balancer gave it.
    pub fn was_astray(&self) -> bool {
        self.actor.learned.was_astray
    }

    /// Lets it broadcast a marker of this round.
    pub fn mark(&mut self, io: &mut Io<'_>, round: u64) {
        self.with(io, |cx| silence::mark(cx, round));
    }

    /// Whether some namespace has accepted the client and its connection stands.
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Whether the steps it was given are done.
    pub fn is_idle(&self) -> bool {
        self.task.is_none()
    }

    /// Begins steps, the first of which was due at that time.
    pub fn begin(&mut self, io: &mut Io<'_>, steps: &'p [Numbered], due: Instant) -> Flow {
        let mut task = PlayedAct::new(steps, due);
        let flow = self.with(io, |cx| task.go(cx));
        if flow == Flow::Waiting {
            self.task = Some(task);
        }
        self.settle(io);
        flow
    }

    /// Says goodbye, whatever is under way, and does not wait for an answer: for the end of a run.
    pub fn leave(&mut self, io: &mut Io<'_>) {
        let task = self.task.take();
        self.live = false;
        if self.actor.context.learned.is_some() {
            self.actor.learned.note_end();
        }
        self.with(io, |cx| {
            if let Some(mut task) = task {
                task.abandon(cx);
            }
            cx.actor.session.close(cx.wire);
        });
    }

    /// The cookies that the server gives are secrets.
    fn note_cookies(&self, head: &Head) {
        let context = self.actor.context;
        let tells_node = |value: &str| context.learned.as_ref().is_some_and(|nodes| nodes.is_told_by(value));
        for (name, value) in head.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")) {
            if tells_node(value) {
                continue;
            }
            context.secrets.note_header(name, value);
        }
    }

    /// The answer to a handshake may tell which node a balancer chose.
    fn learn_node(&mut self, head: &Head) {
        if let Some(nodes) = &self.actor.context.learned
            && self.actor.learned.node.is_none()
        {
            self.actor.learned.node = nodes.of_head(head, &self.actor.session);
        }
    }

    /// The head of the answer to a WebSocket handshake came.
    pub fn handle_head(&mut self, now: Instant, head: &Head) -> Flow {
        self.actor.session.note_time(now);
        self.note_cookies(head);
        self.learn_node(head);
        self.actor.session.keep_cookies(head, None);
        self.flow()
    }

    /// A channel was established. For a WebSocket, or a WebTransport session: its handshake was accepted.
    pub fn handle_established(&mut self, io: &mut Io<'_>, channel: Channel, phases: Phases) -> Flow {
        if channel == self.actor.session.stream() {
            self.with(io, |cx| cx.actor.session.handle_dialed(cx.wire));
        }
        self.handle(io, &Happening::Established(channel, phases))
    }

    /// A message arrived on the WebSocket, or on the stream of the WebTransport session.
    pub fn handle_frame(&mut self, io: &mut Io<'_>, frame: Frame<'_>) -> Flow {
        let channel = self.actor.session.stream();
        self.actor.log(io.now, false, || shown(&frame, self.actor.session.parser()));
        if self.actor.group.filter.frames {
            self.keep_frame(Seen::from(&frame));
            self.handle(io, &Happening::Frame);
        }
        match frame {
            Frame::Text(text) => match self.actor.session.dialect().packet_of_text(&text) {
                Ok(packet) => self.packet(io, channel, packet),
                Err(violation) => self.event(io, Event::Violated(violation)),
            },
            Frame::Binary(bytes) => match self.actor.session.dialect().packet_of_bytes(bytes) {
                Ok(packet) => self.packet(io, channel, packet),
                Err(violation) => self.event(io, Event::Violated(violation)),
            },
            Frame::Ping(payload) => {
                // RFC 6455 section 5.5.3: a pong carries the payload of its ping.
                let payload = payload.to_vec();
                let pong = RawFrame { fin: true, rsv: 0, opcode: Opcode::Pong, masked: true, payload };
                self.with(io, |cx| cx.wire.frame(channel, &pong));
                Flow::Waiting
            }
            Frame::Pong(_) => Flow::Waiting,
            Frame::Close { code, reason } => {
                let lost = Lost::Closed { code, reason: reason.into_owned() };
                self.handle_lost(io, channel, lost)
            }
        };
        self.frame_handled(io);
        self.flow()
    }

    /// The session has dealt with a raw frame.
    fn frame_handled(&mut self, io: &mut Io<'_>) {
        if self.actor.group.filter.frames {
            self.handle(io, &Happening::FrameHandled);
            self.actor.pass_over_frame();
        }
    }

    /// A request was answered.
    pub fn handle_response(&mut self, io: &mut Io<'_>, channel: Channel, response: &Response) -> Flow {
        self.note_cookies(&response.head);
        self.actor.log(io.now, false, || {
            format!("{channel} {} {}", response.head.status, String::from_utf8_lossy(&response.body)).into()
        });
        self.actor.log_answer(io.now, channel, || {
            format!("{} {}", response.head.status, String::from_utf8_lossy(&response.body))
        });
        if let Channel::Aside(_) = channel {
            self.actor.session.note_time(io.now);
            self.actor.keep_response(channel, Ok(response.clone()));
            return self.handle(io, &Happening::Response(channel));
        }
        self.learn_node(&response.head);
        let begun = self.actor.session.begun();
        match self.with(io, |cx| cx.actor.session.handle_response(cx.wire, channel, response)) {
            Payload::Nothing(None) => {}
            Payload::Nothing(Some(event)) => {
                self.event(io, event);
            }
            Payload::Packets(packets) => {
                self.packets(io, channel, packets, response.body.is_empty());
                self.handle_payload_end(io, begun);
            }
            Payload::Called(payload) => {
                match self.actor.session.dialect().packets(payload.as_bytes()) {
                    Ok(packets) => self.packets(io, channel, packets, payload.is_empty()),
                    Err(violation) => _ = self.event(io, Event::Violated(violation)),
                }
                self.handle_payload_end(io, begun);
            }
            Payload::Unreadable(violation) => {
                self.event(io, Event::Violated(violation));
                self.handle_payload_end(io, begun);
            }
        }
        self.flow()
    }

    /// A channel is no more.
    pub fn handle_lost(&mut self, io: &mut Io<'_>, channel: Channel, lost: Lost) -> Flow {
        self.actor.log(io.now, false, || format!("({channel}: {lost})").into());
        self.actor.log_answer(io.now, channel, || format!("with nothing: {lost}"));
        if let Channel::Aside(_) = channel {
            self.unreadable(io, &lost);
            self.actor.keep_response(channel, Err(lost.to_string()));
            return self.handle(io, &Happening::Response(channel));
        }
        if let Some(event) = self.with(io, |cx| cx.actor.session.handle_lost(cx.wire, channel, lost)) {
            self.event(io, event);
        }
        self.flow()
    }

    /// Time has passed: to be called when [`Client::poll_timeout`] is reached.
    pub fn handle_timeout(&mut self, io: &mut Io<'_>) -> Flow {
        if let Some(event) = self.with(io, |cx| cx.actor.session.handle_timeout(cx.wire, cx.now)) {
            self.event(io, event);
        }
        let (due, later): (Vec<Thought>, Vec<Thought>) =
            std::mem::take(&mut self.thinking).into_iter().partition(|thought| thought.at <= io.now);
        self.thinking = later;
        for thought in due {
            self.with(io, |cx| {
                let Thought { namespace, id, data, attachments, .. } = &thought;
                cx.actor.session.answer(cx.wire, namespace, *id, data, attachments);
            });
        }
        self.handle(io, &Happening::Time)
    }

    /// When to call [`Client::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        let task = self.task.as_ref().and_then(PlayedAct::poll_timeout);
        let thought = self.thinking.iter().map(|thought| thought.at).min();
        [self.actor.session.poll_timeout(), task, thought].into_iter().flatten().min()
    }

    fn flow(&self) -> Flow {
        if self.task.is_some() { Flow::Waiting } else { Flow::Done }
    }

    /// The packets of a payload are taken, unless a step has begun another connection meanwhile.
    fn handle_payload_end(&mut self, io: &mut Io<'_>, begun: u64) {
        if self.actor.session.begun() != begun {
            return;
        }
        if let Some(event) = self.with(io, |cx| cx.actor.session.handle_payload_end(cx.wire)) {
            self.event(io, event);
        }
    }

    /// Keeps a raw frame for the steps, unless it answers a round trip of our own.
    fn keep_frame(&mut self, frame: Seen) {
        // Steps look at what a packet says; that it is misspelt is told once.
        let frame = match frame {
            Seen::Text(text) => match engine_io::frame_bare(&text) {
                Some(bare) if self.actor.session.dialect().pings == Pings::Server => {
                    Seen::Text(bare.to_owned())
                }
                _ => Seen::Text(socket_io::frame_without_main(&text).unwrap_or(text)),
            },
            other => other,
        };
        let is_ours = |text: &str| text.strip_prefix('4').is_some_and(flaws::is_of_fence);
        match &frame {
            Seen::Text(text) if is_ours(text) => self.actor.pass_over_frame(),
            _ => self.actor.keep_frame(frame),
        }
    }

    fn packets(&mut self, io: &mut Io<'_>, channel: Channel, packets: Packets<'_>, is_empty: bool) {
        let begun = self.actor.session.begun();
        for packet in packets {
            if self.actor.group.filter.frames {
                if let Ok(packet) = &packet {
                    self.keep_frame(Seen::from(packet));
                }
                self.handle(io, &Happening::Frame);
            }
            match packet {
                Ok(packet) => self.packet(io, channel, packet),
                Err(violation) => {
                    let has_said_goodbye = self.actor.session.has_said_goodbye();
                    self.event(io, Event::Violated(violation.of_poll(is_empty, has_said_goodbye)))
                }
            };
            self.frame_handled(io);
            // What follows came over a connection that is gone.
            if self.actor.session.is_closed() || self.actor.session.begun() != begun {
                break;
            }
        }
    }

    fn packet(&mut self, io: &mut Io<'_>, channel: Channel, packet: Packet<'_>) -> Flow {
        if let Some(flaw) = self.flaw(&packet) {
            self.actor.blame_frame(flaw.rule);
            if matches!(flaw.rule, Rule::ConnectErrorPayload | Rule::EnginePacketType) {
                self.harmed(flaw.rule);
            }
            self.accuse(io, &flaw);
        }
        let text = match &packet {
            Packet::Text(text) => *text,
            Packet::Binary(bytes) if self.actor.log_handle().is_some() => {
                self.actor.signs.note_binary(bytes);
                ""
            }
            _ => "",
        };
        match self.with(io, |cx| cx.actor.session.handle_packet(cx.wire, channel, packet, cx.now)) {
            Some(Event::Violated(violation)) => {
                let payload = socket_io::outline(text).map_or("", |outline| outline.rest);
                let violation = self.unjoined(violation, payload);
                self.event(io, Event::Violated(violation))
            }
            Some(event) => self.event(io, event),
            None => Flow::Waiting,
        }
    }

    /// What is wrong with this payload of a packet, where it may be that two came which nothing tells from each other, or a part of
    /// one in a poll.
    fn unjoined(&self, violation: Violation, payload: &str) -> Violation {
        let is_polling = self.actor.session.is_polling();
        let is_other = socket_io::is_joined(payload) || (is_polling && socket_io::is_cut(payload));
        if violation.rule != Rule::Json || !is_other {
            return violation;
        }
        let rule = if is_polling { Rule::PollPacket } else { Rule::EnginePacketType };
        Violation { rule, ..violation }
    }

    fn event(&mut self, io: &mut Io<'_>, event: Event<'_>) -> Flow {
        match &event {
            Event::Opened { flaw } => {
                if let Some(flaw) = flaw {
                    self.accuse(io, flaw);
                    self.actor.signs.has_odd_id = engine_io::is_about_id(flaw);
                }
                self.actor.show_engine_sid();
                self.actor.standing.opened();
            }
            Event::Connected { namespace, recovered } => {
                self.compare_id(io, namespace);
                self.actor.signs.has_shared_id |= self.actor.session.shares_id(namespace);
                self.connected(io, namespace, *recovered);
                self.live = true;
                if **namespace == *self.actor.home {
                    self.actor.show_sid();
                }
            }
            Event::ServerEvent(message) => {
                if self.actor.session.is_early(&message.namespace) {
                    self.actor.blame_frame(Rule::EventEarly);
                }
                self.arrived(io, message);
            }
            Event::Upgraded => self.actor.signs.has_upgraded = true,
            Event::Heartbeat => self.beat(io),
            Event::Violated(violation) => {
                self.actor.blame_frame(violation.rule);
                match is_astray(violation) {
                    true => self.lost(violation.rule),
                    false => self.harmed(violation.rule),
                }
                if violation.rule == Rule::NamespaceUnasked {
                    self.actor.show_sid();
                }
                self.accuse(io, violation);
            }
            Event::UpgradeFailed(_, rule) => self.harmed(*rule),
            Event::Closed(why) => self.closed(io, why),
            Event::Refused { namespace, .. } => {
                self.actor.signs.was_refused_beside |= self.actor.session.is_connected_anywhere();
                self.ended(io, Some(namespace));
            }
            Event::Disconnected { namespace, was_asked } => {
                if *was_asked {
                    self.actor.blame_frame(Rule::RefusalKind);
                    self.lost(Rule::RefusalKind);
                }
                self.ended(io, Some(namespace));
                self.live = self.actor.session.is_connected_anywhere();
                let words = "the server disconnected a client from a namespace";
                self.dropped(io, FailureKind::Dropped(Cause::Disconnected, None), words, namespace);
            }
            _ => {}
        }
        self.handle(io, &Happening::Event(&event))
    }

    fn closed(&mut self, io: &mut Io<'_>, why: &Closed) {
        self.actor.overdue.clear();
        let was_live = std::mem::take(&mut self.live);
        self.thinking.clear();
        if *why == Closed::Asked {
            return self.ended(io, None);
        }
        self.record(io, AuditEvent::Lost);
        self.release_ids(None);
        // The server may end the session of a client that is rude.
        let is_fair = was_live && !self.actor.by_hand;
        // The id that it gave may not be the one that it knows.
        let is_known = |rule: &Rule| *rule != Rule::SessionLost || !self.actor.signs.has_odd_id;
        let sign = why.rule().or_else(|| self.actor.signs.was_pinged.then_some(Rule::SessionLost));
        sign.filter(is_known).into_iter().for_each(|rule| self.harmed(rule));
        // Who still counts as a member, and comes back, is put out by most servers.
        if self.actor.signs.left.is_some() {
            self.harmed(Rule::LeaveIgnored);
        }
        let rule = why.rule().filter(|rule| *rule != Rule::SessionLost || is_fair);
        self.actor.ended = Some(Ended { at: io.now, why: why.clone() }.into());
        if was_live {
            let failure_kind = FailureKind::Dropped(why.cause(), rule);
            self.dropped(io, failure_kind, "a connection ended that should have stayed", &why.to_string());
        }
    }

    /// The server broke a rule on this connection. What it meant to say is lost, unless it said too much, or nothing was to
    /// come any more.
    fn harmed(&mut self, rule: Rule) {
        // No usual value stands in for the id of a session, and nothing for the packet that should open it.
        let is_shut =
            matches!(rule, Rule::HandshakeField | Rule::PacketUnexpected) && !self.actor.session.is_open();
        if !rule.is_harmless() || is_shut {
            self.lost(rule);
        }
    }

    /// What the server meant to say is lost by this.
    fn lost(&mut self, rule: Rule) {
        if !self.actor.session.is_closing() {
            self.actor.harm.get_or_insert(rule);
        }
    }

    /// Tells the audit, if there is one.
    fn record(&self, io: &mut Io<'_>, event: AuditEvent<'_>) {
        if self.actor.context.audit.is_some() {
            io.observer.record(self.actor.who, self.actor.context.since(io.now), event);
        }
    }

    fn connected(&mut self, io: &mut Io<'_>, namespace: &str, recovered: bool) {
        if self.actor.context.audit.is_none() || namespace == NOWHERE {
            return;
        }
        self.actor.learned.is_connected = true;
        if let Some(node) = self.actor.learned.node {
            self.record(io, AuditEvent::At { node });
        }
        let sid = self.actor.session.namespace(namespace).map_or("", |namespace| &namespace.sid);
        self.record(io, AuditEvent::Connected { namespace, sid, recovered });
        let standing = self.actor.context.server_rooms.standing.len();
        if standing > 0 && !recovered {
            self.actor.standing.connected(namespace, standing);
            self.with(io, tell_rooms);
        }
        if self.actor.by_hand {
            self.record(io, AuditEvent::Untraced { namespace: Some(namespace) });
        }
    }

    fn ended(&mut self, io: &mut Io<'_>, namespace: Option<&str>) {
        if namespace != Some(NOWHERE) {
            self.release_ids(namespace);
            self.actor.standing.ended(namespace);
            self.record(io, AuditEvent::Ended { namespace });
        }
    }

    /// The server ended something, and no step of the group looks at how things end.
    fn dropped(&self, io: &mut Io<'_>, failure_kind: FailureKind, words: &str, detail: &str) {
        if !self.actor.group.filter.ends {
            let wire = || self.actor.wire_log();
            let against = failure_kind.rule().map(|rule| format!(", against a rule: {}", rule.requirement()));
            let cause = format!("{words}{}", against.unwrap_or_default());
            io.observer.wronged(self.actor.who, failure_kind, &cause, detail, &wire);
        }
    }

    fn accuse(&self, io: &mut Io<'_>, violation: &Violation) {
        let Violation { rule, detail } = violation;
        let cause = format!("the server broke a rule: {} ({})", rule.requirement(), rule.spec());
        let wire = || self.actor.wire_log();
        io.observer.wronged(self.actor.who, FailureKind::Violation(*rule), &cause, detail, &wire);
    }

    fn handle(&mut self, io: &mut Io<'_>, what: &Happening<'_>) -> Flow {
        let Some(mut task) = self.task.take() else { return Flow::Done };
        let flow = self.with(io, |cx| task.handle(cx, what));
        if flow == Flow::Waiting {
            self.task = Some(task);
        }
        self.settle(io);
        flow
    }

    /// A step may have learned a value that names a room. It may have ended the connection: nothing that belongs to it is carried over to the next.
    fn settle(&mut self, io: &mut Io<'_>) {
        if self.actor.standing.has_news() && self.actor.session.is_open() {
            self.with(io, tell_rooms);
        }
        if self.live && !self.actor.session.is_open() {
            self.live = false;
            self.release_ids(None);
            self.thinking.clear();
        }
    }

    /// Calls with what steps see of the world; what is sent meanwhile goes into the wire log too.
    fn with<R>(&mut self, io: &mut Io<'_>, call: impl FnOnce(&mut Cx<'_, 'p>) -> R) -> R {
        let log = self.actor.log_handle();
        let mut tap;
        let wire: &mut dyn Wire = match log {
            Some(log) => {
                tap = Tap { wire: io.wire, log, now: io.now, parser: self.actor.session.parser() };
                &mut tap
            }
            None => io.wire,
        };
        self.actor.session.note_time(io.now);
        call(&mut Cx {
            now: io.now,
            due: io.now,
            ready: io.now,
            step: StepId(0),
            label: Label::NONE,
            actor: &mut self.actor,
            wire,
            observer: io.observer,
        })
    }
}

#[cfg(test)]
mod tests;
