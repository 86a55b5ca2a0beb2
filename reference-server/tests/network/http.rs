//! HTTP around the protocol: paths, methods, CORS, keep-alive, bodies.

use std::io::Write;

use reference_server::Origins;

use crate::support::{Pending, Server, Wire};

#[test]
fn only_the_path_with_its_slash_is_the_endpoint() {
    let server = Server::start();
    for path in ["/socket.io", "/socket.ioX/", "/engine.io/", "/socket.io/x"] {
        let reply = server.request("GET", &format!("{path}?EIO=4&transport=polling"), "", b"");
        assert_eq!(reply.status, 404, "{path}");
    }
    let moved = Server::configured(|config| config.path = "/other/".to_owned());
    assert_eq!(moved.request("GET", "/other/?EIO=4&transport=polling", "", b"").status, 200);
}

#[test]
fn every_response_may_be_read_by_any_origin_errors_included() {
    let server = Server::start();
    for query in ["EIO=4&transport=polling", "EIO=4&transport=polling&sid=nope"] {
        let reply =
            server.request("GET", &format!("/socket.io/?{query}"), "Origin: http://x.example\r\n", b"");
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    }
}

#[test]
fn a_preflight_is_answered() {
    let server = Server::start();
    let headers = "Origin: http://x.example\r\nAccess-Control-Request-Method: POST\r\n\
                   Access-Control-Request-Headers: x-test\r\n";
    let reply = server.request("OPTIONS", "/socket.io/?EIO=4&transport=polling", headers, b"");
    assert_eq!(reply.status, 204);
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    assert!(reply.header("access-control-allow-methods").unwrap().contains("POST"));
    assert_eq!(reply.header("access-control-allow-headers"), Some("x-test"));
}

#[test]
fn without_cors_a_preflight_is_a_bad_method() {
    let server = Server::configured(|config| config.origins = Origins::None);
    let reply = server.engine("OPTIONS", "EIO=4&transport=polling");
    assert_eq!((reply.status, reply.code()), (400, 2));
    assert_eq!(reply.header("access-control-allow-origin"), None);
}

#[test]
fn other_methods_leave_a_session_unharmed() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    for method in ["PUT", "DELETE", "PATCH"] {
        assert_eq!(server.request(method, &polling.target(), "", b"").status, 400);
    }
    polling.assert_alive();
}

#[test]
fn one_connection_serves_many_requests() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    let mut wire = Wire { stream: server.connect(), bytes: Vec::new() };
    for n in 0..50 {
        let body = format!("42[\"message\",{n}]");
        assert_eq!(wire.request("POST", &polling.target(), body.as_bytes()).text(), "ok");
        let reply = wire.request("GET", &polling.target(), b"");
        assert_eq!(reply.text(), format!("42[\"message-back\",{n}]"));
    }
}

#[test]
fn requests_sent_ahead_are_answered_in_turn() {
    let server = Server::start();
    let mut wire = Wire { stream: server.connect(), bytes: Vec::new() };
    let request = "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n";
    wire.stream.write_all(request.repeat(3).as_bytes()).unwrap();
    for _ in 0..3 {
        assert_eq!(wire.reply().status, 200);
    }
}

#[test]
fn a_client_that_wants_its_connection_closed_keeps_its_session() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    for _ in 0..2 {
        polling.post("42[\"message\"]");
        let reply = server.request("GET", &polling.target(), "Connection: close\r\n", b"");
        assert_eq!(reply.header("connection"), Some("close"));
        assert_eq!(reply.text(), "42[\"message-back\"]");
    }
    polling.assert_alive();
}

#[test]
fn a_chunked_body_cut_inside_a_character_is_read() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    let mut stream = server.connect();
    let head = format!("POST {} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", polling.target());
    stream.write_all(head.as_bytes()).unwrap();
    let body = "42[\"message\",\"€\"]".as_bytes();
    let cut = 14;
    for part in [&body[..cut], &body[cut..]] {
        stream.write_all(format!("{:x}\r\n", part.len()).as_bytes()).unwrap();
        stream.write_all(part).unwrap();
        stream.write_all(b"\r\n").unwrap();
    }
    stream.write_all(b"0\r\n\r\n").unwrap();
    assert_eq!(Pending { stream }.finish().text(), "ok");
    assert_eq!(polling.packets(), ["42[\"message-back\",\"€\"]"]);
}

#[test]
fn long_polls_are_compressed_only_for_those_who_can_read_it() {
    let server = Server::start();
    let polling = server.polling();
    polling.join();
    let long = format!("42[\"message\",\"{}\"]", "x".repeat(3000));
    polling.post(&long);
    assert_eq!(polling.get().header("content-encoding"), None);
    polling.post(&long);
    let reply = server.request("GET", &polling.target(), "Accept-Encoding: gzip, deflate\r\n", b"");
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
    assert!(reply.body.len() < 1000);
    polling.post("42[\"message\",1]");
    let reply = server.request("GET", &polling.target(), "Accept-Encoding: gzip, deflate\r\n", b"");
    assert_eq!(reply.header("content-encoding"), None);
}

#[test]
fn handshake_headers_and_query_reach_the_application() {
    let server = Server::start();
    let target = "/socket.io/?EIO=4&transport=polling&colour=gr%C3%BCn";
    let reply = server.request("GET", target, "X-Test: a\r\nX-Test: b\r\n", b"");
    let open: serde_json::Value = serde_json::from_str(&reply.text()[1..]).unwrap();
    let target = format!("/socket.io/?EIO=4&transport=polling&sid={}", open["sid"].as_str().unwrap());
    server.request("POST", &target, "", b"40{\"token\":1}");
    server.request("GET", &target, "", b"");
    server.request("POST", &target, "", b"421[\"t:who\"]");
    let reply = server.request("GET", &target, "", b"").text();
    let who: serde_json::Value = serde_json::from_str(reply.strip_prefix("431").unwrap()).unwrap();
    assert_eq!(who[0]["query"]["colour"], "grün");
    assert_eq!(who[0]["headers"]["x-test"], "a, b");
    assert_eq!(who[0]["auth"], serde_json::json!({"token": 1}));
    assert_eq!(who[0]["transport"], "polling");
}
