//! Why a session or a socket ended, in the words of the official server.
//!
//! Source: Socket.IO documentation, "Disconnection", "Details"; "Connection state recovery".

use std::fmt;

/// The reason an application is given when a socket ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The connection was closed by the client or cut.
    TransportClose,
    /// The transport was used against its rules, or a poll was abandoned.
    TransportError,
    /// A ping was not answered in time.
    PingTimeout,
    /// Not an Engine.IO packet.
    ParseError,
    /// Closed by the server for a breach of the Socket.IO protocol.
    ForcedClose,
    /// The client left the namespace.
    ClientNamespaceDisconnect,
    /// The application put the socket out.
    ServerNamespaceDisconnect,
    /// The server stops.
    ServerShuttingDown,
}

impl Reason {
    /// The text applications see.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Reason::TransportClose => "transport close",
            Reason::TransportError => "transport error",
            Reason::PingTimeout => "ping timeout",
            Reason::ParseError => "parse error",
            Reason::ForcedClose => "forced close",
            Reason::ClientNamespaceDisconnect => "client namespace disconnect",
            Reason::ServerNamespaceDisconnect => "server namespace disconnect",
            Reason::ServerShuttingDown => "server shutting down",
        }
    }

    /// Whether the socket may come back by connection state recovery.
    pub(crate) fn is_recoverable(self) -> bool {
        matches!(
            self,
            Reason::TransportClose
                | Reason::TransportError
                | Reason::PingTimeout
                | Reason::ForcedClose
                | Reason::ServerShuttingDown
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
