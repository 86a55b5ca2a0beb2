//! Gives the server one processor and the clients the others.
//!
//! A process inherits the processors of the thread that starts it. So the thread that starts the server takes the
//! server's for that time, and then those of the clients, whose threads it starts next.

#[cfg(not(all(target_os = "linux", not(feature = "portable"))))]
mod elsewhere;
#[cfg(all(target_os = "linux", not(feature = "portable")))]
mod linux;

#[cfg(not(all(target_os = "linux", not(feature = "portable"))))]
pub(super) use elsewhere::Processors;
#[cfg(all(target_os = "linux", not(feature = "portable")))]
pub(super) use linux::Processors;
