//! sockrates examines Socket.IO servers.

pub mod client;
pub mod contract;
pub mod document;
pub mod observe;
pub mod protocol;
pub mod session;
pub mod step;
pub mod template;
pub mod threshold;
pub mod transport;
pub mod units;
