//! Which collector of OpenTelemetry gets the figures: as its url says, and what the usual variables of the environment add.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use url::Url;

use super::{Error, TlsFiles, Trust, read_header};
use crate::measure::format::printable;
use crate::publish::{Collector, unguessable};
use crate::report::otlp::{self, HistogramForm, Sender};
use crate::secrets::Secrets;
use crate::server::{Endpoint, authorization, host_and_port};

/// Where metrics go, below the url that is given.
const PATH: &str = "/v1/metrics";

/// Headers for every push: `name=value,name=value`, percent-encoded.
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";

/// A PEM file with the authorities, and no others, that the collector's certificate may have.
const CERTIFICATE: &str = "OTEL_EXPORTER_OTLP_CERTIFICATE";

/// How histograms are sent.
const HISTOGRAMS: &str = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION";

/// The collector at this url, and what is to be sent to it. What of both is secret is known from here on.
///
/// # Errors
/// A sentence, when the url or a variable cannot be used.
pub(super) fn collector(
    url: &str,
    environment: &dyn Fn(&str) -> Option<String>,
    secrets: &Secrets,
) -> Result<(Collector, Sender), Error> {
    let given = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
    let endpoint = endpoint(url, secrets).map_err(|why| {
        Error::because(format!(
            "the url of --otlp is not that of a collector: {why}\nhelp: --otlp http://localhost:4318"
        ))
    })?;
    let mut headers: Vec<(String, String)> =
        endpoint.authorization.iter().map(|value| ("Authorization".to_owned(), value.clone())).collect();
    for header in given(HEADERS).iter().flat_map(|all| all.split(',')).filter(|one| !one.trim().is_empty()) {
        let (name, value) = self::header(header).map_err(|why| {
            // The value is not told: it may be a secret.
            Error::because(format!(
                "failed to read {HEADERS}: {why}\nhelp: write it like name=value,other=value"
            ))
        })?;
        secrets.note(&value);
        secrets.note_header("authorization", &value);
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
        headers.push((name, value));
    }
    let tls = match endpoint.secure {
        true => {
            let trust =
                given(CERTIFICATE).map_or(Trust::Usual, |file| Trust::Authorities(PathBuf::from(file)));
            Some(TlsFiles::read(&trust, None).and_then(|files| files.config()).map_err(Error::because)?)
        }
        false => None,
    };
    let histograms = match given(HISTOGRAMS).as_deref() {
        None | Some("explicit_bucket_histogram") => HistogramForm::Explicit,
        Some("base2_exponential_bucket_histogram") => HistogramForm::Exponential,
        Some(other) => {
            return Err(Error::because(format!(
                "{HISTOGRAMS} is `{}`, and not `explicit_bucket_histogram` or `base2_exponential_bucket_histogram`",
                printable(other)
            )));
        }
    };
    let kind = otlp::CONTENT_TYPE;
    let sender = Sender { instance: unguessable(), histograms, secrets: secrets.clone() };
    Ok((Collector { endpoint, headers, tls, kind, refused: otlp::refused }, sender))
}

fn endpoint(text: &str, secrets: &Secrets) -> Result<Endpoint, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let secure = match url.scheme() {
        "http" => false,
        "https" => true,
        _ if !text.contains("://") => return Err("it names no scheme, http or https".to_owned()),
        other => return Err(format!("its scheme is {}, and not http or https", printable(other))),
    };
    let (host, port) = host_and_port(&url, secure).ok_or("it names no host")?;
    let base = url.path().trim_end_matches('/');
    url.query_pairs().for_each(|(name, value)| secrets.note_parameter(&name, &value));
    let authorization = authorization(&url);
    authorization.iter().for_each(|value| secrets.note_header("authorization", value));
    url.password().iter().for_each(|password| secrets.note(password));
    Ok(Endpoint {
        secure,
        host,
        port,
        path: if base.ends_with(PATH) { base.to_owned() } else { format!("{base}{PATH}") },
        query: url.query().filter(|query| !query.is_empty()).map(str::to_owned),
        namespace: None,
        is_open: false,
        authorization,
    })
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a header has no `=`")?;
    let value = percent_decode_str(value.trim()).decode_utf8().map_err(|_| "a value is not UTF-8")?;
    read_header(&format!("{}: {value}", name.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(url: &str, variables: &[(&str, &str)]) -> Result<(Collector, Sender), String> {
        let environment = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        collector(url, &environment, &Secrets::hidden()).map_err(|error| error.words)
    }

    #[test]
    fn metrics_go_below_the_url_unless_it_names_their_place() {
        for (url, place) in [
            ("http://localhost:4318", "http://localhost:4318/v1/metrics"),
            ("http://localhost:4318/", "http://localhost:4318/v1/metrics"),
            ("https://h/otlp/", "https://h/otlp/v1/metrics"),
            ("http://[::1]:4318/v1/metrics", "http://[::1]:4318/v1/metrics"),
        ] {
            assert_eq!(given(url, &[]).expect(url).0.endpoint.to_string(), place);
        }
    }

    #[test]
    fn headers_come_from_the_environment_and_the_url_and_are_secret() {
        let secrets = Secrets::hidden();
        let environment =
            |name: &str| (name == HEADERS).then(|| "api-key=top%20secret, x-scope = tenant-17".to_owned());
        let (collector, _) = collector("http://ann:hunter-22@h", &environment, &secrets).expect("it is good");
        let names: Vec<&str> = collector.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Authorization", "api-key", "x-scope"]);
        assert_eq!(collector.headers[1].1, "top secret");
        assert_eq!(secrets.without_values("a top secret of hunter-22"), "a [hidden] of [hidden]");
        assert!(!collector.endpoint.to_string().contains("hunter"));
    }

    #[test]
    fn what_cannot_be_used_is_told_in_a_sentence() {
        for (url, variables, why) in [
            ("localhost:4318", &[][..], "it names no scheme"),
            ("grpc://localhost:4317", &[], "its scheme is grpc"),
            ("http://h", &[(HEADERS, "bearer")], "a header has no `=`"),
            ("http://h", &[(HEADERS, "a=b%0d%0ac")], "failed to read OTEL_EXPORTER_OTLP_HEADERS"),
            ("http://h", &[(HISTOGRAMS, "round")], "is `round`, and not"),
            ("https://h", &[(CERTIFICATE, "/nowhere.pem")], "failed to read /nowhere.pem"),
        ] {
            let words = given(url, variables).expect_err(url);
            assert!(words.contains(why), "{words}");
        }
    }
}
