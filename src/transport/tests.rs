//! What clients hear of their connections, over a network in memory; and the readiness queue of the operating system.

mod compression;
mod kept_alive;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::simulation::{Event, Heard, Reaction, Simulation};
use super::*;
use crate::protocol::websocket::{Message, Opcode, accept_key, parse, write};
use crate::session::{HangUp, Request, Wire};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The only client.
const ALICE: u32 = 0;

/// Room in a socket for all that is said in a test.
const PLENTY: Event = Event::Accepted { room: usize::MAX };

/// A transport with one client, and what is heard on both sides.
struct Harness {
    network: Simulation,
    transport: Connections,
    server: Arc<Mutex<Vec<(usize, Heard)>>>,
    client: Client,
}

/// Notes what a client is told, and asks so many times again at once when it is answered.
#[derive(Default)]
struct Client(Vec<String>, u32);

impl Reader for Client {
    fn handle_notice(&mut self, transport: &mut Connections, _: u32, notice: Notice) {
        if let Notice::Response(channel, _) = &notice
            && self.1 > 0
        {
            self.1 -= 1;
            let request = Request {
                method: "GET",
                target: "/",
                headers: &[],
                body: None,
                held: 0,
                same_connection: false,
                may_repeat: false,
            };
            transport.wire(ALICE).request(*channel, request);
            transport.flush();
        }
        self.0.push(match notice {
            Notice::Head(_) | Notice::Flawed(_) => return,
            Notice::Established(channel, phases) => {
                format!("{channel} after {:?} and {:?}", phases.tcp, phases.http)
            }
            Notice::Response(channel, response) => {
                format!("{channel} {} {}", response.head.status, String::from_utf8_lossy(&response.body))
            }
            Notice::Lost(channel, lost) => format!("{channel}: {lost}"),
        });
    }

    fn handle_message(&mut self, _: &mut Connections, _: u32, message: Message<'_>) {
        self.0.push(match message {
            Message::Text(text) => text.chars().take(20).collect(),
            Message::Binary(bytes) => format!("{} bytes", bytes.len()),
            other => format!("{other:?}"),
        });
    }
}

impl Harness {
    /// A network whose server reacts so.
    fn new(mut react: impl FnMut(usize, &Heard) -> Reaction + Send + 'static) -> Harness {
        let server: Arc<Mutex<Vec<(usize, Heard)>>> = Arc::default();
        let heard = Arc::clone(&server);
        let network = Simulation::new(Instant::now(), move |_, connection, what| {
            let reaction = react(connection, &what);
            heard.lock().expect("no test goes on after a panic").push((connection, what));
            reaction
        });
        let mut transport = Connections::simulated(&network);
        transport.make_room([0]);
        Harness { network, transport, server, client: Client::default() }
    }

    /// One whose server takes the first WebSocket with this room for bytes and says nothing more by itself.
    fn with_websocket(room: usize) -> Harness {
        let mut harness = Harness::new(move |connection, heard| accept(connection, heard, room));
        harness.dial();
        harness.pass(10);
        assert_eq!(harness.heard(), ["websocket after 5ms and 3ms"]);
        harness.server();
        harness
    }

    fn dial(&mut self) {
        self.transport.wire(ALICE).dial(Channel::WebSocket, "/socket.io/?EIO=4", &[]);
        self.transport.flush();
    }

    fn get(&mut self, channel: Channel, same_connection: bool) {
        self.request("GET", channel, same_connection);
    }

    fn request(&mut self, method: &str, channel: Channel, same_connection: bool) {
        let (target, may_repeat) = ("/", !same_connection);
        let request =
            Request { method, target, headers: &[], body: None, held: 0, same_connection, may_repeat };
        self.transport.wire(ALICE).request(channel, request);
        self.transport.flush();
    }

    /// Does what a worker does, for so many milliseconds.
    fn pass(&mut self, millis: u64) {
        let (end, mut ready) = (self.transport.now() + ms(millis), Vec::new());
        while self.transport.now() < end {
            self.transport.wait(&mut ready, end).expect("a simulation does not fail");
            for place in ready.drain(..) {
                self.transport.handle_ready(place, self.transport.now(), &mut self.client);
            }
            for place in self.transport.poll_unread() {
                self.transport.handle_ready(place, self.transport.now(), &mut self.client);
            }
            while let Some((client, notice)) = self.transport.poll_notice() {
                self.client.handle_notice(&mut self.transport, client, notice);
            }
        }
    }

    fn says(&self, frames: Vec<u8>) {
        self.network.act(0, ms(1), Event::Bytes(frames));
    }

    /// What the client was told since the last call.
    fn heard(&mut self) -> Vec<String> {
        std::mem::take(&mut self.client.0)
    }

    /// What has reached the server since the last call.
    fn server(&self) -> Vec<(usize, Heard)> {
        std::mem::take(&mut self.server.lock().expect("no test goes on after a panic"))
    }

    /// All bytes of that.
    fn bytes(&self) -> Vec<u8> {
        let bytes = self.server().into_iter().filter_map(|(_, heard)| match heard {
            Heard::Bytes(bytes) => Some(bytes),
            _ => None,
        });
        bytes.collect::<Vec<_>>().concat()
    }
}

/// Takes a connection after 5 ms and its WebSocket after another three.
fn accept(connection: usize, heard: &Heard, room: usize) -> Reaction {
    match heard {
        Heard::Connect => vec![(connection, ms(5), Event::Accepted { room })],
        Heard::Bytes(bytes) => {
            let request = String::from_utf8_lossy(bytes);
            let Some(key) = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")) else {
                return Vec::new();
            };
            let head = format!(
                "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: {}\r\n\r\n",
                accept_key(key)
            );
            vec![(connection, ms(3), Event::Bytes(head.into_bytes()))]
        }
        Heard::End { .. } => Vec::new(),
    }
}

fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, true, 0, opcode, None, payload);
    out
}

fn text(text: &str) -> Vec<u8> {
    frame(Opcode::Text, text.as_bytes())
}

#[test]
fn a_connection_that_is_refused_is_told_and_counted() {
    let mut harness = Harness::new(|connection, heard| match heard {
        Heard::Connect => vec![(connection, ms(2), Event::Failed(io::ErrorKind::ConnectionRefused))],
        _ => Vec::new(),
    });
    harness.dial();
    harness.pass(1);
    assert_eq!(harness.heard(), [""; 0]);
    harness.pass(2);
    assert_eq!(harness.heard(), ["websocket: no connection: connection refused"]);
    assert_eq!(harness.transport.unreached(), 1);
}

#[test]
fn a_websocket_that_the_server_does_not_want_is_lost_with_its_answer() {
    let mut harness = Harness::new(|connection, heard| match heard {
        Heard::Connect => vec![(connection, ms(0), PLENTY)],
        Heard::Bytes(_) => {
            let answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno".to_vec();
            vec![(connection, ms(1), Event::Bytes(answer))]
        }
        Heard::End { .. } => Vec::new(),
    });
    harness.dial();
    harness.pass(10);
    let words = "websocket: the WebSocket handshake was answered with HTTP status 403: no";
    assert_eq!(harness.heard(), [words]);
    assert_eq!(harness.server().last(), Some(&(0, Heard::End { cut: false })), "nobody keeps the socket");
}

#[test]
fn an_answer_to_another_handshake_is_none() {
    let mut harness = Harness::new(|connection, heard| match heard {
        Heard::Connect => vec![(connection, ms(0), PLENTY)],
        Heard::Bytes(_) => {
            let head = "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: AAAA\r\n\r\n";
            vec![(connection, ms(1), Event::Bytes(head.into()))]
        }
        Heard::End { .. } => Vec::new(),
    });
    harness.dial();
    harness.pass(10);
    let told = harness.heard().concat();
    assert!(
        told.contains("is accepted by the answer to its key in Sec-WebSocket-Accept: the answer to"),
        "{told}"
    );
}

#[test]
fn messages_are_the_same_in_whatever_pieces_they_come() {
    let frames =
        [text("hello"), frame(Opcode::Binary, &[7; 300]), frame(Opcode::Ping, b"p"), text("")].concat();
    let whole = ["hello", "300 bytes", r#"Ping([112])"#, ""];
    for cut in 0..=frames.len() {
        let mut harness = Harness::with_websocket(usize::MAX);
        harness.says(frames[..cut].to_vec());
        harness.pass(5);
        harness.says(frames[cut..].to_vec());
        harness.pass(5);
        assert_eq!(harness.heard(), whole, "cut at {cut}");
    }
    let mut harness = Harness::with_websocket(usize::MAX);
    harness.transport.take_bytes();
    for byte in &frames {
        harness.says(vec![*byte]);
        harness.pass(2);
    }
    assert_eq!(harness.heard(), whole);
    assert_eq!(harness.transport.take_bytes(), (frames.len() as u64, 0));
}

#[test]
fn what_the_socket_does_not_take_at_once_follows_as_soon_as_it_does() {
    let mut harness = Harness::new(|connection, heard| {
        let mut reaction = accept(connection, heard, 1000);
        if let Heard::Bytes(bytes) = heard
            && !bytes.starts_with(b"GET")
        {
            reaction.push((connection, ms(1), Event::Room(7)));
        }
        reaction
    });
    harness.dial();
    harness.pass(10);
    harness.server();
    let said = "x".repeat(3000);
    harness.transport.wire(ALICE).text(Channel::WebSocket, &[&said]);
    harness.transport.wire(ALICE).text(Channel::WebSocket, &["the", " end"]);
    harness.transport.flush();
    harness.pass(1000);
    let bytes = harness.bytes();
    let (first, taken) = parse(&bytes, 10_000).expect("it is a frame").expect("it is whole");
    let (second, rest) = parse(&bytes[taken..], 10_000).expect("it is a frame").expect("it is whole");
    assert_eq!((first.payload.len(), second.payload.len(), taken + rest), (3000, 7, bytes.len()));
    assert_eq!(harness.heard(), ["websocket after 5ms and 3ms"]);
}

#[test]
fn a_server_that_does_not_read_is_not_waited_for_without_end() {
    let mut harness = Harness::with_websocket(1000);
    let half = "x".repeat(1 << 19);
    harness.transport.wire(ALICE).text(Channel::WebSocket, &[&half]);
    harness.transport.flush();
    harness.pass(1);
    assert_eq!(harness.heard(), [""; 0]);
    harness.transport.wire(ALICE).text(Channel::WebSocket, &[&half, &half]);
    harness.transport.flush();
    harness.network.act(0, ms(1), Event::Room(1));
    harness.pass(5);
    let words = "websocket: the connection broke: the server left 1048576 bytes unread";
    assert_eq!(harness.heard(), [words]);
}

#[test]
fn a_socket_that_is_ready_for_nothing_harms_nobody() {
    let mut harness = Harness::with_websocket(usize::MAX);
    for _ in 0..3 {
        harness.network.act(0, ms(1), Event::Spurious);
    }
    harness.pass(5);
    assert_eq!(harness.heard(), [""; 0]);
    // Not even when the connection is there no more.
    harness.network.act(0, ms(1), Event::Failed(io::ErrorKind::ConnectionReset));
    harness.network.act(0, ms(1), Event::Spurious);
    harness.pass(5);
    assert_eq!(harness.heard().len(), 1);
}

#[test]
fn the_last_words_of_a_server_are_heard_before_its_end() {
    let mut harness = Harness::with_websocket(usize::MAX);
    harness.says(text("goodbye"));
    harness.network.act(0, ms(1), Event::End);
    harness.pass(5);
    let end = "websocket: the server ended the connection without a close frame";
    assert_eq!(harness.heard(), ["goodbye", end]);
}

#[test]
fn a_close_frame_is_answered_and_ends_the_connection() {
    let mut harness = Harness::with_websocket(usize::MAX);
    harness.says([frame(Opcode::Close, &1001u16.to_be_bytes()), text("too late")].concat());
    harness.pass(5);
    assert_eq!(harness.heard(), [r#"Close { code: Some(1001), reason: "" }"#]);
    assert_eq!(harness.bytes()[..2], [0x88, 0x82], "a masked close frame of two bytes");
}

#[test]
fn a_connection_that_breaks_is_told_in_words() {
    let mut harness = Harness::with_websocket(usize::MAX);
    harness.network.act(0, ms(1), Event::Failed(io::ErrorKind::ConnectionReset));
    harness.pass(5);
    assert_eq!(harness.heard(), ["websocket: the connection broke: connection reset"]);
    assert_eq!(harness.transport.unreached(), 0, "it was reached");
}

#[test]
fn what_came_while_a_client_did_not_read_is_heard_when_it_does() {
    let mut harness = Harness::with_websocket(usize::MAX);
    harness.transport.wire(ALICE).pause(Channel::WebSocket, true);
    harness.says(text("hello"));
    harness.pass(5);
    assert_eq!(harness.heard(), [""; 0]);
    harness.transport.wire(ALICE).pause(Channel::WebSocket, false);
    harness.pass(5);
    assert_eq!(harness.heard(), ["hello"]);
}

#[test]
fn a_flood_on_one_connection_lets_others_have_their_turn_and_is_read_to_its_end() {
    let mut harness = Harness::with_websocket(usize::MAX);
    let flood = frame(Opcode::Binary, &[0; 60_000]).repeat(12);
    harness.network.act(0, ms(0), Event::Bytes(flood));
    let (mut ready, now) = (Vec::new(), harness.transport.now());
    harness.transport.wait(&mut ready, now).expect("a simulation does not fail");
    harness.transport.handle_ready(ready[0], now, &mut harness.client);
    let first = harness.heard().len();
    assert!((1..12).contains(&first), "{first}");
    harness.pass(1);
    assert_eq!(first + harness.heard().len(), 12);
}

#[test]
fn a_clean_end_is_said_and_a_cut_is_not() {
    for (how, cut, said) in [(HangUp::Clean, false, Some(0x88)), (HangUp::Cut, true, None)] {
        let mut harness = Harness::with_websocket(usize::MAX);
        harness.transport.wire(ALICE).hang_up(Channel::WebSocket, how);
        harness.transport.flush();
        harness.network.act(0, ms(1), Event::End);
        harness.pass(5);
        let heard = harness.server();
        assert_eq!(heard.last(), Some(&(0, Heard::End { cut })));
        let first = heard.iter().find_map(|(_, heard)| match heard {
            Heard::Bytes(bytes) => bytes.first().copied(),
            _ => None,
        });
        assert_eq!(first, said, "{how:?}");
    }
}

/// A server that answers each request at once.
fn answering() -> Harness {
    Harness::new(|connection, heard| match heard {
        Heard::Connect => vec![(connection, ms(0), PLENTY)],
        Heard::Bytes(_) => {
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec();
            vec![(connection, ms(1), Event::Bytes(answer))]
        }
        Heard::End { .. } => Vec::new(),
    })
}

fn connections(harness: &Harness) -> usize {
    harness.server().iter().filter(|(_, heard)| *heard == Heard::Connect).count()
}

#[test]
fn requests_follow_each_other_on_one_connection_until_it_may_have_gone_stale() {
    let mut harness = answering();
    harness.get(Channel::Poll, false);
    harness.pass(10);
    assert_eq!(harness.heard(), ["poll after 0ns and 1ms", "poll 200 ok"]);
    harness.get(Channel::Poll, false);
    harness.pass(2_990);
    assert_eq!(connections(&harness), 1);
    harness.get(Channel::Poll, false);
    harness.pass(3_010);
    assert_eq!((harness.heard().len(), connections(&harness)), (2, 0));
    harness.get(Channel::Poll, false);
    harness.pass(10);
    assert_eq!(connections(&harness), 1, "a server may have closed the old one by now");
}

#[test]
fn a_request_that_has_to_use_a_connection_which_is_gone_is_not_sent_over_another() {
    let mut harness = answering();
    harness.get(Channel::Aside(1), false);
    harness.pass(5);
    harness.network.act(0, ms(1), Event::End);
    harness.pass(5);
    harness.heard();
    harness.get(Channel::Aside(1), true);
    harness.pass(5);
    assert_eq!(harness.heard(), ["http 1: the connection broke: it has ended after an earlier request"]);
    assert_eq!(connections(&harness), 1);
}

#[test]
fn a_poll_that_ends_without_an_answer_is_lost() {
    let mut harness = Harness::new(|connection, heard| match heard {
        Heard::Connect => vec![(connection, ms(0), PLENTY)],
        Heard::Bytes(_) => vec![(connection, ms(1), Event::End)],
        Heard::End { .. } => Vec::new(),
    });
    harness.get(Channel::Poll, false);
    harness.pass(5);
    assert_eq!(harness.heard(), ["poll: the server ended the connection without a response"]);
}

#[test]
fn a_response_that_ends_with_its_connection_does_not_end_the_one_after_it() {
    let mut harness = Harness::new(|connection, heard| match heard {
        Heard::Connect => vec![(connection, ms(0), PLENTY)],
        Heard::Bytes(_) => {
            let answer = b"HTTP/1.1 200 OK\r\n\r\nok".to_vec();
            vec![(connection, ms(1), Event::Bytes(answer)), (connection, ms(2), Event::End)]
        }
        Heard::End { .. } => Vec::new(),
    });
    harness.client.1 = 2;
    harness.get(Channel::Poll, false);
    harness.pass(30);
    let answers = harness.heard().iter().filter(|told| *told == "poll 200 ok").count();
    assert_eq!((answers, connections(&harness)), (3, 3));
}

/// A transport over the sockets of this machine.
fn real(address: SocketAddr) -> Connections {
    let mut transport = Connections::new(vec![RemoteConfig {
        tunnel: None,
        address,
        authority: "localhost".to_owned(),
        tls: None,
        sources: vec![[127, 0, 0, 1].into()],
        turn: Arc::default(),
        closes_early: Arc::default(),
        limit: MAX_MESSAGE,
    }])
    .expect("there is a queue");
    transport.make_room([0]);
    transport
}

#[test]
fn the_queue_of_the_system_waits_no_shorter_than_it_was_asked_to() {
    let mut transport = real(([127, 0, 0, 1], 9).into());
    let mut ready = vec![7];
    for micros in [0, 300, 2_500] {
        let until = transport.now() + Duration::from_micros(micros);
        while transport.now() < until {
            transport.wait(&mut ready, until).expect("it can be waited on");
            assert_eq!(ready, [0; 0]);
        }
    }
}

#[test]
fn another_thread_ends_a_wait() {
    let mut transport = real(([127, 0, 0, 1], 9).into());
    let waker = transport.waker().expect("there is one");
    let (mut ready, start) = (Vec::new(), transport.now());
    // The queue forgets a waker that is dropped.
    thread::scope(|scope| {
        let thread = scope.spawn(|| waker.wake());
        transport.wait(&mut ready, start + Duration::from_secs(3600)).expect("it can be waited on");
        thread.join().expect("it does not panic").expect("it was woken");
    });
    assert!(transport.now() - start < Duration::from_secs(3600));
    assert_eq!(ready, [0; 0]);
}

#[test]
fn the_queue_of_the_system_tells_of_bytes_and_of_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let mut transport = real(listener.local_addr().expect("it is bound"));
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept()?;
        let mut request = [0; 1024];
        let read = stream.read(&mut request)?;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nto the end")?;
        Ok::<Vec<u8>, io::Error>(request[..read].to_vec())
    });
    let request = Request {
        method: "GET",
        target: "/x",
        headers: &[],
        body: None,
        held: 0,
        same_connection: false,
        may_repeat: false,
    };
    transport.wire(ALICE).request(Channel::Poll, request);
    transport.flush();
    let (mut client, mut ready) = (Client::default(), Vec::new());
    while client.0.len() < 2 {
        let until = transport.now() + Duration::from_secs(60);
        transport.wait(&mut ready, until).expect("it can be waited on");
        assert!(transport.now() < until, "nobody told");
        for place in ready.drain(..) {
            transport.handle_ready(place, transport.now(), &mut client);
        }
    }
    assert_eq!(client.0[1], "poll 200 to the end");
    let request = server.join().expect("it does not panic").expect("it was asked");
    assert!(request.starts_with(b"GET /x HTTP/1.1\r\nHost: localhost\r\n"));
}
