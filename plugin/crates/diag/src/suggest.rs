//! "Did you mean …?"

/// The candidate that is most like `word`, if one is like it at all.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = plain(word);
    candidates
        .into_iter()
        .map(|candidate| (likeness(&plain, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.77)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// From 0 to 1; case, hyphens and underscores do not count.
fn likeness(word: &str, candidate: &str) -> f64 {
    let candidate = plain(candidate);
    let prefix =
        word.len() >= 4 && (candidate.starts_with(word) || word.starts_with(&candidate) && candidate.len() >= 4);
    let same = if prefix { 0.9 } else { 0.0 };
    strsim::normalized_damerau_levenshtein(word, &candidate)
        .mul_add(0.5, 0.5 * strsim::jaro_winkler(word, &candidate))
        .max(same)
}

fn plain(word: &str) -> String {
    word.chars()
        .filter(|c| !matches!(c, '-' | '_' | ' '))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let fields = ["flavor", "network", "root_volume", "image", "address"];
        let check = |word, expect| assert_eq!(nearest(word, fields), expect, "{word}");
        check("flavour", Some("flavor"));
        check("flavro", Some("flavor"));
        check("rootVolume", Some("root_volume"));
        check("root-volume", Some("root_volume"));
        check("adress", Some("address"));
        check("zzz", None);
        check("", None);
        check("timeout", None);
    }
}
