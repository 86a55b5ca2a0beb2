//! Events of the YAML parser → the tree, with every rule that YAML leaves open closed.
//!
//! Nothing here recurses deeper than [`DEPTH_LIMIT`], and nothing grows beyond the file by more than
//! [`ALIAS_BUDGET`]: a file of a few lines cannot take the machine's memory.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput};

use super::scalar::plain;

use super::{Key, Mistake, Node, Source, Span, Value, complaint, slip};

/// How deep lists and maps may stand in each other.
const DEPTH_LIMIT: usize = 64;

/// How much a file may grow by its aliases, in bytes of text plus [`NODE_WEIGHT`] for each value.
const ALIAS_BUDGET: usize = 4 << 20;

/// What a value weighs beside its text.
const NODE_WEIGHT: usize = 64;

/// The tree of a file, or the first mistake in it.
pub fn parse(source: &Source) -> Result<Node, Mistake> {
    printable(&source.text)?;
    let text = source.text.strip_prefix('\u{feff}').unwrap_or(&source.text);
    let mut reader = Reader {
        lines: text.lines().collect(),
        events: Parser::new_from_str(text),
        anchors: HashMap::new(),
        open: Vec::new(),
        left: ALIAS_BUDGET,
        apart: (0, Vec::new()),
        looked_at: 0,
    };
    reader.document()
}

/// Refuses what no text file holds, before a parser sees it.
fn printable(text: &str) -> Result<(), Mistake> {
    for (line, text) in (1..).zip(text.split('\n')) {
        let bad = |c: char| c.is_control() && c != '\t' && c != '\u{85}';
        let text = text.strip_suffix('\r').unwrap_or(text);
        if let Some((column, c)) = text.chars().enumerate().find(|(_, c)| bad(*c)) {
            let span = Span { line, column: 1, end_line: line, end_column: 1 };
            let message =
                format!("the file holds the control character U+{:04X}: it is not text", u32::from(c));
            return Err(Mistake::new(span.part(column, 1), message)
                .hint("in a value, write it escaped in double quotes: \"\\u001b\""));
        }
    }
    Ok(())
}

/// A finished value that an alias may repeat.
struct Anchored {
    node: Node,
    weight: usize,
    depth: usize,
}

/// A value on its way up, with what an alias to it would cost.
struct Read {
    node: Node,
    weight: usize,
    depth: usize,
}

struct Reader<'t> {
    lines: Vec<&'t str>,
    events: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, Anchored>,
    /// Where the lists and maps begin that are not finished yet.
    open: Vec<Span>,
    left: usize,
    /// The characters of the line that was read last.
    apart: (u32, Vec<char>),
    /// The last line whose indentation was looked at.
    looked_at: u32,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Span), Mistake> {
        match self.events.next_event() {
            Some(Ok((event, at))) => Ok((event, self.within(span(at.start, at.end)))),
            Some(Err(error)) => Err(self.not_yaml(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// What stands after the last line is told to stand after the last character of the file.
    fn within(&self, at: Span) -> Span {
        let line = self.lines.len().max(1) as u32;
        if at.line <= line {
            return at;
        }
        let length = self.lines.last().map_or(0, |text| text.chars().count());
        Span { line, column: 1, end_line: line, end_column: 1 }.part(length, 0)
    }

    fn document(&mut self) -> Result<Node, Mistake> {
        let mut root = None;
        loop {
            let (event, at) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                _ if root.is_some() => {
                    return Err(Mistake::new(at, "the file holds a second document after `---`")
                        .hint("one file is one scenario: put the second into a file of its own"));
                }
                event => root = Some(self.node(event, at, 0, at)?.node),
            }
        }
        match root {
            Some(node) if !node.is_null() => Ok(node),
            _ => Err(Mistake::new(Span::default(), "the file is empty")),
        }
    }

    /// The value that begins with this event. `place` is where it would stand if nothing was written.
    fn node(&mut self, event: Event<'t>, at: Span, depth: usize, place: Span) -> Result<Read, Mistake> {
        if depth > DEPTH_LIMIT {
            return Err(too_deep(at));
        }
        let (anchor, read) = match event {
            Event::Alias(id) => return self.alias(id, at, depth),
            Event::Scalar(text, style, anchor, tag) => {
                no_tag(tag.as_ref(), at)?;
                (anchor, self.scalar(text, style, at, place)?)
            }
            Event::SequenceStart(anchor, tag) => {
                no_tag(tag.as_ref(), at)?;
                self.indented(at)?;
                self.open.push(at);
                let read = self.list(at, depth)?;
                self.open.pop();
                (anchor, read)
            }
            Event::MappingStart(anchor, tag) => {
                no_tag(tag.as_ref(), at)?;
                self.indented(at)?;
                self.open.push(at);
                let read = self.map(at, depth)?;
                self.open.pop();
                (anchor, read)
            }
            _ => return Err(Mistake::new(at, "expected a value here")),
        };
        if anchor > 0 && read.node.is_null() {
            // Readers differ on which characters belong to the name of an anchor, and this may be one of them.
            return Err(Mistake::new(at, "the anchor `&…` stands before nothing")
                .hint("write a value after it, or quote text that begins with `&`"));
        }
        if anchor > 0 {
            let Read { node, weight, depth } = &read;
            self.anchors.insert(anchor, Anchored { node: node.clone(), weight: *weight, depth: *depth });
        }
        Ok(read)
    }

    fn scalar(
        &mut self,
        text: Cow<'t, str>,
        style: ScalarStyle,
        at: Span,
        place: Span,
    ) -> Result<Read, Mistake> {
        let weight = NODE_WEIGHT + text.len();
        if text.is_empty() && style == ScalarStyle::Plain {
            let node = Node { span: place, value: Value::Null };
            return Ok(Read { node, weight, depth: 0 });
        }
        self.indented(at)?;
        let at = self.trimmed(at);
        let value = match style {
            ScalarStyle::Plain => plain(&text).map_err(|no| Mistake::new(at, no.message).hint(no.hint))?,
            _ => Value::Text(text.into_owned()),
        };
        Ok(Read { node: Node { span: at, value }, weight, depth: 0 })
    }

    fn list(&mut self, start: Span, depth: usize) -> Result<Read, Mistake> {
        let (mut items, mut weight, mut deepest, mut end) = (Vec::new(), NODE_WEIGHT, 0, start);
        loop {
            let (event, at) = self.next()?;
            if event == Event::SequenceEnd {
                let span = start.to(later(end, at));
                return Ok(Read {
                    node: Node { span, value: Value::List(items) },
                    weight,
                    depth: deepest + 1,
                });
            }
            let place = match items.is_empty() {
                true => start,
                false => at,
            };
            let read = self.node(event, at, depth + 1, place)?;
            weight += read.weight;
            deepest = deepest.max(read.depth);
            end = read.node.span;
            items.push(read.node);
        }
    }

    fn map(&mut self, start: Span, depth: usize) -> Result<Read, Mistake> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut seen: HashMap<String, u32> = HashMap::new();
        let mut merged = Merged::default();
        let (mut weight, mut deepest, mut end) = (NODE_WEIGHT, 0, start);
        loop {
            let (event, at) = self.next()?;
            if event == Event::MappingEnd {
                break end = later(end, at);
            }
            let (key, plain_key) = self.key(event, at)?;
            let (event, at) = self.next()?;
            let read = self.node(event, at, depth + 1, key.span)?;
            weight += read.weight + key.text.len();
            deepest = deepest.max(read.depth);
            end = read.node.span;
            if let Some(line) = seen.insert(key.text.clone(), key.span.line) {
                let message = format!("the key `{}` is already there, in line {line}", key.text);
                return Err(key.mistake(message).hint("keep one of them"));
            }
            match plain_key && key.text == "<<" {
                true => merged.add(read.node)?,
                false => entries.push((key, read.node)),
            }
        }
        // What is written here wins over what is merged in.
        entries.extend(merged.entries.into_iter().filter(|(key, _)| !seen.contains_key(&key.text)));
        let node = Node { span: start.to(end), value: Value::Map(entries) };
        Ok(Read { node, weight, depth: deepest + 1 })
    }

    /// The key, and whether it was written without quotes.
    fn key(&mut self, event: Event<'t>, at: Span) -> Result<(Key, bool), Mistake> {
        let Event::Scalar(text, style, anchor, tag) = event else {
            return Err(Mistake::new(at, "a key has to be text, not a list, a map or an alias")
                .hint("text with `{`, `[` or `*` at its start needs quotes"));
        };
        no_tag(tag.as_ref(), at)?;
        self.indented(at)?;
        let at = self.trimmed(at);
        if anchor > 0 {
            return Err(Mistake::new(at, "a key cannot have an anchor"));
        }
        let bare = style == ScalarStyle::Plain;
        if bare && !matches!(plain(&text), Ok(Value::Text(_))) {
            let message = match text.is_empty() {
                true => "a key is missing before the colon".to_owned(),
                false => format!("the key `{text}` is not text"),
            };
            return Err(Mistake::new(at, message).hint(format!("write it in quotes: \"{text}\"")));
        }
        // All lines above are looked at for it, so only where it may be.
        let is_foreign = text.starts_with(char::is_whitespace) && bare;
        if let Some(blank) = is_foreign.then(|| slip::foreign_blank(&self.lines, at)).flatten() {
            return Err(blank);
        }
        if let Some(slip) = slip::in_key(&text, at).filter(|_| bare) {
            return Err(slip);
        }
        Ok((Key { text: text.into_owned(), span: at }, bare))
    }

    fn alias(&mut self, id: usize, at: Span, depth: usize) -> Result<Read, Mistake> {
        let Some(anchored) = self.anchors.get(&id) else {
            return Err(Mistake::new(at, "this alias stands inside the value that it repeats"));
        };
        if depth + anchored.depth > DEPTH_LIMIT {
            return Err(too_deep(at));
        }
        self.left = self.left.checked_sub(anchored.weight).ok_or_else(|| {
            let message = format!("the aliases make the file grow by more than {} MiB", ALIAS_BUDGET >> 20);
            Mistake::new(at, message).hint("write the value out, or repeat it with `repeat`")
        })?;
        Ok(Read { node: anchored.node.clone(), weight: anchored.weight, depth: anchored.depth })
    }

    /// The parser counts blanks behind a scalar in; this is without them.
    fn trimmed(&mut self, at: Span) -> Span {
        let Some(line) = self.lines.get(at.line as usize - 1).filter(|_| at.end_line == at.line) else {
            return at;
        };
        // Thousands of values may stand on one line: it is taken apart once.
        if self.apart.0 != at.line {
            self.apart = (at.line, line.chars().collect());
        }
        let (from, to) = (at.column as usize - 1, at.end_column as usize - 1);
        let written = self.apart.1.get(from..to).unwrap_or_default();
        let blanks = written.iter().rev().take_while(|c| c.is_whitespace()).count();
        at.part(0, written.len() - blanks)
    }

    /// Refuses a line whose indentation holds a tab: how deep that is depends on who looks. Only the first value of
    /// a line has indentation before it.
    fn indented(&mut self, at: Span) -> Result<(), Mistake> {
        if at.line == self.looked_at {
            return Ok(());
        }
        self.looked_at = at.line;
        match self.tab_before(at.line, at.column as usize - 1) {
            Some(tab) => Err(tab),
            None => Ok(()),
        }
    }

    /// The tab in the blank beginning of a line, if there is one before this column.
    fn tab_before(&self, line: u32, column: usize) -> Option<Mistake> {
        let text = self.lines.get(line as usize - 1)?;
        let blank = text.chars().take(column).take_while(|c| matches!(c, ' ' | '\t'));
        let indent: Vec<char> = blank.collect();
        let tab = indent.iter().position(|&c| c == '\t')?;
        let opening = text.chars().nth(indent.len()).is_none_or(|c| c != '\t') && indent.len() <= column;
        opening.then(|| {
            let span = Span { line, column: 1, end_line: line, end_column: 1 };
            Mistake::new(span.part(tab, 1), "the line is indented with a tab").hint("indent with spaces")
        })
    }

    /// The parser's complaint in words that say what to do.
    fn not_yaml(&self, error: &ScanError) -> Mistake {
        let at = self.within(span(*error.marker(), *error.marker()));
        let line = at.line;
        let tab = self.tab_before(line, usize::MAX).or_else(|| {
            let next = error.info().contains("tab").then_some(line + 1)?;
            self.tab_before(next, usize::MAX)
        });
        if let Some(tab) = tab {
            return tab;
        }
        if let Some(blank) = slip::foreign_blank(&self.lines, at) {
            return blank;
        }
        let comment = |(open, _)| slip::comment_in_brackets(&self.lines, open, at);
        if let Some(comment) = self.bracket_above(at).and_then(comment) {
            return comment;
        }
        if let Some(bracket) = self.bracket_above(at).filter(|_| complaint::may_be_bracket(error.info())) {
            let (Span { line, .. }, closing) = bracket;
            let opening = if closing == ']' { '[' } else { '{' };
            return Mistake::new(at, format!("the `{opening}` of line {line} is not closed before this"))
                .hint(format!("add `{closing}`, or a comma if it goes on"));
        }
        if let Some(slip) = slip::slip(&self.lines, at, error.info()) {
            return slip;
        }
        let (message, hint) = complaint::told(error.info());
        Mistake::new(at, message).hint(hint)
    }

    /// The innermost bracket that an earlier line left open, and what closes it.
    fn bracket_above(&self, at: Span) -> Option<(Span, char)> {
        let innermost = self.open.last().filter(|open| open.line < at.line)?;
        let line = self.lines.get(innermost.line as usize - 1)?;
        match line.chars().nth(innermost.column as usize - 1)? {
            '[' => Some((*innermost, ']')),
            '{' => Some((*innermost, '}')),
            _ => None,
        }
    }
}

/// What merge keys (`<<: *base` or `<<: [*a, *b]`) bring into a map; the first to bring a key wins.
#[derive(Default)]
struct Merged {
    entries: Vec<(Key, Node)>,
    names: HashSet<String>,
}

impl Merged {
    fn add(&mut self, node: Node) -> Result<(), Mistake> {
        match node.value {
            Value::Map(entries) => {
                let names = &mut self.names;
                let new = |(key, _): &(Key, Node)| names.insert(key.text.clone());
                self.entries.extend(entries.into_iter().filter(new));
                Ok(())
            }
            Value::List(items) if items.iter().all(|item| matches!(item.value, Value::Map(_))) => {
                items.into_iter().try_for_each(|item| self.add(item))
            }
            _ => Err(Mistake::new(node.span, "`<<` merges a map, or a list of maps, and this is neither")),
        }
    }
}

fn no_tag<T>(tag: Option<&T>, at: Span) -> Result<(), Mistake> {
    match tag {
        None => Ok(()),
        Some(_) => Err(Mistake::new(at, "tags (`!…`) are not part of this language")
            .hint("text that begins with `!` needs quotes")),
    }
}

fn too_deep(at: Span) -> Mistake {
    Mistake::new(at, "lists and maps stand too deep in each other here")
        .hint(format!("{DEPTH_LIMIT} levels are the most"))
}

/// Marks count lines from 1 and columns from 0, in characters.
fn span(start: Marker, end: Marker) -> Span {
    Span {
        line: start.line() as u32,
        column: start.col() as u32 + 1,
        end_line: end.line() as u32,
        end_column: end.col() as u32 + 1,
    }
}

/// The end of a list or map: its bracket where it has one, its last item otherwise.
fn later(last: Span, closing: Span) -> Span {
    match (closing.line, closing.column) == (closing.end_line, closing.end_column) {
        true => last,
        // The parser counts blanks behind the bracket in.
        false => closing.part(0, 1),
    }
}
