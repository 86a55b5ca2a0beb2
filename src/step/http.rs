//! `http`: a request of the scenario's own, beside or instead of the session's. For scenarios about long-polling.
//!
//! `get: poll` and the like address the session's polling endpoint with its id; anything else is a path and
//! query of its own. With `as` the connection has a name: `async: true` leaves the response to a later
//! `http: { await: NAME, expect: … }`, and `abort: NAME` cuts it; `hold` sends a part of the body, and `finish: NAME` the
//! rest; `on: NAME` sends the next request over it. `until` repeats a request: what a poll brings first may be a heartbeat.

use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::event_template::Encoded;
use super::frames::is_of_engine;
use super::pending::{End, settle};
use super::response::{Kept, Wanted};
use super::schema::{self, Schema, Shape, named};
use super::told::{self, Stamped};
use super::{Cx, EventFilter, Flow, Happening, Progress, Reading, Running, Step};
use crate::audit::SentMessage;
use crate::document::{Fields, Mistake, Node};
use crate::observe::{Grounds, Metric};
use crate::protocol::http::Response;
use crate::protocol::payload::SEPARATOR;
use crate::protocol::{Rule, socket_io};
use crate::session::{Channel, HangUp, Request};
use crate::template::{Matcher, Template, binary::Binary};

const METHODS: [&str; 7] = ["get", "post", "put", "delete", "patch", "options", "head"];

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    let fields = Fields::of(node, "the step `http`")?;
    let within = reading.within(&fields)?;
    let (deed, name) = if let Some(node) = fields.optional("await") {
        (Deed::Await, Some(reading.request_named(node)?))
    } else if let Some(node) = fields.optional("abort") {
        (Deed::Abort, Some(reading.request_named(node)?))
    } else if let Some(node) = fields.optional("finish") {
        (Deed::Finish, Some(reading.request_named(node)?))
    } else {
        let (inquiry, name) = Inquiry::read(node, &fields, reading)?;
        (Deed::Request(Box::new(inquiry)), name)
    };
    let answered_later = match &deed {
        Deed::Request(inquiry) => inquiry.later,
        Deed::Abort => true,
        Deed::Await | Deed::Finish => false,
    };
    let until = match (fields.optional("until"), &deed) {
        (Some(node), Deed::Request(inquiry)) if !inquiry.later => {
            Some(Matcher::compile(node, reading.scope)?)
        }
        (Some(node), _) => {
            return Err(node
                .mistake("only a request whose response is waited for can be repeated")
                .hint("leave out `until`, or `async`"));
        }
        (None, _) => None,
    };
    let expect = fields.optional("expect");
    let kept = fields.optional("capture");
    if let Some(node) = expect.or(kept).filter(|_| answered_later) {
        return Err(node
            .mistake("this step does not wait for a response")
            .hint("the step that awaits it can: `{ await: NAME, … }`"));
    }
    let expect = expect.map(|node| Wanted::read(node, reading)).transpose()?;
    // Last, because only what follows knows the names.
    let capture = Kept::read(&fields, expect.as_ref(), reading)?;
    let tells = match deed {
        Deed::Request(_) => None,
        Deed::Await | Deed::Abort | Deed::Finish => fields.optional("tells"),
    };
    fields.deny_others()?;
    if let Some(node) = tells {
        return Err(node.mistake("`tells` goes with the request, and this step makes none"));
    }
    Ok(Box::new(Http { deed, name, expect, until, capture, within }))
}

pub(super) fn schema() -> Schema {
    let name = || schema::word();
    let mut shape = Shape::new("A request of the scenario's own, beside or instead of those of the session.");
    for method in METHODS {
        let target = schema::fitting(r"^(poll$|[/?$])");
        shape =
            shape.takes(method, target, "The polling endpoint (`poll`), a path (`/…`) or a query (`?…`).");
    }
    let kinds: Vec<&str> = METHODS.into_iter().chain(["await", "abort", "finish"]).collect();
    let shape = shape
        .takes("await", name(), "Judges the response of the earlier request of this name.")
        .takes("abort", name(), "Cuts the earlier request of this name.")
        .takes("finish", name(), "Sends what the earlier request of this name has held back.")
        .takes("body", schema::value(), "The body: text or bytes.")
        .takes("tells", Stamped::schema(), "What the server sends to clients because of it.")
        .takes("headers", schema::pairs(), "Headers.")
        .takes("chunked", schema::flag(), "The body is sent in chunks, without its length.")
        .takes("hold", named("size"), "Only so many bytes of the body are sent.")
        .takes("as", name(), "Names the request.")
        .takes("async", schema::flag(), "Does not wait for the response.")
        .takes("on", name(), "Goes over the connection of the earlier request of this name.")
        .takes("until", schema::matcher(), "Repeats the request until its body is like this.")
        .takes("expect", Wanted::schema(), "What the response has to be, or each of them.")
        .takes("capture", Kept::schema(), "What is kept of the response, under which names.");
    schema::within(shape, "5 s").one_of(&kinds).schema()
}

#[derive(Debug)]
struct Http {
    deed: Deed,
    name: Option<String>,
    expect: Option<Wanted>,
    /// The request is repeated until its body is like this.
    until: Option<Matcher>,
    /// What is kept of the response.
    capture: Kept,
    within: Duration,
}

#[derive(Debug)]
enum Deed {
    Request(Box<Inquiry>),
    Await,
    Abort,
    /// Sends what a request has held back.
    Finish,
}

/// A request, and whether a later step awaits its response.
#[derive(Debug)]
struct Inquiry {
    method: String,
    target: Target,
    body: Option<Template>,
    /// Whether a stamp travels in the body, and to whom.
    stamped: Option<Stamped>,
    headers: Vec<(String, Template)>,
    later: bool,
    chunked: bool,
    /// How many bytes of the body are sent at first.
    hold: Option<usize>,
    /// Whether it goes over the connection of an earlier request.
    on: bool,
}

impl Inquiry {
    /// Reads a request, and under which name it can be awaited.
    fn read(
        node: &Node,
        fields: &Fields<'_>,
        reading: &mut Reading<'_>,
    ) -> Result<(Inquiry, Option<String>), Mistake> {
        let (method, target) = fields.one_of(&METHODS)?;
        let target = match target.text()? {
            "poll" => Target::Poll,
            text if text.starts_with(['/', '$', '?']) => {
                Target::Path(Template::compile(target, reading.scope)?)
            }
            text => {
                return Err(target
                    .mistake(format!("expected `poll`, a path or a query, found `{text}`"))
                    .hint("a path begins with `/`, a query with `?`"));
            }
        };
        let (own_name, on) = (fields.optional("as"), fields.optional("on"));
        if let (Some(node), Some(_)) = (own_name, on) {
            return Err(node
                .mistake("`as` and `on` exclude each other: a request on a connection has the name of that connection")
                .hint("leave out `as`"));
        }
        let name = match (own_name, on) {
            (Some(node), _) => Some(reading.name_request(node)?),
            (None, Some(node)) => Some(reading.request_named(node)?),
            (None, None) => None,
        };
        let (mut body, is_stamped) = told::with_stamp(reading.scope, |scope| {
            fields.optional("body").into_iter().map(|node| Template::compile(node, scope)).collect()
        })?;
        let body = body.pop();
        let stamped = Stamped::read(fields, is_stamped, reading)?;
        let headers = reading.pairs(fields, "headers")?;
        let later = fields.optional("async").map_or(Ok(false), Node::bool)?;
        let chunked = fields.optional("chunked").map_or(Ok(false), Node::bool)?;
        let hold = match fields.optional("hold") {
            Some(node) => Some((node, reading.size(node)? as usize)),
            None => None,
        };
        if body.is_none()
            && let Some(node) = fields.optional("chunked").filter(|_| chunked).or(fields.optional("hold"))
        {
            return Err(node.mistake("this request has no body").hint("add `body: …`"));
        }
        if let Some((node, bytes)) = hold {
            let whole = body.as_ref().and_then(Template::fixed).map(|body| bytes_of(body).len());
            if chunked {
                return Err(node.mistake("a body in chunks cannot be held back").hint("leave out `chunked`"));
            }
            if let Some(whole) = whole.filter(|whole| *whole <= bytes) {
                return Err(
                    node.mistake(format!("the body has only {whole} bytes: nothing would be held back"))
                );
            }
            if !later {
                return Err(node
                    .mistake("there is no response before the rest of the body is sent")
                    .hint("add `as: slow, async: true`, and send the rest by `http: { finish: slow }`"));
            }
        }
        if later && name.is_none() {
            return Err(node
                .mistake("nothing can wait for this response later")
                .hint("give it a name: `as: first`"));
        }
        let (method, hold, on) = (method.to_uppercase(), hold.map(|(_, bytes)| bytes), on.is_some());
        Ok((Inquiry { method, target, body, stamped, headers, later, chunked, hold, on }, name))
    }
}

/// What a body means in bytes.
fn bytes_of(body: &Json) -> Vec<u8> {
    match (body, Binary::of(body)) {
        (Json::String(text), _) => text.as_bytes().to_vec(),
        (_, Some(Binary::Given(bytes))) => bytes.to_vec(),
        (_, Some(Binary::Generated(length))) => vec![b'x'; length],
        (value, None) => value.to_string().into_bytes(),
    }
}

#[derive(Debug)]
enum Target {
    /// The session's polling endpoint.
    Poll,
    /// A path, or a query to the server's path.
    Path(Template),
}

impl Step for Http {
    fn words(&self) -> String {
        match &self.deed {
            Deed::Request(inquiry) => match inquiry.target {
                Target::Poll => format!("sends {} to the polling endpoint", inquiry.method),
                Target::Path(_) => format!("sends an HTTP {}", inquiry.method),
            },
            Deed::Await => format!("awaits the response to {}", self.name.as_deref().unwrap_or_default()),
            Deed::Finish => format!("sends the rest of {}", self.name.as_deref().unwrap_or_default()),
            Deed::Abort => format!("aborts {}", self.name.as_deref().unwrap_or_default()),
        }
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        let channel = cx.actor.aside(self.name.as_deref());
        match &self.deed {
            Deed::Abort => {
                cx.wire.hang_up(channel, HangUp::Cut);
                return Progress::Done;
            }
            Deed::Await => {
                if let Some(outcome) = cx.actor.take_response(channel) {
                    self.conclude(cx, &outcome);
                    return Progress::Done;
                }
            }
            Deed::Finish => {
                let rest = cx.actor.take_rest(channel);
                if rest.is_empty() {
                    cx.fail("to send the rest of a request", "it has held nothing back");
                    return Progress::Done;
                }
                cx.wire.rest(channel, &rest);
                if !self.judges() {
                    return Progress::Done;
                }
                if let Some(outcome) = cx.actor.take_response(channel) {
                    self.conclude(cx, &outcome);
                    return Progress::Done;
                }
            }
            Deed::Request(inquiry) => {
                let message = match inquiry.send(cx, channel) {
                    Ok(message) => message,
                    Err(why) => {
                        cx.fail("to send a request", why);
                        return Progress::Done;
                    }
                };
                if inquiry.later {
                    // Nobody waits to hear whether it was.
                    settle(cx, message, End::Unheard);
                    return Progress::Done;
                }
                return Progress::waiting(Requesting { message, ..self.requesting(cx, channel) });
            }
        }
        Progress::waiting(self.requesting(cx, channel))
    }

    fn judges(&self) -> bool {
        self.expect.is_some() || self.until.is_some() || !self.capture.is_empty()
    }

    fn stands_alone(&self) -> bool {
        true
    }

    fn values(&self, metric: Metric) -> u64 {
        let is_of_messages = matches!(metric, Metric::Delivery | Metric::FanoutFirst | Metric::FanoutLast);
        u64::from(is_of_messages && self.stamped().is_some())
    }

    fn stamps(&self) -> bool {
        self.stamped().is_some()
    }

    fn audit(&self, events: &mut EventFilter) {
        if let Some(stamped) = self.stamped() {
            stamped.want(events);
        }
    }
}

impl Inquiry {
    /// Sends it. Gives what the audit has to know of it when it is settled.
    fn send(&self, cx: &mut Cx<'_, '_>, channel: Channel) -> Result<Option<Box<SentMessage>>, String> {
        let Inquiry { method, target, body, headers, .. } = self;
        let session = &cx.actor.session;
        let requests = session.requests();
        let target = match target {
            Target::Poll => requests.target("polling", session.handshake().map(|h| h.sid.as_str())),
            Target::Path(path) => match path.render_text(cx.actor)? {
                query if query.starts_with('?') => requests.by_hand(&query),
                path => path,
            },
        };
        let mut all = requests.headers(&target);
        let is_of_the_server = target.starts_with(requests.path());
        all.retain(|(name, _)| !headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name)));
        for (name, value) in headers {
            let value = value.render_text(cx.actor)?;
            cx.actor.context.secrets.note_header(name, &value);
            all.push((name.clone(), value));
        }
        if self.chunked {
            all.push(("Transfer-Encoding".to_owned(), "chunked".to_owned()));
        }
        let mut body =
            body.as_ref().map(|body| body.render(cx.actor)).transpose()?.map(|body| bytes_of(&body));
        // A request to a page of the application changes nothing on the connection.
        if is_of_the_server {
            cx.act_by_hand();
        }
        let mut message = None;
        if let (Some(stamped), Some(body)) = (&self.stamped, &mut body) {
            let data =
                String::from_utf8(std::mem::take(body)).map_err(|_| "the body is no text".to_owned())?;
            let mut encoded = Encoded { data, attachments: Vec::new() };
            let namespace = cx.namespace(None)?;
            message = stamped.put(cx, &mut encoded, &namespace)?;
            *body = encoded.data.into_bytes();
        }
        if self.on && cx.actor.awaits(channel) {
            return Err("the request before it on this connection is not answered yet".to_owned());
        }
        let rest = match (&body, self.hold) {
            (Some(body), Some(hold)) => body.get(hold..).unwrap_or_default().to_vec(),
            _ => Vec::new(),
        };
        if matches!(self.target, Target::Poll)
            && let Some(Ok(payload)) = body.as_deref().map(std::str::from_utf8)
        {
            cx.actor.session.note_raw_payload(payload);
        }
        let request = Request {
            method,
            target: &target,
            headers: &all,
            body: body.as_deref(),
            held: rest.len(),
            same_connection: self.on && !cx.actor.announced_end(channel),
            // What a scenario sends to the endpoint by hand is about these bytes on that connection.
            may_repeat: !is_of_the_server && !self.on && rest.is_empty(),
        };
        cx.wire.request(channel, request);
        cx.actor.asked(channel, &target, rest);
        Ok(message)
    }
}

impl Http {
    fn stamped(&self) -> Option<&Stamped> {
        match &self.deed {
            Deed::Request(inquiry) => inquiry.stamped.as_ref(),
            Deed::Await | Deed::Abort | Deed::Finish => None,
        }
    }

    fn requesting(&self, cx: &Cx<'_, '_>, channel: Channel) -> Requesting<'_> {
        Requesting { step: self, channel, deadline: cx.now + self.within, message: None }
    }

    fn conclude(&self, cx: &mut Cx<'_, '_>, outcome: &Result<Response, String>) {
        if !self.judges() {
            return;
        }
        let response = match outcome {
            Ok(response) => response,
            Err(why) => return cx.fail("a response", why.as_str()),
        };
        if let Some(expect) = &self.expect
            && let Err((wanted, actual)) = expect.judge(cx, response)
        {
            let is_refused = expect.is_refused_otherwise(cx, response);
            let rule = cx.actor.blamed().or(is_refused.then_some(Rule::RefusalStatus));
            return cx.fail_on(grounds(response), rule, wanted, actual);
        }
        if let Some(until) = &self.until
            && let Err(mismatch) = until.matches(&text_of(response), &[], cx.actor)
        {
            let wanted = format!("a response with body {}", until.describe());
            let actual = format!("status {}: body {mismatch}", response.head.status);
            return cx.fail_on(grounds(response), None, wanted, actual);
        }
        if let Err((wanted, actual)) = self.capture.keep(cx, self.expect.as_ref(), response) {
            return cx.fail(wanted, actual);
        }
        cx.pass();
    }
}

/// The response as it would be if its packets left out the main namespace: steps look at what a packet says, and that it is misspelt is
/// told of those that a session reads.
fn plain(mut response: Response) -> Response {
    let Ok(text) = str::from_utf8(&response.body) else { return response };
    let plain = socket_io::frame_without_main;
    if text.split(SEPARATOR).all(|packet| plain(packet).is_none()) {
        return response;
    }
    let packets = text.split(SEPARATOR).map(|packet| plain(packet).unwrap_or_else(|| packet.to_owned()));
    response.body = packets.collect::<Vec<_>>().join(&SEPARATOR.to_string()).into_bytes();
    response
}

/// The body of a response, as far as it is text.
/// What shows that a response is not the one that was wanted: a refusal, a heartbeat or the end may come where a connection has ended
/// before it could be had.
fn grounds(response: &Response) -> Grounds {
    let is_of_connection = std::str::from_utf8(&response.body).is_ok_and(is_of_engine);
    match response.head.status >= 400 || is_of_connection {
        true => Grounds::End,
        false => Grounds::Came,
    }
}

fn text_of(response: &Response) -> Json {
    Json::from(String::from_utf8_lossy(&response.body).as_ref())
}

#[derive(Debug)]
struct Requesting<'p> {
    step: &'p Http,
    channel: Channel,
    deadline: Instant,
    /// What the audit has to know of it, until it is settled.
    message: Option<Box<SentMessage>>,
}

impl Requesting<'_> {
    /// Sends the request once more where the response is a good one, but not the one that it is repeated for.
    fn again(&mut self, cx: &mut Cx<'_, '_>, response: &Response) -> Option<Flow> {
        let (Some(until), Deed::Request(inquiry)) = (&self.step.until, &self.step.deed) else { return None };
        let is_other = until.matches(&text_of(response), &[], cx.actor).is_err();
        let is_good = response.head.status < 300
            && self.step.expect.as_ref().is_none_or(|expect| expect.judge(cx, response).is_ok());
        if !is_other || !is_good || cx.now >= self.deadline {
            return None;
        }
        match inquiry.send(cx, self.channel) {
            Ok(message) => {
                settle(cx, self.message.take(), End::Handled);
                self.message = message;
            }
            Err(why) => {
                cx.fail("to send a request", why);
                return Some(Flow::Done);
            }
        }
        Some(Flow::Waiting)
    }
}

impl<'p> Running<'p> for Requesting<'p> {
    fn handle(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        let outcome = match what {
            Happening::Response(channel) if *channel == self.channel => {
                match cx.actor.take_response(self.channel) {
                    Some(outcome) => outcome.map(plain),
                    None => return Flow::Waiting,
                }
            }
            Happening::Time if cx.now >= self.deadline => {
                if self.step.expect.as_ref().is_some_and(|expect| expect.or_silence) {
                    settle(cx, self.message.take(), End::Unheard);
                    cx.pass();
                    return Flow::Done;
                }
                Err(format!("no response within {:?}", self.step.within))
            }
            _ => return Flow::Waiting,
        };
        let is_answer = |response: &Response| matches!(response.head.status, 200 | 400..=499);
        let is_refusal = |response: &Response| {
            self.step.expect.as_ref().is_some_and(|expect| expect.is_refused_otherwise(cx, response))
        };
        let is_as_usual = |response: &Response| is_answer(response) || is_refusal(response);
        if let Deed::Request(inquiry) = &self.step.deed
            && !outcome.as_ref().is_ok_and(is_as_usual)
        {
            let rule = match (inquiry.method.as_str(), &inquiry.target) {
                ("POST", _) => Some(Rule::PostAnswer),
                ("GET", Target::Poll) => Some(Rule::PollAnswer),
                _ => None,
            };
            cx.actor.harm = cx.actor.harm.or(rule);
        }
        if let Ok(response) = &outcome
            && let Some(again) = self.again(cx, response)
        {
            return again;
        }
        match (&outcome, self.message.take()) {
            (Ok(response), message) if response.head.status < 400 => settle(cx, message, End::Handled),
            // Where nobody expects such a status no check fails: that it was for nobody must not read as judged.
            (_, message) => settle(cx, message, End::Unheard),
        }
        self.step.conclude(cx, &outcome);
        Flow::Done
    }

    fn abandon(&mut self, cx: &mut Cx<'_, 'p>) {
        settle(cx, self.message.take(), End::Unheard);
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Some(self.deadline)
    }
}
