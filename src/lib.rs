//! sockrates examines Socket.IO servers.

pub mod observe;
pub mod protocol;
pub mod session;
