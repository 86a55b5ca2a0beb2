//! What of the command line is secret, and where all that the program prints and writes loses its secrets.

use std::sync::OnceLock;

use crate::report::file::Body;
use crate::secrets::Secrets;

/// Options whose values may be secret.
const TAKE_SECRETS: [&str; 5] = ["--auth", "--header", "--query", "--url", "--proxy"];

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
pub(super) fn clean<T: Body>(result: T) -> T {
    let secrets = secrets();
    if secrets.are_shown() {
        return result;
    }
    let Ok(mut value) = serde_json::to_value(&result) else { return result };
    let untouched = value.clone();
    secrets.redact_json(&mut value);
    let read = serde_json::from_value::<T>(value).or_else(|_| {
        // A secret that is one of our own words, `failed` say: it stands there as such, and hides nothing.
        let mut value = untouched;
        secrets.redact_json_but_words(&mut value);
        serde_json::from_value(value)
    });
    match read {
        Ok(mut cleaned) => {
            cleaned.set_tool_version(env!("CARGO_PKG_VERSION"));
            cleaned
        }
        Err(_) => result,
    }
}

/// One of several results without secrets.
pub(super) fn clean_each<T: Clone>(result: T) -> T
where
    Vec<T>: Body,
{
    let whole = result.clone();
    clean(vec![result]).pop().unwrap_or(whole)
}

/// What is wrong with a command line, without the values of options that may be secret.
pub(super) fn without_values_of_options(words: &str) -> String {
    let secrets = secrets();
    let arguments: Vec<String> = std::env::args().collect();
    for pair in arguments.windows(2) {
        if TAKE_SECRETS.contains(&pair[0].as_str()) {
            secrets.note(&pair[1]);
        }
    }
    for argument in &arguments {
        let set = argument.split_once('=').filter(|(option, _)| TAKE_SECRETS.contains(option));
        set.into_iter().for_each(|(_, value)| secrets.note(value));
    }
    secrets.without_values(words).into_owned()
}
