//! Random histories: clients that come, go, join, leave and send, and a server that is correct. Auditors are told of them,
//! each of its own clients, and the batches between them arrive as chance has it.
//!
//! Some wait for the acknowledgement of what they ask for, some do not: then much is in flight together, and the server handles
//! what came over one connection in its order, unless the contract says otherwise.
//!
//! What clients see happens at even times, what the server does at odd ones in between. So nothing is simultaneous.

mod delivery;
mod houses;
mod told;

use proptest::prelude::*;
use proptest::test_runner::TestRng;

use super::*;
use houses::HOUSES;
pub(super) use told::{Audited, History};

/// How far behind the server's handling a receipt is at most.
const DELAY: u64 = 20;

/// What is handled at one node is handled at the others within this time, and given to the node's own clients.
pub(super) const SPREAD: u64 = 30;

const ROOMS: [&str; 3] = ["a", "b", "c"];

/// What a client saw, in the order of time.
#[derive(Clone, Debug)]
pub(super) enum Sight {
    /// It goes to this node.
    At(u16),
    Connecting,
    Connected {
        sid: String,
        recovered: bool,
    },
    Leaving,
    /// From now on nobody can say in which rooms it is.
    Untraced,
    Ended,
    Lost,
    Joining(&'static str),
    Joined(&'static str),
    /// Refused, and when it had asked.
    Refused(&'static str, u64),
    /// The server put it there by itself: whether that is certain, and whether it may put it elsewhere.
    Placed(&'static str, bool, bool),
    /// The server has put it elsewhere, some time before.
    Moved(&'static str),
    /// The server has answered what was asked then.
    Read(u64),
    /// It asks to leave, and whether the server answers that.
    Parting(&'static str, bool),
    Parted(&'static str),
    Settled(Arc<SentMessage>),
    Received(Key),
    /// It received an event without a stamp.
    Unstamped,
}

/// When, who, what.
pub(super) type Seen = (u64, u32, Sight);

/// The namespace of a client: most are in one, every fourth in another.
pub(super) fn namespace(client: u32) -> &'static str {
    if client % 4 == 3 { "/other" } else { "/" }
}

impl Sight {
    pub(super) fn event<'a>(&'a self, namespace: &'a str) -> AuditEvent<'a> {
        match self {
            Sight::At(node) => AuditEvent::At { node: *node },
            Sight::Connecting => AuditEvent::Connecting { namespace },
            Sight::Connected { sid, recovered } => {
                AuditEvent::Connected { namespace, sid, recovered: *recovered }
            }
            Sight::Leaving => AuditEvent::Leaving { namespace: None },
            Sight::Untraced => AuditEvent::Untraced { namespace: None },
            Sight::Ended => AuditEvent::Ended { namespace: Some(namespace) },
            Sight::Lost => AuditEvent::Lost,
            Sight::Joining(room) => AuditEvent::Joining { namespace, room, is_movable: false },
            Sight::Joined(room) => AuditEvent::Joined { namespace, room },
            Sight::Refused(room, asked) => AuditEvent::Refused { namespace, room, asked: at(*asked) },
            Sight::Placed(room, is_certain, is_movable) => {
                AuditEvent::Placed { namespace, room, is_certain: *is_certain, is_movable: *is_movable }
            }
            Sight::Moved(room) => AuditEvent::Moved { namespace, room },
            Sight::Read(asked) => AuditEvent::Read { asked: at(*asked) },
            Sight::Parting(room, is_answered) => {
                AuditEvent::Parting { namespace, room, is_answered: *is_answered }
            }
            Sight::Parted(room) => AuditEvent::Parted { namespace, room },
            Sight::Settled(message) => AuditEvent::Settled((**message).clone()),
            Sight::Received(key) => AuditEvent::Received { namespace, key: *key, heard_as: 0 },
            Sight::Unstamped => AuditEvent::Unstamped { namespace, heard_as: 0 },
        }
    }
}

/// What a client is waiting for.
#[derive(Clone, Debug)]
enum Busy {
    Connect { recover: bool },
    Leave,
    Join(&'static str),
    Part(&'static str),
    Broadcast(SentMessage),
}

/// A span of a socket's life or of a membership on the server: odd times, the end not included.
#[derive(Clone, Debug)]
struct Truth {
    client: u32,
    room: Option<String>,
    from: u64,
    to: u64,
}

#[derive(Clone, Debug, Default)]
struct Person {
    up: bool,
    away: bool,
    busy: Option<(u64, Busy)>,
    sockets: u32,
    sequence: u64,
    /// When the server handled, or will have, the last of its messages that are handled in order.
    line: u64,
    /// The same for its joins and leaves.
    moved: u64,
    /// What it sent up to then is read.
    read: Option<u64>,
    /// Up to then nothing comes to the server of what it sends.
    held: u64,
    /// Whether it has done something by hand on this connection.
    is_by_hand: bool,
    /// The room into which the server has put it, and since when it knows that.
    house: Option<(&'static str, u64)>,
}

/// What the application of a history does and does not.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habits {
    /// Whether cut connections may be recovered.
    pub(super) recovery: bool,
    /// Whether the server may be behind with what nobody acknowledges for longer than a window.
    pub(super) slow: bool,
    /// How many of a hundred broadcasts, and of joins and leaves, are not acknowledged.
    silent: [u64; 2],
    /// Whether it refuses some broadcasts without a word.
    refuses: bool,
    /// How many of a hundred broadcasts that it acknowledges it refuses.
    turns_down: u64,
    /// Whether it handles what it does not acknowledge in order.
    is_ordered: bool,
    /// Whether it shows those who come some of what was said before.
    has_history: bool,
    /// Whether it loses the stamps of what it passes on.
    strips: bool,
    /// Whether it passes on what comes to the rooms between which it moves clients from those who are not there.
    hears_strangers: bool,
    /// How many nodes it has.
    nodes: u32,
    /// How much later than at once a message may be handled, if it may be: where there are several nodes, and where one is
    /// said to be several.
    within: u64,
    /// Whether it does not do some of the leaves that it does not answer. Then it is not correct.
    pub(super) keeps_leavers: bool,
    /// Whether the network holds up some of these leaves, and whatever is sent behind them.
    pub(super) holds_up: bool,
    /// Whether some clients join and leave without a word to anybody but the server.
    pub(super) acts_by_hand: bool,
}

impl Habits {
    pub(super) fn draw(rng: &mut TestRng, recovery: bool, slow: bool) -> Habits {
        let mut below = |bound: u64| rng.next_u64() % bound;
        let silent = [[0, 50, 100][below(3) as usize], [0, 50, 100][below(3) as usize]];
        let (refuses, is_ordered, nodes) = (below(4) == 0, below(4) != 0, 1 + below(3) as u32);
        let within = if nodes > 1 || below(2) == 0 { SPREAD } else { 0 };
        let turns_down = [0, 20, 100][below(3) as usize];
        let (has_history, strips) = (below(2) == 0, below(8) == 0);
        let hears_strangers = below(2) == 0;
        Habits {
            recovery,
            slow,
            silent,
            refuses,
            turns_down,
            is_ordered,
            has_history,
            strips,
            hears_strangers,
            nodes,
            within,
            keeps_leavers: false,
            holds_up: false,
            acts_by_hand: false,
        }
    }

    /// How many nodes it has: where one is said to be several, it is three.
    fn true_nodes(&self) -> u32 {
        if self.nodes == 1 && self.within > 0 { 3 } else { self.nodes }
    }
}

/// Plays people at random on a correct server.
pub(super) fn history(rng: &mut TestRng, clients: u32, steps: u32, habits: Habits) -> History {
    let mut play = Play {
        rng,
        people: vec![Person::default(); clients as usize],
        seen: Vec::new(),
        truths: Vec::new(),
        handled: Vec::new(),
        outages: Vec::new(),
        moves: Vec::new(),
        now: 2,
        habits,
    };
    for _ in 0..steps {
        play.now += 2 * play.below(3) + 2;
        let client = play.below(u64::from(clients)) as u32;
        play.act(client);
    }
    play.deliver();
    let mut seen = play.seen;
    seen.sort_by_key(|(time, _, _)| *time);
    let end = seen.last().map_or(0, |(time, ..)| time / 2 * 2) + 1_000;
    History { clients, nodes: habits.nodes, within: habits.within, seen, end }
}

struct Play<'r> {
    rng: &'r mut TestRng,
    people: Vec<Person>,
    seen: Vec<Seen>,
    truths: Vec<Truth>,
    /// When the server handled what, and whether it passes that on wherever it comes from.
    handled: Vec<(u64, Arc<SentMessage>, bool)>,
    /// From when to when a client could not be reached, and whether it was recovered.
    outages: Vec<(u32, u64, u64, bool)>,
    /// Who went when to which node.
    moves: Vec<(u32, u64, u32)>,
    now: u64,
    habits: Habits,
}

impl Play<'_> {
    fn below(&mut self, bound: u64) -> u64 {
        self.rng.next_u64() % bound
    }

    /// An odd time between two even ones.
    fn between(&mut self, from: u64, to: u64) -> u64 {
        from + 1 + 2 * self.below((to - from) / 2)
    }

    /// An odd time soon after this one and another, when the server gets to it.
    fn soon(&mut self, after: u64) -> u64 {
        let from = self.now.max(after / 2 * 2 + 2);
        let most = if self.habits.slow { 80 } else { 15 };
        from + 1 + 2 * self.below(most)
    }

    /// An odd time after another one and before now; none, if the server has not come so far.
    fn until_now(&mut self, after: u64) -> Option<u64> {
        let from = after.div_ceil(2) * 2;
        (from + 2 <= self.now).then(|| self.between(from, self.now))
    }

    fn see(&mut self, client: u32, sight: Sight) {
        self.seen.push((self.now, client, sight));
    }

    fn act(&mut self, client: u32) {
        let person = self.people[client as usize].clone();
        match person.busy {
            Some((_, Busy::Broadcast(message))) if self.below(12) == 0 => {
                let message = Arc::new(SentMessage { settled: at(self.now), ..message });
                // What the server reads of it, it reads behind what came before it.
                let effect = self.soon(person.line);
                self.handled.push((effect, message.clone(), false));
                self.lose(client);
                self.people[client as usize].busy = None;
                self.see(client, Sight::Settled(message));
            }
            Some((asked, busy)) => self.finish(client, asked, busy),
            // What it sent is under way.
            None if person.up && person.held > self.now => {}
            // Whoever asks for more than the server does at once waits now and then.
            None if person.up && !self.habits.slow && person.line.max(person.moved) > self.now + 40 => {}
            None if person.up && self.move_on(client) => {}
            None if person.up && self.habits.acts_by_hand && self.below(8) == 0 => self.act_by_hand(client),
            None if !person.up => {
                let recover = person.away && self.habits.recovery && self.below(2) == 0;
                if self.below(3) == 0 {
                    self.go(client);
                }
                self.begin(client, Busy::Connect { recover }, Sight::Connecting);
            }
            None => match self.below(12) {
                0 => self.begin(client, Busy::Leave, Sight::Leaving),
                1 => self.lose(client),
                move_ @ 2..=6 => {
                    let room = ROOMS[self.below(3) as usize];
                    let is_silent = self.below(100) < self.habits.silent[1];
                    let (busy, sight) = match move_ {
                        2..=4 => (Busy::Join(room), Sight::Joining(room)),
                        _ => (Busy::Part(room), Sight::Parting(room, !is_silent)),
                    };
                    if is_silent {
                        self.see(client, sight);
                        if self.habits.keeps_leavers && move_ > 4 && self.below(2) == 0 {
                            return;
                        }
                        let is_held = self.habits.holds_up && self.below(8) == 0;
                        let held = if is_held { self.now + 2 * self.below(150) } else { 0 };
                        self.people[client as usize].held = held;
                        // Its handler may take its time, and what the client sends meanwhile is handled.
                        let effect = self.soon(person.line.max(person.moved).max(held));
                        self.do_move(client, busy, effect);
                    } else {
                        self.begin(client, busy, sight);
                    }
                }
                _ => {
                    let message = self.compose(client);
                    if self.below(100) < self.habits.silent[0] {
                        self.say(client, message);
                    } else {
                        self.people[client as usize].busy = Some((self.now, Busy::Broadcast(message)));
                    }
                }
            },
        }
    }

    /// It goes to the next node, and knows that unless all are behind one address.
    fn go(&mut self, client: u32) {
        let node = (self.node(client, self.now) + 1) % self.habits.true_nodes();
        self.moves.push((client, self.now, node));
        if self.habits.nodes > 1 {
            self.see(client, Sight::At(node as u16));
        }
    }

    /// The node of a client at a time.
    fn node(&self, client: u32, time: u64) -> u32 {
        let mut moves = self.moves.iter().filter(|(who, when, _)| *who == client && *when <= time);
        moves.next_back().map_or(client % self.habits.true_nodes(), |(.., node)| *node)
    }

    /// Its connection is gone.
    fn lose(&mut self, client: u32) {
        self.see(client, Sight::Lost);
        let person = &mut self.people[client as usize];
        (person.up, person.away) = (false, true);
        self.outages.push((client, self.now, u64::MAX, false));
        self.cut(client);
    }

    /// Of what the client had sent the server reads only a part.
    fn cut(&mut self, client: u32) {
        let last = self.soon(0);
        let read = self.people[client as usize].read;
        let is_read = |message: &SentMessage| read.is_some_and(|read| message.sent <= at(read));
        self.handled.retain(|(effect, message, _)| {
            message.key.sender != client || *effect <= last || is_read(message)
        });
        self.truths.retain(|truth| truth.client != client || truth.from <= last);
        let own = self.truths.iter_mut().filter(|truth| truth.client == client);
        own.filter(|truth| truth.to > last).for_each(|truth| truth.to = u64::MAX);
    }

    /// Sends a message that nobody acknowledges.
    fn say(&mut self, client: u32, message: SentMessage) {
        let line = self.people[client as usize].line;
        let is_ordered = message.order == Order::Sent;
        let effect = self.soon(if is_ordered { line } else { 0 });
        if is_ordered {
            self.people[client as usize].line = effect;
        }
        let message = Arc::new(message);
        self.take(effect, &message);
        self.see(client, Sight::Settled(message));
    }

    /// The server takes a message, unless it refuses it.
    fn take(&mut self, effect: u64, message: &Arc<SentMessage>) {
        let is_to_house = message.to.iter().any(|room| HOUSES.contains(&&**room));
        let is_lucky = if is_to_house { self.habits.hears_strangers } else { self.below(2) == 0 };
        if !message.is_refused && (!message.may_be_refused || self.below(2) == 0) {
            self.handled.push((effect, message.clone(), is_lucky));
        }
    }

    /// The server does what was asked for.
    fn do_move(&mut self, client: u32, busy: Busy, effect: u64) {
        let (Busy::Join(room) | Busy::Part(room)) = busy else { return };
        self.people[client as usize].moved = effect;
        self.end(client, Some(room), effect);
        if let Busy::Join(_) = busy {
            self.truths.push(Truth { client, room: Some(room.into()), from: effect, to: u64::MAX });
        }
    }

    fn begin(&mut self, client: u32, busy: Busy, sight: Sight) {
        self.see(client, sight);
        let person = &mut self.people[client as usize];
        let is_end = matches!(busy, Busy::Leave);
        if is_end {
            person.up = false;
        }
        person.busy = Some((self.now, busy));
        if is_end && self.below(2) == 0 {
            self.cut(client);
        }
    }

    fn compose(&mut self, client: u32) -> SentMessage {
        let sequence = self.people[client as usize].sequence;
        self.people[client as usize].sequence += 1;
        let mut rooms = |most: u64| -> Vec<Arc<str>> {
            let room =
                |dice: u64| if dice < 9 { ROOMS[dice as usize % 3] } else { HOUSES[dice as usize % 2] };
            (0..self.below(most)).map(|_| room(self.below(14)).into()).collect()
        };
        let (mut to, except) = (rooms(3), rooms(2));
        if self.below(6) == 0 {
            let whom = self.below(self.people.len() as u64) as u32;
            to = vec![sid(whom, self.people[whom as usize].sockets).into()];
        }
        let excluded = self.below(2) == 0;
        let may_be_lost = self.below(6) == 0;
        let is_kept = !may_be_lost && self.below(6) != 0;
        let order = match self.below(8) {
            _ if !self.habits.is_ordered => Order::Unknown,
            0 => Order::Acknowledged,
            _ => Order::Sent,
        };
        let may_be_refused = self.habits.refuses && self.below(2) == 0;
        let origin = match self.below(4) {
            _ if to.is_empty() || to[0].starts_with("sid") => Origin::Anywhere,
            0 => Origin::Inside,
            // Nobody asks for a house, so that nobody is told of it.
            1 if !to.iter().any(|room| HOUSES.contains(&&**room)) => Origin::Outside,
            _ => Origin::Anywhere,
        };
        // Some are heard in the namespace of others.
        let heard_by = if self.below(5) == 0 { client + 1 } else { client };
        let key = Key { sender: client, sequence };
        SentMessage {
            node: if self.habits.nodes > 1 { self.node(client, self.now) as u16 } else { 0 },
            sent_in: namespace(client).into(),
            namespace: namespace(heard_by).into(),
            except,
            sender: if excluded { Sender::Excluded } else { Sender::Included },
            origin,
            order,
            may_be_refused,
            may_be_lost,
            has_history: self.habits.has_history && self.below(3) != 0,
            is_kept,
            handled: None,
            ..SentMessage::example(key, to, at(self.now), at(self.now))
        }
    }

    fn finish(&mut self, client: u32, asked: u64, busy: Busy) {
        let place = client as usize;
        let Person { line, moved, .. } = self.people[place];
        let before = match &busy {
            // What comes over a new connection comes behind the answer, so the server answers soon.
            Busy::Connect { .. } => asked.max(self.now.saturating_sub(DELAY)),
            Busy::Broadcast(message) if message.order != Order::Sent => asked,
            Busy::Broadcast(_) => asked.max(line),
            Busy::Leave | Busy::Join(_) | Busy::Part(_) => asked.max(line).max(moved),
        };
        // The server has not come so far.
        let Some(effect) = self.until_now(before) else { return };
        // Now and then an answer is lost, and what was asked for as well or not.
        let (answered, done) = (self.below(12) != 0, self.below(2) == 0);
        self.people[place].busy = None;
        if answered && matches!(busy, Busy::Join(_) | Busy::Part(_) | Busy::Broadcast(_)) {
            self.people[place].read = Some(asked);
            self.see(client, Sight::Read(asked));
        }
        match busy {
            Busy::Connect { recover: true } => {
                self.see(client, Sight::Connected { sid: String::new(), recovered: true });
                (self.people[place].up, self.people[place].away) = (true, false);
                self.people[place].is_by_hand = false;
                self.back(client, true);
            }
            Busy::Connect { recover: false } => {
                (self.people[place].sockets, self.people[place].is_by_hand) =
                    (self.people[place].sockets + 1, false);
                let own = sid(client, self.people[place].sockets);
                self.see(client, Sight::Connected { sid: own.clone(), recovered: false });
                self.back(client, false);
                self.end(client, None, effect);
                for room in [None, Some(own)] {
                    self.truths.push(Truth { client, room, from: effect, to: u64::MAX });
                }
                self.place(client, effect);
                (self.people[place].up, self.people[place].away) = (true, false);
            }
            Busy::Leave => {
                self.see(client, Sight::Ended);
                self.end(client, None, effect);
            }
            Busy::Join(room) if self.below(8) == 0 => self.see(client, Sight::Refused(room, asked)),
            Busy::Join(room) | Busy::Part(room) => {
                if answered || done {
                    self.do_move(client, busy.clone(), effect);
                }
                if answered {
                    let is_join = matches!(busy, Busy::Join(_));
                    self.see(client, if is_join { Sight::Joined(room) } else { Sight::Parted(room) });
                }
            }
            Busy::Broadcast(message) => {
                let settled = at(self.now);
                let is_refused = answered && self.below(100) < self.habits.turns_down;
                let handled = (answered && !is_refused).then_some(settled);
                let may_be_lost = message.may_be_lost || is_refused;
                let message = SentMessage { handled, settled, is_refused, may_be_lost, ..message };
                let message = Arc::new(message);
                // Without an answer it may still have to be done.
                let effect = if answered { effect } else { self.soon(before) };
                if message.order == Order::Sent {
                    self.people[place].line = effect;
                }
                self.take(effect, &message);
                self.see(client, Sight::Settled(message));
            }
        }
    }

    /// The server puts some into a room when they connect, and some of these do not know it for certain.
    fn place(&mut self, client: u32, effect: u64) {
        self.people[client as usize].house = None;
        if client % 5 < 2 {
            let house = HOUSES[self.below(2) as usize];
            self.house(client, house, effect);
        }
        let (room, is_certain) = (ROOMS[self.below(3) as usize], client.is_multiple_of(3));
        if client % 3 == 2 {
            return;
        }
        if is_certain || self.below(2) == 0 {
            self.truths.push(Truth { client, room: Some(room.into()), from: effect, to: u64::MAX });
        }
        self.see(client, Sight::Placed(room, is_certain, false));
    }

    /// The client can be reached again.
    fn back(&mut self, client: u32, recovered: bool) {
        let now = self.now;
        let open = self.outages.iter_mut().filter(|(of, _, to, _)| *of == client && *to == u64::MAX);
        open.for_each(|outage| (outage.2, outage.3) = (now, recovered));
    }

    /// Ends what is open of a client: one membership, or all and the socket.
    fn end(&mut self, client: u32, room: Option<&str>, effect: u64) {
        let open = self.truths.iter_mut().filter(|truth| truth.client == client && truth.to > effect);
        open.filter(|truth| room.is_none() || truth.room.as_deref() == room)
            .for_each(|truth| truth.to = effect);
    }
}

fn sid(client: u32, socket: u32) -> String {
    format!("sid-{client}-{socket}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_correct_server_is_never_accused(
        seed in any::<u64>(), clients in 2u32..9, recovery in any::<bool>(), auditors in 1usize..9, haste in 5u64..100,
    ) {
        let mut rng = rng(seed);
        let mut habits = Habits::draw(&mut rng, recovery, false);
        (habits.holds_up, habits.acts_by_hand) = (seed % 2 == 1, seed % 5 < 2);
        let history = history(&mut rng, clients, 300, habits);
        let found = history.audited(auditors, haste, &mut rng).findings;
        prop_assert!(found.is_clean(), "{:?}\n{:?}\n{:#?}", habits, found, history.seen);
        // What a recovered socket gets late of a message that bound nobody is late, and no fault. So is what is shown again.
        prop_assert!(recovery || habits.has_history || found.late == 0);
        prop_assert!(habits.holds_up || found.kept == 0, "{:#?}", history.seen);
    }
}

/// A generator that follows from a number.
pub(super) fn rng(seed: u64) -> TestRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRng::from_seed(proptest::test_runner::RngAlgorithm::ChaCha, &bytes)
}
