//! The walls of the house, as `docs/architecture.md` draws them: which room may use which, who may touch the outside,
//! and how long a file may be.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms under `src/`, each of which may use those above it and none below.
const ROOMS: [&str; 26] = [
    "document",
    "units",
    "template",
    "contract",
    "protocol",
    "observe",
    "session",
    "step",
    "threshold",
    "audit",
    "measure",
    "scenario",
    "plan",
    "client",
    "transport",
    "driver",
    "engine",
    "server",
    "statistics",
    "verdict",
    "report",
    "conformance",
    "compare",
    "capacity",
    "runner",
    "cli",
];

/// The rooms that may touch sockets and clocks. All others take time and bytes as arguments.
const RIM: [&str; 6] = ["transport", "driver", "engine", "server", "runner", "cli"];

/// What reads a clock or opens a socket.
const OUTSIDE: [&str; 6] =
    ["std::net", "mio::", "Instant::now", "SystemTime::now", ".elapsed()", "thread::sleep"];

/// The rooms that may speak of the reference server: one starts it, one shows its options.
const KNOW_THE_REFERENCE_SERVER: [&str; 2] = ["server", "cli"];

/// A file is split before it grows longer than this.
const LONGEST: usize = 600;

#[test]
fn every_room_uses_only_rooms_above_it() {
    let mut wrong = String::new();
    for file in rust_files("src") {
        let Some(room) = room_of(&file) else { continue };
        for (line, used) in imports(&code(&read(&file)), depth_of(&file)) {
            if place(&used) > place(&room) {
                let _ =
                    writeln!(wrong, "{}:{line}: `{room}` uses `{used}`, which is below it", file.display());
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
    let mut wrong = String::new();
    for file in rust_files("src").into_iter().filter(|file| !is_test(file)) {
        let Some(room) = room_of(&file) else { continue };
        if RIM.contains(&room.as_str()) {
            continue;
        }
        for (number, line) in without_tests(&code(&read(&file))).lines().enumerate() {
            for word in OUTSIDE.iter().filter(|word| line.contains(**word)) {
                let _ = writeln!(wrong, "{}:{}: `{word}` outside the rim", file.display(), number + 1);
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_reference_server_shares_no_code_with_its_examiner() {
    let manifest = read(Path::new("reference-server/Cargo.toml"));
    let needs = manifest.split_once("[dependencies]").expect("it has dependencies").1;
    assert!(!needs.contains("sockrates"), "the reference server depends on sockrates");
    for file in rust_files("reference-server") {
        assert!(!code(&read(&file)).contains("sockrates::"), "{} uses sockrates", file.display());
    }
    for file in rust_files("src") {
        let Some(room) = room_of(&file) else { continue };
        assert!(
            KNOW_THE_REFERENCE_SERVER.contains(&room.as_str())
                || !code(&read(&file)).contains("reference_server::"),
            "{} uses the reference server",
            file.display()
        );
    }
}

#[test]
fn no_file_is_too_long() {
    let mut wrong = String::new();
    for folder in ["src", "tests", "benches", "fuzz", "reference-server"] {
        for file in rust_files(folder) {
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

/// The scanner sees every way to name a room, or the walls would hold because nobody looks.
#[test]
fn the_scanner_finds_what_it_looks_for() {
    let found = |text: &str, depth| {
        imports(&code(text), depth).into_iter().map(|(_, room)| room).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(found("use crate::session::Event;", 1), "session");
    assert_eq!(found("use crate::{client, engine::{Run, plan}, report as r};", 1), "client engine report");
    assert_eq!(found("fn f() -> crate::step::Flow { crate::plan::go() }", 1), "step plan");
    assert_eq!(found("use super::engine::Run;", 1), "engine");
    assert_eq!(found("use super::report::Run;", 2), "", "a module of its own that is named like a room");
    assert_eq!(found("use super::super::report::Run;", 2), "report");
    assert_eq!(found("//! [`crate::client`]\n/* crate::plan */ // crate::cli", 1), "");
    assert_eq!(found("\"crate::plan\" r#\"crate::cli \" \"# '\"' crate::step", 1), "step");
    assert_eq!(found("&'a str; crate::step; 'b'; crate::plan", 1), "step plan");

    assert_eq!(code("a // b\n\"c\" d"), "a \n\"\" d");
    assert_eq!(without_tests("a\n#[cfg(test)]\nmod tests {\nb"), "a\n");
    assert_eq!(without_tests("a\n#[cfg(test)]\nmod tests;\nb"), "a\n#[cfg(test)]\nmod tests;\nb");
    assert_eq!(room_of(Path::new("src/step/emit.rs")).as_deref(), Some("step"));
    assert_eq!(room_of(Path::new("src/client.rs")).as_deref(), Some("client"));
    assert_eq!(room_of(Path::new("src/main.rs")), None);
    assert_eq!([depth_of(Path::new("src/client.rs")), depth_of(Path::new("src/step/mod.rs"))], [1, 1]);
    assert_eq!(depth_of(Path::new("src/session/tests/talk.rs")), 3);
    assert!(rust_files("src").len() > 50);
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every Rust file below a folder, without what was built there.
fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("a folder can be read").path();
            if path.is_dir() && !path.ends_with("target") && !path.ends_with("node_modules") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The parts of a path below `src`, without the ending of the file.
fn parts(file: &Path) -> Vec<String> {
    let below = file.strip_prefix("src").expect("a file below src").with_extension("");
    below.iter().map(|part| part.to_string_lossy().into_owned()).collect()
}

/// The room of a file; none for `lib.rs` and `main.rs`, which only open the door.
fn room_of(file: &Path) -> Option<String> {
    parts(file).into_iter().next().filter(|room| room != "lib" && room != "main")
}

/// How many modules lie between the file's code and the root of the crate, its own included.
fn depth_of(file: &Path) -> usize {
    parts(file).iter().filter(|part| *part != "mod").count()
}

fn place(room: &str) -> usize {
    ROOMS.iter().position(|known| *known == room).unwrap_or_else(|| panic!("`{room}` is no known room"))
}

fn is_test(file: &Path) -> bool {
    parts(file).iter().any(|part| part == "tests")
}

/// Cuts off a module of tests at the end of a file.
fn without_tests(code: &str) -> &str {
    let mut at = 0;
    while let Some(found) = code[at..].find("#[cfg(test)]\nmod ") {
        let start = at + found;
        let head = code[start..].lines().nth(1).unwrap_or_default();
        if head.ends_with('{') {
            return &code[..start];
        }
        at = start + 1;
    }
    code
}

/// The code without comments and without what stands in texts, line by line as it was.
fn code(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        let (kept, length) = if rest.starts_with("//") {
            (String::new(), rest.find('\n').unwrap_or(rest.len()))
        } else if rest.starts_with("/*") {
            skipped(rest, "", rest.find("*/").map_or(rest.len(), |end| end + 2))
        } else if let Some(hashes) = raw_text(rest) {
            let open = rest.find('"').unwrap_or(0) + 1;
            let close = format!("\"{}", "#".repeat(hashes));
            let end = rest[open..].find(&close).map_or(rest.len(), |end| open + end + close.len());
            skipped(rest, "\"\"", end)
        } else if c == '"' {
            skipped(rest, "\"\"", end_of_text(rest))
        } else if c == '\'' {
            // A character, or the tick of a lifetime.
            let is_escape = rest[1..].starts_with('\\');
            let end = if is_escape { rest[3..].find('\'').map(|end| end + 3) } else { None };
            let plain = rest.char_indices().nth(2).filter(|(_, c)| *c == '\'').map(|(at, _)| at);
            match end.or(plain) {
                Some(end) => ("''".to_owned(), end + 1),
                None => ("'".to_owned(), 1),
            }
        } else {
            (c.to_string(), c.len_utf8())
        };
        out.push_str(&kept);
        rest = &rest[length..];
    }
    out
}

/// Leaves something else in the place of a piece, with its line breaks.
fn skipped(rest: &str, instead: &str, length: usize) -> (String, usize) {
    (format!("{instead}{}", "\n".repeat(rest[..length].matches('\n').count())), length)
}

/// The number of hashes, if a raw text begins here.
fn raw_text(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = after.bytes().take_while(|byte| *byte == b'#').count();
    after[hashes..].starts_with('"').then_some(hashes)
}

fn end_of_text(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// Every room that the code names, with its line. `depth` tells how many `super` lead to the root of the crate.
fn imports(code: &str, depth: usize) -> Vec<(usize, String)> {
    let root = "super::".repeat(depth);
    let mut found = Vec::new();
    for start in ["crate::", &root] {
        for (at, _) in code.match_indices(start) {
            // Not a part of a longer word or path.
            if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let line = code[..at].lines().count().max(1);
            let names = names(&code[at + start.len()..]);
            let rooms = names.into_iter().filter(|name| ROOMS.contains(&name.as_str()));
            found.extend(rooms.map(|room| (line, room)));
        }
    }
    found
}

/// The first name of a path, or of each path of a group in braces.
fn names(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else { return first_name(path).into_iter().collect() };
    let mut names: Vec<String> = first_name(group.trim_start()).into_iter().collect();
    let mut depth = 0;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.extend(first_name(group[at + 1..].trim_start())),
            _ => {}
        }
    }
    names
}

fn first_name(path: &str) -> Option<String> {
    let end = path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
    (end > 0).then(|| path[..end].to_owned())
}
