//! The course of stored results.

use std::fs;

use crate::support::{Folder, data, sockrates};

/// So many results of the same scenario in a folder, each with a label.
fn results(folder: &Folder, count: usize) {
    fs::create_dir(folder.path("results")).expect("there is room");
    for number in 0..count {
        let (file, label) = (folder.path(&format!("results/{number}.json")), format!("build-{number}"));
        let run = sockrates(["run", "--quiet", "--label", &label, "--json"]).args([&file]);
        run.args([data("semantic/emit.yaml")]).run().code(0);
    }
}

#[test]
fn the_results_of_a_folder_are_shown_by_their_labels_and_drawn() {
    let folder = Folder::new();
    results(&folder, 3);
    fs::write(folder.path("results/notes.txt"), "not a result").expect("there is room");
    fs::write(folder.path("results/package.json"), "{}").expect("there is room");
    let page = folder.path("trend.html");
    let run =
        sockrates(["trend"]).args([folder.path("results")]).args(["--html"]).args([&page]).run().code(0);
    for words in ["The course of ", "3 results", "no figure shows a change", "package.json "] {
        assert!(run.stdout.contains(words), "{words}: {}", run.stdout);
    }
    let page = fs::read_to_string(page).expect("it is written");
    assert!(page.contains("<svg") && page.contains("build-1"), "{page}");
}

#[test]
fn the_course_is_stored_as_data_and_rendered_again() {
    let folder = Folder::new();
    results(&folder, 2);
    let json = folder.path("trend.json");
    let run =
        sockrates(["trend"]).args([folder.path("results")]).args(["--json"]).args([&json]).run().code(0);
    let stored: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&json).expect("it is written")).expect("it is JSON");
    assert_eq!(stored["kind"], "trend");
    let course = &stored["body"]["courses"][0];
    assert_eq!(course["points"][1]["label"], "build-1");
    assert_eq!(course["figures"][0]["values"].as_array().map(Vec::len), Some(2), "{course}");
    assert_eq!(sockrates(["report"]).args([&json]).run().code(0).stdout, run.stdout);
}

#[test]
fn a_commit_that_a_ci_system_names_is_the_label_and_anything_else_is_not() {
    let folder = Folder::new();
    for (name, value) in
        [("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567"), ("CI_COMMIT_SHA", "a secret")]
    {
        let file = folder.path(&format!("{name}.json"));
        let run = sockrates(["run", "--quiet", "--json"]).args([&file]).args([data("semantic/emit.yaml")]);
        run.env(name, value).run().code(0);
    }
    let page = folder.path("trend.html");
    let files = ["GITHUB_SHA.json", "CI_COMMIT_SHA.json"].map(|name| folder.path(name));
    sockrates(["trend"]).args(files).args(["--html"]).args([&page]).run().code(0);
    let said = fs::read_to_string(page).expect("it is written");
    assert!(said.contains("0123456789ab<") && said.contains("CI_COMMIT_SHA<"), "{said}");
    assert!(!said.contains("a secret"), "{said}");
}

#[test]
fn what_makes_no_course_is_told() {
    let folder = Folder::new();
    results(&folder, 1);
    sockrates(["trend"]).args([folder.path("results")]).run().code(2).complains("there is only one result");
    let stored = fs::read_to_string(folder.path("results/0.json")).expect("it is written");
    let invalid = stored.replacen(r#""status": "passed""#, r#""status": "invalid""#, 1);
    assert_ne!(invalid, stored);
    fs::write(folder.path("results/1.json"), invalid).expect("there is room");
    let run = sockrates(["trend"]).args([folder.path("results")]).run();
    run.code(2).complains("there is only one valid result");
    sockrates(["trend"]).args([folder.path("nowhere")]).run().code(2).complains("failed to read");
    fs::write(folder.path("results/bad.json"), "{}").expect("there is room");
    sockrates(["trend"]).args([folder.path("results")]).run().code(2).complains("bad.json");
    let bad = ["results/0.json", "results/bad.json"].map(|name| folder.path(name));
    sockrates(["trend"]).args(bad).run().code(2).complains("bad.json");
}

#[test]
fn a_gate_that_can_decide_nothing_says_what_is_missing() {
    let folder = Folder::new();
    results(&folder, 2);
    let demand = ["--fail-on", "connect p50 worse by 10 %"];
    let run = sockrates(["trend"]).args([folder.path("results")]).args(demand).run().code(4);
    run.complains("--fail-on 'connect p50 worse by 10 %'");
    let wrong = ["--fail-on", "teapots worse by 10 %"];
    sockrates(["trend"])
        .args([folder.path("results")])
        .args(wrong)
        .run()
        .code(2)
        .complains("there is no figure `teapots`");
}
