//! A node's end of the bus: connects, and connects again; hands up what the others say.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::spawn_local;

use super::frame::{Frame, Kind, MOST_NODES, NodeId};
use super::pipe::{self, Pipe, Reader};
use super::window::{Inbox, Outbox};
use crate::shared::Shared;

/// How long a node waits until it tries to reach the bus again.
const AGAIN: Duration = Duration::from_millis(50);
/// How long a bus may take to be there when a node starts.
const FIRST: Duration = Duration::from_secs(5);
/// How long the others may take to greet a node that starts.
const GREETING: Duration = Duration::from_secs(2);
/// The others are told what has arrived after so many messages, or so much later.
const TOLD_AFTER: u64 = 64;
const TOLD_WITHIN: Duration = Duration::from_millis(50);

/// The layer above, which is told what the other nodes say.
pub(crate) trait Listener {
    /// Another node said something.
    fn handle_message(self: Rc<Self>, from: NodeId, payload: Bytes);
    /// A node is there, for the first time or again.
    fn handle_arrival(&self, node: NodeId);
    /// A node is gone.
    fn handle_departure(&self, node: NodeId);
}

pub(crate) struct Link {
    shared: Rc<Shared>,
    address: SocketAddr,
    me: NodeId,
    name: String,
    above: RefCell<Option<Rc<dyn Listener>>>,
    pipe: RefCell<Option<Rc<Pipe>>>,
    outbox: RefCell<Outbox>,
    inbox: RefCell<Inbox>,
    /// Who else is there, as far as the hub says.
    others: RefCell<BTreeMap<NodeId, String>>,
    /// The names of all others that were ever there: after a restart of the bus they come back one by one.
    names: RefCell<BTreeSet<String>>,
    told_soon: Cell<bool>,
    connections: Cell<u64>,
    greeted: Notify,
}

impl Link {
    /// The end of the node with that name. It has still to be run.
    pub(crate) fn new(shared: &Rc<Shared>, name: &str, address: SocketAddr) -> Rc<Link> {
        Rc::new(Link {
            shared: shared.clone(),
            address,
            me: NodeId(shared.ids.new_number()),
            name: name.to_owned(),
            above: RefCell::default(),
            pipe: RefCell::default(),
            outbox: RefCell::default(),
            inbox: RefCell::default(),
            others: RefCell::default(),
            names: RefCell::default(),
            told_soon: Cell::new(false),
            connections: Cell::new(0),
            greeted: Notify::new(),
        })
    }

    /// Which life of the node this is.
    pub(crate) fn me(&self) -> NodeId {
        self.me
    }

    /// The name of the node.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The other nodes that are there.
    pub(crate) fn others(&self) -> Vec<NodeId> {
        self.others.borrow().keys().copied().collect()
    }

    /// Whether the name of this node is the second of all, in their order: for the faults of a single node.
    pub(crate) fn is_second(&self) -> bool {
        self.names.borrow().iter().filter(|name| **name < self.name).count() == 1
    }

    /// How often the bus has been reached.
    pub(crate) fn connections(&self) -> u64 {
        self.connections.get()
    }

    /// Who hears what the others say.
    pub(crate) fn listen(&self, above: Rc<dyn Listener>) {
        self.above.replace(Some(above));
    }

    /// Says something to all others, now or as soon as they can be reached.
    pub(crate) fn tell(&self, payload: Bytes) {
        let frame = self.outbox.borrow_mut().tell(payload);
        self.send(&frame);
    }

    fn send(&self, frame: &Frame) {
        if let Some(pipe) = &*self.pipe.borrow() {
            pipe.push(frame.encode());
        }
    }

    /// Waits until the bus and all nodes on it are known to hear.
    ///
    /// # Errors
    /// When there is no bus.
    pub(crate) async fn until_greeted(&self) -> io::Result<()> {
        let start = Instant::now();
        let mut patience = FIRST;
        loop {
            let connected = self.connections.get() > 0;
            if connected && self.others.borrow().keys().all(|node| self.inbox.borrow().knows(*node)) {
                return Ok(());
            }
            if connected {
                patience = patience.min(start.elapsed().max(GREETING));
            }
            let left = patience.saturating_sub(start.elapsed());
            if left.is_zero() || tokio::time::timeout(left, self.greeted.notified()).await.is_err() {
                return if connected { Ok(()) } else { Err(io::ErrorKind::ConnectionRefused.into()) };
            }
        }
    }

    /// Whether all that was said is on its way.
    pub(crate) fn is_idle(&self) -> bool {
        self.pipe.borrow().as_ref().is_none_or(|pipe| pipe.is_idle())
    }

    /// Keeps the connection until the task is dropped.
    pub(crate) async fn run(self: Rc<Self>) {
        loop {
            if let Ok(stream) = TcpStream::connect(self.address).await {
                let (pipe, reader, half) = pipe::open(stream);
                let writer = spawn_local(pipe.clone().write(half));
                let name = Bytes::copy_from_slice(self.name.as_bytes());
                pipe.push(Frame { payload: name, ..Frame::bare(Kind::Hello, self.me, 0) }.encode());
                self.pipe.replace(Some(pipe.clone()));
                self.hear(reader, &pipe).await;
                self.pipe.replace(None);
                pipe.cut();
                let _ = writer.await;
                self.lose_sight();
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    /// Until the connection ends, or the hub says what it never would.
    async fn hear(self: &Rc<Self>, mut reader: Reader, pipe: &Pipe) {
        let mut seen = false;
        loop {
            let frame = tokio::select! {
                frame = reader.next() => frame,
                () = pipe.until_cut() => return,
            };
            let Ok(Some(frame)) = frame else { return };
            match frame.kind {
                Kind::Hello => return,
                Kind::Members => match frame.names() {
                    Ok(nodes) => {
                        let first = u64::from(!std::mem::replace(&mut seen, true));
                        self.connections.set(self.connections.get() + first);
                        self.handle_members(nodes);
                    }
                    Err(_) => return,
                },
                Kind::Sync => {
                    self.inbox.borrow_mut().handle_sync(frame.node, frame.number);
                    self.greeted.notify_one();
                }
                Kind::Have => self.outbox.borrow_mut().handle_have(frame.node, frame.number),
                Kind::Tell => self.handle_tell(frame),
            }
        }
    }

    fn handle_tell(self: &Rc<Self>, frame: Frame) {
        if !self.inbox.borrow_mut().handle_tell(frame.node, frame.number) {
            return;
        }
        let above = self.above.borrow().clone();
        if let Some(above) = above {
            above.handle_message(frame.node, frame.payload);
        }
        if self.inbox.borrow().owes(frame.node, TOLD_AFTER) {
            self.tell_what_arrived();
        } else if !self.told_soon.replace(true) {
            let link = self.clone();
            self.shared.after(TOLD_WITHIN, move || {
                link.told_soon.set(false);
                link.tell_what_arrived();
            });
        }
    }

    fn tell_what_arrived(&self) {
        let haves = self.inbox.borrow_mut().haves();
        haves.iter().for_each(|frame| self.send(frame));
    }

    fn handle_members(&self, nodes: Vec<(NodeId, String)>) {
        let now: BTreeMap<NodeId, String> = nodes.into_iter().filter(|(node, _)| *node != self.me).collect();
        let before = self.others.replace(now.clone());
        let above = self.above.borrow().clone();
        for node in before.keys().filter(|node| !now.contains_key(node)) {
            self.outbox.borrow_mut().part(Instant::now(), *node);
            above.iter().for_each(|above| above.handle_departure(*node));
        }
        let mut names = self.names.borrow_mut();
        let room = MOST_NODES.saturating_sub(names.len());
        names.extend(now.values().take(room).cloned());
        drop(names);
        for node in now.keys().filter(|node| !before.contains_key(node)) {
            let frames = self.outbox.borrow_mut().meet(*node);
            frames.iter().for_each(|frame| self.send(frame));
            above.iter().for_each(|above| above.handle_arrival(*node));
        }
        self.forget();
        self.greeted.notify_one();
    }

    /// The bus is gone, and with it the sight of the others; they may still be there.
    fn lose_sight(&self) {
        for node in self.others.take().into_keys() {
            self.outbox.borrow_mut().part(Instant::now(), node);
        }
        self.forget();
    }

    fn forget(&self) {
        let mut outbox = self.outbox.borrow_mut();
        outbox.forget(Instant::now());
        self.inbox.borrow_mut().retain(|node| outbox.knows(node));
    }
}
