//! The scenarios that travel inside the binary.

use include_dir::{Dir, DirEntry, include_dir};

use crate::document::Source;
use crate::report::result::BUNDLED;

static SCENARIOS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");

/// A scenario inside the binary.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bundled {
    /// Its path without the ending: `chat`, or `load/one-big-room`.
    pub id: &'static str,
    text: &'static str,
}

/// Where the cases of the conformance suite stand.
const CASES: &str = "conformance/";

impl Bundled {
    /// All of them, in the order of their ids.
    pub(crate) fn all() -> Vec<Bundled> {
        let mut found = Vec::new();
        gather(&SCENARIOS, &mut found);
        found.sort_by_key(|bundled| bundled.id);
        found
    }

    /// Whether this is one of them: a name alone may be borrowed.
    pub(crate) fn has(source: &Source) -> bool {
        source.name.ends_with(BUNDLED) && Bundled::all().iter().any(|bundled| bundled.text == source.text)
    }

    /// Its id as a case of the conformance suite, if it is one.
    pub(crate) fn case(&self) -> Option<&'static str> {
        self.id.strip_prefix(CASES)
    }

    /// Its text, under the name that messages give it.
    pub(crate) fn source(&self) -> Source {
        Source { name: format!("{}.yaml{BUNDLED}", self.id), text: self.text.to_owned() }
    }
}

fn gather(folder: &'static Dir<'static>, found: &mut Vec<Bundled>) {
    for entry in folder.entries() {
        match entry {
            DirEntry::Dir(folder) => gather(folder, found),
            DirEntry::File(file) => {
                let id = file.path().to_str().and_then(|path| path.strip_suffix(".yaml"));
                if let (Some(id), Some(text)) = (id, file.contents_utf8()) {
                    found.push(Bundled { id, text });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Bundled;

    #[test]
    fn the_id_of_a_session_stands_encoded_in_a_query_that_is_written_by_hand() {
        for bundled in Bundled::all() {
            let source = bundled.source();
            for (at, id) in source.text.match_indices("sid=${") {
                let rest = &source.text[at + id.len()..];
                assert!(
                    rest.starts_with("encoded("),
                    "{}: {id}{}",
                    source.name,
                    rest.lines().next().unwrap_or_default()
                );
            }
        }
    }
}
