//! Globs over names: of rails (`--rail`), and of interfaces in sysctl.d.

use glob::Pattern;

/// A glob(7) pattern: `*`, `?`, `[…]`. The `/` of an RDMA port's name is a character like any other.
///
/// # Errors
/// What is wrong with it, without the pattern.
pub fn parse(text: &str) -> Result<Pattern, String> {
    if text.is_empty() {
        return Err("a pattern is empty".into());
    }
    if text.contains(['{', '}']) {
        return Err("braces are no part of a glob; give several patterns".into());
    }
    Pattern::new(text).map_err(|e| e.msg.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns() {
        let table: &[(&str, &str, bool)] = &[
            ("ib*", "ib0", true),
            ("ib*", "bib0", false),
            ("mlx5_*", "mlx5_0/1", true),
            ("*/1", "mlx5_0/1", true),
            ("ib[0-3]", "ib2", true),
            ("ib[!0-3]", "ib2", false),
            ("ib?", "ib10", false),
            ("*", ".hidden", true),
        ];
        for (pattern, name, wanted) in table {
            assert_eq!(parse(pattern).unwrap().matches(name), *wanted, "{pattern} {name}");
        }
        assert!(parse("ib[").is_err());
        assert!(parse("ib{0,1}").unwrap_err().contains("several patterns"));
        assert!(parse("").is_err());
    }

    proptest! {
        #[test]
        fn laws(name in "[a-z0-9./_]{0,10}") {
            let matches = |p: &str| parse(p).is_ok_and(|p| p.matches(&name));
            prop_assert!(matches("*") && matches(&(name.clone() + "*")));
            prop_assert!(name.is_empty() || matches(&name));
            prop_assert!(!matches(&(name.clone() + "?")));
        }
    }
}
