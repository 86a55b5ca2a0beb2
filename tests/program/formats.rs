//! Results in other forms, and the verbs around them.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{Folder, Server, data, results, sockrates};

const FAILING: &str =
    "- all: connect\n- alice: { emit: { event: message-with-ack, args: [1], ack: { args: [2] } } }";

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn a_stored_result_gives_the_same_report_again() {
    let folder = Folder::new();
    let json = folder.path("r.json");
    let run = sockrates(["run", "--json"]).args([&json]).args([data("semantic/emit.yaml")]).run().code(0);
    let again = sockrates(["report"]).args([&json]).run().code(0);
    assert_eq!(again.stdout, run.stdout);
}

#[test]
fn a_run_writes_every_form_at_once_and_a_report_writes_the_same_again() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ alice: 1 }", FAILING);
    let flags = ["--html", "--junit", "--markdown", "--csv", "--hlog"];
    let paths = |prefix: &str| {
        flags.map(|flag| (flag, folder.path(&format!("{prefix}-{}", flag.trim_start_matches('-')))))
    };
    let json = folder.path("r.json");
    let mut run = sockrates(["run", "--json"]).args([&json]).args([&scenario]);
    for (flag, path) in paths("run") {
        run = run.args([flag.as_ref(), path.as_os_str()]);
    }
    run.run().code(1);
    let mut report = sockrates(["report"]).args([&json]);
    for (flag, path) in paths("report") {
        report = report.args([flag.as_ref(), path.as_os_str()]);
    }
    report.run().code(0);
    for ((flag, run), (_, report)) in paths("run").into_iter().zip(paths("report")) {
        assert_eq!(read(&run), read(&report), "{flag}");
    }
    let junit = read(&folder.path("run-junit"));
    assert!(
        junit.contains("<failure message=\"expected an acknowledgement with the list [2], saw"),
        "{junit}"
    );
    assert!(read(&folder.path("run-markdown")).contains("### ❌ a test: failed"));
    assert!(!folder.path("run-csv.part").exists());
}

#[test]
fn the_rows_of_a_course_add_up_to_the_whole_run() {
    let folder = Folder::new();
    let (json, csv) = (folder.path("r.json"), folder.path("r.csv"));
    let scenario = folder.scenario(
        "{ alice: 3 }",
        "- all: connect\n- all: { repeat: { for: 2500ms, every: 50ms, steps: [ { emit: { event: message, args: [1] } } ] } }",
    );
    sockrates(["run", "--json"]).args([&json]).args(["--csv"]).args([&csv]).args([&scenario]).run().code(0);
    let counters = results(&json)["body"][0]["counters"].clone();
    let sent = counters.as_array().and_then(|all| all.iter().find(|one| one["name"] == "sent")).cloned();
    let text = read(&csv);
    let mut rows = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let head = rows.next().expect("there is a head");
    let column = head.iter().position(|name| name.trim_matches('"') == "sent_events").expect("it is there");
    let numbers: Vec<u64> = rows.map(|row| row[column].parse().expect("a number")).collect();
    assert!(numbers.len() > 1, "{text}");
    assert_eq!(Some(numbers.iter().sum::<u64>()), sent.and_then(|one| one["value"].as_u64()), "{text}");
}

#[test]
fn a_form_on_standard_output_stands_there_alone() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ alice: 1 }", "- all: connect");
    let ended = sockrates(["run", "--csv", "-"]).args([&scenario]).run().code(0);
    assert!(ended.stdout.starts_with("\"scenario\",\"started\","), "{ended}");
    ended.complains("✓ passed: ");
    let both = sockrates(["run", "--csv", "-", "--json", "-"]).args([&scenario]).run().code(2);
    both.complains("cannot share standard output");
    folder.case("a/good", "", "{ a: 1 }", "- a: connect");
    let suite = folder.conform(["--junit", "-"]).run().code(0);
    assert!(suite.stdout.starts_with("<?xml") && suite.stderr.contains("1 pass"), "{suite}");
    folder.conform(["--junit", "-", "--json", "-"]).run().code(2).complains("cannot share standard output");
}

#[test]
fn a_result_that_could_not_be_written_is_refused_before_the_first_connection() {
    let folder = Folder::new();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    let server = Server::start(move |_, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        Ok(())
    });
    let url = server.url();
    let place = folder.path("a-folder");
    fs::create_dir(&place).expect("there is room");
    let below_a_file = folder.file("a-file", "").join("r");
    for (verb, flags) in [
        ("run chat", "--json --html --junit --markdown --csv --hlog"),
        ("conform", "--json --html --junit --markdown --write-baseline"),
        ("capacity capacity/clients", "--json --html"),
        ("compare chat --blocks 1", "--json --html --markdown"),
    ] {
        for flag in flags.split(' ') {
            for path in [&place, &below_a_file] {
                if flag == "--write-baseline" && *path == place {
                    continue;
                }
                let run = sockrates(verb.split(' ')).args(["--url", &url, flag]).args([path]).run();
                run.code(2).complains(&path.display().to_string()).complains("cannot write the ");
            }
        }
    }
    let below = below_a_file.display().to_string() + "/";
    sockrates(["run", "chat", "--url", &url, "--hgrm", &below]).run().code(2).complains(&below);
    assert_eq!(connections.load(Ordering::Relaxed), 0);
}

#[test]
fn a_folder_that_is_missing_is_created_for_a_result() {
    let folder = Folder::new();
    let (json, latencies) = (folder.path("today/r.json"), folder.path("today/latencies/"));
    let latencies = format!("{}/", latencies.display());
    let run = sockrates(["run", "--json"]).args([&json]).args(["--hgrm", &latencies]);
    run.args([data("semantic/emit.yaml")]).run().code(0);
    assert_eq!(results(&json)["kind"], "run");
    assert!(fs::read_dir(latencies).expect("it was created").count() > 0);
}

#[test]
fn results_of_both_kinds_are_rendered_and_not_mixed() {
    let folder = Folder::new();
    folder.case("a/good", "", "{ a: 1 }", "- a: connect");
    let (suite, run, xml) = (folder.path("suite.json"), folder.path("run.json"), folder.path("suite.xml"));
    folder.conform(["--json".as_ref(), suite.as_os_str()]).run().code(0);
    sockrates(["report"]).args([&suite]).args(["--junit"]).args([&xml]).run().code(0);
    assert!(read(&xml).contains("testcase name=\"a/good\""));
    sockrates(["report"]).args([&suite]).run().code(0).says("1 pass");
    sockrates(["report", "--csv", "-"])
        .args([&suite])
        .run()
        .code(2)
        .complains("`--csv` is for results of `run`");
    sockrates(["run", "--json"]).args([&run]).args([data("semantic/emit.yaml")]).run().code(0);
    sockrates(["report"]).args([&suite, &run]).run().code(2).complains("render them separately");
}

#[test]
fn what_is_no_result_is_told_with_its_name() {
    let folder = Folder::new();
    for (text, words) in [
        ("", "no.json is empty"),
        ("{}", "no.json is JSON, but no result of sockrates, but an empty object"),
        ("{ \"schema_version\": 99 }", "no.json has schema version 99"),
    ] {
        let file = folder.file("no.json", text);
        sockrates(["report"]).args([&file]).run().code(2).complains(words);
    }
    let missing = folder.path("missing.json");
    sockrates(["report"])
        .args([&missing])
        .run()
        .code(2)
        .complains("`sockrates run … --json FILE` writes one");
}

#[test]
fn a_job_of_github_gets_a_summary_and_the_lines_that_failed() {
    let folder = Folder::new();
    let summary = folder.file("summary.md", "before\n");
    let scenario = folder.scenario("{ alice: 1 }", FAILING);
    let job = |program: crate::support::Program| {
        program.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary.to_string_lossy())
    };
    let ended = job(sockrates(["run"]).args([&scenario])).run().code(1);
    let annotation = ended.stderr.lines().find(|line| line.starts_with("::error ")).expect("it is annotated");
    assert!(
        annotation.contains(",line=5,col=12,title=emits ") && annotation.contains("%0Asaw "),
        "{annotation}"
    );
    folder.case("a/bad", "", "{ a: 1 }", "- a: { connect: { refused: true } }");
    let ended = job(folder.conform([""; 0])).run().code(1);
    assert!(ended.stderr.contains("::error title=fail%3A a/bad"), "{ended}");
    let summary = read(&summary);
    assert!(summary.starts_with("before\n### ❌ a test: failed"), "{summary}");
    assert!(summary.contains("### ❌ Conformance of "), "{summary}");
}

#[test]
fn a_result_goes_through_a_link_and_into_a_pipe() {
    let folder = Folder::new();
    let (real, link) = (folder.file("real.json", "old"), folder.path("link.json"));
    std::os::unix::fs::symlink(&real, &link).expect("a link can be made");
    sockrates(["run", "--json"]).args([&link]).args([data("semantic/emit.yaml")]).run().code(0);
    assert!(link.is_symlink() && results(&real)["body"].is_array());
    sockrates(["run", "--json", "/dev/null"]).args([data("semantic/emit.yaml")]).run().code(0);
    assert!(!Path::new("/dev/null").metadata().expect("it is there").is_file());
}

#[test]
fn a_first_scenario_is_a_good_one_and_overwrites_nothing() {
    let folder = Folder::new();
    let file = folder.path("first.yaml");
    let init = || sockrates(["init", "--output"]).args([&file]);
    init().run().code(0).complains("the usual names are used").says("sockrates check");
    sockrates(["check", "-q"]).args([&file]).run().code(0);
    let before = read(&file);
    init().args(["--join", "enter"]).run().code(2).complains("overwrite it by --force");
    assert_eq!(read(&file), before);
    init().args(["--join", "enter", "--no-ack", "--namespace", "/chat", "--force"]).run().code(0);
    sockrates(["check"]).args([&file]).run().code(0).says("websocket /chat");
    init().args(["--namespace", "chat", "--force"]).run().code(2).complains("chat");
}

#[test]
fn shells_and_man_know_every_verb() {
    let help = sockrates(["--help"]).run().code(0).stdout;
    let commands = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next());
    let verbs: Vec<&str> = commands
        .expect("the help lists the verbs")
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .collect();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = sockrates(["completions", shell]).run().code(0).stdout;
        assert!(verbs.iter().all(|verb| text.contains(verb)), "{shell}");
    }
    for verb in &verbs {
        let text = sockrates(["man", verb]).run().code(0).stdout;
        assert!(text.contains(".TH sockrates"), "{text:.200}");
        let help = sockrates([verb, "--help"]).run().code(0).stdout;
        let examples = help.strip_prefix("Examples:\n").and_then(|rest| rest.split("\n\n").next());
        let shows = |line: &str| line.trim_start().starts_with(&format!("sockrates {verb}"));
        assert!(examples.is_some_and(|examples| examples.lines().any(shows)), "{verb}: {help:.80}");
    }
    sockrates(["man", "rum"]).run().code(2).complains("did you mean `run`?");
}

#[test]
fn the_schemas_are_printed_as_json() {
    for what in ["scenario", "result"] {
        let text = sockrates(["schema", what]).run().code(0).stdout;
        let schema: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        assert!(schema["$schema"].as_str().is_some_and(|draft| draft.contains("json-schema.org")), "{what}");
    }
}
