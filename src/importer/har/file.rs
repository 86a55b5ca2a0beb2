//! A HAR file, read entry by entry: whatever has nothing to do with Socket.IO is dropped at once, and there are bounds for
//! the rest.
//!
//! Spec: HAR 1.2, and `_webSocketMessages` as Chrome writes it.

use std::fmt;
use std::io::{BufRead, BufReader, Read};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::bounded::Bounded;
use crate::importer::recording::{Answer, Content, LONGEST, MOST_BYTES, MOST_MESSAGES, Recorded, Request};

/// A message of a WebSocket.
#[derive(Debug, Deserialize)]
struct Message {
    #[serde(rename = "type", default)]
    direction: String,
    /// Since 1970: Chrome writes seconds, Playwright milliseconds.
    #[serde(default)]
    time: f64,
    #[serde(default)]
    opcode: f64,
    #[serde(default)]
    data: String,
}

/// Reads a file.
///
/// # Errors
/// When it is no HAR.
pub(super) fn read(har: impl Read) -> Result<Recorded, String> {
    let mut recorded = Recorded::default();
    let mut har = BufReader::new(har);
    begin(&mut har)?;
    let (bounded, is_cut) = Bounded::new(har, LONGEST);
    let mut json = serde_json::Deserializer::from_reader(BufReader::new(bounded));
    let found = Within(&mut recorded, "log", Level::Root).deserialize(&mut json);
    recorded.is_cut |= is_cut.get();
    match found {
        Ok(true) => Ok(recorded),
        Ok(false) => Err("it has no `log` with `entries`".to_owned()),
        // What stands before is whole: an export that was ended, or a disk that is full.
        Err(error) if error.is_eof() && recorded.sessions() > 0 => {
            recorded.is_broken_off = true;
            Ok(recorded)
        }
        Err(error) if error.is_eof() && error.line() > 0 => Err(format!(
            "it ends in the middle, at line {} column {}, before any connection of Socket.IO: save it again, and wait until all of it \
             is written",
            error.line(),
            error.column()
        )),
        Err(error) => Err(error.to_string()),
    }
}

/// Passes over the mark that some programs put before UTF-8, and tells what is no text.
fn begin(har: &mut impl BufRead) -> Result<(), String> {
    let head = har.fill_buf().map_err(|error| error.to_string())?;
    if head.starts_with(b"\xef\xbb\xbf") {
        har.consume(3);
        return Ok(());
    }
    let what = match head {
        [0x1f, 0x8b, ..] => "it is compressed by gzip: unpack it first",
        [b'P', b'K', 3, 4, ..] => {
            "it is a zip archive: unpack it first; the recording is the file in it that ends in `.har`"
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "it is UTF-16: save it as UTF-8",
        _ => return Ok(()),
    };
    Err(what.to_owned())
}

#[derive(Clone, Copy)]
enum Level {
    Root,
    Log,
}

/// The way to `log.entries`; everything beside it is passed over.
struct Within<'r>(&'r mut Recorded, &'static str, Level);

impl<'de> DeserializeSeed<'de> for Within<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Within<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a map with `{}`", self.1)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(key) = map.next_key::<String>()? {
            match (key == self.1, self.2) {
                (true, Level::Root) => {
                    found |= map.next_value_seed(Within(&mut *self.0, "entries", Level::Log))?
                }
                (true, Level::Log) => {
                    map.next_value_seed(Entries(&mut *self.0))?;
                    found = true;
                }
                (false, _) => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

struct Entries<'r>(&'r mut Recorded);

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(entry) = entries.next_element::<Entry>()? {
            take(self.0, entry);
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default)]
    started_date_time: String,
    #[serde(default)]
    time: f64,
    #[serde(default)]
    request: Asked,
    #[serde(default)]
    response: Answered,
    #[serde(rename = "_webSocketMessages", default)]
    messages: Messages,
}

/// As many messages of one connection as there may be room for, and one more, so that it is noticed that there are more.
#[derive(Default)]
struct Messages(Vec<Message>);

impl<'de> Deserialize<'de> for Messages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Messages, D::Error> {
        struct Bound;

        impl<'de> Visitor<'de> for Bound {
            type Value = Messages;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of messages")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Messages, A::Error> {
                let (mut kept, mut bytes) = (Vec::new(), 0);
                while kept.len() <= MOST_MESSAGES && bytes <= MOST_BYTES {
                    let Some(message) = all.next_element::<Message>()? else { return Ok(Messages(kept)) };
                    bytes += message.data.len();
                    kept.push(message);
                }
                while all.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Messages(kept))
            }
        }

        deserializer.deserialize_seq(Bound)
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    #[serde(default)]
    method: String,
    #[serde(default)]
    url: String,
    #[serde(default)]
    headers: Vec<Header>,
    post_data: Option<Posted>,
}

#[derive(Deserialize)]
struct Posted {
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
struct Header {
    #[serde(default)]
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Default, Deserialize)]
struct Answered {
    #[serde(default)]
    status: f64,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default)]
    content: Text,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Text {
    text: Option<String>,
    encoding: Option<String>,
    mime_type: Option<String>,
}

impl Text {
    fn into_bytes(self) -> Option<Vec<u8>> {
        match (self.text, self.encoding.as_deref()) {
            // Bodies of older servers are bytes, and some browsers write each body so.
            (Some(text), Some("base64")) => STANDARD.decode(text).ok(),
            (text, _) => text.map(String::into_bytes),
        }
    }
}

impl Entry {
    /// The request of a page, which was sent at the one time and answered at the other.
    fn into_request(self, at: f64, then: f64) -> Request {
        let owned = |headers: Vec<Header>| -> Vec<(String, String)> {
            headers.into_iter().map(|header| (header.name, header.value)).collect()
        };
        let mut answered = owned(self.response.headers);
        // Of some answers, browsers tell the kind there alone.
        let kind = self.response.content.mime_type.clone();
        answered.extend(kind.map(|kind| ("content-type".to_owned(), kind)));
        Request {
            at,
            method: if self.request.method.is_empty() {
                "GET".into()
            } else {
                self.request.method.to_uppercase()
            },
            url: self.request.url,
            headers: owned(self.request.headers),
            body: self.request.post_data.map(|posted| posted.text.into_bytes()).unwrap_or_default(),
            answer: Answer {
                at: then,
                status: self.response.status as u16,
                headers: answered,
                body: self.response.content.into_bytes().unwrap_or_default(),
            },
        }
    }
}

/// A time since 1970 in seconds, whatever its unit is: no recording is of before 1973 or of after 5138.
fn seconds(time: f64) -> f64 {
    match time.abs() {
        size if size < 1e11 => time,
        size if size < 1e14 => time / 1e3,
        _ => time / 1e6,
    }
}

fn take(recorded: &mut Recorded, entry: Entry) {
    let headers = entry.request.headers.iter();
    headers
        .filter(|header| ["authorization", "cookie"].contains(&header.name.to_ascii_lowercase().as_str()))
        .for_each(|header| recorded.hide(&header.value));
    let began = entry.started_date_time.parse::<jiff::Timestamp>();
    let began = began.map_or(0.0, |time| time.as_microsecond() as f64 / 1e6);
    let then = began + entry.time.max(0.0) / 1e3;
    let url = &entry.request.url;
    if !url.contains("EIO=") || !url.contains("transport=") {
        recorded.visit(entry.into_request(began, then));
        return;
    }
    let Some(exchange) = recorded.begin(url) else { return };
    let headers = entry.request.headers.iter();
    let headers = headers.map(|header| (header.name.as_str(), header.value.as_str()));
    recorded.comes_with(exchange, began, headers);
    if url.contains("transport=websocket") {
        for message in entry.messages.0 {
            let content = match message.opcode {
                2.0 => STANDARD.decode(&message.data).map(Content::Binary).ok(),
                _ => Some(Content::Text(message.data)),
            };
            if let Some(content) = content {
                recorded.say(exchange, seconds(message.time), message.direction == "send", content);
            }
        }
        return;
    }
    if let Some(posted) = entry.request.post_data {
        recorded.say(exchange, began, true, Content::Body(posted.text.into_bytes()));
    }
    if let Some(answered) = entry.response.content.into_bytes() {
        recorded.say(exchange, then, false, Content::Body(answered));
    }
}
