//! Namespaces over one connection: who is in, under which id, and what recovery needs.
//!
//! SIO "Connection to a namespace"; recovery: the `pid` of the `CONNECT` reply and the offset that the server
//! appends to each event (SIO "Connection state recovery").

use std::borrow::Cow;

use serde_json::Value;

use super::Session;
use super::event::{Event, ServerEvent};
use crate::audit::stamp;
use crate::protocol::socket_io::MAIN;
use crate::protocol::{Rule, Violation, excerpt};

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
    /// Its name, with the leading slash. That of the main one, in which most clients are, is the same bytes for all.
    pub name: Cow<'static, str>,
    /// Where we stand with it.
    pub phase: Phase,
    /// Our Socket.IO id in it, empty before the first reply.
    pub sid: Box<str>,
    /// The recovery id, if the server offers recovery.
    pub pid: Option<Box<str>>,
    /// The offset of the last event.
    pub offset: Option<Box<str>>,
    /// Whether a further `CONNECT` was sent by hand while an earlier one stood, so that a further answer is no surprise.
    pub asked_again: bool,
}

impl Namespace {
    pub(super) fn of<'n>(all: &'n mut Vec<Namespace>, name: &str) -> &'n mut Namespace {
        let place = all.iter().position(|namespace| &*namespace.name == name).unwrap_or_else(|| {
            all.reserve_exact(1);
            all.push(Namespace {
                name: if name == MAIN { Cow::Borrowed(MAIN) } else { Cow::Owned(name.to_owned()) },
                phase: Phase::Out,
                sid: "".into(),
                pid: None,
                offset: None,
                asked_again: false,
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
    pub(super) fn note_offset(&mut self, message: &ServerEvent<'_>) {
        if self.pid.is_some()
            && message.id.is_none()
            && let Some(offset) = last_text(&message.data)
            // What we put behind an event ourselves is no offset, though the official client would take it for one.
            && !offset.starts_with(stamp::MARK)
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

/// What came where nobody was.
pub(super) const EVENT: &str = "an event came from";

/// The server spoke in a namespace that it was never asked for. That it is not remembered keeps a server that
/// invents namespaces from filling our memory.
pub(super) fn unknown(what: &str, name: &str) -> Event<'static> {
    unasked(Rule::NamespaceUnknown, what, name)
}

fn unasked(rule: Rule, what: &str, name: &str) -> Event<'static> {
    let detail = format!("{what} {}, which was never asked for", excerpt(name));
    Event::Violated(Violation { rule, detail })
}

fn find<'n>(all: &'n mut [Namespace], name: &str) -> Option<&'n mut Namespace> {
    all.iter_mut().find(|namespace| &*namespace.name == name)
}

pub(super) fn accepted<'a>(all: &mut [Namespace], name: &'a str, data: &str) -> Event<'a> {
    let Some(namespace) = find(all, name) else {
        return unasked(Rule::NamespaceUnasked, "the server accepted a CONNECT to", name);
    };
    let asked_again = namespace.phase == Phase::In && std::mem::take(&mut namespace.asked_again);
    if namespace.phase != Phase::Asked && !asked_again {
        // As the official client has it, the id that came last counts.
        let reply: Value = serde_json::from_str(data).unwrap_or_default();
        if let Some(sid) = reply["sid"].as_str().filter(|_| namespace.phase == Phase::In) {
            namespace.sid = sid.into();
        }
        return not_under_way(name);
    }
    let reply: Value = match serde_json::from_str(data) {
        Ok(reply) => reply,
        Err(_) if data.is_empty() => Value::Null,
        Err(why) => {
            let detail = format!("{why} in the CONNECT reply for {}: {}", excerpt(name), excerpt(data));
            return Event::Violated(Violation { rule: Rule::Json, detail });
        }
    };
    let Some(sid) = reply.get("sid").and_then(Value::as_str) else {
        return Event::Violated(Violation {
            rule: Rule::ConnectReply,
            detail: format!("the CONNECT reply for {} has no `sid` text: {}", excerpt(name), excerpt(data)),
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
    Event::Connected { namespace: name.into(), recovered }
}

/// Whether the server spoke to a client in the main namespace that is not in it: what it said was meant for another, most likely.
pub(crate) fn is_astray(violation: &Violation) -> bool {
    matches!(unknown(EVENT, MAIN), Event::Violated(astray) if astray == *violation)
}

/// The same in a dialect that derives the ids of sockets from that of the session.
pub(super) fn accepted_as<'a>(all: &mut [Namespace], name: &'a str, session: &str) -> Event<'a> {
    let Some(namespace) = find(all, name) else { return unknown("the server accepted a CONNECT to", name) };
    let asked_again = namespace.phase == Phase::In && std::mem::take(&mut namespace.asked_again);
    if namespace.phase != Phase::Asked && !asked_again {
        return not_under_way(name);
    }
    namespace.phase = Phase::In;
    namespace.sid = if name == MAIN { session.into() } else { format!("{name}#{session}").into() };
    Event::Connected { namespace: name.into(), recovered: false }
}

fn not_under_way(name: &str) -> Event<'static> {
    let detail = format!("the server accepted a CONNECT to {} that was not under way", excerpt(name));
    Event::Violated(Violation { rule: Rule::NamespaceUnasked, detail })
}

pub(super) fn refused<'a>(all: &mut [Namespace], name: &'a str, data: &'a str) -> Event<'a> {
    let is_due = |namespace: &&Namespace| namespace.phase == Phase::Asked || namespace.asked_again;
    let is_astray = !all.iter().filter(is_due).any(|namespace| &*namespace.name == name);
    if let Some(asked) = all.iter().find(|namespace| namespace.phase == Phase::Asked).filter(|_| is_astray) {
        let detail = format!(
            "a CONNECT to {} is under way, and one to {} was refused",
            excerpt(&asked.name),
            excerpt(name)
        );
        return Event::Violated(Violation { rule: Rule::AnswerAstray, detail });
    }
    let Some(namespace) = find(all, name) else { return unknown("the server refused a CONNECT to", name) };
    namespace.phase = Phase::Out;
    Event::Refused { namespace: name.into(), reason: data.into() }
}

pub(super) fn ended<'a>(all: &mut [Namespace], name: &'a str) -> Option<Event<'a>> {
    let Some(namespace) = find(all, name) else { return Some(unknown("the server ended", name)) };
    // Both sides may leave at the same time.
    let before = std::mem::replace(&mut namespace.phase, Phase::Out);
    namespace.forget();
    let was_asked = before == Phase::Asked;
    (before != Phase::Out).then_some(Event::Disconnected { namespace: name.into(), was_asked })
}

impl Session {
    /// Whether the client was given the id that it has in a namespace in another one, too.
    pub fn shares_id(&self, name: &str) -> bool {
        let mut others =
            self.namespaces.iter().filter(|other| &*other.name != name && other.phase == Phase::In);
        self.namespace(name).is_some_and(|one| others.any(|other| other.sid == one.sid))
    }
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
