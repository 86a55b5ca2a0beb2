//! The scenario: groups, a contract, and what each group says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::guess::{Broadcast, Event, Guesses, text_at};
use super::hidden::Hidden;
use super::talk::{Said, Tab, What};
use crate::importer::draft::{Act, Draft, Entry, Part};
use crate::importer::{Kind, Note};
use crate::measure::format::printable;

/// So many events of a tab are in the scenario.
const MOST_EVENTS: usize = 300;

/// A pause of the person who was recorded is no longer than this in the scenario, in seconds.
const LONGEST_PAUSE: f64 = 3.0;

/// Pauses that are shorter are left out.
const SHORTEST_PAUSE: f64 = 0.05;

/// Tabs that sent the same events: one group.
struct Role<'t> {
    name: String,
    /// The tab that sent most.
    tab: &'t Tab,
    count: usize,
}

pub(super) fn draft(
    name: &str,
    output: &str,
    tabs: &[Tab],
    guesses: &Guesses,
    hidden: &mut Hidden,
    mut notes: Vec<Note>,
) -> Draft {
    let roles = roles(tabs, guesses);
    let mut writer = Writer { guesses, hidden, notes: &mut notes };
    let contract = writer.contract(tabs);
    let mut groups = Vec::new();
    let (mut connects, mut joins, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    for role in &roles {
        let mut fields = Map::new();
        fields.insert("count".to_owned(), json!(role.count));
        let comment = format!("{} tab(s) that sent the same events", role.count);
        connects.push((role.name.clone(), writer.connect(role.tab, &mut fields)));
        groups.push(Part { name: role.name.clone(), value: fields.into(), line: 0, comment: Some(comment) });
        let (first, second) = writer.steps(role.tab);
        joins.extend((!first.is_empty()).then(|| (role.name.clone(), first)));
        rest.extend((!second.is_empty()).then(|| (role.name.clone(), second)));
    }
    let all = |step: &str| Act { branches: vec![("all".to_owned(), vec![Entry::Step(json!(step), 0)])] };
    let acts = [connects, joins, rest].into_iter().filter(|branches| !branches.is_empty());
    let acts: Vec<Act> = acts.map(|branches| Act { branches }).chain([all("disconnect")]).collect();
    let first = tabs.iter().find(|tab| tab.is_connected());
    let origin = first.map_or("http://localhost:3000", |tab| tab.origin.as_str());
    let path = first
        .map(|tab| tab.path.trim_end_matches('/'))
        .filter(|path| *path != "/socket.io" && !path.is_empty());
    let path = path.map(|path| format!(" --path {path}")).unwrap_or_default();
    let file = if output == "-" { "scenario.yaml" } else { output };
    Draft {
        head: vec![
            format!("Made of {name}, a recording of {} tab(s), by sockrates.", tabs.len()),
            String::new(),
            format!("  sockrates check {file}"),
            format!("  sockrates run {file} --url {origin}{path}"),
            format!("  sockrates run {file} --url {origin}{path} --clients 1000"),
            String::new(),
            "What the events mean is guessed; each guess has its evidence beside it. Change what is wrong."
                .to_owned(),
        ],
        name: format!("{}, recorded", stem(name)),
        vars: hidden.vars(),
        groups,
        contract,
        acts,
        notes,
        ..Draft::default()
    }
}

/// The groups: tabs that sent the same events.
fn roles<'t>(tabs: &'t [Tab], guesses: &Guesses) -> Vec<Role<'t>> {
    let mut found: Vec<(BTreeSet<Event>, Vec<&'t Tab>)> = Vec::new();
    for tab in tabs.iter().filter(|tab| tab.is_connected()) {
        let sent: BTreeSet<Event> =
            tab.sent().map(|(said, name, ..)| (said.namespace.clone(), name.to_owned())).collect();
        match found.iter_mut().find(|(known, _)| *known == sent) {
            Some((_, members)) => members.push(tab),
            None => found.push((sent, vec![tab])),
        }
    }
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    let mut roles = Vec::new();
    for (sent, members) in found {
        let word = match sent.iter().any(|event| guesses.broadcasts.contains_key(event)) {
            true => "talkers",
            false if sent.is_empty() => "listeners",
            false => "visitors",
        };
        let number = names.entry(word).or_default();
        *number += 1;
        let name = if *number == 1 { word.to_owned() } else { format!("{word}_{number}") };
        let count = members.len();
        let longest = members.into_iter().max_by_key(|tab| tab.sent().count());
        roles.extend(longest.map(|tab| Role { name, tab, count }));
    }
    roles
}

struct Writer<'w> {
    guesses: &'w Guesses,
    hidden: &'w mut Hidden,
    notes: &'w mut Vec<Note>,
}

impl Writer<'_> {
    /// The contract, with the evidence for each of its entries.
    fn contract(&mut self, tabs: &[Tab]) -> Vec<Part> {
        let mut parts = Vec::new();
        let asks = [("join", &self.guesses.joins), ("leave", &self.guesses.leaves)];
        for (verb, events) in asks {
            let Some((event, rooms)) = events.iter().next() else { continue };
            let Some(args) = first_args(tabs, event) else { continue };
            let value = self.ask(event, &args, &[(&rooms.place, "${room}")], Map::new());
            let comment = format!("guessed: `{}` is a {verb}: {}", event.1, rooms.evidence);
            parts.push(Part { name: verb.to_owned(), value, line: 0, comment: Some(comment) });
        }
        if let Some((event, broadcast)) = self.guesses.main()
            && let Some(args) = first_args(tabs, event)
        {
            let mut more = Map::new();
            if broadcast.arrives_as != event.1 {
                more.insert("arrives_as".to_owned(), literal(&broadcast.arrives_as).into());
            }
            more.insert(
                "reaches".to_owned(),
                if broadcast.reaches_sender { "everyone" } else { "others" }.into(),
            );
            let mut words = vec![(&broadcast.text, "${body}")];
            words.extend(self.room(broadcast).map(|place| (place, "${room}")));
            let value = self.ask(event, &args, &words, more);
            let comment = format!("guessed: `{}` is a broadcast: {}", event.1, broadcast.evidence);
            parts.push(Part { name: "broadcast".to_owned(), value, line: 0, comment: Some(comment) });
        }
        parts
    }

    /// Where a broadcast names its room; nowhere if nobody joins one.
    fn room<'b>(&self, broadcast: &'b Broadcast) -> Option<&'b String> {
        broadcast.room.as_ref().filter(|_| !self.guesses.joins.is_empty())
    }

    fn ask(
        &mut self,
        event: &Event,
        args: &[Json],
        words: &[(&String, &str)],
        more: Map<String, Json>,
    ) -> Json {
        let mut args: Vec<Json> = args.iter().map(|arg| self.hidden.value("", arg)).collect();
        words.iter().for_each(|(place, word)| put(&mut args, place, word));
        let emit: Vec<Json> = [literal(&event.1).into()].into_iter().chain(args).collect();
        let mut ask = Map::new();
        ask.insert("emit".to_owned(), emit.into());
        if self.guesses.acknowledged.contains(event) {
            ask.insert("ack".to_owned(), true.into());
        }
        ask.extend(more);
        ask.into()
    }

    /// What connects a tab, and what its group says about that.
    fn connect(&mut self, tab: &Tab, fields: &mut Map<String, Json>) -> Vec<Entry> {
        let transport = match (tab.has_polled, tab.has_websocket) {
            (true, true) => "upgrade",
            (true, false) => "polling",
            _ => "websocket",
        };
        fields.insert("transport".to_owned(), transport.into());
        if !tab.query.is_empty() {
            let query =
                tab.query.iter().map(|(name, value)| (name.clone(), self.hidden.text(name, value).into()));
            fields.insert("query".to_owned(), Json::Object(query.collect()));
        }
        let mut steps = Vec::new();
        let mut seen = BTreeSet::new();
        for said in tab.said.iter().filter(|said| said.is_sent) {
            let What::Connect(auth) = &said.what else { continue };
            if !seen.insert(said.namespace.clone()) {
                continue;
            }
            let mut connect = Map::new();
            if said.namespace != "/" {
                let namespace = said.namespace.split('?').next().unwrap_or_default();
                connect.insert("namespace".to_owned(), literal(namespace).into());
            }
            if let Some(auth) = auth {
                // Whatever is sent here may let somebody in.
                let hidden = match auth {
                    Json::Object(map) => map
                        .iter()
                        .map(|(key, value)| match value {
                            Json::String(text) => (key.clone(), Json::from(self.hidden.text(key, text))),
                            other => (key.clone(), self.hidden.value(key, other)),
                        })
                        .collect(),
                    _ => Map::new(),
                };
                connect.insert("auth".to_owned(), hidden.into());
            }
            steps.push(Entry::Step(
                if connect.is_empty() { json!("connect") } else { json!({ "connect": connect }) },
                0,
            ));
        }
        steps
    }

    /// What a tab says: up to its last join before the first broadcast, and after it.
    fn steps(&mut self, tab: &Tab) -> (Vec<Entry>, Vec<Entry>) {
        let events: Vec<_> = tab.sent().collect();
        let event_of = |said: &Said, name: &str| (said.namespace.clone(), name.to_owned());
        let first = events
            .iter()
            .position(|(said, name, ..)| self.guesses.broadcasts.contains_key(&event_of(said, name)));
        let joined = events[..first.unwrap_or(events.len())]
            .iter()
            .rposition(|(said, name, ..)| self.guesses.joins.contains_key(&event_of(said, name)))
            .map_or(0, |last| last + 1);
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let mut last: Option<f64> = None;
        for (index, (said, name, args, id)) in events.iter().take(MOST_EVENTS).enumerate() {
            let out = if index < joined { &mut before } else { &mut after };
            let pause = last.map_or(0.0, |last| (said.at - last).min(LONGEST_PAUSE));
            if index >= joined && pause >= SHORTEST_PAUSE {
                out.push(Entry::Step(json!({ "wait": format!("{}ms", (pause * 1e3).round()) }), 0));
            }
            last = Some(said.at);
            let step = self.step(&event_of(said, name), args, *id);
            out.push(Entry::Step(step, 0));
        }
        if events.len() > MOST_EVENTS {
            let what =
                format!("a tab sent {} events: the first {MOST_EVENTS} are in the scenario", events.len());
            self.notes.push(Note { line: 0, kind: Kind::LeftOut, what });
        }
        (before, after)
    }

    fn step(&mut self, event: &Event, args: &[Json], id: Option<u64>) -> Json {
        let guesses = self.guesses;
        let in_namespace = |mut fields: Map<String, Json>| {
            if event.0 != "/" {
                fields.insert("namespace".to_owned(), literal(&event.0).into());
            }
            Json::Object(fields)
        };
        for (verb, rooms) in [("join", &guesses.joins), ("leave", &guesses.leaves)] {
            if let Some((_, place)) = rooms.iter().next().filter(|(first, _)| *first == event)
                && let Some(room) = text_at(args, &place.place)
            {
                let room = self.hidden.text("room", room);
                return match event.0.as_str() {
                    "/" => json!({ verb: room }),
                    _ => {
                        json!({ verb: in_namespace([("room".to_owned(), room.into())].into_iter().collect()) })
                    }
                };
            }
        }
        if let Some((_, broadcast)) = guesses.main().filter(|(main, _)| *main == event)
            && let Some(text) = text_at(args, &broadcast.text)
        {
            let mut fields = Map::new();
            if let Some(room) = self.room(broadcast).and_then(|place| text_at(args, place)) {
                fields.insert("to".to_owned(), self.hidden.text("room", room).into());
            }
            fields.insert("args".to_owned(), json!([self.hidden.text("text", text)]));
            return json!({ "broadcast": in_namespace(fields) });
        }
        let mut sent: Vec<Json> = args.iter().map(|arg| self.hidden.value("", arg)).collect();
        let mut fields = Map::new();
        fields.insert("event".to_owned(), literal(&event.1).into());
        let mut tells = None;
        if let Some(broadcast) = guesses.broadcasts.get(event)
            && let Some(text) = text_at(args, &broadcast.text)
        {
            let text = format!("{} ${{stamp}}", self.hidden.text("text", text));
            put(&mut sent, &broadcast.text, &text);
            let mut told = Map::new();
            told.insert("event".to_owned(), literal(&broadcast.arrives_as).into());
            if let Some(room) = self.room(broadcast).and_then(|place| text_at(args, place)) {
                told.insert("to".to_owned(), self.hidden.text("room", room).into());
            }
            told.insert(
                "reaches".to_owned(),
                if broadcast.reaches_sender { "everyone" } else { "others" }.into(),
            );
            tells = Some(told);
        }
        if !sent.is_empty() {
            fields.insert("args".to_owned(), sent.into());
        }
        if id.is_some() && guesses.acknowledged.contains(event) {
            fields.insert("ack".to_owned(), true.into());
        }
        if let Some(answer) = guesses.responses.get(event) {
            fields.insert("response".to_owned(), json!({ "event": literal(answer) }));
        }
        if let Some(told) = tells {
            fields.insert("tells".to_owned(), told.into());
        }
        json!({ "emit": in_namespace(fields) })
    }
}

/// The arguments with which an event was sent first.
fn first_args(tabs: &[Tab], event: &Event) -> Option<Vec<Json>> {
    tabs.iter().find_map(|tab| {
        tab.sent()
            .find(|(said, name, ..)| said.namespace == event.0 && *name == event.1)
            .map(|(_, _, args, _)| args.to_vec())
    })
}

/// Puts a text at a place of some arguments.
fn put(args: &mut [Json], place: &str, text: &str) {
    let mut parts = place.trim_start_matches('/').splitn(2, '/');
    let index = parts.next().and_then(|index| index.parse::<usize>().ok());
    let Some(first) = index.and_then(|index| args.get_mut(index)) else { return };
    let target = match parts.next() {
        None => Some(first),
        Some(rest) => first.pointer_mut(&format!("/{rest}")),
    };
    if let Some(target) = target {
        *target = text.into();
    }
}

fn literal(text: &str) -> String {
    text.replace("${", "$${")
}

fn stem(path: &str) -> String {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    printable(file.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or("page"))
}
