//! The coordinator's side: agents that were called, as a crew of workers.

use std::ops::Range;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::broker::{Broker, Message};
use super::link::{Inbox, Outbox};
use super::time::UNKNOWN;
use super::wire::{self, Beat, Letter, Offer, Pulse, Said, Time, Word, decode, encode, of_run};
use super::{AGAIN, BROKER_GONE, CUT_OFF, PULSE};
use crate::audit::Disturbances;
use crate::engine::{Crew, Order, Report};
use crate::measure::{Series, Taken};
use crate::observe::{Counter, Metric};
use crate::secrets::Secrets;
use crate::step::{Board, Markers};

/// How long ahead the beginning of an act is announced, beside the time that news take.
const NOTICE: Duration = Duration::from_millis(10);

/// The longest that it is announced ahead.
const LONGEST_NOTICE: Duration = Duration::from_secs(1);

/// How much further than the clock of the run an agent may have counted its seconds.
const SECONDS_AHEAD: u64 = 10;

/// An agent of a run.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) offer: Offer,
    /// The numbers of its workers.
    pub(crate) workers: Range<usize>,
    /// How far its clock is ahead of the coordinator's, in nanoseconds.
    pub(crate) offset: i64,
    /// How far that may be from the truth: now, and at worst since the run began.
    pub(crate) doubt: Duration,
    pub(crate) worst: Duration,
    /// How often its clock was set.
    pub(crate) jumps: u32,
    /// The processor time of its workers.
    pub(crate) cpu: Duration,
    /// How many of its clients each of its workers had connected at most.
    pub(crate) live: Vec<u64>,
    /// Paced rounds that were due, and those that were begun.
    pub(crate) due: u64,
    pub(crate) begun: u64,
    /// How late it was with events.
    pub(crate) lag: Series,
}

impl Member {
    /// Adds what its workers counted.
    fn count(&mut self, figures: &Taken, cpu: Duration) {
        self.cpu += cpu;
        self.due += figures.ever(Counter::RoundsDue);
        self.begun += figures.ever(Counter::RoundsBegun);
        figures.whole_series(Metric::Lag).iter().for_each(|lag| self.lag.merge(lag));
    }
}

/// What comes to the relay.
pub(super) enum Event {
    Heard(Message),
    Order(Order),
    Start(Duration),
    Over,
}

/// Whether this process was stopped, or the machine slept: whoever looks now and then notices.
pub(super) struct Attention(Instant);

impl Attention {
    pub(super) fn new() -> Attention {
        Attention(Instant::now())
    }

    /// Looks. What to say where nobody has waited for so long: a sentence without its full stop.
    pub(super) fn lapse(&mut self) -> Option<String> {
        let before = std::mem::replace(&mut self.0, Instant::now());
        let lapse = self.0.saturating_duration_since(before);
        let lapse = Some(lapse).filter(|lapse| *lapse > CUT_OFF);
        lapse.map(|lapse| format!("this coordinator stood still for {} s", lapse.as_secs()))
    }
}

/// What is heard of an agent before the run begins.
pub(super) enum Readiness {
    /// It is ready, and news take so long to it and back.
    Ready(Duration),
    /// It cannot take part: why, as a sentence without its full stop.
    Refused(String),
    /// Nothing more will be heard of it: the same.
    Lost(String),
}

/// See the module's head.
pub(crate) struct Fleet {
    events: Sender<Event>,
    workers: usize,
    notice: Duration,
    /// When the coordinator's clock showed nothing.
    base: Instant,
    members: Arc<Mutex<Vec<Member>>>,
    relay: Option<thread::JoinHandle<()>>,
}

/// What the relay knows.
pub(super) struct Relay {
    pub(super) run: String,
    pub(super) broker: Broker,
    pub(super) base: Instant,
    pub(super) members: Arc<Mutex<Vec<Member>>>,
    pub(super) events: Receiver<Event>,
    /// What workers report.
    pub(super) reports: Sender<Report>,
    /// Who is ready, or is not and why.
    pub(super) ready: Sender<(usize, Readiness)>,
    pub(super) secrets: Secrets,
    /// How many acts the plan has.
    pub(super) acts: usize,
    /// The names of the agents, and which of the workers are theirs.
    pub(super) crews: Vec<(String, Range<usize>)>,
}

impl Fleet {
    pub(super) fn new(
        events: Sender<Event>,
        base: Instant,
        members: Arc<Mutex<Vec<Member>>>,
        relay: thread::JoinHandle<()>,
    ) -> Fleet {
        let workers = all(&members).iter().map(|member| member.workers.end).max().unwrap_or_default();
        Fleet { events, workers, notice: NOTICE, base, members, relay: Some(relay) }
    }

    /// The run begins at that time.
    pub(crate) fn start(&self, epoch: Instant) {
        let _ = self.events.send(Event::Start(epoch.saturating_duration_since(self.base)));
    }

    /// So long news take to the one to whom they take the longest.
    pub(super) fn expect_news(&mut self, news: Duration) {
        self.notice = (NOTICE + news * 2).min(LONGEST_NOTICE);
    }

    /// How the agents are.
    pub(crate) fn members(&self) -> Vec<Member> {
        all(&self.members).clone()
    }
}

impl Crew for Fleet {
    fn workers(&self) -> usize {
        self.workers
    }

    fn tell(&self, order: Order) {
        let _ = self.events.send(Event::Order(order));
    }

    fn disturb(&self, times: Disturbances) {
        self.tell(Order::Disturb(times));
    }

    fn ask_for_markers(&self, markers: &Markers) -> Vec<(Arc<Board>, u64)> {
        let (round, rounds) = markers.call_all();
        self.tell(Order::Mark(round));
        rounds
    }

    fn notice(&self) -> Duration {
        self.notice
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let _ = self.events.send(Event::Over);
        if let Some(relay) = self.relay.take() {
            let _ = relay.join();
        }
    }
}

fn all(members: &Mutex<Vec<Member>>) -> std::sync::MutexGuard<'_, Vec<Member>> {
    members.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is known of one agent while it plays.
struct Tie {
    inbox: Inbox,
    /// How much it had said to the other agents.
    told: u64,
    /// How much it has heard of each of them.
    heard: Vec<u64>,
    /// When it was heard last.
    latest: Instant,
    is_ready: bool,
    is_done: usize,
    is_lost: bool,
}

impl Relay {
    /// Carries what is said, until the run is over.
    pub(super) fn work(self, package: Vec<u8>, mut attention: Attention) {
        let count = self.crews.len();
        let mut outbox = Outbox::new(count, self.broker.limit);
        let now = Instant::now();
        let tie = || Tie {
            inbox: Inbox::default(),
            told: 0,
            heard: Vec::new(),
            latest: now,
            is_ready: false,
            is_done: 0,
            is_lost: false,
        };
        let mut ties: Vec<Tie> = (0..count).map(|_| tie()).collect();
        self.say(&mut outbox, &Word::Package(package));
        let (mut pulse, mut again) = (now, now + AGAIN);
        loop {
            let now = Instant::now();
            if let Some(why) = attention.lapse() {
                self.lose_all(&mut ties, &why);
            }
            if now >= pulse {
                pulse = now + PULSE;
                self.pulse(&ties);
                self.look_for_the_lost(&mut ties, now);
            }
            if now >= again {
                again = now + AGAIN;
                outbox.again().into_iter().for_each(|frame| self.carry(frame));
            }
            match self.events.recv_timeout(pulse.min(again).saturating_duration_since(now)) {
                Ok(Event::Heard(message)) => self.hear(&message, &mut ties, &mut outbox),
                Ok(Event::Order(order)) => {
                    let told = ties.iter().map(|tie| tie.told).collect();
                    self.say(&mut outbox, &Word::Order(order, told));
                }
                Ok(Event::Start(epoch)) => self.say(&mut outbox, &Word::Start(epoch)),
                Ok(Event::Over) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        self.pulse(&ties);
        self.say(&mut outbox, &Word::Over);
        // Said under a subject of its own, too: who missed something must not wait for what comes before.
        self.broker.publish(of_run(&self.run, "over"), Vec::new());
    }

    fn say(&self, outbox: &mut Outbox, word: &Word) {
        outbox.say(&encode(word)).into_iter().for_each(|frame| self.carry(frame));
    }

    fn carry(&self, frame: bytes::Bytes) {
        self.broker.publish(of_run(&self.run, "word"), frame);
    }

    fn pulse(&self, ties: &[Tie]) {
        let heard = (0..ties.len()).map(|of| {
            let others = ties.iter().enumerate().filter(|(place, _)| *place != of);
            others.map(|(_, tie)| tie.heard.get(of).copied().unwrap_or_default()).min().unwrap_or_default()
        });
        let pulse = Pulse {
            expected: ties.iter().map(|tie| tie.inbox.expects()).collect(),
            heard: heard.collect(),
            doubts: all(&self.members).iter().map(|member| member.doubt).collect(),
        };
        pulse.say(&self.broker, &self.run);
    }

    fn hear(&self, message: &Message, ties: &mut [Tie], outbox: &mut Outbox) {
        let rest = message.subject.strip_prefix(&of_run(&self.run, "")).unwrap_or_default();
        match rest.split_once('.') {
            None if rest == "time" => {
                if let Some(time) = decode::<Time>(&message.payload) {
                    let time = Time { shows: self.base.elapsed(), ..time };
                    self.broker.publish(of_run(&self.run, &format!("time.{}", time.from)), encode(&time));
                }
            }
            None if rest == "beat" => {
                if let Some(Beat { from, of_coordinator, of_agents, doubt, jumps, offset }) =
                    decode(&message.payload)
                    && let from = usize::from(from)
                    && let Some(tie) = ties.get_mut(from)
                {
                    tie.latest = Instant::now();
                    outbox.heard(from, of_coordinator);
                    tie.heard = of_agents;
                    if let Some(member) = all(&self.members).get_mut(from) {
                        (member.offset, member.doubt, member.jumps) = (offset, doubt.min(UNKNOWN), jumps);
                        if tie.is_ready {
                            member.worst = member.worst.max(member.doubt);
                        }
                    }
                }
            }
            Some(("letter", from)) => {
                let Some(from) = from.parse::<usize>().ok().filter(|from| *from < ties.len()) else { return };
                ties[from].latest = Instant::now();
                for letter in ties[from].inbox.take(message.payload.clone()) {
                    match decode::<Letter>(&letter) {
                        Some(letter) => self.read(from, letter, &mut ties[from]),
                        None => self.lose(from, &mut ties[from], "says what no agent of this version says"),
                    }
                }
                if ties[from].inbox.is_broken() {
                    self.lose(from, &mut ties[from], "says what no agent of this version says");
                }
            }
            _ => {}
        }
    }

    fn read(&self, from: usize, letter: Letter, tie: &mut Tie) {
        let Letter { told, said } = letter;
        tie.told = tie.told.max(told);
        match said {
            Said::Ready(news) => {
                tie.is_ready = true;
                let _ = self.ready.send((from, Readiness::Ready(news)));
            }
            Said::Refused(why) => {
                let why = format!("the agent {} cannot take part: {why}", self.crews[from].0);
                let _ = self.ready.send((from, Readiness::Refused(why.clone())));
                // It may find that out when the run has begun.
                let _ = self.reports.send(Report::Lost(why));
            }
            Said::Secrets(values) => values.iter().for_each(|value| self.secrets.note(value)),
            Said::Leaves(why) => self.lose(from, tie, &why),
            Said::Report(report) => match self.is_sound(from, &report) {
                true => {
                    self.note(from, &report, tie);
                    let report = match report {
                        Report::Broken(why) => Report::Broken(format!(
                            "play on the agent {}: failed to {why}",
                            self.crews[from].0
                        )),
                        report => report,
                    };
                    let _ = self.reports.send(report);
                }
                false => self.lose(from, tie, "reports what cannot be"),
            },
        }
    }

    /// Whether an agent can say this of its workers.
    fn is_sound(&self, from: usize, report: &Report) -> bool {
        let own = &self.crews[from].1;
        match report {
            Report::Finished(act) => *act < self.acts,
            Report::Counted(worker, ..) => own.contains(worker),
            Report::Second(handover) => {
                let most = self.base.elapsed().as_secs() + SECONDS_AHEAD;
                own.contains(&handover.worker) && handover.seconds <= most
            }
            Report::Home(home) => own.contains(&home.worker),
            Report::Drained | Report::Left | Report::Closed | Report::Broken(_) => true,
            Report::Standing(machine, _) => usize::from(*machine) == from,
            Report::Operated(..) | Report::Told(_) | Report::Shown(_) | Report::Lost(_) => false,
        }
    }

    fn note(&self, from: usize, report: &Report, tie: &mut Tie) {
        let mut members = all(&self.members);
        let Some(member) = members.get_mut(from) else { return };
        match report {
            Report::Second(handover) => member.count(&handover.figures, handover.cpu),
            Report::Counted(worker, _, live) => {
                let place = worker - member.workers.start;
                if let Some(most) = member.live.get_mut(place) {
                    *most = (*most).max(*live);
                }
            }
            Report::Home(home) => {
                member.count(&home.figures, home.cpu);
                tie.is_done += 1;
            }
            _ => {}
        }
    }

    fn look_for_the_lost(&self, ties: &mut [Tie], now: Instant) {
        let is_gone = self.broker.away().is_some_and(|away| away > BROKER_GONE);
        for (from, tie) in ties.iter_mut().enumerate() {
            let silence = now.saturating_duration_since(tie.latest);
            let was_away = self.broker.was_away(tie.latest);
            // Who has told everything is not needed any more.
            match tie.is_done < self.crews[from].1.len() {
                true if is_gone || (was_away && silence > BROKER_GONE) => {
                    self.lose_by(from, tie, self.broker.gone());
                }
                true if !was_away && silence > CUT_OFF => {
                    let why = format!("is dead or cut off: nothing was heard of it for {CUT_OFF:?}");
                    self.lose(from, tie, &why);
                }
                _ => {}
            }
        }
    }

    fn lose_all(&self, ties: &mut [Tie], why: &str) {
        ties.iter_mut().enumerate().for_each(|(from, tie)| self.lose_by(from, tie, why.to_owned()));
    }

    fn lose(&self, from: usize, tie: &mut Tie, why: &str) {
        self.lose_by(from, tie, format!("the agent {} {why}", self.crews[from].0));
    }

    /// `why`: a sentence without its full stop.
    fn lose_by(&self, from: usize, tie: &mut Tie, why: String) {
        if !std::mem::replace(&mut tie.is_lost, true) {
            let _ = self.ready.send((from, Readiness::Lost(why.clone())));
            let _ = self.reports.send(Report::Lost(why));
        }
    }
}

/// A channel for what comes to the relay.
pub(super) fn events() -> (Sender<Event>, Receiver<Event>) {
    mpsc::channel()
}

/// The subjects that the coordinator of a run listens to.
pub(super) fn subjects(run: &str) -> [String; 3] {
    ["time", "beat", "letter.*"].map(|rest| of_run(run, rest))
}

/// What an agent has to be so that it can be called.
pub(super) fn fits(offer: &Offer) -> Result<(), String> {
    match () {
        () if offer.version != wire::mark() => Err(format!(
            "the agent {} is `{}`, and this is `{}`: use the same version everywhere",
            offer.name,
            offer.version,
            wire::mark()
        )),
        () if offer.is_busy => Err(format!("the agent {} plays in another run", offer.name)),
        () => Ok(()),
    }
}
