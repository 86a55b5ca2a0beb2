use super::*;

const QUESTION: Question = Question { level: 0.05, effect: 0.05, seed: 1 };

/// The figures of a simulated machine. In each block everything is faster or slower together by 10 %; each run differs by
/// 3 % beyond that, its tail by twice as much, and one run in twenty is disturbed by half.
struct Machine(fastrand::Rng);

impl Machine {
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.0.f64()).sum::<f64>() - 6.0
    }

    /// Blocks of two runs of one server, and one of another that is slower by a factor.
    fn play(&mut self, blocks: usize, slower: f64) -> [Vec<Figures>; 3] {
        let mut runs = [const { Vec::new() }; 3];
        for _ in 0..blocks {
            let block = 0.1 * self.normal();
            for (runs, slower) in runs.iter_mut().zip([1.0, 1.0, slower]) {
                let disturbed = if self.0.u8(0..20) == 0 { 1.5_f64.ln() } else { 0.0 };
                let run = block + 0.03 * self.normal() + disturbed;
                let own = |machine: &mut Self, noise: f64| slower * (run + noise * machine.normal()).exp();
                runs.push(Figures::from([
                    ("ack p50".to_owned(), 2000.0 * own(self, 0.01)),
                    ("ack p90".to_owned(), 3000.0 * own(self, 0.02)),
                    ("ack p99".to_owned(), 9000.0 * own(self, 0.06)),
                    ("delivery p50".to_owned(), 2500.0 * own(self, 0.01)),
                    ("delivery p90".to_owned(), 3600.0 * own(self, 0.02)),
                    ("delivery p99".to_owned(), 9900.0 * own(self, 0.06)),
                    ("cpu per million deliveries".to_owned(), 12.0 * own(self, 0.02)),
                    ("memory per connection".to_owned(), 20_000.0 * (0.01 * self.normal()).exp()),
                ]));
            }
        }
        runs
    }

    fn compare(&mut self, blocks: usize, slower: f64) -> Vec<FigureRow> {
        let [first, twin, other] = self.play(blocks, slower);
        judge(&first, &twin, &[&other], QUESTION).remove(0)
    }
}

fn machine(seed: u64) -> Machine {
    Machine(fastrand::Rng::with_seed(seed))
}

fn row<'a>(rows: &'a [FigureRow], figure: &str) -> &'a FigureRow {
    rows.iter().find(|row| row.figure == figure).unwrap()
}

#[test]
fn a_server_that_is_much_slower_is_found_and_the_ratio_lies_in_its_interval() {
    let rows = machine(1).compare(10, 1.5);
    let slow = row(&rows, "ack p50");
    assert_eq!(slow.difference, Difference::Larger);
    assert!((1.4..1.6).contains(&slow.ratio), "{slow:?}");
    assert!(slow.ratio_low < 1.5 && 1.5 < slow.ratio_high, "{slow:?}");
    let memory = row(&rows, "memory per connection");
    assert_eq!(memory.difference, Difference::None);
    assert!(memory.detectable.unwrap() < 0.05, "{memory:?}");
}

#[test]
fn two_blocks_are_too_few_to_tell_anything() {
    let rows = machine(1).compare(2, 3.0);
    assert!(
        rows.iter().all(|row| row.difference == Difference::TooFew && row.detectable.is_none()),
        "{rows:?}"
    );
    assert!(row(&rows, "ack p50").more_blocks.unwrap() > 5, "{rows:?}");
}

#[test]
fn a_figure_that_one_of_them_lacks_is_not_compared() {
    let with = vec![Figures::from([("a".to_owned(), 1.0), ("b".to_owned(), 0.0)]); 10];
    let without = vec![Figures::new(); 10];
    assert_eq!(judge(&with, &with, &[&without], QUESTION), [vec![]]);
    let zero = &judge(&with, &with, &[&with], QUESTION)[0];
    assert_eq!(zero.iter().map(|row| row.figure.as_str()).collect::<Vec<_>>(), ["a"]);
}

#[test]
fn a_run_that_is_missing_takes_its_block_out_and_no_other() {
    let [first, twin, mut other] = machine(2).play(12, 1.5);
    other[4] = Figures::new();
    let rows = judge(&first, &twin, &[&other], QUESTION).remove(0);
    assert_eq!(row(&rows, "ack p50").pairs, 11);
    assert_eq!(row(&rows, "ack p50").difference, Difference::Larger);
}

#[test]
fn nothing_is_claimed_that_is_smaller_than_what_a_server_differs_from_itself() {
    let steady = |value: f64| vec![Figures::from([("a".to_owned(), value)]); 10];
    let mut twin = steady(1.0);
    twin.iter_mut().step_by(2).for_each(|run| *run = Figures::from([("a".to_owned(), 1.1)]));
    let rows = judge(&steady(1.0), &twin, &[&steady(1.05)], QUESTION).remove(0);
    assert!(rows[0].p < Some(0.05) && rows[0].p.is_some() && rows[0].floor > Some(0.05), "{rows:?}");
    assert_eq!(rows[0].difference, Difference::None);
}

/// The stated error rate: a server beside itself seems to differ in some figure in at most 5 % of the comparisons.
#[test]
fn a_server_differs_from_itself_no_more_often_than_is_stated() {
    const RUNS: u64 = 60;
    let claims =
        |seed: u64| machine(seed).compare(20, 1.0).iter().any(|row| row.difference != Difference::None);
    let false_claims = (0..RUNS).filter(|seed| claims(*seed)).count();
    assert!(false_claims <= 3, "{false_claims} of {RUNS}");
}

/// At the default length, 10 % more service time is found in at least nine comparisons of ten.
#[test]
fn ten_percent_more_service_time_is_found() {
    const RUNS: u64 = 40;
    let finds = |seed: u64| row(&machine(seed).compare(20, 1.1), "ack p50").difference == Difference::Larger;
    let found = (0..RUNS).filter(|seed| finds(*seed)).count();
    assert!(found >= 36, "{found} of {RUNS}");
}
