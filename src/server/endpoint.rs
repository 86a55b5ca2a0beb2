//! Where a server is reached: the URL rules.
//!
//! `http` and `ws` mean the same, and so do `https` and `wss`. Without a path it is `/socket.io/`; any other path is
//! the Engine.IO path, and gets a final slash as the official client gives it. A query is kept and sent with
//! every handshake.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use url::{Host, Url};

const DEFAULT_PATH: &str = "/socket.io/";

/// A server's address, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// True for `https` and `wss`.
    pub secure: bool,
    /// Name or address, IPv6 without brackets: what is resolved, and what a certificate is checked against.
    pub host: String,
    /// The port, the scheme's own where none was given.
    pub port: u16,
    /// The Engine.IO path, with a slash at both ends, percent-encoded.
    pub path: String,
    /// What the user put behind `?`, percent-encoded, without the question mark.
    pub query: Option<String>,
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
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("a name and a password in a url are not sent; use a header instead".into()));
        }
        let ours = url.query_pairs().find(|(key, _)| matches!(key.as_ref(), "EIO" | "transport" | "sid"));
        if let Some((key, _)) = ours {
            return Err(wrong(format!("its query sets `{key}`, which sockrates sets itself; leave it out")));
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err(wrong("it names no host; write it like http://localhost:3000".into())),
        };
        let path = match url.path() {
            "" | "/" => DEFAULT_PATH.to_owned(),
            path if path.ends_with('/') => path.to_owned(),
            path => format!("{path}/"),
        };
        let port = url.port().unwrap_or(if secure { 443 } else { 80 });
        Ok(Self {
            secure,
            host,
            port,
            path,
            query: url.query().filter(|query| !query.is_empty()).map(str::to_owned),
        })
    }

    /// The endpoint at the default path of a port of this machine.
    pub fn local(port: u16) -> Self {
        Self { secure: false, host: "127.0.0.1".into(), port, path: DEFAULT_PATH.into(), query: None }
    }

    /// Host and port as they stand in a URL and in the `Host` header: without the scheme's own port.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.secure, self.port) {
            (false, 80) | (true, 443) => host,
            (_, port) => format!("{host}:{port}"),
        }
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
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)?;
        match &self.query {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
    }
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
    fn a_query_is_kept_and_stands_before_our_parameters() {
        let endpoint = Endpoint::parse("http://h/?token=a%20b&x=1").expect("it is right");
        assert_eq!(endpoint.to_string(), "http://h/socket.io/?token=a%20b&x=1");
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
        assert!(refusal("http://user:secret@h/").contains("header"));
        for key in ["EIO", "transport", "sid"] {
            assert!(refusal(&format!("http://h/?a=1&{key}=x")).contains(&format!("`{key}`")));
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
