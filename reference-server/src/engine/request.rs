//! Whether a request may reach a session: query parameters, and the official error codes.
//!
//! Spec: Engine.IO protocol v4, "Query parameters"; codes, texts and their precedence (transport, then session,
//! then method, then protocol version) are those of the official server.

/// How a session talks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EngineTransport {
    /// HTTP long-polling.
    Polling,
    /// WebSocket.
    WebSocket,
}

impl EngineTransport {
    /// The name in query parameters.
    pub(crate) fn name(self) -> &'static str {
        match self {
            EngineTransport::Polling => "polling",
            EngineTransport::WebSocket => "websocket",
        }
    }
}

/// The version of the protocol that a client asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// `EIO=3`, where it is allowed.
    V3,
    /// `EIO=4`.
    V4,
}

/// A refusal, as the official server words it; its code is its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Code 0.
    TransportUnknown,
    /// Code 1.
    SessionUnknown,
    /// Code 2.
    BadHandshakeMethod,
    /// Code 3.
    BadRequest,
    /// Code 4, which means "Forbidden".
    Full,
    /// Code 5.
    UnsupportedProtocol,
}

impl Refusal {
    /// HTTP status.
    pub(crate) fn status(self) -> u16 {
        if self == Refusal::Full { 503 } else { 400 }
    }

    /// The text of the error body.
    pub(crate) fn message(self) -> &'static str {
        match self {
            Refusal::TransportUnknown => "Transport unknown",
            Refusal::SessionUnknown => "Session ID unknown",
            Refusal::BadHandshakeMethod => "Bad handshake method",
            Refusal::BadRequest => "Bad request",
            Refusal::Full => "Server is full",
            Refusal::UnsupportedProtocol => "Unsupported protocol version",
        }
    }

    /// The JSON body.
    pub(crate) fn body(self) -> String {
        format!("{{\"code\":{},\"message\":\"{}\"}}", self as u8, self.message())
    }
}

/// What decides where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Query<'a> {
    pub(crate) method: &'a str,
    /// Whether it asks to become a WebSocket.
    pub(crate) upgrade: bool,
    /// `EIO`.
    pub(crate) version: Option<&'a str>,
    pub(crate) transport: Option<&'a str>,
    /// An empty one is none.
    pub(crate) sid: Option<&'a str>,
    /// Whether the version before is allowed; whoever does not ask for this one gets it then.
    pub(crate) allows_older: bool,
}

/// What a request asks for, once its parameters are in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// A new session.
    Handshake(EngineTransport),
    /// An existing session.
    Session(&'a str),
}

/// Judges a request. `current` is the transport of the session with that id, if there is one.
/// Fails with the refusal the official server would give first.
pub(crate) fn judge<'a>(query: Query<'a>, current: Option<EngineTransport>) -> Result<Target<'a>, Refusal> {
    let transport = match query.transport {
        Some("polling") => EngineTransport::Polling,
        Some("websocket") => EngineTransport::WebSocket,
        _ => return Err(Refusal::TransportUnknown),
    };
    if query.upgrade && transport == EngineTransport::Polling {
        return Err(Refusal::BadRequest);
    }
    if let Some(sid) = query.sid {
        return match current {
            None => Err(Refusal::SessionUnknown),
            Some(_) if query.upgrade => Ok(Target::Session(sid)),
            Some(EngineTransport::Polling) if transport == EngineTransport::Polling => {
                Ok(Target::Session(sid))
            }
            Some(_) => Err(Refusal::BadRequest),
        };
    }
    if query.method != "GET" {
        return Err(Refusal::BadHandshakeMethod);
    }
    if transport == EngineTransport::WebSocket && !query.upgrade {
        return Err(Refusal::BadRequest);
    }
    if query.version != Some("4") && !query.allows_older {
        return Err(Refusal::UnsupportedProtocol);
    }
    Ok(Target::Handshake(transport))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: &'static str, upgrade: bool, query: &'static str) -> Result<Target<'static>, Refusal> {
        let find = |name: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .rfind(|(key, _)| *key == name)
                .map(|pair| pair.1)
        };
        let current = match find("sid") {
            Some("lp") => Some(EngineTransport::Polling),
            Some("ws") => Some(EngineTransport::WebSocket),
            _ => None,
        };
        let sid = find("sid").filter(|sid| !sid.is_empty());
        let (version, transport) = (find("EIO"), find("transport"));
        judge(Query { method, upgrade, version, transport, sid, allows_older: false }, current)
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
        let handshake = Ok(Target::Handshake(EngineTransport::Polling));
        assert_eq!(ask("GET", false, "EIO=4&transport=polling"), handshake);
        assert_eq!(ask("GET", false, "transport=polling&t=x&foo=a&EIO=4"), handshake);
        assert_eq!(ask("GET", false, "EIO=4&transport=polling&sid="), handshake);
        assert_eq!(
            ask("GET", true, "EIO=4&transport=websocket"),
            Ok(Target::Handshake(EngineTransport::WebSocket))
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
