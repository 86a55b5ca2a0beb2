use super::*;
use crate::capacity::growth::example::growth;
use crate::capacity::search::Above;
use crate::report::{Detail, Look, html, markdown, terminal};

fn text(result: &GrowthResult) -> String {
    terminal(&report(result), Look { width: 160, colour: false }, Detail::Usual)
}

#[test]
fn the_growth_is_told_in_a_sentence_a_table_and_the_law() {
    let told = text(&growth(&[100.0, 180.0, 240.0, 280.0]));
    for words in [
        "From 1 node to 4 nodes, the highest load that held grew from 100 clients to 280 clients: 2.80 times.",
        "The Universal Scalability Law",
        "70 %",
        "All nodes ran on this machine",
        "4 nodes: 280 clients held",
    ] {
        assert!(told.contains(words), "{words:?} in\n{told}");
    }
}

#[test]
fn what_no_higher_load_broke_is_a_bound_and_three_answers_have_no_law() {
    let mut result = growth(&[100.0, 180.0, 240.0]);
    if let Some(found) = &mut result.searches[2].search.found {
        found.above = Above::Range { load: 240.0 };
    }
    let told = text(&result);
    assert!(told.contains("to at least 240 clients: at least 2.40 times."), "{told}");
    assert!(told.contains("needs four numbers of nodes"), "{told}");
}

#[test]
fn nothing_is_said_of_the_growth_from_a_load_that_is_a_bound() {
    let mut result = growth(&[200.0, 200.0]);
    for step in &mut result.searches {
        if let Some(found) = &mut step.search.found {
            found.above = Above::Range { load: 200.0 };
        }
    }
    let told = text(&result);
    assert!(told.contains("is not known, because no load broke 1 node: search further"), "{told}");
    assert!(!told.contains("50 %") && !told.contains("2.00 times"), "{told}");
}

#[test]
fn a_page_draws_the_loads_over_the_nodes_and_markdown_has_the_table() {
    let result = growth(&[100.0, 180.0, 240.0, 280.0]);
    let page = html(&report(&result));
    assert!(page.contains("load-nodes") && page.contains("linear"), "{page}");
    let summary = markdown(&report(&result));
    assert!(summary.contains("| 4 |") || summary.contains("|4|"), "{summary}");
}

#[test]
fn a_growth_without_answers_says_so() {
    let mut result = growth(&[100.0]);
    result.searches.clear();
    assert!(text(&result).contains("ended before its answer was found"));
    let mut one = growth(&[100.0, 200.0]);
    one.searches.iter_mut().for_each(|step| step.search.found = None);
    assert!(text(&one).contains("no two numbers of nodes"));
}
