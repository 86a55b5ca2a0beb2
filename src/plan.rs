//! A plan: a scenario made ready to be played, frozen.
//!
//! Made once from the scenario, the command line and the seed; read by all workers, written by none. Uses
//! [`crate::scenario`] and what steps need ([`GroupContext`], [`RunContext`]); the engine plays it. Pure: the beginning of the
//! run is an argument.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::audit::Spread;
use crate::contract::StandingRoom;
use crate::measure::{GroupInfo, ScriptInfo, StepInfo};
use crate::observe::Who;
use crate::protocol::dialect::Version;
use crate::scenario::{Act, Asked, Group, Operation, Scenario};
use crate::secrets::Secrets;
use crate::session::{Destinations, Transport};
use crate::step::{
    AllSent, Arrivals, Audit, EventFilter, GivenIds, GroupContext, LearnedNodes, Markers, Numbered, OwnPlace,
    RunContext, SharedValues, Step, Traces,
};
use crate::template::Template;
use crate::threshold::Threshold;

/// How many clients, the first by index, remember their last frames. Remembering costs time for every frame and two
/// kilobytes for each of them, eight where every character takes four bytes; and what befalls a crowd befalls these, too.
const REMEMBERING: u32 = 100;

/// How many frames a client remembers.
const WIRE_LINES: usize = 12;

/// What the command line and the target add to a scenario.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The names of the target's nodes, at least one.
    pub nodes: Vec<String>,
    /// Where each of them is, as browsers say it in `Origin`; nothing while that is not known.
    pub origins: Vec<String>,
    /// The path of the server, with both slashes.
    pub path: String,
    /// Query parameters for every request.
    pub query: Vec<(String, String)>,
    /// Headers for every request.
    pub headers: Vec<(String, String)>,
    /// Whether the server is reached by TLS, or is on this machine.
    pub is_secure: bool,
    /// What clients send with `CONNECT` whose scenario says nothing of it.
    pub auth: Option<Value>,
    /// What must not stand in any output; what clients send that is secret comes to be known here.
    pub secrets: Secrets,
    /// The namespace of groups that name none.
    pub namespace: Option<String>,
    /// The version of the protocol that groups speak which name none.
    pub protocol: Version,
    /// The transport of groups that name none.
    pub transport: Transport,
    /// Whether groups that do not say offer compression.
    pub compression: bool,
    /// The trace contexts that clients send.
    pub traces: Traces,
    /// The seed of all random numbers.
    pub seed: u64,
    /// A number of this run, for its stamps and for `${run}`.
    pub run: u16,
    /// The beginning of the run.
    pub epoch: Instant,
    /// Whether deliveries are audited, where the scenario does not leave it out.
    pub audit: bool,
    /// Which of several machines that play the clients this one is, counted from 0; nothing where there is one.
    pub machine: Option<u16>,
}

impl RunOptions {
    /// Those of a server at the usual path and nothing on the command line.
    pub fn usual(epoch: Instant) -> RunOptions {
        RunOptions {
            audit: true,
            machine: None,
            nodes: vec!["a".to_owned()],
            origins: Vec::new(),
            path: "/socket.io/".to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            is_secure: true,
            auth: None,
            secrets: Secrets::default(),
            namespace: None,
            protocol: Version::V4,
            transport: Transport::default(),
            compression: false,
            traces: Traces::default(),
            seed: 1,
            run: 1,
            epoch,
        }
    }
}

/// A place in a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// An act, as an index into [`Plan::acts`].
    Act(usize),
    /// Branches that run side by side.
    Together(Vec<Vec<Turn>>),
    /// The measured part, and how long it settles.
    Measure(Duration, Vec<Turn>),
}

/// What the members of some groups do before the next barrier.
#[derive(Debug)]
pub struct PlannedAct<'s> {
    /// Indices of groups.
    pub members: &'s [usize],
    /// What each of their clients does.
    pub steps: &'s [Numbered],
    /// Whether what is under way is waited for before it begins: it ends connections that have something to receive.
    pub drains: bool,
    /// What is done to the server in the place of steps.
    pub operations: &'s [Operation],
    /// Whether the server's health is awaited later in the same part of the script: until then it is disturbed.
    pub is_awaited: bool,
}

/// A scenario made ready to be played.
#[derive(Debug)]
pub struct Plan<'s> {
    /// What all clients share.
    pub context: RunContext,
    /// What the clients of each group share.
    pub parts: Vec<GroupContext>,
    /// The acts, in the order of the file.
    pub acts: Vec<PlannedAct<'s>>,
    /// In which order they are played.
    pub script: Vec<Turn>,
    /// Of which groups and labels figures are kept apart, because some threshold asks about them.
    pub asked: Vec<Asked>,
    /// What is demanded of the whole run, and what may go wrong in it.
    pub thresholds: &'s [Threshold],
}

impl<'s> Plan<'s> {
    /// Makes a scenario ready.
    pub fn new(scenario: &'s Scenario, run_options: RunOptions) -> Plan<'s> {
        let mut acts = Vec::new();
        let script = turns(&scenario.script, &mut acts, true);
        let steps = || acts.iter().flat_map(|act| act.steps).map(|numbered| &*numbered.step);
        let mut audited = EventFilter::default();
        steps().for_each(|step| step.audit(&mut audited));
        let audit = scenario.audit.filter(|_| run_options.audit && audited != EventFilter::default());
        let learned = scenario.contract.node().cloned().map(LearnedNodes::new);
        let nodes = learned.as_ref().map_or(run_options.nodes.len(), LearnedNodes::most);
        let audit = audit.map(|rule| Audit {
            window: rule.window,
            spread: Spread { nodes, within: rule.spread(nodes).into() },
        });
        let arrivals = Arrivals {
            events: audited,
            has_history: scenario.contract.has_history(),
            own_places: OwnPlace::all(&scenario.contract),
        };
        let parts = scenario
            .groups
            .iter()
            .enumerate()
            .map(|(index, group)| part(group, index, &run_options, (&acts[..], &scenario.credentials[..])))
            .collect();
        let is_watched = acts.iter().flat_map(|act| act.operations).any(Operation::asks_for_all)
            || scenario.thresholds.iter().any(|threshold| threshold.after.is_some());
        let markers = Markers::new(&scenario.contract, nodes, run_options.machine, is_watched);
        let context = RunContext {
            epoch: run_options.epoch,
            run: run_options.run,
            seed: run_options.seed,
            traces: run_options.traces,
            nodes: run_options.nodes,
            origins: run_options.origins,
            learned,
            path: run_options.path,
            query: run_options.query,
            headers: run_options.headers,
            secrets: run_options.secrets,
            is_secure: run_options.is_secure,
            slots: scenario.slots,
            shared: scenario.shared.clone(),
            stamps: steps().any(Step::stamps) || markers.is_some(),
            markers,
            audit,
            server_rooms: scenario.contract.rooms().clone(),
            arrivals,
            remembering: REMEMBERING,
            wire_lines: WIRE_LINES,
            shared_values: SharedValues::new(run_options.machine.is_some()),
            given: (!run_options.audit).then(GivenIds::default),
            sent: AllSent::default(),
            destinations: Destinations::default(),
        };
        Plan { context, parts, acts, script, asked: scenario.asked.clone(), thresholds: &scenario.thresholds }
    }

    /// Whether only a part of the run is measured.
    pub fn has_measured_part(&self) -> bool {
        self.settle().is_some()
    }

    /// How long the measured part settles, if only a part is measured.
    pub fn settle(&self) -> Option<Duration> {
        self.script.iter().find_map(|turn| match turn {
            Turn::Measure(settle, _) => Some(*settle),
            Turn::Act(_) | Turn::Together(_) => None,
        })
    }

    /// Every client, group by group.
    pub fn clients(&self) -> impl Iterator<Item = Who> + '_ {
        let members = self
            .parts
            .iter()
            .enumerate()
            .flat_map(|(index, group)| (0..group.count as u32).map(move |n| (index as u32, n)));
        members.zip(0..).map(|((group, n), index)| Who { group, n, index })
    }

    /// The steps and the clients in words, for reports. `file` is the scenario's name and text.
    pub fn script_info(&self, file: &str, text: &str) -> ScriptInfo {
        let lines: Vec<&str> = text.lines().collect();
        let mut steps = Vec::new();
        for act in &self.acts {
            let groups: Vec<String> =
                act.members.iter().map(|group| self.parts[*group].name.clone()).collect();
            tell(act.steps, file, &lines, &groups, &mut steps);
        }
        steps.sort_by_key(|step| step.id);
        let size = |group: &GroupContext| GroupInfo { name: group.name.clone(), count: group.count as u32 };
        let name = |room: &StandingRoom| Some(room.name.fixed()?.as_str()?.to_owned());
        let common_rooms = self.context.server_rooms.standing.iter().filter_map(name).collect();
        ScriptInfo { steps, groups: self.parts.iter().map(size).collect(), common_rooms }
    }
}

fn turns<'s>(script: &'s [Act], acts: &mut Vec<PlannedAct<'s>>, is_alone: bool) -> Vec<Turn> {
    let awaits = |act: &Act| match act {
        Act::Server { operations, .. } => operations.iter().any(Operation::is_await),
        _ => false,
    };
    let mut turn = |(place, act): (usize, &'s Act)| match act {
        Act::Server { operations, .. } => {
            let is_awaited = script[place + 1..].iter().any(awaits);
            acts.push(PlannedAct { members: &[], steps: &[], drains: false, operations, is_awaited });
            Turn::Act(acts.len() - 1)
        }
        Act::Group { members, steps, .. } => {
            let drains = is_alone && steps.iter().any(|numbered| numbered.step.disconnects());
            acts.push(PlannedAct { members, steps, drains, operations: &[], is_awaited: false });
            Turn::Act(acts.len() - 1)
        }
        Act::Together { branches, .. } => {
            Turn::Together(branches.iter().map(|branch| turns(branch, acts, false)).collect())
        }
        Act::Measure { settle, script, .. } => Turn::Measure(*settle, turns(script, acts, is_alone)),
    };
    script.iter().enumerate().map(&mut turn).collect()
}

fn part(
    group: &Group,
    index: usize,
    run_options: &RunOptions,
    (acts, credentials): (&[PlannedAct<'_>], &[(String, Template)]),
) -> GroupContext {
    let mut filter = EventFilter::default();
    for act in acts.iter().filter(|act| act.members.contains(&index)) {
        act.steps.iter().for_each(|numbered| numbered.step.filter(&mut filter));
    }
    let rows = group.rows.as_ref().map_or_else(Vec::new, |rows| {
        let named = |row: &Vec<String>| rows.columns.iter().cloned().zip(row.iter().cloned()).collect();
        rows.rows.iter().map(named).collect()
    });
    GroupContext {
        name: group.name.clone(),
        count: u64::from(group.count),
        dialect: group.protocol.unwrap_or(run_options.protocol).dialect(),
        parser: group.parser.unwrap_or_default(),
        transport: group.transport.unwrap_or(run_options.transport),
        compression: group.compression.unwrap_or(run_options.compression),
        namespace: group
            .namespace
            .clone()
            .unwrap_or_else(|| Template::from(Value::from(run_options.namespace.as_deref().unwrap_or("/")))),
        node: group.node.clone(),
        auth: group.auth.clone().or_else(|| run_options.auth.clone().map(Template::from)),
        credentials: if group.auth.is_some() { Vec::new() } else { credentials.to_vec() },
        query: group.query.clone(),
        headers: group.headers.clone(),
        vars: group.vars.clone(),
        rows,
        offsets: group.arrival.offsets(u64::from(group.count), run_options.seed, index as u64),
        filter,
    }
}

fn tell(steps: &[Numbered], file: &str, lines: &[&str], groups: &[String], told: &mut Vec<StepInfo>) {
    for numbered in steps {
        let line = lines.get(numbered.span.line.saturating_sub(1) as usize);
        told.push(StepInfo {
            id: numbered.id,
            words: numbered.step.words(),
            file: file.to_owned(),
            line: numbered.span.line,
            column: numbered.span.column,
            source: line.map(|line| line.trim().to_owned()).unwrap_or_default(),
            groups: groups.to_vec(),
        });
        tell(numbered.step.inner(), file, lines, groups, told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Source;
    use crate::scenario::{Surroundings, read};

    #[test]
    fn the_same_seed_gives_the_same_arrivals_and_another_seed_gives_others() {
        let text = "name: t\nclients:\n  early: { count: 200, arrive: { rate: 50/s, by: poisson } }\n  \
                    late: { count: 200, arrive: { rate: 50/s, by: poisson } }\n  even: { count: 3, arrive: 10/s }\n  \
                    host: 1\nscript: [ { all: connect } ]\n";
        let source = Source { name: "t.yaml".to_owned(), text: text.to_owned() };
        let scenario = read(&source, &Surroundings::without_files()).expect("it is right");
        let epoch = Instant::now();
        let offsets = |seed| -> Vec<Vec<std::time::Duration>> {
            let plan = Plan::new(&scenario, RunOptions { seed, ..RunOptions::usual(epoch) });
            plan.parts.iter().map(|group| group.offsets.to_vec()).collect()
        };
        let (one, same, other) = (offsets(1), offsets(1), offsets(2));
        assert_eq!(one, same);
        assert!(one[0] != other[0] && one[0] != one[1], "strangers do not come by the same clock");
        assert_eq!((one[2].len(), &one[2], one[3].len()), (3, &other[2], 0));
    }
}
