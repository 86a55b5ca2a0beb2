//! sockrates examines Socket.IO servers.

pub mod measure;
pub mod observe;
