//! The YAML that is read, the YAML that is refused, and the places both know.

use serde_json::json;

use super::*;

fn read(text: &str) -> Result<Node, Mistake> {
    parse(&Source { name: "t.yaml".to_owned(), text: text.to_owned() })
}

fn refused(text: &str) -> Mistake {
    match read(text) {
        Ok(node) => panic!("read as {}: {text}", node.to_json()),
        Err(mistake) => mistake,
    }
}

/// The stretch of the file that a span covers, for spans on one line.
fn covered(text: &str, span: Span) -> String {
    assert_eq!(span.line, span.end_line, "{span:?} in {text}");
    let line = text.lines().nth(span.line as usize - 1).unwrap();
    line.chars().skip(span.column as usize - 1).take((span.end_column - span.column) as usize).collect()
}

fn at<'n>(node: &'n Node, path: &[&str]) -> &'n Node {
    path.iter().fold(node, |node, step| match &node.value {
        Value::Map(entries) => {
            entries.iter().find(|(key, _)| key.text == *step).map(|(_, node)| node).unwrap()
        }
        Value::List(items) => &items[step.parse::<usize>().unwrap()],
        other => panic!("{other:?} has no {step}"),
    })
}

#[test]
fn block_and_flow_style_mean_the_same() {
    let block =
        read("clients:\n  alice: 1\n  crowd:\n    count: 500\n    tags:\n    - a\n    - 'b'\nopen: true\n")
            .unwrap();
    let flow = read("{clients: {alice: 1, crowd: {count: 500, tags: [a, \"b\"]}}, open: true}").unwrap();
    let both = json!({"clients": {"alice": 1, "crowd": {"count": 500, "tags": ["a", "b"]}}, "open": true});
    assert_eq!((block.to_json(), flow.to_json()), (both.clone(), both));
}

#[test]
fn every_value_knows_where_it_stands() {
    let text = "name: Fifty rooms\nclients:\n  alice: { count: 12, auth: [\"a b\", 'c'] }\nlist:\n  - one\n  - { é: ü }\n";
    let node = read(text).unwrap();
    for (path, expected) in [
        (&["name"][..], "Fifty rooms"),
        (&["clients", "alice"], "{ count: 12, auth: [\"a b\", 'c'] }"),
        (&["clients", "alice", "count"], "12"),
        (&["clients", "alice", "auth"], "[\"a b\", 'c']"),
        (&["clients", "alice", "auth", "0"], "\"a b\""),
        (&["clients", "alice", "auth", "1"], "'c'"),
        (&["list", "0"], "one"),
        (&["list", "1"], "{ é: ü }"),
        (&["list", "1", "é"], "ü"),
    ] {
        assert_eq!(covered(text, at(&node, path).span), expected, "{path:?}");
    }
    let (key, _) = &at(&node, &["clients"]).map().unwrap()[0];
    assert_eq!(covered(text, key.span), "alice");
}

#[test]
fn nothing_stands_where_its_key_or_dash_stands() {
    let text = "a:\nb: { c: , d: }\ne:\n  -\n  - 1\n";
    let node = read(text).unwrap();
    assert_eq!(node.to_json(), json!({"a": null, "b": {"c": null, "d": null}, "e": [null, 1]}));
    assert_eq!(covered(text, at(&node, &["a"]).span), "a");
    assert_eq!(covered(text, at(&node, &["b", "c"]).span), "c");
    assert_eq!(at(&node, &["e", "0"]).span.line, 4);
}

#[test]
fn text_of_several_lines_keeps_its_place() {
    let text = "about: |\n  one\n  two\nfolded: >-\n  a\n  b\nplain: x\n  y\nlast: 1\n";
    let node = read(text).unwrap();
    assert_eq!(node.to_json(), json!({"about": "one\ntwo\n", "folded": "a b", "plain": "x y", "last": 1}));
    assert_eq!((at(&node, &["about"]).span.line, at(&node, &["about"]).span.column), (2, 3));
    assert_eq!((at(&node, &["plain"]).span.line, at(&node, &["plain"]).span.column), (7, 8));
}

#[test]
fn a_byte_order_mark_and_line_feeds_of_windows_change_nothing() {
    let text = "\u{feff}a: 1\r\nb: [x, y]\r\n";
    let node = read(text).unwrap();
    assert_eq!(node.to_json(), json!({"a": 1, "b": ["x", "y"]}));
    assert_eq!(at(&node, &["b"]).span.line, 2);
}

#[test]
fn aliases_repeat_what_their_anchor_stands_for() {
    let node = read("a: &one { x: 1 }\nb: *one\nc: [*one, *one]\n").unwrap();
    assert_eq!(node.to_json(), json!({"a": {"x": 1}, "b": {"x": 1}, "c": [{"x": 1}, {"x": 1}]}));
}

#[test]
fn merge_keys_add_what_is_not_there() {
    let text = "base: &base { x: 1, y: 2 }\nmore: &more { y: 3, z: 4 }\none: { <<: *base, y: 9 }\ntwo: { <<: [*base, *more] }\n";
    let node = read(text).unwrap();
    assert_eq!(at(&node, &["one"]).to_json(), json!({"y": 9, "x": 1}));
    assert_eq!(at(&node, &["two"]).to_json(), json!({"x": 1, "y": 2, "z": 4}));
    assert_eq!(read("{ \"<<\": 1 }").unwrap().to_json(), json!({"<<": 1}));
    assert!(refused("a: { <<: 1 }").message.contains("merges a map"));
    assert!(refused("a: { <<: [1] }").message.contains("merges a map"));
}

#[test]
fn the_second_of_two_equal_keys_is_refused_where_it_stands() {
    let text = "clients:\n  alice: 1\n  bob: 1\n  alice: 2\n";
    let mistake = refused(text);
    assert_eq!(mistake.message, "the key `alice` is already there, in line 2");
    assert_eq!((covered(text, mistake.span).as_str(), mistake.span.line), ("alice", 4));
}

#[test]
fn keys_are_text() {
    assert_eq!(refused("1: x").message, "the key `1` is not text");
    assert_eq!(refused("a: { true: x }").message, "the key `true` is not text");
    assert_eq!(refused("? [a]\n: x").message, "a key has to be text, not a list, a map or an alias");
    assert_eq!(read("\"1\": x\non: y").unwrap().to_json(), json!({"1": "x", "on": "y"}));
}

#[test]
fn a_second_document_is_refused() {
    assert_eq!(read("---\na: 1\n...\n").unwrap().to_json(), json!({"a": 1}));
    let mistake = refused("a: 1\n---\nb: 2\n");
    assert_eq!(
        (mistake.message.as_str(), mistake.span.line),
        ("the file holds a second document after `---`", 3)
    );
}

#[test]
fn an_empty_file_says_so() {
    for text in ["", "\n\n", "# only a comment\n", "---\n", "~", "\u{feff}"] {
        assert_eq!(refused(text).message, "the file is empty", "{text:?}");
    }
}

#[test]
fn tags_are_refused() {
    for text in ["a: !emit { x: 1 }", "a: !!str 1", "a: ! x", "!!map { a: 1 }", "!x a: 1"] {
        assert!(refused(text).message.contains("tags"), "{text}");
    }
}

#[test]
fn a_tab_in_the_indentation_is_refused_wherever_it_stands() {
    for text in [
        "a:\n\tb: 1\n",
        "a:\n  \tb: 1\n",
        "a:\n\t- 1\n",
        "a: {\n\tb: 1 }\n",
        "a:\n - x\n \t- y\n",
        "\ta: 1\n",
    ] {
        let mistake = refused(text);
        assert_eq!(mistake.message, "the line is indented with a tab", "{text:?} at {:?}", mistake.span);
        let line = text.lines().nth(mistake.span.line as usize - 1).unwrap();
        assert_eq!(line.chars().nth(mistake.span.column as usize - 1), Some('\t'), "{text:?}");
    }
    assert_eq!(read("a: |\n  \tx\nb: 1\n").unwrap().to_json(), json!({"a": "\tx\n", "b": 1}));
}

#[test]
fn depth_is_limited_in_every_style() {
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    assert!(read(&deep(64)).is_ok());
    let block = (0..5_000).map(|level| format!("{}a:\n", " ".repeat(level))).take(300).collect::<String>();
    for text in [deep(66), deep(5_000), "{a: ".repeat(5_000), "- ".repeat(5_000), "[".repeat(5_000), block] {
        let mistake = refused(&text);
        assert!(mistake.message.contains("too deep"), "{}: {}", &text[..20], mistake.message);
    }
}

#[test]
fn aliases_neither_explode_nor_deepen_nor_bite_their_tail() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    assert!(refused(&bomb).message.contains("aliases make the file grow"));

    let long = format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(500_000), vec!["*a"; 100].join(", "));
    assert!(refused(&long).message.contains("aliases make the file grow"));

    let mut deep = "a0: &a0 [x]\n".to_owned();
    (1..80).for_each(|level| deep.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1)));
    assert!(refused(&deep).message.contains("too deep"));

    assert!(refused("a: &a [*a]").message.contains("inside the value"));
    assert!(refused("a: &https://example.org").message.contains("before nothing"));
    assert!(refused("a: *b").message.contains("anchor that is not there"));
}

#[test]
fn control_characters_are_no_text() {
    let mistake = refused("a: 1\nb: x\u{1b}y\n");
    assert_eq!(mistake.message, "the file holds the control character U+001B: it is not text");
    assert_eq!((mistake.span.line, mistake.span.column), (2, 5));
    assert_eq!(read("a: \"\\u001b\"").unwrap().to_json(), json!({"a": "\u{1b}"}));
    assert!(refused("\0\0\0\u{1}ELF").message.contains("U+0000"));
}

#[test]
fn what_is_not_yaml_is_told_what_to_mend() {
    for (text, message, line) in [
        ("a: \"x\nb: 1\n", "not closed in its value", 1),
        ("a: \"x\n  b: 1\n", "never closed", 1),
        ("a: x #y\n  z\n", "comment", 1),
        ("a: \"x\"#y\n", "comment", 1),
        ("a:\t1\n", "a space has to follow", 1),
        ("a: [1, 2\nb: 1\n", "not closed", 2),
        ("a: { x: 1\nb: 1\n", "not closed", 2),
        ("a: 1]\n", "", 0),
        ("a: ]\n", "no opening one", 1),
        ("a: b: c\n", "colon with a space", 1),
        ("a: 1\nb\n", "expected a colon", 2),
        ("a: 1\n  b: 2\n", "colon with a space", 2),
        ("a:\n  b: 1\n c: 2\n", "indented", 3),
        ("a: @x\n", "cannot begin with", 1),
        ("a: `x`\n", "cannot begin with", 1),
        ("a: %x\n", "cannot begin with", 1),
        ("a: \"\\q\"\n", "escape", 1),
        ("a: \"x\" y\n", "", 1),
        ("a: 'x' y\n", "", 1),
        ("- a\nb: 1\n", "indented", 2),
        ("a: *\n", "anchor", 1),
    ] {
        if line == 0 {
            assert!(read(text).is_ok(), "{text}");
            continue;
        }
        let mistake = refused(text);
        assert!(mistake.message.contains(message), "{text:?}: {mistake}");
        assert_eq!(mistake.span.line, line, "{text:?}: {mistake}");
        assert!(!mistake.message.contains("this is not YAML"), "{text:?}: {mistake}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_at_all_makes_the_reader_panic_or_point_outside(text in "[\\[\\]{}:,\\-?&*!|>'\"%@`#~< \\t\\n\\ra1é]{0,60}") {
        let source = Source { name: "t.yaml".to_owned(), text };
        match parse(&source) {
            Ok(node) => drop(node.to_json()),
            Err(mistake) => {
                let lines = source.text.lines().count().max(1);
                proptest::prop_assert!(mistake.span.line as usize <= lines, "{:?}", mistake);
                drop(render(&mistake, &source));
            }
        }
    }
}
