//! The program as a child process, and servers for it to meet.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reference_server::{Config, Faults};
use tempfile::TempDir;

use crate::written;
pub(crate) use crate::written::read as results;

/// Far beyond what anything here takes: reached only when the program hangs.
const LIMIT: Duration = Duration::from_secs(120);

/// Marks the program and everything that it starts, so that what is left behind can be found.
const MARK: &str = "SOCKRATES_TEST_MARK";

/// The program with these arguments, its environment the same on every machine.
pub(crate) fn sockrates<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Program {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let mark = format!("{}.{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let mut command = Command::new(env!("CARGO_BIN_EXE_sockrates"));
    let of_terminals = ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM", "COLUMNS"];
    let of_ci = ["CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT"];
    let of_proxies = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];
    for name in of_proxies {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    let of_collectors = [
        "OTEL_EXPORTER_OTLP_HEADERS",
        "OTEL_EXPORTER_OTLP_CERTIFICATE",
        "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
    ];
    for name in ["SOCKRATES_URL"].iter().chain(&of_collectors).chain(&of_terminals).chain(&of_ci) {
        command.env_remove(name);
    }
    command.args(arguments).env(MARK, &mark).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Program { command, mark }
}

/// The program before it is started.
pub(crate) struct Program {
    command: Command,
    mark: String,
}

impl Program {
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Program {
        self.command.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Program {
        self.command.env(name, value);
        self
    }

    /// With this folder as the working directory.
    pub(crate) fn inside(mut self, folder: &Folder) -> Program {
        self.command.current_dir(folder.0.path());
        self
    }

    /// Started by another program, which gets ours and its arguments.
    pub(crate) fn under(mut self, program: &str) -> Program {
        let mut command = Command::new(program);
        command.arg(self.command.get_program()).args(self.command.get_args());
        self.command = inherited(command, &self.command);
        self
    }

    /// Prints there.
    pub(crate) fn output(mut self, file: File) -> Program {
        self.command.stdout(file);
        self
    }

    /// With so many kilobytes of address space: the system takes care that it gets no more.
    pub(crate) fn bounded(mut self, kilobytes: u32) -> Program {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("ulimit -v {kilobytes}; exec \"$0\" \"$@\""));
        command.arg(self.command.get_program()).args(self.command.get_args());
        self.command = inherited(command, &self.command);
        self
    }

    pub(crate) fn start(mut self) -> Started {
        let results = written::place(&self.command);
        let child = self.command.spawn().expect("the program can be started");
        Started { child: Some(child), mark: self.mark, results }
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Ended {
        self.start().wait()
    }
}

/// A command in the place of another.
fn inherited(mut command: Command, other: &Command) -> Command {
    for (name, value) in other.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The program while it runs.
pub(crate) struct Started {
    child: Option<Child>,
    mark: String,
    /// Where it writes a result, if it does.
    results: Option<PathBuf>,
}

impl Started {
    pub(crate) fn pid(&self) -> Pid {
        let child = self.child.as_ref().expect("it was not waited for");
        Pid::from_raw(child.id().cast_signed())
    }

    /// Reads what it prints until this stands there.
    pub(crate) fn read_until(&mut self, text: &str) {
        let output = self.child.as_mut().and_then(|child| child.stdout.as_mut());
        let output = output.expect("its output is not closed");
        let (mut seen, mut byte) = (Vec::new(), [0]);
        while !String::from_utf8_lossy(&seen).contains(text) {
            let read = output.read(&mut byte).expect("its output can be read");
            assert_eq!(read, 1, "no {text:?} in {}", String::from_utf8_lossy(&seen));
            seen.push(byte[0]);
        }
    }

    /// Reads what it prints until this stands there, and gives the rest of that line.
    pub(crate) fn printed(&mut self, text: &str) -> String {
        self.read_until(text);
        let output = self.child.as_mut().and_then(|child| child.stdout.as_mut());
        let output = output.expect("its output is not closed");
        let (mut rest, mut byte) = (Vec::new(), [0]);
        while output.read(&mut byte).expect("its output can be read") == 1 && byte != *b"\n" {
            rest.push(byte[0]);
        }
        String::from_utf8_lossy(&rest).into_owned()
    }

    /// Reads what it tells on standard error until this stands there, and gives the rest of that line.
    pub(crate) fn told(&mut self, text: &str) -> String {
        self.line_told(text).split(text).nth(1).unwrap_or_default().to_owned()
    }

    /// The same, but gives all of that line.
    pub(crate) fn line_told(&mut self, text: &str) -> String {
        let told = self.child.as_mut().and_then(|child| child.stderr.as_mut());
        let told = told.expect("its standard error is not closed");
        let (mut line, mut byte) = (Vec::new(), [0]);
        loop {
            let read = told.read(&mut byte).expect("it can be read");
            assert_eq!(read, 1, "it ended without saying {text:?}: {}", String::from_utf8_lossy(&line));
            match byte[0] {
                b'\n' if String::from_utf8_lossy(&line).contains(text) => {
                    return String::from_utf8_lossy(&line).into_owned();
                }
                b'\n' => line.clear(),
                other => line.push(other),
            }
        }
    }

    /// Waits until something has made this file.
    #[track_caller]
    pub(crate) fn wait_for(&self, file: &Path) {
        let deadline = Instant::now() + LIMIT;
        while !file.exists() {
            assert!(Instant::now() < deadline, "{} never came to be", file.display());
            thread::park_timeout(Duration::from_millis(5));
        }
    }

    /// Nobody reads what it prints any more.
    pub(crate) fn close_output(&mut self) {
        if let Some(child) = &mut self.child {
            drop(child.stdout.take());
        }
    }

    /// What it started and itself, as far as that lives: the id of each, and its command line.
    pub(crate) fn processes(&self) -> Vec<(Pid, String)> {
        marked(&self.mark)
    }

    pub(crate) fn interrupt(&self) {
        kill(self.pid(), Signal::SIGINT).expect("the program is there");
    }

    /// Waits for its end, and for the end of all that it started. A result that it has written has to be as the schema says.
    pub(crate) fn wait(mut self) -> Ended {
        let (pid, child) = (self.pid(), self.child.take().expect("it was not waited for"));
        let (tell, told) = mpsc::channel();
        let waiting = thread::spawn(move || tell.send(child.wait_with_output()));
        let Ok(output) = told.recv_timeout(LIMIT) else {
            let _ = kill(pid, Signal::SIGKILL);
            panic!("the program hangs");
        };
        let _ = waiting.join();
        let output = output.expect("the program can be waited for");
        self.results.iter().for_each(|path| written::judge(path));
        let left = left_behind(&self.mark);
        assert!(left.is_empty(), "left behind: {left:?}");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("what it prints is UTF-8");
        Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Processes with this mark that do not end by themselves within a while.
fn left_behind(mark: &str) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let left = marked(mark);
        if left.is_empty() || Instant::now() > deadline {
            return left.into_iter().map(|(_, line)| line).collect();
        }
        thread::park_timeout(Duration::from_millis(5));
    }
}

/// Processes with this mark: the id of each, and its command line.
fn marked(mark: &str) -> Vec<(Pid, String)> {
    let wanted = format!("{MARK}={mark}");
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let own = processes.map(|entry| entry.path()).filter_map(|path| {
        let environment = fs::read(path.join("environ")).unwrap_or_default();
        let has_it = environment.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes());
        let id = path.file_name()?.to_str()?.parse().ok()?;
        has_it.then(|| (Pid::from_raw(id), fs::read_to_string(path.join("cmdline")).unwrap_or_default()))
    });
    own.collect()
}

/// What the program said, and its exit code.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Demands an exit code.
    #[track_caller]
    pub(crate) fn code(self, wanted: i32) -> Ended {
        assert_eq!(self.code, Some(wanted), "{self}");
        self.calm()
    }

    /// Whatever happens, the program does not panic.
    #[track_caller]
    pub(crate) fn calm(self) -> Ended {
        assert!(!self.stderr.contains("panicked"), "{self}");
        self
    }

    /// Demands that the text stands in the report.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Ended {
        assert!(flat(&self.stdout).contains(text), "no {text:?} in {self}");
        self
    }

    /// Demands that the text stands among what went wrong.
    #[track_caller]
    pub(crate) fn complains(self, text: &str) -> Ended {
        assert!(flat(&self.stderr).contains(text), "no {text:?} in {self}");
        self
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit code {:?}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

/// Text without its line breaks, so that wrapping does not matter.
pub(crate) fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A folder for the files of one test.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Folder {
        Folder(tempfile::tempdir().expect("a folder can be made"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file and gives its path.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("the file can be written");
        path
    }

    /// Writes a case of a suite of its own: further keys, a clients, a script.
    pub(crate) fn case(&self, id: &str, keys: &str, clients: &str, script: &str) {
        let path = self.path(&format!("cases/{id}.yaml"));
        fs::create_dir_all(path.parent().expect("it stands in a folder")).expect("a folder can be made");
        let script: String = script.lines().map(|line| format!("  {}\n", line.trim())).collect();
        let text = format!("name: what {id} says\n{keys}\nclients: {clients}\nscript:\n{script}");
        fs::write(path, text).expect("the file can be written");
    }

    /// Plays the cases in this folder.
    pub(crate) fn conform<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Program {
        sockrates(["conform", "--cases"]).args([self.path("cases")]).args(arguments)
    }

    /// Writes a scenario with this clients and script.
    pub(crate) fn scenario(&self, clients: &str, script: &str) -> PathBuf {
        self.scenario_with(clients, script, "")
    }

    /// The same with more lines at its end.
    pub(crate) fn scenario_with(&self, clients: &str, script: &str, more: &str) -> PathBuf {
        let script: String = script.lines().map(|line| format!("  {}\n", line.trim())).collect();
        self.file("scenario.yaml", &format!("name: a test\nclients: {clients}\nscript:\n{script}{more}\n"))
    }
}

/// A scenario of the test data.
pub(crate) fn data(name: &str) -> PathBuf {
    Path::new("tests/scenarios").join(name)
}

/// A reference server in this process. Stopped when dropped.
pub(crate) struct Reference(reference_server::Handle);

impl Reference {
    pub(crate) fn start() -> Reference {
        Reference::with(Config::default())
    }

    /// On any port, quietly, whatever the settings say.
    pub(crate) fn with(config: Config) -> Reference {
        Reference::broken(config, Faults::NONE)
    }

    /// The same with faults.
    pub(crate) fn broken(config: Config, faults: Faults) -> Reference {
        let config = Config { port: 0, console: false, ..config };
        Reference(reference_server::spawn(config, faults).expect("the server can be started"))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr()
    }

    pub(crate) fn url(&self) -> String {
        self.0.url()
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        self.0.shutdown();
    }
}

/// A server made of one function, called in a thread of its own for each connection.
pub(crate) struct Server {
    address: SocketAddr,
}

impl Server {
    /// Listens on any port. `serve` gets the number of the connection, from 0; the connection ends with it.
    pub(crate) fn start(
        serve: impl Fn(TcpStream, usize) -> io::Result<()> + Send + Sync + 'static,
    ) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        thread::spawn(move || {
            let serve = std::sync::Arc::new(serve);
            for (number, stream) in listener.incoming().enumerate() {
                let (Ok(stream), serve) = (stream, serve.clone()) else { continue };
                // A client that leaves is nothing to complain about.
                thread::spawn(move || drop(serve(stream, number)));
            }
        });
        Server { address }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Reads a request up to the end of its head, byte by byte. `None` at the end of the stream.
pub(crate) fn head(stream: &mut impl Read) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(None);
        }
        head.push(byte[0]);
    }
    Ok(Some(String::from_utf8_lossy(&head).into_owned()))
}

/// Answers a request.
pub(crate) fn answer(stream: &mut impl Write, status: &str, headers: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n{body}")?;
    stream.flush()
}

/// Carries bytes in both directions until one side ends.
pub(crate) fn splice(near: &TcpStream, far: &TcpStream) -> io::Result<()> {
    fn carry(mut from: TcpStream, mut to: TcpStream) {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Write);
    }
    let (from, to) = (near.try_clone()?, far.try_clone()?);
    let there: JoinHandle<()> = thread::spawn(move || carry(from, to));
    carry(far.try_clone()?, near.try_clone()?);
    let _ = there.join();
    Ok(())
}

/// A server in front of another; the first request of each connection may be changed on its way.
pub(crate) fn relay(to: SocketAddr, change: impl Fn(String) -> String + Send + Sync + 'static) -> Server {
    Server::start(move |mut near, _| {
        let Some(head) = head(&mut near)? else { return Ok(()) };
        let mut far = TcpStream::connect(to)?;
        far.write_all(change(head).as_bytes())?;
        splice(&near, &far)
    })
}
