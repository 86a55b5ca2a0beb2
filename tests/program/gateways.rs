//! An application behind a gateway that lets in who shows what it wants: every verb's requests do, the preliminary ones too.

use std::fs;

use crate::support::{Folder, sockrates};
use crate::ways_in::Gate;

/// What a gateway wants in the head of each request, and how a user gives it: flags, and what stands before the host and behind
/// the port of the url.
const WAYS: [(&str, &[&str], &str, &str); 5] = [
    ("X-Key: open sesame", &["--header", "X-Key: open sesame"], "", ""),
    ("Cookie: sid=secret-77", &["--header", "Cookie: sid=secret-77"], "", ""),
    ("Authorization: Basic YW5uOnBAc3MtNzc=", &[], "ann:p%40ss-77@", ""),
    ("token=secret-77", &["--query", "token=secret-77"], "", ""),
    ("token=secret-77", &["--query", "token=secret-77"], "", "/?token=other-77"),
];

fn url(gate: &Gate, before: &str, behind: &str) -> String {
    format!("{}{behind}", gate.url().replace("://", &format!("://{before}")))
}

#[test]
fn compare_capacity_and_conform_bring_it_with_every_request() {
    let folder = Folder::new();
    let asks = "- all: connect\n- crowd: { repeat: { times: 3, steps: [ { emit: { event: message-with-ack, args: [1], ack: true } } ] } }";
    let scenario = folder.scenario_with("{ crowd: 2 }", asks, "thresholds: [ack p50 < 60 s]");
    for (wanted, flags, before, behind) in WAYS {
        let gate = Gate::wanting(wanted);
        let url = url(&gate, before, behind);
        let search = ["--from", "2", "--to", "3", "--settle", "0ms", "--min-samples", "1", "--repeats", "1"];
        sockrates(["capacity", "--url", &url]).args(flags).args(search).args([&scenario]).run().code(0);
        let ended =
            sockrates(["compare", "--blocks", "1", "--url", &url]).args(flags).args([&scenario]).run();
        assert!(!ended.stdout.contains("-77") && !ended.stderr.contains("-77"), "{ended}");
        let ended = sockrates(["conform", "--only", "handshake/*", "--url", &url]).args(flags).run();
        assert!(!ended.stdout.contains("-77") && !ended.stderr.contains("-77"), "{ended}");
        gate.refused_nobody(wanted);
    }
}

#[test]
fn a_look_for_a_first_scenario_brings_it_and_the_command_that_is_shown_says_how() {
    let folder = Folder::new();
    for (wanted, flags, before, behind) in WAYS {
        let gate = Gate::wanting(wanted);
        let (url, file) = (url(&gate, before, behind), folder.path("first.yaml"));
        let looked =
            sockrates(["init", "--force", "--from", &url]).args(flags).args(["--output"]).args([&file]);
        let looked = looked.run().code(0);
        gate.refused_nobody(wanted);
        let text = fs::read_to_string(&file).expect("it is written");
        assert!(
            ![&looked.stdout, &looked.stderr, &text].iter().any(|output| output.contains("-77")),
            "{looked}"
        );
        flags.first().into_iter().for_each(|flag| assert!(text.contains(*flag), "{text}"));
        sockrates(["run", "--url", &url]).args(flags).args([&file]).run().code(0);
    }
    let gate = Gate::wanting("X-Key");
    let refused = sockrates(["init", "--force", "--from", &gate.url()]).run();
    refused.code(3).complains("403: it is there and wants credentials; give them by --header");
}

#[test]
fn a_query_in_the_url_of_a_look_goes_with_it_and_is_a_flag_of_the_run() {
    let (folder, gate) = (Folder::new(), Gate::wanting("room=red"));
    let file = folder.path("first.yaml");
    let url = format!("{}/?room=red%20one", gate.url());
    sockrates(["init", "--from", &url, "--output"]).args([&file]).run().code(0);
    let text = fs::read_to_string(&file).expect("it is written");
    assert!(text.contains("--query 'room=red one'"), "{text}");
    let at = gate.url();
    sockrates(["run", "--url", &at, "--query", "room=red one"]).args([&file]).run().code(0);
    gate.refused_nobody("room=red");
}

#[test]
fn auth_of_a_look_opens_the_namespace() {
    let (folder, gate) = (Folder::new(), Gate::wanting("HTTP"));
    let file = folder.path("first.yaml");
    let look = |auth: &[&str]| {
        let look = ["init", "--force", "--from", &gate.url(), "--namespace", "/guard", "--send", "message"];
        sockrates(look).args(auth).args(["--output"]).args([&file]).run().code(0)
    };
    look(&[]).complains("/guard refuses a client without credentials");
    let seen = look(&["--auth", r#"{"token":"ok"}"#]);
    assert!(!seen.stderr.contains("refuses a client"), "{seen}");
}

#[test]
fn a_recording_brings_what_the_browser_does_not_know() {
    let folder = Folder::new();
    for (wanted, flags, before, _) in WAYS.into_iter().take(3) {
        let gate = Gate::wanting(wanted);
        let written = folder.path("recorded.yaml");
        let program = sockrates(["record", "--force", "--url", &url(&gate, before, "/page?room=red")]);
        let mut recording = program.args(flags).args(["--output"]).args([&written]).start();
        let told = recording.told("Open http://");
        assert!(told.contains("/page?room=red"), "{told}");
        let address = format!("http://{}", told.split('/').next().unwrap_or_default());
        let talk = "- all: connect\n- all: { emit: { event: message-with-ack, args: [1], ack: true } }\n- all: disconnect";
        let scenario = folder.scenario("{ a: 2, b: { count: 2, transport: polling } }", talk);
        sockrates(["run", "--url", &address]).args([&scenario]).run().code(0);
        recording.interrupt();
        let ended = recording.wait().code(0);
        let text = fs::read_to_string(&written).expect("it is written");
        assert!(
            ![&ended.stdout, &ended.stderr, &text].iter().any(|output| output.contains("-77")),
            "{ended}"
        );
        gate.refused_nobody(wanted);
    }
}
