//! What of the command line is secret, and the secrets that all loses that the program prints.

use std::sync::OnceLock;

use crate::secrets::Secrets;

/// Options whose values may be secret.
const TAKE_SECRETS: [&str; 8] =
    ["--auth", "--header", "--query", "--url", "--otlp", "--proxy", "--nats", "--nats-token"];

/// The secrets of this process: everything that it prints passes them.
static OF_THIS_PROCESS: OnceLock<Secrets> = OnceLock::new();

/// The secrets of this process. Before a verb has said that they are to be shown, they are hidden.
pub(super) fn secrets() -> Secrets {
    OF_THIS_PROCESS.get_or_init(Secrets::hidden).clone()
}

/// Decides once whether they are shown.
pub(super) fn decide(show: bool) -> Secrets {
    OF_THIS_PROCESS.get_or_init(|| if show { Secrets::shown() } else { Secrets::hidden() }).clone()
}

/// What is wrong with a command line, without the values of options that may be secret.
pub(super) fn without_values_of_options(words: &str) -> String {
    let secrets = secrets();
    secrets.note_options(&TAKE_SECRETS, std::env::args());
    secrets.without_values(words).into_owned()
}
