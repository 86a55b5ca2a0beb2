//! `sockrates conform --servers`: many servers out of a folder, and the site about them.

use std::fs;

use serde_json::Value;

use crate::support::{Folder, Program, sockrates};

const KNOWN: &str = "language: Rust\nlicence: MIT\nhome: https://example.org/server\n";

/// A folder of servers.
struct Servers(Folder);

impl Servers {
    fn new() -> Servers {
        Servers(Folder::new())
    }

    /// Adds one.
    fn with(self, name: &str, more: &str) -> Servers {
        let folder = self.0.path(&format!("servers/{name}"));
        fs::create_dir_all(&folder).expect("a folder can be made");
        fs::write(folder.join("server.yaml"), format!("about: The server {name}\n{KNOWN}{more}\n"))
            .expect("a file can be written");
        self
    }

    /// Adds a reference server with these arguments.
    fn reference(self, name: &str, arguments: &str) -> Servers {
        let program = env!("CARGO_BIN_EXE_sockrates");
        let start = format!("exec '{program}' serve --quiet --port $PORT --ping-timeout 2s {arguments}");
        self.with(name, &format!("versions: echo reference-server 0.1.0\nstart: {start}"))
    }

    fn file(&self, name: &str, text: &str) {
        let path = self.0.path(&format!("servers/{name}"));
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }

    /// Plays one case on them, the suite alone.
    fn conform(&self) -> Program {
        sockrates(["conform", "--only", "events/ack-once", "--suite-only", "--servers"])
            .args([self.0.path("servers")])
            .args(["--out".into(), self.0.path("site")])
            .args(["--json".into(), self.0.path("r.json")])
    }

    fn page(&self, name: &str) -> String {
        fs::read_to_string(self.0.path(&format!("site/{name}.html"))).expect("the page was written")
    }

    /// What the result says of a server.
    fn entry(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.0.path("r.json")).expect("the result was written");
        let result: Value = serde_json::from_str(&text).expect("it is JSON");
        let servers = result["body"]["servers"].as_array().expect("there are servers").clone();
        servers.into_iter().find(|one| one["name"] == name).expect("it is there")
    }
}

#[test]
fn each_server_has_its_verdicts_or_the_reason_why_it_has_none() {
    let servers = Servers::new()
        .reference("good", "")
        .reference("twice", "--fault ack-twice")
        .with("absent", "not_run: it cannot be built here")
        .with("bad", "start: echo no such module >&2; exit 3")
        .with("unbuilt", "install: echo no such compiler >&2; exit 4\nstart: exit 5");
    let ended = servers.conform().run().code(3);
    let told = ended.stdout.clone() + &ended.stderr;
    for words in ["not run: it cannot be built here", "twice deviates from SIO-EV-03"] {
        assert!(told.contains(words), "{words} is not in {told}");
    }
    let of = |name: &str| servers.entry(name);
    assert_eq!(of("good")["suite"]["summary"]["fail"], 0);
    assert_eq!(of("good")["versions"][0]["version"], "0.1.0");
    assert!(of("twice")["suite"]["summary"]["fail"].as_u64().is_some_and(|fail| fail > 0));
    assert!(of("bad")["trouble"]["sentence"].to_string().contains("ended with exit code 3"), "{}", of("bad"));
    assert!(of("bad")["trouble"]["output"].to_string().contains("no such module"), "{}", of("bad"));
    assert_eq!(of("unbuilt")["trouble"]["stage"], "install");
    assert!(
        of("unbuilt")["trouble"]["sentence"].to_string().contains("no such compiler"),
        "{}",
        of("unbuilt")
    );
    assert!(servers.page("server-twice").contains("SIO-EV-03"));
    assert!(servers.page("clause-SIO-EV-03").contains("server-good.html"));
    let place = servers.0.path("servers").display().to_string();
    let index = servers.page("index").replace(&format!("--servers {place}"), "");
    assert!(!index.contains(&place), "where the folder lies is told by nothing but the command");
}

#[test]
fn a_deviation_that_a_raw_client_has_shown_is_told_with_its_evidence_and_fails_nothing() {
    let servers = Servers::new().reference("twice", "--fault ack-twice");
    servers.file("proofs/ack.py", "print('raw')\n");
    servers.file("proofs/ack.txt", "> 427[\"t:ack-twice\"]\n< 437[1]\n< 437[2]\n");
    servers.file(
        "deviations.yaml",
        "- rule: SIO-EV-03\n  servers: [twice]\n  severity: serious\n  broken: it is written somewhere\n  instead: It \
         acknowledges twice\n  script: proofs/ack.py\n  transcripts: proofs/ack.txt\n",
    );
    servers.conform().run().code(0);
    let page = servers.page("clause-SIO-EV-03");
    for words in ["it is written somewhere", "It acknowledges twice", "serious", "437[2]"] {
        assert!(page.contains(words), "{words}");
    }
    // The site is made anew from the stored result.
    sockrates(["report".into(), servers.0.path("r.json"), "--out".into(), servers.0.path("again")])
        .run()
        .code(0);
    let again = fs::read_to_string(servers.0.path("again/clause-SIO-EV-03.html")).expect("it was written");
    assert_eq!(again, page);
}

#[test]
fn servers_side_by_side_have_the_verdicts_that_they_have_alone() {
    let servers = Servers::new().reference("good", "").reference("twice", "--fault ack-twice");
    servers.conform().args(["--at-a-time", "2"]).run().code(1);
    assert_eq!(servers.entry("good")["suite"]["summary"]["fail"], 0);
    assert!(servers.entry("twice")["suite"]["summary"]["fail"].as_u64().is_some_and(|fail| fail > 0));
}

#[test]
fn a_server_that_hangs_is_given_up_and_the_next_is_played() {
    let servers = Servers::new().with("hangs", "start: sleep 1000").reference("good", "");
    servers.conform().args(["--server-limit", "10s"]).run().code(3);
    assert!(servers.entry("hangs")["trouble"]["sentence"].to_string().contains("within 10 s"));
    assert_eq!(servers.entry("good")["suite"]["summary"]["fail"], 0);
}

#[test]
fn files_that_are_wrong_are_all_told_before_anything_is_started() {
    let servers = Servers::new()
        .with("loop", "start: &a [*a]")
        .with("twin", "start: touch started\nstart: touch started")
        .with("good", "start: touch started");
    servers.file("deviations.yaml", "- rule: SIO-EV-03\n  servers: [nobody]\n");
    let ended = servers.conform().run().code(2);
    for words in ["loop/server.yaml", "twin/server.yaml", "deviations.yaml"] {
        assert!(ended.stderr.contains(words), "{words} is not in {}", ended.stderr);
    }
    assert!(!servers.0.path("servers/good/started").exists());
    let empty = Servers::new();
    fs::create_dir(empty.0.path("servers")).expect("a folder can be made");
    empty.conform().run().code(2).complains("has a server.yaml");
    let servers = Servers::new().with("node", "not_run: never");
    servers.conform().args(["--server-name", "nodr"]).run().code(2).complains("did you mean `node`?");
}

#[test]
fn a_bug_report_tells_what_is_expected_what_comes_and_how_to_see_it_again() {
    let folder = Folder::new();
    let stored = folder.path("r.json");
    let broken = || sockrates(["conform", "--fault", "ack-twice"]);
    broken().args(["--only", "events/ack-once", "--json"]).args([&stored]).run().code(1);
    let alone = broken().args(["--issue", "events/ack-once"]).run().code(1);
    let again =
        sockrates(["conform", "--issue", "events/ack-once", "--result"]).args([&stored]).run().code(1);
    for ended in [alone, again] {
        for words in
            ["# Not so: An event is acknowledged once", "SIO-EV-03", "437[2]", "[\"websocket\",\"/socket.io/"]
        {
            assert!(ended.stdout.contains(words), "{words} is not in {}", ended.stdout);
        }
    }
    sockrates(["conform", "--issue", "events/ack-once"])
        .run()
        .code(2)
        .complains("there is nothing to report");
    sockrates(["conform", "--issue", "events/ack-onze", "--result"])
        .args([&stored])
        .run()
        .code(2)
        .complains("did you mean `events/ack-once`?");
}
