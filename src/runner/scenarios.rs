//! Which scenarios some words mean: files, folders, names of bundled ones.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Bundled, Error, secrets};
use crate::document::{Source, closest, render};
use crate::scenario::{self, Outside, Overrides, Scenario, Surroundings, Timings, WHAT_IT_IS};
use crate::secrets::Secrets;

/// A scenario, read, with where it came from.
#[derive(Debug)]
pub(crate) struct Selected {
    /// Its text, and its name in messages.
    pub source: Source,
    /// What it says.
    pub scenario: Scenario,
    surroundings: Surroundings,
    /// The load that is put in the place of its own.
    pub(super) overrides: Overrides,
}

impl Selected {
    /// Reads it again, with another load in the place of its own.
    ///
    /// # Errors
    /// The report of what cannot be with this load, ready to be shown.
    pub(super) fn with(&self, overrides: Overrides) -> Result<Selected, String> {
        let surroundings = self.surroundings.overriding(overrides.clone());
        let scenario =
            scenario::read(&self.source, &surroundings).map_err(|mistake| render(&mistake, &self.source))?;
        Ok(Selected { source: self.source.clone(), scenario, surroundings, overrides })
    }

    /// Makes what it says known as secret, for a verb that tells of it and plays nothing.
    pub(crate) fn note_secrets(&self, secrets: &Secrets) {
        secrets::of(&self.source, &self.scenario, secrets);
    }

    /// What it takes from outside of its own file.
    pub(super) fn outside(&self) -> Outside {
        let (recording, taken) = self.surroundings.recording();
        // That it can be read was seen before.
        let _ = scenario::read(&self.source, &recording);
        taken.borrow().clone()
    }

    /// Reads it again, now that the server is known.
    ///
    /// # Errors
    /// The report of what cannot be with this server, ready to be shown.
    pub(super) fn knowing(&self, server: Timings) -> Result<Scenario, String> {
        scenario::read(&self.source, &self.surroundings.with(server))
            .map_err(|mistake| render(&mistake, &self.source))
    }
}

/// Reads all scenarios that these words mean, with another load in the place of theirs.
///
/// # Errors
/// The reports of everything that is wrong.
pub(crate) fn select(words: &[String], overrides: &Overrides) -> Result<Vec<Selected>, Error> {
    let (mut selected, mut wrong) = (Vec::new(), Vec::new());
    for word in words {
        match sources(word) {
            Err(why) => wrong.push(why),
            Ok(sources) => {
                for (source, surroundings) in sources {
                    let surroundings = surroundings.overriding(overrides.clone());
                    match scenario::read(&source, &surroundings) {
                        Ok(scenario) => {
                            let overrides = overrides.clone();
                            selected.push(Selected { source, scenario, surroundings, overrides });
                        }
                        Err(mistake) => wrong.push(render(&mistake, &source)),
                    }
                }
            }
        }
    }
    if wrong.is_empty() { Ok(selected) } else { Err(Error::wrong(wrong.join("\n\n"))) }
}

/// The same for a single scenario.
///
/// # Errors
/// What is wrong with it, or that there are several.
pub(crate) fn select_one(word: &str, overrides: &Overrides) -> Result<Selected, Error> {
    let mut selected = select(&[word.to_owned()], overrides)?;
    match (selected.pop(), selected.len()) {
        (Some(one), 0) => Ok(one),
        (_, more) => Err(Error::because(format!("{word} has {} scenarios: name one", more + 1))),
    }
}

fn sources(word: &str) -> Result<Vec<(Source, Surroundings)>, String> {
    let path = Path::new(word);
    if path.exists() && !path.is_dir() {
        return Ok(vec![source(path, WHAT_IT_IS)?]);
    }
    // An application may stand in a folder that is called like a bundled scenario. `chat/` is always the folder.
    let bundled = Bundled::all();
    match bundled.iter().find(|bundled| bundled.id == word) {
        Some(bundled) => Ok(vec![(bundled.source(), Surroundings::without_files())]),
        None if path.is_dir() => files_in(path)?.iter().map(|file| source(file, WHAT_IT_IS)).collect(),
        None => {
            let hint = match closest(word, bundled.iter().map(|bundled| bundled.id)) {
                Some(near) => format!("did you mean the bundled scenario `{near}`?"),
                None => "`sockrates list` shows the bundled ones".to_owned(),
            };
            Err(format!("error: there is no file and no bundled scenario `{word}`\nhelp: {hint}"))
        }
    }
}

/// The scenarios in a folder and below, hidden ones and packages of Node aside, of which there is at least one, in the order of their names.
///
/// # Errors
/// What is wrong, ready to be shown.
pub(super) fn files_in(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let word = folder.display();
    let mut files = Vec::new();
    files_below(folder, &mut files)
        .map_err(|error| format!("error: cannot read the folder {word}: {error}"))?;
    files.sort();
    if files.is_empty() {
        return Err(format!(
            "error: the folder {word} has no scenario: a file whose name ends in .yaml or .yml"
        ));
    }
    Ok(files)
}

/// Reads a file. `what` says how one of its kind is known.
///
/// # Errors
/// What is wrong, ready to be shown.
pub(super) fn source(path: &Path, what: &str) -> Result<(Source, Surroundings), String> {
    let source =
        Source::read(path).map_err(|mistake| render(&mistake.hint_of_file(what), &Source::named(path)))?;
    Ok((source, Surroundings::of(path)))
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // What tools keep for themselves or for others is no scenario of the user's.
        if entry.file_name().to_str().is_some_and(|name| name.starts_with('.') || name == "node_modules") {
            continue;
        }
        // A link is not followed, so that a circle of them ends.
        if entry.file_type()?.is_dir() {
            files_below(&entry.path(), found)?;
        } else if entry.path().extension().is_some_and(|ending| ending == "yaml" || ending == "yml") {
            found.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_and_hidden_folders_of_a_project_hold_no_scenarios_of_its_owner() {
        let folder = tempfile::tempdir().expect("there is room");
        let files =
            ["node_modules/debug/.travis.yml", ".github/ci.yml", ".eslintrc.yml", "load/peak.yaml", "a.yml"];
        for file in files.map(|file| folder.path().join(file)) {
            fs::create_dir_all(file.parent().expect("it is in a folder")).expect("there is room");
            fs::write(file, "").expect("there is room");
        }
        let found = files_in(folder.path()).expect("there are some");
        assert_eq!(found, ["a.yml", "load/peak.yaml"].map(|file| folder.path().join(file)));
    }
}
