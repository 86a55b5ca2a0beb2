//! What is printed and written: no noise where nobody looks, colours only where they are wanted, all sections in the
//! results.

use crate::support::{Folder, data, results, sockrates};

const SCRIPT: &str =
    "- all: connect\n- alice: { emit: { event: message-with-ack, args: [1], ack: { args: [2] } } }";

#[test]
fn without_a_terminal_a_run_tells_how_it_goes_each_second_in_ci_as_well_and_quiet_says_nothing() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ alice: 3 }", "- all: connect\n- alice: { wait: 2500ms }");
    let [plain, ci] = ["", "true"].map(|ci| sockrates(["run"]).env("CI", ci).args([&scenario]).start());
    let quiet = sockrates(["run", "--quiet"]).args([&scenario]).start();
    for run in [plain, ci] {
        let ended = run.wait().code(0);
        assert!(!ended.stderr.is_empty(), "{ended}");
        assert!(ended.stderr.lines().all(|line| line.contains(" of 3 connected")), "{ended}");
        assert!(ended.stdout.starts_with("✓ passed: "), "{ended}");
    }
    let quiet = quiet.wait().code(0);
    assert_eq!((&*quiet.stdout, &*quiet.stderr), ("✓ a test\n", ""));
}

#[test]
fn colours_are_where_they_are_wanted_and_nowhere_else() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ alice: 1 }", SCRIPT);
    let run = || sockrates(["run"]).args([&scenario]);
    let coloured = |program: crate::support::Program| program.run().code(1).stdout.contains('\u{1b}');
    assert!(!coloured(run()), "piped");
    assert!(coloured(run().env("CLICOLOR_FORCE", "1")), "forced");
    assert!(!coloured(run().env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1")), "forbidden");
}

#[test]
fn help_and_mistakes_have_no_colours_in_a_pipe() {
    for arguments in
        [&["--help"][..], &["run", "--help"], &["run", "--nonsense"], &["list"], &["check", "chat"]]
    {
        let ended = sockrates(arguments).run().calm();
        assert!(!ended.stdout.contains('\u{1b}') && !ended.stderr.contains('\u{1b}'), "{ended}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_nothing_to_panic_about() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ alice: 1 }", SCRIPT);
    for (arguments, code) in [
        (vec!["list".into()], 0),
        (vec!["check".into(), "chat".into()], 0),
        (vec!["run".into(), scenario.into_os_string()], 1),
    ] {
        let mut run = sockrates(arguments).start();
        run.close_output();
        run.wait().code(code);
    }
}

#[test]
fn a_full_disk_changes_no_verdict_and_loses_no_results() {
    let folder = Folder::new();
    let json = folder.path("results.json");
    let scenario = folder.scenario("{ alice: 1 }", SCRIPT);
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").expect("it is always full");
    let run = sockrates(["run", "--json"]).args([&json, &scenario]).output(full());
    run.run().code(1).complains("error: failed to print on standard output: No space left on device");
    assert_eq!(results(&json)["body"][0]["verdict"]["exit_code"], 1);
}

#[test]
fn a_verb_that_only_prints_and_cannot_has_failed() {
    let folder = Folder::new();
    let json = folder.path("results.json");
    let good = data("semantic/emit.yaml");
    sockrates(["run", "--quiet", "--json"]).args([&json, &good]).run().code(0);
    let (json, good) = (json.into_os_string(), good.into_os_string());
    for arguments in [
        vec!["list".into()],
        vec!["list".into(), "--ids".into()],
        vec!["check".into(), good],
        vec!["report".into(), json],
        vec!["schema".into(), "scenario".into()],
        vec!["completions".into(), "bash".into()],
        vec!["man".into()],
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("it is always full");
        let ended = sockrates(&arguments).output(full).run().code(2);
        ended.complains("error: failed to print on standard output: No space left on device");
    }
}

#[test]
fn verbose_tells_each_step_that_held_while_it_is_played_and_later() {
    let folder = Folder::new();
    let json = folder.path("results.json");
    let scenario = folder.scenario(
        "{ alice: 1 }",
        "- all: connect\n- alice: { emit: { event: message-with-ack, args: [1], ack: true } }",
    );
    let each = "emits `message-with-ack` and waits for its acknowledgement";
    let told = |ended: crate::support::Ended| ended.code(0).stdout.contains(each);
    assert!(told(sockrates(["run", "--verbose", "--json"]).args([&json, &scenario]).run()));
    assert!(!told(sockrates(["run"]).args([&scenario]).run()));
    assert!(told(sockrates(["report", "--verbose"]).args([&json]).run()));
    assert!(!told(sockrates(["report"]).args([&json]).run()));
}

#[test]
fn quiet_prints_a_line_for_what_passed_and_everything_for_what_failed() {
    let folder = Folder::new();
    let good = folder.file("good.yaml", "name: all is well\nclients: { a: 1 }\nscript: [ { a: connect } ]\n");
    let bad = folder.scenario("{ alice: 1 }", SCRIPT);
    let ended = sockrates(["run", "-q"]).args([good, bad]).run().code(1);
    assert!(ended.stdout.starts_with("✓ all is well\n"), "{ended}");
    ended.says("expected an acknowledgement with the list [2]");
}

#[test]
fn the_results_have_all_sections() {
    let folder = Folder::new();
    let json = folder.path("results.json");
    let scenario = folder.scenario_with("{ alice: 1 }", SCRIPT, "thresholds: [ \"sent >= 1\" ]");
    let good = data("semantic/emit.yaml");
    sockrates(["run", "--seed", "7", "--json"]).args([&json, &scenario, &good]).run().code(1);
    let results = results(&json);
    assert_eq!((&results["kind"], &results["schema_version"]), (&"run".into(), &2.into()));
    let [failed, passed] = results["body"].as_array().expect("there are results").as_slice() else {
        panic!("{results:#}");
    };
    for section in [
        "scenario",
        "target",
        "environment",
        "clients",
        "verdict",
        "checks",
        "thresholds",
        "metrics",
        "counters",
        "errors",
    ] {
        assert!(!failed[section].is_null() && !passed[section].is_null(), "{section} in {results:#}");
    }
    assert_eq!(failed["verdict"]["status"], "failed");
    assert_eq!(failed["verdict"]["exit_code"], 1);
    assert_eq!(failed["scenario"]["seed"], 7);
    assert_eq!(failed["scenario"]["file"], scenario.to_str().expect("a path of ours"));
    assert_eq!(failed["target"]["kind"], "bundled");
    assert_eq!(failed["thresholds"][0]["met"], true);
    let check = &failed["checks"][1];
    assert_eq!((&check["line"], &check["failed"]), (&5.into(), &1.into()));
    assert_eq!(check["failures"][0]["client"], "alice");
    assert!(check["failures"][0]["wire"].as_array().is_some_and(|wire| wire.len() >= 4), "{check:#}");
    assert_eq!(passed["verdict"]["status"], "passed");
}
