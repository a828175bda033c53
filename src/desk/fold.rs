//! Text as it is compared in a search: small letters, without accents.

use icu_normalizer::DecomposingNormalizerBorrowed;

/// Small letters without accents; letters that Unicode takes for letters of their own as people without them type them.
/// Everything that is neither letter nor digit is one space.
#[must_use]
pub fn fold(text: &str) -> String {
    let apart = DecomposingNormalizerBorrowed::new_nfd();
    let mut folded = String::with_capacity(text.len());
    for c in apart.normalize_iter(text.chars()) {
        if is_mark(c) {
            continue;
        }
        for small in c.to_lowercase() {
            match small {
                'ß' => folded.push_str("ss"),
                'æ' => folded.push_str("ae"),
                'œ' => folded.push_str("oe"),
                'þ' => folded.push_str("th"),
                'ø' => folded.push('o'),
                'đ' | 'ð' => folded.push('d'),
                'ł' => folded.push('l'),
                'ħ' => folded.push('h'),
                'ı' => folded.push('i'),
                // Part of a name, and typed or not: O'Neill, D’Arcy.
                '\'' | '’' | '`' => {}
                small if is_mark(small) => {}
                small if small.is_alphanumeric() => folded.push(small),
                _ if folded.ends_with(' ') || folded.is_empty() => {}
                _ => folded.push(' '),
            }
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// Combining marks that stand behind their letter once it is taken apart.
const fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_found_as_people_type_them() {
        for (name, typed) in [
            ("José Núñez", "jose nunez"),
            ("Zoë Weiß-Groß", "zoe weiss gross"),
            ("Łukasz Đoković", "lukasz dokovic"),
            ("Sean O’Neill", "sean oneill"),
            ("İpek Yıldız", "ipek yildiz"),
            ("ana.ruiz@example.com", "ana ruiz example com"),
            ("  Nguyễn   Thị ", "nguyen thi"),
        ] {
            assert_eq!(fold(name), typed);
        }
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,30}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
