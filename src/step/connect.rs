//! `connect`: opens the connection if there is none, then connects to a namespace.
//!
//! Done when the server has accepted (and, with transport `upgrade`, the WebSocket or the WebTransport session carries everything), when it
//! has refused, or when the patience is over. With `refused`, being refused is what is demanded. Where
//! the contract says what tells a client that the server is ready, it is not done before that. With `retry`, a try that
//! comes to nothing is followed by another; a refusal by a namespace ends it all the same, as in the official client.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::actor::Ended;
use super::how::{How, Wanted, shape};
use super::ready::Ready;
use super::refusal::{Refusal, answer, ended_while_asking, is_about_credentials};
use super::retry;
use super::schema::{self, Schema};
use super::{Cx, EventFilter, Flow, Happening, Progress, Reading, Running, Step};
use crate::audit::AuditEvent;
use crate::document::{Mistake, Node};
use crate::observe::{Cause, Counter, FailureKind, Metric};
use crate::protocol::dialect::{Auth, Packet4};
use crate::protocol::{Rule, Violation};
use crate::session::{self, Channel, Closed, Event, Polls, Transport, query_of};

/// What a client that is refused may lack.
const NO_AUTH: &str = " (if it wants credentials: `auth:` of the group, or `--auth`)";

/// What a client that is refused may lack which has a connection from before.
const KEPT: &str = " (it asked over the connection that it had: a cookie or a header that it has got since then goes with a new one \
                    alone; put `disconnect` before this step)";

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    Ok(Box::new(Connect(How::read(node, reading, "the step `connect`", Metric::Connect)?)))
}

pub(super) fn schema() -> Schema {
    shape("Opens the connection if there is none, then connects to a namespace.")
        .takes(
            "refused",
            schema::refused(),
            "A refusal is demanded: `true`, a matcher for the reason, or `status` and `body` of an HTTP answer.",
        )
        .schema()
}

impl How {
    /// Begins: at once, or when the client's time has come.
    pub(super) fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        let mut due = cx.due + self.after;
        if !cx.actor.arrived {
            cx.actor.arrived = true;
            due += cx.actor.group.offsets.get(cx.actor.who.n as usize).copied().unwrap_or_default();
        }
        cx.due = due;
        let mut connecting = Connecting {
            how: self,
            namespace: "".into(),
            auth: None,
            due,
            next: due,
            ready: due.max(cx.ready),
            established: due,
            asked: due,
            deadline: due + self.within,
            end_of_try: due + self.within,
            place: Place::Early,
            tries: 0,
            pauses: 0,
            misplaced: false,
            is_kept: false,
            awaited: None,
        };
        connecting.follow_the_loss(cx);
        if connecting.next > cx.now {
            return Progress::waiting(connecting);
        }
        match connecting.begin(cx) {
            Flow::Done => Progress::Done,
            Flow::Waiting => Progress::waiting(connecting),
        }
    }
}

/// How long an answer to CONNECT is awaited after a poll that could not be read.
const UNREADABLE: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Connect(How);

impl Step for Connect {
    fn words(&self) -> String {
        let over = self.0.transport.map(|t| format!(" over {}", t.name())).unwrap_or_default();
        let way = over + &self.0.where_to();
        match self.0.wanted {
            Wanted::Acceptance { .. } => format!("connects{way}"),
            Wanted::Refusal(Refusal::Http { .. }) => format!("connects{way} and is refused by HTTP"),
            Wanted::Refusal(_) => format!("connects{way} and is refused"),
        }
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        self.0.start(cx)
    }

    fn transport(&self) -> Option<Transport> {
        self.0.transport
    }

    fn stands_alone(&self) -> bool {
        true
    }

    fn filter(&self, filter: &mut EventFilter) {
        self.0.filter(filter);
    }

    fn values(&self, metric: Metric) -> u64 {
        self.0.values(metric)
    }
}

#[derive(Debug, PartialEq)]
enum Place {
    /// The time of its next try has not come.
    Early,
    /// The Engine.IO handshake is under way.
    Opening,
    /// `CONNECT` is sent.
    Asking,
    /// Accepted; the upgrade is still under way.
    Upgrading,
    /// Connected; the application has not said yet that it is ready.
    Preparing,
}

#[derive(Debug)]
struct Connecting<'p> {
    how: &'p How,
    namespace: Box<str>,
    /// What is sent in the query, in a dialect that has it there.
    auth: Option<String>,
    /// From when on its latency counts.
    due: Instant,
    /// When the next try begins.
    next: Instant,
    /// When the client was free for it, if that was later.
    ready: Instant,
    established: Instant,
    asked: Instant,
    /// When all tries have come to nothing.
    deadline: Instant,
    /// When this one has.
    end_of_try: Instant,
    place: Place,
    tries: u32,
    /// How many pauses there were before tries.
    pauses: u32,
    /// Whether the server let the client into a namespace meanwhile that it had not asked for.
    misplaced: bool,
    /// Whether it asks over a connection from before.
    is_kept: bool,
    /// What the server has yet to say before the client is heard. Many applications greet a recovered one no more.
    awaited: Option<&'p Ready>,
}

impl Connecting<'_> {
    /// A client that reconnects pauses before its first try, and counts from the loss of its connection.
    fn follow_the_loss(&mut self, cx: &Cx<'_, '_>) {
        let Some(retry) = &self.how.retry else { return };
        if self.how.metric != Metric::Reconnect || !cx.actor.session.is_closed() {
            return;
        }
        if let Some(lost) = &cx.actor.ended {
            self.due = lost.at;
        }
        self.next = self.due + retry.pause(self.pauses, cx);
        self.ready = self.ready.max(self.next);
        self.pauses += 1;
    }

    /// Why a client that is to reconnect has no loss to come back from, if it has none.
    fn still_connected(&self, cx: &Cx<'_, '_>) -> Option<String> {
        if self.how.metric != Metric::Reconnect {
            return None;
        }
        let namespace = cx.namespace(self.how.namespace.as_ref()).ok()?;
        cx.actor.session.is_connected(&namespace).then(|| {
            format!("it is still connected to `{namespace}`: put `disconnect: cut` or `expect_closed` before `reconnect`")
        })
    }

    /// A client that tries again may not have noticed its loss yet.
    fn await_the_loss(&mut self, cx: &mut Cx<'_, '_>, why: String) -> Flow {
        let next = self.how.retry.as_ref().map(|retry| cx.now + retry.pause(self.pauses, cx));
        match next.filter(|next| *next < self.deadline) {
            Some(next) => {
                (self.next, self.ready) = (next, next);
                Flow::Waiting
            }
            None => {
                cx.fail("a client whose connection has ended", why);
                Flow::Done
            }
        }
    }

    fn begin(&mut self, cx: &mut Cx<'_, '_>) -> Flow {
        if let Some(why) = self.still_connected(cx) {
            return self.await_the_loss(cx, why);
        }
        if self.tries == 0 {
            cx.observer.count(Counter::ConnectAsked, 1);
        }
        self.tries += 1;
        self.misplaced = false;
        cx.ready = self.ready;
        cx.lag(Metric::ConnectLag);
        match self.how.retry {
            Some(_) => self.end_of_try = self.deadline.min(cx.now + retry::ONE_TRY),
            None => self.end_of_try = cx.now + self.how.within,
        }
        if cx.actor.group.dialect.auth == Auth::Query {
            match self.render_auth(cx) {
                Ok(auth) => self.auth = auth,
                Err(why) => return self.missed(cx, Cause::NoValue, why),
            }
        }
        if let Some(node) = &self.how.node
            && let Err(why) = cx.go_to(node)
        {
            return self.missed(cx, Cause::NoValue, why);
        }
        let destination = cx.actor.destination(&self.how.query, &self.how.headers);
        match (cx.namespace(self.how.namespace.as_ref()), destination) {
            (Ok(namespace), Ok(mut destination)) => {
                self.namespace = namespace;
                if let Some(auth) = &self.auth {
                    destination.add_query(&query_of(auth));
                }
                if !cx.actor.session.is_open() {
                    cx.forget_node();
                    cx.actor.standing.opens_with(&destination.query);
                }
                let destination = cx.actor.context.destinations.share(destination);
                cx.actor.session.set_destination(destination);
            }
            (Err(why), _) | (_, Err(why)) => return self.missed(cx, Cause::NoValue, why),
        }
        cx.actor.ended = None;
        cx.record(AuditEvent::Connecting { namespace: &self.namespace });
        self.is_kept = cx.actor.session.is_open();
        if self.is_kept {
            cx.actor.session.set_polls(cx.wire, Polls::Automatic);
            return self.ask(cx);
        }
        cx.actor.frames.forget();
        cx.actor.begin_anew();
        cx.actor.by_hand = false;
        self.place = Place::Opening;
        let transport = self.how.transport.unwrap_or(cx.actor.group.transport);
        cx.actor.session.open(cx.wire, transport);
        Flow::Waiting
    }

    /// What is sent with `CONNECT`, or in its place.
    fn render_auth(&self, cx: &mut Cx<'_, '_>) -> Result<Option<String>, String> {
        let auth = self.how.auth.as_ref().or_else(|| cx.actor.group.auth_for(&self.namespace));
        let auth = auth.map(|auth| auth.render(cx.actor)).transpose()?;
        // The room of a broadcast may be told by it, also where no room is.
        cx.actor.standing.connects_with(auth.as_ref());
        Ok(auth.map(|auth| {
            cx.actor.context.secrets.note_auth(&auth, false);
            auth.to_string()
        }))
    }

    fn ask(&mut self, cx: &mut Cx<'_, '_>) -> Flow {
        self.place = Place::Asking;
        self.asked = cx.now;
        let auth = match cx.actor.group.dialect.auth {
            Auth::Query => Ok(self.auth.take()),
            Auth::Payload => self.render_auth(cx),
        };
        let auth = match auth {
            Ok(auth) => auth,
            Err(why) => return self.missed(cx, Cause::NoValue, why),
        };
        let found = cx.actor.session.connect(cx.wire, &self.namespace, auth.as_deref(), self.how.recover);
        // Who is there from before has been told.
        let is_told = self.is_kept && matches!(found, session::Connecting::Standing);
        self.awaited = self.how.ready.as_ref().filter(|ready| !is_told && ready.is_told_in(&self.namespace));
        cx.actor.standing.asks(self.awaited.is_some());
        self.awaited.iter().for_each(|ready| ready.forget(cx, &self.namespace));
        match found {
            session::Connecting::Asked => Flow::Waiting,
            session::Connecting::Standing => self.accepted(cx, false),
        }
    }

    fn accepted(&mut self, cx: &mut Cx<'_, '_>, recovered: bool) -> Flow {
        cx.observer.latency(Metric::ConnectNamespace, cx.now.saturating_duration_since(self.asked));
        cx.observer.latency(self.how.metric, cx.now.saturating_duration_since(self.due));
        cx.observer.count(Counter::ConnectOk, 1);
        match &self.how.wanted {
            Wanted::Refusal(refusal) => {
                let wanted = format!("a refusal by `{}`{}", self.namespace, refusal.describe());
                cx.fail_on_sight(wanted, "the server accepted");
                return Flow::Done;
            }
            Wanted::Acceptance { recovered: Some(wanted) } if *wanted != recovered => {
                let words = |recovered| if recovered { "a recovered session" } else { "a fresh session" };
                cx.fail_on_sight(words(*wanted), words(recovered));
            }
            Wanted::Acceptance { .. } => {
                self.awaited.take_if(|_| recovered);
                let upgrade = self.how.transport.unwrap_or(cx.actor.group.transport).upgrades();
                if upgrade && cx.actor.session.is_upgrading() {
                    self.place = Place::Upgrading;
                    return Flow::Waiting;
                }
                if upgrade && cx.actor.session.is_polling() {
                    cx.fail(cx.actor.session.upgrade_wish(), "the server's handshake offers none");
                    return Flow::Done;
                }
                return self.await_ready(cx);
            }
        }
        Flow::Done
    }

    /// The client is connected; the step is done, unless the application says by an event when it is ready.
    fn await_ready(&mut self, cx: &mut Cx<'_, '_>) -> Flow {
        if self.awaited.is_none_or(|ready| ready.is_there(cx, &self.namespace)) {
            cx.actor.standing.is_ready(&self.namespace);
            cx.pass();
            return Flow::Done;
        }
        self.place = Place::Preparing;
        Flow::Waiting
    }

    fn unready(&self, cx: &mut Cx<'_, '_>, why: &str) -> Flow {
        self.awaited.iter().for_each(|ready| ready.missed(cx, &self.namespace, self.asked, why));
        Flow::Done
    }

    fn refused(&mut self, cx: &mut Cx<'_, '_>, reason: &str) -> Flow {
        self.count_refusal(cx);
        let actual: Json = serde_json::from_str(reason).unwrap_or(Json::Null);
        let verdict = match &self.how.wanted {
            Wanted::Acceptance { .. } => {
                let has_none = self.how.auth.is_none() && cx.actor.group.auth_for(&self.namespace).is_none();
                let is_in = cx.actor.session.is_connected_anywhere();
                let hint = match reason.to_lowercase().contains("namespace") {
                    false if self.is_kept && !is_in => KEPT,
                    false if has_none => NO_AUTH,
                    _ => "",
                };
                let why = format!("`{}` refused: {reason}{hint}", self.namespace);
                if is_in {
                    cx.actor.harm.get_or_insert(Rule::NamespaceAlone);
                }
                return self.missed(cx, Cause::Refused, why);
            }
            Wanted::Refusal(Refusal::Any) => Ok(()),
            Wanted::Refusal(Refusal::Reason(matcher)) => {
                let verdict = matcher.matches(&actual, &[], cx.actor);
                // An older server refuses with a text alone, which is the message.
                match (&actual, cx.actor.session.dialect().packet_4) {
                    (Json::String(text), Packet4::Error) => {
                        verdict.or_else(|_| matcher.matches(&json!({ "message": text }), &[], cx.actor))
                    }
                    _ => verdict,
                }
            }
            Wanted::Refusal(refusal @ Refusal::Http { .. }) => {
                let why =
                    format!("HTTP let it in, and `{}` refused by CONNECT_ERROR: {reason}", self.namespace);
                cx.fail(format!("a refusal{}", refusal.describe()), why);
                return Flow::Done;
            }
        };
        match verdict {
            Ok(()) => cx.pass(),
            Err(mismatch) => cx.fail_on_sight(format!("a refusal with {}", mismatch.expected), reason),
        }
        Flow::Done
    }

    /// Counts a connect that was to be refused, and was not accepted.
    fn count_refusal(&self, cx: &mut Cx<'_, '_>) {
        if let Wanted::Refusal(_) = &self.how.wanted {
            cx.observer.count(Counter::ConnectRefused, 1);
        }
    }

    /// The answer to the handshake was no handshake.
    fn refused_by_http(&mut self, cx: &mut Cx<'_, '_>, why: &Closed, status: u16, body: &str) -> Flow {
        let Wanted::Refusal(refusal) = &self.how.wanted else {
            return self.missed(cx, why.cause(), why.to_string());
        };
        self.count_refusal(cx);
        let wish = || format!("a refusal{}", refusal.describe());
        match refusal {
            Refusal::Http { .. } => match refusal.matches_http(cx, Some((status, body))) {
                Ok(()) => cx.pass(),
                Err(but) => cx.fail(wish(), format!("{why} ({but})")),
            },
            Refusal::Any if is_about_credentials(status, body) => cx.pass(),
            Refusal::Any | Refusal::Reason(_) => {
                let hint = format!(
                    "{why}. For a refusal by HTTP, write `connect: {{ refused: {{ status: {status} }} }}`, or \
                     `open: {{ refused: {status} }}` for the handshake alone"
                );
                cx.fail("a refusal with CONNECT_ERROR", hint);
            }
        }
        Flow::Done
    }

    /// The try has come to nothing.
    fn missed(&mut self, cx: &mut Cx<'_, '_>, cause: Cause, why: impl Into<String>) -> Flow {
        if self.tries_again(cx, cause) {
            return Flow::Waiting;
        }
        let mut why = why.into();
        if self.tries > 1 {
            let within = self.how.within;
            why = format!("none of {} tries within {within:?} led to one; the last: {why}", self.tries);
        }
        self.count_refusal(cx);
        match &self.how.wanted {
            Wanted::Acceptance { .. } => cx.miss(FailureKind::Connect(cause), "a connection", why),
            Wanted::Refusal(refusal @ Refusal::Http { .. }) => {
                cx.fail(format!("a refusal{}", refusal.describe()), why);
            }
            Wanted::Refusal(_) => cx.fail("a refusal with CONNECT_ERROR", why),
        }
        Flow::Done
    }

    /// Whether another try follows one that failed for this cause.
    fn tries_again(&mut self, cx: &mut Cx<'_, '_>, cause: Cause) -> bool {
        let Some(retry) = &self.how.retry else { return false };
        // Who was accepted is connected, and who was refused knows the answer.
        let is_final = self.place == Place::Upgrading || matches!(cause, Cause::Refused | Cause::NoValue);
        let next = cx.now + retry.pause(self.pauses, cx);
        if is_final || next >= self.deadline {
            return false;
        }
        cx.observer.retried(cause);
        if !cx.actor.session.is_closed() {
            cx.record(AuditEvent::Lost);
            cx.actor.session.cut(cx.wire);
        }
        self.pauses += 1;
        (self.next, self.ready, self.place) = (next, next, Place::Early);
        true
    }
}

impl<'p> Running<'p> for Connecting<'p> {
    fn handle(&mut self, cx: &mut Cx<'_, 'p>, what: &Happening<'_>) -> Flow {
        match what {
            Happening::Time if self.place == Place::Early => {
                if cx.now < self.next {
                    return Flow::Waiting;
                }
                self.begin(cx)
            }
            Happening::Time if cx.now >= self.end_of_try && self.place == Place::Preparing => {
                self.unready(cx, &format!("it did not come within {:?}", self.how.within))
            }
            Happening::Time if cx.now >= self.end_of_try => {
                let (cause, doing) = match self.place {
                    Place::Early | Place::Opening => {
                        (Cause::NoHandshake, "the server did not complete the Engine.IO handshake")
                    }
                    Place::Asking if cx.actor.session.awaits_post() => {
                        (Cause::NoAnswer, "the server did not answer the POST with CONNECT")
                    }
                    Place::Asking => (Cause::NoAnswer, "the server did not answer CONNECT"),
                    Place::Upgrading | Place::Preparing => {
                        (Cause::NoUpgrade, "the server did not complete the upgrade")
                    }
                };
                if self.place == Place::Upgrading {
                    cx.actor.harm.get_or_insert(cx.actor.session.unfinished_upgrade());
                }
                // The reply that is missing may be the one that came for another namespace.
                if self.place == Place::Asking && !cx.actor.session.awaits_post() {
                    let missing = match self.misplaced {
                        true => Rule::NamespaceUnasked,
                        false => cx.actor.signs.unanswered(cx.actor.session.is_connected_anywhere()),
                    };
                    cx.actor.harm.get_or_insert(missing);
                }
                let limit =
                    self.how.retry.as_ref().map_or(self.how.within, |_| retry::ONE_TRY.min(self.how.within));
                let why = format!("{doing} within {limit:?}");
                if self.place == Place::Opening {
                    cx.actor.session.cut(cx.wire);
                }
                self.missed(cx, cause, why)
            }
            Happening::Established(channel, phases)
                if self.place == Place::Opening
                    && matches!(channel, Channel::WebSocket | Channel::WebTransport | Channel::Poll) =>
            {
                self.established = cx.now;
                cx.observer.latency(Metric::ConnectTcp, phases.tcp);
                if let Some(tls) = phases.tls {
                    cx.observer.latency(Metric::ConnectTls, tls);
                }
                cx.observer.latency(Metric::ConnectHandshake, phases.http);
                Flow::Waiting
            }
            Happening::Event(Event::Opened { .. }) if self.place == Place::Opening => {
                cx.observer.latency(Metric::ConnectOpen, cx.now.saturating_duration_since(self.established));
                // The upgrade begins here, beside the CONNECT.
                self.established = cx.now;
                self.ask(cx)
            }
            Happening::Event(Event::Connected { namespace, recovered }) if **namespace == *self.namespace => {
                self.accepted(cx, *recovered)
            }
            Happening::Event(Event::Refused { namespace, reason }) if **namespace == *self.namespace => {
                self.refused(cx, reason)
            }
            // Who cannot read the reply waits for no other.
            Happening::Event(Event::Violated(violation))
                if self.place == Place::Asking
                    && matches!(violation.rule, Rule::ConnectReply | Rule::ConnectPayload) =>
            {
                self.missed(cx, Cause::NoAnswer, format!("the reply to CONNECT cannot be used: {violation}"))
            }
            // The answer may have been among what could not be read.
            Happening::Event(Event::Violated(Violation {
                rule: Rule::PollPacket | Rule::PayloadUtf8,
                ..
            })) if self.place == Place::Asking => {
                self.end_of_try = self.end_of_try.min(cx.now + UNREADABLE);
                Flow::Waiting
            }
            Happening::Event(Event::Violated(Violation { rule: Rule::NamespaceUnasked, .. }))
                if self.place == Place::Asking =>
            {
                self.misplaced = true;
                Flow::Waiting
            }
            Happening::Event(Event::Upgraded) => {
                cx.observer.latency(Metric::Upgrade, cx.now.saturating_duration_since(self.established));
                if self.place == Place::Upgrading {
                    return self.await_ready(cx);
                }
                Flow::Waiting
            }
            Happening::Event(Event::ServerEvent(_)) if self.place == Place::Preparing => self.await_ready(cx),
            Happening::Event(Event::Disconnected { namespace, .. })
                if self.place == Place::Preparing && **namespace == *self.namespace =>
            {
                self.unready(cx, "the server ended the namespace")
            }
            Happening::Event(Event::UpgradeFailed(why, _)) if self.place == Place::Upgrading => {
                cx.fail(cx.actor.session.upgrade_wish(), why.as_str());
                Flow::Done
            }
            Happening::Event(Event::Closed(why)) => {
                cx.actor.ended = Some(Ended { at: cx.now, why: why.clone() }.into());
                // The loss that a reconnect waited for.
                if self.tries == 0 && self.how.metric == Metric::Reconnect && self.how.retry.is_some() {
                    self.follow_the_loss(cx);
                    return Flow::Waiting;
                }
                if self.place == Place::Preparing {
                    return self.unready(cx, &format!("the connection ended: {why}"));
                }
                if self.place == Place::Opening
                    && let Some((status @ 400.., body)) = answer(why)
                {
                    return self.refused_by_http(cx, why, status, &body);
                }
                let words = match why {
                    why if self.place == Place::Asking => ended_while_asking(cx, why, self.asked),
                    Closed::BadAnswer { status: 200, body, .. } => {
                        format!("the answer was not Engine.IO: {body}")
                    }
                    why => why.to_string(),
                };
                self.missed(cx, why.cause(), words)
            }
            _ => Flow::Waiting,
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Some(if self.place == Place::Early { self.next } else { self.end_of_try })
    }
}
