//! The folder of a server: commands are run in it, and where it lies on this machine is told nowhere.

use std::path::Path;
use std::{env, io};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::measure::format::printable;
use crate::report::file::changed;

/// The folder of a server, and the texts that would tell where it is.
pub(super) struct Paths {
    /// What stands before each command.
    before: String,
    /// Texts, each with what is told instead, the longest first.
    instead: Vec<(String, String)>,
}

impl Paths {
    /// Those of a folder.
    pub(super) fn of(folder: &Path) -> io::Result<Paths> {
        let whole = folder.canonicalize()?;
        let before = format!("cd {} && export HOST=127.0.0.1 &&\n", quoted(&whole.to_string_lossy()));
        let mut instead = vec![(before.clone(), String::new()), (printable(&before), String::new())];
        let mut hide = |place: Option<&Path>, told: &str| {
            if let Some(place) = place.filter(|place| place.parent().is_some()) {
                instead.push((format!("{}/", place.display()), told.to_owned()));
            }
        };
        let here = env::current_dir()?.canonicalize()?;
        hide(Some(&here), "");
        // What several servers share stands above their folders.
        for place in whole.ancestors().skip(1).take(3) {
            hide(Some(place), "");
        }
        hide(env::var_os("HOME").as_deref().map(Path::new), "~/");
        Ok(Paths { before, instead })
    }

    /// A command as it is run.
    pub(super) fn line(&self, line: &str) -> String {
        format!("{}{line}", self.before)
    }

    /// A text that tells no place of this machine.
    pub(super) fn hide(&self, text: &str) -> String {
        self.instead.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }

    /// A result, all texts of which tell no such place. It stays as it is where that makes another of it.
    pub(super) fn hide_in<T: Serialize + DeserializeOwned>(&self, result: T) -> T {
        changed(&result, |value| self.hide_values(value)).unwrap_or(result)
    }

    fn hide_values(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.hide(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide_values(item)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.hide_values(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// A word for `sh`.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

// Its command is a line for `sh`.
#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_run_in_its_folder_and_no_text_tells_where_that_is() {
        let folder = tempfile::tempdir().expect("there is room");
        let inner = folder.path().join("it's");
        std::fs::create_dir(&inner).expect("there is room");
        let paths = Paths::of(&inner).expect("it is there");
        let line = paths.line("node server.js");
        assert!(line.starts_with("cd '") && line.contains(r"it'\''s"), "{line}");
        assert_eq!(paths.hide(&format!("`{line}` ended")), "`node server.js` ended");
        assert_eq!(paths.hide(&format!("`{}` ended", printable(&line))), "`node server.js` ended");
        let told =
            paths.hide_in(vec![format!("at {}/server.js:3", inner.canonicalize().expect("it is").display())]);
        assert_eq!(told, ["at it's/server.js:3"]);
    }
}
