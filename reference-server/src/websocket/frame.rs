//! WebSocket frames: what a client sends, read in place; what a server sends, headers only.
//!
//! Spec: RFC 6455 section 5. Pure: bytes come in as an argument, events go out. The reader unmasks inside
//! the caller's buffer, so an idle connection owns no memory for reading.

use crate::faults::{Fault, Faults};

/// Opcode of a text frame.
pub(crate) const OPCODE_TEXT: u8 = 0x1;
/// Opcode of a binary frame.
pub(crate) const OPCODE_BINARY: u8 = 0x2;
/// Opcode of a close frame.
pub(crate) const OPCODE_CLOSE: u8 = 0x8;
/// Opcode of a ping frame (RFC 6455, not the Engine.IO ping).
pub(crate) const OPCODE_PING: u8 = 0x9;
/// Opcode of a pong frame.
pub(crate) const OPCODE_PONG: u8 = 0xa;
const OPCODE_CONTINUATION: u8 = 0x0;

/// The longest header an unmasked frame can have.
pub(crate) const MAX_SERVER_HEADER: usize = 10;

/// A frame header, as long as it needs to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header {
    bytes: [u8; MAX_SERVER_HEADER],
    length: u8,
}

impl std::ops::Deref for Header {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes[..self.length as usize]
    }
}

/// The header of an unfragmented frame from server to client.
pub(crate) fn server_header(opcode: u8, payload: usize) -> Header {
    let mut bytes = [0; MAX_SERVER_HEADER];
    bytes[0] = 0x80 | opcode;
    let length = if payload < 126 {
        bytes[1] = payload as u8;
        2
    } else if let Ok(short) = u16::try_from(payload) {
        bytes[1] = 126;
        bytes[2..4].copy_from_slice(&short.to_be_bytes());
        4
    } else {
        bytes[1] = 127;
        bytes[2..10].copy_from_slice(&(payload as u64).to_be_bytes());
        10
    };
    Header { bytes, length }
}

/// A whole control frame from server to client; the content is cut at 125 bytes.
pub(crate) fn control(opcode: u8, content: &[u8]) -> Vec<u8> {
    let content = &content[..content.len().min(125)];
    let mut frame = server_header(opcode, content.len()).to_vec();
    frame.extend_from_slice(content);
    frame
}

/// One thing a client said.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// A complete text message.
    Text(&'a str),
    /// A complete binary message.
    Binary(&'a [u8]),
    /// A control ping; wants a pong with the same content.
    Ping(&'a [u8]),
    /// A control pong.
    Pong,
    /// The peer closes; with its status code if it gave one.
    Close(Option<u16>),
    /// A frame that completes nothing yet.
    Fragment,
}

/// The peer broke RFC 6455 or a limit of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Violation {
    /// Close code 1002.
    Protocol,
    /// Close code 1007: a text message that is not UTF-8.
    InvalidUtf8,
    /// Close code 1009: a message longer than the limit.
    TooBig,
}

impl Violation {
    /// The status code of the close frame that answers it.
    pub(crate) fn close_code(self) -> u16 {
        match self {
            Violation::Protocol => 1002,
            Violation::InvalidUtf8 => 1007,
            Violation::TooBig => 1009,
        }
    }
}

/// Reads frames; remembers a message that is still arriving in fragments.
#[derive(Debug)]
pub(crate) struct Reader {
    limit: usize,
    faults: Faults,
    partial: Option<Box<Partial>>,
}

#[derive(Debug)]
struct Partial {
    opcode: u8,
    data: Vec<u8>,
    complete: bool,
}

impl Reader {
    /// A reader that accepts messages of at most `limit` bytes.
    pub(crate) fn new(limit: usize, faults: Faults) -> Reader {
        Reader { limit, faults, partial: None }
    }

    /// Takes one frame from the start of `buffer`. `None`: the frame is not complete yet. The number is how
    /// many bytes were used up. The buffer is unmasked in place and must not be offered again.
    /// Fails when the peer broke a rule; the connection is to be closed with that code.
    pub(crate) fn next<'a>(
        &'a mut self,
        buffer: &'a mut [u8],
    ) -> Result<Option<(usize, Event<'a>)>, Violation> {
        if self.partial.as_ref().is_some_and(|partial| partial.complete) {
            self.partial = None;
        }
        if buffer.len() < 2 {
            return Ok(None);
        }
        let (first, second) = (buffer[0], buffer[1]);
        let (last, opcode) = (first & 0x80 != 0, first & 0x0f);
        let control = opcode & 0x8 != 0;
        let known = matches!(opcode, OPCODE_CONTINUATION..=OPCODE_BINARY | OPCODE_CLOSE..=OPCODE_PONG);
        let masked = second & 0x80 != 0;
        let short = second & 0x7f;
        if first & 0x70 != 0 || !known || (control && (!last || short > 125)) {
            return Err(Violation::Protocol);
        }
        if !masked && !self.faults.has(Fault::UnmaskedFrameAccepted) {
            return Err(Violation::Protocol);
        }
        if !control && (opcode == OPCODE_CONTINUATION) != self.partial.is_some() {
            return Err(Violation::Protocol);
        }
        let (length, header) = match short {
            126 if buffer.len() < 4 => return Ok(None),
            126 => (u64::from(u16::from_be_bytes([buffer[2], buffer[3]])), 4),
            127 if buffer.len() < 10 => return Ok(None),
            127 => {
                let mut wide = [0; 8];
                wide.copy_from_slice(&buffer[2..10]);
                (u64::from_be_bytes(wide), 10)
            }
            short => (u64::from(short), 2),
        };
        if length >> 63 != 0 {
            return Err(Violation::Protocol);
        }
        let gathered =
            if control { 0 } else { self.partial.as_ref().map_or(0, |partial| partial.data.len()) };
        if !control && length.saturating_add(gathered as u64) > self.limit as u64 {
            return Err(Violation::TooBig);
        }
        let length = length as usize;
        let mask_length = if masked { 4 } else { 0 };
        let (start, end) = (header + mask_length, header + mask_length + length);
        if buffer.len() < end {
            return Ok(None);
        }
        let mut mask = [0; 4];
        mask[..mask_length].copy_from_slice(&buffer[header..start]);
        let content = &mut buffer[start..end];
        unmask(content, mask);
        let event = if control { control_event(opcode, content)? } else { self.data(opcode, last, content)? };
        Ok(Some((end, event)))
    }

    fn data<'a>(&'a mut self, opcode: u8, last: bool, content: &'a [u8]) -> Result<Event<'a>, Violation> {
        if opcode != OPCODE_CONTINUATION {
            if last {
                return message(opcode, content, self.faults);
            }
            self.partial = Some(Box::new(Partial { opcode, data: content.to_vec(), complete: false }));
            return Ok(Event::Fragment);
        }
        let Some(partial) = &mut self.partial else { return Err(Violation::Protocol) };
        partial.data.extend_from_slice(content);
        if !last {
            return Ok(Event::Fragment);
        }
        partial.complete = true;
        message(partial.opcode, &partial.data, self.faults)
    }
}

fn message(opcode: u8, content: &[u8], faults: Faults) -> Result<Event<'_>, Violation> {
    if opcode != OPCODE_TEXT {
        return Ok(Event::Binary(content));
    }
    match std::str::from_utf8(content) {
        Ok(text) => Ok(Event::Text(text)),
        Err(_) if faults.has(Fault::InvalidUtf8Skipped) => Ok(Event::Fragment),
        Err(_) => Err(Violation::InvalidUtf8),
    }
}

fn control_event(opcode: u8, content: &[u8]) -> Result<Event<'_>, Violation> {
    match opcode {
        OPCODE_PING => Ok(Event::Ping(content)),
        OPCODE_PONG => Ok(Event::Pong),
        _ => match content {
            [] => Ok(Event::Close(None)),
            [_] => Err(Violation::Protocol),
            [high, low, reason @ ..] => {
                let code = u16::from_be_bytes([*high, *low]);
                let legal = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
                if !legal {
                    return Err(Violation::Protocol);
                }
                std::str::from_utf8(reason).map_err(|_| Violation::InvalidUtf8)?;
                Ok(Event::Close(Some(code)))
            }
        },
    }
}

fn unmask(content: &mut [u8], mask: [u8; 4]) {
    let wide = u64::from_ne_bytes([mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3]]);
    let mut words = content.chunks_exact_mut(8);
    for word in &mut words {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(word);
        word.copy_from_slice(&(u64::from_ne_bytes(bytes) ^ wide).to_ne_bytes());
    }
    for (n, byte) in words.into_remainder().iter_mut().enumerate() {
        *byte ^= mask[n & 3];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn client_frame(first: u8, content: &[u8]) -> Vec<u8> {
        let mask = [0x37, 0xfa, 0x21, 0x3d];
        let mut frame = server_header(first & 0x0f, content.len()).to_vec();
        frame[0] = first;
        frame[1] |= 0x80;
        frame.extend_from_slice(&mask);
        frame.extend(content.iter().enumerate().map(|(n, byte)| byte ^ mask[n & 3]));
        frame
    }

    #[test]
    fn the_masked_example_of_the_rfc_is_read() {
        // RFC 6455 section 5.7, "A single-frame masked text message".
        let mut bytes = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let mut reader = Reader::new(100, Faults::NONE);
        assert_eq!(reader.next(&mut bytes), Ok(Some((11, Event::Text("Hello")))));
    }

    #[test]
    fn fragments_are_joined_around_a_ping_in_between() {
        let mut reader = Reader::new(100, Faults::NONE);
        let frames = [(0x01, "a€"), (0x89, "p"), (0x00, "b"), (0x80, "c")];
        let events: Vec<String> = frames
            .iter()
            .map(|(first, text)| {
                let mut bytes = client_frame(*first, text.as_bytes());
                format!("{:?}", reader.next(&mut bytes).unwrap().unwrap().1)
            })
            .collect();
        assert_eq!(events, ["Fragment", "Ping([112])", "Fragment", "Text(\"a€bc\")"]);
        let mut next = client_frame(0x81, b"d");
        assert_eq!(reader.next(&mut next).unwrap().unwrap().1, Event::Text("d"));
    }

    #[test]
    fn every_breach_has_its_close_code() {
        let mut unmasked = server_header(OPCODE_TEXT, 1).to_vec();
        unmasked.push(b'x');
        let mut long_ping = client_frame(0x89, &[0; 126]);
        long_ping.truncate(8);
        let table: [(Vec<u8>, u16); 11] = [
            (unmasked, 1002),
            (client_frame(0xc1, b"x"), 1002), // RSV1 without an extension
            (client_frame(0x83, b"x"), 1002), // reserved opcode
            (client_frame(0x80, b"x"), 1002), // continuation of nothing
            (client_frame(0x09, b"x"), 1002), // fragmented control frame
            (long_ping, 1002),
            (client_frame(0x88, &[3]), 1002),
            (client_frame(0x88, &1005u16.to_be_bytes()), 1002),
            (client_frame(0x81, &[0xff]), 1007),
            (client_frame(0x88, &[3, 232, 0xff]), 1007),
            (client_frame(0x81, &[b'x'; 101]), 1009),
        ];
        for (mut bytes, code) in table {
            let violation = Reader::new(100, Faults::NONE).next(&mut bytes).unwrap_err();
            assert_eq!(violation.close_code(), code, "{bytes:?}");
        }
    }

    #[test]
    fn the_limit_counts_all_fragments_of_a_message() {
        let mut reader = Reader::new(10, Faults::NONE);
        reader.next(&mut client_frame(0x02, &[0; 10])).unwrap();
        assert_eq!(reader.next(&mut client_frame(0x80, &[0])), Err(Violation::TooBig));
    }

    proptest! {
        #[test]
        fn a_frame_arrives_whole_whatever_its_size_and_wherever_it_is_cut(
            content in prop::collection::vec(any::<u8>(), 0..400), cut in any::<prop::sample::Index>()) {
            let frame = client_frame(0x82, &content);
            let mut reader = Reader::new(1000, Faults::NONE);
            let cut = cut.index(frame.len());
            let (mut start, mut whole) = (frame[..cut].to_vec(), frame.clone());
            prop_assert_eq!(reader.next(&mut start), Ok(None));
            prop_assert_eq!(reader.next(&mut whole), Ok(Some((frame.len(), Event::Binary(&content)))));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Reader::new(100, Faults::NONE).next(&mut bytes);
        }
    }
}
