//! Whether a request may reach a session: query parameters, and the official error codes.
//!
//! Spec: Engine.IO protocol v4, "Query parameters"; codes, texts and their precedence (transport, then session,
//! then method, then protocol version) are those of the official server.

use crate::faults::{Fault, Faults};

/// How a session talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// HTTP long-polling.
    Polling,
    /// WebSocket.
    WebSocket,
}

impl Transport {
    /// The name in query parameters.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Polling => "polling",
            Transport::WebSocket => "websocket",
        }
    }
}

/// A refusal, as the official server words it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Code 0.
    TransportUnknown,
    /// Code 1.
    SessionUnknown,
    /// Code 2.
    BadHandshakeMethod,
    /// Code 3.
    BadRequest,
    /// Code 4.
    Forbidden,
    /// Code 5.
    UnsupportedProtocol,
}

impl Refusal {
    /// HTTP status.
    pub fn status(self) -> u16 {
        if self == Refusal::Forbidden { 403 } else { 400 }
    }

    /// The text of the error body.
    pub fn message(self) -> &'static str {
        match self {
            Refusal::TransportUnknown => "Transport unknown",
            Refusal::SessionUnknown => "Session ID unknown",
            Refusal::BadHandshakeMethod => "Bad handshake method",
            Refusal::BadRequest => "Bad request",
            Refusal::Forbidden => "Forbidden",
            Refusal::UnsupportedProtocol => "Unsupported protocol version",
        }
    }

    /// The JSON body.
    pub fn body(self) -> String {
        format!("{{\"code\":{},\"message\":\"{}\"}}", self as u8, self.message())
    }
}

/// What a request asks for, once its parameters are in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target<'a> {
    /// A new session.
    Handshake(Transport),
    /// An existing session.
    Session(&'a str),
}

/// Judges the parameters. `current` tells the transport of a session, if there is one with that id.
///
/// # Errors
/// With the refusal the official server would give first.
pub fn judge<'a>(
    method: &str,
    upgrade: bool,
    parameter: impl Fn(&str) -> Option<&'a str>,
    current: impl Fn(&str) -> Option<Transport>,
    faults: Faults,
) -> Result<Target<'a>, Refusal> {
    let version = check_version(parameter("EIO"), upgrade, faults);
    if faults.has(Fault::VersionCheckedFirst) {
        version?;
    }
    let transport = match parameter("transport") {
        Some("polling") if upgrade && faults.has(Fault::WebSocketAsPollingAccepted) => Transport::WebSocket,
        Some("polling") => Transport::Polling,
        Some("websocket") => Transport::WebSocket,
        None if !upgrade && faults.has(Fault::MissingTransportIsPolling) => Transport::Polling,
        Some(_) if !upgrade && faults.has(Fault::UnknownTransportIsPolling) => Transport::Polling,
        _ if upgrade && faults.has(Fault::WebSocketTransportUnchecked) => Transport::WebSocket,
        _ => return Err(Refusal::TransportUnknown),
    };
    if upgrade && transport == Transport::Polling {
        return Err(Refusal::BadRequest);
    }
    if let Some(sid) = parameter("sid").filter(|sid| !sid.is_empty() || faults.has(Fault::EmptySidUnknown)) {
        match current(sid) {
            None if method == "GET" && faults.has(Fault::UnknownSessionOpens) => {}
            None => return Err(Refusal::SessionUnknown),
            Some(_) if transport == Transport::Polling && faults.has(Fault::PollingAfterUpgrade) => {
                return Ok(Target::Session(sid));
            }
            Some(Transport::Polling) if !upgrade && faults.has(Fault::WebSocketRequestPolls) => {
                return Ok(Target::Session(sid));
            }
            Some(current) if !upgrade && (current != transport || transport == Transport::WebSocket) => {
                let wrong = faults.has(Fault::TransportMismatchUnknown);
                return Err(if wrong { Refusal::SessionUnknown } else { Refusal::BadRequest });
            }
            Some(_) => return Ok(Target::Session(sid)),
        }
    }
    if method != "GET" && !(method == "POST" && faults.has(Fault::PostOpensSession)) {
        let wrong = faults.has(Fault::BadMethodIsBadRequest);
        return Err(if wrong { Refusal::BadRequest } else { Refusal::BadHandshakeMethod });
    }
    if transport == Transport::WebSocket && !upgrade {
        if faults.has(Fault::WebSocketWithoutUpgradePolls) {
            return Ok(Target::Handshake(Transport::Polling));
        }
        return Err(Refusal::BadRequest);
    }
    version?;
    Ok(Target::Handshake(transport))
}

fn check_version(version: Option<&str>, upgrade: bool, faults: Faults) -> Result<(), Refusal> {
    let accepted = match version {
        Some("4") => true,
        None if faults.has(Fault::MissingVersionAccepted) => true,
        _ if upgrade => faults.has(Fault::WebSocketVersionUnchecked),
        None => false,
        Some(version) => {
            let prefix = version.starts_with('4') && faults.has(Fault::VersionPrefixEnough);
            prefix || faults.has(Fault::VersionUnchecked)
        }
    };
    match accepted {
        true => Ok(()),
        false if faults.has(Fault::VersionIsBadRequest) => Err(Refusal::BadRequest),
        false => Err(Refusal::UnsupportedProtocol),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: &str, upgrade: bool, query: &'static str) -> Result<Target<'static>, Refusal> {
        let find = |name: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .rfind(|(key, _)| *key == name)
                .map(|pair| pair.1)
        };
        let current = |sid: &str| match sid {
            "lp" => Some(Transport::Polling),
            "ws" => Some(Transport::WebSocket),
            _ => None,
        };
        judge(method, upgrade, find, current, Faults::NONE)
    }

    #[test]
    fn refusals_come_in_the_official_order() {
        let table = [
            ("GET", false, "EIO=4", Refusal::TransportUnknown),
            ("GET", false, "EIO=3&transport=abc", Refusal::TransportUnknown),
            ("GET", false, "EIO=4&transport=constructor", Refusal::TransportUnknown),
            ("GET", false, "EIO=4&transport=webtransport", Refusal::TransportUnknown),
            ("GET", false, "EIO=4&transport=polling&sid=nope", Refusal::SessionUnknown),
            ("POST", false, "EIO=4&transport=polling&sid=__proto__", Refusal::SessionUnknown),
            ("GET", true, "EIO=4&transport=websocket&sid=nope", Refusal::SessionUnknown),
            ("GET", false, "EIO=4&transport=polling&sid=ws", Refusal::BadRequest),
            ("GET", false, "EIO=4&transport=websocket&sid=lp", Refusal::BadRequest),
            ("POST", false, "EIO=3&transport=polling", Refusal::BadHandshakeMethod),
            ("OPTIONS", false, "EIO=4&transport=polling", Refusal::BadHandshakeMethod),
            ("GET", false, "EIO=4&transport=websocket", Refusal::BadRequest),
            ("GET", true, "EIO=4&transport=polling", Refusal::BadRequest),
            ("GET", false, "transport=polling", Refusal::UnsupportedProtocol),
            ("GET", false, "EIO=abc&transport=polling", Refusal::UnsupportedProtocol),
            ("GET", false, "EIO=5&transport=polling", Refusal::UnsupportedProtocol),
            ("GET", false, "EIO=4abc&transport=polling", Refusal::UnsupportedProtocol),
            ("GET", false, "EIO=4&EIO=3&transport=polling", Refusal::UnsupportedProtocol),
            ("GET", true, "transport=websocket", Refusal::UnsupportedProtocol),
        ];
        for (method, upgrade, query, refusal) in table {
            assert_eq!(ask(method, upgrade, query), Err(refusal), "{method} {query}");
        }
    }

    #[test]
    fn requests_in_order_reach_their_target() {
        let handshake = Ok(Target::Handshake(Transport::Polling));
        assert_eq!(ask("GET", false, "EIO=4&transport=polling"), handshake);
        assert_eq!(ask("GET", false, "transport=polling&t=x&foo=a&EIO=4"), handshake);
        assert_eq!(ask("GET", false, "EIO=4&transport=polling&sid="), handshake);
        assert_eq!(
            ask("GET", true, "EIO=4&transport=websocket"),
            Ok(Target::Handshake(Transport::WebSocket))
        );
        assert_eq!(ask("POST", false, "transport=polling&sid=lp"), Ok(Target::Session("lp")));
        assert_eq!(ask("GET", true, "transport=websocket&sid=lp"), Ok(Target::Session("lp")));
    }

    #[test]
    fn an_error_body_is_the_official_one() {
        assert_eq!(Refusal::TransportUnknown.body(), r#"{"code":0,"message":"Transport unknown"}"#);
        assert_eq!(
            Refusal::UnsupportedProtocol.body(),
            r#"{"code":5,"message":"Unsupported protocol version"}"#
        );
    }
}
