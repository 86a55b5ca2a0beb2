//! Many servers side by side: what describes them, what was found on each of them, and the site that shows it. Pure.
//!
//! `runner/servers/` plays them. [`describe`] reads the file of a server, [`confirmed`] what raw clients have shown of some,
//! [`standing`] says of each clause whether a server keeps it, [`site`] makes the pages, [`issue`] a bug report.

pub(crate) mod confirmed;
pub(crate) mod describe;
#[cfg(test)]
pub(crate) mod example;
pub(crate) mod issue;
pub(crate) mod result;
pub(crate) mod site;
mod standing;

pub(crate) use confirmed::Confirmed;
pub(crate) use describe::{Description, Start};
pub(crate) use result::{LoadOutcome, ScenarioOutcome, ServerEntry, ServersResult, Trouble};
pub(crate) use standing::unconfirmed;
