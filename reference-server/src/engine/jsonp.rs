//! JSONP: polls are answered with a call of JavaScript, and posts are forms.
//!
//! Spec: Engine.IO protocol v3, "JSONP"; escapes as in engine.io lib/transports/polling-jsonp.ts.

use crate::faults::{Fault, Faults};
use crate::http::request::Request;

/// Which function the polls of a session call, if it asked for that in its handshake.
pub(crate) fn asked_by(request: &Request, faults: &Faults) -> Option<Box<str>> {
    let j = request.parameter("j").filter(|_| !faults.has(Fault::JsonpIgnored))?;
    Some(j.chars().filter(char::is_ascii_digit).collect())
}

/// The call that brings a payload.
pub(crate) fn call(j: &str, payload: &[u8], faults: &Faults) -> Vec<u8> {
    let payload = String::from_utf8_lossy(payload);
    let literal = match faults.has(Fault::JsonpUnescaped) {
        true => format!("\"{}\"", payload.replace('"', "\\\"")),
        false => serde_json::Value::from(payload).to_string(),
    };
    // JSON may hold these two as they are, JavaScript of that time not.
    let literal = literal.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    let j = if faults.has(Fault::JsonpWrongFunction) { "0" } else { j };
    format!("___eio[{j}]({literal});").into_bytes()
}

/// The payload that a form brings; none where it brings no `d`.
pub(crate) fn payload_of(form: &[u8], faults: &Faults) -> Option<Vec<u8>> {
    if faults.has(Fault::JsonpFormUnread) {
        return Some(form.to_vec());
    }
    let (_, data) = form_urlencoded::parse(form).find(|(name, _)| name == "d")?;
    if faults.has(Fault::JsonpNewlinesEscaped) {
        return Some(data.into_owned().into_bytes());
    }
    let mut payload = String::with_capacity(data.len());
    let mut rest = &*data;
    // A backslash and `n` is a newline; with another backslash before it, it is itself.
    while let Some(at) = rest.find("\\n") {
        let (before, behind) = (&rest[..at], &rest[at + 2..]);
        match before.strip_suffix('\\') {
            Some(before) => payload.extend([before, "\\n"]),
            None => payload.extend([before, "\n"]),
        }
        rest = behind;
    }
    payload.push_str(rest);
    Some(payload.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_javascript_of_any_age() {
        let called = call("3", "4\"\\\n\u{2028}\u{2029}\u{1e}2".as_bytes(), &Faults::default());
        assert_eq!(String::from_utf8_lossy(&called), r#"___eio[3]("4\"\\\n\u2028\u2029\u001e2");"#);
    }

    #[test]
    fn the_escapes_of_a_form_are_undone_as_the_official_server_does_it() {
        for (form, payload) in [
            ("d=a%5Cnb", "a\nb"),
            ("d=a%5C%5Cnb", r"a\nb"),
            ("d=a%5C%5C%5Cnb", r"a\\nb"),
            ("x=1&d=4+%E2%82%AC", "4 €"),
        ] {
            let read = payload_of(form.as_bytes(), &Faults::default());
            assert_eq!(read.as_deref(), Some(payload.as_bytes()), "{form}");
        }
        assert_eq!(payload_of(b"4a", &Faults::default()), None);
    }
}
