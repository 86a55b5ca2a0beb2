//! A comparison as tables for a pull request.

use super::judge::Row;
use super::result::{ComparisonResult, Trouble};
use super::text::{cells, judgement};
use super::two_days::TwoDays;
use crate::measure::human::printable;

/// The comparison in Markdown.
pub fn to_markdown(result: &ComparisonResult) -> String {
    let first = result.servers.first().map_or("", |server| server.name.as_str());
    let mut text = format!(
        "**{}**, {} blocks, seed {}\n",
        escaped(&result.scenario.name),
        result.blocks.len(),
        result.scenario.seed
    );
    for comparison in &result.comparisons {
        text.push_str(&table([first, &comparison.server], &comparison.rows, result.effect));
    }
    text.push('\n');
    for server in &result.servers {
        text.push_str(&went_wrong(&server.name, &result.troubles(&server.name)));
    }
    text + &notes(&result.notes)
}

/// The results of two days in Markdown.
pub fn two_days_to_markdown(result: &TwoDays) -> String {
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
    use super::super::example::{comparison, two_days};
    use super::*;

    #[test]
    fn a_comparison_reads_like_this_in_markdown() {
        insta::assert_snapshot!(to_markdown(&comparison(10, 1.25)));
    }

    #[test]
    fn two_days_read_like_this_in_markdown() {
        insta::assert_snapshot!(two_days_to_markdown(&two_days()));
    }

    #[test]
    fn a_name_cannot_break_the_table() {
        let mut result = comparison(2, 1.0);
        result.servers[0].name = "a | <b>".to_owned();
        assert!(to_markdown(&result).contains(r"a \| \<b\>"));
    }
}
