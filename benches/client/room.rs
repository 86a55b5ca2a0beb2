//! What it costs to receive: one sender, a room full of listeners, every delivery accounted for by the audit.
//!
//! The judging of every message is in it, because its window closes before the account is taken.

use std::net::SocketAddr;
use std::time::Duration;

use sockrates::observe::Counter;

use crate::support::floor;
use crate::support::own::play;
use crate::support::process::Server;
use crate::support::statistics::Pairs;

const PAIRS: usize = 4;

/// How many deliveries are measured at a time, and how many there are in a second.
const DELIVERIES: u64 = 300_000;
const PER_SECOND: u64 = 50_000;

/// Against a raw fan-out to as many sockets: the same bytes, which nobody looks at.
pub(crate) fn against_the_floor() {
    for listeners in [1000, 10_000] {
        let (raw, reference) = (Server::raw("fan-out"), Server::reference());
        let (messages, pace) = beat(listeners);
        let floor = || floor::fan_out(raw.address, listeners as usize, messages as usize, pace);
        let pairs = Pairs::measure(PAIRS, floor, || room(reference.address, listeners, true));
        pairs.print(&title(&format!("a room of {listeners}")), "raw TCP", "sockrates, audited", "µs");
    }
}

/// The same room, with `audit: false` and audited.
pub(crate) fn with_and_without_the_audit() {
    let reference = Server::reference();
    let room = |audited| room(reference.address, 1000, audited);
    let pairs = Pairs::measure(PAIRS, || room(false), || room(true));
    pairs.print(&title("a room of 1000"), "without the audit", "with it", "µs");
}

/// As many deliveries a second in both.
pub(crate) fn small_and_large() {
    let reference = Server::reference();
    let room = |listeners| room(reference.address, listeners, true);
    let pairs = Pairs::measure(PAIRS, || room(100), || room(10_000));
    pairs.print(&title("audited"), "a room of 100", "a room of 10000", "µs");
}

fn title(words: &str) -> String {
    format!("{words}, 50,000 deliveries/s: CPU of the client process per delivery")
}

/// How many messages make up the deliveries, and how far apart they are.
fn beat(listeners: u64) -> (u64, Duration) {
    (DELIVERIES / listeners, Duration::from_micros(listeners * 1_000_000 / PER_SECOND))
}

/// Microseconds of CPU per delivery.
fn room(address: SocketAddr, listeners: u64, audited: bool) -> f64 {
    let (messages, pace) = beat(listeners);
    let audit = if audited { "{ window: 1s }" } else { "false" };
    let steps = format!(
        "every: {}us, steps: [ {{ broadcast: {{ to: lobby, from: socket, event: news, bytes: 64 }} }} ]",
        pace.as_micros()
    );
    let text = format!(
        "name: room
audit: {audit}
clients: {{ sender: 1, listeners: {{ count: {listeners}, arrive: 2000/s }} }}
script:
  - all: connect
  - all: {{ join: lobby }}
  - sender: {{ repeat: {{ times: 5, {steps} }} }}
  - all: {{ wait: 1500ms }}
  - sender: {{ repeat: {{ times: {messages}, {steps} }} }}
  - all: {{ wait: 1500ms }}
"
    );
    let (accounts, ran) = play(&text, address, 1, &[3, 5]);
    let deliveries = accounts[1].counted_since(&accounts[0], Counter::DeliveryReceived);
    assert_eq!(deliveries, messages * listeners, "every message is delivered");
    if audited {
        let findings = ran.findings.expect("an audit");
        assert!(findings.is_clean(), "{findings:?}");
    }
    (accounts[1].cpu - accounts[0].cpu) / deliveries as f64
}
