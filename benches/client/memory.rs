//! What connected clients hold.

use sockrates::observe::Counter;

use crate::support::own::play;
use crate::support::process::{Server, cpu, resident};

/// Clients that are connected by this transport, and do nothing.
pub(crate) fn idle(transport: &str) {
    let reference = Server::reference();
    let clients = if transport == "polling" { 2000 } else { 5000 };
    let text = format!(
        "name: memory
clients: {{ first: 50, c: {{ count: {clients}, arrive: 1000/s, transport: {transport} }} }}
script:
  - first: connect
  - first: {{ wait: 500ms }}
  - c: connect
  - c: {{ join: lobby }}
  - all: {{ wait: 1s }}
"
    );
    let text = text.replace("first: 50,", &format!("first: {{ count: 50, transport: {transport} }},"));
    // What the plan and the clients take before they connect counts, too.
    let before = resident();
    let (accounts, _) = play(&text, reference.address, 1, &[1, 4]);
    let each = |from: u64| (accounts[1].memory - from) as f64 / 1024.0 / f64::from(clients);
    println!("memory, {clients} clients by {transport}, connected and in a room");
    println!("  all there is, for each      {:>9.2} KB", each(before));
    println!("  what grew while connecting  {:>9.2} KB", each(accounts[0].memory));
}

/// As many clients as two source addresses and one file limit give, for one heartbeat and a bit.
pub(crate) fn crowd() {
    let reference = Server::reference();
    let clients = 15_000;
    let text = format!(
        "name: crowd
clients: {{ c: {{ count: {clients}, arrive: 1500/s }} }}
script:
  - all: connect
  - all: {{ join: \"room-${{i}}\" }}
  - all: {{ wait: 30s }}
"
    );
    let text = text.replace("room-${i}", "room-${n % 100}");
    let (accounts, ran) = play(&text, reference.address, 1, &[2]);
    println!("{clients} clients in one process, in 100 rooms, for 30 s");
    println!("  resident memory             {:>9.1} MB", accounts[0].memory as f64 / 1e6);
    println!("  heartbeats answered         {:>9}", ran.tally.counter(Counter::Heartbeats));
    println!("  lost                        {:>9}", ran.tally.counter(Counter::Dropped));
    println!("  CPU of the whole run        {:>9.2} s", cpu() / 1e6);
}
