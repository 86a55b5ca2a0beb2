//! A HAR file, read entry by entry: whatever has nothing to do with Socket.IO is dropped at once, and there are bounds for
//! the rest.
//!
//! Spec: HAR 1.2, and `_webSocketMessages` as Chrome writes it.

use std::fmt;
use std::io::Read;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// So many messages of all connections are kept.
const MOST_MESSAGES: usize = 50_000;

/// So many bytes of all messages are kept.
const MOST_BYTES: usize = 48 << 20;

/// What is kept of a file.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    pub(super) exchanges: Vec<Exchange>,
    /// Credentials of any request: headers by which it was let in.
    pub(super) credentials: Vec<String>,
    /// Whether something was dropped because there is too much of it.
    pub(super) is_cut: bool,
    messages: usize,
    bytes: usize,
}

/// A request of Socket.IO, with what was said over it.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    pub(super) url: String,
    /// When it began, as the file says it.
    pub(super) started: String,
    /// The body of a post.
    pub(super) posted: Option<String>,
    /// The body of the response.
    pub(super) answered: Option<String>,
    /// Until the response was there, in milliseconds.
    pub(super) took: f64,
    pub(super) messages: Vec<Message>,
}

/// A message of a WebSocket.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    #[serde(rename = "type", default)]
    pub(super) direction: String,
    /// In seconds since 1970.
    #[serde(default)]
    pub(super) time: f64,
    #[serde(default)]
    pub(super) opcode: f64,
    #[serde(default)]
    pub(super) data: String,
}

/// Reads a file.
///
/// # Errors
/// When it is no HAR.
pub(super) fn read(har: impl Read) -> Result<Recorded, String> {
    let mut recorded = Recorded::default();
    let mut json = serde_json::Deserializer::from_reader(std::io::BufReader::new(har));
    let found = Within(&mut recorded, "log", Level::Root)
        .deserialize(&mut json)
        .map_err(|error| error.to_string())?;
    match found {
        true => Ok(recorded),
        false => Err("it has no `log` with `entries`".to_owned()),
    }
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
            self.0.take(entry);
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
    messages: Vec<Message>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
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
    content: Content,
}

#[derive(Default, Deserialize)]
struct Content {
    text: Option<String>,
}

impl Recorded {
    fn take(&mut self, entry: Entry) {
        for header in &entry.request.headers {
            if ["authorization", "cookie"].contains(&header.name.to_ascii_lowercase().as_str())
                && self.credentials.len() < 1_000
            {
                let parts = header.value.split([';', '=', ' ']).map(str::trim).filter(|part| part.len() >= 8);
                self.credentials.extend(parts.map(str::to_owned));
            }
        }
        let url = &entry.request.url;
        if !url.contains("EIO=") || !url.contains("transport=") {
            return;
        }
        let sizes = [
            entry.request.post_data.as_ref().map(|posted| &posted.text),
            entry.response.content.text.as_ref(),
        ];
        let bytes: usize = sizes.into_iter().flatten().map(String::len).sum();
        if self.messages >= MOST_MESSAGES || self.bytes + bytes > MOST_BYTES {
            self.is_cut = true;
            return;
        }
        self.bytes += bytes;
        self.messages += 1;
        let mut messages = Vec::new();
        for message in entry.messages {
            if self.messages >= MOST_MESSAGES || self.bytes + message.data.len() > MOST_BYTES {
                self.is_cut = true;
                break;
            }
            self.messages += 1;
            self.bytes += message.data.len();
            messages.push(message);
        }
        self.exchanges.push(Exchange {
            url: entry.request.url,
            started: entry.started_date_time,
            posted: entry.request.post_data.map(|posted| posted.text),
            answered: entry.response.content.text,
            took: entry.time,
            messages,
        });
    }
}
