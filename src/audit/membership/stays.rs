//! Stays in rooms of which the server says little: what proves a join, what a leave without a word leaves behind, and why
//! nobody knows who was there.

use std::sync::Arc;

use super::{Membership, Seat};
use crate::audit::events::{Moment, Sender, SentMessage};
use crate::audit::span::{Certainty, MembershipSpan, any_over, push};
use crate::audit::undecided::Undecided;

/// A socket may stay, or have stayed not long ago, in so many rooms that the server chose.
const MOST_STAYS: usize = 1 << 12;

impl Membership {
    /// The server puts the socket into a room by itself, when it connects or later. Gives whether that is remembered: of more
    /// rooms than anybody needs it is not.
    pub(in crate::audit) fn placed(
        &mut self,
        seat: u32,
        room: &str,
        (is_certain, is_movable): (bool, bool),
        at: Moment,
    ) -> bool {
        let place = &self.seats[seat as usize];
        let is_there = |_: &&MembershipSpan| place.open().is_some() || place.lost_trace().is_some();
        let Some(asked) = place.spans.last().filter(is_there).map(|socket| socket.asked) else { return true };
        // Now and then, as they grow: a server may name thousands, and each time all are looked at.
        if place.rooms.len().is_power_of_two() {
            self.prune(seat);
        }
        let place = &self.seats[seat as usize];
        if place.rooms.len() >= MOST_STAYS {
            return false;
        }
        let namespace = place.namespace as usize;
        self.known.ask(&self.namespaces[namespace].0, room, at);
        let room = self.room(seat, room);
        let rooms = &mut self.seats[seat as usize].rooms;
        let known = rooms.iter_mut().find(|(of, span)| *of == room && span.left_asked.is_none());
        match known {
            // It may have been there earlier than by the join that it has asked for.
            Some((_, span)) => {
                span.asked = span.asked.min(asked);
                span.confirmed = span.confirmed.or(is_certain.then_some(at));
                span.is_movable |= is_movable;
            }
            None => {
                let confirmed = is_certain.then_some(at);
                let span = MembershipSpan { confirmed, is_movable, ..MembershipSpan::asked(asked) };
                push(rooms, (room, span));
            }
        }
        let place = &mut self.seats[seat as usize];
        place.asks = true;
        place.is_movable |= is_movable;
        true
    }

    /// What was asked for then was refused: it never was there by that. A membership that was there already stays.
    pub(in crate::audit) fn refused(&mut self, seat: u32, room: &str, asked: Moment) {
        let Some(room) = self.known_room(seat, room) else { return };
        let rooms = &mut self.seats[seat as usize].rooms;
        let is_it = |(of, span): &(u32, MembershipSpan)| {
            *of == room && span.asked == asked && span.confirmed.is_none() && span.left_asked.is_none()
        };
        if let Some(place) = rooms.iter().rposition(is_it) {
            rooms.remove(place);
            self.vacate(seat, room);
        }
    }

    /// The server may put a seat out of a room that it has asked for.
    pub(in crate::audit) fn may_be_moved(&mut self, seat: u32, name: &str) {
        let Some(room) = self.known_room(seat, name) else { return };
        let place = &mut self.seats[seat as usize];
        place.is_movable = true;
        let spans = place.rooms.iter_mut().filter(|(of, span)| *of == room && span.left_asked.is_none());
        spans.for_each(|(_, span)| span.is_movable = true);
    }

    /// Nobody can say from now on in which rooms the socket is, or whether it still is one.
    pub(in crate::audit) fn untraced(&mut self, seat: u32, at: Moment) {
        self.leaving(seat, at);
        let place = &mut self.seats[seat as usize];
        if place.lost_trace().is_none() {
            place.untraced.push(MembershipSpan::asked(at));
        }
    }

    /// The server has put the socket elsewhere, some time before the client learned that. Gives since when it was there.
    pub(in crate::audit) fn moved(&mut self, seat: u32, room: &str, at: Moment) -> Option<Moment> {
        let room = self.known_room(seat, room)?;
        let place = &mut self.seats[seat as usize];
        // Whose trace is lost had not asked to leave.
        let lost = place.lost_trace();
        let is_open = |span: &MembershipSpan| {
            span.left_asked.is_none_or(|asked| lost.is_some_and(|lost| asked >= lost))
        };
        let mut rooms = place.rooms.iter_mut().filter(|(of, span)| *of == room && span.left.is_none());
        let (_, span) = rooms.find(|(_, span)| is_open(span))?;
        span.move_on(at);
        span.confirmed.or(Some(span.asked))
    }

    /// Whether a seat has learned since a time that the server had put it out of a room.
    pub(in crate::audit) fn was_moved(&self, seat: u32, name: &str, since: Moment) -> bool {
        let Some(room) = self.known_room(seat, name) else { return false };
        let mut rooms = self.seats[seat as usize].rooms.iter();
        rooms.any(|(of, span)| *of == room && span.moved.is_some_and(|moved| moved >= since))
    }

    /// Whether the server may put a seat out of one of these rooms by itself.
    pub(in crate::audit) fn is_movable(&self, seat: u32, rooms: &[Arc<str>]) -> bool {
        let place = &self.seats[seat as usize];
        let is_meant = |room: &u32| rooms.contains(&self.rooms[*room as usize].name);
        place.is_movable && place.rooms.iter().any(|(room, span)| span.is_movable && is_meant(room))
    }

    /// A seat asks to leave a room. `is_answered`: whether the server is to say when that is done.
    pub(in crate::audit) fn parting(&mut self, seat: u32, room: &str, is_answered: bool, at: Moment) {
        let Some(room) = self.known_room(seat, room) else { return };
        let place = &mut self.seats[seat as usize];
        for (of, span) in &mut place.rooms {
            if *of == room && span.left_asked.is_none() {
                (span.left_asked, span.ends_silently) = (Some(at), !is_answered);
                place.waits |= !is_answered;
                place.has_left_silently |= !is_answered;
            }
        }
    }

    /// Whether what a seat receives may show that it is, or was, in a room.
    pub(in crate::audit) fn needs_signs(&mut self, seat: u32) -> bool {
        self.asks_for_rooms(seat) || self.seats[seat as usize].is_movable
    }

    /// Whether a seat asked for a room and nobody has confirmed that it is there.
    fn asks_for_rooms(&mut self, seat: u32) -> bool {
        let place = &mut self.seats[seat as usize];
        place.asks =
            place.asks && place.rooms.iter().any(|(_, span)| span.confirmed.is_none() && span.left.is_none());
        place.asks
    }

    /// A seat received a message that went to one room alone: so it was there. It is known which stay that was, if it had
    /// left all others before the message was sent.
    pub(in crate::audit) fn prove_join(&mut self, seat: u32, message: &SentMessage, at: Moment) {
        let place = &self.seats[seat as usize];
        let [name] = &message.to[..] else { return };
        // An application may tell a sender of its own message whether it is in the room or not.
        if self.is_elsewhere(message, seat) || !message.is_aimed || place.client == message.key.sender {
            return;
        }
        let Some(room) = self.known_room(seat, name) else { return };
        let before = self.homes.reach((message.node, message.sent), place.client).before;
        self.seats[seat as usize].was_seen = true;
        let may_be = |(of, span): &&mut (u32, MembershipSpan)| {
            *of == room && span.asked < at && span.left.is_none_or(|left| left + before > message.sent)
        };
        let rooms = &mut self.seats[seat as usize].rooms;
        let is_clear = rooms.iter_mut().filter(may_be).count() == 1;
        for (_, span) in rooms.iter_mut().filter(may_be) {
            span.was_heard = true;
            if is_clear {
                span.show(at);
            }
        }
        // It was there when the message was handled, and so since it had come.
        let is_it = |(of, span): &&mut (u32, MembershipSpan)| {
            *of == room
                && span.is_movable
                && (span.left.is_none() || span.moved.is_some())
                && span.confirmed.is_some_and(|confirmed| confirmed <= message.sent)
        };
        let stays = self.seats[seat as usize].rooms.iter_mut().filter(is_it);
        if let Some((_, span)) = stays.max_by_key(|(_, span)| span.confirmed) {
            span.hold(message.sent, at);
        }
    }

    /// Whether a seat may rightly have received a message at a time for the second time, late, or without having been there: the
    /// application shows those who come what was said before, and the seat came after that, or may have.
    pub(in crate::audit) fn is_shown_again(&self, seat: u32, message: &SentMessage, at: Moment) -> bool {
        let is_there = !self.is_elsewhere(message, seat);
        let is_later = |span: &MembershipSpan| span.asked <= at && span.may_begin_after(message.sent);
        let is_untraced = || self.seats[seat as usize].untraced.iter().any(is_later);
        let has_come = || self.spans(message, seat).iter().any(|(_, span)| is_later(span));
        message.has_history && is_there && (has_come() || is_untraced())
    }

    /// Why nobody knows whether a message was for a seat.
    pub(in crate::audit) fn doubt(
        &self,
        message: &SentMessage,
        seat: u32,
        (from, to): (Moment, Moment),
        is_handled: bool,
    ) -> Undecided {
        let place = &self.seats[seat as usize];
        if place.client == message.key.sender && message.sender == Sender::Unknown {
            return Undecided::SenderUnknown;
        }
        if place.is_untraced(from, to) {
            return Undecided::Untraced;
        }
        if any_over(&place.spans, from, to) != Certainty::Yes {
            return Undecided::ReceiverLost;
        }
        let is_about = |room: &u32| {
            let name = &self.rooms[*room as usize].name;
            message.to.contains(name) || message.except.contains(name)
        };
        let is_end = |at: Moment| place.spans.iter().any(|socket| socket.left == Some(at));
        let any = |test: &dyn Fn(&MembershipSpan) -> bool| {
            place.rooms.iter().any(|(room, span)| is_about(room) && test(span))
        };
        match () {
            () if any(&|span| span.ends_in_silence_within((from, to), is_end)) => Undecided::Unleft,
            () if any(&|span| span.begins_in_silence_within((from, to))) => Undecided::Unconfirmed,
            () if any(&|span| span.is_moved_within((from, to))) => Undecided::Moved,
            () if is_handled => Undecided::InFlight,
            () => Undecided::Unacknowledged,
        }
    }
}

impl Seat {
    /// Whether the socket that it had then is connected still.
    pub(in crate::audit) fn is_up_since(&self, then: Moment) -> bool {
        self.is_up() && self.open().and_then(|span| span.confirmed).is_some_and(|confirmed| confirmed <= then)
    }

    /// Whether the connection that it had then stands still.
    pub(in crate::audit) fn stands_since(&self, then: Moment) -> bool {
        self.is_up_since(then) && self.back.is_none_or(|back| back <= then)
    }

    /// Since when nobody can say in which rooms it is.
    pub(super) fn lost_trace(&self) -> Option<Moment> {
        self.untraced.last().filter(|span| span.left.is_none()).map(|span| span.asked)
    }

    /// Whether nobody can say in which rooms it was at some time between two.
    pub(super) fn is_untraced(&self, from: Moment, to: Moment) -> bool {
        any_over(&self.untraced, from, to) != Certainty::No
    }
}

/// A seat goes on where it was cut. A leave that the server had read may not have been done by then, and who comes back comes
/// back to where it was.
pub(super) fn keep_what_was_cut(place: &mut Seat, lost: Option<Moment>) {
    for (_, span) in &mut place.rooms {
        if span.ends_silently && span.left > lost {
            (span.left, span.leave_read) = (None, None);
            place.asks = true;
        }
    }
}

/// A leave that nobody confirmed may have come to nothing. After a while it is one stay with the next in the same room.
pub(super) fn merge(place: &mut Seat, horizon: Moment) {
    let is_old =
        |span: &MembershipSpan| span.left.is_none() && span.left_asked.is_some_and(|asked| asked < horizon);
    let Seat { rooms, unproved, .. } = place;
    let mut index = 0;
    while index < rooms.len() {
        let (room, span) = rooms[index];
        let next = rooms[index + 1..].iter_mut().find(|(of, later)| *of == room && later.asked >= span.asked);
        match next {
            Some((_, later)) if is_old(&span) => {
                later.asked = span.asked;
                rooms.remove(index);
                unproved.forget(&span);
            }
            _ => index += 1,
        }
    }
}
