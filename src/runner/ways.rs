//! How clients that only look, and a proxy that only passes on, reach an application: by the same flags as the clients of a run.

use serde_json::Value as Json;

use super::{TlsFiles, Trust};
use crate::recorder::Target;
use crate::secrets::Secrets;
use crate::server::{Endpoint, Proxy, authorization};

/// What every request brings, and through what it goes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ways {
    /// Headers, each in place of ours with its name.
    pub(crate) headers: Vec<(String, String)>,
    /// Parameters of the query of each handshake.
    pub(crate) query: Vec<(String, String)>,
    /// What each client sends with CONNECT.
    pub(crate) auth: Option<Json>,
    /// The proxy; else that of the environment. Empty is none.
    pub(crate) proxy: Option<String>,
    /// Which certificates are accepted.
    pub(crate) trust: Trust,
}

impl Ways {
    /// Makes known what of this and of these urls is secret.
    pub(crate) fn note_secrets(&self, urls: impl IntoIterator<Item = String>, secrets: &Secrets) {
        self.headers.iter().for_each(|(name, value)| secrets.note_header(name, value));
        self.query.iter().for_each(|(name, value)| secrets.note_parameter(name, value));
        self.auth.iter().for_each(|auth| secrets.note_auth(auth, true));
        self.proxy.iter().cloned().chain(urls).for_each(|url| note_url(&url, secrets));
    }

    /// The application at an endpoint. Name and password of its url are Basic authentication.
    ///
    /// # Errors
    /// A sentence, when a file or the proxy cannot be read.
    pub(super) fn target(&self, endpoint: &Endpoint) -> Result<Target, String> {
        let tls = match endpoint.secure {
            true => Some(TlsFiles::read(&self.trust, None)?.config()?),
            false => None,
        };
        let proxy = Proxy::towards(endpoint, self.proxy.as_deref(), &|name| std::env::var(name).ok())?;
        let mut headers = self.headers.clone();
        if let Some(credentials) = &endpoint.authorization
            && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
        {
            headers.push(("Authorization".to_owned(), credentials.clone()));
        }
        Ok(Target {
            proxy: proxy.map(|proxy| (proxy.clone(), proxy.tunnel(endpoint))),
            headers,
            ..Target::new(endpoint.host.clone(), endpoint.port, tls)
        })
    }

    /// What the query of each handshake brings, with `&` before it: that of the url, but for what is given beside it.
    pub(super) fn query_of(&self, endpoint: &Endpoint) -> String {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in
            url::form_urlencoded::parse(endpoint.query.as_deref().unwrap_or_default().as_bytes())
        {
            if !self.query.iter().any(|(given, _)| *given == name) {
                pairs.append_pair(&name, &value);
            }
        }
        pairs.extend_pairs(&self.query);
        let query = pairs.finish();
        if query.is_empty() { query } else { format!("&{query}") }
    }

    /// The flags of `run` that do the same, with a blank before each. A query of the url is for the first look of a run only.
    pub(super) fn flags(&self, endpoint: &Endpoint) -> String {
        let of_url = url::form_urlencoded::parse(endpoint.query.as_deref().unwrap_or_default().as_bytes())
            .into_owned()
            .filter(|(name, _)| !self.query.iter().any(|(given, _)| given == name));
        let parameters = of_url.chain(self.query.iter().cloned());
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| format!("--header {}", quoted(&format!("{name}: {value}"))));
        let query = parameters.map(|(name, value)| format!("--query {}", quoted(&format!("{name}={value}"))));
        let auth = self.auth.iter().map(|auth| format!("--auth {}", quoted(&auth.to_string())));
        let proxy = self.proxy.iter().map(|proxy| format!("--proxy {}", quoted(proxy)));
        let trust = match &self.trust {
            Trust::Usual => None,
            Trust::Any => Some("--insecure".to_owned()),
            Trust::Authorities(file) => Some(format!("--ca-file {}", quoted(&file.display().to_string()))),
        };
        let all = headers.chain(query).chain(auth).chain(proxy).chain(trust);
        all.map(|flag| format!(" {flag}")).collect()
    }
}

/// What of a url is secret. A url that is wrong may hold something, too.
fn note_url(text: &str, secrets: &Secrets) {
    secrets.note_url(text);
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let Ok(url) = url::Url::parse(&whole) else { return };
    if let Some(value) = authorization(&url) {
        secrets.note_header("authorization", &value);
    }
    if let Some(password) = url.password() {
        secrets.note(&percent_encoding::percent_decode_str(password).decode_utf8_lossy());
    }
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    shlex::try_quote(word).map_or_else(|_| String::new(), |word| word.into_owned())
}
