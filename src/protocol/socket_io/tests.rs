use proptest::prelude::*;

use super::*;

const PLAIN: Packet<'static> =
    Packet { kind: Kind::Event, attachments: 0, namespace: MAIN, id: None, data: Some("[\"foo\"]") };

fn rule(text: &str) -> Rule {
    decode(text).expect_err(text).rule
}

fn examined(text: &str) -> Rule {
    assert!(decode(text).is_ok(), "{text} should be readable");
    examine(text).expect_err(text).rule
}

#[test]
fn the_packets_of_the_specification_read_and_write_as_printed() {
    let placeholder = r#"["bar",{"_placeholder":true,"num":0}]"#;
    let table = [
        // Connection to a namespace.
        ("0", Packet { kind: Kind::Connect, data: None, ..PLAIN }),
        (
            "0/admin,{\"sid\":\"oSO0OpakMV_3jnilAAAA\"}",
            Packet {
                kind: Kind::Connect,
                namespace: "/admin",
                data: Some("{\"sid\":\"oSO0OpakMV_3jnilAAAA\"}"),
                ..PLAIN
            },
        ),
        (
            "4{\"message\":\"Not authorized\"}",
            Packet { kind: Kind::ConnectError, data: Some("{\"message\":\"Not authorized\"}"), ..PLAIN },
        ),
        // Sending and receiving data.
        ("2[\"foo\"]", PLAIN),
        ("2/admin,[\"bar\"]", Packet { namespace: "/admin", data: Some("[\"bar\"]"), ..PLAIN }),
        (
            "51-[\"baz\",{\"_placeholder\":true,\"num\":0}]",
            Packet {
                kind: Kind::BinaryEvent,
                attachments: 1,
                data: Some("[\"baz\",{\"_placeholder\":true,\"num\":0}]"),
                ..PLAIN
            },
        ),
        (
            "52-/admin,[\"baz\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]",
            Packet {
                kind: Kind::BinaryEvent,
                attachments: 2,
                namespace: "/admin",
                data: Some("[\"baz\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":1}]"),
                ..PLAIN
            },
        ),
        // Acknowledgement.
        ("212[\"foo\"]", Packet { id: Some(12), ..PLAIN }),
        (
            "3/admin,13[\"bar\"]",
            Packet { kind: Kind::Ack, namespace: "/admin", id: Some(13), data: Some("[\"bar\"]"), ..PLAIN },
        ),
        (
            "61-15[\"bar\",{\"_placeholder\":true,\"num\":0}]",
            Packet { kind: Kind::BinaryAck, attachments: 1, id: Some(15), data: Some(placeholder), ..PLAIN },
        ),
        // Disconnection from a namespace.
        ("1", Packet { kind: Kind::Disconnect, data: None, ..PLAIN }),
        ("1/admin,", Packet { kind: Kind::Disconnect, namespace: "/admin", data: None, ..PLAIN }),
        // An id of zero, an empty acknowledgement, an id as large as JavaScript can count.
        ("30[]", Packet { kind: Kind::Ack, id: Some(0), data: Some("[]"), ..PLAIN }),
        (
            "39007199254740991[]",
            Packet { kind: Kind::Ack, id: Some((1 << 53) - 1), data: Some("[]"), ..PLAIN },
        ),
        ("218446744073709551615[\"foo\"]", Packet { id: Some(u64::MAX), ..PLAIN }),
    ];
    for (text, packet) in table {
        assert_eq!(decode(text), Ok(packet), "{text}");
        assert_eq!(examine(text), Ok(packet), "{text}");
        let mut written = String::new();
        packet.encode(&mut written);
        assert_eq!(written, text);
    }
}

#[test]
fn a_packet_without_meaning_is_refused_with_the_rule_it_broke() {
    let table = [
        // Types.
        ("", Rule::PacketType),
        ("7", Rule::PacketType),
        ("a", Rule::PacketType),
        ("€", Rule::PacketType),
        // Attachment counts.
        ("5", Rule::AttachmentCount),
        ("51", Rule::AttachmentCount),
        ("5[\"a\"]", Rule::AttachmentCount),
        ("5-[\"a\"]", Rule::AttachmentCount),
        ("5x-[\"a\"]", Rule::AttachmentCount),
        ("51.5-[\"a\"]", Rule::AttachmentCount),
        ("5-1-[\"a\"]", Rule::AttachmentCount),
        ("54294967296-[\"a\"]", Rule::AttachmentCount),
        ("6+1-1[]", Rule::AttachmentCount),
        // Ids; what follows a type and is no id is no array either.
        ("218446744073709551616[\"a\"]", Rule::AckId),
        ("2abc[\"a\"]", Rule::EventPayload),
        ("2-1[\"a\"]", Rule::EventPayload),
        ("3[]", Rule::AckId),
        ("61-[]", Rule::AckId),
        // Payloads.
        ("2", Rule::EventPayload),
        ("25", Rule::EventPayload),
        ("2{}", Rule::EventPayload),
        ("2\"a\"", Rule::EventPayload),
        ("2 [\"a\"]", Rule::EventPayload),
        ("2/admin", Rule::EventPayload),
        ("51-", Rule::EventPayload),
        ("31", Rule::AckPayload),
        ("31{}", Rule::AckPayload),
        ("0[]", Rule::ConnectPayload),
        ("0\"x\"", Rule::ConnectPayload),
        ("0null", Rule::ConnectPayload),
        ("1{}", Rule::DisconnectPayload),
        ("1/admin,[]", Rule::DisconnectPayload),
        ("4[]", Rule::ConnectErrorPayload),
        ("4null", Rule::ConnectErrorPayload),
    ];
    for (text, broken) in table {
        assert_eq!(rule(text), broken, "{text}");
    }
}

#[test]
fn what_can_be_understood_is_read_and_only_examined_strictly() {
    let custom = Packet { kind: Kind::Connect, namespace: "/custom", data: None, ..PLAIN };
    assert_eq!(decode("0/custom"), Ok(custom));
    let table = [
        // Spelling.
        ("0/custom", Rule::Namespace),
        ("0/,", Rule::Namespace),
        ("2/,[\"foo\"]", Rule::Namespace),
        ("2007[\"foo\"]", Rule::Spelling),
        ("501-[\"foo\",{\"_placeholder\":true,\"num\":0}]", Rule::Spelling),
        // A refusal is heard whatever its form.
        ("4", Rule::ConnectErrorPayload),
        ("4\"Not authorized\"", Rule::ConnectErrorPayload),
        // Names of events.
        ("2[]", Rule::EventPayload),
        ("2[null]", Rule::EventPayload),
        ("2[true]", Rule::EventPayload),
        ("2[{}]", Rule::EventPayload),
        ("2[[]]", Rule::EventPayload),
        // JSON.
        ("2[\"foo\"", Rule::Json),
        ("2[\"foo\"]]", Rule::Json),
        ("2[\"foo\",]", Rule::Json),
        ("2['foo']", Rule::Json),
        ("2[\"\u{1}\"]", Rule::Json),
        ("0{bad", Rule::Json),
        ("31[NaN]", Rule::Json),
        // Placeholders.
        ("51-[\"foo\"]", Rule::Placeholder),
        ("51-[\"foo\",{\"_placeholder\":true,\"num\":1}]", Rule::Placeholder),
        ("51-[\"foo\",{\"_placeholder\":true,\"num\":-1}]", Rule::Placeholder),
        ("51-[\"foo\",{\"_placeholder\":true,\"num\":\"0\"}]", Rule::Placeholder),
        ("51-[\"foo\",{\"_placeholder\":true}]", Rule::Placeholder),
        ("52-[\"foo\",{\"_placeholder\":true,\"num\":0}]", Rule::Placeholder),
        ("50-[\"foo\",{\"_placeholder\":true,\"num\":0}]", Rule::Placeholder),
        ("54294967295-[\"foo\"]", Rule::Placeholder),
    ];
    for (text, broken) in table {
        assert_eq!(examined(text), broken, "{text}");
    }
}

#[test]
fn a_correct_packet_is_not_accused() {
    let deep = format!("2[\"foo\",{}{}]", "[".repeat(5000), "]".repeat(5000));
    let deep_binary = format!("51-[\"foo\",{}{}]", "[".repeat(5000), "]".repeat(5000));
    let table = [
        // Placeholders anywhere, in any order, more than once, and data that looks like one
        // where there are no attachments.
        "52-[\"foo\",{\"a\":[{\"_placeholder\":true,\"num\":1}],\"b\":{\"num\":0,\"_placeholder\":true}}]",
        "51-[\"foo\",{\"_placeholder\":true,\"num\":0},{\"_placeholder\":true,\"num\":0}]",
        "50-[\"foo\"]",
        "2[\"foo\",{\"_placeholder\":true,\"num\":7}]",
        "51-[\"foo\",{\"_placeholder\":false,\"num\":7},{\"_placeholder\":true,\"num\":0}]",
        // A number names an event in JavaScript.
        "2[5,\"x\"]",
        // Digits in the data are none of the id's.
        "2[\"1\"]",
        "21[\"a\"]",
        // JSON that a tree cannot hold: numbers beyond a double, half a surrogate pair, depth.
        "2[\"foo\",1e999]",
        "2[\"foo\",\"\\ud83d\"]",
        "51-[\"foo\",1e999]",
        &deep,
        &deep_binary,
        // A namespace is a literal name, and data may hold slashes and commas.
        "4/custom?t=1,{\"message\":\"Invalid namespace\"}",
        "2[\"/a,b\"]",
    ];
    for text in table {
        assert!(examine(text).is_ok(), "{text:.80}: {}", examine(text).unwrap_err());
    }
}

#[test]
fn the_name_of_an_event_is_found_without_parsing() {
    let table = [
        (r#"["foo"]"#, "foo", ""),
        (r#"["foo",1]"#, "foo", "1"),
        (r#"["foo",1,{"a":[2]}]"#, "foo", r#"1,{"a":[2]}"#),
        (r#"["foo","]"]"#, "foo", r#""]""#),
        (r#"["",[]]"#, "", "[]"),
        (" [ \"foo\" ,\t1 , 2 ]\r\n", "foo", "1 , 2"),
        // Escapes.
        (r#"["a\"b",1]"#, "a\"b", "1"),
        (r#"["a\\",1]"#, "a\\", "1"),
        (r#"["\u00e9\n\/"]"#, "é\n/", ""),
        (r#"["\ud83d\ude00"]"#, "😀", ""),
        (r#"["€,\"]",2]"#, "€,\"]", "2"),
        // Numbers.
        ("[5,1]", "5", "1"),
        ("[-1.5e3]", "-1.5e3", ""),
    ];
    for (data, name, arguments) in table {
        assert_eq!(event_name(data), Some((Cow::Borrowed(name), arguments)), "{data}");
    }
    assert!(matches!(event_name(r#"["foo",1]"#), Some((Cow::Borrowed(_), _))));
}

#[test]
fn a_payload_that_begins_with_no_name_has_none() {
    let table = [
        "",
        "[",
        "]",
        "[]",
        "[ ]",
        "{}",
        "[null]",
        "[true,1]",
        "[[\"foo\"]]",
        "[{}]",
        "[,]",
        "[\"foo\"",
        "[\"foo]",
        "[\"foo\\\"]",
        "[\"foo\" 1]",
        "[\"foo\",]",
        "[\"foo\", ]",
        "[\"\\x\"]",
        "[\"\\ud83d\"]",
        "[\"\n\"]",
        "\"foo\"",
    ];
    for data in table {
        assert_eq!(event_name(data), None, "{data}");
    }
}

#[test]
fn a_violation_tells_the_requirement_the_fact_and_the_source_and_is_short() {
    let text = format!("2{{\"secret\":\"\u{1b}[2J{}\"}}", "x".repeat(100_000));
    let violation = decode(&text).unwrap_err();
    let told = violation.to_string();
    assert!(told.starts_with("the payload of an event is a non-empty array"), "{told}");
    assert!(told.ends_with("(Socket.IO v5, Sending and receiving data)"), "{told}");
    assert!(told.len() < 400 && !told.contains('\u{1b}'), "{told}");
}

#[derive(Clone, Debug)]
struct Owned {
    kind: Kind,
    attachments: u32,
    namespace: String,
    id: Option<u64>,
    data: Option<String>,
}

impl Owned {
    fn packet(&self) -> Packet<'_> {
        Packet {
            kind: self.kind,
            attachments: self.attachments,
            namespace: &self.namespace,
            id: self.id,
            data: self.data.as_deref(),
        }
    }
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[^_]{0,6}", inner), 0..4).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

/// Any packet that follows the rules, of any kind.
fn correct() -> impl Strategy<Value = Owned> {
    let namespace = prop_oneof![Just(MAIN.to_owned()), "/[^,]{1,12}"];
    let parts =
        (any::<String>(), prop::collection::vec(json(), 0..4), prop::option::of(any::<u64>()), 0..4_u32);
    (prop::sample::select(&Kind::ALL[..]), namespace, parts).prop_map(
        |(kind, namespace, (name, mut arguments, id, count))| {
            let mut attachments = 0;
            if kind.is_binary() {
                attachments = count;
                arguments.extend((0..count as usize).map(crate::protocol::placeholder));
            }
            let id = match kind {
                Kind::Ack | Kind::BinaryAck => Some(id.unwrap_or(0)),
                _ => id,
            };
            let data = match kind {
                Kind::Connect => arguments.pop().map(|auth| serde_json::json!({ "auth": auth })),
                Kind::Disconnect => None,
                Kind::ConnectError => Some(serde_json::json!({ "message": name })),
                Kind::Ack | Kind::BinaryAck => Some(Value::Array(arguments)),
                Kind::Event | Kind::BinaryEvent => {
                    arguments.insert(0, name.into());
                    Some(Value::Array(arguments))
                }
            };
            Owned { kind, attachments, namespace, id, data: data.map(|data| data.to_string()) }
        },
    )
}

proptest! {
    #[test]
    fn every_correct_packet_is_read_back_as_it_was_written_and_stands_examination(owned in correct()) {
        let mut text = String::new();
        owned.packet().encode(&mut text);
        prop_assert_eq!(decode(&text), Ok(owned.packet()));
        prop_assert_eq!(examine(&text), Ok(owned.packet()));
    }

    #[test]
    fn the_name_of_an_event_is_that_of_a_full_parse(owned in correct()) {
        prop_assume!(matches!(owned.kind, Kind::Event | Kind::BinaryEvent));
        let data = owned.data.as_deref().unwrap();
        let array: Vec<Value> = serde_json::from_str(data).unwrap();
        let (name, arguments) = event_name(data).unwrap();
        prop_assert_eq!(Some(name.as_ref()), array[0].as_str());
        let arguments: Vec<Value> = serde_json::from_str(&format!("[{arguments}]")).unwrap();
        prop_assert_eq!(arguments, &array[1..]);
    }

    #[test]
    fn a_damaged_packet_is_a_packet_or_a_violation(
        owned in correct(),
        at in any::<prop::sample::Index>(),
        to in any::<char>(),
    ) {
        let mut text = String::new();
        owned.packet().encode(&mut text);
        let characters = text.chars().count();
        let at = at.index(characters);
        let damaged: String = text.chars().enumerate().map(|(i, c)| if i == at { to } else { c }).collect();
        let prefix: String = text.chars().take(at).collect();
        for text in [damaged, prefix] {
            let _ = examine(&text);
            if let Ok(packet) = decode(&text) {
                packet.data.and_then(event_name);
            }
        }
    }

    #[test]
    fn any_text_is_a_packet_or_a_violation(text in prop_oneof![any::<String>(), "[0-7][-/,0-9a\\[\\]{}\"\\\\ ]{0,20}"]) {
        let _ = examine(&text);
        event_name(&text);
    }
}

#[test]
fn the_main_namespace_is_told_where_it_is_written_out() {
    for (text, plain) in
        [(r#"2/,["a"]"#, r#"2["a"]"#), ("0/,", "0"), ("1/", "1"), (r#"51-/,7["a"]"#, r#"51-7["a"]"#)]
    {
        assert_eq!(without_main(text).as_deref(), Some(plain));
        assert_eq!(check_main(text).map(|violation| violation.rule), Some(Rule::Namespace), "{text}");
    }
    for text in ["", "0", "9/,", r#"2["/,"]"#, r#"2/x,["a"]"#, "0//,", r#"51/,["a"]"#, "1/x"] {
        assert_eq!(without_main(text), None, "{text}");
    }
}

#[test]
fn packets_that_nothing_tells_from_each_other_are_known_by_what_stands_behind_the_first() {
    for payload in ["{\"sid\":\"a\"}\n42[\"news\"]", "[1]42[2]", "[1]bAQ==", "[1]\r\n2"] {
        assert!(is_joined(payload), "{payload:?}");
    }
    for payload in ["", "[1]", "[1]\n", "[1] ]", "[1", "{\"sid\":\"a\"}x", "42[1]"] {
        assert!(!is_joined(payload), "{payload:?}");
    }
}
