//! sockrates examines Socket.IO servers.

pub mod audit;
pub mod capacity;
pub mod cli;
pub mod client;
pub mod compare;
pub mod conformance;
pub mod contract;
pub mod document;
pub mod engine;
pub mod measure;
pub mod observe;
pub mod plan;
pub mod protocol;
pub mod report;
pub mod runner;
pub mod scenario;
pub mod server;
pub mod session;
pub mod statistics;
pub mod step;
pub mod template;
pub mod threshold;
pub mod transport;
pub mod units;
pub mod verdict;
