//! The progress of a run in two lines: the step that it is in, and the current figures.

use std::time::Duration;

use crate::measure::format::{count, duration, measured, printable, rate};
use crate::measure::{Audited, Live};

const BAR: usize = 20;

/// From one line to the next where lines stay.
const EVERY: Duration = Duration::from_secs(1);

/// When the next line is due where lines stay, as in a log.
#[derive(Debug)]
pub struct Pace {
    next: Duration,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { next: EVERY }
    }
}

impl Pace {
    /// Whether a line is due, so long after the beginning. A run that stalled is not made up for by many lines.
    pub fn is_due(&mut self, elapsed: Duration) -> bool {
        let is_due = elapsed >= self.next;
        if is_due {
            self.next = elapsed + EVERY;
        }
        is_due
    }
}

/// Both lines. They hold nothing that a terminal obeys.
pub fn lines(live: &Live) -> [String; 2] {
    [place(live), figures(live)]
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
    for (name, latency) in [("ack", live.ack), ("response", live.response), ("delivery", live.delivery)] {
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
            response: None,
            delivery: None,
            failures: 0,
            audit: None,
        }
    }

    #[test]
    fn a_log_gets_a_line_a_second_and_not_many_at_once() {
        let mut pace = Pace::default();
        let times = [0, 999, 1_000, 1_999, 5_500, 6_000];
        let due = times.map(|millis| pace.is_due(Duration::from_millis(millis)));
        assert_eq!(due, [false, false, true, false, true, false]);
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
}
