use std::thread::JoinHandle;

use super::*;

/// An application that answers each connection by a function.
fn application(answer: impl Fn(TcpStream) + Send + Sync + 'static) -> (Target, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let port = listener.local_addr().expect("it listens").port();
    let thread = thread::spawn(move || {
        if let Ok((stream, _)) = listener.accept() {
            answer(stream);
        }
    });
    (Target::new("127.0.0.1".to_owned(), port, None), thread)
}

fn recorder(target: Target) -> Recorder {
    Recorder::begin((Ipv4Addr::LOCALHOST, 0).into(), target).expect("a port is free")
}

/// Reads up to these bytes, all of what came.
fn until(stream: &mut TcpStream, end: &[u8]) -> Vec<u8> {
    let (mut all, mut piece) = (Vec::new(), [0; 4096]);
    while !all.ends_with(end) {
        match stream.read(&mut piece).expect("it can be read") {
            0 => break,
            count => all.extend_from_slice(&piece[..count]),
        }
    }
    all
}

#[test]
fn several_requests_pass_over_one_connection_with_large_bodies() {
    const LARGE: usize = 3 << 20;
    let (target, served) = application(|mut stream| {
        for _ in 0..2 {
            let mut inflow = Inflow::new(stream.try_clone().expect("it can be shared"));
            let bytes = inflow.head().expect("it can be read").expect("a request comes");
            let head = Head::of_request(&bytes).expect("it is a request");
            let body = head.body_of_request().expect("it has a length");
            let content = inflow.body(body, &mut io::sink(), LARGEST_BODY).expect("it comes").content;
            let first =
                format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n", content.len());
            stream.write_all(first.as_bytes()).expect("it can be written");
            stream.write_all(&content).expect("it can be written");
            stream.write_all(b"\r\n0\r\n\r\n").expect("it can be written");
        }
    });
    let recorder = recorder(target);
    let mut browser = TcpStream::connect(recorder.address()).expect("it listens");
    for letter in [b'Q', b'X'] {
        let body = vec![letter; LARGE];
        let head = format!(
            "POST /upload HTTP/1.1\r\nHost: here\r\nExpect: 100-continue\r\nContent-Length: {LARGE}\r\n\r\n"
        );
        browser.write_all(head.as_bytes()).expect("it can be written");
        let mut other = browser.try_clone().expect("it can be shared");
        let writing = thread::spawn(move || other.write_all(&body));
        let answer = until(&mut browser, b"\r\n0\r\n\r\n");
        writing.join().expect("it ends").expect("it can be written");
        assert!(answer.starts_with(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"));
        assert_eq!(answer.iter().filter(|byte| **byte == letter).count(), LARGE);
    }
    drop(browser);
    served.join().expect("it ends");
}

#[test]
fn an_application_that_is_not_there_is_told_to_the_browser_and_to_the_person() {
    let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let port = gone.local_addr().expect("it listens").port();
    drop(gone);
    let recorder = recorder(Target::new("127.0.0.1".to_owned(), port, None));
    let mut browser = TcpStream::connect(recorder.address()).expect("it listens");
    browser.write_all(b"GET / HTTP/1.1\r\n\r\n").expect("it can be written");
    let answer = String::from_utf8(until(&mut browser, b")\n")).expect("it is text");
    assert!(answer.starts_with("HTTP/1.1 502 ") && answer.contains("failed to connect"), "{answer}");
    let mut told = None;
    while told.is_none() {
        told = recorder.trouble();
    }
    assert!(told.is_some_and(|told| told.contains("failed to connect")));
}

#[test]
fn what_is_no_http_is_refused_and_the_recorder_goes_on() {
    let (target, _served) = application(|stream| drop(until(&mut { stream }, b"\r\n\r\n")));
    let recorder = recorder(target);
    let mut browser = TcpStream::connect(recorder.address()).expect("it listens");
    browser.write_all(b"\x16\x03\x01 nonsense\r\n\r\n").expect("it can be written");
    let answer = String::from_utf8(until(&mut browser, b"\n\n")).expect("it is text");
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert_eq!(recorder.tabs(), 0);
}

#[test]
fn an_end_does_not_wait_for_browsers_that_stay() {
    let (target, served) = application(|stream| drop(until(&mut { stream }, b"never")));
    let recorder = recorder(target);
    let mut browser = TcpStream::connect(recorder.address()).expect("it listens");
    browser
        .write_all(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: here\r\n\r\n")
        .expect("it can be written");
    while recorder.tabs() == 0 {
        thread::yield_now();
    }
    let recorded = recorder.finish();
    assert_eq!(recorded.sessions(), 1);
    assert_eq!(browser.read(&mut [0; 9]).unwrap_or(0), 0);
    served.join().expect("it ends");
}
