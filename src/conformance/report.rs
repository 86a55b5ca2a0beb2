//! The blocks of a report about the suite: the verdicts on each server, what deviates in full, and every case in a table.

mod extent;

use std::cmp::Reverse;
use std::time::Duration;

use super::result::{BaselineRow, CaseResult, FindingResult, SuiteResult, Summary};
use super::verdict::Verdict;
use crate::measure::format::{self, capital, count, counted, share};
use crate::report::block::{
    Block, Card, Cell, Column, Detail, Evidence, Filter, Finding, Fold, Rank, Report, Row, Style, Table,
    Text, Tone, cell, code, part, section, wide,
};
use crate::report::{block, run};
use crate::scenario::Level;
use extent::{extent, reach};

/// So many reasons why cases were not played are usually shown.
const REASONS: usize = 8;

/// So many cases of a finding are usually named; of more, how many each area has.
const MOST_NAMED: usize = 12;

/// The report about these servers. Strictly, a warning counts against a server, too.
pub fn report(suites: &[SuiteResult], strict: bool) -> Report {
    let names: Vec<&str> = suites.iter().map(|suite| suite.name.as_str()).collect();
    let is_several = suites.len() != 1;
    let title = format!("Conformance of {}", names.join(" and "));
    let version = suites.first().map_or(env!("CARGO_PKG_VERSION"), |suite| &suite.tool_version).to_owned();
    let tone = suites.iter().map(|suite| overall(suite).0).reduce(graver).unwrap_or(Tone::Plain);
    let heading = is_several.then(|| "Conformance to Socket.IO".to_owned());
    let mut blocks = Vec::new();
    for suite in suites {
        blocks.extend([Block::Verdict(verdict(suite)), Block::Cards(cards(suite))]);
    }
    // Of several servers each has a part of its own.
    let each = |of: fn(&SuiteResult) -> Vec<Block>| -> Vec<Block> {
        let parts = suites.iter().map(|suite| (suite, of(suite))).filter(|(_, blocks)| !blocks.is_empty());
        let parts =
            parts.map(|(suite, blocks)| if is_several { vec![part(&*suite.name, blocks)] } else { blocks });
        parts.flatten().collect()
    };
    blocks.extend(section("against", "Findings and baseline", each(against)));
    blocks.extend(section("deviations", "Deviations", deviations(suites, strict)));
    if !suites.is_empty() {
        blocks.extend(section("areas", "By area", each(|suite| vec![Block::Table(areas(suite))])));
        let filters = vec![
            ("Verdict", Verdict::ALL.map(Verdict::name).to_vec()),
            ("Level", Level::ALL.map(Level::name).to_vec()),
        ];
        let all = vec![Block::Filters(filters), Block::Table(every_case(suites))];
        blocks
            .push(Block::From(Detail::Everything, section("cases", "Every case", all).into_iter().collect()));
    }
    blocks.push(Block::From(
        Detail::Usual,
        section("skipped", "Cases that were not played", each(skipped)).into_iter().collect(),
    ));
    if !suites.is_empty() {
        blocks.push(Block::From(Detail::Everything, vec![setup(suites)]));
    }
    blocks.extend(suites.iter().map(foot));
    Report { title, heading, tone, version, blocks }
}

/// Several servers beside each other: cases by server, those that differ first. Cases that pass wherever they are played are counted, and
/// shown with all detail.
pub fn matrix(suites: &[SuiteResult]) -> Report {
    let mut rows = labelled(suites);
    let verdicts = |row: &Labelled| -> Vec<Option<Verdict>> {
        (0..suites.len()).map(|server| row.of(suites, server).map(|(_, case)| case.verdict)).collect()
    };
    // A case that is about several nodes is not played on each, and the others not on all together.
    let played = |all: &[Option<Verdict>]| all.iter().copied().flatten().collect::<Vec<_>>();
    let differs = |all: &[Option<Verdict>]| played(all).windows(2).any(|pair| pair[0] != pair[1]);
    let passes = |all: &[Option<Verdict>]| played(all).iter().all(|one| *one == Verdict::Pass);
    rows.sort_by_key(|row| {
        let all = verdicts(row);
        (!differs(&all), passes(&all))
    });
    let passing = rows.iter().filter(|row| passes(&verdicts(row))).count() as u64;
    let word = |verdict: Option<Verdict>| verdict.map_or_else(|| Text::default().quiet("–"), toned);
    let mut columns = vec![Column::words("Case")];
    columns.extend(suites.iter().map(|suite| Column::words(&*suite.name)));
    let mut table = Table::new("Every case, with its verdict on each server", columns);
    table.rows.extend(rows.iter().map(|row| {
        let all = verdicts(row);
        let detail = if passes(&all) { Detail::Everything } else { Detail::Little };
        Row::of([Text::from(&*row.label)].into_iter().chain(all.into_iter().map(word))).from(detail)
    }));
    let sums = Verdict::ALL
        .into_iter()
        .filter(|verdict| suites.iter().any(|suite| suite.summary.count(*verdict) > 0));
    if passing > 0 {
        let label = format!("{} that pass wherever they are played", counted(passing, "case"));
        let all = suites.iter().map(|_| toned(Verdict::Pass));
        table.rows.push(Row::of([Text::default().quiet(label)].into_iter().chain(all)));
    }
    table.rows.extend(sums.map(|verdict| {
        let numbers = suites.iter().map(|suite| count(suite.summary.count(verdict)));
        Row::of([format!("total: {}", verdict.name())].into_iter().chain(numbers)).rank(Rank::Sum)
    }));
    let title = "Servers beside each other".to_owned();
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Report { title, heading: None, tone: Tone::Plain, version, blocks: vec![Block::Table(table)] }
}

/// One case in full.
pub(super) fn case_blocks(case: &CaseResult) -> Vec<Block> {
    let subtitle = Some(case.name.clone());
    vec![Block::Fold(Fold { summary: headline(case), subtitle, blocks: in_full(case), ..Fold::default() })]
}

/// The verdicts that were given, with their numbers: `12 pass, 1 fail`.
pub fn counts(summary: &Summary) -> String {
    let given = Verdict::ALL.into_iter().filter(|verdict| summary.count(*verdict) > 0);
    let parts: Vec<String> =
        given.map(|verdict| format!("{} {}", count(summary.count(verdict)), verdict.name())).collect();
    if parts.is_empty() { "nothing yet".to_owned() } else { parts.join(", ") }
}

/// The judgement on a server, and the words for it. Warnings that no baseline lists take the plain green away.
fn overall(suite: &SuiteResult) -> (Tone, String) {
    let is_new_warning = |case: &&CaseResult| case.verdict == Verdict::Warn && !is_known(suite, case);
    // A finding by which a case of its clause fails is counted there.
    let is_new_finding = |finding: &&FindingResult| {
        finding.verdict == Verdict::Warn && finding.failed.is_empty() && suite.finding_counts(finding, true)
    };
    let warnings = suite.cases.iter().filter(is_new_warning).count()
        + suite.findings.iter().filter(is_new_finding).count();
    match (suite.exit_code, warnings) {
        (0, 0) => (Tone::Good, "passed".to_owned()),
        (0, warnings) => (Tone::Doubtful, format!("passed with {}", counted(warnings as u64, "warning"))),
        (3, _) => (Tone::Bad, "unreachable".to_owned()),
        (130, _) => (Tone::Doubtful, "interrupted".to_owned()),
        _ => (Tone::Bad, "failed".to_owned()),
    }
}

fn graver(one: Tone, other: Tone) -> Tone {
    let order = [Tone::Bad, Tone::Doubtful, Tone::Good, Tone::Plain];
    order.into_iter().find(|tone| [one, other].contains(tone)).unwrap_or(Tone::Plain)
}

/// The sign of a verdict, and its colour.
fn mark(verdict: Verdict) -> (&'static str, Tone) {
    match verdict {
        Verdict::Pass => ("✓", Tone::Good),
        Verdict::Fail | Verdict::Blocked => ("✗", Tone::Bad),
        Verdict::Warn => ("!", Tone::Doubtful),
        Verdict::Note => ("·", Tone::Doubtful),
        Verdict::Skip => ("–", Tone::Plain),
    }
}

/// A verdict with its sign.
fn signed(verdict: Verdict) -> Text {
    let (sign, tone) = mark(verdict);
    Text::default().styled(sign, Style::Sign(tone)).plain(format!(" {}", verdict.name()))
}

/// A verdict in its colour.
fn toned(verdict: Verdict) -> Text {
    Text::default().styled(verdict.name(), Style::Toned(mark(verdict).1))
}

/// Whether a baseline lists this deviation: there is no need to show it again.
fn is_known(suite: &SuiteResult, case: &CaseResult) -> bool {
    let label = case.label();
    if case.by.is_some() {
        return suite.baseline.is_some() && !suite.counts_against(case, true);
    }
    case.verdict.is_deviation()
        && suite.baseline.as_ref().is_some_and(|baseline| baseline.new.iter().all(|row| row.case != label))
}

fn verdict(suite: &SuiteResult) -> block::Verdict {
    let (tone, status) = overall(suite);
    let (cases, time) = (counted(suite.summary.total(), "case"), run::micros(suite.duration_us));
    let more = [
        format!("exit code {}", suite.exit_code),
        format!("against {}", run::server(&suite.target)),
        suite.started.clone(),
    ];
    block::Verdict {
        tone,
        title: format!("Conformance of {}", suite.name),
        status: Some(status),
        sentences: [
            Some(format!("{cases} in {time}: {}.", counts(&suite.summary))),
            Some(extent(suite)),
            suite.contract.as_ref().map(|contract| reach(suite, contract)),
            suite.like.as_ref().map(|name| {
                format!("These are exactly the deviations that the bundled baseline `{name}` lists (--baseline {name}).")
            }),
        ]
        .into_iter()
        .flatten()
        .map(Text::from)
        .collect(),
        facts: Vec::new(),
        more_facts: more.map(Text::from).to_vec(),
        about: None,
        is_last: true,
    }
}

fn foot(suite: &SuiteResult) -> Block {
    let environment = &suite.environment;
    let facts = [
        run::target_in_words(&suite.target),
        format!("sockrates {}", suite.tool_version),
        format!("{}, {}", environment.os, counted(environment.cpus.into(), "cpu")),
        suite.started.clone(),
    ];
    Block::Foot(facts.map(Text::from).to_vec())
}

fn cards(suite: &SuiteResult) -> Vec<Card> {
    let judged = suite.summary.judged();
    let card = |verdict: Verdict| {
        let number = suite.summary.count(verdict);
        let tone = if number > 0 { mark(verdict).1 } else { Tone::Plain };
        let note = match verdict {
            Verdict::Pass if judged > 0 => {
                format!("{} of those judged", share(number as f64 / judged as f64))
            }
            _ => String::new(),
        };
        Card::new(capital(verdict.name()), count(number), note, tone)
    };
    Verdict::ALL.map(card).to_vec()
}

/// What happened beside the cases, and how the verdicts compare with those that were known.
fn against(suite: &SuiteResult) -> Vec<Block> {
    let mut blocks: Vec<Block> = suite.findings.iter().map(|finding| found(suite, finding)).collect();
    let Some(found) = &suite.baseline else { return blocks };
    let file = &found.file;
    let mut add = |head: String, rows: &[BaselineRow]| {
        let note = |row: &BaselineRow| {
            let listed =
                row.listed.map_or_else(String::new, |listed| format!(", listed as {}", listed.name()));
            let known_for = row
                .known_for
                .as_ref()
                .map_or_else(String::new, |range| format!(", known for {range}, not for {}", suite.versions));
            Text::default().strong(&*row.case).plain(format!(": {}{listed}{known_for}", row.now.name()))
        };
        let notes = rows.iter().map(note).collect();
        let finding = Finding { notes, ..Finding::new(Tone::Bad, head) };
        blocks.extend((!rows.is_empty()).then_some(Block::Finding(finding)));
    };
    add(
        format!(
            "new, and not in {file}: repair the server, or add a row with the evidence (--write-baseline)"
        ),
        &found.new,
    );
    add(format!("listed in {file}, but they pass now: remove these rows"), &found.gone);
    if !found.other_versions.is_empty() {
        let about = format!(
            "{file} was taken on {}, and the server has {}",
            found.other_versions.join(" and "),
            suite.versions
        );
        blocks.push(Block::Paragraph(Text::from(about)));
    }
    let known = match found.known {
        1 => format!("1 case does not pass, as {file} says"),
        known => format!("{} cases do not pass, as {file} says", count(known)),
    };
    blocks.push(Block::Paragraph(Text::default().quiet(known)));
    blocks
}

/// What its other cases have to do with a finding.
fn beside(finding: &FindingResult) -> &'static str {
    match () {
        () if finding.is_death() => "played then",
        () if finding.is_unserved() => "not played",
        () => "seen in",
    }
}

/// How many of these cases are in each area, in the order in which they come.
fn by_area(cases: &[String]) -> String {
    let mut areas: Vec<(&str, u64)> = Vec::new();
    for area in cases.iter().map(|case| case.split('/').next().unwrap_or_default()) {
        match areas.iter_mut().find(|(known, _)| *known == area) {
            Some((_, number)) => *number += 1,
            None => areas.push((area, 1)),
        }
    }
    let items: Vec<String> =
        areas.iter().map(|(area, number)| format!("{area} {}", count(*number))).collect();
    items.join(", ")
}

/// A finding with its cases. One that only repeats what the cases of its clause say is shown with all detail.
pub(super) fn found(suite: &SuiteResult, finding: &FindingResult) -> Block {
    let (_, tone) = mark(finding.verdict);
    let clause = finding.clause.iter().map(|id| format!("{id} "));
    let what = Text::default()
        .strong(format!("{}{}", clause.collect::<String>(), finding.demand))
        .quiet(format!(" · {} · {}", finding.level.name(), finding.spec));
    let times = if finding.count == 1 { String::new() } else { format!(" ({} times)", count(finding.count)) };
    let example = finding.example.as_ref();
    let mut notes: Vec<Text> =
        example.into_iter().map(|one| Text::from(format!("seen{times}: {}", one.detail))).collect();
    let mut more_notes = Vec::new();
    for (word, cases) in
        [("fails", &finding.failed), ("blocks", &finding.blocked), (beside(finding), &finding.seen)]
    {
        if cases.is_empty() {
            continue;
        }
        let number = counted(cases.len() as u64, "case");
        let note = |cases: String| Text::from(format!("{word} {number}: ")).quiet(cases);
        if cases.len() > MOST_NAMED {
            notes.push(note(by_area(cases)));
            more_notes.push(note(cases.join(", ")));
        } else {
            notes.push(note(cases.join(", ")));
        }
    }
    let evidence = example.filter(|one| !one.wire.is_empty()).map(|one| Evidence {
        clients: vec![one.client.clone()],
        seen: Vec::new(),
        wire_of: String::new(),
        wire: one.wire.clone(),
        wire_from: Detail::Usual,
    });
    let evidence = evidence.into_iter().collect();
    let block = Block::Finding(Finding { notes, more_notes, evidence, ..Finding::new(tone, what) });
    let is_repeated = finding.blocked.is_empty() && finding.seen.is_empty() && !finding.is_unlisted();
    let is_known = suite.baseline.is_some() && !suite.finding_counts(finding, true);
    if is_repeated || is_known { Block::From(Detail::Everything, vec![block]) } else { block }
}

/// What did not pass, each in full, the gravest first; what a finding blocks is named there, and shown with all detail.
fn deviations(suites: &[SuiteResult], strict: bool) -> Vec<Block> {
    let mut blocks = Vec::new();
    for verdict in [Verdict::Fail, Verdict::Blocked, Verdict::Warn, Verdict::Note] {
        for (server, suite) in suites.iter().enumerate() {
            for (index, case) in suite.cases.iter().enumerate().filter(|(_, case)| case.verdict == verdict) {
                let is_known = is_known(suite, case);
                let label = case.label();
                let is_told = verdict == Verdict::Blocked
                    && suite.findings.iter().any(|finding| finding.blocked.contains(&label));
                let mut summary = headline(case);
                if suites.len() > 1 {
                    summary = summary.quiet(format!(" · {}", suite.name));
                }
                if is_known {
                    summary = summary.quiet(" · known");
                }
                let fold = Block::Fold(Fold {
                    id: Some(anchor(server, index)),
                    summary,
                    subtitle: Some(case.name.clone()),
                    is_open: (verdict == Verdict::Fail || case.is_unreached()) && !is_known,
                    filter: Some(Filter {
                        any: vec![verdict.name()],
                        level: case.level.name(),
                        words: words(case, if suites.len() > 1 { &suite.name } else { "" }),
                    }),
                    blocks: in_full(case),
                    ..Fold::default()
                });
                blocks.push(match (suite.counts_against(case, strict), is_known || is_told) {
                    (true, _) if !is_told => fold,
                    (_, false) => Block::From(Detail::Usual, vec![fold]),
                    (_, true) => Block::From(Detail::Everything, vec![fold]),
                });
            }
        }
    }
    blocks
}

/// The name of a case of a server in the page.
fn anchor(suite: usize, case: usize) -> String {
    format!("case-{suite}-{case}")
}

fn headline(case: &CaseResult) -> Text {
    signed(case.verdict).plain(" ").strong(case.label())
}

fn in_full(case: &CaseResult) -> Vec<Block> {
    let facts =
        [case.level.name()].into_iter().chain(case.clause.iter().chain(&case.spec).map(String::as_str));
    let facts = facts.collect::<Vec<_>>().join(" · ");
    let mut blocks = vec![Block::Paragraph(Text::default().quiet(facts))];
    if case.checks.is_empty() || case.by.is_some() || case.has_ended {
        blocks.push(Block::Paragraph((&*case.reason).into()));
    }
    blocks.extend(case.checks.iter().map(|check| Block::Finding(run::failed(check))));
    blocks.extend(case.errors.iter().map(|error| Block::Finding(run::error(error))));
    blocks.push(Block::Paragraph(Text::default().quiet("again: ").code(&*case.command)));
    blocks
}

/// What the search looks at.
fn words(case: &CaseResult, server: &str) -> String {
    format!("{} {} {} {server}", case.label(), case.name, case.clause.join(" "))
}

fn areas(suite: &SuiteResult) -> Table {
    let mut areas: Vec<&str> = suite.cases.iter().map(|case| case.area.as_str()).collect();
    areas.sort_unstable();
    areas.dedup();
    let shown: Vec<Verdict> =
        Verdict::ALL.into_iter().filter(|verdict| suite.summary.count(*verdict) > 0).collect();
    let row = |name: &str, summary: Summary| {
        let number = |verdict: &Verdict| match (summary.count(*verdict), mark(*verdict).1) {
            (0, _) => Text::default().quiet("–"),
            (number, tone) => Text::default().styled(count(number), Style::Toned(tone)),
        };
        Row::of([Text::from(name)].into_iter().chain(shown.iter().map(number)))
    };
    let of = |area: &str| {
        Summary::of(suite.cases.iter().filter(|case| case.area == area).map(|case| case.verdict))
    };
    let mut columns = vec![Column::words("Area")];
    columns.extend(shown.iter().map(|verdict| Column::figures(verdict.name())));
    let mut table = Table::new(format!("Verdicts on {} by area", suite.name), columns).class("areas");
    table.rows.extend(areas.into_iter().map(|area| row(area, of(area)).from(Detail::Usual)));
    table.rows.push(row("all", suite.summary).rank(Rank::Sum));
    table
}

/// The variants of cases with one label, as server and index.
struct Labelled {
    label: String,
    places: Vec<(usize, usize)>,
}

impl Labelled {
    fn of<'s>(&self, suites: &'s [SuiteResult], server: usize) -> Option<(usize, &'s CaseResult)> {
        let (_, index) = self.places.iter().find(|(other, _)| *other == server)?;
        Some((*index, &suites[server].cases[*index]))
    }
}

/// All labels in their order.
fn labelled(suites: &[SuiteResult]) -> Vec<Labelled> {
    let mut all: std::collections::BTreeMap<String, Vec<(usize, usize)>> = std::collections::BTreeMap::new();
    for (server, suite) in suites.iter().enumerate() {
        for (index, case) in suite.cases.iter().enumerate() {
            all.entry(case.label()).or_default().push((server, index));
        }
    }
    all.into_iter().map(|(label, places)| Labelled { label, places }).collect()
}

/// Every case with its verdict on each server.
fn every_case(suites: &[SuiteResult]) -> Table {
    let mut columns = vec![Column::words("Case")];
    columns.extend(
        suites.iter().map(|suite| Column::words(if suites.len() > 1 { &suite.name } else { "verdict" })),
    );
    columns.extend([Column::words("clause").spare(1), Column::words("level").spare(2)]);
    let rows = labelled(suites).into_iter().map(|row| {
        let verdict = |server: usize| match row.of(suites, server) {
            Some((index, case)) if case.verdict.is_deviation() || case.verdict == Verdict::Blocked => {
                let (sign, tone) = mark(case.verdict);
                let text = Text::default().styled(sign, Style::Sign(tone)).plain(" ");
                cell(text.styled(case.verdict.name(), Style::Link(anchor(server, index))))
            }
            Some((_, case)) => cell(signed(case.verdict)),
            None => cell(Text::default().quiet("not chosen")),
        };
        let (first, index) = row.places[0];
        let case = &suites[first].cases[index];
        let quiet = |words: String| cell(Text::default().quiet(words));
        let mut cells: Vec<Cell> = vec![cell(code(&*row.label)).note(&*case.name)];
        cells.extend((0..suites.len()).map(verdict));
        cells.extend([quiet(case.clause.join(", ")), quiet(case.level.name().to_owned())]);
        let any =
            row.places.iter().map(|(server, index)| suites[*server].cases[*index].verdict.name()).collect();
        let filter = Some(Filter { any, level: case.level.name(), words: words(case, "") });
        Row { filter, ..Row::new(cells) }
    });
    Table::new("Every case, with its verdict on each server", columns).class("cases").rows(rows)
}

/// Why cases were not played, each reason once, the most frequent first.
fn skipped(suite: &SuiteResult) -> Vec<Block> {
    let mut reasons: Vec<(&str, Vec<String>)> = Vec::new();
    for case in suite.cases.iter().filter(|case| case.verdict == Verdict::Skip) {
        match reasons.iter_mut().find(|(reason, _)| *reason == case.reason) {
            Some((_, labels)) => labels.push(case.label()),
            None => reasons.push((&case.reason, vec![case.label()])),
        }
    }
    if reasons.is_empty() {
        return Vec::new();
    }
    reasons.sort_by_key(|(_, labels)| Reverse(labels.len()));
    let number = counted(suite.summary.skip, "case");
    let words = match reasons.len() {
        1 => format!("{number} for 1 reason."),
        several => format!("{number} for {several} reasons, the most frequent first."),
    };
    let mut blocks = vec![Block::Paragraph(Text::default().quiet(words))];
    let mut all: Vec<Block> = reasons.iter().map(|(reason, labels)| not_played(reason, labels)).collect();
    let rare = all.split_off(all.len().min(REASONS));
    blocks.append(&mut all);
    blocks.push(Block::From(Detail::Everything, rare));
    let missing = suite.features.iter().filter(|feature| !feature.there).map(|feature| feature.name.as_str());
    let missing: Vec<&str> = missing.collect();
    if !missing.is_empty() {
        blocks.push(Block::Facts(vec![("not offered".to_owned(), missing.join(", ").into())]));
    }
    blocks
}

/// A reason and the cases; of many, the first, until it is opened.
fn not_played(reason: &str, labels: &[String]) -> Block {
    let text = Text::from(reason).plain(": ");
    match labels.len().saturating_sub(3) {
        0 => Block::Paragraph(text.quiet(labels.join(", "))),
        more => Block::Fold(Fold {
            summary: text.quiet(format!("{} and {more} more", labels[..3].join(", "))),
            blocks: vec![Block::From(Detail::Everything, vec![Block::Paragraph(labels.join(", ").into())])],
            ..Fold::default()
        }),
    }
}

/// The servers with what they offer, the timings, and the machine.
fn setup(suites: &[SuiteResult]) -> Block {
    let mut parts = Vec::new();
    for suite in suites {
        let facts = run::target(&suite.target).into_iter().chain(timings(suite)).collect();
        parts.push(part(&*suite.name, vec![Block::Facts(facts)]));
        let features = suite.features.iter().map(|feature| match feature.there {
            true => Text::default().sign(Tone::Good).code(&*feature.name),
            false => {
                let seen = format!(" not offered: {}", feature.seen);
                Text::default().sign(Tone::Plain).code(&*feature.name).quiet(seen)
            }
        });
        parts.push(part("What it offers", vec![Block::Notes(features.collect())]));
    }
    parts.extend(suites.first().map(|first| {
        part("Machine", vec![Block::Facts(run::environment(&first.environment, &first.tool_version))])
    }));
    wide("setup", "What was examined, and where", parts)
}

fn timings(suite: &SuiteResult) -> Vec<(String, Text)> {
    let timings = suite.timings;
    let time = |micros: u64| format::duration(Duration::from_micros(micros));
    let heartbeat = format!(
        "every {}, to be answered within {}",
        time(timings.ping_interval_us),
        time(timings.ping_timeout_us)
    );
    let facts = [
        ("heartbeat", heartbeat),
        ("to connect", time(timings.connect_timeout_us)),
        ("to upgrade", time(timings.upgrade_timeout_us)),
        ("recovery", time(timings.recovery_us)),
        ("maxPayload", format::bytes(timings.max_payload)),
    ];
    facts.map(|(term, value)| (term.to_owned(), value.into())).to_vec()
}

#[cfg(test)]
mod tests;
