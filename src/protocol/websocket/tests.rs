use proptest::prelude::*;

use super::*;

const ROOMY: u64 = 1 << 20;

/// The frame that these bytes are, all of them.
fn whole(bytes: &[u8]) -> Frame<'_> {
    let (frame, consumed) = parse(bytes, ROOMY).unwrap().unwrap();
    assert_eq!(consumed, bytes.len());
    frame
}

/// What a new connection makes of these frames; `None` after the last message means that one is unfinished.
fn messages(bytes: &[u8]) -> Result<Vec<Message<'_>>, Rule> {
    messages_within(bytes, ROOMY)
}

fn messages_within(mut bytes: &[u8], max_message: u64) -> Result<Vec<Message<'_>>, Rule> {
    let mut messages = Messages::new();
    let mut all = Vec::new();
    while let Some((frame, consumed)) = parse(bytes, max_message).map_err(|violation| violation.rule)? {
        all.extend(messages.push(frame, max_message).map_err(|violation| violation.rule)?);
        bytes = &bytes[consumed..];
    }
    Ok(all)
}

fn text(text: &str) -> Message<'_> {
    Message::Text(Cow::Borrowed(text))
}

/// An unmasked frame, as a server writes it.
fn frame(fin: bool, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, fin, 0, opcode, None, payload);
    bytes
}

#[test]
fn the_accept_key_is_that_of_the_example_in_section_1_3() {
    assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

#[test]
fn only_a_subprotocol_that_was_offered_may_be_chosen() {
    for (answer, offered, is_right) in [
        (None, None, true),
        (None, Some("chat"), true),
        (Some("chat"), Some("superchat, chat"), true),
        (Some("chat"), Some("superchat"), false),
        (Some("chat"), None, false),
        (Some(""), None, false),
    ] {
        let checked = check_protocol(answer, offered);
        assert_eq!(checked.is_ok(), is_right, "{answer:?} to {offered:?}");
    }
    let violation = check_protocol(Some("chat"), None).expect_err("nobody asked");
    assert_eq!(violation.rule, Rule::Subprotocol);
    assert_eq!(violation.detail, "no subprotocol was offered, and \"chat\" was chosen");
}

#[test]
fn the_examples_of_section_5_7_read_as_described() {
    // A single-frame unmasked text message.
    assert_eq!(messages(b"\x81\x05Hello"), Ok(vec![text("Hello")]));
    // A fragmented unmasked text message.
    assert_eq!(messages(b"\x01\x03Hel\x80\x02lo"), Ok(vec![text("Hello")]));
    // An unmasked ping.
    assert_eq!(messages(b"\x89\x05Hello"), Ok(vec![Message::Ping(b"Hello")]));
    // 256 bytes and 64 KiB of binary data in a single unmasked frame.
    for (header, length) in [(&b"\x82\x7E\x01\x00"[..], 256), (&b"\x82\x7F\0\0\0\0\0\x01\0\0"[..], 65536)] {
        let bytes = [header, &vec![7; length]].concat();
        assert_eq!(messages(&bytes), Ok(vec![Message::Binary(vec![7; length].into())]));
        assert_eq!(frame(true, Opcode::Binary, &vec![7; length]), bytes);
    }
}

#[test]
fn the_masked_example_of_section_5_7_is_what_a_client_writes() {
    let mut bytes = Vec::new();
    write(&mut bytes, true, 0, Opcode::Text, Some([0x37, 0xfa, 0x21, 0x3d]), b"Hello");
    assert_eq!(bytes, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
    assert!(whole(&bytes).masked);
}

#[test]
fn control_frames_may_come_between_fragments() {
    let bytes = [
        frame(false, Opcode::Text, "a€".as_bytes()),
        frame(true, Opcode::Ping, b"?"),
        frame(false, Opcode::Continuation, b""),
        frame(true, Opcode::Pong, b""),
        frame(true, Opcode::Continuation, b"b"),
    ]
    .concat();
    assert_eq!(messages(&bytes), Ok(vec![Message::Ping(b"?"), Message::Pong(b""), text("a€b")]));
}

#[test]
fn a_character_may_be_cut_between_two_fragments_but_not_left_unfinished() {
    let (start, end) = "€".as_bytes().split_at(2);
    let cut =
        |end: &[u8]| [frame(false, Opcode::Text, start), frame(true, Opcode::Continuation, end)].concat();
    assert_eq!(messages(&cut(end)), Ok(vec![text("€")]));
    assert_eq!(messages(&cut(b"")), Err(Rule::MessageUtf8));
}

#[test]
fn a_close_has_a_code_that_may_be_sent_and_a_reason_or_nothing() {
    let close = |payload: &[u8]| {
        let bytes = frame(true, Opcode::Close, payload);
        let message = Messages::new().push(whole(&bytes), ROOMY).map_err(|violation| violation.rule);
        message.map(|message| match message {
            Some(Message::Close { code, reason }) => (code, reason.into_owned()),
            other => panic!("{other:?} is no close"),
        })
    };
    assert_eq!(close(b""), Ok((None, String::new())));
    assert_eq!(close(b"\x03\xe8"), Ok((Some(1000), String::new())));
    assert_eq!(close(b"\x03\xe9bye"), Ok((Some(1001), "bye".to_owned())));
    assert_eq!(close(b"\x03"), Err(Rule::CloseCode));
    assert_eq!(close(b"\x03\xe8\xff"), Err(Rule::MessageUtf8));
    let allowed = |code: u16| close(&code.to_be_bytes()).is_ok();
    let codes: Vec<u16> = (0..=u16::MAX).filter(|code| allowed(*code)).collect();
    let expected: Vec<u16> = (1000..=1003).chain(1007..=1014).chain(3000..=4999).collect();
    assert_eq!(codes, expected);
}

#[test]
fn an_illegal_frame_is_refused_with_the_rule_it_broke() {
    let long = [b"\x89\x7E\x00\x7E".as_slice(), &[0; 126]].concat();
    let table: [(&[u8], Rule, &str); 19] = [
        (b"\xC1\x00", Rule::FrameReservedBits, "RSV1 without an extension"),
        (b"\xA1\x00", Rule::FrameReservedBits, "RSV2"),
        (b"\x91\x00", Rule::FrameReservedBits, "RSV3"),
        (b"\x83\x00", Rule::FrameOpcode, "reserved data opcode"),
        (b"\x8F\x00", Rule::FrameOpcode, "reserved control opcode"),
        (b"\x81\x80\x00\x00\x00\x00", Rule::FrameMask, "masked"),
        (b"\x82\x7E\x00\x7D", Rule::FrameLength, "125 in two bytes"),
        (b"\x82\x7F\0\0\0\0\0\0\xFF\xFF", Rule::FrameLength, "65535 in eight bytes"),
        (b"\x82\x7F\x80\0\0\0\0\0\0\0", Rule::FrameLength, "the highest bit"),
        (b"\x82\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", Rule::MessageLimit, "the longest"),
        (b"\x09\x00", Rule::FrameControl, "a fragmented ping"),
        (b"\x08\x00", Rule::FrameControl, "a fragmented close"),
        (&long, Rule::FrameControl, "126 bytes of ping"),
        (b"\x80\x00", Rule::FrameSequence, "a continuation of nothing"),
        (b"\x01\x00\x81\x00", Rule::FrameSequence, "a text within a text"),
        (b"\x01\x00\x02\x00", Rule::FrameSequence, "a binary within a text"),
        (b"\x81\x01\xFF", Rule::MessageUtf8, "no UTF-8"),
        (b"\x81\x03\xED\xA0\x80", Rule::MessageUtf8, "half a surrogate pair"),
        (b"\x81\x02\xC0\x80", Rule::MessageUtf8, "an overlong NUL"),
    ];
    for (bytes, rule, what) in table {
        assert_eq!(messages(bytes), Err(rule), "{what}");
    }
}

#[test]
fn a_message_above_the_limit_is_refused_before_it_is_there() {
    assert!(messages_within(b"\x82\x05abcde", 5).is_ok());
    assert_eq!(messages_within(b"\x82\x06", 5), Err(Rule::MessageLimit));
    assert_eq!(messages_within(b"\x02\x03abc\x80\x03def", 5), Err(Rule::MessageLimit));
    assert!(messages_within(b"\x02\x03abc\x80\x02de", 5).is_ok());
}

#[test]
fn after_a_violation_nothing_is_left_of_the_unfinished_message() {
    let mut messages = Messages::new();
    messages.push(whole(b"\x01\x01a"), ROOMY).unwrap();
    assert!(messages.pending());
    messages.push(whole(b"\xC1\x00"), ROOMY).unwrap_err();
    assert!(!messages.pending());
    assert_eq!(messages.push(whole(b"\x81\x01b"), ROOMY), Ok(Some(text("b"))));
}

/// `Hello`, deflated, as RFC 7692, section 7.2.3.1 has it.
const HELLO: &[u8] = &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];

/// What a connection on which compression was agreed makes of frames: whether each is final, its reserved bits, its opcode.
fn compressed(frames: &[(bool, u8, Opcode, &[u8])]) -> Result<Vec<String>, Rule> {
    let agreed = super::super::deflate::agreed(["permessage-deflate"], true).unwrap().unwrap();
    let mut messages = Messages::compressed(agreed);
    let mut all = Vec::new();
    for (fin, rsv, opcode, payload) in frames {
        let frame = Frame { fin: *fin, rsv: *rsv, opcode: *opcode, masked: false, payload };
        match messages.push(frame, ROOMY).map_err(|violation| violation.rule)? {
            Some(Message::Text(text)) => all.push(text.into_owned()),
            Some(other) => all.push(format!("{other:?}")),
            None => {}
        }
    }
    Ok(all)
}

#[test]
fn a_compressed_message_is_read_whole_and_in_fragments_beside_one_that_is_not() {
    let (text, more, ping) = (Opcode::Text, Opcode::Continuation, Opcode::Ping);
    let said = [
        (true, COMPRESSED, text, HELLO),
        (true, 0, text, b"plain"),
        (false, COMPRESSED, text, &HELLO[..3]),
        (true, 0, ping, b""),
        (false, 0, more, b""),
        (true, 0, more, &HELLO[3..]),
    ];
    assert_eq!(compressed(&said), Ok(["Hello", "plain", "Ping([])", "Hello"].map(str::to_owned).to_vec()));
}

#[test]
fn the_bit_of_compression_stands_where_it_was_agreed_on_and_nowhere_else() {
    let frame = Frame { fin: true, rsv: COMPRESSED, opcode: Opcode::Text, masked: false, payload: HELLO };
    let refused = Messages::new().push(frame, ROOMY).map_err(|violation| violation.rule);
    assert_eq!(refused, Err(Rule::FrameReservedBits));
    for wrong in [
        &[(true, COMPRESSED, Opcode::Ping, HELLO)][..],
        &[(true, 0b010, Opcode::Text, HELLO)],
        &[(true, 0b110, Opcode::Text, HELLO)],
        &[(false, COMPRESSED, Opcode::Text, HELLO), (true, COMPRESSED, Opcode::Continuation, HELLO)],
    ] {
        assert_eq!(compressed(wrong), Err(Rule::FrameReservedBits), "{wrong:?}");
    }
    assert_eq!(compressed(&[(true, COMPRESSED, Opcode::Text, b"\xff\xff")]), Err(Rule::Deflate));
}

#[test]
fn an_idle_connection_is_small() {
    assert!(size_of::<Messages>() <= 32);
}

#[test]
fn the_bytes_that_are_needed_are_known_with_the_header() {
    assert_eq!(needed(b""), None);
    assert_eq!(needed(b"\x81"), None);
    assert_eq!(needed(b"\x81\x05"), Some(7));
    assert_eq!(needed(b"\x81\x85\x00\x00\x00"), None);
    assert_eq!(needed(b"\x81\x85\x00\x00\x00\x00"), Some(11));
    assert_eq!(needed(b"\x82\x7E\x01"), None);
    assert_eq!(needed(b"\x82\x7E\x01\x00"), Some(260));
    assert_eq!(needed(&[0xFF; 14]), Some(usize::MAX));
}

#[derive(Clone, Debug)]
struct Owned {
    fin: bool,
    rsv: u8,
    opcode: Opcode,
    mask: Option<[u8; 4]>,
    payload: Vec<u8>,
}

/// Any frame at all, legal or not, its payload around the borders between the three forms of the length.
fn any_frame() -> impl Strategy<Value = Owned> {
    let length = prop_oneof![8 => 0..130_usize, 1 => 65530..65540_usize];
    let payload = length.prop_flat_map(|length| prop::collection::vec(any::<u8>(), length));
    (any::<bool>(), 0..8_u8, (0..16_u8).prop_map(Opcode::from_bits), any::<Option<[u8; 4]>>(), payload)
        .prop_map(|(fin, rsv, opcode, mask, payload)| Owned { fin, rsv, opcode, mask, payload })
}

fn written(frame: &Owned) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, frame.fin, frame.rsv, frame.opcode, frame.mask, &frame.payload);
    bytes
}

#[derive(Clone, Debug)]
enum Sent {
    Text(Vec<String>),
    Binary(Vec<Vec<u8>>),
    Ping(Vec<u8>),
}

/// Messages in fragments, with pings after them.
fn conversation() -> impl Strategy<Value = Vec<Sent>> {
    let message = prop_oneof![
        prop::collection::vec(any::<String>(), 1..4).prop_map(Sent::Text),
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..4).prop_map(Sent::Binary),
        prop::collection::vec(any::<u8>(), 0..126).prop_map(Sent::Ping),
    ];
    prop::collection::vec(message, 0..6)
}

/// The conversation as a server writes it, and as it shall be read.
fn spoken(conversation: &[Sent]) -> (Vec<u8>, Vec<Message<'static>>) {
    let mut bytes = Vec::new();
    let mut messages = Vec::new();
    let mut fragments = |first: Opcode, parts: Vec<&[u8]>| {
        let last = parts.len() - 1;
        for (at, part) in parts.into_iter().enumerate() {
            let opcode = if at == 0 { first } else { Opcode::Continuation };
            write(&mut bytes, at == last, 0, opcode, None, part);
        }
    };
    for sent in conversation {
        messages.push(match sent {
            Sent::Text(parts) => {
                fragments(Opcode::Text, parts.iter().map(String::as_bytes).collect());
                Message::Text(Cow::Owned(parts.concat()))
            }
            Sent::Binary(parts) => {
                fragments(Opcode::Binary, parts.iter().map(Vec::as_slice).collect());
                Message::Binary(Cow::Owned(parts.concat()))
            }
            Sent::Ping(payload) => {
                fragments(Opcode::Ping, vec![payload]);
                Message::Ping(payload.clone().leak())
            }
        });
    }
    (bytes, messages)
}

proptest! {
    #[test]
    fn every_frame_is_read_back_as_it_was_written(owned in any_frame()) {
        let bytes = written(&owned);
        prop_assert_eq!(needed(&bytes), Some(bytes.len()));
        let frame = whole(&bytes);
        prop_assert_eq!((frame.fin, frame.rsv, frame.opcode), (owned.fin, owned.rsv, owned.opcode));
        prop_assert_eq!(frame.masked, owned.mask.is_some());
        let mut payload = frame.payload.to_vec();
        if let Some(key) = owned.mask {
            apply_mask(&mut payload, key);
        }
        prop_assert_eq!(payload, owned.payload);
    }

    #[test]
    fn a_part_of_a_frame_is_no_frame_yet_and_no_violation(owned in any_frame(), at in any::<prop::sample::Index>()) {
        let bytes = written(&owned);
        let prefix = &bytes[..at.index(bytes.len())];
        prop_assert_eq!(parse(prefix, ROOMY), Ok(None));
        if let Some(needed) = needed(prefix) {
            prop_assert_eq!(needed, bytes.len());
        }
    }

    #[test]
    fn a_damaged_frame_is_a_frame_or_a_violation(
        owned in any_frame(),
        at in any::<prop::sample::Index>(),
        to in any::<u8>(),
    ) {
        let mut bytes = written(&owned);
        let at = at.index(bytes.len());
        bytes[at] = to;
        let _ = messages(&bytes);
    }

    #[test]
    fn masking_is_byte_by_byte_and_undoes_itself(
        payload in prop::collection::vec(any::<u8>(), 0..200),
        key in any::<[u8; 4]>(),
    ) {
        let mut masked = payload.clone();
        apply_mask(&mut masked, key);
        // RFC 6455, section 5.3, word for word.
        let expected: Vec<u8> = payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
        prop_assert_eq!(&masked, &expected);
        apply_mask(&mut masked, key);
        prop_assert_eq!(masked, payload);
    }

    #[test]
    fn a_conversation_is_the_same_however_its_bytes_are_cut(
        sent in conversation(),
        sizes in prop::collection::vec(1..50_usize, 1..20),
    ) {
        let (bytes, expected) = spoken(&sent);
        let mut assembled = Messages::new();
        let mut read: Vec<Message<'static>> = Vec::new();
        let mut buffer = Vec::new();
        let mut rest = bytes.as_slice();
        for size in sizes.iter().cycle() {
            let (piece, after) = rest.split_at((*size).min(rest.len()));
            rest = after;
            buffer.extend_from_slice(piece);
            let mut start = 0;
            while let Some((frame, consumed)) = parse(&buffer[start..], ROOMY).unwrap() {
                read.extend(assembled.push(frame, ROOMY).unwrap().map(|message| match message {
                    Message::Text(text) => Message::Text(Cow::Owned(text.into_owned())),
                    Message::Binary(bytes) => Message::Binary(Cow::Owned(bytes.into_owned())),
                    Message::Ping(payload) => Message::Ping(payload.to_vec().leak()),
                    other => panic!("{other:?} was never sent"),
                }));
                start += consumed;
            }
            buffer.drain(..start);
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(read, expected);
        prop_assert!(buffer.is_empty() && !assembled.pending());
    }

    #[test]
    fn any_bytes_are_frames_or_a_violation(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = messages(&bytes);
        needed(&bytes);
    }
}
