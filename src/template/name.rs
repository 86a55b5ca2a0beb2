//! What an expression can name, and who knows what it stands for.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

/// A place in which a client keeps a value of its own: a variable or a capture.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    /// Which of the scenario's slots; all groups share one numbering from 0 ([`super::Scope::slots`]).
    pub index: usize,
    /// The name in the scenario.
    pub name: Arc<str>,
}

/// Something that has a value only when a client asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// `n`: the client's index in its group, from 0.
    N,
    /// `i`: the round of the innermost `repeat`, or the occurrence in `expect … times`, from 0.
    I,
    /// `group`: the name of the client's group.
    Group,
    /// `broadcast`: the client's index in all clients, from 0.
    Index,
    /// `count`: how many clients the group has.
    Count,
    /// `run`: a number of the run, the same for all its clients.
    Run,
    /// `node`: the name of the node at which the client connects.
    Node,
    /// `nodes`: how many nodes the target has.
    Nodes,
    /// `server.origin`: where the client connects, as browsers say it in `Origin`.
    Origin,
    /// `sid`: the client's own Socket.IO id, as its latest `CONNECT` reply on this namespace gave it.
    Sid,
    /// `engine_sid`: the id of the client's Engine.IO session.
    EngineSid,
    /// `traceparent`: a trace context, another one each time.
    Traceparent,
    /// `connect_packet`: the CONNECT by which the client joins `/`, with its credentials if it has any.
    ConnectPacket,
    /// A variable or a capture of the client itself.
    Own(Slot),
    /// `row.…`: a column of the row that the client got from its group's CSV file.
    Row(Arc<str>),
    /// A word with a meaning only here, such as `${room}` in a contract.
    Word(&'static str),
    /// A value of a client of some group: `${bob.sid}`, `${crowd[3].me}`.
    Other {
        /// The index of the group.
        group: usize,
        /// The client's index in that group.
        member: u64,
        /// Which of its values.
        of: Of,
    },
}

/// Which value of another client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Of {
    /// Its Socket.IO id.
    Sid,
    /// The id of its Engine.IO session.
    EngineSid,
    /// A variable or a capture.
    Slot(Slot),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::N => f.write_str("n"),
            Name::I => f.write_str("i"),
            Name::Group => f.write_str("group"),
            Name::Index => f.write_str("index"),
            Name::Count => f.write_str("count"),
            Name::Run => f.write_str("run"),
            Name::Node => f.write_str("node"),
            Name::Nodes => f.write_str("nodes"),
            Name::Origin => f.write_str("server.origin"),
            Name::Sid => f.write_str("sid"),
            Name::EngineSid => f.write_str("engine_sid"),
            Name::Traceparent => f.write_str("traceparent"),
            Name::ConnectPacket => f.write_str("connect_packet"),
            Name::Own(slot) => f.write_str(&slot.name),
            Name::Row(column) => write!(f, "row.{column}"),
            Name::Word(word) => f.write_str(word),
            Name::Other { member, of: Of::Sid, .. } => write!(f, "the `sid` of client {member}"),
            Name::Other { member, of: Of::EngineSid, .. } => write!(f, "the `engine_sid` of client {member}"),
            Name::Other { member, of: Of::Slot(slot), .. } => {
                write!(f, "the `{}` of client {member}", slot.name)
            }
        }
    }
}

/// The client's side of an expression: what its names stand for now.
pub trait Values {
    /// The value of a name, or `None` while it has none: a socket id before the connect, a capture before its
    /// step.
    fn get(&self, name: &Name) -> Option<Cow<'_, Json>>;

    /// A number from 0 to below `bound`, all equally likely, from the client's own seeded source. `bound` is at
    /// least 1.
    fn random(&self, bound: u64) -> u64;
}

/// Values where no name stands for anything.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl Values for Nothing {
    fn get(&self, _: &Name) -> Option<Cow<'_, Json>> {
        None
    }

    fn random(&self, _: u64) -> u64 {
        0
    }
}
