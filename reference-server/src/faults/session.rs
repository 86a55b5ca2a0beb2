//! What the faults of Engine.IO sessions do where it takes more than a line.
//!
//! On a healthy server all of these change nothing.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use super::{Fault, payload};
use crate::engine::packet::{EncodedPacket, Packet};
use crate::engine::request::EngineTransport;
use crate::engine::session::Session;
use crate::reason::Reason;

/// So many sessions have a heartbeat when a fault lets heartbeats run out.
const FEW: usize = 8;
/// How long a GET waits when a fault answers it too early.
const EARLY: Duration = Duration::from_millis(10);
/// Packets from here on are marked as compressed by the fault that does so.
const LONG: usize = 1024;

impl Session {
    /// A packet before it is handled. `true`: it has been dealt with.
    pub(crate) fn spoil_packet(self: &Rc<Self>, packet: &Packet<'_>) -> bool {
        if self.has(Fault::AnyPacketIsPong) {
            self.handle_pong();
        }
        match packet {
            Packet::Pong(content) if !content.is_empty() && self.has(Fault::PongContentRefused) => {
                self.abort(Reason::TransportError);
            }
            Packet::Ping(_) if self.has(Fault::ClientPingAnswered) => {
                self.send_packet(EncodedPacket::fixed("3"));
            }
            Packet::Open | Packet::Upgrade | Packet::Noop if self.has(Fault::StrayPacketCloses) => {
                self.abort(Reason::TransportError);
            }
            Packet::Close => {
                return match self.transport.get() {
                    EngineTransport::Polling => self.has(Fault::PollingCloseIgnored),
                    EngineTransport::WebSocket => self.has(Fault::WebSocketCloseIgnored),
                };
            }
            _ => return false,
        }
        true
    }

    /// How long until the next ping; `None` for never.
    pub(crate) fn spoil_ping_interval(&self, mut delay: Duration) -> Option<Duration> {
        if self.has(Fault::NoPing) || self.has(Fault::HeartbeatsRunOut) && self.engine.sessions.len() > FEW {
            return None;
        }
        if self.has(Fault::EarlyPing) && self.heartbeat.get().is_none() {
            delay = Duration::ZERO;
        }
        if self.has(Fault::PingsTooOften) {
            delay /= 2;
        }
        if self.has(Fault::PingsTooSeldom) {
            delay *= 2;
        }
        Some(delay)
    }

    /// A heartbeat that an upgrade throws out of step.
    pub(crate) fn spoil_heartbeat(self: &Rc<Self>) {
        if self.has(Fault::UpgradeDoublesPings) {
            self.schedule_ping();
        }
        if self.has(Fault::UpgradeStopsPings) {
            self.stop_heartbeat();
        }
        if self.has(Fault::UpgradeLeavesClock) {
            let (session, config) = (self.clone(), &self.shared.config);
            self.shared.after(config.ping_interval + config.ping_timeout, move || session.miss_pong());
        }
    }

    /// Completes an upgrade after a while in which nobody fetched anything, with everything that waits twice.
    pub(crate) fn double_and_take_over(self: &Rc<Self>) {
        let session = self.clone();
        self.shared.after(Duration::from_millis(20), move || {
            let again: Vec<_> = session.queue.borrow().iter().cloned().collect();
            session.send(&again);
            session.take_over();
            session.wake_websocket();
        });
    }

    /// A GET that does not wait for something to fetch.
    pub(crate) fn spoil_patience_of_poll(self: &Rc<Self>) {
        if self.has(Fault::PollReturnsEarly) {
            let session = self.clone();
            let answer = move || session.poll.borrow_mut().answer(EncodedPacket::fixed("6"));
            self.shared.after(EARLY, answer);
        }
    }

    /// Waits until the GET that is pending now has its answer.
    pub(crate) async fn poll_answered(&self) {
        let number = self.latest_poll();
        while self.is_polled_by(number) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// What waits, for one answer.
    pub(crate) fn fetch(&self) -> VecDeque<EncodedPacket> {
        if self.has(Fault::PollOnePacket) {
            return self.next_packet().into_iter().collect();
        }
        let mut packets = self.take_queue();
        if self.has(Fault::PollCutAtLimit) {
            let mut length = 0;
            packets.retain(|packet| {
                length += packet.body().len();
                length <= self.shared.config.max_payload
            });
        }
        if self.has(Fault::PollReversed) {
            packets.make_contiguous().reverse();
        }
        if self.has(Fault::PollReversesPackets) {
            packets.make_contiguous().reverse();
        }
        packets
    }

    /// The next packet for a WebSocket.
    pub(crate) fn next_frame(&self) -> Option<EncodedPacket> {
        if self.has_packets() && self.has(Fault::WebSocketJoinsPackets) {
            let joined = payload::encode(self.shared.faults, &self.take_queue());
            return Some(EncodedPacket::text(joined.len(), |out| out.extend(joined)));
        }
        let packet = self.next_packet()?;
        let marked = packet.body().len() > LONG && self.has(Fault::CompressedUnagreed);
        Some(if marked { packet.marked_compressed() } else { packet })
    }

    /// Whether a session that ends is still found by its id.
    pub(crate) fn outlives_its_end(&self) -> bool {
        match self.transport.get() {
            EngineTransport::WebSocket => self.has(Fault::ClosedSessionKept),
            EngineTransport::Polling => !self.is_fetched() && self.has(Fault::AbandonedSessionsLeak),
        }
    }
}
