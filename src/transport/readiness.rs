//! Which sockets are ready, and waking up on time.
//!
//! `mio`'s own wait counts in milliseconds, which would be half a millisecond of lag on every paced action. Linux
//! (5.11 and newer) waits on the same queue to the nanosecond; elsewhere milliseconds have to do. The feature `portable`
//! chooses the latter on Linux, too, to test it.

use std::io;
use std::time::Duration;

use mio::{Events, Poll, Registry, Token};

/// How many sockets are reported at once.
const AT_ONCE: usize = 256;

/// The readiness queue of one worker.
pub(super) struct Readiness {
    poll: Poll,
    events: Events,
    #[cfg(all(target_os = "linux", not(feature = "portable")))]
    precise: bool,
}

impl Readiness {
    pub(super) fn new() -> io::Result<Readiness> {
        Ok(Readiness {
            poll: Poll::new()?,
            events: Events::with_capacity(AT_ONCE),
            #[cfg(all(target_os = "linux", not(feature = "portable")))]
            precise: true,
        })
    }

    pub(super) fn registry(&self) -> &Registry {
        self.poll.registry()
    }

    /// Waits at most so long and tells the tokens that are ready, and whether the peer sends nothing more.
    pub(super) fn wait(&mut self, patience: Duration, mut tell: impl FnMut(Token, bool)) -> io::Result<()> {
        #[cfg(all(target_os = "linux", not(feature = "portable")))]
        if self.wait_precisely(patience, &mut tell)? {
            return Ok(());
        }
        match self.poll.poll(&mut self.events, Some(patience)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            outcome => outcome?,
        }
        self.events.iter().for_each(|event| tell(event.token(), event.is_read_closed()));
        Ok(())
    }

    /// The same to the nanosecond. `false` where the kernel is too old, for good.
    #[cfg(all(target_os = "linux", not(feature = "portable")))]
    fn wait_precisely(&mut self, patience: Duration, tell: &mut impl FnMut(Token, bool)) -> io::Result<bool> {
        use std::mem::MaybeUninit;

        use rustix::event::{Timespec, epoll};
        use rustix::io::Errno;

        if !self.precise {
            return Ok(false);
        }
        let patience = Timespec {
            tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: patience.subsec_nanos().into(),
        };
        let mut events = [const { MaybeUninit::uninit() }; AT_ONCE];
        match epoll::wait(self.poll.registry(), &mut events[..], Some(&patience)) {
            Ok((events, _)) => {
                // The queue's data are mio's tokens.
                for event in events.iter() {
                    let (flags, data) = (event.flags, event.data);
                    let ending = flags.intersects(epoll::EventFlags::RDHUP | epoll::EventFlags::HUP);
                    tell(Token(data.u64() as usize), ending);
                }
                Ok(true)
            }
            Err(Errno::INTR) => Ok(true),
            Err(Errno::NOSYS) => {
                self.precise = false;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}
