//! What a contract takes, and what it refuses.

use serde_json::json;

use super::*;

fn read(text: &str) -> Result<Contract, Mistake> {
    let source = Source { name: "contract".to_owned(), text: text.to_owned() };
    Contract::read(&parse(&source)?, &mut Scope::bare())
}

fn told(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn the_default_contract_says_how_to_ask_for_everything() {
    let contract = Contract::fixture();
    for verb in Verb::ALL {
        let ask = contract.need(verb, Span::default()).unwrap();
        assert!(ask.ack.is_some(), "{verb:?}");
        assert!(ask.event.fixed().is_some(), "{verb:?}");
    }
}

#[test]
fn what_is_fixed_stays_fixed_when_words_are_put_in() {
    let room = Template::from(json!("lobby"));
    let ask = Contract::fixture().get(Verb::Join).unwrap().bind(&[("room", &room)]);
    assert_eq!(ask.args[0].fixed(), Some(&json!("lobby")));
}

#[test]
fn words_keep_their_type_and_may_stay_open() {
    let (to, empty) = (Template::from(json!(["a", "b"])), Template::from(json!([])));
    let (from, event) = (Template::from(json!("io")), Template::from(json!("news")));
    let words = [("to", &to), ("except", &empty), ("flags", &empty), ("from", &from), ("event", &event)];
    let ask = Contract::fixture().get(Verb::Broadcast).unwrap().bind(&words);
    let options = json!({ "from": "io", "to": ["a", "b"], "except": [], "flags": [] });
    assert_eq!(ask.args[0].fixed(), Some(&options));
    assert_eq!(ask.arrives_as.fixed(), Some(&json!("news")));
    assert!(ask.args[2].fixed().is_none() && ask.uses("args") && !ask.uses("to"));
}

#[test]
fn a_broadcast_arrives_under_the_name_it_was_emitted_with_unless_told() {
    let plain = read("broadcast: { emit: [\"chat message\", \"${body}\"] }").unwrap();
    assert_eq!(plain.get(Verb::Broadcast).unwrap().arrives_as.fixed(), Some(&json!("chat message")));
    let told = read("broadcast: { emit: [say, \"${body}\"], arrives_as: said }").unwrap();
    assert_eq!(told.get(Verb::Broadcast).unwrap().arrives_as.fixed(), Some(&json!("said")));
}

#[test]
fn a_contract_that_could_not_work_is_refused() {
    assert_eq!(
        told("join: { emit: [enter, \"${rom}\"] }"),
        "unknown word or variable `rom` (did you mean `room`?)"
    );
    let roomless = told("leave: { emit: [exit] }");
    assert!(
        roomless.starts_with("nothing in this says what to `leave` (put `${room}` where the"),
        "{roomless}"
    );
    assert!(roomless.contains("confirmed_by: { event: moved, args: [\"${room}\"] }"), "{roomless}");
    assert!(
        read("leave: { emit: [exit], confirmed_by: { event: out, args: [{ table: \"${room}\" }] } }").is_ok()
    );
    assert!(told("leave: { emit: [exit], confirmed_by: { event: out } }").contains("nothing in this says"));
    assert!(told("broadcast: { emit: [say, \"${room}\"] }").contains("`${args}` or `${body}`"));
    assert_eq!(
        told("fence: { emit: [ok] }"),
        "`fence` means nothing without an acknowledgement (add `ack: true`)"
    );
    assert_eq!(told("jion: { emit: [enter] }"), "unknown key `jion` in the contract (did you mean `join`?)");
    assert!(told("join: { emit: [a, \"${room}\"], arrives_as: b }").contains("unknown key `arrives_as`"));
    assert!(told("join: { emit: [] }").contains("an empty list"));
}

#[test]
fn what_others_are_told_has_a_stamp_and_a_name() {
    let ask =
        read("join: { emit: [a, \"${room}\", \"${stamp}\"], tells: { event: b, reaches: others } }").unwrap();
    let tells = ask.get(Verb::Join).and_then(|ask| ask.tells.as_ref()).expect("it says so");
    assert_eq!((tells.event.fixed(), tells.reaches), (Some(&json!("b")), Some(Reach::Others)));
    assert!(told("join: { emit: [a, \"${room}\"], tells: { event: b } }").contains("carries the stamp"));
    assert!(told("join: { emit: [a, \"${room}\", \"${stamp}\"] }").contains("add `tells:"));
    assert!(
        told("broadcast: { emit: [a, \"${body}\"], tells: { event: b } }").contains("unknown key `tells`")
    );
}

#[test]
fn only_members_are_passed_on_for_certain_unless_it_is_said() {
    let senders =
        |text: &str| read(text).map(|contract| contract.get(Verb::Broadcast).map(|ask| ask.senders));
    let rooms = "emit: [say, \"${room}\", \"${body}\"]";
    assert_eq!(senders(&format!("broadcast: {{ {rooms} }}")), Ok(Some(Senders::Members)));
    assert_eq!(senders(&format!("broadcast: {{ {rooms}, senders: anyone }}")), Ok(Some(Senders::Anyone)));
    assert!(told(&format!("broadcast: {{ {rooms}, senders: anyon }}")).contains("did you mean `anyone`"));
    assert!(told("broadcast: { emit: [say, \"${body}\"], senders: anyone }").contains("no place for rooms"));
}

#[test]
fn broadcasts_are_passed_on_in_order_unless_it_is_said() {
    let promise = |text: &str| {
        let contract = read(&format!("broadcast: {{ emit: [say, \"${{body}}\"]{text} }}"))?;
        Ok::<_, Mistake>(contract.get(Verb::Broadcast).map(|ask| (ask.order, ask.may_refuse)))
    };
    assert_eq!(promise(""), Ok(Some((Order::Sent, false))));
    assert_eq!(promise(", order: none, may_refuse: true"), Ok(Some((Order::None, true))));
    let history = |text: &str| Ok::<_, Mistake>(read(text)?.has_history());
    assert_eq!(history("broadcast: { emit: [say, \"${body}\"] }"), Ok(false));
    assert_eq!(history("broadcast: { emit: [say, \"${body}\"], history: true }"), Ok(true));
    assert!(told("join: { emit: [a, \"${room}\"], history: true }").contains("unknown key `history`"));
    assert!(promise(", order: nome").unwrap_err().to_string().contains("did you mean `none`"));
    assert!(told("join: { emit: [a, \"${room}\"], order: none }").contains("unknown key `order`"));
}

#[test]
fn where_a_message_stands_among_those_that_are_repeated_is_said_by_the_arguments_of_its_event() {
    let contract = read(
        "broadcast: { emit: [say, { text: \"${body}\" }], arrives_as: said, stamp_in: \"${args[0].text}\" }",
    )
    .unwrap();
    let places: Vec<_> = contract.own_places().map(|(event, _)| event.fixed().cloned()).collect();
    assert_eq!(places, [Some(json!("said"))]);
    let told = |place: &str| told(&format!("broadcast: {{ emit: [say, \"${{body}}\"], stamp_in: {place} }}"));
    assert!(told("text").contains("does not say where in the event"), "{}", told("text"));
    assert!(told("\"${arg[0]}\"").contains("did you mean `args`"));
    assert!(Contract::fixture().own_places().next().is_none());
}

#[test]
fn how_a_join_is_answered_is_said_once() {
    let join = "emit: [enter, \"${room}\"]";
    let ask = |more: &str| read(&format!("join: {{ {join}, {more} }}"));
    let acks = |more: &str| ask(more).map(|contract| contract.get(Verb::Join).map(|ask| ask.ack.is_some()));
    assert_eq!(acks("ack: false"), Ok(Some(false)));
    assert_eq!(acks("ack: { args: [{ joined: \"${room}\" }] }"), Ok(Some(true)));
    assert!(acks("ack: { args: [\"${rom}\"] }").is_err());
    assert!(acks("ack: { }").is_err() && acks("ack: { args: ok }").is_err());
    assert!(ask("confirmed_by: { event: joined, args: [\"${room}\"] }").is_ok());
    let both = told(&format!("join: {{ {join}, ack: true, confirmed_by: {{ event: joined }} }}"));
    assert!(both.contains("says already when it is done"), "{both}");
    assert!(
        told("broadcast: { emit: [say, \"${body}\"], confirmed_by: { event: said } }")
            .contains("unknown key `confirmed_by`")
    );
}

#[test]
fn what_the_contract_does_not_say_is_told_with_what_to_add() {
    let contract = read("leave: { emit: [exit, \"${room}\"] }").unwrap();
    let mistake = contract.need(Verb::Join, Span::default()).unwrap_err();
    assert_eq!(mistake.message, "the contract does not say how to `join`");
    assert_eq!(mistake.hint.as_deref(), Some("add `join: { emit: [\"event\", \"${room}\"] }` to `contract`"));
}

#[test]
fn a_broadcast_goes_to_the_room_that_the_server_knows() {
    let ask = |more: &str| {
        let contract = read(&format!("broadcast: {{ emit: [say, \"${{body}}\"]{more} }}"))?;
        Ok::<_, Mistake>(contract.get(Verb::Broadcast).cloned().expect("it was just read"))
    };
    let own = ask(", to: \"team-${auth.team}\", senders: anyone").unwrap();
    assert!(own.names_rooms() && !own.takes_rooms("to") && !own.takes_rooms("room"));
    let named = ask(", to: \"${to}\"").unwrap();
    assert!(named.names_rooms() && named.takes_rooms("to") && !named.uses("to"));
    assert!(ask(", to: [\"a-${query.a}\", \"b-${room}\"]").is_ok());
    assert!(!ask("").unwrap().names_rooms());
    assert!(ask(", to: []").unwrap_err().to_string().contains("names no room"));
    assert!(ask(", to: \"${atuh.team}\"").unwrap_err().to_string().contains("did you mean `auth`"));
    let twice = told("broadcast: { emit: [say, \"${room}\", \"${body}\"], to: \"team-${auth.team}\" }");
    assert!(twice.contains("`emit` says already which room it is"), "{twice}");
    let topic = "broadcast: { emit: [publish, \"${room}\", \"${body}\"], to: [\"${room}\", all] }";
    assert!(read(topic).is_ok(), "it stands for more than it says");
    assert!(told("fence: { emit: [a], to: b }").contains("unknown key `to`"));
}

#[test]
fn a_room_that_clients_join_may_have_another_name_on_the_server_and_has_it_everywhere() {
    let join = |to: &str| format!("join: {{ emit: [enter, \"${{room}}\"], to: {to} }}");
    let contract = read(&join("\"${auth.team}/${room}\"")).unwrap();
    assert!(contract.get(Verb::Join).unwrap().to.as_ref().unwrap().uses("room"));
    assert!(read(&join("[\"${room}\", \"${query.city}\"]")).is_ok());
    assert!(told(&join("\"${to}\"")).contains("`to`"), "a join names rooms one at a time");
    assert!(told(&join("hall")).contains("`emit` says already which room it is"));
    let both = |more: &str| format!("{}\n{more}", join("\"${query.team}/${room}\""));
    for (more, name) in [
        ("leave: { emit: [exit, \"${room}\"] }", "leave"),
        ("broadcast: { emit: [say, \"${room}\", \"${body}\"] }", "broadcast"),
    ] {
        let why = told(&both(more));
        assert!(why.contains(&format!("which room it is on the server, and `{name}` does not")), "{why}");
    }
    assert!(read(&both("broadcast: { emit: [say, \"${body}\"], to: hall }")).is_ok());
    assert!(read(&both("broadcast: { emit: [say, \"${body}\"], reaches: others }")).is_ok());
}

#[test]
fn a_stamp_of_its_own_is_what_a_broadcast_says() {
    let stamped = read("broadcast: { emit: [move, { x: 1, id: \"${stamp}\" }], arrives_in: /play }").unwrap();
    let ask = stamped.get(Verb::Broadcast).unwrap();
    assert!(ask.uses("stamp") && !ask.uses("args"));
    assert_eq!(ask.arrives_in.as_ref().and_then(Template::fixed), Some(&json!("/play")));
}

#[test]
fn one_thing_tells_a_client_its_node() {
    for (text, sign) in [
        ("node: { header: X-Node }", "Header(\"X-Node\")"),
        ("node: { cookie: SERVERID }", "Cookie(\"SERVERID\")"),
        ("node: { event: welcome, name: \"${args[0].node}\" }", "Event"),
    ] {
        let contract = read(text).unwrap();
        assert!(format!("{:?}", contract.node().unwrap().sign).starts_with(sign));
    }
    assert!(Contract::fixture().node().is_none());
    assert_eq!(read("node: { header: X, names: [b, a] }").unwrap().node().unwrap().names, ["b", "a"]);
    for (text, mistake) in [
        ("node: { event: welcome }", "nothing says where the event has the name of the node"),
        ("node: { header: X-Node, name: a }", "`name` belongs to an event"),
        ("node: { header: X-Node, cookie: C }", "one thing tells the node"),
        ("node: {}", "one thing tells the node"),
        ("node: { header: X-Node, names: [a] }", "these are the names of 2 to 16 nodes"),
        ("node: { header: X-Node, names: a }", "these are the names of 2 to 16 nodes"),
        ("node: { header: X-Node, names: [a, a] }", "two nodes are called `a`"),
        ("node: { header: X-Node, names: [a, b c] }", "no node is called so"),
    ] {
        assert!(told(text).starts_with(mistake), "{}", told(text));
    }
}
