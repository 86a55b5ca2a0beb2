//! The word that was probably meant.

/// The known word that was probably meant: at most one slip in three characters, swapped neighbours counting
/// as one; the nearest, the first of equals.
pub fn closest<'a>(word: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    among
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&lower, &known.to_lowercase()), known))
        .filter(|(slips, known)| {
            *slips <= known.chars().count().max(lower.chars().count()).div_ceil(3).min(4)
        })
        .filter(|(slips, known)| *slips < known.chars().count())
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_word_is_near_enough_or_none() {
        let steps = ["connect", "disconnect", "emit", "expect", "expect_none", "join"];
        assert_eq!(closest("conect", steps), Some("connect"));
        assert_eq!(closest("expext", steps), Some("expect"));
        assert_eq!(closest("Jion", steps), Some("join"));
        assert_eq!(closest("expectnone", steps), Some("expect_none"));
        assert_eq!(closest("telephone", steps), None);
        assert_eq!(closest("x", ["n", "i"]), None);
    }
}
