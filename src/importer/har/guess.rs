//! What the events mean, as far as the recording shows it. Each guess comes with its evidence.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::talk::{Said, Tab};

/// So long after an event another may be because of it, in seconds.
const SOON: f64 = 2.0;

/// So many times an event is looked at; more of them prove no more.
const MOST_TIMES: usize = 200;

/// So many events after one are compared with it.
const MOST_HEARD: usize = 500;

/// The shortest text by which an event is known again in another.
const TELLING: usize = 2;

/// Keys that name a room.
const ROOM_KEYS: [&str; 10] =
    ["room", "roomid", "room_id", "roomname", "channel", "channelid", "lobby", "group", "groupid", "to"];

/// Words in the names of events by which clients enter and leave.
const ENTER: [&str; 4] = ["join", "enter", "subscribe", "sub"];
const LEAVE: [&str; 5] = ["leave", "exit", "unsubscribe", "unsub", "quit"];

/// An event in a namespace.
pub(super) type Event = (String, String);

/// The way to a value in a list of arguments: keys and numbers, as JSON pointers have them.
pub(super) type Place = String;

/// What was guessed.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    pub(super) joins: BTreeMap<Event, Rooms>,
    pub(super) leaves: BTreeMap<Event, Rooms>,
    pub(super) broadcasts: BTreeMap<Event, Broadcast>,
    /// The event by which each is answered.
    pub(super) responses: BTreeMap<Event, String>,
    /// Events that were acknowledged each time.
    pub(super) acknowledged: BTreeSet<Event>,
}

/// Where an event names a room, and why it is taken for one.
#[derive(Clone, Debug)]
pub(super) struct Rooms {
    pub(super) place: Place,
    pub(super) evidence: String,
}

/// An event that others hear.
#[derive(Clone, Debug)]
pub(super) struct Broadcast {
    /// Where its text is.
    pub(super) text: Place,
    /// Where it names a room.
    pub(super) room: Option<Place>,
    /// The event that others hear.
    pub(super) arrives_as: String,
    /// Whether the sender hears it, too.
    pub(super) reaches_sender: bool,
    /// How often it was sent.
    pub(super) times: usize,
    pub(super) evidence: String,
}

/// A sending of an event: by which tab, when, with which arguments.
struct Sending<'t> {
    tab: usize,
    said: &'t Said,
    args: &'t [Json],
    id: Option<u64>,
}

impl Guesses {
    /// Guesses from what all tabs said and heard.
    pub(super) fn of(tabs: &[Tab]) -> Guesses {
        let mut sendings: BTreeMap<Event, Vec<Sending<'_>>> = BTreeMap::new();
        for (index, tab) in tabs.iter().enumerate() {
            for (said, name, args, id) in tab.sent() {
                let event = (said.namespace.clone(), name.to_owned());
                sendings.entry(event).or_default().push(Sending { tab: index, said, args, id });
            }
        }
        let mut guesses = Guesses::default();
        for (event, all) in &sendings {
            let is_acknowledged = |sending: &Sending<'_>| {
                sending.id.is_some_and(|id| tabs[sending.tab].is_acknowledged(sending.said, id))
            };
            if all.iter().take(MOST_TIMES).all(is_acknowledged) {
                guesses.acknowledged.insert(event.clone());
            }
            let word = event.1.to_lowercase();
            let has = |words: &[&str]| words.iter().any(|one| word.contains(one));
            let room = all.first().and_then(|first| room_of(first.args));
            if let Some(place) = room.clone().filter(|_| has(&LEAVE)) {
                let evidence = format!("its name says so, and its argument {place} names a room");
                guesses.leaves.insert(event.clone(), Rooms { place, evidence });
            } else if let Some(place) = room.filter(|_| has(&ENTER)) {
                let evidence = format!("its name says so, and its argument {place} names a room");
                guesses.joins.insert(event.clone(), Rooms { place, evidence });
            } else if let Some(broadcast) = broadcast(tabs, event, all) {
                guesses.broadcasts.insert(event.clone(), broadcast);
            } else if let Some(answer) = response(tabs, event, all) {
                guesses.responses.insert(event.clone(), answer);
            }
        }
        guesses
    }

    /// The broadcast that is sent most often, which the contract names.
    pub(super) fn main(&self) -> Option<(&Event, &Broadcast)> {
        self.broadcasts.iter().max_by_key(|(_, broadcast)| broadcast.times)
    }
}

/// Where the arguments name a room: by a key, or as the only text there is.
fn room_of(args: &[Json]) -> Option<Place> {
    let texts = texts(args);
    let key = |place: &str| place.rsplit('/').next().unwrap_or_default().to_lowercase();
    let by_key = texts.iter().find(|(place, _)| ROOM_KEYS.contains(&key(place).as_str()));
    match (by_key, texts.as_slice(), args) {
        (Some((place, _)), ..) => Some(place.clone()),
        (None, [(place, _)], [Json::String(_)]) => Some(place.clone()),
        _ => None,
    }
}

/// The texts in some arguments, and their places.
pub(super) fn texts(args: &[Json]) -> Vec<(Place, &str)> {
    fn walk<'j>(value: &'j Json, place: String, found: &mut Vec<(Place, &'j str)>) {
        match value {
            Json::String(text) => found.push((place, text)),
            Json::Array(items) => {
                items
                    .iter()
                    .enumerate()
                    .for_each(|(index, item)| walk(item, format!("{place}/{index}"), found));
            }
            Json::Object(map) => {
                for (key, value) in map {
                    // A key with a stroke would lead elsewhere.
                    if !key.contains(['/', '~']) {
                        walk(value, format!("{place}/{key}"), found);
                    }
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    args.iter().enumerate().for_each(|(index, arg)| walk(arg, format!("/{index}"), &mut found));
    found.truncate(100);
    found
}

/// The text at a place.
pub(super) fn text_at<'j>(args: &'j [Json], place: &str) -> Option<&'j str> {
    let mut parts = place.trim_start_matches('/').splitn(2, '/');
    let first = args.get(parts.next()?.parse::<usize>().ok()?)?;
    match parts.next() {
        None => first.as_str(),
        Some(rest) => first.pointer(&format!("/{rest}"))?.as_str(),
    }
}

/// What tabs heard soon after a sending: which tab, which event, with which arguments.
fn heard_soon<'t>(tabs: &'t [Tab], sending: &Sending<'_>) -> Vec<(usize, &'t str, &'t [Json])> {
    let (from, to) = (sending.said.at, sending.said.at + SOON);
    let mut found = Vec::new();
    for (index, tab) in tabs.iter().enumerate() {
        let begin = tab.said.partition_point(|said| said.at < from);
        for said in tab.said[begin..].iter().take(MOST_HEARD).take_while(|said| said.at <= to) {
            if let super::talk::What::Event { name, args, .. } = &said.what
                && !said.is_sent
                && said.namespace == sending.said.namespace
            {
                found.push((index, name.as_str(), args.as_slice()));
            }
        }
    }
    found.truncate(MOST_HEARD);
    found
}

/// Whether other tabs hear this event, known again by a text of it.
fn broadcast(tabs: &[Tab], event: &Event, all: &[Sending<'_>]) -> Option<Broadcast> {
    let mut scores: BTreeMap<(String, Place), (usize, usize)> = BTreeMap::new();
    let looked = all.len().min(MOST_TIMES);
    for sending in &all[..looked] {
        let heard = heard_soon(tabs, sending);
        let room = room_by_key(sending.args);
        for (place, text) in texts(sending.args) {
            if text.chars().count() < TELLING || Some(&place) == room.as_ref() {
                continue;
            }
            let tells = |args: &[Json]| texts(args).iter().any(|(_, heard)| heard.contains(text));
            let mut seen: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
            for (tab, name, _) in heard.iter().filter(|(.., args)| tells(args)) {
                let one = seen.entry(name).or_default();
                *(if *tab == sending.tab { &mut one.1 } else { &mut one.0 }) = true;
            }
            for (name, (by_others, by_sender)) in seen {
                if by_others {
                    let score = scores.entry((name.to_owned(), place.clone())).or_default();
                    score.0 += 1;
                    score.1 += usize::from(by_sender);
                }
            }
        }
    }
    let ((arrives_as, text), (others, sender)) = scores.into_iter().max_by_key(|(_, (others, _))| *others)?;
    if others * 2 < looked {
        return None;
    }
    Some(Broadcast {
        room: all.first().and_then(|first| room_by_key(first.args)),
        evidence: format!(
            "{others} of {looked} times another tab heard `{arrives_as}` with the text of its argument {text}; \
             {sender} times its own tab did"
        ),
        reaches_sender: sender * 2 > looked,
        times: all.len(),
        text,
        arrives_as,
    })
    .filter(|broadcast| broadcast.arrives_as.len() < 200 && event.1.len() < 200)
}

fn room_by_key(args: &[Json]) -> Option<Place> {
    let key = |place: &str| place.rsplit('/').next().unwrap_or_default().to_lowercase();
    texts(args).into_iter().map(|(place, _)| place).find(|place| ROOM_KEYS.contains(&key(place).as_str()))
}

/// Whether the sender, and nobody else, hears one other event each time.
fn response(tabs: &[Tab], event: &Event, all: &[Sending<'_>]) -> Option<String> {
    let mut candidates: Option<BTreeSet<&str>> = None;
    for sending in all.iter().take(MOST_TIMES) {
        let heard = heard_soon(tabs, sending);
        let own: BTreeSet<&str> =
            heard.iter().filter(|(tab, ..)| *tab == sending.tab).map(|(_, name, _)| *name).collect();
        let others: BTreeSet<&str> =
            heard.iter().filter(|(tab, ..)| *tab != sending.tab).map(|(_, name, _)| *name).collect();
        let only: BTreeSet<&str> = own.difference(&others).copied().collect();
        candidates = Some(match candidates {
            None => only,
            Some(before) => before.intersection(&only).copied().collect(),
        });
    }
    let heard = |name: &str| {
        tabs.iter()
            .flat_map(Tab::heard)
            .filter(|(said, other, _)| said.namespace == event.0 && *other == name)
            .count()
    };
    candidates?.into_iter().find(|name| heard(name) == all.len()).map(str::to_owned)
}
