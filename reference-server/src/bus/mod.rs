//! The bus between the nodes of a cluster: what one node says, every other node hears, in order and once.
//!
//! It carries bytes and knows nothing of Socket.IO, as a broker would. From below: `frame` and `window` are pure; `pipe` is one
//! connection; `hub` is the broker in the middle, `link` is the end of a node. A node keeps what it said until every other node
//! has it, so that a bus that is started again loses nothing.

pub(crate) mod frame;
pub(crate) mod hub;
pub(crate) mod link;
mod pipe;
mod window;

pub use hub::{Bus, spawn};
