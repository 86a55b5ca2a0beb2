//! The files of the command line that are about TLS: authorities, a certificate of our own and its key.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};

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

/// A file as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct PemFile {
    name: String,
    text: Vec<u8>,
}

/// The files of the command line that are about TLS, read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TlsFiles {
    /// Whether any certificate is accepted.
    any: bool,
    /// The authorities, where they are named.
    authorities: Option<PemFile>,
    /// The certificate that is shown, and its key where that stands in a file of its own.
    shown: Option<(PemFile, Option<PemFile>)>,
}

impl TlsFiles {
    /// Reads them.
    ///
    /// # Errors
    /// A sentence, when one cannot be read.
    pub(crate) fn read(trust: &Trust, shown: Option<&Shown>) -> Result<TlsFiles, String> {
        let authorities = match trust {
            Trust::Authorities(file) => Some(read(file)?),
            Trust::Usual | Trust::Any => None,
        };
        let shown = shown.map(|shown| {
            let key = shown.key.as_deref().map(read).transpose()?;
            Ok::<_, String>((read(&shown.certificate)?, key))
        });
        Ok(TlsFiles { any: *trust == Trust::Any, authorities, shown: shown.transpose()? })
    }

    /// TLS with that trust and that certificate.
    ///
    /// # Errors
    /// A sentence, when a file does not hold what it should.
    pub(crate) fn config(&self) -> Result<Arc<ClientConfig>, String> {
        let trusted = match &self.authorities {
            _ if self.any => Trusted::Anyone,
            None => Trusted::Public,
            Some(file) => Trusted::These(certificates(file)?),
        };
        let identity = self.shown.as_ref().map(|(chain, key)| identity(chain, key.as_ref())).transpose()?;
        let has_identity = identity.is_some();
        transport::tls(&trusted, identity).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) if has_identity => {
                "the key does not belong to the certificate: give the two files of one certificate to --cert and --key"
                    .to_owned()
            }
            error => format!("failed to set up TLS: {error}"),
        })
    }
}

fn identity(certificate: &PemFile, key: Option<&PemFile>) -> Result<Identity, String> {
    let chain = certificates(certificate)?;
    let PemFile { name: place, text } = key.unwrap_or(certificate);
    if contains(text, b"ENCRYPTED") {
        return Err(format!(
            "the key in {place} is encrypted, and sockrates asks for no password; write a copy without one: \
             openssl pkey -in {place} -out plain.pem"
        ));
    }
    let key = PrivateKeyDer::from_pem_slice(text).map_err(|_| match key {
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

fn read(file: &Path) -> Result<PemFile, String> {
    let name = file.display().to_string();
    let text = fs::read(file).map_err(|error| format!("failed to read {name}: {error}"))?;
    Ok(PemFile { name, text })
}

fn certificates(file: &PemFile) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |why: String| format!("failed to read the certificates in {}: {why}", file.name);
    let found: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&file.text)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(error.to_string()))?;
    match found.is_empty() {
        true => Err(wrong("there is none; a PEM file has lines like `-----BEGIN CERTIFICATE-----`".into())),
        false => Ok(found),
    }
}
