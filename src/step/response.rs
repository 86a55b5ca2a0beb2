//! The response to an `http` step: what it has to be, and what is kept of it.

use regex::Regex;
use serde_json::Value as Json;

use super::schema::{self, Schema, Shape};
use super::{Cx, Reading};
use crate::document::{Fields, Mistake, Node, Span, Value};
use crate::protocol::http::{Head, Response};
use crate::template::{Matcher, Slot};

/// The status with which a server refuses what it cannot serve.
const BAD_REQUEST: u16 = 400;

/// What the response should be.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    status: Option<Matcher>,
    body: Option<Matcher>,
    json: Option<Matcher>,
    headers: Vec<(String, Matcher)>,
    /// No response within the time is right as well.
    pub(super) or_silence: bool,
    /// The headers whose `$match` has a group, and where they were written.
    grouped: Vec<(String, Span)>,
}

impl Wanted {
    pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Wanted, Mistake> {
        let fields = Fields::of(node, "the expected response")?;
        let mut matcher =
            |name| fields.optional(name).map(|node| Matcher::compile(node, reading.scope)).transpose();
        let (status, body, json) = (matcher("status")?, matcher("body")?, matcher("json")?);
        let or_silence = fields.optional("or_silence").map_or(Ok(false), Node::bool)?;
        let mut wanted = Wanted { status, body, json, or_silence, ..Wanted::default() };
        if let Some(node) = fields.optional("headers") {
            for (key, value) in node.map()? {
                let matcher = Matcher::compile(value, reading.scope)?;
                if matcher.has_group() {
                    wanted.grouped.push((key.text.clone(), value.span));
                }
                wanted.headers.push((key.text.clone(), matcher));
            }
        }
        fields.deny_others()?;
        Ok(wanted)
    }

    pub(super) fn schema() -> Schema {
        Shape::new("What the response has to be.")
            .takes("status", schema::matcher(), "The status.")
            .takes("body", schema::matcher(), "The body, as text.")
            .takes("json", schema::matcher(), "The body, as JSON.")
            .takes("headers", schema::map(schema::matcher()), "Headers by their names.")
            .takes("or_silence", schema::flag(), "No response within the time is right as well.")
            .schema()
    }

    /// Whether the request had to be refused with the usual status, and was with another.
    pub(super) fn is_refused_otherwise(&self, cx: &Cx<'_, '_>, response: &Response) -> bool {
        let is_it = |status: &Matcher, code: u16| status.matches(&Json::from(code), &[], cx.actor).is_ok();
        let wants = |code: u16| self.status.as_ref().is_some_and(|status| is_it(status, code));
        let status = response.head.status;
        status >= 400 && wants(BAD_REQUEST) && !wants(status)
    }

    /// Whether the response is as it should be; if not, what was wanted and what is.
    pub(super) fn judge(&self, cx: &Cx<'_, '_>, response: &Response) -> Result<(), (String, String)> {
        let text = String::from_utf8_lossy(&response.body);
        let seen = format!("status {}, body {:.200}", response.head.status, format!("{text:?}"));
        let json: Json = serde_json::from_slice(&response.body).unwrap_or(Json::Null);
        let mut parts: Vec<(String, &Matcher, Json)> = Vec::new();
        if let Some(status) = &self.status {
            parts.push(("status".into(), status, Json::from(response.head.status)));
        }
        if let Some(body) = &self.body {
            parts.push(("body".into(), body, Json::from(text.as_ref())));
        }
        if let Some(wanted) = &self.json {
            parts.push(("JSON body".into(), wanted, json));
        }
        for (name, wanted) in &self.headers {
            let value = response.head.header(name).map_or(Json::Null, Json::from);
            parts.push((format!("header {name}"), wanted, value));
        }
        for (what, wanted, actual) in parts {
            if let Err(mismatch) = wanted.matches(&actual, &[], cx.actor) {
                let actual = format!("{seen}: {what} {mismatch}");
                return Err((format!("a response with {what} {}", wanted.describe()), actual));
            }
        }
        Ok(())
    }
}

/// What is kept of a response, each under a name.
#[derive(Debug, Default)]
pub(super) struct Kept(Vec<(Slot, Part)>);

/// A part of a response.
#[derive(Debug)]
enum Part {
    /// Its body, or what the group of the body's `$match` matched.
    Body,
    /// A header of this name, or what the first group of the expression matched in one.
    Header(String, Option<Regex>),
}

impl Kept {
    /// Reads the field `capture`: a name for the body, or names with what each of them keeps.
    pub(super) fn read(
        fields: &Fields<'_>,
        wanted: Option<&Wanted>,
        reading: &mut Reading<'_>,
    ) -> Result<Kept, Mistake> {
        let Some(node) = fields.optional("capture") else { return Ok(Kept::default()) };
        let mut kept = Vec::new();
        match &node.value {
            Value::Map(entries) if entries.is_empty() => {
                return Err(node.mistake("expected at least one name, found an empty map"));
            }
            Value::Map(entries) => {
                for (key, value) in entries {
                    let part = Part::read(value)?;
                    let name = Node { span: key.span, value: Value::Text(key.text.clone()) };
                    kept.push((reading.scope.capture(&name)?, part));
                }
            }
            _ => kept.push((reading.scope.capture(node)?, Part::Body)),
        }
        let is_kept = |header: &str| {
            kept.iter()
                .any(|(_, part)| matches!(part, Part::Header(name, _) if name.eq_ignore_ascii_case(header)))
        };
        let grouped = wanted.map_or(&[][..], |wanted| &wanted.grouped[..]);
        if let Some((header, span)) = grouped.iter().find(|(header, _)| !is_kept(header)) {
            let slot = kept.first().map_or("value", |(slot, _)| &slot.name);
            return Err(Mistake::new(*span, "nothing keeps what the group of this header matches").hint(format!(
                "to keep it, write `capture: {{ {slot}: {{ header: {header}, match: … }} }}`; a group that keeps nothing is `(?:…)`"
            )));
        }
        Ok(Kept(kept))
    }

    pub(super) fn schema() -> Schema {
        let header = Shape::new("A header of the response.")
            .needs("header", schema::word(), "Its name.")
            .takes("match", schema::text(), "Keeps what the first group of this regular expression matches.");
        let part = schema::either([schema::told(schema::words(["body"]), "The body."), header.schema()]);
        let mut parts = schema::map(part);
        parts["minProperties"] = 1.into();
        parts["propertyNames"] = schema::name();
        schema::either([schema::told(schema::name(), "Keeps the body under this name."), parts])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps what the step asks for.
    ///
    /// # Errors
    /// What was wanted and what is, in words, when it is not there or too much.
    pub(super) fn keep(
        &self,
        cx: &mut Cx<'_, '_>,
        wanted: Option<&Wanted>,
        response: &Response,
    ) -> Result<(), (String, String)> {
        for (slot, part) in &self.0 {
            let value = match part {
                Part::Body => body(wanted, response),
                Part::Header(name, regex) => header(&response.head, name, regex.as_ref()),
            };
            match value {
                Ok(value) => cx.actor.set(slot, value),
                Err(why) => return Err((format!("a value for `{}`", slot.name), why)),
            }
        }
        Ok(())
    }
}

impl Part {
    fn read(node: &Node) -> Result<Part, Mistake> {
        if let Value::Text(word) = &node.value {
            return match word.as_str() {
                "body" => Ok(Part::Body),
                _ => Err(node
                    .mistake(format!("unknown part of a response `{word}`"))
                    .hint("write `body`, or `{ header: set-cookie }`")),
            };
        }
        let fields = Fields::of(node, "what is kept of a response")?;
        let name = fields.required("header")?.word()?.to_owned();
        let regex = fields.optional("match").map(|node| {
            let text = node.text()?;
            let regex = Regex::new(text).map_err(|error| {
                let why = error.to_string();
                let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                node.mistake(format!("the regular expression is not valid: {why}"))
            })?;
            match regex.captures_len() {
                2.. => Ok(regex),
                _ => Err(node
                    .mistake("this regular expression has no group, so nothing would be kept")
                    .hint("put what is to be kept in parentheses: `sid=([^;]+)`")),
            }
        });
        let regex = regex.transpose()?;
        fields.deny_others()?;
        Ok(Part::Header(name, regex))
    }
}

/// What is kept of a body: what the group of its `$match` matched, the value if it is JSON, else its text.
fn body(wanted: Option<&Wanted>, response: &Response) -> Result<Json, String> {
    let text = String::from_utf8_lossy(&response.body);
    let matcher = wanted.and_then(|wanted| wanted.body.as_ref());
    let kept = Matcher::captured(matcher, &text)?;
    let is_json = wanted.is_some_and(|wanted| wanted.json.is_some()) || says_json(&response.head);
    if is_json && !matcher.is_some_and(Matcher::has_group) {
        return Ok(serde_json::from_str(&kept).unwrap_or(Json::from(kept)));
    }
    Ok(Json::from(kept))
}

/// Whether the media type of a body is JSON: `application/json`, `application/problem+json`.
fn says_json(head: &Head) -> bool {
    let media = head.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let media = media.to_ascii_lowercase();
    media.ends_with("/json") || media.ends_with("+json")
}

/// What is kept of a header, which may be there several times.
fn header(head: &Head, name: &str, regex: Option<&Regex>) -> Result<Json, String> {
    let Some(regex) = regex else {
        return head
            .header(name)
            .map(Json::from)
            .ok_or_else(|| format!("the response has no header `{name}`"));
    };
    let mut values = head.values(name).peekable();
    if values.peek().is_none() {
        return Err(format!("the response has no header `{name}`"));
    }
    let found = values.find_map(|value| Some(regex.captures(value)?.get(1)?.as_str()));
    found.map(Json::from).ok_or_else(|| format!("no header `{name}` matches /{regex}/"))
}
