//! A connection from its first packet to its last, against TCP and the upgrade of HTTP alone.

use crate::support::floor;
use crate::support::own::play;
use crate::support::process::{Server, cpu};
use crate::support::statistics::Pairs;

const PAIRS: usize = 6;

/// See the module's head. The ends of the connections are in it on both sides.
pub fn connect() {
    let reference = Server::reference();
    let clients = 2000;
    let text = format!(
        "name: connect\ncast: {{ c: {{ count: {clients}, arrive: 2000/s }} }}\nscript: [ all: connect, all: {{ wait: 300ms }} ]\n"
    );
    let ours = || {
        let before = cpu();
        play(&text, reference.address, 1, &[1]);
        (cpu() - before) / f64::from(clients)
    };
    let floor = || floor::connect(reference.address, clients as usize, 2000.0);
    Pairs::measure(PAIRS, floor, ours).print(
        &format!("connect, {clients} clients at 2,000/s, and the end of all: CPU per connection"),
        "raw TCP, HTTP upgrade",
        "sockrates, to the namespace",
        "µs",
    );
}
