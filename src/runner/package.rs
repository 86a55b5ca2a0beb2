//! All that the plan of a run is made of, as one package: from it every agent makes the same plan.

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::server::Place;
use super::{NodeConfig, Selected, ServerConfig, TlsFiles};
use crate::document::{Source, render};
use crate::protocol::dialect::Version;
use crate::scenario::{self, Outside, Overrides, Scenario, Surroundings, Timings};
use crate::secrets::Secrets;
use crate::server::{Endpoint, Nodes, Proxy};
use crate::session::Transport;
use crate::step::Traces;

/// What a package is made of.
#[derive(Clone, Copy)]
pub(super) struct Packing<'a> {
    /// The server, as it is named here.
    pub(super) server: &'a ServerConfig,
    /// What is run.
    pub(super) selected: &'a Selected,
    /// The transport of groups that name none.
    pub(super) transport: Transport,
    /// Whether groups that do not say offer compression.
    pub(super) compression: bool,
    /// The trace contexts that clients send.
    pub(super) traces: Traces,
    /// The seed of all random numbers.
    pub(super) seed: u64,
}

/// See the module's head.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Package {
    /// The scenario's name and text.
    file: (String, String),
    outside: Outside,
    overrides: Overrides,
    timings: Timings,
    /// The nodes of the server: name and place.
    nodes: Vec<(String, Endpoint)>,
    /// Where clients go to reach each of them, where a link leads there.
    links: Vec<Option<SocketAddr>>,
    /// How long the server may take to answer.
    timeout: Duration,
    headers: Vec<(String, String)>,
    query: Vec<(String, String)>,
    /// As JSON.
    auth: Option<String>,
    proxy: Option<Proxy>,
    tls: TlsFiles,
    protocol: Option<Version>,
    /// Whether secrets are shown, because the user wants it.
    shows_secrets: bool,
    /// What the plan takes as it is.
    pub(super) namespace: Option<String>,
    pub(super) path: String,
    pub(super) is_secure: bool,
    pub(super) spoken: Version,
    pub(super) transport: Transport,
    pub(super) compression: bool,
    pub(super) traces: Traces,
    pub(super) seed: u64,
    pub(super) run: u16,
}

impl Package {
    /// Of a run against a server that is there.
    pub(super) fn of(
        packing: &Packing<'_>,
        nodes: &Nodes,
        places: &[Place],
        is_secure: bool,
        number: u16,
    ) -> Package {
        let Packing { server, selected, .. } = *packing;
        let source = &selected.source;
        Package {
            file: (source.name.clone(), source.text.clone()),
            outside: selected.outside(),
            overrides: selected.overrides.clone(),
            timings: server.timings(nodes.first().found()),
            nodes: nodes.iter().map(|node| (node.name.clone(), node.running.endpoint().clone())).collect(),
            links: nodes.iter().map(|node| Some(nodes.link_to(&node.name)?.address())).collect(),
            timeout: server.timeout,
            headers: server.headers.clone(),
            query: server.query.clone(),
            auth: server.auth.as_ref().map(Value::to_string),
            proxy: server.proxy.clone(),
            tls: server.tls_files.clone(),
            protocol: server.protocol,
            shows_secrets: server.secrets.are_shown(),
            namespace: places[0].namespace.clone(),
            path: places[0].path.clone(),
            is_secure,
            spoken: places[0].protocol,
            transport: packing.transport,
            compression: packing.compression,
            traces: packing.traces,
            seed: packing.seed,
            run: number,
        }
    }

    pub(super) fn encode(&self) -> Result<Vec<u8>, String> {
        postcard::to_stdvec(self).map_err(|error| format!("failed to pack the plan: {error}"))
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Package> {
        postcard::from_bytes(bytes).ok()
    }

    pub(super) fn source(&self) -> Source {
        Source { name: self.file.0.clone(), text: self.file.1.clone() }
    }

    /// The scenario, as the coordinator has read it.
    ///
    /// # Errors
    /// The report of what is wrong with it here.
    pub(super) fn scenario(&self) -> Result<Scenario, String> {
        let surroundings = Surroundings::of_record(self.outside.clone()).overriding(self.overrides.clone());
        let source = self.source();
        scenario::read(&source, &surroundings.with(self.timings)).map_err(|mistake| render(&mistake, &source))
    }

    /// All to which clients would connect, in words: the nodes of the server, and a proxy and links before them.
    pub(super) fn urls(&self) -> impl Iterator<Item = String> + '_ {
        let nodes = self.nodes.iter().map(|(_, endpoint)| endpoint.to_string());
        let links = self.links.iter().flatten().map(|link| format!("http://{link}"));
        nodes.chain(self.proxy.iter().map(Proxy::name)).chain(links)
    }

    /// Whether a coordinator can have made it: a server has nodes, and a link is open on the machine of its coordinator alone.
    pub(super) fn is_sound(&self) -> bool {
        !self.nodes.is_empty() && self.links.iter().flatten().all(|link| link.ip().is_loopback())
    }

    /// Leads the clients through the links.
    pub(super) fn lead(&self, places: &mut [Place]) {
        let led = places.iter_mut().zip(&self.links);
        led.for_each(|(place, link)| place.peer.address = link.unwrap_or(place.peer.address));
    }

    /// The names of the nodes.
    pub(super) fn node_names(&self) -> Vec<String> {
        self.nodes.iter().map(|(name, _)| name.clone()).collect()
    }

    /// The server, as it is reached.
    ///
    /// # Errors
    /// A sentence, when TLS cannot be set up.
    pub(super) fn server(&self) -> Result<ServerConfig, String> {
        let node = |(name, url): &(String, Endpoint)| NodeConfig {
            name: name.clone(),
            command: None,
            url: Some(url.clone()),
        };
        let secrets = if self.shows_secrets { Secrets::shown() } else { Secrets::hidden() };
        let auth = self.auth.as_ref().map(|text| serde_json::from_str(text)).transpose();
        let auth: Option<Value> = auth.map_err(|error| format!("failed to read --auth: {error}"))?;
        self.headers.iter().for_each(|(name, value)| secrets.note_header(name, value));
        self.query.iter().for_each(|(name, value)| secrets.note_parameter(name, value));
        auth.iter().for_each(|auth| secrets.note_auth(auth, true));
        Ok(ServerConfig {
            nodes: self.nodes.iter().map(node).collect(),
            arguments: Vec::new(),
            timeout: self.timeout,
            connect_timeout: self.timings.connect_timeout,
            upgrade_timeout: self.timings.upgrade_timeout,
            recovery: self.timings.recovery,
            tls: self.tls.config()?,
            tls_files: self.tls.clone(),
            proxy: self.proxy.clone(),
            headers: self.headers.clone(),
            query: self.query.clone(),
            auth,
            secrets,
            sources: Vec::new(),
            services: Vec::new(),
            path: None,
            protocol: self.protocol,
        })
    }
}

/// A number for each run of this process that no other has.
pub(super) fn number() -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};

    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(fastrand::u16(..)));
    NEXT.fetch_add(1, Ordering::Relaxed)
}
