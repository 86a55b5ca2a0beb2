//! Suites of tests as the XML of JUnit, as continuous integration reads it.
//!
//! Spec: the schema of Apache Maven Surefire, and XML 1.0 for the characters that a text may have.

use std::time::Duration;

use maud::{Markup, PreEscaped, html};

/// Tests that belong together.
#[derive(Debug, Default)]
pub(crate) struct Suite {
    pub(crate) name: String,
    pub(crate) time: Option<Duration>,
    pub(crate) properties: Vec<(&'static str, String)>,
    pub(crate) tests: Vec<Test>,
}

/// A test.
#[derive(Debug, Default)]
pub(crate) struct Test {
    pub(crate) name: String,
    /// What readers group tests by.
    pub(crate) class: String,
    pub(crate) time: Option<Duration>,
    pub(crate) outcome: Outcome,
    /// What it printed.
    pub(crate) output: Option<String>,
}

/// What came of a test.
#[derive(Debug, Default)]
pub(crate) enum Outcome {
    #[default]
    Passed,
    Skipped(Reason),
    Failed(Reason),
    /// It could not be decided.
    Error(Reason),
}

/// Why a test did not pass.
#[derive(Debug, Default)]
pub(crate) struct Reason {
    /// In a line.
    pub(crate) message: String,
    /// Of which kind it is.
    pub(crate) of: Option<&'static str>,
    pub(crate) full: Option<String>,
}

impl Test {
    /// One that passed, unless more is said.
    pub(crate) fn new(name: impl Into<String>, outcome: Outcome) -> Test {
        Test { name: name.into(), outcome, ..Test::default() }
    }

    /// Whether it makes the file one of a run that went wrong. A test that was skipped does not.
    pub(crate) fn is_wrong(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_) | Outcome::Error(_))
    }
}

/// The whole file.
pub(crate) fn to_xml(name: &str, suites: &[Suite]) -> String {
    let [tests, skipped, failures, errors] = counts(suites);
    let markup = html! {
        testsuites name=(text(name)) tests=(tests) skipped=(skipped) failures=(failures) errors=(errors) {
            @for suite in suites { "\n  " (suite_in_xml(suite)) }
            "\n"
        }
    };
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", markup.into_string())
}

/// How many tests there are, and how many of them were skipped, failed and could not be decided.
fn counts(suites: &[Suite]) -> [usize; 4] {
    let of = |is_it: fn(&Outcome) -> bool| {
        suites.iter().flat_map(|suite| &suite.tests).filter(|test| is_it(&test.outcome)).count()
    };
    [
        of(|_| true),
        of(|outcome| matches!(outcome, Outcome::Skipped(_))),
        of(|outcome| matches!(outcome, Outcome::Failed(_))),
        of(|outcome| matches!(outcome, Outcome::Error(_))),
    ]
}

fn suite_in_xml(suite: &Suite) -> Markup {
    let [tests, skipped, failures, errors] = counts(std::slice::from_ref(suite));
    html! {
        testsuite name=(text(&suite.name)) tests=(tests) skipped=(skipped) errors=(errors) failures=(failures)
            time=[suite.time.map(seconds)]
        {
            @if !suite.properties.is_empty() {
                "\n    "
                properties {
                    @for (name, value) in &suite.properties {
                        "\n      " property name=(name) value=(text(value)) {}
                    }
                    "\n    "
                }
            }
            @for test in &suite.tests { "\n    " (test_in_xml(test)) }
            "\n  "
        }
    }
}

fn test_in_xml(test: &Test) -> Markup {
    html! {
        testcase name=(text(&test.name)) classname=(text(&test.class)) time=[test.time.map(seconds)] {
            @match &test.outcome {
                Outcome::Passed => {}
                Outcome::Skipped(Reason { message, of, full }) => {
                    skipped message=(text(message)) type=[*of] { (text(full.as_deref().unwrap_or_default())) }
                }
                Outcome::Failed(Reason { message, of, full }) => {
                    failure message=(text(message)) type=[*of] { (text(full.as_deref().unwrap_or_default())) }
                }
                Outcome::Error(Reason { message, of, full }) => {
                    error message=(text(message)) type=[*of] { (text(full.as_deref().unwrap_or_default())) }
                }
            }
            @if let Some(output) = &test.output { system-out { (text(output)) } }
        }
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64())
}

/// A text without the characters that XML has no place for, with the others as they may stand between tags and quotes.
fn text(text: &str) -> PreEscaped<String> {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    PreEscaped(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use quick_junit::{Report, TestCaseStatus};

    use super::*;

    fn read(suites: &[Suite]) -> Report {
        let xml = to_xml("all", suites);
        Report::deserialize_from_str(&xml).unwrap_or_else(|error| panic!("{error}\n{xml}"))
    }

    fn suite(tests: Vec<Test>) -> Suite {
        let time = Some(Duration::from_micros(1_234_567));
        Suite { name: "a suite".to_owned(), time, properties: vec![("seed", "1".to_owned())], tests }
    }

    #[test]
    fn a_reader_finds_every_test_and_what_came_of_it() {
        let because = |message: &str| Reason { message: message.to_owned(), ..Reason::default() };
        let full = Reason { of: Some("check"), full: Some("in full".to_owned()), ..because("failed") };
        let tests = vec![
            Test { output: Some("printed".to_owned()), ..Test::new("a", Outcome::Passed) },
            Test::new("b", Outcome::Skipped(because("not there"))),
            Test::new("c", Outcome::Failed(full)),
            Test::new("d", Outcome::Error(because("nobody knows"))),
        ];
        let report = read(&[suite(tests), suite(Vec::new())]);
        assert_eq!((report.tests, report.failures, report.errors), (4, 1, 1));
        let suite = &report.test_suites[0];
        assert_eq!((suite.time, suite.skipped), (Some(Duration::from_millis(1235)), 1));
        assert_eq!(suite.test_cases[0].system_out.as_ref().map(|out| out.as_str()), Some("printed"));
        let TestCaseStatus::NonSuccess { message, ty, description, .. } = &suite.test_cases[2].status else {
            panic!("{:?}", suite.test_cases[2]);
        };
        let said = [message, ty, description].map(|said| said.as_ref().map(|said| said.as_str()));
        assert_eq!(said, [Some("failed"), Some("check"), Some("in full")]);
    }

    proptest! {
        #[test]
        fn what_a_server_wrote_harms_no_reader(text: String) {
            let reason = Reason { message: text.clone(), of: None, full: Some(text.clone()) };
            let mut test = Test::new(text.clone(), Outcome::Failed(reason));
            (test.class, test.output) = (text.clone(), Some(text.clone()));
            let report = read(&[Suite { properties: vec![("file", text.clone())], name: text, tests: vec![test], time: None }]);
            prop_assert_eq!(report.failures, 1);
        }
    }
}
