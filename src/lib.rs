//! sockrates examines Socket.IO servers.

pub mod contract;
pub mod document;
pub mod observe;
pub mod template;
pub mod threshold;
pub mod units;
