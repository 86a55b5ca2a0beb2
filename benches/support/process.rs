//! What this process uses, and servers in processes of their own.

use std::env;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// Microseconds of CPU that this process has used.
///
/// # Panics
///
/// When the operating system keeps no account.
pub(crate) fn cpu() -> f64 {
    used(UsageWho::RUSAGE_SELF)
}

/// The same of the processes that it started and that have ended.
///
/// # Panics
///
/// When the operating system keeps no account.
pub(crate) fn cpu_of_children() -> f64 {
    used(UsageWho::RUSAGE_CHILDREN)
}

fn used(who: UsageWho) -> f64 {
    let usage = getrusage(who).expect("usage");
    (usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64
}

/// Bytes of memory that this process holds.
///
/// # Panics
///
/// Without `/proc`.
pub(crate) fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").expect("statm");
    let pages: u64 = status.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).expect("pages");
    pages * 4096
}

/// A server in a process of its own, which ends with this one.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// One of [`super::raw_server`], played by this program.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub(crate) fn raw(kind: &str) -> Server {
        let mut command = Command::new(env::current_exe().expect("this program"));
        command.args([super::raw_server::WORD, kind]);
        Server::start(command)
    }

    /// The reference server.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub(crate) fn reference() -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sockrates"));
        command.args(["serve", "--port", "0", "--quiet", "--exit-with-stdin"]);
        Server::start(command)
    }

    fn start(mut command: Command) -> Server {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a server process");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output"))
            .read_line(&mut line)
            .expect("its first line");
        let address =
            line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("an address");
        Server { child, address: address.trim().parse().expect("an address") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
