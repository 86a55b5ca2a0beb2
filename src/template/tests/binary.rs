//! Bytes in values that are sent, and in those that are compared.

use serde_json::json;

use super::{alice, compare, compile, refused};

#[test]
fn binary_is_checked_and_stays_as_written() {
    let text =
        "[{ $hex: \"0aFF\" }, { $base64: \"AQI=\" }, { $utf8: \"é\" }, { $bytes: 16 }, { $$set: { x: 1 } }]";
    let value = json!([
        { "$hex": "0aFF" }, { "$base64": "AQI=" }, { "$utf8": "é" }, { "$bytes": 16 }, { "$set": { "x": 1 } }
    ]);
    assert_eq!(compile(text).fixed(), Some(&value));
    for (text, told) in [
        ("{ $hex: \"0a1\" }", "`$hex` takes pairs"),
        ("{ $hex: \"0g\" }", "`$hex` takes pairs"),
        ("{ $hex: 10 }", "expected text, found the number 10"),
        ("{ $base64: \"A\" }", "`$base64` takes the standard alphabet"),
        ("{ $utf8: 7 }", "expected text, found the number 7"),
        ("{ $utf8: \"a\", x: 1 }", "`$utf8` stands alone"),
        ("{ $bytes: -1 }", "negative"),
        ("{ $bytes: 999999999999 }", "64 MiB"),
        ("{ $bytes: many }", "a size"),
        ("{ $bytes: { between: [9, 3] } }", "the first number is larger than the second"),
        ("{ $bytes: { one_of: { 1B: 50% } } }", "the shares add up to 50"),
        ("{ $hex: \"00\", x: 1 }", "`$hex` stands alone"),
        ("{ $hxe: \"00\" }", "did you mean `$hex`?"),
        ("{ $set: 1 }", "unknown `$set`"),
        ("{ $$hex: 1 }", "cannot be sent as a key"),
    ] {
        let mistake = refused(text).to_string();
        assert!(mistake.contains(told), "{text}: {mistake}");
    }
}

#[test]
fn the_bytes_of_a_text_are_a_text_whatever_stands_in_it() {
    let template = compile("[{ $utf8: \"${n}\" }, { $utf8: \"hi ${n}\" }]");
    let value = template.render(&alice()).expect("it has a value");
    assert_eq!(value, json!([{ "$utf8": "7" }, { "$utf8": "hi 7" }]));
}

#[test]
fn binary_is_compared_by_its_bytes() {
    let hole = |num: u64| json!({ "_placeholder": true, "num": num });
    assert_eq!(compare("[{ $hex: \"0102\" }]", json!([hole(0)]), &[b"\x01\x02"]), Ok(()));
    assert_eq!(compare("[{ $base64: \"AQI=\" }, 1]", json!([hole(1), 1]), &[b"x", b"\x01\x02"]), Ok(()));
    assert_eq!(compare("[{ $utf8: \"hi ${room}\" }]", json!([hole(0)]), &[b"hi lobby"]), Ok(()));
    assert_eq!(
        compare("[{ $utf8: hi }]", json!([hole(0)]), &[b"ho"]).unwrap_err(),
        "at [0]: expected the bytes of the text \"hi\", got the 2 bytes 686f"
    );
    assert!(compare("[{ $utf8: hi }]", json!(["hi"]), &[]).is_err());
    assert_eq!(compare("{ a: { $bytes: 3 } }", json!({ "a": hole(0) }), &[b"abc"]), Ok(()));
    assert_eq!(compare("[{ $type: binary }]", json!([hole(0)]), &[b""]), Ok(()));
    assert_eq!(
        compare("[{ $hex: \"0102\" }]", json!([hole(0)]), &[b"\x01"]).unwrap_err(),
        "at [0]: expected the 2 bytes 0102, got the byte 01"
    );
    assert_eq!(
        compare("[{ $bytes: 2 }]", json!(["ab"]), &[]).unwrap_err(),
        "at [0]: expected 2 bytes, got the text \"ab\""
    );
    let text = "[{ _placeholder: true, num: 0 }]";
    assert_eq!(compare(text, json!([hole(0)]), &[]), Ok(()), "without attachments it is data");
    assert!(compare(text, json!([hole(0)]), &[b"x"]).is_err());
    assert!(compare("[{ $type: object }]", json!([hole(0)]), &[b"x"]).is_err());
}
