//! What a client costs: against the floor, which is the same on sockets without any protocol, and against other clients.
//!
//! Both sides run in turn (A B B A …) against a server in a process of its own. CPU is what the operating system
//! charged the client's process, so the server is not in it; quote the ratios, not the times.
//!
//! `cargo bench --bench client -- flat` prints one table; several words, several tables:
//!
//! | word | what |
//! |---|---|
//! | `flat`, `paced` | an acknowledged round trip: 200 clients flat out, 1,000 with one a second |
//! | `connect` | a connection, from TCP to the namespace |
//! | `room`, `audit`, `size` | a delivery in a room: against raw TCP, with and without the audit, in a small and a large room |
//! | `scaling` | whether two workers do twice the work of one |
//! | `others-flat`, `others-paced` | the round trips again, beside other clients of Socket.IO |
//!
//! Without a word, all of these. Memory has to be asked for alone, because what an earlier part gave back is not seen to
//! grow again: `memory websocket`, `memory polling`, `crowd`.

#[path = "../support/mod.rs"]
mod support;

mod connect;
mod exchange;
mod memory;
mod others;
mod room;
mod scaling;

use std::env;

use support::raw_server::serve_if_asked;

const TABLES: [(&str, fn()); 9] = [
    ("flat", exchange::flat),
    ("paced", exchange::paced),
    ("connect", connect::connect),
    ("room", room::against_the_floor),
    ("audit", room::with_and_without_the_audit),
    ("size", room::small_and_large),
    ("scaling", scaling::scaling),
    ("others-flat", others::flat),
    ("others-paced", others::paced),
];

fn main() {
    serve_if_asked();
    let args: Vec<String> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["memory", transport] => memory::idle(transport),
        ["crowd"] => memory::crowd(),
        _ => {
            let wanted = |name: &&str| args.is_empty() || args.contains(name);
            TABLES.iter().filter(|(name, _)| wanted(name)).for_each(|(_, print)| print());
        }
    }
}
