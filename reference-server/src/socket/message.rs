//! Outgoing Socket.IO packets, encoded once: the header and its attachments as Engine.IO packets that always
//! travel together.
//!
//! Spec: Socket.IO protocol v5, "Packet encoding".

use std::rc::Rc;

use super::args::Args;
use crate::engine::packet::EncodedPacket;

/// One Socket.IO packet, ready for any transport. Cloning shares the bytes.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// A packet without attachments.
    Text(EncodedPacket),
    /// A header and its attachments, in order.
    Binary(Rc<[EncodedPacket]>),
}

impl Message {
    /// `0`: the CONNECT that admits a socket.
    pub(crate) fn connect(namespace: &str, sid: &str, pid: Option<&str>) -> Message {
        let mut payload = format!("{{\"sid\":\"{sid}\"");
        if let Some(pid) = pid {
            payload.push_str(&format!(",\"pid\":\"{pid}\""));
        }
        payload.push('}');
        Message::plain('0', namespace, &payload)
    }

    /// The same as the version before has it.
    pub(crate) fn connect_plainly(namespace: &str) -> Message {
        Message::plain('0', namespace, "")
    }

    /// `4`: the refusal of a CONNECT; `error` is JSON, an object but in the version before.
    pub(crate) fn connect_error(namespace: &str, error: &str) -> Message {
        Message::plain('4', namespace, error)
    }

    /// `1`: the end of a namespace.
    pub(crate) fn disconnect(namespace: &str) -> Message {
        Message::plain('1', namespace, "")
    }

    /// `2` or `5`: an event; with an id it asks for an answer.
    pub(crate) fn event(namespace: &str, id: Option<u64>, args: &Args) -> Message {
        let digits = id.map(|id| id.to_string()).unwrap_or_default();
        Message::with_args(['2', '5'], namespace, &digits, args)
    }

    /// `3` or `6`: the answer to the event with that id.
    pub(crate) fn ack(namespace: &str, id: &str, args: &Args) -> Message {
        Message::with_args(['3', '6'], namespace, id, args)
    }

    /// Whether attachments follow its header.
    pub(crate) fn is_binary(&self) -> bool {
        matches!(self, Message::Binary(_))
    }

    /// The packets in the order they go out.
    pub(crate) fn packets(&self) -> &[EncodedPacket] {
        match self {
            Message::Text(packet) => std::slice::from_ref(packet),
            Message::Binary(packets) => packets,
        }
    }

    fn plain(kind: char, namespace: &str, payload: &str) -> Message {
        Message::Text(EncodedPacket::text(namespace.len() + payload.len() + 4, |out| {
            out.extend_from_slice(&[b'4', kind as u8]);
            push_namespace(out, namespace);
            out.extend_from_slice(payload.as_bytes());
        }))
    }

    fn with_args([text, binary]: [char; 2], namespace: &str, id: &str, args: &Args) -> Message {
        let attachments = args.attachments();
        let size = namespace.len() + id.len() + args.json().len() + 16;
        let header = EncodedPacket::text(size, |out| {
            out.push(b'4');
            if attachments.is_empty() {
                out.push(text as u8);
            } else {
                out.push(binary as u8);
                out.extend_from_slice(attachments.len().to_string().as_bytes());
                out.push(b'-');
            }
            push_namespace(out, namespace);
            out.extend_from_slice(id.as_bytes());
            out.push(b'[');
            out.extend_from_slice(args.json().as_bytes());
            out.push(b']');
        });
        if attachments.is_empty() {
            return Message::Text(header);
        }
        let attachments = attachments.iter().map(|data| EncodedPacket::binary(data));
        Message::Binary(std::iter::once(header).chain(attachments).collect())
    }
}

fn push_namespace(out: &mut Vec<u8>, namespace: &str) {
    if namespace != "/" {
        out.extend_from_slice(namespace.as_bytes());
        out.push(b',');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn texts(message: &Message) -> Vec<String> {
        message.packets().iter().map(|packet| String::from_utf8_lossy(packet.body()).into_owned()).collect()
    }

    #[test]
    fn packets_are_written_as_in_the_examples_of_the_specification() {
        // Socket.IO protocol v5, "Packet encoding", Examples (each after the Engine.IO type 4).
        let table = [
            (Message::connect("/", "abc", None), r#"40{"sid":"abc"}"#),
            (Message::connect("/admin", "abc", Some("p")), r#"40/admin,{"sid":"abc","pid":"p"}"#),
            (
                Message::connect_error("/admin", r#"{"message":"Not authorized"}"#),
                r#"44/admin,{"message":"Not authorized"}"#,
            ),
            (Message::event("/", None, &Args::event("foo")), r#"42["foo"]"#),
            (Message::event("/admin", Some(0), &Args::event("bar")), r#"42/admin,0["bar"]"#),
            (Message::ack("/admin", "13", &Args::event("bar")), r#"43/admin,13["bar"]"#),
            (Message::ack("/", "0", &Args::new()), "430[]"),
            (Message::disconnect("/"), "41"),
            (Message::disconnect("/admin"), "41/admin,"),
        ];
        for (message, expected) in table {
            assert_eq!(texts(&message), [expected]);
        }
    }

    #[test]
    fn attachments_follow_their_header_in_the_order_of_their_numbers() {
        let args = Args::event("baz")
            .with_binary(Bytes::from_static(b"one"))
            .with_binary(Bytes::from_static(b"two"));
        assert_eq!(
            texts(&Message::event("/admin", Some(7), &args)),
            [
                r#"452-/admin,7["baz",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#,
                "one",
                "two"
            ]
        );
    }
}
