//! What one agent says to one other alone: two streams between each two of them ([`super::link`]).
//!
//! What each has heard of the other stands before what it says. Whoever has heard something and has nothing to say tells that now
//! and then. So nothing is said between two who have nothing to say to each other. Pure: whoever uses it carries the frames.

use bytes::{BufMut, Bytes, BytesMut};

use super::link::{Inbox, Outbox};

/// What the sender of a frame expects next of who hears it.
const HEAD: usize = 8;

/// One of the others.
#[derive(Debug)]
struct Tie {
    outbox: Outbox,
    inbox: Inbox,
    /// Whether it said something since it was told last what was heard. It may have missed that: then it says all again.
    has_spoken: bool,
}

/// All of the others, by the order of all agents.
#[derive(Debug)]
pub(super) struct Pairs(Vec<Tie>);

impl Pairs {
    /// Of so many agents. `limit`: the longest frame that the broker takes.
    pub(super) fn new(agents: usize, limit: usize) -> Pairs {
        let tie = || Tie {
            outbox: Outbox::new(1, limit.saturating_sub(HEAD)),
            inbox: Inbox::default(),
            has_spoken: false,
        };
        Pairs((0..agents).map(|_| tie()).collect())
    }

    /// Says a message to one of them: the frames that are to be carried now.
    pub(super) fn say(&mut self, to: usize, message: &[u8]) -> Vec<Bytes> {
        let Some(tie) = self.0.get_mut(to) else { return Vec::new() };
        let frames = tie.outbox.say(message);
        frames.into_iter().map(|frame| tie.headed(&frame)).collect()
    }

    /// What is to be told of what was heard, where nothing was said since: to whom, and the frame.
    pub(super) fn receipts(&mut self) -> Vec<(usize, Bytes)> {
        let all = self.0.iter_mut().enumerate().filter(|(_, tie)| tie.has_spoken);
        all.map(|(to, tie)| (to, tie.headed(&[]))).collect()
    }

    /// What has to be said again: to whom, and the frame. To be asked when what was said has had the time to be heard.
    pub(super) fn again(&mut self) -> Vec<(usize, Bytes)> {
        let mut all = Vec::new();
        for (to, tie) in self.0.iter_mut().enumerate() {
            let frames = tie.outbox.again();
            all.extend(frames.into_iter().map(|frame| (to, tie.headed(&frame))));
        }
        all
    }

    /// Takes a frame of one of them. Gives the messages that are whole now, in their order.
    pub(super) fn take(&mut self, from: usize, mut frame: Bytes) -> Vec<Bytes> {
        let Some(tie) = self.0.get_mut(from) else { return Vec::new() };
        let expected = frame.first_chunk::<HEAD>().map(|bytes| u64::from_be_bytes(*bytes));
        // What is too short is broken for the inbox as well.
        let Some(expected) = expected else { return tie.inbox.take(frame) };
        tie.outbox.heard(0, expected);
        let frame = frame.split_off(HEAD);
        if frame.is_empty() {
            return Vec::new();
        }
        tie.has_spoken = true;
        tie.inbox.take(frame)
    }

    /// Whether everybody has heard everything.
    pub(super) fn are_heard(&self) -> bool {
        self.0.iter().all(|tie| tie.outbox.is_heard())
    }

    /// Whether somebody has fallen too far behind.
    pub(super) fn are_full(&self) -> bool {
        self.0.iter().any(|tie| tie.outbox.is_full())
    }

    /// Whether one of them says what cannot be.
    pub(super) fn are_broken(&self) -> bool {
        self.0.iter().any(|tie| tie.inbox.is_broken())
    }
}

impl Tie {
    /// Something to be carried, with what is told before it.
    fn headed(&mut self, frame: &[u8]) -> Bytes {
        self.has_spoken = false;
        let mut headed = BytesMut::with_capacity(HEAD + frame.len());
        headed.put_u64(self.inbox.expects());
        headed.put_slice(frame);
        headed.freeze()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const AGENTS: usize = 3;

    /// A frame on its way: from whom, to whom.
    type Way = Vec<(usize, usize, Bytes)>;

    proptest! {
        #[test]
        fn whatever_the_broker_loses_doubles_and_reorders_each_hears_what_was_said_to_it_once_and_in_order(
            said in prop::collection::vec((0..AGENTS, 0..AGENTS, prop::collection::vec(any::<u8>(), 0..40)), 1..60),
            seed in any::<u64>(),
        ) {
            let mut chance = fastrand::Rng::with_seed(seed);
            let mut pairs: Vec<Pairs> = (0..AGENTS).map(|_| Pairs::new(AGENTS, 40)).collect();
            let mut heard = vec![vec![Vec::<Vec<u8>>::new(); AGENTS]; AGENTS];
            let (mut way, mut to_say, mut round): (Way, _, _) = (Vec::new(), said.iter(), 0);
            let is_of = |from, to| said.iter().filter(move |(of, whom, _)| (*of, *whom) == (from, to));
            loop {
                round += 1;
                prop_assert!(round < 20_000, "it does not end");
                let mut frames: Way = Vec::new();
                if let Some((from, to, message)) = to_say.next() {
                    frames.extend(pairs[*from].say(*to, message).into_iter().map(|frame| (*from, *to, frame)));
                }
                for (from, pairs) in pairs.iter_mut().enumerate() {
                    let again = if round % 8 == 0 { pairs.again() } else { Vec::new() };
                    let receipts = if round % 4 == 0 { pairs.receipts() } else { Vec::new() };
                    frames.extend(again.into_iter().chain(receipts).map(|(to, frame)| (from, to, frame)));
                }
                for frame in frames {
                    way.extend(std::iter::repeat_n(frame, chance.usize(0..3)));
                }
                chance.shuffle(&mut way);
                for (from, to, frame) in way.drain(chance.usize(0..=way.len())..) {
                    let messages = pairs[to].take(from, frame);
                    heard[from][to].extend(messages.into_iter().map(|message| message.to_vec()));
                }
                if to_say.len() == 0 && pairs.iter().all(Pairs::are_heard) {
                    break;
                }
            }
            for (from, to) in (0..AGENTS).flat_map(|from| (0..AGENTS).map(move |to| (from, to))) {
                let expected: Vec<Vec<u8>> = is_of(from, to).map(|(_, _, message)| message.clone()).collect();
                prop_assert_eq!(&heard[from][to], &expected);
            }
            prop_assert!(!pairs.iter().any(Pairs::are_broken));
        }
    }

    #[test]
    fn between_two_who_have_nothing_to_say_nothing_is_said_and_a_receipt_wants_none() {
        let (mut one, mut other) = (Pairs::new(2, 100), Pairs::new(2, 100));
        assert!(one.receipts().is_empty() && one.again().is_empty());
        for frame in one.say(1, b"news") {
            assert_eq!(other.take(0, frame), [Bytes::from_static(b"news")]);
        }
        for (to, frame) in other.receipts() {
            assert_eq!((to, one.take(1, frame)), (0, Vec::new()));
        }
        assert!(one.are_heard() && one.receipts().is_empty() && other.receipts().is_empty());
    }

    #[test]
    fn what_is_said_again_because_a_receipt_was_lost_is_told_again() {
        let (mut one, mut other) = (Pairs::new(2, 100), Pairs::new(2, 100));
        one.say(1, b"news").into_iter().for_each(|frame| drop(other.take(0, frame)));
        drop((other.receipts(), one.again()));
        for (_, frame) in one.again() {
            assert!(other.take(0, frame).is_empty());
        }
        other.receipts().into_iter().for_each(|(_, frame)| drop(one.take(1, frame)));
        assert!(one.are_heard());
    }

    #[test]
    fn a_frame_that_is_too_short_is_broken() {
        let mut pairs = Pairs::new(2, 100);
        assert!(pairs.take(1, Bytes::from_static(b"short")).is_empty());
        assert!(pairs.are_broken());
    }
}
