//! A server that takes longer to answer than its own times allow is legal, and much cannot be decided on it: what had not come, or not
//! before the connection ended, is no deviation then.

use std::time::Duration;

use super::owner::{is_of_time, is_shaky, rule};
use super::result::CaseResult;
use super::verdict::Verdict;
use crate::measure::format;
use crate::observe::Grounds;

/// A client exchanges so much one after the other before one of the server's times is over.
const EXCHANGES: u32 = 3;

/// What does not come in the time of so many exchanges does not come.
const PATIENCE: u32 = 10;

/// Less than this is not slow, whatever the times are.
const SLOW: Duration = Duration::from_millis(100);

/// How long a server takes to answer, whoever asks, and the shortest of its own times.
#[derive(Clone, Copy, Debug)]
pub struct Delay {
    /// The least that it takes.
    pub took: Duration,
    /// Between two heartbeats, to join a namespace, or to upgrade.
    pub shortest: Duration,
}

impl Delay {
    fn is_too_long(self) -> bool {
        self.took >= SLOW && self.took * EXCHANGES > self.shortest
    }

    /// Whether it may be why a check did not hold, in a case that counts by the server's times or not.
    fn explains(self, grounds: Grounds, is_about_time: bool) -> bool {
        match grounds {
            Grounds::Came => false,
            Grounds::Silence(lasted) => is_about_time || lasted < self.took * PATIENCE,
            Grounds::End => true,
        }
    }
}

/// Makes a case undecided that fails, or is blocked, by nothing but what this delay may explain.
pub fn excuse(case: &mut CaseResult, delay: Delay, is_about_time: bool) {
    if delay.is_too_long() && is_explained(case, |grounds| delay.explains(grounds, is_about_time)) {
        let (took, shortest) = (format::duration(delay.took), format::duration(delay.shortest));
        let server =
            format!("a server that takes {took} to answer, where one of its own times is {shortest}");
        leave_open(case, &server);
    }
}

/// The same, of a case that fails, or is blocked, by nothing but that connections ended, where other programs keep this machine busy
/// and there was no time to play it in calm.
pub fn excuse_ends(case: &mut CaseResult) {
    if is_explained(case, |grounds| grounds == Grounds::End) {
        leave_open(case, "this machine, which other programs keep too busy to play it again in calm");
    }
}

/// Whether a case fails, or is blocked, by nothing but what did not come, or that connections ended: what others may be to blame for
/// that ask at the same time.
pub fn rests_on_silence(case: &CaseResult) -> bool {
    is_explained(case, |grounds| grounds != Grounds::Came)
}

/// Whether all that the first check that failed rests on is explained, or what the server did at the wrong time where none did.
fn is_explained(case: &CaseResult, explains: impl Fn(Grounds) -> bool) -> bool {
    let is_in_doubt = case.verdict.is_deviation() || case.by.as_deref().is_some_and(is_shaky);
    let failures = case.checks.first().map(|check| &check.failures[..]).unwrap_or_default();
    let is_late = |name: &Option<String>| name.as_deref().and_then(rule).is_some_and(is_of_time);
    let holds = match failures.is_empty() {
        true => case.errors.iter().all(|error| !error.is_wrong || is_late(&error.rule)),
        false => failures.iter().all(|failure| explains(failure.grounds)),
    };
    is_in_doubt && !case.has_ended && holds
}

fn leave_open(case: &mut CaseResult, on: &str) {
    case.reason = format!("cannot be decided on {on}: {}", case.reason);
    (case.verdict, case.by) = (Verdict::Skip, None);
    (case.checks, case.errors) = (Vec::new(), Vec::new());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::example;

    const SHORTEST: Duration = Duration::from_millis(300);

    fn excused(verdict: Verdict, took: u64, grounds: Grounds, is_about_time: bool) -> Verdict {
        let mut case = example::result("polling/order", None, verdict);
        for check in &mut case.checks {
            check.failures[0].grounds = grounds;
        }
        let delay = Delay { took: Duration::from_millis(took), shortest: SHORTEST };
        excuse(&mut case, delay, is_about_time);
        case.verdict
    }

    #[test]
    fn the_end_of_a_connection_decides_nothing_on_a_server_slower_than_its_own_times() {
        assert_eq!(excused(Verdict::Fail, 400, Grounds::End, false), Verdict::Skip);
        assert_eq!(excused(Verdict::Note, 101, Grounds::End, false), Verdict::Skip);
        assert_eq!(excused(Verdict::Fail, 99, Grounds::End, false), Verdict::Fail, "it is quick enough");
        assert_eq!(excused(Verdict::Pass, 400, Grounds::End, false), Verdict::Pass);
    }

    #[test]
    fn an_end_on_a_busy_machine_is_left_open_and_a_silence_is_not() {
        let excused = |grounds| {
            let mut case = example::result("polling/order", None, Verdict::Fail);
            case.checks[0].failures[0].grounds = grounds;
            excuse_ends(&mut case);
            case.verdict
        };
        assert_eq!(excused(Grounds::End), Verdict::Skip);
        assert_eq!(excused(Grounds::Silence(Duration::ZERO)), Verdict::Fail);
    }

    #[test]
    fn what_came_does_not_rest_on_silence() {
        let rests = |grounds| {
            let mut case = example::result("polling/order", None, Verdict::Fail);
            case.checks[0].failures[0].grounds = grounds;
            rests_on_silence(&case)
        };
        assert!(rests(Grounds::Silence(Duration::from_secs(5))) && rests(Grounds::End));
        assert!(!rests(Grounds::Came));
    }

    #[test]
    fn what_does_not_come_for_long_enough_is_missing_unless_the_case_is_about_time() {
        let silence = |millis| Grounds::Silence(Duration::from_millis(millis));
        assert_eq!(excused(Verdict::Fail, 200, silence(1_999), false), Verdict::Skip);
        assert_eq!(excused(Verdict::Fail, 200, silence(2_000), false), Verdict::Fail);
        assert_eq!(excused(Verdict::Fail, 200, silence(2_000), true), Verdict::Skip);
    }

    #[test]
    fn what_came_shows_a_deviation_however_slow_the_server_is() {
        assert_eq!(excused(Verdict::Fail, 10_000, Grounds::Came, true), Verdict::Fail);
    }
}
