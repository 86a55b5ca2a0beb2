//! `sockrates compare`: servers side by side, and results of two days.

use std::ffi::OsStr;
use std::path::Path;

use crate::capacity::Mortal;
use crate::metrics::get;
use crate::support::{Folder, results, sockrates};

const ASKS: &str = "- all: connect\n- crowd: { repeat: { times: 5, steps: [ { emit: { event: message-with-ack, args: [1], ack: true } } ] } }\n- all: disconnect";

fn reference() -> String {
    format!("{} serve -q --port $PORT", env!("CARGO_BIN_EXE_sockrates"))
}

#[test]
fn servers_are_played_in_turn_and_the_first_one_twice() {
    let folder = Folder::new();
    let (json, markdown) = (folder.path("a.json"), folder.path("a.md"));
    let scenario = folder.scenario("{ crowd: 10 }", ASKS);
    let servers = [format!("a={}", reference()), format!("b={}", reference())];
    let ended = sockrates(["compare", "--blocks", "2", "--server", &servers[0], "--server", &servers[1]])
        .args([&scenario])
        .args(["--json"])
        .args([&json])
        .args(["--markdown"])
        .args([&markdown])
        .run();
    ended.code(0).says("b beside a").says("ack p50").says("too few runs to judge");
    let blocks = results(&json)["body"]["blocks"].clone();
    for block in blocks.as_array().expect("a list") {
        let mut names: Vec<&str> = block["runs"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|run| run["server"].as_str())
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["a", "a", "b"]);
    }
    assert!(std::fs::read_to_string(markdown).expect("it was written").contains("| ack p50 |"));
    let stored = sockrates(["compare"]).args([&json, &json]).run();
    stored.code(0).says("+0.0 %");
}

#[test]
fn that_a_server_died_is_told_in_every_report_and_fails_the_comparison() {
    let folder = Folder::new();
    let (command, _reference) = Mortal::start(&folder, 1);
    let asks = "- all: connect\n\
                - all: { repeat: { times: 15, every: 100ms, steps: [ { emit: { event: message-with-ack, ack: true } } ] } }";
    let scenario = folder.scenario("{ crowd: 20 }", asks);
    let [json, markdown, html] = ["d.json", "d.md", "d.html"].map(|name| folder.path(name));
    let servers = [format!("a={}", reference()), format!("b={command}")];
    let ended = sockrates(["compare", "--blocks", "1", "--server", &servers[0], "--server", &servers[1]])
        .args(written_to(&json, &markdown, &html))
        .args([&scenario])
        .run();
    let ended =
        ended.code(1).says("server ended 1").complains("✗ b: the server ended with signal SIGKILL after ");
    let runs = results(&json)["body"]["blocks"][0]["runs"].clone();
    let ends: Vec<_> =
        runs.as_array().expect("a list").iter().filter(|run| run["server_end"].is_object()).collect();
    let [run] = ends[..] else { panic!("one of the runs: {runs}") };
    let end = &run["server_end"];
    assert_eq!((&run["server"], &end["how"]), (&"b".into(), &"signal SIGKILL".into()), "{runs}");
    assert!(end["after_us"].as_u64().is_some_and(|after| after > 0), "{end}");
    let last = end["output"][1].as_str().expect("a line");
    let read = |file: &Path| std::fs::read_to_string(file).expect("it was written");
    for form in [ended.stdout.clone(), read(&html), read(&markdown)] {
        assert!(form.contains("The last lines that it printed"), "{form}");
        assert!(form.contains(last), "{last} is not in {form}");
    }
}

#[test]
fn results_of_two_days_are_written_in_every_form_and_rendered_again() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ crowd: 10 }", ASKS);
    let [old, new] = ["old.json", "new.json"].map(|name| folder.path(name));
    for file in [&old, &new] {
        sockrates(["run", "--quiet", "--json"]).args([file, &scenario]).run().code(0);
    }
    let [json, markdown, html] = ["two.json", "two.md", "two.html"].map(|name| folder.path(name));
    let ended = sockrates(["compare", "--fail-on", "ack p50 worse by 10 %"])
        .args([&old, &new])
        .args(written_to(&json, &markdown, &html))
        .run();
    // A single run on either side claims nothing.
    ended.code(0).says("new beside old").says("ack p50").says("a test, new").says("✓ nothing");
    let diff = &results(&json)["body"];
    assert_eq!((&diff["old"]["name"], &diff["new"]["name"]), (&"old".into(), &"new".into()));
    let rows = diff["comparisons"][0]["rows"].as_array().expect("a list");
    assert!(rows.iter().any(|row| row["figure"] == "ack p50"), "{rows:?}");
    let read = |path| std::fs::read_to_string(path).expect("it was written");
    assert!(read(&markdown).contains("| ack p50 |"));
    assert!(read(&html).contains("<h1>new beside old</h1>"));
    let again = folder.path("again.html");
    sockrates(["report"]).args([&json]).run().code(0).says("new beside old");
    sockrates(["report", "--html"]).args([&again, &json]).run().code(0);
    assert_eq!(read(&again), read(&html));
}

/// The flags for every form.
fn written_to<'a>(json: &'a Path, markdown: &'a Path, html: &'a Path) -> [&'a OsStr; 6] {
    let flag = OsStr::new;
    [flag("--json"), json.as_ref(), flag("--markdown"), markdown.as_ref(), flag("--html"), html.as_ref()]
}

#[test]
fn a_stored_result_that_got_worse_fails_and_is_written_all_the_same() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ crowd: 10 }", ASKS);
    let reference = format!("a={}", reference());
    let [old, new, two] = ["old.json", "new.json", "two.json"].map(|name| folder.path(name));
    for (file, fault) in [(&old, ""), (&new, " --fault delay-100ms")] {
        let server = format!("{reference}{fault}");
        let ended = sockrates(["compare", "--blocks", "2", "--quiet", "--server", &server, "--json"]);
        ended.args([file, &scenario]).run().code(0);
    }
    let fail_on = ["compare", "--fail-on", "ack p50 worse by 20 %", "--json"];
    let ended = sockrates(fail_on).args([&two, &old, &new]).run();
    ended.code(1).says("worse").complains("ack p50 of a test, a is worse by");
    assert_eq!(results(&two)["body"]["new"]["name"], "new");
}

/// The reference server with heartbeats that save time, broken so that some cases fail.
fn broken() -> String {
    format!("{} --fixture-timings --fault room-ignored", reference())
}

#[test]
fn conformance_is_told_beside_the_figures_in_every_form() {
    let folder = Folder::new();
    let [json, markdown, html] = ["a.json", "a.md", "a.html"].map(|name| folder.path(name));
    let scenario = folder.scenario("{ crowd: 10 }", ASKS);
    let server = format!("a={}", broken());
    let ended = sockrates(["compare", "--conformance", "--blocks", "1", "--server", &server])
        .args([&scenario])
        .args(written_to(&json, &markdown, &html))
        .run();
    ended.code(0).says("a beside itself").says("Conformance ✗ a: ").says("fail: acks/");
    let found = &results(&json)["body"]["conformance"];
    let failed: Vec<&str> = found[0]["deviations"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|deviation| deviation["verdict"] == "fail")
        .filter_map(|deviation| deviation["case"].as_str())
        .collect();
    assert_eq!((&found[0]["server"], found.as_array().map(Vec::len)), (&"a".into(), Some(1)));
    assert!(failed.iter().any(|case| case.starts_with("acks/")), "{found:#}");
    assert!(found[0]["summary"]["pass"].as_u64().is_some_and(|pass| pass > 100), "{found:#}");
    assert_eq!(found[0].get("unfinished"), None, "{found:#}");
    let read = |path| std::fs::read_to_string(path).expect("it was written");
    assert!(read(&markdown).contains(" **a**: "));
    assert!(read(&html).contains("id=\"conformance\""));
    let stored = sockrates(["compare"]).args([&json, &json]).run();
    stored.code(0).says("Conformance ✗ a, ").says("fail: acks/");
}

/// A command whose first two lives are those of the reference server; the third is this one.
fn with_a_third_life(folder: &Folder, third: &str) -> String {
    let lives = folder.path("lives");
    let lives = lives.display();
    format!("a=echo >> '{lives}'; if [ $(wc -l < '{lives}') -gt 2 ]; then {third}; fi; exec {}", broken())
}

#[test]
fn a_server_that_does_not_start_for_the_suite_does_not_cost_the_figures() {
    let folder = Folder::new();
    let json = folder.path("a.json");
    let scenario = folder.scenario("{ crowd: 10 }", ASKS);
    let server = with_a_third_life(&folder, "exit 7");
    let ended = sockrates(["compare", "--conformance", "--blocks", "1", "--server", &server])
        .args([&scenario])
        .args(["--json"])
        .args([&json])
        .run();
    ended.code(3).says("ack p50").says("not examined not finished: the server command");
    let result = &results(&json)["body"];
    assert_eq!(result["blocks"].as_array().map(Vec::len), Some(1));
    assert!(result["conformance"][0]["unfinished"].as_str().is_some_and(|why| why.contains("ended with")));
}

#[test]
fn ctrl_c_in_the_suite_keeps_what_was_finished() {
    let folder = Folder::new();
    let (json, begun) = (folder.path("a.json"), folder.path("begun"));
    let scenario = folder.scenario("{ crowd: 10 }", ASKS);
    let server = with_a_third_life(&folder, &format!("echo > '{}'", begun.display()));
    let started = sockrates(["compare", "--conformance", "--blocks", "1", "--server", &server])
        .args([&scenario])
        .args(["--json"])
        .args([&json])
        .start();
    started.wait_for(&begun);
    started.interrupt();
    started.wait().code(130).says("ack p50").says("not finished: interrupted");
    let result = &results(&json)["body"];
    assert_eq!(result["blocks"].as_array().map(Vec::len), Some(1));
    assert!(result["conformance"][0]["unfinished"].is_string(), "{}", result["conformance"]);
}

#[test]
fn ctrl_c_when_the_last_run_of_a_block_has_ended_costs_no_block() {
    let folder = Folder::new();
    let (json, lives) = (folder.path("a.json"), folder.path("lives"));
    let scenario = folder.scenario("{ crowd: 10 }", ASKS);
    let (lives, serve) = (lives.display(), reference());
    // Its second life is the last of the block. It is ended when its run is over.
    let server = format!(
        "a=echo >> '{lives}'; if [ $(wc -l < '{lives}') -lt 2 ]; then exec {serve}; fi; \
         trap 'kill -INT $PPID' TERM; {serve} & wait; wait; exit 0"
    );
    let ended = sockrates(["compare", "--blocks", "2", "--server", &server])
        .args([&scenario])
        .args(["--json"])
        .args([&json])
        .run();
    ended.code(130).says("1 of 2 blocks were finished").says("ack p50");
    assert_eq!(results(&json)["body"]["blocks"].as_array().map(Vec::len), Some(1));
}

#[test]
fn what_is_for_servers_is_refused_for_stored_results() {
    let folder = Folder::new();
    let file = folder.file("a.json", "{}");
    let refused = |flags: &[&str], words: &str| {
        sockrates(["compare"]).args(flags).args([&file, &file]).run().code(2).complains(words);
    };
    refused(&["--conformance"], "`--conformance` is for servers");
    for flag in ["--metrics", "--live"] {
        refused(&[flag, "127.0.0.1:0"], "`--metrics, --otlp or --live` is for servers");
    }
}

#[test]
fn the_figures_of_the_server_that_is_played_can_be_read() {
    let folder = Folder::new();
    let asks = "- all: connect\n- crowd: { repeat: { for: 3s, every: 50ms, steps: [ { emit: { event: message-with-ack, args: [1], ack: true } } ] } }";
    let scenario = folder.scenario("{ crowd: 20 }", asks);
    let program = sockrates(["compare", "--metrics", "127.0.0.1:0", "--blocks", "1"]);
    let mut comparison = program.args(["--server"]).args([reference()]).args([&scenario]).start();
    let address = comparison.told("figures for Prometheus at http://").replace("/metrics", "");
    let mut text = String::new();
    while !text.contains("sockrates_clients") {
        text = get(&address, "/metrics");
        assert!(!text.is_empty(), "nobody listens any more");
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
    comparison.interrupt();
    comparison.wait().code(130);
}

#[test]
fn a_server_that_does_not_start_ends_the_comparison() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ crowd: 2 }", ASKS);
    let ended = sockrates(["compare", "--blocks", "1", "--server", "a=exit 7"]).args([&scenario]).run();
    ended.code(3);
}

#[test]
fn what_cannot_be_compared_is_told() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ crowd: 2 }", ASKS);
    let not_there = folder.path("not-there.json");
    sockrates(["compare"]).args([&not_there, &scenario]).run().code(2).complains("failed to read");
    sockrates(["compare"])
        .args([&scenario, &not_there])
        .run()
        .code(2)
        .complains(" is not JSON, at line 1, column");
    let fail_on = ["compare", "--fail-on", "delivery p98 worse by 10 %"];
    sockrates(fail_on).args([&scenario]).run().code(2).complains("did you mean `delivery p99`?");
    let named_twice = ["compare", "--server", "a=one", "--server", "a=two"];
    sockrates(named_twice).args([&scenario]).run().code(2).complains("two servers are called `a`");
}
