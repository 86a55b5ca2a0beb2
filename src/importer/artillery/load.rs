//! Phases into a number of clients and the rates at which they arrive.

use serde_json::{Map, Value as Json, json};

use super::names::{Names, of_environment};
use super::{changed, entries, get, left_out};
use crate::document::{Node, Value};
use crate::importer::Note;
use crate::scenario::MOST_CLIENTS;

/// A rate so low that nobody arrives in a pause.
const NOBODY: f64 = 1e-6;

/// How the virtual users arrive.
pub(super) struct Load {
    stages: Vec<Stage>,
    /// All users of all phases.
    users: f64,
    /// Whether the script says something of phases.
    has_phases: bool,
}

/// A phase in which users arrive, or nobody does.
struct Stage {
    from: f64,
    to: f64,
    seconds: f64,
}

impl Load {
    pub(super) fn of(phases: Option<&Node>, names: &mut Names, notes: &mut Vec<Note>) -> Load {
        let phases = phases.map(Node::items).unwrap_or_default();
        let mut stages: Vec<Stage> =
            phases.iter().filter_map(|phase| Stage::read(phase, names, notes)).collect();
        while stages.first().is_some_and(Stage::is_pause) {
            stages.remove(0);
        }
        while stages.last().is_some_and(Stage::is_pause) {
            stages.pop();
        }
        let mut users: f64 = stages.iter().map(Stage::users).sum();
        if stages.is_empty() {
            users = 1.0;
        }
        let most = f64::from(MOST_CLIENTS) / 2.0;
        if users > most {
            let line = phases.first().map_or(0, |phase| phase.span.line);
            changed(
                notes,
                line,
                format!("{users:.0} virtual users are more than a scenario takes: {most:.0} arrive"),
            );
            users = most;
        }
        Load { stages, users, has_phases: !phases.is_empty() }
    }

    /// Writes the number of clients of a group that has this share of all users, and when they arrive.
    pub(super) fn write(&self, share: f64, fields: &mut Map<String, Json>) {
        let count = (self.users * share).round().max(1.0);
        fields.insert("count".to_owned(), json!(count as u64));
        let stages: Vec<Json> = self.stages.iter().map(|stage| stage.written(share)).collect();
        let arrive = match stages.as_slice() {
            [] => return,
            [one] => match one.get("rate") {
                Some(rate) => rate.clone(),
                None => one.clone(),
            },
            _ => Json::Array(stages),
        };
        fields.insert("arrive".to_owned(), arrive);
    }

    /// How many users arrive, in words.
    pub(super) fn words(&self) -> String {
        let seconds: f64 = self.stages.iter().map(|stage| stage.seconds).sum();
        let words = match self.stages.is_empty() {
            true if self.has_phases => {
                return "No phase of the script says how many arrive: one virtual user.".to_owned();
            }
            true => return "The script has no phases: one virtual user.".to_owned(),
            false => format!("{:.0} virtual users arrive within {seconds} s.", self.users.max(1.0)),
        };
        match self.users > 20.0 {
            true => format!("{words} Try it with few at first: --clients 10."),
            false => words,
        }
    }
}

impl Stage {
    fn read(phase: &Node, names: &mut Names, notes: &mut Vec<Note>) -> Option<Stage> {
        let line = phase.span.line;
        if !matches!(phase.value, Value::Map(_)) {
            left_out(notes, line, "a phase that is no map");
            return None;
        }
        for (key, _, line) in entries(phase) {
            match key {
                "duration" | "arrivalRate" | "arrivalCount" | "rampTo" | "pause" | "name" | "index" => {}
                "maxVusers" => {
                    left_out(notes, line, "`maxVusers`: the number of users at a time has no limit")
                }
                _ => left_out(notes, line, format!("`{key}` of a phase")),
            }
        }
        let mut number = |name: &str, read: fn(&Node) -> Option<f64>| {
            let node = get(phase, name)?;
            let value = read(&names.constant(node)).filter(|value| (0.0..1e9).contains(value));
            if value.is_none() {
                let what = match of_environment(node) {
                    Some(variable) => {
                        format!(
                            "`{name}`: the environment variable `{variable}` is no number while you import"
                        )
                    }
                    None => format!("`{name}`: sockrates needs a number here, such as 10"),
                };
                left_out(notes, node.span.line, what);
            } else if let Some(variable) = of_environment(node) {
                let what = format!("`{name}`: what `{variable}` is in the environment while you import");
                changed(notes, node.span.line, what);
            }
            value
        };
        if let Some(seconds) = number("pause", seconds) {
            return (seconds > 0.0).then_some(Stage { from: 0.0, to: 0.0, seconds });
        }
        let (rate, to, count) =
            (number("arrivalRate", plain), number("rampTo", plain), number("arrivalCount", plain));
        let given = number("duration", seconds);
        let seconds = given.unwrap_or(60.0);
        let (from, to) = match (rate, to, count) {
            (_, _, Some(count)) if seconds > 0.0 => (count / seconds, count / seconds),
            (rate, Some(to), _) => (rate.unwrap_or(0.0), to),
            (Some(rate), None, _) => (rate, rate),
            _ => {
                left_out(notes, line, "a phase without a rate of arrivals");
                return None;
            }
        };
        if given.is_none() {
            changed(notes, line, "a phase without a readable `duration` lasts 60 s");
        }
        (seconds > 0.0).then_some(Stage { from, to, seconds })
    }

    fn users(&self) -> f64 {
        (self.from + self.to) / 2.0 * self.seconds
    }

    fn is_pause(&self) -> bool {
        self.from <= 0.0 && self.to <= 0.0
    }

    fn written(&self, share: f64) -> Json {
        let rate = |rate: f64| format!("{}/s", decimal((rate * share).max(NOBODY)));
        let length = format!("{}s", decimal(self.seconds));
        match self.from == self.to {
            true => json!({ "rate": rate(self.from), "for": length }),
            false => json!({ "from": rate(self.from), "to": rate(self.to), "for": length }),
        }
    }
}

/// A number without an exponent and without zeros at its end.
pub(super) fn decimal(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A number, which a variable of the script may stand for.
pub(super) fn number(node: &Node, names: &mut Names) -> Option<f64> {
    plain(&names.constant(node))
}

pub(super) fn plain(node: &Node) -> Option<f64> {
    match &node.value {
        Value::Text(text) => text.trim().parse().ok(),
        _ => node.number().ok(),
    }
    .filter(|value: &f64| value.is_finite())
}

/// A time as Artillery writes it: a number of seconds, or a number and a unit.
pub(super) fn seconds(node: &Node) -> Option<f64> {
    let Value::Text(text) = &node.value else { return plain(node) };
    let text = text.trim();
    let split = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit.trim() {
        "" | "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "ms" | "msec" | "millisecond" | "milliseconds" => 1e-3,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        _ => return None,
    };
    number.parse::<f64>().ok().map(|number| number * factor)
}
