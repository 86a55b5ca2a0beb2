//! The server under test, as a result tells of it.

use serde::{Deserialize, Serialize};

use super::nodes::NodeInfo;
use crate::measure::format;
use crate::server::{Node, Nodes, Running, Service, Target};

/// The server under test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TargetInfo {
    /// How it was found or started.
    pub kind: TargetKind,
    /// Where it was reached.
    pub url: String,
    /// The command that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Its nodes, where it has several; the url and the command are those of the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeInfo>,
    /// What was started beside its nodes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<ServiceInfo>,
    /// What it calls itself, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
    /// What was found on the way to it: a redirect that was followed, say, each in a sentence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl TargetInfo {
    /// The server that runs, with all its nodes.
    pub fn of_nodes(nodes: &Nodes) -> Self {
        let service = |service: &Service| {
            let command = service.command()?.to_owned();
            Some(ServiceInfo { name: service.name().to_owned(), command })
        };
        let services = nodes.services().filter_map(service).collect();
        let whole = Self { services, ..Self::of(nodes.first()) };
        if nodes.len() == 1 {
            return whole;
        }
        let node = |node: &Node| {
            let Self { url, command, .. } = Self::of(&node.running);
            NodeInfo { name: node.name.clone(), url, command }
        };
        let notes = nodes.notes().into_iter().map(format::printable).collect();
        Self { nodes: nodes.iter().map(node).collect(), notes, ..whole }
    }

    /// The server that runs.
    pub fn of(running: &Running) -> Self {
        let (kind, command) = match running.target() {
            Target::Bundled { .. } => (TargetKind::Bundled, None),
            Target::Command { line, .. } => (TargetKind::Command, Some(line.clone())),
            Target::Url(_) => (TargetKind::Url, None),
        };
        Self {
            software: running.found().software.clone(),
            notes: running.found().notes.iter().map(|note| format::printable(note)).collect(),
            ..Self::missing(kind, running.endpoint().to_string(), command)
        }
    }

    /// A server that is not there, for the result that says so.
    pub fn missing(kind: TargetKind, url: String, command: Option<String>) -> Self {
        Self {
            kind,
            url,
            command,
            nodes: Vec::new(),
            services: Vec::new(),
            software: None,
            notes: Vec::new(),
        }
    }
}

/// How the server under test was found or started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum TargetKind {
    /// The reference server, started by sockrates.
    Bundled,
    /// Started by sockrates with the user's command.
    Command,
    /// Already running.
    Url,
}

/// A service that was started beside the nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ServiceInfo {
    /// Its name.
    pub name: String,
    /// The command that started it.
    pub command: String,
}
