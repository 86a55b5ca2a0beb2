//! The live display of a run: two lines on standard error, at most ten times a second.
//!
//! Shows a [`Live`] and nothing else. Where there is no terminal, or one on which nothing can be drawn anew, it is a line a second
//! instead. What it shows never enters a result.

use std::cell::Cell;
use std::env;
use std::io::{IsTerminal, stderr};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::complain;
use crate::measure::format::{count, duration, measured, printable, rate};
use crate::measure::{Audited, Live};

const TIMES_A_SECOND: u8 = 10;
const BAR: usize = 20;

/// From one line to the next where lines stay.
const EVERY: Duration = Duration::from_secs(1);

/// Whether to show anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// As lines that are drawn anew on a terminal, and as lines that stay elsewhere.
    #[default]
    Auto,
    /// Not at all.
    Hidden,
}

/// Whether lines can be drawn anew on standard error.
fn is_terminal() -> bool {
    stderr().is_terminal() && env::var_os("TERM").is_none_or(|value| value != "dumb")
}

/// The display. Gone from the terminal when finished or dropped.
#[derive(Debug)]
pub struct Progress {
    shown: Option<Lines>,
    log: Option<Log>,
}

/// Lines that stay.
#[derive(Debug)]
struct Log {
    next: Cell<Duration>,
}

impl Log {
    fn new() -> Log {
        Log { next: Cell::new(EVERY) }
    }

    /// The line that is due, if one is.
    fn line(&self, live: &Live) -> Option<String> {
        if live.elapsed < self.next.get() {
            return None;
        }
        // A run that stalled is not made up for by many lines.
        self.next.set(live.elapsed + EVERY);
        Some(format!("{} · {}", place(live), figures(live)))
    }
}

#[derive(Debug)]
struct Lines {
    all: MultiProgress,
    first: ProgressBar,
    second: ProgressBar,
}

impl Progress {
    /// A display that shows nothing until it is told something.
    pub fn new(mode: Mode) -> Self {
        match mode {
            Mode::Auto if is_terminal() => {
                let lines = Lines::on(ProgressDrawTarget::stderr_with_hz(TIMES_A_SECOND));
                Self { shown: Some(lines), log: None }
            }
            Mode::Auto => Self { shown: None, log: Some(Log::new()) },
            Mode::Hidden => Self { shown: None, log: None },
        }
    }

    /// Shows this, unless it has shown something less than a tenth of a second ago.
    pub fn update(&self, live: &Live) {
        if let Some(line) = self.log.as_ref().and_then(|log| log.line(live)) {
            complain(&line);
        }
        self.show(|| [place(live), figures(live)]);
    }

    /// The same for two lines of any content. They hold nothing that a terminal obeys.
    pub fn show(&self, lines: impl FnOnce() -> [String; 2]) {
        let Some(Lines { first, second, .. }) = &self.shown else { return };
        let [above, below] = lines();
        first.set_message(above);
        second.set_message(below);
        first.tick();
    }

    /// Prints something above the display.
    pub fn above<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.shown {
            Some(lines) => lines.all.suspend(print),
            None => print(),
        }
    }

    /// Takes the display off the terminal.
    pub fn finish(self) {}
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(Lines { all, first, second }) = &self.shown {
            first.finish_and_clear();
            second.finish_and_clear();
            // A terminal that is gone needs no clearing.
            let _ = all.clear();
        }
    }
}

impl Lines {
    fn on(target: ProgressDrawTarget) -> Self {
        let style = |template| ProgressStyle::with_template(template).expect("the templates are well-formed");
        let all = MultiProgress::with_draw_target(target);
        let first = all.add(ProgressBar::new_spinner().with_style(style("{spinner} {wide_msg}")));
        let second = all.add(ProgressBar::new_spinner().with_style(style("  {wide_msg}")));
        Self { all, first, second }
    }
}

/// Where the run is: time, how much of it is over, the step.
fn place(live: &Live) -> String {
    let whole = |time: Duration| duration(Duration::from_secs(time.as_secs()));
    let step = printable(&live.step);
    match live.expected {
        Some(expected) if expected > live.elapsed => {
            let part = live.elapsed.as_secs_f64() / expected.as_secs_f64();
            let full = (part * BAR as f64).round() as usize;
            let bar = format!("{}{}", "█".repeat(full), "░".repeat(BAR - full));
            format!("{} of {} {bar} {step}", seconds(live.elapsed), whole(expected))
        }
        // A run that takes longer than expected is not shown as nearly done.
        _ => format!("{} {step}", seconds(live.elapsed)),
    }
}

/// What happens in it.
fn figures(live: &Live) -> String {
    let mut parts = vec![format!("{} of {} connected", count(live.connected), count(live.total))];
    let mut some = |number: u64, what: &str| {
        if number > 0 {
            parts.push(format!("{} {what}", count(number)));
        }
    };
    some(live.connecting, "connecting");
    some(live.dropped, "dropped");
    // What a narrow terminal cuts off comes last.
    some(live.failures, "failed");
    if let Some(Audited { expected, wrong }) = live.audit.filter(|audit| audit.expected + audit.wrong > 0) {
        parts.push(format!("{} deliveries audited, {} wrong", count(expected), count(wrong)));
    }
    if live.due_per_second > 0.0 {
        parts.push(format!("{} asked for, {} begun", rate(live.due_per_second), rate(live.begun_per_second)));
    }
    let traffic = live.sent_per_second + live.received_per_second;
    if traffic > 0.0 {
        let (sent, received) = (rate(live.sent_per_second), rate(live.received_per_second));
        parts.push(format!("{sent} sent, {received} received"));
    }
    for (name, latency) in [("ack", live.ack), ("delivery", live.delivery)] {
        if let Some((p50, p99)) = latency {
            parts.push(format!("{name} {}, p99 {}", measured(p50), measured(p99)));
        }
    }
    parts.join(" · ")
}

/// Whole seconds, also the first one and those beyond two minutes.
fn seconds(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds => duration(Duration::from_secs(seconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live() -> Live {
        let ms = Duration::from_millis;
        Live {
            elapsed: ms(15_400),
            expected: Some(ms(60_000)),
            step: "expect said within 1 s".into(),
            connected: 1999,
            total: 2000,
            connecting: 0,
            dropped: 0,
            due_per_second: 0.0,
            begun_per_second: 0.0,
            sent_per_second: 500.0,
            received_per_second: 20_000.0,
            ack: Some((ms(2), ms(9))),
            delivery: None,
            failures: 0,
            audit: None,
        }
    }

    #[test]
    fn the_first_line_tells_where_the_run_is() {
        assert_eq!(place(&live()), "15 s of 60 s █████░░░░░░░░░░░░░░░ expect said within 1 s");
        assert_eq!(place(&Live { expected: None, ..live() }), "15 s expect said within 1 s");
    }

    #[test]
    fn a_run_that_takes_longer_than_expected_shows_no_bar() {
        let late = Live { elapsed: Duration::from_secs(150), ..live() };
        assert_eq!(place(&late), "2 min 30 s expect said within 1 s");
    }

    #[test]
    fn the_second_line_tells_what_happens_and_leaves_out_what_does_not() {
        assert_eq!(
            figures(&live()),
            "1,999 of 2,000 connected · 500/s sent, 20,000/s received · ack 2.00 ms, p99 9.00 ms"
        );
        let failing =
            Live { failures: 3, ack: None, sent_per_second: 0.0, received_per_second: 0.0, ..live() };
        assert_eq!(figures(&failing), "1,999 of 2,000 connected · 3 failed");
        let audited = Live { audit: Some(Audited { expected: 1_200, wrong: 2 }), ..failing.clone() };
        assert_eq!(
            figures(&audited),
            "1,999 of 2,000 connected · 3 failed · 1,200 deliveries audited, 2 wrong"
        );
        let busy = Live {
            connecting: 12,
            dropped: 1,
            due_per_second: 500.0,
            begun_per_second: 498.0,
            ..failing.clone()
        };
        assert_eq!(
            figures(&busy),
            "1,999 of 2,000 connected · 12 connecting · 1 dropped · 3 failed · 500/s asked for, 498/s begun"
        );
    }

    #[test]
    fn a_step_cannot_write_to_the_terminal() {
        let evil = Live { step: "\u{1b}[2J\n".into(), ..live() };
        assert!(!place(&evil).chars().any(char::is_control));
    }

    #[test]
    fn a_hidden_display_takes_updates_and_lets_others_print() {
        let progress = Progress::new(Mode::Hidden);
        assert!(progress.shown.is_none());
        progress.update(&live());
        assert_eq!(progress.above(|| 7), 7);
        progress.finish();
    }

    #[test]
    fn a_log_gets_a_line_a_second_and_not_many_at_once() {
        let log = Log::new();
        let at = |millis| log.line(&Live { elapsed: Duration::from_millis(millis), ..live() });
        assert_eq!([at(0), at(999)], [None, None]);
        assert!(
            at(1_000).is_some_and(
                |line| line.starts_with("1 s of 60 s ░░░") && line.contains(" · 1,999 of 2,000")
            )
        );
        assert_eq!(at(1_999), None);
        assert!(at(5_500).is_some());
        assert_eq!(at(6_000), None);
    }

    #[test]
    fn a_display_shows_the_latest_update_and_is_gone_at_the_end() {
        let progress = Progress { shown: Some(Lines::on(ProgressDrawTarget::hidden())), log: None };
        progress.update(&live());
        let lines = progress.shown.as_ref().expect("it was made");
        assert_eq!(lines.first.message(), place(&live()));
        assert_eq!(lines.second.message(), figures(&live()));
        let first = lines.first.clone();
        progress.finish();
        assert!(first.is_finished());
    }
}
