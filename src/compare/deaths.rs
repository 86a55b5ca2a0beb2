//! Servers that ended by themselves while they were played: a fact that explains what else went wrong with them.

use super::result::{ComparisonResult, RunFigures};
use crate::measure::format::count;
use crate::report::result::ServerEnd;

/// The ends of one kind of a server in all blocks, its twin included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deaths<'r> {
    /// The name of the server.
    server: &'r str,
    /// The first of them.
    pub(super) first: &'r ServerEnd,
    /// The number of its block, and whether it was the second run there.
    place: (usize, bool),
    /// How often it was so.
    times: u64,
    /// How many runs that server had.
    runs: u64,
}

impl<'r> Deaths<'r> {
    /// All of them, server by server; of a server, the first to happen comes first.
    pub(crate) fn of(result: &'r ComparisonResult) -> Vec<Deaths<'r>> {
        let mut all = Vec::new();
        for entry in &result.servers {
            let begin = all.len();
            let runs = || {
                let blocks = (1..).zip(&result.blocks);
                let runs = blocks.flat_map(|(block, of)| of.runs.iter().map(move |run| (block, run)));
                runs.filter(|(_, run)| run.server == entry.name)
            };
            for (block, run) in runs() {
                let RunFigures { twin, server_end: Some(end), .. } = run else { continue };
                let known = all[begin..].iter_mut().find(|known: &&mut Deaths<'_>| {
                    known.first.whose() == end.whose() && known.first.how == end.how
                });
                match known {
                    Some(known) => known.times += 1,
                    None => all.push(Deaths {
                        server: &entry.name,
                        first: end,
                        place: (block, *twin),
                        times: 1,
                        runs: runs().count() as u64,
                    }),
                }
            }
        }
        all
    }

    /// Whether they alone make the comparison a failed one, as they make a run.
    pub(crate) fn is_failure(&self) -> bool {
        self.first.death().is_failure
    }

    /// Which server, how, when and how often, as a sentence without its full stop.
    pub(crate) fn sentence(&self) -> String {
        let (block, is_twin) = self.place;
        let again = if is_twin { ", in its second run there" } else { "" };
        let often = match self.times {
            1 => String::new(),
            times => format!("; so it was in {} of its {} runs", count(times), count(self.runs)),
        };
        format!("{}: {} in block {block}{again}{often}", self.server, self.first.death().sentence)
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{comparison, ended};
    use super::*;

    #[test]
    fn ends_of_one_kind_are_told_once_with_their_number_and_others_apart() {
        let mut result = comparison(3, 1.0);
        let mut ends = [
            (0, Some(ended("exit code 3"))),
            (1, Some(ended("signal SIGKILL"))),
            (2, Some(ended("exit code 3"))),
        ];
        for (block, end) in &mut ends {
            let run = result.blocks[*block].runs.iter_mut().find(|run| run.server == "bun").unwrap();
            run.server_end = end.take();
        }
        let told: Vec<String> = Deaths::of(&result).iter().map(Deaths::sentence).collect();
        assert_eq!(
            told,
            [
                "bun: the server ended with exit code 3 after 700 ms in block 1; so it was in 2 of its 3 runs",
                "bun: the server ended with signal SIGKILL after 700 ms in block 2"
            ]
        );
    }

    #[test]
    fn the_second_run_of_a_block_is_told_as_that_and_an_end_with_0_is_no_failure() {
        let mut result = comparison(1, 1.0);
        let run = result.blocks[0].runs.iter_mut().find(|run| run.twin).unwrap();
        run.server_end = Some(ServerEnd { is_success: true, ..ended("exit code 0") });
        let all = Deaths::of(&result);
        assert_eq!(
            all[0].sentence(),
            "node: the server ended with exit code 0 after 700 ms in block 1, in its second run there"
        );
        assert!(!all[0].is_failure());
    }
}
