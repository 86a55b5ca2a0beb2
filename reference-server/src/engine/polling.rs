//! HTTP long-polling: the pending GET and the POST of a session.
//!
//! Spec: Engine.IO protocol v4, "HTTP long-polling": one GET and one POST at a time; a second one of either
//! closes the session.

use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll as Ready, Waker};
use std::time::Duration;

use super::packet::EncodedPacket;
use super::payload;
use super::request::Transport;
use super::session::{Session, State};
use crate::faults::Fault;
use crate::socket::reason::Reason;

/// How long a GET waits when a fault answers it too early.
const EARLY: Duration = Duration::from_millis(10);

/// The place where a GET waits.
#[derive(Default)]
pub(crate) struct Poll {
    pending: bool,
    /// How many GETs there were.
    number: u64,
    waker: Option<Waker>,
    /// What the pending GET gets if there is no message for it.
    answer: Option<EncodedPacket>,
}

impl Poll {
    pub(crate) fn is_pending(&self) -> bool {
        self.pending
    }

    pub(super) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Forgets who waits.
    pub(super) fn forget(&mut self) {
        self.waker = None;
    }

    /// Lets a pending GET go with `packet`.
    pub(super) fn answer(&mut self, packet: EncodedPacket) {
        if self.pending {
            self.answer = Some(packet);
            self.wake();
        }
    }
}

impl Session {
    /// A GET arrived. `false`: there is one already, and the session is closed for it.
    pub(crate) fn begin_poll(self: &Rc<Self>) -> bool {
        let overlap = self.poll.borrow().pending;
        if overlap && !self.server.faults.has(Fault::SecondPollTolerated) {
            self.abort(Reason::TransportError);
            return false;
        }
        let mut poll = self.poll.borrow_mut();
        poll.pending = true;
        poll.number += 1;
        if self.server.faults.has(Fault::PollReturnsEarly) {
            let session = self.clone();
            let answer = move || session.poll.borrow_mut().answer(EncodedPacket::fixed("6"));
            self.server.timers.after(EARLY, answer);
        }
        true
    }

    /// Waits until the GET that is pending now has its answer.
    pub(crate) async fn poll_answered(&self) {
        let number = self.poll.borrow().number;
        let is_pending = || {
            let poll = self.poll.borrow();
            poll.pending && poll.number == number
        };
        while is_pending() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The body for the pending GET, once there is one.
    pub(crate) fn poll_body(self: &Rc<Self>, context: &mut Context<'_>) -> Ready<Vec<u8>> {
        let state = self.state.get();
        let on_websocket = self.transport.get() == Transport::WebSocket;
        let waiting = !on_websocket && !self.queue.borrow().is_empty();
        let mut poll = self.poll.borrow_mut();
        if state == State::Open && !waiting && !on_websocket && poll.answer.is_none() {
            poll.waker = Some(context.waker().clone());
            return Ready::Pending;
        }
        poll.pending = false;
        poll.waker = None;
        let answer = poll.answer.take();
        drop(poll);
        let mut packets = if waiting { self.fetch() } else { Default::default() };
        if self.server.faults.has(Fault::PollReversesPackets) {
            packets.make_contiguous().reverse();
        }
        match state {
            State::Open if packets.is_empty() => {
                packets.push_back(answer.unwrap_or_else(|| EncodedPacket::fixed("6")));
            }
            State::Open => {}
            // The close packet comes alone, as from the official server: its client acts on a close at once
            // and on the packets before it a moment later.
            State::Draining if !packets.is_empty() => {}
            State::Draining => {
                packets.push_back(EncodedPacket::fixed("1"));
                self.vanish();
            }
            State::Closed => packets.push_back(answer.unwrap_or_else(|| EncodedPacket::fixed("1"))),
        }
        Ready::Ready(payload::encode(&packets, self.server.faults))
    }

    /// What waits, for one answer.
    fn fetch(&self) -> VecDeque<EncodedPacket> {
        if self.server.faults.has(Fault::PollOnePacket) {
            return self.next_packet().into_iter().collect();
        }
        let mut packets = self.take_queue();
        if self.server.faults.has(Fault::PollCutAtLimit) {
            let mut length = 0;
            packets.retain(|packet| {
                length += packet.body().len();
                length <= self.server.config.max_payload
            });
        }
        if self.server.faults.has(Fault::PollReversed) {
            packets.make_contiguous().reverse();
        }
        packets
    }

    /// The client dropped its pending GET, or its answer could not be written.
    pub(crate) fn lose_poll(self: &Rc<Self>) {
        *self.poll.borrow_mut() = Poll::default();
        if self.server.faults.has(Fault::AbortedPollForgiven) {
            return;
        }
        self.abort(Reason::TransportError);
    }

    /// A POST arrived. `false`: one is still arriving, and the session is closed for it.
    pub(crate) fn begin_post(self: &Rc<Self>) -> bool {
        if self.posting.replace(true) && !self.server.faults.has(Fault::SecondPostTolerated) {
            self.abort(Reason::TransportError);
            return false;
        }
        true
    }

    /// The body of a POST, handled packet by packet until one is invalid or the session ends.
    pub(crate) fn receive_payload(self: &Rc<Self>, body: &str) {
        let faults = self.server.faults;
        let mut invalid = false;
        let reversed;
        let body = if faults.has(Fault::PayloadReversed) {
            reversed = payload::reversed(body);
            &reversed
        } else {
            body
        };
        for packet in payload::decode(body, faults) {
            match packet {
                Ok(packet) => self.receive(packet),
                Err(_) if faults.has(Fault::PayloadReadPastError) => invalid = true,
                Err(_) => self.receive_invalid(),
            }
            if self.state.get() != State::Open {
                break;
            }
        }
        if invalid {
            self.receive_invalid();
        }
    }

    /// A POST is over, whatever came of it.
    pub(crate) fn end_post(&self) {
        self.posting.set(false);
    }
}
