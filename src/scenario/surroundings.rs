//! What a scenario may take from outside of its own file: environment variables, files that stand beside it, what is known
//! of the server, and what the command line says in its place.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::{GivenContract, Overrides};
use crate::template::Timings;

/// Gives the value of an environment variable.
type Environment = Rc<dyn Fn(&str) -> Option<String>>;

/// Gives the bytes of a file, or why not, in words.
type Files = Rc<dyn Fn(&str) -> Result<Vec<u8>, String>>;

/// The largest file that a scenario may name.
const SIZE_LIMIT: u64 = 64 << 20;

/// What a scenario took from outside: enough to read it again on another machine, which has neither.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outside {
    /// Variables of the environment that it asked for.
    variables: Vec<(String, Option<String>)>,
    /// Files that it named, or why they could not be read.
    files: Vec<(String, Result<Vec<u8>, String>)>,
}

/// What a scenario may take from outside of its own file.
#[derive(Clone)]
pub struct Surroundings {
    environment: Environment,
    files: Files,
    server: Timings,
    overrides: Rc<Overrides>,
    contract: Option<GivenContract>,
}

impl Surroundings {
    /// The process's environment, and the folder in which the scenario stands.
    pub fn of(scenario: &Path) -> Surroundings {
        let folder = scenario.parent().map(Path::to_owned).unwrap_or_default();
        Surroundings::new(|name| std::env::var(name).ok(), move |name| beside(&folder, name))
    }

    /// The process's environment, and no files: for a scenario that stands in no folder.
    pub fn without_files() -> Surroundings {
        Surroundings::new(
            |name| std::env::var(name).ok(),
            |_| Err("a bundled scenario has no files beside it".to_owned()),
        )
    }

    /// Whatever these say.
    pub fn new(
        environment: impl Fn(&str) -> Option<String> + 'static,
        files: impl Fn(&str) -> Result<Vec<u8>, String> + 'static,
    ) -> Surroundings {
        Surroundings {
            environment: Rc::new(environment),
            files: Rc::new(files),
            server: Timings::default(),
            overrides: Rc::default(),
            contract: None,
        }
    }

    /// The same, which writes down what is taken.
    pub fn recording(&self) -> (Surroundings, Rc<RefCell<Outside>>) {
        let taken = Rc::new(RefCell::new(Outside::default()));
        let (environment, files) = (self.environment.clone(), self.files.clone());
        let (variables, read) = (taken.clone(), taken.clone());
        let environment: Environment = Rc::new(move |name| {
            let value = environment(name);
            variables.borrow_mut().variables.push((name.to_owned(), value.clone()));
            value
        });
        let files: Files = Rc::new(move |name| {
            let bytes = files(name);
            read.borrow_mut().files.push((name.to_owned(), bytes.clone()));
            bytes
        });
        (Surroundings { environment, files, ..self.clone() }, taken)
    }

    /// Those in which a scenario was read before.
    pub fn of_record(outside: Outside) -> Surroundings {
        let Outside { variables, files } = outside;
        Surroundings::new(
            move |name| variables.iter().find(|(known, _)| known == name)?.1.clone(),
            move |name| {
                let known = files.iter().find(|(known, _)| known == name).map(|(_, bytes)| bytes.clone());
                known.unwrap_or_else(|| Err("it was not there when the plan was made".to_owned()))
            },
        )
    }

    /// The same, knowing the server.
    pub fn with(&self, server: Timings) -> Surroundings {
        Surroundings { server, ..self.clone() }
    }

    /// The same with this in the place of what the scenario says.
    pub fn overriding(&self, overrides: Overrides) -> Surroundings {
        Surroundings { overrides: Rc::new(overrides), ..self.clone() }
    }

    /// The same with this contract for a scenario that is written in the words of whatever contract there is.
    pub fn asking_by(&self, contract: &GivenContract) -> Surroundings {
        Surroundings { contract: Some(contract.clone()), ..self.clone() }
    }

    pub(super) fn contract(&self) -> Option<&GivenContract> {
        self.contract.as_ref()
    }

    pub(super) fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    pub(super) fn server(&self) -> Timings {
        self.server
    }

    pub(super) fn environment(&self) -> Environment {
        Rc::clone(&self.environment)
    }

    /// The bytes of a file beside the scenario, or why not, in words.
    pub fn file(&self, name: &str) -> Result<Vec<u8>, String> {
        (self.files)(name)
    }
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").finish_non_exhaustive()
    }
}

fn beside(folder: &Path, name: &str) -> Result<Vec<u8>, String> {
    use std::io::Read;
    let path: PathBuf = folder.join(name);
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) if bytes.len() as u64 > SIZE_LIMIT => {
            Err(format!("it is larger than {} MiB", SIZE_LIMIT >> 20))
        }
        Ok(_) => Ok(bytes),
        Err(error) => Err(crate::document::cause(&error)),
    }
}
