//! The section as `lnetctl import` of 2.17 reads it.

use super::rule::{Seen, ask, ranges};
use super::{SIGFPE, exit_of, one_ni};
use crate::lnet::config::tree::{Pairs, Tree};
use crate::lnet::ip2nets::error::{EINVAL, Error};
use crate::lnet::ip2nets::surprise::shown;
use crate::lnet::ip2nets::{Context, Host, Net, Outcome, Rule, Surprise, Verdict};

/// From 2.17: rule after rule; the first that succeeds for a net is the only one for it.
pub(super) fn events(rules: &[Tree], host: &Host, context: &Context, out: &mut Outcome) {
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
