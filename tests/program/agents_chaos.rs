//! Chaos of our own parts: agent, coordinator and broker of a run are killed or stand still at random moments, and everything ends.

use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::agents::{Broker, nats_server};
use crate::support::{Folder, Reference, results, sockrates};

/// How many rounds are played where the environment does not say, and what says it: how many, and which is the first.
const ROUNDS: u64 = 3;
const ROUNDS_VARIABLE: &str = "SOCKRATES_CHAOS_ROUNDS";
const FIRST_VARIABLE: &str = "SOCKRATES_CHAOS_FIRST";

/// Within which time everything has to end.
const END: Duration = Duration::from_secs(15);

/// How long a run lasts about. It is struck in that time, or a little later.
const STRIKES: Duration = Duration::from_millis(3000);

const SCRIPT: &str = "- all: connect
    - all: { join: hall }
    - all: { repeat: { for: 2500ms, every: 100ms, steps: [ { broadcast: { to: hall, event: said } } ] } }";

#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Agent,
    Coordinator,
    Broker,
}

fn number(variable: &str, usual: u64) -> u64 {
    env::var(variable).map_or(usual, |text| text.parse().expect("it is a number"))
}

/// Connections to this port that are open.
fn connections(port: u16) -> usize {
    let table = fs::read_to_string("/proc/net/tcp").expect("it can be read");
    let ending = format!(":{port:04X}");
    let is_open = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.len() > 3 && words[2].ends_with(&ending) && words[3] == "01"
    };
    table.lines().filter(is_open).count()
}

fn await_until(what: &str, from: Instant, mut holds: impl FnMut() -> bool) {
    while !holds() {
        assert!(from.elapsed() < END, "{what}");
        thread::park_timeout(Duration::from_millis(20));
    }
}

/// Whether a process has ended: it is gone, or waits for nobody but its parent.
fn has_ended(pid: Pid) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).unwrap_or_default();
    stat.rsplit(')').next().is_none_or(|rest| rest.trim().is_empty() || rest.trim().starts_with('Z'))
}

fn round(seed: u64) {
    let Some(broker) = Broker::start() else { return };
    let mut chance = fastrand::Rng::with_seed(seed);
    let part = [Part::Agent, Part::Coordinator, Part::Broker][chance.usize(..3)];
    let signal = [Signal::SIGKILL, Signal::SIGSTOP][chance.usize(..2)];
    let moment = STRIKES.mul_f64(chance.f64());
    let told = format!("round {seed}: {signal} for the {part:?} after {moment:?}");
    eprintln!("{told}");
    let (folder, server) = (Folder::new(), Reference::start());
    let (scenario, json) = (folder.scenario("{ crowd: 6 }", SCRIPT), folder.path("r.json"));
    let agents = ["one", "two"].map(|name| broker.agent(name, &[]));
    let run = sockrates(["run", "--agents", "2", "--nats", &broker.url(), "--url", &server.url(), "--json"]);
    let mut run = run.args([&json, &scenario]).start();
    run.told("6 of 6 connected");
    thread::park_timeout(moment);
    let coordinator = run.pid();
    let struck = match part {
        Part::Agent => agents[0].pid(),
        Part::Coordinator => coordinator,
        Part::Broker => broker.pid(),
    };
    // Until it was waited for, a process that has ended can still be sent something.
    kill(struck, signal).expect("it is there");
    let from = Instant::now();
    let goes_on = || {
        if signal == Signal::SIGSTOP {
            kill(struck, Signal::SIGCONT).expect("it stands still");
        }
    };
    if part == Part::Coordinator && signal == Signal::SIGSTOP {
        // The agents may not load a server unattended, and the coordinator has to say what happened when it goes on.
        await_until(&format!("{told}: clients are still there"), from, || {
            connections(server.address().port()) == 0
        });
        goes_on();
    }
    await_until(&format!("{told}: the coordinator is still there"), from, || has_ended(coordinator));
    let ended = run.wait();
    let is_right = match (part, signal) {
        (Part::Coordinator, Signal::SIGKILL) => [None, Some(0)].contains(&ended.code),
        _ => [Some(0), Some(4)].contains(&ended.code),
    };
    assert!(is_right, "{told}: {ended}");
    if ended.code.is_some() {
        let status = results(&json)["body"][0]["verdict"]["status"].clone();
        let expected = if ended.code == Some(0) { "passed" } else { "invalid" };
        assert_eq!(status, expected, "{told}: {ended}");
    }
    if json.exists() {
        let shown = sockrates(["report"]).args([&json]).run();
        assert!(!shown.stdout.is_empty(), "{told}: {shown}");
    }
    if part != Part::Coordinator {
        goes_on();
    }
    // Those of an agent that stood still can leave only now.
    await_until(&format!("{told}: clients are still there"), Instant::now(), || {
        connections(server.address().port()) == 0
    });
    for agent in agents {
        if agent.pid() == struck && signal == Signal::SIGKILL {
            continue;
        }
        agent.interrupt();
        agent.wait().code(0);
    }
}

#[test]
fn whichever_part_is_killed_or_stands_still_at_whatever_moment_everything_ends_and_nothing_is_left() {
    if nats_server().is_none() {
        return;
    }
    let first = number(FIRST_VARIABLE, 0);
    (first..first + number(ROUNDS_VARIABLE, ROUNDS)).for_each(round);
}
