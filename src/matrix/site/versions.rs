//! What changed from one version of a library to the next.

use std::collections::BTreeMap;

use super::super::result::ServerEntry;
use super::super::standing::{Stand, Standing};
use super::{View, to_clause, to_server};
use crate::report::block::{Block, Text, part};

/// A server by its library: where that is at home, its first package, and the numbers of its version.
type Numbered<'s> = (Vec<u64>, &'s ServerEntry, &'s [Standing<'s>]);

/// The libraries of which several versions were played, each with what changed.
pub(super) fn blocks(all: &View<'_>) -> Vec<Block> {
    let mut families: BTreeMap<(&str, &str, u8), Vec<Numbered<'_>>> = BTreeMap::new();
    for (server, standings) in all.0.iter().filter(|(server, _)| server.suite.is_some()) {
        let Some(first) = server.versions.first() else { continue };
        let numbers = first.version.split(['.', '-']).map_while(|part| part.parse().ok()).collect();
        let family = families.entry((&server.home, &first.name, server.protocol)).or_default();
        family.push((numbers, server, standings));
    }
    families.into_values().flat_map(|family| changes(family)).collect()
}

/// What changed from each version to the next. Of several servers with the same version the one with the shortest name speaks.
fn changes(mut family: Vec<Numbered<'_>>) -> Vec<Block> {
    family.sort_by_key(|(numbers, server, _)| (numbers.clone(), server.name.len(), server.name.clone()));
    family.dedup_by_key(|(numbers, _, _)| numbers.clone());
    let pairs = family.windows(2).map(|pair| {
        let [(_, before, old), (_, after, new)] = pair else { return Vec::new() };
        let package = &after.versions[0];
        let title = format!("{} {} after {}", package.name, package.version, before.versions[0].version);
        let changed = |from: Stand, to: Stand| -> Vec<Text> {
            let was = |clause: &str| old.iter().find(|one| one.clause == clause).map(|one| one.stand);
            let new = new.iter().filter(|one| one.stand == to && was(&one.clause) == Some(from));
            new.map(|one| to_clause(&one.clause)).collect()
        };
        let (repaired, broken) =
            (changed(Stand::Differs, Stand::Keeps), changed(Stand::Keeps, Stand::Differs));
        let told = |what: &str, clauses: Vec<Text>| match clauses.is_empty() {
            true => Text::from(format!("{what}: ")).quiet("none"),
            false => Text::from(format!("{what}: ")).and(Text::joined(clauses, ", ")),
        };
        let servers = to_server(&before.name).plain(" beside ").and(to_server(&after.name));
        vec![part(
            title,
            vec![Block::Notes(vec![
                servers,
                told("kept since then", repaired),
                told("not kept any more", broken),
            ])],
        )]
    });
    pairs.flatten().collect()
}
