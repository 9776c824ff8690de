//! Reads that do not come back.

use super::catalogue::READER_STUCK;
use super::view::RailView;
use super::{Finding, Severity};
use crate::node::Node;
use crate::units;
use std::time::Duration;

/// A child is given five seconds before it is killed; twice that is no delay any more.
const LNETCTL_PATIENCE: Duration = Duration::from_secs(10);

/// A device whose reads hang.
pub(super) fn device_stuck(view: &RailView<'_>) -> Option<Finding> {
    let rdma = view.rail.rdma.as_ref()?;
    let since = rdma.stuck_since.filter(|_| view.gone_since().is_none())?;
    let summary = format!(
        "reads of {} hang for {}: its figures are from {}",
        rdma.device,
        view.age(since),
        units::time_of_day(since.wall)
    );
    let evidence = format!("/sys/class/infiniband/{}: a read has not returned", rdma.device);
    Some(Finding::new(READER_STUCK, Severity::Warning, summary, vec![evidence.into()]).on(view))
}

/// An `lnetctl` that neither answers nor dies.
pub(super) fn lnetctl_stuck(node: &Node) -> Option<Finding> {
    let since = node.lnet.waiting_since?;
    let age = node.time.mono.since(since);
    if age < LNETCTL_PATIENCE {
        return None;
    }
    let summary = format!(
        "lnetctl has not answered for {}: LNet is busy or stuck",
        units::duration_words(age)
    );
    let evidence = vec!["lnetctl net show -v 4: no answer".into()];
    Some(Finding::new(READER_STUCK, Severity::Note, summary, evidence))
}
