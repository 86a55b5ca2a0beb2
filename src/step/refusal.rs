//! The refusal that `connect` or `open` demands: of the namespace by `CONNECT_ERROR`, or of the handshake by HTTP.

use serde_json::Value as Json;

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

/// Whether an HTTP answer says that it is not us who are wanted: 401, 403, or Engine.IO's own `{"code":4,…}`.
pub(super) fn is_about_credentials(status: u16, body: &str) -> bool {
    let code = || serde_json::from_str::<Json>(body).ok()?["code"].as_u64();
    matches!(status, 401 | 403) || ((400..500).contains(&status) && matches!(code(), Some(3 | 4)))
}
