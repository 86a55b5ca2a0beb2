//! Links: proxies of ours that a scenario cuts, slows down and stops.

use crate::support::{Folder, results, sockrates};

/// Some talk at the first node, others hear them at the second, and meanwhile something is done to a link.
fn disturbed(to: &str, act: &str, guests: &str) -> String {
    format!(
        r#"name: a link is disturbed
clients: {{ talkers: {{ count: 4, node: a }}, guests: {{ count: 2, node: b }} }}
audit: {{ window: 2s, spread: 100ms }}
links: {{ wire: "{to}" }}
script:
  - all: [ connect, {{ join: hall }} ]
  - together:
      - talkers: {{ repeat: {{ times: 20, every: 50ms, steps: [ {{ broadcast: {{ to: hall, event: said, bytes: 64 }} }} ] }} }}
      - - link: {act}
        - guests: {guests}
        - await: {{ whole: true, within: 30s }}
  - all: {{ broadcast: {{ to: hall, event: said, bytes: 64 }} }}
  - all: {{ expect_none: {{ event: never }} }}
thresholds: [ delivery missing outside disturbances == 0 ]
"#
    )
}

fn what_was_done(json: &std::path::Path) -> Vec<String> {
    let result = results(json)["body"][0].clone();
    let done = result["operations"].as_array().expect("something was done").clone();
    done.iter().filter_map(|one| Some(one["what"].as_str()?.to_owned())).collect()
}

#[test]
fn the_bus_behind_a_link_is_cut_slow_and_silent_and_all_is_well_afterwards() {
    let folder = Folder::new();
    let act = "[ { wire: { cut: 100ms } }, { wire: { delay: 5ms, jitter: 5ms, rate: 1MB/s, for: 200ms } }, { wire: { black_hole: 100ms } } ]";
    let scenario = folder.file("bus.yaml", &disturbed("bus", act, "{ wait: 1ms }"));
    let json = folder.path("r.json");
    let ended = sockrates(["run", "--nodes", "2", "--json"]).args([&json, &scenario]).run().code(0);
    let expected = [
        "cut link wire for 100ms",
        "slow link wire down: delay 5ms, jitter 5ms, 1000000 bytes a second, for 200ms",
        "make link wire a black hole for 100ms",
        "await that all nodes hear each other within 30s",
    ];
    assert_eq!(what_was_done(&json), expected, "{ended}");
    ended.says("What was done to the server").says("inside");
}

#[test]
fn clients_go_to_their_node_through_its_link_and_are_put_out_by_a_reset() {
    let folder = Folder::new();
    let guests = "[ { expect_closed: { within: 10s } }, { reconnect: { recover: false } }, { join: hall } ]";
    let scenario = folder.file("node.yaml", &disturbed("b", "{ wire: { reset: true } }", guests));
    let json = folder.path("r.json");
    let ended = sockrates(["run", "--nodes", "2", "--json"]).args([&json, &scenario]).run().code(0);
    assert_eq!(what_was_done(&json)[0], "reset link wire", "{ended}");
}

#[test]
fn a_command_finds_its_links_in_its_environment() {
    let folder = Folder::new();
    let text =
        "name: told\nclients: { alice: 1 }\nlinks: { db: 127.0.0.1:9 }\nscript: [ { all: connect } ]\n";
    let scenario = folder.file("told.yaml", text);
    let node = format!("{} serve -q --port $PORT", env!("CARGO_BIN_EXE_sockrates"));
    let command = format!("test \"$LINK_DB\" = \"127.0.0.1:$LINK_DB_PORT\" && {node}");
    sockrates(["run", "--server", &command]).args([&scenario]).run().code(0);
}

#[test]
fn a_link_that_leads_nowhere_is_refused_before_anything_is_started() {
    let folder = Folder::new();
    let text = "name: lost\nclients: { alice: 1 }\nlinks: { db: postgres }\nscript: [ { all: connect } ]\n";
    let scenario = folder.file("lost.yaml", text);
    let ended = sockrates(["run", "--server", "exit 7"]).args([&scenario]).run().code(2);
    ended.complains("the link db leads to `postgres`, which is no node of the server");
}

#[test]
fn an_interrupt_in_the_middle_of_a_cut_ends_everything_in_order() {
    let folder = Folder::new();
    let text = "name: cut\nclients: { guest: 2 }\nlinks: { wire: bus }\nscript:\n  - all: connect\n  - link: { wire: { cut: 1h } }\n";
    let scenario = folder.file("cut.yaml", text);
    let json = folder.path("r.json");
    let run = sockrates(["run", "--nodes", "2", "--json"]).args([&json, &scenario]).start();
    // What is known so far is written each second, and soon the cut is what is under way.
    run.wait_for(&json);
    run.interrupt();
    run.wait().code(130).says("interrupted");
    assert_eq!(results(&json)["body"][0]["verdict"]["status"], "interrupted");
}
