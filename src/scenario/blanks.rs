//! Variables whose values an import could not know, and that nobody has filled in: what comes of them says nothing of a server.

use super::uncaptured::entry;
use crate::document::{Key, Mistake, Node, Value};

/// What a variable has for a value until somebody fills it in.
pub(crate) const BLANK: &str = "fill me in";

/// A warning for each of them, but for those that the command line sets.
pub(super) fn warnings(root: &Node, sets: &[(String, String)]) -> Vec<Mistake> {
    let common = blank(entry(root, "vars")).filter(|(name, _)| sets.iter().all(|(set, _)| *set != name.text));
    let common = common.map(|(name, value)| {
        let name = &name.text;
        warning(name, value).hint(format!("write its value here, or say `--set {name}=…`"))
    });
    let groups = entry(root, "clients").and_then(|groups| groups.map().ok()).unwrap_or_default();
    let own = groups.iter().flat_map(|(_, group)| blank(entry(group, "vars")));
    common.chain(own.map(|(name, value)| warning(&name.text, value).hint("write its value here"))).collect()
}

fn blank(vars: Option<&Node>) -> impl Iterator<Item = &(Key, Node)> {
    let vars = vars.and_then(|vars| vars.map().ok()).unwrap_or_default();
    vars.iter().filter(|(_, value)| matches!(&value.value, Value::Text(text) if text == BLANK))
}

fn warning(name: &str, value: &Node) -> Mistake {
    Mistake::new(value.span, format!("the variable `{name}` is not filled in yet"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Source, parse};

    #[test]
    fn a_variable_that_nobody_has_filled_in_is_told_unless_the_command_line_sets_it() {
        let text = "vars: { token: fill me in, pin: fill me in, room: hall }\n\
                    clients: { ann: { vars: { key: fill me in } }, bob: 1 }";
        let root = parse(&Source { name: "t".into(), text: text.into() }).expect("it is YAML");
        let told = |sets: &[(&str, &str)]| {
            let sets: Vec<_> =
                sets.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
            warnings(&root, &sets).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let names =
            |told: Vec<String>| ["token", "pin", "key"].map(|name| told.iter().any(|one| one.contains(name)));
        assert_eq!(names(told(&[])), [true; 3]);
        assert_eq!(names(told(&[("token", "abc")])), [false, true, true]);
        assert_eq!(told(&[]).len(), 3);
    }
}
