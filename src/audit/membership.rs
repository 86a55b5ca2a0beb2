//! Who was where and when: the sockets of one worker's clients, and the rooms they asked for.
//!
//! A *seat* is a client's place in a namespace. Its sockets come and go; a recovered one goes on where it was cut.

mod live;
mod places;
mod stays;
mod unproved;

use std::sync::Arc;

use thin_vec::ThinVec;

use super::events::{Key, Moment, Order, Origin, Sender, SentMessage};
use super::maps::Map;
use super::nodes::{Homes, Spread};
use super::rooms::KnownRooms;
pub(super) use live::Live;
use live::LiveCounts;
use places::Places;
use unproved::Unproved;

use super::span::{Certainty, MembershipSpan, MembershipSpans, any_over, push};

/// A client's place in a namespace.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) client: u32,
    pub(super) namespace: u32,
    /// Its sockets.
    spans: Vec<MembershipSpan>,
    /// The rooms that it asked for, its own among them.
    rooms: Vec<(u32, MembershipSpan)>,
    /// When nobody could say in which rooms it was.
    untraced: ThinVec<MembershipSpan>,
    /// Since when its connection is gone, while it may still be recovered.
    pub(super) away: Option<Moment>,
    /// When it was recovered last.
    pub(super) back: Option<Moment>,
    /// Whether some room that it asked for may not be confirmed.
    asks: bool,
    /// Whether the server moves it from room to room.
    is_movable: bool,
    /// Whether it asked to join or to leave some room without an answer, and nothing shows that this was read.
    waits: bool,
    /// Whether it ever asked to leave a room where the server answers no leave.
    has_left_silently: bool,
    /// Whether others received what went to a room that it had asked for without an answer, and it did not.
    has_missed: bool,
    /// What nothing has proved of stays that are forgotten.
    unproved: Unproved,
    /// Whether anything has shown that it was in a room that it had asked for.
    pub(super) was_seen: bool,
    /// When it received last an event as which messages arrive, and which had never come with a stamp.
    pub(super) unstamped: Option<Moment>,
    /// What it must receive if it is, or was, recovered.
    pub(super) owed: ThinVec<(Key, Arc<SentMessage>)>,
}

impl Seat {
    /// Whether its socket is connected, and nobody has asked to end it.
    pub(super) fn is_up(&self) -> bool {
        self.away.is_none() && self.open().is_some()
    }

    fn open(&self) -> Option<&MembershipSpan> {
        self.spans.last().filter(|span| span.confirmed.is_some() && span.left_asked.is_none())
    }
}

#[derive(Debug)]
struct Room {
    namespace: u32,
    name: Arc<str>,
    seats: Vec<u32>,
}

/// What of the aim of a message nobody but the server knows. See [`Membership::aim`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Aim {
    /// It may go to others beside those that are known.
    pub(super) may_add: bool,
    /// It may be kept from some of those that are known.
    pub(super) may_spare: bool,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Membership {
    /// At which node each client is.
    pub(super) homes: Homes,
    namespaces: Vec<(Arc<str>, Vec<u32>)>,
    seats: Vec<Seat>,
    places: Places,
    rooms: Vec<Room>,
    /// For each namespace, its rooms by name.
    by_name: Vec<Map<Arc<str>, u32>>,
    free: Vec<u32>,
    /// The rooms that some client of the run has ever asked for.
    pub(super) known: KnownRooms,
    /// MembershipSpans that were over before this are forgotten.
    horizon: Moment,
    counts: LiveCounts,
    /// The latest end of a span that was forgotten.
    forgotten: Moment,
    /// For each seat the last search that met it, so that none is met twice in one.
    met: Vec<u32>,
    search: u32,
}

impl Membership {
    /// Of nobody yet, at a server of these nodes.
    pub(super) fn of(spread: Spread) -> Membership {
        Membership {
            homes: Homes::new(spread),
            namespaces: Vec::new(),
            seats: Vec::new(),
            places: Places::default(),
            rooms: Vec::new(),
            by_name: Vec::new(),
            free: Vec::new(),
            known: KnownRooms::default(),
            horizon: Moment::ZERO,
            counts: LiveCounts::default(),
            forgotten: Moment::ZERO,
            met: Vec::new(),
            search: 0,
        }
    }

    /// The node at which a seat's client did or received something at a time.
    pub(super) fn node(&self, seat: u32, when: Moment) -> u16 {
        self.homes.node(self.seats[seat as usize].client, when)
    }

    /// A client goes to a node: it has left the one before when the last of its connections ended. If it is connected, or its
    /// node was not known, it is known now where it is.
    pub(super) fn go(&mut self, client: u32, node: u16, at: Moment) {
        let ended = |seat: u32| {
            let place = &self.seats[seat as usize];
            place.away.or_else(|| place.spans.iter().filter_map(|span| span.left).max())
        };
        let seats = self.seats_of(client, None);
        if self.homes.is_unknown(client) || seats.iter().any(|seat| self.seats[*seat as usize].is_up()) {
            return self.homes.correct(client, node);
        }
        let left = seats.into_iter().filter_map(ended).max();
        self.homes.put(client, node, (at, left), self.horizon);
    }

    pub(super) fn seats(&self) -> &[Seat] {
        &self.seats
    }

    /// How many seats were up at a time, in a namespace and elsewhere.
    pub(super) fn live_at(&self, at: Moment, namespace: &str) -> Live {
        let place = self.namespaces.iter().position(|(name, _)| **name == *namespace);
        self.counts.at(at, place.map(|place| place as u32))
    }

    /// Changes a seat's connection, and counts anew.
    pub(super) fn change(&mut self, seat: u32, at: Moment, change: impl FnOnce(&mut Membership, u32)) {
        let was_up = self.seats[seat as usize].is_up();
        change(self, seat);
        let Seat { namespace, .. } = self.seats[seat as usize];
        let is_up = self.seats[seat as usize].is_up();
        if was_up != is_up {
            self.counts.change(at, namespace, is_up);
        }
    }

    pub(super) fn seat_mut(&mut self, seat: u32) -> &mut Seat {
        &mut self.seats[seat as usize]
    }

    /// Whether a seat is in another namespace than the receivers of a message.
    pub(super) fn is_elsewhere(&self, message: &SentMessage, seat: u32) -> bool {
        self.namespaces[self.seats[seat as usize].namespace as usize].0 != message.namespace
    }

    pub(super) fn namespace(&self, seat: &Seat) -> Arc<str> {
        self.namespaces[seat.namespace as usize].0.clone()
    }

    /// Forgets spans that were over before, when their seats change next.
    pub(super) fn forget(&mut self, before: Moment) {
        self.horizon = self.horizon.max(before);
    }

    /// How far it is known to whom a message goes. It is the server that puts clients into a room that nobody had asked for
    /// when the message was due.
    pub(super) fn aim(&self, message: &SentMessage, due: Moment) -> Aim {
        let is_filled = |room: &Arc<str>| !self.known.has(&message.namespace, room, due);
        Aim {
            may_add: !message.is_aimed || message.to.iter().any(is_filled),
            may_spare: !message.is_aimed || message.except.iter().any(is_filled),
        }
    }

    /// Whether the application has to pass a message on, for where its sender was.
    pub(super) fn is_heeded(&self, message: &SentMessage, due: Moment) -> bool {
        message.strays.iter().all(|room| self.known.has_own(&message.namespace, room, due))
    }

    /// The rooms that a message goes to and where the sender, a client of this ledger, may not have been as it has to.
    pub(super) fn strays(&mut self, message: &SentMessage) -> Vec<Arc<str>> {
        let wanted = match message.origin {
            Origin::Anywhere => return Vec::new(),
            Origin::Inside => Certainty::Yes,
            Origin::Outside => Certainty::No,
        };
        let seat = self.seat(message.key.sender, &message.sent_in);
        // What is handled in any order may be handled when the sender has moved again.
        let is_settled = message.handled.is_some() || message.order == Order::Sent;
        let is_there = |room: &&Arc<str>| {
            let is_in = self.in_room(seat, room, message.sent, message.sent);
            is_in == wanted && is_settled && !self.was_moved(seat, room, message.sent)
        };
        message.to.iter().filter(|room| !is_there(room)).cloned().collect()
    }

    /// Whether a seat was in a room between two times.
    fn in_room(&self, seat: u32, room: &str, from: Moment, to: Moment) -> Certainty {
        let place = &self.seats[seat as usize];
        if place.is_untraced(from, to) {
            return Certainty::Maybe;
        }
        let Some(room) = self.known_room(seat, room) else { return Certainty::No };
        let spans = place.rooms.iter().filter(|(of, _)| *of == room);
        any_over(spans.map(|(_, span)| span), from, to)
    }

    /// Whether all that matters for a message that was sent then is still known.
    pub(super) fn remembers(&self, sent: Moment) -> bool {
        sent.saturating_sub(self.homes.longest()) >= self.forgotten
    }

    /// The client's seat in a namespace.
    pub(super) fn seat(&mut self, client: u32, namespace: &str) -> u32 {
        if let Some(seat) = self.places.of(client).find(|seat| self.is_in(*seat, namespace)) {
            return seat;
        }
        let known = self.namespaces.iter().position(|(name, _)| &**name == namespace);
        let namespace = known.unwrap_or_else(|| {
            self.namespaces.push((namespace.into(), Vec::new()));
            self.by_name.push(Map::default());
            self.namespaces.len() - 1
        });
        let seat = self.seats.len() as u32;
        self.seats.push(Seat {
            client,
            namespace: namespace as u32,
            spans: Vec::new(),
            rooms: Vec::new(),
            untraced: ThinVec::new(),
            away: None,
            back: None,
            asks: false,
            is_movable: false,
            waits: false,
            has_left_silently: false,
            has_missed: false,
            unproved: Unproved::default(),
            was_seen: false,
            unstamped: None,
            owed: ThinVec::new(),
        });
        self.met.push(0);
        self.namespaces[namespace].1.push(seat);
        self.places.put(client, seat);
        seat
    }

    /// The client's seats: those of one namespace, or all.
    pub(super) fn seats_of(&self, client: u32, namespace: Option<&str>) -> Vec<u32> {
        let is_it = |seat: &u32| namespace.is_none_or(|namespace| self.is_in(*seat, namespace));
        self.places.of(client).filter(is_it).collect()
    }

    fn is_in(&self, seat: u32, namespace: &str) -> bool {
        *self.namespaces[self.seats[seat as usize].namespace as usize].0 == *namespace
    }

    pub(super) fn connecting(&mut self, seat: u32, at: Moment) {
        let place = &mut self.seats[seat as usize];
        match place.spans.last_mut() {
            // An attempt that failed.
            Some(span) if span.confirmed.is_none() && span.left.is_none() => {}
            _ => push(&mut place.spans, MembershipSpan::asked(at)),
        }
    }

    /// A new socket: what is left of the one before ended when its connection was lost.
    pub(super) fn connected(&mut self, seat: u32, sid: &str, at: Moment) {
        self.prune(seat);
        let place = &mut self.seats[seat as usize];
        let (lost, current) = (place.away.take(), place.spans.len().saturating_sub(1));
        let asked = match place.spans.last_mut() {
            Some(span) if span.confirmed.is_none() => {
                span.confirmed = Some(at);
                span.asked
            }
            // Nobody was told of the asking: it was some time after the socket before had ended.
            before => {
                let asked = before.and_then(|span| span.left).unwrap_or_default();
                push(
                    &mut place.spans,
                    MembershipSpan { confirmed: Some(at), ..MembershipSpan::asked(asked) },
                );
                asked
            }
        };
        let ended = lost.unwrap_or(asked);
        let before = place.spans.iter_mut().take(current).chain(&mut place.untraced);
        before.chain(place.rooms.iter_mut().map(|(_, span)| span)).for_each(|span| span.end(ended, ended));
        let namespace = self.seats[seat as usize].namespace as usize;
        self.known.ask_own(&self.namespaces[namespace].0, sid, at);
        let room = self.room(seat, sid);
        let span = MembershipSpan { confirmed: Some(at), ..MembershipSpan::asked(asked) };
        push(&mut self.seats[seat as usize].rooms, (room, span));
    }

    /// The socket goes on where it was cut.
    pub(super) fn recovered(&mut self, seat: u32, at: Moment) {
        let place = &mut self.seats[seat as usize];
        place.spans.retain(|span| span.confirmed.is_some());
        let lost = place.away.take();
        place.back = Some(at);
        stays::keep_what_was_cut(place, lost);
    }

    /// The client asks for the end of its socket.
    pub(super) fn leaving(&mut self, seat: u32, at: Moment) {
        for span in self.all_spans(seat) {
            if span.left.is_none() && span.left_asked.is_none() {
                span.left_asked = Some(at);
            }
        }
    }

    /// The socket is no more, for good.
    pub(super) fn ended(&mut self, seat: u32, at: Moment) {
        self.all_spans(seat).for_each(|span| span.end(at, at));
        self.seats[seat as usize].away = None;
    }

    /// The connection is gone; the session may be recovered, unless the client had asked for the end.
    pub(super) fn lost(&mut self, seat: u32, at: Moment) {
        let place = &mut self.seats[seat as usize];
        if place.is_up() || place.lost_trace().is_some() {
            place.away = place.away.or(Some(at));
        } else if place.away.is_none() {
            self.ended(seat, at);
        }
    }

    pub(super) fn joining(&mut self, seat: u32, room: &str, at: Moment) {
        self.prune(seat);
        let namespace = self.seats[seat as usize].namespace as usize;
        self.known.ask(&self.namespaces[namespace].0, room, at);
        let room = self.room(seat, room);
        let place = &mut self.seats[seat as usize];
        match place.rooms.iter_mut().find(|(of, span)| *of == room && span.left_asked.is_none()) {
            Some((_, span)) => span.again = Some(Moment::MAX),
            None => {
                push(
                    &mut place.rooms,
                    (room, MembershipSpan { is_unread: true, ..MembershipSpan::asked(at) }),
                );
                (place.asks, place.waits) = (true, true);
            }
        }
    }

    pub(super) fn joined(&mut self, seat: u32, room: &str, at: Moment) {
        let Some(room) = self.known_room(seat, room) else { return };
        self.seats[seat as usize].was_seen = true;
        let spans = self.seats[seat as usize].rooms.iter_mut().filter(|(of, _)| *of == room);
        for (_, span) in spans {
            match span.left_asked {
                // A leave that nobody confirmed was handled before this join.
                Some(asked) => span.end(asked, at),
                None => span.confirm(at),
            }
        }
    }

    pub(super) fn parted(&mut self, seat: u32, room: &str, at: Moment) {
        let Some(room) = self.known_room(seat, room) else { return };
        for (of, span) in &mut self.seats[seat as usize].rooms {
            if let (true, Some(asked)) = (*of == room, span.left_asked) {
                span.end(asked, at);
            }
        }
    }

    /// The seats that may be meant by a message, each once.
    pub(super) fn candidates(&mut self, message: &SentMessage) -> Vec<u32> {
        let Some(namespace) = self.namespaces.iter().position(|(name, _)| *name == message.namespace) else {
            return Vec::new();
        };
        if message.to.is_empty() {
            return self.namespaces[namespace].1.clone();
        }
        let rooms = message.to.iter().filter_map(|name| self.by_name[namespace].get(name));
        let lists: Vec<&Vec<u32>> = rooms.map(|room| &self.rooms[*room as usize].seats).collect();
        if let [list] = lists[..] {
            return list.clone();
        }
        self.search += 1;
        let mut found = Vec::new();
        for seat in lists.into_iter().flatten() {
            if self.met[*seat as usize] != self.search {
                self.met[*seat as usize] = self.search;
                found.push(*seat);
            }
        }
        found
    }

    /// Whether a message that was handled between two times is for a seat.
    pub(super) fn is_for(&self, message: &SentMessage, seat: u32, from: Moment, to: Moment) -> Certainty {
        let whole = self.is_for_over(message, seat, from, to);
        if whole != Certainty::Maybe {
            return whole;
        }
        // It may be for the seat in each part of the time for another reason: in one room, then in the next.
        let place = &self.seats[seat as usize];
        let spans = place.spans.iter().chain(place.rooms.iter().map(|(_, span)| span));
        let mut times: Vec<Moment> = spans
            .flat_map(|span| [Some(span.asked), span.confirmed, span.left_asked, span.left])
            .flatten()
            .filter(|time| from < *time && *time < to)
            .collect();
        if times.is_empty() {
            return whole;
        }
        times.extend([from, to]);
        times.sort_unstable();
        let mut parts = times.windows(2).map(|part| self.is_for_over(message, seat, part[0], part[1]));
        let first = parts.next().unwrap_or(whole);
        match parts.all(|part| part == first) {
            true => first,
            false => Certainty::Maybe,
        }
    }

    fn is_for_over(&self, message: &SentMessage, seat: u32, from: Moment, to: Moment) -> Certainty {
        let place = &self.seats[seat as usize];
        if self.is_elsewhere(message, seat) {
            return Certainty::No;
        }
        let there = any_over(&place.spans, from, to);
        let in_room = |name: &Arc<str>| self.in_room(seat, name, from, to);
        let mut meant = match message.to.is_empty() {
            true => there,
            false => message.to.iter().map(in_room).fold(Certainty::No, Certainty::or),
        };
        for room in &message.except {
            meant = meant.and(in_room(room).opposite());
        }
        if place.client == message.key.sender {
            // Its socket is left out. Another one that it had in between is not.
            meant = match message.sender {
                Sender::Included => meant,
                Sender::Excluded if there == Certainty::Yes => Certainty::No,
                Sender::Excluded | Sender::Unknown => meant.min(Certainty::Maybe),
            };
        }
        meant
    }

    /// When the seat was in the rooms that the message went to; in the namespace, if it went to no room.
    pub(super) fn spans(&self, message: &SentMessage, seat: u32) -> MembershipSpans {
        let place = &self.seats[seat as usize];
        if message.to.is_empty() {
            let name = self.namespace(place);
            return place.spans.iter().map(|span| (name.clone(), *span)).collect();
        }
        let meant = |room: &u32| message.to.contains(&self.rooms[*room as usize].name);
        let rooms = place.rooms.iter().filter(|(room, _)| meant(room));
        rooms.map(|(room, span)| (self.rooms[*room as usize].name.clone(), *span)).collect()
    }

    fn all_spans(&mut self, seat: u32) -> impl Iterator<Item = &mut MembershipSpan> {
        let place = &mut self.seats[seat as usize];
        let sockets = place.spans.iter_mut().chain(&mut place.untraced);
        sockets.chain(place.rooms.iter_mut().map(|(_, span)| span))
    }

    fn known_room(&self, seat: u32, name: &str) -> Option<u32> {
        self.by_name[self.seats[seat as usize].namespace as usize].get(name).copied()
    }

    /// The room of that name in the seat's namespace, the seat among its candidates: it is about to stay there.
    fn room(&mut self, seat: u32, name: &str) -> u32 {
        let namespace = self.seats[seat as usize].namespace;
        let room = self.known_room(seat, name).unwrap_or_else(|| {
            let name: Arc<str> = name.into();
            let new = Room { namespace, name: name.clone(), seats: Vec::new() };
            let room = match self.free.pop() {
                Some(free) => {
                    self.rooms[free as usize] = new;
                    free
                }
                None => {
                    self.rooms.push(new);
                    self.rooms.len() as u32 - 1
                }
            };
            self.by_name[namespace as usize].insert(name, room);
            room
        });
        let is_member = self.seats[seat as usize].rooms.iter().any(|(of, _)| *of == room);
        let seats = &mut self.rooms[room as usize].seats;
        if !is_member {
            seats.push(seat);
        }
        room
    }

    /// Forgets what was over before the horizon.
    fn prune(&mut self, seat: u32) {
        let (horizon, mut forgotten) = (self.horizon, self.forgotten);
        let mut is_over = |span: &MembershipSpan| {
            let over = span.left.filter(|left| *left < horizon);
            forgotten = forgotten.max(over.unwrap_or_default());
            over.is_some()
        };
        let place = &mut self.seats[seat as usize];
        stays::merge(place, horizon);
        place.spans.retain(|span| !is_over(span));
        place.untraced.retain(|span| !is_over(span));
        let mut left = Vec::new();
        let Seat { rooms, unproved, .. } = place;
        rooms.retain(|(room, span)| {
            let over = is_over(span);
            if over {
                left.push(*room);
                unproved.forget(span);
            }
            !over
        });
        self.forgotten = forgotten;
        left.into_iter().for_each(|room| self.vacate(seat, room));
    }

    /// A seat is no candidate of a room any more, unless it has another membership of it.
    fn vacate(&mut self, seat: u32, room: u32) {
        if self.seats[seat as usize].rooms.iter().any(|(of, _)| *of == room) {
            return;
        }
        let known = &mut self.rooms[room as usize];
        known.seats.retain(|member| *member != seat);
        if known.seats.is_empty() {
            let (namespace, name) = (known.namespace, known.name.clone());
            // It may have been given up already, for another membership that was over.
            if self.by_name[namespace as usize].remove(&name).is_some() {
                self.free.push(room);
            }
        }
    }
}

#[cfg(test)]
impl Membership {
    /// How many things are remembered.
    pub(super) fn weight(&self) -> usize {
        let seats = self.seats.iter().map(|seat| seat.spans.len() + seat.rooms.len() + seat.owed.len());
        self.rooms.len() + seats.sum::<usize>() + self.by_name.iter().map(Map::len).sum::<usize>()
    }
}
