//! What is wrong with a packet that can be taken all the same, and with what a server says that only several clients together show.

use super::{Client, Io};
use crate::protocol::dialect::{Packet4, Parser, Pings};
use crate::protocol::engine_io::{self, Packet};
use crate::protocol::{Rule, Violation, excerpt, socket_io};
use crate::session::Lost;
use crate::step::{Flow, NOWHERE};

/// Whether a packet answers the CONNECT to the namespace that only our fence asks for.
pub(super) fn is_of_fence(packet: &str) -> bool {
    let answered = packet.strip_prefix('4').or_else(|| packet.strip_prefix('0'));
    answered.is_some_and(|rest| rest.split(',').next() == Some(NOWHERE))
}

impl Client<'_> {
    /// What is wrong with the spelling of a packet whose meaning is plain.
    pub(super) fn flaw(&self, packet: &Packet<'_>) -> Option<Violation> {
        let dialect = self.actor.session.dialect();
        match packet {
            Packet::Text(text) if self.actor.session.parser() == Parser::Default => {
                let is_object_due = dialect.packet_4 == Packet4::ConnectError;
                // Who is refused where nobody is let in asked for the sake of a fence, and nobody but us.
                let is_theirs = || is_object_due && !is_of_fence(text);
                let refusal = || socket_io::check_refusal(text).filter(|_| is_theirs());
                socket_io::check_main(text).or_else(refusal)
            }
            Packet::Ping(_) | Packet::Noop(_) if dialect.pings == Pings::Server => {
                engine_io::check_bare(packet)
            }
            _ => None,
        }
    }

    /// Something is wrong with the head of an answer, which can be taken all the same.
    pub fn handle_flaw(&mut self, io: &mut Io<'_>, flaw: &Violation) -> Flow {
        self.accuse(io, flaw);
        self.flow()
    }

    /// A request of a step's own was not answered, perhaps because the answer is none.
    pub(super) fn unreadable(&mut self, io: &mut Io<'_>, lost: &Lost) {
        let Lost::Violated(violation) = lost else { return };
        self.harmed(violation.rule);
        // A connection may well end within an answer where a step is rude.
        if violation.rule != Rule::HttpTruncated {
            self.accuse(io, violation);
        }
    }

    /// Looks whether the id that a client was given is that of another one.
    pub(super) fn compare_id(&mut self, io: &mut Io<'_>, name: &str) {
        let Some(given) = &self.actor.context.given else { return };
        let Some(namespace) = self.actor.session.namespace(name) else { return };
        let pid = namespace.pid.as_deref();
        if given.take(&namespace.name, &namespace.sid, pid, self.actor.who) {
            let detail = format!("another client has the sid {}, too", excerpt(&namespace.sid));
            let violation = Violation { rule: Rule::SidTaken, detail };
            self.harmed(violation.rule);
            self.accuse(io, &violation);
        }
    }

    /// Its ids are nobody's any more.
    pub(super) fn release_ids(&self, namespace: Option<&str>) {
        if let Some(given) = &self.actor.context.given {
            given.release(self.actor.who, namespace);
        }
    }
}
