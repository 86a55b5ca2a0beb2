//! How an application says that it has done what the contract asks it for, or that it will not.

use super::stage::{OPEN, Play, connected_as, play};
use super::*;

/// Plays alice, connected, on an application with this contract.
fn with_contract(contract: &str, script: &str, test: impl FnOnce(Play<'_>)) {
    let clients = format!("{{ alice: {{ count: 1, auth: {{ id: 7 }} }} }}\ncontract: {contract}");
    connected_as(&clients, script, test);
}

const ASKS: &str = "{ join: { emit: [enter, \"${room}\"], ack: true }, \
                      leave: { emit: [exit, \"${room}\"], ack: { args: [\"left ${room}\"] } }, \
                      broadcast: { emit: [say, \"${room}\", \"${body}\"], ack: { args: [{ ok: true, to: \"${room}\" }] } } }";

#[test]
fn a_refused_join_is_a_failed_check_and_no_join() {
    with_contract(
        ASKS,
        "- alice: { join: lobby }\n- alice: { broadcast: { to: lobby, args: [a] } }",
        |mut play| {
            play.begin(1);
            assert_eq!(play.hear(r#"430[{"error":"the room is full"}]"#), Flow::Done);
            assert!(play.found.failed[0].actual.contains(r#"[{"error":"the room is full"}]"#));
            assert!(play.found.passed.iter().all(|step| *step == 0), "only the connect held");
            assert_eq!(play.found.missed, []);
            assert_eq!(play.found.rooms, ["joining lobby", "refused lobby"]);
        },
    );
}

#[test]
fn what_is_no_refusal_for_certain_is_none() {
    for answer in ["[]", "[\"lobby\"]", r#"[{"error":null}]"#, r#"[null,{"error":"x"}]"#] {
        with_contract(
            ASKS,
            "- alice: { join: lobby }\n- alice: { broadcast: { to: lobby, args: [a] } }",
            |mut play| {
                play.begin(1);
                play.hear(&format!("430{answer}"));
                assert_eq!(play.found.rooms, ["joining lobby", "joined lobby"], "{answer}");
                assert!(play.found.failed.is_empty());
            },
        );
    }
}

#[test]
fn what_may_be_a_refusal_is_neither_a_join_nor_none_and_the_check_says_what_decides_it() {
    let script = "- alice: { join: lobby }\n- alice: { broadcast: { to: lobby, args: [a] } }";
    for answer in [r#"[false,"the room is full"]"#, r#"["error","full"]"#] {
        with_contract(ASKS, script, |mut play| {
            play.begin(1);
            assert_eq!(play.hear(&format!("430{answer}")), Flow::Done);
            assert!(play.found.failed[0].actual.contains(answer), "{:?}", play.found.failed);
            assert!(play.found.failed[0].actual.contains("ack: { args: [true] }"), "{:?}", play.found.failed);
            assert_eq!(play.found.rooms, ["joining lobby"], "{answer}");
        });
    }
}

#[test]
fn a_text_that_may_be_a_refusal_is_told_and_joins_nobody_for_certain() {
    let script = "- alice: { join: lobby }\n- alice: { broadcast: { to: lobby, args: [a] } }";
    with_contract(ASKS, script, |mut play| {
        play.begin(1);
        play.hear(r#"430["the name is taken"]"#);
        assert_eq!(play.found.rooms, ["joining lobby"]);
        assert!(play.found.failed.is_empty());
        assert!(play.found.troubles[0].1.contains("the name is taken"), "{:?}", play.found.troubles);
    });
    let plain = ASKS.replace("ack: { args: [{ ok: true, to: \"${room}\" }] }", "ack: true");
    with_contract(&plain, "- alice: { broadcast: { to: lobby, args: [a] } }", |mut play| {
        play.begin(1);
        play.hear(r#"430["you are muted"]"#);
        assert_eq!((&play.found.lost[..], &play.found.turned_down[..]), (&[true][..], &[false][..]));
    });
}

#[test]
fn an_application_that_may_refuse_by_its_own_rules_fails_no_check_by_a_refusal() {
    let may_refuse = ASKS.replace("to: \"${room}\" }] } }", "to: \"${room}\" }] }, may_refuse: true }");
    with_contract(&may_refuse, "- alice: { broadcast: { to: lobby, args: [a] } }", |mut play| {
        play.begin(1);
        play.hear(r#"430["too low"]"#);
        assert!(play.found.failed.is_empty(), "{:?}", play.found.failed);
        assert_eq!(play.found.turned_down, [true], "it is for nobody all the same");
    });
    with_contract(&may_refuse, "- alice: { broadcast: { to: lobby, args: [a] } }", |mut play| {
        play.begin(1);
        play.hear(r#"430[{"ok":true,"to":"lobby"}]"#);
        assert_eq!(play.found.excused, [false], "what it has accepted, it owes");
    });
    let vague = may_refuse.replace("ack: { args: [{ ok: true, to: \"${room}\" }] }, may", "ack: true, may");
    with_contract(&vague, "- alice: { broadcast: { to: lobby, args: [a] } }", |mut play| {
        play.begin(1);
        play.hear("430[]");
        assert_eq!(play.found.excused, [true], "that it was read says nothing of its rules");
    });
    with_contract(ASKS, "- alice: { broadcast: { to: lobby, args: [a] } }", |mut play| {
        play.begin(1);
        play.hear(r#"430["too low"]"#);
        assert_eq!(play.found.failed.len(), 1);
    });
}

#[test]
fn a_broadcast_is_accepted_by_what_the_contract_says_and_by_nothing_else() {
    let script = "- alice: { broadcast: { to: lobby, args: [a] } }";
    for (answer, is_accepted) in [
        (r#"[{"ok":true,"to":"lobby"}]"#, true),
        (r#"[{"ok":true,"to":"hall"}]"#, false),
        (r#"[{"error":"you are muted"}]"#, false),
        ("[]", false),
    ] {
        with_contract(ASKS, script, |mut play| {
            play.begin(1);
            play.hear(&format!("430{answer}"));
            assert_eq!(play.found.settled, [is_accepted], "{answer}");
            assert_eq!(play.found.lost, [!is_accepted], "nobody has to receive what was refused");
            assert_eq!(play.found.turned_down, [!is_accepted], "and that is certain");
            assert_eq!(play.found.failed.is_empty(), is_accepted);
            assert_eq!(play.found.count(Counter::AckReceived), 1);
        });
    }
}

#[test]
fn a_step_may_demand_the_refusal_and_still_it_is_no_join() {
    let script =
        "- alice: { join: { room: lobby, ack: { args: [{ error: { $type: string } }], capture: why } } }
                  - alice: { emit: { event: a, args: [\"${why.error}\"] } }
                  - alice: { broadcast: { to: lobby, args: [a] } }";
    with_contract(ASKS, script, |mut play| {
        play.begin(1);
        play.hear(r#"430[{"error":"full"}]"#);
        assert!(play.found.failed.is_empty());
        assert_eq!(play.found.rooms, ["joining lobby", "refused lobby"]);
        play.said();
        play.begin(2);
        assert_eq!(play.said(), [r#"42["a","full"]"#]);
    });
}

#[test]
fn a_leave_that_was_refused_is_no_leave() {
    let script = "- alice: { join: lobby }\n- alice: { leave: lobby }\n- alice: { leave: lobby }
                  - alice: { broadcast: { to: lobby, args: [a] } }";
    with_contract(ASKS, script, |mut play| {
        play.begin(1);
        play.hear("430[]");
        play.begin(2);
        play.hear("431[\"no\"]");
        assert_eq!((play.found.failed.len(), play.found.rooms.len()), (1, 3));
        play.begin(3);
        play.hear("432[\"left lobby\"]");
        assert_eq!(play.found.rooms[3..], ["parting lobby", "parted lobby"]);
    });
}

#[test]
fn an_acknowledgement_that_tells_of_an_error_is_told_where_any_is_accepted() {
    let script = "- alice: { emit: { event: login, ack: true } }";
    with_contract(ASKS, script, |mut play| {
        play.begin(1);
        play.hear(r#"430[{"ok":false}]"#);
        assert_eq!((play.found.failed.len(), play.found.troubles.len()), (0, 1));
        assert!(play.found.troubles[0].1.contains("login"), "{:?}", play.found.troubles);
    });
}

const EVENTS: &str = "{ join: { emit: [enter, \"${room}\"], confirmed_by: { event: joined, args: [{ room: \"${room}\" }] } }, \
                        broadcast: { emit: [say, \"${room}\", \"${body}\"] } }";
const JOINS: &str = "- alice: { join: { room: lobby, within: 1s } }
                     - alice: { join: { room: lobby, within: 1s } }
                     - alice: { broadcast: { to: lobby, args: [a] } }";

#[test]
fn a_join_is_done_when_the_event_comes_that_confirms_it() {
    with_contract(EVENTS, JOINS, |mut play| {
        assert_eq!(play.begin(1), Flow::Waiting);
        assert_eq!(play.hear(r#"42["joined",{"room":"hall"}]"#), Flow::Waiting);
        assert_eq!(play.found.rooms, ["joining lobby"]);
        assert_eq!(play.hear(r#"42["joined",{"room":"lobby"}]"#), Flow::Done);
        assert_eq!(play.found.rooms, ["joining lobby", "joined lobby"]);
        assert_eq!(play.found.passed.last(), Some(&1));
        assert_eq!(play.found.count(Counter::Fences), 0, "the answer says that it was read");
        // Another one that came before it was asked for does not confirm the next.
        play.hear(r#"42["joined",{"room":"lobby"}]"#);
        assert_eq!(play.begin(2), Flow::Waiting);
        assert_eq!(play.found.rooms[2..], ["joining lobby"]);
    });
}

#[test]
fn a_join_that_no_event_confirms_is_a_failed_check_and_no_missed_acknowledgement() {
    with_contract(EVENTS, JOINS, |mut play| {
        play.begin(1);
        play.hear(r#"42["joined",{"room":"hall"}]"#);
        assert_eq!(play.pass(999), Flow::Waiting);
        play.pass(1);
        let actual = &play.found.failed[0].actual;
        assert!(actual.contains("`joined`") && actual.contains("did not fit"), "{actual}");
        assert!(actual.contains("hall"), "it says what was there instead: {actual}");
        assert_eq!((play.found.missed.len(), play.found.count(Counter::AckAsked)), (0, 0));
        assert_eq!(play.found.rooms, ["joining lobby"]);
    });
}

const STANDING: &str = "{ rooms: [\"user:${auth.id}\", \"${me.team}\", \"${query.x}\"], \
                          broadcast: { emit: [say, \"${room}\", \"${body}\"] } }";

#[test]
fn the_rooms_that_the_server_decides_are_known_when_their_names_are() {
    let script = "- alice: { expect: { event: session, capture: me } }
                  - alice: { disconnect: cut }\n- alice: connect
                  - alice: { expect: { event: session, capture: me } }
                  - alice: { broadcast: { to: x, args: [a] } }";
    with_contract(STANDING, script, |mut play| {
        assert_eq!(play.found.rooms, ["placed user:7"]);
        play.begin(1);
        play.hear(r#"42["session",{"team":"red"}]"#);
        assert_eq!(play.found.rooms[1..], ["placed red"]);
        play.begin(2);
        play.begin(3);
        play.accepted();
        play.hear(OPEN);
        play.hear(r#"40{"sid":"t"}"#);
        // The team of the connection before may be another now.
        assert_eq!(play.found.rooms[2..], ["placed user:7", "maybe placed red"]);
        play.begin(4);
        play.hear(r#"42["session",{"team":"blue"}]"#);
        assert_eq!(play.found.rooms[4..], ["moved red", "placed blue"]);
    });
}

const TOLD: &str = "{ rooms: [{ entered: { event: assigned, name: \"${args[0].tickets}\" }, \
                       left: { event: closed, name: \"${args[0]}\" } }, \"${me.teams}\"], \
                       join: { emit: [watch, \"${room}\"], ack: true }, \
                       broadcast: { emit: [say, \"${room}\", \"${body}\"] } }";

#[test]
fn events_tell_of_the_rooms_that_a_client_comes_into_and_out_of_whether_a_step_takes_them_or_not() {
    let script = "- alice: { wait: 1s }
                  - alice: { broadcast: { to: x, args: [a] } }";
    with_contract(TOLD, &format!("{script}\n- alice: {{ set: {{ me: 1 }} }}"), |mut play| {
        play.begin(1);
        play.hear(r#"42["assigned",{"tickets":["t1","t2"]}]"#);
        play.hear(r#"42["assigned",{"tickets":"t3"}]"#);
        play.hear(r#"42["closed","t1"]"#);
        // Nothing stands where the room should.
        play.hear(r#"42["assigned",{"tickets":null}]"#);
        play.hear(r#"42["assigned"]"#);
        play.hear(r#"42["other",{"tickets":"t4"}]"#);
        assert_eq!(play.found.rooms, ["placed t1", "placed t2", "placed t3", "moved t1"]);
        play.hear(&format!(r#"42["assigned",{{"tickets":"{}"}}]"#, "x".repeat(5_000)));
        // Nobody remembers so long a name: it may be any.
        assert_eq!(play.found.rooms[4..], ["untraced in /"]);
    });
}

#[test]
fn a_value_that_is_a_list_names_several_rooms_and_the_next_one_takes_back_those_that_it_lacks() {
    let script = "- alice: { expect: { event: session, capture: me } }
                  - alice: { expect: { event: session, capture: me } }
                  - alice: { broadcast: { to: x, args: [a] } }";
    with_contract(TOLD, script, |mut play| {
        play.begin(1);
        play.hear(r#"42["session",{"teams":["red","blue"]}]"#);
        assert_eq!(play.found.rooms, ["placed red", "placed blue"]);
        play.begin(2);
        play.hear(r#"42["session",{"teams":["blue","green"]}]"#);
        assert_eq!(play.found.rooms[2..], ["moved red", "placed green"]);
    });
}

const READY: &str = "{ ready: { event: welcome, args: [{ $contains: { level: 3 } }] }, rooms: [\"user:${auth.id}\"], \
                        join: { emit: [enter, \"${room}\"], ack: true }, \
                        broadcast: { emit: [say, \"${room}\", \"${body}\"] } }";

/// Plays alice with this contract until the server has let her in, for the second time on the same terms.
fn let_in_again(test: impl FnOnce(Play<'_>)) {
    let clients = format!("{{ alice: {{ count: 1, auth: {{ id: 7 }} }} }}\ncontract: {READY}");
    let script = "- alice: connect
                  - alice: { disconnect: cut }
                  - alice: { connect: { within: 1s } }
                  - alice: { expect: { event: welcome, args: [{ level: { $type: number } }] } }
                  - alice: [ { join: lobby }, { broadcast: { to: lobby, args: [a] } } ]";
    play(&clients, script, 0, |mut play| {
        for act in [0, 2] {
            play.begin(act);
            play.accepted();
            play.hear(OPEN);
            assert_eq!(play.hear(r#"40{"sid":"s"}"#), Flow::Waiting);
            if act == 0 {
                assert_eq!(play.hear(r#"42["welcome",{"level":3}]"#), Flow::Done);
                play.begin(1);
            }
        }
        test(play);
    });
}

#[test]
fn a_connect_is_done_when_the_event_comes_by_which_the_server_says_that_it_is_ready() {
    let_in_again(|mut play| {
        assert_eq!(play.found.latency(Metric::Connect).len(), 2, "the reply to CONNECT ends it");
        assert_eq!(play.hear(r#"42["welcome",{"level":2}]"#), Flow::Waiting, "it is another one");
        let before = ["maybe placed user:7", "placed user:7", "maybe placed user:7"];
        assert_eq!(play.found.rooms, before, "who is not ready may have put nobody anywhere");
        assert_eq!(play.hear(r#"42["welcome",{"level":3}]"#), Flow::Done);
        assert_eq!(play.found.rooms[3..], ["placed user:7"]);
        assert_eq!(play.begin(3), Flow::Done, "the script may want what it says");
        assert!(play.found.failed.is_empty(), "{:?}", play.found.failed);
    });
}

#[test]
fn a_server_that_never_says_that_it_is_ready_fails_the_connect() {
    let_in_again(|mut play| {
        play.hear(r#"42["welcome",{"level":2}]"#);
        assert_eq!(play.pass(999), Flow::Waiting);
        assert_eq!(play.pass(1), Flow::Done);
        let failure = &play.found.failed[0];
        let (expected, actual) = (&failure.expected, &failure.actual);
        assert!(expected.contains("by which the server says that it is ready"), "{expected}");
        assert!(actual.contains("the client was let in, and it did not come within 1s"), "{actual}");
        assert!(actual.contains("one of its name did not fit"), "{actual}");
        assert_eq!(play.found.missed, [], "it is connected");
    });
}

#[test]
fn a_namespace_that_ends_before_the_server_is_ready_fails_the_connect() {
    let_in_again(|mut play| {
        assert_eq!(play.hear("41"), Flow::Done);
        assert!(play.found.failed[0].actual.contains("ended the namespace"), "{:?}", play.found.failed);
    });
}

#[test]
fn a_session_that_is_recovered_need_not_be_greeted_again() {
    let clients = "{ alice: 1 }\ncontract: { ready: { event: welcome }, join: { emit: [enter, \"${room}\"], ack: true } }";
    let script = "- alice: connect
                  - alice: { disconnect: cut }
                  - alice: { reconnect: { within: 1s } }
                  - alice: { join: lobby }";
    play(clients, script, 0, |mut play| {
        play.begin(0);
        play.accepted();
        play.hear(OPEN);
        play.hear(r#"40{"sid":"s","pid":"p"}"#);
        assert_eq!(play.hear(r#"42["welcome","offset"]"#), Flow::Done);
        play.begin(1);
        play.begin(2);
        play.accepted();
        play.hear(OPEN);
        assert_eq!(play.hear(r#"40{"sid":"s","pid":"p"}"#), Flow::Done, "its session goes on");
        assert!(play.found.failed.is_empty(), "{:?}", play.found.failed);
    });
}
