//! Who takes part: tabs that sent the same events, and entered the same rooms, are one group.

use std::collections::{BTreeMap, BTreeSet};

use super::guessed::Guesses;
use super::keys::is_name_key;
use super::login::Logins;
use super::origin::{Event, Origins, text_at, texts};
use super::seen::is_name;
use super::talk::{Tab, What};
use crate::importer::{Kind, Note};
use crate::secrets::is_telling;

/// How every client is called that says a name: each by a name of its own.
pub(super) const NAME: &str = "user-${index}";

/// Tabs that sent the same events, and entered the same rooms: one group.
pub(super) struct Role {
    pub(super) name: String,
    /// The tab that sent most: its place among all tabs.
    pub(super) tab: usize,
    pub(super) members: Vec<usize>,
    /// How many clients play them.
    pub(super) count: usize,
    /// What they sent, in words.
    pub(super) evidence: String,
}

/// What is said of a group of one tab that plays two.
const RAISED: &str = "; two clients, so that --clients can raise them";

impl Role {
    /// Makes it as many clients as there were tabs.
    pub(super) fn as_recorded(&mut self) {
        self.count = self.members.len();
        if let Some(evidence) = self.evidence.strip_suffix(RAISED) {
            self.evidence = evidence.to_owned();
        }
    }
}

/// The groups, in the order of their first tabs.
pub(super) fn roles(
    tabs: &[Tab],
    guesses: &Guesses,
    origins: &Origins,
    logins: &Logins,
    notes: &mut Vec<Note>,
) -> Vec<Role> {
    let mut found: Vec<Alike<'_>> = Vec::new();
    for (index, tab) in tabs.iter().enumerate().filter(|(_, tab)| tab.is_connected()) {
        if comes_back(index, tab, origins) {
            let what =
                "a tab came back with what the server had told another one: clients of a scenario begin anew";
            notes.push(Note { line: 0, kind: Kind::LeftOut, what: what.to_owned() });
            continue;
        }
        let sent: BTreeSet<Event> =
            tab.sent().map(|(said, name, ..)| (said.namespace.clone(), name.to_owned())).collect();
        let rooms = rooms_of(index, tab, guesses, origins);
        let way = logins.way(index);
        match found.iter_mut().find(|known| known.sent == sent && known.rooms == rooms && known.way == way) {
            Some(known) => known.members.push(index),
            None => {
                let is_elsewhere = found.iter().any(|known| known.sent == sent && known.rooms != rooms);
                found.push(Alike { sent, rooms, way, is_elsewhere, members: vec![index] });
            }
        }
    }
    // Groups of one cannot be raised.
    let is_alone = found.iter().all(|alike| alike.members.len() == 1);
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    let role = |Alike { sent, way, is_elsewhere, members, .. }: Alike<'_>| {
        let word = match sent.iter().any(|event| guesses.broadcasts.contains_key(event)) {
            true => "talkers",
            false if sent.is_empty() => "listeners",
            false => "visitors",
        };
        let number = numbers.entry(word).or_default();
        *number += 1;
        let names: Vec<String> = sent.iter().map(|(_, name)| format!("`{name}`")).collect();
        let what = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        let what = if is_elsewhere { format!("{what}, in other rooms") } else { what };
        let posts = way.iter().filter(|(method, _)| *method != "GET");
        let posts: Vec<String> = posts.map(|(method, path)| format!("`{method} {path}`")).collect();
        let what = if posts.is_empty() { what } else { format!("{what} after {}", posts.join(", ")) };
        Role {
            name: if *number == 1 { word.to_owned() } else { format!("{word}_{number}") },
            tab: members.iter().copied().max_by_key(|tab| tabs[*tab].sent().count()).unwrap_or_default(),
            evidence: match members.len() {
                1 if is_alone => {
                    format!("1 tab, which sent {what}{RAISED}")
                }
                1 => format!("1 tab, which sent {what}"),
                many => format!("{many} tabs, each of which sent {what}"),
            },
            count: if is_alone { 2 } else { members.len() },
            members,
        }
    };
    found.into_iter().map(role).collect()
}

/// Tabs that did the same.
struct Alike<'t> {
    sent: BTreeSet<Event>,
    rooms: BTreeSet<&'t str>,
    /// The requests by which they came in.
    way: Vec<(&'t str, &'t str)>,
    /// Whether others sent the same in other rooms.
    is_elsewhere: bool,
    members: Vec<usize>,
}

/// The rooms that a tab entered, as far as somebody chose them: what it calls itself, and what the server told it, each client has
/// for itself.
fn rooms_of<'t>(index: usize, tab: &'t Tab, guesses: &Guesses, origins: &Origins) -> BTreeSet<&'t str> {
    let names = names_of(tab, guesses);
    let entered = tab.sent().filter_map(|(said, name, args, _)| {
        let rooms = guesses.joins.get(&(said.namespace.clone(), name.to_owned()))?;
        let room = text_at(args, &rooms.place)?;
        let is_own = names.contains(room) || origins.owner(room).is_some();
        (!is_own && origins.told(index, room, said.at).is_none()).then_some(room)
    });
    entered.collect()
}

/// Whether a tab connected with something that the server had told another tab.
fn comes_back(index: usize, tab: &Tab, origins: &Origins) -> bool {
    tab.said.iter().filter(|said| said.is_sent).any(|said| match &said.what {
        What::Connect(Some(auth)) => texts(std::slice::from_ref(auth))
            .into_iter()
            .any(|(_, text)| origins.owner(text).is_some_and(|owner| owner.tab != index)),
        _ => false,
    })
}

/// The names by which a tab calls itself, at places where it says who it is.
pub(super) fn names_of(tab: &Tab, guesses: &Guesses) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for said in tab.said.iter().filter(|said| said.is_sent) {
        match &said.what {
            What::Connect(Some(auth)) => {
                let args = std::slice::from_ref(auth);
                let names =
                    texts(args).into_iter().filter(|(place, name)| is_name_key(place) && is_name(name));
                found.extend(names.filter(|_| !has_password(args)).map(|(_, name)| name.to_owned()));
            }
            What::Event { name, args, .. } => {
                let event = (said.namespace.clone(), name.clone());
                let names = guesses.names(&event, args).into_iter().filter(|_| !has_password(args));
                found.extend(names.map(|(_, name)| name.to_owned()));
            }
            _ => {}
        }
    }
    let own = tab.query.iter().filter(|(key, value)| is_name_key(key) && is_name(value));
    let has_password = tab.query.iter().any(|(key, _)| is_telling(key));
    found.extend(own.filter(|_| !has_password).map(|(_, value)| value.clone()));
    found
}

/// Whether a secret stands beside a name: then no other name will do.
fn has_password(args: &[serde_json::Value]) -> bool {
    texts(args).iter().any(|(place, _)| place.rsplit('/').next().is_some_and(is_telling))
}
