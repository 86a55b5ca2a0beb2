//! What was recorded: the requests of Engine.IO with what was said over each, within bounds.

use std::collections::BTreeSet;

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

/// So many names of cookies are kept.
const MOST_COOKIES: usize = 20;

/// What tabs said and heard, as requests and frames. More than there is room for is dropped.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    pub(super) exchanges: Vec<Exchange>,
    /// Values by which a request was let in.
    pub(super) hidden: Vec<String>,
    /// The names of the cookies with which connections were asked for.
    pub(super) cookies: BTreeSet<String>,
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
            self.exchanges.push(Exchange { url: url.to_owned(), lines: Vec::new() });
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

    /// Keeps the names of the cookies that came with a request of Engine.IO.
    pub fn comes_with(&mut self, cookies: &str) {
        let names = cookies.split(';').filter_map(|cookie| Some(cookie.split_once('=')?.0.trim()));
        for name in names.filter(|name| !name.is_empty() && *name != OWN_COOKIE) {
            if self.cookies.len() < MOST_COOKIES {
                self.cookies.insert(name.to_owned());
            }
        }
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
