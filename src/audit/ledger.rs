//! The ledger of one worker: what its clients did and saw, each message judged when its window closes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::time::Duration;

pub use super::book::Mark;
use super::book::{Book, Seat};
use super::fanout::Span;
use super::findings::{Findings, Leak, Offence};
use super::judgement::Judgement;
use super::receipts::Receipts;
use super::{Key, Map, Message, Moment, Set};
use crate::observe::Deed;
use crate::threshold::Fault;

/// How long a stay that is over is remembered beyond the window, for messages that are not settled yet.
const MEMORY: Duration = Duration::from_secs(30);

/// When nothing has come for so long, what is missing is not waited for any more.
const QUIET: Duration = Duration::from_secs(1);

/// How long a receipt waits for the news of its message. The longest step is settled by then.
const PATIENCE: Duration = Duration::from_secs(600);

/// The most messages that are waited for; a server that invents some is not believed beyond.
const MOST_UNKNOWN: usize = 1 << 18;

/// The most missing pairs that are remembered, to be taken back when they come after all.
const MOST_MISSING: usize = 1 << 16;

/// What a receiver owes to be told is kept for so many messages of each seat that is away.
const MOST_OWED: usize = 1 << 12;

/// How far back the order of a sender's messages is looked at.
const BACK: u64 = 1 << 10;

/// A message between its first sign and the end of its window.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) message: Option<Arc<Message>>,
    pub(super) receipts: Receipts,
    /// How many seats were up when the message was settled.
    pub(super) live: u64,
    /// Who had received a later message of the sender when this one came, and which.
    pub(super) overtaken: Vec<(u32, u64)>,
    /// Who had to receive it and had not, when that was looked at last.
    awaited: Option<Vec<u32>>,
    /// Whether it was told when it was received.
    is_told: bool,
}

impl Open {
    /// When it was received, unless that was told.
    fn tell(&mut self, message: &Message) -> Option<Span> {
        let (receivers, first, last) = (self.receipts.len(), self.receipts.first(), self.receipts.last());
        let is_told = std::mem::replace(&mut self.is_told, true);
        (!is_told).then_some(Span { key: message.key, due: message.due, receivers, first, last })
    }
}

/// How far the messages of a sender have come.
#[derive(Debug, Default)]
struct Course {
    /// Its first message that is not judged.
    judged: u64,
    /// The one after the last that was seen.
    seen: u64,
}

/// See the module's head. Every call but for [`Ledger::received`] is about a client of this worker by its index in
/// the run, at a time since the beginning of the run; times never go backwards by more than the window.
#[derive(Debug)]
pub struct Ledger {
    window: Duration,
    clients: u32,
    pub(super) book: Book,
    open: Map<Key, Open>,
    /// When a message is to be judged.
    due: BinaryHeap<Reverse<(Moment, Key)>>,
    /// Messages that were received before anybody told of them, and since when.
    unknown: Vec<(Moment, Key)>,
    /// Messages that somebody may still have to receive.
    awaited: Vec<Key>,
    /// When messages were received, for who puts that together.
    spans: Vec<Span>,
    senders: Map<u32, Course>,
    missing: Set<(u32, Key)>,
    /// Seats to which something is owed.
    owing: Vec<u32>,
    /// The last receipt.
    latest: Moment,
    findings: Findings,
}

impl Ledger {
    /// An empty ledger for so many clients. A message that has not come when the window is over, counted
    /// from its being settled, is missing.
    pub fn new(clients: u32, window: Duration) -> Ledger {
        Ledger {
            window,
            clients,
            book: Book::default(),
            open: Map::default(),
            due: BinaryHeap::new(),
            unknown: Vec::new(),
            awaited: Vec::new(),
            spans: Vec::new(),
            senders: Map::default(),
            missing: Set::default(),
            owing: Vec::new(),
            latest: Moment::ZERO,
            findings: Findings::default(),
        }
    }

    /// What was found so far.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Notes that a client of another worker has asked for a room.
    pub fn know(&mut self, mark: Mark) {
        self.book.know(mark);
    }

    /// The rooms that clients of this worker were the first to ask for, for the other workers.
    pub fn take_marks(&mut self) -> Vec<Mark> {
        self.book.take_fresh()
    }

    /// Takes what a client did or saw. Gives back a message that it sent, for the other workers.
    pub fn witness(&mut self, client: u32, at: Moment, deed: Deed<'_>) -> Option<Arc<Message>> {
        match deed {
            Deed::Received { namespace, key } => self.received(client, namespace, key, at),
            Deed::Settled(mut message) => {
                message.is_astray = self.book.is_astray(&message);
                let message = Arc::new(message);
                self.settled(message.clone());
                return Some(message);
            }
            Deed::Connecting { namespace } => self.connecting(client, namespace, at),
            Deed::Connected { namespace, sid, recovered } => {
                self.connected(client, namespace, sid, recovered, at);
            }
            Deed::Leaving { namespace } => self.leaving(client, namespace, at),
            Deed::Ended { namespace } => self.ended(client, namespace, at),
            Deed::Lost => self.lost(client, at),
            Deed::Joining { namespace, room } => self.joining(client, namespace, room, at),
            Deed::Joined { namespace, room } => self.joined(client, namespace, room, at),
            Deed::Parting { namespace, room } => self.parting(client, namespace, room, at),
            Deed::Parted { namespace, room } => self.parted(client, namespace, room, at),
        }
        None
    }

    /// The client asks to be connected to a namespace.
    pub fn connecting(&mut self, client: u32, namespace: &str, at: Moment) {
        let seat = self.book.seat(client, namespace);
        self.book.connecting(seat, at);
    }

    /// It is connected to a namespace, with a socket of this id: a new one, or the one that was cut.
    pub fn connected(&mut self, client: u32, namespace: &str, sid: &str, recovered: bool, at: Moment) {
        let seat = self.book.seat(client, namespace);
        if recovered {
            return self.book.change(seat, |book, seat| book.recovered(seat, at));
        }
        self.book.change(seat, |book, seat| book.connected(seat, sid, at));
        self.findings.undecided += std::mem::take(&mut self.book.seat_mut(seat).owed).len() as u64;
    }

    /// It asks to leave a namespace, or all of them.
    pub fn leaving(&mut self, client: u32, namespace: Option<&str>, at: Moment) {
        self.each_seat(client, namespace, |book, seat| book.leaving(seat, at));
    }

    /// It is not in a namespace any more, or in none.
    pub fn ended(&mut self, client: u32, namespace: Option<&str>, at: Moment) {
        self.each_seat(client, namespace, |book, seat| book.ended(seat, at));
    }

    /// Its connection is gone without a word.
    pub fn lost(&mut self, client: u32, at: Moment) {
        self.each_seat(client, None, |book, seat| book.lost(seat, at));
    }

    /// It asks to join a room.
    pub fn joining(&mut self, client: u32, namespace: &str, room: &str, at: Moment) {
        let seat = self.book.seat(client, namespace);
        self.book.joining(seat, room, at);
    }

    /// The server said that it has joined.
    pub fn joined(&mut self, client: u32, namespace: &str, room: &str, at: Moment) {
        let seat = self.book.seat(client, namespace);
        self.book.joined(seat, room, at);
    }

    /// It asks to leave a room.
    pub fn parting(&mut self, client: u32, namespace: &str, room: &str, at: Moment) {
        let seat = self.book.seat(client, namespace);
        self.book.parting(seat, room, at);
    }

    /// The server said that it has left.
    pub fn parted(&mut self, client: u32, namespace: &str, room: &str, at: Moment) {
        let seat = self.book.seat(client, namespace);
        self.book.parted(seat, room, at);
    }

    /// A message of any worker's client was settled. Those of one sender come in their order.
    pub fn settled(&mut self, message: Arc<Message>) {
        let key = message.key;
        self.due.push(Reverse((message.settled + self.window, key)));
        let entry = self.open.entry(key).or_default();
        entry.live = self.book.live();
        entry.message = Some(message);
        self.awaited.push(key);
    }

    /// A client received a stamped message in a namespace.
    pub fn received(&mut self, client: u32, namespace: &str, key: Key, at: Moment) {
        let seat = self.book.seat(client, namespace);
        self.findings.receipts += 1;
        self.latest = self.latest.max(at);
        if key.sender >= self.clients {
            return self.accuse((Fault::Leaked, Some(Leak::Nobody)), seat, key, None, Some(at), None);
        }
        let course = self.senders.entry(key.sender).or_default();
        if key.sequence < course.judged {
            return self.received_late(seat, key);
        }
        let entry = match self.open.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(_) if self.unknown.len() >= MOST_UNKNOWN => {
                return self.accuse((Fault::Leaked, Some(Leak::Nobody)), seat, key, None, Some(at), None);
            }
            Entry::Vacant(place) => {
                self.unknown.push((at, key));
                place.insert(Open::default())
            }
        };
        if !entry.receipts.put(seat, at) {
            let message = entry.message.clone();
            return self.accuse((Fault::Duplicate, None), seat, key, message, Some(at), None);
        }
        if key.sequence >= course.seen {
            course.seen = key.sequence + 1;
        } else {
            let seen = course.seen;
            self.look_at_the_order(seat, key, seen);
        }
    }

    /// Judges what is due, and forgets it.
    pub fn advance(&mut self, now: Moment) {
        while self.due.peek().is_some_and(|Reverse((due, _))| *due <= now) {
            let Some(Reverse((_, key))) = self.due.pop() else { break };
            self.close(key, now);
        }
        self.look_for_the_unknown(now);
        self.look_for_the_awaited();
        self.collect_debts(now);
        self.book.forget(now.saturating_sub(self.window + MEMORY));
    }

    /// Whether some client must still receive something and can.
    pub fn is_waiting(&mut self, now: Moment) -> bool {
        // What is missing may still be on its way as long as anything comes: it is we who are late.
        if !self.missing.is_empty() && self.latest + QUIET > now {
            return true;
        }
        self.look_for_the_awaited();
        let seats = self.book.seats();
        let is_coming = |seat: u32, message: &Message| {
            let seat = &seats[seat as usize];
            let was_cut = seat.back.is_some_and(|back| back > message.sent) && !message.is_kept;
            seat.is_up_since(message.sent) && !was_cut
        };
        let is_owed =
            |seat: &u32| seats[*seat as usize].owed.iter().any(|(_, message)| is_coming(*seat, message));
        let is_awaited = |key: &Key| {
            let Some(Open { message: Some(message), awaited: Some(awaited), .. }) = self.open.get(key) else {
                return false;
            };
            awaited.iter().any(|seat| is_coming(*seat, message))
        };
        self.owing.iter().any(is_owed) || self.awaited.iter().any(is_awaited)
    }

    /// When messages were received: of each once, when those who had to have it, or its window is over.
    pub fn take_spans(&mut self) -> Vec<Span> {
        std::mem::take(&mut self.spans)
    }

    /// Judges what is left. A message whose window is not over accuses nobody of its absence.
    pub fn close_all(&mut self, now: Moment) {
        self.advance(now);
        let mut keys: Vec<Key> = self.open.keys().copied().collect();
        keys.sort_unstable();
        for key in keys {
            self.close(key, now);
        }
    }

    /// Judges what is left, and gives what was found.
    pub fn finish(mut self, now: Moment) -> Findings {
        self.close_all(now);
        self.findings.undecided += self.book.seats().iter().map(|seat| seat.owed.len() as u64).sum::<u64>();
        self.findings
    }

    fn each_seat(&mut self, client: u32, namespace: Option<&str>, act: impl Fn(&mut Book, u32)) {
        for seat in self.book.seats_of(client, namespace) {
            self.book.change(seat, &act);
        }
    }

    /// Gives up messages of which nobody tells.
    fn look_for_the_unknown(&mut self, now: Moment) {
        let mut unknown = std::mem::take(&mut self.unknown);
        unknown.retain(|(since, key)| {
            let is_unknown = self.open.get(key).is_some_and(|entry| entry.message.is_none());
            let is_over = *since + self.window + PATIENCE <= now;
            if is_unknown && is_over {
                self.close(*key, now);
            }
            is_unknown && !is_over
        });
        self.unknown = unknown;
    }

    /// Looks who of those who must receive a message still has not. All are looked at once; after that only those who had
    /// not, since nobody else can come to have to.
    fn look_for_the_awaited(&mut self) {
        let mut keys = std::mem::take(&mut self.awaited);
        keys.retain(|key| self.is_awaited(*key));
        self.awaited = keys;
    }

    fn is_awaited(&mut self, key: Key) -> bool {
        let Some(entry) = self.open.get_mut(&key) else { return false };
        let Some(message) = entry.message.clone() else { return false };
        let awaited = match entry.awaited.take() {
            Some(awaited) => awaited,
            None => Judgement::of(&mut self.book, &message, entry, message.settled + self.window).absent,
        };
        let (seats, receipts) = (self.book.seats(), &entry.receipts);
        // Who is away may come back, and then has to receive it.
        let can_come = |seat: &Seat| seat.away.is_some() || seat.is_up_since(message.sent);
        let awaited: Vec<u32> = awaited
            .into_iter()
            .filter(|seat| !receipts.has(*seat) && can_come(&seats[*seat as usize]))
            .collect();
        let is_awaited = !awaited.is_empty();
        entry.awaited = Some(awaited);
        // Of a message that binds nobody it is not known when it has come to all that it comes to.
        if !is_awaited && self.book.can_tell(&message) && message.binds() {
            self.spans.extend(entry.tell(&message));
        }
        is_awaited
    }

    fn received_late(&mut self, seat: u32, key: Key) {
        let owed = &mut self.book.seat_mut(seat).owed;
        if let Some(index) = owed.iter().position(|(of, _)| *of == key) {
            owed.remove(index);
            self.findings.expected += 1;
        } else if self.missing.remove(&(seat, key)) {
            let client = self.book.seats()[seat as usize].client;
            self.findings.forgive(client, key);
        } else {
            self.findings.late += 1;
        }
    }

    /// Others have received later messages of the sender, before the one `seen`: whether this seat has, too.
    fn look_at_the_order(&mut self, seat: u32, key: Key, seen: u64) {
        let later = (key.sequence + 1)..seen.min(key.sequence + BACK);
        let has = |sequence: &u64| {
            let key = Key { sequence: *sequence, ..key };
            self.open.get(&key).is_some_and(|entry| entry.receipts.has(seat))
        };
        let by = later.into_iter().find(has);
        if let (Some(by), Some(entry)) = (by, self.open.get_mut(&key)) {
            entry.overtaken.push((seat, by));
        }
    }

    fn close(&mut self, key: Key, now: Moment) {
        let known = self.open.get(&key);
        let Some(due) =
            known.map(|entry| entry.message.as_ref().map(|message| message.settled + self.window))
        else {
            return;
        };
        let Some(mut entry) = self.open.remove(&key) else { return };
        let Some(message) = entry.message.clone() else {
            for (seat, at) in entry.receipts.iter() {
                self.accuse((Fault::Leaked, Some(Leak::Nobody)), seat, key, None, Some(at), None);
            }
            return;
        };
        self.spans.extend(entry.tell(&message));
        let course = self.senders.entry(key.sender).or_default();
        course.judged = course.judged.max(key.sequence + 1);
        let book = &mut self.book;
        self.findings.complete(&message, |offence| {
            let seat = book.seat(offence.receiver, &offence.namespace);
            book.stays(&message, seat)
        });
        let is_over = due.is_some_and(|due| due <= now);
        let judgement = Judgement::of(&mut self.book, &message, &entry, now);
        self.findings.messages += 1;
        self.findings.expected += judgement.expected;
        self.findings.forbidden += judgement.forbidden;
        self.findings.undecided += judgement.undecided;
        for seat in judgement.absent {
            self.absent(seat, &message, is_over, now);
        }
        for (seat, leak, at) in judgement.leaked {
            self.accuse((Fault::Leaked, Some(leak)), seat, key, Some(message.clone()), Some(at), None);
        }
        // The sender's next message was sent when this one was settled: the order is certain if the server said so.
        // What may be lost need not wait for its turn.
        if message.handled.is_some() && !message.may_be_lost {
            for (seat, by) in entry.overtaken {
                let later =
                    self.open.get(&Key { sequence: by, ..key }).and_then(|entry| entry.message.as_ref());
                if later.is_some_and(|later| later.may_be_lost) {
                    continue;
                }
                self.accuse((Fault::Disordered, None), seat, key, Some(message.clone()), None, Some(by));
            }
        }
    }

    /// A seat had to receive a message, and has not.
    fn absent(&mut self, seat: u32, message: &Arc<Message>, is_over: bool, now: Moment) {
        let window = self.window;
        let place = self.book.seat_mut(seat);
        let is_late = place.back.is_some_and(|back| back + window > now);
        if place.away.is_some() || (is_late && place.is_up()) {
            let was_away = message.is_kept && place.owed.len() < MOST_OWED;
            if !was_away {
                self.findings.undecided += 1;
                return;
            }
            place.owed.push((message.key, message.clone()));
            self.owing.push(seat);
            return;
        }
        let was_cut = place.back.is_some_and(|back| back > message.sent) && !message.is_kept;
        if !is_over || !place.is_up_since(message.sent) || was_cut {
            self.findings.undecided += 1;
            return;
        }
        self.miss(seat, message);
    }

    fn miss(&mut self, seat: u32, message: &Arc<Message>) {
        self.findings.expected += 1;
        if self.missing.len() < MOST_MISSING {
            self.missing.insert((seat, message.key));
        }
        self.accuse((Fault::Missing, None), seat, message.key, Some(message.clone()), None, None);
    }

    /// What recovered seats were owed and did not get in time is missing.
    fn collect_debts(&mut self, now: Moment) {
        if self.owing.is_empty() {
            return;
        }
        let window = self.window;
        let mut owing = std::mem::take(&mut self.owing);
        owing.sort_unstable();
        owing.dedup();
        owing.retain(|seat| {
            let place = self.book.seat_mut(*seat);
            if place.owed.is_empty() {
                return false;
            }
            let waits = place.away.is_some() || place.back.is_some_and(|back| back + window > now);
            if waits && (place.away.is_some() || place.is_up()) {
                return true;
            }
            for (_, message) in std::mem::take(&mut place.owed) {
                match self.book.seats()[*seat as usize].is_up_since(message.sent) {
                    true => self.miss(*seat, &message),
                    false => self.findings.undecided += 1,
                }
            }
            false
        });
        self.owing = owing;
    }

    fn accuse(
        &mut self,
        (fault, leak): (Fault, Option<Leak>),
        seat: u32,
        key: Key,
        message: Option<Arc<Message>>,
        received: Option<Moment>,
        overtaken_by: Option<u64>,
    ) {
        let book = &self.book;
        self.findings.accuse(fault, leak, || {
            let place = &book.seats()[seat as usize];
            let stays = message.as_ref().map(|message| book.stays(message, seat)).unwrap_or_default();
            let (receiver, namespace) = (place.client, book.namespace(place));
            Offence { fault, leak, key, message, receiver, namespace, stays, received, overtaken_by }
        });
    }
}

#[cfg(test)]
impl Ledger {
    pub(super) fn findings_so_far(&self) -> &Findings {
        &self.findings
    }

    /// How many things are remembered.
    pub(super) fn weight(&self) -> usize {
        self.open.len()
            + self.awaited.len()
            + self.due.len()
            + self.missing.len()
            + self.owing.len()
            + self.book.weight()
    }
}
