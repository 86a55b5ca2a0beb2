//! The time that all machines of a run have in common, as an agent knows it: by its own clock, and by what it asks the coordinator.

use std::time::{Duration, Instant};

use super::clock::ClockEstimate;
use super::nearness::Nearness;
use super::wire::Time;
use crate::audit::{Disturbances, Quickest};

/// How often it is asked what time it is, before the run and while it goes on.
const ASK_SOON: Duration = Duration::from_millis(20);
const ASK: Duration = Duration::from_millis(250);

/// How many round trips there are before an agent is ready.
const ROUND_TRIPS: u32 = 20;

/// As good as nothing is known of a clock.
pub(super) const UNKNOWN: Duration = Duration::from_secs(3600);

/// By how much a clock may have drifted since somebody spoke of it last.
const SLACK: Duration = Duration::from_micros(100);

/// By drifting alone, less is known of a clock by so much more slowly than it is told of.
const LEAP: Duration = Duration::from_millis(1);

/// See the module's head.
pub(super) struct CommonTime {
    clock: ClockEstimate,
    /// What this agent's clock showed when it was nothing.
    base: Instant,
    quickest: Duration,
    round_trips: u32,
    next_ask: Instant,
    /// What is added to this agent's time so that it is the coordinator's.
    offset: Option<i64>,
    /// How far the clocks of all agents may be from the coordinator's.
    doubts: Vec<Duration>,
    nearness: Nearness,
}

impl CommonTime {
    /// Of so many agents, from now on.
    pub(super) fn new(now: Instant, agents: usize) -> CommonTime {
        CommonTime {
            clock: ClockEstimate::default(),
            base: now,
            quickest: Duration::MAX,
            round_trips: 0,
            next_ask: now,
            offset: None,
            doubts: vec![Duration::ZERO; agents],
            nearness: Nearness::new(agents),
        }
    }

    /// When it is to be asked next what time it is.
    pub(super) fn next_ask(&self) -> Instant {
        self.next_ask
    }

    /// What is asked now.
    pub(super) fn ask(&mut self, from: u16, now: Instant) -> Time {
        // At first, the next question follows the answer: however many agents ask, a coordinator that is late hears no more of them.
        self.next_ask = now + ASK;
        Time { from, asked: self.base.elapsed(), shows: Duration::ZERO }
    }

    /// An answer has come.
    pub(super) fn take(&mut self, time: Time) {
        let now = self.base.elapsed();
        if time.asked <= now {
            self.round_trips += 1;
            if !self.is_known() {
                self.next_ask = self.base + now + ASK_SOON;
            }
            self.quickest = self.quickest.min(now - time.asked);
            let jumps = self.clock.jumps;
            self.clock.take(time.asked, now, time.shows);
            if self.clock.jumps != jumps {
                self.nearness.forget_all();
            }
        }
    }

    /// The coordinator tells how far the clocks of all agents may be from its own.
    pub(super) fn note(&mut self, mut doubts: Vec<Duration>) {
        doubts.iter_mut().for_each(|doubt| *doubt = (*doubt).min(UNKNOWN));
        if doubts.len() != self.doubts.len() {
            return;
        }
        for (agent, (before, doubt)) in self.doubts.iter().zip(&doubts).enumerate() {
            if *doubt > *before + LEAP {
                self.nearness.forget(agent);
            }
        }
        self.doubts = doubts;
    }

    /// Messages of other agents were received here, or messages of this one there.
    pub(super) fn see(&mut self, agent: usize, quickest: Quickest, is_here: bool) {
        match is_here {
            true => self.nearness.see_here(agent, quickest),
            false => self.nearness.see_there(agent, quickest),
        }
    }

    /// Whether it was asked often enough for a beginning.
    pub(super) fn is_known(&self) -> bool {
        self.round_trips >= ROUND_TRIPS
    }

    /// How long the quickest round trip to the coordinator took.
    pub(super) fn quickest(&self) -> Duration {
        self.quickest
    }

    /// How often this clock was set.
    pub(super) fn jumps(&self) -> u32 {
        self.clock.jumps
    }

    /// How far this clock is ahead of the coordinator's, in nanoseconds.
    pub(super) fn ahead(&self) -> i64 {
        self.clock.offset(self.base.elapsed()).map_or(0, |(offset, _)| offset.saturating_neg())
    }

    /// A time of the coordinator by this clock, which from here on is used as it is known now. None before anything is known.
    pub(super) fn fix(&mut self, time: Duration) -> Option<Instant> {
        let (offset, _) = self.clock.offset(self.base.elapsed())?;
        self.offset = Some(offset);
        let own = i128::try_from(time.as_nanos()).ok()? - i128::from(offset);
        let nanos = u64::try_from(own.unsigned_abs()).ok()?;
        match own < 0 {
            true => self.base.checked_sub(Duration::from_nanos(nanos)),
            false => self.base.checked_add(Duration::from_nanos(nanos)),
        }
    }

    /// How far this clock may be from the coordinator's.
    pub(super) fn doubt(&self) -> Duration {
        let now = self.base.elapsed();
        let doubt = match self.offset {
            Some(used) => self.clock.doubt_of(used, now),
            None => self.clock.offset(now).map(|(_, doubt)| doubt),
        };
        doubt.map_or(UNKNOWN, |doubt| doubt.min(UNKNOWN))
    }

    /// Between which bounds lies what has to be added to times of this agent, in nanoseconds, at this time of the run.
    pub(super) fn bounds(&self, agent: Option<usize>, now: Duration) -> (i64, i64) {
        let theirs = agent.and_then(|agent| self.doubts.get(agent)).copied().unwrap_or(UNKNOWN);
        let doubt = theirs + self.doubt() + SLACK;
        self.nearness.bounds(agent.unwrap_or(usize::MAX), doubt, now)
    }

    /// Times of the coordinator, as wide as they may be by this clock.
    pub(super) fn widened(&self, times: Disturbances) -> Disturbances {
        let doubt = (self.doubt() + SLACK).into();
        times.into_iter().map(|(from, to)| (from.saturating_sub(doubt), to.map(|to| to + doubt))).collect()
    }
}
