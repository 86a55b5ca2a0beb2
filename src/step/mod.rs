//! The steps of a scenario: one file each. What it takes, what it does, when it is done.
//!
//! A [`Step`] is read from the scenario once and shared by all clients. [`Step::start`] does its work at once, or
//! leaves a [`Running`] behind that receives everything that happens to its client until it is done. Steps see
//! their client through [`Cx`]: its session, its values, its inbox, the wire, and the observer that they tell
//! what they found. No step knows a socket or a clock.
//!
//! A new step is one new file and one line in [`KINDS`].

mod actor;
mod arguments;
mod arrival;
mod chance;
mod context;
mod demand;
mod event_template;
mod exchange;
mod frames;
mod given;
mod how;
mod inbox;
mod instead;
mod learned;
mod overdue;
mod own_place;
mod pace;
mod payload;
mod pending;
mod played;
mod reading;
mod ready;
pub mod schema;
mod sent;
mod sequence;
mod shape;
mod signs;
pub mod silence;
mod standing;

mod answer;
mod assert;
mod audit_target;
mod awaited;
mod broadcast;
mod capture;
mod connect;
mod disconnect;
mod emit;
mod expect;
mod expect_closed;
mod expect_frame;
mod expect_no_frame;
mod expect_none;
mod fence;
mod frame;
mod http;
mod markers;
mod mute;
mod open;
mod reconnect;
mod refusal;
mod repeat;
mod response;
mod retry;
mod room;
mod said;
mod send;
mod set;
mod told;
mod unasked;
mod unread;
mod upgrade;
mod wait;

use std::fmt;
use std::time::{Duration, Instant};

use crate::audit::{AuditEvent, UNKNOWN_NODE};
use crate::document::{Mistake, Node, Span};
use crate::observe::{Failure, FailureKind, Grounds, Label, Metric, Observer, StepId};
use crate::protocol::Rule;
use crate::session::{Channel, Event, Phases, Transport, Wire};
use crate::template::Template;

pub use actor::{Actor, Ended, WireLog};
pub use answer::Rule as AnswerRule;
pub use arrival::Arrival;
pub use context::{Arrivals, Audit, EventFilter, GroupContext, RunContext, SharedValues, ShownValue, Traces};
pub use fence::NOWHERE;
pub use frames::{Frames, Seen};
pub use given::GivenIds;
pub use how::transport;
pub use instead::heard_instead;
pub use learned::{LearnedNodes, LearnedPlace};
pub use markers::{Board, Markers, Standing};
pub use own_place::OwnPlace;
pub use played::PlayedAct;
pub(crate) use reading::ACTS;
pub use reading::{Reading, Tempo};
pub use sent::{AllSent, Sent};
use sequence::Sequence;
pub use standing::{heed as heed_rooms, tell as tell_rooms};

/// Reads a step: its key (for its own place), what stands behind it, and what is known so far.
type Read = fn(&Node, &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake>;

/// Every step by its word. `bare` says whether it may stand alone, without a value.
pub const KINDS: &[Kind] = &[
    Kind { word: "connect", bare: true, read: connect::read, schema: connect::schema },
    Kind { word: "disconnect", bare: true, read: disconnect::read, schema: disconnect::schema },
    Kind { word: "reconnect", bare: true, read: reconnect::read, schema: how::schema_again },
    Kind { word: "upgrade", bare: true, read: upgrade::read, schema: upgrade::schema },
    Kind { word: "join", bare: false, read: room::read_join, schema: room::schema_join },
    Kind { word: "leave", bare: false, read: room::read_leave, schema: room::schema_leave },
    Kind { word: "emit", bare: false, read: emit::read, schema: emit::schema },
    Kind { word: "broadcast", bare: false, read: broadcast::read, schema: broadcast::schema },
    Kind { word: "expect", bare: false, read: expect::read, schema: expect::schema },
    Kind { word: "expect_none", bare: false, read: expect_none::read, schema: expect_none::schema },
    Kind { word: "answer", bare: false, read: answer::read, schema: answer::schema },
    Kind { word: "repeat", bare: false, read: repeat::read, schema: repeat::schema },
    Kind { word: "wait", bare: false, read: wait::read, schema: wait::schema },
    Kind { word: "set", bare: false, read: set::read, schema: set::schema },
    Kind { word: "assert", bare: false, read: assert::read, schema: assert::schema },
    Kind { word: "fence", bare: true, read: fence::read, schema: fence::schema },
    Kind { word: "open", bare: true, read: open::read, schema: open::schema },
    Kind { word: "http", bare: false, read: http::read, schema: http::schema },
    Kind { word: "send", bare: false, read: send::read, schema: send::schema },
    Kind { word: "frame", bare: false, read: frame::read, schema: frame::schema },
    Kind { word: "expect_frame", bare: false, read: expect_frame::read, schema: expect_frame::schema },
    Kind {
        word: "expect_no_frame",
        bare: false,
        read: expect_no_frame::read,
        schema: expect_no_frame::schema,
    },
    Kind { word: "expect_closed", bare: true, read: expect_closed::read, schema: expect_closed::schema },
    Kind { word: "mute", bare: false, read: mute::read, schema: mute::schema },
];

/// A kind of step.
pub struct Kind {
    /// Its word in the scenario.
    pub word: &'static str,
    /// Whether it may stand alone.
    pub bare: bool,
    read: Read,
    /// What it takes, as [`Kind::read`] reads it.
    schema: fn() -> schema::Schema,
}

/// What a client does at one place of the script.
pub trait Step: fmt::Debug + Send + Sync {
    /// The step in words, as `check` and the reports tell it: begins with a verb in the third person.
    fn words(&self) -> String;

    /// Does the step, or begins it.
    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p>;

    /// Adds the events that this step needs.
    fn filter(&self, _filter: &mut EventFilter) {}

    /// The steps inside it.
    fn inner(&self) -> &[Numbered] {
        &[]
    }

    /// Whether it judges something the server did, so that passing it means something.
    fn judges(&self) -> bool {
        true
    }

    /// The transport that it names in place of the group's.
    fn transport(&self) -> Option<Transport> {
        None
    }

    /// Whether it needs no connection, or makes one.
    fn stands_alone(&self) -> bool {
        false
    }

    /// How long it takes by the scenario alone. The time that the server takes is not included.
    fn lasts(&self) -> Duration {
        Duration::ZERO
    }

    /// The event that it asks the server to acknowledge, if it does.
    fn asks(&self) -> Option<AskedEvent> {
        None
    }

    /// How many messages one client sends by it, where that is known.
    fn messages(&self) -> Option<u64> {
        Some(0)
    }

    /// How many values of this series one client adds at most each time it plays the step, apart from the steps inside it. Of a
    /// delivery, and of what is counted for each message, it is the messages with a stamp. [`u64::MAX`] where there is no limit.
    fn values(&self, _metric: Metric) -> u64 {
        0
    }

    /// How often one client plays the steps inside it at most, where that is known.
    fn plays(&self) -> Option<u64> {
        Some(1)
    }

    /// How many rounds one client is to begin in a second, where a pace is set; on average, and in steps inside each
    /// other those of the outermost.
    fn rounds(&self) -> f64 {
        0.0
    }

    /// Whether messages that it sends carry a stamp.
    fn stamps(&self) -> bool {
        false
    }

    /// Adds the events as which messages arrive that the audit is to look after.
    fn audit(&self, _events: &mut EventFilter) {}

    /// Whether it ends a connection, so that what is under way would be lost.
    fn disconnects(&self) -> bool {
        false
    }
}

/// An event that the server is asked to acknowledge.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AskedEvent {
    /// Its name, for a sentence.
    pub event: String,
    /// Whether the contract names it.
    pub by_contract: bool,
}

/// How long steps one after another take by what the scenario says alone.
pub fn lasts(steps: &[Numbered]) -> Duration {
    steps.iter().map(|numbered| numbered.step.lasts()).fold(Duration::ZERO, Duration::saturating_add)
}

/// A step at its place in the script.
#[derive(Debug)]
pub struct Numbered {
    /// Its number.
    pub id: StepId,
    /// Where it was written.
    pub span: Span,
    /// The name of its figures, if it has one.
    pub label: Label,
    /// What it does.
    pub step: Box<dyn Step>,
}

/// The state of a step that was started.
#[derive(Debug)]
pub enum Progress<'p> {
    /// It is done.
    Done,
    /// It waits for something.
    Waiting(Box<dyn Running<'p> + 'p>),
}

impl<'p> Progress<'p> {
    fn waiting(running: impl Running<'p> + 'p) -> Progress<'p> {
        Progress::Waiting(Box::new(running))
    }
}

/// A step that waits for something.
pub trait Running<'p>: fmt::Debug {
    /// Receives everything that happens to the client, and the time when [`Running::poll_timeout`] is reached.
    fn handle(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow;

    /// The client leaves at the end of the run: the step receives nothing any more.
    fn abandon(&mut self, _cx: &mut Cx<'_, 'p>) {}

    /// When it has to be called again.
    fn poll_timeout(&self) -> Option<Instant>;
}

/// Whether a running step is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It is.
    Done,
    /// It is not.
    Waiting,
}

/// Something that happened to a client.
#[derive(Debug)]
pub enum Happening<'a> {
    /// On its connection. An event of the application is put into the inbox first.
    Event(&'a Event<'a>),
    /// A channel was established.
    Established(Channel, Phases),
    /// A raw frame was put where `expect_frame` looks for it.
    Frame,
    /// The session has dealt with that frame, and it is known whether the server broke a rule by it.
    FrameHandled,
    /// What became of a request of a step's own can be taken from the client.
    Response(Channel),
    /// Time has passed.
    Time,
}

/// What a step sees of its client and of the world.
pub struct Cx<'a, 'p> {
    /// The time.
    pub now: Instant,
    /// When the current step was due.
    pub due: Instant,
    /// When the client could begin it: when it was due, or later, when what it did before was done.
    pub ready: Instant,
    /// The current step.
    pub step: StepId,
    /// Its label.
    pub label: Label,
    /// The client.
    pub actor: &'a mut Actor<'p>,
    /// Where frames and requests go.
    pub wire: &'a mut dyn Wire,
    /// Takes what was found.
    pub observer: &'a mut dyn Observer,
}

impl<'p> Cx<'_, 'p> {
    /// What is done in it is counted under this label, if it is one.
    fn labelled<R>(&mut self, label: Label, act: impl FnOnce(&mut Self) -> R) -> R {
        if label == self.label {
            return act(self);
        }
        let outer = std::mem::replace(&mut self.label, label);
        self.observer.about(label);
        let done = act(self);
        self.label = outer;
        self.observer.about(outer);
        done
    }

    /// How late the client is with what it begins now, through the load generator alone.
    fn lag(&mut self, metric: Metric) {
        self.observer.latency(metric, self.now.saturating_duration_since(self.ready));
    }

    /// A check held.
    pub fn pass(&mut self) {
        self.observer.passed(self.step, self.actor.who);
    }

    /// A check did not hold.
    pub fn fail(&mut self, expected: impl Into<String>, actual: impl Into<String>) {
        let failure = self.failure(expected, actual);
        self.observer.failed(self.step, self.actor.who, failure);
    }

    /// A check did not hold because of something by which the server broke this rule, if any.
    pub(super) fn fail_by(
        &mut self,
        rule: Option<Rule>,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) {
        self.fail_on(self.grounds(), rule, expected, actual);
    }

    /// Nothing came that was waited for, perhaps because the server broke this rule, unless it is known to have broken another.
    pub(super) fn fail_in_silence(
        &mut self,
        rule: Option<Rule>,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) {
        let rule = self.actor.blamed().or(rule);
        self.fail_by(rule, expected, actual);
    }

    /// Something else came than was wanted, perhaps because the server broke this rule, unless it is known to have broken another.
    pub(super) fn fail_by_other(
        &mut self,
        rule: Option<Rule>,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) {
        self.fail_after(self.actor.blamed_for_other(rule), expected, actual);
    }

    /// A check did not hold, and that is all there is to it: what else the server did is no excuse, but a part of it.
    pub(super) fn fail_by_itself(&mut self, expected: impl Into<String>, actual: impl Into<String>) {
        self.fail_after(None, expected, actual);
    }

    /// A check did not hold because the server broke just this rule, or for itself.
    pub(super) fn fail_after(
        &mut self,
        after: Option<Rule>,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) {
        let failure = Failure { after, grounds: Grounds::Came, ..self.failure(expected, actual) };
        self.observer.failed(self.step, self.actor.who, failure);
    }

    /// A check did not hold, as this shows, perhaps because the server broke this rule.
    pub(super) fn fail_on(
        &mut self,
        grounds: Grounds,
        rule: Option<Rule>,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) {
        let failure = self.failure(expected, actual);
        let failure = Failure { after: rule.or(failure.after), grounds, ..failure };
        self.observer.failed(self.step, self.actor.who, failure);
    }

    /// A check did not hold, as what came shows.
    pub(super) fn fail_on_sight(&mut self, expected: impl Into<String>, actual: impl Into<String>) {
        self.fail_on(Grounds::Came, None, expected, actual);
    }

    /// An operation did not succeed.
    pub fn miss(
        &mut self,
        failure_kind: FailureKind,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) {
        let failure = self.failure(expected, actual);
        self.observer.missed(self.step, self.actor.who, failure_kind, failure);
    }

    /// The server has answered what the client had asked then: it has read all that was sent before.
    pub(crate) fn has_read(&mut self, asked: Instant) {
        self.actor.has_unread = false;
        self.actor.unread.has_read(asked);
        let asked = self.actor.context.since(asked);
        self.record(AuditEvent::Read { asked: asked.into() });
    }

    /// Reports to the audit, if there is one.
    pub fn record(&mut self, event: AuditEvent<'_>) {
        let now = self.actor.context.since(self.now);
        if matches!(event, AuditEvent::Connecting { .. } | AuditEvent::Placed { .. }) {
            self.actor.came = now;
        }
        if self.actor.context.audit.is_some() {
            self.observer.record(self.actor.who, now, event);
        }
    }

    /// What the client opens from now on leads to the node that a value names, or counts from 0.
    ///
    /// # Errors
    /// In words, when there is no such node, or the client is connected at another one.
    pub(super) fn go_to(&mut self, node: &Template) -> Result<(), String> {
        let node = actor::node_of(&node.render(self.actor)?, self.actor.context, &self.actor.group.name)?;
        if node == self.actor.node {
            return Ok(());
        }
        if self.actor.session.is_open() {
            let nodes = &self.actor.context.nodes;
            let [here, there] = [self.actor.node, node].map(|node| &nodes[usize::from(node)]);
            return Err(format!(
                "go to node {there}: the client is connected at {here}, so let it `disconnect` first"
            ));
        }
        self.actor.node = node;
        self.actor.marks.clear();
        self.wire.head_for(node);
        self.record(AuditEvent::At { node });
        Ok(())
    }

    /// Where the next connection leads a balancer decides.
    pub(super) fn forget_node(&mut self) {
        if self.actor.context.learned.is_some() {
            self.actor.learned.note_end();
            self.record(AuditEvent::At { node: UNKNOWN_NODE });
        }
    }

    /// The client does something after which it is not known what it receives.
    pub fn act_by_hand(&mut self) {
        if !std::mem::replace(&mut self.actor.by_hand, true) {
            self.record(AuditEvent::Untraced { namespace: None });
        }
    }

    fn failure(&self, expected: impl Into<String>, actual: impl Into<String>) -> Failure {
        let mut actual: String = actual.into();
        if let Some(sent) = self.actor.sent_in_words() {
            actual = format!("{actual} ({sent})");
        }
        let (wire, after) = (self.actor.wire_log(), self.actor.blamed());
        Failure { expected: expected.into(), actual, wire, after, grounds: self.grounds() }
    }

    /// What shows that a check did not hold for want of something.
    fn grounds(&self) -> Grounds {
        match self.actor.ended.is_some() {
            true => Grounds::End,
            false => Grounds::Silence(self.now.saturating_duration_since(self.ready)),
        }
    }

    /// Why nothing can be sent, for the report of a step that wanted to.
    pub fn why_not_connected(&self, namespace: &str) -> String {
        match (&self.actor.ended, self.actor.session.is_open()) {
            (Some(ended), false) => format!("the connection is gone: {}", ended.why),
            (None, false) => "the client is not connected".to_owned(),
            (_, true) => format!("the client is not connected to `{namespace}`"),
        }
    }
}
