//! The gate in front of the application: events that arrive faster than they may be handled wait in a queue.
//!
//! Nothing blocks: one task handles what is due, and an alarm clock wakes it to some fifty microseconds.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::Notify;

use crate::alarm::Alarm;
use crate::capacity::Capacity;
use crate::reason::Reason;
use crate::socket::args::{Arg, Args};
use crate::socket::decoder::Packet;
use crate::socket::packet::Kind;
use crate::socket::socket::{Application, Socket};

/// How many events may wait, of all clients together. Who sends one more is dropped.
const MOST_EVENTS: usize = 200_000;
/// How many bytes of them.
const MOST_BYTES: usize = 256 << 20;

/// An application whose events wait for their turn.
pub(crate) struct Gate {
    app: Rc<dyn Application>,
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

impl Application for Gate {
    fn handle_connection(&self, socket: &Rc<Socket>) {
        self.app.handle_connection(socket);
    }

    /// The event takes its place in the queue.
    fn handle_event(&self, socket: &Rc<Socket>, packet: Packet<'_>) {
        let event = Event::new(socket, packet);
        let bytes = self.bytes.get() + event.bytes;
        let session = &socket.connection.session;
        if self.waiting.borrow().len() >= MOST_EVENTS || bytes > MOST_BYTES {
            return session.close(Reason::ForcedClose);
        }
        let clients = session.engine.sessions.len();
        let (due, free) = self.capacity.schedule(Instant::now(), self.free.get(), clients);
        self.free.set(free);
        self.bytes.set(bytes);
        self.waiting.borrow_mut().push_back((due, event));
        self.more.notify_one();
    }

    fn handle_disconnecting(&self, socket: &Rc<Socket>, reason: Reason, rooms: &[Rc<str>]) {
        self.app.handle_disconnecting(socket, reason, rooms);
    }
}

impl Gate {
    /// Fails when there is no alarm for it.
    pub(crate) fn new(app: Rc<dyn Application>, capacity: Capacity) -> io::Result<Gate> {
        Ok(Gate {
            app,
            capacity,
            free: Cell::new(Instant::now()),
            waiting: RefCell::default(),
            bytes: Cell::new(0),
            more: Notify::new(),
            alarm: Alarm::new()?,
        })
    }

    /// Handles events when they are due, until the task is dropped.
    pub(crate) async fn run(self: Rc<Self>) {
        loop {
            let due = self.waiting.borrow().front().map(|(due, _)| *due);
            match due {
                None => self.more.notified().await,
                Some(due) if due > Instant::now() => {
                    self.alarm.set(due);
                    self.alarm.rung().await;
                }
                Some(_) => {
                    self.handle_first();
                    // What was said goes out before the next is handled.
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    /// Whoever has left meanwhile is not heard any more.
    fn handle_first(&self) {
        let first = self.waiting.borrow_mut().pop_front();
        let Some((_, event)) = first else { return };
        self.bytes.set(self.bytes.get() - event.bytes);
        if event.socket.is_connected() {
            self.app.handle_event(&event.socket.clone(), event.packet());
        }
    }
}

impl Event {
    fn new(socket: &Rc<Socket>, packet: Packet<'_>) -> Event {
        let args: Vec<Arg<'static>> = packet.args.into_iter().map(Arg::into_owned).collect();
        let sizes = Args::new().with_all(&args);
        let attachments: usize = sizes.attachments().iter().map(Bytes::len).sum();
        Event {
            socket: socket.clone(),
            id: packet.id.map(Box::from),
            bytes: packet.name.len() + sizes.json().len() + attachments,
            name: packet.name.into_owned(),
            args,
        }
    }

    fn packet(&self) -> Packet<'_> {
        Packet {
            kind: Kind::Event,
            namespace: &self.socket.namespace.name,
            id: self.id.as_deref(),
            name: (&*self.name).into(),
            args: self.args.clone(),
            payload: "",
        }
    }
}
