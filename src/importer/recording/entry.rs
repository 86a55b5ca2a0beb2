//! Events by which clients come in without being called so: `hello` puts its sender into a room, and tells who is there already.

use std::collections::{BTreeMap, BTreeSet};

use super::guessed::{Broadcast, Guesses, Rooms};
use super::origin::{Event, Place, messages, text_at, texts};
use super::seen::{ENTER, LEAVE, MOST_TIMES, Sending, heard_soon_in, is_called, room_of};
use super::talk::Tab;

/// Whether each tab sent an event once, and those alone heard of it that had sent it before: nobody knows whether others hear it, too.
pub(super) fn is_heard_inside_alone(tabs: &[Tab], all: &[Sending<'_>], broadcast: &Broadcast) -> bool {
    let senders: BTreeSet<usize> = all.iter().map(|sending| sending.tab).collect();
    if senders.len() < all.len() {
        return false;
    }
    let has_sent =
        |tab: usize, before: f64| all.iter().any(|sending| sending.tab == tab && sending.said.at < before);
    all.iter().take(MOST_TIMES).all(|sending| {
        let text = text_at(sending.args, &broadcast.text);
        heard_soon_in(tabs, sending, &broadcast.arrives_in)
            .iter()
            .filter(|heard| heard.tab != sending.tab && heard.name == broadcast.arrives_as)
            .filter(|heard| {
                text.is_some_and(|text| messages(heard.args).iter().any(|(_, heard)| heard.contains(text)))
            })
            .all(|heard| has_sent(heard.tab, heard.at))
    })
}

/// Where a message names a room by its place among the arguments: each time, its tab had named that room before, by another event
/// that says nothing else.
pub(super) fn room_named_before(
    event: &Event,
    text: &str,
    all: &[Sending<'_>],
    sendings: &BTreeMap<Event, Vec<Sending<'_>>>,
) -> Option<Place> {
    let others: Vec<&Sending<'_>> = sendings
        .iter()
        .filter(|(other, _)| *other != event && other.0 == event.0)
        .flat_map(|(_, all)| all.iter().take(MOST_TIMES))
        .collect();
    let was_named = |sending: &Sending<'_>, room: &str| {
        others.iter().any(|other| {
            other.tab == sending.tab
                && other.said.at < sending.said.at
                && room_of(other.args).and_then(|place| text_at(other.args, &place)) == Some(room)
        })
    };
    let looked = &all[..all.len().min(MOST_TIMES)];
    texts(looked.first()?.args).into_iter().map(|(place, _)| place).find(|place| {
        let names =
            |sending: &Sending<'_>| text_at(sending.args, place).is_some_and(|room| was_named(sending, room));
        place != text && looked.iter().all(names)
    })
}

/// Where an event names the room that its sender is in from then on, as far as messages for that room show it: it is the first
/// to name the room in its tab, and all who hear the messages have sent it before.
pub(super) fn join(
    tabs: &[Tab],
    event: &Event,
    all: &[Sending<'_>],
    sendings: &BTreeMap<Event, Vec<Sending<'_>>>,
    guesses: &Guesses,
) -> Option<Rooms> {
    let has_join = guesses.joins.keys().any(|(namespace, _)| *namespace == event.0);
    if has_join || is_called(event, &ENTER) || is_called(event, &LEAVE) {
        return None;
    }
    let place = room_of(all.first()?.args)?;
    let mut entered: BTreeMap<(usize, &str), f64> = BTreeMap::new();
    for sending in all {
        let room = text_at(sending.args, &place)?;
        if entered.insert((sending.tab, room), sending.said.at).is_some() {
            return None;
        }
    }
    let is_inside =
        |tab: usize, room: &str, at: f64| entered.get(&(tab, room)).is_some_and(|since| *since < at);
    let mut heard_inside = 0;
    for (_, broadcast) in guesses.broadcasts.iter().filter(|(_, one)| one.arrives_in == event.0) {
        let Some(at) = &broadcast.room else { continue };
        let of_it = sendings.iter().find(|(other, _)| {
            guesses.broadcasts.get(*other).is_some_and(|one| std::ptr::eq(one, broadcast))
        });
        for sending in of_it.into_iter().flat_map(|(_, all)| all).take(MOST_TIMES) {
            let (Some(room), Some(text)) =
                (text_at(sending.args, at), text_at(sending.args, &broadcast.text))
            else {
                continue;
            };
            if !is_inside(sending.tab, room, sending.said.at) {
                return None;
            }
            for heard in heard_soon_in(tabs, sending, &broadcast.arrives_in) {
                let is_it = heard.name == broadcast.arrives_as
                    && messages(heard.args).iter().any(|(_, heard)| heard.contains(text));
                if is_it && !is_inside(heard.tab, room, heard.at) {
                    return None;
                }
                heard_inside += usize::from(is_it);
            }
        }
    }
    (heard_inside > 0).then(|| Rooms {
        evidence: format!(
            "its argument {place} names a room; each of the {heard_inside} times that a tab heard a message for that \
             room, it had sent this before"
        ),
        place,
    })
}
