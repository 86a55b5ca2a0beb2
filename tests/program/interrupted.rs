//! Ctrl-C at every stage: the run stops, the report up to there is written, nothing is left behind.

use std::fs;
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::support::{Folder, Reference, Server, head, relay, results, sockrates};

const HOLD: &str = "- alice: connect\n- alice: { wait: 1h }\n- alice: disconnect";

/// A named pipe, and what a shell has to do to be heard through it.
pub(crate) fn fifo(folder: &Folder, name: &str) -> std::path::PathBuf {
    let path = folder.path(name);
    mkfifo(&path, Mode::S_IRWXU).expect("a named pipe can be made");
    path
}

/// Waits until somebody writes into a named pipe.
pub(crate) fn hear(path: &std::path::Path) {
    fs::read_to_string(path).expect("the pipe can be read");
}

/// A server, and news of each WebSocket that is opened there: the run is under way then.
fn watched(reference: &Reference) -> (Server, mpsc::Receiver<()>) {
    let (tell, told) = mpsc::channel();
    let tell = std::sync::Mutex::new(tell);
    let relay = relay(reference.address(), move |head| {
        if head.contains("transport=websocket") {
            let _ = tell.lock().expect("nobody panicked").send(());
        }
        head
    });
    (relay, told)
}

#[test]
fn the_first_signal_ends_the_run_with_its_report() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let (folder, reference) = (Folder::new(), Reference::start());
        let (server, opened) = watched(&reference);
        let scenario = folder.scenario("{ alice: 1 }", HOLD);
        let json = folder.path("results.json");
        let run = sockrates(["run", "--url", &server.url(), "--server", "exec sleep 1000", "--json"])
            .args([&json, &scenario, &scenario])
            .start();
        opened.recv().expect("the run begins");
        kill(run.pid(), signal).expect("the program is there");
        run.wait().code(130).says("interrupted");
        let results = results(&json);
        assert_eq!(results["body"].as_array().map(Vec::len), Some(1), "the second is not played");
        assert_eq!(results["body"][0]["verdict"]["status"], "interrupted");
        assert_eq!(results["body"][0]["verdict"]["exit_code"], 130);
    }
}

#[test]
fn a_comparison_that_is_interrupted_in_its_first_block_writes_what_it_has() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let (server, opened) = watched(&reference);
    let scenario = folder.scenario("{ alice: 1 }", HOLD);
    let json = folder.path("results.json");
    let run = sockrates(["compare", "--url", &server.url(), "--json"]).args([&json, &scenario]).start();
    opened.recv().expect("the first run begins");
    run.interrupt();
    run.wait().code(130).says("0 of 20 blocks").says("ended in its first block: 0 of its 2 runs");
    let results = results(&json);
    assert_eq!(results["body"]["blocks"][0]["runs"][0]["status"], "interrupted");
}

#[test]
fn who_is_killed_has_left_what_was_known_a_second_ago() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let json = folder.path("results.json");
    let scenario = folder.scenario("{ alice: 1 }", HOLD);
    let run = sockrates(["run", "--url", &reference.url(), "--json"]).args([&json, &scenario]).start();
    while !json.exists() {
        std::thread::park_timeout(Duration::from_millis(5));
    }
    kill(run.pid(), Signal::SIGKILL).expect("the program is there");
    assert_eq!(run.wait().code, None);
    let results = results(&json);
    assert_eq!(results["body"][0]["verdict"]["status"], "interrupted");
    assert_eq!(results["body"][0]["checks"][0]["passed"], 1, "{results:#}");
}

#[test]
fn the_second_signal_leaves_at_once_whatever_hangs() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let (server, opened) = watched(&reference);
    let scenario = folder.scenario("{ alice: 1 }", HOLD);
    // Nobody ever reads this pipe, so that writing the results never ends.
    fifo(&folder, "results.part");
    let json = folder.path("results.json");
    let mut run = sockrates(["run", "--url", &server.url(), "--json"]).args([&json, &scenario]).start();
    opened.recv().expect("the run begins");
    run.interrupt();
    run.read_until("interrupted");
    run.interrupt();
    run.wait().code(130);
}

#[test]
fn a_report_is_not_lost_to_a_server_that_does_not_want_to_stop() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let (server, opened) = watched(&reference);
    let scenario = folder.scenario("{ alice: 1 }", HOLD);
    let told_to_stop = fifo(&folder, "told");
    let json = folder.path("results.json");
    let command =
        format!("trap 'echo > {}' TERM; while :; do sleep 1000 & wait; done", told_to_stop.display());
    let run = sockrates(["run", "--url", &server.url(), "--server", &command, "--json"])
        .args([&json, &scenario])
        .start();
    opened.recv().expect("the run begins");
    run.interrupt();
    hear(&told_to_stop);
    run.interrupt();
    run.wait().code(130).says("interrupted");
    assert_eq!(results(&json)["body"][0]["verdict"]["status"], "interrupted");
}

#[test]
fn a_signal_while_a_command_is_awaited() {
    let folder = Folder::new();
    let begun = fifo(&folder, "begun");
    let command = format!("echo > {}; exec sleep 1000", begun.display());
    let run = sockrates(["run", "chat", "--server", &command, "--server-timeout", "1h"]).start();
    hear(&begun);
    run.interrupt();
    run.wait().code(130).complains("interrupted before the server answered");
}

#[test]
fn a_signal_while_a_silent_server_is_looked_at() {
    let (tell, told) = mpsc::channel();
    let tell = std::sync::Mutex::new(tell);
    let server = Server::start(move |mut stream, _| {
        head(&mut stream)?;
        let _ = tell.lock().expect("nobody panicked").send(());
        head(&mut stream).map(drop)
    });
    let run = sockrates(["run", "chat", "--url", &server.url()]).start();
    told.recv().expect("the server is looked at");
    run.interrupt();
    run.wait().code(130).complains("interrupted before the server answered");
}

#[test]
fn a_signal_while_everybody_hangs() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let (tell, told) = mpsc::channel();
    let tell = std::sync::Mutex::new(tell);
    let address = reference.address();
    // The look before the run is answered; what comes after it is not.
    let server = Server::start(move |mut stream, _| {
        let Some(first) = head(&mut stream)? else { return Ok(()) };
        if first.contains("transport=websocket") {
            let _ = tell.lock().expect("nobody panicked").send(());
            return head(&mut stream).map(drop);
        }
        let mut far = std::net::TcpStream::connect(address)?;
        std::io::Write::write_all(&mut far, first.as_bytes())?;
        crate::support::splice(&stream, &far)
    });
    let scenario =
        folder.scenario("{ crowd: 20 }", "- crowd: { connect: { within: 1h } }\n- crowd: disconnect");
    let run = sockrates(["run", "--url", &server.url()]).args([&scenario]).start();
    for _ in 0..20 {
        told.recv().expect("the run begins");
    }
    run.interrupt();
    run.wait().code(130).says("stopped before any check was made");
}
