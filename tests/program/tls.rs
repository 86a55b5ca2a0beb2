//! TLS with a certificate authority made for the purpose, in front of the reference server.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};

use crate::support::{Folder, Reference, Server, sockrates};

const SCRIPT: &str = "\
- all: connect
- all: { emit: { event: message-with-ack, args: [ { $bytes: 70000 } ], ack: { args: [ { $bytes: 70000 } ] } } }
- all: { join: den }
- alice: { broadcast: { to: den, event: news, args: [\"${'x'}\"] } }
- bob: { expect: { event: news } }
- all: disconnect";

/// A server that ends TLS in front of the reference server, and its authority in PEM.
pub(crate) struct Secure {
    server: Server,
    _reference: Reference,
    authority: String,
}

impl Secure {
    fn start() -> Secure {
        Secure::named(&["localhost", "127.0.0.1"])
    }

    /// With this certificate, which is shown to clients of whom one of the authority is asked for, if there is one.
    pub(crate) fn showing(
        certificate: CertificateDer<'static>,
        key: &KeyPair,
        clients: Option<&CertificateDer<'static>>,
    ) -> Secure {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .expect("the versions are fine");
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.clone()).expect("it is an authority");
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.expect("there is an authority"))
            }
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("it is a key");
        let config =
            Arc::new(builder.with_single_cert(vec![certificate], key).expect("they belong together"));
        let reference = Reference::start();
        let to = reference.address();
        let server = Server::start(move |near, _| terminate(&config, &near, &TcpStream::connect(to)?));
        Secure { server, _reference: reference, authority: String::new() }
    }

    /// With a certificate for these names.
    fn named(names: &[&str]) -> Secure {
        let reference = Reference::start();
        let (server, authority) = in_front_of(reference.address(), names);
        Secure { server, _reference: reference, authority }
    }

    pub(crate) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.server.address())
    }
}

/// A server that ends TLS in front of one that speaks none, with a certificate for these names; and its authority in PEM.
pub(crate) fn in_front_of(to: SocketAddr, names: &[&str]) -> (Server, String) {
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
    let server = Server::start(move |near, _| terminate(&config, &near, &TcpStream::connect(to)?));
    (server, authority.pem())
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

/// What `openssl req -x509 -subj /CN=…` makes: an authority that has signed itself and names its host in the subject only.
pub(crate) fn of_openssl(common: &str) -> (rcgen::Certificate, KeyPair) {
    let mut params = CertificateParams::new(Vec::<String>::new()).expect("no names are good names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, common);
    let key = KeyPair::generate().expect("a key can be made");
    (params.self_signed(&key).expect("it can sign itself"), key)
}

#[test]
fn a_self_signed_certificate_that_is_given_is_trusted_for_its_own_host() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ alice: { transport: upgrade }, bob: 1 }", SCRIPT);
    let (certificate, key) = of_openssl("127.0.0.1");
    let secure = Secure::showing(certificate.der().clone(), &key, None);
    let run = |file: &str| {
        let run = sockrates(["run", "--url", &secure.url("https"), "--ca-file"]);
        run.args([folder.path(file)]).args([&scenario]).run()
    };
    folder.file("own.pem", &certificate.pem());
    run("own.pem").code(0);
    // Nobody has given it: what to give is said in words.
    let run_bare = sockrates(["run", "--url", &secure.url("https")]).args([&scenario]).run();
    run_bare
        .code(3)
        .complains("is that of an authority, as one that is self-signed; give the certificate itself");
    folder.file("other.pem", &of_openssl("127.0.0.1").0.pem());
    run("other.pem").code(3).complains("--ca-file");
    let (certificate, key) = of_openssl("example.org");
    let secure = Secure::showing(certificate.der().clone(), &key, None);
    folder.file("far.pem", &certificate.pem());
    let run = sockrates(["run", "--url", &secure.url("https"), "--ca-file"]);
    run.args([folder.path("far.pem")]).args([&scenario]).run().code(3).complains("is for another name");
}

#[test]
fn a_server_that_wants_a_certificate_gets_the_one_that_is_given() {
    let folder = Folder::new();
    let scenario = folder.scenario("{ alice: { transport: upgrade }, bob: 1 }", SCRIPT);
    let (certificate, key) = of_openssl("127.0.0.1");
    let mut params = CertificateParams::new(Vec::<String>::new()).expect("no names are good names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key can be made"));
    let authority = authority.expect("an authority can sign itself");
    let own_key = KeyPair::generate().expect("a key can be made");
    let own = CertificateParams::new(vec!["ann".to_owned()]).expect("it is a name");
    let own = own.signed_by(&own_key, &authority).expect("the authority signs");
    let secure = Secure::showing(certificate.der().clone(), &key, Some(authority.der()));
    folder.file("server.pem", &certificate.pem());
    folder.file("cert.pem", &own.pem());
    folder.file("key.pem", &own_key.serialize_pem());
    folder.file("both.pem", &format!("{}{}", own.pem(), own_key.serialize_pem()));
    folder.file("other.pem", &key.serialize_pem());
    folder.file(
        "locked.pem",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    let run = |flags: &[(&str, &str)]| {
        let run =
            sockrates(["run", "--url", &secure.url("https"), "--ca-file"]).args([folder.path("server.pem")]);
        let given = |run: crate::support::Program, (flag, file): &(&str, &str)| {
            run.args([*flag]).args([folder.path(file)])
        };
        flags.iter().fold(run, given).args([&scenario]).run()
    };
    run(&[("--cert", "cert.pem"), ("--key", "key.pem")]).code(0);
    run(&[("--cert", "both.pem")]).code(0);
    run(&[]).code(3).complains("wants a certificate of its clients");
    run(&[("--cert", "cert.pem")]).code(2).complains("name the file that holds it with --key");
    run(&[("--cert", "cert.pem"), ("--key", "other.pem")])
        .code(2)
        .complains("the key does not belong to the certificate");
    run(&[("--cert", "cert.pem"), ("--key", "locked.pem")]).code(2).complains("is encrypted");
    run(&[("--cert", "key.pem")]).code(2).complains("failed to read the certificates");
}

#[test]
fn tls_goes_through_a_proxy_as_it_is() {
    let folder = Folder::new();
    let secure = Secure::named(&["server.example"]);
    let to = secure.server.address();
    let proxy = Server::start(move |mut near, _| {
        crate::support::head(&mut near)?;
        near.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        crate::support::splice(&near, &TcpStream::connect(to)?)
    });
    folder.file("ca.pem", &secure.authority);
    let scenario = folder.scenario("{ alice: { transport: upgrade }, bob: 1 }", SCRIPT);
    let run = sockrates(["run", "--url", "https://server.example", "--proxy", &proxy.url(), "--ca-file"]);
    run.args([folder.path("ca.pem")]).args([&scenario]).run().code(0);
}
