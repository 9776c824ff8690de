//! Free transmit credits.

use super::absent;
use crate::sample::{Lnet, Reading};

/// Those of all CPTs together, as LNet compares them; negative: so many messages wait. Only
/// debugfs `lnet/nis` tells.
pub(super) fn free(lnet: &Lnet, nid: &str) -> Reading<i64> {
    let rows = &lnet.more.credits.as_ref().map_err(Clone::clone)?.value;
    let mut own = rows.iter().filter(|row| row.nid == nid).map(|row| row.tx);
    let first = own.next().ok_or_else(|| absent("not in /sys/kernel/debug/lnet/nis"))?;
    Ok(own.fold(first, i64::saturating_add))
}
