//! Who waits at a session: a GET for its answer, a WebSocket for its turn.

use std::task::Waker;

use super::packet::EncodedPacket;
use crate::timers::TimerKey;

/// The place where a GET waits.
#[derive(Default)]
pub(crate) struct Poll {
    pub(super) pending: bool,
    /// How many GETs there were.
    pub(super) number: u64,
    pub(super) waker: Option<Waker>,
    /// What the pending GET gets if there is no message for it.
    pub(super) answer: Option<EncodedPacket>,
}

impl Poll {
    pub(super) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Forgets who waits.
    pub(crate) fn forget(&mut self) {
        self.waker = None;
    }

    /// Lets a pending GET go with `packet`.
    pub(crate) fn answer(&mut self, packet: EncodedPacket) {
        if self.pending {
            self.answer = Some(packet);
            self.wake();
        }
    }
}

/// A WebSocket that wants to take over from polling.
pub(crate) struct Candidate {
    /// Tells it from earlier ones.
    pub(super) number: u64,
    pub(super) waker: Option<Waker>,
    /// Whether it has said `2probe`.
    pub(super) probed: bool,
    pub(super) deadline: TimerKey,
}
