//! Events by which clients come in without being called so: `hello` puts its sender into a room, and tells who is there already.

use std::collections::{BTreeMap, BTreeSet};

use super::guessed::{Broadcast, Guesses, Rooms};
use super::origin::{Event, text_at, texts};
use super::seen::{ENTER, LEAVE, MOST_TIMES, Sending, heard_soon, is_called, room_of};
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
        heard_soon(tabs, sending)
            .iter()
            .filter(|heard| heard.tab != sending.tab && heard.name == broadcast.arrives_as)
            .filter(|heard| {
                text.is_some_and(|text| texts(heard.args).iter().any(|(_, heard)| heard.contains(text)))
            })
            .all(|heard| has_sent(heard.tab, heard.at))
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
    for (_, broadcast) in guesses.broadcasts.iter().filter(|(other, _)| other.0 == event.0) {
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
            for heard in heard_soon(tabs, sending) {
                let is_it = heard.name == broadcast.arrives_as
                    && texts(heard.args).iter().any(|(_, heard)| heard.contains(text));
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
