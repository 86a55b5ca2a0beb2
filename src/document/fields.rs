//! Reading a map field by field: what was asked for is what may be there.

use std::cell::RefCell;

use super::forms::form;
use super::{Key, Mistake, Node, Span, closest};

/// A reader over one map. It remembers which keys were asked for; [`Fields::deny_others`] at the end refuses
/// the rest, so the list of known keys is never written twice.
///
/// `null` is a value like any other: a key with nothing after it is there, and the accessor of the wanted
/// type refuses it in words (`expected text, found nothing`).
#[derive(Debug)]
pub struct Fields<'n> {
    what: String,
    span: Span,
    entries: &'n [(Key, Node)],
    asked: RefCell<Vec<&'static str>>,
}

impl<'n> Fields<'n> {
    /// A reader of this node, which has to be a map. `what` names it in sentences: "the step `emit`".
    pub fn of(node: &'n Node, what: impl Into<String>) -> Result<Fields<'n>, Mistake> {
        let what = what.into();
        let entries = node.map().map_err(|_| {
            node.colon_missing().unwrap_or_else(|| {
                let mistake =
                    node.mistake(format!("expected a map of fields for {what}, found {}", node.describe()));
                match form(&what) {
                    Some(form) => mistake.hint(form),
                    None => mistake,
                }
            })
        })?;
        Ok(Fields { what, span: node.span, entries, asked: RefCell::default() })
    }

    /// The value of a field that has to be there.
    pub fn required(&self, name: &'static str) -> Result<&'n Node, Mistake> {
        self.optional(name).ok_or_else(|| self.missing(name))
    }

    /// The value of a field that may be there.
    pub fn optional(&self, name: &'static str) -> Option<&'n Node> {
        self.entry(name).map(|(_, node)| node)
    }

    /// The field with its key, for mistakes that stand at the key.
    pub fn entry(&self, name: &'static str) -> Option<(&'n Key, &'n Node)> {
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&name) {
            asked.push(name);
        }
        self.entries.iter().find(|(key, _)| key.text == name).map(|(key, node)| (key, node))
    }

    /// Exactly one of these fields, for steps that come in kinds.
    pub fn one_of(&self, names: &[&'static str]) -> Result<(&'static str, &'n Node), Mistake> {
        let mut found = names.iter().filter_map(|&name| Some((name, self.entry(name)?)));
        let either = || names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let Some((name, (_, node))) = found.next() else {
            self.deny_others()?;
            return Err(Mistake::new(self.span, format!("{} needs one of {}", self.what, either())));
        };
        match found.next() {
            None => Ok((name, node)),
            Some((_, (key, _))) => Err(key.mistake(format!("{} takes only one of {}", self.what, either()))),
        }
    }

    /// Where the map stands.
    pub fn span(&self) -> Span {
        self.span
    }

    /// Refuses what nobody asked for. Call it after the last field was read.
    pub fn deny_others(&self) -> Result<(), Mistake> {
        let asked = self.asked.borrow();
        match self.entries.iter().find(|(key, _)| !asked.contains(&key.text.as_str())) {
            None => Ok(()),
            Some((key, node)) => Err(without_colon(key, node, &asked).unwrap_or_else(|| {
                key.mistake(format!("unknown key `{}` in {}", key.text, self.what))
                    .did_you_mean(&key.text, asked.iter().copied())
            })),
        }
    }

    /// A missing field; where an unknown key comes close to it, that is the better sentence.
    fn missing(&self, name: &'static str) -> Mistake {
        let slip = self.entries.iter().find_map(|(key, node)| without_colon(key, node, &[name]));
        if let Some(slip) = slip {
            return slip;
        }
        let typo = self.entries.iter().find(|(key, _)| {
            !self.asked.borrow().contains(&key.text.as_str()) && closest(&key.text, [name]).is_some()
        });
        match typo {
            Some((key, _)) => key
                .mistake(format!("unknown key `{}` in {}", key.text, self.what))
                .did_you_mean(&key.text, [name]),
            None => Mistake::new(self.span, format!("{} needs the field `{name}`", self.what)),
        }
    }
}

/// `{ event news, args: [1] }`: what YAML reads as the key `event news` without a value.
fn without_colon(key: &Key, node: &Node, known: &[&str]) -> Option<Mistake> {
    let (name, value) = key.text.split_once([' ', ':']).filter(|_| node.is_null())?;
    known.contains(&name).then(|| {
        let what = if key.text.contains(' ') {
            "colon is missing after"
        } else {
            "space is missing after the colon of"
        };
        key.mistake(format!("a {what} `{name}`")).hint(format!("write `{name}: {}`", value.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Source, parse};
    use super::*;

    fn node(text: &str) -> Node {
        parse(&Source { name: "t".into(), text: text.into() }).unwrap()
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_key_that_was_meant() {
        let node = node("event: news\nwihtin: 1s\n");
        let fields = Fields::of(&node, "the step `expect`").unwrap();
        assert_eq!(fields.required("event").unwrap().text(), Ok("news"));
        assert!(fields.optional("within").is_none());
        let mistake = fields.deny_others().unwrap_err();
        assert_eq!(mistake.message, "unknown key `wihtin` in the step `expect`");
        assert_eq!(mistake.hint.as_deref(), Some("did you mean `within`?"));
        assert_eq!((mistake.span.line, mistake.span.column), (2, 1));
    }

    #[test]
    fn a_key_far_from_all_is_answered_with_the_list_of_them() {
        let node = node("colour: red\n");
        let fields = Fields::of(&node, "the step `wait`").unwrap();
        fields.optional("for");
        fields.optional("until");
        assert_eq!(fields.deny_others().unwrap_err().hint.as_deref(), Some("known here: `for`, `until`"));
    }

    #[test]
    fn a_missing_field_is_named_unless_it_is_there_misspelt() {
        let there = node("evnt: news\n");
        let mistake = Fields::of(&there, "the step `emit`").unwrap().required("event").unwrap_err();
        assert_eq!(mistake.message, "unknown key `evnt` in the step `emit`");
        let absent = node("args: []\n");
        let mistake = Fields::of(&absent, "the step `emit`").unwrap().required("event").unwrap_err();
        assert_eq!(mistake.message, "the step `emit` needs the field `event`");
    }

    #[test]
    fn a_key_whose_colon_is_missing_is_told_from_an_unknown_one() {
        for (text, message) in [
            ("{ event news }", "a colon is missing after `event`"),
            ("{ event:news }", "a space is missing after the colon of `event`"),
        ] {
            let node = node(text);
            let mistake = Fields::of(&node, "the step `emit`").unwrap().required("event").unwrap_err();
            assert_eq!(mistake.message, message);
            assert_eq!(mistake.hint.as_deref(), Some("write `event: news`"));
        }
    }

    #[test]
    fn a_field_with_nothing_after_it_is_there_and_null() {
        let node = node("event:\n");
        let fields = Fields::of(&node, "the step `emit`").unwrap();
        let mistake = fields.required("event").unwrap().text().unwrap_err();
        assert_eq!(mistake.message, "expected text, found nothing");
        assert_eq!((mistake.span.line, mistake.span.column), (1, 1));
    }

    #[test]
    fn exactly_one_of_several_kinds_is_taken() {
        let kinds = ["get", "post"];
        let of = |text| {
            let node = node(text);
            let fields = Fields::of(&node, "the step `http`").unwrap();
            fields.one_of(&kinds).map(|(name, _)| name).map_err(|mistake| mistake.message)
        };
        assert_eq!(of("get: poll"), Ok("get"));
        assert_eq!(of("{}"), Err("the step `http` needs one of `get`, `post`".into()));
        assert_eq!(of("get: a\npost: b"), Err("the step `http` takes only one of `get`, `post`".into()));
        assert_eq!(of("gte: a"), Err("unknown key `gte` in the step `http`".into()));
    }
}
