//! The refusal that `connect` or `open` demands: of the namespace by `CONNECT_ERROR`, or of the handshake by HTTP.

use std::time::Instant;

use serde_json::Value as Json;

use super::sent::in_milliseconds;
use super::{Cx, Reading};
use crate::document::{Fields, Mistake, Node, Value};
use crate::session::{Closed, Lost};
use crate::template::Matcher;

/// A refusal that is demanded.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Any.
    Any,
    /// By `CONNECT_ERROR`, for a reason that matches.
    Reason(Matcher),
    /// By the answer to the handshake.
    Http {
        /// Its HTTP status.
        status: Option<Matcher>,
        /// Its body: as JSON, or as text.
        body: Option<Box<Matcher>>,
    },
}

/// What a value that is no map is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// The reason of a `CONNECT_ERROR`; a number is still a status, because no reason is one.
    Reason,
    /// The HTTP status.
    Status,
}

impl Refusal {
    /// Reads the field `refused`, if it is there.
    pub(super) fn read(
        fields: &Fields<'_>,
        about: About,
        reading: &mut Reading<'_>,
    ) -> Result<Option<Refusal>, Mistake> {
        let Some(node) = fields.optional("refused") else { return Ok(None) };
        let mut matcher = |node: &Node| Matcher::compile(node, reading.scope);
        let refusal = match &node.value {
            Value::Bool(true) => Refusal::Any,
            Value::Bool(false) => {
                return Err(node.mistake("`refused: false` has no effect").hint("leave it out"));
            }
            Value::Map(entries)
                if entries.iter().any(|(key, _)| key.text == "status" || key.text == "body") =>
            {
                let fields = Fields::of(node, "a refusal by HTTP")?;
                let (status, body) = (fields.optional("status"), fields.optional("body"));
                fields.deny_others()?;
                Refusal::Http {
                    status: status.map(&mut matcher).transpose()?,
                    body: body.map(matcher).transpose()?.map(Box::new),
                }
            }
            Value::Int(_) => Refusal::Http { status: Some(matcher(node)?), body: None },
            _ if about == About::Status => Refusal::Http { status: Some(matcher(node)?), body: None },
            _ => Refusal::Reason(matcher(node)?),
        };
        Ok(Some(refusal))
    }

    /// It in words, behind `a refusal`; often empty.
    pub(super) fn describe(&self) -> String {
        match self {
            Refusal::Any => String::new(),
            Refusal::Reason(reason) => format!(" with CONNECT_ERROR and {}", reason.describe()),
            Refusal::Http { status, body } => {
                let status = status.as_ref().map(|status| format!("the HTTP status {}", status.describe()));
                let body = body.as_ref().map(|body| format!("the body {}", body.describe()));
                let parts: Vec<String> = status.into_iter().chain(body).collect();
                format!(" with {}", parts.join(" and "))
            }
        }
    }

    /// Whether this answer to the handshake is the refusal that is demanded; if not, why. A connection that ended without
    /// an answer has the status `null`.
    ///
    /// # Errors
    /// In words.
    pub(super) fn matches_http(&self, cx: &Cx<'_, '_>, answer: Option<(u16, &str)>) -> Result<(), String> {
        let Refusal::Http { status, body } = self else { return Ok(()) };
        if let Some(status) = status {
            let actual = answer.map_or(Json::Null, |(status, _)| Json::from(status));
            status.matches(&actual, &[], cx.actor).map_err(|mismatch| mismatch.to_string())?;
        }
        let Some(body) = body else { return Ok(()) };
        let Some((_, text)) = answer else { return Err("there was no HTTP answer".to_owned()) };
        let as_text = body.matches(&Json::from(text), &[], cx.actor);
        let verdict = match serde_json::from_str::<Json>(text) {
            Ok(json) if as_text.is_err() => body.matches(&json, &[], cx.actor),
            _ => as_text,
        };
        verdict.map_err(|mismatch| format!("its body: {mismatch}"))
    }
}

/// Status and body of the HTTP answer that ended a connection, if one did.
pub(super) fn answer(why: &Closed) -> Option<(u16, String)> {
    match why {
        Closed::BadAnswer { status, body, .. } => Some((*status, body.clone())),
        Closed::Lost(_, Lost::Refused(answer)) => {
            Some((answer.0.status, String::from_utf8_lossy(&answer.1).into_owned()))
        }
        Closed::Lost(_, Lost::NotAccepted(status)) => Some((*status, String::new())),
        _ => None,
    }
}

/// What engine.io and ws write under a 400 about the request, and not about who sent it.
const ABOUT_THE_REQUEST: [&str; 7] = [
    "transport unknown",
    "session id unknown",
    "handshake method",
    "bad request",
    "protocol version",
    "sec-websocket",
    "upgrade header",
];

/// Whether an HTTP answer says that it is not us who are wanted: 401, 403, Engine.IO's own `{"code":4,…}`, or 400 and the bare
/// words of the application, which is all that engine.io writes of it where a WebSocket was asked for.
pub(super) fn is_about_credentials(status: u16, body: &str) -> bool {
    let json = serde_json::from_str::<Json>(body).ok();
    let code = json.as_ref().and_then(|json| json["code"].as_u64());
    let text = body.trim().to_lowercase();
    let is_about_us = || !ABOUT_THE_REQUEST.iter().any(|words| text.contains(words));
    let is_bare = || json.is_none() && !text.is_empty() && !text.contains('<') && is_about_us();
    match status {
        401 | 403 => true,
        400 if is_bare() => true,
        400..500 => matches!(code, Some(3 | 4)),
        _ => false,
    }
}

/// The connection ended before `CONNECT` was answered, which was asked then.
pub(super) fn ended_while_asking(cx: &Cx<'_, '_>, why: &Closed, asked: Instant) -> String {
    if cx.actor.session.awaits_post() {
        let waited = in_milliseconds(cx.now.saturating_duration_since(asked));
        let by_then = if waited.is_zero() { String::new() } else { format!(" in {waited:?}") };
        return format!("{why}; the POST with CONNECT had got no answer{by_then}");
    }
    // The official server says no more to whom it cannot read. Others may have had reasons of their own.
    match why {
        Closed::ByServer { .. } | Closed::Lost(_, Lost::Closed { .. } | Lost::SessionClosed { .. }) => {
            format!(
                "{why} after CONNECT, written by the {} parser, and before an answer to it. If the server uses another parser, \
                 say so by `parser:`",
                cx.actor.session.parser().name()
            )
        }
        why => why.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_about_credentials_by_its_status_its_code_or_the_words_of_the_application() {
        let ours = [
            (401, ""),
            (403, "<html>Forbidden</html>"),
            (400, r#"{"code":4,"message":"no token"}"#),
            (400, r#"{"code":3,"message":"Bad request"}"#),
            (400, "no token"),
            (400, "Forbidden"),
        ];
        for (status, body) in ours {
            assert!(is_about_credentials(status, body), "{status} {body}");
        }
        let others = [
            (400, ""),
            (400, "Transport unknown"),
            (400, "Bad Request"),
            (400, "Unsupported protocol version"),
            (400, "Missing or invalid Sec-WebSocket-Key header"),
            (400, r#"{"code":0,"message":"Transport unknown"}"#),
            (400, r#""Invalid session""#),
            (400, "<html>the plain HTTP request was sent to an HTTPS port</html>"),
            (404, "no token"),
            (500, r#"{"code":4,"message":"no token"}"#),
        ];
        for (status, body) in others {
            assert!(!is_about_credentials(status, body), "{status} {body}");
        }
    }
}
