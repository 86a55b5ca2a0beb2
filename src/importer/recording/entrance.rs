//! The requests by which a group comes in, as steps before its `connect`: each client logs in as the person of its row.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};
use url::Url;
use url::form_urlencoded::byte_serialize;

use super::asked::{Asked, Says, Sent, is_password};
use super::hidden::{Hidden, without_scheme};
use super::keys::is_name_key;
use super::login::{Flow, From, Given, Known, Login, Logins};
use super::request::Request;
use super::roles::Role;
use super::talk::origin;
use super::words::{expression, literal};
use crate::importer::draft::Entry;

/// Headers that a request is made with, beside those that let somebody in.
const HEADERS: [&str; 2] = ["content-type", "x-requested-with"];

/// What stands between the fields of a form whose parts have heads of their own.
const BOUNDARY: &str = "next-field";

/// Words in the names of fields that say who logs in.
const WHO: [&str; 6] = ["user", "mail", "login", "name", "phone", "account"];

/// The shortest text of a row that is known again in what a tab says.
const TELLING: usize = 2;

/// How a group comes in.
#[derive(Debug, Default)]
pub(super) struct Entrance {
    pub(super) steps: Vec<Entry>,
    /// Who the clients are, if it matters.
    pub(super) rows: Vec<Json>,
    /// Variables of the group.
    pub(super) vars: Map<String, Json>,
    /// Where each tab of the group has values from.
    pub(super) known: BTreeMap<usize, Known>,
}

/// How a value of a request is written.
enum Word {
    Literal(String),
    /// An expression, without the braces.
    Expression(String),
    /// Text with expressions in it.
    Text(String),
}

impl Entrance {
    pub(super) fn of(logins: &Logins, role: &Role, hidden: &mut Hidden) -> Entrance {
        let login = &logins.of_tabs[role.tab];
        if login.requests.is_empty() {
            return Entrance::default();
        }
        let mut writer = Writer::of(logins, role, login, hidden);
        let mut steps = Vec::new();
        for (nth, (_, why)) in login.requests.iter().enumerate() {
            steps.push(Entry::Comment(format!("guessed: {why}")));
            let step = writer.request(nth);
            steps.extend(writer.unread(nth).map(Entry::Comment));
            steps.push(Entry::Step(json!({ "http": step }), 0));
        }
        let rows = writer.rows();
        let known = role.members.iter().map(|tab| (*tab, writer.known(&logins.of_tabs[*tab]))).collect();
        Entrance { steps, rows, vars: writer.vars, known }
    }
}

/// What is known while the requests of a group are written.
struct Writer<'w> {
    logins: &'w Logins,
    login: &'w Login,
    hidden: &'w mut Hidden,
    /// One tab of each person, by how it came in.
    people: Vec<&'w Login>,
    /// What the answers are kept as, request by request.
    names: Vec<String>,
    /// The columns of the rows, each with a value for each person.
    columns: Vec<(String, Vec<String>)>,
    vars: Map<String, Json>,
    /// Which places are columns: the request, the place and the column.
    places: Vec<(usize, String, String)>,
}

impl<'w> Writer<'w> {
    fn of(logins: &'w Logins, role: &Role, login: &'w Login, hidden: &'w mut Hidden) -> Writer<'w> {
        let mut names: Vec<String> = Vec::new();
        for (request, _) in &login.requests {
            let word =
                logins.requests[*request].1.path.rsplit('/').find(|word| !word.is_empty()).unwrap_or("page");
            let word: String = word
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
                .take(30)
                .collect();
            let base = format!("from_{word}");
            let mut name = base.clone();
            let mut number = 1;
            while names.contains(&name) {
                number += 1;
                name = format!("{base}_{number}");
            }
            names.push(name);
        }
        let (columns, vars, places) = (Vec::new(), Map::new(), Vec::new());
        let mut writer = Writer { logins, login, hidden, people: Vec::new(), names, columns, vars, places };
        let mut seen: Vec<Vec<&str>> = Vec::new();
        for tab in &role.members {
            let person = &logins.of_tabs[*tab];
            let says = writer.says(person);
            if !seen.contains(&says) {
                seen.push(says);
                writer.people.push(person);
            }
        }
        writer
    }

    fn asked(&self, login: &Login, nth: usize) -> Option<&'w (Request, Asked)> {
        self.logins.requests.get(login.requests.get(nth)?.0)
    }

    /// What somebody says who comes in, but what the answers had told.
    fn says(&self, login: &Login) -> Vec<&'w str> {
        let requests = (0..login.requests.len()).filter_map(|nth| self.asked(login, nth));
        let says = requests.flat_map(|(_, asked)| &asked.says).map(|says| says.text.as_str());
        says.filter(|text| !login.flows.contains_key(without_scheme(text))).collect()
    }

    /// The step for a request.
    fn request(&mut self, nth: usize) -> Json {
        let Some((request, asked)) = self.asked(self.login, nth) else { return Json::Null };
        let mut fields = Map::new();
        fields.insert(request.method.to_ascii_lowercase(), self.target(nth, asked).into());
        let headers = self.headers(nth, request, asked);
        if !headers.is_empty() {
            fields.insert("headers".to_owned(), headers.into());
        }
        match &asked.sent {
            Sent::Nothing => {}
            Sent::Form(form) => {
                let form = form
                    .iter()
                    .enumerate()
                    .map(|(index, (key, text))| self.pair(nth, asked, &format!("form/{index}"), key, text));
                let form: Vec<String> = form.collect();
                fields.insert("body".to_owned(), form.join("&").into());
            }
            Sent::Multipart(form) => {
                let mut body = String::new();
                for (index, (key, text)) in form.iter().enumerate() {
                    let text = written(self.word(nth, asked, &format!("form/{index}"), key, text));
                    body += &format!(
                        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{text}\r\n",
                        literal(key)
                    );
                }
                fields.insert("body".to_owned(), format!("{body}--{BOUNDARY}--\r\n").into());
            }
            Sent::Json(json) => {
                let written = self.value(nth, asked, "/0", "", json);
                fields.insert("body".to_owned(), written);
            }
            Sent::Other(text) => {
                let variable = self.hidden.variable("body", text);
                fields.insert("body".to_owned(), format!("${{{variable}}}").into());
            }
        }
        let mut expect = Map::new();
        if request.answer.status != 304 {
            expect.insert("status".to_owned(), request.answer.status.into());
        }
        let index = self.login.requests[nth].0;
        let name = &self.names[nth];
        let (mut has_body, mut headers) = (false, Map::new());
        for flow in self.login.flows.values().filter(|flow| flow.request == index) {
            match &flow.from {
                From::Json(..) => has_body = true,
                From::Text(pattern) => {
                    has_body = true;
                    expect.insert("body".to_owned(), json!({ "$match": literal(pattern) }));
                }
                From::Header(header, pattern, _) => {
                    headers.insert(
                        self.name_of(nth, flow),
                        json!({ "header": header, "match": literal(pattern) }),
                    );
                }
            }
        }
        fields.insert("expect".to_owned(), expect.into());
        let kept = match (has_body, headers.is_empty()) {
            (true, true) => Some(json!(name)),
            (false, true) => None,
            (is_kept, false) => {
                if is_kept {
                    headers.insert(name.clone(), json!("body"));
                }
                Some(headers.into())
            }
        };
        fields.extend(kept.map(|kept| ("capture".to_owned(), kept)));
        fields.into()
    }

    /// What has to be told of a body that is one variable.
    fn unread(&mut self, nth: usize) -> Option<String> {
        let (request, Asked { sent: Sent::Other(text), .. }) = self.asked(self.login, nth)? else {
            return None;
        };
        let variable = self.hidden.variable("body", text);
        let kind = request.header("content-type").unwrap_or_default().to_ascii_lowercase();
        let what = match kind.starts_with("multipart/") {
            true => {
                "a form with a file or a part that is no text: fill it in as it was sent, with its boundaries"
            }
            false => "of a kind that is not read: fill it in as it was sent",
        };
        Some(format!("`{variable}` is the whole body, {what}"))
    }

    /// What a value of an answer is kept as.
    fn name_of(&self, nth: usize, flow: &Flow) -> String {
        let name = &self.names[nth];
        let From::Header(header, pattern, _) = &flow.from else { return name.clone() };
        let same = self.login.flows.values().filter(|other| other.request == flow.request);
        let mut others: Vec<(&String, &String)> = same
            .filter_map(|other| match &other.from {
                From::Header(header, pattern, _) => Some((header, pattern)),
                _ => None,
            })
            .collect();
        others.sort();
        others.dedup();
        let number = others.iter().position(|other| *other == (header, pattern)).unwrap_or_default();
        format!("{name}_header{}", if number == 0 { String::new() } else { format!("_{}", number + 1) })
    }

    /// The expression for what an answer told.
    fn told(&self, text: &str) -> Option<Given> {
        let flow = self.login.flows.get(text)?;
        let nth = self.login.requests.iter().position(|(request, _)| *request == flow.request)?;
        let name = self.name_of(nth, flow);
        Some(match &flow.from {
            From::Json(place, is_number) => {
                Given { expression: expression(&name, place, 1)?, is_number: *is_number }
            }
            From::Header(_, _, true) => Given { expression: format!("decoded({name})"), is_number: false },
            From::Header(..) | From::Text(_) => Given { expression: name, is_number: false },
        })
    }

    fn target(&mut self, nth: usize, asked: &Asked) -> String {
        let path = asked.path.split('/').map(|part| match self.hidden.hides("", part) {
            true => format!("${{encoded({})}}", self.hidden.variable("path", part)),
            false => literal(part),
        });
        let path = path.collect::<Vec<_>>().join("/");
        let query = asked.query.iter().enumerate();
        let query =
            query.map(|(index, (key, text))| self.pair(nth, asked, &format!("query/{index}"), key, text));
        let query: Vec<String> = query.collect();
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    /// A parameter, as forms and urls have it.
    fn pair(&mut self, nth: usize, asked: &Asked, place: &str, key: &str, text: &str) -> String {
        let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
        let value = match self.word(nth, asked, place, key, text) {
            Word::Literal(text) => encoded(&text),
            Word::Expression(expression) => format!("${{encoded({expression})}}"),
            Word::Text(text) => text.replace(' ', "%20"),
        };
        format!("{}={value}", encoded(key))
    }

    fn headers(&mut self, nth: usize, request: &Request, asked: &Asked) -> Map<String, Json> {
        let mut headers = Map::new();
        for (name, value) in &request.headers {
            let lower = name.to_ascii_lowercase();
            // Some servers answer to this alone what a page takes for an answer.
            let is_wanted = lower == "accept" && value.contains("json");
            if matches!(lower.as_str(), "origin" | "referer") {
                headers.insert(name.clone(), self.page(value, asked).into());
            } else if lower == "content-type" && matches!(asked.sent, Sent::Multipart(_)) {
                headers.insert(name.clone(), format!("multipart/form-data; boundary={BOUNDARY}").into());
            } else if HEADERS.contains(&lower.as_str()) || is_wanted {
                headers.insert(name.clone(), literal(value).into());
            } else if asked.at(&format!("header/{lower}")).is_some() {
                let word = self.word(nth, asked, &format!("header/{lower}"), name, value);
                headers.insert(name.clone(), written(word).into());
            }
        }
        headers
    }

    /// The page that a request names as the one it comes from: at the server under test, wherever that is.
    fn page(&self, value: &str, asked: &Asked) -> String {
        let Ok(url) = Url::parse(value) else { return literal(value) };
        let origin = origin(&url);
        let origin = if origin == asked.origin { "${server.origin}".to_owned() } else { literal(&origin) };
        if value.matches('/').count() == 2 {
            return origin;
        }
        // Parameters are left out: no server that looks where a request comes from asks for them.
        match url.path().split('/').any(|part| self.hidden.hides("", part)) {
            true => format!("{origin}/"),
            false => format!("{origin}{}", literal(url.path())),
        }
    }

    fn value(&mut self, nth: usize, asked: &Asked, place: &str, key: &str, value: &Json) -> Json {
        match value {
            Json::Array(items) => {
                let items = items.iter().enumerate();
                items
                    .map(|(index, item)| self.value(nth, asked, &format!("{place}/{index}"), key, item))
                    .collect()
            }
            Json::Object(map) => {
                let entries = map.iter().map(|(key, value)| {
                    let name = if key.starts_with('$') { format!("${key}") } else { key.clone() };
                    (name, self.value(nth, asked, &format!("{place}/{key}"), key, value))
                });
                Json::Object(entries.collect())
            }
            Json::String(text) => written(self.word(nth, asked, place, key, text)).into(),
            Json::Number(number) => {
                let text = number.to_string();
                match self.word(nth, asked, place, key, &text) {
                    Word::Expression(expression) => format!("${{number({expression})}}").into(),
                    Word::Literal(_) | Word::Text(_) => value.clone(),
                }
            }
            other => other.clone(),
        }
    }

    /// A value that a request says.
    fn word(&mut self, nth: usize, asked: &Asked, place: &str, key: &str, text: &str) -> Word {
        let bare = without_scheme(text);
        if let Some(Given { expression, .. }) = self.told(bare) {
            let scheme = &text[..text.len() - bare.len()];
            return match scheme.is_empty() {
                true => Word::Expression(expression),
                false => Word::Text(format!("{}${{{expression}}}", literal(scheme))),
            };
        }
        let of = |login: &Login| {
            let (_, other) = self.asked(login, nth)?;
            Some(other.at(place).filter(|other| other.key == key)?.text.clone())
        };
        let mut values: Vec<String> =
            self.people.iter().map(|login| of(login).unwrap_or_else(|| text.to_owned())).collect();
        let is_same = values.iter().all(|value| value == text);
        if is_password(key) || self.hidden.hides(key, text) {
            if is_same {
                return Word::Expression(self.hidden.variable(key, text));
            }
            let variables = values.iter().map(|value| format!("${{{}}}", self.hidden.variable(key, value)));
            let variables: Json = variables.collect();
            let name = format!(
                "{}s",
                self.hidden.variable(key, text).trim_end_matches(|c: char| c.is_ascii_digit() || c == '_')
            );
            self.vars.insert(name.clone(), variables);
            return Word::Expression(format!("{name}[n % {}]", self.people.len()));
        }
        let lower = key.to_ascii_lowercase();
        let says_who =
            asked.has_password() && (is_name_key(key) || WHO.iter().any(|word| lower.contains(word)));
        if is_same && !says_who {
            return Word::Literal(text.to_owned());
        }
        let column: String =
            key.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(30).collect();
        let base = if column.starts_with(|c: char| c.is_ascii_alphabetic()) {
            column
        } else {
            format!("is_{column}")
        };
        let (mut column, mut number) = (base.clone(), 1);
        while self.columns.iter().any(|(known, others)| *known == column && *others != values) {
            number += 1;
            column = format!("{base}_{number}");
        }
        if !self.columns.iter().any(|(known, _)| *known == column) {
            self.columns.push((column.clone(), std::mem::take(&mut values)));
        }
        self.places.push((nth, place.to_owned(), column.clone()));
        Word::Expression(format!("row.{column}"))
    }

    /// The rows, person by person.
    fn rows(&self) -> Vec<Json> {
        if self.columns.is_empty() {
            return Vec::new();
        }
        let row = |person: usize| {
            let entries =
                self.columns.iter().map(|(column, values)| (column.clone(), values[person].clone().into()));
            Json::Object(entries.collect())
        };
        (0..self.people.len()).map(row).collect()
    }

    /// Where a tab has values from that came in like that.
    fn known(&self, login: &Login) -> Known {
        let mut known = Known::new();
        for (nth, place, column) in &self.places {
            let says = self.asked(login, *nth).and_then(|(_, asked)| asked.at(place));
            if let Some(Says { text, .. }) = says.filter(|says| says.text.len() >= TELLING) {
                known.insert(text.clone(), Given { expression: format!("row.{column}"), is_number: false });
            }
        }
        let own = self.login.requests.iter().zip(&login.requests);
        let own: BTreeMap<usize, usize> = own.map(|((own, _), (other, _))| (*other, *own)).collect();
        for (text, flow) in &login.flows {
            let Some(request) = own.get(&flow.request) else { continue };
            // Where the tab that is played has the same from.
            let is_it = |(_, played): &(&String, &Flow)| {
                played.request == *request && is_same(&played.from, &flow.from)
            };
            if let Some((played, _)) = self.login.flows.iter().find(is_it)
                && let Some(given) = self.told(played)
            {
                known.insert(text.clone(), given);
            }
        }
        known
    }
}

fn is_same(one: &From, other: &From) -> bool {
    match (one, other) {
        (From::Json(one, _), From::Json(other, _)) => one == other,
        (From::Header(one, of_one, is_encoded), From::Header(other, of_other, is_other)) => {
            (one, of_one, is_encoded) == (other, of_other, is_other)
        }
        (From::Text(_), From::Text(_)) => true,
        _ => false,
    }
}

fn written(word: Word) -> String {
    match word {
        Word::Literal(text) => literal(&text),
        Word::Expression(expression) => format!("${{{expression}}}"),
        Word::Text(text) => text,
    }
}
