//! The oracle: of each socket, whether it must receive a message, must not, or may; and what came of it.

use thin_vec::ThinVec;

use super::events::{Moment, Sender, SentMessage};
use super::fault::Leak;
use super::maps::Map;
use super::membership::Membership;
use super::nodes::{JoinSpread, UNKNOWN_NODE};
use super::open::Open;
use super::proof::Proof;
use super::span::{Certainty, MembershipSpan};
use super::undecided::{Undecided, UndecidedCounts};

/// What is to be said about a message and the seats of one worker.
#[derive(Debug, Default)]
pub(super) struct Judgement {
    /// Seats that had to receive it, and did.
    pub(super) expected: u64,
    /// Seats that must not.
    pub(super) forbidden: u64,
    /// Seats of which nobody can say.
    pub(super) undecided: UndecidedCounts,
    /// One of these for each cause.
    pub(super) doubts: Vec<(Undecided, u32)>,
    /// Seats that had to receive it, and did not, as far as their rooms say.
    pub(super) absent: ThinVec<u32>,
    /// Seats that had asked for its room without an answer, and have not what others have; and the time over which that was
    /// handled, as far as they may know.
    pub(super) in_vain: Vec<(u32, (Moment, Moment))>,
    /// Seats that had asked to leave its room without an answer, the same time, and whether they have it.
    pub(super) left: Vec<(u32, (Moment, Moment), bool)>,
    /// Seats that must not and did: how, and when.
    pub(super) leaked: Vec<(u32, Leak, Moment)>,
    /// Seats that had to receive it, and did, by node where there are several.
    pub(super) expected_at: Vec<u64>,
    /// Seats of which nobody can say, by node where there are several.
    pub(super) undecided_at: Vec<u64>,
    /// What it shows of joins at other nodes.
    pub(super) join_spread: JoinSpread,
}

impl Judgement {
    /// Judges a message, due at one time, as far as is known at another.
    pub(super) fn of(
        membership: &mut Membership,
        message: &SentMessage,
        entry: &Open,
        proof: Proof,
        (due, now, window): (Moment, Moment, Moment),
    ) -> Judgement {
        let mut judgement = Judgement::default();
        if message.is_refused {
            judgement.forbidden = entry.live.here + entry.live.elsewhere;
            let receipts = entry.receipts.iter();
            judgement.leaked.extend(receipts.map(|(seat, at)| (seat, Leak::Refused, at)));
            return judgement;
        }
        let from = message.sent;
        let to = proof.handled.unwrap_or(now.max(message.settled));
        let aim = membership.aim(message, due);
        let remembers = membership.remembers(from);
        // To all of the namespace but those that it spares: nobody else may receive it, whoever is in its rooms.
        let widest = aim.may_add.then(|| SentMessage { to: Vec::new(), ..message.clone() });
        let unaimed = if message.is_aimed { Undecided::RoomUnknown } else { Undecided::AimUnknown };
        let excuse = if aim.may_spare { Some(unaimed) } else { proof.excuse };
        // Where those were at their receipts who have gone from node to node.
        let has_moved =
            |(seat, _): &(u32, Moment)| membership.homes.has_moved(membership.seats()[*seat as usize].client);
        let receipts = entry.receipts.iter().filter(|_| membership.homes.have_moves()).filter(has_moved);
        let moved: Map<u32, u16> = receipts.map(|(seat, at)| (seat, membership.node(seat, at))).collect();
        let mut meant = 0;
        let mut received = 0;
        for seat in membership.candidates(message) {
            let has = entry.receipts.has(seat);
            let client = membership.seats()[seat as usize].client;
            let (reach, span) = (membership.homes.reach((message.node, message.sent), client), (from, to));
            let (from, to) = reach.widen(span);
            let mut certainty = membership.is_for(message, seat, from, to);
            let is_open = !reach.is_zero() && excuse.is_none() && certainty == Certainty::Maybe;
            let at_once = is_open.then(|| membership.is_for(message, seat, span.0, span.1));
            if at_once == Some(Certainty::Yes) {
                judgement.see_join(membership, message, seat, (from, has));
            }
            let spreads = at_once.is_some_and(|at_once| at_once != Certainty::Maybe);
            // Whether it was still there is known when it comes back.
            let is_gone = membership.seats()[seat as usize].away.is_some_and(|away| away < to);
            if excuse.is_some() || (has && is_gone) {
                certainty = certainty.min(Certainty::Maybe);
            }
            let is_spared = || is_spared(membership, widest.as_ref(), seat, (from, to));
            if certainty == Certainty::No && (!remembers || !is_spared()) {
                certainty = Certainty::Maybe;
            }
            received += usize::from(has && certainty != Certainty::No);
            let is_missed = !has && excuse.is_none() && proof.handled.is_some();
            let tells = certainty != Certainty::Yes && (has || is_missed);
            let is_shown = |(of, at)| of == seat && membership.is_shown_again(seat, message, at);
            // What it was shown when it came again says nothing of its leave.
            let is_live = || !has || !entry.receipts.iter().any(is_shown);
            if tells && membership.has_asked_to_leave(message, seat, (from, to), window) && is_live() {
                judgement.left.push((seat, (from, to), has));
            }
            match (certainty, has) {
                (Certainty::Yes, true) => {
                    judgement.expected += 1;
                    count_at(&mut judgement.expected_at, membership, (seat, moved.get(&seat)));
                }
                (Certainty::Yes, false) => judgement.absent.push(seat),
                (Certainty::Maybe, _) => {
                    let doubt = || match is_gone {
                        true => Undecided::ReceiverLost,
                        false if spreads && membership.homes.is_at((message.node, message.sent), client) => {
                            Undecided::Publishing
                        }
                        false if spreads => Undecided::Spreading,
                        false if is_blurred(membership, message, seat, (from, to)) => Undecided::Clocks,
                        false => membership.doubt(message, seat, (from, to), proof.handled.is_some()),
                    };
                    if is_missed && !is_gone && membership.asks_in_vain(message, seat, (from, to)) {
                        judgement.in_vain.push((seat, (from, to)));
                    }
                    let unaimed = aim.may_add.then_some(unaimed);
                    judgement.doubt(excuse.or(unaimed).unwrap_or_else(doubt), seat);
                    count_at(&mut judgement.undecided_at, membership, (seat, moved.get(&seat)));
                }
                (Certainty::No, _) => continue,
            }
            meant += 1;
        }
        let others = entry.live.here.saturating_sub(meant);
        judgement.forbidden = if message.is_aimed { entry.live.elsewhere } else { 0 };
        if !aim.may_add {
            judgement.forbidden += others;
        }
        if received < entry.receipts.len() {
            judgement.find_leaks(membership, (message, widest.as_ref()), entry, (from, to), remembers);
        }
        if aim.may_add {
            let is_here = |(seat, ..): &&(u32, Leak, Moment)| !membership.is_elsewhere(message, *seat);
            let leaked = judgement.leaked.iter().filter(is_here).count() as u64;
            judgement.forbidden += leaked;
            judgement.undecided.add(unaimed, others.saturating_sub(leaked));
        }
        judgement
    }

    /// Nobody can say of a seat.
    fn doubt(&mut self, cause: Undecided, seat: u32) {
        self.undecided.add(cause, 1);
        if self.doubts.iter().all(|(known, _)| *known != cause) {
            self.doubts.push((cause, seat));
        }
    }

    /// A seat at another node is certainly meant but for the spread. If it has joined within it, since `from`, the message
    /// shows whether that was known where the message was sent.
    fn see_join(
        &mut self,
        membership: &Membership,
        message: &SentMessage,
        seat: u32,
        (from, has): (Moment, bool),
    ) {
        let spans = membership.spans(message, seat);
        let joins = spans.iter().filter_map(|(_, span)| span.confirmed);
        let last = joins.filter(|confirmed| *confirmed <= message.sent).max();
        let client = membership.seats()[seat as usize].client;
        let is_own = membership.homes.are_several()
            && membership.homes.host(client, message.sent) == message.node
            && message.node != UNKNOWN_NODE;
        if let Some(joined) = last.filter(|joined| *joined > from && !is_own) {
            self.join_spread.take(message.sent - joined, has);
        }
    }

    /// The receivers that may not have received a message, `widest` if it may go to rooms that the server alone fills.
    fn find_leaks(
        &mut self,
        membership: &Membership,
        (message, widest): (&SentMessage, Option<&SentMessage>),
        entry: &Open,
        span: (Moment, Moment),
        remembers: bool,
    ) {
        for (seat, at) in entry.receipts.iter() {
            let client = membership.seats()[seat as usize].client;
            let (from, to) = membership.homes.reach((message.node, message.sent), client).widen(span);
            if membership.is_for(message, seat, from, to) != Certainty::No
                || !is_spared(membership, widest, seat, (from, to))
            {
                continue;
            }
            if membership.is_shown_again(seat, message, at) {
                self.forbidden = self.forbidden.saturating_sub(u64::from(widest.is_none()));
                continue;
            }
            match message.is_aimed && remembers && !is_replayed(membership, message, seat, (from, to)) {
                true => {
                    let judged = widest.unwrap_or(message);
                    self.leaked.push((seat, how(membership, judged, seat, (from, to)), at));
                }
                // Of the others, whose receivers nobody knows, all are undecided already.
                false => self.undecided.add(Undecided::ReceiverLost, u64::from(widest.is_none())),
            }
        }
    }
}

/// Whether a message is not for a seat, whoever may be in the rooms that the server alone fills. Who comes there is shown what
/// was said before, if anybody is.
fn is_spared(
    membership: &Membership,
    widest: Option<&SentMessage>,
    seat: u32,
    (from, to): (Moment, Moment),
) -> bool {
    widest.is_none_or(|message| {
        let is_spared = || membership.is_for(message, seat, from, to) == Certainty::No;
        membership.is_elsewhere(message, seat) || (!message.has_history && is_spared())
    })
}

/// Counts a seat at its node, where there are several: at the one where it received the message, if it has moved.
fn count_at(counts: &mut Vec<u64>, membership: &Membership, (seat, node): (u32, Option<&u16>)) {
    let home = || membership.node(seat, Moment::MAX);
    let node = node.copied().unwrap_or_else(home);
    if membership.homes.are_several() && node != UNKNOWN_NODE {
        let node = usize::from(node);
        counts.resize(counts.len().max(node + 1), 0);
        counts[node] += 1;
    }
}

/// Whether only the clocks keep from knowing whether a message is for a seat.
fn is_blurred(
    membership: &Membership,
    message: &SentMessage,
    seat: u32,
    (from, to): (Moment, Moment),
) -> bool {
    // It may be known by this clock alone before when it was handled: by a receipt here.
    let from = from.saturating_add(message.blur).min(to);
    let to = to.saturating_sub(message.blur).max(from);
    !message.blur.is_zero() && membership.is_for(message, seat, from, to) != Certainty::Maybe
}

/// Whether a recovering server may have sent the message again to a seat that it was not for. The official one looks
/// only at the rooms in which the socket was when it was cut: those that it had joined, and left, after the message.
fn is_replayed(
    membership: &Membership,
    message: &SentMessage,
    seat: u32,
    (from, to): (Moment, Moment),
) -> bool {
    let place = &membership.seats()[seat as usize];
    let was_back = message.is_kept && place.back.is_some_and(|back| back >= from);
    let is_sender = place.client == message.key.sender && message.sender == Sender::Excluded;
    if !was_back || is_sender || membership.is_elsewhere(message, seat) {
        return false;
    }
    let joined_later = membership.spans(message, seat).iter().any(|(_, span)| span.asked >= to);
    joined_later || how(membership, message, seat, (from, to)) == Leak::Except
}

/// In which way a seat is none of those that a message was for.
fn how(membership: &Membership, message: &SentMessage, seat: u32, (from, to): (Moment, Moment)) -> Leak {
    let place = &membership.seats()[seat as usize];
    if membership.is_elsewhere(message, seat) {
        return Leak::Namespace;
    }
    if place.client == message.key.sender && message.sender == Sender::Excluded {
        return Leak::Sender;
    }
    let whole = SentMessage { except: Vec::new(), ..message.clone() };
    if membership.is_for(&whole, seat, from, to) != Certainty::No {
        return Leak::Except;
    }
    let spans = membership.spans(message, seat);
    let any = |test: &dyn Fn(&MembershipSpan) -> bool| spans.iter().any(|(_, span)| test(span));
    match () {
        () if any(&|span| span.left.is_some_and(|left| left <= from)) => Leak::AfterLeave,
        () if any(&|span| span.asked >= to) => Leak::BeforeJoin,
        () => Leak::Room,
    }
}
