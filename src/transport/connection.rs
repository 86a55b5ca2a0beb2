//! The bytes of one connection: what waits to be sent, the handshake, frames and responses.

use std::time::{Duration, Instant};

use mio::{Interest, Token};

use super::exchange::{Exchange, Fate};
use super::network::Network;
use super::stream::{Stream, Taken};
use super::{Connections, Notice, RemoteConfig, webtransport};
use crate::protocol::deflate;
use crate::protocol::http::{Response, Responses};
use crate::protocol::websocket::{self, Message, Messages, Opcode};
use crate::session::{Channel, Lost, Phases};

/// A connection with nothing to send keeps at most so much of its buffer.
const KEPT_BUFFER: usize = 512;

/// More than this is not queued for a server that does not read.
pub(super) const MAX_QUEUE: usize = 32 << 20;

/// How often a connection is read before others get their turn.
const READS_AT_ONCE: usize = 8;

/// After so long without an answer to TCP, nobody is there.
const LONG: Duration = Duration::from_secs(1);

/// An idle HTTP connection older than this may have been closed by the server under our feet (Node's default is
/// five seconds), so a new one is opened.
pub(super) const STALE: Duration = Duration::from_secs(3);

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) client: u32,
    pub(super) channel: Channel,
    /// Tells it from others that had its place before.
    serial: u64,
    stream: Stream,
    birth: Birth,
    watch: Watch,
    speech: Speech,
    /// What waits to be sent.
    out: Vec<u8>,
    /// What was read of an unfinished frame.
    partial: Vec<u8>,
    /// Whether it stands in the list of those with bytes to send.
    pub(super) dirty: bool,
    /// Whether the scenario wants it unread.
    pub(super) paused: bool,
    /// The peer sends nothing more. This is told once, maybe together with its last bytes.
    pub(super) ending: bool,
    /// How much may wait to be sent, in bytes.
    most: u32,
}

/// How far the connection has come.
#[derive(Debug)]
enum Birth {
    /// TCP, since then.
    Tcp(Instant),
    /// TLS, since then; TCP took so long.
    Tls(Instant, Duration),
    /// Bytes flow.
    Done { tcp: Duration, tls: Option<Duration>, at: Instant },
}

/// `mio` on Windows tells that a connection can be written to after each read that finds nothing, as long as it is asked to.
const WRITABLE_AGAIN_AND_AGAIN: bool = cfg!(windows);

/// What the readiness queue tells of it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Watch {
    /// Nothing: it is not in the queue yet.
    Nothing,
    /// That something can be read. Most connections never have to be told more.
    Reading,
    /// That something can be read or written.
    Everything,
}

/// What is spoken on it.
#[derive(Debug)]
enum Speech {
    /// A WebSocket before its `101`, and what it asked for.
    Handshake(Box<Responses>, Asked),
    /// A WebSocket.
    Frames(Messages),
    /// HTTP.
    Http(Box<Exchange>),
}

/// What the handshake of a WebSocket asks for.
#[derive(Debug)]
pub(super) struct Asked {
    /// What the accept header has to answer.
    pub(super) key: String,
    /// Whether compression is offered.
    pub(super) compression: bool,
    /// The subprotocols that are offered, if there are any.
    pub(super) protocols: Option<String>,
}

impl Connection {
    pub(super) fn open(
        network: &Network,
        peer: &RemoteConfig,
        client: u32,
        channel: Channel,
        serial: u64,
        asked: Option<Asked>,
    ) -> Result<Connection, Lost> {
        let limit = usize::try_from(peer.limit).unwrap_or(usize::MAX);
        let speech = match asked {
            Some(asked) => Speech::Handshake(Box::new(Responses::new(limit)), asked),
            None => Speech::Http(Box::new(Exchange::new(limit))),
        };
        Ok(Connection {
            client,
            channel,
            serial,
            stream: Stream::connect(network, peer)?,
            birth: Birth::Tcp(network.now()),
            watch: Watch::Nothing,
            speech,
            out: Vec::new(),
            partial: Vec::new(),
            dirty: false,
            paused: false,
            ending: false,
            most: u32::try_from(limit.min(MAX_QUEUE)).unwrap_or(u32::MAX),
        })
    }

    /// Sees to it that the readiness queue tells what the connection waits for. Each change is a system call, and a
    /// connection that can be written to is told at once, for nothing: so it enters the queue after its first words.
    pub(super) fn watch(&mut self, network: &Network, place: usize) -> std::io::Result<()> {
        let is_up = matches!(self.birth, Birth::Done { .. });
        let waits = !is_up || !self.out.is_empty() || self.stream.is_behind();
        let (watch, interest) = match (self.watch, waits) {
            (Watch::Nothing, false) => (Watch::Reading, Interest::READABLE),
            (Watch::Nothing | Watch::Reading, true) => {
                (Watch::Everything, Interest::READABLE | Interest::WRITABLE)
            }
            (Watch::Everything, false) if WRITABLE_AGAIN_AND_AGAIN => (Watch::Reading, Interest::READABLE),
            (Watch::Reading, false) | (Watch::Everything, _) => return Ok(()),
        };
        let is_known = std::mem::replace(&mut self.watch, watch) != Watch::Nothing;
        network.watch(self.stream.socket(), Token(place), interest, is_known)
    }

    /// What is to be sent goes here.
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Whether TCP has not been answered for a while.
    pub(super) fn waits_for_tcp(&self, now: Instant) -> bool {
        matches!(self.birth, Birth::Tcp(since) if now.saturating_duration_since(since) >= LONG)
    }

    /// Whether frames can be sent on it.
    pub(super) fn is_websocket(&self) -> bool {
        matches!(self.speech, Speech::Frames(_))
    }

    /// Whether another request may be sent on it: it was not idle for so long that the server may have closed it, and the
    /// server has not.
    pub(super) fn takes_requests(&mut self, now: Instant, stale: Duration) -> bool {
        let Speech::Http(exchange) = &self.speech else { return false };
        exchange.takes_requests(now, stale) && !(exchange.is_idle() && self.stream.has_ended())
    }

    /// A request was put into the queue, from this place on.
    pub(super) fn requested(&mut self, method: &str, from: usize, is_last: bool, may_repeat: bool) {
        if let Speech::Http(exchange) = &mut self.speech {
            exchange.requested(method, self.out.get(from..).unwrap_or_default(), is_last, may_repeat);
        }
    }

    /// What becomes of the request under way, now that the connection is lost.
    pub(super) fn fate(&mut self, lost: Lost) -> Fate {
        match &mut self.speech {
            Speech::Http(exchange) => exchange.fate(lost, &self.out),
            Speech::Handshake(..) | Speech::Frames(_) => Fate::Lost(lost),
        }
    }

    /// Sends what the socket takes. Gives how many bytes that were.
    pub(super) fn flush(&mut self, network: &Network) -> Result<u64, Lost> {
        if let Birth::Tcp(since) = self.birth
            && !self.out.is_empty()
            && !self.stream.has_prelude()
        {
            let at = network.now();
            let Some(written) = self.stream.speak_first(&self.out)? else { return Ok(0) };
            self.birth = Birth::Done { tcp: at.saturating_duration_since(since), tls: None, at };
            return self.sent(written);
        }
        if !self.come_forth(network)? || (self.out.is_empty() && !self.stream.is_behind()) {
            return Ok(0);
        }
        let written = self.stream.write(&self.out)?;
        self.sent(written)
    }

    /// So much of what waited to be sent was.
    fn sent(&mut self, written: usize) -> Result<u64, Lost> {
        if written == self.out.len() {
            self.out.clear();
            if self.out.capacity() > KEPT_BUFFER {
                self.out = Vec::new();
            }
        } else {
            self.out.drain(..written);
            if self.out.len() > self.most as usize {
                let words = format!("the server left {} bytes unread", self.most);
                return Err(Lost::Broken(words));
            }
        }
        Ok(written as u64)
    }

    /// Goes on with connect and TLS. Whether bytes may flow.
    fn come_forth(&mut self, network: &Network) -> Result<bool, Lost> {
        if let Birth::Tcp(since) = self.birth {
            if !self.stream.connected()? || !self.stream.cross()? {
                return Ok(false);
            }
            let now = network.now();
            self.birth = Birth::Tls(now, now.saturating_duration_since(since));
        }
        if let Birth::Tls(since, tcp) = self.birth {
            if !self.stream.shake_hands()? {
                return Ok(false);
            }
            let at = network.now();
            let tls = self.stream.is_encrypted().then(|| at.saturating_duration_since(since));
            self.birth = Birth::Done { tcp, tls, at };
        }
        Ok(true)
    }

    fn phases(&self, now: Instant) -> Phases {
        match self.birth {
            Birth::Done { tcp, tls, at } => Phases { tcp, tls, http: now.saturating_duration_since(at) },
            Birth::Tcp(_) | Birth::Tls(..) => Phases::default(),
        }
    }

    /// Puts a message behind what is queued, compressed where that was agreed on.
    pub(super) fn say(&mut self, opcode: Opcode, mask: [u8; 4], parts: &[impl AsRef<[u8]>]) {
        let Speech::Frames(messages) = &mut self.speech else { return };
        match messages.deflate(parts) {
            Some(payload) => {
                websocket::write(&mut self.out, true, websocket::COMPRESSED, opcode, Some(mask), &payload);
            }
            None => websocket::write_parts(&mut self.out, true, 0, opcode, Some(mask), parts),
        }
    }

    /// Puts a close frame behind what is queued.
    pub(super) fn say_close(&mut self, code: u16, chance: &mut fastrand::Rng) {
        let mask = chance.u32(..).to_ne_bytes();
        websocket::write(&mut self.out, true, 0, Opcode::Close, Some(mask), &code.to_be_bytes());
    }

    pub(super) fn cut(&self) {
        self.stream.cut();
    }

    pub(super) fn say_goodbye(&mut self) {
        self.stream.say_goodbye();
    }
}

/// Takes messages as they are read: borrowed from the buffer, nothing is copied.
pub trait Reader {
    /// Something happened.
    fn handle_notice(&mut self, transport: &mut Connections, client: u32, notice: Notice);
    /// A WebSocket message arrived.
    fn handle_message(&mut self, transport: &mut Connections, client: u32, message: Message<'_>);
}

impl Connections {
    /// Reads a connection that is ready and tells what came. Sends what could not be sent before.
    pub fn handle_ready(&mut self, place: usize, now: Instant, reader: &mut dyn Reader) {
        if place >= webtransport::FIRST {
            return self.handle_session(place, now, reader);
        }
        self.send(place);
        let Some(connection) = self.connections.get_mut(place) else { return };
        if connection.paused || !matches!(connection.birth, Birth::Done { .. }) {
            return;
        }
        let serial = connection.serial;
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut reads = 0;
        while let Some(connection) = self.connections.get_mut(place).filter(|c| c.serial == serial) {
            if reads == READS_AT_ONCE || connection.paused {
                self.unread.push(place);
                break;
            }
            reads += 1;
            match connection.stream.read(&mut buffer) {
                Ok(Taken::Bytes(read)) => {
                    self.read += read as u64;
                    self.take(place, serial, &buffer[..read], now, reader);
                }
                Ok(Taken::Drained(read)) => {
                    let ending = connection.ending;
                    self.read += read as u64;
                    self.take(place, serial, &buffer[..read], now, reader);
                    if read == 0 || !ending {
                        break;
                    }
                }
                Ok(Taken::End) => {
                    self.end(place, now, reader);
                    break;
                }
                Err(lost) => {
                    self.lose(place, lost);
                    break;
                }
            }
        }
        self.buffer = buffer;
    }

    fn take(&mut self, place: usize, serial: u64, bytes: &[u8], now: Instant, reader: &mut dyn Reader) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let Some(connection) = self.connections.get_mut(place).filter(|c| c.serial == serial) else {
                return;
            };
            match &mut connection.speech {
                Speech::Frames(_) => return self.take_frames(place, serial, rest, reader),
                Speech::Handshake(responses, _) => match responses.read(&mut rest) {
                    Ok(Some(response)) => self.upgraded(place, response, now, reader),
                    Ok(None) => {}
                    Err(violation) => return self.lose(place, Lost::Violated(violation)),
                },
                Speech::Http(exchange) => match exchange.responses.read(&mut rest) {
                    Ok(Some(response)) => self.answered(place, response, now, reader),
                    Ok(None) => {}
                    Err(violation) => return self.lose(place, Lost::Violated(violation)),
                },
            }
        }
    }

    /// The answer to a WebSocket handshake (RFC 6455 section 4.1, what the client has to check).
    fn upgraded(&mut self, place: usize, response: Response, now: Instant, reader: &mut dyn Reader) {
        let Some(connection) = self.connections.get_mut(place) else { return };
        let Speech::Handshake(responses, asked) = &mut connection.speech else { return };
        let Asked { key, compression, protocols } = asked;
        let flaw = responses.take_flaw();
        if response.head.status != 101 {
            return self.lose(place, Lost::Refused(Box::new((response.head, response.body))));
        }
        let accept = websocket::check_accept(response.head.header("sec-websocket-accept"), key);
        let protocol = response.head.header(websocket::PROTOCOL);
        let checked = accept.and_then(|()| websocket::check_protocol(protocol, protocols.as_deref()));
        if let Err(violation) = checked {
            return self.lose(place, Lost::Violated(violation));
        }
        let agreed = match deflate::agreed(response.head.values(deflate::HEADER), *compression) {
            Ok(agreed) => agreed,
            Err(violation) => return self.lose(place, Lost::Violated(violation)),
        };
        connection.speech = Speech::Frames(agreed.map_or_else(Messages::new, Messages::compressed));
        // What a client says over its WebSocket is mostly much shorter than its request.
        if connection.out.is_empty() {
            connection.out = Vec::new();
        }
        let (client, channel, phases) = (connection.client, connection.channel, connection.phases(now));
        if let Some(flaw) = flaw {
            reader.handle_notice(self, client, Notice::Flawed(Box::new(flaw)));
        }
        reader.handle_notice(self, client, Notice::Head(Box::new(response.head)));
        reader.handle_notice(self, client, Notice::Established(channel, phases));
    }

    fn answered(&mut self, place: usize, response: Response, now: Instant, reader: &mut dyn Reader) {
        let Some(connection) = self.connections.get_mut(place) else { return };
        let (client, channel, phases) = (connection.client, connection.channel, connection.phases(now));
        let (first, flaw) = match &mut connection.speech {
            Speech::Http(exchange) => (exchange.answered(now), exchange.responses.take_flaw()),
            Speech::Handshake(..) | Speech::Frames(_) => (false, None),
        };
        if !response.keep_alive {
            self.forget(place);
        }
        if first {
            reader.handle_notice(self, client, Notice::Established(channel, phases));
        }
        if let Some(flaw) = flaw {
            reader.handle_notice(self, client, Notice::Flawed(Box::new(flaw)));
        }
        reader.handle_notice(self, client, Notice::Response(channel, Box::new(response)));
    }

    fn take_frames(&mut self, place: usize, serial: u64, bytes: &[u8], reader: &mut dyn Reader) {
        // All nodes have the same.
        let limit = self.peers[0].limit;
        let Some(connection) = self.connections.get_mut(place) else { return };
        let mut partial = std::mem::take(&mut connection.partial);
        let whole: &[u8] = if partial.is_empty() {
            bytes
        } else {
            partial.extend_from_slice(bytes);
            // A large frame is looked at again only when enough of it is there; one that is too large, at once.
            let waits = |needed| partial.len() < needed && needed as u64 <= limit;
            if websocket::needed(&partial).is_some_and(waits) {
                connection.partial = partial;
                return;
            }
            &partial
        };
        let client = connection.client;
        let mut at = 0;
        loop {
            let Some(connection) = self.connections.get_mut(place).filter(|c| c.serial == serial) else {
                return;
            };
            let Speech::Frames(messages) = &mut connection.speech else { return };
            let taken = websocket::parse(&whole[at..], limit).and_then(|parsed| match parsed {
                // Enough to tell what it is instead, if it is no frame.
                None if whole.len() - at >= websocket::TELLING => messages.foresee(whole[at]).map(|()| None),
                None => Ok(None),
                Some((frame, used)) => Ok(Some((messages.push(frame, limit)?, used))),
            });
            match taken {
                Ok(None) => break,
                Ok(Some((message, used))) => {
                    at += used;
                    match message {
                        None => {}
                        Some(close @ Message::Close { .. }) => {
                            return self.closed(place, client, close, reader);
                        }
                        Some(message) => reader.handle_message(self, client, message),
                    }
                }
                Err(violation) => {
                    let violation = websocket::explained(violation, &whole[at..]);
                    return self.lose(place, Lost::Violated(violation));
                }
            }
        }
        if at < whole.len()
            && let Some(connection) = self.connections.get_mut(place).filter(|c| c.serial == serial)
        {
            connection.partial = whole[at..].to_vec();
        }
    }

    /// A close frame arrived: it is answered (RFC 6455 section 5.5.1), and the connection is over.
    fn closed(&mut self, place: usize, client: u32, close: Message<'_>, reader: &mut dyn Reader) {
        if let Some(connection) = self.connections.get_mut(place) {
            let code = match &close {
                Message::Close { code: Some(code), .. } => *code,
                _ => 1000,
            };
            connection.say_close(code, &mut self.chance);
            // Whether the server still takes it makes no difference to anyone.
            let _ = connection.flush(&self.network);
            connection.say_goodbye();
        }
        self.forget(place);
        reader.handle_message(self, client, close);
    }

    fn end(&mut self, place: usize, now: Instant, reader: &mut dyn Reader) {
        let Some(connection) = self.connections.get_mut(place) else { return };
        let (client, serial) = (connection.client, connection.serial);
        if let Speech::Http(exchange) = &mut connection.speech {
            match exchange.responses.eof() {
                // What is asked next may go over a new connection that stands in the place of this one.
                Ok(Some(response)) => self.answered(place, response, now, reader),
                Ok(None) if !exchange.awaits() => {
                    if exchange.takes_requests(now, STALE) {
                        self.note_early_close(client);
                    }
                }
                Ok(None) => return self.lose(place, Lost::NoResponse),
                Err(violation) => return self.lose(place, Lost::Violated(violation)),
            }
            if self.connections.get(place).is_some_and(|connection| connection.serial == serial) {
                self.forget(place);
            }
            return;
        }
        let lost = match connection.speech {
            Speech::Handshake(..) => Lost::NoResponse,
            Speech::Frames(_) | Speech::Http(_) => Lost::Ended,
        };
        self.lose(place, lost);
    }
}
