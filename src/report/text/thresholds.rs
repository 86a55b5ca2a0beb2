//! The thresholds: value, and how far it is from the limit.

use crate::measure::format::{count, printable, share};
use crate::report::result::{OutcomeResult, ThresholdResult};

use super::layout::{Page, Tone, columns, padded};

pub(super) fn render(page: &mut Page, thresholds: &[ThresholdResult]) {
    if thresholds.is_empty() {
        return;
    }
    page.heading("Thresholds");
    let widest = |text: fn(&ThresholdResult) -> &str| {
        thresholds.iter().map(|threshold| columns(&printable(text(threshold)))).max().unwrap_or(0)
    };
    let text_width = widest(|threshold| &threshold.text).min(page.width() / 2);
    let value_width = widest(|threshold| &threshold.value_text);
    for threshold in thresholds {
        let (mark, tone) = match threshold.outcome {
            OutcomeResult::Met => ("  ✓ ", Tone::Good),
            OutcomeResult::Missed | OutcomeResult::NoData => ("  ✗ ", Tone::Bad),
            OutcomeResult::TooFew => ("  ? ", Tone::Doubtful),
        };
        let text = format!("{}  ", padded(&printable(&threshold.text), text_width));
        let value = format!("{:>value_width$}  ", printable(&threshold.value_text));
        let (text, value, margin) = ((text.as_str(), Tone::Plain), (value.as_str(), tone), margin(threshold));
        page.wrapped("", "      ", &[(mark, tone), text, value, (&margin, Tone::Faint)]);
    }
}

fn margin(threshold: &ThresholdResult) -> String {
    match (threshold.outcome, threshold.value) {
        (OutcomeResult::TooFew, _) => {
            format!("too few samples: {} of {}", count(threshold.samples), count(threshold.samples_needed))
        }
        (OutcomeResult::NoData, _) | (_, None) => String::new(),
        (_, Some(_)) if threshold.limit == 0.0 => String::new(),
        (OutcomeResult::Met, Some(value)) => format!("{} to spare", share(distance(value, threshold.limit))),
        (OutcomeResult::Missed, Some(value)) if value >= 2.0 * threshold.limit => {
            format!("{} times the limit", count((value / threshold.limit).round() as u64))
        }
        (OutcomeResult::Missed, Some(value)) => format!("{} off", share(distance(value, threshold.limit))),
    }
}

fn distance(value: f64, limit: f64) -> f64 {
    ((value - limit) / limit).abs()
}
