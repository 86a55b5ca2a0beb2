//! What each operating system has its own way for: the machine, this process, its files, signals and the errors of sockets.
//!
//! One file a system, with the same functions. What a system does not tell is `None` or nothing, and the reports leave it out.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::*;
#[cfg(windows)]
pub(crate) use windows::*;

/// How many files a process may have open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenFiles {
    /// As it is now.
    pub(crate) now: u64,
    /// If it asks for more.
    pub(crate) most: u64,
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn this_process_has_memory_and_uses_processor_time() {
        let peak = memory_peak();
        assert!((1 << 20..1 << 40).contains(&peak), "{peak}");
        // The clock of processor time may move on in steps of 16 ms.
        while process_time() < Duration::from_millis(20) || thread_time().is_zero() {
            std::hint::black_box(fastrand::u64(..));
        }
        assert!(process_time() < Duration::from_secs(3600));
    }

    #[test]
    fn a_folder_of_our_own_is_made_once() {
        let folder = tempfile::tempdir().expect("there is room").path().join("own");
        std::fs::create_dir_all(folder.parent().expect("it has one")).expect("there is room");
        assert!(create_private_folder(&folder).is_ok() && folder.is_dir());
        assert!(create_private_folder(&folder).is_err());
    }
}
