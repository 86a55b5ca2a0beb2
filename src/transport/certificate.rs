//! What a certificate says of itself: its version, its key, its time and its names. Pure.
//!
//! A certificate that is trusted by itself is asked for nothing else, and the crates that read all of X.509 take long to build.
//!
//! Spec: RFC 5280, section 4.1, in the DER of X.690. What does not keep to them is no certificate.

use std::str;

use jiff::civil::DateTime;

const BOOLEAN: u8 = 0x01;
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

/// The texts that a name may be: of UTF-8, of printable characters, of ASCII.
const TEXTS: [u8; 3] = [0x0c, 0x13, 0x16];

/// 2.5.4.3
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];

/// 2.5.29.17
const ALTERNATIVE_NAMES: [u8; 3] = [0x55, 0x1d, 0x11];

const DNS_NAME: u8 = 0x82;
const IP_ADDRESS: u8 = 0x87;

/// What a certificate says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Certificate<'c> {
    /// Whether it is of the first version of X.509.
    pub(super) is_first_version: bool,
    /// Its key with the algorithm of the key, as DER.
    pub(super) key: &'c [u8],
    /// In seconds since 1970.
    pub(super) not_before: i64,
    pub(super) not_after: i64,
    /// The last common name of its subject.
    pub(super) common_name: Option<&'c str>,
    /// The hosts in its alternative names.
    pub(super) names: Vec<HostName<'c>>,
}

/// A host as an alternative name tells it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HostName<'c> {
    Dns(&'c str),
    Address(&'c [u8]),
}

impl<'c> Certificate<'c> {
    /// Reads one. None where it is none.
    pub(super) fn read(bytes: &'c [u8]) -> Option<Certificate<'c>> {
        let mut fields = Der(Der(Der(bytes).of(SEQUENCE)?).of(SEQUENCE)?);
        let is_first_version = match fields.of(VERSION) {
            Some(version) => Der(version).of(INTEGER)? == [0],
            None => true,
        };
        // The serial number, the algorithm of the signature, and who signed it.
        fields.of(INTEGER)?;
        fields.of(SEQUENCE)?;
        fields.of(SEQUENCE)?;
        let mut validity = Der(fields.of(SEQUENCE)?);
        let (not_before, not_after) = (validity.next()?.time()?, validity.next()?.time()?);
        let common_name = common_name(fields.of(SEQUENCE)?)?;
        let key = fields.next().filter(|key| key.tag == SEQUENCE)?.whole;
        let mut names = Vec::new();
        while let Some(field) = fields.next() {
            if field.tag == EXTENSIONS {
                names = host_names(field.content)?;
            }
        }
        Some(Certificate { is_first_version, key, not_before, not_after, common_name, names })
    }
}

/// The last common name of a subject, if it has one. The outer None is no subject.
fn common_name(subject: &[u8]) -> Option<Option<&str>> {
    let (mut subject, mut found) = (Der(subject), None);
    while !subject.is_empty() {
        let mut together = Der(subject.of(SET)?);
        while !together.is_empty() {
            let mut attribute = Der(together.of(SEQUENCE)?);
            let (kind, value) = (attribute.of(IDENTIFIER)?, attribute.next()?);
            if kind == COMMON_NAME && TEXTS.contains(&value.tag) {
                found = str::from_utf8(value.content).ok();
            }
        }
    }
    Some(found)
}

fn host_names(extensions: &[u8]) -> Option<Vec<HostName<'_>>> {
    let mut extensions = Der(Der(extensions).of(SEQUENCE)?);
    let mut names = Vec::new();
    while !extensions.is_empty() {
        let mut extension = Der(extensions.of(SEQUENCE)?);
        let kind = extension.of(IDENTIFIER)?;
        // Whether it is critical.
        extension.of(BOOLEAN);
        let value = extension.of(OCTETS)?;
        if kind != ALTERNATIVE_NAMES {
            continue;
        }
        let mut general = Der(Der(value).of(SEQUENCE)?);
        while !general.is_empty() {
            let name = general.next()?;
            match name.tag {
                DNS_NAME => names.push(HostName::Dns(str::from_utf8(name.content).ok()?)),
                IP_ADDRESS => names.push(HostName::Address(name.content)),
                _ => {}
            }
        }
    }
    Some(names)
}

/// Elements that follow each other.
struct Der<'c>(&'c [u8]);

struct Element<'c> {
    tag: u8,
    content: &'c [u8],
    /// With its tag and its length.
    whole: &'c [u8],
}

impl<'c> Der<'c> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn next(&mut self) -> Option<Element<'c>> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x83 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (content, after) = rest.split_at_checked(length)?;
        let whole = &self.0[..self.0.len() - after.len()];
        self.0 = after;
        Some(Element { tag, content, whole })
    }

    /// The content of the next element, if it has this tag; otherwise it stays.
    fn of(&mut self, tag: u8) -> Option<&'c [u8]> {
        let before = self.0;
        let found = self.next().filter(|element| element.tag == tag);
        if found.is_none() {
            self.0 = before;
        }
        found.map(|element| element.content)
    }
}

impl Element<'_> {
    /// A time, in seconds since 1970.
    fn time(&self) -> Option<i64> {
        let text = str::from_utf8(self.content).ok()?.strip_suffix('Z')?;
        let (year, rest) = match self.tag {
            UTC_TIME => text.split_at_checked(2)?,
            GENERALIZED_TIME => text.split_at_checked(4)?,
            _ => return None,
        };
        if rest.len() != 10 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let year = match (self.tag, year.parse::<i16>().ok()?) {
            (UTC_TIME, year @ 50..) => 1900 + year,
            (UTC_TIME, year) => 2000 + year,
            (_, year) => year,
        };
        let two = |at: usize| rest[at..at + 2].parse::<i8>().ok();
        let time = DateTime::new(year, two(0)?, two(2)?, two(4)?, two(6)?, two(8)?, 0).ok()?;
        Some(time.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0)).as_secs())
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
            key: &key,
            not_before: 1_582_934_400,
            not_after: 2_524_608_000,
            common_name: Some("localhost"),
            names: vec![HostName::Dns("example.org"), HostName::Address(&[127, 0, 0, 1])],
        };
        assert_eq!(Certificate::read(&bytes), Some(certificate));
    }

    #[test]
    fn a_time_is_told_in_two_ways() {
        let time = |tag, text: &str| Element { tag, content: text.as_bytes(), whole: &[] }.time();
        assert_eq!(time(UTC_TIME, "700101000001Z"), Some(1));
        assert_eq!(time(UTC_TIME, "491231235959Z"), Some(2_524_607_999));
        assert_eq!(time(GENERALIZED_TIME, "20500101000000Z"), Some(2_524_608_000));
        // What stands in certificates without an end.
        assert_eq!(time(GENERALIZED_TIME, "99991231235959Z"), Some(253_402_300_799));
        for wrong in
            ["", "Z", "700101000001", "70010100000Z", "701301000001Z", "-70101000001Z", "7é0101000001Z"]
        {
            assert_eq!((time(UTC_TIME, wrong), time(GENERALIZED_TIME, wrong)), (None, None), "{wrong:?}");
        }
        assert_eq!(time(INTEGER, "700101000001Z"), None);
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
