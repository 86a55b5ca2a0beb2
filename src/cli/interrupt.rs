//! Ctrl-C and SIGTERM: the first stops the run politely, the second leaves at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The exit code of a run that was interrupted.
pub const EXIT_CODE: u8 = 130;

/// A flag that the first signal sets.
///
/// # Errors
/// When the operating system takes no handler.
pub fn watch() -> io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // Registered first, so that it looks before the flag is set by the same signal.
        flag::register_conditional_shutdown(signal, i32::from(EXIT_CODE), stop.clone())?;
        flag::register(signal, stop.clone())?;
    }
    Ok(stop)
}
