//! What did not succeed or went wrong, and for connections also why: a closed list of causes, so that every one can be
//! counted whatever a server does.

use super::Counter;
use crate::protocol::Rule;

/// What may not happen, unless a threshold allows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// A connect did not reach the `CONNECT` reply.
    Connect(Cause),
    /// The server or the network ended a connection without being asked to; perhaps by breaking this rule.
    Dropped(Cause, Option<Rule>),
    /// An acknowledgement did not come in time.
    Ack,
    /// The event that should answer another did not come in time.
    Response,
    /// The server broke this rule of the protocol.
    Violation(Rule),
}

impl FailureKind {
    /// What counts it.
    pub fn counter(self) -> Counter {
        match self {
            FailureKind::Connect(_) => Counter::ConnectFailed,
            FailureKind::Dropped(..) => Counter::Dropped,
            FailureKind::Ack => Counter::AckMissed,
            FailureKind::Response => Counter::ResponseMissed,
            FailureKind::Violation(_) => Counter::Violations,
        }
    }

    /// The rule of the protocol that the server broke, if it did.
    pub fn rule(self) -> Option<Rule> {
        match self {
            FailureKind::Violation(rule) => Some(rule),
            FailureKind::Dropped(_, rule) => rule,
            FailureKind::Connect(_) | FailureKind::Ack | FailureKind::Response => None,
        }
    }
}

/// Why a connect failed, or a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The operating system could make no TCP connection.
    Unreachable,
    /// This machine had no port or no file left for one.
    Shortage,
    /// The TLS handshake failed.
    Tls,
    /// A handshake, a poll or a post was answered with an HTTP status from 400 to 499.
    Status4xx,
    /// The same with one from 500 to 599.
    Status5xx,
    /// The same with any other that is not success.
    OtherStatus,
    /// What answered with success did not speak Engine.IO.
    NotEngineIo,
    /// No Engine.IO handshake came about in time.
    NoHandshake,
    /// `CONNECT` was not answered in time.
    NoAnswer,
    /// The WebSocket did not take over in time.
    NoUpgrade,
    /// `CONNECT` was answered with `CONNECT_ERROR`.
    Refused,
    /// The server sent `DISCONNECT`.
    Disconnected,
    /// The server sent a `close` packet.
    ClosePacket,
    /// The server sent a close frame.
    CloseFrame,
    /// The stream ended without a close frame, or without a response.
    Ended,
    /// The stream was reset, or failed otherwise.
    Broken,
    /// The server broke the rules of HTTP or WebSocket, so that the stream could not be read on.
    Unreadable,
    /// The server missed a heartbeat.
    NoPing,
    /// The server did not answer a heartbeat.
    NoPong,
    /// Another step of the client closed the connection meanwhile.
    Asked,
    /// A value that the scenario puts into the connect was not there.
    NoValue,
}

impl Cause {
    /// Every cause, in the order of a connection's life.
    pub const ALL: [Cause; 21] = [
        Cause::Unreachable,
        Cause::Shortage,
        Cause::Tls,
        Cause::Status4xx,
        Cause::Status5xx,
        Cause::OtherStatus,
        Cause::NotEngineIo,
        Cause::NoHandshake,
        Cause::NoAnswer,
        Cause::NoUpgrade,
        Cause::Refused,
        Cause::Disconnected,
        Cause::ClosePacket,
        Cause::CloseFrame,
        Cause::Ended,
        Cause::Broken,
        Cause::Unreadable,
        Cause::NoPing,
        Cause::NoPong,
        Cause::Asked,
        Cause::NoValue,
    ];

    /// The cause of an answer with this HTTP status, which is not the one that was wanted.
    pub fn of_status(status: u16) -> Cause {
        match status {
            200 => Cause::NotEngineIo,
            400..500 => Cause::Status4xx,
            500..600 => Cause::Status5xx,
            _ => Cause::OtherStatus,
        }
    }

    /// The words for it in reports.
    pub fn words(self) -> &'static str {
        match self {
            Cause::Unreachable => "no connection could be made",
            Cause::Shortage => "this machine had no port or file left",
            Cause::Tls => "TLS failed",
            Cause::Status4xx => "answered with an HTTP status 4xx",
            Cause::Status5xx => "answered with an HTTP status 5xx",
            Cause::OtherStatus => "answered with another HTTP status",
            Cause::NotEngineIo => "the answer was not Engine.IO",
            Cause::NoHandshake => "no Engine.IO handshake in time",
            Cause::NoAnswer => "no answer to CONNECT in time",
            Cause::NoUpgrade => "no upgrade in time",
            Cause::Refused => "refused with CONNECT_ERROR",
            Cause::Disconnected => "disconnected from a namespace",
            Cause::ClosePacket => "closed with a close packet",
            Cause::CloseFrame => "closed with a close frame",
            Cause::Ended => "ended without a close frame or a response",
            Cause::Broken => "broke off",
            Cause::Unreadable => "broke the rules of HTTP or WebSocket",
            Cause::NoPing => "no ping in time",
            Cause::NoPong => "no pong in time",
            Cause::Asked => "closed by another step of the client",
            Cause::NoValue => "a value of the scenario was missing",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_list_of_causes_is_in_the_order_of_their_numbers_and_no_two_have_the_same_words() {
        assert!(Cause::ALL.iter().enumerate().all(|(index, cause)| *cause as usize == index));
        let words: HashSet<&str> = Cause::ALL.into_iter().map(Cause::words).collect();
        assert_eq!(words.len(), Cause::ALL.len());
    }

    #[test]
    fn a_status_is_told_by_its_hundreds() {
        let statuses = [200, 204, 302, 400, 429, 499, 500, 503, 599, 999];
        let causes = statuses.map(Cause::of_status);
        let [four, five, other] = [Cause::Status4xx, Cause::Status5xx, Cause::OtherStatus];
        let told = [Cause::NotEngineIo, other, other, four, four, four, five, five, five, other];
        assert_eq!(causes, told);
    }
}
