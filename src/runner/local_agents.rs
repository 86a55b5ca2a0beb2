//! Agents on this machine, and a broker for them: to try out what several machines do, and to test it.

use std::env::consts::EXE_SUFFIX;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, available_parallelism, scope, sleep};
use std::time::{Duration, Instant};

use crate::agents::{BrokerConfig, NotGathered};
use crate::server::{Group, command_line};
use crate::system::create_private_folder;

/// How long the broker may take to listen.
const START: Duration = Duration::from_secs(10);

/// How often it is looked for that.
const LOOK: Duration = Duration::from_millis(20);

/// Where Debian puts it is not in every PATH.
const PLACES: [&str; 3] = ["/usr/sbin", "/usr/local/bin", "/usr/bin"];

/// A broker and agents. They are ended when this is dropped.
pub(super) struct LocalAgents {
    broker: BrokerConfig,
    agents: Vec<Group>,
    server: Group,
}

impl Drop for LocalAgents {
    /// Agents leave while the broker is there, all at once: one without a broker takes its time.
    fn drop(&mut self) {
        scope(|scope| {
            for agent in self.agents.drain(..) {
                // Without a thread, it is dropped here.
                let _ = Builder::new().spawn_scoped(scope, move || drop(agent));
            }
        });
    }
}

/// Those that were started for several runs.
#[derive(Clone)]
pub(crate) struct SharedAgents(Arc<Mutex<LocalAgents>>);

impl SharedAgents {
    /// Starts them.
    ///
    /// # Errors
    /// A sentence that says what is missing.
    pub(super) fn start(count: u16, stop: &AtomicBool) -> Result<SharedAgents, NotGathered> {
        Ok(SharedAgents(Arc::new(Mutex::new(LocalAgents::start(count, stop)?))))
    }

    /// For as long as one run looks after them.
    pub(super) fn lock(&self) -> MutexGuard<'_, LocalAgents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SharedAgents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedAgents")
    }
}

impl PartialEq for SharedAgents {
    fn eq(&self, other: &SharedAgents) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for SharedAgents {}

/// A folder that nobody else can read, removed when this is dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is left to the system.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl LocalAgents {
    /// Starts them.
    ///
    /// # Errors
    /// A sentence that says what is missing.
    fn start(count: u16, stop: &AtomicBool) -> Result<LocalAgents, NotGathered> {
        let program = program().ok_or(
            "`--agents local:N` needs the broker `nats-server`, which is not in the PATH: `apt-get install nats-server`, or \
             take it from https://github.com/nats-io/nats-server/releases"
                .to_owned(),
        )?;
        let failed = |what: &str, error: std::io::Error| format!("failed to {what}: {error}");
        let mut chance = fastrand::Rng::new();
        let mut secret = || format!("{:016x}{:016x}", chance.u64(..), chance.u64(..));
        let folder = Folder(std::env::temp_dir().join(format!("sockrates-{}", secret())));
        create_private_folder(&folder.0).map_err(|error| failed("make a folder", error))?;
        let token = secret();
        let config = folder.0.join("nats.conf");
        // A backslash has a meaning of its own in that file.
        let ports = folder.0.to_string_lossy().replace('\\', "/");
        let text = format!(
            "listen: 127.0.0.1:-1\nports_file_dir: \"{ports}\"\nauthorization {{ token: \"{token}\" }}\n"
        );
        fs::write(&config, text).map_err(|error| failed("write the configuration of the broker", error))?;
        let line = command_line(&[&program.to_string_lossy(), "--config", &config.to_string_lossy()])?;
        let mut server =
            Group::start_line(&line, [], None).map_err(|error| failed("start `nats-server`", error))?;
        let url = await_url(&folder.0, &mut server, stop)?;
        // The broker has read everything: who is killed later leaves nothing there.
        drop(folder);
        let own = std::env::current_exe().map_err(|error| failed("find this program", error))?;
        let own = own.to_string_lossy();
        let processors = available_parallelism().map_or(1, |count| count.get());
        let workers = (processors / usize::from(count.max(1))).max(1).to_string();
        let agent = |number: u16| {
            let name = format!("local-{}", number + 1);
            let words = ["agent", "--nats", &url, "--name", &name, "--workers", &workers];
            let line = command_line(&[&[&*own][..], &words[..]].concat())?;
            let token = [("SOCKRATES_NATS_TOKEN".to_owned(), token.clone())];
            Group::start_line(&line, token, None).map_err(|error| failed("start an agent", error))
        };
        let agents = (0..count).map(agent).collect::<Result<Vec<_>, String>>()?;
        let broker = BrokerConfig { url, token: Some(token), ..BrokerConfig::default() };
        Ok(LocalAgents { broker, agents, server })
    }

    /// Whether something of it ends before it is over, as who would tell that is gone: what, as a sentence without its full stop.
    pub(super) fn watch(&mut self, over: &Receiver<()>) -> Option<String> {
        while over.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
            if let Some(why) = self.lost() {
                return Some(why);
            }
        }
        None
    }

    /// What of it has ended, so that not all agents are there: a sentence without its full stop.
    pub(super) fn lost(&mut self) -> Option<String> {
        let ended = |what: String, group: &mut Group| {
            let status = group.ended()?;
            Some(format!("{what}, which was started here, ended ({status})"))
        };
        let broker = ended("the broker `nats-server`".to_owned(), &mut self.server);
        let mut agents = self.agents.iter_mut().zip(1..);
        broker
            .or_else(|| agents.find_map(|(agent, number)| ended(format!("the agent local-{number}"), agent)))
    }

    /// Where they wait.
    pub(super) fn broker(&self) -> &BrokerConfig {
        &self.broker
    }
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain(PLACES.map(PathBuf::from));
    places.map(|place| place.join(format!("nats-server{EXE_SUFFIX}"))).find(|file| file.is_file())
}

/// Waits until the broker has written where it listens.
fn await_url(folder: &Path, server: &mut Group, stop: &AtomicBool) -> Result<String, NotGathered> {
    let until = Instant::now() + START;
    loop {
        if let Some(url) = url_in(folder) {
            return Ok(url);
        }
        if let Some(status) = server.ended() {
            return Err(format!("the broker `nats-server` ended at once ({status})").into());
        }
        if stop.load(Ordering::Relaxed) {
            return Err(NotGathered::Interrupted("the broker `nats-server` was not there yet".to_owned()));
        }
        if Instant::now() >= until {
            let why = format!("the broker `nats-server` did not listen within {} s", START.as_secs());
            return Err(why.into());
        }
        sleep(LOOK);
    }
}

/// What the broker has written, if it is whole.
fn url_in(folder: &Path) -> Option<String> {
    let mut files = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    let ports = files.find(|file| file.extension().is_some_and(|ending| ending == "ports"))?;
    let ports: serde_json::Value = serde_json::from_str(&fs::read_to_string(ports).ok()?).ok()?;
    Some(ports["nats"][0].as_str()?.to_owned())
}
