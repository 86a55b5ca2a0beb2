//! Windows. It has no limit of open files, and no signals but those of the C library.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{fs, io};

use cpu_time::{ProcessTime, ThreadTime};
use signal_hook::consts::{SIGINT, SIGTERM};
use sysinfo::{
    CpuRefreshKind, MemoryRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, RefreshKind, System,
};

use super::OpenFiles;
use crate::session::Shortage;

/// Ctrl-Break, and the end of the console.
const SIGBREAK: i32 = 21;

/// The errors of Winsock: <https://learn.microsoft.com/windows/win32/winsock/windows-sockets-error-codes-2>.
const WSAEMFILE: i32 = 10_024;
const WSAEADDRINUSE: i32 = 10_048;
const WSAEADDRNOTAVAIL: i32 = 10_049;
const WSAENOBUFS: i32 = 10_055;

/// The name of this machine.
pub(crate) fn machine_name() -> Option<String> {
    System::host_name().ok()
}

/// The model of the processors.
pub(crate) fn processor() -> Option<String> {
    let system =
        System::new_with_specifics(RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing())).ok()?;
    system.cpus().first().map(|cpu| cpu.brand().trim().to_owned()).filter(|brand| !brand.is_empty())
}

/// The memory of the machine, in bytes.
pub(crate) fn memory() -> Option<u64> {
    let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    Some(System::new_with_specifics(memory).ok()?.total_memory()).filter(|bytes| *bytes > 0)
}

/// How many processors the machine has: not told where it is more than this program may use.
pub(crate) fn processors() -> Option<usize> {
    None
}

/// Not told: how busy other programs keep the machine is not known here.
pub(crate) fn busy() -> Option<Duration> {
    None
}

/// The processor time of this process.
pub(crate) fn process_time() -> Duration {
    ProcessTime::try_now().map_or(Duration::ZERO, |time| time.as_duration())
}

/// The processor time of this thread.
pub(crate) fn thread_time() -> Duration {
    ThreadTime::try_now().map_or(Duration::ZERO, |time| time.as_duration())
}

/// The most memory that this process had whenever this was asked, in bytes.
pub(crate) fn memory_peak() -> u64 {
    static PEAK: AtomicU64 = AtomicU64::new(0);
    let now = sysinfo::get_current_pid().ok().and_then(|own| {
        let system = look_at_processes(&[own])?;
        Some(system.process(own)?.memory())
    });
    let now = now.unwrap_or_default();
    PEAK.fetch_max(now, Ordering::Relaxed).max(now)
}

/// What these processes have used so far.
pub(crate) fn look_at_processes(processes: &[Pid]) -> Option<System> {
    let mut system = System::new().ok()?;
    let what = ProcessRefreshKind::nothing().with_cpu().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(processes), true, what);
    Some(system)
}

/// There is no limit.
pub(crate) fn open_files() -> Option<OpenFiles> {
    None
}

/// There is nothing to raise.
pub(crate) fn raise_open_files(_: OpenFiles) -> bool {
    true
}

/// Not told.
pub(crate) fn local_ports() -> Option<(u64, u64)> {
    None
}

/// Makes a folder. The folder for temporary files belongs to this user alone, and what is in it inherits that.
///
/// # Errors
/// Those of the system, also where it is there already.
pub(crate) fn create_private_folder(at: &Path) -> io::Result<()> {
    fs::create_dir(at)
}

/// The signals that ask this process to end.
pub(crate) fn stop_signals() -> Vec<i32> {
    vec![SIGINT, SIGTERM, SIGBREAK]
}

/// Whether this error of a connect says that it has only begun.
pub(crate) fn is_in_progress(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

/// What this machine lacks, if an error of a socket says so.
pub(crate) fn shortage(error: &io::Error) -> Option<Shortage> {
    match error.raw_os_error()? {
        WSAEADDRNOTAVAIL | WSAEADDRINUSE => Some(Shortage::Port),
        // Sockets take memory of the system that does not grow.
        WSAEMFILE | WSAENOBUFS => Some(Shortage::File),
        _ => None,
    }
}
