//! The files of the command line that are about TLS: authorities, a certificate of our own and its key.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::transport::{self, Identity, Trusted};

/// Which certificates are accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Those of the usual authorities.
    #[default]
    Usual,
    /// Those of the authorities in this PEM file, and these themselves.
    Authorities(PathBuf),
    /// Any.
    Any,
}

/// The certificate that is shown to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The PEM file with the certificate, and what leads to its authority.
    pub certificate: PathBuf,
    /// The PEM file with its key; without one, the key stands in the same file.
    pub key: Option<PathBuf>,
}

/// TLS with that trust and that certificate.
///
/// # Errors
/// A sentence, when a file cannot be read or does not hold what it should.
pub(crate) fn tls(trust: &Trust, shown: Option<&Shown>) -> Result<Arc<ClientConfig>, String> {
    let trusted = match trust {
        Trust::Any => Trusted::Anyone,
        Trust::Usual => Trusted::Public,
        Trust::Authorities(file) => Trusted::These(certificates(file, &read(file)?)?),
    };
    let identity = shown.map(identity).transpose()?;
    let has_identity = identity.is_some();
    transport::tls(&trusted, identity).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) if has_identity => {
            "the key does not belong to the certificate: give the two files of one certificate to --cert and --key"
                .to_owned()
        }
        error => format!("failed to set up TLS: {error}"),
    })
}

fn identity(shown: &Shown) -> Result<Identity, String> {
    let text = read(&shown.certificate)?;
    let chain = certificates(&shown.certificate, &text)?;
    let file = shown.key.as_ref().unwrap_or(&shown.certificate);
    let text = if shown.key.is_some() { read(file)? } else { text };
    let place = file.display();
    if contains(&text, b"ENCRYPTED") {
        return Err(format!(
            "the key in {place} is encrypted, and sockrates asks for no password; write a copy without one: \
             openssl pkey -in {place} -out plain.pem"
        ));
    }
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|_| match &shown.key {
        Some(_) => format!(
            "there is no private key in {place}; its PEM has a line like `-----BEGIN PRIVATE KEY-----`"
        ),
        None => format!("there is no private key in {place}: name the file that holds it with --key"),
    })?;
    Ok(Identity { chain, key })
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find(text, word).is_some()
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    fs::read(file).map_err(|error| format!("failed to read {}: {error}", file.display()))
}

fn certificates(file: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |why: String| format!("failed to read the certificates in {}: {why}", file.display());
    let found: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(text)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(error.to_string()))?;
    match found.is_empty() {
        true => Err(wrong("there is none; a PEM file has lines like `-----BEGIN CERTIFICATE-----`".into())),
        false => Ok(found),
    }
}
