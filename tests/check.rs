//! Every kind of mistake in a scenario has a file under `check/wrong` and, beside it, the message that answers it;
//! every good file under `check/good` has the words in which it is explained. `UPDATE_GOLDEN=1` writes the messages
//! anew: read each of them as the user who gets it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sockrates::document::{SIZE_LIMIT, Source, parse, render};
use sockrates::scenario::{Surroundings, explain, load, read};

const WRONG: &str = "tests/check/wrong";
const GOOD: &str = "tests/check/good";

/// The files of a folder with this ending, in order.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("the folder can be read").path();
            match path.is_dir() {
                true => walk(&path, ending, found),
                false if path.extension().is_some_and(|extension| extension == ending) => found.push(path),
                false => {}
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new(folder), ending, &mut found);
    found.sort();
    found
}

/// Compares what each scenario of a folder gives with the text beside it, and tells all that differ.
fn compare(folder: &str, give: impl Fn(&Path) -> String) {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut differing = Vec::new();
    for path in files(folder, "yaml") {
        let golden = path.with_extension("txt");
        let given = give(&path);
        if update {
            std::fs::write(&golden, &given).expect("the golden can be written");
        }
        let kept = std::fs::read_to_string(&golden).unwrap_or_default();
        if kept != given {
            differing.push(format!("{}\n--- kept\n{kept}--- given\n{given}", path.display()));
        }
    }
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
}

#[test]
fn every_wrong_file_is_answered_with_its_message() {
    compare(WRONG, |path| match load(path) {
        Ok(_) => "nothing wrong was found\n".to_owned(),
        Err(report) => report,
    });
}

#[test]
fn every_good_file_is_explained_in_its_words() {
    compare(GOOD, |path| match load(path) {
        Ok(scenario) => explain(&scenario),
        Err(report) => panic!("{report}"),
    });
}

#[test]
fn each_file_has_its_text_and_each_text_its_file() {
    for folder in [WRONG, GOOD] {
        let stems = |ending| -> BTreeSet<PathBuf> {
            files(folder, ending).into_iter().map(|path| path.with_extension("")).collect()
        };
        let (scenarios, texts) = (stems("yaml"), stems("txt"));
        assert_eq!(scenarios.symmetric_difference(&texts).collect::<Vec<_>>(), Vec::<&PathBuf>::new());
    }
    assert!(files(WRONG, "yaml").len() >= 40);
}

#[test]
fn every_message_says_what_and_where_and_nothing_that_a_terminal_obeys() {
    for path in files(WRONG, "yaml") {
        let Err(report) = load(&path) else { panic!("{} is taken for good", path.display()) };
        let mut lines = report.lines();
        let message = lines.next().unwrap_or_default();
        assert!(message.starts_with("error: ") && !message.ends_with('.'), "{report}");
        let place = lines.next().unwrap_or_default();
        assert!(place.starts_with(&format!(" --> {}", path.display())), "{report}");
        assert!(!report.chars().any(|c| c.is_control() && c != '\n'), "{report:?}");
        assert!(report.lines().all(|line| line.chars().count() <= 300), "{report}");
    }
}

#[test]
fn a_file_of_100_mb_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.yaml");
    std::fs::File::create(&path).unwrap().set_len(100_000_000).unwrap();
    let report = load(&path).unwrap_err();
    assert!(
        report.starts_with("error: the file is larger than 1024 KiB, the most that is read\n"),
        "{report}"
    );
}

#[test]
fn a_large_file_on_one_line_takes_no_more_than_its_length() {
    let shapes: [&dyn Fn(usize) -> String; 10] = [
        &|size| format!("[{}{}]", " ".repeat(size / 2), "x, ".repeat(size / 6)),
        &|size| format!("[{}]", "'x' , ".repeat(size / 6)),
        &|size| format!("{{{}}}", (0..size / 11).map(|index| format!("k{index:06}: 1,")).collect::<String>()),
        &|size| format!("a: &a {{x: 1}}\nb: {{<<: [{}]}}", "*a, ".repeat(size / 4)),
        &|size| "- ".repeat(size / 2),
        &|size| "a".repeat(size),
        &|size| "[".repeat(size),
        &|size| format!("a: [{}", "x, ".repeat(size / 3)),
        &|size| (0..size / 8).map(|index| format!("{index:06}: \n")).collect(),
        &|size| "&a ".repeat(size / 3),
    ];
    for shape in shapes {
        // Were anything quadratic in this, the test would not end within minutes.
        let text = shape(SIZE_LIMIT as usize / 4);
        let source = Source { name: "large".to_owned(), text };
        drop(parse(&source));
    }
}

#[test]
fn a_missing_file_and_a_folder_are_told_apart() {
    let missing = load(Path::new("no/such/scenario.yaml")).unwrap_err();
    assert!(
        missing.starts_with(
            "error: cannot read the file: no such file or directory\n --> no/such/scenario.yaml\n"
        )
    );
    let folder = load(Path::new("tests")).unwrap_err();
    assert!(folder.starts_with("error: cannot read the file: is a directory\n --> tests\n"), "{folder}");
}

/// A good file with one place of it changed: a character taken out or put in, or everything from there lost.
fn changed(text: &str, at: usize, change: usize) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let at = at % (chars.len() + 1);
    let odd: Vec<char> = "{}[],:-'\"#&*!|>%@$ \n\t0é漢".chars().collect();
    match change % (odd.len() + 2) {
        0 if at < chars.len() => drop(chars.remove(at)),
        0 | 1 => chars.truncate(at),
        which => chars.insert(at, odd[which - 2]),
    }
    // Readers differ on text in block style that the end of the file cuts off.
    chars.into_iter().chain(['\n']).collect()
}

proptest::proptest! {
    #[test]
    fn a_slip_anywhere_is_answered_within_the_file_or_means_the_same_to_all(
        which in 0usize..100, at in 0usize..10_000, change in 0usize..100, second in 0usize..10_000
    ) {
        let good = files(GOOD, "yaml");
        let text = std::fs::read_to_string(&good[which % good.len()]).expect("a good file can be read");
        let text = changed(&changed(&text, at, change), second, change / 2);
        let source = Source { name: "slip.yaml".to_owned(), text };
        if let (Ok(node), Some(other)) = (parse(&source), second_opinion(&source.text)) {
            proptest::prop_assert_eq!(node.to_json(), other, "{}", source.text);
        }
        let surroundings = Surroundings::new(|_| None, |_| Ok(b"name,age\nada,36\n".to_vec()));
        match read(&source, &surroundings) {
            Ok(scenario) => drop(explain(&scenario)),
            Err(mistake) => {
                let lines = source.text.lines().count().max(1);
                proptest::prop_assert!(mistake.span.line as usize <= lines, "{mistake:?}");
                proptest::prop_assert!(!mistake.message.is_empty() && !mistake.message.ends_with('.'));
                proptest::prop_assert!(!mistake.message.contains("this is not YAML"), "{}", render(&mistake, &source));
            }
        }
    }
}

/// What an independent reader of YAML makes of the same text, if it can read it.
fn second_opinion(text: &str) -> Option<serde_json::Value> {
    use serde::Deserialize;
    let mut value = serde_yaml::Value::deserialize(serde_yaml::Deserializer::from_str(text)).ok()?;
    value.apply_merge().ok()?;
    serde_json::to_value(value).ok()
}

#[test]
fn another_reader_of_yaml_understands_every_file_the_same() {
    let bundled = files("scenarios", "yaml");
    for path in files(GOOD, "yaml").into_iter().chain(bundled) {
        let source = Source::read(&path).unwrap();
        let read = parse(&source).unwrap_or_else(|mistake| panic!("{}: {mistake}", path.display())).to_json();
        assert_eq!(Some(read), second_opinion(&source.text), "{}", path.display());
    }
}
