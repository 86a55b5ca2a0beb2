//! Does to the nodes of a server what the script says.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::engine::{Effect, Operator};
use crate::link::{Condition, Link, Way};
use crate::scenario::{Act, Change, Direction, Operation, Part, Scenario};
use crate::server::{Leave, Nodes, NotReady, Running, Service, Starting, run_command};

const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The nodes of a run, and how they are started again.
#[derive(Debug)]
pub(super) struct NodeOperator<'a> {
    pub(super) nodes: &'a Nodes,
    pub(super) starting: Starting,
}

impl Operator for NodeOperator<'_> {
    fn operate(&self, operation: &Operation, is_over: &dyn Fn() -> bool) -> Result<Effect, String> {
        match operation {
            Operation::Stop(part) => self.end(part, Leave::Politely),
            Operation::Kill(part) => self.end(part, Leave::AtOnce),
            Operation::Start(part) => self.begin(part, is_over),
            Operation::Restart(part) => {
                self.end(part, Leave::Politely)?;
                self.begin(part, is_over)?;
                Ok(Effect::Done)
            }
            Operation::Pause(part, length) => {
                self.pause(part, true).map_err(|why| format!("failed to pause {part}: {why}"))?;
                rest(*length, is_over);
                self.pause(part, false).map_err(|why| format!("failed to let {part} go on: {why}"))?;
                Ok(Effect::Done)
            }
            Operation::Rolling(every) => {
                for (index, node) in self.nodes.iter().enumerate() {
                    if index > 0 {
                        rest(*every, is_over);
                    }
                    if is_over() {
                        break;
                    }
                    let part = Part::Node(node.name.clone());
                    self.end(&part, Leave::Politely)?;
                    self.begin(&part, is_over)?;
                }
                Ok(Effect::Done)
            }
            Operation::Shell(command, within) => {
                run_command(command, self.nodes.environment(), *within, is_over).map(|()| Effect::Done)
            }
            Operation::Answers(node, within) => {
                let running = self.node(node)?;
                let until = Instant::now() + *within;
                while !running.answers(&self.starting) && !is_over() {
                    if Instant::now() >= until {
                        return Err(format!("node {node} did not answer within {within:?}"));
                    }
                    thread::sleep(LOOK_AGAIN);
                }
                Ok(Effect::Done)
            }
            Operation::Link(name, change) => {
                let link = self.nodes.link(name).ok_or_else(|| format!("there is no link {name}"))?;
                alter(link, change, is_over);
                Ok(Effect::Done)
            }
            Operation::Wait(length) => {
                rest(*length, is_over);
                Ok(Effect::Done)
            }
            // Only clients can see it.
            Operation::Whole(_) => Ok(Effect::Done),
        }
    }
}

impl NodeOperator<'_> {
    fn node(&self, name: &str) -> Result<&Running, String> {
        let found = self.nodes.iter().find(|node| node.name == name);
        found.map(|node| &node.running).ok_or_else(|| format!("there is no node {name}"))
    }

    fn service(&self, name: &str) -> Result<&Service, String> {
        self.nodes.service(name).ok_or_else(|| format!("there is no service {name}"))
    }

    fn end(&self, part: &Part, leave: Leave) -> Result<Effect, String> {
        let ended = match part {
            Part::Node(name) => self.node(name)?.end(leave),
            Part::Service(name) => self.service(name).map(|service| service.end(leave)),
        };
        let lived = ended.map_err(|why| format!("failed to end {part}: {why}"))?;
        Ok(if lived { Effect::Done } else { Effect::Needless("it did not run") })
    }

    fn pause(&self, part: &Part, is_still: bool) -> Result<(), String> {
        match part {
            Part::Node(name) => self.node(name)?.pause(is_still),
            Part::Service(name) => self.service(name)?.pause(is_still),
        }
    }

    fn begin(&self, part: &Part, is_over: &dyn Fn() -> bool) -> Result<Effect, String> {
        let begun = match part {
            Part::Node(name) => {
                let running = self.node(name)?;
                self.patiently(is_over, |starting| running.begin(starting))
            }
            Part::Service(name) => {
                let service = self.service(name)?;
                self.patiently(is_over, |starting| service.begin(starting))
            }
        };
        let is_new = begun.map_err(|why| format!("{part} did not come back: {why}"))?;
        Ok(if is_new { Effect::Done } else { Effect::Needless("it ran already") })
    }

    /// Begins something. Whoever gives up meanwhile is heard by a flag of its own: the run may be over for another reason.
    fn patiently(
        &self,
        is_over: &dyn Fn() -> bool,
        begin: impl FnOnce(&Starting) -> Result<bool, NotReady> + Send,
    ) -> Result<bool, String> {
        let cancelled = Arc::new(AtomicBool::new(false));
        let starting = Starting { cancelled: cancelled.clone(), ..self.starting.clone() };
        thread::scope(|scope| {
            let begun = scope.spawn(|| begin(&starting));
            while !begun.is_finished() {
                if is_over() {
                    cancelled.store(true, Ordering::Relaxed);
                }
                thread::sleep(LOOK_AGAIN);
            }
            match begun.join() {
                Ok(Err(why)) if !is_over() => Err(why.to_string()),
                Ok(Ok(is_new)) => Ok(is_new),
                _ => Ok(true),
            }
        })
    }
}

fn rest(length: Duration, is_over: &dyn Fn() -> bool) {
    let until = Instant::now() + length;
    while Instant::now() < until && !is_over() {
        thread::sleep(LOOK_AGAIN.min(until.saturating_duration_since(Instant::now())));
    }
}

/// Does it to a link, for as long as it is said.
fn alter(link: &Link, change: &Change, is_over: &dyn Fn() -> bool) {
    match change {
        Change::Cut(length) => {
            link.cut(true);
            rest(*length, is_over);
            link.cut(false);
        }
        Change::Reset => link.reset(),
        Change::Restore => link.restore(),
        Change::BlackHole(direction, length) => {
            let stop = |is_stopped| {
                each_way(link, *direction, |condition| condition.is_stopped = is_stopped);
            };
            stop(true);
            rest(*length, is_over);
            stop(false);
        }
        Change::Slow { direction, delay, jitter, rate, length } => {
            let set = |is_on: bool| {
                each_way(link, *direction, |condition| {
                    if let Some(delay) = delay {
                        condition.delay = if is_on { *delay } else { Duration::ZERO };
                    }
                    if let Some(jitter) = jitter {
                        condition.jitter = if is_on { *jitter } else { Duration::ZERO };
                    }
                    if rate.is_some() {
                        condition.rate = rate.filter(|_| is_on);
                    }
                });
            };
            set(true);
            if let Some(length) = length {
                rest(*length, is_over);
                set(false);
            }
        }
    }
}

fn each_way(link: &Link, direction: Direction, change: impl Fn(&mut Condition)) {
    let ways: &[Way] = match direction {
        Direction::ToTarget => &[Way::ToTarget],
        Direction::FromTarget => &[Way::FromTarget],
        Direction::Both => &[Way::ToTarget, Way::FromTarget],
    };
    ways.iter().for_each(|way| link.change(*way, &change));
}

/// Refuses a script that does to nodes what cannot be done to them.
///
/// # Errors
/// A sentence that says what is wrong and what to do.
pub(super) fn check(scenario: &Scenario, nodes: &Nodes) -> Result<(), String> {
    let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    for operation in operations(&scenario.script) {
        let named = match operation.part() {
            Some(Part::Node(name)) => Some(name),
            // Whether it is there was looked at before anything was started.
            Some(Part::Service(_)) => continue,
            None => None,
        };
        if let Some(name) = named.as_deref().filter(|name| !names.contains(name)) {
            return Err(format!(
                "the script says to {operation}, and the server's nodes are {}: start several with `--nodes`, or name them \
                 with `--url {name}=…`",
                names.join(", ")
            ));
        }
        let is_found = |node: &str| {
            nodes.iter().any(|of| (node.is_empty() || of.name == node) && !of.running.is_started())
        };
        let is_of_nodes = !matches!(operation, Operation::Link(..) | Operation::Shell(..));
        if operation.disturbs() && is_of_nodes && is_found(named.as_deref().unwrap_or_default()) {
            return Err(format!(
                "the script says to {operation}, and sockrates did not start that server: give its command with `--server`"
            ));
        }
    }
    Ok(())
}

/// Everything that a script does to the server.
pub(super) fn operations(acts: &[Act]) -> Vec<&Operation> {
    acts.iter().flat_map(of_act).collect()
}

fn of_act(act: &Act) -> Vec<&Operation> {
    match act {
        Act::Server { operations, .. } => operations.iter().collect(),
        Act::Together { branches, .. } => branches.iter().flat_map(|branch| operations(branch)).collect(),
        Act::Measure { script, .. } => operations(script),
        Act::Group { .. } => Vec::new(),
    }
}
