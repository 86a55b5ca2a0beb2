//! Servers that mean harm, or are merely broken: the program ends in its own time, within bounds, and says what it
//! saw. Its memory is bounded by the system in every test: beyond, it would break off.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;
use std::time::Duration;

use sockrates::protocol::websocket::accept_key;

use crate::support::{Ended, Folder, Server, answer, flat, head, sockrates};

pub(crate) const OPEN: &str =
    r#"0{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;

/// The address space that the program may have, in kilobytes: enough for a whole message of the largest size that it
/// takes, and for its copies; far from a gigabyte.
pub(crate) const BOUND: u32 = 700_000;

/// A server that is good as long as it is only looked at. WebSockets are left to a function once they are open, and
/// so is the second poll.
pub(crate) fn good_at_first(evil: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> Server {
    opening_with(OPEN, evil)
}

fn opening_with(
    open: &'static str,
    evil: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static,
) -> Server {
    Server::start(move |mut stream, number| {
        // The first two connections are those of the look before the run: a poll, and the goodbye.
        let Some(request) = head(&mut stream)? else { return Ok(()) };
        if let Some((_, key)) = request.split_once("Sec-WebSocket-Key: ") {
            accept(&mut stream, key.lines().next().unwrap_or_default())?;
            stream.write_all(&text(open))?;
            return evil(stream);
        }
        if number < 2 {
            return answer(&mut stream, "200 OK", "Connection: close\r\n", OPEN);
        }
        if !request.contains("&sid=") {
            answer(&mut stream, "200 OK", "", open)?;
            head(&mut stream)?;
        }
        evil(stream)
    })
}

pub(crate) fn accept(stream: &mut TcpStream, key: &str) -> io::Result<()> {
    let accept = accept_key(key);
    write!(
        stream,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}

/// A frame of a server.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        small @ ..126 => frame.push(small as u8),
        medium @ 126..=0xFFFF => {
            frame.push(126);
            frame.extend((medium as u16).to_be_bytes());
        }
        large => {
            frame.push(127);
            frame.extend((large as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}

pub(crate) fn text(payload: &str) -> Vec<u8> {
    frame(0x81, payload.as_bytes())
}

/// Reads whatever comes until the client leaves.
pub(crate) fn listen(mut stream: &TcpStream) -> io::Result<()> {
    let mut ignored = [0; 4096];
    while stream.read(&mut ignored)? > 0 {}
    Ok(())
}

/// Plays a client that has patience for a moment against this server, with bounded memory.
fn meet(server: &Server, transport: &str) -> Ended {
    let script = "- eve: { connect: { within: 500ms } }\n\
                  - eve: { emit: { event: hello, ack: { within: 500ms } } }";
    meet_with(server, &format!("{{ eve: {{ transport: {transport} }} }}"), script)
}

fn meet_with(server: &Server, clients: &str, script: &str) -> Ended {
    let folder = Folder::new();
    let scenario = folder.scenario(clients, script);
    sockrates(["run", "--url", &server.url()]).args([scenario]).bounded(BOUND).run().calm()
}

/// Demands that the run failed and that these words stand in its report.
#[track_caller]
fn told(what: &str, ended: &Ended, words: &str) {
    assert_eq!(ended.code, Some(1), "{what}: {ended}");
    assert!(flat(&ended.stdout).contains(words), "{what}: no {words:?} in {ended}");
    assert!(!ended.stdout.contains('\u{1b}'), "{what}: {ended}");
}

/// What a server that is evil from its first byte on is told to be.
fn look(serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> Ended {
    let server = Server::start(move |stream, _| serve(stream));
    sockrates(["run", "chat", "--url", &server.url()]).bounded(BOUND).run().code(3)
}

/// Writes the same again and again until the client leaves.
pub(crate) fn flood(mut stream: &TcpStream, piece: &[u8]) -> io::Result<()> {
    loop {
        stream.write_all(piece)?;
    }
}

/// The same after a beginning.
fn flood_after(mut stream: &TcpStream, beginning: &[u8], piece: &[u8]) -> io::Result<()> {
    stream.write_all(beginning)?;
    flood(stream, piece)
}

/// Never stops.
pub(crate) fn endless_after(stream: &TcpStream, beginning: &[u8]) -> io::Result<()> {
    flood_after(stream, beginning, &[b'x'; 65_536])
}

/// Writes a byte at a time, slowly, until the client leaves.
pub(crate) fn drip(mut stream: &TcpStream, beginning: &[u8]) -> io::Result<()> {
    for byte in beginning.iter().chain(std::iter::repeat(&b'x')) {
        stream.write_all(&[*byte])?;
        thread::park_timeout(Duration::from_millis(10));
    }
    Ok(())
}

const ENDLESS_HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nX-Very-Long: ";
const GIGABYTE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n";
const CHUNKS: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40000000\r\n";

#[test]
fn garbage_at_first_sight() {
    look(|mut stream| stream.write_all(&[0, 159, 146, 150, 27, 91, 51, 49, 109]))
        .complains("does not speak HTTP, its first bytes are");
}

#[test]
fn the_end_at_first_sight() {
    look(|_| Ok(())).complains("closed the connection without an answer");
}

#[test]
fn silence_at_first_sight() {
    look(|stream| listen(&stream)).complains("did not answer an Engine.IO handshake within 5 s");
}

#[test]
fn a_byte_at_a_time_at_first_sight() {
    look(|stream| drip(&stream, ENDLESS_HEAD));
    look(|stream| drip(&stream, GIGABYTE));
}

#[test]
fn more_than_anybody_asked_for_at_first_sight() {
    look(|stream| flood(&stream, b"HTTP/1.1 200 OK\r\n"));
    for beginning in [ENDLESS_HEAD, GIGABYTE, CHUNKS] {
        look(move |stream| endless_after(&stream, beginning));
    }
}

/// What a server does with a request, and what is said of it.
type Reply = (&'static str, fn(&mut TcpStream) -> io::Result<()>, &'static str);

/// How a server may answer a request of the run.
fn answers() -> Vec<Reply> {
    vec![
        ("garbage", |s| s.write_all(b"\0\x1b[31mnonsense\r\n\r\n"), "a response begins with a status line"),
        ("the end", |s| s.shutdown(Shutdown::Both), "the connection is gone: the"),
        ("silence", |_| Ok(()), "within 500ms"),
        ("a byte at a time", |s| drip(s, ENDLESS_HEAD), "within 500ms"),
        ("an endless header", |s| endless_after(s, ENDLESS_HEAD), "this client's limits: a head is above"),
        (
            "many headers",
            |s| flood_after(s, b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
            "stays within this client's limits",
        ),
        ("a gigabyte", |s| endless_after(s, GIGABYTE), "a body is above"),
        ("a chunk of a gigabyte", |s| endless_after(s, CHUNKS), "a body is above"),
        ("a body without an end", |s| endless_after(s, b"HTTP/1.1 200 OK\r\n\r\n"), ""),
        (
            "two lengths",
            |s| s.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
            "the length of a response is given once",
        ),
        ("an error", |s| answer(s, "503 Busy", "", "later"), "HTTP status 503: later"),
        ("a page", |s| answer(s, "200 OK", "", "<html>"), ""),
        (
            "bytes that are no text",
            |s| s.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xfe"),
            "the body of a poll is UTF-8",
        ),
    ]
}

#[test]
fn polls_are_answered_with_all_sorts_of_things() {
    for (what, reply, words) in answers() {
        let server = good_at_first(move |mut stream| {
            reply(&mut stream)?;
            // Whoever leaves with something unread cuts the connection, and what was written may be lost.
            listen(&stream)
        });
        told(what, &meet(&server, "polling"), words);
    }
}

#[test]
fn a_websocket_handshake_is_answered_with_all_sorts_of_things() {
    for (what, reply, words) in answers() {
        let words = if words.contains("poll") || words.contains("later") { "HTTP status" } else { words };
        let server = Server::start(move |mut stream, _| {
            let Some(request) = head(&mut stream)? else { return Ok(()) };
            match request.contains("transport=websocket") {
                true => reply(&mut stream)?,
                false => answer(&mut stream, "200 OK", "Connection: close\r\n", OPEN)?,
            }
            listen(&stream)
        });
        told(what, &meet(&server, "websocket"), words);
    }
}

#[test]
fn a_wrong_accept_key_is_no_websocket() {
    let server = Server::start(|mut stream, _| {
        let Some(request) = head(&mut stream)? else { return Ok(()) };
        match request.contains("transport=websocket") {
            true => {
                accept(&mut stream, "bm90IHRoZSBrZXkgdGhhdA==")?;
                listen(&stream)
            }
            false => answer(&mut stream, "200 OK", "Connection: close\r\n", OPEN),
        }
    });
    meet(&server, "websocket").code(1).says("is accepted by the answer to its key in Sec-WebSocket-Accept");
}

/// Frames after the open packet, and what is said of them.
fn frames() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let masked = [&[0x81, 0x82, 1, 2, 3, 4][..], &[b'4' ^ 1, b'0' ^ 2]].concat();
    let huge = |header: &[u8]| [&[0x81, 127][..], header].concat();
    vec![
        ("a masked frame", masked, "a server does not mask its frames"),
        ("a reserved opcode", frame(0x83, b"x"), "the opcode is one of"),
        ("a reserved control opcode", frame(0x8B, b"x"), "the opcode is one of"),
        ("reserved bits", frame(0xC1, b"40"), "the reserved bits are zero"),
        (
            "text that is none",
            frame(0x81, b"4\xff\xfe"),
            "a text message and the reason of a close are UTF-8",
        ),
        ("a fragment of nothing", frame(0x80, b"x"), "continuation frames"),
        ("a message inside another", [frame(0x01, b"4"), text("40")].concat(), "continuation frames"),
        ("a ping in pieces", frame(0x09, b"x"), "a control frame is not fragmented"),
        ("a long ping", frame(0x89, &[b'x'; 126]), "at most 125 bytes"),
        ("a close of one byte", frame(0x88, b"x"), "a close frame is empty or begins"),
        (
            "a close that may not be sent",
            frame(0x88, &1005_u16.to_be_bytes()),
            "a close frame is empty or begins",
        ),
        ("a gigabyte", huge(&(1_u64 << 30).to_be_bytes()), "a message stays within this client's limit"),
        ("more than there is", huge(&u64::MAX.to_be_bytes()), "the payload length is written"),
        ("a long way to say little", vec![0x81, 126, 0, 1, b'4'], "in as few bytes as possible"),
        ("a close without a word", frame(0x88, b""), "closed the WebSocket without a code"),
        (
            "a close with odd words",
            frame(0x88, b"\x03\xe8bye \x1b[31m"),
            "closed the WebSocket with code 1000",
        ),
        ("an unfinished message", frame(0x01, b"40"), "within 500ms"),
        ("half a frame", vec![0x81, 50, b'4'], "within 500ms"),
        ("a packet of no type", text(""), "a packet begins with its type"),
        ("a packet of a wrong type", text("9"), "a packet begins with its type"),
        ("a second open packet", text(OPEN), "a server sends open once and first"),
        ("a pong unasked", text("3probe"), "and never pong or upgrade unasked"),
        ("an upgrade unasked", text("5"), "and never pong or upgrade unasked"),
        ("a close packet", text("1"), "the server sent a close packet"),
        ("no Socket.IO type", text("4"), "a packet begins with its type, one digit from 0 to 6"),
        ("a wrong Socket.IO type", text("47"), "a packet begins with its type, one digit from 0 to 6"),
        ("a CONNECT without sid", text("40{}"), "has no `sid` text"),
        ("a CONNECT with a list", text("40[1]"), "the payload of a CONNECT packet, if any, is an object"),
        ("an event without a name", text("42[]"), "the payload of an event is a non-empty array"),
        ("an event that is none", text("42{\"a\":1}"), "the payload of an event is a non-empty array"),
        ("broken JSON", text("42[\"a\","), "the payload is JSON"),
        ("deep JSON", text(&format!("42[\"a\",{}", "[".repeat(100_000))), "the payload is JSON"),
        ("a namespace without an end", text("42/never-ends"), "the payload of an event is a non-empty array"),
        (
            "an id beyond all numbers",
            text(&format!("43{}[]", "9".repeat(400))),
            "an acknowledgement id is an integer",
        ),
        (
            "bytes that belong to nothing",
            frame(0x82, b"x"),
            "a binary message belongs to the binary packet before it",
        ),
        ("too many attachments", text("459999999999-[\"a\"]"), "attachments"),
        (
            "text before its attachments",
            [text("451-[\"a\",{\"_placeholder\":true,\"num\":0}]"), text("42[\"b\"]")].concat(),
            "the attachments follow their packet",
        ),
        (
            "placeholders of nothing",
            [text("451-[\"a\",{\"_placeholder\":true,\"num\":7}]"), frame(0x82, b"x")].concat(),
            "the placeholders of a binary packet are numbered",
        ),
        (
            "an answer that nobody asked for",
            [text("40{\"sid\":\"s\"}"), text("4399[1]")].concat(),
            "an acknowledgement answers an event of the same namespace that asked for one",
        ),
        ("an event of a strange namespace", text("42/strange,[\"a\"]"), "a server speaks only in namespaces"),
        (
            "a sid with odd characters",
            text("40{\"sid\":\"\\u001b[31m\\n\\u0000é\u{202e}\"}"),
            "no acknowledgement within 500ms",
        ),
    ]
}

#[test]
fn a_websocket_carries_all_sorts_of_things() {
    for (what, bytes, words) in frames() {
        let server = good_at_first(move |mut stream| {
            stream.write_all(&bytes)?;
            listen(&stream)
        });
        let ended = meet(&server, "websocket");
        told(what, &ended, words);
    }
}

#[test]
fn polls_carry_all_sorts_of_packets() {
    for (what, body, words) in [
        ("nothing", "", "a poll brings at least one packet"),
        ("separators", "\u{1e}\u{1e}\u{1e}", "the body of a poll is packets with separators between them"),
        ("base64 that is none", "b!!!", "a binary packet in a payload is b followed by"),
        ("a stray attachment", "bAAAA", "a binary message belongs to the binary packet before it"),
        (
            "packets good and bad",
            "40{\"sid\":\"s\"}\u{1e}9\u{1e}42[\"a\"]\u{1e}4399[]",
            "an acknowledgement answers an event",
        ),
        ("the end", "1", "the server sent a close packet"),
    ] {
        let server = good_at_first(move |mut stream| {
            answer(&mut stream, "200 OK", "", body)?;
            listen(&stream)
        });
        let ended = meet(&server, "polling");
        told(what, &ended, words);
    }
}

#[test]
fn the_first_packet_may_say_anything() {
    for (open, words) in [
        ("0", "the payload of the open packet is a JSON object"),
        ("0[]", "the payload of the open packet is a JSON object"),
        ("0{}", "the open packet names sid"),
        (
            r#"0{"sid":"","upgrades":[],"pingInterval":1,"pingTimeout":1,"maxPayload":1}"#,
            "sid should be a string",
        ),
        (
            r#"0{"sid":"a","upgrades":7,"pingInterval":1,"pingTimeout":1,"maxPayload":1}"#,
            "upgrades should be",
        ),
        (
            r#"0{"sid":"a","upgrades":[],"pingInterval":1e300,"pingTimeout":1,"maxPayload":1}"#,
            "pingInterval should be",
        ),
        (
            r#"0{"sid":"a","upgrades":[],"pingInterval":-5,"pingTimeout":1,"maxPayload":1}"#,
            "pingInterval should be",
        ),
        (
            r#"0{"sid":"a","upgrades":[],"pingInterval":"25s","pingTimeout":1,"maxPayload":1}"#,
            "pingInterval should be",
        ),
        (
            r#"0{"sid":"a","upgrades":[],"pingInterval":18446744073709551615,"pingTimeout":1,"maxPayload":1}"#,
            "pingInterval should be",
        ),
        (
            r#"0{"sid":"a","upgrades":[],"pingInterval":2147483647,"pingTimeout":2147483647,"maxPayload":0}"#,
            "maxPayload should be",
        ),
        (
            r#"0{"sid":"a","upgrades":[],"pingInterval":2147483647,"pingTimeout":2147483647,"maxPayload":1}"#,
            "did not answer CONNECT within 500ms",
        ),
        (
            r#"0{"sid":"a","upgrades":[],"pingInterval":0.001,"pingTimeout":0.001,"maxPayload":1}"#,
            "no ping came within",
        ),
        (
            r#"0{"sid":" /?#&\r\nX: y\u0000\u001b[31m é","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":1,"maxPayload":1}"#,
            "within 500ms",
        ),
        ("40", "the Engine.IO handshake"),
        ("6", "the Engine.IO handshake"),
    ] {
        let ended = meet(&opening_with(open, |stream| listen(&stream)), "websocket");
        told(open, &ended, words);
        told(open, &meet(&opening_with(open, |stream| listen(&stream)), "polling"), "");
    }
}

/// Plays a client that hears everything against a server that does not stop talking.
fn drown(piece: Vec<u8>, steps: &str) -> Ended {
    let server = good_at_first(move |mut stream| {
        stream.write_all(&text("40{\"sid\":\"s\"}"))?;
        flood(&stream, &piece)
    });
    let script = format!("- eve: {{ connect: {{ within: 5s }} }}\n{steps}\n- eve: disconnect");
    meet_with(&server, "{ eve: 1 }", &script)
}

#[test]
fn a_flood_of_events_fills_no_memory() {
    let event = text(&format!("42[\"news\",\"{}\"]", "x".repeat(1000)));
    let ended = drown(event.repeat(50), "- eve: { wait: 1s }\n- eve: { expect: { event: news, args: [1] } }");
    ended.code(1).says("expected the event `news` with the list [1]");
}

#[test]
fn a_flood_of_large_frames_fills_no_memory() {
    let event = text(&format!("42[\"news\",\"{}\"]", "x".repeat(1 << 20)));
    let ended =
        drown(event, "- eve: { wait: 2s }\n- eve: { expect_frame: { text: \"nothing of the kind\" } }");
    ended.code(1).says("expected a text frame");
}

#[test]
fn a_flood_of_pings_fills_no_memory() {
    let pings = frame(0x89, &[b'x'; 125]).repeat(500);
    drown(pings, "- eve: { wait: 1s }").calm();
}

#[test]
fn a_flood_of_questions_fills_no_memory() {
    let question = text("420[\"how\"]").repeat(5000);
    let steps = "- eve: { answer: { event: how, after: 1h, args: [ \"a long answer, given much later\" ] } }\n- eve: { wait: 2s }";
    drown(question, steps).calm();
}

#[test]
fn a_flood_of_violations_is_told_once() {
    let ended = drown(text("9").repeat(5000), "- eve: { wait: 500ms }");
    let heading = "the server broke a rule: a packet begins with its type";
    assert_eq!(flat(&ended.stdout).matches(heading).count(), 1, "{ended}");
}

#[test]
fn ten_thousand_namespaces_are_not_remembered() {
    let talk: Vec<u8> = (0..10_000)
        .flat_map(|n| {
            let say = |packet: &str| text(&format!("4{packet}/nsp-{n},"));
            let reply = text(&format!("40/nsp-{n},{{\"sid\":\"s\"}}"));
            let event = text(&format!("42/nsp-{n},[\"a\"]"));
            let refusal = text(&format!("44/nsp-{n},{{\"message\":\"no\"}}"));
            [reply, event, refusal, say("1")].concat()
        })
        .collect();
    let server = good_at_first(move |mut stream| {
        stream.write_all(&talk)?;
        stream.write_all(&text("40{\"sid\":\"s\"}"))?;
        listen(&stream)
    });
    let script = "- eve: { connect: { within: 60s } }";
    let ended = meet_with(&server, "{ eve: 1 }", script);
    // Each let somebody in who had not asked, spoke to a stranger twice, and refused another than was asked for.
    ended
        .code(1)
        .says("rule broken: 40,000 of 40,000")
        .says("20,000 × the server broke a rule")
        .says("10,000 × the server broke a rule");
}

#[test]
fn fragments_without_an_end_fill_no_memory() {
    let server = good_at_first(|mut stream| {
        stream.write_all(&frame(0x01, b"4"))?;
        flood(&stream, &frame(0x00, &[b'x'; 65_000]))
    });
    let ended = meet_with(&server, "{ eve: 1 }", "- eve: { connect: { within: 60s } }");
    ended.code(1).says("a message stays within this client's limit");
}

#[test]
fn a_large_frame_announced_in_pieces_is_refused_too() {
    let server = good_at_first(|mut stream| {
        // The header in pieces that arrive one by one, because each is answered before the next is sent.
        for piece in
            [&[0x81][..], &[127], &(1_u64 << 30).to_be_bytes()[..4], &(1_u64 << 30).to_be_bytes()[4..]]
        {
            stream.write_all(piece)?;
            thread::park_timeout(Duration::from_millis(20));
        }
        flood(&stream, &[b'x'; 65_536])
    });
    let ended = meet_with(&server, "{ eve: 1 }", "- eve: { connect: { within: 60s } }");
    ended.code(1).says("a message stays within this client's limit");
}

#[test]
fn a_server_that_does_not_read_is_left_in_time() {
    let server = good_at_first(|mut stream| {
        stream.write_all(&text("40{\"sid\":\"s\"}"))?;
        loop {
            thread::park();
        }
    });
    let script = "- eve: connect\n\
                  - eve: { repeat: { times: 200, steps: [ { emit: { event: a, args: [ { $bytes: 1000000 } ] } } ] } }\n\
                  - eve: { emit: { event: b, ack: { within: 500ms } } }\n\
                  - eve: disconnect";
    meet_with(&server, "{ eve: 1 }", script).code(1).says("bytes unread");
}

#[test]
fn many_clients_are_bounded_together() {
    let event = text(&format!("42[\"news\",\"{}\"]", "x".repeat(100_000)));
    let server = good_at_first(move |mut stream| {
        stream.write_all(&text("40{\"sid\":\"s\"}"))?;
        flood(&stream, &event)
    });
    let script = "- all: { connect: { within: 30s } }\n- all: { wait: 1s }\n- all: { expect: { event: news, args: [1] } }\n- all: disconnect";
    meet_with(&server, "{ eve: 10 }", script).code(1);
}
