//! A result for tests.

use super::confirmed::{Confirmed, Severity, Transcript};
use super::result::{
    CannotJudge, LoadOutcome, PackageVersion, ScenarioOutcome, ServerEntry, ServersResult, Stage, Trouble,
};
use crate::conformance::example::{result, suite};
use crate::conformance::{CaseResult, Verdict};
use crate::report::result::Environment;
use crate::session::Transport;
use crate::verdict::Status;

fn case(id: &str, clause: &str, verdict: Verdict) -> CaseResult {
    CaseResult { clause: vec![clause.to_owned()], ..result(id, None, verdict) }
}

fn entry(name: &str, cases: Option<Vec<CaseResult>>) -> ServerEntry {
    ServerEntry {
        name: name.to_owned(),
        about: format!("The server {name}"),
        language: "JavaScript".to_owned(),
        licence: "MIT".to_owned(),
        home: "https://github.com/socketio/socket.io".to_owned(),
        protocol: 4,
        versions: vec![PackageVersion { name: "socket.io".to_owned(), version: "4.8.1".to_owned() }],
        cannot_judge: Vec::new(),
        not_run: None,
        trouble: None,
        suite: cases.map(|cases| suite(name, cases)),
        scenarios: Vec::new(),
        load: None,
    }
}

/// Two versions of a library that differ, a fixture that is the limit, one that did not start, and one that is not run.
pub(crate) fn servers() -> ServersResult {
    let mut node = entry(
        "node-4.8",
        Some(vec![
            case("polling/one", "EIO-LP-02", Verdict::Warn),
            case("rooms/kept", "SEM-BC-01", Verdict::Pass),
            case("rooms/one", "SEM-BC-04", Verdict::Fail),
            CaseResult {
                transport: Some(Transport::Polling),
                ..case("rooms/one", "SEM-BC-04", Verdict::Fail)
            },
        ]),
    );
    node.scenarios = vec![ScenarioOutcome {
        id: "rooms".to_owned(),
        name: "What is said in a room".to_owned(),
        status: Some(Status::Passed),
        reason: "all 40 checks held".to_owned(),
    }];
    node.load = Some(LoadOutcome {
        status: Status::Passed,
        reason: "all thresholds were met".to_owned(),
        clients: 100,
        delivery_p50_us: Some(900),
        delivery_p99_us: Some(4_200),
        ack_p99_us: Some(3_100),
        cpu_millionths: Some(123_000),
        memory_peak: Some(80 << 20),
        expected: 8_000,
        missing: 0,
        duplicate: 0,
        disordered: 0,
        leaked: 0,
    });
    let mut older = entry(
        "node-4.4",
        Some(vec![
            case("polling/one", "EIO-LP-02", Verdict::Pass),
            case("rooms/one", "SEM-BC-04", Verdict::Fail),
        ]),
    );
    older.versions[0].version = "4.4.0".to_owned();
    let mut netty = entry("netty", Some(vec![case("binary/one", "SIO-BIN-01", Verdict::Fail)]));
    netty.cannot_judge =
        vec![CannotJudge { what: "binary".to_owned(), why: "its handlers declare no bytes".to_owned() }];
    let mut broken = entry("broken", None);
    broken.trouble = Some(Trouble {
        stage: Stage::Start,
        sentence: "the server command `exit 4` ended with exit code 4".to_owned(),
        output: vec!["</script><img src=x onerror=alert(1)>".to_owned()],
    });
    let mut java = entry("java", None);
    java.not_run = Some("no Java build can be had".to_owned());
    ServersResult {
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        command: "sockrates conform --servers tests/servers".to_owned(),
        started: "2026-11-29T05:53:12Z".to_owned(),
        duration_us: 3_200_000,
        environment: Environment { os: "linux x86_64".to_owned(), cpus: 2, ..Environment::default() },
        load: "load/small-rooms (--clients 100 --duration 10s)".to_owned(),
        servers: vec![broken, java, netty, older, node],
        confirmed: vec![Confirmed {
            rule: "SEM-BC-04".to_owned(),
            servers: vec!["node-4.8".to_owned()],
            severity: Severity::Serious,
            broken: "\"will be received by the members of the room\" (https://example.org/rooms)".to_owned(),
            instead: "Clients outside of the room receive it, too".to_owned(),
            script: "proofs/rooms.py".to_owned(),
            script_text: "print('raw')\n".to_owned(),
            transcripts: vec![Transcript {
                server: "node-4.8".to_owned(),
                lines: vec!["> 42[\"join\"]".to_owned(), "< 42[\"</script>\"]".to_owned()],
            }],
        }],
    }
}
