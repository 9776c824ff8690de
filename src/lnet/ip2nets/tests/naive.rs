//! A second matcher, written from the grammar of the manual and not from the kernel: it knows
//! plain rules only, on which all versions from 2.14 agree.

use super::*;

#[derive(Clone, Debug)]
enum Octet {
    Any,
    One(u8),
    List(Vec<(u8, u8, u8)>),
}

#[derive(Clone, Debug)]
struct Rule {
    net: u8,
    device: u8,
    patterns: Vec<[Octet; 4]>,
}

impl Octet {
    fn text(&self) -> String {
        match self {
            Octet::Any => "*".into(),
            Octet::One(n) => n.to_string(),
            Octet::List(items) => {
                let item = |(lo, hi, step): &(u8, u8, u8)| match step {
                    _ if lo == hi => lo.to_string(),
                    1 => format!("{lo}-{hi}"),
                    _ => format!("{lo}-{hi}/{step}"),
                };
                format!("[{}]", items.iter().map(item).collect::<Vec<_>>().join(","))
            }
        }
    }

    /// All numbers, one after the other.
    fn holds(&self, value: u8) -> bool {
        match self {
            Octet::Any => true,
            Octet::One(n) => *n == value,
            Octet::List(items) => items
                .iter()
                .any(|(lo, hi, step)| (*lo..=*hi).step_by(usize::from(*step)).any(|n| n == value)),
        }
    }
}

impl Rule {
    fn text(&self) -> String {
        let pattern = |p: &[Octet; 4]| p.each_ref().map(Octet::text).join(".");
        let patterns: Vec<String> = self.patterns.iter().map(pattern).collect();
        format!("tcp{}(e{}) {}", self.net, self.device, patterns.join(" "))
    }

    fn matches(&self, addresses: &[Ipv4Addr]) -> bool {
        let one = |p: &[Octet; 4], a: &Ipv4Addr| p.iter().zip(a.octets()).all(|(o, v)| o.holds(v));
        self.patterns.iter().any(|p| addresses.iter().any(|a| one(p, a)))
    }
}

fn octet() -> impl Strategy<Value = Octet> {
    let range = (0u8..6, 0u8..6, 1u8..4).prop_map(|(a, b, step)| (a.min(b), a.max(b), step));
    prop_oneof![
        Just(Octet::Any),
        (0u8..6).prop_map(Octet::One),
        prop::collection::vec(range, 1..4).prop_map(Octet::List),
    ]
}

fn rule() -> impl Strategy<Value = Rule> {
    let pattern = prop::array::uniform4(octet());
    (1u8..4, 0u8..4, prop::collection::vec(pattern, 1..3))
        .prop_map(|(net, device, patterns)| Rule { net, device, patterns })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn agrees_with_the_naive_matcher(
        rules in prop::collection::vec(rule(), 1..6),
        addresses in prop::collection::vec(prop::array::uniform4(0u8..6), 4..5),
    ) {
        let addresses: Vec<Ipv4Addr> = addresses.into_iter().map(Ipv4Addr::from).collect();
        let text = rules.iter().map(Rule::text).collect::<Vec<_>>().join("; ");
        let shown: Vec<String> = addresses.iter().map(Ipv4Addr::to_string).collect();
        let host = with(&shown.join(" "));

        let applying: Vec<&Rule> = rules.iter().filter(|r| r.matches(&addresses)).collect();
        let mut twice = false;
        for (i, r) in applying.iter().enumerate() {
            twice |= applying[..i].iter().any(|o| (o.net, o.device) == (r.net, r.device));
        }
        // By net, in the order in which the nets come first.
        let mut nets: Vec<u8> = Vec::new();
        nets.extend(applying.iter().map(|r| r.net));
        let mut seen = Vec::new();
        nets.retain(|n| { let new = !seen.contains(n); seen.push(*n); new });
        let nid = |r: &&&Rule| format!("{}@tcp{}", addresses[usize::from(r.device)], r.net);
        let wanted: Vec<String> = nets
            .iter()
            .flat_map(|n| applying.iter().filter(move |r| r.net == *n))
            .map(|r| nid(&r))
            .collect();

        for version in Version::KNOWN.into_iter().filter(|v| v.later_entries_add()) {
            let out = explain(&Rules::Ip2nets(text.clone()), &host, &Context::new(version));
            let errno = out.error.as_ref().map(|e| e.errno);
            if applying.is_empty() {
                prop_assert_eq!(errno, Some(2), "{} {}", version, &text);
            } else if twice {
                prop_assert_eq!(errno, Some(22), "{} {}", version, &text);
            } else {
                prop_assert_eq!(errno, None, "{} {}", version, &text);
                prop_assert_eq!(out.nids(), wanted.clone(), "{} {}", version, &text);
            }
        }
    }
}
