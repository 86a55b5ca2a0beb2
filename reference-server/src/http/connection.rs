//! The task of one TCP connection, as long as it speaks HTTP.
//!
//! Reads requests one after the other and hands each to the Engine.IO endpoint or the chat page. Becoming a
//! WebSocket ends it: the socket moves to a task of its own.

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
use super::engine;
use super::request::{BadHead, Framing, Request};
use super::response::Response;
use crate::faults::Fault;
use crate::page;
use crate::server::Server;

/// Skipped after a refusal before the connection is given up.
const MAX_SKIPPED: usize = 16 << 20;

/// Counts a connection for as long as it has something to do: a server that stops waits for these.
pub(crate) struct Counted(Rc<Server>);

impl Counted {
    fn new(server: &Rc<Server>) -> Counted {
        server.connections.set(server.connections.get() + 1);
        Counted(server.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.set(self.0.connections.get() - 1);
    }
}

pub(crate) struct Connection {
    pub(crate) server: Rc<Server>,
    pub(crate) stream: TcpStream,
    pub(crate) peer: SocketAddr,
    /// What arrived and has not been looked at.
    pub(crate) buffer: Vec<u8>,
}

/// What becomes of a connection after a request.
pub(crate) enum Next {
    /// It waits for another one.
    KeepAlive,
    /// It ends.
    Close,
    /// The handler has taken it elsewhere: to a WebSocket.
    Taken(Box<dyn FnOnce(TcpStream, Vec<u8>, Counted)>),
}

/// What came of waiting for a body.
pub(crate) enum Received {
    Whole(Vec<u8>),
    TooLong,
    Broken,
}

/// Serves a connection until it ends or becomes a WebSocket.
pub(crate) async fn serve(server: Rc<Server>, stream: TcpStream, peer: SocketAddr) {
    let mut connection = Connection { server, stream, peer, buffer: Vec::new() };
    let mut first = true;
    loop {
        let mut request = match connection.head(first).await {
            Ok(Some(request)) => request,
            Ok(None) => return,
            Err(status) => {
                let _ = connection.respond(None, Response::empty(status)).await;
                return connection.linger().await;
            }
        };
        first = false;
        if connection.server.faults.has(Fault::ConnectionNotKept) {
            request.keep_alive = false;
        }
        let counted = Counted::new(&connection.server);
        let endpoint = &connection.server.config.path;
        let alike = request.path.starts_with(endpoint.trim_end_matches('/'));
        let next =
            if request.path == *endpoint || alike && connection.server.faults.has(Fault::PathPrefixMatches) {
                engine::handle(&mut connection, &request).await
            } else {
                let response = page::respond(&connection.server.config, &request);
                connection.respond(Some(&request), response).await
            };
        match next {
            Next::KeepAlive => {}
            Next::Close => return connection.linger().await,
            Next::Taken(take) => return take(connection.stream, connection.buffer, counted),
        }
    }
}

impl Connection {
    /// The next request head. `None`: the client is done, or was silent for too long.
    async fn head(&mut self, first: bool) -> Result<Option<Request>, u16> {
        let limits = &self.server.config.limits;
        let (most, idle, patience) = (limits.head_bytes, limits.keep_alive, limits.head_timeout);
        if self.buffer.is_empty() {
            self.buffer = Vec::new();
            let wait = if first { patience } else { idle };
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
        while self.buffer.len() <= self.server.config.limits.head_bytes {
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
        let patience = self.server.config.limits.body_timeout;
        let arriving = async {
            loop {
                match body.feed(&self.buffer) {
                    Err(_) => return Received::Broken,
                    Ok((used, progress)) => {
                        self.buffer.drain(..used);
                        if self.server.faults.has(Fault::PostDecodedByPiece) {
                            body.decode_piece();
                        }
                        match progress {
                            Progress::Done => return Received::Whole(body.into_data()),
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

    /// Writes a response. Without a request, or with its body unread, the connection ends.
    pub(crate) async fn respond(&mut self, request: Option<&Request>, response: Response) -> Next {
        let unread =
            request.is_none_or(|request| request.framing != Framing::None && request.method != "POST");
        self.respond_and(request, response, !unread).await
    }

    /// Writes a response and says whether another request may follow.
    pub(crate) async fn respond_and(
        &mut self,
        request: Option<&Request>,
        response: Response,
        more: bool,
    ) -> Next {
        let keep_alive = more && request.is_some_and(|request| request.keep_alive);
        let head_only = request.is_some_and(|request| request.method == "HEAD");
        let bytes = response.encode(keep_alive, head_only);
        let patience = self.server.config.limits.body_timeout;
        match timeout(patience, self.stream.write_all(&bytes)).await {
            Ok(Ok(())) if keep_alive => Next::KeepAlive,
            _ => Next::Close,
        }
    }

    /// Ends a connection without resetting it: a reset could overtake the last response.
    async fn linger(mut self) {
        let patience = self.server.config.limits.close_timeout;
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
