//! What a `broadcast`, a `join` or a `leave` has sent, until it is known what became of it: the wait for the acknowledgement or,
//! where the contract has none, for a round trip. The end of the wait settles the message for the audit.

use std::time::{Duration, Instant};

use super::event_template::Encoded;
use super::exchange::{Exchange, Exchanged, say};
use super::fence::Fencing;
use super::{Cx, Happening};
use crate::audit::{AuditEvent, SentMessage};
use crate::session::Answer;

/// A message that was sent, and what is awaited.
#[derive(Debug)]
pub(super) struct Pending {
    wait: Wait,
    /// What the audit has to know of it, until it is settled.
    message: Option<Box<SentMessage>>,
}

#[derive(Debug)]
enum Wait {
    Acknowledgement(Exchange),
    RoundTrip(Fencing),
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Settled<'a> {
    /// The server said that it has handled it.
    Acknowledged(&'a Answer<'a>),
    /// The server has read it. Whether its handler is done, nobody knows.
    Read,
    /// Neither will come, in words.
    Missed(String),
}

impl Pending {
    /// Sends an event.
    ///
    /// # Errors
    /// In words, when it cannot be sent.
    pub(super) fn send(
        cx: &mut Cx<'_, '_>,
        namespace: Box<str>,
        encoded: &Encoded,
        ack: bool,
        patience: Duration,
        message: Option<Box<SentMessage>>,
    ) -> Result<Pending, String> {
        if ack {
            let wait = Wait::Acknowledgement(Exchange::begin(cx, namespace, encoded, patience)?);
            return Ok(Pending { wait, message });
        }
        say(cx, &namespace, encoded, false)?;
        match Fencing::probe(cx, patience) {
            Ok(fencing) => Ok(Pending { wait: Wait::RoundTrip(fencing), message }),
            Err(why) => {
                settle(cx, message, false);
                Err(why)
            }
        }
    }

    /// Looks at what happened; gives what became of the message, if that is known now.
    pub(super) fn handle<'a>(&mut self, cx: &mut Cx<'_, '_>, what: &Happening<'a>) -> Option<Settled<'a>> {
        let settled = match &self.wait {
            Wait::Acknowledgement(exchange) => match exchange.handle(cx, what) {
                Exchanged::Answered(answer) => Settled::Acknowledged(answer),
                Exchanged::Missed(why) => Settled::Missed(why),
                Exchanged::Waiting => return None,
            },
            Wait::RoundTrip(fencing) => match fencing.handle(cx, what)? {
                Ok(()) => Settled::Read,
                Err(why) => Settled::Missed(why),
            },
        };
        settle(cx, self.message.take(), matches!(settled, Settled::Acknowledged(_)));
        Some(settled)
    }

    /// Waits no more: nobody will know what became of it.
    pub(super) fn abandon(&mut self, cx: &mut Cx<'_, '_>) {
        settle(cx, self.message.take(), false);
    }

    /// When the wait is over.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match &self.wait {
            Wait::Acknowledgement(exchange) => exchange.poll_timeout(),
            Wait::RoundTrip(fencing) => fencing.poll_timeout(),
        }
    }
}

/// Tells the audit what became of a message: handled by now, or nobody knows.
fn settle(cx: &mut Cx<'_, '_>, message: Option<Box<SentMessage>>, is_handled: bool) {
    let Some(mut message) = message else { return };
    message.settled = cx.actor.context.since(cx.now);
    message.handled = is_handled.then_some(message.settled);
    cx.record(AuditEvent::Settled(*message));
}
