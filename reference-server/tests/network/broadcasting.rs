//! Rooms and broadcasts.

use serde_json::json;

use crate::support::{Client, Frame, Server};

fn crowd(server: &Server) -> [Client; 4] {
    std::array::from_fn(|_| server.client())
}

#[test]
fn every_address_reaches_whom_it_should_once() {
    let server = Server::start();
    let [mut a, mut b, mut c, mut d] = crowd(&server);
    a.join("r");
    b.join("r");
    b.join("s");
    c.join("s");
    let (b_id, c_id) = (b.sid.clone(), c.sid.clone());
    let table = [
        (json!({"from": "io"}), "abcd"),
        (json!({"from": "socket"}), "bcd"),
        (json!({"from": "io", "to": ["r"]}), "ab"),
        (json!({"from": "socket", "to": ["r"]}), "b"),
        (json!({"from": "io", "to": ["r", "s"]}), "abc"),
        (json!({"from": "socket", "to": ["r", "s"]}), "bc"),
        (json!({"from": "io", "to": ["r"], "except": ["s"]}), "a"),
        (json!({"from": "io", "except": ["s"]}), "ad"),
        (json!({"from": "io", "to": ["s"], "except": [b_id]}), "c"),
        (json!({"from": "socket", "to": [c_id]}), "c"),
        (json!({"from": "io", "to": ["nobody"]}), ""),
        (json!({"from": "io", "flags": ["local"]}), "abcd"),
        (json!({"from": "io", "flags": ["volatile"]}), "abcd"),
    ];
    for (n, (target, expected)) in table.iter().enumerate() {
        let text = format!("{n}");
        a.cast(target, &text);
        let mut heard = String::new();
        for (name, client) in [('a', &mut a), ('b', &mut b), ('c', &mut c), ('d', &mut d)] {
            for said in client.heard() {
                assert_eq!(said, text);
                heard.push(name);
            }
        }
        assert_eq!(&heard, expected, "{target}");
    }
}

#[test]
fn rooms_are_told_and_can_be_left() {
    let server = Server::start();
    let [mut a, mut b, ..] = crowd(&server);
    assert_eq!(b.ask(&json!(["t:join", ["x", "y", "x"]])), json!([[b.sid, "x", "y"]]));
    assert_eq!(b.ask(&json!(["t:leave", "x"])), json!([[b.sid, "y"]]));
    assert_eq!(b.ask(&json!(["t:leave", "never"])), json!([[b.sid, "y"]]));
    a.cast(&json!({"to": ["x"]}), "to x");
    a.cast(&json!({"to": ["y"]}), "to y");
    assert_eq!(b.heard(), ["to y"]);
}

#[test]
fn rooms_of_different_namespaces_are_different_rooms() {
    let server = Server::start();
    let mut a = server.client();
    let mut b = server.client();
    let in_custom = b.join_namespace("/custom", "");
    b.ask_in("/custom", &json!(["t:join", "r"]));
    a.cast(&json!({"to": ["r"]}), "main");
    a.cast(&json!({"to": [in_custom]}), "by id");
    assert_eq!(b.heard(), Vec::<String>::new());
}

#[test]
fn a_socket_that_left_is_in_no_room() {
    let server = Server::start();
    let [mut a, mut b, ..] = crowd(&server);
    b.join("r");
    b.send("41");
    let fresh = b.join_namespace("/", "");
    a.cast(&json!({"to": ["r"]}), "for members");
    assert_eq!(b.heard(), Vec::<String>::new());
    assert_eq!(b.ask(&json!(["t:join", []])), json!([[fresh]]));
}

#[test]
fn sockets_can_be_moved_and_put_out_by_others() {
    let server = Server::start();
    let [mut a, mut b, mut c, mut d] = crowd(&server);
    b.join("r");
    a.ask(&json!(["t:sockets", {"to": ["r"]}, "join", "s"]));
    assert_eq!(b.ask(&json!(["t:join", []])), json!([[b.sid, "r", "s"]]));
    a.ask(&json!(["t:sockets", {"to": ["s"]}, "leave", "r"]));
    assert_eq!(b.ask(&json!(["t:join", []])), json!([[b.sid, "s"]]));
    a.ask(&json!(["t:sockets", {"to": ["s"]}, "disconnect", false]));
    assert_eq!(b.next(), "41");
    b.join_namespace("/", "");
    a.ask(&json!(["t:sockets", {"to": [d.sid]}, "disconnect", true]));
    assert_eq!(d.next(), "41");
    assert_eq!(d.websocket.frame(), Frame::Close(None));
    c.websocket.assert_alive();
}

#[test]
fn binary_broadcasts_reach_websocket_and_polling_alike() {
    let server = Server::start();
    let [mut a, mut b, ..] = crowd(&server);
    let polling = server.polling();
    polling.join();
    a.send(r#"451-["t:cast",{"from":"socket"},"said",["x",{"_placeholder":true,"num":0}]]"#);
    a.websocket.send_binary(b"bytes");
    let header = r#"451-["said","x",{"_placeholder":true,"num":0}]"#;
    assert_eq!(b.next(), header);
    assert_eq!(b.websocket.frame(), Frame::Binary(b"bytes".to_vec()));
    assert_eq!(polling.packets(), [header, "bYnl0ZXM="]);
}

#[test]
fn a_volatile_broadcast_is_not_kept_for_a_client_that_does_not_poll() {
    let server = Server::start();
    let mut a = server.client();
    let polling = server.polling();
    polling.join();
    a.cast(&json!({"flags": ["volatile"]}), "volatile");
    a.cast(&json!({}), "lasting");
    assert_eq!(polling.packets(), ["42[\"said\",\"lasting\"]"]);
}

#[test]
fn two_receivers_hear_the_same_order() {
    let server = Server::start();
    let [mut a, mut b, mut c, _] = crowd(&server);
    for n in 0..50 {
        let sender = if n % 2 == 0 { &mut a } else { &mut b };
        sender.send(&format!("42[\"t:cast\",{{\"from\":\"io\"}},\"said\",[\"{n}\"]]"));
    }
    a.ask(&json!(["message-with-ack"]));
    b.ask(&json!(["message-with-ack"]));
    let heard = c.heard();
    assert_eq!(heard.len(), 50);
    assert_eq!(a.heard(), heard);
    assert_eq!(b.heard(), heard);
}

#[test]
fn a_burst_arrives_in_order_text_and_binary_mixed() {
    let server = Server::start();
    let mut client = server.client();
    client.send("429[\"t:burst\",40,1,true]");
    for n in 0..40 {
        let text = client.next();
        if n % 2 == 0 {
            assert_eq!(text, format!("42[\"n\",{n}]"));
        } else {
            assert_eq!(text, format!("451-[\"n\",{n},{{\"_placeholder\":true,\"num\":0}}]"));
            assert_eq!(client.websocket.frame(), Frame::Binary(vec![n as u8]));
        }
    }
    assert_eq!(client.next(), "439[]");
}

#[test]
fn dynamic_namespaces_are_apart_from_each_other() {
    let server = Server::start();
    let mut a = server.client_in("/dyn-1");
    let mut b = server.client_in("/dyn-1");
    let mut c = server.client_in("/dyn-2");
    a.ask_in("/dyn-1", &json!(["t:cast", {"from": "socket"}, "said", ["x"]]));
    assert_eq!(b.next(), "42/dyn-1,[\"said\",\"x\"]");
    c.send("42/dyn-2,5[\"message-with-ack\"]");
    assert_eq!(c.next(), "43/dyn-2,5[]");
}
