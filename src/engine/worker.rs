//! One worker: a thread with its own clients, sockets, timers and counts.

use std::collections::HashMap;
use std::io;
use std::ops::ControlFlow;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

use super::accounts::Handover;
use super::operator::Operated;
use super::records::{Audit, Extent, Mailboxes, Records};
use super::timers::Timers;
use crate::audit::AuditEvent;
use crate::client::{Client, Io};
use crate::measure::Interval;
use crate::observe::{Observer, Who};
use crate::plan::Plan;
use crate::protocol::websocket::Message;
use crate::transport::{Connections, Notice, Reader};

/// How often a worker reports what it counted.
const TELLING: Duration = Duration::from_millis(100);

/// How often a worker looks whether some client has something to receive, when the conductor waits for that.
const LOOKING: Duration = Duration::from_millis(10);

/// What the conductor sends to a worker.
#[derive(Debug)]
pub(super) enum Command {
    /// The clients of this act begin its steps, due at that time.
    Begin { act: usize, due: Instant },
    /// This part of the run is measured.
    Measure(Extent),
    /// To be reported as soon as no client has to receive anything any more.
    Drain,
    /// All clients leave.
    Stop,
}

/// What a worker sends to the conductor.
#[derive(Debug)]
pub(super) enum Report {
    /// Its clients are done with this act.
    Finished(usize),
    /// This act has done to the server what it does. Operators report this.
    Operated(usize, Vec<Operated>),
    /// No client has to receive anything any more.
    Drained,
    /// It cannot go on; its thread returns the reason.
    Broken,
    /// What it counted since its last report, and how many of its clients are connected.
    Counted(usize, Box<Interval>, u64),
    /// What it counted since the last second was over.
    Second(Box<Handover>),
}

/// What a worker brings home.
#[derive(Debug)]
pub(super) struct Work {
    /// What it wrote down.
    pub(super) records: Records,
    /// How many of its connections were never made.
    pub(super) unreached: u64,
    /// How many could not be made for want of a port, and of a file.
    pub(super) shortages: (u64, u64),
    /// The processor time of its thread since the last second that it reported.
    pub(super) cpu: Duration,
}

/// A worker before its thread begins.
pub(super) struct Worker<'p> {
    plan: &'p Plan<'p>,
    index: usize,
    reports: mpsc::Sender<Report>,
    mailboxes: Arc<Mailboxes>,
    transport: Connections,
    waker: Arc<mio::Waker>,
    commands: (mpsc::Sender<Command>, mpsc::Receiver<Command>),
}

impl<'p> Worker<'p> {
    pub(super) fn new(
        plan: &'p Plan<'p>,
        transport: Connections,
        index: usize,
        reports: mpsc::Sender<Report>,
        mailboxes: Arc<Mailboxes>,
    ) -> io::Result<Worker<'p>> {
        let waker = Arc::new(transport.waker()?);
        let commands = mpsc::channel();
        Ok(Worker { plan, index, reports, mailboxes, transport, waker, commands })
    }

    /// The line on which the conductor speaks to the worker.
    pub(super) fn line(&self) -> (mpsc::Sender<Command>, Arc<mio::Waker>) {
        (self.commands.0.clone(), self.waker.clone())
    }

    /// Works until told to stop. Gives what was counted.
    pub(super) fn work(self) -> Result<Work, String> {
        let reports = self.reports.clone();
        let outcome = self.assemble().and_then(WorkerLoop::work);
        if outcome.is_err() {
            // A conductor that is gone has stopped the run.
            let _ = reports.send(Report::Broken);
        }
        outcome
    }

    /// Makes the clients, in the thread that they live in.
    pub(super) fn assemble(self) -> Result<WorkerLoop<'p>, String> {
        let plan = self.plan;
        let clients: Vec<Client<'p>> = plan
            .clients()
            .filter(|who| self.mailboxes.home(who.index) == self.index)
            .map(|who| Client::new(who, &plan.parts[who.group as usize], &plan.context))
            .collect::<Result<_, _>>()?;
        let count = clients.len();
        let mut transport = self.transport;
        transport.make_room(clients.iter().map(Client::node));
        let disturbed = self.mailboxes.disturbed.clone();
        let audit = plan.context.audit.as_ref();
        let clients_in_all = plan.clients().count() as u32;
        let audit = audit.map(|audit| {
            Audit::new(self.index, clients_in_all, (audit.window, audit.spread), self.mailboxes)
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
            cpu: processor_time(),
            marked: (0, HashMap::new()),
            drains: None,
            reports: self.reports,
        };
        for client in &state.clients {
            state.records.record(client.who(), Duration::ZERO, AuditEvent::At { node: client.node() });
        }
        let telling = next_progress(plan.context.epoch, transport.now());
        Ok(WorkerLoop { state, transport, commands: self.commands.1, ready: Vec::new(), telling })
    }
}

/// A worker at work.
pub(super) struct WorkerLoop<'p> {
    state: WorkerState<'p>,
    transport: Connections,
    commands: mpsc::Receiver<Command>,
    /// The connections that the queue has reported as ready.
    ready: Vec<usize>,
    /// When to report to the conductor what was counted.
    telling: Instant,
}

impl WorkerLoop<'_> {
    fn work(mut self) -> Result<Work, String> {
        while self.turn()?.is_continue() {}
        Ok(self.leave())
    }

    /// Waits until there is something to do, and does it. Breaks when the worker was told to stop.
    pub(super) fn turn(&mut self) -> Result<ControlFlow<()>, String> {
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
            self.state.call(&mut self.transport, client, |client, io| {
                client.handle_timeout(io);
            });
        }
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Begin { act, due } => self.state.begin(&mut self.transport, act, due),
                Command::Measure(extent) => self.state.records.extent = extent,
                Command::Drain => self.state.drains = Some(now),
                Command::Stop => return Ok(ControlFlow::Break(())),
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

    /// All clients leave. Gives what was counted.
    pub(super) fn leave(mut self) -> Work {
        for client in 0..self.state.clients.len() as u32 {
            self.state.call(&mut self.transport, client, |client, io| client.leave(io));
        }
        let now = self.transport.now();
        self.state.tell(&mut self.transport, now);
        let cpu = processor_time().saturating_sub(self.state.cpu);
        let (unreached, shortages) = (self.transport.unreached(), self.transport.shortages());
        Work { records: self.state.records, unreached, shortages, cpu }
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
    /// What was asked for when markers were broadcast last, and the last round of each namespace.
    marked: (u64, HashMap<Box<str>, u64>),
    /// When to look whether some client has something to receive, if the conductor waits for that.
    drains: Option<Instant>,
    reports: mpsc::Sender<Report>,
}

impl<'p> WorkerState<'p> {
    fn begin(&mut self, transport: &mut Connections, act: usize, due: Instant) {
        let plan = self.plan;
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
            // Before, so that all workers can know of all messages of the act when it is over.
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
        let was_live = client.is_live();
        let mut port = transport.wire(place);
        call(client, &mut Io { now, wire: &mut port, observer: &mut self.records });
        transport.flush();
        match (was_live, client.is_live()) {
            (false, true) => self.live += 1,
            (true, false) => self.live -= 1,
            _ => {}
        }
        if was_live != client.is_live()
            && let Some(board) = client.board()
        {
            board.count(client.node(), client.is_live());
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
            let round = board.asked();
            let marked = self.marked.1.entry(board.namespace().into()).or_insert(0);
            if round == std::mem::replace(marked, round) {
                continue;
            }
            for node in 0..self.plan.context.nodes.len() as u16 {
                let is_it = |client: &Client<'_>| {
                    let is_there = client.board().is_some_and(|of| of.namespace() == board.namespace());
                    client.node() == node && client.is_live() && is_there
                };
                if let Some(place) = self.clients.iter().position(is_it) {
                    self.call(transport, place as u32, |client, io| client.mark(io, round));
                }
            }
        }
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
        let seconds = since.as_secs();
        if seconds > self.seconds {
            self.seconds = seconds;
            let handover = Box::new(self.hand_over());
            let _ = self.reports.send(Report::Second(handover));
        }
    }

    fn hand_over(&mut self) -> Handover {
        let (figures, parts) = self.records.take_figures();
        let cpu = processor_time();
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

/// The processor time that this thread has used.
fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

impl Reader for WorkerState<'_> {
    fn handle_notice(&mut self, transport: &mut Connections, client: u32, notice: Notice) {
        self.call(transport, client, |client, io| {
            match notice {
                Notice::Head(head) => client.handle_head(io.now, &head),
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
