//! The floor: what has to be done on sockets anyway, without any protocol. Nonblocking sockets in the same kind of
//! readiness queue, bytes that nobody looks at.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::process::cpu;

/// Bytes of one exchange, about what Socket.IO puts on the wire in each direction.
const MESSAGE: usize = 48;

/// Bytes of one delivery: an event with a text of 64 bytes and a stamp.
const DELIVERY: usize = 117;

/// Clients, how often each exchanges a message, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    /// How many.
    pub clients: usize,
    /// The time from one exchange to the next; at once, if there is none.
    pub pace: Option<Duration>,
    /// In seconds.
    pub time: u64,
}

/// A message to the server and back, again and again: microseconds of CPU for each.
///
/// # Panics
///
/// When a connection fails.
pub(crate) fn exchange(address: SocketAddr, load: Load) -> f64 {
    let mut crowd = Crowd::connect(address, load.clients);
    let message = [b'x'; MESSAGE];
    let begun = Instant::now();
    let end = begun + Duration::from_secs(load.time);
    let before = cpu();
    let mut exchanges = 0u64;
    // Each client's own beat, spread over the pace as the jitter of the scenario does.
    let mut due: BinaryHeap<Reverse<(Instant, usize)>> = match load.pace {
        None => {
            (0..load.clients).for_each(|index| crowd.write(index, &message));
            BinaryHeap::new()
        }
        Some(pace) => (0..load.clients)
            .map(|index| Reverse((begun + pace.mul_f64(index as f64 / load.clients as f64), index)))
            .collect(),
    };
    loop {
        let now = Instant::now();
        if now >= end {
            break;
        }
        while let Some(Reverse((at, index))) = due.peek().copied() {
            if at > now {
                break;
            }
            due.pop();
            due.push(Reverse((at + load.pace.unwrap_or_default(), index)));
            crowd.write(index, &message);
        }
        let until = due.peek().map_or(end, |Reverse((at, _))| end.min(*at));
        for index in crowd.wait(until) {
            let read = crowd.read(index);
            exchanges += (read / MESSAGE) as u64;
            if load.pace.is_none() {
                (0..read / MESSAGE).for_each(|_| crowd.write(index, &message));
            }
        }
    }
    (cpu() - before) / exchanges as f64
}

/// So many messages from one client to all others, at this pace: microseconds of CPU for each delivery.
///
/// # Panics
///
/// When a connection fails.
pub(crate) fn fan_out(address: SocketAddr, clients: usize, messages: usize, pace: Duration) -> f64 {
    let mut crowd = Crowd::connect(address, clients + 1);
    // Until all are accepted, or the first message would miss some.
    std::thread::sleep(Duration::from_millis(500));
    let message = [b'x'; DELIVERY];
    let (begun, before) = (Instant::now(), cpu());
    let (mut sent, mut bytes) = (0, 0);
    while bytes < clients * messages * DELIVERY {
        let due = begun + pace * sent as u32;
        if sent < messages && Instant::now() >= due {
            crowd.write(0, &message);
            sent += 1;
            continue;
        }
        let until = if sent < messages { due } else { Instant::now() + Duration::from_secs(10) };
        for index in crowd.wait(until) {
            bytes += crowd.read(index);
        }
    }
    (cpu() - before) / (clients * messages) as f64
}

/// TCP connects at this rate, an upgrade to a WebSocket on each, and perhaps the end of all: microseconds of CPU for
/// each. Of the answer only its first bytes are waited for.
///
/// # Panics
///
/// When a connection fails.
pub(crate) fn connect(address: SocketAddr, clients: usize, per_second: f64, with_the_end: bool) -> f64 {
    let request = format!(
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let before = cpu();
    let mut crowd = Crowd::empty();
    let (begun, mut answered, mut fresh) = (Instant::now(), 0, vec![true; clients]);
    while answered < clients {
        let due = begun + Duration::from_secs_f64(crowd.streams.len() as f64 / per_second);
        if crowd.streams.len() < clients && Instant::now() >= due {
            let stream = TcpStream::connect(address).expect("the server");
            stream.set_nodelay(true).expect("no delay");
            crowd.admit(stream);
            crowd.write(crowd.streams.len() - 1, request.as_bytes());
            continue;
        }
        let until =
            if crowd.streams.len() < clients { due } else { Instant::now() + Duration::from_secs(10) };
        for index in crowd.wait(until) {
            if crowd.read(index) > 0 {
                answered += usize::from(std::mem::take(&mut fresh[index]));
            }
        }
    }
    let connected = cpu();
    drop(crowd);
    let after = if with_the_end { cpu() } else { connected };
    (after - before) / clients as f64
}

struct Crowd {
    poll: Poll,
    events: Events,
    streams: Vec<TcpStream>,
    buffer: Vec<u8>,
}

impl Crowd {
    fn empty() -> Crowd {
        Crowd {
            poll: Poll::new().expect("a readiness queue"),
            events: Events::with_capacity(256),
            streams: Vec::new(),
            buffer: vec![0; 4096],
        }
    }

    fn connect(address: SocketAddr, clients: usize) -> Crowd {
        let mut crowd = Crowd::empty();
        for _ in 0..clients {
            let stream = std::net::TcpStream::connect(address).expect("the server");
            stream.set_nodelay(true).expect("no delay");
            stream.set_nonblocking(true).expect("nonblocking");
            crowd.admit(TcpStream::from_std(stream));
        }
        crowd
    }

    fn admit(&mut self, mut stream: TcpStream) {
        let place = Token(self.streams.len());
        self.poll.registry().register(&mut stream, place, Interest::READABLE).expect("register");
        self.streams.push(stream);
    }

    /// The clients that have something to read; nobody, when the time is over.
    fn wait(&mut self, until: Instant) -> Vec<usize> {
        let patience = until.saturating_duration_since(Instant::now());
        #[cfg(target_os = "linux")]
        if let Some(ready) = self.wait_precisely(patience) {
            return ready;
        }
        self.poll.poll(&mut self.events, Some(patience)).expect("poll");
        self.events.iter().map(|event| event.token().0).collect()
    }

    /// The same to the nanosecond, as the clients of sockrates wait: a floor that may be late would be none.
    #[cfg(target_os = "linux")]
    fn wait_precisely(&self, patience: Duration) -> Option<Vec<usize>> {
        use std::mem::MaybeUninit;

        use rustix::event::{Timespec, epoll};

        let patience =
            Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: patience.subsec_nanos().into() };
        let mut events = [const { MaybeUninit::uninit() }; 256];
        let (events, _) = epoll::wait(self.poll.registry(), &mut events[..], Some(&patience)).ok()?;
        Some(events.iter().map(|event| event.data.u64() as usize).collect())
    }

    /// How many bytes there were.
    fn read(&mut self, index: usize) -> usize {
        let mut read = 0;
        loop {
            match self.streams[index].read(&mut self.buffer) {
                Ok(0) => panic!("the server ended a connection"),
                Ok(more) => {
                    read += more;
                    if more < self.buffer.len() {
                        return read;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return read,
                Err(error) => panic!("{error}"),
            }
        }
    }

    fn write(&mut self, index: usize, bytes: &[u8]) {
        self.streams[index].write_all(bytes).expect("a small write");
    }
}
