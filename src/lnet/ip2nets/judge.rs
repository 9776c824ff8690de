//! The surprises of rules on a host, told from the rules and from what came of them.

use super::error::ENETDOWN;
use super::expr::Pattern;
use super::host::Host;
use super::outcome::{Engine, Outcome, Verdict};
use super::surprise::shown;
use super::{Context, Net, Rules, Surprise, Version, YamlRules, kernel, start};
use crate::lnet::config::modprobe::VALUE_LIMIT;

/// Adds them to an outcome.
pub fn judge(out: &mut Outcome, rules: &Rules, host: &Host, context: &Context) {
    match rules {
        Rules::Ip2nets(text) => kernel_string(out, text.as_bytes(), context),
        Rules::Networks(text) => too_long(out, "networks", text.as_bytes()),
        Rules::Yaml(_) => yaml(out),
        Rules::Both { .. } => {}
    }
    applied(out, host);
    started(out);
    nets(out);
    numbers(out, rules);
}

/// What the text of an `ip2nets=` string holds.
fn kernel_string(out: &mut Outcome, text: &[u8], context: &Context) {
    too_long(out, "ip2nets", text);
    if context.version.deprecated_string() && !text.is_empty() {
        let sentence = "the kernel's reading of ip2nets is deprecated from 2.17 and is to go in \
                        2.20: LNet warns at every start";
        out.surprise(Surprise::new("STRING_DEPRECATED", sentence));
    }
    let entries = kernel::entries(text);
    if kernel::too_long(&entries) {
        return;
    }
    for (index, entry) in entries.iter().enumerate() {
        let spec = String::from_utf8_lossy(entry.netspecs()).into_owned();
        let behind = entries.get(index + 1);
        if let Some(next) = behind.filter(|_| entry.comment) {
            let next = String::from_utf8_lossy(&next.text).into_owned();
            out.surprise(Surprise::new(
                "COMMENT_ENDS_AT_SEMICOLON",
                format!("a comment ends at the next `;`: `{}` is a rule again", shown(&next)),
            ));
        }
        let own: Vec<Pattern> = entry
            .patterns()
            .filter_map(|(_, text)| Pattern::parse(text, context.version).ok())
            .collect();
        if own.iter().flat_map(Pattern::octets).any(super::expr::List::has_reversed) {
            out.surprise(Surprise::new(
                "RANGE_REVERSED",
                format!(
                    "a range of {} ends before it begins: it never matches, and 2.17 refuses it",
                    shown(&spec)
                ),
            ));
        }
        let verdict = out.rules.get(index).map(|r| r.verdict.clone());
        let passed_over = matches!(verdict, Some(Verdict::NoMatch | Verdict::NoPattern));
        let name = spec.split(['(', '[', ',']).next().unwrap_or_default();
        if passed_over && Net::parse(name, context.version).is_none() {
            out.surprise(Surprise::new(
                "NET_NOT_LOOKED_AT",
                format!(
                    "`{}` is no net; that is not seen here, because the rule does not match, but \
                     a host that it matches does not start LNet",
                    shown(name)
                ),
            ));
        }
        if matches!(verdict, Some(Verdict::NoPattern)) {
            out.surprise(Surprise::new(
                "RULE_WITHOUT_PATTERN",
                format!("{} stands without a pattern, so it never applies", shown(&spec)),
            ));
        }
        if matches!(verdict, Some(Verdict::Refused)) && cpts_behind(&spec) {
            out.surprise(Surprise::new(
                "CPT_BRACKETS",
                "behind a list of devices, or with a comma in it, a list of CPU partitions is an \
                 error in ip2nets (not in networks): put it inside, o2ib(ib0[0,1],ib1[2,3])",
            ));
        }
        if matches!(verdict, Some(Verdict::Refused))
            && entry
                .patterns()
                .next()
                .is_some_and(|(_, word)| word.starts_with(b"(") || entry.netspecs().ends_with(b","))
        {
            out.surprise(Surprise::new(
                "BLANK_IN_NETS",
                format!(
                    "the nets end at the first blank, so what follows `{}` is taken for a pattern",
                    shown(&spec)
                ),
            ));
        }
    }
    if context.version >= Version::new(2, 15, 60) && text.contains(&b'[') {
        out.surprise(Surprise::new(
            "NET_ADD_CRASHES",
            "as a module parameter brackets are fine; lnetctl net add --ip2net of this version \
             crashes on them",
        ));
    }
}

/// `o2ib(ib0,ib1)[0]`, `o2ib(ib0)[0,1]`.
fn cpts_behind(spec: &str) -> bool {
    spec.split_once(")[").is_some_and(|(before, behind)| {
        before.contains(',') || behind.split(']').next().is_some_and(|list| list.contains(','))
    })
}

fn too_long(out: &mut Outcome, name: &str, text: &[u8]) {
    if text.len() > VALUE_LIMIT {
        out.surprise(Surprise::new(
            "VALUE_TOO_LONG",
            format!(
                "{name} is {} bytes long: the kernel takes no more than {VALUE_LIMIT} for a \
                 module parameter and refuses to load lnet",
                text.len()
            ),
        ));
    }
}

fn yaml(out: &mut Outcome) {
    let ignored: Vec<(String, Net)> = out
        .rules
        .iter()
        .filter_map(|r| match r.verdict {
            Verdict::Ignored(net) => Some((r.text.clone(), net)),
            _ => None,
        })
        .collect();
    for (text, net) in ignored {
        out.surprise(Surprise::new(
            "LATER_RULE_IGNORED",
            format!("`{}` is ignored: a rule before it has configured {net}", shown(&text)),
        ));
    }
    if out.version.yaml() == YamlRules::None && !out.rules.is_empty() && out.error.is_some() {
        out.surprise(Surprise::new(
            "IP2NETS_UNSUPPORTED",
            "lnetctl of 2.16 does not know the ip2nets section and imports nothing of the file",
        ));
    }
}

/// Rules that apply: what they match, and what they take.
fn applied(out: &mut Outcome, host: &Host) {
    let mut found = Vec::new();
    for ni in &out.nis {
        let rule = ni.rule.and_then(|rule| out.rules.get(rule));
        let matched = match rule.map(|r| &r.verdict) {
            Some(Verdict::Applies { matched, pattern: Some(_) }) => matched.first(),
            _ => None,
        };
        let (Some(device), net) = (&ni.device, ni.net) else { continue };
        if ni.named.is_none() && out.engine != Engine::Yaml {
            let taken = ni.address.map_or_else(String::new, |a| format!(", {a}"));
            let not = matched
                .filter(|(_, other)| other != device)
                .map_or_else(String::new, |(a, other)| format!(", not {other}, whose {a} matched"));
            found.push(if net.is_o2ib() {
                let name = start::DEFAULT_IPIF;
                Surprise::new("DEVICE_NOT_NAMED", format!("{net} names no device: LNet takes {name} (ipif_name of ko2iblnd){not}"))
            } else {
                Surprise::new("DEVICE_NOT_NAMED", format!("{net} names no device: LNet takes the first interface, {device}{taken}{not}"))
            });
        } else if let Some((address, other)) =
            matched.filter(|(_, other)| out.engine == Engine::Kernel && other != device)
        {
            // A device that has a matching address too is what was meant.
            let own = rule.is_some_and(|r| {
                host.candidates().iter().any(|c| {
                    &**c.label == device.as_str()
                        && r.text.split(' ').skip(1).any(|p| {
                            Pattern::parse(p.as_bytes(), out.version)
                                .is_ok_and(|p| p.matches(c.address) == super::expr::Match::Yes)
                        })
                })
            });
            if !own {
                found.push(Surprise::new(
                    "MATCH_ON_OTHER_DEVICE",
                    format!("the rule for {device} applies because of {address} on {other}: a pattern chooses hosts, not devices"),
                ));
            }
        }
    }
    found.dedup();
    for surprise in found {
        out.surprise(surprise);
    }
    if out.engine == Engine::Kernel {
        later_rules(out);
    }
    if out.rules.iter().any(|r| r.dangerous) {
        let who = if out.engine == Engine::Yaml {
            "lnetctl is killed"
        } else {
            "the kernel stops the whole node"
        };
        out.surprise(Surprise::new(
            "STEP_ZERO_CRASHES",
            format!("a step of 0 divides by zero: {who} on a host whose address falls into that range; do not use these rules anywhere"),
        ));
    }
}

/// More than one rule for a net.
fn later_rules(out: &mut Outcome) {
    let mut found = Vec::new();
    let mut nets: Vec<(Net, usize)> = Vec::new();
    for ni in &out.nis {
        let Some(rule) = ni.rule else { continue };
        match nets.iter().find(|(net, _)| *net == ni.net) {
            Some((net, first)) if *first != rule => found.push(Surprise::new(
                "LATER_RULE_ADDS_NI",
                format!("rule {} adds another NI to {net}, which rule {} configures too (up to 2.13 it was left out)", rule + 1, first + 1),
            )),
            Some(_) => {}
            None => nets.push((ni.net, rule)),
        }
    }
    for (index, rule) in out.rules.iter().enumerate() {
        if let Verdict::Ignored(net) = &rule.verdict {
            found.push(Surprise::new(
                "LATER_RULE_IGNORED",
                format!("rule {} is left out: a rule before it configures {net} (from 2.14 it would add NIs)", index + 1),
            ));
        }
    }
    for surprise in found {
        out.surprise(surprise);
    }
}

/// Failures of the start.
fn started(out: &mut Outcome) {
    let Some(error) = &out.error else { return };
    if error.errno == ENETDOWN && out.engine != Engine::Yaml {
        let sentence = "one device that is missing, down or without an address keeps all of LNet \
                        from starting, the other rails too";
        out.surprise(Surprise::new("ONE_DEVICE_FAILS_ALL", sentence));
        return;
    }
    if error.cause.as_deref().is_some_and(|c| c.contains("is the beginning of")) {
        let sentence = "a device whose name is the beginning of one listed before counts as the \
                        same (LU-16859, fixed in 2.16): name the shorter one first";
        out.surprise(Surprise::new("PREFIX_OF_OTHER_DEVICE", sentence));
    }
}

/// The nets of the rules that apply, each as often as it has devices.
fn meant(out: &Outcome) -> Vec<Net> {
    let mut nets = Vec::new();
    for rule in out.rules.iter().filter(|r| matches!(r.verdict, Verdict::Applies { .. })) {
        let specs = rule.text.split_whitespace().next().unwrap_or_default();
        let mut inside = false;
        let parts = specs.split(|c| {
            inside = (inside || c == '(' || c == '[') && c != ')' && c != ']';
            c == ',' && !inside
        });
        for part in parts {
            let (name, devices) = part.split_once('(').unwrap_or((part, ""));
            let name = name.split('[').next().unwrap_or_default();
            let Some(net) = Net::parse(name, out.version) else { continue };
            nets.extend(std::iter::repeat_n(net, devices.split(',').count()));
        }
    }
    nets
}

/// What is odd about the NIs that result.
fn nets(out: &mut Outcome) {
    let mut found = Vec::new();
    let mut kinds: Vec<(&str, Vec<Net>)> = Vec::new();
    let made: Vec<Net> = match &out.error {
        // The devices are not right on this host: what the rules mean is odd all the same.
        Some(error) if error.errno == ENETDOWN && out.nis.is_empty() => meant(out),
        _ => out.nis.iter().map(|ni| ni.net).collect(),
    };
    for net in made {
        let Some(lnd) = net.lnd() else { continue };
        match kinds.iter_mut().find(|(kind, _)| *kind == lnd) {
            Some((_, nets)) => nets.push(net),
            None => kinds.push((lnd, vec![net])),
        }
    }
    for (_, nets) in &kinds {
        let mut distinct = nets.clone();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.len() > 1 && distinct.len() == nets.len() {
            let names: Vec<String> = distinct.iter().map(Net::to_string).collect();
            found.push(Surprise::new(
                "TWO_NETS_NOT_TWO_RAILS",
                format!("{} are nets of their own with one NI each: LNet shares load and health only between NIs of one net", names.join(" and ")),
            ));
        }
    }
    let nids: Vec<String> = out.nids();
    for (index, nid) in nids.iter().enumerate() {
        if nids.get(..index).is_some_and(|before| before.contains(nid)) {
            found.push(Surprise::new(
                "SAME_NID_TWICE",
                format!("{nid} comes out twice: two NIs on one address are no two rails"),
            ));
        }
    }
    for surprise in found {
        out.surprise(surprise);
    }
}

/// Numbers and names that mean something else than they look like.
fn numbers(out: &mut Outcome, rules: &Rules) {
    let mut texts: Vec<String> = Vec::new();
    let mut specs: Vec<String> = Vec::new();
    match rules {
        Rules::Ip2nets(text) => {
            let entries = kernel::entries(text.as_bytes());
            let short = !kernel::too_long(&entries);
            for entry in entries.iter().filter(|_| short) {
                specs.extend(
                    String::from_utf8_lossy(entry.netspecs()).split(',').map(str::to_owned),
                );
                texts
                    .extend(entry.patterns().map(|(_, t)| String::from_utf8_lossy(t).into_owned()));
            }
        }
        Rules::Networks(text) if text.len() > super::TEXT_LIMIT => {}
        Rules::Networks(text) => specs.extend(text.split(',').map(|s| s.trim().to_owned())),
        Rules::Yaml(conf) => {
            specs.extend(conf.nets.iter().map(|n| n.name.to_string()));
            for rule in &conf.rules {
                specs.extend(rule.get("net-spec").and_then(crate::lnet::config::Tree::scalar));
                texts.extend(
                    rule.get("ip-range").map(crate::lnet::config::Tree::values).unwrap_or_default(),
                );
            }
        }
        Rules::Both { .. } => {}
    }
    for number in texts
        .iter()
        .filter(|t| !t.contains(':'))
        .flat_map(|t| t.split(|c: char| !c.is_ascii_alphanumeric()))
    {
        let octal = number.len() > 1
            && number.starts_with('0')
            && number.bytes().all(|b| b.is_ascii_digit());
        if octal {
            let meant = u32::from_str_radix(number, 8)
                .map_or_else(|_| "no octal number, so an error".to_owned(), |n| n.to_string());
            out.surprise(Surprise::new("OCTAL", format!("{} is octal: {meant}", shown(number))));
        }
    }
    for spec in &specs {
        let name = spec.split(['(', '[']).next().unwrap_or_default();
        let Some(net) = Net::parse(name, out.version).filter(|_| name.ends_with('0')) else {
            continue;
        };
        let known = net.to_string();
        if known != name && net.number() == 0 {
            out.surprise(Surprise::new(
                "NET_ZERO",
                format!("{} is {known} everywhere in LNet's output", shown(name)),
            ));
        }
    }
}
