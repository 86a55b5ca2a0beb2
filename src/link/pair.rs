//! A connection through a link: the socket of who connected, that to the target, and the bytes of both directions.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use mio::net::TcpStream;
use socket2::SockRef;

use super::flow::{Condition, Flow};

/// How often each direction is served before others have their turn.
const TURNS: usize = 16;

/// What became of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It goes on. Some time later something may pass, and there may be more to do at once.
    Open { next: Option<Duration>, has_more: bool },
    /// Both sides have ended it.
    Over,
    /// One side has broken it.
    Broken,
}

/// One of its sockets.
#[derive(Debug)]
struct End {
    socket: TcpStream,
    is_readable: bool,
    is_writable: bool,
    /// Whether its stream has ended.
    has_ended: bool,
    /// Whether it was told that the other's has.
    is_told: bool,
}

/// See the module's head. The first end is who connected, and the first flow leads from there to the target.
#[derive(Debug)]
pub(super) struct Pair {
    ends: [End; 2],
    flows: [Flow; 2],
    is_connecting: bool,
}

impl Pair {
    pub(super) fn new(from: TcpStream, target: TcpStream) -> Pair {
        let end =
            |socket| End { socket, is_readable: true, is_writable: true, has_ended: false, is_told: false };
        Pair { ends: [end(from), end(target)], flows: Default::default(), is_connecting: true }
    }

    /// The sockets, to be registered.
    pub(super) fn sockets(&mut self) -> [&mut TcpStream; 2] {
        let [one, other] = &mut self.ends;
        [&mut one.socket, &mut other.socket]
    }

    /// The system says that this end is ready.
    pub(super) fn note(&mut self, end: usize, is_readable: bool, is_writable: bool) {
        self.ends[end].is_readable |= is_readable;
        self.ends[end].is_writable |= is_writable;
    }

    /// How many bytes it holds.
    pub(super) fn held(&self) -> usize {
        self.flows.iter().map(Flow::held).sum()
    }

    /// What was asked of the link has changed.
    pub(super) fn hurry(&mut self, now: Duration) {
        self.flows.iter_mut().for_each(|flow| flow.hurry(now));
    }

    /// Ends both sides without a word.
    pub(super) fn reset(self) {
        self.ends.iter().for_each(|end| reset(&end.socket));
    }

    /// Passes what may pass. `may_read` says whether there is memory for more.
    pub(super) fn serve(
        &mut self,
        now: Duration,
        conditions: [Condition; 2],
        buffer: &mut [u8],
        may_read: bool,
    ) -> State {
        match self.try_to_serve(now, conditions, buffer, may_read) {
            Ok(state) => state,
            Err(_) => State::Broken,
        }
    }

    fn try_to_serve(
        &mut self,
        now: Duration,
        conditions: [Condition; 2],
        buffer: &mut [u8],
        may_read: bool,
    ) -> io::Result<State> {
        if self.is_connecting && !self.has_connected()? {
            return Ok(State::Open { next: None, has_more: false });
        }
        let (mut next, mut has_more) = (None, false);
        for (way, condition) in conditions.into_iter().enumerate().filter(|(_, of)| !of.is_stopped) {
            let [one, other] = &mut self.ends;
            let (from, to) = if way == 0 { (one, other) } else { (other, one) };
            let flow = &mut self.flows[way];
            let mut turns = 0;
            while pass(from, to, flow, now, condition, buffer, may_read)? {
                turns += 1;
                if turns == TURNS {
                    has_more = true;
                    break;
                }
            }
            let due = flow.next().filter(|_| !to.is_told).filter(|at| *at > now);
            next = [next, due].into_iter().flatten().min();
        }
        match self.ends.iter().all(|end| end.is_told) {
            true => Ok(State::Over),
            false => Ok(State::Open { next, has_more }),
        }
    }

    /// Whether the target has answered.
    fn has_connected(&mut self) -> io::Result<bool> {
        let target = &self.ends[1].socket;
        if let Some(error) = target.take_error()? {
            return Err(error);
        }
        match target.peer_addr() {
            Ok(_) => {
                self.is_connecting = false;
                // Small packets of a conversation do not wait for each other here.
                self.ends.iter().try_for_each(|end| end.socket.set_nodelay(true))?;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Passes some bytes one way. Says whether there may be more.
fn pass(
    from: &mut End,
    to: &mut End,
    flow: &mut Flow,
    now: Duration,
    condition: Condition,
    buffer: &mut [u8],
    may_read: bool,
) -> io::Result<bool> {
    let mut has_moved = false;
    let due = flow.due(now);
    if !due.is_empty() && to.is_writable {
        match to.socket.write(due) {
            Ok(count) => {
                flow.passed(count);
                has_moved = true;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => to.is_writable = false,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => has_moved = true,
            Err(error) => return Err(error),
        }
    }
    if flow.is_over(now) && !to.is_told {
        to.is_told = true;
        // Who has gone already needs no word.
        let _ = to.socket.shutdown(Shutdown::Write);
    }
    let room = flow.room(condition).min(buffer.len());
    if from.is_readable && !from.has_ended && may_read && room > 0 {
        match from.socket.read(&mut buffer[..room]) {
            Ok(0) => {
                from.has_ended = true;
                flow.end(now, condition);
                has_moved = true;
            }
            Ok(count) => {
                flow.take(&buffer[..count], now, condition, fastrand::f64().mul_add(2.0, -1.0));
                has_moved = true;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => from.is_readable = false,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => has_moved = true,
            Err(error) => return Err(error),
        }
    }
    Ok(has_moved)
}

/// Lets a connection end by RST when its socket is closed.
pub(super) fn reset(socket: &TcpStream) {
    // One that has ended already needs no reset.
    let _ = SockRef::from(socket).set_linger(Some(Duration::ZERO));
}
