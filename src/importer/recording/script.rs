//! The scenario: groups, a contract, and what each group says.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json, json};

use super::entrance::Entrance;
use super::guessed::{Guesses, Personal};
use super::hidden::Hidden;
use super::login::{Known, Logins};
use super::named;
use super::opening::openings;
use super::origin::{Event, Origins, Teller, messages, text_at};
use super::roles::{NAME, Role, names_of, roles};
use super::steps::{Steps, WITHIN, capture_step};
use super::talk::{Tab, What};
use super::words::{Words, literal, put};
use crate::document::shortened;
use crate::importer::draft::{Act, Draft, Entry, Part};
use crate::importer::{Kind, Note};
use crate::measure::format::printable;
use crate::protocol::dialect::{Parser, Version};

/// The variable with the number of clients that begin each second: all at once are no load that people make.
const RATE: &str = "rate";

/// So many variables are named at the head.
const MOST_SET: usize = 4;

/// So many cookies or requests are named in a note.
const MOST_NAMED: usize = 20;

/// How a recording is called, and the scenario that is made of it.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The recording, in words: `chat.har, a recording`.
    pub recording: &'a str,
    /// What the scenario is about, in a word.
    pub about: &'a str,
    /// The scenario's file.
    pub output: &'a str,
}

pub(super) fn draft(
    names: Names<'_>,
    tabs: &[Tab],
    guesses: &mut Guesses,
    origins: &Origins,
    logins: &Logins,
    hidden: &mut Hidden,
    mut notes: Vec<Note>,
) -> Draft {
    let mut roles = roles(tabs, guesses, origins, logins, &mut notes);
    notes.extend(unexplained(logins));
    let openings = openings(tabs, &roles, origins);
    if !openings.is_empty() {
        // Who comes in by what another is told is there as often as it was.
        roles.iter_mut().for_each(Role::as_recorded);
    }
    let own_names = tabs.iter().map(|tab| names_of(tab, guesses)).collect();
    let mut entrances: Vec<Entrance> = roles.iter().map(|role| Entrance::of(logins, role, hidden)).collect();
    let mut given: Vec<Known> = tabs.iter().map(|_| Known::new()).collect();
    for (tab, known) in entrances.iter_mut().flat_map(|entrance| std::mem::take(&mut entrance.known)) {
        given[tab] = known;
    }
    let mut words = Words::new(&roles, origins, &openings, own_names, given, hidden);
    named::find(guesses, tabs, &words);
    let contract = contract(&mut words, tabs, guesses, &roles);
    let mut steps = Steps::new(tabs, guesses, &roles, &openings);
    let mut parts: [Vec<(String, Vec<Entry>)>; 3] = Default::default();
    for (index, role) in roles.iter().enumerate() {
        for (part, said) in parts.iter_mut().zip(steps.of(index, &mut words, &mut notes)) {
            part.extend((!said.is_empty()).then(|| (role.name.clone(), paced(said))));
        }
    }
    let (mut groups, mut connects) = (Vec::new(), Vec::new());
    for (index, role) in roles.iter().enumerate() {
        let mut fields = Map::new();
        fields.insert("count".to_owned(), json!(role.count));
        fields.insert("arrive".to_owned(), format!("${{{RATE}}}/s").into());
        let Entrance { steps, rows, vars, .. } = std::mem::take(&mut entrances[index]);
        let steps = steps.into_iter().chain(connect(&mut words, index, tabs, role.tab, &mut fields));
        connects.push((role.name.clone(), steps.collect::<Vec<_>>()));
        let mut comment = role.evidence.clone();
        if !rows.is_empty() {
            comment.push_str("\neach client is the person of its row; for more of them: `rows: people.csv`");
            fields.insert("rows".to_owned(), rows.into());
        }
        if !vars.is_empty() {
            fields.insert("vars".to_owned(), vars.into());
        }
        if openings.contains_key(&index) {
            fields.insert("fixed".to_owned(), true.into());
            comment.push_str("; the others say what it is told, so --clients leaves it alone");
        }
        let comment = Some(comment);
        groups.push(Part { name: role.name.clone(), value: fields.into(), line: 0, comment });
    }
    // What the server tells each client of itself, kept by all who may be asked for it.
    for (branch, role) in connects.iter_mut().zip(&roles) {
        for (teller, name) in words.identities() {
            if let Teller::Event(event) = teller
                && tabs[role.tab].heard().any(|(said, name, _)| said.namespace == event.0 && name == event.1)
            {
                branch.1.push(Entry::Step(capture_step(event, name, 1), 0));
            }
        }
        for column in words.columns_asked_for(role.tab) {
            let step = json!({ "set": { format!("my_{column}"): format!("${{row.{column}}}") } });
            branch.1.insert(0, Entry::Step(step, 0));
        }
        if words.are_names_asked_for() {
            branch.1.insert(0, Entry::Step(json!({ "set": { "my_name": NAME } }), 0));
        }
    }
    // All at once is a load that nobody makes, above all where the others are told of each.
    let leaves = vec![("all".to_owned(), paced(vec![Entry::Step(json!("disconnect"), 0)]))];
    let acts = [connects].into_iter().chain(parts).filter(|branches| !branches.is_empty());
    let acts: Vec<Act> = acts.chain([leaves]).map(|branches| Act { branches }).collect();
    let mut vars = words.vars();
    let mut head = head(names, tabs);
    if !vars.is_empty() {
        let sets = vars.iter().take(MOST_SET).map(|var| format!("--set {}=…", var.name));
        head.push(format!("Fill in what is hidden, or give it: {}", sets.collect::<Vec<_>>().join(" ")));
    }
    let comment = "so many clients connect each second; as many begin each part of the script".to_owned();
    vars.insert(0, Part { name: RATE.to_owned(), value: json!(20), line: 0, comment: Some(comment) });
    Draft {
        head,
        name: format!("{}, recorded", names.about),
        vars,
        groups,
        contract,
        acts,
        notes,
        ..Draft::default()
    }
}

/// What is told of cookies and tokens that no request explains.
fn unexplained(logins: &Logins) -> Vec<Note> {
    let note = |what: String| Note { line: 0, kind: Kind::LeftOut, what };
    let list = |words: Vec<&String>| {
        let words =
            words.into_iter().take(MOST_NAMED).map(|word| format!("`{}`", printable(&shortened(word, 60))));
        words.collect::<Vec<_>>().join(", ")
    };
    let mut notes = Vec::new();
    if !logins.unexplained.is_empty() {
        notes.push(note(format!(
            "connections came with cookies that no recorded request had set: {}; if they let a client in, log in by `http` before \
             `connect`",
            list(logins.unexplained.iter().collect())
        )));
    }
    let elsewhere: BTreeSet<&String> = logins.of_tabs.iter().flat_map(|login| &login.elsewhere).collect();
    if !elsewhere.is_empty() {
        notes.push(note(format!(
            "clients were told by other servers what they say to this one: {}",
            list(elsewhere.into_iter().collect())
        )));
    }
    notes
}

/// Steps that the clients of a group begin one after another.
fn paced(steps: Vec<Entry>) -> Vec<Entry> {
    let wait = json!({ "wait": format!("${{index * 1000 / {RATE}}}ms") });
    [Entry::Step(wait, 0)].into_iter().chain(steps).collect()
}

fn head(names: Names<'_>, tabs: &[Tab]) -> Vec<String> {
    let first = tabs.iter().find(|tab| tab.is_connected());
    let origin = first.map_or("http://localhost:3000", |tab| tab.origin.as_str());
    let path = first.map(|tab| tab.path.trim_end_matches('/'));
    let path = path.filter(|path| *path != "/socket.io" && !path.is_empty());
    let path = path.map(|path| format!(" --path {path}")).unwrap_or_default();
    let file = if names.output == "-" { "scenario.yaml" } else { names.output };
    vec![
        format!("Made of {} of {} tab(s), by sockrates.", names.recording, tabs.len()),
        String::new(),
        format!("  sockrates check {file}"),
        format!("  sockrates run {file} --url {origin}{path}"),
        format!("  sockrates run {file} --url {origin}{path} --clients 1000"),
        String::new(),
        "What the events mean is guessed; each guess has its evidence beside it. Change what is wrong."
            .to_owned(),
    ]
}

/// The contract, with the evidence for each of its entries.
fn contract(words: &mut Words<'_>, tabs: &[Tab], guesses: &Guesses, roles: &[Role]) -> Vec<Part> {
    let mut parts = Vec::new();
    for (verb, events) in [("join", &guesses.joins), ("leave", &guesses.leaves)] {
        let Some((event, rooms)) = events.iter().next() else { continue };
        let mut more = Map::new();
        if let Some(answer) = guesses.responses.get(event)
            && !guesses.acknowledged.contains_key(event)
        {
            more.insert("confirmed_by".to_owned(), json!({ "event": literal(answer), "within": WITHIN }));
        }
        let comment = format!("guessed: `{}` is a {verb}: {}", event.1, rooms.evidence);
        let at = [(rooms.place.as_str(), "${room}")];
        parts.extend(ask(words, tabs, guesses, event, &at, more, verb, comment));
    }
    if let Some((event, broadcast)) = guesses.main() {
        let mut more = Map::new();
        if broadcast.arrives_as != event.1 {
            more.insert("arrives_as".to_owned(), literal(&broadcast.arrives_as).into());
        }
        if let Some(namespace) = broadcast.elsewhere(event) {
            more.insert("arrives_in".to_owned(), literal(namespace).into());
        }
        if let Some(reaches) = guesses.reaches(broadcast) {
            more.insert("reaches".to_owned(), reaches.into());
        }
        if broadcast.has_history {
            more.insert("history".to_owned(), true.into());
        }
        if broadcast.personal.is_some() {
            more.insert("senders".to_owned(), "anyone".into());
        }
        let mut at = vec![(broadcast.text.as_str(), "${body}")];
        at.extend(guesses.room_place(broadcast).map(|place| (place.as_str(), "${room}")));
        let comment = format!("guessed: `{}` is a broadcast: {}", event.1, broadcast.evidence);
        parts.extend(ask(words, tabs, guesses, event, &at, more, "broadcast", comment));
    }
    let personal = guesses.broadcasts.iter().find_map(|(event, one)| Some((event, one.personal.as_ref()?)));
    if let Some((event, personal)) = personal {
        let found = match personal {
            Personal::Told(teller @ Teller::Event(told_by), place, count) if !roles.is_empty() => {
                let name = words.of_each(teller, place, *count);
                name.map(|name| {
                    (format!("${{{name}}}"), format!("`{}` told it the name at {place}", told_by.1))
                })
            }
            Personal::Told(..) => None,
            Personal::Named(name) if name == NAME => Some((name.clone(), "it is called so".to_owned())),
            Personal::Named(name) => Some((
                name.clone(),
                "it is called so (with more clients than people, all that are the same person are owed what is said to it)"
                    .to_owned(),
            )),
        };
        if let Some((name, why)) = found {
            let comment =
                format!("guessed: each client is in a room of its own: {why}, and `{}` goes there", event.1);
            let value = json!([name]);
            parts.insert(0, Part { name: "rooms".to_owned(), value, line: 0, comment: Some(comment) });
        }
    }
    parts
}

/// An entry of the contract: the event as it was sent first, with the words of the contract at these places.
#[expect(clippy::too_many_arguments, reason = "one call for each entry of the contract")]
fn ask(
    words: &mut Words<'_>,
    tabs: &[Tab],
    guesses: &Guesses,
    event: &Event,
    at: &[(&str, &str)],
    mut more: Map<String, Json>,
    verb: &str,
    mut comment: String,
) -> Option<Part> {
    let is_it = |name: &str, namespace: &str| name == event.1 && namespace == event.0;
    let (tab, args) = tabs.iter().enumerate().find_map(|(index, tab)| {
        let (_, _, args, _) = tab.sent().find(|(said, name, args, _)| {
            is_it(name, &said.namespace) && at.iter().all(|(place, _)| text_at(args, place).is_some())
        })?;
        Some((index, args))
    })?;
    let mut written: Vec<Json> = args.iter().map(|arg| words.shared(tab, arg)).collect();
    for (place, word) in at {
        // A room may be named more than once.
        let text = text_at(args, place);
        let same = messages(args)
            .into_iter()
            .filter(|(other, same)| other == place || *word == "${room}" && Some(*same) == text);
        same.for_each(|(place, _)| put(&mut written, &place, word));
    }
    let args = written;
    let emit: Vec<Json> = [literal(&event.1).into()].into_iter().chain(args).collect();
    let mut value = Map::new();
    value.insert("emit".to_owned(), emit.into());
    if let Some(acknowledged) = guesses.acknowledged.get(event) {
        let how = if acknowledged.is_error_first { json!("error_first") } else { json!(true) };
        value.insert("ack".to_owned(), how);
        comment = format!("{comment}; {}", acknowledged.evidence);
    }
    value.append(&mut more);
    let comment = Some(comment.replace("; ", ";\n  "));
    Some(Part { name: verb.to_owned(), value: value.into(), line: 0, comment })
}

/// What connects a tab, and what its group says about that.
fn connect(
    words: &mut Words<'_>,
    role: usize,
    tabs: &[Tab],
    tab_number: usize,
    fields: &mut Map<String, Json>,
) -> Vec<Entry> {
    let tab = &tabs[tab_number];
    let transport = match (tab.has_polled, tab.has_websocket) {
        (true, true) => "upgrade",
        (true, false) => "polling",
        _ => "websocket",
    };
    fields.insert("transport".to_owned(), transport.into());
    if let Some(version) = tab.version.filter(|version| *version == Version::V3) {
        fields.insert("protocol".to_owned(), version.number().into());
    }
    if tab.parser == Parser::Msgpack {
        fields.insert("parser".to_owned(), tab.parser.name().into());
    }
    // What a request has told is known to the step alone that comes after it.
    let mut told = Map::new();
    for (field, pairs) in [("query", &tab.query), ("headers", &tab.headers)] {
        let (mut of_group, mut of_step) = (Map::new(), Map::new());
        for (name, value) in pairs {
            let part = if words.is_told(tab_number, value) { &mut of_step } else { &mut of_group };
            part.insert(name.clone(), words.said(role, name, &value.as_str().into(), 0.0));
        }
        for (fields, part) in [(&mut *fields, of_group), (&mut told, of_step)] {
            fields.extend((!part.is_empty()).then(|| (field.to_owned(), part.into())));
        }
    }
    let mut steps = Vec::new();
    let mut seen = BTreeSet::new();
    // A server of Socket.IO 2 puts every client into the main namespace unasked.
    if tab.version == Some(Version::V3) {
        seen.insert("/".to_owned());
        let connect = std::mem::take(&mut told);
        let step = if connect.is_empty() { json!("connect") } else { json!({ "connect": connect }) };
        steps.push(Entry::Step(step, 0));
    }
    for said in tab.said.iter().filter(|said| said.is_sent) {
        let What::Connect(auth) = &said.what else { continue };
        let namespace = said.namespace.split('?').next().unwrap_or_default().to_owned();
        if !seen.insert(namespace.clone()) {
            continue;
        }
        let is_answer = |heard: &&super::talk::Said| {
            !heard.is_sent && heard.namespace == namespace && heard.at >= said.at
        };
        let answer = tab
            .said
            .iter()
            .filter(is_answer)
            .find(|heard| matches!(heard.what, What::Connect(_) | What::Refusal(_)));
        let mut connect = std::mem::take(&mut told);
        if namespace != "/" {
            connect.insert("namespace".to_owned(), literal(&namespace).into());
        }
        if let Some(Json::Object(auth)) = auth {
            let entries =
                auth.iter().map(|(key, value)| (key.clone(), words.said(role, key, value, said.at)));
            connect.insert("auth".to_owned(), Json::Object(entries.collect()));
        }
        if answer.is_some_and(|answer| matches!(answer.what, What::Refusal(_))) {
            connect.insert("refused".to_owned(), true.into());
        }
        let step = if connect.is_empty() { json!("connect") } else { json!({ "connect": connect }) };
        steps.push(Entry::Step(step, 0));
    }
    steps
}
