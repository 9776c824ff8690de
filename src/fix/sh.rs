//! Words of POSIX sh.

/// Quotes a word so that the shell takes it as it is.
pub(crate) fn word(raw: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,=".contains(c);
    if !raw.is_empty() && raw.chars().all(plain) {
        return raw.to_owned();
    }
    format!("'{}'", raw.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::process::Command;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_shell_gives_it_back(raw in "[^\0]{0,20}") {
            let out = Command::new("sh").args(["-c", &format!("printf %s {}", word(&raw))]).output();
            prop_assert_eq!(out.expect("sh runs").stdout, raw.as_bytes());
        }
    }
}
