//! What a session reports to its client.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use super::wire::{Channel, Lost};
use crate::observe::Cause;
use crate::protocol::{Rule, Violation};

/// Something that happened on the connection. At most one for each packet.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<'a> {
    /// The Engine.IO handshake is complete.
    Opened {
        /// What is wrong with it; a usual value stands in the place of each wrong field.
        flaw: Option<Violation>,
    },
    /// The WebSocket now carries everything.
    Upgraded,
    /// The upgrade failed: the reason in words. Long-polling goes on.
    UpgradeFailed(String, Rule),
    /// A namespace accepted our `CONNECT`.
    Connected {
        /// Its name.
        namespace: Cow<'a, str>,
        /// Whether the server says that it restored our earlier state (same recovery id).
        recovered: bool,
    },
    /// A namespace refused our `CONNECT`.
    Refused {
        /// Its name.
        namespace: Cow<'a, str>,
        /// The JSON text of the reason, `""` when there was none.
        reason: Cow<'a, str>,
    },
    /// The server ended our membership of a namespace.
    Disconnected {
        /// Its name.
        namespace: Cow<'a, str>,
        /// Whether we had only asked for it, and were due an answer.
        was_asked: bool,
    },
    /// An event arrived.
    ServerEvent(ServerEvent<'a>),
    /// An acknowledgement that we asked for arrived.
    Answered(Answer<'a>),
    /// A ping arrived.
    Heartbeat,
    /// The connection is no more.
    Closed(Closed),
    /// The server broke a rule of the protocol. The session goes on as well as it can.
    Violated(Violation),
}

impl Event<'_> {
    /// The same, with nothing that belongs to the packet.
    pub(super) fn into_owned(self) -> Event<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Event::Opened { flaw } => Event::Opened { flaw },
            Event::Upgraded => Event::Upgraded,
            Event::UpgradeFailed(why, rule) => Event::UpgradeFailed(why, rule),
            Event::Connected { namespace, recovered } => {
                Event::Connected { namespace: owned(namespace), recovered }
            }
            Event::Refused { namespace, reason } => {
                Event::Refused { namespace: owned(namespace), reason: owned(reason) }
            }
            Event::Disconnected { namespace, was_asked } => {
                Event::Disconnected { namespace: owned(namespace), was_asked }
            }
            Event::ServerEvent(event) => Event::ServerEvent(ServerEvent {
                namespace: owned(event.namespace),
                data: owned(event.data),
                ..event
            }),
            Event::Answered(answer) => Event::Answered(Answer {
                namespace: owned(answer.namespace),
                data: owned(answer.data),
                ..answer
            }),
            Event::Heartbeat => Event::Heartbeat,
            Event::Closed(closed) => Event::Closed(closed),
            Event::Violated(violation) => Event::Violated(violation),
        }
    }
}

/// An event of the application.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerEvent<'a> {
    /// The namespace that it came through.
    pub namespace: Cow<'a, str>,
    /// The id under which the server wants an acknowledgement.
    pub id: Option<u64>,
    /// JSON text of the array of name and arguments, with placeholders for the attachments.
    pub data: Cow<'a, str>,
    /// The attachments, in their order.
    pub attachments: Vec<Bytes>,
}

/// The acknowledgement of an event of ours.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer<'a> {
    /// The namespace that it came through.
    pub namespace: Cow<'a, str>,
    /// The id that [`super::Session::emit`] returned.
    pub id: u64,
    /// JSON text of the array of arguments, with placeholders for the attachments.
    pub data: Cow<'a, str>,
    /// The attachments, in their order.
    pub attachments: Vec<Bytes>,
}

/// Why a connection is no more.
#[derive(Clone, Debug, PartialEq)]
pub enum Closed {
    /// We asked for it.
    Asked,
    /// The server sent a `close` packet.
    ByServer {
        /// How its WebSocket, or its WebTransport session, ended then, if it did in time.
        then: Option<Lost>,
    },
    /// The server missed a heartbeat.
    NoPing,
    /// The server did not answer a heartbeat.
    NoPong,
    /// A channel ended.
    Lost(Channel, Lost),
    /// A poll or a post was answered with something else than success.
    BadAnswer {
        /// Which of the two.
        channel: Channel,
        /// The HTTP status.
        status: u16,
        /// The beginning of the body.
        body: String,
        /// What was posted, if it was a post.
        posted: Posted,
    },
}

/// How much a post carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Posted {
    /// How many packets.
    pub packets: usize,
    /// How many bytes.
    pub bytes: usize,
    /// Whether it was as long as a post may be, nearly.
    pub is_long: bool,
}

impl Closed {
    /// The rule that the server broke by it, as far as that can be told from the end alone.
    pub fn rule(&self) -> Option<Rule> {
        match self {
            Closed::NoPing => Some(Rule::PingMissing),
            Closed::NoPong => Some(Rule::PongMissing),
            Closed::Lost(_, Lost::Violated(violation))
            | Closed::ByServer { then: Some(Lost::Violated(violation)) } => Some(violation.rule),
            Closed::BadAnswer { channel: Channel::Post, status: 400.., posted, .. } => match posted {
                Posted { is_long: true, .. } => Some(Rule::PostLength),
                Posted { packets: 2.., .. } => Some(Rule::PostPackets),
                Posted { .. } => None,
            },
            // Who does not know a session says so with a status of these.
            Closed::BadAnswer { channel: Channel::Poll, status: 400..=499, .. } => Some(Rule::SessionLost),
            Closed::BadAnswer { channel: Channel::Poll, status: 200, .. } => None,
            Closed::BadAnswer { channel: Channel::Poll, .. } => Some(Rule::PollAnswer),
            Closed::Asked | Closed::ByServer { .. } | Closed::Lost(..) | Closed::BadAnswer { .. } => None,
        }
    }

    /// Under which cause it is counted.
    pub fn cause(&self) -> Cause {
        match self {
            Closed::Asked => Cause::Asked,
            Closed::ByServer { .. } => Cause::ClosePacket,
            Closed::NoPing => Cause::NoPing,
            Closed::NoPong => Cause::NoPong,
            Closed::BadAnswer { status, .. } => Cause::of_status(*status),
            Closed::Lost(_, lost) => match lost {
                Lost::Unreachable(_) => Cause::Unreachable,
                Lost::Shortage(_) => Cause::Shortage,
                Lost::Tls(_) => Cause::Tls,
                Lost::Refused(answer) => Cause::of_status(answer.0.status),
                Lost::NotAccepted(status) => Cause::of_status(*status),
                Lost::Closed { .. } => Cause::CloseFrame,
                Lost::Ended | Lost::NoResponse | Lost::Unanswered | Lost::SessionClosed { .. } => {
                    Cause::Ended
                }
                Lost::Broken(_) => Cause::Broken,
                Lost::Violated(_) => Cause::Unreadable,
            },
        }
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Closed::Asked => f.write_str("closed as asked"),
            Closed::ByServer { .. } => f.write_str("the server sent a close packet"),
            Closed::NoPing => f.write_str("no ping came within pingInterval + pingTimeout"),
            Closed::NoPong => f.write_str("no pong came within pingTimeout"),
            Closed::Lost(Channel::WebSocket | Channel::WebTransport, lost) => write!(f, "{lost}"),
            Closed::Lost(channel, lost) => write!(f, "{lost} ({channel})"),
            Closed::BadAnswer { channel, status, body, posted } => {
                write!(f, "a {channel}{posted} was answered with HTTP status {status}")?;
                if body.is_empty() { Ok(()) } else { write!(f, ": {body:.200}") }
            }
        }
    }
}

impl fmt::Display for Posted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Posted { packets: 2.., .. } => write!(f, " of {} packets", self.packets),
            Posted { is_long: true, .. } => write!(f, " of {} bytes", self.bytes),
            Posted { .. } => Ok(()),
        }
    }
}
