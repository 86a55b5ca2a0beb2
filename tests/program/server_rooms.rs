//! Rooms into which the server puts clients by itself.

use crate::support::{Folder, flat, sockrates};

#[test]
fn a_room_that_the_contract_gives_to_all_groups_and_the_server_to_one_is_named_with_how_to_say_that() {
    let contract = |room: &str| {
        format!(
            "contract:
  rooms: [\"{room}\"]
  broadcast:
    emit: [\"t:cast\", {{ from: socket, to: \"${{to}}\", except: [], flags: [] }}, \"${{event}}\", \"${{args}}\"]
    ack: true
    arrives_as: \"${{event}}\"
    senders: anyone
audit: {{ window: 1s }}"
        )
    };
    let script = "- all: connect
- agents: { emit: { event: \"t:join\", args: [staff], ack: true } }
- guests: { broadcast: { event: alert, to: staff } }";
    let folder = Folder::new();
    let all = folder.scenario_with("{ agents: 2, guests: 2 }", script, &contract("staff"));
    let ended = sockrates(["run"]).args([&all]).run().code(1);
    let advice = "puts only some groups of clients into the room `staff`: say `rooms: [\"${own_room}\"]`";
    assert!(flat(&ended.stdout).contains(advice), "{}", ended.stdout);
    let own = "{ agents: { count: 2, vars: { own_room: staff } }, guests: 2 }";
    let some = folder.scenario_with(own, script, &contract("${own_room}"));
    sockrates(["run"]).args([&some]).run().code(0).says("Every client received what was for it");
}
