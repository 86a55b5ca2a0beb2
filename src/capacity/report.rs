//! The blocks of a report about a search: the answer, the curves over the load, and every step.

use std::time::Duration;

use super::curve::{Law, Parameter, throughputs};
use super::curves;
use super::plan::Plan;
use super::point::Point;
use super::result::{CapacityResult, Recovery};
use super::search::{Above, Found, Purpose, StepOutcome};
use crate::measure::format::{bytes, capital, count, counted, duration, measured, rate};
use crate::report::block::{
    Block, Card, Charts, Column, Detail, Fold, Report, Row, Table, Text, Tone, Verdict, cell, code, part,
    section, wide,
};
use crate::report::chart::Chart;
use crate::report::run::{environment, server, target, target_in_words};
use crate::scenario::Axis;

/// The report about this search.
pub(crate) fn report(result: &CapacityResult) -> Report {
    let mut blocks = vec![Block::Verdict(verdict(result)), Block::Cards(cards(result))];
    let sections = [
        section("throughput", "Throughput and load", curve(result)),
        section("latency", "Latency and load", drawn(curves::latency(result).into_iter().collect())),
        section("cost", "What it cost the server", drawn(curves::cost(result))),
        section("plan", "Plan", result.plan.as_ref().map_or_else(Vec::new, plan)),
        section("recovery", "After too much load", recovery(result)),
        section("steps", "Every step", steps(result)),
        section("notes", "During the search", notes(result)),
    ];
    blocks.extend(sections.into_iter().flatten());
    blocks.push(Block::From(Detail::Everything, vec![setup(result)]));
    let environment = &result.environment;
    let facts = [
        target_in_words(&result.target),
        format!("sockrates {}", result.tool_version),
        format!("{}, {}", environment.os, counted(environment.cpus.into(), "cpu")),
        format!("seed {}", result.scenario.seed),
        result.started.clone(),
    ];
    blocks.push(Block::Foot(facts.map(Text::from).to_vec()));
    Report {
        title: format!("The highest load: {}", result.scenario.name),
        heading: None,
        tone: tone(result),
        version: result.tool_version.clone(),
        blocks,
    }
}

/// Charts beside each other, if there are any.
fn drawn(charts: Vec<Chart>) -> Vec<Block> {
    if charts.is_empty() { Vec::new() } else { vec![Block::Charts(Charts::Grid(charts, false))] }
}

/// Good where the answer stands, bad where the server could not do anything, doubtful where it is not known. That loads held
/// under which nobody knows whether messages arrived is not good.
pub(super) fn tone(result: &CapacityResult) -> Tone {
    match result.found.as_ref().map(|found| (&found.above, found.held)) {
        Some((Above::Broke { .. } | Above::Range { .. }, Some(_))) if result.not_judged().is_none() => {
            Tone::Good
        }
        Some((Above::Broke { .. } | Above::Range { .. }, Some(_))) => Tone::Doubtful,
        Some((Above::Broke { .. } | Above::Died { .. } | Above::Gone { .. }, _)) => Tone::Bad,
        _ => Tone::Doubtful,
    }
}

fn verdict(result: &CapacityResult) -> Verdict {
    let axis = &result.axis;
    let sentence = match &result.found {
        Some(found) => format!("{}.", capital(&sentence(axis, found))),
        None => "The search ended before the answer was found.".to_owned(),
    };
    let unjudged = result.not_judged().map(|(runs, why)| {
        let runs = counted(runs, "run");
        format!("In {runs} that held, deliveries were not judged: {why}.")
    });
    let mut facts = Vec::new();
    if let Some(found) = &result.found {
        let votes = found.confirmed;
        let all = votes.held + votes.broke;
        if let (Some(held), Above::Broke { load, .. }) = (found.held, &found.above) {
            facts.push(format!("between {} and {}", axis.words(held), axis.words(*load)));
        }
        if all > 0 {
            let runs = counted(u64::from(all), "run");
            facts.push(match result.had_fresh_servers() {
                true => format!("held in {} of {runs} on fresh servers", votes.held),
                false => format!("held again in {} of {runs}", votes.held),
            });
        }
    }
    facts.push(counted(result.points.len() as u64, "run"));
    facts.push(duration(Duration::from_micros(result.duration_us)));
    let more = [format!("against {}", server(&result.target)), result.started.clone()];
    Verdict {
        tone: tone(result),
        title: result.scenario.name.clone(),
        status: None,
        sentences: [sentence].into_iter().chain(unjudged).map(Text::from).collect(),
        facts: facts.into_iter().map(Text::from).collect(),
        more_facts: more.map(Text::from).to_vec(),
        about: result.scenario.about.clone(),
        is_last: false,
    }
}

/// The answer in a sentence without its full stop.
pub(crate) fn sentence(axis: &Axis, found: &Found) -> String {
    let load = |load: f64| axis.words(load);
    let of_highest = |words: String| match found.held {
        Some(held) => format!("{} held, {words}", load(held)),
        None => format!("no load held, {words}"),
    };
    match (&found.above, found.held) {
        (Above::Broke { load: above, why }, _) => of_highest(format!("{} did not: {why}", load(*above))),
        (Above::Limited { load: above, why }, Some(held)) => {
            format!(
                "at least {} held; at {} the load generator did not keep up: {why}",
                load(held),
                load(*above)
            )
        }
        (Above::Limited { load: above, why }, None) => format!(
            "the result says nothing about the server: the load generator did not keep up at {}, the first load: {why}",
            load(*above)
        ),
        (Above::Range { load: to }, _) => format!("at least {} held, the end of the range", load(*to)),
        (Above::Died { load: at, why }, _) => {
            of_highest(format!("at {} the server ended three times in a row: {why}", load(*at)))
        }
        (Above::Gone { load: at, why }, _) => of_highest(format!(
            "at {} the server was not there any more, and did not come back: {why}",
            load(*at)
        )),
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

fn cards(result: &CapacityResult) -> Vec<Card> {
    let words = |load: f64| result.axis.words(load);
    let mut cards = Vec::new();
    let mut add =
        |name: &str, value: String, note: String, tone: Tone| cards.push(Card::new(name, value, note, tone));
    if let Some(found) = &result.found {
        let held = found.held.map_or_else(|| "none".to_owned(), words);
        let mut throughputs = throughputs(&result.points).into_iter();
        let throughput = throughputs.find(|(load, _)| Some(*load) == found.held);
        let note = throughput.map_or_else(String::new, |(_, throughput)| rate(throughput));
        let tone = match (found.held, result.not_judged()) {
            (None, _) => Tone::Bad,
            (Some(_), None) => Tone::Good,
            (Some(_), Some(_)) => Tone::Doubtful,
        };
        add("Highest load that held", held, note, tone);
        if let Above::Broke { load, .. } | Above::Died { load, .. } | Above::Gone { load, .. } = &found.above
        {
            add("Lowest load that did not", words(*load), String::new(), Tone::Bad);
        }
    }
    if let Some(knee) = result.curve.knee {
        add("Knee", words(knee), "throughput is 80 % of linear".to_owned(), Tone::Plain);
    }
    for (name, value, note) in costs(result) {
        add(&format!("{} per client", capital(name)), value, note, Tone::Plain);
    }
    if let Some(plan) = &result.plan {
        add("Machines", count(plan.machines), format!("for {} users", count(plan.users)), Tone::Plain);
    }
    cards
}

/// What a client costs, where that is known: what, how much, and a note.
fn costs(result: &CapacityResult) -> Vec<(&'static str, String, String)> {
    let each = &result.curve;
    let without = each.memory_without.map(|without| format!("and {} without clients", bytes(without as u64)));
    let processor = each.processors_a_client.map(|share| format!("{:.3} %", share * 100.0));
    let costs = [
        ("processor", processor, String::new()),
        ("memory", each.memory_a_client.map(|memory| bytes(memory as u64)), without.unwrap_or_default()),
        ("traffic", each.bytes_a_client.map(|traffic| format!("{}/s", bytes(traffic as u64))), String::new()),
    ];
    costs.into_iter().filter_map(|(name, value, note)| Some((name, value?, note))).collect()
}

/// With fewer loads, nobody can tell how throughput goes over them.
const FEWEST_OF_A_CURVE: usize = 3;

fn curve(result: &CapacityResult) -> Vec<Block> {
    if result.points.is_empty() {
        return Vec::new();
    }
    let mut blocks = drawn(curves::throughput(result).into_iter().collect());
    let knee = match result.curve.knee {
        Some(knee) => format!("The knee: throughput falls to 80 % of linear at {}.", result.axis.words(knee)),
        None => match throughputs(&result.points).len() {
            0..FEWEST_OF_A_CURVE => {
                "Too few loads were measured to tell whether throughput grows with the load.".to_owned()
            }
            _ => "Throughput grew with the load: there is no knee.".to_owned(),
        },
    };
    blocks.push(Block::Paragraph(knee.into()));
    let fact = |(name, value, note): (&str, String, String)| {
        let note = if note.is_empty() { note } else { format!(", {note}") };
        (format!("{name} per client"), Text::from(value + &note))
    };
    let costs: Vec<(String, Text)> = costs(result).into_iter().map(fact).collect();
    if !costs.is_empty() {
        blocks.push(Block::Facts(costs));
    }
    let words = |load: f64| result.axis.words(load);
    if let Some(refusal) = result.curve.law.refusal(&words) {
        blocks.push(part(
            "Universal Scalability Law",
            vec![Block::Paragraph(format!("{}.", capital(&refusal)).into())],
        ));
    }
    let of_law = LawWords { what: "throughput", load: &words, value: &rate };
    blocks.extend(result.curve.law.law().map(|law| self::law(&of_law, law)));
    blocks
}

/// In which words the law is told.
pub(super) struct LawWords<'a> {
    /// What it is about.
    pub(super) what: &'a str,
    /// What it is over.
    pub(super) load: &'a dyn Fn(f64) -> String,
    /// How much of it.
    pub(super) value: &'a dyn Fn(f64) -> String,
}

/// The Universal Scalability Law: its parameters with their intervals, and how far each load is from it.
pub(super) fn law(words: &LawWords<'_>, law: &Law) -> Block {
    let LawWords { what, load, value } = words;
    let peak = match law.peak {
        Some(peak) => format!("{} is greatest at {}.", capital(what), load(peak.round())),
        None => "It has no peak up to twice the largest load. It says nothing about larger loads.".to_owned(),
    };
    let largest = law.points.iter().map(|point| (point.residual / point.throughput.max(1e-9)).abs());
    let largest = largest.fold(0.0, f64::max) * 100.0;
    let words = format!(
        "X(N) = λN / (1 + σ(N - 1) + κN(N - 1)) explains {:.1} % of the variance; the largest residual is {largest:.1} %. {peak}",
        law.explained * 100.0,
    );
    let parameters: [(&str, &str, Parameter); 3] = [
        ("λ", &*format!("{what} of one"), law.lambda),
        ("σ", "contention: the share that waits for its turn", law.sigma),
        ("κ", "coherency: what each pair costs", law.kappa),
    ];
    let columns = vec![
        Column::words("Parameter"),
        Column::figures("value"),
        Column::figures("from"),
        Column::figures("to"),
    ];
    let row = |(name, words, one): (&str, &str, Parameter)| {
        let name = Text::from(name).quiet(format!(" {words}"));
        Row::of([name, figure(one.value).into(), figure(one.low).into(), figure(one.high).into()])
    };
    let parameters = Table::new("Parameters of the law", columns)
        .remark("Parameters with their 95 % intervals")
        .rows(parameters.map(row));
    let columns = ["measured", "by the law", "residual"].map(Column::figures);
    let columns = [Column::words("Load")].into_iter().chain(columns).collect();
    let residuals = Table::new("Residuals of the law", columns).rows(law.points.iter().map(|point| {
        Row::of([
            load(point.load),
            value(point.throughput),
            value(point.throughput - point.residual),
            format!("{:+.1} %", point.residual / point.throughput.max(1e-9) * 100.0),
        ])
    }));
    let fold = Fold {
        summary: "How far each load is from the law".into(),
        blocks: vec![Block::Table(residuals)],
        ..Fold::default()
    };
    let all = vec![
        Block::Paragraph(words.into()),
        Block::Table(parameters),
        Block::From(Detail::Everything, vec![Block::Fold(fold)]),
    ];
    part("The Universal Scalability Law", all)
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

fn plan(plan: &Plan) -> Vec<Block> {
    let machines = counted(plan.machines, "such machine");
    let (users, headroom) = (count(plan.users), plan.headroom * 100.0);
    let words = Text::default().strong(machines).plain(format!(
        " for {users} users, with {headroom:.0} % of each left free; the number is decided by {}.",
        plan.limit.name()
    ));
    let columns = vec![Column::words("Limit"), Column::figures("machines"), Column::words("")];
    let table = Table::new("Machines by what limits them", columns)
        .remark("How many machines each limit would take by itself, if machines do not talk to each other")
        .rows(plan.needs.iter().map(|need| {
            let decides = if need.limit == plan.limit { "decides" } else { "" };
            Row::of([need.limit.name().to_owned(), count(need.machines), decides.to_owned()])
        }));
    vec![Block::Paragraph(words), Block::Table(table)]
}

fn recovery(result: &CapacityResult) -> Vec<Block> {
    let Some(recovery) = &result.recovery else { return Vec::new() };
    let words = Text::default().sign(Tone::of(recovery.after_us.is_some()));
    vec![Block::Paragraph(words.plain(format!("{}.", recovered(&result.axis, recovery))))]
}

fn recovered(axis: &Axis, recovery: &Recovery) -> String {
    let from = format!("From {} back to {}", axis.words(recovery.overload), axis.words(recovery.load));
    let runs = |broke: u32| counted(u64::from(broke), "run");
    match (recovery.after_us, recovery.broke) {
        (Some(_), 0) => format!("{from}: the thresholds held at once"),
        (Some(after), broke) => {
            format!(
                "{from}: the thresholds held again after {:.1} s; {} before that failed",
                after as f64 / 1e6,
                runs(broke)
            )
        }
        (None, broke) => format!("{from}: the thresholds did not hold again in {}", runs(broke)),
    }
}

fn notes(result: &CapacityResult) -> Vec<Block> {
    let notes: Vec<Text> = result.notes.iter().map(|note| Text::from(&**note)).collect();
    if notes.is_empty() { Vec::new() } else { vec![Block::Notes(notes)] }
}

pub(super) fn steps(result: &CapacityResult) -> Vec<Block> {
    if result.points.is_empty() {
        return Vec::new();
    }
    let columns = vec![
        Column::words("Load"),
        Column::words("outcome"),
        Column::figures("rate"),
        Column::figures("p50").spare(6),
        Column::figures("p99"),
        Column::figures("errors").spare(3),
        Column::figures("audit").spare(2),
        Column::figures("CPU").spare(4),
        Column::figures("memory").spare(5),
        Column::words("purpose").spare(1),
        Column::figures("step").from(Detail::Everything).spare(7),
    ];
    let mut points: Vec<(usize, &Point)> = result.points.iter().enumerate().collect();
    points.sort_by(|(_, a), (_, b)| a.load.total_cmp(&b.load));
    let row = |(index, point): (usize, &Point)| {
        let (tone, word, _) = outcome(&point.outcome);
        let [load, figures @ .., purpose] = row(result, point);
        let first = [cell(load), cell(Text::default().sign(tone).plain(word))];
        let last = [cell(purpose), cell(count(index as u64 + 1))];
        Row::new(first.into_iter().chain(figures.map(cell)).chain(last))
    };
    let table = Table::new("Every step of the search", columns)
        .class("steps")
        .remark("By load; the last column is the order in which the steps were played")
        .rows(points.iter().copied().map(row));
    let mut blocks = vec![Block::Table(table)];
    let reasons = reasons(&result.axis, points.into_iter().map(|(_, point)| point));
    if !reasons.is_empty() {
        blocks.push(part("Why loads did not hold", vec![Block::Notes(reasons)]));
    }
    blocks
}

/// Why the runs at each load did not hold: the threshold or the doubt, with its figure.
fn reasons<'a>(axis: &Axis, points: impl Iterator<Item = &'a Point>) -> Vec<Text> {
    let mut all: Vec<(Text, u64)> = Vec::new();
    for point in points {
        let (tone, word, why) = outcome(&point.outcome);
        if why.is_empty() {
            continue;
        }
        let load = axis.words(point.load);
        let text = Text::default().sign(tone).strong(load).plain(format!(": {word}: {why}"));
        match all.iter_mut().find(|(known, _)| known.0 == text.0) {
            Some((_, times)) => *times += 1,
            None => all.push((text, 1)),
        }
    }
    let with_times = |(text, times): (Text, u64)| match times {
        1 => text,
        _ => text.quiet(format!(" ({})", counted(times, "run"))),
    };
    all.into_iter().map(with_times).collect()
}

pub(super) fn row(result: &CapacityResult, point: &Point) -> [String; 9] {
    let time = |micros: Option<u64>| {
        micros.map_or("–".to_owned(), |micros| measured(Duration::from_micros(micros)))
    };
    let purpose = match point.purpose {
        Purpose::Ramp => "ramp",
        Purpose::Bisection => "bisection",
        Purpose::Confirmation | Purpose::Refutation if result.had_fresh_servers() => "again, fresh server",
        Purpose::Confirmation | Purpose::Refutation => "again",
    };
    [
        result.axis.words(point.load),
        rate(point.throughput),
        time(point.p50_us),
        time(point.p99_us),
        count(point.errors),
        match (point.audit, &point.not_judged) {
            (0, Some(_)) => "not judged".to_owned(),
            (faults, _) => count(faults),
        },
        point.processors.map_or("–".to_owned(), |processors| format!("{processors:.2}")),
        point.memory.map_or("–".to_owned(), bytes),
        purpose.to_owned(),
    ]
}

/// The judgement of a step, the word for it, and the reason.
fn outcome(outcome: &StepOutcome) -> (Tone, &'static str, &str) {
    match outcome {
        StepOutcome::Held => (Tone::Good, "held", ""),
        StepOutcome::Broke(why) => (Tone::Bad, "failed", why),
        StepOutcome::Died(how) => (Tone::Bad, "the server ended", how),
        StepOutcome::Gone(how) => (Tone::Bad, "the server was not there any more", how),
        StepOutcome::Limited(why) => (Tone::Doubtful, "the generator did not keep up", why),
        StepOutcome::Unclear(why) => (Tone::Doubtful, "not clear", why),
    }
}

fn setup(result: &CapacityResult) -> Block {
    let fact = |term: &str, value: Text| (term.to_owned(), value);
    let scenario = &result.scenario;
    let mut facts = vec![fact("file", code(&*scenario.file))];
    if !scenario.hash.is_empty() {
        facts.push(fact("SHA-1", code(&*scenario.hash)));
    }
    // What the axis overrode in the last step is no property of the search.
    facts.extend([
        fact("raised", result.axis.to_string().into()),
        fact("precision", format!("{:.1} %", result.precision * 100.0).into()),
        fact("seed", scenario.seed.to_string().into()),
        fact("started", (&*result.started).into()),
        fact("duration", duration(Duration::from_micros(result.duration_us)).into()),
    ]);
    let mut parts = vec![part("Scenario", vec![Block::Facts(facts)])];
    if !result.thresholds.is_empty() {
        let notes = result.thresholds.iter().map(|asked| code(&*asked.text)).collect();
        parts.push(part("Thresholds", vec![Block::Notes(notes)]));
    }
    parts.push(part("Server", vec![Block::Facts(target(&result.target))]));
    parts.push(part("Machine", vec![Block::Facts(environment(&result.environment, &result.tool_version))]));
    wide("setup", "What was run, and where", parts)
}

#[cfg(test)]
mod tests;
