//! Which names an expression may use, at the place of the file that is being read.
//!
//! The scope follows the script from top to bottom: [`Scope::act`] says who acts, [`Scope::capture`] gives those
//! a new name, and only from there on it is known. Another group's value is known once the act that sets it is
//! over, because only then every one of them has it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;

use super::{Name, Of, Slot, Timings};
use crate::document::{Key, Mistake, Node, Span};
use crate::units;

/// Words with a meaning of their own beside those that always stand for something.
const SOMETIMES: [&str; 6] = ["i", "row", "pick", "true", "false", "null"];

/// The words that always stand for something, for *did you mean*.
const ALWAYS: [&str; 14] = [
    "n",
    "group",
    "index",
    "count",
    "run",
    "node",
    "nodes",
    "sid",
    "engine_sid",
    "traceparent",
    "connect_packet",
    "env",
    "server",
    "random",
];

/// The functions: for *did you mean*, and no variable is called like one.
pub(super) const FUNCTIONS: [&str; 9] =
    ["random", "pick", "repeat", "min", "max", "number", "json", "encoded", "decoded"];

/// Gives the value of an environment variable.
type Environment = Box<dyn Fn(&str) -> Option<String>>;

/// A value of a group that clients of any group ask for: `${bob.sid}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shared {
    /// The group whose value it is.
    pub group: usize,
    /// Which of its values.
    pub of: Of,
}

/// The names that are known while a scenario is read.
pub struct Scope {
    environment: Environment,
    server: Timings,
    groups: Vec<Group>,
    slots: Vec<Slot>,
    /// Where each slot was first given, and whether anything names it.
    variables: BTreeMap<usize, Span>,
    used: BTreeSet<usize>,
    shared: Vec<Shared>,
    acting: Vec<usize>,
    rounds: usize,
    words: Vec<&'static str>,
    /// Those of them that some expression names: nothing else can be called so.
    named_words: BTreeSet<&'static str>,
    /// Variables of which numbers of clients are made, while these are read; null for those of which none can be made.
    early: BTreeMap<String, Json>,
    /// Which of them were named.
    named_early: BTreeSet<String>,
    /// Which of them have another value for the clients of the group that is being read.
    replaced: BTreeSet<String>,
    later: Vec<String>,
    script: bool,
    /// How many bytes of repeated text the scenario holds.
    repeated: u64,
}

/// What the scope knows of a group.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// How many clients it has.
    pub count: u64,
    /// The columns of its CSV file.
    pub columns: Option<Vec<String>>,
    own: BTreeSet<usize>,
    seen: BTreeSet<usize>,
}

/// What a word is.
pub(super) enum Found {
    Constant(Json),
    Name(Name),
    Environment,
    Server,
    Row,
    Group(usize),
}

/// What each group's values look like to the others; see [`Scope::seen`].
pub(crate) struct Seen(Vec<BTreeSet<usize>>);

impl Scope {
    /// A scope without groups. `environment` answers `${env.NAME}`.
    pub fn new(environment: impl Fn(&str) -> Option<String> + 'static) -> Scope {
        Scope {
            environment: Box::new(environment),
            server: Timings::default(),
            groups: Vec::new(),
            slots: Vec::new(),
            variables: BTreeMap::new(),
            used: BTreeSet::new(),
            shared: Vec::new(),
            acting: Vec::new(),
            rounds: 0,
            words: Vec::new(),
            named_words: BTreeSet::new(),
            early: BTreeMap::new(),
            named_early: BTreeSet::new(),
            replaced: BTreeSet::new(),
            later: Vec::new(),
            script: true,
            repeated: 0,
        }
    }

    /// The same, knowing the server.
    pub fn with_server(self, server: Timings) -> Scope {
        Scope { server, ..self }
    }

    /// A scope without groups and without environment.
    pub fn bare() -> Scope {
        Scope::new(|_| None)
    }

    /// Makes a group known. Returns its index.
    pub fn add_group(&mut self, name: &str, count: u64, columns: Option<Vec<String>>) -> usize {
        let (own, seen) = (BTreeSet::new(), BTreeSet::new());
        self.groups.push(Group { name: name.to_owned(), count, columns, own, seen });
        self.groups.len() - 1
    }

    /// The group with this index.
    pub fn group(&self, index: usize) -> &Group {
        &self.groups[index]
    }

    /// The index of the group that a value names.
    pub fn group_named(&self, node: &Node) -> Result<usize, Mistake> {
        let name = node.text()?;
        self.groups.iter().position(|group| group.name == name).ok_or_else(|| {
            node.mistake(format!("unknown group `{name}`"))
                .did_you_mean(name, self.groups.iter().map(|group| group.name.as_str()))
        })
    }

    /// Says who acts in what is read next: indices of groups.
    pub fn act(&mut self, groups: &[usize]) {
        self.acting = groups.to_vec();
    }

    /// Who acts in what is being read.
    pub fn acting(&self) -> &[usize] {
        &self.acting
    }

    /// How many clients act in what is being read.
    pub fn actors(&self) -> u64 {
        self.acting.iter().map(|&group| self.groups[group].count).sum()
    }

    /// From here on something recurs: `${i}` is known, until [`Scope::end_round`].
    pub fn begin_round(&mut self) {
        self.rounds += 1;
    }

    /// What recurs ends here.
    pub fn end_round(&mut self) {
        self.rounds -= 1;
    }

    /// Reads what may use these words, such as `${room}`. A word that is used can have no other meaning.
    pub fn with_words<T>(&mut self, words: &[&'static str], read: impl FnOnce(&mut Scope) -> T) -> T {
        let before = self.words.len();
        self.words.extend(words);
        let result = read(self);
        self.words.truncate(before);
        result
    }

    /// Gives the acting clients a value under this name, from here on. A name that they have already is given
    /// a new value.
    pub fn capture(&mut self, name: &Node) -> Result<Slot, Mistake> {
        let slot = self.slot(name.text()?, name.span)?;
        for &group in &self.acting {
            self.groups[group].own.insert(slot.index);
        }
        Ok(slot)
    }

    /// Gives the clients of a group a variable, which has its value before the script begins.
    pub(crate) fn declare(&mut self, group: usize, key: &Key) -> Result<Slot, Mistake> {
        let slot = self.slot(&key.text, key.span)?;
        self.variables.entry(slot.index).or_insert(key.span);
        self.groups[group].own.insert(slot.index);
        self.groups[group].seen.insert(slot.index);
        Ok(slot)
    }

    /// Reads what is worked out before the script begins: no client is connected, and none sees another.
    pub(crate) fn before_script<T>(&mut self, read: impl FnOnce(&mut Scope) -> T) -> T {
        let before = std::mem::replace(&mut self.script, false);
        let result = read(self);
        self.script = before;
        result
    }

    /// Reads what has to be known before there are clients, such as how many there are: these variables have their values
    /// in it, if they are not null.
    pub(crate) fn with_early<T>(
        &mut self,
        variables: BTreeMap<String, Json>,
        read: impl FnOnce(&mut Scope) -> T,
    ) -> T {
        self.early = variables;
        let result = read(self);
        self.early.clear();
        result
    }

    /// Reads how many clients a group has, and when they arrive, where these variables of the group have the names of common
    /// ones.
    pub(crate) fn replacing<T>(
        &mut self,
        names: impl IntoIterator<Item = String>,
        read: impl FnOnce(&mut Scope) -> T,
    ) -> T {
        self.replaced = names.into_iter().collect();
        let result = read(self);
        self.replaced.clear();
        result
    }

    /// Reads a variable that is worked out before these.
    pub(crate) fn with_later<T>(&mut self, names: &[&str], read: impl FnOnce(&mut Scope) -> T) -> T {
        self.later = names.iter().map(|name| (*name).to_owned()).collect();
        let result = read(self);
        self.later.clear();
        result
    }

    /// Reads the contract, which stands above the script: what that keeps under these names has a value for every client and of
    /// every client, for all that is known before it is played.
    pub(crate) fn with_captured<T>(
        &mut self,
        names: &[(String, Span)],
        read: impl FnOnce(&mut Scope) -> T,
    ) -> T {
        let before = self.groups.clone();
        // A name that nothing may have is refused where the script gives it.
        let slots = names.iter().filter_map(|(name, span)| self.slot(name, *span).ok());
        let slots: Vec<usize> = slots.map(|slot| slot.index).collect();
        for group in &mut self.groups {
            group.own.extend(&slots);
            group.seen.extend(&slots);
        }
        let result = read(self);
        for (group, before) in self.groups.iter_mut().zip(before) {
            (group.own, group.seen) = (before.own, before.seen);
        }
        result
    }

    /// What the groups have set so far is known to all from here on.
    pub(crate) fn publish(&mut self, groups: &[usize]) {
        for &group in groups {
            self.groups[group].seen = self.groups[group].own.clone();
        }
    }

    /// What is known to all here; to be put back where a branch begins that runs beside the one just read.
    pub(crate) fn seen(&self) -> Seen {
        Seen(self.groups.iter().map(|group| group.seen.clone()).collect())
    }

    /// Back to what was known to all there.
    pub(crate) fn rewind(&mut self, seen: &Seen) {
        for (group, seen) in self.groups.iter_mut().zip(&seen.0) {
            group.seen = seen.clone();
        }
    }

    /// All the slots in which clients keep values.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The values that clients ask of others, each once.
    pub fn shared(&self) -> &[Shared] {
        &self.shared
    }

    /// The first variable that nothing names.
    pub(crate) fn unused(&self) -> Option<(&Slot, Span)> {
        let is_used =
            |slot: &usize| self.used.contains(slot) || self.named_early.contains(&*self.slots[*slot].name);
        let mut unused: Vec<_> = self.variables.iter().filter(|(slot, _)| !is_used(slot)).collect();
        unused.sort_by_key(|(_, span)| (span.line, span.column));
        unused.first().map(|(slot, span)| (&self.slots[**slot], **span))
    }

    fn slot(&mut self, name: &str, span: Span) -> Result<Slot, Mistake> {
        let mistake = |message: String| Mistake::new(span, message);
        well_formed(name, "a name").map_err(|mistake| mistake.at(span))?;
        if is_reserved(name) {
            return Err(
                mistake(format!("`{name}` has a meaning of its own in `${{…}}`")).hint("choose another name")
            );
        }
        if FUNCTIONS.contains(&name) {
            return Err(mistake(format!("`{name}` is a function in `${{…}}`")).hint("choose another name"));
        }
        if self.groups.iter().any(|group| group.name == name) {
            return Err(
                mistake(format!("`{name}` is the name of a group already")).hint("choose another name")
            );
        }
        if self.named_words.contains(name) {
            return Err(mistake(format!(
                "`${{{name}}}` stands for something else above, in the contract or in a step"
            ))
            .hint("choose another name"));
        }
        if let Some(slot) = self.slots.iter().find(|slot| &*slot.name == name) {
            return Ok(slot.clone());
        }
        let slot = Slot { index: self.slots.len(), name: Arc::from(name) };
        self.slots.push(slot.clone());
        Ok(slot)
    }

    /// What a word of an expression is. The mistake stands nowhere.
    pub(super) fn find(&mut self, word: &str) -> Result<Found, Mistake> {
        if let Some(known) = self.words.iter().find(|known| **known == word).copied() {
            self.deny_second_meaning(known)?;
            self.named_words.insert(known);
            return Ok(Found::Name(Name::Word(known)));
        }
        match word {
            "true" | "false" => return Ok(Found::Constant(Json::from(word == "true"))),
            "null" => return Ok(Found::Constant(Json::Null)),
            "env" => return Ok(Found::Environment),
            "server" => return Ok(Found::Server),
            "row" => return Ok(Found::Row),
            "n" => return Ok(Found::Name(Name::N)),
            "group" => return Ok(Found::Name(Name::Group)),
            "index" => return Ok(Found::Name(Name::Index)),
            "count" => return Ok(Found::Name(Name::Count)),
            "run" => return Ok(Found::Name(Name::Run)),
            "node" => return Ok(Found::Name(Name::Node)),
            "nodes" => return Ok(Found::Name(Name::Nodes)),
            "traceparent" => return Ok(Found::Name(Name::Traceparent)),
            "sid" if self.script => return Ok(Found::Name(Name::Sid)),
            "engine_sid" if self.script => return Ok(Found::Name(Name::EngineSid)),
            "connect_packet" if self.script => return Ok(Found::Name(Name::ConnectPacket)),
            "sid" | "engine_sid" | "connect_packet" => {
                return Err(nowhere(format!("no client has its `{word}` before the script begins")));
            }
            "i" if self.rounds > 0 => return Ok(Found::Name(Name::I)),
            "i" => {
                return Err(nowhere("`i` counts the rounds of a `repeat`, and there is none around this")
                    .hint(
                        "`n` is the client's number in its group; an `expect` with `times` counts its events",
                    ));
            }
            _ => {}
        }
        if self.replaced.contains(word) && self.early.contains_key(word) {
            return Err(nowhere(format!(
                "`{word}` is a common variable and one of this group, whose clients are counted before they have it"
            ))
            .hint("call one of the two otherwise"));
        }
        match self.early.get(word) {
            None => {}
            Some(known @ (Json::Number(_) | Json::String(_))) => {
                self.named_early.insert(word.to_owned());
                return Ok(Found::Constant(known.clone()));
            }
            Some(_) => {
                return Err(nowhere(format!(
                    "`{word}` is no plain number, so it is not known before there are clients"
                ))
                .hint(format!("write a number in `vars`, such as `{word}: 100`")));
            }
        }
        if self.later.iter().any(|later| later == word) {
            return Err(match self.later.first().is_some_and(|first| first == word) {
                true => nowhere(format!("the variable `{word}` refers to itself")),
                false => nowhere(format!("the variable `{word}` gets its value after this one"))
                    .hint(format!("move `{word}` above it")),
            });
        }
        if let Some(group) = self.groups.iter().position(|group| group.name == word) {
            return match self.script {
                true => Ok(Found::Group(group)),
                false => Err(nowhere("other clients' values are not there before the script begins")),
            };
        }
        let Some(slot) = self.slots.iter().find(|slot| &*slot.name == word).cloned() else {
            return Err(self.unknown(word));
        };
        match self.acting.iter().find(|&&group| !self.groups[group].own.contains(&slot.index)) {
            None => {
                self.used.insert(slot.index);
                Ok(Found::Name(Name::Own(slot)))
            }
            Some(&group) => Err(self.not_yet(&slot, group)),
        }
    }

    /// Refuses a word where the scenario calls something else so.
    fn deny_second_meaning(&self, word: &str) -> Result<(), Mistake> {
        let other = match self.slots.iter().any(|slot| &*slot.name == word) {
            true => "variable",
            false if self.groups.iter().any(|group| group.name == word) => "group",
            false => return Ok(()),
        };
        Err(nowhere(format!("`{word}` has a meaning of its own here, and the scenario calls a {other} so"))
            .hint(format!("give the {other} another name")))
    }

    fn unknown(&self, word: &str) -> Mistake {
        let own = self.slots.iter().map(|slot| &*slot.name);
        let groups = self.groups.iter().filter(|_| self.script).map(|group| group.name.as_str());
        let early = self.early.keys().map(String::as_str);
        let known = self.words.iter().copied().chain(early).chain(own).chain(groups).chain(ALWAYS);
        let what = match self.words.is_empty() {
            true => "unknown variable",
            false => "unknown word or variable",
        };
        nowhere(format!("{what} `{word}`")).did_you_mean(word, known)
    }

    /// The name exists, but not for this group at this point of the script.
    fn not_yet(&self, slot: &Slot, group: usize) -> Mistake {
        let (name, group) = (&slot.name, &self.groups[group].name);
        let mistake = nowhere(format!("`{name}` has no value for `{group}` here"));
        let owners = self.groups.iter().filter(|other| other.own.contains(&slot.index));
        match owners.map(|owner| owner.name.as_str()).next() {
            Some(owner) => {
                mistake.hint(format!("it belongs to `{owner}`: write `{owner}.{name}` for theirs"))
            }
            None => mistake.hint("a capture has its value after the step that sets it"),
        }
    }

    /// The value of an environment variable. The mistake stands nowhere.
    pub(super) fn environment(&self, name: &str) -> Result<String, Mistake> {
        (self.environment)(name).ok_or_else(|| {
            nowhere(format!("the environment variable `{name}` is not set"))
                .hint(format!("set it: {name}=… sockrates …"))
        })
    }

    /// Makes room for so many bytes of repeated text, if there is any left.
    pub(super) fn make_room(&mut self, bytes: u64) -> bool {
        self.repeated = self.repeated.saturating_add(bytes);
        self.repeated <= units::LARGEST
    }

    /// What is known of the server. The mistake stands nowhere.
    pub(super) fn server(&self, word: &str) -> Result<Json, Mistake> {
        let unknown = || {
            nowhere(format!("unknown `server.{word}`"))
                .did_you_mean(word, Timings::WORDS.into_iter().chain(["origin"]))
        };
        self.server.get(word).ok_or_else(unknown)
    }

    /// The name of a column of every acting group's CSV file. The mistake stands nowhere.
    pub(super) fn column(&self, column: &str) -> Result<Arc<str>, Mistake> {
        for &group in &self.acting {
            let Group { name, columns, .. } = &self.groups[group];
            match columns {
                None => {
                    return Err(nowhere(format!("`{name}` has no rows"))
                        .hint(format!("give the group `{name}` a CSV file: rows: users.csv")));
                }
                Some(columns) if !columns.iter().any(|known| known == column) => {
                    return Err(nowhere(format!("the rows of `{name}` have no column `{column}`"))
                        .did_you_mean(column, columns.iter().map(String::as_str)));
                }
                Some(_) => {}
            }
        }
        Ok(Arc::from(column))
    }

    /// A value of a group as others see it. The mistake stands nowhere.
    pub(super) fn of(&mut self, group: usize, value: &str) -> Result<Of, Mistake> {
        let Group { name, seen, own, .. } = &self.groups[group];
        let of = match value {
            "sid" => Of::Sid,
            "engine_sid" => Of::EngineSid,
            value => match self.slots.iter().find(|slot| &*slot.name == value) {
                Some(slot) if seen.contains(&slot.index) => {
                    self.used.insert(slot.index);
                    Of::Slot(slot.clone())
                }
                Some(slot) if own.contains(&slot.index) => {
                    return Err(nowhere(format!(
                        "`{name}` may not have its `{value}` yet when this is done"
                    ))
                    .hint("use it in an act after the one that sets it"));
                }
                _ => {
                    let known = seen.iter().map(|&slot| &*self.slots[slot].name).chain(["sid", "engine_sid"]);
                    return Err(
                        nowhere(format!("`{name}` has no value `{value}` here")).did_you_mean(value, known)
                    );
                }
            },
        };
        let shared = Shared { group, of: of.clone() };
        if !self.shared.contains(&shared) {
            self.shared.push(shared);
        }
        Ok(of)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("groups", &self.groups)
            .field("slots", &self.slots)
            .field("acting", &self.acting)
            .finish_non_exhaustive()
    }
}

/// Refuses what an expression could not spell: a name is letters, digits and `_`, and begins with no digit.
/// The mistake stands nowhere.
pub(crate) fn well_formed(name: &str, what: &str) -> Result<(), Mistake> {
    let begins = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    if begins && name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return Ok(());
    }
    let mistake =
        nowhere(format!("`{name}` is not {what}: it takes letters, digits and `_`, a letter first"));
    let mended: String = name.trim().chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
    Err(match mended.starts_with(|c: char| c.is_alphabetic()) && mended.len() > 1 {
        true => mistake.hint(format!("write `{mended}`")),
        false => mistake,
    })
}

/// True for words with a meaning of their own, which no group, variable or capture can take.
pub(crate) fn is_reserved(name: &str) -> bool {
    ALWAYS.contains(&name) || SOMETIMES.contains(&name)
}

fn nowhere(message: impl Into<String>) -> Mistake {
    Mistake::new(Span::default(), message)
}
