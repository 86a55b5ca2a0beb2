//! The folder that describes servers: a folder a server, with its `server.yaml`, and what raw clients have shown of them.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::paths::Paths;
use crate::document::{Mistake, Source, hint_at, render};
use crate::matrix::result::{CannotJudge, Stage};
use crate::matrix::{Confirmed, Description, ServerEntry, Start, Trouble, confirmed, describe};
use crate::runner::Error;
use crate::server::run_command;

/// The file that makes a folder one of a server.
const FILE: &str = "server.yaml";

/// The file of what raw clients have shown.
const DEVIATIONS: &str = "deviations.yaml";

/// More of a script or of a transcript is not read, in bytes.
const LONGEST_PROOF: u64 = 1 << 18;

/// The longest that an installation may take.
const INSTALLATION: Duration = Duration::from_secs(20 * 60);

/// A server, and where it is described.
pub(super) struct Described {
    /// The name of its folder.
    pub(super) name: String,
    /// What its file says.
    pub(super) what: Description,
    /// What of its paths is told, and what is not.
    pub(super) paths: Paths,
}

impl Described {
    /// What is known of it before it is played.
    pub(super) fn blank(&self) -> ServerEntry {
        let what = &self.what;
        let cannot_judge = what.cannot_judge.iter().cloned();
        ServerEntry {
            name: self.name.clone(),
            about: what.about.clone(),
            language: what.language.clone(),
            licence: what.licence.clone(),
            home: what.home.clone(),
            protocol: what.protocol.number(),
            versions: Vec::new(),
            cannot_judge: cannot_judge.map(|(what, why)| CannotJudge { what, why }).collect(),
            not_run: match &what.start {
                Start::NotRun(why) => Some(why.clone()),
                Start::Command(_) => None,
            },
            trouble: None,
            suite: None,
            scenarios: Vec::new(),
            load: None,
        }
    }

    /// The command that installs it, where it is to be started.
    pub(super) fn to_install(&self) -> Option<&str> {
        match self.what.start {
            Start::Command(_) => self.what.install.as_deref(),
            Start::NotRun(_) => None,
        }
    }

    /// Installs it.
    ///
    /// # Errors
    /// A sentence without its full stop.
    pub(super) fn install(&self, line: &str, stop: &AtomicBool) -> Result<(), String> {
        let gives_up = || stop.load(Ordering::Relaxed);
        run_command(&self.paths.line(line), Vec::new(), INSTALLATION, &gives_up)
            .map_err(|why| self.paths.hide(&why))
    }

    /// That it could not be installed.
    pub(super) fn uninstalled(&self, why: &str) -> Trouble {
        Trouble {
            stage: Stage::Install,
            sentence: format!("it could not be installed: {why}"),
            output: Vec::new(),
        }
    }
}

/// Reads a folder: the servers with these names, or all, and what raw clients have shown of any.
///
/// # Errors
/// All that is wrong with it.
pub(super) fn read(folder: &Path, names: &[String]) -> Result<(Vec<Described>, Vec<Confirmed>), Error> {
    let word = folder.display();
    let unreadable = |error| Error::because(format!("cannot read the folder {word}: {error}"));
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.join(FILE).is_file() {
            found.push((name, path));
        }
    }
    found.sort();
    if found.is_empty() {
        return Err(Error::because(format!("no folder in {word} has a {FILE}, which describes a server")));
    }
    let known: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        let hint = hint_at(name, known.iter().copied(), || format!("there are {}", known.join(", ")));
        return Err(Error::because(format!("no folder in {word} is called `{name}`\nhelp: {hint}")));
    }
    let mut wrong = Vec::new();
    let confirmed = confirmed_in(folder, &known).unwrap_or_else(|why| {
        wrong.push(why);
        Vec::new()
    });
    let mut described = Vec::new();
    for (name, path) in &found {
        if !names.is_empty() && !names.contains(name) {
            continue;
        }
        match one(folder, name, path) {
            Ok(one) => described.push(one),
            Err(why) => wrong.push(why),
        }
    }
    if wrong.is_empty() { Ok((described, confirmed)) } else { Err(Error::wrong(wrong.join("\n"))) }
}

fn one(folder: &Path, name: &str, path: &Path) -> Result<Described, String> {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if !is_plain {
        return Err(format!(
            "error: no server can be called `{name}`, which is the name of a folder in {}: begin with a small letter, and use \
             letters, digits, `-`, `_` and `.`",
            folder.display()
        ));
    }
    let file = path.join(FILE);
    let wrong = |mistake: Mistake, source: &Source| {
        render(
            &mistake.hint_of_file("a server has at least `about`, `language`, `licence`, `home` and `start`"),
            source,
        )
    };
    let source = Source::read(&file).map_err(|mistake| wrong(mistake, &Source::named(&file)))?;
    let what = describe::describe(&source).map_err(|mistake| wrong(mistake, &source))?;
    let paths = Paths::of(path).map_err(|error| format!("error: cannot find {}: {error}", path.display()))?;
    Ok(Described { name: name.to_owned(), what, paths })
}

fn confirmed_in(folder: &Path, known: &[&str]) -> Result<Vec<Confirmed>, String> {
    let file = folder.join(DEVIATIONS);
    if !file.exists() {
        return Ok(Vec::new());
    }
    let source = Source::read(&file).map_err(|mistake| render(&mistake, &Source::named(&file)))?;
    // A transcript holds what a server sent, which may be no text.
    let beside = |name: &str| {
        let mut bytes = Vec::new();
        let read =
            File::open(folder.join(name)).and_then(|file| file.take(LONGEST_PROOF).read_to_end(&mut bytes));
        read.map(|_| String::from_utf8_lossy(&bytes).into_owned()).map_err(|error| error.to_string())
    };
    confirmed::read(&source, known, &beside).map_err(|mistake| render(&mistake, &source))
}
