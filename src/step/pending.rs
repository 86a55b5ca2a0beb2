//! What a `broadcast`, a `join` or a `leave` has sent, until it is known what became of it: the wait for the acknowledgement.
//! Its end settles the message for the audit. Where the contract has no acknowledgement, sending settles it.

use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::demand::Demand;
use super::event_template::{Encoded, Words};
use super::exchange::{Exchange, Exchanged, say};
use super::{Cx, Happening};
use crate::audit::{AuditEvent, SentMessage};
use crate::contract::{Acceptance, Answered, Refusal};
use crate::session::Answer;

/// That it is not known whether an acknowledgement accepts.
const VAGUE: &str = "an acknowledgement is a text that may be a refusal, so what clients receive has to show it: \
                     `ack: { args: … }`, or `ack: error_first`, in the contract says what an acceptance looks like";

/// A message that was sent, and whose acknowledgement is awaited.
#[derive(Debug)]
pub(super) struct Pending<'p> {
    exchange: Exchange,
    /// What the acknowledgement has to be like.
    acceptance: &'p Acceptance,
    /// What the step has named, such as its rooms.
    words: Vec<(&'static str, Json)>,
    /// What the audit has to know of it, until it is settled.
    message: Option<Box<SentMessage>>,
}

/// Its outcome.
#[derive(Debug)]
pub(super) enum Settled<'a> {
    /// The server said that it has handled it.
    Accepted(&'a Answer<'a>),
    /// It said that it will not.
    Refused(&'a Answer<'a>, Refusal),
    /// What it said may be a refusal, and the contract does not say.
    Unclear(&'a Answer<'a>, Refusal),
    /// It said something that may be anything.
    Vague(&'a Answer<'a>, String),
    /// It will say neither, in words.
    Missed(String),
}

impl<'p> Pending<'p> {
    /// Sends an event. None where nothing is awaited: the server may read it whenever it likes.
    ///
    /// # Errors
    /// In words, when it cannot be sent.
    pub(super) fn send(
        cx: &mut Cx<'_, '_>,
        namespace: Box<str>,
        encoded: &Encoded,
        ack: Option<&'p Acceptance>,
        patience: Duration,
        words: Vec<(&'static str, Json)>,
        message: Option<Box<SentMessage>>,
    ) -> Result<Option<Pending<'p>>, String> {
        if let Some(acceptance) = ack {
            let exchange = Exchange::begin(cx, namespace, encoded, patience)?;
            return Ok(Some(Pending { exchange, acceptance, words, message }));
        }
        say(cx, &namespace, encoded)?;
        cx.actor.has_unread = true;
        settle(cx, message, End::Unknown);
        Ok(None)
    }

    /// Looks at what happened; gives the outcome of the message, if it is known now.
    pub(super) fn handle<'a>(&mut self, cx: &mut Cx<'_, '_>, what: &Happening<'a>) -> Option<Settled<'a>> {
        let (settled, end) = match self.exchange.handle(cx, what) {
            Exchanged::Answered(answer) => {
                let values = Words { values: cx.actor, words: &self.words, i: None };
                match self.acceptance.judge(&answer.data, &answer.attachments, &values) {
                    Answered::Done => {
                        if let Some(message) = self.message.as_mut().filter(|_| self.acceptance.is_told()) {
                            message.may_be_refused = false;
                        }
                        (Settled::Accepted(answer), End::Handled)
                    }
                    Answered::Refused(refusal) => (Settled::Refused(answer, refusal), End::Refused),
                    Answered::Unclear(refusal) => (Settled::Unclear(answer, refusal), End::Unheard),
                    Answered::Vague(said) => (Settled::Vague(answer, said), End::Unheard),
                }
            }
            Exchanged::Missed(why) => (Settled::Missed(why), End::Unknown),
            Exchanged::Waiting => return None,
        };
        settle(cx, self.message.take(), end);
        Some(settled)
    }

    /// Stops waiting: the outcome stays unknown.
    pub(super) fn abandon(&mut self, cx: &mut Cx<'_, '_>) {
        settle(cx, self.message.take(), End::Unknown);
    }

    /// When the wait is over.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.exchange.poll_timeout()
    }
}

impl Settled<'_> {
    /// Judges an acknowledgement that came: by what the step demands of it or, where it does not, by the contract.
    /// `may_refuse`: the application may refuse by rules of its own.
    pub(super) fn judge(self, cx: &mut Cx<'_, '_>, demand: &Demand, may_refuse: bool) -> Result<(), String> {
        match self {
            Settled::Accepted(answer) => {
                demand.judge(cx, answer);
            }
            Settled::Refused(answer, _) | Settled::Unclear(answer, _) | Settled::Vague(answer, _)
                if demand.decides() =>
            {
                demand.judge(cx, answer);
            }
            Settled::Refused(answer, _) | Settled::Unclear(answer, _) | Settled::Vague(answer, _)
                if may_refuse =>
            {
                demand.judge(cx, answer);
            }
            Settled::Refused(_, Refusal { expected, actual })
            | Settled::Unclear(_, Refusal { expected, actual }) => cx.fail(expected, actual),
            Settled::Vague(answer, said) => {
                let actor = &*cx.actor;
                cx.observer.trouble(actor.who, VAGUE, &said, &|| actor.wire_log());
                demand.judge(cx, answer);
            }
            Settled::Missed(why) => return Err(why),
        }
        Ok(())
    }
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The server had handled it by now.
    Handled,
    /// It said that it will not: nobody has to receive it.
    Refused,
    /// Nothing says that it has come to the application: it may be lost.
    Unheard,
    /// Nobody knows.
    Unknown,
}

/// Tells the audit what became of a message.
pub(super) fn settle(cx: &mut Cx<'_, '_>, message: Option<Box<SentMessage>>, end: End) {
    let Some(mut message) = message else { return };
    message.settled = cx.actor.context.since(cx.now).into();
    message.handled = (end == End::Handled).then_some(message.settled);
    message.is_refused = end == End::Refused;
    message.may_be_lost |= matches!(end, End::Refused | End::Unheard);
    cx.record(AuditEvent::Settled(*message));
}
