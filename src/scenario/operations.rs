//! What the script does to the server itself: `server: { kill: b }`, and the waits for its health.

use std::fmt;
use std::time::Duration;

use crate::document::{Fields, Key, Mistake, Node, Span, Value};
use crate::units::{self, Spelt};

use super::links::{self, Change, LinkRule};

/// The word under which the script acts on the server.
pub(super) const SERVER: &str = "server";

/// The word for a wait for its health alone.
pub(super) const AWAIT: &str = "await";

/// The word under which the script acts on links.
pub(super) const LINK: &str = "link";

/// The word under which the script acts on services.
pub(super) const SERVICE: &str = "service";

/// The word under which the script runs a command.
pub(super) const SHELL: &str = "shell";

/// How long a node may take to answer again, and a command to end, unless the step says otherwise.
const PATIENCE: Duration = Duration::from_secs(30);

/// A part of the server that can be ended and started again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A node.
    Node(String),
    /// A service beside the nodes.
    Service(String),
}

impl Part {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Part::Node(name) | Part::Service(name) => name,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Node(name) => write!(f, "node {name}"),
            Part::Service(name) => write!(f, "service {name}"),
        }
    }
}

/// One thing that is done to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// A part is stopped politely.
    Stop(Part),
    /// A part is ended at once.
    Kill(Part),
    /// A part that was stopped is started again, and is awaited until it answers.
    Start(Part),
    /// Both.
    Restart(Part),
    /// A part stands still for so long.
    Pause(Part, Duration),
    /// Every node is restarted, one after the other, with so long in between.
    Rolling(Duration),
    /// A node has to answer within so long.
    Answers(String, Duration),
    /// A broadcast from each node has to reach all others within so long.
    Whole(Duration),
    /// Something is done to the link of this name.
    Link(String, Change),
    /// A command is run, which has to end well within so long.
    Shell(String, Duration),
    /// Nothing is done for so long.
    Wait(Duration),
}

impl Operation {
    /// Whether it disturbs the server.
    pub fn disturbs(&self) -> bool {
        !matches!(self, Operation::Answers(..) | Operation::Whole(_) | Operation::Wait(_))
    }

    /// Whether it waits for the server's health.
    pub fn is_await(&self) -> bool {
        matches!(self, Operation::Answers(..) | Operation::Whole(_))
    }

    /// The part that it names.
    pub fn part(&self) -> Option<Part> {
        match self {
            Operation::Stop(part)
            | Operation::Kill(part)
            | Operation::Start(part)
            | Operation::Restart(part)
            | Operation::Pause(part, _) => Some(part.clone()),
            Operation::Answers(node, _) => Some(Part::Node(node.clone())),
            Operation::Rolling(_)
            | Operation::Whole(_)
            | Operation::Wait(_)
            | Operation::Link(..)
            | Operation::Shell(..) => None,
        }
    }

    /// What a threshold calls it that asks when all nodes heard each other again: `restart of b`. None where it does not disturb, or
    /// has no name of its own.
    pub fn called(&self) -> Option<String> {
        let (what, name) = match self {
            Operation::Stop(_) | Operation::Kill(_) => return None,
            Operation::Start(part) => ("start", part.name()),
            Operation::Restart(part) => ("restart", part.name()),
            Operation::Pause(part, _) => ("pause", part.name()),
            Operation::Link(name, change) => (change.called()?, name.as_str()),
            Operation::Rolling(_) => return Some("rolling restart".to_owned()),
            _ => return None,
        };
        Some(format!("{what} of {name}"))
    }

    /// Whether it asks if all nodes hear each other.
    pub fn asks_for_all(&self) -> bool {
        matches!(self, Operation::Whole(_))
    }

    /// How long it takes by what the scenario says alone.
    pub(super) fn lasts(&self) -> Duration {
        match self {
            Operation::Pause(_, length) | Operation::Wait(length) => *length,
            Operation::Link(_, change) => change.lasts(),
            _ => Duration::ZERO,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operation::Stop(part) => write!(f, "stop {part}"),
            Operation::Kill(part) => write!(f, "kill {part}"),
            Operation::Start(part) => write!(f, "start {part}"),
            Operation::Restart(part) => write!(f, "restart {part}"),
            Operation::Pause(part, length) => write!(f, "pause {part} for {}", Spelt(*length)),
            Operation::Rolling(every) => write!(f, "restart every node, with {} in between", Spelt(*every)),
            Operation::Answers(node, within) => {
                write!(f, "await that node {node} answers within {}", Spelt(*within))
            }
            Operation::Whole(within) => {
                write!(f, "await that all nodes hear each other within {}", Spelt(*within))
            }
            Operation::Link(name, change) => change.tell(name, f),
            Operation::Shell(command, _) => write!(f, "run `{command}`"),
            Operation::Wait(length) => write!(f, "wait for {}", Spelt(*length)),
        }
    }
}

/// What an act may be about, with the word for it and an example.
#[derive(Clone, Copy, Debug)]
pub(super) struct About {
    /// `the server`.
    what: &'static str,
    /// `node`.
    one: &'static str,
    example: &'static str,
    part: fn(String) -> Part,
    words: &'static [&'static str],
}

impl About {
    /// The nodes.
    pub(super) const NODES: About = About {
        what: "the server",
        one: "node",
        example: "write `- server: { restart: b }`",
        part: Part::Node,
        words: &["stop", "kill", "start", "restart", "pause", "rolling", "await", "wait"],
    };
    /// The services beside them.
    pub(super) const SERVICES: About = About {
        what: "a service",
        one: "service",
        example: "write `- service: { restart: redis }`",
        part: Part::Service,
        words: &["stop", "kill", "start", "restart", "pause", "await", "wait"],
    };

    /// Reads one operation or a list of them.
    pub(super) fn read(self, node: &Node) -> Result<Vec<Operation>, Mistake> {
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        match items.is_empty() {
            true => Err(self.nothing(node)),
            false => items.iter().map(|item| self.operation(item)).collect(),
        }
    }

    fn nothing(self, node: &Node) -> Mistake {
        node.mistake(format!("this step names no action on {}", self.what)).hint(self.example)
    }

    /// `{ kill: b }`, `{ pause: b, for: 5s }`, `{ rolling: { every: 10s } }`, `{ await: { … } }`, `{ wait: 5s }`.
    fn operation(self, node: &Node) -> Result<Operation, Mistake> {
        let About { what, one, .. } = self;
        let Value::Map(entries) = &node.value else {
            return Err(node
                .mistake(format!("expected what is done to {what}, found {}", node.describe()))
                .hint(self.example));
        };
        let fields = Fields::of(node, format!("what is done to {what}"))?;
        let given: Vec<&str> =
            self.words.iter().copied().filter(|word| fields.optional(word).is_some()).collect();
        let ([word], value) = (&given[..], given.first().and_then(|word| fields.optional(word))) else {
            let [(key, _), ..] = &entries[..] else { return Err(self.nothing(node)) };
            return Err(match given.len() {
                0 => key
                    .mistake(format!("unknown word `{}`", key.text))
                    .did_you_mean(&key.text, self.words.iter().copied())
                    .hint(format!("a {one} can be stopped, killed, started, restarted or paused")),
                _ => key
                    .mistake(format!("`{}` and `{}` are two things", given[0], given[1]))
                    .hint("make a list of them: `[ { kill: b }, { start: b } ]`"),
            });
        };
        let value = value.unwrap_or(node);
        let length = fields.optional("for");
        let part = || -> Result<Part, Mistake> { Ok((self.part)(value.word()?.to_owned())) };
        let operation = match *word {
            "stop" => Operation::Stop(part()?),
            "kill" => Operation::Kill(part()?),
            "start" => Operation::Start(part()?),
            "restart" => Operation::Restart(part()?),
            "pause" => Operation::Pause(part()?, units::duration(fields.required("for")?)?),
            "rolling" => Operation::Rolling(rolling(value)?),
            "await" => health(value)?,
            _ => Operation::Wait(units::duration(value)?),
        };
        if let Some(length) = length.filter(|_| *word != "pause") {
            return Err(length.mistake(format!("`{word}` takes no `for`")).hint("only `pause` does"));
        }
        fields.deny_others()?;
        Ok(operation)
    }
}

/// Reads `redis-cli flushall`, or `{ command: …, within: 1m }`.
pub(super) fn shell(node: &Node) -> Result<Operation, Mistake> {
    let hint = "write `- shell: redis-cli flushall`";
    let Value::Map(_) = &node.value else {
        let command = node.word().map_err(|mistake| mistake.hint(hint))?;
        return Ok(Operation::Shell(command.to_owned(), PATIENCE));
    };
    let fields = Fields::of(node, "`shell`")?;
    let (command, within) = (fields.required("command"), fields.optional("within"));
    fields.deny_others()?;
    let within = within.map_or(Ok(PATIENCE), units::duration)?;
    Ok(Operation::Shell(command?.word()?.to_owned(), within))
}

fn rolling(node: &Node) -> Result<Duration, Mistake> {
    let fields = Fields::of(node, "`rolling`")
        .map_err(|mistake| mistake.hint("write `- server: { rolling: { every: 10s } }`"))?;
    let every = units::duration(fields.required("every")?)?;
    fields.deny_others()?;
    Ok(every)
}

/// `{ node: b, answers: true, within: 20s }`, or `{ whole: true, within: 30s }`.
pub(super) fn health(node: &Node) -> Result<Operation, Mistake> {
    let fields = Fields::of(node, "`await`")?;
    let within = fields.optional("within").map_or(Ok(PATIENCE), units::duration)?;
    let (name, answers, whole) =
        (fields.optional("node"), fields.optional("answers"), fields.optional("whole"));
    fields.deny_others()?;
    for flag in [answers, whole].into_iter().flatten() {
        if !flag.bool()? {
            return Err(flag.mistake("only health is awaited").hint("write `true`, or leave it out"));
        }
    }
    match (name, whole) {
        (Some(name), None) => Ok(Operation::Answers(name.word()?.to_owned(), within)),
        (None, Some(_)) => Ok(Operation::Whole(within)),
        _ => Err(node
            .mistake("this does not say what to wait for")
            .hint("write `await: { node: b, answers: true }`, or `await: { whole: true }`")),
    }
}

/// That somebody asks whether all nodes hear each other, and no client can reach everyone.
pub(super) fn unseen(span: Span) -> Mistake {
    let what =
        "whether all nodes hear each other cannot be seen: no broadcast of the contract reaches everyone";
    Mistake::new(span, what).hint(
        "let clients of all nodes broadcast to rooms that they share, and write the threshold `delivery missing outside \
         disturbances == 0`",
    )
}

/// Reads what is done to links: one thing, or a list.
pub(super) fn of_links(node: &Node, known: &[LinkRule]) -> Result<Vec<Operation>, Mistake> {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    if items.is_empty() {
        return Err(node
            .mistake("nothing is done to a link here")
            .hint("write `- link: { redis: { cut: 5s } }`"));
    }
    items.iter().map(|item| of_link(item, known)).collect()
}

fn of_link(node: &Node, known: &[LinkRule]) -> Result<Operation, Mistake> {
    let hint = "write `- link: { redis: { cut: 5s } }`";
    let (key, value): &(Key, Node) = match node.map().map_err(|mistake| mistake.hint(hint))? {
        [entry] => entry,
        [] => return Err(node.mistake("nothing is done to a link here").hint(hint)),
        [_, (second, _), ..] => {
            return Err(second
                .mistake("these are two things")
                .hint("make a list of them: `- link: [ { redis: { reset: true } }, { wait: 1s } ]`"));
        }
    };
    match key.text.as_str() {
        "wait" => return Ok(Operation::Wait(units::duration(value)?)),
        AWAIT => return health(value),
        _ => {}
    }
    if !known.iter().any(|link| link.name == key.text) {
        let mistake = key.mistake(format!("unknown link `{}`", key.text));
        let names = known.iter().map(|link| link.name.as_str());
        return Err(match known.is_empty() {
            true => mistake.hint("name it above the script: `links: { redis: 127.0.0.1:6379 }`"),
            false => mistake.did_you_mean(&key.text, names),
        });
    }
    Ok(Operation::Link(key.text.clone(), links::change(value)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Source, parse};

    fn node(text: &str) -> Node {
        parse(&Source { name: "t".into(), text: text.into() }).expect("it is YAML")
    }

    fn told(text: &str) -> String {
        let links = [LinkRule { name: "redis".to_owned(), to: "127.0.0.1:6379".to_owned() }];
        match of_links(&node(text), &links) {
            Ok(operations) => operations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
            Err(mistake) => mistake.to_string(),
        }
    }

    #[test]
    fn what_is_done_to_a_link_is_told_in_words() {
        for (text, words) in [
            ("redis: { cut: 5s }", "cut link redis for 5s"),
            ("redis: { reset: true }", "reset link redis"),
            (
                "redis: { black_hole: 10s, direction: to_target }",
                "make link redis a black hole to its target for 10s",
            ),
            ("redis: { delay: 50ms, jitter: 20ms }", "slow link redis down: delay 50ms, jitter 20ms"),
            ("redis: { rate: 1MB/s, for: 3s }", "slow link redis down: 1000000 bytes a second, for 3s"),
            ("[ { redis: { restore: true } }, { wait: 1s } ]", "restore link redis; wait for 1s"),
        ] {
            assert_eq!(told(text), words);
        }
    }

    #[test]
    fn what_cannot_be_done_to_a_link_is_refused() {
        for (text, words) in [
            ("reddis: { cut: 5s }", "did you mean `redis`"),
            ("redis: { cut: 5s, delay: 1s }", "one at a time"),
            ("redis: { cut: 5s, direction: both }", "only bytes do"),
            ("redis: { cut: 5s, for: 5s }", "takes `for`"),
            ("redis: { reset: false }", "nothing is done"),
            ("redis: { rate: 1MB }", "1MB/s"),
            ("redis: { jitter: 20ms }", "nothing can be 20ms faster than at once, and there is no `delay`"),
            ("redis: { delay: 50ms, jitter: 80ms }", "and the delay is 50ms"),
            ("redis: {}", "one at a time"),
            ("[]", "nothing is done"),
        ] {
            assert!(told(text).contains(words), "{text}: {}", told(text));
        }
        for (text, words) in [
            ("wait: h:1", "called `wait`"),
            ("r: h:99999", "`99999` is no port"),
            ("r: \"h:\"", "`` is no port"),
            ("a-b: h:1", "letters"),
            ("{ a: h:1, A: h:1 }", "two links"),
        ] {
            let refused = links::read(&node(text)).expect_err(text).to_string();
            assert!(refused.contains(words), "{text}: {refused}");
        }
    }
}
