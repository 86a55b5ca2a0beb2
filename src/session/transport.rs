//! Over which transports a session begins and goes on.

use serde::{Deserialize, Serialize};

use super::wire::Channel;

/// Which transports a session uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// A WebSocket from the first byte.
    #[default]
    Websocket,
    /// HTTP long-polling, for good.
    Polling,
    /// HTTP long-polling first, then upgraded to a WebSocket, as browsers do.
    Upgrade,
    /// WebTransport from the first byte.
    Webtransport,
    /// HTTP long-polling first, then upgraded to WebTransport.
    #[serde(rename = "upgrade-to-webtransport")]
    UpgradeToWebtransport,
}

impl Transport {
    /// Every transport.
    pub const ALL: [Transport; 5] = [
        Transport::Websocket,
        Transport::Polling,
        Transport::Upgrade,
        Transport::Webtransport,
        Transport::UpgradeToWebtransport,
    ];

    /// The word for it in scenarios and reports.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Websocket => "websocket",
            Transport::Polling => "polling",
            Transport::Upgrade => "upgrade",
            Transport::Webtransport => "webtransport",
            Transport::UpgradeToWebtransport => "upgrade-to-webtransport",
        }
    }

    /// Whether it begins with polling and goes on with something else.
    pub fn upgrades(self) -> bool {
        matches!(self, Transport::Upgrade | Transport::UpgradeToWebtransport)
    }

    /// Whether it needs WebTransport.
    pub fn needs_webtransport(self) -> bool {
        matches!(self, Transport::Webtransport | Transport::UpgradeToWebtransport)
    }

    /// What carries packets where polling does not.
    pub fn stream(self) -> Channel {
        if self.needs_webtransport() { Channel::WebTransport } else { Channel::WebSocket }
    }
}
