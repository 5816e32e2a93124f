//! `${name}` in texts, and the marks by which other people's templates name what a tool fills in later.

/// Whether the text holds a `${name}`.
pub(crate) fn has_secret(text: &str) -> bool {
    text.split("${").skip(1).any(|rest| rest.contains('}'))
}

/// The text if it is nothing but placeholders, else three stars.
pub(crate) fn masked(text: &str) -> &str {
    let only = text.starts_with("${")
        && text
            .split("${")
            .skip(1)
            .all(|rest| rest.ends_with('}') && rest.matches('}').count() == 1);
    if only { text } else { "***" }
}
