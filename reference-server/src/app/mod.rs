//! What runs on the server: the fixture that scenarios are written against, the gate in front of it, and a chat page.

mod bulk;
pub(crate) mod fixture;
pub(crate) mod gate;
pub(crate) mod namespaces;
pub(crate) mod page;
mod target;
