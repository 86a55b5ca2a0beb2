//! The slow, obvious model: for each pair, every instant at which the server may have handled the message is looked
//! at, and every stay that may or must have held then. The ledger has to come to the same verdicts, whatever a
//! server did with its deliveries.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::random::{History, Seen, Sight, history, namespace, rng};
use super::*;

/// What the model knows of one client.
#[derive(Debug, Default)]
struct Life {
    /// Of the namespace (no name) and of rooms.
    stays: Vec<(Option<String>, MembershipSpan)>,
    /// When its connection was up for certain.
    up: Vec<(u64, u64)>,
    received: Vec<(u64, Key)>,
}

impl Life {
    fn of(client: u32, seen: &[Seen]) -> Life {
        let mut life = Life::default();
        let mut asked = 0;
        for (time, _, sight) in seen.iter().filter(|(_, who, _)| *who == client) {
            let now = at(*time);
            match sight {
                Sight::Connecting => asked = *time,
                Sight::Connected { sid, .. } => {
                    for room in [None, Some(sid.clone())] {
                        life.stays.push((
                            room,
                            MembershipSpan { confirmed: Some(now), ..MembershipSpan::asked(at(asked)) },
                        ));
                    }
                    life.up.push((*time, u64::MAX));
                }
                Sight::Leaving => {
                    let open = life.stays.iter_mut().filter(|(_, stay)| stay.left_asked.is_none());
                    open.for_each(|(_, stay)| stay.left_asked = Some(now));
                    life.down(*time);
                }
                Sight::Ended | Sight::Lost => {
                    for (_, stay) in life.stays.iter_mut().filter(|(_, stay)| stay.left.is_none()) {
                        stay.left_asked = stay.left_asked.or(Some(now));
                        stay.left = Some(now);
                    }
                    life.down(*time);
                }
                Sight::Joining(room) => {
                    let is_open = |stay: &&mut (Option<String>, MembershipSpan)| stay.1.left_asked.is_none();
                    if life.of_room(room).find(is_open).is_none() {
                        life.stays.push((Some((*room).to_owned()), MembershipSpan::asked(now)));
                    }
                }
                Sight::Joined(room) => life.of_room(room).for_each(|(_, stay)| match stay.left_asked {
                    None => stay.confirmed = stay.confirmed.or(Some(now)),
                    Some(_) => stay.left = stay.left.or(Some(now)),
                }),
                Sight::Parting(room) => {
                    life.of_room(room).for_each(|(_, stay)| stay.left_asked = stay.left_asked.or(Some(now)));
                }
                Sight::Parted(room) => {
                    let left = life.of_room(room).filter(|(_, stay)| stay.left_asked.is_some());
                    left.for_each(|(_, stay)| stay.left = stay.left.or(Some(now)));
                }
                Sight::Settled(_) => {}
                Sight::Received(key) => life.received.push((*time, *key)),
            }
        }
        life
    }

    fn of_room<'l>(
        &'l mut self,
        room: &'l str,
    ) -> impl Iterator<Item = &'l mut (Option<String>, MembershipSpan)> {
        self.stays.iter_mut().filter(move |(of, _)| of.as_deref() == Some(room))
    }

    fn down(&mut self, time: u64) {
        if let Some(last) = self.up.last_mut() {
            last.1 = last.1.min(time);
        }
    }

    /// Whether it may have been somewhere at an odd time, and whether it must have.
    fn was(&self, room: Option<&str>, when: u64) -> (bool, bool) {
        let stays = self.stays.iter().filter(|(of, _)| of.as_deref() == room).map(|(_, stay)| stay);
        stays.fold((false, false), |(may, must), stay| {
            let (when, before) =
                (at(when), |time: Option<Moment>, or| time.map_or(or, |time| time < at(when)));
            let possible = stay.asked < when && !before(stay.left, false);
            let certain = before(stay.confirmed, false) && !before(stay.left_asked, false);
            (may || possible, must || certain)
        })
    }

    /// Whether it certainly was where the sender of a message has to be when it sent it.
    fn was_there(&self, message: &SentMessage) -> bool {
        let when = message.sent.as_micros() as u64 + 1;
        let mut rooms = message.to.iter().map(|room| self.was(Some(room), when));
        match message.origin {
            Origin::Anywhere => true,
            Origin::Inside => rooms.all(|(_, must)| must),
            Origin::Outside => rooms.all(|(may, _)| !may),
        }
    }

    /// Whether a message that was handled at that time may have been, and must have been, for this client.
    fn is_meant(&self, client: u32, message: &SentMessage, when: u64) -> (bool, bool) {
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
}

/// What there is to be found, by the model.
#[derive(Debug, PartialEq)]
struct Verdicts {
    expected: u64,
    missing: u64,
    duplicate: u64,
    leaked: u64,
}

fn judged(history: &History) -> Verdicts {
    let lives: Vec<Life> = (0..history.clients).map(|client| Life::of(client, &history.seen)).collect();
    let mut verdicts = Verdicts { expected: 0, missing: 0, duplicate: 0, leaked: 0 };
    let messages = history.seen.iter().filter_map(|(_, _, sight)| match sight {
        Sight::Settled(message) => Some(message),
        _ => None,
    });
    for message in messages {
        let micros = |time: Moment| time.as_micros() as u64;
        let deadline = micros(message.settled + WINDOW);
        let first = lives
            .iter()
            .flat_map(|life| &life.received)
            .filter(|(_, key)| *key == message.key)
            .map(|(time, _)| *time)
            .min();
        let last = [message.handled.map(micros), first]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(judged_at(deadline, history));
        let instants: Vec<u64> = (micros(message.sent)..last).filter(|time| time % 2 == 1).collect();
        for (client, life) in lives.iter().enumerate() {
            let meant: Vec<_> =
                instants.iter().map(|when| life.is_meant(client as u32, message, *when)).collect();
            let binds = message.handled.is_some() && lives[message.key.sender as usize].was_there(message);
            let must = binds && meant.iter().all(|(_, must)| *must);
            let never = meant.iter().all(|(may, _)| !*may);
            let receipts = life.received.iter().filter(|(_, key)| *key == message.key).count() as u64;
            // It stood from the sending until the end of the window.
            let stood = life
                .up
                .iter()
                .any(|(from, to)| *from <= micros(message.sent) && *to >= judged_at(deadline, history));
            verdicts.duplicate += receipts.saturating_sub(1);
            verdicts.leaked += u64::from(never && receipts > 0);
            match receipts {
                0 if must && stood => {
                    (verdicts.expected, verdicts.missing) = (verdicts.expected + 1, verdicts.missing + 1)
                }
                1.. if must => verdicts.expected += 1,
                _ => {}
            }
        }
    }
    verdicts
}

/// The ledger of these tests judges at every sight whose time is a multiple of ten.
fn judged_at(deadline: u64, history: &History) -> u64 {
    let times = history.seen.iter().map(|(time, _, _)| *time);
    times.filter(|time| *time >= deadline && time % 10 == 0).min().unwrap_or(history.end)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_and_the_model_come_to_the_same_verdicts(seed in any::<u64>(), clients in 2u32..7, harm in 0u64..30) {
        let mut rng = rng(seed);
        let mut history = history(&mut rng, clients, 250, false);
        harm_deliveries(&mut history, &mut rng, harm);
        let found = history.told();
        let told = Verdicts {
            expected: found.expected,
            missing: found.fault(Fault::Missing),
            duplicate: found.fault(Fault::Duplicate),
            leaked: found.fault(Fault::Leaked),
        };
        prop_assert_eq!(told, judged(&history), "{:#?}\n{:#?}", found, history.seen);
    }
}

/// Loses, doubles and misdirects some of the deliveries: to clients that can receive them.
fn harm_deliveries(history: &mut History, rng: &mut impl Rng, percent: u64) {
    let mut up = BTreeSet::new();
    let mut seen = Vec::new();
    for (time, client, sight) in history.seen.drain(..) {
        match sight {
            Sight::Connected { .. } => _ = up.insert(client),
            Sight::Ended | Sight::Lost => _ = up.remove(&client),
            _ => {}
        }
        let Sight::Received(key) = sight else {
            seen.push((time, client, sight));
            continue;
        };
        let other = (rng.next_u64() % u64::from(history.clients)) as u32;
        let receivers = match rng.next_u64() % 100 {
            dice if dice >= percent => vec![client],
            dice if dice % 3 == 0 => vec![],
            dice if dice % 3 == 1 => vec![client, client],
            _ if up.contains(&other) => vec![other],
            _ => vec![client],
        };
        seen.extend(receivers.into_iter().map(|receiver| (time, receiver, Sight::Received(key))));
    }
    history.seen = seen;
}
