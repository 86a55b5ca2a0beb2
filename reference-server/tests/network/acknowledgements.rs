//! Questions from the server, and answers to it.

use serde_json::{Value, json};

use crate::support::Server;

/// The id of a question the server asks.
fn id_of(question: &str) -> &str {
    let rest = question.strip_prefix("42").unwrap();
    &rest[..rest.find('[').unwrap()]
}

#[test]
fn a_client_answers_a_question() {
    let server = Server::start();
    let mut client = server.client();
    client.send("429[\"t:ask\",5000,\"q\",[1,\"a\"]]");
    let question = client.next();
    assert!(question.ends_with("[\"q\",1,\"a\"]"), "{question}");
    client.send(&format!("43{}[2,{{}}]", id_of(&question)));
    assert_eq!(client.next(), "439[false,2,{}]");
}

#[test]
fn a_question_without_an_answer_times_out_and_a_late_one_is_ignored() {
    let server = Server::start();
    let mut client = server.client();
    client.send("429[\"t:ask\",20,\"q\",[]]");
    let question = client.next();
    assert_eq!(client.next(), "439[true]");
    client.send(&format!("43{}[2]", id_of(&question)));
    client.websocket.assert_alive();
}

#[test]
fn an_answer_counts_once() {
    let server = Server::start();
    let mut client = server.client();
    client.send("429[\"t:ask\",5000,\"q\",[]]");
    let question = client.next();
    let id = id_of(&question).to_owned();
    client.send(&format!("43{id}[1]"));
    client.send(&format!("43{id}[2]"));
    assert_eq!(client.next(), "439[false,1]");
    client.websocket.assert_alive();
}

#[test]
fn an_answer_from_another_socket_or_namespace_does_not_count() {
    let server = Server::start();
    let mut client = server.client();
    client.join_namespace("/custom", "");
    let mut other = server.client();
    client.send("429[\"t:ask\",5000,\"q\",[]]");
    let question = client.next();
    let id = id_of(&question).to_owned();
    other.send(&format!("43{id}[\"other\"]"));
    other.ask(&json!(["message-with-ack"]));
    client.send(&format!("43/custom,{id}[\"custom\"]"));
    client.websocket.assert_alive();
    client.send(&format!("43{id}[\"right\"]"));
    assert_eq!(client.next(), "439[false,\"right\"]");
}

#[test]
fn questions_that_wait_have_ids_of_their_own() {
    let server = Server::start();
    let mut client = server.client();
    for n in 0..50 {
        client.send(&format!("42{n}[\"t:ask\",5000,\"q\",[{n}]]"));
    }
    let mut ids: Vec<String> = (0..50).map(|_| id_of(&client.next()).to_owned()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 50);
}

#[test]
fn an_answer_is_sent_once_however_often_the_application_tries() {
    let server = Server::start();
    let mut client = server.client();
    client.send("425[\"t:ack-twice\"]");
    assert_eq!(client.next(), "435[1]");
    client.websocket.assert_alive();
}

#[test]
fn a_broadcast_collects_all_answers() {
    let server = Server::start();
    let mut asker = server.client();
    let mut others = [server.client(), server.client()];
    asker.send("429[\"t:cast-ack\",{\"from\":\"socket\"},5000,\"q\",[]]");
    for (n, other) in others.iter_mut().enumerate() {
        let question = other.next();
        other.send(&format!("43{}[{n}]", id_of(&question)));
        other.send(&format!("43{}[\"again\"]", id_of(&question)));
    }
    let answer: Value = serde_json::from_str(&asker.next()[3..]).unwrap();
    assert_eq!(answer[0], false);
    let mut answers = answer[1].as_array().unwrap().clone();
    answers.sort_by_key(ToString::to_string);
    assert_eq!(answers, [json!(0), json!(1)]);
}

#[test]
fn a_broadcast_that_times_out_tells_the_answers_it_got() {
    let server = Server::start();
    let mut asker = server.client();
    let mut other = server.client();
    let _silent = server.client();
    asker.send("429[\"t:cast-ack\",{\"from\":\"socket\"},600,\"q\",[]]");
    let question = other.next();
    other.send(&format!("43{}[\"here\"]", id_of(&question)));
    assert_eq!(asker.next(), "439[true,[\"here\"]]");
}

#[test]
fn a_broadcast_to_nobody_is_answered_at_once() {
    let server = Server::start();
    let mut asker = server.client();
    asker.send("429[\"t:cast-ack\",{\"from\":\"io\",\"to\":[\"nobody\"]},60000,\"q\",[]]");
    assert_eq!(asker.next(), "439[false,[]]");
}
