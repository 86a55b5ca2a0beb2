//! The heartbeat of a session: the server pings, the client answers, silence ends the session.
//!
//! Spec: Engine.IO protocol v4, "Heartbeat". The next ping is due one interval after the pong to the last one.

use std::rc::Rc;
use std::time::Duration;

use super::packet::EncodedPacket;
use super::session::{Session, State};
use crate::faults::Fault;
use crate::reason::Reason;

impl Session {
    /// Starts the clock for the next ping.
    pub(crate) fn schedule_ping(self: &Rc<Self>) {
        if self.is_older() && !self.has(Fault::OlderPingsToo) {
            return self.wait_for_ping();
        }
        if let Some(delay) = self.spoil_ping_interval(self.shared.config.ping_interval) {
            self.set_heartbeat(delay, Session::send_ping);
        }
    }

    /// In the version before, the client pings, and any packet is a sign of life.
    fn wait_for_ping(self: &Rc<Self>) {
        let config = &self.shared.config;
        self.set_heartbeat(config.ping_interval + config.ping_timeout, Session::miss_ping);
    }

    fn miss_ping(self: &Rc<Self>) {
        match self.has(Fault::OlderSilenceForgiven) {
            true => self.wait_for_ping(),
            false => self.abort(Reason::PingTimeout),
        }
    }

    /// A packet of the client arrived.
    pub(super) fn note_life(self: &Rc<Self>) {
        if self.is_older() && !self.has(Fault::OlderClockRunsOn) && !self.has(Fault::OlderPingsToo) {
            self.stop_heartbeat();
            self.wait_for_ping();
        }
    }

    fn send_ping(self: &Rc<Self>) {
        self.awaiting_pong.set(true);
        let ping = if self.has(Fault::PingWithPayload) { "2hello" } else { "2" };
        self.send_packet(EncodedPacket::fixed(ping));
        let short = if self.has(Fault::PingTimeoutShort) { 4 } else { 1 };
        self.set_heartbeat(self.shared.config.ping_timeout / short, Session::miss_pong);
    }

    pub(crate) fn miss_pong(self: &Rc<Self>) {
        if self.has(Fault::PingTimeoutIgnored) {
            return self.schedule_ping();
        }
        if self.has(Fault::TimeoutLeavesPoll) {
            self.poll.borrow_mut().forget();
        }
        self.abort(Reason::PingTimeout);
    }

    /// A pong arrived; one that answers no ping means nothing.
    pub(crate) fn handle_pong(self: &Rc<Self>) {
        if self.awaiting_pong.replace(false) {
            if !self.has(Fault::PongForgotten) {
                self.stop_heartbeat();
            }
            self.schedule_ping();
        } else if self.has(Fault::StrayPongCloses) {
            self.abort(Reason::TransportError);
        }
    }

    /// Stops the clock that runs now, whichever it is.
    pub(crate) fn stop_heartbeat(&self) {
        if let Some(key) = self.heartbeat.take() {
            self.shared.timers.cancel(key);
        }
    }

    fn set_heartbeat(self: &Rc<Self>, delay: Duration, then: fn(&Rc<Session>)) {
        let key = self.after(delay, move |session| {
            if session.state.get() == State::Open {
                then(session);
            }
        });
        self.heartbeat.set(Some(key));
    }
}
