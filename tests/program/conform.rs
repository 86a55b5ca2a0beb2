//! `sockrates conform` as its user meets it: which cases it plays, what it says of them, and how it ends.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Mutex;
use std::sync::mpsc;

use reference_server::Config;
use serde_json::Value as Json;
use sockrates::conformance::{SuiteResult, json::from_json};

use crate::support::{Folder, Reference, relay, results, sockrates};

/// Holds against a good server and not against one with the fault `ack-twice`… that is, `event-lost`.
const ECHO: &str = "- alice: connect\n- alice: { emit: { event: message, args: [1] } }\n\
                    - alice: { expect: { event: message-back, args: [1], within: 1s } }";

/// Holds against no server.
const WRONG: &str = "- alice: connect\n\
                     - alice: { emit: { event: message-with-ack, args: [1], ack: { args: [2] } } }";

const ALICE: &str = "{ alice: 1 }";

/// A suite in which everything passes.
fn good() -> Folder {
    let folder = Folder::new();
    folder.case("talk/echo", "clause: SIO-EV-01\ntransports: [websocket, polling, upgrade]", ALICE, ECHO);
    folder.case("talk/open", "clause: EIO-HS-11\nlevel: should", ALICE, "- alice: open");
    folder
}

/// A suite with one case that fails at this level.
fn bad(level: &str) -> Folder {
    let folder = good();
    folder.case("talk/wrong", &format!("clause: SIO-ACK-01\nlevel: {level}"), ALICE, WRONG);
    folder
}

fn suites(folder: &Folder, name: &str) -> Vec<SuiteResult> {
    let text = fs::read_to_string(folder.path(name)).expect("the results were written");
    from_json(&text).expect("the results are those of a suite")
}

fn labels(folder: &Folder, arguments: &[&str]) -> Vec<String> {
    let json = folder.path("r.json");
    folder.conform(arguments).args(["--json".as_ref(), json.as_os_str()]).run().calm();
    suites(folder, "r.json")[0].cases.iter().map(|case| case.label()).collect()
}

#[test]
fn a_good_server_passes_and_every_variant_is_played() {
    let folder = good();
    folder
        .conform(["--verbose"])
        .run()
        .code(0)
        .says("✓ passed: 4 cases")
        .says("4 pass.")
        .says("talk/echo@websocket ✓ pass")
        .says("talk/echo@upgrade ✓ pass")
        .says("talk/open ✓ pass");
}

#[test]
fn the_level_of_a_clause_decides_what_a_deviation_is() {
    for (level, word, code) in [("must", "fail", 1), ("should", "warn", 0), ("official", "note", 0)] {
        let folder = bad(level);
        folder
            .conform([] as [&str; 0])
            .run()
            .code(code)
            .says(&format!("{word} talk/wrong what talk/wrong says {level} · SIO-ACK-01"))
            .says("expected an acknowledgement with the list [2]")
            .says("actual an acknowledgement with [1]")
            .says("→ 420[\"message-with-ack\",1]")
            .says("again: sockrates conform --only talk/wrong --cases");
        let strictly = if level == "official" { 0 } else { 1 };
        folder.conform(["--strict", "--quiet"]).run().code(strictly);
    }
}

#[test]
fn the_command_in_the_report_plays_the_case_again() {
    let (folder, reference) = (bad("must"), Reference::start());
    let url = reference.url();
    let json = folder.path("r.json");
    folder.conform(["--url", &url, "--header", "X-It: 'is'", "--json"]).args([&json]).run().code(1);
    let cases = &suites(&folder, "r.json")[0].cases;
    let wrong = cases.iter().find(|case| case.id == "talk/wrong").expect("it was played");
    let words = shlex::split(&wrong.command).expect("it is a command line");
    assert_eq!(words[0], "sockrates");
    let again = sockrates(&words[1..]).run().code(1);
    again.says("✗ fail talk/wrong").says("1 case").says("--header");
    let echo = cases.iter().find(|case| case.label() == "talk/echo@polling").expect("it was played");
    let words = shlex::split(&echo.command).expect("it is a command line");
    sockrates(&words[1..]).run().code(0).says("✓ passed: 1 case");
}

#[test]
fn only_what_is_chosen_is_played() {
    let folder = bad("should");
    for (arguments, left) in [
        (&["--only", "talk/open"][..], &["talk/open"][..]),
        (&["--only", "*@polling,level:should"], &["talk/echo@polling", "talk/open", "talk/wrong"]),
        (
            &["--only", "clause:SIO-*", "--exclude", "transport:upgrade", "--exclude", "*wrong"],
            &["talk/echo@websocket", "talk/echo@polling"],
        ),
    ] {
        assert_eq!(labels(&folder, arguments), left, "{arguments:?}");
    }
}

#[test]
fn a_word_that_means_nothing_is_a_mistake() {
    let folder = good();
    for (word, near) in [
        ("talk/opne", "did you mean `talk/open`?"),
        ("level:msut", "did you mean `must`?"),
        ("clause:EIO-HS-12", "did you mean `clause:EIO-HS-11`?"),
        ("needs:recovery", "no case is meant by `needs:recovery`"),
    ] {
        folder.conform(["--only", word]).run().code(2).complains(near);
        folder.conform(["--exclude", word]).run().code(2).complains(near);
    }
    folder.conform(["--exclude", "*"]).run().code(2).complains("no case is left");
    sockrates(["conform", "--cases", "/there/is/none"]).run().code(2).complains("cannot read the folder");
}

#[test]
fn a_mistake_in_a_case_is_told_before_anything_is_started() {
    let folder = good();
    folder.case("talk/typo", "", ALICE, "- alice: conect");
    folder.conform(["--server", "exit 7"]).run().code(2).complains("did you mean `connect`?");
}

#[test]
fn a_suite_in_which_nothing_is_played_has_proved_nothing() {
    let folder = Folder::new();
    folder.case("slow/wait", "takes: 1h", ALICE, "- alice: open");
    folder
        .conform([] as [&str; 0])
        .run()
        .code(1)
        .says("takes about 1 h with this server's timings: give --patience 60m: slow/wait")
        .says("1 skip");
    folder.conform(["--patience", "2h"]).run().code(0).says("1 pass");
}

#[test]
fn a_server_that_is_not_there_cannot_be_judged() {
    let folder = good();
    folder.conform(["--url", "http://127.0.0.1:1"]).run().code(3).complains("nothing listens at 127.0.0.1:1");
    folder.conform(["--server", "exit 7"]).run().code(3).complains("ended with exit code 7");
}

#[test]
fn a_baseline_is_written_and_knows_what_it_lists() {
    let folder = bad("must");
    let known = folder.path("known.yaml");
    let known = known.to_string_lossy();
    folder.conform(["--write-baseline", &known]).run().code(0).says("1 case does not pass, as");
    let text = fs::read_to_string(&*known).expect("it was written");
    assert!(
        text.contains("- { case: \"talk/wrong\", verdict: fail, because: \"to be confirmed\" }"),
        "{text}"
    );
    let ended = folder.conform(["--baseline", &known]).run().code(0);
    assert!(!ended.stdout.contains("expected"), "what is known is not told again: {ended}");

    fs::write(&*known, text.replace("to be confirmed", "it says so")).expect("it can be written");
    folder.conform(["--write-baseline", &known]).run().code(0);
    let text = fs::read_to_string(&*known).expect("it was written");
    assert!(text.contains("because: \"it says so\""), "{text}");

    folder.case("talk/worse", "", ALICE, WRONG);
    folder
        .conform(["--baseline", &known])
        .run()
        .code(1)
        .says("new, and not in")
        .says("talk/worse: fail")
        .says("actual an acknowledgement with [1]");
    folder.case("talk/wrong", "", ALICE, ECHO);
    fs::remove_file(folder.path("cases/talk/worse.yaml")).expect("it is there");
    folder
        .conform(["--baseline", &known])
        .run()
        .code(1)
        .says("but they pass now: remove these rows")
        .says("talk/wrong: pass, listed as fail");
    folder.conform(["--baseline", &known, "--only", "talk/open"]).run().code(0);
}

#[test]
fn a_baseline_that_is_wrong_is_told_with_its_place() {
    let folder = good();
    for (rows, words) in [
        ("- { case: talk/ecko, verdict: fail, because: seen }", "did you mean `talk/echo`?"),
        ("- { case: talk/echo, verdict: fail }", "needs the field `because`"),
        ("- { case: talk/echo, verdict: worse, because: seen }", "a row cannot say `worse`"),
        ("- {", "error:"),
    ] {
        let file = folder.file("known.yaml", &format!("server: mine\ncases:\n  {rows}\n"));
        let ended = folder.conform(["--baseline".as_ref(), file.as_os_str()]).run().code(2).complains(words);
        assert!(ended.stderr.contains("known.yaml:") && ended.stderr.contains('^'), "{ended}");
    }
    let missing = folder.path("nowhere.yaml");
    folder.conform(["--baseline".as_ref(), missing.as_os_str()]).run().code(2).complains("nowhere.yaml");
}

#[test]
fn results_go_to_files_that_others_read() {
    let folder = bad("must");
    let (json, junit) = (folder.path("r.json"), folder.path("r.xml"));
    folder
        .conform(["--json".as_ref(), json.as_os_str(), "--junit".as_ref(), junit.as_os_str()])
        .run()
        .code(1);
    let suite = &results(&json)["body"][0];
    assert_eq!(suite["summary"]["pass"], 4);
    assert_eq!(suite["exit_code"], 1);
    assert_eq!(suite["target"]["kind"], "bundled");
    assert_eq!(suite["timings"]["ping_interval_us"], 300_000);
    let cases = suite["cases"].as_array().expect("there are cases");
    let wrong = cases.iter().find(|case| case["id"] == "talk/wrong").expect("it was played");
    assert_eq!(wrong["verdict"], "fail");
    assert_eq!(
        wrong["checks"][0]["failures"][0]["actual"],
        "an acknowledgement with [1]: at [0]: expected 2, got 1"
    );
    assert!(wrong["checks"][0]["failures"][0]["wire"][0]["text"].is_string());
    let passed = cases.iter().find(|case| case["transport"] == "upgrade").expect("it was played");
    assert_eq!((&passed["id"], &passed["checks"]), (&Json::from("talk/echo"), &Json::Array(Vec::new())));

    let xml = fs::read_to_string(junit).expect("it was written");
    let report = quick_junit::Report::deserialize_from_str(&xml).expect("it is JUnit XML");
    assert_eq!((report.tests, report.failures, report.errors), (5, 1, 0));
}

#[test]
fn a_file_that_cannot_be_written_is_told() {
    let folder = good();
    folder
        .conform(["--junit", "/dev/null/none.xml"])
        .run()
        .code(2)
        .complains("cannot write the JUnit results to /dev/null/none.xml");
}

#[test]
fn no_two_variants_have_the_same_number() {
    let (folder, reference) = (Folder::new(), Reference::start());
    for number in 0..30 {
        let keys = "transports: [websocket, polling, upgrade]";
        let script = "- alice: { open: { query: { of: \"case-${run}-\" } } }";
        folder.case(&format!("many/case-{number}"), keys, ALICE, script);
    }
    let numbers = std::sync::Arc::new(Mutex::new(Vec::new()));
    let seen = numbers.clone();
    let server = relay(reference.address(), move |head| {
        let number = head.split("case-").nth(1).and_then(|rest| rest.split('-').next());
        // Each session begins with one request without a session id.
        if let Some(number) = number.filter(|_| !head.contains("sid=")) {
            seen.lock().expect("nobody panicked").push(number.to_owned());
        }
        head
    });
    folder.conform(["--url", &server.url()]).run().code(0).says("90 pass");
    let numbers = numbers.lock().expect("nobody panicked");
    assert_eq!(numbers.len(), 90);
    assert_eq!(numbers.iter().collect::<BTreeSet<_>>().len(), 90, "{numbers:?}");
}

#[test]
fn an_interrupted_suite_reports_what_was_played() {
    let (folder, reference) = (good(), Reference::with(Config::default()));
    folder.case(
        "slow/wait",
        "takes: 2s",
        ALICE,
        "- alice: { open: { query: { it: waits } } }\n- alice: { wait: 1h }",
    );
    let (tell, told) = mpsc::channel();
    let tell = Mutex::new(tell);
    let server = relay(reference.address(), move |head| {
        if head.contains("it=waits") {
            let _ = tell.lock().expect("nobody panicked").send(());
        }
        head
    });
    let json = folder.path("r.json");
    let arguments = ["--url", &server.url(), "--jobs", "1", "--json"].map(str::to_owned);
    let run = folder.conform(arguments).args([&json]).start();
    told.recv().expect("the case is played");
    run.interrupt();
    run.wait().code(130).says("? interrupted");
    let suite = &suites(&folder, "r.json")[0];
    assert_eq!(suite.exit_code, 130);
    assert!(suite.cases.iter().all(|case| case.id != "slow/wait"), "it has no verdict");
}

#[test]
fn the_cases_in_the_binary_are_listed_apart_and_run_by_name() {
    let plain = sockrates(["list", "--ids"]).run().code(0).stdout;
    assert!(plain.contains("chat\n") && !plain.contains("conformance/"), "{plain}");
    let cases = sockrates(["list", "--conformance", "--ids"]).run().code(0).stdout;
    let table = sockrates(["list", "--conformance"]).run().code(0).stdout;
    let Some(first) = cases.lines().next() else { return };
    assert!(!plain.contains(first), "{first} stands in both lists");
    assert!(table.contains(first) && table.contains("EIO-"), "{table}");
    sockrates(["check", "--quiet", &format!("conformance/{first}")]).run().code(0);
}

#[test]
fn the_words_of_the_bundled_cases_are_no_secrets() {
    let chosen = "connection/custom-namespace,handshake-data/auth-is-no-query";
    let ended = sockrates(["conform", "--verbose", "--only", chosen]).run().code(0);
    assert!(!ended.stdout.contains("[hidden]"), "{}", ended.stdout);
}
