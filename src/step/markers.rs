//! Silence across nodes. A round trip on one connection says nothing of what is still under way between the nodes of a server.
//! So a client of each node broadcasts a marker to everyone, by the contract: whoever has those of all other nodes has what
//! these nodes had sent before, because adapters keep the order of one publisher.
//!
//! The clients of a worker know nothing of those of the others, so who waits asks on a board, and each worker lets one of its
//! clients at each node answer.

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;

use super::Cx;
use super::actor::Actor;
use super::event_template::EventTemplate;
use crate::audit::Key;
use crate::audit::stamp::{self, Stamp};
use crate::contract::{Contract, Verb};
use crate::template::Template;

/// The event by which a marker arrives, where the contract leaves that open.
const EVENT: &str = "sockrates-marker";

/// How a marker is broadcast.
#[derive(Debug)]
struct Marker {
    event_template: EventTemplate,
    /// Whether the application wants to acknowledge it.
    is_acknowledged: bool,
}

impl Marker {
    /// Nothing, where a broadcast of this contract goes to one room.
    fn of(contract: &Contract) -> Option<Marker> {
        let ask = contract.get(Verb::Broadcast)?;
        if ask.uses("room") && !ask.uses("to") {
            return None;
        }
        let (text, list) = (|text: &str| Template::from(Json::from(text)), Template::from(Json::Array(Vec::new())));
        let args = Template::from(Json::from(vec![stamp::EMPTY]));
        let (event, from, body, none) = (text(EVENT), text("io"), text(stamp::EMPTY), Template::from(Json::Null));
        let words = [
            ("event", &event),
            ("from", &from),
            ("flags", &list),
            ("args", &args),
            ("body", &body),
            ("to", &list),
            ("except", &list),
            ("room", &none),
        ];
        let ask = ask.bind(&words);
        Some(Marker {
            event_template: EventTemplate::new(&ask.event, &ask.args),
            is_acknowledged: ask.ack.is_some(),
        })
    }
}

/// The clients of one namespace: who is there, and what is asked of them.
#[derive(Debug)]
pub struct Board {
    namespace: Box<str>,
    /// How many are connected at each node.
    live: Vec<AtomicU32>,
    /// The last round of markers that somebody asked for.
    asked: AtomicU64,
}

impl Board {
    /// Which namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// A client is connected at a node, or is not any more.
    pub fn count(&self, node: u16, is_live: bool) {
        let live = &self.live[usize::from(node)];
        match is_live {
            true => live.fetch_add(1, Ordering::Relaxed),
            false => live.fetch_sub(1, Ordering::Relaxed),
        };
    }

    /// The last round of markers that somebody asked for.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Acquire)
    }
}

/// All boards of a run at a server of several nodes.
pub struct Markers {
    marker: Option<Marker>,
    nodes: usize,
    boards: Mutex<Vec<Arc<Board>>>,
    /// Changes whenever somebody asks.
    changes: AtomicU64,
}

impl Markers {
    /// For a server of so many nodes; nothing for one.
    pub fn new(contract: &Contract, nodes: usize) -> Option<Markers> {
        (nodes > 1).then(|| Markers {
            marker: Marker::of(contract),
            nodes,
            boards: Mutex::default(),
            changes: AtomicU64::new(0),
        })
    }

    /// The board of a namespace.
    pub fn board(&self, namespace: &str) -> Arc<Board> {
        let mut boards = self.boards.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(board) = boards.iter().find(|board| &*board.namespace == namespace) {
            return board.clone();
        }
        let live = (0..self.nodes).map(|_| AtomicU32::new(0)).collect();
        let board = Arc::new(Board { namespace: namespace.into(), live, asked: AtomicU64::new(0) });
        boards.push(board.clone());
        board
    }

    /// Changes whenever somebody asks.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Every board, when something was asked.
    pub fn boards(&self) -> Vec<Arc<Board>> {
        self.boards.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Markers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Markers").field("nodes", &self.nodes).finish_non_exhaustive()
    }
}

/// The markers that have to arrive before silence is proved.
#[derive(Debug)]
pub(super) struct AwaitedMarkers {
    round: u64,
    /// From which nodes.
    nodes: Vec<u16>,
}

/// Whether silence can be proved for what other nodes have sent.
#[derive(Debug)]
pub(super) enum Silence {
    /// There is one node, or nobody is at another one.
    Whole,
    /// These have to arrive.
    Awaits(AwaitedMarkers),
    /// The contract has no way to reach everyone.
    OfOneNode,
}

/// Asks for the markers of all other nodes at which somebody is.
pub(super) fn ask(cx: &Cx<'_, '_>, namespace: &str) -> Silence {
    let Some(markers) = &cx.actor.context.markers else { return Silence::Whole };
    let board = markers.board(namespace);
    let is_awaited = |node: &u16| *node != cx.actor.node && board.live[usize::from(*node)].load(Ordering::Relaxed) > 0;
    let nodes: Vec<u16> = (0..markers.nodes as u16).filter(is_awaited).collect();
    match &markers.marker {
        _ if nodes.is_empty() => Silence::Whole,
        None => Silence::OfOneNode,
        Some(_) => {
            let round = board.asked.fetch_add(1, Ordering::AcqRel) + 1;
            markers.changes.fetch_add(1, Ordering::AcqRel);
            Silence::Awaits(AwaitedMarkers { round, nodes })
        }
    }
}

impl AwaitedMarkers {
    /// The nodes whose markers have not arrived.
    pub(super) fn missing(&self, actor: &Actor<'_>) -> Vec<u16> {
        let has = |node: u16| actor.marks.get(usize::from(node)).is_some_and(|round| *round >= self.round);
        self.nodes.iter().copied().filter(|node| !has(*node)).collect()
    }
}

/// Broadcasts a marker of this round.
pub(crate) fn mark(cx: &mut Cx<'_, '_>, round: u64) {
    let context = cx.actor.context;
    let Some(marker) = context.markers.as_ref().and_then(|markers| markers.marker.as_ref()) else { return };
    // The time of a marker is of no interest: in its place stands the node.
    let stamp = Stamp {
        run: context.run,
        key: Key { sender: cx.actor.who.index, sequence: round },
        due: std::time::Duration::from_micros(u64::from(cx.actor.node)),
        label: stamp::MARKER,
        is_audited: false,
    };
    let namespace = cx.actor.home.clone();
    let Ok(encoded) = marker.event_template.encode(cx.actor) else { return };
    let mut encoded = encoded.into_owned();
    stamp.put(&mut encoded.data);
    let (data, attachments) = (&encoded.data, &encoded.attachments);
    // Whoever has lost its connection sends none, and who waits for it says so.
    let _ = cx.actor.session.emit(cx.wire, &namespace, data, attachments, marker.is_acknowledged);
}

/// A marker has arrived.
pub(crate) fn arrived(actor: &mut Actor<'_>, stamp: &Stamp) {
    let node = stamp.due.as_micros() as usize;
    if node < actor.context.nodes.len() {
        actor.marks.resize(actor.context.nodes.len(), 0);
        actor.marks[node] = actor.marks[node].max(stamp.key.sequence);
    }
}
