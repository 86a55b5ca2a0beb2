//! TLS with a certificate authority made for the purpose, in front of the reference server.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection};

use crate::support::{Folder, Reference, Server, sockrates};

const SCRIPT: &str = "\
- all: connect
- all: { emit: { event: message-with-ack, args: [ { $bytes: 70000 } ], ack: { args: [ { $bytes: 70000 } ] } } }
- all: { join: den }
- alice: { broadcast: { to: den, event: news, args: [\"${'x'}\"] } }
- bob: { expect: { event: news } }
- all: disconnect";

/// A server that ends TLS in front of the reference server, and its authority in PEM.
struct Secure {
    server: Server,
    _reference: Reference,
    authority: String,
}

impl Secure {
    fn start() -> Secure {
        Secure::named(&["localhost", "127.0.0.1"])
    }

    /// With a certificate for these names.
    fn named(names: &[&str]) -> Secure {
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("no names are good names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key can be made"));
        let authority = authority.expect("an authority can sign itself");
        let key = KeyPair::generate().expect("a key can be made");
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let params = CertificateParams::new(names).expect("these are names");
        let certificate = params.signed_by(&key, &authority).expect("the authority signs");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the versions are fine")
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).expect("it is a key"),
            );
        let config = Arc::new(config.expect("key and certificate belong together"));
        let reference = Reference::start();
        let to = reference.address();
        let server = Server::start(move |near, _| terminate(&config, &near, &TcpStream::connect(to)?));
        Secure { server, _reference: reference, authority: authority.pem() }
    }

    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.server.address())
    }
}

/// Decrypts what comes from near and encrypts what comes from far.
fn terminate(config: &Arc<ServerConfig>, near: &TcpStream, far: &TcpStream) -> io::Result<()> {
    let tls = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
    let tls = Arc::new(Mutex::new(tls));
    let (tls_back, near_back, far_back) = (tls.clone(), near.try_clone()?, far.try_clone()?);
    thread::spawn(move || {
        let (mut near, mut far, mut buffer) = (&near_back, &far_back, [0; 16_384]);
        while let Ok(read @ 1..) = far.read(&mut buffer) {
            let mut tls = tls_back.lock().expect("nobody panicked");
            let mut rest = &buffer[..read];
            while !rest.is_empty() {
                let Ok(taken) = tls.writer().write(rest) else { return };
                rest = &rest[taken..];
                while tls.wants_write() {
                    if tls.write_tls(&mut near).is_err() {
                        return;
                    }
                }
            }
        }
        let mut tls = tls_back.lock().expect("nobody panicked");
        tls.send_close_notify();
        let _ = tls.write_tls(&mut near);
        let _ = near.shutdown(Shutdown::Write);
    });
    let (mut source, mut sink, mut buffer) = (near, far, [0; 16_384]);
    loop {
        let read = source.read(&mut buffer)?;
        if read == 0 {
            return far.shutdown(Shutdown::Write);
        }
        let mut plain = Vec::new();
        let mut rest = &buffer[..read];
        let mut tls = tls.lock().expect("nobody panicked");
        while !rest.is_empty() {
            tls.read_tls(&mut rest)?;
            let outcome = tls.process_new_packets();
            while tls.wants_write() {
                tls.write_tls(&mut source)?;
            }
            outcome.map_err(io::Error::other)?;
            match tls.reader().read_to_end(&mut plain) {
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
        }
        drop(tls);
        sink.write_all(&plain)?;
    }
}

#[test]
fn a_known_authority_is_trusted_over_every_transport() {
    let (folder, secure) = (Folder::new(), Secure::start());
    let authority = folder.file("authority.pem", &secure.authority);
    for transport in ["websocket", "polling", "upgrade"] {
        let clients = format!("{{ alice: {{ transport: {transport} }}, bob: {{ transport: {transport} }} }}");
        let scenario = folder.scenario(&clients, SCRIPT);
        for scheme in ["https", "wss"] {
            let run = sockrates(["run", "--url", &secure.url(scheme), "--ca-file"]);
            let ended = run.args([&authority, &scenario]).run().code(0);
            ended.says("tls");
        }
    }
}

#[test]
fn an_unknown_authority_is_refused_with_what_to_do() {
    let (folder, secure, other) = (Folder::new(), Secure::start(), Secure::start());
    let authority = folder.file("other.pem", &other.authority);
    for arguments in [vec![], vec!["--ca-file", authority.to_str().expect("a path of ours")]] {
        let run = sockrates(["run", "chat", "--url", &secure.url("https")]).args(arguments);
        run.run().code(3).complains("the certificate of").complains("--ca-file");
    }
}

#[test]
fn any_certificate_is_accepted_on_demand() {
    let (folder, secure) = (Folder::new(), Secure::start());
    let scenario = folder.scenario("{ alice: 1, bob: { transport: upgrade } }", SCRIPT);
    sockrates(["run", "--insecure", "--url", &secure.url("wss")]).args([&scenario]).run().code(0);
}

#[test]
fn the_name_in_the_certificate_counts() {
    let (folder, secure) = (Folder::new(), Secure::named(&["localhost"]));
    let authority = folder.file("authority.pem", &secure.authority);
    let scenario = folder.scenario("{ alice: 1 }", "- all: connect");
    let run = |url: &str| sockrates(["run", "--url", url, "--ca-file"]).args([&authority, &scenario]).run();
    run(&format!("https://localhost:{}", secure.server.address().port())).code(0);
    run(&secure.url("https")).code(3).complains("is for another name");
}

#[test]
fn a_file_without_certificates_is_refused() {
    let folder = Folder::new();
    let file = folder.file("empty.pem", "nothing to see\n");
    let ended = sockrates(["run", "chat", "--ca-file"]).args([file]).run().code(2);
    ended.complains("there is none; a PEM file has lines like");
}

#[test]
fn plain_http_where_tls_is_wanted_says_so() {
    let secure = Secure::start();
    sockrates(["run", "chat", "--url", &secure.url("http")]).run().code(3).complains("wants TLS");
}
