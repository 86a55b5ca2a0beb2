//! The cases of a suite: where they are read from, which are not run against a server, and how each is run alone.

use std::path::Path;
use std::time::Duration;

use super::{LARGEST_PAYLOAD, PATIENCE, SMALLEST_PAYLOAD, SuiteConfig};
use crate::conformance::select::{Choice, select};
use crate::conformance::{Case, OwnContract, Variant, contract};
use crate::document::{Source, render};
use crate::measure::format;
use crate::runner::{Bundled, Error, NamedServer, scenarios};
use crate::scenario::{Surroundings, Timings, WHAT_IT_IS};

/// A case before it is read: its id, its text, and what it may take from outside.
pub(super) type Unread = (String, Source, Surroundings);

/// Cases that can be chosen from.
pub(crate) struct Cases {
    /// They are read once more for each server, because they may ask for its timings.
    pub(super) unread: Vec<Unread>,
    /// All of them, read as for a server of which nothing is known.
    pub all: Vec<Case>,
}

impl Cases {
    /// The cases of a folder, or the bundled ones.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn read(folder: Option<&Path>) -> Result<Cases, Error> {
        let unread = unread(folder).map_err(Error::wrong)?;
        let all = read_all(&unread, None, Clone::clone)?;
        Ok(Cases { unread, all })
    }

    /// The variants that these words choose.
    ///
    /// # Errors
    /// What is wrong with the words.
    pub(crate) fn choose(&self, only: &[String], exclude: &[String]) -> Result<Vec<Variant<'_>>, Error> {
        let read = |words: &[String]| -> Result<Vec<Choice>, Error> {
            words.iter().map(|word| Choice::read(word).map_err(Error::because)).collect()
        };
        select(&self.all, &read(only)?, &read(exclude)?).map_err(|wrong| {
            Error::wrong(wrong.iter().map(|why| format!("error: {why}")).collect::<Vec<_>>().join("\n"))
        })
    }
}

/// A contract of the user's.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn own_contract(file: &Path) -> Result<OwnContract, Error> {
    let (source, surroundings) = scenarios::source(file, contract::WHAT_IT_IS).map_err(Error::wrong)?;
    OwnContract::read(&source, &surroundings).map_err(|mistake| Error::wrong(render(&mistake, &source)))
}

fn unread(folder: Option<&Path>) -> Result<Vec<Unread>, String> {
    let Some(folder) = folder else {
        return Ok(Bundled::all()
            .into_iter()
            .filter_map(|bundled| {
                Some((bundled.case()?.to_owned(), bundled.source(), Surroundings::without_files()))
            })
            .collect());
    };
    let mut unread = Vec::new();
    for file in scenarios::files_in(folder)? {
        let (source, surroundings) = scenarios::source(&file, WHAT_IT_IS)?;
        let id = file.strip_prefix(folder).unwrap_or(&file).with_extension("");
        unread.push((id.to_string_lossy().into_owned(), source, surroundings));
    }
    Ok(unread)
}

/// Reads them, each with this in the place of what it may take from outside, and those that are written in the words of a contract
/// by this one, if there is one.
///
/// # Errors
/// What is wrong with them.
pub(super) fn read_all(
    unread: &[Unread],
    contract: Option<&OwnContract>,
    with: impl Fn(&Surroundings) -> Surroundings,
) -> Result<Vec<Case>, Error> {
    let (mut cases, mut wrong) = (Vec::new(), Vec::new());
    for (id, source, surroundings) in unread {
        let surroundings = with(surroundings);
        match Case::read(id.clone(), source.clone(), &surroundings) {
            Ok(case) => cases.push(match contract {
                Some(contract) => contract.case(case, &surroundings),
                None => case,
            }),
            Err(mistake) => wrong.push(render(&mistake.0, &mistake.1)),
        }
    }
    if wrong.is_empty() { Ok(cases) } else { Err(Error::wrong(wrong.join("\n"))) }
}

/// The command that runs a variant alone.
pub(super) fn again(config: &SuiteConfig, named: &NamedServer, variant: Variant<'_>) -> String {
    let mut words = ["sockrates", "conform", "--only"].map(str::to_owned).to_vec();
    words.push(variant.label());
    let mut flag = |name: &str, value: String| words.extend([name.to_owned(), value]);
    if let Some(folder) = &config.folder {
        flag("--cases", folder.display().to_string());
    }
    if let Some(contract) = &config.contract {
        flag("--contract", contract.file.clone());
    }
    if variant.case.scenario.takes > PATIENCE {
        flag("--patience", format!("{}s", config.patience.as_secs()));
    }
    if config.seed != 1 {
        flag("--seed", config.seed.to_string());
    }
    words.extend(named.words.iter().cloned());
    // A word with a NUL cannot come from a command line.
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default()
}

/// Whether a case counts by the server's own times.
pub(super) fn is_about_time(variant: Variant<'_>) -> bool {
    let names = ["interval", "timeout", "upgrade_timeout", "connect_timeout"];
    names.iter().any(|name| variant.case.source.text.contains(&format!("server.{name}")))
}

/// Which flags told the times that a case rests on, as the end of the reason for which it failed: it is not the server that is wrong
/// where the flag is.
pub(super) fn rests_on(variant: Variant<'_>) -> String {
    let flags = ["--upgrade-timeout", "--connect-timeout", "--recovery-time"];
    let names = ["server.upgrade_timeout", "server.connect_timeout", "server.recovery"];
    let told = flags.into_iter().zip(names).filter(|(_, name)| variant.case.source.text.contains(name));
    told.map(|(flag, _)| format!("; or the server's time is not the one that `{flag}` says")).collect()
}

/// Why a case is not run that sends messages of the largest size, where that is huge or next to nothing.
pub(super) fn unplayable_size(variant: Variant<'_>, timings: Timings) -> Option<String> {
    if !variant.case.source.text.contains("server.max_payload") {
        return None;
    }
    let bytes = timings.max_payload;
    let is_small = bytes < SMALLEST_PAYLOAD;
    let is_large = bytes > LARGEST_PAYLOAD;
    let small = || {
        format!("the handshake allows messages of {bytes} bytes at most, in which no event of this case fits")
    };
    let large = || {
        format!(
            "sends messages of the largest size that this server accepts, {} MB, and would transfer many of them",
            bytes / 1_000_000
        )
    };
    is_small.then(small).or_else(|| is_large.then(large))
}

/// Why a case is not run that takes longer than `--patience`.
pub(super) fn too_long(variant: Variant<'_>, patience: Duration) -> Option<String> {
    let takes = variant.case.scenario.takes;
    (takes > patience).then(|| {
        let seconds = takes.as_secs_f64().ceil() as u64;
        let enough = if seconds < 60 { format!("{seconds}s") } else { format!("{}m", seconds.div_ceil(60)) };
        format!(
            "takes about {} with this server's timings: give --patience {enough}",
            format::duration(takes)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::server::Focus;
    use crate::runner::server::tests::usual;

    fn case(keys: &str) -> Case {
        let text = format!("name: x\n{keys}\nclients: {{ a: 1 }}\nscript: [{{ a: connect }}]\n");
        let source = Source { name: "area/x.yaml".to_owned(), text };
        Case::read("area/x".to_owned(), source, &Surroundings::without_files()).expect("it is a good case")
    }

    fn variant(case: &Case) -> Variant<'_> {
        case.variants().next().expect("it has one")
    }

    fn named() -> NamedServer {
        let words = ["--server", "node server.js"].map(str::to_owned).to_vec();
        NamedServer { name: "node".to_owned(), config: usual(), words, focus: Focus::Single }
    }

    #[test]
    fn the_command_for_a_case_alone_says_what_is_not_usual_and_is_quoted() {
        let case = case("");
        let usual = again(&SuiteConfig::default(), &named(), variant(&case));
        assert_eq!(usual, "sockrates conform --only area/x --server 'node server.js'");
        let folder = Some("my cases".into());
        let config = SuiteConfig { folder, seed: 7, jobs: 1, ..SuiteConfig::default() };
        let unusual = again(&config, &named(), variant(&case));
        assert_eq!(
            unusual,
            "sockrates conform --only area/x --cases 'my cases' --seed 7 --server 'node server.js'"
        );
    }

    #[test]
    fn a_long_case_says_how_much_patience_it_wants() {
        let case = case("takes: 90s");
        let why = too_long(variant(&case), Duration::from_secs(10)).expect("it takes longer");
        assert!(why.ends_with("with this server's timings: give --patience 2m"), "{why}");
        assert_eq!(too_long(variant(&case), Duration::from_secs(90)), None);
        let config = SuiteConfig { patience: Duration::from_secs(120), ..SuiteConfig::default() };
        assert!(again(&config, &named(), variant(&case)).contains(" --patience 120s "));
    }

    #[test]
    fn cases_about_the_longest_message_are_not_run_where_that_is_huge_or_next_to_nothing() {
        let about_it = case("about: sends ${server.max_payload} bytes");
        let timings = |max_payload| Timings { max_payload, ..Timings::default() };
        let why = unplayable_size(variant(&about_it), timings(LARGEST_PAYLOAD + 1)).expect("it is too large");
        assert!(why.contains("16 MB"), "{why}");
        let why = unplayable_size(variant(&about_it), timings(5)).expect("it is too small");
        assert!(why.contains("of 5 bytes"), "{why}");
        assert_eq!(unplayable_size(variant(&about_it), timings(LARGEST_PAYLOAD)), None);
        assert_eq!(unplayable_size(variant(&about_it), timings(SMALLEST_PAYLOAD)), None);
        assert_eq!(unplayable_size(variant(&case("")), timings(u64::MAX)), None);
    }
}
