//! What a server costs: the reference server, the official Node server and socketioxide side by side.
//!
//! Each block measures all of them, every second block in the reverse order, each time in a fresh process. CPU and
//! memory are those of the server's process group as the operating system accounts for them, so the clients, which
//! are played by this process, are not in it. Absolute figures drift with the machine: quote the ratios.
//!
//! `cargo bench --bench servers` prints every table; `-- echo`, `-- room`, `-- connections` one of them. Peers that
//! are not here are told of and left out; `.ci/peers install` brings them.

mod support;

use std::env;

use sockrates::observe::Counter;
use support::contender::Contender;
use support::play::play;
use support::statistics::median;

/// How often each server is measured.
const BLOCKS: usize = 5;

const ECHOING: u32 = 200;
const LISTENERS: u32 = 1000;
const IDLE: u32 = 5000;

fn main() {
    let args: Vec<String> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let contenders = Contender::all();
    for measure in [ECHO, ROOM, CONNECTIONS] {
        if args.is_empty() || args.iter().any(|arg| arg == measure.name) {
            compare(&measure, &contenders);
        }
    }
}

/// A load, and what is worked out from it.
struct Measure {
    name: &'static str,
    /// Measures a fresh server: one value for each of `columns`, or what went wrong.
    values: fn(&Contender) -> Result<Vec<f64>, String>,
    columns: &'static [&'static str],
}

const ECHO: Measure = Measure {
    name: "echo",
    values: echo,
    columns: &["200 clients flat out: CPU per acknowledged event, µs"],
};

const ROOM: Measure = Measure {
    name: "room",
    values: room,
    columns: &["one sender, 1,000 listeners, 50,000 deliveries/s: CPU per delivery, µs"],
};

const CONNECTIONS: Measure = Measure {
    name: "connections",
    values: connections,
    columns: &["5,000 connects at 1,000/s: CPU per connect, µs", "the same, idle: memory per connection, KB"],
};

fn echo(contender: &Contender) -> Result<Vec<f64>, String> {
    let exchange = "steps: [ { emit: { event: message-with-ack, args: [hello], ack: true } } ]";
    let text = format!(
        "name: echo
cast: {{ c: {ECHOING} }}
script:
  - all: connect
  - all: {{ repeat: {{ for: 2s, {exchange} }} }}
  - all: {{ wait: 500ms }}
  - all: {{ repeat: {{ for: 5s, {exchange} }} }}
  - all: {{ wait: 500ms }}
"
    );
    let accounts = play(&text, &contender.start(), &[2, 4])?;
    let events = accounts[1].counted_since(&accounts[0], Counter::AckReceived) as f64;
    Ok(vec![accounts[1].cpu_since(&accounts[0]) / events])
}

fn room(contender: &Contender) -> Result<Vec<f64>, String> {
    let cast = "every: 20ms, steps: [ { cast: { to: lobby, from: socket, event: news, bytes: 64 } } ]";
    let text = format!(
        "name: room
cast: {{ sender: 1, listeners: {{ count: {LISTENERS}, arrive: 1000/s }} }}
script:
  - all: connect
  - all: {{ join: lobby }}
  - sender: {{ repeat: {{ times: 50, {cast} }} }}
  - all: {{ wait: 500ms }}
  - sender: {{ repeat: {{ times: 300, {cast} }} }}
  - all: {{ wait: 500ms }}
"
    );
    let accounts = play(&text, &contender.start(), &[3, 5])?;
    let deliveries = accounts[1].counted_since(&accounts[0], Counter::DeliveryReceived);
    let expected = 300 * u64::from(LISTENERS);
    if deliveries != expected {
        return Err(format!("{deliveries} of {expected} messages were delivered"));
    }
    Ok(vec![accounts[1].cpu_since(&accounts[0]) / deliveries as f64])
}

fn connections(contender: &Contender) -> Result<Vec<f64>, String> {
    let text = format!(
        "name: connections
cast: {{ first: 200, others: {{ count: {IDLE}, arrive: 1000/s }} }}
script:
  - first: connect
  - first: {{ wait: 1s }}
  - others: connect
  - all: {{ wait: 3s }}
"
    );
    let accounts = play(&text, &contender.start(), &[1, 3])?;
    let each = f64::from(IDLE);
    let memory = accounts[1].memory_since(&accounts[0]) / 1024.0;
    Ok(vec![accounts[1].cpu_since(&accounts[0]) / each, memory / each])
}

/// Runs the blocks and prints a table for each column. A server that got something wrong is told of and left out:
/// speed does not count before correctness does.
fn compare(measure: &Measure, contenders: &[Contender]) {
    let mut rows: Vec<Result<Vec<Vec<f64>>, String>> = contenders.iter().map(|_| Ok(Vec::new())).collect();
    for block in 0..BLOCKS {
        let mut order: Vec<usize> = (0..contenders.len()).collect();
        if block % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let Ok(so_far) = &mut rows[index] else { continue };
            match (measure.values)(&contenders[index]) {
                Ok(values) => so_far.push(values),
                Err(why) => rows[index] = Err(why),
            }
        }
    }
    for (column, title) in measure.columns.iter().enumerate() {
        println!("{title}");
        println!("  {:<14}{:>10}{:>20}{:>26}", "", "median", "from – to", "times the reference");
        let of = |index: usize| -> Result<Vec<f64>, &String> {
            rows[index].as_ref().map(|rows| rows.iter().map(|row| row[column]).collect())
        };
        for (index, Contender { name, .. }) in contenders.iter().enumerate() {
            match of(index) {
                Ok(values) => println!("{}", line(name, &values, &of(0).unwrap_or_default())),
                Err(why) => println!("  {name:<14}left out: {why}"),
            }
        }
    }
}

/// The ratio is the median of those taken block by block.
fn line(name: &str, values: &[f64], reference: &[f64]) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let ratios: Vec<f64> = values.iter().zip(reference).map(|(theirs, ours)| theirs / ours).collect();
    let ratio = if ratios.is_empty() { "–".to_owned() } else { format!("{:.2}", median(&ratios)) };
    let spread = format!("{least:.1} – {most:.1}");
    format!("  {name:<14}{:>10.1}{spread:>20}{ratio:>26}", median(values))
}
