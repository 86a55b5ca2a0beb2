use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;

const OPEN: &str = r#"0{"sid":"a b&c","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;

/// A server that reads the head of each request, tells the test its first line, and answers as it is told to.
fn server(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> (Endpoint, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = Endpoint::local(listener.local_addr().expect("it is bound").port());
    let (tell, told) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { break };
            let head = head(&mut stream);
            let _ = stream.write_all(&answer(&head));
            if tell.send(head).is_err() {
                break;
            }
        }
    });
    (endpoint, told)
}

fn head(stream: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut byte), Ok(1)) {
        bytes.push(byte[0]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn http(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nServer: test\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

fn always(answer: Vec<u8>) -> (Endpoint, Receiver<String>) {
    server(move |_| answer.clone())
}

fn sentence(endpoint: &Endpoint) -> String {
    sentence_with(endpoint, &Probing::default())
}

fn sentence_with(endpoint: &Endpoint, probing: &Probing) -> String {
    let place = format!("127.0.0.1:{}", endpoint.port);
    let not_there = probe(endpoint, probing).expect_err("there is no Engine.IO server");
    not_there.to_string().replace(&place, "HOST")
}

#[test]
fn an_engine_io_server_is_found_with_what_it_says_of_itself() {
    let (endpoint, told) = always(http("200 OK", OPEN));
    let found = probe(&endpoint, &Probing::default()).expect("it is there");
    assert_eq!(
        found,
        Found {
            endpoint: endpoint.clone(),
            is_refusal: false,
            notes: Vec::new(),
            address: ([127, 0, 0, 1], endpoint.port).into(),
            version: Version::V4,
            polling: true,
            ping_interval: Some(Duration::from_secs(25)),
            ping_timeout: Some(Duration::from_secs(20)),
            max_payload: Some(1_000_000),
            software: Some("test".into()),
        }
    );
    let asked = told.recv().expect("it was asked");
    assert!(asked.starts_with("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("\r\nHost: 127.0.0.1:{}\r\n", endpoint.port)), "{asked}");
}

#[test]
fn the_session_of_the_probe_is_closed_again() {
    let (endpoint, told) = always(http("200 OK", OPEN));
    probe(&endpoint, &Probing::default()).expect("it is there");
    told.recv().expect("it was asked");
    let goodbye = told.recv_timeout(Duration::from_secs(30)).expect("it was told goodbye");
    assert!(goodbye.starts_with("POST /socket.io/?EIO=4&transport=polling&sid=a+b%26c "), "{goodbye}");
    assert!(goodbye.contains("Content-Length: 1\r\n"), "{goodbye}");
}

#[test]
fn a_server_that_answers_by_jsonp_as_it_was_asked_to_is_found_and_told_goodbye_by_a_form() {
    let called = format!("___eio[7]({});", serde_json::Value::from(OPEN));
    let (endpoint, requests) = always(http("200 OK", &called));
    let manner = Manner { query: vec![("j".to_owned(), "7".to_owned())], ..Manner::default() };
    let found =
        probe(&endpoint, &Probing { manners: vec![manner], ..Probing::default() }).expect("it is there");
    assert_eq!((found.polling, found.max_payload), (true, Some(1_000_000)));
    let goodbye = requests.iter().nth(1).expect("it says goodbye").to_ascii_lowercase();
    assert!(
        goodbye.starts_with("post ") && goodbye.contains("application/x-www-form-urlencoded"),
        "{goodbye}"
    );
    let (endpoint, _) = always(http("200 OK", &called));
    assert!(probe(&endpoint, &Probing::default()).is_err(), "nobody asked for it");
}

#[test]
fn the_path_and_the_query_of_the_url_are_used() {
    let (endpoint, told) = always(http("200 OK", OPEN));
    let endpoint = Endpoint { path: "/live/".into(), query: Some("token=x".into()), ..endpoint };
    probe(&endpoint, &Probing::default()).expect("it is there");
    let asked = told.recv().expect("it was asked");
    assert!(asked.starts_with("GET /live/?token=x&EIO=4&transport=polling HTTP/1.1\r\n"), "{asked}");
}

#[test]
fn a_handshake_with_wrong_details_is_still_a_server_to_be_tested() {
    let opens =
        ["0{}", "0{\"sid\":7,\"pingInterval\":\"25000\"}", "0{broken", "0[1]", "0", "4{\"sid\":\"a\"}"];
    for (open, status) in opens.map(|open| (open, "200 OK")).into_iter().chain([("0{}", "201 Created")]) {
        let (endpoint, _told) = always(http(status, open));
        let found = probe(&endpoint, &Probing::default()).expect(open);
        assert_eq!((found.ping_interval, found.max_payload), (None, None), "{open}");
    }
}

#[test]
fn a_server_that_allows_only_websocket_is_found_by_websocket() {
    let (endpoint, _told) = server(|head| match head.contains("transport=websocket") {
        true => {
            let open = b"0{\"pingInterval\":25000}";
            let mut answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81".to_vec();
            answer.push(open.len() as u8);
            answer.extend(open);
            answer
        }
        false => http("400 Bad Request", r#"{"code":0,"message":"Transport unknown"}"#),
    });
    let found = probe(&endpoint, &Probing::default()).expect("it is there");
    assert_eq!((found.polling, found.ping_interval), (false, Some(Duration::from_secs(25))));
}

#[test]
fn an_upgrade_counts_as_offered_only_where_the_websocket_opens() {
    let offers_with = |websocket: &'static str, upgrade: &'static str| {
        let (endpoint, _told) = server(move |head| match head {
            _ if head.contains("transport=polling") => http("200 OK", OPEN),
            _ if head.contains("sid=a+b%26c") => http(upgrade, ""),
            _ => http(websocket, ""),
        });
        let address = ([127, 0, 0, 1], endpoint.port).into();
        offers(&endpoint, address, &Probing::default())
    };
    let (bad, good) = ("500 Internal Server Error", "101 Switching Protocols");
    let broken = offers_with(bad, bad);
    assert!(!broken.websocket.there && !broken.upgrade.there);
    assert_eq!(broken.upgrade.seen, "HTTP status 500");
    assert!(offers_with(bad, good).upgrade.there, "a server may open WebSockets for upgrades only");
    assert!(offers_with(good, bad).upgrade.there, "that it fails then is for the cases to tell");
}

#[test]
fn nothing_at_the_port_is_told_as_nothing_at_the_port() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = Endpoint::local(listener.local_addr().expect("it is bound").port());
    drop(listener);
    assert_eq!(
        sentence(&endpoint),
        "nothing listens at HOST (connection refused); start the server, or check host and port"
    );
}

#[test]
fn a_name_without_an_address_is_told_as_a_question_of_spelling() {
    let endpoint = Endpoint::parse("http://no-such-host.invalid").expect("it is a url");
    let sentence = sentence(&endpoint);
    assert!(sentence.starts_with("the name no-such-host.invalid has no address ("), "{sentence}");
    assert!(sentence.ends_with("); check its spelling"), "{sentence}");
}

#[test]
fn silence_is_told_with_the_time_that_was_waited() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = Endpoint::local(listener.local_addr().expect("it is bound").port());
    let probing = Probing { timeout: Duration::from_millis(30), ..Probing::default() };
    let sentence = sentence_with(&endpoint, &probing);
    assert!(
        sentence
            .starts_with("HOST took the connection and did not answer an Engine.IO handshake within 30 ms"),
        "{sentence}"
    );
}

#[test]
fn a_response_head_without_end_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = Endpoint::local(listener.local_addr().expect("it is bound").port());
    thread::spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else { return };
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"X: y\r\n").is_ok() {
            thread::yield_now();
        }
    });
    let probing = Probing { timeout: Duration::from_secs(5), ..Probing::default() };
    // More headers than any server sends, or not the end of them in time: whichever comes first.
    let sentence = sentence_with(&endpoint, &probing);
    let told = ["is not well-formed HTTP", "broke off, or took too long"];
    assert!(told.iter().any(|words| sentence.contains(words)), "{sentence}");
}

#[test]
fn an_answer_that_breaks_off_is_told_from_another_protocol() {
    let (endpoint, _told) = always(b"HTTP/1.1 200 OK\r\nCont".to_vec());
    let sentence = sentence(&endpoint);
    assert!(sentence.contains("broke off, or took too long; it began with `HTTP/1.1 200 OK"), "{sentence}");
}

#[test]
fn a_closed_connection_suggests_tls() {
    let (endpoint, _told) = always(Vec::new());
    let sentence = sentence(&endpoint);
    assert!(sentence.starts_with("HOST closed the connection without an answer"), "{sentence}");
    assert!(sentence.ends_with("try https://HOST/socket.io/"), "{sentence}");
}

#[test]
fn another_protocol_is_shown_by_its_first_bytes() {
    let (endpoint, _told) = always(b"SSH-2.0-OpenSSH_9.6\x1b[2J\r\n".to_vec());
    assert_eq!(
        sentence(&endpoint),
        "what listens at HOST does not speak HTTP, its first bytes are `SSH-2.0-OpenSSH_9.6\\u{1b}[2J`; \
         check the port"
    );
}

#[test]
fn of_http_that_is_not_well_formed_it_is_told_what_is_wrong_with_it() {
    let (endpoint, _told) = always(b"HTTP/1.1 200 OK\r\nX-A: one\r\n two\r\n\r\n".to_vec());
    let sentence = sentence(&endpoint);
    assert!(sentence.starts_with("the answer of HOST is not well-formed HTTP: "), "{sentence}");
    assert!(sentence.contains("two"), "{sentence}");
}

/// The open packet of a server of Socket.IO 2, in the form of text and in that of bytes.
fn old_answers() -> [Vec<u8>; 2] {
    let open = br#"0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":5000}"#;
    let bytes = [&b"\x00\x06\x06\xff"[..], open, b"\x00\x02\xff40"].concat();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len()).into_bytes();
    let text = format!("66:{}2:40", String::from_utf8_lossy(open));
    [http("200 OK", &text), [head, bytes].concat()]
}

#[test]
fn a_server_of_an_older_version_is_found_in_each_of_its_forms_and_told_of() {
    for answer in old_answers() {
        let (endpoint, told) = always(answer);
        let found = probe(&endpoint, &Probing::default()).expect("it is there");
        assert_eq!((found.version, found.ping_timeout), (Version::V3, Some(Duration::from_secs(5))));
        assert!(found.notes[0].contains("speaks Engine.IO 3"), "{:?}", found.notes);
        let asked: Vec<String> = (0..3).filter_map(|_| told.recv().ok()).collect();
        assert!(asked[0].starts_with("GET /socket.io/?EIO=4&transport=polling "), "{asked:?}");
        assert!(asked[1].starts_with("GET /socket.io/?EIO=3&transport=polling "), "{asked:?}");
        assert!(asked[2].starts_with("POST /socket.io/?EIO=3&transport=polling&sid=x "), "{asked:?}");
    }
}

#[test]
fn who_asks_for_one_version_gets_no_other() {
    for answer in old_answers() {
        let (endpoint, _told) = always(answer);
        let probing = Probing { version: Some(Version::V4), ..Probing::default() };
        let told = probe(&endpoint, &probing).expect_err("it speaks another").to_string();
        assert!(told.contains("speaks Engine.IO v3") && told.contains("--protocol"), "{told}");
    }
}

#[test]
fn a_server_that_refuses_one_version_is_asked_for_the_other() {
    let [_, old] = old_answers();
    let (endpoint, _told) = server(move |head| match head.contains("EIO=3") {
        true => old.clone(),
        false => http("400 Bad Request", "\"unsupported version\""),
    });
    let found = probe(&endpoint, &Probing::default()).expect("it is there");
    assert_eq!(found.version, Version::V3);
}

#[test]
fn a_refused_version_is_told_with_the_words_of_the_server() {
    let body = "\"The client is using an unsupported version of the Socket.IO or Engine.IO protocols\"";
    let (endpoint, _told) = always(http("400 Bad Request", body));
    let told = sentence(&endpoint);
    assert!(told.starts_with("HOST refuses this version of Engine.IO (`The client is using"), "{told}");
    let (endpoint, _told) =
        always(http("400 Bad Request", r#"{"code":5,"message":"Unsupported protocol version"}"#));
    let sentence = sentence(&endpoint);
    assert!(
        sentence.starts_with("HOST refuses this version of Engine.IO (`Unsupported protocol version`)"),
        "{sentence}"
    );
}

#[test]
fn a_web_page_asks_for_the_path() {
    for answer in [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 2\r\n\r\nhi".to_vec(),
        http("200 OK", "\n<!doctype html><title>shop</title>"),
    ] {
        let (endpoint, _told) = always(answer);
        assert_eq!(
            sentence(&endpoint),
            "HOST answers /socket.io/ with a web page (HTTP 200), not with an Engine.IO handshake; if Socket.IO \
             has another path there, name it with `--path /path/`, or in the url: http://HOST/path/"
        );
    }
}

#[test]
fn each_status_is_told_with_the_advice_that_fits() {
    for (status, body, words) in [
        (
            "404 Not Found",
            "Cannot GET /socket.io/",
            "HTTP 404 Not Found, `Cannot GET /socket.io/`; if Socket.IO has",
        ),
        ("502 Bad Gateway", "", "HTTP 502 Bad Gateway; that is a proxy"),
        ("500 Oops", "", "HTTP 500 Oops; look into the server's own log"),
        ("429 Slow", "", "HTTP 429 Slow; it limits"),
        ("418 Teapot", "", "HTTP 418 Teapot; is it a server of Socket.IO 3 or newer?"),
        ("204 No Content", "", "HTTP 204 No Content; is it"),
    ] {
        let (endpoint, _told) = always(http(status, body));
        let sentence = sentence(&endpoint);
        assert!(sentence.contains(words), "{sentence}");
    }
}

#[test]
fn a_redirect_tells_where_to() {
    let (endpoint, _told) =
        always(b"HTTP/1.1 301 Moved\r\nLocation: https://example.org/\r\nContent-Length: 0\r\n\r\n".to_vec());
    assert!(sentence(&endpoint).contains("redirects from /socket.io/ to https://example.org/ (HTTP 301)"));
}

#[test]
fn any_other_body_is_shown_by_its_beginning() {
    let (endpoint, _told) = always(http("200 OK", &"x".repeat(5000)));
    let sentence = sentence(&endpoint);
    assert!(
        sentence.contains(&format!("with `{}…`, which is no Engine.IO handshake", "x".repeat(60))),
        "{sentence}"
    );
}

#[test]
fn plain_http_at_a_tls_port_is_recognised() {
    let nginx = http("400 Bad Request", "<html>The plain HTTP request was sent to HTTPS port</html>");
    for answer in [b"\x15\x03\x01\x00\x02\x02\x32".to_vec(), nginx] {
        let (endpoint, _told) = always(answer);
        assert_eq!(sentence(&endpoint), "HOST wants TLS; try https://HOST/socket.io/");
    }
}

#[test]
fn tls_at_a_plain_port_is_recognised() {
    // The first bytes of a TLS hello are no HTTP: the server answers in plain text, or hangs up.
    for answer in [http("400 Bad Request", ""), Vec::new()] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = Endpoint::local(listener.local_addr().expect("it is bound").port()).with_secure(true);
        thread::spawn(move || {
            let Ok((mut stream, _)) = listener.accept() else { return };
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(&answer);
        });
        assert_eq!(sentence(&endpoint), "HOST does not speak TLS; try http://HOST/socket.io/");
    }
}

/// A TLS server with a certificate of its own for these names, and the configuration that trusts it.
fn tls_server(names: &[&str]) -> (Endpoint, Arc<ClientConfig>) {
    tls_peer(names, serve_tls)
}

/// The same, with what it does with a connection.
fn tls_peer(names: &[&str], serve: fn(&Arc<ServerConfig>, TcpStream)) -> (Endpoint, Arc<ClientConfig>) {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).expect("the names are legal");
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("ring has them")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("key and certificate fit");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).expect("it is a certificate");
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has them")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let endpoint = Endpoint::local(listener.local_addr().expect("it is bound").port()).with_secure(true);
    let server = Arc::new(server);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { break };
            serve(&server, stream);
        }
    });
    (endpoint, Arc::new(client))
}

fn serve_tls(config: &Arc<ServerConfig>, stream: TcpStream) {
    let Ok(connection) = ServerConnection::new(config.clone()) else { return };
    let mut stream = StreamOwned::new(connection, stream);
    if !head(&mut stream).is_empty() {
        let _ = stream.write_all(&http("200 OK", OPEN)).and_then(|()| stream.flush());
    }
}

#[test]
fn a_server_that_closes_on_a_certificate_of_ours_is_told_with_the_certificate() {
    let (endpoint, config) = tls_peer(&["127.0.0.1"], |config, stream| {
        if let Ok(connection) = ServerConnection::new(config.clone()) {
            head(&mut StreamOwned::new(connection, stream));
        }
    });
    let without = Probing { tls: Some(config.clone()), ..Probing::default() };
    let seen = |probing: &Probing| probe(&endpoint, probing).expect_err("it does not answer").to_string();
    assert!(!seen(&without).contains("--cert"), "{}", seen(&without));
    let made = rcgen::generate_simple_self_signed(["us".to_owned()]).expect("the name is legal");
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let key = rustls::crypto::ring::sign::any_supported_type(&key).expect("it can sign");
    let shown = rustls::sign::CertifiedKey::new(vec![made.cert.der().clone()], key);
    let mut config = ClientConfig::clone(&config);
    config.client_auth_cert_resolver = Arc::new(rustls::sign::SingleCertAndKey::from(shown));
    let with = Probing { tls: Some(Arc::new(config)), ..Probing::default() };
    assert!(seen(&with).contains("does it accept the certificate of --cert"), "{}", seen(&with));
}

#[test]
fn a_server_behind_tls_is_found_with_the_authority_that_was_named() {
    let (endpoint, config) = tls_server(&["127.0.0.1"]);
    let probing = Probing { tls: Some(config), ..Probing::default() };
    assert!(probe(&endpoint, &probing).expect("it is there").polling);
}

#[test]
fn an_unknown_authority_asks_for_ca_file_or_insecure() {
    let (endpoint, _config) = tls_server(&["127.0.0.1"]);
    let sentence = sentence(&endpoint);
    assert!(sentence.starts_with("the certificate of HOST "), "{sentence}");
    assert!(sentence.contains("--ca-file FILE") && sentence.contains("--insecure"), "{sentence}");
}

#[test]
fn a_certificate_for_another_name_is_told_as_that() {
    let (endpoint, config) = tls_server(&["example.org"]);
    let probing = Probing { tls: Some(config), ..Probing::default() };
    let sentence = sentence_with(&endpoint, &probing);
    assert!(sentence.starts_with("the certificate of HOST is for another name"), "{sentence}");
}

#[test]
fn http_at_the_port_of_a_real_tls_server_suggests_https() {
    let (endpoint, _config) = tls_server(&["127.0.0.1"]);
    let sentence = sentence(&endpoint.with_secure(false));
    assert!(sentence.ends_with("try https://HOST/socket.io/"), "{sentence}");
}

#[test]
fn an_answer_of_one_address_outweighs_the_refusal_of_another() {
    // Many systems resolve localhost to ::1 and 127.0.0.1; most servers listen at one of them.
    assert_eq!(more_telling(Some(Seen::Closed), Seen::Refused), Seen::Closed);
    assert_eq!(more_telling(Some(Seen::Refused), Seen::Closed), Seen::Closed);
    assert_eq!(more_telling(None, Seen::Refused), Seen::Refused);
}

#[test]
fn localhost_is_looked_at_where_it_listens() {
    let (endpoint, _told) = always(http("200 OK", OPEN));
    let endpoint = Endpoint { host: "localhost".into(), ..endpoint };
    let found = probe(&endpoint, &Probing::default()).expect("it is there");
    assert_eq!(found.address, ([127, 0, 0, 1], endpoint.port).into());
}
