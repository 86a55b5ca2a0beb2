//! A cluster behind a balancer that tells each client which node it got.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use reference_server::{Bus, Config, Fault, Faults, Node, spawn_bus};
use serde_json::Value;

use crate::agents::nats_server;
use crate::support::{Ended, Folder, Reference, Server, head, results, sockrates, splice};

/// Three nodes and a balancer that deals connections out in turn.
struct Balanced {
    balancer: Server,
    _nodes: Vec<Reference>,
    bus: Bus,
}

impl Balanced {
    /// `tell`: the lines that the balancer adds to the head of an answer from a node.
    fn start(faults: Faults, tell: impl Fn(usize) -> String + Send + Sync + 'static) -> Balanced {
        let bus = spawn_bus(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("it can listen");
        let node = |name: &str| {
            let node = Some(Node { name: name.to_owned(), bus: bus.local_addr() });
            Reference::broken(Config { node, ..Config::default() }, faults)
        };
        let nodes: Vec<Reference> = ["a", "b", "c"].map(node).into();
        let addresses: Vec<SocketAddr> = nodes.iter().map(Reference::address).collect();
        let balancer = Server::start(move |mut near, number| {
            let Some(request) = head(&mut near)? else { return Ok(()) };
            let place = number % addresses.len();
            let mut far = TcpStream::connect(addresses[place])?;
            far.write_all(request.as_bytes())?;
            let Some(answer) = head(&mut far)? else { return Ok(()) };
            let (status, rest) = answer.split_once("\r\n").unwrap_or_default();
            write!(near, "{status}\r\n{}{rest}", tell(place))?;
            splice(&near, &far)
        });
        Balanced { balancer, _nodes: nodes, bus }
    }

    /// Plays people who talk at all nodes, go and come back wherever the balancer leads them.
    fn play(&self, sign: &str) -> (Ended, Value) {
        self.play_by(sign, &[])
    }

    /// The same with more arguments.
    fn play_by(&self, sign: &str, arguments: &[&str]) -> (Ended, Value) {
        let folder = Folder::new();
        let text = format!(
            "name: people behind a balancer
clients: {{ people: 9 }}
contract:
  node: {sign}
  join: {{ emit: ['t:join', '${{room}}'], ack: true }}
  broadcast:
    emit: ['t:cast', {{ from: '${{from}}', to: '${{to}}', except: '${{except}}', flags: '${{flags}}' }}, '${{event}}', '${{args}}']
    ack: true
    arrives_as: '${{event}}'
    senders: anyone
  fence: {{ emit: ['t:join', []], ack: true }}
audit: {{ window: 3s, spread: 100ms }}
script:
  - all: connect
  - all: {{ join: lobby }}
  - all: {{ wait: 500ms }}
  - all: {{ repeat: {{ times: 4, every: 200ms, steps: [ {{ broadcast: {{ to: lobby, event: said }} }} ] }} }}
  - all: fence
  - all: {{ wait: 200ms }}
  - all: [ {{ disconnect: cut }}, reconnect, {{ join: lobby }} ]
  - all: {{ wait: 500ms }}
  - all: {{ repeat: {{ times: 4, every: 200ms, steps: [ {{ broadcast: {{ to: lobby, event: said }} }} ] }} }}
  - all: fence
  - all: {{ wait: 200ms }}
  - all: disconnect
"
        );
        let (file, json) = (folder.file("balanced.yaml", &text), folder.path("r.json"));
        let run = sockrates(["run", "--url", &self.balancer.url()]).args(arguments);
        let ended = run.args(["--json"]).args([&json, &file]).run();
        let nodes = results(&json)["body"][0]["deliveries"]["nodes"].clone();
        (ended, nodes)
    }
}

/// The names of the nodes, as they are listed.
fn names(nodes: &Value) -> Vec<&str> {
    let names = nodes["names"].as_array().map(Vec::as_slice).unwrap_or_default();
    names.iter().filter_map(Value::as_str).collect()
}

/// How many deliveries were expected from each node to each.
fn expected(nodes: &Value) -> Vec<u64> {
    let pairs = nodes["pairs"].as_array().map(Vec::as_slice).unwrap_or_default();
    pairs.iter().filter_map(|pair| pair["expected"].as_u64()).collect()
}

impl Drop for Balanced {
    fn drop(&mut self) {
        self.bus.shutdown();
    }
}

fn header(place: usize) -> String {
    format!("X-Node: pod-{place}\r\n")
}

#[test]
fn the_nodes_behind_a_balancer_are_learned_from_a_header_or_a_cookie() {
    let cookie: fn(usize) -> String = |place| format!("Set-Cookie: SERVERID=pod-{place}; path=/\r\n");
    let both = [("{ header: x-node }", header as fn(usize) -> String), ("{ cookie: SERVERID }", cookie)];
    for (sign, tell) in both {
        let (ended, nodes) = Balanced::start(Faults::NONE, tell).play(sign);
        let ended = ended.code(0).says("from pod-0").says("to pod-2");
        assert_eq!(names(&nodes), ["pod-0", "pod-1", "pod-2"], "{ended}");
        let expected = expected(&nodes);
        assert!(expected.len() == 9 && expected.iter().all(|pairs| *pairs > 0), "{expected:?}\n{ended}");
        assert_eq!(nodes["unknown"], Value::Null, "{ended}");
    }
}

#[test]
fn agents_number_the_nodes_behind_a_balancer_by_the_names_in_the_contract() {
    if nats_server().is_none() {
        return;
    }
    let agents = ["--agents", "local:2", "--workers", "1"];
    // The third name is none of those in the contract.
    for (names, known) in [("[pod-2, pod-0, pod-1]", 3), ("[pod-1, pod-0]", 2)] {
        let sign = format!("{{ header: X-Node, names: {names} }}");
        let (ended, nodes) = Balanced::start(Faults::NONE, header).play_by(&sign, &agents);
        let ended = ended.code(0);
        assert_eq!(self::names(&nodes), ["pod-0", "pod-1", "pod-2"][..known], "{ended}");
        let expected = expected(&nodes);
        let are_judged = expected.len() == known * known && expected.iter().all(|pairs| *pairs > 0);
        assert!(are_judged, "{expected:?}\n{ended}");
        assert_eq!(nodes["unknown"].is_null(), known == 3, "{ended}");
    }
    let deaf = Faults::from_iter([Fault::NodeDeaf]);
    let sign = "{ header: X-Node, names: [pod-2, pod-1, pod-0] }";
    let (ended, _) = Balanced::start(deaf, header).play_by(sign, &agents);
    ended.code(1).says("node pod-1 hears nothing from pod-").says("delivery missing");
}

#[test]
fn a_deaf_node_behind_a_balancer_is_named_by_the_name_that_was_learned() {
    let deaf = Faults::from_iter([Fault::NodeDeaf]);
    let (ended, _) = Balanced::start(deaf, header).play("{ header: X-Node }");
    ended.code(1).says("node pod-1 hears nothing from pod-").says("delivery missing");
}

#[test]
fn a_client_whose_node_is_not_known_is_counted_and_stands_in_no_pair() {
    // What one of them says is no name.
    let some = |place: usize| if place == 2 { "X-Node: so and so\r\n".to_owned() } else { header(place) };
    let (ended, nodes) = Balanced::start(Faults::NONE, some).play("{ header: X-Node }");
    let ended =
        ended.code(0).says("clients is not known: no pair of nodes counts what went from or to them.");
    assert_eq!(names(&nodes), ["pod-0", "pod-1"], "{ended}");
    assert_eq!(expected(&nodes).len(), 4, "{ended}");
    assert!(nodes["unknown"].as_u64().is_some_and(|unknown| (3..=6).contains(&unknown)), "{ended}");
}

/// Three people who listen for what nobody says.
fn listen(balanced: &Balanced, contract: &str) -> Ended {
    let folder = Folder::new();
    let text = format!(
        "name: quiet\n{contract}clients: {{ people: 3 }}\nscript: [ {{ all: connect }}, {{ all: {{ join: hall }} }}, \
         {{ all: {{ expect_none: {{ event: never, within: 3s }} }} }}, {{ all: disconnect }} ]\n"
    );
    let file = folder.file("quiet.yaml", &text);
    sockrates(["run", "--url", &balanced.balancer.url()]).args([&file]).run()
}

/// The contract of the fixture, behind a balancer that tells by a header.
const REACHES_EVERYONE: &str = "contract:
  node: { header: X-Node }
  join: { emit: ['t:join', '${room}'], ack: true }
  broadcast:
    emit: ['t:cast', { from: '${from}', to: '${to}', except: '${except}', flags: '${flags}' }, '${event}', '${args}']
    ack: true
    arrives_as: '${event}'
";

#[test]
fn silence_behind_a_balancer_is_proved_by_markers_of_the_nodes_that_were_learned() {
    let ended = listen(&Balanced::start(Faults::NONE, header), REACHES_EVERYONE).code(0);
    assert!(!ended.stdout.contains("weaker"), "{ended}");
    let deaf = Faults::from_iter([Fault::NodeDeaf]);
    let ended = listen(&Balanced::start(deaf, header), REACHES_EVERYONE).code(1);
    ended.says("it could not be judged: no broadcast from node pod-").says(" arrived within 3s");
}

#[test]
fn silence_behind_a_balancer_is_told_as_weaker_where_a_node_is_not_known_or_nobody_can_reach_everyone() {
    // What one of them says is no name.
    let some = |place: usize| if place == 2 { "X-Node: so and so\r\n".to_owned() } else { header(place) };
    let ended = listen(&Balanced::start(Faults::NONE, some), REACHES_EVERYONE).code(0);
    ended.says(
        "weaker in 3 `expect_none`s: no broadcast of the contract reaches everyone, or the node of a client",
    );
    let balanced = Balanced::start(Faults::NONE, header);
    let joins = "contract: { node: { header: X-Node }, join: { emit: ['t:join', '${room}'], ack: true } }\n";
    listen(&balanced, joins).code(0).says("weaker in 3 `expect_none`s: no broadcast of the contract");
    let ended = listen(&balanced, "").code(0);
    assert!(!ended.stdout.contains("weaker"), "{ended}");
}

#[test]
fn a_sign_of_a_balancer_is_refused_where_the_nodes_are_known_or_several_machines_learn_them() {
    let folder = Folder::new();
    let text = "name: known\ncontract: { node: { header: X-Node } }\nclients: { a: 2 }\nscript: [ { a: connect } ]\n";
    let file = folder.file("known.yaml", text);
    let run = |arguments: &[&str]| sockrates(["run"]).args(arguments).args([&file]).run().code(2);
    run(&["--nodes", "2", "--server", "exit 7"]).complains("and these are known: leave it out");
    run(&["--agents", "local:2", "--server", "exit 7"])
        .complains("agents do not tell each other the names of the nodes behind a balancer: add them");
}
