//! A baseline: which cases are known not to pass on a server, and why, and which findings are known that no case of their
//! clause shows. With one, the suite fails only on what is new, and on what is listed and does not show any more. A blocked
//! case has no row: it stands and falls with the finding that blocks it.

use std::collections::BTreeSet;

use super::case::{Case, label};
use super::clauses::Clause;
use super::feature::Feature;
use super::result::{BaselineResult, BaselineRow, CaseResult, FindingResult};
use super::verdict::Verdict;
use super::versions::{Range, Versions};
use crate::document::{Fields, Mistake, Node, Source, closest, parse};
use crate::protocol::dialect::Version;
use crate::session::Transport;
use crate::step;

/// What stands in a row that nobody has looked into yet.
const UNCONFIRMED: &str = "to be confirmed";

/// What a row may say.
const LISTED: [Verdict; 4] = [Verdict::Fail, Verdict::Warn, Verdict::Note, Verdict::Skip];

/// What is known of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baseline {
    /// The server, in words.
    server: String,
    /// The versions on which it was taken.
    versions: Vec<Range>,
    rows: Vec<KnownResult>,
    findings: Vec<KnownFinding>,
    /// The labels of all variants, for each version of the protocol. Only the whole suite can show that a finding is gone.
    suites: Vec<BTreeSet<String>>,
}

/// A clause that is known to be broken in whatever case.
#[derive(Clone, Debug, PartialEq, Eq)]
struct KnownFinding {
    clause: String,
    verdict: Verdict,
    /// It does not show in every run.
    sometimes: bool,
    /// The versions that show it; none means all.
    versions: Option<Range>,
    because: String,
}

/// A case that is known not to pass.
#[derive(Clone, Debug, PartialEq, Eq)]
struct KnownResult {
    case: String,
    /// None means all variants of the case.
    transport: Option<Transport>,
    verdict: Verdict,
    /// It does not show in every run.
    sometimes: bool,
    /// The versions that show it; none means all.
    versions: Option<Range>,
    because: String,
}

impl KnownResult {
    fn is_about(&self, id: &str, transport: Option<Transport>) -> bool {
        self.case == id && (self.transport.is_none() || self.transport == transport)
    }
}

/// Whether a row is about other versions than those of the server.
fn is_of_others(range: Option<&Range>, versions: &Versions) -> bool {
    range.and_then(|range| range.holds(versions)) == Some(false)
}

/// Whether a row has to show. Where the version is not known, one about some versions need not.
fn has_to_show(range: Option<&Range>, versions: &Versions) -> bool {
    range.is_none_or(|range| range.holds(versions) == Some(true))
}

/// What makes a file a baseline, for those who have given another one.
pub(crate) const WHAT_IT_IS: &str =
    "a baseline has `server` and `cases`; `sockrates conform --write-baseline FILE` writes one";

impl Baseline {
    /// Reads a baseline about these cases.
    ///
    /// # Errors
    /// The first mistake in it; a row about a case that is not there is one.
    pub fn read(source: &Source, cases: &[Case]) -> Result<Baseline, Mistake> {
        let root = parse(source).map_err(|mistake| mistake.hint_of_file(WHAT_IT_IS))?;
        let fields = Fields::of(&root, "the baseline")?;
        let (server, rows) = (fields.required("server"), fields.required("cases"));
        let found = fields.optional("findings");
        let versions = fields.optional("versions");
        fields.deny_others()?;
        let server = server?.word()?.to_owned();
        let mut read: Vec<KnownResult> = Vec::new();
        for node in rows?.list()? {
            let row = KnownResult::read(node, cases)?;
            let is_same = |other: &KnownResult| {
                (&other.case, other.transport, &other.versions) == (&row.case, row.transport, &row.versions)
            };
            if read.iter().any(is_same) {
                return Err(node
                    .mistake(format!("there is another row about `{}`", label(&row.case, row.transport)))
                    .hint("a case has one row, or one for each transport and each range of versions"));
            }
            read.push(row);
        }
        let versions = versions.map_or(&[][..], Node::items).iter().map(range).collect::<Result<_, _>>()?;
        let mut findings: Vec<KnownFinding> = Vec::new();
        for node in found.map(Node::list).transpose()?.unwrap_or_default() {
            let row = KnownFinding::read(node)?;
            if findings.iter().any(|other| (&other.clause, &other.versions) == (&row.clause, &row.versions)) {
                return Err(node
                    .mistake(format!("there is another row about `{}`", row.clause))
                    .hint("a clause has one row, or one for each range of versions"));
            }
            findings.push(row);
        }
        let of = |version: Version| {
            let held = cases.iter().filter(move |case| case.scenario.protocols.contains(&version));
            held.flat_map(Case::variants).map(|variant| variant.label()).collect()
        };
        let suites = Version::ALL.into_iter().map(of).collect();
        Ok(Baseline { server, versions, rows: read, findings, suites })
    }

    /// How verdicts compare with it. Rows about cases that were not chosen say nothing.
    pub fn compare(
        &self,
        file: String,
        results: &[CaseResult],
        findings: &[FindingResult],
        versions: &Versions,
    ) -> BaselineResult {
        let mut known = 0;
        let mut new = Vec::new();
        for result in results.iter().filter(|result| is_listed(result)) {
            let listed = self.row(result, versions).map(|row| row.verdict);
            if listed == Some(result.verdict) {
                known += 1;
                continue;
            }
            let is_it = |row: &&KnownResult| {
                row.is_about(&result.id, result.transport) && row.verdict == result.verdict
            };
            let of_others = |row: &&KnownResult| is_of_others(row.versions.as_ref(), versions);
            let elsewhere = self.rows.iter().filter(of_others).find(is_it);
            let known_for = elsewhere.and_then(|row| Some(row.versions.as_ref()?.text().to_owned()));
            new.push(BaselineRow { case: result.label(), listed, now: result.verdict, known_for });
        }
        let passes_now = |row: &&KnownResult| {
            let mut about =
                results.iter().filter(|result| row.is_about(&result.id, result.transport)).peekable();
            about.peek().is_some() && about.all(|result| result.verdict == Verdict::Pass)
        };
        let must_show = |row: &&KnownResult| !row.sometimes && has_to_show(row.versions.as_ref(), versions);
        let gone = self.rows.iter().filter(must_show).filter(passes_now).map(|row| BaselineRow {
            case: label(&row.case, row.transport),
            listed: Some(row.verdict),
            now: Verdict::Pass,
            known_for: None,
        });
        let mut gone: Vec<BaselineRow> = gone.collect();
        for (clause, now) in unshown(findings) {
            let (others, about): (Vec<&KnownFinding>, Vec<_>) = (self.findings.iter())
                .filter(|row| row.clause == clause)
                .partition(|row| is_of_others(row.versions.as_ref(), versions));
            let is_it = |row: &&&KnownFinding| row.verdict == now;
            let listed = about.iter().find(is_it).or(about.first()).map(|row| row.verdict);
            if listed == Some(now) {
                known += 1;
                continue;
            }
            let elsewhere = others.iter().find(is_it).and_then(|row| row.versions.as_ref());
            let known_for = elsewhere.map(|range| range.text().to_owned());
            new.push(BaselineRow { case: clause.to_owned(), listed, now, known_for });
        }
        let shows = |row: &KnownFinding| findings.iter().any(|one| one.clause.as_ref() == Some(&row.clause));
        let is_whole = self.is_whole(results);
        let is_gone = |row: &&KnownFinding| {
            is_whole && !row.sometimes && has_to_show(row.versions.as_ref(), versions) && !shows(row)
        };
        gone.extend(self.findings.iter().filter(is_gone).map(|row| BaselineRow {
            case: row.clause.clone(),
            listed: Some(row.verdict),
            now: Verdict::Pass,
            known_for: None,
        }));
        let others = self.versions.iter().filter(|range| range.holds(versions) == Some(false));
        let other_versions = others.map(|range| range.text().to_owned()).collect();
        BaselineResult { file, known, new, gone, other_versions }
    }

    /// The row about a variant on a server of these versions; one about its transport is more to the point than one about all.
    /// Where the versions are not known, the one that says what was seen.
    fn row(&self, result: &CaseResult, versions: &Versions) -> Option<&KnownResult> {
        let is_about = |row: &&KnownResult| {
            row.is_about(&result.id, result.transport) && !is_of_others(row.versions.as_ref(), versions)
        };
        let mut about: Vec<&KnownResult> = self.rows.iter().filter(is_about).collect();
        about.sort_by_key(|row| (row.transport.is_none(), row.verdict != result.verdict));
        about.first().copied()
    }

    /// A baseline that lists what did not pass. What an older one says of cases that were not chosen stays, and so do
    /// its reasons, and what it says of cases that sometimes pass.
    pub fn of(
        server: &str,
        before: Option<&Baseline>,
        results: &[CaseResult],
        findings: &[FindingResult],
        versions: &Versions,
    ) -> Baseline {
        let mut rows: Vec<KnownResult> = Vec::new();
        let stays =
            |row: &KnownResult| before.is_some_and(|before| before.holds_sometimes(row, results, versions));
        let row_before = |result: &CaseResult| before.and_then(|before| before.row(result, versions));
        let stands = |result: &CaseResult| row_before(result).is_some_and(stays);
        for result in results.iter().filter(|result| is_listed(result) && !stands(result)) {
            let same = row_before(result).filter(|row| row.verdict == result.verdict);
            let because = same.map_or(UNCONFIRMED, |row| &row.because);
            // All variants alike are one row.
            let alike = results.iter().filter(|other| other.id == result.id);
            let is_one = alike.clone().all(|other| other.verdict == result.verdict && !stands(other));
            let transport = result.transport.filter(|_| !is_one || alike.count() == 1);
            let row = KnownResult {
                case: result.id.clone(),
                transport,
                verdict: result.verdict,
                sometimes: false,
                versions: same.and_then(|row| row.versions.clone()),
                because: because.to_owned(),
            };
            if !rows.iter().any(|other| other.case == row.case && other.transport == row.transport) {
                rows.push(row);
            }
        }
        let chosen =
            |row: &KnownResult| results.iter().any(|result| row.is_about(&result.id, result.transport));
        let kept = before.map_or(&[][..], |before| &before.rows).iter();
        let kept =
            kept.filter(|row| !chosen(row) || stays(row) || is_of_others(row.versions.as_ref(), versions));
        rows.extend(kept.cloned());
        rows.sort_by(|a, b| {
            (&a.case, a.transport.map(Transport::name)).cmp(&(&b.case, b.transport.map(Transport::name)))
        });
        let known_before = before.map_or(&[][..], |before| &before.findings);
        let found = unshown(findings).map(|(clause, verdict)| {
            let row = known_before.iter().find(|row| {
                let is_about = !is_of_others(row.versions.as_ref(), versions);
                row.clause == clause && row.verdict == verdict && is_about
            });
            row.cloned().unwrap_or_else(|| KnownFinding {
                clause: clause.to_owned(),
                verdict,
                sometimes: false,
                versions: None,
                because: UNCONFIRMED.to_owned(),
            })
        });
        let mut found: Vec<KnownFinding> = found.collect();
        let is_whole = before.is_some_and(|before| before.is_whole(results));
        let stays = |row: &&KnownFinding| {
            let is_told = findings.iter().any(|one| one.clause.as_ref() == Some(&row.clause));
            is_of_others(row.versions.as_ref(), versions) || (!is_told && (row.sometimes || !is_whole))
        };
        found.extend(known_before.iter().filter(stays).cloned());
        found.sort_by(|a, b| a.clause.cmp(&b.clause));
        found.dedup_by(|a, b| (&a.clause, &a.versions) == (&b.clause, &b.versions));
        let server = before.map_or(server, |before| &before.server).to_owned();
        let versions = before.map_or_else(Vec::new, |before| before.versions.clone());
        let suites = before.map_or_else(Vec::new, |before| before.suites.clone());
        Baseline { server, versions, rows, findings: found, suites }
    }

    /// Whether these are all variants of some version.
    fn is_whole(&self, results: &[CaseResult]) -> bool {
        let played: BTreeSet<String> = results.iter().map(CaseResult::label).collect();
        self.suites.iter().any(|suite| !suite.is_empty() && suite.is_subset(&played))
    }

    /// Whether a row says that its deviation shows sometimes, and no result says otherwise.
    fn holds_sometimes(&self, row: &KnownResult, results: &[CaseResult], versions: &Versions) -> bool {
        let mut about = results.iter().filter(|result| self.row(result, versions) == Some(row));
        row.sometimes && about.all(|result| [Verdict::Pass, row.verdict].contains(&result.verdict))
    }

    /// The content of a file that reads back as this baseline.
    pub fn text(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let mut text = format!("server: {}\n", quoted(&self.server));
        if !self.versions.is_empty() {
            let ranges: Vec<String> = self.versions.iter().map(|range| quoted(range.text())).collect();
            text.push_str(&format!("versions: [{}]\n", ranges.join(", ")));
        }
        text.push_str("cases:");
        if self.rows.is_empty() {
            text.push_str(" []");
        }
        for KnownResult { case, transport, verdict, sometimes, versions, because } in &self.rows {
            let versions = versions.as_ref().map(|range| format!(" versions: {},", quoted(range.text())));
            let transport = transport.map(|transport| format!(" transport: {},", transport.name()));
            text.push_str(&format!(
                "\n  - {{ case: {},{} verdict: {},{}{} because: {} }}",
                quoted(case),
                transport.unwrap_or_default(),
                verdict.name(),
                if *sometimes { " sometimes: true," } else { "" },
                versions.unwrap_or_default(),
                quoted(because)
            ));
        }
        text.push('\n');
        if !self.findings.is_empty() {
            text.push_str("findings:\n");
        }
        for KnownFinding { clause, verdict, sometimes, versions, because } in &self.findings {
            let sometimes = if *sometimes { " sometimes: true," } else { "" };
            let versions = versions.as_ref().map(|range| format!(" versions: {},", quoted(range.text())));
            let versions = versions.unwrap_or_default();
            let (clause, because) = (quoted(clause), quoted(because));
            let verdict = verdict.name();
            text.push_str(&format!(
                "  - {{ clause: {clause}, verdict: {verdict},{sometimes}{versions} because: {because} }}\n"
            ));
        }
        text
    }
}

/// Whether a result wants a row. That a server was looked at with one node says nothing of the server.
fn is_listed(result: &CaseResult) -> bool {
    LISTED.contains(&result.verdict) && !result.lacks.iter().any(|lack| lack == Feature::Nodes.name())
}

/// The findings that no case of their clause shows by failing: its clause and what it says, each once. The others stand in the
/// rows of those cases.
fn unshown(findings: &[FindingResult]) -> impl Iterator<Item = (&str, Verdict)> {
    let mut told: Vec<&str> = Vec::new();
    findings.iter().filter(|one| one.failed.is_empty() && !one.is_unlisted()).filter_map(move |one| {
        let clause = one.clause.as_deref().filter(|clause| !told.contains(clause))?;
        told.push(clause);
        Some((clause, one.verdict))
    })
}

impl KnownFinding {
    fn read(node: &Node) -> Result<KnownFinding, Mistake> {
        let fields = Fields::of(node, "a row of the findings")?;
        let (clause, verdict) = (fields.required("clause"), fields.required("verdict"));
        let (because, sometimes) = (fields.required("because"), fields.optional("sometimes"));
        let versions = fields.optional("versions");
        fields.deny_others()?;
        let clause = clause?;
        let id = clause.word()?;
        if Clause::find(id).is_none() {
            let known = Clause::all().iter().map(|known| known.id.as_str());
            return Err(clause.mistake(format!("there is no clause `{id}`")).did_you_mean(id, known));
        }
        Ok(KnownFinding {
            clause: id.to_owned(),
            verdict: listed(verdict?, &LISTED[..3])?,
            sometimes: sometimes.map(Node::bool).transpose()?.unwrap_or_default(),
            versions: versions.map(range).transpose()?,
            because: because?.word()?.to_owned(),
        })
    }
}

/// One of the verdicts that a row may say.
fn listed(word: &Node, may_say: &[Verdict]) -> Result<Verdict, Mistake> {
    let name = word.text()?;
    may_say.iter().copied().find(|verdict| verdict.name() == name).ok_or_else(|| {
        let known = may_say.iter().map(|verdict| verdict.name());
        word.mistake(format!("a row cannot say `{name}`")).did_you_mean(name, known)
    })
}

fn range(node: &Node) -> Result<Range, Mistake> {
    let text = node.word()?;
    Range::read(text).map_err(|hint| node.mistake(format!("`{text}` is no range of versions")).hint(hint))
}

impl KnownResult {
    fn read(node: &Node, cases: &[Case]) -> Result<KnownResult, Mistake> {
        let fields = Fields::of(node, "a row of the baseline")?;
        let (case, transport) = (fields.required("case"), fields.optional("transport"));
        let (verdict, because) = (fields.required("verdict"), fields.required("because"));
        let (sometimes, versions) = (fields.optional("sometimes"), fields.optional("versions"));
        fields.deny_others()?;
        let case = case?;
        let id = case.word()?;
        let known = cases.iter().find(|known| known.id == id).ok_or_else(|| {
            let mistake = case.mistake(format!("there is no case `{id}`"));
            match closest(id, cases.iter().map(|known| known.id.as_str())) {
                Some(near) => mistake.hint(format!("did you mean `{near}`?")),
                None => mistake.hint("`sockrates list --conformance` shows them all"),
            }
        })?;
        let transport = match transport {
            None => None,
            Some(node) => {
                let transport = step::transport(node)?;
                if !known.scenario.transports.contains(&transport) {
                    let all = known.scenario.transports.iter().map(|transport| transport.name());
                    return Err(node
                        .mistake(format!("`{id}` is not played over {} by name", transport.name()))
                        .did_you_mean(transport.name(), all)
                        .hint("leave `transport` out"));
                }
                Some(transport)
            }
        };
        let verdict = listed(verdict?, &LISTED)?;
        let sometimes = sometimes.map(Node::bool).transpose()?.unwrap_or_default();
        Ok(KnownResult {
            case: id.to_owned(),
            transport,
            verdict,
            sometimes,
            versions: versions.map(range).transpose()?,
            because: because?.word()?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
