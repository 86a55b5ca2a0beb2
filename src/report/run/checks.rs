//! The checks: failed ones in full, with the line that demanded them and the last frames; held ones in one table.

use crate::measure::format::{count, counted};
use crate::report::block::{Block, Column, Detail, Evidence, Finding, Fold, Row, Table, Text, Tone, cell};
use crate::report::result::{CheckResult, FailureResult};

/// Everything that was checked, where something was.
pub(super) fn blocks(checks: &[CheckResult]) -> Vec<Block> {
    let (held, others): (Vec<&CheckResult>, Vec<&CheckResult>) =
        checks.iter().partition(|check| check.failed + check.missed == 0);
    let mut blocks: Vec<Block> = others.iter().map(|check| Block::Finding(failed(check))).collect();
    let total = counted(held.iter().map(|check| check.passed).sum(), "check");
    let words = match (&held[..], others.is_empty()) {
        ([], _) => return blocks,
        ([only], _) => format!("{}: {total} held", only.step),
        (_, true) => format!("{total} in {} steps held", held.len()),
        (_, false) => format!("{total} in {} other steps held", held.len()),
    };
    let fold = Fold {
        summary: Text::default().sign(Tone::Good).plain(words),
        is_open: others.is_empty() && held.len() <= 12,
        blocks: vec![Block::From(Detail::Everything, vec![Block::Table(those_held(&held))])],
        ..Fold::default()
    };
    blocks.push(Block::From(Detail::Usual, vec![Block::Fold(fold)]));
    blocks
}

fn those_held(held: &[&CheckResult]) -> Table {
    let columns = vec![
        Column::words("Step"),
        Column::words("place").spare(2),
        Column::words("groups").spare(1),
        Column::figures("held"),
    ];
    let row = |check: &&CheckResult| {
        let place = match check.file.is_empty() {
            true => format!("line {}", check.line),
            false => format!("{}:{}", check.file, check.line),
        };
        Row::new([
            cell(&*check.step),
            cell(Text::default().quiet(place)),
            cell(check.groups.join(", ")),
            cell(count(check.passed)),
        ])
    };
    Table::new("Steps whose checks held", columns).rows(held.iter().map(row))
}

/// A step that failed, in full.
pub(crate) fn failed(check: &CheckResult) -> Finding {
    let all = counted(check.passed + check.failed, "check");
    let missed = format!("{} did not succeed", count(check.missed));
    let (tone, numbers) = match (check.failed, check.missed) {
        // Whether it fails the run is said by the verdict: a threshold may allow it.
        (0, _) => (Tone::Doubtful, missed),
        (failed, missing) if failed <= check.allowed => {
            let numbers = format!("{} of {all} failed, and a threshold decides", count(failed));
            let more = if missing > 0 { format!("; {missed}") } else { String::new() };
            (Tone::Doubtful, format!("{numbers}{more}"))
        }
        (failed, 0) => (Tone::Bad, format!("{} of {all} failed", count(failed))),
        (failed, _) => (Tone::Bad, format!("{} of {all} failed, {missed}", count(failed))),
    };
    Finding {
        place: Some((check.file.clone(), check.line, check.source.clone())),
        evidence: alike(&check.failures),
        more: (check.failed + check.missed).saturating_sub(check.failures.len() as u64),
        ..Finding::new(tone, Text::default().strong(&*check.step).plain(format!(": {numbers}")))
    }
}

/// Failures that differ only in their client, together; each with the wire log of the first client who has one.
fn alike(failures: &[FailureResult]) -> Vec<Evidence> {
    let mut groups: Vec<Evidence> = Vec::new();
    for failure in failures {
        let seen = vec![("expected", failure.expected.clone()), ("actual", failure.actual.clone())];
        let index = groups.iter().position(|group| group.seen == seen).unwrap_or_else(|| {
            let (clients, wire_of, wire) = (Vec::new(), String::new(), Vec::new());
            groups.push(Evidence { clients, seen, wire_of, wire, wire_from: Detail::Little });
            groups.len() - 1
        });
        let group = &mut groups[index];
        if !group.clients.contains(&failure.client) {
            group.clients.push(failure.client.clone());
        }
        if group.wire.is_empty() {
            (group.wire_of, group.wire) = (failure.client.clone(), failure.wire.clone());
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::result::WireResult;

    #[test]
    fn of_clients_that_failed_alike_the_first_who_has_frames_shows_them() {
        let wire = |text: &str| WireResult { at_us: 1, sent: true, text: text.to_owned() };
        let failure = |n: u32, wire: Vec<WireResult>| FailureResult {
            client: format!("crowd {n}"),
            expected: "an answer".to_owned(),
            actual: "silence".to_owned(),
            wire,
            after: None,
            grounds: Default::default(),
        };
        let failures = [
            failure(900, vec![]),
            failure(7, vec![wire("7")]),
            failure(7, vec![]),
            failure(3, vec![wire("3")]),
        ];
        let [shown] = &alike(&failures)[..] else { panic!("they are alike") };
        assert_eq!(shown.clients[..], ["crowd 900", "crowd 7", "crowd 3"]);
        assert_eq!((&*shown.wire_of, &*shown.wire[0].text), ("crowd 7", "7"));
    }
}
