//! Values that come from the server, such as the id of a user: a scenario cannot say them again, but its clients can keep what the
//! server tells them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write;

use serde_json::Value as Json;

use super::keys::{AS_TEXT, is_code, is_id_key};
use super::talk::{Tab, What};

/// So many values are looked at.
const MOST_VALUES: usize = 20_000;

/// So many texts of one message are looked at.
const MOST_TEXTS: usize = 100;

/// Among so many values of it they are looked for.
const MOST_LOOKED_AT: usize = 10_000;

/// The way to a value in a list of arguments: keys and numbers, as JSON pointers have them.
pub(super) type Place = String;

/// An event in a namespace.
pub(super) type Event = (String, String);

/// What tells a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Teller {
    /// The reply to CONNECT: the id of the socket.
    Connect,
    /// An event that the tab heard.
    Event(Event),
    /// The acknowledgement of an event that it sent.
    Ack(Event),
}

/// What a tab was told.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) tab: usize,
    pub(super) at: f64,
    pub(super) teller: Teller,
    /// How often this teller had told the tab something, with this time.
    pub(super) times: usize,
    pub(super) place: Place,
    /// How many arguments stand beside it.
    pub(super) count: usize,
}

/// Where the values come from that tabs say.
#[derive(Debug, Default)]
pub(super) struct Origins {
    /// By the value, in the order of time.
    told: HashMap<String, Vec<Told>>,
    /// What tells each tab who it is: each tab heard it, and each its own value.
    identities: BTreeSet<(Teller, Place)>,
}

impl Origins {
    pub(super) fn of(tabs: &[Tab]) -> Origins {
        let mut origins = Origins::default();
        let wanted = said(tabs);
        let mut firsts: BTreeMap<(Teller, Place), BTreeMap<usize, String>> = BTreeMap::new();
        for (tab, one) in tabs.iter().enumerate().filter(|(_, tab)| tab.is_connected()) {
            let mut asked: HashMap<(&str, u64), &str> = HashMap::new();
            let mut times: HashMap<Teller, usize> = HashMap::new();
            let speaks = one.sent().next().map_or(f64::INFINITY, |(said, ..)| said.at);
            for said in &one.said {
                let namespace = &said.namespace;
                let event = |name: &str| (namespace.clone(), name.to_owned());
                let (teller, args): (Teller, Vec<Json>) = match &said.what {
                    What::Event { name, id: Some(id), .. } if said.is_sent => {
                        asked.insert((namespace, *id), name);
                        continue;
                    }
                    _ if said.is_sent => continue,
                    What::Connect(Some(reply)) => (Teller::Connect, vec![reply["sid"].clone()]),
                    What::Event { name, args, .. } => (Teller::Event(event(name)), args.clone()),
                    What::Ack { id, args } => match asked.get(&(namespace.as_str(), *id)) {
                        Some(name) => (Teller::Ack(event(name)), args.clone()),
                        None => continue,
                    },
                    _ => continue,
                };
                let times = times.entry(teller.clone()).or_default();
                *times += 1;
                for (place, text) in texts(&args) {
                    // Who a client is, it is told before it says anything.
                    if *times == 1 && said.at <= speaks {
                        let first = firsts.entry((teller.clone(), place.clone())).or_default();
                        first.insert(tab, text.to_owned());
                    }
                    if wanted.contains(text) {
                        let told = Told {
                            tab,
                            at: said.at,
                            teller: teller.clone(),
                            times: *times,
                            place,
                            count: args.len(),
                        };
                        origins.told.entry(text.to_owned()).or_default().push(told);
                    }
                }
            }
        }
        origins.told.values_mut().for_each(|told| told.sort_by(|one, other| one.at.total_cmp(&other.at)));
        let connected = tabs.iter().filter(|tab| tab.is_connected()).count();
        let is_identity = |values: &BTreeMap<usize, String>| {
            let distinct: BTreeSet<&String> = values.values().collect();
            values.len() == connected && distinct.len() > 1 && distinct.iter().all(|value| is_made(value))
        };
        origins.identities = firsts
            .into_iter()
            .filter(|((teller, _), values)| *teller == Teller::Connect || is_identity(values))
            .map(|(key, _)| key)
            .collect();
        origins
    }

    /// The tab that a value names, and what told it that.
    pub(super) fn owner(&self, value: &str) -> Option<&Told> {
        let told = self.told.get(value)?;
        let is_identity = |told: &&Told| {
            told.times == 1 && self.identities.contains(&(told.teller.clone(), told.place.clone()))
        };
        let found = told.iter().filter(is_identity);
        // In the order of time, but a socket's own id needs no capture.
        found.min_by_key(|told| told.teller != Teller::Connect)
    }

    /// What told a tab a value before that time: best its own acknowledgement, as what others say comes in any order.
    pub(super) fn told(&self, tab: usize, value: &str, before: f64) -> Option<&Told> {
        let told = self.told.get(value)?.iter().filter(|told| told.tab == tab && told.at < before);
        told.min_by_key(|told| !matches!(told.teller, Teller::Ack(_)))
    }

    /// What told another tab a value before that time, where nothing told it this tab.
    pub(super) fn told_to_another(&self, tab: usize, value: &str, before: f64) -> Option<&Told> {
        if self.owner(value).is_some() || self.told(tab, value, before).is_some() {
            return None;
        }
        self.told.get(value)?.iter().find(|told| told.tab != tab && told.at < before)
    }
}

/// The values that tabs say after the server has said them first, and that look as if it had made them.
fn said(tabs: &[Tab]) -> HashSet<&str> {
    let mut first: HashMap<&str, (f64, bool)> = HashMap::new();
    let mut sent = HashSet::new();
    for said in tabs.iter().flat_map(|tab| &tab.said) {
        let (args, is_socket): (&[Json], bool) = match &said.what {
            What::Event { args, .. } | What::Ack { args, .. } => (args, false),
            What::Connect(Some(data)) => (std::slice::from_ref(data), !said.is_sent),
            _ => continue,
        };
        for (place, text) in texts(args) {
            let is_looked_for = is_socket || is_made(text) || is_id_key(&place) || is_code(&place, text);
            if first.len() >= MOST_VALUES && !first.contains_key(text) || !is_looked_for {
                continue;
            }
            if said.is_sent {
                sent.insert(text);
            }
            let known = first.entry(text).or_insert((said.at, said.is_sent));
            if said.at < known.0 {
                *known = (said.at, said.is_sent);
            }
        }
    }
    sent.retain(|text| first.get(text).is_some_and(|(_, by_tab)| !by_tab));
    sent
}

/// Whether a text looks like one that a program has made: of one word, letters and digits mixed.
pub(super) fn is_made(text: &str) -> bool {
    let is_of_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '#' | '/');
    if text.len() < 8 || text.len() > 200 || !text.chars().all(is_of_id) {
        return false;
    }
    let count = |kind: fn(&char) -> bool| text.chars().filter(kind).count();
    let word = text.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches(['-', '_', '.']);
    let is_numbered_word = word.chars().all(|c| c.is_ascii_lowercase() || matches!(c, '-' | '_'));
    let letters: Vec<char> = text.chars().filter(char::is_ascii_alphabetic).collect();
    let turns = letters
        .windows(2)
        .filter(|pair| pair[0].is_ascii_uppercase() != pair[1].is_ascii_uppercase())
        .count();
    let is_mixed = count(char::is_ascii_digit) >= 2 && count(char::is_ascii_alphabetic) >= 2;
    // By chance, a long hexadecimal number has hardly a letter in it.
    let is_hexadecimal = text.chars().all(|c| c.is_ascii_hexdigit()) && count(char::is_ascii_digit) >= 2;
    is_mixed && !is_numbered_word || text.len() >= 16 && (turns >= 5 || is_hexadecimal)
}

/// The first texts in some arguments, and their places.
pub(super) fn texts(args: &[Json]) -> Vec<(Place, &str)> {
    let mut found = messages(args);
    found.retain(|(place, _)| !is_of_bytes(place));
    found
}

/// Whether what stands at a place are bytes.
pub(super) fn is_of_bytes(place: &str) -> bool {
    place.rsplit('/').next() == Some(AS_TEXT)
}

/// The first texts in some arguments, and what is known of bytes, with their places.
pub(super) fn messages(args: &[Json]) -> Vec<(Place, &str)> {
    /// Walks through a value, as long as there is room and `left` values more may be looked at.
    fn walk<'j>(value: &'j Json, place: &mut Place, found: &mut Vec<(Place, &'j str)>, left: &mut usize) {
        let mut below = |part: std::fmt::Arguments<'_>, value| {
            if *left == 0 || found.len() >= MOST_TEXTS {
                return;
            }
            *left -= 1;
            let length = place.len();
            let _ = write!(place, "/{part}");
            walk(value, place, found, left);
            place.truncate(length);
        };
        match value {
            Json::String(text) => found.push((place.clone(), text)),
            Json::Array(items) => {
                items.iter().enumerate().for_each(|(index, item)| below(format_args!("{index}"), item));
            }
            // A key with a stroke would lead elsewhere.
            Json::Object(map) => map
                .iter()
                .filter(|(key, _)| !key.contains(['/', '~']))
                .for_each(|(key, value)| below(format_args!("{key}"), value)),
            _ => {}
        }
    }
    let (mut found, mut left) = (Vec::new(), MOST_LOOKED_AT);
    for (index, arg) in args.iter().enumerate().take(MOST_TEXTS) {
        walk(arg, &mut format!("/{index}"), &mut found, &mut left);
    }
    found
}

/// The value at a place.
pub(super) fn value_at<'j>(args: &'j [Json], place: &str) -> Option<&'j Json> {
    let mut parts = place.trim_start_matches('/').splitn(2, '/');
    let first = args.get(parts.next()?.parse::<usize>().ok()?)?;
    match parts.next() {
        None => Some(first),
        Some(rest) => first.pointer(&format!("/{rest}")),
    }
}

/// The text at a place.
pub(super) fn text_at<'j>(args: &'j [Json], place: &str) -> Option<&'j str> {
    value_at(args, place)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_large_message_the_first_texts_are_looked_at_and_their_places_lead_there() {
        let list: Vec<Json> = (0..1_000_000).map(Json::from).chain(["late".into()]).collect();
        let many: Vec<Json> = (0..1_000).map(|number| Json::from(format!("{number}"))).collect();
        let args = [serde_json::json!({ "a": [1, { "b": "c" }], "x/y": "no", "d": "e" }), many.into()];
        let found = texts(&args);
        assert_eq!(found.len(), MOST_TEXTS);
        assert_eq!(found[..3], [("/0/a/1/b".into(), "c"), ("/0/d".into(), "e"), ("/1/0".into(), "0")]);
        assert!(found.iter().all(|(place, text)| text_at(&args, place) == Some(text)));
        assert_eq!(texts(&[list.into()]), [], "it is not looked through");
    }

    #[test]
    fn what_programs_make_is_told_from_words() {
        for made in [
            "9f86d081884c7d65",
            "9086408188427d65",
            "1234567890123456",
            "b3f5a2e0-7c1d-4e9a-9c55-0d1f2a3b4c5d",
            "xQzRkLpWvBnMtYsHdGcA",
            "user_7f3k2",
        ] {
            assert!(is_made(made), "{made}");
        }
        for word in
            ["lobby", "room-1", "general-2024", "1764446400000", "good morning 12 a", "conversation", "ada"]
        {
            assert!(!is_made(word), "{word}");
        }
    }
}
