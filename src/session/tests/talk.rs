//! A session and the script of its server, both sides told in short lines.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::protocol::dialect::{Packets, Version};
use crate::protocol::http::{Head, Response};
use crate::session::*;

/// The open packet of a server that offers an upgrade.
pub(super) const OPEN: &str =
    r#"0{"sid":"s1","upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":40}"#;

/// The open packet of a server that offers none, as over a WebSocket.
pub(super) const OPEN_WEBSOCKET: &str =
    r#"0{"sid":"s1","upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":40}"#;

/// Writes down what a session says.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    /// One line for each call, since the last look.
    pub lines: Vec<String>,
    /// The headers of the last request or dial.
    pub headers: Vec<(String, String)>,
}

impl Wire for Recorder {
    fn head_for(&mut self, _: u16) {}

    fn dial(&mut self, channel: Channel, target: &str, headers: &[(String, String)]) {
        assert!(matches!(channel, Channel::WebSocket | Channel::WebTransport));
        self.lines.push(format!("dial {target}"));
        self.headers = headers.to_vec();
    }

    fn text(&mut self, channel: Channel, parts: &[&str]) {
        assert!(matches!(channel, Channel::WebSocket | Channel::WebTransport));
        self.lines.push(format!("send {}", parts.concat()));
    }

    fn binary(&mut self, channel: Channel, payload: &[u8]) {
        assert!(matches!(channel, Channel::WebSocket | Channel::WebTransport));
        self.lines.push(format!("send {payload:02x?}"));
    }

    fn frame(&mut self, channel: Channel, frame: &RawFrame) {
        self.lines.push(format!("frame on {channel}: {frame:?}"));
    }

    fn request(&mut self, channel: Channel, request: Request<'_>) {
        let line = match (request.method, request.body) {
            ("GET", None) => format!("get {}", request.target),
            ("POST", Some(body)) => {
                assert_eq!(channel, Channel::Post);
                match str::from_utf8(body) {
                    Ok(body) => format!("post {}", body.replace('\x1e', " | ")),
                    Err(_) => format!("post {body:02x?}"),
                }
            }
            other => format!("{other:?}"),
        };
        self.lines.push(line);
        self.headers = request.headers.to_vec();
    }

    fn rest(&mut self, _: Channel, _: &[u8]) {
        panic!("no session holds back");
    }

    fn hang_up(&mut self, channel: Channel, how: HangUp) {
        self.lines.push(match how {
            HangUp::Clean => format!("close {channel}"),
            HangUp::Cut => format!("cut {channel}"),
        });
    }

    fn pause(&mut self, channel: Channel, paused: bool) {
        self.lines.push(format!("pause {channel}: {paused}"));
    }
}

/// A session in conversation with the test.
pub(super) struct Talk {
    pub session: Session,
    pub wire: Recorder,
    pub now: Instant,
}

impl Talk {
    /// A session that has not begun.
    pub(super) fn new() -> Talk {
        Talk::in_version(Version::V4)
    }

    /// The same in this version of the protocol.
    pub(super) fn in_version(version: Version) -> Talk {
        let path = "/socket.io/".into();
        let destination = Destination { path, dialect: version.dialect(), ..Destination::default() };
        Talk { session: Session::new(destination), wire: Recorder::default(), now: Instant::now() }
    }

    /// A session that has asked for a connection and waits for the answer. What it said is forgotten.
    pub(super) fn opening(transport: Transport) -> Talk {
        let mut talk = Talk::new();
        talk.session.open(&mut talk.wire, transport);
        talk.said();
        talk
    }

    /// A session with an Engine.IO connection over a WebSocket. What it said is forgotten.
    pub(super) fn websocket() -> Talk {
        let mut talk = Talk::opening(Transport::Websocket);
        talk.dialed();
        assert_eq!(talk.hears(OPEN_WEBSOCKET), "opened");
        talk.said();
        talk
    }

    /// A session with an Engine.IO connection over long-polling. What it said is forgotten.
    pub(super) fn polling() -> Talk {
        let mut talk = Talk::opening(Transport::Polling);
        assert_eq!(talk.polled(OPEN), ["opened"]);
        talk.said();
        talk
    }

    /// The same, and the main namespace has accepted.
    pub(super) fn joined(mut self) -> Talk {
        self.connect("/", None);
        if self.session.is_polling() {
            self.posted();
            assert_eq!(self.polled(r#"40{"sid":"a1"}"#), ["connected /"]);
        } else {
            assert_eq!(self.hears(r#"40{"sid":"a1"}"#), "connected /");
        }
        self.said();
        self
    }

    /// What the session has said since it was last asked.
    pub(super) fn said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.wire.lines)
    }

    /// One header of the last request or dial.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.wire.headers.iter().filter(|(found, _)| found == name);
        let first = found.next().map(|(_, value)| value.as_str());
        assert_eq!(found.next(), None, "twice");
        first
    }

    pub(super) fn dialed(&mut self) {
        self.session.handle_dialed(&mut self.wire);
    }

    pub(super) fn connect(&mut self, name: &str, auth: Option<&str>) -> Connecting {
        self.session.connect(&mut self.wire, name, auth, false)
    }

    pub(super) fn emit(&mut self, name: &str, data: &str) {
        assert_eq!(self.session.emit(&mut self.wire, name, data, &[], false), Ok(None));
    }

    /// Emits with a wish for an acknowledgement and gives its id.
    pub(super) fn ask(&mut self, name: &str, data: &str) -> u64 {
        self.session.emit(&mut self.wire, name, data, &[], true).unwrap().unwrap()
    }

    pub(super) fn emit_binary(&mut self, name: &str, data: &str, attachments: &[&'static [u8]]) {
        let attachments: Vec<Bytes> = attachments.iter().map(|bytes| Bytes::from_static(bytes)).collect();
        assert_eq!(self.session.emit(&mut self.wire, name, data, &attachments, false), Ok(None));
    }

    /// A text frame comes on the WebSocket. What the session makes of it.
    pub(super) fn hears(&mut self, text: &str) -> String {
        let packet = self.session.dialect().packet_of_text(text).unwrap();
        told(self.session.handle_packet(&mut self.wire, self.session.stream(), packet, self.now))
    }

    /// A binary frame comes on the WebSocket.
    pub(super) fn hears_bytes(&mut self, bytes: &[u8]) -> String {
        let packet = self.session.dialect().packet_of_bytes(bytes.into()).unwrap();
        told(self.session.handle_packet(&mut self.wire, self.session.stream(), packet, self.now))
    }

    /// The poll comes home with these packets, written with ` | ` between them. What the session makes of each, and
    /// of the end.
    pub(super) fn polled(&mut self, body: &str) -> Vec<String> {
        self.poll_answered(200, &[], body.replace(" | ", "\x1e").as_bytes())
    }

    /// The poll is answered in any way.
    pub(super) fn poll_answered(
        &mut self,
        status: u16,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Vec<String> {
        let answer = response(status, headers, body);
        let mut all = Vec::new();
        match self.session.handle_response(&mut self.wire, Channel::Poll, &answer) {
            Payload::Nothing(event) => all.push(told(event)),
            Payload::Unreadable(violation) => {
                all.push(told(Some(Event::Violated(violation))));
                all.push(told(self.session.handle_payload_end(&mut self.wire)));
            }
            Payload::Packets(packets) => all.extend(self.packets(packets)),
            Payload::Called(payload) => {
                let packets = self.session.dialect().packets(payload.as_bytes()).expect("it is text");
                all.extend(self.packets(packets));
            }
        }
        all.retain(|line| line != "nothing");
        all
    }

    fn packets(&mut self, packets: Packets<'_>) -> Vec<String> {
        let mut all = Vec::new();
        for packet in packets {
            let event = match packet {
                Ok(packet) => self.session.handle_packet(&mut self.wire, Channel::Poll, packet, self.now),
                Err(violation) => Some(Event::Violated(violation)),
            };
            all.push(told(event));
        }
        all.push(told(self.session.handle_payload_end(&mut self.wire)));
        all
    }

    /// The post comes home with success.
    pub(super) fn posted(&mut self) -> String {
        self.post_answered(200, "ok")
    }

    pub(super) fn post_answered(&mut self, status: u16, body: &str) -> String {
        let answer = response(status, &[], body.as_bytes());
        match self.session.handle_response(&mut self.wire, Channel::Post, &answer) {
            Payload::Nothing(event) => told(event),
            other => panic!("{other:?} from a post"),
        }
    }

    pub(super) fn loses(&mut self, channel: Channel, lost: Lost) -> String {
        told(self.session.handle_lost(&mut self.wire, channel, lost))
    }

    /// Time passes, and the session is told if it wants to be.
    pub(super) fn wait(&mut self, milliseconds: u64) -> String {
        self.now += Duration::from_millis(milliseconds);
        if self.session.poll_timeout().is_none_or(|wake| wake > self.now) {
            return "nothing".into();
        }
        let event = told(self.session.handle_timeout(&mut self.wire, self.now));
        assert!(self.session.poll_timeout().is_none_or(|wake| wake > self.now), "it would be woken for ever");
        event
    }

    pub(super) fn close(&mut self) {
        self.session.close(&mut self.wire);
    }
}

pub(super) fn response(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Response { head: Head { status, reason: String::new(), headers }, body: body.into(), keep_alive: true }
}

/// An event in words.
pub(super) fn told(event: Option<Event<'_>>) -> String {
    let with = |attachments: &[Bytes]| match attachments {
        [] => String::new(),
        some => format!(" with {:02x?}", some.iter().map(|bytes| &bytes[..]).collect::<Vec<_>>()),
    };
    match event {
        None => "nothing".into(),
        Some(Event::Opened { flaw: None }) => "opened".into(),
        Some(Event::Opened { flaw: Some(flaw) }) => format!("opened, violated {}", flaw.rule.name()),
        Some(Event::Upgraded) => "upgraded".into(),
        Some(Event::UpgradeFailed(why, _)) => format!("upgrade failed: {why}"),
        Some(Event::Connected { namespace, recovered: false }) => format!("connected {namespace}"),
        Some(Event::Connected { namespace, recovered: true }) => format!("recovered {namespace}"),
        Some(Event::Refused { namespace, reason }) => format!("refused {namespace} {reason}"),
        Some(Event::Disconnected { namespace, .. }) => format!("disconnected {namespace}"),
        Some(Event::ServerEvent(ServerEvent { namespace, id, data, attachments })) => {
            let id = id.map_or(String::new(), |id| format!(" wants {id}"));
            format!("event {namespace} {data}{}{id}", with(&attachments))
        }
        Some(Event::Answered(Answer { namespace, id, data, attachments })) => {
            format!("answer {namespace} {id} {data}{}", with(&attachments))
        }
        Some(Event::Heartbeat) => "heartbeat".into(),
        Some(Event::Closed(why)) => format!("closed: {why}"),
        Some(Event::Violated(violation)) => format!("violated {}", violation.rule.name()),
    }
}
