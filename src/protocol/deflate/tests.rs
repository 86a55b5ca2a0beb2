use proptest::prelude::*;

use super::*;

const ROOMY: u64 = 1 << 20;

fn of(server_no_context: bool, client_no_context: bool, server_bits: u8, client_bits: u8) -> Agreed {
    Agreed { server_no_context, client_no_context, server_bits, client_bits }
}

fn answer(header: &str) -> Result<Option<Agreed>, Rule> {
    agreed([header], true).map_err(|violation| violation.rule)
}

/// The side of the server, which agreed on the same.
fn server(agreed: Agreed) -> Deflating {
    Deflating::new(of(
        agreed.client_no_context,
        agreed.server_no_context,
        agreed.client_bits,
        agreed.server_bits,
    ))
}

#[test]
fn the_answer_says_what_was_agreed_on() {
    assert_eq!(agreed([], true), Ok(None));
    assert_eq!(answer("permessage-deflate"), Ok(Some(of(false, false, 15, 15))));
    assert_eq!(
        answer("permessage-deflate; server_no_context_takeover; client_max_window_bits=\"10\""),
        Ok(Some(of(true, false, 15, 10)))
    );
    assert_eq!(
        answer("permessage-deflate;client_no_context_takeover ; server_max_window_bits = 8"),
        Ok(Some(of(false, true, 8, 15)))
    );
}

#[test]
fn an_answer_that_was_not_asked_for_is_a_violation() {
    for wrong in [
        "permessage-bzip2",
        "permessage-deflate, permessage-deflate",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_max_window_bits=16",
        "permessage-deflate; server_max_window_bits=7",
        "permessage-deflate; server_max_window_bits=08",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        "permessage-deflate; level=9",
    ] {
        assert_eq!(answer(wrong), Err(Rule::Extension), "{wrong}");
    }
    let unasked = agreed(["permessage-deflate"], false).map_err(|violation| violation.rule);
    assert_eq!(unasked, Err(Rule::Extension));
    assert_eq!(agreed([], false), Ok(None));
}

#[test]
fn messages_are_read_as_the_rfc_spells_them() {
    // RFC 7692, section 7.2.3: one block, one without compression, two blocks, and a final block.
    let mut deflating = Deflating::new(of(false, false, 15, 15));
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    assert_eq!(deflating.inflate(&hello, ROOMY).unwrap(), b"Hello");
    // With the context of the first, the second refers to it.
    assert_eq!(deflating.inflate(&[0xf2, 0x00, 0x11, 0x00, 0x00], ROOMY).unwrap(), b"Hello");
    let stored = [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
    assert_eq!(deflating.inflate(&stored, ROOMY).unwrap(), b"Hello");
    let last = [0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
    assert_eq!(deflating.inflate(&last, ROOMY).unwrap(), b"Hello");
    let two = [0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
    assert_eq!(deflating.inflate(&two, ROOMY).unwrap(), b"Hello");
}

#[test]
fn short_messages_and_windows_that_zlib_does_not_make_stay_uncompressed() {
    let long = [b'x'; THRESHOLD];
    let mut deflating = Deflating::new(of(false, false, 15, 15));
    assert_eq!(deflating.deflate(&[&long[1..]]), None);
    assert!(deflating.deflate(&[&long[1..], b"y"]).is_some_and(|sent| sent.len() < 50));
    assert_eq!(Deflating::new(of(false, false, 15, 8)).deflate(&[&long]), None);
}

#[test]
fn a_message_that_grows_beyond_the_limit_is_refused_and_takes_no_more_memory_than_it() {
    let mut bomb = server(of(false, false, 15, 15));
    let sent = bomb.deflate(&[&vec![0; 8 << 20]]).expect("it is long");
    assert!(sent.len() < 16 << 10, "{}", sent.len());
    let mut deflating = Deflating::new(of(false, false, 15, 15));
    let refused = deflating.inflate(&sent, 1 << 20).unwrap_err();
    assert_eq!(refused.rule, Rule::MessageLimit);
    let mut exact = server(of(false, false, 15, 15));
    let sent = exact.deflate(&[&vec![0; 1 << 20]]).expect("it is long");
    assert_eq!(
        Deflating::new(of(false, false, 15, 15)).inflate(&sent, 1 << 20).map(|all| all.len()),
        Ok(1 << 20)
    );
}

#[test]
fn what_is_no_deflated_message_is_a_violation() {
    for wrong in [&[0xff_u8, 0xff][..], &[0x06], b"42[\"message\"]"] {
        let refused = Deflating::new(of(false, false, 15, 15)).inflate(wrong, ROOMY);
        assert_eq!(refused.map_err(|violation| violation.rule), Err(Rule::Deflate), "{wrong:02x?}");
    }
    let ends = [0x03, 0x00].repeat(100_000);
    let refused = Deflating::new(of(false, false, 15, 15)).inflate(&ends, ROOMY);
    assert_eq!(refused.map_err(|violation| violation.rule), Err(Rule::Deflate));
}

#[test]
fn without_context_each_message_stands_alone() {
    let text: Vec<u8> =
        (0..5_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
    let twice = |agreed| {
        let mut deflating = Deflating::new(agreed);
        [0, 1].map(|_| deflating.deflate(&[&text]).expect("it is long").len())
    };
    let [first, second] = twice(of(false, false, 15, 15));
    assert!(second * 10 < first, "{second} bytes refer to {first}");
    let [first, second] = twice(of(false, true, 15, 15));
    assert_eq!(first, second);
}

proptest! {
    // A compressor is made for most cases, which takes its time without optimisation.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_one_side_says_the_other_hears(
        messages in prop::collection::vec(
            prop::collection::vec(prop_oneof![Just(b'a'), Just(b'b'), any::<u8>()], 1_000..4_000),
            1..4,
        ),
        no_context: (bool, bool),
        bits in (9..16_u8, 9..16_u8),
    ) {
        let agreed = of(no_context.0, no_context.1, bits.0, bits.1);
        let (mut ours, mut theirs) = (Deflating::new(agreed), server(agreed));
        for message in &messages {
            let half = message.len() / 2;
            if let Some(sent) = ours.deflate(&[&message[..half], &message[half..]]) {
                prop_assert_eq!(&theirs.inflate(&sent, ROOMY).unwrap(), message);
            }
            if let Some(sent) = theirs.deflate(&[message]) {
                prop_assert_eq!(&ours.inflate(&sent, ROOMY).unwrap(), message);
            }
        }
    }

    #[test]
    fn nothing_that_is_read_panics_or_grows_beyond_the_limit(
        payload in prop::collection::vec(any::<u8>(), 0..2_000),
        bits in 8..16_u8,
    ) {
        let mut deflating = Deflating::new(of(false, false, bits, 15));
        for _ in 0..2 {
            if let Ok(message) = deflating.inflate(&payload, 5_000) {
                prop_assert!(message.len() <= 5_000);
            }
        }
    }
}
