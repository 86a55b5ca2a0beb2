//! Cases and results for tests.

use super::case::Case;
use super::result::{CaseResult, SuiteResult, Summary, TimingsResult};
use super::verdict::Verdict;
use super::versions::Versions;
use crate::document::Source;
use crate::report::result::{CheckResult, Environment, FailureResult, TargetInfo, TargetKind, WireResult};
use crate::scenario::{Level, Surroundings};
use crate::session::Transport;

/// A case with these further keys.
pub(super) fn case(id: &str, keys: &str) -> Case {
    let text = format!("name: x\n{keys}\nclients: {{ a: 1 }}\nscript: [{{ a: connect }}]\n");
    let source = Source { name: id.to_owned(), text };
    Case::read(id.to_owned(), source, &Surroundings::without_files()).expect("it is a good case")
}

/// What a case came to.
pub(crate) fn result(id: &str, transport: Option<Transport>, verdict: Verdict) -> CaseResult {
    let level = match verdict {
        Verdict::Warn => Level::Should,
        Verdict::Note => Level::Official,
        _ => Level::Must,
    };
    let wire = WireResult { at_us: 1500, sent: false, text: "42[\"news\"]".to_owned() };
    let failure = FailureResult {
        client: "alice".to_owned(),
        expected: "not the event `news`".to_owned(),
        actual: "[\"news\",\"\u{1b}]0;<&>\"]".to_owned(),
        wire: vec![wire],
        after: None,
        grounds: Default::default(),
    };
    let check = CheckResult {
        step: "hears no `news`".to_owned(),
        file: format!("{id}.yaml"),
        line: 7,
        column: 3,
        source: "- alice: { expect_none: { event: news } }".to_owned(),
        groups: vec!["alice".to_owned()],
        passed: 0,
        failed: 1,
        allowed: 0,
        missed: 0,
        failures: vec![failure],
    };
    CaseResult {
        id: id.to_owned(),
        transport,
        clause: vec!["SEM-BC-04".to_owned()],
        level,
        area: id.split('/').next().unwrap_or_default().to_owned(),
        name: "A broadcast to a room reaches nobody else".to_owned(),
        spec: vec!["Socket.IO documentation, Rooms".to_owned()],
        needs: Vec::new(),
        lacks: Vec::new(),
        verdict,
        by: None,
        has_ended: false,
        reason: match verdict {
            Verdict::Pass => "all 3 checks held".to_owned(),
            Verdict::Skip => "the server lacks the fixture's event `t:join`: nothing came".to_owned(),
            _ => "expected not the event `news`, saw [\"news\"]".to_owned(),
        },
        checks: if verdict.is_deviation() { vec![check] } else { Vec::new() },
        errors: Vec::new(),
        duration_us: 12_000,
        command: format!("sockrates conform --only {id}"),
    }
}

/// What a suite came to.
pub(crate) fn suite(name: &str, cases: Vec<CaseResult>) -> SuiteResult {
    SuiteResult {
        tool_version: "0.1.0".to_owned(),
        name: name.to_owned(),
        target: TargetInfo::missing(TargetKind::Url, "http://127.0.0.1:3000/socket.io/".to_owned(), None),
        started: "2026-11-21T05:53:12Z".to_owned(),
        duration_us: 3_200_000,
        environment: Environment { os: "linux x86_64".to_owned(), cpus: 2, ..Environment::default() },
        timings: TimingsResult {
            ping_interval_us: 300_000,
            ping_timeout_us: 200_000,
            connect_timeout_us: 1_000_000,
            upgrade_timeout_us: 1_000_000,
            recovery_us: 2_000_000,
            max_payload: 1_000_000,
        },
        versions: Versions::default(),
        features: Vec::new(),
        findings: Vec::new(),
        summary: Summary::of(cases.iter().map(|case| case.verdict)),
        contract: None,
        baseline: None,
        like: None,
        exit_code: u8::from(cases.iter().any(|case| case.verdict == Verdict::Fail)),
        cases,
    }
}
