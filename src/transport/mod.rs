//! The rim towards the server: sockets, TLS, source addresses, and the bytes of WebSocket and HTTP on them.
//!
//! [`Connections`] owns all connections of one worker. It implements nothing of Engine.IO: the session says what to
//! send through [`crate::session::Wire`] (see [`Connections::wire`]), and what arrives comes back as a [`Notice`].
//!
//! | module | job |
//! |---|---|
//! | `remote_config` | where the server is, from which addresses we come, through which proxy, whether TLS is spoken |
//! | `tls` | which certificates are accepted, and which is shown |
//! | `certificate`, `first_version` | what a certificate says of itself, and those that the library does not read |
//! | `tunnel` | the way through a proxy |
//! | `stream` | one nonblocking socket, with or without TLS |
//! | `connection` | the bytes of one connection: handshake, frames, requests, responses |
//! | `exchange` | the requests of one HTTP connection, and which of them may be repeated |
//! | `channels` | which connections serve a client |
//! | `network` | sockets and the clock: those of the operating system, or in tests of a simulation |
//! | `readiness` | which sockets are ready, and waking up on time |
//! | `webtransport` | sessions of WebTransport, where the program was built with them |
//! | `client_wire` | the [`crate::session::Wire`] of one client |
//!
//! Sockets are driven by readiness (`mio`), not by a task per client: an idle client costs a struct and two
//! kernel buffers, and a message costs one read and one write.

mod certificate;
mod channels;
mod client_wire;
mod connection;
mod exchange;
mod first_version;
mod network;
mod readiness;
mod remote_config;
#[cfg(test)]
pub(crate) mod simulation;
mod stream;
#[cfg(test)]
mod tests;
mod tls;
mod tunnel;
mod webtransport;

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mio::{Token, Waker};
use slab::Slab;

use crate::protocol::Violation;
use crate::protocol::http::{Head, Response};
use crate::session::{Channel, Lost, Phases, Shortage};

use channels::Channels;
pub use client_wire::ClientWire;
use connection::Connection;
pub use connection::Reader;
use exchange::Fate;
use network::Network;
use readiness::Readiness;
pub use remote_config::RemoteConfig;
pub use tls::{Identity, Trusted, tls};
pub use tunnel::Tunnel;
pub use webtransport::HAS_WEBTRANSPORT;

/// The token of the waker; connections have their place in the slab.
const WAKER: Token = Token(usize::MAX);

/// How much is read at once, by all connections of a worker in turn.
const READ_BUFFER: usize = 64 * 1024;

/// The usual [`RemoteConfig::limit`].
pub const MAX_MESSAGE: u64 = 64 << 20;

/// What happened on a connection of a client.
#[derive(Debug)]
pub enum Notice {
    /// The head of the answer to a WebSocket handshake, before the channel is established.
    Head(Box<Head>),
    /// A channel was established. On HTTP it comes with the first response, before it.
    Established(Channel, Phases),
    /// Something is wrong with the head of an answer, which can be taken all the same.
    Flawed(Box<Violation>),
    /// A request was answered.
    Response(Channel, Box<Response>),
    /// A channel is no more.
    Lost(Channel, Lost),
}

/// All connections of one worker.
pub struct Connections {
    /// The nodes of the server.
    peers: Vec<RemoteConfig>,
    /// For each client, at which of them it connects.
    nodes: Vec<u16>,
    network: Network,
    connections: Slab<Connection>,
    /// For each client, the connections that serve its channels.
    channels: Vec<Channels>,
    /// The sessions of WebTransport.
    #[cfg(feature = "webtransport")]
    sessions: webtransport::Sessions,
    /// Connections with bytes to send.
    dirty: Vec<usize>,
    /// Connections that may have bytes to read though the kernel will not say so again.
    unread: Vec<usize>,
    /// What happened outside of reading: failed connects, for example.
    notices: VecDeque<(u32, Notice)>,
    buffer: Vec<u8>,
    serial: u64,
    chance: fastrand::Rng,
    read: u64,
    written: u64,
    unreached: u64,
    without_port: u64,
    without_file: u64,
}

impl Connections {
    /// Without connections and clients yet.
    ///
    /// # Errors
    /// When the operating system gives no readiness queue.
    pub fn new(peers: Vec<RemoteConfig>) -> io::Result<Connections> {
        Ok(Connections::over(Network::System(Readiness::new()?), peers))
    }

    /// A transport over a network in memory.
    #[cfg(test)]
    pub(crate) fn simulated(network: &simulation::Simulation) -> Connections {
        let peer = RemoteConfig {
            address: ([127, 0, 0, 1], 80).into(),
            tunnel: None,
            authority: "simulated".to_owned(),
            tls: None,
            sources: Vec::new(),
            turn: std::sync::Arc::default(),
            closes_early: std::sync::Arc::default(),
            limit: 1 << 20,
        };
        Connections::over(Network::Simulation(network.clone()), vec![peer])
    }

    fn over(network: Network, peers: Vec<RemoteConfig>) -> Connections {
        Connections {
            peers,
            nodes: Vec::new(),
            network,
            connections: Slab::new(),
            channels: Vec::new(),
            #[cfg(feature = "webtransport")]
            sessions: webtransport::Sessions::default(),
            dirty: Vec::new(),
            unread: Vec::new(),
            notices: VecDeque::new(),
            buffer: vec![0; READ_BUFFER],
            serial: 0,
            chance: fastrand::Rng::new(),
            read: 0,
            written: 0,
            unreached: 0,
            without_port: 0,
            without_file: 0,
        }
    }

    /// Makes room for clients, numbered from 0, each with the node at which it connects.
    pub fn make_room(&mut self, nodes: impl IntoIterator<Item = u16>) {
        self.nodes = nodes.into_iter().collect();
        self.channels = vec![Channels::default(); self.nodes.len()];
    }

    /// Where a client connects.
    fn peer(&self, client: u32) -> &RemoteConfig {
        &self.peers[usize::from(self.nodes[client as usize])]
    }

    /// Something with which another thread ends [`Connections::wait`].
    ///
    /// # Errors
    /// When the operating system gives none.
    pub fn waker(&self) -> io::Result<Waker> {
        self.network.waker(WAKER)
    }

    /// The time, of the same clock by which [`Connections::wait`] waits.
    pub fn now(&self) -> Instant {
        self.network.now()
    }

    /// The wire of one client. What was sent through it leaves with [`Connections::flush`].
    pub fn wire(&mut self, client: u32) -> ClientWire<'_> {
        ClientWire { transport: self, client }
    }

    /// How many bytes were read and written since the last call.
    pub fn take_bytes(&mut self) -> (u64, u64) {
        (std::mem::take(&mut self.read), std::mem::take(&mut self.written))
    }

    /// How many connections never came to be: TCP was refused, or not answered for a while.
    pub fn unreached(&self) -> u64 {
        self.unreached
    }

    /// How many connections could not be made for want of a port, and of a file.
    pub fn shortages(&self) -> (u64, u64) {
        (self.without_port, self.without_file)
    }

    /// Counts what could not be connected.
    fn count_lost(&mut self, lost: &Lost) {
        match lost {
            Lost::Unreachable(_) => self.unreached += 1,
            Lost::Shortage(Shortage::Port) => self.without_port += 1,
            Lost::Shortage(Shortage::File) => self.without_file += 1,
            _ => {}
        }
    }

    /// Waits until something is ready, at most until that time; fills in the connections that are ready.
    ///
    /// # Errors
    /// When the readiness queue fails.
    pub fn wait(&mut self, ready: &mut Vec<usize>, until: Instant) -> io::Result<()> {
        let patience = if self.unread.is_empty() && self.notices.is_empty() {
            until.saturating_duration_since(self.network.now())
        } else {
            Duration::ZERO
        };
        ready.clear();
        let connections = &mut self.connections;
        self.network.wait(patience, |token, ending| {
            if token == WAKER {
                return;
            }
            if let Some(connection) = connections.get_mut(token.0).filter(|_| ending) {
                connection.ending = true;
            }
            ready.push(token.0);
        })
    }

    /// What happened outside of reading.
    pub fn poll_notice(&mut self) -> Option<(u32, Notice)> {
        self.notices.pop_front()
    }

    /// The connections that have to be read again.
    pub fn poll_unread(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.unread)
    }

    /// Sends what waits to be sent.
    pub fn flush(&mut self) {
        while let Some(place) = self.dirty.pop() {
            if let Some(connection) = self.connections.get_mut(place) {
                connection.dirty = false;
                self.send(place);
            }
        }
        self.flush_sessions();
    }

    /// Sends what waits to be sent on one connection.
    fn send(&mut self, place: usize) {
        let Some(connection) = self.connections.get_mut(place) else { return };
        match connection.flush(&self.network) {
            Ok(written) => self.written += written,
            Err(lost) => return self.lose(place, lost),
        }
        if let Err(error) = connection.watch(&self.network, place) {
            self.lose(place, Lost::Unreachable(error.to_string()));
        }
    }

    /// Ends a connection, and repeats its request over a fresh one where that is right; else says so to its client.
    fn lose(&mut self, place: usize, lost: Lost) {
        let Some(connection) = self.connections.get_mut(place) else { return };
        let (client, channel) = (connection.client, connection.channel);
        let lost = match connection.fate(lost) {
            Fate::Lost(lost) => lost,
            Fate::Repeat(request) => {
                self.forget(place);
                self.note_early_close(client);
                self.wire(client).repeat(channel, &request);
                // No client has said anything, so nobody else would send it.
                return self.flush();
            }
        };
        if lost == Lost::Unanswered {
            self.note_early_close(client);
        }
        self.count_lost(&lost);
        if let Some((client, channel)) = self.forget(place) {
            self.notices.push_back((client, Notice::Lost(channel, lost)));
        }
    }

    /// The server has closed a connection that it had kept alive for a short time only.
    fn note_early_close(&self, client: u32) {
        self.peer(client).closes_early.store(true, Ordering::Relaxed);
    }

    /// Ends a connection silently. Gives whose it was.
    fn forget(&mut self, place: usize) -> Option<(u32, Channel)> {
        // The end of its socket takes it out of the readiness queue.
        let connection = self.connections.try_remove(place)?;
        self.channels[connection.client as usize].remove(place);
        Some((connection.client, connection.channel))
    }

    fn place(&self, client: u32, channel: Channel) -> Option<usize> {
        self.channels[client as usize].place(channel)
    }

    fn mark(&mut self, place: usize) {
        if let Some(connection) = self.connections.get_mut(place)
            && !connection.dirty
        {
            connection.dirty = true;
            self.dirty.push(place);
        }
    }
}
