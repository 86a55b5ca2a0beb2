//! Whether clients can use WebTransport here, where some of a scenario want to. Checked before the first connection.

use super::server::Place;
use crate::protocol::dialect::Version;
use crate::scenario::{Group, Scenario};
use crate::session::Transport;
use crate::transport::HAS_WEBTRANSPORT;

/// What is said where it cannot be used.
pub(super) const MISSING: &str =
    "this build has no WebTransport: build with `cargo install sockrates --features webtransport`";

/// Refuses a scenario that this program was not built for.
///
/// # Errors
/// A sentence that says what to do.
pub(super) fn check_build(scenario: &Scenario, default: Transport) -> Result<(), String> {
    if HAS_WEBTRANSPORT || !scenario.needs_webtransport(default) {
        return Ok(());
    }
    Err(MISSING.to_owned())
}

/// Refuses places to which no QUIC leads.
///
/// # Errors
/// A sentence that says what to do.
pub(super) fn check_ways(scenario: &Scenario, default: Transport, places: &[Place]) -> Result<(), String> {
    if !scenario.needs_webtransport(default) {
        return Ok(());
    }
    let is_linked = |place: &Place| place.peer.address != place.address && place.peer.tunnel.is_none();
    let speaks_old = |group: &Group| {
        let version = group.protocol.or(places.first().map(|place| place.protocol));
        version == Some(Version::V3) && group.transport.unwrap_or(default).needs_webtransport()
    };
    match () {
        () if scenario.groups.iter().any(speaks_old) => {
            Err("WebTransport came with Engine.IO 4, and clients here speak Engine.IO 3: use another transport".to_owned())
        }
        () if places.iter().any(|place| place.peer.tls.is_none()) => {
            Err("WebTransport needs TLS: give the url of the server with https://".to_owned())
        }
        () if places.iter().any(|place| place.peer.tunnel.is_some()) => {
            Err("WebTransport does not go through a proxy, which carries TCP alone: leave out `--proxy`".to_owned())
        }
        () if places.iter().any(is_linked) => Err(
            "WebTransport does not go through the links of a scenario, which carry TCP alone: use another transport, or no \
             `links` to nodes"
                .to_owned(),
        ),
        () => Ok(()),
    }
}
