//! A link between real sockets, on ports that the system chooses.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use super::{Link, Way};

/// Long enough for everything that has to arrive, and waited for only where something is broken.
const LONG: Duration = Duration::from_secs(20);
/// How long it is looked whether something arrives that must not.
const SHORT: Duration = Duration::from_millis(40);

/// A link, and what listens behind it.
fn link() -> (Link, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let link = Link::open("bus").expect("there is another");
    link.lead_to(listener.local_addr().expect("it listens"));
    (link, listener)
}

fn connect(link: &Link) -> TcpStream {
    let socket = TcpStream::connect(link.address()).expect("the link listens");
    socket.set_read_timeout(Some(LONG)).expect("a socket takes it");
    socket
}

/// A connection through the link, from both sides.
fn through(link: &Link, listener: &TcpListener) -> (TcpStream, TcpStream) {
    let from = connect(link);
    let (to, _) = listener.accept().expect("the link connects");
    to.set_read_timeout(Some(LONG)).expect("a socket takes it");
    (from, to)
}

fn read(socket: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    socket.read_exact(&mut bytes).expect("it arrives");
    bytes
}

/// How a connection has ended.
fn end(socket: &mut TcpStream) -> ErrorKind {
    match socket.read(&mut [0; 64]) {
        Ok(0) => ErrorKind::UnexpectedEof,
        Ok(_) => panic!("something was still sent"),
        Err(error) => error.kind(),
    }
}

/// Wine ends a stream where Windows resets it.
fn assert_reset(socket: &mut TcpStream) {
    let end = end(socket);
    let is_wine = cfg!(windows) && end == ErrorKind::UnexpectedEof;
    assert!(is_wine || end == ErrorKind::ConnectionReset, "{end}");
}

#[test]
fn bytes_pass_both_ways_and_each_end_of_a_stream_alone() {
    let (link, listener) = link();
    let (mut from, mut to) = through(&link, &listener);
    from.write_all(b"ping").expect("it is sent");
    assert_eq!(read(&mut to, 4), b"ping");
    from.shutdown(std::net::Shutdown::Write).expect("it is sent");
    assert_eq!(end(&mut to), ErrorKind::UnexpectedEof);
    to.write_all(b"still here").expect("it is sent");
    assert_eq!(read(&mut from, 10), b"still here");
    drop(to);
    assert_eq!(end(&mut from), ErrorKind::UnexpectedEof);
}

#[test]
fn a_cut_ends_connections_and_new_ones_until_it_is_over() {
    let (link, listener) = link();
    let (mut from, mut to) = through(&link, &listener);
    link.cut(true);
    assert_reset(&mut from);
    assert_reset(&mut to);
    assert_reset(&mut connect(&link));
    link.restore();
    let (mut from, mut to) = through(&link, &listener);
    from.write_all(b"again").expect("it is sent");
    assert_eq!(read(&mut to, 5), b"again");
}

#[test]
fn a_reset_ends_the_connections_of_this_moment_alone() {
    let (link, listener) = link();
    let (mut from, _to) = through(&link, &listener);
    link.reset();
    assert_reset(&mut from);
    through(&link, &listener);
}

#[test]
fn a_black_hole_keeps_connections_open_passes_nothing_and_loses_nothing() {
    let (link, listener) = link();
    let (mut from, mut to) = through(&link, &listener);
    link.change(Way::ToTarget, |condition| condition.is_stopped = true);
    from.write_all(b"held").expect("a half-open connection takes it");
    to.set_read_timeout(Some(SHORT)).expect("a socket takes it");
    let seen = to.read(&mut [0; 4]).expect_err("nothing passes").kind();
    assert!(matches!(seen, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{seen:?}");
    to.write_all(b"other way").expect("it is sent");
    assert_eq!(read(&mut from, 9), b"other way");
    let mut late = connect(&link);
    late.write_all(b"late").expect("a new one is open, too");
    link.restore();
    to.set_read_timeout(Some(LONG)).expect("a socket takes it");
    assert_eq!(read(&mut to, 4), b"held");
    let (mut late, _) = listener.accept().expect("it is let through");
    assert_eq!(read(&mut late, 4), b"late");
}

#[test]
fn who_goes_away_in_a_black_hole_is_missed_when_it_is_over() {
    let (link, listener) = link();
    let (from, mut to) = through(&link, &listener);
    link.change(Way::ToTarget, |condition| condition.is_stopped = true);
    link.change(Way::FromTarget, |condition| condition.is_stopped = true);
    drop(from);
    to.set_read_timeout(Some(SHORT)).expect("a socket takes it");
    assert_ne!(end(&mut to), ErrorKind::UnexpectedEof);
    link.restore();
    to.set_read_timeout(Some(LONG)).expect("a socket takes it");
    assert_eq!(end(&mut to), ErrorKind::UnexpectedEof);
}

#[test]
fn a_slow_link_keeps_the_order_and_a_flood_waits_at_its_sender() {
    let (link, listener) = link();
    let (mut from, mut to) = through(&link, &listener);
    for way in [Way::ToTarget, Way::FromTarget] {
        link.change(way, |condition| {
            (condition.delay, condition.jitter) = (Duration::from_millis(3), Duration::from_millis(3));
            condition.rate = Some(40 << 20);
        });
    }
    let flood: Vec<u8> = (0..4_000_000_u32).map(|number| (number % 251) as u8).collect();
    let expected = flood.clone();
    let sender = thread::spawn(move || {
        from.write_all(&flood).expect("it is sent in the end");
        from
    });
    assert!(read(&mut to, expected.len()) == expected, "something is lost or in another order");
    sender.join().expect("it has sent everything");
}

#[test]
fn without_anybody_behind_it_a_link_sends_everybody_away() {
    let link = Link::open("nowhere").expect("there is a port");
    assert_reset(&mut connect(&link));
    let gone = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    link.lead_to(gone.expect("there was a port"));
    assert_reset(&mut connect(&link));
}

#[test]
fn a_link_that_is_dropped_leaves_no_connection() {
    let (link, listener) = link();
    let (mut from, mut to) = through(&link, &listener);
    let address = link.address();
    drop(link);
    assert_reset(&mut from);
    assert_reset(&mut to);
    assert!(TcpStream::connect(address).is_err());
}
