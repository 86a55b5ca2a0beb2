//! A search as text for a terminal: the answer first, then the curve.

use std::time::Duration;

use super::curve::Curve;
use super::point::Point;
use super::result::{CapacityResult, Recovery};
use super::search::{Above, Found, Outcome, Purpose};
use crate::measure::format::{bytes, count, counted, duration, measured, printable, rate};
use crate::report::text::Look;
use crate::report::text::layout::{Page, Tone, columns, listed};
use crate::scenario::Axis;

/// The whole search.
pub fn render(result: &CapacityResult, look: Look) -> String {
    let mut page = Page::new(look);
    answer(&mut page, result);
    steps(&mut page, result);
    curve(&mut page, &result.axis, &result.curve);
    if let Some(plan) = &result.plan {
        page.heading("Plan");
        let mut facts = vec![format!(
            "{} for {} users with {:.0} % headroom",
            counted(plan.machines, "such machine"),
            count(plan.users),
            plan.headroom * 100.0
        )];
        facts.push(format!("decided by {}", plan.limit.name()));
        for need in &plan.needs {
            facts.push(format!("{}: {}", need.limit.name(), count(need.machines)));
        }
        page.wrapped("  ", "    ", &[(&listed(&facts), Tone::Plain)]);
    }
    if let Some(recovery) = &result.recovery {
        page.heading("After too much");
        page.wrapped("  ", "    ", &[(&recovered(&result.axis, recovery), Tone::Plain)]);
    }
    if !result.notes.is_empty() {
        page.heading("On the way");
        for note in &result.notes {
            page.wrapped("  ", "    ", &[(&printable(note), Tone::Plain)]);
        }
    }
    page.finish()
}

/// The answer in a sentence without its full stop.
pub fn sentence(axis: &Axis, found: &Found) -> String {
    let load = |load: f64| axis.words(load);
    let of_highest = |words: String| match found.held {
        Some(held) => format!("{} held, {words}", load(held)),
        None => format!("no load held, {words}"),
    };
    match (&found.above, found.held) {
        (Above::Broke { load: above, why }, _) => of_highest(format!("{} did not: {why}", load(*above))),
        (Above::Limited { load: above, why }, Some(held)) => {
            format!("at least {} held; at {} it was we who did not keep up: {why}", load(held), load(*above))
        }
        (Above::Limited { load: above, why }, None) => {
            format!("nothing is known of the server: already at {} we did not keep up: {why}", load(*above))
        }
        (Above::Range { load: to }, _) => format!("at least {} held, the end of the range", load(*to)),
        (Above::Died { load: at, why }, _) => {
            of_highest(format!("at {} the server ended three times in a row: {why}", load(*at)))
        }
        (Above::Unclear { load: at, why }, _) => of_highest(format!(
            "at {} there was too little data to judge: {why}; make the scenario longer, or begin with more",
            load(*at)
        )),
        (Above::Unsteady { load: at }, _) => of_highest(format!(
            "but the answers up to {} contradict each other: make the scenario longer",
            load(*at)
        )),
    }
}

fn answer(page: &mut Page, result: &CapacityResult) {
    match &result.found {
        None => page.wrapped("", "  ", &[("the search ended before the answer was found", Tone::Doubtful)]),
        Some(found) => {
            let tone = match (&found.above, found.held) {
                (Above::Broke { .. } | Above::Range { .. } | Above::Limited { .. }, Some(_)) => Tone::Strong,
                _ => Tone::Doubtful,
            };
            page.wrapped("", "  ", &[(&printable(&sentence(&result.axis, found)), tone), (".", Tone::Plain)]);
        }
    }
    let mut facts = vec![printable(&result.scenario.name)];
    if let Some(found) = &result.found {
        let votes = found.confirmed;
        if votes.held + votes.broke > 0 {
            let all = votes.held + votes.broke;
            facts.push(format!(
                "held in {} of {} on fresh servers",
                votes.held,
                counted(u64::from(all), "run")
            ));
        }
        if let (Some(held), Above::Broke { load, .. }) = (found.held, &found.above) {
            facts.push(format!("between {} and {}", result.axis.words(held), result.axis.words(*load)));
        }
    }
    facts.push(counted(result.points.len() as u64, "run"));
    facts.push(duration(Duration::from_micros(result.duration_us)));
    page.wrapped("  ", "  ", &[(&listed(&facts), Tone::Faint)]);
}

fn steps(page: &mut Page, result: &CapacityResult) {
    let mut points: Vec<&Point> = result.points.iter().collect();
    points.sort_by(|a, b| a.load.total_cmp(&b.load));
    if points.is_empty() {
        return;
    }
    page.heading("Load");
    let titles = ["", "a second", "p50", "p99", "errors", "audit", "CPU", "memory", "for"].map(str::to_owned);
    let rows: Vec<[String; 9]> = points.iter().map(|point| row(&result.axis, point)).collect();
    let width =
        |column: usize| rows.iter().chain([&titles]).map(|row| columns(&row[column])).max().unwrap_or(0);
    let line = |row: &[String; 9]| {
        let cell = |column: usize| {
            format!("{}{}", " ".repeat(width(column).saturating_sub(columns(&row[column]))), row[column])
        };
        let right: Vec<String> = (0..8).map(cell).collect();
        format!("{}  {}", right.join("  "), row[8])
    };
    page.row(&[("    ", Tone::Plain), (&line(&titles), Tone::Faint)]);
    for (point, cells) in points.iter().zip(&rows) {
        let (mark, tone) = match point.outcome {
            Outcome::Held => ("  ✓ ", Tone::Good),
            Outcome::Broke(_) | Outcome::Died(_) => ("  ✗ ", Tone::Bad),
            Outcome::Limited(_) | Outcome::Unclear(_) => ("  ? ", Tone::Doubtful),
        };
        page.row(&[(mark, tone), (&line(cells), Tone::Plain)]);
    }
}

pub(super) fn row(axis: &Axis, point: &Point) -> [String; 9] {
    let time = |micros: Option<u64>| {
        micros.map_or("–".to_owned(), |micros| measured(Duration::from_micros(micros)))
    };
    let purpose = match point.purpose {
        Purpose::Ramp => "ramp",
        Purpose::Bisection => "bisection",
        Purpose::Confirmation | Purpose::Refutation => "again, on a fresh server",
    };
    [
        axis.words(point.load),
        rate(point.throughput),
        time(point.p50_us),
        time(point.p99_us),
        count(point.errors),
        count(point.audit),
        point.processors.map_or("–".to_owned(), |processors| format!("{processors:.2}")),
        point.memory.map_or("–".to_owned(), bytes),
        purpose.to_owned(),
    ]
}

fn curve(page: &mut Page, axis: &Axis, curve: &Curve) {
    page.heading("Curve");
    let knee = match curve.knee {
        Some(knee) => format!("throughput falls to 80 % of linear at {}", axis.words(knee)),
        None => "throughput grew with the load: no knee".to_owned(),
    };
    page.wrapped("  ", "    ", &[(&knee, Tone::Plain)]);
    if let Some(refusal) = curve.law.refusal(axis) {
        page.wrapped("  USL: ", "    ", &[(&refusal, Tone::Plain)]);
    }
    if let Some(law) = curve.law.law() {
        let parameter = |name: &str, of: &super::curve::Parameter| {
            format!("{name} {} ({} to {})", figure(of.value), figure(of.low), figure(of.high))
        };
        let facts = [
            parameter("λ", &law.lambda),
            parameter("σ", &law.sigma),
            parameter("κ", &law.kappa),
            format!("explains {:.1} %", law.explained * 100.0),
            match law.peak {
                Some(peak) => format!("peak at {}", axis.words(peak.round())),
                None => "no peak within twice the largest load".to_owned(),
            },
        ];
        let largest = law.points.iter().map(|point| (point.residual / point.throughput.max(1e-9)).abs());
        let largest = largest.fold(0.0, f64::max);
        let off = format!("largest residual {:.1} %", largest * 100.0);
        page.wrapped("  USL: ", "    ", &[(&listed(&[&facts[..], &[off]].concat()), Tone::Plain)]);
    }
    let mut facts = Vec::new();
    facts.extend(curve.processors_a_client.map(|share| format!("{:.3} % of a processor", share * 100.0)));
    facts.extend(curve.memory_a_client.map(|memory| format!("{} of memory", bytes(memory as u64))));
    facts.extend(curve.bytes_a_client.map(|traffic| format!("{}/s on the wire", bytes(traffic as u64))));
    if !facts.is_empty() {
        page.wrapped("  each client: ", "    ", &[(&listed(&facts), Tone::Plain)]);
    }
}

/// Three digits, whatever the size.
pub(super) fn figure(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        0.01..1000.0 => {
            let digits = (2 - value.abs().log10().floor() as i32).max(0) as usize;
            format!("{value:.digits$}")
        }
        _ => format!("{value:.2e}"),
    }
}

pub(super) fn recovered(axis: &Axis, recovery: &Recovery) -> String {
    let from = format!("from {} back to {}", axis.words(recovery.overload), axis.words(recovery.load));
    match (recovery.after_us, recovery.broke) {
        (Some(_), 0) => format!("{from}: the thresholds held at once"),
        (Some(after), broke) => {
            let runs = counted(u64::from(broke), "run");
            format!(
                "{from}: the thresholds held again after {:.1} s, {runs} broke before",
                after as f64 / 1e6
            )
        }
        (None, broke) => {
            format!("{from}: the thresholds did not hold again in {}", counted(u64::from(broke), "run"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::curve::Scalability;
    use super::super::result::example::result;
    use super::super::search::Votes;
    use super::*;

    #[test]
    fn a_search_reads_like_this() {
        insta::assert_snapshot!(render(&result(), Look { width: 100, colour: false }));
    }

    #[test]
    fn a_law_that_describes_nothing_is_not_shown() {
        let mut result = result();
        result.curve.law = Scalability::Otherwise { load: 800.0, off: Some(9.77) };
        let said = render(&result, Look { width: 200, colour: false });
        let line = "USL: these points follow no such law: the nearest one is off by 977 % at 800 clients\n";
        assert!(said.contains(line) && !said.contains('λ'), "{said}");
    }

    #[test]
    fn our_own_limit_is_told_as_at_least() {
        let above =
            Above::Limited { load: 800.0, why: "the busiest thread was at work all the time".to_owned() };
        let found = Found { held: Some(400.0), confirmed: Votes::default(), above };
        let said = sentence(&Axis::Clients, &found);
        assert!(said.starts_with("at least 400 clients held; at 800 clients it was we"), "{said}");
    }

    #[test]
    fn figures_have_three_digits() {
        assert_eq!(
            [0.0, 0.0123, 1.0, 42.0, 999.4, 1e-5].map(figure),
            ["0", "0.0123", "1.00", "42.0", "999", "1.00e-5"]
        );
    }
}
