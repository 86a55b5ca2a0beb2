//! `t:sockets`: what is done to all sockets of a target at once, on every node.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::target::{Target, one_or_more};
use crate::faults::Fault;
use crate::reason::Reason;
use crate::socket::ack::Ack;
use crate::socket::args::{Arg, Args};
use crate::socket::elsewhere::Reply;
use crate::socket::rooms::Selection;
use crate::socket::socket::{Broadcast, Socket};
use crate::socket::told::{Scope, Told};

/// How long the other nodes may take to list their sockets: that of the official adapters. Then nobody is answered.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs the command; `None` when its arguments make no sense.
pub(super) fn run(socket: &Rc<Socket>, target: &Arg<'_>, what: &str, how: &Arg<'_>, ack: Ack) -> Option<()> {
    let Broadcast { mut selection, local, .. } = Target::parse(target)?.by_server().broadcast(socket);
    let (namespace, scope) = (socket.namespace.name.to_string(), Scope::of(&selection));
    let tell = |told: Told| {
        if !local {
            socket.io.elsewhere.tell(&Args::new(), || told);
        }
    };
    if socket.has(Fault::SocketsFilterIgnored) {
        selection = Selection::default();
    }
    let mut chosen = socket.namespace.members(&selection);
    match what {
        "join" => {
            let rooms = one_or_more(how)?;
            if socket.has(Fault::SocketsJoinFirstOnly) {
                chosen.truncate(1);
            }
            chosen.iter().for_each(|socket| socket.join(&rooms));
            tell(Told::Move { namespace, scope, enter: true, rooms });
        }
        "leave" => {
            let rooms = one_or_more(how)?;
            if socket.has(Fault::SocketsLeaveAskerOnly) {
                chosen.retain(|member| member.key == socket.key);
            }
            chosen.iter().for_each(|socket| rooms.iter().for_each(|name| socket.leave_room(name)));
            tell(Told::Move { namespace, scope, enter: false, rooms });
        }
        "disconnect" => {
            let close = how.parse().unwrap_or(false) || socket.has(Fault::SocketsDisconnectCloses);
            let close = close && !socket.has(Fault::SocketsDisconnectKeepsConnection);
            tell(Told::PutOut { namespace, scope, close });
            let reason = Reason::ServerNamespaceDisconnect;
            for socket in &chosen {
                match socket.has(Fault::SocketsDisconnectSilent) {
                    true => socket.leave(reason),
                    false => socket.disconnect(close, reason),
                }
            }
        }
        "list" => {
            let most = match () {
                () if socket.has(Fault::SocketsListEmpty) => 0,
                () if socket.has(Fault::SocketsListFirstOnly) => 1,
                () => usize::MAX,
            };
            let ids = chosen.iter().take(most).map(|socket| socket.id.to_string()).collect();
            List::start(socket, ids, (!local).then_some(scope), ack);
            return Some(());
        }
        _ => return None,
    }
    ack.send(&Args::new());
    Some(())
}

/// The sockets of all nodes, as they become known.
struct List {
    ids: Vec<String>,
    /// How many nodes have not listed theirs.
    missing: usize,
    ack: Ack,
}

impl List {
    fn start(socket: &Rc<Socket>, ids: Vec<String>, elsewhere: Option<Scope>, ack: Ack) {
        let list = Rc::new(RefCell::new(List { ids, missing: 0, ack }));
        let replies = list.clone();
        let namespace = socket.namespace.name.to_string();
        let asked = elsewhere.and_then(|scope| {
            let what = |request| Told::List { namespace, scope, request };
            let handle = move |reply| replies.borrow_mut().handle(reply);
            socket.io.elsewhere.ask(&Args::new(), what, handle)
        });
        let Some(question) = asked.filter(|_| !socket.has(Fault::ListMissesElsewhere)) else {
            return list.borrow().answer();
        };
        list.borrow_mut().missing = question.nodes;
        let io = socket.io.clone();
        socket.shared.after(PATIENCE, move || io.elsewhere.forget(question));
    }

    fn answer(&self) {
        self.ack.send(&Args::new().with(&self.ids));
    }

    fn handle(&mut self, reply: Reply) {
        if let Reply::Ids(ids) = reply {
            self.ids.extend(ids);
        }
        self.missing = self.missing.saturating_sub(1);
        if self.missing == 0 {
            self.answer();
        }
    }
}
