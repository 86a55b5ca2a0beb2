//! What HTTP/3 says around a session, in pieces of any size and against the rules.

use web_transport_proto::{Capsule, ConnectRequest, ConnectResponse, Frame, Settings, StreamUni, VarInt};

use super::{Answer, Answers, Told, farewell, request, settings};

fn varint(value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    VarInt::from_u64(value).expect("it fits").encode(&mut bytes);
    bytes
}

/// What is told of these bytes, one at a time, and all at once: the same.
fn told(bytes: &[u8]) -> Result<Option<bool>, String> {
    let mut told = Told::default();
    let mut said = None;
    for byte in bytes {
        said = said.or(told.read(&[*byte])?);
    }
    assert_eq!(Told::default().read(bytes), Ok(said));
    Ok(said)
}

#[test]
fn a_server_has_to_offer_sessions_in_its_settings() {
    assert_eq!(told(&settings()), Ok(Some(true)));
    let mut bare = Vec::new();
    Settings::default().encode(&mut bare);
    assert_eq!(told(&bare), Ok(Some(false)));
    let no_settings = [&varint(0)[..], &varint(7), &varint(0)].concat();
    assert!(Told::default().read(&no_settings).is_err());
}

#[test]
fn of_other_streams_nothing_is_kept() {
    let mut qpack = Vec::new();
    StreamUni::QPACK_ENCODER.encode(&mut qpack);
    let mut told = Told::default();
    assert_eq!(told.read(&qpack), Ok(None));
    for _ in 0..1000 {
        assert_eq!(told.read(&[0; 1000]), Ok(None));
    }
    let mut endless = Told::default();
    assert_eq!(endless.read(&[&varint(0)[..], &varint(4), &varint(60_001)].concat()), Ok(None));
    assert_eq!(endless.read(&[0x21; 59_000]), Ok(None));
    assert!(endless.read(&[0x40; 1001]).is_err(), "half a number at the end");
}

/// A length and what has it, in a byte of which the last bits are the length's.
fn text(bytes: &mut &[u8], bits: u32) -> String {
    let (first, rest) = bytes.split_first().expect("there is a length");
    let most = (1_usize << bits) - 1;
    let mut length = usize::from(*first) & most;
    *bytes = rest;
    let mut shift = 0;
    while length >= most {
        let (next, rest) = bytes.split_first().expect("the length goes on");
        length += usize::from(next & 127) << shift;
        shift += 7;
        *bytes = rest;
        if next & 128 == 0 {
            break;
        }
    }
    let (text, rest) = bytes.split_at(length);
    *bytes = rest;
    String::from_utf8(text.to_vec()).expect("it is text")
}

/// The fields of a request, each with its name.
fn fields(request: &[u8]) -> Vec<(String, String)> {
    let mut rest = request;
    assert_eq!(Frame::decode(&mut rest), Ok(Frame::HEADERS));
    assert_eq!(VarInt::decode(&mut rest).expect("it has a length").into_inner(), rest.len() as u64);
    assert_eq!(rest[..2], [0, 0]);
    rest = &rest[2..];
    let mut fields = Vec::new();
    while !rest.is_empty() {
        assert_eq!(rest[0] & 0b1111_1000, 0b0010_0000, "a name and a value, both as they are");
        fields.push((text(&mut rest, 3), text(&mut rest, 7)));
    }
    fields
}

fn headers(headers: &[(&str, &str)]) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn the_request_says_where_and_with_what() {
    let given =
        [("Host", "other.example:8443"), ("X-Test", "a b"), ("Connection", "close"), ("Cookie", "a=1")];
    let target = "/socket.io/?EIO=4&transport=webtransport&t=%7B%22";
    let bytes = request("here.example", target, &headers(&given)).expect("it can be sent");
    let read = ConnectRequest::decode(&mut &bytes[..]).expect("it can be read");
    assert_eq!(read.url.as_str(), format!("https://other.example:8443{target}"));
    let mut names: Vec<&str> = read.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["cookie", "x-test"]);
    assert_eq!(read.headers["x-test"], "a b");
    for (name, value) in [("X-Test", "a\nb"), ("X Test", "a"), ("", "a"), (":path", "/")] {
        let wrong = request("here", "/", &headers(&[(name, value)]));
        assert_eq!(wrong, Err(format!("send the header `{name}`")));
    }
}

#[test]
fn headers_of_one_name_are_all_sent_in_their_order_and_however_long() {
    let (long, longer) = ("v".repeat(127), "w".repeat(20_000));
    let given =
        [("X-One", "1"), ("Cookie", "a=1"), ("x-one", &*long), ("Cookie", "b=2"), ("X-ONE", &*longer)];
    let sent = fields(&request("here:1", "/x?y", &headers(&given)).expect("it can be sent"));
    let before = [
        (":method", "CONNECT"),
        (":scheme", "https"),
        (":authority", "here:1"),
        (":path", "/x?y"),
        (":protocol", "webtransport"),
    ];
    let given =
        [("x-one", "1"), ("cookie", "a=1"), ("x-one", &*long), ("cookie", "b=2"), ("x-one", &*longer)];
    assert_eq!(sent, headers(&[&before[..], &given[..]].concat()));
}

/// What the server says by these bytes, in pieces of this size.
fn said(bytes: &[u8], size: usize) -> Result<Vec<Answer>, String> {
    let mut answers = Answers::default();
    let mut all = Vec::new();
    for piece in bytes.chunks(size) {
        let mut answer = answers.read(piece)?;
        while let Some(said) = answer {
            let is_last = matches!(said, Answer::Closed { .. } | Answer::Refused(_));
            all.push(said);
            if is_last {
                return Ok(all);
            }
            answer = answers.read(&[])?;
        }
    }
    Ok(all)
}

fn response(status: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    let status = status.try_into().expect("it is a status");
    ConnectResponse::new(status).encode(&mut bytes).expect("it can be written");
    bytes
}

fn capsule(capsule: &Capsule) -> Vec<u8> {
    let mut bytes = Vec::new();
    capsule.encode(&mut bytes);
    bytes
}

fn data(content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    Frame::DATA.encode(&mut bytes);
    bytes.extend(varint(content.len() as u64));
    bytes.extend(content);
    bytes
}

#[test]
fn a_session_is_accepted_and_closed_whatever_the_pieces() {
    let close = capsule(&Capsule::CloseWebTransportSession { code: 7, reason: "bye".to_owned() });
    let other = capsule(&Capsule::Unknown { typ: VarInt::from_u32(0x99), payload: vec![1; 70].into() });
    let (first, rest) = close.split_at(5);
    let grease = [&varint(0x21)[..], &varint(3), b"abc"].concat();
    let streams = [
        [response(200), grease.clone(), data(&[other.clone(), close.clone()].concat())].concat(),
        [response(200), data(&[&other, first].concat()), grease, data(rest)].concat(),
        // Bare, as some servers write it.
        [response(200), close.clone()].concat(),
    ];
    for (index, stream) in streams.iter().enumerate() {
        for size in [1, 2, 7, 1000] {
            let answers = said(stream, size);
            let closed = Answer::Closed { code: 7, reason: "bye".to_owned() };
            assert_eq!(answers, Ok(vec![Answer::Accepted, closed]), "stream {index}, pieces of {size}");
        }
    }
    let polite = [response(200), farewell()].concat();
    let closed = Answer::Closed { code: 0, reason: String::new() };
    assert_eq!(said(&polite, 1), Ok(vec![Answer::Accepted, closed]));
}

#[test]
fn what_is_said_before_the_answer_is_none() {
    let early = [response(103), response(100)].concat();
    assert_eq!(said(&early, 1), Ok(vec![]));
    assert_eq!(said(&[early.clone(), response(200)].concat(), 1), Ok(vec![Answer::Accepted]));
    assert_eq!(said(&[early, response(503)].concat(), 1000), Ok(vec![Answer::Refused(503)]));
}

#[test]
fn a_refusal_is_told_with_its_status() {
    for status in [404, 403, 503, 301] {
        assert_eq!(said(&response(status), 1), Ok(vec![Answer::Refused(status)]));
    }
}

#[test]
fn what_is_no_answer_is_told_and_no_endless_one_is_kept() {
    assert!(said(&data(b"hello"), 1).is_err());
    assert!(said(&[&varint(1)[..], &varint(1 << 40)].concat(), 1).is_err());
    let endless = [response(200), varint(0), varint(1 << 40), vec![0; 200_000]].concat();
    assert!(said(&endless, 1000).is_err());
    let many = [response(200), data(&varint(0x99)), data(&varint(70_000))].concat();
    assert!(said(&many, 1000).is_err(), "a capsule that is too long");
}
