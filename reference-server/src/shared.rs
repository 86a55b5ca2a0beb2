//! What every layer of a server may use: settings, faults, clock, console, ids.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use crate::config::Config;
use crate::console::Console;
use crate::faults::late::Late;
use crate::faults::turns::Turns;
use crate::faults::{Fault, Faults};
use crate::ids::Ids;
use crate::timers::{TimerKey, Timers};

pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) faults: Faults,
    pub(crate) timers: Rc<Timers>,
    pub(crate) console: Rc<Console>,
    pub(crate) ids: Ids,
    /// Whether the server stops: it lets nobody in any more.
    pub(crate) stopping: Cell<bool>,
    /// Cloned by every connection that has something to do: a server that stops waits for these.
    pub(crate) busy: Rc<()>,
    /// For the faults that show now and then.
    pub(crate) turns: Turns,
    /// For the faults that delay what goes out.
    pub(crate) late: Option<Rc<Late>>,
}

impl Shared {
    /// Fails when a fault needs a thread and there is none.
    pub(crate) fn new(config: Config, faults: Faults) -> io::Result<Rc<Shared>> {
        Ok(Rc::new(Shared {
            console: Rc::new(Console::new(config.console)),
            ids: Ids::new(faults.has(Fault::SidCounted)),
            late: Late::new(faults)?,
            config,
            faults,
            timers: Rc::default(),
            stopping: Cell::new(false),
            busy: Rc::default(),
            turns: Turns::default(),
        }))
    }

    /// Whether the server is to be wrong in this way.
    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.faults.has(fault)
    }

    /// Whether it is time for a fault that shows in one of so many cases.
    pub(crate) fn now_and_then(&self, fault: Fault, one_in: u64) -> bool {
        self.has(fault) && self.turns.is_due(fault, one_in)
    }

    /// Runs something once, `delay` from now.
    pub(crate) fn after(&self, delay: Duration, action: impl FnOnce() + 'static) -> TimerKey {
        self.timers.after(delay, action)
    }

    /// How many connections have something to do.
    pub(crate) fn busy_connections(&self) -> usize {
        Rc::strong_count(&self.busy) - 1
    }
}
