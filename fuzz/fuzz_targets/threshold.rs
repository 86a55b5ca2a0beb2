//! Thresholds: what one says of itself in a report reads as the same demand.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockrates::document::{Mistake, Node, Span, Value};
use sockrates::threshold::Threshold;

fn read(text: &str) -> Result<Threshold, Mistake> {
    let node = Node { span: Span::default(), value: Value::Text(text.to_owned()) };
    Threshold::read(&node, &mut |name| match name {
        "crowd" => Ok(0),
        _ => Err(Mistake::new(Span::default(), "nobody is called that")),
    })
}

fuzz_target!(|text: &str| {
    let Ok(threshold) = read(text) else { return };
    let shown = threshold.to_string();
    let again = read(&shown).unwrap_or_else(|why| panic!("{shown}: {}", why.message));
    assert_eq!(
        (again.subject, again.of, again.relation),
        (threshold.subject, threshold.of, threshold.relation)
    );
});
