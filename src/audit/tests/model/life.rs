//! What is known of one client at some time, instant by instant: the slow way.

use super::*;

/// A receipt of what went to one room alone, by who was perhaps there: from when on its ledger knows that it was.
#[derive(Debug)]
pub(super) struct JoinProof<'h> {
    pub(super) known: u64,
    pub(super) client: u32,
    pub(super) received: u64,
    pub(super) message: &'h SentMessage,
    /// How much earlier it may have left than that was known where the message came from.
    pub(super) before: Moment,
}

/// A message of a client, as far as it shows that what that had sent before was read: from when on its ledger knows that.
#[derive(Debug)]
pub(super) struct LeaveProof<'h> {
    pub(super) known: u64,
    /// When it was judged, among all messages.
    pub(super) place: (Moment, Key),
    pub(super) message: &'h SentMessage,
    pub(super) handled: Moment,
}

/// What a history proves beside what each client is told.
#[derive(Debug, Default)]
pub(super) struct Proofs<'h> {
    pub(super) joins: Vec<JoinProof<'h>>,
    pub(super) leaves: Vec<LeaveProof<'h>>,
}

/// One of them.
enum Proof<'p, 'h> {
    Join(&'p JoinProof<'h>),
    Leave(&'p LeaveProof<'h>),
}

impl Proof<'_, '_> {
    fn known(&self) -> u64 {
        match self {
            Proof::Join(proof) => proof.known,
            Proof::Leave(proof) => proof.known,
        }
    }
}

/// What is known of one client at some time.
#[derive(Debug, Default)]
pub(super) struct Life {
    /// Of the namespace (no name) and of rooms.
    pub(super) spans: Vec<(Option<String>, MembershipSpan)>,
    /// Since when its connection is gone, while it may still be recovered.
    pub(super) away: Option<Moment>,
    /// When it was recovered last.
    pub(super) back: Option<Moment>,
    /// From when to when nobody could say in which rooms it was.
    untraced: Vec<(Moment, Option<Moment>)>,
}

impl Life {
    /// By what it saw before a time, and what its receipts and its messages had proved by then.
    pub(super) fn of(client: u32, seen: &[Seen], proofs: &Proofs<'_>, before: u64) -> Life {
        Life::when(client, seen, proofs, (before, None))
    }

    /// The same when a message was judged at that time, in its place among the others that were.
    pub(super) fn when(
        client: u32,
        seen: &[Seen],
        proofs: &Proofs<'_>,
        (before, place): (u64, Option<(Moment, Key)>),
    ) -> Life {
        let mut life = Life::default();
        let own = seen.iter().filter(|(time, who, _)| *who == client && *time < before);
        let joins = proofs.joins.iter().filter(|proof| proof.client == client).map(Proof::Join);
        let is_own = |proof: &&LeaveProof<'_>| proof.message.key.sender == client;
        let is_judged = |proof: &&LeaveProof<'_>| place.is_none_or(|place| proof.place < place);
        let leaves = proofs.leaves.iter().filter(is_own).filter(is_judged).map(Proof::Leave);
        let mut proofs: Vec<Proof<'_, '_>> = joins.chain(leaves).collect();
        proofs.retain(|proof| proof.known() <= before);
        // A ledger looks for joins before it judges.
        proofs.sort_by_key(Proof::known);
        let mut proofs = proofs.into_iter().peekable();
        for (time, _, sight) in own {
            while let Some(proof) = proofs.next_if(|proof| proof.known() <= *time) {
                life.learn(&proof);
            }
            let now = at(*time);
            match sight {
                Sight::Connecting => life.spans.push((None, MembershipSpan::asked(now))),
                Sight::Connected { recovered: true, .. } => {
                    life.spans.retain(|(room, span)| room.is_some() || span.confirmed.is_some());
                    let lost = life.away.take();
                    life.back = Some(now);
                    // The handler of a leave may have been cut off, too.
                    let open =
                        life.spans.iter_mut().filter(|(_, span)| span.ends_silently && span.left > lost);
                    open.for_each(|(_, span)| span.left = None);
                }
                Sight::Connected { sid, .. } => {
                    let (_, mut socket) = life.spans.pop().expect("it was connecting");
                    let ended = life.away.take().unwrap_or(socket.asked);
                    life.spans.iter_mut().for_each(|(_, span)| span.end(ended, ended));
                    life.find_trace(ended);
                    socket.confirmed = Some(now);
                    life.spans.extend([(Some(sid.clone()), socket), (None, socket)]);
                }
                Sight::Leaving => {
                    let open = life.spans.iter_mut().filter(|(_, span)| span.left_asked.is_none());
                    open.for_each(|(_, span)| span.left_asked = Some(now));
                }
                Sight::Untraced => {
                    let open = life.spans.iter_mut().filter(|(_, span)| span.left_asked.is_none());
                    open.for_each(|(_, span)| span.left_asked = Some(now));
                    life.untraced.push((now, None));
                }
                Sight::Ended => {
                    life.spans.iter_mut().for_each(|(_, span)| span.end(now, now));
                    life.find_trace(now);
                }
                Sight::Lost => life.away = Some(now),
                Sight::Joining(room) => {
                    let is_open = |span: &&mut (Option<String>, MembershipSpan)| span.1.left_asked.is_none();
                    let is_there =
                        life.of_room(room).find(is_open).map(|(_, span)| span.again = Some(Moment::MAX));
                    if is_there.is_none() {
                        life.spans.insert(0, (Some((*room).to_owned()), MembershipSpan::asked(now)));
                    }
                }
                Sight::Joined(room) => life.of_room(room).for_each(|(_, span)| match span.left_asked {
                    None => {
                        span.confirmed = span.confirmed.or(Some(now));
                        span.again = span.again.map(|_| now);
                    }
                    Some(asked) => span.end(asked, now),
                }),
                Sight::Refused(room, asked) => {
                    let is_it = |(of, span): &(Option<String>, MembershipSpan)| {
                        let is_open = span.confirmed.is_none() && span.left_asked.is_none();
                        of.as_deref() == Some(*room) && span.asked == at(*asked) && is_open
                    };
                    life.spans.retain(|span| !is_it(span));
                }
                Sight::Placed(room, is_certain, is_movable) => {
                    let sockets = life.spans.iter().rfind(|(room, _)| room.is_none());
                    let asked = sockets.map(|(_, socket)| socket.asked).expect("it is connected");
                    let confirmed = is_certain.then_some(now);
                    let is_movable = *is_movable;
                    let span = MembershipSpan { confirmed, is_movable, ..MembershipSpan::asked(asked) };
                    life.spans.insert(0, (Some((*room).to_owned()), span));
                }
                Sight::Parting(room, is_answered) => {
                    let open = life.of_room(room).filter(|(_, span)| span.left_asked.is_none());
                    open.for_each(|(_, span)| {
                        (span.left_asked, span.ends_silently) = (Some(now), !is_answered);
                    });
                }
                Sight::Parted(room) => life.of_room(room).for_each(|(_, span)| {
                    if let Some(asked) = span.left_asked {
                        span.end(asked, now);
                    }
                }),
                Sight::Read(asked) => life.left_before(at(*asked), now + WINDOW),
                // It is there no longer. Of the time before, all that is known is up to when it was there.
                Sight::Moved(room) => {
                    let lost = life.lost_trace();
                    let is_open = |span: &MembershipSpan| {
                        span.left.is_none()
                            && span.left_asked.is_none_or(|asked| lost.is_some_and(|lost| asked >= lost))
                    };
                    let (_, span) =
                        life.of_room(room).find(|(_, span)| is_open(span)).expect("it was put there");
                    span.left_asked = span.seen.max(span.confirmed);
                    span.moved = Some(now);
                    span.left = Some(now);
                }
                Sight::At(_) | Sight::Settled(_) | Sight::Received(_) | Sight::Unstamped => {}
            }
        }
        proofs.for_each(|proof| life.learn(&proof));
        life
    }

    fn learn(&mut self, proof: &Proof<'_, '_>) {
        match proof {
            Proof::Join(proof) => self.was_there_by(proof),
            Proof::Leave(proof) => self.left_before(proof.message.sent, proof.handled + WINDOW),
        }
    }

    /// The server has read what it sent then, and so what it had left before over this connection. A window later it has done
    /// that.
    fn left_before(&mut self, sent: Moment, left: Moment) {
        let socket = self.spans.iter().rfind(|(room, _)| room.is_none());
        if !socket.is_some_and(|(_, socket)| socket.confirmed.is_some() && socket.left_asked.is_none()) {
            return;
        }
        let back = self.back;
        let is_it = |span: &MembershipSpan| {
            let is_before = |asked: Moment| asked < sent && back.is_none_or(|back| back <= asked);
            span.ends_silently && span.left.is_none() && span.left_asked.is_some_and(is_before)
        };
        let left_by_that = self.spans.iter_mut().filter(|(_, span)| is_it(span));
        left_by_that.for_each(|(_, span)| span.left = Some(left));
    }

    /// It was there when it received this, unless it may have been a former stay.
    fn was_there_by(&mut self, proof: &JoinProof<'_>) {
        let (received, message, before) = (at(proof.received), proof.message, proof.before);
        let mut stays: Vec<_> = self.of_room(&message.to[0]).map(|(_, span)| span).collect();
        stays.retain(|span| {
            span.asked < received && span.left.is_none_or(|left| left + before > message.sent)
        });
        if let [span] = &mut stays[..] {
            span.confirmed = span.confirmed.or(Some(received));
        }
        // Where the server put it, it was until then, if it had not heard of a move.
        let mut stays: Vec<_> = self.of_room(&message.to[0]).map(|(_, span)| span).collect();
        stays.retain(|span| {
            let had_come = span.confirmed.is_some_and(|confirmed| confirmed <= message.sent);
            span.is_movable && had_come && (span.left.is_none() || span.moved.is_some())
        });
        stays.sort_by_key(|span| span.confirmed);
        if let Some(span) = stays.pop().filter(|span| span.moved.is_none_or(|moved| received <= moved)) {
            span.seen = span.seen.max(Some(message.sent));
            if span.moved.is_some() {
                span.left_asked = span.left_asked.max(Some(message.sent));
            }
        }
    }

    /// It has a new socket, or none.
    fn find_trace(&mut self, ended: Moment) {
        let open = self.untraced.iter_mut().filter(|(_, to)| to.is_none());
        open.for_each(|(_, to)| *to = Some(ended));
    }

    /// Since when nobody can say in which rooms it is.
    fn lost_trace(&self) -> Option<Moment> {
        self.untraced.iter().find(|(_, to)| to.is_none()).map(|(from, _)| *from)
    }

    /// Whether the server may move it from room to room, or might have.
    pub(super) fn is_movable(&self) -> bool {
        self.spans.iter().any(|(_, span)| span.is_movable)
    }

    /// Whether some join of it is not confirmed.
    pub(super) fn is_unproved(&self) -> bool {
        self.spans
            .iter()
            .any(|(room, span)| room.is_some() && span.confirmed.is_none() && span.left.is_none())
    }

    fn of_room<'l>(
        &'l mut self,
        room: &'l str,
    ) -> impl Iterator<Item = &'l mut (Option<String>, MembershipSpan)> {
        self.spans.iter_mut().filter(move |(of, _)| of.as_deref() == Some(room))
    }

    /// Since when its socket is connected, if it is and nobody has asked to end it.
    pub(super) fn up_since(&self) -> Option<Moment> {
        let (_, socket) = self.spans.iter().rfind(|(room, _)| room.is_none())?;
        socket.confirmed.filter(|_| self.away.is_none() && socket.left_asked.is_none())
    }

    /// Whether it may have been somewhere at an odd time, and whether it must have.
    fn was(&self, room: Option<&str>, when: u64) -> (bool, bool) {
        let is_lost =
            |(from, to): &(Moment, Option<Moment>)| *from < at(when) && to.is_none_or(|to| at(when) < to);
        if room.is_some() && self.untraced.iter().any(is_lost) {
            return (true, false);
        }
        let spans = self.spans.iter().filter(|(of, _)| of.as_deref() == room).map(|(_, span)| span);
        spans.fold((false, false), |(may, must), span| {
            let (when, before) =
                (at(when), |time: Option<Moment>, or| time.map_or(or, |time| time < at(when)));
            let possible = span.asked < when && !before(span.left, false);
            let certain = before(span.confirmed, false) && !before(span.left_asked, false);
            (may || possible, must || certain)
        })
    }

    /// Whether it came to where a message went after that was sent, or may have, before it received it.
    pub(super) fn has_come_since(&self, client: u32, message: &SentMessage, received: u64) -> bool {
        let is_place = |room: &Option<String>| match room {
            None => message.to.is_empty(),
            Some(room) => message.to.iter().any(|to| **to == **room),
        };
        let may_have_come = self
            .untraced
            .iter()
            .any(|(from, to)| *from <= at(received) && to.is_none_or(|to| to >= message.sent));
        namespace(client) == &*message.namespace
            && (may_have_come
                || self.spans.iter().any(|(room, span)| {
                    let is_later = span.confirmed.is_none_or(|confirmed| confirmed >= message.sent)
                        || span.again.is_some_and(|again| again >= message.sent);
                    let lasts = span.left.is_none_or(|left| left >= message.sent);
                    is_place(room) && span.asked <= at(received) && is_later && lasts
                }))
    }

    /// Whether it certainly was where the sender of a message has to be when it sent it.
    pub(super) fn was_there(&self, message: &SentMessage) -> bool {
        let when = message.sent.as_micros() + 1;
        let mut rooms = message.to.iter().map(|room| self.was(Some(room), when));
        // It may have been taken out of one of them before the server handled the message.
        let was_moved = self.spans.iter().any(|(room, span)| {
            let is_meant = message.to.iter().any(|to| room.as_deref() == Some(to));
            is_meant && span.moved.is_some_and(|moved| moved >= message.sent)
        });
        let stays = (message.handled.is_some() || message.order == Order::Sent) && !was_moved;
        match message.origin {
            Origin::Anywhere => true,
            Origin::Inside => rooms.all(|(_, must)| must && stays),
            Origin::Outside => rooms.all(|(may, _)| !may && stays),
        }
    }

    /// Whether a message that was handled at that time may have been, and must have been, for this client.
    pub(super) fn is_meant(&self, client: u32, message: &SentMessage, when: u64) -> (bool, bool) {
        if namespace(client) != &*message.namespace {
            return (false, false);
        }
        let there = self.was(None, when);
        let rooms = message.to.iter().map(|room| self.was(Some(room), when));
        let mut meant = match message.to.is_empty() {
            true => there,
            false => rooms.fold((false, false), |a, b| (a.0 || b.0, a.1 || b.1)),
        };
        for room in &message.except {
            let (may, must) = self.was(Some(room), when);
            meant = (meant.0 && !must, meant.1 && !may);
        }
        if client == message.key.sender && message.sender == Sender::Excluded {
            meant = (meant.0 && !there.1, false);
        }
        meant
    }

    /// Whether a recovering server may have sent a message again that was not for this client. It was handled between two
    /// times, as its node and the client's may tell them.
    pub(super) fn is_replayed(
        &self,
        client: u32,
        message: &SentMessage,
        instants: &[u64],
        (first, last): (Moment, Moment),
    ) -> bool {
        let is_sender = client == message.key.sender && message.sender == Sender::Excluded;
        let was_back = message.is_kept && self.back.is_some_and(|back| back >= first);
        if !was_back || is_sender || namespace(client) != &*message.namespace {
            return false;
        }
        let is_target = |room: &Option<String>| match (room, message.to.is_empty()) {
            (None, to_all) => to_all,
            (Some(room), _) => message.to.iter().any(|to| **to == **room),
        };
        let whole = SentMessage { except: Vec::new(), ..message.clone() };
        self.spans.iter().any(|(room, span)| is_target(room) && span.asked >= last)
            || instants.iter().any(|when| self.is_meant(client, &whole, *when).0)
    }
}
