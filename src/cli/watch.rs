//! Watches a run while it goes on: the live display, the run over time, samples of the server, thresholds that end it.

use std::ops::ControlFlow;
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use super::machine;
use super::progress::{Mode, Progress};
use crate::engine::{Accounts, Extent, Ran, RunProgress, Second};
use crate::measure::{Audited, Gauges, Window};
use crate::plan::Plan;
use crate::report::course::{Course, GeneratorResult, PhaseResult, Row, ServerResult};
use crate::server::Running;

/// How long an interval of the course is.
const INTERVAL: Duration = Duration::from_secs(1);

/// What is done at the end of each second, and whether the run goes on.
pub(super) type EachSecond<'a> = dyn FnMut(&Watch<'_>, &Accounts, Duration) -> ControlFlow<()> + 'a;

/// See the module's head.
pub(super) struct Watch<'a> {
    progress: Progress,
    window: Window,
    /// Each act in words.
    words: Vec<String>,
    clients: u64,
    /// About how long the run takes, where the scenario tells.
    expected: Option<Duration>,
    audited: Option<Audited>,
    workers: u32,
    server: Server<'a>,
    others: Others,
    own_cpu: Duration,
    course: Course,
    extent: Extent,
    /// Of how much of the measured part the work of the busiest thread is known, and how long it was.
    busiest: (Duration, Duration),
}

impl<'a> Watch<'a> {
    pub(super) fn new(
        plan: &Plan<'_>,
        expected: Option<Duration>,
        running: &'a Running,
        workers: usize,
        mode: Mode,
    ) -> Watch<'a> {
        let words = plan.acts.iter().map(|act| {
            let groups: Vec<&str> =
                act.members.iter().map(|group| plan.parts[*group].name.as_str()).collect();
            let steps: Vec<String> = act.steps.iter().map(|numbered| numbered.step.words()).collect();
            format!("{} {}", groups.join(", "), steps.join(", then "))
        });
        Watch {
            progress: Progress::new(mode),
            window: Window::default(),
            words: words.collect(),
            expected,
            audited: None,
            clients: plan.parts.iter().map(|part| part.count).sum(),
            workers: u32::try_from(workers).unwrap_or(u32::MAX),
            server: Server::new(running),
            others: Others::new(),
            own_cpu: own_cpu(),
            course: Course::new(INTERVAL),
            extent: Extent::default(),
            busiest: (Duration::ZERO, Duration::ZERO),
        }
    }

    /// Takes what the engine tells.
    pub(super) fn hear(&mut self, progress: RunProgress<'_>, each_second: &mut EachSecond<'_>) {
        self.extent = progress.extent;
        if let Some(interval) = progress.interval {
            self.window.push(progress.elapsed, interval);
        }
        if !progress.seconds.is_empty() {
            self.audited = progress.accounts.audited();
        }
        for second in progress.seconds {
            self.take(second);
            if each_second(self, progress.accounts, second.end).is_break() {
                progress.halt.set(true);
            }
        }
        let step = progress.acts.iter().map(|act| self.words[*act].as_str()).collect::<Vec<_>>().join("; ");
        self.progress.update(&self.window.live(Gauges {
            elapsed: progress.elapsed,
            expected: self.expected,
            step,
            connected: progress.live,
            total: self.clients,
            audit: self.audited,
        }));
    }

    /// The run is over: what came after its last whole second.
    pub(super) fn finish(&mut self, ran: &Ran) {
        self.extent = ran.extent;
        self.take(&ran.rest);
    }

    fn take(&mut self, second: &Second) {
        let began = second.end.saturating_sub(self.length(second));
        let is_measured = self.extent.has(began) && self.extent.to.is_none_or(|to| second.end <= to);
        let server = self.server.sample(is_measured);
        self.others.sample(server.map(|(cpu, _)| cpu), is_measured);
        if is_measured {
            self.busiest.0 += second.busiest;
            self.busiest.1 += self.length(second);
        }
        self.course.push(&Row {
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

    /// How long the measured part was, up to that time since the start.
    pub(super) fn measured(&self, now: Duration) -> Duration {
        let to = self.extent.to.unwrap_or(now);
        self.extent.from.map_or(Duration::ZERO, |from| to.saturating_sub(from))
    }

    /// The stretches of the run up to that time, where only a part of it is measured.
    pub(super) fn phases(&self, plan: &Plan<'_>, now: Duration) -> Vec<PhaseResult> {
        let Some(settle) = plan.settle() else { return Vec::new() };
        let from = self.extent.from.unwrap_or(now).min(now);
        let settles = from.saturating_sub(settle);
        let to = self.extent.to.unwrap_or(now);
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

    /// The busiest thread's share of its time at work, over the measured part.
    pub(super) fn busiest(&self) -> Option<f64> {
        let (busy, known) = self.busiest;
        (known >= INTERVAL).then(|| busy.as_secs_f64() / known.as_secs_f64())
    }

    /// The share of this machine's processors that other programs took in the measured part, where that can be known.
    pub(super) fn others(&self) -> Option<f64> {
        let (_, known) = self.busiest;
        let processors = machine::processors() as f64;
        let others = self.others.measured.filter(|_| known >= INTERVAL)?;
        Some(others.as_secs_f64() / (known.as_secs_f64() * processors))
    }

    /// What the run cost this process.
    pub(super) fn generator(&self) -> GeneratorResult {
        GeneratorResult {
            workers: self.workers,
            cpu_us: micros(own_cpu().saturating_sub(self.own_cpu)),
            busiest_worker: self.busiest().map(thousandths),
            memory_peak: own_memory_peak(),
            due: 0,
            begun: 0,
            doubts: Vec::new(),
        }
    }

    /// What it cost the server, where we started it.
    pub(super) fn server(&self) -> Option<ServerResult> {
        self.server.result()
    }
}

/// What is neither this process nor the server.
struct Others {
    /// What all processors have worked, and this process.
    last: Option<(Duration, Duration)>,
    /// The work of others in the measured part; absent where the server's part of it is not known.
    measured: Option<Duration>,
}

impl Others {
    fn new() -> Others {
        Others { last: machine::busy().map(|busy| (busy, own_cpu())), measured: Some(Duration::ZERO) }
    }

    fn sample(&mut self, server: Option<Duration>, is_measured: bool) {
        let now = machine::busy().map(|busy| (busy, own_cpu()));
        let last = std::mem::replace(&mut self.last, now);
        if !is_measured {
            return;
        }
        let worked = last.zip(now).zip(server).map(|(((busy, own), (now, own_now)), server)| {
            now.saturating_sub(busy).saturating_sub(own_now.saturating_sub(own) + server)
        });
        self.measured = self.measured.zip(worked).map(|(sum, worked)| sum + worked);
    }
}

/// A server, sampled.
struct Server<'a> {
    running: &'a Running,
    before: Option<(Duration, u64)>,
    last: Option<(Duration, u64)>,
    peak: u64,
    measured: Duration,
}

impl<'a> Server<'a> {
    fn new(running: &'a Running) -> Server<'a> {
        let before = sample(running);
        Server {
            running,
            before,
            last: before,
            peak: before.map_or(0, |(_, memory)| memory),
            measured: Duration::ZERO,
        }
    }

    /// The processor time since the last sample, and the memory now.
    fn sample(&mut self, is_measured: bool) -> Option<(Duration, u64)> {
        let (cpu, memory) = sample(self.running)?;
        let used = cpu.saturating_sub(self.last?.0);
        self.last = Some((cpu, memory));
        self.peak = self.peak.max(memory);
        if is_measured {
            self.measured += used;
        }
        Some((used, memory))
    }

    fn result(&self) -> Option<ServerResult> {
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

/// The processor time of this process.
fn own_cpu() -> Duration {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return Duration::ZERO };
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Duration::from_micros(u64::try_from(micros).unwrap_or_default())
}

/// The most memory that this process has had, in bytes.
fn own_memory_peak() -> u64 {
    let peak = getrusage(UsageWho::RUSAGE_SELF).map_or(0, |usage| usage.max_rss());
    u64::try_from(peak).unwrap_or_default() * 1024
}

fn thousandths(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

fn micros(value: Duration) -> u64 {
    u64::try_from(value.as_micros()).unwrap_or(u64::MAX)
}
