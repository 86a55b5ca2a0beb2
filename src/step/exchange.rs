//! An event that asks for an acknowledgement, and the wait for it: the common part of `join`, `leave`, `emit`,
//! `broadcast` and every fence.

use std::time::{Duration, Instant};

use super::event_template::Encoded;
use super::{Cx, Happening};
use crate::observe::{Counter, Metric};
use crate::protocol::Rule;
use crate::session::{Answer, Event};

/// An acknowledgement that is being waited for.
#[derive(Debug)]
pub(super) struct Awaited {
    id: u64,
    namespace: Box<str>,
    deadline: Instant,
    patience: Duration,
}

/// What became of an acknowledgement after something happened.
#[derive(Debug)]
pub(super) enum Exchanged<'a> {
    /// It is there.
    Answered(&'a Answer<'a>),
    /// It will not come, in words.
    Missed(String),
    /// It is still due.
    Waiting,
}

impl Awaited {
    /// Sends an event that asks for it, and counts nothing.
    ///
    /// # Errors
    /// In words, when it cannot be sent.
    pub(super) fn begin(
        cx: &mut Cx<'_, '_>,
        namespace: Box<str>,
        encoded: &Encoded,
        patience: Duration,
    ) -> Result<Awaited, String> {
        let id = send(cx, &namespace, encoded, true)?.unwrap_or_default();
        Ok(Awaited { id, namespace, deadline: cx.actor.unread.asking(cx.now) + patience, patience })
    }

    /// Looks at what happened.
    pub(super) fn handle<'a>(&self, cx: &mut Cx<'_, '_>, what: &Happening<'a>) -> Exchanged<'a> {
        match what {
            Happening::Event(Event::Answered(answer))
                if answer.id == self.id && *answer.namespace == *self.namespace =>
            {
                cx.has_read(self.deadline - self.patience);
                Exchanged::Answered(answer)
            }
            Happening::Event(Event::Closed(why)) => Exchanged::Missed(format!("the connection ended: {why}")),
            Happening::Event(Event::Disconnected { namespace, .. }) if **namespace == *self.namespace => {
                Exchanged::Missed(format!("the server disconnected the client from `{namespace}`"))
            }
            Happening::Time if cx.now >= self.deadline => {
                if cx.actor.blamed().is_none() {
                    cx.actor.harm = Some(cx.actor.signs.missing(Rule::AckMissing));
                }
                let heard = cx.actor.heard_instead(self.deadline - self.patience);
                Exchanged::Missed(format!("no acknowledgement within {:?}{heard}", self.patience))
            }
            _ => Exchanged::Waiting,
        }
    }

    /// When the wait is over.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        Some(self.deadline)
    }
}

/// The same for an event of the scenario's: it is counted and timed.
#[derive(Debug)]
pub(super) struct Exchange {
    awaited: Awaited,
    due: Instant,
    sent: Instant,
}

impl Exchange {
    /// Sends the event.
    ///
    /// # Errors
    /// In words, when it cannot be sent.
    pub(super) fn begin(
        cx: &mut Cx<'_, '_>,
        namespace: Box<str>,
        encoded: &Encoded,
        patience: Duration,
    ) -> Result<Exchange, String> {
        let awaited = Awaited::begin(cx, namespace, encoded, patience)?;
        count_sent(cx);
        cx.observer.count(Counter::AckAsked, 1);
        Ok(Exchange { awaited, due: cx.due, sent: cx.now })
    }

    /// Looks at what happened.
    pub(super) fn handle<'a>(&self, cx: &mut Cx<'_, '_>, what: &Happening<'a>) -> Exchanged<'a> {
        let exchanged = self.awaited.handle(cx, what);
        if let Exchanged::Answered(answer) = exchanged {
            let value = cx.now.saturating_duration_since(self.due);
            cx.observer.count(Counter::AckReceived, 1);
            cx.observer.latency(Metric::Ack, value);
            let args = || serde_json::from_str(&answer.data).ok();
            cx.observer.answered(Metric::Ack, value, &answer.attachments, &args);
            cx.observer.latency(Metric::AckService, cx.now.saturating_duration_since(self.sent));
        }
        exchanged
    }

    /// When the wait is over.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.awaited.poll_timeout()
    }
}

/// Sends an event that asks for no acknowledgement, and counts it.
///
/// # Errors
/// In words, when it cannot be sent.
pub(super) fn say(cx: &mut Cx<'_, '_>, namespace: &str, encoded: &Encoded) -> Result<(), String> {
    send(cx, namespace, encoded, false)?;
    count_sent(cx);
    Ok(())
}

fn count_sent(cx: &mut Cx<'_, '_>) {
    cx.observer.count(Counter::Sent, 1);
    cx.lag(Metric::Lag);
}

/// Sends an event. Returns the id of the acknowledgement, if one is asked for.
fn send(cx: &mut Cx<'_, '_>, namespace: &str, encoded: &Encoded, ack: bool) -> Result<Option<u64>, String> {
    let sent = cx.actor.session.emit(cx.wire, namespace, &encoded.data, &encoded.attachments, ack);
    sent.map_err(|_| cx.why_not_connected(namespace))
}
