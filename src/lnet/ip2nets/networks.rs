//! The `networks=` string: `tcp(eth0), o2ib(ib0[0],ib1[1])`.
//!
//! `lnet_parse_networks()` of `lnet/lnet/config.c`, which also reads what is left of an
//! `ip2nets=` string when the entries that do not match are gone.

use super::error::{EINVAL, Error};
use super::expr::{List, Refused, is_space};
use super::host::Host;
use super::net::Net;
use super::outcome::{Engine, Outcome, Rule, Verdict};
use super::surprise::shown;
use super::{Context, Surprise, TEXT_LIMIT, start};
use std::ops::Range;

/// An NI that the string asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its net.
    pub net: Net,
    /// The name of the net as written: `tcp0`.
    pub written: String,
    /// The device it names, if any.
    pub device: Option<String>,
    /// CPU partitions it is bound to, in the order written; none is all.
    pub cpts: Vec<u32>,
    /// Where its net stands in the string, in bytes.
    pub at: Range<usize>,
    /// Index of the rule that it is from.
    pub rule: Option<usize>,
}

/// What a string asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// NIs, in order.
    pub wanted: Vec<Wanted>,
    /// What the kernel does not say.
    pub surprises: Vec<Surprise>,
}

/// Reads a string.
pub fn parse(text: &[u8], context: &Context) -> Result<Parsed, Box<Error>> {
    // A C string ends at its first NUL.
    let text = text.split(|b| *b == 0).next().unwrap_or_default();
    if text.len() > TEXT_LIMIT {
        let line = "Can't parse networks: string too long".to_owned();
        return Err(Box::new(Error::new(EINVAL, [line])));
    }
    let mut reader = Reader { text, cut: vec![false; text.len()], at: 0, end: text.len(), context };
    let mut parsed = Parsed::default();
    while reader.one(&mut parsed)? {}
    Ok(parsed)
}

/// What LNet does at boot with a `networks=` string; an empty one is as if it was not given.
pub fn boot(text: &[u8], host: &Host, context: &Context) -> Outcome {
    let mut out = Outcome::new(Engine::Networks, context.version);
    let text = if text.is_empty() { b"tcp" } else { text };
    let done = parse(text, context).and_then(|mut parsed| {
        out.surprises.extend(parsed.surprises);
        let mut last = None;
        for wanted in &mut parsed.wanted {
            let new = last.as_ref() != Some(&wanted.at);
            last = Some(wanted.at.clone());
            wanted.rule = Some(out.rules.len() - usize::from(!new));
            if new {
                let text = text.get(wanted.at.clone()).unwrap_or_default();
                out.rules.push(Rule {
                    text: String::from_utf8_lossy(text).into_owned(),
                    verdict: Verdict::Applies { pattern: None, matched: Vec::new() },
                    dangerous: false,
                });
            }
        }
        start::all(&parsed.wanted, host, context)
    });
    match done {
        Ok(started) => {
            out.nis = started.nis;
            out.surprises.extend(started.surprises);
        }
        Err(error) => out.error = Some(*error),
    }
    out
}

/// Reads as the kernel does: a separator that was passed becomes the end of what stands before
/// it. `cut` marks those, for the messages tell how long the text is up to the next of them.
struct Reader<'a> {
    text: &'a [u8],
    cut: Vec<bool>,
    at: usize,
    end: usize,
    context: &'a Context,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied().filter(|_| self.at < self.end)
    }

    fn cut(&mut self, at: usize) {
        if let Some(cut) = self.cut.get_mut(at) {
            *cut = true;
        }
    }

    /// Goes past one byte, and blanks behind it.
    fn pass(&mut self) {
        self.cut(self.at);
        self.at += 1;
        self.pass_blanks();
    }

    fn pass_blanks(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.cut(self.at);
            self.at += 1;
        }
    }

    /// Goes on to the next of `stops`, or to the end.
    fn until(&mut self, stops: &[u8]) -> Range<usize> {
        let from = self.at;
        while self.peek().is_some_and(|b| !stops.contains(&b)) {
            self.at += 1;
        }
        from..self.at
    }

    fn string(&self, range: Range<usize>) -> String {
        String::from_utf8_lossy(self.text.get(range).unwrap_or_default()).into_owned()
    }

    fn syntax(&self, at: usize) -> Error {
        let rest = self.cut.get(at..).unwrap_or_default();
        let width = rest.iter().position(|cut| *cut).unwrap_or(rest.len());
        let rest = self.string(at..self.text.len());
        let why = if rest.is_empty() {
            "it ends too early".to_owned()
        } else {
            format!("`{}` is not understood (character {})", shown(&rest), at + 1)
        };
        Error::syntax("networks", self.text, at, width).because(why)
    }

    /// A list of CPU partitions from `[` on; the position is then behind `]` and blanks.
    fn cpts(&mut self) -> Result<Option<List>, Box<Error>> {
        if self.peek() != Some(b'[') {
            return Ok(None);
        }
        let from = self.at;
        self.until(b"]");
        if self.peek().is_none() {
            let error = self.syntax(from);
            let text = self.string(from..self.end);
            return Err(Box::new(error.because(format!("`{}` is not closed", shown(&text)))));
        }
        let list = self.text.get(from..=self.at).unwrap_or_default();
        let max = self.context.highest_cpt();
        let list = List::parse(list, max, self.context.version).map_err(|why| match why {
            Refused::Syntax => Box::new(self.syntax(from)),
            Refused::Crash => {
                let what = "the kernel follows a null pointer in cfs_str2num_check()";
                Box::new(Error::crashing(what, Some(from..self.at + 1)))
            }
        })?;
        self.cut(from);
        self.pass();
        Ok(Some(list))
    }

    /// One net with its interfaces; `false` at the end.
    fn one(&mut self, parsed: &mut Parsed) -> Result<bool, Box<Error>> {
        self.pass_blanks();
        if self.peek().is_none() {
            return Ok(false);
        }
        let name = self.until(NAME_ENDS);
        self.pass_blanks();
        let mut inside = None;
        if self.peek() == Some(b'(') {
            self.cut(self.at);
            self.at += 1;
            let devices = self.until(b")");
            if self.peek().is_none() {
                let error = self.syntax(devices.start);
                return Err(Box::new(
                    error.because(format!("`{}(` is not closed", self.string(name))),
                ));
            }
            self.pass();
            inside = Some(devices);
        }
        let net_cpts = self.cpts()?;
        if self.peek().is_some_and(|b| b":()[]".contains(&b)) {
            return Err(Box::new(self.syntax(self.at)));
        }
        let ignored = self.until(b",");
        if self.peek().is_some() {
            self.cut(self.at);
            self.at += 1;
        }
        let written = self.string(name.clone());
        let Some(net) = Net::parse(&written, self.context.version) else {
            let why = format!("`{}` is no net that this LNet knows", shown(&written));
            let error = self.syntax(name.start).after("Unrecognised network type");
            return Err(Box::new(error.because(why)));
        };
        if !ignored.is_empty() {
            // Passed over in silence up to the comma.
            let surprise = Surprise::text_ignored(&written, &self.string(ignored));
            parsed.surprises.push(surprise);
        }
        if net.is_lo() {
            parsed.surprises.push(Surprise::loopback_net());
            return Ok(true);
        }
        let at = name.start..inside.as_ref().map_or(name.end, |i| i.end + 1);
        let net = Named { net, written, at };
        match inside {
            None => self.add(parsed, &net, None, net_cpts.as_ref())?,
            Some(inside) => {
                let behind = (self.at, self.end);
                (self.at, self.end) = (inside.start, inside.end);
                self.devices(parsed, &net, net_cpts.as_ref())?;
                (self.at, self.end) = behind;
            }
        }
        Ok(true)
    }

    /// The devices between parentheses: at least one.
    fn devices(
        &mut self,
        parsed: &mut Parsed,
        net: &Named,
        net_cpts: Option<&List>,
    ) -> Result<(), Box<Error>> {
        loop {
            self.pass_blanks();
            let name = self.until(DEVICE_ENDS);
            self.pass_blanks();
            let own = self.cpts()?;
            let more = self.peek() == Some(b',');
            if more {
                self.pass();
            }
            if more == self.peek().is_none() {
                // Nothing behind the comma, or something where a comma should be.
                return Err(Box::new(self.syntax(self.at)));
            }
            if name.is_empty() {
                return Err(Box::new(self.syntax(name.start)));
            }
            let device = self.string(name);
            self.add(parsed, net, Some(&device), own.as_ref().or(net_cpts))?;
            if !more {
                return Ok(());
            }
        }
    }

    fn add(
        &self,
        parsed: &mut Parsed,
        net: &Named,
        device: Option<&str>,
        cpts: Option<&List>,
    ) -> Result<(), Box<Error>> {
        if let Some(device) = device {
            self.unique(parsed, net, device)?;
        }
        let cpts = self.context.cpts(net.net, device, cpts)?;
        parsed.wanted.push(Wanted {
            net: net.net,
            written: net.written.clone(),
            device: device.map(str::to_owned),
            cpts,
            at: net.at.clone(),
            rule: None,
        });
        Ok(())
    }

    /// A device may be on a net once (`lnet_ni_unique_net`); nothing is said on the console.
    fn unique(&self, parsed: &mut Parsed, net: &Named, device: &str) -> Result<(), Box<Error>> {
        let prefix_bug = self.context.version.prefix_bug();
        let mut there = parsed.wanted.iter().filter(|w| w.net == net.net);
        let clash = there.find_map(|w| {
            let other = w.device.as_deref()?;
            let same = other == device || (prefix_bug && other.starts_with(device));
            same.then(|| other.to_owned())
        });
        let Some(other) = clash else { return Ok(()) };
        let mut error = Error::new(EINVAL, []);
        error.at = Some(net.at.clone());
        error.cause = Some(if other == device {
            format!("{device} is on {} twice", net.net)
        } else {
            format!("{device} is the beginning of {other}, and counts as the same device")
        });
        Err(Box::new(error))
    }
}

/// A net whose name was read.
struct Named {
    net: Net,
    written: String,
    at: Range<usize>,
}

const NAME_ENDS: &[u8] = b" \t\x0b\r\n:()[],";
const DEVICE_ENDS: &[u8] = b" \t\x0b\r\n[],";
