//! A TCP proxy of ours between the nodes of a server and what they need, or between clients and a node. It can be cut, slowed
//! down and stopped while connections stay open.
//!
//! [`flow`] is the part without IO: which bytes may pass when. [`proxy`] holds the sockets, in one thread for each link.

mod flow;
mod pair;
mod proxy;
#[cfg(test)]
mod tests;

pub(crate) use flow::Condition;
pub(crate) use proxy::{Link, Way};
