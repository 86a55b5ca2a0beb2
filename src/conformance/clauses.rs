//! The clauses of the suite, as `docs/clauses` tells them. They travel in the binary, because a finding belongs to a clause and
//! not to a case.

use std::sync::LazyLock;

use include_dir::{Dir, include_dir};

use crate::document::{Fields, Mistake, Source, parse};
use crate::scenario::Level;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/docs/clauses");

static ALL: LazyLock<Vec<Clause>> = LazyLock::new(|| {
    let read = FILES.files().map(|file| {
        let name = file.path().display().to_string();
        read(&Source { name, text: file.contents_utf8().unwrap_or_default().to_owned() })
    });
    // A test holds that there is no mistake in them.
    read.flat_map(Result::unwrap_or_default).collect()
});

/// Something that a server has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// Its id: `EIO-LP-02`.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// Where it is written.
    pub spec: String,
    /// The clause as a sentence without its full stop.
    pub text: String,
}

impl Clause {
    /// The clause of this id.
    pub fn find(id: &str) -> Option<&'static Clause> {
        ALL.iter().find(|clause| clause.id == id)
    }

    /// All clauses, file by file.
    pub fn all() -> &'static [Clause] {
        &ALL
    }
}

fn read(source: &Source) -> Result<Vec<Clause>, Mistake> {
    let root = parse(source)?;
    root.list()?
        .iter()
        .map(|node| {
            let fields = Fields::of(node, "a clause")?;
            let (id, level) = (fields.required("id")?, fields.required("level")?);
            let (spec, text) = (fields.required("spec")?, fields.required("clause")?);
            let word = level.word()?;
            let level = Level::ALL.into_iter().find(|one| one.name() == word);
            Ok(Clause {
                id: id.word()?.to_owned(),
                level: level.ok_or_else(|| node.mistake(format!("there is no level `{word}`")))?,
                spec: spec.word()?.to_owned(),
                text: text.word()?.to_owned(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_clauses_can_be_read() {
        assert!(FILES.files().count() >= 6);
        for file in FILES.files() {
            let name = file.path().display().to_string();
            let source = Source { name, text: file.contents_utf8().unwrap_or_default().to_owned() };
            let clauses =
                read(&source).unwrap_or_else(|mistake| panic!("{}: {}", source.name, mistake.message));
            assert!(!clauses.is_empty(), "{}", source.name);
        }
        assert_eq!(Clause::find("EIO-LP-02").map(|clause| clause.level), Some(Level::Must));
        assert_eq!(Clause::find("EIO-LP-99"), None);
    }
}
