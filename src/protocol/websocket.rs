//! WebSocket frames and messages, from the client's side.
//!
//! Specification: RFC 6455. Framing is done here and not by a library because this tool has to *send* illegal frames
//! and to *see* illegal ones, and because ten thousand clients have to fit into one machine: an idle connection
//! costs a pointer. [`parse`] cuts frames out of a buffer, [`Messages`] judges them and puts fragments together,
//! [`write()`] spells any frame. The opening handshake is an HTTP exchange ([`super::http`]) and [`accept_key`].

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use super::Rule;
use super::deflate::{Agreed, Deflating};
use super::violation::{Violation, excerpt, excerpt_bytes};

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// The next fragment of the message before it.
    Continuation,
    /// A message of text, or its first fragment.
    Text,
    /// A message of bytes, or its first fragment.
    Binary,
    /// The end of the connection.
    Close,
    /// The heartbeat of RFC 6455; no relation to that of Engine.IO.
    Ping,
    /// The answer to a ping.
    Pong,
    /// Any other value of the four bits.
    Reserved(u8),
}

impl Opcode {
    /// The opcode of these four bits.
    pub fn from_bits(bits: u8) -> Opcode {
        match bits {
            0x0 => Opcode::Continuation,
            0x1 => Opcode::Text,
            0x2 => Opcode::Binary,
            0x8 => Opcode::Close,
            0x9 => Opcode::Ping,
            0xA => Opcode::Pong,
            other => Opcode::Reserved(other),
        }
    }

    fn bits(self) -> u8 {
        match self {
            Opcode::Continuation => 0x0,
            Opcode::Text => 0x1,
            Opcode::Binary => 0x2,
            Opcode::Close => 0x8,
            Opcode::Ping => 0x9,
            Opcode::Pong => 0xA,
            Opcode::Reserved(bits) => bits & 0x0F,
        }
    }
}

/// A frame as it stands in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The last fragment of its message.
    pub fin: bool,
    /// RSV1 to RSV3 as a number from 0 to 7, RSV1 the highest bit.
    pub rsv: u8,
    /// What it is for.
    pub opcode: Opcode,
    /// Whether it came masked, which no server may do; the payload is then as masked as it came.
    pub masked: bool,
    /// The payload.
    pub payload: &'a [u8],
}

/// The parts of a frame's header that say where it ends.
struct Extent {
    header: usize,
    payload: u64,
    minimal: bool,
}

/// RFC 6455, section 5.2: two bytes, then the extended length, then the masking key. `None` until all is there.
fn extent(buffer: &[u8]) -> Option<Extent> {
    let second = *buffer.get(1)?;
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    let (header, payload, minimal) = match second & 0x7F {
        126 => {
            let length = u16::from_be_bytes(*buffer.get(2..)?.first_chunk()?);
            (4, u64::from(length), length > 125)
        }
        127 => {
            let length = u64::from_be_bytes(*buffer.get(2..)?.first_chunk()?);
            (10, length, length > 0xFFFF)
        }
        length => (2, u64::from(length), true),
    };
    (buffer.len() >= header + mask).then_some(Extent { header: header + mask, payload, minimal })
}

/// Cuts the frame at the front of the buffer: the frame and how many bytes it takes, or `None` while bytes are
/// missing. [`needed`] then tells how many there have to be.
///
/// Only what would lose the frame's end is a violation here: a length that is spelled wrong, or above `max_payload`.
/// That is known, and said, before the payload arrives. All else is seen in the [`Frame`] and judged by
/// [`Messages::push`].
pub fn parse(buffer: &[u8], max_payload: u64) -> Result<Option<(Frame<'_>, usize)>, Violation> {
    let Some(extent) = extent(buffer) else { return Ok(None) };
    // RFC 6455, section 5.2: the most significant bit is 0, the minimal number of bytes is used.
    if !extent.minimal || extent.payload >> 63 != 0 {
        let header = &buffer[..extent.header];
        return Err(Violation::new(Rule::FrameLength, format!("the header is {header:02x?}")));
    }
    let end = usize::try_from(extent.payload).ok().and_then(|payload| payload.checked_add(extent.header));
    let (true, Some(end)) = (extent.payload <= max_payload, end) else {
        let detail = format!("a frame of {} bytes begins, {max_payload} are allowed", extent.payload);
        return Err(Violation::new(Rule::MessageLimit, detail));
    };
    let Some(payload) = buffer.get(extent.header..end) else { return Ok(None) };
    let frame = Frame {
        fin: buffer[0] & 0x80 != 0,
        rsv: (buffer[0] >> 4) & 0x07,
        opcode: Opcode::from_bits(buffer[0] & 0x0F),
        masked: buffer[1] & 0x80 != 0,
        payload,
    };
    Ok(Some((frame, end)))
}

/// How many bytes the frame at the front of the buffer has in all, once its header is there. Ask [`parse`] first:
/// it refuses a length above the limit, which would be no good advice for a reservation.
pub fn needed(buffer: &[u8]) -> Option<usize> {
    let extent = extent(buffer)?;
    let payload = usize::try_from(extent.payload).unwrap_or(usize::MAX);
    Some(payload.saturating_add(extent.header))
}

/// Appends a frame, legal or not, its length in the shortest form. Of `rsv` the lowest three bits are used. A client
/// has to mask all its frames with a new unpredictable key (RFC 6455, section 5.3).
pub fn write(out: &mut Vec<u8>, fin: bool, rsv: u8, opcode: Opcode, mask: Option<[u8; 4]>, payload: &[u8]) {
    write_parts(out, fin, rsv, opcode, mask, &[payload]);
}

/// The same with a payload in parts, which need not be put together before.
pub fn write_parts(
    out: &mut Vec<u8>,
    fin: bool,
    rsv: u8,
    opcode: Opcode,
    mask: Option<[u8; 4]>,
    parts: &[impl AsRef<[u8]>],
) {
    let whole: usize = parts.iter().map(|part| part.as_ref().len()).sum();
    let mut header = [0; 14];
    header[0] = u8::from(fin) << 7 | (rsv & 0x07) << 4 | opcode.bits();
    let mut length = match whole {
        small @ 0..=125 => {
            header[1] = small as u8;
            2
        }
        medium @ 126..=0xFFFF => {
            header[1] = 126;
            header[2..4].copy_from_slice(&(medium as u16).to_be_bytes());
            4
        }
        large => {
            header[1] = 127;
            header[2..10].copy_from_slice(&(large as u64).to_be_bytes());
            10
        }
    };
    if let Some(key) = mask {
        header[1] |= 0x80;
        header[length..length + 4].copy_from_slice(&key);
        length += 4;
    }
    out.reserve(length + whole);
    out.extend_from_slice(&header[..length]);
    let start = out.len();
    parts.iter().for_each(|part| out.extend_from_slice(part.as_ref()));
    if let Some(key) = mask {
        apply_mask(&mut out[start..], key);
    }
}

/// Masks or unmasks a payload in place (RFC 6455, section 5.3), a block of words at a time.
pub fn apply_mask(payload: &mut [u8], key: [u8; 4]) {
    const BLOCK: usize = 32;
    let mut block = [0; BLOCK];
    for word in block.as_chunks_mut::<4>().0 {
        *word = key;
    }
    let (blocks, rest) = payload.as_chunks_mut::<BLOCK>();
    for bytes in blocks {
        for (byte, mask) in bytes.iter_mut().zip(block) {
            *byte ^= mask;
        }
    }
    for (byte, mask) in rest.iter_mut().zip(block) {
        *byte ^= mask;
    }
}

/// A message: a control frame, or a data message with its fragments put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Text.
    Text(Cow<'a, str>),
    /// Bytes.
    Binary(Cow<'a, [u8]>),
    /// To be answered with a pong of the same payload.
    Ping(&'a [u8]),
    /// An answer.
    Pong(&'a [u8]),
    /// To be answered with a close, unless it is the answer.
    Close {
        /// The status code; `None` when the frame is empty.
        code: Option<u16>,
        /// The reason, mostly empty.
        reason: Cow<'a, str>,
    },
}

/// Judges the frames of a server and puts fragmented messages together. Idle, it is two pointers.
#[derive(Debug, Default)]
pub struct Messages {
    unfinished: Option<Box<Unfinished>>,
    /// Compresses and decompresses, where the server agreed to it.
    deflating: Option<Box<Deflating>>,
}

/// The fragments so far.
#[derive(Debug)]
struct Unfinished {
    text: bool,
    is_compressed: bool,
    bytes: Vec<u8>,
}

impl Messages {
    /// A new connection.
    pub fn new() -> Messages {
        Messages::default()
    }

    /// A new connection on which messages may be compressed.
    pub fn compressed(agreed: Agreed) -> Messages {
        Messages { unfinished: None, deflating: Some(Box::new(Deflating::new(agreed))) }
    }

    /// The payload of a compressed message to send; none where it is to be sent as it is.
    pub fn deflate(&mut self, parts: &[impl AsRef<[u8]>]) -> Option<Vec<u8>> {
        self.deflating.as_mut()?.deflate(parts)
    }

    /// Whether a fragmented message is unfinished.
    pub fn pending(&self) -> bool {
        self.unfinished.is_some()
    }

    /// Takes the next frame and gives a message when it completes one. A message in one frame is borrowed, one in
    /// several is owned. After a violation what was unfinished is dropped; frames that follow are read as if the
    /// connection were new, which lets a caller look on at what the peer does next.
    pub fn push<'a>(&mut self, frame: Frame<'a>, max_message: u64) -> Result<Option<Message<'a>>, Violation> {
        let taken =
            check_header(&frame, self.deflating.is_some()).and_then(|()| self.take(frame, max_message));
        if taken.is_err() {
            self.unfinished = None;
        }
        taken
    }

    /// Whether the first byte of a frame is one that no frame may begin with here, so that there is no use in waiting for
    /// the rest: what it says of a length means nothing.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn foresee(&self, first: u8) -> Result<(), Violation> {
        let fin = first & 0x80 != 0;
        let frame = Frame {
            fin,
            rsv: (first >> 4) & 0x07,
            opcode: Opcode::from_bits(first & 0x0F),
            masked: false,
            payload: &[],
        };
        check_header(&frame, self.deflating.is_some())
    }

    fn inflated(&mut self, payload: &[u8], max_message: u64) -> Result<Vec<u8>, Violation> {
        match &mut self.deflating {
            Some(deflating) => deflating.inflate(payload, max_message),
            None => Ok(payload.to_vec()),
        }
    }

    fn take<'a>(&mut self, frame: Frame<'a>, max_message: u64) -> Result<Option<Message<'a>>, Violation> {
        match frame.opcode {
            Opcode::Ping => return Ok(Some(Message::Ping(frame.payload))),
            Opcode::Pong => return Ok(Some(Message::Pong(frame.payload))),
            Opcode::Close => return close(frame.payload).map(Some),
            _ => {}
        }
        let before = self.unfinished.as_ref().map_or(0, |unfinished| unfinished.bytes.len());
        if (before as u64).saturating_add(frame.payload.len() as u64) > max_message {
            return Err(Violation::new(Rule::MessageLimit, format!("more than {max_message} bytes came")));
        }
        match (frame.opcode, self.unfinished.take()) {
            (Opcode::Continuation, None) => {
                Err(Violation::new(Rule::FrameSequence, "a continuation frame continues nothing"))
            }
            (Opcode::Continuation, Some(mut unfinished)) => {
                unfinished.bytes.extend_from_slice(frame.payload);
                if !frame.fin {
                    self.unfinished = Some(unfinished);
                    return Ok(None);
                }
                if unfinished.is_compressed {
                    unfinished.bytes = self.inflated(&unfinished.bytes, max_message)?;
                }
                whole(unfinished.text, unfinished.bytes)
            }
            (opcode, Some(_)) => {
                let detail = format!("a {opcode:?} frame begins inside a fragmented message");
                Err(Violation::new(Rule::FrameSequence, detail))
            }
            (opcode, None) if !frame.fin => {
                let (text, is_compressed) = (opcode == Opcode::Text, frame.rsv != 0);
                let bytes = frame.payload.to_vec();
                self.unfinished = Some(Box::new(Unfinished { text, is_compressed, bytes }));
                Ok(None)
            }
            (opcode, None) if frame.rsv != 0 => {
                whole(opcode == Opcode::Text, self.inflated(frame.payload, max_message)?)
            }
            (Opcode::Text, None) => Ok(Some(Message::Text(Cow::Borrowed(text(frame.payload)?)))),
            (_, None) => Ok(Some(Message::Binary(Cow::Borrowed(frame.payload)))),
        }
    }
}

/// A message that was put together.
fn whole<'a>(is_text: bool, bytes: Vec<u8>) -> Result<Option<Message<'a>>, Violation> {
    if !is_text {
        return Ok(Some(Message::Binary(Cow::Owned(bytes))));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(Message::Text(Cow::Owned(text)))),
        Err(error) => Err(not_utf8(error.as_bytes())),
    }
}

/// The first of the reserved bits: a compressed message (RFC 7692, section 6).
pub const COMPRESSED: u8 = 0b100;

/// What the header alone may not say.
fn check_header(frame: &Frame<'_>, may_be_compressed: bool) -> Result<(), Violation> {
    // RFC 6455, section 5.2: all three bits are zero, but for the first of a compressed message in its first frame, where that
    // was negotiated.
    let begins = matches!(frame.opcode, Opcode::Text | Opcode::Binary);
    if frame.rsv != 0 && !(may_be_compressed && begins && frame.rsv == COMPRESSED) {
        return Err(Violation::new(Rule::FrameReservedBits, format!("they are {:03b}", frame.rsv)));
    }
    if let Opcode::Reserved(bits) = frame.opcode {
        return Err(Violation::new(Rule::FrameOpcode, format!("it is 0x{bits:X}")));
    }
    // RFC 6455, section 5.1.
    if frame.masked {
        return Err(Violation::new(Rule::FrameMask, format!("a masked {:?} frame came", frame.opcode)));
    }
    // RFC 6455, section 5.5.
    if matches!(frame.opcode, Opcode::Close | Opcode::Ping | Opcode::Pong) {
        if !frame.fin {
            return Err(Violation::new(
                Rule::FrameControl,
                format!("a fragment of a {:?} came", frame.opcode),
            ));
        }
        if frame.payload.len() > 125 {
            let detail = format!("a {:?} frame of {} bytes came", frame.opcode, frame.payload.len());
            return Err(Violation::new(Rule::FrameControl, detail));
        }
    }
    Ok(())
}

/// So many bytes tell text from a frame: no frame begins with as many that are printable.
pub const TELLING: usize = 4;

/// The violation told by what stands there, where a server wrote text into the stream instead of frames: an HTTP response, a
/// trace, a page. Of other bytes, the first ones are told.
pub fn explained(violation: Violation, stream: &[u8]) -> Violation {
    let head = &stream[..stream.len().min(TELLING)];
    let is_text = |byte: &u8| matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t');
    let is_of_header = matches!(
        violation.rule,
        Rule::FrameReservedBits
            | Rule::FrameOpcode
            | Rule::FrameMask
            | Rule::FrameControl
            | Rule::FrameLength
    );
    if !is_of_header {
        return violation;
    }
    if head.len() == TELLING && head.iter().all(is_text) {
        let lines = stream.split(|byte| matches!(byte, b'\r' | b'\n'));
        let line = lines.into_iter().find(|line| !line.is_empty()).unwrap_or(head);
        return Violation::new(Rule::Frames, format!("it wrote {}", excerpt_bytes(line)));
    }
    let bytes: Vec<String> = stream.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Violation {
        detail: format!("{}; the frame begins with {}", violation.detail, bytes.join(" ")),
        ..violation
    }
}

/// RFC 6455, section 5.5.1: empty, or two bytes of status code and a reason.
fn close(payload: &[u8]) -> Result<Message<'_>, Violation> {
    let Some((code, reason)) = payload.split_first_chunk() else {
        return match payload {
            [] => Ok(Message::Close { code: None, reason: Cow::Borrowed("") }),
            _ => Err(Violation::new(Rule::CloseCode, "its payload is a single byte")),
        };
    };
    let code = u16::from_be_bytes(*code);
    // RFC 6455, section 7.4, and the IANA registry for 1012 to 1014. 1004 is reserved; 1005, 1006 and 1015 are what
    // an endpoint tells itself and never sends.
    if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
        return Err(Violation::new(Rule::CloseCode, format!("it is {code}")));
    }
    Ok(Message::Close { code: Some(code), reason: Cow::Borrowed(text(reason)?) })
}

fn text(payload: &[u8]) -> Result<&str, Violation> {
    str::from_utf8(payload).map_err(|_| not_utf8(payload))
}

fn not_utf8(payload: &[u8]) -> Violation {
    let valid = match str::from_utf8(payload) {
        Ok(_) => payload.len(),
        Err(error) => error.valid_up_to(),
    };
    let around = &payload[valid.saturating_sub(8)..];
    Violation::new(Rule::MessageUtf8, format!("byte {valid} is wrong, near {}", excerpt_bytes(around)))
}

/// The header by which subprotocols are offered and chosen.
pub const PROTOCOL: &str = "sec-websocket-protocol";

/// Whether this is the `Sec-WebSocket-Accept` that answers a key.
///
/// # Errors
/// What it is instead.
pub fn check_accept(accept: Option<&str>, key: &str) -> Result<(), Violation> {
    let due = accept_key(key);
    let detail = match accept {
        Some(accept) if *accept == *due => return Ok(()),
        Some(accept) => format!("the answer to {key} is {due} and not {}", excerpt(accept)),
        None => format!("the answer to {key} is {due}, and there is none"),
    };
    Err(Violation::new(Rule::HandshakeAccept, detail))
}

/// Whether the subprotocol of an answer, if it names one, is among those that were offered.
///
/// # Errors
/// When it is not: a client has to fail the connection then (RFC 6455, section 4.1).
pub fn check_protocol(answer: Option<&str>, offered: Option<&str>) -> Result<(), Violation> {
    let is_offered = |answer: &str| offered.is_some_and(|all| all.split(',').any(|one| one.trim() == answer));
    match answer {
        Some(answer) if !is_offered(answer.trim()) => {
            let offers = offered.map_or("no subprotocol was offered".to_owned(), |all| {
                format!("what was offered is {}", excerpt(all))
            });
            let detail = format!("{offers}, and {} was chosen", excerpt(answer));
            Err(Violation::new(Rule::Subprotocol, detail))
        }
        _ => Ok(()),
    }
}

/// The `Sec-WebSocket-Accept` that answers a `Sec-WebSocket-Key` (RFC 6455, section 4.2.2).
pub fn accept_key(key: &str) -> String {
    const MAGIC: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update(MAGIC);
    STANDARD.encode(hash.finalize())
}

#[cfg(test)]
mod tests;
