//! What the audit of the deliveries found: who had to receive a message, who must not, and what happened.

use maud::html;

use crate::audit::{ENOUGH, Fault, Gap, Leak};
use crate::measure::format::{count, counted, printable, share};
use crate::report::RunResult;
use crate::report::block::{
    Block, Cell, Column, Detail, Rank, Row, Table, Text, Tone, cell, drawn, hint, part,
};
use crate::report::chart::number;
use crate::report::result::{DeliveriesResult, NodePairResult, NodesResult};

use super::micros;

/// The tables, where there was an audit.
pub(super) fn blocks(run: &RunResult) -> Vec<Block> {
    let Some(found) = run.deliveries.as_ref() else { return Vec::new() };
    let faults = found.missing + found.duplicate + found.disordered + found.leaked;
    let (messages, receipts) = (counted(found.messages, "message"), counted(found.receipts, "receipt"));
    let unheard = found.unheard();
    let (gap, not_judged) = (found.coverage().gap(ENOUGH), found.not_judged());
    let words = match faults {
        0 if gap == Some(Gap::BetweenNodes) => {
            "Within each node, every client received what was for it, once and in order, and nothing else. Between nodes, \
             nothing was judged."
                .to_owned()
        }
        0 if let Some(why) = &not_judged => format!("Not judged: {why}."),
        0 if found.refused == found.messages => "Nobody received what the server refused.".to_owned(),
        0 if unheard > 0 => {
            "What anybody received, every client received whom it was for, once and in order, and nothing else. Of what nobody \
             received, it is not judged whether the application refused it or lost it."
                .to_owned()
        }
        0 => "Every client received what was for it, once and in order, and nothing else.".to_owned(),
        _ => format!("{}.", counted(faults, "delivery fault")),
    };
    let refused = match found.refused {
        0 => String::new(),
        refused => format!(" The server refused {} of the messages.", count(refused)),
    };
    let words = format!("{words} Judged: {messages} and {receipts}.{refused}");
    let tone = if faults > 0 { Tone::Bad } else { found.tone(Fault::Missing) };
    let mut blocks =
        vec![Block::Paragraph(Text::default().sign(tone).plain(words)), Block::Table(faults_of(found))];
    if let Some(nodes) = &found.nodes {
        blocks.extend(from_node_to_node(nodes, found.missing > 0));
        blocks
            .extend((gap == Some(Gap::BetweenNodes)).then(|| Block::Notes(vec![how_to_cross(nodes).into()])));
    }
    let all = found.coverage().pairs();
    if all > 0 {
        // Rounded down: 100 % only if there is no other.
        let part = share((found.expected as f64 / all as f64 * 1e3).floor() / 1e3);
        let (all, not) = (counted(all, "pair"), count(found.undecided));
        // Where little was judged, all causes follow.
        let most = found
            .undecided_causes
            .iter()
            .max_by_key(|cause| cause.count)
            .filter(|_| not_judged.is_none() && unheard == 0);
        let why = most.map(|most| {
            let how = if most.count == found.undecided { "because" } else { "mostly because" };
            format!(", {how} {}", most.cause)
        });
        let words = format!(
            "Of {all} in which the message had to arrive, or may have had to: judged {part}, not judged: {not}{}.",
            why.unwrap_or_default()
        );
        blocks.push(Block::From(Detail::Usual, vec![Block::Paragraph(words.into())]));
    }
    let causes = found.undecided_causes.iter().map(|cause| {
        let advice = cause.advice.as_ref().map_or_else(String::new, |advice| format!("; {advice}"));
        let example = cause.example.as_ref().map_or_else(String::new, |of| format!(", such as {of}"));
        Text::from(format!("{}{example}: {}{advice}.", counted(cause.count, "pair"), cause.cause))
    });
    let causes = part("Why pairs were not judged", vec![Block::Notes(causes.collect())]);
    match found.undecided_causes.is_empty() {
        true => {}
        false if not_judged.is_none() && unheard == 0 => {
            blocks.push(Block::From(Detail::Everything, vec![causes]))
        }
        false => blocks.push(causes),
    }
    blocks.push(Block::From(Detail::Everything, vec![Block::Table(pairs(found))]));
    blocks.push(hint(
        "A message has to arrive at a client, or it must not. Where a join, a leave or a disconnect was in flight together \
         with the message, either is right, and the pair is not judged.",
    ));
    if !found.offenders.is_empty() {
        let notes = found.offenders.iter().map(|offender| Text::from(format!("{offender}."))).collect();
        blocks.push(part("The first of each kind", vec![Block::Notes(notes)]));
    }
    let meant = meant(found);
    if !meant.is_empty() {
        blocks.push(part("If your application means to do that", vec![Block::Notes(meant)]));
    }
    blocks
}

/// What the contract says of an application that does by design what was found.
fn meant(found: &DeliveriesResult) -> Vec<Text> {
    let has_leaked = |leak: Leak| found.leaks.iter().any(|one| one.kind == leak.words());
    let is_early = has_leaked(Leak::BeforeJoin);
    // What was done to the server on purpose is no rule of the application.
    let inside = found.disturbed.as_ref().map_or((0, 0), |inside| (inside.disordered, inside.missing));
    let notes = [
        (
            found.shown_later,
            "It shows a client that comes what was said before: say `history: true` in the contract's `broadcast`.",
        ),
        (
            is_early || has_leaked(Leak::AfterLeave),
            "It acknowledges a message before it passes it on: say how much later, as in `audit: { spread: 200ms }`.",
        ),
        (
            found.disordered > inside.0,
            "A later message may overtake an earlier one: say `order: none` in the contract's `broadcast`.",
        ),
        (
            found.missing > inside.1,
            "It drops messages by a rule of its own: say `may_refuse: true` in the contract's `broadcast`.",
        ),
    ];
    let renamed = found.arrived_as.first().map(|event| {
        let event = printable(event);
        format!(
            "Its messages arrive as `{event}`, and another event is named: say `arrives_as: {event}` in the contract's \
             `broadcast`."
        )
    });
    let in_part = found.missed_rooms.first().map(|room| {
        let room = printable(room);
        format!(
            "It puts only some groups of clients into the room `{room}`: say `rooms: [\"${{own_room}}\"]` in the contract, and \
             `vars: {{ own_room: {room} }}` in these groups. A client without that value is in no such room."
        )
    });
    let notes = notes.into_iter().filter(|(holds, _)| *holds).map(|(_, words)| words.to_owned());
    renamed.into_iter().chain(in_part).chain(notes).map(Text::from).collect()
}

/// What went from each node to each.
fn from_node_to_node(nodes: &NodesResult, is_lossy: bool) -> Vec<Block> {
    let unknown = (nodes.unknown > 0).then(|| {
        let words = format!(
            "The node of {} is not known: no pair of nodes counts what went from or to {}.",
            counted(nodes.unknown, "client"),
            if nodes.unknown == 1 { "it" } else { "them" },
        );
        Block::Paragraph(words.into())
    });
    if nodes.names.is_empty() {
        return unknown.into_iter().collect();
    }
    let columns = nodes.names.iter().map(|to| Column::figures(format!("to {to}")));
    let row = |from: &String| {
        let pairs = nodes
            .names
            .iter()
            .filter_map(|to| nodes.pairs.iter().find(|pair| pair.from == *from && pair.to == *to));
        Row::new([cell(format!("from {from}"))].into_iter().chain(pairs.map(pair)))
    };
    let columns = [Column::words("Node")].into_iter().chain(columns).collect();
    let table = Table::new("Deliveries from node to node", columns).class("nodes");
    let table = table.remark(
        "Received, of those that had to arrive, with the median and the 99th percentile of the delivery",
    );
    let table = Block::Table(table.rows(nodes.names.iter().map(row)));
    [table]
        .into_iter()
        .chain(unknown)
        .chain([Block::From(Detail::Usual, vec![joins(nodes, is_lossy)])])
        .collect()
}

/// One pair of nodes.
fn pair(pair: &NodePairResult) -> Cell {
    if pair.expected + pair.faults() == 0 {
        return match pair.undecided {
            0 => cell(Text::default().quiet("–")),
            pairs => cell(Text::default().sign(Tone::Doubtful).plain(format!("{} not judged", count(pairs)))),
        };
    }
    let mut words = match pair.missing {
        0 => count(pair.expected),
        _ => format!("{} of {}", count(pair.delivered), count(pair.expected)),
    };
    let faults = [(pair.duplicate, "doubled"), (pair.disordered, "out of order"), (pair.leaked, "leaked")];
    for (times, name) in faults.into_iter().filter(|(times, _)| *times > 0) {
        words.push_str(&format!(", {} {name}", count(times)));
    }
    let sign = Text::default().sign(Tone::of(pair.faults() == 0)).plain(words);
    match (pair.p50_us, pair.p99_us) {
        (Some(median), Some(high)) => cell(sign).note(format!("{}, p99 {}", micros(median), micros(high))),
        _ => cell(sign),
    }
}

/// What to write so that messages go from node to node.
fn how_to_cross(nodes: &NodesResult) -> String {
    match nodes.pairs.iter().filter(|pair| pair.from != pair.to).map(|pair| pair.undecided).sum::<u64>() {
        0 => format!(
            "No message was for a client at another node than its sender's. Clients go to the nodes by their `index`: name the \
             rooms so that clients with another `index % {}` are in them.",
            nodes.names.len()
        ),
        pairs => format!(
            "None of {} of a message and a client at another node than its sender's could be judged.",
            counted(pairs, "pair")
        ),
    }
}

/// How soon joins were known at other nodes.
fn joins(nodes: &NodesResult, is_lossy: bool) -> Block {
    let spread = &nodes.join_spread;
    let words = match (spread.received, spread.longest_us) {
        (0, None) => "No message was sent from another node shortly after a join.".to_owned(),
        (received, None) => format!(
            "Joins took effect at the other nodes at once, as far as {} sent shortly after them can show.",
            counted(received, "message")
        ),
        (0, Some(_)) => format!(
            "How soon a join takes effect at the other nodes is not known: none of {} sent shortly after one was received \
             there.",
            counted(spread.not_received, "message")
        ),
        (_, Some(longest)) => {
            let (late, all) = (spread.not_received, spread.received + spread.not_received);
            let (late, all) = (count(late), counted(all, "message"));
            match is_lossy {
                false => format!(
                    "Joins took up to {} to take effect at the other nodes: so long after the acknowledgement, a message \
                     was not received. {late} of {all} sent shortly after a join were not.",
                    micros(longest),
                ),
                // What loses messages at any time loses them after a join, too.
                true => format!(
                    "How soon a join takes effect at the other nodes is not known: {late} of {all} sent shortly after one \
                     were not received there, the last of them {} after the acknowledgement. They may be lost, as those \
                     that are missing are.",
                    micros(longest),
                ),
            }
        }
    };
    Block::Paragraph(words.into())
}

fn faults_of(found: &DeliveriesResult) -> Table {
    let columns = vec![
        Column::words("Fault"),
        Column::figures("found"),
        Column::figures("of"),
        Column::words("meaning").from(Detail::Everything).spare(1),
    ];
    let fault = |name: &str, fault: Fault, of: u64, words: &str| {
        let name = Text::default().sign(found.tone(fault)).plain(name);
        let quiet = |words: String| cell(Text::default().quiet(words));
        Row::new([cell(name), cell(count(found.fault(fault))), quiet(count(of)), quiet(words.to_owned())])
    };
    let mut rows = vec![
        fault("missing", Fault::Missing, found.expected, "a client that had to receive a message did not"),
        fault("duplicate", Fault::Duplicate, found.receipts, "a client received a message again"),
        fault(
            "out of order",
            Fault::Disordered,
            found.receipts,
            "a later message of the same sender came first",
        ),
        fault("leaked", Fault::Leaked, found.forbidden, "a client received a message that was not for it"),
    ];
    let leak = |kind: &str, number: u64| Row::of([kind.to_owned(), count(number)]).rank(Rank::Part);
    rows.extend(found.leaks.iter().map(|one| leak(&one.kind, one.count)));
    if found.late > 0 {
        let words = Text::default().quiet("received when the window of the audit was over, or shown again");
        rows.push(Row::of(["late".into(), count(found.late).into(), Text::default(), words]));
    }
    Table::new("Faults of delivery", columns).rows(rows)
}

/// What was known of the pairs of a message and a client.
fn pairs(found: &DeliveriesResult) -> Table {
    let all = (found.expected + found.forbidden + found.undecided).max(1) as f64;
    let columns = vec![
        Column::words("Pairs"),
        Column::figures("number"),
        Column::figures("share"),
        Column::drawings("share, drawn"),
    ];
    let row = |name: &str, value: u64, colour: usize| {
        let part = value as f64 / all;
        let drawing = html! {
            svg.bar width="100%" height="12" aria-hidden="true" {
                rect.rail x="0" y="5" width="100%" height="2" {}
                rect class={ "part c" (colour) } x="0" width={ (number(part * 100.0, 3)) "%" } y="1" height="10" rx="1.5" {}
            }
        };
        Row::new([cell(name), cell(count(value)), cell(share(part)), drawn(drawing)])
    };
    Table::new("Pairs of a message and a client", columns).rows([
        row("must arrive", found.expected, 3),
        row("must not arrive", found.forbidden, 1),
        row("not judged: either is right", found.undecided, 7),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::result::JoinSpreadResult;

    #[test]
    fn a_message_that_may_be_lost_like_others_tells_nothing_of_joins() {
        let join_spread = JoinSpreadResult { received: 388, not_received: 12, longest_us: Some(591_000) };
        let nodes = NodesResult { join_spread, names: Vec::new(), pairs: Vec::new(), unknown: 0 };
        let [whole, lossy] = [false, true].map(|is_lossy| format!("{:?}", joins(&nodes, is_lossy)));
        assert!(
            whole.contains("Joins took up to 591 ms to take effect") && whole.contains("12 of 400 messages")
        );
        assert!(!lossy.contains("took") && lossy.contains("is not known: 12 of 400 messages"), "{lossy}");
    }
}
