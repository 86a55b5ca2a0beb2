//! What was recorded: the requests of Engine.IO with what was said over each, within bounds.

use super::request::{Request, Requests, cookies_in};
use crate::secrets::is_secret_header;

/// So many messages of all connections are kept.
pub const MOST_MESSAGES: usize = 50_000;

/// So many bytes of all messages are kept.
pub const MOST_BYTES: usize = 48 << 20;

/// Shorter than this is a message that is kept, in bytes.
pub const LONGEST: usize = 16 << 20;

/// So many values are kept by which requests were let in.
const MOST_HIDDEN: usize = 1_000;

/// The shortest of them that is looked for.
const SHORTEST_HIDDEN: usize = 8;

/// The cookie that old servers of Engine.IO set themselves: it lets nobody in.
const OWN_COOKIE: &str = "io";

/// So many headers of a request of Engine.IO are kept.
const MOST_HEADERS: usize = 20;

/// What tabs said and heard, as requests and frames. More than there is room for is dropped.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    pub(super) exchanges: Vec<Exchange>,
    /// Values by which a request was let in.
    pub(super) hidden: Vec<String>,
    /// What the pages themselves asked for.
    pub(super) requests: Requests,
    /// Whether something is missing because there is too much of it.
    pub is_cut: bool,
    /// Whether the recording ends in the middle of something.
    pub is_broken_off: bool,
    messages: usize,
    bytes: usize,
}

/// A request of Engine.IO, and what was said over it.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) url: String,
    /// When it was asked for, in seconds.
    pub(super) at: f64,
    /// The cookies that came with it, and the headers that let a client in.
    pub(super) headers: Vec<(String, String)>,
    pub(super) lines: Vec<Line>,
}

/// Something that was said.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// In seconds, from any beginning that all have.
    pub(super) at: f64,
    pub(super) is_sent: bool,
    pub(super) content: Content,
}

/// What carries packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// The body of a poll's response, or of a post.
    Body(Vec<u8>),
    /// A message of text of a WebSocket.
    Text(String),
    /// A message of bytes of a WebSocket.
    Binary(Vec<u8>),
}

impl Content {
    fn len(&self) -> usize {
        match self {
            Content::Body(bytes) | Content::Binary(bytes) => bytes.len(),
            Content::Text(text) => text.len(),
        }
    }
}

impl Recorded {
    /// Begins a request with this url: its number. None where there is no room for it.
    pub fn begin(&mut self, url: &str) -> Option<usize> {
        self.count(url.len()).then(|| {
            self.exchanges.push(Exchange {
                url: url.to_owned(),
                at: 0.0,
                headers: Vec::new(),
                lines: Vec::new(),
            });
            self.exchanges.len() - 1
        })
    }

    /// Adds what was said over the request with that number.
    pub fn say(&mut self, exchange: usize, at: f64, is_sent: bool, content: Content) {
        if !self.count(content.len()) {
            return;
        }
        if let Some(exchange) = self.exchanges.get_mut(exchange) {
            exchange.lines.push(Line { at, is_sent, content });
        }
    }

    /// Keeps the parts of a header that let a request in, so that they stand nowhere.
    pub fn hide(&mut self, header: &str) {
        let parts = header.split([';', '=', ' ']).map(str::trim);
        for part in parts.filter(|part| part.len() >= SHORTEST_HIDDEN) {
            if self.hidden.len() < MOST_HIDDEN && !self.hidden.iter().any(|known| known == part) {
                self.hidden.push(part.to_owned());
            }
        }
    }

    /// Keeps when a request with that number was asked for, and those of its headers that may let a client in.
    pub fn comes_with<'h>(
        &mut self,
        exchange: usize,
        at: f64,
        headers: impl Iterator<Item = (&'h str, &'h str)>,
    ) {
        let Some(exchange) = self.exchanges.get_mut(exchange) else { return };
        exchange.at = at;
        // The later requests of a session come with the same.
        if exchange.url.contains("sid=") {
            return;
        }
        for (name, value) in headers.filter(|(name, _)| is_secret_header(name)).take(MOST_HEADERS) {
            if self.bytes + name.len() + value.len() <= MOST_BYTES {
                self.bytes += name.len() + value.len();
                exchange.headers.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    /// Keeps a request of a page.
    pub fn visit(&mut self, request: Request) {
        self.requests.keep(request);
    }

    /// How many connections have begun: requests without the id of a session.
    pub fn sessions(&self) -> usize {
        self.exchanges.iter().filter(|exchange| !exchange.url.contains("sid=")).count()
    }

    /// Whether there is room for a message of this length; it takes that room.
    fn count(&mut self, length: usize) -> bool {
        let has_room = length < LONGEST && self.messages < MOST_MESSAGES && self.bytes + length <= MOST_BYTES;
        match has_room {
            true => (self.messages, self.bytes) = (self.messages + 1, self.bytes + length),
            false => self.is_cut = true,
        }
        has_room
    }
}

impl Exchange {
    /// The cookies that came with it, but those of Engine.IO itself.
    pub(super) fn cookies(&self) -> impl Iterator<Item = (&str, &str)> {
        let headers = self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("cookie"));
        headers.flat_map(|(_, cookies)| cookies_in(cookies)).filter(|(name, _)| *name != OWN_COOKIE)
    }
}
