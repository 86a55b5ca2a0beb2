//! Who makes the connections of the clients: we ourselves, or another client library in our place.
//!
//! The same scenario with another client is a second opinion: where both reach the same verdict, neither the check nor
//! the server was bent to fit our own client. A library makes [`Link`]s and drops what it hears into a [`Post`], which
//! wakes the worker that plays the client. What each library lacks, and what is wrong with it, stands in
//! `docs/drivers.md`; a scenario that needs what it lacks is refused before anything connects.

#[cfg(feature = "rust_socketio")]
mod rust_socketio;

use std::fmt;
use std::sync::{Arc, mpsc};

use crate::document::Mistake;
use crate::scenario::{Act, Scenario};
use crate::session::{Link, News, Told};
use crate::step::{Beyond, find_beyond};

/// A client library that makes connections in our place.
pub trait Library: fmt::Debug + Send + Sync {
    /// The link of one client, and where to drop what is heard for it.
    fn link(&self, post: Post) -> Link;
}

/// Where the news of one client are dropped.
#[derive(Clone, Debug)]
pub struct Post {
    client: u32,
    news: mpsc::Sender<(u32, News)>,
    waker: Arc<mio::Waker>,
}

impl Post {
    /// For the client with this place among those of a worker.
    pub fn new(client: u32, news: mpsc::Sender<(u32, News)>, waker: Arc<mio::Waker>) -> Post {
        Post { client, news, waker }
    }

    /// Drops what was told of a connection, and wakes the worker.
    pub fn drop_in(&self, number: u64, told: Told) {
        // A worker that is gone has ended the run.
        if self.news.send((self.client, News { number, told })).is_ok() {
            let _ = self.waker.wake();
        }
    }
}

/// Who makes the connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Driver {
    /// We do.
    #[default]
    Own,
    /// The crate `rust_socketio`.
    RustSocketio,
}

impl Driver {
    /// Every driver.
    pub const ALL: [Driver; 2] = [Driver::Own, Driver::RustSocketio];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Driver::Own => "own",
            Driver::RustSocketio => "rust_socketio",
        }
    }

    /// The first step of a scenario that needs what the driver lacks.
    pub fn refusal(self, scenario: &Scenario) -> Option<Mistake> {
        match self {
            Driver::Own => None,
            Driver::RustSocketio => refusal(&scenario.script, self.name(), rust_socketio_lacks),
        }
    }

    /// Makes the library ready; `None` for ourselves. `origin` is scheme and authority of the server.
    ///
    /// # Errors
    /// A sentence, when this program was built without it, or it cannot be started.
    pub fn start(self, origin: &str) -> Result<Option<Arc<dyn Library>>, String> {
        self.ready()?;
        match self {
            Driver::Own => Ok(None),
            #[cfg(feature = "rust_socketio")]
            Driver::RustSocketio => rust_socketio::RustSocketio::start(origin)
                .map(|library| Some(Arc::new(library) as Arc<dyn Library>))
                .map_err(|error| format!("failed to start {}: {error}", self.name())),
            #[cfg(not(feature = "rust_socketio"))]
            Driver::RustSocketio => {
                let _ = origin;
                Ok(None)
            }
        }
    }

    /// Whether this program was built with it.
    ///
    /// # Errors
    /// A sentence that says how to build it in.
    pub fn ready(self) -> Result<(), String> {
        match self {
            Driver::RustSocketio if !cfg!(feature = "rust_socketio") => Err(
                "this sockrates was built without the driver `rust_socketio`: build it with `cargo build --release \
                 --features rust_socketio`"
                    .to_owned(),
            ),
            _ => Ok(()),
        }
    }
}

fn refusal(script: &[Act], driver: &str, lacks: fn(&Beyond) -> Option<&'static str>) -> Option<Mistake> {
    script.iter().find_map(|act| match act {
        Act::Group { steps, .. } => find_beyond(steps, &mut |numbered, beyond| {
            let why = lacks(&beyond)?;
            let words = numbered.step.words();
            let message = format!(
                "the driver `{driver}` cannot play the step in line {} (\"{words}\"), which needs {beyond}: {why}",
                numbered.span.line
            );
            Some(Mistake::new(numbered.span, message))
        }),
        Act::Together { branches, .. } => {
            branches.iter().find_map(|branch| refusal(branch, driver, lacks))
        }
        Act::Measure { script, .. } => refusal(script, driver, lacks),
    })
}

/// Why rust_socketio 0.6 cannot do this. Known here in every build, so that the answer is the same.
fn rust_socketio_lacks(beyond: &Beyond) -> Option<&'static str> {
    match beyond {
        Beyond::EngineAlone => Some("it opens a connection only together with a CONNECT"),
        Beyond::Frames => Some("it shows and sends events only"),
        Beyond::OwnRequests => Some("it shows neither the session's id nor its cookies"),
        Beyond::UpgradeLater => Some("it upgrades before it connects, or never"),
        Beyond::Cut => Some("it ends a connection only politely"),
        Beyond::Mute => Some("it answers every heartbeat and reads always"),
        Beyond::Recovery => Some("it knows nothing of connection state recovery (write `recover: false`)"),
        Beyond::Answering => Some("it hides the id under which the server wants the answer"),
        Beyond::End => Some("it does not tell why a connection ended"),
        Beyond::RefusedBeside => Some("it has a connection for each namespace"),
        Beyond::SocketId => Some("it hides the answer to a CONNECT"),
        Beyond::BinaryAmongOthers => {
            Some("it carries binary only as the sole argument, and does not ask for its acknowledgement")
        }
        Beyond::NoArguments => {
            Some("it takes an event without arguments for one named `message` with that name as its argument")
        }
        Beyond::EventNamed(name) => match name.to_lowercase().as_str() {
            "open" | "close" | "error" => Some("it takes that name for an event of the connection"),
            "message" if name != "message" => Some("it writes that name in small letters"),
            _ => None,
        },
    }
}
