//! A message to the server and its acknowledgement, against an echo over raw TCP.

use std::time::Duration;

use sockrates::observe::Counter;

use crate::support::floor::{self, Load};
use crate::support::own::play;
use crate::support::process::Server;
use crate::support::statistics::Pairs;

const PAIRS: usize = 4;

/// As fast as it goes.
pub(crate) fn flat() {
    exchange("200 clients flat out", Load { clients: 200, pace: None, time: 4 });
}

/// At a pace, so that most exchanges find the process asleep.
pub(crate) fn paced() {
    let load = Load { clients: 1000, pace: Some(Duration::from_secs(1)), time: 8 };
    exchange("1,000 clients, one exchange a second each", load);
}

fn exchange(title: &str, load: Load) {
    let (echo, reference) = (Server::raw("echo"), Server::reference());
    let Load { clients, pace, time } = load;
    let every = pace.map_or(String::new(), |pace| format!("every: {}ms, jitter: 100%,", pace.as_millis()));
    let text = format!(
        "name: exchange
clients: {{ c: {{ count: {clients}, arrive: 1000/s }} }}
script:
  - all: connect
  - all: {{ wait: 500ms }}
  - all: {{ repeat: {{ for: {time}s, {every} steps: [ {{ emit: {{ event: message-with-ack, args: [hello], ack: true }} }} ] }} }}
  - all: {{ wait: 500ms }}
"
    );
    let ours = || {
        let (accounts, _) = play(&text, reference.address, 1, &[1, 3]);
        let acks = accounts[1].counted_since(&accounts[0], Counter::AckReceived);
        (accounts[1].cpu - accounts[0].cpu) / acks as f64
    };
    Pairs::measure(PAIRS, || floor::exchange(echo.address, load), ours).print(
        &format!("{title}: CPU of the client process per exchange"),
        "raw TCP",
        "sockrates",
        "µs",
    );
}
