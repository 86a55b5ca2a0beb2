//! Filling in and comparing, from the file's text to the value.

mod binary;
mod conversions;

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;

use bytes::Bytes;
use serde_json::{Value as Json, json};

use std::time::Duration;

use super::*;
use crate::document::{Source, parse};

/// A client for tests: names by their spelling, and random numbers that count up.
#[derive(Default)]
struct Client {
    known: HashMap<String, Json>,
    drawn: Cell<u64>,
}

impl Client {
    fn knowing<const N: usize>(known: [(&str, Json); N]) -> Client {
        let known = known.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Client { known, ..Client::default() }
    }
}

impl Values for Client {
    fn get(&self, name: &Name) -> Option<Cow<'_, Json>> {
        self.known.get(&name.to_string()).map(Cow::Borrowed)
    }

    fn random(&self, bound: u64) -> u64 {
        let drawn = self.drawn.get();
        self.drawn.set(drawn + 1);
        drawn % bound
    }
}

/// Two groups, alice alone and a crowd of five; alice acts, has the variable `room` and the capture `me`.
fn scope() -> Scope {
    let mut scope = Scope::new(|name| (name == "TOKEN").then(|| "secret".to_owned()));
    let alice = scope.add_group("alice", 1, Some(vec!["name".into(), "age".into()]));
    scope.add_group("crowd", 5, None);
    scope.act(&[alice]);
    for name in ["room", "me"] {
        scope.capture(&node(name)).unwrap();
    }
    scope
}

fn node(text: &str) -> Node {
    parse(&Source { name: "t.yaml".into(), text: text.into() }).unwrap()
}

fn compile(text: &str) -> Template {
    let mut scope = scope();
    scope.begin_round();
    Template::compile(&node(text), &mut scope).unwrap_or_else(|mistake| panic!("{text}: {mistake}"))
}

fn refused(text: &str) -> Mistake {
    Template::compile(&node(text), &mut scope()).expect_err(text)
}

fn expression(text: &str, client: &Client) -> Result<Json, String> {
    compile(&format!("\"${{{text}}}\"")).render(client)
}

fn alice() -> Client {
    Client::knowing([
        ("n", json!(7)),
        ("i", json!(2)),
        ("group", json!("alice")),
        ("index", json!(107)),
        ("count", json!(1)),
        ("sid", json!("Xy_9")),
        ("room", json!("lobby")),
        ("me", json!({ "id": 12, "tags": ["a", { "b": 1.5 }], "odd key": true })),
        ("row.name", json!("Ada")),
        ("the `sid` of client 3", json!("third")),
        ("the `sid` of client 0", json!("first")),
    ])
}

#[test]
fn what_has_no_expression_is_fixed() {
    for (text, value) in [
        ("[1, true, null, 1.5, a]", json!([1, true, null, 1.5, "a"])),
        ("{ a: { b: [x] } }", json!({ "a": { "b": ["x"] } })),
        ("\"$5 and $x, $${n} and $$\"", json!("$5 and $x, ${n} and $$")),
        ("\"a${1 + 2}b${'c'}\"", json!("a3bc")),
        ("[\"${env.TOKEN}\", \"${2 * 3}\"]", json!(["secret", 6])),
        ("{ \"k${1}\": x }", json!({ "k1": "x" })),
    ] {
        assert_eq!(compile(text).fixed(), Some(&value), "{text}");
    }
    assert_eq!(compile("\"${n}\"").fixed(), None);
    assert_eq!(compile("[a, { b: \"${n}\" }]").fixed(), None);
}

#[test]
fn alone_an_expression_keeps_its_type_and_inside_text_it_becomes_text() {
    let client = alice();
    for (text, value) in [
        ("\"${n}\"", json!(7)),
        ("\"user-${n}\"", json!("user-7")),
        ("\"${n}${n}\"", json!("77")),
        ("\" ${n}\"", json!(" 7")),
        ("\"${me}\"", json!({ "id": 12, "tags": ["a", { "b": 1.5 }], "odd key": true })),
        ("\"tags: ${me.tags}\"", json!("tags: [\"a\",{\"b\":1.5}]")),
        ("[\"${room}\", { \"${room}\": \"${i}\" }]", json!(["lobby", { "lobby": 2 }])),
        ("\"é${room}é\"", json!("élobbyé")),
    ] {
        assert_eq!(compile(text).render(&client), Ok(value), "{text}");
    }
    assert_eq!(compile("\"${n}\"").render_text(&client), Ok("7".to_owned()));
    assert_eq!(compile("\"${room}\"").render_text(&client), Ok("lobby".to_owned()));
    assert_eq!(compile("12").render_text(&client), Ok("12".to_owned()));
}

#[test]
fn in_words_a_template_is_told_as_it_was_written() {
    for (text, told) in [
        ("lobby", "lobby"),
        ("\"room-${1 + 1}\"", "room-2"),
        ("\"room-${n % 50}\"", "room-${n % 50}"),
        ("[a, \"${n}\"]", "[\"a\",\"${n}\"]"),
    ] {
        assert_eq!(compile(text).in_words(), told);
    }
}

#[test]
fn whole_numbers_stay_whole() {
    let client = alice();
    for (text, value) in [
        ("1 + 2 * 3", json!(7)),
        ("(1 + 2) * 3", json!(9)),
        ("10 - 3 - 2", json!(5)),
        ("7 / 2", json!(3)),
        ("-7 / 2", json!(-4)),
        ("-7 % 5", json!(3)),
        ("(n - 8) % 10", json!(9)),
        ("n % 50", json!(7)),
        ("7 / 2.0", json!(3.5)),
        ("7.5 % 2", json!(1.5)),
        ("-n", json!(-7)),
        ("--n", json!(7)),
        ("2 * -n", json!(-14)),
        ("n*n+i", json!(51)),
        ("1.5 + 1.5", json!(3.0)),
    ] {
        assert_eq!(expression(text, &client), Ok(value), "{text}");
    }
}

#[test]
fn paths_lead_into_captures() {
    let client = alice();
    for (text, value) in [
        ("me.id", json!(12)),
        ("me.id + 1", json!(13)),
        ("me.tags[0]", json!("a")),
        ("me.tags[i - 1].b", json!(1.5)),
        ("me['odd key']", json!(true)),
        ("row.name", json!("Ada")),
        ("crowd[3].sid", json!("third")),
        ("crowd[i - 2].sid", json!("first")),
        ("alice.sid", json!("first")),
        ("env.TOKEN", json!("secret")),
    ] {
        assert_eq!(expression(text, &client), Ok(value), "{text}");
    }
    for (text, why) in [
        ("me.idd", "there is no `idd` in the object"),
        ("me.tags[9]", "there is no item 9 in a list of 2"),
        ("room.x", "there is no `x` in the text \"lobby\""),
        ("me + 1", "`+` works on numbers, not on the object"),
        ("1 / (n - 7)", "divided by 0"),
        ("crowd[n].sid", "no number 7"),
        ("random(n, 1)", "from the larger to the smaller"),
        ("n * 9223372036854775807", "too large"),
    ] {
        let told = expression(text, &client).unwrap_err();
        assert!(told.contains(why), "{text}: {told}");
    }
    let unset = expression("me.id", &Client::default()).unwrap_err();
    assert_eq!(unset, "`me` has no value yet");
}

#[test]
fn random_values_come_from_the_client_and_stay_within_bounds() {
    let client = Client::default();
    let drawn: Vec<Json> = (0..4).map(|_| expression("random(1, 3)", &client).unwrap()).collect();
    assert_eq!(drawn, [json!(1), json!(2), json!(3), json!(1)]);
    let client = Client::default();
    let picked: Vec<Json> = (0..3).map(|_| expression("pick('red', 'green', 3)", &client).unwrap()).collect();
    assert_eq!(picked, [json!("red"), json!("green"), json!(3)]);
    let client = Client::knowing([("me", json!(["x", "y"]))]);
    assert_eq!(expression("pick(me)", &client), Ok(json!("x")));
    let whole = expression("random(-9223372036854775807 - 1, 9223372036854775807)", &Client::default());
    assert_eq!(whole, Ok(json!(i64::MIN)));
}

#[test]
fn a_mistake_points_into_the_text() {
    for (text, at, len) in [
        ("user-${rom}", 8, 3),
        ("\"user-${rom}\"", 9, 3),
        ("'user-${n % rom}'", 13, 3),
        ("\"é${crowd.sid}\"", 5, 5),
        ("\"${env.TOKN}\"", 8, 4),
        ("\"${row.nam}\"", 8, 3),
    ] {
        let mistake = refused(text);
        let span = mistake.span;
        assert_eq!((span.column, span.end_column), (at, at + len), "{text}: {mistake}");
    }
    assert_eq!(refused("\"\\x41${rom}\"").span.column, 1);
}

#[test]
fn what_cannot_be_known_or_worked_out_is_refused_while_reading() {
    for (text, told) in [
        ("rom", "unknown variable `rom` (did you mean `room`?)"),
        (
            "i",
            "`i` counts the rounds of a `repeat`, and there is none around this (`n` is the client's number in its group; an `expect` with `times` counts its events)",
        ),
        ("crowd.sid", "`crowd` has 5 clients: which of them is meant? (write `crowd[0].sid` for the first)"),
        ("crowd[5].sid", "`crowd` has 5 clients, numbered from 0: there is no number 5"),
        ("crowd", "`crowd` is not a value by itself (write `crowd.sid`)"),
        ("alice.sidd", "`alice` has no value `sidd` here (did you mean `sid`?)"),
        (
            "alice.room",
            "`alice` may not have its `room` yet when this is done (use it in an act after the one that sets it)",
        ),
        ("env", "`env` is not a value by itself (write `env.NAME`)"),
        ("env.NOPE", "the environment variable `NOPE` is not set (set it: NOPE=… sockrates …)"),
        ("row.naem", "the rows of `alice` have no column `naem` (did you mean `name`?)"),
        ("", "nothing stands between `${` and `}`"),
        ("n +", "expected a value before `}`"),
        ("n n", "expected an operator or `}`, found `n`"),
        ("n ; 1", "expected an operator or `}`, found `;`"),
        ("(n", "expected `)`, found `}`"),
        ("random(6)", "`random` takes two numbers, found 1 (write it like random(1, 6): both ends included)"),
        ("random(6, 1)", "`random(6, 1)` goes from the larger to the smaller number"),
        ("random('a', 1)", "`random` takes whole numbers, not the text \"a\""),
        ("rndom(1, 6)", "unknown function `rndom` (did you mean `random`?)"),
        ("pick()", "`pick` needs something to pick from"),
        ("pick('a')", "`pick` with a single choice always gives the same (give it several, or one list)"),
        ("n / 0", "nothing can be divided by 0"),
        ("n % 0", "nothing can be divided by 0"),
        ("1 + 'a'", "`+` works on numbers, not on the text \"a\""),
        ("-'a'", "`-` works on numbers, not on the text \"a\""),
        ("9223372036854775807 + 1", "`9223372036854775807 + 1` is too large"),
        ("99999999999999999999", "`99999999999999999999` is not a number"),
        ("1.2.3", "`1.2.3` is not a number"),
        ("env.TOKEN.x", "there is no `x` in the text \"secret\""),
        ("me.", "expected a name after the point"),
        ("'a", "the quote that opens here is never closed"),
    ] {
        let text = format!("${{{text}}}");
        let node = Node { span: Default::default(), value: Value::Text(text.clone()) };
        let mistake = Template::compile(&node, &mut scope()).expect_err(&text);
        assert_eq!(mistake.to_string(), told, "{text}");
    }
    assert_eq!(
        refused("\"a ${n\"").to_string(),
        "the `${` that opens here is never closed (add `}`, or write `$${` for a plain `${`)"
    );
    let deep = format!("\"${{{}n{}}}\"", "(".repeat(5_000), ")".repeat(5_000));
    assert!(refused(&deep).message.contains("32 deep"));
    let signs = format!("\"${{{}n}}\"", "-".repeat(5_000));
    assert!(refused(&signs).message.contains("32 deep"));
}

#[test]
fn an_expression_has_an_end() {
    let sum = |terms| format!("\"${{{}}}\"", vec!["n"; terms].join(" + "));
    assert_eq!(compile(&sum(100)).render(&alice()), Ok(json!(700)));
    assert_eq!(refused(&sum(5_000)).message, "the expression has more than 100 operators");
    assert_eq!(
        refused(&format!("\"${{me{}}}\"", ".a".repeat(5_000))).message,
        "the expression has more than 100 operators"
    );
}

#[test]
fn a_capture_is_known_to_its_group_at_once_and_to_others_after_the_act() {
    let mut scope = Scope::bare();
    let (alice, bob) = (scope.add_group("alice", 1, None), scope.add_group("bob", 1, None));
    let compile = |text: &str, scope: &mut Scope| {
        Template::compile(&node(&format!("\"${{{text}}}\"")), scope).map_err(|mistake| mistake.message)
    };
    scope.act(&[alice]);
    assert_eq!(compile("token", &mut scope), Err("unknown variable `token`".into()));
    scope.capture(&node("token")).unwrap();
    assert!(compile("token", &mut scope).is_ok());

    scope.act(&[bob]);
    assert_eq!(compile("token", &mut scope), Err("`token` has no value for `bob` here".into()));
    assert!(compile("alice.token", &mut scope).unwrap_err().contains("may not have its `token` yet"));
    scope.publish(&[alice]);
    assert!(compile("alice.token", &mut scope).is_ok());
    assert_eq!(scope.shared().len(), 1);

    scope.act(&[alice, bob]);
    assert_eq!(compile("token", &mut scope), Err("`token` has no value for `bob` here".into()));
}

#[test]
fn names_that_mean_something_else_cannot_be_captured() {
    let mut scope = scope();
    for (name, told) in [
        ("n", "`n` has a meaning of its own in `${…}`"),
        ("number", "`number` is a function in `${…}`"),
        ("encoded", "`encoded` is a function in `${…}`"),
        ("decoded", "`decoded` is a function in `${…}`"),
        ("crowd", "`crowd` is the name of a group already"),
        ("my-id", "`my-id` is not a name: it takes letters, digits and `_`, a letter first"),
        ("\"1st\"", "`1st` is not a name: it takes letters, digits and `_`, a letter first"),
    ] {
        assert_eq!(scope.capture(&node(name)).unwrap_err().message, told);
    }
}

fn compare(pattern: &str, actual: Json, attachments: &[&'static [u8]]) -> Result<(), String> {
    let matcher = Matcher::compile(&node(pattern), &mut scope())
        .unwrap_or_else(|mistake| panic!("{pattern}: {mistake}"));
    let attachments: Vec<Bytes> = attachments.iter().map(|bytes| Bytes::from_static(bytes)).collect();
    matcher.matches(&actual, &attachments, &alice()).map_err(|mismatch| mismatch.to_string())
}

#[test]
fn data_is_compared_exactly_and_numbers_by_value() {
    for (pattern, actual) in [
        ("[hello, 1, { a: [true, null] }]", json!(["hello", 1, { "a": [true, null] }])),
        ("1", json!(1.0)),
        ("1.0", json!(1)),
        ("{ a: 1, b: 2 }", json!({ "b": 2, "a": 1.0 })),
        ("\"user-${n}\"", json!("user-7")),
        ("[\"${n}\", \"${me.id}\"]", json!([7.0, 12])),
        ("[]", json!([])),
    ] {
        assert_eq!(compare(pattern, actual, &[]), Ok(()), "{pattern}");
    }
}

#[test]
fn a_mismatch_tells_where_what_and_what_instead() {
    for (pattern, actual, told) in [
        ("[hello]", json!(["bye"]), "at [0]: expected the text \"hello\", got the text \"bye\""),
        ("[{ a: { b: 1 } }]", json!([{ "a": { "b": 2 } }]), "at [0].a.b: expected 1, got 2"),
        (
            "[{ a: 1 }]",
            json!([{ "a": 1, "b c": 2 }]),
            "at [0][\"b c\"]: expected no such key (`$contains` allows others), got 2",
        ),
        ("{ a: 1 }", json!({}), "at .a: expected 1, got nothing"),
        ("[1, 2]", json!([1]), "expected the list [1,2], got the list [1]"),
        ("\"1\"", json!(1), "expected the text \"1\", got 1"),
        ("[null]", json!([false]), "at [0]: expected null, got false"),
        ("[{ $any: true }, 1]", json!([1]), "expected a list of 2, got the list [1]"),
        (
            "{ a: { $any: true } }",
            json!({ "a": 1, "b": 2 }),
            "at .b: expected no such key (`$contains` allows others), got 2",
        ),
        (
            "{ a: { $any: true } }",
            json!({ "b": 2 }),
            "at .b: expected no such key (`$contains` allows others), got 2",
        ),
        ("[{ $type: string }]", json!([5]), "at [0]: expected a string, got 5"),
        ("[{ $type: object }]", json!([[]]), "at [0]: expected an object, got the list []"),
        ("{ $match: \"^a+$\" }", json!("ab"), "expected a text that matches /^a+$/, got the text \"ab\""),
        (
            "{ $contains: { a: { $type: number } } }",
            json!({ "a": "x" }),
            "at .a: expected a number, got the text \"x\"",
        ),
        ("{ $contains: { a: 1 } }", json!({ "b": 1 }), "at .a: expected 1, got nothing"),
        ("{ $contains: [2, 3] }", json!([1, 2]), "expected a list that contains 3, got the list [1,2]"),
        (
            "{ $contains: \"${room}\" }",
            json!("street"),
            "expected a text that contains \"lobby\", got the text \"street\"",
        ),
        (
            "\"${me.x}\"",
            json!(1),
            "expected a value that could not be calculated: there is no `x` in the object {\"id\":12,\"tags\":[\"a\",{\"b\":1.5}],\"odd key\":true}, got 1",
        ),
    ] {
        assert_eq!(compare(pattern, actual, &[]), Err(told.to_owned()), "{pattern}");
    }
}

#[test]
fn patterns_ask_for_less_than_everything() {
    for (pattern, actual) in [
        ("{ $any: true }", json!(null)),
        ("[{ $any: true }, { $type: number }]", json!([{}, 1.5])),
        ("{ $type: \"null\" }", json!(null)),
        ("{ $type: boolean }", json!(true)),
        ("{ $type: array }", json!([1])),
        ("{ $contains: [{ id: 2 }, { $type: string }] }", json!([1, "x", { "id": 2 }])),
        ("{ $contains: { a: { $contains: { b: 1 } } } }", json!({ "a": { "b": 1, "c": 2 }, "d": 3 })),
        ("{ $contains: lob }", json!("the lobby")),
        ("{ $contains: [] }", json!([1])),
        ("{ $match: \"(?i)^LOBBY$\" }", json!("lobby")),
        ("{ $$set: { $any: true } }", json!({ "$set": 1 })),
    ] {
        assert_eq!(compare(pattern, actual, &[]), Ok(()), "{pattern}");
    }
}

#[test]
fn patterns_that_could_not_match_are_refused() {
    for (pattern, told) in [
        ("{ $any: false }", "`$any: false` would match nothing"),
        ("{ $type: text }", "unknown type `text`"),
        ("{ $type: strng }", "did you mean `string`?"),
        ("{ $type: null }", "quotes"),
        ("{ $match: \"(\" }", "the regular expression is not valid: unclosed group"),
        ("{ $match: \"a${n}\" }", "takes no `${…}`"),
        ("{ $contains: 1 }", "`$contains` takes text, a list or a map"),
        ("{ $any: true, x: 1 }", "`$any` stands alone"),
        ("{ $tpye: string }", "did you mean `$type`?"),
        ("[{ a: 1, $contain: x }]", "did you mean `$contains`?"),
        ("{ $hex: x }", "`$hex` takes pairs"),
        ("[\"${rom}\"]", "did you mean `room`?"),
    ] {
        let mistake = Matcher::compile(&node(pattern), &mut scope()).expect_err(pattern).to_string();
        assert!(mistake.contains(told), "{pattern}: {mistake}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_compiler_panic(text in "[${}()\\[\\]a-n0-9.+*/%' \",-]{0,40}") {
        let node = Node { span: Default::default(), value: Value::Text(text) };
        if let Ok(template) = Template::compile(&node, &mut scope()) {
            drop(template.render(&alice()));
        }
    }
}

#[test]
fn what_is_known_of_the_server_is_a_number_from_the_beginning() {
    let server = Timings { interval: Duration::from_millis(300), max_payload: 1000, ..Timings::default() };
    let mut scope = scope().with_server(server);
    for (text, value) in [
        ("\"${server.interval * 2 + server.timeout}\"", json!(20_600)),
        ("\"${server.interval}ms\"", json!("300ms")),
        ("\"${server.recovery}\"", json!(120_000)),
        ("\"${server.max_payload - 40}\"", json!(960)),
        ("\"${server.connect_timeout / server.upgrade_timeout}\"", json!(4)),
        ("{ $bytes: \"${server.max_payload / 10}\" }", json!({ "$bytes": 100 })),
    ] {
        let template = Template::compile(&node(text), &mut scope).unwrap();
        assert_eq!(template.fixed(), Some(&value), "{text}");
    }
}

#[test]
fn what_has_to_be_known_beforehand_is_worked_out_or_refused() {
    let mut scope = scope();
    let mut text =
        |text: &str| constant(&node(text), "a time", &mut scope).map(|node| node.text().map(str::to_owned));
    assert_eq!(text("\"${server.interval / 1000}s\""), Ok(Ok("25s".to_owned())));
    assert_eq!(text("300ms"), Ok(Ok("300ms".to_owned())));
    let mistake = text("\"${n}ms\"").unwrap_err();
    assert_eq!(mistake.message, "a time has to be known before the script begins, and `${n}ms` is not");
}

#[test]
fn a_text_is_repeated_and_numbers_are_bounded() {
    for (text, value) in [
        ("\"${repeat('ab', 3)}\"", json!("ababab")),
        ("\"<${repeat('é', 1 + 1)}>\"", json!("<éé>")),
        ("\"${repeat('x', 0)}\"", json!("")),
        ("\"${min(3, 2) + max(10, 20.5)}\"", json!(22.5)),
        ("\"${min(server.max_payload, 500)}\"", json!(500)),
    ] {
        assert_eq!(compile(text).fixed(), Some(&value), "{text}");
    }
    assert_eq!(expression("max(n, 10)", &alice()), Ok(json!(10)));
}

#[test]
fn a_text_is_repeated_as_often_as_chance_or_a_name_has_it() {
    assert_eq!(expression("repeat('ab', n)", &alice()), Ok(json!("ab".repeat(7))));
    let text = expression("repeat('x', random(10, 20))", &alice()).unwrap();
    assert!((10..=20).contains(&text.as_str().unwrap().len()), "{text}");
    assert!(expression("repeat('x', n - 100)", &alice()).unwrap_err().contains("from 0 on"));
    assert!(expression("repeat('x', n * 67108864)", &alice()).unwrap_err().contains("more than 64 MiB"));
}

#[test]
fn what_is_repeated_has_a_limit_in_all() {
    let mut scope = scope();
    let mut compile =
        |text: &str| Template::compile(&node(text), &mut scope).map_err(|mistake| mistake.message);
    assert!(compile("\"${repeat('x', 40 * 1024 * 1024)}\"").is_ok());
    let message = compile("\"${repeat('x', 40 * 1024 * 1024)}\"").unwrap_err();
    assert_eq!(message, "what is repeated comes to more than 64 MiB in all: this would be 41943040 bytes");
    assert!(compile("\"${repeat('xy', 9223372036854775807)}\"").is_err());
}

#[test]
fn a_long_text_is_told_short() {
    let words = compile("\"${repeat('x', 1000)}\"").in_words();
    assert!(words.len() < 300 && words.ends_with('…'), "{words}");
}

#[test]
fn not_and_one_of_take_what_is_in_them_together() {
    for (pattern, actual, fits) in [
        ("{ $not: a }", json!("b"), true),
        ("{ $not: a }", json!("a"), false),
        ("{ $not: { $type: string } }", json!(1), true),
        ("{ a: { $not: [1] } }", json!({ "a": [1] }), false),
        ("{ $one_of: [a, { $type: number }] }", json!("a"), true),
        ("{ $one_of: [a, { $type: number }] }", json!(7), true),
        ("{ $one_of: [a, { $type: number }] }", json!("b"), false),
        ("[{ $one_of: [1, 2] }, { $not: { $one_of: [1, 2] } }]", json!([2, 3]), true),
        ("{ $not: \"${room}\" }", json!("lobby"), false),
        ("{ $json: { a: { $type: number } } }", json!("{ \"a\": 1.0 }"), true),
        ("{ $json: { a: 1, b: 2 } }", json!("{\"b\":2,\"a\":1}"), true),
        ("{ $json: { a: 1 } }", json!("{\"a\":2}"), false),
        ("{ $json: 1 }", json!(1), false),
        ("{ $json: { $any: true } }", json!("{"), false),
    ] {
        let matcher = Matcher::compile(&node(pattern), &mut scope()).expect(pattern);
        let verdict = matcher.matches(&actual, &[], &alice());
        assert_eq!(verdict.is_ok(), fits, "{pattern} and {actual}: {verdict:?}");
    }
}

#[test]
fn not_and_one_of_are_told_in_words() {
    let words = |pattern| Matcher::compile(&node(pattern), &mut scope()).expect(pattern).describe();
    assert_eq!(words("{ $not: a }"), "anything but the text \"a\"");
    assert_eq!(words("{ $one_of: [400, { $type: \"null\" }] }"), "400 or null");
    assert_eq!(words("{ $json: [1] }"), "a text of JSON: the list [1]");
}

#[test]
fn what_is_put_in_the_place_of_a_word_stands_in_sentences_too() {
    let to = compile("\"pin-${n}\"");
    let rooms =
        scope().with_words(&["to"], |scope| Template::compile(&node("[\"${to}\", \"host:${to}\"]"), scope));
    let bound = rooms.unwrap().bind(&[("to", &to)]);
    assert_eq!(bound.in_words(), "[\"pin-${n}\",\"host:pin-${n}\"]");
}
