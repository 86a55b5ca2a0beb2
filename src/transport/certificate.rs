//! What a certificate says of itself: its version, its key, its time and its names. Pure.

use x509_cert::certificate::{CertificateInner, Raw, Version};
use x509_cert::der::asn1::{Any, Ia5StringRef, PrintableStringRef, Utf8StringRef};
use x509_cert::der::oid::db::rfc4519::COMMON_NAME;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;

/// What a certificate says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Certificate {
    /// Whether it is of the first version of X.509.
    pub(super) is_first_version: bool,
    /// Its key with the algorithm of the key, as DER.
    pub(super) key: Vec<u8>,
    /// In seconds since 1970.
    pub(super) not_before: u64,
    pub(super) not_after: u64,
    /// The last common name of its subject.
    pub(super) common_name: Option<String>,
    /// The hosts in its alternative names.
    pub(super) names: Vec<HostName>,
}

/// A host as an alternative name tells it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HostName {
    Dns(String),
    Address(Vec<u8>),
}

impl Certificate {
    /// Reads one. None where it is none.
    pub(super) fn read(bytes: &[u8]) -> Option<Certificate> {
        // With whatever serial number: nobody else has to know the certificate by it.
        let all = CertificateInner::<Raw>::from_der(bytes).ok()?.tbs_certificate;
        let alternative = all.get::<SubjectAltName>().ok()?;
        let names = alternative.into_iter().flat_map(|(_, SubjectAltName(names))| names);
        Some(Certificate {
            is_first_version: all.version == Version::V1,
            key: all.subject_public_key_info.to_der().ok()?,
            not_before: all.validity.not_before.to_unix_duration().as_secs(),
            not_after: all.validity.not_after.to_unix_duration().as_secs(),
            common_name: common_name(&all.subject),
            names: names.filter_map(host).collect(),
        })
    }
}

fn common_name(subject: &Name) -> Option<String> {
    let mut attributes = subject.0.iter().flat_map(|together| together.0.iter());
    text(&attributes.rfind(|attribute| attribute.oid == COMMON_NAME)?.value)
}

/// A text of UTF-8, of printable characters or of ASCII.
fn text(value: &Any) -> Option<String> {
    let utf8 = value.decode_as::<Utf8StringRef<'_>>().map(|text| text.to_string());
    let printable = || value.decode_as::<PrintableStringRef<'_>>().map(|text| text.to_string());
    let ascii = || value.decode_as::<Ia5StringRef<'_>>().map(|text| text.to_string());
    utf8.or_else(|_| printable()).or_else(|_| ascii()).ok()
}

fn host(name: GeneralName) -> Option<HostName> {
    match name {
        GeneralName::DnsName(name) => Some(HostName::Dns(name.to_string())),
        GeneralName::IpAddress(bytes) => Some(HostName::Address(bytes.into_bytes())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DnType, KeyPair, PublicKeyData, date_time_ymd};

    use super::*;

    /// One that a library has made.
    fn made() -> (Vec<u8>, Vec<u8>) {
        let names = ["example.org", "127.0.0.1"].map(str::to_owned);
        let mut params = CertificateParams::new(names).expect("these are names");
        params.distinguished_name.push(DnType::OrganizationName, "Example");
        params.distinguished_name.push(DnType::CommonName, "localhost");
        (params.not_before, params.not_after) = (date_time_ymd(2020, 2, 29), date_time_ymd(2050, 1, 1));
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = params.self_signed(&key).expect("it can sign itself");
        (certificate.der().to_vec(), key.subject_public_key_info())
    }

    #[test]
    fn a_certificate_says_for_whom_it_is_and_how_long() {
        let (bytes, key) = made();
        let certificate = Certificate {
            is_first_version: false,
            key,
            not_before: 1_582_934_400,
            not_after: 2_524_608_000,
            common_name: Some("localhost".to_owned()),
            names: vec![HostName::Dns("example.org".to_owned()), HostName::Address(vec![127, 0, 0, 1])],
        };
        assert_eq!(Certificate::read(&bytes), Some(certificate));
    }

    #[test]
    fn what_is_cut_off_is_no_certificate() {
        let (bytes, _) = made();
        for end in 0..bytes.len() {
            assert_eq!(Certificate::read(&bytes[..end]), None, "{end}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Certificate::read(&bytes);
        }

        #[test]
        fn no_change_of_a_certificate_panics(at in any::<prop::sample::Index>(), byte: u8) {
            let (mut bytes, _) = made();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = Certificate::read(&bytes);
        }
    }
}
