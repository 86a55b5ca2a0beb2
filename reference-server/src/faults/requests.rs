//! The faults of requests to the Engine.IO endpoint: what is let in, what is refused and how, what the open packet says.

use serde_json::Value;

use super::{Fault, Faults};
use crate::engine::request::{EngineTransport, Query, Refusal, Target, judge};
use crate::http::request::Request;
use crate::http::response::{JSON, Response, TEXT};

/// The most bytes of a message where a fault accepts any length.
const ANY_LENGTH: usize = 64 << 20;

/// Judges a request. `session` gives the transport of the session with that id, if there is one.
pub(crate) fn judge_spoilt<'a>(
    faults: Faults,
    mut query: Query<'a>,
    session: impl Fn(&str) -> Option<EngineTransport>,
) -> Result<Target<'a>, Refusal> {
    if faults.is_empty() {
        return judge(query, query.sid.and_then(session));
    }
    query.version = version(faults, query);
    if faults.has(Fault::VersionCheckedFirst) && query.version != Some("4") {
        return Err(Refusal::UnsupportedProtocol);
    }
    let mut current = match query.sid.and_then(session) {
        Some(_) if !query.upgrade && faults.has(Fault::WebSocketSessionPolled) => {
            Some(EngineTransport::Polling)
        }
        current => current,
    };
    query.transport = transport(faults, query, current);
    if query.transport == Some("polling") && faults.has(Fault::PollingAfterUpgrade) {
        current = current.and(Some(EngineTransport::Polling));
    }
    if current.is_none() && query.method == "GET" && faults.has(Fault::UnknownSessionOpens) {
        query.sid = None;
    }
    if query.method == "POST" && query.sid.is_none() && faults.has(Fault::PostOpensSession) {
        query.method = "GET";
    }
    judge(query, current).map_err(|refusal| match refusal {
        Refusal::UnsupportedProtocol if faults.has(Fault::VersionIsBadRequest) => Refusal::BadRequest,
        Refusal::BadHandshakeMethod if faults.has(Fault::BadMethodIsBadRequest) => Refusal::BadRequest,
        Refusal::BadRequest
            if !query.upgrade && current.is_some() && faults.has(Fault::TransportMismatchUnknown) =>
        {
            Refusal::SessionUnknown
        }
        refusal => refusal,
    })
}

/// The version that a request is taken to have.
fn version<'a>(faults: Faults, query: Query<'a>) -> Option<&'a str> {
    let accepted = match query.version {
        None if faults.has(Fault::MissingVersionAccepted) => true,
        _ if query.upgrade => faults.has(Fault::WebSocketVersionUnchecked),
        None => false,
        Some(version) => {
            let prefix = version.starts_with('4') && faults.has(Fault::VersionPrefixEnough);
            prefix || faults.has(Fault::VersionUnchecked)
        }
    };
    if accepted { Some("4") } else { query.version }
}

/// The transport that a request is taken to name.
fn transport<'a>(faults: Faults, query: Query<'a>, current: Option<EngineTransport>) -> Option<&'a str> {
    match query.transport {
        Some("polling") if query.upgrade && faults.has(Fault::WebSocketAsPollingAccepted) => {
            Some("websocket")
        }
        Some("websocket")
            if !query.upgrade
                && (query.sid.is_none() && faults.has(Fault::WebSocketWithoutUpgradePolls)
                    || current == Some(EngineTransport::Polling)
                        && faults.has(Fault::WebSocketRequestPolls)) =>
        {
            Some("polling")
        }
        named @ Some("polling" | "websocket") => named,
        None if !query.upgrade && faults.has(Fault::MissingTransportIsPolling) => Some("polling"),
        Some(_) if !query.upgrade && faults.has(Fault::UnknownTransportIsPolling) => Some("polling"),
        _ if query.upgrade && faults.has(Fault::WebSocketTransportUnchecked) => Some("websocket"),
        other => other,
    }
}

/// Whether there is something wrong with the query of a handshake that is in order.
pub(crate) fn is_too_strict(faults: Faults, request: &Request) -> bool {
    let mut names = request.query.iter().map(|(name, _)| &**name);
    let own = |name: &str| !matches!(name, "EIO" | "transport" | "sid");
    faults.has(Fault::UnknownParameterRefused) && names.clone().any(own)
        || faults.has(Fault::QueryOrderFixed) && names.next() != Some("EIO")
}

/// What is answered instead of the right refusal.
pub(crate) fn wrong_refusal(faults: Faults, request: &Request, refusal: Refusal) -> Option<Response> {
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

/// The limit of a message, where one fault ignores it and another is off by one.
pub(crate) fn limit(faults: Faults, limit: usize, ignored: Fault, off_by_one: Fault) -> usize {
    match limit {
        _ if faults.has(ignored) => ANY_LENGTH,
        limit if faults.has(off_by_one) => limit - 1,
        limit => limit,
    }
}

/// What the open packet says.
pub(crate) fn spoil_open_packet(faults: Faults, transport: EngineTransport, open: &mut Value) {
    if faults.has(Fault::UpgradeNotOffered) && transport == EngineTransport::Polling {
        open["upgrades"] = Value::Array(Vec::new());
    }
    if faults.has(Fault::WebSocketOffersUpgrade) && transport == EngineTransport::WebSocket {
        open["upgrades"] = Value::from(vec!["websocket"]);
    }
    if faults.has(Fault::SecondsForMilliseconds) {
        for name in ["pingInterval", "pingTimeout"] {
            open[name] = Value::from(open[name].as_u64().unwrap_or_default() / 1000);
        }
    }
    if faults.has(Fault::OpenNumbersAsText) {
        for name in ["pingInterval", "pingTimeout", "maxPayload"] {
            open[name] = Value::from(open[name].to_string());
        }
    }
    if faults.has(Fault::OpenWithoutMaxPayload)
        && let Some(open) = open.as_object_mut()
    {
        open.remove("maxPayload");
    }
}
