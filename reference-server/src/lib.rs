//! A Socket.IO server that reads like the specification and can break it on demand.
//!
//! It speaks Engine.IO protocol v4 (HTTP long-polling, WebSocket and the upgrade between them) and Socket.IO
//! protocol v5 (namespaces, rooms, broadcasts, acknowledgements, binary, connection state recovery), runs the
//! fixture that scenarios are written against, and serves a chat page for people. It shares no code with the
//! client side: an error in a shared codec would be invisible from both ends.
//!
//! ```no_run
//! use reference_server::{Config, Fault, Faults, spawn};
//!
//! let config = Config { port: 0, ..Config::default() }.with_fixture_timings();
//! let server = spawn(config, Faults::NONE.with(Fault::AckTwice))?;
//! println!("{}", server.url());
//! server.shutdown();
//! server.wait();
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Each layer uses those below it and none above:
//!
//! | layer | |
//! |---|---|
//! | `server`, [`cli`] | assembly: which request goes where, how a server starts and stops |
//! | `app` | the fixture, its namespaces, a gate for a known capacity, the chat page |
//! | `socket` | Socket.IO: packets, namespaces, sockets; tells an `Application` what happens |
//! | `bus` | what one node of a cluster says, every other node hears |
//! | `engine` | Engine.IO: sessions over polling and WebSocket; hands messages to a `Handler` |
//! | `http`, `websocket` | framing |
//! | [`config`], [`faults`], `shared`, `registry`, `timers`, … | what every layer may use |
//!
//! The faults are beside the layers: a list for each, and in files of their own what they do, so that the rules can be read
//! without them.

#![warn(unreachable_pub)]

mod alarm;
mod app;
mod bus;
mod capacity;
pub mod cli;
pub mod config;
mod console;
mod engine;
pub mod faults;
mod http;
mod ids;
mod reason;
mod registry;
mod server;
mod shared;
mod signals;
mod socket;
mod timers;
mod websocket;

pub use bus::{Bus, spawn as spawn_bus};
pub use capacity::Capacity;
pub use config::{Config, Limits, Node, Origins};
pub use faults::{Fault, Faults};
pub use server::{Handle, Stopper, spawn};
