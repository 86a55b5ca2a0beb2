//! SIO "Connection to a namespace" and "Disconnection from a namespace".

use super::talk::Talk;

#[test]
fn connect_says_who_it_is_and_is_accepted() {
    let mut talk = Talk::websocket();
    talk.connect("/", None);
    assert_eq!(talk.said(), ["send 40"]);
    assert!(!talk.session.is_connected("/"));
    assert_eq!(talk.hears(r#"40{"sid":"a1"}"#), "connected /");
    assert!(talk.session.is_connected("/"));
    assert_eq!(&*talk.session.namespace("/").unwrap().sid, "a1");

    talk.connect("/chat", Some(r#"{"token":"t"}"#));
    assert_eq!(talk.said(), [r#"send 40/chat,{"token":"t"}"#]);
    assert_eq!(talk.hears(r#"40/chat,{"sid":"b1"}"#), "connected /chat");
    assert_eq!(&*talk.session.namespace("/chat").unwrap().sid, "b1");
}

#[test]
fn connect_over_polling_goes_by_post_and_the_answer_comes_by_poll() {
    let mut talk = Talk::polling();
    talk.connect("/chat", Some(r#"{"token":"t"}"#));
    assert_eq!(talk.said(), [r#"post 40/chat,{"token":"t"}"#]);
    assert_eq!(talk.posted(), "nothing");
    assert_eq!(talk.polled(r#"40/chat,{"sid":"b1"}"#), ["connected /chat"]);
    assert_eq!(talk.said(), ["get /socket.io/?EIO=4&transport=polling&sid=s1"]);
}

#[test]
fn a_refusal_is_told_with_its_reason_and_harms_no_other_namespace() {
    let mut talk = Talk::websocket().joined();
    talk.connect("/guard", None);
    assert_eq!(talk.hears(r#"44/guard,{"message":"nope"}"#), r#"refused /guard {"message":"nope"}"#);
    assert!(!talk.session.is_connected("/guard"));
    assert!(talk.session.is_connected("/"));
    assert_eq!(talk.hears(r#"42["a"]"#), r#"event / ["a"]"#);

    talk.connect("/guard", None);
    assert_eq!(talk.hears("44/guard,"), "refused /guard ");
}

#[test]
fn several_namespaces_share_a_connection_and_do_not_mix() {
    let mut talk = Talk::websocket().joined();
    talk.connect("/chat", None);
    talk.hears(r#"40/chat,{"sid":"b1"}"#);
    talk.said();
    talk.emit("/", r#"["a"]"#);
    talk.emit("/chat", r#"["b"]"#);
    assert_eq!(talk.said(), [r#"send 42["a"]"#, r#"send 42/chat,["b"]"#]);
    assert_eq!(talk.hears(r#"42/chat,["c"]"#), r#"event /chat ["c"]"#);

    talk.session.disconnect(&mut talk.wire, "/chat");
    assert_eq!(talk.said(), ["send 41/chat,"]);
    assert!(talk.session.is_connected("/") && !talk.session.is_connected("/chat"));
    assert!(talk.session.emit(&mut talk.wire, "/chat", r#"["b"]"#, &[], false).is_err());
    assert_eq!(talk.said(), [""; 0]);
    // What was under way when we left is nobody's fault.
    assert_eq!(talk.hears(r#"42/chat,["late"]"#), "nothing");

    assert_eq!(talk.hears("41"), "disconnected /");
    assert!(!talk.session.is_connected("/") && talk.session.is_open());
}

#[test]
fn a_disconnect_that_crosses_our_own_is_nobodys_fault() {
    let mut talk = Talk::websocket().joined();
    talk.session.disconnect(&mut talk.wire, "/");
    assert_eq!(talk.hears("41"), "nothing");
}

#[test]
fn nothing_is_sent_to_a_namespace_that_has_not_accepted_yet() {
    let mut talk = Talk::websocket();
    assert!(talk.session.emit(&mut talk.wire, "/", r#"["a"]"#, &[], true).is_err());
    talk.connect("/", None);
    assert_eq!(talk.said(), ["send 40"]);
    assert!(talk.session.emit(&mut talk.wire, "/", r#"["a"]"#, &[], true).is_err());
    assert_eq!(talk.said(), [""; 0]);
}

#[test]
fn a_new_connection_has_to_join_again() {
    let mut talk = Talk::websocket().joined();
    talk.session.cut(&mut talk.wire);
    assert!(!talk.session.is_connected("/"));
    talk.session.open(&mut talk.wire, crate::session::Transport::Websocket);
    talk.hears(super::talk::OPEN_WEBSOCKET);
    assert!(talk.session.emit(&mut talk.wire, "/", r#"["a"]"#, &[], false).is_err());
    talk.connect("/", None);
    assert_eq!(talk.hears(r#"40{"sid":"a2"}"#), "connected /");
    assert_eq!(&*talk.session.namespace("/").unwrap().sid, "a2");
}
