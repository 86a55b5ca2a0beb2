//! What is known of the server while a scenario is read: `${server.interval}` and its like.

use std::time::Duration;

use serde_json::Value as Json;

/// How long the server lets things take, and how much it takes. The default is that of the official server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Timings {
    /// `pingInterval` of its handshake.
    pub interval: Duration,
    /// `pingTimeout` of its handshake.
    pub timeout: Duration,
    /// `maxPayload` of its handshake, in bytes.
    pub max_payload: u64,
    /// How long a client may take to join a namespace.
    pub connect_timeout: Duration,
    /// How long a client may take to finish an upgrade.
    pub upgrade_timeout: Duration,
    /// How long a lost client can come back with what it missed, where recovery is on.
    pub recovery: Duration,
}

impl Default for Timings {
    fn default() -> Timings {
        Timings {
            interval: Duration::from_secs(25),
            timeout: Duration::from_secs(20),
            max_payload: 1_000_000,
            connect_timeout: Duration::from_secs(45),
            upgrade_timeout: Duration::from_secs(10),
            recovery: Duration::from_secs(120),
        }
    }
}

impl Timings {
    /// The words behind `server.`.
    pub(super) const WORDS: [&str; 6] =
        ["interval", "timeout", "max_payload", "connect_timeout", "upgrade_timeout", "recovery"];

    /// What a word behind `server.` stands for: milliseconds or bytes.
    pub(super) fn get(&self, word: &str) -> Option<Json> {
        let time = match word {
            "interval" => self.interval,
            "timeout" => self.timeout,
            "connect_timeout" => self.connect_timeout,
            "upgrade_timeout" => self.upgrade_timeout,
            "recovery" => self.recovery,
            "max_payload" => return Some(Json::from(self.max_payload)),
            _ => return None,
        };
        u64::try_from(time.as_millis()).ok().map(Json::from)
    }
}
