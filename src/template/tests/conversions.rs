//! Texts that are made into other values.

use super::*;

#[test]
fn a_text_becomes_a_number_or_the_value_that_it_spells() {
    let client = Client::knowing([
        (
            "me",
            json!({ "age": " 36 ", "big": "18446744073709551615", "token": "{\"id\":7,\"roles\":[\"a\"]}" }),
        ),
        ("room", json!("lobby")),
    ]);
    for (text, value) in [
        ("number(me.age) + 1", json!(37)),
        ("number('-1.5')", json!(-1.5)),
        ("number(me.big)", json!(u64::MAX)),
        ("number(8)", json!(8)),
        ("json(me.token).id", json!(7)),
        ("json(me.token).roles[0]", json!("a")),
        ("json('[1, null]')", json!([1, null])),
        ("encoded('a b/ü+?&=%<')", json!("a+b%2F%C3%BC%2B%3F%26%3D%25%3C")),
        ("encoded('lAw-_.b8')", json!("lAw-_.b8")),
        ("encoded(8)", json!("8")),
        ("decoded('a%3Db%2F+%C3%BC%')", json!("a=b/+ü%")),
        ("decoded(8)", json!("8")),
    ] {
        assert_eq!(expression(text, &client), Ok(value), "{text}");
    }
    for (text, why) in [
        ("number(room)", "`number` takes the text of a number, not the text \"lobby\""),
        ("number(me)", "`number` takes the text of a number, not the object"),
        ("json(room)", "`json` takes a text of JSON, not the text \"lobby\""),
        ("json(me)", "`json` takes a text of JSON, not the object"),
        ("encoded(me)", "`encoded` takes a text, not the object"),
        ("decoded(me)", "`decoded` takes a text, not the object"),
    ] {
        let told = expression(text, &client).unwrap_err();
        assert!(told.starts_with(why), "{text}: {told}");
    }
    assert!(refused("\"${number('x')}\"").message.contains("`number` takes the text of a number"));
    assert!(refused("\"${json()}\"").message.contains("`json` takes one value, found 0"));
}

#[test]
fn each_item_of_a_list_is_led_into_by_the_same_steps() {
    let channels = json!([{ "id": "a", "by": { "name": "ann" } }, { "id": "b", "by": { "name": "bob" } }]);
    let client = Client::knowing([("me", json!({ "channels": channels, "team": "red" }))]);
    for (text, value) in [
        ("me.channels[*].id", json!(["a", "b"])),
        ("me.channels[*].by.name", json!(["ann", "bob"])),
        ("me.channels[ * ]", channels.clone()),
        ("json('[[1], [2]]')[*][0]", json!([1, 2])),
        ("json('[]')[*].id", json!([])),
    ] {
        assert_eq!(expression(text, &client), Ok(value), "{text}");
    }
    assert!(["a", "b"].map(|id| Ok(json!(id))).contains(&expression("pick(me.channels[*].id)", &client)));
    for (text, why) in [
        ("me.team[*].id", "`[*]` stands behind a list, not behind the text \"red\""),
        ("me.channels[*].nick", "there is no `nick` in the object"),
    ] {
        let told = expression(text, &client).unwrap_err();
        assert!(told.starts_with(why), "{text}: {told}");
    }
    assert!(refused("\"${json('[]')[*][*]}\"").message.contains("`[*]` stands once in a path"));
}
