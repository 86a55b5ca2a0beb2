//! Latency is honest, end to end: what a server is known to do late is in the figures.
//!
//! How much exactly, and that nothing else is, the engine's own tests say under a simulated clock
//! (`src/engine/tests/latency.rs`). Here are a real server and a real clock, so there is one run and its bounds are wide:
//! what a server does too late it cannot do earlier, however busy the machine is, and that a busy machine adds less than
//! half a second is all that is asked of it.

#[path = "support/play.rs"]
mod support;

use std::{fs, thread};

use reference_server::faults::{REGISTRY, Shows};
use sockrates::report::{RunResult, result::MetricResult};
use support::play;

/// How much later each fault lets everything leave, in milliseconds.
const DELAYS: [(&str, f64); 3] = [("delay-5ms", 5.0), ("delay-20ms", 20.0), ("delay-100ms", 100.0)];

const FREEZE: &str = "freeze";

/// How long a server with that fault stands still, in milliseconds.
const STANDSTILL: f64 = 1_000.0;

/// What a busy machine may add to a median, or to an extreme, in milliseconds.
const BUSY: f64 = 500.0;

/// Someone is due every 25 ms for four seconds, a quarter of it while a server stands still. Each has longer between two
/// rounds than any of the delays, or rounds would pile up.
const TALK: &str = "
name: Some talk, and some listen
clients: { talkers: 8, crowd: 4 }
script:
  - all: connect
  - all: { join: lobby }
  - talkers:
      repeat:
        times: 20
        every: 200ms
        start: spread
        steps: [ { broadcast: { to: lobby, event: said, bytes: 64 } } ]
";

#[test]
fn every_fault_that_shows_in_time_alone_is_looked_at() {
    let looked_at: Vec<&str> = DELAYS.iter().map(|(fault, _)| *fault).chain([FREEZE]).collect();
    let in_time = REGISTRY.iter().filter(|fault| fault.shows == Shows::InTime);
    assert_eq!(in_time.map(|fault| fault.name).collect::<Vec<_>>(), looked_at);
}

#[test]
fn what_a_real_server_does_late_is_in_the_figures() {
    let folder = tempfile::tempdir().expect("there is room");
    let file = folder.path().join("scenario.yaml");
    fs::write(&file, TALK).expect("it can be written");
    let file = file.to_str().expect("a path that is text");
    let faults = DELAYS.iter().map(|(fault, _)| *fault).chain([FREEZE]);
    let runs: Vec<RunResult> = thread::scope(|scope| {
        let runs: Vec<_> = faults.map(|fault| scope.spawn(move || run(file, fault))).collect();
        runs.into_iter().map(|run| run.join().expect("it was played")).collect()
    });
    for ((fault, delay), run) in DELAYS.iter().zip(&runs) {
        for name in ["ack", "delivery"] {
            let metric = metric(run, name);
            let (least, median) = (millis(Some(metric.min_us)), millis(metric.p50_us));
            assert!(least >= *delay, "{fault}: the least {name} is {least} ms");
            assert!(median <= delay + BUSY, "{fault}: the median of {name} is {median} ms");
        }
    }
    let [ack, service] = ["ack", "ack.service"].map(|name| metric(&runs[DELAYS.len()], name));
    // A quarter of the rounds is due while the server stands still, so one in ten waits for more than half of that time.
    let (most, p90) = (millis(Some(ack.max_us)), millis(ack.p90_us));
    assert!((0.9 * STANDSTILL..STANDSTILL + BUSY).contains(&most), "the greatest is {most} ms");
    assert!((0.4 * STANDSTILL..STANDSTILL + BUSY).contains(&p90), "p90 is {p90} ms");
    // From when it was sent, nobody was late but the few whose turn it was when the server fell asleep.
    let flattering = millis(service.p90_us);
    assert!(flattering < p90 / 2.0, "p90 is {p90} ms from due and {flattering} ms from sent");
}

fn run(file: &str, fault: &str) -> RunResult {
    let played = play([file, "--fault", fault], []);
    let result = played.result().unwrap_or_else(|why| panic!("{why}")).clone();
    // That a machine was too busy for a measurement does not make the server quicker.
    let wrong = [played.failed_steps(), played.delivery_faults()].concat();
    assert!(wrong.is_empty(), "{fault}: {wrong:?}\n{}", played.output);
    result
}

fn metric<'r>(run: &'r RunResult, name: &str) -> &'r MetricResult {
    let found = run.metrics.iter().find(|metric| metric.name == name);
    found.unwrap_or_else(|| panic!("there is no {name}"))
}

fn millis(micros: Option<u64>) -> f64 {
    micros.expect("there are samples enough") as f64 / 1000.0
}
