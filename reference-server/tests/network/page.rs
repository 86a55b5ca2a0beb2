//! The chat page.

use crate::support::Server;

#[test]
fn the_page_and_all_it_refers_to_are_served() {
    let server = Server::start();
    let page = server.request("GET", "/", "", b"");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=UTF-8")));
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'self'"));
    let html = page.text();
    assert!(html.contains("data-path=\"/socket.io/\""));
    for id in ["nick", "room", "join", "leave", "text", "send", "log", "people"] {
        assert!(html.contains(&format!("id=\"{id}\" data-testid=\"{id}\"")), "{id}");
    }
    for reference in html.split("src=\"").chain(html.split("href=\"")).skip(1) {
        let file = reference.split('"').next().unwrap();
        if !file.starts_with("data:") && !file.starts_with('<') {
            assert_eq!(server.request("GET", &format!("/{file}"), "", b"").status, 200, "{file}");
        }
    }
}

#[test]
fn other_paths_and_methods_are_refused() {
    let server = Server::start();
    assert_eq!(server.request("GET", "/nothing", "", b"").status, 404);
    assert_eq!(server.request("GET", "/../Cargo.toml", "", b"").status, 404);
    assert_eq!(server.request("POST", "/", "", b"").status, 405);
}
