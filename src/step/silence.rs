//! What a client does about silence across nodes: it asks for markers, awaits them, and broadcasts its own.

use std::sync::Arc;

use super::Cx;
use super::actor::Actor;
use super::markers::Board;
use crate::audit::Key;
use crate::audit::stamp::{self, Stamp};

/// The markers that have to arrive before silence is proved.
#[derive(Debug)]
pub(super) struct AwaitedMarkers {
    board: Arc<Board>,
    round: u64,
    /// From which nodes.
    nodes: Vec<u16>,
    /// Whether somebody may be at a node whose marker nobody here can ask for.
    is_weaker: bool,
}

/// Whether silence can be proved for what other nodes have sent.
#[derive(Debug)]
pub(super) enum Silence {
    /// There is one node, or nobody is at another one.
    Whole,
    /// These have to arrive.
    Awaits(AwaitedMarkers),
    /// The contract has no way to reach everyone, the application passes on no markers, those at the other nodes are clients of
    /// other machines, or the client has not learned at which node a balancer put it.
    OfOneNode,
}

impl Silence {
    /// Whether something may be under way that nobody here can know of.
    pub(super) fn is_weaker(&self) -> bool {
        match self {
            Silence::Whole => false,
            Silence::Awaits(awaited) => awaited.is_weaker,
            Silence::OfOneNode => true,
        }
    }

    /// The time for markers is over. Whether that none came says nothing, because the application passes on none, not even
    /// within a node.
    pub(super) fn says_nothing(&self) -> bool {
        matches!(self, Silence::Awaits(awaited) if awaited.board.give_up())
    }
}

/// Asks for the markers of all other nodes at which somebody is.
pub(super) fn ask(cx: &Cx<'_, '_>, namespace: &str) -> Silence {
    let Some(markers) = &cx.actor.context.markers else { return Silence::Whole };
    let Some(own) = cx.actor.at() else { return Silence::OfOneNode };
    let board = markers.board(namespace);
    let others = (0..markers.nodes()).filter(|node| *node != own);
    let (nodes, absent): (Vec<u16>, Vec<u16>) = others.partition(|node| board.has(*node));
    let is_weaker = (markers.has_other_machines() && !absent.is_empty()) || board.has_astray();
    match &markers.marker {
        _ if nodes.is_empty() && !is_weaker => Silence::Whole,
        Some(_) if !nodes.is_empty() && !board.is_mute() => {
            Silence::Awaits(AwaitedMarkers { round: markers.ask(&board), board, nodes, is_weaker })
        }
        _ => Silence::OfOneNode,
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
pub fn mark(cx: &mut Cx<'_, '_>, round: u64) {
    let context = cx.actor.context;
    let Some(marker) = context.markers.as_ref().and_then(|markers| markers.marker.as_ref()) else { return };
    let Some(node) = cx.actor.at() else { return };
    // The time of a marker is of no interest: in its place stands the node.
    let stamp = Stamp {
        run: context.run,
        key: Key { sender: cx.actor.who.index, sequence: round },
        due: std::time::Duration::from_micros(u64::from(node)),
        label: stamp::MARKER,
        is_audited: false,
    };
    let namespace = cx.actor.home.clone();
    let Ok(encoded) = marker.event_template.encode(cx.actor) else { return };
    let mut encoded = encoded.into_owned();
    encoded.stamp(&stamp);
    let (data, attachments) = (&encoded.data, &encoded.attachments);
    // Whoever has lost its connection sends none, and who waits for it says so.
    let _ = cx.actor.session.emit(cx.wire, &namespace, data, attachments, marker.is_acknowledged);
}

/// A marker has arrived.
pub fn arrived(actor: &mut Actor<'_>, stamp: &Stamp) {
    let Some(markers) = &actor.context.markers else { return };
    let (node, round) = (stamp.due.as_micros() as usize, stamp.key.sequence);
    if node >= usize::from(markers.nodes()) {
        return;
    }
    if markers.is_own(round) {
        actor.marks.resize(usize::from(markers.nodes()), 0);
        actor.marks[node] = actor.marks[node].max(round);
    }
    let (Some(board), Some(at)) = (&actor.board, actor.at()) else { return };
    if markers.is_own(round) {
        board.hear(node as u16, at, round);
    }
    if markers.is_called(round) {
        board.hear_called(node as u16, at, round);
    }
}
