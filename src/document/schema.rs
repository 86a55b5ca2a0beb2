//! Pieces of JSON Schema, out of which the rooms that read a file make the schema of what they read, for editors.
//!
//! The draft is 7, which every editor knows. What is named by [`named`] has to be among the definitions of the whole.

use serde_json::{Map, Value as Json, json};

/// The schema of a value.
pub type Schema = Json;

/// The schema of a map of fields: what has to be there, what may be there, and nothing else.
#[derive(Debug, Default)]
pub struct Shape {
    about: String,
    fields: Map<String, Json>,
    required: Vec<Json>,
    one_of: Vec<Json>,
    any_of: Vec<Json>,
}

impl Shape {
    /// A map without fields.
    pub fn new(about: impl Into<String>) -> Shape {
        Shape { about: about.into(), ..Shape::default() }
    }

    /// A field that has to be there.
    #[must_use]
    pub fn needs(mut self, name: &str, schema: Schema, about: &str) -> Shape {
        self.required.push(json!(name));
        self.takes(name, schema, about)
    }

    /// A field that may be there.
    #[must_use]
    pub fn takes(mut self, name: &str, schema: Schema, about: &str) -> Shape {
        self.fields.insert(name.to_owned(), told(schema, about));
        self
    }

    /// Exactly one of these fields has to be there.
    #[must_use]
    pub fn one_of(mut self, names: &[&str]) -> Shape {
        self.one_of = names.iter().map(|name| json!({ "required": [name] })).collect();
        self
    }

    /// At least one of these fields has to be there.
    #[must_use]
    pub fn any_of(mut self, names: &[&str]) -> Shape {
        self.any_of = names.iter().map(|name| json!({ "required": [name] })).collect();
        self
    }

    /// The schema.
    pub fn schema(self) -> Schema {
        let mut schema = json!({
            "description": self.about,
            "type": "object",
            "properties": self.fields,
            "additionalProperties": false,
        });
        if !self.required.is_empty() {
            schema["required"] = Json::Array(self.required);
        }
        for (key, choices) in [("oneOf", self.one_of), ("anyOf", self.any_of)] {
            if !choices.is_empty() {
                schema[key] = Json::Array(choices);
            }
        }
        schema
    }
}

/// The same with a sentence that an editor shows.
pub fn told(mut schema: Schema, about: &str) -> Schema {
    schema["description"] = json!(about);
    schema
}

/// What is defined under this name.
pub fn named(name: &str) -> Schema {
    json!({ "$ref": format!("#/definitions/{name}") })
}

/// Text.
pub fn text() -> Schema {
    json!({ "type": "string" })
}

/// Text of at least one character.
pub fn word() -> Schema {
    json!({ "type": "string", "minLength": 1 })
}

/// Text that a regular expression fits.
pub fn fitting(pattern: &str) -> Schema {
    json!({ "type": "string", "pattern": pattern })
}

/// `true` or `false`.
pub fn flag() -> Schema {
    json!({ "type": "boolean" })
}

/// A whole number within bounds, both included.
pub fn whole(bounds: std::ops::RangeInclusive<i64>) -> Schema {
    let (low, high) = bounds.into_inner();
    match high {
        i64::MAX => json!({ "type": "integer", "minimum": low }),
        _ => json!({ "type": "integer", "minimum": low, "maximum": high }),
    }
}

/// One of these words.
pub fn words<'w>(words: impl IntoIterator<Item = &'w str>) -> Schema {
    json!({ "enum": words.into_iter().collect::<Vec<_>>() })
}

/// A list.
pub fn list(of: Schema) -> Schema {
    json!({ "type": "array", "items": of })
}

/// A list with something in it.
pub fn some(of: Schema) -> Schema {
    json!({ "type": "array", "items": of, "minItems": 1 })
}

/// A map of any names.
pub fn map(of: Schema) -> Schema {
    json!({ "type": "object", "additionalProperties": of })
}

/// Nothing.
pub fn nothing() -> Schema {
    json!({ "type": "null" })
}

/// Any of these.
pub fn either<const N: usize>(schemas: [Schema; N]) -> Schema {
    json!({ "anyOf": schemas.to_vec() })
}

/// One, or a list of such.
pub fn one_or_more(of: Schema) -> Schema {
    either([of.clone(), list(of)])
}
