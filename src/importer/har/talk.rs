//! What the tabs said and heard: requests that belong to one session are one tab, and packets are events.

use serde_json::{Map, Value as Json};
use url::Url;

use super::file::{Exchange, Recorded};
use crate::importer::{Kind as NoteKind, Note};
use crate::protocol::engine_io::{self, Packet};
use crate::protocol::payload;
use crate::protocol::socket_io::{self, Kind};

/// What one page said and heard over one connection.
#[derive(Debug, Default)]
pub(super) struct Tab {
    /// The session's id, by which its requests are known.
    sid: Option<String>,
    pub(super) origin: String,
    pub(super) path: String,
    /// The parameters that are the application's own.
    pub(super) query: Vec<(String, String)>,
    pub(super) has_polled: bool,
    pub(super) has_websocket: bool,
    /// In the order of time.
    pub(super) said: Vec<Said>,
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
    Connect(Option<Json>),
    Event { name: String, args: Vec<Json>, id: Option<u64> },
    Ack { id: u64 },
    Other,
}

impl Tab {
    /// Whether it asked for a namespace.
    pub(super) fn is_connected(&self) -> bool {
        self.said.iter().any(|said| said.is_sent && matches!(said.what, What::Connect(_)))
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

    /// Whether the server acknowledged the event with this number.
    pub(super) fn is_acknowledged(&self, of: &Said, number: u64) -> bool {
        self.said.iter().any(|said| {
            !said.is_sent
                && said.namespace == of.namespace
                && said.at >= of.at
                && matches!(&said.what, What::Ack { id } if *id == number)
        })
    }

    /// Reads a text packet of Engine.IO.
    fn take(&mut self, at: f64, is_sent: bool, text: &str) {
        match engine_io::decode_text(text) {
            Ok(Packet::Open(handshake)) => {
                let sid = serde_json::from_str::<Json>(handshake).ok();
                self.sid = sid.and_then(|open| open["sid"].as_str().map(str::to_owned)).or(self.sid.take());
            }
            Ok(Packet::Text(text)) => {
                if let Ok(packet) = socket_io::decode(text) {
                    let what = what(&packet);
                    self.said.push(Said { at, is_sent, namespace: packet.namespace.to_owned(), what });
                }
            }
            _ => {}
        }
    }
}

fn what(packet: &socket_io::Packet<'_>) -> What {
    let data = packet.data.and_then(|data| serde_json::from_str::<Json>(data).ok());
    match (packet.kind, data, packet.id) {
        (Kind::Connect, data, _) => What::Connect(data.filter(Json::is_object)),
        (Kind::Event | Kind::BinaryEvent, Some(Json::Array(mut items)), id) if !items.is_empty() => {
            match items.remove(0) {
                Json::String(name) => {
                    What::Event { name, args: items.into_iter().map(sent_value).collect(), id }
                }
                _ => What::Other,
            }
        }
        (Kind::Ack | Kind::BinaryAck, Some(Json::Array(_)), Some(id)) => What::Ack { id },
        _ => What::Other,
    }
}

/// A value as a scenario sends it: bytes, whose content nobody can know from here, are as many zeros as a test needs.
fn sent_value(value: Json) -> Json {
    match value {
        Json::Object(map) if map.get("_placeholder") == Some(&Json::Bool(true)) => {
            serde_json::json!({ "$bytes": 16 })
        }
        Json::Object(map) => {
            Json::Object(map.into_iter().map(|(key, value)| (key, sent_value(value))).collect::<Map<_, _>>())
        }
        Json::Array(items) => items.into_iter().map(sent_value).collect(),
        other => other,
    }
}

/// All tabs of a recording.
pub(super) fn tabs(recorded: Recorded, notes: &mut Vec<Note>) -> Vec<Tab> {
    let mut tabs: Vec<Tab> = Vec::new();
    if recorded.is_cut {
        let what = "the recording is long: only its beginning is in the scenario".to_owned();
        notes.push(Note { line: 0, kind: NoteKind::Changed, what });
    }
    for exchange in recorded.exchanges {
        take(&mut tabs, exchange);
    }
    for tab in &mut tabs {
        tab.said.sort_by(|one, other| one.at.total_cmp(&other.at));
    }
    tabs.retain(|tab| !tab.said.is_empty());
    tabs
}

fn take(tabs: &mut Vec<Tab>, exchange: Exchange) {
    let Ok(url) = Url::parse(&exchange.url) else { return };
    let parameter =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let sid = parameter("sid");
    let known = sid.as_ref().and_then(|sid| tabs.iter().position(|tab| tab.sid.as_ref() == Some(sid)));
    let index = known.unwrap_or_else(|| {
        let own = url
            .query_pairs()
            .filter(|(name, _)| !["EIO", "transport", "sid", "t", "b64", "j"].contains(&&**name));
        let host = url.host_str().unwrap_or("localhost");
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let scheme = if ["https", "wss"].contains(&url.scheme()) { "https" } else { "http" };
        tabs.push(Tab {
            sid: sid.clone(),
            origin: format!("{scheme}://{host}{port}"),
            path: url.path().to_owned(),
            query: own.map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
            ..Tab::default()
        });
        tabs.len() - 1
    });
    let tab = &mut tabs[index];
    if parameter("transport").as_deref() == Some("websocket") {
        tab.has_websocket = true;
        for message in &exchange.messages {
            // A binary message has no text of its own; its event has come before.
            if message.opcode != 2.0 {
                tab.take(message.time, message.direction == "send", &message.data);
            }
        }
        return;
    }
    tab.has_polled = true;
    let began =
        exchange.started.parse::<jiff::Timestamp>().map_or(0.0, |time| time.as_microsecond() as f64 / 1e6);
    for (body, is_sent, at) in
        [(&exchange.posted, true, began), (&exchange.answered, false, began + exchange.took.max(0.0) / 1e3)]
    {
        // The response to a post is the word `ok`.
        let body = body.as_deref().filter(|body| is_sent || *body != "ok").unwrap_or_default();
        for packet in payload::packets(body).flatten() {
            let mut text = String::new();
            if !matches!(packet, Packet::Binary(_)) {
                engine_io::encode_text(&packet, &mut text);
                tab.take(at, is_sent, &text);
            }
        }
    }
}
