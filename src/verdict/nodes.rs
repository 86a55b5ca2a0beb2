//! Between which nodes of the server something went wrong, in words. A node that hears nothing is told first: in the sum of all
//! deliveries it may be a small share.

use std::collections::BTreeMap;

use crate::audit::{Fault, NodePairs};
use crate::measure::format::{count, printable};

/// So many namespaces in which nothing arrives are told.
const MOST_NAMESPACES: usize = 4;

/// A node: its number in the pairs, and its name.
type Node = (usize, String);

/// Which nodes hear nothing of which others, one sentence each.
pub(super) fn deaf(pairs: &NodePairs, nodes: &[Node]) -> Vec<String> {
    let is_deaf =
        |from: usize, to: usize| from != to && pairs.pair(from, to).is_some_and(|pair| pair.is_deaf());
    let of = |to: usize| -> Vec<&str> {
        nodes.iter().filter(|(from, _)| is_deaf(*from, to)).map(|(_, name)| name.as_str()).collect()
    };
    let deaf: Vec<(&str, Vec<&str>)> =
        nodes.iter().map(|(to, name)| (&**name, of(*to))).filter(|(_, from)| !from.is_empty()).collect();
    let all = nodes.len() * nodes.len().saturating_sub(1);
    if nodes.len() > 2 && deaf.iter().map(|(_, from)| from.len()).sum::<usize>() == all {
        return vec!["no node hears anything from another".to_owned()];
    }
    let told = deaf.iter().map(|(to, from)| format!("node {to} hears nothing from {}", listed(from)));
    told.chain(nodes.iter().flat_map(|to| deaf_in(pairs, to, nodes)).take(MOST_NAMESPACES)).collect()
}

/// In which namespaces a node hears nothing of others, though it does in another one.
fn deaf_in(pairs: &NodePairs, (to, name): &Node, nodes: &[Node]) -> Vec<String> {
    let mut from_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, other) in nodes.iter().filter(|(from, _)| from != to) {
        for namespace in pairs.deaf_namespaces(*from, *to) {
            from_of.entry(namespace).or_default().push(other);
        }
    }
    let told = |(namespace, from): (&str, Vec<&str>)| {
        format!("in namespace {}, node {name} hears nothing from {}", printable(namespace), listed(&from))
    };
    from_of.into_iter().map(told).collect()
}

/// Where a fault was found most often, in parentheses; nothing where there is one node.
pub(super) fn most(pairs: &NodePairs, fault: Fault, nodes: &[Node]) -> String {
    let all = nodes.iter().flat_map(|from| nodes.iter().map(move |to| (from, to)));
    let found = all.filter_map(|(from, to)| Some((&from.1, &to.1, pairs.pair(from.0, to.0)?.fault(fault))));
    // Of several with the same number the first.
    let worst =
        found.filter(|(_, _, times)| *times > 0).reduce(|most, one| if one.2 > most.2 { one } else { most });
    match worst {
        None => String::new(),
        Some((from, to, times)) if from == to => format!(" ({} of them within node {from})", count(times)),
        Some((from, to, times)) => format!(" ({} of them from node {from} to node {to})", count(times)),
    }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::tests_of_nodes::{pairs_of, silent_in};

    fn names() -> Vec<Node> {
        ["a", "b", "c"].into_iter().map(str::to_owned).enumerate().collect()
    }

    #[test]
    fn a_deaf_node_is_told_with_those_that_it_does_not_hear() {
        let pairs = pairs_of(3, |from, to| (10, if to == 1 && from != 1 { 10 } else { 0 }));
        assert_eq!(deaf(&pairs, &names()), ["node b hears nothing from a and c"]);
        assert_eq!(most(&pairs, Fault::Missing, &names()), " (10 of them from node a to node b)");
        // Told in the order in which they are given.
        let turned: Vec<Node> = names().into_iter().rev().collect();
        assert_eq!(deaf(&pairs, &turned), ["node b hears nothing from c and a"]);
        let nearly = pairs_of(3, |from, to| (10, if to == 1 && from != 1 { 9 } else { 0 }));
        assert!(deaf(&nearly, &names()).is_empty());
    }

    #[test]
    fn a_node_that_is_deaf_in_one_namespace_is_told_with_it() {
        let told = deaf(&silent_in(&["/news"]), &names());
        assert_eq!(told, ["in namespace /news, node b hears nothing from a and c"]);
    }

    #[test]
    fn nodes_without_an_adapter_are_told_in_one_sentence() {
        let pairs = pairs_of(3, |from, to| (10, if from == to { 0 } else { 10 }));
        assert_eq!(deaf(&pairs, &names()), ["no node hears anything from another"]);
    }

    #[test]
    fn a_fault_within_a_node_is_told_so_and_one_node_has_no_pairs() {
        let pairs = pairs_of(2, |from, to| (5, u64::from(from == 1 && to == 1)));
        assert_eq!(most(&pairs, Fault::Missing, &names()), " (1 of them within node b)");
        assert_eq!(most(&NodePairs::default(), Fault::Missing, &names()), "");
    }
}
