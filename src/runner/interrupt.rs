//! Ctrl-C, SIGTERM and SIGHUP: the first stops the run politely, the second leaves at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::{fs, io};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use super::Error;
use crate::verdict::Status;

/// A flag that the first signal sets.
///
/// # Errors
/// When the operating system takes no handler.
pub(crate) fn stop_on_signals() -> Result<Arc<AtomicBool>, Error> {
    let stop = Arc::new(AtomicBool::new(false));
    register(&stop).map_err(|error| Error::because(format!("failed to watch for Ctrl-C: {error}")))?;
    Ok(stop)
}

fn register(stop: &Arc<AtomicBool>) -> io::Result<()> {
    let hangup = (!is_ignored(SIGHUP)).then_some(SIGHUP);
    for signal in [SIGINT, SIGTERM].into_iter().chain(hangup) {
        // Registered first, so that it looks before the flag is set by the same signal.
        let code = i32::from(Status::Interrupted.exit_code());
        flag::register_conditional_shutdown(signal, code, stop.clone())?;
        flag::register(signal, stop.clone())?;
    }
    Ok(())
}

/// Whether whoever started us had this signal ignored: what `nohup` starts goes on when its terminal is gone.
fn is_ignored(signal: i32) -> bool {
    let ignored = fs::read_to_string("/proc/self/status").ok().and_then(|status| {
        let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        u64::from_str_radix(line.trim(), 16).ok()
    });
    ignored.is_some_and(|ignored| ignored >> (signal - 1) & 1 == 1)
}
