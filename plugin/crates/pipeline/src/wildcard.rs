//! `*` and `?` in names. Everything else stands for itself, brackets too: providers put them into image names.

/// Whether a text has wildcards.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Whether `name` fits `pattern`, without regard to case.
pub fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let name: Vec<char> = name.to_lowercase().chars().collect();
    fits(&pattern, &name)
}

/// Greedy with one step back: linear in practice, never exponential.
fn fits(pattern: &[char], name: &[char]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p + 1, n));
                p += 1;
            }
            Some(wanted) if *wanted == '?' || Some(wanted) == name.get(n) => {
                p += 1;
                n += 1;
            }
            _ => match retry {
                Some((after, from)) => {
                    (p, n) = (after, from + 1);
                    retry = Some((after, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_providers() {
        let check = |pattern: &str, name: &str, expect: bool| {
            assert_eq!(matches(pattern, name), expect, "{pattern} ~ {name}");
        };
        check("Windows 2022 STD*EN*", "Windows 2022 STD(2026.03.10.) EN", true);
        check("Windows 2022 STD*EN*", "Windows 2022 STD (2023.11.21) KO", false);
        check("windows 2022*", "Windows 2022 STD [x] EN", true);
        check("Windows [2022]", "Windows [2022]", true);
        check("*a*b*c", "xxaxxbxxaxxbxxc", true);
        check("a?c", "abc", true);
        check("", "", true);
        check("*", "", true);
        check("a", "", false);
    }
}
