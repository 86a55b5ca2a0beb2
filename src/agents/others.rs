//! What an agent and the other agents of its run say to each other: to all of them what all have to know, and to each alone what
//! nobody else has to.

use std::collections::VecDeque;

use bytes::Bytes;

use super::broker::Broker;
use super::link::{Inbox, Outbox};
use super::pairs::Pairs;
use super::wire::{Aside, Call, decode, encode, of_run};
use crate::audit::{Bulletin, Parcel};

/// See the module's head.
pub(super) struct Others<'a> {
    broker: &'a Broker,
    run: String,
    me: usize,
    /// The numbers of the workers of each agent: from, and to without that one.
    shares: Vec<(u32, u32)>,
    /// What is said to all.
    outbox: Outbox,
    /// What each says to all.
    inboxes: Vec<Inbox>,
    pairs: Pairs,
    heard: VecDeque<Aside>,
    /// Whether it is the turn of saying again.
    is_late: bool,
    /// Whether somebody said what none says.
    is_broken: bool,
}

/// The subjects to which the agent listens.
pub(super) fn subjects(me: usize) -> [String; 2] {
    ["aside.*".to_owned(), format!("apart.{me}.*")]
}

impl<'a> Others<'a> {
    /// Of the run of a call.
    pub(super) fn new(broker: &'a Broker, call: &Call) -> Others<'a> {
        let all = call.shares.len();
        Others {
            broker,
            run: call.run.clone(),
            me: usize::from(call.me),
            shares: call.shares.clone(),
            // The coordinator tells what all of them have heard.
            outbox: Outbox::new(usize::from(all > 1), broker.limit),
            inboxes: (0..all).map(|_| Inbox::default()).collect(),
            pairs: Pairs::new(all, broker.limit),
            heard: VecDeque::new(),
            is_late: false,
            is_broken: false,
        }
    }

    /// Says something to all.
    pub(super) fn say(&mut self, aside: &Aside) {
        let frames = self.outbox.say(&encode(aside));
        frames.into_iter().for_each(|frame| self.carry(frame));
    }

    /// Says to all what all have to know of what an auditor here tells, and to each what it alone has to.
    pub(super) fn tell(&mut self, mut bulletin: Box<Bulletin>) {
        let mut parcels = bulletin.take_parcels();
        self.say(&Aside::Bulletin(bulletin));
        for (to, share) in self.shares.clone().into_iter().enumerate() {
            let own: Vec<Parcel> = parcels.extract_if(.., |parcel| is_of(share, parcel.to)).collect();
            // Those here have it already.
            if own.is_empty() || to == self.me {
                continue;
            }
            let frames = self.pairs.say(to, &encode(&Aside::Parcels(own)));
            frames.into_iter().for_each(|frame| self.carry_to(to, frame));
        }
    }

    /// Takes what came under a subject of theirs, which ends so.
    pub(super) fn hear(&mut self, subject: &str, payload: &Bytes) {
        let number =
            |text: &str| text.parse::<usize>().ok().filter(|of| *of < self.shares.len() && *of != self.me);
        let (from, messages) = match subject.split_once('.') {
            Some(("aside", from)) => {
                let Some(from) = number(from) else { return };
                let messages = self.inboxes[from].take(payload.clone());
                self.is_broken |= self.inboxes[from].is_broken();
                (from, messages)
            }
            Some(("apart", ways)) => {
                let Some(from) = ways.split_once('.').and_then(|(_, from)| number(from)) else { return };
                let messages = self.pairs.take(from, payload.clone());
                self.is_broken |= self.pairs.are_broken();
                (from, messages)
            }
            _ => return,
        };
        for message in messages {
            match decode::<Aside>(&message).filter(|aside| self.is_sound(from, aside)) {
                Some(aside) => self.heard.push_back(aside),
                None => self.is_broken = true,
            }
        }
    }

    /// What was heard next.
    pub(super) fn poll(&mut self) -> Option<Aside> {
        self.heard.pop_front()
    }

    /// All have heard so much of what was said to all.
    pub(super) fn note_heard(&mut self, expected: u64) {
        self.outbox.heard(0, expected);
    }

    /// How much was said to all.
    pub(super) fn said(&self) -> u64 {
        self.outbox.said()
    }

    /// What is expected next of each.
    pub(super) fn expected(&self) -> Vec<u64> {
        self.inboxes.iter().map(Inbox::expects).collect()
    }

    /// Whether so much was heard of what each said to all.
    pub(super) fn have_told(&self, told: &[u64]) -> bool {
        let has = |(from, inbox): (usize, &Inbox)| {
            from == self.me || told.get(from).is_none_or(|told| inbox.expects() >= *told)
        };
        self.inboxes.iter().enumerate().all(has)
    }

    /// Whether each has heard what was said to it alone.
    pub(super) fn have_parcels(&self) -> bool {
        self.pairs.are_heard()
    }

    /// Whether somebody has fallen too far behind.
    pub(super) fn are_full(&self) -> bool {
        self.outbox.is_full() || self.pairs.are_full()
    }

    /// Whether somebody said what none says.
    pub(super) fn are_broken(&self) -> bool {
        self.is_broken
    }

    /// Tells each what was heard of it alone.
    pub(super) fn acknowledge(&mut self) {
        let receipts = self.pairs.receipts();
        receipts.into_iter().for_each(|(to, frame)| self.carry_to(to, frame));
    }

    /// Says again what was not heard, every other time: what they have heard is told by way of the coordinator, or now and then.
    pub(super) fn say_again(&mut self) {
        self.is_late = !self.is_late;
        if self.is_late {
            self.outbox.again().into_iter().for_each(|frame| self.carry(frame));
            let again = self.pairs.again();
            again.into_iter().for_each(|(to, frame)| self.carry_to(to, frame));
        }
    }

    /// Whether one of them can say this.
    fn is_sound(&self, from: usize, aside: &Aside) -> bool {
        let (theirs, ours) = (self.shares[from], self.shares[self.me]);
        match aside {
            Aside::Bulletin(bulletin) => is_of(theirs, bulletin.from()),
            Aside::Parcels(parcels) => {
                parcels.iter().all(|parcel| is_of(theirs, parcel.from) && is_of(ours, parcel.to))
            }
            Aside::Shown(_) => true,
        }
    }

    fn carry(&self, frame: Bytes) {
        self.broker.publish(of_run(&self.run, &format!("aside.{}", self.me)), frame);
    }

    fn carry_to(&self, to: usize, frame: Bytes) {
        self.broker.publish(of_run(&self.run, &format!("apart.{to}.{}", self.me)), frame);
    }
}

/// Whether a worker is one of these.
fn is_of((from, to): (u32, u32), worker: usize) -> bool {
    (from as usize..to as usize).contains(&worker)
}
