//! The broker in the middle of the bus: hands on what each node says, and tells all who is there. It keeps nothing.
//!
//! Bounds against hostile nodes: so many at a time, a name first of all and soon, frames of a length, so much that waits.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::spawn_local;

use super::frame::{Frame, Kind, LONGEST_NAME, MOST_NODES, NodeId};
use super::pipe::{self, Pipe};

/// How long a connection may take to say which node it is.
const INTRODUCTION: Duration = Duration::from_secs(5);

/// A bus that runs in a thread of its own. Dropping it leaves it running.
#[derive(Debug)]
pub struct Bus {
    address: SocketAddr,
    stop: Arc<Notify>,
    thread: JoinHandle<()>,
}

impl Bus {
    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// What stops it from another thread.
    pub(crate) fn stop(&self) -> Arc<Notify> {
        self.stop.clone()
    }

    /// Asks it to stop. Returns at once.
    pub fn shutdown(&self) {
        self.stop.notify_one();
    }

    /// Waits until it has stopped.
    pub fn wait(self) {
        let _ = self.thread.join();
    }
}

/// Starts a bus. It listens when this returns.
///
/// # Errors
/// When the address cannot be listened on, or the thread or its runtime cannot be made.
pub fn spawn(address: SocketAddr) -> io::Result<Bus> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build_local(Default::default())
    };
    let stop = Arc::new(Notify::new());
    let stopped = stop.clone();
    let (report, reported) = std::sync::mpsc::sync_channel(1);
    let thread = std::thread::Builder::new().name("bus".to_owned()).spawn(move || match runtime() {
        Err(error) => drop(report.send(Err(error))),
        Ok(runtime) => runtime.block_on(async move {
            match TcpListener::from_std(listener) {
                Err(error) => drop(report.send(Err(error))),
                Ok(listener) => {
                    let _ = report.send(Ok(()));
                    tokio::select! {
                        () = accept(listener) => {}
                        () = stopped.notified() => {}
                    }
                }
            }
        }),
    })?;
    reported.recv().map_err(|_| io::Error::other("the thread of the bus ended"))??;
    Ok(Bus { address, stop, thread })
}

#[derive(Default)]
struct Hub {
    nodes: RefCell<BTreeMap<NodeId, Node>>,
}

struct Node {
    name: String,
    pipe: Rc<Pipe>,
}

async fn accept(listener: TcpListener) {
    let hub = Rc::new(Hub::default());
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(spawn_local(hub.clone().serve(stream))),
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

impl Hub {
    async fn serve(self: Rc<Self>, stream: TcpStream) {
        let (pipe, mut reader, half) = pipe::open(stream);
        let Ok(Ok(Some(hello))) = tokio::time::timeout(INTRODUCTION, reader.next()).await else { return };
        if !self.admit(&hello, &pipe) {
            return;
        }
        let from = hello.node;
        let writer = spawn_local(pipe.clone().write(half));
        loop {
            let frame = tokio::select! {
                frame = reader.next() => frame,
                () = pipe.until_cut() => break,
            };
            match frame {
                Ok(Some(frame)) if matches!(frame.kind, Kind::Tell | Kind::Sync | Kind::Have) => {
                    self.hand_on(from, frame);
                }
                _ => break,
            }
        }
        pipe.cut();
        let _ = writer.await;
        self.leave(from, &pipe);
    }

    /// Lets a node in that says who it is. The same life of a node that is still there has lost that connection.
    fn admit(&self, hello: &Frame, pipe: &Rc<Pipe>) -> bool {
        let name = String::from_utf8(hello.payload.to_vec());
        let (Kind::Hello, Ok(name)) = (hello.kind, name) else { return false };
        let again = self.nodes.borrow_mut().remove(&hello.node);
        if let Some(again) = again {
            again.pipe.cut();
            self.tell_members();
        }
        let full = self.nodes.borrow().len() == MOST_NODES;
        if full || name.len() > LONGEST_NAME || hello.node == NodeId::ALL {
            return false;
        }
        self.nodes.borrow_mut().insert(hello.node, Node { name, pipe: pipe.clone() });
        self.tell_members();
        true
    }

    fn leave(&self, node: NodeId, pipe: &Rc<Pipe>) {
        let mut nodes = self.nodes.borrow_mut();
        if nodes.get(&node).is_some_and(|node| Rc::ptr_eq(&node.pipe, pipe)) {
            nodes.remove(&node);
            drop(nodes);
            self.tell_members();
        }
    }

    fn tell_members(&self) {
        let nodes = self.nodes.borrow();
        let list = Frame::members(nodes.iter().map(|(node, known)| (*node, known.name.as_str()))).encode();
        nodes.values().for_each(|node| node.pipe.push(list.clone()));
    }

    fn hand_on(&self, from: NodeId, frame: Frame) {
        let to = frame.node;
        let bytes = Frame { node: from, ..frame }.encode();
        let nodes = self.nodes.borrow();
        let receivers =
            nodes.iter().filter(|(node, _)| **node != from && (to == NodeId::ALL || to == **node));
        receivers.for_each(|(_, node)| node.pipe.push(bytes.clone()));
    }
}
