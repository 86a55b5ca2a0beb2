//! A comparison as a table for a pull request.

use super::result::ComparisonResult;
use super::text::{cells, judgement};
use crate::measure::human::printable;

/// The comparison in Markdown.
pub fn to_markdown(result: &ComparisonResult) -> String {
    let first = result.servers.first().map_or(String::new(), |server| escaped(&server.name));
    let mut text = format!(
        "**{}**, {} blocks, seed {}\n",
        escaped(&result.scenario.name),
        result.blocks.len(),
        result.scenario.seed
    );
    for comparison in &result.comparisons {
        let other = escaped(&comparison.server);
        text.push_str(&format!(
            "\n| | {first} | {other} | difference | 95 % | noise | |\n|---|--:|--:|--:|---|--:|---|\n"
        ));
        for row in &comparison.rows {
            let Some(cells) = cells(row) else { continue };
            let (words, _) = judgement(row, result.effect);
            text.push_str(&format!("| {} | {words} |\n", cells.map(|cell| escaped(&cell)).join(" | ")));
        }
    }
    text.push('\n');
    for server in &result.servers {
        let troubles = result.troubles(&server.name);
        let words: Vec<String> =
            troubles.iter().map(|trouble| format!("{} {}", trouble.what, trouble.count)).collect();
        let words = if words.is_empty() { "nothing went wrong".to_owned() } else { words.join(", ") };
        text.push_str(&format!("- {}: {words}\n", escaped(&server.name)));
    }
    for note in &result.notes {
        text.push_str(&format!("- {}\n", escaped(note)));
    }
    text
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
    use super::super::example::comparison;
    use super::*;

    #[test]
    fn a_comparison_reads_like_this_in_markdown() {
        insta::assert_snapshot!(to_markdown(&comparison(10, 1.25)));
    }

    #[test]
    fn a_name_cannot_break_the_table() {
        let mut result = comparison(2, 1.0);
        result.servers[0].name = "a | <b>".to_owned();
        assert!(to_markdown(&result).contains(r"a \| \<b\>"));
    }
}
