//! Plays a scenario, and keeps account of what it cost this process: the clients, and nothing else.
//!
//! The account is taken in acts in which everybody waits, so that nothing is under way that
//! could be counted to the wrong side.

use std::net::SocketAddr;

use sockrates::engine::{Ending, Ran};
use sockrates::observe::Counter;

use super::alone::play_alone;
use super::process::{cpu, resident};

/// What this process has used, and its clients counted, up to a moment of rest.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account {
    /// Microseconds of CPU.
    pub cpu: f64,
    /// Bytes of memory.
    pub memory: u64,
    /// Since the run began, in seconds.
    pub elapsed: f64,
    counts: [u64; Counter::ALL.len()],
}

impl Account {
    /// How much a counter grew since an earlier account.
    pub(crate) fn counted_since(&self, earlier: &Account, counter: Counter) -> u64 {
        self.counts[counter as usize] - earlier.counts[counter as usize]
    }
}

/// Plays a scenario with so many workers. Gives the account at the end of each of these acts (by their place in the
/// script), in which everybody waits.
///
/// # Panics
///
/// When it is no scenario, or anything went wrong in it: what did not work has no price.
pub(crate) fn play(text: &str, address: SocketAddr, workers: usize, rests: &[usize]) -> (Vec<Account>, Ran) {
    let mut accounts: Vec<Option<Account>> = vec![None; rests.len()];
    let mut counts = [0; Counter::ALL.len()];
    let ran = play_alone(text, address, workers, &mut |beat| {
        if let Some(interval) = &beat.interval {
            counts.iter_mut().zip(interval.counts).for_each(|(sum, more)| *sum += more);
        }
        if let [act] = beat.acts
            && let Some(place) = rests.iter().position(|rest| rest == act)
        {
            let elapsed = beat.elapsed.as_secs_f64();
            accounts[place] = Some(Account { cpu: cpu(), memory: resident(), elapsed, counts });
        }
    })
    .and_then(|ran| faultless(&ran).map(|()| ran))
    .unwrap_or_else(|why| panic!("{why}"));
    let taken = accounts.into_iter().map(|account| account.expect("a rest is long enough to be seen"));
    (taken.collect(), ran)
}

/// Whether everything went as it should; in words, when it did not.
fn faultless(ran: &Ran) -> Result<(), String> {
    let tally = &ran.tally;
    let missed: u64 = Counter::ALL.into_iter().map(|counter| tally.misses(counter)).sum();
    let (failed, dropped) = (tally.failed_checks(), tally.counter(Counter::Dropped));
    if ran.ending == Ending::Finished && missed + failed + dropped == 0 {
        return Ok(());
    }
    let troubles = tally.troubles();
    let troubles: Vec<_> = troubles.by_count().into_iter().map(|(cause, _)| cause).collect();
    Err(format!(
        "{:?}, {missed} operations missed, {failed} checks failed, {dropped} connections lost; {}",
        ran.ending,
        troubles.join("; "),
    ))
}
