//! Scripts of Artillery, of its engines `socketio` and `socketio-v3`.
//!
//! Artillery starts virtual users over time, and each plays the flow of one scenario that is drawn by its weight. Here each
//! scenario becomes a group, with its share of the users and of the rates; its flow becomes what the group does.
//!
//! | file | job |
//! |---|---|
//! | `config` | what `config` says, with one of its environments laid over it |
//! | `load` | phases and weights into numbers of clients and arrivals |
//! | `flow`, `context` | the steps of one scenario, and what is known where one stands |
//! | `emit`, `http` | the steps that send, and what they demand and keep of the answer |
//! | `names` | `{{ … }}` into `${…}`, and the variables behind it |
//! | `payload` | CSV files into rows |
//! | `ensure` | demands into thresholds |
//! | `path` | JSONPath |
//!
//! Source: <https://www.artillery.io/docs/reference/test-script> and its pages about the engines.

mod config;
mod context;
mod emit;
mod ensure;
mod flow;
mod http;
mod load;
mod names;
mod path;
mod payload;

use serde_json::{Map, Value as Json};

use self::config::Config;
use self::context::{Flow, Setting};
use self::load::Load;
use self::names::Names;
use super::draft::{Act, Draft, Entry, Part};
use super::{Imported, Kind, Note};
use crate::document::{Node, Source, Value, parse, render};
use crate::scenario::Surroundings;

/// Reads a file that stands beside the script: its bytes, or why not.
pub type Files<'f> = dyn Fn(&str) -> Result<Vec<u8>, String> + 'f;

/// What makes a file a script of Artillery, for those who have given another one.
pub(crate) const WHAT_IT_IS: &str = "an Artillery script is a map with `config` and `scenarios`";

/// Tells a variable of the environment.
pub type Variable = fn(&str) -> Option<String>;

/// How a script is imported.
#[derive(Debug, Default)]
pub struct ArtilleryImport<'a> {
    /// Which of the script's environments is meant.
    pub environment: Option<&'a str>,
    /// How the scenario will be called, for files beside it and for the comment at its head.
    pub output: &'a str,
    /// Where the script's files are, seen from the scenario: empty, or with a `/` at its end.
    pub folder: &'a str,
    /// The environment, of which phases may take their numbers.
    pub variable: Option<Variable>,
}

/// Makes a scenario of a script.
///
/// # Errors
/// The report of what is wrong with the script.
pub fn import(script: &Source, how: &ArtilleryImport<'_>, files: &Files<'_>) -> Result<Imported, String> {
    let source = Source { name: script.name.clone(), text: without_tabs(&script.text) };
    let root = parse(&source).map_err(|mistake| render(&mistake.hint_of_file(WHAT_IT_IS), &source))?;
    let wrong = |node: &Node, what: &str| render(&node.mistake(what), &source);
    let Value::Map(entries) = &root.value else {
        return Err(wrong(&root, WHAT_IT_IS));
    };
    let find = |name: &str| entries.iter().find(|(key, _)| key.text == name).map(|(_, node)| node);
    let Some(scenarios) =
        find("scenarios").filter(|node| matches!(&node.value, Value::List(all) if !all.is_empty()))
    else {
        return Err(wrong(&root, "the script has no `scenarios`, so there is nothing to import"));
    };
    let mut notes = Vec::new();
    let config =
        config::chosen(find("config"), how.environment, &mut notes).map_err(|mistake| match mistake {
            (Some(node), what) => wrong(node, &what),
            (None, what) => format!("error: {what}\n"),
        })?;
    let config = Config::of(config.as_ref());
    for (key, _) in entries {
        if !["config", "scenarios", "before", "after"].contains(&key.text.as_str()) {
            left_out(&mut notes, key.span.line, format!("`{}`", key.text));
        }
    }
    let names = Names::of(how.variable);
    let import = Import { config: &config, how, names, notes, answers: (false, false) };
    import.whole(scenarios, find("before"), find("after"), files, script)
}

/// JSON may be indented by tabs, YAML may not: lines and columns stay as they are.
fn without_tabs(text: &str) -> String {
    if !text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
        return text.to_owned();
    }
    let blank = |line: &str| {
        let rest = line.trim_start_matches([' ', '\t']);
        format!("{}{rest}", " ".repeat(line.len() - rest.len()))
    };
    text.split_inclusive('\n').map(blank).collect()
}

fn left_out(notes: &mut Vec<Note>, line: u32, what: impl Into<String>) {
    notes.push(Note { line, kind: Kind::LeftOut, what: what.into() });
}

fn changed(notes: &mut Vec<Note>, line: u32, what: impl Into<String>) {
    notes.push(Note { line, kind: Kind::Changed, what: what.into() });
}

/// The entries of a map; none where it is something else.
fn entries(node: &Node) -> impl Iterator<Item = (&str, &Node, u32)> {
    let entries = match &node.value {
        Value::Map(entries) => entries.as_slice(),
        _ => &[],
    };
    entries.iter().map(|(key, value)| (key.text.as_str(), value, key.span.line))
}

/// The value of a key of a map.
fn get<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    entries(node).find(|(key, ..)| *key == name).map(|(_, node, _)| node)
}

/// An import under way.
struct Import<'i, 'n> {
    config: &'i Config<'n>,
    how: &'i ArtilleryImport<'i>,
    names: Names,
    notes: Vec<Note>,
    /// Whether some step awaits an acknowledgement, and whether one awaits a response.
    answers: (bool, bool),
}

impl Import<'_, '_> {
    fn whole(
        mut self,
        scenarios: &Node,
        before: Option<&Node>,
        after: Option<&Node>,
        files: &Files<'_>,
        script: &Source,
    ) -> Result<Imported, String> {
        self.config.tell(&mut self.notes);
        let payload = payload::read(self.config.get("payload"), self.how, files, &mut self.notes);
        if let Some(node) = self.config.get("variables") {
            self.names.declare(node, &mut self.notes);
        }
        self.names.columns(&payload);
        let mut draft = Draft { name: format!("{}, imported", stem(&script.name)), ..Draft::default() };
        let mut acts = Vec::new();
        let played = self.played(scenarios);
        self.names.reserve(&played);
        self.once("before", before, &mut draft, &mut acts);
        let load = Load::of(self.config.get("phases"), &mut self.names, &mut self.notes);
        let all: f64 = played.iter().map(|one| one.weight).sum();
        let mut branches = Vec::new();
        for one in &played {
            let name = one.name.clone();
            let share = one.weight / all;
            let mut flow =
                Flow::new(self.setting(one.node), &mut self.names, &mut self.notes, &mut self.answers);
            let steps = one.flow.map(|node| flow.whole(node)).unwrap_or_default();
            let has_rows = flow.uses_rows();
            let mut fields = Map::new();
            load.write(share, &mut fields);
            flow.fields(&mut fields);
            if let Some(rows) = payload.rows.clone().filter(|_| has_rows) {
                fields.insert("rows".to_owned(), rows);
            }
            let comment = (played.len() > 1).then(|| format!("{:.0} % of the virtual users", share * 100.0));
            draft.groups.push(Part {
                name: name.clone(),
                value: Json::Object(fields),
                line: one.node.span.line,
                comment,
            });
            branches.push((name, steps));
        }
        if branches.is_empty() {
            return Err(
                "error: no scenario of the script has a weight, and an engine that sockrates plays: \
                        `socketio`, `socketio-v3`, or plain HTTP\n"
                    .to_owned(),
            );
        }
        acts.push(Act { branches });
        self.once("after", after, &mut draft, &mut acts);
        draft.acts = acts;
        draft.thresholds = ensure::thresholds(self.config, self.answers, &mut self.notes);
        draft.vars = self.names.vars(&mut self.notes);
        draft.head = self.head(script, &load);
        draft.environment = self.names.environment();
        draft.files = payload.files.clone();
        draft.notes = self.notes;
        let surroundings = surroundings(payload);
        draft.finish(&surroundings).map_err(|why| format!("error: {why}\n"))
    }

    /// The scenarios that can be played.
    fn played<'s>(&mut self, scenarios: &'s Node) -> Vec<Played<'s>> {
        let mut played: Vec<Played<'s>> = Vec::new();
        for (index, node) in scenarios.items().iter().enumerate() {
            let engine = get(node, "engine").and_then(|node| node.text().ok()).unwrap_or("http");
            let name = get(node, "name").and_then(|node| node.text().ok());
            if !["socketio", "socketio-v2", "socketio-v3", "http"].contains(&engine) {
                left_out(&mut self.notes, node.span.line, format!("a scenario of the engine `{engine}`"));
                continue;
            }
            for (key, _, line) in entries(node) {
                if !["name", "engine", "weight", "flow", "socketio"].contains(&key) {
                    left_out(&mut self.notes, line, format!("`{key}` of a scenario"));
                }
            }
            let weight = match get(node, "weight") {
                None => 1.0,
                Some(weight) => load::number(weight, &mut self.names).unwrap_or_else(|| {
                    let line = weight.span.line;
                    left_out(
                        &mut self.notes,
                        line,
                        "`weight`: sockrates needs a number here; it counts as 1",
                    );
                    1.0
                }),
            };
            if weight <= 0.0 {
                left_out(
                    &mut self.notes,
                    node.span.line,
                    "a scenario of weight 0, which Artillery never plays",
                );
                continue;
            }
            let name = unique(name.unwrap_or(&format!("users_{}", index + 1)), &played);
            played.push(Played { name, weight, flow: get(node, "flow"), node });
        }
        played
    }

    fn setting<'s>(&self, node: &'s Node) -> Setting<'s>
    where
        Self: 's,
    {
        let engine = get(node, "engine").and_then(|node| node.text().ok()).unwrap_or("http").to_owned();
        let options = |of: Option<&Node>| of.map(|node| (*node).clone());
        let of_engine = self.config.get("engines").and_then(|node| get(node, &engine));
        let options: Vec<Node> =
            [options(self.config.get("socketio")), options(of_engine), options(get(node, "socketio"))]
                .into_iter()
                .flatten()
                .collect();
        let headers = ["defaults", "http"].into_iter().filter_map(|key| {
            let node = self.config.get(key)?;
            get(node, "headers").or_else(|| get(get(node, "defaults")?, "headers")).cloned()
        });
        Setting {
            engine,
            namespace: self.config.namespace(),
            timeout: self.config.timeout(),
            origin: self.config.target().map(str::to_owned),
            options,
            headers: headers.collect(),
            node,
        }
    }

    /// What is played once, before or after everything else, by a client of its own.
    fn once(&mut self, name: &str, node: Option<&Node>, draft: &mut Draft, acts: &mut Vec<Act>) {
        let Some(node) = node else { return };
        for (key, _, line) in entries(node).filter(|(key, ..)| !["flow", "engine", "name"].contains(key)) {
            left_out(&mut self.notes, line, format!("`{key}` of `{name}`"));
        }
        let mut flow = Flow::new(self.setting(node), &mut self.names, &mut self.notes, &mut self.answers);
        let steps: Vec<Entry> = get(node, "flow").map(|node| flow.whole(node)).unwrap_or_default();
        if steps.iter().all(|entry| matches!(entry, Entry::Comment(_))) {
            return;
        }
        let mut fields = Map::new();
        fields.insert("count".to_owned(), 1.into());
        flow.fields(&mut fields);
        if name == "before" {
            let captured = flow.captured();
            self.names.share(name, captured);
        }
        let comment = Some(format!("plays once, {name} everything else"));
        draft.groups.push(Part {
            name: name.to_owned(),
            value: Json::Object(fields),
            line: node.span.line,
            comment,
        });
        acts.push(Act { branches: vec![(name.to_owned(), steps)] });
    }

    fn head(&self, script: &Source, load: &Load) -> Vec<String> {
        let url = self.config.target().filter(|target| !target.contains("{{")).and_then(origin);
        let url = url.unwrap_or_else(|| "http://localhost:3000".to_owned());
        let path =
            self.config.get("socketio").and_then(|node| get(node, "path")).and_then(|node| node.text().ok());
        let path = path.map(|path| format!(" --path {path}")).unwrap_or_default();
        let file = match self.how.output {
            "-" => "scenario.yaml",
            output => output,
        };
        vec![
            format!("Made of {}, a script of Artillery, by `sockrates import artillery`.", script.name),
            String::new(),
            format!("  sockrates check {file}"),
            format!("  sockrates run {file} --url {url}{path}"),
            String::new(),
            load.words(),
        ]
    }
}

/// What the parser of scenarios may read while it proves the text: the files as they will stand, and any variable.
fn surroundings(payload: payload::Payload) -> Surroundings {
    let known: Vec<(String, Vec<u8>)> = payload
        .files
        .iter()
        .map(|(name, text)| (name.clone(), text.clone().into_bytes()))
        .chain(payload.original)
        .collect();
    Surroundings::new(
        |name| Some(std::env::var(name).unwrap_or_else(|_| "1".to_owned())),
        move |name| {
            let found = known.iter().find(|(known, _)| known == name);
            found.map(|(_, bytes)| bytes.clone()).ok_or_else(|| "there is no such file".to_owned())
        },
    )
}

/// A scenario of the script that is played.
struct Played<'s> {
    name: String,
    weight: f64,
    flow: Option<&'s Node>,
    node: &'s Node,
}

/// Scheme, host and port of a URL: nothing that lets anyone in.
fn origin(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    let scheme = match url.scheme() {
        "ws" => "http",
        "wss" => "https",
        scheme => scheme,
    };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!("{scheme}://{}{port}", url.host_str()?))
}

/// The name of a file without its folder and its ending.
fn stem(path: &str) -> &str {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    file.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or("script")
}

/// A name that a group can have and no other group has yet.
fn unique(name: &str, taken: &[Played<'_>]) -> String {
    let word: String =
        name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let parts: Vec<&str> = word.split('_').filter(|part| !part.is_empty()).collect();
    let mut word = parts.join("_");
    word.truncate(40);
    let is_taken = |word: &str| {
        ["before", "after", "all", "together", "measure"].contains(&word) || names::is_special(word)
    };
    if !word.starts_with(|c: char| c.is_ascii_alphabetic()) || is_taken(&word) {
        word = format!("users_{word}").trim_end_matches('_').to_owned();
    }
    let mut one = word.clone();
    let mut number = 2;
    while taken.iter().any(|other| other.name == one) {
        one = format!("{word}_{number}");
        number += 1;
    }
    one
}
