//! A client as its steps see it: its session, its values, and the events that it received and has not used yet.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use thin_vec::ThinVec;

use super::chance::{CLIENT, Chance, TRACES};
use super::context::{GroupContext, RunContext};
use super::frames::{Frames, Seen};
use super::inbox::Inbox;
use super::learned::LearnedPlace;
use super::markers::Board;
use super::overdue::Overdue;
use super::sent::Sent;
use super::signs::Signs;
use super::standing::Standing;
use super::unread::Unread;
use super::{AnswerRule, Cx};
use crate::audit::Key;
use crate::audit::stamp::Stamp;
use crate::observe::{Label, Who, WireLine};
use crate::protocol::Rule;
use crate::protocol::dialect::Auth;
use crate::protocol::http::Response;
use crate::secrets::is_telling;
use crate::session::{Channel, Closed, Destination, Session, TRACEPARENT};
use crate::template::{Distribution, Name, Of, Slot, Values};

/// When and why a connection ended that no step ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// When.
    pub at: Instant,
    /// Why.
    pub why: Closed,
}

/// An HTTP connection of an `http` step's own.
#[derive(Debug, Default)]
struct Aside {
    name: Option<String>,
    /// What its last request asked for.
    target: Box<str>,
    outcome: Option<Result<Response, String>>,
    /// Whether a request is not answered yet.
    awaited: bool,
    /// Whether its last response announced that the connection ends.
    ends: bool,
    /// What its request has held back.
    rest: Vec<u8>,
}

/// The query parameters that every request brings by itself.
const OWN_PARAMETERS: [&str; 3] = ["EIO", "transport", "sid"];

/// How much of a frame the wire log shows.
const LINE_LENGTH: usize = 160;

/// A client as its steps see it.
#[derive(Debug)]
pub struct Actor<'p> {
    /// Which client.
    pub who: Who,
    /// What it has in common with its group.
    pub group: &'p GroupContext,
    /// What it has in common with all.
    pub context: &'p RunContext,
    /// Its connection.
    pub session: Session,
    /// The namespace that it uses unless a step names another.
    pub home: Box<str>,
    /// At which node of the target it connects, as an index.
    pub node: u16,
    /// Its node behind a balancer, as far as it was learned.
    pub learned: LearnedPlace,
    /// The last round of markers that came from each node; empty before the first.
    pub marks: ThinVec<u64>,
    /// Where those of its namespace ask for markers, at a server of several nodes.
    pub board: Option<Arc<Board>>,
    /// Events that no step has taken yet.
    pub inbox: Inbox,
    /// Raw frames for the steps that look at them.
    pub frames: Frames,
    /// How it answers events that ask for an acknowledgement.
    pub answers: ThinVec<AnswerRule<'p>>,
    /// Responses that did not come in time, and may still come.
    pub overdue: Overdue,
    /// When it asked last to connect or to join: what was due before, an application with a history may send it again.
    pub came: Duration,
    /// When and why its connection ended.
    pub ended: Option<Box<Ended>>,
    /// The first rule of the protocol that the server broke on this connection so that something was lost by it.
    pub harm: Option<Rule>,
    /// What came on this connection that may have been against a rule.
    pub signs: Signs,
    /// Whether it has begun its first connect.
    pub arrived: bool,
    /// The round of the innermost `repeat`.
    pub round: u64,
    /// Whether it does things on its connection after which it is not known what it receives.
    pub by_hand: bool,
    /// Whether it has sent what nobody acknowledges since its last round trip.
    pub has_unread: bool,
    /// What it has left without an answer.
    pub unread: Unread,
    /// The rooms into which the server puts it.
    pub standing: Standing,
    /// How many stamped messages it has sent.
    stamped: u64,
    asides: ThinVec<Aside>,
    slots: Box<[Option<Json>]>,
    chance: RefCell<Chance>,
    /// Of its own, so that what else a client draws does not depend on whether it is traced.
    traces: RefCell<Chance>,
    log: Option<Rc<RefCell<WireLog>>>,
}

/// The last frames of a client, for the report of a failure.
#[derive(Debug)]
pub struct WireLog {
    epoch: Instant,
    most: usize,
    lines: VecDeque<WireLine>,
    /// So many lines at the end are the last heartbeat.
    beat: usize,
    /// So many heartbeats in a row stand folded in the line before it.
    folded: usize,
    sent: Arc<Mutex<Sent>>,
}

impl WireLog {
    /// Writes a frame down, shortened; the oldest one is forgotten.
    pub fn note(&mut self, now: Instant, sent: bool, frame: &str) {
        self.fold(frame);
        let oldest = if self.lines.len() == self.most { self.lines.pop_front() } else { None };
        // Its memory serves again: no frame costs an allocation once the log is full.
        let mut text = oldest.map(|line| line.text).unwrap_or_default();
        text.clear();
        match frame.char_indices().nth(LINE_LENGTH) {
            None => text.push_str(frame),
            Some((end, _)) => {
                text.push_str(&frame[..end]);
                text.push_str(&format!("… ({} bytes)", frame.len()));
            }
        }
        let at = now.saturating_duration_since(self.epoch);
        self.lines.push_back(WireLine { at, sent, text });
        self.beat = self.beat.min(self.lines.len());
    }

    /// Notes what was sent, or how it was answered, for checks of order and loss.
    pub fn note_sent(&self, now: Instant, note: impl FnOnce(&mut Sent, Duration)) {
        let at = now.saturating_duration_since(self.epoch);
        note(&mut self.sent.lock().unwrap_or_else(PoisonError::into_inner), at);
    }

    /// Folds the heartbeat before the one that begins with this frame into one line with those before: what decided is not
    /// pushed out by them.
    fn fold(&mut self, frame: &str) {
        let begins = matches!(frame, "2" | "poll 200 2");
        let is_pong = frame == "3" || (frame.starts_with("post POST ") && frame.ends_with(" 3"));
        let goes_on = is_pong || ["post 200 ", "poll GET "].iter().any(|word| frame.starts_with(word));
        match (begins, self.beat) {
            (false, 0) => self.folded = 0,
            (false, _) if goes_on => self.beat += 1,
            (false, _) => (self.beat, self.folded) = (0, 0),
            (true, 0) => (self.beat, self.folded) = (1, 0),
            (true, lines) => {
                let rest = self.lines.len() - lines;
                let began = self.lines.drain(rest..).next();
                self.folded += 1;
                match (self.folded, self.lines.back_mut(), began) {
                    (2.., Some(line), _) => line.text = format!("({} heartbeats)", self.folded),
                    (_, _, Some(line)) => {
                        self.lines.push_back(WireLine { text: "(a heartbeat)".to_owned(), ..line });
                    }
                    _ => self.folded = 0,
                }
                self.beat = 1;
            }
        }
    }
}

impl<'p> Actor<'p> {
    /// The node at which it is. None where a balancer chose one that it has not learned.
    pub fn at(&self) -> Option<u16> {
        match self.context.learned {
            Some(_) => self.learned.node,
            None => Some(self.node),
        }
    }

    /// A client that is not connected yet.
    ///
    /// # Errors
    /// In words, when one of its variables cannot be worked out.
    pub fn new(who: Who, group: &'p GroupContext, context: &'p RunContext) -> Result<Actor<'p>, String> {
        let mut actor = Actor {
            who,
            group,
            context,
            session: Session::new(context.destinations.share(Destination::default())),
            home: "/".into(),
            node: (who.index as usize % context.nodes.len().max(1)) as u16,
            inbox: Inbox::default(),
            frames: Frames::default(),
            answers: ThinVec::new(),
            learned: LearnedPlace::default(),
            marks: ThinVec::new(),
            board: None,
            overdue: Overdue::default(),
            came: Duration::ZERO,
            ended: None,
            harm: None,
            signs: Signs::default(),
            arrived: false,
            round: 0,
            by_hand: false,
            has_unread: false,
            unread: Unread::default(),
            standing: Standing::new(if context.server_rooms.standing.is_empty() { 0 } else { context.slots }),
            stamped: 0,
            asides: ThinVec::new(),
            slots: vec![None; context.slots].into(),
            chance: RefCell::new(Chance::of(context.seed, &[CLIENT, u64::from(who.index)])),
            traces: RefCell::new(Chance::of(
                context.seed,
                &[TRACES, context.traces.run, u64::from(who.index)],
            )),
            log: (who.index < context.remembering).then(|| {
                let (epoch, most) = (context.epoch, context.wire_lines);
                let sent = context.sent.of(match group.count {
                    1 => group.name.clone(),
                    _ => format!("{} {}", group.name, who.n),
                });
                let lines = VecDeque::new();
                Rc::new(RefCell::new(WireLog { epoch, most, lines, beat: 0, folded: 0, sent }))
            }),
        };
        for (slot, template) in &group.vars {
            let value = template.render(&actor)?;
            actor.set(slot, value);
        }
        if let Some(node) = &group.node {
            actor.node = node_of(&node.render(&actor)?, context, &group.name)?;
        }
        actor.home = group.namespace.render_text(&actor)?.into();
        actor.board = context.markers.as_ref().map(|markers| markers.board(&actor.home));
        let destination = actor.destination(&[], &[])?;
        actor.session.set_destination(destination);
        Ok(actor)
    }

    /// Where this client connects to, with further query parameters and headers of a step.
    ///
    /// # Errors
    /// In words, when an expression has no value.
    pub fn destination(
        &self,
        query: &[(String, crate::template::Template)],
        headers: &[(String, crate::template::Template)],
    ) -> Result<Destination, String> {
        let mut encoded = url::form_urlencoded::Serializer::new(String::new());
        let given = |name: &str| query.iter().any(|(given, _)| given == name);
        let of_the_group = self.group.query.iter().filter(|(name, _)| !given(name));
        let is_replaced = |name: &str| given(name) || self.group.query.iter().any(|(given, _)| given == name);
        for (name, value) in self.context.query.iter().filter(|(name, _)| !is_replaced(name)) {
            encoded.append_pair(name, value);
        }
        let mut replaced = Vec::new();
        for (name, value) in of_the_group.chain(query) {
            if OWN_PARAMETERS.contains(&name.as_str()) {
                replaced.push(name.clone());
            }
            // `null` leaves a parameter out.
            if value.fixed() != Some(&Json::Null) {
                let value = value.render_text(self)?;
                self.context.secrets.note_parameter(name, &value);
                encoded.append_pair(name, &value);
            }
        }
        let mut all = self.context.headers.clone();
        for level in [&self.group.headers, headers] {
            // What is said closer to the step takes the place of what was said further out.
            all.retain(|(name, _)| !level.iter().any(|(given, _)| given.eq_ignore_ascii_case(name)));
            for (name, value) in level {
                let value = value.render_text(self)?;
                self.context.secrets.note_header(name, &value);
                all.push((name.clone(), value));
            }
        }
        let own = all.iter().any(|(name, _)| name.eq_ignore_ascii_case(TRACEPARENT));
        let is_traced = self.context.traces.on_connects && !own;
        Ok(Destination {
            traceparent: is_traced.then(|| self.traces.borrow_mut().traceparent()),
            dialect: self.group.dialect,
            parser: self.group.parser,
            path: self.context.path.clone(),
            replaced,
            query: encoded.finish(),
            headers: all,
            is_secure: self.context.is_secure,
            compression: self.group.compression,
        })
    }

    /// Gives one of the client's names a value.
    pub fn set(&mut self, slot: &Slot, value: Json) {
        if let Some(text) = value.as_str().filter(|_| is_telling(&slot.name)) {
            self.context.secrets.note(text);
        }
        let of = Of::Slot(slot.clone());
        self.show(&of, &value);
        self.slots[slot.index] = Some(value);
        self.standing.learn(slot.index, self.session.is_open());
    }

    /// Shows the client's Socket.IO id to others, where some expression asks for it.
    pub fn show_sid(&self) {
        if let Some(sid) = self.sid() {
            self.show(&Of::Sid, &sid);
        }
    }

    /// The same with the id of its Engine.IO session.
    pub fn show_engine_sid(&self) {
        if let Some(sid) = self.engine_sid() {
            self.show(&Of::EngineSid, &sid);
        }
    }

    /// The CONNECT for `/`, as far as it carries the credentials of the group.
    fn connect_packet(&self) -> Option<Json> {
        let auth = self.group.auth.as_ref().filter(|_| self.group.dialect.auth == Auth::Payload);
        let Some(auth) = auth else { return Some(Json::from("40")) };
        let auth = auth.render(self).ok()?;
        self.context.secrets.note_auth(&auth, false);
        Some(Json::from(format!("40{auth}")))
    }

    fn engine_sid(&self) -> Option<Json> {
        self.session.handshake().map(|handshake| Json::from(handshake.sid.as_str()))
    }

    fn show(&self, of: &Of, value: &Json) {
        let group = self.who.group as usize;
        let asked = self.context.shared.iter().enumerate();
        for (number, shared) in asked.filter(|(_, shared)| shared.group == group && shared.of == *of) {
            self.context.shared_values.put(number, shared, u64::from(self.who.n), value);
        }
    }

    fn sid(&self) -> Option<Json> {
        let namespace = self.session.namespace(&self.home)?;
        (!namespace.sid.is_empty()).then(|| Json::from(&*namespace.sid))
    }

    /// The stamp of the next message, which was due at that time. `is_audited`: receipts are told to the audit.
    pub fn stamp(&mut self, due: Instant, label: Label, is_audited: bool) -> Stamp {
        self.stamped += 1;
        Stamp {
            run: self.context.run,
            key: Key { sender: self.who.index, sequence: self.stamped },
            due: self.context.since(due),
            label: label.0,
            is_audited,
        }
    }

    /// Draws a size or a time by chance.
    pub(super) fn draw(&self, distribution: &Distribution) -> u64 {
        let mut chance = self.chance.borrow_mut();
        distribution.draw(&mut || chance.share())
    }

    /// The channel of an `http` step: the one with this name, or the nameless one.
    pub fn aside(&mut self, name: Option<&str>) -> Channel {
        let place = self.asides.iter().position(|aside| aside.name.as_deref() == name).unwrap_or_else(|| {
            self.asides.push(Aside { name: name.map(str::to_owned), ..Aside::default() });
            self.asides.len() - 1
        });
        Channel::Aside(place as u8)
    }

    /// Keeps the outcome of a request that a later step awaits, and the cookies that came with it.
    pub fn keep_response(&mut self, channel: Channel, outcome: Result<Response, String>) {
        if let Channel::Aside(place) = channel
            && let Some(aside) = self.asides.get_mut(usize::from(place))
        {
            if let Ok(response) = &outcome {
                self.session.keep_cookies(&response.head, Some(&aside.target));
                aside.ends = !response.keep_alive;
            }
            aside.outcome = Some(outcome);
            aside.awaited = false;
        }
    }

    /// A request for this target was sent that holds this back. What came of an earlier one is forgotten.
    pub fn asked(&mut self, channel: Channel, target: &str, rest: Vec<u8>) {
        if let Channel::Aside(place) = channel
            && let Some(aside) = self.asides.get_mut(usize::from(place))
        {
            aside.target = target.into();
            aside.outcome = None;
            aside.awaited = true;
            aside.rest = rest;
        }
    }

    /// Whether a request is not answered yet.
    pub fn awaits(&self, channel: Channel) -> bool {
        matches!(channel, Channel::Aside(place) if self.asides.get(usize::from(place)).is_some_and(|aside| aside.awaited))
    }

    /// Whether the last response on a connection announced its end: the next request needs another one.
    pub fn announced_end(&self, channel: Channel) -> bool {
        matches!(channel, Channel::Aside(place) if self.asides.get(usize::from(place)).is_some_and(|aside| aside.ends))
    }

    /// Takes what a request has held back.
    pub fn take_rest(&mut self, channel: Channel) -> Vec<u8> {
        let Channel::Aside(place) = channel else { return Vec::new() };
        self.asides
            .get_mut(usize::from(place))
            .map(|aside| std::mem::take(&mut aside.rest))
            .unwrap_or_default()
    }

    /// The outcome of an earlier request, if it is there.
    pub fn take_response(&mut self, channel: Channel) -> Option<Result<Response, String>> {
        let Channel::Aside(place) = channel else { return None };
        self.asides.get_mut(usize::from(place))?.outcome.take()
    }

    /// Keeps a raw frame for the steps that look at them.
    pub fn keep_frame(&mut self, frame: Seen) {
        self.frames.keep(frame, self.group.filter.past_frames);
    }

    /// The rule that the server broke on this connection, or is likely to have, so that what was meant to come did not.
    pub(super) fn blamed(&self) -> Option<Rule> {
        match self.harm {
            // Who waits for the answer to a post does not get as far as a ping.
            Some(Rule::PingMissing) if self.session.lacks_answer_to_post() => Some(Rule::PostAnswer),
            harm => {
                let due = || self.session.lacks_attachments().then_some(Rule::AttachmentDue);
                harm.or_else(due)
                    .or_else(|| self.signs.rule())
                    .or_else(|| self.sign_in_posts())
                    .or_else(|| self.sign_in_bytes())
            }
        }
    }

    /// Nothing is held against the connection that begins.
    pub(super) fn begin_anew(&mut self) {
        (self.harm, self.signs, self.unread) = (None, Signs::default(), Unread::default());
    }

    /// A raw frame came that no step may look at.
    pub fn pass_over_frame(&mut self) {
        self.frames.pass_over();
    }

    /// The session found that the server broke a rule by the raw frame that came last.
    pub fn blame_frame(&mut self, rule: Rule) {
        self.frames.blame(rule);
    }

    /// Remembers a frame that arrived, for the report of a failure.
    pub fn log<'t>(&self, now: Instant, sent: bool, text: impl FnOnce() -> Cow<'t, str>) {
        if let Some(log) = &self.log {
            log.borrow_mut().note(now, sent, &text());
        }
    }

    /// Notes how something was answered that was sent, where a log is kept.
    pub fn log_answer(&self, now: Instant, channel: Channel, answer: impl FnOnce() -> String) {
        if let Some(log) = &self.log {
            log.borrow().note_sent(now, |sent, at| sent.answered(at, channel, answer));
        }
    }

    /// What it sent last in a row, or where it sent none, what others did; in words.
    pub(super) fn sent_in_words(&self) -> Option<String> {
        self.context.sent.in_words(&self.log.as_ref()?.borrow().sent)
    }

    /// The log itself, where one is kept.
    pub fn log_handle(&self) -> Option<Rc<RefCell<WireLog>>> {
        self.log.clone()
    }

    /// The memory of the longest line of the log.
    #[cfg(test)]
    pub(crate) fn wire_log_capacity(&self) -> usize {
        let log = self.log.as_ref().map(|log| log.borrow());
        log.and_then(|log| log.lines.iter().map(|line| line.text.capacity()).max()).unwrap_or_default()
    }

    /// Those of the last frames that passed since a time, oldest first.
    pub(super) fn wire_lines_since(&self, since: Instant) -> Vec<WireLine> {
        let Some(log) = &self.log else { return Vec::new() };
        let log = log.borrow();
        let since = since.saturating_duration_since(log.epoch);
        log.lines.iter().filter(|line| line.at >= since).cloned().collect()
    }

    /// The last frames, oldest first.
    pub fn wire_log(&self) -> Vec<WireLine> {
        self.log.as_ref().map(|log| log.borrow().lines.iter().cloned().collect()).unwrap_or_default()
    }
}

/// The node that a value names, or counts from 0.
pub(super) fn node_of(value: &Json, context: &RunContext, group: &str) -> Result<u16, String> {
    let nodes = &context.nodes;
    let found = match value {
        Json::Number(number) => {
            number.as_u64().map(|index| index as usize).filter(|index| *index < nodes.len())
        }
        Json::String(name) => {
            let index = || name.parse().ok().filter(|index| *index < nodes.len());
            nodes.iter().position(|known| known == name).or_else(index)
        }
        _ => None,
    };
    let place = found.and_then(|index| u16::try_from(index).ok());
    place.ok_or_else(|| match &nodes[..] {
        [_] => format!(
            "find the node {value} of `{group}`: the target has one node; name several with `--url b=…`"
        ),
        _ => format!("find the node {value} of `{group}`: the target's nodes are {}", nodes.join(", ")),
    })
}

impl Values for Actor<'_> {
    fn get(&self, name: &Name) -> Option<Cow<'_, Json>> {
        let owned = |value: Json| Some(Cow::Owned(value));
        match name {
            Name::N => owned(Json::from(self.who.n)),
            Name::I => owned(Json::from(self.round)),
            Name::Group => owned(Json::from(self.group.name.as_str())),
            Name::Index => owned(Json::from(self.who.index)),
            Name::Count => owned(Json::from(self.group.count)),
            Name::Run => owned(Json::from(self.context.run)),
            Name::Node => owned(Json::from(self.context.nodes.get(usize::from(self.node))?.as_str())),
            Name::Nodes => owned(Json::from(self.context.nodes.len())),
            Name::Origin => owned(Json::from(self.context.origins.get(usize::from(self.node))?.as_str())),
            Name::Sid => self.sid().map(Cow::Owned),
            Name::EngineSid => self.engine_sid().map(Cow::Owned),
            Name::Traceparent => owned(Json::from(self.traces.borrow_mut().traceparent())),
            Name::ConnectPacket => self.connect_packet().map(Cow::Owned),
            Name::Own(slot) => self.slots.get(slot.index)?.as_ref().map(Cow::Borrowed),
            Name::Row(column) => {
                let row = self.group.rows.get(self.who.n as usize % self.group.rows.len().max(1))?;
                let (_, value) = row.iter().find(|(name, _)| **name == **column)?;
                owned(Json::from(value.as_str()))
            }
            Name::Word(_) => None,
            Name::Other { group, member, of } => {
                self.context.shared_values.get(*group, *member, of).map(Cow::Owned)
            }
        }
    }

    fn random(&self, bound: u64) -> u64 {
        self.chance.borrow_mut().below(bound)
    }
}

impl<'p> Cx<'_, 'p> {
    /// The namespace that a step speaks in: its own, or the client's.
    ///
    /// # Errors
    /// In words, when its expression has no value.
    pub fn namespace(&self, own: Option<&crate::template::Template>) -> Result<Box<str>, String> {
        match own {
            None => Ok(self.actor.home.clone()),
            Some(template) => template.render_text(self.actor).map(Into::into),
        }
    }
}
