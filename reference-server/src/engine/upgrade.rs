//! The upgrade of a session from HTTP long-polling to WebSocket.
//!
//! Spec: Engine.IO protocol v4, "Upgrade". A WebSocket with the id of a polling session is a candidate: it must say
//! `2probe`, is answered `3probe`, and takes over with `5`. Until then packets go out by polling; the queue
//! belongs to the session, so what no poll fetched goes out on the WebSocket, in order and once.

use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use super::packet::EncodedPacket;
use super::request::Transport;
use super::session::{Session, State};
use crate::faults::Fault;
use crate::timers::TimerKey;

/// How long a poll that arrives during an upgrade may wait for a packet.
const RELEASE_POLLS_EVERY: Duration = Duration::from_millis(100);

/// A candidate WebSocket.
pub(crate) struct Upgrade {
    /// Tells this candidate from earlier ones.
    number: u64,
    waker: Option<Waker>,
    probed: bool,
    deadline: TimerKey,
}

impl Session {
    /// A WebSocket names this session. The number of the candidate, or `None` if it is refused: the session has
    /// upgraded, was a WebSocket all along, or another candidate is first.
    pub(crate) fn begin_upgrade(self: &Rc<Self>) -> Option<u64> {
        let taken = self.transport.get() == Transport::WebSocket
            && !self.server.faults.has(Fault::SecondWebSocketTakesOver);
        if self.server.faults.has(Fault::SecondCandidateReplacesFirst) {
            self.cancel_upgrade(None);
        }
        if taken || self.state.get() != State::Open || self.upgrade.borrow().is_some() {
            return None;
        }
        let number = self.server.new_key();
        let session = Rc::downgrade(self);
        let deadline = self.server.timers.after(self.server.config.upgrade_timeout, move || {
            let session = session.upgrade();
            let session = session.filter(|session| !session.server.faults.has(Fault::UpgradeTimeoutIgnored));
            if let Some(session) = session {
                session.cancel_upgrade(Some(number));
            }
        });
        *self.upgrade.borrow_mut() = Some(Box::new(Upgrade { number, waker: None, probed: false, deadline }));
        if self.server.faults.has(Fault::UpgradeReleasesUnasked) {
            self.probe();
        }
        Some(number)
    }

    /// Whether the candidate may go on; remembers how to wake it.
    pub(crate) fn is_candidate(&self, number: u64, waker: &Waker) -> bool {
        match &mut *self.upgrade.borrow_mut() {
            Some(upgrade) if upgrade.number == number => {
                upgrade.waker = Some(waker.clone());
                true
            }
            _ => false,
        }
    }

    /// The candidate said `2probe`: from now on polls must come back soon, so that the client can stop polling.
    pub(crate) fn probe(self: &Rc<Self>) {
        if self.server.faults.has(Fault::UpgradeKeepsPollWaiting) {
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
        if self.server.faults.has(Fault::UpgradeReleasesOnePoll) {
            return;
        }
        let session = Rc::downgrade(self);
        self.server.timers.after(RELEASE_POLLS_EVERY, move || {
            let session = session.upgrade().filter(|session| session.candidate() == Some(number));
            if let Some(session) = session {
                session.release_polls(number);
            }
        });
    }

    /// The number of the candidate there is.
    pub(crate) fn candidate(&self) -> Option<u64> {
        self.upgrade.borrow().as_ref().map(|upgrade| upgrade.number)
    }

    /// Whether the candidate has said `2probe`.
    pub(crate) fn is_probed(&self) -> bool {
        self.upgrade.borrow().as_ref().is_some_and(|upgrade| upgrade.probed)
    }

    /// The candidate said `5`: from here on everything goes over the WebSocket.
    pub(crate) fn complete_upgrade(self: &Rc<Self>) {
        if let Some(upgrade) = self.upgrade.take() {
            self.server.timers.cancel(upgrade.deadline);
        }
        if self.server.faults.has(Fault::UpgradeDoublesPackets) {
            let (session, late) = (self.clone(), Duration::from_millis(20));
            self.server.timers.after(late, move || session.double_and_take_over());
            return;
        }
        self.take_over();
    }

    /// After a while in which nobody fetched anything: only for the fault that does so.
    fn double_and_take_over(self: &Rc<Self>) {
        let again: Vec<_> = self.queue.borrow().iter().cloned().collect();
        for packet in again {
            self.send_packet(packet);
        }
        self.take_over();
        self.wake_websocket();
    }

    fn take_over(self: &Rc<Self>) {
        if self.server.faults.has(Fault::UpgradeLosesPackets) {
            self.take_queue();
        }
        self.spoil_heartbeat();
        self.transport.set(Transport::WebSocket);
        if self.server.faults.has(Fault::NoopOnWebSocket) {
            self.send_packet(EncodedPacket::fixed("6"));
        }
        if !self.server.faults.has(Fault::PollForgottenByUpgrade) {
            self.poll.borrow_mut().answer(EncodedPacket::fixed("6"));
        }
    }

    /// The upgrade failed: that candidate, or whichever there is, is closed and polling goes on.
    pub(crate) fn cancel_upgrade(&self, number: Option<u64>) {
        let mut slot = self.upgrade.borrow_mut();
        let found = slot.as_ref().is_some_and(|upgrade| number.is_none_or(|number| upgrade.number == number));
        if !found {
            return;
        }
        if let Some(upgrade) = slot.take() {
            self.server.timers.cancel(upgrade.deadline);
            if number.is_none() && self.server.faults.has(Fault::OrphanWebSocket) {
                *slot = Some(upgrade);
                return;
            }
            if self.server.faults.has(Fault::UpgradeFailureSticks) {
                let stuck =
                    Upgrade { number: u64::MAX, waker: None, probed: false, deadline: upgrade.deadline };
                *slot = Some(Box::new(stuck));
            }
            drop(slot);
            if let Some(waker) = upgrade.waker {
                waker.wake();
            }
        }
    }
}
