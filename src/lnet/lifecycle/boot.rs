//! What LNet would have after a boot, by the files of this node, against what runs.

use crate::sample::{Fact, Lnet, LnetNi, Reading, Text, Unknown, Why};

/// An NI that the files of a node would make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootNi {
    /// `tcp`, `o2ib1`; net 0 without its number.
    pub net: Text,
    /// The interface, where one is named.
    pub interface: Option<Text>,
    /// The NID, where that is named instead.
    pub nid: Option<Text>,
    /// Where it says so.
    pub line: Text,
}

impl BootNi {
    /// Is this it?
    pub fn is(&self, ni: &LnetNi) -> bool {
        if ni.net() != &*self.net {
            return false;
        }
        match (&self.interface, &self.nid) {
            (Some(interface), _) => ni.interfaces.contains(interface),
            (None, Some(nid)) => ni.nid == *nid,
            // Whatever comes first.
            (None, None) => true,
        }
    }
}

/// What a boot would make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// The NIs.
    pub nis: Vec<BootNi>,
    /// Who makes them: `lnet.service imports /etc/lnet.conf`.
    pub by: Text,
    /// The NIs stand in a file that nothing known reads at boot.
    pub unread: bool,
}

/// What a boot would make, as far as the files tell.
pub(super) fn of(_lnet: &Lnet) -> Reading<Boot> {
    Err(Unknown::new(Why::Absent, "not judged by this version"))
}

/// Whether what runs would be there again; and what would not, or would be there in addition.
pub(super) fn compare(lnet: &Lnet, boot: &Reading<Boot>) -> (Fact<bool>, Vec<Text>) {
    let Ok(answer) = &lnet.answer else {
        return (Fact::unknown(Why::Absent, "what runs is not known"), Vec::new());
    };
    let running: Vec<&LnetNi> =
        answer.nets.iter().flat_map(|n| &n.nis).filter(|ni| !ni.is_lo()).collect();
    if running.is_empty() {
        return (Fact::unknown(Why::NotApplicable, "LNet has no net"), Vec::new());
    }
    let boot = match boot {
        Ok(boot) => boot,
        Err(why) => return (Err(why.clone()).into(), Vec::new()),
    };
    let mut lines: Vec<Text> = Vec::new();
    for ni in running.iter().filter(|ni| boot.unread || !boot.nis.iter().any(|b| b.is(ni))) {
        lines.push(format!("{} would be gone", ni.nid).into());
    }
    let survives = lines.is_empty();
    for missing in boot.nis.iter().filter(|b| !boot.unread && !running.iter().any(|ni| b.is(ni))) {
        let on = missing.interface.as_ref().map_or_else(String::new, |i| format!(" on {i}"));
        lines.push(format!("an NI of {}{on} would be there", missing.net).into());
    }
    (Fact::known(survives), lines)
}
