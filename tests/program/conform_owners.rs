//! A server that breaks one rule is accused of that rule: its clause fails, and no case about another clause fails by itself,
//! however many cannot go on.

use std::fs;

use reference_server::{Config, Fault, Faults};
use sockrates::conformance::{CaseResult, SuiteResult, Verdict, json::from_json};

use crate::support::{Folder, Reference, sockrates};

/// A fault, the clause that has to fail, the cases to play (those of other clauses among them that cannot go on), and how many of these
/// are blocked at least.
const BREACHES: [(Fault, &str, &str, usize); 6] = [
    (Fault::EventBeforeConnect, "SEM-OR-08", "connection/c*,upgrade/websocket-*,order/connect-*", 5),
    (Fault::ConnectReplyBare, "SIO-NS-01", "connection/connect-*,heartbeat/client-ping,rooms/*", 20),
    (Fault::ConnectReplyToMain, "SIO-NS-05", "connection/custom-namespace,namespaces/*", 10),
    (Fault::PostUnanswered, "EIO-HTTP-02", "http/post-response,rooms/*@polling", 10),
    (Fault::MainNamespaceWritten, "SIO-PK-02", "packets/namespace-spelling,events/*,upgrade/websocket-*", 0),
    (
        Fault::AckNamespaceLost,
        "SIO-EV-02",
        "events/ack-namespace,connection/custom-namespace*,namespaces/*,middleware/*",
        1,
    ),
];

#[test]
fn a_breach_is_told_of_its_own_clause_and_of_no_other() {
    for (fault, clause, only, blocked) in BREACHES {
        let server = Reference::broken(Config::default().with_fixture_timings(), Faults::from_iter([fault]));
        let folder = Folder::new();
        let json = folder.path("r.json");
        let url = server.url();
        let arguments =
            ["conform", "--url", &url, "--only", only, "--connect-timeout", "1s", "--upgrade-timeout", "1s"];
        sockrates(arguments).args(["--json".as_ref(), json.as_os_str()]).run().code(1);
        let text = fs::read_to_string(&json).expect("the results were written");
        let suite = from_json(&text).expect("they can be read").remove(0);
        assert_eq!(accused(&suite, clause), Vec::<String>::new(), "{fault:?}");
        let has_failed =
            |case: &&CaseResult| case.verdict.is_deviation() && case.clause.iter().any(|of| of == clause);
        assert!(suite.cases.iter().any(|case| has_failed(&case)), "{fault:?}: no case about {clause} fails");
        let count = suite.cases.iter().filter(|case| case.verdict == Verdict::Blocked).count();
        assert!(count >= blocked, "{fault:?}: {count} are blocked");
    }
}

#[test]
fn a_fault_of_the_reference_server_is_told_as_that_of_any_other() {
    let folder = Folder::new();
    let json = folder.path("r.json");
    let arguments = ["conform", "--fault", "post-unanswered", "--only", "http/post-response,rooms/*@polling"];
    sockrates(arguments).args(["--json".as_ref(), json.as_os_str()]).run().code(1);
    let text = fs::read_to_string(&json).expect("the results were written");
    let suite = from_json(&text).expect("they can be read").remove(0);
    assert_eq!(accused(&suite, "EIO-HTTP-02"), Vec::<String>::new());
    assert!(suite.cases.iter().filter(|case| case.verdict == Verdict::Blocked).count() >= 10);
}

/// The cases that fail and are not about this clause.
fn accused(suite: &SuiteResult, clause: &str) -> Vec<String> {
    let is_other =
        |case: &&CaseResult| case.verdict.is_deviation() && !case.clause.iter().any(|of| of == clause);
    suite.cases.iter().filter(is_other).map(|case| format!("{}: {}", case.label(), case.reason)).collect()
}
