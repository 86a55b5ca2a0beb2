//! Walks a script: which act may begin when which has ended. Pure.

use std::time::Duration;

use crate::plan::Turn;

/// Where a run stands in its script.
#[derive(Debug)]
pub struct Director<'s>(Branch<'s>);

impl<'s> Director<'s> {
    /// Before the first act.
    pub fn new(script: &'s [Turn]) -> Director<'s> {
        Director(Branch::new(script))
    }

    /// The acts that begin.
    pub fn begin(&mut self) -> Vec<usize> {
        let mut begun = Vec::new();
        self.0.advance(&mut begun);
        begun
    }

    /// An act has ended: the acts that begin now.
    pub fn finished(&mut self, act: usize) -> Vec<usize> {
        let mut begun = Vec::new();
        self.0.finished(act, &mut begun);
        begun
    }

    /// Whether every act has ended.
    pub fn is_over(&self) -> bool {
        self.0.is_over()
    }

    /// How long the measured part settles, while it is under way.
    pub fn measures(&self) -> Option<Duration> {
        match self.0.turns.get(self.0.at) {
            Some(Turn::Measure(settle, _)) => Some(*settle),
            _ => None,
        }
    }
}

#[derive(Debug)]
struct Branch<'s> {
    turns: &'s [Turn],
    at: usize,
    /// The branches of the `together` that is under way.
    side: Vec<Branch<'s>>,
}

impl<'s> Branch<'s> {
    fn new(turns: &'s [Turn]) -> Branch<'s> {
        Branch { turns, at: 0, side: Vec::new() }
    }

    fn is_over(&self) -> bool {
        self.at == self.turns.len()
    }

    /// Begins what stands at this place, going on while that is over at once.
    fn advance(&mut self, begun: &mut Vec<usize>) {
        while let Some(turn) = self.turns.get(self.at) {
            match turn {
                Turn::Act(act) => return begun.push(*act),
                Turn::Together(branches) => {
                    self.side = branches.iter().map(|turns| Branch::new(turns)).collect();
                    self.side.iter_mut().for_each(|branch| branch.advance(begun));
                    if !self.side.iter().all(Branch::is_over) {
                        return;
                    }
                }
                Turn::Measure(_, turns) => {
                    let mut inner = Branch::new(turns);
                    inner.advance(begun);
                    if !inner.is_over() {
                        self.side = vec![inner];
                        return;
                    }
                }
            }
            self.at += 1;
        }
    }

    fn finished(&mut self, act: usize, begun: &mut Vec<usize>) {
        match self.turns.get(self.at) {
            Some(Turn::Act(current)) if *current == act => {}
            Some(Turn::Together(_) | Turn::Measure(..)) => {
                self.side.iter_mut().for_each(|branch| branch.finished(act, begun));
                if !self.side.iter().all(Branch::is_over) {
                    return;
                }
                self.side.clear();
            }
            _ => return,
        }
        self.at += 1;
        self.advance(begun);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Turn::{Act, Measure, Together};

    const NONE: [usize; 0] = [];

    #[test]
    fn acts_follow_each_other() {
        let script = [Act(0), Act(1)];
        let mut director = Director::new(&script);
        assert_eq!(director.begin(), [0]);
        assert_eq!(director.finished(0), [1]);
        assert!(!director.is_over());
        assert_eq!(director.finished(1), NONE);
        assert!(director.is_over());
    }

    #[test]
    fn branches_run_side_by_side_and_the_next_act_waits_for_all() {
        let script = [Together(vec![vec![Act(0), Act(1)], vec![Act(2)]]), Act(3)];
        let mut director = Director::new(&script);
        assert_eq!(director.begin(), [0, 2]);
        assert_eq!(director.finished(2), NONE);
        assert_eq!(director.finished(0), [1]);
        assert_eq!(director.finished(1), [3]);
        assert_eq!(director.finished(3), NONE);
        assert!(director.is_over());
    }

    #[test]
    fn branches_nest() {
        let inner = Together(vec![vec![Act(1)], vec![Act(2)]]);
        let script = [Together(vec![vec![Act(0)], vec![inner, Act(3)]])];
        let mut director = Director::new(&script);
        assert_eq!(director.begin(), [0, 1, 2]);
        assert_eq!(director.finished(1), NONE);
        assert_eq!(director.finished(2), [3]);
        assert_eq!(director.finished(3), NONE);
        assert!(!director.is_over());
        assert_eq!(director.finished(0), NONE);
        assert!(director.is_over());
    }

    #[test]
    fn the_measured_part_is_measured_from_its_first_act_to_its_last() {
        let settle = Duration::from_secs(5);
        let together = Together(vec![vec![Act(1)], vec![Act(2)]]);
        let script = [Act(0), Measure(settle, vec![together, Act(3)]), Act(4)];
        let mut director = Director::new(&script);
        director.begin();
        assert_eq!(director.measures(), None);
        assert_eq!(director.finished(0), [1, 2]);
        assert_eq!(director.measures(), Some(settle));
        director.finished(1);
        assert_eq!(director.finished(2), [3]);
        assert_eq!(director.measures(), Some(settle));
        assert_eq!(director.finished(3), [4]);
        assert_eq!(director.measures(), None);
        director.finished(4);
        assert!(director.is_over());
    }

    #[test]
    fn an_act_that_is_not_under_way_changes_nothing() {
        let script = [Act(0), Act(1)];
        let mut director = Director::new(&script);
        director.begin();
        assert_eq!(director.finished(1), NONE);
        assert_eq!(director.finished(0), [1]);
    }
}
