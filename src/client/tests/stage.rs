//! The stage of the tests: a scenario, a wire that writes down, a clock that stands until it is moved.

use std::time::{Duration, Instant};

use super::super::*;
use crate::document::Source;
use crate::observe::{self, Counter, Failure, Metric};
use crate::plan::{Plan, RunOptions};
use crate::scenario::{self, Surroundings};
use crate::session::{HangUp, Request};

pub(super) const OPEN: &str =
    r#"0{"sid":"e","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;

/// Writes down what a client says.
#[derive(Default)]
pub(super) struct Said(Vec<String>);

impl Wire for Said {
    fn head_for(&mut self, node: u16) {
        self.0.push(format!("to node {node}"));
    }

    fn dial(&mut self, _: Channel, target: &str, headers: &[(String, String)]) {
        self.0.push(format!("dial {target}"));
        self.cookie(headers);
    }

    fn text(&mut self, _: Channel, parts: &[&str]) {
        self.0.push(parts.concat());
    }

    fn binary(&mut self, _: Channel, payload: &[u8]) {
        self.0.push(format!("{payload:02x?}"));
    }

    fn frame(&mut self, _: Channel, frame: &RawFrame) {
        self.0.push(format!("{:?}", frame.opcode));
    }

    fn request(&mut self, channel: Channel, request: Request<'_>) {
        let held = if request.held > 0 { format!(" but {} bytes", request.held) } else { String::new() };
        let same = if request.same_connection { " on the same" } else { "" };
        self.0.push(format!("{channel} {} {}{held}{same}", request.method, request.target));
        if let Some((_, value)) = request.headers.iter().find(|(name, _)| name == "Transfer-Encoding") {
            self.0.push(format!("in {value}"));
        }
        self.cookie(request.headers);
    }

    fn rest(&mut self, channel: Channel, bytes: &[u8]) {
        self.0.push(format!("{channel} rest {}", String::from_utf8_lossy(bytes)));
    }

    fn hang_up(&mut self, channel: Channel, how: HangUp) {
        self.0.push(format!("{how:?} {channel}"));
    }

    fn pause(&mut self, _: Channel, paused: bool) {
        self.0.push(format!("pause {paused}"));
    }
}

impl Said {
    fn cookie(&mut self, headers: &[(String, String)]) {
        if let Some((_, value)) = headers.iter().find(|(name, _)| name == "Cookie") {
            self.0.push(format!("with {value}"));
        }
    }
}

/// Writes down what was found.
#[derive(Default)]
pub(super) struct Found {
    pub latencies: Vec<(Metric, u128)>,
    pub counts: Vec<(Counter, u64)>,
    pub retried: Vec<observe::Cause>,
    pub passed: Vec<u32>,
    pub failed: Vec<Failure>,
    pub missed: Vec<(FailureKind, String)>,
    pub wronged: Vec<FailureKind>,
    pub troubles: Vec<(String, String)>,
    /// Of each message that was settled, whether the server said that it had handled it.
    pub settled: Vec<bool>,
    /// Of each of them, whether it may be lost.
    pub lost: Vec<bool>,
    /// Of each of them, whether the server said that it will not pass it on.
    pub turned_down: Vec<bool>,
    /// Of each of them, whether the application may have refused it in silence.
    pub excused: Vec<bool>,
    /// The nodes to which it went.
    pub moves: Vec<u16>,
    /// Which messages the audit was told of that arrived.
    pub received: Vec<u64>,
    /// How many events it was told of that came without a stamp.
    pub unstamped: usize,
    /// As which events messages arrived that the contract does not name.
    pub elsewhere: Vec<String>,
    /// What was told of rooms.
    pub rooms: Vec<String>,
    /// When it asked last to leave a room.
    pub left: Option<Duration>,
    /// When it had sent what the audit was told that the server had read.
    pub read: Vec<Duration>,
}

impl Found {
    /// The values of a latency series, in milliseconds.
    pub(super) fn latency(&self, metric: Metric) -> Vec<u128> {
        self.latencies.iter().filter(|(of, _)| *of == metric).map(|(_, value)| *value).collect()
    }

    pub(super) fn count(&self, counter: Counter) -> u64 {
        self.counts.iter().filter(|(of, _)| *of == counter).map(|(_, by)| by).sum()
    }
}

impl Observer for Found {
    fn latency(&mut self, metric: Metric, value: Duration) {
        self.latencies.push((metric, value.as_millis()));
    }

    fn count(&mut self, counter: Counter, by: u64) {
        self.counts.push((counter, by));
    }

    fn retried(&mut self, cause: observe::Cause) {
        self.retried.push(cause);
    }

    fn passed(&mut self, step: StepId, _: Who) {
        self.passed.push(step.0);
    }

    fn failed(&mut self, _: StepId, _: Who, failure: Failure) {
        self.failed.push(failure);
    }

    fn missed(&mut self, _: StepId, _: Who, failure_kind: FailureKind, failure: Failure) {
        self.missed.push((failure_kind, failure.actual));
    }

    fn wronged(
        &mut self,
        who: Who,
        failure_kind: FailureKind,
        cause: &str,
        detail: &str,
        wire: &observe::LastFrames<'_>,
    ) {
        self.wronged.push(failure_kind);
        self.count(failure_kind.counter(), 1);
        self.trouble(who, cause, detail, wire);
    }

    fn trouble(&mut self, _: Who, cause: &str, detail: &str, _: &observe::LastFrames<'_>) {
        self.troubles.push((cause.to_owned(), detail.to_owned()));
    }

    fn record(&mut self, _: Who, when: Duration, event: AuditEvent<'_>) {
        let (what, room) = match event {
            AuditEvent::Settled(message) => {
                self.settled.push(message.handled.is_some());
                self.turned_down.push(message.is_refused);
                self.excused.push(message.may_be_refused);
                return self.lost.push(message.may_be_lost);
            }
            AuditEvent::Joining { room, .. } => ("joining", room),
            AuditEvent::Joined { room, .. } => ("joined", room),
            AuditEvent::Refused { room, .. } => ("refused", room),
            AuditEvent::Parting { room, is_answered, .. } => {
                self.left = Some(when);
                (if is_answered { "parting" } else { "parting silently" }, room)
            }
            AuditEvent::Read { asked: sent } | AuditEvent::Pinged { ponged: sent } => {
                return self.read.push(sent.into());
            }
            AuditEvent::Parted { room, .. } => ("parted", room),
            AuditEvent::Moved { room, .. } => ("moved", room),
            AuditEvent::Placed { room, is_certain: true, .. } => ("placed", room),
            AuditEvent::Placed { room, is_certain: false, .. } => ("maybe placed", room),
            AuditEvent::Untraced { namespace } => ("untraced in", namespace.unwrap_or("all")),
            AuditEvent::At { node } => return self.moves.push(node),
            AuditEvent::Received { key, .. } => return self.received.push(key.sequence),
            AuditEvent::Unstamped { .. } => return self.unstamped += 1,
            AuditEvent::Elsewhere { event } => return self.elsewhere.push(event.to_owned()),
            _ => return,
        };
        self.rooms.push(format!("{what} {room}"));
    }
}

/// One client on an empty stage.
pub(super) struct Play<'p> {
    pub plan: &'p Plan<'p>,
    pub client: Client<'p>,
    pub now: Instant,
    pub said: Said,
    pub found: Found,
}

/// Plays client `n` of a scenario with these clients and this script.
pub(super) fn play(clients: &str, script: &str, n: usize, test: impl FnOnce(Play<'_>)) {
    play_at(&["a"], (clients, script), n, test);
}

/// The same at a server of these nodes.
pub(super) fn play_at(
    nodes: &[&str],
    (clients, script): (&str, &str),
    n: usize,
    test: impl FnOnce(Play<'_>),
) {
    let script: String = script.lines().map(|line| format!("  {}\n", line.trim())).collect();
    let text = format!("name: a test\nneeds: fixture\nclients: {clients}\nscript:\n{script}");
    let surroundings = Surroundings::new(|_| None, |_| Err("there are no files".to_owned()));
    let source = Source { name: "a test".to_owned(), text };
    let scenario = scenario::read(&source, &surroundings).unwrap_or_else(|mistake| panic!("{mistake}"));
    let now = Instant::now();
    let nodes = nodes.iter().map(|name| (*name).to_owned()).collect();
    let run_options = RunOptions { run: 7, nodes, ..RunOptions::usual(now) };
    let plan = Plan::new(&scenario, run_options);
    let who = plan.clients().nth(n).expect("there are enough clients");
    let client = Client::new(who, &plan.parts[who.group as usize], &plan.context).expect("it can be made");
    test(Play { plan: &plan, client, now, said: Said::default(), found: Found::default() });
}

/// The same with a client that is connected: the first act is over.
pub(super) fn connected(script: &str, test: impl FnOnce(Play<'_>)) {
    connected_as("{ alice: 1 }", script, test);
}

/// The same with these clients, of which alice is the first; what else the scenario says may stand behind them.
pub(super) fn connected_as(clients: &str, script: &str, test: impl FnOnce(Play<'_>)) {
    play(clients, &format!("- alice: connect\n{script}"), 0, |mut play| {
        assert_eq!(play.begin(0), Flow::Waiting);
        play.accepted();
        play.hear(OPEN);
        assert_eq!(play.hear(r#"40{"sid":"s"}"#), Flow::Done);
        play.said();
        test(play);
    });
}

impl<'p> Play<'p> {
    pub(super) fn call<R>(&mut self, call: impl FnOnce(&mut Client<'p>, &mut Io<'_>) -> R) -> R {
        let mut io = Io { now: self.now, wire: &mut self.said, observer: &mut self.found };
        call(&mut self.client, &mut io)
    }

    /// Begins an act, which is due now.
    pub(super) fn begin(&mut self, act: usize) -> Flow {
        let (steps, due) = (self.plan.acts[act].steps, self.now);
        self.call(|client, io| client.begin(io, steps, due))
    }

    pub(super) fn accepted(&mut self) -> Flow {
        self.call(|client, io| client.handle_established(io, Channel::WebSocket, Phases::default()))
    }

    pub(super) fn hear(&mut self, text: &str) -> Flow {
        self.call(|client, io| client.handle_frame(io, Frame::Text(text.into())))
    }

    /// Moves the clock and wakes the client whenever it wants to be woken on the way.
    pub(super) fn pass(&mut self, millis: u64) -> Flow {
        let end = self.now + Duration::from_millis(millis);
        let mut flow = self.client.flow();
        while let Some(wake) = self.client.poll_timeout().filter(|wake| *wake <= end) {
            self.now = self.now.max(wake);
            flow = self.call(Client::handle_timeout);
        }
        self.now = end;
        flow
    }

    /// How long until the client wants to be woken, in milliseconds.
    pub(super) fn wake(&self) -> Option<u128> {
        Some(self.client.poll_timeout()?.saturating_duration_since(self.now).as_millis())
    }

    pub(super) fn said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said.0)
    }
}
