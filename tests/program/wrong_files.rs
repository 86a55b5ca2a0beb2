//! Files that are not what they were given for: refused in a sentence, and without taking the machine's memory.

use std::fs;

use crate::support::{Folder, sockrates};

#[test]
fn an_empty_file_is_answered_with_what_makes_one_of_its_kind() {
    let folder = Folder::new();
    let empty = folder.file("empty.yaml", "");
    for (words, hint) in [
        (&["check"][..], "help: a scenario has at least `name`, `clients` and `script`"),
        (&["conform", "--contract"], "help: a contract has `join`, `leave` or `broadcast`"),
        (
            &["conform", "--baseline"],
            "help: a baseline has `server` and `cases`; `sockrates conform --write-baseline FILE`",
        ),
        (&["import", "artillery"], "help: an Artillery script is a map with `config` and `scenarios`"),
    ] {
        sockrates(words).args([&empty]).run().code(2).complains("the file is empty").complains(hint);
    }
    let services = sockrates(["run", "chat", "--server", "true", "--services"]).args([&empty]).run().code(2);
    services.complains("help: write `services: { redis: ");
    let nothing = sockrates(["run", "chat", "--set", "room="]).run().code(2);
    nothing.complains("`--set room=` gives no value").complains("help: `--set 'room=\"\"'` is an empty text");
}

#[test]
fn a_file_that_is_no_result_is_looked_at_in_little_memory() {
    let folder = Folder::new();
    let list = folder.path("list.json");
    fs::write(&list, format!("[0{}]", ",0".repeat(8 << 20))).expect("there is room");
    for verb in ["report", "trend"] {
        let of = |file: &str| sockrates([verb, file]).bounded(200_000).run().code(2);
        of(&list.display().to_string()).complains("is JSON, but no result of sockrates, but a list");
        of("/dev/zero").complains("failed to read").complains("it is binary, not text");
    }
}
