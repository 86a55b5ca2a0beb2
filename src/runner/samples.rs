//! Samples, taken each second of a run, of the server under test and of what other programs do on this machine.

use std::time::Duration;

use crate::report::course::{NodeCost, ServerResult};
use crate::server::{Node, Nodes, Resources};
use crate::system::{busy, process_time};
use crate::units::micros;

/// What is neither this process nor the server.
pub(super) struct OtherPrograms {
    last: Option<Worked>,
    /// The work of others in the measured part; absent where the server's part of it is not known.
    measured: Option<Duration>,
}

/// Processor time up to a moment.
#[derive(Clone, Copy)]
struct Worked {
    /// Of all programs of the machine.
    all: Duration,
    /// Of this process.
    own: Duration,
}

impl Worked {
    fn now() -> Option<Worked> {
        busy().map(|all| Worked { all, own: process_time() })
    }

    /// What others worked since then, where the server's part of it is known.
    fn others_since(self, before: Worked, server: Duration) -> Duration {
        let own = self.own.saturating_sub(before.own);
        self.all.saturating_sub(before.all).saturating_sub(own + server)
    }
}

impl OtherPrograms {
    pub(super) fn new() -> OtherPrograms {
        OtherPrograms { last: Worked::now(), measured: Some(Duration::ZERO) }
    }

    /// Samples them, given what the server worked since the last sample.
    pub(super) fn sample(&mut self, server: Option<Duration>, is_measured: bool) {
        self.take(Worked::now(), server, is_measured);
    }

    fn take(&mut self, now: Option<Worked>, server: Option<Duration>, is_measured: bool) {
        let last = std::mem::replace(&mut self.last, now);
        if is_measured {
            let worked =
                last.zip(now).zip(server).map(|((last, now), server)| now.others_since(last, server));
            self.measured = self.measured.zip(worked).map(|(sum, worked)| sum + worked);
        }
    }

    /// How much they worked in the measured part, where that is known.
    pub(super) fn measured(&self) -> Option<Duration> {
        self.measured
    }
}

/// The server under test: the processor time and memory of its nodes.
pub(super) struct ServerSamples<'a> {
    nodes: &'a Nodes,
    each: Vec<NodeSamples>,
    /// The most memory that all nodes had together.
    peak: u64,
}

/// One node.
#[derive(Clone, Copy, Debug, Default)]
struct NodeSamples {
    /// What it had used before the run, where that is known.
    before: Option<Resources>,
    last: Option<Resources>,
    peak: u64,
    used: Duration,
    measured: Duration,
}

impl NodeSamples {
    fn new(before: Option<Resources>) -> NodeSamples {
        let peak = before.map_or(0, |before| before.memory);
        NodeSamples { before, last: before, peak, used: Duration::ZERO, measured: Duration::ZERO }
    }

    /// The processor time since the last sample, and the memory now. Nothing once it has ended.
    fn take(&mut self, now: Option<Resources>, is_measured: bool) -> Option<(Duration, u64)> {
        let (now, last) = (now?, self.last?);
        // One that was started again counts from zero.
        let used = now.cpu.checked_sub(last.cpu).unwrap_or(now.cpu);
        self.last = Some(now);
        self.peak = self.peak.max(now.memory);
        self.used += used;
        if is_measured {
            self.measured += used;
        }
        Some((used, now.memory))
    }
}

impl<'a> ServerSamples<'a> {
    pub(super) fn new(nodes: &'a Nodes) -> ServerSamples<'a> {
        let each: Vec<NodeSamples> = nodes.resources().into_iter().map(NodeSamples::new).collect();
        let peak = each.iter().map(|node| node.peak).sum();
        ServerSamples { nodes, each, peak }
    }

    /// The processor time since the last sample, and the memory now, of all nodes. Nothing once they have ended.
    pub(super) fn sample(&mut self, is_measured: bool) -> Option<(Duration, u64)> {
        let now = self.nodes.resources();
        let taken = self.each.iter_mut().zip(now).filter_map(|(node, now)| node.take(now, is_measured));
        let all = taken.reduce(|sum, node| (sum.0 + node.0, sum.1 + node.1))?;
        self.peak = self.peak.max(all.1);
        Some(all)
    }

    /// What the run cost it, where that is known.
    pub(super) fn result(&self) -> Option<ServerResult> {
        let known = || self.each.iter().filter(|node| node.before.is_some());
        known().next()?;
        let named = self.nodes.iter().zip(&self.each).filter(|(_, node)| node.before.is_some());
        let cost = |(of, node): (&Node, &NodeSamples)| NodeCost {
            name: of.name.clone(),
            cpu_us: micros(node.used),
            cpu_measured_us: micros(node.measured),
            memory_before: node.before.map_or(0, |before| before.memory),
            memory_peak: node.peak,
        };
        Some(ServerResult {
            cpu_us: micros(known().map(|node| node.used).sum()),
            cpu_measured_us: micros(known().map(|node| node.measured).sum()),
            memory_before: known().filter_map(|node| node.before).map(|before| before.memory).sum(),
            memory_peak: self.peak,
            nodes: if self.each.len() > 1 { named.map(cost).collect() } else { Vec::new() },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worked(all: u64, own: u64) -> Option<Worked> {
        Some(Worked { all: Duration::from_secs(all), own: Duration::from_secs(own) })
    }

    #[test]
    fn what_neither_we_nor_the_server_worked_was_worked_by_others() {
        let mut others = OtherPrograms { last: worked(100, 10), measured: Some(Duration::ZERO) };
        let server = Some(Duration::from_secs(2));
        others.take(worked(108, 13), server, true);
        assert_eq!(others.measured(), Some(Duration::from_secs(3)));
        others.take(worked(200, 13), server, false);
        assert_eq!(others.measured(), Some(Duration::from_secs(3)), "outside of the measured part");
        others.take(worked(201, 14), server, true);
        assert_eq!(others.measured(), Some(Duration::from_secs(3)), "less than the server alone worked");
    }

    #[test]
    fn others_are_unknown_where_the_server_is() {
        let mut others = OtherPrograms { last: worked(100, 10), measured: Some(Duration::ZERO) };
        others.take(worked(108, 13), None, true);
        others.take(worked(109, 13), Some(Duration::ZERO), true);
        assert_eq!(others.measured(), None);
    }

    #[test]
    fn a_node_that_is_started_again_counts_from_zero() {
        let used = |seconds, memory| Some(Resources { cpu: Duration::from_secs(seconds), memory });
        let mut node = NodeSamples::new(used(5, 100));
        assert_eq!(node.take(used(7, 120), true), Some((Duration::from_secs(2), 120)));
        assert_eq!(node.take(None, true), None);
        assert_eq!(node.take(used(1, 50), false), Some((Duration::from_secs(1), 50)));
        assert_eq!((node.used, node.measured), (Duration::from_secs(3), Duration::from_secs(2)));
        assert_eq!(node.peak, 120);
    }
}
