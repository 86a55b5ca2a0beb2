//! A small model of a server and of the network between it and one session.
//!
//! It is written from the specification and shares no code with the session or the codecs. Nothing happens by
//! itself: every step that a network or a server may take or delay is a [`Move`], and a test takes them in any
//! order. What only a broken client would do makes it panic.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::protocol::engine_io::Packet;
use crate::session::*;

use super::talk::response;

/// One Engine.IO message.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item {
    Text(String),
    Bytes(Vec<u8>),
}

impl Item {
    /// As an item of a payload.
    fn written(&self) -> String {
        match self {
            Item::Text(text) => text.clone(),
            Item::Bytes(bytes) => format!("b{}", STANDARD.encode(bytes)),
        }
    }

    fn read(text: &str) -> Item {
        match text.strip_prefix('b') {
            Some(encoded) => Item::Bytes(STANDARD.decode(encoded).unwrap()),
            None => Item::Text(text.into()),
        }
    }
}

/// A step that somebody may take. One that is not possible at the moment does nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Move {
    /// The client emits an event.
    ClientSays,
    /// The client emits an event with an attachment.
    ClientSaysBytes,
    /// The server emits an event.
    ServerSays,
    /// The server emits an event with an attachment.
    ServerSaysBytes,
    /// The server sends a ping, if the last one is answered.
    Ping,
    /// A poll reaches the server.
    PollArrives,
    /// The server answers a poll with at most so many of its packets, if it has any.
    AnswerPoll(usize),
    /// The server releases a poll because of an upgrade.
    ReleasePoll,
    /// The answer reaches the client.
    PollHome,
    /// A post reaches the server.
    PostArrives,
    /// The server answers the post.
    AnswerPost,
    /// The answer reaches the client.
    PostHome,
    /// The client begins an upgrade, unless one is under way or done.
    Upgrade,
    /// The server accepts the WebSocket handshake and the client hears it.
    Accept,
    /// The server refuses it.
    Refuse,
    /// A frame of the client reaches the server.
    FrameUp,
    /// A frame of the server reaches the client.
    FrameDown,
    /// The WebSocket breaks while nothing depends on it yet.
    Break,
    /// Some time passes, less than a heartbeat takes.
    Pause,
}

/// Everything that must happen sooner or later when nobody starts anything new.
const FAIR: [Move; 10] = [
    Move::PollArrives,
    Move::AnswerPoll(usize::MAX),
    Move::ReleasePoll,
    Move::PollHome,
    Move::PostArrives,
    Move::AnswerPost,
    Move::PostHome,
    Move::Accept,
    Move::FrameUp,
    Move::FrameDown,
];

/// What is under way, and the server's own state.
#[derive(Debug, Default)]
struct Net {
    dialing: bool,
    /// Polls and posts on their way to the server: never more than one of each.
    poll_up: bool,
    post_up: Option<Vec<Item>>,
    poll_down: Option<Vec<Item>>,
    post_down: bool,
    frames_up: VecDeque<Item>,
    frames_down: VecDeque<Item>,
    /// The client has put `5` on the wire.
    upgrade_sent: bool,
}

/// The session, the network and the server.
#[derive(Debug)]
pub(super) struct World {
    pub session: Session,
    pub now: Instant,
    net: Net,
    /// A poll, a post that the server has and has not answered.
    poll_held: bool,
    post_held: bool,
    /// The server's side of the WebSocket: there, probed, in charge.
    websocket: bool,
    probed: bool,
    upgraded: bool,
    waiting: VecDeque<Item>,
    pings: u32,
    pongs: u32,
    said_by_client: Vec<Item>,
    said_by_server: Vec<Item>,
    heard_by_server: Vec<Item>,
    heard_by_client: Vec<Item>,
    pub upgrades: u32,
    pub failures: u32,
}

impl Wire for Net {
    fn head_for(&mut self, _: u16) {}

    fn dial(&mut self, _: Channel, target: &str, _: &[(String, String)]) {
        assert_eq!(target, "/socket.io/?EIO=4&transport=websocket&sid=w1");
        assert!(!self.dialing);
        self.dialing = true;
    }

    fn text(&mut self, channel: Channel, parts: &[&str]) {
        assert_eq!(channel, Channel::WebSocket);
        let text = parts.concat();
        if text == "5" {
            assert!(!self.is_busy(), "the upgrade was sent while a poll or post was out: {self:?}");
            self.upgrade_sent = true;
        } else {
            assert!(self.upgrade_sent || text == "2probe", "too early on the WebSocket: {text}");
        }
        self.frames_up.push_back(Item::Text(text));
    }

    fn binary(&mut self, _: Channel, payload: &[u8]) {
        assert!(self.upgrade_sent, "too early on the WebSocket");
        self.frames_up.push_back(Item::Bytes(payload.into()));
    }

    fn frame(&mut self, _: Channel, _: &RawFrame) {
        panic!("no session sends raw frames");
    }

    fn request(&mut self, _: Channel, request: Request<'_>) {
        assert!(!self.upgrade_sent, "{} after the upgrade", request.method);
        if request.method == "GET" {
            assert!(!self.poll_up && self.poll_down.is_none(), "two polls at once");
            self.poll_up = true;
        } else {
            assert!(self.post_up.is_none() && !self.post_down, "two posts at once");
            let body = str::from_utf8(request.body.unwrap()).unwrap();
            self.post_up = Some(body.split('\x1e').map(Item::read).collect());
        }
    }

    fn rest(&mut self, _: Channel, _: &[u8]) {
        panic!("no session holds back");
    }

    fn hang_up(&mut self, channel: Channel, _: HangUp) {
        assert!(
            self.upgrade_sent && matches!(channel, Channel::Poll | Channel::Post),
            "{channel} was hung up"
        );
    }

    fn pause(&mut self, _: Channel, _: bool) {}
}

impl Net {
    fn is_busy(&self) -> bool {
        self.poll_up || self.post_up.is_some() || self.poll_down.is_some() || self.post_down
    }
}

impl World {
    /// A polling session that has joined the main namespace, with a poll pending.
    pub(super) fn new() -> World {
        let destination = Destination { path: "/socket.io/".into(), ..Destination::default() };
        let mut world = World {
            session: Session::new(destination),
            now: Instant::now(),
            net: Net::default(),
            poll_held: false,
            post_held: false,
            websocket: false,
            probed: false,
            upgraded: false,
            waiting: VecDeque::new(),
            pings: 0,
            pongs: 0,
            said_by_client: Vec::new(),
            said_by_server: Vec::new(),
            heard_by_server: Vec::new(),
            heard_by_client: Vec::new(),
            upgrades: 0,
            failures: 0,
        };
        world.session.open(&mut world.net, Transport::Polling);
        world.take(Move::PollArrives);
        world.queue(Item::Text(
            r#"0{"sid":"w1","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":64}"#
                .into(),
        ));
        world.take(Move::AnswerPoll(1));
        world.take(Move::PollHome);
        world.session.connect(&mut world.net, "/", None, false);
        world.settle();
        assert!(world.session.is_connected("/"));
        world
    }

    /// Takes a step.
    pub(super) fn take(&mut self, step: Move) {
        match step {
            Move::ClientSays => {
                let data = format!(r#"["c",{}]"#, self.said_by_client.len());
                self.said_by_client.push(Item::Text(format!("42{data}")));
                self.session.emit(&mut self.net, "/", &data, &[], false).unwrap();
            }
            Move::ClientSaysBytes => {
                let n = self.said_by_client.len();
                let data = format!(r#"["c",{n},{{"_placeholder":true,"num":0}}]"#);
                let bytes = n.to_be_bytes().to_vec();
                self.said_by_client.push(Item::Text(format!("451-{data}")));
                self.said_by_client.push(Item::Bytes(bytes.clone()));
                self.session.emit(&mut self.net, "/", &data, &[Bytes::from(bytes)], false).unwrap();
            }
            Move::ServerSays => {
                self.server_says(Item::Text(format!(r#"42["s",{}]"#, self.said_by_server.len())))
            }
            Move::ServerSaysBytes => {
                let n = self.said_by_server.len();
                self.server_says(Item::Text(format!(r#"451-["s",{n},{{"_placeholder":true,"num":0}}]"#)));
                self.server_says(Item::Bytes(n.to_be_bytes().to_vec()));
            }
            Move::Ping if self.pings == self.pongs => {
                self.pings += 1;
                self.queue(Item::Text("2".into()));
            }
            Move::PollArrives if self.net.poll_up => {
                assert!(!self.poll_held, "two polls at once");
                assert!(!self.upgraded, "a poll after the upgrade");
                self.net.poll_up = false;
                self.poll_held = true;
            }
            Move::AnswerPoll(most) if self.poll_held && !self.waiting.is_empty() => {
                let most = most.clamp(1, self.waiting.len());
                self.answer_poll(most);
            }
            Move::ReleasePoll if self.poll_held && self.probed && self.waiting.is_empty() => {
                self.waiting.push_back(Item::Text("6".into()));
                self.answer_poll(1);
            }
            Move::PollHome => {
                if let Some(items) = self.net.poll_down.take() {
                    self.poll_home(&items);
                }
            }
            Move::PostArrives => {
                if let Some(items) = self.net.post_up.take() {
                    assert!(!self.post_held, "two posts at once");
                    assert!(!self.upgraded, "a post after the upgrade");
                    let length: usize = items.iter().map(|item| item.written().len() + 1).sum::<usize>() - 1;
                    assert!(items.len() == 1 || length <= 64, "a payload of {length} bytes: {items:?}");
                    self.post_held = true;
                    items.into_iter().for_each(|item| self.server_hears(item));
                }
            }
            Move::AnswerPost if self.post_held => {
                self.post_held = false;
                self.net.post_down = true;
            }
            Move::PostHome if self.net.post_down => {
                self.net.post_down = false;
                let answer = response(200, &[], b"ok");
                let Payload::Nothing(event) =
                    self.session.handle_response(&mut self.net, Channel::Post, &answer)
                else {
                    panic!("packets from a post")
                };
                self.client_hears(event.map(own));
            }
            Move::Upgrade if !self.upgraded && !self.net.upgrade_sent && !self.session.is_upgrading() => {
                assert!(self.session.upgrade(&mut self.net, Channel::WebSocket));
            }
            Move::Accept if self.net.dialing => {
                self.net.dialing = false;
                self.websocket = true;
                self.session.handle_dialed(&mut self.net);
            }
            Move::Refuse if self.net.dialing => {
                self.net.dialing = false;
                let head =
                    crate::protocol::http::Head { status: 400, reason: String::new(), headers: Vec::new() };
                self.lose(Lost::Refused(Box::new((head, Vec::new()))));
            }
            Move::FrameUp => {
                if let Some(item) = self.net.frames_up.pop_front() {
                    self.frame_up(item);
                }
            }
            Move::FrameDown => {
                if let Some(item) = self.net.frames_down.pop_front() {
                    let event = match &item {
                        Item::Text(text) => {
                            let packet = self.session.dialect().packet_of_text(text).unwrap();
                            self.session.handle_packet(&mut self.net, Channel::WebSocket, packet, self.now)
                        }
                        Item::Bytes(bytes) => {
                            let packet = Packet::Binary(bytes.into());
                            self.session.handle_packet(&mut self.net, Channel::WebSocket, packet, self.now)
                        }
                    };
                    self.client_hears(event.map(own));
                }
            }
            Move::Break if self.websocket && !self.net.upgrade_sent => {
                self.websocket = false;
                self.probed = false;
                self.net.frames_up.clear();
                self.net.frames_down.clear();
                self.lose(Lost::Broken("reset".into()));
            }
            Move::Pause => {
                self.now += Duration::from_millis(1);
                let event = self.session.handle_timeout(&mut self.net, self.now);
                self.client_hears(event.map(own));
            }
            _ => {}
        }
    }

    /// Lets everything come home.
    pub(super) fn settle(&mut self) {
        for _ in 0..1_000 {
            let idle = !self.net.is_busy() || (self.poll_held && !self.net.is_busy());
            let quiet = idle
                && !self.post_held
                && !self.net.dialing
                && self.waiting.is_empty()
                && self.net.frames_up.is_empty()
                && self.net.frames_down.is_empty()
                && !(self.probed && self.poll_held);
            if quiet {
                return;
            }
            FAIR.into_iter().for_each(|step| self.take(step));
        }
        panic!("it never comes to rest: {self:?}");
    }

    /// Every message of either side has arrived, once and in order, and every ping is answered.
    pub(super) fn assert_complete(&self) {
        assert_eq!(self.heard_by_server, self.said_by_client, "from the client to the server");
        assert_eq!(self.heard_by_client, self.said_by_server, "from the server to the client");
        assert_eq!(self.pongs, self.pings, "heartbeats");
        assert!(self.session.is_open());
        assert_eq!(self.session.is_polling(), !self.upgraded);
    }

    fn server_says(&mut self, item: Item) {
        self.said_by_server.push(item.clone());
        self.queue(item);
    }

    fn queue(&mut self, item: Item) {
        if self.upgraded { self.net.frames_down.push_back(item) } else { self.waiting.push_back(item) }
    }

    fn answer_poll(&mut self, most: usize) {
        self.poll_held = false;
        self.net.poll_down = Some(self.waiting.drain(..most).collect());
    }

    fn poll_home(&mut self, items: &[Item]) {
        let body: Vec<String> = items.iter().map(Item::written).collect();
        let answer = response(200, &[], body.join("\x1e").as_bytes());
        match self.session.handle_response(&mut self.net, Channel::Poll, &answer) {
            Payload::Packets(packets) => {
                for packet in packets {
                    let event =
                        self.session.handle_packet(&mut self.net, Channel::Poll, packet.unwrap(), self.now);
                    self.client_hears(event.map(own));
                }
            }
            other => panic!("{other:?}"),
        }
        let event = self.session.handle_payload_end(&mut self.net);
        self.client_hears(event.map(own));
    }

    fn frame_up(&mut self, item: Item) {
        assert!(self.websocket);
        match item {
            Item::Text(text) if text == "2probe" => {
                assert!(!self.probed && !self.upgraded, "a second probe");
                self.probed = true;
                self.net.frames_down.push_back(Item::Text("3probe".into()));
            }
            Item::Text(text) if text == "5" => {
                assert!(self.probed && !self.upgraded, "an upgrade without a probe");
                assert!(!self.poll_held && !self.post_held, "a poll or a post is left behind");
                self.probed = false;
                self.upgraded = true;
                self.net.frames_down.extend(self.waiting.drain(..));
            }
            item => {
                assert!(self.upgraded, "{item:?} before the upgrade");
                self.server_hears(item);
            }
        }
    }

    fn server_hears(&mut self, item: Item) {
        match item {
            Item::Text(text) if text == "3" => self.pongs += 1,
            Item::Text(text) if text == "40" => self.queue(Item::Text(r#"40{"sid":"a1"}"#.into())),
            item => self.heard_by_server.push(item),
        }
    }

    fn lose(&mut self, lost: Lost) {
        let event = self.session.handle_lost(&mut self.net, Channel::WebSocket, lost);
        self.client_hears(event.map(own));
    }

    fn client_hears(&mut self, event: Option<Heard>) {
        match event {
            None => {}
            Some(Heard::Message(items)) => self.heard_by_client.extend(items),
            Some(Heard::Upgraded) => self.upgrades += 1,
            Some(Heard::UpgradeFailed) => self.failures += 1,
            Some(Heard::Wrong(what)) => panic!("the session says: {what}"),
        }
    }
}

/// An event that has let go of what it borrowed.
enum Heard {
    Message(Vec<Item>),
    Upgraded,
    UpgradeFailed,
    Wrong(String),
}

fn own(event: Event<'_>) -> Heard {
    match event {
        Event::ServerEvent(ServerEvent { data, attachments, .. }) => {
            let head = match attachments.len() {
                0 => format!("42{data}"),
                n => format!("45{n}-{data}"),
            };
            let bytes = attachments.iter().map(|bytes| Item::Bytes(bytes.to_vec()));
            Heard::Message(std::iter::once(Item::Text(head)).chain(bytes).collect())
        }
        Event::Upgraded => Heard::Upgraded,
        Event::UpgradeFailed(..) => Heard::UpgradeFailed,
        Event::Opened { .. } | Event::Connected { .. } | Event::Heartbeat => Heard::Message(Vec::new()),
        other => Heard::Wrong(format!("{other:?}")),
    }
}
