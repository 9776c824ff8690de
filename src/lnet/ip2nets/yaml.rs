//! The `ip2nets:` and `net:` sections of a YAML file, as `lnetctl import` reads them.
//!
//! Up to 2.15 `handle_yaml_config_ip2nets()` and `lustre_lnet_match_ip_to_intf()` of
//! `lnet/utils/lnetconfig/liblnetconfig.c`, and the lookups of `cyaml.c` that go on into the
//! items behind; from 2.17 `handle_ip2nets_sequence()` of `lnet/utils/lnetctl.c`. 2.16 refuses
//! the section.

mod events;
mod rule;

use super::error::{EEXIST, EINVAL, Error, errno_words};
use super::host::Host;
use super::net::Net;
use super::networks::Wanted;
use super::outcome::{Engine, Ni, Outcome, Rule, Verdict};
use super::surprise::shown;
use super::{Context, Surprise, YamlRules, start};
use crate::lnet::config::{Conf, ConfNet, Tree};
use rule::{KILLED, Listed, Seen, ask, leaky, ranges};

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
        YamlRules::Events => events::events(&conf.rules, host, context, &mut out),
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
