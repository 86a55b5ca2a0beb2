//! Watches a run: the last second of it, its course over time, and samples of the server and of this machine.

use std::time::Duration;

use super::machine::processors;
use super::samples::{OtherPrograms, ServerSamples};
use crate::engine::{Extent, Ran, RunProgress, Second};
use crate::measure::{Audited, Gauges, Live, Window};
use crate::plan::Plan;
use crate::report::course::{Course, GeneratorResult, IntervalSample, PhaseResult, ServerResult};
use crate::report::result::ServerEnd;
use crate::server::{Exit, Node, Nodes, Service};
use crate::system::{memory_peak, process_time};
use crate::units::micros;

/// How long an interval of the course is.
const INTERVAL: Duration = Duration::from_secs(1);

/// See the module's head.
pub(super) struct Watch<'a> {
    window: Window,
    /// Each act in words.
    words: Vec<String>,
    clients: u64,
    /// About how long the run takes, if the scenario says so.
    expected: Option<Duration>,
    audited: Option<Audited>,
    workers: u32,
    running: &'a Nodes,
    /// How the first node or service ended that did.
    exit: Option<PartExit<'a>>,
    server: ServerSamples<'a>,
    others: OtherPrograms,
    own_cpu: Duration,
    course: Course,
    extent: Extent,
    /// How long only the audit waited in that part.
    waited: Duration,
    /// How long the worker thread with the highest load worked in the measured part, and for how much of that part this is known.
    busiest: (Duration, Duration),
}

/// The end of a node or a service, and when that was seen.
#[derive(Clone, Copy)]
struct PartExit<'a> {
    part: Part<'a>,
    exit: Exit,
    after: Duration,
}

#[derive(Clone, Copy)]
enum Part<'a> {
    Node(&'a Node),
    Service(&'a Service),
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        plan: &Plan<'_>,
        expected: Option<Duration>,
        running: &'a Nodes,
        workers: usize,
    ) -> Watch<'a> {
        let words = plan.acts.iter().map(|act| {
            let groups: Vec<&str> =
                act.members.iter().map(|group| plan.parts[*group].name.as_str()).collect();
            let steps: Vec<String> = act.steps.iter().map(|numbered| numbered.step.words()).collect();
            let operations: Vec<String> = act.operations.iter().map(ToString::to_string).collect();
            match operations.is_empty() {
                true => format!("{} {}", groups.join(", "), steps.join(", then ")),
                false => format!("server: {}", operations.join(", then ")),
            }
        });
        Watch {
            window: Window::default(),
            words: words.collect(),
            expected,
            audited: None,
            clients: plan.parts.iter().map(|part| part.count).sum(),
            workers: u32::try_from(workers).unwrap_or(u32::MAX),
            running,
            exit: None,
            server: ServerSamples::new(running),
            others: OtherPrograms::new(),
            own_cpu: process_time(),
            course: Course::new(INTERVAL),
            extent: Extent::default(),
            waited: Duration::ZERO,
            busiest: (Duration::ZERO, Duration::ZERO),
        }
    }

    /// Takes what the engine reports, except its seconds.
    pub(super) fn hear(&mut self, progress: &mut RunProgress<'_>) {
        self.extent = progress.extent;
        self.waited = progress.waited;
        self.look(progress.elapsed);
        if let Some(interval) = progress.interval.take() {
            self.window.push(progress.elapsed, interval);
        }
        if !progress.seconds.is_empty() {
            self.audited = progress.accounts.audited();
        }
    }

    /// What a display shows of the run.
    pub(super) fn live(&self, progress: &RunProgress<'_>) -> Live {
        let step = step_of(&self.words, progress.acts);
        self.window.live(Gauges {
            elapsed: progress.elapsed,
            expected: self.expected,
            step,
            connected: progress.live,
            total: self.clients,
            audit: self.audited,
        })
    }

    /// The run is over: what came after its last whole second.
    pub(super) fn finish(&mut self, ran: &Ran) {
        self.extent = ran.extent;
        self.waited = ran.waited;
        self.look(ran.duration);
        self.take(&ran.rest);
    }

    /// Looks whether a server that we started still lives.
    fn look(&mut self, now: Duration) {
        if self.exit.is_none() {
            let service = self.running.service_exit().map(|(service, exit)| (Part::Service(service), exit));
            let node = || self.running.exit().map(|(node, exit)| (Part::Node(node), exit));
            // Nodes may end because of what they need.
            self.exit = service.or_else(node).map(|(part, exit)| PartExit { part, exit, after: now });
        }
    }

    /// Takes a second of the run.
    pub(super) fn take(&mut self, second: &Second) {
        let began = second.end.saturating_sub(self.length(second));
        let is_measured = self.extent.has(began) && self.extent.to.is_none_or(|to| second.end <= to);
        let server = self.server.sample(is_measured);
        // A server that has ended takes nothing.
        let has_ended = self.exit.filter(|exit| matches!(exit.part, Part::Node(_)));
        let its_cpu = server.map(|(cpu, _)| cpu).or(has_ended.map(|_| Duration::ZERO));
        self.others.sample(its_cpu, is_measured);
        if is_measured {
            self.busiest.0 += second.busiest;
            self.busiest.1 += self.length(second);
        }
        self.course.push(&IntervalSample {
            end: second.end,
            connected: second.live,
            figures: &second.figures,
            generator_cpu: second.cpu,
            server,
        });
    }

    fn length(&self, second: &Second) -> Duration {
        let before = Duration::from_micros(self.course.at_us.last().copied().unwrap_or_default());
        second.end.saturating_sub(before)
    }

    /// The run over time, if it was long enough for more than one interval.
    pub(super) fn course(&self) -> Option<Course> {
        (self.course.at_us.len() > 1).then(|| self.course.clone())
    }

    /// How long the measured part was, up to that time since the start. The time in which only the audit waited is none of it:
    /// nobody was to send anything then.
    pub(super) fn measured(&self, now: Duration) -> Duration {
        let to = self.extent.to.unwrap_or(now);
        self.extent.from.map_or(Duration::ZERO, |from| to.saturating_sub(from).saturating_sub(self.waited))
    }

    /// The stretches of the run up to that time, where only a part of it is measured.
    pub(super) fn phases(&self, settle: Option<Duration>, now: Duration) -> Vec<PhaseResult> {
        settle.map_or_else(Vec::new, |settle| phases(self.extent, settle, now))
    }

    /// The share of the measured part in which the worker thread with the highest load worked.
    pub(super) fn busiest(&self) -> Option<f64> {
        let (busy, known) = self.busiest;
        (known >= INTERVAL).then(|| busy.as_secs_f64() / known.as_secs_f64())
    }

    /// The share of this machine's processors that other programs took in the measured part, where that can be known.
    pub(super) fn others(&self) -> Option<f64> {
        let (_, known) = self.busiest;
        let processors = processors() as f64;
        let others = self.others.measured().filter(|_| known >= INTERVAL)?;
        Some(others.as_secs_f64() / (known.as_secs_f64() * processors))
    }

    /// What the run cost this process.
    pub(super) fn generator(&self) -> GeneratorResult {
        GeneratorResult {
            workers: self.workers,
            cpu_us: micros(process_time().saturating_sub(self.own_cpu)),
            busiest_worker: self.busiest().map(thousandths),
            memory_peak: memory_peak(),
            due: 0,
            begun: 0,
            doubts: Vec::new(),
        }
    }

    /// How the server ended, if we started it and it did.
    pub(super) fn server_end(&self) -> Option<ServerEnd> {
        let PartExit { part, exit, after } = self.exit?;
        let is_one_of_several = self.running.len() > 1;
        let (node, service, output) = match part {
            Part::Node(node) => {
                (is_one_of_several.then(|| node.name.clone()), None, node.running.last_words())
            }
            Part::Service(service) => (None, Some(service.name().to_owned()), service.last_words()),
        };
        Some(ServerEnd {
            node,
            service,
            how: exit.to_string(),
            is_success: exit.is_success(),
            after_us: micros(after),
            output,
        })
    }

    /// What it cost the server, where we started it.
    pub(super) fn server(&self) -> Option<ServerResult> {
        self.server.result()
    }
}

/// The stretches of a run up to that time of which this part is measured, after it has settled.
fn phases(measured: Extent, settle: Duration, now: Duration) -> Vec<PhaseResult> {
    let from = measured.from.unwrap_or(now).min(now);
    let settles = from.saturating_sub(settle);
    let to = measured.to.unwrap_or(now);
    let stretches = [
        ("ramp", Duration::ZERO, settles),
        ("settle", settles, from),
        ("measure", from, to),
        ("rest", to, now),
    ];
    let stretches = stretches.into_iter().filter(|(_, from, to)| from < to);
    stretches
        .map(|(name, from, to)| PhaseResult {
            name: name.to_owned(),
            from_us: micros(from),
            to_us: micros(to),
        })
        .collect()
}

fn thousandths(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// What is going on, in words. Between two acts, what is under way is awaited.
fn step_of(words: &[String], acts: &[usize]) -> String {
    match acts {
        [] => "wait for what is under way".to_owned(),
        acts => acts.iter().map(|act| words[*act].as_str()).collect::<Vec<_>>().join("; "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_step_is_always_shown() {
        let words = ["all connect", "server: kill node b"].map(str::to_owned);
        assert_eq!(step_of(&words, &[0, 1]), "all connect; server: kill node b");
        assert_eq!(step_of(&words, &[]), "wait for what is under way");
    }

    fn names(measured: (Option<u64>, Option<u64>), now: u64) -> Vec<(String, u64, u64)> {
        let second = Duration::from_secs;
        let extent = Extent { from: measured.0.map(second), to: measured.1.map(second) };
        let second = |micros: u64| micros / 1_000_000;
        let of = |phase: PhaseResult| (phase.name, second(phase.from_us), second(phase.to_us));
        phases(extent, Duration::from_secs(5), Duration::from_secs(now)).into_iter().map(of).collect()
    }

    #[test]
    fn a_run_of_which_a_part_is_measured_ramps_up_settles_and_has_a_rest() {
        let phase = |name: &str, from, to| (name.to_owned(), from, to);
        let whole =
            [phase("ramp", 0, 10), phase("settle", 10, 15), phase("measure", 15, 45), phase("rest", 45, 50)];
        assert_eq!(names((Some(15), Some(45)), 50), whole);
        assert_eq!(names((Some(15), None), 20)[..], [&whole[..2], &[phase("measure", 15, 20)]].concat());
        assert_eq!(names((None, None), 0), []);
    }

    #[test]
    fn a_run_that_never_settled_has_no_measured_part() {
        assert_eq!(names((Some(15), None), 12), [("ramp".into(), 0, 7), ("settle".into(), 7, 12)]);
        assert_eq!(names((None, None), 3), [("settle".into(), 0, 3)]);
    }
}
