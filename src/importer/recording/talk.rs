//! What the tabs said and heard: requests that belong to one session are one tab, and packets are events.

use bytes::Bytes;
use serde_json::{Map, Value as Json};
use url::Url;

use super::keys::AS_TEXT;
use super::recorded::{Content, Exchange, Line, Recorded};
use crate::importer::{Kind as NoteKind, Note};
use crate::protocol::attachments::Assembler;
use crate::protocol::dialect::{Dialect, Parser, Version};
use crate::protocol::engine_io::Packet;
use crate::protocol::socket_io::{self, Kind};
use crate::protocol::{jsonp, msgpack, placeholder_num};

/// So many attachments of an event are read.
const MOST_ATTACHMENTS: u32 = 1_000;

/// By so many of its first bytes an attachment is known again.
const MOST_SHOWN: usize = 1_000;

/// So many bytes of all attachments of an event are read.
const MOST_ATTACHED: usize = 32 << 20;

/// What one page said and heard over one connection.
#[derive(Debug, Default)]
pub(super) struct Tab {
    /// The session's id, by which its requests are known.
    sid: Option<String>,
    pub(super) origin: String,
    pub(super) path: String,
    /// The parameters that are the application's own.
    pub(super) query: Vec<(String, String)>,
    /// When it was asked for, in seconds.
    pub(super) began: f64,
    /// The cookies that came with it.
    pub(super) cookies: Vec<(String, String)>,
    /// The headers that may have let it in.
    pub(super) headers: Vec<(String, String)>,
    pub(super) version: Option<Version>,
    pub(super) parser: Parser,
    pub(super) has_polled: bool,
    pub(super) has_websocket: bool,
    lines: Vec<Line>,
    /// In the order of time.
    pub(super) said: Vec<Said>,
    /// When anything passed over it for the last time, in seconds.
    pub(super) until: f64,
}

/// Something that a tab said or heard.
#[derive(Clone, Debug)]
pub(super) struct Said {
    /// In seconds.
    pub(super) at: f64,
    pub(super) is_sent: bool,
    pub(super) namespace: String,
    pub(super) what: What,
}

/// What was said.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// A client asks for a namespace, or the server grants it.
    Connect(Option<Json>),
    Event {
        name: String,
        args: Vec<Json>,
        id: Option<u64>,
    },
    Ack {
        id: u64,
        args: Vec<Json>,
    },
    /// The server refuses a namespace, and says why.
    Refusal(Json),
    Other,
}

impl Tab {
    /// Whether it was in a namespace.
    pub(super) fn is_connected(&self) -> bool {
        let is_asked = |said: &Said| said.is_sent || self.version == Some(Version::V3);
        self.said.iter().any(|said| is_asked(said) && matches!(said.what, What::Connect(_)))
    }

    /// The events that it sent.
    pub(super) fn sent(&self) -> impl Iterator<Item = (&Said, &str, &[Json], Option<u64>)> {
        self.said.iter().filter(|said| said.is_sent).filter_map(|said| match &said.what {
            What::Event { name, args, id } => Some((said, name.as_str(), args.as_slice(), *id)),
            _ => None,
        })
    }

    /// The events that it received.
    pub(super) fn heard(&self) -> impl Iterator<Item = (&Said, &str, &[Json])> {
        self.said.iter().filter(|said| !said.is_sent).filter_map(|said| match &said.what {
            What::Event { name, args, .. } => Some((said, name.as_str(), args.as_slice())),
            _ => None,
        })
    }

    /// With what the server acknowledged the event with this number.
    pub(super) fn acknowledgement(&self, of: &Said, number: u64) -> Option<&[Json]> {
        self.said.iter().find_map(|said| match &said.what {
            What::Ack { id, args }
                if *id == number && !said.is_sent && said.namespace == of.namespace && said.at >= of.at =>
            {
                Some(args.as_slice())
            }
            _ => None,
        })
    }

    /// The version that it speaks.
    fn dialect(&self) -> &'static Dialect {
        self.version.map_or_else(Default::default, Version::dialect)
    }

    /// Keeps the id of the session where the server tells it.
    fn learn(&mut self, line: &Line) {
        let packet = match &line.content {
            Content::Body(body) => {
                self.dialect().packets(body).ok().and_then(|mut packets| packets.next()?.ok())
            }
            Content::Text(text) => self.dialect().packet_of_text(text).ok(),
            Content::Binary(_) => None,
        };
        if let Some(Packet::Open(open)) = packet
            && let Ok(open) = serde_json::from_str::<Json>(open)
        {
            self.sid = open["sid"].as_str().map(str::to_owned).or(self.sid.take());
        }
    }

    /// Reads what was said, in the order of time.
    fn read(&mut self) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.sort_by(|one, other| one.at.total_cmp(&other.at));
        self.until = lines.last().map_or(0.0, |line| line.at);
        let assembler = || Assembler::new(MOST_ATTACHMENTS, MOST_ATTACHED);
        let mut assemblers = [assembler(), assembler()];
        let dialect = self.dialect();
        for line in &lines {
            let assembler = &mut assemblers[usize::from(line.is_sent)];
            match &line.content {
                Content::Text(text) => {
                    self.take(line, dialect.packet_of_text(text).ok().into_iter(), assembler);
                }
                Content::Binary(bytes) => {
                    self.take(line, dialect.packet_of_bytes(bytes.into()).ok().into_iter(), assembler);
                }
                // The response to a post is the word `ok`.
                Content::Body(body) if !line.is_sent && body == b"ok" => {}
                Content::Body(body) => {
                    let packets = dialect.packets(body).into_iter().flatten().map_while(Result::ok);
                    self.take(line, packets, assembler);
                }
            }
        }
    }

    fn take<'a>(
        &mut self,
        line: &Line,
        packets: impl Iterator<Item = Packet<'a>>,
        assembler: &mut Assembler,
    ) {
        for packet in packets {
            let (namespace, what) = match packet {
                Packet::Text(text) => {
                    let Ok(packet) = socket_io::decode(text) else { continue };
                    if packet.kind.is_binary() {
                        let Ok(Some(whole)) = assembler.begin(&packet) else { continue };
                        (whole.namespace, what(whole.kind, Some(&whole.data), whole.id, &[]))
                    } else {
                        let _ = assembler.interrupt();
                        (packet.namespace.to_owned(), what(packet.kind, packet.data, packet.id, &[]))
                    }
                }
                Packet::Binary(bytes) if assembler.pending() => {
                    let Ok(Some(whole)) = assembler.push(&bytes) else { continue };
                    (whole.namespace, what(whole.kind, Some(&whole.data), whole.id, &whole.attachments))
                }
                // Bytes that no event has announced: packets of another parser.
                Packet::Binary(bytes) => {
                    let Ok(decoded) = msgpack::decode(&bytes) else { continue };
                    self.parser = Parser::Msgpack;
                    let what = what(decoded.kind, decoded.data.as_deref(), decoded.id, &decoded.attachments);
                    (decoded.namespace, what)
                }
                _ => continue,
            };
            self.said.push(Said { at: line.at, is_sent: line.is_sent, namespace, what });
        }
    }
}

fn what(kind: Kind, data: Option<&str>, id: Option<u64>, attachments: &[Bytes]) -> What {
    let data = data.and_then(|data| serde_json::from_str::<Json>(data).ok());
    match (kind, data, id) {
        (Kind::Connect, data, _) => What::Connect(data.filter(Json::is_object)),
        (Kind::ConnectError, data, _) => What::Refusal(data.unwrap_or_default()),
        (Kind::Event | Kind::BinaryEvent, Some(Json::Array(mut items)), id) if !items.is_empty() => {
            match items.remove(0) {
                Json::String(name) => {
                    let args = items.into_iter().map(|item| with_bytes(item, attachments)).collect();
                    What::Event { name, args, id }
                }
                _ => What::Other,
            }
        }
        (Kind::Ack | Kind::BinaryAck, Some(Json::Array(items)), Some(id)) => {
            What::Ack { id, args: items.into_iter().map(|item| with_bytes(item, attachments)).collect() }
        }
        _ => What::Other,
    }
}

/// A value as a scenario says it: bytes are as many others, as nobody can read them in a scenario. Their beginning, a character for
/// each, stands beside that number, so that they are known again.
fn with_bytes(value: Json, attachments: &[Bytes]) -> Json {
    match value {
        Json::Object(map) if map.get("_placeholder") == Some(&Json::Bool(true)) => {
            let number = placeholder_num(&Json::Object(map)).and_then(|number| usize::try_from(number).ok());
            let bytes = number.and_then(|number| attachments.get(number));
            let shown =
                bytes.map(|bytes| bytes.iter().take(MOST_SHOWN).copied().map(char::from).collect::<String>());
            serde_json::json!({ "$bytes": bytes.map_or(16, Bytes::len), AS_TEXT: shown.unwrap_or_default() })
        }
        Json::Object(map) => {
            let entries = map.into_iter().map(|(key, value)| (key, with_bytes(value, attachments)));
            Json::Object(entries.collect::<Map<_, _>>())
        }
        Json::Array(items) => items.into_iter().map(|item| with_bytes(item, attachments)).collect(),
        other => other,
    }
}

/// All tabs of a recording.
pub(super) fn tabs(recorded: &mut Recorded, notes: &mut Vec<Note>) -> Vec<Tab> {
    let mut tabs: Vec<Tab> = Vec::new();
    if recorded.is_cut {
        let what = "the recording is long: only its beginning is in the scenario".to_owned();
        notes.push(Note { line: 0, kind: NoteKind::Changed, what });
    }
    if recorded.is_broken_off {
        let what = "the recording ends in the middle: what stands before that is in the scenario".to_owned();
        notes.push(Note { line: 0, kind: NoteKind::Changed, what });
    }
    for exchange in std::mem::take(&mut recorded.exchanges) {
        take(&mut tabs, exchange);
    }
    tabs.iter_mut().for_each(Tab::read);
    tabs.retain(|tab| !tab.said.is_empty());
    tabs
}

/// What JSONP carries, in the place of the call and the form around it.
fn without_jsonp(line: Line, j: &str) -> Line {
    let Content::Body(body) = &line.content else { return line };
    let payload = match line.is_sent {
        true => jsonp::payload_of_form(body),
        false => jsonp::payload_of(body, j).ok(),
    };
    match payload {
        Some(payload) => Line { content: Content::Body(payload.into_bytes()), ..line },
        None => line,
    }
}

/// The server of a url, as pages name it.
pub(super) fn origin(url: &Url) -> String {
    let host = url.host_str().unwrap_or("localhost");
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let scheme = if ["https", "wss"].contains(&url.scheme()) { "https" } else { "http" };
    format!("{scheme}://{host}{port}")
}

fn take(tabs: &mut Vec<Tab>, mut exchange: Exchange) {
    let Ok(url) = Url::parse(&exchange.url) else { return };
    if let Some(j) = jsonp::asked_by(url.query().unwrap_or_default()) {
        exchange.lines = exchange.lines.into_iter().map(|line| without_jsonp(line, &j)).collect();
    }
    let parameter =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let sid = parameter("sid");
    let known = sid.as_ref().and_then(|sid| tabs.iter().position(|tab| tab.sid.as_ref() == Some(sid)));
    let index = known.unwrap_or_else(|| {
        let own =
            url.query_pairs().filter(|(name, _)| !["EIO", "transport", "sid", "t", "b64"].contains(&&**name));
        let version = parameter("EIO").and_then(|number| Version::of(number.parse().ok()?));
        tabs.push(Tab {
            sid: sid.clone(),
            origin: origin(&url),
            path: url.path().to_owned(),
            query: own.map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
            version,
            began: exchange.at,
            cookies: exchange.cookies().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            headers: exchange
                .headers
                .iter()
                .filter(|(name, _)| !name.eq_ignore_ascii_case("cookie"))
                .cloned()
                .collect(),
            ..Tab::default()
        });
        tabs.len() - 1
    });
    let tab = &mut tabs[index];
    match parameter("transport").as_deref() {
        Some("websocket") => tab.has_websocket = true,
        _ => tab.has_polled = true,
    }
    if tab.sid.is_none() {
        exchange.lines.iter().filter(|line| !line.is_sent).take(1).for_each(|line| tab.learn(line));
    }
    tab.lines.extend(exchange.lines);
}
