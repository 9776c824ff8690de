//! The `ip2nets=` string, as the kernel reads it.

use super::error::{E2BIG, EINVAL, ENOENT, Error};
use super::expr::{Match, Pattern, Refused, is_space};
use super::host::{Candidate, Host};
use super::net::Net;
use super::outcome::{Engine, Outcome, Rule, Verdict};
use super::surprise::shown;
use super::{Context, Numbers, TEXT_LIMIT, networks, start};
use std::net::IpAddr;
use std::ops::Range;

/// An entry of the string: nets, then patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its text with every blank made a space, as messages of the console show it.
    pub text: Vec<u8>,
    /// Where it stands in the string, in bytes.
    pub at: Range<usize>,
    /// Where its words stand in `text`.
    pub words: Vec<Range<usize>>,
    /// The comment behind it hid text up to the next separator, not to the end of the string.
    pub comment: bool,
}

impl Entry {
    /// Its first word: the nets.
    pub fn netspecs(&self) -> &[u8] {
        self.words.first().map_or(&[], |word| self.word(word))
    }

    /// Its other words: the patterns.
    pub fn patterns(&self) -> impl Iterator<Item = (&Range<usize>, &[u8])> {
        self.words.iter().skip(1).map(|word| (word, self.word(word)))
    }

    fn word(&self, word: &Range<usize>) -> &[u8] {
        self.text.get(word.clone()).unwrap_or_default()
    }
}

/// Bytes of a text buffer besides its text: list, size, end (`struct lnet_text_buf`).
const BUFFER_HEAD: usize = 21;
/// `LNET_MAX_TEXTBUF_NOB`: all buffers together.
const BUFFERS_LIMIT: usize = 64 << 10;

/// What is left of a string on a host: a `networks` string.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matched {
    /// The nets of the entries that apply, joined with commas.
    pub networks: Vec<u8>,
    /// Where each net stands in it, and the entry it is from.
    pub parts: Vec<(Range<usize>, usize)>,
    /// All entries, with what comes of each.
    pub rules: Vec<Rule>,
    /// Why there is no such string.
    pub error: Option<Error>,
}

/// Matches the entries against a host (`lnet_parse_ip2nets`).
pub fn matched(text: &[u8], host: &Host, context: &Context) -> Matched {
    let entries = entries(text);
    if too_long(&entries) {
        let line = "Error parsing ip2nets".to_owned();
        let error = Error::new(EINVAL, [line])
            .and(format!("Error -{EINVAL} parsing ip2nets"))
            .because(format!("an entry of {TEXT_LIMIT} bytes or more, or 64 KiB in all"));
        return Matched { error: Some(error), ..Matched::default() };
    }
    let rule = |entry: &Entry| Rule {
        text: String::from_utf8_lossy(&entry.text).trim_end().to_owned(),
        verdict: Verdict::NotReached,
        dangerous: entry
            .patterns()
            .filter_map(|(_, text)| Pattern::parse(text, context.version).ok())
            .any(|pattern| pattern.octets().iter().any(super::expr::List::may_crash)),
    };
    let mut out = Matched { rules: entries.iter().map(rule).collect(), ..Matched::default() };
    if let Err(error) = reduce(&entries, host, context, &mut out) {
        out.error = Some(*error);
    }
    out
}

/// `lnet_new_text_buf` refuses one of the entries.
pub(super) fn too_long(entries: &[Entry]) -> bool {
    let sizes = || entries.iter().map(|e| e.text.len() + BUFFER_HEAD);
    sizes().any(|size| size > TEXT_LIMIT) || sizes().sum::<usize>() > BUFFERS_LIMIT
}

fn reduce(
    entries: &[Entry],
    host: &Host,
    context: &Context,
    out: &mut Matched,
) -> Result<(), Box<Error>> {
    let candidates = host.candidates();
    if candidates.is_empty() {
        let line = "No local IP interfaces for ip2nets to match".to_owned();
        return Err(Box::new(Error::new(ENOENT, [line])));
    }
    let told = |errno: i32| format!("Error -{errno} parsing ip2nets");
    let mut there: Vec<Net> = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let mut verdict = |verdict| {
            if let Some(rule) = out.rules.get_mut(index) {
                rule.verdict = verdict;
            }
        };
        verdict(Verdict::Refused);
        let shifted = |mut error: Box<Error>| {
            shift(&mut error, entry);
            error
        };
        let Some((pattern, at)) = test(entry, &candidates, context).map_err(shifted)? else {
            let none = entry.words.len() < 2;
            verdict(if none { Verdict::NoPattern } else { Verdict::NoMatch });
            continue;
        };
        let parts = split(entry, context).map_err(shifted)?;
        let earlier = parts.iter().find(|(_, net)| there.contains(net));
        if let Some((_, net)) = earlier.filter(|_| !context.version.later_entries_add()) {
            verdict(Verdict::Ignored(*net));
            continue;
        }
        let matched = vec![(IpAddr::V4(at.address), at.label.to_string())];
        verdict(Verdict::Applies { pattern: Some(pattern), matched });
        for (part, net) in parts {
            there.push(net);
            if !out.networks.is_empty() {
                out.networks.push(b',');
            }
            let from = out.networks.len();
            out.networks.extend(entry.text.get(part).unwrap_or_default());
            out.parts.push((from..out.networks.len(), index));
            if out.networks.len() >= TEXT_LIMIT {
                let line = "Too many matched networks".to_owned();
                return Err(Box::new(Error::new(E2BIG, [line]).and(told(E2BIG))));
            }
        }
    }
    if there.is_empty() {
        let line = "ip2nets does not match any local IP interfaces".to_owned();
        return Err(Box::new(Error::new(ENOENT, [line])));
    }
    Ok(())
}

/// Errors point into the entry; the position is told in the whole string.
fn shift(error: &mut Error, entry: &Entry) {
    let at = error.at.take();
    error.at = at.map(|at| at.start + entry.at.start..at.end + entry.at.start);
}

/// The first pattern that matches and the first address that it matches. All patterns are read:
/// one that is refused fails the entry even behind one that matches.
fn test<'c, 'h>(
    entry: &Entry,
    candidates: &'c [Candidate<'h>],
    context: &Context,
) -> Result<Option<(String, &'c Candidate<'h>)>, Box<Error>> {
    let mut found = None;
    for (at, text) in entry.patterns() {
        let pattern = Pattern::parse(text, context.version).map_err(|refused| {
            // From 2.15.60 the text was cut at its first dot when the message is printed.
            let strict = context.version.numbers() == Numbers::Strict;
            let dot = text.iter().position(|b| *b == b'.').filter(|_| strict);
            let width = dot.unwrap_or(text.len());
            Box::new(match refused {
                Refused::Syntax => Error::syntax("ip2nets", &entry.text, at.start, width)
                    .and(format!("Error -{EINVAL} parsing ip2nets"))
                    .because(no_pattern(text)),
                Refused::Crash => {
                    let what = "the kernel follows a null pointer in cfs_str2num_check()";
                    Error::crashing(what, Some(at.clone()))
                }
            })
        })?;
        for candidate in candidates {
            match pattern.matches(candidate.address) {
                Match::No => {}
                Match::Yes => {
                    let text = String::from_utf8_lossy(text).into_owned();
                    found.get_or_insert((text, candidate));
                    break;
                }
                Match::Crash => {
                    let what = "a step of 0: the kernel divides by zero and stops the node";
                    return Err(Box::new(Error::crashing(what, Some(at.clone()))));
                }
            }
        }
    }
    Ok(found)
}

/// Why a word is no pattern, as far as that can be told.
fn no_pattern(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let parts = text.split('.').count();
    let in_brackets = text.rfind(']').unwrap_or(0);
    let mut numbers = text.split(|c: char| !c.is_ascii_digit());
    let big = numbers.find(|n| n.len() > 3 || n.parse::<u32>().is_ok_and(|n| n > 255));
    let why = if text.rfind('/').is_some_and(|at| at > in_brackets) {
        "no prefix length is taken here".to_owned()
    } else if parts != 4 {
        format!("a pattern has four parts, this has {parts}")
    } else if let Some(big) = big {
        format!("{} is more than 255", shown(big))
    } else if text.contains('-') && !text.contains('[') {
        "a range stands in brackets".to_owned()
    } else {
        "one of its parts is neither a number, `*`, nor a list in brackets".to_owned()
    };
    format!("`{}` is no address pattern: {why}", shown(&text))
}

/// The nets of an entry (`lnet_splitnets`): a comma within parentheses belongs to the devices
/// only if `)` ends the net.
fn split(entry: &Entry, context: &Context) -> Result<Vec<(Range<usize>, Net)>, Box<Error>> {
    let specs = entry.netspecs();
    let start = entry.words.first().map_or(0, |w| w.start);
    let mut parts: Vec<(Range<usize>, Net)> = Vec::new();
    let mut offset = 0;
    loop {
        let rest = specs.get(offset..).unwrap_or_default();
        let find = |byte| rest.iter().position(|b| *b == byte);
        let syntax = |at: usize, width: usize, why: &str| {
            let own = specs.get(at..at + width).unwrap_or_default();
            let own = String::from_utf8_lossy(own);
            Box::new(
                Error::syntax("ip2nets", &entry.text, start + at, width)
                    .and(format!("Error -{EINVAL} parsing ip2nets"))
                    .because(format!("`{}`: {why}", shown(&own))),
            )
        };
        let mut end = find(b',');
        let open = find(b'(');
        if let (Some(comma), Some(open)) = (end, open)
            && open < comma
        {
            let inside = rest.get(open..).unwrap_or_default();
            let close = inside.iter().position(|b| *b == b')').map(|at| open + at);
            end = match close.map(|close| (close, rest.get(close + 1))) {
                Some((_, None)) => None,
                Some((close, Some(b','))) => Some(close + 1),
                _ => {
                    let why = "behind a list of devices only a comma may stand";
                    return Err(syntax(offset + open, rest.len() - open, why));
                }
            };
        }
        let own = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let name = own.split(|b| *b == b'(').next().unwrap_or_default();
        let net = Net::parse(&String::from_utf8_lossy(name), context.version);
        let Some(net) = net else {
            return Err(syntax(offset, own.len(), "no net that this LNet knows"));
        };
        if parts.iter().any(|(_, other)| *other == net) {
            return Err(syntax(offset, own.len(), "a net may stand once in a rule"));
        }
        parts.push((start + offset..start + offset + own.len(), net));
        match end {
            Some(end) => offset += end + 1,
            None => return Ok(parts),
        }
    }
}

/// What LNet does at boot with an `ip2nets=` string. An empty one is as if it was not given: tcp
/// on the first interface.
pub fn boot(text: &[u8], host: &Host, context: &Context) -> Outcome {
    let mut out = Outcome::new(Engine::Kernel, context.version);
    if text.is_empty() {
        let mut default = networks::boot(b"tcp", host, context);
        default.engine = Engine::Kernel;
        return default;
    }
    let matched = matched(text, host, context);
    out.rules = matched.rules;
    if let Some(mut error) = matched.error {
        if !error.crash {
            // Nothing to go on with: the start ends with EINVAL whatever the reason was.
            error.start_errno = EINVAL;
            error = error.and("networks string is undefined");
        }
        out.error = Some(error);
        return out;
    }
    let rule_at = |at: &Range<usize>| {
        let part = matched.parts.iter().rev().find(|(part, _)| part.start <= at.start);
        part.map(|(_, rule)| *rule)
    };
    let mut parsed = match networks::parse(&matched.networks, context) {
        Ok(parsed) => parsed,
        Err(mut error) => {
            // The place is one in the string that is left: the entry tells it in the one given.
            let rule = error.at.take().and_then(|at| rule_at(&at));
            if let Some(rule) = rule.and_then(|rule| out.rules.get_mut(rule)) {
                rule.verdict = Verdict::Refused;
            }
            out.error = Some(*error);
            return out;
        }
    };
    out.surprises.append(&mut parsed.surprises);
    for wanted in &mut parsed.wanted {
        wanted.rule = rule_at(&wanted.at);
    }
    match start::all(&parsed.wanted, host, context) {
        Ok(started) => {
            out.nis = started.nis;
            out.surprises.extend(started.surprises);
        }
        Err(mut error) => {
            error.at = None;
            out.error = Some(*error);
        }
    }
    out
}

/// The entries of a string (`lnet_str2tbs_sep`): separated by `;` and line ends; a `#` hides all
/// up to the next separator.
pub fn entries(text: &[u8]) -> Vec<Entry> {
    let separates = |b: u8| matches!(b, b'\n' | b'\r' | b';');
    let text = text.split(|b| *b == 0).next().unwrap_or_default();
    let mut entries = Vec::new();
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        at += rest.iter().take_while(|b| is_space(**b)).count();
        let rest = text.get(at..).unwrap_or_default();
        let length = rest.iter().position(|b| separates(*b) || *b == b'#').unwrap_or(rest.len());
        let behind = rest.get(length..).unwrap_or_default();
        let hidden = behind.iter().position(|b| separates(*b)).unwrap_or(behind.len());
        if length > 0 {
            let own = rest.get(..length).unwrap_or_default();
            let spaced: Vec<u8> =
                own.iter().map(|b| if is_space(*b) { b' ' } else { *b }).collect();
            let words = words(&spaced);
            entries.push(Entry { text: spaced, at: at..at + length, words, comment: hidden > 0 });
        }
        at += length + hidden + 1;
        if at > text.len() {
            return entries;
        }
    }
}

fn words(text: &[u8]) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, byte) in text.iter().enumerate() {
        match (is_space(*byte), start) {
            (false, None) => start = Some(at),
            (true, Some(from)) => {
                words.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    words.extend(start.map(|from| from..text.len()));
    words
}
