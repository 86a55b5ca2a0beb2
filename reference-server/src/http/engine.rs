//! The Engine.IO endpoint: which request does what.
//!
//! Spec: Engine.IO protocol v4, "HTTP long-polling", "WebSocket"; headers and statuses of the official server.

use std::rc::Rc;

use tokio::io::AsyncWriteExt;

use super::connection::{Connection, Counted, Next, Received};
use super::request::{Framing, Request};
use super::response::Response;
use crate::config::Origins;
use crate::engine::packet::EncodedPacket;
use crate::engine::payload;
use crate::engine::request::{Refusal, Target, Transport, judge};
use crate::engine::session::{Handshake, Session, State};
use crate::faults::{Fault, Faults};
use crate::server::Server;
use crate::socket::reason::Reason;
use crate::websocket::connection::{self as websocket, Role};
use crate::websocket::handshake;

const TEXT: &str = "text/plain; charset=UTF-8";
const JSON: &str = "application/json";
/// Bodies of polls are compressed from here on, if the client can.
const COMPRESS_FROM: usize = 1024;

/// Handles one request to the endpoint.
pub(crate) async fn handle(connection: &mut Connection, request: &Request) -> Next {
    let server = connection.server.clone();
    if request.method == "OPTIONS" && server.config.origins != Origins::None {
        return preflight(connection, request).await;
    }
    let upgrade = request.wants_websocket();
    let current = |sid: &str| match server.sessions.borrow().get(sid) {
        Some(_) if !upgrade && server.faults.has(Fault::WebSocketSessionPolled) => Some(Transport::Polling),
        session => session.map(|session| session.transport.get()),
    };
    let target = judge(&request.method, upgrade, |name| request.parameter(name), current, server.faults);
    let target = match target {
        Ok(target) => target,
        Err(_) if upgrade && server.faults.has(Fault::WebSocketRefusedLate) => {
            return refuse_late(connection, request).await;
        }
        Err(refusal) => return refuse(connection, request, refusal).await,
    };
    let session = match target {
        Target::Handshake(_) if is_too_strict(&server, request) => {
            return refuse(connection, request, Refusal::BadRequest).await;
        }
        Target::Handshake(_) if !server.has_room() => return full(connection, request).await,
        Target::Handshake(Transport::Polling) => return open_polling(connection, request).await,
        Target::Handshake(Transport::WebSocket) => return open_websocket(connection, request).await,
        Target::Session(sid) => server.sessions.borrow().get(sid).cloned(),
    };
    match (session, &*request.method) {
        (None, _) => refuse(connection, request, Refusal::SessionUnknown).await,
        (Some(session), _) if upgrade => attach_websocket(connection, request, session).await,
        (Some(session), "GET") => poll(connection, request, &session).await,
        (Some(session), "POST") => post(connection, request, &session).await,
        (Some(session), "PUT") if server.faults.has(Fault::PutIsPost) => {
            post(connection, request, &session).await
        }
        (Some(_), _) => refuse(connection, request, Refusal::BadRequest).await,
    }
}

/// Whether a fault finds something wrong with the query of a handshake that is in order.
fn is_too_strict(server: &Server, request: &Request) -> bool {
    let mut names = request.query.iter().map(|(name, _)| &**name);
    let own = |name: &str| !matches!(name, "EIO" | "transport" | "sid");
    server.faults.has(Fault::UnknownParameterRefused) && names.clone().any(own)
        || server.faults.has(Fault::QueryOrderFixed) && names.next() != Some("EIO")
}

fn finish(connection: &Connection, request: &Request, response: Response) -> Response {
    let origins = &connection.server.config.origins;
    if response.status >= 400 && connection.server.faults.has(Fault::NoCorsOnErrors) {
        return response;
    }
    let response = response.with_cors(origins, request.header("origin"));
    if connection.server.faults.has(Fault::PollsCacheable) {
        return response;
    }
    response.with("cache-control", "no-store")
}

async fn answer(connection: &mut Connection, request: &Request, response: Response) -> Next {
    let response = finish(connection, request, response);
    connection.respond(Some(request), response).await
}

/// Answers without having read the body, so the connection ends.
async fn answer_unread(connection: &mut Connection, request: &Request, response: Response) -> Next {
    let response = finish(connection, request, response);
    connection.respond_and(Some(request), response, request.framing == Framing::None).await
}

async fn refuse(connection: &mut Connection, request: &Request, refusal: Refusal) -> Next {
    let wrong = wrong_refusal(connection.server.faults, request, refusal);
    let response = wrong.unwrap_or_else(|| Response::new(refusal.status(), JSON, refusal.body()));
    answer_unread(connection, request, response).await
}

/// The refusal that a fault makes of the right one.
fn wrong_refusal(faults: Faults, request: &Request, refusal: Refusal) -> Option<Response> {
    let posts = request.method == "POST";
    let from_prototype = matches!(request.parameter("transport"), Some("constructor" | "__proto__"));
    let response = match refusal {
        Refusal::TransportUnknown if from_prototype && faults.has(Fault::TransportNameCrashes) => {
            Response::empty(500)
        }
        Refusal::SessionUnknown if posts && faults.has(Fault::PostToNobodyAccepted) => {
            Response::new(200, "text/html", "ok")
        }
        Refusal::SessionUnknown if faults.has(Fault::UnknownSessionNotFound) => {
            Response::new(404, JSON, refusal.body())
        }
        Refusal::BadHandshakeMethod if faults.has(Fault::HandshakeMethodNotAllowed) => {
            Response::new(405, JSON, refusal.body())
        }
        _ if faults.has(Fault::EngineErrorAsText) => Response::new(refusal.status(), TEXT, refusal.message()),
        _ if faults.has(Fault::ErrorCodeAsText) => {
            let body = format!(r#"{{"code":"{}","message":"{}"}}"#, refusal as u8, refusal.message());
            Response::new(refusal.status(), JSON, body)
        }
        _ => return None,
    };
    Some(response)
}

async fn full(connection: &mut Connection, request: &Request) -> Next {
    let response = Response::new(503, JSON, r#"{"code":4,"message":"Server is full"}"#);
    answer_unread(connection, request, response).await
}

async fn preflight(connection: &mut Connection, request: &Request) -> Next {
    let mut response = Response::empty(204)
        .with_cors(&connection.server.config.origins, request.header("origin"))
        .with("access-control-allow-methods", "GET,HEAD,PUT,PATCH,POST,DELETE");
    if let Some(headers) = request.header("access-control-request-headers")
        && !connection.server.faults.has(Fault::PreflightForgetsHeaders)
    {
        response = response.with("access-control-allow-headers", headers);
    }
    connection.respond(Some(request), response).await
}

fn handshake_of(connection: &Connection, request: &Request) -> Handshake {
    Handshake { query: request.query_json(), headers: request.headers_json(), address: connection.peer }
}

async fn open_polling(connection: &mut Connection, request: &Request) -> Next {
    let handshake = handshake_of(connection, request);
    let session = Session::open(&connection.server, Transport::Polling, handshake);
    let faults = connection.server.faults;
    let mut body = payload::encode([&session.open_packet()], faults);
    if faults.has(Fault::OpenEndsWithSeparator) {
        body.push(payload::SEPARATOR);
    }
    answer(connection, request, Response::new(200, poll_type(faults), body)).await
}

/// The content type of what polls fetch.
fn poll_type(faults: Faults) -> &'static str {
    if faults.has(Fault::PollCalledHtml) { "text/html" } else { TEXT }
}

async fn poll(connection: &mut Connection, request: &Request, session: &Rc<Session>) -> Next {
    if !session.begin_poll() {
        return refuse(connection, request, Refusal::BadRequest).await;
    }
    let body = std::future::poll_fn(|context| match session.poll_body(context) {
        std::task::Poll::Ready(body) => std::task::Poll::Ready(Some(body)),
        std::task::Poll::Pending => connection.poll_gone(context).map(|()| None),
    })
    .await;
    let Some(body) = body else {
        session.lose_poll();
        return Next::Close;
    };
    let faults = connection.server.faults;
    let compress = body.len() > COMPRESS_FROM;
    let mut response = Response::new(200, poll_type(faults), body);
    if faults.has(Fault::ContentLengthInCharacters) {
        response = response.cut_to_characters();
    }
    let encoding = ["gzip", "deflate"]
        .into_iter()
        .find(|encoding| compress && (request.accepts(encoding) || faults.has(Fault::CompressesUnasked)));
    if let Some(encoding) = encoding {
        response = response.compressed(encoding);
    }
    let response = finish(connection, request, response);
    let more = request.framing == Framing::None;
    let next = connection.respond_and(Some(request), response, more).await;
    let meant_to_stay = request.keep_alive || faults.has(Fault::LastRequestIsAbort);
    if matches!(next, Next::Close) && meant_to_stay && more {
        // What the answer carried is lost.
        session.abort(Reason::TransportError);
    }
    next
}

async fn post(connection: &mut Connection, request: &Request, session: &Rc<Session>) -> Next {
    let upgrading = session.candidate().is_some();
    if upgrading && connection.server.faults.has(Fault::PostRefusedWhileUpgrading) {
        return refuse(connection, request, Refusal::BadRequest).await;
    }
    if !session.begin_post() {
        return refuse(connection, request, Refusal::BadRequest).await;
    }
    if connection.server.faults.has(Fault::PostWaitsForPoll) {
        session.poll_answered().await;
    }
    let next = receive(connection, request, session).await;
    session.end_post();
    next
}

async fn receive(connection: &mut Connection, request: &Request, session: &Rc<Session>) -> Next {
    let binary = request.header("content-type").is_some_and(|value| {
        value
            .split(';')
            .next()
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/octet-stream"))
    });
    let faults = connection.server.faults;
    if binary && !faults.has(Fault::OctetStreamAccepted) {
        session.abort(Reason::TransportError);
        return refuse(connection, request, Refusal::BadRequest).await;
    }
    if request.framing == Framing::Chunked && connection.server.faults.has(Fault::ChunkedRefused) {
        return answer_unread(connection, request, Response::empty(411)).await;
    }
    if faults.has(Fault::PostNeedsContentType) && request.header("content-type").is_none() {
        return answer_unread(connection, request, Response::empty(415)).await;
    }
    let limit = match connection.server.config.max_payload {
        _ if faults.has(Fault::MaxPayloadIgnored) => 64 << 20,
        limit if faults.has(Fault::PostLimitOffByOne) => limit - 1,
        limit => limit,
    };
    let body = match connection.body(request, limit).await {
        Received::Whole(body) => body,
        Received::TooLong => {
            if faults.has(Fault::LongPostEndsSession) {
                session.abort(Reason::TransportError);
            }
            let response = finish(connection, request, Response::empty(413));
            return connection.respond_and(Some(request), response, false).await;
        }
        Received::Broken => {
            session.abort(Reason::TransportError);
            return refuse(connection, request, Refusal::BadRequest).await;
        }
    };
    if session.state.get() == State::Closed {
        return answer(connection, request, Response::new(400, JSON, Refusal::BadRequest.body())).await;
    }
    if faults.has(Fault::PostBodyForgotten) {
        return answer(connection, request, Response::new(200, "text/html", "ok")).await;
    }
    let body = if faults.has(Fault::PostAsLatin1) {
        Ok(body.into_iter().map(char::from).collect())
    } else {
        String::from_utf8(body)
    };
    match body {
        Ok(body) if faults.has(Fault::PostsHandledLate) => {
            let (late, session) = (std::time::Duration::from_millis(30), session.clone());
            connection.server.timers.after(late, move || session.receive_payload(&body));
        }
        Ok(body) => session.receive_payload(&body),
        Err(_) => session.receive_invalid(),
    }
    let body = if connection.server.faults.has(Fault::PostAnsweredEmpty) { "" } else { "ok" };
    answer(connection, request, Response::new(200, "text/html", body)).await
}

async fn open_websocket(connection: &mut Connection, request: &Request) -> Next {
    let Some(accept) = handshake::accept(request) else {
        return refuse(connection, request, Refusal::BadRequest).await;
    };
    if connection.stream.write_all(&accept).await.is_err() {
        return Next::Close;
    }
    let handshake = handshake_of(connection, request);
    let session = Session::open(&connection.server, Transport::WebSocket, handshake);
    let mut open = session.open_packet();
    if connection.server.faults.has(Fault::OpenPacketBinary) {
        open = EncodedPacket::binary(open.body());
    }
    session.send_packet(open);
    take(session, Role::Owner)
}

async fn attach_websocket(connection: &mut Connection, request: &Request, session: Rc<Session>) -> Next {
    let Some(accept) = handshake::accept(request) else {
        return refuse(connection, request, Refusal::BadRequest).await;
    };
    if connection.stream.write_all(&accept).await.is_err() {
        return Next::Close;
    }
    match session.begin_upgrade() {
        Some(number) => take(session, Role::Candidate(number)),
        None => close_at_once(connection),
    }
}

async fn refuse_late(connection: &mut Connection, request: &Request) -> Next {
    let Some(accept) = handshake::accept(request) else {
        return refuse(connection, request, Refusal::BadRequest).await;
    };
    let _ = connection.stream.write_all(&accept).await;
    close_at_once(connection)
}

/// Ends a WebSocket that has just been opened.
fn close_at_once(connection: &Connection) -> Next {
    let patience = connection.server.config.limits.close_timeout;
    Next::Taken(Box::new(move |stream, _, counted| {
        tokio::task::spawn_local(async move {
            websocket::refuse(stream, patience).await;
            drop(counted);
        });
    }))
}

fn take(session: Rc<Session>, role: Role) -> Next {
    Next::Taken(Box::new(move |stream, early, counted: Counted| {
        tokio::task::spawn_local(async move {
            websocket::run(stream, session, role, early).await;
            drop(counted);
        });
    }))
}
