//! An event that asks for an acknowledgement, and the wait for it: the common part of `join`, `leave`, `emit`,
//! `broadcast` and every fence.

use std::time::{Duration, Instant};

use super::event_template::Encoded;
use super::{Cx, Happening};
use crate::observe::{Counter, Metric};
use crate::session::{Answer, Event};

/// An acknowledgement that is being waited for.
#[derive(Debug)]
pub struct Exchange {
    id: u64,
    namespace: Box<str>,
    due: Instant,
    sent: Instant,
    deadline: Instant,
    patience: Duration,
}

/// What became of an [`Exchange`] after something happened.
#[derive(Debug)]
pub enum Exchanged<'a> {
    /// The acknowledgement is there.
    Answered(&'a Answer<'a>),
    /// It will not come, in words.
    Missed(String),
    /// It is still due.
    Waiting,
}

impl Exchange {
    /// Sends the event.
    ///
    /// # Errors
    /// In words, when it cannot be sent.
    pub fn begin(
        cx: &mut Cx<'_, '_>,
        namespace: Box<str>,
        encoded: &Encoded,
        patience: Duration,
    ) -> Result<Exchange, String> {
        let id = say(cx, &namespace, encoded, true)?.unwrap_or_default();
        cx.observer.count(Counter::AckAsked, 1);
        Ok(Exchange { id, namespace, due: cx.due, sent: cx.now, deadline: cx.now + patience, patience })
    }

    /// Looks at what happened.
    pub fn handle<'a>(&self, cx: &mut Cx<'_, '_>, what: &Happening<'a>) -> Exchanged<'a> {
        match what {
            Happening::Event(Event::Answered(answer))
                if answer.id == self.id && *answer.namespace == *self.namespace =>
            {
                cx.observer.count(Counter::AckReceived, 1);
                cx.observer.latency(Metric::Ack, cx.now.saturating_duration_since(self.due));
                cx.observer.latency(Metric::AckService, cx.now.saturating_duration_since(self.sent));
                Exchanged::Answered(answer)
            }
            Happening::Event(Event::Closed(why)) => Exchanged::Missed(format!("the connection ended: {why}")),
            Happening::Event(Event::Disconnected { namespace }) if **namespace == *self.namespace => {
                Exchanged::Missed(format!("the server disconnected the client from `{namespace}`"))
            }
            Happening::Time if cx.now >= self.deadline => {
                Exchanged::Missed(format!("no acknowledgement within {:?}", self.patience))
            }
            _ => Exchanged::Waiting,
        }
    }

    /// When the wait is over.
    pub fn poll_timeout(&self) -> Option<Instant> {
        Some(self.deadline)
    }
}

/// Sends an event and counts it. Returns the id of the acknowledgement, if one is asked for.
///
/// # Errors
/// In words, when it cannot be sent.
pub fn say(
    cx: &mut Cx<'_, '_>,
    namespace: &str,
    encoded: &Encoded,
    ack: bool,
) -> Result<Option<u64>, String> {
    match cx.actor.session.emit(cx.wire, namespace, &encoded.data, &encoded.attachments, ack) {
        Ok(id) => {
            cx.observer.count(Counter::Sent, 1);
            cx.lag(Metric::Lag);
            Ok(id)
        }
        Err(_) => Err(cx.why_not_connected(namespace)),
    }
}
