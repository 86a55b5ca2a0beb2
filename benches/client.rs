//! What a client costs, against the floor: the same exchange over raw TCP, without any protocol.
//!
//! Both sides run in turn (A B B A …) in one process, against a server in a process of its own. CPU is what the
//! operating system charged this process, so the server is not in it; quote the ratios, not the times.
//!
//! `cargo bench --bench client` prints every table; `-- flat`, `-- paced`, `-- connect`, `-- memory` one of them.

use std::collections::HashMap;
use std::env;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

#[path = "support/alone.rs"]
mod alone;

use alone::play_alone;

/// Bytes of one message, about what the Socket.IO exchange puts on the wire in each direction.
const MESSAGE: usize = 48;
const PAIRS: usize = 4;

fn main() {
    let args: Vec<String> = env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if args.first().is_some_and(|arg| arg == "echo-server") {
        return echo_server();
    }
    let wants = |name: &str| args.is_empty() || args.iter().any(|arg| arg == name);
    let echo = Server::echo();
    let reference = Server::reference();
    if wants("flat") {
        exchange("200 clients flat out", &echo, &reference, Load { clients: 200, pace: None, time: 4 });
    }
    if wants("paced") {
        let load = Load { clients: 1000, pace: Some(Duration::from_secs(1)), time: 8 };
        exchange("1,000 clients, one exchange a second each", &echo, &reference, load);
    }
    if wants("connect") {
        connect(&reference);
    }
    if wants("memory") {
        memory(&reference);
    }
}

#[derive(Clone, Copy)]
struct Load {
    clients: usize,
    pace: Option<Duration>,
    time: u64,
}

fn exchange(title: &str, echo: &Server, reference: &Server, load: Load) {
    let (mut floor, mut ours) = (Vec::new(), Vec::new());
    for pair in 0..PAIRS {
        let mut run_floor = || floor.push(raw_clients(echo.address, load));
        let mut run_ours = || ours.push(our_clients(reference.address, load));
        if pair % 2 == 0 {
            run_floor();
            run_ours();
        } else {
            run_ours();
            run_floor();
        }
    }
    let ratios = floor.iter().zip(&ours).map(|(floor, ours)| ours / floor).collect();
    println!("{title}: CPU of the client process per exchange");
    println!("  raw TCP    {:>7.2} µs (median of {PAIRS})", median(floor));
    println!("  sockrates  {:>7.2} µs", median(ours));
    println!("  ratio      {:>7.2}", median(ratios));
}

fn connect(reference: &Server) {
    let clients = 2000;
    let costs = (0..PAIRS)
        .map(|_| {
            let text = format!("name: connect\ncast: {{ c: {{ count: {clients}, arrive: 2000/s }} }}\nscript: [ all: connect ]\n");
            let (cpu, _) = play(&text, reference.address);
            cpu / f64::from(clients)
        })
        .collect();
    println!("connect, {clients} clients at 2,000/s: {:.0} µs of CPU per connection", median(costs));
}

fn memory(reference: &Server) {
    let clients = 5000;
    let before = resident();
    let text = format!(
        "name: memory\ncast: {{ c: {{ count: {clients}, arrive: 4000/s }} }}\nscript:\n  - all: connect\n  - all: {{ join: lobby }}\n  - all: {{ wait: 3s }}\n"
    );
    let mut peak = before;
    play_watched(&text, reference.address, &mut || peak = peak.max(resident()));
    println!(
        "memory, {clients} clients connected and in a room: {:.1} KB each",
        (peak - before) as f64 / 1024.0 / f64::from(clients)
    );
}

/// Microseconds of CPU per exchange.
fn our_clients(address: SocketAddr, load: Load) -> f64 {
    let Load { clients, pace, time } = load;
    let every = pace.map_or(String::new(), |pace| format!("every: {}ms, jitter: 100%,", pace.as_millis()));
    let text = format!(
        "name: exchange\ncast: {{ c: {clients} }}\nscript:\n  - all: connect\n  - all: {{ repeat: {{ for: {time}s, {every} steps: [ {{ emit: {{ event: message-with-ack, args: [hello], ack: true }} }} ] }} }}\n"
    );
    // The connects are measured apart and taken off.
    let bare = format!("name: connects\ncast: {{ c: {clients} }}\nscript: [ all: connect ]\n");
    let (connects, _) = play(&bare, address);
    let (cpu, exchanges) = play(&text, address);
    (cpu - connects) / exchanges as f64
}

/// Plays a scenario in one worker: microseconds of CPU, and how many acknowledgements came.
fn play(text: &str, address: SocketAddr) -> (f64, u64) {
    play_watched(text, address, &mut || {})
}

fn play_watched(text: &str, address: SocketAddr, look: &mut dyn FnMut()) -> (f64, u64) {
    let before = cpu();
    let ran = play_alone(text, address, "/socket.io/", &mut |_| look()).expect("the engine plays");
    let acks = ran.tally.counter(sockrates::observe::Counter::AckReceived);
    (cpu() - before, acks)
}

/// The floor: nonblocking sockets in the same readiness queue, bytes that nobody looks at.
fn raw_clients(address: SocketAddr, load: Load) -> f64 {
    let mut poll = Poll::new().expect("a readiness queue");
    let mut events = Events::with_capacity(1024);
    let mut streams: Vec<TcpStream> = (0..load.clients)
        .map(|_| {
            let stream = std::net::TcpStream::connect(address).expect("the echo server");
            stream.set_nodelay(true).expect("no delay");
            stream.set_nonblocking(true).expect("nonblocking");
            TcpStream::from_std(stream)
        })
        .collect();
    for (index, stream) in streams.iter_mut().enumerate() {
        poll.registry().register(stream, Token(index), Interest::READABLE).expect("register");
    }
    let message = [b'x'; MESSAGE];
    let mut buffer = [0u8; 4096];
    let begun = Instant::now();
    let end = begun + Duration::from_secs(load.time);
    let before = cpu();
    let mut exchanges = 0u64;
    // Each client's own beat, spread over the pace as the jitter of the scenario does.
    let mut due: std::collections::BinaryHeap<std::cmp::Reverse<(Instant, usize)>> = match load.pace {
        None => {
            streams.iter_mut().for_each(|stream| stream.write_all(&message).expect("a small write"));
            Default::default()
        }
        Some(pace) => (0..load.clients)
            .map(|index| std::cmp::Reverse((begun + pace.mul_f64(index as f64 / load.clients as f64), index)))
            .collect(),
    };
    loop {
        let now = Instant::now();
        if now >= end {
            break;
        }
        while let Some(std::cmp::Reverse((at, index))) = due.peek().copied() {
            if at > now {
                break;
            }
            due.pop();
            due.push(std::cmp::Reverse((at + load.pace.unwrap_or_default(), index)));
            streams[index].write_all(&message).expect("a small write");
        }
        let until = due.peek().map_or(end, |std::cmp::Reverse((at, _))| end.min(*at));
        poll.poll(&mut events, Some(until.saturating_duration_since(Instant::now()))).expect("poll");
        for event in &events {
            let Token(index) = event.token();
            let mut read = 0;
            loop {
                match streams[index].read(&mut buffer) {
                    Ok(0) => break,
                    Ok(more) => {
                        read += more;
                        if more < buffer.len() {
                            break;
                        }
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) => panic!("{error}"),
                }
            }
            exchanges += (read / MESSAGE) as u64;
            if load.pace.is_none() {
                for _ in 0..read / MESSAGE {
                    streams[index].write_all(&message).expect("a small write");
                }
            }
        }
    }
    (cpu() - before) / exchanges as f64
}

/// Sends back what comes, on every connection; ends when its standard input does.
fn echo_server() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("listening on http://{}/", listener.local_addr().expect("an address"));
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    listener.set_nonblocking(true).expect("nonblocking");
    let mut listener = mio::net::TcpListener::from_std(listener);
    let mut poll = Poll::new().expect("a readiness queue");
    poll.registry().register(&mut listener, Token(usize::MAX), Interest::READABLE).expect("register");
    let mut streams: HashMap<usize, TcpStream> = HashMap::new();
    let (mut next, mut buffer) = (0, [0u8; 4096]);
    let mut events = Events::with_capacity(1024);
    loop {
        poll.poll(&mut events, None).expect("poll");
        for event in &events {
            if event.token() == Token(usize::MAX) {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true).expect("no delay");
                    poll.registry().register(&mut stream, Token(next), Interest::READABLE).expect("register");
                    streams.insert(next, stream);
                    next += 1;
                }
                continue;
            }
            let Token(index) = event.token();
            let Some(stream) = streams.get_mut(&index) else { continue };
            match stream.read(&mut buffer) {
                Ok(0) => drop(streams.remove(&index)),
                Ok(read) => drop(stream.write_all(&buffer[..read])),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => drop(streams.remove(&index)),
            }
        }
    }
}

/// A server in a process of its own, which ends with this one.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn echo() -> Server {
        let mut command = Command::new(env::current_exe().expect("this program"));
        command.arg("echo-server");
        Server::start(command)
    }

    fn reference() -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sockrates"));
        command.args(["serve", "--port", "0", "--quiet", "--exit-with-stdin"]);
        Server::start(command)
    }

    fn start(mut command: Command) -> Server {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a server process");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output"))
            .read_line(&mut line)
            .expect("its first line");
        let address =
            line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("an address");
        Server { child, address: address.trim().parse().expect("an address") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Microseconds of CPU that this process has used.
fn cpu() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("usage");
    (usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64
}

/// Bytes of memory that this process holds.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").expect("statm");
    let pages: u64 = status.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).expect("pages");
    pages * 4096
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        f64::midpoint(values[middle - 1], values[middle])
    } else {
        values[middle]
    }
}
