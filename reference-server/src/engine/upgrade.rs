//! The upgrade of a session from HTTP long-polling to WebSocket.
//!
//! Spec: Engine.IO protocol v4, "Upgrade". A WebSocket with the id of a polling session is a candidate: it must say
//! `2probe`, is answered `3probe`, and takes over with `5`. Until then packets go out by polling; the queue
//! belongs to the session, so what no poll fetched goes out on the WebSocket, in order and once.

use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use super::packet::EncodedPacket;
use super::request::EngineTransport;
use super::session::{Session, State};
use super::waiting::Candidate;
use crate::faults::Fault;

/// How long a poll that arrives during an upgrade may wait for a packet.
const RELEASE_POLLS_EVERY: Duration = Duration::from_millis(100);

impl Session {
    /// A WebSocket names this session. The number of the candidate, or `None` if it is refused: the session has
    /// upgraded, was a WebSocket all along, or another candidate is first.
    pub(super) fn begin_upgrade(self: &Rc<Self>) -> Option<u64> {
        let taken =
            self.transport.get() == EngineTransport::WebSocket && !self.has(Fault::SecondWebSocketTakesOver);
        if self.has(Fault::SecondCandidateReplacesFirst) {
            self.cancel_upgrade(None);
        }
        if taken || self.state.get() != State::Open || self.upgrade.borrow().is_some() {
            return None;
        }
        let number = self.shared.ids.new_key();
        let deadline = self.after(self.shared.config.upgrade_timeout, move |session| {
            if !session.has(Fault::UpgradeTimeoutIgnored) {
                session.cancel_upgrade(Some(number));
            }
        });
        *self.upgrade.borrow_mut() =
            Some(Box::new(Candidate { number, waker: None, probed: false, deadline }));
        if self.has(Fault::UpgradeReleasesUnasked) {
            self.handle_probe();
        }
        Some(number)
    }

    /// Whether the candidate may go on; remembers how to wake it.
    pub(super) fn is_candidate(&self, number: u64, waker: &Waker) -> bool {
        match &mut *self.upgrade.borrow_mut() {
            Some(upgrade) if upgrade.number == number => {
                upgrade.waker = Some(waker.clone());
                true
            }
            _ => false,
        }
    }

    /// The candidate said `2probe`: from now on polls must come back soon, so that the client can stop polling.
    pub(super) fn handle_probe(self: &Rc<Self>) {
        if self.has(Fault::UpgradeKeepsPollWaiting) {
            return;
        }
        let fresh = match &mut *self.upgrade.borrow_mut() {
            Some(upgrade) if !upgrade.probed => {
                upgrade.probed = true;
                Some(upgrade.number)
            }
            _ => None,
        };
        if let Some(number) = fresh {
            self.release_polls(number);
        }
    }

    fn release_polls(self: &Rc<Self>, number: u64) {
        self.poll.borrow_mut().answer(EncodedPacket::fixed("6"));
        if self.has(Fault::UpgradeReleasesOnePoll) {
            return;
        }
        self.after(RELEASE_POLLS_EVERY, move |session| {
            if session.candidate() == Some(number) {
                session.release_polls(number);
            }
        });
    }

    /// The number of the candidate there is.
    pub(super) fn candidate(&self) -> Option<u64> {
        self.upgrade.borrow().as_ref().map(|upgrade| upgrade.number)
    }

    /// Whether the candidate has said `2probe`.
    pub(super) fn is_probed(&self) -> bool {
        self.upgrade.borrow().as_ref().is_some_and(|upgrade| upgrade.probed)
    }

    /// The candidate said `5`: from here on everything goes over the WebSocket.
    pub(super) fn complete_upgrade(self: &Rc<Self>) {
        if let Some(upgrade) = self.upgrade.take() {
            self.shared.timers.cancel(upgrade.deadline);
        }
        if self.has(Fault::UpgradeDoublesPackets) {
            return self.double_and_take_over();
        }
        self.take_over();
    }

    pub(crate) fn take_over(self: &Rc<Self>) {
        if self.has(Fault::UpgradeLosesPackets) {
            self.take_queue();
        }
        self.spoil_heartbeat();
        self.transport.set(EngineTransport::WebSocket);
        if self.has(Fault::NoopOnWebSocket) {
            self.send_packet(EncodedPacket::fixed("6"));
        }
        if !self.has(Fault::PollForgottenByUpgrade) {
            self.poll.borrow_mut().answer(EncodedPacket::fixed("6"));
        }
    }

    /// The upgrade failed: that candidate, or whichever there is, is closed and polling goes on.
    pub(super) fn cancel_upgrade(&self, number: Option<u64>) {
        let mut slot = self.upgrade.borrow_mut();
        let Some(upgrade) = slot.take_if(|upgrade| number.is_none_or(|number| upgrade.number == number))
        else {
            return;
        };
        self.shared.timers.cancel(upgrade.deadline);
        if number.is_none() && self.has(Fault::OrphanWebSocket) {
            *slot = Some(upgrade);
            return;
        }
        if self.has(Fault::UpgradeFailureSticks) {
            let (number, deadline) = (u64::MAX, upgrade.deadline);
            *slot = Some(Box::new(Candidate { number, waker: None, probed: false, deadline }));
        }
        drop(slot);
        if let Some(waker) = upgrade.waker {
            waker.wake();
        }
    }
}
