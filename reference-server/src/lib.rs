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
//! From the wire inwards: [`http`] and [`websocket`] move bytes, [`engine`] keeps sessions, [`socket`] keeps
//! namespaces and rooms, the fixture answers events. The codecs are pure and public so that fuzzers and benches can reach them.

mod alarm;
mod capacity;
pub mod cli;
pub mod config;
pub mod console;
pub mod engine;
pub mod faults;
mod fixture;
pub mod http;
mod late;
mod page;
mod server;
pub mod socket;
pub mod timers;
pub mod websocket;

pub use capacity::Capacity;
pub use config::{Config, Limits, Origins};
pub use faults::{Fault, Faults};
pub use server::{Handle, Stopper, spawn};
