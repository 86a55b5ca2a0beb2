//! What went wrong without any step asking, grouped by cause.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::document::shortened;
use crate::observe::{FailureKind, LastFrames, Who, WireLine};
use crate::protocol::Rule;

use super::checks::bounded_wire;

/// How many different causes are distinguished; further ones are counted as [`OTHER_CAUSES`].
pub const CAUSES_KEPT: usize = 64;

/// The cause under which everything is counted once [`CAUSES_KEPT`] are known.
pub const OTHER_CAUSES: &str = "other causes";

const INSTANCES_KEPT: usize = 3;
const CAUSE_TEXT: usize = 200;
const DETAIL_TEXT: usize = 400;

/// One cause, how often it struck, and its first instances.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Trouble {
    /// How often.
    pub count: u64,
    /// Whether the server may not do it, unless a threshold allows it.
    pub is_wrong: bool,
    /// The rule of the protocol that the server broke, if it is about one.
    pub rule: Option<Rule>,
    /// The first three instances; or the first two, and the first of a client who remembers its frames.
    pub instances: Vec<Instance>,
}

/// One instance of a cause.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// Whom it befell.
    pub who: Who,
    /// What happened.
    pub detail: String,
    /// The client's last frames, where it remembers them.
    pub wire: Vec<WireLine>,
}

/// All troubles of a worker or, after merging, of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Troubles {
    causes: HashMap<String, Trouble>,
}

impl Troubles {
    /// Counts one instance.
    pub fn add(
        &mut self,
        who: Who,
        wrong: Option<FailureKind>,
        cause: &str,
        detail: &str,
        wire: &LastFrames<'_>,
    ) {
        let trouble = self.entry(cause, wrong.and_then(FailureKind::rule));
        trouble.is_wrong |= wrong.is_some();
        trouble.count += 1;
        let instance = |wire| Instance { who, detail: shortened(detail, DETAIL_TEXT), wire };
        if trouble.instances.len() < INSTANCES_KEPT {
            trouble.instances.push(instance(bounded_wire(&wire())));
        } else if trouble.instances.iter().all(|instance| instance.wire.is_empty()) {
            // Most clients of a crowd remember no frames: the first who does takes the last place.
            let wire = bounded_wire(&wire());
            if let Some(last) = trouble.instances.last_mut().filter(|_| !wire.is_empty()) {
                *last = instance(wire);
            }
        }
    }

    /// Adds what another worker met.
    pub fn merge(&mut self, other: &Troubles) {
        for (cause, theirs) in other.by_count() {
            let ours = self.entry(cause, theirs.rule);
            ours.count += theirs.count;
            ours.is_wrong |= theirs.is_wrong;
            ours.instances.extend(theirs.instances.iter().cloned());
            ours.instances.sort_by_key(|instance| instance.who.index);
            ours.instances.truncate(INSTANCES_KEPT);
        }
    }

    /// All causes, the most frequent first, equally frequent ones by name.
    pub fn by_count(&self) -> Vec<(&str, &Trouble)> {
        let mut all: Vec<_> = self.causes.iter().map(|(cause, trouble)| (cause.as_str(), trouble)).collect();
        all.sort_by(|(a, left), (b, right)| right.count.cmp(&left.count).then(a.cmp(b)));
        all
    }

    /// How many instances of all causes together.
    pub fn total(&self) -> u64 {
        self.causes.values().map(|trouble| trouble.count).sum()
    }

    fn entry(&mut self, cause: &str, rule: Option<Rule>) -> &mut Trouble {
        let cause = shortened(cause, CAUSE_TEXT);
        let known = self.causes.contains_key(&cause);
        // The last place is for the rest.
        let (cause, rule) = match known || self.causes.len() + 1 < CAUSES_KEPT {
            true => (cause, rule),
            false => (OTHER_CAUSES.to_owned(), None),
        };
        self.causes.entry(cause).or_insert_with(|| Trouble { rule, ..Trouble::default() })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn who(index: u32) -> Who {
        Who { group: 0, n: index, index }
    }

    #[test]
    fn equal_causes_are_one_line_with_the_first_three_instances() {
        let mut troubles = Troubles::default();
        (0..10)
            .for_each(|n| troubles.add(who(n), None, "connection refused", &format!("port {n}"), &Vec::new));
        let all = troubles.by_count();
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].0, all[0].1.count), ("connection refused", 10));
        assert_eq!(
            all[0].1.instances.iter().map(|instance| instance.detail.as_str()).collect::<Vec<_>>(),
            ["port 0", "port 1", "port 2"]
        );
    }

    #[test]
    fn the_first_client_who_remembers_its_frames_is_among_the_instances_however_late_it_comes() {
        let frames = || vec![WireLine { at: Duration::from_secs(1), sent: true, text: "2".to_owned() }];
        let mut troubles = Troubles::default();
        for n in 0..50 {
            troubles.add(who(1000 + n), None, "reset", "", &Vec::new);
        }
        for n in [7, 3] {
            troubles.add(who(n), None, "reset", "", &frames);
        }
        let told = |troubles: &Troubles| -> Vec<(u32, usize)> {
            let instances = &troubles.by_count()[0].1.instances;
            instances.iter().map(|instance| (instance.who.index, instance.wire.len())).collect()
        };
        assert_eq!(told(&troubles), [(1000, 0), (1001, 0), (7, 1)]);
        let mut other = Troubles::default();
        (0..5).for_each(|n| other.add(who(500 + n), None, "reset", "", &Vec::new));
        other.merge(&troubles);
        assert_eq!(told(&other), [(7, 1), (500, 0), (501, 0)]);
        assert_eq!(other.total(), 57);
    }

    #[test]
    fn a_server_that_invents_causes_cannot_fill_the_memory() {
        let mut troubles = Troubles::default();
        (0..5000)
            .for_each(|n| troubles.add(who(n), None, &format!("cause {n}"), &"x".repeat(10_000), &Vec::new));
        let mut merged = troubles.clone();
        let mut others = Troubles::default();
        (0..5000).for_each(|n| others.add(who(n), None, &format!("other cause {n}"), "", &Vec::new));
        merged.merge(&others);
        for one in [&troubles, &merged] {
            assert!(one.by_count().len() <= CAUSES_KEPT, "{} causes", one.by_count().len());
            assert_eq!(one.by_count()[0].0, OTHER_CAUSES);
        }
        assert_eq!((troubles.total(), merged.total()), (5000, 10_000));
        assert!(troubles.by_count().iter().all(|(_, t)| t.instances.iter().all(|i| i.detail.len() < 2_000)));
    }

    #[test]
    fn the_most_frequent_cause_comes_first() {
        let mut troubles = Troubles::default();
        troubles.add(who(0), None, "rare", "", &Vec::new);
        (0..3).for_each(|n| troubles.add(who(n), None, "frequent", "", &Vec::new));
        troubles.add(who(0), None, "also rare", "", &Vec::new);
        let order: Vec<_> = troubles.by_count().into_iter().map(|(cause, _)| cause).collect();
        assert_eq!(order, ["frequent", "also rare", "rare"]);
    }
}
