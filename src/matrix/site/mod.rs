//! The site about many servers: an index, a page a server, a page a clause. Files that need nothing but each other.

mod clause;
mod index;
mod server;
mod versions;

use std::collections::BTreeSet;

use super::result::{ServerEntry, ServersResult};
use super::standing::{Stand, Standing, standings};
use crate::measure::format;
use crate::report::block::{Filter, Report, Style, Text};
use crate::report::{assets_of_site, page_of_site};

pub(crate) use index::index;

/// More of the frames of a deviation are not shown, the last ones.
const MOST_FRAMES: usize = 12;

/// The files of the site: their names and their texts.
pub(crate) fn site(result: &ServersResult) -> Vec<(String, String)> {
    let all = View::of(result);
    let mut files: Vec<(String, String)> =
        assets_of_site().into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    let mut add = |name: String, report: &Report| files.push((name, page_of_site(report)));
    add("index.html".to_owned(), &index::index(result));
    for (server, standings) in &all.0 {
        add(server_file(&server.name), &server::page(result, server, standings));
    }
    for clause in all.clauses() {
        add(clause_file(clause), &clause::page(result, &all, clause));
    }
    files
}

/// The servers, each with what it does about the clauses.
struct View<'r>(Vec<(&'r ServerEntry, Vec<Standing<'r>>)>);

impl<'r> View<'r> {
    fn of(result: &'r ServersResult) -> View<'r> {
        View(result.servers.iter().map(|server| (server, standings(result, server))).collect())
    }

    /// The clauses that were judged on some server, and those that could not be.
    fn clauses(&self) -> BTreeSet<&str> {
        let all = self.0.iter().flat_map(|(_, standings)| standings);
        all.filter(|one| one.stand != Stand::NotPlayed).map(|one| &*one.clause).collect()
    }

    /// What each server does about a clause, where it was played.
    fn about<'s>(&'s self, clause: &'s str) -> impl Iterator<Item = (&'r ServerEntry, &'s Standing<'r>)> {
        self.0.iter().filter_map(move |(server, standings)| {
            Some((*server, standings.iter().find(|one| one.clause == clause)?))
        })
    }
}

/// A name of a file that leads nowhere else, whatever a result says.
fn file(kind: &str, name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    format!("{kind}-{}.html", name.chars().map(plain).collect::<String>())
}

fn server_file(name: &str) -> String {
    file("server", name)
}

fn clause_file(id: &str) -> String {
    file("clause", id)
}

fn to_server(name: &str) -> Text {
    Text::default().styled(name, Style::Page(server_file(name)))
}

fn to_clause(id: &str) -> Text {
    Text::default().styled(id, Style::Page(clause_file(id)))
}

/// By what a row is found.
fn found_by(words: String) -> Option<Filter> {
    Some(Filter { any: Vec::new(), level: "row", words })
}

/// The versions of a server in a line.
fn versions_in_words(server: &ServerEntry) -> String {
    let all = server.versions.iter().map(|one| format!("{} {}", one.name, one.version));
    all.collect::<Vec<_>>().join(", ")
}

/// The heartbeats that a server was played with, as its handshake told them.
fn heartbeats(server: &ServerEntry) -> Option<String> {
    let timings = server.suite.as_ref()?.timings;
    let time = |micros| format::duration(std::time::Duration::from_micros(micros));
    Some(format!("{} + {}", time(timings.ping_interval_us), time(timings.ping_timeout_us)))
}

#[cfg(test)]
mod tests;
