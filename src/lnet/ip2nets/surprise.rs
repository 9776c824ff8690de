//! What is not said anywhere, and not what was meant.

/// All kinds, in the order in which a reader of rules meets them.
pub const KINDS: &[(&str, &str)] = &[
    (
        "DEVICE_NOT_NAMED",
        "tcp takes the first interface of the host, not the one that matched; o2ib takes `ib0`",
    ),
    (
        "MATCH_ON_OTHER_DEVICE",
        "a pattern chooses hosts: the device named is taken, whichever one matched",
    ),
    ("LATER_RULE_ADDS_NI", "a second rule for a net that matches too adds an NI (from 2.14)"),
    ("LATER_RULE_IGNORED", "it is left out (up to 2.13; YAML of 2.17)"),
    ("ONE_DEVICE_FAILS_ALL", "one device that is missing or down keeps all of LNet from starting"),
    ("STEP_ZERO_CRASHES", "`[1-9/0]` makes the kernel divide by zero: dangerous in every version"),
    ("OCTAL", "`010` is 8"),
    ("RANGE_REVERSED", "`[9-1]` never matches; an error from 2.17"),
    ("RULE_WITHOUT_PATTERN", "a rule without a pattern never applies"),
    ("COMMENT_ENDS_AT_SEMICOLON", "what follows the next `;` is a rule again"),
    ("BLANK_IN_NETS", "the list of nets ends at the first blank"),
    ("TEXT_IGNORED", "`networks`: text behind a blank is passed over up to the comma"),
    ("CPT_BRACKETS", "`o2ib(ib0)[0,1]` is an error in `ip2nets`, not in `networks`"),
    (
        "PREFIX_OF_OTHER_DEVICE",
        "`ib1` behind `ib10` counts as the same device (LU-16859, up to 2.15)",
    ),
    ("NET_NOT_LOOKED_AT", "a net that does not exist is seen only on hosts that match"),
    ("TWO_NETS_NOT_TWO_RAILS", "`o2ib` and `o2ib1` share neither load nor health"),
    ("SAME_NID_TWICE", "two NIs on one address"),
    ("NET_ZERO", "`tcp0` is `tcp` in all output"),
    ("LO_IGNORED", "the loopback net is there always"),
    ("NETWORKS_AND_IP2NETS", "both are set: LNet does not start"),
    ("VALUE_TOO_LONG", "the kernel takes 1024 bytes for a module parameter"),
    ("STRING_DEPRECATED", "the kernel's reading of `ip2nets` goes in 2.20"),
    ("NET_ADD_CRASHES", "`lnetctl net add --ip2net` of 2.16 and 2.17 crashes on `[`"),
    ("RDMA_UNKNOWN", "it cannot be told whether o2ib finds an RDMA device"),
    ("NID_UNKNOWN", "the address of such an NI cannot be told from here"),
    ("KEY_FROM_NEXT_RULE", "YAML up to 2.15: a missing key is taken from the next rule"),
    ("INTERFACE_DROPPED", "YAML up to 2.15: a device that does not fit is left out in silence"),
    ("IMPORT_SILENT", "YAML up to 2.15: nothing applies, and the import ends with 0"),
    ("RANGE_NOT_A_LIST", "YAML: `ip-range: 10.*.*.*` without `0:` counts as no range"),
    ("OVERLAPPING_RANGES", "YAML of 2.17: two ranges match one device; not tried"),
    ("IPV6_NEEDS_LARGE_NIDS", "an NI with an IPv6 address needs `configure --large`"),
    ("IP2NETS_UNSUPPORTED", "YAML of 2.16: refused with all of its file"),
    ("SINGLE_QUOTES", "modprobe.d: `'networks=…'` is a parameter of another name, and ignored"),
    ("SET_TWICE", "modprobe.d: only the last line for a parameter counts"),
    ("VALUE_MISSING", "modprobe.d: a blank before `=`: lnet is not loaded"),
    ("COMMENT_IN_OPTIONS", "modprobe.d: `#` within a line begins no comment"),
    ("UNKNOWN_PARAMETER", "modprobe.d: `network=` and the like are ignored"),
    ("STRING_REFUSED", "modprobe.d: LNet does not start with this string"),
    ("NOT_YAML", "`lnet.conf` is not the YAML that `lnetctl import` reads"),
];

/// A surprise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Surprise {
    /// Its kind; once published, an id keeps its meaning.
    pub id: &'static str,
    /// One sentence.
    pub summary: String,
}

impl Surprise {
    /// Any.
    pub fn new(id: &'static str, summary: impl Into<String>) -> Self {
        Self { id, summary: summary.into() }
    }

    /// Text behind a net and a blank, up to the comma.
    pub fn text_ignored(net: &str, text: &str) -> Self {
        let text = shown(text);
        Self::new(
            "TEXT_IGNORED",
            format!(
                "`{text}` behind {net} is passed over in silence: nets are separated by commas"
            ),
        )
    }

    /// `lo` among the nets.
    pub fn loopback_net() -> Self {
        Self::new("LO_IGNORED", "lo is there always; naming it does nothing")
    }
}

/// Text from outside, cut to a length that fits into a sentence.
pub fn shown(text: &str) -> String {
    const MOST: usize = 60;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    let start: String = text.chars().take(MOST - 1).collect();
    format!("{start}…")
}

#[cfg(test)]
mod tests {
    use super::KINDS;
    use std::collections::BTreeSet;

    /// Quoted words in capitals, of more than one part or the one that has no other.
    fn ids(source: &str) -> BTreeSet<&str> {
        let capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let quoted = source.split('"').filter(|w| !w.is_empty() && w.chars().all(capital));
        quoted.filter(|w| w.len() > 4 && (w.contains('_') || *w == "OCTAL")).collect()
    }

    #[test]
    fn every_kind_is_listed_and_every_listed_kind_is_told() {
        let sources = [
            include_str!("../ip2nets.rs"),
            include_str!("judge.rs"),
            include_str!("start.rs"),
            include_str!("yaml.rs"),
            include_str!("yaml/events.rs"),
            include_str!("../config.rs"),
            include_str!("../config/modprobe.rs"),
        ];
        let own = include_str!("surprise.rs");
        let own = own.split_once("impl Surprise").map_or("", |(_, behind)| behind);
        let own = own.split_once("#[cfg(test)]").map_or("", |(before, _)| before);
        let sources = sources.map(|s| s.split("#[cfg(test)]").next().unwrap_or_default());
        let used: BTreeSet<&str> = sources.into_iter().chain([own]).flat_map(ids).collect();
        let listed: BTreeSet<&str> = KINDS.iter().map(|(id, _)| *id).collect();
        assert_eq!(listed.len(), KINDS.len());
        assert_eq!(used, listed);
    }
}
