//! The chat page: a few files that travel in the binary.

use crate::config::Config;
use crate::http::request::Request;
use crate::http::response::Response;

/// Nothing but the page's own files, and sockets to this server.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct File {
    path: &'static str,
    content_type: &'static str,
    content: &'static str,
}

const INDEX: &str = include_str!("../../page/index.html");

const FILES: &[File] = &[
    File {
        path: "/chat.css",
        content_type: "text/css; charset=UTF-8",
        content: include_str!("../../page/chat.css"),
    },
    File { path: "/chat.js", content_type: SCRIPT, content: include_str!("../../page/chat.js") },
    File { path: "/view.js", content_type: SCRIPT, content: include_str!("../../page/view.js") },
    File {
        path: "/vendor/socket.io.min.js",
        content_type: SCRIPT,
        content: include_str!("../../page/vendor/socket.io.min.js"),
    },
    File {
        path: "/vendor/LICENSE",
        content_type: "text/plain; charset=UTF-8",
        content: include_str!("../../page/vendor/LICENSE"),
    },
];

const SCRIPT: &str = "text/javascript; charset=UTF-8";

/// The response to a request that is not for the Socket.IO endpoint.
pub(crate) fn respond(config: &Config, request: &Request) -> Response {
    let html = "text/html; charset=UTF-8";
    let found = match &*request.path {
        "/" | "/index.html" => Some(Response::new(200, html, INDEX.replace("{{path}}", &config.path))),
        path => FILES
            .iter()
            .find(|file| file.path == path)
            .map(|file| Response::new(200, file.content_type, file.content)),
    };
    match found {
        None => Response::new(404, "text/plain; charset=UTF-8", "nothing here; the chat page is at /\n"),
        Some(_) if !matches!(&*request.method, "GET" | "HEAD") => {
            Response::empty(405).with("allow", "GET, HEAD")
        }
        Some(response) => response
            .with("content-security-policy", POLICY)
            .with("x-content-type-options", "nosniff")
            .with("referrer-policy", "no-referrer")
            .with("cache-control", "no-cache"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn the_vendored_client_is_the_one_that_was_published() {
        let sums = include_str!("../../page/vendor/SHA256SUMS");
        for line in sums.lines() {
            let (sum, name) = line.split_once("  ").unwrap();
            let path = format!("/vendor/{name}");
            let file = FILES.iter().find(|file| file.path == path).unwrap();
            let found: String =
                Sha256::digest(file.content).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(found, sum, "{name}");
        }
        assert_eq!(sums.lines().count(), 2);
    }

    #[test]
    fn the_page_knows_the_path_of_its_endpoint() {
        let config = Config { path: "/other/".to_owned(), ..Config::default() };
        let head = b"GET / HTTP/1.1\r\n\r\n";
        let (request, _) = Request::parse(head).unwrap().unwrap();
        let bytes = respond(&config, &request).encode(true, false);
        assert!(String::from_utf8(bytes).unwrap().contains("data-path=\"/other/\""));
    }

    #[test]
    fn strangers_text_never_becomes_markup() {
        for file in FILES.iter().filter(|file| !file.path.starts_with("/vendor")) {
            assert!(!file.content.contains("innerHTML"), "{}", file.path);
            assert!(!file.content.contains("insertAdjacentHTML"), "{}", file.path);
        }
    }
}
