//! What a session says to the transports and hears from them.
//!
//! A connection of Engine.IO is carried by one or more *channels*: a WebSocket, or a WebTransport session in its place, or a
//! pair of HTTP connections (one for the pending poll, one for posts), or, during an upgrade, all of them. The session speaks in
//! frames and requests; how these become bytes on a socket is the business of [`crate::transport`].

use std::fmt;
use std::time::Duration;

use crate::protocol::Violation;
use crate::protocol::http::Head;
use crate::protocol::websocket::Opcode;

/// One of a client's byte streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// The WebSocket of the session.
    WebSocket,
    /// The WebTransport session in its place.
    WebTransport,
    /// The HTTP connection of the pending poll (and of the polling handshake).
    Poll,
    /// The HTTP connection of the posts.
    Post,
    /// A further HTTP connection, opened by a scenario's `http` step.
    Aside(u8),
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Channel::WebSocket => f.write_str("websocket"),
            Channel::WebTransport => f.write_str("webtransport"),
            Channel::Poll => f.write_str("poll"),
            Channel::Post => f.write_str("post"),
            Channel::Aside(n) => write!(f, "http {n}"),
        }
    }
}

/// An HTTP request. The transport adds `Host` and the length of the body.
#[derive(Clone, Debug, PartialEq)]
pub struct Request<'a> {
    /// `GET`, `POST`, or whatever a rude scenario wants.
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// Further headers, in order.
    pub headers: &'a [(String, String)],
    /// The body, if there is one.
    pub body: Option<&'a [u8]>,
    /// How many bytes at the end of the body are not sent yet; they follow by [`Wire::rest`].
    pub held: usize,
    /// Whether it has to go over the connection that is there, and over no other.
    pub same_connection: bool,
    /// Whether it may be sent once more where the server closed a kept-alive connection in that moment, as browsers do.
    pub may_repeat: bool,
}

/// A WebSocket frame as a rude scenario wants it, legal or not.
#[derive(Clone, Debug, PartialEq)]
pub struct RawFrame {
    /// The FIN bit.
    pub fin: bool,
    /// The three reserved bits, as a number from 0 to 7.
    pub rsv: u8,
    /// The opcode.
    pub opcode: Opcode,
    /// Whether the payload is masked, as RFC 6455 section 5.3 demands of a client.
    pub masked: bool,
    /// The payload before masking.
    pub payload: Vec<u8>,
}

/// How a channel is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HangUp {
    /// What is queued is sent; then an HTTP connection is closed, and on a WebSocket a close frame follows, which
    /// the server has to answer. A WebTransport session is closed behind what is queued.
    Clean,
    /// The TCP connection is cut at once, as when a cable is pulled: nothing more is sent. A QUIC connection ends with an
    /// error, and what is queued is lost.
    Cut,
}

/// The outgoing half of the contract between a session and the transports.
///
/// Calls never fail and never block: what goes wrong is reported later, as a [`Lost`].
pub trait Wire {
    /// What is opened from now on leads to this node of the server, by its index.
    fn head_for(&mut self, node: u16);
    /// Opens a WebSocket, or a WebTransport session with its one stream, with this path and query.
    fn dial(&mut self, channel: Channel, target: &str, headers: &[(String, String)]);
    /// Sends one text frame, or one packet of text: the concatenation of `parts`.
    fn text(&mut self, channel: Channel, parts: &[&str]);
    /// Sends one binary frame, or one packet of bytes.
    fn binary(&mut self, channel: Channel, payload: &[u8]);
    /// Sends any frame, legal or not. Of a WebSocket: others have none.
    fn frame(&mut self, channel: Channel, frame: &RawFrame);
    /// Sends a request, over the channel's connection if it is still there, else over a new one.
    fn request(&mut self, channel: Channel, request: Request<'_>);
    /// Sends what a request has held back.
    fn rest(&mut self, channel: Channel, bytes: &[u8]);
    /// Ends a channel. Nothing more is received from it, not even a [`Lost`] — except after [`HangUp::Clean`] on a
    /// WebSocket or a WebTransport session, where it is received that the server has taken note.
    fn hang_up(&mut self, channel: Channel, how: HangUp);
    /// Stops or resumes reading from a channel, so that the server feels a slow consumer.
    fn pause(&mut self, channel: Channel, paused: bool);
}

/// How long the phases of a channel's birth took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Phases {
    /// From the call to the established TCP connection; of QUIC, to the end of its handshake, TLS included.
    pub tcp: Duration,
    /// From there to the end of the TLS handshake.
    pub tls: Option<Duration>,
    /// From there to the response to the first request.
    pub http: Duration,
}

/// What this machine can run out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortage {
    /// Local ports towards the server.
    Port,
    /// Files that the process, or the machine, may have open.
    File,
}

/// Why a channel is no more.
#[derive(Clone, Debug, PartialEq)]
pub enum Lost {
    /// No connection could be made; the operating system's words.
    Unreachable(String),
    /// No connection could be made because this machine has nothing left to make it with.
    Shortage(Shortage),
    /// TLS failed; the library's words.
    Tls(String),
    /// The answer to a WebSocket handshake was not `101`.
    Refused(Box<(Head, Vec<u8>)>),
    /// A close frame arrived.
    Closed {
        /// The close code; `None` when the frame carried none.
        code: Option<u16>,
        /// The reason given, often empty.
        reason: String,
    },
    /// The CONNECT of a WebTransport session was answered with this HTTP status.
    NotAccepted(u16),
    /// The server closed a WebTransport session.
    SessionClosed {
        /// The code given; zero says nothing.
        code: u64,
        /// The reason given, often empty.
        reason: String,
    },
    /// The stream of a WebSocket ended without a close frame.
    Ended,
    /// The stream ended without a byte of the response to a request or to a handshake.
    NoResponse,
    /// A kept-alive HTTP connection ended with a request under way that must not be repeated, and without a byte of a response.
    Unanswered,
    /// The stream was reset or failed otherwise; the operating system's words.
    Broken(String),
    /// The peer broke the rules of HTTP or RFC 6455 so that the stream cannot be read on.
    Violated(Violation),
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lost::Unreachable(words) => write!(f, "no connection: {words}"),
            Lost::Shortage(Shortage::Port) => {
                f.write_str("no connection: this machine has no port left for it")
            }
            Lost::Shortage(Shortage::File) => {
                f.write_str("no connection: this process reached its limit of open files")
            }
            Lost::Tls(words) => write!(f, "TLS failed: {words}"),
            Lost::Refused(answer) => {
                let (head, body) = answer.as_ref();
                write!(f, "the WebSocket handshake was answered with HTTP status {}", head.status)?;
                let body = String::from_utf8_lossy(body);
                match body.trim() {
                    "" => Ok(()),
                    text => write!(f, ": {}", text.chars().take(120).collect::<String>()),
                }
            }
            Lost::Closed { code: None, .. } => f.write_str("the server closed the WebSocket without a code"),
            Lost::Closed { code: Some(code), reason } if reason.is_empty() => {
                write!(f, "the server closed the WebSocket with code {code}")
            }
            Lost::Closed { code: Some(code), reason } => {
                write!(f, "the server closed the WebSocket with code {code} ({reason})")
            }
            Lost::NotAccepted(status) => {
                write!(f, "the WebTransport session was answered with HTTP status {status}")
            }
            Lost::SessionClosed { code, reason } => {
                f.write_str("the server closed the WebTransport session")?;
                if *code != 0 {
                    write!(f, " with code {code}")?;
                }
                if reason.is_empty() { Ok(()) } else { write!(f, " ({reason})") }
            }
            Lost::Ended => f.write_str("the server ended the connection without a close frame"),
            Lost::NoResponse => f.write_str("the server ended the connection without a response"),
            Lost::Unanswered => f.write_str(
                "the server closed a kept-alive connection on which a request was under way; whether the server handled it is not known",
            ),
            Lost::Broken(words) => write!(f, "the connection broke: {words}"),
            Lost::Violated(violation) => write!(f, "{violation}"),
        }
    }
}
