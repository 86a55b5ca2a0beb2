//! Namespaces over one connection: who is in, under which id, and what recovery needs.
//!
//! SIO "Connection to a namespace"; recovery: the `pid` of the `CONNECT` reply and the offset that the server
//! appends to each event (SIO "Connection state recovery").

use std::borrow::Cow;

use serde_json::Value;

use super::event::{Event, Message};
use crate::protocol::{Rule, Violation};

/// The most namespaces that a server may let us into after something was sent by hand.
const MOST_BY_HAND: usize = 1024;

/// Where we stand with a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Not joined, refused, or left.
    Out,
    /// `CONNECT` is sent, the reply is due.
    Asked,
    /// Joined.
    In,
}

/// A namespace that this client has dealt with.
#[derive(Clone, Debug, PartialEq)]
pub struct Namespace {
    /// Its name, with the leading slash.
    pub name: Box<str>,
    /// Where we stand with it.
    pub phase: Phase,
    /// Our Socket.IO id in it, empty before the first reply.
    pub sid: Box<str>,
    /// The recovery id, if the server offers recovery.
    pub pid: Option<Box<str>>,
    /// The offset of the last event.
    pub offset: Option<Box<str>>,
}

impl Namespace {
    pub(super) fn of<'n>(all: &'n mut Vec<Namespace>, name: &str) -> &'n mut Namespace {
        let place = all.iter().position(|namespace| &*namespace.name == name).unwrap_or_else(|| {
            all.reserve_exact(1);
            all.push(Namespace {
                name: name.into(),
                phase: Phase::Out,
                sid: "".into(),
                pid: None,
                offset: None,
            });
            all.len() - 1
        });
        &mut all[place]
    }

    /// Gives up what recovery would need.
    pub(super) fn forget(&mut self) {
        self.pid = None;
        self.offset = None;
    }

    /// The payload of `CONNECT`: the auth object, with recovery id and offset if there are any.
    pub(super) fn payload(&self, auth: Option<&str>) -> Option<String> {
        let Some(pid) = &self.pid else { return auth.map(str::to_owned) };
        let mut object = auth
            .and_then(|auth| serde_json::from_str::<serde_json::Map<String, Value>>(auth).ok())
            .unwrap_or_default();
        object.insert("pid".into(), Value::from(&**pid));
        if let Some(offset) = &self.offset {
            object.insert("offset".into(), Value::from(&**offset));
        }
        Some(Value::Object(object).to_string())
    }

    /// Keeps the offset that a recovering server appends to events without an acknowledgement id.
    pub(super) fn note_offset(&mut self, message: &Message<'_>) {
        if self.pid.is_some()
            && message.id.is_none()
            && let Some(offset) = last_text(&message.data)
        {
            self.offset = Some(offset.into());
        }
    }
}

/// The last element of a JSON array, if it is a string without escapes (offsets never have any).
fn last_text(array: &str) -> Option<&str> {
    let inner = array.trim_end().strip_suffix(']')?.trim_end().strip_suffix('"')?;
    let start = inner.rfind('"')?;
    let text = &inner[start + 1..];
    // A quote that closes an earlier string or is escaped is not the start of ours.
    let before = inner[..start].trim_end();
    (before.ends_with(',') && !text.contains('\\')).then_some(text)
}

/// The server accepts a `CONNECT`, which may have been sent `by_hand`.
pub(super) fn accepted<'a>(all: &mut Vec<Namespace>, name: &'a str, data: &str, by_hand: bool) -> Event<'a> {
    let asked = all.iter().any(|known| *known.name == *name && known.phase == Phase::Asked);
    if !asked && (!by_hand || all.len() >= MOST_BY_HAND) {
        return unknown(format!("the server accepted a CONNECT to `{name}` that was not under way"));
    }
    let namespace = Namespace::of(all, name);
    let reply: Value = serde_json::from_str(data).unwrap_or(Value::Null);
    let Some(sid) = reply.get("sid").and_then(Value::as_str) else {
        return Event::Violated(Violation {
            rule: Rule::ConnectReply,
            detail: format!("the CONNECT reply for `{name}` has no `sid` text: {data}"),
        });
    };
    let pid = reply.get("pid").and_then(Value::as_str);
    let recovered = pid.is_some() && pid == namespace.pid.as_deref();
    if !recovered {
        namespace.offset = None;
    }
    namespace.phase = Phase::In;
    namespace.sid = sid.into();
    namespace.pid = pid.map(Into::into);
    Event::Connected { namespace: Cow::Borrowed(name), recovered }
}

/// The server refuses a `CONNECT`. `None` when it may have been sent `by_hand`.
pub(super) fn refused<'a>(
    all: &mut [Namespace],
    name: &'a str,
    data: &'a str,
    by_hand: bool,
) -> Option<Event<'a>> {
    let Some(namespace) = all.iter_mut().find(|known| *known.name == *name) else {
        let detail = || format!("the server refused a CONNECT to `{name}` that was not under way");
        return (!by_hand).then(|| unknown(detail()));
    };
    namespace.phase = Phase::Out;
    Some(Event::Refused { namespace: Cow::Borrowed(name), reason: Cow::Borrowed(data) })
}

/// The server ends a membership. `None` when it may have begun `by_hand`.
pub(super) fn ended<'a>(all: &mut [Namespace], name: &'a str, by_hand: bool) -> Option<Event<'a>> {
    let Some(namespace) = all.iter_mut().find(|known| *known.name == *name) else {
        let detail = || format!("the server disconnected us from `{name}`, which was never joined");
        return (!by_hand).then(|| unknown(detail()));
    };
    namespace.phase = Phase::Out;
    namespace.forget();
    Some(Event::Disconnected { namespace: Cow::Borrowed(name) })
}

fn unknown(detail: String) -> Event<'static> {
    Event::Violated(Violation { rule: Rule::NamespaceUnknown, detail })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_offset_is_the_last_text_of_an_event() {
        for (data, offset) in [
            (r#"["news","hello","Q7x"]"#, Some("Q7x")),
            (r#"["news",1,"Q7x"]"#, Some("Q7x")),
            (r#"["news",["a"],"" ]"#, Some("")),
            (r#"["news"]"#, None),
            (r#"["news",1]"#, None),
            (r#"["news",["a"]]"#, None),
            (r#"["news","a\"b"]"#, None),
            (r#"["news","a,\"b"]"#, None),
            ("", None),
            ("\"]", None),
        ] {
            assert_eq!(last_text(data), offset, "{data}");
        }
    }
}
