//! The order people expect of names: `mlx5_10` after `mlx5_9`.

use std::cmp::Ordering;

/// Compares names with their runs of ASCII digits taken as numbers. A total order: names that
/// differ only in leading zeros are still told apart.
pub fn cmp(a: &str, b: &str) -> Ordering {
    let (mut rest_a, mut rest_b) = (a.as_bytes(), b.as_bytes());
    loop {
        let (Some(x), Some(y)) = (rest_a.first(), rest_b.first()) else {
            return rest_a.len().cmp(&rest_b.len()).then_with(|| a.cmp(b));
        };
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (number_a, number_b) = (take_digits(&mut rest_a), take_digits(&mut rest_b));
            number_a.len().cmp(&number_b.len()).then_with(|| number_a.cmp(number_b))
        } else {
            let order = x.cmp(y);
            rest_a = rest_a.get(1..).unwrap_or_default();
            rest_b = rest_b.get(1..).unwrap_or_default();
            order
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Takes the digits at the front, without leading zeros: then length decides before content,
/// and no number is too long.
fn take_digits<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let end = rest.iter().position(|c| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, tail) = rest.split_at(end);
    *rest = tail;
    let zeros = digits.iter().take_while(|c| **c == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::cmp;
    use proptest::prelude::*;
    use std::cmp::Ordering;

    #[test]
    fn numbers_count_as_numbers() {
        let mut names = vec!["mlx5_10", "mlx5_9", "ib0.8001", "ib0", "mlx5_bond_0", "ib10", "ib2"];
        names.sort_by(|a, b| cmp(a, b));
        assert_eq!(names, ["ib0", "ib0.8001", "ib2", "ib10", "mlx5_9", "mlx5_10", "mlx5_bond_0"]);
        assert_eq!(
            cmp("a99999999999999999999999999", "a100000000000000000000000000"),
            Ordering::Less
        );
        assert_ne!(cmp("ib01", "ib1"), Ordering::Equal);
    }

    const NAME: &str = "[a-c0-2_.é]{0,8}";

    proptest! {
        #[test]
        fn it_is_a_total_order(a in NAME, b in NAME, c in NAME) {
            prop_assert_eq!(cmp(&a, &b), cmp(&b, &a).reverse());
            prop_assert_eq!(cmp(&a, &b) == Ordering::Equal, a == b);
            if cmp(&a, &b).is_le() && cmp(&b, &c).is_le() {
                prop_assert!(cmp(&a, &c).is_le());
            }
        }
    }
}
