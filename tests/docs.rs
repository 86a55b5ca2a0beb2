//! The documentation says what is true: its scenarios are read and played, its links lead somewhere, its tables are those
//! of the code.
//!
//! A block that begins with ```` ```yaml ```` is a whole scenario. Marks behind it say more: `step` is a list of acts,
//! `part` some keys of a scenario; `run` is played against the reference server and has to pass, and with
//! `red=FAULT,…` it has to fail against a server that has one of these faults; `chat-app` is played against that peer.
//! `baseline` is no scenario but a baseline of the conformance suite.

#[path = "docs/page.rs"]
mod page;
#[path = "support/peers.rs"]
mod peers;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

use page::{Block, Page};
use peers::Peer;
use sockrates::audit::Fault;
use sockrates::conformance::{Case, baseline::Baseline};
use sockrates::contract::{Contract, Verb};
use sockrates::document::{Source, render};
use sockrates::observe::{Counter, Metric};
use sockrates::scenario::{Level, Need, Scenario, Surroundings, read};
use sockrates::step::KINDS;

const README: &str = "README.md";
const SCENARIOS: &str = "docs/scenarios.md";

fn sockrates(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sockrates")).args(arguments).output().expect("sockrates runs")
}

fn printed(arguments: &[&str]) -> String {
    let output = sockrates(arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("it prints text")
}

fn yaml() -> Vec<Block> {
    let blocks = page::all().iter().flat_map(Page::blocks).collect::<Vec<_>>();
    blocks.into_iter().filter(|block| block.is("yaml") && !block.is("baseline")).collect()
}

fn checked(block: &Block) -> Result<Scenario, String> {
    let source = Source { name: block.place.to_string(), text: block.scenario() };
    read(&source, &Surroundings::without_files()).map_err(|mistake| render(&mistake, &source))
}

#[test]
fn every_scenario_of_a_page_is_a_good_one() {
    let wrong: Vec<String> = yaml().iter().filter_map(|block| checked(block).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_baseline_is_a_good_one() {
    let ids = printed(&["list", "--conformance", "--ids"]);
    let cases: Vec<Case> = ids
        .lines()
        .map(|id| {
            let path = Path::new("scenarios/conformance").join(format!("{id}.yaml"));
            let source = Source::read(&path).expect("it is there");
            Case::read(id.to_owned(), source, &Surroundings::of(&path)).expect("it is a good case")
        })
        .collect();
    let blocks = page::all().iter().flat_map(Page::blocks).collect::<Vec<_>>();
    let baselines: Vec<Block> = blocks.into_iter().filter(|block| block.is("baseline")).collect();
    assert!(!baselines.is_empty(), "there is an example");
    let of_pages =
        baselines.into_iter().map(|block| Source { name: block.place.to_string(), text: block.text });
    let files =
        fs::read_dir("baselines").expect("it is there").map(|entry| entry.expect("it can be read").path());
    let of_files = files.map(|path| Source::read(&path).expect("it can be read"));
    for source in of_pages.chain(of_files) {
        let read = Baseline::read(&source, &cases).map_err(|mistake| render(&mistake, &source));
        assert!(read.is_ok(), "{}", read.expect_err("it is not"));
    }
}

#[test]
fn every_scenario_that_is_to_be_played_passes() {
    let folder = tempfile::tempdir().expect("there is room");
    let played: Vec<Block> = yaml().into_iter().filter(|block| block.is("run")).collect();
    assert!(played.len() > 20, "{} scenarios are not what the pages have", played.len());
    for block in &played {
        fs::write(folder.path().join(file_name(block)), block.scenario()).expect("it can be written");
    }
    let output = sockrates(&["run", &folder.path().to_string_lossy(), "--quiet"]);
    let (told, mistakes) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{told}\n{mistakes}", output.status);
    assert!(told.contains(&format!("{0} of {0} scenarios passed", played.len())), "{told}");
}

#[test]
fn every_scenario_that_is_said_to_see_a_fault_sees_it() {
    let folder = tempfile::tempdir().expect("there is room");
    let blocks = yaml();
    let cases: Vec<(&Block, &str)> =
        blocks.iter().flat_map(|block| block.red().into_iter().map(move |fault| (block, fault))).collect();
    assert!(cases.len() > 5, "{} faults are not what the pages name", cases.len());
    // Written before the first is played: one block may stand for several faults.
    for (block, _) in &cases {
        assert!(
            block.is("run"),
            "{}: without `run`, who knows that it passes without the fault?",
            block.place
        );
        fs::write(folder.path().join(file_name(block)), block.scenario()).expect("it can be written");
    }
    // Most of them wait for something that never comes, and can do so together.
    thread::scope(|scope| {
        for (block, fault) in cases {
            let file = folder.path().join(file_name(block));
            scope.spawn(move || {
                let output = sockrates(&["run", &file.to_string_lossy(), "--quiet", "--fault", fault]);
                let told = String::from_utf8_lossy(&output.stdout);
                let mistakes = String::from_utf8_lossy(&output.stderr);
                assert_eq!(
                    output.status.code(),
                    Some(1),
                    "{} with {fault}:\n{told}\n{mistakes}",
                    block.place
                );
            });
        }
    });
}

/// `docs-scenarios.md-17.yaml`, so that a report tells the place.
fn file_name(block: &Block) -> String {
    format!("{}.yaml", block.place.to_string().replace(['/', ':'], "-"))
}

#[test]
fn every_link_leads_to_a_file_that_is_there_and_to_a_heading_in_it() {
    let mut astray = Vec::new();
    for page in page::all() {
        let folder = page.path.parent().expect("a page stands in a folder");
        for (place, target) in page.links() {
            if target.starts_with("https://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = if file.is_empty() { page.path.clone() } else { folder.join(file) };
            let there = path.exists()
                && (anchor.is_empty() || page::named(&path).anchors().iter().any(|known| known == anchor));
            if !there {
                astray.push(format!("{place}: {target}"));
            }
        }
    }
    assert!(astray.is_empty(), "{}", astray.join("\n"));
}

#[test]
fn the_readme_tells_the_verbs_of_the_binary() {
    let help = printed(&["--help"]);
    let commands = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next());
    let known: Vec<&str> = commands
        .expect("the help lists the verbs")
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .collect();
    let told: Vec<String> =
        page::named(README).table("## Verbs").into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(told, known);
}

#[test]
fn the_exit_codes_are_those_of_the_binary_wherever_they_are_told() {
    let help = printed(&["--help"]);
    let codes = help.split("Exit codes:\n").nth(1).expect("the help lists the exit codes");
    let known: Vec<Vec<String>> = codes
        .lines()
        .filter_map(|line| line.trim().split_once("  "))
        .map(|(code, meaning)| vec![code.to_owned(), meaning.to_owned()])
        .collect();
    assert!(known.len() >= 6, "{help}");
    assert_eq!(page::named(README).table("## Exit codes"), known);
    let short: Vec<String> =
        page::named("docs/running.md").table("## Exit codes").into_iter().map(|row| row[0].clone()).collect();
    assert_eq!(short, known.into_iter().map(|row| row[0].clone()).collect::<Vec<_>>());
}

#[test]
fn the_quick_start_is_two_commands_and_ci_runs_the_tests_by_the_second() {
    let readme = page::named(README);
    let start =
        readme.blocks().into_iter().find(|block| block.is("console")).expect("there is a quick start");
    let commands: Vec<&str> = start.text.lines().collect();
    assert_eq!(commands, ["cargo run --release -- run scenarios/chat.yaml", "cargo test --workspace"]);
    assert!(Path::new("scenarios/chat.yaml").exists());
    let ci = fs::read_to_string(".ci/run").expect("there is a .ci/run");
    assert!(ci.contains(commands[1]), ".ci/run does not run `{}`", commands[1]);
}

#[test]
fn the_output_in_the_readme_is_what_its_scenario_gives() {
    let readme = page::named(README);
    let blocks = readme.blocks();
    let scenario = blocks.iter().find(|block| block.is("yaml")).expect("there is a scenario");
    let folder = tempfile::tempdir().expect("there is room");
    let file = folder.path().join("room.yaml");
    fs::write(&file, scenario.scenario()).expect("it can be written");
    let file = file.to_string_lossy();
    for (shown, arguments) in blocks
        .iter()
        .filter(|block| block.is("text"))
        .zip([&["run", &*file][..], &["run", &*file, "--fault", "room-ignored"]])
    {
        // The report names the file as it was given, and breaks its lines by their length.
        let name = file.split_whitespace().collect::<String>();
        let given = String::from_utf8_lossy(&sockrates(arguments).stdout).into_owned();
        let given = given.split_whitespace().collect::<String>().replace(&name, "room.yaml");
        let checks = shown.text.lines().filter(|line| line.contains("check"));
        let mut compared = 0;
        for line in checks {
            let bare = line.split_whitespace().collect::<String>();
            assert!(given.contains(&bare), "{}: `{line}` is not in the output:\n{given}", shown.place);
            compared += 1;
        }
        assert!(compared >= 2, "{}: nothing to compare", shown.place);
    }
}

#[test]
fn every_step_has_a_place_and_an_example_on_the_page_of_the_language() {
    let page = page::named(SCENARIOS);
    let examples: String = page.blocks().iter().map(|block| block.text.clone()).collect();
    let words: BTreeSet<&str> = examples
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .collect();
    for kind in KINDS {
        assert!(page.text.contains(&format!("`{}`", kind.word)), "`{}` is not told of", kind.word);
        assert!(words.contains(kind.word), "`{}` has no example", kind.word);
    }
}

#[test]
fn every_word_of_the_language_is_told_on_its_page() {
    let text = page::named(SCENARIOS).text;
    let metrics = Metric::ALL.map(Metric::name);
    let counters = Counter::ALL.map(Counter::name);
    let faults = Fault::ALL.map(Fault::name);
    let levels = Level::ALL.map(Level::name);
    let needs = Need::ALL.map(Need::name);
    let all = [&metrics[..], &counters, &faults, &levels, &needs].concat();
    let missing: Vec<&str> = all.into_iter().filter(|word| !text.contains(&format!("`{word}`"))).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn the_contract_on_the_page_is_the_default_one() {
    let page = page::named("docs/your-server.md");
    let contracts: Vec<Contract> = page
        .blocks()
        .iter()
        .filter(|block| block.is("part") && block.is("default"))
        .map(|block| checked(block).unwrap_or_else(|report| panic!("{report}")).contract)
        .collect();
    let told = |contract: &Contract| Verb::ALL.map(|verb| format!("{:?}", contract.get(verb))).join("\n");
    assert_eq!(contracts.iter().map(told).collect::<Vec<_>>(), [told(&Contract::fixture())]);
}

#[test]
fn the_words_of_a_contract_are_told() {
    let rows = page::named("docs/your-server.md").table("### The words of a contract");
    let told: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(told, Verb::ALL.map(Verb::name));
    for (row, verb) in rows.iter().zip(Verb::ALL) {
        let words: BTreeSet<&str> = row[1].split([',', ' ', '`']).filter(|word| !word.is_empty()).collect();
        assert_eq!(words, verb.words().iter().copied().collect(), "{}", verb.name());
    }
}

#[test]
fn the_scenario_for_an_application_passes_against_it() {
    let Some(server) = Peer::NodeChatApp.command_line() else { return };
    let folder = tempfile::tempdir().expect("there is room");
    let file = folder.path().join("tables.yaml");
    let block = yaml().into_iter().find(|block| block.is("chat-app")).expect("there is one");
    fs::write(&file, block.scenario()).expect("it can be written");
    let told = printed(&["run", &file.to_string_lossy(), "--server", &server]);
    assert!(told.contains("28 checks"), "{told}");
}

#[test]
fn the_fixture_on_the_page_has_the_events_of_both_fixtures() {
    let page = page::named("docs/your-server.md");
    let told: BTreeSet<String> = page.table("## The fixture").into_iter().map(|row| row[1].clone()).collect();
    let told: BTreeSet<&str> =
        told.iter().map(String::as_str).filter(|event| event.starts_with("t:")).collect();
    for fixture in ["tests/peers/node/contract.js", "reference-server/src/app/fixture.rs"] {
        let source = fs::read_to_string(fixture).expect("it is there");
        let quoted = source.split('"').filter(|text| text.len() > 2 && text.starts_with("t:"));
        assert_eq!(told, quoted.collect(), "{fixture}");
    }
}

#[test]
fn the_parts_of_a_result_are_told() {
    let folder = tempfile::tempdir().expect("there is room");
    let (scenario, result) = (folder.path().join("a.yaml"), folder.path().join("a.json"));
    fs::write(&scenario, "name: a\nclients: { a: 1 }\nscript: [ { a: connect } ]\n")
        .expect("it can be written");
    printed(&["run", &scenario.to_string_lossy(), "--json", &result.to_string_lossy()]);
    let text = fs::read_to_string(result).expect("a result was written");
    let result: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let parts = result["body"][0].as_object().expect("there is a result").keys();
    let page = page::named("docs/results.md").text;
    let parts = parts.chain(result.as_object().expect("it has an envelope").keys());
    let missing: Vec<&String> = parts.filter(|part| !page.contains(&format!("`{part}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_flags_are_those_of_the_programs() {
    for (verb, path, heading) in [
        ("serve", "docs/reference-server.md", "## Flags"),
        ("run", "docs/running.md", "## Flags"),
        ("conform", "docs/conform.md", "## Flags"),
        ("capacity", "docs/capacity.md", "## Flags"),
        ("compare", "docs/compare.md", "## Flags"),
        ("init", "docs/writing.md", "# Writing a scenario"),
        ("report", "docs/results.md", "# Results and formats"),
        ("import artillery", "docs/import.md", "## Artillery"),
        ("record", "docs/import.md", "## A recording"),
        ("import har", "docs/import.md", "### A recording of a browser"),
    ] {
        let verbs: Vec<&str> = verb.split(' ').collect();
        let help = printed(&[verbs.as_slice(), &["--help"]].concat());
        let known: BTreeSet<&str> = help
            .lines()
            .filter(|line| line.trim_start().starts_with('-') && !line.starts_with("        "))
            .filter_map(|line| words(line).find(|word| word.starts_with("--")))
            .filter(|flag| *flag != "--help")
            .collect();
        let rows = page::named(path).table(heading);
        let cells = rows.iter().map(|row| row[0].as_str());
        let told: BTreeSet<&str> = cells.flat_map(words).filter(|word| is_flag(word)).collect();
        assert_eq!(told, known, "{path}");
    }
}

/// A flag, and no line of a table.
fn is_flag(word: &str) -> bool {
    word.starts_with("--") && word.contains(char::is_alphabetic)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
}
