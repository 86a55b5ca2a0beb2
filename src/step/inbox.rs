//! Events that arrived and that no step has taken yet.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::session::ServerEvent;

/// The most events that a client keeps for its steps.
const MAX_EVENTS: usize = 16_384;

/// The most bytes that a client keeps for its steps.
const MAX_BYTES: usize = 16 << 20;

/// An event that waits for a step to take it.
#[derive(Clone, Debug, PartialEq)]
pub struct Received {
    /// The namespace that it came through.
    pub namespace: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// JSON text of the array of name and arguments.
    pub data: Box<str>,
    /// Its attachments.
    pub attachments: Vec<Bytes>,
}

impl Received {
    fn size(&self) -> usize {
        self.data.len() + self.attachments.iter().map(Bytes::len).sum::<usize>()
    }
}

/// The events of one client that no step has taken yet, oldest first. Bounded: what does not fit is counted.
#[derive(Debug, Default)]
pub struct Inbox {
    kept: VecDeque<Received>,
    bytes: usize,
    overflow: u64,
}

impl Inbox {
    /// Keeps an event.
    pub fn keep(&mut self, name: &str, message: &ServerEvent<'_>) {
        let received = Received {
            namespace: message.namespace.as_ref().into(),
            name: name.into(),
            data: message.data.as_ref().into(),
            attachments: message.attachments.clone(),
        };
        if self.kept.len() >= MAX_EVENTS || self.bytes + received.size() > MAX_BYTES {
            self.overflow += 1;
            return;
        }
        self.bytes += received.size();
        self.kept.push_back(received);
    }

    /// The events of this name and namespace, oldest first, with the place at which each can be taken.
    pub fn named<'i>(
        &'i self,
        namespace: &'i str,
        name: &'i str,
    ) -> impl Iterator<Item = (usize, &'i Received)> {
        self.named_from(0, namespace, name)
    }

    /// The same without those before a place.
    pub fn named_from<'i>(
        &'i self,
        place: usize,
        namespace: &'i str,
        name: &'i str,
    ) -> impl Iterator<Item = (usize, &'i Received)> {
        let fits = move |received: &Received| *received.namespace == *namespace && *received.name == *name;
        let rest = self.kept.range(place.min(self.kept.len())..);
        (place..).zip(rest).filter(move |(_, received)| fits(received))
    }

    /// The place of the next event that will be kept.
    pub fn end(&self) -> usize {
        self.kept.len()
    }

    /// Takes the event that was kept last, if it is this one.
    pub fn take_last(&mut self, message: &ServerEvent<'_>) -> Option<Received> {
        let last = self.kept.back()?;
        let is_it = *last.namespace == *message.namespace && *last.data == *message.data;
        if is_it { self.take(self.kept.len() - 1) } else { None }
    }

    /// Takes the event at a place.
    pub fn take(&mut self, place: usize) -> Option<Received> {
        let received = self.kept.remove(place)?;
        self.bytes -= received.size();
        if self.kept.is_empty() {
            self.kept = VecDeque::new();
        }
        Some(received)
    }

    /// What is kept, in words, for the report of a failure.
    pub fn in_words(&self) -> String {
        let mut words = match self.kept.len() {
            0 => "no other event is waiting".to_owned(),
            1 => format!("one other event is waiting: {}", self.kept[0].data),
            n => format!("{n} other events are waiting, first {}", self.kept[0].data),
        };
        if self.overflow > 0 {
            words.push_str(&format!("; {} more did not fit and were dropped", self.overflow));
        }
        words
    }
}
