//! A running server: what all its tasks share, how it starts and how it stops.
//!
//! One thread, one runtime, no locks: an event is handled from the first byte read to the last packet queued
//! without another task in between, so order holds by construction and a broadcast costs no synchronisation.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::{JoinHandle as Task, spawn_local};

use crate::app::fixture::Fixture;
use crate::app::gate::Gate;
use crate::app::{namespaces, page};
use crate::bus::link::Link;
use crate::config::Config;
use crate::engine::endpoint;
use crate::engine::session::Engine;
use crate::faults::{Fault, Faults};
use crate::http::connection::{Connection, Next};
use crate::http::response::Response;
use crate::reason::Reason;
use crate::registry::Registry;
use crate::shared::Shared;
use crate::socket::client::Clients;
use crate::socket::elsewhere::Elsewhere;
use crate::socket::hearing::Hearing;
use crate::socket::socket::{Application, Io};

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
    /// What stops whatever waits for that.
    pub(crate) fn of(stop: Arc<Notify>) -> Stopper {
        Stopper { stop }
    }

    /// As [`Handle::shutdown`].
    pub fn shutdown(&self) {
        self.stop.notify_one();
    }
}

/// Starts a server. It listens when this returns, and the other nodes of its cluster hear it.
///
/// # Errors
/// When the address cannot be listened on, there is no bus, or the thread or its runtime cannot be made.
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
                let started = listen(SocketAddr::new(config.host, config.port)).and_then(|listener| {
                    Ok((listener.local_addr()?, listener, Server::new(config, faults)?))
                });
                match started {
                    Err(error) => drop(report.send(Err(error))),
                    Ok((address, listener, server)) => {
                        let tasks = server.start();
                        match server.join_cluster().await {
                            Err(error) => drop(report.send(Err(error))),
                            Ok(()) => {
                                let _ = report.send(Ok(address));
                                server.run(listener, &stopped, tasks).await;
                            }
                        }
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

/// The layers of a server, put together.
struct Server {
    shared: Rc<Shared>,
    engine: Rc<Engine>,
    io: Rc<Io>,
    /// What events pass first, where the server has a known capacity.
    gate: Option<Rc<Gate>>,
    /// Its end of the bus, where it is a node of a cluster.
    link: Option<Rc<Link>>,
}

impl Server {
    fn new(config: Config, faults: Faults) -> io::Result<Server> {
        let shared = Shared::new(config, faults)?;
        let mut app: Rc<dyn Application> = Rc::new(Fixture::default());
        let mut gate = None;
        if let Some(capacity) = shared.config.capacity {
            let made = Rc::new(Gate::new(app, capacity)?);
            gate = Some(made.clone());
            app = made;
        }
        let node = shared.config.node.as_ref();
        let link = node.map(|node| Link::new(&shared, &node.name, node.bus));
        let io = Io::new(&shared, app, namespaces::TABLE, Elsewhere::new(link.clone()));
        if let Some(link) = &link {
            link.listen(Rc::new(Hearing::new(&io, link)));
        }
        let above = Rc::new(Clients { io: io.clone() });
        let engine = Rc::new(Engine { shared: shared.clone(), sessions: Registry::default(), above });
        Ok(Server { shared, engine, io, gate, link })
    }

    fn start(&self) -> Vec<Task<()>> {
        let mut tasks = vec![spawn_local(self.shared.timers.clone().run())];
        tasks.extend(self.gate.clone().map(|gate| spawn_local(gate.run())));
        tasks.extend(self.shared.late.clone().map(|late| spawn_local(late.run())));
        tasks.extend(self.link.clone().map(|link| spawn_local(link.run())));
        tasks
    }

    async fn join_cluster(&self) -> io::Result<()> {
        match &self.link {
            Some(link) => link.until_greeted().await,
            None => Ok(()),
        }
    }

    async fn run(self, listener: TcpListener, stop: &Notify, tasks: Vec<Task<()>>) {
        tokio::select! {
            () = self.accept(listener) => {}
            () = stop.notified() => {}
        }
        self.shared.stopping.set(true);
        self.io.disconnect_all(Reason::ServerShuttingDown);
        self.engine.sessions.all().iter().for_each(|session| session.close(Reason::ServerShuttingDown));
        let _ = tokio::time::timeout(FAREWELL, self.until_quiet()).await;
        tasks.iter().for_each(Task::abort);
        self.engine.sessions.clear();
        self.io.namespaces.clear();
    }

    async fn accept(&self, listener: TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let _ = stream.set_nodelay(true);
                    spawn_local(serve(self.engine.clone(), stream, peer));
                }
                // Out of file descriptors, or the peer gave up: others will still want to be let in.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    async fn until_quiet(&self) {
        self.engine.sessions.until_empty().await;
        // The last bytes of the last session are being written by its connection.
        // And what the other nodes are told of it.
        let is_idle = || self.link.as_ref().is_none_or(|link| link.is_idle());
        while self.shared.busy_connections() > 0 || !is_idle() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Serves a connection until it ends or becomes a WebSocket, which is a task of its own: each request goes to the
/// Engine.IO endpoint or to the chat page.
async fn serve(engine: Rc<Engine>, stream: TcpStream, peer: SocketAddr) {
    let shared = engine.shared.clone();
    let mut connection = Connection::new(shared.clone(), stream, peer);
    loop {
        let request = match connection.head().await {
            Ok(Some(request)) => request,
            Ok(None) => return,
            Err(status) => {
                let _ = connection.respond(None, Response::empty(status)).await;
                return connection.linger().await;
            }
        };
        let busy = shared.busy.clone();
        let path = &shared.config.path;
        let alike = request.path.starts_with(path.trim_end_matches('/'));
        let next = if request.path == *path || alike && shared.has(Fault::PathPrefixMatches) {
            endpoint::handle(&engine, &mut connection, &request).await
        } else {
            let response = page::respond(&shared.config, &request);
            connection.respond(Some(&request), response).await
        };
        match next {
            Next::KeepAlive if shared.has(Fault::ConnectionNotKept) => return connection.linger().await,
            Next::KeepAlive => {}
            Next::Close => return connection.linger().await,
            Next::Taken(take) => {
                let websocket = take(connection.stream, connection.buffer);
                spawn_local(async move {
                    websocket.await;
                    drop(busy);
                });
                return;
            }
        }
    }
}
