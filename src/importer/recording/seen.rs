//! What the guesses look at: which tab sent an event, what was heard soon after it, and what its name and its keys say.

use serde_json::Value as Json;

use super::keys::is_room_key;
use super::origin::{Event, Place, texts};
use super::talk::{Said, Tab, What};

/// So long after an event another may be because of it, in seconds.
pub(super) const SOON: f64 = 2.0;

/// So many times an event is looked at; more of them prove no more.
pub(super) const MOST_TIMES: usize = 200;

/// So many events after one are compared with it.
pub(super) const MOST_HEARD: usize = 500;

/// Words in the names of events by which clients enter and leave, and say who they are.
pub(super) const ENTER: [&str; 4] = ["join", "enter", "subscribe", "sub"];
pub(super) const LEAVE: [&str; 5] = ["leave", "exit", "unsubscribe", "unsub", "quit"];
pub(super) const INTRODUCE: [&str; 6] = ["user", "nick", "name", "login", "register", "hello"];

/// A sending of an event: by which tab, when, with which arguments.
pub(super) struct Sending<'t> {
    pub(super) tab: usize,
    pub(super) said: &'t Said,
    pub(super) args: &'t [Json],
    pub(super) id: Option<u64>,
}

/// An event that a tab heard soon after a sending.
pub(super) struct Heard<'t> {
    pub(super) tab: usize,
    pub(super) at: f64,
    pub(super) name: &'t str,
    pub(super) args: &'t [Json],
}

/// Whether a text may be the name of somebody.
pub(super) fn is_name(text: &str) -> bool {
    (1..=40).contains(&text.chars().count()) && !text.contains(['@', '$', '{'])
}

pub(super) fn is_called(event: &Event, words: &[&str]) -> bool {
    let name = event.1.to_lowercase();
    words.iter().any(|word| name.contains(word))
}

/// Where the arguments name a room: by a key, or as the only text there is.
pub(super) fn room_of(args: &[Json]) -> Option<Place> {
    match (room_by_key(args), texts(args).as_slice(), args) {
        (Some(place), ..) => Some(place),
        (None, [(place, _)], [Json::String(_)]) => Some(place.clone()),
        _ => None,
    }
}

pub(super) fn room_by_key(args: &[Json]) -> Option<Place> {
    let mut places = texts(args).into_iter().map(|(place, _)| place);
    places.find(|place| is_room_key(place))
}

/// What tabs heard soon after a sending, in its namespace.
pub(super) fn heard_soon<'t>(tabs: &'t [Tab], sending: &Sending<'_>) -> Vec<Heard<'t>> {
    heard_soon_in(tabs, sending, &sending.said.namespace)
}

/// What tabs heard soon after a sending, in this namespace.
pub(super) fn heard_soon_in<'t>(tabs: &'t [Tab], sending: &Sending<'_>, namespace: &str) -> Vec<Heard<'t>> {
    let (from, to) = (sending.said.at, sending.said.at + SOON);
    let mut found = Vec::new();
    for (tab, one) in tabs.iter().enumerate() {
        let begin = one.said.partition_point(|said| said.at < from);
        for said in one.said[begin..].iter().take(MOST_HEARD).take_while(|said| said.at <= to) {
            if let What::Event { name, args, .. } = &said.what
                && !said.is_sent
                && said.namespace == namespace
            {
                found.push(Heard { tab, at: said.at, name, args });
            }
        }
    }
    found.truncate(MOST_HEARD);
    found
}
