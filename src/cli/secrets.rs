//! What of the command line is secret, and where all that the program prints and writes loses its secrets.

use std::sync::OnceLock;

use crate::report;
use crate::report::file::Body;
use crate::runner::Error;
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

/// A result without secrets.
///
/// # Errors
/// When they cannot be taken out: then nothing of it may be shown or written.
pub(super) fn clean<T: Body>(result: T) -> Result<T, Error> {
    report::clean(result, &secrets()).ok_or_else(|| {
        Error::because(
            "the secrets could not be taken out of the result, so nothing of it is shown or written; use other \
             secrets for this test, or say --show-secrets",
        )
    })
}

/// One of several results without secrets.
///
/// # Errors
/// As those of [`clean`].
pub(super) fn clean_each<T>(result: T) -> Result<T, Error>
where
    Vec<T>: Body,
{
    clean(vec![result])?
        .pop()
        .ok_or_else(|| Error::because("a result was lost while its secrets were taken out"))
}

/// What is wrong with a command line, without the values of options that may be secret.
pub(super) fn without_values_of_options(words: &str) -> String {
    let secrets = secrets();
    secrets.note_options(&TAKE_SECRETS, std::env::args());
    secrets.without_values(words).into_owned()
}
