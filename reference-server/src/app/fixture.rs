//! The application: the fixture contract that scenarios are written against.
//!
//! The same events as the Node fixture of the project: `message` and `message-with-ack` of the official test
//! suites, the `t:*` commands for rooms, broadcasts and acknowledgements, and `gone` to the room `watch`. A
//! command whose arguments make no sense is ignored, and so is every event without a handler.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;

use super::bulk;
use super::target::{Target, one_or_more};
use crate::console::{Topic, printable};
use crate::engine::request::EngineTransport;
use crate::faults::{Fault, broadcast, late, reasons};
use crate::reason::Reason;
use crate::socket::ack::{self, Ack};
use crate::socket::args::{Arg, Args};
use crate::socket::decoder::Packet;
use crate::socket::rooms::{Key, Selection};
use crate::socket::socket::{Application, Broadcast, Socket};
use crate::socket::told::Scope;

/// The application.
#[derive(Default)]
pub(crate) struct Fixture {
    /// How many bursts each socket has running.
    bursts: Rc<RefCell<HashMap<Key, usize>>>,
}

impl Application for Fixture {
    fn handle_connection(&self, socket: &Rc<Socket>) {
        let mut args = Args::event("auth");
        args.raw(&socket.auth);
        socket.emit(args);
    }

    /// Watchers are told: sockets of `/` in the room `watch`.
    fn handle_disconnecting(&self, socket: &Rc<Socket>, reason: Reason, rooms: &[Rc<str>]) {
        let Some(main) = socket.io.namespaces.get("/") else { return };
        let selection = Selection { to: vec![Rc::from("watch")], ..Selection::default() };
        let rooms: Vec<&str> = rooms.iter().map(|room| &**room).collect();
        let args = Args::event("gone")
            .with(&*socket.id)
            .with(&*socket.namespace.name)
            .with(reasons::told(socket.shared.faults, reason).as_str())
            .with(&rooms);
        socket.io.broadcast(&main, Broadcast { selection, ..Broadcast::default() }, args);
    }

    fn handle_event(&self, socket: &Rc<Socket>, packet: Packet<'_>) {
        if socket.has(Fault::Freeze) && socket.shared.turns.next(Fault::Freeze) == 0 {
            late::freeze(&socket.shared.timers);
        }
        let ack = Ack::new(socket, packet.id);
        let args = &packet.args[..];
        match &*packet.name {
            "message" => socket.emit(Args::event("message-back").with_all(args)),
            "message-with-ack" => ack.send(&Args::new().with_all(args)),
            "t:burst" => {
                let _ = Burst::start(&self.bursts, socket, args, ack);
            }
            name if name.starts_with("t:") => {
                let _ = command(socket, name, args, ack);
            }
            _ => spoil_unhandled(socket, args, &ack),
        }
    }
}

/// The faults of events that nobody handles.
fn spoil_unhandled(socket: &Rc<Socket>, args: &[Arg<'_>], ack: &Ack) {
    if socket.has(Fault::UnhandledEventAnswered) {
        ack.send(&Args::new());
    }
    if socket.has(Fault::UnhandledBinaryFatal) && args.iter().any(|arg| arg.json().is_none()) {
        socket.connection.session.close(Reason::ForcedClose);
    }
}

/// Runs a `t:*` command; `None` when its arguments make no sense.
fn command(socket: &Rc<Socket>, name: &str, args: &[Arg<'_>], ack: Ack) -> Option<()> {
    match (name, args) {
        ("t:join", [rooms, ..]) => join(socket, rooms, &ack)?,
        ("t:leave", [room, ..]) => leave(socket, room, &ack)?,
        ("t:cast", [target, event, payload, ..]) => {
            let target = Target::parse(target)?;
            let to = target.broadcast(socket);
            let args = event_with(socket, event, payload)?;
            if !target.is_flagged_and_lost(socket) {
                socket.io.broadcast(&socket.namespace, to, args);
            }
            ack.send(&Args::new());
        }
        ("t:cast-ack", [target, ms, event, payload, ..]) => {
            let mut to = Target::parse(target)?.broadcast(socket);
            let elsewhere = (!to.local).then(|| Scope::of(&to.selection));
            broadcast::address(&socket.namespace, &mut to.selection);
            let receivers = socket.namespace.members(&to.selection);
            let args = event_with(socket, event, payload)?;
            ack::ask_all(socket, receivers, elsewhere, millis(ms)?, args, move |timed_out, answers| {
                ack.send(&Args::new().with(&timed_out).with_array(&answers));
            });
        }
        ("t:ask", [ms, event, payload, ..]) => {
            let args = event_with(socket, event, payload)?;
            ack::ask(socket, millis(ms)?, args, move |timed_out, answer| {
                ack.send(&Args::new().with(&timed_out).with_all(&answer));
            });
        }
        ("t:sockets", [target, what, how, ..]) => {
            bulk::run(socket, target, &what.parse::<String>()?, how, ack)?
        }
        ("t:ack-twice", _) => {
            ack.send(&Args::new().with(&1));
            ack.send(&Args::new().with(&2));
        }
        ("t:bye", args) => {
            let close = args.first().and_then(Arg::parse).unwrap_or(false);
            socket.disconnect(close, Reason::ServerNamespaceDisconnect);
        }
        ("t:who", _) => ack.send(&who(socket)),
        _ => return None,
    }
    Some(())
}

fn join(socket: &Rc<Socket>, rooms: &Arg<'_>, ack: &Ack) -> Option<()> {
    let names = one_or_more(rooms)?;
    socket.join(&names);
    tell_rooms(socket, "entered", &names, ack);
    Some(())
}

fn leave(socket: &Rc<Socket>, room: &Arg<'_>, ack: &Ack) -> Option<()> {
    let names = one_or_more(room)?;
    let is_stranger = || !names.iter().all(|name| socket.rooms().iter().any(|room| **room == **name));
    if socket.has(Fault::StrayLeaveUnanswered) && is_stranger() {
        return None;
    }
    names.iter().for_each(|name| socket.leave_room(name));
    tell_rooms(socket, "left", &names, ack);
    Some(())
}

fn tell_rooms(socket: &Rc<Socket>, verb: &str, names: &[String], ack: &Ack) {
    socket.connection.session.say(Topic::Moved, || {
        let names: Vec<String> = names.iter().take(5).map(|name| printable(name, 24)).collect();
        format!("{}  {verb} room {}", socket.label(), names.join(", "))
    });
    if ack.is_wanted() {
        let rooms = socket.rooms();
        ack.send(&Args::new().with(&rooms.iter().map(|room| &**room).collect::<Vec<_>>()));
    }
}

fn millis(arg: &Arg<'_>) -> Option<Duration> {
    let ms = arg.parse::<f64>().filter(|ms| (0.0..=3_600_000.0).contains(ms))?;
    Some(Duration::from_secs_f64(ms / 1000.0))
}

/// The event that a command carries: its name, and its arguments in an array.
fn event_with(socket: &Socket, event: &Arg<'_>, payload: &Arg<'_>) -> Option<Args> {
    let mut payload = payload.elements()?;
    if socket.has(Fault::FirstArgumentOnly) {
        payload.truncate(1);
    }
    Some(Args::new().with_all(std::slice::from_ref(event)).with_all(&payload))
}

fn who(socket: &Rc<Socket>) -> Args {
    let session = &socket.connection.session;
    let handshake = &session.handshake;
    let first = socket.has(Fault::TransportOfHandshake) && handshake.query.contains("polling");
    let transport = if first { EngineTransport::Polling } else { session.transport.get() };
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let mut args = Args::new();
    args.raw(&format!(
        "{{\"id\":{},\"nsp\":{},\"auth\":{},\"query\":{},\"headers\":{},\"recovered\":{},\"transport\":{}{}}}",
        text(&socket.id),
        text(&socket.namespace.name),
        socket.auth,
        if socket.has(Fault::QueryLost) { "{}" } else { &handshake.query },
        if socket.has(Fault::HeadersLost) { "{}" } else { &handshake.headers },
        socket.recovered,
        text(transport.name()),
        socket.io.elsewhere.own_name().map(|name| format!(",\"node\":{}", text(name))).unwrap_or_default(),
    ));
    args
}

/// `t:burst`: `n` 0, 1, 2, … at a steady pace, every second one with a byte attached if so wished.
struct Burst {
    running: Rc<RefCell<HashMap<Key, usize>>>,
    socket: Rc<Socket>,
    count: u64,
    every: Duration,
    binary: bool,
    next: Cell<u64>,
    ack: Ack,
}

impl Burst {
    fn start(
        running: &Rc<RefCell<HashMap<Key, usize>>>,
        socket: &Rc<Socket>,
        args: &[Arg<'_>],
        ack: Ack,
    ) -> Option<()> {
        let [count, ms, binary, ..] = args else { return None };
        let (count, every) = (count.parse()?, millis(ms)?.max(Duration::from_millis(1)));
        let binary = binary.parse().unwrap_or(false);
        let mut bursts = running.borrow_mut();
        let number = bursts.entry(socket.key).or_default();
        if *number < socket.shared.config.limits.bursts {
            *number += 1;
            let (running, socket, next) = (running.clone(), socket.clone(), Cell::new(0));
            Rc::new(Burst { running, socket, count, every, binary, next, ack }).wait();
        }
        Some(())
    }

    fn wait(self: Rc<Self>) {
        let shared = self.socket.shared.clone();
        shared.after(self.every, move || self.step());
    }

    fn step(self: Rc<Self>) {
        let number = self.next.replace(self.next.get() + 1);
        if number >= self.count || !self.socket.is_connected() {
            return self.finish();
        }
        let mut args = Args::event("n").with(&number);
        if self.binary && number % 2 == 1 {
            args = args.with_binary(Bytes::copy_from_slice(&[number as u8]));
        }
        self.socket.emit(args);
        self.wait();
    }

    fn finish(&self) {
        let mut running = self.running.borrow_mut();
        let left = running.remove(&self.socket.key).unwrap_or_default().saturating_sub(1);
        if left > 0 {
            running.insert(self.socket.key, left);
        }
        drop(running);
        self.ack.send(&Args::new());
    }
}
