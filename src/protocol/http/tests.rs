use proptest::prelude::*;

use super::super::Rule;
use super::*;

const ROOMY: usize = 1 << 20;

fn request(headers: &[(&str, &str)], body: Option<&[u8]>) -> Result<String, Refused> {
    let mut out = Vec::new();
    write_request(&mut out, &Request { method: "POST", target: "/socket.io/?EIO=4", headers, body })?;
    Ok(String::from_utf8(out).unwrap())
}

/// All responses of a connection that ends after these bytes.
fn read(bytes: &[u8]) -> Result<Vec<Response>, Rule> {
    read_with(&mut Responses::new(ROOMY), bytes)
}

fn read_with(responses: &mut Responses, mut bytes: &[u8]) -> Result<Vec<Response>, Rule> {
    let mut all = Vec::new();
    while let Some(response) = responses.read(&mut bytes).map_err(|violation| violation.rule)? {
        all.push(response);
        if bytes.is_empty() {
            break;
        }
    }
    all.extend(responses.eof().map_err(|violation| violation.rule)?);
    Ok(all)
}

fn only(bytes: &[u8]) -> Response {
    let mut all = read(bytes).unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

#[test]
fn a_line_that_ends_with_a_line_feed_alone_is_read_and_told_once() {
    let flaw = |bytes: &[u8]| {
        let mut responses = Responses::new(ROOMY);
        assert_eq!(read_with(&mut responses, bytes).map(|all| all.len()), Ok(1));
        let flaw = responses.take_flaw();
        assert_eq!(responses.take_flaw(), None);
        flaw.map(|flaw| (flaw.rule, flaw.detail))
    };
    let told = |line: &str| Some((Rule::HttpLineEnd, format!("LF alone stands behind {line:?}")));
    assert_eq!(flaw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\nx"), None, "a body is anything");
    assert_eq!(flaw(b"HTTP/1.1 200 OK\nContent-Length: 0\n\n"), told("HTTP/1.1 200 OK"));
    assert_eq!(flaw(b"HTTP/1.1 200 OK\r\nContent-Length: 0\n\r\n"), told("Content-Length: 0"));
    assert_eq!(flaw(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\n"), told(""));
}

#[test]
fn a_request_is_written_with_the_length_of_its_body() {
    assert_eq!(
        request(&[("Host", "h")], None).unwrap(),
        "POST /socket.io/?EIO=4 HTTP/1.1\r\nHost: h\r\n\r\n"
    );
    let written = request(&[("Host", "h"), ("X-Odd", "")], Some("4€".as_bytes())).unwrap();
    assert_eq!(
        written,
        "POST /socket.io/?EIO=4 HTTP/1.1\r\nHost: h\r\nX-Odd: \r\nContent-Length: 4\r\n\r\n4€"
    );
    assert!(request(&[], Some(b"")).unwrap().ends_with("\r\nContent-Length: 0\r\n\r\n"));
    assert!(
        request(&[("content-length", "2")], Some(b"40"))
            .unwrap()
            .ends_with("1\r\ncontent-length: 2\r\n\r\n40")
    );
}

#[test]
fn a_request_may_be_chunked() {
    let chunked = [("Transfer-Encoding", "chunked")];
    let written = request(&chunked, Some(&[b'4'; 17])).unwrap();
    assert!(written.ends_with("chunked\r\n\r\n11\r\n44444444444444444\r\n0\r\n\r\n"), "{written}");
    assert!(request(&chunked, Some(b"")).unwrap().ends_with("chunked\r\n\r\n0\r\n\r\n"));
}

#[test]
fn a_request_that_would_read_as_something_else_is_refused_whole() {
    let value = Err(Refused::HeaderValue("X".to_owned()));
    assert_eq!(request(&[("X", "a\r\nY: b")], None), value);
    assert_eq!(request(&[("X", "a\nb")], None), value);
    assert_eq!(request(&[("X", "a\rb")], None), value);
    assert_eq!(request(&[("X", "\0")], None), value);
    for name in ["", "X Y", "X:", "X\r\n", "é"] {
        assert_eq!(request(&[(name, "v")], None), Err(Refused::HeaderName(name.to_owned())));
    }
    for (header, body) in [
        (("Content-Length", "5"), Some(&b"40"[..])),
        (("Content-Length", "2"), None),
        (("Content-Length", "+2"), Some(b"40")),
        (("Transfer-Encoding", "chunked"), None),
        (("Transfer-Encoding", "gzip, chunked"), Some(b"40")),
    ] {
        assert_eq!(request(&[header], body), Err(Refused::Length(header.0.to_owned())), "{header:?}");
    }
    let both = [("Transfer-Encoding", "chunked"), ("Content-Length", "2")];
    assert!(request(&both, Some(b"40")).is_err());
    assert!(request(&[both[1], both[0]], Some(b"40")).is_err());

    let mut out = b"before".to_vec();
    for (method, target) in
        [("", "/"), ("GET ", "/"), ("G\r\n", "/"), ("GET", ""), ("GET", "/ x"), ("GET", "/\r\n")]
    {
        let refused =
            write_request(&mut out, &Request { method, target, headers: &[], body: None }).unwrap_err();
        assert!(refused.to_string().starts_with("write a request"), "{refused}");
    }
    assert_eq!(out, b"before");
}

#[test]
fn a_response_ends_where_its_header_says() {
    let table: [(&str, &str, bool); 7] = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", true),
        ("HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\nCONTENT-LENGTH: 2\r\n\r\nok", "ok", true),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\no\r\n01;x=y\r\nk\r\n0\r\nT: r\r\n\r\n",
            "ok",
            true,
        ),
        ("HTTP/1.1 200 OK\r\n\r\nuntil the end", "until the end", false),
        ("HTTP/1.1 400 Bad Request\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nno", "no", false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "ok", false),
        ("HTTP/1.0 200 OK\nConnection: x, Keep-Alive\nContent-Length: 2\n\nok", "ok", true),
    ];
    for (bytes, body, keep_alive) in table {
        let response = only(bytes.as_bytes());
        assert_eq!(response.body, body.as_bytes(), "{bytes}");
        assert_eq!(response.keep_alive, keep_alive, "{bytes}");
    }
}

#[test]
fn some_responses_have_no_body_whatever_their_header_says() {
    let after = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    for first in [
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    ] {
        let all = read(format!("{first}{after}").as_bytes()).unwrap();
        assert_eq!(all.len(), 2, "{first}");
        assert!(all[0].keep_alive && all[0].body.is_empty());
    }
    let mut responses = Responses::new(ROOMY);
    responses.answers_head();
    let interim = "HTTP/1.1 100 Continue\r\n\r\n";
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";
    assert_eq!(read_with(&mut responses, format!("{interim}{head}{after}").as_bytes()).unwrap().len(), 2);
}

#[test]
fn interim_responses_are_passed_over_but_a_switch_of_protocols_ends_http() {
    let mut responses = Responses::new(ROOMY);
    let mut bytes: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n\
        HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n\x81\x05Hello";
    let response = responses.read(&mut bytes).unwrap().unwrap();
    assert_eq!(response.head.status, 101);
    assert_eq!(response.head.header("CONNECTION"), Some("Upgrade"));
    assert_eq!(bytes, b"\x81\x05Hello");
}

#[test]
fn a_head_gives_its_fields_in_any_case_and_all_of_a_name() {
    let head =
        only(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nset-cookie:  b=\xff \r\nContent-Length: 0\r\n\r\n").head;
    assert_eq!(head.header("SET-COOKIE"), Some("a=1"));
    assert_eq!(head.values("Set-Cookie").collect::<Vec<_>>(), ["a=1", "b=\u{fffd}"]);
    assert_eq!(head.header("Set"), None);
}

#[test]
fn a_response_that_is_no_such_is_refused_with_the_rule_it_broke() {
    let table: [(&str, Rule); 30] = [
        ("HTTP/2 200 OK\r\n\r\n", Rule::HttpHead),
        ("HTTP/1.1 2000 OK\r\n\r\n", Rule::HttpHead),
        ("HTTP/1.1 099 Odd\r\n\r\n", Rule::HttpHead),
        ("HTTP/1.1 600 Odd\r\n\r\n", Rule::HttpHead),
        ("\r\nHTTP/1.1 200 OK\r\n", Rule::HttpHead),
        ("\r\nHTTP/1.1 200 OK\r\n\r\n", Rule::HttpHead),
        ("0{\"sid\":\"x\"}", Rule::HttpHead),
        ("HTTP/1.1 200 OK\r\nA b: c\r\n\r\n", Rule::HttpHead),
        ("HTTP/1.1 200 OK\r\nA : c\r\n\r\n", Rule::HttpHead),
        ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", Rule::HttpHead),
        ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", Rule::HttpBodyLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", Rule::HttpBodyLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n", Rule::HttpBodyLength),
        ("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", Rule::HttpBodyLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n", Rule::HttpBodyLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", Rule::HttpBodyLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n", Rule::HttpBodyLength),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", Rule::HttpBodyLength),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", Rule::HttpBodyLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", Rule::HttpLimit),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", Rule::HttpChunk),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", Rule::HttpChunk),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\n", Rule::HttpChunk),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", Rule::HttpChunk),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1 2\r\n", Rule::HttpChunk),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n", Rule::HttpChunk),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", Rule::HttpChunk),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naxyz", Rule::HttpChunk),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\n", Rule::HttpChunk),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nax\n", Rule::HttpChunk),
    ];
    for (bytes, rule) in table {
        assert_eq!(read(bytes.as_bytes()), Err(rule), "{bytes:?}");
    }
}

#[test]
fn a_connection_that_closes_within_a_response_has_truncated_it() {
    let whole = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nT: r\r\n\r\n";
    assert!(read(b"").unwrap().is_empty());
    for end in 1..whole.len() {
        assert_eq!(read(&whole.as_bytes()[..end]), Err(Rule::HttpTruncated), "{:?}", &whole[..end]);
    }
    assert_eq!(read(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok"), Err(Rule::HttpTruncated));
}

#[test]
fn a_broken_stream_repeats_its_violation_and_takes_all_input() {
    let mut responses = Responses::new(ROOMY);
    let mut bytes: &[u8] = b"garbage";
    let violation = responses.read(&mut bytes).unwrap_err();
    assert!(bytes.is_empty());
    bytes = b"HTTP/1.1 204 No Content\r\n\r\n";
    assert_eq!(responses.read(&mut bytes), Err(violation));
    assert_eq!(responses.eof(), Ok(None));
}

#[test]
fn what_has_no_end_is_refused_at_its_limit() {
    let endless = |start: &str, part: &str| {
        let mut responses = Responses::new(100);
        let mut sent = 0;
        let mut piece = start.as_bytes();
        loop {
            match responses.read(&mut piece) {
                Err(violation) => return (violation.rule, sent),
                Ok(Some(response)) => panic!("{response:?} came to an end"),
                Ok(None) => {}
            }
            sent += part.len();
            assert!(sent < 10 * MAX_HEAD, "{part:?} has no limit after {start:?}");
            piece = part.as_bytes();
        }
    };
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let table = [
        ("HTTP/1.1 200 ", "O", MAX_HEAD),
        ("HTTP/1.1 200 OK\r\n", "A: b\r\n", MAX_HEAD),
        ("HTTP/1.1 200 OK\r\n\r\n", "x", 101),
        (chunked, "0", 4097),
        (chunked, "1\r\nx\r\n", 101 * 6),
        (&format!("{chunked}0\r\n"), "A: b\r\n", MAX_HEAD + 6),
    ];
    for (start, part, limit) in table {
        let (rule, sent) = endless(start, part);
        assert_eq!(rule, Rule::HttpLimit, "{start:?}");
        assert!(sent <= limit + part.len(), "{start:?} took {sent} bytes");
    }
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(1000));
    assert_eq!(read(many.as_bytes()), Err(Rule::HttpLimit));
    let long = format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "x".repeat(MAX_HEAD));
    assert_eq!(read(long.as_bytes()), Err(Rule::HttpLimit));
}

/// The body of a response, and how it is sent: whole, or cut into chunks.
#[derive(Clone, Debug)]
enum Sent {
    Whole(Vec<u8>),
    Chunks(Vec<Vec<u8>>),
}

fn responses() -> impl Strategy<Value = Vec<Sent>> {
    let sent = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80).prop_map(Sent::Whole),
        prop::collection::vec(prop::collection::vec(any::<u8>(), 1..30), 0..5).prop_map(Sent::Chunks),
    ];
    prop::collection::vec(sent, 0..5)
}

fn written(responses: &[Sent]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut bytes = Vec::new();
    let mut bodies = Vec::new();
    for (at, sent) in responses.iter().enumerate() {
        let body = match sent {
            Sent::Whole(body) => {
                bytes.extend(
                    format!("HTTP/1.1 200 OK\r\nX-At: {at}\r\nContent-Length: {}\r\n\r\n", body.len())
                        .bytes(),
                );
                bytes.extend(body);
                body.clone()
            }
            Sent::Chunks(chunks) => {
                bytes.extend(
                    format!("HTTP/1.1 200 OK\r\nX-At: {at}\r\nTransfer-Encoding: chunked\r\n\r\n").bytes(),
                );
                for chunk in chunks {
                    bytes.extend(format!("{:X};n=v\r\n", chunk.len()).bytes());
                    bytes.extend(chunk);
                    bytes.extend(b"\r\n");
                }
                bytes.extend(b"0\r\nTrailer: t\r\n\r\n");
                chunks.concat()
            }
        };
        bodies.push(body);
    }
    (bytes, bodies)
}

proptest! {
    #[test]
    fn responses_are_the_same_however_their_bytes_are_cut(
        sent in responses(),
        sizes in prop::collection::vec(1..40_usize, 1..20),
    ) {
        let (bytes, bodies) = written(&sent);
        let mut responses = Responses::new(ROOMY);
        let mut read = Vec::new();
        let mut rest = bytes.as_slice();
        for size in sizes.iter().cycle() {
            let (mut piece, after) = rest.split_at((*size).min(rest.len()));
            rest = after;
            while let Some(response) = responses.read(&mut piece).unwrap() {
                let at = read.len().to_string();
                prop_assert_eq!(response.head.header("x-at"), Some(at.as_str()));
                prop_assert!(response.keep_alive);
                read.push(response.body);
            }
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(read, bodies);
        prop_assert!(!responses.pending());
        prop_assert_eq!(responses.eof(), Ok(None));
    }

    #[test]
    fn a_damaged_response_is_a_response_or_a_violation(
        sent in responses(),
        at in any::<prop::sample::Index>(),
        to in any::<u8>(),
    ) {
        let (mut bytes, _) = written(&sent);
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            let _ = read(&bytes[..at]);
            bytes[at] = to;
        }
        let _ = read(&bytes);
    }

    #[test]
    fn any_bytes_are_responses_or_a_violation(
        start in prop::sample::select(&["", "HTTP/1.1 ", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"][..]),
        bytes in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let _ = read(&[start.as_bytes(), &bytes].concat());
    }

    #[test]
    fn no_request_that_is_written_has_more_lines_than_were_asked_for(
        name in "[A-Za-z\r\n: ]{0,5}",
        value in "[a\r\n\0:]{0,5}",
        target in "[/a \r\n]{0,5}",
    ) {
        let mut out = Vec::new();
        let request = Request { method: "GET", target: &target, headers: &[(&name, &value)], body: None };
        if write_request(&mut out, &request).is_ok() {
            prop_assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 3);
        }
    }
}
