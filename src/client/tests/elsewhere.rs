//! Clients that go from one node of the server to another.

use super::*;
use crate::audit::UNKNOWN_NODE;

fn two_nodes(script: &str, test: impl FnOnce(Play<'_>)) {
    let script = format!("- alice: connect\n{script}");
    play_at(&["a", "b"], ("{ alice: 1 }", &script), 0, |mut play| {
        play.begin(0);
        play.accepted();
        play.hear(OPEN);
        assert_eq!(play.hear(r#"40{"sid":"s","pid":"p"}"#), Flow::Done);
        play.said();
        test(play);
    });
}

#[test]
fn a_client_that_was_cut_off_reconnects_at_another_node_with_what_it_remembers() {
    for node in ["b", "1", "\"${(n + 1) % nodes}\""] {
        let script = format!(
            "- alice: [ {{ disconnect: cut }}, {{ reconnect: {{ node: {node} }} }}, {{ broadcast: {{ event: news, args: [\"${{node}}\"] }} }} ]"
        );
        two_nodes(&script, |mut play| {
            play.hear(r#"42["news","o"]"#);
            play.begin(1);
            let said = play.said();
            assert_eq!(said[3..], ["to node 1", "dial /socket.io/?EIO=4&transport=websocket"], "{said:?}");
            assert_eq!(play.found.moves, [1]);
            play.accepted();
            play.hear(OPEN);
            assert_eq!(play.said(), [r#"40{"pid":"p","offset":"o"}"#]);
            play.hear(r#"40{"sid":"s","pid":"p"}"#);
            assert!(play.said()[0].contains(r#""b""#), "its own node is another one now");
        });
    }
}

#[test]
fn a_client_that_is_connected_stays_where_it_is() {
    two_nodes("- alice: { connect: { node: b, namespace: /other } }", |mut play| {
        assert_eq!(play.begin(1), Flow::Done);
        let [(_, why)] = &play.found.missed[..] else { panic!("{:?}", play.found.missed) };
        assert!(why.contains("the client is connected at a"), "{why}");
        assert_eq!((play.said().len(), play.found.moves.len()), (0, 0));
    });
}

#[test]
fn a_node_that_the_target_does_not_have_is_named() {
    two_nodes("- alice: [ { disconnect: cut }, { reconnect: { node: c } } ]", |mut play| {
        play.begin(1);
        let [(_, why)] = &play.found.missed[..] else { panic!("{:?}", play.found.missed) };
        assert!(why.contains(r#"find the node "c" of `alice`: the target's nodes are a, b"#), "{why}");
    });
}

#[test]
fn a_client_learns_its_node_from_an_event_and_forgets_it_with_its_connection() {
    let contract = "{ alice: 1 }
contract:
  node: { event: welcome, name: '${args[0].node}' }
  broadcast: { emit: [say, '${body}'] }";
    let script = "- alice: [ { broadcast: { bytes: 40 } }, { disconnect: cut }, reconnect ]";
    connected_as(contract, script, |mut play| {
        assert_eq!(play.found.moves, [UNKNOWN_NODE], "nobody has told it yet");
        play.hear(r#"42["welcome",{"node":"x"}]"#);
        play.hear(r#"42["welcome",{"node":"x"}]"#);
        play.hear(r#"42["welcome",{"node":"so and so"}]"#);
        play.hear(r#"42["welcome"]"#);
        assert_eq!(play.found.moves, [UNKNOWN_NODE, 0]);
        play.begin(1);
        assert_eq!(play.found.moves, [UNKNOWN_NODE, 0, UNKNOWN_NODE]);
        play.accepted();
        play.hear(OPEN);
        play.hear(r#"40{"sid":"t"}"#);
        play.hear(r#"42["welcome",{"node":"y"}]"#);
        assert_eq!(play.found.moves, [UNKNOWN_NODE, 0, UNKNOWN_NODE, 1]);
        let names = play.plan.context.learned.as_ref().expect("the contract says so").told();
        assert_eq!(names, [(0, "x".to_owned()), (1, "y".to_owned())]);
        assert!(!play.client.was_astray());
    });
}
