use proptest::prelude::*;

use super::super::socket_io;
use super::*;

const ROOMY: fn() -> Assembler = || Assembler::new(10, 1 << 20);

fn header(text: &str) -> Packet<'_> {
    socket_io::decode(text).unwrap()
}

#[test]
fn the_binary_packets_of_the_specification_are_put_together() {
    let mut assembler = ROOMY();
    // Sending and receiving data, with multiple attachments.
    let text = r#"52-/admin,["baz",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#;
    assert_eq!(assembler.begin(&header(text)), Ok(None));
    assert!(assembler.pending());
    assert_eq!(assembler.push(&[1, 2]), Ok(None));
    let packet = assembler.push(&[3, 4]).unwrap().unwrap();
    assert!(!assembler.pending());
    assert_eq!(packet.kind, Kind::BinaryEvent);
    assert_eq!(packet.namespace, "/admin");
    assert_eq!(packet.id, None);
    assert_eq!(packet.data, r#"["baz",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#);
    assert_eq!(packet.attachments, [Bytes::from_static(&[1, 2]), Bytes::from_static(&[3, 4])]);

    // Acknowledgement, with binary data.
    let text = r#"61-15["bar",{"_placeholder":true,"num":0}]"#;
    assert_eq!(assembler.begin(&header(text)), Ok(None));
    let packet = assembler.push(&[1, 2, 3, 4]).unwrap().unwrap();
    assert_eq!((packet.kind, packet.id), (Kind::BinaryAck, Some(15)));
}

#[test]
fn a_packet_that_announces_nothing_is_complete_at_once() {
    let mut assembler = ROOMY();
    let packet = assembler.begin(&header(r#"50-["foo"]"#)).unwrap().unwrap();
    assert_eq!((packet.data.as_str(), packet.attachments.len()), (r#"["foo"]"#, 0));
    assert!(!assembler.pending());
}

#[test]
fn an_empty_attachment_is_an_attachment() {
    let mut assembler = ROOMY();
    assembler.begin(&header(r#"51-["foo",{"_placeholder":true,"num":0}]"#)).unwrap();
    assert_eq!(assembler.push(&[]).unwrap().unwrap().attachments, [Bytes::new()]);
}

#[test]
fn a_binary_message_that_belongs_to_nothing_is_a_violation() {
    let mut assembler = ROOMY();
    assert_eq!(assembler.push(&[1]).unwrap_err().rule, Rule::AttachmentStray);
    assembler.begin(&header(r#"51-["a"]"#)).unwrap();
    assembler.push(&[1]).unwrap();
    assert_eq!(assembler.push(&[2]).unwrap_err().rule, Rule::AttachmentStray);
}

#[test]
fn a_text_between_a_packet_and_its_attachments_ends_the_waiting() {
    let mut assembler = ROOMY();
    assembler.begin(&header(r#"52-["a"]"#)).unwrap();
    assembler.push(&[1]).unwrap();
    let violation = assembler.interrupt().unwrap_err();
    assert_eq!(violation.rule, Rule::AttachmentDue);
    assert!(violation.detail.contains("1 of 2"), "{violation}");
    assert_eq!(assembler.interrupt(), Ok(()));

    assembler.begin(&header(r#"51-["a"]"#)).unwrap();
    assert_eq!(assembler.begin(&header(r#"51-["b"]"#)).unwrap_err().rule, Rule::AttachmentDue);
    assert!(!assembler.pending());
}

#[test]
fn more_attachments_or_bytes_than_allowed_are_refused_when_they_are_announced_or_come() {
    let mut assembler = Assembler::new(2, 10);
    assert_eq!(assembler.begin(&header(r#"53-["a"]"#)).unwrap_err().rule, Rule::AttachmentLimit);
    assert_eq!(assembler.begin(&header(r#"54294967295-["a"]"#)).unwrap_err().rule, Rule::AttachmentLimit);
    assert_eq!(assembler.begin(&header(r#"50-["abcdefgh"]"#)).unwrap_err().rule, Rule::AttachmentLimit);

    // Five bytes of header and five of attachments are ten.
    assembler.begin(&header(r#"52-["a"]"#)).unwrap();
    assembler.push(&[0; 5]).unwrap();
    assert!(assembler.push(&[]).unwrap().is_some());
    assembler.begin(&header(r#"52-["a"]"#)).unwrap();
    assembler.push(&[0; 5]).unwrap();
    assert_eq!(assembler.push(&[0]).unwrap_err().rule, Rule::AttachmentLimit);
    assert!(!assembler.pending());
}

#[test]
fn an_idle_assembler_is_small() {
    assert!(size_of::<Assembler>() <= 32);
}

proptest! {
    #[test]
    fn what_is_sent_after_a_header_is_what_is_put_together(
        attachments in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 1..10),
        id in any::<Option<u64>>(),
    ) {
        let packet = Packet {
            kind: Kind::BinaryEvent,
            attachments: attachments.len() as u32,
            namespace: "/n",
            id,
            data: Some("[\"e\"]"),
        };
        let mut assembler = ROOMY();
        let mut whole = assembler.begin(&packet).unwrap();
        for bytes in &attachments {
            prop_assert_eq!(&whole, &None);
            whole = assembler.push(bytes).unwrap();
        }
        let whole = whole.unwrap();
        prop_assert_eq!(whole.id, id);
        prop_assert_eq!(&whole.namespace, "/n");
        prop_assert_eq!(whole.attachments, attachments);
    }

    #[test]
    fn no_sequence_of_messages_delivers_half_a_packet(steps in prop::collection::vec(0..6_u32, 0..40)) {
        let mut assembler = Assembler::new(4, 100);
        for step in steps {
            let whole = match step {
                0 => assembler.push(&[0; 7]),
                announced => assembler.begin(&Packet {
                    kind: Kind::BinaryEvent, attachments: announced - 1, namespace: "/", id: None, data: Some("[]"),
                }).map(|whole| whole.inspect(|whole| assert!(whole.attachments.is_empty()))),
            };
            if let Ok(Some(_)) | Err(_) = whole {
                prop_assert!(!assembler.pending());
            }
        }
    }
}
