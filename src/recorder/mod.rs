//! A proxy for a person who clicks through an application: it forwards everything as it is, and records what the tabs say and hear
//! over Socket.IO.
//!
//! Two threads serve each connection of a browser, one for each direction, and block as they like: a person has a few tabs. What
//! is recorded goes into a `Recorded`, of which the importer makes a scenario as it does of a HAR file.
//!
//! | file | job |
//! |---|---|
//! | `message` | heads of HTTP in another's name, and where bodies end |
//! | `frames` | the messages in the bytes of a WebSocket |
//! | `upstream` | a connection to the application, with or without TLS |
//! | `tape` | what is recorded, and when |
//! | `proxy` | the sockets and threads |
//! | `visit` | two clients that look at what an application says |

mod frames;
mod message;
mod proxy;
mod tape;
mod upstream;
mod visit;

pub(crate) use proxy::Recorder;
pub(crate) use upstream::Target;
pub(crate) use visit::Visit;
