//! The options that say which server to test, and what they mean.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use reference_server::Fault;
use serde_json::Value;

use super::duration;
use super::nodes::{GivenNode, nodes, repeated, urls};
use crate::protocol::dialect::Version;
use crate::runner::{
    Error, NamedServer, NodeConfig, ServerConfig, Shown, Trust, read_auth, read_header, read_parameter,
    split_name, tls,
};
use crate::scenario::{MOST_NODES, Timings};
use crate::secrets::{HIDDEN, Secrets, is_secret_header, lets_in};
use crate::server::{Endpoint, Proxy, usual_name};

use super::secrets::{decide, secrets};

/// Which server to test; without any of these, the reference server, started for the purpose
#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
pub(super) struct ServerArgs {
    /// Test the server that runs there: http, https, ws or wss. A path other than / is that of Socket.IO, or a
    /// namespace behind /socket.io/, whichever is there; a query is sent with the first look only. A server of several
    /// nodes has several URLs with commas between them, each with a name or without: a=http://…,b=http://…
    #[arg(long, value_name = "URL", env = "SOCKRATES_URL")]
    url: Vec<String>,
    /// The path of Socket.IO; a path in the url is then a namespace, as with the official client
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// Start this command (at the port in $PORT), test the server, stop it
    #[arg(long, value_name = "COMMAND")]
    server: Vec<String>,
    /// Start the command of --server so often, as the nodes a, b, … of one server, each with its name in $NODE, its port in
    /// $PORT, and the ports of all in $PORTS (3001,3002,…). Without --server, the reference server has so many nodes
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=MOST_NODES as i64))]
    nodes: Option<u16>,
    /// Break the reference server on purpose (see `sockrates serve --list-faults`)
    #[arg(long, value_name = "NAME", conflicts_with_all = ["url", "server"])]
    fault: Vec<Fault>,
    /// How long a server that is started may take until it answers
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    server_timeout: Duration,
    /// How long the server lets a client take to join a namespace: `${server.connect_timeout}` in scenarios
    #[arg(long, value_name = "TIME", default_value = "45s", value_parser = duration)]
    connect_timeout: Duration,
    /// How long the server lets a client take to finish an upgrade: `${server.upgrade_timeout}` in scenarios
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    upgrade_timeout: Duration,
    /// How long the server remembers lost clients, where recovery is on: `${server.recovery}` in scenarios
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration)]
    recovery_time: Duration,
    /// Trust the certificates in this PEM file, and those that they have signed, and no others
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Show the server this certificate (PEM); its key stands in the same file, or in that of --key
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// The key of the certificate of --cert (PEM, not encrypted)
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Go through this HTTP proxy: http://NAME:PASSWORD@HOST:PORT. Empty is none, whatever the environment says
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Accept any certificate
    #[arg(long, conflicts_with = "ca_file")]
    insecure: bool,
    /// Send this header with every request, in place of ours with that name; a scenario's own goes before it
    #[arg(long, value_name = "NAME: VALUE", value_parser = read_header)]
    header: Vec<(String, String)>,
    /// Send this query parameter with every handshake; a scenario's own with that name goes before it
    #[arg(long, value_name = "NAME=VALUE", value_parser = read_parameter)]
    query: Vec<(String, String)>,
    /// What clients send with CONNECT whose scenario says nothing of it: '{"token":"abc"}'
    #[arg(long, value_name = "JSON", value_parser = read_auth)]
    auth: Option<Value>,
    /// Show what is secret: tokens, passwords and cookies stand in no output otherwise
    #[arg(long)]
    show_secrets: bool,
    /// Connect from these addresses in turn (each gives some 28,000 ports)
    #[arg(long, value_name = "IP", value_delimiter = ',')]
    source: Vec<IpAddr>,
    /// The version of Engine.IO to speak, as in `EIO=`, where the scenario names none: 4 for Socket.IO 3 and 4, 3 for
    /// Socket.IO 1 and 2 [default: what the server speaks]
    #[arg(long, value_name = "VERSION", value_parser = protocol())]
    protocol: Option<Version>,
}

fn protocol() -> impl TypedValueParser<Value = Version> {
    PossibleValuesParser::new(["3", "4"]).map(|number| {
        Version::ALL.into_iter().find(|one| one.number().to_string() == number).unwrap_or(Version::V4)
    })
}

/// What of a url is secret: name and password, and parameters of its query. A url that is wrong may hold them, too.
fn note_url(text: &str, secrets: &Secrets) {
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let behind = whole.split_once("://").map_or("", |(_, rest)| rest);
    let host = behind.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some((credentials, _)) = host.rsplit_once('@') {
        secrets.note(credentials);
        secrets.note(credentials.split_once(':').map_or(credentials, |(_, password)| password));
    }
    let Ok(url) = url::Url::parse(&whole) else { return };
    if let Some(value) = crate::server::authorization(&url) {
        secrets.note_header("authorization", &value);
    }
    if let Some(password) = url.password() {
        secrets.note(&percent_encoding::percent_decode_str(password).decode_utf8_lossy());
    }
    url.query_pairs().for_each(|(name, value)| secrets.note_parameter(&name, &value));
}

impl ServerArgs {
    /// Checks what can be checked before anything is started, for a verb that tests one server. Each command and each url is
    /// a node of it.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what to do.
    pub(super) fn check(&self) -> Result<ServerConfig, Error> {
        let given = match (self.nodes, &self.server[..], &self.url[..]) {
            (Some(times), [], []) => vec![GivenNode::BUNDLED; usize::from(times)],
            (Some(times), [line], []) => repeated(line, times),
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
        self.server(&given).map_err(Error::because)
    }

    /// The same for a verb that tests several servers in turn, each of which may have a name: `node='node server.js'`.
    /// A single command with a single url is one server, as everywhere.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what to do.
    pub(super) fn check_each(&self) -> Result<Vec<NamedServer>, Error> {
        let commands = self.server.iter().map(|text| ("--server", split_name(text)));
        let given: Vec<_> = commands.chain(self.url.iter().map(|text| ("--url", split_name(text)))).collect();
        let server = |name: &str, nodes: &[GivenNode<'_>], words: &[&str]| {
            let config = self.server(nodes).map_err(Error::because)?;
            let words = words.iter().copied().map(str::to_owned).chain(self.flags()).collect();
            Ok(NamedServer { name: name.to_owned(), config, words })
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
                if self.nodes.is_some() && !self.url.is_empty() {
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
                    let name = name.unwrap_or(what);
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

    /// Makes known what of these options is secret. To be called before anything is printed.
    pub(super) fn note_secrets(&self) -> Secrets {
        let secrets = decide(self.show_secrets);
        self.header.iter().for_each(|(name, value)| secrets.note_header(name, value));
        self.query.iter().for_each(|(name, value)| secrets.note_parameter(name, value));
        self.auth.iter().for_each(|auth| secrets.note_auth(auth, true));
        self.server.iter().for_each(|line| secrets.note_command(line));
        let proxies =
            ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].map(|name| [name.to_owned(), name.to_lowercase()]);
        let of_environment = proxies.into_iter().flatten().filter_map(|name| std::env::var(name).ok());
        let named = |text: &'_ String| urls(text).map(|url| split_name(url).1.to_owned()).collect::<Vec<_>>();
        for url in self.url.iter().flat_map(named).chain(self.proxy.clone()).chain(of_environment) {
            note_url(&url, &secrets);
        }
        secrets
    }

    /// The flags that say how to reach any server, as they were given.
    fn flags(&self) -> Vec<String> {
        let is_shown = secrets().are_shown();
        let unless = |is_secret: bool, value: &str| match is_secret && !is_shown {
            true => HIDDEN.to_owned(),
            false => value.to_owned(),
        };
        let mut flags = Vec::new();
        let mut flag = |name: &str, value: String| flags.extend([name.to_owned(), value]);
        self.fault.iter().for_each(|fault| flag("--fault", fault.to_string()));
        if let Some(file) = &self.ca_file {
            flag("--ca-file", file.display().to_string());
        }
        self.cert.iter().for_each(|file| flag("--cert", file.display().to_string()));
        self.key.iter().for_each(|file| flag("--key", file.display().to_string()));
        self.proxy.iter().for_each(|proxy| flag("--proxy", proxy.clone()));
        self.path.iter().for_each(|path| flag("--path", path.clone()));
        self.header.iter().for_each(|(name, value)| {
            flag("--header", format!("{name}: {}", unless(is_secret_header(name), value)))
        });
        self.query
            .iter()
            .for_each(|(name, value)| flag("--query", format!("{name}={}", unless(lets_in(name), value))));
        self.auth.iter().for_each(|auth| flag("--auth", unless(true, &auth.to_string())));
        self.source.iter().for_each(|address| flag("--source", address.to_string()));
        self.nodes.iter().for_each(|nodes| flag("--nodes", nodes.to_string()));
        if let Some(version) = self.protocol {
            flags.extend(["--protocol".to_owned(), version.number().to_string()]);
        }
        if self.insecure {
            flags.push("--insecure".to_owned());
        }
        for (name, time, usual) in [
            ("--connect-timeout", self.connect_timeout, Timings::default().connect_timeout),
            ("--upgrade-timeout", self.upgrade_timeout, Timings::default().upgrade_timeout),
            ("--recovery-time", self.recovery_time, Timings::default().recovery),
        ] {
            if time != usual {
                flags.extend([name.to_owned(), format!("{}ms", time.as_millis())]);
            }
        }
        flags
    }

    /// The proxy in between. A server that we start is on this machine: only the command line puts a proxy before it.
    fn proxy(&self, command: Option<&str>, url: Option<&Endpoint>) -> Result<Option<Proxy>, String> {
        let local = Endpoint::local(80);
        match (command, url) {
            (None, Some(url)) => Proxy::towards(url, self.proxy.as_deref(), &|name| std::env::var(name).ok()),
            _ => Proxy::towards(&local, self.proxy.as_deref(), &|_| None),
        }
    }

    /// Where a node is, by what was typed.
    fn endpoint(&self, text: &str) -> Result<Endpoint, String> {
        let url = Endpoint::parse(text).map_err(|error| format!("failed to {error}"))?;
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
        if self.path.is_some() && nodes.iter().all(|node| node.url.is_none()) {
            return Err("`--path` needs a `--url` whose path it is".to_owned());
        }
        let mut headers = self.header.clone();
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
        let trust = match &self.ca_file {
            _ if self.insecure => Trust::Any,
            None => Trust::Usual,
            Some(file) => Trust::Authorities(file.clone()),
        };
        let shown = self.cert.clone().map(|certificate| Shown { certificate, key: self.key.clone() });
        let proxy = self.proxy(nodes[0].command.as_deref(), nodes[0].url.as_ref())?;
        let faults = self.fault.iter().flat_map(|fault| ["--fault".to_owned(), fault.to_string()]);
        Ok(ServerConfig {
            nodes,
            arguments: faults.collect(),
            timeout: self.server_timeout,
            connect_timeout: self.connect_timeout,
            upgrade_timeout: self.upgrade_timeout,
            recovery: self.recovery_time,
            tls: tls(&trust, shown.as_ref())?,
            proxy,
            headers,
            query: self.query.clone(),
            auth: self.auth.clone(),
            secrets: self.note_secrets(),
            sources: self.source.clone(),
            protocol: self.protocol,
        })
    }
}
