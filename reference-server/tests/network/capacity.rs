//! A known capacity: events wait, and none is lost or overtaken.

use reference_server::Capacity;

use crate::support::{Frame, Server};

#[test]
fn events_beyond_the_capacity_are_handled_later_and_in_their_order() {
    for capacity in [Capacity::Rate(2000.0), Capacity::Law { lambda: 2000.0, sigma: 1.0, kappa: 0.0 }] {
        let server = Server::configured(|config| config.capacity = Some(capacity));
        let mut client = server.client();
        for number in 0..50 {
            client.send(&format!("42{number}[\"message-with-ack\",{number}]"));
        }
        for number in 0..50 {
            assert_eq!(client.next(), format!("43{number}[{number}]"));
        }
    }
}

#[test]
fn an_event_that_waits_keeps_its_attachments() {
    let server = Server::configured(|config| config.capacity = Some(Capacity::Rate(100.0)));
    let mut client = server.client();
    client.send("42[\"message\",1]");
    client.send("451-[\"message\",{\"_placeholder\":true,\"num\":0}]");
    client.websocket.send_binary(b"abc");
    assert_eq!(client.next(), "42[\"message-back\",1]");
    assert_eq!(client.next(), "451-[\"message-back\",{\"_placeholder\":true,\"num\":0}]");
    assert!(matches!(client.websocket.frame(), Frame::Binary(data) if data == b"abc"));
}

#[test]
fn who_has_left_is_not_heard_any_more() {
    let server = Server::configured(|config| config.capacity = Some(Capacity::Rate(1000.0)));
    let mut watcher = server.client();
    watcher.join("watch");
    let mut client = server.client();
    for _ in 0..200 {
        client.send("42[\"t:cast\",{},\"said\",[\"late\"]]");
    }
    client.send("41");
    // Some may have been heard before it left.
    while !watcher.next().starts_with("42[\"gone\"") {}
    assert_eq!(watcher.heard(), Vec::<String>::new());
}
