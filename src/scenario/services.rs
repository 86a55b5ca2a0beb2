//! Services: what a server needs beside its nodes (a broker, a database, a balancer), as commands that are started before them.
//! They stand under `services` of a scenario, or in a file of their own.

use std::path::Path;
use std::time::Duration;

use crate::document::{Fields, Mistake, Node, Source, Value, parse, render};
use crate::units;

/// A command that is started before the nodes, and stopped after them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRule {
    /// Its name.
    pub name: String,
    /// The command line.
    pub command: String,
    /// Where it listens; without it, a free port.
    pub port: Option<u16>,
    /// A text in the line of its output by which it says that it is ready; without it, it is ready when it listens.
    pub ready: Option<String>,
    /// How long it may take until it is ready; without it, as long as a server.
    pub within: Option<Duration>,
    /// How it is asked to end.
    pub stop_by: StopSignal,
}

/// The signal by which a service is asked to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGTERM.
    #[default]
    Term,
    /// SIGINT.
    Int,
    /// SIGQUIT.
    Quit,
}

impl StopSignal {
    pub(super) const ALL: [StopSignal; 3] = [StopSignal::Term, StopSignal::Int, StopSignal::Quit];

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        match self {
            StopSignal::Term => "SIGTERM",
            StopSignal::Int => "SIGINT",
            StopSignal::Quit => "SIGQUIT",
        }
    }
}

const EXAMPLE: &str = "write `services: { redis: redis-server --port $PORT }`";

/// Reads the services of a file of their own, or gives the report of the first mistake, ready to be shown.
pub fn services_in(path: &Path) -> Result<Vec<ServiceRule>, String> {
    let source =
        Source::read(path).map_err(|mistake| render(&mistake.hint_of_file(EXAMPLE), &Source::named(path)))?;
    parse(&source)
        .and_then(|root| of_file(&root))
        .map_err(|mistake| render(&mistake.hint_of_file(EXAMPLE), &source))
}

fn of_file(root: &Node) -> Result<Vec<ServiceRule>, Mistake> {
    let fields = Fields::of(root, "a file of services")?;
    let services = fields.required("services");
    fields.deny_others()?;
    read(services?)
}

/// Reads `{ redis: redis-server --port $PORT, db: { command: …, port: 5432, ready: accept connections } }`.
pub(super) fn read(node: &Node) -> Result<Vec<ServiceRule>, Mistake> {
    let mut services: Vec<ServiceRule> = Vec::new();
    for (key, value) in node.map().map_err(|mistake| mistake.hint(EXAMPLE))? {
        let name = &key.text;
        let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_plain {
            return Err(key
                .mistake(format!("no service can be called `{name}`"))
                .hint("its name is a part of variables: use letters, digits and `_`"));
        }
        if services.iter().any(|service| service.name.eq_ignore_ascii_case(name)) {
            return Err(key.mistake(format!("two services are called `{name}`, in capitals or not")));
        }
        services.push(service(name, value)?);
    }
    Ok(services)
}

fn service(name: &str, node: &Node) -> Result<ServiceRule, Mistake> {
    let plain = ServiceRule {
        name: name.to_owned(),
        command: String::new(),
        port: None,
        ready: None,
        within: None,
        stop_by: StopSignal::default(),
    };
    let Value::Map(_) = &node.value else {
        let command = node.word().map_err(|mistake| mistake.hint(EXAMPLE))?;
        return Ok(ServiceRule { command: command.to_owned(), ..plain });
    };
    let fields = Fields::of(node, "a service")?;
    let command = fields.required("command");
    let (port, ready) = (fields.optional("port"), fields.optional("ready"));
    let (within, stop_by) = (fields.optional("within"), fields.optional("stop_by"));
    fields.deny_others()?;
    Ok(ServiceRule {
        command: command?.word()?.to_owned(),
        port: port
            .map(|node| node.int_within(1..=65_535))
            .transpose()?
            .and_then(|port| u16::try_from(port).ok()),
        ready: ready.map(|node| node.word().map(str::to_owned)).transpose()?,
        within: within.map(units::duration).transpose()?,
        stop_by: stop_by.map(signal).transpose()?.unwrap_or_default(),
        ..plain
    })
}

fn signal(node: &Node) -> Result<StopSignal, Mistake> {
    let word = node.text()?;
    let found = StopSignal::ALL.into_iter().find(|signal| signal.name() == word);
    found.ok_or_else(|| {
        node.mistake(format!("unknown signal `{word}`"))
            .did_you_mean(word, StopSignal::ALL.map(StopSignal::name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<ServiceRule>, String> {
        let source = Source { name: "t".into(), text: text.into() };
        parse(&source).and_then(|root| read(&root)).map_err(|mistake| mistake.to_string())
    }

    #[test]
    fn a_service_is_a_command_or_a_map_that_says_more_of_it() {
        let text = "redis: redis-server --port ${PORT}\ndb: { command: postgres, port: 5432, ready: accept connections, within: 1m, stop_by: SIGINT }";
        let services = of(text).expect("it is right");
        assert_eq!((&*services[0].command, services[0].port), ("redis-server --port ${PORT}", None));
        let db = &services[1];
        assert_eq!((db.port, db.ready.as_deref()), (Some(5432), Some("accept connections")));
        assert_eq!((db.within, db.stop_by), (Some(Duration::from_secs(60)), StopSignal::Int));
    }

    #[test]
    fn what_is_no_service_is_refused() {
        for (text, words) in [
            ("redis: {}", "command"),
            ("redis: 5", "expected text"),
            ("a-b: x", "letters, digits"),
            ("{ a: x, A: y }", "two services"),
            ("a: { command: x, port: 70000 }", "65535"),
            ("a: { command: x, stop_by: SIGHUPP }", "unknown signal"),
            ("a: { command: x, until: y }", "unknown"),
            ("[ x ]", "expected a map"),
        ] {
            let refused = of(text).expect_err(text);
            assert!(refused.contains(words), "{text}: {refused}");
        }
    }
}
