//! The servers that are held against each other, each a process of its own with the same settings.

#[path = "../../tests/support/peers.rs"]
mod peers;

use sockrates::target::{Running, Starting, Target};

use peers::Peer;

/// A server of the comparison: its name, and how it is started.
pub struct Contender {
    /// As the tables call it.
    pub name: &'static str,
    target: Target,
}

impl Contender {
    /// The reference server, and every peer that this machine has. The others are told of on standard error.
    pub fn all() -> Vec<Contender> {
        let reference =
            shlex::try_quote(env!("CARGO_BIN_EXE_sockrates")).expect("a path contains no NUL").into_owned();
        // Its defaults are the settings that the peers get from the environment.
        let reference = Some(format!("{reference} serve --quiet --port \"$PORT\""));
        let peer = |peer: Peer| {
            let line = peer.command_line()?;
            Some(format!("PING_INTERVAL=25000 PING_TIMEOUT=20000 CONNECT_TIMEOUT=45000 exec {line}"))
        };
        [
            ("reference", reference),
            ("Node", peer(Peer::NodeFixture)),
            ("socketioxide", peer(Peer::Socketioxide)),
        ]
        .into_iter()
        .filter_map(|(name, line)| {
            Some(Contender { name, target: Target::Command { line: line?, url: None } })
        })
        .collect()
    }

    /// Starts it afresh. It is stopped when the returned value is dropped.
    ///
    /// # Panics
    ///
    /// When it does not answer.
    pub fn start(&self) -> Running {
        self.target.start(&Starting::default()).unwrap_or_else(|why| panic!("{}: {why}", self.name))
    }
}
