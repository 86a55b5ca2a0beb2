//! `--traceparent` and `${traceparent}`: servers get trace contexts that they can join, each another one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use crate::support::{Folder, Reference, Server, relay, results, sockrates};

/// The heads of the first requests on each connection.
type Heads = Arc<Mutex<Vec<String>>>;

/// A server in front of the reference server, and what it has seen.
fn watched(reference: &Reference) -> (Server, Heads) {
    let heads = Heads::default();
    let seen = heads.clone();
    let server = relay(reference.address(), move |head| {
        seen.lock().expect("nobody panicked").push(head.clone());
        head
    });
    (server, heads)
}

/// The trace contexts in these heads that begin or upgrade a connection, by transport; and how many such heads have none.
fn traced(heads: &Heads) -> (BTreeMap<&'static str, Vec<String>>, usize) {
    let (mut traced, mut without) = (BTreeMap::<_, Vec<_>>::new(), 0);
    for head in heads.lock().expect("nobody panicked").iter() {
        let first = head.lines().next().unwrap_or_default();
        let kind = match (first.contains("transport=websocket"), first.contains("sid=")) {
            (true, true) => "upgrade",
            (true, false) => "websocket",
            (false, false) => "polling",
            (false, true) => continue,
        };
        let all: Vec<&str> = head.lines().filter_map(|line| line.strip_prefix("traceparent: ")).collect();
        without += usize::from(all.is_empty());
        traced.entry(kind).or_default().extend(all.into_iter().map(str::to_owned));
    }
    (traced, without)
}

const CLIENTS: &str = "{ direct: { count: 5, transport: websocket }, polling: { count: 5, transport: polling }, \
    upgraded: { count: 5, transport: upgrade } }";

#[test]
fn each_connect_begins_a_trace_of_its_own_that_is_another_one_in_each_run() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let (server, heads) = watched(&reference);
    let scenario =
        folder.scenario(CLIENTS, "- all: connect\n- all: disconnect\n- all: connect\n- all: disconnect");
    for _ in 0..2 {
        sockrates(["run", "--traceparent", "--url", &server.url()]).args([&scenario]).run().code(0);
    }
    let (traced, without) = traced(&heads);
    // Before each run is the first look, which begins no trace.
    assert_eq!(without, 2, "{traced:?}");
    assert_eq!(traced["websocket"].len(), 5 * 2 * 2);
    assert_eq!(traced["polling"].len(), 10 * 2 * 2);
    assert_eq!(traced["upgrade"].len(), 5 * 2 * 2);
    let begun: BTreeSet<&String> = traced["websocket"].iter().chain(&traced["polling"]).collect();
    assert_eq!(begun.len(), 15 * 2 * 2, "no two are the same");
    assert!(traced["upgrade"].iter().all(|one| traced["polling"].contains(one)), "it belongs to a handshake");
    let ids: BTreeSet<&str> = begun.iter().filter_map(|one| one.split('-').nth(1)).collect();
    assert_eq!(ids.len(), begun.len(), "each is the id of another trace");
}

#[test]
fn without_the_flag_nothing_is_traced_and_what_the_user_gives_goes_before() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let (server, heads) = watched(&reference);
    let scenario = folder.scenario(CLIENTS, "- all: connect\n- all: disconnect");
    sockrates(["run", "--url", &server.url()]).args([&scenario]).run().code(0);
    assert!(traced(&heads).0.values().all(Vec::is_empty));
    let given = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let arguments = ["run", "--traceparent", "--header", given, "--url", &server.url()];
    sockrates(arguments).args([&scenario]).run().code(0);
    let (traced, _) = traced(&heads);
    assert!(traced.values().flatten().all(|one| given.ends_with(one)), "{traced:?}");
}

#[test]
fn events_carry_trace_contexts_where_the_scenario_has_a_place_for_them_and_the_audit_judges_as_before() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let context = "{ $match: \"^00-[0-9a-f]{32}-[0-9a-f]{16}-01$\" }";
    let script = format!(
        "- all: connect\n\
         - all: {{ join: lobby }}\n\
         - alice: {{ emit: {{ event: message-with-ack, args: [\"${{traceparent}}\"], ack: {{ args: [{context}], capture: one }} }} }}\n\
         - alice: {{ emit: {{ event: message-with-ack, args: [\"${{traceparent}}\"], ack: {{ args: [{context}], capture: other }} }} }}\n\
         - alice: {{ assert: {{ value: \"${{one}}\", is: {{ $not: \"${{other}}\" }} }} }}\n\
         - alice: {{ broadcast: {{ to: lobby, event: said, args: [good evening] }} }}\n\
         - crowd: {{ expect: {{ event: said, args: [{{ trace: {context}, text: good evening }}] }} }}\n\
         - crowd: {{ repeat: {{ times: 20, every: 20ms, steps: [ {{ broadcast: {{ to: lobby, event: said, args: [hello] }} }} ] }} }}\n\
         - all: disconnect"
    );
    let contract = "contract:\n  join: { emit: [\"t:join\", \"${room}\"], ack: true }\n  \
         broadcast: { emit: [\"t:cast\", { from: socket, to: [\"${room}\"] }, said, [{ trace: \"${traceparent}\", text: \"${body}\" }]], \
         ack: true, arrives_as: said, reaches: others }";
    let scenario = folder.scenario_with("{ alice: 1, crowd: 10 }", &script, contract);
    let json = folder.path("results.json");
    sockrates(["run", "--url", &reference.url(), "--json"])
        .args([&json, &scenario])
        .run()
        .code(0)
        .says("passed");
    let result = results(&json)["body"][0].clone();
    let deliveries = &result["deliveries"];
    assert_eq!(deliveries["expected"], (200 + 1) * 10, "{deliveries}");
    assert_eq!(deliveries["undecided"], 0);
}
