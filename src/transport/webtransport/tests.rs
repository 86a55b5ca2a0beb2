//! What HTTP/3 says around a session, in pieces of any size and against the rules.

use web_transport_proto::{Capsule, ConnectRequest, ConnectResponse, Frame, Settings, StreamUni, VarInt};

use super::http3::{self, Answer, Answers, Told};

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
    assert_eq!(told(&http3::settings()), Ok(Some(true)));
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

#[test]
fn the_request_says_where_and_with_what() {
    let headers =
        [("Host", "other.example:8443"), ("X-Test", "a b"), ("Connection", "close"), ("Cookie", "a=1")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let bytes = http3::request("here.example", "/socket.io/?EIO=4&transport=webtransport&t=%7B%22", &headers);
    let request = ConnectRequest::decode(&mut &bytes.expect("it can be sent")[..]).expect("it can be read");
    assert_eq!(
        request.url.as_str(),
        "https://other.example:8443/socket.io/?EIO=4&transport=webtransport&t=%7B%22"
    );
    let mut names: Vec<&str> = request.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["cookie", "x-test"]);
    assert_eq!(request.headers["x-test"], "a b");
    let wrong = [("X-Test".to_owned(), "a\nb".to_owned())];
    assert_eq!(http3::request("here", "/", &wrong), Err("send the header `X-Test`".to_owned()));
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
    let farewell = [response(200), http3::farewell()].concat();
    let closed = Answer::Closed { code: 0, reason: String::new() };
    assert_eq!(said(&farewell, 1), Ok(vec![Answer::Accepted, closed]));
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
