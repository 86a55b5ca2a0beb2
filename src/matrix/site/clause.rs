//! The page of a clause: who keeps it, who does not, and what each does instead.

use super::super::result::ServersResult;
use super::super::standing::{Stand, Standing, clause_in_words};
use super::{View, to_server};
use crate::conformance::clauses::Clause;
use crate::measure::format::count;
use crate::report::block::{
    Block, Column, Fold, Report, Row, Style, Table, Text, Tone, Verdict, cell, code, section,
};

/// The page.
pub(super) fn page(result: &ServersResult, all: &View<'_>, clause: &str) -> Report {
    let (text, spec) = clause_in_words(clause);
    let level = Clause::find(clause).map(|clause| clause.level.name());
    let number = |stand: Stand| all.about(clause).filter(|(_, one)| one.stand == stand).count() as u64;
    let facts = [Some(spec), level].into_iter().flatten().filter(|words| !words.is_empty()).map(Text::from);
    let sentence = format!(
        "{} keep it, {} deviate, and of {} it cannot be said.",
        count(number(Stand::Keeps)),
        count(number(Stand::Differs)),
        count(number(Stand::CannotBeJudged) + number(Stand::Blocked) + number(Stand::NotPlayed)),
    );
    let mut blocks = vec![Block::Verdict(Verdict {
        tone: Tone::Plain,
        title: clause.to_owned(),
        status: None,
        sentences: vec![format!("{text}.").into(), sentence.into()],
        facts: facts.collect(),
        more_facts: Vec::new(),
        about: None,
        is_last: false,
    })];
    blocks.extend(section("differs", "Who does not keep it", differs(all, clause)));
    blocks.extend(section("evidence", "How it is known", evidence(all, clause)));
    let listed = |stand: Stand| {
        let names = all.about(clause).filter(|(_, one)| one.stand == stand);
        let names = Text::joined(names.map(|(server, _)| to_server(&server.name)), ", ");
        if names.is_empty() { Vec::new() } else { vec![Block::Paragraph(names)] }
    };
    blocks.extend(section("keeps", "Who keeps it", listed(Stand::Keeps)));
    let unknown = all.about(clause).filter(|(_, one)| one.stand > Stand::Keeps);
    let unknown: Vec<Text> = unknown
        .map(|(server, one)| {
            to_server(&server.name).plain(format!(": {}", one.words())).quiet(format!(", {}", one.reason))
        })
        .collect();
    let unknown = if unknown.is_empty() { Vec::new() } else { vec![Block::Notes(unknown)] };
    blocks.extend(section("unknown", "Of whom it cannot be said", unknown));
    Report {
        title: format!("{clause}: Socket.IO servers side by side"),
        heading: None,
        tone: Tone::Plain,
        version: result.tool_version.clone(),
        blocks,
    }
}

fn differs(all: &View<'_>, clause: &str) -> Vec<Block> {
    let rows = all.about(clause).filter(|(_, one)| one.stand == Stand::Differs).map(|(server, one)| {
        let words = Text::default().styled(one.words(), Style::Toned(one.tone()));
        Row::new([cell(to_server(&server.name)), cell(words), cell(one.instead())])
    });
    let rows: Vec<Row> = rows.collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let columns =
        vec![Column::words("Server"), Column::words("Severity"), Column::words("What it does instead")];
    vec![Block::Table(Table::new("Servers that do not keep this clause", columns).rows(rows))]
}

/// What was confirmed: the sentence that is broken, the script, and what it saw of each server.
fn evidence(all: &View<'_>, clause: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut told: Vec<&str> = Vec::new();
    let shown: Vec<(&str, &Standing<'_>)> =
        all.about(clause).map(|(server, one)| (server.name.as_str(), one)).collect();
    for (_, one) in &shown {
        let Some(confirmed) = one.confirmed.filter(|confirmed| !told.contains(&&*confirmed.script)) else {
            continue;
        };
        told.push(&confirmed.script);
        blocks.push(Block::Facts(vec![
            ("it is written".to_owned(), confirmed.broken.as_str().into()),
            ("severity".to_owned(), confirmed.severity.name().into()),
            ("again".to_owned(), code(format!("python3 {} http://127.0.0.1:3000", confirmed.script))),
        ]));
        // Servers of which the script has seen the same share a transcript.
        let mut groups: Vec<(&Vec<String>, Vec<&str>)> = Vec::new();
        for transcript in &confirmed.transcripts {
            match groups.iter_mut().find(|(lines, _)| **lines == transcript.lines) {
                Some((_, servers)) => servers.push(&transcript.server),
                None => groups.push((&transcript.lines, vec![&transcript.server])),
            }
        }
        for (lines, servers) in groups {
            let lines = lines.iter().map(|line| Text::default().code(line.as_str())).collect();
            blocks.push(Block::Fold(Fold {
                summary: Text::from("What the raw client saw of ").strong(servers.join(", ")),
                blocks: vec![Block::Notes(lines)],
                ..Fold::default()
            }));
        }
    }
    blocks
}
