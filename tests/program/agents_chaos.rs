//! Chaos of our own parts: agent, coordinator and broker of a run are killed or stand still at random moments of its life, from the
//! call of its agents until its results are there, and everything ends.

use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs, panic, thread};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::agents::{Broker, nats_server};
use crate::support::{Ended, Folder, Reference, Started, flat, results, sockrates};

/// How many rounds are played where the environment does not say, and what says it: how many, and which is the first.
const ROUNDS: u64 = 3;
const ROUNDS_VARIABLE: &str = "SOCKRATES_CHAOS_ROUNDS";
const FIRST_VARIABLE: &str = "SOCKRATES_CHAOS_FIRST";

/// Within which time everything has to end.
pub(crate) const END: Duration = Duration::from_secs(15);

/// How long a run lasts about, from the start of the coordinator until its results are written. It is struck in that time.
const LIFE: Duration = Duration::from_millis(5200);

/// How long the coordinator waits for its last agent, at most.
const LATECOMER: Duration = Duration::from_millis(1500);

/// Who has stood still for longer than that was given up by the others.
const LONGEST_STAND: Duration = Duration::from_secs(9);

/// After that time, another agent comes in the place of one that was struck.
const SUBSTITUTE: Duration = Duration::from_millis(500);

pub(crate) const SCRIPT: &str = "- all: connect
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

pub(crate) fn await_until(what: &str, from: Instant, mut holds: impl FnMut() -> bool) {
    while !holds() {
        assert!(from.elapsed() < END, "{what}");
        thread::park_timeout(Duration::from_millis(20));
    }
}

/// Whether a process has ended: it is gone, or waits for nobody but its parent.
pub(crate) fn has_ended(pid: Pid) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).unwrap_or_default();
    stat.rsplit(')').next().is_none_or(|rest| rest.trim().is_empty() || rest.trim().starts_with('Z'))
}

/// What is struck in a round, how, and when.
#[derive(Debug)]
struct Strike {
    part: Part,
    signal: Signal,
    /// How long after the start of the coordinator.
    moment: Duration,
    /// How long after that the second agent comes.
    latecomer: Duration,
    /// How long what is stopped stands still, at least.
    stand: Duration,
}

impl Strike {
    fn of(seed: u64) -> Strike {
        let mut chance = fastrand::Rng::with_seed(seed);
        Strike {
            part: [Part::Agent, Part::Coordinator, Part::Broker][chance.usize(..3)],
            signal: [Signal::SIGKILL, Signal::SIGSTOP][chance.usize(..2)],
            moment: LIFE.mul_f64(chance.f64()),
            latecomer: LATECOMER.mul_f64(chance.f64()),
            stand: LONGEST_STAND.mul_f64(chance.f64()),
        }
    }

    fn is_right(&self, ended: &Ended, broker: &str) -> bool {
        let told = flat(&format!("{}{}", ended.stdout, ended.stderr));
        match (ended.code, self.part) {
            (Some(0), _) => true,
            (None, part) => part == Part::Coordinator && self.signal == Signal::SIGKILL,
            (Some(4), Part::Agent) => told.contains("the agent one "),
            (Some(4), Part::Broker) => told.contains(&format!("the broker at {broker}")),
            (Some(4), Part::Coordinator) => told.contains("this coordinator stood still for "),
            _ => false,
        }
    }
}

/// Waits until no client is connected.
pub(crate) fn await_no_client(told: &str, from: Instant, server: &Reference) {
    await_until(&format!("{told}: clients are still there"), from, || {
        connections(server.address().port()) == 0
    });
}

/// The results say what became of the run, and can be shown. There are some unless it ended before it began.
pub(crate) fn assert_readable(json: &Path, ended: &Ended, told: &str) {
    if !json.exists() {
        assert_ne!(ended.code, Some(0), "{told}: {ended}");
        return;
    }
    let status = results(json)["body"][0]["verdict"]["status"].clone();
    // What there is of a run while it goes on.
    let expected = match ended.code {
        None => "interrupted",
        Some(4) => "invalid",
        _ => "passed",
    };
    assert_eq!(status, expected, "{told}: {ended}");
    let shown = sockrates(["report"]).args([json]).run();
    assert!(!shown.stdout.is_empty(), "{told}: {shown}");
}

/// Plays as many rounds as the environment says. All are played, so that it is known how many go wrong.
pub(crate) fn play_rounds(round: impl Fn(u64) + panic::RefUnwindSafe) {
    let first = number(FIRST_VARIABLE, 0);
    let seeds = first..first + number(ROUNDS_VARIABLE, ROUNDS);
    let wrong: Vec<u64> = seeds.filter(|seed| panic::catch_unwind(|| round(*seed)).is_err()).collect();
    assert!(wrong.is_empty(), "these rounds went wrong: {wrong:?}");
}

pub(crate) fn wait_until(moment: Instant) {
    while Instant::now() < moment {
        thread::park_timeout(moment.saturating_duration_since(Instant::now()));
    }
}

/// Waits until all agents that live wait for work.
fn await_waiting(told: &str, agents: usize, broker: &Broker) {
    let from = Instant::now();
    loop {
        let shown = sockrates(["agents", "--nats", &broker.url()]).run();
        if shown.stdout.matches(" waits").count() == agents {
            return;
        }
        assert!(from.elapsed() < END, "{told}: not all {agents} agents wait again: {shown}");
    }
}

fn round(seed: u64) {
    let Some(mut broker) = Broker::start() else { return };
    let strike = Strike::of(seed);
    let Strike { part, signal, moment, latecomer, stand } = strike;
    let told = format!("round {seed}: {strike:?}");
    eprintln!("{told}");
    let (folder, server) = (Folder::new(), Reference::start());
    let (scenario, json) = (folder.scenario("{ crowd: 6 }", SCRIPT), folder.path("r.json"));
    let mut agents = vec![broker.agent("one", &[])];
    let run = sockrates(["run", "--agents", "2", "--nats", &broker.url(), "--url", &server.url(), "--json"]);
    let run = run.args([&json, &scenario]).start();
    let begun = Instant::now();
    let come = |agents: &mut Vec<Started>| agents.push(broker.agent("two", &[]));
    if latecomer < moment {
        wait_until(begun + latecomer);
        come(&mut agents);
    }
    wait_until(begun + moment);
    let coordinator = run.pid();
    let struck = match part {
        Part::Agent => agents[0].pid(),
        Part::Coordinator => coordinator,
        Part::Broker => broker.pid(),
    };
    // Until it was waited for, a process that has ended can still be sent something.
    kill(struck, signal).expect("it is there");
    let from = Instant::now();
    let is_late = latecomer >= moment;
    if is_late && part != Part::Broker {
        wait_until(begun + latecomer);
        come(&mut agents);
    }
    if part == Part::Agent {
        wait_until(from + SUBSTITUTE);
        agents.push(broker.agent("three", &[]));
    }
    if signal == Signal::SIGSTOP {
        // Nobody may load a server unattended.
        wait_until(from + stand);
        if part == Part::Coordinator && stand > Duration::from_secs(5) {
            await_no_client(&told, from, &server);
        }
        kill(struck, Signal::SIGCONT).expect("it stands still");
        if is_late && part == Part::Broker {
            come(&mut agents);
        }
    }
    // A coordinator that stood still, or has waited for an agent, has its run before it.
    let from = if part == Part::Coordinator || is_late { Instant::now() } else { from };
    await_until(&format!("{told}: the coordinator is still there"), from.max(begun + LIFE), || {
        has_ended(coordinator)
    });
    let ended = run.wait().calm();
    assert!(strike.is_right(&ended, &broker.url()), "{told}: {ended}");
    assert_readable(&json, &ended, &told);
    // Those of an agent that stood still can leave only now.
    await_no_client(&told, Instant::now(), &server);
    if signal == Signal::SIGKILL && part == Part::Agent {
        assert_eq!(agents.remove(0).wait().code, None, "{told}");
    }
    if signal == Signal::SIGKILL && part == Part::Broker {
        broker.restart();
    }
    await_waiting(&told, agents.len(), &broker);
    for agent in agents {
        agent.interrupt();
        agent.wait().code(0);
    }
}

#[test]
fn whichever_part_is_killed_or_stands_still_at_whatever_moment_everything_ends_and_nothing_is_left() {
    if nats_server().is_none() {
        return;
    }
    play_rounds(round);
}
