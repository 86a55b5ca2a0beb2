//! A scenario: from the tree of a file to a model that cannot be wrong.
//!
//! A [`Scenario`] is groups of clients and a script of acts, with what the author says about it, and the demands on
//! the whole run. Everything that can be known to be wrong before a connection is made is refused here, with its
//! place. Reads files only through [`Surroundings`]. Uses [`crate::step`] for the steps and
//! [`crate::contract`] for how the server is asked; the plan is made from it.

mod asks;
mod blanks;
mod captured;
mod explain;
mod foreign;
mod given;
mod groups;
mod known;
mod links;
mod load;
mod operations;
mod overrides;
mod rows;
mod samples;
pub mod schema;
mod script;
mod search;
mod services;
pub mod starter;
mod surroundings;
#[cfg(test)]
mod tests;
mod uncaptured;
mod unison;

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::contract::Contract;
use crate::document::{Fields, Mistake, Node, Source, Span, Value, parse, render, render_warning};
use crate::observe::Label;
use crate::protocol::dialect::{Parser, Version};
use crate::session::Transport;
use crate::step::{self, Reading, Tempo};
use crate::template::{self, Scope, Shared, Template};
use crate::threshold::{Subject, Threshold};
use crate::units;

pub use crate::template::Timings;
pub(crate) use blanks::BLANK;
pub use explain::explain;
pub use given::GivenContract;
pub use groups::Group;
use known::Known;
pub use links::{Change, Direction, LinkRule};
pub use load::Load;
pub use operations::{Operation, Part};
pub use overrides::Overrides;
pub(crate) use overrides::{clients_from, variable_from};
pub use rows::Rows;
pub use samples::predictions;
pub use script::Act;
pub use search::{Axis, Range, load_from};
pub use services::{ServiceRule, StopSignal, services_in};
pub use surroundings::{Outside, Surroundings};

/// The most clients that a scenario may have, in all groups together.
pub const MOST_CLIENTS: u32 = 1_000_000;

/// The most nodes that a server can have: each pair of them has figures of its own.
pub const MOST_NODES: usize = 32;

/// What a file says, checked.
#[derive(Debug)]
pub struct Scenario {
    /// What it shows, in a line.
    pub name: String,
    /// Why, in a paragraph.
    pub about: Option<String>,
    /// Where the rule is written that it examines.
    pub spec: Vec<String>,
    /// Which clauses of the conformance catalogue it examines.
    pub clause: Vec<String>,
    /// How binding that rule is.
    pub level: Level,
    /// What the server has to offer beside the protocol.
    pub needs: Vec<Need>,
    /// Over which transports the groups that name none are played in turn; none is the default transport alone.
    pub transports: Vec<Transport>,
    /// In which versions of the protocol it holds: those in which `conform` plays it.
    pub protocols: Vec<Version>,
    /// About how long a healthy server lets it take, where that is long; else zero.
    pub takes: Duration,
    /// Who takes part.
    pub groups: Vec<Group>,
    /// The proxies that stand between the server and what it needs, or between clients and a node.
    pub links: Vec<LinkRule>,
    /// What the server needs beside its nodes.
    pub services: Vec<ServiceRule>,
    /// How the server is asked for things.
    pub contract: Contract,
    /// What clients whose group says nothing of it send with `CONNECT` to these namespaces.
    pub credentials: Vec<(String, Template)>,
    /// What they do.
    pub script: Vec<Act>,
    /// How the deliveries are audited, if they are.
    pub audit: Option<AuditRule>,
    /// What is demanded of the whole run.
    pub thresholds: Vec<Threshold>,
    /// What a search for the highest load raises, and between which loads.
    pub capacity: Range,
    /// How many places for values of its own each client needs ([`crate::template::Slot::index`]).
    pub slots: usize,
    /// Which values of clients other clients ask for.
    pub shared: Vec<Shared>,
    /// What the command line has put in the place of what the file says: `--clients 500`.
    pub overrides: Vec<String>,
    /// The labels of steps; [`crate::observe::Label`] counts them from 1.
    pub labels: Vec<String>,
    /// Which groups and labels thresholds ask about, each once.
    pub asked: Vec<Asked>,
    /// What is no mistake, but may not be meant: reports that are ready to be shown.
    pub warnings: Vec<String>,
}

impl Scenario {
    /// How many clients take part, in all groups together.
    pub fn clients(&self) -> u32 {
        self.groups.iter().map(|group| group.count).sum()
    }

    /// Lets clients use this parser for which it names none.
    pub fn speak(&mut self, parser: Parser) {
        self.groups.iter_mut().for_each(|group| _ = group.parser.get_or_insert(parser));
    }

    /// The names of the groups and labels about which thresholds ask, in the order of [`Scenario::asked`].
    pub fn asked_names(&self) -> Vec<String> {
        let name = |asked: &Asked| match asked {
            Asked::Group(group) => self.groups[*group as usize].name.clone(),
            Asked::Label(label) => self.labels[usize::from(label.0) - 1].clone(),
        };
        self.asked.iter().map(name).collect()
    }
}

/// A group or a label about which some threshold asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A group, by its index.
    Group(u32),
    /// A label.
    Label(Label),
}

impl Scenario {
    /// About how long a run takes, by what the scenario says of arrivals, pauses and rounds. None where it says nothing.
    pub fn lasts(&self) -> Option<Duration> {
        let arrivals =
            self.groups.iter().map(|group| group.arrival.last(group.count)).max().unwrap_or_default();
        Some(arrivals.saturating_add(script::lasts(&self.script))).filter(|time| !time.is_zero())
    }
}

/// How binding the rule is that a scenario examines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The specification demands it. A deviation fails the run.
    #[default]
    Must,
    /// The specification recommends or implies it. A deviation is a warning.
    Should,
    /// The official server does it. A deviation is a note.
    Official,
}

impl Level {
    /// Every level, the most binding first.
    pub const ALL: [Level; 3] = [Level::Must, Level::Should, Level::Official];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Level::Must => "must",
            Level::Should => "should",
            Level::Official => "official",
        }
    }
}

/// What a server has to offer beside the protocol, for a scenario to say anything about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// The events of the official test suites: `message`, `message-with-ack`, `auth`; the namespace `/custom`.
    Echo,
    /// The events of the fixture: `t:join`, `t:cast` and so on; the namespaces `/dyn-…` and `/guard`.
    Fixture,
    /// The events of a contract: those of the fixture, unless another contract is given from outside.
    Contract,
    /// Connection state recovery is switched on.
    Recovery,
    /// It is switched off.
    NoRecovery,
    /// HTTP long-polling is offered.
    Polling,
    /// WebSockets are offered.
    Websocket,
    /// A long-polling session can be upgraded to a WebSocket.
    Upgrade,
    /// Pages of other origins may read the responses.
    Cors,
    /// The handshake tells the longest payload: that came with engine.io 6.2.
    #[serde(rename = "max_payload")]
    MaxPayload,
    /// Requests need not tell the length of their bodies beforehand.
    Chunked,
    /// An upgrade may stay unfinished as long as was told: what ends sooner was ended for another reason.
    #[serde(rename = "upgrade_time")]
    UpgradeTime,
    /// A client that joins no namespace is put out when it was told: who stays longer stays for another reason.
    #[serde(rename = "connect_time")]
    ConnectTime,
    /// The server has several nodes.
    Nodes,
}

impl Need {
    /// Every need.
    pub const ALL: [Need; 14] = [
        Need::Echo,
        Need::Fixture,
        Need::Contract,
        Need::Recovery,
        Need::NoRecovery,
        Need::Polling,
        Need::Websocket,
        Need::Upgrade,
        Need::Cors,
        Need::MaxPayload,
        Need::Chunked,
        Need::UpgradeTime,
        Need::ConnectTime,
        Need::Nodes,
    ];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Need::Echo => "echo",
            Need::Fixture => "fixture",
            Need::Contract => "contract",
            Need::Recovery => "recovery",
            Need::NoRecovery => "no_recovery",
            Need::Polling => "polling",
            Need::Websocket => "websocket",
            Need::Upgrade => "upgrade",
            Need::Cors => "cors",
            Need::Chunked => "chunked",
            Need::UpgradeTime => "upgrade_time",
            Need::ConnectTime => "connect_time",
            Need::Nodes => "nodes",
            Need::MaxPayload => "max_payload",
        }
    }
}

/// What makes a file a scenario, for those who have given another one.
pub(crate) const WHAT_IT_IS: &str = "a scenario has at least `name`, `clients` and `script`";

/// Reads the scenario that stands in a file, or gives the report of the first mistake, ready to be shown.
pub fn load(path: &Path) -> Result<Scenario, String> {
    let source = Source::read(path)
        .map_err(|mistake| render(&mistake.hint_of_file(WHAT_IT_IS), &Source::named(path)))?;
    read(&source, &Surroundings::of(path)).map_err(|mistake| render(&mistake, &source))
}

/// Reads a scenario, or tells the first mistake in it.
pub fn read(source: &Source, surroundings: &Surroundings) -> Result<Scenario, Mistake> {
    let root = parse(source).map_err(|mistake| mistake.hint_of_file(WHAT_IT_IS))?;
    let overrides = surroundings.overrides();
    let scenario = read_at(&root, surroundings, 1.0)?;
    // How fast the rounds are to be is known when it is known how many all steps make of them.
    let speed = overrides.speed(Load::of(&scenario).rounds).map_err(|mistake| {
        let script = scenario.script.first().map_or(root.span, Act::span);
        mistake.at(script)
    });
    let scenario = match speed? {
        1.0 => scenario,
        speed => read_at(&root, surroundings, speed)?,
    };
    let blanks = blanks::warnings(&root, &overrides.vars);
    let warnings = foreign::warnings(&root).into_iter().chain(uncaptured::warnings(&root)).chain(blanks);
    let warnings = warnings.chain(unison::warnings(&root));
    let warnings = warnings.map(|warning| render_warning(&warning, source)).collect();
    Ok(Scenario { warnings, ..scenario })
}

/// Reads it with the rounds of its `repeat`s so many times as fast as it says.
fn read_at(root: &Node, surroundings: &Surroundings, speed: f64) -> Result<Scenario, Mistake> {
    let overrides = surroundings.overrides();
    let fields = Fields::of(root, "the scenario")?;
    let name = fields.required("name");
    let about = fields.optional("about");
    let spec = fields.optional("spec");
    let clause = fields.optional("clause");
    let level = fields.optional("level");
    let needs = fields.optional("needs");
    let transports = fields.optional("transports");
    let protocols = fields.optional("protocols");
    let protocol = fields.optional("protocol").map(groups::protocol).transpose()?;
    let parser = fields.optional("parser").map(groups::parser).transpose()?;
    let takes = fields.optional("takes");
    let clients = fields.required("clients");
    let vars = fields.optional("vars");
    let contract = fields.optional("contract");
    let links = fields.optional("links");
    let services = fields.optional("services").map(services::read).transpose()?.unwrap_or_default();
    let script = fields.required("script");
    let audit = fields.optional("audit");
    let thresholds = fields.optional("thresholds");
    let capacity = fields.optional("capacity");
    fields.deny_others()?;

    let name = name?.word()?.to_owned();
    let about = about.map(|node| node.word().map(|text| text.trim_end().to_owned())).transpose()?;
    let spec = spec.map_or(&[][..], Node::items).iter().map(|node| node.word().map(str::to_owned));
    let spec = spec.collect::<Result<_, _>>()?;
    let clause = clause.map_or(&[][..], Node::items).iter().map(|node| node.word().map(str::to_owned));
    let clause = clause.collect::<Result<_, _>>()?;
    let level = level.map_or(Ok(Level::default()), |node| one_of(node, "level", Level::ALL, Level::name))?;
    let needs = needs.map_or(&[][..], Node::items).iter();
    let needs: Vec<Need> =
        needs.map(|node| one_of(node, "need", Need::ALL, Need::name)).collect::<Result<_, _>>()?;
    let transports = transports.map_or(&[][..], Node::items).iter().map(step::transport);
    let transports = transports.collect::<Result<_, _>>()?;
    let protocols = match protocols {
        Some(node) => node.items().iter().map(groups::protocol).collect::<Result<_, _>>()?,
        None => vec![Version::V4],
    };
    let environment = surroundings.environment();
    let mut scope = Scope::new(move |name| environment(name)).with_server(surroundings.server());
    let takes = match takes {
        Some(node) => {
            let node = template::constant(node, "a time", &mut scope)?;
            units::duration(&node)?
        }
        None => Duration::ZERO,
    };
    // A scenario that is written in the words of whatever contract there is takes the one from outside.
    let given = surroundings.contract().filter(|_| contract.is_none() && needs.contains(&Need::Contract));
    let mut vars = overrides.variables(vars, root.span)?;
    if let Some(given) = given {
        vars = given.variables(vars, root.span)?;
    }
    let capacity = capacity.map_or(Ok(Range::default()), |node| search::read(node, vars.as_deref()))?;
    let mut groups = groups::read(clients?, (vars.as_deref(), given), &mut scope, surroundings)?;
    for group in &mut groups {
        group.protocol = group.protocol.or(protocol);
        group.parser = group.parser.or(parser);
    }
    let everyone: Vec<usize> = (0..groups.len()).collect();
    scope.act(&everyone);
    let contract_node = contract.or(given.map(GivenContract::node));
    let mut contract = match contract_node {
        Some(node) => {
            let captured = script.as_ref().map(|script| captured::names(node, script)).unwrap_or_default();
            scope.with_captured(&captured, |scope| Contract::read(node, scope))?
        }
        None if needs.contains(&Need::Fixture) || needs.contains(&Need::Contract) => Contract::fixture(),
        None => Contract::fixture().without_fence(),
    };
    let credentials = given.map_or(Ok(Vec::new()), |given| given.credentials(&mut scope))?;
    let mut reading = Reading::new(&mut scope, &contract, Tempo { length: overrides.duration, speed });
    let script_node = script?;
    let known = Known::of(vars.as_deref())?;
    let links = links.map(|node| known.resolve(node, "where a link leads", reading.scope)).transpose()?;
    let links = links.as_ref().map_or(Ok(Vec::new()), links::read)?;
    let script = script::read(script_node, &groups, &links, &known, &mut reading)?;
    overrides.deny_unheeded(reading.has_prolonged()).map_err(|mistake| mistake.at(script_node.span))?;
    let audit = audit.map_or(Ok(Some(AuditRule::default())), read_audit)?;
    let labels: Vec<String> = reading.labels().iter().map(|(name, _)| name.clone()).collect();
    let mut asked = Parts { groups: &groups, labels: &labels, all: Vec::new() };
    asked.refuse_doubles(reading.labels())?;
    let mut find = |name: &str| asked.find(name);
    let mut thresholds: Vec<Threshold> = match thresholds {
        None => Vec::new(),
        Some(node) => {
            node.list()?.iter().map(|node| Threshold::read(node, &mut find)).collect::<Result<_, _>>()?
        }
    };
    thresholds.extend(overrides.thresholds(root.span, &mut find)?);
    let called = script::called(&script);
    let is_never =
        |threshold: &&Threshold| threshold.after.as_ref().is_some_and(|after| !called.contains(after));
    if let Some(threshold) = thresholds.iter().find(is_never) {
        let after = threshold.after.as_deref().unwrap_or_default();
        return Err(Mistake::new(threshold.span, format!("the script has no {after}"))
            .did_you_mean(after, called.iter().map(String::as_str))
            .hint("write `time to whole after restart of b < 15 s`, and `- server: { restart: b }` in the script"));
    }
    if let Some(threshold) = thresholds.iter().find(|threshold| threshold.after.is_some())
        && !contract.can_reach_everyone()
    {
        return Err(operations::unseen(threshold.span));
    }
    let thresholds = if overrides.checks_only { Vec::new() } else { numbered(thresholds) };
    let asked = if overrides.checks_only { Vec::new() } else { asked.all };
    if let Some(node) = contract_node {
        contract.read_rooms(node, &mut scope)?;
    }
    if let Some((slot, span)) = scope.unused() {
        let name = &slot.name;
        return Err(Mistake::new(span, format!("the variable `{name}` is never used"))
            .hint(format!("write `${{{name}}}` where it belongs, or remove it")));
    }
    let (slots, shared) = (scope.slots().len(), scope.shared().to_vec());
    Ok(Scenario {
        name,
        about,
        spec,
        clause,
        level,
        needs,
        transports,
        protocols,
        takes,
        groups,
        links,
        services,
        contract,
        credentials,
        script,
        audit,
        thresholds,
        capacity,
        slots,
        shared,
        overrides: overrides.words(),
        labels,
        asked,
        warnings: Vec::new(),
    })
}

/// The same with their numbers among those that ask about the arguments of answers.
fn numbered(mut thresholds: Vec<Threshold>) -> Vec<Threshold> {
    let numbers = thresholds.iter_mut().filter_map(|threshold| match &mut threshold.subject {
        Subject::Matching(_, number) => Some(number),
        _ => None,
    });
    numbers.enumerate().for_each(|(place, number)| *number = place);
    thresholds
}

/// The groups and labels that thresholds name.
struct Parts<'a> {
    groups: &'a [Group],
    labels: &'a [String],
    all: Vec<Asked>,
}

impl Parts<'_> {
    /// The place of a name among those that are asked about. The mistake stands nowhere.
    fn find(&mut self, name: &str) -> Result<usize, Mistake> {
        let group = self.groups.iter().position(|group| group.name == name).map(|at| Asked::Group(at as u32));
        let label =
            || Some(Asked::Label(Label(self.labels.iter().position(|label| label == name)? as u8 + 1)));
        let Some(part) = group.or_else(label) else {
            let names = self.groups.iter().map(|group| group.name.as_str());
            let names = names.chain(self.labels.iter().map(String::as_str));
            let mistake = Mistake::new(Span::default(), format!("unknown group or label `{name}`"));
            return Err(mistake.did_you_mean(name, names));
        };
        let known = self.all.iter().position(|known| *known == part);
        Ok(known.unwrap_or_else(|| {
            self.all.push(part);
            self.all.len() - 1
        }))
    }

    /// Refuses a label that is called like a group.
    fn refuse_doubles(&self, labels: &[(String, Span)]) -> Result<(), Mistake> {
        let double = labels.iter().find(|(label, _)| self.groups.iter().any(|group| group.name == *label));
        double.map_or(Ok(()), |(label, span)| {
            let message = format!("`{label}` is a group, so a threshold could not tell the label from it");
            Err(Mistake::new(*span, message).hint("choose another name"))
        })
    }
}

/// How long a message may take to arrive before the audit says that it is missing.
const WINDOW: Duration = Duration::from_secs(10);

/// The least that this may be: workers tell each other ten times a second of what their clients sent.
const LEAST_WINDOW: Duration = Duration::from_secs(1);

/// How long it may take until what happened at one node of the server is known at the others.
const SPREAD: Duration = Duration::from_secs(1);

/// How the deliveries are audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuditRule {
    /// How long a message may take to arrive before it is missing.
    pub window: Duration,
    /// How long it may take until what happened at one node of the server is known at the others, if the scenario says so.
    pub spread: Option<Duration>,
}

impl AuditRule {
    /// How long it may take until what happened at one node of the server is known at the others. Where the server has one
    /// node, it is behind others only if the scenario says so.
    pub fn spread(self, nodes: usize) -> Duration {
        self.spread.unwrap_or(if nodes > 1 { SPREAD } else { Duration::ZERO })
    }
}

impl Default for AuditRule {
    fn default() -> AuditRule {
        AuditRule { window: WINDOW, spread: None }
    }
}

/// `audit: false`, or `audit: { window: 5s, spread: 1s }`.
fn read_audit(node: &Node) -> Result<Option<AuditRule>, Mistake> {
    match node.value {
        Value::Bool(false) => return Ok(None),
        Value::Bool(true) => return Ok(Some(AuditRule::default())),
        _ => {}
    }
    // `off` and `no` have a hint of their own.
    if let Err(wanted) = node.bool()
        && wanted.hint.is_some()
    {
        return Err(wanted);
    }
    let fields = Fields::of(node, "the audit")?;
    let (window, spread) = (fields.optional("window"), fields.optional("spread"));
    fields.deny_others()?;
    let mut rule = AuditRule::default();
    if let Some(node) = window {
        rule.window = units::duration(node)?;
        if rule.window < LEAST_WINDOW {
            return Err(node.mistake("a message needs some time to arrive").hint("give it at least `1s`"));
        }
    }
    if let Some(node) = spread {
        rule.spread = Some(units::duration(node)?);
    }
    match spread.filter(|_| rule.spread.is_some_and(|spread| spread > rule.window)) {
        Some(node) => Err(node
            .mistake(
                "what is on its way between nodes for longer than the window is missing before it can arrive",
            )
            .hint("let the spread be no longer than the window")),
        None => Ok(Some(rule)),
    }
}

/// The member of a closed list that a value names.
fn one_of<T: Copy, const N: usize>(
    node: &Node,
    what: &str,
    all: [T; N],
    name: fn(T) -> &'static str,
) -> Result<T, Mistake> {
    let word = node.text()?;
    all.into_iter()
        .find(|member| name(*member) == word)
        .ok_or_else(|| node.mistake(format!("unknown {what} `{word}`")).did_you_mean(word, all.map(name)))
}
