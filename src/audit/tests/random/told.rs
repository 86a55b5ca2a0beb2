//! A history, and what auditors find who are told of it.

use std::collections::VecDeque;

use super::*;

/// A history, and when it ends.
#[derive(Debug)]
pub(in crate::audit::tests) struct History {
    pub(in crate::audit::tests) clients: u32,
    pub(in crate::audit::tests) nodes: u32,
    /// How much later than at once a message may be handled, if it may be.
    pub(in crate::audit::tests) within: u64,
    pub(in crate::audit::tests) seen: Vec<Seen>,
    pub(in crate::audit::tests) end: u64,
}

/// What auditors found in a history together.
pub(in crate::audit::tests) struct Audited {
    pub(in crate::audit::tests) findings: Findings,
    /// For each auditor, when it judged, and before when it knew everything then.
    pub(in crate::audit::tests) ticks: Vec<Vec<(u64, Moment)>>,
}

impl Audited {
    pub(in crate::audit::tests) fn auditors(&self) -> usize {
        self.ticks.len()
    }

    /// When an auditor judged a message that was due at that time.
    pub(in crate::audit::tests) fn judged(&self, auditor: usize, due: Moment) -> u64 {
        let is_ripe = |(now, known): &&(u64, Moment)| due <= at(*now) && due < *known;
        self.ticks[auditor].iter().find(is_ripe).expect("it ends with all judged").0
    }
}

impl History {
    pub(in crate::audit::tests) fn messages(&self) -> impl Iterator<Item = &Arc<SentMessage>> {
        self.seen.iter().filter_map(|(_, _, sight)| match sight {
            Sight::Settled(message) => Some(message),
            _ => None,
        })
    }

    /// When a client received a message.
    pub(in crate::audit::tests) fn receipts(&self, client: u32, key: Key) -> Vec<u64> {
        let own = self.seen.iter().filter(|(_, who, _)| *who == client);
        let all = own.filter(|(_, _, sight)| matches!(sight, Sight::Received(received) if *received == key));
        all.map(|(time, ..)| *time).collect()
    }

    /// The nodes of a client, as far as is known at a time: each with when it had left the one before, if it was at one, and
    /// when it set out for it.
    pub(in crate::audit::tests) fn nodes(
        &self,
        client: u32,
        known: u64,
    ) -> Vec<(u16, Option<Moment>, Moment)> {
        let (mut left, mut nodes) = (None, vec![((client % self.nodes) as u16, None, at(0))]);
        for (when, _, sight) in self.seen.iter().filter(|(when, who, _)| *who == client && *when < known) {
            match sight {
                Sight::Lost | Sight::Ended => left = Some(at(*when)),
                Sight::At(node) if left.is_none() => nodes = vec![(*node, None, at(0))],
                Sight::At(node) => nodes.push((*node, left, at(*when))),
                _ => {}
            }
        }
        nodes
    }

    /// How much earlier a client's joins and leaves may have been than they are known where a message comes from. A node knows
    /// those of its own clients at once. Who is told of one node that may be several cannot say whose are its own. Nor does a
    /// node know at once what its clients did elsewhere before they came. All as far as is known at a time.
    pub(in crate::audit::tests) fn before(&self, message: &SentMessage, client: u32, known: u64) -> Moment {
        let nodes = self.nodes(client, known);
        let host = nodes.into_iter().rfind(|(_, left, _)| left.is_none_or(|left| left <= message.sent));
        let (node, left, _) = host.expect("it is somewhere");
        let is_there = left.is_none_or(|left| left + at(self.within) <= message.sent);
        at(if self.nodes > 1 && message.node == node && is_there { 0 } else { self.within })
    }

    /// How much later than it is acknowledged a message may be handled where a client is: also at the node of its sender.
    pub(in crate::audit::tests) fn after(&self) -> Moment {
        at(self.within)
    }

    /// Tells so many auditors all of it. `haste`: how many of a hundred batches arrive at once; the others, later.
    pub(in crate::audit::tests) fn audited(&self, auditors: usize, haste: u64, rng: &mut TestRng) -> Audited {
        let spread = Spread { nodes: self.nodes as usize, within: at(self.within) };
        let new = |index| Auditor::new(index, auditors, self.clients, (WINDOW, spread));
        let mut audit: Vec<Auditor> = (0..auditors).map(new).collect();
        for client in 0..self.clients {
            let node = (client % self.nodes) as u16;
            audit[home(client, auditors)].record(client, at(0), AuditEvent::At { node });
        }
        let mut ticks = vec![Vec::new(); auditors];
        let mut ways: Vec<(usize, VecDeque<Batch>)> =
            (0..auditors * auditors).map(|way| (way % auditors, VecDeque::new())).collect();
        // What is carried apart has no order.
        let mut parcels: Vec<Parcel> = Vec::new();
        let mut ticked = 0;
        for (time, client, sight) in &self.seen {
            let now = at(*time);
            if time % 10 == 0 && ticked != *time {
                ticked = *time;
                for auditor in &mut audit {
                    let mut bulletin = auditor.poll_bulletin(now);
                    let apart = bulletin.take_parcels().into_iter();
                    parcels.extend(apart.map(|parcel| carried(&parcel)));
                    for to in (0..auditors).filter(|to| *to != bulletin.from()) {
                        ways[bulletin.from() * auditors + to].1.push_back(bulletin.to(to));
                    }
                }
                // Those of one way keep their order.
                let mut order: Vec<usize> = (0..ways.len()).collect();
                order.sort_by_cached_key(|_| rng.next_u64());
                for way in order {
                    let (to, batches) = &mut ways[way];
                    while !batches.is_empty() && rng.next_u64() % 100 < haste {
                        batches.pop_front().into_iter().for_each(|batch| audit[*to].handle(batch));
                    }
                }
                while !parcels.is_empty() && rng.next_u64() % 100 < haste {
                    let parcel = parcels.swap_remove(rng.next_u64() as usize % parcels.len());
                    audit[parcel.to].handle(parcel.into());
                }
                for (auditor, ticks) in audit.iter_mut().zip(&mut ticks) {
                    ticks.push((*time, auditor.known()));
                    auditor.advance(now);
                }
            }
            audit[home(*client, auditors)].record(*client, now, sight.event(namespace(*client)));
        }
        for (to, batches) in ways {
            batches.into_iter().for_each(|batch| audit[to].handle(batch));
        }
        parcels.into_iter().for_each(|parcel| audit[parcel.to].handle(parcel.into()));
        ticks.iter_mut().for_each(|ticks| ticks.push((self.end, Moment::MAX)));
        Audited { findings: finish(audit, at(self.end)).0, ticks }
    }
}

/// A parcel as it comes from another machine.
fn carried(parcel: &Parcel) -> Parcel {
    let bytes = postcard::to_stdvec(parcel).expect("it has a form in bytes");
    postcard::from_bytes(&bytes).expect("it is a parcel")
}
