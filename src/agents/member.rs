//! An agent's side: it waits for a call, gets the plan, and carries what its workers and the others say to each other.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::broker::{Broker, BrokerConfig, Message};
use super::link::{Inbox, Outbox};
use super::others::{self, Others};
use super::time::CommonTime;
use super::wire::{
    self, Answer, Aside, Beat, Call, Letter, Offer, Pulse, Said, WHO, Word, decode, encode, of_agent, of_run,
};
use super::{AGAIN, BROKER_GONE, CUT_OFF, PULSE};
use crate::audit::Quickest;
use crate::engine::{Crew, Order, Report, Share, Threads};
use crate::plan::Plan;
use crate::secrets::Secrets;
use crate::step::{Markers, Standing};

/// How long what was brought home may take to be heard.
const FAREWELL: Duration = Duration::from_secs(5);

/// How often it is looked whether the user wants no more.
const LOOK: Duration = Duration::from_millis(100);

/// How far ahead a time of the run may lie of which the coordinator tells.
const MOST_AHEAD: Duration = Duration::from_secs(60);

/// The same where it has to be seen soon when a marker has arrived.
const LOOK_FOR_MARKERS: Duration = Duration::from_millis(20);

enum Event {
    Heard(Message),
    /// Of a worker of this run.
    Report(Arc<str>, Report),
}

/// An agent that waits for work.
pub(crate) struct Agent {
    offer: Offer,
    broker: Broker,
    events: Receiver<Event>,
    sender: Sender<Event>,
}

/// A run to which it was called.
pub(crate) struct Job<'a> {
    agent: &'a Agent,
    call: Call,
    me: usize,
    package: Vec<u8>,
    words: Inbox,
    letters: Outbox,
    others: Others<'a>,
    time: CommonTime,
    start: Option<Duration>,
    orders: VecDeque<(Order, Vec<u64>)>,
    /// Workers have judged what was left, and what they told others of it is not heard yet.
    closed: VecDeque<Report>,
    latest: Instant,
    /// Whether the plan is there. Before, the coordinator has no time to tell what time it is.
    has_plan: bool,
    next_beat: Instant,
    next_again: Instant,
    is_over: bool,
    /// Why the run cannot go on here.
    trouble: Option<String>,
    told_secrets: HashSet<String>,
    /// What the coordinator knows of the nodes at which the clients are.
    told_standing: Standing,
}

/// How a run ended for an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Played {
    /// As it should.
    Whole,
    /// Early: a sentence without its full stop.
    Cut(String),
}

impl Agent {
    /// Connects, so that it can be called.
    ///
    /// # Errors
    /// When the broker cannot be reached.
    pub(crate) fn new(
        config: &BrokerConfig,
        name: String,
        labels: Vec<String>,
        workers: u16,
        files: Option<u64>,
    ) -> Result<Agent, String> {
        let (sender, events) = mpsc::channel();
        let heard = sender.clone();
        let broker = Broker::connect(config, move |message| drop(heard.send(Event::Heard(message))))?;
        let id = wire::random_name();
        broker.subscribe(WHO.to_owned());
        broker.subscribe(of_agent(&id));
        let offer = Offer { id, name, labels, version: wire::mark(), workers, files, is_busy: false };
        Ok(Agent { offer, broker, events, sender })
    }

    /// Waits for a call, and for the plan. None when the user wants no more. `tell` gets a line about whatever happens.
    pub(crate) fn wait(&self, stop: &AtomicBool, tell: &mut dyn FnMut(&str)) -> Option<Job<'_>> {
        let mut is_gone = false;
        while !stop.load(Ordering::Relaxed) {
            let away = self.broker.away();
            if is_gone != away.is_some_and(|away| is_gone || away > BROKER_GONE) {
                is_gone = !is_gone;
                match is_gone {
                    true => tell(&format!("{}: this agent tries to reach it again", self.broker.gone())),
                    false => tell("the broker is there again: this agent waits for work"),
                }
            }
            let Ok(Event::Heard(message)) = self.events.recv_timeout(LOOK) else { continue };
            self.answer_who(&message, false);
            if message.subject != of_agent(&self.offer.id) {
                continue;
            }
            let Some(mut job) = self.answer_call(&message) else { continue };
            match job.await_package(stop) {
                Ok(()) => return Some(job),
                Err(why) => tell(&no_run(&why)),
            }
        }
        None
    }

    fn answer_who(&self, message: &Message, is_busy: bool) {
        if message.subject == WHO
            && let Some(reply) = &message.reply
        {
            self.broker.publish(reply.clone(), encode(&Offer { is_busy, ..self.offer.clone() }));
        }
    }

    fn answer_call(&self, message: &Message) -> Option<Job<'_>> {
        let reply = message.reply.as_ref()?;
        let answer = |answer: Answer| self.broker.publish(reply.clone(), encode(&answer));
        let call = decode::<Call>(&message.payload).filter(|call| call.version == wire::mark());
        let Some(call) = call else {
            answer(Answer::Refuses(format!(
                "this agent is `{}`: use the same version everywhere",
                wire::mark()
            )));
            return None;
        };
        let me = usize::from(call.me);
        let is_sound = call.shares.get(me).is_some_and(|(from, to)| {
            from < to && to - from <= u32::from(self.offer.workers) && call.shares.len() <= 1000
        });
        if !is_sound {
            answer(Answer::Refuses("the call makes no sense".to_owned()));
            return None;
        }
        let subjects = ["word", "pulse", "over"].map(str::to_owned).into_iter();
        for rest in subjects.chain(others::subjects(me)).chain([format!("time.{me}")]) {
            self.broker.subscribe(of_run(&call.run, &rest));
        }
        answer(Answer::Comes);
        Some(Job::new(self, call, me))
    }
}

impl<'a> Job<'a> {
    fn new(agent: &'a Agent, call: Call, me: usize) -> Job<'a> {
        let (now, all) = (Instant::now(), call.shares.len());
        let limit = agent.broker.limit;
        Job {
            agent,
            me,
            package: Vec::new(),
            words: Inbox::default(),
            letters: Outbox::new(1, limit),
            others: Others::new(&agent.broker, &call),
            time: CommonTime::new(now, all),
            start: None,
            orders: VecDeque::new(),
            closed: VecDeque::new(),
            latest: now,
            has_plan: false,
            next_beat: now,
            next_again: now + AGAIN,
            is_over: false,
            trouble: None,
            told_secrets: HashSet::new(),
            told_standing: Standing::default(),
            call,
        }
    }

    /// Which of the agents this is.
    pub(crate) fn place(&self) -> u16 {
        self.call.me
    }

    /// Which of the workers are its own.
    pub(crate) fn share(&self) -> Share {
        let (from, to) = self.call.shares[self.me];
        let all = self.call.shares.iter().map(|(_, to)| *to).max().unwrap_or(to);
        Share { own: from as usize..to as usize, all: all as usize }
    }

    /// Prepares what the plan asks for, in a thread of its own: the others have to hear meanwhile that this agent is there.
    /// `prepare` gets all that the plan is made of, and a flag that is set when nobody wants it any more.
    ///
    /// # Errors
    /// Why the run does not begin: a sentence without its full stop.
    pub(crate) fn prepare<T: Send>(
        &mut self,
        stop: &AtomicBool,
        prepare: impl FnOnce(&[u8], &Arc<AtomicBool>) -> T + Send,
    ) -> Result<T, String> {
        let package = std::mem::take(&mut self.package);
        let unwanted = Arc::new(AtomicBool::new(false));
        thread::scope(|scope| {
            let prepared = scope.spawn(|| prepare(&package, &unwanted));
            let mut why = None;
            while !prepared.is_finished() {
                self.turn(LOOK_FOR_MARKERS);
                why = why.or_else(|| self.is_called_off(stop));
                unwanted.store(why.is_some(), Ordering::Relaxed);
            }
            let prepared = prepared.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            why.map_or(Ok(prepared), Err)
        })
    }

    /// Why the run does not begin, if it does not: a sentence without its full stop.
    fn is_called_off(&mut self, stop: &AtomicBool) -> Option<String> {
        if stop.load(Ordering::Relaxed) {
            self.say(Said::Leaves("was stopped by its user".to_owned()));
            return Some("this agent was stopped".to_owned());
        }
        let is_over = self.is_over.then(|| "the coordinator has called it off".to_owned());
        is_over.or_else(|| self.trouble.take()).or_else(|| self.is_left_alone())
    }

    /// Who is gone, if this agent is left alone: a sentence without its full stop.
    fn is_left_alone(&self) -> Option<String> {
        let silence = self.latest.elapsed();
        match self.agent.broker.was_away(self.latest) {
            true => (silence > BROKER_GONE).then(|| self.agent.broker.gone()),
            false => {
                (silence > CUT_OFF).then(|| format!("nothing was heard of the coordinator for {CUT_OFF:?}"))
            }
        }
    }

    /// It cannot take part: a sentence without its full stop.
    pub(crate) fn refuse(mut self, why: &str, stop: &AtomicBool) {
        self.say(Said::Refused(why.to_owned()));
        self.linger(stop);
    }

    /// It is ready. Waits until the run begins: gives when, by the clock of this machine.
    ///
    /// # Errors
    /// Why it does not: a sentence without its full stop.
    pub(crate) fn ready(&mut self, stop: &AtomicBool) -> Result<Instant, String> {
        let mut has_said = false;
        loop {
            if let Some(start) = self.start {
                let begin = self.time.fix(start).filter(|begin| *begin <= Instant::now() + MOST_AHEAD);
                return begin.ok_or_else(|| "the coordinator says what none says".to_owned());
            }
            if let Some(why) = self.is_called_off(stop) {
                return Err(why);
            }
            if self.time.is_known() && !std::mem::replace(&mut has_said, true) {
                self.say(Said::Ready(self.time.quickest()));
            }
            self.turn(LOOK);
        }
    }

    /// Carries what is said until the run is over.
    pub(crate) fn relay(
        &mut self,
        plan: &Plan<'_>,
        threads: &Threads,
        inbox: Receiver<Report>,
        secrets: &Secrets,
        stop: &AtomicBool,
    ) -> Played {
        let (sender, run) = (self.agent.sender.clone(), Arc::<str>::from(&*self.call.run));
        let forward =
            move || inbox.into_iter().try_for_each(|report| sender.send(Event::Report(run.clone(), report)));
        let forward = thread::Builder::new().name("reports".to_owned()).spawn(forward);
        if let Err(error) = forward {
            return Played::Cut(format!("failed to start a thread: {error}"));
        }
        let context = &plan.context;
        let mut at_home = 0;
        // Nobody says so when a marker has arrived.
        let is_watched = context.markers.as_ref().is_some_and(Markers::is_watched);
        let patience = if is_watched { LOOK_FOR_MARKERS } else { LOOK };
        self.latest = Instant::now();
        loop {
            if self.is_over && at_home == threads.own() {
                return Played::Whole;
            }
            let why = match () {
                () if self.is_over => Some("the coordinator has ended the run".to_owned()),
                () if stop.load(Ordering::Relaxed) => {
                    self.say(Said::Leaves("was stopped by its user".to_owned()));
                    Some("it was stopped".to_owned())
                }
                () => {
                    let is_full = self.letters.is_full() || self.others.are_full();
                    let full = is_full.then(|| "the others do not hear what is said here".to_owned());
                    let why = full.or_else(|| self.trouble.take()).or_else(|| self.is_left_alone());
                    why.inspect(|why| self.say(Said::Leaves(format!("left: {why}"))))
                }
            };
            if let Some(why) = why {
                return Played::Cut(why);
            }
            while let Some(aside) = self.others.poll() {
                match aside {
                    Aside::Bulletin(mut bulletin) => {
                        let now = context.since(Instant::now());
                        bulletin.blur(self.time.bounds(self.agent_of(bulletin.from()), now));
                        threads.hear(&bulletin);
                    }
                    Aside::Shown(shown) => context.learn(shown),
                    Aside::Parcels(parcels) => {
                        for parcel in &parcels {
                            self.see(parcel.from, parcel.quickest(), false);
                        }
                        threads.take(parcels);
                    }
                }
            }
            self.say_closed();
            let wait = self.give_orders(plan, threads);
            let report = self.turn(wait.min(patience));
            // Before the act is over in which they changed.
            self.tell_standing(context.markers.as_ref());
            if let Some(report) = report {
                at_home += usize::from(matches!(report, Report::Home(_)));
                if matches!(report, Report::Second(_) | Report::Home(_)) {
                    self.tell_secrets(secrets);
                }
                self.pass_on(report);
            }
        }
    }

    /// What workers say, to whom it is for.
    fn pass_on(&mut self, report: Report) {
        match report {
            Report::Told(bulletin) => {
                bulletin.quickest().for_each(|(of, quickest)| self.see(of, Some(quickest), true));
                self.others.tell(bulletin);
            }
            Report::Shown(shown) => self.others.say(&Aside::Shown(shown)),
            closed @ Report::Closed => self.closed.push_back(closed),
            report => self.say(Said::Report(report)),
        }
    }

    /// Tells of workers that have judged what was left, when the other agents have what those told them alone: of that no order
    /// says how much there has to be.
    fn say_closed(&mut self) {
        while self.others.have_parcels()
            && let Some(closed) = self.closed.pop_front()
        {
            self.say(Said::Report(closed));
        }
    }

    /// Tells at which nodes the clients are and which nodes hear each other, whenever that changes.
    fn tell_standing(&mut self, markers: Option<&Markers>) {
        let Some(markers) = markers.filter(|markers| markers.is_watched()) else { return };
        let standing = markers.standing();
        if standing != self.told_standing {
            self.told_standing = standing.clone();
            self.say(Said::Report(Report::Standing(self.call.me, standing)));
        }
    }

    fn tell_secrets(&mut self, secrets: &Secrets) {
        let mut values = secrets.values();
        values.retain(|value| !self.told_secrets.contains(value));
        if !values.is_empty() {
            self.told_secrets.extend(values.iter().cloned());
            self.say(Said::Secrets(values));
        }
    }

    /// Gives the workers the orders whose time has come. Gives how long the next one has to wait, at most.
    fn give_orders(&mut self, plan: &Plan<'_>, threads: &Threads) -> Duration {
        while let Some((order, told)) = self.orders.front() {
            let since = plan.context.since(Instant::now());
            // Whoever can publish at the broker can say it.
            if !is_sound(order, plan.acts.len(), since + MOST_AHEAD) {
                self.trouble = Some("the coordinator says what none says".to_owned());
                return Duration::ZERO;
            }
            if !self.others.have_told(told) {
                return LOOK;
            }
            if let Order::Begin { due, .. } = order {
                let wait = due.saturating_sub(since);
                if !wait.is_zero() {
                    return wait;
                }
            }
            match self.orders.pop_front() {
                Some((Order::Disturb(times), _)) => threads.learn_disturbances(self.time.widened(times)),
                Some((order, _)) => threads.tell(order),
                None => {}
            }
        }
        LOOK
    }

    /// Waits for something to happen, and does what is to be done now and then. Gives what a worker says.
    fn turn(&mut self, wait: Duration) -> Option<Report> {
        let now = Instant::now();
        if now >= self.next_beat {
            self.next_beat = now + PULSE;
            self.beat();
            self.others.acknowledge();
        }
        if now >= self.next_again {
            self.next_again = now + AGAIN;
            self.letters.again().into_iter().for_each(|frame| self.carry_letter(frame));
            self.others.say_again();
        }
        let next_ask = if self.has_plan { self.time.next_ask() } else { self.next_beat };
        if self.has_plan && now >= next_ask {
            let time = self.time.ask(self.call.me, now);
            self.agent.broker.publish(of_run(&self.call.run, "time"), encode(&time));
        }
        let until = self.next_beat.min(self.next_again).min(next_ask).min(now + wait);
        match self.agent.events.recv_timeout(until.saturating_duration_since(now)) {
            // What workers of another run still said is of no interest.
            Ok(Event::Report(run, report)) => (*run == *self.call.run).then_some(report),
            Ok(Event::Heard(message)) => {
                self.hear(&message);
                None
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }

    fn hear(&mut self, message: &Message) {
        self.agent.answer_who(message, true);
        if message.subject == of_agent(&self.agent.offer.id)
            && let Some(reply) = &message.reply
        {
            let answer = Answer::Refuses("it plays in another run".to_owned());
            self.agent.broker.publish(reply.clone(), encode(&answer));
        }
        let Some(rest) = message.subject.strip_prefix(&of_run(&self.call.run, "")) else { return };
        let payload = &message.payload;
        match rest.split_once('.') {
            None if rest == "over" => self.is_over = true,
            None if rest == "word" => {
                self.latest = Instant::now();
                let words = self.words.take(payload.clone());
                let understood: Vec<Option<Word>> = words.iter().map(|word| decode(word)).collect();
                if self.words.is_broken() || understood.iter().any(Option::is_none) {
                    self.trouble = Some("the coordinator says what none says".to_owned());
                }
                understood.into_iter().flatten().for_each(|word| self.obey(word));
            }
            None if rest == "pulse" => {
                decode(payload).into_iter().for_each(|pulse| self.hear_pulse(pulse));
            }
            Some(("time", _)) => {
                decode(payload).into_iter().for_each(|time| self.time.take(time));
            }
            Some(("aside" | "apart", _)) => {
                self.others.hear(rest, payload);
                if self.others.are_broken() {
                    self.trouble = Some("another agent says what none says".to_owned());
                }
            }
            _ => {}
        }
    }

    fn hear_pulse(&mut self, pulse: Pulse) {
        self.latest = Instant::now();
        let of_me = |all: &[u64]| all.get(self.me).copied().unwrap_or_default();
        self.letters.heard(0, of_me(&pulse.expected));
        self.others.note_heard(of_me(&pulse.heard));
        self.time.note(pulse.doubts);
    }

    fn obey(&mut self, word: Word) {
        match word {
            Word::Package(package) => {
                let hash: [u8; 32] = Sha256::digest(&package).into();
                match hash == self.call.hash {
                    true => (self.package, self.has_plan) = (package, true),
                    false => self.trouble = Some("the plan is another one than the call was for".to_owned()),
                }
            }
            Word::Start(start) => self.start = Some(start),
            Word::Order(order, told) => self.orders.push_back((order, told)),
            Word::Over => self.is_over = true,
        }
    }

    fn await_package(&mut self, stop: &AtomicBool) -> Result<(), String> {
        while self.package.is_empty() {
            if let Some(why) = self.is_called_off(stop) {
                return Err(why);
            }
            self.turn(LOOK);
        }
        Ok(())
    }

    /// Its clients have left because the broker was away. That may be back soon, and the others should know why.
    pub(crate) fn explain(&mut self, stop: &AtomicBool) {
        if self.agent.broker.was_away(self.latest) {
            self.linger(stop);
        }
    }

    /// Waits until what was said is heard, unless the user wants no more.
    fn linger(&mut self, stop: &AtomicBool) {
        let until = Instant::now() + FAREWELL;
        let is_wanted = |now: Instant| now < until && !stop.load(Ordering::Relaxed);
        while !self.letters.is_heard() && !self.is_over && is_wanted(Instant::now()) {
            self.turn(LOOK);
        }
    }

    fn beat(&mut self) {
        let beat = Beat {
            from: self.call.me,
            of_coordinator: self.words.expects(),
            of_agents: self.others.expected(),
            doubt: self.time.doubt(),
            jumps: self.time.jumps(),
            offset: self.time.ahead(),
        };
        self.agent.broker.publish(of_run(&self.call.run, "beat"), encode(&beat));
    }

    /// Which agent has this worker.
    fn agent_of(&self, worker: usize) -> Option<usize> {
        let is_of = |(from, to): &(u32, u32)| (*from as usize..*to as usize).contains(&worker);
        self.call.shares.iter().position(is_of)
    }

    /// Messages of the clients of this worker were received here, or messages of this agent's there.
    fn see(&mut self, worker: usize, quickest: Option<Quickest>, is_here: bool) {
        let agent = self.agent_of(worker).filter(|agent| *agent != self.me);
        if let (Some(agent), Some(quickest)) = (agent, quickest) {
            self.time.see(agent, quickest, is_here);
        }
    }

    fn say(&mut self, said: Said) {
        let letter = encode(&Letter { told: self.others.said(), said });
        self.letters.say(&letter).into_iter().for_each(|frame| self.carry_letter(frame));
    }

    fn carry_letter(&self, frame: Bytes) {
        self.agent.broker.publish(of_run(&self.call.run, &format!("letter.{}", self.me)), frame);
    }
}

impl Drop for Job<'_> {
    fn drop(&mut self) {
        self.agent.broker.forget(of_run(&self.call.run, ""));
    }
}

/// Whether a coordinator can say this of a plan with so many acts. No time of which it tells lies further ahead.
fn is_sound(order: &Order, acts: usize, most: Duration) -> bool {
    match order {
        Order::Begin { act, due } => *act < acts && *due <= most,
        Order::Disturb(times) => times.iter().all(|(from, to)| to.unwrap_or(*from).max(*from) <= most.into()),
        Order::Close { now } => *now <= most,
        Order::Measure(_) | Order::Mark(_) | Order::Drain | Order::Leave | Order::Finish => true,
    }
}

/// What to say of a run that does not take place.
pub(crate) fn no_run(why: &str) -> String {
    format!("a run that was announced did not take place: {why}")
}
