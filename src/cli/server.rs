//! The options that say which server to test, and how it is reached, also by what only looks or passes on.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use reference_server::Fault;
use serde_json::Value;

use super::secrets::decide;
use crate::protocol::dialect::Version;
use crate::runner::{GivenServer, NodeCounts, Shown, Trust, Ways, read_auth, read_header, read_parameter};
use crate::units::duration_from;

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
    #[arg(long, value_name = "NUMBER")]
    nodes: Option<NodeCounts>,
    /// Start the services in this file before the nodes, and stop them afterwards: what the server needs beside them, such as a
    /// broker or a database, in YAML: `services: { redis: redis-server --port $PORT }`. Commands find it at $SERVICE_REDIS
    #[arg(long, value_name = "FILE")]
    services: Option<PathBuf>,
    /// Break the reference server on purpose (see `sockrates serve --list-faults`)
    #[arg(long, value_name = "NAME", conflicts_with_all = ["url", "server"])]
    fault: Vec<Fault>,
    /// How long a server that is started may take until it answers
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration_from)]
    server_timeout: Duration,
    /// How long the server lets a client take to join a namespace: `${server.connect_timeout}` in scenarios
    #[arg(long, value_name = "TIME", default_value = "45s", value_parser = duration_from)]
    connect_timeout: Duration,
    /// How long the server lets a client take to finish an upgrade: `${server.upgrade_timeout}` in scenarios
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration_from)]
    upgrade_timeout: Duration,
    /// How long the server remembers lost clients, where recovery is on: `${server.recovery}` in scenarios
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration_from)]
    recovery_time: Duration,
    #[command(flatten)]
    ways: WayArgs,
    /// Show the server this certificate (PEM); its key stands in the same file, or in that of --key
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// The key of the certificate of --cert (PEM, not encrypted)
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
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

impl ServerArgs {
    /// The server as it is named. What of it is secret is known from here on.
    pub(super) fn given(&self) -> GivenServer {
        let given = GivenServer {
            commands: self.server.clone(),
            urls: self.url.clone(),
            nodes: self.nodes.and_then(NodeCounts::single),
            node_counts: self.nodes.filter(|counts| counts.single().is_none()),
            path: self.path.clone(),
            faults: self.fault.iter().map(Fault::to_string).collect(),
            services: self.services.clone(),
            timeout: self.server_timeout,
            connect_timeout: self.connect_timeout,
            upgrade_timeout: self.upgrade_timeout,
            recovery: self.recovery_time,
            ways: Ways { query: self.query.clone(), auth: self.auth.clone(), ..self.ways.given() },
            shown: self.cert.clone().map(|certificate| Shown { certificate, key: self.key.clone() }),
            sources: self.source.clone(),
            protocol: self.protocol,
            secrets: decide(self.show_secrets),
        };
        given.note_secrets();
        given
    }
}

/// How the server is reached
#[derive(Debug, Args)]
pub(super) struct WayArgs {
    /// Send this header with every request, in place of one with that name; a scenario's own goes before it
    #[arg(long, value_name = "NAME: VALUE", value_parser = read_header)]
    header: Vec<(String, String)>,
    /// Go through this HTTP proxy: http://NAME:PASSWORD@HOST:PORT. Empty is none, whatever the environment says
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Trust the certificates in this PEM file, and those that they have signed, and no others
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Accept any certificate
    #[arg(long, conflicts_with = "ca_file")]
    insecure: bool,
}

impl WayArgs {
    /// What they say.
    pub(super) fn given(&self) -> Ways {
        Ways {
            headers: self.header.clone(),
            proxy: self.proxy.clone(),
            trust: match &self.ca_file {
                _ if self.insecure => Trust::Any,
                Some(file) => Trust::Authorities(file.clone()),
                None => Trust::Usual,
            },
            ..Ways::default()
        }
    }
}
