//! Where a server is reached: the URL rules.
//!
//! `http` and `ws` mean the same, and so do `https` and `wss`. Without a path it is `/socket.io/`. Any other path may be
//! the Engine.IO path, with or without its final slash, or, as the official client reads it, a namespace: whoever looks
//! tries what [`Endpoint::readings`] gives. A query is for the look alone. A name and a password become a header.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

const DEFAULT_PATH: &str = "/socket.io/";

/// A server's address, checked.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Endpoint {
    /// True for `https` and `wss`.
    pub secure: bool,
    /// Name or address, IPv6 without brackets: what is resolved, and what a certificate is checked against.
    pub host: String,
    /// The port, the scheme's own where none was given.
    pub port: u16,
    /// The Engine.IO path, percent-encoded; usually with a slash at both ends.
    pub path: String,
    /// What the user put behind `?`, percent-encoded, without the question mark. Sent with the look, not by clients.
    pub query: Option<String>,
    /// The namespace that the url names, if it does.
    pub namespace: Option<String>,
    /// Whether the path may mean something else than it seems to.
    pub is_open: bool,
    /// The value of the header `Authorization` that name and password in the url make.
    pub authorization: Option<String>,
}

impl Endpoint {
    /// Reads what a user typed. The error is a sentence that says what to type instead.
    pub fn parse(text: &str) -> Result<Self, WrongUrl> {
        let wrong = |why: String| WrongUrl { text: text.to_owned(), why };
        let url = Url::parse(text)
            .map_err(|error| wrong(format!("{error}; write it like http://localhost:3000")))?;
        let secure = match url.scheme() {
            "http" | "ws" => false,
            "https" | "wss" => true,
            // `localhost:3000` reads as the scheme `localhost`.
            other if !text.contains("://") => {
                return Err(wrong(format!("`{other}:` is not a scheme; write http://{text}")));
            }
            other => return Err(wrong(format!("the scheme must be http, https, ws or wss, not {other}"))),
        };
        let ours = url.query_pairs().find(|(key, _)| is_ours(key));
        if let Some((key, _)) = ours {
            return Err(wrong(format!("its query sets `{key}`, which sockrates sets itself; leave it out")));
        }
        let (host, port) = host_and_port(&url, secure)
            .ok_or_else(|| wrong("it names no host; write it like http://localhost:3000".into()))?;
        let path = match url.path() {
            "" | "/" => DEFAULT_PATH.to_owned(),
            path => slashed(path),
        };
        Ok(Self {
            secure,
            host,
            port,
            path,
            query: url.query().filter(|query| !query.is_empty()).map(str::to_owned),
            namespace: None,
            is_open: true,
            authorization: authorization(&url),
        })
    }

    /// The endpoint at the default path of a port of this machine.
    pub fn local(port: u16) -> Self {
        Self {
            secure: false,
            host: "127.0.0.1".into(),
            port,
            path: DEFAULT_PATH.into(),
            query: None,
            namespace: None,
            is_open: false,
            authorization: None,
        }
    }

    /// The same with this Engine.IO path, so that a path in the url is a namespace, as with the official client.
    ///
    /// # Errors
    /// A sentence that says what to write instead.
    pub fn at_path(self, path: &str) -> Result<Self, String> {
        if path.contains(['?', '#']) || path.contains("://") {
            return Err(format!("`--path {path}` is no path: write it like /socket.io/"));
        }
        let mut place = Url::parse("http://h").map_err(|error| error.to_string())?;
        place.set_path(path.trim_matches('/'));
        let path = slashed(place.path());
        let is_named = self.path != DEFAULT_PATH && self.path != path;
        let namespace = is_named.then(|| namespace_of(&self.path));
        Ok(Self { path, namespace, ..self })
    }

    /// What the user may mean by it, the most likely first: the path as it stands, the same without its final slash, a
    /// namespace behind the usual path, and what stands before the usual path.
    pub fn readings(&self) -> Vec<Endpoint> {
        let mut readings = vec![self.clone()];
        if !self.is_open {
            return readings;
        }
        let bare = self.path.trim_end_matches('/');
        if !bare.is_empty() && bare != self.path {
            readings.push(Self { path: bare.to_owned(), ..self.clone() });
        }
        if self.namespace.is_none() && !bare.is_empty() && bare != DEFAULT_PATH.trim_end_matches('/') {
            let namespace = Some(namespace_of(bare));
            readings.push(Self { path: DEFAULT_PATH.to_owned(), namespace, ..self.clone() });
            if !bare.ends_with(DEFAULT_PATH.trim_end_matches('/')) {
                readings.push(Self { path: format!("{bare}{DEFAULT_PATH}"), ..self.clone() });
            }
        }
        readings
    }

    /// What was understood otherwise than the user may mean it, each in a sentence. `sent` are the query parameters of the
    /// clients.
    pub(super) fn notes(&self, sent: &[(String, String)]) -> Vec<String> {
        let below = self.path.split_once(DEFAULT_PATH).filter(|(_, rest)| !rest.is_empty());
        let below = below.filter(|_| self.is_open && self.namespace.is_none()).map(|(before, rest)| {
            let (path, namespace) = (format!("{before}{DEFAULT_PATH}"), rest.trim_end_matches('/'));
            let usual = Self { path: DEFAULT_PATH.to_owned(), ..self.clone() }.to_string();
            let root = usual.trim_end_matches(DEFAULT_PATH);
            let with = if before.is_empty() { String::new() } else { format!(" with --path {path}") };
            format!(
                "{} is taken for the path of Socket.IO; for the namespace `/{namespace}` at the path {path}, write \
                 {root}/{namespace}{with}",
                self.path
            )
        });
        let query = self.query.as_deref().unwrap_or_default();
        let mut names: Vec<String> = url::form_urlencoded::parse(query.as_bytes())
            .map(|(name, _)| name.into_owned())
            .filter(|name| !sent.iter().any(|(other, _)| other == name))
            .map(|name| format!("`{name}`"))
            .collect();
        names.dedup();
        let query = (!names.is_empty()).then(|| {
            format!(
                "{} in the url goes with the first look at the server alone; what the clients are to send belongs in --query",
                names.join(", ")
            )
        });
        below.into_iter().chain(query).collect()
    }

    /// Where a redirect leads, if it may be followed: to the same host or one that shares its name, and not from TLS to
    /// plain text, because what the clients send may be secret.
    pub fn redirected(&self, to: &str) -> Option<Endpoint> {
        let target = Url::parse(&self.to_string()).ok()?.join(to).ok()?;
        let mut plain = target.clone();
        plain.set_query(None);
        plain.set_fragment(None);
        let _ = (plain.set_username(""), plain.set_password(None));
        let place = Endpoint::parse(plain.as_str()).ok()?;
        let shares = |a: &str, b: &str| a.strip_suffix(b).is_some_and(|rest| rest.ends_with('.'));
        let (host, other) = (&*self.host, &*place.host);
        let is_near = host.eq_ignore_ascii_case(other)
            || shares(host, other)
            || shares(other, host)
            || (self.is_local() && place.is_local());
        if !is_near || (self.secure && !place.secure) {
            return None;
        }
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        target.query_pairs().filter(|(key, _)| !is_ours(key)).for_each(|(key, value)| {
            query.append_pair(&key, &value);
        });
        Some(Endpoint {
            path: target.path().to_owned(),
            query: Some(query.finish()).filter(|query| !query.is_empty()),
            namespace: self.namespace.clone(),
            is_open: false,
            authorization: self.authorization.clone(),
            ..place
        })
    }

    /// Host and port as they stand in a URL and in the `Host` header: without the scheme's own port.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.secure, self.port) {
            (false, 80) | (true, 443) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// Scheme, host and port, as browsers say them in `Origin`.
    pub fn origin(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}", self.authority())
    }

    /// The request target of an Engine.IO request: path, the user's query, then `parameters`.
    pub fn request_target(&self, parameters: &str) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}&{parameters}", self.path),
            None => format!("{}?{parameters}", self.path),
        }
    }

    /// The same place with the other kind of encryption, for advice.
    pub fn with_secure(&self, secure: bool) -> Self {
        Self { secure, ..self.clone() }
    }

    /// Every address of the host, as the system resolves it.
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        Ok((self.host.as_str(), self.port).to_socket_addrs()?.collect())
    }

    /// True for a name or an address of this very machine.
    pub fn is_local(&self) -> bool {
        match self.host.parse::<std::net::IpAddr>() {
            Ok(address) => address.is_loopback() || address.is_unspecified(),
            Err(_) => self.host == "localhost" || self.host.ends_with(".localhost"),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin(), self.path)
    }
}

/// Whether a query parameter is one that every request brings by itself.
pub(super) fn is_ours(parameter: &str) -> bool {
    matches!(parameter, "EIO" | "transport" | "sid")
}

fn slashed(path: &str) -> String {
    if path.ends_with('/') { path.to_owned() } else { format!("{path}/") }
}

fn namespace_of(path: &str) -> String {
    percent_decode_str(path.trim_end_matches('/')).decode_utf8_lossy().into_owned()
}

/// The host of a URL, IPv6 without brackets, and its port, the usual one where none is given. None without a host.
pub(crate) fn host_and_port(url: &Url, secure: bool) -> Option<(String, u16)> {
    let host = match url.host()? {
        Host::Domain("") => return None,
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    Some((host, url.port().unwrap_or(if secure { 443 } else { 80 })))
}

/// RFC 7617: Basic authentication.
pub(crate) fn authorization(url: &Url) -> Option<String> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let mut credentials: Vec<u8> = percent_decode_str(url.username()).collect();
    credentials.push(b':');
    credentials.extend(percent_decode_str(url.password().unwrap_or_default()));
    Some(format!("Basic {}", STANDARD.encode(credentials)))
}

/// Why a text is no URL of a server, as a fragment that reads well after "failed to".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongUrl {
    text: String,
    why: String,
}

impl fmt::Display for WrongUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "read the url `{}`: {}", self.text, self.why)
    }
}

impl std::error::Error for WrongUrl {}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Endpoint::parse(text).expect(text).to_string()
    }

    fn refusal(text: &str) -> String {
        Endpoint::parse(text).expect_err(text).to_string()
    }

    #[test]
    fn a_url_without_a_path_means_the_default_path() {
        assert_eq!(shown("http://localhost:3000"), "http://localhost:3000/socket.io/");
        assert_eq!(shown("http://localhost:3000/"), "http://localhost:3000/socket.io/");
    }

    #[test]
    fn any_other_path_is_the_engine_io_path_with_a_final_slash() {
        assert_eq!(shown("http://h/socket.io"), "http://h/socket.io/");
        assert_eq!(shown("http://h/app/live/"), "http://h/app/live/");
        assert_eq!(shown("http://h/a b"), "http://h/a%20b/");
    }

    #[test]
    fn websocket_schemes_mean_the_same_as_http_schemes() {
        assert_eq!(Endpoint::parse("ws://h:1/"), Endpoint::parse("http://h:1/"));
        assert_eq!(Endpoint::parse("wss://h"), Endpoint::parse("https://h"));
        assert_eq!(Endpoint::parse("wss://h").expect("it is right").port, 443);
        assert_eq!(Endpoint::parse("ws://h").expect("it is right").port, 80);
    }

    #[test]
    fn a_query_is_kept_for_the_look_stands_before_our_parameters_and_is_never_shown() {
        let endpoint = Endpoint::parse("http://h/?token=a%20b&x=1").expect("it is right");
        assert_eq!(endpoint.to_string(), "http://h/socket.io/");
        assert_eq!(endpoint.request_target("EIO=4"), "/socket.io/?token=a%20b&x=1&EIO=4");
        assert_eq!(Endpoint::local(1).request_target("EIO=4"), "/socket.io/?EIO=4");
    }

    #[test]
    fn an_ipv6_host_has_brackets_in_the_url_and_none_when_resolved() {
        let endpoint = Endpoint::parse("http://[::1]:3000").expect("it is right");
        assert_eq!(endpoint.host, "::1");
        assert_eq!(endpoint.authority(), "[::1]:3000");
        assert_eq!(endpoint.addresses().expect("it is an address").len(), 1);
    }

    #[test]
    fn localhost_resolves_to_this_machine() {
        let addresses =
            Endpoint::parse("http://localhost:9").expect("it is right").addresses().expect("it resolves");
        assert!(!addresses.is_empty() && addresses.iter().all(|address| address.ip().is_loopback()));
    }

    #[test]
    fn a_forgotten_scheme_is_told_with_the_url_that_was_meant() {
        assert!(
            refusal("localhost:3000").ends_with("write http://localhost:3000"),
            "{}",
            refusal("localhost:3000")
        );
        assert!(refusal("ftp://h").contains("not ftp"));
        assert!(refusal("3000").contains("write it like http://localhost:3000"));
        assert!(refusal("").contains("write it like"));
    }

    #[test]
    fn what_would_silently_be_lost_is_refused() {
        for key in ["EIO", "transport", "sid"] {
            assert!(refusal(&format!("http://h/?a=1&{key}=x")).contains(&format!("`{key}`")));
        }
    }

    #[test]
    fn a_name_and_a_password_become_a_header_and_are_never_shown() {
        let endpoint = Endpoint::parse("http://ann:p%40ss@h/").expect("it is right");
        assert_eq!(endpoint.authorization.as_deref(), Some("Basic YW5uOnBAc3M="));
        assert_eq!(endpoint.to_string(), "http://h/socket.io/");
    }

    #[test]
    fn a_path_may_be_meant_without_its_slash_or_as_a_namespace() {
        let readings = |text: &str| -> Vec<(String, Option<String>)> {
            let endpoint = Endpoint::parse(text).expect(text);
            endpoint.readings().into_iter().map(|one| (one.path, one.namespace)).collect()
        };
        let (usual, bare) = (("/socket.io/".to_owned(), None), ("/socket.io".to_owned(), None));
        assert_eq!(readings("http://h"), [usual, bare]);
        let namespace = |name: &str| ("/socket.io/".to_owned(), Some(name.to_owned()));
        let plain = |path: &str| (path.to_owned(), None);
        assert_eq!(
            readings("http://h/a%20b"),
            [plain("/a%20b/"), plain("/a%20b"), namespace("/a b"), plain("/a%20b/socket.io/")]
        );
        assert_eq!(
            readings("http://h/a/socket.io"),
            [plain("/a/socket.io/"), plain("/a/socket.io"), namespace("/a/socket.io")]
        );
    }

    #[test]
    fn what_may_be_meant_otherwise_is_told() {
        let notes = |text: &str, path: Option<&str>, sent: &[(String, String)]| {
            let endpoint = Endpoint::parse(text).expect(text);
            let endpoint = path.map_or(Ok(endpoint.clone()), |path| endpoint.at_path(path)).expect(text);
            endpoint.notes(sent).join("\n")
        };
        let told = notes("http://h:1/socket.io/admin", None, &[]);
        assert!(
            told.ends_with("the namespace `/admin` at the path /socket.io/, write http://h:1/admin"),
            "{told}"
        );
        let told = notes("http://h/api/socket.io/a/b/", None, &[]);
        assert!(told.ends_with("write http://h/a/b with --path /api/socket.io/"), "{told}");
        let told = notes("http://h/?token=secret&x=1", None, &[("x".to_owned(), String::new())]);
        assert!(
            told.starts_with("`token` in the url goes with the first look") && !told.contains("secret"),
            "{told}"
        );
        for plain in [
            "http://h",
            "http://h/socket.io",
            "http://h/socket.io/",
            "http://h/api/socket.io/",
            "http://h/admin",
        ] {
            assert_eq!(notes(plain, None, &[]), "", "{plain}");
        }
        assert_eq!(notes("http://h/admin", Some("/socket.io/"), &[]), "");
    }

    #[test]
    fn beside_a_path_that_is_given_the_url_names_a_namespace() {
        let at = |url: &str, path: &str| {
            let endpoint = Endpoint::parse(url).expect(url).at_path(path).expect(path);
            (endpoint.path, endpoint.namespace)
        };
        assert_eq!(at("http://h/admin", "/live"), ("/live/".into(), Some("/admin".into())));
        assert_eq!(at("http://h/", "live/"), ("/live/".into(), None));
        assert_eq!(at("http://h/live", "/live/"), ("/live/".into(), None));
        let endpoint = Endpoint::parse("http://h").expect("it is right");
        assert!(endpoint.at_path("http://h/x").is_err());
    }

    #[test]
    fn a_redirect_is_followed_to_hosts_of_the_same_name_and_never_away_from_tls() {
        let to = |from: &str, to: &str| {
            let endpoint = Endpoint::parse(from).expect(from);
            endpoint.redirected(to).map(|place| (place.to_string(), place.query))
        };
        let place = |text: &str| Some((text.to_owned(), None));
        assert_eq!(to("http://h", "/live?EIO=4&transport=polling"), place("http://h/live"));
        assert_eq!(to("http://h:80", "https://h/socket.io/?EIO=4"), place("https://h/socket.io/"));
        assert_eq!(to("http://h.org", "https://www.h.org/x/"), place("https://www.h.org/x/"));
        let (url, query) = to("http://h", "?a=b&EIO=4").expect("it is near");
        assert_eq!((url.as_str(), query.as_deref()), ("http://h/socket.io/", Some("a=b")));
        for (from, there) in
            [("https://h", "http://h/"), ("http://h", "http://other/"), ("http://b.h", "http://ab.h/")]
        {
            assert_eq!(to(from, there), None, "{from} {there}");
        }
    }

    #[test]
    fn only_this_machine_is_local() {
        let local = |text| Endpoint::parse(text).expect(text).is_local();
        assert!(
            ["http://localhost", "http://127.0.0.2", "http://0.0.0.0", "http://[::1]", "http://[::]"]
                .map(local)
                .iter()
                .all(|local| *local)
        );
        assert!(!local("http://example.org") && !local("http://10.0.0.1"));
    }
}
