//! What a server is told before it starts.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::capacity::Capacity;

/// Settings of a server. Start from [`Config::default`] and change fields.
///
/// Timings are those of the official Node server unless said otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Address to listen on; loopback unless told otherwise.
    pub host: IpAddr,
    /// Port to listen on; 0 takes any free one.
    pub port: u16,
    /// Path of the Engine.IO endpoint, with a slash at both ends.
    pub path: String,
    /// From one pong to the next ping.
    pub ping_interval: Duration,
    /// How long a client may take to answer a ping.
    pub ping_timeout: Duration,
    /// How long an upgrade from polling to WebSocket may take.
    pub upgrade_timeout: Duration,
    /// How long a connection may stay without joining a namespace.
    pub connect_timeout: Duration,
    /// The longest request body or WebSocket message accepted, in bytes.
    pub max_payload: usize,
    /// Connection state recovery: how long a lost session can come back. `None` switches it off.
    pub recovery: Option<Duration>,
    /// Whether clients of the version before may connect, too: `EIO=3`.
    pub allow_eio3: bool,
    /// Which parser writes and reads packets.
    pub parser: Parser,
    /// Which web origins may read responses.
    pub origins: Origins,
    /// The most Engine.IO sessions at a time.
    pub max_clients: usize,
    /// Whether to tell on standard error who comes, speaks and goes.
    pub console: bool,
    /// How many events are handled a second; as many as the machine can where there is none.
    pub capacity: Option<Capacity>,
    /// Its place in a cluster; a server on its own where there is none.
    pub node: Option<Node>,
    /// Bounds against hostile clients.
    pub limits: Limits,
}

/// How packets of Socket.IO are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Parser {
    /// As text with JSON, and a binary message for each attachment.
    #[default]
    Default,
    /// As one binary message of MessagePack: `socket.io-msgpack-parser`.
    Msgpack,
}

/// The place of a server in a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its name, which it tells clients.
    pub name: String,
    /// Where the bus is that joins the nodes.
    pub bus: SocketAddr,
}

/// Which web origins may read responses (CORS).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// Every origin: `Access-Control-Allow-Origin: *`.
    Any,
    /// The listed ones, spelled as browsers do: `https://example.org`.
    Listed(Vec<String>),
    /// No CORS headers, no preflight.
    None,
}

/// Bounds that keep one client from using up the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes waiting for one client; beyond, the client is dropped as too slow.
    pub queued_bytes: usize,
    /// Packets waiting for one client; beyond, the client is dropped as too slow.
    pub queued_packets: usize,
    /// Rooms one socket may be in.
    pub rooms: usize,
    /// Bytes of a room's name.
    pub room_name: usize,
    /// Namespaces one connection may join.
    pub namespaces: usize,
    /// Answers one socket may owe.
    pub pending_acks: usize,
    /// Bursts (`t:burst`) one socket may have running.
    pub bursts: usize,
    /// Bytes of a request head.
    pub head_bytes: usize,
    /// How long a request head may take to arrive, from the first byte or the opening of the connection.
    pub head_timeout: Duration,
    /// How long a connection may idle between requests.
    pub keep_alive: Duration,
    /// How long a request body may take to arrive.
    pub body_timeout: Duration,
    /// How long a closing handshake may take.
    pub close_timeout: Duration,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 3000,
            path: "/socket.io/".to_owned(),
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            upgrade_timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(45),
            max_payload: 1_000_000,
            recovery: None,
            allow_eio3: false,
            parser: Parser::Default,
            origins: Origins::Any,
            max_clients: 100_000,
            console: false,
            capacity: None,
            node: None,
            limits: Limits::default(),
        }
    }
}

impl Config {
    /// The short timings of the official test suites: ping every 300 ms, 200 ms to answer, 1 s to upgrade and
    /// to join a namespace.
    #[must_use]
    pub fn with_fixture_timings(mut self) -> Config {
        self.ping_interval = Duration::from_millis(300);
        self.ping_timeout = Duration::from_millis(200);
        self.upgrade_timeout = Duration::from_secs(1);
        self.connect_timeout = Duration::from_secs(1);
        self
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            queued_bytes: 16 << 20,
            queued_packets: 50_000,
            rooms: 1_000,
            room_name: 1_024,
            namespaces: 100,
            pending_acks: 10_000,
            bursts: 16,
            head_bytes: 16 << 10,
            head_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(65),
            body_timeout: Duration::from_secs(20),
            close_timeout: Duration::from_secs(1),
        }
    }
}
