//! The options that say which server to test, and what they mean.

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::Duration;

use clap::Args;
use reference_server::Fault;
use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};

use super::duration;
use crate::protocol::http::{Request, write_request};
use crate::report::result::{TargetInfo, TargetKind};
use crate::scenario::{Need, Scenario, Timings};
use crate::server::{Endpoint, Found, Probing, Running, Starting, Target};
use crate::transport::{self, MAX_MESSAGE, RemoteConfig};

/// Which server to test; without any of these, the reference server, started for the purpose
#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
pub struct ServerArgs {
    /// Test the server that runs there: http, https, ws or wss; a path other than / replaces /socket.io/
    #[arg(long, value_name = "URL", env = "SOCKRATES_URL")]
    url: Vec<String>,
    /// Start this command (at the port in $PORT), test the server, stop it
    #[arg(long, value_name = "COMMAND")]
    server: Vec<String>,
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
    /// Trust the certificate authorities in this PEM file, and no others
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// Accept any certificate
    #[arg(long, conflicts_with = "ca_file")]
    insecure: bool,
    /// Send this header with every request
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    header: Vec<(String, String)>,
    /// Connect from these addresses in turn (each gives some 28,000 ports)
    #[arg(long, value_name = "IP", value_delimiter = ',')]
    source: Vec<IpAddr>,
}

/// A heartbeat outside of these bounds is a mistake of the server's or a lie.
const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// So is a payload larger than this: 1 TiB.
const MOST: u64 = 1 << 40;

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => (name.trim(), value.trim()),
        _ => return Err("write it like `Authorization: Bearer abc`".to_owned()),
    };
    let request = Request { method: "GET", target: "/", headers: &[(name, value)], body: None };
    write_request(&mut Vec::new(), &request).map_err(|refused| format!("cannot {refused}"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// The options after their check.
#[derive(Debug)]
pub struct Server<'a> {
    args: &'a ServerArgs,
    line: Option<&'a str>,
    url: Option<Endpoint>,
    tls: Arc<ClientConfig>,
}

/// A server of several, and how it is called beside them.
#[derive(Debug)]
pub struct Named<'a> {
    /// Its name: the user's, else what it is started or found by.
    pub name: String,
    /// The server.
    pub server: Server<'a>,
    /// The flags that mean this server alone.
    pub flags: Vec<String>,
}

impl ServerArgs {
    /// Checks what can be checked before anything is started, for a verb that tests one server.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what to do.
    pub fn check(&self) -> Result<Server<'_>, String> {
        for (flag, given) in [("--url", &self.url), ("--server", &self.server)] {
            if given.len() > 1 {
                return Err(format!(
                    "`{flag}` was given {} times: one server is tested at a time",
                    given.len()
                ));
            }
        }
        self.server(self.server.first().map(String::as_str), self.url.first().map(String::as_str))
    }

    /// The same for a verb that tests several servers in turn, each of which may have a name: `node='node server.js'`.
    /// A single command with a single url is one server, as everywhere.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what to do.
    pub fn check_each(&self) -> Result<Vec<Named<'_>>, String> {
        let named: Vec<_> = self
            .server
            .iter()
            .map(|text| ("--server", named(text)))
            .chain(self.url.iter().map(|text| ("--url", named(text))))
            .collect();
        let mut servers = Vec::new();
        match &named[..] {
            [] => servers.push(Named {
                name: "reference server".to_owned(),
                server: self.server(None, None)?,
                flags: Vec::new(),
            }),
            [("--server", (None, line)), ("--url", (None, url))] => servers.push(Named {
                name: (*line).to_owned(),
                server: self.server(Some(line), Some(url))?,
                flags: ["--server", line, "--url", url].map(str::to_owned).to_vec(),
            }),
            all => {
                for (flag, (name, what)) in all {
                    let server = match *flag {
                        "--server" => self.server(Some(what), None)?,
                        _ => self.server(None, Some(what))?,
                    };
                    let name = name.unwrap_or(what).to_owned();
                    let flags = vec![(*flag).to_owned(), (*what).to_owned()];
                    if servers.iter().any(|known: &Named<'_>| known.name == name) {
                        return Err(format!(
                            "two servers are called `{name}`: write NAME='…' before one of them"
                        ));
                    }
                    servers.push(Named { name, server, flags });
                }
            }
        }
        let common = self.flags();
        servers.iter_mut().for_each(|server| server.flags.extend(common.iter().cloned()));
        Ok(servers)
    }

    /// The flags that say how to reach any server, as they were given.
    fn flags(&self) -> Vec<String> {
        let mut flags = Vec::new();
        let mut flag = |name: &str, value: String| flags.extend([name.to_owned(), value]);
        self.fault.iter().for_each(|fault| flag("--fault", fault.to_string()));
        if let Some(file) = &self.ca_file {
            flag("--ca-file", file.display().to_string());
        }
        self.header.iter().for_each(|(name, value)| flag("--header", format!("{name}: {value}")));
        self.source.iter().for_each(|address| flag("--source", address.to_string()));
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

    fn server<'a>(&'a self, line: Option<&'a str>, url: Option<&str>) -> Result<Server<'a>, String> {
        let url = match url {
            Some(text) => Some(Endpoint::parse(text).map_err(|error| format!("failed to {error}"))?),
            None => None,
        };
        let tls = match &self.ca_file {
            _ if self.insecure => transport::insecure(),
            None => transport::trusting(&[]),
            Some(file) => {
                let wrong =
                    |why: String| format!("failed to read the certificates in {}: {why}", file.display());
                let text = fs::read(file).map_err(|error| wrong(error.to_string()))?;
                let authorities: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text)
                    .collect::<Result<_, _>>()
                    .map_err(|error| wrong(error.to_string()))?;
                if authorities.is_empty() {
                    return Err(wrong(
                        "there is none; a PEM file has lines like `-----BEGIN CERTIFICATE-----`".into(),
                    ));
                }
                transport::trusting(&authorities)
            }
        };
        let tls = tls.map_err(|error| format!("failed to make TLS ready: {error}"))?;
        Ok(Server { args: self, line, url, tls })
    }
}

/// A name before a command or a url. What is written in capitals is a variable of the command's environment.
fn named(text: &str) -> (Option<&str>, &str) {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            && name.contains(|c: char| c.is_ascii_lowercase())
    };
    match text.split_once('=') {
        Some((name, what)) if is_name(name) => (Some(name), what),
        _ => (None, text),
    }
}

impl Server<'_> {
    /// Which server a scenario is played against.
    pub fn target(&self, scenario: &Scenario) -> Target {
        let recovery = scenario.needs.contains(&Need::Recovery);
        self.with(if recovery { vec!["--recovery".to_owned()] } else { Vec::new() })
    }

    /// Which server it is; the reference server gets these arguments beside its faults.
    pub fn with(&self, arguments: Vec<String>) -> Target {
        match (self.line, &self.url) {
            (Some(line), url) => Target::Command { line: line.to_owned(), url: url.clone() },
            (None, Some(url)) => Target::Url(url.clone()),
            (None, None) => {
                let mut args: Vec<String> = self
                    .args
                    .fault
                    .iter()
                    .flat_map(|fault| ["--fault".to_owned(), fault.to_string()])
                    .collect();
                args.extend(arguments);
                Target::Bundled { args }
            }
        }
    }

    /// The server, for the result that says that it is not there.
    pub fn missing(&self) -> TargetInfo {
        let url = self.url.as_ref().map(ToString::to_string).unwrap_or_default();
        match self.line {
            Some(line) => TargetInfo::missing(TargetKind::Command, url, Some(line.to_owned())),
            None if self.url.is_some() => TargetInfo::missing(TargetKind::Url, url, None),
            None => TargetInfo::missing(TargetKind::Bundled, url, None),
        }
    }

    /// How it is started and looked for.
    pub fn starting(&self, cancelled: Arc<AtomicBool>) -> Starting {
        Starting { timeout: self.args.server_timeout, probing: self.probing(), cancelled }
    }

    /// How it is looked for.
    pub fn probing(&self) -> Probing {
        Probing { tls: Some(self.tls.clone()), ..Probing::default() }
    }

    /// What scenarios may know of the server: what its handshake says, where that makes sense, and what only the user
    /// can tell.
    pub fn timings(&self, found: &Found) -> Timings {
        let usual = Timings::default();
        let time = |told: Option<Duration>| told.filter(|time| (SHORTEST..=LONGEST).contains(time));
        Timings {
            interval: time(found.ping_interval).unwrap_or(usual.interval),
            timeout: time(found.ping_timeout).unwrap_or(usual.timeout),
            max_payload: found
                .max_payload
                .filter(|bytes| (1..=MOST).contains(bytes))
                .unwrap_or(usual.max_payload),
            connect_timeout: self.args.connect_timeout,
            upgrade_timeout: self.args.upgrade_timeout,
            recovery: self.args.recovery_time,
        }
    }

    /// From how many addresses clients come; at least one.
    pub fn sources(&self) -> usize {
        self.args.source.len().max(1)
    }

    /// Where sockets find it.
    ///
    /// # Errors
    /// A sentence, when a source address does not fit the server's.
    pub fn peer(&self, running: &Running) -> Result<RemoteConfig, String> {
        let endpoint = running.endpoint();
        let address = running.found().address;
        if let Some(source) = self.args.source.iter().find(|source| source.is_ipv4() != address.is_ipv4()) {
            return Err(format!(
                "the source address {source} cannot reach {address}: one is IPv4, the other IPv6"
            ));
        }
        let tls = match endpoint.secure {
            false => None,
            true => {
                let name = ServerName::try_from(endpoint.host.clone())
                    .map_err(|_| format!("no certificate can be made out to `{}`", endpoint.host))?;
                Some((self.tls.clone(), name))
            }
        };
        Ok(RemoteConfig {
            address,
            authority: endpoint.authority(),
            tls,
            sources: self.args.source.clone(),
            turn: Arc::new(AtomicUsize::new(0)),
            limit: MAX_MESSAGE,
        })
    }

    /// Headers for every request.
    pub fn headers(&self) -> Vec<(String, String)> {
        self.args.header.clone()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Words {
        #[command(flatten)]
        server: ServerArgs,
    }

    fn timings(interval: Option<u64>, max_payload: Option<u64>) -> Timings {
        let found = Found {
            address: ([127, 0, 0, 1], 80).into(),
            polling: true,
            ping_interval: interval.map(Duration::from_millis),
            ping_timeout: Some(Duration::from_millis(200)),
            max_payload,
            software: None,
        };
        let words = Words::parse_from(["t", "--connect-timeout", "1s", "--recovery-time", "2s"]);
        words.server.check().expect("it is right").timings(&found)
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
}
