//! A known capacity: events that arrive faster than they may be handled wait in a queue.
//!
//! For tools that measure servers: whether a search for the highest load finds it can only be told where it is known. The
//! schedule is reckoned from itself, not from when a timer fired, so that the rate is exact over any length of time.
//! Nothing blocks: one task handles what is due, and an alarm clock wakes it to some fifty microseconds.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::alarm::Alarm;
use crate::fixture;
use crate::server::Server;
use crate::socket::args::{Arg, Args};
use crate::socket::decoder::Packet;
use crate::socket::packet::Kind;
use crate::socket::reason::Reason;
use crate::socket::socket::Socket;

/// How many events may wait, of all clients together. Who sends one more is dropped.
const MOST_EVENTS: usize = 200_000;
/// How many bytes of them.
const MOST_BYTES: usize = 256 << 20;

/// How fast events are handled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Capacity {
    /// So many a second, at once while there are no more: a bucket that holds one token.
    Rate(f64),
    /// One after another, each for as long as the Universal Scalability Law says for the clients that are connected:
    /// N of them are served λN / (1 + σ(N - 1) + κN(N - 1)) events a second. With σ = 1 and κ = 0 it is 1/λ for each event.
    Law {
        /// λ: events a second of a single client.
        lambda: f64,
        /// σ: contention.
        sigma: f64,
        /// κ: coherency.
        kappa: f64,
    },
}

impl Capacity {
    /// When an event is handled that arrives now, and when the next may be. `free` is when the server is.
    fn schedule(self, now: Instant, free: Instant, clients: usize) -> (Instant, Instant) {
        let begin = now.max(free);
        let apart = |per_second: f64| {
            Duration::try_from_secs_f64(per_second.recip()).unwrap_or(Duration::from_secs(3600))
        };
        match self {
            Capacity::Rate(rate) => (begin, begin + apart(rate)),
            Capacity::Law { lambda, sigma, kappa } => {
                let clients = clients.max(1) as f64;
                let slowing = 1.0 + sigma * (clients - 1.0) + kappa * clients * (clients - 1.0);
                let end = begin + apart(lambda * clients / slowing);
                (end, end)
            }
        }
    }
}

/// The queue in front of the application.
pub(crate) struct Gate {
    capacity: Capacity,
    free: Cell<Instant>,
    waiting: RefCell<VecDeque<(Instant, Event)>>,
    bytes: Cell<usize>,
    more: Notify,
    alarm: Alarm,
}

/// An event freed from the packet that it came in.
struct Event {
    socket: Rc<Socket>,
    id: Option<Box<str>>,
    name: String,
    args: Vec<Arg<'static>>,
    bytes: usize,
}

impl Gate {
    /// # Errors
    /// When there is no alarm for it.
    pub(crate) fn new(capacity: Capacity) -> io::Result<Gate> {
        Ok(Gate {
            capacity,
            free: Cell::new(Instant::now()),
            waiting: RefCell::default(),
            bytes: Cell::new(0),
            more: Notify::new(),
            alarm: Alarm::new()?,
        })
    }

    /// An event arrived: it takes its place in the queue.
    pub(crate) fn enter(&self, socket: &Rc<Socket>, packet: Packet<'_>) {
        let event = Event::new(socket, packet);
        let bytes = self.bytes.get() + event.bytes;
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() >= MOST_EVENTS || bytes > MOST_BYTES {
            drop(waiting);
            return socket.session.close(Reason::ForcedClose);
        }
        let clients = socket.session.server.sessions.borrow().len();
        let (due, free) = self.capacity.schedule(Instant::now(), self.free.get(), clients);
        self.free.set(free);
        self.bytes.set(bytes);
        waiting.push_back((due, event));
        if waiting.len() == 1 {
            self.more.notify_one();
        }
    }

    /// Handles events when they are due, until the task is dropped.
    pub(crate) async fn run(server: Rc<Server>) {
        let Some(gate) = &server.gate else { return };
        loop {
            let due = gate.waiting.borrow().front().map(|(due, _)| *due);
            match due {
                None => gate.more.notified().await,
                Some(due) if due > Instant::now() => {
                    gate.alarm.set(due);
                    gate.alarm.rung().await;
                }
                Some(_) => {
                    gate.handle_first();
                    // What was said goes out before the next is handled.
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    fn handle_first(&self) {
        let first = self.waiting.borrow_mut().pop_front();
        let Some((_, event)) = first else { return };
        self.bytes.set(self.bytes.get() - event.bytes);
        event.handle();
    }
}

impl Event {
    fn new(socket: &Rc<Socket>, packet: Packet<'_>) -> Event {
        let args: Vec<Arg<'static>> = packet.args.into_iter().map(Arg::into_owned).collect();
        let sizes = Args::new().with_all(&args);
        let attachments: usize = sizes.attachments().iter().map(bytes::Bytes::len).sum();
        Event {
            socket: socket.clone(),
            id: packet.id.map(Box::from),
            bytes: packet.name.len() + sizes.json().len() + attachments,
            name: packet.name.into_owned(),
            args,
        }
    }

    /// Whoever has left meanwhile is not heard any more.
    fn handle(self) {
        if !self.socket.is_connected() {
            return;
        }
        let packet = Packet {
            kind: Kind::Event,
            namespace: &self.socket.namespace.name,
            id: self.id.as_deref(),
            name: self.name.into(),
            args: self.args,
            payload: "",
        };
        fixture::on_event(&self.socket, packet);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When events are handled that all arrive at once, in milliseconds.
    fn handled(capacity: Capacity, clients: usize) -> Vec<u128> {
        let start = Instant::now();
        let mut free = start;
        (0..4)
            .map(|_| {
                let (due, next) = capacity.schedule(start, free, clients);
                free = next;
                (due - start).as_millis()
            })
            .collect()
    }

    #[test]
    fn the_first_event_takes_the_token_and_the_others_wait_for_theirs() {
        assert_eq!(handled(Capacity::Rate(100.0), 1), [0, 10, 20, 30]);
    }

    #[test]
    fn tokens_are_not_saved_up() {
        let start = Instant::now();
        let later = start + Duration::from_secs(9);
        let (due, free) = Capacity::Rate(100.0).schedule(later, start, 1);
        assert_eq!((due - start, free - start), (Duration::from_secs(9), Duration::from_millis(9010)));
    }

    #[test]
    fn by_the_law_an_event_takes_its_time_and_the_time_depends_on_the_clients() {
        let law = Capacity::Law { lambda: 100.0, sigma: 1.0, kappa: 0.0 };
        assert_eq!(handled(law, 1), [10, 20, 30, 40]);
        assert_eq!(handled(law, 50), [10, 20, 30, 40]);
        let crowded = Capacity::Law { lambda: 100.0, sigma: 0.0, kappa: 0.01 };
        // 101 clients: 100 * 101 / (1 + 0.01 * 101 * 100) = 99 a second; 1001 of them: 10.
        assert_eq!(handled(crowded, 101), [10, 20, 30, 40]);
        assert_eq!(handled(crowded, 1001), [100, 200, 300, 400]);
    }

    #[test]
    fn a_law_without_throughput_waits_long_but_not_for_ever() {
        let never = Capacity::Law { lambda: 1e-300, sigma: 0.0, kappa: 0.0 };
        assert_eq!(handled(never, 1)[0], 3_600_000);
    }
}
