//! Responses that did not come in time: they may still come, and are then not to be taken for others.

use std::collections::VecDeque;

use super::arguments::arguments;
use crate::session::ServerEvent;
use crate::template::{Matcher, Nothing};

/// How many late responses are awaited. The oldest are forgotten: whoever has so many is not timed any more anyway.
const MOST_OVERDUE: usize = 64;

/// Responses that did not come in time, oldest first.
#[derive(Debug, Default)]
pub struct Overdue {
    late: VecDeque<Late>,
    /// Whether the event that arrived last may be one of them.
    is_late: bool,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Late {
    pub(super) namespace: Box<str>,
    pub(super) event: Box<str>,
    /// With what its names stood for when it was asked for.
    pub(super) args: Option<Matcher>,
}

impl Overdue {
    /// Looks whether an event that arrives is one of them.
    pub fn hear(&mut self, name: &str, message: &ServerEvent<'_>) {
        let is_it = |late: &Late| {
            *late.event == *name
                && *late.namespace == *message.namespace
                && arguments(&message.data, &message.attachments, late.args.as_ref(), &Nothing).is_ok()
        };
        let place = self.late.iter().position(is_it);
        self.is_late = place.and_then(|place| self.late.remove(place)).is_some();
    }

    /// Whether the event that arrived last may be one of them.
    pub(super) fn is_late(&self) -> bool {
        self.is_late
    }

    /// The connection is gone, and with it all that it owed.
    pub fn clear(&mut self) {
        self.late.clear();
    }

    pub(super) fn push(&mut self, late: Late) {
        if self.late.len() == MOST_OVERDUE {
            self.late.pop_front();
        }
        self.late.push_back(late);
    }
}
