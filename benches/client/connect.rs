//! A connection from its first packet to its last, against TCP and the upgrade of HTTP alone.

use crate::support::floor;
use crate::support::own::play;
use crate::support::process::{Server, cpu};
use crate::support::statistics::Pairs;

const PAIRS: usize = 6;

/// See the module's head: until all are connected, and with the ends of all.
pub(crate) fn connect() {
    let reference = Server::reference();
    let clients = 2000;
    let text = format!(
        "name: connect\nclients: {{ c: {{ count: {clients}, arrive: 2000/s }} }}\nscript: [ all: connect, all: {{ wait: 300ms }} ]\n"
    );
    let ours = |with_the_end: bool| {
        let before = cpu();
        let (accounts, _) = play(&text, reference.address, 1, &[1]);
        let after = if with_the_end { cpu() } else { accounts[0].cpu };
        (after - before) / f64::from(clients)
    };
    let floor = |with_the_end| floor::connect(reference.address, clients as usize, 2000.0, with_the_end);
    for (with_the_end, until) in [(false, ""), (true, ", and the ends of all")] {
        Pairs::measure(PAIRS, || floor(with_the_end), || ours(with_the_end)).print(
            &format!("connect, {clients} clients at 2,000/s{until}: CPU per connection"),
            "raw TCP, HTTP upgrade",
            "sockrates, to the namespace",
            "µs",
        );
    }
}
