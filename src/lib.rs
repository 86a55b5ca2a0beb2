//! sockrates examines Socket.IO servers.
