//! One TCP connection, as long as it speaks HTTP: request heads and bodies in, responses out.
//!
//! Spec: RFC 9112 section 9. What a request means is not known here: the caller reads one and answers it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::body::{Body, Progress};
use super::request::{BadHead, Framing, Request};
use super::response::Response;
use crate::faults::Fault;
use crate::shared::Shared;

/// Skipped after a refusal before the connection is given up.
const MAX_SKIPPED: usize = 16 << 20;

pub(crate) struct Connection {
    shared: Rc<Shared>,
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    /// What arrived and has not been looked at.
    pub(crate) buffer: Vec<u8>,
    /// Whether no request has come yet.
    fresh: bool,
    /// Whether the body of the latest request is still to be read.
    unread: bool,
}

/// What becomes of a connection after a request.
pub(crate) enum Next {
    /// It waits for another one.
    KeepAlive,
    /// It ends.
    Close,
    /// The handler has taken it elsewhere: to a WebSocket.
    Taken(Box<dyn FnOnce(TcpStream, Vec<u8>) -> Task>),
}

/// What goes on with a connection that was taken.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()>>>;

/// What came of waiting for a body.
pub(crate) enum Received {
    Whole(Vec<u8>),
    TooLong,
    Broken,
}

impl Connection {
    pub(crate) fn new(shared: Rc<Shared>, stream: TcpStream, peer: SocketAddr) -> Connection {
        Connection { shared, stream, peer, buffer: Vec::new(), fresh: true, unread: false }
    }

    /// The next request head. `None`: the client is done, or was silent for too long.
    /// Fails with the status of the response to what is no request.
    pub(crate) async fn head(&mut self) -> Result<Option<Request>, u16> {
        let limits = &self.shared.config.limits;
        let (most, idle, patience) = (limits.head_bytes, limits.keep_alive, limits.head_timeout);
        if self.buffer.is_empty() {
            self.buffer = Vec::new();
            let wait = if self.fresh { patience } else { idle };
            if !matches!(timeout(wait, self.read_more()).await, Ok(Ok(1..))) {
                return Ok(None);
            }
        }
        let arriving = async {
            loop {
                match Request::parse(&self.buffer) {
                    Ok(Some((_, length))) if length > most => return Err(431),
                    Ok(Some((request, length))) => {
                        self.buffer.drain(..length);
                        self.fresh = false;
                        self.unread = request.framing != Framing::None;
                        return Ok(Some(request));
                    }
                    Err(BadHead::Malformed) => return Err(400),
                    Err(BadHead::TooLarge) => return Err(431),
                    Ok(None) if self.buffer.len() > most => return Err(431),
                    Ok(None) => {}
                }
                if !matches!(self.read_more().await, Ok(1..)) {
                    return Ok(None);
                }
            }
        };
        timeout(patience, arriving).await.unwrap_or(Err(408))
    }

    async fn read_more(&mut self) -> io::Result<usize> {
        loop {
            // The wait itself must not hold a buffer: only what arrived is kept.
            self.stream.readable().await?;
            let mut scratch = [0; 4096];
            match self.stream.try_read(&mut scratch) {
                Ok(length) => {
                    self.buffer.extend_from_slice(&scratch[..length]);
                    return Ok(length);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Notices that the client went away while its answer is not ready; keeps what it sent ahead.
    pub(crate) fn poll_gone(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.buffer.len() <= self.shared.config.limits.head_bytes {
            let mut scratch = [0; 1024];
            let mut buffer = ReadBuf::new(&mut scratch);
            match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    self.buffer.extend_from_slice(buffer.filled());
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => break,
            }
        }
        Poll::Pending
    }

    /// The body of a request, at most `limit` bytes of it.
    pub(crate) async fn body(&mut self, request: &Request, limit: usize) -> Received {
        let mut body = Body::new(request.framing, limit);
        if request.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
            let _ = self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await;
        }
        let patience = self.shared.config.limits.body_timeout;
        let arriving = async {
            loop {
                match body.feed(&self.buffer) {
                    Err(_) => return Received::Broken,
                    Ok((used, progress)) => {
                        self.buffer.drain(..used);
                        if self.shared.has(Fault::PostDecodedByPiece) {
                            body.decode_piece();
                        }
                        match progress {
                            Progress::Done => {
                                self.unread = false;
                                return Received::Whole(body.into_data());
                            }
                            Progress::TooLong => return Received::TooLong,
                            Progress::More => {}
                        }
                    }
                }
                if !matches!(self.read_more().await, Ok(1..)) {
                    return Received::Broken;
                }
            }
        };
        timeout(patience, arriving).await.unwrap_or(Received::Broken)
    }

    /// Writes a response and says whether another request may follow. Without a request, or with its body unread,
    /// the connection ends.
    pub(crate) async fn respond(&mut self, request: Option<&Request>, response: Response) -> Next {
        let keep_alive = !self.unread && request.is_some_and(|request| request.keep_alive);
        let head_only = request.is_some_and(|request| request.method == "HEAD");
        let bytes = response.encode(keep_alive, head_only);
        let patience = self.shared.config.limits.body_timeout;
        match timeout(patience, self.stream.write_all(&bytes)).await {
            Ok(Ok(())) if keep_alive => Next::KeepAlive,
            _ => Next::Close,
        }
    }

    /// Ends a connection without resetting it: a reset could overtake the last response.
    pub(crate) async fn linger(mut self) {
        let patience = self.shared.config.limits.close_timeout;
        if self.stream.shutdown().await.is_err() {
            return;
        }
        let _ = timeout(patience.max(Duration::from_millis(100)), async {
            let mut skipped = 0;
            let mut scratch = vec![0; 16 << 10];
            while let Ok(length @ 1..) = self.stream.read(&mut scratch).await {
                skipped += length;
                if skipped > MAX_SKIPPED {
                    break;
                }
            }
        })
        .await;
    }
}
