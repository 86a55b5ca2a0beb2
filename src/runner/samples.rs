//! Samples, taken each second of a run, of the server under test and of what other programs do on this machine.

use std::time::Duration;

use super::machine::{busy, own_cpu};
use crate::report::course::ServerResult;
use crate::server::Running;
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
        busy().map(|all| Worked { all, own: own_cpu() })
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

/// The server under test: its processor time and memory.
pub(super) struct ServerSamples<'a> {
    running: &'a Running,
    before: Option<(Duration, u64)>,
    last: Option<(Duration, u64)>,
    peak: u64,
    measured: Duration,
}

impl<'a> ServerSamples<'a> {
    pub(super) fn new(running: &'a Running) -> ServerSamples<'a> {
        let before = sample(running);
        ServerSamples {
            running,
            before,
            last: before,
            peak: before.map_or(0, |(_, memory)| memory),
            measured: Duration::ZERO,
        }
    }

    /// The processor time since the last sample, and the memory now. Nothing once it has ended.
    pub(super) fn sample(&mut self, is_measured: bool) -> Option<(Duration, u64)> {
        let (cpu, memory) = sample(self.running)?;
        let used = cpu.saturating_sub(self.last?.0);
        self.last = Some((cpu, memory));
        self.peak = self.peak.max(memory);
        if is_measured {
            self.measured += used;
        }
        Some((used, memory))
    }

    /// What the run cost it, where that is known.
    pub(super) fn result(&self) -> Option<ServerResult> {
        let ((before, memory), (now, _)) = (self.before?, self.last?);
        Some(ServerResult {
            cpu_us: micros(now.saturating_sub(before)),
            cpu_measured_us: micros(self.measured),
            memory_before: memory,
            memory_peak: self.peak,
        })
    }
}

fn sample(running: &Running) -> Option<(Duration, u64)> {
    running.resources().map(|resources| (resources.cpu, resources.memory))
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
}
