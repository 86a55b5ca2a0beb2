//! The Engine.IO endpoint: which request does what.
//!
//! Spec: Engine.IO protocol v4, "HTTP long-polling", "WebSocket"; headers and statuses of the official server.

use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use super::jsonp;
use super::packet::EncodedPacket;
use super::payload;
use super::request::{EngineTransport, Query, Refusal, Target, Version};
use super::session::{Engine, Handshake, Session, State};
use super::websocket::{self, Role};
use crate::config::Origins;
use crate::faults::{Fault, requests};
use crate::http::connection::{Connection, Next, Received};
use crate::http::request::{Framing, Request};
use crate::http::response::{JSON, OCTET_STREAM, Response, TEXT};
use crate::reason::Reason;
use crate::websocket::handshake;

/// Bodies of polls are compressed from here on, if the client can.
const COMPRESS_FROM: usize = 1024;

/// Handles one request to the endpoint.
pub(crate) async fn handle(engine: &Rc<Engine>, connection: &mut Connection, request: &Request) -> Next {
    let mut exchange = Exchange { engine, connection, request };
    match exchange.route().await {
        Ok(next) => next,
        Err(refusal) => exchange.refuse(refusal).await,
    }
}

/// One request and what is needed to answer it.
struct Exchange<'a> {
    engine: &'a Rc<Engine>,
    connection: &'a mut Connection,
    request: &'a Request,
}

impl Exchange<'_> {
    async fn route(&mut self) -> Result<Next, Refusal> {
        let (engine, request) = (self.engine.clone(), self.request);
        let shared = &engine.shared;
        if request.method == "OPTIONS" && shared.config.origins != Origins::None {
            return Ok(self.preflight().await);
        }
        let upgrade = request.wants_websocket();
        let sid = request.parameter("sid");
        let query = Query {
            method: &request.method,
            upgrade,
            version: request.parameter("EIO"),
            transport: request.parameter("transport"),
            sid: sid.filter(|sid| !sid.is_empty() || self.has(Fault::EmptySidUnknown)),
            allows_older: shared.config.allow_eio3 && !(upgrade && self.has(Fault::OlderVersionRefused)),
        };
        let current = |sid: &str| engine.sessions.get(sid).map(|session| session.transport.get());
        let session = match requests::judge_spoilt(shared.faults, query, current)? {
            Target::Handshake(_) if requests::is_too_strict(shared.faults, request) => {
                return Err(Refusal::BadRequest);
            }
            Target::Handshake(_)
                if shared.stopping.get() || engine.sessions.len() >= shared.config.max_clients =>
            {
                return Err(Refusal::Full);
            }
            Target::Handshake(EngineTransport::Polling) => return Ok(self.open_polling().await),
            Target::Handshake(EngineTransport::WebSocket) => return self.open_websocket().await,
            Target::Session(sid) => engine.sessions.get(sid).ok_or(Refusal::SessionUnknown)?,
        };
        match &*request.method {
            _ if upgrade => self.attach_websocket(session).await,
            "GET" => self.poll(&session).await,
            "POST" => self.post(&session).await,
            "PUT" if self.has(Fault::PutIsPost) => self.post(&session).await,
            _ => Err(Refusal::BadRequest),
        }
    }

    fn has(&self, fault: Fault) -> bool {
        self.engine.shared.has(fault)
    }

    /// The name of the node, for whoever wants to know where a balancer led it.
    fn node(&self) -> Option<&str> {
        self.engine.shared.config.node.as_ref().map(|node| &*node.name)
    }

    /// Responds, with the headers that every response of the endpoint has.
    async fn respond(&mut self, mut response: Response) -> Next {
        let failed = response.status >= 400;
        if !(failed && self.has(Fault::NoCorsOnErrors)) {
            response = response.with_cors(&self.engine.shared.config.origins, self.request.header("origin"));
            if !self.has(Fault::PollsCacheable) {
                response = response.with("cache-control", "no-store");
            }
        }
        if let Some(node) = self.node() {
            response = response.with("x-node", node);
        }
        self.connection.respond(Some(self.request), response).await
    }

    async fn refuse(&mut self, refusal: Refusal) -> Next {
        let late = self.has(Fault::WebSocketRefusedLate) && self.request.wants_websocket();
        if late && self.accept_websocket().await.is_ok_and(|stays| stays) {
            return self.close_at_once();
        }
        let wrong = requests::wrong_refusal(self.engine.shared.faults, self.request, refusal);
        self.respond(wrong.unwrap_or_else(|| Response::new(refusal.status(), JSON, refusal.body()))).await
    }

    async fn preflight(&mut self) -> Next {
        let mut response = Response::empty(204)
            .with_cors(&self.engine.shared.config.origins, self.request.header("origin"))
            .with("access-control-allow-methods", "GET,HEAD,PUT,PATCH,POST,DELETE");
        if let Some(headers) = self.request.header("access-control-request-headers")
            && !self.has(Fault::PreflightForgetsHeaders)
        {
            response = response.with("access-control-allow-headers", headers);
        }
        self.connection.respond(Some(self.request), response).await
    }

    // --- HTTP long-polling ------------------------------------------------------------------------------

    fn open_session(&self, transport: EngineTransport) -> Rc<Session> {
        let (query, headers) = (self.request.query_json(), self.request.headers_json());
        let is_older = self.engine.shared.config.allow_eio3 && self.request.parameter("EIO") != Some("4");
        let version = if is_older { Version::V3 } else { Version::V4 };
        let jsonp = jsonp::asked_by(self.request, &self.engine.shared.faults);
        let base64 = is_older && (jsonp.is_some() || self.request.parameter("b64") == Some("1"));
        let address = self.connection.peer;
        Session::open(self.engine, transport, Handshake { query, headers, address, version, base64, jsonp })
    }

    async fn open_polling(&mut self) -> Next {
        let session = self.open_session(EngineTransport::Polling);
        let mut body = session.encode(&[session.open_packet()].into());
        if self.has(Fault::OpenEndsWithSeparator) {
            body.push(payload::SEPARATOR);
        }
        self.respond(self.payload(&session, body)).await
    }

    /// The response that carries packets.
    fn payload(&self, session: &Session, body: Vec<u8>) -> Response {
        if let Some(j) = &session.handshake.jsonp {
            return Response::new(200, TEXT, jsonp::call(j, &body, &self.engine.shared.faults));
        }
        // Only a payload of the version before can begin so.
        let is_bytes = matches!(body.first(), Some(0 | 1)) && !self.has(Fault::OlderBytesCalledText);
        let usual = if is_bytes { OCTET_STREAM } else { TEXT };
        Response::new(200, if self.has(Fault::PollCalledHtml) { "text/html" } else { usual }, body)
    }

    async fn poll(&mut self, session: &Rc<Session>) -> Result<Next, Refusal> {
        if !session.begin_poll() {
            return Err(Refusal::BadRequest);
        }
        let body = poll_fn(|context| match session.poll_body(context) {
            Poll::Ready(body) => Poll::Ready(Some(body)),
            Poll::Pending => self.connection.poll_gone(context).map(|()| None),
        })
        .await;
        let Some(body) = body else {
            session.lose_poll();
            return Ok(Next::Close);
        };
        let compress = body.len() > COMPRESS_FROM;
        let mut response = self.payload(session, body);
        if self.has(Fault::TwoLengths) {
            response = response.with("content-length", "1");
        }
        if self.has(Fault::ContentLengthInCharacters) {
            response = response.cut_to_characters();
        }
        let unasked = self.has(Fault::CompressesUnasked);
        let mut encodings = ["gzip", "deflate"].into_iter();
        if let Some(encoding) = encodings.find(|name| compress && (self.request.accepts(name) || unasked)) {
            response = response.compressed(encoding);
        }
        let next = self.respond(response).await;
        let meant_to_stay = self.request.keep_alive || self.has(Fault::LastRequestIsAbort);
        if matches!(next, Next::Close) && meant_to_stay && self.request.framing == Framing::None {
            // What the answer carried is lost.
            session.abort(Reason::TransportError);
        }
        Ok(next)
    }

    async fn post(&mut self, session: &Rc<Session>) -> Result<Next, Refusal> {
        if self.has(Fault::PostRefusedWhileUpgrading) && session.candidate().is_some() {
            return Err(Refusal::BadRequest);
        }
        if !session.begin_post() {
            return Err(Refusal::BadRequest);
        }
        if self.has(Fault::PostWaitsForPoll) {
            session.poll_answered().await;
        }
        let next = self.receive(session).await;
        session.end_post();
        next
    }

    async fn receive(&mut self, session: &Rc<Session>) -> Result<Next, Refusal> {
        let content_type = self.request.header("content-type");
        let kind = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
        let binary = kind.trim().eq_ignore_ascii_case("application/octet-stream");
        let allowed = session.is_older() && !self.has(Fault::OlderBytesRefused);
        if binary && !allowed && !self.has(Fault::OctetStreamAccepted) {
            session.abort(Reason::TransportError);
            return Err(Refusal::BadRequest);
        }
        if self.request.framing == Framing::Chunked && self.has(Fault::ChunkedRefused) {
            return Ok(self.respond(Response::empty(501)).await);
        }
        if content_type.is_none() && self.has(Fault::PostNeedsContentType) {
            return Ok(self.respond(Response::empty(415)).await);
        }
        let shared = &self.engine.shared;
        let (ignored, off_by_one) = (Fault::MaxPayloadIgnored, Fault::PostLimitOffByOne);
        let limit = requests::limit(shared.faults, shared.config.max_payload, ignored, off_by_one);
        let body = match self.connection.body(self.request, limit).await {
            Received::Whole(body) => body,
            Received::TooLong => {
                if self.has(Fault::LongPostEndsSession) {
                    session.abort(Reason::TransportError);
                }
                return Ok(self.respond(Response::empty(413)).await);
            }
            Received::Broken => {
                session.abort(Reason::TransportError);
                return Err(Refusal::BadRequest);
            }
        };
        if session.state.get() == State::Closed {
            return Err(Refusal::BadRequest);
        }
        if !self.has(Fault::PostBodyForgotten) {
            self.handle_body(session, body);
        }
        if self.has(Fault::PostUnanswered) {
            std::future::pending::<()>().await;
        }
        let body = if self.has(Fault::PostAnsweredEmpty) { "" } else { "ok" };
        Ok(self.respond(Response::new(200, "text/html", body)).await)
    }

    fn handle_body(&self, session: &Rc<Session>, body: Vec<u8>) {
        let body = match &session.handshake.jsonp {
            None => body,
            Some(_) => match jsonp::payload_of(&body, &self.engine.shared.faults) {
                Some(payload) => payload,
                // As the official server: such a form brings nothing.
                None => return,
            },
        };
        if session.is_older() {
            return session.handle_older_payload(&body);
        }
        let body = if self.has(Fault::PostAsLatin1) {
            Ok(body.into_iter().map(char::from).collect())
        } else {
            String::from_utf8(body)
        };
        match body {
            Ok(body) if self.has(Fault::PostsHandledLate) => {
                let session = session.clone();
                self.engine.shared.after(Duration::from_millis(30), move || session.handle_payload(&body));
            }
            Ok(body) => session.handle_payload(&body),
            Err(_) => session.handle_invalid(),
        }
    }

    // --- WebSocket --------------------------------------------------------------------------------------

    /// Answers the opening handshake of a WebSocket. `false`: the client is gone.
    async fn accept_websocket(&mut self) -> Result<bool, Refusal> {
        let protocol = self.has(Fault::ProtocolUnasked).then_some("chat");
        let accept = handshake::accept(self.request, self.node(), protocol).ok_or(Refusal::BadRequest)?;
        Ok(self.connection.stream.write_all(&accept).await.is_ok())
    }

    async fn open_websocket(&mut self) -> Result<Next, Refusal> {
        if !self.accept_websocket().await? {
            return Ok(Next::Close);
        }
        let session = self.open_session(EngineTransport::WebSocket);
        let mut open = session.open_packet();
        if self.has(Fault::OpenPacketBinary) {
            open = EncodedPacket::binary(open.body());
        }
        session.send_packet(open);
        Ok(take(session, Role::Owner))
    }

    async fn attach_websocket(&mut self, session: Rc<Session>) -> Result<Next, Refusal> {
        if !self.accept_websocket().await? {
            return Ok(Next::Close);
        }
        Ok(match session.begin_upgrade() {
            Some(number) => take(session, Role::Candidate(number)),
            None => self.close_at_once(),
        })
    }

    /// Ends a WebSocket that has just been opened.
    fn close_at_once(&self) -> Next {
        let patience = self.engine.shared.config.limits.close_timeout;
        Next::Taken(Box::new(move |stream, _| Box::pin(websocket::refuse(stream, patience))))
    }
}

fn take(session: Rc<Session>, role: Role) -> Next {
    Next::Taken(Box::new(move |stream, early| Box::pin(websocket::run(stream, session, role, early))))
}
