//! Joins and leaves that the server does not answer: what shows that it has read them, and of which nothing shows that they were
//! done. Such a run is not judged, however much of it is.

use super::{Membership, Seat};
use crate::audit::events::{Moment, SentMessage};
use crate::audit::span::{Certainty, MembershipSpan};

/// What nothing has proved of stays in rooms.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unproved {
    /// Whether some stay never began, as far as anything shows.
    join: bool,
    /// Whether some stay never ended.
    leave: bool,
}

impl Unproved {
    /// A stay is forgotten. Nothing more can show of it.
    pub(super) fn forget(&mut self, span: &MembershipSpan) {
        self.join |= span.seems_vain();
        self.leave |= span.seems_kept();
    }
}

impl Membership {
    /// Something shows at a time that the server has read what a client sent at another: so it has read what that had sent
    /// before over the same connection, and the rooms that it left by that without an answer are left a window later.
    /// `namespace`: where it was sent, if only what was sent there is known to be read.
    pub(in crate::audit) fn has_read(
        &mut self,
        client: u32,
        namespace: Option<&str>,
        (sent, shown): (Moment, Moment),
        window: Moment,
    ) {
        for seat in self.places.of(client) {
            let place = &mut self.seats[seat as usize];
            let of = place.namespace as usize;
            let is_it = || namespace.is_none_or(|name| *self.namespaces[of].0 == *name);
            if !place.waits || !is_it() || place.open().is_none() {
                continue;
            }
            // What was under way when the connection was cut may never have come.
            let back = place.back;
            let is_read = |asked: Moment| asked < sent && back.is_none_or(|back| back <= asked);
            let may_be_read = |asked: Moment| asked >= sent;
            place.waits = false;
            for (_, span) in &mut place.rooms {
                if span.is_unread && span.confirmed.is_none() {
                    span.is_unread = may_be_read(span.asked);
                    span.join_read = is_read(span.asked).then_some(shown);
                    place.waits |= span.is_unread;
                }
                if let Some(asked) = span.left_asked.filter(|_| span.ends_silently && span.left.is_none()) {
                    if is_read(asked) {
                        (span.leave_read, span.left) = (Some(shown), Some(shown + window));
                    }
                    place.waits |= may_be_read(asked);
                }
            }
        }
    }

    /// Whether a seat had asked for the one room of a message before that was sent, and not to leave it again before it was
    /// handled, and nobody has said or shown that it was there.
    pub(in crate::audit) fn asks_in_vain(
        &self,
        message: &SentMessage,
        seat: u32,
        span: (Moment, Moment),
    ) -> bool {
        let place = &self.seats[seat as usize];
        place.client != message.key.sender
            && !place.is_untraced(span.0, span.1)
            && self.stays(message, seat).any(|stay| stay.is_asked_in_vain(span))
    }

    /// Others have received a message for which a seat asks in vain.
    pub(in crate::audit) fn miss(&mut self, message: &SentMessage, seat: u32, span: (Moment, Moment)) {
        self.seats[seat as usize].has_missed = true;
        self.change_stays(message, seat, |stay| {
            let is_read = stay.join_read.is_some_and(|read| read <= span.0);
            stay.has_missed |= is_read && stay.is_asked_in_vain(span);
        });
    }

    /// Whether a seat, connected all the time, had asked to leave the one room of a message before that was sent, where the
    /// server answers no leave, and had read that by then or had a window for it.
    pub(in crate::audit) fn has_asked_to_leave(
        &self,
        message: &SentMessage,
        seat: u32,
        (from, to): (Moment, Moment),
        window: Moment,
    ) -> bool {
        let place = &self.seats[seat as usize];
        let Some(since) = place.has_left_silently.then(|| place.connected_over(from, to)).flatten() else {
            return false;
        };
        let is_long = |asked: Moment| asked + window <= from && place.back.is_none_or(|back| back <= asked);
        let is_over = |stay: &MembershipSpan| {
            let is_left = [stay.left, stay.leave_read].into_iter().flatten().any(|left| left <= from);
            is_left || stay.left_asked.is_some_and(is_long)
        };
        message.is_aimed
            && place.client != message.key.sender
            && place.untraced.is_empty()
            && self.stays(message, seat).any(|stay| stay.is_left_silently_within((since, from)))
            // Nothing else may have brought it there.
            && self.stays(message, seat).filter(|stay| stay.asked < to).all(is_over)
    }

    /// A seat that has asked to leave the room of a message has it, or others have it and the seat has not.
    pub(in crate::audit) fn see_leave(
        &mut self,
        message: &SentMessage,
        seat: u32,
        (from, to): (Moment, Moment),
        is_kept: bool,
    ) {
        let Some(since) = self.seats[seat as usize].connected_over(from, to) else { return };
        self.change_stays(message, seat, |stay| {
            let is_it = stay.is_left_silently_within((since, from));
            stay.was_kept |= is_it && is_kept;
            stay.seems_over |= is_it && !is_kept;
        });
    }

    /// How many seats asked to leave rooms, and went on to receive what went there.
    pub(in crate::audit) fn kept(&self) -> u64 {
        let is_kept =
            |seat: &&Seat| seat.unproved.leave || seat.rooms.iter().any(|(_, stay)| stay.seems_kept());
        self.seats.iter().filter(is_kept).count() as u64
    }

    /// How many seats asked for rooms, and nothing shows that they were there.
    pub(in crate::audit) fn unseen(&self) -> u64 {
        let is_unseen = |seat: &&Seat| {
            let is_vain = || seat.rooms.iter().any(|(_, stay)| stay.seems_vain());
            (seat.has_missed && !seat.was_seen) || seat.unproved.join || is_vain()
        };
        self.seats.iter().filter(is_unseen).count() as u64
    }

    /// The stays of a seat in the room of a message, if that went to one alone.
    fn stays<'m>(
        &'m self,
        message: &'m SentMessage,
        seat: u32,
    ) -> impl Iterator<Item = &'m MembershipSpan> + 'm {
        let name = message.to.first().filter(|_| message.to.len() == 1);
        let room = name.and_then(|name| self.known_room(seat, name));
        self.seats[seat as usize].rooms.iter().filter(move |(of, _)| Some(*of) == room).map(|(_, stay)| stay)
    }

    fn change_stays(&mut self, message: &SentMessage, seat: u32, change: impl Fn(&mut MembershipSpan)) {
        let room = message.to.first().and_then(|name| self.known_room(seat, name));
        let rooms = self.seats[seat as usize].rooms.iter_mut();
        rooms.filter(|(of, _)| Some(*of) == room).for_each(|(_, stay)| change(stay));
    }
}

impl Seat {
    /// Since when the socket was asked for that it certainly had from one time to another.
    fn connected_over(&self, from: Moment, to: Moment) -> Option<Moment> {
        let is_it = |socket: &&MembershipSpan| socket.over(from, to) == Certainty::Yes;
        self.spans
            .iter()
            .find(is_it)
            .filter(|_| self.away.is_none_or(|away| away >= to))
            .map(|socket| socket.asked)
    }
}

impl MembershipSpan {
    /// Whether its end was asked for between two times, where the server answers no leave.
    fn is_left_silently_within(&self, (since, until): (Moment, Moment)) -> bool {
        self.ends_silently && self.left_asked.is_some_and(|asked| since <= asked && asked < until)
    }

    /// Whether it was asked for before a message was sent, its end not before that was handled, and nothing shows that it began.
    fn is_asked_in_vain(&self, (from, to): (Moment, Moment)) -> bool {
        self.confirmed.is_none() && self.asked < from && self.left_asked.is_none_or(|left| left >= to)
    }

    /// Whether its client missed something of it, and nothing shows that it began.
    fn seems_vain(&self) -> bool {
        self.has_missed && !self.was_heard && self.confirmed.is_none()
    }

    /// Whether its client received something behind its end, and nothing shows that it ended.
    fn seems_kept(&self) -> bool {
        self.was_kept && !self.seems_over
    }
}
