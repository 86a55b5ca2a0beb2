//! Which proxy stands in between, if one does: as the command line or the environment says, by the rules of curl.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use url::{Host, Url};

use crate::transport::Tunnel;

use super::{Endpoint, authorization};

/// curl's.
const DEFAULT_PORT: u16 = 1080;

/// An HTTP proxy.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Proxy {
    host: String,
    port: u16,
    authorization: Option<String>,
}

impl Proxy {
    /// The proxy towards a server: the one that is given, else the one of the environment; none where the environment
    /// excepts the host. An empty text is no proxy, whatever the environment says.
    ///
    /// # Errors
    /// A sentence, when it is not one that we can use.
    pub fn towards(
        endpoint: &Endpoint,
        given: Option<&str>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Option<Proxy>, String> {
        let variable = |name: &str| {
            let value = environment(&name.to_lowercase()).or_else(|| environment(name));
            value.filter(|value| !value.is_empty()).map(|value| (name.to_owned(), value))
        };
        let of_scheme = if endpoint.secure { "HTTPS_PROXY" } else { "HTTP_PROXY" };
        let (source, text) = match given {
            Some("") => return Ok(None),
            Some(text) => ("--proxy".to_owned(), text.to_owned()),
            None => match variable(of_scheme).or_else(|| variable("ALL_PROXY")) {
                Some(found) => found,
                None => return Ok(None),
            },
        };
        if variable("NO_PROXY").is_some_and(|(_, list)| excepts(&list, &endpoint.host)) {
            return Ok(None);
        }
        Proxy::parse(&text).map(Some).map_err(|why| format!("failed to read the proxy in {source}: {why}"))
    }

    /// Reads the url of a proxy. The text is not part of the error, because it may hold a password.
    ///
    /// # Errors
    /// What to write instead.
    pub fn parse(text: &str) -> Result<Proxy, String> {
        let example = "write it like http://proxy.example:3128";
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&whole).map_err(|error| format!("{error}; {example}"))?;
        if url.scheme() != "http" {
            return Err(format!(
                "sockrates speaks with HTTP proxies (by CONNECT), not with one of the scheme {}; {example}",
                url.scheme()
            ));
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err(format!("it names no host; {example}")),
        };
        // The library leaves out the port that is the usual one of the scheme.
        let has_port = whole.trim_end_matches('/').ends_with(":80");
        let port = url.port().unwrap_or(if has_port { 80 } else { DEFAULT_PORT });
        Ok(Proxy { host, port, authorization: authorization(&url) })
    }

    /// Where it is, without name and password.
    pub fn name(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("http://{host}:{}", self.port)
    }

    /// Every address of it.
    pub(crate) fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        Ok((self.host.as_str(), self.port).to_socket_addrs()?.collect())
    }

    /// What is asked of it.
    pub fn tunnel(&self, endpoint: &Endpoint) -> Tunnel {
        let host = &endpoint.host;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let authority = format!("{host}:{}", endpoint.port);
        Tunnel { proxy: self.name(), authority, authorization: self.authorization.clone() }
    }
}

/// Whether a list of hosts has this one: by its name or the end of it, by its address or a network of it, or by `*`.
fn excepts(list: &str, host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    list.split([',', ' ']).filter(|entry| !entry.is_empty()).any(|entry| {
        let entry = entry.to_ascii_lowercase();
        if entry == "*" {
            return true;
        }
        let plain = entry.trim_start_matches('[').trim_end_matches(']');
        match (address, plain.split_once('/')) {
            (Some(address), Some((network, bits))) => is_within(address, network, bits),
            (Some(address), None) => plain.parse() == Ok(address),
            (None, _) => {
                let name = entry.trim_start_matches('.').trim_end_matches('.');
                host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'))
            }
        }
    })
}

fn is_within(address: IpAddr, network: &str, bits: &str) -> bool {
    let Ok(bits) = bits.parse::<u32>() else { return false };
    match (address, network.parse()) {
        (IpAddr::V4(address), Ok(IpAddr::V4(network))) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            u32::from(address) & mask == u32::from(network) & mask
        }
        (IpAddr::V6(address), Ok(IpAddr::V6(network))) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            u128::from(address) & mask == u128::from(network) & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(url: &str, given: Option<&str>, environment: &[(&str, &str)]) -> Option<String> {
        let endpoint = Endpoint::parse(url).expect(url);
        let environment = |name: &str| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Proxy::towards(&endpoint, given, &environment).expect("it is a proxy").map(|proxy| proxy.name())
    }

    #[test]
    fn the_environment_names_a_proxy_for_each_scheme_and_the_command_line_goes_before_it() {
        let both = [("HTTP_PROXY", "http://plain:1"), ("https_proxy", "secure:2"), ("ALL_PROXY", "all:3")];
        let chosen = |url, given| chosen(url, given, &both);
        assert_eq!(chosen("http://h", None).as_deref(), Some("http://plain:1"));
        assert_eq!(chosen("wss://h", None).as_deref(), Some("http://secure:2"));
        assert_eq!(chosen("http://h", Some("mine")).as_deref(), Some("http://mine:1080"));
        assert_eq!(chosen("http://h", Some("")), None);
        assert_eq!(self::chosen("http://h", None, &both[1..]).as_deref(), Some("http://all:3"));
        assert_eq!(self::chosen("http://h", None, &[("HTTPS_PROXY", "x")]), None);
    }

    #[test]
    fn hosts_are_excepted_by_name_by_address_and_by_network() {
        let is_direct = |host: &str, list: &str| {
            chosen(&format!("http://{host}"), Some("p:1"), &[("NO_PROXY", list)]).is_none()
        };
        for (host, list) in [
            ("localhost", "localhost"),
            ("a.example.org", "other, .example.org"),
            ("a.example.org", "example.org"),
            ("10.1.2.3", "10.0.0.0/8"),
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "::1"),
            ("h", "*"),
        ] {
            assert!(is_direct(host, list), "{host} {list}");
        }
        for (host, list) in [("anexample.org", "example.org"), ("11.1.2.3", "10.0.0.0/8"), ("h", "")] {
            assert!(!is_direct(host, list), "{host} {list}");
        }
    }

    #[test]
    fn other_kinds_of_proxies_are_refused_without_repeating_a_password() {
        for text in ["socks5://ann:secret@h", "https://ann:secret@h", "http://ann:secret@"] {
            let why = Proxy::parse(text).expect_err(text);
            assert!(
                why.ends_with("write it like http://proxy.example:3128") && !why.contains("secret"),
                "{why}"
            );
        }
        assert_eq!(Proxy::parse("http://h:80/").map(|proxy| proxy.port), Ok(80));
    }
}
