//! The page of a server: what it is, what it deviates in, and how it went.

use super::super::result::{ServerEntry, ServersResult};
use super::super::standing::{Stand, Standing, causes, clause_in_words};
use super::index::audit;
use super::{MOST_FRAMES, found_by, heartbeats, to_clause, versions_in_words};
use crate::measure::format::{self, count, counted};
use crate::report::block::{
    Block, Column, Detail, Evidence, Finding, Fold, Report, Row, Style, Table, Text, Tone, Verdict, cell,
    section,
};
use crate::report::run::micros;
use crate::verdict::Status;

/// The page.
pub(super) fn page(result: &ServersResult, server: &ServerEntry, standings: &[Standing<'_>]) -> Report {
    let causes = causes(standings);
    let mut blocks =
        vec![Block::Verdict(verdict(server, standings, causes.len())), Block::Facts(facts(server))];
    blocks.extend(section("trouble", "What went wrong", trouble(server)));
    let deviations = causes.iter().map(|one| deviation(server, one)).collect();
    blocks.extend(section("deviations", "Deviations", deviations));
    blocks.extend(section("load", "One load", load(result, server)));
    blocks.extend(section("scenarios", "Scenarios", scenarios(server)));
    blocks.extend(section("unjudged", "What cannot be judged", unjudged(standings)));
    blocks.extend(section("clauses", "Every clause", every_clause(standings)));
    Report {
        title: format!("{}: Socket.IO servers side by side", server.name),
        heading: None,
        tone: Tone::Plain,
        version: result.tool_version.clone(),
        blocks,
    }
}

fn verdict(server: &ServerEntry, standings: &[Standing<'_>], causes: usize) -> Verdict {
    let number = |stand: Stand| standings.iter().filter(|one| one.stand == stand).count() as u64;
    let (kept, differs) = (number(Stand::Keeps), number(Stand::Differs));
    let sentence = match (&server.not_run, &server.suite) {
        (Some(why), _) => format!("It was not run: {why}."),
        (None, None) => "It was not played.".to_owned(),
        (None, Some(_)) => format!(
            "It keeps {} of {} that could be judged, and deviates in {}.",
            count(kept),
            counted(kept + differs, "clause"),
            count(causes as u64)
        ),
    };
    Verdict {
        tone: Tone::Plain,
        title: server.name.clone(),
        status: None,
        sentences: vec![server.about.as_str().into(), sentence.into()],
        facts: Vec::new(),
        more_facts: Vec::new(),
        about: None,
        is_last: false,
    }
}

fn facts(server: &ServerEntry) -> Vec<(String, Text)> {
    let mut facts: Vec<(&str, Text)> = vec![
        ("versions", versions_in_words(server).into()),
        ("language", server.language.as_str().into()),
        ("licence", server.licence.as_str().into()),
        ("home", server.home.as_str().into()),
        ("Engine.IO", server.protocol.to_string().into()),
    ];
    facts.extend(heartbeats(server).map(|words| ("heartbeats", words.into())));
    if let Some(suite) = &server.suite {
        let time = |value| micros(value);
        facts.push(("to connect", time(suite.timings.connect_timeout_us).into()));
        facts.push(("to upgrade", time(suite.timings.upgrade_timeout_us).into()));
        facts.push(("maxPayload", format::bytes(suite.timings.max_payload).into()));
        let missing = suite.features.iter().filter(|one| !one.there).map(|one| one.name.as_str());
        let missing: Vec<&str> = missing.collect();
        if !missing.is_empty() {
            facts.push(("not offered", missing.join(", ").into()));
        }
    }
    facts.retain(|(_, value)| !value.is_empty());
    facts.into_iter().map(|(term, value)| (term.to_owned(), value)).collect()
}

fn trouble(server: &ServerEntry) -> Vec<Block> {
    let trouble = server.trouble.iter().map(|trouble| {
        let notes = trouble.output.iter().map(|line| Text::default().code(line.as_str())).collect();
        Block::Finding(Finding { notes, ..Finding::new(Tone::Plain, trouble.sentence.as_str()) })
    });
    trouble.collect()
}

/// A deviation: the clause, what the server does instead, and how it is known.
fn deviation(server: &ServerEntry, one: &Standing<'_>) -> Block {
    let (text, spec) = clause_in_words(&one.clause);
    let summary =
        Text::default().strong(one.clause.as_str()).plain(" ").styled(one.words(), Style::Toned(one.tone()));
    let mut blocks = vec![Block::Paragraph(
        Text::default()
            .quiet(spec)
            .plain(if spec.is_empty() { "" } else { " · " })
            .and(to_clause(&one.clause))
            .quiet(": all servers"),
    )];
    match one.confirmed {
        Some(confirmed) => {
            blocks.push(Block::Facts(vec![
                ("it is written".to_owned(), confirmed.broken.as_str().into()),
                ("the server".to_owned(), confirmed.instead.as_str().into()),
                ("shown by".to_owned(), Text::default().code(confirmed.script.as_str())),
            ]));
        }
        None => {
            let words = format!("Not confirmed by a raw client. Seen by the suite: {}.", one.reason);
            blocks.push(Block::Paragraph(words.into()));
        }
    }
    let cases = format!("shown by {}: ", counted(one.cases.len() as u64, "case"));
    blocks.push(Block::Paragraph(Text::default().quiet(cases).quiet(one.cases.join(", "))));
    if !one.wire.is_empty() {
        let from = one.wire.len().saturating_sub(MOST_FRAMES);
        let evidence = vec![Evidence {
            clients: vec![server.name.clone()],
            seen: Vec::new(),
            wire_of: String::new(),
            wire: one.wire[from..].to_vec(),
            wire_from: Detail::Everything,
        }];
        let what = Text::from("the last frames of the client");
        blocks.push(Block::Finding(Finding { evidence, ..Finding::new(Tone::Plain, what) }));
    }
    Block::Fold(Fold {
        summary,
        subtitle: Some(text.to_owned()),
        is_open: one.confirmed.is_some(),
        blocks,
        ..Fold::default()
    })
}

fn load(result: &ServersResult, server: &ServerEntry) -> Vec<Block> {
    let Some(load) = &server.load else { return Vec::new() };
    let time = |value: Option<u64>| value.map_or_else(|| "–".to_owned(), micros);
    let cpu = load
        .cpu_millionths
        .map_or_else(|| "–".to_owned(), |cpu| format!("{:.2} processors", cpu as f64 / 1e6));
    let facts = [
        ("load", Text::from(format!("{}, {}", result.load, counted(load.clients, "client")))),
        ("judgement", format!("{}: {}", load.status.name(), load.reason).into()),
        (
            "delivery",
            format!("p50 {}, p99 {}", time(load.delivery_p50_us), time(load.delivery_p99_us)).into(),
        ),
        ("acknowledgement", format!("p99 {}", time(load.ack_p99_us)).into()),
        ("server cpu", cpu.into()),
        ("memory peak", load.memory_peak.map_or_else(|| "–".to_owned(), format::bytes).into()),
        ("audit", audit(load)),
    ];
    vec![Block::Facts(facts.map(|(term, value)| (term.to_owned(), value)).to_vec())]
}

fn scenarios(server: &ServerEntry) -> Vec<Block> {
    if server.scenarios.is_empty() {
        return Vec::new();
    }
    let rows = server.scenarios.iter().map(|one| {
        let status = match one.status {
            Some(Status::Passed) => Text::default().styled("holds", Style::Toned(Tone::Good)),
            Some(status) => Text::default().plain(status.name()),
            None => Text::default().quiet("not played"),
        };
        Row::new([
            cell(Text::default().code(one.id.as_str())).note(&*one.name),
            cell(status),
            cell(&*one.reason),
        ])
    });
    let columns = vec![Column::words("Scenario"), Column::words("Result"), Column::words("Why")];
    vec![Block::Table(Table::new("Bundled scenarios on this server", columns).rows(rows))]
}

/// Why clauses cannot be judged, each reason once.
fn unjudged(standings: &[Standing<'_>]) -> Vec<Block> {
    let mut reasons: Vec<(&str, Vec<&Standing<'_>>)> = Vec::new();
    for one in standings.iter().filter(|one| one.stand == Stand::CannotBeJudged) {
        match reasons.iter_mut().find(|(reason, _)| *reason == one.reason) {
            Some((_, all)) => all.push(one),
            None => reasons.push((&one.reason, vec![one])),
        }
    }
    let notes: Vec<Text> = reasons
        .into_iter()
        .map(|(reason, all)| {
            let clauses = Text::joined(all.into_iter().map(|one| to_clause(&one.clause)), ", ");
            Text::from(reason).plain(": ").and(clauses)
        })
        .collect();
    if notes.is_empty() { Vec::new() } else { vec![Block::Notes(notes)] }
}

fn every_clause(standings: &[Standing<'_>]) -> Vec<Block> {
    if standings.is_empty() {
        return Vec::new();
    }
    let rows = standings.iter().map(|one| {
        let link =
            if one.stand == Stand::NotPlayed { one.clause.as_str().into() } else { to_clause(&one.clause) };
        let (text, _) = clause_in_words(&one.clause);
        let words = Text::default().styled(one.words(), Style::Toned(one.tone()));
        let filter = found_by(format!("{} {text} {}", one.clause, one.words()));
        Row { filter, ..Row::new([cell(link).note(text), cell(words)]) }
    });
    let columns = vec![Column::words("Clause"), Column::words("This server")];
    let table =
        Table::new("Every clause, and what this server does about it", columns).class("cases").rows(rows);
    vec![Block::Filters(Vec::new()), Block::Table(table)]
}
