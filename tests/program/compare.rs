//! `sockrates compare`: servers side by side, and results of two days.

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
    ended.code(0).says("b beside a").says("ack p50").says("too few to tell");
    let blocks = results(&json)["comparison"]["blocks"].clone();
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
        .args(["--json"])
        .args([&json])
        .args(["--markdown"])
        .args([&markdown])
        .args(["--html"])
        .args([&html])
        .run();
    // A single run on either side claims nothing.
    ended.code(0).says("new beside old").says("ack p50").says("a test, new: nothing");
    let two_days = &results(&json)["two_days"];
    assert_eq!((&two_days["old"]["name"], &two_days["new"]["name"]), (&"old".into(), &"new".into()));
    let rows = two_days["comparisons"][0]["rows"].as_array().expect("a list");
    assert!(rows.iter().any(|row| row["figure"] == "ack p50"), "{rows:?}");
    let read = |path| std::fs::read_to_string(path).expect("it was written");
    assert!(read(&markdown).contains("| ack p50 |"));
    assert!(read(&html).contains("<h1>new beside old</h1>"));
    let again = folder.path("again.html");
    sockrates(["report"]).args([&json]).run().code(0).says("new beside old");
    sockrates(["report", "--html"]).args([&again, &json]).run().code(0);
    assert_eq!(read(&again), read(&html));
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
    assert_eq!(results(&two)["two_days"]["new"]["name"], "new");
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
    sockrates(["compare"]).args([&scenario, &not_there]).run().code(2).complains("failed to read");
    let fail_on = ["compare", "--fail-on", "delivery p98 worse by 10 %"];
    sockrates(fail_on).args([&scenario]).run().code(2).complains("did you mean `delivery p99`?");
    let named_twice = ["compare", "--server", "a=one", "--server", "a=two"];
    sockrates(named_twice).args([&scenario]).run().code(2).complains("two servers are called `a`");
}
