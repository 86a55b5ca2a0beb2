//! A text that may be long, for a sentence.

/// `text` cut to at most `most` characters, with an ellipsis where something was cut.
///
/// What a server sends ends up in failures and troubles; this keeps it from growing them without bound.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        assert_eq!(shortened("€€€€", 4), "€€€€");
        assert_eq!(shortened("€€€€€", 4), "€€€…");
    }
}
