//! The word that was probably meant: a slip of the pen, or a word for the same thing from elsewhere.

/// Words that people bring from other tools and from drafts of this language, with what stands for them here. Which
/// of them is meant depends on what is known at that place.
const SYNONYMS: [(&str, &[&str]); 2] =
    [("cast", &["clients", "broadcast", "index"]), ("cast_ack", &["broadcast_ack"])];

/// The known word that was probably meant: one that stands for the same thing, or one at most one slip in three
/// characters away, swapped neighbours counting as one; the nearest, the first of equals.
pub fn closest<'a>(word: &str, among: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let known: Vec<&str> = among.into_iter().collect();
    let synonyms = SYNONYMS.iter().filter(|(foreign, _)| *foreign == lower).flat_map(|(_, ours)| *ours);
    if let Some(synonym) = synonyms.copied().find_map(|ours| known.iter().find(|known| **known == ours)) {
        return Some(synonym);
    }
    known
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
    use super::closest;

    #[test]
    fn a_word_from_elsewhere_is_answered_with_ours_for_that_place() {
        assert_eq!(closest("cast", ["name", "clients", "script"]), Some("clients"));
        assert_eq!(closest("cast_ack", ["broadcast", "broadcast_ack"]), Some("broadcast_ack"));
        assert_eq!(closest("Cast", ["emit", "broadcast", "wait"]), Some("broadcast"));
        assert_eq!(closest("cast", ["n", "index", "count"]), Some("index"));
        assert_eq!(closest("cast", ["emit", "open"]), None);
    }

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
