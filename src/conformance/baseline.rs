//! A baseline: which cases are known not to pass on a server, and why. With one, the suite fails only on what is new,
//! and on what is listed and passes by now.

use super::case::{Case, label};
use super::result::{BaselineResult, BaselineRow, CaseResult};
use super::verdict::Verdict;
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
    rows: Vec<KnownResult>,
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
    because: String,
}

impl KnownResult {
    fn is_about(&self, id: &str, transport: Option<Transport>) -> bool {
        self.case == id && (self.transport.is_none() || self.transport == transport)
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
        fields.deny_others()?;
        let server = server?.word()?.to_owned();
        let mut read: Vec<KnownResult> = Vec::new();
        for node in rows?.list()? {
            let row = KnownResult::read(node, cases)?;
            if read.iter().any(|other| other.case == row.case && other.transport == row.transport) {
                return Err(node
                    .mistake(format!("there is another row about `{}`", label(&row.case, row.transport)))
                    .hint("a case has one row, or one for each transport"));
            }
            read.push(row);
        }
        Ok(Baseline { server, rows: read })
    }

    /// How verdicts compare with it. Rows about cases that were not chosen say nothing.
    pub fn compare(&self, file: String, results: &[CaseResult]) -> BaselineResult {
        let mut known = 0;
        let mut new = Vec::new();
        for result in results.iter().filter(|result| LISTED.contains(&result.verdict)) {
            let listed = self.row(result).map(|row| row.verdict);
            match listed == Some(result.verdict) {
                true => known += 1,
                false => new.push(BaselineRow { case: result.label(), listed, now: result.verdict }),
            }
        }
        let passes_now = |row: &&KnownResult| {
            let mut about =
                results.iter().filter(|result| row.is_about(&result.id, result.transport)).peekable();
            about.peek().is_some() && about.all(|result| result.verdict == Verdict::Pass)
        };
        let gone = self.rows.iter().filter(|row| !row.sometimes).filter(passes_now).map(|row| BaselineRow {
            case: label(&row.case, row.transport),
            listed: Some(row.verdict),
            now: Verdict::Pass,
        });
        BaselineResult { file, known, new, gone: gone.collect() }
    }

    /// The row about a variant; one about its transport is more to the point than one about all.
    fn row(&self, result: &CaseResult) -> Option<&KnownResult> {
        let mut about: Vec<&KnownResult> =
            self.rows.iter().filter(|row| row.is_about(&result.id, result.transport)).collect();
        about.sort_by_key(|row| row.transport.is_none());
        about.first().copied()
    }

    /// A baseline that lists what did not pass. What an older one says of cases that were not chosen stays, and so do
    /// its reasons, and what it says of cases that sometimes pass.
    pub fn of(server: &str, before: Option<&Baseline>, results: &[CaseResult]) -> Baseline {
        let mut rows: Vec<KnownResult> = Vec::new();
        let stays = |row: &KnownResult| before.is_some_and(|before| before.holds_sometimes(row, results));
        let stands = |result: &CaseResult| before.and_then(|before| before.row(result)).is_some_and(stays);
        for result in results.iter().filter(|result| LISTED.contains(&result.verdict) && !stands(result)) {
            let because = before
                .and_then(|before| before.row(result))
                .filter(|row| row.verdict == result.verdict)
                .map_or(UNCONFIRMED, |row| &row.because);
            // All variants alike are one row.
            let alike = results.iter().filter(|other| other.id == result.id);
            let is_one = alike.clone().all(|other| other.verdict == result.verdict && !stands(other));
            let transport = result.transport.filter(|_| !is_one || alike.count() == 1);
            let row = KnownResult {
                case: result.id.clone(),
                transport,
                verdict: result.verdict,
                sometimes: false,
                because: because.to_owned(),
            };
            if !rows.iter().any(|other| other.case == row.case && other.transport == row.transport) {
                rows.push(row);
            }
        }
        let chosen =
            |row: &KnownResult| results.iter().any(|result| row.is_about(&result.id, result.transport));
        let kept = before.map_or(&[][..], |before| &before.rows).iter();
        let kept = kept.filter(|row| !chosen(row) || stays(row));
        rows.extend(kept.cloned());
        rows.sort_by(|a, b| {
            (&a.case, a.transport.map(Transport::name)).cmp(&(&b.case, b.transport.map(Transport::name)))
        });
        Baseline { server: before.map_or(server, |before| &before.server).to_owned(), rows }
    }

    /// Whether a row says that its deviation shows sometimes, and no result says otherwise.
    fn holds_sometimes(&self, row: &KnownResult, results: &[CaseResult]) -> bool {
        let mut about = results.iter().filter(|result| self.row(result) == Some(row));
        row.sometimes && about.all(|result| [Verdict::Pass, row.verdict].contains(&result.verdict))
    }

    /// The content of a file that reads back as this baseline.
    pub fn text(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let mut text = format!("server: {}\ncases:", quoted(&self.server));
        if self.rows.is_empty() {
            text.push_str(" []");
        }
        for KnownResult { case, transport, verdict, sometimes, because } in &self.rows {
            let transport = transport.map(|transport| format!(" transport: {},", transport.name()));
            text.push_str(&format!(
                "\n  - {{ case: {},{} verdict: {},{} because: {} }}",
                quoted(case),
                transport.unwrap_or_default(),
                verdict.name(),
                if *sometimes { " sometimes: true," } else { "" },
                quoted(because)
            ));
        }
        text.push('\n');
        text
    }
}

impl KnownResult {
    fn read(node: &Node, cases: &[Case]) -> Result<KnownResult, Mistake> {
        let fields = Fields::of(node, "a row of the baseline")?;
        let (case, transport) = (fields.required("case"), fields.optional("transport"));
        let (verdict, because) = (fields.required("verdict"), fields.required("because"));
        let sometimes = fields.optional("sometimes");
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
        let word = verdict?;
        let name = word.text()?;
        let verdict = LISTED.into_iter().find(|verdict| verdict.name() == name).ok_or_else(|| {
            word.mistake(format!("a row cannot say `{name}`")).did_you_mean(name, LISTED.map(Verdict::name))
        })?;
        let sometimes = sometimes.map(Node::bool).transpose()?.unwrap_or_default();
        Ok(KnownResult {
            case: id.to_owned(),
            transport,
            verdict,
            sometimes,
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
        let source = Source { name: "known.yaml".into(), text: format!("server: x\ncases:\n{rows}") };
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
        let compared = baseline.compare("f".into(), &results);
        assert_eq!(compared.known, 2);
        assert_eq!(names(&compared.new), [("b/three", Skip)]);
        assert_eq!(names(&compared.gone), []);
    }

    #[test]
    fn another_verdict_than_the_listed_one_is_new() {
        let baseline = good("- { case: a/one, verdict: note, because: seen }");
        let compared = baseline.compare("f".into(), &[result("a/one", None, Fail)]);
        assert_eq!(names(&compared.new), [("a/one", Fail)]);
        assert_eq!(compared.new[0].listed, Some(Note));
    }

    #[test]
    fn what_is_listed_and_passes_is_gone_unless_it_was_not_chosen() {
        let baseline = good(
            "- { case: a/two, transport: upgrade, verdict: warn, because: seen }\n\
             - { case: b/three, verdict: warn, because: seen }",
        );
        let compared = baseline.compare("f".into(), &[result("a/two", UPGRADE, Pass)]);
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
        let written = Baseline::of("y", Some(&before), &results);
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
        let compared = again.compare("f".into(), &results);
        assert_eq!((compared.known, compared.new.len(), compared.gone.len()), (3, 0, 0));
    }

    #[test]
    fn what_shows_sometimes_is_neither_new_nor_gone() {
        let baseline = good("- { case: a/one, verdict: warn, sometimes: true, because: a race }");
        for (verdict, known, new) in [(Warn, 1, 0), (Pass, 0, 0), (Fail, 0, 1), (Skip, 0, 1)] {
            let compared = baseline.compare("f".into(), &[result("a/one", None, verdict)]);
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
            let written = Baseline::of("x", Some(&before), &[result("a/one", None, verdict)]);
            assert_eq!(written, before, "{verdict:?}");
            assert!(written.text().ends_with(&format!("  {row}\n")), "{}", written.text());
        }
        let written = Baseline::of("x", Some(&before), &[result("a/one", None, Fail)]);
        assert_eq!(written, Baseline::of("x", None, &[result("a/one", None, Fail)]));
    }

    #[test]
    fn what_shows_sometimes_over_one_transport_has_no_part_in_a_row_about_all() {
        let before = good(
            "- { case: a/two, verdict: fail, sometimes: true, because: a race }\n\
             - { case: a/two, transport: polling, verdict: fail, because: seen }",
        );
        for verdict in [Fail, Pass] {
            let results = [result("a/two", POLLING, Fail), result("a/two", UPGRADE, verdict)];
            assert_eq!(Baseline::of("x", Some(&before), &results), before, "{verdict:?}");
        }
    }

    #[test]
    fn variants_that_differ_have_rows_of_their_own() {
        let results = [result("a/two", POLLING, Pass), result("a/two", UPGRADE, Fail)];
        let written = Baseline::of("y", None, &results).text();
        assert!(written.contains("case: \"a/two\", transport: upgrade, verdict: fail"), "{written}");
        assert!(!written.contains("polling"), "{written}");
    }

    #[test]
    fn a_server_without_any_deviation_has_an_empty_baseline() {
        let written = Baseline::of("y", None, &[result("a/one", None, Pass)]);
        let source = Source { name: "w".into(), text: written.text() };
        assert_eq!(Baseline::read(&source, &cases()), Ok(written));
    }

    #[test]
    fn a_row_that_is_wrong_is_told_with_its_place() {
        for (row, words) in [
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
}
