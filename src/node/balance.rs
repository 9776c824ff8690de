//! How fairly a group shares its load.

use super::{BalanceSide, Figure};
use crate::sample::{Fact, How, Reading, Unknown, Why};

/// One rail in a balance.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Place among the node's rails.
    pub rail: usize,
    /// Bytes per second; `None` for a dead rail, which counts as nothing.
    pub rate: Option<Reading<f64>>,
    /// What it can carry, bits per second, now or while it was last alive.
    pub weight: Option<f64>,
}

/// What a group could carry where no link rate is known: a gigabit.
const UNKNOWN_BITS: f64 = 1e9;

/// Weights of all parts: a rail without a rate weighs the median of the others.
pub(super) fn weights(parts: &[Part]) -> (Vec<f64>, bool) {
    let known = |w: &f64| *w > 0.0 && w.is_finite();
    let mut sorted: Vec<f64> = parts.iter().filter_map(|p| p.weight).filter(known).collect();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2).copied();
    let lower = sorted.get(sorted.len().saturating_sub(1) / 2).copied();
    let median = upper.zip(lower).map(|(a, b)| f64::midpoint(a, b));
    let weigh = |p: &Part| p.weight.filter(known).or(median).unwrap_or(1.0);
    (parts.iter().map(weigh).collect(), median.is_none())
}

/// Jain's fairness index of the rates by their weights: (Σx)² / (n Σx²).
pub(super) fn jain(rates: &[f64], weights: &[f64]) -> f64 {
    let xs = || rates.iter().zip(weights).map(|(r, w)| r / w);
    let sum: f64 = xs().sum();
    let squares: f64 = xs().map(|x| x * x).sum();
    if squares > 0.0 { sum * sum / (rates.len() as f64 * squares) } else { 1.0 }
}

/// The part furthest below its fair share, and its share ÷ that.
pub(super) fn slowest(rates: &[f64], weights: &[f64]) -> Option<(usize, f64)> {
    let total: f64 = rates.iter().sum();
    let all: f64 = weights.iter().sum();
    let ratio = |(r, w): (&f64, &f64)| (r / total) / (w / all);
    let ratios = rates.iter().zip(weights).map(ratio).enumerate();
    ratios.min_by(|a, b| a.1.total_cmp(&b.1))
}

/// The balance of one direction, and the share of each part. Below the part `floor` of what the
/// group can carry it means nothing.
pub(super) fn side(
    parts: &[Part],
    floor: f64,
    name: impl Fn(usize) -> String,
) -> (BalanceSide, Vec<Figure>) {
    let rates: Reading<Vec<f64>> = parts
        .iter()
        .map(|p| match &p.rate {
            None => Ok(0.0),
            Some(Ok(rate)) => Ok(*rate),
            Some(Err(u)) => {
                Err(Unknown::new(u.why, format!("rate of {}: {}", name(p.rail), u.why.word())))
            }
        })
        .collect();
    let rates = match rates {
        Ok(rates) => rates,
        Err(unknown) => return unknown_side(&unknown, None, parts.len()),
    };
    let total: f64 = rates.iter().sum();
    let (weights, unweighted) = weights(parts);
    let floor = floor * if unweighted { UNKNOWN_BITS } else { weights.iter().sum::<f64>() };
    if total * 8.0 < floor || total <= 0.0 {
        let detail = format!("the group carries less than {:.0} MB/s", floor / 8e6);
        let unknown = Unknown::new(Why::BelowFloor, detail);
        return unknown_side(&unknown, Some(total), parts.len());
    }
    let weak = |fact: Figure| {
        if unweighted {
            fact.qualified(How::Estimate, "link rates are not known: taken as equal")
        } else {
            fact
        }
    };
    let shares = rates.iter().zip(parts).map(|(rate, part)| match part.rate {
        Some(_) => Fact::known(rate / total),
        None => Fact::unknown(Why::Inactive, "the rail is down"),
    });
    let shares = shares.collect();
    let slow = slowest(&rates, &weights);
    let side = BalanceSide {
        bytes_per_second: Fact::known(total),
        jain_index: weak(Fact::known(jain(&rates, &weights))),
        slowest: slow.and_then(|(at, _)| parts.get(at)).map(|p| p.rail),
        slowest_share_of_fair_ratio: slow.map_or_else(
            || Fact::unknown(Why::NotApplicable, "no rail"),
            |(_, ratio)| weak(Fact::known(ratio)),
        ),
    };
    (side, shares)
}

/// No balance, and why.
pub(super) fn unknown_side(
    why: &Unknown,
    total: Option<f64>,
    parts: usize,
) -> (BalanceSide, Vec<Figure>) {
    let unknown = || Fact::from(Err(why.clone()));
    let side = BalanceSide {
        bytes_per_second: total.map_or_else(unknown, Fact::known),
        jain_index: unknown(),
        slowest: None,
        slowest_share_of_fair_ratio: unknown(),
    };
    (side, vec![unknown(); parts])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn part(rail: usize, rate: Option<f64>, gigabits: f64) -> Part {
        Part { rail, rate: rate.map(Ok), weight: Some(gigabits * 1e9) }
    }

    fn compute(parts: &[Part]) -> BalanceSide {
        side(parts, 0.01, |r| format!("ib{r}")).0
    }

    #[test]
    fn three_of_four_evenly_is_three_quarters() {
        let mut parts: Vec<_> = (0..3).map(|r| part(r, Some(10e9), 200.0)).collect();
        parts.push(part(3, None, 200.0));
        let b = compute(&parts);
        assert!((b.jain_index.ok().unwrap() - 0.75).abs() < 1e-12);
        assert_eq!((b.slowest, b.slowest_share_of_fair_ratio.value), (Some(3), Ok(0.0)));
    }

    #[test]
    fn a_half_as_fast_rail_with_half_the_load_is_fair() {
        let b = compute(&[part(0, Some(20e9), 200.0), part(1, Some(10e9), 100.0)]);
        assert_eq!(b.jain_index.value, Ok(1.0));
    }

    #[test]
    fn an_unknown_rate_is_not_zero() {
        let mut parts = vec![part(0, Some(20e9), 200.0), part(1, Some(0.0), 200.0)];
        parts[1].rate = Some(Err(Unknown::new(Why::Denied, "EACCES")));
        let unknown = compute(&parts).jain_index.value.unwrap_err();
        assert_eq!(unknown.why, Why::Denied);
        assert!(unknown.detail.contains("ib1"));
    }

    #[test]
    fn below_one_percent_nothing_is_said() {
        let parts = [part(0, Some(0.2e9), 200.0), part(1, Some(0.0), 200.0)];
        let b = compute(&parts);
        assert_eq!(b.jain_index.value.unwrap_err().why, Why::BelowFloor);
        assert_eq!(b.bytes_per_second.value, Ok(0.2e9));
        let b = compute(&[part(0, Some(0.6e9), 200.0), part(1, Some(0.0), 200.0)]);
        assert_eq!(b.jain_index.value, Ok(0.5));
    }

    proptest! {
        #[test]
        fn jain_is_free_of_scale_and_order(
            pairs in proptest::collection::vec((0.0f64..25e9, 1e9f64..800e9), 1..16),
            scale in 1e-3f64..1e3,
        ) {
            let (rates, weights): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
            let j = jain(&rates, &weights);
            prop_assert!(j <= 1.0 + 1e-9 && j >= 1.0 / rates.len() as f64 - 1e-9);
            let scaled: Vec<f64> = rates.iter().map(|r| r * scale).collect();
            prop_assert!((jain(&scaled, &weights) - j).abs() < 1e-9);
            let (r, w): (Vec<f64>, Vec<f64>) = pairs.iter().rev().copied().unzip();
            prop_assert!((jain(&r, &w) - j).abs() < 1e-9);
        }

        #[test]
        fn jain_is_one_iff_fair(
            weights in proptest::collection::vec(1e9f64..800e9, 2..16),
            load in 0.01f64..1.0,
            off in 1.05f64..10.0,
        ) {
            let mut rates: Vec<f64> = weights.iter().map(|w| w * load).collect();
            prop_assert!((jain(&rates, &weights) - 1.0).abs() < 1e-9);
            let (_, ratio) = slowest(&rates, &weights).unwrap();
            prop_assert!((ratio - 1.0).abs() < 1e-9);
            rates[0] *= off;
            prop_assert!(jain(&rates, &weights) < 1.0 - 1e-6);
        }

        #[test]
        fn shares_sum_to_one(rates in proptest::collection::vec(1e9f64..25e9, 1..16)) {
            let parts: Vec<_> = rates.iter().enumerate().map(|(i, r)| part(i, Some(*r), 200.0)).collect();
            let (_, shares) = side(&parts, 0.01, |_| String::new());
            let sum: f64 = shares.iter().filter_map(Fact::ok).sum();
            prop_assert!((sum - 1.0).abs() < 1e-9);
        }
    }
}
