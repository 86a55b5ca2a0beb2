//! What went wrong without any step asking, grouped by cause.

use std::collections::HashMap;

use crate::observe::Who;

use super::shortened;

/// How many different causes are told apart; what comes after them is counted as [`OTHER_CAUSES`].
pub const CAUSES_KEPT: usize = 64;

/// The cause under which everything is counted once [`CAUSES_KEPT`] are known.
pub const OTHER_CAUSES: &str = "other causes";

const DETAILS_KEPT: usize = 3;
const CAUSE_TEXT: usize = 200;
const DETAIL_TEXT: usize = 400;

/// One cause, how often it struck, and its first instances.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trouble {
    /// How often.
    pub count: u64,
    /// The first three instances: who, and the detail.
    pub details: Vec<(Who, String)>,
}

/// All troubles of a worker or, after merging, of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Troubles {
    causes: HashMap<String, Trouble>,
}

impl Troubles {
    /// Counts one instance.
    pub fn add(&mut self, who: Who, cause: &str, detail: &str) {
        let trouble = self.entry(cause);
        trouble.count += 1;
        if trouble.details.len() < DETAILS_KEPT {
            trouble.details.push((who, shortened(detail, DETAIL_TEXT)));
        }
    }

    /// Adds what another worker met.
    pub fn merge(&mut self, other: &Troubles) {
        for (cause, theirs) in other.by_count() {
            let ours = self.entry(cause);
            ours.count += theirs.count;
            ours.details.extend(theirs.details.iter().cloned());
            ours.details.sort_by_key(|(who, _)| who.cast);
            ours.details.truncate(DETAILS_KEPT);
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

    fn entry(&mut self, cause: &str) -> &mut Trouble {
        let cause = shortened(cause, CAUSE_TEXT);
        let known = self.causes.contains_key(&cause);
        // The last place is for the rest.
        let cause =
            if known || self.causes.len() + 1 < CAUSES_KEPT { cause } else { OTHER_CAUSES.to_owned() };
        self.causes.entry(cause).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(cast: u32) -> Who {
        Who { group: 0, n: cast, cast }
    }

    #[test]
    fn equal_causes_are_one_line_with_the_first_three_instances() {
        let mut troubles = Troubles::default();
        (0..10).for_each(|n| troubles.add(who(n), "connection refused", &format!("port {n}")));
        let all = troubles.by_count();
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].0, all[0].1.count), ("connection refused", 10));
        assert_eq!(
            all[0].1.details.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(),
            ["port 0", "port 1", "port 2"]
        );
    }

    #[test]
    fn a_server_that_invents_causes_cannot_fill_the_memory() {
        let mut troubles = Troubles::default();
        (0..5000).for_each(|n| troubles.add(who(n), &format!("cause {n}"), &"x".repeat(10_000)));
        let mut merged = troubles.clone();
        let mut others = Troubles::default();
        (0..5000).for_each(|n| others.add(who(n), &format!("other cause {n}"), ""));
        merged.merge(&others);
        for one in [&troubles, &merged] {
            assert!(one.by_count().len() <= CAUSES_KEPT, "{} causes", one.by_count().len());
            assert_eq!(one.by_count()[0].0, OTHER_CAUSES);
        }
        assert_eq!((troubles.total(), merged.total()), (5000, 10_000));
        assert!(troubles.by_count().iter().all(|(_, t)| t.details.iter().all(|(_, d)| d.len() < 2_000)));
    }

    #[test]
    fn the_most_frequent_cause_comes_first() {
        let mut troubles = Troubles::default();
        troubles.add(who(0), "rare", "");
        (0..3).for_each(|n| troubles.add(who(n), "frequent", ""));
        troubles.add(who(0), "also rare", "");
        let order: Vec<_> = troubles.by_count().into_iter().map(|(cause, _)| cause).collect();
        assert_eq!(order, ["frequent", "also rare", "rare"]);
    }
}
