//! A scenario in words, for `sockrates check`: who takes part, what they do, what is sent, what is demanded.

use std::fmt::Write;

use super::{Act, Group, Need, Scenario, predictions};
use crate::protocol::dialect::Parser;
use crate::session::Transport;
use crate::step::Numbered;
use crate::units::Spelt;

/// What helps where thresholds cannot be judged.
const MORE: &str =
    "play it longer or with more clients, or leave the thresholds out: `sockrates run --checks-only`";

/// The scenario in words, several lines with a line feed after each.
pub fn explain(scenario: &Scenario) -> String {
    let mut told = Told { scenario, text: String::new() };
    told.head();
    told.clients();
    told.services();
    told.links();
    told.line(0, "");
    told.line(0, "script");
    told.acts(&scenario.script, 1);
    told.sum();
    told.thresholds();
    for warning in &scenario.warnings {
        told.line(0, "");
        told.line(0, warning.trim_end());
    }
    told.text
}

impl Scenario {
    /// What a list of scenarios says of it: level, needs, contract, clients, name.
    pub(crate) fn row(&self) -> Vec<String> {
        let contract = match (self.contract.is_default(), self.default_events().is_empty()) {
            (true, true) => "none",
            (true, false) => "default",
            (false, _) => "its own",
        };
        let clients = self.clients().to_string();
        vec![
            self.level.name().to_owned(),
            self.needs_in_words(),
            contract.to_owned(),
            clients,
            self.name.clone(),
        ]
    }

    /// What a list of conformance cases says of it: level, needs, clauses, sources.
    pub(crate) fn row_of_case(&self) -> Vec<String> {
        vec![
            self.level.name().to_owned(),
            self.needs_in_words(),
            self.clause.join(", "),
            self.spec.join("; "),
        ]
    }

    fn needs_in_words(&self) -> String {
        self.needs.iter().copied().map(Need::name).collect::<Vec<_>>().join(", ")
    }
}

struct Told<'s> {
    scenario: &'s Scenario,
    text: String,
}

impl Told<'_> {
    fn line(&mut self, depth: usize, text: impl AsRef<str>) {
        let text = text.as_ref();
        let indent = if text.is_empty() { 0 } else { depth * 2 };
        writeln!(self.text, "{:indent$}{text}", "").unwrap_or_default();
    }

    fn head(&mut self) {
        let scenario = self.scenario;
        self.line(0, &scenario.name);
        if let Some(about) = &scenario.about {
            about.lines().for_each(|line| self.line(1, line.trim()));
        }
        self.line(1, format!("level: {}", scenario.level.name()));
        if !scenario.needs.is_empty() {
            let needs: Vec<&str> = scenario.needs.iter().map(|need| need.name()).collect();
            self.line(1, format!("needs: {}", needs.join(", ")));
        }
        if !scenario.clause.is_empty() {
            self.line(1, format!("clause: {}", scenario.clause.join(", ")));
        }
        if !scenario.transports.is_empty() {
            let transports: Vec<&str> =
                scenario.transports.iter().map(|transport| transport.name()).collect();
            self.line(1, format!("over: {}", transports.join(", ")));
        }
        if !scenario.takes.is_zero() {
            self.line(1, format!("takes: about {}", Spelt(scenario.takes)));
        }
        self.line(1, format!("contract: {}", contract(scenario)));
        for spec in &scenario.spec {
            self.line(1, format!("spec: {spec}"));
        }
        if !scenario.overrides.is_empty() {
            self.line(1, format!("changed: {}", scenario.overrides.join(" ")));
        }
        self.line(0, "");
    }

    fn clients(&mut self) {
        let clients: u64 = self.scenario.groups.iter().map(|group| u64::from(group.count)).sum();
        self.line(0, format!("clients: {}", counted(clients, "client")));
        let default = self.scenario.transports.first().copied().unwrap_or_default();
        let rows: Vec<[String; 5]> = self.scenario.groups.iter().map(|group| row(group, default)).collect();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..5).map(width).collect();
        for [name, count, transport, namespace, more] in &rows {
            let line = format!(
                "{name:<0$}  {count:>1$}  {transport:<2$}  {namespace:<3$}  {more}",
                widths[0], widths[1], widths[2], widths[3]
            );
            self.line(1, line.trim_end());
        }
    }

    fn services(&mut self) {
        for service in &self.scenario.services {
            let words =
                format!("service {}: started before the nodes by `{}`", service.name, service.command);
            self.line(0, words);
        }
    }

    fn links(&mut self) {
        for link in &self.scenario.links {
            self.line(0, format!("link {}: leads to {}", link.name, link.to));
        }
    }

    fn acts(&mut self, acts: &[Act], depth: usize) {
        for act in acts {
            match act {
                Act::Group { members, steps, .. } => {
                    let names: Vec<&str> = match members.len() == self.scenario.groups.len()
                        && members.len() > 1
                    {
                        true => vec!["all"],
                        false => {
                            members.iter().map(|&index| self.scenario.groups[index].name.as_str()).collect()
                        }
                    };
                    let names = names.join(", ");
                    self.steps(steps, depth, Some(&names));
                }
                Act::Together { branches, .. } => {
                    self.line(depth, "together");
                    for branch in branches {
                        self.line(depth + 1, "branch");
                        self.acts(branch, depth + 2);
                    }
                }
                Act::Server { operations, .. } => {
                    operations.iter().for_each(|operation| self.line(depth, format!("server: {operation}")));
                }
                Act::Measure { settle, script, .. } => {
                    let settles = match settle.is_zero() {
                        true => String::new(),
                        false => format!(", after {} in which it settles", Spelt(*settle)),
                    };
                    self.line(depth, format!("measured{settles}"));
                    self.acts(script, depth + 1);
                }
            }
        }
    }

    /// Steps with their numbers; who does them stands before the first.
    fn steps(&mut self, steps: &[Numbered], depth: usize, names: Option<&str>) {
        for (index, numbered) in steps.iter().enumerate() {
            let number = numbered.id.0 + 1;
            let words = numbered.step.words();
            let who = match (names, index) {
                (Some(names), 0) => format!("{names}: "),
                (Some(_), _) => "then ".to_owned(),
                (None, _) => String::new(),
            };
            self.line(depth, format!("{number}. {who}{words}"));
            self.steps(numbered.step.inner(), depth + 1, None);
        }
    }

    fn sum(&mut self) {
        let (sent, open) = self.messages(&self.scenario.script);
        self.line(0, "");
        let count = counted(sent, "message");
        self.line(
            0,
            match (sent, open) {
                (0, true) => "sends messages for as long as it runs".to_owned(),
                (_, true) => format!("sends {count}, and more for as long as it runs"),
                (_, false) => format!("sends {count}"),
            },
        );
    }

    /// How many messages the acts send, and whether some of them send a number that nobody can know.
    fn messages(&self, acts: &[Act]) -> (u64, bool) {
        let mut sum = (0, false);
        for act in acts {
            let (sent, open) = match act {
                Act::Together { branches, .. } => branches
                    .iter()
                    .map(|branch| self.messages(branch))
                    .fold((0, false), |sum, part| (sum.0 + part.0, sum.1 | part.1)),
                Act::Measure { script, .. } => self.messages(script),
                Act::Server { .. } => (0, false),
                Act::Group { members, steps, .. } => {
                    let clients: u64 =
                        members.iter().map(|&index| u64::from(self.scenario.groups[index].count)).sum();
                    let each = steps.iter().map(|numbered| numbered.step.messages());
                    let known: u64 = each.clone().flatten().fold(0, u64::saturating_add);
                    (clients.saturating_mul(known), each.into_iter().any(|messages| messages.is_none()))
                }
            };
            sum = (sum.0 + sent, sum.1 | open);
        }
        sum
    }

    fn thresholds(&mut self) {
        if self.scenario.thresholds.is_empty() {
            return;
        }
        self.line(0, "");
        self.line(0, "thresholds");
        for threshold in &self.scenario.thresholds {
            self.line(1, threshold.to_string());
        }
        let predictions = predictions(self.scenario);
        if !predictions.is_empty() {
            self.line(0, "");
            self.line(0, "cannot be judged");
            predictions.iter().for_each(|prediction| self.line(1, prediction));
            self.line(1, MORE);
        }
    }
}

/// Name, count, transport, namespace, and whatever else a group has.
fn row(group: &Group, default: Transport) -> [String; 5] {
    let namespace =
        group.namespace.as_ref().map_or_else(|| "/".to_owned(), crate::template::Template::in_words);
    let mut more = Vec::new();
    if group.arrival.rate().is_some() {
        let (arrival, last) = (&group.arrival, Spelt(group.arrival.last(group.count)));
        let about = if arrival.is_by_chance() { "about " } else { "" };
        more.push(format!("arrive {arrival}, the last after {about}{last}"));
    }
    if let Some(node) = &group.node {
        more.push(format!("at node {}", node.in_words()));
    }
    if let Some(version) = group.protocol {
        more.push(format!("speaks Engine.IO {}", version.number()));
    }
    if let Some(parser) = group.parser.filter(|parser| *parser != Parser::Default) {
        more.push(format!("with the parser {}", parser.name()));
    }
    if group.auth.is_some() {
        more.push("with auth".to_owned());
    }
    if let Some(rows) = &group.rows {
        more.push(format!("with {} of {}", counted(rows.rows.len() as u64, "row"), rows.columns.join(", ")));
    }
    if !group.vars.is_empty() {
        let names: Vec<&str> = group.vars.iter().map(|(slot, _)| &*slot.name).collect();
        more.push(format!("each with {}", names.join(", ")));
    }
    [
        group.name.clone(),
        group.count.to_string(),
        group.transport.unwrap_or(default).name().to_owned(),
        namespace,
        more.join("; "),
    ]
}

/// By which contract the server is asked for things.
fn contract(scenario: &Scenario) -> String {
    let events = scenario.default_events();
    let mut parts: Vec<String> = match (scenario.contract.is_default(), events.is_empty()) {
        (true, true) => return "none is needed".to_owned(),
        (true, false) => {
            let events: Vec<&str> = events.iter().map(String::as_str).collect();
            let events = events.join(", ");
            return format!("the default one, so the server has to answer {events} as the fixture does");
        }
        (false, _) => scenario.contract.verbs().map(|verb| verb.name().to_owned()).collect(),
    };
    if !scenario.contract.rooms().is_empty() {
        parts.push("rooms".to_owned());
    }
    format!("the one in this file ({})", parts.join(", "))
}

/// `1 client`, `12,500 clients`.
fn counted(count: u64, what: &str) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    let plural = if count == 1 { "" } else { "s" };
    format!("{text} {what}{plural}")
}
