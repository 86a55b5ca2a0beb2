//! The sockets of a link, and the thread that serves them.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use slab::Slab;

use super::flow::Condition;
use super::pair::{Pair, State, reset};

const LISTENER: Token = Token(0);
const WAKER: Token = Token(1);
const FIRST: usize = 2;

/// The most connections of a link at a time; others wait in the queue of the system.
const MOST_CONNECTIONS: usize = 20_000;

/// The most bytes that all connections of a link hold together.
const MOST_HELD: usize = 64 << 20;

/// How long a wish may take until it is carried out.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long nothing is accepted where the system has no file to give.
const PAUSE: Duration = Duration::from_millis(100);

/// Which bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Those to the target.
    ToTarget,
    /// Those from the target.
    FromTarget,
}

/// What is asked of a link now.
#[derive(Clone, Copy, Debug, Default)]
struct Wish {
    target: Option<SocketAddr>,
    conditions: [Condition; 2],
    /// Whether all connections end, and new ones at once.
    is_cut: bool,
    /// How often all connections were to be reset.
    resets: u64,
    /// Changes with every wish.
    number: u64,
    /// The number of the wish that is carried out.
    done: u64,
    /// Whether the link is given up.
    is_over: bool,
}

/// A link: it listens on this machine, and connects to its target for everybody who connects there. Dropping it ends all its
/// connections.
#[derive(Debug)]
pub(crate) struct Link {
    name: String,
    address: SocketAddr,
    wish: Arc<(Mutex<Wish>, Condvar)>,
    waker: Waker,
    thread: Option<JoinHandle<()>>,
}

impl Link {
    /// Listens on a free port of the loopback interface. Until it has a target, everybody who connects is sent away.
    pub(crate) fn open(name: &str) -> io::Result<Link> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKER)?;
        let mut listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = listener.local_addr()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        let wish = Arc::new((Mutex::new(Wish::default()), Condvar::new()));
        let proxy = Proxy {
            poll,
            listener,
            wish: wish.clone(),
            known: Wish::default(),
            epoch: Instant::now(),
            pairs: Slab::new(),
            nexts: Vec::new(),
            timers: BTreeSet::new(),
            held: 0,
            is_starved: false,
            accepts: Some(Duration::ZERO),
        };
        let thread = thread::Builder::new().name(format!("link-{name}")).spawn(move || proxy.work())?;
        Ok(Link { name: name.to_owned(), address, wish, waker, thread: Some(thread) })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where new connections lead.
    pub(crate) fn lead_to(&self, target: SocketAddr) {
        self.ask(|wish| wish.target = Some(target));
    }

    /// Changes what happens to the bytes of a direction.
    pub(crate) fn change(&self, way: Way, change: impl Fn(&mut Condition)) {
        self.ask(|wish| change(&mut wish.conditions[way as usize]));
    }

    /// Ends all connections, and new ones at once; or lets them be again.
    pub(crate) fn cut(&self, is_cut: bool) {
        self.ask(|wish| wish.is_cut = is_cut);
    }

    /// Resets all connections once.
    pub(crate) fn reset(&self) {
        self.ask(|wish| wish.resets += 1);
    }

    /// Takes back everything that was asked.
    pub(crate) fn restore(&self) {
        self.ask(|wish| (wish.conditions, wish.is_cut) = Default::default());
    }

    fn ask(&self, change: impl FnOnce(&mut Wish)) {
        let mut wish = lock(&self.wish.0);
        change(&mut wish);
        wish.number += 1;
        let number = wish.number;
        // A thread that is gone has told so by its panic, and is waited for in vain, but not for long.
        let _ = self.waker.wake();
        let _done = self.wish.1.wait_timeout_while(wish, PATIENCE, |wish| wish.done < number);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.ask(|wish| wish.is_over = true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock(wish: &Mutex<Wish>) -> MutexGuard<'_, Wish> {
    wish.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the thread of a link knows.
struct Proxy {
    poll: Poll,
    listener: TcpListener,
    wish: Arc<(Mutex<Wish>, Condvar)>,
    /// The wish that is carried out.
    known: Wish,
    epoch: Instant,
    pairs: Slab<Pair>,
    /// When each pair is to be served next, by its key.
    nexts: Vec<Option<Duration>>,
    timers: BTreeSet<(Duration, usize)>,
    /// How many bytes all pairs hold.
    held: usize,
    /// Whether some pair has not read because of that.
    is_starved: bool,
    /// From when on somebody may wait to be accepted. None while nobody does.
    accepts: Option<Duration>,
}

impl Proxy {
    fn work(mut self) {
        let mut events = Events::with_capacity(256);
        let mut buffer = vec![0; 16 << 10];
        loop {
            let now = self.epoch.elapsed();
            let timer = self.timers.first().map(|(at, _)| *at);
            let next = [timer, self.accepts.filter(|_| self.may_accept())].into_iter().flatten().min();
            let timeout = next.map(|at| at.saturating_sub(now));
            if let Err(error) = self.poll.poll(&mut events, timeout)
                && error.kind() != io::ErrorKind::Interrupted
            {
                return;
            }
            let now = self.epoch.elapsed();
            let mut ready = BTreeSet::new();
            for event in &events {
                match event.token() {
                    LISTENER => self.accepts = Some(now),
                    WAKER => {}
                    Token(token) => {
                        let (key, end) = ((token - FIRST) / 2, (token - FIRST) % 2);
                        if let Some(pair) = self.pairs.get_mut(key) {
                            let is_over = event.is_error() || event.is_read_closed();
                            pair.note(end, event.is_readable() || is_over, event.is_writable());
                            ready.insert(key);
                        }
                    }
                }
            }
            if self.hear(now) {
                return;
            }
            if self.may_accept() && self.accepts.is_some_and(|at| at <= now) {
                ready.extend(self.accept(now));
            }
            while let Some((at, key)) = self.timers.first().copied().filter(|(at, _)| *at <= now) {
                self.timers.remove(&(at, key));
                self.nexts[key] = None;
                ready.insert(key);
            }
            ready.into_iter().for_each(|key| self.serve(key, now, &mut buffer));
            if self.is_starved && self.held < MOST_HELD / 2 {
                self.is_starved = false;
                self.serve_later(now);
            }
        }
    }

    /// Nobody is let in while nothing passes to the target: whoever connects then finds no answer behind an open connection.
    fn may_accept(&self) -> bool {
        !self.known.conditions[Way::ToTarget as usize].is_stopped && self.pairs.len() < MOST_CONNECTIONS
    }

    /// Carries out a new wish, if there is one. Says whether the link is given up.
    fn hear(&mut self, now: Duration) -> bool {
        let wish = *lock(&self.wish.0);
        if wish.number == self.known.number {
            return wish.is_over;
        }
        let before = std::mem::replace(&mut self.known, wish);
        if wish.is_over || wish.is_cut || wish.resets != before.resets {
            self.pairs.drain().for_each(Pair::reset);
            self.timers.clear();
            self.nexts.clear();
            self.held = 0;
        }
        self.pairs.iter_mut().for_each(|(_, pair)| pair.hurry(now));
        self.serve_later(now);
        lock(&self.wish.0).done = wish.number;
        self.wish.1.notify_all();
        wish.is_over
    }

    fn serve_later(&mut self, now: Duration) {
        let keys: Vec<usize> = self.pairs.iter().map(|(key, _)| key).collect();
        keys.into_iter().for_each(|key| self.schedule(key, Some(now)));
    }

    fn accept(&mut self, now: Duration) -> Vec<usize> {
        let mut accepted = Vec::new();
        while self.may_accept() {
            let from = match self.listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.accepts = None;
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => continue,
                Err(_) => {
                    self.accepts = Some(now + PAUSE);
                    break;
                }
            };
            let target = self.known.target.filter(|_| !self.known.is_cut);
            match target.map(TcpStream::connect) {
                Some(Ok(target)) => accepted.extend(self.insert(Pair::new(from, target))),
                _ => reset(&from),
            }
        }
        accepted
    }

    /// Its key. One that the system does not watch is ended.
    fn insert(&mut self, mut pair: Pair) -> Option<usize> {
        let key = self.pairs.vacant_key();
        let watched = pair.sockets().into_iter().enumerate().try_for_each(|(end, socket)| {
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(socket, Token(FIRST + 2 * key + end), interest)
        });
        if watched.is_err() {
            pair.reset();
            return None;
        }
        if self.nexts.len() <= key {
            self.nexts.resize(key + 1, None);
        }
        self.nexts[key] = None;
        Some(self.pairs.insert(pair))
    }

    fn serve(&mut self, key: usize, now: Duration, buffer: &mut [u8]) {
        let may_read = self.held < MOST_HELD;
        self.is_starved |= !may_read;
        let Some(pair) = self.pairs.get_mut(key) else { return };
        let before = pair.held();
        let state = pair.serve(now, self.known.conditions, buffer, may_read);
        self.held = self.held - before + pair.held();
        match state {
            State::Open { has_more: true, .. } => self.schedule(key, Some(now)),
            State::Open { next, .. } => self.schedule(key, next),
            State::Over | State::Broken => {
                self.schedule(key, None);
                let pair = self.pairs.remove(key);
                self.held -= pair.held();
                if state == State::Broken {
                    pair.reset();
                }
            }
        }
    }

    fn schedule(&mut self, key: usize, next: Option<Duration>) {
        if let Some(before) = self.nexts[key].take() {
            self.timers.remove(&(before, key));
        }
        if let Some(at) = next {
            self.timers.insert((at, key));
            self.nexts[key] = Some(at);
        }
    }
}
