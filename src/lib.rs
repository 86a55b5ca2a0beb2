//! sockrates examines Socket.IO servers.

pub mod observe;
