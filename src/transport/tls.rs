//! How TLS is spoken: which certificates of servers are accepted, and which is shown to them.
//!
//! A certificate that stands itself in the file of authorities is accepted as OpenSSL, and so curl, accept it: it may be
//! self-signed, call itself an authority, or name its host in the subject alone. So is one of the first version of X.509 that
//! one of these authorities has signed. The library would refuse each of these.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature, verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, InconsistentKeys, RootCertStore, SignatureScheme,
};

use super::certificate::{Certificate, HostName};
use super::first_version;

/// Whose certificates are accepted.
#[derive(Clone, Debug)]
pub enum Trusted {
    /// Those of the public authorities.
    Public,
    /// Those of these authorities, and these themselves.
    These(Vec<CertificateDer<'static>>),
    /// Everyone's.
    Anyone,
}

/// A certificate of ours, with what leads to its authority, and its key.
#[derive(Debug)]
pub struct Identity {
    /// The certificate first.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its key.
    pub key: PrivateKeyDer<'static>,
}

/// TLS as the client speaks it.
///
/// # Errors
/// In the words of the library, when a certificate or the key is not usable.
pub fn tls(trusted: &Trusted, identity: Option<Identity>) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
    let builder = match trusted {
        Trusted::Public => builder
            .with_root_certificates(RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned())),
        Trusted::These(authorities) => {
            let known = Some(Known::new(authorities, provider.clone()));
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Verifier { known, provider }))
        }
        Trusted::Anyone => {
            let verifier = Verifier { known: None, provider };
            builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier))
        }
    };
    Ok(Arc::new(match identity {
        Some(identity) => builder.with_client_cert_resolver(Arc::new(shown(identity)?)),
        None => builder.with_no_client_auth(),
    }))
}

/// What is shown to a server. Whether it is fit to be shown is for the server to say; ours is only that the key is its key.
fn shown(Identity { chain, key }: Identity) -> Result<SingleCertAndKey, rustls::Error> {
    let signer = ring::sign::any_supported_type(&key)?;
    let key = signer.public_key();
    let of_first_version = chain.first().and_then(|first| Certificate::read(first));
    let of_first_version = of_first_version.filter(|certificate| certificate.is_first_version);
    let belongs = match (of_first_version, key) {
        // The library reads no certificate of the first version.
        (Some(certificate), Some(key)) if certificate.key != key.as_ref() => {
            Err(InconsistentKeys::KeyMismatch.into())
        }
        (Some(_), _) => Ok(()),
        (None, _) => CertifiedKey::new(chain.clone(), signer.clone()).keys_match(),
    };
    match belongs {
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {
            Ok(SingleCertAndKey::from(CertifiedKey::new(chain, signer)))
        }
        Err(error) => Err(error),
    }
}

/// Accepts some certificates, or all; signatures are checked always.
#[derive(Debug)]
struct Verifier {
    /// None where every certificate is accepted.
    known: Option<Known>,
    provider: Arc<CryptoProvider>,
}

/// Accepts what these authorities have signed, and what stands among them.
#[derive(Debug)]
struct Known {
    /// None where none of them can sign.
    signed: Option<Arc<WebPkiServerVerifier>>,
    authorities: Vec<CertificateDer<'static>>,
}

impl Known {
    fn new(authorities: &[CertificateDer<'static>], provider: Arc<CryptoProvider>) -> Known {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(authorities.iter().cloned());
        let signed = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().ok();
        Known { signed, authorities: authorities.to_vec() }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(known) = &self.known else { return Ok(ServerCertVerified::assertion()) };
        let unknown = Err(CertificateError::UnknownIssuer.into());
        let verdict = known
            .signed
            .as_ref()
            .map_or(unknown, |signed| signed.verify_server_cert(certificate, intermediates, name, ocsp, now));
        let Err(refusal) = verdict else { return verdict };
        if !known.authorities.iter().any(|one| one.as_ref() == certificate.as_ref()) {
            if key_of_first_version(certificate).is_none() {
                return Err(refusal);
            }
            let algorithms = &self.provider.signature_verification_algorithms;
            first_version::verify_signed_by(certificate, &known.authorities, algorithms)?;
        }
        verify_itself(certificate, name, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        match key_of_first_version(certificate) {
            Some(key) => {
                first_version::verify_tls12_signature(message, &key, signature, algorithms)?;
                Ok(HandshakeSignatureValid::assertion())
            }
            None => verify_tls12_signature(message, certificate, signature, algorithms),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        match key_of_first_version(certificate) {
            Some(key) => {
                let key = SubjectPublicKeyInfoDer::from(key);
                verify_tls13_signature_with_raw_key(message, &key, signature, algorithms)
            }
            None => verify_tls13_signature(message, certificate, signature, algorithms),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The key of a certificate of the first version, of which the library reads none.
fn key_of_first_version(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let certificate = Certificate::read(certificate)?;
    certificate.is_first_version.then_some(certificate.key)
}

/// What is left to be checked of a certificate whose signature the library did not check: its time and its name.
fn verify_itself(
    certificate: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: UnixTime,
) -> Result<(), CertificateError> {
    let certificate = Certificate::read(certificate).ok_or(CertificateError::BadEncoding)?;
    if now.as_secs() < certificate.not_before {
        return Err(CertificateError::NotValidYet);
    }
    if now.as_secs() > certificate.not_after {
        return Err(CertificateError::Expired);
    }
    if is_made_out_to(&certificate, name) { Ok(()) } else { Err(CertificateError::NotValidForName) }
}

/// RFC 9525, section 6.3, and, where no alternative name is of use, the old common name, as in curl.
fn is_made_out_to(certificate: &Certificate, name: &ServerName<'_>) -> bool {
    if !certificate.names.is_empty() {
        return certificate.names.iter().any(|given| match (given, name) {
            (HostName::Dns(pattern), ServerName::DnsName(host)) => covers(pattern, host.as_ref()),
            (HostName::Address(bytes), ServerName::IpAddress(address)) => match IpAddr::from(*address) {
                IpAddr::V4(address) => **bytes == address.octets(),
                IpAddr::V6(address) => **bytes == address.octets(),
            },
            _ => false,
        });
    }
    certificate.common_name.as_deref().is_some_and(|common| match name {
        ServerName::DnsName(host) => covers(common, host.as_ref()),
        ServerName::IpAddress(address) => common == IpAddr::from(*address).to_string(),
        _ => false,
    })
}

/// Whether a name in a certificate, with a star for its first label perhaps, is that of a host.
fn covers(pattern: &str, host: &str) -> bool {
    let host = host.trim_end_matches('.');
    match (pattern.strip_prefix("*."), host.split_once('.')) {
        (Some(rest), Some((_, parent))) => rest.contains('.') && rest.eq_ignore_ascii_case(parent),
        (Some(_), None) => false,
        (None, _) => pattern.eq_ignore_ascii_case(host),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyPair, SanType, date_time_ymd,
    };
    use rustls::pki_types::pem::PemObject;
    use rustls::version::{TLS12, TLS13};
    use rustls::{ClientConnection, ServerConfig, ServerConnection, SupportedProtocolVersion};

    use super::*;

    /// What `openssl x509 -req` makes where no extensions are asked for, and its key.
    const FIRST_VERSION: &[u8] = include_bytes!("first-version.pem");

    /// The same, signed by an authority, which follows it, and its key.
    const SIGNED: &[u8] = include_bytes!("first-version-signed.pem");

    const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

    /// How a client that trusts these fares with a server that shows the first certificate of this PEM, with its key.
    fn meets(
        pem: &[u8],
        host: &'static str,
        trusted: &Trusted,
        version: &'static SupportedProtocolVersion,
    ) -> Result<(), rustls::Error> {
        let certificate = CertificateDer::from_pem_slice(pem).expect("it is a certificate");
        let key = PrivateKeyDer::from_pem_slice(pem).expect("it is a key");
        let signer = ring::sign::any_supported_type(&key).expect("it can sign");
        let shown = SingleCertAndKey::from(CertifiedKey::new(vec![certificate], signer));
        let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .expect("the version is fine")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(shown));
        let name = ServerName::try_from(host).expect("it is a name");
        let mut server = ServerConnection::new(Arc::new(server)).expect("it is a good configuration");
        let mut client = ClientConnection::new(tls(trusted, None)?, name)?;
        while client.is_handshaking() {
            let mut bytes = Vec::new();
            client.write_tls(&mut bytes).expect("there is room");
            server.read_tls(&mut &*bytes).expect("there is room");
            server.process_new_packets()?;
            bytes.clear();
            server.write_tls(&mut bytes).expect("there is room");
            client.read_tls(&mut &*bytes).expect("there is room");
            client.process_new_packets()?;
        }
        Ok(())
    }

    #[test]
    fn a_certificate_of_the_first_version_is_accepted_where_it_is_known_or_every_one_is() {
        let known = CertificateDer::from_pem_slice(FIRST_VERSION).expect("it is a certificate");
        for version in VERSIONS {
            let meets = |trusted: Trusted| meets(FIRST_VERSION, "localhost", &trusted, version);
            assert_eq!(meets(Trusted::These(vec![known.clone()])), Ok(()), "{version:?}");
            assert_eq!(meets(Trusted::Anyone), Ok(()), "{version:?}");
            assert!(meets(Trusted::Public).is_err(), "{version:?}");
            assert!(meets(Trusted::These(Vec::new())).is_err(), "{version:?}");
        }
    }

    #[test]
    fn a_certificate_of_the_first_version_is_accepted_from_an_authority_that_is_known_for_its_own_host() {
        let these = |pem: &[u8]| {
            let all = CertificateDer::pem_slice_iter(pem).map(|one| one.expect("it is a certificate"));
            Trusted::These(all.skip(1).collect())
        };
        let stranger = {
            let mut params = named("x", &[]);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.distinguished_name = DistinguishedName::new();
            params.distinguished_name.push(DnType::CommonName, "An authority");
            let key = KeyPair::generate().expect("a key can be made");
            params.self_signed(&key).expect("it can sign itself").der().clone()
        };
        for version in VERSIONS {
            let meets = |host, trusted: Trusted| meets(SIGNED, host, &trusted, version);
            assert_eq!(meets("localhost", these(SIGNED)), Ok(()), "{version:?}");
            assert_eq!(
                meets("example.org", these(SIGNED)),
                Err(CertificateError::NotValidForName.into()),
                "{version:?}"
            );
            assert_eq!(
                meets("localhost", Trusted::These(vec![stranger.clone()])),
                Err(CertificateError::BadSignature.into()),
                "{version:?}"
            );
            assert_eq!(
                meets("localhost", these(FIRST_VERSION)),
                Err(CertificateError::UnknownIssuer.into()),
                "{version:?}"
            );
        }
    }

    #[test]
    fn no_changed_certificate_of_the_first_version_is_taken_for_the_one_that_was_signed() {
        let mut all = CertificateDer::pem_slice_iter(SIGNED).map(|one| one.expect("it is a certificate"));
        let (certificate, authority) = (all.next().expect("it comes first"), all.next().expect("it follows"));
        let algorithms = &ring::default_provider().signature_verification_algorithms;
        let verdict = |bytes: &[u8], authority: &CertificateDer<'static>| {
            first_version::verify_signed_by(bytes, std::slice::from_ref(authority), algorithms)
        };
        assert_eq!(verdict(&certificate, &authority), Ok(()));
        for at in 0..certificate.len() {
            let mut changed = certificate.to_vec();
            changed[at] ^= 1;
            assert!(verdict(&changed, &authority).is_err(), "{at}");
            assert!(verdict(&certificate[..at], &authority).is_err(), "{at}");
        }
        // One that is no authority has signed nothing, whatever its key says.
        assert!(verdict(&certificate, &certificate).is_err());
    }

    #[test]
    fn a_certificate_of_the_first_version_is_shown_to_a_server_with_its_own_key_and_no_other() {
        let chain = vec![CertificateDer::from_pem_slice(FIRST_VERSION).expect("it is a certificate")];
        let key = PrivateKeyDer::from_pem_slice(FIRST_VERSION).expect("it is a key");
        let other = KeyPair::generate().expect("a key can be made").serialize_der();
        let other = PrivateKeyDer::try_from(other).expect("it is a key");
        let with = |key| tls(&Trusted::Public, Some(Identity { chain: chain.clone(), key })).map(|_| ());
        assert_eq!(with(key), Ok(()));
        assert_eq!(with(other), Err(InconsistentKeys::KeyMismatch.into()));
    }

    fn verdict(params: &CertificateParams, host: &str) -> Result<(), CertificateError> {
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = params.self_signed(&key).expect("it can sign itself");
        let name = ServerName::try_from(host.to_owned()).expect("it is a name");
        verify_itself(
            certificate.der(),
            &name,
            UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_800_000_000)),
        )
    }

    fn named(common: &str, names: &[&str]) -> CertificateParams {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).expect("these are names");
        params.distinguished_name.push(DnType::CommonName, common);
        params
    }

    #[test]
    fn a_known_certificate_is_still_for_one_host() {
        let wrong = Err(CertificateError::NotValidForName);
        assert_eq!(verdict(&named("localhost", &[]), "localhost"), Ok(()));
        assert_eq!(verdict(&named("127.0.0.1", &[]), "127.0.0.1"), Ok(()));
        assert_eq!(verdict(&named("localhost", &[]), "example.org"), wrong);
        assert_eq!(verdict(&named("x", &["localhost", "127.0.0.1"]), "127.0.0.1"), Ok(()));
        assert_eq!(verdict(&named("x", &["*.example.org"]), "a.example.org"), Ok(()));
        assert_eq!(verdict(&named("x", &["*.example.org"]), "a.b.example.org"), wrong);
        assert_eq!(verdict(&named("localhost", &["example.org"]), "localhost"), wrong, "the new names count");
        let mut mail = named("localhost", &[]);
        mail.subject_alt_names.push(SanType::Rfc822Name("a@example.org".try_into().expect("it is ASCII")));
        assert_eq!(verdict(&mail, "localhost"), Ok(()), "an address of a person names no host");
    }

    #[test]
    fn a_known_certificate_still_has_its_time() {
        let mut over = named("localhost", &[]);
        over.not_after = date_time_ymd(2020, 1, 1);
        assert_eq!(verdict(&over, "localhost"), Err(CertificateError::Expired));
        let mut early = named("localhost", &[]);
        early.not_before = date_time_ymd(2100, 1, 1);
        assert_eq!(verdict(&early, "localhost"), Err(CertificateError::NotValidYet));
    }
}
