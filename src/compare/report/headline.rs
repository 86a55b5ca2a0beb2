//! The sentences that stand above a comparison: what went wrong with one side alone, and what differs, the most first.

use super::{Change, Judged, blocks_more, name, outcome, percent, signed};
use crate::compare::figure::{self, Unit};
use crate::compare::result::{Comparison, ComparisonResult, Trouble, UNJUDGED};
use crate::measure::format::{capital, count, counted};
use crate::report::block::{Text, Tone};
use crate::statistics::signs::least_p;

/// How many blocks it takes until any difference can be claimed, with so many figures of so many servers.
pub(super) fn blocks_needed(result: &ComparisonResult) -> usize {
    let questions: usize = result.comparisons.iter().map(|comparison| comparison.rows.len()).sum();
    let level = result.level / questions.max(1) as f64;
    (2..).find(|blocks| least_p(*blocks) <= level).unwrap_or(usize::MAX)
}

/// What went wrong more often with one of two servers than with the other, run for run. That is a fact and no estimate, and
/// weighs more than any time.
pub(super) fn only_wrong(result: &ComparisonResult, comparison: &Comparison) -> Text {
    let Some(first) = result.servers.first().filter(|first| first.name != comparison.server) else {
        return Text::default();
    };
    let runs = |server: &str| {
        let all = result.blocks.iter().flat_map(|block| &block.runs).filter(|run| run.server == server);
        all.count().max(1) as u64
    };
    let more = |server: &str, than: &str| -> Vec<String> {
        let others = result.troubles(than);
        let count_of =
            |what: &str| others.iter().find(|other| other.what == what).map_or(0, |other| other.count);
        let is_more = |trouble: &&Trouble| {
            trouble.what != UNJUDGED
                && trouble.count * runs(than) > 2 * count_of(&trouble.what) * runs(server)
        };
        let told = |trouble: &Trouble| match count_of(&trouble.what) {
            0 => format!("{} {}", trouble.what, count(trouble.count)),
            less => format!("{} {} (beside {})", trouble.what, count(trouble.count), count(less)),
        };
        result.troubles(server).iter().filter(is_more).map(told).collect()
    };
    let (own, theirs) = (more(&comparison.server, &first.name), more(&first.name, &comparison.server));
    let mut text = Text::default();
    if !own.is_empty() {
        text = text.sign(Tone::Bad).plain(format!("{} went wrong. ", own.join(", ")));
    }
    if !theirs.is_empty() {
        text = text.plain(format!("With {}, {} went wrong. ", first.name, theirs.join(", ")));
    }
    text
}

/// How a server compares with the first, in words: what went wrong, and then the figures. `needed`: how many blocks it takes until a
/// difference can be claimed.
pub(super) fn sentences(server: &str, wrong: Text, rows: &[Judged], (effect, needed): (f64, usize)) -> Text {
    let known: Vec<&Judged> = rows.iter().filter(|row| figure::kind(&row.figure).is_some()).collect();
    let of = |wanted: Change| known.iter().copied().filter(move |row| outcome(row) == wanted);
    let named = |wanted: Change, tone: Tone, word: &str| {
        let mut rows: Vec<&Judged> = of(wanted).collect();
        rows.sort_by(|a, b| rank(a, effect).total_cmp(&rank(b, effect)));
        let each: Vec<String> = rows.into_iter().map(change).collect();
        let sentence = Text::default().sign(tone).plain(format!("{word} in {}. ", each.join(", ")));
        if each.is_empty() { Text::default() } else { sentence }
    };
    let figures = |wanted: Change, words: &str| match of(wanted).count() {
        0 => String::new(),
        number => format!("{words} in {}. ", counted(number as u64, "figure")),
    };
    let mut text = Text::default()
        .strong(server)
        .plain(": ")
        .and(wrong)
        .and(named(Change::Worse, Tone::Bad, "worse"))
        .and(named(Change::Better, Tone::Good, "better"))
        .plain(figures(Change::Same, "No difference found"))
        .plain(too_few(&of(Change::TooFew).collect::<Vec<_>>(), effect, needed));
    if known.is_empty() {
        text = text.plain("there are no figures of both.");
    }
    let more = known.iter().filter(|row| outcome(row) == Change::Same).filter_map(|row| row.more_blocks);
    match more.max() {
        None | Some(0) => text,
        Some(more) => text.plain(match more {
            1..=MOST_MORE => {
                let more = capital(&blocks_more(more));
                format!("{more} would show a difference of {} in each figure.", percent(effect))
            }
            _ => format!(
                "A difference of {} would not show in each figure: they vary too much.",
                percent(effect)
            ),
        }),
    }
}

/// More blocks than these are nothing to advise.
pub(super) const MOST_MORE: usize = 200;

/// Figures with too few blocks to be judged: what is missing, and which of them look different all the same.
fn too_few(rows: &[&Judged], effect: f64, needed: usize) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let figures = counted(rows.len() as u64, "figure");
    let pairs = rows.iter().map(|row| row.pairs).max().unwrap_or_default();
    let missing = match needed.saturating_sub(pairs) {
        0 => String::new(),
        more => format!(": {} could show one", blocks_more(more)),
    };
    let mut apart: Vec<&&Judged> = rows.iter().filter(|row| seems_to_differ(row, effect)).collect();
    apart.sort_by(|a, b| rank(a, effect).total_cmp(&rank(b, effect)));
    let apart: Vec<String> = apart.into_iter().map(|row| change(row)).collect();
    let seems = match apart.is_empty() {
        true => String::new(),
        false => format!("It seems to differ in {}. ", apart.join(", ")),
    };
    format!("Too few blocks to claim a difference in {figures}{missing}. {seems}")
}

/// Whether a figure that cannot be judged looks different: all of its interval does, by more than is asked about and than the first
/// server differs from itself.
pub(super) fn seems_to_differ(row: &Judged, effect: f64) -> bool {
    let least = effect.max(row.floor.unwrap_or(0.0));
    row.pairs > 1 && (row.ratio_low > 1.0 + least || row.ratio_high < 1.0 / (1.0 + least))
}

/// Where a difference stands in the headline, the least first: by the size of the difference; behind them what is smaller than the
/// difference that is asked about, such as a rate that a pace fixes.
fn rank(row: &Judged, effect: f64) -> f64 {
    let size = row.ratio.ln().abs().min(1e6);
    let is_rate = figure::kind(&row.figure).is_some_and(|kind| kind.unit == Unit::Rate);
    match size < effect.ln_1p() {
        true if is_rate => 2e9 - size,
        true => 1e9 - size,
        false => -size,
    }
}

/// A difference with its interval: `delivery p99 (+20.1 %, from +18.0 % to +22.4 %)`.
fn change(row: &Judged) -> String {
    let (name, size) = (name(row), signed(row.ratio - 1.0));
    // A single block has no interval.
    match row.pairs {
        0 | 1 => format!("{name} ({size})"),
        _ => {
            let (low, high) = (signed(row.ratio_low - 1.0), signed(row.ratio_high - 1.0));
            format!("{name} ({size}, from {low} to {high})")
        }
    }
}
