//! Which server is tested: where it is or how it is started, and how it is reached.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde_json::Value;

use super::TlsFiles;
use crate::observe::Who;
use crate::plan::{Plan, RunOptions};
use crate::protocol::deflate;
use crate::protocol::dialect::{Parser, Version};
use crate::protocol::http::{Request, write_request};
use crate::report::result::{NodeInfo, TargetInfo, TargetKind};
use crate::scenario::{Need, Scenario, ServiceRule, Timings};
use crate::secrets::Secrets;
use crate::server::{BUS, Endpoint, Found, Manner, Node, Nodes, Probing, Proxy, Running, Starting, Target};
use crate::step::Actor;
use crate::transport::{MAX_MESSAGE, RemoteConfig};

/// A heartbeat outside of these bounds is a mistake of the server's or a lie.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// So is a payload larger than this: 1 TiB.
const MOST: u64 = 1 << 40;

/// With this, the reference server speaks the version before, too.
const ALLOW_OLDER: &str = "--allow-eio3";

/// In so many manners a server is asked that lets nobody in.
const MOST_MANNERS: usize = 4;

/// A node of a server under test. Without command and url, it is the reference server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NodeConfig {
    /// Its name: the user's, else a letter.
    pub name: String,
    /// The command that starts it.
    pub command: Option<String>,
    /// Where it runs, or will run once it is started.
    pub url: Option<Endpoint>,
}

/// A server under test.
#[derive(Clone, Debug)]
pub(crate) struct ServerConfig {
    /// Its nodes, at least one.
    pub nodes: Vec<NodeConfig>,
    /// What the reference server is started with.
    pub arguments: Vec<String>,
    /// The services that the user gives.
    pub services: Vec<ServiceRule>,
    /// The path at which those answer that are started, if the user says so.
    pub path: Option<String>,
    /// How long a server that is started may take until it answers.
    pub timeout: Duration,
    /// How long it lets a client take to join a namespace.
    pub connect_timeout: Duration,
    /// How long it lets a client take to finish an upgrade.
    pub upgrade_timeout: Duration,
    /// How long it remembers lost clients, where recovery is on.
    pub recovery: Duration,
    /// How TLS is spoken, where the url asks for it.
    pub tls: Arc<ClientConfig>,
    /// What that is made of.
    pub tls_files: TlsFiles,
    /// The proxy in between.
    pub proxy: Option<Proxy>,
    /// Headers for every request.
    pub headers: Vec<(String, String)>,
    /// Query parameters for every request.
    pub query: Vec<(String, String)>,
    /// What clients send with `CONNECT` whose scenario says nothing of it.
    pub auth: Option<Value>,
    /// What must not stand in any output.
    pub secrets: Secrets,
    /// The addresses that clients connect from, in turn; none leaves it to the operating system.
    pub sources: Vec<IpAddr>,
    /// The version of the protocol that is spoken, whatever else the server speaks. None leaves it to the server.
    pub protocol: Option<Version>,
}

/// One of several servers, with its name.
#[derive(Clone, Debug)]
pub(crate) struct NamedServer {
    /// Its name: the user's, else what it is started or found by.
    pub name: String,
    /// The server.
    pub config: ServerConfig,
    /// The words of a command line that mean this server, for commands that are shown to the user.
    pub words: Vec<String>,
    /// What of it a suite looks at.
    pub focus: Focus,
}

/// What of a server a suite looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Focus {
    /// It has one node.
    Single,
    /// One of its nodes, by its place among those that are there: all clients connect to it.
    Node(usize),
    /// All of its nodes together.
    All,
}

impl Focus {
    /// What is looked at of a server with so many nodes where one of them has to do.
    pub(super) fn on_one_of(nodes: usize) -> Focus {
        if nodes == 1 { Focus::Single } else { Focus::Node(0) }
    }

    /// Whether a case is played there, which needs several nodes or does not.
    pub(super) fn plays(self, spans_nodes: bool) -> bool {
        match self {
            Focus::Single => true,
            Focus::Node(_) => !spans_nodes,
            Focus::All => spans_nodes,
        }
    }

    /// The places of the nodes to which clients connect, of so many.
    pub(super) fn places(self, nodes: usize) -> Range<usize> {
        match self {
            Focus::Node(place) => place..place + 1,
            Focus::Single | Focus::All => 0..nodes,
        }
    }
}

impl NamedServer {
    /// Each server as a suite looks at it: where it has several nodes, each of them alone, and then all together.
    pub(crate) fn by_node(servers: Vec<NamedServer>) -> Vec<NamedServer> {
        servers.into_iter().flat_map(NamedServer::parts).collect()
    }

    fn parts(self) -> Vec<NamedServer> {
        if self.config.nodes.len() == 1 {
            return vec![self];
        }
        let node = |(place, node): (usize, &NodeConfig)| {
            let name = format!("{} node {}", self.name, node.name);
            match (&node.command, &node.url) {
                // One that runs needs no other for that.
                (None, Some(url)) => NamedServer {
                    name,
                    config: ServerConfig { nodes: vec![node.clone()], ..self.config.clone() },
                    words: [
                        vec!["--url".to_owned(), url.to_string()],
                        self.words.iter().skip(2).cloned().collect(),
                    ]
                    .concat(),
                    focus: Focus::Node(0),
                },
                _ => NamedServer { name, focus: Focus::Node(place), ..self.clone() },
            }
        };
        let all = NamedServer { name: format!("{} all nodes", self.name), focus: Focus::All, ..self.clone() };
        self.config.nodes.iter().enumerate().map(node).chain([all]).collect()
    }
}

/// Where a server that runs is reached.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) peer: RemoteConfig,
    /// Where the server itself is; clients may go there through a link.
    pub(super) address: SocketAddr,
    pub(super) path: String,
    /// The version of the protocol that the server speaks.
    pub(super) protocol: Version,
    /// The namespace that the url names.
    pub(super) namespace: Option<String>,
}

impl ServerConfig {
    /// Which nodes a scenario is run against, each with its name.
    pub(super) fn targets(&self, scenario: &Scenario) -> Vec<(String, Target)> {
        let recovery = scenario.needs.contains(&Need::Recovery);
        let older = scenario.groups.iter().any(|group| group.protocol == Some(Version::V3));
        let msgpack = scenario.groups.iter().any(|group| group.parser == Some(Parser::Msgpack));
        let flags = [
            ("--recovery", recovery),
            (ALLOW_OLDER, older && self.protocol != Some(Version::V3)),
            ("--parser=msgpack", msgpack),
        ];
        let arguments: Vec<String> =
            flags.into_iter().filter(|(_, wanted)| *wanted).map(|(flag, _)| flag.to_owned()).collect();
        self.targets_with(&arguments)
    }

    /// Which nodes it has, each with its name; the reference server gets these arguments beside its own.
    pub(super) fn targets_with(&self, arguments: &[String]) -> Vec<(String, Target)> {
        self.nodes.iter().map(|node| (node.name.clone(), self.target(node, arguments))).collect()
    }

    fn target(&self, node: &NodeConfig, arguments: &[String]) -> Target {
        match (&node.command, &node.url) {
            (Some(line), url) => {
                Target::Command { line: line.clone(), url: url.clone(), node: None, environment: Vec::new() }
            }
            (None, Some(url)) => Target::Url(url.clone()),
            (None, None) => {
                let older = (self.protocol == Some(Version::V3)).then(|| ALLOW_OLDER.to_owned());
                let args = self.arguments.iter().chain(arguments).cloned().chain(older).collect();
                Target::Bundled { args }
            }
        }
    }

    /// Whether it runs already, so that it is never a fresh one.
    pub(super) fn is_found(&self) -> bool {
        self.missing().kind == TargetKind::Url
    }

    /// The server, for a result that says that it is not there.
    pub(crate) fn missing(&self) -> TargetInfo {
        let url = |node: &NodeConfig| node.url.as_ref().map(ToString::to_string).unwrap_or_default();
        let first = &self.nodes[0];
        let kind = match (&first.command, &first.url) {
            (Some(_), _) => TargetKind::Command,
            (None, Some(_)) => TargetKind::Url,
            (None, None) => TargetKind::Bundled,
        };
        let node = |node: &NodeConfig| NodeInfo {
            name: node.name.clone(),
            url: url(node),
            command: node.command.clone(),
        };
        let nodes = if self.nodes.len() > 1 { self.nodes.iter().map(node).collect() } else { Vec::new() };
        TargetInfo { nodes, ..TargetInfo::missing(kind, url(first), first.command.clone()) }
    }

    /// Refuses a link that leads nowhere.
    ///
    /// # Errors
    /// A sentence that says where it could lead.
    pub(super) fn check_links(&self, scenario: &Scenario, services: &[ServiceRule]) -> Result<(), String> {
        let is_there = |to: &str| {
            to.contains(':')
                || self.nodes.iter().any(|node| node.name == to)
                || services.iter().any(|service| service.name == to)
                || (self.is_joined() && to == BUS)
        };
        match scenario.links.iter().find(|link| !is_there(&link.to)) {
            None => Ok(()),
            Some(link) => Err(format!(
                "the link {} leads to `{}`, which is no node of the server and no service: write host and port, like \
                 `127.0.0.1:6379`, or the name of one",
                link.name, link.to
            )),
        }
    }

    /// How it is started and looked for, in these manners.
    pub(super) fn starting(&self, manners: Vec<Manner>, cancelled: Arc<AtomicBool>) -> Starting {
        let patience = if self.services.is_empty() { Duration::ZERO } else { self.timeout };
        let probing = self.probing(manners);
        let path = self.path.clone();
        Starting { timeout: self.timeout, probing, patience, path, cancelled, ..Starting::default() }
    }

    /// How it is looked for, in these manners.
    pub(super) fn probing(&self, manners: Vec<Manner>) -> Probing {
        let (tls, proxy) = (Some(self.tls.clone()), self.proxy.clone());
        Probing { tls, proxy, manners, version: self.protocol, ..Probing::default() }
    }

    /// What the command line says that every handshake brings.
    pub(super) fn manner(&self) -> Manner {
        Manner { headers: self.headers.clone(), query: self.query.clone() }
    }

    /// What the handshakes of a scenario's clients bring, each once: what the first two clients of a group have in
    /// common, so that nothing is used up that is for one client alone.
    pub(super) fn manners(&self, scenario: &Scenario) -> Vec<Manner> {
        let options = RunOptions {
            nodes: self.nodes.iter().map(|node| node.name.clone()).collect(),
            origins: self
                .nodes
                .iter()
                .map(|node| node.url.as_ref().map(Endpoint::origin))
                .collect::<Option<_>>()
                .unwrap_or_default(),
            headers: self.headers.clone(),
            query: self.query.clone(),
            secrets: self.secrets.clone(),
            ..RunOptions::usual(Instant::now())
        };
        let plan = Plan::new(scenario, options);
        let mut manners: Vec<Manner> = Vec::new();
        for (index, group) in plan.parts.iter().enumerate().filter(|(_, group)| group.rows.is_empty()) {
            let of = |n: u32| {
                let who = Who { group: index as u32, n, index: n };
                let destination = Actor::new(who, group, &plan.context).ok()?.destination(&[], &[]).ok()?;
                let query = url::form_urlencoded::parse(destination.query.as_bytes()).into_owned().collect();
                Some(Manner { headers: destination.headers, query })
            };
            let Some(mut manner) = of(0) else { continue };
            if let Some(other) = of(1).filter(|_| group.count > 1) {
                manner.headers.retain(|header| other.headers.contains(header));
                manner.query.retain(|pair| other.query.contains(pair));
            }
            manner.query.retain(|(name, _)| !matches!(name.as_str(), "EIO" | "transport" | "sid"));
            if !manners.contains(&manner) && manners.len() < MOST_MANNERS {
                manners.push(manner);
            }
        }
        if manners.is_empty() {
            manners.push(self.manner());
        }
        manners
    }

    /// What scenarios may know of the server: what its handshake says, where that makes sense, and what only the user
    /// can tell.
    pub(super) fn timings(&self, found: &Found) -> Timings {
        let usual = Timings::default();
        let time = |told: Option<Duration>| told.filter(|time| (SHORTEST..=LONGEST).contains(time));
        Timings {
            interval: time(found.ping_interval).unwrap_or(usual.interval),
            timeout: time(found.ping_timeout).unwrap_or(usual.timeout),
            max_payload: found
                .max_payload
                .filter(|bytes| (1..=MOST).contains(bytes))
                .unwrap_or(usual.max_payload),
            connect_timeout: self.connect_timeout,
            upgrade_timeout: self.upgrade_timeout,
            recovery: self.recovery,
        }
    }

    /// Where each node of a server that runs is reached.
    ///
    /// # Errors
    /// A sentence, when a source address does not fit a node's, or the nodes have different paths.
    pub(super) fn places(&self, nodes: &Nodes) -> Result<Vec<Place>, String> {
        let linked = |node: &Node| {
            let mut place = self.place(&node.running)?;
            if let Some(link) = nodes.link_to(&node.name) {
                place.peer.address = link.address();
            }
            Ok(place)
        };
        let places: Vec<Place> = nodes.iter().map(linked).collect::<Result<_, String>>()?;
        let of = |place: &Place| (place.path.clone(), place.namespace.clone());
        let names = nodes.iter().map(|node| &node.name);
        match names.zip(&places).find(|(_, place)| of(place) != of(&places[0])) {
            None => Ok(places),
            Some((name, place)) => Err(format!(
                "the nodes have different paths: node {} is at {}, and node {name} at {}; the clients of a run use one",
                self.nodes[0].name, places[0].path, place.path
            )),
        }
    }

    /// Where a server that runs is reached.
    ///
    /// # Errors
    /// A sentence, when a source address does not fit the server's.
    pub(super) fn place(&self, running: &Running) -> Result<Place, String> {
        let endpoint = running.endpoint();
        let address = running.found().address;
        if let Some(source) = self.sources.iter().find(|source| source.is_ipv4() != address.is_ipv4()) {
            return Err(format!(
                "the source address {source} cannot reach {address}: one is IPv4, the other IPv6"
            ));
        }
        let tls = match endpoint.secure {
            false => None,
            true => {
                let name = ServerName::try_from(endpoint.host.clone())
                    .map_err(|_| format!("`{}` cannot be the name in a certificate", endpoint.host))?;
                Some((self.tls.clone(), name))
            }
        };
        let peer = RemoteConfig {
            address,
            tunnel: self.proxy.as_ref().map(|proxy| Arc::new(proxy.tunnel(endpoint))),
            authority: endpoint.authority(),
            tls,
            sources: self.sources.clone(),
            turn: Arc::new(AtomicUsize::new(0)),
            closes_early: Arc::default(),
            limit: MAX_MESSAGE,
        };
        let protocol = running.found().version;
        Ok(Place {
            peer,
            address,
            path: endpoint.path.clone(),
            protocol,
            namespace: endpoint.namespace.clone(),
        })
    }
}

/// Whether clients and server share a machine, as far as addresses tell: behind a proxy, they do not, and behind a link its
/// target counts.
pub(super) fn is_local(place: &Place) -> bool {
    place.peer.tunnel.is_none() && place.address.ip().is_loopback()
}

/// Reads a header for every request: `Authorization: Bearer abc`.
///
/// # Errors
/// Why it cannot be sent.
pub(crate) fn read_header(text: &str) -> Result<(String, String), String> {
    let (name, value) = match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => (name.trim(), value.trim()),
        _ => return Err("write it like `Authorization: Bearer abc`".to_owned()),
    };
    if name.eq_ignore_ascii_case(deflate::HEADER) {
        return Err(format!("`{name}` is sent by sockrates itself: use `--compression`"));
    }
    let request = Request { method: "GET", target: "/", headers: &[(name, value)], body: None };
    write_request(&mut Vec::new(), &request).map_err(|refused| format!("cannot {refused}"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Reads a query parameter for every handshake: `token=abc`.
///
/// # Errors
/// Why it cannot be sent.
pub(crate) fn read_parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name @ ("EIO" | "transport" | "sid"), _)) => {
            Err(format!("sockrates sets `{name}` itself; leave it out"))
        }
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it like `token=abc`".to_owned()),
    }
}

/// Reads what clients send with `CONNECT`: a JSON object.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn read_auth(text: &str) -> Result<Value, String> {
    let example = r#"write a JSON object, like '{"token":"abc"}'"#;
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(Value::Object(fields)),
        Ok(_) => Err(format!("that is no object; {example}")),
        Err(error) => Err(format!("{error}; {example}")),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::runner::Trust;

    /// The reference server, as it is usually reached.
    pub(in crate::runner) fn usual() -> ServerConfig {
        let usual = Timings::default();
        let tls_files = TlsFiles::read(&Trust::Any, None).expect("nothing is read");
        ServerConfig {
            nodes: vec![NodeConfig { name: "a".to_owned(), command: None, url: None }],
            arguments: Vec::new(),
            services: Vec::new(),
            path: None,
            timeout: Duration::from_secs(30),
            connect_timeout: usual.connect_timeout,
            upgrade_timeout: usual.upgrade_timeout,
            recovery: usual.recovery,
            tls: tls_files.config().expect("there is no file"),
            tls_files,
            proxy: None,
            headers: Vec::new(),
            query: Vec::new(),
            auth: None,
            secrets: Secrets::default(),
            sources: Vec::new(),
            protocol: None,
        }
    }

    fn timings(interval: Option<u64>, max_payload: Option<u64>) -> Timings {
        let found = Found {
            endpoint: Endpoint::local(80),
            is_refusal: false,
            notes: Vec::new(),
            address: ([127, 0, 0, 1], 80).into(),
            version: Version::V4,
            polling: true,
            ping_interval: interval.map(Duration::from_millis),
            ping_timeout: Some(Duration::from_millis(200)),
            max_payload,
            software: None,
        };
        let (connect_timeout, recovery) = (Duration::from_secs(1), Duration::from_secs(2));
        ServerConfig { connect_timeout, recovery, ..usual() }.timings(&found)
    }

    #[test]
    fn scenarios_know_what_the_handshake_and_the_user_say() {
        let wanted = Timings {
            interval: Duration::from_millis(300),
            timeout: Duration::from_millis(200),
            max_payload: 5000,
            connect_timeout: Duration::from_secs(1),
            upgrade_timeout: Duration::from_secs(10),
            recovery: Duration::from_secs(2),
        };
        assert_eq!(timings(Some(300), Some(5000)), wanted);
    }

    #[test]
    fn nonsense_in_a_handshake_is_not_believed() {
        let usual = Timings::default();
        for (interval, max_payload) in [(None, None), (Some(0), Some(0)), (Some(u64::MAX), Some(u64::MAX))] {
            let timings = timings(interval, max_payload);
            assert_eq!((timings.interval, timings.max_payload), (usual.interval, usual.max_payload));
        }
    }

    #[test]
    fn a_command_is_started_even_where_a_url_says_where_it_listens() {
        let url = Endpoint::parse("http://localhost:3000").ok();
        let with = |arguments: &[&str]| arguments.iter().map(ToString::to_string).collect::<Vec<_>>();
        let server = ServerConfig { arguments: with(&["--fault", "ack-twice"]), ..usual() };
        let args = with(&["--fault", "ack-twice", "--recovery"]);
        let first =
            |server: &ServerConfig, arguments: &[&str]| server.targets_with(&with(arguments)).remove(0).1;
        assert_eq!(first(&server, &["--recovery"]), Target::Bundled { args });
        let node = NodeConfig { name: "a".to_owned(), command: None, url: url.clone() };
        let found = ServerConfig { nodes: vec![node.clone()], ..usual() };
        assert!(matches!(first(&found, &[]), Target::Url(_)));
        assert!(found.is_found());
        let line = "node server.js".to_owned();
        let started =
            ServerConfig { nodes: vec![NodeConfig { command: Some(line.clone()), ..node }], ..found };
        assert_eq!(first(&started, &[]), Target::Command { line, url, node: None, environment: Vec::new() });
        assert!(!started.is_found());
    }

    #[test]
    fn each_of_several_nodes_is_looked_at_alone_and_then_all_together() {
        let server = |command: Option<&str>, url: Option<&str>| {
            let node = |name: &str| NodeConfig {
                name: name.to_owned(),
                command: command.map(str::to_owned),
                url: url.and_then(|url| Endpoint::parse(url).ok()),
            };
            let config = ServerConfig { nodes: ["a", "b"].map(node).to_vec(), ..usual() };
            let words = ["--url", "of both", "--insecure"].map(str::to_owned).to_vec();
            NamedServer { name: "mine".to_owned(), config, words, focus: Focus::Node(0) }
        };
        let told = |server: NamedServer| {
            let told = |part: &NamedServer| (part.name.clone(), part.focus, part.config.nodes.len());
            NamedServer::by_node(vec![server]).iter().map(told).collect::<Vec<_>>()
        };
        let names = ["mine node a", "mine node b", "mine all nodes"].map(str::to_owned);
        let [a, b, all] = names.clone();
        let started = [(a, Focus::Node(0), 2), (b, Focus::Node(1), 2), (all, Focus::All, 2)];
        assert_eq!(told(server(Some("node app.js"), None)), started);
        let [a, b, all] = names;
        let found = [(a, Focus::Node(0), 1), (b, Focus::Node(0), 1), (all, Focus::All, 2)];
        assert_eq!(told(server(None, Some("http://localhost:3000"))), found, "it needs no other that runs");
        let words = NamedServer::by_node(vec![server(None, Some("http://localhost:3000"))]).remove(1).words;
        assert_eq!(words, ["--url", "http://localhost:3000/socket.io/", "--insecure"]);
        let single = ServerConfig { nodes: usual().nodes, ..usual() };
        let single = NamedServer { config: single, focus: Focus::Single, ..server(None, None) };
        assert_eq!(told(single), [("mine".to_owned(), Focus::Single, 1)]);
    }

    #[test]
    fn a_case_is_played_on_each_node_or_on_all_together_and_a_single_one_skips_what_needs_several() {
        let plays = |focus: Focus| [false, true].map(|spans_nodes| focus.plays(spans_nodes));
        assert_eq!(plays(Focus::Single), [true, true]);
        assert_eq!(plays(Focus::Node(1)), [true, false]);
        assert_eq!(plays(Focus::All), [false, true]);
        assert_eq!((Focus::Node(1).places(3), Focus::All.places(3)), (1..2, 0..3));
    }

    #[test]
    fn a_header_that_would_change_the_request_is_refused() {
        let header = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(read_header("Authorization: Bearer a:b "), header("Authorization", "Bearer a:b"));
        for wrong in ["", "Authorization", ": x", "A: b\r\nC: d"] {
            assert!(read_header(wrong).is_err(), "{wrong:?}");
        }
    }
}
