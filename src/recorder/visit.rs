//! A few clients that look at what an application says: when they connect, and when they ask for what a first scenario asks for.

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::frames::Frames;
use super::message::{Head, head_length};
use super::upstream::{Target, Upstream};
use crate::importer::{Content, Recorded};
use crate::protocol::dialect::Version;
use crate::protocol::http::{Request, write_request};

/// How long the clients listen after they have connected, and after each event.
const ATTENTION: Duration = Duration::from_millis(700);

/// How long it may take until the application lets a client in.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a server of Engine.IO 3 may take until it lets a client in unasked.
const UNASKED: Duration = Duration::from_millis(300);

/// How long one client is listened to before the other one.
const TURN: Duration = Duration::from_millis(20);

/// An application to look at.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) target: Target,
    /// The path of Socket.IO: `/socket.io/`.
    pub(crate) path: String,
    /// What the query of each handshake brings beside what every one does, with `&` before it.
    pub(crate) query: String,
    /// What each client sends with CONNECT.
    pub(crate) auth: Option<Json>,
    pub(crate) namespace: String,
    /// What the clients ask for, one after another: the event, and the argument that each of them gives it, if it asks.
    pub(crate) asks: Vec<(String, Vec<Option<Json>>)>,
    /// After so many of these, a further client comes, which asks for what the first one has asked for until then but for the
    /// last: it sees what the application shows of what was said before.
    pub(crate) late: Option<usize>,
}

/// What was seen of an application.
pub(crate) struct Visited {
    pub(crate) recorded: Recorded,
    /// Whether it ended a client's connection before that had asked for anything.
    pub(crate) sends_away: bool,
    /// The event after which it ended the connections of all clients.
    pub(crate) ended_by: Option<String>,
}

impl Visit {
    /// What the application said, in the newest version that it speaks.
    ///
    /// # Errors
    /// When it cannot be reached, or speaks no Engine.IO over WebSockets: what it said instead.
    pub(crate) fn look(&self) -> Result<Visited, String> {
        let mut refusals = Vec::new();
        for version in [Version::V4, Version::V3] {
            match self.look_in(version) {
                Ok(visited) => return Ok(visited),
                Err(why) => refusals.push(format!("Engine.IO {}: {why}", version.number())),
            }
        }
        Err(refusals.join("; "))
    }

    fn look_in(&self, version: Version) -> Result<Visited, String> {
        let mut recorded = Recorded::default();
        let begin = Instant::now();
        let mut clients = Vec::new();
        let most = self.asks.iter().map(|(_, arguments)| arguments.len()).max().unwrap_or_default();
        for _ in 0..most.max(2) {
            clients.push(Client::enter(self, version, &mut recorded, begin)?);
        }
        listen(&mut clients, &mut recorded, ATTENTION);
        let sends_away = clients.iter().any(|client| client.is_gone || client.has_heard("41"));
        let mut ended_by = None;
        for (number, (event, arguments)) in self.asks.iter().enumerate() {
            if ended_by.is_some() {
                break;
            }
            // One after the other, so that it can be told who heard what because of whom.
            for (asker, argument) in arguments.iter().enumerate() {
                let Some(argument) = argument else { continue };
                let namespace = namespace(&self.namespace);
                let text = format!("42{namespace}{number}{}", json!([event, argument]));
                clients[asker].say(&text, &mut recorded);
                listen(&mut clients, &mut recorded, ATTENTION);
            }
            let is_over = !sends_away && clients.iter().all(|client| client.is_gone);
            ended_by = is_over.then(|| event.clone());
            if self.late == Some(number + 1) && !is_over {
                self.come_late(&mut clients, version, &mut recorded, begin);
            }
        }
        for client in &mut clients {
            client.say("41", &mut recorded);
            client.upstream.end();
        }
        Ok(Visited { recorded, sends_away, ended_by })
    }

    /// A further client comes. One that is not let in sees nothing.
    fn come_late(
        &self,
        clients: &mut Vec<Client>,
        version: Version,
        recorded: &mut Recorded,
        begin: Instant,
    ) {
        let Ok(mut client) = Client::enter(self, version, recorded, begin) else { return };
        let before = self.asks.iter().take(self.late.unwrap_or_default().saturating_sub(1));
        for (number, (event, arguments)) in before.enumerate() {
            if let Some(argument) = arguments.iter().flatten().next() {
                let text = format!("42{}{number}{}", namespace(&self.namespace), json!([event, argument]));
                client.say(&text, recorded);
            }
        }
        clients.push(client);
        listen(clients, recorded, ATTENTION);
    }
}

/// A namespace as packets write it.
fn namespace(name: &str) -> String {
    if name == "/" { String::new() } else { format!("{name},") }
}

fn listen(clients: &mut [Client], recorded: &mut Recorded, time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        clients.iter_mut().for_each(|client| client.hear(recorded));
    }
}

struct Client {
    upstream: Upstream,
    frames: Frames,
    exchange: usize,
    begin: Instant,
    is_gone: bool,
    /// Whether the handshake names the longest message, as those of Engine.IO 4 do.
    is_told_of_longest: bool,
    /// How the first texts begin that it has heard.
    heard: Vec<String>,
}

impl Client {
    /// Connects, and asks for the namespace.
    fn enter(
        visit: &Visit,
        version: Version,
        recorded: &mut Recorded,
        begin: Instant,
    ) -> Result<Client, String> {
        let said = |error: io::Error| match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                format!("no answer within {} s", PATIENCE.as_secs())
            }
            _ => error.to_string(),
        };
        let mut upstream = Upstream::connect(&visit.target).map_err(said)?;
        let plain = format!("{}?EIO={}&transport=websocket", visit.path, version.number());
        let query = format!("{plain}{}", visit.query);
        let origin = visit.target.origin();
        let authority = origin.split("://").nth(1).unwrap_or_default();
        let mut headers = vec![
            ("Host", authority),
            ("Origin", &origin),
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("Sec-WebSocket-Version", "13"),
        ];
        let given = &visit.target.headers;
        headers.retain(|(name, _)| !given.iter().any(|(own, _)| own.eq_ignore_ascii_case(name)));
        headers.extend(given.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let request = Request { method: "GET", target: &query, headers: &headers, body: None };
        let mut head = Vec::new();
        write_request(&mut head, &request).map_err(|refused| refused.to_string())?;
        upstream.write_all(&head).map_err(said)?;
        upstream.wait_at_most(PATIENCE).map_err(said)?;
        let (mut buffer, mut piece) = (Vec::new(), [0; 4096]);
        let length = loop {
            if let Some(length) = head_length(&buffer).map_err(|broken| broken.to_string())? {
                break length;
            }
            match upstream.read(&mut piece).map_err(said)? {
                0 => return Err("the connection ended before an answer".to_owned()),
                count => buffer.extend_from_slice(&piece[..count]),
            }
        };
        let answer = Head::of_response(&buffer[..length]).map_err(|broken| broken.to_string())?;
        if answer.status != 101 {
            let advice = match answer.status {
                401 | 403 => {
                    ": it is there and wants credentials; give them by --header, --query or in the url"
                }
                _ => "",
            };
            return Err(format!("the answer to the WebSocket is {}{advice}", answer.status));
        }
        upstream.wait_at_most(TURN).map_err(said)?;
        let exchange = recorded.begin(&format!("{origin}{plain}")).unwrap_or_default();
        let mut client = Client {
            upstream,
            frames: Frames::default(),
            exchange,
            begin,
            is_gone: false,
            is_told_of_longest: false,
            heard: Vec::new(),
        };
        client.take(&buffer[length..], recorded);
        client.wait_for(&["0"], recorded)?;
        // Old servers answer to any number, and let clients in unasked. They tell no longest message, either.
        let end = Instant::now() + UNASKED;
        while version == Version::V4 && !client.is_told_of_longest && Instant::now() < end {
            if client.has_heard("40") {
                return Err("it lets clients in unasked, as older versions do".to_owned());
            }
            client.hear(recorded);
        }
        if version == Version::V4 || visit.namespace != "/" {
            let auth = visit.auth.as_ref().map(Json::to_string).unwrap_or_default();
            client.say(&format!("40{}{auth}", namespace(&visit.namespace)), recorded);
        }
        client.wait_for(&["40", "44"], recorded)?;
        Ok(client)
    }

    fn has_heard(&self, wanted: &str) -> bool {
        self.heard.iter().any(|text| text.starts_with(wanted))
    }

    /// Listens until a text comes that begins with one of these.
    fn wait_for(&mut self, wanted: &[&str], recorded: &mut Recorded) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        while !wanted.iter().any(|begin| self.has_heard(begin)) {
            if self.is_gone {
                return Err("the application ended the connection".to_owned());
            }
            if Instant::now() > end {
                return Err(format!("no packet that begins with {} came", wanted.join(" or ")));
            }
            self.hear(recorded);
        }
        Ok(())
    }

    fn hear(&mut self, recorded: &mut Recorded) {
        let mut piece = [0; 16 << 10];
        match self.upstream.read(&mut piece) {
            _ if self.is_gone => std::thread::park_timeout(TURN),
            Ok(0) => self.is_gone = true,
            Ok(count) => self.take(&piece[..count], recorded),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => self.is_gone = true,
        }
    }

    fn take(&mut self, bytes: &[u8], recorded: &mut Recorded) {
        for content in self.frames.push(bytes) {
            if let Content::Text(text) = &content {
                if text == "2" {
                    self.send("3");
                }
                self.is_told_of_longest |= text.starts_with('0') && text.contains("maxPayload");
                // A few are enough to know what was waited for.
                if self.heard.len() < 100 {
                    self.heard.push(text.chars().take(2).collect());
                }
            }
            recorded.say(self.exchange, self.begin.elapsed().as_secs_f64(), false, content);
        }
    }

    fn say(&mut self, text: &str, recorded: &mut Recorded) {
        let at = self.begin.elapsed().as_secs_f64();
        recorded.say(self.exchange, at, true, Content::Text(text.to_owned()));
        self.send(text);
    }

    fn send(&mut self, text: &str) {
        use crate::protocol::websocket::{Opcode, write};
        let mut frame = Vec::new();
        // What protects caches on the way from hostile pages need not protect them from us (RFC 6455, section 10.3).
        write(&mut frame, true, 0, Opcode::Text, Some([0x5a, 0xa5, 0x3c, 0xc3]), text.as_bytes());
        self.is_gone |= self.upstream.write_all(&frame).is_err();
    }
}
