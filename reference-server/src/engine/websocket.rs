//! The task of one WebSocket: bytes in, frames to the session, the session's queue out.
//!
//! Spec: Engine.IO protocol v4, "WebSocket", "Upgrade"; RFC 6455. Written as one poll function: an idle connection owns no buffer, what is read lands in a
//! buffer all connections of the thread share, and everything queued goes out in one write.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use super::older;
use super::packet::Packet;
use super::request::Version;
use super::session::{Session, State};
use crate::faults::{Fault, requests};
use crate::reason::Reason;
use crate::websocket::frame::{self, Event, Reader};

const SCRATCH: usize = 64 << 10;
/// Frames from here on are written from where they are instead of being copied together.
const LARGE: usize = 16 << 10;
/// Reads before other connections get their turn.
const READS_PER_TURN: usize = 4;
/// Pongs owed to a client that floods us with pings and does not read.
const MAX_CONTROL: usize = 64 << 10;

thread_local! {
    static READ: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static WRITE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// What this WebSocket is to its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It carries the session.
    Owner,
    /// It wants to take over from polling; the number is the session's for this attempt.
    Candidate(u64),
}

/// How it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The peer is gone, there is nobody to talk to.
    Gone,
    /// A close frame is due, with or without a code.
    Close(Option<u16>),
}

struct Driver {
    stream: TcpStream,
    reader: Reader,
    /// The start of a frame whose rest has not arrived.
    partial: Vec<u8>,
    writer: Writer,
    speaker: Speaker,
}

/// What frames mean.
struct Speaker {
    session: Rc<Session>,
    role: Role,
    /// Control frames and probe answers, which go before the queue.
    control: Vec<u8>,
}

#[derive(Default)]
struct Writer {
    /// What the last write left over: always finished first, so frames stay whole.
    unsent: Bytes,
}

/// Runs a WebSocket after its handshake. `early` is what arrived with the request.
pub(super) async fn run(stream: TcpStream, session: Rc<Session>, role: Role, mut early: Vec<u8>) {
    let (faults, config) = (session.shared.faults, &session.shared.config);
    let (ignored, off_by_one) = (Fault::WebSocketLimitIgnored, Fault::WebSocketLimitOffByOne);
    let limit = requests::limit(faults, config.max_payload, ignored, off_by_one);
    let patience = config.limits.close_timeout;
    let mut driver = Driver {
        stream,
        reader: Reader::new(limit, faults),
        partial: Vec::new(),
        writer: Writer::default(),
        speaker: Speaker { session, role, control: Vec::new() },
    };
    let early_end = if early.is_empty() { None } else { driver.consume(&mut early).err() };
    drop(early);
    let end = match early_end {
        Some(end) => end,
        None => std::future::poll_fn(|context| driver.poll(context)).await,
    };
    driver.speaker.ended(end);
    if let End::Close(code) = end
        && !faults.has(Fault::CloseFrameMissing)
    {
        driver.say_goodbye(code, patience).await;
    }
}

/// Closes a WebSocket that no session wants.
pub(super) async fn refuse(stream: TcpStream, patience: Duration) {
    farewell(stream, frame::control(frame::OPCODE_CLOSE, &[]), patience).await;
}

impl Driver {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<End> {
        if self.speaker.role == Role::Owner {
            self.speaker.session.enter(context.waker());
        }
        let result = self.turn(context);
        self.speaker.session.rest();
        result
    }

    fn turn(&mut self, context: &mut Context<'_>) -> Poll<End> {
        for turn in 0..READS_PER_TURN {
            match self.read(context) {
                Poll::Pending => break,
                Poll::Ready(Err(end)) => return Poll::Ready(end),
                Poll::Ready(Ok(())) if turn + 1 == READS_PER_TURN => context.waker().wake_by_ref(),
                Poll::Ready(Ok(())) => {}
            }
        }
        let session = &self.speaker.session;
        match self.speaker.role {
            // An upgrade may have completed just now.
            Role::Owner => session.enter(context.waker()),
            Role::Candidate(_) => {}
        }
        match self.speaker.role {
            Role::Candidate(number) if !session.is_candidate(number, context.waker()) => {
                return Poll::Ready(End::Close(None));
            }
            Role::Owner if session.state.get() == State::Closed => return Poll::Ready(End::Close(None)),
            _ => {}
        }
        let draining = session.state.get() == State::Draining;
        match self.writer.flush(&mut self.stream, &mut self.speaker, context) {
            Poll::Ready(Err(_)) => Poll::Ready(End::Gone),
            Poll::Ready(Ok(())) if draining => Poll::Ready(End::Close(None)),
            _ => Poll::Pending,
        }
    }

    fn read(&mut self, context: &mut Context<'_>) -> Poll<Result<(), End>> {
        let mut scratch = READ.take();
        scratch.resize(SCRATCH, 0);
        let mut buffer = ReadBuf::new(&mut scratch);
        let read = Pin::new(&mut self.stream).poll_read(context, &mut buffer);
        let length = buffer.filled().len();
        let result = match read {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(_)) => Poll::Ready(Err(End::Gone)),
            Poll::Ready(Ok(())) if length == 0 => Poll::Ready(Err(End::Gone)),
            Poll::Ready(Ok(())) => Poll::Ready(self.consume(&mut scratch[..length])),
        };
        READ.set(scratch);
        result
    }

    fn consume(&mut self, fresh: &mut [u8]) -> Result<(), End> {
        if self.partial.is_empty() {
            let used = self.frames(fresh)?;
            self.partial.extend_from_slice(&fresh[used..]);
        } else {
            let mut joined = std::mem::take(&mut self.partial);
            joined.extend_from_slice(fresh);
            let used = self.frames(&mut joined)?;
            if used < joined.len() {
                joined.drain(..used);
                self.partial = joined;
            }
        }
        Ok(())
    }

    fn frames(&mut self, bytes: &mut [u8]) -> Result<usize, End> {
        let mut used = 0;
        loop {
            match self.reader.next(&mut bytes[used..]) {
                Ok(None) => return Ok(used),
                Ok(Some((length, event))) => {
                    used += length;
                    self.speaker.handle(event)?;
                }
                Err(violation) => {
                    self.speaker.fail();
                    return Err(End::Close(Some(violation.close_code())));
                }
            }
        }
    }

    async fn say_goodbye(self, code: Option<u16>, patience: Duration) {
        let mut bytes = self.writer.unsent.to_vec();
        bytes.extend_from_slice(&self.speaker.control);
        let code = code.map(u16::to_be_bytes);
        bytes.extend(frame::control(frame::OPCODE_CLOSE, code.as_ref().map_or(&[], |code| code)));
        // The session may be waited for; it must not be kept by a peer that is slow to leave.
        drop(self.speaker);
        farewell(self.stream, bytes, patience).await;
    }
}

/// Writes the last bytes, then waits a little for the peer to close: closing with unread input would reset
/// the connection and take the close frame with it.
async fn farewell(mut stream: TcpStream, bytes: Vec<u8>, patience: Duration) {
    let _ = tokio::time::timeout(patience, async {
        if stream.write_all(&bytes).await.is_ok() && stream.shutdown().await.is_ok() {
            let mut ignored = [0; 1024];
            while matches!(stream.read(&mut ignored).await, Ok(1..)) {}
        }
    })
    .await;
}

impl Speaker {
    fn handle(&mut self, event: Event<'_>) -> Result<(), End> {
        let faults = self.session.shared.faults;
        match event {
            Event::Text(text) => self.text(text)?,
            Event::Binary(_) if self.role != Role::Owner => return Err(End::Close(None)),
            Event::Binary([_, data @ ..]) if faults.has(Fault::WebSocketBinaryTyped) => {
                self.session.handle_packet(Packet::Binary(Bytes::copy_from_slice(data)));
            }
            Event::Binary(data) if self.session.is_older() && !faults.has(Fault::OlderBinaryReadUntyped) => {
                match older::from_bytes(data) {
                    Ok(packet) => self.session.handle_packet(packet),
                    Err(_) => self.session.handle_invalid(),
                }
            }
            Event::Binary(data) => self.session.handle_packet(Packet::Binary(Bytes::copy_from_slice(data))),
            Event::Ping(_) if faults.has(Fault::WebSocketPingIgnored) => {}
            Event::Ping(content) => {
                self.control.extend(frame::control(frame::OPCODE_PONG, content));
                if self.control.len() > MAX_CONTROL {
                    return Err(End::Gone);
                }
            }
            Event::Close(code) => return Err(End::Close(code)),
            Event::Fragment if faults.has(Fault::FragmentsRefused) => return Err(End::Close(Some(1003))),
            Event::Pong | Event::Fragment => {}
        }
        if self.role == Role::Owner && self.session.state.get() == State::Closed {
            return Err(End::Close(None));
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), End> {
        let packet = match self.session.handshake.version {
            Version::V3 => older::from_text(text),
            Version::V4 => Packet::from_text(text),
        };
        let Role::Candidate(_) = self.role else {
            match packet {
                Ok(packet) => self.session.handle_packet(packet),
                Err(_) => self.session.handle_invalid(),
            }
            return Ok(());
        };
        match packet {
            Ok(Packet::Ping("probe")) => {
                let plain = self.session.has(Fault::ProbeAnsweredPlain);
                let answer: &[u8] = if plain { b"3" } else { b"3probe" };
                self.control.extend_from_slice(&frame::server_header(frame::OPCODE_TEXT, answer.len()));
                self.control.extend_from_slice(answer);
                self.session.handle_probe();
                Ok(())
            }
            Ok(Packet::Upgrade) if self.session.has(Fault::UpgradePacketIgnored) => Ok(()),
            Ok(Packet::Upgrade) if self.is_current() => {
                self.session.complete_upgrade();
                self.role = Role::Owner;
                Ok(())
            }
            _ => {
                if self.session.has(Fault::WrongProbeEndsSession) {
                    self.session.abort(Reason::TransportError);
                }
                Err(End::Close(None))
            }
        }
    }

    fn is_current(&self) -> bool {
        let Role::Candidate(number) = self.role else { return false };
        if self.session.has(Fault::UpgradeWithoutProbeRefused) && !self.session.is_probed() {
            return false;
        }
        self.session.is_candidate(number, std::task::Waker::noop())
    }

    /// The peer broke RFC 6455.
    fn fail(&self) {
        if self.role == Role::Owner {
            self.session.abort(Reason::TransportError);
        }
    }

    fn ended(&self, end: End) {
        let faults = self.session.shared.faults;
        match self.role {
            Role::Owner if end == End::Gone && faults.has(Fault::LostConnectionKept) => {}
            Role::Owner if self.session.state.get() == State::Draining => self.session.vanish(),
            Role::Owner => self.session.abort(Reason::TransportClose),
            Role::Candidate(_) if end == End::Gone && faults.has(Fault::FailedUpgradeEndsSession) => {
                self.session.abort(Reason::TransportError);
            }
            Role::Candidate(number) => self.session.cancel_upgrade(Some(number)),
        }
    }
}

impl Writer {
    /// Writes until nothing waits or the socket is full.
    fn flush(
        &mut self,
        stream: &mut TcpStream,
        speaker: &mut Speaker,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            while self.unsent.has_remaining() {
                let written = ready!(Pin::new(&mut *stream).poll_write(context, &self.unsent))?;
                self.unsent.advance(written);
            }
            self.unsent = Bytes::new();
            let mut control = std::mem::take(&mut speaker.control);
            let first = if speaker.role == Role::Owner { speaker.session.next_frame() } else { None };
            let Some(first) = first else {
                if control.is_empty() {
                    return Poll::Ready(Ok(()));
                }
                self.unsent = Bytes::from(control);
                continue;
            };
            if control.is_empty() && (first.frame().len() >= LARGE || !speaker.session.has_packets()) {
                self.unsent = first.frame().clone();
                continue;
            }
            let mut batch = WRITE.take();
            batch.clear();
            batch.append(&mut control);
            batch.extend_from_slice(first.frame());
            while batch.len() < SCRATCH {
                let Some(packet) = speaker.session.next_frame() else { break };
                batch.extend_from_slice(packet.frame());
            }
            let written = Pin::new(&mut *stream).poll_write(context, &batch);
            let rest = match &written {
                Poll::Ready(Ok(written)) => &batch[*written..],
                Poll::Ready(Err(_)) => &[],
                Poll::Pending => &batch[..],
            };
            self.unsent = Bytes::copy_from_slice(rest);
            WRITE.set(batch);
            ready!(written)?;
        }
    }
}
