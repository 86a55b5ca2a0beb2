//! The spelling of `${…}`: text → pieces → expressions, each name looked up in the scope as it is read.
//!
//! ```text
//! sum     = product { ("+" | "-") product }
//! product = signed { ("*" | "/" | "%") signed }
//! signed  = "-" signed | path
//! path    = atom { "." word | "[" sum "]" }
//! atom    = number | 'text' | "text" | word | word "(" [ sum { "," sum } ] ")" | "(" sum ")"
//! ```

use serde_json::Value as Json;

use super::expression::{Conversion, Expr, Operator, in_words};
use super::scope::{FUNCTIONS, Found, Scope};
use super::{Name, Piece};
use crate::document::{Mistake, Node, Span};
use crate::units;

/// How deep parentheses, brackets and signs may stand in each other.
const DEPTH_LIMIT: usize = 32;

/// How many operators and steps into values one expression may have: each is a level of the tree.
const LENGTH_LIMIT: usize = 100;

/// Literal text and expressions in turn. `$${` is a literal `${`; any other `$` stands for itself.
pub(super) fn pieces(text: &str, node: &Node, scope: &mut Scope) -> Result<Vec<Piece>, Mistake> {
    let mut pieces = Vec::new();
    if !text.contains("${") {
        if !text.is_empty() {
            pieces.push(Piece::Literal(text.to_owned()));
        }
        return Ok(pieces);
    }
    let chars: Vec<char> = text.chars().collect();
    let mut literal = String::new();
    let mut at = 0;
    while at < chars.len() {
        match chars[at..] {
            ['$', '$', '{', ..] => {
                literal.push_str("${");
                at += 3;
            }
            ['$', '{', ..] => {
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                let mut reader =
                    Reader { chars: &chars, at: at + 2, open: at, depth: 0, length: 0, node, scope };
                pieces.push(Piece::Filled(reader.expression()?));
                at = reader.at;
            }
            _ => {
                literal.push(chars[at]);
                at += 1;
            }
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Literal(literal));
    }
    Ok(pieces)
}

struct Reader<'t> {
    chars: &'t [char],
    at: usize,
    /// Where the `${` stands.
    open: usize,
    depth: usize,
    length: usize,
    node: &'t Node,
    scope: &'t mut Scope,
}

impl Reader<'_> {
    fn expression(&mut self) -> Result<Expr, Mistake> {
        if self.peek() == Some('}') {
            return Err(self.mistake(self.open, "nothing stands between `${` and `}`"));
        }
        let expr = self.sum()?;
        match self.peek() {
            Some('}') => {
                self.at += 1;
                Ok(expr)
            }
            None => Err(self.unclosed()),
            Some(c) => Err(self.mistake(self.at, format!("expected an operator or `}}`, found `{c}`"))),
        }
    }

    fn sum(&mut self) -> Result<Expr, Mistake> {
        self.binary(&[('+', Operator::Add), ('-', Operator::Subtract)], Self::product)
    }

    fn product(&mut self) -> Result<Expr, Mistake> {
        let operators = [('*', Operator::Multiply), ('/', Operator::Divide), ('%', Operator::Remainder)];
        self.binary(&operators, Self::signed)
    }

    fn binary(
        &mut self,
        operators: &[(char, Operator)],
        operand: fn(&mut Self) -> Result<Expr, Mistake>,
    ) -> Result<Expr, Mistake> {
        let mut left = operand(self)?;
        while let Some((_, operator)) = operators.iter().find(|(sign, _)| self.peek() == Some(*sign)) {
            let from = self.at;
            self.at += 1;
            let right = operand(self)?;
            left = self.folded(Expr::Binary(*operator, Box::new(left), Box::new(right)), from)?;
        }
        Ok(left)
    }

    fn signed(&mut self) -> Result<Expr, Mistake> {
        if self.peek() != Some('-') {
            return self.path();
        }
        let from = self.at;
        self.at += 1;
        let inner = self.deeper(Self::signed)?;
        self.folded(Expr::Negative(Box::new(inner)), from)
    }

    fn path(&mut self) -> Result<Expr, Mistake> {
        let from = self.skip_blanks();
        let mut expr = self.atom()?;
        // Behind `[*]`, all steps lead into each item.
        let mut each: Option<Vec<Expr>> = None;
        loop {
            let step = match self.peek() {
                Some('.') => {
                    self.at += 1;
                    Expr::Constant(Json::from(self.word()?))
                }
                Some('[') if self.takes_each() => {
                    if each.replace(Vec::new()).is_some() {
                        let message = "`[*]` stands once in a path".to_owned();
                        return Err(self.mistake_over(from, self.at - from, message));
                    }
                    continue;
                }
                Some('[') => self.index()?,
                _ => break,
            };
            match &mut each {
                Some(steps) => steps.push(self.folded(step, from)?),
                None => expr = self.folded(Expr::Inside(Box::new(expr), Box::new(step)), from)?,
            }
        }
        Ok(match each {
            Some(steps) => self.folded(Expr::Each(Box::new(expr), steps), from)?,
            None => expr,
        })
    }

    /// Whether `[*]` stands here, which is taken then.
    fn takes_each(&mut self) -> bool {
        let before = self.at;
        self.at += 1;
        let is_it = ['*', ']'].into_iter().all(|sign| {
            let is_there = self.peek() == Some(sign);
            self.at += usize::from(is_there);
            is_there
        });
        if !is_it {
            self.at = before;
        }
        is_it
    }

    /// `[…]`
    fn index(&mut self) -> Result<Expr, Mistake> {
        self.at += 1;
        let index = self.deeper(Self::sum)?;
        self.expect(']')?;
        Ok(index)
    }

    fn atom(&mut self) -> Result<Expr, Mistake> {
        let from = self.skip_blanks();
        match self.peek() {
            None => Err(self.unclosed()),
            Some('(') => {
                self.at += 1;
                let inner = self.deeper(Self::sum)?;
                self.expect(')')?;
                Ok(inner)
            }
            Some(quote @ ('\'' | '"')) => self.quoted(quote),
            Some(c) if c.is_ascii_digit() => self.number(),
            Some(c) if c.is_alphabetic() || c == '_' => {
                let word = self.word()?;
                match self.peek() {
                    Some('(') => self.call(&word, from),
                    _ => self.name(&word, from),
                }
            }
            Some('}') => Err(self.mistake(self.at, "expected a value before `}`")),
            Some(c) => Err(self.mistake(self.at, format!("expected a value, found `{c}`"))),
        }
    }

    fn number(&mut self) -> Result<Expr, Mistake> {
        let from = self.at;
        while self.chars.get(self.at).is_some_and(|c| c.is_ascii_digit() || *c == '.') {
            self.at += 1;
        }
        let text: String = self.chars[from..self.at].iter().collect();
        let whole = text.parse::<i64>().map(Json::from);
        let number = whole.or_else(|_| match text.contains('.') {
            true => text.parse::<f64>().map(Json::from).map_err(|_| ()),
            false => Err(()),
        });
        match number {
            Ok(number) => Ok(Expr::Constant(number)),
            Err(()) => Err(self.mistake(from, format!("`{text}` is not a number"))),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<Expr, Mistake> {
        let from = self.at;
        let rest = &self.chars[from + 1..];
        let Some(len) = rest.iter().position(|c| *c == quote) else {
            return Err(self.mistake(from, "the quote that opens here is never closed"));
        };
        self.at = from + len + 2;
        Ok(Expr::Constant(Json::from(rest[..len].iter().collect::<String>())))
    }

    fn call(&mut self, function: &str, from: usize) -> Result<Expr, Mistake> {
        self.at += 1;
        let mut arguments = Vec::new();
        while self.peek() != Some(')') {
            arguments.push(self.deeper(Self::sum)?);
            match self.peek() {
                Some(',') => self.at += 1,
                _ => break,
            }
        }
        self.expect(')')?;
        let count = arguments.len();
        let mut arguments = arguments.into_iter();
        match (function, count, arguments.next(), arguments.next()) {
            ("number", 1, Some(one), None) => {
                self.folded(Expr::Converted(Conversion::Number, Box::new(one)), from)
            }
            ("json", 1, Some(one), None) => {
                self.folded(Expr::Converted(Conversion::Json, Box::new(one)), from)
            }
            ("encoded", 1, Some(one), None) => {
                self.folded(Expr::Converted(Conversion::Encoded, Box::new(one)), from)
            }
            ("decoded", 1, Some(one), None) => {
                self.folded(Expr::Converted(Conversion::Decoded, Box::new(one)), from)
            }
            ("number" | "json" | "encoded" | "decoded", ..) => {
                Err(self.mistake(from, format!("`{function}` takes one value, found {count}")))
            }
            ("random", 2, Some(low), Some(high)) => {
                self.folded(Expr::Random(Box::new(low), Box::new(high)), from)
            }
            ("random", ..) => Err(self
                .mistake(from, format!("`random` takes two numbers, found {count}"))
                .hint("write it like random(1, 6): both ends included")),
            ("pick", 1, Some(list @ Expr::Constant(_)), None) if !constant_list(&list) => Err(self
                .mistake(from, "`pick` with a single choice always gives the same")
                .hint("give it several, or one list")),
            ("pick", 1.., Some(first), second) => {
                Ok(Expr::Pick([first].into_iter().chain(second).chain(arguments).collect()))
            }
            ("pick", ..) => Err(self.mistake(from, "`pick` needs something to pick from")),
            ("min" | "max", 2, Some(one), Some(other)) => {
                let operator = if function == "min" { Operator::Lesser } else { Operator::Greater };
                self.folded(Expr::Binary(operator, Box::new(one), Box::new(other)), from)
            }
            ("min" | "max", ..) => {
                Err(self.mistake(from, format!("`{function}` takes two numbers, found {count}")))
            }
            ("repeat", 2, Some(Expr::Constant(Json::String(text))), Some(Expr::Constant(times))) => {
                self.repeat(&text, &times, from)
            }
            ("repeat", 2, Some(Expr::Constant(Json::String(text))), Some(times)) => {
                Ok(Expr::Repeated(text, Box::new(times)))
            }
            ("repeat", 2, ..) => Err(self
                .mistake(from, "`repeat` takes a text that is known before the script begins, and a number")
                .hint("write it like repeat('x', 1000)")),
            ("repeat", ..) => Err(self
                .mistake(from, format!("`repeat` takes a text and a number, found {count}"))
                .hint("write it like repeat('x', 1000)")),
            _ => Err(self
                .mistake_over(from, function.chars().count(), format!("unknown function `{function}`"))
                .did_you_mean(function, FUNCTIONS)),
        }
    }

    /// A text so many times. It is kept once for each place at which it stands, so there is a limit for all together.
    fn repeat(&mut self, text: &str, times: &Json, from: usize) -> Result<Expr, Mistake> {
        let Some(times) = times.as_u64() else {
            let message = format!("`repeat` takes a whole number from 0 on, not {}", in_words(times));
            return Err(self.mistake(from, message));
        };
        let length = times.saturating_mul(text.len() as u64);
        match self.scope.make_room(length) {
            true => Ok(Expr::Constant(Json::from(text.repeat(times as usize)))),
            false => Err(self.mistake(
                from,
                format!(
                    "what is repeated comes to more than {} MiB in all: this would be {length} bytes",
                    units::LARGEST >> 20
                ),
            )),
        }
    }

    /// What a word stands for; where it names a place with values in it, together with the word behind it.
    fn name(&mut self, word: &str, from: usize) -> Result<Expr, Mistake> {
        let len = word.chars().count();
        let found = self.scope.find(word).map_err(|mistake| mistake.at(self.span(from, len)))?;
        match found {
            Found::Constant(value) => Ok(Expr::Constant(value)),
            Found::Name(name) => Ok(Expr::Named(name)),
            Found::Environment => {
                let (name, at) = self.after_point("env", "NAME", from)?;
                let value = self
                    .scope
                    .environment(&name)
                    .map_err(|mistake| mistake.at(self.span(at, name.chars().count())))?;
                Ok(Expr::Constant(Json::from(value)))
            }
            Found::Server => {
                let (word, at) = self.after_point("server", "interval", from)?;
                if word == "origin" {
                    return Ok(Expr::Named(Name::Origin));
                }
                let span = self.span(at, word.chars().count());
                Ok(Expr::Constant(self.scope.server(&word).map_err(|mistake| mistake.at(span))?))
            }
            Found::Row => {
                let (column, at) = self.after_point("row", "column", from)?;
                let span = self.span(at, column.chars().count());
                Ok(Expr::Named(Name::Row(self.scope.column(&column).map_err(|mistake| mistake.at(span))?)))
            }
            Found::Group(group) => {
                let member = match self.peek() {
                    Some('[') => Some(self.index()?),
                    _ => None,
                };
                let (value, at) = self.after_point(word, "sid", from)?;
                let span = self.span(at, value.chars().count());
                let of = self.scope.of(group, &value).map_err(|mistake| mistake.at(span))?;
                let count = self.scope.group(group).count;
                let member = match member {
                    Some(Expr::Constant(index)) if index.as_u64().is_none_or(|index| index >= count) => {
                        let message = format!(
                            "`{word}` has {count} clients, numbered from 0: there is no number {index}"
                        );
                        return Err(self.mistake_over(from, len, message));
                    }
                    Some(member) => member,
                    None if count == 1 => Expr::Constant(Json::from(0)),
                    None => {
                        let message = format!("`{word}` has {count} clients: which of them is meant?");
                        return Err(self
                            .mistake_over(from, len, message)
                            .hint(format!("write `{word}[0].{value}` for the first")));
                    }
                };
                Ok(Expr::Other { group, count, member: Box::new(member), of })
            }
        }
    }

    /// The word behind the point that has to follow, and where it stands.
    fn after_point(&mut self, word: &str, example: &str, from: usize) -> Result<(String, usize), Mistake> {
        if self.peek() != Some('.') {
            let message = format!("`{word}` is not a value by itself");
            return Err(self
                .mistake_over(from, word.chars().count(), message)
                .hint(format!("write `{word}.{example}`")));
        }
        self.at += 1;
        let at = self.at;
        Ok((self.word()?, at))
    }

    fn word(&mut self) -> Result<String, Mistake> {
        let from = self.at;
        while self.chars.get(self.at).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
            self.at += 1;
        }
        match self.at > from {
            true => Ok(self.chars[from..self.at].iter().collect()),
            false => Err(self.mistake(from, "expected a name after the point")),
        }
    }

    fn expect(&mut self, wanted: char) -> Result<(), Mistake> {
        match self.peek() {
            Some(c) if c == wanted => {
                self.at += 1;
                Ok(())
            }
            None => Err(self.unclosed()),
            Some(c) => Err(self.mistake(self.at, format!("expected `{wanted}`, found `{c}`"))),
        }
    }

    fn deeper(&mut self, read: fn(&mut Self) -> Result<Expr, Mistake>) -> Result<Expr, Mistake> {
        if self.depth == DEPTH_LIMIT {
            return Err(self.mistake(self.at, format!("the expression is more than {DEPTH_LIMIT} deep here")));
        }
        self.depth += 1;
        let expr = read(self);
        self.depth -= 1;
        expr
    }

    fn folded(&mut self, expr: Expr, from: usize) -> Result<Expr, Mistake> {
        self.length += 1;
        if self.length > LENGTH_LIMIT {
            return Err(self.mistake(from, format!("the expression has more than {LENGTH_LIMIT} operators")));
        }
        expr.folded().map_err(|why| self.mistake(from, why))
    }

    fn skip_blanks(&mut self) -> usize {
        while self.chars.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
        self.at
    }

    fn peek(&mut self) -> Option<char> {
        let at = self.skip_blanks();
        self.chars.get(at).copied()
    }

    fn unclosed(&self) -> Mistake {
        self.mistake_over(self.open, 2, "the `${` that opens here is never closed".to_owned())
            .hint("add `}`, or write `$${` for a plain `${`")
    }

    fn mistake(&self, from: usize, message: impl Into<String>) -> Mistake {
        self.mistake_over(from, 1, message.into())
    }

    fn mistake_over(&self, from: usize, len: usize, message: String) -> Mistake {
        Mistake::new(self.span(from, len), message)
    }

    fn span(&self, from: usize, len: usize) -> Span {
        self.node.part(from, len)
    }
}

fn constant_list(expr: &Expr) -> bool {
    matches!(expr, Expr::Constant(Json::Array(items)) if !items.is_empty())
}
