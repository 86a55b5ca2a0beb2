//! sockrates examines Socket.IO servers.
//!
//! The command is the product. This library is no public API: its items change with each release, and those that are public
//! serve the tests, the benches and the fuzz targets.

pub(crate) mod agents;
pub mod audit;
pub(crate) mod capacity;
pub mod cli;
pub mod client;
pub(crate) mod compare;
pub mod conformance;
pub mod contract;
pub mod document;
pub mod engine;
pub mod importer;
mod link;
pub(crate) mod matrix;
pub mod measure;
pub mod observe;
pub mod plan;
pub mod protocol;
pub(crate) mod publish;
pub(crate) mod recorder;
pub mod report;
pub(crate) mod runner;
pub mod scenario;
pub mod secrets;
pub(crate) mod server;
pub mod session;
pub mod statistics;
pub mod step;
mod system;
pub mod template;
pub mod threshold;
pub mod transport;
pub(crate) mod units;
pub mod verdict;
