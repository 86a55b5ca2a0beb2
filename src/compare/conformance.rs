//! How a server of a comparison kept to the protocol, beside its figures: what `compare --conformance` asks.
//!
//! The command line plays the suite; this keeps the part of its result that a comparison shows.

use serde::{Deserialize, Serialize};

use crate::conformance::result::{FindingResult, Summary};
use crate::conformance::{SuiteResult, Verdict};

/// What the suite found about one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Conformance {
    /// The server.
    pub server: String,
    /// How many variants of cases got which verdict.
    pub summary: Summary,
    /// Those that failed or were not judged, in the order of their ids.
    pub deviations: Vec<Deviation>,
    /// Which demanded rules of the wire the server broke in whatever case, and how it died, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    /// Why cases are missing. None if all were played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfinished: Option<String>,
}

/// A variant of a case, and its verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Deviation {
    /// The id of the case, with `@transport` where it is played over several.
    pub case: String,
    /// Its verdict on the server.
    pub verdict: Verdict,
}

impl Conformance {
    /// What a comparison shows of this suite, of which `size` variants were to be played.
    pub(crate) fn of(suite: &SuiteResult, size: usize, is_interrupted: bool) -> Conformance {
        let told = suite.cases.iter().filter(|case| !matches!(case.verdict, Verdict::Pass | Verdict::Skip));
        let findings = suite.findings.iter().filter(|finding| finding.verdict == Verdict::Fail);
        // Who is interrupted while it looks what a server has skips what it did not see.
        let played = suite.summary.total() - suite.summary.skip;
        let unfinished = || format!("interrupted after {played} of {size} cases");
        Conformance {
            server: suite.name.clone(),
            summary: suite.summary,
            deviations: told.map(|case| Deviation { case: case.label(), verdict: case.verdict }).collect(),
            findings: findings.map(FindingResult::sentence).collect(),
            unfinished: (is_interrupted || suite.cases.len() < size).then(unfinished),
        }
    }

    /// A server against which nothing was played.
    pub(crate) fn missing(server: &str, why: String) -> Conformance {
        Conformance {
            server: server.to_owned(),
            summary: Summary::default(),
            deviations: Vec::new(),
            findings: Vec::new(),
            unfinished: Some(why),
        }
    }

    /// The cases with this verdict.
    pub(crate) fn cases(&self, verdict: Verdict) -> Vec<&str> {
        let of = self.deviations.iter().filter(|deviation| deviation.verdict == verdict);
        of.map(|deviation| deviation.case.as_str()).collect()
    }

    /// Whether nothing that the suite found breaks a demanded rule, and something was judged.
    pub(crate) fn is_kept(&self) -> bool {
        let Summary { fail, blocked, .. } = self.summary;
        fail == 0 && blocked == 0 && self.findings.is_empty() && self.summary.judged() > 0
    }
}

/// Cases that fail now and did not, and cases that failed and do not now, where both results judged them.
pub(crate) fn turned<'a>(old: &'a Conformance, new: &'a Conformance) -> (Vec<&'a str>, Vec<&'a str>) {
    let (was, is) = (old.cases(Verdict::Fail), new.cases(Verdict::Fail));
    let without = |all: &[&'a str], others: &[&'a str]| {
        all.iter().copied().filter(|case| !others.contains(case)).collect::<Vec<_>>()
    };
    (without(&is, &was), without(&was, &is))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::example::{result, suite};

    #[test]
    fn what_passed_and_what_was_skipped_is_counted_and_the_rest_is_named() {
        let verdicts = Verdict::ALL.map(|verdict| result(&format!("a/{}", verdict.name()), None, verdict));
        let told = Conformance::of(&suite("node", verdicts.to_vec()), 6, false);
        assert_eq!((told.summary.pass, told.summary.skip, told.unfinished.as_deref()), (1, 1, None));
        assert_eq!(told.cases(Verdict::Fail), ["a/fail"]);
        assert_eq!(told.deviations.len(), 4);
        assert!(!told.is_kept());
        let passed = suite("node", vec![result("a/b", None, Verdict::Pass)]);
        assert!(Conformance::of(&passed, 1, false).is_kept());
    }

    #[test]
    fn a_suite_that_was_not_finished_says_so_and_one_that_never_began_is_not_kept() {
        let begun = suite("node", vec![result("a/b", None, Verdict::Pass)]);
        let told = Conformance::of(&begun, 9, false);
        assert_eq!(
            Conformance::of(&begun, 1, true).unfinished.as_deref(),
            Some("interrupted after 1 of 1 cases")
        );
        assert_eq!(told.unfinished.as_deref(), Some("interrupted after 1 of 9 cases"));
        assert!(!Conformance::missing("node", "it is gone".to_owned()).is_kept());
    }

    #[test]
    fn what_fails_by_now_is_told_from_what_fails_no_more() {
        let day = |cases: &[&str]| {
            let all = cases.iter().map(|case| result(case, None, Verdict::Fail)).collect();
            Conformance::of(&suite("node", all), cases.len(), false)
        };
        let (old, new) = (day(&["a/same", "a/mended"]), day(&["a/broken", "a/same"]));
        assert_eq!(turned(&old, &new), (vec!["a/broken"], vec!["a/mended"]));
    }
}
