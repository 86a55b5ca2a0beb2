//! What a case comes to that is in doubt, was played again, or did not end well.

use std::time::Duration;

use super::stall::remark;
use crate::conformance::{CaseResult, Variant, Verdict};
use crate::measure::format;

/// The round in which every verdict is believed.
pub(super) const LAST_ROUND: usize = 2;

/// Why a deviation is not believed at once.
#[derive(Clone, Copy)]
pub(super) enum Doubt {
    /// This machine stalled for so long.
    Stall(Duration),
    /// The server was slow: it took so long for an answer.
    Slow(Duration),
    /// A connection could not be made, and the server was there.
    Unreached,
    /// A connection was not made, or was lost, under heartbeats that a busy machine sometimes misses.
    Accident,
    /// Such heartbeats alone: a client that only looks does not lose its connection, but finds it closed.
    Haste,
}

impl Doubt {
    /// Whether a verdict is doubted in a round.
    pub(super) fn holds(self, round: usize) -> bool {
        match self {
            Doubt::Stall(_) | Doubt::Slow(_) | Doubt::Unreached | Doubt::Accident => round < LAST_ROUND,
            Doubt::Haste => round == 0,
        }
    }
}

/// A result that says nothing yet.
pub(super) fn blank(variant: Variant<'_>, command: String) -> CaseResult {
    let Variant { case, transport } = variant;
    CaseResult {
        id: case.id.clone(),
        transport,
        clause: case.scenario.clause.clone(),
        level: case.scenario.level,
        area: case.area().to_owned(),
        name: case.scenario.name.clone(),
        spec: case.scenario.spec.clone(),
        needs: case.scenario.needs.clone(),
        lacks: Vec::new(),
        verdict: Verdict::Skip,
        by: None,
        has_ended: false,
        reason: String::new(),
        checks: Vec::new(),
        errors: Vec::new(),
        duration_us: 0,
        command,
    }
}

/// A case that was played again because of a doubt. That is told only where it decided: where its verdict is another one now.
pub(super) fn calmer(mut result: CaseResult, before: Option<(CaseResult, Doubt)>) -> CaseResult {
    let is_same =
        |(before, _): &(CaseResult, Doubt)| before.verdict == result.verdict && before.by == result.by;
    match before.filter(|before| !is_same(before)) {
        Some((_, Doubt::Stall(time))) => {
            let time = format::duration(time);
            result.reason.push_str(&format!(" (repeated, because this machine stalled for {time})"));
        }
        Some((_, Doubt::Slow(time))) => {
            let time = format::duration(time);
            result.reason.push_str(&format!(" (repeated, because the server took {time} to answer)"));
        }
        Some((_, Doubt::Unreached)) => {
            result.reason.push_str(" (repeated, because connections were not answered by TCP before)");
        }
        Some((_, Doubt::Accident | Doubt::Haste)) => {
            result.reason.push_str(" (repeated, because heartbeats this short are sometimes missed)");
        }
        None => {}
    }
    result
}

/// A deviation that was in doubt each time it was seen: tells who reads it where other programs kept this machine busy.
pub(super) fn remarked(mut result: CaseResult, busy: Option<f64>) -> CaseResult {
    if let Some(share) = busy.filter(|_| result.verdict.is_deviation()) {
        result.reason.push_str(&remark(share));
    }
    result
}

/// A case during which the server died for good says nothing, unless it passed.
pub(super) fn lost(mut result: CaseResult) -> CaseResult {
    if result.verdict != Verdict::Pass {
        result.by = None;
        result.verdict = Verdict::Blocked;
        result.reason = format!("the server ended and could not be started again: {}", result.reason);
    }
    result
}

/// A case that the server did not survive: whatever its clause, no client may end a server.
pub(super) fn killer(mut result: CaseResult, death: &str) -> CaseResult {
    (result.verdict, result.by, result.has_ended) = (Verdict::Fail, None, true);
    result.reason = format!("the server did not survive this case: {death}");
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::example;

    fn result(verdict: Verdict) -> CaseResult {
        CaseResult { reason: "as seen".to_owned(), ..example::result("polling/order", None, verdict) }
    }

    #[test]
    fn a_stall_is_doubted_until_the_last_round_and_haste_only_once() {
        let holds = |doubt: Doubt| [0, 1, 2].map(|round| doubt.holds(round));
        assert_eq!(holds(Doubt::Stall(Duration::ZERO)), [true, true, false]);
        assert_eq!(holds(Doubt::Slow(Duration::ZERO)), [true, true, false]);
        assert_eq!(holds(Doubt::Accident), [true, true, false]);
        assert_eq!(holds(Doubt::Unreached), [true, true, false]);
        assert_eq!(holds(Doubt::Haste), [true, false, false]);
    }

    #[test]
    fn a_verdict_reached_in_a_second_round_says_why_there_was_one() {
        let before = |doubt| Some((result(Verdict::Fail), doubt));
        let stalled = calmer(result(Verdict::Pass), before(Doubt::Stall(Duration::from_millis(80))));
        assert_eq!(stalled.reason, "as seen (repeated, because this machine stalled for 80 ms)");
        assert!(calmer(result(Verdict::Pass), before(Doubt::Haste)).reason.contains("heartbeats this short"));
        let slow = before(Doubt::Slow(Duration::from_millis(900)));
        assert!(calmer(result(Verdict::Pass), slow).reason.contains("the server took 900 ms to answer"));
        assert_eq!(calmer(result(Verdict::Pass), None).reason, "as seen");
        assert_eq!(
            calmer(result(Verdict::Fail), before(Doubt::Haste)).reason,
            "as seen",
            "it decided nothing"
        );
    }

    #[test]
    fn a_deviation_that_stays_in_doubt_on_a_busy_machine_says_so() {
        let told = remarked(result(Verdict::Fail), Some(0.976));
        let expected = "as seen (in doubt: other programs keep this machine busy, and a task waits for a processor in 98 % of the time)";
        assert_eq!(told.reason, expected);
        assert_eq!(remarked(result(Verdict::Fail), None).reason, "as seen");
        assert_eq!(remarked(result(Verdict::Pass), Some(0.976)).reason, "as seen");
    }

    #[test]
    fn whoever_was_there_when_the_server_died_for_good_is_not_to_blame() {
        let blocked = lost(result(Verdict::Fail));
        assert_eq!(blocked.verdict, Verdict::Blocked);
        assert_eq!(blocked.reason, "the server ended and could not be started again: as seen");
        assert_eq!(lost(result(Verdict::Pass)).verdict, Verdict::Pass);
    }
}
