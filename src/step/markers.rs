//! Silence across nodes. A round trip on one connection says nothing of what is still under way between the nodes of a server.
//! So a client of each node broadcasts a marker to everyone, by the contract: whoever has those of all other nodes has what
//! these nodes had sent before, because adapters keep the order of one publisher.
//!
//! The clients of a worker know nothing of those of the others, so who waits asks on a board, and each worker lets one of its
//! clients at each node answer. Where several machines play the clients, each has boards of its own, and the coordinator may ask
//! all of them. Its own boards then show what they tell of theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::event_template::EventTemplate;
use crate::audit::stamp;
use crate::contract::{Contract, Verb};
use crate::template::Template;

/// The event by which a marker arrives, where the contract leaves that open.
const EVENT: &str = "sockrates-marker";

/// How many rounds of markers one machine can ask for; the numbers of the next machine follow. A stamp has place for those of 1,000.
const ROUNDS: u64 = 1 << 26;

/// The number of the coordinator among the machines: behind all of them.
const COORDINATOR: u64 = 1000;

/// The most namespaces of which a machine may tell.
const MOST_BOARDS: usize = 10_000;

/// How a marker is broadcast.
#[derive(Debug)]
pub(super) struct Marker {
    pub(super) event_template: EventTemplate,
    /// Whether the application wants to acknowledge it.
    pub(super) is_acknowledged: bool,
}

impl Marker {
    /// Nothing, where no broadcast of this contract reaches everyone.
    fn of(contract: &Contract) -> Option<Marker> {
        let ask = contract.get(Verb::Broadcast).filter(|_| contract.can_reach_everyone())?;
        let (text, list) =
            (|text: &str| Template::from(Json::from(text)), Template::from(Json::Array(Vec::new())));
        let args = Template::from(Json::from(vec![stamp::EMPTY]));
        let (event, from, body, none) =
            (text(EVENT), text("io"), text(stamp::EMPTY), Template::from(Json::Null));
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
    /// How many are connected and have not learned at which node.
    astray: AtomicU32,
    /// The number before that of the first round.
    none: u64,
    /// The last round of markers that somebody asked for.
    asked: AtomicU64,
    /// For each pair of nodes, the last round of the one that some client of the other has heard.
    heard: Vec<AtomicU64>,
    /// The same of the rounds that the coordinator asked for.
    heard_called: Vec<AtomicU64>,
    /// Whether somebody waited for markers, and the application has passed on none to anybody, at no node.
    is_mute: AtomicBool,
}

/// What a machine tells the coordinator of its boards.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The round of the coordinator's that it is about.
    round: u64,
    boards: Vec<BoardStanding>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct BoardStanding {
    namespace: Box<str>,
    /// The nodes at which somebody is.
    occupied: Vec<u16>,
    /// The nodes of which one has heard the marker of the other.
    heard: Vec<(u16, u16)>,
}

impl Board {
    /// Which namespace.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// A client is connected at a node, if it knows at which, or is not any more.
    pub fn count(&self, node: Option<u16>, is_live: bool) {
        let live = node.map_or(&self.astray, |node| &self.live[usize::from(node)]);
        match is_live {
            true => live.fetch_add(1, Ordering::Relaxed),
            false => live.fetch_sub(1, Ordering::Relaxed),
        };
    }

    /// Whether somebody is connected at a node.
    pub(super) fn has(&self, node: u16) -> bool {
        self.live[usize::from(node)].load(Ordering::Relaxed) > 0
    }

    /// Whether somebody is connected and does not know at which node.
    pub(super) fn has_astray(&self) -> bool {
        self.astray.load(Ordering::Relaxed) > 0
    }

    /// Asks for a round of markers. Gives its number.
    fn ask(&self) -> u64 {
        self.asked.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Somebody has waited for markers long enough. Whether the application has never passed one on, not even within a node: then
    /// that none comes from another node says nothing of the nodes.
    pub(super) fn give_up(&self) -> bool {
        let is_mute = self.heard.iter().all(|round| round.load(Ordering::Acquire) <= self.none);
        self.is_mute.store(is_mute, Ordering::Release);
        is_mute
    }

    /// Whether it is known already that the application passes on no markers.
    pub(super) fn is_mute(&self) -> bool {
        self.is_mute.load(Ordering::Acquire)
    }

    /// A marker of this round came from one node to another.
    pub(super) fn hear(&self, from: u16, to: u16, round: u64) {
        self.heard[self.pair(from, to)].fetch_max(round, Ordering::AcqRel);
    }

    /// The same of a round that the coordinator asked for.
    pub(super) fn hear_called(&self, from: u16, to: u16, round: u64) {
        self.heard_called[self.pair(from, to)].fetch_max(round, Ordering::AcqRel);
    }

    fn pair(&self, from: u16, to: u16) -> usize {
        usize::from(from) * self.live.len() + usize::from(to)
    }

    fn standing(&self, round: u64) -> BoardStanding {
        let nodes = 0..self.live.len() as u16;
        let pairs = nodes.clone().flat_map(|from| nodes.clone().map(move |to| (from, to)));
        let has_heard = |(from, to): &(u16, u16)| {
            self.heard_called[self.pair(*from, *to)].load(Ordering::Acquire) >= round
        };
        BoardStanding {
            namespace: self.namespace.clone(),
            occupied: nodes.clone().filter(|node| self.has(*node)).collect(),
            heard: if round == 0 { Vec::new() } else { pairs.filter(has_heard).collect() },
        }
    }

    /// The last round of markers that somebody asked for, if somebody has.
    pub fn asked(&self) -> Option<u64> {
        Some(self.asked.load(Ordering::Acquire)).filter(|round| *round != self.none)
    }
}

/// All boards of a run at a server of several nodes.
pub struct Markers {
    pub(super) marker: Option<Marker>,
    nodes: usize,
    /// Which of several machines this is.
    machine: Option<u16>,
    is_watched: bool,
    boards: Mutex<Vec<Arc<Board>>>,
    /// Changes whenever somebody asks.
    changes: AtomicU64,
    /// The last round that the coordinator asked all machines for.
    called: AtomicU64,
    /// What each machine has told of its boards, where this is the coordinator.
    told: Mutex<BTreeMap<u16, Standing>>,
}

impl Markers {
    /// For a server of so many nodes, or so many that may be learned; nothing for one. `machine`: which of several machines this is.
    /// `is_watched`: whether it is asked if all nodes hear each other.
    pub fn new(contract: &Contract, nodes: usize, machine: Option<u16>, is_watched: bool) -> Option<Markers> {
        (nodes > 1).then(|| Markers {
            marker: Marker::of(contract),
            nodes,
            machine,
            is_watched,
            boards: Mutex::default(),
            changes: AtomicU64::new(0),
            called: AtomicU64::new(0),
            told: Mutex::default(),
        })
    }

    /// The board of a namespace.
    pub fn board(&self, namespace: &str) -> Arc<Board> {
        let mut boards = self.boards.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(board) = boards.iter().find(|board| &*board.namespace == namespace) {
            return board.clone();
        }
        let live = (0..self.nodes).map(|_| AtomicU32::new(0)).collect();
        let of_pairs = || (0..self.nodes * self.nodes).map(|_| AtomicU64::new(0)).collect();
        let none = u64::from(self.machine.unwrap_or_default()) * ROUNDS;
        let board = Arc::new(Board {
            namespace: namespace.into(),
            live,
            astray: AtomicU32::new(0),
            none,
            asked: AtomicU64::new(none),
            heard: of_pairs(),
            heard_called: of_pairs(),
            is_mute: AtomicBool::new(false),
        });
        boards.push(board.clone());
        board
    }

    /// How many nodes there are, or may be.
    pub fn nodes(&self) -> u16 {
        self.nodes as u16
    }

    /// Whether it is asked if all nodes hear each other.
    pub fn is_watched(&self) -> bool {
        self.is_watched
    }

    /// Changes whenever somebody asks.
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Whether clients on other machines may be at nodes at which nobody of this one is.
    pub(super) fn has_other_machines(&self) -> bool {
        self.machine.is_some()
    }

    /// Whether somebody of this machine asked for this round.
    pub(super) fn is_own(&self, round: u64) -> bool {
        round / ROUNDS == u64::from(self.machine.unwrap_or_default())
    }

    /// Whether the coordinator asked for this round.
    pub(super) fn is_called(&self, round: u64) -> bool {
        round / ROUNDS == COORDINATOR
    }

    /// Asks those of a namespace for a round of markers. Gives its number.
    pub(super) fn ask(&self, board: &Board) -> u64 {
        let round = board.ask();
        self.changes.fetch_add(1, Ordering::AcqRel);
        round
    }

    /// Every board, when something was asked.
    pub fn boards(&self) -> Vec<Arc<Board>> {
        self.boards.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Markers {
    /// Asks for markers of every node in every namespace. Gives the round of each.
    pub fn ask_all(&self) -> Vec<(Arc<Board>, u64)> {
        let ask = |board: Arc<Board>| {
            let round = board.ask();
            (board, round)
        };
        let rounds = self.boards().into_iter().map(ask).collect();
        self.changes.fetch_add(1, Ordering::AcqRel);
        rounds
    }

    /// Numbers a round for which all machines are to be asked. Gives it for each namespace that they told of.
    pub fn call_all(&self) -> (u64, Vec<(Arc<Board>, u64)>) {
        let round = self.called.fetch_add(1, Ordering::AcqRel).max(COORDINATOR * ROUNDS) + 1;
        self.called.fetch_max(round, Ordering::AcqRel);
        (round, self.boards().into_iter().map(|board| (board, round)).collect())
    }

    /// The coordinator asks for this round.
    pub fn call(&self, round: u64) {
        if self.is_called(round) && self.called.fetch_max(round, Ordering::AcqRel) < round {
            self.changes.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// The last round that the coordinator asked for; 0 before the first.
    pub fn called(&self) -> u64 {
        self.called.load(Ordering::Acquire)
    }

    /// What the coordinator has to know of the boards of this machine.
    pub fn standing(&self) -> Standing {
        let round = self.called();
        Standing { round, boards: self.boards().iter().map(|board| board.standing(round)).collect() }
    }

    /// A machine tells of its boards: shows it on those of the coordinator.
    pub fn take(&self, machine: u16, standing: Standing) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_node = |node: &u16| usize::from(*node) < self.nodes;
        for told in standing.boards.iter().take(MOST_BOARDS) {
            let board = self.board(&told.namespace);
            told.occupied.iter().filter(|node| is_node(node)).for_each(|node| board.count(Some(*node), true));
            let heard = told.heard.iter().filter(|(from, to)| is_node(from) && is_node(to));
            heard.for_each(|(from, to)| board.hear(*from, *to, standing.round));
        }
        // Afterwards, so that nobody seems to have left meanwhile.
        for told in
            told.insert(machine, standing).iter().flat_map(|before| before.boards.iter().take(MOST_BOARDS))
        {
            let board = self.board(&told.namespace);
            told.occupied
                .iter()
                .filter(|node| is_node(node))
                .for_each(|node| board.count(Some(*node), false));
        }
    }

    /// The nodes at which somebody is.
    pub fn occupied(&self) -> BTreeSet<u16> {
        let boards = self.boards();
        (0..self.nodes as u16).filter(|node| boards.iter().any(|board| board.has(*node))).collect()
    }

    /// The first two nodes of which one has not heard the marker of the other, though somebody is at both.
    pub fn silent(rounds: &[(Arc<Board>, u64)]) -> Option<(u16, u16)> {
        rounds.iter().find_map(|(board, round)| {
            let nodes = board.live.len();
            let is_there = |node: usize| board.live[node].load(Ordering::Relaxed) > 0;
            let has_heard =
                |from: usize, to: usize| board.heard[from * nodes + to].load(Ordering::Acquire) >= *round;
            let pairs = (0..nodes).flat_map(|from| (0..nodes).map(move |to| (from, to)));
            let mut silent = pairs.filter(|(from, to)| {
                from != to && is_there(*from) && is_there(*to) && !has_heard(*from, *to)
            });
            silent.next().map(|(from, to)| (from as u16, to as u16))
        })
    }
}

impl fmt::Debug for Markers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Markers").field("nodes", &self.nodes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Source, parse};
    use crate::template::Scope;

    fn markers(contract: &str) -> Markers {
        let source = Source { name: "contract".to_owned(), text: contract.to_owned() };
        let tree = parse(&source).expect("it is YAML");
        let contract = Contract::read(&tree, &mut Scope::bare()).expect("it is right");
        Markers::new(&contract, 2, None, false).expect("there are two nodes")
    }

    #[test]
    fn a_broadcast_that_goes_to_rooms_alone_carries_no_marker() {
        assert!(Markers::new(&Contract::fixture(), 1, None, false).is_none());
        let of_two = Markers::new(&Contract::fixture(), 2, None, false).expect("there are two nodes");
        assert!(of_two.marker.is_some());
        for (contract, has_marker) in [
            ("broadcast: { emit: [say, \"${body}\"] }", true),
            ("broadcast: { emit: [say, \"${to}\", \"${body}\"] }", true),
            ("broadcast: { emit: [say, \"${room}\", \"${body}\"] }", false),
            ("broadcast: { emit: [say, \"${body}\"], to: \"team-${auth.team}\" }", false),
            ("join: { emit: [enter, \"${room}\"] }", false),
        ] {
            assert_eq!(markers(contract).marker.is_some(), has_marker, "{contract}");
        }
    }

    #[test]
    fn markers_that_come_to_nobody_at_all_say_nothing_of_the_nodes() {
        let markers = Markers::new(&Contract::fixture(), 2, None, false).expect("there are two nodes");
        let board = markers.board("/");
        let round = markers.ask(&board);
        assert!(board.give_up() && board.is_mute());
        // One that comes within a node shows that the application passes them on.
        board.hear(0, 0, round);
        assert!(!board.give_up() && !board.is_mute());
    }

    #[test]
    fn the_rounds_of_one_machine_are_not_those_of_another() {
        let of = |machine| Markers::new(&Contract::fixture(), 2, machine, true).expect("there are two nodes");
        let all = [of(Some(0)), of(Some(1)), of(Some(999))];
        for (place, markers) in all.iter().enumerate() {
            let board = markers.board("/");
            assert_eq!(board.asked(), None);
            let round = markers.ask(&board);
            assert_eq!(board.asked(), Some(round));
            assert!(round < 36_u64.pow(7), "a stamp has place for {round}");
            let own: Vec<bool> = all.iter().map(|markers| markers.is_own(round)).collect();
            let expected: Vec<bool> = (0..all.len()).map(|other| other == place).collect();
            assert_eq!(own, expected);
        }
    }

    #[test]
    fn the_coordinator_sees_on_its_boards_what_several_machines_tell_of_theirs() {
        let of = |machine| Markers::new(&Contract::fixture(), 2, machine, true).expect("there are two nodes");
        let (coordinator, first, second) = (of(None), of(Some(0)), of(Some(1)));
        first.board("/").count(Some(0), true);
        second.board("/").count(Some(1), true);
        let tell = || {
            coordinator.take(0, first.standing());
            coordinator.take(1, second.standing());
        };
        tell();
        assert_eq!(coordinator.occupied().into_iter().collect::<Vec<_>>(), [0, 1]);
        let (round, rounds) = coordinator.call_all();
        assert!(round < 36_u64.pow(7) && !first.is_own(round), "{round}");
        for machine in [&first, &second] {
            machine.call(round);
            assert_eq!(machine.called(), round);
        }
        tell();
        assert_eq!(Markers::silent(&rounds), Some((0, 1)));
        second.board("/").hear_called(0, 1, round);
        tell();
        assert_eq!(Markers::silent(&rounds), Some((1, 0)), "of the other way nothing is known");
        first.board("/").hear_called(1, 0, round);
        tell();
        assert_eq!(Markers::silent(&rounds), None);
        let (next, rounds) = coordinator.call_all();
        assert_eq!((next, Markers::silent(&rounds)), (round + 1, Some((0, 1))));
        first.board("/").count(Some(0), false);
        tell();
        assert_eq!(coordinator.occupied().into_iter().collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn nodes_are_silent_until_each_has_heard_the_other_where_somebody_is_there() {
        let markers = markers("broadcast: { emit: [say, \"${body}\"] }");
        let board = markers.board("/");
        let rounds = markers.ask_all();
        assert_eq!(Markers::silent(&rounds), None, "nobody is there");
        (0..2).for_each(|node| board.count(Some(node), true));
        assert_eq!(Markers::silent(&rounds), Some((0, 1)));
        board.heard[1].store(1, Ordering::Relaxed);
        assert_eq!(Markers::silent(&rounds), Some((1, 0)));
        board.heard[2].store(1, Ordering::Relaxed);
        assert_eq!(Markers::silent(&rounds), None);
        assert_eq!(
            Markers::silent(&markers.ask_all()),
            Some((0, 1)),
            "what was heard before says nothing now"
        );
    }
}
