//! Values as a scenario says them: names that each client has for itself, what the server has told, and what is hidden.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::hidden::{Hidden, without_scheme};
use super::keys::{AS_TEXT, BYTES};
use super::login::Known;
use super::opening::{Opening, Openings};
use super::origin::{Origins, Place, Teller, Told, is_passing};
use super::roles::{NAME, Role};
use crate::importer::draft::Part;

/// What is known of the values that were said.
pub(super) struct Words<'w> {
    roles: &'w [Role],
    origins: &'w Origins,
    openings: &'w Openings,
    /// How each tab calls itself.
    own_names: Vec<BTreeSet<String>>,
    /// What each tab has from the requests by which it came in.
    given: Vec<Known>,
    hidden: &'w mut Hidden,
    /// The captures, by what tells their values, and how often it has told something then.
    captures: BTreeMap<(Teller, usize), String>,
    /// Those of them that each client keeps when it connects.
    identities: BTreeSet<Teller>,
    are_names_asked_for: bool,
    /// The columns that clients ask others for.
    columns_asked_for: BTreeSet<String>,
    /// What a client has to keep before the step that is being written.
    needed: Vec<Needed>,
}

/// A capture that a step needs.
#[derive(Clone, Debug)]
pub(super) struct Needed {
    pub(super) teller: Teller,
    pub(super) times: usize,
    pub(super) name: String,
}

impl<'w> Words<'w> {
    pub(super) fn new(
        roles: &'w [Role],
        origins: &'w Origins,
        openings: &'w Openings,
        own_names: Vec<BTreeSet<String>>,
        given: Vec<Known>,
        hidden: &'w mut Hidden,
    ) -> Words<'w> {
        Words {
            roles,
            origins,
            openings,
            own_names,
            given,
            hidden,
            captures: BTreeMap::new(),
            identities: BTreeSet::new(),
            are_names_asked_for: false,
            columns_asked_for: BTreeSet::new(),
            needed: Vec::new(),
        }
    }

    /// What tells each client who it is, as far as somebody asks for it, and the captures.
    pub(super) fn identities(&self) -> impl Iterator<Item = (&Teller, &str)> {
        self.identities.iter().filter_map(|teller| {
            let name = self.captures.get(&(teller.clone(), 1))?;
            Some((teller, name.as_str()))
        })
    }

    /// Whether clients ask others for their names.
    pub(super) fn are_names_asked_for(&self) -> bool {
        self.are_names_asked_for
    }

    /// The columns of the rows of a tab's group that other clients ask for.
    pub(super) fn columns_asked_for(&self, tab: usize) -> Vec<&str> {
        let has =
            |column: &str| self.given[tab].values().any(|given| column_of(&given.expression) == Some(column));
        self.columns_asked_for.iter().map(String::as_str).filter(|column| has(column)).collect()
    }

    /// What the values need that were asked for since the last call.
    pub(super) fn take_needed(&mut self) -> Vec<Needed> {
        std::mem::take(&mut self.needed)
    }

    /// The variables in place of what is hidden.
    pub(super) fn vars(&self) -> Vec<Part> {
        self.hidden.vars()
    }

    /// A value that a group says, under that key, at that time.
    pub(super) fn said(&mut self, role: usize, key: &str, value: &Json, at: f64) -> Json {
        let tab = self.roles[role].tab;
        self.value(key, value, &mut |words, text, is_number| words.known(role, tab, text, is_number, at))
    }

    /// A text that a group says.
    pub(super) fn said_text(&mut self, role: usize, key: &str, text: &str, at: f64) -> String {
        let tab = self.roles[role].tab;
        self.known(role, tab, text, false, at).unwrap_or_else(|| self.hidden.text(key, text))
    }

    /// A value of an entry of the contract, which all groups share, as that tab said it.
    pub(super) fn shared(&mut self, tab: usize, value: &Json) -> Json {
        self.value("", value, &mut |words, text, is_number| {
            if let Some(given) = words.given_to_all(tab, text, is_number) {
                return Some(given);
            }
            if is_number {
                return None;
            }
            if words.own_names.get(tab).is_some_and(|names| names.contains(text)) {
                return Some(NAME.to_owned());
            }
            let told = words.origins.owner(text).filter(|told| told.tab == tab)?.clone();
            Some(format!("${{{}}}", words.of_each(&told.teller, &told.place, told.count)?))
        })
    }

    /// How all clients write what this one calls itself, if the text is that.
    pub(super) fn own_name(&self, tab: usize, text: &str) -> Option<String> {
        if let Some(given) = self.given_to_all(tab, text, false) {
            let own = self.given[tab].get(text)?;
            return Some(given).filter(|_| column_of(&own.expression).is_some());
        }
        self.own_names.get(tab)?.contains(text).then(|| NAME.to_owned())
    }

    /// The expression for what each client is told of itself.
    pub(super) fn of_each(&mut self, teller: &Teller, place: &Place, count: usize) -> Option<String> {
        match teller {
            Teller::Connect => Some("sid".to_owned()),
            Teller::Event(_) => {
                let name = self.capture(teller, 1);
                let expression = expression(&name, place, count)?;
                self.identities.insert(teller.clone());
                Some(expression)
            }
            Teller::Ack(_) => None,
        }
    }

    /// A text that is not the client's own to say: its name, another one's, or what the server told.
    fn known(&mut self, role: usize, tab: usize, text: &str, is_number: bool, at: f64) -> Option<String> {
        if let Some(given) = self.given(tab, text, is_number) {
            return Some(given);
        }
        if is_number {
            return self.told(role, tab, text, is_number, at);
        }
        if self.own_names.get(tab).is_some_and(|names| names.contains(text)) {
            return Some(NAME.to_owned());
        }
        if let Some((other, column)) = self.column_of_another(tab, text)
            && let Some(whose) = self.whose(role, other)
        {
            let expression = format!("${{{whose}my_{column}}}");
            self.columns_asked_for.insert(column);
            return Some(expression);
        }
        let named = self.own_names.iter().position(|names| names.contains(text));
        if let Some(whose) = named.and_then(|other| self.whose(role, other)) {
            self.are_names_asked_for = true;
            return Some(format!("${{{whose}my_name}}"));
        }
        if let Some(told) = self.origins.owner(text).cloned()
            && let Some(whose) =
                if told.tab == tab { Some(String::new()) } else { self.whose(role, told.tab) }
            && let Some(value) = self.of_each(&told.teller, &told.place, told.count)
        {
            return Some(format!("${{{whose}{value}}}"));
        }
        self.told(role, tab, text, is_number, at)
    }

    /// What a client has from the requests by which it came in.
    fn given(&self, tab: usize, text: &str, is_number: bool) -> Option<String> {
        let known = self.given.get(tab)?;
        if let Some(given) = known.get(text) {
            return Some(converted(&given.expression, given.is_number, is_number));
        }
        let token = without_scheme(text);
        let given = known.get(token).filter(|_| token != text)?;
        Some(format!("{}${{{}}}", &text[..text.len() - token.len()], given.expression))
    }

    /// Whether a request told a client that.
    pub(super) fn is_told(&self, tab: usize, text: &str) -> bool {
        let given = self.given.get(tab).and_then(|known| known.get(without_scheme(text)));
        given.is_some_and(|given| column_of(&given.expression).is_none())
    }

    /// The same, where every client has it so.
    fn given_to_all(&self, tab: usize, text: &str, is_number: bool) -> Option<String> {
        let given = self.given(tab, text, is_number)?;
        let own = &self.given[tab].get(without_scheme(text))?.expression;
        let has = |role: &Role| self.given[role.tab].values().any(|given| given.expression == *own);
        self.roles.iter().all(has).then_some(given)
    }

    /// The tab of another person, and the column in which that one is called so.
    fn column_of_another(&self, tab: usize, text: &str) -> Option<(usize, String)> {
        let mut others = self.given.iter().enumerate().filter(|(other, _)| *other != tab);
        others.find_map(|(other, known)| Some((other, column_of(&known.get(text)?.expression)?.to_owned())))
    }

    /// What the server told the client, or another one.
    fn told(&mut self, role: usize, tab: usize, text: &str, is_number: bool, at: f64) -> Option<String> {
        let Some(told) = self.origins.told(tab, text, at) else {
            return self.kept(role, tab, text, is_number, at);
        };
        let Told { teller, times, place, count, is_number: was_number, .. } = told.clone();
        let name = self.capture(&teller, times);
        let expression = expression(&name, &place, count)?;
        self.needed.push(Needed { teller, times, name });
        Some(converted(&expression, was_number, is_number))
    }

    /// What another group keeps for this one.
    fn kept(&mut self, role: usize, tab: usize, text: &str, is_number: bool, at: f64) -> Option<String> {
        let told = self.origins.told_to_another(tab, text, at)?;
        let Told { tab: other, teller, times, place, count, is_number: was_number, .. } = told.clone();
        let opens = self.roles.iter().position(|role| role.members.contains(&other))?;
        let is_it = |opening: &Opening| opening.teller == teller && opening.times == times;
        self.openings.get(&opens)?.iter().find(|opening| is_it(opening))?;
        let expression = expression(&self.capture(&teller, times), &place, count)?;
        let whose = self.whose(role, other)?;
        Some(converted(&format!("{whose}{expression}"), was_number, is_number))
    }

    /// How a client of a group names the client of another tab: one that does the same is its neighbour.
    fn whose(&self, role: usize, tab: usize) -> Option<String> {
        let other = self.roles.iter().position(|role| role.members.contains(&tab))?;
        let Role { name, count, .. } = &self.roles[other];
        Some(match count {
            _ if other == role => format!("{name}[(n + 1) % count]."),
            1 => format!("{name}."),
            count => format!("{name}[n % {count}]."),
        })
    }

    /// What that is kept as which a group is told.
    pub(super) fn capture(&mut self, teller: &Teller, times: usize) -> String {
        if let Some(known) = self.captures.get(&(teller.clone(), times)) {
            return known.clone();
        }
        let (prefix, event) = match teller {
            Teller::Connect => ("got", "connect"),
            Teller::Event((_, event)) => ("got", event.as_str()),
            Teller::Ack((_, event)) => ("answer", event.as_str()),
        };
        let word: String = event
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
            .take(30)
            .collect();
        let base = format!("{prefix}_{}", word.trim_matches('_'));
        let base = base.trim_end_matches('_').to_owned();
        let is_taken = |name: &String| self.captures.values().any(|other| other == name);
        let mut number = 1;
        let mut name = base.clone();
        while is_taken(&name) {
            number += 1;
            name = format!("{base}_{number}");
        }
        self.captures.insert((teller.clone(), times), name.clone());
        name
    }

    /// A value with each of its texts as it may stand in a scenario.
    fn value(
        &mut self,
        key: &str,
        value: &Json,
        known: &mut impl FnMut(&mut Self, &str, bool) -> Option<String>,
    ) -> Json {
        match value {
            Json::String(text) => match known(self, text, false) {
                Some(expression) => expression.into(),
                None => self.hidden.text(key, text).into(),
            },
            Json::Array(items) => items.iter().map(|item| self.value(key, item, known)).collect(),
            Json::Object(map) if map.contains_key(BYTES) => json!({ BYTES: map[BYTES] }),
            Json::Object(map) => {
                let entries = map.iter().map(|(name, value)| {
                    let written = if name.starts_with('$') { format!("${name}") } else { name.clone() };
                    (written, self.value(name, value, known))
                });
                Json::Object(entries.collect())
            }
            Json::Number(number) => {
                let text = Some(number.to_string()).filter(|text| !is_passing(key, text));
                match text.and_then(|text| known(self, &text, true)) {
                    Some(expression) => expression.into(),
                    None => self.hidden.value(key, value),
                }
            }
            other => self.hidden.value(key, other),
        }
    }
}

/// The column that an expression names.
fn column_of(expression: &str) -> Option<&str> {
    expression.strip_prefix("row.")
}

/// The expression for a value that was told as a number or as a text, and is said as the one or the other.
fn converted(expression: &str, was_number: bool, is_number: bool) -> String {
    match (was_number, is_number) {
        // The digits of a number stand in a url as they are.
        (true, false) => format!("${{encoded({expression})}}"),
        (false, true) => format!("${{number({expression})}}"),
        _ => format!("${{{expression}}}"),
    }
}

/// The way to a place, from a capture of so many arguments. None where the language has none.
pub(super) fn expression(name: &str, place: &str, count: usize) -> Option<String> {
    let mut parts = place.split('/').skip(1);
    let first = parts.next()?;
    let mut text = if count > 1 { format!("{name}[{first}]") } else { name.to_owned() };
    for part in parts {
        let is_word = part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if is_word {
            text.push_str(&format!(".{part}"));
        } else if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            text.push_str(&format!("[{part}]"));
        } else {
            return None;
        }
    }
    Some(text)
}

/// Puts a text at a place of some arguments: its bytes, where bytes stood.
pub(super) fn put(args: &mut [Json], place: &str, text: &str) {
    let bytes = place.strip_suffix(AS_TEXT).map(|place| place.trim_end_matches('/'));
    let mut parts = bytes.unwrap_or(place).trim_start_matches('/').splitn(2, '/');
    let index = parts.next().and_then(|index| index.parse::<usize>().ok());
    let Some(first) = index.and_then(|index| args.get_mut(index)) else { return };
    let target = match parts.next() {
        None => Some(first),
        Some(rest) => first.pointer_mut(&format!("/{rest}")),
    };
    if let Some(target) = target {
        *target = if bytes.is_some() { json!({ AS_TEXT: text }) } else { text.into() };
    }
}

pub(super) fn literal(text: &str) -> String {
    text.replace("${", "$${")
}
