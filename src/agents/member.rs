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
use super::clock::ClockEstimate;
use super::link::{Inbox, Outbox};
use super::wire::{
    self, Answer, Aside, Call, Letter, Offer, Pulse, Said, Time, WHO, Word, decode, encode, of_agent, of_run,
};
use super::{AGAIN, CUT_OFF, PULSE};
use crate::audit::Disturbances;
use crate::engine::{Crew, Order, Report, Share, Threads};
use crate::secrets::Secrets;
use crate::step::{Markers, RunContext, Standing};

/// How often it is asked what time it is, before the run and while it goes on.
const ASK_SOON: Duration = Duration::from_millis(20);
const ASK: Duration = Duration::from_millis(250);

/// How many round trips there are before an agent is ready.
const ROUND_TRIPS: u32 = 20;

/// How long an agent waits for the plan and the start. The others may take their time to get ready.
const PATIENCE: Duration = Duration::from_secs(180);

/// How long what was brought home may take to be heard.
const FAREWELL: Duration = Duration::from_secs(5);

/// As good as nothing is known of a clock.
const UNKNOWN: Duration = Duration::from_secs(3600);

/// By how much a clock may have drifted since somebody spoke of it last.
const SLACK: Duration = Duration::from_micros(100);

/// How often it is looked whether the user wants no more.
const LOOK: Duration = Duration::from_millis(100);

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
    /// What the other agents say, in the order of all.
    asides: Vec<Inbox>,
    letters: Outbox,
    aside: Outbox,
    clock: ClockEstimate,
    /// What this agent's clock showed when it was nothing.
    base: Instant,
    quickest: Duration,
    round_trips: u32,
    start: Option<Duration>,
    orders: VecDeque<(Order, Vec<u64>)>,
    others: VecDeque<Aside>,
    latest: Instant,
    next_pulse: Instant,
    next_again: Instant,
    next_ask: Instant,
    is_over: bool,
    /// Why the run cannot go on here.
    trouble: Option<String>,
    /// What is added to this agent's time so that it is the coordinator's.
    offset: Option<i64>,
    /// How far the clocks of the others may be from the coordinator's.
    doubts: Vec<Duration>,
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
        files: u64,
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

    /// Waits for a call, and for the plan. None when the user wants no more.
    pub(crate) fn wait(&self, stop: &AtomicBool) -> Option<Job<'_>> {
        while !stop.load(Ordering::Relaxed) {
            let Ok(Event::Heard(message)) = self.events.recv_timeout(LOOK) else { continue };
            self.answer_who(&message, false);
            if message.subject != of_agent(&self.offer.id) {
                continue;
            }
            if let Some(mut job) = self.answer_call(&message)
                && job.await_package(stop)
            {
                return Some(job);
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
        for rest in ["word", "pulse", "over", "aside.*", &format!("time.{me}")] {
            self.broker.subscribe(of_run(&call.run, rest));
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
            asides: (0..all).map(|_| Inbox::default()).collect(),
            letters: Outbox::new(1, limit),
            aside: Outbox::new(all - 1, limit),
            clock: ClockEstimate::default(),
            base: now,
            quickest: Duration::MAX,
            round_trips: 0,
            start: None,
            orders: VecDeque::new(),
            others: VecDeque::new(),
            latest: now,
            next_pulse: now,
            next_again: now + AGAIN,
            next_ask: now,
            is_over: false,
            trouble: None,
            offset: None,
            doubts: vec![Duration::ZERO; all],
            told_secrets: HashSet::new(),
            told_standing: Standing::default(),
            call,
        }
    }

    /// All that the plan is made of.
    pub(crate) fn package(&self) -> &[u8] {
        &self.package
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

    /// It cannot take part: a sentence without its full stop.
    pub(crate) fn refuse(mut self, why: &str) {
        self.say(Said::Refused(why.to_owned()));
        self.linger();
    }

    /// It is ready. Waits until the run begins: gives when, by the clock of this machine. None when it does not.
    pub(crate) fn ready(&mut self, stop: &AtomicBool) -> Option<Instant> {
        let until = Instant::now() + PATIENCE;
        let mut has_said = false;
        while self.start.is_none() {
            if self.is_over || self.trouble.is_some() || Instant::now() > until {
                return None;
            }
            if stop.load(Ordering::Relaxed) {
                self.say(Said::Leaves("was stopped by its user".to_owned()));
                return None;
            }
            if self.round_trips >= ROUND_TRIPS && !std::mem::replace(&mut has_said, true) {
                self.say(Said::Ready(self.quickest));
            }
            self.turn(LOOK);
        }
        let (offset, _) = self.clock.offset(self.base.elapsed())?;
        self.offset = Some(offset);
        let own = i128::try_from(self.start?.as_nanos()).ok()? - i128::from(offset);
        let nanos = u64::try_from(own.unsigned_abs()).ok()?;
        match own < 0 {
            true => self.base.checked_sub(Duration::from_nanos(nanos)),
            false => self.base.checked_add(Duration::from_nanos(nanos)),
        }
    }

    /// Carries what is said until the run is over.
    pub(crate) fn relay(
        &mut self,
        context: &RunContext,
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
                () if self.latest.elapsed() > CUT_OFF => {
                    Some(format!("nothing was heard of the coordinator for {CUT_OFF:?}"))
                }
                () if self.letters.is_full() || self.aside.is_full() => {
                    Some("the others do not hear what is said here".to_owned())
                }
                () => self.trouble.take(),
            };
            if let Some(why) = why {
                return Played::Cut(why);
            }
            while let Some(aside) = self.others.pop_front() {
                match aside {
                    Aside::Bulletin(mut bulletin) => {
                        bulletin.blur(self.blur(bulletin.from()));
                        threads.hear(&bulletin);
                    }
                    Aside::Shown(shown) => context.learn(shown),
                }
            }
            let wait = self.give_orders(context, threads);
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
            Report::Told(bulletin) => self.say_aside(&Aside::Bulletin(bulletin)),
            Report::Shown(shown) => self.say_aside(&Aside::Shown(shown)),
            report => self.say(Said::Report(report)),
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
    fn give_orders(&mut self, context: &RunContext, threads: &Threads) -> Duration {
        while let Some((order, told)) = self.orders.front() {
            let has_heard = |(from, told): (usize, &u64)| {
                from == self.me || self.asides.get(from).is_none_or(|aside| aside.expects() >= *told)
            };
            if !told.iter().enumerate().all(has_heard) {
                return LOOK;
            }
            if let Order::Begin { due, .. } = order {
                let wait = (context.epoch + *due).saturating_duration_since(Instant::now());
                if !wait.is_zero() {
                    return wait;
                }
            }
            match self.orders.pop_front() {
                Some((Order::Disturb(times), _)) => threads.learn_disturbances(self.widened(times)),
                Some((order, _)) => threads.tell(order),
                None => {}
            }
        }
        LOOK
    }

    /// Times of the coordinator, as wide as they may be by this clock.
    fn widened(&self, times: Disturbances) -> Disturbances {
        let doubt = self.doubt() + SLACK;
        times.into_iter().map(|(from, to)| (from.saturating_sub(doubt), to.map(|to| to + doubt))).collect()
    }

    /// Waits for something to happen, and does what is to be done now and then. Gives what a worker says.
    fn turn(&mut self, wait: Duration) -> Option<Report> {
        let now = Instant::now();
        if now >= self.next_pulse {
            self.next_pulse = now + PULSE;
            self.pulse();
        }
        if now >= self.next_again {
            self.next_again = now + AGAIN;
            self.letters.again().into_iter().for_each(|frame| self.carry_letter(frame));
            self.aside.again().into_iter().for_each(|frame| self.carry_aside(frame));
        }
        if now >= self.next_ask {
            self.next_ask = now + if self.round_trips < ROUND_TRIPS { ASK_SOON } else { ASK };
            let time = Time { from: self.call.me, asked: self.base.elapsed(), shows: Duration::ZERO };
            self.agent.broker.publish(of_run(&self.call.run, "time"), encode(&time));
        }
        let until = self.next_pulse.min(self.next_again).min(self.next_ask).min(now + wait);
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
                for word in self.words.take(payload.clone()) {
                    match decode::<Word>(&word) {
                        Some(word) => self.obey(word),
                        None => self.trouble = Some("the coordinator says what none says".to_owned()),
                    }
                }
            }
            None if rest == "pulse" => {
                if let Some(pulse) = decode::<Pulse>(payload) {
                    self.hear_pulse(&pulse);
                }
            }
            Some(("time", _)) => {
                let (now, time) = (self.base.elapsed(), decode::<Time>(payload));
                if let Some(time) = time.filter(|time| time.asked <= now) {
                    self.round_trips += 1;
                    self.quickest = self.quickest.min(now - time.asked);
                    self.clock.take(time.asked, now, time.shows);
                }
            }
            Some(("aside", from)) => {
                let Some(from) = from.parse::<usize>().ok().filter(|from| *from != self.me) else { return };
                let Some(inbox) = self.asides.get_mut(from) else { return };
                for aside in inbox.take(payload.clone()) {
                    match decode::<Aside>(&aside).filter(|aside| is_sound(aside, self.call.shares[from])) {
                        Some(aside) => self.others.push_back(aside),
                        None => self.trouble = Some("another agent says what none says".to_owned()),
                    }
                }
            }
            _ => {}
        }
    }

    fn hear_pulse(&mut self, pulse: &Pulse) {
        match pulse.from.map(usize::from) {
            None => {
                self.latest = Instant::now();
                let expects = pulse.of_agents.get(self.me).copied().unwrap_or_default();
                self.letters.heard(0, expects);
            }
            Some(from) if from != self.me => {
                if let Some(doubt) = self.doubts.get_mut(from) {
                    *doubt = pulse.doubt;
                }
                let expects = pulse.of_agents.get(self.me).copied().unwrap_or_default();
                self.aside.heard(if from < self.me { from } else { from - 1 }, expects);
            }
            Some(_) => {}
        }
    }

    fn obey(&mut self, word: Word) {
        match word {
            Word::Package(package) => {
                let hash: [u8; 32] = Sha256::digest(&package).into();
                match hash == self.call.hash {
                    true => self.package = package,
                    false => self.trouble = Some("the plan is another one than the call was for".to_owned()),
                }
            }
            Word::Start(start) => self.start = Some(start),
            Word::Order(order, told) => self.orders.push_back((order, told)),
            Word::Over => self.is_over = true,
        }
    }

    fn await_package(&mut self, stop: &AtomicBool) -> bool {
        let until = Instant::now() + PATIENCE;
        while self.package.is_empty() && Instant::now() < until {
            if stop.load(Ordering::Relaxed) || self.is_over || self.trouble.is_some() {
                return false;
            }
            self.turn(LOOK);
        }
        !self.package.is_empty()
    }

    /// Waits until what was said is heard.
    fn linger(&mut self) {
        let until = Instant::now() + FAREWELL;
        while !self.letters.is_heard() && !self.is_over && Instant::now() < until {
            self.turn(LOOK);
        }
    }

    fn pulse(&mut self) {
        let offset = self.clock.offset(self.base.elapsed()).map_or(0, |(offset, _)| offset);
        let doubt = self.doubt();
        let pulse = Pulse {
            from: Some(self.call.me),
            of_coordinator: self.words.expects(),
            of_agents: self.asides.iter().map(Inbox::expects).collect(),
            doubt,
            jumps: self.clock.jumps,
            offset: -offset,
        };
        self.agent.broker.publish(of_run(&self.call.run, "pulse"), encode(&pulse));
    }

    /// How far this clock may be from the coordinator's.
    fn doubt(&self) -> Duration {
        let now = self.base.elapsed();
        let doubt = match self.offset {
            Some(used) => self.clock.doubt_of(used, now),
            None => self.clock.offset(now).map(|(_, doubt)| doubt),
        };
        doubt.map_or(UNKNOWN, |doubt| doubt.min(UNKNOWN))
    }

    /// How far this clock may be from that of the agent with this worker.
    fn blur(&self, worker: usize) -> Duration {
        let is_of = |(from, to): &(u32, u32)| (*from as usize..*to as usize).contains(&worker);
        let place = self.call.shares.iter().position(is_of);
        let theirs = place.and_then(|place| self.doubts.get(place)).copied().unwrap_or(UNKNOWN);
        theirs.min(UNKNOWN) + self.doubt() + SLACK
    }

    fn say(&mut self, said: Said) {
        let letter = encode(&Letter { told: self.aside.said(), said });
        self.letters.say(&letter).into_iter().for_each(|frame| self.carry_letter(frame));
    }

    fn say_aside(&mut self, aside: &Aside) {
        self.aside.say(&encode(aside)).into_iter().for_each(|frame| self.carry_aside(frame));
    }

    fn carry_letter(&self, frame: Bytes) {
        self.agent.broker.publish(of_run(&self.call.run, &format!("letter.{}", self.me)), frame);
    }

    fn carry_aside(&self, frame: Bytes) {
        self.agent.broker.publish(of_run(&self.call.run, &format!("aside.{}", self.me)), frame);
    }
}

impl Drop for Job<'_> {
    fn drop(&mut self) {
        self.agent.broker.forget(of_run(&self.call.run, ""));
    }
}

/// Whether the agent with these workers can say this.
fn is_sound(aside: &Aside, (from, to): (u32, u32)) -> bool {
    match aside {
        Aside::Bulletin(bulletin) => (from as usize..to as usize).contains(&bulletin.from()),
        Aside::Shown(_) => true,
    }
}
