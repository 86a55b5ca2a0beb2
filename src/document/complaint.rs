//! What the YAML parser complains about, told to the author of the file: what is there, and what to write.

/// Parts of the parser's own words, the sentence, and what to do. The first row that fits is told.
const SENTENCES: &[(&[&str], &str, &str)] = &[
    (&["recursion limit"], "lists and maps stand too deep in each other here", "64 levels are the most"),
    (
        &["unexpected end of stream", "quoted scalar, found unexpected document"],
        "the quote that opens here is never closed",
        "add the closing quote",
    ),
    (
        &["indentation in quoted"],
        "the quote that opens here is not closed in its value",
        "close it, or indent the lines below deeper",
    ),
    (
        &["unknown escape", "hexadecimal", "Unicode character escape"],
        "the escape after `\\` is not known",
        "in 'single quotes' a backslash means itself",
    ),
    (
        &["trailing content after"],
        "text follows after the closing quote",
        "put the whole value in quotes, inner quotes as \\\"",
    ),
    (
        &["comment intercepting"],
        "a comment stands in the middle of a text of several lines",
        "put the text in quotes, or move the comment",
    ),
    (
        &["comments must be"],
        "a comment cannot begin here",
        "put a space before `#`, or quote the text it belongs to",
    ),
    (&["must be followed by", "may not precede"], "a space has to follow here", "use a space, and no tab"),
    (
        &["flow mapping"],
        "the map that opens with `{` is not closed, or a comma is missing before this",
        "add `,` or `}`",
    ),
    (
        &["flow sequence"],
        "the list that opens with `[` is not closed, or a comma is missing before this",
        "add `,` or `]`",
    ),
    (
        &["indentation in flow"],
        "a `[` or `{` above is not closed before this line",
        "close it, or indent this line deeper",
    ),
    (
        &["misplaced bracket"],
        "this closing bracket has no opening one",
        "remove it, or quote the text it belongs to",
    ),
    (
        &["mapping values are not allowed", "illegal placement of ':'"],
        "a colon with a space after it begins a new key here",
        "quote text that holds a colon, or line the keys up",
    ),
    (&["simple key expect", "expected ':'"], "expected a colon after this key", "write `key: value`"),
    (
        &["block mapping, did not find expected key", "mapping keys are not allowed"],
        "this line is indented unlike the keys before it",
        "line the keys of a map up",
    ),
    (
        &["block collection", "block sequence entries", "expected '-'"],
        "this line does not begin with `- ` like the list items before it, or is indented unlike them",
        "begin it with `- ` below that of the others, or indent it deeper if it belongs to the item above",
    ),
    (
        &["inside a block", "cannot start with '-'"],
        "a `-` cannot begin a value here",
        "quote text that begins with `-`, or write the list as [a, b]",
    ),
    (
        &["unknown anchor"],
        "this alias repeats an anchor that is not there",
        "write `&name` before the value, above the alias",
    ),
    (&["anchor"], "this is not the name of an anchor or alias", "quote text that begins with `*` or `&`"),
    (
        &["block scalar"],
        "the text after `|` or `>` does not stand as it should",
        "begin it on the next line, indented by spaces",
    ),
    (&["unexpected character"], "a value cannot begin with this character", "put the value in quotes"),
    (&["tab"], "a tab stands where only spaces may", "use spaces"),
    (
        &["tag", "TAG", "handle"],
        "tags (`!…`) are not part of this language",
        "text that begins with `!` needs quotes",
    ),
    (
        &["byte order mark"],
        "a byte order mark stands in the middle of the file",
        "remove the invisible character",
    ),
    (
        &["document", "directive"],
        "this does not stand where a document begins or ends",
        "one file is one scenario, without `%` directives",
    ),
    (
        &["unexpected eof", "expected node content"],
        "a value is missing here",
        "is the rest of the file missing?",
    ),
    (
        &["invalid indentation", "wrongly indented"],
        "this line is indented unlike what it belongs to",
        "line it up with the lines above, or indent it deeper",
    ),
];

/// The sentence and what to do, for the parser's words.
pub(super) fn told(info: &str) -> (String, &'static str) {
    let fits = |parts: &[&str]| parts.iter().any(|part| info.contains(part));
    match SENTENCES.iter().find(|(parts, ..)| fits(parts)) {
        Some((_, sentence, hint)) => ((*sentence).to_owned(), hint),
        None => {
            let hint = "quote text that holds one of : # { } [ ] , & * ! | > ' \" %";
            (format!("this is not YAML ({info})"), hint)
        }
    }
}

/// True for complaints that a bracket left open in an earlier line may be the reason of.
pub(super) fn may_be_bracket(info: &str) -> bool {
    [
        "flow",
        "mapping values",
        "simple key",
        "node content",
        "unexpected eof",
        "':'",
        "block",
        "end of stream",
    ]
    .iter()
    .any(|part| info.contains(part))
}
