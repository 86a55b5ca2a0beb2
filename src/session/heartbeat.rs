//! Heartbeats: who pings, who answers, and when the other side is taken for lost.
//!
//! EIO "Heartbeat". In v4 the server pings and the client answers; in v3 it is the other way round, and there any packet
//! counts as a sign of life, as in the official client.

use std::time::Instant;

use super::event::{Closed, Event};
use super::wire::Wire;
use super::{Heartbeats, Polls, Session, State};
use crate::protocol::dialect::Pings;

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heartbeat {
    /// Nothing is due.
    None,
    /// A ping of the server is overdue at that time.
    PingDue(Instant),
    /// The client pings at that time.
    Ping(Instant),
    /// A sign of life, after a ping of the client, is overdue at that time.
    PongDue(Instant),
}

impl Heartbeat {
    pub(super) fn time(self) -> Option<Instant> {
        match self {
            Heartbeat::None => None,
            Heartbeat::PingDue(time) | Heartbeat::Ping(time) | Heartbeat::PongDue(time) => Some(time),
        }
    }

    /// Whether a pong is no surprise.
    pub(super) fn is_awaited(self) -> bool {
        matches!(self, Heartbeat::PongDue(_))
    }
}

impl Session {
    /// Whether polling carried packets until the end.
    pub fn has_polled(&self) -> bool {
        self.polled
    }

    /// The handshake is there.
    pub(super) fn start_heartbeat(&mut self, now: Instant) {
        match self.dialect.pings {
            Pings::Server => self.expect_ping(now),
            Pings::Client => self.wait_to_ping(now),
        }
    }

    /// A ping of the server came.
    pub(super) fn pinged(&mut self, wire: &mut dyn Wire, payload: &str, now: Instant) {
        match self.heartbeats {
            Heartbeats::Answered => self.send_text(wire, &["3", payload]),
            Heartbeats::Muted => {}
        }
        match (self.state, self.heartbeats) {
            (State::Open, Heartbeats::Answered) => self.expect_ping(now),
            // A server that waits for a pong owes no ping: it is up to it to end the connection.
            (State::Open, Heartbeats::Muted) => self.heartbeat = Heartbeat::None,
            _ => {}
        }
    }

    /// The answer to a ping of the client came.
    pub(super) fn ponged(&mut self, now: Instant) {
        if self.state == State::Open {
            self.wait_to_ping(now);
        }
    }

    /// Some packet came.
    pub(super) fn note_life(&mut self, now: Instant) {
        if self.heartbeat.is_awaited()
            && let Some(handshake) = &self.handshake
        {
            self.heartbeat = Heartbeat::PongDue(now + handshake.ping_interval + handshake.ping_timeout);
        }
    }

    /// The time of what comes next is reached.
    pub(super) fn beat(&mut self, wire: &mut dyn Wire, now: Instant) -> Option<Event<'static>> {
        match (self.heartbeat, self.heartbeats) {
            (Heartbeat::None, _) => None,
            // After its word `close` the server owes the end, and no ping.
            (Heartbeat::PingDue(_), _) if self.farewell => {
                Some(self.finish(wire, Closed::ByServer { then: None }))
            }
            // Who does not poll is not reached by a ping.
            (Heartbeat::PingDue(_), _) if self.polls_by_hand() => {
                self.expect_ping(now);
                None
            }
            (Heartbeat::PingDue(_), _) => Some(self.finish(wire, Closed::NoPing)),
            (Heartbeat::PongDue(_), _) => Some(self.finish(wire, Closed::NoPong)),
            (Heartbeat::Ping(_), Heartbeats::Muted) => {
                self.wait_to_ping(now);
                None
            }
            (Heartbeat::Ping(_), Heartbeats::Answered) => {
                self.send_text(wire, &["2"]);
                let timeout = self.handshake.as_ref().map(|handshake| now + handshake.ping_timeout);
                self.heartbeat = timeout.map_or(Heartbeat::None, Heartbeat::PongDue);
                None
            }
        }
    }

    fn polls_by_hand(&self) -> bool {
        self.polling.as_ref().is_some_and(|polling| polling.polls == Polls::ByHand)
    }

    /// Without a ping for `pingInterval + pingTimeout` the client takes the connection for lost.
    fn expect_ping(&mut self, now: Instant) {
        let overdue = self.handshake.as_ref().map(|h| now + h.ping_interval + h.ping_timeout);
        self.heartbeat = overdue.map_or(Heartbeat::None, Heartbeat::PingDue);
    }

    fn wait_to_ping(&mut self, now: Instant) {
        let next = self.handshake.as_ref().map(|handshake| now + handshake.client_interval);
        self.heartbeat = next.map_or(Heartbeat::None, Heartbeat::Ping);
    }
}
