//! A contract of the user's: the cases that are written in the words of a contract are played by it, on an application with
//! events of its own.
//!
//! Which cases that are is decided before any is played: by the parser, which refuses what the contract has no place for, and
//! by what the contract says of itself (`unfit`). Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::case::Case;
use super::feature::used_by_contract;
use crate::contract::{Ask, Contract, Order, Senders, Verb};
use crate::document::{Fields, Key, Mistake, Node, Source, Value, parse};
use crate::scenario::{self, GivenContract, Need, Overrides, Surroundings};
use crate::session::Transport;

/// The key of a scenario under which its contract stands; a file may hold the contract alone.
const CONTRACT: &str = "contract";

/// The key for the namespaces in which the application answers these events.
const NAMESPACES: &str = "namespaces";

/// The common variables of a case for the namespaces that it is about.
const PLACES: [&str; 2] = ["here", "elsewhere"];

/// How long an answer is awaited before the same is asked again over the same connection.
pub(crate) const LATER: &str = "2s";

/// What makes a file a contract, for those who have given another one.
pub(crate) const WHAT_IT_IS: &str =
    "a contract has `join`, `leave` or `broadcast`, alone or under `contract` in a scenario";

/// What to do about a name that has no value in the cases.
const NOT_KNOWN: &str = "the suite plays steps of its own by this contract: of the scenario it has the `vars` and the `rows`, and not what \
                         steps capture; write a value that the application takes from anybody";

/// A contract in the place of the fixture's.
#[derive(Debug)]
pub struct OwnContract {
    /// The file, as the user named it.
    pub file: String,
    given: GivenContract,
    contract: Contract,
    /// At least one.
    namespaces: Vec<String>,
}

/// A namespace of the application, and what clients send with `CONNECT` to it, where it differs.
type Place = (String, Option<Node>);

impl OwnContract {
    /// Reads a contract that stands alone in a file, or the one of a scenario.
    ///
    /// # Errors
    /// The first mistake in it.
    pub fn read(source: &Source, surroundings: &Surroundings) -> Result<OwnContract, Mistake> {
        let mut node = parse(source).map_err(|mistake| mistake.hint_of_file(WHAT_IT_IS))?;
        let Value::Map(entries) = &mut node.value else {
            return Err(node
                .mistake("expected a contract")
                .hint("write `join: { emit: [enter, \"${room}\"] }`"));
        };
        let places = entries.iter().position(|(key, _)| key.text == NAMESPACES);
        let places = places.map(|place| entries.remove(place).1);
        let own =
            entries.iter().position(|(key, _)| key.text == CONTRACT).map(|place| entries.remove(place).1);
        let (given, at) = match own {
            Some(own) => {
                let at = own.span;
                (GivenContract::of_scenario(own, entries, &|name| surroundings.file(name))?, at)
            }
            None => {
                let at = node.span;
                (GivenContract::alone(node), at)
            }
        };
        let places = match places {
            Some(node) => namespaces(&node)?,
            None => vec![("/".to_owned(), None)],
        };
        let namespaces = places.iter().map(|(name, _)| name.clone()).collect();
        let credentials = places.into_iter().filter_map(|(name, auth)| Some((name, auth?))).collect();
        let given = given.with_credentials(credentials);
        let text = "name: the contract\nneeds: contract\nclients: { a: 1 }\nscript: [{ a: connect }]\n";
        let usual = Source { name: "the contract".to_owned(), text: text.to_owned() };
        let contract = scenario::read(&usual, &surroundings.asking_by(&given)).map_err(|mistake| {
            let is_unknown = mistake.message.starts_with("unknown word or variable");
            match is_unknown && mistake.hint.as_ref().is_none_or(|hint| hint.starts_with("known here")) {
                true => Mistake { hint: Some(NOT_KNOWN.to_owned()), ..mistake },
                false => mistake,
            }
        })?;
        let contract = contract.contract;
        if contract.verbs().next().is_none() {
            let mistake = Mistake::new(at, "the contract says nothing");
            return Err(mistake.hint("write `join`, `leave` or `broadcast`"));
        }
        Ok(OwnContract { file: source.name.clone(), given, contract, namespaces })
    }

    /// The namespace in which its cases are played.
    pub fn namespace(&self) -> &str {
        &self.namespaces[0]
    }

    /// That one, and the one in which the cases about two are played, too.
    pub fn namespaces(&self) -> &[String] {
        &self.namespaces
    }

    /// The case as it is played by this contract, if it is written in the words of one.
    pub fn case(&self, case: Case, surroundings: &Surroundings) -> Case {
        match case.scenario.needs.contains(&Need::Contract) {
            false => case,
            true => {
                self.replaced(&case, surroundings).unwrap_or_else(|why| Case { unfit: Some(why), ..case })
            }
        }
    }

    fn replaced(&self, case: &Case, surroundings: &Surroundings) -> Result<Case, String> {
        let in_words = |mistake: Mistake| mistake.message;
        let tree = parse(&case.source).map_err(in_words)?;
        let mut vars = Vec::new();
        for (place, name) in PLACES.into_iter().enumerate() {
            let is_there = field(&tree, "vars").is_some_and(|vars| field(vars, name).is_some());
            match self.namespaces.get(place) {
                Some(namespace) if is_there => vars.push((name.to_owned(), format!("'{namespace}'"))),
                None if is_there => {
                    return Err("the contract names one namespace, and the case is about two".to_owned());
                }
                _ => {}
            }
        }
        let surroundings =
            surroundings.asking_by(&self.given).overriding(Overrides { vars, ..Overrides::default() });
        let scenario = scenario::read(&case.source, &surroundings).map_err(in_words)?;
        if let Some(why) = unfit(&tree, &case.scenario.clause, &self.contract) {
            return Err(why);
        }
        let uses = used_by_contract(&case.source, &scenario);
        let (id, source, unfit) = (case.id.clone(), case.source.clone(), case.unfit.clone());
        Ok(Case { id, source, scenario, uses, unfit, namespace: Some(self.namespace().to_owned()) })
    }

    /// A scenario whose last step passes where the application does what the contract says of this verb. None where the
    /// contract itself cannot be asked.
    pub fn probe(&self, verb: Verb, transport: Transport) -> Option<Source> {
        Some(look(verb, transport, &self.asks(verb, "look", "1s")?))
    }

    /// A scenario that asks for the same twice over one connection, right after it and a while later. Nothing that is told the
    /// second time is an answer to the first.
    pub fn probe_again(&self, verb: Verb, transport: Transport) -> Option<Source> {
        let first = self.asks(verb, "look", LATER)?;
        Some(look(verb, transport, &(first + &self.asks(verb, "look again", "1s")?)))
    }

    /// A scenario whose clients wait as long before they ask for the first time. Who is slow at the first message of a client is slow
    /// here, too.
    pub fn probe_later(&self, verb: Verb, transport: Transport) -> Option<Source> {
        let asks = self.asks(verb, "look", "1s")?;
        let who = if asks.contains("b:") { "a, b" } else { "a" };
        Some(look(verb, transport, &format!("- {who}: {{ wait: {LATER} }}\n{asks}")))
    }

    /// The steps by which clients that are connected ask for this.
    fn asks(&self, verb: Verb, say: &str, within: &str) -> Option<String> {
        let ask = self.contract.get(verb)?;
        let joins =
            |who: &str| format!("- {who}: {{ join: {{ room: \"look-${{run}}\", within: {within} }} }}\n");
        Some(match verb {
            Verb::Join => joins("a"),
            Verb::Leave => {
                format!("{}- a: {{ leave: {{ room: \"look-${{run}}\", within: {within} }} }}\n", joins("a"))
            }
            Verb::Broadcast => {
                let is_to_room = ask.takes_rooms("room") && !ask.takes_rooms("to");
                let (joins, to) = match is_to_room {
                    true => {
                        self.contract.get(Verb::Join)?;
                        (joins("a, b"), "to: \"look-${run}\", ")
                    }
                    false => (String::new(), ""),
                };
                format!(
                    "{joins}- a: {{ broadcast: {{ {to}say: {say}, within: {within} }} }}\n\
                     - b: {{ expect: {{ said: {say}, within: {within} }} }}\n"
                )
            }
            Verb::Fence => format!("- a: {{ fence: {{ within: {within} }} }}\n"),
            Verb::BroadcastAck => return None,
        })
    }

    /// What such a scenario takes from outside.
    pub fn surroundings(&self) -> Surroundings {
        Surroundings::without_files().asking_by(&self.given)
    }
}

/// A look at the server by these steps, for clients that connect before.
fn look(verb: Verb, transport: Transport, script: &str) -> Source {
    let (who, clients) = match script.contains("b:") {
        true => ("a, b", "{ a: 1, b: 1 }"),
        false => ("a", "{ a: 1 }"),
    };
    let script = format!("- {who}: {{ connect: {{ within: 1s }} }}\n{script}");
    let script: String = script.lines().map(|line| format!("  {line}\n")).collect();
    let text = format!(
        "name: whether the application does what the contract says of {}\nneeds: contract\ntransports: [{}]\n\
         clients: {clients}\nscript:\n{script}",
        verb.name(),
        transport.name()
    );
    Source { name: "a look at the server".to_owned(), text }
}

/// A list of names, or a map of what each of them wants: `{ /chat: { auth: { token: a } }, /support: { auth: { token: b } } }`.
fn namespaces(node: &Node) -> Result<Vec<Place>, Mistake> {
    let named = |name: &str, wrong: &dyn Fn(String) -> Mistake| match name.starts_with('/')
        && !name.contains(['\'', ',', '$'])
    {
        true => Ok(name.to_owned()),
        false => Err(wrong(format!("`{name}` is no namespace")).hint("write it like `/chat`")),
    };
    let places: Vec<Place> = match &node.value {
        Value::Map(entries) => {
            let read = |(key, node): &(Key, Node)| -> Result<Place, Mistake> {
                let name = named(&key.text, &|message| key.mistake(message))?;
                if node.is_null() {
                    return Ok((name, None));
                }
                let fields = Fields::of(node, "a namespace of the contract")?;
                let auth = fields.optional("auth").cloned();
                fields.deny_others()?;
                Ok((name, auth))
            };
            entries.iter().map(read).collect::<Result<_, _>>()?
        }
        _ => {
            let read = |item: &Node| -> Result<Place, Mistake> {
                Ok((named(item.word()?, &|message| item.mistake(message))?, None))
            };
            node.items().iter().map(read).collect::<Result<_, _>>()?
        }
    };
    match places.len() {
        0 => Err(node.mistake(format!("expected at least one namespace, found {}", node.describe()))),
        1 | 2 => Ok(places),
        _ => Err(node.mistake("the cases are about two namespaces at most, and this names more")),
    }
}

fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let Value::Map(entries) = &node.value else { return None };
    entries.iter().find(|(key, _)| key.text == name).map(|(_, node)| node)
}

/// Why a case would say nothing of an application with this contract, although it can be asked.
fn unfit(tree: &Node, clauses: &[String], contract: &Contract) -> Option<String> {
    let groups = field(tree, "clients").map(keys).unwrap_or_default();
    let mut walk = Walk { groups, ..Walk::default() };
    if let Some(script) = field(tree, "script") {
        walk.acts(script);
    }
    let asked = |verb: Verb| contract.get(verb).filter(|_| walk.verbs.contains(verb.name()));
    let is_untold = |ask: &Ask| ask.ack.is_none() && ask.confirmed_by.is_none();
    for verb in [Verb::Join, Verb::Leave] {
        if asked(verb).is_some_and(is_untold) {
            let name = verb.name();
            return Some(format!(
                "the contract says of `{name}` neither `ack` nor `confirmed_by`, so nobody knows when it is done"
            ));
        }
    }
    let broadcast = asked(Verb::Broadcast)?;
    let tells = contract.get(Verb::Join).and_then(|join| join.tells.as_ref());
    let why = if broadcast.may_refuse {
        "by the contract the application may refuse a broadcast (`may_refuse`)"
    } else if broadcast.history {
        "by the contract a client that comes may be shown what was said before (`history`)"
    } else if broadcast.arrives_in.is_some() {
        "by the contract a broadcast is heard in another namespace (`arrives_in`)"
    } else if tells.is_some_and(|tells| tells.event == broadcast.arrives_as) {
        "by the contract a `join` is told by the same event as a broadcast"
    } else if broadcast.order == Order::None && clauses.iter().any(|clause| clause.starts_with("SEM-OR")) {
        "by the contract broadcasts have no order (`order: none`)"
    } else if broadcast.senders == Senders::Members && walk.has_strangers {
        "the contract does not say that a client may broadcast to a room in which it is not (`senders: anyone`)"
    } else {
        return None;
    };
    Some(why.to_owned())
}

fn keys(node: &Node) -> Vec<String> {
    let Value::Map(entries) = &node.value else { return Vec::new() };
    entries.iter().map(|(key, _)| key.text.clone()).collect()
}

/// The script from its beginning: who is in which room when something is broadcast to it.
#[derive(Default)]
struct Walk {
    groups: Vec<String>,
    rooms: BTreeMap<String, BTreeSet<String>>,
    /// The words of all steps.
    verbs: BTreeSet<String>,
    /// Whether somebody broadcasts to a room without having joined it.
    has_strangers: bool,
}

impl Walk {
    fn acts(&mut self, node: &Node) {
        match &node.value {
            Value::List(items) => items.iter().for_each(|item| self.acts(item)),
            Value::Map(entries) => {
                for (key, value) in entries {
                    match key.text.as_str() {
                        "together" => self.acts(value),
                        "all" => self.steps(&self.groups.clone(), value),
                        names => {
                            let names: Vec<String> =
                                names.split(',').map(|name| name.trim().to_owned()).collect();
                            self.steps(&names, value);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn steps(&mut self, actors: &[String], node: &Node) {
        match &node.value {
            Value::List(items) => items.iter().for_each(|item| self.steps(actors, item)),
            Value::Map(entries) => {
                for (key, value) in entries {
                    self.step(actors, &key.text, value);
                }
            }
            _ => {}
        }
    }

    fn step(&mut self, actors: &[String], word: &str, value: &Node) {
        self.verbs.insert(word.to_owned());
        let named = field(value, "room").or_else(|| field(value, "to"));
        let rooms: Vec<String> = match (&value.value, named) {
            (Value::Map(_), None) => Vec::new(),
            (_, named) => named
                .unwrap_or(value)
                .items()
                .iter()
                .filter_map(|item| Some(item.text().ok()?.to_owned()))
                .collect(),
        };
        for actor in actors {
            let joined = self.rooms.entry(actor.clone()).or_default();
            match word {
                "join" => joined.extend(rooms.iter().cloned()),
                "leave" => joined.retain(|room| !rooms.contains(room)),
                "broadcast" => self.has_strangers |= rooms.iter().any(|room| !joined.contains(room)),
                _ => {}
            }
        }
        if let Some(steps) = field(value, "steps") {
            self.steps(actors, steps);
        }
    }
}

#[cfg(test)]
mod tests;
