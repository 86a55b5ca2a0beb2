//! What brokers of agents want to see: passwords, tokens, credentials files, and certificates on both sides.

use std::path::PathBuf;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use nkeys::KeyPair;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa};
use serde_json::{Value, json};

use crate::agents::{Broker, nats_server};
use crate::support::{Ended, Folder, sockrates};

/// An agent that has these options waits, and who asks with the same ones sees it.
fn they_meet(options: &[&str]) {
    let mut agent = sockrates(["agent", "--name", "welcome", "--workers", "1"]).args(options).start();
    agent.told("waits for work at ");
    sockrates(["agents"]).args(options).run().code(0).says("welcome");
    agent.interrupt();
    agent.wait().code(0);
}

fn refused(options: &[&str]) -> Ended {
    sockrates(["agents"]).args(options).run().code(3).complains("failed to reach the broker at ")
}

#[test]
fn a_broker_that_wants_a_name_and_a_password_gets_them() {
    let folder = Folder::new();
    let config = folder.file("nats.conf", "authorization { user: load, password: hunter22 }\n");
    let Some(broker) = Broker::configured(Some(config)) else { return };
    they_meet(&["--nats", &format!("nats://load:hunter22@{}", broker.address())]);
    they_meet(&["--nats", &format!("nats://lo%61d:hunter22@{}", broker.address())]);
    let ended = refused(&["--nats", &format!("nats://load:hunter23@{}", broker.address())]);
    assert!(!ended.stderr.contains("hunter23"), "{ended}");
}

#[test]
fn a_broker_that_wants_a_token_gets_it() {
    let folder = Folder::new();
    let config = folder.file("nats.conf", "authorization { token: hunter22 }\n");
    let Some(broker) = Broker::configured(Some(config)) else { return };
    let url = format!("nats://{}", broker.address());
    they_meet(&["--nats", &url, "--nats-token", "hunter22"]);
    they_meet(&["--nats", &format!("nats://hunter22@{}", broker.address())]);
    let ended = refused(&["--nats", &url, "--nats-token", "hunter23"]);
    assert!(!ended.stderr.contains("hunter23"), "{ended}");
    refused(&["--nats", &url]).complains("it does not let in who shows these credentials");
}

/// A JSON web token in the manner of NATS.
fn token(issuer: &KeyPair, subject: &KeyPair, claims: &Value) -> String {
    let encode = |value: &Value| BASE64.encode(value.to_string());
    let head = json!({ "typ": "JWT", "alg": "ed25519-nkey" });
    let body = json!({
        "jti": subject.public_key(), "iat": 1, "iss": issuer.public_key(), "sub": subject.public_key(), "name": "load",
        "nats": claims,
    });
    let signed = format!("{}.{}", encode(&head), encode(&body));
    let signature = issuer.sign(signed.as_bytes()).expect("the issuer has a seed");
    format!("{signed}.{}", BASE64.encode(signature))
}

/// A credentials file of a user whom the issuer has signed.
fn credentials(folder: &Folder, name: &str, issuer: &KeyPair) -> PathBuf {
    let user = KeyPair::new_user();
    let claims = json!({
        "pub": {}, "sub": {}, "subs": -1, "data": -1, "payload": -1, "type": "user", "version": 2,
    });
    let (token, seed) = (token(issuer, &user, &claims), user.seed().expect("a new one has a seed"));
    let dashes = "-----";
    folder.file(
        name,
        &format!(
            "{dashes}BEGIN NATS USER JWT{dashes}\n{token}\n------END NATS USER JWT------\n\n\
             {dashes}BEGIN USER NKEY SEED{dashes}\n{seed}\n------END USER NKEY SEED------\n"
        ),
    )
}

#[test]
fn a_broker_with_accounts_lets_in_who_has_a_credentials_file_of_one_of_them() {
    let folder = Folder::new();
    let (operator, account) = (KeyPair::new_operator(), KeyPair::new_account());
    let of_operator = token(&operator, &operator, &json!({ "type": "operator", "version": 2 }));
    let limits = json!({
        "subs": -1, "conn": -1, "leaf": -1, "imports": -1, "exports": -1, "data": -1, "payload": -1, "wildcards": true,
    });
    let claims = json!({
        "limits": limits, "default_permissions": { "pub": {}, "sub": {} }, "type": "account", "version": 2,
    });
    let of_account = token(&operator, &account, &claims);
    let config = format!(
        "operator: {of_operator}\nresolver: MEMORY\nresolver_preload: {{ {}: {of_account} }}\n",
        account.public_key()
    );
    let config = folder.file("nats.conf", &config);
    let Some(broker) = Broker::configured(Some(config)) else { return };
    let url = format!("nats://{}", broker.address());
    let own = credentials(&folder, "own.creds", &account);
    they_meet(&["--nats", &url, "--nats-creds", &own.to_string_lossy()]);
    let foreign = credentials(&folder, "foreign.creds", &KeyPair::new_account());
    refused(&["--nats", &url, "--nats-creds", &foreign.to_string_lossy()]);
    refused(&["--nats", &url, "--nats-creds", &folder.path("missing.creds").to_string_lossy()]);
}

#[test]
fn a_broker_behind_tls_is_known_by_its_certificate_and_knows_its_clients_by_theirs() {
    if nats_server().is_none() {
        return;
    }
    let folder = Folder::new();
    let key = || rcgen::KeyPair::generate().expect("a key can be made");
    let mut params = CertificateParams::new(Vec::<String>::new()).expect("no names are good names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, key()).expect("an authority can sign itself");
    let signed = |name: &str| {
        let (key, params) = (key(), CertificateParams::new(vec![name.to_owned()]).expect("it is a name"));
        let certificate = params.signed_by(&key, &authority).expect("it can be signed");
        let file = |what: &str, text: &str| {
            folder.file(&format!("{name}.{what}"), text).to_string_lossy().into_owned()
        };
        (file("crt", &certificate.pem()), file("key", &key.serialize_pem()))
    };
    let (ca, (certificate, key)) = (folder.file("ca.pem", &authority.pem()), signed("127.0.0.1"));
    let ca = ca.to_string_lossy().into_owned();
    let config = format!(
        "tls {{ cert_file: \"{certificate}\", key_file: \"{key}\", ca_file: \"{ca}\", verify: true, timeout: 5 }}\n"
    );
    let Some(broker) = Broker::configured(Some(folder.file("nats.conf", &config))) else { return };
    let url = format!("tls://{}", broker.address());
    let (certificate, key) = signed("client.example");
    let shown = ["--nats-cert", &certificate, "--nats-key", &key];
    they_meet(&[&["--nats", &url, "--nats-ca", &ca], &shown[..]].concat());
    refused(&["--nats", &url, "--nats-ca", &ca]);
    refused(&[&["--nats", &url], &shown[..]].concat());
}
