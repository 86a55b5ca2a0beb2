//! `docs/conformance.md`, printed.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::catalogue::{Catalogue, Clause, breaking, faults};

/// The page before its tables.
const HEAD: &str = include_str!("head.md");

/// What the letters in the middle of a clause's id stand for.
const AREAS: [(&str, &str); 30] = [
    ("EIO-HS", "Engine.IO: handshake"),
    ("EIO-ERR", "Engine.IO: errors"),
    ("EIO-HTTP", "Engine.IO: HTTP"),
    ("EIO-LP", "Engine.IO: long-polling"),
    ("EIO-WS", "Engine.IO: WebSocket"),
    ("EIO-HB", "Engine.IO: heartbeat"),
    ("EIO-UP", "Engine.IO: upgrade"),
    ("EIO-CL", "Engine.IO: close"),
    ("SIO-PK", "Socket.IO: packets"),
    ("SIO-BIN", "Socket.IO: binary"),
    ("SIO-NS", "Socket.IO: connection and namespaces"),
    ("SIO-EV", "Socket.IO: events and acknowledgements"),
    ("EIO3-HS", "Engine.IO 3: handshake"),
    ("EIO3-PL", "Engine.IO 3: payloads"),
    ("EIO3-WS", "Engine.IO 3: WebSocket"),
    ("EIO3-HB", "Engine.IO 3: heartbeat"),
    ("SIO4-NS", "Socket.IO protocol 4: connection and namespaces"),
    ("SEM-BC", "Semantics: broadcasting"),
    ("SEM-RM", "Semantics: rooms"),
    ("SEM-SK", "Semantics: sockets of a room"),
    ("SEM-VO", "Semantics: volatile events"),
    ("SEM-AK", "Semantics: acknowledgements by clients"),
    ("SEM-BA", "Semantics: broadcasts with acknowledgements"),
    ("SEM-OR", "Semantics: order"),
    ("SEM-NS", "Semantics: namespaces"),
    ("SEM-MW", "Semantics: middleware"),
    ("SEM-HK", "Semantics: what is known of a handshake"),
    ("SEM-DR", "Semantics: why a socket ended"),
    ("SEM-CSR", "Semantics: recovery"),
    ("SEM-ND", "Semantics: several nodes"),
];

/// The heading above the table of faults, by which [`catches`] finds it again.
const FAULTS: &str = "## The faults, and the cases that catch them";

/// The whole page. `caught` has pairs of a fault and a case.
pub(crate) fn print(catalogue: &Catalogue, caught: &BTreeSet<(String, String)>) -> String {
    let mut page = HEAD.to_owned();
    numbers(&mut page, catalogue);
    page.push_str("\n## The clauses, and the cases that examine them\n");
    let areas = AREAS.iter().copied().chain([("SEM-ROB", "Semantics: robustness")]);
    for (prefix, name) in areas {
        let of_area =
            |clause: &&Clause| clause.id.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('-'));
        let clauses: Vec<&Clause> = catalogue.clauses.iter().filter(of_area).collect();
        if clauses.is_empty() {
            continue;
        }
        let _ = writeln!(page, "\n### {name}\n\n| clause | level | | cases |\n|---|---|---|---|");
        for clause in clauses {
            let cases: Vec<String> =
                catalogue.cases_of(&clause.id).map(|case| format!("`{}`", case.id)).collect();
            let cases = match &clause.without {
                Some(why) => format!("none: {}", cell(why)),
                None => cases.join(" "),
            };
            let _ = writeln!(
                page,
                "| {} | {} | {} ({}{}) | {cases} |",
                clause.id,
                clause.level,
                cell(&clause.text),
                cell(&clause.spec),
                clause.since.as_ref().map(|since| format!("; since {since}")).unwrap_or_default()
            );
        }
    }
    let _ =
        writeln!(page, "\n{FAULTS}\n\n| fault | breaks | the server then | caught by |\n|---|---|---|---|");
    for fault in faults() {
        let cases: Vec<String> = caught
            .iter()
            .filter(|(name, _)| name == fault.name)
            .map(|(_, case)| format!("`{case}`"))
            .collect();
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            fault.name,
            fault.breaks,
            cell(fault.about),
            cases.join(" ")
        );
    }
    page
}

/// The pairs of a fault and a case that a printed page tells of.
pub(crate) fn catches(page: &str) -> BTreeSet<(String, String)> {
    let table = page.split_once(FAULTS).map_or("", |(_, table)| table);
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| {
        let mut quoted = row.split('`').skip(1).step_by(2).map(str::to_owned);
        let fault = quoted.next().unwrap_or_default();
        // What the server does may have quoted words in it, too: the cases are in the last cell.
        let cases = row.trim_end_matches(" |").rsplit("| ").next().unwrap_or_default();
        let cases: Vec<String> = cases.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        cases.into_iter().map(move |case| (fault.clone(), case))
    })
    .collect()
}

fn numbers(page: &mut String, catalogue: &Catalogue) {
    let _ = writeln!(
        page,
        "| level | clauses | with a case | with a fault that breaks them |\n|---|---|---|---|"
    );
    for level in ["must", "should", "official"] {
        let clauses: Vec<&Clause> = catalogue.clauses.iter().filter(|clause| clause.level == level).collect();
        let examined = clauses.iter().filter(|clause| clause.without.is_none()).count();
        let broken = clauses.iter().filter(|clause| breaking(&clause.id).next().is_some()).count();
        let _ = writeln!(page, "| {level} | {} | {examined} | {broken} |", clauses.len());
    }
    let _ = writeln!(page, "\n{} cases, {} faults.", catalogue.cases.len(), faults().count());
}

/// Text for a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
