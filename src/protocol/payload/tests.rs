use proptest::prelude::*;

use super::*;

fn read(body: &str) -> Vec<Result<Packet<'_>, Rule>> {
    packets(body).map(|packet| packet.map_err(|violation| violation.rule)).collect()
}

fn written(packets: &[Packet<'_>]) -> String {
    let mut body = String::new();
    packets.iter().for_each(|packet| append(packet, &mut body));
    body
}

fn binary(bytes: &[u8]) -> Packet<'_> {
    Packet::Binary(Cow::Borrowed(bytes))
}

#[test]
fn the_payloads_of_the_specification_read_and_write_as_printed() {
    let table = [
        // Packet encoding, HTTP long-polling.
        ("4hello\x1e2\x1e4world", vec![Packet::Text("hello"), Packet::Ping(""), Packet::Text("world")]),
        ("4hello\x1ebAQIDBA==", vec![Packet::Text("hello"), binary(&[1, 2, 3, 4])]),
        // A buffer of no bytes.
        ("b", vec![binary(&[])]),
        ("b\x1eb", vec![binary(&[]), binary(&[])]),
        // Both characters beyond letters and digits: the standard alphabet, not that for URLs.
        ("b+/+/", vec![binary(&[0xFB, 0xFF, 0xBF])]),
    ];
    for (body, packets) in table {
        assert_eq!(read(body), packets.iter().cloned().map(Ok).collect::<Vec<_>>(), "{body:?}");
        assert_eq!(written(&packets), body);
    }
}

#[test]
fn base64_that_a_strict_reader_refuses_is_a_violation() {
    let table = [
        ("bAQIDBA", "without its padding"),
        ("bAQIDBA=", "with half its padding"),
        ("bAQIDBB==", "with bits beyond the last byte"),
        ("b-_-_", "in the alphabet for URLs"),
        ("bAQ ID", "with a space"),
        ("bA", "of a single character"),
        ("b====", "of nothing but padding"),
        ("b€", "beyond ASCII"),
    ];
    for (body, what) in table {
        assert_eq!(read(body), [Err(Rule::PayloadBase64)], "{what}");
    }
}

#[test]
fn a_place_between_separators_that_holds_no_packet_is_a_violation() {
    let missing = Err(Rule::EnginePacketType);
    assert_eq!(read(""), std::slice::from_ref(&missing));
    assert_eq!(read("4a\x1e"), [Ok(Packet::Text("a")), missing.clone()]);
    assert_eq!(read("\x1e4a"), [missing.clone(), Ok(Packet::Text("a"))]);
    assert_eq!(read("4a\x1e\x1e2"), [Ok(Packet::Text("a")), missing, Ok(Packet::Ping(""))]);
}

#[test]
fn a_violation_costs_only_its_own_packet() {
    assert_eq!(
        read("4a\x1e9\x1eb!\x1e4b"),
        [Ok(Packet::Text("a")), Err(Rule::EnginePacketType), Err(Rule::PayloadBase64), Ok(Packet::Text("b"))]
    );
}

#[derive(Clone, Debug)]
enum Owned {
    Text(String),
    Binary(Vec<u8>),
}

impl Owned {
    fn packet(&self) -> Packet<'_> {
        match self {
            Owned::Text(text) => Packet::Text(text),
            Owned::Binary(bytes) => binary(bytes),
        }
    }
}

fn some_packets() -> impl Strategy<Value = Vec<Owned>> {
    let packet = prop_oneof![
        "[^\x1e]{0,20}".prop_map(Owned::Text),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Owned::Binary),
    ];
    prop::collection::vec(packet, 1..12)
}

proptest! {
    #[test]
    fn packets_are_read_back_as_they_were_written(owned in some_packets()) {
        let packets: Vec<Packet<'_>> = owned.iter().map(Owned::packet).collect();
        let body = written(&packets);
        prop_assert_eq!(read(&body), packets.into_iter().map(Ok).collect::<Vec<_>>());
    }

    #[test]
    fn a_damaged_payload_costs_no_packet_before_the_damage(
        owned in some_packets(),
        at in any::<prop::sample::Index>(),
        to in any::<char>(),
    ) {
        let body = written(&owned.iter().map(Owned::packet).collect::<Vec<_>>());
        let at = at.index(body.chars().count());
        let damaged: String = body.chars().enumerate().map(|(i, c)| if i == at { to } else { c }).collect();
        let whole = body.chars().take(at).filter(|c| *c == SEPARATOR).count();
        prop_assert_eq!(&read(&damaged)[..whole], &read(&body)[..whole]);
    }

    #[test]
    fn any_body_is_as_many_results_as_it_has_places(body in any::<String>()) {
        prop_assert_eq!(read(&body).len(), body.matches(SEPARATOR).count() + 1);
    }
}
