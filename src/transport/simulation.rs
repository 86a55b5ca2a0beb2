//! A network in memory, for tests: nothing in it happens by itself, and its clock jumps from one event to the next.
//!
//! What the server does is a function of the test ([`Simulation::new`]): it hears what reaches the server and says what
//! reaches the client, and how much later. Readiness is told as `epoll` tells it: once for each change, and not at all for
//! what a socket is not watched for.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mio::{Interest, Poll, Token, Waker};

/// What reaches the server, from the connection of that number (they are counted from 0).
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    /// A client wants to connect. Without an answer it waits for ever.
    Connect,
    /// Bytes.
    Bytes(Vec<u8>),
    /// The client ended the connection, or reset it.
    End { cut: bool },
}

/// What reaches a client.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// Its connection stands, and takes so many bytes before the server has to read.
    Accepted { room: usize },
    /// Its connection failed, before it stood or after.
    Failed(io::ErrorKind),
    /// Bytes.
    Bytes(Vec<u8>),
    /// The server sends nothing more.
    End,
    /// The server has read so many bytes.
    Room(usize),
    /// The readiness queue tells of the socket though nothing has happened.
    Spurious,
}

/// What the server does: the number of a connection and how much later what reaches it.
pub(crate) type Reaction = Vec<(usize, Duration, Event)>;

type Server = Box<dyn FnMut(Duration, usize, Heard) -> Reaction + Send>;

/// See the module's head.
#[derive(Clone)]
pub(crate) struct Simulation(Arc<Mutex<State>>);

struct State {
    start: Instant,
    now: Instant,
    server: Server,
    sockets: Vec<Side>,
    /// What is under way, in the order in which it arrives.
    under_way: BTreeMap<(Instant, u64), (usize, Event)>,
    sequence: u64,
    /// Of which sockets the queue tells next, and whether the server sends nothing more.
    ready: VecDeque<(Token, bool)>,
    woken: bool,
}

/// The client's side of a connection.
#[derive(Default)]
struct Side {
    accepted: bool,
    failed: Option<io::ErrorKind>,
    unread: VecDeque<u8>,
    ended: bool,
    room: usize,
    watched: Option<(Token, Interest)>,
    cut: bool,
}

impl Simulation {
    /// A network whose server reacts so to what it hears: the time since `start`, the connection, and what of it.
    pub(crate) fn new(
        start: Instant,
        server: impl FnMut(Duration, usize, Heard) -> Reaction + Send + 'static,
    ) -> Simulation {
        Simulation(Arc::new(Mutex::new(State {
            start,
            now: start,
            server: Box::new(server),
            sockets: Vec::new(),
            under_way: BTreeMap::new(),
            sequence: 0,
            ready: VecDeque::new(),
            woken: false,
        })))
    }

    pub(crate) fn now(&self) -> Instant {
        self.state().now
    }

    /// Time passes although nobody waits: a generator that is late.
    pub(crate) fn pass(&self, time: Duration) {
        self.state().now += time;
    }

    /// Ends the next wait at once, as a waker does.
    pub(crate) fn wake(&self) {
        self.state().woken = true;
    }

    /// A waker that wakes nobody: a simulation has no other threads.
    pub(super) fn waker(&self, token: Token) -> io::Result<Waker> {
        Waker::new(Poll::new()?.registry(), token)
    }

    /// What the server does without having heard anything.
    pub(crate) fn act(&self, connection: usize, after: Duration, event: Event) {
        self.state().later(connection, after, event);
    }

    pub(super) fn connect(&self) -> io::Result<Simulated> {
        let mut state = self.state();
        let place = state.sockets.len();
        state.sockets.push(Side::default());
        state.hear(place, Heard::Connect);
        Ok(Simulated { simulation: self.clone(), place })
    }

    /// Moves on to what happens next, at most so far. Gives of which sockets the queue tells.
    pub(super) fn wait(&mut self, patience: Duration) -> Vec<(Token, bool)> {
        let mut state = self.state();
        let until = state.now + patience;
        loop {
            state.arrive();
            if std::mem::take(&mut state.woken) || !state.ready.is_empty() {
                return state.ready.drain(..).collect();
            }
            match state.under_way.first_key_value() {
                Some(((at, _), _)) if *at <= until => state.now = *at,
                _ => break,
            }
        }
        state.now = until;
        Vec::new()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn hear(&mut self, place: usize, what: Heard) {
        let since = self.now - self.start;
        let reaction = (self.server)(since, place, what);
        for (connection, after, event) in reaction {
            self.later(connection, after, event);
        }
    }

    fn later(&mut self, connection: usize, after: Duration, event: Event) {
        self.sequence += 1;
        self.under_way.insert((self.now + after, self.sequence), (connection, event));
    }

    /// Lets everything arrive whose time has come.
    fn arrive(&mut self) {
        while let Some(((at, sequence), _)) = self.under_way.first_key_value()
            && *at <= self.now
        {
            let key = (*at, *sequence);
            let Some((place, event)) = self.under_way.remove(&key) else { return };
            let side = &mut self.sockets[place];
            let concerns = match event {
                Event::Accepted { room } => {
                    (side.accepted, side.room) = (true, room);
                    Interest::WRITABLE
                }
                Event::Room(more) => {
                    side.room += more;
                    Interest::WRITABLE
                }
                Event::Failed(kind) => {
                    side.failed = Some(kind);
                    Interest::READABLE
                }
                Event::Bytes(bytes) => {
                    side.unread.extend(bytes);
                    Interest::READABLE
                }
                Event::End => {
                    side.ended = true;
                    Interest::READABLE
                }
                Event::Spurious => Interest::READABLE,
            };
            self.tell(place, concerns);
        }
    }

    fn tell(&mut self, place: usize, concerns: Interest) {
        let side = &self.sockets[place];
        if let Some((token, interest)) = side.watched {
            let is_wanted = (concerns.is_readable() && interest.is_readable())
                || (concerns.is_writable() && interest.is_writable());
            if is_wanted {
                self.ready.push_back((token, side.ended || side.failed.is_some()));
            }
        }
    }
}

/// A socket of the network in memory.
pub(super) struct Simulated {
    simulation: Simulation,
    place: usize,
}

impl Simulated {
    /// Asks for reports about the socket; what it is ready for already is reported at once.
    pub(super) fn watch(&self, token: Token, interest: Interest) -> io::Result<()> {
        let mut state = self.simulation.state();
        let side = &mut state.sockets[self.place];
        side.watched = Some((token, interest));
        let readable = !side.unread.is_empty() || side.ended || side.failed.is_some();
        let writable = side.accepted && side.room > 0;
        if readable {
            state.tell(self.place, Interest::READABLE);
        } else if writable {
            state.tell(self.place, Interest::WRITABLE);
        }
        Ok(())
    }

    pub(super) fn connected(&self) -> io::Result<()> {
        let state = self.simulation.state();
        let side = &state.sockets[self.place];
        match (side.failed, side.accepted) {
            (Some(kind), _) => Err(kind.into()),
            (None, true) => Ok(()),
            (None, false) => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    pub(super) fn cut(&self) {
        self.simulation.state().sockets[self.place].cut = true;
    }

    pub(super) fn peek(&self) -> io::Result<usize> {
        let mut state = self.simulation.state();
        state.arrive();
        let side = &state.sockets[self.place];
        match (side.unread.len(), side.failed, side.ended) {
            (0, Some(kind), _) => Err(kind.into()),
            (0, None, false) => Err(io::ErrorKind::WouldBlock.into()),
            (waiting, ..) => Ok(waiting.min(1)),
        }
    }

    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.simulation.state();
        let side = &mut state.sockets[self.place];
        let read = side.unread.len().min(buffer.len());
        if read > 0 {
            side.unread.drain(..read).zip(buffer).for_each(|(byte, place)| *place = byte);
            return Ok(read);
        }
        match (side.failed, side.ended) {
            (Some(kind), _) => Err(kind.into()),
            (None, true) => Ok(0),
            (None, false) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.simulation.state();
        let side = &mut state.sockets[self.place];
        if let Some(kind) = side.failed {
            return Err(kind.into());
        }
        let written = side.room.min(bytes.len());
        if !side.accepted || written == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        side.room -= written;
        state.hear(self.place, Heard::Bytes(bytes[..written].to_vec()));
        Ok(written)
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        let mut state = self.simulation.state();
        let side = &mut state.sockets[self.place];
        side.watched = None;
        let cut = side.cut;
        state.hear(self.place, Heard::End { cut });
    }
}

impl std::fmt::Debug for Simulated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Simulated({})", self.place)
    }
}
