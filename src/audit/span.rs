//! How long something held, as far as a client can know: a membership, a connection.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::events::Moment;

/// Whether something held over a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// At no instant of it.
    No,
    /// Nobody can say.
    Maybe,
    /// At every instant of it.
    Yes,
}

impl Certainty {
    /// Both hold.
    #[must_use]
    pub fn and(self, other: Certainty) -> Certainty {
        self.min(other)
    }

    /// Either holds.
    #[must_use]
    pub fn or(self, other: Certainty) -> Certainty {
        self.max(other)
    }

    /// The opposite holds.
    #[must_use]
    pub fn opposite(self) -> Certainty {
        match self {
            Certainty::No => Certainty::Yes,
            Certainty::Maybe => Certainty::Maybe,
            Certainty::Yes => Certainty::No,
        }
    }
}

/// From joining to leaving. It began between `asked` and `confirmed`, and ended between `left_asked` and `left`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembershipSpan {
    /// When the client asked for it: it cannot have begun before.
    pub asked: Moment,
    /// When the server said that it had begun, if it did.
    pub confirmed: Option<Moment>,
    /// Whether a receipt shows that it had begun, and the server has not said so.
    pub is_shown: bool,
    /// When the client asked for its end, or the first moment at which it may have ended.
    pub left_asked: Option<Moment>,
    /// From when on it certainly is over.
    pub left: Option<Moment>,
    /// Whether its end was asked for where the server answers no leave.
    pub ends_silently: bool,
    /// Whether the client asked for it by a step, and nothing has shown yet that the server has read that.
    pub is_unread: bool,
    /// Since when it is known that the server has read the asking for it, where the server did not answer that.
    pub join_read: Option<Moment>,
    /// Since when it is known that the server has read the asking for its end, where the server answers no leave.
    pub leave_read: Option<Moment>,
    /// Whether others received what went to the room since the asking for it was read, and its client did not.
    pub has_missed: bool,
    /// Whether its client received what went to the room since it was asked for, be it by an earlier stay that was not over yet.
    pub was_heard: bool,
    /// Whether its client received what went to the room long after it had asked for its end, or since that was read.
    pub was_kept: bool,
    /// Whether others received what went to the room since its end was asked for, and its client did not.
    pub seems_over: bool,
    /// Up to when the server may have handled a join of who was there already, if one was asked for.
    pub again: Option<Moment>,
    /// Whether the server alone decides how long it lasts.
    pub is_movable: bool,
    /// When the client learned that the server has put it elsewhere: it may have done so at any time since `left_asked`.
    pub moved: Option<Moment>,
    /// The latest time at which it certainly held, as far as receipts show that.
    pub seen: Option<Moment>,
}

impl MembershipSpan {
    /// One that was asked for.
    pub fn asked(at: Moment) -> MembershipSpan {
        MembershipSpan {
            asked: at,
            confirmed: None,
            is_shown: false,
            left_asked: None,
            left: None,
            ends_silently: false,
            is_unread: false,
            join_read: None,
            leave_read: None,
            has_missed: false,
            was_heard: false,
            was_kept: false,
            seems_over: false,
            again: None,
            is_movable: false,
            moved: None,
            seen: None,
        }
    }

    /// Whether it held from one time to another.
    pub fn over(&self, from: Moment, to: Moment) -> Certainty {
        let begun = self.confirmed.is_some_and(|confirmed| confirmed <= from);
        let lasts = self.left_asked.is_none_or(|asked| asked >= to);
        let before = self.asked >= to;
        let after = self.left.is_some_and(|left| left <= from);
        match () {
            () if before || after => Certainty::No,
            () if begun && lasts => Certainty::Yes,
            () => Certainty::Maybe,
        }
    }

    /// The server says that it has joined.
    pub(super) fn confirm(&mut self, at: Moment) {
        self.confirmed = self.confirmed.or(Some(at));
        self.again = self.again.map(|_| at);
    }

    /// A receipt shows that it had begun by then.
    pub(super) fn show(&mut self, at: Moment) {
        self.is_shown |= self.confirmed.is_none();
        self.confirmed = self.confirmed.or(Some(at));
    }

    /// Whether its beginning, of which the server said nothing, may fall between two times.
    pub(super) fn begins_in_silence_within(&self, (from, to): (Moment, Moment)) -> bool {
        let begins = self.asked < to && self.confirmed.is_none_or(|confirmed| confirmed > from);
        begins && (self.confirmed.is_none() || self.is_shown)
    }

    /// The same of its end. `is_end`: whether a socket of the client ended then, and with it whatever was not left before.
    pub(super) fn ends_in_silence_within(
        &self,
        (from, to): (Moment, Moment),
        is_end: impl Fn(Moment) -> bool,
    ) -> bool {
        let asks = self.left_asked.is_some_and(|asked| asked < to) && self.moved.is_none();
        let stops = asks && self.left.is_none_or(|left| left > from);
        stops && (self.ends_silently || self.left.is_none_or(is_end))
    }

    /// Whether the server may have ended it between two times, as the client learned later.
    pub(super) fn is_moved_within(&self, (from, to): (Moment, Moment)) -> bool {
        self.moved.is_some_and(|moved| moved > from) && self.left_asked.is_some_and(|asked| asked < to)
    }

    /// The client learns that the server has put it elsewhere. All that is known of the time before is that it held when
    /// something showed that.
    pub(super) fn move_on(&mut self, at: Moment) {
        self.moved = Some(at);
        self.left_asked = self.seen.max(self.confirmed).or(Some(self.asked));
        self.left = Some(at);
    }

    /// What was sent at one time was received at another because it held: before the client learned of a move.
    pub(super) fn hold(&mut self, sent: Moment, received: Moment) {
        if self.moved.is_none_or(|moved| received <= moved) {
            self.seen = self.seen.max(Some(sent));
            if self.moved.is_some() {
                self.left_asked = self.left_asked.max(Some(sent));
            }
        }
    }

    /// Whether it began, or was joined again, after a time, for all that is known.
    pub(super) fn may_begin_after(&self, when: Moment) -> bool {
        let joins = [self.confirmed.or(Some(Moment::MAX)), self.again].into_iter().flatten();
        // Whatever the server did not answer, it had done before the end.
        joins.map(|begun| begun.min(self.left.unwrap_or(Moment::MAX))).any(|begun| begun >= when)
    }

    /// Ends it, unless it has ended before: it was asked to, or may have, at one time, and certainly had at another.
    pub fn end(&mut self, asked: Moment, left: Moment) {
        if self.left.is_none_or(|known| left < known) {
            self.left_asked = Some(self.left_asked.map_or(asked, |before| before.min(asked)));
            self.left = Some(left);
        }
    }
}

/// The spans of an offended socket that matter: in the rooms that the message went to, or in the namespace.
pub type MembershipSpans = Vec<(Arc<str>, MembershipSpan)>;

/// Whether any of these held all the time, or none at any.
pub(super) fn any_over<'s>(
    spans: impl IntoIterator<Item = &'s MembershipSpan>,
    from: Moment,
    to: Moment,
) -> Certainty {
    spans.into_iter().fold(Certainty::No, |so_far, span| so_far.or(span.over(from, to)))
}

/// Puts one more behind the others. Most seats have one socket and two rooms, of a tenth of a kilobyte each: a list that begins
/// with room for four takes twice as much as they need.
pub(super) fn push<T>(list: &mut Vec<T>, one: T) {
    if list.len() == list.capacity() {
        list.reserve_exact(1 + list.len() / 2);
    }
    list.push(one);
}
