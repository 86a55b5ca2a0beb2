//! The heartbeat of a session: the server pings, the client answers, silence ends the session.
//!
//! Spec: Engine.IO protocol v4, "Heartbeat". The next ping is due one interval after the pong to the last one.

use std::rc::Rc;
use std::time::Duration;

use super::packet::EncodedPacket;
use super::session::{Session, State};
use crate::faults::Fault;
use crate::socket::reason::Reason;

/// So many sessions have a heartbeat when a fault lets heartbeats run out.
const FEW: usize = 8;

impl Session {
    /// Starts the clock for the next ping.
    pub(super) fn schedule_ping(self: &Rc<Self>) {
        let faults = self.server.faults;
        if faults.has(Fault::NoPing) {
            return;
        }
        if faults.has(Fault::HeartbeatsRunOut) && self.server.sessions.borrow().len() > FEW {
            return;
        }
        let mut delay = self.server.config.ping_interval;
        if faults.has(Fault::EarlyPing) && self.heartbeat.get().is_none() {
            delay = Duration::ZERO;
        }
        if faults.has(Fault::PingsTooOften) {
            delay /= 2;
        }
        self.set_heartbeat(delay, Session::send_ping);
    }

    fn send_ping(self: &Rc<Self>) {
        self.awaiting_pong.set(true);
        self.send_packet(EncodedPacket::fixed("2"));
        let mut patience = self.server.config.ping_timeout;
        if self.server.faults.has(Fault::PingTimeoutShort) {
            patience /= 4;
        }
        self.set_heartbeat(patience, Session::miss_pong);
    }

    fn miss_pong(self: &Rc<Self>) {
        if self.server.faults.has(Fault::PingTimeoutIgnored) {
            return self.schedule_ping();
        }
        if self.server.faults.has(Fault::TimeoutLeavesPoll) {
            self.poll.borrow_mut().forget();
        }
        self.abort(Reason::PingTimeout);
    }

    /// A pong arrived; one that answers no ping means nothing.
    pub(super) fn receive_pong(self: &Rc<Self>) {
        if self.awaiting_pong.replace(false) {
            if !self.server.faults.has(Fault::PongForgotten) {
                self.stop_heartbeat();
            }
            self.schedule_ping();
        } else if self.server.faults.has(Fault::StrayPongCloses) {
            self.abort(Reason::TransportError);
        }
    }

    /// Stops the clock that runs now, whichever it is.
    pub(super) fn stop_heartbeat(&self) {
        if let Some(key) = self.heartbeat.take() {
            self.server.timers.cancel(key);
        }
    }

    fn set_heartbeat(self: &Rc<Self>, delay: Duration, then: fn(&Rc<Session>)) {
        let session = Rc::downgrade(self);
        let key = self.server.timers.after(delay, move || {
            if let Some(session) = session.upgrade().filter(|session| session.state.get() == State::Open) {
                then(&session);
            }
        });
        self.heartbeat.set(Some(key));
    }

    /// The faults of a heartbeat that an upgrade throws out of step.
    pub(super) fn spoil_heartbeat(self: &Rc<Self>) {
        let faults = self.server.faults;
        if faults.has(Fault::UpgradeDoublesPings) {
            self.schedule_ping();
        }
        if faults.has(Fault::UpgradeStopsPings) {
            self.stop_heartbeat();
        }
        if faults.has(Fault::UpgradeLeavesClock) {
            let session = self.clone();
            let config = &self.server.config;
            self.server.timers.after(config.ping_interval + config.ping_timeout, move || session.miss_pong());
        }
    }
}
