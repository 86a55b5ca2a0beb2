//! `set`: gives the client's names a value.

use super::schema::{self, Schema};
use super::{Cx, Progress, Reading, Step};
use crate::document::{Mistake, Node, Value};
use crate::template::{Slot, Template};

pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Result<Box<dyn Step>, Mistake> {
    let mut values = Vec::new();
    for (key, value) in node.map()? {
        // The value may use what the name stood for before, so it is read first.
        let value = Template::compile(value, reading.scope)?;
        let name = Node { span: key.span, value: Value::Text(key.text.clone()) };
        values.push((reading.scope.capture(&name)?, value));
    }
    if values.is_empty() {
        return Err(node.mistake("`set` sets nothing").hint("write it like `{ set: { turn: 1 } }`"));
    }
    Ok(Box::new(Set(values)))
}

pub(super) fn schema() -> Schema {
    let mut schema = schema::map(schema::value());
    schema["minProperties"] = 1.into();
    schema["propertyNames"] = schema::name();
    schema::told(schema, "Gives names of the client values.")
}

#[derive(Debug)]
struct Set(Vec<(Slot, Template)>);

impl Step for Set {
    fn words(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|(slot, _)| &*slot.name).collect();
        format!("sets {}", names.join(", "))
    }

    fn start<'p>(&'p self, cx: &mut Cx<'_, 'p>) -> Progress<'p> {
        for (slot, template) in &self.0 {
            match template.render(cx.actor) {
                Ok(value) => cx.actor.set(slot, value),
                Err(why) => cx.fail(format!("a value for `{}`", slot.name), why),
            }
        }
        Progress::Done
    }

    fn judges(&self) -> bool {
        false
    }

    fn stands_alone(&self) -> bool {
        true
    }
}
