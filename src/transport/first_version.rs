//! Certificates of the first version of X.509, which the library does not read: who has signed them, and what their key signs.
//!
//! `openssl x509 -req` makes them where it is given no extensions, and OpenSSL, and so curl, accept them.

use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use rustls::{CertificateError, DigitallySignedStruct};
use x509_cert::certificate::{CertificateInner, Raw, Version};
use x509_cert::der::asn1::AnyRef;
use x509_cert::der::{Decode, Encode, Reader};
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, NameConstraints};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

type Parsed = CertificateInner<Raw>;

/// Checks that one of these authorities has signed a certificate, itself and not through others.
pub(super) fn verify_signed_by(
    bytes: &[u8],
    authorities: &[CertificateDer<'static>],
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<(), CertificateError> {
    let certificate = Parsed::from_der(bytes).map_err(|_| CertificateError::BadEncoding)?;
    let signed = signed_part(bytes).ok_or(CertificateError::BadEncoding)?;
    let signature = certificate.signature.as_bytes().ok_or(CertificateError::BadEncoding)?;
    if certificate.signature_algorithm != certificate.tbs_certificate.signature {
        return Err(CertificateError::BadEncoding);
    }
    let kind = contents(&certificate.signature_algorithm).ok_or(CertificateError::BadEncoding)?;
    let fitting = || algorithms.all.iter().copied().filter(|one| *one.signature_alg_id() == *kind);
    let mut verdict = Err(CertificateError::UnknownIssuer);
    for authority in authorities.iter().filter_map(|one| Parsed::from_der(one).ok()) {
        let authority = authority.tbs_certificate;
        if authority.subject != certificate.tbs_certificate.issuer || !may_sign(&authority) {
            continue;
        }
        verdict = verify(fitting(), &authority.subject_public_key_info, signed, signature);
        if verdict.is_ok() {
            break;
        }
    }
    verdict
}

/// Whether it is an authority whose certificates need no name that one of the first version lacks.
fn may_sign(authority: &x509_cert::certificate::TbsCertificateInner<Raw>) -> bool {
    if authority.version == Version::V1 {
        return true;
    }
    let basic = authority.get::<BasicConstraints>();
    let usage = authority.get::<KeyUsage>();
    let names = authority.get::<NameConstraints>();
    matches!(basic, Ok(Some((_, BasicConstraints { ca: true, .. }))))
        && usage.is_ok_and(|usage| usage.is_none_or(|(_, usage)| usage.key_cert_sign()))
        && matches!(names, Ok(None))
}

/// Checks what was signed in a handshake of TLS 1.2 with this key, which is DER.
pub(super) fn verify_tls12_signature(
    message: &[u8],
    key: &[u8],
    signature: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<(), CertificateError> {
    let key = SubjectPublicKeyInfoOwned::from_der(key).map_err(|_| CertificateError::BadEncoding)?;
    let fitting = algorithms.mapping.iter().filter(|(scheme, _)| *scheme == signature.scheme);
    let fitting = fitting.flat_map(|(_, algorithms)| algorithms.iter().copied());
    verify(fitting, &key, message, signature.signature())
}

/// Checks a signature with the algorithms that fit the key.
fn verify<'a>(
    algorithms: impl Iterator<Item = &'a dyn SignatureVerificationAlgorithm>,
    key: &SubjectPublicKeyInfoOwned,
    message: &[u8],
    signature: &[u8],
) -> Result<(), CertificateError> {
    let kind = contents(&key.algorithm).ok_or(CertificateError::BadEncoding)?;
    let bits = key.subject_public_key.as_bytes().ok_or(CertificateError::BadEncoding)?;
    let mut fitting = algorithms.filter(|one| *one.public_key_alg_id() == *kind);
    match fitting.any(|one| one.verify_signature(bits, message, signature).is_ok()) {
        true => Ok(()),
        false => Err(CertificateError::BadSignature),
    }
}

/// The bytes of a certificate that are signed.
fn signed_part(bytes: &[u8]) -> Option<&[u8]> {
    let all = AnyRef::from_der(bytes).ok()?;
    all.sequence(|parts| {
        let signed = parts.tlv_bytes()?;
        while !parts.is_finished() {
            parts.tlv_bytes()?;
        }
        Ok(signed)
    })
    .ok()
}

/// An algorithm as the library names it: without the head of the sequence.
fn contents(algorithm: &AlgorithmIdentifierOwned) -> Option<Vec<u8>> {
    let bytes = algorithm.to_der().ok()?;
    Some(AnyRef::from_der(&bytes).ok()?.value().to_vec())
}
