//! What a request of a page says: its path, its parameters and its body, value by value.

use serde_json::Value as Json;
use url::{Url, form_urlencoded};

use super::origin::{Place, Value, values};
use super::request::Request;
use super::talk::origin;
use crate::secrets::is_secret_header;

/// Words in the paths by which people leave.
const LEAVE: [&str; 8] =
    ["logout", "log-out", "log_out", "signout", "sign-out", "sign_out", "logoff", "signoff"];

/// Words in the names of fields that hold what only one person knows.
const PASSWORD: [&str; 5] = ["passw", "pwd", "passphrase", "passcode", "otp"];

/// A request, taken apart.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) origin: String,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) sent: Sent,
    /// All that it says, but the path.
    pub(super) says: Vec<Says>,
}

/// A body.
#[derive(Debug)]
pub(super) enum Sent {
    Nothing,
    Form(Vec<(String, String)>),
    /// A form whose fields are parts of their own, all of them texts.
    Multipart(Vec<(String, String)>),
    Json(Json),
    /// Of a kind that is not read.
    Other(String),
}

/// A value of a request.
#[derive(Debug)]
pub(super) struct Says {
    /// Where it stands: `query/0`, `form/0`, `header/authorization`, or as JSON pointers have it.
    pub(super) place: Place,
    pub(super) key: String,
    pub(super) text: String,
}

impl Asked {
    /// None where the url is none.
    pub(super) fn of(request: &Request) -> Option<Asked> {
        let url = Url::parse(&request.url).ok()?;
        let query: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let sent = sent(request);
        let mut says = Vec::new();
        let mut pairs = |part: &str, pairs: &[(String, String)]| {
            for (index, (key, text)) in pairs.iter().enumerate() {
                let (place, key, text) = (format!("{part}/{index}"), key.clone(), text.clone());
                says.push(Says { place, key, text });
            }
        };
        pairs("query", &query);
        if let Sent::Form(form) | Sent::Multipart(form) = &sent {
            pairs("form", form);
        }
        if let Sent::Json(json) = &sent {
            says.extend(values(std::slice::from_ref(json)).into_iter().map(
                |Value { place, text, .. }| Says {
                    key: place.rsplit('/').next().unwrap_or_default().to_owned(),
                    text: text.into_owned(),
                    place,
                },
            ));
        }
        let headers = request
            .headers
            .iter()
            .filter(|(name, _)| is_secret_header(name) && !name.eq_ignore_ascii_case("cookie"));
        says.extend(headers.map(|(name, value)| Says {
            place: format!("header/{}", name.to_ascii_lowercase()),
            key: name.clone(),
            text: value.clone(),
        }));
        Some(Asked { origin: origin(&url), path: url.path().to_owned(), query, sent, says })
    }

    /// Whether somebody leaves by it.
    pub(super) fn leaves(&self, request: &Request) -> bool {
        let path = self.path.to_ascii_lowercase();
        request.method == "DELETE" || LEAVE.iter().any(|word| path.contains(word))
    }

    /// Whether it says a password.
    pub(super) fn has_password(&self) -> bool {
        self.says.iter().any(|says| is_password(&says.key))
    }

    /// What stands at a place.
    pub(super) fn at(&self, place: &str) -> Option<&Says> {
        self.says.iter().find(|says| says.place == place)
    }
}

/// Whether a field of this name holds what only one person knows.
pub(super) fn is_password(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    PASSWORD.iter().any(|word| key.contains(word)) || ["pass", "pin"].contains(&key.as_str())
}

fn sent(request: &Request) -> Sent {
    if request.body.is_empty() {
        return Sent::Nothing;
    }
    let kind = request.header("content-type").unwrap_or_default().to_ascii_lowercase();
    if kind.starts_with("application/x-www-form-urlencoded") {
        return Sent::Form(form_urlencoded::parse(&request.body).into_owned().collect());
    }
    if kind.starts_with("multipart/form-data")
        && let Some(form) = parts(request)
    {
        return Sent::Multipart(form);
    }
    match serde_json::from_slice(&request.body) {
        Ok(json) if kind.contains("json") => Sent::Json(json),
        _ => Sent::Other(String::from_utf8_lossy(&request.body).into_owned()),
    }
}

/// The fields of a form in parts; none where one is a file, or no text.
fn parts(request: &Request) -> Option<Vec<(String, String)>> {
    let kind = request.header("content-type")?;
    let at = kind.to_ascii_lowercase().find("boundary=")?;
    let boundary = kind[at + "boundary=".len()..].split(';').next()?.trim().trim_matches('"');
    let body = std::str::from_utf8(&request.body).ok()?;
    let between = format!("--{boundary}");
    let mut parts = body.split(&between);
    parts.next()?;
    let mut form = Vec::new();
    for part in parts {
        if part.starts_with("--") {
            return Some(form);
        }
        let (head, text) = part.strip_prefix("\r\n")?.split_once("\r\n\r\n")?;
        let is_plain = head.lines().count() == 1 && !head.contains("filename");
        let name = head.split("name=\"").nth(1)?.split('"').next()?;
        form.push((name.to_owned(), text.strip_suffix("\r\n").filter(|_| is_plain)?.to_owned()));
    }
    None
}
