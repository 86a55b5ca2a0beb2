//! Dialects: in what the versions of the protocol differ on the wire.
//!
//! A [`Dialect`] is a value with properties. Code asks for the property that it needs and never for a version, so that the
//! session, the steps and the reports are the same for all.
//!
//! Specification: Engine.IO protocol v3 and v4, Socket.IO protocol v4 and v5.

use std::borrow::Cow;

use super::engine_io::{self, Packet};
use super::{Violation, counted, payload};

/// The versions of Engine.IO, by the number that stands in `EIO=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Version {
    /// Engine.IO 3 with Socket.IO protocol 4: Socket.IO 1 and 2.
    V3,
    /// Engine.IO 4 with Socket.IO protocol 5: Socket.IO 3 and 4.
    V4,
}

impl Version {
    /// Every version.
    pub const ALL: [Version; 2] = [Version::V3, Version::V4];

    /// The number of the version of Engine.IO.
    pub fn number(self) -> u8 {
        match self {
            Version::V3 => 3,
            Version::V4 => 4,
        }
    }

    /// The version with this number.
    pub fn of(number: i64) -> Option<Version> {
        Version::ALL.into_iter().find(|version| i64::from(version.number()) == number)
    }

    /// How it is spoken.
    pub fn dialect(self) -> &'static Dialect {
        match self {
            Version::V3 => &ENGINE_IO_3,
            Version::V4 => &ENGINE_IO_4,
        }
    }
}

/// Who sends the pings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pings {
    /// The server; the client answers.
    Server,
    /// The client; the server answers.
    Client,
}

/// How the packets of a payload of long-polling are told apart, and whether binary packets bear their type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// A character stands between them, and a binary packet is always a message: [`payload`].
    Separated,
    /// Each stands behind its length, and the type of a binary packet is its first byte: [`counted`].
    Counted,
}

/// Who says first that the client is in the main namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MainNamespace {
    /// The client asks for it like for any other.
    Asked,
    /// The server puts every client into it unasked.
    Unasked,
}

/// Where credentials go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// Into the payload of CONNECT.
    Payload,
    /// Into the query of the handshake, and into that behind the name of a namespace.
    Query,
}

/// What packet 4 of Socket.IO is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet4 {
    /// CONNECT_ERROR, with an object: a namespace refuses the client.
    ConnectError,
    /// ERROR, with any value: a refusal, or an error of the application for a client that is in the namespace.
    Error,
}

/// Where the ids of sockets come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketIds {
    /// The reply to CONNECT brings one for each namespace.
    InReply,
    /// That of the Engine.IO session, behind the name of the namespace where it is not the main one: `/chat#abc`.
    OfSession,
}

/// How packets of Socket.IO are written, which both sides have to agree on beforehand: no handshake tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Parser {
    /// As text with JSON, and a message of its own for each attachment.
    #[default]
    Default,
    /// As one message of MessagePack.
    Msgpack,
}

impl Parser {
    /// Every parser.
    pub const ALL: [Parser; 2] = [Parser::Default, Parser::Msgpack];

    /// The word for it in scenarios.
    pub fn name(self) -> &'static str {
        match self {
            Parser::Default => "default",
            Parser::Msgpack => "msgpack",
        }
    }
}

/// How one version of the protocol is spoken. See the module's head.
#[derive(Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Which version it is, for words alone.
    pub version: Version,
    /// The query parameter that names it.
    pub parameter: &'static str,
    /// Who sends the pings.
    pub pings: Pings,
    /// How payloads and binary packets are written.
    pub framing: Framing,
    /// How a client comes into the main namespace.
    pub main_namespace: MainNamespace,
    /// Where credentials go.
    pub auth: Auth,
    /// What packet 4 is.
    pub packet_4: Packet4,
    /// Where the ids of sockets come from.
    pub socket_ids: SocketIds,
}

/// What servers of today speak.
pub static ENGINE_IO_4: Dialect = Dialect {
    version: Version::V4,
    parameter: "EIO=4",
    pings: Pings::Server,
    framing: Framing::Separated,
    main_namespace: MainNamespace::Asked,
    auth: Auth::Payload,
    packet_4: Packet4::ConnectError,
    socket_ids: SocketIds::InReply,
};

/// What servers of Socket.IO 1 and 2 speak.
pub static ENGINE_IO_3: Dialect = Dialect {
    version: Version::V3,
    parameter: "EIO=3",
    pings: Pings::Client,
    framing: Framing::Counted,
    main_namespace: MainNamespace::Unasked,
    auth: Auth::Query,
    packet_4: Packet4::Error,
    socket_ids: SocketIds::OfSession,
};

impl Default for &'static Dialect {
    fn default() -> &'static Dialect {
        &ENGINE_IO_4
    }
}

/// The packets of a payload, in order.
#[derive(Clone, Debug)]
pub enum Packets<'a> {
    /// Of [`Framing::Separated`].
    Separated(payload::Packets<'a>),
    /// Of [`Framing::Counted`].
    Counted(counted::Packets<'a>),
}

impl<'a> Iterator for Packets<'a> {
    type Item = Result<Packet<'a>, Violation>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Packets::Separated(packets) => packets.next(),
            Packets::Counted(packets) => packets.next(),
        }
    }
}

impl Dialect {
    /// Reads the text frame of a WebSocket.
    ///
    /// # Errors
    /// When it is no packet.
    pub fn packet_of_text<'a>(&self, text: &'a str) -> Result<Packet<'a>, Violation> {
        match self.framing {
            Framing::Separated => engine_io::decode_text(text),
            Framing::Counted => counted::decode_text(text),
        }
    }

    /// Reads the binary frame of a WebSocket.
    ///
    /// # Errors
    /// When it is no packet.
    pub fn packet_of_bytes<'a>(&self, bytes: Cow<'a, [u8]>) -> Result<Packet<'a>, Violation> {
        match self.framing {
            Framing::Separated => Ok(Packet::Binary(bytes)),
            Framing::Counted => counted::decode_bytes(bytes),
        }
    }

    /// Reads the body of a poll, or of a post.
    ///
    /// # Errors
    /// When it is no text, and has to be one.
    pub fn packets<'a>(&self, body: &'a [u8]) -> Result<Packets<'a>, Violation> {
        match self.framing {
            Framing::Separated => payload::of_bytes(body).map(Packets::Separated),
            Framing::Counted => Ok(Packets::Counted(counted::packets(body))),
        }
    }
}
