//! A server that dies while its clients play.

use crate::capacity::Mortal;
use crate::support::{Folder, Reference, flat, results, sockrates};

#[test]
fn that_the_server_died_is_the_first_that_every_report_says() {
    let folder = Folder::new();
    let (command, _reference) = Mortal::start(&folder, 1);
    let asks = "- all: connect\n\
                - all: { repeat: { times: 15, every: 100ms, steps: [ { emit: { event: message-with-ack, ack: true } } ] } }";
    let scenario = folder.scenario("{ crowd: 20 }", asks);
    let (json, html, markdown) = (folder.path("r.json"), folder.path("r.html"), folder.path("r.md"));
    let run = sockrates(["run", "--server", &command, "--json"]).args([&json]).args(["--html"]).args([&html]);
    let ended = run.args(["--markdown"]).args([&markdown, &scenario]).run().code(1);

    let result = results(&json)["body"][0].clone();
    let end = &result["server_end"];
    assert_eq!((&end["how"], &end["is_success"]), (&"signal SIGKILL".into(), &false.into()), "{ended}");
    let told = "the server ended with signal SIGKILL after ";
    assert!(result["verdict"]["reason"].as_str().is_some_and(|reason| reason.starts_with(told)), "{ended}");
    assert_eq!(end["output"].as_array().map(Vec::len), Some(2), "{end}");
    assert!(flat(&ended.stdout).contains(&format!("failed: {told}")), "{ended}");
    let last = end["output"][1].as_str().expect("a line");
    for form in [ended.stdout.clone(), read(&html), read(&markdown)] {
        assert!(form.contains("The last lines that the server printed"), "{form}");
        assert!(form.contains(last), "{last} is not in {form}");
    }

    // What it used is known up to its end, and nothing after that.
    assert!(result["server"]["memory_peak"].as_u64().is_some_and(|bytes| bytes > 0), "{ended}");
    let memory = result["course"]["server_memory"].as_array().expect("the run took seconds");
    assert!(memory.last().is_some_and(serde_json::Value::is_null), "{memory:?}");
}

fn read(file: &std::path::Path) -> String {
    std::fs::read_to_string(file).expect("it was written")
}

#[test]
fn the_process_of_a_server_that_was_found_is_sampled() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let scenario = folder.scenario("{ alice: 1 }", "- alice: connect");
    let json = folder.path("results.json");
    let pid = std::process::id().to_string();
    let run = sockrates(["run", "--url", &reference.url(), "--pid", &pid, "--json"]).args([&json, &scenario]);
    run.run().code(0);
    assert!(
        results(&json)["body"][0]["server"]["memory_peak"].as_u64().is_some_and(|memory| memory > 1 << 20)
    );
}

#[test]
fn a_process_that_is_not_there_is_refused_before_the_first_connection() {
    let mut child = std::process::Command::new("true").spawn().expect("it can be started");
    let pid = child.id().to_string();
    child.wait().expect("it ends");
    let run = sockrates(["run", "chat", "--url", "http://127.0.0.1:9", "--pid", &pid]).run();
    run.code(2).complains(&format!("there is no process {pid} on this machine"));
    sockrates(["run", "chat", "--pid", &pid]).run().code(2).complains("--url");
}

#[test]
fn the_end_of_a_process_that_is_sampled_comes_first_in_the_report() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let opened = folder.path("opened");
    let mark = opened.clone();
    let relay = crate::support::relay(reference.address(), move |head| {
        if head.contains("transport=websocket") {
            std::fs::write(&mark, "").expect("there is room");
        }
        head
    });
    let mut server = std::process::Command::new("sleep").arg("1000").spawn().expect("it can be started");
    let scenario = folder.scenario("{ alice: 1 }", "- alice: [connect, { wait: 2500ms }]");
    let run = sockrates(["run", "--url", &relay.url(), "--pid", &server.id().to_string()])
        .args([&scenario])
        .start();
    run.wait_for(&opened);
    server.kill().expect("it is there");
    server.wait().expect("it ends");
    run.wait().code(1).says("the server ended with an unknown exit code after ");
}
