//! The WebSocket codec against tungstenite, in memory: no network, no handshake.

use std::io::{self, Read, Write};
use std::ops::Range;

use proptest::prelude::*;
use proptest::sample::Index;
use sockrates::protocol::websocket::{self as ours, Message, Messages, Opcode};
use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, Frame as TheirFrame, FrameHeader};
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Error, Message as TheirMessage, WebSocket, error::ProtocolError};

/// More than any message here has.
const ROOMY: u64 = 1 << 20;

/// What a reader is to make of a conversation.
#[derive(Clone, Debug, PartialEq)]
enum Said {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<(u16, String)>),
}

/// A frame as it is to be written.
#[derive(Clone, Debug)]
struct Frame {
    fin: bool,
    rsv: u8,
    opcode: Opcode,
    mask: [u8; 4],
    payload: Vec<u8>,
}

/// A message and the frames that carry it, with control frames between them.
#[derive(Clone, Debug)]
struct Exchange {
    frames: Vec<Frame>,
    /// In the order in which a reader gets them: the message is whole after the control frames inside it.
    said: Vec<Said>,
}

proptest! {
    #[test]
    fn we_read_what_tungstenite_writes(exchange in conversation(), chunks in chunks()) {
        let mut theirs = WebSocket::from_raw_socket(Pipe::default(), Role::Server, None);
        for frame in &exchange.frames {
            write_by_tungstenite(&mut theirs, frame);
        }
        theirs.flush().expect("the pipe takes everything");
        let bytes = &theirs.get_ref().written;
        prop_assert_eq!(read_by_us(bytes, &chunks, ROOMY), (exchange.said, None));
    }

    #[test]
    fn tungstenite_reads_what_we_write(exchange in conversation(), chunks in chunks(), part in any::<Index>()) {
        let (mut bytes, mut theirs) = (Vec::new(), Vec::new());
        for frame in &exchange.frames {
            let (first, second) = frame.payload.split_at(part.index(frame.payload.len() + 1));
            let mask = Some(frame.mask);
            ours::write_parts(&mut bytes, frame.fin, frame.rsv, frame.opcode, mask, &[first, second]);
            their_frame(frame, mask).format(&mut theirs).expect("a buffer takes everything");
        }
        prop_assert!(bytes == theirs, "the frames are spelled in another way");
        let (said, refused, answers) = read_by_tungstenite(bytes, &chunks, Role::Server, ROOMY);
        prop_assert_eq!(refused, None);
        prop_assert_eq!(&said, &exchange.said);

        let answered: Vec<Said> = said
            .into_iter()
            .filter_map(|said| match said {
                Said::Ping(payload) => Some(Said::Pong(payload)),
                close @ Said::Close(_) => Some(close),
                _ => None,
            })
            .collect();
        prop_assert_eq!(read_by_us(&answers, &chunks, ROOMY), (answered, None));
    }

    #[test]
    fn what_breaks_a_rule_is_refused_by_both_at_the_same_place(
        before in prop::collection::vec(message(), 0..3),
        broken in broken(),
        chunks in chunks(),
    ) {
        let before = joined(before);
        let bytes = spelled(before.frames.iter().chain(&broken));
        let (we_heard, our_refusal) = read_by_us(&bytes, &chunks, ROOMY);
        let (they_heard, their_refusal, _) = read_by_tungstenite(bytes, &chunks, Role::Client, ROOMY);
        prop_assert!(our_refusal.is_some(), "we take {broken:?}");
        prop_assert!(their_refusal.is_some(), "they take {broken:?}, we refuse it: {our_refusal:?}");
        prop_assert_eq!(&we_heard, &before.said);
        prop_assert_eq!(they_heard, we_heard);
    }

    #[test]
    fn the_largest_message_is_the_same_for_both(
        limit in prop::sample::select(vec![125_usize, 126, 65_535, 65_536]),
        over in -1_isize..=1,
        cuts in cuts(),
        chunks in chunks(),
    ) {
        let size = limit.checked_add_signed(over).expect("it is above zero");
        let frames = fragments(Opcode::Binary, &bytes_of(size, 1), &cuts);
        let bytes = spelled(&frames);
        let (we_heard, our_refusal) = read_by_us(&bytes, &chunks, limit as u64);
        let (they_heard, their_refusal, _) = read_by_tungstenite(bytes, &chunks, Role::Client, limit as u64);
        prop_assert_eq!(our_refusal.is_some(), over > 0, "{:?}", our_refusal);
        prop_assert_eq!(their_refusal.is_some(), over > 0, "{:?}", their_refusal);
        prop_assert_eq!(they_heard, we_heard);
    }
}

#[test]
fn a_client_takes_no_masked_frame() {
    let mut bytes = Vec::new();
    ours::write(&mut bytes, true, 0, Opcode::Text, Some([1, 2, 3, 4]), b"hello");
    assert!(read_by_us(&bytes, &[], ROOMY).1.is_some());
    assert!(read_by_tungstenite(bytes, &[], Role::Client, ROOMY).1.is_some());
}

/// The registry of the IANA has 1014, a bad gateway, since 2016; tungstenite does not know it.
#[test]
fn a_server_may_send_the_same_close_codes_but_for_one() {
    let mut differ = Vec::new();
    for code in 0..=u16::MAX {
        let bytes = spelled(&[frame(true, Opcode::Close, [&code.to_be_bytes()[..], b"why"].concat())]);
        let we_take_it = read_by_us(&bytes, &[], ROOMY).1.is_none();
        if we_take_it != CloseCode::from(code).is_allowed() {
            differ.push(code);
        }
    }
    assert_eq!(differ, [1014]);
}

// ---- what is said -----------------------------------------------------------------------------------------------

fn conversation() -> impl Strategy<Value = Exchange> {
    let close = prop::option::of(prop::option::of((
        prop::sample::select(vec![1000_u16, 1001, 1011, 3000, 4999]),
        "[a-zé二]{0,40}",
    )));
    (prop::collection::vec(message(), 0..6), close).prop_map(|(messages, close)| {
        let mut exchange = joined(messages);
        if let Some(close) = close {
            let payload = close.as_ref().map_or_else(Vec::new, |(code, reason)| {
                [&code.to_be_bytes()[..], reason.as_bytes()].concat()
            });
            exchange.frames.push(frame(true, Opcode::Close, payload));
            exchange.said.push(Said::Close(close));
        }
        exchange
    })
}

fn joined(all: Vec<Exchange>) -> Exchange {
    let mut whole = Exchange { frames: Vec::new(), said: Vec::new() };
    for one in all {
        whole.frames.extend(one.frames);
        whole.said.extend(one.said);
    }
    whole
}

/// A message in one frame or in several, with control frames between and before them.
fn message() -> impl Strategy<Value = Exchange> {
    let controls = prop::collection::vec((any::<bool>(), 0..=125_usize, any::<Index>()), 0..4);
    (any::<bool>(), size(), any::<u8>(), cuts(), controls, any::<[u8; 4]>()).prop_map(
        |(is_text, size, seed, cuts, controls, mask)| {
            let (opcode, payload, said) = if is_text {
                let text = text_of(size, seed);
                (Opcode::Text, text.clone().into_bytes(), Said::Text(text))
            } else {
                let bytes = bytes_of(size, seed);
                (Opcode::Binary, bytes.clone(), Said::Binary(bytes))
            };
            let mut frames = fragments(opcode, &payload, &cuts);
            for (is_ping, size, at) in controls {
                let opcode = if is_ping { Opcode::Ping } else { Opcode::Pong };
                frames.insert(at.index(frames.len()), frame(true, opcode, bytes_of(size, seed)));
            }
            let mut told: Vec<Said> = frames
                .iter()
                .filter_map(|frame| match frame.opcode {
                    Opcode::Ping => Some(Said::Ping(frame.payload.clone())),
                    Opcode::Pong => Some(Said::Pong(frame.payload.clone())),
                    _ => None,
                })
                .collect();
            told.push(said);
            frames.iter_mut().enumerate().for_each(|(place, frame)| {
                frame.mask = mask.map(|byte| byte.wrapping_add(place as u8));
            });
            Exchange { frames, said: told }
        },
    )
}

/// Small sizes, and those at which the header changes its form.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        4 => 0..200_usize,
        2 => prop::sample::select(vec![124_usize, 125, 126, 127]),
        1 => prop::sample::select(vec![65_534_usize, 65_535, 65_536, 65_537, 80_000]),
    ]
}

fn cuts() -> impl Strategy<Value = Vec<Index>> {
    prop_oneof![1 => Just(Vec::new()), 2 => prop::collection::vec(any::<Index>(), 1..5)]
}

/// How many bytes arrive at a time, in turn.
fn chunks() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![
        1 => Just(Vec::new()),
        2 => prop::collection::vec(prop_oneof![1..20_usize, 100..5000_usize], 1..6),
    ]
}

/// A text of so many bytes, with characters of one to four bytes, so that a cut may go through one.
fn text_of(size: usize, seed: u8) -> String {
    let alphabet = ["é", "二", "🧦", "a", "\u{1e}", "ß"];
    let mut text = String::with_capacity(size);
    let mut at = usize::from(seed);
    while text.len() < size {
        let next = alphabet[at % alphabet.len()];
        text.push_str(if text.len() + next.len() <= size { next } else { "." });
        at += 1;
    }
    text
}

fn bytes_of(size: usize, seed: u8) -> Vec<u8> {
    (0..size).map(|at| (at as u8).wrapping_mul(31).wrapping_add(seed)).collect()
}

fn frame(fin: bool, opcode: Opcode, payload: Vec<u8>) -> Frame {
    Frame { fin, rsv: 0, opcode, mask: [0x5a, 0x01, 0xff, 0x80], payload }
}

/// The payload in frames, cut at these places; some may be empty.
fn fragments(opcode: Opcode, payload: &[u8], cuts: &[Index]) -> Vec<Frame> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(payload.len() + 1)).collect();
    ends.sort_unstable();
    ends.push(payload.len());
    let mut start = 0;
    let pieces: Vec<Range<usize>> =
        ends.into_iter().map(|end| std::mem::replace(&mut start, end)..end).collect();
    let last = pieces.len() - 1;
    let opcodes = std::iter::once(opcode).chain(std::iter::repeat(Opcode::Continuation));
    let frames = pieces.into_iter().zip(opcodes).enumerate();
    frames.map(|(place, (piece, opcode))| frame(place == last, opcode, payload[piece].to_vec())).collect()
}

/// Frames that break one rule of RFC 6455 each. Whatever may follow, the first message of them must not be heard.
fn broken() -> impl Strategy<Value = Vec<Frame>> {
    let control = || prop::sample::select(vec![Opcode::Close, Opcode::Ping, Opcode::Pong]);
    let data = || prop::sample::select(vec![Opcode::Text, Opcode::Binary]);
    let hello = || b"hello".to_vec();
    prop_oneof![
        (1..8_u8, data()).prop_map(move |(rsv, opcode)| vec![Frame { rsv, ..frame(true, opcode, hello()) }]),
        prop::sample::select(vec![3_u8, 4, 5, 6, 7, 11, 12, 13, 14, 15]).prop_map(move |bits| vec![frame(
            true,
            Opcode::Reserved(bits),
            hello()
        )]),
        control().prop_map(move |opcode| vec![frame(false, opcode, Vec::new())]),
        (control(), 126..300_usize).prop_map(|(opcode, size)| vec![frame(true, opcode, bytes_of(size, 3))]),
        any::<bool>().prop_map(move |fin| vec![frame(fin, Opcode::Continuation, hello())]),
        (data(), data(), any::<bool>()).prop_map(move |(first, second, fin)| vec![
            frame(false, first, hello()),
            frame(fin, second, hello())
        ]),
        (not_utf8(), cuts()).prop_map(|(payload, cuts)| fragments(Opcode::Text, &payload, &cuts)),
        not_utf8().prop_map(|reason| vec![frame(true, Opcode::Close, [&[0x03, 0xe8], &reason[..]].concat())]),
        any::<u8>().prop_map(|byte| vec![frame(true, Opcode::Close, vec![byte])]),
    ]
}

fn not_utf8() -> impl Strategy<Value = Vec<u8>> {
    let wrong: [&[u8]; 6] =
        [b"\xff", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"];
    (0..60_usize, prop::sample::select(wrong.to_vec()), any::<bool>()).prop_map(|(size, wrong, more)| {
        let mut bytes = text_of(size, 0).into_bytes();
        bytes.extend_from_slice(wrong);
        bytes.extend_from_slice(if more { b"tail" } else { b"" });
        bytes
    })
}

// ---- who writes and who reads -----------------------------------------------------------------------------------

/// As a server writes: without a mask.
fn spelled<'f>(frames: impl IntoIterator<Item = &'f Frame>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for frame in frames {
        ours::write(&mut bytes, frame.fin, frame.rsv, frame.opcode, None, &frame.payload);
    }
    bytes
}

/// What we make of a server's bytes: what was said, and why the rest was refused.
fn read_by_us(bytes: &[u8], chunks: &[usize], limit: u64) -> (Vec<Said>, Option<String>) {
    let (mut messages, mut said) = (Messages::new(), Vec::new());
    let mut pipe = Pipe::new(bytes.to_vec(), chunks);
    let (mut buffer, mut chunk) = (Vec::new(), vec![0; 1 << 17]);
    loop {
        let count = pipe.read(&mut chunk).expect("a pipe does not fail");
        if count == 0 {
            assert!(buffer.is_empty() && !messages.pending(), "something is left over");
            return (said, None);
        }
        buffer.extend_from_slice(&chunk[..count]);
        loop {
            let taken = match ours::parse(&buffer, limit) {
                Ok(Some((frame, taken))) => match messages.push(frame, limit) {
                    Ok(message) => {
                        said.extend(message.map(Said::from));
                        taken
                    }
                    Err(violation) => return (said, Some(format!("{violation:?}"))),
                },
                Ok(None) => {
                    assert!(ours::needed(&buffer).is_none_or(|needed| needed > buffer.len()));
                    break;
                }
                Err(violation) => return (said, Some(format!("{violation:?}"))),
            };
            buffer.drain(..taken);
        }
    }
}

impl From<Message<'_>> for Said {
    fn from(message: Message<'_>) -> Said {
        match message {
            Message::Text(text) => Said::Text(text.into_owned()),
            Message::Binary(bytes) => Said::Binary(bytes.into_owned()),
            Message::Ping(payload) => Said::Ping(payload.to_vec()),
            Message::Pong(payload) => Said::Pong(payload.to_vec()),
            Message::Close { code, reason } => Said::Close(code.map(|code| (code, reason.into_owned()))),
        }
    }
}

/// The same by tungstenite in that role, and what it wrote by itself.
fn read_by_tungstenite(
    bytes: Vec<u8>,
    chunks: &[usize],
    role: Role,
    limit: u64,
) -> (Vec<Said>, Option<String>, Vec<u8>) {
    let limit = Some(usize::try_from(limit).expect("it fits"));
    let config = WebSocketConfig::default().max_message_size(limit).max_frame_size(limit);
    let mut theirs = WebSocket::from_raw_socket(Pipe::new(bytes, chunks), role, Some(config));
    let mut said = Vec::new();
    let refused = loop {
        match theirs.read() {
            Ok(TheirMessage::Text(text)) => said.push(Said::Text(text.to_string())),
            Ok(TheirMessage::Binary(bytes)) => said.push(Said::Binary(bytes.to_vec())),
            Ok(TheirMessage::Ping(payload)) => said.push(Said::Ping(payload.to_vec())),
            Ok(TheirMessage::Pong(payload)) => said.push(Said::Pong(payload.to_vec())),
            Ok(TheirMessage::Close(close)) => {
                said.push(Said::Close(close.map(|close| (close.code.into(), close.reason.to_string()))));
            }
            Ok(TheirMessage::Frame(frame)) => unreachable!("it reads no bare frames: {frame:?}"),
            // The end of the pipe.
            Err(Error::ConnectionClosed | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => {
                break None;
            }
            Err(refusal) => break Some(refusal.to_string()),
        }
    };
    (said, refused, std::mem::take(&mut theirs.get_mut().written))
}

/// A whole message in its own way, a fragment as it is told to.
fn write_by_tungstenite(theirs: &mut WebSocket<Pipe>, frame: &Frame) {
    let payload = frame.payload.clone();
    let text = || String::from_utf8(payload.clone()).expect("a whole text");
    let message = match (frame.opcode, frame.fin) {
        (Opcode::Text, true) => TheirMessage::Text(text().into()),
        (Opcode::Binary, true) => TheirMessage::Binary(payload.into()),
        (Opcode::Ping, _) => TheirMessage::Ping(payload.into()),
        (Opcode::Pong, _) => TheirMessage::Pong(payload.into()),
        (Opcode::Close, _) => {
            TheirMessage::Close(payload.split_first_chunk().map(|(code, reason)| CloseFrame {
                code: u16::from_be_bytes(*code).into(),
                reason: String::from_utf8(reason.to_vec()).expect("a whole reason").into(),
            }))
        }
        _ => TheirMessage::Frame(their_frame(frame, None)),
    };
    theirs.write(message).expect("the pipe takes everything");
}

/// The frame as tungstenite has it.
fn their_frame(frame: &Frame, mask: Option<[u8; 4]>) -> TheirFrame {
    let opcode = match frame.opcode {
        Opcode::Text => OpCode::Data(Data::Text),
        Opcode::Binary => OpCode::Data(Data::Binary),
        Opcode::Continuation => OpCode::Data(Data::Continue),
        Opcode::Ping => OpCode::Control(Control::Ping),
        Opcode::Pong => OpCode::Control(Control::Pong),
        Opcode::Close => OpCode::Control(Control::Close),
        Opcode::Reserved(bits) => unreachable!("{bits} is not part of a legal conversation"),
    };
    let header = FrameHeader { is_final: frame.fin, opcode, mask, ..FrameHeader::default() };
    TheirFrame::from_payload(header, frame.payload.clone().into())
}

/// Gives its bytes in chunks and keeps what is written.
#[derive(Debug, Default)]
struct Pipe {
    bytes: Vec<u8>,
    at: usize,
    chunks: Vec<usize>,
    turn: usize,
    written: Vec<u8>,
}

impl Pipe {
    /// Without chunks it gives as much as is asked for.
    fn new(bytes: Vec<u8>, chunks: &[usize]) -> Pipe {
        Pipe { bytes, chunks: chunks.to_vec(), ..Pipe::default() }
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = match self.chunks.len() {
            0 => usize::MAX,
            count => self.chunks[self.turn % count],
        };
        self.turn += 1;
        let count = most.min(buffer.len()).min(self.bytes.len() - self.at);
        buffer[..count].copy_from_slice(&self.bytes[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.written.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
