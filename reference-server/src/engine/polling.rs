//! HTTP long-polling: the pending GET and the POST of a session.
//!
//! Spec: Engine.IO protocol v4, "HTTP long-polling": one GET and one POST at a time; a second one of either
//! closes the session.

use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll as Ready};

use super::packet::EncodedPacket;
use super::request::{EngineTransport, Version};
use super::session::{Session, State};
use super::waiting::Poll;
use crate::faults::{Fault, payload};
use crate::reason::Reason;

impl Session {
    /// A GET arrived. `false`: there is one already, and the session is closed for it.
    pub(super) fn begin_poll(self: &Rc<Self>) -> bool {
        let overlap = self.poll.borrow().pending;
        if overlap && !self.has(Fault::SecondPollTolerated) {
            self.abort(Reason::TransportError);
            return false;
        }
        let mut poll = self.poll.borrow_mut();
        poll.pending = true;
        poll.number += 1;
        self.spoil_patience_of_poll();
        true
    }

    /// Whether the GET with that number still waits.
    pub(crate) fn is_polled_by(&self, number: u64) -> bool {
        let poll = self.poll.borrow();
        poll.pending && poll.number == number
    }

    /// The number of the latest GET.
    pub(crate) fn latest_poll(&self) -> u64 {
        self.poll.borrow().number
    }

    /// The body for the pending GET, once there is one.
    pub(super) fn poll_body(self: &Rc<Self>, context: &mut Context<'_>) -> Ready<Vec<u8>> {
        let state = self.state.get();
        let on_websocket = self.transport.get() == EngineTransport::WebSocket;
        let waiting = !on_websocket && self.has_packets();
        let mut poll = self.poll.borrow_mut();
        if state == State::Open && !waiting && !on_websocket && poll.answer.is_none() {
            poll.waker = Some(context.waker().clone());
            return Ready::Pending;
        }
        poll.pending = false;
        poll.waker = None;
        let answer = poll.answer.take();
        drop(poll);
        let mut packets = if waiting { self.fetch() } else { VecDeque::new() };
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
        Ready::Ready(self.encode(&packets))
    }

    /// Joins packets into the body of a response.
    pub(super) fn encode(&self, packets: &VecDeque<EncodedPacket>) -> Vec<u8> {
        match self.handshake.version {
            Version::V3 => self.encode_older(packets),
            Version::V4 => payload::encode(self.shared.faults, packets),
        }
    }

    /// The client dropped its pending GET, or its answer could not be written.
    pub(super) fn lose_poll(self: &Rc<Self>) {
        *self.poll.borrow_mut() = Poll::default();
        if !self.has(Fault::AbortedPollForgiven) {
            self.abort(Reason::TransportError);
        }
    }

    /// A POST arrived. `false`: one is still arriving, and the session is closed for it.
    pub(super) fn begin_post(self: &Rc<Self>) -> bool {
        if self.posting.replace(true) && !self.has(Fault::SecondPostTolerated) {
            self.abort(Reason::TransportError);
            return false;
        }
        true
    }

    /// The body of a POST, handled packet by packet until one is invalid or the session ends.
    pub(super) fn handle_payload(self: &Rc<Self>, body: &str) {
        let faults = self.shared.faults;
        let mut invalid = false;
        for packet in payload::decode(faults, body) {
            match packet {
                Ok(packet) => self.handle_packet(packet),
                Err(_) if faults.has(Fault::PayloadReadPastError) => invalid = true,
                Err(_) => self.handle_invalid(),
            }
            if self.state.get() != State::Open {
                break;
            }
        }
        if invalid {
            self.handle_invalid();
        }
    }

    /// A POST is over, whatever came of it.
    pub(super) fn end_post(&self) {
        self.posting.set(false);
    }
}
