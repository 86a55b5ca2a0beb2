//! The ledger of one worker: what its clients did and saw, each message judged when its window closes.

mod closing;
mod ends;
mod evidence;
mod receiving;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thin_vec::ThinVec;

use super::courses::Courses;
use super::events::{AuditEvent, Key, Moment, Order, Origin, SentMessage};
use super::fanout::FanoutPart;
use super::fault::{Fault, Leak};
use super::findings::{Findings, Offence};
use super::judgement::Judgement;
use super::maps::Map;
use super::membership::{Membership, Seat};
use super::nodes::{Disturbances, Spread};
use super::open::Open;
use super::rooms::AskedRoom;
use super::sender::{ConnectionEnd, SenderMove};
use super::undecided::Undecided;

/// How long a span that is over is remembered beyond the window, for messages that are not settled yet.
const MEMORY: Moment = Moment::from_secs(30);

/// When nothing has come for so long, what is missing is not waited for any more.
const QUIET: Moment = Moment::from_secs(1);

/// How long a receipt waits for the news of its message. The longest step is settled by then.
const PATIENCE: Moment = Moment::from_secs(600);

/// The most messages that are waited for; a server that invents some is not believed beyond.
const MOST_UNKNOWN: usize = 1 << 18;

/// The most missing pairs that are remembered, to be taken back when they come after all.
const MOST_MISSING: usize = 1 << 16;

/// What a receiver owes to be told is kept for so many messages of each seat that is away.
const MOST_OWED: usize = 1 << 12;

/// How far back the order of a sender's messages is looked at, and how far ahead for a sign that one was handled.
const BACK: u64 = 1 << 10;

/// The most receipts that may prove a join and are not looked at yet.
const MOST_SIGNS: usize = 1 << 16;

/// When the first of a ledger's clients received a message: the server had handled it before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstReceipt {
    /// Which message.
    pub key: Key,
    /// When it was received.
    pub at: Moment,
}

/// See the module's head. Every call but for [`Ledger::received`] is about a client of this worker by its index in
/// the run, at a time since the beginning of the run; times never go backwards by more than the window.
#[derive(Debug)]
pub struct Ledger {
    window: Moment,
    clients: u32,
    pub(super) membership: Membership,
    /// Boxed, as a table has room for up to twice as many as it holds.
    open: Map<Key, Box<Open>>,
    /// When the next message of each sender is to be judged.
    due: BinaryHeap<Reverse<(Moment, Key)>>,
    /// Messages that were received before anybody told of them, and since when.
    unknown: Vec<(Moment, Key)>,
    /// Messages that a client of this ledger received, the first of them, since that was told.
    firsts: Vec<Key>,
    /// Messages of which somebody is known to have received them, since that was looked at.
    passed: Vec<Key>,
    /// Messages that somebody may still have to receive.
    awaited: Vec<Key>,
    /// When messages were received, for who puts that together.
    parts: Vec<FanoutPart>,
    senders: Courses,
    /// Connections of this ledger's clients that ended while messages of theirs were open, since that was told.
    ends: Vec<ConnectionEnd>,
    /// What this ledger's clients learned of moves while messages of theirs were open, since that was told.
    sender_moves: Vec<SenderMove>,
    /// Receipts by seats whose joins nobody confirmed: which message, which seat, and when.
    signs: Vec<(Key, u32, Moment)>,
    /// What is missing, with the nodes of its sender and its receiver, and whether the server was disturbed then.
    missing: Map<(u32, Key), (u16, u16, bool)>,
    /// Seats to which something is owed.
    owing: Vec<u32>,
    /// Of each event as which messages arrive, when it came with a stamp first, if it ever did.
    stamps: Vec<Option<Moment>>,
    /// Those that came to clients of this ledger, since that was told.
    fresh_stamps: Vec<(u16, Moment)>,
    /// When the server was disturbed on purpose.
    pub(super) disturbances: Disturbances,
    /// The last receipt.
    latest: Moment,
    findings: Findings,
}

impl Ledger {
    /// An empty ledger for so many clients. A message that has not come when the window is over, counted
    /// from its being settled, is missing.
    pub fn new(clients: u32, (window, spread): (Moment, Spread)) -> Ledger {
        let membership = Membership::of(spread);
        Ledger {
            window,
            clients,
            findings: Findings { nodes: membership.homes.pairs(), ..Findings::default() },
            membership,
            open: Map::default(),
            due: BinaryHeap::new(),
            unknown: Vec::new(),
            firsts: Vec::new(),
            passed: Vec::new(),
            awaited: Vec::new(),
            parts: Vec::new(),
            senders: Courses::default(),
            ends: Vec::new(),
            sender_moves: Vec::new(),
            signs: Vec::new(),
            missing: Map::default(),
            owing: Vec::new(),
            stamps: Vec::new(),
            fresh_stamps: Vec::new(),
            disturbances: Vec::new(),
            latest: Moment::ZERO,
        }
    }

    /// What was found so far.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Another ledger tells that a client asked for a room.
    pub fn handle_room(&mut self, room: AskedRoom) {
        self.membership.known.handle(room);
    }

    /// Another ledger tells when the first of its clients received a message.
    pub fn handle_first(&mut self, FirstReceipt { key, at }: FirstReceipt) {
        if self.senders.get(key.sender).is_some_and(|course| key.sequence < course.judged) {
            return;
        }
        let entry = match self.open.entry(key) {
            Entry::Occupied(known) => {
                if known.get().awaited.is_some() && known.get().first_elsewhere.is_none() {
                    self.passed.push(key);
                }
                known.into_mut()
            }
            Entry::Vacant(_) if self.unknown.len() >= MOST_UNKNOWN => return,
            Entry::Vacant(place) => {
                self.unknown.push((at, key));
                place.insert(Box::default())
            }
        };
        entry.first_elsewhere = Some(entry.first_elsewhere.map_or(at, |first| first.min(at)));
    }

    /// Another ledger tells that a connection of one of its clients ended.
    pub fn handle_end(&mut self, ConnectionEnd { sender, at, read }: ConnectionEnd) {
        if let Some(course) = self.senders.get_mut(sender) {
            course.end(at, read);
        }
    }

    /// Another ledger tells what one of its clients learned of a move.
    pub fn handle_sender_move(&mut self, learned: SenderMove) {
        if let Some(course) = self.senders.get_mut(learned.sender) {
            course.learn(learned);
        }
    }

    /// Another ledger tells when an event came with a stamp first.
    pub fn handle_stamp(&mut self, (heard_as, first): (u16, Moment)) {
        let place = usize::from(heard_as);
        self.stamps.resize(self.stamps.len().max(place + 1), None);
        self.stamps[place] = Some(self.stamps[place].map_or(first, |known| known.min(first)));
    }

    /// When events came with a stamp first, since this was asked last, for the other ledgers.
    pub fn take_stamps(&mut self) -> Vec<(u16, Moment)> {
        std::mem::take(&mut self.fresh_stamps)
    }

    /// The connections of this ledger's clients that ended, since this was asked last, for the other ledgers.
    pub fn take_ends(&mut self) -> Vec<ConnectionEnd> {
        std::mem::take(&mut self.ends)
    }

    /// What this ledger's clients learned of moves, since this was asked last, for the other ledgers.
    pub fn take_sender_moves(&mut self) -> Vec<SenderMove> {
        std::mem::take(&mut self.sender_moves)
    }

    /// The rooms that clients of this ledger were the first to ask for, for the other ledgers.
    pub fn take_rooms(&mut self) -> Vec<AskedRoom> {
        self.membership.known.take_fresh()
    }

    /// When clients of this ledger received messages first, since this was asked last, for the other ledgers: as far as those
    /// know it no better by themselves, which is seen when the message is known. `heard`: before when everything is known of
    /// what a sender has sent.
    ///
    /// No other ledger misses what waits: it judges a message when a window is over since it was settled, and has heard by
    /// then what was known here at that time. The message is not settled before what was heard of its sender.
    pub fn take_firsts(&mut self, now: Moment, heard: impl Fn(u32) -> Moment) -> Vec<FirstReceipt> {
        let (mut told, mut waiting) = (Vec::new(), Vec::new());
        for key in std::mem::take(&mut self.firsts) {
            let Some(entry) = self.open.get(&key) else { continue };
            let may_wait = entry.message.is_none() && now <= heard(key.sender).saturating_add(self.window);
            match may_wait && !self.shows_others(key) {
                true => waiting.push(key),
                false => told.extend(entry.first_for_others().map(|at| FirstReceipt { key, at })),
            }
        }
        self.firsts = waiting;
        told
    }

    /// Whether it may show of an earlier message that it was handled or passed on, which is due before this one.
    fn shows_others(&self, key: Key) -> bool {
        let is_open = |sequence: u64| {
            let entry = self.open.get(&Key { sequence, ..key });
            let message = entry.and_then(|entry| entry.message.as_ref());
            message.is_some_and(|message| {
                let is_open = message.handled.is_none() || message.may_come_too_late;
                is_open && message.order == Order::Sent
            })
        };
        self.senders.get(key.sender).is_some_and(|course| course.before(key.sequence).any(is_open))
    }

    /// Takes what a client did or saw. Gives back a message that it sent, for the other workers.
    pub fn record(&mut self, client: u32, at: Moment, event: AuditEvent<'_>) -> Option<Arc<SentMessage>> {
        match event {
            AuditEvent::At { node } => self.membership.go(client, node, at),
            AuditEvent::Received { namespace, key, heard_as } => {
                self.note_stamp(heard_as, at);
                self.received(client, namespace, key, at);
            }
            AuditEvent::Elsewhere { event } => self.findings.note_elsewhere(event),
            AuditEvent::Unstamped { namespace, heard_as: _ } => self.unstamped(client, namespace, at),
            AuditEvent::Settled(mut message) => {
                message.strays = self.membership.strays(&message);
                message.node = self.membership.homes.node(client, message.sent);
                let seat = self.membership.seat(client, &message.sent_in);
                message.may_come_too_late =
                    message.origin == Origin::Inside && self.membership.is_movable(seat, &message.to);
                let message = Arc::new(message);
                self.handle_message(message.clone());
                if message.handled.is_none()
                    && !self.membership.seats()[seat as usize].stands_since(message.sent)
                {
                    self.end_connection(client, at);
                }
                return Some(message);
            }
            AuditEvent::Connecting { namespace } => self.connecting(client, namespace, at),
            AuditEvent::Connected { namespace, sid, recovered } => {
                self.connected(client, namespace, sid, recovered, at);
            }
            AuditEvent::Leaving { namespace } => self.leaving(client, namespace, at),
            AuditEvent::Untraced { namespace } => self.untraced(client, namespace, at),
            AuditEvent::Ended { namespace } => self.ended(client, namespace, at),
            AuditEvent::Lost => self.lost(client, at),
            AuditEvent::Joining { namespace, room, is_movable } => {
                self.joining(client, namespace, room, at);
                if is_movable {
                    let seat = self.membership.seat(client, namespace);
                    self.membership.may_be_moved(seat, room);
                }
            }
            AuditEvent::Joined { namespace, room } => self.joined(client, namespace, room, at),
            AuditEvent::Refused { namespace, room, asked } => {
                let seat = self.membership.seat(client, namespace);
                self.membership.refused(seat, room, asked);
            }
            AuditEvent::Placed { namespace, room, is_certain, is_movable } => {
                let seat = self.membership.seat(client, namespace);
                if !self.membership.placed(seat, room, (is_certain, is_movable), at) {
                    self.untraced(client, Some(namespace), at);
                }
            }
            AuditEvent::Moved { namespace, room } => self.moved(client, namespace, room, at),
            AuditEvent::Read { asked } => {
                let course = self.senders.of(client);
                course.read = course.read.max(Some(asked));
                self.membership.has_read(client, None, (asked, at), self.window);
            }
            AuditEvent::Pinged { ponged } => {
                self.membership.has_read(client, None, (ponged, at), self.window);
            }
            AuditEvent::Parting { namespace, room, is_answered } => {
                self.parting(client, namespace, room, is_answered, at);
            }
            AuditEvent::Parted { namespace, room } => self.parted(client, namespace, room, at),
        }
        None
    }

    /// The client asks to be connected to a namespace.
    pub fn connecting(&mut self, client: u32, namespace: &str, at: Moment) {
        let seat = self.membership.seat(client, namespace);
        self.membership.connecting(seat, at);
    }

    /// It is connected to a namespace, with a socket of this id: a new one, or the one that was cut.
    pub fn connected(&mut self, client: u32, namespace: &str, sid: &str, recovered: bool, at: Moment) {
        let seat = self.membership.seat(client, namespace);
        if recovered {
            return self.membership.change(seat, at, |membership, seat| membership.recovered(seat, at));
        }
        self.membership.change(seat, at, |membership, seat| membership.connected(seat, sid, at));
        let owed = std::mem::take(&mut self.membership.seat_mut(seat).owed).len() as u64;
        self.findings.undecided.add(Undecided::ReceiverLost, owed);
    }

    /// It asks to join a room.
    pub fn joining(&mut self, client: u32, namespace: &str, room: &str, at: Moment) {
        let seat = self.membership.seat(client, namespace);
        self.membership.joining(seat, room, at);
    }

    /// The server said that it has joined.
    pub fn joined(&mut self, client: u32, namespace: &str, room: &str, at: Moment) {
        let seat = self.membership.seat(client, namespace);
        self.membership.joined(seat, room, at);
    }

    /// It asks to leave a room.
    pub fn parting(&mut self, client: u32, namespace: &str, room: &str, is_answered: bool, at: Moment) {
        let seat = self.membership.seat(client, namespace);
        self.membership.parting(seat, room, is_answered, at);
    }

    /// The server said that it has left.
    pub fn parted(&mut self, client: u32, namespace: &str, room: &str, at: Moment) {
        let seat = self.membership.seat(client, namespace);
        self.membership.parted(seat, room, at);
    }

    /// A message of any ledger's client was settled. Those of one sender come in their order.
    pub fn handle_message(&mut self, message: Arc<SentMessage>) {
        let key = message.key;
        if key.sender >= self.clients {
            // Whoever tells that is wrong, and memory is taken by this number.
            return;
        }
        if self.senders.of(key.sender).put(key.sequence) {
            self.due.push(Reverse((message.settled + self.window, key)));
        }
        let entry = self.open.entry(key).or_default();
        entry.live = self.membership.live_at(message.settled, &message.namespace);
        entry.message = Some(message.clone());
        self.awaited.push(key);
        if !message.has_history {
            self.accuse_doubled(key, Some(&message));
        }
    }

    /// Judges what is due, and forgets it. `known`: before when all is known of what the clients of other ledgers did and
    /// saw; what is due later has to wait.
    pub fn advance(&mut self, now: Moment, known: Moment) {
        self.look_for_joins(known);
        while self.due.peek().is_some_and(|Reverse((due, _))| *due <= now && *due < known) {
            let Some(Reverse((due, key))) = self.due.pop() else { break };
            match self.put_off(key, due) {
                Some(later) => self.due.push(Reverse((later, key))),
                None => self.close(key, due, true, now),
            }
        }
        self.look_for_the_unknown(now);
        self.look_for_the_awaited();
        self.collect_debts(now, known);
        self.membership.forget(now.min(known).saturating_sub(self.window + MEMORY));
    }

    /// Whether some client must still receive something and can.
    pub fn is_waiting(&mut self, now: Moment) -> bool {
        // What is missing may still be on its way as long as anything comes: it is we who are late.
        if !self.missing.is_empty() && self.latest + QUIET > now {
            return true;
        }
        self.look_for_the_awaited();
        let seats = self.membership.seats();
        let is_coming = |seat: u32, message: &SentMessage| {
            let seat = &seats[seat as usize];
            let was_cut = seat.back.is_some_and(|back| back > message.sent) && !message.is_kept;
            seat.is_up_since(message.sent) && !was_cut
        };
        let is_owed =
            |seat: &u32| seats[*seat as usize].owed.iter().any(|(_, message)| is_coming(*seat, message));
        let is_awaited = |key: &Key| {
            let Some(Open { message: Some(message), awaited: Some(awaited), .. }) =
                self.open.get(key).map(Box::as_ref)
            else {
                return false;
            };
            awaited.iter().any(|seat| is_coming(*seat, message))
        };
        self.owing.iter().any(is_owed) || self.awaited.iter().any(is_awaited)
    }

    /// When messages were received: of each once, when those who had to have it, or its window is over.
    pub fn take_fanout_parts(&mut self) -> Vec<FanoutPart> {
        std::mem::take(&mut self.parts)
    }

    /// Judges what is left. A message whose window is not over accuses nobody of its absence.
    pub fn close_all(&mut self, now: Moment) {
        self.advance(now, Moment::MAX);
        let mut keys: Vec<Key> = self.open.keys().copied().collect();
        keys.sort_unstable();
        for key in keys {
            self.close(key, now, false, now);
        }
        self.findings.unseen = self.membership.unseen();
        self.findings.kept = self.membership.kept();
    }

    /// Judges what is left, and gives what was found.
    pub fn finish(mut self, now: Moment) -> Findings {
        self.close_all(now);
        let owed = self.membership.seats().iter().map(|seat| seat.owed.len() as u64).sum();
        self.findings.undecided.add(Undecided::ReceiverLost, owed);
        self.findings
    }

    /// Gives up messages of which nobody tells.
    fn look_for_the_unknown(&mut self, now: Moment) {
        let mut unknown = std::mem::take(&mut self.unknown);
        unknown.retain(|(since, key)| {
            let is_unknown = self.open.get(key).is_some_and(|entry| entry.message.is_none());
            let is_over = *since + self.window + PATIENCE <= now;
            if is_unknown && is_over {
                self.close(*key, now, true, now);
            }
            is_unknown && !is_over
        });
        self.unknown = unknown;
    }

    /// Looks who of those who must receive a message still has not. All are looked at once; after that only those who had
    /// not, since nobody else can come to have to.
    fn look_for_the_awaited(&mut self) {
        // Of what need not be passed on it is known now that it was.
        for key in std::mem::take(&mut self.passed) {
            let Some(entry) = self.open.get_mut(&key) else { continue };
            let is_new = |message: &Arc<SentMessage>| message.may_be_refused || !message.strays.is_empty();
            if entry.message.as_ref().is_some_and(is_new) && entry.awaited.take().is_some() {
                self.awaited.push(key);
            }
        }
        let mut keys = std::mem::take(&mut self.awaited);
        keys.retain(|key| self.is_awaited(*key));
        self.awaited = keys;
    }

    fn is_awaited(&mut self, key: Key) -> bool {
        let Some(message) = self.open.get(&key).and_then(|entry| entry.message.clone()) else { return false };
        let due = message.settled + self.window;
        let proof = self.proof(&message, due);
        let Some(entry) = self.open.get_mut(&key) else { return false };
        let awaited = match entry.awaited.take() {
            Some(awaited) => awaited,
            None => {
                Judgement::of(&mut self.membership, &message, entry, proof, (due, due, self.window)).absent
            }
        };
        let (seats, receipts) = (self.membership.seats(), &entry.receipts);
        // Who is away may come back, and then has to receive it.
        let can_come = |seat: &Seat| seat.away.is_some() || seat.is_up_since(message.sent);
        let awaited: ThinVec<u32> = awaited
            .into_iter()
            .filter(|seat| !receipts.has(*seat) && can_come(&seats[*seat as usize]))
            .collect();
        let is_awaited = !awaited.is_empty();
        entry.awaited = Some(awaited);
        // Of a message that binds nobody it is not known when it has come to all that it comes to.
        let aim = self.membership.aim(&message, due);
        if !is_awaited && proof.excuse.is_none() && !aim.may_add && !aim.may_spare {
            self.parts.extend(entry.tell(&message, &self.membership));
        }
        is_awaited
    }

    /// One more pair in which the message had to arrive, at a node.
    fn expect(&mut self, message: &SentMessage, node: u16) {
        self.findings.expected += 1;
        self.findings.nodes.owe((message.node, node), &message.namespace, 1);
        if self.is_disturbed(self.under_way(message)) {
            self.findings.disturbed.expected += 1;
        }
    }

    /// From when to when a message may have been under way between the nodes.
    fn under_way(&self, message: &SentMessage) -> (Moment, Moment) {
        (message.sent, message.settled + self.membership.homes.longest())
    }

    /// Whether the server was disturbed on purpose between two times.
    fn is_disturbed(&self, (from, to): (Moment, Moment)) -> bool {
        self.disturbances.iter().any(|(began, ended)| *began <= to && ended.is_none_or(|ended| from <= ended))
    }

    fn accuse(
        &mut self,
        (fault, leak): (Fault, Option<Leak>),
        seat: u32,
        key: Key,
        message: Option<Arc<SentMessage>>,
        received: Option<Moment>,
        overtaken_by: Option<u64>,
    ) {
        let membership = &self.membership;
        if let Some(message) = &message {
            let client = membership.seats()[seat as usize].client;
            let host = || membership.homes.host(client, message.settled);
            let node = received.map_or_else(host, |at| membership.homes.node(client, at));
            self.findings.nodes.accuse((message.node, node), &message.namespace, fault);
        }
        let within = received.map(|at| (at, at));
        let spans = message.as_deref().map(|message| self.under_way(message)).into_iter().chain(within);
        if spans.into_iter().any(|span| self.is_disturbed(span)) {
            self.findings.disturbed.faults[fault as usize] += 1;
        }
        self.findings.accuse(fault, leak, || {
            let place = &membership.seats()[seat as usize];
            let spans = message.as_ref().map(|message| membership.spans(message, seat)).unwrap_or_default();
            let (receiver, namespace) = (place.client, membership.namespace(place));
            Offence { fault, leak, key, message, receiver, namespace, spans, received, overtaken_by }
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
            + self.signs.len()
            + self.passed.len()
            + self.senders.iter().map(|course| course.weight()).sum::<usize>()
            + self.membership.weight()
    }
}
