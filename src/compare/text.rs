//! A comparison as text for a terminal, and the words that all its texts share.

use super::conformance::{Conformance, named, turned};
use super::demand::{is_worse, worse_by};
use super::diff::Diff;
use super::figure::{self, Kind};
use super::judge::{Difference, Row};
use super::result::{ComparisonResult, Trouble};
use crate::conformance::Verdict;
use crate::conformance::text::counts;
use crate::measure::format::{counted, printable};
use crate::report::text::Look;
use crate::report::text::layout::{Page, Tone, columns, listed, padded};

/// The whole comparison.
pub fn render(result: &ComparisonResult, look: Look) -> String {
    let mut page = Page::new(look);
    let first = result.servers.first().map_or("", |server| server.name.as_str());
    head(&mut page, result, first);
    for comparison in &result.comparisons {
        page.heading(&format!("{} beside {}", printable(&comparison.server), printable(first)));
        table(&mut page, [first, &comparison.server], &comparison.rows, result.effect);
    }
    page.heading("What went wrong");
    for server in &result.servers {
        went_wrong(&mut page, &server.name, &result.troubles(&server.name));
    }
    if !result.conformance.is_empty() {
        page.heading("Conformance");
    }
    for found in &result.conformance {
        conformance(&mut page, &found.server, found);
    }
    notes(&mut page, &result.notes);
    page.finish()
}

fn head(page: &mut Page, result: &ComparisonResult, first: &str) {
    let title = match &result.servers[..] {
        [_] => format!("{} beside itself", printable(first)),
        _ => {
            let names: Vec<String> = result.servers.iter().map(|server| printable(&server.name)).collect();
            names.join(" and ")
        }
    };
    page.wrapped("", "  ", &[(&title, Tone::Strong)]);
    let mut facts = vec![printable(&result.scenario.name)];
    facts.push(match result.blocks.len() == result.blocks_asked {
        true => counted(result.blocks.len() as u64, "block"),
        false => format!("{} of {}", result.blocks.len(), counted(result.blocks_asked as u64, "block")),
    });
    facts.push(format!("seed {}", result.scenario.seed));
    facts.push(match result.warm_up_us {
        0 => "no warm-up cut off".to_owned(),
        cut => format!("{} of warm-up cut off", counted(cut.div_ceil(1_000_000), "second")),
    });
    page.wrapped("  ", "  ", &[(&listed(&facts), Tone::Faint)]);
}

/// Results of two days: the rows of everything that is in both.
pub fn render_two_days(result: &Diff, look: Look) -> String {
    let mut page = Page::new(look);
    let names = [result.old.name.as_str(), &result.new.name];
    let title = format!("{} beside {}", printable(names[1]), printable(names[0]));
    page.wrapped("", "  ", &[(&title, Tone::Strong)]);
    for pair in &result.comparisons {
        page.heading(&printable(&pair.name));
        table(&mut page, names, &pair.rows, 0.0);
    }
    page.heading("What went wrong");
    for (name, facts) in result.sides() {
        went_wrong(&mut page, &name, &facts.troubles);
    }
    if result.sides().any(|(_, facts)| facts.conformance.is_some()) {
        page.heading("Conformance");
    }
    for pair in &result.comparisons {
        for (day, facts) in [(&result.old, &pair.old), (&result.new, &pair.new)] {
            if let Some(found) = &facts.conformance {
                conformance(&mut page, &format!("{}, {}", found.server, day.name), found);
            }
        }
        if let (Some(old), Some(new)) = (&pair.old.conformance, &pair.new.conformance) {
            let (broken, mended) = turned(old, new);
            cases(&mut page, "fail by now: ", &broken, Tone::Bad);
            cases(&mut page, "fail no more: ", &mended, Tone::Good);
        }
    }
    notes(&mut page, &result.notes);
    page.finish()
}

/// Columns that words need beside the figures.
const LEAST: usize = 12;
/// Columns of a server's name above its figures.
const NAME: usize = 16;

/// A name that does not widen the table.
fn shortened(name: &str) -> String {
    let name = printable(name);
    match name.chars().count() {
        ..=NAME => name,
        _ => name.chars().take(NAME - 1).chain(['…']).collect(),
    }
}

fn table(page: &mut Page, names: [&str; 2], rows: &[Row], effect: f64) {
    if rows.is_empty() {
        page.row(&[("  there are no figures of both", Tone::Doubtful)]);
        return;
    }
    let cells: Vec<[String; 6]> = rows.iter().filter_map(cells).collect();
    let titles = ["", names[0], names[1], "", "95 %", "noise"].map(shortened);
    let width = |column: usize| {
        let all = cells.iter().map(|row| &row[column]).chain([&titles[column]]);
        all.map(|cell| columns(cell)).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();
    let line = |row: &[String; 6]| {
        let right = |column: usize| {
            format!("{}{}", " ".repeat(widths[column].saturating_sub(columns(&row[column]))), row[column])
        };
        format!(
            "  {}  {}  {}  {}  {}  {}",
            padded(&row[0], widths[0]),
            right(1),
            right(2),
            right(3),
            padded(&row[4], widths[4]),
            right(5)
        )
    };
    page.row(&[(&line(&titles), Tone::Faint)]);
    for (row, cells) in rows.iter().filter(|row| figure::kind(&row.figure).is_some()).zip(&cells) {
        let (words, tone) = judgement(row, effect);
        let line = line(cells);
        // On a narrow page the words stand below.
        if columns(&line) + LEAST <= page.width() {
            page.wrapped(&line, "      ", &[("  ", Tone::Plain), (&words, tone)]);
        } else {
            page.row(&[(&line, Tone::Plain)]);
            page.wrapped("      ", "      ", &[(&words, tone)]);
        }
    }
}

/// Name, both medians, the difference, its interval, and what the first differs from itself.
pub(super) fn cells(row: &Row) -> Option<[String; 6]> {
    let kind = figure::kind(&row.figure)?;
    Some([
        title(kind),
        kind.unit.words(row.first),
        kind.unit.words(row.other),
        signed(row.ratio - 1.0),
        // A single block has no interval.
        match row.pairs {
            0 | 1 => "–".to_owned(),
            _ => format!("{} to {}", signed(row.ratio_low - 1.0), signed(row.ratio_high - 1.0)),
        },
        row.floor.map_or("–".to_owned(), |floor| format!("±{:.1} %", floor * 100.0)),
    ])
}

pub(super) fn title(kind: Kind) -> String {
    match kind.name {
        "cpu" => "CPU a million".to_owned(),
        "memory" => "memory a client".to_owned(),
        name => name.to_owned(),
    }
}

/// `+10.2 %`.
pub(super) fn signed(share: f64) -> String {
    format!("{:+.1} %", share * 100.0)
}

/// What a row comes to, in words.
pub(super) fn judgement(row: &Row, effect: f64) -> (String, Tone) {
    let worse =
        figure::kind(&row.figure).map(|kind| (is_worse(kind, row.difference), worse_by(kind, row.ratio)));
    match (row.difference, worse) {
        (Difference::Larger | Difference::Smaller, Some((true, _))) => ("worse".to_owned(), Tone::Bad),
        (Difference::Larger | Difference::Smaller, _) => ("better".to_owned(), Tone::Good),
        (Difference::TooFew, _) => {
            let more = match row.more_blocks {
                Some(more) => format!(": {} would show {}", blocks_more(more), percent(effect)),
                None => String::new(),
            };
            (format!("too few to tell{more}"), Tone::Doubtful)
        }
        (Difference::None, _) => {
            let mut words = "no difference that this run can show".to_owned();
            if let Some(detectable) = row.detectable {
                words.push_str(&format!(": it shows {} or more", percent(detectable)));
            }
            match row.more_blocks {
                Some(more) if more > 0 => {
                    words.push_str(&format!("; {} would show {}", blocks_more(more), percent(effect)));
                }
                _ => {}
            }
            (words, Tone::Faint)
        }
    }
}

pub(super) fn blocks_more(more: usize) -> String {
    if more == 1 { "1 block more".to_owned() } else { format!("{more} blocks more") }
}

pub(super) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent < 10.0 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

fn went_wrong(page: &mut Page, name: &str, troubles: &[Trouble]) {
    let words: Vec<String> =
        troubles.iter().map(|trouble| format!("{} {}", trouble.what, trouble.count)).collect();
    let (words, tone) = match words.is_empty() {
        true => ("nothing".to_owned(), Tone::Good),
        false => (printable(&listed(&words)), Tone::Bad),
    };
    page.wrapped("  ", "    ", &[(&printable(name), Tone::Plain), (": ", Tone::Plain), (&words, tone)]);
}

/// What the suite found about a server.
fn conformance(page: &mut Page, name: &str, found: &Conformance) {
    let tone = match (found.is_kept(), found.summary.judged()) {
        (true, _) => Tone::Good,
        (false, 0) => Tone::Doubtful,
        (false, _) => Tone::Bad,
    };
    let counts = match found.summary.total() {
        0 => "not examined".to_owned(),
        _ => counts(&found.summary),
    };
    page.wrapped("  ", "    ", &[(&printable(name), Tone::Plain), (": ", Tone::Plain), (&counts, tone)]);
    cases(page, "failed: ", &found.cases(Verdict::Fail), Tone::Bad);
    for finding in &found.findings {
        page.wrapped("    ", "      ", &[(&printable(finding), Tone::Bad)]);
    }
    if let Some(why) = &found.unfinished {
        page.wrapped("    ", "      ", &[("not finished: ", Tone::Faint), (&printable(why), Tone::Doubtful)]);
    }
}

/// A line about cases, if there are some.
fn cases(page: &mut Page, what: &str, cases: &[&str], tone: Tone) {
    if !cases.is_empty() {
        page.wrapped("    ", "      ", &[(what, Tone::Faint), (&printable(&named(cases)), tone)]);
    }
}

fn notes(page: &mut Page, notes: &[String]) {
    for note in notes {
        page.wrapped("  ", "  ", &[(&printable(note), Tone::Doubtful)]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{comparison, conformance, diff};
    use super::*;

    fn text(result: &ComparisonResult) -> String {
        render(result, Look { width: 100, colour: false })
    }

    #[test]
    fn a_comparison_reads_like_this() {
        insta::assert_snapshot!(text(&comparison(10, 1.25)));
    }

    #[test]
    fn two_days_read_like_this() {
        insta::assert_snapshot!(render_two_days(&diff(), Look { width: 100, colour: false }));
    }

    #[test]
    fn conformance_is_told_beside_the_figures() {
        let mut result = comparison(2, 1.0);
        let mut interrupted = conformance("bun", &[]);
        interrupted.unfinished = Some("interrupted after 2 of 9 cases".to_owned());
        interrupted.findings = vec!["it died".to_owned()];
        result.conformance = vec![
            conformance("node", &["acks/lost", "rooms/leave@polling"]),
            interrupted,
            Conformance::missing("deno", "no such \u{1b}command".to_owned()),
        ];
        let text = text(&result);
        for words in [
            "node: 1 pass, 2 fail, 1 skip\n    failed: acks/lost, rooms/leave@polling",
            "bun: 1 pass, 1 skip\n    it died\n    not finished: interrupted after 2 of 9 cases",
            "deno: not examined\n    not finished: no such ",
        ] {
            assert!(text.contains(words), "{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn too_few_blocks_say_how_many_it_would_take() {
        let text = text(&comparison(3, 1.25));
        assert!(text.contains("too few to tell"), "{text}");
        assert!(text.replace("\n      ", " ").contains(" blocks more would show 5.0 %"), "{text}");
    }

    #[test]
    fn a_narrow_page_and_long_names_are_no_trouble() {
        let mut result = comparison(2, 1.0);
        result.servers[1].name = "x".repeat(300);
        result.comparisons[0].server = "x".repeat(300);
        for width in [1, 40, 60, 80, 300] {
            let text = render(&result, Look { width, colour: false });
            assert!(text.lines().all(|line| columns(line) <= usize::from(width).max(40)), "{text}");
        }
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        let mut result = comparison(2, 1.0);
        result.servers[1].name = "b\u{1b}[31m".to_owned();
        result.comparisons[0].server = "b\u{1b}[31m".to_owned();
        assert!(!text(&result).contains('\u{1b}'));
    }
}
