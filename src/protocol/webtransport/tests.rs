use proptest::prelude::*;

use super::*;

/// What is read of a stream that comes in these pieces, until it cannot be read on.
fn read(pieces: &[&[u8]], limit: u64) -> (Vec<Message<'static>>, Option<Rule>) {
    let mut decoder = Decoder::new(limit);
    let mut messages = Vec::new();
    for piece in pieces {
        let mut rest = *piece;
        loop {
            match decoder.read(&mut rest) {
                Ok(Some(Message::Text(text))) => messages.push(Message::Text(text.into_owned().into())),
                Ok(Some(Message::Binary(bytes))) => messages.push(Message::Binary(bytes.into_owned().into())),
                Ok(Some(other)) => panic!("no packet is {other:?}"),
                Ok(None) => break,
                Err(violation) => return (messages, Some(violation.rule)),
            }
        }
        assert!(rest.is_empty(), "what is read is used up");
    }
    (messages, None)
}

fn text(text: &str) -> Message<'static> {
    Message::Text(text.to_owned().into())
}

fn binary(bytes: &[u8]) -> Message<'static> {
    Message::Binary(bytes.to_vec().into())
}

fn written(messages: &[Message<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    for message in messages {
        match message {
            Message::Text(text) => write(&mut out, false, &[text.as_bytes()]),
            Message::Binary(bytes) => write(&mut out, true, &[bytes]),
            other => panic!("no packet is {other:?}"),
        }
    }
    out
}

#[test]
fn packets_are_spelled_as_the_official_client_spells_them() {
    assert_eq!(written(&[text("0")]), [1, b'0']);
    assert_eq!(written(&[binary(&[1, 2, 3])]), [0x83, 1, 2, 3]);
    assert_eq!(written(&[text(&"a".repeat(125))])[..2], [125, b'a']);
    assert_eq!(written(&[text(&"a".repeat(126))])[..4], [126, 0, 126, b'a']);
    assert_eq!(written(&[binary(&[7; 65_535])])[..4], [0xfe, 0xff, 0xff, 7]);
    assert_eq!(written(&[binary(&[7; 65_536])])[..10], [0xff, 0, 0, 0, 0, 0, 1, 0, 0, 7]);
    let mut parts = Vec::new();
    write(&mut parts, false, &["4", "2", "[\"a\"]"]);
    assert_eq!(parts, written(&[text("42[\"a\"]")]));
}

#[test]
fn a_packet_that_stands_whole_in_the_input_is_not_copied() {
    let bytes = written(&[text("42[\"a\"]"), binary(&[1, 2])]);
    let mut decoder = Decoder::new(100);
    let mut rest = &bytes[..];
    for _ in 0..2 {
        let read = decoder.read(&mut rest).expect("it is spelled right");
        assert!(matches!(read, Some(Message::Text(Cow::Borrowed(_)) | Message::Binary(Cow::Borrowed(_)))));
    }
}

#[test]
fn a_length_may_be_written_in_more_bytes_than_it_needs() {
    assert_eq!(
        read(&[&[126, 0, 1, b'6'], &[127, 0, 0, 0, 0, 0, 0, 0, 1, b'6']], 9),
        (vec![text("6"), text("6")], None)
    );
}

#[test]
fn a_length_that_is_not_allowed_is_told_before_the_packet_arrives() {
    let table: [(&[u8], Rule); 7] = [
        (&[0], Rule::StreamLength),
        (&[0x80], Rule::StreamLength),
        (&[126, 0, 0], Rule::StreamLength),
        (&[127, 0x00, 0x20, 0, 0, 0, 0, 0, 0], Rule::StreamLength),
        (&[0xff; 9], Rule::StreamLength),
        (&[101], Rule::MessageLimit),
        (&[127, 0x00, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Rule::MessageLimit),
    ];
    for (bytes, rule) in table {
        let stream = [&written(&[text("2")]), bytes].concat();
        assert_eq!(read(&[&stream], 100), (vec![text("2")], Some(rule)), "{bytes:?}");
        let pieces: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(read(&pieces, 100), (vec![text("2")], Some(rule)), "{bytes:?}, byte by byte");
    }
    assert_eq!(read(&[&written(&[text(&"a".repeat(100))])], 100).1, None);
}

#[test]
fn text_that_is_no_utf_8_is_told() {
    assert_eq!(read(&[&[2, b'4', 0xff]], 9), (vec![], Some(Rule::StreamUtf8)));
    assert_eq!(read(&[&[2, b'4'], &[0xff]], 9), (vec![], Some(Rule::StreamUtf8)));
    assert_eq!(read(&[&[0x82, b'4', 0xff]], 9), (vec![binary(&[b'4', 0xff])], None));
}

fn message() -> impl Strategy<Value = Message<'static>> {
    let length = prop_oneof![4 => 1..140_usize, 1 => 65_530..65_540_usize];
    prop_oneof![
        "\\PC{1,60}".prop_map(|words| text(&words)),
        length.clone().prop_map(|length| text(&"x".repeat(length))),
        (any::<u8>(), length).prop_map(|(byte, length)| binary(&vec![byte; length])),
    ]
}

/// The bytes in pieces that end at these places.
fn cut<'a>(bytes: &'a [u8], places: &[prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut ends: Vec<usize> = places.iter().map(|place| place.index(bytes.len() + 1)).collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    let mut from = 0;
    ends.into_iter().map(|end| &bytes[std::mem::replace(&mut from, end)..end]).collect()
}

proptest! {
    #[test]
    fn what_is_written_is_read_again_however_it_is_cut(
        messages in prop::collection::vec(message(), 0..6),
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let bytes = written(&messages);
        prop_assert_eq!(read(&cut(&bytes, &places), 1 << 20), (messages, None));
    }

    #[test]
    fn any_bytes_mean_the_same_however_they_are_cut(
        bytes in prop::collection::vec(prop_oneof![0..6_u8, 124..132_u8, any::<u8>()], 0..60),
        places in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        prop_assert_eq!(read(&cut(&bytes, &places), 40), read(&[&bytes], 40));
    }

    #[test]
    fn no_more_is_kept_than_has_come_and_than_is_taken(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..20),
    ) {
        let mut decoder = Decoder::new(50);
        for piece in &pieces {
            let mut rest = &piece[..];
            while let Ok(Some(_)) = decoder.read(&mut rest) {}
            prop_assert!(decoder.partial.len() <= 59);
        }
    }
}
