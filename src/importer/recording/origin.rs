//! Values that come from the server, such as the id of a user: a scenario cannot say them again, but its clients can keep what the
//! server tells them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write;

use serde_json::Value as Json;

use super::keys::{AS_TEXT, BYTES, is_code, is_id_key, is_short_code};
use super::talk::{Tab, What};

/// So many values are looked at.
const MOST_VALUES: usize = 20_000;

/// So many times that a value was told show to whom.
const MOST_TOLD: usize = 50;

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
    pub(super) is_number: bool,
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
                for Value { place, text, is_number } in values(&args) {
                    // Who a client is, it is told before it says anything.
                    if *times == 1 && said.at <= speaks && !is_number {
                        let first = firsts.entry((teller.clone(), place.clone())).or_default();
                        first.insert(tab, text.clone().into_owned());
                    }
                    if wanted.contains(&*text) && !(is_number && is_passing(&place, &text)) {
                        let told = Told {
                            tab,
                            at: said.at,
                            teller: teller.clone(),
                            times: *times,
                            place,
                            count: args.len(),
                            is_number,
                        };
                        origins.told.entry(text.into_owned()).or_default().push(told);
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

/// What is known of a value, to see whether the server said it first.
#[derive(Default)]
struct Known {
    /// When tabs were told it, and which.
    told: Vec<(f64, usize)>,
    said: Option<f64>,
    /// Whether it looks as if the server had made it, or stands where such values stand.
    is_sure: bool,
}

/// The values that tabs say after the server has said them first, and that look as if it had made them, or that it had told one tab
/// alone.
fn said(tabs: &[Tab]) -> HashSet<String> {
    let mut known: HashMap<Cow<'_, str>, Known> = HashMap::new();
    for (tab, said) in
        tabs.iter().enumerate().flat_map(|(tab, one)| one.said.iter().map(move |said| (tab, said)))
    {
        let (args, is_socket): (&[Json], bool) = match &said.what {
            What::Event { args, .. } | What::Ack { args, .. } => (args, false),
            What::Connect(Some(data)) => (std::slice::from_ref(data), !said.is_sent),
            _ => continue,
        };
        for Value { place, text, is_number } in values(args) {
            let is_sure = match is_number {
                true => is_id_key(&place) || is_code(&place, &text),
                false => is_socket || is_made(&text) || is_id_key(&place) || is_code(&place, &text),
            };
            if known.len() >= MOST_VALUES && !known.contains_key(&text) || !(is_sure || is_short_code(&text))
            {
                continue;
            }
            let known = known.entry(text).or_default();
            known.is_sure |= is_sure;
            match known.said {
                _ if !said.is_sent && known.told.len() < MOST_TOLD => known.told.push((said.at, tab)),
                _ if !said.is_sent => {}
                before => known.said = Some(before.map_or(said.at, |before| before.min(said.at))),
            }
        }
    }
    let is_of_server = |known: &Known| {
        let Some(said) = known.said else { return false };
        let told: BTreeSet<usize> =
            known.told.iter().filter(|(at, _)| *at <= said).map(|(_, tab)| *tab).collect();
        !told.is_empty() && (known.is_sure || told.len() == 1)
    };
    known.into_iter().filter(|(_, known)| is_of_server(known)).map(|(text, _)| text.into_owned()).collect()
}

/// Whether a number at a place comes and goes with every message, such as a small number of something: the same one elsewhere has
/// nothing to do with it.
pub(super) fn is_passing(place: &str, text: &str) -> bool {
    !is_id_key(place) && !is_code(place, text) && !is_short_code(text)
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
    leaves(args, Json::is_string)
        .into_iter()
        .filter_map(|(place, leaf)| Some((place, leaf.as_str()?)))
        .collect()
}

/// A text or a whole number among some arguments.
pub(super) struct Value<'j> {
    pub(super) place: Place,
    pub(super) text: Cow<'j, str>,
    pub(super) is_number: bool,
}

/// The first texts and whole numbers in some arguments. Bytes are none.
pub(super) fn values(args: &[Json]) -> Vec<Value<'_>> {
    let found = leaves(args, |value| value.is_string() || value.is_u64()).into_iter();
    found
        .filter(|(place, _)| !is_of_bytes(place) && !place.ends_with(&format!("/{BYTES}")))
        .map(|(place, leaf)| match leaf {
            Json::String(text) => Value { place, text: Cow::Borrowed(text.as_str()), is_number: false },
            number => Value { place, text: Cow::Owned(number.to_string()), is_number: true },
        })
        .collect()
}

/// Those that may be what the server had told.
pub(super) fn values_that_may_be_told(args: &[Json]) -> impl Iterator<Item = Value<'_>> {
    values(args).into_iter().filter(|value| !(value.is_number && is_passing(&value.place, &value.text)))
}

/// The first values that are wanted in some arguments, with their places.
fn leaves(args: &[Json], is_wanted: fn(&Json) -> bool) -> Vec<(Place, &Json)> {
    /// What the walk through a value has found, and how many values more may be looked at.
    struct Walk<'j> {
        found: Vec<(Place, &'j Json)>,
        left: usize,
        is_wanted: fn(&Json) -> bool,
    }

    impl<'j> Walk<'j> {
        fn at(&mut self, value: &'j Json, place: &mut Place) {
            match value {
                Json::Array(items) => {
                    let items = items.iter().enumerate();
                    items.for_each(|(index, item)| self.below(format_args!("{index}"), item, place));
                }
                // A key with a stroke would lead elsewhere.
                Json::Object(map) => map
                    .iter()
                    .filter(|(key, _)| !key.contains(['/', '~']))
                    .for_each(|(key, value)| self.below(format_args!("{key}"), value, place)),
                leaf if (self.is_wanted)(leaf) => self.found.push((place.clone(), leaf)),
                _ => {}
            }
        }

        fn below(&mut self, part: std::fmt::Arguments<'_>, value: &'j Json, place: &mut Place) {
            if self.left == 0 || self.found.len() >= MOST_TEXTS {
                return;
            }
            self.left -= 1;
            let length = place.len();
            let _ = write!(place, "/{part}");
            self.at(value, place);
            place.truncate(length);
        }
    }

    let mut walk = Walk { found: Vec::new(), left: MOST_LOOKED_AT, is_wanted };
    for (index, arg) in args.iter().enumerate().take(MOST_TEXTS) {
        walk.at(arg, &mut format!("/{index}"));
    }
    walk.found
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
