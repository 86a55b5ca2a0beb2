//! What the events mean, as far as the recording shows it. Each guess comes with its evidence.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::origin::{Event, Origins, Place, Teller, text_at, texts};
use super::talk::{Said, Tab, What};
use crate::measure::format::counted;

/// So long after an event another may be because of it, in seconds.
const SOON: f64 = 2.0;

/// Within so many seconds of its connection, a client may be told something unasked.
const GREETING: f64 = 1.0;

/// So many times an event is looked at; more of them prove no more.
const MOST_TIMES: usize = 200;

/// So many events after one are compared with it.
const MOST_HEARD: usize = 500;

/// So many kinds of events are guessed at: an application that has more of them puts data into their names.
const MOST_EVENTS: usize = 500;

/// The shortest text by which an event is known again in another.
const TELLING: usize = 2;

/// Keys that name a room.
const ROOM_KEYS: [&str; 10] =
    ["room", "roomid", "room_id", "roomname", "channel", "channelid", "lobby", "group", "groupid", "to"];

/// Keys that name whoever speaks.
const NAME_KEYS: [&str; 12] = [
    "username",
    "user",
    "user_name",
    "nick",
    "nickname",
    "name",
    "displayname",
    "player",
    "playername",
    "sender",
    "from",
    "handle",
];

/// Words in the names of events by which clients enter and leave, and say who they are.
const ENTER: [&str; 4] = ["join", "enter", "subscribe", "sub"];
const LEAVE: [&str; 5] = ["leave", "exit", "unsubscribe", "unsub", "quit"];
const INTRODUCE: [&str; 6] = ["user", "nick", "name", "login", "register", "hello"];

/// What was guessed.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    pub(super) joins: BTreeMap<Event, Rooms>,
    pub(super) leaves: BTreeMap<Event, Rooms>,
    pub(super) broadcasts: BTreeMap<Event, Broadcast>,
    /// Events that others hear, but without a text that could carry a stamp: the evidence.
    pub(super) echoes: BTreeMap<Event, String>,
    /// The event by which each is answered.
    pub(super) responses: BTreeMap<Event, String>,
    /// Events that were acknowledged each time.
    pub(super) acknowledged: BTreeMap<Event, Acknowledged>,
    /// Whether there were too many kinds of events, so that the rarest mean nothing here.
    pub(super) is_cut: bool,
}

/// Where an event names a room, and why it is taken for one.
#[derive(Clone, Debug)]
pub(super) struct Rooms {
    pub(super) place: Place,
    pub(super) evidence: String,
}

/// How an event is acknowledged.
#[derive(Clone, Debug)]
pub(super) struct Acknowledged {
    /// Whether the first argument is an error or null.
    pub(super) is_error_first: bool,
    pub(super) evidence: String,
}

/// An event that others hear.
#[derive(Clone, Debug)]
pub(super) struct Broadcast {
    /// Where its text is.
    pub(super) text: Place,
    /// Where it names a room.
    pub(super) room: Option<Place>,
    /// What tells a client the name of the room that it alone is in, where each client has one.
    pub(super) personal: Option<(Teller, Place, usize)>,
    /// The event that others hear.
    pub(super) arrives_as: String,
    /// Whether the sender hears it, too. None where that cannot be told, as others said the same at that time.
    pub(super) reaches_sender: Option<bool>,
    /// How often it was sent.
    pub(super) times: usize,
    /// Whether tabs that came later heard it, too.
    pub(super) has_history: bool,
    pub(super) evidence: String,
}

/// A sending of an event: by which tab, when, with which arguments.
struct Sending<'t> {
    tab: usize,
    said: &'t Said,
    args: &'t [Json],
    id: Option<u64>,
}

/// An event that a tab heard soon after a sending.
struct Heard<'t> {
    tab: usize,
    name: &'t str,
    args: &'t [Json],
}

impl Guesses {
    /// Guesses from what all tabs said and heard.
    pub(super) fn of(tabs: &[Tab], origins: &Origins) -> Guesses {
        let mut sendings: BTreeMap<Event, Vec<Sending<'_>>> = BTreeMap::new();
        for (index, tab) in tabs.iter().enumerate() {
            for (said, name, args, id) in tab.sent() {
                let event = (said.namespace.clone(), name.to_owned());
                sendings.entry(event).or_default().push(Sending { tab: index, said, args, id });
            }
        }
        let is_cut = keep_the_most_frequent(&mut sendings);
        let mut heard: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for (said, name, _) in tabs.iter().flat_map(Tab::heard) {
            *heard.entry((&said.namespace, name)).or_default() += 1;
        }
        let entered: BTreeSet<&str> = sendings
            .iter()
            .filter(|(event, _)| is_called(event, &ENTER))
            .flat_map(|(_, all)| all)
            .filter_map(|sending| text_at(sending.args, &room_of(sending.args)?))
            .collect();
        let mut guesses = Guesses { is_cut, ..Guesses::default() };
        for (event, all) in &sendings {
            if let Some(acknowledged) = acknowledged(tabs, all) {
                guesses.acknowledged.insert(event.clone(), acknowledged);
            }
            let room = all.first().and_then(|first| room_of(first.args));
            let says_room = room.is_some() && (is_called(event, &ENTER) || is_called(event, &LEAVE));
            if !says_room && let Some(broadcast) = broadcast(tabs, event, all, origins, &entered) {
                guesses.broadcasts.insert(event.clone(), broadcast);
            }
        }
        for (event, all) in &sendings {
            if guesses.broadcasts.contains_key(event) {
                continue;
            }
            let room = all.first().and_then(|first| room_of(first.args));
            let response = response(tabs, event, all, &heard);
            if let Some((place, (with, without))) =
                room.map(|place| (place.clone(), heard_in_rooms(tabs, event, &place, &guesses)))
            {
                let named = if is_called(event, &ENTER) || is_called(event, &LEAVE) {
                    format!("its name says so, and its argument {place} names a room")
                } else {
                    format!("its argument {place} names a room")
                };
                let shown = match (with, without) {
                    (0, _) => String::new(),
                    (with, 0) => format!("; all {with} messages that came for that room came after it"),
                    (with, without) => {
                        format!("; {with} of {} messages for that room came after it", with + without)
                    }
                };
                let rooms = Rooms { place, evidence: format!("{named}{shown}") };
                if is_called(event, &LEAVE) {
                    guesses.leaves.insert(event.clone(), rooms);
                } else if is_called(event, &ENTER) || with > 0 && without == 0 {
                    guesses.joins.insert(event.clone(), rooms);
                }
            }
            if let Some(answer) = response {
                guesses.responses.insert(event.clone(), answer);
            } else if let Some(evidence) = echo(tabs, all) {
                guesses.echoes.insert(event.clone(), evidence);
            }
        }
        guesses
    }

    /// The broadcast that is sent most often, which the contract names.
    pub(super) fn main(&self) -> Option<(&Event, &Broadcast)> {
        self.broadcasts.iter().max_by_key(|(_, broadcast)| broadcast.times)
    }

    /// Where a broadcast names its room; nowhere if nobody is in one.
    pub(super) fn room_place<'b>(&self, broadcast: &'b Broadcast) -> Option<&'b Place> {
        broadcast.room.as_ref().filter(|_| !self.joins.is_empty() || broadcast.personal.is_some())
    }

    /// Where an event says who its sender is.
    pub(super) fn names<'j>(&self, event: &Event, args: &'j [Json]) -> Vec<(Place, &'j str)> {
        let is_introduction = is_called(event, &INTRODUCE) && !self.joins.contains_key(event);
        let found = texts(args).into_iter().filter(|(place, _)| match args {
            [Json::String(_)] => is_introduction,
            _ => is_name_key(place),
        });
        found.filter(|(_, name)| is_name(name)).collect()
    }
}

impl Broadcast {
    /// Whom it reaches, as a contract says it, where that is known.
    pub(super) fn reaches(&self) -> Option<&'static str> {
        self.reaches_sender.map(|reaches| if reaches { "everyone" } else { "others" })
    }
}

/// Whether a key is one of those under which somebody says who it is.
pub(super) fn is_name_key(place: &str) -> bool {
    NAME_KEYS.contains(&key(place).as_str())
}

/// Leaves the kinds of events that were sent most often. Gives whether there were more.
fn keep_the_most_frequent(sendings: &mut BTreeMap<Event, Vec<Sending<'_>>>) -> bool {
    if sendings.len() <= MOST_EVENTS {
        return false;
    }
    let mut counts: Vec<usize> = sendings.values().map(Vec::len).collect();
    counts.sort_unstable_by(|one, other| other.cmp(one));
    let least = counts[MOST_EVENTS - 1];
    let mut of_least = MOST_EVENTS - counts.iter().filter(|count| **count > least).count();
    sendings.retain(|_, all| {
        let is_of_least = all.len() == least && of_least > 0;
        of_least -= usize::from(is_of_least);
        all.len() > least || is_of_least
    });
    true
}

/// Whether a text may be the name of somebody.
pub(super) fn is_name(text: &str) -> bool {
    (1..=40).contains(&text.chars().count()) && !text.contains(['@', '$', '{'])
}

fn is_called(event: &Event, words: &[&str]) -> bool {
    let name = event.1.to_lowercase();
    words.iter().any(|word| name.contains(word))
}

fn key(place: &str) -> String {
    place.rsplit('/').next().unwrap_or_default().to_lowercase()
}

/// Where the arguments name a room: by a key, or as the only text there is.
fn room_of(args: &[Json]) -> Option<Place> {
    match (room_by_key(args), texts(args).as_slice(), args) {
        (Some(place), ..) => Some(place),
        (None, [(place, _)], [Json::String(_)]) => Some(place.clone()),
        _ => None,
    }
}

fn room_by_key(args: &[Json]) -> Option<Place> {
    let mut places = texts(args).into_iter().map(|(place, _)| place);
    places.find(|place| ROOM_KEYS.contains(&key(place.trim_end_matches("/0")).as_str()))
}

/// Whether an event was acknowledged each time, and how.
fn acknowledged(tabs: &[Tab], all: &[Sending<'_>]) -> Option<Acknowledged> {
    let looked = &all[..all.len().min(MOST_TIMES)];
    let answers: Vec<&[Json]> = looked
        .iter()
        .filter_map(|sending| tabs[sending.tab].acknowledgement(sending.said, sending.id?))
        .collect();
    (answers.len() == looked.len()).then(|| Acknowledged {
        is_error_first: answers.iter().all(|args| args.len() > 1 && args[0].is_null()),
        evidence: format!("acknowledged {} of {} times", answers.len(), looked.len()),
    })
}

/// What tabs heard soon after a sending.
fn heard_soon<'t>(tabs: &'t [Tab], sending: &Sending<'_>) -> Vec<Heard<'t>> {
    let (from, to) = (sending.said.at, sending.said.at + SOON);
    let mut found = Vec::new();
    for (tab, one) in tabs.iter().enumerate() {
        let begin = one.said.partition_point(|said| said.at < from);
        for said in one.said[begin..].iter().take(MOST_HEARD).take_while(|said| said.at <= to) {
            if let What::Event { name, args, .. } = &said.what
                && !said.is_sent
                && said.namespace == sending.said.namespace
            {
                found.push(Heard { tab, name, args });
            }
        }
    }
    found.truncate(MOST_HEARD);
    found
}

/// How often an event was heard with the text at a place of this one.
#[derive(Default)]
struct Score<'t> {
    others: usize,
    sender: usize,
    /// How often nobody else said the same at that time.
    clear: usize,
    texts: BTreeSet<&'t str>,
}

/// How many of some sendings have a text at a place.
fn with_text(all: &[Sending<'_>], place: &str) -> usize {
    all.iter().filter(|sending| text_at(sending.args, place).is_some()).count()
}

/// Whether other tabs hear this event, known again by a text of it.
fn broadcast(
    tabs: &[Tab],
    event: &Event,
    all: &[Sending<'_>],
    origins: &Origins,
    entered: &BTreeSet<&str>,
) -> Option<Broadcast> {
    let mut scores: BTreeMap<(String, Place), Score<'_>> = BTreeMap::new();
    let looked = &all[..all.len().min(MOST_TIMES)];
    for sending in looked {
        let heard: Vec<(Heard<'_>, Vec<(Place, &str)>)> = heard_soon(tabs, sending)
            .into_iter()
            .map(|heard| {
                let texts = texts(heard.args);
                (heard, texts)
            })
            .collect();
        let room = room_by_key(sending.args);
        for (place, text) in texts(sending.args) {
            // What names a room or a client is no message.
            let is_no_word =
                text.chars().count() < TELLING || origins.owner(text).is_some() || entered.contains(text);
            if is_no_word || Some(&place) == room.as_ref() {
                continue;
            }
            let is_clear = !looked.iter().any(|other| {
                other.tab != sending.tab
                    && (other.said.at - sending.said.at).abs() <= SOON
                    && text_at(other.args, &place) == Some(text)
            });
            let mut seen: BTreeMap<&str, (bool, bool)> = BTreeMap::new();
            let tells = |texts: &[(Place, &str)]| texts.iter().any(|(_, heard)| heard.contains(text));
            for (heard, _) in heard.iter().filter(|(_, texts)| tells(texts)) {
                let one = seen.entry(heard.name).or_default();
                *(if heard.tab == sending.tab { &mut one.1 } else { &mut one.0 }) = true;
            }
            for (name, (by_others, by_sender)) in seen {
                if by_others {
                    let score = scores.entry((name.to_owned(), place.clone())).or_default();
                    score.others += 1;
                    score.sender += usize::from(by_sender && is_clear);
                    score.clear += usize::from(is_clear);
                    score.texts.insert(text);
                }
            }
        }
    }
    // Of two texts, the one that changes is what is said, and a name is who says it.
    let ((arrives_as, text), Score { others, sender, clear, .. }) =
        scores.into_iter().max_by_key(|((name, place), score)| {
            let changes = score.texts.len() > 1;
            (!is_name_key(place), changes, score.others, name == &event.1, score.texts.len())
        })?;
    // One event may carry several kinds of messages, told apart by what stands in them.
    let like_it = with_text(looked, &text);
    if others * 2 < like_it || arrives_as.len() >= 200 || event.1.len() >= 200 {
        return None;
    }
    let personal = personal(tabs, looked, &arrives_as, &text, origins);
    let to_whom = personal.as_ref().map_or_else(String::new, |(place, ..)| {
        format!("; its argument {place} is what the server had told the one tab that heard it")
    });
    let shown = shown_later(tabs, all, &arrives_as, &text);
    let to_late = match shown {
        0 => String::new(),
        times => format!("; a tab that came later heard it {}", counted(times as u64, "time")),
    };
    Some(Broadcast {
        room: match &personal {
            Some((place, ..)) => Some(place.clone()),
            None => all
                .iter()
                .find(|sending| text_at(sending.args, &text).is_some())
                .and_then(|first| room_by_key(first.args)),
        },
        personal: personal.map(|(_, teller, place, count)| (teller, place, count)),
        evidence: format!(
            "{others} of {like_it} times another tab heard `{arrives_as}` with the text of its argument {text}; \
             {sender} times its own tab did{to_whom}{to_late}"
        ),
        has_history: shown > 0,
        reaches_sender: (clear > 0).then(|| sender * 2 > clear),
        times: with_text(all, &text),
        text,
        arrives_as,
    })
}

/// How often a tab heard a message that was sent before the tab had connected, or had entered a room: the application shows what
/// was said before.
fn shown_later(tabs: &[Tab], all: &[Sending<'_>], arrives_as: &str, text: &str) -> usize {
    let said: Vec<(&str, f64)> = all
        .iter()
        .filter_map(|sending| Some((text_at(sending.args, text)?, sending.said.at)))
        .filter(|(said, _)| said.chars().count() >= TELLING)
        .collect();
    // What was said once is known again for certain.
    let only_once = |text: &str| said.iter().filter(|(other, _)| other.contains(text)).count() == 1;
    let once: Vec<(&str, f64)> =
        said.iter().copied().take(MOST_TIMES).filter(|(text, _)| only_once(text)).collect();
    let came = |tab: &Tab, heard: f64| {
        let begun = tab.said.first().map(|first| first.at);
        let enters = |name: &str| ENTER.iter().any(|word| name.to_lowercase().contains(word));
        let entered = tab.sent().filter(|(_, name, ..)| enters(name)).map(|(said, ..)| said.at);
        begun.into_iter().chain(entered).filter(|at| *at <= heard).reduce(f64::max)
    };
    let is_late = |tab: &Tab, heard: f64, sent: f64| came(tab, heard).is_some_and(|came| came > sent);
    tabs.iter()
        .flat_map(|tab| tab.heard().take(MOST_HEARD).map(move |heard| (tab, heard)))
        .filter(|(_, (_, name, _))| *name == arrives_as)
        .filter(|(tab, (heard, _, args))| {
            let texts = texts(args);
            let tells = |text: &str| texts.iter().any(|(_, heard)| heard.contains(text));
            once.iter().any(|(text, sent)| is_late(tab, heard.at, *sent) && tells(text))
        })
        .count()
}

/// Where an event names the one tab that hears it, and what had told that tab its name.
fn personal(
    tabs: &[Tab],
    all: &[Sending<'_>],
    arrives_as: &str,
    text: &str,
    origins: &Origins,
) -> Option<(Place, Teller, Place, usize)> {
    let mut scores: BTreeMap<(Place, Teller, Place, usize), usize> = BTreeMap::new();
    for sending in all {
        let Some(said) = text_at(sending.args, text) else { continue };
        let heard = heard_soon(tabs, sending);
        let is_it = |heard: &&Heard<'_>| {
            heard.name == arrives_as && texts(heard.args).iter().any(|(_, text)| text.contains(said))
        };
        let by: BTreeSet<usize> =
            heard.iter().filter(is_it).map(|heard| heard.tab).filter(|tab| *tab != sending.tab).collect();
        for (place, value) in texts(sending.args) {
            if let Some(owner) = origins.owner(value)
                && by.iter().eq([&owner.tab])
            {
                let key = (place, owner.teller.clone(), owner.place.clone(), owner.count);
                *scores.entry(key).or_default() += 1;
            }
        }
    }
    let (found, times) = scores.into_iter().max_by_key(|(_, times)| *times)?;
    (times * 2 >= with_text(all, text)).then_some(found)
}

/// Of the messages for rooms that an event names: how many tabs heard after they had sent that event, and how many without.
fn heard_in_rooms(tabs: &[Tab], event: &Event, place: &str, guesses: &Guesses) -> (usize, usize) {
    let rooms: BTreeSet<&str> = tabs
        .iter()
        .flat_map(Tab::sent)
        .filter(|(said, name, ..)| said.namespace == event.0 && *name == event.1)
        .filter_map(|(_, _, args, _)| text_at(args, place))
        .collect();
    let is_passed_on = |name: &str| guesses.broadcasts.values().any(|broadcast| broadcast.arrives_as == name);
    let (mut with, mut without) = (0, 0);
    for tab in tabs {
        let mut inside: BTreeSet<&str> = BTreeSet::new();
        for said in &tab.said {
            let What::Event { name, args, .. } = &said.what else { continue };
            if said.namespace != event.0 {
                continue;
            }
            if said.is_sent && *name == event.1 {
                inside.extend(text_at(args, place));
            } else if !said.is_sent && is_passed_on(name) {
                let told = texts(args).into_iter().find(|(_, text)| rooms.contains(text));
                match told {
                    Some((_, room)) if inside.contains(room) => with += 1,
                    Some(_) => without += 1,
                    None => {}
                }
            }
        }
    }
    (with, without)
}

/// Whether other tabs hear this event with the same arguments, none of which is a text.
fn echo(tabs: &[Tab], all: &[Sending<'_>]) -> Option<String> {
    let looked = &all[..all.len().min(MOST_TIMES)];
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    let says_numbers = |sending: &&Sending<'_>| !sending.args.is_empty() && texts(sending.args).is_empty();
    for sending in looked.iter().filter(says_numbers) {
        let heard = heard_soon(tabs, sending);
        let is_it = |heard: &&Heard<'_>| {
            heard.tab != sending.tab && sending.args.iter().all(|arg| holds(heard.args, arg))
        };
        let heard: BTreeSet<&str> = heard.iter().filter(is_it).map(|heard| heard.name).collect();
        heard.into_iter().for_each(|name| *names.entry(name).or_default() += 1);
    }
    let (name, times) = names.into_iter().max_by_key(|(_, times)| *times)?;
    (times * 2 >= looked.len())
        .then(|| format!("{times} of {} times another tab heard `{name}` with the same values", looked.len()))
}

/// Whether some arguments have all fields of a value.
fn holds(args: &[Json], value: &Json) -> bool {
    args.iter().any(|arg| match (arg, value) {
        (Json::Object(arg), Json::Object(value)) => {
            !value.is_empty() && value.iter().all(|(key, value)| arg.get(key) == Some(value))
        }
        (arg, value) => arg == value,
    })
}

/// Whether the sender, and nobody else, hears one other event each time.
fn response(
    tabs: &[Tab],
    event: &Event,
    all: &[Sending<'_>],
    heard: &BTreeMap<(&str, &str), usize>,
) -> Option<String> {
    let mut candidates: Option<BTreeSet<&str>> = None;
    let mut is_greeting = BTreeMap::<&str, usize>::new();
    for sending in all.iter().take(MOST_TIMES) {
        let soon = heard_soon(tabs, sending);
        if let Some(name) = greeting(&tabs[sending.tab], sending.said) {
            *is_greeting.entry(name).or_default() += 1;
        }
        let of = |is_own: bool| -> BTreeSet<&str> {
            soon.iter().filter(|heard| (heard.tab == sending.tab) == is_own).map(|heard| heard.name).collect()
        };
        let only: BTreeSet<&str> = of(true).difference(&of(false)).copied().collect();
        candidates = Some(match candidates {
            None => only,
            Some(before) => before.intersection(&only).copied().collect(),
        });
    }
    let is_answer = |name: &&str| {
        heard.get(&(event.0.as_str(), *name)) == Some(&all.len()) && is_greeting.get(name) != Some(&all.len())
    };
    candidates?.into_iter().find(is_answer).map(str::to_owned)
}

/// The event that a tab heard first, where it sent this one as soon as it was let in: the server may have said that unasked.
fn greeting<'t>(tab: &'t Tab, sent: &Said) -> Option<&'t str> {
    let is_here = |said: &Said| said.namespace == sent.namespace;
    let is_let_in = |said: &&Said| !said.is_sent && is_here(said) && matches!(said.what, What::Connect(_));
    let let_in = tab.said.iter().find(is_let_in)?;
    let (_, name, _) = tab.heard().find(|(said, ..)| is_here(said))?;
    (sent.at - let_in.at <= GREETING).then_some(name)
}
