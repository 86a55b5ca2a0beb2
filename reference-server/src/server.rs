//! A running server: what all its tasks share, how it starts and how it stops.
//!
//! One thread, one runtime, no locks: an event is handled from the first byte read to the last packet queued
//! without another task in between, so order holds by construction and a broadcast costs no synchronisation.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Notify;

use crate::capacity::Gate;
use crate::config::Config;
use crate::console::Console;
use crate::engine::session::Session;
use crate::faults::{Fault, Faults};
use crate::http;
use crate::late::Late;
use crate::socket::client;
use crate::socket::message::Message;
use crate::socket::namespace::Namespace;
use crate::socket::reason::Reason;
use crate::socket::socket::Socket;
use crate::timers::Timers;

const BACKLOG: u32 = 4096;
/// How long clients may take to read their goodbyes when the server stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// A server that runs in a thread of its own. Dropping the handle leaves it running.
#[derive(Debug)]
pub struct Handle {
    address: SocketAddr,
    path: String,
    stop: Arc<Notify>,
    thread: JoinHandle<()>,
}

impl Handle {
    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The address of the Socket.IO endpoint.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.path)
    }

    /// The address of the chat page.
    pub fn page_url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Asks the server to stop: every client is told, what is queued still goes out. Returns at once.
    pub fn shutdown(&self) {
        self.stop.notify_one();
    }

    /// Something to stop the server with from another thread, while this one waits.
    pub fn stopper(&self) -> Stopper {
        Stopper { stop: self.stop.clone() }
    }

    /// Waits until the server has stopped.
    pub fn wait(self) {
        let _ = self.thread.join();
    }
}

/// Stops a server from anywhere.
#[derive(Debug, Clone)]
pub struct Stopper {
    stop: Arc<Notify>,
}

impl Stopper {
    /// As [`Handle::shutdown`].
    pub fn shutdown(&self) {
        self.stop.notify_one();
    }
}

/// Starts a server. It listens when this returns.
///
/// # Errors
/// When the address cannot be listened on, or the thread or its runtime cannot be made.
pub fn spawn(config: Config, faults: Faults) -> io::Result<Handle> {
    let (report, reported) = std::sync::mpsc::sync_channel(1);
    let stop = Arc::new(Notify::new());
    let path = config.path.clone();
    let stopped = stop.clone();
    let thread = std::thread::Builder::new().name("reference-server".to_owned()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build_local(tokio::runtime::LocalOptions::default());
        match runtime {
            Err(error) => drop(report.send(Err(error))),
            Ok(runtime) => runtime.block_on(async move {
                let bound = listen(SocketAddr::new(config.host, config.port)).and_then(|listener| {
                    let address = listener.local_addr()?;
                    let gate = config.capacity.map(Gate::new).transpose()?;
                    Ok((listener, address, Late::new(faults)?, gate))
                });
                match bound {
                    Err(error) => drop(report.send(Err(error))),
                    Ok((listener, address, late, gate)) => {
                        let _ = report.send(Ok(address));
                        Server::new(config, faults, late, gate).run(listener, &stopped).await;
                    }
                }
            }),
        }
    })?;
    let address = reported.recv().map_err(|_| io::Error::other("the server thread ended"))??;
    Ok(Handle { address, path, stop, thread })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A session and an acknowledgement id.
type AckKey = (Rc<str>, Box<str>);

/// What all tasks share.
pub(crate) struct Server {
    pub(crate) config: Config,
    pub(crate) faults: Faults,
    pub(crate) timers: Rc<Timers>,
    pub(crate) console: Rc<Console>,
    /// What events pass first, where the server has a known capacity.
    pub(crate) gate: Option<Gate>,
    pub(crate) sessions: RefCell<HashMap<Rc<str>, Rc<Session>>>,
    pub(crate) namespaces: RefCell<HashMap<Rc<str>, Rc<Namespace>>>,
    pub(crate) connections: Cell<usize>,
    next_key: Cell<u64>,
    random: RefCell<Vec<u8>>,
    /// For the faults that delay what goes out.
    pub(crate) late: Option<Rc<Late>>,
    /// For the fault that freezes the server: whether the time until then runs.
    pub(crate) freezes: Cell<bool>,
    /// For the faults that lose or swap events.
    delivered: Cell<u64>,
    /// How often each fault that shows now and then could have shown.
    turns: RefCell<BTreeMap<Fault, u64>>,
    pub(crate) held: RefCell<HashMap<Rc<str>, Message>>,
    /// For the faults that mix up acknowledgement ids: who used which one first, by session.
    pub(crate) ack_ids: RefCell<HashMap<AckKey, Rc<Socket>>>,
    quiet: Notify,
    stopping: Cell<bool>,
}

impl Server {
    fn new(config: Config, faults: Faults, late: Option<Rc<Late>>, gate: Option<Gate>) -> Rc<Server> {
        let console = Rc::new(Console::new(config.console));
        Rc::new(Server {
            config,
            faults,
            timers: Rc::default(),
            console,
            gate,
            sessions: RefCell::default(),
            namespaces: RefCell::default(),
            connections: Cell::new(0),
            next_key: Cell::new(1),
            random: RefCell::default(),
            late,
            freezes: Cell::new(false),
            delivered: Cell::new(0),
            turns: RefCell::default(),
            held: RefCell::default(),
            ack_ids: RefCell::default(),
            quiet: Notify::new(),
            stopping: Cell::new(false),
        })
    }

    async fn run(self: Rc<Self>, listener: TcpListener, stop: &Notify) {
        let timers = tokio::task::spawn_local(self.timers.clone().run());
        let gate = tokio::task::spawn_local(Gate::run(self.clone()));
        let late = self.late.clone().map(|late| tokio::task::spawn_local(late.run()));
        tokio::select! {
            () = self.accept(listener) => {}
            () = stop.notified() => {}
        }
        self.stopping.set(true);
        self.say_goodbye();
        let _ = tokio::time::timeout(FAREWELL, self.until_quiet()).await;
        timers.abort();
        gate.abort();
        if let Some(late) = late {
            late.abort();
        }
        self.sessions.borrow_mut().clear();
        self.namespaces.borrow_mut().clear();
    }

    async fn accept(self: &Rc<Self>, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let _ = stream.set_nodelay(true);
                    tokio::task::spawn_local(http::connection::serve(self.clone(), stream, peer));
                }
                // Out of file descriptors, or the peer gave up: others will still want to be let in.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    fn say_goodbye(&self) {
        let sessions: Vec<Rc<Session>> = self.sessions.borrow().values().cloned().collect();
        for session in sessions {
            client::disconnect(&session, Reason::ServerShuttingDown);
        }
    }

    async fn until_quiet(&self) {
        while !self.sessions.borrow().is_empty() {
            self.quiet.notified().await;
        }
        // The last bytes of the last session are being written by its connection.
        while self.connections.get() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Whether another session may be opened.
    pub(crate) fn has_room(&self) -> bool {
        !self.stopping.get() && self.sessions.borrow().len() < self.config.max_clients
    }

    /// A session is gone for good.
    pub(crate) fn session_ended(&self) {
        if self.sessions.borrow().is_empty() {
            self.quiet.notify_one();
        }
    }

    /// A number nobody else has.
    pub(crate) fn new_key(&self) -> u64 {
        self.next_key.replace(self.next_key.get() + 1)
    }

    /// An id that cannot be guessed: 120 random bits, safe in a URL.
    pub(crate) fn new_id(&self) -> Rc<str> {
        if self.faults.has(Fault::SidCounted) {
            return Rc::from(self.new_key().to_string());
        }
        let mut random = self.random.borrow_mut();
        if random.len() < 15 {
            random.resize(15 * 64, 0);
            if let Err(error) = getrandom::fill(&mut random) {
                // Guessable ids would be worse than no server.
                panic!("the system has no randomness: {error}");
            }
        }
        let start = random.len() - 15;
        let mut id = [0; 20];
        let _ = URL_SAFE_NO_PAD.encode_slice(&random[start..], &mut id);
        random.truncate(start);
        std::str::from_utf8(&id).map(Rc::from).unwrap_or_default()
    }

    /// Whether it is time for a fault that shows in one of so many cases.
    pub(crate) fn now_and_then(&self, fault: Fault, one_in: u64) -> bool {
        if !self.faults.has(fault) {
            return false;
        }
        let mut turns = self.turns.borrow_mut();
        let turn = turns.entry(fault).or_default();
        *turn += 1;
        *turn % one_in == one_in / 2
    }

    /// What [`Server::now_and_then`] allowed came to nothing: the next turn is its own.
    pub(crate) fn again(&self, fault: Fault, one_in: u64) {
        self.turns.borrow_mut().insert(fault, one_in / 2 - 1);
    }

    /// The faults of delivery. `true`: the event has been dealt with.
    pub(crate) fn spoil_delivery(&self, session: &Rc<Session>, message: &Message) -> bool {
        let number = self.delivered.replace(self.delivered.get() + 1);
        if self.faults.has(Fault::EventLost) && number % 100 == 99 {
            return true;
        }
        if !self.faults.has(Fault::OrderSwapped) {
            return false;
        }
        let held = self.held.borrow_mut().remove(&session.id);
        if let Some(held) = held {
            session.send(message);
            session.send(&held);
            return true;
        }
        self.held.borrow_mut().insert(session.id.clone(), message.clone());
        let (server, session) = (session.server.clone(), session.clone());
        self.timers.after(Duration::from_millis(20), move || {
            let held = server.held.borrow_mut().remove(&session.id);
            if let Some(held) = held {
                session.send(&held);
            }
        });
        true
    }
}
