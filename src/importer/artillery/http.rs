//! HTTP requests of a flow.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::context::Flow;
use super::emit::strangers;
use super::path::{self, Step};
use super::{changed, entries, get, left_out, origin};
use crate::document::{Node, Value};
use crate::importer::draft::Entry;

/// The methods that a step may be called by.
pub(super) const METHODS: [&str; 7] = ["get", "post", "put", "delete", "patch", "head", "options"];

/// Under which name a response is kept until its parts have names.
const RESPONSE: &str = "reply";

/// What of a request is understood, or says nothing about what is sent.
const KEYS: [&str; 13] = [
    "url",
    "auth",
    "json",
    "body",
    "form",
    "qs",
    "headers",
    "cookie",
    "capture",
    "match",
    "expect",
    "name",
    "followRedirect",
];

pub(super) fn request(flow: &mut Flow<'_, '_>, method: &str, step: &Node, out: &mut Vec<Entry>) {
    let line = step.span.line;
    let Some(node) = get(step, method) else { return };
    let url = match &node.value {
        Value::Text(url) => Some(url.as_str()),
        _ => get(node, "url").or_else(|| get(node, "uri")).and_then(|node| node.text().ok()),
    };
    let Some(path) = url.and_then(|url| own_path(flow, url)) else {
        let url = url.map_or("nowhere", without_secrets);
        let what = format!("a request to `{url}`: a client knows one server");
        out.push(Entry::Comment(format!("line {line}: {what}")));
        left_out(flow.notes, line, what);
        return;
    };
    let mut fields = Map::new();
    let target = target(flow, &path, get(node, "qs"), line);
    fields.insert(method.to_owned(), target.into());
    let mut headers = Map::new();
    for node in flow.setting.headers.clone() {
        add(&mut headers, flow.data(&node));
    }
    body(flow, node, &mut fields, &mut headers);
    if let Some(node) = get(node, "headers") {
        add(&mut headers, flow.data(node));
    }
    if let Some(node) = get(node, "cookie") {
        let cookies = flow.data(node);
        let pairs = cookies.as_object().into_iter().flatten();
        let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", as_text(value))).collect();
        headers.insert("Cookie".to_owned(), pairs.join("; ").into());
    }
    if let Some(node) = get(node, "auth") {
        basic(flow, node, &mut headers);
    }
    if let Some(node) = get(node, "followRedirect").filter(|node| node.bool() != Ok(false)) {
        changed(flow.notes, node.span.line, "`followRedirect`: a request here follows no redirect");
    }
    if !headers.is_empty() {
        fields.insert("headers".to_owned(), headers.into());
    }
    let mut after = Vec::new();
    let expect = expect(flow, node, &mut fields, &mut after);
    if !expect.is_empty() {
        fields.insert("expect".to_owned(), expect.into());
    }
    capture(flow, node, &mut fields, &mut after);
    for (key, _, line) in entries(node).filter(|(key, ..)| !KEYS.contains(key)).collect::<Vec<_>>() {
        left_out(flow.notes, line, format!("`{key}` of a request"));
    }
    out.push(Entry::Step(json!({ "http": fields }), line));
    out.append(&mut after);
}

/// Name and password of Basic authentication, where they are plain texts: no expression can encode them.
fn basic(flow: &mut Flow<'_, '_>, node: &Node, headers: &mut Map<String, Json>) {
    strangers(flow, node, &["user", "username", "pass", "password"], "request's `auth`");
    let mut text = |names: [&str; 2]| -> Option<String> {
        let node = names.into_iter().find_map(|name| get(node, name))?;
        let node = flow.names.constant(node);
        node.text().ok().filter(|text| !text.contains("{{")).map(str::to_owned)
    };
    match (text(["user", "username"]), text(["pass", "password"])) {
        (Some(user), Some(pass)) => {
            let value = format!("Basic {}", STANDARD.encode(format!("{user}:{pass}")));
            headers.insert("Authorization".to_owned(), value.into());
        }
        _ => left_out(
            flow.notes,
            node.span.line,
            "`auth` of a request: no plain name and password; give it as a header `Authorization`",
        ),
    }
}

/// A URL for a note: what lets somebody in stands before an `@` or behind a `?`.
fn without_secrets(url: &str) -> &str {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (from, to) = url.find("://").map_or((0, url.len()), |at| {
        let from = at + 3;
        (from, url[from..].find('/').map_or(url.len(), |end| from + end))
    });
    url[from..to].rfind('@').map_or(url, |at| &url[from + at + 1..])
}

/// The path of a URL on the server under test.
fn own_path(flow: &Flow<'_, '_>, url: &str) -> Option<String> {
    if url.starts_with('/') {
        return Some(url.to_owned());
    }
    if let Some(rest) = url.strip_prefix("{{").and_then(|rest| rest.split_once("}}")) {
        return (rest.0.trim() == "target" && rest.1.starts_with('/')).then(|| rest.1.to_owned());
    }
    match url.split_once("://") {
        None => Some(format!("/{url}")).filter(|_| !url.is_empty()),
        Some(_) => {
            let own = flow.setting.origin.as_deref().and_then(origin)?;
            (origin(url)? == own).then(|| {
                let rest = url.split_once("://").map_or("", |(_, rest)| rest);
                rest.find('/').map_or("/", |at| &rest[at..]).to_owned()
            })
        }
    }
}

fn target(flow: &mut Flow<'_, '_>, path: &str, query: Option<&Node>, line: u32) -> String {
    let mut target = flow.names.text(path, line, &mut flow.locals, flow.notes);
    if let Some(query) = query {
        let query = flow.data(query);
        for (name, value) in query.as_object().into_iter().flatten() {
            let sign = if target.contains('?') { '&' } else { '?' };
            target.push_str(&format!("{sign}{name}={}", as_text(value)));
        }
    }
    target
}

fn body(
    flow: &mut Flow<'_, '_>,
    node: &Node,
    fields: &mut Map<String, Json>,
    headers: &mut Map<String, Json>,
) {
    let (body, kind) = if let Some(node) = get(node, "json") {
        (flow.data(node), Some("application/json"))
    } else if let Some(node) = get(node, "form") {
        let form = flow.data(node);
        let pairs = form.as_object().into_iter().flatten();
        let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", as_text(value))).collect();
        (pairs.join("&").into(), Some("application/x-www-form-urlencoded"))
    } else if let Some(node) = get(node, "body") {
        (flow.data(node), None)
    } else {
        return;
    };
    if let Some(kind) = kind {
        headers.insert("Content-Type".to_owned(), kind.into());
    }
    fields.insert("body".to_owned(), body);
}

/// What the response has to be, by `match` and by the plugin `expect`.
fn expect(
    flow: &mut Flow<'_, '_>,
    node: &Node,
    fields: &mut Map<String, Json>,
    after: &mut Vec<Entry>,
) -> Map<String, Json> {
    let mut expect = Map::new();
    let mut wanted_headers = Map::new();
    for one in get(node, "match").map(Node::items).unwrap_or_default() {
        let line = one.span.line;
        strangers(flow, one, &["json", "value"], "match");
        let path = get(one, "json").and_then(|node| node.text().ok()).and_then(path::read);
        let (Some(steps), Some(value)) = (path, get(one, "value")) else {
            left_out(flow.notes, line, "a `match` that is not about one value of JSON");
            continue;
        };
        let value = flow.data(value);
        json_is(flow, fields, after, &mut expect, &steps, value, line);
    }
    for one in get(node, "expect").map(Node::items).unwrap_or_default() {
        for (key, value, line) in entries(one).collect::<Vec<_>>() {
            match (key, &value.value) {
                ("statusCode", Value::Int(_)) => drop(expect.insert("status".to_owned(), value.to_json())),
                ("statusCode", Value::List(items)) => {
                    let items: Vec<Json> = items.iter().map(Node::to_json).collect();
                    expect.insert("status".to_owned(), json!({ "$one_of": items }));
                }
                ("contentType", Value::Text(kind)) => {
                    wanted_headers.insert("content-type".to_owned(), json!({ "$contains": kind }));
                }
                ("hasHeader", Value::Text(name)) => {
                    wanted_headers.insert(name.to_lowercase(), json!({ "$type": "string" }));
                }
                ("hasProperty", Value::Text(name)) => match path::read(&format!("$.{name}")) {
                    Some(steps) => {
                        json_is(flow, fields, after, &mut expect, &steps, json!({ "$any": true }), line);
                    }
                    None => left_out(flow.notes, line, "`hasProperty`: it does not name one value"),
                },
                ("matchesRegexp", Value::Text(pattern)) => {
                    expect.insert("body".to_owned(), json!({ "$match": pattern }));
                }
                (key, _) => left_out(flow.notes, line, format!("`{key}` of the plugin expect")),
            }
        }
    }
    if !wanted_headers.is_empty() {
        expect.insert("headers".to_owned(), wanted_headers.into());
    }
    expect
}

/// Demands a value of the JSON body: by a matcher where one can say it and nothing else is demanded, else by a step behind.
fn json_is(
    flow: &mut Flow<'_, '_>,
    fields: &mut Map<String, Json>,
    after: &mut Vec<Entry>,
    expect: &mut Map<String, Json>,
    steps: &[Step],
    value: Json,
    line: u32,
) {
    match path::matcher(steps, value.clone()).filter(|_| !expect.contains_key("json")) {
        Some(matcher) => drop(expect.insert("json".to_owned(), matcher)),
        None => {
            if let Some(place) = inside(flow, fields, steps, line) {
                after.push(Entry::Step(json!({ "assert": { "value": place, "is": value } }), line));
            }
        }
    }
}

fn capture(flow: &mut Flow<'_, '_>, node: &Node, fields: &mut Map<String, Json>, after: &mut Vec<Entry>) {
    for one in get(node, "capture").map(Node::items).unwrap_or_default() {
        let line = one.span.line;
        let Some(name) = get(one, "as").and_then(|node| node.text().ok()) else {
            left_out(flow.notes, line, "a `capture` without `as`");
            continue;
        };
        strangers(flow, one, &["json", "header", "regexp", "xpath", "selector", "as"], "capture");
        let there = flow.names.renamed(name);
        let text = |key: &str| get(one, key).and_then(|node| node.text().ok());
        if let Some(header) = text("header") {
            keep(fields, &there, json!({ "header": header.to_lowercase() }));
            flow.locals.captured.insert(name.to_owned());
            continue;
        }
        match text("json").and_then(path::read) {
            Some(steps) => {
                if let Some(place) = inside(flow, fields, &steps, line) {
                    after.push(Entry::Step(json!({ "set": { there: place } }), line));
                    flow.locals.captured.insert(name.to_owned());
                }
            }
            None => left_out(
                flow.notes,
                line,
                format!("the capture `{name}`: it does not name one value of JSON"),
            ),
        }
    }
}

/// An expression for a part of the body, which is kept from now on.
fn inside(
    flow: &mut Flow<'_, '_>,
    fields: &mut Map<String, Json>,
    steps: &[Step],
    line: u32,
) -> Option<String> {
    let steps = flow.spelt(steps, line)?;
    keep(fields, RESPONSE, json!("body"));
    Some(format!("${{{RESPONSE}{steps}}}"))
}

fn keep(fields: &mut Map<String, Json>, name: &str, what: Json) {
    let kept = fields.entry("capture").or_insert_with(|| json!({}));
    if let Json::Object(kept) = kept {
        kept.insert(name.to_owned(), what);
    }
}

fn add(headers: &mut Map<String, Json>, more: Json) {
    if let Json::Object(more) = more {
        headers.extend(more.into_iter().map(|(name, value)| (name, as_text(&value).into())));
    }
}

fn as_text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}
