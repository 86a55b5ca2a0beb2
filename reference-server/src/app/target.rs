//! Whom a command of the fixture is for.

use std::rc::Rc;

use serde::Deserialize;

use crate::faults::Fault;
use crate::socket::args::Arg;
use crate::socket::rooms::Selection;
use crate::socket::socket::{Broadcast, Socket};

/// The first argument of broadcasting commands.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Target {
    from: String,
    to: Vec<String>,
    except: Vec<String>,
    flags: Vec<String>,
}

impl Target {
    /// Reads it.
    pub(super) fn parse(arg: &Arg<'_>) -> Option<Target> {
        arg.parse()
    }

    /// The same from the server, whoever asks.
    pub(super) fn by_server(self) -> Target {
        Target { from: "io".to_owned(), ..self }
    }

    /// The broadcast that it describes.
    pub(super) fn broadcast(&self, socket: &Socket) -> Broadcast {
        let rooms = |names: &[String]| names.iter().map(|name| Rc::from(&**name)).collect();
        let from_socket = self.from != "io";
        let spares_asker = from_socket || socket.has(Fault::IoLeavesOutAsker);
        Broadcast {
            selection: Selection {
                to: rooms(&self.to),
                except: rooms(&self.except),
                except_key: spares_asker.then_some(socket.key),
            },
            sender: from_socket.then(|| socket.id.clone()),
            volatile: self.has("volatile"),
            local: self.has("local"),
        }
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|given| given == flag)
    }

    /// Whether a fault makes nothing of it.
    pub(super) fn is_flagged_and_lost(&self, socket: &Socket) -> bool {
        let lost = socket.has(Fault::FlaggedBroadcastLost);
        lost && (self.has("local") || self.has("compress"))
    }
}

/// A room name or a list of them.
pub(super) fn one_or_more(arg: &Arg<'_>) -> Option<Vec<String>> {
    arg.parse::<String>().map(|name| vec![name]).or_else(|| arg.parse())
}
