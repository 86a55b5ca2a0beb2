//! The pages of the documentation: their fenced blocks, links, headings and tables.

use std::fmt;
use std::path::{Path, PathBuf};

/// Pages that others write, without blocks that are marked for these tests.
const FOLDER: &str = "docs";

/// A page, as text.
pub(crate) struct Page {
    /// Relative to the repository.
    pub path: PathBuf,
    pub text: String,
}

/// A fenced block of a page.
pub(crate) struct Block {
    /// `docs/scenarios.md:17`.
    pub place: Place,
    /// What stands behind the opening fence: the language and the marks.
    pub info: Vec<String>,
    pub text: String,
}

/// A line of a page.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub page: PathBuf,
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.page.display(), self.line)
    }
}

/// `README.md`, `CHANGELOG.md`, `CONTRIBUTING.md` and everything in `docs`.
pub(crate) fn all() -> Vec<Page> {
    let mut paths: Vec<PathBuf> = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(PathBuf::from).into();
    for entry in std::fs::read_dir(FOLDER).expect("there is a folder docs") {
        let path = entry.expect("it can be read").path();
        if path.extension().is_some_and(|ending| ending == "md") {
            paths.push(path);
        }
    }
    paths.sort();
    paths.iter().map(named).collect()
}

/// One page.
pub(crate) fn named(path: impl AsRef<Path>) -> Page {
    let path = path.as_ref().to_owned();
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Page { path, text }
}

impl Page {
    /// Every fenced block.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut open = false;
        for (line, text) in (1..).zip(self.text.lines()) {
            match text.strip_prefix("```") {
                Some(_) if open => open = false,
                Some(info) => {
                    open = true;
                    blocks.push(Block {
                        place: Place { page: self.path.clone(), line },
                        info: info.split_whitespace().map(str::to_owned).collect(),
                        text: String::new(),
                    });
                }
                None if open => {
                    let block = blocks.last_mut().expect("a block is open");
                    block.text.push_str(text);
                    block.text.push('\n');
                }
                None => {}
            }
        }
        assert!(!open, "{}: the last block is never closed", self.path.display());
        blocks
    }

    /// The lines outside of fenced blocks.
    fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut open = false;
        (1..).zip(self.text.lines()).filter(move |(_, text)| {
            let fence = text.starts_with("```");
            open ^= fence;
            !open && !fence
        })
    }

    /// Where each link leads to.
    pub(crate) fn links(&self) -> Vec<(Place, String)> {
        let mut links = Vec::new();
        for (line, text) in self.prose() {
            for part in text.split("](").skip(1) {
                let target = part.split(')').next().unwrap_or_default().to_owned();
                links.push((Place { page: self.path.clone(), line }, target));
            }
        }
        links
    }

    /// The headings as links name them.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let headings = self.prose().filter(|(_, text)| text.starts_with('#'));
        headings
            .map(|(_, text)| {
                let words = text.trim_start_matches('#').trim().to_lowercase();
                let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
                kept.map(|c| if c == ' ' { '-' } else { c }).collect()
            })
            .collect()
    }

    /// The rows of the table under a heading, cell by cell, without its head. Code marks are taken off.
    pub(crate) fn table(&self, heading: &str) -> Vec<Vec<String>> {
        let from = self.prose().skip_while(|(_, text)| *text != heading).skip(1);
        let rows: Vec<Vec<String>> = from
            .take_while(|(_, text)| !text.starts_with('#'))
            .filter(|(_, text)| text.starts_with('|'))
            .map(|(_, text)| {
                let cells = text.trim().trim_matches('|').split('|');
                cells.map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
            })
            .collect();
        assert!(rows.len() > 2, "{} has no table under `{heading}`", self.path.display());
        rows[2..].to_vec()
    }
}

impl Block {
    /// Whether it carries this mark.
    pub(crate) fn is(&self, mark: &str) -> bool {
        self.info.iter().any(|word| word == mark)
    }

    /// The faults that make its run fail: `red=one,two`.
    pub(crate) fn red(&self) -> Vec<&str> {
        let marks = self.info.iter().filter_map(|word| word.strip_prefix("red="));
        marks.flat_map(|faults| faults.split(',')).collect()
    }

    /// The scenario that it stands for: itself, or what is missing put around it.
    pub(crate) fn scenario(&self) -> String {
        if self.is("step") {
            return self.around_acts();
        }
        if !self.is("part") {
            return self.text.clone();
        }
        let mut whole = self.text.clone();
        for (key, usual) in [
            ("name", "name: a part of a page"),
            ("clients", "clients: { alice: 1 }"),
            ("script", "script: [ { all: connect } ]"),
        ] {
            if !self.text.lines().any(|line| line.starts_with(&format!("{key}:"))) {
                whole.push_str(usual);
                whole.push('\n');
            }
        }
        whole
    }

    /// Acts get a broadcast that is connected, unless they are those of `eve`, who opens her connection herself.
    fn around_acts(&self) -> String {
        let mut whole = "name: steps of a page\n".to_owned();
        whole.push_str(match self.text.contains("- eve:") {
            true => "clients: { eve: 1 }\nscript:\n",
            false => "clients: { alice: 1, bob: 1, crowd: 3 }\nscript:\n  - all: connect\n",
        });
        for line in self.text.lines() {
            whole.push_str(&format!("  {line}\n"));
        }
        whole
    }
}
