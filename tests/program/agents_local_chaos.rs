//! Chaos of `--agents local:N`: the coordinator, one of its agents or its broker is killed or stands still at a random moment, and
//! everything that was started for the run ends with it.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::agents::nats_server;
use crate::agents_chaos::{
    SCRIPT, assert_readable, await_no_client, await_until, has_ended, play_rounds, wait_until,
};
use crate::support::{Ended, Folder, Reference, Started, flat, sockrates};

/// How long a run lasts about. It is struck in that time.
const LIFE: Duration = Duration::from_millis(5200);

/// Who has stood still for longer than that was given up by the others.
const LONGEST_STAND: Duration = Duration::from_secs(9);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Coordinator,
    Agent,
    Broker,
}

/// What is struck in a round, how, when, and for how long it stands still if it does.
#[derive(Debug)]
struct Strike {
    part: Part,
    signal: Signal,
    moment: Duration,
    stand: Duration,
}

impl Strike {
    fn of(seed: u64) -> Strike {
        let mut chance = fastrand::Rng::with_seed(seed);
        Strike {
            part: [Part::Coordinator, Part::Agent, Part::Broker][chance.usize(..3)],
            signal: [Signal::SIGKILL, Signal::SIGSTOP][chance.usize(..2)],
            moment: LIFE.mul_f64(chance.f64()),
            stand: LONGEST_STAND.mul_f64(chance.f64()),
        }
    }

    /// The process that is struck: what is not there yet is waited for. None when the run is over.
    fn find(&self, run: &Started) -> Option<Pid> {
        let words = match self.part {
            Part::Coordinator => return Some(run.pid()),
            Part::Agent => "\0agent\0",
            Part::Broker => "nats-server\0",
        };
        loop {
            let is_it = |(_, line): &(Pid, String)| line.contains(words) && !line.starts_with("sh\0");
            if let Some((pid, _)) = run.processes().into_iter().find(is_it) {
                return Some(pid);
            }
            if has_ended(run.pid()) {
                return None;
            }
        }
    }

    fn is_right(&self, ended: &Ended) -> bool {
        let told = flat(&format!("{}{}", ended.stdout, ended.stderr));
        match (ended.code, self.part) {
            (Some(0), _) => true,
            (None, part) => part == Part::Coordinator && self.signal == Signal::SIGKILL,
            (Some(4), Part::Agent) => told.contains("the agent local-"),
            (Some(4), Part::Broker) => {
                told.contains("the broker at nats://") || told.contains("the broker `nats-server`")
            }
            (Some(4), Part::Coordinator) => told.contains("this coordinator stood still for "),
            _ => false,
        }
    }
}

fn round(seed: u64) {
    let strike = Strike::of(seed);
    let Strike { part, signal, moment, stand } = strike;
    let told = format!("round {seed}: {strike:?}");
    eprintln!("{told}");
    let (folder, server) = (Folder::new(), Reference::start());
    let (scenario, json) = (folder.scenario("{ crowd: 6 }", SCRIPT), folder.path("r.json"));
    let run = sockrates(["run", "--agents", "local:2", "--url", &server.url(), "--json"]);
    let run = run.args([&json, &scenario]).start();
    let begun = Instant::now();
    wait_until(begun + moment);
    let coordinator = run.pid();
    let struck = strike.find(&run);
    // Until it was waited for, a process that has ended can still be sent something; what others waited for is gone.
    if let Some(struck) = struck {
        let _ = kill(struck, signal);
    }
    let mut from = Instant::now();
    if signal == Signal::SIGSTOP {
        wait_until(from + stand);
        if part == Part::Coordinator && stand > Duration::from_secs(5) {
            await_no_client(&told, from, &server);
        }
        if let Some(struck) = struck.filter(|struck| !has_ended(*struck)) {
            let _ = kill(struck, Signal::SIGCONT);
        }
        // Before it is called, nobody but itself knows that an agent stands still; a coordinator has its run before it.
        from = Instant::now();
    }
    // No guard of what was started may be left either.
    await_until(&format!("{told}: somebody is still there"), from.max(begun + LIFE), || {
        let is_other = |(pid, _): &(Pid, String)| *pid != coordinator;
        has_ended(coordinator) && !run.processes().iter().any(is_other)
    });
    let ended = run.wait().calm();
    assert!(strike.is_right(&ended), "{told}: {ended}");
    assert_readable(&json, &ended, &told);
    await_no_client(&told, Instant::now(), &server);
}

/// The server of the second turn starts after the first turn, and before its agents are called.
#[test]
fn an_agent_of_its_own_that_is_killed_between_two_turns_is_not_waited_for() {
    if nats_server().is_none() {
        return;
    }
    let folder = Folder::new();
    let scenario = folder.scenario("{ crowd: 2 }", "- all: connect");
    let (lives, doomed) = (folder.path("lives"), folder.path("doomed"));
    let server = format!(
        "a=echo >> '{}'; if [ $(wc -l < '{}') = 2 ]; then until kill -9 $(cat '{}'); do :; done; fi; exec {} serve -q --port $PORT",
        lives.display(),
        lives.display(),
        doomed.display(),
        env!("CARGO_BIN_EXE_sockrates")
    );
    let compare = sockrates(["compare", "--agents", "local:2", "--blocks", "2", "--server", &server]);
    let compare = compare.args([&scenario]).start();
    let agent = loop {
        let is_it = |(_, line): &(Pid, String)| line.contains("\0agent\0") && !line.starts_with("sh\0");
        if let Some((pid, _)) = compare.processes().into_iter().find(is_it) {
            break pid;
        }
        assert!(!has_ended(compare.pid()), "it has no agents");
    };
    std::fs::write(&doomed, agent.to_string()).expect("there is room");
    let ended = compare.wait().code(4);
    assert!(flat(&ended.stderr).contains(", which was started here, ended (signal: 9"), "{ended}");
}

#[test]
fn whichever_part_of_a_run_with_agents_of_its_own_is_killed_or_stands_still_all_of_it_ends() {
    if nats_server().is_none() {
        return;
    }
    play_rounds(round);
}
