//! The versions of a server and of the packages that it is made of, as far as they are known: from the command line, or from
//! the lock files beside it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of a package: its numbers, without what stands behind them.
pub type Numbers = Vec<u64>;

/// The packages that a lock file is asked for.
const PACKAGES: [&str; 7] = [
    "socket.io",
    "engine.io",
    "@socket.io/bun-engine",
    "socketioxide",
    "engineioxide",
    "python-socketio",
    "python-engineio",
];

/// The versions that are known of a server, by package.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Versions(BTreeMap<String, String>);

impl Versions {
    /// Reads `engine.io 6.6.13` or `engine.io@6.6.13`.
    ///
    /// # Errors
    /// How it should be written.
    pub fn read_one(text: &str) -> Result<(String, String), String> {
        let (name, version) = text.trim().rsplit_once([' ', '@']).unwrap_or_default();
        match (name.trim(), numbers(version)) {
            ("", _) | (_, None) => Err("write it like `engine.io 6.6.13`".to_owned()),
            (name, Some(_)) => Ok((name.to_owned(), version.to_owned())),
        }
    }

    /// Notes a version, in place of one that was known.
    pub fn note(&mut self, name: &str, version: &str) {
        self.0.insert(name.to_owned(), version.to_owned());
    }

    /// What a lock file tells: `package-lock.json` of npm, or the form of `Cargo.lock`, which `poetry.lock` and `uv.lock` share.
    pub fn of_lock(text: &str) -> Versions {
        let mut versions = Versions::default();
        match serde_json::from_str::<Value>(text) {
            Ok(lock) => {
                for name in PACKAGES {
                    if let Some(version) =
                        lock["packages"][format!("node_modules/{name}")]["version"].as_str()
                    {
                        versions.note(name, version);
                    }
                }
            }
            Err(_) => {
                for package in text.split("[[package]]").skip(1) {
                    let field = |name: &str| {
                        let line = package.lines().find_map(|line| line.trim().strip_prefix(name))?;
                        line.trim_start().strip_prefix('=').map(|value| value.trim().trim_matches('"'))
                    };
                    if let (Some(name), Some(version)) = (field("name"), field("version"))
                        && PACKAGES.contains(&name)
                    {
                        versions.note(name, version);
                    }
                }
            }
        }
        versions
    }

    /// What the folders of installed Python packages tell, by their names: `python_socketio-5.11.0.dist-info`.
    pub fn of_installed<'n>(names: impl IntoIterator<Item = &'n str>) -> Versions {
        let mut versions = Versions::default();
        for name in names {
            let parts = name.strip_suffix(".dist-info").and_then(|name| name.rsplit_once('-'));
            let package = parts.map(|(package, version)| (package.replace('_', "-").to_lowercase(), version));
            if let Some((package, version)) =
                package.filter(|(package, _)| PACKAGES.contains(&package.as_str()))
            {
                versions.note(&package, version);
            }
        }
        versions
    }

    /// What the software tells that a server names in its headers, such as `engine.io/6.6.13 node`. Other names than those of an engine
    /// say nothing.
    pub fn of_software(text: &str) -> Versions {
        let mut versions = Versions::default();
        for word in text.split([' ', ',', ';', '(', ')']) {
            if let Some((name, version)) = word.rsplit_once('/')
                && let Some(name) = PACKAGES.iter().find(|known| known.eq_ignore_ascii_case(name))
                && numbers(version).is_some()
            {
                versions.note(name, version);
            }
        }
        versions
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The version of a package, if it is known.
    pub fn of(&self, package: &str) -> Option<&str> {
        self.0.get(package).map(String::as_str)
    }

    /// Whether a package is known to be at least this version; `None` where it is not known.
    pub fn has(&self, package: &str, least: [u64; 3]) -> Option<bool> {
        self.of(package).and_then(numbers).map(|numbers| numbers >= least.to_vec())
    }

    /// All that is known, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, version)| (&**name, &**version))
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<String> = self.iter().map(|(name, version)| format!("{name} {version}")).collect();
        f.write_str(&all.join(", "))
    }
}

/// The numbers of a version.
fn numbers(version: &str) -> Option<Numbers> {
    let plain = version.trim().trim_start_matches('v').split(['-', '+']).next()?;
    plain.split('.').map(|part| part.parse().ok()).collect()
}

/// Versions of one package: `engine.io >=6.6.13`, `engine.io <6.6.13`, or both ends, `engine.io >=6.2.0 <6.6.13`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    package: String,
    from: Option<Numbers>,
    before: Option<Numbers>,
    text: String,
}

impl Range {
    /// Reads it.
    ///
    /// # Errors
    /// How it should be written.
    pub fn read(text: &str) -> Result<Range, String> {
        let wrong = || "write it like `engine.io >=6.2.0 <6.6.13`, with one end or both".to_owned();
        let mut words = text.split_whitespace();
        let package = words.next().filter(|name| !name.starts_with(['<', '>'])).ok_or_else(wrong)?.to_owned();
        let (mut from, mut before) = (None, None);
        for word in words {
            let (end, version) = match (word.strip_prefix(">="), word.strip_prefix('<')) {
                (Some(version), _) => (&mut from, version),
                (None, Some(version)) => (&mut before, version),
                (None, None) => return Err(wrong()),
            };
            *end = Some(numbers(version).filter(|_| end.is_none()).ok_or_else(wrong)?);
        }
        if from.is_none() && before.is_none() {
            return Err(wrong());
        }
        Ok(Range { package, from, before, text: text.to_owned() })
    }

    /// Whether a server is within; `None` where its version is not known.
    pub fn holds(&self, versions: &Versions) -> Option<bool> {
        let version = versions.of(&self.package).and_then(numbers)?;
        let reaches = self.from.as_ref().is_none_or(|from| version >= *from);
        Some(reaches && self.before.as_ref().is_none_or(|before| version < *before))
    }

    /// Its package.
    pub fn package(&self) -> &str {
        &self.package
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(text: &str) -> Versions {
        let mut versions = Versions::default();
        let (name, version) = Versions::read_one(text).expect("it is well written");
        versions.note(&name, &version);
        versions
    }

    #[test]
    fn lock_files_tell_the_versions_of_the_packages_that_matter() {
        let npm = r#"{"packages":{"node_modules/socket.io":{"version":"4.8.4"},"node_modules/engine.io":{"version":"6.6.13"},"node_modules/ws":{"version":"8.0.0"}}}"#;
        assert_eq!(Versions::of_lock(npm).to_string(), "engine.io 6.6.13, socket.io 4.8.4");
        let cargo = "version = 4\n[[package]]\nname = \"socketioxide\"\nversion = \"0.18.1\"\n[[package]]\nname = \"bytes\"\nversion = \"1.0.0\"\n";
        assert_eq!(Versions::of_lock(cargo).to_string(), "socketioxide 0.18.1");
        for garbage in ["", "{", "[[package]]", "[]", "[[package]]\nname=\nversion"] {
            assert!(Versions::of_lock(garbage).is_empty(), "{garbage:?}");
        }
    }

    #[test]
    fn the_folders_of_installed_python_packages_tell_their_versions() {
        let names = [
            "python_socketio-5.18.0.dist-info",
            "python_engineio-4.13.1.dist-info",
            "aiohttp-3.9.dist-info",
            "socketio",
        ];
        assert_eq!(
            Versions::of_installed(names).to_string(),
            "python-engineio 4.13.1, python-socketio 5.18.0"
        );
    }

    #[test]
    fn headers_tell_versions_only_where_they_name_an_engine() {
        let told = |text: &str| Versions::of_software(text).to_string();
        assert_eq!(told("Socketioxide/0.18.1 (linux)"), "socketioxide 0.18.1");
        assert_eq!(told("python-engineio/4.13.1, aiohttp/3.9"), "python-engineio 4.13.1");
        for other in ["", "Express", "nginx/1.22.0", "Python/3.13 aiohttp/3.9", "engine.io", "engine.io/x"] {
            assert_eq!(told(other), "", "{other}");
        }
    }

    #[test]
    fn a_range_holds_what_lies_between_its_ends() {
        let range = Range::read("engine.io >=6.2.0 <6.6.13").expect("it is well written");
        for (version, holds) in
            [("6.1.3", false), ("6.2.0", true), ("6.6.11", true), ("6.6.13", false), ("6.10.0", false)]
        {
            assert_eq!(range.holds(&versions(&format!("engine.io {version}"))), Some(holds), "{version}");
        }
        assert_eq!(range.holds(&versions("socket.io@4.8.4")), None);
        for wrong in ["", "engine.io", ">=6", "engine.io 6.6.13", "engine.io >=x", "engine.io >=6 >=7"] {
            assert!(Range::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_version_is_a_name_and_numbers() {
        assert_eq!(versions("@socket.io/bun-engine@0.1.2").of("@socket.io/bun-engine"), Some("0.1.2"));
        assert_eq!(versions("engine.io 6.6.13-beta.1").has("engine.io", [6, 6, 13]), Some(true));
        assert_eq!(versions("engine.io 6.1.3").has("engine.io", [6, 2, 0]), Some(false));
        for wrong in ["", "engine.io", "6.6.13", "engine.io latest"] {
            assert!(Versions::read_one(wrong).is_err(), "{wrong}");
        }
    }
}
