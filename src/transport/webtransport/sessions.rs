//! The sessions of one worker: what is sent on them, and what arrives.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use mio::{Interest, Token};
use quinn_proto::ClientConfig;

use super::super::connection::MAX_QUEUE;
use super::super::{Connections, Notice, Reader, RemoteConfig};
use super::FIRST;
use super::quic::{Happened, Quic};
use super::trust;
use crate::protocol::http3;
use crate::session::{Channel, HangUp, Lost};

/// After so long without an answer to QUIC, nobody is there.
const LONG: Duration = Duration::from_secs(1);

/// The sessions of a worker, by client.
#[derive(Debug, Default)]
pub(in crate::transport) struct Sessions {
    all: HashMap<u32, Box<Quic>, foldhash::fast::RandomState>,
    /// How QUIC is spoken with each node.
    configs: HashMap<u16, ClientConfig>,
    /// Those with something to send.
    dirty: Vec<u32>,
    /// When clients have to be called, which nobody was told yet.
    alarms: VecDeque<(u32, Instant)>,
    serial: u64,
}

impl Sessions {
    fn get(&mut self, client: u32, serial: u64) -> Option<&mut Quic> {
        self.all.get_mut(&client).map(|session| &mut **session).filter(|session| session.serial == serial)
    }

    fn mark(&mut self, client: u32) {
        if let Some(session) = self.all.get_mut(&client)
            && !std::mem::replace(&mut session.dirty, true)
        {
            self.dirty.push(client);
        }
    }

    /// How QUIC is spoken with a node.
    fn config(&mut self, node: u16, peer: &RemoteConfig) -> Result<(ClientConfig, String), Lost> {
        let Some((tls, name)) = &peer.tls else {
            return Err(Lost::Unreachable("WebTransport is for https:// alone".to_owned()));
        };
        let config = match self.configs.get(&node) {
            Some(config) => config.clone(),
            None => self.configs.entry(node).or_insert(trust::config(tls)?).clone(),
        };
        Ok((config, name.to_str().into_owned()))
    }
}

impl Connections {
    /// Opens a session with this path and query.
    pub(in crate::transport) fn open_session(
        &mut self,
        client: u32,
        target: &str,
        headers: &[(String, String)],
    ) {
        self.end_session(client, HangUp::Cut);
        if let Err(lost) = self.begin_session(client, target, headers) {
            self.count_lost(&lost);
            self.notices.push_back((client, Notice::Lost(Channel::WebTransport, lost)));
        }
    }

    fn begin_session(&mut self, client: u32, target: &str, headers: &[(String, String)]) -> Result<(), Lost> {
        let node = self.nodes[client as usize];
        let peer = &self.peers[usize::from(node)];
        let (config, name) = self.sessions.config(node, peer)?;
        let request = http3::request(&peer.authority, target, headers)
            .map_err(|failed| Lost::Broken(format!("failed to {failed}")))?;
        let now = self.network.now();
        self.sessions.serial += 1;
        let most = usize::try_from(peer.limit).map_or(MAX_QUEUE, |limit| limit.min(MAX_QUEUE));
        let mut session = Quic::open(peer, config, &name, request, self.sessions.serial, now, most)?;
        self.network
            .watch_datagrams(
                session.socket(),
                Token(FIRST + client as usize),
                Interest::READABLE | Interest::WRITABLE,
            )
            .map_err(|error| Lost::Unreachable(error.to_string()))?;
        self.sessions.all.insert(client, Box::new(session));
        self.sessions.mark(client);
        Ok(())
    }

    /// Puts a packet behind what is queued.
    pub(in crate::transport) fn say_packet(
        &mut self,
        client: u32,
        is_binary: bool,
        parts: &[impl AsRef<[u8]>],
    ) {
        if let Some(session) = self.sessions.all.get_mut(&client) {
            session.say(is_binary, parts);
            self.sessions.mark(client);
        }
    }

    /// Ends a session: behind what is queued, or at once.
    pub(in crate::transport) fn end_session(&mut self, client: u32, how: HangUp) {
        let now = self.network.now();
        let Some(session) = self.sessions.all.get_mut(&client) else { return };
        let is_long = |since: Instant| now.saturating_duration_since(since) >= LONG;
        self.unreached += u64::from(session.waits_since().is_some_and(is_long));
        if how == HangUp::Clean && session.is_open() {
            session.say_goodbye();
            return self.sessions.mark(client);
        }
        self.drop_session(client, how == HangUp::Cut);
    }

    fn drop_session(&mut self, client: u32, is_cut: bool) {
        if let Some(mut session) = self.sessions.all.remove(&client) {
            session.close(self.network.now(), is_cut);
        }
    }

    /// Stops or resumes reading its stream, so that the server feels a slow consumer.
    pub(in crate::transport) fn pause_session(&mut self, client: u32, paused: bool) {
        if let Some(session) = self.sessions.all.get_mut(&client) {
            session.paused = paused;
            if !paused {
                self.unread.push(FIRST + client as usize);
            }
        }
    }

    /// Sends what waits to be sent.
    pub(in crate::transport) fn flush_sessions(&mut self) {
        while let Some(client) = self.sessions.dirty.pop() {
            if let Some(session) = self.sessions.all.get_mut(&client) {
                session.dirty = false;
                self.transmit(client);
            }
        }
    }

    fn transmit(&mut self, client: u32) {
        let now = self.network.now();
        let Some(session) = self.sessions.all.get_mut(&client) else { return };
        self.written += session.transmit(now);
        if session.has_ended() {
            self.unread.push(FIRST + client as usize);
        }
        if let Some(time) = session.poll_timeout()
            && session.alarm.is_none_or(|alarm| time < alarm)
        {
            session.alarm = Some(time);
            self.sessions.alarms.push_back((client, time));
        }
    }

    /// Reads a session whose socket is ready, and tells what came.
    pub(in crate::transport) fn handle_session(
        &mut self,
        place: usize,
        now: Instant,
        reader: &mut dyn Reader,
    ) {
        let client = (place - FIRST) as u32;
        let Some(session) = self.sessions.all.get_mut(&client) else { return };
        let (read, more) = session.receive(now, &mut self.buffer);
        self.read += read;
        if more {
            self.unread.push(place);
        }
        self.serve(client, now, reader);
    }

    /// The time has come that the session of a client awaits, or another of the client's.
    pub fn handle_timeout(&mut self, client: u32, now: Instant, reader: &mut dyn Reader) {
        let Some(session) = self.sessions.all.get_mut(&client) else { return };
        session.alarm = None;
        session.handle_timeout(now);
        self.serve(client, now, reader);
    }

    /// The next time at which a client has to be called for its session. Each is told once.
    pub fn poll_alarm(&mut self) -> Option<(u32, Instant)> {
        self.sessions.alarms.pop_front()
    }

    /// Tells what happened in a session, and sends what that leads to.
    fn serve(&mut self, client: u32, now: Instant, reader: &mut dyn Reader) {
        let Some(serial) = self.sessions.all.get(&client).map(|session| session.serial) else { return };
        while let Some(happened) = self.sessions.get(client, serial).and_then(|session| session.poll(now)) {
            match happened {
                Happened::Established(phases) => {
                    reader.handle_notice(self, client, Notice::Established(Channel::WebTransport, phases));
                }
                Happened::Bytes(bytes) => {
                    let mut rest = &bytes[..];
                    while let Some(session) = self.sessions.get(client, serial) {
                        match session.decoder.read(&mut rest) {
                            Ok(Some(message)) => reader.handle_message(self, client, message),
                            Ok(None) => break,
                            Err(violation) => {
                                return self.lose_session(client, Lost::Violated(violation), reader);
                            }
                        }
                    }
                }
                Happened::Lost(lost) => return self.lose_session(client, lost, reader),
            }
        }
        if self.sessions.get(client, serial).is_some() {
            self.transmit(client);
        }
    }

    fn lose_session(&mut self, client: u32, lost: Lost, reader: &mut dyn Reader) {
        self.count_lost(&lost);
        self.drop_session(client, false);
        reader.handle_notice(self, client, Notice::Lost(Channel::WebTransport, lost));
    }
}
