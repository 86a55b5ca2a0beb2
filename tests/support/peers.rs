//! The servers and other programs under `tests/peers`, as far as this machine has them.
//!
//! ```ignore
//! let Some(server) = Peer::NodeFixture.start([("CSR", "1")]) else { return };
//! examine(server.url());
//! ```
//!
//! A peer that cannot be started is no failure of ours: the test says on standard error, past the capture of the test
//! harness, that it was skipped and what would bring the peer here, and passes. With `SOCKRATES_PEERS=required`, as in
//! CI, it fails instead. `.ci/peers install` brings all of them.

#![allow(dead_code, reason = "each test crate that includes this file uses its own part of it")]

use std::{
    env, fmt,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

/// How long a server may take until it listens.
const START_UP: Duration = Duration::from_secs(30);

/// The oldest release of Node that the peers are written for.
const OLDEST_NODE: u32 = 20;

/// A server that sockrates is tested against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// The official server with the fixture contract.
    NodeFixture,
    /// The same, broken in the operation that `BREAK` names.
    NodeBroken,
    /// The official server with a chat application that has event names of its own.
    NodeChatApp,
    /// The official server with an application that wants a login.
    NodeLoginApp,
    /// socketioxide with the fixture contract, as far as it goes there.
    Socketioxide,
    /// The official server of Socket.IO 2 with the fixture contract: Engine.IO 3.
    Node2Fixture,
    /// python-socketio 4 with the fixture contract, as far as it goes there: Engine.IO 3.
    Python4Fixture,
}

impl Peer {
    /// Every peer.
    pub(crate) const ALL: [Self; 7] = [
        Self::NodeFixture,
        Self::NodeBroken,
        Self::NodeChatApp,
        Self::NodeLoginApp,
        Self::Socketioxide,
        Self::Node2Fixture,
        Self::Python4Fixture,
    ];

    /// Starts the peer on any free port with these settings (`tests/peers/README.md` lists them), and returns once it
    /// listens. It ends when the returned value is dropped. `None` means that the test is to be skipped.
    pub(crate) fn start<'a>(self, settings: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<Running> {
        let arguments = self.here()?;
        let mut command = Command::new(&arguments[0]);
        command.args(&arguments[1..]).env("PORT", "0").envs(settings);
        Some(Running::new(self, command).unwrap_or_else(|why| panic!("cannot start {self}: {why}")))
    }

    /// The command line that starts the peer, for `sockrates run --server`. `None` means that the test is to be
    /// skipped.
    pub(crate) fn command_line(self) -> Option<String> {
        let arguments = self.here()?;
        let words = arguments.iter().map(String::as_str);
        Some(shlex::try_join(words).expect("a path contains no NUL"))
    }

    /// The program and its arguments, or `None` after having said why not.
    fn here(self) -> Option<Vec<String>> {
        found(self.arguments())
    }

    fn arguments(self) -> Result<Vec<String>, Missing> {
        match self {
            Self::NodeFixture => node_script(self, "node", "fixture.js", "socket.io"),
            Self::NodeBroken => node_script(self, "node", "broken.js", "socket.io"),
            Self::NodeChatApp => node_script(self, "node", "chat-app.js", "socket.io"),
            Self::NodeLoginApp => node_script(self, "node", "login-app.js", "socket.io"),
            Self::Socketioxide => {
                let program = folder("socketioxide").join("target/release/socketioxide-fixture");
                require(self, &program, "it is not built")?;
                Ok(vec![text(&program)])
            }
            Self::Node2Fixture => node_script(self, "node2", "fixture.js", "socket.io"),
            Self::Python4Fixture => {
                let python = python_of("python4", self, "socketio")?;
                Ok(vec![text(&python), text(&folder("python4").join("fixture.py"))])
            }
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NodeFixture => "the official server with the fixture",
            Self::NodeBroken => "the official server with the fixture, broken on purpose",
            Self::NodeChatApp => "the official server with the chat application",
            Self::NodeLoginApp => "the official server with the application that wants a login",
            Self::Socketioxide => "socketioxide with the fixture",
            Self::Node2Fixture => "the official server of Socket.IO 2 with the fixture",
            Self::Python4Fixture => "python-socketio 4 with the fixture",
        })
    }
}

/// The command line that starts this program of `tests/peers/apps`, for `sockrates run --server`. `None` means that the
/// test is to be skipped.
pub(crate) fn application(program: &str) -> Option<String> {
    let arguments = found(match program.ends_with(".py") {
        true => python_script(program, "flask_socketio"),
        false => node_script(program, "apps", program, "socket.io"),
    })?;
    Some(shlex::try_join(arguments.iter().map(String::as_str)).expect("a path contains no NUL"))
}

/// The official server with all three of its transports, on Deno's QUIC, with this certificate and this key (PEM files). `None`
/// means that the test is to be skipped.
pub(crate) fn webtransport(certificate: &Path, key: &Path) -> Option<Running> {
    let name = "the official server with WebTransport";
    let folder = folder("webtransport");
    // The program itself: a wrapper around it would outlive its parent.
    let deno = folder.join("node_modules/deno/deno");
    found(require(name, &deno, "its packages are not installed"))?;
    let mut command = Command::new(deno);
    command.args(["run", "--quiet", "-A", "--unstable-net", "--node-modules-dir=manual"]);
    command.arg(folder.join("server.js")).env("CERT", certificate).env("KEY", key).env("PORT", "0");
    command.envs([("PING_INTERVAL", "300"), ("PING_TIMEOUT", "1000"), ("DENO_NO_UPDATE_CHECK", "1")]);
    Some(Running::new(name, command).unwrap_or_else(|why| panic!("cannot start {name}: {why}")))
}

/// The official parsers, a Node process that is asked by lines. `None` means that the test is to be skipped.
pub(crate) fn parsers() -> Option<Command> {
    parsers_in("node")
}

/// Those of Socket.IO 2.
pub(crate) fn older_parsers() -> Option<Command> {
    parsers_in("node2")
}

fn parsers_in(folder: &str) -> Option<Command> {
    let arguments = found(node_script("the official parsers", folder, "parsers.js", "socket.io-parser"))?;
    let mut command = Command::new(&arguments[0]);
    command.args(&arguments[1..]);
    Some(command)
}

/// The crate rust_socketio as a client. `None` means that the test is to be skipped.
pub(crate) fn rust_socketio() -> Option<Command> {
    let program = folder("rust_socketio").join("target/release/rust-socketio-client");
    found(require("rust_socketio as a client", &program, "it is not built"))?;
    Some(Command::new(program))
}

/// What is here, or `None` after having said what is missing.
pub(crate) fn found<T>(searched: Result<T, Missing>) -> Option<T> {
    let missing = match searched {
        Ok(found) => return Some(found),
        Err(missing) => missing,
    };
    let required = env::var("SOCKRATES_PEERS").is_ok_and(|value| value == "required");
    let thread = thread::current();
    let notice = skipped(thread.name().unwrap_or("a test"), &missing, required);
    // Not `eprintln!`: what a passing test prints with it is never seen.
    let _ = writeln!(std::io::stderr(), "{notice}");
    None
}

/// NATS, or nothing after having said that it is missing.
pub(crate) fn nats_server() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let places = env::split_paths(&path).chain(["/usr/sbin", "/usr/local/bin"].map(PathBuf::from));
    let program = places.map(|place| place.join("nats-server")).find(|file| file.is_file());
    found(program.ok_or_else(|| Missing::new("the broker NATS", "there is no `nats-server`")))
}

fn node_script(
    peer: impl fmt::Display,
    folder_name: &str,
    script: &str,
    package: &str,
) -> Result<Vec<String>, Missing> {
    let folder = folder(folder_name);
    match node_major() {
        None => return Err(Missing::new(peer, "there is no `node` on this machine")),
        Some(major) if major < OLDEST_NODE => {
            return Err(Missing::new(peer, &format!("`node` is release {major}, older than {OLDEST_NODE}")));
        }
        Some(_) => {}
    }
    require(peer, &folder.join("node_modules").join(package), "its packages are not installed")?;
    Ok(vec!["node".to_owned(), text(&folder.join(script))])
}

/// A program of `tests/peers/apps` with the Python of `.ci/peers install`.
fn python_script(script: &str, package: &str) -> Result<Vec<String>, Missing> {
    let python = python(script, package)?;
    Ok(vec![text(&python), text(&folder("apps").join(script))])
}

/// The Python of `.ci/peers install`, where it has this package.
pub(crate) fn python(peer: impl fmt::Display, package: &str) -> Result<PathBuf, Missing> {
    python_of("python", peer, package)
}

/// The same of another environment.
fn python_of(environment: &str, peer: impl fmt::Display, package: &str) -> Result<PathBuf, Missing> {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let program =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(target).join("peers").join(environment).join("bin/python");
    require(&peer, &program, "its Python is not installed")?;
    let imports = Command::new(&program).args(["-c", &format!("import {package}")]).output();
    match imports.is_ok_and(|output| output.status.success()) {
        true => Ok(program),
        false => Err(Missing::new(peer, &format!("its Python lacks `{package}`"))),
    }
}

fn require(peer: impl fmt::Display, path: &Path, otherwise: &str) -> Result<(), Missing> {
    if path.exists() { Ok(()) } else { Err(Missing::new(peer, otherwise)) }
}

/// Why a peer is not here.
pub(crate) struct Missing {
    peer: String,
    why: String,
}

impl Missing {
    pub(crate) fn new(peer: impl fmt::Display, why: &str) -> Self {
        Self { peer: peer.to_string(), why: why.to_owned() }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} is missing: {} (.ci/peers install would bring it)", self.peer, self.why)
    }
}

/// What to say of a test that is skipped.
///
/// # Panics
///
/// Where peers are `required`.
pub(crate) fn skipped(test: &str, missing: &Missing, required: bool) -> String {
    assert!(!required, "{missing}, and SOCKRATES_PEERS=required");
    format!("SKIPPED {test}: {missing}")
}

/// A peer that listens, until dropped.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    url: String,
}

impl Running {
    fn new(peer: impl fmt::Display, mut command: Command) -> Result<Self, String> {
        // Should this process die without a word, its end of the pipe closes and the peer leaves, too.
        command.env("EXIT_WITH_STDIN", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;

        let (found, url) = mpsc::channel();
        let lines = BufReader::new(child.stdout.take().expect("standard output is piped")).lines();
        thread::Builder::new()
            .name(peer.to_string())
            .spawn(move || {
                // To the end, for a peer must never wait for its output to be read.
                for line in lines.map_while(Result::ok) {
                    if let Some(url) = listening_url(&line) {
                        let _ = found.send(url.to_owned());
                    }
                }
            })
            .map_err(|error| error.to_string())?;

        let mut running = Self { child, url: String::new() };
        running.url = url.recv_timeout(START_UP).map_err(|error| match error {
            mpsc::RecvTimeoutError::Timeout => format!("it did not listen within {START_UP:?}"),
            mpsc::RecvTimeoutError::Disconnected => "it ended without listening".to_owned(),
        })?;
        Ok(running)
    }

    /// Its Socket.IO endpoint: `http://127.0.0.1:PORT/socket.io/`, or the same with TLS.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Its process id, to sample what it uses.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Lets it leave by itself, as it does when whoever started it is gone.
    pub(crate) fn leave(mut self) -> ExitStatus {
        drop(self.child.stdin.take());
        self.child.wait().expect("it was started")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The URL in a peer's line `listening on URL`.
pub(crate) fn listening_url(line: &str) -> Option<&str> {
    line.strip_prefix("listening on ")
        .map(str::trim)
        .filter(|url| url.starts_with("http://") || url.starts_with("https://"))
}

fn node_major() -> Option<u32> {
    let output = Command::new("node").arg("--version").stdin(Stdio::null()).output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(name)
}

fn text(path: &Path) -> String {
    path.to_str().expect("the path of the repository is UTF-8").to_owned()
}
