//! Templates and matchers: what is accepted can be filled in, the same each time where it is fixed, and compared with
//! whatever a server sends. The first line is the template, the rest what came.
#![no_main]

use std::borrow::Cow;

use libfuzzer_sys::fuzz_target;
use serde_json::{Value as Json, json};
use sockrates::document::{Source, parse};
use sockrates::template::{Matcher, Name, Scope, Template, Values};

/// A client of which some things are known.
struct Known;

impl Values for Known {
    fn get(&self, name: &Name) -> Option<Cow<'_, Json>> {
        match name {
            Name::N | Name::I | Name::Count => Some(Cow::Owned(json!(2))),
            Name::Group | Name::Row(_) => Some(Cow::Owned(json!("crowd"))),
            _ => None,
        }
    }

    fn random(&self, bound: u64) -> u64 {
        bound / 2
    }
}

fn scope() -> Scope {
    let mut scope = Scope::bare();
    let crowd = scope.add_group("crowd", 3, Some(vec!["name".to_owned()]));
    scope.add_group("bob", 1, None);
    scope.act(&[crowd]);
    scope
}

fuzz_target!(|text: &str| {
    let (written, came) = text.split_once('\n').unwrap_or((text, "null"));
    let source = Source { name: "fuzzed.yaml".to_owned(), text: written.to_owned() };
    let Ok(node) = parse(&source) else { return };
    if let Ok(template) = Template::compile(&node, &mut scope()) {
        let filled = template.render(&Known);
        if let Some(fixed) = template.fixed() {
            assert_eq!(filled.as_ref(), Ok(fixed));
        }
        assert_eq!(template.render_text(&Known).is_ok(), filled.is_ok());
        let _ = template.in_words();
    }
    if let Ok(matcher) = Matcher::compile(&node, &mut scope()) {
        let came: Json = serde_json::from_str(came).unwrap_or_default();
        let _ = matcher.matches(&came, &[], &Known);
        let _ = matcher.describe();
    }
});
