//! Streams of messages that arrive once and in order, over a broker that may lose, double and reorder them.
//!
//! Each party numbers what it says. Whoever hears it tells, now and then, what it expects next, and what it did not get is said
//! again. A message longer than the broker takes is said in pieces. Pure: whoever uses it carries the frames.

use std::collections::{BTreeMap, VecDeque};

use bytes::{BufMut, Bytes, BytesMut};

/// The number, and whether the message goes on in the next frame.
const HEAD: usize = 9;

/// How many frames are said again at once.
const AGAIN: usize = 512;

/// How much may wait to be heard of. Whoever has fallen so far behind is cut off.
const MOST_KEPT: usize = 256 << 20;

/// How much of what came early is kept; the rest is said again.
const MOST_EARLY: usize = 16 << 20;

/// The longest message.
const LONGEST: usize = 256 << 20;

/// What one party says to some others.
#[derive(Debug)]
pub(super) struct Outbox {
    /// The longest frame.
    limit: usize,
    /// The number of the next frame.
    next: u64,
    /// What not everybody has heard, from the oldest on.
    kept: VecDeque<Bytes>,
    bytes: usize,
    /// What each of those who hear expects next.
    expected: Vec<u64>,
    /// What was expected by the last of them when it was looked at last.
    seen: u64,
}

impl Outbox {
    /// For so many who hear. `limit`: the longest frame that the broker takes.
    pub(super) fn new(hearers: usize, limit: usize) -> Outbox {
        let limit = limit.max(HEAD + 1);
        Outbox { limit, next: 0, kept: VecDeque::new(), bytes: 0, expected: vec![0; hearers], seen: 0 }
    }

    /// The number of the next frame: before it, everything is said.
    pub(super) fn said(&self) -> u64 {
        self.next
    }

    /// Says a message: the frames that are to be carried now.
    pub(super) fn say(&mut self, message: &[u8]) -> Vec<Bytes> {
        let mut pieces = message.chunks(self.limit - HEAD).peekable();
        let mut frames = Vec::new();
        // An empty message is a frame, too.
        let mut piece = pieces.next().unwrap_or_default();
        loop {
            let goes_on = pieces.peek().is_some();
            let mut frame = BytesMut::with_capacity(HEAD + piece.len());
            frame.put_u64(self.next);
            frame.put_u8(u8::from(goes_on));
            frame.put_slice(piece);
            self.next += 1;
            frames.push(frame.freeze());
            match pieces.next() {
                Some(more) => piece = more,
                None => break,
            }
        }
        if !self.expected.is_empty() {
            self.bytes += frames.iter().map(Bytes::len).sum::<usize>();
            self.kept.extend(frames.iter().cloned());
        }
        frames
    }

    /// One of those who hear tells what it expects next.
    pub(super) fn heard(&mut self, hearer: usize, expects: u64) {
        let Some(expected) = self.expected.get_mut(hearer) else { return };
        *expected = (*expected).max(expects.min(self.next));
        let all = self.expected.iter().copied().min().unwrap_or(self.next);
        while self.oldest() < all {
            let Some(frame) = self.kept.pop_front() else { break };
            self.bytes -= frame.len();
        }
    }

    /// What has to be said again: what was not heard by the time at which this was asked last. To be asked when what was said
    /// has had the time to be heard.
    pub(super) fn again(&mut self) -> Vec<Bytes> {
        let oldest = self.oldest();
        let stands = self.seen;
        self.seen = self.next;
        let late = usize::try_from(stands.saturating_sub(oldest)).unwrap_or(usize::MAX);
        self.kept.iter().take(late.min(AGAIN)).cloned().collect()
    }

    /// Whether everybody has heard everything.
    pub(super) fn is_heard(&self) -> bool {
        self.kept.is_empty()
    }

    /// Whether somebody has fallen too far behind.
    pub(super) fn is_full(&self) -> bool {
        self.bytes > MOST_KEPT
    }

    fn oldest(&self) -> u64 {
        self.next - self.kept.len() as u64
    }
}

/// What one party hears of another.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    next: u64,
    early: BTreeMap<u64, Bytes>,
    early_bytes: usize,
    begun: BytesMut,
    /// Whether the other party says what cannot be.
    is_broken: bool,
}

impl Inbox {
    /// What is expected next: before it, everything was heard.
    pub(super) fn expects(&self) -> u64 {
        self.next
    }

    /// Whether the other party says what cannot be.
    pub(super) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Takes a frame. Gives the messages that are whole now, in their order.
    pub(super) fn take(&mut self, frame: Bytes) -> Vec<Bytes> {
        let mut whole = Vec::new();
        let Some(number) = frame.first_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes)) else {
            self.is_broken = true;
            return whole;
        };
        if frame.len() < HEAD || self.is_broken {
            self.is_broken = true;
            return whole;
        }
        if number > self.next {
            if self.early_bytes + frame.len() <= MOST_EARLY && !self.early.contains_key(&number) {
                self.early_bytes += frame.len();
                self.early.insert(number, frame);
            }
            return whole;
        }
        if number < self.next {
            return whole;
        }
        let mut following = Some(frame);
        while let Some(frame) = following {
            self.next += 1;
            if self.begun.len() + frame.len() > LONGEST {
                self.is_broken = true;
                return whole;
            }
            if self.begun.is_empty() && frame[HEAD - 1] == 0 {
                whole.push(frame.slice(HEAD..));
            } else {
                self.begun.put_slice(&frame[HEAD..]);
                if frame[HEAD - 1] == 0 {
                    whole.push(self.begun.split().freeze());
                }
            }
            following = self.early.remove(&self.next);
            self.early_bytes -= following.as_ref().map_or(0, Bytes::len);
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(messages: Vec<Bytes>) -> Vec<Vec<u8>> {
        messages.into_iter().map(|message| message.to_vec()).collect()
    }

    proptest! {
        #[test]
        fn whatever_the_broker_loses_doubles_and_reorders_everything_is_heard_once_and_in_order(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..60),
            chances in prop::collection::vec((0u8..10, any::<prop::sample::Index>()), 4000),
        ) {
            let mut outbox = Outbox::new(2, HEAD + 7);
            let mut inboxes = [Inbox::default(), Inbox::default()];
            let mut heard = [Vec::new(), Vec::new()];
            let mut ways: [Vec<Bytes>; 2] = Default::default();
            let mut chances = chances.into_iter();
            let (mut to_say, mut rounds) = (messages.iter(), 0);
            while heard.iter().any(|heard| heard.len() < messages.len()) {
                rounds += 1;
                prop_assert!(rounds < 20_000, "it does not end");
                let mut frames = to_say.next().map(|message| outbox.say(message)).unwrap_or_default();
                if rounds % 5 == 0 {
                    frames.extend(outbox.again());
                }
                for way in &mut ways {
                    for frame in &frames {
                        // Without chances left, nothing is lost.
                        let (chance, place) = chances.next().map_or((9, None), |(c, place)| (c, Some(place)));
                        let times = match chance { 0..=2 => 0, 3 => 2, _ => 1 };
                        for _ in 0..times {
                            let at = place.map_or(way.len(), |place| place.index(way.len() + 1));
                            way.insert(at, frame.clone());
                        }
                    }
                }
                for (hearer, (way, inbox)) in ways.iter_mut().zip(&mut inboxes).enumerate() {
                    let most = way.len().min(3);
                    for frame in way.drain(..most) {
                        heard[hearer].extend(texts(inbox.take(frame)));
                    }
                    outbox.heard(hearer, inbox.expects());
                }
            }
            prop_assert!(heard.iter().all(|heard| *heard == messages));
            (0..2).for_each(|hearer| outbox.heard(hearer, inboxes[hearer].expects()));
            prop_assert!(outbox.kept.is_empty() && outbox.bytes == 0);
            prop_assert!(inboxes.iter().all(|inbox| inbox.early_bytes == 0 && !inbox.is_broken()));
        }

        #[test]
        fn a_frame_of_any_bytes_breaks_nothing(frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..12), 0..50)) {
            let mut inbox = Inbox::default();
            for frame in frames {
                inbox.take(Bytes::from(frame));
            }
        }
    }

    #[test]
    fn what_was_said_just_now_is_not_said_again_and_what_was_not_heard_is() {
        let mut outbox = Outbox::new(1, 100);
        assert_eq!(outbox.say(b"one").len(), 1);
        assert!(outbox.again().is_empty());
        assert_eq!(outbox.say(b"two").len(), 1);
        assert_eq!(outbox.again().len(), 1);
        outbox.heard(0, 2);
        assert!(outbox.again().is_empty());
    }

    #[test]
    fn whoever_claims_to_have_heard_what_was_not_said_is_not_believed() {
        let mut outbox = Outbox::new(1, 100);
        outbox.say(b"one");
        outbox.heard(0, u64::MAX);
        outbox.say(b"two");
        outbox.again();
        assert_eq!(outbox.again().len(), 1);
    }
}
