//! What all clients of a run share: read, never written, but for the board.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::given::GivenIds;
use super::learned::LearnedNodes;
use super::markers::Markers;
use super::own_place::OwnPlace;
use super::sent::AllSent;
use crate::audit::Spread;
use crate::contract::ServerRooms;
use crate::protocol::dialect::{Dialect, Parser};
use crate::secrets::Secrets;
use crate::session::{Destinations, Transport};
use crate::template::{Of, Shared, Slot, Template};

/// Which events the steps of a group need. Everything else is counted and dropped at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventFilter {
    /// Names of events that a step may take.
    pub names: BTreeSet<String>,
    /// A step names its event by an expression, so that any event may be the one.
    pub all: bool,
    /// A step looks at raw frames.
    pub frames: bool,
    /// A step looks at raw frames of the past, so that those that were taken are kept, too.
    pub past_frames: bool,
    /// A step looks at how the connection ends, so that an end is no accident.
    pub ends: bool,
}

impl EventFilter {
    /// Wants events of this name.
    pub fn want(&mut self, name: &Template) {
        match name.fixed() {
            Some(Json::String(name)) => {
                self.names.insert(name.clone());
            }
            _ => self.all = true,
        }
    }

    /// Which of the wanted names this is, in their order.
    pub fn place(&self, name: &str) -> Option<u16> {
        self.names.iter().position(|wanted| wanted == name).and_then(|place| u16::try_from(place).ok())
    }

    /// Whether an event of this name is wanted.
    pub fn wants(&self, name: &str) -> bool {
        self.all || self.names.contains(name)
    }
}

/// What the clients of one group have in common.
#[derive(Clone, Debug)]
pub struct GroupContext {
    /// The group's name.
    pub name: String,
    /// How many clients it has.
    pub count: u64,
    /// Which dialect they speak.
    pub dialect: &'static Dialect,
    /// Which parser they and the server use.
    pub parser: Parser,
    /// Which transports they use.
    pub transport: Transport,
    /// Whether they offer compression of WebSocket messages.
    pub compression: bool,
    /// The namespace that they connect to and use unless a step names another.
    pub namespace: Template,
    /// At which node of the target they connect, by name or by index; evenly spread over all without it.
    pub node: Option<Template>,
    /// What they send with `CONNECT`.
    pub auth: Option<Template>,
    /// What they send in its place with that to these namespaces.
    pub credentials: Vec<(String, Template)>,
    /// Further query parameters.
    pub query: Vec<(String, Template)>,
    /// Further headers.
    pub headers: Vec<(String, Template)>,
    /// Their variables.
    pub vars: Vec<(Slot, Template)>,
    /// The rows of the group's CSV file, dealt out in turn: column and value.
    pub rows: Vec<Vec<(String, String)>>,
    /// When each of them begins its first connect, after the act does; empty where all begin at once.
    pub offsets: Arc<[Duration]>,
    /// Which events their steps need.
    pub filter: EventFilter,
}

impl GroupContext {
    /// What they send with `CONNECT` to this namespace.
    pub fn auth_for(&self, namespace: &str) -> Option<&Template> {
        let own = self.credentials.iter().find(|(name, _)| name == namespace).map(|(_, auth)| auth);
        own.or(self.auth.as_ref())
    }
}

/// How the deliveries are audited.
#[derive(Debug)]
pub struct Audit {
    /// How long a message may take to arrive.
    pub window: Duration,
    /// What is promised between the nodes of the server.
    pub spread: Spread,
}

/// How messages arrive by the contract, whether deliveries are audited or not.
#[derive(Debug)]
pub struct Arrivals {
    /// As which events audited messages arrive. A stamp in another is an echo of the application's.
    pub events: EventFilter,
    /// Whether the application may send a message again to whoever joins or connects later.
    pub has_history: bool,
    /// Where messages stand in events that repeat others.
    pub own_places: Vec<OwnPlace>,
}

/// The trace contexts that the clients of a run send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traces {
    /// What no other run has, so that two with the same seed begin different traces.
    pub run: u64,
    /// Whether each connect carries one.
    pub on_connects: bool,
}

/// What all clients of a run share.
#[derive(Debug)]
pub struct RunContext {
    /// The beginning of the run, from which all times are counted.
    pub epoch: Instant,
    /// A number of the run, for its stamps and for `${run}`.
    pub run: u16,
    /// The seed of all random numbers.
    pub seed: u64,
    /// The trace contexts that its clients send.
    pub traces: Traces,
    /// The names of the target's nodes, at least one.
    pub nodes: Vec<String>,
    /// Where each of them is, as browsers say it in `Origin`; nothing while that is not known.
    pub origins: Vec<String>,
    /// The nodes behind a balancer, where the contract says what tells them.
    pub learned: Option<LearnedNodes>,
    /// The path of the server, with both slashes.
    pub path: String,
    /// Query parameters from the command line.
    pub query: Vec<(String, String)>,
    /// Headers from the command line.
    pub headers: Vec<(String, String)>,
    /// Where what is secret comes to be known.
    pub secrets: Secrets,
    /// Whether the server is reached by TLS, or is on this machine.
    pub is_secure: bool,
    /// How many slots a client has for its values.
    pub slots: usize,
    /// Which values clients ask of others.
    pub shared: Vec<Shared>,
    /// Whether any message carries a stamp.
    pub stamps: bool,
    /// How the deliveries are audited, if they are.
    pub audit: Option<Audit>,
    /// The rooms into which the server puts clients by itself.
    pub server_rooms: ServerRooms,
    /// How messages arrive.
    pub arrivals: Arrivals,
    /// How many clients, the first by index, remember their last frames for the report of a failure.
    pub remembering: u32,
    /// How many frames each of these remembers.
    pub wire_lines: usize,
    /// Where clients ask for markers, at a server of several nodes.
    pub markers: Option<Markers>,
    /// What clients show each other.
    pub shared_values: SharedValues,
    /// Which client has which id, in a case: clients that are measured have better things to do.
    pub given: Option<GivenIds>,
    /// What those clients sent last that remember their frames.
    pub sent: AllSent,
    /// Where clients connect to.
    pub destinations: Destinations,
}

impl RunContext {
    /// The name of a node, of those that are known or of those that were learned.
    pub fn node_name(&self, node: u16) -> String {
        let name = match &self.learned {
            Some(learned) => learned.name_of(usize::from(node)),
            None => self.nodes.get(usize::from(node)).cloned(),
        };
        name.unwrap_or_else(|| node.to_string())
    }

    /// A time, counted from the beginning of the run.
    pub fn since(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.epoch)
    }
}

/// The values that clients show each other: `${bob.sid}`. Only what some expression asks for stands here.
#[derive(Debug, Default)]
pub struct SharedValues {
    values: RwLock<HashMap<(usize, u64, Of), Json>>,
    /// What clients of this machine showed and others have not been told, where there are others.
    fresh: Option<Mutex<Vec<ShownValue>>>,
}

/// A value that a client shows those on other machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownValue {
    /// Which, as an index into [`RunContext::shared`].
    shared: usize,
    /// Whose: its index in the group.
    member: u64,
    /// As JSON.
    value: String,
}

impl SharedValues {
    /// Without any yet. `is_told`: whether clients on other machines have to know of them.
    pub fn new(is_told: bool) -> SharedValues {
        SharedValues { values: RwLock::default(), fresh: is_told.then(Mutex::default) }
    }

    /// Shows a value, the one with this number in [`RunContext::shared`].
    pub fn put(&self, shared: usize, of: &Shared, member: u64, value: &Json) {
        if let Ok(mut values) = self.values.write() {
            values.insert((of.group, member, of.of.clone()), value.clone());
        }
        if let Some(fresh) = &self.fresh {
            let shown = ShownValue { shared, member, value: value.to_string() };
            fresh.lock().unwrap_or_else(PoisonError::into_inner).push(shown);
        }
    }

    /// A value that another client showed.
    pub fn get(&self, group: usize, member: u64, of: &Of) -> Option<Json> {
        self.values.read().ok()?.get(&(group, member, of.clone())).cloned()
    }

    /// Tells what other machines have to be told. When it returns, all is told that was shown before, whoever told it.
    pub fn tell_fresh(&self, tell: impl FnOnce(Vec<ShownValue>)) {
        let Some(fresh) = &self.fresh else { return };
        let mut fresh = fresh.lock().unwrap_or_else(PoisonError::into_inner);
        if !fresh.is_empty() {
            tell(std::mem::take(&mut *fresh));
        }
    }
}

impl RunContext {
    /// Takes what clients on another machine show. What makes no sense is left out.
    pub fn learn(&self, shown: Vec<ShownValue>) {
        let Ok(mut values) = self.shared_values.values.write() else { return };
        for ShownValue { shared, member, value } in shown {
            if let (Some(of), Ok(value)) = (self.shared.get(shared), serde_json::from_str(&value)) {
                values.insert((of.group, member, of.of.clone()), value);
            }
        }
    }
}
