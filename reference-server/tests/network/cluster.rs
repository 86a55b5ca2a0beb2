//! Several nodes, joined by a bus: what is promised across them, what each fault breaks, and what a hostile end can do.
//!
//! No test waits for a time: a marker that every client of a node hears comes behind everything that was said before.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use reference_server::{Bus, Config, Fault, Faults, Node, spawn_bus};
use serde_json::{Value, json};

use crate::support::{Client, Server};

const LOOPBACK: &str = "127.0.0.1:0";
const PATIENCE: Duration = Duration::from_secs(10);

struct Cluster {
    bus: Option<Bus>,
    address: SocketAddr,
    nodes: Vec<Server>,
}

impl Cluster {
    fn start() -> Cluster {
        Cluster::with(|_| {}, Faults::NONE)
    }

    fn broken(fault: Fault) -> Cluster {
        Cluster::with(|_| {}, Faults::NONE.with(fault))
    }

    fn with(change: impl Fn(&mut Config), faults: Faults) -> Cluster {
        let bus = spawn_bus(LOOPBACK.parse().unwrap()).expect("the bus starts");
        let address = bus.local_addr();
        let node = |name: &str| {
            let place = Some(Node { name: name.to_owned(), bus: address });
            Server::with(
                |config| {
                    config.node = place;
                    change(config);
                },
                faults,
            )
        };
        Cluster { bus: Some(bus), address, nodes: ["a", "b", "c"].map(node).into() }
    }

    /// One client of each node, all known to each other's nodes.
    fn clients(&self) -> [Client; 3] {
        [0, 1, 2].map(|node| self.nodes[node].client())
    }

    fn restart_bus(&mut self) {
        let bus = self.bus.take().expect("it runs");
        bus.shutdown();
        bus.wait();
        self.bus = Some(spawn_bus(self.address).expect("the bus starts again"));
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.bus.iter().for_each(Bus::shutdown);
    }
}

fn everyone() -> Value {
    json!({"from": "io"})
}

/// What a client heard up to a marker that `other` sends to everyone.
fn heard_until_marker(client: &mut Client, other: &mut Client) -> Vec<String> {
    other.cast(&everyone(), "marker");
    let mut heard = Vec::new();
    loop {
        let text = client.next();
        let args: Value = serde_json::from_str(&text[text.find('[').expect("an event")..]).expect("JSON");
        match args[1].as_str() {
            Some("marker") => return heard,
            said => heard.push(said.unwrap_or(&text).to_owned()),
        }
    }
}

/// What the next event says.
fn heard_said(client: &mut Client) -> String {
    let args: Value = serde_json::from_str(&client.next()[2..]).expect("JSON");
    args[1].as_str().expect("a text").to_owned()
}

fn who(client: &mut Client, room: &str) -> Vec<Value> {
    let list = client.ask(&json!(["t:sockets", {"to": [room]}, "list", null]));
    let mut ids = list[0].as_array().expect("a list").clone();
    ids.sort_by_key(ToString::to_string);
    ids
}

#[test]
fn a_broadcast_reaches_every_node_and_spares_who_is_left_out() {
    let cluster = Cluster::start();
    let [mut a, mut b, mut c] = cluster.clients();
    a.join("r");
    b.join("r");
    c.join("r");
    c.join("quiet");
    a.cast(&json!({"from": "socket", "to": ["r"]}), "one");
    a.cast(&json!({"from": "io", "to": ["r"], "except": ["quiet"]}), "two");
    a.cast(&json!({"from": "io", "flags": ["local"]}), "three");
    assert_eq!(heard_until_marker(&mut b, &mut a), ["one", "two"]);
    assert_eq!(heard_until_marker(&mut c, &mut a), ["one"]);
    assert_eq!(a.heard()[..2], ["two", "three"]);
}

#[test]
fn an_event_keeps_its_attachments_on_the_way_to_another_node() {
    let cluster = Cluster::start();
    let [mut a, mut b, _c] = cluster.clients();
    let cast = r#"451-["t:cast",{"from":"io"},"said",["x",{"_placeholder":true,"num":0}]]"#;
    a.send(cast);
    a.websocket.send_binary(b"attached");
    assert_eq!(b.next(), r#"451-["said","x",{"_placeholder":true,"num":0}]"#);
    assert_eq!(b.websocket.frame(), crate::support::Frame::Binary(b"attached".to_vec()));
}

#[test]
fn answers_to_a_broadcast_come_from_all_nodes() {
    let cluster = Cluster::start();
    let [mut a, mut b, mut c] = cluster.clients();
    a.send(r#"427["t:cast-ack",{"from":"socket"},10000,"question",[]]"#);
    for (client, answer) in [(&mut b, "b"), (&mut c, "c")] {
        let question = client.next();
        let id = question.strip_prefix("42").and_then(|rest| rest.split('[').next()).expect("an id");
        client.send(&format!("43{id}[\"{answer}\"]"));
    }
    let answered = a.next();
    assert!(answered == r#"437[false,["b","c"]]"# || answered == r#"437[false,["c","b"]]"#, "{answered}");
}

#[test]
fn a_broadcast_without_receivers_anywhere_is_answered_at_once() {
    let cluster = Cluster::start();
    let [mut a, ..] = cluster.clients();
    let nobody = json!(["t:cast-ack", {"from": "io", "to": ["nobody"]}, 10000, "question", []]);
    assert_eq!(a.ask(&nobody), json!([false, []]));
}

#[test]
fn sockets_are_listed_moved_and_put_out_from_another_node() {
    let cluster = Cluster::start();
    let [mut a, mut b, mut c] = cluster.clients();
    b.join("r");
    c.join("r");
    let mut expected = vec![json!(b.sid), json!(c.sid)];
    expected.sort_by_key(ToString::to_string);
    assert_eq!(who(&mut a, "r"), expected);
    a.ask(&json!(["t:sockets", {"to": ["r"]}, "join", "s"]));
    assert_eq!(who(&mut a, "s"), expected);
    a.ask(&json!(["t:sockets", {"to": [c.sid]}, "leave", "s"]));
    assert_eq!(who(&mut a, "s"), [json!(b.sid)]);
    a.ask(&json!(["t:sockets", {"to": ["s"]}, "disconnect", false]));
    assert_eq!(b.next(), "41");
    assert_eq!(who(&mut a, "r"), [json!(c.sid)]);
}

#[test]
fn a_client_is_told_at_which_node_it_is() {
    let cluster = Cluster::start();
    let mut b = cluster.nodes[1].client();
    assert_eq!(b.ask(&json!(["t:who"]))[0]["node"], json!("b"));
    let reply = cluster.nodes[1].engine("GET", "EIO=4&transport=polling");
    assert_eq!(reply.header("x-node"), Some("b"));
}

#[test]
fn a_bus_that_is_started_again_loses_nothing_and_doubles_nothing() {
    let mut cluster = Cluster::start();
    let [mut a, mut b, mut c] = cluster.clients();
    a.cast(&everyone(), "before");
    let bus = cluster.bus.take().expect("it runs");
    bus.shutdown();
    bus.wait();
    a.cast(&everyone(), "meanwhile");
    c.cast(&everyone(), "from c");
    cluster.bus = Some(spawn_bus(cluster.address).expect("the bus starts again"));
    a.cast(&everyone(), "after");
    let heard = heard_until_marker(&mut b, &mut a);
    let of_a: Vec<&String> = heard.iter().filter(|text| *text != "from c").collect();
    assert_eq!(of_a, ["before", "meanwhile", "after"]);
    let heard_of_c = heard_until_marker(&mut b, &mut c);
    let from_c = heard.iter().chain(&heard_of_c).filter(|text| *text == "from c").count();
    assert_eq!(from_c, 1);
}

#[test]
fn a_node_that_ends_is_not_waited_for() {
    let mut cluster = Cluster::start();
    let [mut a, b, _c] = cluster.clients();
    let ended = cluster.nodes.pop().expect("three nodes");
    ended.stop();
    ended.wait();
    let mut expected = vec![json!(a.sid), json!(b.sid)];
    expected.sort_by_key(ToString::to_string);
    let list = a.ask(&json!(["t:sockets", {}, "list", null]));
    let mut ids = list[0].as_array().expect("a list").clone();
    ids.sort_by_key(ToString::to_string);
    assert_eq!(ids, expected);
}

/// A client of node a that was in room r, heard one event there, and lost its connection; and what it needs to come back.
fn lose(cluster: &Cluster, watcher: &mut Client) -> Value {
    let mut websocket = cluster.nodes[0].open_websocket();
    websocket.send("40");
    let connect: Value = serde_json::from_str(websocket.text().strip_prefix("40").unwrap()).unwrap();
    let auth: Value = serde_json::from_str(websocket.text().strip_prefix("42").unwrap()).unwrap();
    websocket.send("421[\"t:join\",\"r\"]");
    websocket.text();
    websocket.cut();
    assert!(watcher.next().contains("transport close"));
    json!({"pid": connect["pid"], "offset": auth[2]})
}

/// What is said to that client when it comes back to node b, after `x` and `y` were said to its room.
fn come_back(fault: Option<Fault>) -> Vec<String> {
    let faults = fault.map_or(Faults::NONE, |fault| Faults::NONE.with(fault));
    let cluster = Cluster::with(|config| config.recovery = Some(Duration::from_secs(60)), faults);
    let [_a, mut b, mut c] = cluster.clients();
    b.join("watch");
    let auth = lose(&cluster, &mut b);
    c.cast(&json!({"from": "io", "to": ["r"]}), "x");
    c.cast(&json!({"from": "io", "to": ["other"]}), "no");
    b.cast(&json!({"from": "io", "to": ["r"]}), "y");
    // What c said has arrived at b when this has.
    heard_until_marker(&mut b, &mut c);
    let mut websocket = cluster.nodes[1].open_websocket();
    websocket.send(&format!("40{auth}"));
    let mut said = Vec::new();
    loop {
        let text = websocket.text();
        if text.starts_with("40") {
            break;
        }
        let args: Value = serde_json::from_str(&text[2..]).expect("JSON");
        said.push(args[1].as_str().expect("a text").to_owned());
    }
    websocket.send("429[\"t:who\"]");
    loop {
        let text = websocket.text();
        if text.starts_with("439") {
            assert!(text.contains("\"recovered\":true"), "{text}");
            return said.into_iter().filter(|text| text != "marker").collect();
        }
    }
}

#[test]
fn who_comes_back_to_another_node_gets_what_it_missed_once() {
    let mut said = come_back(None);
    said.sort();
    assert_eq!(said, ["x", "y"]);
}

#[test]
fn who_comes_back_to_another_node_can_be_forgotten_or_told_twice() {
    assert_eq!(come_back(Some(Fault::RecoveryForgetsElsewhere)), [""; 0]);
    assert_eq!(come_back(Some(Fault::RecoveryRepeatsElsewhere)).len(), 4);
}

/// What clients of the nodes b and c hear when node a says `x` to room r, in which both are, but not to room `quiet`, in which c
/// is, and `y` to a room without members.
fn heard_with(fault: Fault) -> [Vec<String>; 2] {
    let cluster = Cluster::broken(fault);
    let [mut a, mut b, mut c] = cluster.clients();
    b.join("r");
    c.join("r");
    c.join("quiet");
    a.cast(&json!({"from": "io", "to": ["r"], "except": ["quiet"]}), "x");
    a.cast(&json!({"from": "io", "to": ["empty"]}), "y");
    [&mut b, &mut c].map(|client| heard_until_marker(client, &mut a))
}

#[test]
fn rooms_can_leak_and_exceptions_be_ignored_on_other_nodes() {
    assert_eq!(heard_with(Fault::RoomsLeakAcrossNodes), [vec!["x", "y"], vec!["y"]]);
    assert_eq!(heard_with(Fault::ExceptIgnoredAcrossNodes), [vec!["x"], vec!["x"]]);
    assert_eq!(heard_with(Fault::JoinSpreadsLate), [vec![""; 0], vec![""; 0]]);
}

#[test]
fn a_leave_can_be_unknown_to_other_nodes() {
    let cluster = Cluster::broken(Fault::LeaveNotSpread);
    let [mut a, mut b, _c] = cluster.clients();
    b.join("r");
    b.ask(&json!(["t:leave", "r"]));
    a.cast(&json!({"from": "io", "to": ["r"]}), "x");
    assert_eq!(heard_until_marker(&mut b, &mut a), ["x"]);
    b.cast(&json!({"from": "io", "to": ["r"]}), "z");
    assert_eq!(b.heard(), [""; 0], "on its own node it has left");
}

#[test]
fn the_second_node_can_be_deaf() {
    let cluster = Cluster::broken(Fault::NodeDeaf);
    let [mut a, mut b, mut c] = cluster.clients();
    a.cast(&everyone(), "x");
    assert_eq!(heard_until_marker(&mut c, &mut a), ["x"]);
    b.cast(&everyone(), "y");
    assert_eq!(b.heard(), ["y"]);
}

#[test]
fn messages_between_nodes_can_be_lost_doubled_or_swapped() {
    let hundred = |fault| {
        let cluster = Cluster::broken(fault);
        let [mut a, mut b, _c] = cluster.clients();
        (0..1000).for_each(|number| a.cast(&everyone(), &number.to_string()));
        heard_until_marker(&mut b, &mut a)
    };
    let sorted = |mut numbers: Vec<u32>| {
        numbers.sort_unstable();
        numbers
    };
    let numbers = |texts: Vec<String>| texts.iter().map(|text| text.parse().expect("a number")).collect();
    let all: Vec<u32> = (0..1000).collect();
    let dropped: Vec<u32> = numbers(hundred(Fault::BusDrops1In1000));
    assert_eq!(dropped.len(), 999);
    let doubled: Vec<u32> = numbers(hundred(Fault::BusDoubles));
    assert_eq!(doubled.len(), 1010);
    let cluster = Cluster::broken(Fault::BusReorders);
    let [mut a, mut b, _c] = cluster.clients();
    (0..1000).for_each(|number| a.cast(&everyone(), &number.to_string()));
    let swapped: Vec<u32> = numbers((0..1000).map(|_| heard_said(&mut b)).collect());
    assert!(swapped != all && sorted(swapped) == all);
}

#[test]
fn big_messages_can_be_lost_between_nodes() {
    let cluster = Cluster::broken(Fault::BigMessagesDroppedBetweenNodes);
    let [mut a, mut b, _c] = cluster.clients();
    a.cast(&everyone(), &"x".repeat(9000));
    a.cast(&everyone(), "small");
    assert_eq!(heard_until_marker(&mut b, &mut a), ["small"]);
}

#[test]
fn commands_from_afar_can_be_ignored() {
    let moved = |fault| {
        let cluster = Cluster::broken(fault);
        let [mut a, mut b, _c] = cluster.clients();
        b.join("r");
        a.ask(&json!(["t:sockets", {"to": ["r"]}, "join", "s"]));
        let listed = who(&mut a, "s").len();
        a.ask(&json!(["t:sockets", {"to": ["r"]}, "disconnect", true]));
        let stays = b.websocket.frame() != crate::support::Frame::Text("41".to_owned());
        (listed, stays)
    };
    assert_eq!(moved(Fault::ListMissesElsewhere), (0, false));
    assert_eq!(moved(Fault::JoinElsewhereIgnored), (0, false));
    let cluster = Cluster::broken(Fault::DisconnectElsewhereIgnored);
    let [mut a, mut b, _c] = cluster.clients();
    a.ask(&json!(["t:sockets", {"to": [b.sid]}, "disconnect", true]));
    assert_eq!(heard_until_marker(&mut b, &mut a), [""; 0]);
    let cluster = Cluster::broken(Fault::AckBroadcastCountsOwnNode);
    let [mut a, _b, _c] = cluster.clients();
    assert_eq!(a.ask(&json!(["t:cast-ack", {"from": "socket"}, 10000, "q", []])), json!([false, []]));
}

#[test]
fn once_the_bus_was_away_a_node_can_hear_twice_or_nothing() {
    let mut cluster = Cluster::broken(Fault::DoublesAfterBusRestart);
    let [mut a, mut b, _c] = cluster.clients();
    cluster.restart_bus();
    a.cast(&everyone(), "x");
    assert_eq!(heard_until_marker(&mut b, &mut a), ["x", "x"]);
    let mut cluster = Cluster::broken(Fault::DeafAfterBusRestart);
    let [mut a, mut b, mut c] = cluster.clients();
    a.cast(&everyone(), "x");
    assert_eq!((heard_said(&mut b), heard_said(&mut c)), ("x".to_owned(), "x".to_owned()));
    cluster.restart_bus();
    a.cast(&everyone(), "y");
    assert_eq!(heard_said(&mut c), "y");
    assert_eq!(b.heard(), [""; 0]);
}

#[test]
fn a_server_without_its_bus_says_so() {
    let nobody = std::net::TcpListener::bind(LOOPBACK).unwrap().local_addr().unwrap();
    let node = Some(Node { name: "a".to_owned(), bus: nobody });
    let config = Config { port: 0, node, ..Config::default() };
    let refused = reference_server::spawn(config, Faults::NONE).map(|_| ()).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}

fn frame(kind: u8, node: u64, number: u64, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (17 + payload.len() as u32).to_be_bytes().to_vec();
    bytes.push(kind);
    bytes.extend(node.to_be_bytes());
    bytes.extend(number.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// Connects to the bus and says all this; whether it was cut off.
fn intrude(cluster: &Cluster, said: &[Vec<u8>]) -> (TcpStream, bool) {
    let mut stream = TcpStream::connect(cluster.address).expect("the bus listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    for bytes in said {
        let _ = stream.write_all(bytes);
    }
    let mut scratch = [0; 1024];
    // What is legal is answered with the list of nodes.
    let cut = !matches!(stream.read(&mut scratch), Ok(1..));
    (stream, cut)
}

#[test]
fn hostile_ends_of_the_bus_are_cut_off_and_harm_no_client() {
    let cluster = Cluster::start();
    let [mut a, mut b, _c] = cluster.clients();
    let hello = frame(1, 99, 0, b"x");
    let rubbish: [Vec<Vec<u8>>; 5] = [
        vec![b"GET / HTTP/1.1\r\n\r\n".to_vec()],
        vec![u32::MAX.to_be_bytes().to_vec()],
        vec![frame(3, 0, 0, b"no hello")],
        vec![frame(1, 0, 0, b"a name for nobody")],
        vec![frame(1, 98, 0, &[b'x'; 65])],
    ];
    for said in &rubbish {
        assert!(intrude(&cluster, said).1, "{said:?}");
    }
    let header = |json: &str| [&(json.len() as u32).to_be_bytes()[..], json.as_bytes()].concat();
    let strange = [
        frame(3, 0, 0, b"\xff\xff\xff\xff"),
        frame(3, 0, 1, &header("{\"Cast\":{}}")),
        frame(3, 0, 2, &header("[[[[[[[[")),
        frame(3, 0, 3, &header("{\"Asked\":{\"asker\":1,\"request\":0,\"count\":18446744073709551615}}")),
        frame(4, 0, u64::MAX, b""),
        frame(3, 0, u64::MAX, b""),
        frame(5, 0, u64::MAX, b""),
    ];
    let said: Vec<Vec<u8>> = [hello, frame(4, 0, 0, b"")].into_iter().chain(strange).collect();
    let (stranger, cut) = intrude(&cluster, &said);
    assert!(!cut, "a node may say what it likes");
    a.cast(&everyone(), "x");
    assert_eq!(heard_until_marker(&mut b, &mut a), ["x"]);
    drop(stranger);
}
