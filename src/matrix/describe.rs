//! The file that describes a server: what it is, how it is installed and started, and what it is started with.

use std::time::Duration;

use crate::document::{Fields, Mistake, Node, Source, parse};
use crate::protocol::dialect::Version;
use crate::units;

/// What a file says of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Description {
    /// What it is, in a line.
    pub about: String,
    /// The language that it is written in.
    pub language: String,
    /// The licence of the library.
    pub licence: String,
    /// Where the library is at home.
    pub home: String,
    /// The command that installs it, which may be repeated.
    pub install: Option<String>,
    /// How it is started.
    pub start: Start,
    /// The version of Engine.IO with which it is played.
    pub protocol: Version,
    /// The heartbeats that it is started with: interval and timeout.
    pub heartbeats: Option<(Duration, Duration)>,
    /// How long it lets a client take to join a namespace.
    pub connect_timeout: Option<Duration>,
    /// How long it lets a client take to finish an upgrade.
    pub upgrade_timeout: Option<Duration>,
    /// How long it remembers lost clients.
    pub recovery: Option<Duration>,
    /// The command that prints the versions of what it stands on.
    pub versions: Option<String>,
    /// Areas of cases, or clauses, that the fixture cannot show, and why.
    pub cannot_judge: Vec<(String, String)>,
}

/// How a server is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// By this command.
    Command(String),
    /// Not at all, and why.
    NotRun(String),
}

/// Reads it.
///
/// # Errors
/// The first mistake.
pub(crate) fn describe(source: &Source) -> Result<Description, Mistake> {
    let root = parse(source)?;
    let fields = Fields::of(&root, "a server")?;
    let word = |node: &Node| node.word().map(str::to_owned);
    let text = |name| fields.required(name).and_then(word);
    let optional = |name| fields.optional(name).map(word).transpose();
    let (about, language, licence, home) = (text("about"), text("language"), text("licence"), text("home"));
    // It is for readers of the folder.
    let fixture = optional("fixture");
    let (install, versions) = (optional("install"), optional("versions"));
    let start = fields.one_of(&["start", "not_run"]).and_then(|(name, node)| {
        let line = word(node)?;
        Ok(if name == "start" { Start::Command(line) } else { Start::NotRun(line) })
    });
    let protocol = fields.optional("protocol").map_or(Ok(Version::V4), |node| {
        Version::of(node.int()?).ok_or_else(|| node.mistake("expected 3 or 4, the version of Engine.IO"))
    });
    let heartbeats = fields.optional("heartbeats").map(heartbeats).transpose();
    let timeouts = fields.optional("timeouts").map(timeouts).transpose();
    let cannot_judge = fields.optional("cannot_judge").map_or(Ok(Vec::new()), |node| {
        node.map()?.iter().map(|(key, why)| Ok((key.text.clone(), word(why)?))).collect()
    });
    fields.deny_others()?;
    fixture?;
    let [connect_timeout, upgrade_timeout, recovery] = timeouts?.unwrap_or_default();
    Ok(Description {
        about: about?,
        language: language?,
        licence: licence?,
        home: home?,
        install: install?,
        start: start?,
        protocol: protocol?,
        heartbeats: heartbeats?,
        connect_timeout,
        upgrade_timeout,
        recovery,
        versions: versions?,
        cannot_judge: cannot_judge?,
    })
}

fn heartbeats(node: &Node) -> Result<(Duration, Duration), Mistake> {
    let fields = Fields::of(node, "`heartbeats`")?;
    let (interval, timeout) = (fields.required("interval"), fields.required("timeout"));
    fields.deny_others()?;
    Ok((units::positive_duration(interval?)?, units::positive_duration(timeout?)?))
}

fn timeouts(node: &Node) -> Result<[Option<Duration>; 3], Mistake> {
    let fields = Fields::of(node, "`timeouts`")?;
    let time = |name| fields.optional(name).map(units::positive_duration).transpose();
    let (connect, upgrade, recovery) = (time("connect"), time("upgrade"), time("recovery"));
    fields.deny_others()?;
    Ok([connect?, upgrade?, recovery?])
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &str = "about: A server\nlanguage: Rust\nlicence: MIT\nhome: https://example.org/server\n";

    fn read(more: &str) -> Result<Description, String> {
        let source = Source { name: "server.yaml".to_owned(), text: format!("{KNOWN}{more}") };
        describe(&source).map_err(|mistake| mistake.message)
    }

    #[test]
    fn a_server_is_read_with_all_that_it_is_started_with() {
        let more = "start: node server.js\nprotocol: 3\nheartbeats: { interval: 300ms, timeout: 1s }\n\
                    timeouts: { upgrade: 2s }\ncannot_judge: { binary: bytes become text }\n";
        let read = read(more).expect("it is well written");
        assert_eq!(read.start, Start::Command("node server.js".to_owned()));
        assert_eq!(read.protocol, Version::V3);
        assert_eq!(read.heartbeats, Some((Duration::from_millis(300), Duration::from_secs(1))));
        assert_eq!((read.connect_timeout, read.upgrade_timeout), (None, Some(Duration::from_secs(2))));
        assert_eq!(read.cannot_judge, [("binary".to_owned(), "bytes become text".to_owned())]);
    }

    #[test]
    fn what_cannot_be_is_refused_in_words() {
        for (more, words) in [
            ("", "needs one of `start`, `not_run`"),
            ("start: a\nnot_run: b\n", "takes only one of"),
            ("start: a\nprotocol: 5\n", "expected 3 or 4"),
            ("start: a\nheartbeats: 1s\n", "expected a map of fields for `heartbeats`"),
            ("start: [a]\n", "expected text"),
            ("start: a\nstrat: b\n", "strat"),
        ] {
            let refused = read(more).expect_err("it cannot be");
            assert!(refused.contains(words), "{refused}");
        }
    }
}
