//! The header `Set-Cookie`, and the dates in it.
//!
//! Spec: RFC 6265, section 5.2, and 5.1.1 for dates, which servers write in many ways.

use jiff::civil::DateTime;

/// Three letters of each month are enough.
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A cookie as a response sets it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetCookie<'t> {
    /// Its name.
    pub name: &'t str,
    /// Its value, with quotes where it has some.
    pub value: &'t str,
    /// For which paths it is, if that is said.
    pub path: Option<&'t str>,
    /// Whether it goes over secure connections only.
    pub is_secure: bool,
    /// For how many seconds it is to be kept, if that is said.
    pub max_age: Option<i64>,
    /// When it is to be forgotten, in seconds since 1970, if that is said.
    pub expires: Option<i64>,
}

impl<'t> SetCookie<'t> {
    /// Reads one. None where it has no name.
    pub fn parse(text: &'t str) -> Option<SetCookie<'t>> {
        let mut parts = text.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let mut cookie = SetCookie { name: name.trim(), value: value.trim(), ..SetCookie::default() };
        for part in parts {
            let (key, value) =
                part.split_once('=').map_or((part, None), |(key, value)| (key, Some(value.trim())));
            match (key.trim().to_ascii_lowercase().as_str(), value) {
                ("secure", _) => cookie.is_secure = true,
                ("path", Some(path)) => cookie.path = Some(path),
                ("max-age", Some(age)) => cookie.max_age = seconds(age).or(cookie.max_age),
                ("expires", Some(text)) => cookie.expires = date(text).or(cookie.expires),
                _ => {}
            }
        }
        Some(cookie).filter(|cookie| !cookie.name.is_empty())
    }
}

/// An age. What is less than nothing is nothing, and what is too long for a number is very long.
fn seconds(text: &str) -> Option<i64> {
    let (is_negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(if is_negative { 0 } else { digits.parse().unwrap_or(i64::MAX) })
}

/// A date of a cookie or of a response, in seconds since 1970.
pub fn date(text: &str) -> Option<i64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != ':').filter(|word| !word.is_empty()) {
        let number = || word.parse::<i16>().ok().filter(|_| word.bytes().all(|byte| byte.is_ascii_digit()));
        if time.is_none()
            && let Some(found) = time_of_day(word)
        {
            time = Some(found);
        } else if day.is_none()
            && word.len() <= 2
            && let Some(number) = number()
        {
            day = i8::try_from(number).ok();
        } else if month.is_none()
            && let Some(found) = month_of(word)
        {
            month = Some(found);
        } else if year.is_none()
            && matches!(word.len(), 2..=4)
            && let Some(number) = number()
        {
            year = Some(match number {
                70..=99 => 1900 + number,
                0..=69 => 2000 + number,
                _ => number,
            });
        }
    }
    let [hour, minute, second] = time?;
    let date =
        DateTime::new(year.filter(|year| *year >= 1601)?, month?, day?, hour, minute, second, 0).ok()?;
    Some(date.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0)).as_secs())
}

fn time_of_day(word: &str) -> Option<[i8; 3]> {
    let mut parts = word.split(':');
    let mut part =
        || parts.next().filter(|part| matches!(part.len(), 1..=2))?.parse::<u8>().ok()?.try_into().ok();
    let time = [part()?, part()?, part()?];
    parts.next().is_none().then_some(time)
}

fn month_of(word: &str) -> Option<i8> {
    let word = word.get(..3)?.to_ascii_lowercase();
    let place = MONTHS.iter().position(|month| *month == word)?;
    i8::try_from(place + 1).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cookie_has_a_name_and_says_how_long_and_where_it_counts() {
        let cookie =
            SetCookie::parse(r#" a = "1=2" ; PATH=/x; Secure; HttpOnly; max-age=90; expires=nonsense"#);
        let expected = SetCookie {
            name: "a",
            value: r#""1=2""#,
            path: Some("/x"),
            is_secure: true,
            max_age: Some(90),
            expires: None,
        };
        assert_eq!(cookie, Some(expected));
        for wrong in ["", "a", "=1", " =1; Path=/"] {
            assert_eq!(SetCookie::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn an_age_is_a_number_of_seconds() {
        let age =
            |text: &str| SetCookie::parse(&format!("a=1; Max-Age={text}")).and_then(|cookie| cookie.max_age);
        let all = ["60", "0", "-60", "99999999999999999999", "", "-", "1.5", "+1", "soon"].map(age);
        assert_eq!(all, [Some(60), Some(0), Some(0), Some(i64::MAX), None, None, None, None, None]);
    }

    #[test]
    fn a_date_may_be_written_in_many_ways() {
        for text in [
            "Sat, 28 Nov 2026 15:00:09 GMT",
            "Saturday, 28-Nov-26 15:00:09 GMT",
            "Sat Nov 28 15:00:09 2026",
            "28 november 2026, 15:0:9",
        ] {
            assert_eq!(date(text), Some(1_795_878_009), "{text:?}");
        }
        assert_eq!(date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        for wrong in [
            "",
            "tomorrow",
            "Sat, 31 Feb 2026 15:00:00 GMT",
            "28 Nov 2026 25:00:00",
            "28 Nov 1600 15:00:00",
            "28 Nov 2026 15:00",
        ] {
            assert_eq!(date(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn no_header_panics(text in ".{0,80}", words in "([0-9]{0,5}[:é -]?|nov ?){0,8}") {
            let _ = (SetCookie::parse(&text), date(&text), date(&words));
        }
    }
}
