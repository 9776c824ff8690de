//! The `ip2nets:` and `net:` sections of a YAML file, as `lnetctl import` reads them.
//!
//! Up to 2.15 `handle_yaml_config_ip2nets()` and `lustre_lnet_match_ip_to_intf()` of
//! `lnet/utils/lnetconfig/liblnetconfig.c`, and the lookups of `cyaml.c` that go on into the
//! items behind; from 2.17 `handle_ip2nets_sequence()` of `lnet/utils/lnetctl.c`. 2.16 refuses
//! the section.

use super::error::{EEXIST, EINVAL, Error, errno_words};
use super::expr::{List, Match, Numbers, Pattern};
use super::host::{Host, Interface};
use super::net::Net;
use super::networks::Wanted;
use super::outcome::{Engine, Ni, Outcome, Rule, Verdict};
use super::surprise::shown;
use super::{Context, Surprise, YamlRules, start};
use crate::lnet::config::tree::{Pairs, Tree};
use crate::lnet::config::{Conf, ConfNet, conf};
use std::fmt::Write;
use std::net::IpAddr;

/// What `lnetctl import` of a file would do.
pub fn import(conf: &Conf, host: &Host, context: &Context) -> Outcome {
    let mut out = Outcome::new(Engine::Yaml, context.version);
    for net in &conf.nets {
        section(net, host, context, &mut out);
    }
    match context.version.yaml() {
        _ if conf.rules.is_empty() => {}
        YamlRules::Cyaml => cyaml(&conf.rules, host, context, &mut out),
        YamlRules::None => refused(&conf.rules, &mut out),
        YamlRules::Events => events(&conf.rules, host, context, &mut out),
    }
    out
}

/// A net of the `net:` section: all its NIs or none.
fn section(net: &ConfNet, host: &Host, context: &Context, out: &mut Outcome) {
    let devices: Vec<&str> = net.interfaces.iter().map(|d| &**d).collect();
    let text = format!("net {} on {}", net.name, list(&devices));
    let rule = out.rules.len();
    // Which exit code this ends with differs by version and cause.
    let fail = |out: &mut Outcome, why: String| {
        let mut error = Error::new(EINVAL, []);
        error.cause = Some(why);
        out.error.get_or_insert(error);
        Verdict::Refused
    };
    let verdict = match Net::parse(&net.name, context.version) {
        None => fail(out, format!("{} is no net that this LNet knows", net.name)),
        Some(id) if id.is_lo() => return,
        Some(id) if devices.is_empty() && id.number() == 0 && id.lnd() == Some("gni") => {
            Verdict::Applies { pattern: None, matched: Vec::new() }
        }
        Some(_) if devices.is_empty() => {
            fail(out, format!("net {} names no interface, which an import needs", net.name))
        }
        Some(id) => match add(id, &devices, rule, host, context) {
            Ok(nis) => {
                out.nis.extend(nis);
                Verdict::Applies { pattern: None, matched: Vec::new() }
            }
            Err(error) => fail(out, format!("net {}: {}", net.name, error.message())),
        },
    };
    out.rules.push(Rule { text, verdict, dangerous: false });
}

/// NIs on these devices, all or none.
fn add(
    net: Net,
    devices: &[&str],
    rule: usize,
    host: &Host,
    context: &Context,
) -> Result<Vec<Ni>, Box<Error>> {
    let wanted: Vec<Wanted> = devices
        .iter()
        .map(|device| Wanted {
            net,
            written: net.to_string(),
            device: Some((*device).to_owned()),
            cpts: Vec::new(),
            at: 0..0,
            rule: Some(rule),
        })
        .collect();
    start::all(&wanted, host, context).map(|started| started.nis)
}

fn list(items: &[&str]) -> String {
    if items.is_empty() { "no interface".to_owned() } else { items.join(", ") }
}

/// A rule as the tool sees it.
struct Seen {
    spec: Option<String>,
    devices: Vec<String>,
    ranges: Vec<String>,
    /// `ip-range` stands there, but holds nothing that the tool takes.
    flat_range: bool,
    flat_devices: bool,
    /// Keys that are not its own, with the rule that they are from.
    leaked: Vec<(&'static str, usize)>,
}

impl Seen {
    fn text(&self) -> String {
        let mut text = self.spec.clone().unwrap_or_else(|| "no net-spec".into());
        for (what, items) in [("interfaces", &self.devices), ("ip-range", &self.ranges)] {
            if !items.is_empty() {
                let _ = write!(text, ", {what} {}", items.join(" "));
            }
        }
        text
    }

    fn of(mut get: impl FnMut(&'static str) -> Option<(Tree, Option<usize>)>) -> Self {
        let mut leaked = Vec::new();
        let mut take = |key| {
            let (tree, from) = get(key)?;
            leaked.extend(from.map(|from| (key, from)));
            Some(tree)
        };
        let spec = take("net-spec").and_then(|t| t.scalar());
        let devices = take("interfaces");
        let ranges = take("ip-range");
        let flat = |t: &Option<Tree>| t.as_ref().is_some_and(|t| t.scalar().is_some());
        let own = |t: &Option<Tree>| match t {
            Some(t @ (Tree::Map(_) | Tree::List(_))) => t.values(),
            _ => Vec::new(),
        };
        Self {
            spec,
            flat_range: flat(&ranges),
            flat_devices: flat(&devices),
            devices: own(&devices),
            ranges: own(&ranges),
            leaked,
        }
    }
}

/// `cYAML_get_object_item`: depth first, and on into the items that follow.
fn leaky(items: &[Tree], from: usize, key: &str) -> Option<(Tree, usize)> {
    fn within<'t>(tree: &'t Tree, key: &str) -> Option<&'t Tree> {
        match tree {
            Tree::Map(Pairs(pairs)) => {
                pairs.iter().find_map(|(k, v)| if k == key { Some(v) } else { within(v, key) })
            }
            Tree::List(items) => items.iter().find_map(|item| within(item, key)),
            _ => None,
        }
    }
    let mut behind = items.iter().enumerate().skip(from);
    behind.find_map(|(at, item)| Some((within(item, key)?.clone(), at)))
}

/// One pattern of an `ip-range`.
enum Range {
    Octets(Pattern),
    Prefix(crate::sample::Prefix),
}

impl Range {
    fn parse(text: &str, context: &Context) -> Option<Self> {
        if context.version.yaml() == YamlRules::Events
            && (text.contains(':') || text.split('[').next().is_some_and(|t| t.contains('/')))
        {
            let (address, len) = match text.split_once('/') {
                Some((address, len)) => (address, Some(len.parse::<u8>().ok()?)),
                None => (text, None),
            };
            let addr: IpAddr = address.trim().parse().ok()?;
            let most = if addr.is_ipv4() { 32 } else { 128 };
            let len = len.unwrap_or(most);
            return (1..=most)
                .contains(&len)
                .then_some(Range::Prefix(crate::sample::Prefix { addr, len }));
        }
        Pattern::parse_with(text.as_bytes(), Numbers::Libc, false).ok().map(Range::Octets)
    }

    fn matches(&self, address: IpAddr) -> Match {
        match (self, address) {
            (Range::Octets(pattern), IpAddr::V4(address)) => pattern.matches(address),
            (Range::Prefix(prefix), address) if prefix.contains(address) => Match::Yes,
            _ => Match::No,
        }
    }

    fn may_crash(&self) -> bool {
        match self {
            Range::Octets(pattern) => pattern.octets().iter().any(List::may_crash),
            Range::Prefix(_) => false,
        }
    }
}

/// An address as `getifaddrs()` gives it.
#[derive(Clone, Copy)]
struct Listed<'a> {
    name: &'a str,
    address: IpAddr,
    interface: &'a Interface,
}

/// All addresses: IPv4 first, IPv6 where the version looks at it. The loopback is among them.
fn listed<'h>(host: &'h Host, context: &Context) -> Vec<Listed<'h>> {
    let all = |v4: bool| {
        host.interfaces.iter().flat_map(move |interface| {
            let own = interface.addresses.iter().filter(move |a| a.address.is_ipv4() == v4);
            own.map(move |a| Listed { name: &a.label, address: a.address, interface })
        })
    };
    let v6 = context.version.yaml() == YamlRules::Events;
    all(true).chain(all(false).filter(|_| v6)).collect()
}

/// The tool is killed: it divides by zero itself.
const KILLED: &str = "a step of 0 divides by zero: lnetctl is killed there (SIGFPE)";

/// Tests ranges in order; the first that matches.
fn first_match(ranges: &[(String, Range)], address: IpAddr) -> Result<Option<&str>, &'static str> {
    for (text, range) in ranges {
        match range.matches(address) {
            Match::Yes => return Ok(Some(text)),
            Match::No => {}
            Match::Crash => return Err(KILLED),
        }
    }
    Ok(None)
}

/// What a rule asks the kernel to add, by version 2.15 and before.
struct Asked<'a> {
    devices: Vec<Listed<'a>>,
    pattern: Option<String>,
    dropped: Vec<String>,
}

fn ask<'a>(
    seen: &Seen,
    ranges: &[(String, Range)],
    host: &'a Host,
    context: &Context,
) -> Result<Asked<'a>, &'static str> {
    let all = listed(host, context);
    let up = || all.iter().filter(|a| a.interface.up);
    let mut asked = Asked { devices: Vec::new(), pattern: None, dropped: Vec::new() };
    if seen.devices.is_empty() && ranges.is_empty() {
        let first = up().find(|a| a.address.is_ipv4() && a.name != "lo");
        asked.devices.extend(first);
    } else if seen.devices.is_empty() {
        for listed in up() {
            for (text, range) in ranges {
                match range.matches(listed.address) {
                    // Once for each range: a device comes twice where two ranges match.
                    Match::Yes => {
                        asked.devices.push(*listed);
                        asked.pattern.get_or_insert_with(|| text.clone());
                    }
                    Match::No => {}
                    Match::Crash => return Err(KILLED),
                }
            }
        }
    } else {
        for device in &seen.devices {
            let name = conf::without_cpts(device);
            // The first address that has the name; its other addresses do not count.
            let found = all.iter().find(|a| a.name == name && a.address.is_ipv4());
            let Some(listed) = found.filter(|a| a.interface.up) else {
                asked.dropped.push(host.why_not(name));
                continue;
            };
            match first_match(ranges, listed.address)? {
                None if !ranges.is_empty() => {
                    let address = listed.address;
                    asked.dropped.push(format!("{name} has {address}, which no range matches"));
                }
                text => {
                    asked.devices.push(*listed);
                    asked.pattern = asked.pattern.take().or_else(|| text.map(str::to_owned));
                }
            }
        }
    }
    Ok(asked)
}

/// Reads the ranges; the first that is none.
fn ranges(seen: &Seen, context: &Context) -> Result<Vec<(String, Range)>, String> {
    let read = |text: &String| match Range::parse(text, context) {
        Some(range) => Ok((text.clone(), range)),
        None => Err(text.clone()),
    };
    seen.ranges.iter().map(read).collect()
}

/// What each rule asks the kernel to add, as `net(device)`, before the kernel says anything: up
/// to 2.15. `INVALIDNET` is what a name that is no net becomes.
pub fn asked(rules: &[Tree], host: &Host, context: &Context) -> Vec<Vec<String>> {
    let each = |index| {
        let seen = seen_by_cyaml(rules, index);
        let Ok(ranges) = ranges(&seen, context) else { return Vec::new() };
        let Ok(asked) = ask(&seen, &ranges, host, context) else { return Vec::new() };
        let net = seen.spec.as_deref().and_then(|s| Net::parse(s, context.version));
        let net = net.map_or_else(|| "INVALIDNET".to_owned(), |n| n.to_string());
        asked.devices.iter().map(|d| format!("{net}({})", d.name)).collect()
    };
    (0..rules.len()).map(each).collect()
}

fn seen_by_cyaml(rules: &[Tree], index: usize) -> Seen {
    Seen::of(|key| {
        let (tree, at) = leaky(rules, index, key)?;
        Some((tree, (at != index).then_some(at)))
    })
}

/// Up to 2.15: every rule is tried, whatever the others did.
fn cyaml(rules: &[Tree], host: &Host, context: &Context, out: &mut Outcome) {
    let first = out.rules.len();
    for index in 0..rules.len() {
        let seen = seen_by_cyaml(rules, index);
        let at = out.rules.len();
        for (key, from) in &seen.leaked {
            let (own, other) = (index + 1, from + 1);
            out.surprise(Surprise::new(
                "KEY_FROM_NEXT_RULE",
                format!(
                    "rule {own} ({}) has no {key}, so lnetctl takes that of rule {other}: give \
                     every rule its own keys",
                    shown(seen.spec.as_deref().unwrap_or("no net-spec"))
                ),
            ));
        }
        let (verdict, dangerous) = one_by_cyaml(&seen, at, host, context, out);
        let killed = matches!(&verdict, Verdict::Refused)
            && out.error.as_ref().is_some_and(|e| e.cause.as_deref() == Some(KILLED));
        out.rules.push(Rule { text: seen.text(), verdict, dangerous });
        if killed {
            let rest = rules.len() - index - 1;
            let text = || "not read any more".to_owned();
            out.rules.extend((0..rest).map(|_| Rule {
                text: text(),
                verdict: Verdict::NotReached,
                dangerous: false,
            }));
            return;
        }
    }
    let none = |r: &Rule| !matches!(r.verdict, Verdict::Applies { .. });
    if out.error.is_none() && out.rules.iter().skip(first).all(none) {
        let sentence = "no rule applies, and lnetctl import ends with 0 all the same";
        out.surprise(Surprise::new("IMPORT_SILENT", sentence));
    }
}

fn one_by_cyaml(
    seen: &Seen,
    at: usize,
    host: &Host,
    context: &Context,
    out: &mut Outcome,
) -> (Verdict, bool) {
    let Some(spec) = &seen.spec else {
        return (refuse(out, 0, BAD_PARAM, "a rule has no net-spec".into()), false);
    };
    if seen.flat_devices {
        let why = "interfaces holds no list (`0: eth0`)";
        return (refuse(out, 0, BAD_PARAM, why.into()), false);
    }
    let ranges = match ranges(seen, context) {
        Ok(ranges) => ranges,
        Err(text) => {
            let why = format!("`{}` is no address pattern", shown(&text));
            return (refuse(out, 0, BAD_PARAM, why), false);
        }
    };
    let dangerous = ranges.iter().any(|(_, range)| range.may_crash());
    let asked = match ask(seen, &ranges, host, context) {
        Ok(asked) => asked,
        Err(killed) => return (refuse(out, 0, SIGFPE, killed.into()), dangerous),
    };
    if seen.flat_range {
        let sentence = format!(
            "ip-range of {spec} holds no list (`0: 10.1.*.*`), so lnetctl takes the rule for one \
             without ranges"
        );
        out.surprise(Surprise::new("RANGE_NOT_A_LIST", sentence));
    }
    for why in &asked.dropped {
        let sentence = format!("{spec}: left out in silence: {why}");
        out.surprise(Surprise::new("INTERFACE_DROPPED", sentence));
    }
    if asked.devices.is_empty() {
        return (Verdict::NoMatch, dangerous);
    }
    let matched = asked.devices.iter().map(|d| (d.address, d.name.to_owned())).collect();
    let applies = Verdict::Applies { pattern: asked.pattern, matched };
    let Some(net) = Net::parse(spec, context.version) else {
        let why = format!(
            "`{}` is no net: lnetctl does not see that and asks the kernel for net 0xffffffff",
            shown(spec)
        );
        return (refuse(out, EINVAL, exit_of(EINVAL), why), dangerous);
    };
    for device in &asked.devices {
        if let Err(mut error) = one_ni(net, device, at, host, context, out) {
            let words = errno_words(error.errno);
            error.words.push(format!("cannot add network: {words}"));
            error.exit = Some(exit_of(error.errno));
            let cause = error.message().to_owned();
            error.cause = Some(format!("{net} on {}: {cause}; the rule ends there", device.name));
            out.error.get_or_insert(*error);
            break;
        }
    }
    (applies, dangerous)
}

/// The first failure is the one that is told.
fn refuse(out: &mut Outcome, errno: i32, exit: u8, why: String) -> Verdict {
    out.error.get_or_insert(Error::import(errno, exit, None, Some(why)));
    Verdict::Refused
}

/// `LUSTRE_CFG_RC_BAD_PARAM`, −1, as an exit code.
const BAD_PARAM: u8 = 255;
/// Killed by signal 8, as a shell tells it.
const SIGFPE: u8 = 136;

/// The negative errno modulo 256.
fn exit_of(errno: i32) -> u8 {
    errno.wrapping_neg() as u8
}

/// One NI through the kernel, which has those before it already.
fn one_ni(
    net: Net,
    device: &Listed<'_>,
    rule: usize,
    host: &Host,
    context: &Context,
    out: &mut Outcome,
) -> Result<(), Box<Error>> {
    let prefix_bug = context.version.prefix_bug();
    let there = out.nis.iter().filter(|ni| ni.net == net).filter_map(|ni| ni.device.as_deref());
    let mut clash =
        there.filter(|d| *d == device.name || (prefix_bug && d.starts_with(device.name)));
    if let Some(other) = clash.next() {
        let mut error = Error::new(EEXIST, []);
        error.cause = Some(if other == device.name {
            "two ranges match, so it is added twice, and the second time is refused".to_owned()
        } else {
            format!("it is the beginning of {other}, and counts as the same device")
        });
        return Err(Box::new(error));
    }
    if device.address.is_ipv6() {
        out.nis.push(Ni {
            net,
            named: None,
            device: Some(device.name.to_owned()),
            address: Some(device.address),
            cpts: Vec::new(),
            rule: Some(rule),
        });
        return Ok(());
    }
    let nis = add(net, &[device.name], rule, host, context)?;
    out.nis.extend(nis);
    Ok(())
}

/// 2.16: the section is a key that the tool does not know.
fn refused(rules: &[Tree], out: &mut Outcome) {
    for index in 0..rules.len() {
        let text = seen_by_cyaml(rules.get(index..=index).unwrap_or_default(), 0).text();
        out.rules.push(Rule { text, verdict: Verdict::NotReached, dangerous: false });
    }
    let words = "invalid key 'ip2nets'".to_owned();
    out.error = Some(Error::import(EINVAL, exit_of(EINVAL), Some(words), None));
}

/// From 2.17: rule after rule; the first that succeeds for a net is the only one for it.
fn events(rules: &[Tree], host: &Host, context: &Context, out: &mut Outcome) {
    let mut done: Vec<Net> = Vec::new();
    let mut stopped = false;
    for rule in rules {
        let seen = Seen::of(|key| Some((rule.get(key)?.clone(), None)));
        let at = out.rules.len();
        let mut dangerous = false;
        let verdict = if stopped {
            Verdict::NotReached
        } else {
            match one_by_events(rule, &seen, at, host, context, &done, &mut dangerous, out) {
                Ok((verdict, net)) => {
                    done.extend(net);
                    verdict
                }
                Err(error) => {
                    stopped = true;
                    out.error.get_or_insert(*error);
                    Verdict::Refused
                }
            }
        };
        out.rules.push(Rule { text: seen.text(), verdict, dangerous });
    }
    if done.is_empty() && !stopped {
        let words = "No ip2nets rules applied".to_owned();
        out.error.get_or_insert(Error::import(EINVAL, exit_of(EINVAL), Some(words), None));
    }
}

#[expect(clippy::too_many_arguments, reason = "the state of one pass, used here only")]
fn one_by_events(
    rule: &Tree,
    seen: &Seen,
    at: usize,
    host: &Host,
    context: &Context,
    done: &[Net],
    dangerous: &mut bool,
    out: &mut Outcome,
) -> Result<(Verdict, Option<Net>), Box<Error>> {
    let fail = |words: Option<String>, cause: Option<String>| {
        Box::new(Error::import(EINVAL, exit_of(EINVAL), words, cause))
    };
    let first = match rule {
        Tree::Map(Pairs(pairs)) => pairs.first().map_or("", |(key, _)| key.as_str()),
        _ => "",
    };
    if first != "net-spec" {
        let found = shown(first);
        let words = format!("Malformed input. Expect 'net-spec' found '{found}'");
        return Err(fail(Some(words), None));
    }
    let spec = seen.spec.clone().unwrap_or_default();
    let Some(net) = Net::parse(&spec, context.version) else {
        return Err(fail(Some(format!("Invalid network ID '{}'", shown(&spec))), None));
    };
    if seen.flat_devices || seen.flat_range {
        let key = if seen.flat_devices { "interfaces" } else { "ip-range" };
        return Err(fail(None, Some(format!("{key} of {net} holds no list (`0: …`)"))));
    }
    let ranges = ranges(seen, context)
        .map_err(|text| fail(None, Some(format!("`{}` is no address pattern", shown(&text)))))?;
    *dangerous = ranges.iter().any(|(_, range)| range.may_crash());
    if done.contains(&net) {
        return Ok((Verdict::Ignored(net), None));
    }
    let mut asked = ask(seen, &ranges, host, context)
        .map_err(|killed| Box::new(Error::import(0, SIGFPE, None, Some(killed.to_owned()))))?;
    if let Some(why) = asked.dropped.first() {
        // One device that does not fit leaves out all of the rule.
        return Ok((Verdict::Skipped(why.clone()), None));
    }
    let before = asked.devices.len();
    let mut names: Vec<&str> = Vec::new();
    asked.devices.retain(|d| {
        let new = !names.contains(&d.name);
        names.push(d.name);
        new
    });
    if asked.devices.len() < before {
        let sentence = format!(
            "more than one range or address of {net} matches the same device: whether this \
             version then adds it once or fails with -17 was not tried"
        );
        out.surprise(Surprise::new("OVERLAPPING_RANGES", sentence));
    }
    if asked.devices.is_empty() {
        return Ok((Verdict::NoMatch, None));
    }
    if asked.devices.iter().any(|d| d.address.is_ipv6()) {
        let sentence =
            "an NI with an IPv6 address needs LNet configured for large NIDs (configure --large)";
        out.surprise(Surprise::new("IPV6_NEEDS_LARGE_NIDS", sentence));
    }
    let kept = out.nis.len();
    for device in &asked.devices {
        if let Err(error) = one_ni(net, device, at, host, context, out) {
            out.nis.truncate(kept);
            let why = format!("the kernel refuses {}: {}", device.name, error.message());
            return Ok((Verdict::Skipped(why), None));
        }
    }
    let matched = asked.devices.iter().map(|d| (d.address, d.name.to_owned())).collect();
    Ok((Verdict::Applies { pattern: asked.pattern, matched }, Some(net)))
}
