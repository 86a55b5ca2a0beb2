//! The walls would hold if nobody looked: what the reader of the code finds, on small crates written here.

use std::path::{Path, PathBuf};

use crate::imports::{Found, circles, graph};
use crate::tree::{Tree, rust_files};

/// A crate of these files.
fn of(files: &[(&str, &str)]) -> Tree {
    let files: Vec<(PathBuf, String)> =
        files.iter().map(|(file, text)| (PathBuf::from(file), (*text).to_owned())).collect();
    Tree::of("house", Path::new("src"), &files)
}

/// The files that a circle ties, all circles in one line.
fn tied(files: &[(&str, &str)]) -> String {
    let tree = of(files);
    let graph = graph(&tree);
    let circle = |circle: std::collections::BTreeSet<&crate::tree::Place>| {
        let names: Vec<String> = circle.iter().map(|place| place.file.display().to_string()).collect();
        names.join(" ")
    };
    circles(&graph).into_iter().map(circle).collect::<Vec<_>>().join("; ")
}

/// Where the code of `src/room/file.rs` leads, in a crate with the module `other` that defines `Thing`.
fn found(code: &str) -> String {
    let tree = of(&[
        ("src/lib.rs", "mod room; mod other;"),
        ("src/other.rs", "pub struct Thing;"),
        ("src/room/mod.rs", "mod file; pub use crate::other::Thing as Passed;"),
        ("src/room/file.rs", code),
    ]);
    let mut found: Vec<String> = tree
        .mentions
        .iter()
        .filter(|mention| mention.module == ["room", "file"])
        .filter_map(|mention| match tree.follow(mention).found {
            Found::Item(module) => Some(module.join("::")),
            Found::Module(_) => None,
            Found::Outside(path) => Some(format!("::{}", path.join("::"))),
        })
        .filter(|path| path == "other" || path.starts_with("::std"))
        .collect();
    found.dedup();
    found.join(" ")
}

#[test]
fn a_name_is_found_however_it_is_said() {
    for code in [
        "use crate::other::Thing;",
        "use crate::{other::{Thing as X}};",
        "use super::super::other::Thing;",
        "use super::Passed;",
        "use house::other::Thing;",
        "fn f() -> crate::other::Thing { todo!() }",
        "use crate::other; fn f(_: other::Thing) {}",
        "use crate::other::*; fn f(_: Thing) {}",
        "fn f() { assert_eq!(1, crate::other::Thing); }",
    ] {
        assert_eq!(found(code), "other", "{code}");
    }
}

#[test]
fn what_only_looks_like_a_path_is_none() {
    for code in
        ["//! [`crate::other::Thing`]", "const T: &str = \"crate::other::Thing\";", "fn f(Thing: u8) {}"]
    {
        assert_eq!(found(code), "", "{code}");
    }
}

#[test]
fn a_clock_is_seen_under_any_name() {
    for code in [
        "fn f() { std::time::Instant::now(); }",
        "use std::time::Instant as I; fn f() { I::now(); }",
        "use std::time; fn f() { debug!(time::Instant::now()); }",
    ] {
        assert!(found(code).contains("::std::time::Instant::now"), "{code}: {}", found(code));
    }
}

#[test]
fn a_parent_may_call_and_re_export_its_children() {
    let root = ("src/lib.rs", "mod room;");
    let parent = ("src/room/mod.rs", "mod a; pub use a::A; pub const LIMIT: u8 = 1; fn f() { a::go(); }");
    assert_eq!(tied(&[root, parent, ("src/room/a.rs", "use super::LIMIT; pub struct A;")]), "");
}

#[test]
fn files_in_a_circle_are_named_together() {
    let root = ("src/lib.rs", "mod room;");
    let parent = ("src/room/mod.rs", "mod a; mod b; mod c; pub use a::A; pub use b::B;");
    let a = ("src/room/a.rs", "use super::B; pub struct A;");
    let b = ("src/room/b.rs", "use super::A; pub struct B;");
    let c = ("src/room/c.rs", "use super::{A, B};");
    assert_eq!(tied(&[root, parent, a, b, c]), "src/room/a.rs src/room/b.rs");
}

#[test]
fn a_file_may_be_tested_with_what_imports_it() {
    let root = ("src/lib.rs", "mod a; mod b;");
    let a = ("src/a.rs", "pub struct A; #[cfg(test)] mod tests { use crate::b::B; }");
    assert_eq!(tied(&[root, a, ("src/b.rs", "use crate::a::A; pub struct B;")]), "");
}

#[test]
fn a_room_called_target_is_read() {
    assert!(rust_files(Path::new("src")).len() > 50);
    assert!(rust_files(Path::new(".")).iter().all(|file| !file.starts_with("./target")));
}
