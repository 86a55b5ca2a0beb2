//! What a recording of several tabs shows of an application, and what it does not.

use serde_json::json;
use sockrates::importer::{Imported, har};

/// A recording of tabs, each of which says and hears what is told of it: the kind, the time in seconds, the text, or bytes in base64.
pub(crate) fn of_tabs(tabs: &[&[(&str, f64, &str)]]) -> String {
    let open = r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;
    let entry = |said: &&[(&str, f64, &str)]| {
        let begin = said.first().map_or(0.0, |first| first.1) - 0.1;
        let head = [
            ("receive", begin, open),
            ("send", begin + 0.02, "40"),
            ("receive", begin + 0.04, r#"40{"sid":"b"}"#),
        ];
        let messages: Vec<_> = head
            .iter()
            .chain(*said)
            .map(|(kind, time, data)| match kind.strip_suffix(" bytes") {
                None => json!({ "type": kind, "time": 1e9 + time, "opcode": 1, "data": data }),
                Some(kind) => json!({ "type": kind, "time": 1e9 + time, "opcode": 2, "data": data }),
            })
            .collect();
        let url = "ws://localhost:3000/socket.io/?EIO=4&transport=websocket";
        let request = json!({ "method": "GET", "url": url, "headers": [] });
        json!({ "request": request, "response": {}, "_webSocketMessages": messages })
    };
    let entries: Vec<_> = tabs.iter().map(entry).collect();
    json!({ "log": { "entries": entries } }).to_string()
}

pub(crate) fn imported(har: &str) -> Imported {
    har::import(har.as_bytes(), "x.har", "-").expect("it can be imported")
}

#[test]
fn of_very_many_kinds_of_events_only_the_most_frequent_are_guessed_at() {
    let names: Vec<String> = (0..600).map(|number| format!("{number}:event")).collect();
    let data: Vec<String> = names.iter().map(|name| format!(r#"42["{name}","good morning"]"#)).collect();
    let often = r#"42["say","good evening all"]"#;
    let mut sender = vec![("send", 1.0, often), ("receive", 1.1, often), ("send", 4.0, often)];
    sender.extend(data.iter().map(|data| ("send", 8.0, data.as_str())));
    let hearer = [("receive", 1.1, often), ("receive", 4.1, often)];
    let found = imported(&of_tabs(&[&sender, &hearer]));
    assert!(found.remarks().iter().any(|note| note.contains("very many kinds of events")));
    assert!(found.text.contains("the text of its argument /0"), "the most frequent has its evidence");
    let few = imported(&of_tabs(&[&sender[..400], &hearer]));
    assert!(!few.remarks().iter().any(|note| note.contains("very many kinds of events")));
}

#[test]
fn what_a_tab_hears_that_was_said_before_it_came_is_the_history_of_a_chat() {
    let join = |at| ("send", at, r#"42["join","hall"]"#);
    let (asks, says) =
        (r#"42["say",{"room":"hall","text":"good morning"}]"#, r#"42["said",{"text":"good morning"}]"#);
    let ann = [join(1.0), ("send", 2.0, asks)];
    let bob = [join(1.1), ("receive", 2.1, says)];
    let late = [join(5.0), ("receive", 5.1, says)];
    let text = imported(&of_tabs(&[&ann, &bob, &late])).text;
    assert!(
        text.contains("history: true") && text.contains("a tab that came later heard it 1 time"),
        "{text}"
    );
    let text = imported(&of_tabs(&[&ann, &bob, &late[..1]])).text;
    assert!(text.contains("arrives_as: said") && !text.contains("history"), "{text}");
    // What is said again may be heard again.
    let again = [ann[0], ann[1], ("send", 5.05, asks)];
    let text = imported(&of_tabs(&[&again, &bob, &late])).text;
    assert!(text.contains("arrives_as: said") && !text.contains("history"), "{text}");
}

#[test]
fn a_name_that_comes_again_carries_no_stamp() {
    let ann = r#"42["sit down",{"seat":3,"player":"anna"}]"#;
    let table = r#"42["seats",["anna","bert"]]"#;
    let tabs = |later: &str| {
        imported(&of_tabs(&[
            &[("send", 1.0, ann), ("receive", 9.0, "2")],
            &[("receive", 1.1, table), ("receive", 6.0, later), ("receive", 9.0, "2")],
        ]))
        .text
    };
    for again in [r#"42["played",{"by":"anna","card":7}]"#, r#"42["seats",["anna"]]"#] {
        let text = tabs(again);
        assert!(text.contains("event: sit down") && !text.contains("stamp"), "{text}");
    }
    let text = tabs(r#"42["seats",["bert"]]"#);
    assert!(text.contains("arrives_as: seats"), "{text}");
}

#[test]
fn what_the_server_tells_one_tab_and_others_say_is_kept_by_its_group_which_comes_first() {
    let join = |nick: &str| format!(r#"420["player:join",{{"pin":"100417","nickname":"{nick}"}}]"#);
    let (ann, bob) = (join("anna"), join("bert"));
    let (smile, grin) = (r#"42["emoji","so many smiles"]"#, r#"42["emoji","grin of the cat"]"#);
    let tabs = |host: &[(&str, f64, &str)]| {
        let said = [("receive", 5.1, smile), ("receive", 6.1, grin), ("receive", 9.0, "2")];
        let host = [host, &said].concat();
        imported(&of_tabs(&[
            &host,
            &[("send", 2.0, &ann), ("receive", 2.1, "430[7]"), ("send", 5.0, smile), ("receive", 6.1, grin)],
            &[("send", 3.0, &bob), ("receive", 3.1, "430[8]"), ("receive", 5.1, smile), ("send", 6.0, grin)],
        ]))
        .text
    };
    let by_ack = [("send", 1.0, r#"420["create"]"#), ("receive", 1.1, r#"430[{"pin":"100417"}]"#)];
    let by_event = [("send", 1.0, r#"42["create"]"#), ("receive", 1.1, r#"42["created",{"pin":"100417"}]"#)];
    for (host, kept) in [(&by_ack, "answer_create"), (&by_event, "got_created")] {
        let text = tabs(host);
        assert!(text.contains(&format!("pin: \"${{visitors.{kept}.pin}}\"")), "{text}");
        assert!(text.contains("count: 1") && text.contains("fixed: true"), "{text}");
        let place = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what}: {text}"));
        assert!(place("event: create") < place("event: \"player:join\""), "{text}");
        assert!(!text.contains("my_pin") && !text.contains("100417"), "{text}");
    }
}

#[test]
fn a_message_that_not_all_hear_who_are_there_is_owed_to_nobody() {
    let say = r#"42["answer","it is blue"]"#;
    let told = r#"42["told",{"by":"ann","text":"it is blue"}]"#;
    let asks = r#"42["ready",7]"#;
    let tabs = |third: &[(&str, f64, &str)]| {
        let host = [("send", 1.0, asks), ("receive", 3.1, told), ("receive", 6.0, "2")];
        let ann = [("send", 1.1, asks), ("send", 3.0, say), ("receive", 6.0, "2")];
        imported(&of_tabs(&[&host, &ann, third])).text
    };
    let text = tabs(&[("send", 1.2, asks), ("receive", 6.0, "2")]);
    assert!(text.contains("not each of the tabs") && !text.contains("reaches:"), "{text}");
    // Who heard it, who had gone, and who may not have been in yet.
    for third in [
        &[("send", 1.2, asks), ("receive", 3.1, told), ("receive", 6.0, "2")][..],
        &[("send", 1.2, asks)],
        &[("receive", 1.2, "2"), ("send", 5.0, asks), ("receive", 6.0, "2")],
    ] {
        let text = tabs(third);
        assert!(text.contains("arrives_as: told, reaches: others"), "{text}");
    }
}

#[test]
fn tabs_that_say_the_same_in_different_rooms_are_groups_of_their_own() {
    let join = |room: &str| format!(r#"42["join","{room}"]"#);
    let say = |room: &str, text: &str| format!(r#"42["say",{{"room":"{room}","text":"{text}"}}]"#);
    let (hall, attic) = (join("hall"), join("attic"));
    let (ann, bob, cid) =
        (say("hall", "good morning"), say("hall", "good evening"), say("attic", "nobody is here"));
    let tabs = |last: &str, said: &str| {
        imported(&of_tabs(&[
            &[("send", 1.0, &hall), ("send", 2.0, &ann), ("receive", 4.1, &bob)],
            &[("send", 1.1, &hall), ("receive", 2.1, &ann), ("send", 4.0, &bob)],
            &[("send", 1.2, last), ("send", 6.0, said)],
        ]))
        .text
    };
    let text = tabs(&attic, &cid);
    assert!(text.contains("2 tabs, each of which sent") && text.contains("in other rooms"), "{text}");
    assert!(text.contains("join: hall") && text.contains("join: attic"), "{text}");
    let text = tabs(&hall, &say("hall", "nobody is here"));
    assert!(text.contains("3 tabs, each of which sent") && !text.contains("in other rooms"), "{text}");
}

#[test]
fn what_a_tab_says_in_a_namespace_where_it_is_alone_is_what_it_is_in_another() {
    let open = |nsp: &str| format!(r#"40{nsp},"#);
    let granted = |nsp: &str| format!(r#"40{nsp},{{"sid":"s{nsp}"}}"#);
    let say = |nsp: &str, text: &str| format!(r#"42{nsp},["message","{text}"]"#);
    let (one, two) = ((open("/org-1"), granted("/org-1")), (open("/org-2"), granted("/org-2")));
    let (ann, bob, cid) =
        (say("/org-1", "good morning"), say("/org-1", "good evening"), say("/org-2", "nobody is here"));
    let text = imported(&of_tabs(&[
        &[
            ("send", 1.0, &one.0),
            ("receive", 1.1, &one.1),
            ("send", 2.0, &ann),
            ("receive", 2.1, &ann),
            ("receive", 5.1, &bob),
        ],
        &[
            ("send", 1.0, &one.0),
            ("receive", 1.1, &one.1),
            ("receive", 2.1, &ann),
            ("send", 5.0, &bob),
            ("receive", 5.1, &bob),
        ],
        &[("send", 1.0, &two.0), ("receive", 1.1, &two.1), ("send", 8.0, &cid), ("receive", 8.1, &cid)],
    ]))
    .text;
    assert!(!text.contains("is a join"), "{text}");
    assert!(text.contains("broadcast: { args: [nobody is here], namespace: /org-2 }"), "{text}");
}

/// Two tabs that come in by `hello`, of which the first says two things, and the second something between them.
fn of_two_who_greet() -> String {
    let hello =
        |at, id: u8, nick: &str| (at, format!(r#"42{id}["hello",{{"nick":"{nick}","room":"green"}}]"#));
    let (ann, bob) = (hello(1.0, 0, "anna"), hello(1.5, 0, "bert"));
    let joined = r#"42["joined",{"nick":"bert"}]"#;
    let message = |id: u8, from: &str, text: &str| {
        format!(r#"42["message",{{"id":"m{id}","from":"{from}","text":"{text}"}}]"#)
    };
    let say = |id: u8, text: &str| format!(r#"42{id}["say",{{"room":"green","text":"{text}"}}]"#);
    let ack = |id: u8, number: u8| format!(r#"43{id}[{{"ok":true,"id":"m{number}"}}]"#);
    let first = [
        ("send", 1.0, ann.1),
        ("receive", 1.1, r#"430[null,{"members":1}]"#.to_owned()),
        ("receive", 1.6, joined.to_owned()),
        ("send", 2.0, say(1, "good morning")),
        ("receive", 2.1, message(1, "anna", "good morning")),
        ("receive", 2.1, ack(1, 1)),
        ("receive", 2.6, message(2, "bert", "who is there")),
        ("send", 3.0, say(2, "it is me")),
        ("receive", 3.1, message(3, "anna", "it is me")),
        ("receive", 3.1, ack(2, 3)),
        ("send", 3.2, r#"42["typing",{"room":"green"}]"#.to_owned()),
        ("receive", 3.6, r#"42["file",{"title":"a plan of it"}]"#.to_owned()),
        ("send", 4.0, r#"42["delete",{"id":"m3"}]"#.to_owned()),
        ("receive", 4.1, r#"42["deleted","m3"]"#.to_owned()),
        ("send", 4.2, r#"423["whois"]"#.to_owned()),
        ("receive", 4.3, "433[2]".to_owned()),
        ("send", 4.5, r#"42["bye"]"#.to_owned()),
        ("receive", 5.0, r#"42["gone","bert"]"#.to_owned()),
    ];
    let second = [
        ("send", 1.5, bob.1),
        ("receive", 1.6, r#"430[null,{"members":2}]"#.to_owned()),
        ("receive", 2.1, message(1, "anna", "good morning")),
        ("send", 2.5, say(1, "who is there")),
        ("receive", 2.6, message(2, "bert", "who is there")),
        ("receive", 2.6, ack(1, 2)),
        ("receive", 3.1, message(3, "anna", "it is me")),
        ("receive", 3.3, r#"42["typing",{"from":"anna"}]"#.to_owned()),
        ("send", 3.5, r#"42["upload",{"room":"green","title":"a plan of it"}]"#.to_owned()),
        ("receive", 4.1, r#"42["deleted","m3"]"#.to_owned()),
        ("receive", 4.7, "2".to_owned()),
    ];
    let of = |said: &[(&'static str, f64, String)]| -> Vec<(&'static str, f64, String)> { said.to_vec() };
    let tabs = [of(&first), of(&second)];
    let lines: Vec<Vec<(&str, f64, &str)>> = tabs
        .iter()
        .map(|tab| tab.iter().map(|(kind, at, text)| (*kind, *at, text.as_str())).collect())
        .collect();
    of_tabs(&[&lines[0], &lines[1]])
}

#[test]
fn who_says_a_name_and_a_room_once_and_hears_its_messages_from_then_on_has_joined_it() {
    let text = imported(&of_two_who_greet()).text;
    assert!(text.contains("guessed: `hello` is a join: its argument /0/room names a room"), "{text}");
    assert!(text.contains("emit: [hello, { nick: \"user-${index}\", room: \"${room}\" }]"), "{text}");
    assert!(text.contains("broadcast: { to: green, args: [good morning]"), "{text}");
    // A message tells who says it, but it is not because of the event by which that client came.
    assert!(!text.contains("tells: { event: message"), "{text}");
}

#[test]
fn what_comes_because_of_another_tab_is_no_answer_and_neither_is_a_single_event_beside_an_acknowledgement() {
    let text = imported(&of_two_who_greet()).text;
    // `gone` came when the other tab had said its last.
    for event in ["typing", "whois", "bye"] {
        let line = text.lines().find(|line| line.contains(&format!("event: {event}"))).expect("it was sent");
        assert!(!line.contains("response"), "{line}");
    }
}

#[test]
fn an_id_that_the_acknowledgement_told_is_kept_from_there_and_carries_no_stamp() {
    let text = imported(&of_two_who_greet()).text;
    assert!(text.contains(r#"event: delete, args: [{ id: "${answer_say.id}" }]"#), "{text}");
    let says = text.lines().find(|line| line.contains("it is me")).expect("it was said");
    assert!(says.contains("ack: { capture: answer_say }"), "{text}");
}

#[test]
fn cookies_that_connections_came_with_are_named_without_their_values() {
    let request = |name: &str| {
        let cookies = json!({ "name": name, "value": "io=abc; sid=s3cr3t-session-77; theme=dark" });
        let url = "ws://localhost:3000/socket.io/?EIO=4&transport=websocket";
        let messages = [("receive", r#"0{"sid":"a"}"#), ("send", "40"), ("receive", r#"40{"sid":"b"}"#)];
        let messages: Vec<_> = messages
            .iter()
            .map(|(kind, data)| json!({ "type": kind, "time": 1, "opcode": 1, "data": data }))
            .collect();
        let entry = json!({ "request": { "url": url, "headers": [cookies] }, "response": {}, "_webSocketMessages": messages });
        imported(&json!({ "log": { "entries": [entry] } }).to_string())
    };
    let told = request("Cookie").remarks().join("\n");
    assert!(
        told.contains("that no recorded request had set: `sid`, `theme`; if they let a client in, log in"),
        "{told}"
    );
    assert!(!told.contains("s3cr3t"), "{told}");
    assert_eq!(request("X-Other").remarks(), Vec::<String>::new());
}

#[test]
fn a_recording_says_the_same_whatever_unit_its_times_have() {
    let seconds = of_two_who_greet();
    let mut har: serde_json::Value = serde_json::from_str(&seconds).expect("it is JSON");
    for factor in [1e3, 1e3] {
        for entry in har["log"]["entries"].as_array_mut().expect("a list") {
            for message in entry["_webSocketMessages"].as_array_mut().expect("a list") {
                message["time"] = json!(message["time"].as_f64().expect("a number") * factor);
            }
        }
        assert_eq!(imported(&har.to_string()).text, imported(&seconds).text);
    }
}

#[test]
fn one_event_for_all_kinds_of_messages_is_a_broadcast_where_it_carries_a_text() {
    let msg = |kind: &str, rest: &str| format!(r#"42["msg",{{"type":"{kind}","payload":{rest}}}]"#);
    let join = |nick: &str| msg("join", &format!(r#"{{"channel":"green","user":"{nick}"}}"#));
    let chat = |text: &str| msg("chat", &format!(r#"{{"channel":"green","text":"{text}"}}"#));
    let said = |text: &str| msg("chat", &format!(r#"{{"by":"anna","text":"{text}"}}"#));
    let lists = msg("list", "null");
    let (anna, bert, joined) = (join("anna"), join("bert"), msg("joined", r#"{"by":"bert"}"#));
    let (asks, says, again, said_again) =
        (chat("good morning"), said("good morning"), chat("what is new"), said("what is new"));
    let first: Vec<(&str, f64, &str)> = vec![
        ("send", 1.0, &anna),
        ("receive", 1.6, &joined),
        ("send", 2.0, &asks),
        ("receive", 2.1, &says),
        ("send", 5.0, &again),
        ("receive", 5.1, &said_again),
        ("send", 8.0, &lists),
    ];
    let second: Vec<(&str, f64, &str)> = vec![
        ("send", 1.5, &bert),
        ("receive", 2.1, &says),
        ("receive", 5.1, &said_again),
        ("send", 8.0, &lists),
    ];
    let text = imported(&of_tabs(&[&first, &second])).text;
    assert!(text.contains("with the text of its argument /0/payload/text"), "{text}");
    assert!(text.contains("args: [good morning]") && text.contains("args: [what is new]"), "{text}");
    // Whoever comes in does so before the first says something.
    let part = |word: &str| text.find(word).expect("it is said");
    let until = text[part("type: join")..part("args: [good morning]")].matches("index * 1000").count();
    assert_eq!(until, 1, "{text}");
}

#[test]
fn a_message_of_bytes_is_a_broadcast_and_its_room_is_the_one_that_its_tab_had_named_before() {
    let open = |at| ("send", at, r#"42["open","plan"]"#);
    let update = r#"451-["update","plan",{"_placeholder":true,"num":0}]"#;
    let comes = r#"451-["update",{"_placeholder":true,"num":0}]"#;
    let (one, other) = ("AQID/w==", "CQgH/g==");
    let ann = [
        open(1.0),
        ("send", 3.0, update),
        ("send bytes", 3.0, one),
        ("receive", 6.1, comes),
        ("receive bytes", 6.1, other),
    ];
    let bob = [
        open(1.5),
        ("receive", 3.1, comes),
        ("receive bytes", 3.1, one),
        ("send", 6.0, update),
        ("send bytes", 6.0, other),
    ];
    let text = imported(&of_tabs(&[&ann, &bob])).text;
    for part in [
        r#"join: { emit: [open, "${room}"] }"#,
        r#"broadcast: { emit: [update, "${room}", { $utf8: "${body}" }], reaches: others }"#,
        "2 of 2 times another tab heard `update` with the same bytes",
        "- broadcast: { to: plan, bytes: 32 }",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Others than were sent are no message.
    let bob = [bob[0], bob[1], ("receive bytes", 3.1, other)];
    let text = imported(&of_tabs(&[&ann[..3], &bob])).text;
    assert!(!text.contains("broadcast") && text.contains("{ $bytes: 4 }"), "{text}");
    assert!(!text.contains("$utf8"), "{text}");
}

#[test]
fn a_room_that_stands_at_a_place_of_its_own_is_known_by_the_event_that_named_it_before() {
    let [open, say, comes] =
        [r#"42["open","red"]"#, r#"42["say","red","good morning"]"#, r#"42["said","good morning"]"#];
    let ann = [("send", 1.0, open), ("send", 3.0, say)];
    let bob = [("send", 1.5, open), ("receive", 3.1, comes)];
    let text = imported(&of_tabs(&[&ann, &bob])).text;
    for part in [
        r#"join: { emit: [open, "${room}"] }"#,
        r#"emit: [say, "${room}", "${body}"]"#,
        "{ to: red, args: [good morning] }",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Who had not named it shows that it is none.
    let text = imported(&of_tabs(&[&ann[1..], &bob])).text;
    assert!(text.contains(r#"emit: [say, red, "${body}"]"#) && !text.contains("join"), "{text}");
}

#[test]
fn a_message_that_arrives_in_another_namespace_is_a_broadcast() {
    let asks = r#"42/admin,["alert",{"text":"the disk is full"}]"#;
    let hears = r#"42/feed,["alert",{"text":"the disk is full"}]"#;
    let into =
        |namespace: &str| (format!("40{namespace},"), format!(r#"40{namespace},{{"sid":"x{namespace}"}}"#));
    let (admin, feed) = (into("/admin"), into("/feed"));
    let text = imported(&of_tabs(&[
        &[("send", 1.0, &admin.0), ("receive", 1.1, &admin.1), ("send", 3.0, asks)],
        &[("send", 1.0, &feed.0), ("receive", 1.1, &feed.1), ("receive", 3.1, hears)],
    ]))
    .text;
    for part in
        ["arrives_in: /feed, reaches: others", "it came in the namespace `/feed`", "namespace: /admin }"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// A host who opens a game, whose PIN the server tells it as this value, and a player who comes in with that one, and answers.
fn of_a_game(told: &str, typed: &str) -> String {
    let [create, pin] = [r#"420["create","capitals"]"#.to_owned(), format!(r#"430[{{"pin":{told}}}]"#)];
    let asks = format!(r#"421["question",{{"pin":{told},"text":"which one is it"}}]"#);
    let hears = r#"42["question",{"text":"which one is it"}]"#;
    let comes = format!(r#"420["join-game",{typed},"zoe"]"#);
    let answers = format!(r#"421["answer",{{"pin":{typed},"text":"it is the first"}}]"#);
    let answered = r#"42["answered",{"text":"it is the first"}]"#;
    imported(&of_tabs(&[
        &[
            ("send", 1.0, &create),
            ("receive", 1.1, &pin),
            ("receive", 3.1, r#"42["player","zoe"]"#),
            ("send", 5.0, &asks),
            ("receive", 5.1, "431[{\"ok\":true}]"),
            ("receive", 8.1, answered),
        ],
        &[
            ("send", 3.0, &comes),
            ("receive", 3.1, r#"430[{"ok":true}]"#),
            ("receive", 5.1, hears),
            ("send", 8.0, &answers),
            ("receive", 8.1, r#"431[{"ok":true}]"#),
        ],
    ]))
    .text
}

#[test]
fn a_code_that_is_a_number_is_kept_for_those_who_come_in_by_it() {
    for (told, typed, said) in [
        ("482913", "482913", "${talkers.answer_create.pin}"),
        ("482913", r#""482913""#, "${encoded(talkers.answer_create.pin)}"),
        (r#""482913""#, "482913", "${number(talkers.answer_create.pin)}"),
    ] {
        let text = of_a_game(told, typed);
        assert!(!text.contains("482913"), "{text}");
        assert!(text.contains(&format!(r#"event: join-game, args: ["{said}", "zoe"#)), "{said}: {text}");
        assert!(text.contains("fixed: true") && text.contains("capture: answer_create"), "{text}");
    }
}

#[test]
fn a_code_is_known_by_its_way_from_one_tab_to_another_wherever_it_stands() {
    let tabs = |third: &[(&str, f64, &str)]| {
        let host = [("send", 1.0, r#"420["create"]"#), ("receive", 1.1, r#"430["K7QX"]"#)];
        let guest = [("send", 3.0, r#"42["come","K7QX"]"#)];
        imported(&of_tabs(&[&host, &guest, third])).text
    };
    let text = tabs(&[]);
    assert!(
        !text.contains("K7QX") && text.contains(r#"event: come, args: ["${visitors.answer_create}"]"#),
        "{text}"
    );
    // What several tabs are told before one says it is no secret of one of them.
    let text = tabs(&[("send", 1.0, r#"420["list"]"#), ("receive", 1.1, r#"430["K7QX"]"#)]);
    assert!(text.contains(r#"event: come, args: [K7QX]"#), "{text}");
}

#[test]
fn an_id_that_is_a_number_is_that_of_the_clients_own_message_and_no_other_number_is_followed() {
    let say = |id: u8, text: &str| format!(r#"42{id}["post",{{"text":"{text}","size":7}}]"#);
    let edit = r#"421["edit",{"id":7,"size":7,"text":"a better text"}]"#;
    let (said, hears) = (say(0, "a first text"), r#"42["message",{"id":7,"text":"a first text"}]"#);
    let text = imported(&of_tabs(&[
        &[
            ("send", 1.0, &said),
            ("receive", 1.1, r#"430[{"id":7,"size":7}]"#),
            ("send", 4.0, edit),
            ("receive", 4.1, r#"431[{"ok":true}]"#),
        ],
        &[("receive", 1.1, hears), ("receive", 4.1, r#"42["edited",{"id":7,"text":"a better text"}]"#)],
    ]))
    .text;
    assert!(
        text.contains("capture: answer_post") && text.contains(r#"id: "${answer_post.id}", size: 7"#),
        "{text}"
    );
    // What one client was told is nothing that the contract can say for all.
    assert!(text.contains(r#"emit: [post, { text: "${body}", size: 7 }]"#), "{text}");
}

#[test]
fn nobody_is_owed_the_entrance_of_another_who_may_have_to_come_in_first() {
    let text = of_a_game("482913", "482913");
    assert!(text.contains("tells: { event: question, reaches: others }"), "{text}");
    let enter = |name: &str| format!(r#"42["enter game",7,"{name}"]"#);
    let comes = |name: &str| format!(r#"42["player","{name}"]"#);
    let (zoe, yan) = (enter("zoe marie"), enter("yan otto"));
    let text = imported(&of_tabs(&[
        &[("receive", 1.0, "2"), ("receive", 2.1, &comes("zoe marie")), ("receive", 3.1, &comes("yan otto"))],
        &[("receive", 1.0, "2"), ("send", 2.0, &zoe), ("receive", 3.1, &comes("yan otto"))],
        &[("receive", 1.0, "2"), ("send", 3.0, &yan), ("receive", 9.0, "2")],
    ]))
    .text;
    assert!(text.contains("not each of the tabs") && !text.contains("reaches"), "{text}");
}

#[test]
fn with_one_other_tab_nobody_knows_whether_a_message_to_somebody_is_for_all() {
    let asks = |key: &str| format!(r#"42["tell",{{"{key}":2,"text":"good morning"}}]"#);
    let told = r#"42["told","good morning"]"#;
    let tabs = |key: &str, third: &[(&str, f64, &str)]| {
        let asks = asks(key);
        let first = [("receive", 1.0, "2"), ("send", 3.0, asks.as_str())];
        let second = [("receive", 1.0, "2"), ("receive", 3.1, told), ("receive", 9.0, "2")];
        imported(&of_tabs(&[&first, &second, third])).text
    };
    let text = tabs("to", &[]);
    assert!(text.contains("one other tab was there, and its argument /0/to may say to whom"), "{text}");
    assert!(!text.contains("reaches:"), "{text}");
    // What tells nobody is for all, as far as one tab shows it.
    let text = tabs("priority", &[]);
    assert!(text.contains("one other tab was there") && text.contains("reaches: others"), "{text}");
    // A third one shows it.
    let third = [("receive", 1.0, "2"), ("receive", 3.1, told), ("receive", 9.0, "2")];
    let text = tabs("to", &third);
    assert!(text.contains("reaches: others") && !text.contains("one other tab"), "{text}");
    assert!(!tabs("to", &[third[0], third[2]]).contains("reaches:"));
}

#[test]
fn a_name_that_comes_again_under_another_key_carries_no_stamp() {
    let enters = r#"42["enter game",7,"zoe marie"]"#;
    let answered = |text: &str| format!(r#"42["answered",{{"nick":"zoe marie","text":"{text}"}}]"#);
    let says = |text: &str| format!(r#"42["answer","{text}"]"#);
    let (one, other) = ("it is blue", "it is green");
    let (says, answered) = ([says(one), says(other)], [answered(one), answered(other)]);
    let text = imported(&of_tabs(&[
        &[
            ("receive", 2.1, r#"42["player","zoe marie"]"#),
            ("receive", 4.1, &answered[0]),
            ("receive", 8.1, &answered[1]),
        ],
        &[("send", 2.0, enters), ("send", 4.0, &says[0]), ("send", 8.0, &says[1])],
    ]))
    .text;
    assert!(text.contains("event: enter game, args: [7, zoe marie]"), "{text}");
    assert!(text.contains("`answer` is a broadcast"), "{text}");
}

#[test]
fn all_name_their_room_before_the_first_says_something_whatever_that_event_is_called() {
    let (open, says) = (r#"42["board:open","sprint"]"#, r#"42["card:create",{"title":"paint the shed"}]"#);
    let created = r#"42["card:created",{"title":"paint the shed"}]"#;
    let ann = [("send", 1.0, open), ("send", 3.0, says), ("receive", 9.0, "2")];
    let bob = [("send", 1.2, open), ("receive", 3.1, created), ("receive", 9.0, "2")];
    let text = imported(&of_tabs(&[&ann, &bob])).text;
    let part = |word: &str| text.find(word).expect("it is said");
    let last = text.rfind("board:open").expect("it is said");
    assert!(last < part("args: [paint the shed]"), "{text}");
    assert!(text[last..part("args: [paint the shed]")].contains("- talkers:"), "an act of its own: {text}");
}
