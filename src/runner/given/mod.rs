//! A server as it is named: commands and urls, and how each is reached. What they mean together: the nodes of one server, or
//! several servers to be tested in turn.

mod nodes;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::server::Focus;
use super::{Error, NamedServer, NodeConfig, ServerConfig, Shown, TlsFiles, Trust, Ways};
use crate::protocol::dialect::Version;
use crate::scenario::{MOST_NODES, ServiceRule, Timings, services_in};
use crate::secrets::{HIDDEN, Secrets, is_secret_header, lets_in};
use crate::server::{Endpoint, Proxy, usual_name};
pub(crate) use nodes::NodeCounts;
use nodes::{GivenNode, name_of_server, nodes, repeated, split_name, urls};

/// Where the environment names a proxy, in capitals or not.
const PROXIES: [&str; 3] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

/// A server as it is named. Without command and url, it is the reference server.
#[derive(Clone, Debug)]
pub(crate) struct GivenServer {
    /// The commands that start it, each with a name before it or without.
    pub commands: Vec<String>,
    /// Where it runs, likewise.
    pub urls: Vec<String>,
    /// How often the command is started, as the nodes of one server.
    pub nodes: Option<u16>,
    /// With which numbers of nodes the server is looked at, one after the other.
    pub node_counts: Option<NodeCounts>,
    /// The path of Socket.IO.
    pub path: Option<String>,
    /// What the reference server does wrong.
    pub faults: Vec<String>,
    /// The file of the services that it needs.
    pub services: Option<PathBuf>,
    /// How long a server that is started may take until it answers.
    pub timeout: Duration,
    /// How long it lets a client take to join a namespace.
    pub connect_timeout: Duration,
    /// How long it lets a client take to finish an upgrade.
    pub upgrade_timeout: Duration,
    /// How long it remembers lost clients, where recovery is on.
    pub recovery: Duration,
    /// What every request brings, and through what it goes. An empty proxy is none, whatever the environment says.
    pub ways: Ways,
    /// The certificate that is shown to the server.
    pub shown: Option<Shown>,
    /// The addresses that clients connect from.
    pub sources: Vec<IpAddr>,
    /// The version of the protocol that is spoken, whatever else the server speaks.
    pub protocol: Option<Version>,
    /// What must not stand in any output.
    pub secrets: Secrets,
}

impl GivenServer {
    /// Checks what can be checked before anything is started, for one server. Each command and each url is
    /// a node of it.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what to do.
    pub(crate) fn one(&self) -> Result<ServerConfig, Error> {
        self.refuse_counts()?;
        let given = match (self.nodes, &self.commands[..], &self.urls[..]) {
            (Some(times), [], []) => vec![GivenNode::BUNDLED; usize::from(times)],
            (Some(times), [line], []) => repeated(line, times),
            (Some(_), [_], [_]) => {
                return Err(Error::because(
                    "the nodes of `--nodes` have ports of their own, and `--url` names one address: leave `--url` out, or, if \
                     a balancer listens there, let `--services` start the nodes and the balancer",
                ));
            }
            (Some(_), ..) => {
                return Err(Error::because(
                    "`--nodes` starts the command of one `--server` several times: give that alone, or name each node \
                     by `--server a=…` or `--url a=…` and leave `--nodes` out",
                ));
            }
            (None, commands, urls) => {
                let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
                nodes(commands, &urls).map_err(Error::because)?
            }
        };
        let config = self.server(&given).map_err(Error::because)?;
        Ok(ServerConfig { services: self.services()?, ..config })
    }

    /// The server with each of the numbers of nodes that are asked for; nothing if none are. Of nodes that run already, the
    /// first so many.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what to do.
    pub(crate) fn growing(&self) -> Result<Option<Vec<ServerConfig>>, Error> {
        let Some(counts) = self.node_counts else { return Ok(None) };
        let whole = GivenServer { node_counts: None, ..self.clone() };
        if self.urls.is_empty() {
            let with = |nodes: u16| GivenServer { nodes: Some(nodes), ..whole.clone() }.one();
            return counts.all().map(with).collect::<Result<Vec<_>, _>>().map(Some);
        }
        let server = whole.one()?;
        if server.nodes.len() < usize::from(counts.last) {
            let named = server.nodes.len();
            return Err(Error::because(format!(
                "`--nodes {counts}` needs {} nodes, and {named} are named: name more by `--url`",
                counts.last
            )));
        }
        let first = |nodes: u16| {
            let nodes = server.nodes.iter().take(usize::from(nodes)).cloned().collect();
            ServerConfig { nodes, ..server.clone() }
        };
        Ok(Some(counts.all().map(first).collect()))
    }

    /// Refuses several numbers of nodes where there can be one.
    fn refuse_counts(&self) -> Result<(), Error> {
        match self.node_counts {
            None => Ok(()),
            Some(counts) => Err(Error::because(format!(
                "`--nodes {counts}` is for `capacity`, which looks how a server grows: give one number of nodes"
            ))),
        }
    }

    /// The same for several servers that are tested in turn, each of which may have a name: `node='node server.js'`.
    /// A single command with a single url is one server, as everywhere.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what to do.
    pub(crate) fn each(&self) -> Result<Vec<NamedServer>, Error> {
        self.refuse_counts()?;
        let commands = self.commands.iter().map(|text| ("--server", split_name(text)));
        let given: Vec<_> =
            commands.chain(self.urls.iter().map(|text| ("--url", name_of_server(text)))).collect();
        let services = self.services()?;
        let server = |name: &str, nodes: &[GivenNode<'_>], words: &[&str]| {
            let config = self.server(nodes).map_err(Error::because)?;
            let config = ServerConfig { services: services.clone(), ..config };
            let words = words.iter().copied().map(str::to_owned).chain(self.flags()).collect();
            let focus = Focus::on_one_of(config.nodes.len());
            Ok(NamedServer { name: name.to_owned(), config, words, focus })
        };
        let mut servers: Vec<NamedServer> = Vec::new();
        match given[..] {
            [] => {
                let nodes = vec![GivenNode::BUNDLED; usize::from(self.nodes.unwrap_or(1))];
                servers.push(server("reference server", &nodes, &[])?);
            }
            [("--server", (None, line)), ("--url", (None, url))] if self.nodes.is_none() => {
                let node = GivenNode { name: None, command: Some(line), url: Some(url) };
                servers.push(server(line, &[node], &["--server", line, "--url", url])?);
            }
            _ => {
                if self.nodes.is_some() && !self.urls.is_empty() {
                    return Err(Error::because(
                        "`--nodes` starts the command of each `--server` several times: it goes with no `--url`, whose \
                         nodes stand in it with commas between them",
                    ));
                }
                for (flag, (name, what)) in given {
                    let nodes = match (flag, self.nodes) {
                        ("--server", times) => repeated(what, times.unwrap_or(1)),
                        _ => nodes(&[], &[what]).map_err(Error::because)?,
                    };
                    let name =
                        name.unwrap_or_else(|| urls(what).next().map_or(what, |url| split_name(url).1));
                    if servers.iter().any(|known| known.name == name) {
                        return Err(Error::because(format!(
                            "two servers are called `{name}`: write NAME='…' before one of them"
                        )));
                    }
                    servers.push(server(name, &nodes, &[flag, what])?);
                }
            }
        }
        Ok(servers)
    }

    /// The services of the file.
    fn services(&self) -> Result<Vec<ServiceRule>, Error> {
        let services = self.services.as_deref().map_or(Ok(Vec::new()), services_in).map_err(Error::wrong)?;
        services.iter().for_each(|service| self.secrets.note_command(&service.command));
        Ok(services)
    }

    /// Makes known what of this is secret. To be called before anything is printed.
    pub(crate) fn note_secrets(&self) {
        let secrets = &self.secrets;
        self.commands.iter().for_each(|line| secrets.note_command(line));
        let of_environment = PROXIES
            .into_iter()
            .flat_map(|name| [name.to_owned(), name.to_lowercase()])
            .filter_map(|name| std::env::var(name).ok());
        let named = |text: &'_ String| urls(text).map(|url| split_name(url).1.to_owned()).collect::<Vec<_>>();
        self.ways.note_secrets(self.urls.iter().flat_map(named).chain(of_environment), secrets);
    }

    /// The flags that say how to reach any server, for commands that are shown.
    fn flags(&self) -> Vec<String> {
        let unless = |is_secret: bool, value: &str| match is_secret && !self.secrets.are_shown() {
            true => HIDDEN.to_owned(),
            false => value.to_owned(),
        };
        let mut flags = Vec::new();
        let mut flag = |name: &str, value: String| flags.extend([name.to_owned(), value]);
        self.faults.iter().for_each(|fault| flag("--fault", fault.clone()));
        if let Trust::Authorities(file) = &self.ways.trust {
            flag("--ca-file", file.display().to_string());
        }
        if let Some(Shown { certificate, key }) = &self.shown {
            flag("--cert", certificate.display().to_string());
            key.iter().for_each(|file| flag("--key", file.display().to_string()));
        }
        self.ways.proxy.iter().for_each(|proxy| flag("--proxy", proxy.clone()));
        self.path.iter().for_each(|path| flag("--path", path.clone()));
        self.ways.headers.iter().for_each(|(name, value)| {
            flag("--header", format!("{name}: {}", unless(is_secret_header(name), value)))
        });
        self.ways
            .query
            .iter()
            .for_each(|(name, value)| flag("--query", format!("{name}={}", unless(lets_in(name), value))));
        self.ways.auth.iter().for_each(|auth| flag("--auth", unless(true, &auth.to_string())));
        self.sources.iter().for_each(|address| flag("--source", address.to_string()));
        self.services.iter().for_each(|file| flag("--services", file.display().to_string()));
        self.nodes.iter().for_each(|nodes| flag("--nodes", nodes.to_string()));
        self.protocol.iter().for_each(|version| flag("--protocol", version.number().to_string()));
        let usual = Timings::default();
        for (name, time, usual) in [
            ("--connect-timeout", self.connect_timeout, usual.connect_timeout),
            ("--upgrade-timeout", self.upgrade_timeout, usual.upgrade_timeout),
            ("--recovery-time", self.recovery, usual.recovery),
        ] {
            if time != usual {
                flag(name, format!("{}ms", time.as_millis()));
            }
        }
        if self.ways.trust == Trust::Any {
            flags.push("--insecure".to_owned());
        }
        flags
    }

    /// The proxy in between. A server that we start is on this machine: only the command line puts a proxy before it.
    fn proxy(&self, command: Option<&str>, url: Option<&Endpoint>) -> Result<Option<Proxy>, String> {
        let local = Endpoint::local(80);
        match (command, url) {
            (None, Some(url)) => {
                Proxy::towards(url, self.ways.proxy.as_deref(), &|name| std::env::var(name).ok())
            }
            _ => Proxy::towards(&local, self.ways.proxy.as_deref(), &|_| None),
        }
    }

    /// Where a node is, by what was typed.
    fn endpoint(&self, text: &str) -> Result<Endpoint, String> {
        let url = Endpoint::parse(text)
            .map_err(|error| format!("failed to {}", self.secrets.redact(&error.to_string())))?;
        match &self.path {
            Some(path) => url.at_path(path),
            None => Ok(url),
        }
    }

    /// The server of these nodes; without any, the reference server.
    fn server(&self, given: &[GivenNode<'_>]) -> Result<ServerConfig, String> {
        let mut nodes = Vec::new();
        for (index, node) in given.iter().enumerate() {
            let name = node.name.map_or_else(|| usual_name(index), str::to_owned);
            if nodes.iter().any(|known: &NodeConfig| known.name == name) {
                return Err(format!("two nodes are called `{name}`: write NAME= before one of them"));
            }
            let url = node.url.map(|text| self.endpoint(text)).transpose()?;
            nodes.push(NodeConfig { name, command: node.command.map(str::to_owned), url });
        }
        if nodes.len() > MOST_NODES {
            return Err(format!("{} nodes were given: a server can have {MOST_NODES}", nodes.len()));
        }
        if nodes.is_empty() {
            nodes.push(NodeConfig { name: usual_name(0), command: None, url: None });
        }
        if self.path.is_some() && nodes.iter().all(|node| node.url.is_none() && node.command.is_none()) {
            return Err("`--path` needs a `--url` or a `--server` whose path it is".to_owned());
        }
        let path = self.path.as_deref().map(|path| Endpoint::local(80).at_path(path)).transpose()?;
        let mut headers = self.ways.headers.clone();
        let credentials = |node: &NodeConfig| node.url.as_ref().and_then(|url| url.authorization.clone());
        if nodes.iter().any(|node| credentials(node) != credentials(&nodes[0])) {
            return Err("the urls of the nodes have different names and passwords: all clients send the same, so give \
                        each url the same, or use `--header`"
                .to_owned());
        }
        if let Some(credentials) = credentials(&nodes[0])
            && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
        {
            headers.push(("Authorization".to_owned(), credentials));
        }
        let proxy = self.proxy(nodes[0].command.as_deref(), nodes[0].url.as_ref())?;
        let faults = self.faults.iter().flat_map(|fault| ["--fault".to_owned(), fault.clone()]);
        let tls_files = TlsFiles::read(&self.ways.trust, self.shown.as_ref())?;
        Ok(ServerConfig {
            nodes,
            arguments: faults.collect(),
            services: Vec::new(),
            path: path.map(|place| place.path),
            timeout: self.timeout,
            connect_timeout: self.connect_timeout,
            upgrade_timeout: self.upgrade_timeout,
            recovery: self.recovery,
            tls: tls_files.config()?,
            tls_files,
            proxy,
            headers,
            query: self.ways.query.clone(),
            auth: self.ways.auth.clone(),
            secrets: self.secrets.clone(),
            sources: self.sources.clone(),
            protocol: self.protocol,
        })
    }
}
