//! The walls of the house, as `docs/architecture.md` draws them: which room may use which, that files import each other in
//! no circle, who may touch the outside, and how long a file may be.

#[path = "architecture/imports.rs"]
mod imports;
#[path = "architecture/laws.rs"]
mod laws;
#[path = "architecture/tree.rs"]
mod tree;

use std::fmt::Write;
use std::path::Path;

use imports::{Found, circles, graph};
use tree::{Mention, Tree, read, rust_files};

/// The rooms under `src/`, each of which may use those above it and none below.
const ROOMS: [&str; 33] = [
    "secrets",
    "document",
    "units",
    "template",
    "contract",
    "protocol",
    "audit",
    "observe",
    "session",
    "step",
    "threshold",
    "measure",
    "scenario",
    "importer",
    "plan",
    "client",
    "system",
    "transport",
    "engine",
    "agents",
    "link",
    "server",
    "statistics",
    "verdict",
    "report",
    "conformance",
    "compare",
    "capacity",
    "matrix",
    "publish",
    "recorder",
    "runner",
    "cli",
];

/// The rooms that may touch sockets and clocks. All others take time and bytes as arguments.
const RIM: [&str; 9] =
    ["transport", "engine", "agents", "link", "server", "publish", "recorder", "runner", "cli"];

/// What reads a clock or opens a socket: a path, or all below it.
const OUTSIDE: [&str; 5] =
    ["std::net", "mio", "std::time::Instant::now", "std::time::SystemTime::now", "std::thread::sleep"];

/// The sources in which files import each other in no circle: the name of the crate, and where it lies.
const WITHOUT_CIRCLES: [(&str, &str); 2] =
    [("sockrates", "src"), ("reference_server", "reference-server/src")];

/// The rooms that may speak of the reference server: one starts it, one shows its options.
const KNOW_THE_REFERENCE_SERVER: [&str; 2] = ["server", "cli"];

/// A file is split before it grows longer than this.
const LONGEST: usize = 600;

#[test]
fn every_room_uses_only_rooms_above_it() {
    let tree = Tree::parse("sockrates", Path::new("src"));
    let mut wrong = String::new();
    for mention in &tree.mentions {
        let Some(room) = mention.module.first().and_then(|room| place(room)) else { continue };
        let followed = tree.follow(mention);
        let last = match &followed.found {
            Found::Module(module) | Found::Item(module) => Some(module),
            Found::Outside(_) => None,
        };
        for used in followed.through.iter().chain(last).filter_map(|module| place(module.first()?)) {
            if used > room {
                let (room, used) = (ROOMS[room], ROOMS[used]);
                let _ =
                    writeln!(wrong, "{}: `{room}` uses `{used}`, which is below it", spot(&tree, mention));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn files_import_each_other_in_no_circle() {
    let mut wrong = String::new();
    for (name, root) in WITHOUT_CIRCLES {
        let tree = Tree::parse(name, Path::new(root));
        let graph = graph(&tree);
        for circle in circles(&graph) {
            let _ = writeln!(wrong, "{} files import each other in a circle:", circle.len());
            for from in &circle {
                for (to, said) in graph[*from].iter().filter(|(to, _)| circle.contains(*to)) {
                    let _ =
                        writeln!(wrong, "  {}:{said} leads to {}", from.file.display(), to.file.display());
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_room_has_its_place() {
    let modules: Vec<String> = read(Path::new("src/lib.rs"))
        .lines()
        .filter_map(|line| Some(line.split_once("mod ")?.1.strip_suffix(';')?.to_owned()))
        .collect();
    assert!(modules.len() > 5, "{modules:?}");
    for module in &modules {
        assert!(ROOMS.contains(&module.as_str()), "`{module}` has no place in the table of this test");
    }
    for room in ROOMS {
        assert!(modules.iter().any(|module| module == room), "there is no room `{room}`");
    }
}

#[test]
fn only_the_rim_touches_sockets_and_clocks() {
    let tree = Tree::parse("sockrates", Path::new("src"));
    let mut wrong = String::new();
    for mention in tree.mentions.iter().filter(|mention| !mention.is_test) {
        if in_one_of(&RIM, mention) {
            continue;
        }
        let Found::Outside(path) = tree.follow(mention).found else { continue };
        let path = path.join("::");
        let below = |outside: &&&str| {
            path.strip_prefix(**outside).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        if let Some(outside) = OUTSIDE.iter().find(below) {
            let _ = writeln!(wrong, "{}: `{outside}` outside the rim", spot(&tree, mention));
        }
    }
    for call in tree.calls.iter().filter(|call| call.segments == ["elapsed"] && !call.is_test) {
        if !in_one_of(&RIM, call) {
            let _ = writeln!(wrong, "{}: `.elapsed()` outside the rim", spot(&tree, call));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_reference_server_shares_no_code_with_its_examiner() {
    let manifest = read(Path::new("reference-server/Cargo.toml"));
    let needs = manifest.split_once("[dependencies]").expect("it has dependencies").1;
    assert!(!needs.contains("sockrates"), "the reference server depends on sockrates");
    let mut wrong = String::new();
    for (folder, other, may) in [
        ("reference-server/src", "sockrates", [].as_slice()),
        ("reference-server/tests", "sockrates", [].as_slice()),
        ("src", "reference_server", KNOW_THE_REFERENCE_SERVER.as_slice()),
    ] {
        let tree = Tree::parse("this crate", Path::new(folder));
        for mention in tree.mentions.iter().filter(|mention| !in_one_of(may, mention)) {
            if matches!(tree.follow(mention).found, Found::Outside(path) if path[0] == other) {
                let _ = writeln!(wrong, "{}: uses `{other}`", spot(&tree, mention));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn no_file_is_too_long() {
    let mut wrong = String::new();
    for folder in ["src", "tests", "benches", "fuzz", "reference-server"] {
        for file in rust_files(Path::new(folder)) {
            let lines = read(&file).lines().count();
            if lines > LONGEST {
                let _ = writeln!(wrong, "{} has {lines} lines: split it by meaning", file.display());
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_guide_names_every_room_in_its_order() {
    let guide = read(Path::new("docs/architecture.md"));
    let rows: Vec<&str> = guide
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .map(|(room, _)| room.trim_end_matches('/'))
        .filter(|room| ROOMS.contains(room))
        .collect();
    assert_eq!(rows, ROOMS);
}

fn place(room: &str) -> Option<usize> {
    ROOMS.iter().position(|known| *known == room)
}

fn in_one_of(rooms: &[&str], mention: &Mention) -> bool {
    mention.module.first().is_some_and(|room| rooms.contains(&room.as_str()))
}

/// Where it is said: file and line.
fn spot(tree: &Tree, mention: &Mention) -> String {
    format!("{}:{}", tree.modules[&mention.module].place.file.display(), mention.line)
}
