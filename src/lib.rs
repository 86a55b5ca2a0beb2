//! sockrates examines Socket.IO servers.

pub mod contract;
pub mod document;
pub mod observe;
pub mod protocol;
pub mod scenario;
pub mod session;
pub mod step;
pub mod template;
pub mod threshold;
pub mod units;
