//! From Engine.IO messages to whole Socket.IO packets: a header and the binary frames that belong to it.
//!
//! Spec: Socket.IO protocol v5, "Packet encoding": the attachments follow their header immediately, so a text
//! message in between, or a binary one without a header, is an error.

use std::borrow::Cow;
use std::rc::Rc;

use bytes::Bytes;

use super::args::Arg;
use super::packet::{self, Header, Kind, ParseError};

/// A whole packet.
#[derive(Debug)]
pub(crate) struct Packet<'a> {
    /// The type; binary packets count as what they carry.
    pub(crate) kind: Kind,
    /// The namespace.
    pub(crate) namespace: &'a str,
    /// The acknowledgement id.
    pub(crate) id: Option<&'a str>,
    /// The event name; empty for other packets.
    pub(crate) name: Cow<'a, str>,
    /// What follows the name, or the whole payload of an acknowledgement.
    pub(crate) args: Vec<Arg<'a>>,
    /// The JSON object of a CONNECT, or empty.
    pub(crate) payload: &'a str,
}

/// Waits for attachments.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    pending: Option<Box<Pending>>,
}

#[derive(Debug)]
struct Pending {
    text: Box<str>,
    expected: usize,
    buffers: Vec<Bytes>,
}

/// A header with all its attachments; borrow the [`Packet`] from it.
#[derive(Debug)]
pub(crate) struct Assembled {
    text: Box<str>,
    buffers: Rc<[Bytes]>,
}

impl Decoder {
    /// Takes a text message. `None`: it announces attachments that are still to come.
    /// Fails when it is not a packet, or attachments of the one before are missing.
    pub(crate) fn text<'a>(&mut self, text: &'a str) -> Result<Option<Packet<'a>>, ParseError> {
        if self.pending.is_some() {
            return Err(ParseError::TextForAttachment);
        }
        let header = Header::parse(text)?;
        if header.attachments > 0 {
            let pending = Pending { text: text.into(), expected: header.attachments, buffers: Vec::new() };
            self.pending = Some(Box::new(pending));
            return Ok(None);
        }
        Packet::build(header, None).map(Some)
    }

    /// Takes a binary message; complete packets come back to be borrowed from.
    /// Fails when no attachment was expected.
    pub(crate) fn binary(&mut self, data: Bytes) -> Result<Option<Assembled>, ParseError> {
        let mut pending = self.pending.take().ok_or(ParseError::StrayAttachment)?;
        pending.buffers.push(data);
        if pending.buffers.len() < pending.expected {
            self.pending = Some(pending);
            return Ok(None);
        }
        Ok(Some(Assembled { text: pending.text, buffers: pending.buffers.into() }))
    }

    /// The fault that makes a packet of a header whose attachments never came: empty ones take their place.
    pub(crate) fn give_up(&mut self) -> Option<Assembled> {
        let mut pending = self.pending.take()?;
        pending.buffers.resize(pending.expected, Bytes::new());
        Some(Assembled { text: pending.text, buffers: pending.buffers.into() })
    }
}

impl Assembled {
    /// A header and the attachments that came with it.
    pub(super) fn new(text: String, buffers: Vec<Bytes>) -> Assembled {
        Assembled { text: text.into(), buffers: buffers.into() }
    }

    /// The packet with its attachments in place.
    /// Fails when a placeholder names an attachment that does not exist.
    pub(crate) fn packet(&self) -> Result<Packet<'_>, ParseError> {
        Packet::build(Header::parse(&self.text)?, Some(&self.buffers))
    }
}

impl<'a> Packet<'a> {
    fn build(header: Header<'a>, buffers: Option<&Rc<[Bytes]>>) -> Result<Packet<'a>, ParseError> {
        let kind = match header.kind {
            Kind::BinaryEvent => Kind::Event,
            Kind::BinaryAck => Kind::Ack,
            kind => kind,
        };
        let mut packet = Packet {
            kind,
            namespace: header.namespace,
            id: header.id,
            name: Cow::Borrowed(""),
            args: Vec::new(),
            payload: header.payload,
        };
        if matches!(kind, Kind::Event | Kind::Ack) {
            let mut raw = header.arguments()?.into_iter();
            if kind == Kind::Event {
                let name = raw.next().ok_or(ParseError::EventNameMissing)?;
                packet.name = packet::event_name(name)?;
            }
            packet.args = match buffers {
                None => raw.map(|raw| Arg::Json(Cow::Borrowed(raw))).collect(),
                Some(buffers) => {
                    raw.map(|raw| Arg::with_attachments(raw, buffers)).collect::<Result<_, _>>()?
                }
            };
        }
        Ok(packet)
    }
}

#[cfg(test)]
mod tests {
    use super::super::args::Args;
    use super::*;

    #[test]
    fn a_packet_without_attachments_is_complete_at_once() {
        let mut decoder = Decoder::default();
        let packet = decoder.text(r#"2/admin,7["foo",1,{}]"#).unwrap().unwrap();
        assert_eq!((packet.kind, packet.namespace, packet.id), (Kind::Event, "/admin", Some("7")));
        assert_eq!(packet.name, "foo");
        assert_eq!(Args::new().with_all(&packet.args).json(), "1,{}");
    }

    #[test]
    fn the_number_in_a_placeholder_decides_not_the_order_of_arrival() {
        let mut decoder = Decoder::default();
        let text = r#"52-["e",{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]"#;
        assert!(decoder.text(text).unwrap().is_none());
        assert!(decoder.binary(Bytes::from_static(b"first")).unwrap().is_none());
        let assembled = decoder.binary(Bytes::from_static(b"second")).unwrap().unwrap();
        let args = Args::new().with_all(&assembled.packet().unwrap().args);
        assert_eq!(args.attachments(), ["second", "first"]);
    }

    #[test]
    fn text_in_place_of_an_attachment_is_an_error() {
        let mut decoder = Decoder::default();
        decoder.text(r#"51-["e",{"_placeholder":true,"num":0}]"#).unwrap();
        assert!(decoder.text(r#"2["b"]"#).is_err());
    }

    #[test]
    fn an_attachment_that_nobody_announced_is_an_error() {
        assert!(Decoder::default().binary(Bytes::new()).is_err());
    }

    #[test]
    fn a_look_alike_placeholder_in_a_text_event_stays_data() {
        let mut decoder = Decoder::default();
        let packet = decoder.text(r#"2["e",{"_placeholder":true,"num":9}]"#).unwrap().unwrap();
        assert_eq!(Args::new().with_all(&packet.args).json(), r#"{"_placeholder":true,"num":9}"#);
    }
}
