//! Why a socket ended, in the words of the official server.

use std::fmt;

use crate::faults::{Fault, Faults};

/// The reason an application is given when a socket ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
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
    pub fn as_str(self) -> &'static str {
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

    /// The text applications are told: the right one, but for the faults.
    pub(crate) fn told(self, faults: Faults) -> &'static str {
        let (fault, wrong) = match self {
            Reason::ClientNamespaceDisconnect => (Fault::LeavingToldAsLoss, Reason::TransportClose),
            Reason::TransportClose => (Fault::LossToldAsSilence, Reason::PingTimeout),
            Reason::TransportError => (Fault::AbandonedPollToldAsLoss, Reason::TransportClose),
            Reason::PingTimeout => (Fault::SilenceToldAsLoss, Reason::TransportClose),
            Reason::ServerNamespaceDisconnect => {
                (Fault::ExpulsionToldAsLeaving, Reason::ClientNamespaceDisconnect)
            }
            Reason::ParseError => (Fault::GarbageToldAsLoss, Reason::TransportClose),
            Reason::ForcedClose => (Fault::BreachToldAsLoss, Reason::TransportClose),
            Reason::ServerShuttingDown => return self.as_str(),
        };
        if faults.has(fault) { wrong.as_str() } else { self.as_str() }
    }

    /// Whether the socket may come back by connection state recovery.
    pub fn is_recoverable(self) -> bool {
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
