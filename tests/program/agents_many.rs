//! The coordinator beside many agents that tell it their figures each second: what it costs, and whether it keeps up.

use std::fs;

use nix::unistd::{Pid, SysconfVar, sysconf};

use crate::agents::Broker;
use crate::support::{Folder, Reference, sockrates};

/// What a process has used so far: seconds of a processor, and what it holds now, in KB.
struct Used {
    cpu: f64,
    memory: u64,
}

impl Used {
    fn by(pid: Pid) -> Used {
        let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).expect("it is there");
        let stat = read("stat");
        let fields: Vec<&str> = stat.rsplit(") ").next().expect("it has a name").split(' ').collect();
        let ticks = |field: usize| fields[field].parse::<f64>().expect("it is a number");
        let in_a_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().expect("the system has a clock") as f64;
        let status = read("status");
        let held = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("it holds memory");
        let memory = held.trim().trim_end_matches(" kB").parse().expect("it is a number");
        Used { cpu: (ticks(11) + ticks(12)) / in_a_second, memory }
    }
}

/// The time that a line of the display begins with, in seconds.
fn second(line: &str) -> f64 {
    line.trim_start().split(' ').next().and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{line}"))
}

/// `SOCKRATES_MANY_AGENTS=200` plays it with so many, which are more than `--agents local:N` starts; the figures are printed.
#[test]
fn many_agents_cost_their_coordinator_less_than_half_a_processor_and_no_memory_as_time_goes_by() {
    let Some(broker) = Broker::start() else { return };
    let agents = std::env::var("SOCKRATES_MANY_AGENTS").ok();
    let agents: usize = agents.map_or(10, |many| many.parse().expect("a number of agents"));
    let (folder, server) = (Folder::new(), Reference::start());
    let clients = agents * 5;
    let scenario = folder.scenario(
        &format!("{{ crowd: {clients} }}"),
        "- all: connect
         - all: { repeat: { for: 24s, every: 2s, jitter: 100%, steps: [ { emit: { event: message-with-ack, args: [1], ack: true } } ] } }
         - all: disconnect",
    );
    let many = agents.to_string();
    let _agents: Vec<_> = (0..agents).map(|number| broker.agent(&format!("agent-{number}"), &[])).collect();
    let run = sockrates(["run", "--agents", &many, "--nats", &broker.url(), "--url", &server.url()]);
    let mut run = run.args([&scenario]).start();
    // One line each second.
    let number = if clients < 1000 {
        format!("{clients}")
    } else {
        format!("{},{:03}", clients / 1000, clients % 1000)
    };
    let all = format!(" {number} of {number} connected");
    let settled = (0..4).map(|_| run.line_told(&all)).last().unwrap_or_default();
    let before = Used::by(run.pid());
    let seen: Vec<f64> = (0..14).map(|_| second(&run.line_told(&all))).collect();
    let (lasted, after) = (seen[13] - second(&settled), Used::by(run.pid()));
    let share = (after.cpu - before.cpu) / lasted;
    eprintln!(
        "{agents} agents, {clients} clients, {lasted} s and 14 lines of the display: the coordinator used {:.1} % of a processor, \
         and held {} to {} KB",
        share * 100.0,
        before.memory,
        after.memory
    );
    let ended = run.wait().code(0);
    assert!(share < 0.5, "{share} of a processor: {ended}");
    assert!(after.memory < before.memory + 4_000, "{} and then {} KB: {ended}", before.memory, after.memory);
}
