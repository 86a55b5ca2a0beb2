//! How a tab came in: the requests of its page whose answers its connection, or what it says over it, comes from.
//!
//! A cookie that came with a connection was set by an answer; a token that a tab says stands in one. That request may have said
//! what an earlier answer held, such as a token against forgery, and so on. All others let nobody in.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use percent_encoding::percent_decode_str;
use regex::Regex;
use serde_json::Value as Json;
use url::Url;

use super::asked::{Asked, Says, is_password};
use super::hidden::{Hidden, looks_random, without_scheme};
use super::keys::is_id_key;
use super::origin::{Origins, Place, Value, is_made, values};
use super::request::Request;
use super::talk::{Tab, What};

/// So many requests let a tab in.
const MOST: usize = 12;

/// So many events of a tab are looked at for what came from an answer.
const MOST_EVENTS: usize = 500;

/// So many values are looked for in answers that are pages.
const MOST_LOOKED_FOR: usize = 200;

/// The shortest value that is looked for.
const SHORTEST: usize = 4;

/// The shortest that is looked for in a page.
const SHORTEST_IN_PAGE: usize = 12;

/// By so many characters before it a value in a page is found again.
const BEFORE: usize = 40;

/// Times of files are not exact to less than this, in seconds.
const SLACK: f64 = 0.02;

/// All requests, and how the tabs came in.
pub(super) struct Logins {
    pub(super) requests: Vec<(Request, Asked)>,
    pub(super) of_tabs: Vec<Login>,
    /// The names of cookies of which nothing tells where they come from.
    pub(super) unexplained: BTreeSet<String>,
}

/// How a tab came in.
#[derive(Debug, Default)]
pub(super) struct Login {
    /// By which requests, in the order of time, and why each of them.
    pub(super) requests: Vec<(usize, String)>,
    /// Where values come from that it says, by the values.
    pub(super) flows: BTreeMap<String, Flow>,
    /// The requests to other servers that told it something.
    pub(super) elsewhere: BTreeSet<String>,
}

/// Where a value comes from.
#[derive(Clone, Debug)]
pub(super) struct Flow {
    pub(super) request: usize,
    pub(super) from: From,
}

/// The part of an answer.
#[derive(Clone, Debug)]
pub(super) enum From {
    /// A place of its JSON, and whether a number stands there.
    Json(Place, bool),
    /// What the group of a pattern matches in a header, and whether it is said without the `%` that it has there.
    Header(String, String, bool),
    /// The same in its text.
    Text(String),
}

/// Where a tab has values from, by the values.
pub(super) type Known = BTreeMap<String, Given>;

/// Where a value comes from.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// The expression for it, without the braces.
    pub(super) expression: String,
    pub(super) is_number: bool,
}

impl Logins {
    pub(super) fn of(mut requests: Vec<Request>, tabs: &[Tab], origins: &Origins, hidden: &Hidden) -> Logins {
        requests.sort_by(|one, other| one.at.total_cmp(&other.at));
        let requests = requests.into_iter().filter_map(|request| {
            let asked = Asked::of(&request)?;
            Some((request, asked))
        });
        let requests: Vec<(Request, Asked)> = requests.collect();
        let answers = Answers::of(&requests, tabs, hidden);
        let of_tabs = tabs.iter().enumerate();
        let of_tabs =
            of_tabs.map(|(index, tab)| answers.login(tab, &comes_with(index, tab, origins, hidden)));
        let of_tabs = of_tabs.collect();
        let cookies = tabs.iter().flat_map(|tab| tab.cookies.iter().map(move |cookie| (tab, cookie)));
        let unexplained =
            cookies.filter(|(tab, (name, value))| answers.setter(name, value, tab.began, tab).is_none());
        let unexplained = unexplained.map(|(_, (name, _))| name.clone()).collect();
        Logins { of_tabs, unexplained, requests }
    }

    /// The requests by which a tab came in: methods and paths.
    pub(super) fn way(&self, tab: usize) -> Vec<(&str, &str)> {
        let requests = self.of_tabs[tab].requests.iter().map(|(request, _)| &self.requests[*request]);
        requests.map(|(request, asked)| (request.method.as_str(), asked.path.as_str())).collect()
    }
}

/// What a tab says that may come from an answer.
fn comes_with(index: usize, tab: &Tab, origins: &Origins, hidden: &Hidden) -> Vec<String> {
    let mut found = Vec::new();
    let mut add = |key: &str, text: &str, is_number: bool| {
        let is_it = is_id_key(key) || !is_number && (hidden.hides(key, text) || is_made(text));
        if is_it {
            found.push(without_scheme(text).to_owned());
        }
    };
    tab.query.iter().chain(&tab.headers).for_each(|(key, text)| add(key, text, false));
    for said in tab.said.iter().filter(|said| said.is_sent) {
        if let What::Connect(Some(auth)) = &said.what {
            let auth = std::slice::from_ref(auth);
            values(auth).iter().for_each(|value| add(&value.place, &value.text, value.is_number));
        }
    }
    for (said, _, args, _) in tab.sent().take(MOST_EVENTS) {
        for Value { place, text, is_number } in values(args) {
            let key = place.rsplit('/').next().unwrap_or_default();
            let is_told = || origins.owner(&text).is_some() || origins.told(index, &text, said.at).is_some();
            if !is_number && hidden.hides(key, &text) && !is_told() {
                found.push(without_scheme(&text).to_owned());
            }
        }
    }
    found
}

/// Who of several requests is asked about: those to this server, answered by this time.
struct Answers<'r> {
    requests: &'r [(Request, Asked)],
    /// The values of their JSON and their headers.
    told: HashMap<String, Vec<Flow>>,
    hidden: &'r Hidden,
    are_cookies_known: bool,
}

impl<'r> Answers<'r> {
    fn of(requests: &'r [(Request, Asked)], tabs: &[Tab], hidden: &'r Hidden) -> Answers<'r> {
        let mut told: HashMap<String, Vec<Flow>> = HashMap::new();
        let mut are_cookies_known = tabs.iter().any(|tab| !tab.cookies.is_empty());
        for (request, (asked, _)) in requests.iter().enumerate() {
            are_cookies_known |= asked.cookies().chain(asked.answer.cookies()).next().is_some();
            let mut add = |text: &str, from: From| {
                told.entry(text.to_owned()).or_default().push(Flow { request, from })
            };
            if let Ok(json) = serde_json::from_slice::<Json>(&asked.answer.body) {
                for Value { place, text, is_number } in values(std::slice::from_ref(&json)) {
                    if text.len() >= SHORTEST || is_id_key(&place) {
                        add(&text, From::Json(place, is_number));
                    }
                }
            }
            for (name, value) in asked.answer.cookies().filter(|(_, value)| value.len() >= SHORTEST) {
                let of = |is_encoded| {
                    From::Header(
                        "set-cookie".to_owned(),
                        format!("{}=([^;]+)", regex::escape(name)),
                        is_encoded,
                    )
                };
                add(value, of(false));
                // A page that says a cookie reads it as its libraries do, as the text that the server meant.
                let meant = percent_decode_str(value).decode_utf8_lossy();
                if meant != value {
                    add(&meant, of(true));
                }
            }
            let location =
                asked.answer.header("location").and_then(|to| Url::parse(&asked.url).ok()?.join(to).ok());
            for (name, value) in location
                .iter()
                .flat_map(Url::query_pairs)
                .filter(|(name, value)| hidden.hides(name, value) || &**name == "code")
            {
                let is_encoded =
                    asked.answer.header("location").is_some_and(|location| !location.contains(&*value));
                let pattern = format!("[?&]{}=([^&#]+)", regex::escape(&name));
                add(&value, From::Header("location".to_owned(), pattern, is_encoded));
            }
            for (name, value) in asked.answer.headers.iter().filter(|(name, _)| {
                !["set-cookie", "location", "content-type"].contains(&name.to_ascii_lowercase().as_str())
            }) {
                add(
                    without_scheme(value),
                    From::Header(name.to_ascii_lowercase(), r"(\S+)$".to_owned(), false),
                );
            }
        }
        Answers { requests, told, hidden, are_cookies_known }
    }

    /// Whether a request has let somebody in by that time, wherever its server is.
    fn may_let_in(&self, request: usize, before: f64) -> bool {
        let (request, asked) = &self.requests[request];
        (200..400).contains(&request.answer.status)
            && request.answer.at <= before + SLACK
            && !asked.leaves(request)
    }

    fn is_of(&self, request: usize, tab: &Tab) -> bool {
        self.requests[request].1.origin == tab.origin
    }

    /// The latest request that set a cookie.
    fn setter(&self, name: &str, value: &str, before: f64, tab: &Tab) -> Option<usize> {
        (0..self.requests.len()).rev().find(|request| {
            self.is_of(*request, tab)
                && self.may_let_in(*request, before)
                && self.requests[*request].0.answer.cookies().any(|cookie| cookie == (name, value))
        })
    }

    /// The first request that told a value.
    fn teller(
        &self,
        text: &str,
        before: f64,
        tab: &Tab,
        looked_for: &mut usize,
    ) -> Result<Flow, Option<usize>> {
        let told =
            self.told.get(text).into_iter().flatten().filter(|flow| self.may_let_in(flow.request, before));
        let told: Vec<&Flow> = told.collect();
        if let Some(flow) = told.iter().find(|flow| self.is_of(flow.request, tab)) {
            return Ok((*flow).clone());
        }
        if text.len() >= SHORTEST_IN_PAGE && *looked_for < MOST_LOOKED_FOR {
            *looked_for += 1;
            let pages = (0..self.requests.len())
                .filter(|request| self.is_of(*request, tab) && self.may_let_in(*request, before));
            for request in pages {
                if let Some(pattern) = pattern(&self.requests[request].0.answer.body, text) {
                    return Ok(Flow { request, from: From::Text(pattern) });
                }
            }
        }
        Err(told.first().map(|flow| flow.request))
    }

    /// The last request that said a password in the session of a tab.
    fn password(&self, tab: &Tab) -> Option<usize> {
        (0..self.requests.len()).rev().find(|index| {
            let (request, asked) = &self.requests[*index];
            let is_shared = |(name, value): (&str, &str)| {
                tab.cookies.iter().any(|(own, of_own)| own == name && of_own == value)
            };
            self.is_of(*index, tab)
                && self.may_let_in(*index, tab.began)
                && !request.is_safe()
                && asked.has_password()
                && (!self.are_cookies_known
                    || request.cookies().chain(request.answer.cookies()).any(is_shared))
        })
    }

    /// Whether somebody who mistyped a password in one request says it again in another.
    fn is_said_again(&self, one: usize, other: usize) -> bool {
        let ((before, said), (request, asked)) = (&self.requests[one], &self.requests[other]);
        one != other && before.method == request.method && said.path == asked.path && said.has_password()
    }

    /// How a tab came in that comes with these values.
    fn login(&self, tab: &Tab, says: &[String]) -> Login {
        let (mut login, mut looked_for) = (Login::default(), 0);
        let mut open: VecDeque<(usize, String)> = VecDeque::new();
        let password = self.password(tab);
        for (name, value) in &tab.cookies {
            let setter = self.setter(name, value, tab.began, tab);
            let setter =
                setter.filter(|setter| password.is_none_or(|last| !self.is_said_again(*setter, last)));
            open.extend(setter.map(|setter| {
                (setter, format!("the connection came with the cookie `{name}`, which this set"))
            }));
        }
        for text in says {
            self.follow(
                text,
                tab.began,
                tab,
                &mut login,
                &mut open,
                &mut looked_for,
                "the tab said what this answered",
            );
        }
        if open.is_empty() || !tab.cookies.is_empty() {
            let why = "it says a password, and the connection came after it".to_owned();
            open.extend(password.map(|request| (request, why)));
        }
        let mut found: BTreeMap<usize, String> = BTreeMap::new();
        while let Some((index, why)) = open.pop_front() {
            if found.len() >= MOST || found.contains_key(&index) {
                continue;
            }
            found.insert(index, why);
            let (request, asked) = &self.requests[index];
            for (name, value) in request.cookies() {
                let is_replaced = request.answer.cookies().any(|(set, _)| set == name);
                let setter = self.setter(name, value, request.at, tab).filter(|_| !is_replaced);
                let setter = setter.filter(|setter| !self.is_said_again(*setter, index));
                open.extend(setter.map(|setter| {
                    (setter, format!("a later request came with the cookie `{name}`, which this set"))
                }));
            }
            let may_be_told = |says: &&Says| {
                let Says { key, text, .. } = says;
                !is_password(key) && (self.hidden.hides(key, text) || is_made(text) || is_id_key(key))
            };
            for says in asked.says.iter().filter(may_be_told) {
                let text = without_scheme(&says.text);
                self.follow(
                    text,
                    request.at,
                    tab,
                    &mut login,
                    &mut open,
                    &mut looked_for,
                    "a later request said what this answered",
                );
            }
        }
        self.put(found, &mut login);
        login
    }

    #[expect(clippy::too_many_arguments, reason = "what a search has found so far")]
    fn follow(
        &self,
        text: &str,
        before: f64,
        tab: &Tab,
        login: &mut Login,
        open: &mut VecDeque<(usize, String)>,
        looked_for: &mut usize,
        why: &str,
    ) {
        let is_looked_for = text.len() >= SHORTEST || text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_looked_for || login.flows.contains_key(text) {
            return;
        }
        match self.teller(text, before, tab, looked_for) {
            Ok(flow) => {
                open.push_back((flow.request, why.to_owned()));
                login.flows.insert(text.to_owned(), flow);
            }
            Err(Some(elsewhere)) => {
                let (request, asked) = &self.requests[elsewhere];
                login.elsewhere.insert(format!("{} {}{}", request.method, asked.origin, asked.path));
            }
            Err(None) => {}
        }
    }

    /// Puts requests into the order of time, but a page that was asked for again, while nobody said anything, only once.
    fn put(&self, found: BTreeMap<usize, String>, login: &mut Login) {
        let mut first: HashMap<(&str, &str), usize> = HashMap::new();
        for (index, why) in found {
            let (request, asked) = &self.requests[index];
            if !request.is_safe() {
                first.clear();
            } else if let Some(known) = first.get(&(request.method.as_str(), asked.path.as_str())) {
                login
                    .flows
                    .values_mut()
                    .filter(|flow| flow.request == index)
                    .for_each(|flow| flow.request = *known);
                continue;
            }
            first.insert((&request.method, &asked.path), index);
            login.requests.push((index, why));
        }
        // A step keeps one text of a page.
        let mut texts: BTreeMap<usize, String> = BTreeMap::new();
        let requests: BTreeSet<usize> = login.requests.iter().map(|(request, _)| *request).collect();
        login.flows.retain(|_, flow| {
            let is_first = match &flow.from {
                From::Text(pattern) => {
                    texts.entry(flow.request).or_insert_with(|| pattern.clone()) == pattern
                }
                _ => true,
            };
            is_first && requests.contains(&flow.request)
        });
    }
}

/// A pattern whose group matches a value in a text, by what stands before it.
fn pattern(page: &[u8], text: &str) -> Option<String> {
    let at = memchr::memmem::find(page, text.as_bytes())?;
    let (before, after) = (String::from_utf8_lossy(&page[..at]), page.get(at + text.len()));
    let line = before.lines().last().filter(|_| !before.ends_with('\n')).unwrap_or_default();
    let start = line.char_indices().rev().nth(BEFORE - 1).map_or(0, |(start, _)| start);
    // Nothing else that was made for one person may stand in it.
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut known = &line[start..];
    while let Some(random) = known.split(|c| !is_word(c)).find(|word| looks_random(word) || is_made(word)) {
        known = &known[known.find(random)? + random.len()..];
    }
    let end =
        after.map(|byte| char::from(*byte)).filter(|c| c.is_ascii_punctuation() && !"\"'<>".contains(*c));
    let end = end.map(|end| regex::escape(&end.to_string())).unwrap_or_default();
    let pattern = format!("{}([^\"'<>\\s{end}]+)", regex::escape(known));
    let found = Regex::new(&pattern).ok()?;
    let page = String::from_utf8_lossy(page);
    (found.captures(&page)?.get(1)?.as_str() == text && !known.is_empty()).then_some(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_in_a_page_is_found_again_by_what_stands_before_it_and_no_other_secret_stands_there() {
        let page = br#"<p>x</p><input data-user="9f86d081884c7d65" name="_csrf" value="a1b2c3d4e5f6g7"><input value="zz">"#;
        let pattern = pattern(page, "a1b2c3d4e5f6g7").expect("it is there");
        assert_eq!(pattern, r#"" name="_csrf" value="([^"'<>\s]+)"#);
        assert_eq!(super::pattern(page, "nowhere-1234567"), None);
        assert_eq!(super::pattern(b"a1b2c3d4e5f6g7", "a1b2c3d4e5f6g7"), None, "nothing stands before it");
    }
}
