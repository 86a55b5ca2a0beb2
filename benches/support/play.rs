//! Plays a scenario in one worker of this process, and keeps account of what it cost the server.
//!
//! The account is taken while everybody waits: the script has a `wait` between what is measured and what is not, and
//! during it nothing is under way that could be counted to the wrong side.

use std::net::SocketAddr;

use sockrates::engine::{Ending, Ran};
use sockrates::observe::Counter;
use sockrates::target::{Resources, Running};

use super::alone::play_alone;

/// What a server has used and what the clients have counted up to a moment of rest.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    /// CPU time in microseconds, and resident memory in bytes.
    pub server: Resources,
    counts: [u64; Counter::ALL.len()],
}

impl Account {
    /// How much a counter grew since an earlier account.
    pub fn counted_since(&self, earlier: &Account, counter: Counter) -> u64 {
        let index = Counter::ALL.iter().position(|other| *other == counter).expect("ALL has every counter");
        self.counts[index] - earlier.counts[index]
    }

    /// Microseconds of CPU that the server used since an earlier account.
    pub fn cpu_since(&self, earlier: &Account) -> f64 {
        (self.server.cpu - earlier.server.cpu).as_secs_f64() * 1e6
    }

    /// By how many bytes the server's memory grew since an earlier account.
    pub fn memory_since(&self, earlier: &Account) -> f64 {
        self.server.memory as f64 - earlier.server.memory as f64
    }
}

/// Plays a scenario. Gives the account at the end of each of these acts (by their place in the script), in which
/// everybody waits.
///
/// # Errors
///
/// In words, when anything went wrong in it.
///
/// # Panics
///
/// When it is no scenario.
pub fn play(text: &str, server: &Running, rests: &[usize]) -> Result<Vec<Account>, String> {
    let address = SocketAddr::from(([127, 0, 0, 1], server.endpoint().port));
    let mut accounts: Vec<Option<Account>> = vec![None; rests.len()];
    let mut counts = [0; Counter::ALL.len()];
    let ran = play_alone(text, address, &server.endpoint().path, &mut |beat| {
        if let Some(interval) = &beat.interval {
            counts.iter_mut().zip(interval.counts).for_each(|(sum, more)| *sum += more);
        }
        if let [act] = beat.acts
            && let Some(place) = rests.iter().position(|rest| rest == act)
        {
            let server = server.resources().expect("a server that we started, on a system with /proc");
            accounts[place] = Some(Account { server, counts });
        }
    })?;
    faultless(&ran)?;
    Ok(accounts.into_iter().map(|account| account.expect("a rest is long enough to be seen")).collect())
}

/// Whether everything went as it should.
///
/// # Errors
///
/// In words, when it did not.
pub fn faultless(ran: &Ran) -> Result<(), String> {
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
