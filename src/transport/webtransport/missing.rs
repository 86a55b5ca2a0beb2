//! Where the program was built without WebTransport. Whoever wants it is told so before anything begins.

use std::time::Instant;

use super::super::{Connections, Notice, Reader};
use crate::session::{Channel, HangUp, Lost};

impl Connections {
    /// Refuses.
    pub(in crate::transport) fn open_session(&mut self, client: u32, _: &str, _: &[(String, String)]) {
        let lost = Lost::Unreachable("this build has no WebTransport".to_owned());
        self.notices.push_back((client, Notice::Lost(Channel::WebTransport, lost)));
    }

    /// There is nothing on which it could be said.
    pub(in crate::transport) fn say_packet(&mut self, _: u32, _: bool, _: &[impl AsRef<[u8]>]) {}

    /// There is nothing to end.
    pub(in crate::transport) fn end_session(&mut self, _: u32, _: HangUp) {}

    /// There is nothing to stop.
    pub(in crate::transport) fn pause_session(&mut self, _: u32, _: bool) {}

    /// There is nothing to send.
    pub(in crate::transport) fn flush_sessions(&mut self) {}

    /// No socket is a session's.
    pub(in crate::transport) fn handle_session(&mut self, _: usize, _: Instant, _: &mut dyn Reader) {}

    /// No time is awaited.
    pub fn handle_timeout(&mut self, _: u32, _: Instant, _: &mut dyn Reader) {}

    /// No time is awaited.
    pub fn poll_alarm(&mut self) -> Option<(u32, Instant)> {
        None
    }
}
