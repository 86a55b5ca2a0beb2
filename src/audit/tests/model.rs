//! The slow, obvious model: for each pair, every instant at which the server may have handled the message is looked
//! at, and every span that may or must have held then. The auditors have to come to the same verdicts, whatever a
//! server did with its deliveries, however many they are, and however late they hear from each other.

mod life;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::random::{Audited, Habits, History, Seen, Sight, history, namespace, rng};
use super::*;
use life::{JoinProof, LeaveProof, Life, Proofs};

/// What there is to be found, by the model.
#[derive(Debug, Default, PartialEq)]
struct Verdicts {
    expected: u64,
    missing: u64,
    duplicate: u64,
    disordered: u64,
    leaked: u64,
    /// What was expected and missing from node to node, where there are several.
    nodes: BTreeMap<(u16, u16), (u64, u64)>,
}

/// Goes through all pairs of a message and a client.
struct Model<'h> {
    history: &'h History,
    audited: &'h Audited,
    /// When each message is due.
    dues: Vec<(Key, Moment)>,
    proofs: Proofs<'h>,
    verdicts: Verdicts,
}

impl<'h> Model<'h> {
    fn judge(history: &'h History, audited: &'h Audited) -> Verdicts {
        let (dues, proofs, verdicts) = Default::default();
        let mut model = Model { history, audited, dues, proofs, verdicts };
        model.find_dues();
        model.find_leaves();
        model.find_proofs();
        for message in history.messages() {
            for client in 0..history.clients {
                model.judge_pair(message, client);
            }
        }
        model.verdicts
    }

    /// The messages of a sender are judged in their order, each when its window is over. That begins with the first sign that
    /// it was handled, or when it was settled.
    fn find_dues(&mut self) {
        for sender in 0..self.history.clients {
            let mut due = Moment::ZERO;
            for message in self.history.messages().filter(|message| message.key.sender == sender) {
                due = due.max(message.settled + WINDOW);
                while message.handled.is_none()
                    && let Some(handled) = self.handled(message, due)
                    && handled + WINDOW > due
                {
                    due = handled + WINDOW;
                }
                self.dues.push((message.key, due));
            }
        }
    }

    fn due(&self, message: &SentMessage) -> Moment {
        self.dues.iter().find(|(key, _)| *key == message.key).expect("all were looked at").1
    }

    /// Who had received a message when, the first of them, as far as was known at a time.
    fn first(&self, message: &SentMessage, by: Moment) -> Option<Moment> {
        let is_it = |sight: &Sight| matches!(sight, Sight::Received(key) if *key == message.key);
        let receipts = self.history.seen.iter().filter(|(time, _, sight)| is_it(sight) && at(*time) <= by);
        receipts.map(|(time, ..)| at(*time)).min()
    }

    /// Before when a message was handled: by its own signs, or those of the next one that was sent over the same connection.
    fn handled(&self, message: &SentMessage, by: Moment) -> Option<Moment> {
        let sign = |message: &SentMessage| message.handled.into_iter().chain(self.first(message, by)).min();
        let is_after = |next: &&Arc<SentMessage>| {
            next.key.sender == message.key.sender
                && next.key.sequence > message.key.sequence
                && next.settled <= by
                && self.is_before(message, next)
        };
        sign(message).or_else(|| self.history.messages().filter(is_after).find_map(|next| sign(next)))
    }

    /// Whether a message was handled before a later one by the order in which they were sent.
    fn is_before(&self, message: &SentMessage, next: &SentMessage) -> bool {
        let is_ordered = message.order == Order::Sent && next.order == Order::Sent;
        is_ordered && !self.was_cut(message, next.sent)
    }

    /// Whether the sender's connection ended between the sending of a message and a time.
    fn was_cut(&self, message: &SentMessage, by: Moment) -> bool {
        self.history.seen.iter().any(|(time, client, sight)| {
            *client == message.key.sender
                && self.ends(*client, *time, sight)
                && (message.sent..by).contains(&at(*time))
        })
    }

    /// The same, and no answer before that showed that the message had been read.
    fn may_be_unread(&self, message: &SentMessage, by: Moment) -> bool {
        let own = self.history.seen.iter().filter(|(_, client, _)| *client == message.key.sender);
        let mut read = false;
        for (time, who, sight) in own.filter(|(time, ..)| at(*time) >= message.sent && at(*time) < by) {
            match sight {
                Sight::Read(asked) => read |= at(*asked) >= message.sent,
                sight if !read && self.ends(*who, *time, sight) => return true,
                _ => {}
            }
        }
        false
    }

    /// Whether nobody knows from then on what the server read of it. Of a message of a client whose trace is lost nobody does.
    fn ends(&self, client: u32, time: u64, sight: &Sight) -> bool {
        let trace = |(when, who, sight): &Seen| match sight {
            _ if *who != client || *when > time => None,
            Sight::Untraced => Some(false),
            Sight::Connected { recovered: false, .. } | Sight::Ended => Some(true),
            _ => None,
        };
        match sight {
            Sight::Lost | Sight::Leaving | Sight::Untraced => true,
            Sight::Settled(own) if own.handled.is_none() => {
                self.history.seen.iter().filter_map(trace).next_back() == Some(false)
            }
            _ => false,
        }
    }

    /// Whether the sender learned later that it had been taken out of a room to which it sent a message, and nothing shows that
    /// this came after it was handled: that a later one to the same rooms was passed on before.
    fn may_have_come_too_late(&self, message: &SentMessage, by: Moment) -> bool {
        let sender = message.key.sender;
        let mut since = BTreeMap::new();
        let own = self.history.seen.iter().filter(|(_, client, _)| *client == sender);
        let is_to = |room: &str| message.to.iter().any(|to| **to == *room);
        let learned = own.filter_map(|(time, _, sight)| match sight {
            Sight::Placed(room, _, true) => {
                since.insert(*room, at(*time));
                None
            }
            Sight::Moved(room) if is_to(room) && since[room] <= message.sent => Some(at(*time)),
            _ => None,
        });
        let learned = learned.filter(|learned| *learned >= message.sent && *learned < by).min();
        let Some(learned) = learned.filter(|_| message.origin == Origin::Inside) else { return false };
        !self.history.messages().any(|next| {
            let is_later = next.key.sender == sender && next.key.sequence > message.key.sequence;
            let is_later = is_later && next.settled <= by;
            let is_there = next.to == message.to && next.namespace == message.namespace;
            is_later && is_there && self.is_before(message, next) && self.first(next, learned).is_some()
        })
    }

    /// The messages that show of what their senders had left before them that this was read.
    fn find_leaves(&mut self) {
        let ordered = self.history.messages().filter(|message| message.order == Order::Sent);
        let proof = |message: &'h Arc<SentMessage>| {
            let due = self.due(message);
            let (handled, known) = (self.handled(message, due)?, self.judged(message, message.key.sender));
            Some(LeaveProof { known, place: (due, message.key), message, handled })
        };
        self.proofs.leaves = ordered.filter_map(proof).collect();
        self.proofs.leaves.sort_by_key(|proof| proof.place);
    }

    /// The receipts that prove joins, in the order in which their ledgers make use of them.
    fn find_proofs(&mut self) {
        for (time, client, sight) in &self.history.seen {
            let Sight::Received(key) = sight else { continue };
            let Some(message) = self.history.messages().find(|message| message.key == *key) else { continue };
            let is_first = self.history.receipts(*client, *key).first() == Some(time);
            let is_meant = message.to.len() == 1 && namespace(*client) == &*message.namespace;
            if !is_first || !is_meant || *client == key.sender || message.is_refused {
                continue;
            }
            let since = at(*time).max(message.settled);
            let ticks = &self.audited.ticks[home(*client, self.audited.auditors())];
            let is_known = |(now, known): &&(u64, Moment)| at(*now) > since && *known > since;
            let known = ticks.iter().find(is_known).expect("it ends with all known").0;
            let life = Life::of(*client, &self.history.seen, &self.proofs, *time);
            let may_show = life.is_unproved() || life.is_movable();
            if known <= self.judged(message, *client) && may_show {
                let before = self.history.before(message, *client, known);
                self.proofs.joins.push(JoinProof {
                    known,
                    client: *client,
                    received: *time,
                    message,
                    before,
                });
                self.proofs.joins.sort_by_key(|proof| (proof.known, proof.received));
            }
        }
    }

    /// When this client's auditor judged a message.
    fn judged(&self, message: &SentMessage, client: u32) -> u64 {
        self.audited.judged(home(client, self.audited.auditors()), self.due(message))
    }

    /// Whether some client had asked for all of these rooms, or it was a socket's own.
    fn can_tell(&self, message: &SentMessage, rooms: &[Arc<str>]) -> bool {
        let is_known = |room: &Arc<str>| {
            self.history.seen.iter().any(|(time, client, sight)| {
                let is_it = match sight {
                    Sight::Joining(asked) | Sight::Placed(asked, ..) => **asked == **room,
                    Sight::Connected { sid, recovered: false } => **sid == **room,
                    _ => false,
                };
                is_it && namespace(*client) == &*message.namespace && at(*time) <= self.due(message)
            })
        };
        rooms.iter().all(is_known)
    }

    fn judge_pair(&mut self, message: &SentMessage, client: u32) {
        let seen = &self.history.seen;
        let (judged, due) = (self.judged(message, client), self.due(message));
        let life = Life::when(client, seen, &self.proofs, (judged, Some((due, message.key))));
        let handled = self.handled(message, due);
        let last = handled.unwrap_or(at(judged)) + self.history.after();
        let first = message.sent.saturating_sub(self.history.before(message, client, judged));
        let instants: Vec<u64> = (micros(first)..micros(last)).filter(|time| time % 2 == 1).collect();
        let meant: Vec<_> = instants.iter().map(|when| life.is_meant(client, message, *when)).collect();

        let [adds, spares] = [&message.to, &message.except].map(|rooms| !self.can_tell(message, rooms));
        let sender = Life::of(message.key.sender, seen, &self.proofs, micros(message.settled));
        let was_passed_on = self.first(message, due).is_some();
        let has_to_be = !message.may_be_refused
            && sender.was_there(message)
            && !self.may_have_come_too_late(message, due)
            && (handled.is_some() || !self.may_be_unread(message, due));
        let binds = !spares && !message.may_be_lost && (was_passed_on || has_to_be);
        let must = binds && meant.iter().all(|(_, must)| *must);
        // Whoever is in a room that the server alone fills, it is for nobody outside of the namespace and for nobody left out.
        let widest = SentMessage { to: Vec::new(), ..message.clone() };
        let is_meant = |when: &u64| life.is_meant(client, if adds { &widest } else { message }, *when).0;
        let may_come = adds && message.has_history && namespace(client) == &*message.namespace;
        let never = !may_come && !instants.iter().any(is_meant);

        let receipts = self.history.receipts(client, message.key);
        let in_time = receipts.iter().filter(|time| **time < judged).count() as u64;
        let is_shown =
            |time: u64, life: &Life| message.has_history && life.has_come_since(client, message, time);
        let again = receipts.iter().skip(1).filter(|time| **time < judged && !is_shown(**time, &life));
        self.verdicts.duplicate += again.count() as u64;
        if message.is_refused {
            self.verdicts.leaked += in_time.min(1);
            return;
        }
        if in_time > 0 {
            let is_leak = never
                && !is_shown(receipts[0], &life)
                && !life.is_replayed(client, message, &instants, (first, last));
            self.verdicts.leaked += u64::from(is_leak);
            // Whether it was still there when it was cut in between is known when it comes back.
            let is_gone = life.away.is_some_and(|away| away < last);
            if must && !is_gone {
                self.got(message, client, receipts[0]);
            }
            self.verdicts.disordered += u64::from(self.is_overtaken(message, client));
            return;
        }
        if !must {
            return;
        }
        let was_back = life.back.is_some_and(|back| back + WINDOW > at(judged)) && life.up_since().is_some();
        if life.away.is_some() || was_back {
            if message.is_kept {
                self.follow_debt(message, client, judged, &receipts);
            }
            return;
        }
        let was_cut = life.back.is_some_and(|back| back > message.sent) && !message.is_kept;
        let stood = life.up_since().is_some_and(|since| since <= message.sent);
        if stood && !was_cut {
            self.miss(message, client, judged, due, &receipts);
        }
    }

    /// It is missing since then. What comes after all is forgiven.
    fn miss(&mut self, message: &SentMessage, client: u32, since: u64, by: Moment, receipts: &[u64]) {
        if self.may_have_lost_its_stamp(message, client, since, by) {
            return;
        }
        let is_host = |left: Option<Moment>, _| left.is_none_or(|left| left <= message.settled);
        self.owe(message, client, is_host, !receipts.iter().any(|time| *time >= since));
    }

    /// Whether events without stamps came to a client since a message was sent, before `since`, and none with one to anybody
    /// up to `by`.
    fn may_have_lost_its_stamp(&self, message: &SentMessage, client: u32, since: u64, by: Moment) -> bool {
        let mut seen = self.history.seen.iter();
        let has_stamp = |(time, _, sight): &Seen| matches!(sight, Sight::Received(_)) && at(*time) <= by;
        let is_bare = |(time, who, sight): &Seen| {
            matches!(sight, Sight::Unstamped) && *who == client && *time < since && at(*time) >= message.sent
        };
        !self.history.seen.iter().any(has_stamp) && seen.any(is_bare)
    }

    /// A client had to receive a message, and did.
    fn got(&mut self, message: &SentMessage, client: u32, received: u64) {
        self.owe(message, client, |_, begun| begun <= at(received), false);
    }

    /// A client had to receive a message, at the last node of which this holds: when it had left the one before, and when it set
    /// out for it.
    fn owe(
        &mut self,
        message: &SentMessage,
        client: u32,
        is_it: impl Fn(Option<Moment>, Moment) -> bool,
        is_missing: bool,
    ) {
        self.verdicts.expected += 1;
        self.verdicts.missing += u64::from(is_missing);
        if self.history.nodes > 1 {
            let nodes = self.history.nodes(client, u64::MAX);
            let node = nodes.into_iter().rfind(|(_, left, begun)| is_it(*left, *begun));
            let (node, ..) = node.expect("it is somewhere");
            let pair = self.verdicts.nodes.entry((message.node, node)).or_default();
            pair.0 += 1;
            pair.1 += u64::from(is_missing);
        }
    }

    /// Whoever is recovered has to get what it missed, within the window.
    fn follow_debt(&mut self, message: &SentMessage, client: u32, judged: u64, receipts: &[u64]) {
        let ticks = self.audited.ticks[home(client, self.audited.auditors())].clone();
        for (tick, known) in ticks.into_iter().filter(|(tick, _)| *tick >= judged) {
            let received = receipts.iter().copied().find(|time| (judged..tick).contains(time));
            let is_new = |(time, who, sight): &&Seen| {
                *who == client
                    && (judged..tick).contains(time)
                    && matches!(sight, Sight::Connected { recovered: false, .. })
            };
            let renewed = self.history.seen.iter().find(is_new).map(|(time, ..)| *time);
            match (received, renewed) {
                (Some(received), renewed) if renewed.is_none_or(|renewed| received < renewed) => {
                    self.got(message, client, received);
                    return;
                }
                (_, Some(_)) => return,
                _ => {}
            }
            let life = Life::of(client, &self.history.seen, &self.proofs, tick);
            let was_back =
                life.back.is_some_and(|back| back + WINDOW > at(tick)) && life.up_since().is_some();
            if life.away.is_some() || was_back {
                continue;
            }
            if life.up_since().is_some_and(|since| since <= message.sent) {
                let by = at(tick).min(known.saturating_sub(Moment::from_nanos(1)));
                self.miss(message, client, tick, by, receipts);
            }
            return;
        }
    }

    /// Whether a client had received a later message of the sender when it received this one, and neither may be lost.
    fn is_overtaken(&self, message: &SentMessage, client: u32) -> bool {
        let mut received = Vec::new();
        for (time, who, sight) in &self.history.seen {
            let Sight::Received(key) = sight else { continue };
            if *who != client || key.sender != message.key.sender {
                continue;
            }
            if *key == message.key {
                break;
            }
            let other = self.history.messages().find(|other| other.key == *key).expect("it was sent");
            if *time < self.judged(other, client) {
                received.push(*key);
            }
        }
        let later = received.into_iter().filter(|key| key.sequence > message.key.sequence).min();
        let later = later.and_then(|key| self.history.messages().find(|other| other.key == key));
        let is_free = |message: &SentMessage| message.may_be_lost || message.order == Order::Unknown;
        later.is_some_and(|later| {
            let is_certain = message.handled.is_some() || self.is_before(message, later);
            // Who comes may be shown either of them behind the other.
            let life = Life::of(client, &self.history.seen, &self.proofs, self.judged(later, client));
            let is_shown = [message, &**later].into_iter().any(|one| {
                let received = self.history.receipts(client, one.key)[0];
                one.has_history && life.has_come_since(client, one, received)
            });
            // Each node keeps the order of what came to it. Behind one address, a new connection may lead to another one.
            let may_have_moved = self.history.within > 0
                && match self.history.nodes {
                    1 => self.was_cut(message, later.sent),
                    _ => message.node != later.node,
                };
            is_certain && !is_shown && !may_have_moved && !is_free(message) && !is_free(later)
        })
    }
}

fn micros(time: Moment) -> u64 {
    time.as_micros()
}

/// That some auditors, who hear from each other with more or less haste, say of a random history what the model says.
fn agree(
    (seed, clients, harm): (u64, u32, u64),
    (recovery, slow): (bool, bool),
    (auditors, haste): (usize, u64),
) -> TestCaseResult {
    let mut rng = rng(seed);
    let mut habits = Habits::draw(&mut rng, recovery, slow);
    (habits.holds_up, habits.keeps_leavers) = (seed % 2 == 1, seed % 3 == 0);
    habits.acts_by_hand = seed % 5 == 0;
    let mut history = history(&mut rng, clients, 200, habits);
    harm_deliveries(&mut history, &mut rng, harm);
    let audited = history.audited(auditors, haste, &mut rng);
    let found = &audited.findings;
    let told = Verdicts {
        expected: found.expected,
        missing: found.fault(Fault::Missing),
        duplicate: found.fault(Fault::Duplicate),
        disordered: found.fault(Fault::Disordered),
        leaked: found.fault(Fault::Leaked),
        nodes: nodes_of(found),
    };
    prop_assert_eq!(
        told,
        Model::judge(&history, &audited),
        "{:?}\n{:#?}\n{:#?}",
        habits,
        found,
        history.seen
    );
    Ok(())
}

#[test]
fn an_event_without_a_stamp_counts_also_after_one_with_a_stamp_has_come() {
    agree((7_079_617_408_255_818_488, 5, 2), (true, false), (2, 5)).expect("they agree");
}

#[test]
fn a_stamp_that_came_to_clients_of_another_auditor_counts_once_that_has_told_everything_until_then() {
    agree((2_054_138_671_596_746_411, 4, 11), (true, false), (6, 76)).expect("they agree");
    agree((3_476_770_132_000_992_567, 5, 5), (true, false), (5, 57)).expect("they agree");
}

#[test]
fn who_was_recovered_while_the_news_may_still_have_been_under_way_may_have_been_sent_it_again() {
    agree((8_276_413_293_903_943_262, 7, 4), (true, true), (1, 5)).expect("they agree");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_auditors_and_the_model_come_to_the_same_verdicts(
        seed in any::<u64>(), clients in 2u32..9, harm in 0u64..30, recovery in any::<bool>(), slow in any::<bool>(),
        auditors in 1usize..9, haste in 5u64..100,
    ) {
        agree((seed, clients, harm), (recovery, slow), (auditors, haste))?;
    }

    #[test]
    fn many_auditors_that_hear_at_once_find_all_that_one_finds(
        seed in any::<u64>(), clients in 2u32..9, harm in 0u64..30, recovery in any::<bool>(), slow in any::<bool>(),
        auditors in 2usize..9,
    ) {
        let mut rng = rng(seed);
        let mut habits = Habits::draw(&mut rng, recovery, slow);
        (habits.holds_up, habits.keeps_leavers) = (seed % 2 == 1, seed % 3 == 0);
        habits.acts_by_hand = seed % 5 == 0;
        let mut history = history(&mut rng, clients, 200, habits);
        harm_deliveries(&mut history, &mut rng, harm);
        let counts = |auditors, rng: &mut _| {
            let found = history.audited(auditors, 100, rng).findings;
            // Of those that must not receive a message only the number is known, and not to the last one.
            let Findings { messages, receipts, expected, late, faults, leaks, nodes, join_spread, .. } = found;
            ([messages, receipts, expected, late], faults, leaks, nodes, join_spread)
        };
        prop_assert_eq!(counts(auditors, &mut rng), counts(1, &mut rng));
    }
}

/// What was expected and missing from node to node.
fn nodes_of(found: &Findings) -> BTreeMap<(u16, u16), (u64, u64)> {
    let nodes = found.nodes.nodes() as u16;
    let pairs = (0..nodes).flat_map(|from| (0..nodes).map(move |to| (from, to)));
    let figures = pairs.filter_map(|(from, to)| {
        let pair = found.nodes.pair(from.into(), to.into())?;
        Some(((from, to), (pair.expected, pair.fault(Fault::Missing))))
    });
    figures.filter(|(_, figures)| *figures != (0, 0)).collect()
}

/// Loses, doubles, delays and misdirects some of the deliveries.
fn harm_deliveries(history: &mut History, rng: &mut impl Rng, percent: u64) {
    let mut seen = Vec::new();
    for (time, client, sight) in history.seen.drain(..) {
        let other = (rng.next_u64() % u64::from(history.clients)) as u32;
        let Sight::Received(key) = sight else {
            if let Sight::Settled(message) = &sight
                && message.is_refused
                && rng.next_u64() % 100 < 2 * percent
            {
                let time = time.saturating_sub(8).max(micros(message.sent) + 2) + 2 * (rng.next_u64() % 10);
                seen.push((time / 2 * 2, other, Sight::Received(message.key)));
            }
            seen.push((time, client, sight));
            continue;
        };
        let receipts = match rng.next_u64() % 100 {
            dice if dice >= percent => vec![(time, client)],
            dice if dice % 4 == 0 => vec![],
            dice if dice % 4 == 1 => vec![(time, client), (time, client)],
            dice if dice % 4 == 2 => vec![(time + 2 * (rng.next_u64() % 40), client)],
            _ => vec![(time, other)],
        };
        seen.extend(receipts.into_iter().map(|(time, receiver)| (time, receiver, Sight::Received(key))));
    }
    seen.sort_by_key(|(time, _, _)| *time);
    history.seen = seen;
}
