//! The files in which results are stored: one envelope for every kind of result, and the one reader of it.
//!
//! `{ "tool_version": …, "schema_version": …, "kind": …, "body": … }`. What a body is, its own room says: [`Body`].
//! A reader first opens the file ([`ResultFile::open`]) and then takes the body of the kind that it is.

use std::fmt;

#[cfg(test)]
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::measure::format::printable;

/// The version of the format that this program writes and reads, for every kind of result. A change that a reader of older
/// files would misunderstand raises it; a new optional field does not.
pub const SCHEMA_VERSION: u32 = 2;

/// What a file of results is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Scenarios that were run: a list, one result for each.
    Run,
    /// The conformance suite: a list, one result for each server.
    Suite,
    /// A search for the highest load.
    Capacity,
    /// Searches for the highest load, one for each number of nodes.
    Growth,
    /// Servers side by side.
    Comparison,
    /// Two stored results side by side.
    Diff,
    /// The course of many stored results.
    Trend,
    /// The conformance of many servers, out of a folder that describes them.
    Servers,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 8] = [
        Kind::Run,
        Kind::Suite,
        Kind::Capacity,
        Kind::Growth,
        Kind::Comparison,
        Kind::Diff,
        Kind::Trend,
        Kind::Servers,
    ];

    /// The word for it in files.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Run => "run",
            Kind::Suite => "suite",
            Kind::Capacity => "capacity",
            Kind::Growth => "growth",
            Kind::Comparison => "comparison",
            Kind::Diff => "diff",
            Kind::Trend => "trend",
            Kind::Servers => "servers",
        }
    }

    /// The verb that writes such a file.
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Kind::Run => "run",
            Kind::Suite => "conform",
            Kind::Capacity | Kind::Growth => "capacity",
            Kind::Comparison | Kind::Diff => "compare",
            Kind::Trend => "trend",
            Kind::Servers => "conform --servers",
        }
    }

    /// The command that writes such a file.
    fn command(self) -> String {
        let what = match self {
            Kind::Growth => " … --nodes 1..4",
            Kind::Diff => " OLD NEW",
            Kind::Servers => " FOLDER",
            _ => " …",
        };
        format!("sockrates {}{what} --json FILE", self.verb())
    }
}

/// What can be stored in a file of results.
pub trait Body: Serialize + DeserializeOwned {
    /// The kind of result that it is.
    const KIND: Kind;

    /// Takes the version of sockrates that wrote the file, which stands in the envelope alone.
    fn set_tool_version(&mut self, version: &str);

    /// The content of a file of results: pretty-printed JSON with a final line ending.
    fn to_json(&self) -> String {
        to_json(Self::KIND, self)
    }
}

/// A body in its envelope: pretty-printed JSON with a final line ending.
pub fn to_json<B: Serialize + ?Sized>(kind: Kind, body: &B) -> String {
    #[derive(Serialize)]
    struct Envelope<'a, B: ?Sized> {
        tool_version: &'static str,
        schema_version: u32,
        kind: Kind,
        body: &'a B,
    }
    let envelope =
        Envelope { tool_version: env!("CARGO_PKG_VERSION"), schema_version: SCHEMA_VERSION, kind, body };
    serde_json::to_string_pretty(&envelope).expect("a result has nothing that JSON cannot say") + "\n"
}

/// Changes a value as JSON. None where it would be no such value any more.
pub(crate) fn changed<T: Serialize + DeserializeOwned>(
    value: &T,
    change: impl FnOnce(&mut Value),
) -> Option<T> {
    let mut json = serde_json::from_str(&serde_json::to_string_pretty(value).ok()?).ok()?;
    change(&mut json);
    read(&json.to_string()).ok()
}

/// All results are read by this one reader, from text: each kind of reader of each kind of result would have to be built.
fn read<T: DeserializeOwned>(text: &str) -> Result<T, serde_path_to_error::Error<serde_json::Error>> {
    serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(text))
}

/// The body of a file that has to be of this kind.
///
/// # Errors
/// When it is no result, is damaged, or is of another kind or version.
pub fn from_json<B: Body>(text: &str) -> Result<B, Unreadable> {
    let file = ResultFile::open(text)?;
    match file.kind == B::KIND {
        true => file.body(),
        false => Err(file.unwanted(&[B::KIND])),
    }
}

/// A file of results whose envelope was read.
#[derive(Clone, Debug)]
pub struct ResultFile<'t> {
    /// What it is about.
    pub kind: Kind,
    tool_version: String,
    text: &'t str,
}

impl<'t> ResultFile<'t> {
    /// Reads the envelope.
    ///
    /// # Errors
    /// When it is no result, is cut off, or has another version of the format.
    pub fn open(text: &'t str) -> Result<Self, Unreadable> {
        if text.trim().is_empty() {
            return Err(unreadable(format!("is empty: `{}` writes a result", Kind::Run.command())));
        }
        let Shallow(value) = serde_json::from_str(text).map_err(|error| no_json(&error))?;
        let field = |name: &str| value.get(name);
        if !["schema_version", "kind", "body"].iter().any(|name| field(name).is_some()) {
            return Err(unreadable(format!(
                "is JSON, but no result of sockrates, {}: give a file that `--json` has written",
                seen(&value)
            )));
        }
        let lacks = |name: &str, what: &str| {
            unreadable(format!(
                "is a damaged result: its field `{name}` is {}, not {what}; write it again with `--json`",
                field(name).map_or_else(|| "missing".to_owned(), excerpt)
            ))
        };
        let tool_version = field("tool_version").and_then(Value::as_str);
        match field("schema_version").and_then(Value::as_u64) {
            Some(version) if version == u64::from(SCHEMA_VERSION) => {}
            Some(version) => {
                let wrote = tool_version.map_or_else(String::new, |version| {
                    format!(", written by sockrates {}", printable(version))
                });
                return Err(unreadable(format!(
                    "has schema version {version}{wrote}, and this sockrates {} reads version {SCHEMA_VERSION}: use the \
                     sockrates that wrote it, or write it again",
                    env!("CARGO_PKG_VERSION")
                )));
            }
            None => return Err(lacks("schema_version", "a whole number")),
        }
        let known = |kind: &Kind| field("kind").and_then(Value::as_str) == Some(kind.name());
        let kind = Kind::ALL
            .into_iter()
            .find(known)
            .ok_or_else(|| lacks("kind", &format!("one of {}", Kind::ALL.map(Kind::name).join(", "))))?;
        let tool_version = tool_version.ok_or_else(|| lacks("tool_version", "a text"))?.to_owned();
        field("body").ok_or_else(|| lacks("body", "what was found"))?;
        Ok(Self { kind, tool_version, text })
    }

    /// Reads the body. Ask for that of its own kind.
    ///
    /// # Errors
    /// With the place and the field, when the body is not what the kind says.
    pub fn body<B: Body>(&self) -> Result<B, Unreadable> {
        #[derive(Deserialize)]
        struct Whole<B> {
            body: B,
        }
        // From the text and not from the value, so that an error has its line and column.
        let Whole { mut body } = read::<Whole<B>>(self.text).map_err(|error| {
            let field = error.path().to_string();
            let error = error.into_inner();
            unreadable(format!(
                "is a damaged result of the kind {}: {}, in `{}`: {}; write it again with `{}`",
                self.kind.name(),
                place(&error),
                printable(&field),
                words(&error),
                self.kind.command()
            ))
        })?;
        body.set_tool_version(&self.tool_version);
        Ok(body)
    }

    /// Why this file cannot be used where only these kinds can.
    pub fn unwanted(&self, wanted: &[Kind]) -> Unreadable {
        let names: Vec<&str> = wanted.iter().map(|kind| kind.name()).collect();
        let command = wanted.first().map_or_else(String::new, |kind| kind.command());
        unreadable(format!(
            "is a result of the kind {}, and this takes {}: `{command}` writes one",
            self.kind.name(),
            names.join(" or ")
        ))
    }
}

/// The first fields of a value, and empty lists and maps in the place of those that stand in it: a file of any size is looked
/// at without a tree of all that it holds.
struct Shallow(Value);

impl<'de> Deserialize<'de> for Shallow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Shallow, D::Error> {
        deserializer.deserialize_any(Look { is_root: true }).map(Shallow)
    }
}

#[derive(Clone, Copy)]
struct Look {
    is_root: bool,
}

impl<'de> DeserializeSeed<'de> for Look {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(json!([]))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        const FIELDS: usize = 16;
        let mut found = serde_json::Map::new();
        while self.is_root && found.len() < FIELDS {
            let Some(key) = entries.next_key::<String>()? else { return Ok(found.into()) };
            found.insert(key, entries.next_value_seed(Look { is_root: false })?);
        }
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(found.into())
    }
}

/// Why a file is not the result that was looked for: a predicate to the name of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(String);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unreadable {}

fn unreadable(why: String) -> Unreadable {
    Unreadable(why)
}

fn no_json(error: &serde_json::Error) -> Unreadable {
    unreadable(match error.is_eof() {
        true => format!("was cut off at {}: copy it again, or write it again with `--json`", place(error)),
        false => {
            format!(
                "is not JSON, at {}: {}; give a file that `--json` has written",
                place(error),
                words(error)
            )
        }
    })
}

fn place(error: &serde_json::Error) -> String {
    format!("line {}, column {}", error.line(), error.column())
}

/// What is wrong, without the place.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    printable(text.strip_suffix(&place).unwrap_or(&text))
}

/// What stands in a file of another kind, so that its owner knows it again.
fn seen(value: &Value) -> String {
    const NAMED: usize = 3;
    match value {
        Value::Object(fields) if fields.is_empty() => "but an empty object".to_owned(),
        Value::Object(fields) => {
            let names: Vec<String> =
                fields.keys().take(NAMED).map(|name| format!("`{}`", printable(name))).collect();
            let more = if fields.len() > NAMED { ", …" } else { "" };
            format!("but an object with {}{more}", names.join(", "))
        }
        other => format!("but {}", excerpt(other)),
    }
}

fn excerpt(value: &Value) -> String {
    const LONGEST: usize = 40;
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        Value::String(text) => format!("`{}`", printable(&text.chars().take(LONGEST).collect::<String>())),
        scalar => scalar.to_string(),
    }
}

/// A body that a schema describes.
#[cfg(test)]
pub(crate) type Described = (Kind, fn(&mut SchemaGenerator) -> Schema);

/// This body, for [`schema`].
#[cfg(test)]
pub(crate) fn described<B: Body + JsonSchema>() -> Described {
    (B::KIND, SchemaGenerator::subschema_for::<B>)
}

/// The JSON Schema of files that hold one of these bodies. It is published with the sources, so that nothing that makes schemas
/// has to be built by those who use this.
#[cfg(test)]
pub(crate) fn schema(title: &str, bodies: &[Described]) -> Value {
    let mut generator = SchemaGenerator::default();
    let mut envelope = |(kind, body): &Described| {
        json!({
            "type": "object",
            "properties": {
                "tool_version": { "description": "The version of sockrates that wrote the file.", "type": "string" },
                "schema_version": { "description": "The version of this format.", "const": SCHEMA_VERSION },
                "kind": { "description": "What the file is about.", "const": kind.name() },
                "body": body(&mut generator),
            },
            "required": ["tool_version", "schema_version", "kind", "body"],
        })
    };
    let envelopes: Vec<Value> = bodies.iter().map(&mut envelope).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "anyOf": envelopes,
        "$defs": generator.take_definitions(true),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example::flawless;
    use crate::report::{RunResult, json};

    fn refusal(text: &str) -> String {
        from_json::<Vec<RunResult>>(text).expect_err("it is no result of `run`").to_string()
    }

    #[test]
    fn a_file_that_is_no_result_is_described_with_its_place_and_what_to_do() {
        let good = json::to_json(&[flawless()]);
        let cut = &good[..good.len() / 2];
        let har = r#"{ "log": { "version": "1.2", "entries": [] } }"#;
        let package = r#"{ "name": "x", "version": "1.0.0", "scripts": {}, "main": "x.js" }"#;
        for (text, wanted) in [
            (" \n", vec!["is empty", "`sockrates run … --json FILE` writes a result"]),
            ("name: x", vec!["is not JSON, at line 1, column 2: expected ident", "`--json`"]),
            (cut, vec!["was cut off at line ", "column", "copy it again"]),
            (har, vec!["is JSON, but no result of sockrates, but an object with `log`:", "`--json`"]),
            (package, vec!["an object with `name`, `version`, `scripts`, …"]),
            ("[1]", vec!["but a list"]),
            ("{}", vec!["but an empty object"]),
        ] {
            let said = refusal(text);
            for words in wanted {
                assert!(said.contains(words), "{words:?} in: {said}");
            }
        }
    }

    #[test]
    fn another_version_is_named_with_who_wrote_it() {
        let text = json::to_json(&[flawless()]).replace("\"schema_version\": 2", "\"schema_version\": 7");
        let said = refusal(&text);
        assert!(said.starts_with("has schema version 7, written by sockrates 0.1.0, and this"), "{said}");
        assert!(said.contains("reads version 2: use the sockrates that wrote it"), "{said}");
        // The first files had no envelope.
        assert!(
            refusal(r#"{ "schema_version": 1, "results": [] }"#).starts_with("has schema version 1, and")
        );
    }

    #[test]
    fn a_damaged_envelope_is_told_by_its_field() {
        let good = json::to_json(&[flawless()]);
        for (from, to, words) in [
            ("\"kind\": \"run\"", "\"kind\": \"teapot\"", "`kind` is `teapot`, not one of run, suite,"),
            ("\"kind\": \"run\",", "", "`kind` is missing, not one of"),
            (
                "\"schema_version\": 2",
                "\"schema_version\": []",
                "`schema_version` is a list, not a whole number",
            ),
            ("\"tool_version\": \"0.1.0\"", "\"tool_version\": 1", "`tool_version` is 1, not a text"),
            ("\"body\"", "\"corpse\"", "`body` is missing"),
        ] {
            let said = refusal(&good.replacen(from, to, 1));
            assert!(said.contains(words), "{words:?} in: {said}");
        }
    }

    #[test]
    fn a_damaged_body_is_told_with_line_column_and_field() {
        let good = json::to_json(&[flawless()]);
        let line = good.lines().position(|line| line.contains("\"exit_code\"")).expect("it is there") + 1;
        let said = refusal(&good.replace("\"exit_code\": 0", "\"exit_code\": \"none\""));
        let words = format!("is a damaged result of the kind run: line {line}, column ");
        assert!(said.starts_with(&words), "{said}");
        assert!(said.contains("in `body[0].verdict.exit_code`: invalid type: string"), "{said}");
        assert!(said.ends_with("write it again with `sockrates run … --json FILE`"), "{said}");
        assert!(refusal(&to_json(Kind::Run, &json!({ "a": 1 }))).contains("in `body`: invalid type: map"));
    }

    #[test]
    fn a_result_of_another_kind_is_not_taken_for_this_one() {
        let said = refusal(&to_json(Kind::Capacity, &json!({})));
        assert_eq!(
            said,
            "is a result of the kind capacity, and this takes run: `sockrates run … --json FILE` writes one"
        );
    }

    #[test]
    fn what_a_file_says_of_itself_writes_no_commands_to_the_terminal() {
        for text in ["{ \"\\u001b[2J\": 1 }", "{ \"schema_version\": 2, \"kind\": \"\\u001b[2J\" }"] {
            assert!(!refusal(text).contains('\u{1b}'));
        }
    }

    #[test]
    fn the_version_in_the_envelope_is_that_of_the_result() {
        let text = json::to_json(&[flawless()]).replace("\"0.1.0\"", "\"9.9.9\"");
        let runs: Vec<RunResult> = from_json(&text).expect("it is a result");
        assert_eq!(runs[0].tool_version, "9.9.9");
    }
}
