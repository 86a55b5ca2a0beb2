use proptest::prelude::*;

use super::*;

/// Every packet of the specification, as it is read and as it is written.
#[test]
fn the_packets_of_the_specification_read_and_write_as_printed() {
    let table = [
        // Handshake.
        ("0{\"sid\":\"x\"}", Packet::Open("{\"sid\":\"x\"}")),
        // Packet encoding, table of types.
        ("1", Packet::Close),
        ("5", Packet::Upgrade),
        ("6", Packet::Noop("")),
        // Heartbeat.
        ("2", Packet::Ping("")),
        ("3", Packet::Pong("")),
        // Upgrade.
        ("2probe", Packet::Ping("probe")),
        ("3probe", Packet::Pong("probe")),
        // Packet encoding, WebSocket.
        ("4hello", Packet::Text("hello")),
        ("4", Packet::Text("")),
        ("4€", Packet::Text("€")),
    ];
    for (text, packet) in table {
        assert_eq!(decode_text(text), Ok(packet.clone()), "{text}");
        let mut written = String::new();
        encode_text(&packet, &mut written);
        assert_eq!(written, text);
    }
}

#[test]
fn what_has_no_type_from_0_to_6_is_no_packet() {
    for text in ["", "7", "abc", "b", "€", " 4", "-1", "\u{0}", "{}"] {
        let violation = decode_text(text).unwrap_err();
        assert_eq!(violation.rule, Rule::EnginePacketType, "{text:?}");
    }
}

#[test]
fn a_payload_where_none_is_needed_is_passed_over() {
    assert_eq!(decode_text("1x"), Ok(Packet::Close));
    assert_eq!(decode_text("5x"), Ok(Packet::Upgrade));
    assert_eq!(decode_text("6x"), Ok(Packet::Noop("x")));
}

#[test]
fn a_binary_packet_has_no_text_of_its_own() {
    let mut written = String::from("before");
    encode_text(&Packet::Binary(Cow::Borrowed(b"x")), &mut written);
    assert_eq!(written, "before");
}

fn handshake(change: &str, to: &str) -> Result<Handshake, Violation> {
    let example = r#"{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,
        "pingTimeout":20000,"maxPayload":1000000}"#;
    assert!(example.contains(change), "{change} is not in the example");
    match Handshake::decode(&example.replace(change, to))? {
        (handshake, None) => Ok(handshake),
        (_, Some(violation)) => Err(violation),
    }
}

#[test]
fn the_handshake_of_the_specification_is_read_in_full() {
    let handshake = handshake("", "").unwrap();
    assert_eq!(handshake.sid, "lv_VI97HAXpY6yYWAAAC");
    assert_eq!(handshake.upgrades, ["websocket"]);
    assert_eq!(handshake.ping_interval, Duration::from_secs(25));
    assert_eq!(handshake.ping_timeout, Duration::from_secs(20));
    assert_eq!(handshake.max_payload, Some(1_000_000));
}

#[test]
fn a_handshake_tolerates_what_json_and_javascript_make_equal() {
    assert!(handshake("1000000}", r#"1000000,"extra":{"deep":[]}}"#).is_ok());
    assert!(handshake(r#"["websocket"]"#, "[]").is_ok());
    assert_eq!(handshake("1000000", "1e6").unwrap().max_payload, Some(1_000_000));
    assert_eq!(handshake("25000", "25000.0").unwrap().ping_interval, Duration::from_secs(25));
    assert_eq!(handshake("25000", "0.5").unwrap().ping_interval, Duration::from_micros(500));
    assert_eq!(handshake("25000", "2147483647").unwrap().ping_interval, MAX_HEARTBEAT);
}

#[test]
fn a_handshake_without_a_maximum_goes_on() {
    for to in ["null", "null,\"pingTimeout\":1"] {
        assert_eq!(handshake("1000000", to).unwrap().max_payload, None);
    }
    assert_eq!(handshake("maxPayload", "max").unwrap().max_payload, None);
}

#[test]
fn a_field_of_the_handshake_that_cannot_be_used_is_named() {
    let table = [
        ("\"lv_VI97HAXpY6yYWAAAC\"", "5", "sid"),
        ("lv_VI97HAXpY6yYWAAAC", "", "sid"),
        ("\"sid\"", "\"id\"", "sid"),
        ("[\"websocket\"]", "\"websocket\"", "upgrades"),
        ("[\"websocket\"]", "[1]", "upgrades"),
        ("\"upgrades\"", "\"u\"", "upgrades"),
        ("25000", "\"25000\"", "pingInterval"),
        ("25000", "0", "pingInterval"),
        ("25000", "-1", "pingInterval"),
        ("25000", "2147483648", "pingInterval"),
        ("25000", "1e300", "pingInterval"),
        ("25000", "null", "pingInterval"),
        ("20000", "[20000]", "pingTimeout"),
        ("20000", "1e-300", "pingTimeout"),
        ("\"pingTimeout\"", "\"timeout\"", "pingTimeout"),
        ("1000000", "\"1000000\"", "maxPayload"),
        ("1000000", "0", "maxPayload"),
        ("1000000", "-5", "maxPayload"),
        ("1000000", "1.5", "maxPayload"),
        ("1000000", "1e300", "maxPayload"),
    ];
    for (change, to, field) in table {
        let violation = handshake(change, to).unwrap_err();
        assert_eq!(violation.rule, Rule::HandshakeField, "{change} to {to}");
        assert!(violation.detail.starts_with(field), "{violation}");
    }
}

#[test]
fn one_bad_field_of_a_handshake_leaves_the_others_as_they_are() {
    let read = |json: &str| Handshake::decode(json).expect("it is an object");
    let (handshake, wrong) =
        read(r#"{"sid":"x","upgrades":["websocket",5],"pingInterval":0,"pingTimeout":"300"}"#);
    assert_eq!((&*handshake.sid, &handshake.upgrades[..]), ("x", &["websocket".to_owned()][..]));
    assert_eq!(handshake.ping_interval, USUAL_INTERVAL);
    assert_eq!(handshake.ping_timeout, Duration::from_millis(300));
    let wrong = wrong.expect("three fields are wrong").detail;
    for key in ["upgrades should", "pingInterval should", "pingTimeout should"] {
        assert!(wrong.contains(key), "{wrong}");
    }
    let (handshake, _) = read(r#"{"sid":7,"pingInterval":1e300,"pingTimeout":-1,"maxPayload":"x"}"#);
    assert_eq!(&*handshake.sid, "7");
    assert_eq!((handshake.ping_interval, handshake.ping_timeout), (MAX_HEARTBEAT, USUAL_TIMEOUT));
    assert_eq!((handshake.upgrades.len(), handshake.max_payload), (0, None));
    assert_eq!(&*read("{}").0.sid, "");
}

#[test]
fn what_is_no_json_object_is_no_handshake() {
    for json in ["", "[]", "null", "{", "{}x", "\"sid\"", "NaN", r#"{"sid":"#] {
        assert_eq!(Handshake::decode(json).unwrap_err().rule, Rule::HandshakeJson, "{json}");
    }
    assert_eq!(Handshake::decode(&"[".repeat(100_000)).unwrap_err().rule, Rule::HandshakeJson);
}

proptest! {
    #[test]
    fn every_text_packet_is_read_back_as_it_was_written(kind in 0..7_u8, data in any::<String>()) {
        let packet = match kind {
            0 => Packet::Open(&data),
            1 => Packet::Close,
            2 => Packet::Ping(&data),
            3 => Packet::Pong(&data),
            4 => Packet::Text(&data),
            5 => Packet::Upgrade,
            _ => Packet::Noop(""),
        };
        let mut text = String::new();
        encode_text(&packet, &mut text);
        prop_assert_eq!(decode_text(&text), Ok(packet));
    }

    #[test]
    fn any_text_is_a_packet_or_a_violation(text in any::<String>()) {
        let _ = decode_text(&text);
    }

    #[test]
    fn any_number_in_a_handshake_is_a_time_or_a_violation(number in any::<f64>()) {
        let json = format!(r#"{{"sid":"x","upgrades":[],"pingInterval":{number},"pingTimeout":1,"maxPayload":{number}}}"#);
        if let Ok((handshake, _)) = Handshake::decode(&json) {
            prop_assert!(!handshake.ping_interval.is_zero());
            prop_assert!(handshake.ping_interval <= MAX_HEARTBEAT);
            prop_assert_ne!(handshake.max_payload, Some(0));
        }
    }
}

#[test]
fn a_heartbeat_and_a_noop_are_their_type_alone_and_the_word_of_a_probe_is_no_payload() {
    for (frame, bare) in [
        ("2", None),
        ("2probe", None),
        ("2hello", Some("2")),
        ("6", None),
        ("6x", Some("6")),
        ("3hello", None),
        ("1x", None),
        ("42[1]", None),
        ("", None),
    ] {
        assert_eq!(frame_bare(frame), bare, "{frame}");
        let flaw = decode_text(frame).ok().and_then(|packet| check_bare(&packet));
        assert_eq!(flaw.map(|flaw| flaw.rule), bare.map(|_| Rule::PacketPayload), "{frame}");
    }
}
