//! Whoever can publish at the broker can give orders: an agent obeys none that no coordinator gives.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use crate::agents::Broker;
use crate::support::{Folder, Reference, sockrates};

/// The next message that comes: the random name of its run, and what it says.
fn next(heard: &mut BufReader<TcpStream>) -> (String, Vec<u8>) {
    loop {
        let mut line = String::new();
        heard.read_line(&mut line).expect("it can be read");
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.first() == Some(&"PING") {
            heard.get_mut().write_all(b"PONG\r\n").expect("it listens");
        }
        let [Some(&"MSG"), Some(subject)] = [words.first(), words.get(1)] else { continue };
        let length: usize = words.last().and_then(|length| length.parse().ok()).expect("it has a length");
        let mut payload = vec![0; length + 2];
        heard.read_exact(&mut payload).expect("it is whole");
        let run = subject.split('.').nth(2).unwrap_or_default().to_owned();
        return (run, payload);
    }
}

/// Says something in the place of the coordinator: the frame after the one that begins the run.
fn say(stream: &mut TcpStream, run: &str, number: u64, word: &[u8]) {
    let mut frame = number.to_be_bytes().to_vec();
    frame.push(0);
    frame.extend(word);
    write!(stream, "PUB sockrates.run.{run}.word {}\r\n", frame.len()).expect("it listens");
    stream.write_all(&frame).and_then(|()| stream.write_all(b"\r\n")).expect("it listens");
}

#[test]
fn an_agent_obeys_no_order_that_none_gives_and_waits_again() {
    let Some(broker) = Broker::start() else { return };
    let (folder, server) = (Folder::new(), Reference::start());
    let scenario = folder.scenario("{ crowd: 2 }", "- all: connect\n- all: { wait: 1s }\n- all: disconnect");
    let mut agent = broker.agent("prey", &[]);
    let run = || {
        let run = sockrates(["run", "--agents", "1", "--nats", &broker.url(), "--url", &server.url()]);
        run.args([&scenario])
    };
    let far = [&[0xff; 9][..], &[1, 0]].concat();
    let orders: [(&str, Vec<u8>); 5] = [
        // An act that the plan has not, and one that begins in the end of time.
        ("act", [&[2, 0, 99, 0, 0, 0][..]].concat()),
        ("due", [&[2, 0, 0][..], &far, &[0]].concat()),
        // A time that lasts for ever, and the end of the run then.
        ("disturb", [&[2, 2, 1][..], &far, &[1], &far, &[0]].concat()),
        ("close", [&[2, 5][..], &far, &[0]].concat()),
        ("nonsense", vec![0xff; 40]),
    ];
    for (what, order) in orders {
        let mut heard = broker.listen("sockrates.run.*.word");
        let run = run().start();
        let (name, number) = loop {
            let (name, payload) = next(&mut heard);
            // The word that begins the run.
            if payload.get(9) == Some(&1) {
                break (name, u64::from_be_bytes(*payload.first_chunk().expect("it has a number")));
            }
        };
        say(heard.get_mut(), &name, number + 1, &order);
        agent.told("the coordinator says what none says");
        run.wait().code(4).says("the agent prey left: the coordinator says what none says");
        assert!(!what.is_empty());
    }
    run().run().code(0);
    agent.interrupt();
    agent.wait().code(0);
}
