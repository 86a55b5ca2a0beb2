//! The signals that ask the server to end.

#[cfg(unix)]
pub(crate) use unix::Signals;
#[cfg(windows)]
pub(crate) use windows::Signals;

#[cfg(unix)]
mod unix {
    use std::io;

    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator;

    /// Signals that are caught from now on.
    pub(crate) struct Signals(iterator::Signals);

    impl Signals {
        /// Catches them.
        ///
        /// # Errors
        /// When the operating system takes no handler.
        pub(crate) fn catch() -> io::Result<Signals> {
            iterator::Signals::new([SIGINT, SIGTERM]).map(Signals)
        }

        /// Returns when the next one has come.
        pub(crate) fn wait(&mut self) {
            let _ = self.0.forever().next();
        }
    }
}

#[cfg(windows)]
mod windows {
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::Duration;

    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag;

    /// Ctrl-Break, and the end of the console.
    const SIGBREAK: i32 = 21;

    /// Windows calls a handler and wakes nobody, so that has to be looked for.
    const LOOK_AGAIN: Duration = Duration::from_millis(50);

    /// Signals that are caught from now on.
    pub(crate) struct Signals(Arc<AtomicBool>);

    impl Signals {
        /// Catches them.
        ///
        /// # Errors
        /// When the operating system takes no handler.
        pub(crate) fn catch() -> io::Result<Signals> {
            let came = Arc::new(AtomicBool::new(false));
            for signal in [SIGINT, SIGTERM, SIGBREAK] {
                flag::register(signal, came.clone())?;
            }
            Ok(Signals(came))
        }

        /// Returns when the next one has come.
        pub(crate) fn wait(&mut self) {
            while !self.0.swap(false, Ordering::Relaxed) {
                thread::sleep(LOOK_AGAIN);
            }
        }
    }
}
