//! What a step needs of its client's connection beyond connecting, emitting and hearing.
//!
//! Our own session can do all of it. Another client library that makes the connections in our place may not: a
//! driver says which of these it lacks, and a scenario that needs one of them is refused before it is played.

use std::fmt;

use serde_json::Value as Json;

use super::Numbered;
use crate::document::Node;
use crate::template::{Template, binary};

/// What a step needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// An Engine.IO connection without a `CONNECT`.
    EngineAlone,
    /// To send or to see single frames.
    Frames,
    /// HTTP requests with the connection's id and headers.
    OwnRequests,
    /// To begin an upgrade in the middle of what is under way.
    UpgradeLater,
    /// To cut the connection.
    Cut,
    /// To leave heartbeats unanswered or to stop reading.
    Mute,
    /// To ask for the recovery of an earlier connection.
    Recovery,
    /// To answer what the server wants acknowledged.
    Answering,
    /// To hear that the connection ended, and why.
    End,
    /// To be refused by one namespace while another one goes on over the same connection.
    RefusedBeside,
    /// The Socket.IO id.
    SocketId,
    /// To emit or to hear binary among other arguments, or to emit it with an acknowledgement.
    BinaryAmongOthers,
    /// To hear an event that has no arguments.
    NoArguments,
    /// To emit or to hear an event of this name.
    EventNamed(String),
}

impl fmt::Display for Beyond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Beyond::EngineAlone => "an Engine.IO connection without a CONNECT",
            Beyond::Frames => "single frames",
            Beyond::OwnRequests => "HTTP requests of its own",
            Beyond::UpgradeLater => "an upgrade in the middle of a session",
            Beyond::Cut => "a connection that is cut",
            Beyond::Mute => "a client that falls silent",
            Beyond::Recovery => "the recovery of an earlier connection",
            Beyond::Answering => "acknowledgements by the client",
            Beyond::End => "why a connection ended",
            Beyond::RefusedBeside => "a refused CONNECT beside a namespace on the same connection",
            Beyond::SocketId => "the client's `sid`",
            Beyond::BinaryAmongOthers => "binary among other arguments or with an acknowledgement",
            Beyond::NoArguments => "an event without arguments",
            Beyond::EventNamed(name) => return write!(f, "an event named `{name}`"),
        })
    }
}

/// Calls with everything that these steps and the steps inside them need, until something comes of it.
pub fn find_beyond<'s, R>(
    steps: &'s [Numbered],
    look: &mut impl FnMut(&'s Numbered, Beyond) -> Option<R>,
) -> Option<R> {
    steps.iter().find_map(|numbered| {
        // The steps inside come first: they are the more precise place.
        find_beyond(numbered.step.inner(), look).or_else(|| {
            let named = numbered.names_sid.then_some(Beyond::SocketId);
            numbered.step.beyond().into_iter().chain(named).find_map(|beyond| look(numbered, beyond))
        })
    })
}

/// To emit or hear events of this name, where it is known beforehand.
pub(super) fn named(event: &Template) -> Option<Beyond> {
    event.fixed().and_then(Json::as_str).map(|name| Beyond::EventNamed(name.to_owned()))
}

/// Whether arguments have binary in them that is not the only one.
pub(super) fn binary_among_others(args: &[Json]) -> bool {
    match args {
        [arg] if binary::is_meant(arg) => false,
        args => args.iter().any(has_binary),
    }
}

/// What hearing these arguments needs.
pub(super) fn of_arguments(args: &[Node]) -> Option<Beyond> {
    let args: Vec<Json> = args.iter().map(Node::to_json).collect();
    if args.is_empty() {
        return Some(Beyond::NoArguments);
    }
    binary_among_others(&args).then_some(Beyond::BinaryAmongOthers)
}

/// Whether there is binary in a value.
pub(super) fn has_binary(value: &Json) -> bool {
    binary::is_meant(value)
        || match value {
            Json::Array(items) => items.iter().any(has_binary),
            Json::Object(map) => map.values().any(has_binary),
            _ => false,
        }
}

/// The value as it was written, with the binary in it as it stands in the file.
pub(super) fn written(template: &Template) -> Json {
    // What is not fixed is told as JSON where it is a list or a map.
    template.fixed().cloned().or_else(|| serde_json::from_str(&template.in_words()).ok()).unwrap_or_default()
}
