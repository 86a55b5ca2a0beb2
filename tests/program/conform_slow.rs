//! `sockrates conform` and servers that are slow: what comes too late because many cases are played at a time is no deviation.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use sockrates::conformance::{SuiteResult, Verdict, json::from_json};

use crate::support::{Folder, Reference, Server};

/// How long it thinks about each message of a client, one after another for all clients.
const THINKS: Duration = Duration::from_millis(100);

/// Longer than it takes alone, and shorter than where eight ask at a time.
const WITHIN: &str = "600ms";

/// A good server with one thread that takes its time.
fn slow(reference: &Reference) -> Server {
    let (address, thread) = (reference.address(), Arc::new(Mutex::new(())));
    Server::start(move |mut near, _| {
        let mut far = TcpStream::connect(address)?;
        let (mut from, mut to) = (far.try_clone()?, near.try_clone()?);
        let back = thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Both);
        });
        let mut buffer = [0; 65_536];
        loop {
            let length = near.read(&mut buffer)?;
            if length == 0 {
                break;
            }
            let _busy = thread.lock().unwrap_or_else(PoisonError::into_inner);
            thread::park_timeout(THINKS);
            far.write_all(&buffer[..length])?;
        }
        far.shutdown(Shutdown::Write)?;
        let _ = back.join();
        Ok(())
    })
}

/// Cases that such a server passes, and one that no server does.
fn suite() -> Folder {
    let folder = Folder::new();
    let ask = |wanted: u32| {
        format!(
            "- alice: connect\n- alice: {{ emit: {{ event: message-with-ack, args: [1], \
             ack: {{ args: [{wanted}], within: {WITHIN} }} }} }}"
        )
    };
    for n in 0..8 {
        folder.case(&format!("talk/ask-{n}"), "clause: SIO-EV-02", "{ alice: 1 }", &ask(1));
    }
    folder.case("talk/wrong", "clause: SIO-EV-02", "{ alice: 1 }", &ask(2));
    folder
}

fn verdicts(folder: &Folder, url: &str, jobs: &str) -> (Vec<(String, Verdict)>, String) {
    let json = folder.path("r.json");
    let ended = folder.conform(["--url", url, "--jobs", jobs, "--json"]).args([&json]).run().code(1);
    let text = std::fs::read_to_string(&json).expect("the results were written");
    let suites: Vec<SuiteResult> = from_json(&text).expect("the results are those of a suite");
    (suites[0].cases.iter().map(|case| (case.label(), case.verdict)).collect(), ended.to_string())
}

#[test]
fn the_verdicts_on_a_slow_server_do_not_depend_on_how_many_cases_are_played_at_a_time() {
    let (folder, reference) = (suite(), Reference::start());
    let server = slow(&reference);
    let (alone, _) = verdicts(&folder, &server.url(), "1");
    let failed =
        |(label, verdict): &(String, Verdict)| (*verdict == Verdict::Fail) == (label == "talk/wrong");
    assert!(alone.iter().all(failed), "{alone:?}");
    let (together, told) = verdicts(&folder, &server.url(), "8");
    assert_eq!(together, alone, "{told}");
}
