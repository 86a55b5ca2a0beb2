//! The engine without IO: clients that play their steps against a server in memory, which answers at once.
//!
//! `cargo bench --bench engine`. The time of one iteration is the time of one step of one client, with all that
//! belongs to it: session, codec, inbox, judgement and counting; no socket, no clock, no thread.

use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use sockrates::client::{Client, Io};
use sockrates::document::Source;
use sockrates::measure::Tally;
use sockrates::plan::{Plan, RunOptions};
use sockrates::protocol::websocket::Message;
use sockrates::scenario::{self, Scenario, Surroundings};
use sockrates::session::{Channel, HangUp, Phases, RawFrame, Request, Wire};

/// Enough that their state does not fit into the nearest cache, as in a run.
const CLIENTS: u32 = 1_000;

const OPEN: &str =
    r#"0{"sid":"e","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;

/// A server in memory: it lets everybody in, and acknowledges at once what asks for it.
#[derive(Default)]
struct Server {
    replies: Vec<String>,
}

impl Server {
    fn reply(&mut self, text: &str) {
        match text.strip_prefix("42") {
            None if text.starts_with("40") => self.replies.push(r#"40{"sid":"s"}"#.to_owned()),
            None => {}
            Some(event) => {
                let digits = event.bytes().take_while(u8::is_ascii_digit).count();
                if digits > 0 {
                    self.replies.push(format!("43{}[]", &event[..digits]));
                }
                if event[digits..].starts_with(r#"["message""#) {
                    self.replies.push(r#"42["message-back",1]"#.to_owned());
                }
            }
        }
    }
}

impl Wire for Server {
    fn head_for(&mut self, _: u16) {}

    fn dial(&mut self, _: Channel, _: &str, _: &[(String, String)]) {}

    fn text(&mut self, _: Channel, parts: &[&str]) {
        match parts {
            [one] => self.reply(one),
            parts => self.reply(&parts.concat()),
        }
    }

    fn binary(&mut self, _: Channel, _: &[u8]) {}

    fn frame(&mut self, _: Channel, _: &RawFrame) {}

    fn request(&mut self, _: Channel, _: Request<'_>) {}
    fn rest(&mut self, _: Channel, _: &[u8]) {}

    fn hang_up(&mut self, _: Channel, _: HangUp) {}

    fn pause(&mut self, _: Channel, _: bool) {}
}

/// The whole house in memory.
struct RunContext<'p> {
    plan: &'p Plan<'p>,
    clients: Vec<Client<'p>>,
    server: Server,
    tally: Tally,
}

impl<'p> RunContext<'p> {
    fn new(plan: &'p Plan<'p>) -> RunContext<'p> {
        let client = |who| Client::new(who, &plan.parts[0], &plan.context).expect("it can be made");
        let clients = plan.clients().map(client).collect();
        let mut context = RunContext { plan, clients, server: Server::default(), tally: Tally::new() };
        for index in 0..context.clients.len() {
            context.call(index, |client, io| {
                client.begin(io, plan.acts[0].steps, io.now);
                client.handle_established(io, Channel::WebSocket, Phases::default());
                client.handle_frame(io, Message::Text(OPEN.into()));
            });
        }
        assert!(context.clients.iter().all(|client| client.is_live() && client.is_idle()));
        context
    }

    /// One client does the second act.
    fn step(&mut self, index: usize) {
        let steps = self.plan.acts[1].steps;
        self.call(index, |client, io| {
            client.begin(io, steps, io.now);
        });
        assert!(self.clients[index].is_idle());
    }

    fn call(&mut self, index: usize, call: impl FnOnce(&mut Client<'p>, &mut Io<'_>)) {
        // The clock stands: nothing here takes time.
        let now = self.plan.context.epoch;
        let client = &mut self.clients[index];
        call(client, &mut Io { now, wire: &mut self.server, observer: &mut self.tally });
        while !self.server.replies.is_empty() {
            for reply in std::mem::take(&mut self.server.replies) {
                let mut io = Io { now, wire: &mut self.server, observer: &mut self.tally };
                client.handle_frame(&mut io, Message::Text(reply.into()));
            }
        }
    }
}

fn read(step: &str) -> Scenario {
    let text = format!(
        "name: a bench\nclients: {{ crowd: {CLIENTS} }}\nscript: [ {{ crowd: connect }}, {{ crowd: {step} }} ]\n"
    );
    let surroundings = Surroundings::new(|_| None, |_| Err("there are no files".to_owned()));
    let source = Source { name: "a bench".to_owned(), text };
    scenario::read(&source, &surroundings).unwrap_or_else(|mistake| panic!("{mistake}"))
}

fn steps(c: &mut Criterion) {
    let mut group = c.benchmark_group("step");
    for (name, step) in [
        ("emit", "{ emit: { event: said, args: [ hello ] } }"),
        ("emit with ack", "{ emit: { event: said, args: [ hello ], ack: true } }"),
        ("emit with ack, arguments of its own", "{ emit: { event: said, args: [ \"${n}\" ], ack: true } }"),
        ("emit with ack, judged", "{ emit: { event: said, ack: { args: [ ] } } }"),
        ("join", "{ join: lobby }"),
        ("broadcast with a stamp", "{ broadcast: { to: lobby, event: said, bytes: 120 } }"),
        (
            "emit and expect",
            "[ { emit: { event: message } }, { expect: { event: message-back, args: [ 1 ] } } ]",
        ),
        ("expect none", "{ expect_none: { event: said } }"),
    ] {
        let scenario = read(step);
        let plan = Plan::new(&scenario, RunOptions::usual(Instant::now()));
        let mut context = RunContext::new(&plan);
        let mut next = 0;
        group.bench_function(name, |b| {
            b.iter(|| {
                context.step(next);
                next = (next + 1) % CLIENTS as usize;
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = steps
}
criterion_main!(benches);
