//! One connection of the bus: frames that wait to be written, frames as they are read.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;

use super::frame::Frame;

/// So much may wait for one connection. A slower one is cut.
const MOST_BYTES: usize = 64 << 20;
/// Small frames go out together, up to this size.
const CHUNK: usize = 64 << 10;

/// The writing end. It can be cut from anywhere.
pub(crate) struct Pipe {
    queue: RefCell<VecDeque<Bytes>>,
    bytes: Cell<usize>,
    writing: Cell<bool>,
    cut: Cell<bool>,
    more: Notify,
    ended: Notify,
}

/// The reading end.
pub(crate) struct Reader {
    half: OwnedReadHalf,
    buffer: BytesMut,
}

/// Both ends of a connection. The caller has to run [`Pipe::write`].
pub(crate) fn open(stream: TcpStream) -> (Rc<Pipe>, Reader, OwnedWriteHalf) {
    let _ = stream.set_nodelay(true);
    let (read, write) = stream.into_split();
    let pipe = Pipe {
        queue: RefCell::default(),
        bytes: Cell::new(0),
        writing: Cell::new(false),
        cut: Cell::new(false),
        more: Notify::new(),
        ended: Notify::new(),
    };
    (Rc::new(pipe), Reader { half: read, buffer: BytesMut::new() }, write)
}

impl Pipe {
    /// Queues an encoded frame; who is too slow for it is cut.
    pub(crate) fn push(&self, frame: Bytes) {
        if self.cut.get() {
            return;
        }
        let bytes = self.bytes.get() + frame.len();
        if bytes > MOST_BYTES {
            return self.cut();
        }
        self.bytes.set(bytes);
        self.queue.borrow_mut().push_back(frame);
        self.more.notify_one();
    }

    /// Ends the connection; what waits is lost.
    pub(crate) fn cut(&self) {
        self.cut.set(true);
        self.queue.borrow_mut().clear();
        self.bytes.set(0);
        self.more.notify_one();
        self.ended.notify_waiters();
    }

    /// Waits until it has been cut.
    pub(crate) async fn until_cut(&self) {
        while !self.cut.get() {
            self.ended.notified().await;
        }
    }

    /// Whether nothing waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.bytes.get() == 0 && !self.writing.get()
    }

    /// Writes until it is cut or the other end is gone.
    pub(crate) async fn write(self: Rc<Self>, mut half: OwnedWriteHalf) {
        while !self.cut.get() {
            let Some(chunk) = self.take() else {
                self.more.notified().await;
                continue;
            };
            self.writing.set(true);
            let written = tokio::select! {
                written = half.write_all(&chunk) => written,
                () = self.until_cut() => return,
            };
            self.writing.set(false);
            if written.is_err() {
                return self.cut();
            }
        }
    }

    fn take(&self) -> Option<Bytes> {
        let mut queue = self.queue.borrow_mut();
        let first = queue.pop_front()?;
        let mut taken = first.len();
        let next_fits = |queue: &VecDeque<Bytes>, taken: usize| {
            queue.front().is_some_and(|next| taken + next.len() <= CHUNK)
        };
        let chunk = if next_fits(&queue, taken) {
            let mut chunk = BytesMut::from(&first[..]);
            while next_fits(&queue, taken) {
                let Some(next) = queue.pop_front() else { break };
                taken += next.len();
                chunk.extend_from_slice(&next);
            }
            chunk.freeze()
        } else {
            first
        };
        self.bytes.set(self.bytes.get() - taken);
        Some(chunk)
    }
}

impl Reader {
    /// The next frame; `None` where the other end is gone. Nothing is lost when the wait is given up.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            match Frame::take(&mut self.buffer) {
                Ok(Some(frame)) => return Ok(Some(frame)),
                Ok(None) => {}
                Err(_) => return Err(io::ErrorKind::InvalidData.into()),
            }
            self.buffer.reserve(16 << 10);
            if self.half.read_buf(&mut self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }
}
