use proptest::prelude::*;

use super::*;

#[test]
fn the_parameter_j_asks_for_jsonp_and_numbers_the_function() {
    for (query, j) in
        [("", None), ("a=j", None), ("j=0", Some("0")), ("a=b&j=12", Some("12")), ("j=%3Ca3", Some("3"))]
    {
        assert_eq!(asked_by(query).as_deref(), j, "{query}");
    }
}

#[test]
fn a_call_brings_the_payload_that_a_page_would_see() {
    for (body, payload) in [
        (r#"___eio[4]("packet data");"#, "packet data"),
        (r#"___eio[4]( "a" ) ; "#, "a"),
        (r#"___eio[4]("a")"#, "a"),
        (r"___eio[4]('it\'s');", "it's"),
        (
            r#"___eio[4]("\"\\\/\b\f\n\r\t\v\0\x41\u0041\u{1F600}");"#,
            "\"\\/\u{8}\u{c}\n\r\t\u{b}\0AA\u{1F600}",
        ),
        (r#"___eio[4]("\ud83d\ude00 \ud83d \ude00\ud83d");"#, "\u{1F600} \u{fffd} \u{fffd}\u{fffd}"),
        ("___eio[4](\"a\\\r\nb\\\nc\");", "abc"),
        ("___eio[4](\"4\u{2028}\u{1e}4\");", "4\u{2028}\u{1e}4"),
    ] {
        assert_eq!(payload_of(body.as_bytes(), "4").as_deref(), Ok(payload), "{body}");
    }
}

#[test]
fn what_is_no_call_of_the_function_is_a_violation_that_shows_what_came() {
    for body in [
        "",
        "0{}",
        r#"___eio[5]("a");"#,
        r#"___eio[44]("a");"#,
        r#"___eio["#,
        r#"___eio[4](a);"#,
        r#"___eio[4]("a"#,
        r#"___eio[4]("a');"#,
        r#"___eio[4]("a";"#,
        r#"___eio[4]("a"); more()"#,
        r#"___eio[4]("say "hi"");"#,
        "___eio[4](\"a\nb\");",
        r#"___eio[4]("\x4");"#,
        r#"___eio[4]("\u00g0");"#,
        r#"___eio[4]("\u{110000}");"#,
        r#"___eio[4]("\"#,
    ] {
        let violation = payload_of(body.as_bytes(), "4").expect_err(body);
        assert_eq!(violation.rule, Rule::Jsonp);
        assert!(violation.detail.ends_with("came for the number \"4\""), "{violation}");
    }
    assert!(payload_of(b"___eio[4](\"\xff\");", "4").is_err());
}

#[test]
fn newlines_are_escaped_in_a_form_as_the_official_client_does_it() {
    for (payload, form) in [
        ("4 € & =", "d=4+%E2%82%AC+%26+%3D"),
        ("a\nb", "d=a%5Cnb"),
        (r"a\nb", "d=a%5C%5Cnb"),
        (r"a\\nb", "d=a%5C%5C%5Cnb"),
    ] {
        assert_eq!(form_of(payload), form, "{payload:?}");
        assert_eq!(payload_of_form(form.as_bytes()).as_deref(), Some(payload));
    }
}

proptest! {
    #[test]
    fn a_form_is_read_as_it_was_made(payload in r"[\\n\na=&+% ü]{0,30}") {
        // A newline behind a backslash looks like an escaped one, to engine.io as well. No JSON has it.
        prop_assume!(!payload.contains("\\\n"));
        prop_assert_eq!(payload_of_form(form_of(&payload).as_bytes()), Some(payload));
        prop_assert_eq!(payload_of_form(b"e=1"), None);
    }

    #[test]
    fn what_json_writes_as_a_string_is_read_as_it_was(payload in ".{0,60}") {
        let body = format!("___eio[0]({});", serde_json::Value::from(&*payload));
        prop_assert_eq!(payload_of(body.as_bytes(), "0"), Ok(payload));
    }

    #[test]
    fn nothing_that_comes_makes_the_reader_panic(body in "(___eio\\[0\\]\\()?[\"'\\\\xu{}0-9a\u{1F600}\n]{0,40}(\\);)?") {
        let _ = payload_of(body.as_bytes(), "0");
    }
}
