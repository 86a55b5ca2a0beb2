//! Many servers, out of a folder that describes them: each is installed, started, and played with the suite, the bundled
//! scenarios and one load.

mod folder;
mod one;
mod paths;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use super::secrets::clean;
use super::{Cases, Error, Event, Listener, SuitesConfig, machine, write_whole};
use crate::conformance::Verdict;
use crate::matrix::site::site;
use crate::matrix::{Confirmed, ServerEntry, ServersResult, unconfirmed};
use crate::report::rfc3339;
use crate::units::micros;
use crate::verdict::Status;
use folder::Described;

/// How many servers are played.
#[derive(Clone, Debug)]
pub(crate) struct ServersConfig {
    /// The folder that describes them.
    pub folder: PathBuf,
    /// The names of those that are played; without any, all.
    pub names: Vec<String>,
    /// Which cases are played and how, and what the servers' own files do not say of how they are reached.
    pub suites: SuitesConfig,
    /// How many servers are played at a time.
    pub at_a_time: u16,
    /// The longest that is spent on one server.
    pub limit: Duration,
    /// Whether they are installed already.
    pub is_installed: bool,
    /// Whether the suite alone is played.
    pub is_suite_only: bool,
}

impl ServersConfig {
    /// The command as the result tells it: without what says where the result goes.
    fn command(&self) -> String {
        let mut words = vec!["sockrates conform --servers".to_owned(), self.folder.display().to_string()];
        if !self.names.is_empty() {
            words.push(format!("--server-name {}", self.names.join(",")));
        }
        if self.at_a_time > 1 {
            words.push(format!("--at-a-time {}", self.at_a_time));
        }
        words.extend(self.is_suite_only.then(|| "--suite-only".to_owned()));
        words.join(" ")
    }
}

/// Servers that can be played.
pub(crate) struct Servers {
    config: ServersConfig,
    described: Vec<Described>,
    confirmed: Vec<Confirmed>,
}

/// What the thread of a server tells.
enum Told {
    Stage(String, String),
    Suite(Duration, Vec<Verdict>, usize, String),
    SuiteEnded,
    Done(usize, Box<ServerEntry>),
}

impl Servers {
    /// Reads the folder, and looks whether there are such cases.
    ///
    /// # Errors
    /// All that is wrong with the files, or with the words.
    pub(crate) fn read(config: ServersConfig) -> Result<Servers, Error> {
        if cfg!(windows) {
            let why = "the commands of `--servers` are lines for `sh`, which Windows does not have: use WSL";
            return Err(Error::because(why));
        }
        let cases = Cases::read(config.suites.suite.folder.as_deref())?;
        cases.choose(&config.suites.only, &config.suites.exclude)?;
        let (described, confirmed) = folder::read(&config.folder, &config.names)?;
        Ok(Servers { config, described, confirmed })
    }

    /// Plays them. What there is so far is told after each, clean of secrets.
    ///
    /// # Errors
    /// When the listener wants no more, or the secrets cannot be taken out.
    pub(crate) fn play(
        &self,
        stop: &Arc<AtomicBool>,
        listener: &mut Listener<'_>,
    ) -> Result<ServersResult, Error> {
        let (started, begun) = (SystemTime::now(), Instant::now());
        let mut entries: Vec<ServerEntry> = self.described.iter().map(Described::blank).collect();
        self.install(&mut entries, stop, listener)?;
        let result = |entries: &[ServerEntry]| ServersResult {
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            command: self.config.command(),
            started: rfc3339(started),
            duration_us: micros(begun.elapsed()),
            environment: machine::environment(Some(true)),
            load: one::load_in_words(),
            servers: entries.to_vec(),
            confirmed: self.confirmed.clone(),
        };
        let secrets = &self.config.suites.given.secrets;
        let (next, installed) = (AtomicUsize::new(0), entries.clone());
        let mut refused = None;
        thread::scope(|scope| {
            let (sender, told) = mpsc::channel();
            for _ in 0..self.config.at_a_time {
                let (sender, next, installed) = (sender.clone(), &next, &installed);
                scope.spawn(move || self.play_some(next, installed, stop, &sender));
            }
            drop(sender);
            for told in told {
                let heard = match told {
                    Told::Stage(server, stage) => {
                        listener(Event::ServerStage { server: &server, stage: &stage })
                    }
                    // Side by side they would overwrite each other.
                    Told::Suite(elapsed, verdicts, all, last) if self.config.at_a_time == 1 => {
                        listener(Event::SuiteGoesOn { elapsed, verdicts: &verdicts, all, last: &last })
                    }
                    Told::Suite(..) => Ok(()),
                    Told::SuiteEnded => listener(Event::SuiteEnded),
                    Told::Done(index, entry) => {
                        entries[index] = *entry;
                        listener(Event::ServersSoFar(&|| clean(result(&entries), secrets)))
                    }
                };
                if let Err(error) = heard {
                    stop.store(true, Ordering::Relaxed);
                    refused = Some(error);
                }
            }
        });
        match refused {
            Some(error) => Err(error),
            None => clean(result(&entries), secrets),
        }
    }

    /// Installs those that are to be started, one after another, because several may share what is installed.
    fn install(
        &self,
        entries: &mut [ServerEntry],
        stop: &Arc<AtomicBool>,
        listener: &mut Listener<'_>,
    ) -> Result<(), Error> {
        let mut done: Vec<(String, Option<String>)> = Vec::new();
        for (described, entry) in self.described.iter().zip(entries) {
            let Some(line) = described.to_install().filter(|_| !self.config.is_installed) else { continue };
            // The folders stand beside each other, so that a line that leaves its own means the same in all of them.
            let key = match line.starts_with("cd ../") {
                true => line.to_owned(),
                false => format!("{}: {line}", described.name),
            };
            let why = match done.iter().find(|(known, _)| *known == key) {
                Some((_, why)) => why.clone(),
                None => {
                    let stage = format!("installs by `{line}`");
                    listener(Event::ServerStage { server: &described.name, stage: &stage })?;
                    let why = described.install(line, stop).err();
                    done.push((key, why.clone()));
                    why
                }
            };
            entry.trouble = why.map(|why| described.uninstalled(&why));
        }
        Ok(())
    }

    /// Plays server after server, until there are no more.
    fn play_some(
        &self,
        next: &AtomicUsize,
        installed: &[ServerEntry],
        stop: &Arc<AtomicBool>,
        told: &Sender<Told>,
    ) {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(described) = self.described.get(index) else { return };
            let entry = one::play(&self.config, described, installed[index].clone(), stop, told);
            // Whoever listens goes on until all have ended.
            let _ = told.send(Told::Done(index, Box::new(entry)));
        }
    }
}

/// What the whole says, with `--strict` also of warnings: what is not confirmed by a raw client fails, and so does a server that
/// could not be played.
pub(crate) fn status(result: &ServersResult, strict: bool, is_stopped: bool) -> Status {
    match () {
        () if is_stopped => Status::Interrupted,
        () if result.servers.iter().any(|server| server.trouble.is_some()) => Status::Unreachable,
        () if !unconfirmed(result, strict).is_empty() => Status::Failed,
        () => Status::Passed,
    }
}

/// Writes the site of a result into a folder.
///
/// # Errors
/// Which file could not be written.
pub(crate) fn write_site(folder: &Path, result: &ServersResult) -> Result<(), Error> {
    site(result).iter().try_for_each(|(name, text)| {
        let file = folder.join(name);
        let failed = |error| Error::because(format!("failed to write the page {}: {error}", file.display()));
        write_whole(&file, text).map_err(failed)
    })
}
