//! The sockets and threads of the proxy.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::frames::Frames;
use super::message::{Body, Broken, Head, Names, head_length, moved};
use super::tape::{Tape, Track};
use super::upstream::{Target, Upstream};
use crate::importer::{Answer, Content, LONGEST_ANSWER, LONGEST_SENT, Recorded, Request};

/// So many connections of browsers at a time; a further one is closed.
const MOST_CONNECTIONS: usize = 512;

/// The largest body of a request or a response that is recorded, in bytes.
const LARGEST_BODY: usize = 16 << 20;

/// How long the last connection may take that wakes the thread that accepts.
const PATIENCE: Duration = Duration::from_secs(5);

/// The first thing that went wrong on the way to the application, in words.
type Trouble = Mutex<Option<String>>;

/// A proxy that forwards and records until it is finished.
pub(crate) struct Recorder {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

/// What all threads know.
struct Shared {
    target: Target,
    tape: Tape,
    is_over: AtomicBool,
    /// The sockets of each connection, to end it.
    open: Mutex<HashMap<u64, Vec<TcpStream>>>,
    numbers: AtomicU64,
    trouble: Trouble,
}

impl Recorder {
    /// Listens on an address.
    ///
    /// # Errors
    /// When the system does not let us.
    pub(crate) fn begin(address: SocketAddr, target: Target) -> io::Result<Recorder> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            target,
            tape: Tape::begin(),
            is_over: AtomicBool::new(false),
            open: Mutex::default(),
            numbers: AtomicU64::new(0),
            trouble: Trouble::default(),
        });
        let known = shared.clone();
        let accepting =
            thread::Builder::new().name("record".into()).spawn(move || accept(&listener, &known))?;
        Ok(Recorder { address, shared, accepting: Some(accepting) })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections of Socket.IO have begun so far.
    pub(crate) fn tabs(&self) -> usize {
        self.shared.tape.tabs()
    }

    /// The first thing that went wrong on the way to the application, in words; each is told once.
    pub(crate) fn trouble(&self) -> Option<String> {
        lock(&self.shared.trouble).take()
    }

    /// Ends all connections, and gives what was recorded.
    pub(crate) fn finish(mut self) -> Recorded {
        self.end();
        self.shared.tape.take()
    }

    fn end(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for a connection.
        let own = match self.address.ip().is_unspecified() {
            true => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), self.address.port()),
            false => self.address,
        };
        let woken = TcpStream::connect_timeout(&own, PATIENCE);
        if let (Ok(_), Some(accepting)) = (woken, self.accepting.take()) {
            let _ = accepting.join();
        }
        for socket in lock(&self.shared.open).drain().flat_map(|(_, sockets)| sockets) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if self.accepting.is_some() {
            self.end();
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    while !shared.is_over.load(Ordering::Relaxed) {
        let Ok((browser, _)) = listener.accept() else {
            // Out of files, say: it may be better soon.
            thread::park_timeout(Duration::from_millis(50));
            continue;
        };
        if shared.is_over.load(Ordering::Relaxed) || lock(&shared.open).len() >= MOST_CONNECTIONS {
            continue;
        }
        let Ok(own) = browser.try_clone() else { continue };
        let number = shared.numbers.fetch_add(1, Ordering::Relaxed);
        lock(&shared.open).insert(number, vec![own]);
        let known = shared.clone();
        let spawned = thread::Builder::new().name("record".into()).stack_size(256 << 10).spawn(move || {
            // A browser that went away needs no answer.
            let _ = serve(browser, number, &known);
            lock(&known.open).remove(&number);
        });
        if spawned.is_err() {
            lock(&shared.open).remove(&number);
        }
    }
}

/// A request whose response is on its way.
struct Asked {
    method: String,
    names: Names,
    wants_upgrade: bool,
    of: Of,
}

/// What a request belongs to.
enum Of {
    /// A connection of Socket.IO. Not recorded where there is no room for it.
    Session(Option<Track>),
    /// A page. Its body follows.
    Page(Box<Request>, Receiver<Vec<u8>>),
}

/// The content of a body that was passed on, as far as it was wanted.
struct Passed {
    content: Vec<u8>,
    is_whole: bool,
}

/// Bytes that have arrived, and where more come from.
struct Inflow<R> {
    from: R,
    buffer: Vec<u8>,
}

impl<R: Read> Inflow<R> {
    fn new(from: R) -> Inflow<R> {
        Inflow { from, buffer: Vec::new() }
    }

    /// Waits for more bytes. None follow at the end.
    fn more(&mut self) -> io::Result<usize> {
        let mut piece = [0; 16 << 10];
        let count = self.from.read(&mut piece)?;
        self.buffer.extend_from_slice(&piece[..count]);
        Ok(count)
    }

    /// The bytes of the next head. None where nothing follows.
    fn head(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            match head_length(&self.buffer).map_err(io_error)? {
                Some(length) => return Ok(Some(self.buffer.drain(..length).collect())),
                None if self.more()? == 0 => return Ok(None),
                None => {}
            }
        }
    }

    /// Passes a body on, and gives so many bytes of its content.
    fn body(&mut self, mut body: Body, to: &mut impl Write, most: usize) -> io::Result<Passed> {
        let mut passed = Passed { content: Vec::new(), is_whole: true };
        loop {
            let taken = body
                .take(&self.buffer, |bytes| {
                    let wanted = &bytes[..bytes.len().min(most - passed.content.len())];
                    passed.is_whole &= wanted.len() == bytes.len();
                    passed.content.extend_from_slice(wanted);
                })
                .map_err(io_error)?;
            to.write_all(&self.buffer[..taken])?;
            self.buffer.drain(..taken);
            if body.is_over() {
                return Ok(passed);
            }
            if self.more()? == 0 {
                return match body {
                    Body::UntilEnd => Ok(passed),
                    _ => Err(io::ErrorKind::UnexpectedEof.into()),
                };
            }
        }
    }

    /// Passes on everything that follows, and reads along.
    fn rest(&mut self, to: &mut impl Write, is_sent: bool, track: Option<&Track>) -> io::Result<()> {
        let mut frames = track.map(|track| (track, Frames::default()));
        loop {
            // Recorded first: what others hear because of it comes later on the tape, too.
            if let Some((track, reading)) = &mut frames {
                for message in reading.push(&self.buffer) {
                    track.say(track.now(), is_sent, message);
                }
                if reading.is_lost() {
                    track.cut();
                    frames = None;
                }
            }
            to.write_all(&self.buffer)?;
            self.buffer.clear();
            if self.more()? == 0 {
                return Ok(());
            }
        }
    }
}

fn io_error(broken: Broken) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, broken.0)
}

/// Passes on what a browser asks for; another thread passes on what it gets.
fn serve(mut browser: TcpStream, number: u64, shared: &Arc<Shared>) -> io::Result<()> {
    browser.set_nodelay(true)?;
    let mut asking = Inflow::new(browser.try_clone()?);
    // Browsers open connections that they never use.
    if asking.more()? == 0 {
        return Ok(());
    }
    let mut upstream = match Upstream::connect(&shared.target) {
        Ok(upstream) => upstream,
        Err(error) => {
            let why = format!("failed to connect to {}: {error}", shared.target.origin());
            refuse(&mut browser, "502 Bad Gateway", &why);
            lock(&shared.trouble).get_or_insert(why);
            return Ok(());
        }
    };
    match lock(&shared.open).get_mut(&number) {
        Some(sockets) => sockets.push(upstream.socket()?),
        // The recorder has ended meanwhile.
        None => return Ok(()),
    }
    let (asked, asked_before) = channel();
    let (settled, upgraded) = channel();
    let (answering, back) = (upstream.for_another()?, browser.try_clone()?);
    let tape = shared.tape.clone();
    let answers = thread::Builder::new().name("record".into()).stack_size(256 << 10).spawn(move || {
        let mut answering = Inflow::new(answering);
        let _ = answer(&mut answering, &back, &asked_before, &settled, &tape);
        answering.from.end();
        let _ = back.shutdown(Shutdown::Both);
    })?;
    let done = ask(&mut asking, &mut upstream, shared, &asked, &upgraded);
    if let Err(error) = &done
        && error.kind() == io::ErrorKind::InvalidData
    {
        refuse(&mut browser, "400 Bad Request", &format!("the request cannot be passed on: {error}"));
    }
    upstream.end();
    let _ = browser.shutdown(Shutdown::Both);
    let _ = answers.join();
    done
}

fn refuse(browser: &mut TcpStream, status: &str, why: &str) {
    let text = format!("sockrates record: {why}\n");
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        text.len()
    );
    let _ = browser.write_all(format!("{head}{text}").as_bytes());
}

/// Passes on requests, one after another, until the browser is gone.
fn ask(
    browser: &mut Inflow<TcpStream>,
    upstream: &mut Upstream,
    shared: &Shared,
    asked: &Sender<Asked>,
    upgraded: &Receiver<bool>,
) -> io::Result<()> {
    while let Some(bytes) = browser.head()? {
        let head = Head::of_request(&bytes).map_err(io_error)?;
        let body = head.body_of_request().map_err(io_error)?;
        let application = shared.target.origin();
        let own = head.header("host").map(|host| format!("http://{host}"));
        let names = Names { proxy: own.unwrap_or_else(|| application.clone()), application };
        ["cookie", "authorization"]
            .iter()
            .flat_map(|name| head.all(name))
            .for_each(|value| shared.tape.hide(value));
        let url = format!("{}{}", names.application, head.target);
        let at = shared.tape.now();
        let (told, body_of_page) = channel();
        let is_page = !head.is_of_engine_io();
        let track = if is_page { None } else { shared.tape.track(&url, head.headers()) };
        let of = match is_page {
            true => Of::Page(Box::new(page(&head, &names, url, at)), body_of_page),
            false => Of::Session(track.clone()),
        };
        let wants_upgrade = head.wants_upgrade();
        if head.expects_to_continue() {
            browser.from.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let written = head.to_application(&names, &shared.target.headers);
        let method = head.method.clone();
        // Whoever reads the answer has to know the question.
        let _ = asked.send(Asked { method, names, wants_upgrade, of });
        upstream.write_all(&written)?;
        let has_body = !body.is_over();
        let most = match &track {
            Some(_) => LARGEST_BODY,
            None if is_page => LONGEST_SENT + 1,
            None => 0,
        };
        let Passed { content, is_whole } = browser.body(body, upstream, most)?;
        match &track {
            Some(track) if is_whole && has_body => track.say(at, true, Content::Body(content)),
            Some(track) if !is_whole => track.cut(),
            Some(_) => {}
            None => drop(told.send(content)),
        }
        if wants_upgrade {
            match upgraded.recv() {
                Ok(true) => return browser.rest(upstream, true, track.as_ref()),
                Ok(false) => {}
                Err(_) => return Ok(()),
            }
        }
    }
    Ok(())
}

/// A request of a page, before its body and its answer are known.
fn page(head: &Head, names: &Names, url: String, at: f64) -> Request {
    let mut headers = owned(head);
    let places = headers
        .iter_mut()
        .filter(|(name, _)| ["origin", "referer"].iter().any(|known| known.eq_ignore_ascii_case(name)));
    // As the application is told it: the recording knows nothing of the proxy.
    places.for_each(|(_, value)| {
        *value =
            String::from_utf8_lossy(&moved(value.as_bytes(), &names.proxy, &names.application)).into_owned();
    });
    Request { at, method: head.method.clone(), url, headers, ..Request::default() }
}

fn owned(head: &Head) -> Vec<(String, String)> {
    head.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Passes on responses, one after another, until the application has no more.
fn answer(
    application: &mut Inflow<Upstream>,
    mut browser: &TcpStream,
    asked: &Receiver<Asked>,
    settled: &Sender<bool>,
    tape: &Tape,
) -> io::Result<()> {
    while let Some(bytes) = application.head()? {
        let head = Head::of_response(&bytes).map_err(io_error)?;
        // An answer to nothing, such as 408, is passed on as it is.
        let Ok(question) = asked.try_recv() else {
            browser.write_all(&bytes)?;
            return application.rest(&mut browser, false, None);
        };
        head.all("set-cookie").for_each(|cookie| tape.hide(cookie.split(';').next().unwrap_or_default()));
        let mut head = head;
        browser.write_all(&head.to_browser(&question.names))?;
        // Responses on the way to the last one, such as 103.
        while head.status < 200 && head.status != 101 {
            let Some(bytes) = application.head()? else { return Ok(()) };
            head = Head::of_response(&bytes).map_err(io_error)?;
            browser.write_all(&head.to_browser(&question.names))?;
        }
        if question.wants_upgrade {
            let is_upgraded = head.status == 101;
            let _ = settled.send(is_upgraded);
            if is_upgraded {
                let track = if let Of::Session(track) = &question.of { track.as_ref() } else { None };
                return application.rest(&mut browser, false, track);
            }
        }
        let body = head.body_of_response(&question.method).map_err(io_error)?;
        let is_last = body == Body::UntilEnd;
        match question.of {
            Of::Session(track) => {
                let Passed { content, is_whole } = application.body(body, &mut browser, LARGEST_BODY)?;
                match track.filter(|_| head.status == 200) {
                    Some(track) if !is_whole => track.cut(),
                    Some(track) if !content.is_empty() => {
                        track.say(track.now(), false, Content::Body(content))
                    }
                    _ => {}
                }
            }
            Of::Page(mut request, sent) => {
                // Before the browser has all of it, and asks for what follows from it.
                let at = tape.now();
                let Passed { content, .. } = application.body(body, &mut browser, LONGEST_ANSWER)?;
                request.body = sent.recv().unwrap_or_default();
                request.answer = Answer { at, status: head.status, headers: owned(&head), body: content };
                tape.visit(*request);
            }
        }
        if is_last {
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
