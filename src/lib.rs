//! sockrates examines Socket.IO servers.

pub mod measure;
pub mod observe;
pub mod report;
pub mod target;
pub mod verdict;
