//! Whatever arrives, whatever is asked, in whatever order: no panic, no growth without bound, no word after the end.

use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;

use super::talk::{Recorder, response};
use crate::protocol::dialect::{Framing, MainNamespace, Version};
use crate::session::*;

/// Something that may befall a session.
#[derive(Clone, Debug)]
enum Poke {
    Open(Transport),
    Connect(String, bool),
    Disconnect(String),
    Emit(String, String, usize, bool),
    Answer(String, u64),
    Raw(String),
    RawBytes(Vec<u8>),
    Upgrade,
    Close,
    Cut,
    Mute(bool),
    ByHand(bool),
    Dialed,
    Text(Channel, String),
    Bytes(Channel, Vec<u8>),
    Response(Channel, u16, Vec<u8>),
    Lost(Channel),
    Time(u64),
}

fn channels() -> impl Strategy<Value = Channel> {
    prop_oneof![
        4 => Just(Channel::WebSocket),
        3 => Just(Channel::Poll),
        2 => Just(Channel::Post),
        1 => Just(Channel::Aside(0)),
    ]
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![Just("/".into()), Just("/a".into()), "/[a-z0-9?é]{0,3}"]
}

/// Packets of servers: good ones, nearly good ones and noise.
fn packets() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => Just(super::talk::OPEN.to_owned()),
        4 => names().prop_map(|name| format!(r#"40{name},{{"sid":"x","pid":"p"}}"#)),
        2 => Just(r#"40{"sid":"x"}"#.to_owned()),
        1 => names().prop_map(|name| format!("41{name},")),
        1 => names().prop_map(|name| format!("44{name},{{}}")),
        3 => (names(), proptest::option::of(any::<u64>()), "[a-z\"\\\\,\\[\\]é]{0,9}").prop_map(|(name, id, data)| {
            format!("42{name},{}[\"{data}\"]", id.map_or(String::new(), |id| id.to_string()))
        }),
        2 => (names(), 0_u64..20).prop_map(|(name, id)| format!("43{name},{id}[]")),
        2 => (0_u32..300).prop_map(|n| format!(r#"45{n}-["b",{{"_placeholder":true,"num":0}}]"#)),
        1 => (0_u32..3, 0_u64..20).prop_map(|(n, id)| format!(r#"46{n}-{id}[]"#)),
        2 => Just("2".to_owned()),
        2 => Just("3probe".to_owned()),
        1 => Just("1".to_owned()),
        1 => Just("6".to_owned()),
        2 => "[0-9][ -~]{0,12}",
        1 => any::<String>(),
    ]
}

fn bodies() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => proptest::collection::vec(packets(), 0..4).prop_map(|packets| packets.join("\x1e").into_bytes()),
        1 => proptest::collection::vec(any::<u8>(), 0..20),
    ]
}

fn pokes() -> impl Strategy<Value = Poke> {
    let transports =
        prop_oneof![Just(Transport::Websocket), Just(Transport::Polling), Just(Transport::Upgrade)];
    let ours = prop_oneof![
        3 => transports.prop_map(Poke::Open),
        4 => (names(), any::<bool>()).prop_map(|(name, recover)| Poke::Connect(name, recover)),
        1 => names().prop_map(Poke::Disconnect),
        6 => (names(), "[ -~]{0,8}", 0_usize..3, any::<bool>())
            .prop_map(|(name, data, attachments, ack)| Poke::Emit(name, data, attachments, ack)),
        1 => (names(), any::<u64>()).prop_map(|(name, id)| Poke::Answer(name, id)),
        1 => any::<String>().prop_map(Poke::Raw),
        1 => any::<Vec<u8>>().prop_map(Poke::RawBytes),
        2 => Just(Poke::Upgrade),
        1 => Just(Poke::Close),
        1 => Just(Poke::Cut),
        1 => any::<bool>().prop_map(Poke::Mute),
        1 => any::<bool>().prop_map(Poke::ByHand),
    ];
    let theirs = prop_oneof![
        2 => Just(Poke::Dialed),
        8 => (channels(), packets()).prop_map(|(channel, packet)| Poke::Text(channel, packet)),
        3 => (channels(), any::<Vec<u8>>()).prop_map(|(channel, bytes)| Poke::Bytes(channel, bytes)),
        6 => (channels(), prop_oneof![9 => Just(200_u16), 1 => any::<u16>()], bodies())
            .prop_map(|(channel, status, body)| Poke::Response(channel, status, body)),
        1 => channels().prop_map(Poke::Lost),
        2 => (0_u64..700).prop_map(Poke::Time),
    ];
    prop_oneof![1 => ours, 2 => theirs]
}

/// A session under test, and what is demanded of it after every poke.
struct Subject {
    session: Session,
    wire: Recorder,
    now: Instant,
    asked: Vec<String>,
    /// `Closed` was told since the last opening.
    ended: bool,
}

impl Subject {
    fn new(version: Version) -> Subject {
        let (path, dialect) = ("/socket.io/".into(), version.dialect());
        let session = Session::new(Destination { path, dialect, ..Destination::default() });
        let asked = match dialect.main_namespace {
            MainNamespace::Asked => Vec::new(),
            MainNamespace::Unasked => vec!["/".to_owned()],
        };
        Subject { session, wire: Recorder::default(), now: Instant::now(), asked, ended: false }
    }

    fn hears(&mut self, event: Option<&Event<'_>>) {
        assert!(!self.ended || event.is_none(), "{event:?} after the end");
        if matches!(event, Some(Event::Closed(_))) {
            assert!(self.session.is_closed());
            self.ended = true;
        }
    }

    fn poke(&mut self, poke: Poke) {
        let over = self.session.is_closed() && !matches!(poke, Poke::Open(_));
        self.wire.lines.clear();
        self.suffer(poke);
        if over {
            let words = self.wire.lines.iter().filter(|line| !line.starts_with("cut "));
            assert_eq!(words.count(), 0, "said after the end: {:?}", self.wire.lines);
        }
        assert!(self.session.namespaces.len() <= self.asked.len(), "{:?}", self.session.namespaces);
        assert!(self.session.is_closed() || !self.ended);
        assert!(!self.session.is_closed() || self.session.poll_timeout().is_none());
    }

    fn suffer(&mut self, poke: Poke) {
        let Subject { session, wire, now, .. } = self;
        let (wire, now): (&mut dyn Wire, Instant) = (wire, *now);
        match poke {
            Poke::Open(transport) => {
                session.open(wire, transport);
                self.ended = false;
            }
            Poke::Connect(name, recover) => {
                session.connect(wire, &name, Some(r#"{"a":1}"#), recover);
                self.note(name);
            }
            Poke::Disconnect(name) => {
                session.disconnect(wire, &name);
                self.note(name);
            }
            Poke::Emit(name, data, attachments, ack) => {
                let attachments = vec![Bytes::from_static(b"xyz"); attachments];
                let _ = session.emit(wire, &name, &data, &attachments, ack);
            }
            Poke::Answer(name, id) => session.answer(wire, &name, id, "[]", &[]),
            Poke::Raw(text) => {
                session.send_raw(wire, &text);
                self.asked.push(text);
            }
            Poke::RawBytes(bytes) => session.send_raw_binary(wire, &bytes),
            Poke::Upgrade => {
                session.upgrade(wire, Channel::WebSocket);
            }
            Poke::Close => session.close(wire),
            Poke::Cut => session.cut(wire),
            Poke::Mute(true) => session.set_heartbeats(Heartbeats::Muted),
            Poke::Mute(false) => session.set_heartbeats(Heartbeats::Answered),
            Poke::ByHand(true) => session.set_polls(wire, Polls::ByHand),
            Poke::ByHand(false) => session.set_polls(wire, Polls::Automatic),
            Poke::Dialed => session.handle_dialed(wire),
            Poke::Text(channel, text) => {
                if let Ok(packet) = session.dialect().packet_of_text(&text) {
                    let event = session.handle_packet(wire, channel, packet, now);
                    self.hears(event.as_ref());
                }
            }
            Poke::Bytes(channel, bytes) => {
                if let Ok(packet) = session.dialect().packet_of_bytes(bytes.into()) {
                    let event = session.handle_packet(wire, channel, packet, now);
                    self.hears(event.as_ref());
                }
            }
            Poke::Response(channel, status, body) => self.answered(channel, status, &body),
            Poke::Lost(channel) => {
                let event = session.handle_lost(wire, channel, Lost::Ended);
                self.hears(event.as_ref());
            }
            Poke::Time(milliseconds) => {
                self.now += Duration::from_millis(milliseconds);
                let event = self.session.handle_timeout(&mut self.wire, self.now);
                assert!(self.session.poll_timeout().is_none_or(|wake| wake > self.now), "woken for ever");
                self.hears(event.as_ref());
            }
        }
    }

    fn note(&mut self, name: String) {
        if !self.asked.contains(&name) {
            self.asked.push(name);
        }
    }

    fn answered(&mut self, channel: Channel, status: u16, body: &[u8]) {
        let answer = response(status, &[("Set-Cookie", "a=b")], body);
        match self.session.handle_response(&mut self.wire, channel, &answer) {
            Payload::Nothing(event) => self.hears(event.as_ref()),
            Payload::Unreadable(_) => {
                let event = self.session.handle_payload_end(&mut self.wire);
                self.hears(event.as_ref());
            }
            Payload::Called(_) => unreachable!("no query asks for JSONP"),
            Payload::Packets(packets) => {
                for packet in packets.flatten() {
                    let event = self.session.handle_packet(&mut self.wire, channel, packet, self.now);
                    self.hears(event.as_ref());
                }
                let event = self.session.handle_payload_end(&mut self.wire);
                self.hears(event.as_ref());
            }
        }
    }
}

proptest! {
    #[test]
    fn a_session_survives_anything(
        version in prop::sample::select(&Version::ALL[..]),
        pokes in proptest::collection::vec(pokes(), 0..100),
    ) {
        let mut subject = Subject::new(version);
        pokes.into_iter().for_each(|poke| subject.poke(poke));
    }

    #[test]
    fn an_open_session_survives_anything(
        version in prop::sample::select(&Version::ALL[..]),
        transport in prop_oneof![Just(Transport::Websocket), Just(Transport::Polling), Just(Transport::Upgrade)],
        pokes in proptest::collection::vec(pokes(), 0..100),
    ) {
        let mut subject = Subject::new(version);
        subject.poke(Poke::Open(transport));
        let open = super::talk::OPEN;
        let payload = match version.dialect().framing {
            Framing::Separated => open.to_owned(),
            Framing::Counted => format!("{}:{open}", open.len()),
        };
        match transport {
            Transport::Websocket => subject.poke(Poke::Text(Channel::WebSocket, open.into())),
            _ => subject.poke(Poke::Response(Channel::Poll, 200, payload.into())),
        }
        prop_assert!(subject.session.is_open());
        subject.poke(Poke::Connect("/".into(), false));
        subject.poke(Poke::Text(Channel::WebSocket, r#"40{"sid":"x","pid":"p"}"#.into()));
        pokes.into_iter().for_each(|poke| subject.poke(poke));
    }
}

#[test]
fn acknowledgements_that_never_come_are_forgotten_in_the_end() {
    let mut talk = super::talk::Talk::websocket().joined();
    for _ in 0..20_000 {
        talk.ask("/", "[]");
        talk.said();
    }
    assert!(talk.session.outstanding.len() <= 4096);
}

#[test]
fn a_server_that_floods_pings_and_answers_no_post_is_given_up() {
    let mut talk = super::talk::Talk::polling().joined();
    talk.emit("/", r#"["a"]"#);
    let ping = format!("2{}", "x".repeat(1 << 20));
    for _ in 0..1000 {
        let told = talk.polled(&ping);
        talk.said();
        if told.iter().any(|line| line.starts_with("closed: ")) {
            assert!(talk.session.is_closed());
            return;
        }
    }
    panic!("a gigabyte of pongs was kept");
}
