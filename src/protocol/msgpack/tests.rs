//! What the codec reads and writes, beside its second opinion in `tests/second_opinion`.

use proptest::prelude::*;

use super::*;

fn event<'a>(data: &'a str) -> Packet<'a> {
    Packet { kind: Kind::Event, attachments: 0, namespace: "/", id: None, data: Some(data) }
}

/// A packet of an event whose arguments are these bytes of MessagePack.
fn with_arguments(count: u8, arguments: &[u8]) -> Vec<u8> {
    let head: &[&[u8]] = &[b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data", &[0x91 + count, 0xa1, b'e'], arguments];
    head.concat()
}

fn read(count: u8, arguments: &[u8]) -> String {
    decode(&with_arguments(count, arguments)).expect("a packet").data.expect("a payload")
}

#[test]
fn an_event_is_a_map_with_its_bytes_where_they_belong() {
    let data = r#"["e",{"_placeholder":true,"num":0}]"#;
    let packet =
        Packet { kind: Kind::BinaryEvent, attachments: 1, namespace: "/a", id: Some(300), data: Some(data) };
    let written = encode(&packet, &[Bytes::from_static(b"xy")]);
    assert_eq!(written, b"\x84\xa4type\x02\xa3nsp\xa2/a\xa4data\x92\xa1e\xc4\x02xy\xa2id\xcd\x01\x2c");
    let decoded = decode(&written).expect("what we write is a packet");
    assert_eq!((decoded.kind, &*decoded.namespace, decoded.id), (Kind::Event, "/a", Some(300)));
    assert_eq!(decoded.data.as_deref(), Some(data));
    assert_eq!(decoded.attachments, ["xy"]);
}

#[test]
fn what_javascript_has_and_json_has_not_is_shown_as_json_writes_it() {
    let undefined = b"\xd4\x00\x00";
    assert_eq!(read(1, undefined), r#"["e",null]"#);
    assert_eq!(read(1, b"\x83\xa1a\xd4\x00\x00\xa1b\x01\xa1c\xd4\x00\x00"), r#"["e",{"b":1}]"#);
    assert_eq!(read(1, b"\xd7\x00\x00\x00\x00\x00\x00\x00\x03\xe8"), r#"["e","1970-01-01T00:00:01.000Z"]"#);
    assert_eq!(read(1, b"\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"), r#"["e",null]"#);
    assert_eq!(read(1, b"\xcb\x40\x08\x00\x00\x00\x00\x00\x00"), r#"["e",3]"#);
    assert_eq!(read(1, b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), r#"["e",18446744073709551615]"#);
    assert_eq!(read(1, b"\x81\x07\xc3"), r#"["e",{"7":true}]"#);
    assert_eq!(read(1, b"\xa3\xed\xa0\x80"), "[\"e\",\"\u{fffd}\u{fffd}\u{fffd}\"]");
}

#[test]
fn bytes_of_every_kind_are_attachments() {
    let data = [&b"\xc4\x01a"[..], b"\xc7\x02\x00bc", b"\xd6\x05defg"].concat();
    let decoded = decode(&with_arguments(3, &data)).expect("a packet");
    assert_eq!(decoded.attachments, ["a", "bc", "defg"]);
    let placeholder = |number| format!(r#"{{"_placeholder":true,"num":{number}}}"#);
    let [first, second, third] = [0, 1, 2].map(placeholder);
    assert_eq!(decoded.data, Some(format!(r#"["e",{first},{second},[5,{third}]]"#)));
}

#[test]
fn the_key_of_a_map_is_the_text_that_javascript_makes_of_it_and_has_no_attachments() {
    let fields = [
        &b"\x85\xc4\x02\xc3\xa9\xc4\x01v"[..], // bytes
        b"\x94\xc4\x01k\x07\xc0\x91\xa1t\x01", // an array of bytes, 7, null and an array
        b"\x81\xa1a\xc4\x01b\x02",             // a map
        b"\xc0\x03",                           // null
        b"\xc4\x01u\xd4\x00\x00",              // bytes, whose value is undefined
    ];
    let decoded = decode(&with_arguments(1, &fields.concat())).expect("a packet");
    assert_eq!(decoded.attachments, ["v"]);
    let data: Value = serde_json::from_str(&decoded.data.expect("a payload")).expect("JSON");
    let fields = serde_json::json!({"\u{e9}": placeholder(0), "k,7,,t": 1, "[object Object]": 2, "null": 3});
    assert_eq!(data[1], fields);
}

#[test]
fn keys_in_keys_cost_no_more_than_their_bytes() {
    let nested = [&[0x81; 100][..], &[0x01; 101]].concat();
    let decoded = decode(&with_arguments(1, &nested)).expect("a packet");
    assert_eq!(decoded.data.as_deref(), Some(r#"["e",{"[object Object]":1}]"#));
}

#[test]
fn what_is_no_packet_is_told_with_the_rule() {
    let cases: [(&[u8], Rule); 10] = [
        (b"", Rule::Msgpack),
        (b"0", Rule::Msgpack),
        (b"\x82\xa4type\x00\xa3nsp\xa1", Rule::Msgpack),
        (b"\x81\xa4type\x00", Rule::Msgpack),
        (b"\x82\xa4type\x00\xa3nsp\xa1/!", Rule::Msgpack),
        (b"\x82\xa4type\x05\xa3nsp\xa1/", Rule::PacketType),
        (b"\x81\xa3nsp\xa1/", Rule::PacketType),
        (b"\x82\xa4type\x02\xa3nsp\xa1/", Rule::EventPayload),
        (b"\x83\xa4type\x03\xa3nsp\xa1/\xa4data\x90", Rule::AckId),
        (b"\x84\xa4type\x03\xa3nsp\xa1/\xa4data\x90\xa2id\xa1x", Rule::AckId),
    ];
    for (bytes, rule) in cases {
        assert_eq!(decode(bytes).expect_err("no packet").rule, rule, "{bytes:?}");
    }
}

#[test]
fn a_hostile_packet_costs_no_more_than_its_length() {
    let deep = [&b"\x83\xa4type\x02\xa3nsp\xa1/\xa4data"[..], &[0x91; 100_000], b"\xc0"].concat();
    assert_eq!(decode(&deep).expect_err("too deep").rule, Rule::Msgpack);
    // Four thousand million elements are announced and none comes.
    assert_eq!(
        decode(&with_arguments(1, b"\xdd\xff\xff\xff\xff")).expect_err("too short").rule,
        Rule::Msgpack
    );
    let many = [&b"\xdc\x01\x01"[..], &b"\xc4\x00".repeat(257)].concat();
    assert_eq!(decode(&with_arguments(1, &many)).expect_err("too many").rule, Rule::Msgpack);
}

proptest! {
    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes);
        let _ = decode(&with_arguments(1, &bytes));
    }

    #[test]
    fn every_payload_is_read_as_it_was_written(text in "\\PC{0,40}", number in any::<i64>(), real in any::<f32>()) {
        let real = f64::from(real);
        let data = serde_json::json!(["e", { &text: [number, real, null, true, "é", {}] }]);
        let read = decode(&encode(&event(&data.to_string()), &[])).expect("a packet").data.expect("a payload");
        let read: Value = serde_json::from_str(&read).expect("JSON");
        prop_assert_eq!(&read[1][&text][0], &Value::from(number));
        if real.is_finite() {
            prop_assert_eq!(read[1][&text][1].as_f64(), Some(real + 0.0));
        }
        prop_assert_eq!(&read[1][&text][4], "é");
    }
}
