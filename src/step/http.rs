//! `http`: a request of the scenario's own, beside or instead of the session's. For scenarios about long-polling.
//!
//! `get: poll` and the like address the session's polling endpoint with its id; anything else is a path and
//! query of its own. With `as` the connection has a name: `async: true` leaves the response to a later
//! `http: { await: NAME, expect: … }`, and `abort: NAME` cuts it.

use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::{Beyond, Cx, Flow, Happening, Progress, Reading, Running, Step};
use crate::document::{Fields, Mistake, Node};
use crate::protocol::http::Response;
use crate::protocol::payload;
use crate::session::{HangUp, Lane, Request};
use crate::template::{Matcher, Template, binary::Binary};

const METHODS: [&str; 7] = ["get", "post", "put", "delete", "patch", "options", "head"];

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    let fields = Fields::of(node, "the step `http`")?;
    let name = fields.optional("as").map(|node| node.word().map(str::to_owned)).transpose()?;
    let within = reading.within(&fields)?;
    let expect = fields.optional("expect").map(|node| Wanted::read(node, reading)).transpose()?;
    if let Some(node) = fields.optional("await") {
        let name = node.word()?.to_owned();
        fields.deny_others()?;
        let expect = expect.unwrap_or_default();
        return Ok(Box::new(Http { deed: Deed::Await, name: Some(name), expect: Some(expect), within }));
    }
    if let Some(node) = fields.optional("abort") {
        let name = node.word()?.to_owned();
        fields.deny_others()?;
        return Ok(Box::new(Http { deed: Deed::Abort, name: Some(name), expect: None, within }));
    }
    let (method, target) = fields.one_of(&METHODS)?;
    let target = match target.text()? {
        "poll" => Target::Poll,
        text if text.starts_with(['/', '$', '?']) => Target::Path(Template::compile(target, reading.scope)?),
        text => {
            return Err(target
                .mistake(format!("expected `poll`, a path or a query, found `{text}`"))
                .hint("a path begins with `/`, a query with `?`"));
        }
    };
    let body = reading.template(&fields, "body")?;
    let headers = reading.pairs(&fields, "headers")?;
    let later = fields.optional("async").map_or(Ok(false), Node::bool)?;
    fields.deny_others()?;
    if later && name.is_none() {
        return Err(node
            .mistake("nothing can wait for this response later")
            .hint("give it a name: `as: first`"));
    }
    let inquiry = Inquiry { method: method.to_uppercase(), target, body, headers, later };
    let deed = Deed::Request(Box::new(inquiry));
    Ok(Box::new(Http { deed, name, expect, within }))
}

#[derive(Debug)]
struct Http {
    deed: Deed,
    name: Option<String>,
    expect: Option<Wanted>,
    within: Duration,
}

#[derive(Debug)]
enum Deed {
    Request(Box<Inquiry>),
    Await,
    Abort,
}

/// A request, and whether a later step awaits its response.
#[derive(Debug)]
struct Inquiry {
    method: String,
    target: Target,
    body: Option<Template>,
    headers: Vec<(String, Template)>,
    later: bool,
}

#[derive(Debug)]
enum Target {
    /// The session's polling endpoint.
    Poll,
    /// A path, or a query to the server's path.
    Path(Template),
}

/// What the response should be.
#[derive(Debug, Default)]
struct Wanted {
    status: Option<Matcher>,
    body: Option<Matcher>,
    json: Option<Matcher>,
    headers: Vec<(String, Matcher)>,
}

impl Wanted {
    fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Wanted, Mistake> {
        let fields = Fields::of(node, "the expected response")?;
        let mut matcher =
            |name| fields.optional(name).map(|node| Matcher::compile(node, reading.scope)).transpose();
        let (status, body, json) = (matcher("status")?, matcher("body")?, matcher("json")?);
        let headers = match fields.optional("headers") {
            None => Vec::new(),
            Some(node) => node
                .map()?
                .iter()
                .map(|(key, value)| Ok((key.text.clone(), Matcher::compile(value, reading.scope)?)))
                .collect::<Result<_, _>>()?,
        };
        fields.deny_others()?;
        Ok(Wanted { status, body, json, headers })
    }

    fn judge(&self, cx: &mut Cx<'_, '_>, response: &Response) {
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
                return cx.fail(format!("a response with {what} {}", wanted.describe()), actual);
            }
        }
        cx.pass();
    }
}

impl Step for Http {
    fn beyond(&self) -> Vec<Beyond> {
        vec![Beyond::OwnRequests]
    }

    fn words(&self) -> String {
        match &self.deed {
            Deed::Request(inquiry) => match inquiry.target {
                Target::Poll => format!("sends {} to the polling endpoint", inquiry.method),
                Target::Path(_) => format!("sends an HTTP {}", inquiry.method),
            },
            Deed::Await => format!("awaits the response to {}", self.name.as_deref().unwrap_or_default()),
            Deed::Abort => format!("aborts {}", self.name.as_deref().unwrap_or_default()),
        }
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        let lane = cx.actor.aside(self.name.as_deref());
        match &self.deed {
            Deed::Abort => {
                cx.wire.hang_up(lane, HangUp::Cut);
                return Progress::Done;
            }
            Deed::Await => {
                if let Some(outcome) = cx.actor.take_response(lane) {
                    self.conclude(cx, &outcome);
                    return Progress::Done;
                }
            }
            Deed::Request(inquiry) => {
                // What nobody awaited is forgotten.
                cx.actor.take_response(lane);
                if let Err(why) = inquiry.send(cx, lane) {
                    cx.fail("to send a request", why);
                    return Progress::Done;
                }
                if inquiry.later {
                    return Progress::Done;
                }
            }
        }
        Progress::waiting(Requesting { step: self, lane, deadline: cx.now + self.within })
    }

    fn judges(&self) -> bool {
        self.expect.is_some()
    }

    fn stands_alone(&self) -> bool {
        true
    }
}

impl Inquiry {
    fn send(&self, cx: &mut Cx<'_, '_>, lane: Lane) -> Result<(), String> {
        let Inquiry { method, target, body, headers, .. } = self;
        let session = cx.actor.session.own().ok_or("another client library makes the connection")?;
        let requests = session.requests();
        let target = match target {
            Target::Poll => requests.target("polling", session.handshake().map(|h| h.sid.as_str())),
            Target::Path(path) => match path.render_text(cx.actor)? {
                query if query.starts_with('?') => format!("{}{query}", requests.path()),
                path => path,
            },
        };
        let mut all = requests.headers();
        for (name, value) in headers {
            all.push((name.clone(), value.render_text(cx.actor)?));
        }
        let body = match body {
            None => None,
            Some(body) => Some(match body.render(cx.actor)? {
                Json::String(text) => text.into_bytes(),
                value => match Binary::of(&value) {
                    Some(Binary::Given(bytes)) => bytes.to_vec(),
                    Some(Binary::Generated(length)) => vec![b'x'; length],
                    None => value.to_string().into_bytes(),
                },
            }),
        };
        if matches!(self.target, Target::Poll)
            && let Some(Ok(payload)) = body.as_deref().map(std::str::from_utf8)
        {
            payload.split(payload::SEPARATOR).for_each(|packet| cx.actor.session.note_raw(packet));
        }
        let request = Request { method, target: &target, headers: &all, body: body.as_deref() };
        cx.wire.request(lane, request);
        Ok(())
    }
}

impl Http {
    fn conclude(&self, cx: &mut Cx<'_, '_>, outcome: &Result<Response, String>) {
        match (&self.expect, outcome) {
            (Some(expect), Ok(response)) => expect.judge(cx, response),
            (Some(_), Err(why)) => cx.fail("a response", why.as_str()),
            (None, _) => {}
        }
    }
}

#[derive(Debug)]
struct Requesting<'p> {
    step: &'p Http,
    lane: Lane,
    deadline: Instant,
}

impl<'p> Running<'p> for Requesting<'p> {
    fn notice(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        let outcome = match what {
            Happening::Response(lane) if *lane == self.lane => match cx.actor.take_response(self.lane) {
                Some(outcome) => outcome,
                None => return Flow::Waiting,
            },
            Happening::Time if cx.now >= self.deadline => {
                Err(format!("no response within {:?}", self.step.within))
            }
            _ => return Flow::Waiting,
        };
        self.step.conclude(cx, &outcome);
        Flow::Done
    }

    fn wake(&self) -> Option<Instant> {
        Some(self.deadline)
    }
}
