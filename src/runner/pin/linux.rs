//! The processors of Linux.

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// Who may run where.
#[derive(Debug)]
pub(in crate::runner) struct Processors {
    all: CpuSet,
    server: CpuSet,
    clients: CpuSet,
}

impl Processors {
    /// Divides those that this process may use: the last is for the server.
    ///
    /// # Errors
    /// A sentence, when there are fewer than two.
    pub(in crate::runner) fn divide() -> Result<Processors, String> {
        let all = sched_getaffinity(this_thread()).map_err(failed)?;
        let usable: Vec<usize> =
            (0..CpuSet::count()).filter(|place| all.is_set(*place) == Ok(true)).collect();
        let [clients @ .., server] = &usable[..] else { return Err(TOO_FEW.to_owned()) };
        if clients.is_empty() {
            return Err(TOO_FEW.to_owned());
        }
        Ok(Processors { all, server: set(&[*server])?, clients: set(clients)? })
    }

    /// Until the clients begin, what is started runs on the server's.
    ///
    /// # Errors
    /// A sentence.
    pub(in crate::runner) fn for_server(&self) -> Result<(), String> {
        sched_setaffinity(this_thread(), &self.server).map_err(failed)
    }

    /// From here on what is started runs on those of the clients.
    ///
    /// # Errors
    /// A sentence.
    pub(in crate::runner) fn for_clients(&self) -> Result<(), String> {
        sched_setaffinity(this_thread(), &self.clients).map_err(failed)
    }

    /// From here on what is started runs on any of them.
    ///
    /// # Errors
    /// A sentence.
    pub(in crate::runner) fn for_everybody(&self) -> Result<(), String> {
        sched_setaffinity(this_thread(), &self.all).map_err(failed)
    }
}

const TOO_FEW: &str = "`--pin` needs two processors, and this process may use only one: leave it out";

fn this_thread() -> Pid {
    Pid::from_raw(0)
}

fn set(places: &[usize]) -> Result<CpuSet, String> {
    let mut set = CpuSet::new();
    places.iter().try_for_each(|place| set.set(*place)).map_err(failed)?;
    Ok(set)
}

fn failed(error: Errno) -> String {
    format!("failed to give server and clients their own processors: {error}")
}
