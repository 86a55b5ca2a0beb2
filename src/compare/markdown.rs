//! A comparison as tables for a pull request.

use super::conformance::{Conformance, named};
use super::diff::Diff;
use super::judge::Row;
use super::result::{ComparisonResult, Trouble};
use super::text::{cells, judgement};
use crate::conformance::Verdict;
use crate::conformance::text::counts;
use crate::measure::format::{counted, printable};

/// The comparison in Markdown.
pub fn to_markdown(result: &ComparisonResult) -> String {
    let first = result.servers.first().map_or("", |server| server.name.as_str());
    let mut text = format!(
        "**{}**, {}, seed {}\n",
        escaped(&result.scenario.name),
        counted(result.blocks.len() as u64, "block"),
        result.scenario.seed
    );
    for comparison in &result.comparisons {
        text.push_str(&table([first, &comparison.server], &comparison.rows, result.effect));
    }
    text.push('\n');
    for server in &result.servers {
        text.push_str(&went_wrong(&server.name, &result.troubles(&server.name)));
    }
    for found in &result.conformance {
        text.push_str(&conformance(&found.server, found));
    }
    text + &notes(&result.notes)
}

/// The results of two days in Markdown.
pub fn two_days_to_markdown(result: &Diff) -> String {
    let names = [result.old.name.as_str(), &result.new.name];
    let mut text = format!("**{}** beside **{}**\n", escaped(names[1]), escaped(names[0]));
    for pair in &result.comparisons {
        text.push_str(&format!("\n{}\n", escaped(&pair.name)));
        text.push_str(&table(names, &pair.rows, 0.0));
    }
    text.push('\n');
    for (name, facts) in result.sides() {
        text.push_str(&went_wrong(&name, &facts.troubles));
    }
    for (name, facts) in result.sides() {
        text.extend(facts.conformance.iter().map(|found| conformance(&name, found)));
    }
    text + &notes(&result.notes)
}

fn table(names: [&str; 2], rows: &[Row], effect: f64) -> String {
    let [first, other] = names.map(escaped);
    let mut text =
        format!("\n| | {first} | {other} | difference | 95 % | noise | |\n|---|--:|--:|--:|---|--:|---|\n");
    for row in rows {
        let Some(cells) = cells(row) else { continue };
        let (words, _) = judgement(row, effect);
        text.push_str(&format!("| {} | {words} |\n", cells.map(|cell| escaped(&cell)).join(" | ")));
    }
    text
}

fn went_wrong(name: &str, troubles: &[Trouble]) -> String {
    let words: Vec<String> =
        troubles.iter().map(|trouble| format!("{} {}", escaped(&trouble.what), trouble.count)).collect();
    let words = if words.is_empty() { "nothing went wrong".to_owned() } else { words.join(", ") };
    format!("- {}: {words}\n", escaped(name))
}

fn conformance(name: &str, found: &Conformance) -> String {
    let mut words = match found.summary.total() {
        0 => vec!["not examined".to_owned()],
        _ => vec![counts(&found.summary)],
    };
    let failed = found.cases(Verdict::Fail);
    if !failed.is_empty() {
        words.push(format!("failed: {}", escaped(&named(&failed))));
    }
    words.extend(found.findings.iter().map(|finding| escaped(finding)));
    words.extend(found.unfinished.iter().map(|why| format!("not finished: {}", escaped(why))));
    format!("- conformance of {}: {}\n", escaped(name), words.join("; "))
}

fn notes(notes: &[String]) -> String {
    notes.iter().map(|note| format!("- {}\n", escaped(note))).collect()
}

/// A text in which nothing means anything to Markdown.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in printable(text).chars() {
        if r"\`*_{}[]<>#|!&~".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::example::{comparison, diff};
    use super::*;

    #[test]
    fn a_comparison_reads_like_this_in_markdown() {
        insta::assert_snapshot!(to_markdown(&comparison(10, 1.25)));
    }

    #[test]
    fn a_single_block_has_a_ratio_and_no_interval() {
        let text = to_markdown(&comparison(1, 1.25));
        assert!(text.contains(", 1 block, seed"), "{text}");
        assert!(text.contains(" % | – | – | too few to tell"), "{text}");
    }

    #[test]
    fn two_days_read_like_this_in_markdown() {
        insta::assert_snapshot!(two_days_to_markdown(&diff()));
    }

    #[test]
    fn a_name_cannot_break_the_table() {
        let mut result = comparison(2, 1.0);
        result.servers[0].name = "a | <b>".to_owned();
        assert!(to_markdown(&result).contains(r"a \| \<b\>"));
    }
}
