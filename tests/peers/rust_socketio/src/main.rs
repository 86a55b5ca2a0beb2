//! The crate rust_socketio as a client, with as little around it as possible.
//!
//! `rust-socketio-client play URL` goes through what a client can see of a server with the fixture contract, and prints a
//! line for each thing that holds or does not; it ends with 1 if one does not. `rust-socketio-client exchange URL CLIENTS
//! ROUNDS PACE` makes acknowledged round trips for a comparison of costs, and prints how many were acknowledged; PACE is in
//! milliseconds, 0 as fast as it goes.

mod exchange;
mod play;
mod socket;

use std::{env, process::exit};

use tokio::runtime::Builder;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let code = match arguments[..] {
        ["play", url] => runtime.block_on(play::play(url)),
        ["exchange", url, clients, rounds, pace] => {
            let number = |text: &str| text.parse().expect("a number");
            runtime.block_on(exchange::exchange(url, number(clients), number(rounds), number(pace)))
        }
        _ => {
            eprintln!("usage: rust-socketio-client play URL | exchange URL CLIENTS ROUNDS PACE");
            2
        }
    };
    // The tasks of the crate do not end by themselves.
    exit(code);
}
