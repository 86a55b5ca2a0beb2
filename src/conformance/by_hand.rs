//! Which cases write packets by hand, as the usual parser does. A server with another parser has no use for them.

use crate::document::{Node, Source, Value, parse};

/// The steps that write and read what is on the wire.
const STEPS: [&str; 5] = ["send", "frame", "expect_frame", "expect_no_frame", "http"];

/// Whether a case writes packets of Socket.IO by hand, or looks at them as they are on the wire.
pub(super) fn is_written_by_hand(source: &Source) -> bool {
    let Ok(tree) = parse(source) else { return true };
    let entries = tree.map().unwrap_or_default();
    entries.iter().filter(|(key, _)| key.text == "script").any(|(_, script)| has_step(script))
}

fn has_step(node: &Node) -> bool {
    match &node.value {
        Value::List(items) => items.iter().any(has_step),
        Value::Map(entries) => entries.iter().any(|(key, value)| match STEPS.contains(&key.text.as_str()) {
            true => tells_packet(value),
            false => has_step(value),
        }),
        _ => false,
    }
}

fn tells_packet(node: &Node) -> bool {
    match &node.value {
        Value::Text(text) => is_packet(text),
        Value::List(items) => items.iter().any(tells_packet),
        Value::Map(entries) => entries
            .iter()
            .any(|(key, value)| matches!(&*key.text, "binary" | "$base64") || tells_packet(value)),
        _ => false,
    }
}

/// Whether a text, or a pattern, is about a message: a 4 and the type of its packet. What a name stands for is not looked at.
fn is_packet(text: &str) -> bool {
    let bytes = text.as_bytes();
    let begins = |place: &usize| *place == 0 || !bytes[place - 1].is_ascii_alphanumeric();
    let is_type =
        |byte: Option<&u8>| byte.is_none_or(|byte| matches!(byte, b'0'..=b'6' | b'[' | b'(' | b'\\'));
    let mut places = (0..bytes.len()).filter(|place| bytes[*place] == b'4').filter(begins);
    text.contains("_packet}") || places.any(|place| is_type(bytes.get(place + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_hand(step: &str) -> bool {
        let text = format!("name: x\nclients: {{ a: 1 }}\nscript: [ {{ a: [ connect, {{ {step} }} ] }} ]\n");
        is_written_by_hand(&Source { name: "case".to_owned(), text })
    }

    #[test]
    fn a_case_that_writes_or_reads_a_packet_of_socket_io_is_written_by_hand() {
        for step in [
            "send: '40'",
            "send: '${connect_packet}'",
            "expect_frame: { text: { $match: '^42\\[' } }",
            "expect_no_frame: { text: { $match: '^4[04]/nowhere,' } }",
            "http: { post: poll, body: \"42[1]\\x1e43[]\" }",
            "http: { get: poll, expect: { body: { $match: '(^|\\x1e)40\\{' } } }",
            "send: { $base64: 'AQID' }",
            "expect_frame: { binary: { $base64: 'AQID' } }",
            "repeat: { times: 2, steps: [ { send: '41' } ] }",
        ] {
            assert!(by_hand(step), "{step}");
        }
    }

    #[test]
    fn what_only_the_engine_reads_and_what_steps_say_is_for_every_parser() {
        for step in [
            "send: 2probe",
            "expect_frame: { text: { $match: '^0\\{' } }",
            "expect_frame: '2'",
            "http: { get: '?EIO=4&transport=polling', expect: { status: 400, body: { code: 5 } } }",
            "emit: { event: '42', args: ['40'] }",
        ] {
            assert!(!by_hand(step), "{step}");
        }
    }
}
