//! One QUIC connection with the WebTransport session on it, and the one stream of that session.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use mio::net::UdpSocket;
use quinn_proto::{
    ClientConfig, Connection, ConnectionError, ConnectionHandle, DatagramEvent, Dir, Endpoint,
    EndpointConfig, Event, StreamEvent, StreamId, VarInt,
};

use super::super::remote_config::RemoteConfig;
use super::super::stream::not_made;
use crate::protocol::http3::{self, Answer, Answers, Told};
use crate::protocol::{Rule, Violation, webtransport};
use crate::session::{Lost, Phases};

/// Nothing went wrong (RFC 9114, section 8.1).
const NO_ERROR: u32 = 0x100;

/// Whoever asked wants no answer any more (RFC 9114, section 8.1).
const CANCELLED: u32 = 0x10c;

/// How many datagrams are read before others get their turn.
const READS_AT_ONCE: usize = 64;

/// How much of a stream is read at once.
const CHUNK: usize = 64 << 10;

/// A session with nothing to send keeps at most so much of its buffer.
const KEPT_BUFFER: usize = 512;

/// What happened.
#[derive(Debug)]
pub(super) enum Happened {
    /// The session and its stream are open.
    Established(Phases),
    /// Bytes of the stream came.
    Bytes(Bytes),
    /// It is no more. This is the last that happens.
    Lost(Lost),
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// The handshake of QUIC, since then.
    Shaking(Instant),
    /// The settings of the server are awaited, and then the answer to the CONNECT. QUIC was ready then.
    Asking(Instant, Phases),
    /// The stream is open.
    Open,
}

/// One session.
#[derive(Debug)]
pub(super) struct Quic {
    /// Tells it from others that the client had before.
    pub(super) serial: u64,
    /// Whether the scenario wants its stream unread.
    pub(super) paused: bool,
    /// When its client is to be called, as far as was told.
    pub(super) alarm: Option<Instant>,
    /// Whether it stands in the list of those with something to send.
    pub(super) dirty: bool,
    /// Takes the packets off the stream.
    pub(super) decoder: webtransport::Decoder,
    socket: UdpSocket,
    endpoint: Endpoint,
    handle: ConnectionHandle,
    connection: Connection,
    stage: Stage,
    /// The CONNECT, until it is sent.
    request: Vec<u8>,
    /// The stream of the CONNECT.
    asked: Option<StreamId>,
    answers: Answers,
    /// The stream of the packets.
    stream: Option<StreamId>,
    /// The streams that the server has opened.
    told: Vec<(StreamId, Told)>,
    /// What waits to be sent on the stream.
    out: Vec<u8>,
    /// How much may wait, in bytes.
    most: usize,
    /// A datagram that the socket did not take.
    unsent: Vec<u8>,
    /// Whether it is being closed politely.
    closing: bool,
    /// Why it is no more, until everything that came before is read.
    lost: Option<Lost>,
}

impl Quic {
    /// Begins a connection.
    pub(super) fn open(
        peer: &RemoteConfig,
        config: ClientConfig,
        name: &str,
        request: Vec<u8>,
        serial: u64,
        now: Instant,
        most: usize,
    ) -> Result<Quic, Lost> {
        let socket = peer.connect_datagrams().map_err(|error| not_made(&error))?;
        let mut endpoint = Endpoint::new(Arc::new(EndpointConfig::default()), None, true, None);
        let (handle, connection) = endpoint
            .connect(now, config, peer.address, name)
            .map_err(|error| Lost::Unreachable(error.to_string()))?;
        Ok(Quic {
            serial,
            paused: false,
            alarm: None,
            dirty: false,
            decoder: webtransport::Decoder::new(peer.limit),
            socket,
            endpoint,
            handle,
            connection,
            stage: Stage::Shaking(now),
            request,
            asked: None,
            answers: Answers::default(),
            stream: None,
            told: Vec::new(),
            out: Vec::new(),
            most,
            unsent: Vec::new(),
            closing: false,
            lost: None,
        })
    }

    pub(super) fn socket(&mut self) -> &mut UdpSocket {
        &mut self.socket
    }

    /// Whether packets can be sent on it.
    pub(super) fn is_open(&self) -> bool {
        self.stage == Stage::Open && !self.closing
    }

    /// Puts a packet behind what is queued.
    pub(super) fn say(&mut self, is_binary: bool, parts: &[impl AsRef<[u8]>]) {
        if self.is_open() {
            webtransport::write(&mut self.out, is_binary, parts);
        }
    }

    /// Whether it has waited for the server for so long that nobody is there.
    pub(super) fn waits_since(&self) -> Option<Instant> {
        match self.stage {
            Stage::Shaking(since) => Some(since),
            Stage::Asking(..) | Stage::Open => None,
        }
    }

    /// Reads what has come. Gives how many bytes that were, and whether there may be more.
    pub(super) fn receive(&mut self, now: Instant, buffer: &mut [u8]) -> (u64, bool) {
        let mut read = 0;
        for _ in 0..READS_AT_ONCE {
            match self.socket.recv(buffer) {
                Ok(length) => {
                    read += length as u64;
                    self.take(now, &buffer[..length]);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return (read, false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.fail(&error);
                    return (read, false);
                }
            }
        }
        (read, true)
    }

    fn take(&mut self, now: Instant, datagram: &[u8]) {
        let mut response = Vec::new();
        let remote = self.connection.remote_address();
        let datagram = BytesMut::from(datagram);
        match self.endpoint.handle(now, remote, None, None, datagram, &mut response) {
            Some(DatagramEvent::ConnectionEvent(_, event)) => self.connection.handle_event(event),
            // Nobody is waited for: no server speaks first.
            Some(DatagramEvent::NewConnection(incoming)) => self.endpoint.ignore(incoming),
            Some(DatagramEvent::Response(_)) | None => {}
        }
    }

    /// The socket failed. That nobody listens at the port any more is told by the machine at the other end.
    fn fail(&mut self, error: &io::Error) {
        let refused = error.kind() == io::ErrorKind::ConnectionRefused;
        let words = error.to_string();
        self.lost.get_or_insert(match self.stage {
            Stage::Shaking(_) if refused => {
                Lost::Unreachable(format!("nobody listens for QUIC at this UDP port: {words}"))
            }
            Stage::Shaking(_) => Lost::Unreachable(words),
            _ if refused => Lost::Broken(format!("nobody listens at the UDP port any more: {words}")),
            Stage::Asking(..) | Stage::Open => Lost::Broken(words),
        });
    }

    /// The time has come that was awaited.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.connection.poll_timeout().is_some_and(|time| time <= now) {
            self.connection.handle_timeout(now);
        }
    }

    /// Whether it is no more, which nobody was told yet.
    pub(super) fn has_ended(&self) -> bool {
        self.lost.is_some()
    }

    /// When it has to be called.
    pub(super) fn poll_timeout(&mut self) -> Option<Instant> {
        self.connection.poll_timeout()
    }

    /// What happened next, if anything did.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Happened> {
        while let Some(event) = self.connection.poll() {
            match self.handle(event, now) {
                Ok(None) => {}
                Ok(Some(happened)) => return Some(happened),
                Err(lost) => _ = self.lost.get_or_insert(lost),
            }
        }
        if let Some(bytes) = self.read_stream() {
            return Some(Happened::Bytes(bytes));
        }
        self.lost.take().map(Happened::Lost)
    }

    fn handle(&mut self, event: Event, now: Instant) -> Result<Option<Happened>, Lost> {
        match event {
            Event::Connected => {
                if let Stage::Shaking(since) = self.stage {
                    let tcp = now.saturating_duration_since(since);
                    self.stage = Stage::Asking(now, Phases { tcp, ..Phases::default() });
                }
                let control = self.connection.streams().open(Dir::Uni);
                self.send_on(control, &http3::settings())?;
            }
            Event::ConnectionLost { reason } => return Err(self.explained(reason)),
            Event::Stream(StreamEvent::Opened { dir: Dir::Uni }) => {
                while let Some(id) = self.connection.streams().accept(Dir::Uni) {
                    self.told.push((id, Told::default()));
                    self.hear(id)?;
                }
            }
            Event::Stream(StreamEvent::Readable { id }) if Some(id) == self.asked => {
                return self.read_answers(now);
            }
            Event::Stream(StreamEvent::Readable { id }) if Some(id) != self.stream => self.hear(id)?,
            // The server has what closes the session.
            Event::Stream(StreamEvent::Finished { id }) if Some(id) == self.asked => {
                return Err(Lost::SessionClosed { code: 0, reason: String::new() });
            }
            Event::HandshakeDataReady
            | Event::Stream(_)
            | Event::DatagramReceived
            | Event::DatagramsUnblocked => {}
        }
        Ok(None)
    }

    /// Sends the first bytes of a stream of ours, which a healthy server takes at once.
    fn send_on(&mut self, stream: Option<StreamId>, bytes: &[u8]) -> Result<StreamId, Lost> {
        let no_room = || Lost::Broken("the server leaves no room for the streams of a session".to_owned());
        let stream = stream.ok_or_else(no_room)?;
        match self.connection.send_stream(stream).write(bytes) {
            Ok(written) if written == bytes.len() => Ok(stream),
            Ok(_) | Err(_) => Err(no_room()),
        }
    }

    /// Reads what the server says on a stream of its own.
    fn hear(&mut self, id: StreamId) -> Result<(), Lost> {
        loop {
            let bytes = match self.read(id) {
                Ok(Some(bytes)) => bytes,
                Ok(None) => return Ok(()),
                Err(()) => {
                    self.told.retain(|(told, _)| *told != id);
                    return Ok(());
                }
            };
            let Some((_, told)) = self.told.iter_mut().find(|(told, _)| *told == id) else { return Ok(()) };
            match told.read(&bytes).map_err(unreadable)? {
                Some(true) if self.asked.is_none() => self.ask()?,
                Some(false) => return Err(unreadable("its settings offer none".to_owned())),
                Some(true) | None => {}
            }
        }
    }

    /// Asks for a session. That the server takes it has to be known before (draft-ietf-webtrans-http3, section 3.1).
    fn ask(&mut self) -> Result<(), Lost> {
        let request = std::mem::take(&mut self.request);
        let stream = self.connection.streams().open(Dir::Bi);
        self.asked = Some(self.send_on(stream, &request)?);
        Ok(())
    }

    fn read_answers(&mut self, now: Instant) -> Result<Option<Happened>, Lost> {
        let Some(asked) = self.asked else { return Ok(None) };
        let mut happened = None;
        loop {
            let (bytes, is_over) = match self.read(asked) {
                Ok(Some(bytes)) => (bytes, false),
                Ok(None) => (Bytes::new(), false),
                Err(()) => (Bytes::new(), true),
            };
            let mut answer = self.answers.read(&bytes).map_err(unreadable)?;
            while let Some(said) = answer {
                match said {
                    Answer::Accepted => happened = Some(self.begin(asked, now)?),
                    Answer::Refused(status) => return Err(Lost::NotAccepted(status)),
                    Answer::Closed { code, reason } => return Err(Lost::SessionClosed { code, reason }),
                }
                answer = self.answers.read(&[]).map_err(unreadable)?;
            }
            if is_over {
                return Err(match self.stage {
                    Stage::Open => Lost::SessionClosed { code: 0, reason: String::new() },
                    Stage::Shaking(_) | Stage::Asking(..) => Lost::NoResponse,
                });
            }
            if bytes.is_empty() {
                return Ok(happened);
            }
        }
    }

    /// The session is open: its stream is opened, too.
    fn begin(&mut self, session: StreamId, now: Instant) -> Result<Happened, Lost> {
        let mut phases = Phases::default();
        if let Stage::Asking(since, before) = self.stage {
            phases = Phases { http: now.saturating_duration_since(since), ..before };
        }
        let stream = self.connection.streams().open(Dir::Bi);
        let head = http3::beginning(VarInt::from(session).into_inner());
        self.stream = Some(self.send_on(stream, &head)?);
        self.stage = Stage::Open;
        Ok(Happened::Established(phases))
    }

    /// The next bytes of the stream of packets.
    fn read_stream(&mut self) -> Option<Bytes> {
        let stream = self.stream.filter(|_| !self.paused)?;
        match self.read(stream) {
            Ok(bytes) => bytes,
            Err(()) => {
                // What closes the session may be on its way, and says more.
                self.stream = None;
                None
            }
        }
    }

    /// The next bytes of a stream, as far as they are here; `Err` at its end.
    fn read(&mut self, id: StreamId) -> Result<Option<Bytes>, ()> {
        let mut stream = self.connection.recv_stream(id);
        let mut chunks = stream.read(true).map_err(|_| ())?;
        let read = match chunks.next(CHUNK) {
            Ok(Some(chunk)) => Ok(Some(chunk.bytes)),
            Ok(None) | Err(quinn_proto::ReadError::Reset(_)) => Err(()),
            Err(quinn_proto::ReadError::Blocked) => Ok(None),
        };
        // What is sent follows anyway.
        let _ = chunks.finalize();
        read
    }

    /// Sends what waits to be sent. Gives how many bytes left.
    pub(super) fn transmit(&mut self, now: Instant) -> u64 {
        self.write();
        while let Some(event) = self.connection.poll_endpoint_events() {
            if let Some(event) = self.endpoint.handle_event(self.handle, event) {
                self.connection.handle_event(event);
            }
        }
        let mut sent = 0;
        loop {
            if self.unsent.is_empty() {
                match self.connection.poll_transmit(now, 1, &mut self.unsent) {
                    Some(transmit) => self.unsent.truncate(transmit.size),
                    None => break,
                }
            }
            match self.socket.send(&self.unsent) {
                Ok(_) => sent += self.unsent.len() as u64,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return sent,
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => self.fail(&error),
                // It is lost, as datagrams may be: the probe of a path that takes no larger ones, for example.
                Err(_) => {}
            }
            self.unsent.clear();
        }
        self.unsent = Vec::new();
        sent
    }

    /// Puts what is queued on the stream, as far as the server lets it.
    fn write(&mut self) {
        let Some(stream) = self.stream.filter(|_| !self.out.is_empty()) else { return };
        match self.connection.send_stream(stream).write(&self.out) {
            Ok(written) => _ = self.out.drain(..written),
            Err(quinn_proto::WriteError::Blocked) => {}
            // Whoever reads no more has closed the session, or will.
            Err(_) => self.out.clear(),
        }
        if self.out.len() > self.most {
            let words = format!("the server left {} bytes unread", self.most);
            self.lost.get_or_insert(Lost::Broken(words));
        }
        if self.out.is_empty() {
            if self.out.capacity() > KEPT_BUFFER {
                self.out = Vec::new();
            }
            self.finish();
        }
    }

    /// Closes the session behind what is queued.
    pub(super) fn say_goodbye(&mut self) {
        self.closing = true;
        self.write();
        self.finish();
    }

    fn finish(&mut self) {
        if !self.closing || !self.out.is_empty() {
            return;
        }
        if let Some(stream) = self.stream {
            let _ = self.connection.send_stream(stream).finish();
        }
        if let Some(asked) = self.asked {
            let farewell = http3::farewell();
            let mut stream = self.connection.send_stream(asked);
            if stream.write(&farewell).is_ok_and(|written| written == farewell.len()) {
                let _ = stream.finish();
            }
        }
    }

    /// Ends the connection at once, with an error or without: what is queued is lost.
    pub(super) fn close(&mut self, now: Instant, is_cut: bool) {
        let code = VarInt::from_u32(if is_cut { CANCELLED } else { NO_ERROR });
        self.connection.close(now, code, Bytes::new());
        self.transmit(now);
    }

    /// Why QUIC has ended, in our words.
    fn explained(&self, reason: ConnectionError) -> Lost {
        let is_open = !matches!(self.stage, Stage::Shaking(_));
        let of_tls = |code: u64| (0x100..0x200).contains(&code);
        match reason {
            ConnectionError::TimedOut if is_open => {
                Lost::Broken("nothing came from the server until the idle time of QUIC was over".to_owned())
            }
            ConnectionError::TimedOut => Lost::Unreachable("nobody answers to QUIC there".to_owned()),
            ConnectionError::TransportError(error) if of_tls(error.code.into()) => Lost::Tls(error.reason),
            ConnectionError::ConnectionClosed(closed) if of_tls(closed.error_code.into()) => {
                Lost::Tls(closed.to_string())
            }
            ConnectionError::ApplicationClosed(closed) if is_open => {
                let code = closed.error_code.into_inner();
                let reason = String::from_utf8_lossy(&closed.reason).chars().take(120).collect();
                Lost::SessionClosed { code: if code == u64::from(NO_ERROR) { 0 } else { code }, reason }
            }
            reason if is_open => Lost::Broken(format!("QUIC: {reason}")),
            reason => Lost::Unreachable(format!("QUIC: {reason}")),
        }
    }
}

/// HTTP/3 that leads to no session.
fn unreadable(detail: String) -> Lost {
    Lost::Violated(Violation { rule: Rule::Http3, detail })
}
