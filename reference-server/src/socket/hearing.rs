//! What a node does with what the others tell it.
//!
//! Rooms are known to the node of their members alone: a broadcast goes to all nodes, and each selects its own sockets. Source:
//! the adapters of the official server (`socket.io-adapter`, `ClusterAdapter`).

use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::ack;
use super::args::Args;
use super::elsewhere::Reply;
use super::recovery::Lost;
use super::rooms::Selection;
use super::socket::{Io, Socket, Space};
use super::told::{self, Mark, Scope, Told};
use crate::bus::frame::NodeId;
use crate::bus::link::{Link, Listener};
use crate::faults::Fault;
use crate::reason::Reason;

/// The longest that clients are asked for an answer, as in the fixture.
const LONGEST_PATIENCE: u64 = 3_600_000;

pub(crate) struct Hearing {
    pub(crate) io: Rc<Io>,
    pub(crate) link: Rc<Link>,
}

impl Listener for Hearing {
    fn handle_message(self: Rc<Self>, from: NodeId, payload: Bytes) {
        if self.io.shared.faults.is_empty() {
            return self.hear(from, payload);
        }
        self.spoil_arrival(from, payload).into_iter().for_each(|payload| self.hear(from, payload));
    }

    /// Whoever comes has to know from where on the events of this node are numbered.
    fn handle_arrival(&self, _: NodeId) {
        for namespace in self.io.namespaces.all() {
            if let Some(mark) = namespace.mark() {
                let namespace = namespace.name.to_string();
                self.io.elsewhere.tell(&Args::new(), || Told::Marked { namespace, mark });
            }
        }
    }

    fn handle_departure(&self, node: NodeId) {
        if !self.spoil_departure(node) {
            self.io.elsewhere.handle_departure(node);
        }
    }
}

impl Hearing {
    pub(crate) fn new(io: &Rc<Io>, link: &Rc<Link>) -> Hearing {
        Hearing { io: io.clone(), link: link.clone() }
    }

    /// Does what a message of another node says.
    pub(crate) fn hear(&self, from: NodeId, payload: Bytes) {
        let Some((told, args)) = told::decode(payload) else { return };
        let me = self.link.me().0;
        let reply = |question, reply| self.io.elsewhere.handle_reply(from, question, reply);
        match told {
            Told::Cast { namespace, scope, sender, volatile, mark } => {
                if let Some(namespace) = self.io.heard_namespace(&namespace) {
                    let scope = scope.selection();
                    self.cast(&namespace, scope, sender.map(Rc::from).as_ref(), volatile, mark, args);
                }
            }
            Told::Ask { namespace, scope, request, patience } => {
                self.ask(from, &namespace, scope, request, patience, args);
            }
            Told::Asked { asker, request, count } if asker == me => reply(request, Reply::Asked(count)),
            Told::Answered { asker, request } if asker == me => {
                if let Some(answer) = args.first() {
                    reply(request, Reply::Answer(answer));
                }
            }
            Told::Listed { asker, request, ids } if asker == me => reply(request, Reply::Ids(ids)),
            Told::Asked { .. } | Told::Answered { .. } | Told::Listed { .. } => {}
            Told::Move { .. } if self.io.shared.has(Fault::JoinElsewhereIgnored) => {}
            Told::PutOut { .. } if self.io.shared.has(Fault::DisconnectElsewhereIgnored) => {}
            Told::Move { namespace, scope, enter, rooms } => {
                for socket in self.selected(&namespace, scope) {
                    match enter {
                        true => socket.join(&rooms),
                        false => rooms.iter().for_each(|room| socket.leave_room(room)),
                    }
                }
            }
            Told::PutOut { namespace, scope, close } => {
                let reason = Reason::ServerNamespaceDisconnect;
                self.selected(&namespace, scope).iter().for_each(|socket| socket.disconnect(close, reason));
            }
            Told::List { namespace, scope, request } => {
                let ids =
                    self.selected(&namespace, scope).iter().map(|socket| socket.id.to_string()).collect();
                self.io.elsewhere.tell(&Args::new(), || Told::Listed { asker: from.0, request, ids });
            }
            Told::Lost { namespace, pid, sid, rooms } => {
                if let Some(namespace) = self.io.heard_namespace(&namespace) {
                    let rooms = rooms.into_iter().map(Rc::from).collect();
                    let lost = Lost { sid: Rc::from(sid), rooms, at: Instant::now(), elsewhere: true };
                    namespace.keep(&Rc::from(pid), lost);
                }
            }
            Told::Marked { namespace, mark } => {
                let namespace = self.io.heard_namespace(&namespace);
                if let Some(recovery) = namespace.as_ref().and_then(|known| known.recovery.as_ref()) {
                    recovery.borrow_mut().handle_mark(Instant::now(), &mark);
                }
            }
        }
    }

    fn selected(&self, namespace: &str, scope: Scope) -> Vec<Rc<Socket>> {
        let namespace = self.io.namespaces.get(namespace);
        namespace.map(|namespace| namespace.members(&scope.selection())).unwrap_or_default()
    }

    fn cast(
        &self,
        namespace: &Rc<Space>,
        mut scope: Selection,
        sender: Option<&Rc<str>>,
        volatile: bool,
        mark: Option<Mark>,
        args: Args,
    ) {
        if self.spoil_record(namespace) {
            return;
        }
        self.spoil_namespace(namespace, &scope, &args);
        let message = match mark.filter(|_| !volatile) {
            Some(mark) => namespace.encode_marked(&mark, &scope, sender, args),
            None => namespace.encode(None, args),
        };
        self.spoil_scope(&mut scope);
        let rooms = namespace.rooms.borrow();
        rooms.select(&scope, |socket| {
            if !self.is_out_of_reach(socket, &scope) {
                socket.deliver(&message, volatile);
            }
            if self.is_doubled(socket, &scope) {
                socket.deliver(&message, volatile);
            }
        });
        self.leavers(namespace, &scope).iter().for_each(|socket| socket.deliver(&message, volatile));
    }

    /// Asks the clients here and hands on what they answer.
    fn ask(&self, from: NodeId, namespace: &str, scope: Scope, request: u64, patience: u64, args: Args) {
        let receivers = self.selected(namespace, scope);
        let (asker, count) = (from.0, receivers.len());
        let elsewhere = &self.io.elsewhere;
        elsewhere.tell(&Args::new(), || Told::Asked { asker, request, count });
        let patience = Duration::from_millis(patience.min(LONGEST_PATIENCE));
        let io = self.io.clone();
        ack::ask_for_another(receivers, patience, args, move |answer| {
            io.elsewhere.tell(&Args::new().with_all(&[answer]), || Told::Answered { asker, request });
        });
    }
}
