//! The same over real sockets, with threads and the clock of the machine: only what is counted can be told exactly.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::harness::with_plan;
use super::server::Server;
use crate::engine::{Ending, EngineConfig, run};
use crate::observe::{Counter, Metric};
use crate::transport::simulation::{Event, Heard};
use crate::transport::{MAX_MESSAGE, RemoteConfig};

#[test]
fn a_run_over_real_sockets_counts_what_was_said_on_them() {
    let text = "
name: All talk to all
contract:
  broadcast: { emit: [say, \"${body}\"], ack: true, arrives_as: said, reaches: others }
clients: { crowd: 6 }
script:
  - all: connect
  - all: { repeat: { times: 20, every: 5ms, steps: [ { broadcast: { event: said, bytes: 64 } } ] } }
  - all: disconnect
";
    with_plan(text, |plan| {
        let peer = RemoteConfig {
            tunnel: None,
            address: serve(6),
            authority: "localhost".to_owned(),
            tls: None,
            sources: Vec::new(),
            turn: Arc::default(),
            closes_early: Arc::default(),
            limit: MAX_MESSAGE,
        };
        let stop = AtomicBool::new(false);
        let config =
            EngineConfig { workers: 2, peers: vec![peer], max_time: None, stop: &stop, operator: None };
        let ran = run(plan, &config, &mut |_| {}).expect("we can test");
        assert_eq!(ran.ending, Ending::Finished);
        assert_eq!(ran.unreached, 0);
        let counters =
            [Counter::ConnectOk, Counter::AckReceived, Counter::DeliveryReceived, Counter::Dropped];
        assert_eq!(counters.map(|counter| ran.tally.counter(counter)), [6, 6 * 20, 5 * 6 * 20, 0]);
        // The 20th round was due 95 ms after the first.
        assert!(ran.duration >= Duration::from_millis(95));
        assert_eq!(ran.tally.series(Metric::Lag).map(crate::measure::Series::count), Some(6 * 20));
        let findings = ran.findings.expect("the deliveries were audited");
        assert!(findings.is_clean(), "{findings:?}");
        assert_eq!((findings.messages, findings.expected), (6 * 20, 5 * 6 * 20));
    });
}

/// Serves so many connections.
fn serve(connections: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let address = listener.local_addr().expect("it is bound");
    thread::spawn(move || {
        let all = Arc::new(Mutex::new((Server::new(|_| Duration::ZERO), Vec::<TcpStream>::new())));
        for number in 0..connections {
            let Ok((stream, _)) = listener.accept() else { return };
            let (Ok(own), mut all_now) = (stream.try_clone(), all.lock().expect("no thread panics")) else {
                return;
            };
            all_now.1.push(own);
            let all = Arc::clone(&all);
            thread::spawn(move || talk(stream, number, &all));
        }
    });
    address
}

fn talk<P: FnMut(Duration) -> Duration>(
    mut stream: TcpStream,
    number: usize,
    all: &Mutex<(Server<P>, Vec<TcpStream>)>,
) {
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).unwrap_or_default();
        let heard = match read {
            0 => Heard::End { cut: false },
            _ => Heard::Bytes(buffer[..read].to_vec()),
        };
        let mut all = all.lock().expect("no thread panics");
        let (server, streams) = &mut *all;
        for (to, _, event) in server.react(Duration::ZERO, number, heard) {
            if let Event::Bytes(bytes) = event {
                // Whoever is gone misses it.
                let _ = streams[to].write_all(&bytes);
            }
        }
        if read == 0 {
            return;
        }
    }
}
