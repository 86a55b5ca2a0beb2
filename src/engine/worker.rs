//! One worker: a thread with its own clients, sockets, timers and counts.

use std::collections::HashMap;
use std::io;
use std::ops::ControlFlow;
use std::sync::mpsc::TryRecvError;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use super::accounts::Handover;
use super::orders::{Extent, Homecoming, Order, Report, Reports};
use super::records::{Audit, Mailboxes, Records};
use super::timers::Timers;
use crate::audit::{AuditEvent, UNKNOWN_NODE};
use crate::client::{Client, Io};
use crate::observe::{Observer, Who};
use crate::plan::Plan;
use crate::protocol::websocket::Message;
use crate::system::thread_time;
use crate::transport::{Connections, Notice, Reader};

/// How often a worker reports what it counted.
const TELLING: Duration = Duration::from_millis(100);

/// How often a worker looks whether some client has something to receive, when the conductor waits for that.
const LOOKING: Duration = Duration::from_millis(10);

/// Says that a worker broke off, where it could not say so itself.
struct LastWord(Option<Reports>);

impl LastWord {
    fn of(reports: Reports) -> LastWord {
        LastWord(Some(reports))
    }

    fn say(mut self, report: Report) {
        // A conductor that is gone has stopped the run.
        let _ = self.0.take().map(|reports| reports.send(report));
    }
}

impl Drop for LastWord {
    fn drop(&mut self) {
        if let Some(reports) = self.0.take() {
            let _ = reports.send(Report::Broken("go on: a worker broke off; please report this".to_owned()));
        }
    }
}

/// A worker before its thread begins.
pub(super) struct Worker<'p> {
    plan: &'p Plan<'p>,
    index: usize,
    reports: Reports,
    mailboxes: Arc<Mailboxes>,
    transport: Connections,
    waker: Arc<mio::Waker>,
    orders: (mpsc::Sender<Order>, mpsc::Receiver<Order>),
}

impl<'p> Worker<'p> {
    pub(super) fn new(
        plan: &'p Plan<'p>,
        transport: Connections,
        index: usize,
        reports: Reports,
        mailboxes: Arc<Mailboxes>,
    ) -> io::Result<Worker<'p>> {
        let waker = Arc::new(transport.waker()?);
        let orders = mpsc::channel();
        Ok(Worker { plan, index, reports, mailboxes, transport, waker, orders })
    }

    /// The line on which the conductor speaks to the worker.
    pub(super) fn line(&self) -> (mpsc::Sender<Order>, Arc<mio::Waker>) {
        (self.orders.0.clone(), self.waker.clone())
    }

    /// Works until told to finish, and brings home what was counted.
    pub(super) fn work(self) {
        let last = LastWord::of(self.reports.clone());
        match self.assemble().and_then(WorkerLoop::work) {
            Ok(Some(homecoming)) => last.say(Report::Home(Box::new(homecoming))),
            Ok(None) => last.say(Report::Left),
            Err(why) => last.say(Report::Broken(why)),
        }
    }

    /// Makes the clients, in the thread that they live in.
    pub(super) fn assemble(self) -> Result<WorkerLoop<'p>, String> {
        let plan = self.plan;
        let own = || plan.clients().filter(|who| self.mailboxes.home(who.index) == self.index);
        let count = own().count();
        // Of the right size at once: a list that grows takes up to twice as much.
        let mut clients: Vec<Client<'p>> = Vec::with_capacity(count);
        for who in own() {
            clients.push(Client::new(who, &plan.parts[who.group as usize], &plan.context)?);
        }
        let mut transport = self.transport;
        transport.make_room(clients.iter().map(Client::node));
        let disturbed = self.mailboxes.disturbed.clone();
        let audit = plan.context.audit.as_ref();
        let clients_in_all = plan.clients().count() as u32;
        let audit = audit.map(|audit| {
            let terms = (audit.window, audit.spread);
            Audit::new(self.index, clients_in_all, terms, self.mailboxes, self.reports.clone())
        });
        let mut state = WorkerState {
            plan,
            index: self.index,
            who: clients.iter().map(Client::who).collect(),
            clients,
            acting: vec![None; count],
            remaining: vec![0; plan.acts.len()],
            live: 0,
            timers: Timers::new(count, transport.now()),
            records: Records::new(
                audit,
                if plan.has_measured_part() { Extent::default() } else { Extent::WHOLE },
                plan,
                disturbed,
            ),
            seconds: 0,
            cpu: thread_time(),
            marked: (0, HashMap::new()),
            drains: None,
            reports: self.reports,
        };
        for client in &state.clients {
            let node = if plan.context.learned.is_some() { UNKNOWN_NODE } else { client.node() };
            state.records.record(client.who(), Duration::ZERO, AuditEvent::At { node });
        }
        let telling = next_progress(plan.context.epoch, transport.now());
        Ok(WorkerLoop { state, transport, orders: self.orders.1, ready: Vec::new(), telling })
    }
}

/// A worker at work.
pub(super) struct WorkerLoop<'p> {
    state: WorkerState<'p>,
    transport: Connections,
    orders: mpsc::Receiver<Order>,
    /// The connections that the queue has reported as ready.
    ready: Vec<usize>,
    /// When to report to the conductor what was counted.
    telling: Instant,
}

impl WorkerLoop<'_> {
    /// Gives what is brought home; nothing, when the conductor is gone.
    fn work(mut self) -> Result<Option<Homecoming>, String> {
        while self.turn()?.is_continue() {}
        let closing = self.leave();
        Ok(closing.work())
    }

    /// Waits until there is something to do, and does it. Breaks when the clients are to leave.
    pub(super) fn turn(&mut self) -> Result<ControlFlow<()>, String> {
        while let Some((client, time)) = self.transport.poll_alarm() {
            self.state.timers.want(client, Some(time));
        }
        let next = [self.state.timers.next(), self.state.drains].into_iter().flatten();
        let until = next.fold(self.telling, Instant::min);
        self.transport.wait(&mut self.ready, until).map_err(|error| format!("wait for sockets: {error}"))?;
        for place in self.ready.drain(..) {
            self.transport.handle_ready(place, self.transport.now(), &mut self.state);
        }
        for place in self.transport.poll_unread() {
            self.transport.handle_ready(place, self.transport.now(), &mut self.state);
        }
        while let Some((client, notice)) = self.transport.poll_notice() {
            self.state.handle_notice(&mut self.transport, client, notice);
        }
        let now = self.transport.now();
        while let Some(client) = self.state.timers.due(now) {
            self.transport.handle_timeout(client, now, &mut self.state);
            self.state.call(&mut self.transport, client, |client, io| {
                client.handle_timeout(io);
            });
        }
        loop {
            match self.orders.try_recv() {
                Ok(Order::Begin { act, due }) => self.state.begin(&mut self.transport, act, due),
                Ok(Order::Measure(extent)) => self.state.records.extent = extent,
                Ok(Order::Drain) => self.state.drains = Some(now),
                // Whoever gets orders from afar has noted it already.
                Ok(Order::Disturb(_)) => {}
                Ok(Order::Mark(round)) => {
                    self.state.plan.context.markers.iter().for_each(|markers| markers.call(round));
                }
                // Without a conductor there is nobody to play for.
                Ok(Order::Leave | Order::Close { .. } | Order::Finish) | Err(TryRecvError::Disconnected) => {
                    return Ok(ControlFlow::Break(()));
                }
                Err(TryRecvError::Empty) => break,
            }
        }
        self.state.mark(&mut self.transport);
        if self.state.drains.is_some_and(|look| look <= now) {
            self.state.drain(now);
        }
        if now >= self.telling {
            self.telling = next_progress(self.state.plan.context.epoch, now);
            self.state.tell(&mut self.transport, now);
            self.state.records.advance(self.state.plan.context.since(now));
        }
        Ok(ControlFlow::Continue(()))
    }

    /// All clients leave.
    pub(super) fn leave(mut self) -> Closing {
        for client in 0..self.state.clients.len() as u32 {
            self.state.call(&mut self.transport, client, |client, io| client.leave(io));
        }
        let now = self.transport.now();
        self.state.tell(&mut self.transport, now);
        let astray = self.state.clients.iter().filter(|client| client.was_astray()).count() as u64;
        let WorkerState { plan, index, mut records, cpu, reports, .. } = self.state;
        // What was counted for the last second that was reported is told; what came later is brought home.
        records.tell_last(plan.context.since(now));
        let _ = reports.send(Report::Left);
        let (unreached, shortages) = (self.transport.unreached(), self.transport.shortages());
        let since = plan.context.since(now);
        Closing { index, records, orders: self.orders, reports, since, cpu, astray, unreached, shortages }
    }
}

/// A worker whose clients have left.
pub(super) struct Closing {
    index: usize,
    records: Records,
    orders: mpsc::Receiver<Order>,
    reports: Reports,
    /// When they left, since the beginning of the run.
    since: Duration,
    /// The processor time that its thread had used at the last second that it reported.
    cpu: Duration,
    astray: u64,
    unreached: u64,
    shortages: (u64, u64),
}

impl Closing {
    /// Waits until everybody else is as far. Gives what is brought home; nothing, when the conductor is gone.
    fn work(mut self) -> Option<Homecoming> {
        loop {
            match self.orders.recv() {
                Ok(Order::Close { now }) => {
                    self.since = now;
                    self.records.close(now);
                    let _ = self.reports.send(Report::Closed);
                }
                Ok(Order::Finish) => return Some(self.finish()),
                Ok(
                    Order::Begin { .. }
                    | Order::Measure(_)
                    | Order::Disturb(_)
                    | Order::Mark(_)
                    | Order::Drain
                    | Order::Leave,
                ) => {}
                Err(_) => return None,
            }
        }
    }

    /// What is brought home.
    pub(super) fn finish(mut self) -> Homecoming {
        let findings = self.records.finish(self.since);
        let (figures, parts) = self.records.take_figures();
        Homecoming {
            worker: self.index,
            figures,
            parts,
            script_info: self.records.story_so_far(),
            findings,
            astray: self.astray,
            unreached: self.unreached,
            shortages: self.shortages,
            cpu: thread_time().saturating_sub(self.cpu),
        }
    }
}

/// The clients of a worker, and what is known of them.
struct WorkerState<'p> {
    plan: &'p Plan<'p>,
    index: usize,
    who: Vec<Who>,
    clients: Vec<Client<'p>>,
    /// For each client, the act that it has not finished.
    acting: Vec<Option<usize>>,
    /// For each act, how many clients have not finished it.
    remaining: Vec<usize>,
    live: u64,
    /// How many seconds of the run it has reported.
    seconds: u64,
    /// The processor time that its thread had used then.
    cpu: Duration,
    timers: Timers,
    records: Records,
    /// What was asked for when markers were broadcast last, and the last rounds of each namespace: of this machine, and of the
    /// coordinator.
    marked: (u64, HashMap<Box<str>, [u64; 2]>),
    /// When to look whether some client has something to receive, if the conductor waits for that.
    drains: Option<Instant>,
    reports: Reports,
}

impl<'p> WorkerState<'p> {
    fn begin(&mut self, transport: &mut Connections, act: usize, due: Duration) {
        let plan = self.plan;
        let due = plan.context.epoch + due;
        let planned = &plan.acts[act];
        let acts = |who: &Who| planned.members.contains(&(who.group as usize));
        let members: Vec<u32> =
            (0..self.who.len() as u32).filter(|place| acts(&self.who[*place as usize])).collect();
        // One more than there are, so that the act cannot end before all have begun.
        self.remaining[act] = members.len() + 1;
        for client in members {
            self.acting[client as usize] = Some(act);
            self.call(transport, client, |client, io| {
                client.begin(io, planned.steps, due);
            });
        }
        self.finished(act);
    }

    fn finished(&mut self, act: usize) {
        self.remaining[act] -= 1;
        if self.remaining[act] == 0 {
            // Before, so that all workers can know of all messages and values of the act when it is over.
            self.show();
            self.records.tell();
            // A conductor that is gone has stopped the run.
            let _ = self.reports.send(Report::Finished(act));
        }
    }

    /// Calls a client, sends what it said, and sees what has become of it.
    fn call(
        &mut self,
        transport: &mut Connections,
        place: u32,
        call: impl FnOnce(&mut Client<'p>, &mut Io<'_>),
    ) {
        let now = transport.now();
        self.records.attend(self.plan.context.since(now), self.who[place as usize].group);
        let client = &mut self.clients[place as usize];
        let (was_live, was_at) = (client.is_live(), client.at());
        let mut port = transport.wire(place);
        call(client, &mut Io { now, wire: &mut port, observer: &mut self.records });
        transport.flush();
        match (was_live, client.is_live()) {
            (false, true) => self.live += 1,
            (true, false) => self.live -= 1,
            _ => {}
        }
        let is_moved = (was_live, was_at) != (client.is_live(), client.at());
        if is_moved && let Some(board) = client.board() {
            if was_live {
                board.count(was_at, false);
            }
            if client.is_live() {
                board.count(client.at(), true);
            }
        }
        self.timers.want(place, client.poll_timeout());
        if client.is_idle()
            && let Some(act) = self.acting[place as usize].take()
        {
            self.finished(act);
        }
    }

    /// Lets one client of each node broadcast a marker, where somebody has asked for it.
    fn mark(&mut self, transport: &mut Connections) {
        let Some(markers) = &self.plan.context.markers else { return };
        let changes = markers.changes();
        if changes == std::mem::replace(&mut self.marked.0, changes) {
            return;
        }
        for board in markers.boards() {
            let rounds = [board.asked().unwrap_or_default(), markers.called()];
            let marked = self.marked.1.entry(board.namespace().into()).or_default();
            let before = std::mem::replace(marked, rounds);
            for (round, _) in rounds.into_iter().zip(before).filter(|(round, before)| round != before) {
                for node in 0..markers.nodes() {
                    let is_it = |client: &Client<'_>| {
                        let is_there = client.board().is_some_and(|of| of.namespace() == board.namespace());
                        client.at() == Some(node) && client.is_live() && is_there
                    };
                    if let Some(place) = self.clients.iter().position(is_it) {
                        self.call(transport, place as u32, |client, io| client.mark(io, round));
                    }
                }
            }
        }
    }

    /// Tells other machines what clients show them.
    fn show(&self) {
        self.plan.context.shared_values.tell_fresh(|shown| {
            let _ = self.reports.send(Report::Shown(shown));
        });
    }

    fn drain(&mut self, now: Instant) {
        let since = self.plan.context.since(now);
        self.records.advance(since);
        self.drains = self.records.is_waiting(since).then(|| now + LOOKING);
        if self.drains.is_none() {
            let _ = self.reports.send(Report::Drained);
        }
    }

    fn tell(&mut self, transport: &mut Connections, now: Instant) {
        let (read, written) = transport.take_bytes();
        let since = self.plan.context.since(now);
        self.records.count_bytes(since, read, written);
        let interval = Box::new(self.records.take_interval());
        let _ = self.reports.send(Report::Counted(self.index, interval, self.live));
        self.show();
        let seconds = since.as_secs();
        if seconds > self.seconds {
            self.seconds = seconds;
            let handover = Box::new(self.hand_over());
            let _ = self.reports.send(Report::Second(handover));
        }
    }

    fn hand_over(&mut self) -> Handover {
        let (figures, parts) = self.records.take_figures();
        let cpu = thread_time();
        let used = cpu.saturating_sub(std::mem::replace(&mut self.cpu, cpu));
        Handover {
            worker: self.index,
            seconds: self.seconds,
            figures,
            parts,
            script_info: self.records.story_so_far(),
            findings: self.records.findings_so_far(),
            live: self.live,
            cpu: used,
        }
    }
}

/// When a worker reports next: all of them at the same moments, counted from the start of the run.
fn next_progress(epoch: Instant, now: Instant) -> Instant {
    let passed = now.saturating_duration_since(epoch).as_millis() / TELLING.as_millis();
    epoch + TELLING * u32::try_from(passed + 1).unwrap_or(u32::MAX)
}

impl Reader for WorkerState<'_> {
    fn handle_notice(&mut self, transport: &mut Connections, client: u32, notice: Notice) {
        self.call(transport, client, |client, io| {
            match notice {
                Notice::Head(head) => client.handle_head(io.now, &head),
                Notice::Flawed(flaw) => client.handle_flaw(io, &flaw),
                Notice::Established(channel, phases) => client.handle_established(io, channel, phases),
                Notice::Response(channel, response) => client.handle_response(io, channel, &response),
                Notice::Lost(channel, lost) => client.handle_lost(io, channel, lost),
            };
        });
    }

    fn handle_message(&mut self, transport: &mut Connections, client: u32, message: Message<'_>) {
        self.call(transport, client, |client, io| {
            client.handle_frame(io, message);
        });
    }
}
