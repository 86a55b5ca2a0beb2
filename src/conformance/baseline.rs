//! A baseline: which cases are known not to pass on a server, and why, and which findings are known that no case of their
//! clause shows. With one, the suite fails only on what is new, and on what is listed and does not show any more. A blocked
//! case has no row: it stands and falls with the finding that blocks it.

use super::case::{Case, label};
use super::clauses::Clause;
use super::result::{BaselineResult, BaselineRow, CaseResult, FindingResult};
use super::verdict::Verdict;
use super::versions::{Range, Versions};
use crate::document::{Fields, Mistake, Node, Source, closest, parse};
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
    /// How many variants there are of all cases. Only the whole suite can show that a finding is gone.
    all: usize,
}

/// A clause that is known to be broken in whatever case.
#[derive(Clone, Debug, PartialEq, Eq)]
struct KnownFinding {
    clause: String,
    verdict: Verdict,
    /// It does not show in every run.
    sometimes: bool,
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

    /// Whether it is about other versions than those of the server.
    fn is_of_others(&self, versions: &Versions) -> bool {
        self.versions.as_ref().and_then(|range| range.holds(versions)) == Some(false)
    }
}

impl Baseline {
    /// Reads a baseline about these cases.
    ///
    /// # Errors
    /// The first mistake in it; a row about a case that is not there is one.
    pub fn read(source: &Source, cases: &[Case]) -> Result<Baseline, Mistake> {
        let root = parse(source)?;
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
            if findings.iter().any(|other| other.clause == row.clause) {
                return Err(node.mistake(format!("there is another row about `{}`", row.clause)));
            }
            findings.push(row);
        }
        let all = cases.iter().map(|case| case.variants().count()).sum();
        Ok(Baseline { server, versions, rows: read, findings, all })
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
        for result in results.iter().filter(|result| LISTED.contains(&result.verdict)) {
            let listed = self.row(result, versions).map(|row| row.verdict);
            if listed == Some(result.verdict) {
                known += 1;
                continue;
            }
            let is_it = |row: &&KnownResult| {
                row.is_about(&result.id, result.transport) && row.verdict == result.verdict
            };
            let elsewhere = self.rows.iter().filter(|row| row.is_of_others(versions)).find(is_it);
            let known_for = elsewhere.and_then(|row| Some(row.versions.as_ref()?.text().to_owned()));
            new.push(BaselineRow { case: result.label(), listed, now: result.verdict, known_for });
        }
        let passes_now = |row: &&KnownResult| {
            let mut about =
                results.iter().filter(|result| row.is_about(&result.id, result.transport)).peekable();
            about.peek().is_some() && about.all(|result| result.verdict == Verdict::Pass)
        };
        // Where the version is not known, a row about some versions need not show.
        let has_to_show = |row: &&KnownResult| {
            let range = row.versions.as_ref();
            !row.sometimes && range.is_none_or(|range| range.holds(versions) == Some(true))
        };
        let gone = self.rows.iter().filter(has_to_show).filter(passes_now).map(|row| BaselineRow {
            case: label(&row.case, row.transport),
            listed: Some(row.verdict),
            now: Verdict::Pass,
            known_for: None,
        });
        let mut gone: Vec<BaselineRow> = gone.collect();
        for (clause, now) in unshown(findings) {
            let listed = self.findings.iter().find(|row| row.clause == clause).map(|row| row.verdict);
            match listed == Some(now) {
                true => known += 1,
                false => new.push(BaselineRow { case: clause.to_owned(), listed, now, known_for: None }),
            }
        }
        let shows = |row: &KnownFinding| findings.iter().any(|one| one.clause.as_ref() == Some(&row.clause));
        let is_whole = results.len() >= self.all;
        gone.extend(self.findings.iter().filter(|row| is_whole && !row.sometimes && !shows(row)).map(
            |row| BaselineRow {
                case: row.clause.clone(),
                listed: Some(row.verdict),
                now: Verdict::Pass,
                known_for: None,
            },
        ));
        let others = self.versions.iter().filter(|range| range.holds(versions) == Some(false));
        let other_versions = others.map(|range| range.text().to_owned()).collect();
        BaselineResult { file, known, new, gone, other_versions }
    }

    /// The row about a variant on a server of these versions; one about its transport is more to the point than one about all.
    /// Where the versions are not known, the one that says what was seen.
    fn row(&self, result: &CaseResult, versions: &Versions) -> Option<&KnownResult> {
        let is_about =
            |row: &&KnownResult| row.is_about(&result.id, result.transport) && !row.is_of_others(versions);
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
        for result in results.iter().filter(|result| LISTED.contains(&result.verdict) && !stands(result)) {
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
        let kept = kept.filter(|row| !chosen(row) || stays(row) || row.is_of_others(versions));
        rows.extend(kept.cloned());
        rows.sort_by(|a, b| {
            (&a.case, a.transport.map(Transport::name)).cmp(&(&b.case, b.transport.map(Transport::name)))
        });
        let known_before = before.map_or(&[][..], |before| &before.findings);
        let found = unshown(findings).map(|(clause, verdict)| {
            let row = known_before.iter().find(|row| row.clause == clause && row.verdict == verdict);
            row.cloned().unwrap_or_else(|| KnownFinding {
                clause: clause.to_owned(),
                verdict,
                sometimes: false,
                because: UNCONFIRMED.to_owned(),
            })
        });
        let mut found: Vec<KnownFinding> = found.collect();
        let all = before.map_or(usize::MAX, |before| before.all);
        let stays = |row: &&KnownFinding| {
            let is_told = findings.iter().any(|one| one.clause.as_ref() == Some(&row.clause));
            !is_told && (row.sometimes || results.len() < all)
        };
        found.extend(known_before.iter().filter(stays).cloned());
        found.sort_by(|a, b| a.clause.cmp(&b.clause));
        found.dedup_by(|a, b| a.clause == b.clause);
        let server = before.map_or(server, |before| &before.server).to_owned();
        let versions = before.map_or_else(Vec::new, |before| before.versions.clone());
        Baseline { server, versions, rows, findings: found, all }
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
        for KnownFinding { clause, verdict, sometimes, because } in &self.findings {
            let sometimes = if *sometimes { " sometimes: true," } else { "" };
            let (clause, because) = (quoted(clause), quoted(because));
            let verdict = verdict.name();
            text.push_str(&format!(
                "  - {{ clause: {clause}, verdict: {verdict},{sometimes} because: {because} }}\n"
            ));
        }
        text
    }
}

/// The findings that no case of their clause shows by failing: its clause and what it says, each once. The others stand in the
/// rows of those cases.
fn unshown(findings: &[FindingResult]) -> impl Iterator<Item = (&str, Verdict)> {
    let mut told: Vec<&str> = Vec::new();
    findings.iter().filter(|one| one.failed.is_empty() && !one.is_death()).filter_map(move |one| {
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
mod tests {
    use super::*;
    use crate::conformance::example::{case, result};
    use crate::document::render;
    use Verdict::{Fail, Note, Pass, Skip, Warn};

    fn cases() -> Vec<Case> {
        vec![case("a/one", ""), case("a/two", "transports: [polling, upgrade]"), case("b/three", "")]
    }

    fn read(rows: &str) -> Result<Baseline, String> {
        let rows = match rows.strip_prefix("[]") {
            Some(rest) => format!(" []{rest}"),
            None => format!("\n{rows}"),
        };
        let source = Source { name: "known.yaml".into(), text: format!("server: x\ncases:{rows}") };
        Baseline::read(&source, &cases()).map_err(|mistake| render(&mistake, &source))
    }

    fn good(rows: &str) -> Baseline {
        read(rows).unwrap_or_else(|wrong| panic!("{wrong}"))
    }

    fn names(rows: &[BaselineRow]) -> Vec<(&str, Verdict)> {
        rows.iter().map(|row| (row.case.as_str(), row.now)).collect()
    }

    const POLLING: Option<Transport> = Some(Transport::Polling);
    const UPGRADE: Option<Transport> = Some(Transport::Upgrade);

    #[test]
    fn what_is_listed_is_known_and_everything_else_is_new() {
        let baseline = good(
            "- { case: a/one, verdict: fail, because: seen }\n- { case: a/two, verdict: warn, because: seen }",
        );
        let results = [
            result("a/one", None, Fail),
            result("a/two", POLLING, Warn),
            result("a/two", UPGRADE, Pass),
            result("b/three", None, Skip),
        ];
        let compared = baseline.compare("f".into(), &results, &[], &Versions::default());
        assert_eq!(compared.known, 2);
        assert_eq!(names(&compared.new), [("b/three", Skip)]);
        assert_eq!(names(&compared.gone), []);
    }

    #[test]
    fn another_verdict_than_the_listed_one_is_new() {
        let baseline = good("- { case: a/one, verdict: note, because: seen }");
        let compared =
            baseline.compare("f".into(), &[result("a/one", None, Fail)], &[], &Versions::default());
        assert_eq!(names(&compared.new), [("a/one", Fail)]);
        assert_eq!(compared.new[0].listed, Some(Note));
    }

    #[test]
    fn what_is_listed_and_passes_is_gone_unless_it_was_not_chosen() {
        let baseline = good(
            "- { case: a/two, transport: upgrade, verdict: warn, because: seen }\n\
             - { case: b/three, verdict: warn, because: seen }",
        );
        let compared =
            baseline.compare("f".into(), &[result("a/two", UPGRADE, Pass)], &[], &Versions::default());
        assert_eq!(names(&compared.gone), [("a/two@upgrade", Pass)]);
    }

    #[test]
    fn a_written_baseline_knows_everything_and_keeps_what_was_said() {
        let before = good(
            "- { case: a/one, verdict: fail, because: \"it says \\\"no\\\"\" }\n\
             - { case: b/three, verdict: warn, because: seen }",
        );
        let results =
            [result("a/one", None, Fail), result("a/two", POLLING, Warn), result("a/two", UPGRADE, Warn)];
        let written = Baseline::of("y", Some(&before), &results, &[], &Versions::default());
        let source = Source { name: "w".into(), text: written.text() };
        assert_eq!(
            source.text,
            "server: \"x\"\ncases:\n\
             \x20 - { case: \"a/one\", verdict: fail, because: \"it says \\\"no\\\"\" }\n\
             \x20 - { case: \"a/two\", verdict: warn, because: \"to be confirmed\" }\n\
             \x20 - { case: \"b/three\", verdict: warn, because: \"seen\" }\n"
        );
        let again = Baseline::read(&source, &cases()).expect("it was written here");
        assert_eq!(again, written);
        let compared = again.compare("f".into(), &results, &[], &Versions::default());
        assert_eq!((compared.known, compared.new.len(), compared.gone.len()), (3, 0, 0));
    }

    #[test]
    fn what_shows_sometimes_is_neither_new_nor_gone() {
        let baseline = good("- { case: a/one, verdict: warn, sometimes: true, because: a race }");
        for (verdict, known, new) in [(Warn, 1, 0), (Pass, 0, 0), (Fail, 0, 1), (Skip, 0, 1)] {
            let compared =
                baseline.compare("f".into(), &[result("a/one", None, verdict)], &[], &Versions::default());
            assert_eq!(
                (compared.known, compared.new.len(), compared.gone.len()),
                (known, new, 0),
                "{verdict:?}"
            );
        }
    }

    #[test]
    fn a_written_baseline_keeps_what_shows_sometimes_until_it_shows_otherwise() {
        let row = "- { case: \"a/one\", verdict: warn, sometimes: true, because: \"a race\" }";
        let before = good(row);
        for verdict in [Warn, Pass] {
            let written = Baseline::of(
                "x",
                Some(&before),
                &[result("a/one", None, verdict)],
                &[],
                &Versions::default(),
            );
            assert_eq!(written, before, "{verdict:?}");
            assert!(written.text().ends_with(&format!("  {row}\n")), "{}", written.text());
        }
        let written =
            Baseline::of("x", Some(&before), &[result("a/one", None, Fail)], &[], &Versions::default());
        let anew = Baseline::of("x", None, &[result("a/one", None, Fail)], &[], &Versions::default());
        assert_eq!(written.text(), anew.text());
    }

    #[test]
    fn what_shows_sometimes_over_one_transport_has_no_part_in_a_row_about_all() {
        let before = good(
            "- { case: a/two, verdict: fail, sometimes: true, because: a race }\n\
             - { case: a/two, transport: polling, verdict: fail, because: seen }",
        );
        for verdict in [Fail, Pass] {
            let results = [result("a/two", POLLING, Fail), result("a/two", UPGRADE, verdict)];
            assert_eq!(
                Baseline::of("x", Some(&before), &results, &[], &Versions::default()),
                before,
                "{verdict:?}"
            );
        }
    }

    #[test]
    fn variants_that_differ_have_rows_of_their_own() {
        let results = [result("a/two", POLLING, Pass), result("a/two", UPGRADE, Fail)];
        let written = Baseline::of("y", None, &results, &[], &Versions::default()).text();
        assert!(written.contains("case: \"a/two\", transport: upgrade, verdict: fail"), "{written}");
        assert!(!written.contains("polling"), "{written}");
    }

    #[test]
    fn a_server_without_any_deviation_has_an_empty_baseline() {
        let written = Baseline::of("y", None, &[result("a/one", None, Pass)], &[], &Versions::default());
        let source = Source { name: "w".into(), text: written.text() };
        assert_eq!(Baseline::read(&source, &cases()).map(|read| read.text()), Ok(written.text()));
    }

    fn finding(failed: &[&str]) -> FindingResult {
        let killer = result("a/one", None, Fail);
        let failed = failed.iter().map(|label| (*label).to_owned()).collect();
        let (rule, clause) = ("engine.poll-at-close".to_owned(), Some("EIO-CL-01".to_owned()));
        FindingResult {
            rule,
            clause,
            verdict: Warn,
            failed,
            ..FindingResult::death(String::new(), Some(&killer), Vec::new())
        }
    }

    #[test]
    fn a_finding_needs_a_row_of_its_own_where_no_case_of_its_clause_fails() {
        let known = "- { case: a/one, verdict: warn, because: seen }\n\
                     findings: [{ clause: EIO-CL-01, verdict: warn, because: seen }]";
        let (with, without) = (good(known), good("- { case: a/one, verdict: warn, because: seen }"));
        let cases = [result("a/one", None, Warn)];
        let compare = |baseline: &Baseline, failed: &[&str]| {
            let compared = baseline.compare("f".into(), &cases, &[finding(failed)], &Versions::default());
            let names = |rows: &[BaselineRow]| rows.iter().map(|row| row.case.clone()).collect::<Vec<_>>();
            (compared.known, names(&compared.new), names(&compared.gone))
        };
        assert_eq!(compare(&with, &[]), (2, vec![], vec![]));
        assert_eq!(compare(&without, &[]), (1, vec!["EIO-CL-01".to_owned()], vec![]));
        assert_eq!(compare(&without, &["a/one"]), (1, vec![], vec![]), "the row of the case is enough");
    }

    #[test]
    fn a_finding_is_gone_when_the_whole_suite_does_not_show_it() {
        let baseline = good("  []\nfindings: [{ clause: EIO-CL-01, verdict: warn, because: seen }]");
        let all = [
            result("a/one", None, Pass),
            result("a/two", POLLING, Pass),
            result("a/two", UPGRADE, Pass),
            result("b/three", None, Pass),
        ];
        assert_eq!(
            names(&baseline.compare("f".into(), &all, &[], &Versions::default()).gone),
            [("EIO-CL-01", Pass)]
        );
        assert_eq!(names(&baseline.compare("f".into(), &all[..3], &[], &Versions::default()).gone), []);
    }

    #[test]
    fn a_written_baseline_lists_findings_and_reads_back() {
        let before = good("  []\nfindings: [{ clause: EIO-CL-01, verdict: warn, because: seen }]");
        let written = Baseline::of("x", Some(&before), &[], &[finding(&[])], &Versions::default());
        assert_eq!(written, before);
        let source = Source { name: "w".into(), text: written.text() };
        assert_eq!(Baseline::read(&source, &cases()).map(|read| read.text()), Ok(written.text()));
    }

    #[test]
    fn a_row_that_is_wrong_is_told_with_its_place() {
        for (row, words) in [
            ("  []\nfindings: [{ clause: EIO-CL-99, verdict: warn, because: x }]", "no clause `EIO-CL-99`"),
            ("  []\nfindings: [{ clause: EIO-CL-01, verdict: skip, because: x }]", "a row cannot say `skip`"),
            ("- { case: a/oen, verdict: fail, because: x }", "did you mean `a/one`?"),
            ("- { case: telephone, verdict: fail, because: x }", "sockrates list --conformance"),
            ("- { case: a/one, verdict: pass, because: x }", "a row cannot say `pass`"),
            ("- { case: a/one, verdict: fial, because: x }", "did you mean `fail`?"),
            ("- { case: a/one, verdict: fail }", "needs the field `because`"),
            ("- { case: a/one, verdict: fail, because: \"\" }", "found an empty one"),
            ("- { case: a/one, transport: polling, verdict: fail, because: x }", "leave `transport` out"),
            ("- { case: a/two, transport: poling, verdict: fail, because: x }", "did you mean `polling`?"),
            ("- { case: a/one, verdict: fail, because: x, sometimes: often }", "expected `true` or `false`"),
            ("- { case: a/one, verdict: fail, because: x, why: y }", "unknown key `why`"),
            (
                "- { case: a/one, verdict: fail, because: x }\n- { case: a/one, verdict: note, because: x }",
                "another row about `a/one`",
            ),
        ] {
            let told = read(row).expect_err(row);
            assert!(told.contains(words) && told.contains("known.yaml:"), "{row}: {told}");
        }
    }

    #[test]
    fn a_row_about_other_versions_is_not_about_this_server_and_the_report_can_say_so() {
        let baseline = good(
            "- { case: a/one, verdict: note, versions: \"engine.io <6.6.13\", because: seen }\n\
             - { case: a/one, verdict: fail, versions: \"engine.io >=6.6.13\", because: seen }",
        );
        let server = |version: &str| {
            let mut versions = Versions::default();
            versions.note("engine.io", version);
            versions
        };
        let compare = |verdict, versions: &Versions| {
            let compared = baseline.compare("f".into(), &[result("a/one", None, verdict)], &[], versions);
            let new = compared.new.first();
            (compared.known, new.map(|row| row.known_for.clone()), compared.gone.len())
        };
        let elsewhere = Some(Some("engine.io <6.6.13".to_owned()));
        assert_eq!(compare(Note, &server("6.6.11")), (1, None, 0));
        assert_eq!(compare(Note, &server("6.6.13")), (0, elsewhere, 0));
        assert_eq!(compare(Pass, &server("6.6.13")), (0, None, 1));
        for verdict in [Note, Fail] {
            assert_eq!(compare(verdict, &Versions::default()), (1, None, 0), "{verdict:?}");
        }
        assert_eq!(compare(Pass, &Versions::default()), (0, None, 0));
        let written =
            Baseline::of("x", Some(&baseline), &[result("a/one", None, Note)], &[], &server("6.6.11"));
        assert_eq!(written, baseline);
    }
}
