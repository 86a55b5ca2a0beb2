//! The first page: the servers by area, the load, and the clauses that not all of them keep.

use std::collections::BTreeSet;

use super::super::confirmed::Severity;
use super::super::result::{LoadOutcome, ServerEntry, ServersResult};
use super::super::standing::{Stand, Standing, causes, clause_in_words};
use super::{View, found_by, heartbeats, to_clause, to_server, versions, versions_in_words};
use crate::measure::format::{self, count, counted};
use crate::report::block::{
    Block, Card, Cell, Column, Detail, Report, Row, Style, Table, Text, Tone, Verdict, cell, hint, section,
};
use crate::report::run::micros;
use crate::verdict::Status;

/// So many deviations are named in the matrix.
const MOST_NAMED: usize = 10;

/// The page.
pub(crate) fn index(result: &ServersResult) -> Report {
    let all = View::of(result);
    let mut blocks = vec![Block::Verdict(verdict(result, &all)), Block::Cards(cards(&all))];
    blocks.push(Block::Filters(Vec::new()));
    blocks.extend(section("servers", "Servers", vec![hint(HOW_TO_READ), Block::Table(servers(&all))]));
    blocks.extend(section("areas", "By area", vec![hint(AREAS), Block::Table(areas(&all))]));
    let about_load = format!("Each server was put under the same load: {}. {LOAD}", result.load);
    let load = match result.servers.iter().any(|server| server.load.is_some()) {
        true => vec![hint(about_load), Block::Table(loads(result))],
        false => Vec::new(),
    };
    blocks.extend(section("load", "One load", load));
    blocks.extend(section("clauses", "Clauses that not all servers keep", clauses(&all)));
    blocks.extend(section("versions", "From version to version", versions::blocks(&all)));
    blocks.extend(section("absent", "Not played", absent(result)));
    blocks.push(Block::Foot(facts(result)));
    Report {
        title: "Socket.IO servers side by side".to_owned(),
        heading: None,
        tone: Tone::Plain,
        version: result.tool_version.clone(),
        blocks,
    }
}

const HOW_TO_READ: &str = "A deviation is counted once for its clause, however many cases show it. Each that has a severity was shown \
    by a raw client that shares nothing with this program; its transcript is on the page of the clause. What is not confirmed so \
    accuses nobody. Where the fixture is the limit, nothing is judged.";

const AREAS: &str = "How many clauses a server keeps of those that were judged on it, by area of cases.";

const LOAD: &str = "The clients ran on the same machine, one server after another: read the figures beside each other, and not as what \
    a server can do.";

fn verdict(result: &ServersResult, all: &View<'_>) -> Verdict {
    let played = result.servers.iter().filter(|server| server.suite.is_some()).count() as u64;
    let absent = result.servers.len() as u64 - played;
    let absent = match absent {
        0 => String::new(),
        absent => format!("; {} not", count(absent)),
    };
    let were = if played == 1 { "was" } else { "were" };
    Verdict {
        tone: Tone::Plain,
        title: "Socket.IO servers side by side".to_owned(),
        status: None,
        sentences: vec![
            format!(
                "{} {were} played{absent}. {} were looked at.",
                counted(played, "server"),
                counted(all.clauses().len() as u64, "clause")
            )
            .into(),
        ],
        facts: facts(result),
        more_facts: Vec::new(),
        about: None,
        is_last: true,
    }
}

fn facts(result: &ServersResult) -> Vec<Text> {
    let environment = &result.environment;
    vec![
        Text::from(result.started.as_str()),
        format!("sockrates {}", result.tool_version).into(),
        format!("{}, {}", environment.os, counted(environment.cpus.into(), "cpu")).into(),
        Text::default().code(result.command.as_str()),
    ]
}

fn cards(all: &View<'_>) -> Vec<Card> {
    let distinct = |severity: Option<Severity>| {
        let standings = all.0.iter().flat_map(|(_, standings)| causes(standings));
        let ids: BTreeSet<&str> =
            standings.filter(|one| one.severity() == severity).map(|one| &*one.clause).collect();
        ids.len() as u64
    };
    let is_clean = |standings: &[Standing<'_>]| causes(standings).is_empty() && kept(standings.iter()).1 > 0;
    let clean = all.0.iter().filter(|(_, standings)| is_clean(standings));
    let mut cards =
        vec![Card::new("Keep every clause", count(clean.count() as u64), "of those judged", Tone::Plain)];
    cards.extend(Severity::ALL.map(|severity| {
        let name = format!("{} deviations", format::capital(severity.name()));
        Card::new(name, count(distinct(Some(severity))), "distinct, confirmed", Tone::Plain)
    }));
    let unconfirmed = distinct(None);
    if unconfirmed > 0 {
        cards.push(Card::new("Not confirmed", count(unconfirmed), "by a raw client", Tone::Plain));
    }
    cards
}

/// A row for each server: what it deviates in, and what it was played with.
fn servers(all: &View<'_>) -> Table {
    let columns = vec![
        Column::words("Server"),
        Column::words("Deviations"),
        Column::words("Clauses kept"),
        Column::words("Scenarios").spare(3),
        Column::words("Heartbeats").spare(2),
        Column::words("Versions").spare(1).from(Detail::Everything),
    ];
    let row = |(server, standings): &(&ServerEntry, Vec<Standing<'_>>)| {
        let (kept, judged) = kept(standings.iter());
        let named: Vec<Text> = causes(standings).iter().take(MOST_NAMED).map(|one| named(one)).collect();
        let more = causes(standings).len().saturating_sub(MOST_NAMED) as u64;
        let mut deviations = match (server.suite.is_some(), named.is_empty()) {
            (false, _) => Text::default().quiet(why_absent(server)),
            (true, true) if judged == 0 => Text::default().quiet("nothing was judged"),
            (true, true) => Text::default().styled("none", Style::Toned(Tone::Good)),
            (true, false) => Text::joined(named, ", "),
        };
        if more > 0 {
            deviations = deviations.quiet(format!(" and {} more", count(more)));
        }
        let scenarios = server.scenarios.iter().filter(|one| one.status.is_some()).count();
        let held = server.scenarios.iter().filter(|one| one.status == Some(Status::Passed)).count();
        let dash = || cell(Text::default().quiet("–"));
        let cells: Vec<Cell> = vec![
            cell(to_server(&server.name)).note(&*server.about),
            cell(deviations),
            if judged > 0 { cell(format!("{} of {}", count(kept), count(judged))) } else { dash() },
            if scenarios > 0 { cell(format!("{held} of {scenarios} hold")) } else { dash() },
            heartbeats(server).map_or_else(dash, cell),
            cell(Text::default().quiet(versions_in_words(server))),
        ];
        let named: Vec<&str> = causes(standings).iter().map(|one| &*one.clause).collect();
        let words =
            format!("{} {} {} {}", server.name, server.about, server.language, versions_in_words(server));
        Row { filter: found_by(format!("{words} {}", named.join(" "))), ..Row::new(cells) }
    };
    Table::new("Servers, with what each deviates in", columns).class("cases").rows(all.0.iter().map(row))
}

/// A deviation in the matrix: the clause, with its severity.
fn named(one: &Standing<'_>) -> Text {
    match one.severity() {
        Some(severity) => to_clause(&one.clause).plain(" ").styled(severity.name(), Style::Toned(one.tone())),
        None => to_clause(&one.clause).quiet(" not confirmed"),
    }
}

/// Why a server was not played, in a few words.
fn why_absent(server: &ServerEntry) -> String {
    match (&server.not_run, &server.trouble) {
        (Some(why), _) => format!("not run: {why}"),
        (None, Some(trouble)) => trouble.sentence.clone(),
        (None, None) => "not played".to_owned(),
    }
}

/// How many of the clauses are kept, and how many were judged.
fn kept<'s>(standings: impl Iterator<Item = &'s Standing<'s>>) -> (u64, u64) {
    let judged = standings.filter(|one| matches!(one.stand, Stand::Keeps | Stand::Differs));
    judged.fold((0, 0), |(kept, all), one| (kept + u64::from(one.stand == Stand::Keeps), all + 1))
}

/// Servers by area: how many clauses are kept of those judged.
fn areas(all: &View<'_>) -> Table {
    let areas: BTreeSet<&str> = all
        .0
        .iter()
        .flat_map(|(_, standings)| standings)
        .flat_map(|one| one.areas.iter().map(String::as_str))
        .collect();
    let mut columns = vec![Column::words("Server")];
    columns.extend(areas.iter().enumerate().map(|(at, area)| {
        // The last are left out first where a terminal is narrow.
        Column::figures(*area).spare(u8::try_from(at + 1).unwrap_or(u8::MAX))
    }));
    let rows = all.0.iter().filter(|(server, _)| server.suite.is_some()).map(|(server, standings)| {
        let of = |area: &&str| {
            let here = || standings.iter().filter(|one| one.areas.iter().any(|other| other == area));
            let beyond = here().any(|one| one.stand == Stand::CannotBeJudged);
            let worst = here().filter(|one| one.stand == Stand::Differs).map(Standing::tone);
            let tone = worst.fold(Tone::Good, |tone, one| match (tone, one) {
                (Tone::Bad, _) | (_, Tone::Bad) => Tone::Bad,
                (Tone::Doubtful, _) | (_, Tone::Doubtful) => Tone::Doubtful,
                _ => Tone::Plain,
            });
            match kept(here()) {
                (_, 0) if beyond => cell(Text::default().quiet("cannot be judged")),
                (_, 0) => cell(Text::default().quiet("–")),
                (kept, judged) if kept == judged => {
                    cell(Text::default().styled(count(kept), Style::Toned(Tone::Good)))
                }
                (kept, judged) => {
                    let words = format!("{} of {}", count(kept), count(judged));
                    cell(Text::default().styled(words, Style::Toned(tone)))
                }
            }
        };
        let words = format!("{} {} {}", server.name, server.about, server.language);
        let cells = [cell(to_server(&server.name))].into_iter().chain(areas.iter().map(of));
        Row { filter: found_by(words), ..Row::new(cells) }
    });
    let rows: Vec<Row> = rows.collect();
    Table::new("Clauses kept by each server, by area", columns).class("areas").rows(rows)
}

/// What a load cost each server, and how long its deliveries took.
fn loads(result: &ServersResult) -> Table {
    let columns = vec![
        Column::words("Server"),
        Column::figures("delivery p50"),
        Column::figures("delivery p99"),
        Column::figures("ack p99").spare(3),
        Column::figures("server cpu"),
        Column::figures("memory peak").spare(2),
        Column::words("audit"),
    ];
    let rows = result.servers.iter().filter_map(|server| {
        let load = server.load.as_ref()?;
        let time = |value: Option<u64>| value.map_or_else(|| "–".to_owned(), micros);
        let cpu =
            load.cpu_millionths.map_or_else(|| "–".to_owned(), |cpu| format!("{:.2}", cpu as f64 / 1e6));
        let cells = [
            cell(to_server(&server.name)),
            cell(time(load.delivery_p50_us)),
            cell(time(load.delivery_p99_us)),
            cell(time(load.ack_p99_us)),
            cell(cpu),
            cell(load.memory_peak.map_or_else(|| "–".to_owned(), format::bytes)),
            cell(audit(load)),
        ];
        Some(Row { filter: found_by(format!("{} {}", server.name, server.about)), ..Row::new(cells) })
    });
    let rows: Vec<Row> = rows.collect();
    let remark = "The processor time is that of all processes of the server in the measured part: 1.00 is one processor, fully used.";
    Table::new("One load on each server", columns).remark(remark).rows(rows)
}

/// What the audit of the deliveries says.
pub(super) fn audit(load: &LoadOutcome) -> Text {
    let faults = [
        ("missing", load.missing),
        ("duplicate", load.duplicate),
        ("out of order", load.disordered),
        ("leaked", load.leaked),
    ];
    let told: Vec<String> = faults
        .into_iter()
        .filter(|(_, number)| *number > 0)
        .map(|(what, number)| format!("{} {what}", count(number)))
        .collect();
    match (load.expected, told.is_empty()) {
        (0, _) => Text::default().quiet("nothing was judged"),
        (expected, true) => format!("{} arrived, once and in order", count(expected)).into(),
        (expected, false) => Text::from(format!("{} of {}", told.join(", "), count(expected))),
    }
}

/// The clauses in which some server deviates, with those that do.
fn clauses(all: &View<'_>) -> Vec<Block> {
    let rows = all.clauses().into_iter().filter_map(|clause| {
        let differs: Vec<(&ServerEntry, &Standing<'_>)> =
            all.about(clause).filter(|(_, one)| one.stand == Stand::Differs).collect();
        if differs.is_empty() {
            return None;
        }
        let kept = all.about(clause).filter(|(_, one)| one.stand == Stand::Keeps).count() as u64;
        let severity = differs.iter().filter_map(|(_, one)| one.severity()).min();
        let severity = severity.map_or_else(
            || Text::default().quiet("not confirmed"),
            |severity| {
                let tone = if severity == Severity::Serious { Tone::Bad } else { Tone::Doubtful };
                Text::default().styled(severity.name(), Style::Toned(tone))
            },
        );
        let names = Text::joined(differs.iter().map(|(server, _)| to_server(&server.name)), ", ");
        let (text, _) = clause_in_words(clause);
        let words = format!(
            "{clause} {text} {}",
            differs.iter().map(|(server, _)| &*server.name).collect::<Vec<_>>().join(" ")
        );
        let cells = [cell(to_clause(clause)).note(text), cell(severity), cell(names), cell(count(kept))];
        Some(Row { filter: found_by(words), ..Row::new(cells) })
    });
    let rows: Vec<Row> = rows.collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let columns = vec![
        Column::words("Clause"),
        Column::words("Severity"),
        Column::words("Servers that deviate"),
        Column::figures("Servers that keep it"),
    ];
    vec![Block::Table(Table::new("Clauses that not all servers keep", columns).class("cases").rows(rows))]
}

/// The servers that were not played, and why.
fn absent(result: &ServersResult) -> Vec<Block> {
    let all = result.servers.iter().filter(|server| server.suite.is_none());
    let notes: Vec<Text> =
        all.map(|server| to_server(&server.name).plain(format!(": {}", why_absent(server)))).collect();
    if notes.is_empty() { Vec::new() } else { vec![Block::Notes(notes)] }
}
