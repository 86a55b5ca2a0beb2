//! `init --from`: what an application says becomes its first scenario.

use std::fs;

use crate::peers::Peer;
use crate::support::{Folder, Reference, sockrates};

#[test]
fn what_an_application_says_stands_in_its_first_scenario_which_passes() {
    let Some(server) = Peer::NodeChatApp.start([]) else { return };
    let (folder, url) = (Folder::new(), server.url());
    let file = folder.path("first.yaml");
    let names = ["--join", "enter", "--leave", "exit", "--send", "chat message", "--output"];
    let looked = sockrates(["init", "--from", url]).args(names).args([&file]).run().code(0);
    for sentence in ["it speaks Engine.IO 4", "`enter` is acknowledged", "others hear `chat message`"] {
        assert!(looked.stderr.contains(sentence), "{sentence}: {}", looked.stderr);
    }
    let text = fs::read_to_string(&file).expect("it is written");
    assert!(text.contains("#   it speaks Engine.IO 4") && text.contains("ack: true"), "{text}");
    sockrates(["run", "--url", url]).args([&file]).run().code(0).says("Judged");
}

#[test]
fn what_is_answered_with_an_error_is_told_and_the_scenario_is_a_good_one_all_the_same() {
    let Some(server) = Peer::NodeChatApp.start([]) else { return };
    let (folder, url) = (Folder::new(), server.url());
    let file = folder.path("first.yaml");
    let names = ["--send", "chat message", "--output"];
    let looked = sockrates(["init", "--from", url]).args(names).args([&file]).run().code(0);
    let told = "`chat message` was answered with an error";
    assert!(looked.stderr.contains(told) && looked.stderr.contains("you are not in"), "{}", looked.stderr);
    assert!(fs::read_to_string(&file).expect("it is written").contains(told));
    sockrates(["check", "--quiet"]).args([&file]).run().code(0);
}

#[test]
fn where_nobody_answers_nothing_is_written() {
    let (folder, reference) = (Folder::new(), Reference::start());
    let file = folder.path("first.yaml");
    let look = |url: &str| sockrates(["init", "--from", url, "--output"]).args([&file]).run();
    look("http://127.0.0.1:1").code(3).complains("no client could look at");
    assert!(!file.exists());
    look(&reference.url()).code(0);
    sockrates(["run", "--url", &reference.url()]).args([&file]).run().code(0);
}
