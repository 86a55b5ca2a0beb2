//! A scenario while it is being made: its parts, their text, and the proof that the parser accepts them.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value as Json;

use super::flow_style::{flow, text};
use super::{Imported, Kind, Note};
use crate::document::{Source, shortened};
use crate::measure::format::printable;
use crate::scenario::{Surroundings, read};

/// The largest scenario that is written: the largest that `check` reads.
pub const MOST_BYTES: usize = crate::document::SIZE_LIMIT as usize;

/// So often the text is read again without what was refused. A draft that is refused more often is not worth writing.
const MOST_TRIES: usize = 200;

/// A group that would take a longer line has a line for each field.
const WIDTH: usize = 100;

/// A comment is cut to this many characters.
const COMMENT: usize = 160;

/// The parts of a scenario, in the order in which they are written.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    /// The comment at the head, line by line.
    pub(super) head: Vec<String>,
    pub(super) name: String,
    pub(super) vars: Vec<Part>,
    pub(super) groups: Vec<Part>,
    pub(super) contract: Vec<Part>,
    pub(super) acts: Vec<Act>,
    /// Demands, and the lines of the source that make them.
    pub(super) thresholds: Vec<(String, u32)>,
    pub(super) notes: Vec<Note>,
    pub(super) files: Vec<(String, String)>,
    pub(super) environment: Vec<String>,
}

/// A key with a value, and where in the source that comes from.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) value: Json,
    pub(super) line: u32,
    /// Line by line.
    pub(super) comment: Option<String>,
}

/// What the clients of some groups do side by side.
#[derive(Clone, Debug)]
pub(super) struct Act {
    pub(super) branches: Vec<(String, Vec<Entry>)>,
}

/// A line of what clients do.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    /// A step, and the line of the source that it comes from.
    Step(Json, u32),
    /// A `repeat`: its fields but the steps, the steps, and the line of the source.
    Repeat(Vec<(&'static str, Json)>, Vec<Entry>, u32),
    /// A comment of its own.
    Comment(String),
}

impl Draft {
    /// The scenario, read again by its parser. What that refuses is left out, and told.
    ///
    /// # Errors
    /// When the rest is still refused, or too large: why, in a sentence.
    pub(super) fn finish(mut self, surroundings: &Surroundings) -> Result<Imported, String> {
        let mut refused = BTreeMap::new();
        for _ in 0..MOST_TRIES {
            let written = Written::of(&self, &refused);
            if written.text.len() > MOST_BYTES {
                let kib = MOST_BYTES / 1024;
                return Err(format!("the scenario would be larger than {kib} KiB, the most that is read"));
            }
            let source = Source { name: "the scenario".into(), text: written.text };
            let mistake = match read(&source, surroundings) {
                Ok(_) => {
                    self.notes.sort_by_key(|note| (note.kind, note.line));
                    let Draft { notes, files, environment, .. } = self;
                    return Ok(Imported { text: source.text, notes, files, environment });
                }
                Err(mistake) => mistake,
            };
            let piece = written.pieces.iter().rposition(|piece| piece.holds(mistake.span.line));
            match piece.filter(|piece| !refused.contains_key(piece)) {
                Some(piece) => {
                    let line = written.pieces[piece].source;
                    let what = format!("a scenario cannot say this: {mistake}");
                    self.notes.push(Note { line, kind: Kind::LeftOut, what: what.clone() });
                    refused.insert(piece, what);
                }
                None => return Err(format!("no scenario can be made of it: {mistake}")),
            }
        }
        Err("no scenario can be made of it: too much of it has no counterpart".to_owned())
    }
}

/// Something that can be left out: the lines of the text that it takes, and the line of its source.
struct Piece {
    from: u32,
    to: u32,
    source: u32,
}

impl Piece {
    fn holds(&self, line: u32) -> bool {
        (self.from..=self.to).contains(&line)
    }
}

/// The text under way.
struct Written<'d> {
    text: String,
    lines: u32,
    /// Everything that can be left out, in the order of writing, whether it is left out or not.
    pieces: Vec<Piece>,
    refused: &'d BTreeMap<usize, String>,
}

impl<'d> Written<'d> {
    fn of(draft: &Draft, refused: &'d BTreeMap<usize, String>) -> Written<'d> {
        let mut written = Written { text: String::new(), lines: 0, pieces: Vec::new(), refused };
        written.whole(draft);
        written
    }

    fn whole(&mut self, draft: &Draft) {
        draft.head.iter().for_each(|line| self.comment(0, line));
        for (kind, title) in [
            (Kind::LeftOut, "Left out, because a scenario has no counterpart:"),
            (Kind::Changed, "Not quite as it was:"),
        ] {
            let mut notes: Vec<&Note> = draft.notes.iter().filter(|note| note.kind == kind).collect();
            notes.sort_by_key(|note| note.line);
            if !notes.is_empty() {
                self.comment(0, "");
                self.comment(0, title);
                notes.iter().for_each(|note| self.comment(0, &format!("  {note}")));
            }
        }
        self.line(0, &format!("name: {}", text(&draft.name)));
        self.parts("vars", &draft.vars);
        self.parts("clients", &draft.groups);
        self.parts("contract", &draft.contract);
        self.line(0, "script:");
        draft.acts.iter().for_each(|act| self.act(act));
        if !draft.thresholds.is_empty() {
            self.line(0, "thresholds:");
            for (demand, line) in &draft.thresholds {
                self.piece(*line, |me| me.line(2, &format!("- {demand}")));
            }
        }
    }

    fn parts(&mut self, key: &str, parts: &[Part]) {
        let live = (0..parts.len()).any(|n| !self.refused.contains_key(&(self.pieces.len() + n)));
        if !live {
            // Each piece keeps its number, whatever is left out.
            self.pieces.extend(parts.iter().map(|part| Piece { from: 1, to: 0, source: part.line }));
            return;
        }
        self.line(0, &format!("{key}:"));
        for part in parts {
            self.piece(part.line, |me| {
                part.comment.iter().flat_map(|comment| comment.lines()).for_each(|line| me.comment(2, line));
                me.part(part);
            });
        }
    }

    /// In one line, or field by field where that would be long.
    fn part(&mut self, part: &Part) {
        let line = format!("{}: {}", text(&part.name), flow(&part.value));
        match &part.value {
            Json::Object(fields) if line.chars().count() > WIDTH => {
                self.line(2, &format!("{}:", text(&part.name)));
                for (key, value) in fields {
                    self.line(4, &format!("{}: {}", text(key), flow(value)));
                }
            }
            _ => self.line(2, &line),
        }
    }

    fn act(&mut self, act: &Act) {
        match act.branches.as_slice() {
            [(group, steps)] => {
                self.line(2, &format!("- {}:", text(group)));
                self.steps(6, steps);
            }
            branches => {
                self.line(2, "- together:");
                for (group, steps) in branches {
                    self.line(6, &format!("- {}:", text(group)));
                    self.steps(10, steps);
                }
            }
        }
    }

    fn steps(&mut self, depth: usize, steps: &[Entry]) {
        let before = self.text.len();
        steps.iter().for_each(|entry| self.entry(depth, entry));
        // A list that holds nothing but comments is no list.
        let is_step = |line: &str| line.trim_start().starts_with("- ");
        if !self.text[before..].lines().any(is_step) {
            self.line(depth, "- wait: 0s");
        }
    }

    fn entry(&mut self, depth: usize, entry: &Entry) {
        match entry {
            Entry::Comment(comment) => self.comment(depth, comment),
            Entry::Step(step, line) => {
                self.piece(*line, |me| me.line(depth, &format!("- {}", step_text(step))))
            }
            Entry::Repeat(fields, steps, line) => self.piece(*line, |me| {
                me.line(depth, "- repeat:");
                for (key, value) in fields {
                    me.line(depth + 4, &format!("{key}: {}", flow(value)));
                }
                me.line(depth + 4, "steps:");
                me.steps(depth + 6, steps);
            }),
        }
    }

    /// Writes what can be left out, or why it is.
    fn piece(&mut self, source: u32, write: impl FnOnce(&mut Self)) {
        let (index, from, before) = (self.pieces.len(), self.lines + 1, self.text.len());
        self.pieces.push(Piece { from, to: from, source });
        write(self);
        if let Some(why) = self.refused.get(&index) {
            // Written all the same, so that what stands in it keeps its number.
            let depth = self.text[before..].len() - self.text[before..].trim_start_matches(' ').len();
            self.text.truncate(before);
            self.lines = from - 1;
            self.comment(depth, why);
            self.pieces[index + 1..].iter_mut().for_each(|inner| (inner.from, inner.to) = (1, 0));
        }
        self.pieces[index].to = self.lines;
    }

    fn line(&mut self, depth: usize, line: &str) {
        let _ = writeln!(self.text, "{:depth$}{line}", "");
        self.lines += 1;
    }

    fn comment(&mut self, depth: usize, comment: &str) {
        let comment = printable(comment);
        self.line(depth, format!("# {}", shortened(&comment, COMMENT)).trim_end());
    }
}

/// A step as an item of a list: `emit: { event: join }` or the bare word `connect`.
fn step_text(step: &Json) -> String {
    match step {
        Json::Object(entries) if entries.len() == 1 => {
            let one = entries.iter().map(|(key, value)| format!("{}: {}", text(key), flow(value)));
            one.collect()
        }
        step => flow(step),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn draft(steps: Vec<Entry>) -> Draft {
        let part = |name: &str, value| Part { name: name.into(), value, line: 3, comment: None };
        Draft {
            head: vec!["made of a\nfile".into()],
            name: "yes".into(),
            groups: vec![part("users", json!({ "count": 2 }))],
            acts: vec![Act { branches: vec![("users".into(), steps)] }],
            ..Draft::default()
        }
    }

    fn finish(draft: Draft) -> Imported {
        draft.finish(&Surroundings::new(|_| None, |_| Err("there is none".into()))).expect("it can be made")
    }

    #[test]
    fn what_the_parser_refuses_is_left_out_and_told_with_the_line_of_the_source() {
        let inner = vec![
            Entry::Step(json!({ "emit": { "evnt": "a" } }), 7),
            Entry::Step(json!({ "emit": { "event": "b" } }), 8),
        ];
        let imported = finish(draft(vec![
            Entry::Step(json!("connect"), 5),
            Entry::Repeat(vec![("times", json!(2))], inner, 6),
            Entry::Step(json!({ "wait": "soon" }), 9),
        ]));
        let lines: Vec<u32> = imported.notes.iter().map(|note| note.line).collect();
        assert_eq!(lines, [7, 9], "{:?}", imported.notes);
        assert!(imported.text.contains("- emit: { event: b }"), "{}", imported.text);
        assert!(!imported.text.contains("- wait"), "{}", imported.text);
    }

    #[test]
    fn steps_of_which_none_is_left_still_make_a_scenario() {
        let imported = finish(draft(vec![Entry::Step(json!({ "nothing": 1 }), 5)]));
        assert!(imported.text.contains("- wait: 0s"), "{}", imported.text);
    }

    #[test]
    fn a_variable_that_nothing_uses_is_left_out() {
        let unused = Part { name: "token".into(), value: json!("x"), line: 2, comment: None };
        let imported = finish(Draft { vars: vec![unused], ..draft(vec![Entry::Step(json!("connect"), 5)]) });
        assert!(!imported.text.contains("vars:"), "{}", imported.text);
        assert_eq!(imported.notes[0].line, 2);
    }
}
