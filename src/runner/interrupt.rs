//! Ctrl-C, SIGTERM and SIGHUP: the first stops the run politely, the second leaves at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::flag;

use super::Error;
use crate::system;
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
    for signal in system::stop_signals() {
        // Registered first, so that it looks before the flag is set by the same signal.
        let code = i32::from(Status::Interrupted.exit_code());
        flag::register_conditional_shutdown(signal, code, stop.clone())?;
        flag::register(signal, stop.clone())?;
    }
    Ok(())
}
