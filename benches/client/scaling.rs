//! Whether two workers do twice the work of one, when the server is no hindrance.
//!
//! Client and server share this machine, so the server has to cost next to nothing: it lets WebSockets in and then
//! reads what comes in large pieces, without looking at it. The clients emit without waiting for an answer, each
//! emission with all that belongs to it: template, session, frame, mask, counts, the latencies.
//!
//! Throughput is by the clock, so it needs two cores that nobody else uses. Where
//! others work, CPU per emission tells whether workers are in each other's way: it must not grow.

use sockrates::observe::Counter;

use crate::support::own::play;
use crate::support::process::Server;
use crate::support::statistics::median;

const CLIENTS: u32 = 100;
const BLOCKS: usize = 4;

/// See the module's head.
pub(crate) fn scaling() {
    let sink = Server::raw("sink");
    let text = format!(
        "name: emissions
clients: {{ c: {CLIENTS} }}
script:
  - all: connect
  - all: {{ wait: 500ms }}
  - all: {{ repeat: {{ for: 3s, steps: [ {{ emit: {{ event: said, args: [ hello, {{ n: \"${{n}}\", i: \"${{i}}\" }} ] }} }} ] }} }}
  - all: {{ wait: 500ms }}
"
    );
    let run = |workers: usize| {
        let (accounts, _) = play(&text, sink.address, workers, &[1, 3]);
        let emissions = accounts[1].counted_since(&accounts[0], Counter::Sent) as f64;
        (emissions / 3.0, (accounts[1].cpu - accounts[0].cpu) / emissions)
    };
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for block in 0..BLOCKS {
        if block % 2 == 0 {
            one.push(run(1));
            two.push(run(2));
        } else {
            two.push(run(2));
            one.push(run(1));
        }
    }
    let ratio = |pick: fn(&(f64, f64)) -> f64| {
        median(&one.iter().zip(&two).map(|(one, two)| pick(two) / pick(one)).collect::<Vec<_>>())
    };
    let of = |taken: &[(f64, f64)], pick: fn(&(f64, f64)) -> f64| {
        median(&taken.iter().map(pick).collect::<Vec<_>>())
    };
    println!("{CLIENTS} clients that emit flat out, against a server that only reads (median of {BLOCKS})");
    println!("  {:<14}{:>16}{:>24}", "", "emissions/s", "CPU per emission, µs");
    for (name, taken) in [("one worker", &one), ("two workers", &two)] {
        println!("  {name:<14}{:>16.0}{:>24.3}", of(taken, |run| run.0), of(taken, |run| run.1));
    }
    println!("  {:<14}{:>16.2}{:>24.2}", "ratio", ratio(|run| run.0), ratio(|run| run.1));
}
