//! What a `broadcast`, a `join` or a `leave` has sent, until it is known what became of it: the wait for the acknowledgement.
//! Its end settles the message for the audit. Where the contract has no acknowledgement, sending settles it.

use std::time::{Duration, Instant};

use super::event_template::Encoded;
use super::exchange::{Exchange, Exchanged, say};
use super::{Cx, Happening};
use crate::audit::{AuditEvent, SentMessage};
use crate::session::Answer;

/// A message that was sent, and whose acknowledgement is awaited.
#[derive(Debug)]
pub(super) struct Pending {
    exchange: Exchange,
    /// What the audit has to know of it, until it is settled.
    message: Option<Box<SentMessage>>,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Settled<'a> {
    /// The server said that it has handled it.
    Acknowledged(&'a Answer<'a>),
    /// It will not say so, in words.
    Missed(String),
}

impl Pending {
    /// Sends an event. None where nothing is awaited: the server may read it whenever it likes.
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
    ) -> Result<Option<Pending>, String> {
        if ack {
            let exchange = Exchange::begin(cx, namespace, encoded, patience)?;
            return Ok(Some(Pending { exchange, message }));
        }
        say(cx, &namespace, encoded)?;
        cx.actor.has_unread = true;
        settle(cx, message, false);
        Ok(None)
    }

    /// Looks at what happened; gives what became of the message, if that is known now.
    pub(super) fn handle<'a>(&mut self, cx: &mut Cx<'_, '_>, what: &Happening<'a>) -> Option<Settled<'a>> {
        let settled = match self.exchange.handle(cx, what) {
            Exchanged::Answered(answer) => Settled::Acknowledged(answer),
            Exchanged::Missed(why) => Settled::Missed(why),
            Exchanged::Waiting => return None,
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
        self.exchange.poll_timeout()
    }
}

/// Tells the audit what became of a message: handled by now, or nobody knows.
fn settle(cx: &mut Cx<'_, '_>, message: Option<Box<SentMessage>>, is_handled: bool) {
    let Some(mut message) = message else { return };
    message.settled = cx.actor.context.since(cx.now);
    message.handled = is_handled.then_some(message.settled);
    cx.record(AuditEvent::Settled(*message));
}
