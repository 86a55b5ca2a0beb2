//! What a group says: the events of its tab, as steps.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::guessed::{Broadcast, Guesses, Personal};
use super::keys::{AS_TEXT, BYTES};
use super::look::is_error;
use super::opening::Openings;
use super::origin::{Event, Teller, is_of_bytes, text_at, value_at};
use super::roles::Role;
use super::seen::{ENTER, is_called, room_of};
use super::talk::{Said, Tab};
use super::words::{Needed, Words, literal, put};
use crate::importer::draft::Entry;
use crate::importer::{Kind, Note};

/// So many events of a tab are in the scenario.
const MOST_EVENTS: usize = 300;

/// A pause of the person who was recorded is no longer than this in the scenario, in seconds.
const LONGEST_PAUSE: f64 = 3.0;

/// No generated message is shorter, in bytes: a stamp has to stand in it.
const STAMPED: u64 = crate::audit::stamp::LENGTH as u64;

/// Pauses that are shorter are left out, in seconds.
const SHORTEST_PAUSE: f64 = 0.05;

/// How long a client waits for what it has to hear before it goes on.
pub(super) const WITHIN: &str = "10s";

/// Writes the steps of all groups.
pub(super) struct Steps<'s> {
    tabs: &'s [Tab],
    guesses: &'s Guesses,
    roles: &'s [Role],
    openings: &'s Openings,
    /// When something was said, and when it is said in the scenario, in seconds: nobody waits for a pause of all.
    clock: Vec<(f64, f64)>,
    /// Events that name a room, by which tabs begin that speak later: who does not say them may hear nothing.
    entries: BTreeSet<Event>,
    /// The events for which others have been told to wait already.
    told: BTreeSet<Event>,
}

/// A step that has to keep something, as steps keep events or acknowledgements.
pub(super) fn capture_step(event: &Event, name: &str, times: usize) -> Json {
    let mut fields = Map::new();
    fields.insert("event".to_owned(), literal(&event.1).into());
    if event.0 != "/" {
        fields.insert("namespace".to_owned(), literal(&event.0).into());
    }
    if times > 1 {
        fields.insert("times".to_owned(), times.into());
    }
    fields.insert("capture".to_owned(), name.into());
    fields.insert("within".to_owned(), WITHIN.into());
    json!({ "expect": fields })
}

fn event_of(said: &Said, name: &str) -> Event {
    (said.namespace.clone(), name.to_owned())
}

impl<'s> Steps<'s> {
    pub(super) fn new(
        tabs: &'s [Tab],
        guesses: &'s Guesses,
        roles: &'s [Role],
        openings: &'s Openings,
    ) -> Steps<'s> {
        let (clock, told, entries) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        let mut steps = Steps { tabs, guesses, roles, openings, clock, entries, told };
        steps.entries = roles.iter().flat_map(|role| steps.entries_of(&tabs[role.tab])).collect();
        let times = roles.iter().enumerate().flat_map(|(number, role)| {
            let tab = &tabs[role.tab];
            tab.sent()
                .skip(steps.begins(tab).max(steps.opens(number)))
                .take(MOST_EVENTS)
                .map(|(said, ..)| said.at)
        });
        let mut times: Vec<f64> = times.collect();
        times.sort_by(f64::total_cmp);
        let (mut before, mut now) = (times.first().copied().unwrap_or_default(), 0.0);
        for time in times {
            now += (time - before).clamp(0.0, LONGEST_PAUSE);
            before = time;
            steps.clock.push((time, now));
        }
        steps
    }

    /// Whether a tab says something by an event that others hear, and not only that it is there.
    fn speaks(&self, event: &Event, args: &[Json]) -> bool {
        let broadcast = self.guesses.broadcasts.get(event).filter(|_| !is_called(event, &ENTER));
        broadcast.is_some_and(|broadcast| text_at(args, &broadcast.text).is_some())
    }

    /// The events that name a room, which a tab sent once, before it first spoke.
    fn entries_of(&self, tab: &Tab) -> Vec<Event> {
        let events: Vec<_> = tab.sent().map(|(said, name, args, _)| (event_of(said, name), args)).collect();
        let Some(first) = events.iter().position(|(event, args)| self.speaks(event, args)) else {
            return Vec::new();
        };
        let is_sent_once = |event: &Event| events.iter().filter(|(other, _)| other == event).count() == 1;
        let entries =
            events[..first].iter().filter(|(event, args)| room_of(args).is_some() && is_sent_once(event));
        entries.map(|(event, _)| event.clone()).collect()
    }

    /// How many events of a tab come before the others need to be there: up to its last join, or its name, before it first speaks.
    fn begins(&self, tab: &Tab) -> usize {
        let events: Vec<_> = tab.sent().map(|(said, name, args, _)| (event_of(said, name), args)).collect();
        let first = events.iter().position(|(event, args)| self.speaks(event, args));
        let is_entry = |(event, args): &(Event, &[Json])| {
            self.guesses.joins.contains_key(event)
                || is_called(event, &ENTER)
                || self.entries.contains(event)
                || !self.guesses.names(event, args).is_empty()
        };
        events[..first.unwrap_or(events.len())].iter().rposition(is_entry).map_or(0, |last| last + 1)
    }

    /// How many events of a group come first, as others need what it is told then.
    fn opens(&self, role: usize) -> usize {
        let openings = self.openings.get(&role).into_iter().flatten();
        openings.map(|opening| opening.after + 1).max().unwrap_or_default().min(MOST_EVENTS)
    }

    /// When something is said in the scenario.
    fn time(&self, at: f64) -> f64 {
        let index = self.clock.partition_point(|(time, _)| *time < at);
        self.clock.get(index).map_or(0.0, |(_, now)| *now)
    }

    /// What a group says: up to what others need of it, up to its last join before the first broadcast, and after it.
    pub(super) fn of(
        &mut self,
        role: usize,
        words: &mut Words<'_>,
        notes: &mut Vec<Note>,
    ) -> [Vec<Entry>; 3] {
        let tab = &self.tabs[self.roles[role].tab];
        let events: Vec<_> = tab.sent().collect();
        let opens = self.opens(role);
        let begins = self.begins(tab).max(opens);
        let mut kept_for_others = Vec::new();
        let mut written: Vec<Vec<Entry>> = Vec::new();
        let mut last_of: BTreeMap<Event, Vec<usize>> = BTreeMap::new();
        let (mut kept, mut consumed) = (BTreeSet::new(), BTreeMap::new());
        let mut now = 0.0;
        for (index, (said, name, args, id)) in events.iter().take(MOST_EVENTS).enumerate() {
            let event = event_of(said, name);
            let mut entries = Vec::new();
            if index >= begins {
                let time = self.time(said.at);
                if time - now >= SHORTEST_PAUSE {
                    let pause = format!("{}ms", ((time - now) * 1e3).round());
                    entries.push(Entry::Step(json!({ "wait": pause }), 0));
                    now = time;
                }
            }
            if let Some(evidence) = self.guesses.echoes.get(&event)
                && self.told.insert(event.clone())
            {
                entries.push(Entry::Comment(format!("guessed: others hear `{name}`: {evidence}")));
            }
            let answer = id.and_then(|id| tab.acknowledgement(said, id));
            let mut step = self.step(role, words, said, &event, args, answer);
            for Needed { teller, times, name } in words.take_needed() {
                if !kept.insert((teller.clone(), times)) {
                    continue;
                }
                match &teller {
                    Teller::Event(heard) => {
                        let before: &mut usize = consumed.entry(heard.clone()).or_insert(0);
                        let more = times.saturating_sub(*before).max(1);
                        *before = times.max(*before);
                        entries.push(Entry::Step(capture_step(heard, &name, more), 0));
                    }
                    Teller::Ack(sent) => {
                        let of = last_of.get(sent).and_then(|all| all.get(times - 1));
                        if let Some(Entry::Step(step, _)) = of.and_then(|of| written.get_mut(*of)?.last_mut())
                        {
                            keep_answer(step, &name);
                        }
                    }
                    Teller::Connect => {}
                }
            }
            let openings = self.openings.get(&role).into_iter().flatten();
            for opening in openings.filter(|opening| opening.after == index) {
                if !kept.insert((opening.teller.clone(), opening.times)) {
                    continue;
                }
                let name = words.capture(&opening.teller, opening.times);
                match &opening.teller {
                    Teller::Event(heard) => {
                        let before: &mut usize = consumed.entry(heard.clone()).or_insert(0);
                        let more = opening.times.saturating_sub(*before).max(1);
                        *before = opening.times.max(*before);
                        kept_for_others.push(Entry::Step(capture_step(heard, &name, more), 0));
                    }
                    Teller::Ack(_) => keep_answer(&mut step, &name),
                    Teller::Connect => {}
                }
            }
            entries.push(Entry::Step(step, 0));
            if answer.is_some() {
                last_of.entry(event).or_default().push(written.len());
            }
            written.push(entries);
        }
        if events.len() > MOST_EVENTS {
            let what =
                format!("a tab sent {} events: the first {MOST_EVENTS} are in the scenario", events.len());
            notes.push(Note { line: 0, kind: Kind::LeftOut, what });
        }
        let rest = written.split_off(begins.min(written.len()));
        let mut joins = written.split_off(opens.min(written.len()));
        let is_named = |one: &Broadcast| matches!(one.personal, Some(Personal::Named(_)));
        if !joins.is_empty() && self.guesses.broadcasts.values().any(is_named) {
            // Nobody is owed a message whose name the server has not read yet.
            joins.push(vec![Entry::Step(json!("fence"), 0)]);
        }
        written.push(kept_for_others);
        [written, joins, rest].map(|part| part.into_iter().flatten().collect())
    }

    fn step(
        &self,
        role: usize,
        words: &mut Words<'_>,
        said: &Said,
        event: &Event,
        args: &[Json],
        answer: Option<&[Json]>,
    ) -> Json {
        let guesses = self.guesses;
        let in_namespace = |mut fields: Map<String, Json>| {
            if event.0 != "/" {
                fields.insert("namespace".to_owned(), literal(&event.0).into());
            }
            Json::Object(fields)
        };
        let is_refused = answer.is_some_and(is_error);
        for (verb, rooms) in [("join", &guesses.joins), ("leave", &guesses.leaves)] {
            if let Some((_, place)) = rooms.iter().next().filter(|(first, _)| *first == event)
                && let Some(room) = text_at(args, &place.place).filter(|_| !is_refused)
            {
                let room = words.said_text(role, "room", room, said.at);
                return match event.0.as_str() {
                    "/" => json!({ verb: room }),
                    _ => {
                        json!({ verb: in_namespace([("room".to_owned(), room.into())].into_iter().collect()) })
                    }
                };
            }
        }
        let room = |broadcast, words: &mut Words<'_>| {
            let room = guesses.room_place(broadcast).and_then(|place| text_at(args, place))?;
            Some(words.said_text(role, "room", room, said.at))
        };
        if let Some(broadcast) = guesses.of_contract(event).filter(|_| !is_refused)
            && let Some(text) = text_at(args, &broadcast.text)
        {
            let mut fields = Map::new();
            if let Some(room) = room(broadcast, words) {
                fields.insert("to".to_owned(), room.into());
            }
            match size_at(args, &broadcast.text) {
                Some(size) => fields.insert("bytes".to_owned(), size.max(STAMPED).into()),
                None => {
                    let text = words.said_text(role, "text", text, said.at);
                    fields.insert("args".to_owned(), json!([text]))
                }
            };
            return json!({ "broadcast": in_namespace(fields) });
        }
        let mut sent: Vec<Json> = args.iter().map(|arg| words.said(role, "", arg, said.at)).collect();
        let mut fields = Map::new();
        fields.insert("event".to_owned(), literal(&event.1).into());
        let mut tells = None;
        if let Some(broadcast) = guesses.broadcasts.get(event).filter(|_| !is_refused)
            && let Some(text) = text_at(args, &broadcast.text)
        {
            let text = match is_of_bytes(&broadcast.text) {
                true => "${stamp}".to_owned(),
                false => format!("{} ${{stamp}}", words.said_text(role, "text", text, said.at)),
            };
            put(&mut sent, &broadcast.text, &text);
            let mut told = Map::new();
            told.insert("event".to_owned(), literal(&broadcast.arrives_as).into());
            if let Some(room) = room(broadcast, words) {
                told.insert("to".to_owned(), room.into());
            }
            if let Some(reaches) = guesses.reaches(broadcast) {
                told.insert("reaches".to_owned(), reaches.into());
            }
            if let Some(namespace) = broadcast.elsewhere(event) {
                told.insert("namespace".to_owned(), literal(namespace).into());
            }
            tells = Some(told);
        }
        if !sent.is_empty() {
            fields.insert("args".to_owned(), sent.into());
        }
        if answer.is_some() && guesses.acknowledged.contains_key(event) {
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

/// How many bytes stand at a place, if bytes do.
fn size_at(args: &[Json], place: &str) -> Option<u64> {
    let bytes = place.strip_suffix(AS_TEXT)?.trim_end_matches('/');
    value_at(args, bytes)?[BYTES].as_u64()
}

/// Makes a step keep its acknowledgement.
fn keep_answer(step: &mut Json, name: &str) {
    let Some((verb, fields)) = step.as_object_mut().and_then(|step| step.iter_mut().next()) else { return };
    if let Json::String(room) = fields {
        *fields = json!({ "room": room.clone() });
    }
    if ["emit", "join", "broadcast"].contains(&verb.as_str()) {
        fields["ack"] = json!({ "capture": name });
    }
}
