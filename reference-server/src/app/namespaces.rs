//! The namespaces of the fixture: a new one is a line in [`TABLE`].

use crate::socket::namespace::{Definition, Name, Refusal};

/// Every namespace of the fixture.
pub(crate) const TABLE: &[Definition] = &[
    Definition { name: Name::Exactly("/"), guard: None },
    Definition { name: Name::Exactly("/custom"), guard: None },
    Definition { name: Name::Numbered("/dyn-"), guard: None },
    Definition { name: Name::Exactly("/guard"), guard: Some(token_is_ok) },
];

fn token_is_ok(auth: &str) -> Option<Refusal> {
    let auth: serde_json::Value = serde_json::from_str(auth).unwrap_or_default();
    (auth["token"] != "ok").then_some(Refusal { message: "nope", data: Some(r#"{"code":7}"#) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_covers_the_namespaces_of_the_fixture_and_no_others() {
        let known = |name: &str| TABLE.iter().any(|definition| definition.name.covers(name));
        for name in ["/", "/custom", "/dyn-1", "/dyn-007", "/guard"] {
            assert!(known(name), "{name}");
        }
        for name in ["", "/random", "/dyn-", "/dyn-x", "/dyn-1x", "/customs", "/custom?t=1", "/dyn-1/"] {
            assert!(!known(name), "{name}");
        }
    }

    #[test]
    fn the_guard_wants_the_token_and_says_why() {
        assert!(token_is_ok(r#"{"token":"ok"}"#).is_none());
        for auth in ["{}", r#"{"token":"no"}"#, r#"{"token":["ok"]}"#] {
            let refusal = token_is_ok(auth).unwrap();
            assert_eq!(refusal.json(), r#"{"message":"nope","data":{"code":7}}"#);
        }
    }
}
