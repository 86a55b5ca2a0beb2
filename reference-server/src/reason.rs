//! Why a session or a socket ended, in the words of the official server.
//!
//! Source: Socket.IO documentation, "Disconnection", "Details"; "Connection state recovery".

use std::fmt;

macro_rules! reasons {
    ($($variant:ident $text:literal $about:literal;)*) => {
        /// The reason an application is given when a socket ends.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Reason { $(#[doc = $about] $variant,)* }

        impl Reason {
            /// The text applications see.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Reason::$variant => $text,)* }
            }
        }
    };
}

reasons! {
    TransportClose "transport close" "The connection was closed by the client or cut.";
    TransportError "transport error" "The transport was used against its rules, or a poll was abandoned.";
    PingTimeout "ping timeout" "A ping was not answered in time.";
    ParseError "parse error" "Not an Engine.IO packet.";
    ForcedClose "forced close" "Closed by the server for a breach of the Socket.IO protocol.";
    ClientNamespaceDisconnect "client namespace disconnect" "The client left the namespace.";
    ServerNamespaceDisconnect "server namespace disconnect" "The application put the socket out.";
    ServerShuttingDown "server shutting down" "The server stops.";
}

impl Reason {
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
