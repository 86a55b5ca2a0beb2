//! `emit`, in its old and its new shape, with what the server has to answer.

use serde_json::{Map, Value as Json, json};

use super::context::Flow;
use super::path::{self, Step};
use super::{changed, entries, get, left_out};
use crate::document::{Node, Value};
use crate::importer::draft::Entry;

/// Under which name an answer is kept until its parts have names.
const REPLY: &str = "reply";

pub(super) fn emit(flow: &mut Flow<'_, '_>, step: &Node, out: &mut Vec<Entry>) {
    let line = step.span.line;
    let Some(node) = get(step, "emit") else { return };
    let mut fields = Map::new();
    match &node.value {
        Value::List(items) if !items.is_empty() => {
            fields.insert("event".to_owned(), flow.data(&items[0]));
            let args: Vec<Json> = items[1..].iter().map(|item| flow.data(item)).collect();
            if !args.is_empty() {
                fields.insert("args".to_owned(), args.into());
            }
        }
        Value::Map(_) => {
            let Some(channel) = get(node, "channel") else {
                left_out(flow.notes, line, "an `emit` without a `channel`");
                return;
            };
            fields.insert("event".to_owned(), flow.data(channel));
            if let Some(data) = get(node, "data") {
                let data = flow.data(data);
                fields.insert("args".to_owned(), json!([data]));
            }
            for (key, _, line) in entries(node) {
                if !["channel", "data", "response", "acknowledge", "namespace"].contains(&key) {
                    left_out(flow.notes, line, format!("`{key}` of an `emit`"));
                }
            }
        }
        _ => {
            left_out(flow.notes, line, format!("an `emit` that is {}", node.describe()));
            return;
        }
    }
    // Old scripts write these inside, new ones beside.
    let beside = |name: &str| get(step, name).or_else(|| get(node, name));
    if let (Some(_), Some(node)) = (get(step, "namespace"), get(node, "namespace")) {
        left_out(flow.notes, node.span.line, "`namespace` of an `emit` in a step that has one");
    }
    let name = beside("namespace").and_then(|node| node.text().ok()).unwrap_or_default();
    if !name.trim_start_matches('/').is_empty() {
        let namespace = flow.namespace(name, line);
        fields.insert("namespace".to_owned(), namespace.into());
    }
    let mut after = Vec::new();
    if let Some(node) = beside("acknowledge").filter(|node| node.bool() != Ok(false)) {
        flow.answers.0 = true;
        let answer = answer(flow, node, &mut after);
        fields.insert("ack".to_owned(), if answer.is_empty() { json!(true) } else { answer.into() });
    }
    if let Some(node) = beside("response") {
        match get(node, "channel").or_else(|| get(node, "on")) {
            Some(event) => {
                flow.answers.1 = true;
                let mut answer: Map<String, Json> = [("event".to_owned(), flow.data(event))]
                    .into_iter()
                    .chain(answer(flow, node, &mut after))
                    .collect();
                if let Some(seconds) = flow.setting.timeout {
                    answer.insert("within".to_owned(), format!("{}s", super::load::decimal(seconds)).into());
                }
                fields.insert("response".to_owned(), answer.into());
            }
            None => left_out(flow.notes, node.span.line, "a `response` without a `channel`"),
        }
    }
    out.push(Entry::Step(json!({ "emit": fields }), line));
    out.append(&mut after);
}

/// What an answer has to be and what is kept of it; `after` gets the steps that take it apart.
fn answer(flow: &mut Flow<'_, '_>, node: &Node, after: &mut Vec<Entry>) -> Map<String, Json> {
    let mut fields = Map::new();
    let mut args: Option<Vec<Json>> = None;
    let demand = ["data", "args"].into_iter().find_map(|word| Some((word, get(node, word)?)));
    if let Some((word, wanted)) = demand {
        args = Some(match flow.data(wanted) {
            Json::Array(items) => items,
            value => {
                let is_newer = flow.setting.engine == "socketio-v3";
                let which = if is_newer { "first" } else { "last" };
                let what = format!(
                    "`{word}` that is no list: here the answer has one argument; Artillery looks at the {which} of any number"
                );
                changed(flow.notes, wanted.span.line, what);
                // Its own engine looks for a text inside of what comes.
                vec![if value.is_string() && !is_newer { json!({ "$contains": value }) } else { value }]
            }
        });
    }
    // An answer of several arguments is kept as a list of them.
    let most = of_arguments(flow, node);
    let mut demanded: Vec<(usize, Json)> = Vec::new();
    let has_data = args.is_some();
    for one in get(node, "match").map(Node::items).unwrap_or_default() {
        let line = one.span.line;
        strangers(flow, one, &["json", "value"], "match");
        let Some((index, steps)) = place(flow, one) else { continue };
        let Some(value) = get(one, "value") else {
            left_out(flow.notes, line, "a `match` without a `value`");
            continue;
        };
        let value = flow.data(value);
        match path::matcher(&steps, value.clone())
            .filter(|_| !has_data && demanded.iter().all(|(at, _)| *at != index))
        {
            Some(matcher) => demanded.push((index, matcher)),
            None => {
                if let Some(place) = inside(flow, &mut fields, (index, most), &steps, line) {
                    after.push(Entry::Step(json!({ "assert": { "value": place, "is": value } }), line));
                }
            }
        }
    }
    if !demanded.is_empty() {
        let last = most;
        let mut list = vec![json!({ "$any": true }); last + 1];
        demanded.into_iter().for_each(|(index, matcher)| list[index] = matcher);
        args = Some(list);
        let line = node.span.line;
        let arguments = if last == 0 { "one argument".to_owned() } else { format!("{} arguments", last + 1) };
        changed(flow.notes, line, format!("`match`: here the answer has to have exactly {arguments}"));
    }
    for one in get(node, "capture").map(Node::items).unwrap_or_default() {
        let line = one.span.line;
        let Some(name) = get(one, "as").and_then(|node| node.text().ok()) else {
            left_out(flow.notes, line, "a `capture` without `as`");
            continue;
        };
        strangers(flow, one, &["json", "as"], "capture");
        let Some((index, steps)) = place(flow, one) else { continue };
        if let Some(place) = inside(flow, &mut fields, (index, most), &steps, line) {
            let there = flow.names.renamed(name);
            after.push(Entry::Step(json!({ "set": { there: place } }), line));
            flow.locals.captured.insert(name.to_owned());
        }
    }
    for (key, _, line) in entries(node) {
        if !["data", "args", "match", "capture", "channel", "on"].contains(&key) {
            left_out(flow.notes, line, format!("`{key}` of an answer"));
        }
    }
    if let Some(args) = args {
        fields.insert("args".to_owned(), args.into());
    }
    fields
}

/// Tells what a `match` or a `capture` says beside what is understood.
pub(super) fn strangers(flow: &mut Flow<'_, '_>, node: &Node, known: &[&str], what: &str) {
    for (key, _, line) in entries(node).filter(|(key, ..)| !known.contains(key)) {
        left_out(flow.notes, line, format!("`{key}` of a `{what}`"));
    }
}

/// The highest number of an argument that a `match` or a `capture` of an answer names.
fn of_arguments(flow: &mut Flow<'_, '_>, node: &Node) -> usize {
    let parts = ["match", "capture"].into_iter().filter_map(|key| get(node, key)).flat_map(Node::items);
    let told = flow.notes.len();
    let most = parts.filter_map(|one| Some(place(flow, one)?.0)).max().unwrap_or_default();
    flow.notes.truncate(told);
    most
}

/// Which argument of the answer a path is about, and the steps into it. Without a number it is about the first.
fn place(flow: &mut Flow<'_, '_>, node: &Node) -> Option<(usize, Vec<Step>)> {
    let text = get(node, "json").map_or(Ok("$.0"), Node::text).unwrap_or_default();
    let Some(mut steps) = path::read(text) else {
        left_out(flow.notes, node.span.line, format!("the path `{text}`: it does not name one value"));
        return None;
    };
    match steps.first() {
        Some(Step::Index(index)) if *index < 16 => {
            let index = *index as usize;
            steps.remove(0);
            Some((index, steps))
        }
        _ => Some((0, steps)),
    }
}

/// An expression for a part of an answer, which is kept from now on.
fn inside(
    flow: &mut Flow<'_, '_>,
    fields: &mut Map<String, Json>,
    (index, most): (usize, usize),
    steps: &[Step],
    line: u32,
) -> Option<String> {
    let steps = flow.spelt(steps, line)?;
    fields.insert("capture".to_owned(), REPLY.into());
    // One argument is kept as its value, several as a list.
    let index = if most == 0 { String::new() } else { format!("[{index}]") };
    Some(format!("${{{REPLY}{index}{steps}}}"))
}
