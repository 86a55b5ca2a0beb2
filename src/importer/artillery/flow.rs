//! The flow of one scenario into the steps of one group.

use serde_json::{Map, Value as Json, json};

use super::context::{Flow, texts};
use super::load::{decimal, seconds};
use super::names::{Loop, Names, alone};
use super::{changed, emit, entries, get, http, left_out};
use crate::document::{Node, Value};
use crate::importer::draft::Entry;

/// The longest pause, in seconds.
const LONGEST_PAUSE: f64 = 2_592_000.0;

/// The most items of a list over which a loop goes, written out.
const MOST_ITEMS: usize = 1_000;

impl Flow<'_, '_> {
    /// All steps, with what connects the client and disconnects it.
    pub(super) fn whole(&mut self, flow: &Node) -> Vec<Entry> {
        let mut out = Vec::new();
        // The engine `socketio` connects first of all, `socketio-v3` when it is needed.
        if ["socketio", "socketio-v2"].contains(&self.setting.engine.as_str()) {
            self.connect_to("", self.setting.node.span.line, &mut out);
        }
        for step in flow.items() {
            if self.setting.engine != "http" {
                for namespace in wanted(step) {
                    self.connect_to(&namespace, step.span.line, &mut out);
                }
            }
            self.step(step, &mut out);
        }
        if !self.connected.is_empty() {
            out.push(Entry::Step(json!("disconnect"), self.setting.node.span.line));
        }
        out
    }

    /// What the group says beside how many its clients are.
    pub(super) fn fields(&mut self, fields: &mut Map<String, Json>) {
        if self.setting.engine == "http" {
            return;
        }
        let mut transport = "upgrade";
        for options in self.setting.options.clone() {
            for (key, node, line) in entries(&options) {
                match key {
                    "transports" => {
                        let has = |word: &str| node.items().iter().any(|node| node.text() == Ok(word));
                        transport = match (has("polling"), has("websocket")) {
                            (false, true) => "websocket",
                            (true, false) => "polling",
                            _ => "upgrade",
                        };
                    }
                    "query" => {
                        let query = self.query(node);
                        self.merge(fields, "query", query);
                    }
                    "extraHeaders" | "headers" => {
                        let headers = self.data(node);
                        self.merge(fields, "headers", texts(headers));
                    }
                    "auth" => {
                        let auth = self.data(node);
                        self.merge(fields, "auth", auth);
                    }
                    "path" => changed(self.notes, line, "`path`: give --path to `sockrates run`"),
                    "rejectUnauthorized" => {
                        changed(self.notes, line, "`rejectUnauthorized`: give --insecure to `sockrates run`");
                    }
                    "parser" if node.text().is_ok_and(|text| text.contains("msgpack")) => {
                        fields.insert("parser".to_owned(), "msgpack".into());
                    }
                    // These make a client wait less or more for what a load test has already.
                    "forceNew" | "multiplex" | "autoConnect" => {}
                    key => left_out(self.notes, line, format!("the option `{key}` of the client")),
                }
            }
        }
        fields.insert("transport".to_owned(), transport.into());
        if !self.setting.namespace.is_empty() {
            fields.insert("namespace".to_owned(), format!("/{}", self.setting.namespace).into());
        }
    }

    fn merge(&mut self, fields: &mut Map<String, Json>, name: &str, value: Json) {
        match (fields.get_mut(name), value) {
            (Some(Json::Object(there)), Json::Object(more)) => there.extend(more),
            (_, value) => {
                fields.insert(name.to_owned(), value);
            }
        }
    }

    /// Connects to a namespace, unless the client is there.
    fn connect_to(&mut self, name: &str, line: u32, out: &mut Vec<Entry>) {
        let there = self.namespace(name, line);
        if !self.connected.insert(there.clone()) {
            return;
        }
        out.push(Entry::Step(
            match name.trim_start_matches('/') {
                "" => json!("connect"),
                _ => json!({ "connect": { "namespace": there } }),
            },
            line,
        ));
    }

    fn step(&mut self, step: &Node, out: &mut Vec<Entry>) {
        let line = step.span.line;
        if !matches!(step.value, Value::Map(_)) {
            left_out(self.notes, line, format!("a step that is no map: {}", step.describe()));
            return;
        }
        let has = |name: &str| get(step, name).is_some();
        let method = http::METHODS.into_iter().find(|method| has(method));
        let taken: &[&str] = match method {
            _ if has("think") => {
                self.think(step, out);
                &["think", "jitter"]
            }
            _ if has("loop") => {
                self.repeat(step, out);
                &["loop", "count", "over", "whileTrue", "loopValue", "loopElement"]
            }
            _ if has("emit") => {
                self.reconnect(step, out);
                emit::emit(self, step, out);
                &["emit", "response", "acknowledge", "namespace", "reconnect"]
            }
            _ if has("connect") => {
                self.connect(step, out);
                &["connect", "namespace"]
            }
            Some(method) => {
                http::request(self, method, step, out);
                http::METHODS.as_slice()
            }
            None if has("parallel") => {
                changed(self.notes, line, "`parallel`: its steps are played one after another");
                let inner = get(step, "parallel").map(Node::items).unwrap_or_default();
                inner.iter().for_each(|step| self.step(step, out));
                &["parallel"]
            }
            None => &[],
        };
        for (key, node, line) in entries(step).filter(|(key, ..)| !taken.contains(key)) {
            let what = match (key, node.text()) {
                ("function", Ok(name)) => format!("the function `{name}`: code of the script"),
                ("log", _) => "`log`: a scenario prints nothing".to_owned(),
                ("beforeRequest" | "afterResponse", Ok(name)) => {
                    format!("`{key}: {name}`: code of the script")
                }
                _ => format!("`{key}` of a step"),
            };
            out.push(Entry::Comment(format!("line {line}: {what}")));
            left_out(self.notes, line, what);
        }
    }

    fn think(&mut self, step: &Node, out: &mut Vec<Entry>) {
        let Some(node) = get(step, "think") else { return };
        let line = node.span.line;
        let fixed = seconds(&self.names.constant(node)).filter(|time| (0.0..=LONGEST_PAUSE).contains(time));
        let jitter = get(step, "jitter").and_then(|node| node.text().ok());
        let share = jitter.and_then(|text| text.trim().strip_suffix('%')?.trim().parse::<f64>().ok());
        let share = share.filter(|share| (0.0..=100.0).contains(share)).map(|share| share / 100.0);
        if let Some(node) = get(step, "jitter").filter(|_| fixed.is_none() || share.is_none()) {
            changed(self.notes, node.span.line, "`jitter` of a pause: it is left out of the pause");
        }
        let wait = match (fixed, share.unwrap_or_default()) {
            (Some(time), share) if time * share >= 0.001 => {
                let bound = |factor: f64| (time * factor * 1e3).round();
                format!("${{random({}, {})}}ms", bound(1.0 - share), bound(1.0 + share))
            }
            (Some(time), _) => format!("{}s", decimal(time)),
            (None, _) if alone(node).is_some() => match self.data(node) {
                Json::String(text) => format!("{text}s"),
                _ => "1s".to_owned(),
            },
            (None, _) => {
                changed(self.notes, line, "a pause that is no number of seconds lasts 1 s here");
                "1s".to_owned()
            }
        };
        out.push(Entry::Step(json!({ "wait": wait }), line));
    }

    fn repeat(&mut self, step: &Node, out: &mut Vec<Entry>) {
        let line = step.span.line;
        let text = |name: &str| get(step, name).and_then(|node| node.text().ok()).map(str::to_owned);
        let (mut times, mut list, mut first) = (1, None, 0);
        match (get(step, "over"), get(step, "count")) {
            (Some(Node { value: Value::List(items), .. }), _) if items.len() <= MOST_ITEMS => {
                let items: Vec<Json> = items.iter().map(|item| self.data(item)).collect();
                times = items.len().max(1) as u64;
                list = (!items.is_empty()).then(|| self.names.list(Json::Array(items), line));
            }
            (Some(node), _) => {
                let line = node.span.line;
                let name = alone(node).or_else(|| node.text().ok()).unwrap_or_default();
                match self.names.items(name).filter(|(items, _)| (1..=MOST_ITEMS).contains(&items.len())) {
                    Some((items, is_one_of)) => {
                        if is_one_of {
                            let what = format!(
                                "`over: {name}`: the loop goes over the whole list, of which Artillery gives each user one item"
                            );
                            changed(self.notes, line, what);
                        }
                        times = items.len() as u64;
                        list = Some(self.names.list(Json::Array(items), line));
                    }
                    None => left_out(
                        self.notes,
                        line,
                        "`over`: a list that only a run knows; the loop is played once",
                    ),
                }
            }
            (None, Some(count)) => match rounds(count, self.names) {
                Some((from, to)) => {
                    times = to.saturating_sub(from).max(1);
                    first = from;
                }
                None => left_out(self.notes, count.span.line, "`count`: no number; the loop is played once"),
            },
            (None, None) => left_out(self.notes, line, "a loop without an end: it is played once"),
        }
        if let (Some(_), Some(node)) = (get(step, "over"), get(step, "count")) {
            left_out(self.notes, node.span.line, "`count` of a loop that goes over a list");
        }
        if let Some(node) = get(step, "whileTrue") {
            left_out(self.notes, node.span.line, "`whileTrue`: code of the script");
        }
        let value = text("loopValue").unwrap_or_else(|| "$loopCount".to_owned());
        let element = text("loopElement").unwrap_or_else(|| "$loopElement".to_owned());
        self.locals.loops.push(Loop { value, element, list, first, names: (false, false) });
        let before = self.connected.clone();
        let mut steps = Vec::new();
        for step in get(step, "loop").map(Node::items).unwrap_or_default() {
            self.step(step, &mut steps);
        }
        // What is connected in each round has to end in each round.
        for there in self.connected.difference(&before).cloned().collect::<Vec<_>>() {
            self.connected.remove(&there);
            steps.push(Entry::Step(json!({ "disconnect": { "namespace": there } }), line));
        }
        if let Some(known) = self.locals.loops.pop() {
            let (is_counted, is_named) = known.names;
            let mut set = Map::new();
            if is_counted {
                set.insert(self.names.renamed(&known.value), json!(format!("${{{}}}", known.round())));
            }
            if is_named {
                set.insert(self.names.renamed(&known.element), json!(format!("${{{}}}", known.item())));
            }
            if !set.is_empty() {
                steps.insert(0, Entry::Step(json!({ "set": set }), line));
            }
        }
        out.push(Entry::Repeat(vec![("times", json!(times))], steps, line));
    }

    /// A connection of its own, with options of its own.
    fn connect(&mut self, step: &Node, out: &mut Vec<Entry>) {
        let line = step.span.line;
        let name = get(step, "namespace").and_then(|node| node.text().ok()).unwrap_or_default();
        let there = self.leave(name, line, out);
        let mut fields = Map::new();
        if !name.trim_start_matches('/').is_empty() {
            fields.insert("namespace".to_owned(), there.into());
        }
        for (key, node, line) in get(step, "connect").into_iter().flat_map(entries).collect::<Vec<_>>() {
            match key {
                "auth" => drop(fields.insert("auth".to_owned(), self.data(node))),
                "query" => drop(fields.insert("query".to_owned(), self.query(node))),
                "extraHeaders" => {
                    let headers = self.data(node);
                    fields.insert("headers".to_owned(), texts(headers));
                }
                key => left_out(self.notes, line, format!("the option `{key}` of a connect")),
            }
        }
        let step = match fields.is_empty() {
            true => json!("connect"),
            false => json!({ "connect": fields }),
        };
        out.push(Entry::Step(step, line));
    }

    /// Connects anew where a step asks for it.
    fn reconnect(&mut self, step: &Node, out: &mut Vec<Entry>) {
        if get(step, "reconnect").is_none_or(|node| node.bool() != Ok(true)) {
            return;
        }
        let line = step.span.line;
        let name = get(step, "namespace").and_then(|node| node.text().ok()).unwrap_or_default();
        let there = self.leave(name, line, out);
        out.push(Entry::Step(
            match name.trim_start_matches('/') {
                "" => json!("connect"),
                _ => json!({ "connect": { "namespace": there } }),
            },
            line,
        ));
    }

    /// Leaves a namespace if the client is there, and says that it will be there again.
    fn leave(&mut self, name: &str, line: u32, out: &mut Vec<Entry>) -> String {
        let there = self.namespace(name, line);
        if !self.connected.insert(there.clone()) {
            // Artillery opens another connection. A client here has one, which has to go on where others are on it.
            let is_alone = self.connected.len() == 1;
            let leave =
                if is_alone { json!("disconnect") } else { json!({ "disconnect": { "namespace": there } }) };
            out.push(Entry::Step(leave, line));
            if !is_alone {
                // A server that has not yet seen the leave takes a join behind it for a mistake.
                out.push(Entry::Step(json!({ "wait": "0.1s" }), line));
            }
        }
        there
    }
}

/// The namespaces that a step needs to be connected before it begins.
fn wanted(step: &Node) -> Vec<String> {
    let mut wanted = Vec::new();
    let mut own = Vec::new();
    walk(step, &mut own, &mut wanted);
    wanted
}

fn walk(step: &Node, own: &mut Vec<String>, wanted: &mut Vec<String>) {
    let inner = |name: &str| get(step, name).map(Node::items).unwrap_or_default();
    inner("loop").iter().chain(inner("parallel")).for_each(|step| walk(step, own, wanted));
    let emit = get(step, "emit");
    let node = get(step, "namespace").or_else(|| emit.and_then(|node| get(node, "namespace")));
    let name = node.and_then(|node| node.text().ok()).unwrap_or_default().to_owned();
    let connects =
        get(step, "connect").is_some() || get(step, "reconnect").is_some_and(|node| node.bool() == Ok(true));
    if connects {
        own.push(name);
    } else if emit.is_some() && !own.contains(&name) && !wanted.contains(&name) {
        wanted.push(name);
    }
}

/// From which round to which a loop goes: `10`, `"5-10"`.
fn rounds(node: &Node, names: &mut Names) -> Option<(u64, u64)> {
    let node = names.constant(node);
    let whole = |value: f64| (1.0..1e9).contains(&value).then_some((0, value as u64));
    match &node.value {
        Value::Text(text) => match text.split_once('-') {
            Some((from, to)) => Some((from.trim().parse().ok()?, to.trim().parse().ok()?)),
            None => text.trim().parse().ok().and_then(whole),
        },
        _ => node.number().ok().and_then(whole),
    }
}
